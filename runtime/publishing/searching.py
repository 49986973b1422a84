"""Search rows after a publish: which objects are searched otherwise than before, and doing it again."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.tables import uuid_of
from tabwright.runtime.publishing.consequences import RATES, LongStep, count_rows
from tabwright.runtime.search.keeping import SearchIndex, marks_of
from tabwright.runtime.search.learning import forget_words, learn_records
from tabwright.runtime.search.tables import search_row, search_text
from tabwright.runtime.storage.apply import row_counter
from tabwright.runtime.storage.changes import DATA_ROWS
from tabwright.runtime.storage.tables import Physical, RecordTable, Tables

if TYPE_CHECKING:
    from tabwright.platform.database import Reader, Writer
    from tabwright.runtime.desk import TenantRuntime

CHUNK = 500


def stale_objects(old: Model | None, new: Model, same: Collection[str]) -> tuple[str, ...]:
    """Objects of which other fields are searched than before, or another one as the name. Rights are no
    matter of the rows: each search looks at those of its moment.
    """
    if old is None:
        return ()
    before = {each.uid: each for each in old.objects.values()}
    return tuple(
        name
        for name, object in new.objects.items()
        if name not in same
        and ((was := before.get(object.uid)) is None or _searched(was) != _searched(object))
    )


def _searched(object: ObjectDef) -> tuple[frozenset[str], str]:
    return frozenset(marks_of(object)), object.fields[object.name_field].uid


def reindex(writer: Writer, names: Collection[str], model: Model, tables: Tables) -> None:
    """Do the search rows of some objects again."""
    count = row_counter(writer)
    for name in names:
        table = tables.of(model.objects[name])
        if count(table.number):
            searching = Searching(writer, model, table)
            after = None
            while (after := searching.chunk(writer, after)) is not None:
                pass


def reindex_all(tenant: TenantRuntime) -> None:
    """Do the search rows of every record of a tenant, a chunk a transaction."""
    model = tenant.at_release()
    tables = tenant.tables(model)
    for object in model.objects.values():
        table, after, more = tables.of(object), None, True
        while more:
            with tenant.store.write() as writer:
                after = Searching(writer, model, table).chunk(writer, after)
            more = after is not None


def large_of(reader: Reader, names: Collection[str], model: Model, physical: Physical) -> tuple[str, ...]:
    """Which of the objects have too many records for a publish to do their search rows."""
    count, found = row_counter(reader), []
    for name in names:
        own = physical.object(model.objects[name].uid)
        if own is not None and count(own.n) > DATA_ROWS:
            found.append(name)
    return tuple(found)


def large_objects(
    reader: Reader, names: Collection[str], model: Model, physical: Physical
) -> tuple[LongStep, ...]:
    """The objects whose search rows a job will do again."""
    found = []
    for name in large_of(reader, names, model, physical):
        own = physical.object(model.objects[name].uid)
        assert own is not None
        rows = count_rows(reader, own.n)
        found.append(LongStep("search", name, "", "after", rows, -(-rows // RATES["search"])))
    return tuple(found)


class Searching:
    """Does the search rows of an object again, chunk by chunk."""

    def __init__(self, writer: Writer, model: Model, table: RecordTable) -> None:
        marks = marks_of(table.object)
        self._index = SearchIndex(writer.store, table.object, table.number, marks)
        self._table = table
        self._fields = sorted({*marks.values(), table.object.name_field})
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
        learn_records(writer, ids)
        if len(rows) == size:
            return rows[-1][0]
        forget_words(writer, self._table.number, keep=self._index.marks)
        return None

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
        writer.execute(sa.insert(search_text).from_select([search_text.name, "rowid", "tokens"], chosen))
    writer.execute(sa.delete(search_row).where(of_object))
    forget_words(writer, object_n)
