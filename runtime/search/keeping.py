"""Keeping the search rows of an object: which fields are searched, in which rights classes, and their upkeep.

Fields that exactly the same permission sets may read form a class (decision 0011); a record has one row
per class
that has text, so nobody finds a record by a field that is hidden from them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS

from tabwright.metadata.model import FieldDef, Model, ObjectDef
from tabwright.platform.database import Prepared, Store, Writer, prepare
from tabwright.platform.tables import ids_value, in_ids
from tabwright.runtime.access.rights import field_right, named_by_all
from tabwright.runtime.search.tables import search_row, search_text
from tabwright.runtime.search.tokens import tokens_of

if TYPE_CHECKING:
    from tabwright.runtime.desk import Call

SEARCHED_TYPES = frozenset({"text", "long_text", "email", "phone", "url", "auto_number"})


def searched_fields(object: ObjectDef) -> tuple[FieldDef, ...]:
    """The fields of an object that global search looks at; none when the object is not searched."""
    if not object.searchable:
        return ()
    return tuple(
        field
        for field in object.own_fields
        if field.type in SEARCHED_TYPES and (field.searchable or field.name == object.name_field)
    )


def classes_of(model: Model, object: ObjectDef) -> Mapping[str, tuple[str, ...]]:
    """Class id -> names of the searched fields in it. Equal ids mean equal readers, in any release.

    What a set says of a field counts, whatever it allows with the object: that may come from another set.
    """
    sets = [model.permission_sets[uid] for uid in sorted(model.permission_sets)]
    found: dict[str, list[str]] = {}
    for field in searched_fields(object):
        readers = [each.uid for each in sets if field_right(each, field) != "none"]
        if named_by_all(object) and field.name == object.name_field:
            readers.insert(0, "everybody")
        id = hashlib.sha256(" ".join(readers).encode()).hexdigest()[:16]
        found.setdefault(id, []).append(field.name)
    return {id: tuple(names) for id, names in found.items()}


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    return _Statements(store)


class _Statements:
    def __init__(self, store: Store) -> None:
        sqlite = store.dialect == "sqlite"
        names = ["record_id", "object_n", "class", "tokens"]
        if sqlite:
            names.insert(0, "rid")
            self.last = prepare(store, sa.select(sa.func.coalesce(sa.func.max(search_row.c.rid), 0)))
            text = sa.insert(search_text).values(
                rowid=sa.bindparam("rowid", type_=sa.Integer), tokens=sa.bindparam("tokens", type_=sa.Text)
            )
            self.insert_text: Prepared = prepare(store, text)
            chosen = sa.select(sa.literal("delete"), search_row.c.rid, search_row.c.tokens).where(
                in_ids(store.dialect, search_row.c.record_id)
            )
            self.forget_text = prepare(
                store, sa.insert(search_text).from_select(["search_text", "rowid", "tokens"], chosen)
            )
        binds = {name: sa.bindparam(name, type_=search_row.c[name].type) for name in names}
        self.insert = prepare(store, sa.insert(search_row).values(binds))
        self.order = [names.index(name) for name in self.insert.names]
        self.delete = prepare(
            store, sa.delete(search_row).where(in_ids(store.dialect, search_row.c.record_id))
        )


class SearchIndex:
    """The search rows of one object under one model."""

    def __init__(
        self, store: Store, object: ObjectDef, number: int, classes: Mapping[str, Sequence[str]]
    ) -> None:
        self.classes = classes
        self._number = number
        self._fields = frozenset(name for names in classes.values() for name in names)
        self._plan = [
            (id, tuple(name for name in names if name != object.name_field), object.name_field in names)
            for id, names in classes.items()
        ]
        self._name = object.name_field
        self._sqlite = store.dialect == "sqlite"

    def concerns(self, changed: Iterable[str]) -> bool:
        """Whether a change of these fields changes the rows."""
        return not self._fields.isdisjoint(changed)

    def rows_of(self, values: Mapping[str, Any]) -> list[tuple[str, str]]:
        """(class, tokens between spaces) of a record given as typed values, for each class that has text."""
        found = []
        name = values[self._name]
        for id, others, named in self._plan:
            texts = [text for each in others if (text := values[each])]
            tokens = tokens_of(texts, (name,) if named and name else ())
            if tokens:
                found.append((id, " ".join(tokens)))
        return found

    def add(self, writer: Writer, records: Sequence[tuple[UUID, Mapping[str, Any]]]) -> None:
        """Write the rows of records that have none. A constant number of statements."""
        if not records:
            return
        statements = _statements(writer.store)
        number = self._number
        if not self._sqlite:
            made = [
                (id, number, kind, tokens) for id, values in records for kind, tokens in self.rows_of(values)
            ]
            writer.insert_many(statements.insert, _ordered(made, statements.order))
            return
        first = writer.rows(statements.last)[0][0]
        rows = []
        texts = []
        for id, values in records:
            for kind, tokens in self.rows_of(values):
                first += 1
                rows.append((first, id.bytes, number, kind, tokens))
                texts.append((first, tokens))
        writer.insert_many(statements.insert, _ordered(rows, statements.order))
        writer.insert_many(statements.insert_text, texts)

    def remove(self, writer: Writer, ids: Sequence[UUID]) -> None:
        """Delete the rows of records."""
        if not ids:
            return
        statements = _statements(writer.store)
        given = {"ids": ids_value(writer.store.dialect, ids)}
        if self._sqlite:
            writer.run(statements.forget_text, given)
        writer.run(statements.delete, given)


def _ordered(rows: list[tuple[Any, ...]], order: list[int]) -> list[tuple[Any, ...]]:
    if order == list(range(len(order))):
        return rows
    return [tuple([row[at] for at in order]) for row in rows]


def index_of(call: Call, object: ObjectDef) -> SearchIndex | None:
    """The search rows of an object under the call's model; None when nothing of it is searched."""
    if not searched_fields(object):
        return None
    model, table = call.model, call.tables.of(object)
    return call.tenant.piece(
        "search",
        object,
        table,
        lambda: SearchIndex(call.tenant.store, object, table.number, classes_of(model, object)),
        model.digest,
        model.release,
    )


def tidy(writer: Writer) -> None:
    """Move what writers left in the index's pending list (PostgreSQL) to its place, so that searches stay
    quick.
    """
    if writer.store.dialect == "postgresql":
        name = f'"{writer.store.schema}".search_row_tokens' if writer.store.schema else "search_row_tokens"
        writer.execute(sa.select(sa.func.gin_clean_pending_list(sa.cast(name, REGCLASS))))
