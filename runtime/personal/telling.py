"""Who is told of what: a record that somebody gives away, a job that comes to its end; and the forgetting."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.clock import Clock
from tabwright.platform.database import Writer
from tabwright.platform.jobs import Closed, JobRun, Jobs
from tabwright.runtime.desk import Tenancy, TenantRuntime
from tabwright.runtime.exchange import undoing, working
from tabwright.runtime.exchange.tables import RUN
from tabwright.runtime.personal.notices import forget, notify
from tabwright.runtime.records.batch import Batch, Row, Work

KIND = "notices.forget"
LONG: Final = timedelta(seconds=10)  # what takes longer is not waited for (UX52)
_IMPORTS: Final = (working.KIND, undoing.KIND)


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock, days: int) -> None:
    """Have writes and jobs tell people, and old notices removed."""
    jobs.register(KIND, _handler(clock, days), runs_as="system")
    tenancy.hooks.register("jobs", _assigned)
    jobs.on_closed(_closed(clock))


# ---- a record was given away -----------------------------------------------------------------------


def _assigned(batch: Batch, work: Work) -> None:
    if work.rehearsal or batch.object.uid is None:
        return
    actor = None if work.principal.kind == "system" else work.principal.user_id
    if actor is None and work.operation.cause != "rule":
        return  # the installer and the platform's own chores give nobody anything
    given: dict[UUID, list[Row]] = {}
    for row in batch.rows:
        owner = _new_owner(row)
        if owner is not None and owner != actor:
            given.setdefault(owner, []).append(row)
    if not given:
        return
    by = {"by": actor.hex if actor is not None else None}
    for owner, rows in given.items():
        one = rows[0].id if len(rows) == 1 else None
        notify(
            work.writer, [owner], "assigned", by, batch.object.uid, one, work.now,
            group=_group(work), number=len(rows),
        )  # fmt: skip
    call = work.call
    work.writer.after_commit(lambda: ask_to_forget(call.tenant, call.clock.now()))


def _group(work: Work) -> str:
    """Of an import one notice, however many operations it takes; else one of an operation."""
    reference = work.operation.reference or {}
    return f"import:{reference['import']}" if "import" in reference else work.operation.id.hex


def _new_owner(row: Row) -> UUID | None:
    """The person who owns a written record since now; None where that did not change, or for a queue."""
    if not row.changes or row.new is None or row.action not in ("create", "update"):
        return None
    owner = row.new.get("owner")
    if row.new.get("owner_kind") != "user" or not isinstance(owner, UUID):
        return None
    return owner if row.old is None or row.old.get("owner") != owner else None


# ---- a job came to its end -------------------------------------------------------------------------


def _closed(clock: Clock) -> Closed:
    def told(writer: Writer, job: JobRun, state: str, took: timedelta, result: Any) -> None:
        if job.created_by is None:
            return
        if job.kind in _IMPORTS:
            _import_closed(writer, job, state, took, result, clock)
        elif took >= LONG or state == "failed":
            notify(
                writer, [job.created_by], "job", {"job": job.kind, "state": state}, None, None, clock.now(),
                group=job.id.hex,
            )  # fmt: skip

    return told


def _import_closed(
    writer: Writer, job: JobRun, state: str, took: timedelta, result: Any, clock: Clock
) -> None:
    what = str(job.payload.get("what"))
    if what == "check" and took < LONG:
        return  # the person is looking at it
    id = UUID(job.payload["import"])
    uid = writer.execute(sa.select(RUN.c.object_uid).where(RUN.c.id == id)).scalar_one_or_none()
    if uid is None or job.created_by is None:
        return
    counts = (result or {}).get("counts") or {}
    written = sum(int(counts.get(each) or 0) for each in ("created", "updated", "unchanged"))
    params = {
        "import": id.hex, "what": what, "state": state, "written": written,
        "failed": int(counts.get("failed") or 0),
    }  # fmt: skip
    notify(writer, [job.created_by], "import", params, uid, None, clock.now(), group=job.id.hex)


# ---- forgetting ------------------------------------------------------------------------------------


def ask_to_forget(tenant: TenantRuntime, now: datetime) -> None:
    """Have old notices removed tomorrow; asked once a day in a process, after a commit that told somebody."""
    due = now + timedelta(days=1)
    if tenant.forgetting_asked == due.date():
        return
    tenant.forgetting_asked = due.date()
    with tenant.store.write() as writer:
        tenant.jobs.add(writer, KIND, {}, due_at=due, key=KIND)


def _handler(clock: Clock, days: int) -> Callable[[JobRun], Any]:
    def run(job: JobRun) -> Any:
        gone, before = 0, clock.now() - timedelta(days=days)
        while True:
            with job.step() as writer:
                count = forget(writer, before)
                gone += count
                job.progress(gone)
            if not count:
                return {"forgotten": gone}

    return run
