"""What a layout's table of lines is for one person: columns, inputs, rights. Made once and kept."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, LayoutField, LinesDef, ObjectDef, label_in
from tabwright.platform.errors import Invalid
from tabwright.platform.language import register_messages
from tabwright.runtime.desk import Call
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.controls import control
from tabwright.runtime.forms.entry import Control, Place
from tabwright.runtime.forms.shown import Show, is_right, name_path, shower
from tabwright.runtime.forms.unroll import asks
from tabwright.runtime.pages import visiting
from tabwright.runtime.records.prefill import known_defaults

register_messages(Path(__file__).with_name("messages.json"))

PREFIX = "lines."  # of the names of inputs: lines.<object>.<field>.<row>.<input>
_key = re.compile(r"[a-z0-9]{1,40}")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``control`` is None where this person only reads it."""

    field: FieldDef
    entry: LayoutField
    label: str
    is_number: bool
    required: bool
    control: Control | None
    show: Show

    @property
    def name(self) -> str:
        return self.field.name


@dataclass(frozen=True, slots=True)
class LinesPlan:
    """One table of lines for one person."""

    lines: LinesDef
    object: ObjectDef
    link: FieldDef
    heading: str
    columns: tuple[Column, ...]
    position: FieldDef | None
    paths: tuple[str, ...]  # to ask of the read path
    may_add: bool
    may_edit: bool
    may_delete: bool

    @property
    def relation(self) -> str:
        return self.lines.relation

    @property
    def prefix(self) -> str:
        return f"{PREFIX}{self.relation}."

    @property
    def may_move(self) -> bool:
        return self.position is not None and self.may_edit

    def asked(self, *, creating: bool) -> tuple[FieldDef, ...]:
        """The fields that a line takes input for."""
        return tuple(
            column.field
            for column in self.columns
            if column.control is not None and (creating or not column.field.read_only_after_create)
        )

    def column(self, name: str) -> Column | None:
        return next((each for each in self.columns if each.name == name), None)

    @property
    def totalled(self) -> tuple[Column, ...]:
        return tuple(each for each in self.columns if each.name in self.lines.totals)


def plans(call: Call, parts: visiting.Parts) -> tuple[LinesPlan, ...]:
    """The tables of a layout that this person may see, from top to bottom."""
    if not parts.layout.lines:
        return ()
    who = call.principal
    key = (
        "lines", call.tenant.store.key, call.model.release, call.model.digest, parts.object.uid,
        parts.layout.name, who.kind, who.permission_sets, who.token_scope, call.language,
    )  # fmt: skip
    return call.tenant.pieces.get(key, lambda: tuple(_plans(call, parts)), 8_000)


def _plans(call: Call, parts: visiting.Parts) -> Iterator[LinesPlan]:
    for section in parts.layout.sections:
        if section.lines is not None:
            labels = section.labels or None
            made = _plan(call, section.lines, labels)
            if made is not None:
                yield made


def _plan(call: Call, lines: LinesDef, labels: Mapping[str, str] | None) -> LinesPlan | None:
    gate, object = call.gate, call.model.objects.get(lines.object)
    if object is None or not gate.may(object, "read") or gate.find(object, lines.field) is None:
        return None
    link = object.fields[lines.field]
    may_add = gate.may(object, "create") and gate.can_edit(link)
    may_edit = gate.may(object, "edit")
    editable = frozenset(field.name for field in gate.editable(object))
    columns = []
    for entry in lines.columns:
        field = object.fields.get(entry.field)
        if field is None or not gate.can_read(field):
            continue
        may = (may_add or may_edit) and field.active and asks(field, entry, editable, True)
        required = field.required or entry.required
        place = Place(entry, may, None, required, 1)
        columns.append(
            Column(
                field,
                entry,
                label_in(field.labels, call.language),
                is_right(field),
                required,
                control(field, place, call.model, call.language) if may else None,
                shower(field, field.name, call.model, call.language, short=True),
            )
        )
    if not columns:
        return None
    at = object.fields.get(lines.position) if lines.position is not None else None
    position = at if at is not None and gate.can_read(at) and gate.can_edit(at) else None
    heading = label_in(labels or object.plural, call.language)
    paths = _paths(call, object, columns, at if at is not None and gate.can_read(at) else None)
    may_delete = gate.may(object, "delete")
    return LinesPlan(
        lines, object, link, heading, tuple(columns), position, paths, may_add, may_edit, may_delete
    )


def _paths(call: Call, object: ObjectDef, columns: list[Column], at: FieldDef | None) -> tuple[str, ...]:
    paths: dict[str, None] = {}
    wanted = ["id", "revision", "owner", *(each.name for each in columns)]
    wanted += [at.name] if at is not None else []
    for name in wanted:
        if call.gate.find(object, name) is not None:
            paths[name] = None
    for column in columns:
        behind = name_path(column.field, column.name, call.model)
        if behind is not None:
            try:
                paths[call.gate.resolve(object, behind).text] = None
            except Invalid:
                continue
    return tuple(paths)


def is_row_key(text: str) -> bool:
    """Whether a text may name a row of a form."""
    return _key.fullmatch(text) is not None


def fresh_texts(call: Call, plan: LinesPlan) -> dict[str, str]:
    """What the inputs of a new line hold: the defaults that are known."""
    fields = plan.asked(creating=True)
    made = {field.name: "false" if field.type == "boolean" else "" for field in fields}
    known: dict[str, Any] = known_defaults(call, plan.object, None)
    given = [field for field in fields if field.name in known]
    return made | texts.to_texts(given, known, ZoneInfo(call.zone))


def is_wide(field: FieldDef) -> bool:
    """Whether a column of the field takes the room that is left."""
    return TYPES[field.type].wide or field.is_reference or field.type == "text"
