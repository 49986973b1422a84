"""The recycle bin: what lies in it, and the job that empties it of what has lain there long enough."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Prepared, Writer, prepare
from tabwright.platform.jobs import JobRun, Jobs
from tabwright.platform.tables import Instant, instant_of, uuid_of
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call, Tenancy
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import TenantRuntime
    from tabwright.runtime.records.batch import Batch, Work

KIND = "records.purge"
DAYS = 30  # in the bin
MOST = 200  # of one listing
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Recycled:
    """A record in the bin; ``name`` is "" where it is blank or may not be read."""

    id: UUID
    name: str
    deleted_at: datetime
    deleted_by: UUID | None


def recycle_bin(call: Call, object: str, limit: int = MOST, reader: Reader | None = None) -> list[Recycled]:
    """The records of an object in the bin that the caller may restore, newest first.

    Raises NotFound for an object that may not be known, Denied without the right to delete its records.
    """
    if reader is None:
        with call.tenant.store.read() as own:
            return recycle_bin(call, object, limit, own)
    found = call.gate.object(object)
    call.gate.require(found, "delete")
    table = call.tables.of(found)
    rule = call.gate.rule(found, "delete")

    def make() -> Prepared:
        by, name = table.column("updated_by"), table.column(found.name_field)
        chosen = sa.select(table.id, name, table.deleted_at, by).select_from(table.joined)
        chosen = chosen.where(table.deleted_at.is_not(None))
        condition = call.gate.predicate(found, "delete", call.tables)
        if condition is not None:
            chosen = chosen.where(condition)
        newest = (table.deleted_at.desc(), table.id.desc())
        return prepare(reader.store, chosen.order_by(*newest).limit(sa.bindparam("most", type_=sa.Integer)))

    statement = call.tenant.piece("recycle_bin", found, table, make, rule.shape)
    shown = call.gate.can_read(found.fields[found.name_field])
    rows = reader.rows(statement, {**call.gate.viewer(), "most": max(1, min(limit, MOST))})
    return [
        Recycled(
            uuid_of(id),
            str(name) if shown and name is not None else "",
            instant_of(at),
            None if by is None else uuid_of(by),
        )
        for id, name, at, by in rows
    ]


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock, ids: Ids, days: int = DAYS) -> None:
    """Make the emptying known to the workers, and have each delete ask for it in ``days`` days."""
    jobs.register(KIND, _handler(tenancy, clock, ids, days), runs_as="system")
    tenancy.hooks.register("jobs", _ask(jobs, clock, days))


def _ask(jobs: Jobs, clock: Clock, days: int) -> Callable[[Batch, Work], None]:
    asked: dict[str, date] = {}  # store -> the last day for which this process asked

    def ask(tenant: TenantRuntime) -> None:
        due = clock.now() + timedelta(days=days)
        if asked.get(tenant.store.key) == due.date():
            return
        asked[tenant.store.key] = due.date()
        with tenant.store.write() as writer:
            # One job for all that is deleted on a day, a day after the last of it has lain long enough.
            tomorrow = due + timedelta(days=1)
            jobs.add(writer, KIND, {}, due_at=tomorrow, key=f"{KIND} {tomorrow:%Y-%m-%d}")

    def hook(batch: Batch, work: Work) -> None:
        if not work.rehearsal and any(row.changes and row.action == "delete" for row in batch.rows):
            work.writer.after_commit(lambda: ask(work.call.tenant))

    return hook


def _handler(tenancy: Tenancy, clock: Clock, ids: Ids, days: int) -> Callable[[JobRun], Any]:
    def run(job: JobRun) -> Any:
        tenant = tenancy.open(job.location)
        model = tenant.at_release()
        principal = Principal.system()
        call = Call(
            tenant, principal, model, Gate(model, principal), clock, ids, "en", "UTC", str(job.id), "system"
        )  # fmt: skip
        before = clock.now() - timedelta(days=days)
        purged = 0
        for object in model.objects.values():
            while True:
                with job.step() as writer:
                    count = purge(call, writer, object, before)
                    purged += count
                    job.progress(purged)
                if count < _CHUNK:
                    break
        return {"purged": purged}

    return run


def purge(call: Call, writer: Writer, object: ObjectDef, before: datetime) -> int:
    """Purge up to 1,000 records of an object that were deleted before a moment; how many."""
    table = call.tables.of(object)
    chosen = sa.select(table.id).where(table.deleted_at < sa.bindparam("before", type_=Instant()))
    rows = writer.rows(prepare(writer.store, chosen.order_by(table.id).limit(_CHUNK)), {"before": before})
    if rows:
        Records(call).apply_in(writer, object, [Intent("purge", uuid_of(id)) for (id,) in rows])
    return len(rows)
