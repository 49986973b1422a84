"""What a release means for owners: records that became parts of others take over the owners of those."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.database import Writer, prepare
from tabwright.runtime.storage.tables import Tables


def inherit_owners(writer: Writer, old: Model | None, new: Model, tables: Tables) -> None:
    """Set the owners of objects whose parent is another one than before, and of what hangs on them.

    One statement an object, over its filled parents; a field that is new has none.
    """
    if old is None:
        return
    was = {each.uid: _master(each) for each in old.objects.values()}
    moved: set[str] = set()
    for object in sorted(new.objects.values(), key=lambda each: _depth(each, new)):
        if object.master is None or object.uid not in was:
            continue
        target = object.fields[object.master].target or ""
        if was[object.uid] != _master(object) or target in moved:
            moved.add(object.name)
            _inherit(writer, object, new.objects[target], tables)


def _master(object: ObjectDef) -> str | None:
    return object.fields[object.master].uid if object.master else None


def _depth(object: ObjectDef, model: Model) -> int:
    depth = 0
    while object.master is not None:
        object = model.objects[object.fields[object.master].target or ""]
        depth += 1
    return depth


def _inherit(writer: Writer, object: ObjectDef, target: ObjectDef, tables: Tables) -> None:
    table, parent = tables.of(object), tables.of(target).main.alias("parent")
    joined = table.joined.join(parent, parent.c.id == table.column(object.master or ""))
    found = (
        sa.select(table.id.label("id"), parent.c.owner_id, parent.c.owner_kind)
        .select_from(joined)
        .where(table.main.c.owner_id.is_distinct_from(parent.c.owner_id))
        .subquery()
    )

    def of_parent(column: str) -> sa.ScalarSelect[Any]:
        return sa.select(found.c[column]).where(found.c.id == table.main.c.id).scalar_subquery()

    given = sa.update(table.main).where(table.main.c.id.in_(sa.select(found.c.id)))
    given = given.values(owner_id=of_parent("owner_id"), owner_kind=of_parent("owner_kind"))
    writer.run(prepare(writer.store, given), {})
