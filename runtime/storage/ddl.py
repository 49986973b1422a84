"""DDL on one open transaction, through Alembic's Operations, with the guards that SQLite needs.

Names are generated ones only (``o1``, ``o1x``, ``f2``, ``s2``, ``u2``, ``r2``, ``i3``); nothing that an admin
typed comes here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy.schema import CreateIndex, CreateTable

from tabwright.runtime.storage.columns import Shape, column_type
from tabwright.runtime.storage.tables import Entry, main_table, side_table

if TYPE_CHECKING:
    from tabwright.platform.database import Reader

# What stands for a blank in a unique rule over several fields: a value that no field can hold.
# SQLite compares values of different types, so the empty text serves all; PostgreSQL has one per type.
_BLANKS: dict[str, str] = {
    "text": "''",
    "integer": str(-(2**63)),
    "number": "NUMERIC 'NaN'",
    "choices": "''",
    "json": "''",
    "secret": "''",
    "files": "''",
    "time": "-1",
    "date": "DATE '-infinity'",
    "datetime": "TIMESTAMPTZ '-infinity'",
    "reference": "UUID '00000000-0000-0000-0000-000000000000'",
}


@dataclass(frozen=True, slots=True)
class Term:
    """One term of an index: a column, descending or not, with blank counted as a value or not."""

    column: str
    way: str
    descending: bool = False
    blank: bool = False

    def expression(self, table: sa.Table) -> sa.ColumnElement[Any]:
        """What a query must say to use the index (without the direction)."""
        column = table.c[self.column]
        if not self.blank:
            return column
        if isinstance(column.type, (sa.Boolean,)):
            return sa.func.coalesce(sa.cast(column, sa.Integer), sa.literal_column("2"))
        on_sqlite = not _is_postgresql(column)
        return sa.func.coalesce(column, sa.literal_column("''" if on_sqlite else _BLANKS[self.way]))

    def as_json(self) -> list[Any]:
        return [self.column, self.way, self.descending, self.blank]


def _is_postgresql(column: sa.Column[Any]) -> bool:
    assert column.table is not None
    return bool(column.table.info["dialect"] == "postgresql")


@dataclass(frozen=True, slots=True)
class IndexSpec:
    """An index as it should be; equal specs need no DDL. It leaves deleted records out.

    With a ``mark`` (``r<n>``) it holds, instead, the rows that a conversion has not seen as they are now.
    """

    terms: tuple[Term, ...]
    unique: bool = False
    mark: str | None = None

    def as_json(self) -> dict[str, Any]:
        terms = [term.as_json() for term in self.terms]
        return {"terms": terms, "unique": self.unique} | ({"mark": self.mark} if self.mark else {})

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> IndexSpec:
        return cls(tuple(Term(*term) for term in stored["terms"]), stored["unique"], stored.get("mark"))

    def where(self, table: sa.Table) -> sa.ColumnElement[bool]:
        """Which records the index holds."""
        if self.mark:
            return table.c[self.mark].is_distinct_from(table.c.rev)
        alive: sa.ColumnElement[bool] = table.c.deleted_at.is_(None)
        if not self.unique:
            return alive
        # Records with all of the fields blank never clash.
        return alive & sa.or_(*(table.c[term.column].is_not(None) for term in self.terms))

    def index(self, n: int, table: sa.Table, concurrently: bool = False) -> sa.Index:
        """The index ``i<n>`` on the object's main table."""
        if self.mark and self.mark not in table.c:
            table.append_column(sa.Column(self.mark, sa.BigInteger()))
        held = self.where(table)
        terms = [
            each.expression(table).desc() if each.descending else each.expression(table)
            for each in self.terms
        ]
        return sa.Index(
            f"i{n}",
            *terms,
            unique=self.unique,
            _table=table,
            sqlite_where=held,
            postgresql_where=held,
            postgresql_concurrently=concurrently,
        )


class Ddl:
    """The DDL verbs, in the transaction of ``reader``; in ``Store.maintain()`` to build concurrently."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._store = reader.store
        self._seen: set[str] = set()
        self._mains: dict[tuple[Any, ...], sa.Table] = {}

    @cached_property
    def _operations(self) -> Operations:
        return Operations(MigrationContext.configure(self._reader.connection))

    def main(self, n: int, entries: Iterable[Entry]) -> sa.Table:
        """The main table with these columns, for DDL: its schema in its name."""
        columns = tuple(entries)
        key = n, *((each.n, *each.columns) for each in columns)
        known = self._mains.get(key)  # the same for all indexes of a table
        if known is None:
            metadata = sa.MetaData(schema=self._store.schema)
            known = self._mains[key] = main_table(n, columns, self._store.dialect, metadata)
        return known

    def keep_writers_out(self, n: int) -> None:
        """From here to the end of the transaction nobody writes to ``o<n>``; reading goes on."""
        if self._store.dialect == "postgresql":
            quote = self._store.sa_dialect.identifier_preparer.quote
            name = f"{quote(self._store.schema or 'public')}.{quote(f'o{n}')}"
            self._reader.execute(sa.text(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE"))

    def create_table(self, n: int, entries: Iterable[Entry]) -> None:
        """``o<n>`` with its columns."""
        self._create(self.main(n, entries))

    def create_side(self, n: int, entries: Iterable[Entry]) -> None:
        """``o<n>x`` with its columns."""
        self._create(side_table(n, entries, self._store.dialect, sa.MetaData(schema=self._store.schema)))

    def _create(self, table: sa.Table) -> None:
        self._reader.connection.execute(CreateTable(table))
        self._seen.add(table.name)

    def add_columns(self, table: str, columns: Sequence[tuple[str, Shape]]) -> None:
        """Nullable columns without default: no row is touched."""
        self._look(table)
        for name, shape in columns:
            column: sa.Column[Any] = sa.Column(name, column_type(shape, self._store.dialect), nullable=True)
            self._operations.add_column(table, column, schema=self._store.schema)

    def drop_columns(self, table: str, names: Sequence[str]) -> None:
        """Columns and their data, for good."""
        self._look(table)
        for name in names:
            self._operations.drop_column(table, name, schema=self._store.schema)

    def drop_table(self, table: str) -> None:
        """A table and its data, for good."""
        self._operations.drop_table(table, schema=self._store.schema, if_exists=True)

    def create_index(self, index: sa.Index) -> None:
        """An index as ``IndexSpec.index`` gives it."""
        self._look(index.table.name)  # type: ignore[union-attr]
        self._reader.connection.execute(CreateIndex(index))

    def drop_index(self, n: int, table: str, concurrently: bool = False) -> None:
        """The index ``i<n>``, if it is there."""
        self._look(table)
        self._operations.drop_index(
            f"i{n}",
            table_name=table,
            schema=self._store.schema,
            if_exists=True,
            postgresql_concurrently=concurrently,
        )

    def _look(self, table: str) -> None:
        """SQLite fails DDL of a table that another connection has changed until this one has looked at it."""
        if self._store.dialect == "sqlite" and table not in self._seen:
            named = sa.table(table, schema=self._store.schema)
            self._reader.connection.execute(sa.select(sa.literal_column("1")).select_from(named).limit(0))
            self._seen.add(table)
