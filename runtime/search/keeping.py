"""Keeping the search rows of an object: which fields are searched, and their upkeep.

A record has one row. Each of its tokens begins with the mark of the field that it stands in, and a search
asks for the marks that the seeker may read at that moment: nobody finds a record by a field that is hidden
from them, whenever it was hidden (decision 0011).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import REGCLASS

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Prepared, Store, Writer, prepare
from tabwright.platform.tables import ids_value, in_ids
from tabwright.runtime.filing.refs import joined_names
from tabwright.runtime.richtext import plain
from tabwright.runtime.search.tables import search_row, search_text
from tabwright.runtime.search.tokens import tokens_of

if TYPE_CHECKING:
    from tabwright.runtime.desk import Call

MARK_LETTERS = 6  # of five bits: two fields of an object that share a mark are one in a thousand million


def searched_fields(object: ObjectDef) -> tuple[FieldDef, ...]:
    """The fields of an object that global search looks at; none when the object is not searched."""
    if not object.searchable:
        return ()
    return tuple(
        field
        for field in object.stored_fields
        if TYPES[field.type].searched and (field.searchable or field.name == object.name_field)
    )


def marks_of(object: ObjectDef) -> Mapping[str, str]:
    """Mark -> name of each searched field. A field's mark is six letters and digits, the same for ever and
    unlike that of any other field: its tokens begin with it.
    """
    return {mark_of(str(field.uid)): field.name for field in searched_fields(object)}


def mark_of(thing: str) -> str:
    """The mark of the tokens of a thing that has a name for ever."""
    digest = hashlib.sha256(thing.encode()).digest()
    return base64.b32encode(digest)[:MARK_LETTERS].decode().lower()


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    return _Statements(store)


class _Statements:
    def __init__(self, store: Store) -> None:
        sqlite = store.dialect == "sqlite"
        names = ["record_id", "object_n", "tokens"]
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
                store, sa.insert(search_text).from_select([search_text.name, "rowid", "tokens"], chosen)
            )
        binds = {name: sa.bindparam(name, type_=search_row.c[name].type) for name in names}
        self.insert = prepare(store, sa.insert(search_row).values(binds))
        self.columns = names
        self.delete = prepare(
            store, sa.delete(search_row).where(in_ids(store.dialect, search_row.c.record_id))
        )


class SearchIndex:
    """The search rows of one object."""

    def __init__(self, store: Store, object: ObjectDef, number: int, marks: Mapping[str, str]) -> None:
        self.marks = marks
        self._number = number
        self._fields = frozenset(marks.values())
        self._name = object.name_field
        self._rich = frozenset(each.name for each in object.stored_fields if each.rich_text)
        self._files = frozenset(each.name for each in object.stored_fields if each.holds_files)
        self._sqlite = store.dialect == "sqlite"

    def concerns(self, changed: Iterable[str]) -> bool:
        """Whether a change of these fields changes the rows."""
        return not self._fields.isdisjoint(changed)

    def tokens_of(self, values: Mapping[str, Any]) -> str:
        """The tokens of a record given as typed values, between spaces, each behind its field's mark."""
        found: list[str] = []
        for mark, field in self.marks.items():
            if text := values[field]:
                text = plain(text) if field in self._rich else text
                text = joined_names(text) if field in self._files else text
                text = str(text)  # an address on one line
                tokens = tokens_of((), (text,)) if field == self._name else tokens_of((text,))
                if tokens:
                    found.append(mark + f" {mark}".join(tokens))
        return " ".join(found)

    def add(self, writer: Writer, records: Sequence[tuple[UUID, Mapping[str, Any]]]) -> None:
        """Write the rows of records that have none. A constant number of statements."""
        if not records:
            return
        statements = _statements(writer.store)
        made = ((id, self._number, tokens) for id, values in records if (tokens := self.tokens_of(values)))
        if not self._sqlite:
            writer.insert_many(statements.insert, statements.insert.ordered(made, statements.columns))
            return
        first = writer.rows(statements.last)[0][0] + 1
        rows = [(at, id.bytes, number, tokens) for at, (id, number, tokens) in enumerate(made, first)]
        writer.insert_many(statements.insert, statements.insert.ordered(rows, statements.columns))
        writer.insert_many(statements.insert_text, [(at, tokens) for at, _, _, tokens in rows])

    def remove(self, writer: Writer, ids: Sequence[UUID]) -> None:
        """Delete the rows of records."""
        if not ids:
            return
        statements = _statements(writer.store)
        given = {"ids": ids_value(writer.store.dialect, ids)}
        if self._sqlite:
            writer.run(statements.forget_text, given)
        writer.run(statements.delete, given)


def index_of(call: Call, object: ObjectDef) -> SearchIndex | None:
    """The search rows of an object under the call's model; None when nothing of it is searched."""
    if not searched_fields(object):
        return None
    model, table = call.model, call.tables.of(object)
    return call.tenant.piece(
        "search",
        object,
        table,
        lambda: SearchIndex(call.tenant.store, object, table.number, marks_of(object)),
        model.digest,
        model.release,
    )


def tidy(writer: Writer) -> None:
    """Move what writers left in the indexes' pending lists (PostgreSQL) to its place, so that searches stay
    quick.
    """
    if writer.store.dialect == "postgresql":
        for index in ("search_entry_tokens", "search_note_tokens"):
            name = f'"{writer.store.schema}".{index}' if writer.store.schema else index
            writer.execute(sa.select(sa.func.gin_clean_pending_list(sa.cast(name, REGCLASS))))
