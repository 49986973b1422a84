"""Typed tree to SQL, what both databases share. Each dialect adds its operations; one it lacks cannot be
pushed down.

Of every node there is a value and a guard: the condition under which the process would raise an
EvaluationError. A value never raises in the database, whatever the row holds; where the guard is true it
means nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import time
from decimal import Decimal
from functools import reduce
from typing import Any, ClassVar, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.sql.elements import BindParameter, Grouping

from tabwright.formula import days, places
from tabwright.formula.aggregates import Aggregate, with_inner
from tabwright.formula.budget import TEXT_RESULT
from tabwright.formula.datatypes import BOOLEAN, EMPTY_IS_BLANK
from tabwright.formula.lifting import Lifting
from tabwright.formula.operations import OPERATIONS
from tabwright.formula.scope import Children, Columns, Parents, Trees
from tabwright.formula.strings import following
from tabwright.formula.typed import Node, literal, make

Sql = sa.ColumnElement[Any]


class TimeOfDay(sa.types.TypeDecorator[time]):
    """A time of day, kept as milliseconds since midnight on both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: time | int | None, dialect: sa.Dialect) -> int | None:
        return days.milliseconds(value) if isinstance(value, time) else value

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> time | None:
        return None if value is None else days.from_milliseconds(value)


class PackedPoint(sa.types.TypeDecorator[places.Point]):
    """A point, kept as one number on both databases."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: places.Point | int | None, dialect: sa.Dialect) -> int | None:
        return value.packed if isinstance(value, places.Point) else value

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> places.Point | None:
        return None if value is None else places.unpacked(value)


class NotPushable(Exception):
    """This database cannot run this operation."""

    def __init__(self, node: Node, code: str = "FORMULA_NOT_IN_SQL") -> None:
        super().__init__(node.op)
        self.node, self.code = node, code


@dataclass(frozen=True, slots=True)
class Part:
    """What one node became. `value` is an Sql, or what the dialect makes of a number."""

    value: Any
    guard: Sql | None = None


def either(*guards: Sql | None) -> Sql | None:
    """The guard that holds when one of `guards` does."""
    found = [guard for guard in guards if guard is not None]
    return sa.or_(*found) if found else None


def infix(op: str, a: Sql, b: Sql, kind: Any) -> Sql:
    """`(a op b)`, in brackets whatever stands around it."""
    return Grouping(_whole(a).op(op, return_type=kind)(_whole(b)))


def plain(value: Sql, kind: Any) -> Sql:
    """The value as the database has it; a parameter keeps the conversion that brings it there."""
    return value if isinstance(value, BindParameter) else sa.type_coerce(value, kind)


def _whole(part: Sql) -> Sql:
    """In brackets, where what is written could be taken apart by its surroundings."""
    return part if isinstance(part, _WHOLE) else Grouping(part)


_WHOLE = (BindParameter, Grouping, sa.ColumnClause, sa.Case, sa.Cast, sa.Function, sa.TypeCoerce)


# Whether there is the child that a question is about: there is.
_THERE: Final = Node("there", BOOLEAN)


def _uses_outer(value: Node) -> bool:
    """Whether a value has something of the record around in it. What takes the rows of a
    sub-query together takes those of the query around it, where all that it is given comes from there; so it
    gets a column of the child.
    """
    return any(node.op == "outer" for node in with_inner(value))


def balanced(join: Callable[[Sql, Sql], Sql], parts: Sequence[Sql]) -> Sql:
    """All parts joined two by two, so that a long chain does not become a deep tree."""
    if len(parts) == 1:
        return parts[0]
    half = len(parts) // 2
    return join(balanced(join, parts[:half]), balanced(join, parts[half:]))


@dataclass(slots=True)
class Rows:
    """The children that an aggregate looks at: where its sub-queries come from."""

    asked: Aggregate
    children: Children
    inner: "Writer"
    key: Sql

    def one(self, value: Sql, order: Sequence[Any] | None) -> Sql:
        """One value of all chosen children; or of the first of them in an order."""
        chosen = self._chosen(value)
        if order is not None:
            chosen = chosen.order_by(*order).limit(sa.literal_column("1"))
        return chosen.scalar_subquery()

    def exist(self, condition: Sql | None) -> Sql:
        """Whether there is a chosen child for which a condition holds."""
        chosen = self._chosen(sa.literal_column("1"))
        return sa.exists(chosen if condition is None else chosen.where(condition))

    def guard(self) -> Sql | None:
        """Whether there is a child for which something cannot be worked out."""
        asked, inner = self.asked, self.inner
        own = either(*(inner.guard(part) for part in (asked.value, asked.order) if part is not None))
        if asked.filter is not None:
            first = inner.guard(asked.filter)
            own = either(first, None if own is None else sa.and_(inner.truth(asked.filter), own))
        if own is None:
            return None
        some = self.children.select(sa.literal_column("1")).where(self.children.of(self.key), own)
        return sa.exists(some)

    def _chosen(self, value: Sql) -> sa.Select[Any]:
        conditions = [self.children.of(self.key)]
        if self.asked.filter is not None:
            conditions.append(self.inner.truth(self.asked.filter))
        return self.children.select(value).where(*conditions)


class Writer:
    """Writes one formula for one dialect. Make one per formula."""

    types: ClassVar[dict[str, Any]]

    def __init__(self, columns: Columns, lifting: Lifting | None = None) -> None:
        self.columns = columns
        self.lifting = lifting or Lifting()
        self.parts: dict[int, Part] = {}
        # Of the formula that asks: who writes it, and what the question was given of its record.
        self.around: tuple[Writer, tuple[Node, ...]]

    # The machinery

    def part(self, node: Node) -> Part:
        found = self.parts.get(id(node))
        if found is None:
            special: Callable[[Node], Part] | None = getattr(self, "part_" + node.op, None)
            found = self.parts[id(node)] = special(node) if special else self.operation(node)
        return found

    def value(self, node: Node) -> Any:
        return self.part(node).value

    def guard(self, node: Node) -> Sql | None:
        return self.part(node).guard

    def operation(self, node: Node) -> Part:
        build = getattr(self, "op_" + node.op, None)
        if build is None:
            raise NotPushable(node)
        found = build(node, *(self.value(arg) for arg in node.args))
        value, own = found if isinstance(found, tuple) else (found, None)
        if node.type.kind == "text" and OPERATIONS[node.op].strict and any(arg.nullable for arg in node.args):
            value = sa.func.coalesce(value, self.text(""))
        if node.checked:
            too_much = self.too_long(value) if node.type.kind == "text" else self.too_big(value)
        else:
            too_much = None
        if own is not None:
            present = [self.present(arg) for arg in node.args if arg.nullable]
            own = sa.and_(*present, own)
        return Part(value, either(*(self.guard(arg) for arg in node.args), own, too_much))

    def present(self, node: Node) -> Sql:
        """Whether `node` has a value."""
        return self.any_form(self.value(node)).is_not(None)

    def absent(self, node: Node) -> Sql:
        return self.any_form(self.value(node)).is_(None)

    def any_form(self, value: Any) -> Sql:
        """A number in any form that is blank when it is."""
        found: Sql = value
        return found

    def too_long(self, value: Sql) -> Sql:
        return sa.func.length(value) > self.whole_literal(TEXT_RESULT)

    def too_big(self, value: Any) -> Sql:
        raise NotImplementedError

    def strictly(self, node: Node, value: Sql) -> Sql:
        """`value` of an operation whose SQL does not by itself become blank with its arguments."""
        tests = [self.absent(arg) for arg in node.args if arg.nullable]
        return sa.case((sa.or_(*tests), self.blank(value.type)), else_=value) if tests else value

    def or_empty(self, node: Node, value: Sql) -> Sql:
        """The text of a value, "" when that is blank."""
        blank = any(arg.nullable for arg in node.args)
        return sa.func.coalesce(value, self.text(""), type_=sa.Text()) if blank else value

    # Literals and fields

    def put(self, node: Node, form: str, convert: Callable[[Any], Any], kind: Any) -> Sql:
        """A form of a literal, made by `convert` from its value: a constant, or the parameter of a lifted
        one.
        """
        name = self.lifting.name(node, form, convert)
        return sa.literal(convert(node.data), kind) if name is None else sa.bindparam(name, type_=kind)

    def text(self, value: str) -> Sql:
        return sa.literal(value, sa.Text())

    def whole_literal(self, value: int) -> Sql:
        return sa.literal(value, sa.Integer())

    def blank(self, kind: Any) -> Sql:
        return sa.cast(sa.null(), kind)

    def record(self, node: Node) -> Sql:
        raise NotImplementedError

    def number_literal(self, node: Node) -> Any:
        raise NotImplementedError

    def number_field(self, node: Node, column: Sql) -> Any:
        raise NotImplementedError

    def part_literal(self, node: Node) -> Part:
        kind = node.type.kind
        if kind == "number":
            return Part(self.number_literal(node))
        if kind == "null":
            return Part(self.blank(sa.Text()))
        if node.data is None:
            return Part(self.blank(self.types[kind]))
        if kind == "boolean":
            return Part(sa.true() if node.data else sa.false())
        if kind == "reference":
            return Part(self.record(node))
        return Part(self.put(node, "value", _itself, self.types[kind]))

    def column(self, node: Node) -> Sql:
        """The storage column as a plain type, so that no conversion of its own gets in the way."""
        if node.data.prior:
            raise NotPushable(node)
        column = self.columns.column_of(node.data.path)
        if isinstance(column, BindParameter):
            return column
        return sa.type_coerce(column, self.types[node.type.kind])

    def part_read(self, node: Node) -> Part:
        column = self.column(node)
        if node.type.kind == "number":
            return Part(self.number_field(node, column))
        if node.type.kind in EMPTY_IS_BLANK:
            return Part(sa.func.coalesce(column, self.text("")))
        if node.type.kind == "boolean":
            return Part(sa.func.coalesce(column, sa.false(), type_=sa.Boolean()))
        return Part(column)

    def part_today(self, node: Node) -> Part:
        return Part(sa.bindparam("tw_today", type_=self.types["date"]))

    def part_now(self, node: Node) -> Part:
        return Part(sa.bindparam("tw_now", type_=self.types["datetime"]))

    def part_zone(self, node: Node) -> Part:
        return Part(sa.bindparam("tw_zone", type_=sa.Text()))

    def part_calendar(self, node: Node) -> Part:
        return Part(sa.bindparam("tw_calendar", type_=sa.Text()))

    def part_fiscal(self, node: Node) -> Part:
        return Part(self.counted(node, sa.bindparam("tw_fiscal", type_=sa.Integer())))

    def part_org(self, node: Node) -> Part:
        name = f"tw_org_{node.data}"
        if node.type.kind == "number":
            return Part(self.counted(node, sa.bindparam(name, type_=sa.Integer())))
        return Part(sa.bindparam(name, type_=sa.Text()))

    def part_label(self, node: Node) -> Part:
        return Part(sa.bindparam(f"tw_label_{node.data}", type_=sa.Text()))

    def part_there(self, node: Node) -> Part:
        children: Any = self.columns
        return Part(children.id.is_not(None))

    def part_outer(self, node: Node) -> Part:
        around, given = self.around
        return around.part(given[node.data])

    def op_below(self, node: Node, field: Sql, *records: Sql) -> Sql:
        trees = self.columns
        if not isinstance(trees, Trees):
            raise NotPushable(node)
        return field.in_(trees.below(node.args[0].type.target or "", records))

    # Children: one correlated scalar sub-query each

    def part_aggregate(self, node: Node) -> Part:
        parents, asked = self.columns, node.data
        if not isinstance(parents, Parents):
            raise NotPushable(node)
        children = parents.children(asked.relation)
        if asked.value is not None and _uses_outer(asked.value):
            blank = literal(None, asked.value.type)
            asked = replace(asked, value=make("if", _THERE, asked.value, blank, at=node.at))
        inner = type(self)(children)
        inner.around = self, node.args[1:]
        rows = Rows(asked, children, inner, self.value(node.args[0]))
        value, own = self.aggregated(node, rows)
        if node.checked and own is None:
            own = self.too_long(value) if node.type.kind == "text" else self.too_big(value)
        return Part(value, either(self.guard(node.args[0]), rows.guard(), own))

    def aggregated(self, node: Node, rows: "Rows") -> tuple[Any, Sql | None]:
        """The value of an aggregate, and the guard that its function has."""
        asked = rows.asked
        if asked.kind in ("count", "count_distinct"):
            counted: Any = self.star() if asked.value is None else self.distinct(rows, asked.value)
            return self.counted(node, rows.one(counted, None)), None
        if asked.kind == "any":
            return rows.exist(None if asked.value is None else rows.inner.truth(asked.value)), None
        if asked.value is None:
            raise NotPushable(node)
        if asked.kind == "all":
            return sa.not_(rows.exist(sa.not_(rows.inner.certain(asked.value)))), None
        if asked.kind == "join":
            joined = rows.one(self.joined(rows.inner.value(asked.value), rows), None)
            return sa.func.coalesce(joined, self.text(""), type_=sa.Text()), None
        if asked.kind in ("first", "last"):
            return self.found(node, rows), None
        if node.type.kind == "number":
            return self.figured(node, rows)
        function = getattr(sa.func, asked.kind)
        value = rows.inner.value(asked.value)
        return rows.one(function(value, type_=self.types[node.type.kind]), None), None

    def star(self) -> Sql:
        return sa.func.count()

    def distinct(self, rows: "Rows", value: Node) -> Sql:
        found = rows.inner.single(value)
        if value.type.kind in EMPTY_IS_BLANK:
            found = sa.func.nullif(found, self.text(""), type_=sa.Text())
        return sa.func.count(sa.distinct(found))

    def found(self, node: Node, rows: "Rows") -> Any:
        """The value of the first or last child."""
        asked = rows.asked
        assert asked.value is not None and asked.order is not None
        kind = asked.order.type.kind
        order = rows.inner.ordered(asked.order) if kind in EMPTY_IS_BLANK else rows.inner.single(asked.order)
        last, id = asked.kind == "last", rows.children.id
        ways = [order.desc().nulls_last(), id.desc()] if last else [order.asc().nulls_last(), id.asc()]
        value = self.alone(node, rows, ways)
        if node.type.kind in EMPTY_IS_BLANK:
            return sa.func.coalesce(value, self.text(""), type_=sa.Text())
        return value

    def alone(self, node: Node, rows: "Rows", order: Sequence[Any]) -> Any:
        assert rows.asked.value is not None
        return rows.one(rows.inner.value(rows.asked.value), order)

    def single(self, node: Node) -> Sql:
        """A value in one form, for rows that are sorted or told apart."""
        found: Sql = self.value(node)
        return found

    def joined(self, value: Sql, rows: "Rows") -> Sql:
        raise NotImplementedError

    def figured(self, node: Node, rows: "Rows") -> tuple[Any, Sql | None]:
        """SUM, AVG, MIN and MAX of numbers."""
        raise NotImplementedError

    # Truth: SQL that holds exactly when the condition does; blank and false are the same. Made so that an
    # index fits.

    def truth(self, node: Node) -> Sql:
        special: Callable[[Node], Sql | None] | None = getattr(self, "truth_" + node.op, None)
        found = special(node) if special else None
        if found is not None:
            return found
        value: Sql = self.value(node)
        return value

    def certain(self, node: Node) -> Sql:
        """The condition, never blank."""
        value: Sql = self.value(node)
        return sa.func.coalesce(value, sa.false(), type_=sa.Boolean()) if node.nullable else value

    def truth_read(self, node: Node) -> Sql:
        column = self.column(node)
        return column == sa.true() if isinstance(column, BindParameter) else column

    def truth_and(self, node: Node) -> Sql:
        return sa.and_(*(self.truth(arg) for arg in node.args))

    def truth_or(self, node: Node) -> Sql:
        return sa.or_(*(self.truth(arg) for arg in node.args))

    def truth_same(self, node: Node) -> Sql | None:
        a, b = node.args
        if a.literal:
            a, b = b, a
        if a.op == "read" and b.literal and b.data not in ("", None):
            equal: Sql = self.column(a) == self.value(b)
            return equal
        return None

    def truth_in(self, node: Node) -> Sql | None:
        first, *rest = node.args
        if first.type.kind not in ("text", "picklist", "reference"):
            return self.matched(node.args, lambda values: values[0].in_(values[1:]))
        if first.op == "read" and all(arg.literal and arg.data not in ("", None) for arg in rest):
            return self.column(first).in_([self.value(arg) for arg in rest])
        return None

    def truth_blank(self, node: Node) -> Sql | None:
        return self.column(node.args[0]).is_(None) if node.args[0].op == "read" else None

    def truth_begins(self, node: Node) -> Sql | None:
        """A literal beginning is a range of texts."""
        text, part = node.args
        if text.op != "read" or not part.literal or not part.data:
            return None
        column = self.column(text)
        low: Sql = self.collated(column) >= self.value(part)
        if following(part.data) is None:
            return low
        high: Sql = self.collated(column) < self.put(part, "after", following, sa.Text())
        return sa.and_(low, high)

    # Times of day: milliseconds since midnight

    def counted(self, node: Node, value: Sql) -> Any:
        """A whole number of the language from a small one of the database."""
        raise NotImplementedError

    def of_clock(self, node: Node, clock: Sql, unit: int, most: int) -> Any:
        count = infix("/", plain(clock, sa.BigInteger()), self.whole_literal(unit), sa.BigInteger())
        return self.counted(node, infix("%", count, self.whole_literal(most), sa.BigInteger()))

    def op_hour(self, node: Node, clock: Sql) -> Any:
        return self.of_clock(node, clock, 3_600_000, 24)

    def op_minute(self, node: Node, clock: Sql) -> Any:
        return self.of_clock(node, clock, 60_000, 60)

    def op_second(self, node: Node, clock: Sql) -> Any:
        return self.of_clock(node, clock, 1_000, 60)

    def op_millisecond(self, node: Node, clock: Sql) -> Any:
        return self.of_clock(node, clock, 1, 1_000)

    def round_the_clock(self, op: str, a: Sql, b: Sql) -> Sql:
        """The sum or difference of two counts of milliseconds, brought back into the day."""
        day = self.whole_literal(days.DAY_MILLISECONDS)
        first, second = (plain(each, sa.BigInteger()) for each in (a, b))
        later = infix("+", infix(op, first, second, sa.BigInteger()), day, sa.BigInteger())
        return infix("%", later, day, sa.BigInteger())

    def op_add_ms(self, node: Node, clock: Sql, count: Any) -> Sql:
        return sa.type_coerce(self.round_the_clock("+", clock, self.inside_a_day(node.args[1])), TimeOfDay())

    def inside_a_day(self, node: Node) -> Sql:
        """What is left of a number of milliseconds, its fraction dropped, without whole days."""
        raise NotImplementedError

    def op_ms_between(self, node: Node, end: Sql, start: Sql) -> Any:
        return self.counted(node, self.round_the_clock("-", end, start))

    # Choices

    def pick(self, nodes: Sequence[Node], build: Callable[[Sequence[Sql]], Sql]) -> Any:
        """A value made by `build` from values of which it is one. Numbers are brought to one form first."""
        return build([self.value(node) for node in nodes])

    def matched(self, nodes: Sequence[Node], build: Callable[[Sequence[Sql]], Sql]) -> Sql:
        """A condition on values that are compared. Numbers are brought to one form first."""
        return build([self.value(node) for node in nodes])

    def part_if(self, node: Node) -> Part:
        whens: list[tuple[Node, Node]] = []
        while node.op == "if":
            whens.append((node.args[0], node.args[1]))
            last = node.args[2]
            if last.op != "if" or last.type != node.type:
                break
            node = last
        tests = [self.truth(condition) for condition, _ in whens]
        picked = [value for _, value in whens] + [last]

        def choose(values: Sequence[Any]) -> Sql:
            return sa.case(*zip(tests, values[:-1], strict=True), else_=values[-1])

        value = self.pick(picked, choose)
        # A condition's own guard counts only when the ones before it do not hold.
        guard = self.guard(last)
        for (condition, chosen), test in zip(reversed(whens), reversed(tests), strict=True):
            inner, other = self.guard(chosen), guard
            if inner is not None or other is not None:
                other = sa.case((test, _or_false(inner)), else_=_or_false(other))
            guard = either(self.guard(condition), other)
        return Part(value, guard)

    def part_case(self, node: Node) -> Part:
        x, labels, picked = node.args[0], node.args[1:-1:2], [*node.args[2:-1:2], node.args[-1]]

        def by_label(results: Sequence[Any]) -> Callable[[Sequence[Sql]], Sql]:
            if x.type.kind == "reference":
                return lambda values: sa.case(
                    *(
                        (values[0].is_not_distinct_from(v), r)
                        for v, r in zip(values[1:], results, strict=False)
                    ),
                    else_=results[-1],
                )
            return lambda values: sa.case(
                *zip(values[1:], results[:-1], strict=True), value=values[0], else_=results[-1]
            )

        def choose(results: Sequence[Any]) -> Sql:
            return self.matched([x, *labels], by_label(results))

        guards = [self.guard(result) for result in picked]
        inner = choose([_or_false(guard) for guard in guards]) if any(g is not None for g in guards) else None
        return Part(self.pick(picked, choose), either(self.guard(x), *map(self.guard, labels), inner))

    def part_and(self, node: Node) -> Part:
        guard = self.guard(node.args[-1])
        for arg in reversed(node.args[:-1]):
            guard = either(self.guard(arg), None if guard is None else sa.and_(self.truth(arg), guard))
        return Part(sa.and_(*map(self.certain, node.args)), guard)

    def part_or(self, node: Node) -> Part:
        guard = self.guard(node.args[-1])
        for arg in reversed(node.args[:-1]):
            guard = either(
                self.guard(arg), None if guard is None else sa.and_(sa.not_(self.certain(arg)), guard)
            )
        return Part(sa.or_(*map(self.certain, node.args)), guard)

    def part_fallback(self, node: Node) -> Part:
        first, other = node.args
        guard = self.guard(other)
        if guard is not None:
            guard = sa.and_(self.is_blank(first), guard)
        guard = either(self.guard(first), guard)
        if node.type.kind in EMPTY_IS_BLANK:
            return Part(sa.case((self.is_blank(first), self.value(other)), else_=self.value(first)), guard)
        return Part(
            self.pick(node.args, lambda values: sa.func.coalesce(*values, type_=values[0].type)), guard
        )

    def part_rescue(self, node: Node) -> Part:
        first, other = node.args
        failed = self.guard(first)
        if failed is None:
            return Part(self.value(first))
        fails = sa.func.coalesce(failed, sa.false(), type_=sa.Boolean())
        guard = self.guard(other)
        if guard is not None:
            guard = sa.and_(fails, guard)

        def choose(values: Sequence[Sql]) -> Sql:
            return sa.case((fails, values[1]), else_=values[0])

        return Part(self.pick(node.args, choose), guard)

    def is_blank(self, node: Node) -> Sql:
        if node.type.kind in EMPTY_IS_BLANK:
            if node.op == "read":
                return self.column(node).is_(None)
            return (
                sa.cast(self.value(node), sa.Text()) == ""
                if node.literal
                else self.value(node) == self.text("")
            )
        return self.absent(node)

    def part_blank(self, node: Node) -> Part:
        return Part(self.is_blank(node.args[0]), self.guard(node.args[0]))

    def part_zero(self, node: Node) -> Part:
        raise NotImplementedError

    def part_in(self, node: Node) -> Part:
        first, *rest = node.args
        guard = either(*map(self.guard, node.args))

        def among(values: Sequence[Sql]) -> Sql:
            if first.type.kind == "reference":
                return sa.or_(*(values[0].is_not_distinct_from(value) for value in values[1:]))
            found = values[0].in_(values[1:])
            if first.nullable or any(arg.nullable for arg in rest):
                return sa.func.coalesce(found, sa.false(), type_=sa.Boolean())
            return found

        return Part(self.matched(node.args, among), guard)

    # Comparisons

    def compared(self, node: Node, build: Callable[[Sql, Sql], Sql]) -> Sql:
        return self.matched(node.args, lambda values: build(values[0], values[1]))

    def op_eq(self, node: Node, a: Any, b: Any) -> Sql:
        return self.compared(node, lambda x, y: x == y)

    def op_ne(self, node: Node, a: Any, b: Any) -> Sql:
        return self.compared(node, lambda x, y: x != y)

    def op_lt(self, node: Node, a: Any, b: Any) -> Sql:
        return self.compared(node, lambda x, y: x < y)

    def op_le(self, node: Node, a: Any, b: Any) -> Sql:
        return self.compared(node, lambda x, y: x <= y)

    def op_gt(self, node: Node, a: Any, b: Any) -> Sql:
        return self.compared(node, lambda x, y: x > y)

    def op_ge(self, node: Node, a: Any, b: Any) -> Sql:
        return self.compared(node, lambda x, y: x >= y)

    def op_same(self, node: Node, a: Sql, b: Sql) -> Sql:
        return a.is_not_distinct_from(b) if node.args[0].nullable or node.args[1].nullable else a == b

    def op_other(self, node: Node, a: Sql, b: Sql) -> Sql:
        return a.is_distinct_from(b) if node.args[0].nullable or node.args[1].nullable else a != b

    def op_text_lt(self, node: Node, a: Sql, b: Sql) -> Sql:
        return self.ordered(node.args[0]) < self.ordered(node.args[1])

    def op_text_le(self, node: Node, a: Sql, b: Sql) -> Sql:
        return self.ordered(node.args[0]) <= self.ordered(node.args[1])

    def op_text_gt(self, node: Node, a: Sql, b: Sql) -> Sql:
        return self.ordered(node.args[0]) > self.ordered(node.args[1])

    def op_text_ge(self, node: Node, a: Sql, b: Sql) -> Sql:
        return self.ordered(node.args[0]) >= self.ordered(node.args[1])

    def op_between(self, node: Node, *_: Any) -> Sql:
        if node.args[0].type.kind in EMPTY_IS_BLANK:
            x, low, high = map(self.ordered, node.args)
            found: Sql = x.between(low, high)
        else:
            found = self.matched(node.args, lambda values: values[0].between(values[1], values[2]))
        return sa.func.coalesce(found, sa.false(), type_=sa.Boolean())

    def truth_between(self, node: Node) -> Sql:
        if node.args[0].type.kind in EMPTY_IS_BLANK:
            x, low, high = map(self.ordered, node.args)
            return x.between(low, high)
        return self.matched(node.args, lambda values: values[0].between(values[1], values[2]))

    def ordered(self, node: Node) -> Sql:
        """A text to be ordered by code point, blank as NULL."""
        if node.op == "read":
            return self.collated(self.column(node))
        value: Sql = self.value(node)
        if not node.literal or not node.data:
            value = sa.func.nullif(value, self.text(""), type_=sa.Text())
        return self.collated(value)

    def collated(self, value: Sql) -> Sql:
        return value

    # Logic and text that are the same on both

    def op_not(self, node: Node, a: Sql) -> Sql:
        return sa.not_(a)

    def op_xor(self, node: Node, *_: Sql) -> Sql:
        return reduce(lambda a, b: a != b, [Grouping(self.certain(arg)) for arg in node.args])

    def op_concat(self, node: Node, *parts: Sql) -> Sql:
        return balanced(lambda a, b: infix("||", a, b, sa.Text()), parts)

    def op_substitute(self, node: Node, text: Sql, old: Sql, new: Sql) -> Sql | tuple[Sql, Sql]:
        value = sa.func.replace(text, old, new, type_=sa.Text())
        if not node.checked:
            return value
        # The length is worked out before the text is made.
        size, one = sa.func.length, sa.func.nullif(sa.func.length(old), self.whole_literal(0))
        removed = size(text) - size(sa.func.replace(text, old, self.text("")))
        grown = size(text) + infix("/", removed, one, sa.Integer()) * (size(new) - size(old))
        too_long = sa.func.coalesce(grown, self.whole_literal(0)) > self.whole_literal(TEXT_RESULT)
        return sa.case((too_long, self.text("")), else_=value), too_long


def as_record(value: UUID | str) -> UUID:
    """The id that a literal beside a reference stands for. Raises ValueError."""
    return value if isinstance(value, UUID) else UUID(value)


def whole_64(value: Decimal) -> int:
    """A whole number. Raises ValueError beyond 64 bits."""
    found = int(value)
    if not -(2**63) < found < 2**63:
        raise ValueError(value)
    return found


def _itself(value: Any) -> Any:
    return value


def _or_false(guard: Sql | None) -> Sql:
    return sa.false() if guard is None else guard
