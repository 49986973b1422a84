"""Search rows after a publish: which objects are searched otherwise than before, and doing it again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.tables import uuid_of
from tabwright.runtime.publishing.consequences import RATES, LongStep, count_rows
from tabwright.runtime.search.keeping import SearchIndex, classes_of
from tabwright.runtime.search.tables import search_row, search_text
from tabwright.runtime.storage.apply import row_counter
from tabwright.runtime.storage.changes import DATA_ROWS
from tabwright.runtime.storage.tables import Physical, RecordTable, Tables

if TYPE_CHECKING:
    from tabwright.platform.database import Reader, Writer

CHUNK = 500


@dataclass(frozen=True, slots=True)
class Reindexed:
    """Objects done in the publish, and those with too many records for it."""

    done: tuple[str, ...]
    large: tuple[str, ...]


def stale_objects(old: Model | None, new: Model, same: Collection[str]) -> tuple[str, ...]:
    """Objects whose fields are searched by other readers, or other fields are searched, than before."""
    if old is None:
        return ()
    rights_moved = dict(old.permission_sets) != dict(new.permission_sets)
    before = {each.uid: each for each in old.objects.values()}
    found = []
    for name, object in new.objects.items():
        if name in same and not rights_moved:
            continue
        was = before.get(object.uid)
        if was is None or _classes(old, was) != _classes(new, object):
            found.append(name)
    return tuple(found)


def _classes(model: Model, object: ObjectDef) -> dict[str, frozenset[str]]:
    uids = {name: each.uid for name, each in object.fields.items()}
    return {
        id: frozenset(uids[name] for name in names) for id, names in classes_of(model, object).items()
    } | {"name": frozenset({uids[object.name_field]})}


def reindex(writer: Writer, names: Collection[str], model: Model, tables: Tables) -> Reindexed:
    """Do the search rows of small objects again; say which are large."""
    count = row_counter(writer)
    done, large = [], []
    for name in names:
        table = tables.of(model.objects[name])
        rows = count(table.number)
        if rows > DATA_ROWS:
            large.append(name)
        elif rows:
            searching = Searching(writer, model, table)
            after = None
            while (after := searching.chunk(writer, after)) is not None:
                pass
            done.append(name)
    return Reindexed(tuple(done), tuple(large))


def large_objects(
    reader: Reader, names: Collection[str], model: Model, physical: Physical
) -> tuple[LongStep, ...]:
    """The objects whose search rows a job will do again."""
    count, found = row_counter(reader), []
    for name in names:
        own = physical.object(model.objects[name].uid)
        if own is not None and count(own.n) > DATA_ROWS:
            rows = count_rows(reader, own.n)
            found.append(LongStep("search", name, "", "after", rows, -(-rows // RATES["search"])))
    return tuple(found)


class Searching:
    """Does the search rows of an object again, chunk by chunk."""

    def __init__(self, writer: Writer, model: Model, table: RecordTable) -> None:
        classes = classes_of(model, table.object)
        self._index = SearchIndex(writer.store, table.object, table.number, classes)
        self._table = table
        searched = {name for names in classes.values() for name in names}
        self._fields = sorted(searched | {table.object.name_field})
        self._query = sa.select(
            table.id, table.deleted_at, *(table.column(name) for name in self._fields)
        ).select_from(table.joined)

    def chunk(self, writer: Writer, after: Any, size: int = CHUNK) -> Any:
        """The next records after a stored id; the id to go on from, None at the end."""
        query = self._query.order_by(self._table.id).limit(size)
        if after is not None:
            query = query.where(self._table.id > after)
        rows = writer.execute(query).all()
        ids = [uuid_of(row[0]) for row in rows]
        self._index.remove(writer, ids)
        self._index.add(writer, list(self._alive(rows)))
        return rows[-1][0] if len(rows) == size else None

    def _alive(self, rows: Any) -> Iterator[tuple[UUID, dict[str, Any]]]:
        loads = [self._table.codec(name).from_storage for name in self._fields]
        for id, deleted, *values in rows:
            if deleted is None:
                typed = {
                    name: load(value) for name, load, value in zip(self._fields, loads, values, strict=True)
                }
                yield uuid_of(id), typed


def forget(writer: Writer, object_n: int) -> None:
    """Delete the search rows of a table that is gone for good."""
    of_object = search_row.c.object_n == object_n
    if writer.store.dialect == "sqlite":
        chosen = sa.select(sa.literal("delete"), search_row.c.rid, search_row.c.tokens).where(of_object)
        writer.execute(sa.insert(search_text).from_select(["search_text", "rowid", "tokens"], chosen))
    writer.execute(sa.delete(search_row).where(of_object))
