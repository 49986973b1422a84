"""The names of some records, for lists that mix objects: favourites, what was opened last, notices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.desk import Call
from tabwright.runtime.query.plans import TablesUsed, kept
from tabwright.runtime.query.source import Source


@dataclass(frozen=True, slots=True)
class _Plan:
    statement: Prepared
    tables: TablesUsed


@dataclass(frozen=True, slots=True)
class Named:
    """A record that may be read; ``name`` is "" where its name is blank or may not be read."""

    object: ObjectDef
    id: UUID
    name: str


def named(call: Call, wanted: Iterable[tuple[str, UUID]], reader: Reader | None = None) -> dict[UUID, Named]:
    """Of records given as (uid of the object, id) those that this person may read; a statement an object."""
    if reader is None:
        with call.tenant.store.read() as own:
            return named(call, wanted, own)
    by_uid: dict[str, list[UUID]] = {}
    for uid, id in wanted:
        by_uid.setdefault(uid, []).append(id)
    objects = {each.uid: each for each in call.gate.objects() if each.uid in by_uid}
    found: dict[UUID, Named] = {}
    for uid, object in objects.items():
        if call.gate.may(object, "read"):
            found.update(_of(call, reader, object, by_uid[uid]))
    return found


def _of(call: Call, reader: Reader, object: ObjectDef, ids: Iterable[UUID]) -> Mapping[UUID, Named]:
    shown = call.gate.can_read(object.fields[object.name_field])

    def make() -> _Plan:
        source = Source(call.gate, call.tables, object)
        gate = call.gate
        name = source.column(gate.resolve(object, object.name_field if shown else "id"))
        chosen = source.select(source.id, name).where(in_ids(reader.store.dialect, source.id))
        return _Plan(prepare(call.tenant.store, chosen), tuple(source.tables_used()))

    plan = kept(call, "named", object, make, call.gate.footprint(object))
    given = {**call.gate.viewer(), "ids": ids_value(reader.store.dialect, sorted(set(ids)))}
    return {
        uuid_of(id): Named(object, uuid_of(id), str(name) if shown and name is not None else "")
        for id, name in reader.rows(plan.statement, given)
    }
