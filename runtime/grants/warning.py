"""A right that will expire is announced to its holder some days before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import prepare
from tabwright.platform.tables import Uuid, instant_of, uuid_of
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.personal.notices import notify

if TYPE_CHECKING:
    from tabwright.platform.clock import Clock
    from tabwright.platform.jobs import JobRun, Jobs
    from tabwright.runtime.desk import Tenancy
    from tabwright.runtime.records.batch import Batch, Work

KIND = "grants.expiring"


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock) -> None:
    """Every assignment that gets a time to end adds a job that says so before."""
    jobs.register(KIND, _handler(tenancy, clock), runs_as="system")
    tenancy.hooks.register("jobs", _hook(jobs, clock))


def _hook(jobs: Jobs, clock: Clock) -> Callable[[Batch, Work], None]:
    def hook(batch: Batch, work: Work) -> None:
        if batch.object.name != "permission_assignment" or batch.object.package != BASE or work.rehearsal:
            return
        now, before = clock.now(), timedelta(days=work.call.tenant.limits.expiry_notice_days)
        for row in batch.rows:
            if row.new is None or not row.changes:
                continue
            until = row.new["expires_at"]
            is_news = row.old is None or row.action == "restore" or "expires_at" in row.changed
            if until is None or until <= now or not is_news or row.new["emergency"]:
                continue
            said = {"assignment": row.new["id"].hex, "until": until.isoformat()}
            jobs.add(work.writer, KIND, said, due_at=max(now, until - before))

    return hook


def _handler(tenancy: Tenancy, clock: Clock) -> Callable[[JobRun], Any]:
    def run(job: JobRun) -> Any:
        tenant = tenancy.open(job.location)
        id, until = UUID(job.payload["assignment"]), datetime.fromisoformat(job.payload["until"])
        with job.step() as writer:
            model = tenant.at_release(writer)
            table = tenant.tables(model).of(model.objects["permission_assignment"])
            columns = [table.column(each) for each in ("user", "permission_set", "expires_at")]
            chosen = sa.select(*columns).where(
                table.id == sa.bindparam("id", type_=Uuid()), table.deleted_at.is_(None)
            )
            rows = list(writer.rows(prepare(writer.store, chosen), {"id": id}))
            # Prolonged, shortened or taken back since: then another job speaks of it, or nobody needs to.
            if not rows or rows[0][2] is None or instant_of(rows[0][2]) != until or until <= clock.now():
                return {"told": 0}
            params = {"set": rows[0][1], "until": until.isoformat()}
            notify(
                writer, [uuid_of(rows[0][0])], "expiring", params, None, None, clock.now(),
                group=f"{id}:{until.isoformat()}",
            )  # fmt: skip
        return {"told": 1}

    return run
