"""The job of an import: a check or a run, chunk by chunk, resumable from what it committed.

A chunk is one transaction: the records, the journal, the rows that were refused, the next row, the job's
progress. A check does the same and takes the records back before the chunk commits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Writer
from tabwright.platform.errors import NotFound
from tabwright.platform.jobs import JOB, JobRun, Jobs
from tabwright.platform.language import Language
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call, Tenancy
from tabwright.runtime.exchange import laying, runs
from tabwright.runtime.exchange.carrying import Carried, Shelf
from tabwright.runtime.exchange.correcting import Overlay, outcomes
from tabwright.runtime.exchange.counting import Tally
from tabwright.runtime.exchange.keys import Keys
from tabwright.runtime.exchange.ordering import Waiting, in_levels
from tabwright.runtime.exchange.parents import spoken_by
from tabwright.runtime.exchange.passing import Others, Passed, Passing, Rows, warned_as_chosen
from tabwright.runtime.exchange.resolving import Plan, resolve
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.tables import LATER, OPERATION, PROBLEM
from tabwright.runtime.exchange.translation import Line, Translator
from tabwright.runtime.records.pipeline import MOST_ROWS

KIND = "import"
CHUNK = 1000


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

    jobs.register(KIND, work, runs_as="asker")


def got_on(writer: Writer, job: JobRun) -> None:
    """A try that got on is none of those that park a job: an import may be cut off as often as it takes."""
    writer.execute(sa.update(JOB).where(JOB.c.id == job.id).values(tries=1))


class _Still:
    """A clock that stands: all operations of a chunk have one time, so undo sees them as one family."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


def standing(call: Call) -> Call:
    """The call with a clock that stands: all operations of a chunk have one time."""
    return replace(call, clock=_Still(call.clock.now()))


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
        self._later: dict[int, Sequence[str]] = {}  # of a dry run
        self._others = Others()
        self._carried: Carried | None = None

    def go(self) -> Any:
        """Do the whole of it; what it counted."""
        began = self._clock.now()
        with self._job.step() as writer:
            self._run = run = runs.load(writer, self._id)
            self._overlay = Overlay(writer, run)
            call = self._acting(writer)
            plan = self._plan(call)
            self._keys = Keys(plan, run.zone, Translator(call, plan).texts)
            self._taken = run.taken_row if not self._dry or _can_go_on(plan, self._keys) else 0
            self._tally = Tally(run.counts if self._taken else {})
            if self._dry and not self._taken:
                writer.execute(
                    sa.delete(PROBLEM).where(
                        PROBLEM.c.import_id == self._id, PROBLEM.c.phase.in_(("check", "warned"))
                    )
                )
            elif self._dry:
                began = self._take_up(writer, plan, began)
            self._began = began
            self._pace("reading")
        laying.lay_out(self._job.store, run, self._job.step)
        self._total = run.row_count or 0
        shelf = Shelf()
        try:
            if self._dry and self._keys.concern:
                self._carried = Carried(self._keys, shelf)
            self._look_through(plan, shelf)
            if self._carried and self._taken:
                self._carry_again(self._carried)
            self._pace("rows")
            self._passing = Passing(
                self._keys, self._others, {"import": self._id.hex}, self._dry, self._carried
            )
            for rows in _chunks(self._rows_of_file(self._taken), CHUNK):
                self._chunk(rows)
            self._pace("waiting")
            levels, ring = self._waiting()
            for level in levels:
                for numbers in _chunks(level, CHUNK):
                    self._chunk(self._fetch(numbers), later=True)
            for numbers in _chunks(ring, MOST_ROWS):
                self._chunk(self._fetch(numbers), later=True, forget=True)
        finally:
            shelf.close()
        return self._end()

    def _pace(self, phase: str) -> None:
        """From now on the job is in a phase; how fast it is, is counted from here."""
        since = self._clock.now().isoformat()
        began = self._began.isoformat()
        self._job.remember({"phase": phase, "since": since, "from": self._tally.finished, "began": began})

    # ---- the file ---------------------------------------------------------------------------------

    def _rows_of_file(self, after: int = 0) -> Iterator[tuple[int, list[str]]]:
        """The rows with a number beyond ``after``, as they were corrected; also those that are skipped."""
        return self._overlay.over(laying.rows(self._job.store, self._id, after))

    def _look_through(self, plan: Plan, shelf: Shelf) -> None:
        """One look through the file for what rows must know of others."""
        others = self._others
        resumed = self._taken if plan.parents else 0
        if not plan.key and not self._keys.names and not resumed:
            return
        later = self._later_rows()
        refused = self._refused_rows() if resumed else frozenset()

        def named() -> Iterator[tuple[int, int]]:
            for number, cells in self._rows_of_file():
                if self._overlay.skips(number, cells):
                    continue
                texts = self._keys.texts(cells)
                if number <= resumed and number not in later and number not in refused:
                    spoken_by(plan, self._keys, texts, number, others.spoken)
                if number > self._taken or number in later:
                    others.to_come.update(self._keys.own(texts))
                key = self._keys.named_by(texts)
                if key is not None:
                    yield key, number

        shelf.see(named())
        others.first = shelf.first_of_several()

    def _take_up(self, writer: Writer, plan: Plan, now: datetime) -> datetime:
        """Go on with a check that was cut off: count what it found wrong again; when it began."""
        columns, after = plan.by_field, 0
        while page := runs.problems(writer, self._id, "check", after, CHUNK):
            for each in page:
                for fault in each.faults:
                    self._tally.fault(columns, each.row, each.cells, fault)
            after = page[-1].row
        memory = self._job.memory or {}
        return datetime.fromisoformat(memory["began"]) if "began" in memory else now

    def _carry_again(self, carried: Carried) -> None:
        """Keep the good rows that a check had taken before it was cut off for those that depend on them."""
        refused = self._refused_rows()
        taken = takewhile(lambda row: row[0] <= self._taken, self._rows_of_file())
        for rows in _chunks(taken, CHUNK):
            good = [each for each in rows if each[0] not in refused and not self._overlay.skips(*each)]
            carried.keep((number, cells, self._keys.texts(cells), None) for number, cells in good)

    def _refused_rows(self) -> frozenset[int]:
        mine = (PROBLEM.c.import_id == self._id, PROBLEM.c.phase == self._phase)
        chosen = sa.select(PROBLEM.c.row).where(*mine)
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
        return warned_as_chosen(standing(call), self._run)

    def _plan(self, call: Call) -> Plan:
        return resolve(call.gate, object_of(call, self._run), self._run.settings, self._run.header)

    def _chunk(self, rows: Rows, later: bool = False, forget: bool = False) -> None:
        with self._job.step() as writer:
            call = self._acting(writer)
            plan = self._plan(call)
            going = rows if later else [each for each in rows if not self._overlay.skips(*each)]
            done = self._passing.passed(writer, call, plan, going, forget)
            if not later:
                self._tally.row("skipped", len(rows) - len(going))
                self._taken = rows[-1][0]
            self._keep(writer, plan, done, later)

    def _keep(self, writer: Writer, plan: Plan, done: Passed, later: bool) -> None:
        """Write down what became of a chunk, in its transaction."""
        tally = self._tally
        if done.parents is not None:
            self._others.spoken |= done.parents.spoken
            tally.parents(done.parents)
        waiting, problems = self._sorted_out(plan, done)
        if self._dry:
            corrected = [each for each in done.lines if each.number in self._overlay and each not in waiting]
            outcomes(writer, self._id, {each.number: done.outcome(each) or "failed" for each in corrected})
        tally.made(done.made, self._dry)
        if problems:
            writer.connection.execute(sa.insert(PROBLEM), problems)
        self._wait_with(writer, waiting)
        if not self._dry:
            if later:
                numbers = [line.number for line in done.lines]
                gone = sa.delete(LATER).where(LATER.c.import_id == self._id, LATER.c.row.in_(numbers))
                writer.execute(gone)
            rows = [
                {"import_id": self._id, "operation_id": id, "kind": "import", "undone": False}
                for id in done.operations
            ]
            if rows:
                writer.connection.execute(sa.insert(OPERATION), rows)
        runs.change(writer, self._id, self._clock.now(), counts=tally.counts, taken_row=self._taken)
        self._job.progress(tally.finished, self._total)
        got_on(writer, self._job)

    def _sorted_out(self, plan: Plan, done: Passed) -> tuple[list[Line], list[dict[str, Any]]]:
        """Count the lines; those that wait for others, and what is to be listed of the rest."""
        waiting: list[Line] = []
        problems: list[dict[str, Any]] = []
        good = []
        columns = plan.by_field
        noted = {line.number for line in done.notes}
        for line in done.lines:
            if line.waits and not line.faults:
                waiting.append(line)
                continue
            self._others.to_come.subtract(self._keys.own(line.texts))
            outcome = done.outcome(line)
            self._tally.row(outcome or "failed")
            if outcome is None:
                faults = done.reasons(line)
                problems.append(runs.problem_row(self._id, self._phase, line.number, faults, line.cells))
                for fault in faults:
                    self._tally.fault(columns, line.number, line.cells, fault)
                continue
            if warnings := done.warnings(line):
                self._tally.row("warned")
                problems.append(runs.problem_row(self._id, "warned", line.number, warnings, line.cells))
            if line.number in noted:
                self._tally.row("noted")
                if not self._dry:
                    problems.append(runs.problem_row(self._id, "note", line.number, line.faults, line.cells))
            good.append((line.number, line.cells, line.texts, done.old.get(line.id) if line.id else None))
        if self._carried is not None:
            self._carried.keep(good)
        return waiting, problems

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

    # ---- the end ----------------------------------------------------------------------------------

    def _end(self) -> Any:
        with self._job.step() as writer:
            now = self._clock.now()
            counts = self._tally.counts
            values: dict[str, Any] = {"counts": counts, "state": "checked" if self._dry else "done"}
            if self._dry:
                call = self._acting(writer)
                self._tally.suggest(writer, call, self._plan(call))
                seconds = round((now - self._began) / timedelta(seconds=1), 1)
                values["checked"] = {"counts": counts, "issues": self._tally.issues(), "seconds": seconds}
            runs.change(writer, self._id, now, **values)
            if not self._dry:
                laying.forget(writer, self._id)
            self._job.progress(self._tally.finished, self._total)
            # One with the end of the job: taken up again, it would call an import done that is being undone.
            result = {"import": self._id.hex, "counts": counts}
            self._job.end(writer, result)
        return result


def _can_go_on(plan: Plan, keys: Keys) -> bool:
    """Whether what a check knows of the rows before can be had again without passing them: not where they
    made records that later rows name, nor where it takes what the records were before.
    """
    makes = any(each.column.missing == "create" or each.column.make for each in plan.columns)
    return not (plan.parents or keys.names or makes or (plan.mode != "create" and keys.needs_old))


def _chunks(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for item in items:
        chunk.append(item)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


__all__ = ["CHUNK", "KIND", "Working", "acting", "object_of", "register", "standing"]
