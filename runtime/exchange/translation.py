"""From the cells of a chunk to intents of the write path: values mapped, choices and lookups found, days
read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any
from uuid import UUID

from tabwright.metadata.choices import CHOICE_SEPARATOR
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.links import Link
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Writer
from tabwright.platform.errors import Fault, Place
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.dates import read_day, read_moment
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.exchange.matching import choices_of, find_by, matches
from tabwright.runtime.exchange.resolving import Chosen, Plan
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.coercion import Coercer
from tabwright.runtime.records.service import Records
from tabwright.runtime.records.values import Refused, converter

Cells = Sequence[str]


@dataclass(slots=True)
class Line:
    """A row of the file on its way. Exactly one of ``intent``, ``faults`` and ``waits`` says what becomes
    of it;

    ``waits`` are names of records of the same file that must go in first.
    """

    number: int
    cells: Cells
    texts: dict[str, str] = attribute(default_factory=dict)  # by field, values mapped
    ids: dict[str, UUID | None] = attribute(default_factory=dict)  # of lookups that were found
    values: dict[str, Any] = attribute(default_factory=dict)  # by field, as the write path takes them
    id: UUID | None = None  # of the record that the key names
    faults: list[Fault] = attribute(default_factory=list)
    waits: tuple[str, ...] = ()
    intent: Intent | None = None

    def refuse(self, code: str, at: str, **params: Any) -> None:
        self.faults.append(Fault(code, params, Place(field=at, row=self.number)))


Pending = Callable[[str, str], bool]
"""Whether a row of this file that has not gone in yet makes the record that a lookup's (field, text)
names.
"""


def nothing_pending(field: str, text: str) -> bool:
    return False


class Translator:
    """Translates chunks for one plan. ``made`` collects what lookups have made on the way: (object, text)."""

    def __init__(self, call: Call, plan: Plan) -> None:
        self._call = call
        self._plan = plan
        self._columns = plan.by_field
        self.made: list[tuple[str, str]] = []
        self.operations: list[UUID] = []  # of the journal, that made them
        self._choices = {
            each.field.name: choices_of(each.field)
            for each in plan.columns
            if each.field.picklist is not None
        }
        own = (each.field.name for each in plan.columns)
        self._parts = tuple(name for name in own if "." in name)
        self._key_converters = {each.field.name: converter(each.field, call.zone) for each in plan.key}

    def texts(self, cells: Cells) -> dict[str, str]:
        """The text for each field, values mapped; blank ones too."""
        found = {}
        for name, each in self._columns.items():
            text = cells[each.index] if each.index < len(cells) else ""
            found[name] = each.column.values.get(text, text).strip()
        for parent in self._plan.parents:  # named by its key
            names = (f"{parent.lookup.name}.{name}" for name in parent.plan.key_names)
            found[parent.lookup.name] = " / ".join(found[name] for name in names if found[name])
        return found

    def lines(
        self,
        writer: Writer,
        rows: Sequence[tuple[int, Cells]],
        pending: Pending,
        reference: Mapping[str, Any],
        rehearsal: bool,
        forget: bool = False,
        fill: Callable[[Writer, list[Line]], None] | None = None,
    ) -> list[Line]:
        """The rows as lines. Lookups that are to be made are made in the writer's transaction.

        ``fill`` makes the records that columns of the rows fill beside their own, and names them.

        ``forget`` leaves blank what a line would wait for: a ring of records that name each other.
        """
        lines = [Line(number, cells, self.texts(cells)) for number, cells in rows]
        for each in self._plan.columns:
            if each.field.is_reference:
                self._find_lookups(writer, each, lines, pending, reference, rehearsal, forget)
        for line in lines:
            self._values(line)
        if fill is not None:
            fill(writer, lines)
        self._find_keys(writer, lines)
        for line in lines:
            self._finish(line)
        return lines

    # ---- which record -----------------------------------------------------------------------------

    def _find_keys(self, writer: Writer, lines: list[Line]) -> None:
        if not self._plan.key:
            return
        fields = tuple(each.field for each in self._plan.key)
        keys: dict[int, tuple[Any, ...]] = {}
        for line in lines:
            parts = []
            for field in fields:
                if line.texts[field.name] and line.ids.get(field.name, line) is not None:
                    parts.append(self._key_part(line, field))
                elif not any(fault.place.field == field.name for fault in line.faults):
                    line.refuse("import.key_blank", field.name, field=field.name)
            if len(parts) == len(fields) and None not in parts:
                keys[line.number] = tuple(parts)
        found = find_by(self._call, writer, self._plan.object, fields, self._plan.key_ignores_case, keys)
        for line in lines:
            ids = found.get(line.number, ())
            if len(ids) > 1:
                line.refuse("import.ambiguous", fields[0].name, value=self.key_text(line), count=len(ids))
            elif ids:
                line.id = ids[0]
            elif self._plan.mode == "update" and (line.number in keys or not (line.waits or line.faults)):
                line.refuse("import.no_such_key", fields[0].name, value=self.key_text(line))

    def _key_part(self, line: Line, field: FieldDef) -> Any:
        """The typed value by which the line names its record; None for what is none."""
        if field.is_reference:
            return line.ids.get(field.name)
        try:
            return self._key_converters[field.name](line.values.get(field.name))
        except Refused:
            return None

    def key_text(self, line: Line) -> str:
        """The key of a line as its file says it."""
        return " / ".join(line.texts[name] for name in self._plan.key_names)[:80]

    # ---- lookups ----------------------------------------------------------------------------------

    def _find_lookups(
        self,
        writer: Writer,
        chosen: Chosen,
        lines: list[Line],
        pending: Pending,
        reference: Mapping[str, Any],
        rehearsal: bool,
        forget: bool,
    ) -> None:
        name = chosen.field.name
        wanted = {line.texts[name] for line in lines} - {""}
        found: dict[str, list[UUID]] = {}
        if chosen.field.kinds:
            found = self._linked(writer, chosen, wanted)
        else:
            for target, field in chosen.targets:
                for text, ids in matches(self._call, writer, target, field, wanted - found.keys()).items():
                    found[text] = ids
        alone = len(chosen.targets) == 1 or not chosen.field.kinds
        own = alone and chosen.targets and chosen.targets[0][0].uid == self._plan.object.uid
        waiting = {text for text in wanted - found.keys() if own and pending(name, text)}
        missing = wanted - found.keys() - waiting
        refused: Mapping[str, Sequence[Fault]] = {}
        making = missing if chosen.column.missing == "create" else missing & set(chosen.column.make)
        if making and not chosen.field.kinds:
            found, refused = self._make(writer, chosen, making, found, reference, rehearsal)
        for line in lines:
            text = line.texts[name]
            ids = found.get(text, [])
            if not text:
                continue
            if len(ids) > 1:
                line.refuse("import.ambiguous", name, value=text[:80], count=len(ids))
            elif ids:
                line.ids[name] = ids[0]
            elif text in waiting:
                if forget:
                    line.ids[name] = None
                else:
                    line.waits = (*line.waits, text)
            elif text in refused:
                line.refuse("import.not_made", name, value=text[:80], reason=refused[text][0].code)
            elif chosen.column.missing == "blank":
                line.ids[name] = None
            else:
                line.refuse("import.unknown_record", name, value=text[:80])

    def _linked(self, writer: Writer, chosen: Chosen, wanted: set[str]) -> dict[str, list[UUID]]:
        """The records that texts name among several kinds: ``account: Northwind`` says which (by the name or
        a label of the object), a text alone may be any. Behind the kind an id will do.
        """
        found: dict[str, list[UUID]] = {}
        for target, field in chosen.targets:
            meant: dict[str, list[str]] = {}
            names = {fold(name) for name in (target.name, *target.labels.values())}
            others = {
                fold(name)
                for other, _ in chosen.targets
                if other is not target
                for name in (other.name, *other.labels.values())
            }
            for text in wanted:
                kind, colon, rest = text.replace("：", ":", 1).partition(":")
                rest = rest.strip()
                if not colon or fold(kind) not in names | others:
                    meant.setdefault(text, []).append(text)
                elif fold(kind) in names and rest:
                    id = _id_in(rest)
                    if id is not None:
                        found[text] = [Link(target.uid, id)]
                    else:
                        meant.setdefault(rest, []).append(text)
            for named, ids in matches(self._call, writer, target, field, meant.keys()).items():
                for text in meant[named]:
                    found[text] = [*found.get(text, ()), *(Link(target.uid, id) for id in ids)]
        return found

    def _make(
        self,
        writer: Writer,
        chosen: Chosen,
        missing: set[str],
        found: dict[str, list[UUID]],
        reference: Mapping[str, Any],
        rehearsal: bool,
    ) -> tuple[dict[str, list[UUID]], dict[str, Sequence[Fault]]]:
        target, field = chosen.targets[0]
        self._call.gate.require(target, "create")
        texts = sorted(missing)
        intents = []
        for text in texts:
            values = {field.name: text}
            if field.name != target.name_field and target.fields[target.name_field].type == "text":
                values[target.name_field] = text
            intents.append(Intent("create", values=values))
        records = Records(self._call)
        outcome = records.apply_in(writer, target, intents, reference, per_row=True, rehearsal=rehearsal)
        if outcome.operation is not None:
            self.operations.append(outcome.operation)
        refused: dict[str, Sequence[Fault]] = {}
        for text, row in zip(texts, outcome.rows, strict=True):
            if row.outcome == "created" and row.id is not None:
                found[text] = [row.id]
                self.made.append((target.name, text))
            else:
                refused[text] = row.faults
        return found, refused

    # ---- values -----------------------------------------------------------------------------------

    def _values(self, line: Line) -> None:
        values = line.values
        for each in self._plan.columns:
            name = each.field.name
            text = line.texts[name]
            if name in line.ids:
                values[name] = line.ids[name]
            elif not text:
                if each.column.blank == "clear":
                    values[name] = None
            elif not each.field.is_reference:
                self._value(line, each, text, values)
        self._join_parts(values)

    def _join_parts(self, values: dict[str, Any]) -> None:
        """The columns of an address's parts are one value; parts that no column fills are blank."""
        joined: dict[str, dict[str, Any]] = {}
        for name in self._parts:
            if name in values:
                whole, _, part = name.partition(".")
                joined.setdefault(whole, {})[part] = values.pop(name)
        for whole, given in joined.items():
            values[whole] = given if any(given.values()) else None

    def _finish(self, line: Line) -> None:
        if line.waits and not line.faults:
            return
        # What names the record is not changed by naming it.
        named = {"id", *(self._plan.key_names if line.id is not None else ())}
        values = {name: value for name, value in line.values.items() if name not in named}
        if line.faults:
            self._more_faults(line, values)
        elif line.id is not None:
            line.intent = Intent("update", line.id, values)
        elif any(each.field.type in ("id", "auto_number") for each in self._plan.key):
            line.refuse("import.no_such_key", self._plan.key_names[0], value=self.key_text(line))
        else:
            line.intent = Intent("create", values=values)

    def _value(self, line: Line, chosen: Chosen, text: str, values: dict[str, Any]) -> None:
        field = chosen.field
        if field.picklist is not None and TYPES[field.type].many:
            values[field.name] = self._codes(line, field, text)
        elif field.picklist is not None:
            code = self._choices[field.name].get(fold(text))
            if code is None and field.picklist.restricted:
                line.refuse("import.unknown_choice", field.name, value=text[:80])
            else:
                values[field.name] = code or text
        elif field.type == "date":
            values[field.name] = read_day(text, chosen.column.dates)
        elif field.type == "datetime":
            values[field.name] = read_moment(text, chosen.column.dates)
        elif field.type == "record_type":
            values[field.name] = _record_type(self._plan.object, text)
        else:
            values[field.name] = text

    def _codes(self, line: Line, field: FieldDef, text: str) -> list[str]:
        """Several choices by code or label, with semicolons between them (of either width)."""
        assert field.picklist is not None
        known, found = self._choices[field.name], []
        for part in text.replace("；", CHOICE_SEPARATOR).split(CHOICE_SEPARATOR):
            code = known.get(fold(part.strip()))
            if code is None and part.strip() and field.picklist.restricted:
                line.refuse("import.unknown_choice", field.name, value=part.strip()[:80])
            elif part.strip():
                found.append(code or part.strip())
        return found

    def _more_faults(self, line: Line, values: Mapping[str, Any]) -> None:
        """What else is wrong with a row that will not go in, so that a person sees all of it at once."""
        gate, object = self._call.gate, self._plan.object
        coerce = Coercer(object, gate.settable(object), gate.readable(object), self._call.zone)
        coerce(values, self._call.language, Place(row=line.number), line.faults)
        wrong = {fault.place.field for fault in line.faults}
        for field in (each.field for each in self._plan.columns):
            asked = field.name in values if line.id is not None else not _fills_itself(field)
            if field.required and asked and values.get(field.name) is None and field.name not in wrong:
                line.refuse("value.required", field.name, field=field.name)


def _fills_itself(field: FieldDef) -> bool:
    """Whether a new record gets a value there that the file does not give."""
    return field.system or field.type == "boolean" or field.default is not None or bool(field.default_code)


def _id_in(text: str) -> UUID | None:
    if len(text) not in (32, 36):
        return None
    try:
        return UUID(text)
    except ValueError:
        return None


def _record_type(object: ObjectDef, text: str) -> str:
    for each in object.record_types.values():
        if fold(text) in (fold(each.name), *(fold(label) for label in each.labels.values())):
            return each.name
    return text
