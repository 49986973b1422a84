"""Parts of a record (master-detail): they have their parent's owner, so that access to them is access to it.

The owner is written with every part that is made, moved or restored, and follows when the parent's changes,
in the same transaction (decision 0021).
"""

from __future__ import annotations

from functools import partial
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.dependencies import EXISTS
from tabwright.metadata.model import FieldDef, Model, ObjectDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.errors import Conflict, Denied
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.records.batch import Batch, Intent, Row, Work
from tabwright.runtime.records.loading import call_piece
from tabwright.runtime.records.moving import dependencies

_AT_ONCE = 10_000


def inherit(batch: Batch, work: Work) -> None:
    """New, moved and restored parts get the owner of their parent; without a living one none is restored."""
    name = batch.object.master
    if name is None:
        return
    by_parent: dict[UUID, list[Row]] = {}
    for row in batch.good:
        moved = row.action == "update" and (name in row.sent or "owner" in row.sent)
        if (
            row.new is not None
            and row.new[name] is not None
            and (moved or row.action in ("create", "restore"))
        ):
            by_parent.setdefault(row.new[name], []).append(row)
    if not by_parent:
        return
    parent = work.model.objects[batch.object.fields[name].target or ""]
    writes = _is_written(batch, work, parent)
    make = partial(_parents, work, parent, writes)
    statement = call_piece(batch, work, "parents", make, parent.digest, writes)
    wanted = set(by_parent)
    if writes:  # the parent that a part leaves is written too, and locked in its turn
        left = (row.old[name] for rows in by_parent.values() for row in rows if row.old is not None)
        wanted.update(id for id in left if id is not None)
    given = {"ids": ids_value(work.writer.store.dialect, sorted(wanted))}
    for id, owner, kind, deleted_at in work.writer.rows(statement, given):
        rows = by_parent.pop(uuid_of(id), [])
        for row in rows:
            assert row.new is not None
            row.new["owner"], row.new["owner_kind"] = None if owner is None else uuid_of(owner), kind
            if row.action == "restore" and row.old is not None:
                if deleted_at is not None:
                    row.refuse("record.parent_deleted", name, kind=Conflict)
                elif row.new["owner"] != row.old["owner"]:
                    row.changed = ["owner"]
    for rows in by_parent.values():
        for row in rows:
            if row.action == "restore":
                row.refuse("record.parent_deleted", name, kind=Conflict)


def _is_written(batch: Batch, work: Work, parent: ObjectDef) -> bool:
    """Whether the parent will be written too, since it adds up its parts."""
    known = dependencies(work.call.tenant, work.model)
    return any(edge.owner == parent.name for edge in known.elsewhere(batch.object.name, (EXISTS,)))


def _parents(work: Work, parent: ObjectDef, writes: bool) -> Prepared:
    table = work.call.tables.of(parent)
    main = table.main.c
    chosen = sa.select(table.id, main.owner_id, main.owner_kind, table.deleted_at)
    chosen = chosen.where(in_ids(table.dialect, table.id)).order_by(table.id)
    # Whoever gives the parent to somebody else at this moment waits for us, or we for him and then we see it.
    # Two who both will write the parent must not share it first: each would wait for the other.
    lock = chosen.with_for_update(key_share=True) if writes else chosen.with_for_update(read=True)
    return prepare(work.writer.store, lock)


def check(batch: Batch, work: Work) -> None:
    """Who adds a part to a record, or moves one there, must be allowed to change that record."""
    name = batch.object.master
    if name is None:
        return
    arriving: list[Row] = []
    for row in batch.rows:
        if row.new is None or row.new[name] is None or row.has_fault_at(name):
            continue
        arrives = row.action == "create" or (row.action == "update" and name in row.changed)
        if arrives:
            arriving.append(row)
    if not arriving:
        return
    parent, level = work.gate.parent_of(batch.object, "edit")
    # A part that arrives holds its parent's owner.
    asked = [Asked(row.new[name], row.new["owner"]) for row in arriving if row.new is not None]
    open_to = allowed(work.call.tenant, work.gate, work.writer, parent, level, asked)
    for row in arriving:
        if row.new is not None and row.new[name] not in open_to:
            row.refuse("record.parent_denied", name, kind=Denied)


def hand_down(batch: Batch, work: Work) -> None:
    """After the write: parts follow the new owner of their parent."""
    if batch.stopped:
        return
    given = [row.id for row in batch.rows if row.changes and "owner" in row.changed and row.id is not None]
    if not given:
        return
    for field in parts_of(work.model, batch.object):
        part = work.model.objects[field.object]
        statement = call_piece(
            batch, work, "following", lambda field=field: _following(work, field), field.path, part.digest
        )
        ids = {"ids": ids_value(work.writer.store.dialect, given)}
        while found := work.writer.rows(statement, ids):
            intents = [
                Intent("update", uuid_of(id), {"owner": None if owner is None else uuid_of(owner)})
                for id, owner in found
            ]
            work.nested(work.operation.cause, field.object, intents)


def parts_of(model: Model, object: ObjectDef) -> tuple[FieldDef, ...]:
    """The fields by which other objects' records have their access from this one's."""
    children = model.children(object.name)
    return tuple(each for each in children if model.objects[each.object].master == each.name)


def _following(work: Work, field: FieldDef) -> Prepared:
    parent = work.call.tables.of(work.model.objects[field.target or ""]).main.alias("parent")
    table = work.call.tables.of(work.model.objects[field.object])
    joined = table.joined.join(parent, parent.c.id == table.column(field.name))
    chosen = sa.select(table.id, parent.c.owner_id).select_from(joined)
    differs = table.main.c.owner_id.is_distinct_from(parent.c.owner_id)
    chosen = chosen.where(in_ids(table.dialect, parent.c.id), table.deleted_at.is_(None), differs)
    return prepare(work.writer.store, chosen.limit(_AT_ONCE))
