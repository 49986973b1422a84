"""What a delete means for the records that refer to the deleted ones: refuse, empty the lookup, or delete
them too.

Restoring brings back what the same delete took along: the children, and the lookups that it emptied.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.links import Link
from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.errors import Conflict, LimitReached
from tabwright.platform.tables import ids_value, in_ids, json_of, uuid_of
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.journal.reading import followed_by
from tabwright.runtime.journal.tables import changes
from tabwright.runtime.records.batch import Batch, Intent, Row, Work
from tabwright.runtime.storage.links import in_links, links_value

MOST_DEEP = 8
MOST_FOLLOWING = 10_000  # of one lookup


def _referring(work: Work, field: FieldDef, target: ObjectDef, ids: list[UUID]) -> list[tuple[UUID, UUID]]:
    """(record, what it refers to) of the living records whose lookup names one of the target's ids."""
    object = work.model.objects[field.object]
    table = work.call.tables.of(object)

    def make() -> Prepared:
        column = table.column(field.name)
        chosen = sa.select(table.id, column).select_from(table.joined)
        named = in_links(column, table.dialect) if field.kinds else in_ids(table.dialect, column)
        chosen = chosen.where(named, table.deleted_at.is_(None))
        return prepare(work.writer.store, chosen.limit(MOST_FOLLOWING + 1))

    statement = work.call.tenant.piece("referring", object, table, make, field.name)
    if field.kinds:
        found = work.writer.rows(statement, {"ids": links_value(target.uid, ids, table.dialect)})
        return [(uuid_of(id), Link.of(named)) for id, named in found]
    found = work.writer.rows(statement, {"ids": ids_value(table.dialect, ids)})
    return [(uuid_of(id), uuid_of(named)) for id, named in found]


def restrict(batch: Batch, work: Work) -> None:
    """A record that others refer to by a restricting lookup is not deleted."""
    deleting = {row.id: row for row in batch.rows if row.action == "delete" and not row.faults and row.id}
    if not deleting:
        return
    for field in work.model.children(batch.object.name):
        if field.on_delete != "restrict":
            continue
        count: dict[UUID, int] = {}
        for id, target in _referring(work, field, batch.object, list(deleting)):
            if id not in deleting:
                count[target] = count.get(target, 0) + 1
        object = work.model.objects[field.object]
        # Also where the platform deletes what follows, it is a person who is told why not.
        gate = Gate(work.model, work.principal)
        known = gate.can_read(field) and gate.rule(object, "read").everything
        label = label_in(object.labels, work.language)
        for target, many in count.items():
            if known:
                deleting[target].refuse("record.in_use", kind=Conflict, count=many, object=label)
            else:
                deleting[target].refuse("record.in_use_by_others", kind=Conflict)
    if any(row.faults for row in batch.rows) and not batch.per_row:
        batch.stopped = True


def follow(batch: Batch, work: Work) -> None:
    """After the write: lookups to deleted records are emptied or their records deleted; restores bring
    back.
    """
    if batch.stopped:
        return
    deleted = [row for row in batch.rows if row.changes and row.action == "delete" and row.id]
    if deleted:
        _follow_deletes(batch, work, deleted)
    restored = [row for row in batch.rows if row.changes and row.action == "restore" and row.id]
    if restored:
        _follow_restores(batch, work, restored)


def _follow_deletes(batch: Batch, work: Work, rows: list[Row]) -> None:
    ids = [row.id for row in rows if row.id is not None]
    for field in work.model.children(batch.object.name):
        if field.on_delete == "restrict":
            continue
        found = _referring(work, field, batch.object, ids)
        if not found:
            continue
        if work.depth >= MOST_DEEP:
            raise LimitReached.at("record.too_deep", "delete_depth", MOST_DEEP)
        if len(found) > MOST_FOLLOWING:
            raise LimitReached.at("record.too_many", "bulk_rows", MOST_FOLLOWING)
        if field.on_delete == "cascade":
            intents = [Intent("delete", id) for id, _ in found if id not in batch.deleting]
        else:
            intents = [Intent("update", id, {field.name: None}) for id, _ in found]
        if intents:
            work.nested(work.operation.cause, field.object, intents)


def _follow_restores(batch: Batch, work: Work, rows: list[Row]) -> None:
    took = _deletes_of(work, rows)
    children = {field.path: field for field in work.model.children(batch.object.name)}
    numbers = {work.call.tables.of(object).number: object for object in _objects(work, children)}
    restored = {row.id for row in rows}
    for operation, at in took:
        by_object: dict[str, list[Intent]] = {}
        for change in followed_by(work.writer, operation, at):
            object = numbers.get(change.object_n)
            if object is None:
                continue
            if change.action == "delete":
                by_object.setdefault(object.name, []).append(Intent("restore", change.record_id))
            elif change.action == "update":
                values = _links(work, object, children, json_of(change.old), restored)
                if values:
                    by_object.setdefault(object.name, []).append(
                        Intent("update", change.record_id, values, seen=change.revision)
                    )
        for name, intents in by_object.items():
            _bring_back(work, name, intents)


def _bring_back(work: Work, object: str, intents: list[Intent]) -> None:
    # What was purged, restored or filled since is nobody's loss: only what still fits comes back.
    table = work.call.tables.of(work.model.objects[object])
    state = prepare(
        work.writer.store,
        sa.select(table.id, table.deleted_at.is_not(None)).where(in_ids(table.dialect, table.id)),
    )
    ids = [intent.id for intent in intents if isinstance(intent.id, UUID)]
    found = {
        uuid_of(id): bool(gone)
        for id, gone in work.writer.rows(state, {"ids": ids_value(table.dialect, ids)})
    }
    fitting = [
        intent
        for intent in intents
        if found.get(intent.id) is (intent.action == "restore")  # type: ignore[arg-type]
    ]
    if fitting:
        if work.depth >= MOST_DEEP:
            raise LimitReached.at("record.too_deep", "delete_depth", MOST_DEEP)
        work.nested(work.operation.cause, object, fitting)


def _objects(work: Work, children: dict[str, FieldDef]) -> list[ObjectDef]:
    return [work.model.objects[name] for name in dict.fromkeys(field.object for field in children.values())]


def _links(
    work: Work, object: ObjectDef, children: dict[str, FieldDef], old: Any, restored: set[UUID | None]
) -> dict[str, Any]:
    table = work.call.tables.of(object)
    names = {
        table.field_number(field.name): field.name
        for field in children.values()
        if field.object == object.name
    }
    values = {}
    for key, value in old or ():
        name = names.get(key)
        named = table.codec(name).from_journal(value) if name is not None else None
        if name is not None and named in restored and named is not None:
            values[name] = named
    return values


def _deletes_of(work: Work, rows: list[Row]) -> list[tuple[UUID, Any]]:
    """The operations that put the rows into the recycle bin, with their time."""
    dialect = work.writer.store.dialect
    chosen = sa.select(changes.c.record_id, changes.c.revision, changes.c.operation_id)
    chosen = chosen.where(in_ids(dialect, changes.c.record_id), changes.c.action == "delete")
    ids = [row.id for row in rows if row.id is not None]
    latest: dict[UUID, tuple[int, UUID]] = {}
    for record, revision, operation in work.writer.rows(
        prepare(work.writer.store, chosen), {"ids": ids_value(dialect, ids)}
    ):
        id = uuid_of(record)
        if id not in latest or revision > latest[id][0]:
            latest[id] = (revision, uuid_of(operation))
    when = {row.id: row.old["deleted_at"] for row in rows if row.old is not None}
    return list({operation: when[id] for id, (_, operation) in latest.items()}.items())
