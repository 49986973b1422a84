"""Bad rows put right before the start: what a person types over the cells of a checked file, row by row.

The file stays as it is; corrections lie over it by row number and column, and every check and run reads the
file through them. What was corrected is checked at once, by itself, against the records that are there; only
the next check compares it with the other rows of the file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from uuid import UUID

import msgspec
import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Reader, Writer
from tabwright.platform.errors import Conflict, Fault, Invalid, Place
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange import runs
from tabwright.runtime.exchange.counting import Tally
from tabwright.runtime.exchange.keys import Keys
from tabwright.runtime.exchange.passing import Others, Passing, warned_as_chosen
from tabwright.runtime.exchange.resolving import Plan, resolve
from tabwright.runtime.exchange.runs import Run, fault_of
from tabwright.runtime.exchange.sheets import LONGEST_CELL
from tabwright.runtime.exchange.tables import CORRECTION, PROBLEM, RUN
from tabwright.runtime.exchange.translation import Translator

AT_ONCE = 1000  # rows that are checked while the person waits; more go with the next check
MOST_CORRECTED = 50_000
KINDS = ("bad", "corrected", "skipped")

_encode, _decode = msgspec.json.encode, msgspec.json.decode


@dataclass(frozen=True, slots=True)
class Change:
    """What becomes of one row: cells by column index, skipped on purpose or not, or back to the file's."""

    row: int
    cells: Mapping[int, str] = attribute(default_factory=dict)
    skip: bool | None = None
    restore: bool = False


@dataclass(frozen=True, slots=True)
class GridRow:
    """A row that did not pass, or that was corrected. ``cells`` are what would go in, ``file`` what the file
    says; ``outcome`` is created, updated, unchanged, failed or skipped.
    """

    number: int
    cells: tuple[str, ...]
    file: tuple[str, ...]
    outcome: str
    faults: tuple[Fault, ...] = ()


@dataclass(slots=True)
class _Row:
    """A row with what is kept of it."""

    file: tuple[str, ...]
    changes: dict[int, str] = attribute(default_factory=dict)
    skip: bool = False
    outcome: str = "failed"
    faults: tuple[Fault, ...] = ()

    @property
    def cells(self) -> list[str]:
        return _laid(self.file, self.changes)


# ---- over the file --------------------------------------------------------------------------------


class Overlay:
    """The corrections of one import over the rows of its file, and which rows are skipped on purpose."""

    def __init__(self, reader: Reader, run: Run) -> None:
        chosen = sa.select(CORRECTION.c.row, CORRECTION.c.changes, CORRECTION.c.skip)
        self._changes: dict[int, dict[int, str]] = {}
        skipped = set()
        for row in reader.execute(chosen.where(CORRECTION.c.import_id == run.id)):
            if row.skip:
                skipped.add(row.row)
            else:
                self._changes[row.row] = _decode(row.changes, type=dict[int, str])
        self._skipped = frozenset(skipped)
        self._values = [
            (index, frozenset(column.skip))
            for index, name in enumerate(run.header)
            if (column := run.settings.columns.get(name)) is not None and column.skip
        ]

    def __contains__(self, number: int) -> bool:
        """Whether a row was corrected."""
        return number in self._changes

    def over(self, rows: Iterable[tuple[int, list[str]]]) -> Iterator[tuple[int, list[str]]]:
        """The rows of the file as they were corrected."""
        for number, cells in rows:
            changes = self._changes.get(number)
            yield number, cells if changes is None else _laid(cells, changes)

    def skips(self, number: int, cells: Sequence[str]) -> bool:
        """Whether a row is left out on purpose, by itself or for a value of it."""
        return number in self._skipped or any(
            index < len(cells) and cells[index] in values for index, values in self._values
        )


def outcomes(writer: Writer, id: UUID, found: Mapping[int, str]) -> None:
    """Keep what a check made of corrected rows."""
    same = sa.and_(CORRECTION.c.import_id == id, CORRECTION.c.row == sa.bindparam("number"))
    if found:
        rows = [{"number": number, "now": outcome} for number, outcome in found.items()]
        writer.connection.execute(sa.update(CORRECTION).where(same).values(outcome=sa.bindparam("now")), rows)


def forget(writer: Writer, id: UUID) -> None:
    """Give up every correction: the file is read in another way, so that rows and columns are others."""
    writer.execute(sa.delete(CORRECTION).where(CORRECTION.c.import_id == id))


def _laid(cells: Sequence[str], changes: Mapping[int, str]) -> list[str]:
    whole = [*cells, *[""] * (max(changes, default=-1) + 1 - len(cells))]
    for index, text in changes.items():
        whole[index] = text
    return whole


# ---- looking --------------------------------------------------------------------------------------


def counted(reader: Reader, id: UUID) -> dict[str, int]:
    """How many rows there are of each of ``KINDS``."""
    bad = sa.select(sa.func.count()).where(PROBLEM.c.import_id == id, PROBLEM.c.phase == "check")
    mine = (
        sa.select(CORRECTION.c.skip, sa.func.count().label("rows"))
        .where(CORRECTION.c.import_id == id)
        .group_by(CORRECTION.c.skip)
    )
    found = {bool(row.skip): int(row.rows) for row in reader.execute(mine)}
    return {
        "bad": reader.execute(bad).scalar_one(),
        "corrected": found.get(False, 0),
        "skipped": found.get(True, 0),
    }


def listed(reader: Reader, id: UUID, kind: str, offset: int, limit: int, after: int = 0) -> list[GridRow]:
    """The rows of a kind, by number, those beyond ``after``."""
    both = sa.and_(PROBLEM.c.import_id == CORRECTION.c.import_id, PROBLEM.c.row == CORRECTION.c.row)
    if kind == "bad":
        source = PROBLEM.outerjoin(CORRECTION, both)
        number, chosen = PROBLEM.c.row, [PROBLEM.c.import_id == id, PROBLEM.c.phase == "check"]
    else:
        source = CORRECTION.outerjoin(PROBLEM, sa.and_(both, PROBLEM.c.phase == "check"))
        number = CORRECTION.c.row
        chosen = [CORRECTION.c.import_id == id, CORRECTION.c.skip.is_(kind == "skipped")]
    return _read(reader, source, [*chosen, number > after], number, offset, limit)


def rows(reader: Reader, id: UUID, numbers: Sequence[int]) -> list[GridRow]:
    """Some of the rows, by number; those that are neither bad nor corrected are left out."""
    both = sa.and_(PROBLEM.c.import_id == CORRECTION.c.import_id, PROBLEM.c.row == CORRECTION.c.row)
    found: dict[int, GridRow] = {}
    for at in range(0, len(numbers), 500):
        part = numbers[at : at + 500]
        bad = [PROBLEM.c.import_id == id, PROBLEM.c.phase == "check", PROBLEM.c.row.in_(part)]
        mine = [CORRECTION.c.import_id == id, CORRECTION.c.row.in_(part)]
        ours = CORRECTION.outerjoin(PROBLEM, sa.and_(both, PROBLEM.c.phase == "check"))
        theirs = PROBLEM.outerjoin(CORRECTION, both)
        for row in _read(reader, theirs, bad, PROBLEM.c.row) + _read(reader, ours, mine, CORRECTION.c.row):
            found[row.number] = row
    return [found[number] for number in sorted(found)]


def _read(
    reader: Reader,
    source: sa.FromClause,
    chosen: Sequence[sa.ColumnElement[bool]],
    number: sa.ColumnElement[int],
    offset: int = 0,
    limit: int | None = None,
) -> list[GridRow]:
    asked = sa.select(
        number.label("number"),
        PROBLEM.c.cells,
        PROBLEM.c.faults,
        CORRECTION.c.cells.label("file"),
        CORRECTION.c.changes,
        CORRECTION.c.outcome,
    )
    asked = asked.select_from(source).where(*chosen).order_by(number).offset(offset).limit(limit)
    found = []
    for row in reader.execute(asked):
        file = tuple(_decode(row.file if row.file is not None else row.cells))
        changes = _decode(row.changes, type=dict[int, str]) if row.changes is not None else {}
        faults = tuple(fault_of(each) for each in _decode(row.faults)) if row.faults is not None else ()
        outcome = "failed" if row.faults is not None else row.outcome
        found.append(GridRow(row.number, tuple(_laid(file, changes)), file, outcome, faults))
    return found


def with_value(reader: Reader, id: UUID, index: int, value: str) -> list[int]:
    """The numbers of the bad rows that have a value in a column."""
    chosen = sa.select(PROBLEM.c.row, PROBLEM.c.cells)
    chosen = chosen.where(PROBLEM.c.import_id == id, PROBLEM.c.phase == "check").order_by(PROBLEM.c.row)
    found = []
    for row in reader.execute(chosen):
        cells = _decode(row.cells)
        if (cells[index] if index < len(cells) else "") == value:
            found.append(row.row)
    return found


# ---- changing -------------------------------------------------------------------------------------


def correct(call: Call, run: Run, object: ObjectDef, changes: Sequence[Change]) -> bool:
    """Keep corrections of a checked import, check those rows anew and count them anew.

    False where there are too many to check at once: then they are kept, and the next check tells. Raises
    Conflict where the import is not as it was, Invalid for rows that are neither bad nor corrected, for
    a row that is named twice, for cells that no file could hold, and beyond ``MOST_CORRECTED``.
    """
    call = warned_as_chosen(replace(call, zone=run.zone, cause="import"), run)
    plan = resolve(call.gate, object, run.settings, run.header)
    with call.tenant.store.write() as writer:
        same = sa.select(RUN.c.state, RUN.c.checked).where(RUN.c.id == run.id).with_for_update()
        now = writer.execute(same).one()
        if now.state != "checked":
            raise Conflict.of("import.wrong_state", state=now.state, verb="correct")
        before = _kept(writer, run, changes)
        after = {each.row: _changed(before[each.row], each, run) for each in changes}
        at_once = sum(not each.skip for each in after.values()) <= AT_ONCE
        if at_once:
            tally = Tally(now.checked["counts"], now.checked["issues"])
            columns = plan.by_field
            for number, old in before.items():
                tally.row(old.outcome, -1)
                for fault in old.faults:
                    tally.fault(columns, number, old.cells, fault, -1)
            _check(writer, call, run, plan, after)
            for number, new in after.items():
                tally.row(new.outcome)
                for fault in new.faults:
                    tally.fault(columns, number, new.cells, fault)
            since = now.checked.get("since", 0) + len(after)
            checked = {**now.checked, "counts": tally.counts, "issues": tally.issues(), "since": since}
            runs.change(writer, run.id, call.clock.now(), counts=tally.counts, checked=checked)
        _keep(writer, run, after)
        if counted(writer, run.id)["corrected"] > MOST_CORRECTED:
            raise Invalid.of("import.too_many_corrected", Place(), most=MOST_CORRECTED)
    return at_once


def _kept(writer: Writer, run: Run, changes: Sequence[Change]) -> dict[int, _Row]:
    numbers = [each.row for each in changes]
    if twice := [number for number, count in Counter(numbers).items() if count > 1]:
        raise Invalid(Fault("import.row_twice", {"row": each}, Place(row=each)) for each in twice[:20])
    found: dict[int, _Row] = {}
    for row in rows(writer, run.id, numbers):
        typed = dict(enumerate(row.cells))
        file = (*row.file, *[""] * (len(row.cells) - len(row.file)))
        changed = {index: text for index, text in typed.items() if text != file[index]}
        found[row.number] = _Row(row.file, changed, row.outcome == "skipped", row.outcome, row.faults)
    missing = [number for number in numbers if number not in found]
    if missing:
        raise Invalid(Fault("import.row_not_bad", {"row": each}, Place(row=each)) for each in missing[:20])
    return found


def _changed(old: _Row, change: Change, run: Run) -> _Row:
    if change.restore:
        return _Row(old.file)
    changes = dict(old.changes)
    for index, text in change.cells.items():
        if not 0 <= index < len(run.header):
            raise Invalid.of("import.unknown_column", Place(row=change.row), column=str(index))
        text = text.strip()
        if len(text) > LONGEST_CELL:
            raise Invalid.of("import.cell_too_long", Place(row=change.row), row=change.row, most=LONGEST_CELL)
        changes[index] = text
        if text == (old.file[index] if index < len(old.file) else ""):
            del changes[index]
    return _Row(old.file, changes, old.skip if change.skip is None else change.skip)


def _check(writer: Writer, call: Call, run: Run, plan: Plan, after: Mapping[int, _Row]) -> None:
    """Pass the rows that are not skipped, take them back, and note what became of them."""
    keys = Keys(plan, run.zone, Translator(call, plan).texts)

    def maybe(field: str, text: str) -> bool:
        return keys.named(field, text) is not None  # a row of the file may make it: the next check tells

    passing = Passing(keys, Others(), {"import": run.id.hex}, rehearsal=True, pending=maybe)
    sent = [(number, each.cells) for number, each in sorted(after.items()) if not each.skip]
    done = passing.passed(writer, call, plan, sent)
    for each in after.values():
        each.outcome = "skipped"
    for line in done.lines:
        row = after[line.number]
        if line.waits and not line.faults:
            row.outcome = "updated" if plan.mode == "update" else "created"
            continue
        row.outcome = done.outcome(line) or "failed"
        row.faults = tuple(done.reasons(line)) if row.outcome == "failed" else ()


def _keep(writer: Writer, run: Run, after: Mapping[int, _Row]) -> None:
    numbers = sorted(after)
    for at in range(0, len(numbers), 500):
        part = numbers[at : at + 500]
        gone = sa.delete(PROBLEM).where(
            PROBLEM.c.import_id == run.id, PROBLEM.c.phase == "check", PROBLEM.c.row.in_(part)
        )
        writer.execute(gone)
        writer.execute(
            sa.delete(CORRECTION).where(CORRECTION.c.import_id == run.id, CORRECTION.c.row.in_(part))
        )
    problems = [
        runs.problem_row(run.id, "check", number, each.faults, each.cells)
        for number, each in after.items()
        if each.outcome == "failed" and not each.skip
    ]
    kept = [
        {
            "import_id": run.id,
            "row": number,
            "cells": _encode(list(each.file)).decode(),
            "changes": _encode(each.changes).decode(),
            "skip": each.skip,
            "outcome": each.outcome,
        }
        for number, each in after.items()
        if each.changes or each.skip
    ]
    for table, found in ((PROBLEM, problems), (CORRECTION, kept)):
        if found:
            writer.connection.execute(sa.insert(table), found)


__all__ = ["KINDS", "Change", "GridRow", "Overlay", "correct", "counted", "forget", "listed", "rows"]
