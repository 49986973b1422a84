"""The pipeline: the stages in their order, for a batch in chunks (decision 0008). What passes here is a
write.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter_ns
from typing import TYPE_CHECKING

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Conflict, Denied, Invalid, LimitReached, NotFound, Stale
from tabwright.runtime.filing import claims
from tabwright.runtime.records import (
    checks,
    conditions,
    loading,
    masters,
    propagation,
    related,
    rules,
    snapshots,
    trees,
    writing,
)
from tabwright.runtime.records.batch import Batch, Intent, Outcome, Row, RowResult, Work, error_of
from tabwright.runtime.records.hooks import STAGES, Hooks
from tabwright.runtime.records.plan import ObjectPlan

if TYPE_CHECKING:
    from tabwright.runtime.desk import Call

CHUNK = 1_000
MOST_ROWS = 10_000
_CALM_FROM = 200  # rows from which the collector only costs: rows are no rings

Stage = Callable[[Batch, Work], None]
NamedStage = tuple[str, tuple[Stage, ...]]

_FIRST_WRITE = STAGES.index("write")
# What a row can be refused for; the rest (a lock, a full disk, a release between) ends the whole call.
_REFUSALS = (Invalid, Conflict, Denied, NotFound, Stale, LimitReached)

OWN: dict[str, tuple[Stage, ...]] = {
    "coerce": (loading.coerce,),
    "load": (loading.load, claims.look_up),
    "access_old": (loading.access_old,),
    "defaults": (checks.defaults, masters.inherit, snapshots.fill),
    "formulas": (checks.formulas,),
    "access_new": (checks.access_new, masters.check, trees.check),
    "validation": (conditions.check, checks.validation, related.restrict),
    "uniqueness": (checks.uniqueness, rules.warn),
    "write": (writing.write, claims.claim),
    "search": (writing.search,),
    "roll_ups": (propagation.follow,),
    "after_rules": (related.follow, masters.hand_down),
}
"""What the product itself does in a stage, before the hooks."""


def plan_of(call: Call, object: ObjectDef) -> ObjectPlan:
    """The compiled writes of an object."""
    table = call.tables.of(object)
    return call.tenant.piece("records", object, table, lambda: ObjectPlan(call.tenant.store, object, table))


def run(hooks: Hooks, work: Work, object: ObjectDef, intents: Sequence[Intent], per_row: bool) -> Outcome:
    """Pass intents through the stages, in chunks, in the open transaction of ``work``.

    With ``per_row`` the good rows are written and the others come back failed; without, one fault raises the
    error that holds all of them, and the caller's transaction is to be rolled back.
    """
    if len(intents) > MOST_ROWS:
        raise LimitReached.at("record.too_many", "bulk_rows", MOST_ROWS)
    batch = Batch(object, plan_of(work.call, object), per_row, work.rehearsal)
    batch.deleting = frozenset(
        id for each in intents if each.action == "delete" and (id := loading.id_of(each.id)) is not None
    )
    stages = _stages(hooks)
    checking, writing_stages = stages[:_FIRST_WRITE], stages[_FIRST_WRITE:]
    took = dict.fromkeys(STAGES, 0)
    passed: list[Row] = []
    results: list[RowResult] = []
    with _calm(len(intents)):
        for start in range(0, len(intents), CHUNK):
            batch.rows = [
                Row(start + at, intent) for at, intent in enumerate(intents[start : start + CHUNK], 1)
            ]
            _pass(batch, work, checking, took)
            if per_row:
                _write_each(batch, work, writing_stages, took)
            else:
                _pass(batch, work, writing_stages, took)
            results.extend(map(_result, batch.rows))
            if not per_row:
                passed.extend(row for row in batch.rows if row.faults)
    error = error_of(passed)
    if error is not None:
        raise error
    trace = tuple((name, took[name] // 1000) for name in STAGES)
    work.trace.extend(trace)
    return Outcome(tuple(results), work.operation.id if work.operation.written else None, trace)


def _pass(batch: Batch, work: Work, stages: Sequence[NamedStage], took: dict[str, int]) -> None:
    for name, parts in stages:
        began = perf_counter_ns()
        for part in parts:
            part(batch, work)
        took[name] += perf_counter_ns() - began


def _write_each(batch: Batch, work: Work, stages: Sequence[NamedStage], took: dict[str, int]) -> None:
    """Write the good rows. Where what follows from them is refused, halves are tried, down to the rows that
    it is refused for: those come back failed, and the others are written.
    """
    chunk = batch.rows
    waiting = [batch.good]
    while waiting:
        rows = waiting.pop()
        if not rows:
            continue
        before = [None if row.new is None else dict(row.new) for row in rows]
        batch.rows, written = rows, work.operation.written
        try:
            with work.writer.savepoint():
                _pass(batch, work, stages, took)
        except _REFUSALS as error:
            work.operation.written = written
            for row, new in zip(rows, before, strict=True):
                row.new, row.changes = new, False
            if len(rows) == 1:
                rows[0].take_over(error)
            else:
                half = len(rows) // 2
                waiting += [rows[half:], rows[:half]]  # the first rows come first
    batch.rows = chunk


def _stages(hooks: Hooks) -> list[NamedStage]:
    joined = hooks.by_stage
    return [(name, (*OWN.get(name, ()), *joined.get(name, ()))) for name in STAGES]


_DONE = {
    "create": "created",
    "update": "updated",
    "delete": "deleted",
    "restore": "restored",
    "purge": "purged",
}


def _result(row: Row) -> RowResult:
    if row.faults:
        revision = row.old["revision"] if row.old is not None else 0
        return RowResult(row.number, "failed", row.known_id, revision, tuple(row.faults), row.refused_as)
    outcome = _DONE[row.action] if row.changes else "unchanged"
    warned = tuple(row.warned)
    return RowResult(row.number, outcome, row.id, row.revision, warnings=warned)  # type: ignore[arg-type]


@contextmanager
def _calm(rows: int) -> Iterator[None]:
    """Without the collector while many rows are made: none of them is part of a ring."""
    if rows < _CALM_FROM or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
