"""The job of an import: a check or a run, chunk by chunk, resumable from what it committed.

A chunk is one transaction: the records, the journal, the rows that were refused, the next row, the job's
progress. A check does the same and takes the records back before the chunk commits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Writer
from tabwright.platform.errors import Fault, NotFound
from tabwright.platform.jobs import JOB, JobRun, Jobs
from tabwright.platform.language import Language
from tabwright.platform.tables import ids_value
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call, Tenancy
from tabwright.runtime.exchange import files, runs, sources
from tabwright.runtime.exchange.carrying import Carried, Shelf
from tabwright.runtime.exchange.keys import Keys
from tabwright.runtime.exchange.matching import matches, names_of, suggestions
from tabwright.runtime.exchange.ordering import Waiting, in_levels
from tabwright.runtime.exchange.parents import OUTCOMES, Round, Said, spoken_by
from tabwright.runtime.exchange.resolving import Plan, resolve
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.tables import LATER, OPERATION, PROBLEM
from tabwright.runtime.exchange.translation import Line, Translator, nothing_pending
from tabwright.runtime.records.batch import Intent, Outcome, RowResult
from tabwright.runtime.records.pipeline import MOST_ROWS, plan_of
from tabwright.runtime.records.service import Records

KIND = "import"
CHUNK = 1000
MOST_ISSUES = 2000
_PATIENT = 4  # turns in which a row may speak for a parent that another row's words failed to make

Rows = Sequence[tuple[int, Sequence[str]]]


def acting(
    tenancy: Tenancy, clock: Clock, ids: Ids, job: JobRun, writer: Writer, run: Run, cause: str
) -> Call:
    """The call of the person who started an import, with the rights of this moment, never more than then."""
    tenant = tenancy.open(job.location)
    model = tenant.at_release(writer)
    assert run.created_by is not None
    person = principals.load(tenant, writer, model, run.created_by, clock.now(), run.scope)
    language: Language = "en" if run.language == "en" else "zh"
    request = f"import-{run.id.hex}"
    return Call(tenant, person, model, Gate(model, person), clock, ids, language, run.zone, request, cause)


def object_of(call: Call, run: Run) -> ObjectDef:
    """The object of an import, whatever it is called by now. Raises NotFound."""
    for each in call.model.objects.values():
        if each.uid == run.object_uid:
            return call.gate.object(each.name)
    raise NotFound.of("object.unknown", object=run.object_uid)


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock, ids: Ids) -> None:
    """Make checks and runs known to the workers."""

    def work(job: JobRun) -> Any:
        return Working(tenancy, clock, ids, job).go()

    jobs.register(KIND, work)


def got_on(writer: Writer, job: JobRun) -> None:
    """A try that got on is none of those that park a job: an import may be cut off as often as it takes."""
    writer.execute(sa.update(JOB).where(JOB.c.id == job.id).values(tries=1))


class _TakenBack(Exception):
    """Leaves the savepoint of a rehearsed chunk."""


class _Still:
    """A clock that stands: all operations of a chunk have one time, so undo sees them as one family."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


@dataclass(slots=True)
class _Done:
    """What became of a chunk."""

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


class Working:
    """One try at a check or a run."""

    def __init__(self, tenancy: Tenancy, clock: Clock, ids: Ids, job: JobRun) -> None:
        self._tenancy = tenancy
        self._clock = clock
        self._ids = ids
        self._job = job
        self._id = UUID(job.payload["import"])
        self._dry = job.payload["what"] == "check"
        self._phase = "check" if self._dry else "run"
        self._issues: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._made: set[tuple[str, str]] = set()
        self._later: dict[int, Sequence[str]] = {}  # of a dry run
        self._reference = {"import": self._id.hex}
        self._carried: Carried | None = None
        self._spoken: dict[int, Said] = {}  # which row spoke for a parent

    def go(self) -> Any:
        """Do the whole of it; what it counted."""
        began = self._clock.now()
        with self._job.step() as writer:
            self._run = run = runs.load(writer, self._id)
            call = self._acting(writer)
            plan = self._plan(call)
            if self._dry:
                writer.execute(
                    sa.delete(PROBLEM).where(PROBLEM.c.import_id == self._id, PROBLEM.c.phase == "check")
                )
        self._counts: dict[str, Any] = dict(runs.NO_COUNTS if self._dry else {**runs.NO_COUNTS, **run.counts})
        self._taken = 0 if self._dry else run.taken_row
        self._keys = Keys(plan, run.zone, Translator(call, plan).texts)
        self._total = run.row_count or 0
        self._finished = sum(self._counts[each] for each in ("created", "updated", "unchanged", "failed"))
        shelf = Shelf()
        try:
            if self._dry and self._keys.concern:
                self._carried = Carried(self._keys, shelf)
            self._count_keys(plan)
            for rows in _chunks(self._rows_of_file(), CHUNK):
                self._chunk(rows)
            levels, ring = self._waiting()
            for level in levels:
                for numbers in _chunks(level, CHUNK):
                    self._chunk(self._fetch(numbers), later=True)
            for numbers in _chunks(ring, MOST_ROWS):
                self._chunk(self._fetch(numbers), later=True, forget=True)
        finally:
            shelf.close()
        return self._end(began)

    # ---- the file ---------------------------------------------------------------------------------

    def _rows_of_file(self) -> Iterator[tuple[int, Sequence[str]]]:
        content = files.opened(self._job.store, self._id, self._run.size)
        return sources.data_rows(content, self._run.format, self._taken)

    def _count_keys(self, plan: Plan) -> None:
        """One look through the file for what rows must know of others: whose parents are still to come, and
        which row names a key first.
        """
        self._to_come: Counter[int] = Counter()
        self._first: dict[int, int] = {}
        resumed = self._taken if plan.parents else 0
        if not plan.key and not self._keys.names and not resumed:
            return
        later = self._later_rows()
        refused = self._refused_rows() if resumed else frozenset()
        content = files.opened(self._job.store, self._id, self._run.size)
        for number, cells in sources.data_rows(content, self._run.format):
            texts = self._keys.texts(cells)
            if number <= resumed and number not in later and number not in refused:
                spoken_by(plan, self._keys, texts, number, self._spoken)
            if number > self._taken or number in later:
                self._to_come.update(self._keys.own(texts))
            named = self._keys.named_by(texts)
            if named is not None:
                self._first.setdefault(named, number)

    def _refused_rows(self) -> frozenset[int]:
        chosen = sa.select(PROBLEM.c.row).where(PROBLEM.c.import_id == self._id, PROBLEM.c.phase == "run")
        with self._job.store.read() as reader:
            return frozenset(reader.execute(chosen).scalars())

    def _later_rows(self) -> dict[int, Sequence[str]]:
        """The rows that wait for others, by number."""
        if self._dry:
            return self._later
        with self._job.store.read() as reader:
            chosen = (
                sa.select(LATER.c.row, LATER.c.cells)
                .where(LATER.c.import_id == self._id)
                .order_by(LATER.c.row)
            )
            return {row.row: msgspec.json.decode(row.cells) for row in reader.execute(chosen)}

    def _waiting(self) -> tuple[list[list[int]], list[int]]:
        """The rows that wait, in levels such that each level's parents are in the ones before, and the
        rings.
        """
        self._left = dict(self._later_rows())
        waiting = []
        for number, cells in self._left.items():
            texts = self._keys.texts(cells)
            waiting.append(Waiting(number, tuple(self._keys.own(texts)), tuple(self._keys.parents(texts))))
        return in_levels(waiting)

    def _fetch(self, numbers: Iterable[int]) -> Rows:
        return [(number, self._left[number]) for number in numbers]

    # ---- a chunk ----------------------------------------------------------------------------------

    def _acting(self, writer: Writer) -> Call:
        call = acting(self._tenancy, self._clock, self._ids, self._job, writer, self._run, "import")
        return replace(call, clock=_Still(self._clock.now()))

    def _plan(self, call: Call) -> Plan:
        return resolve(call.gate, object_of(call, self._run), self._run.settings, self._run.header)

    def _chunk(self, rows: Rows, later: bool = False, forget: bool = False) -> None:
        with self._job.step() as writer:
            call = self._acting(writer)
            plan = self._plan(call)
            if self._dry:
                try:
                    with writer.savepoint():
                        self._put_in_before(writer, call, plan, rows)
                        done = self._pass(writer, call, plan, rows, forget)
                        raise _TakenBack
                except _TakenBack:
                    pass
            else:
                done = self._pass(writer, call, plan, rows, forget)
            self._keep(writer, plan, done, later)

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
        return Round(call, plan, self._keys, self._spoken, self._reference, self._dry)

    def _pass(self, writer: Writer, call: Call, plan: Plan, rows: Rows, forget: bool) -> _Done:
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

    def _pass_once(self, writer: Writer, call: Call, plan: Plan, rows: Rows, forget: bool) -> _Done:
        translator = Translator(call, plan)
        filling = self._round(call, plan)
        fill = filling.fill if filling is not None else None
        lines = translator.lines(writer, rows, self._pending, self._reference, self._dry, forget, fill)
        done = _Done(lines, made=translator.made, operations=translator.operations, parents=filling)
        if filling is not None:
            done.made = [*done.made, *filling.made]
            done.operations = [*done.operations, *filling.operations]
        for line in lines:
            self._refuse_second(plan, translator, line)
        if self._carried is not None and self._keys.needs_old:
            done.old = _old_values(writer, call, plan, lines)
        outcome = self._write(writer, call, plan, lines)
        sent = [line for line in lines if line.intent is not None]
        done.results = {line.number: row for line, row in zip(sent, outcome.rows, strict=True)}
        if outcome.operation is not None:
            done.operations.append(outcome.operation)
            if forget:
                self._fill(writer, call, plan, done, outcome.operation)
        return done

    def _write(self, writer: Writer, call: Call, plan: Plan, lines: Iterable[Line]) -> Outcome:
        intents = [line.intent for line in lines if line.intent is not None]
        records = Records(call)
        return records.apply_in(
            writer, plan.object, intents, self._reference, per_row=True, rehearsal=self._dry
        )

    def _pending(self, field: str, text: str) -> bool:
        key = self._keys.named(field, text)
        return key is not None and self._to_come[key] > 0

    def _refuse_second(self, plan: Plan, translator: Translator, line: Line) -> None:
        named = self._keys.named_by(line.texts)
        first = self._first.get(named) if named is not None else None
        if first is not None and first != line.number:
            value = translator.key_text(line)
            line.refuse("import.key_twice", plan.key_names[0], other=first, value=value)
            line.intent = None
            line.waits = ()

    def _fill(self, writer: Writer, call: Call, plan: Plan, done: _Done, operation: UUID) -> None:
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
        outcome = records.apply_in(writer, plan.object, intents, reference, per_row=True, rehearsal=self._dry)
        for (line, _), row in zip(chosen, outcome.rows, strict=True):
            line.faults.extend(row.faults)
        done.notes = [line for line, _ in good if line.faults]

    # ---- what stays -------------------------------------------------------------------------------

    def _keep(self, writer: Writer, plan: Plan, done: _Done, later: bool) -> None:
        waiting: list[Line] = []
        problems: list[dict[str, Any]] = []
        good = []
        columns = plan.by_field
        if done.parents is not None:
            self._spoken |= done.parents.spoken
            self._count_parents(done.parents)
        noted = {line.number for line in done.notes}
        for line in done.lines:
            if line.waits and not line.faults:
                waiting.append(line)
                continue
            result = done.results.get(line.number)
            self._to_come.subtract(self._keys.own(line.texts))
            if result is not None and result.outcome != "failed":
                self._counts[result.outcome] += 1
                if line.number in noted:
                    self._counts["noted"] += 1
                    problems.append(runs.problem_row(self._id, "note", line.number, line.faults, line.cells))
                good.append((line.number, line.cells, line.texts, done.old.get(line.id) if line.id else None))
                continue
            faults = line.faults or (list(result.faults) if result is not None else [])
            self._counts["failed"] += 1
            problems.append(runs.problem_row(self._id, self._phase, line.number, faults, line.cells))
            for fault in faults:
                self._count_issue(columns, line, fault)
        self._made.update(done.made)
        self._counts["made"] = len(self._made) if self._dry else self._counts["made"] + len(done.made)
        if self._carried is not None:
            self._carried.keep(good)
        if problems:
            if self._dry:
                problems = [each for each in problems if each["phase"] != "note"]
            if problems:
                writer.connection.execute(sa.insert(PROBLEM), problems)
        self._wait_with(writer, waiting)
        numbers = [line.number for line in done.lines]
        if later and not self._dry:
            gone = sa.delete(LATER).where(LATER.c.import_id == self._id, LATER.c.row.in_(numbers))
            writer.execute(gone)
        if not later:
            self._taken = max(numbers, default=self._taken)
        if not self._dry:
            rows = [
                {"import_id": self._id, "operation_id": id, "kind": "import", "undone": False}
                for id in done.operations
            ]
            if rows:
                writer.connection.execute(sa.insert(OPERATION), rows)
            runs.change(writer, self._id, self._clock.now(), counts=self._counts, taken_row=self._taken)
        self._finished += len(done.lines) - len(waiting)
        self._job.progress(self._finished, self._total)
        got_on(writer, self._job)

    def _count_parents(self, done: Round) -> None:
        counts = self._counts.setdefault("parents", {})
        for name, each in done.counts.items():
            mine = counts.setdefault(name, dict.fromkeys(OUTCOMES, 0))
            for outcome in OUTCOMES:
                mine[outcome] += each[outcome]

    def _wait_with(self, writer: Writer, lines: list[Line]) -> None:
        if self._dry:
            self._later.update((line.number, line.cells) for line in lines)
        elif lines:
            encode = msgspec.json.encode
            rows = [
                {"import_id": self._id, "row": line.number, "cells": encode(list(line.cells)).decode()}
                for line in lines
            ]
            writer.connection.execute(sa.insert(LATER), rows)

    def _count_issue(self, columns: Mapping[str, Any], line: Line, fault: Fault) -> None:
        chosen = columns.get(fault.place.field or "")
        if chosen is None:
            column, field, value = "", fault.place.field or "", ""
        else:
            column, field = chosen.name, chosen.field.name
            value = line.cells[chosen.index] if chosen.index < len(line.cells) else ""
        key = (column, value, fault.code)
        issue = self._issues.get(key)
        if issue is not None:
            issue["count"] += 1
        elif len(self._issues) < MOST_ISSUES:
            self._issues[key] = {
                "column": column,
                "field": field,
                "value": runs.storable(value[:500]),
                "count": 1,
                "row": line.number,
                "fault": runs.fault_json(fault),
                "suggestion": None,
            }

    # ---- the end ----------------------------------------------------------------------------------

    def _end(self, began: datetime) -> Any:
        with self._job.step() as writer:
            now = self._clock.now()
            values: dict[str, Any] = {"counts": self._counts, "state": "checked" if self._dry else "done"}
            if self._dry:
                self._suggest(writer)
                issues = sorted(self._issues.values(), key=lambda each: (-each["count"], each["row"]))
                seconds = (now - began) / timedelta(seconds=1)
                values["checked"] = {"counts": self._counts, "issues": issues, "seconds": round(seconds, 1)}
            runs.change(writer, self._id, now, **values)
            self._job.progress(self._finished, self._total)
            # One with the end of the job: taken up again, it would call an import done that is being undone.
            result = {"import": self._id.hex, "counts": self._counts}
            self._job.end(writer, result)
        return result

    def _suggest(self, writer: Writer) -> None:
        """For each unknown value the existing one that was most likely meant."""
        call = self._acting(writer)
        for each in self._plan(call).by_field.values():
            issues = [
                issue
                for issue in self._issues.values()
                if issue["column"] == each.name
                and issue["fault"]["code"] in ("import.unknown_record", "import.unknown_choice")
            ]
            if not issues:
                continue
            issues.sort(key=lambda issue: -issue["count"])
            known: list[str] = []
            if each.field.picklist is not None:
                for value in each.field.picklist.values:
                    known += [value.labels.get(call.language) or value.code, value.code]
            for target, match in each.targets:
                known += names_of(call, writer, target, match)
            found = suggestions(known, [issue["value"] for issue in issues])
            for issue in issues:
                issue["suggestion"] = found.get(issue["value"])


def _old_values(
    writer: Writer, call: Call, plan: Plan, lines: Iterable[Line]
) -> dict[UUID, Mapping[str, Any]]:
    ids = sorted({line.id for line in lines if line.id is not None and line.intent is not None})
    if not ids:
        return {}
    compiled = plan_of(call, plan.object)
    rows = writer.rows(compiled.load_statement(False), {"ids": ids_value(writer.store.dialect, ids)})
    return {old["id"]: old for old in map(compiled.typed, rows)}


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


__all__ = ["CHUNK", "KIND", "Working", "acting", "object_of", "register"]
