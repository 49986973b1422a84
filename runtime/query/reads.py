"""The one service through which records are read. It adds the record predicate and resolves every name."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.errors import Invalid, Malformed, NotFound, Place
from tabwright.platform.language import register_messages
from tabwright.runtime.access.gate import ResolvedPath
from tabwright.runtime.desk import Call
from tabwright.runtime.query import cursors
from tabwright.runtime.query.asked import PAGE, Order, Query
from tabwright.runtime.query.filters import conditions, moment
from tabwright.runtime.query.order import Nulls, Term, page
from tabwright.runtime.query.page import Page, Record
from tabwright.runtime.query.rows import RowShape
from tabwright.runtime.query.source import Source

register_messages(Path(__file__).with_name("messages.json"))

MAX_FIELDS = 600
MAX_ORDER = 5

# How many rows a statement asks for: a few sizes, written into the text so that the planner sees them.
_SIZES: Mapping[int, sa.ColumnElement[int]] = {
    size: sa.literal_column(text)
    for size, text in ((2, "2"), (11, "11"), (26, "26"), (51, "51"), (101, "101"), (201, "201"), (501, "501"))
}


def page_rows(call: Call) -> int:
    """How many rows a page has when nobody says."""
    return min(PAGE, call.tenant.limits.page_rows)


class Plan(Protocol):
    """A compiled piece that knows the tables that it was compiled against."""

    @property
    def tables(self) -> tuple[tuple[ObjectDef, str], ...]: ...


P = TypeVar("P", bound=Plan)


class _Slot(Generic[P]):
    """A plan in the cache of pieces. Its key knows the object's own table; those joined are compared here."""

    plan: P | None = None


@dataclass(frozen=True, slots=True)
class _List:
    statement: Prepared
    shape: RowShape
    terms: tuple[Term, ...]
    tables: tuple[tuple[ObjectDef, str], ...]


@dataclass(frozen=True, slots=True)
class _Get:
    statement: Prepared
    shape: RowShape
    tables: tuple[tuple[ObjectDef, str], ...]


@dataclass(frozen=True, slots=True)
class _Count:
    statement: Prepared
    tables: tuple[tuple[ObjectDef, str], ...]


class Reads:
    """Reads on behalf of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._limits = call.tenant.limits
        self._tables = call.tables

    # ---- records -----------------------------------------------------------------------------------

    def record(
        self, object: str, id: UUID, fields: Sequence[str] = (), reader: Reader | None = None
    ) -> Record:
        """One record by id, in one statement. NotFound where there is none, or none that may be read.

        ``reader`` is for who has one open, such as a writer that reads what it has written.
        """
        found = self._object(object)
        footprint = self._call.gate.footprint(found)
        paths = tuple(fields)

        def make() -> _Get:
            source = self._source(found)
            resolved = self._paths(found, paths)
            columns = [source.column(path) for path in resolved]
            statement = source.select(*columns).where(source.id == sa.bindparam("id", type_=source.id.type))
            shape = RowShape([path.text for path in resolved], [source.codec(path) for path in resolved])
            return _Get(self._prepare(statement), shape, tuple(source.tables_used()))

        plan = self.plan("get", found, make, footprint, paths)
        params = {**self._call.gate.viewer(), "id": id}
        if reader is not None:
            row = reader.row(plan.statement, params)
        else:
            with self._call.tenant.store.read() as own:
                row = own.row(plan.statement, params)
        if row is None:
            raise NotFound.of("record.not_found", Place(object=found.name, record=id.hex), object=found.name)
        return Record(plan.shape, row, f"{footprint}:{found.digest}:{','.join(paths)}")

    def get(self, object: str, id: UUID, fields: Sequence[str] = ()) -> dict[str, Any]:
        """One record by id as typed values by path; see ``record``."""
        return self.record(object, id, fields).row

    def list(self, query: Query) -> Page:
        """One page, in one statement; one more where the count is asked for."""
        object = self._object(query.object)
        limit = self._limit(query.limit)
        order = self._order(query.order)
        about = f"{object.uid}:{order}"
        after = cursors.unseal(self._call.tenant.location.id, about, query.cursor) if query.cursor else None
        nulls = None if after is None else tuple(value is None for value in after)
        size = next((size for size in _SIZES if size > limit), limit + 1)
        key = (
            self._call.gate.footprint(object), self._call.language, query.fields, query.conditions, order,
            size, nulls, query.parent and query.parent[0],
        )  # fmt: skip
        plan = self.plan("list", object, lambda: self._compile_list(object, query, order, size, nulls), *key)
        params = self._params(query)
        if after is not None:
            if len(after) != len(plan.terms):
                raise Malformed.of("query.cursor")
            for n, (term, value) in enumerate(zip(plan.terms, after, strict=True)):
                params[f"after{n}"] = term.codec.to_storage(term.codec.from_journal(value))
        with self._call.tenant.store.read() as reader:
            rows = reader.rows(plan.statement, params)
            counted = reader.rows(self._count_plan(object, query).statement, params) if query.count else None
        following = None
        if len(rows) > limit:
            rows = rows[:limit]
            width = len(plan.shape.keys)
            ends = zip(plan.terms, rows[-1][width:], strict=True)
            following = cursors.seal(
                self._call.tenant.location.id, about, [term.codec.to_journal(value) for term, value in ends]
            )
        if counted is None:
            return Page(plan.shape, rows, following)
        cap = self._limits.count_rows
        return Page(plan.shape, rows, following, min(counted[0][0], cap), counted[0][0] > cap)

    def count(self, query: Query) -> tuple[int, bool]:
        """How many records the query finds, and whether there are more: counting stops at the limit."""
        object = self._object(query.object)
        plan = self._count_plan(object, query)
        with self._call.tenant.store.read() as reader:
            counted = reader.rows(plan.statement, self._params(query))[0][0]
        return min(counted, self._limits.count_rows), counted > self._limits.count_rows

    # ---- compiling ---------------------------------------------------------------------------------

    def plan(self, what: str, object: ObjectDef, make: Callable[[], P], *key: Hashable) -> P:
        """The compiled piece under this key, made again when a table that it joins has changed."""
        tables = self._tables
        slot: _Slot[P] = self._call.tenant.piece(what, object, tables.of(object), _Slot[P], *key)
        plan = slot.plan
        if plan is None or any(tables.of(each).digest != digest for each, digest in plan.tables):
            plan = slot.plan = make()
        return plan

    def _compile_list(
        self, object: ObjectDef, query: Query, order: Order, size: int, nulls: Nulls | None
    ) -> _List:
        source = self._source(object)
        paths = self._paths(object, query.fields)
        columns = [source.column(path) for path in paths]
        terms = self._terms(source, order)
        wanted = self._wanted(source, query)
        numbered = [
            each.label(f"c{n}") for n, each in enumerate([*columns, *(term.column for term in terms)])
        ]
        limit = _SIZES[size] if size in _SIZES else sa.literal(size)
        statement = page(source.select(*numbered).where(*wanted), terms, nulls, limit)
        shape = RowShape([path.text for path in paths], [source.codec(path) for path in paths])
        return _List(self._prepare(statement), shape, terms, tuple(source.tables_used()))

    def _count_plan(self, object: ObjectDef, query: Query) -> _Count:
        cap = self._limits.count_rows

        def make() -> _Count:
            source = self._source(object)
            wanted = self._wanted(source, query)
            some = source.select(sa.literal_column("1").label("one")).where(*wanted).limit(cap + 1).subquery()
            statement = sa.select(sa.func.count()).select_from(some)
            return _Count(self._prepare(statement), tuple(source.tables_used()))

        key = (self._call.gate.footprint(object), query.conditions, query.parent and query.parent[0], cap)
        return self.plan("count", object, make, self._call.language, *key)

    def _terms(self, source: Source, order: Order) -> tuple[Term, ...]:
        terms: builtins.list[Term] = []
        for path, direction in order:
            resolved = self._call.gate.resolve(source.object, path)
            column, codec, nullable = source.sort(resolved)
            terms.append(Term(column, codec, direction == "desc", nullable))
        id = self._call.gate.resolve(source.object, "id")
        terms.append(
            Term(source.id, source.codec(id), terms[0].descending if terms else False, nullable=False)
        )
        return tuple(terms)

    def _wanted(self, source: Source, query: Query) -> Sequence[sa.ColumnElement[Any]]:
        wanted = conditions(self._call, source, query.conditions)
        if query.parent is not None:
            lookup = self._call.gate.resolve(source.object, query.parent[0])
            if not lookup.field.is_reference:
                raise Invalid.of("query.not_a_lookup", Place(field=lookup.text), path=lookup.text)
            column = source.column(lookup)
            wanted.append(column == sa.bindparam("parent", type_=column.type))
        return wanted

    def _source(self, object: ObjectDef) -> Source:
        return Source(self._call.gate, self._tables, object)

    def _prepare(self, statement: sa.Select[Any]) -> Prepared:
        return prepare(self._call.tenant.store, statement)

    # ---- what was asked ----------------------------------------------------------------------------

    def _object(self, name: str) -> ObjectDef:
        found = self._call.gate.object(name)
        self._call.gate.require(found, "read")
        return found

    def _paths(self, object: ObjectDef, fields: Sequence[str]) -> tuple[ResolvedPath, ...]:
        """The fields of each row: id and revision first, then those asked for, each once."""
        gate = self._call.gate
        if len(fields) > MAX_FIELDS:
            raise Invalid.of("query.too_many_fields", Place(object=object.name), limit=MAX_FIELDS)
        always = [name for name in ("id", "revision") if gate.find(object, name) is not None]
        wanted = fields or [field.name for field in gate.readable(object)]
        resolved = {path.text: path for path in gate.resolve_all(object, (*always, *wanted))}
        return tuple(resolved.values())

    def _order(self, order: Order) -> Order:
        if len(order) > MAX_ORDER:
            raise Invalid.of("query.too_many_orders", limit=MAX_ORDER)
        return tuple((path.lower(), direction) for path, direction in order)

    def _limit(self, limit: int | None) -> int:
        if limit is None:
            return page_rows(self._call)
        if not 1 <= limit <= self._limits.page_rows:
            raise Malformed.of("query.limit", limit="page_rows", most=self._limits.page_rows)
        return limit

    def _params(self, query: Query) -> dict[str, Any]:
        params: dict[str, Any] = {**self._call.gate.viewer(), **moment(self._call)}
        if query.parent is not None:
            params["parent"] = query.parent[1]
        return params
