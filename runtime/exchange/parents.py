"""Several objects in one file: the records that lookups name and that columns of the same rows fill.

The first row that goes in with a parent speaks for it: it makes or changes the record. Others name it; where
they say otherwise a note tells. No row goes in half: ``Round.unsettled`` names the rows with which a chunk is
passed again without them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from tabwright.metadata.model import label_in
from tabwright.platform.database import Writer
from tabwright.platform.errors import Fault, Param, Place
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.keys import Keys, number_of
from tabwright.runtime.exchange.resolving import ParentPlan, Plan
from tabwright.runtime.exchange.translation import Line, Translator, nothing_pending
from tabwright.runtime.records.batch import RowResult
from tabwright.runtime.records.service import Records

Said = tuple[int, tuple[int, ...]]  # the row that spoke for a parent, and what it said, column by column
OUTCOMES = ("created", "updated", "unchanged")


class Round:
    """The parents of one pass of a chunk. ``spoken`` are those of the rows that went in before, by number."""

    def __init__(
        self,
        call: Call,
        plan: Plan,
        keys: Keys,
        spoken: Mapping[int, Said],
        reference: Mapping[str, Any],
        rehearsal: bool,
    ) -> None:
        self._call = call
        self._plan = plan
        self._keys = keys
        self._before = spoken
        self._reference = reference
        self._rehearsal = rehearsal
        self.operations: list[UUID] = []  # of the journal
        self.made: list[tuple[str, str]] = []  # by lookups of the parents' own
        self.counts: dict[str, Counter[str]] = {each.plan.object.name: Counter() for each in plan.parents}
        self.spoken: dict[int, Said] = {}
        self.notes: dict[int, list[Fault]] = {}  # of rows that say otherwise, by row
        self._speakers: set[int] = set()  # rows whose parent was written, or refused
        self._misled: set[int] = set()  # rows refused for what another row said of their parent

    def fill(self, writer: Writer, lines: Iterable[Line]) -> None:
        """Make or change the parents of the rows that are good so far, and give the rows their ids."""
        good = [line for line in lines if not line.faults and not line.waits]
        for parent in self._plan.parents:
            self._fill(writer, parent, good)

    def unsettled(self, failed: Iterable[int], patient: bool) -> set[int]:
        """The failed rows without which the chunk must pass again; none when it may stay as it is.

        ``patient``: rows that were refused only for what another row said may speak for themselves.
        """
        failing = set(failed)
        misled = self._misled & failing if patient else set()
        return failing - misled if misled or self._speakers & failing else set()

    def _fill(self, writer: Writer, parent: ParentPlan, lines: Iterable[Line]) -> None:
        groups: dict[int, list[Line]] = {}
        for line in lines:
            if line.faults or not any(self._texts(parent, line)):
                continue
            number = self._keys.filled(parent.lookup.name, line.texts)
            if number is None:
                line.refuse("import.parent_key_blank", parent.lookup.name, object=self._label(parent))
            else:
                groups.setdefault(number, []).append(line)
        translator = Translator(self._call, parent.plan)
        speaking = [(group[0].number, group[0].cells) for group in groups.values()]
        said = translator.lines(writer, speaking, nothing_pending, self._reference, self._rehearsal)
        results = self._write(writer, parent, dict(zip(groups, said, strict=True)))
        self.operations = [*translator.operations, *self.operations]
        self.made += translator.made
        for (number, group), own in zip(groups.items(), said, strict=True):
            result = results.get(number)
            faults = own.faults or (list(result.faults) if result is not None else [])
            id = result.id if result is not None else own.id
            if faults or id is None:
                self._refuse(parent, translator, group, own, faults)
            else:
                self._name(parent, translator, number, group, id, result)

    def _write(self, writer: Writer, parent: ParentPlan, said: Mapping[int, Line]) -> dict[int, RowResult]:
        sent = {}
        for number, own in said.items():
            before = self._before.get(number) or self.spoken.get(number)
            silent = parent.existing == "keep" or (before is not None and before[0] != own.number)
            if own.intent is not None and not (own.id is not None and silent):
                sent[number] = own.intent
        outcome = Records(self._call).apply_in(
            writer,
            parent.plan.object,
            list(sent.values()),
            self._reference,
            per_row=True,
            rehearsal=self._rehearsal,
        )
        if outcome.operation is not None:
            self.operations.append(outcome.operation)
        return dict(zip(sent, outcome.rows, strict=True))

    def _name(
        self,
        parent: ParentPlan,
        translator: Translator,
        number: int,
        group: Sequence[Line],
        id: UUID,
        result: RowResult | None,
    ) -> None:
        speaker = group[0]
        if result is not None:
            if result.outcome != "unchanged":
                self._speakers.add(speaker.number)
            self.spoken[number] = (speaker.number, self._hashes(parent, speaker))
            self.counts[parent.plan.object.name][result.outcome] += 1
        said = self.spoken.get(number) or self._before.get(number)
        for line in group:
            line.ids[parent.lookup.name] = line.values[parent.lookup.name] = id
            if said is not None and line.number != said[0] and self._differs(parent, line, said):
                value = translator.key_text(Line(line.number, line.cells, translator.texts(line.cells)))
                params: dict[str, Param] = {"object": self._label(parent), "value": value, "other": said[0]}
                place = Place(field=parent.lookup.name, row=line.number)
                self.notes.setdefault(line.number, []).append(Fault("import.parent_otherwise", params, place))

    def _refuse(
        self,
        parent: ParentPlan,
        translator: Translator,
        group: Sequence[Line],
        own: Line,
        faults: Sequence[Fault],
    ) -> None:
        """A refused parent refuses its rows, with its reasons."""
        name = parent.lookup.name
        hashes = self._hashes(parent, group[0])
        self._speakers.add(group[0].number)
        for line in group:
            if self._hashes(parent, line) != hashes:
                self._misled.add(line.number)
            line.refuse(
                "import.parent_refused", name, object=self._label(parent), value=translator.key_text(own)
            )
            for fault in faults:
                at = f"{name}.{fault.place.field}" if fault.place.field else name
                line.faults.append(Fault(fault.code, fault.params, Place(field=at, row=line.number)))

    def _texts(self, parent: ParentPlan, line: Line) -> list[str]:
        return [line.texts[f"{parent.lookup.name}.{each.field.name}"] for each in parent.plan.columns]

    def _hashes(self, parent: ParentPlan, line: Line) -> tuple[int, ...]:
        return tuple(number_of(text) if text else 0 for text in self._texts(parent, line))

    def _differs(self, parent: ParentPlan, line: Line, said: Said) -> bool:
        """Whether the row says something that the speaker did not; a blank cell says nothing."""
        mine = self._hashes(parent, line)
        return any(one and one != other for one, other in zip(mine, said[1], strict=True))

    def _label(self, parent: ParentPlan) -> str:
        return label_in(parent.plan.object.labels, self._call.language)


def spoken_by(plan: Plan, keys: Keys, texts: Mapping[str, str], row: int, spoken: dict[int, Said]) -> None:
    """Remember a row that went in earlier as the one that spoke for its parents, if none did before it."""
    for parent in plan.parents:
        number = keys.filled(parent.lookup.name, texts)
        if number is not None and number not in spoken:
            names = (f"{parent.lookup.name}.{each.field.name}" for each in parent.plan.columns)
            spoken[number] = (row, tuple(number_of(texts[name]) if texts[name] else 0 for name in names))
