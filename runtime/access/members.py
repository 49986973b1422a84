"""Hints of who is a user where follow the user records: see ``platform.memberships``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import prepare
from tabwright.platform.memberships import Memberships
from tabwright.runtime.access.rights import BASE

if TYPE_CHECKING:
    from tabwright.platform.clock import Clock
    from tabwright.platform.jobs import JobRun, Jobs
    from tabwright.runtime.desk import Tenancy, TenantRuntime
    from tabwright.runtime.records.batch import Batch, Work

KIND = "memberships.sweep"
_EVERY = timedelta(days=1)


def register(jobs: Jobs, tenancy: Tenancy, memberships: Memberships, clock: Clock) -> None:
    """A user record that gets its identity gives a hint before it is committed, so none is missing; a sweep,
    a day after users were written, takes away those that are too many.
    """
    jobs.register(KIND, _handler(tenancy, memberships), runs_as="system")
    tenancy.hooks.register("jobs", _hook(jobs, memberships, clock))


def _hook(jobs: Jobs, memberships: Memberships, clock: Clock) -> Callable[[Batch, Work], None]:
    def hook(batch: Batch, work: Work) -> None:
        if batch.object.name != "user" or batch.object.package != BASE or work.rehearsal:
            return
        written = [row for row in batch.rows if row.changes and row.new is not None]
        if not written:
            return
        tenant = work.call.tenant.location.id
        for row in written:
            assert row.new is not None
            identity = _uuid(row.new["identity_id"])
            named = row.old is None or row.action == "restore" or "identity_id" in row.changed
            if identity is not None and named:
                memberships.add(identity, tenant)
        due = clock.now() + _EVERY
        jobs.add(work.writer, KIND, {}, due_at=due, key=f"{KIND} {due:%Y-%m-%d}")

    return hook


def _handler(tenancy: Tenancy, memberships: Memberships) -> Callable[[JobRun], Any]:
    def run(job: JobRun) -> Any:
        tenant = tenancy.open(job.location)
        found = set(identities_of(tenant))
        memberships.sweep(job.location.id, found)
        return {"identities": len(found)}

    return run


def identities_of(tenant: TenantRuntime) -> Iterator[UUID]:
    """The identities of a tenant's users, switched off or not."""
    model = tenant.at_release()
    table = tenant.tables(model).of(model.objects["user"])
    column = table.column("identity_id")
    chosen = sa.select(column).where(table.deleted_at.is_(None), column.is_not(None))
    with tenant.store.read_long() as reader:
        rows = reader.rows(prepare(tenant.store, chosen))
    for (text,) in rows:
        if (identity := _uuid(text)) is not None:
            yield identity


def _uuid(text: str | None) -> UUID | None:
    with suppress(ValueError):
        return UUID(text) if text else None
    return None
