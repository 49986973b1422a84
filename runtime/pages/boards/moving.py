"""A card is put elsewhere: one update of the record, with what it needs besides asked for in one dialog."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup

from tabwright.metadata.model import FieldDef, LayoutField, ObjectDef, label_in
from tabwright.platform.errors import Fault, Invalid, NotFound, TabwrightError, Unauthenticated
from tabwright.platform.language import say_fault
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.dependent import offered
from tabwright.runtime.forms.inputs import Place, block
from tabwright.runtime.forms.piece import Piece
from tabwright.runtime.pages import edit_page, visibility, visiting
from tabwright.runtime.pages.lookups import Lookups
from tabwright.runtime.pages.record_page import read_record, row_parts
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.world import Desk
from tabwright.runtime.records.batch import Intent

SET = "set."  # begins the names of inputs that say where a card goes
ASKED = "_ask"  # the fields that the dialog asked for, by commas
MOST_ASKED = 20


@dataclass(frozen=True, slots=True)
class Moved:
    """The record was changed; ``operation`` takes it back, None where nothing differed."""

    name: str
    operation: UUID | None
    revision: int


@dataclass(frozen=True, slots=True)
class Needs:
    """The change needs more: the inputs to ask for, and what else was said."""

    name: str
    asked: tuple[str, ...]
    inputs: Markup
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The change is not made: the rules' words."""

    texts: tuple[str, ...]
    status: int


def move(desk: Desk, object: ObjectDef, id: UUID, form: Mapping[str, Any]) -> Moved | Needs | Refused:
    """Set the fields that ``set.<field>`` inputs name, and those that an earlier answer asked for.

    Raises NotFound, Denied where the object may not be edited at all.
    """
    call = desk.call
    call.gate.require(object, "edit")
    row = read_record(call, desk.reads, object, id)
    parts = row_parts(call, object, row)
    zone = ZoneInfo(call.zone)
    changes = _changes(desk, object, parts, form)
    fields = {field.name: field for field in visiting.fields_of(parts, creating=False)}
    names = [name for name in str(form.get(ASKED, "")).split(",") if name in fields and name not in changes]
    asked = tuple(dict.fromkeys(names))[:MOST_ASKED]
    posted = edit_page.read_posted(
        [fields[name] for name in asked], form, Lookups(call, desk.reads), call.language, call
    )
    given = {name: texts.to_value(object.fields[name], said, zone) for name, said in changes.items()}
    given |= edit_page.values_of(fields.values(), posted, zone, asked)
    whole = texts.to_texts(fields.values(), row, zone) | changes | dict(posted.texts)
    wrong = dict(posted.errors)
    name = visiting.name_of(call, object, row)
    intent = Intent("update", id, given)
    try:
        if wrong:  # everything at once: what the write path would say besides
            failed = desk.records.rehearse(object.name, (intent,)).failed
            faults: tuple[Fault, ...] = tuple(failed[0].faults) if failed else ()
            status = 422
        else:
            saved = desk.records.update(
                object.name, id, given, seen=edit_page.revision_of(str(form.get("revision", "")))
            )
            return Moved(name, saved.operation, saved.revision)
    except (NotFound, Unauthenticated):
        raise
    except TabwrightError as error:
        warned = edit_page.warned(error, object, tuple(fields.values()), call.language)
        if warned is not None:
            was = texts.to_texts([fields[each] for each in asked], row, zone)
            filled = replace(posted, texts={**was, **posted.texts})
            inputs = _inputs(desk, parts, row, filled, {}, asked, whole)
            return Needs(name, asked, inputs + confirming(desk, warned), ())
        faults, status = tuple(error.faults), error.status
    at, notes = _sorted(desk, object, faults, fields, changes)
    for field, said in wrong.items():
        at[field] = tuple(dict.fromkeys((*said, *(at.get(field, ()) if field in posted.errors else ()))))
    if not at:
        return Refused(notes, status)
    wanted = tuple(dict.fromkeys((*asked, *at)))[:MOST_ASKED]
    was = texts.to_texts([fields[each] for each in wanted], row, zone)
    filled = replace(posted, texts={**was, **posted.texts})
    return Needs(name, wanted, _inputs(desk, parts, row, filled, at, wanted, whole), notes)


def _changes(desk: Desk, object: ObjectDef, parts: visiting.Parts, form: Mapping[str, Any]) -> dict[str, str]:
    """The fields that a card's new place sets. Raises Invalid for one that this person may not write."""
    found = {key.removeprefix(SET): str(form[key]) for key in form if key.startswith(SET)}
    for name in found:
        field = object.fields.get(name)
        if field is None or name not in parts.editable or field.read_only or field.name in ("id", "revision"):
            label = label_in(field.labels, desk.call.language) if field is not None else name[:80]
            shown = label if name in parts.readable else name[:80]
            raise Invalid.of("pages.board.not_yours", field=shown)
    if not found:
        raise Invalid.of("pages.board.nothing")
    return found


def _sorted(
    desk: Desk,
    object: ObjectDef,
    faults: tuple[Fault, ...],
    fields: Mapping[str, FieldDef],
    changes: Mapping[str, str],
) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
    """The faults at fields that this person can fill in, and the words of all others."""
    at: dict[str, tuple[str, ...]] = {}
    notes: list[str] = []
    for fault in faults:
        field = object.find(fault.place.field) if fault.place.field else None
        said = say_fault(fault, desk.call.language)
        if field is not None and field.name in fields and field.name not in changes:
            at[field.name] = (*at.get(field.name, ()), said)
        else:
            notes.append(said)
    return at, tuple(dict.fromkeys(notes))


def _inputs(
    desk: Desk,
    parts: visiting.Parts,
    row: Mapping[str, Any],
    posted: edit_page.Posted,
    at: Mapping[str, tuple[str, ...]],
    wanted: tuple[str, ...],
    whole: Mapping[str, str],
) -> Markup:
    """The inputs of the dialog, filled with what the record has and what was typed."""
    call, object = desk.call, parts.object
    known = visiting.names_in(row, [object.fields[name] for name in wanted], call)
    posted = replace(posted, names={**known, **posted.names})
    given = {**whole, **posted.texts}
    made = visibility.typed(call, desk.reads, parts, visiting.fields_of(parts, creating=False), given, row)
    asked = replace(visibility.asked(call, parts, made, row), hidden=frozenset(), read_only=frozenset())
    entry = edit_page.entry_of(call, posted, row, at, asked)
    entry = replace(entry, offered=offered(object, given, row, asked.withheld))
    blocks: list[Any] = []
    for name in wanted:
        field = object.fields[name]
        allowed = parts.record_type.picklists.get(name) if parts.record_type is not None else None
        place = Place(LayoutField(name, required=True), True, allowed, True)
        blocks.extend(block(field, place, call.model, call.language))
    return Piece(blocks).render(entry)


def confirming(desk: Desk, warned: edit_page.Warned) -> Markup:
    """The warnings, and the box that lets them pass."""
    return Markup(render("warned.html", desk.look, {"warned": warned}))


def note_of(desk: Desk, error: TabwrightError) -> str:
    """The words of a refusal."""
    joined = text(desk.call.language)("preview.join")
    return joined.join(dict.fromkeys(say_fault(each, desk.call.language) for each in error.faults))
