"""The job that takes an import back: its operations, last first, read backwards from the journal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Writer
from tabwright.platform.jobs import JobRun, Jobs
from tabwright.runtime.desk import Tenancy
from tabwright.runtime.exchange import runs
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.tables import OPERATION, PROBLEM
from tabwright.runtime.exchange.working import acting, got_on
from tabwright.runtime.records.service import Records

KIND = "import.undo"


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock, ids: Ids) -> None:
    """Make undo known to the workers."""

    def work(job: JobRun) -> Any:
        return _undo(job, tenancy, clock, ids)

    jobs.register(KIND, work, runs_as="asker")


def _undo(job: JobRun, tenancy: Tenancy, clock: Clock, ids: Ids) -> Any:
    id = UUID(job.payload["import"])
    counts = dict(job.memory or {"deleted": 0, "restored": 0, "left": 0})
    mine = (OPERATION.c.import_id == id, OPERATION.c.kind == "import")
    with job.step() as writer:
        run = runs.load(writer, id)
        total = writer.execute(sa.select(sa.func.count()).where(*mine)).scalar_one()
    while True:
        with job.step() as writer:
            chosen = sa.select(OPERATION.c.operation_id).where(*mine, OPERATION.c.undone.is_(False))
            newest = chosen.order_by(OPERATION.c.operation_id.desc()).limit(1)
            operation = writer.execute(newest).scalar_one_or_none()
            if operation is None:
                runs.change(writer, id, clock.now(), state="undone")
                job.end(writer, counts)
                return counts
            call = acting(tenancy, clock, ids, job, writer, _asked(run, job), "undo")
            done = Records(call).undo_in(writer, operation, {"import": id.hex})
            for outcome in done.outcomes:
                counts["deleted"] += outcome.count("deleted")
                counts["restored"] += outcome.count("updated") + outcome.count("restored")
            _list_left(writer, id, counts["left"], done.left)
            counts["left"] += len(done.left)
            same = (OPERATION.c.import_id == id, OPERATION.c.operation_id == operation)
            writer.execute(sa.update(OPERATION).where(*same).values(undone=True))
            job.remember(counts)
            job.progress(job.done + 1, total)
            got_on(writer, job)


def _asked(run: Run, job: JobRun) -> Run:
    """The import as whoever asked for its undo acts on it: not always the person who ran it."""
    by = job.payload.get("by")
    if by is None:
        return run
    return replace(run, created_by=UUID(by), scope=job.payload.get("scope"))


def _list_left(writer: Writer, id: UUID, count: int, left: Any) -> None:
    rows = [
        runs.problem_row(id, "undo", number, [fault], [fault.place.record or ""])
        for number, fault in enumerate(left, start=count + 1)
    ]
    if rows:
        writer.connection.execute(sa.insert(PROBLEM), rows)
