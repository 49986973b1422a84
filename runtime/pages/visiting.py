"""What several pages share: layouts, paths to read, names, and the unrolled pieces of one person's view."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tabwright.metadata.model import FieldDef, LayoutDef, ObjectDef, RecordTypeDef
from tabwright.platform.errors import Invalid
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.inputs import Entry
from tabwright.runtime.forms.piece import Piece
from tabwright.runtime.forms.shown import Seen, name_path
from tabwright.runtime.forms.unroll import (
    form_fields,
    form_piece,
    highlights_piece,
    paths_of,
    view_piece,
)
from tabwright.runtime.pages.preview import NO_MARKS, Marks
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.records.conditions import NOTHING_ASKED, Asked, Conditions, conditions_of

NO_LINES: Mapping[str, str] = {}
STAMPS = ("id", "revision", "owner", "created_at", "created_by", "updated_at", "updated_by")


@dataclass(frozen=True, slots=True)
class Parts:
    """The unrolled parts of one object's pages for what one person may read and edit, in one language."""

    object: ObjectDef
    layout: LayoutDef
    record_type: RecordTypeDef | None
    readable: frozenset[str]
    editable: frozenset[str]
    marked: frozenset[str]  # fields that only a draft has
    edited: tuple[FieldDef, ...]  # those that this person's form of a record takes
    asked: tuple[FieldDef, ...]  # those that the form of a new one takes
    shown: tuple[FieldDef, ...]  # those that the record's page shows: of the layout and of the highlights
    conditions: Conditions  # of the fields, and of those of the layout
    has_conditions: bool  # whether what a form asks hangs on what it holds
    key: tuple[Any, ...]  # what a piece made of these depends on


def parts_for(
    call: Call, object: ObjectDef, record_type: RecordTypeDef | None, marks: Marks = NO_MARKS
) -> Parts:
    """Which layout shows the record, and what of it this person may read and edit. Kept for a release."""
    who = call.principal
    kept = (
        "parts", call.tenant.store.key, call.model.release, call.model.digest, object.uid,
        record_type.uid if record_type is not None else None, who.kind, who.permission_sets, who.token_scope,
        marks.get(object.name),
    )  # fmt: skip

    def make() -> Parts:
        layout = call.gate.layout(object, record_type)
        conditions = conditions_of(call.tenant, object, layout)
        editable = frozenset(field.name for field in call.gate.editable(object))
        key = (
            call.tenant.store.key, object.digest, layout.name, kept[5], call.gate.footprint(object),
            sha256(",".join(sorted(editable)).encode()).hexdigest(),
        )  # fmt: skip
        readable = frozenset(field.name for field in call.gate.readable(object))
        marked = marks.get(object.name, frozenset()) & readable
        return Parts(
            object,
            layout,
            record_type,
            readable,
            editable,
            marked,
            form_fields(object, layout, editable, creating=False),
            form_fields(object, layout, editable, creating=True),
            _shown(object, layout, readable),
            conditions,
            conditions.depends or any(lines.visible for lines in layout.lines),
            (*key, marked),
        )

    return call.tenant.pieces.get(kept, make, 4_000)


def _key(call: Call, what: str, parts: Parts) -> tuple[Any, ...]:
    return (what, *parts.key, call.language)


def sections(call: Call, parts: Parts, *, inplace: bool = False) -> Piece[Seen]:
    """The record page's sections, from the cache; ``inplace``: with the way to edit each value there."""
    return call.tenant.pieces.get(
        _key(call, "view inplace" if inplace else "view", parts),
        lambda: view_piece(
            parts.object,
            parts.layout,
            call.model,
            call.language,
            parts.readable,
            dict.fromkeys(parts.marked, text(call.language)("preview.field")),
            {each.name for each in fields_of(parts, creating=False) if each.active} if inplace else (),
        ),
        12_000,
    )


def highlights(call: Call, parts: Parts) -> Piece[Seen] | None:
    """The figures under the title, from the cache."""
    return call.tenant.pieces.get(
        _key(call, "highlights", parts),
        lambda: highlights_piece(parts.object, call.model, call.language, parts.readable),
        3_000,
    )


def form(call: Call, parts: Parts, *, creating: bool) -> Piece[Entry]:
    """The form's sections, from the cache."""
    return call.tenant.pieces.get(
        _key(call, "form new" if creating else "form", parts),
        lambda: form_piece(
            parts.object,
            parts.layout,
            call.model,
            call.language,
            parts.readable,
            parts.editable,
            creating=creating,
            record_type=parts.record_type,
        ),
        40_000,
    )


def fields_of(parts: Parts, *, creating: bool) -> tuple[FieldDef, ...]:
    """The fields that this person's form takes."""
    return parts.asked if creating else parts.edited


def shown_fields(parts: Parts) -> tuple[FieldDef, ...]:
    """Every readable field that the record's page shows: of the layout and of the highlights."""
    return parts.shown


def _shown(object: ObjectDef, layout: LayoutDef, readable: Collection[str]) -> tuple[FieldDef, ...]:
    names = [entry.field for section in layout.sections for entry in section.fields]
    found = dict.fromkeys(
        name for name in (*names, *object.highlights) if name in readable and name in object.fields
    )
    return tuple(object.fields[name] for name in found)


def record_paths(call: Call, parts: Parts, more: Iterable[FieldDef] = ()) -> tuple[str, ...]:
    """What to ask of the read path to show or edit one record."""
    stamps = tuple(parts.object.fields[name] for name in STAMPS if name in parts.readable)
    fields = (*stamps, *shown_fields(parts), *more)
    name = parts.object.name_field
    paths = [
        path for path in paths_of(fields, call.model) if "." not in path or _may(call, parts.object, path)
    ]
    if name not in paths and name in parts.readable:
        paths.insert(0, name)
    return tuple(paths)


def _may(call: Call, object: ObjectDef, path: str) -> bool:
    """Whether the name behind a reference may be asked for: its object may be closed to this person."""
    try:
        call.gate.resolve(object, path)
    except Invalid:
        return False
    return True


def type_of(call: Call, object: ObjectDef, uid: Any) -> RecordTypeDef | None:
    """The record type of that uid or name, or None."""
    return next((each for each in object.record_types.values() if uid in (each.uid, each.name)), None)


def name_of(call: Call, object: ObjectDef, row: Mapping[str, Any]) -> str:
    """What a record is called on its pages."""
    name = row.get(object.name_field)
    return str(name) if name not in (None, "") else text(call.language)("record.nameless")


def names_in(row: Mapping[str, Any], fields: Iterable[FieldDef], call: Call) -> dict[str, str]:
    """Field name -> name of what its lookup names, from a row that holds the name paths."""
    found: dict[str, str] = {}
    for field in fields:
        at = name_path(field, field.name, call.model) if field.is_reference else None
        if at is not None and row.get(at) is not None:
            found[field.name] = str(row[at])
    return found


def seen(
    call: Call,
    row: Mapping[str, Any],
    asked: Asked = NOTHING_ASKED,
    whole: Mapping[str, str | None] | None = None,
    lines: Mapping[str, str] = NO_LINES,
) -> Seen:
    """A row as the pieces take it."""
    return Seen(row, ZoneInfo(call.zone), asked.hidden, asked.read_only, whole, lines)


def as_uuid(value: str | UUID | None) -> UUID | None:
    """The id that a text holds, or None."""
    if isinstance(value, UUID) or value is None:
        return value
    try:
        return UUID(value)
    except ValueError:
        return None
