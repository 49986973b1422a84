"""From the cells of a chunk to intents of the write path: values mapped, choices and lookups found, days
read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from typing import Any
from uuid import UUID

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Writer
from tabwright.platform.errors import Fault, Place
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.dates import read_day, read_moment
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.exchange.matching import choices_of, matches
from tabwright.runtime.exchange.settings import Chosen, Plan
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.coercion import Coercer
from tabwright.runtime.records.service import Records

Cells = Sequence[str]
_MONEY = re.compile(r"^([-+]?)\s*(?:[$€£¥￥]|[A-Z]{3}\s)\s*([-+]?)")


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
        self.made: list[tuple[str, str]] = []
        self.operations: list[UUID] = []  # of the journal, that made them
        self._choices = {
            each.field.name: choices_of(each.field)
            for each in plan.columns
            if each.field.picklist is not None
        }

    def texts(self, cells: Cells) -> dict[str, str]:
        """The text for each field, values mapped; blank ones too."""
        found = {}
        for each in self._plan.columns:
            text = cells[each.index] if each.index < len(cells) else ""
            found[each.field.name] = each.column.values.get(text, text).strip()
        return found

    def lines(
        self,
        writer: Writer,
        rows: Sequence[tuple[int, Cells]],
        pending: Pending,
        reference: Mapping[str, Any],
        rehearsal: bool,
        forget: bool = False,
    ) -> list[Line]:
        """The rows as lines. Lookups that are to be made are made in the writer's transaction.

        ``forget`` leaves blank what a line would wait for: a ring of records that name each other.
        """
        lines = [Line(number, cells, self.texts(cells)) for number, cells in rows]
        self._find_keys(writer, lines)
        for each in self._plan.columns:
            if each.field.is_reference:
                self._find_lookups(writer, each, lines, pending, reference, rehearsal, forget)
        for line in lines:
            self._finish(line)
        return lines

    # ---- which record -----------------------------------------------------------------------------

    def _find_keys(self, writer: Writer, lines: list[Line]) -> None:
        key = self._plan.key
        if key is None:
            return
        name = key.field.name
        found = matches(
            self._call, writer, self._plan.object, key.field, {line.texts[name] for line in lines} - {""}
        )
        for line in lines:
            text = line.texts[name]
            ids = found.get(text, ())
            if not text:
                line.refuse("import.key_blank", name, field=name)
            elif len(ids) > 1:
                line.refuse("import.ambiguous", name, value=text[:80], count=len(ids))
            elif ids:
                line.id = ids[0]
            elif self._plan.mode == "update":
                line.refuse("import.no_such_key", name, value=text[:80])

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
        for target, field in chosen.targets:
            for text, ids in matches(self._call, writer, target, field, wanted - found.keys()).items():
                found[text] = ids
        own = chosen.targets and chosen.targets[0][0].uid == self._plan.object.uid
        waiting = {text for text in wanted - found.keys() if own and pending(name, text)}
        missing = wanted - found.keys() - waiting
        refused: Mapping[str, Sequence[Fault]] = {}
        if missing and chosen.column.missing == "create":
            found, refused = self._make(writer, chosen, missing, found, reference, rehearsal)
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

    def _finish(self, line: Line) -> None:
        if line.waits and not line.faults:
            return
        values: dict[str, Any] = {}
        for each in self._plan.columns:
            name = each.field.name
            if name == "id" or (each is self._plan.key and line.id is not None):
                continue  # what names the record is not changed by naming it
            text = line.texts[name]
            if name in line.ids:
                values[name] = line.ids[name]
            elif not text:
                if each.column.blank == "clear":
                    values[name] = None
            elif not each.field.is_reference:
                self._value(line, each, text, values)
        if line.faults:
            self._more_faults(line, values)
        elif line.id is not None:
            line.intent = Intent("update", line.id, values)
        elif self._plan.key is not None and self._plan.key.field.type in ("id", "auto_number"):
            line.refuse(
                "import.no_such_key",
                self._plan.key.field.name,
                value=line.texts[self._plan.key.field.name][:80],
            )
        else:
            line.intent = Intent("create", values=values)

    def _value(self, line: Line, chosen: Chosen, text: str, values: dict[str, Any]) -> None:
        field = chosen.field
        if field.type == "picklist" and field.picklist is not None:
            code = self._choices[field.name].get(fold(text))
            if code is None and field.picklist.restricted:
                line.refuse("import.unknown_choice", field.name, value=text[:80])
            else:
                values[field.name] = code or text
        elif field.type == "date":
            values[field.name] = read_day(text, chosen.column.dates)
        elif field.type == "datetime":
            values[field.name] = read_moment(text, chosen.column.dates)
        elif field.type == "currency":
            values[field.name] = _MONEY.sub(r"\1\2", text)
        elif field.type == "record_type":
            values[field.name] = _record_type(self._plan.object, text)
        else:
            values[field.name] = text

    def _more_faults(self, line: Line, values: Mapping[str, Any]) -> None:
        """What else is wrong with a row that will not go in, so that a person sees all of it at once."""
        gate, object = self._call.gate, self._plan.object
        coerce = Coercer(object, gate.editable(object), gate.readable(object), self._call.zone)
        coerce(values, self._call.language, Place(row=line.number), line.faults)


def _record_type(object: ObjectDef, text: str) -> str:
    for each in object.record_types.values():
        if fold(text) in (fold(each.name), *(fold(label) for label in each.labels.values())):
            return each.name
    return text
