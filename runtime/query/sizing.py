"""How records that a person may read are found: which of two plans is the quicker one (decision 0038).

``scan`` goes through the records that a filter leaves, in the order of an index, and asks of each whether it
is open: quick for people who see much, for a page is soon full. ``ids`` first finds the ids of all records
that are open: quick for people who see little. Databases cannot tell, for they do not know how narrow a
person is. Which plan is chosen never changes what is found.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from math import isqrt
from typing import Literal

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, prepare
from tabwright.runtime.access.record_rule import Where
from tabwright.runtime.desk import Call

Plan = Literal["scan", "ids"]

FEW = 10_000  # records of an object: of so few, a scan is always quick enough
RATIO = 4  # what a record costs a scan, and what it costs to find its id and then the record
MOST = 100_000  # ids; beyond so many a scan fills any page
_lock = threading.Lock()


def plan_for(call: Call, object: ObjectDef, rows: int) -> Plan:
    """The quicker plan to find so many records of an object for the caller."""
    rule = call.gate.rule(object, "read")
    if rule.wide or not rule.ways:
        return "scan"
    size = _known(call, ("size", object.uid), lambda: _size(call, object))
    if size < FEW:
        return "scan"
    who = call.principal
    key = object.uid, call.gate.footprint(object), who.user_id, who.groups, who.queues
    most = _most(call.tenant.limits.count_rows, size)
    seen = _known(call, key, lambda: _seen(call, object, most))
    return "ids" if seen <= _most(rows, size) else "scan"


def _most(rows: int, size: int) -> int:
    """Of how many open records their ids cost as much as a scan, which meets one in ``size / open``."""
    return min(isqrt(rows * size * RATIO), MOST)


def _known(call: Call, key: Hashable, find: Callable[[], int]) -> int:
    """A number that is kept for a while: a rough one is all that is asked for."""
    cache = call.tenant.seen
    with _lock:
        found = cache.get(key)
    if found is None:
        found = find()
        with _lock:
            cache[key] = found
    return found


def _size(call: Call, object: ObjectDef) -> int:
    """How many records an object has, as the database remembers it."""
    table, store = call.tables.of(object), call.tenant.store
    if store.dialect == "postgresql":
        where = f'"{store.schema}".o{table.number}'
        text = (
            "SELECT CASE WHEN reltuples < 0 THEN pg_relation_size(oid) / 400 ELSE reltuples END::bigint"
            " FROM pg_class WHERE oid = to_regclass(%s)"
        )
        statement, given = Prepared(text, ("name",)), {"name": where}
    else:
        statement, given = Prepared(f"SELECT max(rowid) FROM o{table.number}", ()), {}
    with store.read() as reader:
        row = reader.row(statement, given)
    return int(row[0] or 0) if row is not None else 0


def _seen(call: Call, object: ObjectDef, most: int) -> int:
    """How many records ways lead to, some of them counted twice; counting stops beyond ``most``."""

    def make() -> Prepared:
        where = Where.of(object, call.tables, call.model)
        ids = rule.ids(where)
        assert ids is not None
        some = ids.limit(sa.bindparam("most", type_=sa.Integer)).subquery()
        return prepare(call.tenant.store, sa.select(sa.func.count()).select_from(some))

    rule = call.gate.rule(object, "read")
    tables = tuple(call.tables.of(each).digest for each in rule.objects(call.model, object))
    statement = call.tenant.piece("seen", object, call.tables.of(object), make, rule.shape, tables)
    with call.tenant.store.read() as reader:
        row = reader.row(statement, {**call.gate.viewer(), "most": most + 1})
    assert row is not None
    return int(row[0])
