"""The form of a bulk edit: which fields, each with its new value or cleared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import FieldDef, LayoutField, ObjectDef, label_in
from tabwright.platform.language import say
from tabwright.runtime.bulk.allowing import fields_of
from tabwright.runtime.bulk.runs import Run
from tabwright.runtime.desk import Call
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.inputs import Entry, Place, block
from tabwright.runtime.forms.piece import Piece
from tabwright.runtime.forms.shown import Seen
from tabwright.runtime.pages import edit_page
from tabwright.runtime.pages.lookups import Lookups
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.visiting import as_uuid

MOST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Chosen:
    """One field that is to change: its input, and whether it is to be cleared instead."""

    name: str
    label: str
    html: Markup
    cleared: bool
    clearable: bool


@dataclass(frozen=True, slots=True)
class Choosing:
    """The form: chosen fields, those that may still be added, and faults."""

    chosen: tuple[Chosen, ...]
    others: tuple[tuple[str, str], ...]
    fixed: bool  # a transfer has one field
    faults: tuple[edit_page.FaultLine, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """What a posted form says: the fields, their texts, what is wrong with them, and the values."""

    fields: tuple[FieldDef, ...]
    cleared: frozenset[str]
    posted: edit_page.Posted
    errors: Mapping[str, tuple[str, ...]]
    values: Mapping[str, Any]


def offered(call: Call, object: ObjectDef, run: Run) -> tuple[FieldDef, ...]:
    """The fields that the form may hold."""
    if run.action == "transfer":
        return tuple(field for field in call.gate.editable(object) if field.type == "owner")
    return fields_of(call, object)


def first(call: Call, reads: Reading, object: ObjectDef, run: Run) -> Said:
    """The form as it is opened: with what was chosen before, or empty."""
    known = offered(call, object, run)
    if run.action == "transfer":
        fields = known
    else:
        fields = tuple(field for field in known if field.name in run.values)
    zone, finder = ZoneInfo(call.zone), Lookups(call, reads)
    given = {
        field.name: texts.to_text(field, run.values[field.name], zone)
        for field in fields
        if field.name in run.values
    }
    names = {}
    for field in fields:
        id = as_uuid(given.get(field.name, "")) if field.is_reference and given.get(field.name) else None
        if id is not None:
            names[field.name] = finder.name(field, id) or ""
    cleared = frozenset(name for name, value in run.values.items() if value is None)
    return Said(fields, cleared, edit_page.Posted(given, names, {}), {}, run.values)


def read(call: Call, reads: Reading, object: ObjectDef, run: Run, form: MultiDict[str, str]) -> Said:
    """What a posted form says; ``errors`` are at fields without a value that are not to be cleared."""
    by_name = {field.name: field for field in offered(call, object, run)}
    wanted = [name for name in form.getlist("_chosen") if name != form.get("_drop")]
    wanted += [form.get("_add", "")]
    fields = tuple(by_name[name] for name in dict.fromkeys(wanted) if name in by_name)[:MOST_SHOWN]
    if run.action == "transfer":
        fields = tuple(by_name.values())
    cleared = frozenset(form.getlist("_clear")) & {field.name for field in fields if _clearable(field)}
    posted = edit_page.read_posted(fields, form, Lookups(call, reads), call.language, call)
    values = edit_page.values_of(fields, posted, ZoneInfo(call.zone), posted.texts)
    values |= dict.fromkeys(cleared)
    errors = {name: found for name, found in posted.errors.items() if name not in cleared}
    blank = say("bulk.blank", {}, call.language)
    for field in fields:
        if field.name not in cleared and field.name not in errors and values.get(field.name) is None:
            errors[field.name] = (blank,)
    return Said(fields, cleared, posted, errors, {f.name: values.get(f.name) for f in fields})


def _clearable(field: FieldDef) -> bool:
    return not field.required and field.type not in ("boolean", "owner", "record_type")


def shown(
    call: Call, object: ObjectDef, run: Run, said: Said, faults: Sequence[edit_page.FaultLine] = (),
    errors: Mapping[str, tuple[str, ...]] | None = None,
) -> Choosing:  # fmt: skip
    """The form as the page shows it; ``errors`` stand at their fields."""
    entry = Entry(
        {**{f.name: "false" for f in said.fields if f.type == "boolean"}, **said.posted.texts},
        Seen({}, ZoneInfo(call.zone)),
        errors or {},
        said.posted.names,
        said.posted.choices,
    )
    taken = {field.name for field in said.fields}
    return Choosing(
        tuple(
            Chosen(
                field.name,
                label_in(field.labels, call.language),
                Piece(block(field, Place(LayoutField(field.name), True), call.model, call.language)).render(
                    entry
                ),
                field.name in said.cleared,
                _clearable(field),
            )
            for field in said.fields
        ),
        tuple(
            (field.name, label_in(field.labels, call.language))
            for field in offered(call, object, run)
            if field.name not in taken
        ),
        run.action == "transfer",
        tuple(faults),
    )
