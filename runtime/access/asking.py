"""Whether somebody may do something with some records: the gate's rule, asked of the database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.tables import ids_value, in_ids, uuid_of

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.access.gate import Gate, Level
    from tabwright.runtime.desk import Call, TenantRuntime


@dataclass(frozen=True, slots=True)
class Asked:
    """A record by its id and owner: who owns a record is often all that has to be known."""

    id: UUID
    owner: UUID | None

    @staticmethod
    def of(row: Mapping[str, Any]) -> Asked:
        """A loaded record, with its fields "id" and "owner"."""
        return Asked(row["id"], row["owner"])


def allowed(
    tenant: TenantRuntime,
    gate: Gate,
    reader: Reader,
    object: ObjectDef,
    level: Level,
    records: Iterable[Asked],
) -> frozenset[UUID]:
    """The ids of those records that are open at this level, as they stand in the store.

    What the owner does not decide is one question to the database for all of them.
    """
    rule = gate.rule(object, level)
    found: set[UUID] = set()
    asked: set[UUID] = set()
    for each in records:
        at_once = rule.at_once(each.owner)
        if at_once is None:
            asked.add(each.id)
        elif at_once:
            found.add(each.id)
    if asked:
        tables = tenant.tables(gate.model)

        def make() -> Prepared:
            table = tables.of(object)
            condition = gate.predicate(object, level, tables)
            chosen = sa.select(table.id).where(in_ids(tables.dialect, table.id))
            return prepare(tenant.store, chosen if condition is None else chosen.where(condition))

        digests = tuple(tables.of(each).digest for each in rule.objects(gate.model, object))
        statement = tenant.piece("allowed", object, tables.of(object), make, rule.shape, digests)
        given = {**gate.viewer(), "ids": ids_value(tables.dialect, sorted(asked))}
        found.update(uuid_of(id) for (id,) in reader.rows(statement, given))
    return frozenset(found)


def may(
    call: Call, object: ObjectDef, level: Level, row: Mapping[str, Any], reader: Reader | None = None
) -> bool:
    """Whether the caller may read, edit, delete, share a loaded record or give it away."""
    record = Asked.of(row)
    at_once = call.gate.rule(object, level).at_once(record.owner)
    if at_once is not None:
        return at_once
    if reader is None:
        with call.tenant.store.read() as own:
            return may(call, object, level, row, own)
    return record.id in allowed(call.tenant, call.gate, reader, object, level, [record])


def open_among(
    call: Call, object: ObjectDef, level: Level, rows: Iterable[Mapping[str, Any]]
) -> frozenset[UUID]:
    """The ids of those loaded records with which the caller may do it, by at most one statement."""
    rows = list(rows)
    rule = call.gate.rule(object, level)
    if rule.everything or rule.nothing:
        return frozenset(row["id"] for row in rows) if rule.everything else frozenset()
    with call.tenant.store.read() as reader:
        return allowed(call.tenant, call.gate, reader, object, level, map(Asked.of, rows))
