"""The operations on SQLite: numbers as integers scaled by 10^scale, dates as ISO text, datetimes as
microseconds.

A number has two forms. `fast` is integer SQL at its own scale; where the sum or product of two integers
leaves 64 bits, SQLite goes on with a REAL, which stays a REAL to the end of the expression and so shows that
the row needs the other form. `slow` is the same in keys, by functions of ours (sqlite.py). What has no fast
form is worked out slowly at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any, ClassVar

import sqlalchemy as sa

from tabwright.formula import days, strings
from tabwright.formula.budget import PLACES
from tabwright.formula.figures import SCALE, STEADY
from tabwright.formula.operations import OPERATIONS
from tabwright.formula.sqlite import ERROR, key_of
from tabwright.formula.sqlwriter import (
    PackedPoint,
    Part,
    Rows,
    Sql,
    TimeOfDay,
    Writer,
    as_record,
    balanced,
    either,
    infix,
    plain,
    whole_64,
)
from tabwright.formula.typed import Node, whole_literal

_INT64 = 2**63
_INTEGER = sa.BigInteger()
_ZERO = key_of(Decimal(0))
_SMALL_WHOLE = 10**9
# Parts of a fast form from which on it is not written twice.
_SMALL = 40
# A number of 64 bits is so many of these and a rest; a billion of either can be added up.
_HALF = 10**9


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware datetime, kept as microseconds since 1970 in UTC."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | int | None, dialect: sa.Dialect) -> int | None:
        return days.microseconds(value) if isinstance(value, datetime) else value

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else days.from_microseconds(value)


@dataclass(slots=True)
class Num:
    """A number: see the head of this module. `bound`: its greatest size. `safe`: the fast form stays inside
    64 bits.
    """

    fast: Sql | None
    scale: int
    bound: int
    make_slow: Callable[[], Sql]
    safe: bool
    size: int = 1  # parts of the fast form
    known: Decimal | None = None  # of a literal
    put: "Put" = field(default=lambda form, convert, kind: sa.null())  # of a literal
    _slow: Sql | None = field(default=None)

    @property
    def slow(self) -> Sql:
        if self._slow is None:
            self._slow = self.make_slow()
        return self._slow

    @property
    def any_form(self) -> Sql:
        return self.slow if self.fast is None else self.fast

    def at(self, scale: int) -> "Num":
        """The same at another scale that is not smaller."""
        if scale == self.scale or self.fast is None:
            return self
        if self.known is not None:
            return literal(self.known, scale, self.put)
        factor = 10 ** (scale - self.scale)
        safe = self.safe and self.bound * 10**scale < _INT64
        fast = infix("*", self.fast, whole(factor), _INTEGER) if factor < _INT64 else None
        return Num(fast, scale, self.bound, lambda: self.slow, safe, self.size + 2)


def whole(value: int) -> Sql:
    return sa.literal(value, _INTEGER)


def text(value: str) -> Sql:
    return sa.literal(value, sa.Text())


def slowly(name: str, *args: Sql) -> Sql:
    """A function of ours that gives a key."""
    return sa.Function("tw_" + name, *args, type_=sa.Text())


def keyed(fast: Sql, scale: int) -> Sql:
    return slowly("key", fast, whole(scale))


# How a form of a literal gets into SQL: what it is called, how it is made of the value, its type.
Put = Callable[[str, Callable[[Decimal], Any], Any], Sql]


def literal(value: Decimal, scale: int, put: Put | None = None) -> Num:
    if put is None:

        def put(form: str, convert: Callable[[Decimal], Any], kind: Any) -> Sql:
            return sa.literal(convert(value), kind)

    write = put
    fits = -_INT64 < int(value.scaleb(scale)) < _INT64
    fast = write(f"at{scale}", lambda x: whole_64(x.scaleb(scale)), _INTEGER) if fits else None
    return Num(
        fast, scale, abs(int(value)) + 1, lambda: write("key", key_of, sa.Text()), fits, 1, value, write
    )


def is_real(numbers: Sequence[Num]) -> Sql | None:
    """Whether one of the fast forms has left 64 bits; None when none can."""
    tests = [sa.func.typeof(n.fast) == text("real") for n in numbers if not n.safe and n.fast is not None]
    return sa.or_(*tests) if tests else None


class SqliteWriter(Writer):
    types: ClassVar[dict[str, Any]] = {
        "text": sa.Text(),
        "picklist": sa.Text(),
        "choices": sa.Text(),
        "opaque": sa.Text(),
        "time": TimeOfDay(),
        "location": PackedPoint(),
        "number": _INTEGER,
        "boolean": sa.Boolean(),
        "date": sa.Date(),
        "datetime": Moment(),
        "reference": sa.LargeBinary(),
    }

    def operation(self, node: Node) -> Part:
        known = OPERATIONS.get(node.op)
        if known is not None and known.lent and not hasattr(self, "op_" + node.op):
            return self.lent(node)
        return super().operation(node)

    def lent(self, node: Node) -> Part:
        """An operation that this database has from the process: see ``sqlite._call``."""
        kinds = "".join("n" if arg.type.kind == "number" else "t" for arg in node.args)
        result = "n" if node.type.kind == "number" else "t"
        args = [self.value(arg) for arg in node.args]
        args = [arg.slow if isinstance(arg, Num) else arg for arg in args]
        call = sa.Function(
            "tw_call",
            text(f"{node.op}:{kinds}:{result}"),
            *args,
            type_=sa.Text() if result == "n" else self.types[node.type.kind],
        )
        value: Any = self.slow_number(node, lambda: call) if result == "n" else call
        own = None
        if OPERATIONS[node.op].raises:
            own = call == text(ERROR) if result == "n" else call.is_(None)
            own = sa.and_(*(self.present(arg) for arg in node.args if arg.nullable), own)
        if node.type.kind == "text" and any(arg.nullable for arg in node.args):
            value = sa.func.coalesce(value, text(""), type_=sa.Text())
        return Part(value, either(*map(self.guard, node.args), own))

    def record(self, node: Node) -> Sql:
        return self.put(node, "id", lambda value: as_record(value).bytes, sa.LargeBinary())

    # Numbers

    def number_literal(self, node: Node) -> Num:
        if node.data is None:
            return Num(self.blank(_INTEGER), 0, 0, lambda: self.blank(sa.Text()), True)
        return literal(node.data, node.scale, partial(self.put, node))

    def number_field(self, node: Node, column: Sql) -> Num:
        if node.bound * 10**node.scale >= _INT64:  # kept as a key
            key = sa.type_coerce(column, sa.Text())
            return Num(None, SCALE, node.bound, lambda: key, False)
        return Num(column, node.scale, node.bound, lambda: keyed(column, node.scale), True)

    def any_form(self, value: Any) -> Sql:
        found: Sql = value.any_form if isinstance(value, Num) else value
        return found

    def too_big(self, value: Num) -> Sql:
        if value.fast is None:
            return value.slow == text(ERROR)
        real = is_real([value])
        return sa.false() if real is None else sa.and_(real, value.slow == text(ERROR))

    def number(
        self, node: Node, fast: Sql | None, scale: int, parts: Sequence[Num], slow: Callable[[], Sql]
    ) -> Num:
        """A number whose fast form was made of the fast forms of `parts`."""
        if fast is None or any(part.fast is None for part in parts):
            return Num(None, SCALE, node.bound, slow, False)
        safe = all(part.safe for part in parts) and node.bound * 10**scale < _INT64
        size = sum(part.size for part in parts) + 2
        if safe:
            return Num(fast, scale, node.bound, lambda: keyed(fast, scale), True, size)
        return Num(fast, scale, node.bound, slow, False, size)

    def slow_number(self, node: Node, slow: Callable[[], Sql]) -> Num:
        return Num(None, SCALE, node.bound, slow, False)

    def small(self, node: Node, fast: Sql) -> Num:
        """A whole number that always fits."""
        return Num(fast, 0, node.bound, lambda: keyed(fast, 0), True, 4)

    def numbers(self, nodes: Sequence[Node]) -> list[Num]:
        """The values of `nodes` at one scale."""
        found: list[Num] = [self.value(node) for node in nodes]
        scale = max(number.scale for number in found)
        return [number.at(scale) for number in found]

    def pick(self, nodes: Sequence[Node], build: Callable[[Sequence[Sql]], Sql]) -> Any:
        if nodes[0].type.kind not in ("number", "null") or all(node.type.kind == "null" for node in nodes):
            return super().pick(nodes, build)
        numbers = self.numbers(nodes)
        fasts = [number.fast for number in numbers if number.fast is not None]
        bound = max(number.bound for number in numbers)

        def slow() -> Sql:
            return build([number.slow for number in numbers])

        if len(fasts) < len(numbers):
            return Num(None, SCALE, bound, slow, False)
        fast, scale, safe = build(fasts), numbers[0].scale, all(number.safe for number in numbers)
        make = (lambda: keyed(fast, scale)) if safe else slow
        return Num(fast, scale, bound, make, safe, sum(number.size for number in numbers) + 4)

    def matched(self, nodes: Sequence[Node], build: Callable[[Sequence[Sql]], Sql]) -> Sql:
        if nodes[0].type.kind != "number":
            return super().matched(nodes, build)
        numbers = self.numbers(nodes)
        fasts = [number.fast for number in numbers if number.fast is not None]
        if len(fasts) < len(numbers):
            return build([number.slow for number in numbers])
        real = is_real(numbers)
        if real is None:
            return build(fasts)
        return sa.case((real, build([number.slow for number in numbers])), else_=build(fasts))

    def part_zero(self, node: Node) -> Part:
        value: Num = self.value(node.args[0])
        guard = self.guard(node.args[0])

        def slow() -> Sql:
            return sa.func.coalesce(value.slow, text(_ZERO), type_=sa.Text())

        if value.fast is None:
            return Part(Num(None, SCALE, value.bound, slow, False), guard)
        fast = sa.func.coalesce(value.fast, whole(0), type_=_INTEGER)
        return Part(Num(fast, value.scale, value.bound, slow, value.safe, value.size + 2), guard)

    def whole(self, node: Node) -> Sql:
        """A number as an integer, its fraction dropped, held inside what a count can be."""
        number: Num = self.value(node)
        known = whole_literal(node)
        if known is not None:
            return self.put(
                node, "held", lambda value: max(-_SMALL_WHOLE, min(int(value), _SMALL_WHOLE)), _INTEGER
            )
        if number.fast is None or not number.safe:
            return sa.func.tw_whole(number.slow, type_=_INTEGER)
        found = number.fast
        if number.scale:
            found = infix("/", found, whole(10**number.scale), _INTEGER)
        if node.bound < _SMALL_WHOLE:
            return found
        low = sa.func.max(found, whole(-_SMALL_WHOLE), type_=_INTEGER)
        return sa.func.min(low, whole(_SMALL_WHOLE), type_=_INTEGER)

    def op_add(self, node: Node, *_: Num) -> Num:
        terms = self.numbers(node.args)
        fasts = [term.fast for term in terms if term.fast is not None]
        fast = None
        if len(fasts) == len(terms):
            fast = balanced(lambda a, b: infix("+", a, b, _INTEGER), fasts)
        return self.number(
            node, fast, terms[0].scale, terms, lambda: slowly("add", *(term.slow for term in terms))
        )

    def op_sub(self, node: Node, *_: Num) -> Num:
        a, b = self.numbers(node.args)
        fast = None if a.fast is None or b.fast is None else infix("-", a.fast, b.fast, _INTEGER)
        return self.number(node, fast, a.scale, [a, b], lambda: slowly("sub", a.slow, b.slow))

    def op_mul(self, node: Node, a: Num, b: Num) -> Num:
        scale = a.scale + b.scale
        fast = None
        if a.fast is not None and b.fast is not None and scale <= SCALE:
            fast = infix("*", a.fast, b.fast, _INTEGER)
        return self.number(node, fast, scale, [a, b], lambda: slowly("mul", a.slow, b.slow))

    def op_shift(self, node: Node, x: Num, factor: Num) -> Num:
        scale = x.scale - node.data
        fast = x.fast
        if 0 <= scale <= SCALE and fast is not None:
            slow = (lambda: keyed(fast, scale)) if x.safe else (lambda: slowly("mul", x.slow, factor.slow))
            return Num(fast, scale, node.bound, slow, x.safe, x.size)
        return self.op_mul(node, x, factor)

    def op_settle(self, node: Node, x: Num) -> Num:
        return x if x.fast is not None else self.slow_number(node, lambda: x.slow)

    def op_div(self, node: Node, a: Num, b: Num) -> Num | tuple[Num, Sql]:
        if b.known:
            exact = _reciprocal(b.known)
            if exact is not None and a.scale - int(exact.as_tuple().exponent) <= SCALE:
                return self.op_mul(node, a, literal(exact, max(-int(exact.as_tuple().exponent), 0)))
        result = self.slow_number(node, lambda: slowly("div", a.slow, b.slow))
        if b.known:
            return result
        if b.fast is not None and b.safe:
            return result, b.fast == whole(0)
        return result, b.slow.in_([text(_ZERO), text(ERROR)])

    def op_neg(self, node: Node, x: Num) -> Num:
        fast = None if x.fast is None else infix("-", whole(0), x.fast, _INTEGER)
        return self.number(node, fast, x.scale, [x], lambda: slowly("sub", text(_ZERO), x.slow))

    def op_abs(self, node: Node, x: Num) -> Num:
        # abs() itself raises on the least integer, which an unsafe form can reach.
        fast = sa.func.abs(x.fast, type_=_INTEGER) if x.fast is not None and x.safe else None
        return self.number(node, fast, x.scale, [x], lambda: slowly("abs", x.slow))

    def op_pow(self, node: Node, a: Num, b: Num) -> tuple[Num, Sql]:
        result = self.slow_number(node, lambda: slowly("pow", a.slow, b.slow))
        return result, result.slow == text(ERROR)

    def op_round(self, node: Node, x: Num, places: Num) -> Num:
        def build(known: int) -> Sql | None:
            step = x.scale - known
            if x.fast is None or step > SCALE or x.size > _SMALL:
                return None
            rest = infix("%", x.fast, whole(10**step), _INTEGER)
            half = infix("/", rest, whole(10**step // 2), _INTEGER)
            return infix("+", infix("/", x.fast, whole(10**step), _INTEGER), half, _INTEGER)

        return self.to_places(node, x, build)

    def op_trunc(self, node: Node, x: Num, places: Num) -> Num:
        def build(known: int) -> Sql | None:
            step = x.scale - known
            if x.fast is None or step > SCALE or x.scale > STEADY:
                return None
            return infix("/", x.fast, whole(10**step), _INTEGER)

        return self.to_places(node, x, build)

    def to_places(self, node: Node, x: Num, build: Callable[[int], Sql | None]) -> Num:
        known = whole_literal(node.args[1])
        places = self.whole(node.args[1])

        def slow() -> Sql:
            return slowly(node.op, x.slow, places)

        if known is None:
            held = sa.func.min(
                sa.func.max(places, whole(-PLACES), type_=_INTEGER), whole(PLACES), type_=_INTEGER
            )
            return self.slow_number(node, lambda: slowly(node.op, x.slow, held))
        if known >= x.scale and (node.op == "round" or x.scale <= STEADY):
            return x
        fast = build(known)
        if fast is not None and known < 0:
            fast = infix("*", fast, whole(10**-known), _INTEGER)
        return self.number(node, fast, max(known, 0), [x], slow)

    def op_fit(self, node: Node, x: Num, limit: Num) -> tuple[Num, Sql]:
        end: Decimal = node.args[1].data
        beyond = sa.or_(x.slow >= text(key_of(end)), x.slow <= text(key_of(-end)))
        if x.fast is not None:
            most = int(end.scaleb(x.scale))
            here = sa.or_(x.fast >= whole(most), x.fast <= whole(-most))
            real = is_real([x])
            beyond = here if real is None else sa.case((real, beyond), else_=here)
        return x, beyond

    def op_ceiling(self, node: Node, x: Num) -> Num:
        return self.step(node, x, lambda whole_, rest: infix("+", whole_, self.sign(rest), _INTEGER))

    def op_floor(self, node: Node, x: Num) -> Num:
        return self.step(node, x, lambda whole_, rest: whole_)

    def op_mceiling(self, node: Node, x: Num) -> Num:
        return self.step(
            node, x, lambda whole_, rest: infix("+", whole_, infix(">", rest, whole(0), _INTEGER), _INTEGER)
        )

    def op_mfloor(self, node: Node, x: Num) -> Num:
        return self.step(
            node, x, lambda whole_, rest: infix("-", whole_, infix("<", rest, whole(0), _INTEGER), _INTEGER)
        )

    def sign(self, x: Sql) -> Sql:
        return infix("-", infix(">", x, whole(0), _INTEGER), infix("<", x, whole(0), _INTEGER), _INTEGER)

    def step(self, node: Node, x: Num, build: Callable[[Sql, Sql], Sql]) -> Num:
        if x.scale == 0 and x.fast is not None:
            return x
        fast = None
        if x.fast is not None and x.scale <= STEADY and x.size <= _SMALL:
            step = whole(10**x.scale)
            fast = build(infix("/", x.fast, step, _INTEGER), infix("%", x.fast, step, _INTEGER))
        return self.number(node, fast, 0, [x], lambda: slowly(node.op, x.slow))

    def op_mod(self, node: Node, *_: Num) -> tuple[Num, Sql]:
        a, b = self.numbers(node.args)
        if a.fast is None or b.fast is None or not a.safe or not b.safe or a.scale > STEADY:
            result = self.slow_number(node, lambda: slowly("mod", a.slow, b.slow))
            return result, result.slow == text(ERROR)
        fast = infix("%", a.fast, b.fast, _INTEGER)
        return self.number(
            node, fast, a.scale, [a, b], lambda: slowly("mod", a.slow, b.slow)
        ), b.fast == whole(0)

    def op_max(self, node: Node, *_: Any) -> Any:
        return self.extreme(node, sa.func.max)

    def op_min(self, node: Node, *_: Any) -> Any:
        return self.extreme(node, sa.func.min)

    def extreme(self, node: Node, function: Any) -> Any:
        if len(node.args) == 1:  # with one argument it would be an aggregate
            return self.value(node.args[0])

        def build(values: Sequence[Sql]) -> Sql:
            found: Sql = function(*values, type_=values[0].type)
            return found

        if node.type.kind != "number":
            return self.pick(node.args, build)
        numbers = self.numbers(node.args)
        if all(number.safe for number in numbers):
            return self.pick(node.args, build)
        return self.slow_number(node, lambda: build([number.slow for number in numbers]))

    # Children

    def joined(self, value: Sql, rows: Rows) -> Sql:
        return sa.Function("tw_joined", value, text(rows.asked.separator), rows.children.id, type_=sa.Text())

    def single(self, node: Node) -> Sql:
        found = self.value(node)
        if not isinstance(found, Num):
            return super().single(node)
        return found.fast if found.fast is not None and found.safe else found.slow

    def alone(self, node: Node, rows: Rows, order: Sequence[Any]) -> Any:
        assert rows.asked.value is not None
        return self.of_rows(node, rows, lambda form: form, order)

    def of_rows(
        self, node: Node, rows: Rows, build: Callable[[Sql], Sql], order: Sequence[Any] | None
    ) -> Any:
        """What `build` makes of the values of children, of which it is one."""
        assert rows.asked.value is not None
        value = rows.inner.value(rows.asked.value)
        if not isinstance(value, Num):
            return rows.one(build(value), order)
        if value.fast is None or not value.safe:
            return self.slow_number(node, lambda: rows.one(build(value.slow), order))
        fast = rows.one(build(value.fast), order)
        return Num(fast, value.scale, node.bound, lambda: keyed(fast, value.scale), True, _SMALL)

    def figured(self, node: Node, rows: Rows) -> tuple[Num, Sql | None]:
        asked = rows.asked
        assert asked.value is not None
        if asked.kind in ("min", "max"):
            function = getattr(sa.func, asked.kind)
            return self.of_rows(node, rows, lambda form: function(form, type_=form.type), None), None
        value: Num = rows.inner.value(asked.value)
        form = value.fast if value.fast is not None and value.safe else None
        if asked.kind == "sum" and form is not None and not node.checked:
            most = node.bound * 10**value.scale
            if most < _INT64:
                fast = rows.one(sa.func.coalesce(sa.func.sum(form), whole(0), type_=_INTEGER), None)
                return Num(
                    fast, value.scale, node.bound, lambda: keyed(fast, value.scale), True, _SMALL
                ), None
        if form is None:
            total, present = slowly("total", value.slow), value.slow
        else:
            # SQLite refuses a sum beyond 64 bits, so the two halves of every number are added up apart.
            high = sa.func.sum(infix("/", form, whole(_HALF), _INTEGER), type_=_INTEGER)
            low = sa.func.sum(infix("%", form, whole(_HALF), _INTEGER), type_=_INTEGER)
            total, present = slowly("halves", high, low, whole(value.scale)), form
        if asked.kind == "sum":
            none = sa.func.coalesce(total, text(_ZERO), type_=sa.Text())
            return self.slow_number(node, lambda: rows.one(none, None)), None
        count = sa.func.nullif(sa.func.count(present), whole(0), type_=_INTEGER)
        average = slowly("div", total, keyed(count, 0))
        return self.slow_number(node, lambda: rows.one(average, None)), None

    # Text

    def op_len(self, node: Node, value: Sql) -> Num:
        return self.small(node, sa.func.length(value, type_=_INTEGER))

    def op_left(self, node: Node, value: Sql, count: Num) -> Sql:
        size = self.at_least(0, self.whole(node.args[1]))
        return sa.func.substr(value, whole(1), size, type_=sa.Text())

    def op_right(self, node: Node, value: Sql, count: Num) -> Sql:
        size = self.whole(node.args[1])
        end = sa.func.substr(value, infix("-", whole(0), size, _INTEGER), type_=sa.Text())
        return sa.case((size > whole(0), end), (size <= whole(0), text("")))

    def op_mid(self, node: Node, value: Sql, start: Num, count: Num) -> Sql:
        first, size = self.at_least(1, self.whole(node.args[1])), self.at_least(0, self.whole(node.args[2]))
        return sa.func.substr(value, first, size, type_=sa.Text())

    def at_least(self, least: int, value: Sql) -> Sql:
        return sa.func.max(value, whole(least), type_=_INTEGER)

    def op_trim(self, node: Node, value: Sql) -> Sql:
        return sa.func.trim(value, text(strings.SPACES), type_=sa.Text())

    def op_contains(self, node: Node, value: Sql, part: Sql) -> Sql:
        return sa.func.instr(value, part) > whole(0)

    def op_begins(self, node: Node, value: Sql, part: Sql) -> Sql:
        return sa.func.substr(value, whole(1), sa.func.length(part), type_=sa.Text()) == part

    def op_ends(self, node: Node, value: Sql, part: Sql) -> Sql:
        end = sa.func.substr(value, infix("-", whole(0), sa.func.length(part), _INTEGER), type_=sa.Text())
        return sa.or_(part == text(""), end == part)

    def op_find(self, node: Node, part: Sql, value: Sql, start: Num) -> Num:
        if whole_literal(node.args[2]) == 1:
            found = sa.func.instr(value, part, type_=_INTEGER)
            return self.small(node, sa.case((part == text(""), whole(0)), else_=found))
        first = self.at_least(1, self.whole(node.args[2]))
        found = sa.func.instr(sa.func.substr(value, first), part, type_=_INTEGER)
        place = infix("+", found, infix("-", first, whole(1), _INTEGER), _INTEGER)
        missing = sa.or_(part == text(""), found == whole(0))
        return self.small(node, self.strictly(node, sa.case((missing, whole(0)), else_=place)))

    def op_upper(self, node: Node, value: Sql) -> Sql:
        return slowly("upper", value)

    def op_lower(self, node: Node, value: Sql) -> Sql:
        return slowly("lower", value)

    def op_number_text(self, node: Node, x: Num) -> Sql:
        return self.or_empty(node, slowly("number_text", x.slow))

    def op_date_text(self, node: Node, day: Sql) -> Sql:
        return self.or_empty(node, sa.type_coerce(day, sa.Text()))

    def op_datetime_text(self, node: Node, moment: Sql) -> Sql:
        return self.or_empty(node, slowly("datetime_text", moment))

    def op_text_number(self, node: Node, value: Sql) -> tuple[Num, Sql]:
        found = slowly("text_number", value)
        return self.slow_number(node, lambda: found), sa.and_(
            sa.func.trim(value, text(" ")) != text(""), found.is_(None)
        )

    # Dates

    def digits(self, day: Sql, start: int, count: int) -> Sql:
        written = sa.func.substr(sa.type_coerce(day, sa.Text()), whole(start), whole(count))
        return sa.cast(written, sa.Integer())

    def op_year(self, node: Node, day: Sql) -> Num:
        return self.small(node, self.digits(day, 1, 4))

    def op_month(self, node: Node, day: Sql) -> Num:
        return self.small(node, self.digits(day, 6, 2))

    def op_day(self, node: Node, day: Sql) -> Num:
        return self.small(node, self.digits(day, 9, 2))

    def op_quarter(self, node: Node, day: Sql) -> Num:
        month = infix("+", self.digits(day, 6, 2), whole(2), _INTEGER)
        return self.small(node, infix("/", month, whole(3), _INTEGER))

    def op_weekday(self, node: Node, day: Sql) -> Num:
        sunday = sa.cast(sa.func.strftime(text("%w"), sa.type_coerce(day, sa.Text())), sa.Integer())
        return self.small(node, infix("+", sunday, whole(1), _INTEGER))

    def counted(self, node: Node, value: Sql) -> Num:
        return self.small(node, value)

    def op_day_of_year(self, node: Node, day: Sql) -> Num:
        number = sa.func.strftime(text("%j"), sa.type_coerce(day, sa.Text()))
        return self.small(node, sa.cast(number, sa.Integer()))

    def called(self, node: Node, *args: Sql) -> Num:
        """A small whole number from a function of ours."""
        return self.small(node, sa.Function("tw_" + node.op, *args, type_=_INTEGER))

    op_iso_week = called
    op_iso_year = called
    op_months_between = called
    op_workdays_between = called

    def op_seconds_between(self, node: Node, end: Sql, start: Sql) -> Num:
        passed = infix("-", plain(end, _INTEGER), plain(start, _INTEGER), _INTEGER)
        return self.small(node, infix("/", passed, whole(1_000_000), _INTEGER))

    def inside_a_day(self, node: Node) -> Sql:
        number: Num = self.value(node)
        if number.fast is None or not number.safe:
            return sa.func.tw_inside_a_day(number.slow, type_=_INTEGER)
        count = infix("/", number.fast, whole(10**number.scale), _INTEGER) if number.scale else number.fast
        return infix("%", count, whole(days.DAY_MILLISECONDS), _INTEGER)

    def op_time_text(self, node: Node, clock: Sql) -> Sql:
        count = plain(clock, _INTEGER)
        parts = [
            infix("%", infix("/", count, whole(unit), _INTEGER), whole(most), _INTEGER)
            for unit, most in ((3_600_000, 24), (60_000, 60), (1_000, 60), (1, 1_000))
        ]
        form = text("%02d:%02d:%02d.%03d")
        return self.or_empty(node, self.strictly(node, sa.func.printf(form, *parts, type_=sa.Text())))

    def op_duration_text(self, node: Node, seconds: Num) -> Sql:
        return slowly(node.op, seconds.slow)

    op_days_text = op_duration_text

    def op_is_workday(self, node: Node, day: Sql, calendar: Sql) -> Sql:
        return sa.func.tw_is_workday(day, calendar, type_=sa.Boolean())

    def op_workday(self, node: Node, day: Sql, count: Num, calendar: Sql) -> tuple[Sql, Sql]:
        return self.ours(node, day, self.whole(node.args[1]), calendar)

    def op_hours_between(self, node: Node, *args: Sql) -> tuple[Num, Sql]:
        found = slowly("hours_between", *args)
        return self.slow_number(node, lambda: found), found.is_(None)

    def op_days_between(self, node: Node, end: Sql, start: Sql) -> Num:
        ends = [sa.func.julianday(sa.type_coerce(day, sa.Text())) for day in (end, start)]
        return self.small(node, sa.cast(infix("-", ends[0], ends[1], sa.Float()), sa.Integer()))

    def op_metres(self, node: Node, a: Sql, b: Sql) -> Num:
        return self.small(node, sa.Function("tw_metres", a, b, type_=_INTEGER))

    def op_time_between(self, node: Node, end: Sql, start: Sql) -> Num:
        return self.slow_number(node, lambda: slowly("time_between", end, start))

    def ours(self, node: Node, *args: Sql) -> tuple[Sql, Sql]:
        """A function of ours that gives NULL where the process would raise."""
        value = sa.Function("tw_" + node.op, *args, type_=self.types[node.type.kind])
        return value, value.is_(None)

    def op_make_date(self, node: Node, *_: Num) -> tuple[Sql, Sql]:
        return self.ours(node, *map(self.whole, node.args))

    def op_add_days(self, node: Node, day: Sql, count: Num) -> tuple[Sql, Sql]:
        step = infix("||", self.whole(node.args[1]), text(" days"), sa.Text())
        value = sa.func.date(sa.type_coerce(day, sa.Text()), step, type_=sa.Date())
        # After the year 9999 it is NULL, before the year 1 it is a text that stands before all dates.
        return value, sa.or_(value.is_(None), sa.type_coerce(value, sa.Text()) < text("0001-01-01"))

    def op_add_time(self, node: Node, moment: Sql, count: Num) -> tuple[Sql, Sql]:
        return self.ours(node, moment, count.slow)

    def op_from_unix(self, node: Node, count: Num) -> tuple[Sql, Sql]:
        return self.ours(node, count.slow)

    def op_add_months(self, node: Node, day: Sql, count: Num) -> tuple[Sql, Sql]:
        return self.ours(node, day, self.whole(node.args[1]))

    op_add_months_time = op_add_months
    op_end_of_month = op_add_months

    def op_start_of(self, node: Node, day: Sql, unit: Sql, shift: Num) -> tuple[Sql, Sql]:
        return self.ours(node, day, unit, self.whole(node.args[2]))

    op_end_of = op_start_of

    def op_local_date(self, node: Node, *args: Sql) -> tuple[Sql, Sql]:
        return self.ours(node, *args)

    op_local_time = op_local_date
    op_local_moment = op_local_date
    op_clock_start = op_local_date
    op_clock_end = op_local_date
    op_just_before = op_local_date

    def op_text_date(self, node: Node, value: Sql) -> tuple[Sql, Sql]:
        found, bad = self.ours(node, value)
        return found, sa.and_(value != text(""), bad)

    op_text_datetime = op_text_date
    op_text_time = op_text_date

    def op_date_datetime(self, node: Node, day: Sql) -> Sql:
        return self.ours(node, day)[0]


def _reciprocal(value: Decimal) -> Decimal | None:
    """1 / value when that is a decimal of at most 18 places."""
    inverse = (Decimal(1) / value).normalize()
    return inverse if inverse * value == 1 and int(inverse.as_tuple().exponent) >= -SCALE else None
