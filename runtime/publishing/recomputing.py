"""Stored values worked out from scratch: how many had drifted, and what follows where too many records see a
change for one transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.dependencies import dependencies_of
from tabwright.metadata.model import FieldDef, Model
from tabwright.platform.database import prepare
from tabwright.platform.errors import NotFound, Place
from tabwright.platform.tables import Uuid, uuid_of
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call, Tenancy, TenantRuntime, env_of
from tabwright.runtime.publishing.computing import CHUNK, Computing
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.propagation import CAUSE, RECOMPUTE
from tabwright.runtime.records.service import Records

if TYPE_CHECKING:
    from datetime import datetime

    from tabwright.platform.clock import Clock, Ids
    from tabwright.platform.jobs import JobRun, Jobs


@dataclass(frozen=True, slots=True)
class Drift:
    """A stored computed field after it was worked out again: of so many records so many had another value."""

    field: FieldDef
    records: int
    differed: int


def in_turn(model: Model, object: str | None = None, field: str | None = None) -> list[FieldDef]:
    """The stored computed fields, each after those that it is worked out from. Raises NotFound for a name
    that none of them has.
    """
    graph: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for edge in dependencies_of(model).edges:
        graph.setdefault((edge.owner, edge.target), set()).add((edge.object, edge.field))
    found = []
    for owner, name in TopologicalSorter(graph).static_order():
        each = model.objects[owner].fields.get(name)
        if each is None or each.computed is None or not each.is_stored:
            continue
        if (object is None or owner == object) and (field is None or name == field):
            found.append(each)
    if not found and object is not None:
        raise NotFound.of("storage.nothing_stored", Place(object=object, field=field), object=object)
    return found


def recompute(
    tenant: TenantRuntime, model: Model, fields: list[FieldDef], now: datetime,
    tell: Callable[[Drift], None] = lambda drift: None,
) -> list[Drift]:  # fmt: skip
    """Work out fields for every living record, a chunk a transaction, and put right what differs."""
    done = []
    for field in fields:
        computing = Computing(model, tenant.tables(model), [field], env_of(model, now, tenant.zone))
        records = differed = 0
        after = None
        while True:
            with tenant.store.write() as writer:
                worked = computing.chunk(writer, after)
            records, differed, after = records + worked.rows, differed + worked.changed, worked.last
            if worked.rows < CHUNK:
                break
        done.append(Drift(field, records, differed))
        tell(done[-1])
    return done


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock, ids: Ids) -> None:
    """Make known to the workers what ``records.propagation`` leaves to them: all records of an object pass
    the pipeline without values, so what changes is in the journal and reaches those that see it.
    """

    def run(job: JobRun) -> Any:
        tenant = tenancy.open(job.location)
        model = tenant.at_release()
        object = model.objects.get(job.payload["object"])
        if object is None:
            return None
        call = Call(
            tenant, Principal.system("zh", tenant.zone), model, Gate.system(model), clock, ids, "zh",
            tenant.zone, str(job.id), CAUSE,
        )  # fmt: skip
        table, after, seen = call.tables.of(object), UUID(int=0), 0
        chosen = sa.select(table.id).where(
            table.id > sa.bindparam("after", type_=Uuid()), table.deleted_at.is_(None)
        )
        statement = prepare(tenant.store, chosen.order_by(table.id).limit(CHUNK))
        while True:
            with job.step() as writer:
                found = [uuid_of(id) for (id,) in writer.rows(statement, {"after": after})]
                if found:
                    Records(call).apply_in(writer, object, [Intent("update", id) for id in found])
                    seen, after = seen + len(found), found[-1]
                    job.progress(seen)
            if len(found) < CHUNK:
                return {"records": seen}

    jobs.register(RECOMPUTE, run, runs_as="system")
