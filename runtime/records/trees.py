"""Trees: a record never hangs below itself, on whatever way its parent is given."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.records.batch import Batch, Row, Work
from tabwright.runtime.records.loading import call_piece

_SHOWN = 6  # records of a ring that are named


def check(batch: Batch, work: Work) -> None:
    """Refuses a parent that hangs below the record, or is the record; the rows of a batch count together."""
    field = batch.object.tree
    if field is None:
        return
    moved = {
        row.id: row
        for row in batch.good
        if row.id is not None
        and row.new is not None
        and row.new[field.name] is not None
        and row.action in ("update", "restore")  # on a new record nothing hangs
        and (row.action == "restore" or field.name in row.changed)
    }
    if not moved:
        return
    if work.writer.store.dialect == "postgresql":  # two moves at one moment could make a ring together
        lock = sa.text("SELECT pg_advisory_xact_lock(hashtext(:key))")
        work.writer.execute(lock, {"key": f"tree {work.writer.store.key} {field.uid}"})
    parents: dict[UUID, UUID | None] = _above(batch, work, field, moved)
    parents |= {id: row.new[field.name] for id, row in moved.items() if row.new is not None}
    for id, row in moved.items():
        ring = _ring(id, parents)
        if ring:
            row.refuse("record.ring", field.name, ring=_named(batch, work, ring))


def _ring(id: UUID, parents: Mapping[UUID, UUID | None]) -> list[UUID]:
    """The way from the record up to itself; empty when it ends elsewhere."""
    way, seen = [id], {id}
    at = parents.get(id)
    while at is not None and at != id:
        if at in seen:  # a ring that it hangs on, without being part of it
            return []
        seen.add(at)
        way.append(at)
        at = parents.get(at)
    return [*way, id] if at == id else []


def _above(batch: Batch, work: Work, field: FieldDef, moved: Mapping[UUID, Row]) -> dict[UUID, UUID | None]:
    """Each record above the new parents, with its own parent as it is stored."""
    statement = call_piece(batch, work, "above", lambda: _statement(batch, field))
    starts = {row.new[field.name] for row in moved.values() if row.new is not None}
    given = {"ids": ids_value(work.writer.store.dialect, sorted(starts))}
    return {
        uuid_of(id): None if parent is None else uuid_of(parent)
        for id, parent in work.writer.rows(statement, given)
    }


def _statement(batch: Batch, field: FieldDef) -> Prepared:
    store, table = batch.plan.store, batch.plan.table
    chosen = sa.select(table.id.label("id"), table.column(field.name).label("parent"))
    first = chosen.select_from(table.joined).where(in_ids(store.dialect, table.id))
    found = first.cte("above", recursive=True)
    joined = table.joined.join(found, table.id == found.c.parent)
    found = found.union(chosen.select_from(joined))
    return prepare(store, sa.select(found.c.id, found.c.parent))


def _named(batch: Batch, work: Work, ring: list[UUID]) -> str:
    """The ring in names, ``…`` for records that this person may not see."""
    table, object = batch.plan.table, batch.object
    store = batch.plan.store
    columns = table.id, table.column("owner"), table.column(object.name_field)
    chosen = sa.select(*columns).select_from(table.joined).where(in_ids(store.dialect, table.id))
    given = {"ids": ids_value(store.dialect, sorted(set(ring)))}
    there = [
        (Asked(uuid_of(id), None if owner is None else uuid_of(owner)), name)
        for id, owner, name in work.writer.rows(prepare(store, chosen), given)
    ]
    known = [each for each, _ in there]
    seen = allowed(work.call.tenant, work.gate, work.writer, object, "read", known)
    names = {each.id: str(name) for each, name in there if each.id in seen and name}
    shown = ring if len(ring) <= _SHOWN else [*ring[: _SHOWN - 1], None, ring[-1]]
    return " → ".join("…" if id is None else names.get(id, "…") for id in shown)
