"""The work of a bulk change, part by part: a rehearsal, the change itself, its undo.

A part is one transaction: its records, the journal, what was counted and what was refused. One part is done
in the request; more are a job, which goes on after the last part that it committed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Reader, Writer, prepare
from tabwright.platform.errors import Fault, NotFound
from tabwright.platform.jobs import JobRun, Jobs
from tabwright.platform.language import Language
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.bulk import runs, selection
from tabwright.runtime.bulk.allowing import require
from tabwright.runtime.bulk.runs import CHUNK, Phase, Problem, Run
from tabwright.runtime.desk import Call, Tenancy
from tabwright.runtime.journal.tables import changes, operations
from tabwright.runtime.masks import masked
from tabwright.runtime.records.batch import Intent, Outcome
from tabwright.runtime.records.rules import tokens_of
from tabwright.runtime.records.service import Records

KIND = "bulk"
ENDS: dict[Phase, str] = {"check": "checked", "run": "done", "undo": "undone"}


class _TakenBack(Exception):
    """Leaves the savepoint of a rehearsed part."""


def object_of(call: Call, run: Run) -> ObjectDef:
    """The object of a bulk change, whatever it is called by now. Raises NotFound."""
    for each in call.model.objects.values():
        if each.uid == run.object_uid:
            return call.gate.object(each.name)
    raise NotFound.of("object.unknown", object=run.object_uid)


def waiting(run: Run, phase: Phase) -> list[int]:
    """The parts that a phase has still to do; an undo begins with the last."""
    found = [part.number for part in run.parts if part.counts(phase) is None]
    if phase == "undo":
        mine = {part.number for part in run.parts if part.operation is not None}
        found = [number for number in reversed(found) if number in mine]
    return found


def do_part(call: Call, writer: Writer, run: Run, phase: Phase, number: int, confirmed: bool = False) -> None:
    """Do a phase of one part in the open transaction, and keep what it counted.

    ``confirmed``: the warnings that the rehearsal listed pass, each of the record that it was about.
    """
    if phase == "undo":
        _undo(call, writer, run, number)
        return
    if confirmed:
        shown = runs.problems(writer, run.id, "check", number * CHUNK, CHUNK)
        call = call.confirming(tokens_of(fault for each in shown for fault in each.faults))
    object = object_of(call, run)
    require(call, object, run.action)  # a right that is gone stops what its holder began
    ids = selection.unpack(runs.ids_in(writer, run.id, number))
    reference = {"bulk": run.id.hex}
    intents = _intents(run, ids)
    floor = call.ids.new()
    followed: dict[str, int] = {}
    if phase == "check":
        try:
            with writer.savepoint():
                outcome = Records(call).apply_in(
                    writer, object, intents, reference, per_row=True, rehearsal=True
                )
                followed = _followed(writer, floor, outcome.operation)
                raise _TakenBack
        except _TakenBack:
            pass
        operation = None
    else:
        outcome = Records(call).apply_in(writer, object, intents, reference, per_row=True)
        operation = outcome.operation
    found = _problems(call, writer, object, ids, outcome, number * CHUNK)
    runs.list_problems(writer, run.id, phase, found)
    counts = _counts(outcome, found, followed)
    if phase == "check":
        runs.keep(writer, run.id, number, checked=counts)
    else:
        runs.keep(writer, run.id, number, done=counts, operation_id=operation)


def _intents(run: Run, ids: Sequence[UUID]) -> list[Intent]:
    if run.action == "delete":
        return [Intent("delete", id) for id in ids]
    return [Intent("update", id, run.values) for id in ids]


def _counts(outcome: Outcome, found: Sequence[Problem], followed: dict[str, int]) -> dict[str, Any]:
    reasons = Counter(f"{each.faults[0].place.field or ''}:{each.faults[0].code}" for each in found)
    unchanged = outcome.count("unchanged")
    return {
        "changed": len(outcome.rows) - unchanged - len(found),
        "unchanged": unchanged,
        "failed": len(found),
        "followed": followed,
        "reasons": dict(reasons),
        "warned": sum(1 for each in outcome.rows if each.warnings),
    }


def _problems(
    call: Call, reader: Reader, object: ObjectDef, ids: Sequence[UUID], outcome: Outcome, before: int
) -> list[Problem]:
    failed = outcome.failed
    names = _names(call, reader, object, [ids[row.row - 1] for row in failed])
    return [
        Problem(before + row.row, ids[row.row - 1], names.get(ids[row.row - 1], ""), row.faults)
        for row in failed
    ]


def _names(call: Call, reader: Reader, object: ObjectDef, ids: Sequence[UUID]) -> dict[UUID, str]:
    """What the records are called, for a list of them: each was readable when it was chosen."""
    if not ids or call.gate.find(object, object.name_field) is None:
        return {}
    table = call.tables.of(object)
    chosen = sa.select(table.id, table.column(object.name_field)).select_from(table.joined)
    statement = prepare(reader.store, chosen.where(in_ids(table.dialect, table.id)))
    rows = reader.rows(statement, {"ids": ids_value(table.dialect, ids)})
    field = object.fields[object.name_field]
    return {uuid_of(id): str(masked(field, name) or "") for id, name in rows}


def _followed(writer: Writer, floor: UUID, own: UUID | None) -> dict[str, int]:
    """Object number and action -> changes that followed from a rehearsed part: those that no operation's row
    stands for yet, since a rehearsal writes none.
    """
    if own is None:
        return {}
    told = sa.exists().where(operations.c.id == changes.c.operation_id)
    chosen = (
        sa.select(changes.c.object_n, changes.c.action, sa.func.count())
        .where(changes.c.operation_id > floor, changes.c.operation_id != own, ~told)
        .group_by(changes.c.object_n, changes.c.action)
    )
    rows: Any = writer.execute(chosen).all()
    return {f"{number}:{action}": int(count) for number, action, count in rows}


def _undo(call: Call, writer: Writer, run: Run, number: int) -> None:
    part = run.parts[number]
    assert part.operation is not None
    undone = Records(call).undo_in(writer, part.operation, {"bulk": run.id.hex})
    back = sum(each.count("updated") + each.count("restored") for each in undone.outcomes)
    found = [
        Problem(number * CHUNK + at, selection_id(fault), "", (fault,))
        for at, fault in enumerate(undone.left, 1)
    ]
    names = _names(call, writer, object_of(call, run), [each.record for each in found if each.record])
    runs.list_problems(
        writer,
        run.id,
        "undo",
        [Problem(p.row, p.record, names.get(p.record, "") if p.record else "", p.faults) for p in found],
    )
    runs.keep(writer, run.id, number, undone={"changed": back, "unchanged": 0, "failed": len(found)})


def selection_id(fault: Fault) -> UUID | None:
    """The record that a fault is about."""
    try:
        return UUID(fault.place.record or "")
    except ValueError:
        return None


def do_all(
    run: Run,
    phase: Phase,
    acting: Callable[[Writer], Call],
    step: Callable[[], AbstractContextManager[Writer]],
    told: Callable[[int], None],
    confirmed: bool = False,
) -> None:
    """Do what a phase has still to do; ``told`` hears the number of records done within each step."""
    left = waiting(run, phase)
    for at, number in enumerate(left, 1):
        with step() as writer:
            do_part(acting(writer), writer, run, phase, number, confirmed)
            done = len(run.parts) - len(left) + at
            told(min(done * CHUNK, run.row_count))
            if at == len(left):
                runs.change(writer, run.id, state=ENDS[phase])


# ---- the job ---------------------------------------------------------------------------------------


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock, ids: Ids) -> None:
    """Make bulk changes known to the workers."""

    def work(job: JobRun) -> Any:
        return _work(job, tenancy, clock, ids)

    jobs.register(KIND, work, runs_as="asker")


def _work(job: JobRun, tenancy: Tenancy, clock: Clock, ids: Ids) -> Any:
    phase: Phase = job.payload["phase"]
    with job.step() as writer:
        run = runs.load(writer, UUID(job.payload["run"]), UUID(job.payload["by"]))
        job.progress(job.done, run.row_count)

    def acting(reader: Reader) -> Call:
        """The call of the person who began it, with the rights of this moment."""
        tenant = tenancy.open(job.location)
        model = tenant.at_release(reader)
        person = principals.load(tenant, reader, model, run.created_by, clock.now())
        language: Language = "en" if run.language == "en" else "zh"
        return Call(
            tenant, person, model, Gate(model, person), clock, ids, language, run.zone,
            f"bulk-{run.id.hex}", "undo" if phase == "undo" else "bulk",
        )  # fmt: skip

    do_all(run, phase, acting, job.step, job.progress, bool(job.payload.get("confirmed")))
    return None
