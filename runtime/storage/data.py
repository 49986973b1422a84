"""Data steps: filling a column from another, in chunks that can each be a transaction of its own.

A chunk reads some rows by id, computes in Python and writes them back with one joined UPDATE. Both the
publish (small tables, one transaction) and the job (large ones, a transaction a chunk) walk the same chunks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from tabwright.platform.database import prepare
from tabwright.runtime.records.arrays import Values
from tabwright.runtime.sort_keys import folded, sort_key
from tabwright.runtime.storage.changes import Convert, FillKey
from tabwright.runtime.storage.columns import WAYS, Conversion, Dialect, Shape, codec
from tabwright.runtime.storage.tables import Entry, main_table, side_table

if TYPE_CHECKING:
    from tabwright.platform.database import Reader, Writer

CHUNK = 1_000
_ID = Shape("reference")
_REV = Shape("integer")


@dataclass(slots=True)
class Result:
    """What a chunk did: rows seen, values that gave none, and where the next chunk starts (a stored id)."""

    rows: int
    lost: int
    last: Any


@dataclass(frozen=True)
class OwnTables:
    """Both tables of an object with just the columns that a step needs."""

    main: sa.Table
    side: sa.Table | None

    @classmethod
    def of(
        cls, n: int, entries: tuple[Entry, ...], dialect: Dialect, marks: tuple[str, ...] = ()
    ) -> OwnTables:
        metadata = sa.MetaData()
        main = main_table(n, [each for each in entries if each.side == "main"], dialect, metadata)
        for mark in marks:
            main.append_column(sa.Column(mark, sa.BigInteger()))
        in_side = [each for each in entries if each.side == "side"]
        return cls(main, side_table(n, in_side, dialect, metadata) if in_side else None)

    def column(self, entry: Entry, form: str = "f") -> sa.Column[Any]:
        table = self.main if entry.side == "main" else self.side
        assert table is not None
        return table.c[f"{form}{entry.n}"]

    @property
    def joined(self) -> sa.FromClause:
        return (
            self.main
            if self.side is None
            else self.main.outerjoin(self.side, self.main.c.id == self.side.c.id)
        )


class Put:
    """Writes computed values to columns of one table: (id, values...) rows, one statement a chunk."""

    def __init__(self, dialect: Dialect, table: sa.Table, columns: list[tuple[str, Shape]]) -> None:
        self._columns = [name for name, _ in columns]
        self._values = Values(dialect, [("id", _ID), *columns])
        c = self._values.c
        self._update = (
            sa.update(table).values({name: c[name] for name in self._columns}).where(table.c.id == c["id"])
        )
        self._insert: sa.Insert | None = None
        if table.name.endswith("x"):
            # The second table has a row only where something is filled.
            picked = sa.select(c["id"], *(c[name] for name in self._columns)).where(
                sa.or_(*(c[name].is_not(None) for name in self._columns)),
                ~sa.exists().where(table.c.id == c["id"]),
            )
            self._insert = sa.insert(table).from_select(["id", *self._columns], picked)

    def rows(self, writer: Writer, rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        parameters = self._values.parameters(rows)
        writer.execute(self._update, parameters)
        if self._insert is not None:
            writer.execute(self._insert, parameters)


class Filling:
    """One data step, ready to walk. ``chunk`` does the next rows in the transaction of a writer."""

    def __init__(self, step: Convert | FillKey, dialect: Dialect) -> None:
        self.step = step
        self.dialect = dialect
        if isinstance(step, FillKey):
            self._prepare_key(step)
        else:
            self._prepare_conversion(step)

    def _prepare_key(self, step: FillKey) -> None:
        own = OwnTables.of(step.n, (step.entry,), self.dialect)
        source, target = own.column(step.entry), own.column(step.entry, step.form)
        key = sort_key if step.form == "s" else folded
        main = own.main
        self._select = sa.select(main.c.id, main.c.rev, source).select_from(own.joined)
        self._where: list[sa.ColumnElement[bool]] = []
        self._compute: Callable[[tuple[Any, ...]], tuple[Any, ...]] = lambda row: (
            None if row[2] is None else key(row[2]),
        )
        self._puts: list[tuple[Put, tuple[int, ...]]] = [
            (Put(self.dialect, target.table, [(target.name, Shape("text"))]), (0,))
        ]
        self._main = main

    def _prepare_conversion(self, step: Convert) -> None:
        has_mark = bool(step.new.storage.get("mark"))
        mark = f"r{step.new.n}"
        former = tuple(entry for entry, _ in step.former)
        entries = (step.old, step.new, *former)
        own = OwnTables.of(step.n, entries, self.dialect, (mark,) if has_mark else ())
        main = own.main
        columns_read = (own.column(entry) for entry in (step.old, *former))
        self._select = sa.select(main.c.id, main.c.rev, *columns_read).select_from(own.joined)
        self._where = [main.c[mark].is_distinct_from(main.c.rev)] if has_mark else []
        forms = [("f", step.new.shape)]
        forms += [("s", Shape("text"))] if step.new.sort else []
        forms += [("u", Shape("text"))] if step.new.fold else []
        columns = [(f"{form}{step.new.n}", shape) for form, shape in forms]
        target = own.column(step.new).table
        self._puts = [(Put(self.dialect, target, columns), tuple(range(len(columns))))]
        if has_mark:
            self._puts.append((Put(self.dialect, main, [(mark, _REV)]), (-1,)))
        convert = converter(step, self.dialect)
        sort, fold = bool(step.new.sort), bool(step.new.fold)

        def compute(row: tuple[Any, ...]) -> tuple[Any, ...]:
            value = convert(row[2], row[3:])
            keys = [None if value is None else sort_key(value)] if sort else []
            keys += [None if value is None else folded(value)] if fold else []
            return (value, *keys, row[1])

        self._compute = compute
        self._main = main

    def only_since(self, moment: Any) -> None:
        """From now on only rows that were written since a stored moment."""
        self._where = [*self._where, self._main.c.updated_at >= moment]

    def chunk(self, writer: Writer, after: Any = None, size: int = CHUNK) -> Result:
        """The next rows after the stored id ``after``. ``rows`` below ``size``: that was the last chunk."""
        query = self._select.order_by(self._main.c.id).limit(size)
        if after is not None:
            query = query.where(self._main.c.id > after)
        for each in self._where:
            query = query.where(each)
        if self.dialect == "postgresql":
            query = query.with_for_update(of=self._main)
        rows = [tuple(row) for row in writer.execute(query)]
        computed = [(row, self._compute(row)) for row in rows]
        for put, at in self._puts:
            put.rows(writer, [(row[0], *(values[n] for n in at)) for row, values in computed])
        lost = sum(row[2] is not None and values[0] is None for row, values in computed)
        return Result(len(rows), lost, rows[-1][0] if rows else after)

    def all(self, writer: Writer) -> int:
        """Every row, in one transaction; how many values gave none."""
        after, lost = None, 0
        while True:
            done = self.chunk(writer, after)
            lost += done.lost
            if done.rows < CHUNK:
                return lost
            after = done.last


def converter(step: Convert, dialect: Dialect) -> Callable[[Any, Sequence[Any]], Any]:
    """(stored old value, stored former ones) to the stored new value; None where it does not convert.

    Without former values (an empty sequence) only the present one counts.
    """
    load = codec(step.old.shape, dialect).from_storage
    store = codec(step.new.shape, dialect).to_storage
    loads = [codec(entry.shape, dialect).from_storage for entry, _ in step.former]
    hops = [hop for _, hop in step.former]
    # From the shape at which the way back ends; the last one is the new shape itself.
    shapes = [step.old.shape, *(entry.shape for entry, _ in step.former)]
    conversions = [replace(step.conversion, old=shape) for shape in shapes]

    def convert(stored: Any, former: Sequence[Any]) -> Any:
        value, reached = load(stored), 0
        for hop, load_former, older in zip(hops, loads, former, strict=False):
            there = load_former(older)
            if not _came_from(hop, there, value):
                break
            value, reached = there, reached + 1
        try:
            return store(conversions[reached](value))
        except (ValueError, ArithmeticError):
            return None

    return convert


def _came_from(hop: Conversion, older: Any, value: Any) -> bool:
    """Whether a value is what an older one was converted to."""
    try:
        return bool(hop(older) == value)
    except (ValueError, ArithmeticError):
        return value is None  # it was lost then, and nothing has been written since


@dataclass(slots=True)
class Loss:
    """What a type change does to the values that are there."""

    filled: int = 0
    lost: int = 0
    rounded: int = 0  # converts, but does not convert back to the same
    examples: list[tuple[Any, str]] = field(default_factory=list)  # (stored id, value as text), the first 20


def count_losses(reader: Reader, step: Convert, dialect: Dialect, examples: int = 20) -> Loss:
    """Convert every value in mind; nothing is written."""
    former = tuple(entry for entry, _ in step.former)
    own = OwnTables.of(step.n, (step.old, *former), dialect)
    column = own.column(step.old)
    query = (
        sa.select(own.main.c.id, column, *(own.column(entry) for entry in former))
        .select_from(own.joined)
        .where(column.is_not(None))
    )
    load = codec(step.old.shape, dialect).from_storage
    load_new = codec(step.new.shape, dialect).from_storage
    convert = converter(step, dialect)
    back = Conversion(step.new.shape, step.old.shape)
    way = WAYS[step.old.shape.way]
    loss = Loss()
    for id, stored, *older in _chunked(reader.chunks(prepare(reader.store, query))):
        loss.filled += 1
        value, made = load(stored), load_new(convert(stored, older))
        if made is None:
            loss.lost += 1
            if len(loss.examples) < examples:
                loss.examples.append((id, way.to_text(value, step.old.shape)[:200]))
        elif not _came_from(back, made, value):
            loss.rounded += 1
    return loss


def _chunked(chunks: Iterator[list[tuple[Any, ...]]]) -> Iterator[tuple[Any, ...]]:
    for chunk in chunks:
        yield from chunk
