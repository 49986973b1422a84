"""The one service through which records are read. It adds the record predicate and resolves every name."""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.links import link_text
from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.errors import Invalid, Malformed, NotFound, Place
from tabwright.platform.language import register_messages
from tabwright.runtime.access.gate import ResolvedPath
from tabwright.runtime.access.principal import person_of
from tabwright.runtime.desk import Call
from tabwright.runtime.query import cursors
from tabwright.runtime.query.asked import PAGE, Order, Query, failed_key, mark_key
from tabwright.runtime.query.filters import Binds, Conditions, Wanted, conditions, moment, planned
from tabwright.runtime.query.order import Nulls, Steps, Term, page, step_of
from tabwright.runtime.query.page import Page, Record
from tabwright.runtime.query.plans import TablesUsed, kept
from tabwright.runtime.query.ranks import is_lane_indexed, steps
from tabwright.runtime.query.rows import RowShape, Tuples
from tabwright.runtime.query.sizing import Plan, plan_for
from tabwright.runtime.query.source import Column, Source
from tabwright.runtime.query.worked import InProcess, worked_out
from tabwright.runtime.storage.columns import Shape, codec

register_messages(Path(__file__).with_name("messages.json"))

MAX_FIELDS = 600
MAX_ORDER = 5

NO_COUNTS: Mapping[str | None, int] = MappingProxyType({})
_FEW_LANES = 12  # up to so many, a table is read once a lane sooner than all of it is ranked
_RARE = 500  # records of a lane: of fewer, they are found together with those of the others

# How many rows a statement asks for: a few sizes, written into the text so that the planner sees them.
_SIZES: Mapping[int, sa.ColumnElement[int]] = {
    size: sa.literal_column(text)
    for size, text in ((2, "2"), (11, "11"), (26, "26"), (51, "51"), (101, "101"), (201, "201"), (501, "501"))
}


def page_rows(call: Call) -> int:
    """How many rows a page has when nobody says."""
    return min(PAGE, call.tenant.limits.page_rows)


@dataclass(frozen=True, slots=True)
class _List:
    statement: Prepared
    shape: RowShape
    terms: tuple[Term, ...]
    binds: Binds
    tables: TablesUsed
    worked: tuple[InProcess, ...]


@dataclass(frozen=True, slots=True)
class _Get:
    statement: Prepared
    shape: RowShape
    tables: TablesUsed
    worked: tuple[InProcess, ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    """The columns of what rows hold, and what has to stand ``beyond`` them for fields made in process."""

    columns: list[Column]
    beyond: list[Column]
    shape: RowShape
    made: tuple[InProcess, ...]  # their places counted from where flags and what is beyond begin
    flags: int  # where the marks of errors begin

    def worked(self, beyond: int) -> tuple[InProcess, ...]:
        """The fields that are made in process; ``beyond``: where in a tuple what they read begins."""
        return tuple(
            InProcess(
                each.formula, each.at, self.flags + each.flag, beyond + each.first, each.inputs, each.codec
            )
            for each in self.made
        )


@dataclass(frozen=True, slots=True)
class _Count:
    statement: Prepared
    binds: Binds
    tables: TablesUsed


class Reads:
    """Reads on behalf of one call."""

    def __init__(self, call: Call, plan: Plan | None = None) -> None:
        """``plan``: how all lists are found; left out, each in the quicker way."""
        self._call = call
        self._plan = plan
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
            shown = self._shown(source, self._paths(found, paths), ())
            chosen = source.select(*shown.columns, *shown.beyond)
            statement = chosen.where(source.id == sa.bindparam("id", type_=source.id.type))
            worked = shown.worked(len(shown.columns))
            return _Get(self._prepare(statement), shown.shape, tuple(source.tables_used()), worked)

        plan = kept(self._call, "get", found, make, footprint, paths)
        params = {**self._call.gate.viewer(), **moment(self._call), "id": id}
        if reader is not None:
            row = reader.row(plan.statement, params)
        else:
            with self._call.tenant.store.read() as own:
                row = own.row(plan.statement, params)
        if row is None:
            raise NotFound.of("record.not_found", Place(object=found.name, record=id.hex), object=found.name)
        row = self._worked_out(plan.worked, [tuple(row)], params)[0]
        return Record(plan.shape, row, f"{footprint}:{found.digest}:{','.join(paths)}")

    def get(self, object: str, id: UUID, fields: Sequence[str] = ()) -> dict[str, Any]:
        """One record by id as typed values by path; see ``record``."""
        return self.record(object, id, fields).row

    def list(self, query: Query) -> Page:
        """One page, in one statement; one more where the count is asked for."""
        return self._page(query, self._limit(query.limit))

    def stretch(self, query: Query, rows: int) -> Page:
        """Up to so many rows in one statement, more than a page may have: for exports and bulk changes."""
        return self._page(query, rows)

    def _page(self, query: Query, limit: int) -> Page:
        object = self._object(query.object)
        order = self._order(query.order)
        about = f"{object.uid}:{order}"
        after = cursors.unseal(self._call.tenant.location.id, about, query.cursor) if query.cursor else None
        nulls = None if after is None else tuple(value is None for value in after)
        step = self._step(object, order, after)
        size = next((size for size in _SIZES if size > limit), limit + 1)
        way = self._way(object, size)
        key = (
            self._call.gate.footprint(object), self._call.language, query.fields, order, size, nulls, step,
            query.parent and query.parent[0], len(query.marks), way,
        )  # fmt: skip

        def plan_of(wanted: Wanted) -> _List:
            def make() -> _List:
                return self._compile_list(object, query, wanted, order, size, nulls, step, way)

            return kept(self._call, "list", object, make, *key, wanted.key)

        plan, literals = planned(self._call.gate, (*query.conditions, *query.marks), plan_of)
        params = self._params(query, literals)
        if after is not None:
            if len(after) != len(plan.terms):
                raise Malformed.of("query.cursor")
            for n, (term, value) in enumerate(zip(plan.terms, after, strict=True)):
                params[f"after{n}"] = term.codec.to_storage(term.codec.from_journal(value))
        with self._call.tenant.store.read() as reader:
            rows = self._worked_out(plan.worked, reader.rows(plan.statement, params), params)
            counted = self._counted(object, query, reader) if query.count else None
        following = None
        if len(rows) > limit:
            rows = rows[:limit]
            following = self._cursor(object, order, plan, rows[-1])
        return Page(plan.shape, rows, following, *(counted or ()))

    def lanes(
        self, query: Query, by: str, codes: Sequence[str | None], counts: Mapping[str | None, int] = NO_COUNTS
    ) -> dict[str | None, Page]:
        """The first page of each value of a picklist (None: blank), all in one statement.

        ``query`` is as for ``list``, its cursor and count are not used; a page's cursor goes on with the list
        of that value alone. ``counts``: how many records each has, as far as that is known; it decides how
        they are looked for, never what is found. Raises as ``list``.
        """
        object = self._object(query.object)
        limit, order, wanted_codes = self._limit(query.limit), self._order(query.order), tuple(codes)
        size = next((size for size in _SIZES if size > limit), limit + 1)
        ranked = self._ranked(object, query, by, wanted_codes, counts)
        way = self._way(object, size * len(wanted_codes))

        def plan_of(wanted: Wanted) -> _List:
            def make() -> _List:
                return self._compile_lanes(object, query, wanted, order, size, by, wanted_codes, ranked, way)

            key = (self._call.gate.footprint(object), self._call.language, query.fields, order, size, by)
            further = (wanted_codes, ranked, len(query.marks), way, wanted.key)
            return kept(self._call, "lanes", object, make, *key, *further)

        if not wanted_codes:
            return {}
        plan, literals = planned(self._call.gate, (*query.conditions, *query.marks), plan_of)
        params = self._params(query, literals)
        with self._call.tenant.store.read() as reader:
            given = reader.rows(plan.statement, params)
        inner = self._worked_out(plan.worked, [row[1:] for row in given], params)
        rows = [(lane[0], *row) for lane, row in zip(given, inner, strict=True)]
        found: dict[str | None, Page] = {}
        for code in wanted_codes:
            own = [row[1:] for row in rows if row[0] == code]
            following = self._cursor(object, order, plan, own[limit - 1]) if len(own) > limit else None
            found[code] = Page(plan.shape, own[:limit], following)
        return found

    def _cursor(self, object: ObjectDef, order: Order, plan: _List, row: Sequence[Any]) -> str:
        """What the page after a row starts with."""
        start = len(plan.shape.keys)
        ends = zip(plan.terms, row[start : start + len(plan.terms)], strict=True)
        values = [term.codec.to_journal(value) for term, value in ends]
        return cursors.seal(self._call.tenant.location.id, f"{object.uid}:{order}", values)

    def count(self, query: Query) -> tuple[int, bool]:
        """How many records the query finds, and whether there are more: counting stops at the limit."""
        object = self._object(query.object)
        with self._call.tenant.store.read() as reader:
            return self._counted(object, query, reader)

    def _counted(self, object: ObjectDef, query: Query, reader: Reader) -> tuple[int, bool]:
        def plan_of(wanted: Wanted) -> _Count:
            return self._count_plan(object, query, wanted)

        plan, literals = planned(self._call.gate, query.conditions, plan_of)
        counted = reader.rows(plan.statement, self._params(query, literals))[0][0]
        return min(counted, self._limits.count_rows), counted > self._limits.count_rows

    # ---- compiling ---------------------------------------------------------------------------------

    def _compile_list(
        self,
        object: ObjectDef,
        query: Query,
        wanted: Wanted,
        order: Order,
        size: int,
        nulls: Nulls | None,
        step: int,
        way: Plan,
    ) -> _List:
        source = self._source(object, way)
        found, marks = self._conditions_and_marks(source, query, wanted)
        shape, numbered, terms, worked = self._shaped(source, query, order, marks)
        limit = _SIZES[size] if size in _SIZES else sa.literal(size)
        tables = tuple(source.tables_used())
        statement = page(source.select(*numbered).where(*found.columns), terms, nulls, limit, step)
        if source.works_out:
            first = Source(self._call.gate, self._tables, object, "l", way)
            narrowed, _ = self._conditions_and_marks(first, query, wanted)
            keys = self._terms(first, order)
            if first.works_out:
                # Formulas decide which records these are: only of those that are shown is all else made.
                ids = first.select(first.id.label("id")).where(*narrowed.columns)
                inner = page(ids, keys, nulls, limit, step).subquery()
                rows = source.select(*numbered).where(source.id.in_(sa.select(inner.c.id)))
                statement = rows.order_by(*(each for term in terms for each in term.sorted()))
                tables = (*tables, *first.tables_used())
        return _List(self._prepare(statement), shape, terms, found.binds, tables, worked)

    def _shaped(
        self, source: Source, query: Query, order: Order, marks: Sequence[Column]
    ) -> tuple[RowShape, builtins.list[sa.ColumnElement[Any]], tuple[Term, ...], tuple[InProcess, ...]]:
        """The rows' shape, the columns to select (what is asked for, sort keys, what fields made in process
        read), the sort keys, those fields.
        """
        shown = self._shown(source, self._paths(source.object, query.fields), marks)
        terms = self._terms(source, order)
        columns = [*shown.columns, *(term.column for term in terms)]
        worked = shown.worked(len(columns))
        columns += shown.beyond
        return shown.shape, [each.label(f"c{n}") for n, each in enumerate(columns)], terms, worked

    def _shown(self, source: Source, paths: Sequence[ResolvedPath], marks: Sequence[Column]) -> _Shown:
        """What rows hold: the values of paths, then marks, then which formulas have an error."""
        columns: builtins.list[Column] = []
        failed: builtins.list[tuple[str, Column]] = []
        made: builtins.list[InProcess] = []
        beyond: builtins.list[Column] = []
        for path in paths:
            found = source.unpushed(path)
            if found is None:
                columns.append(source.column(path))
                flag = source.failed(path)
                if flag is not None:
                    failed.append((path.text, flag))
                continue
            formula, reads, inputs = found
            places = len(columns), len(failed), len(beyond)
            made.append(InProcess(formula, *places, tuple(inputs), source.codec(path)))
            columns.append(sa.cast(sa.null(), sa.Text()))
            failed.append((path.text, sa.literal_column("0")))
            beyond += reads
        told = [sa.case((mark, 1), else_=0) for mark in marks]
        truth = codec(Shape("integer"), source.dialect)
        keys = [*map(mark_key, range(len(told))), *(failed_key(text) for text, _ in failed)]
        shape = RowShape(
            [*(path.text for path in paths), *keys],
            [*(source.codec(path) for path in paths), *(truth for _ in keys)],
            len(keys),
        )
        before = len(columns) + len(told)
        return _Shown([*columns, *told, *(flag for _, flag in failed)], beyond, shape, tuple(made), before)

    def _worked_out(
        self, fields: Sequence[InProcess], tuples: Sequence[tuple[Any, ...]], params: Mapping[str, Any]
    ) -> Tuples:
        if not fields:
            return tuples
        env = self._call.env(params["tw_now"])
        return worked_out(fields, tuples, env, person_of(self._call.principal))

    def _compile_lanes(
        self,
        object: ObjectDef,
        query: Query,
        wanted: Wanted,
        order: Order,
        size: int,
        by: str,
        codes: tuple[str | None, ...],
        ranked: frozenset[str | None],
        way: Plan,
    ) -> _List:
        source = self._source(object, way)
        found, marks = self._conditions_and_marks(source, query, wanted)
        shape, numbered, terms, worked = self._shaped(source, query, order, marks)
        path = self._call.gate.resolve(object, by)
        lane, limit = source.column(path), _SIZES[size] if size in _SIZES else sa.literal(size)
        beside: tuple[tuple[ObjectDef, str], ...] = ()
        parts = []
        for code in codes:
            if code not in ranked:
                own = lane.is_(None) if code is None else lane == sa.literal(code, lane.type)
                rows = source.select(lane.label("lane"), *numbered).where(*found.columns, own)
                parts.append(page(rows, terms, None, limit).subquery())
        if ranked:
            # All records are looked at once, and only those that are shown are read with everything that
            # their cards say.
            first = Source(self._call.gate, self._tables, object, "l", way)
            narrowed, _ = self._conditions_and_marks(first, query, wanted)
            # An expression, so that no index of the lanes leads from row to row.
            told = sa.func.coalesce(first.column(path), "")
            if parts:
                narrowed.columns.append(sa.or_(*(told == (code or "") for code in codes if code in ranked)))
            number = sa.func.row_number().over(
                partition_by=told,
                order_by=[each for term in self._terms(first, order) for each in term.sorted()],
            )
            inner = first.select(first.id.label("id"), number.label("n")).where(*narrowed.columns).subquery()
            shown = sa.select(inner.c.id).where(inner.c.n <= limit)
            rows = source.select(lane.label("lane"), *numbered).where(source.id.in_(shown))
            # With a limit, or the order of a part of a union is nobody's business.
            rows = rows.order_by(*(each for term in terms for each in term.sorted())).limit(
                size * len(ranked)
            )
            parts.append(rows.subquery())
            beside = tuple(first.tables_used())
        statement = sa.union_all(*(sa.select(part) for part in parts))
        prepared = prepare(self._call.tenant.store, statement)
        return _List(prepared, shape, terms, found.binds, (*source.tables_used(), *beside), worked)

    def _ranked(
        self,
        object: ObjectDef,
        query: Query,
        by: str,
        codes: tuple[str | None, ...],
        counts: Mapping[str | None, int],
    ) -> frozenset[str | None]:
        """The values whose records are found by one look at all of them. Each other one has its own look,
        which ends with the first page: soon, where an index leads to it or where it has many records.
        """
        if is_lane_indexed(object, by) and not any(query.conditions):
            return frozenset()
        if counts:
            rare = frozenset(code for code in codes if counts.get(code, 0) <= _RARE)
            return rare if len(codes) - len(rare) <= _FEW_LANES else frozenset(codes)
        own = is_lane_indexed(object, by) or (
            self._call.tenant.store.dialect == "postgresql" and len(codes) <= _FEW_LANES
        )
        return frozenset() if own else frozenset(codes)

    def _count_plan(self, object: ObjectDef, query: Query, wanted: Wanted) -> _Count:
        cap = self._limits.count_rows
        way = self._way(object, cap)

        def make() -> _Count:
            source = self._source(object, way)
            found = self._conditions(source, query, wanted)
            one = source.select(sa.literal_column("1").label("one"))
            some = one.where(*found.columns).limit(cap + 1).subquery()
            statement = sa.select(sa.func.count()).select_from(some)
            return _Count(self._prepare(statement), found.binds, tuple(source.tables_used()))

        key = (self._call.gate.footprint(object), wanted.key, query.parent and query.parent[0], cap, way)
        return kept(self._call, "count", object, make, self._call.language, *key)

    def _terms(self, source: Source, order: Order) -> tuple[Term, ...]:
        terms: builtins.list[Term] = []
        for path, direction in order:
            resolved = self._call.gate.resolve(source.object, path)
            column, codec, nullable = source.sort(resolved)
            codes = () if terms or resolved.hops else steps(source.object, resolved.text)
            stepped = Steps(codes, source.column(resolved)) if codes else None
            terms.append(Term(column, codec, direction == "desc", nullable, stepped))
        id = self._call.gate.resolve(source.object, "id")
        terms.append(
            Term(source.id, source.codec(id), terms[0].descending if terms else False, nullable=False)
        )
        return tuple(terms)

    def _step(self, object: ObjectDef, order: Order, after: Sequence[Any] | None) -> int:
        """Where a page starts that a picklist orders: see ``order.step_of``."""
        if after is None or not order or not isinstance(after[0], str):
            return 0
        path, direction = order[0]
        found = self._call.gate.resolve(object, path)
        codes = () if found.hops else steps(object, found.text)
        return step_of(codes, direction == "desc", after[0]) if codes else 0

    def _conditions(self, source: Source, query: Query, wanted: Wanted) -> Conditions:
        found = conditions(self._call, source, wanted)
        if query.parent is not None:
            lookup = self._call.gate.resolve(source.object, query.parent[0])
            if not lookup.field.is_reference:
                raise Invalid.of("query.not_a_lookup", Place(field=lookup.text), path=lookup.text)
            column = source.column(lookup)
            if lookup.field.kinds:
                links = [column == sa.bindparam(f"parent_{uid}", type_=sa.Text) for uid in lookup.field.kinds]
                found.columns.append(sa.or_(*links))
            else:
                found.columns.append(column == sa.bindparam("parent", type_=column.type))
        return found

    def _conditions_and_marks(
        self, source: Source, query: Query, wanted: Wanted
    ) -> tuple[Conditions, builtins.list[Column]]:
        """``wanted`` are the query's conditions, then its marks."""
        found, narrowing = self._conditions(source, query, wanted), len(query.conditions)
        ends = narrowing + len(query.marks)
        marks = found.columns[narrowing:ends]
        del found.columns[narrowing:ends]
        return found, marks

    def _way(self, object: ObjectDef, rows: int) -> Plan:
        return self._plan or plan_for(self._call, object, rows)

    def _source(self, object: ObjectDef, way: Plan = "scan") -> Source:
        return Source(self._call.gate, self._tables, object, plan=way)

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

    def _params(self, query: Query, literals: Mapping[str, Any]) -> dict[str, Any]:
        params: dict[str, Any] = {**self._call.gate.viewer(), **moment(self._call), **literals}
        if query.parent is not None:
            path, id = query.parent
            lookup = self._call.gate.resolve(self._object(query.object), path).field
            if lookup.kinds:  # whichever kind the parent is of: an id is one record's
                params |= {f"parent_{uid}": link_text(uid, id) for uid in lookup.kinds}
            else:
                params["parent"] = id
        return params
