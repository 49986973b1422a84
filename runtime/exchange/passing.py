"""Rows of a file on their way through the write path, as many as one transaction takes.

Rows are translated, what they fill beside their own goes in first, and no row goes in by half. A rehearsal
is the same inside a savepoint that is taken back, after the earlier rows on which these depend were put in
again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import Any
from uuid import UUID

from tabwright.platform.database import Writer
from tabwright.platform.errors import Fault
from tabwright.platform.tables import ids_value
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange.carrying import Carried
from tabwright.runtime.exchange.keys import Keys
from tabwright.runtime.exchange.matching import matches
from tabwright.runtime.exchange.parents import Round, Said
from tabwright.runtime.exchange.resolving import Plan
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.translation import Line, Pending, Translator, nothing_pending
from tabwright.runtime.records.batch import Intent, Outcome, RowResult
from tabwright.runtime.records.pipeline import plan_of
from tabwright.runtime.records.rules import EVERY
from tabwright.runtime.records.service import Records

SAME = "unique.in_batch"  # the fault of a row whose value an earlier row of the batch has
_PATIENT = 4  # turns in which a row may speak for a parent that another row's words failed to make

Rows = Sequence[tuple[int, Sequence[str]]]


class _TakenBack(Exception):
    """Leaves a savepoint whose rows are not to stay."""


@dataclass(slots=True)
class Passed:
    """What became of the rows of one chunk."""

    lines: list[Line]
    results: dict[int, RowResult] = attribute(default_factory=dict)
    notes: list[Line] = attribute(default_factory=list)
    old: dict[UUID, Mapping[str, Any]] = attribute(default_factory=dict)
    made: list[tuple[str, str]] = attribute(default_factory=list)
    operations: list[UUID] = attribute(default_factory=list)
    parents: Round | None = None

    def failed(self, line: Line) -> bool:
        result = self.results.get(line.number)
        return bool(line.faults) or (result is not None and result.outcome == "failed")

    def outcome(self, line: Line) -> str | None:
        """created, updated or unchanged; None for a line that did not go in."""
        result = self.results.get(line.number)
        return result.outcome if result is not None and result.outcome != "failed" else None

    def warnings(self, line: Line) -> tuple[Fault, ...]:
        """What a rule warned of in a line that went in."""
        result = self.results.get(line.number)
        return result.warnings if result is not None else ()

    def reasons(self, line: Line) -> list[Fault]:
        """Why a line did not go in."""
        result = self.results.get(line.number)
        return line.faults or (list(result.faults) if result is not None else [])


@dataclass(slots=True)
class Others:
    """What a row must know of the other rows of its file: how many still to come make a name, which row has
    a key first that several have, which row spoke for a parent.
    """

    to_come: Counter[int] = attribute(default_factory=Counter)
    first: dict[int, int] = attribute(default_factory=dict)
    spoken: dict[int, Said] = attribute(default_factory=dict)


def warned_as_chosen(call: Call, run: Run) -> Call:
    """The call as the person chose for this file: warnings stop a row, or pass."""
    return call.confirming((EVERY,)) if run.settings.warnings == "pass" else call


class Passing:
    """Passes chunks of one import. ``carried``: of a check, the rows that later ones may depend on."""

    def __init__(
        self,
        keys: Keys,
        others: Others,
        reference: Mapping[str, Any],
        rehearsal: bool,
        carried: Carried | None = None,
        pending: Pending | None = None,
    ) -> None:
        self._keys = keys
        self._others = others
        self._reference = reference
        self._rehearsal = rehearsal
        self._carried = carried
        self._pending = pending or self._to_come

    def passed(self, writer: Writer, call: Call, plan: Plan, rows: Rows, forget: bool = False) -> Passed:
        """The rows through the write path; of a rehearsal nothing stays.

        ``forget`` makes rings of records that name each other: first without their lookups.
        """
        if not self._rehearsal:
            return self._pass(writer, call, plan, rows, forget)
        try:
            with writer.savepoint():
                self._put_in_before(writer, call, plan, rows)
                done = self._pass(writer, call, plan, rows, forget)
                raise _TakenBack
        except _TakenBack:
            return done

    def _put_in_before(self, writer: Writer, call: Call, plan: Plan, rows: Rows) -> None:
        if self._carried is None:
            return
        for group in self._carried.prelude(self._keys.texts(cells) for _, cells in rows):
            translator = Translator(call, plan)
            filling = self._round(call, plan)
            lines = translator.lines(
                writer,
                group,
                nothing_pending,
                self._reference,
                True,
                fill=filling.fill if filling is not None else None,
            )
            self._write(writer, call, plan, lines)

    def _round(self, call: Call, plan: Plan) -> Round | None:
        if not plan.parents:
            return None
        return Round(call, plan, self._keys, self._others.spoken, self._reference, self._rehearsal)

    def _pass(self, writer: Writer, call: Call, plan: Plan, rows: Rows, forget: bool) -> Passed:
        """The chunk through the write path, again and again without the rows that would go in by half: whose
        parent was written, but not they.
        """
        refused: dict[int, Line] = {}
        turn = 0
        while True:
            left = [row for row in rows if row[0] not in refused]
            try:
                with writer.savepoint():
                    done = self._pass_once(writer, call, plan, left, forget)
                    failed = {line.number: line for line in done.lines if done.failed(line)}
                    turn += 1
                    again = done.parents.unsettled(failed, turn < _PATIENT) if done.parents else set()
                    if again:
                        raise _TakenBack
            except _TakenBack:
                for number in again:
                    line = failed[number]
                    result = done.results.get(number)
                    line.faults = line.faults or list(result.faults if result is not None else ())
                    refused[number] = line
                continue
            for number, notes in (done.parents.notes if done.parents else {}).items():
                line = next(each for each in done.lines if each.number == number)
                if not done.failed(line):
                    line.faults.extend(notes)
                    done.notes.append(line)
            done.lines = sorted([*done.lines, *refused.values()], key=lambda line: line.number)
            return done

    def _pass_once(self, writer: Writer, call: Call, plan: Plan, rows: Rows, forget: bool) -> Passed:
        translator = Translator(call, plan)
        filling = self._round(call, plan)
        fill = filling.fill if filling is not None else None
        lines = translator.lines(writer, rows, self._pending, self._reference, self._rehearsal, forget, fill)
        done = Passed(lines, made=translator.made, operations=translator.operations, parents=filling)
        if filling is not None:
            done.made = [*done.made, *filling.made]
            done.operations = [*done.operations, *filling.operations]
        for line in lines:
            self._refuse_second(plan, translator, line)
        if self._carried is not None and self._keys.needs_old:
            done.old = _old_values(writer, call, plan, lines)
        outcome = self._write(writer, call, plan, lines)
        sent = [line for line in lines if line.intent is not None]
        done.results = {
            line.number: _in_the_file(row, sent) for line, row in zip(sent, outcome.rows, strict=True)
        }
        if outcome.operation is not None:
            done.operations.append(outcome.operation)
            if forget:
                self._fill(writer, call, plan, done, outcome.operation)
        return done

    def _write(self, writer: Writer, call: Call, plan: Plan, lines: Iterable[Line]) -> Outcome:
        intents = [line.intent for line in lines if line.intent is not None]
        records = Records(call)
        return records.apply_in(
            writer, plan.object, intents, self._reference, per_row=True, rehearsal=self._rehearsal
        )

    def _to_come(self, field: str, text: str) -> bool:
        key = self._keys.named(field, text)
        return key is not None and self._others.to_come[key] > 0

    def _refuse_second(self, plan: Plan, translator: Translator, line: Line) -> None:
        named = self._keys.named_by(line.texts)
        first = self._others.first.get(named) if named is not None else None
        if first is not None and first != line.number:
            value = translator.key_text(line)
            line.refuse("import.key_twice", plan.key_names[0], other=first, value=value)
            line.intent = None
            line.waits = ()

    def _fill(self, writer: Writer, call: Call, plan: Plan, done: Passed, operation: UUID) -> None:
        """Records that name each other in a ring went in without their lookups; now all of them are there."""
        good = [
            (line, done.results[line.number])
            for line in done.lines
            if line.number in done.results and done.results[line.number].outcome != "failed"
        ]
        values: dict[int, dict[str, Any]] = {}
        for each in plan.columns:
            if not each.targets or each.targets[0][0].uid != plan.object.uid:
                continue
            name = each.field.name
            asked = [
                line for line, _ in good if name in line.ids and line.ids[name] is None and line.texts[name]
            ]
            found = matches(call, writer, *each.targets[0], {line.texts[name] for line in asked})
            for line in asked:
                ids = found.get(line.texts[name], [])
                if len(ids) == 1:
                    values.setdefault(line.number, {})[name] = ids[0]
                elif each.column.missing != "blank":
                    code = "import.ambiguous" if ids else "import.unknown_record"
                    line.refuse(code, name, value=line.texts[name][:80], count=len(ids))
        chosen = [(line, row) for line, row in good if line.number in values]
        intents = [Intent("update", row.id, values[line.number]) for line, row in chosen]
        reference = {**self._reference, "operation": operation.hex}
        records = Records(call)
        outcome = records.apply_in(
            writer, plan.object, intents, reference, per_row=True, rehearsal=self._rehearsal
        )
        for (line, _), row in zip(chosen, outcome.rows, strict=True):
            line.faults.extend(row.faults)
        done.notes = [line for line, _ in good if line.faults]


def _old_values(
    writer: Writer, call: Call, plan: Plan, lines: Iterable[Line]
) -> dict[UUID, Mapping[str, Any]]:
    ids = sorted({line.id for line in lines if line.id is not None and line.intent is not None})
    if not ids:
        return {}
    compiled = plan_of(call, plan.object)
    rows = writer.rows(compiled.load_statement(False), {"ids": ids_value(writer.store.dialect, ids)})
    return {old["id"]: old for old in map(compiled.typed, rows)}


def _in_the_file(row: RowResult, sent: Sequence[Line]) -> RowResult:
    """A row whose faults name another by its number in the file; the write path counts the rows it got."""
    if not any(each.code == SAME for each in row.faults):
        return row
    faults = tuple(
        replace(each, params={**each.params, "other": sent[int(str(each.params["other"])) - 1].number})
        if each.code == SAME
        else each
        for each in row.faults
    )
    return replace(row, faults=faults)
