"""What follows for other records from a write: their stored computed fields are worked out again.

The records that see a change are found over the model's dependencies (``metadata.dependencies``), locked in
the order of their ids, and pass the pipeline as a nested batch without values; what they are made of is read
after the lock, so of two writers the later one sees what the earlier one wrote (decision 0030). Where they
are too many for one transaction, a job goes through them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.dependencies import EXISTS, Edge, Step
from tabwright.metadata.model import FieldDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.desk import Call
from tabwright.runtime.records.batch import Batch, Intent, Row, Work
from tabwright.runtime.records.moving import dependencies
from tabwright.runtime.storage.links import in_links, links_value

AT_ONCE = 5_000
"""Records that follow from a write in its own transaction; for more there is a job."""
RECOMPUTE = "roll_ups.recompute"
CAUSE = "roll_up"
_WRITTEN = ("updated_at", "updated_by", "revision")  # by every update


class _TooMany(Exception):
    """More records see the change than one transaction should write."""


def follow(batch: Batch, work: Work) -> None:
    """The stage ``roll_ups``: after the write, before what rules do."""
    if batch.stopped:
        return
    known = dependencies(work.call.tenant, work.model)
    starts: dict[tuple[str, tuple[Step, ...]], set[UUID]] = {}
    for row in batch.rows:
        if not row.changes or row.id is None:
            continue
        for edge in known.elsewhere(batch.object.name, _touched(row)):
            found = starts.setdefault((edge.owner, edge.route), set())
            found.update(_starts(batch, edge, row))
    seeing: dict[str, set[UUID] | None] = {}
    for (owner, route), ids in starts.items():
        so_far = seeing.setdefault(owner, set())
        if so_far is None or not ids:
            continue
        try:
            so_far |= _end(work, route, ids)
            if len(so_far) > AT_ONCE:
                raise _TooMany
        except _TooMany:
            seeing[owner] = None
    for owner, found_ids in seeing.items():
        if found_ids is None:
            _later(work, owner)
        elif found_ids:
            _refresh(work, owner, found_ids)


def _touched(row: Row) -> Iterable[str]:
    if row.action == "update":
        return (*row.changed, *_WRITTEN)
    return (EXISTS, *row.changed) if row.action in ("create", "delete", "restore") else ()


def _starts(batch: Batch, edge: Edge, row: Row) -> Iterable[UUID]:
    """Where the route from a changed record begins: with those that its reference names, or named."""
    first = edge.route[0]
    if first.way == "down":
        return () if row.id is None else (row.id,)
    field = batch.object.fields[first.column]
    kind = first.field.partition(".")[2]
    values = [values[first.column] for values in (row.old, row.new) if values is not None]
    return {each for each in values if each is not None and (not kind or field.target_of(each) == kind)}


def _end(work: Work, route: Sequence[Step], ids: set[UUID]) -> set[UUID]:
    """The records at the end of a route, living or not. The first step up has been taken already."""
    first, *rest = route
    if first.way == "down":
        rest = [first, *rest]
    for step in rest:
        if not ids:
            break
        ids = _down(work, step, ids) if step.way == "down" else _up(work, step, ids)
    return ids


def _down(work: Work, step: Step, ids: set[UUID]) -> set[UUID]:
    object = work.model.objects[step.object]
    field, table = object.fields[step.column], work.call.tables.of(object)

    def make() -> Prepared:
        column = table.column(field.name)
        named = in_links(column, table.dialect) if field.kinds else in_ids(table.dialect, column)
        chosen = sa.select(table.id).select_from(table.joined).where(named, table.deleted_at.is_(None))
        return prepare(work.writer.store, chosen.limit(AT_ONCE + 1))

    statement = work.call.tenant.piece("seeing", object, table, make, field.name)
    if field.kinds:
        kind = work.model.objects[step.field.partition(".")[2]]
        given = {"ids": links_value(kind.uid, sorted(ids), table.dialect)}
    else:
        given = {"ids": ids_value(table.dialect, sorted(ids))}
    found = {uuid_of(id) for (id,) in work.writer.rows(statement, given)}
    if len(found) > AT_ONCE:
        raise _TooMany
    return found


def _up(work: Work, step: Step, ids: set[UUID]) -> set[UUID]:
    object = work.model.objects[step.object]
    field, table = object.fields[step.column], work.call.tables.of(object)

    def make() -> Prepared:
        column = table.column(field.name)
        chosen = sa.select(column).select_from(table.joined)
        return prepare(
            work.writer.store, chosen.where(in_ids(table.dialect, table.id), column.is_not(None)).distinct()
        )

    statement = work.call.tenant.piece("seen_by", object, table, make, field.name)
    load, kind = table.codec(field.name).from_storage, step.field.partition(".")[2]
    found = [load(value) for (value,) in work.writer.rows(statement, {"ids": _ids(work, ids)})]
    return {each for each in found if not kind or field.target_of(each) == kind}


def _ids(work: Work, ids: Iterable[UUID]) -> object:
    return ids_value(work.writer.store.dialect, sorted(ids))


def _refresh(work: Work, owner: str, ids: set[UUID]) -> None:
    """Lock the living ones of some records, in the order of their ids, and have them worked out again."""
    object = work.model.objects[owner]
    table = work.call.tables.of(object)

    def make() -> Prepared:
        chosen = sa.select(table.id).where(in_ids(table.dialect, table.id), table.deleted_at.is_(None))
        return prepare(work.writer.store, chosen.order_by(table.id).with_for_update(key_share=True))

    statement = work.call.tenant.piece("refreshed", object, table, make)
    living = [uuid_of(id) for (id,) in work.writer.rows(statement, {"ids": _ids(work, ids)})]
    if living:
        work.nested(CAUSE, owner, [Intent("update", id) for id in living])


def _later(work: Work, owner: str) -> None:
    """Have a job go through the records. Until it has, their values may be those of before."""
    if not work.rehearsal:
        work.call.tenant.jobs.add(
            work.writer, RECOMPUTE, {"object": owner}, key=f"{RECOMPUTE}:{owner}", operation=work.operation.id
        )


def kept_values(call: Call, object: str) -> tuple[FieldDef, ...]:
    """The computed fields of an object that have a column."""
    found = call.model.objects[object].stored_fields
    return tuple(each for each in found if each.computed is not None)
