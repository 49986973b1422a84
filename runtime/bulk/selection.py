"""Which records somebody chose: those that they ticked, or all that a list finds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import prepare
from tabwright.platform.errors import Invalid, LimitReached, Place
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.desk import Call
from tabwright.runtime.query.asked import Order, Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.query.source import Source


@dataclass(frozen=True, slots=True)
class Selection:
    """``ids`` in the order of the list; None: all that ``where`` finds, in ``order``."""

    ids: tuple[UUID, ...] | None
    where: str = ""
    order: Order = ()


def ids_of(call: Call, object: ObjectDef, selection: Selection) -> tuple[UUID, ...]:
    """The ids of the records that are chosen now and may be read.

    Raises Invalid where there are none, LimitReached (``bulk_records``) where there are more than
    one change may take.
    """
    most = call.tenant.limits.bulk_records
    if selection.ids is not None:
        found = _readable(call, object, list(dict.fromkeys(selection.ids))[: most + 1])
    else:
        asked = Query(object.name, ("id",), where=selection.where, order=selection.order)
        found = tuple(row["id"] for row in Reads(call).stretch(asked, most + 1).rows)
    if not found:
        raise Invalid.of("bulk.nothing_chosen", Place(object=object.name))
    if len(found) > most:
        raise LimitReached.at("bulk.too_many", "bulk_records", most, Place(object=object.name))
    return found


def _readable(call: Call, object: ObjectDef, ids: Sequence[UUID]) -> tuple[UUID, ...]:
    call.gate.require(object, "read")
    source = Source(call.gate, call.tables, object)
    dialect = call.tables.dialect
    statement = prepare(call.tenant.store, source.select(source.id).where(in_ids(dialect, source.id)))
    with call.tenant.store.read() as reader:
        rows = reader.rows(statement, {**call.gate.viewer(), "ids": ids_value(dialect, ids)})
    found = {uuid_of(row[0]) for row in rows}
    return tuple(id for id in ids if id in found)


def pack(ids: Iterable[UUID]) -> bytes:
    """Ids as a part keeps them."""
    return b"".join(id.bytes for id in ids)


def unpack(kept: bytes) -> tuple[UUID, ...]:
    """What ``pack`` made."""
    return tuple(UUID(bytes=bytes(kept[at : at + 16])) for at in range(0, len(kept), 16))
