"""The operations on PostgreSQL: text with COLLATE "C", NUMERIC, BOOLEAN, DATE, TIMESTAMPTZ, uuid. From
version 14.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import Grouping

from tabwright.formula import days, places, strings
from tabwright.formula.budget import PLACES, TEXT_RESULT
from tabwright.formula.figures import EXACT_POWER, LIMIT, NUMERAL, SCALE, STEADY
from tabwright.formula.sqlwriter import (
    NotPushable,
    PackedPoint,
    Part,
    Rows,
    Sql,
    TimeOfDay,
    Writer,
    as_record,
    balanced,
    infix,
    plain,
    whole_64,
)
from tabwright.formula.typed import Node, whole_literal

_INT64 = 2**63
_FIRST, _LAST = date.min, date.max
_FIRST_MOMENT = datetime.min.replace(tzinfo=UTC)
_LAST_MOMENT = datetime.max.replace(tzinfo=UTC)
_MOMENT = sa.DateTime(timezone=True)


def _round(x: Sql, places: int) -> Sql:
    return sa.func.round(x, sa.literal(places, sa.Integer()), type_=sa.Numeric())


def _number(value: Decimal | int) -> Sql:
    return sa.literal(Decimal(value), sa.Numeric())


class _Metres(sa.sql.functions.FunctionElement[int]):
    """How far two packed points are apart: see ``places``."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(_Metres)
def _metres_sql(element: _Metres, compiler: Any, **given: Any) -> str:
    a, b = (compiler.process(each, **given) for each in element.clauses)
    return places.postgresql_metres(a, b)


class _WorkedBefore(sa.sql.functions.FunctionElement[int]):
    """The working days before a day, by parameters made of a calendar: see ``calendars.Calendar.counts``."""

    type = sa.BigInteger()
    inherit_cache = True


@compiles(_WorkedBefore)
def _worked_before_sql(element: _WorkedBefore, compiler: Any, **given: Any) -> str:
    day, week, changed, changes = (f"({compiler.process(each, **given)})" for each in element.clauses)
    since = f"({day} - DATE '0001-01-01')"
    return (
        f"({since} / 7 * {week}[8] + {week}[{since} %% 7 + 1]"
        f" + {changes}[width_bucket({since}, {changed}) + 1])"
    )


class PostgresqlWriter(Writer):
    types: ClassVar[dict[str, Any]] = {
        "text": sa.Text(),
        "picklist": sa.Text(),
        "choices": sa.Text(),
        "opaque": sa.Text(),
        "time": TimeOfDay(),
        "location": PackedPoint(),
        "number": sa.Numeric(),
        "boolean": sa.Boolean(),
        "date": sa.Date(),
        "datetime": _MOMENT,
        "reference": sa.Uuid(),
    }

    def record(self, node: Node) -> Sql:
        return self.put(node, "id", as_record, sa.Uuid())

    def collated(self, value: Sql) -> Sql:
        return Grouping(sa.collate(value, "C"))

    def truth_same(self, node: Node) -> Sql | None:
        a, b = (self.value(arg) for arg in node.args)
        found = super().truth_same(node)
        if found is None and all(arg.nullable for arg in node.args):
            # Unlike IS NOT DISTINCT FROM, this can be looked up in an index.
            found = sa.or_(a == b, sa.and_(a.is_(None), b.is_(None)))
        return found

    # Numbers

    def number_literal(self, node: Node) -> Sql:
        if node.data is None:
            return self.blank(sa.Numeric())
        return self.put(node, "value", Decimal, sa.Numeric())

    def number_field(self, node: Node, column: Sql) -> Sql:
        return sa.cast(column, sa.Numeric()) if node.scale == 0 else column

    def matched(self, nodes: Sequence[Node], build: Any) -> Sql:
        """A whole-number field is compared with whole numbers as it is, so that its index serves."""
        fields = [node for node in nodes if node.op == "read"]
        if (
            len(fields) == 1
            and fields[0].type.kind == "number"
            and fields[0].scale == 0
            and all(node in fields or _fits(node) for node in nodes)
        ):
            whole = sa.BigInteger()
            found: Sql = build(
                [
                    self.column(node) if node.op == "read" else self.put(node, "whole", whole_64, whole)
                    for node in nodes
                ]
            )
            return found
        return super().matched(nodes, build)

    def too_big(self, value: Sql) -> Sql:
        return sa.func.abs(value) > _number(LIMIT)

    def part_zero(self, node: Node) -> Part:
        value = self.value(node.args[0])
        return Part(sa.func.coalesce(value, _number(0), type_=sa.Numeric()), self.guard(node.args[0]))

    def whole(self, node: Node, lowest: int = -(10**9), highest: int = 10**9) -> Sql:
        """A number as an integer: its fraction dropped, held between two ends."""
        known = whole_literal(node)
        if known is not None:
            return self.put(node, "held", lambda value: max(lowest, min(int(value), highest)), sa.Integer())
        held = sa.func.greatest(
            sa.func.least(sa.func.trunc(self.value(node)), _number(highest)), _number(lowest)
        )
        found = sa.cast(held, sa.Integer())
        # GREATEST and LEAST pass over a blank.
        return sa.case((self.present(node), found)) if node.nullable else found

    def op_add(self, node: Node, *terms: Sql) -> Sql:
        return balanced(lambda a, b: infix("+", a, b, sa.Numeric()), terms)

    def op_sub(self, node: Node, a: Sql, b: Sql) -> Sql:
        return infix("-", a, b, sa.Numeric())

    def op_mul(self, node: Node, a: Sql, b: Sql) -> Sql:
        return infix("*", a, b, sa.Numeric())

    op_shift = op_mul

    def op_settle(self, node: Node, x: Sql) -> Sql:
        return _round(x, SCALE)

    def op_div(self, node: Node, a: Sql, b: Sql) -> Sql | tuple[Sql, Sql]:
        # The display scale of the dividend decides how many places PostgreSQL works out.
        if node.args[1].literal and node.args[1].data:
            return _round(infix("/", _round(a, PLACES), b, sa.Numeric()), SCALE)
        divisor = sa.func.nullif(b, _number(0), type_=sa.Numeric())
        return _round(infix("/", _round(a, PLACES), divisor, sa.Numeric()), SCALE), b == _number(0)

    def op_neg(self, node: Node, x: Sql) -> Sql:
        return infix("-", _number(0), x, sa.Numeric())

    def op_abs(self, node: Node, x: Sql) -> Sql:
        return sa.func.abs(x, type_=sa.Numeric())

    def op_pow(self, node: Node, a: Sql, b: Sql) -> Sql | tuple[Sql, Sql]:
        exponent = whole_literal(node.args[1])
        if exponent is None or not -EXACT_POWER <= exponent <= EXACT_POWER:
            raise NotPushable(node)
        if exponent == 0:
            return self.strictly(node, _number(1))
        product = balanced(lambda x, y: infix("*", x, y, sa.Numeric()), [a] * abs(exponent))
        if exponent < 0:
            one = _round(_number(1), PLACES)
            divisor = sa.func.nullif(product, _number(0), type_=sa.Numeric())
            return _round(infix("/", one, divisor, sa.Numeric()), SCALE), a == _number(0)
        places = node.args[0].scale * exponent
        if places > PLACES:
            product = _round(product, PLACES)
        return _round(product, SCALE) if places > SCALE else product

    def op_round(self, node: Node, x: Sql, places: Sql) -> Sql:
        return self.to_places(node, sa.func.round, x)

    def op_trunc(self, node: Node, x: Sql, places: Sql) -> Sql:
        return self.to_places(node, sa.func.trunc, self.steady(node.args[0]))

    def to_places(self, node: Node, function: Any, x: Sql) -> Sql:
        places = self.whole(node.args[1], -PLACES, PLACES)
        value: Sql = function(x, places, type_=sa.Numeric())
        return value

    def steady(self, node: Node) -> Sql:
        value: Sql = self.value(node)
        return _round(value, STEADY) if node.scale > STEADY else value

    def op_ceiling(self, node: Node, x: Sql) -> Sql:
        x = self.steady(node.args[0])
        return infix("*", sa.func.sign(x), sa.func.ceil(sa.func.abs(x)), sa.Numeric())

    def op_floor(self, node: Node, x: Sql) -> Sql:
        return sa.func.trunc(self.steady(node.args[0]), type_=sa.Numeric())

    def op_mceiling(self, node: Node, x: Sql) -> Sql:
        return sa.func.ceil(self.steady(node.args[0]), type_=sa.Numeric())

    def op_mfloor(self, node: Node, x: Sql) -> Sql:
        return sa.func.floor(self.steady(node.args[0]), type_=sa.Numeric())

    def op_mod(self, node: Node, a: Sql, b: Sql) -> tuple[Sql, Sql]:
        a, b = self.steady(node.args[0]), self.steady(node.args[1])
        return sa.func.mod(a, sa.func.nullif(b, _number(0)), type_=sa.Numeric()), b == _number(0)

    def op_fit(self, node: Node, x: Sql, limit: Sql) -> tuple[Sql, Sql]:
        end = _number(node.args[1].data)
        return x, sa.or_(x >= end, x <= _number(-node.args[1].data))

    def op_max(self, node: Node, *values: Sql) -> Sql:
        return self.strictly(node, sa.func.greatest(*values, type_=self.types[node.type.kind]))

    def op_min(self, node: Node, *values: Sql) -> Sql:
        return self.strictly(node, sa.func.least(*values, type_=self.types[node.type.kind]))

    # Children

    def joined(self, value: Sql, rows: Rows) -> Sql:
        ordered = aggregate_order_by(self.text(rows.asked.separator), rows.children.id)
        return sa.func.string_agg(sa.func.nullif(value, self.text("")), ordered, type_=sa.Text())

    def figured(self, node: Node, rows: Rows) -> tuple[Sql, Sql | None]:
        asked = rows.asked
        assert asked.value is not None
        value = rows.inner.value(asked.value)
        if asked.kind in ("min", "max"):
            return rows.one(getattr(sa.func, asked.kind)(value, type_=sa.Numeric()), None), None
        total = sa.func.sum(value, type_=sa.Numeric())
        if asked.kind == "sum":
            return rows.one(sa.func.coalesce(total, _number(0), type_=sa.Numeric()), None), None
        count = sa.func.nullif(sa.cast(sa.func.count(value), sa.Numeric()), _number(0), type_=sa.Numeric())
        average = _round(infix("/", _round(total, PLACES), count, sa.Numeric()), SCALE)
        return rows.one(average, None), self.too_big(rows.one(total, None)) if node.checked else None

    # Text

    def op_len(self, node: Node, text: Sql) -> Sql:
        return sa.cast(sa.func.length(text), sa.Numeric())

    def op_left(self, node: Node, text: Sql, count: Sql) -> Sql:
        return sa.func.left(text, self.whole(node.args[1], 0), type_=sa.Text())

    def op_right(self, node: Node, text: Sql, count: Sql) -> Sql:
        return sa.func.right(text, self.whole(node.args[1], 0), type_=sa.Text())

    def op_mid(self, node: Node, text: Sql, start: Sql, count: Sql) -> Sql:
        return sa.func.substr(text, self.whole(node.args[1], 1), self.whole(node.args[2], 0), type_=sa.Text())

    def op_trim(self, node: Node, text: Sql) -> Sql:
        return sa.func.btrim(text, self.text(strings.SPACES), type_=sa.Text())

    def op_contains(self, node: Node, text: Sql, part: Sql) -> Sql:
        return sa.func.strpos(text, part) > self.whole_literal(0)

    def op_begins(self, node: Node, text: Sql, part: Sql) -> Sql:
        return sa.func.starts_with(text, part, type_=sa.Boolean())

    def op_ends(self, node: Node, text: Sql, part: Sql) -> Sql:
        return sa.func.right(text, sa.func.length(part), type_=sa.Text()) == part

    def op_find(self, node: Node, part: Sql, text: Sql, start: Sql) -> Sql:
        nowhere = _number(0)
        if whole_literal(node.args[2]) == 1:
            found = sa.cast(sa.func.strpos(text, part), sa.Numeric())
            return sa.case((part == self.text(""), nowhere), else_=found)
        first = self.whole(node.args[2], 1)
        rest: Sql = sa.func.strpos(sa.func.substr(text, first), part)
        place = sa.cast(
            infix("+", rest, infix("-", first, self.whole_literal(1), sa.Integer()), sa.Integer()),
            sa.Numeric(),
        )
        missing = sa.or_(part == self.text(""), rest == self.whole_literal(0))
        return self.strictly(node, sa.case((missing, nowhere), else_=place))

    def op_upper(self, node: Node, text: Sql) -> Sql:
        return self.letters(text, sa.func.upper, strings.TO_UPPER, strings.WIDE_UPPER)

    def op_lower(self, node: Node, text: Sql) -> Sql:
        return self.letters(text, sa.func.lower, strings.TO_LOWER, strings.WIDE_LOWER)

    def letters(self, text: Sql, plain: Any, lists: tuple[str, str], wide: tuple[str, str]) -> Sql:
        """Letter by letter by our own lists; the database's function knows ASCII and is much faster."""
        ascii_only = sa.func.octet_length(text) == sa.func.length(text)
        changed = sa.func.translate(text, *map(self.text, lists), type_=sa.Text())
        changed = sa.func.replace(changed, *map(self.text, wide), type_=sa.Text())
        return sa.case((ascii_only, plain(self.collated(text), type_=sa.Text())), else_=changed)

    def op_number_text(self, node: Node, x: Sql) -> Sql:
        return self.or_empty(node, sa.cast(sa.func.trim_scale(x), sa.Text()))

    def op_date_text(self, node: Node, day: Sql) -> Sql:
        return self.or_empty(node, sa.func.to_char(day, self.text("YYYY-MM-DD"), type_=sa.Text()))

    def op_datetime_text(self, node: Node, moment: Sql) -> Sql:
        written = sa.func.to_char(self.utc(moment), self.text("YYYY-MM-DD HH24:MI:SS"))
        return self.or_empty(node, infix("||", written, self.text("Z"), sa.Text()))

    def op_text_number(self, node: Node, text: Sql) -> tuple[Sql, Sql | None]:
        written: Sql = sa.func.btrim(text, self.text(" "), type_=sa.Text())
        fits = infix("~", written, self.text(f"^{NUMERAL}$"), sa.Boolean())
        value = sa.case((fits, sa.cast(written, sa.Numeric())))
        too_big = sa.func.coalesce(sa.func.abs(value) > _number(LIMIT), sa.true())
        return _round(value, SCALE), sa.and_(
            written != self.text(""), sa.or_(too_big, self.too_big(_round(value, SCALE)))
        )

    def op_reverse(self, node: Node, text: Sql) -> Sql:
        return sa.func.reverse(text, type_=sa.Text())

    def op_repeat(self, node: Node, text: Sql, count: Sql) -> tuple[Sql, Sql]:
        times = self.whole(node.args[1], 0)
        size = infix(
            "*", sa.cast(sa.func.length(text), sa.Numeric()), sa.cast(times, sa.Numeric()), sa.Numeric()
        )
        too_long = size > _number(TEXT_RESULT)
        held = sa.case((too_long, self.whole_literal(0)), else_=times)
        return sa.func.repeat(text, held, type_=sa.Text()), too_long

    def op_lpad(self, node: Node, text: Sql, count: Sql, padding: Sql) -> tuple[Sql, Sql]:
        return self.padded(node, sa.func.lpad, text, padding)

    def op_rpad(self, node: Node, text: Sql, count: Sql, padding: Sql) -> tuple[Sql, Sql]:
        return self.padded(node, sa.func.rpad, text, padding)

    def padded(self, node: Node, function: Any, text: Sql, padding: Sql) -> tuple[Sql, Sql]:
        size, empty = self.whole(node.args[1], 0), self.text("")
        grows = sa.and_(text != empty, padding != empty, size > sa.func.length(text))
        too_long = sa.and_(grows, size > self.whole_literal(TEXT_RESULT))
        held = sa.case((too_long, self.whole_literal(0)), else_=size)
        value: Sql = function(text, held, padding, type_=sa.Text())
        return self.strictly(node, sa.case((text == empty, empty), else_=value)), too_long

    def op_substr(self, node: Node, text: Sql, start: Sql, count: Sql) -> Sql:
        first, size = self.whole(node.args[1]), self.whole(node.args[2], 0)
        one = self.whole_literal(1)
        end = infix("+", infix("+", sa.func.length(text), first, sa.Integer()), one, sa.Integer())
        begin = sa.case((first < self.whole_literal(0), end), else_=sa.func.greatest(first, one))
        found: Sql = sa.func.substr(text, begin, size, type_=sa.Text())
        return self.strictly(node, sa.case((begin < one, self.text("")), else_=found))

    def op_code_of(self, node: Node, text: Sql) -> Sql:
        return sa.cast(sa.func.ascii(sa.func.nullif(text, self.text(""))), sa.Numeric())

    def op_is_number(self, node: Node, text: Sql) -> Sql:
        value, bad = self.op_text_number(node, text)
        return sa.and_(value.is_not(None), sa.not_(sa.func.coalesce(bad, sa.false(), type_=sa.Boolean())))

    def op_joined(self, node: Node, separator: Sql, *texts: Sql) -> tuple[Sql, Sql]:
        there = [sa.func.nullif(text, self.text("")) for text in texts]
        value = sa.func.concat_ws(separator, *there, type_=sa.Text())
        return value, self.too_long(value)

    def op_located(self, node: Node, latitude: Sql, longitude: Sql) -> tuple[Sql, Sql]:
        outside = sa.not_(
            sa.and_(
                latitude.between(_number(-90), _number(90)),
                longitude.between(_number(-180), _number(180)),
            )
        )
        up, along = (
            infix(
                "+",
                _round(infix("*", each, _number(places.UNIT), sa.Numeric()), 0),
                _number(most * places.UNIT),
                sa.Numeric(),
            )
            for each, most in ((latitude, 90), (longitude, 180))
        )
        packed = infix("+", infix("*", up, _number(places.SPAN), sa.Numeric()), along, sa.Numeric())
        held = sa.case((outside, _number(0)), else_=packed)
        return sa.type_coerce(sa.cast(held, sa.BigInteger()), PackedPoint()), outside

    # Dates

    def utc(self, moment: Sql) -> Sql:
        return sa.func.timezone(self.text("UTC"), moment, type_=sa.DateTime())

    def part_of(self, name: str, day: Sql) -> Sql:
        return sa.cast(sa.extract(name, day), sa.Numeric())

    def op_year(self, node: Node, day: Sql) -> Sql:
        return self.part_of("year", day)

    def op_month(self, node: Node, day: Sql) -> Sql:
        return self.part_of("month", day)

    def op_day(self, node: Node, day: Sql) -> Sql:
        return self.part_of("day", day)

    def op_quarter(self, node: Node, day: Sql) -> Sql:
        return self.part_of("quarter", day)

    def op_weekday(self, node: Node, day: Sql) -> Sql:
        return infix("+", self.part_of("dow", day), _number(1), sa.Numeric())

    def counted(self, node: Node, value: Sql) -> Sql:
        return sa.cast(value, sa.Numeric())

    def op_day_of_year(self, node: Node, day: Sql) -> Sql:
        return self.part_of("doy", day)

    def op_iso_week(self, node: Node, day: Sql) -> Sql:
        return self.part_of("week", day)

    def op_iso_year(self, node: Node, day: Sql) -> Sql:
        return self.part_of("isoyear", day)

    def begun(self, unit: Sql, moment: Sql) -> Sql:
        """The beginning of a unit of a moment without zone."""
        return sa.func.date_trunc(unit, moment, type_=sa.DateTime())

    def op_start_of(self, node: Node, *_: Sql) -> tuple[Sql, Sql]:
        return self.in_range(sa.cast(self.edge_of(node, 0), sa.Date()))

    def op_end_of(self, node: Node, *_: Sql) -> tuple[Sql, Sql]:
        after = sa.cast(self.edge_of(node, 1), sa.Date())
        return self.in_range(infix("-", after, self.whole_literal(1), sa.Date()))

    def edge_of(self, node: Node, later: int) -> Sql:
        """The beginning of a unit of a day, or of one of the next, in years shifted by months."""
        day, unit, shift = node.args
        moment = sa.cast(self.value(day), sa.DateTime())
        months = self.whole_literal({"week": 0, "month": 1, "quarter": 3, "year": 12}[unit.data] * later)
        weeks = self.whole_literal(later if unit.data == "week" else 0)
        nothing = self.whole_literal(0)
        if shift.literal:
            begun = self.begun(self.value(unit), moment)
        else:
            moved = sa.func.make_interval(nothing, self.whole(shift))
            begun = self.begun(self.value(unit), infix("+", moment, moved, sa.DateTime()))
            months = infix("-", months, self.whole(shift), sa.Integer())
        if not later and shift.literal:
            return begun
        return infix("+", begun, sa.func.make_interval(nothing, months, weeks), sa.DateTime())

    def op_months_between(self, node: Node, end: Sql, start: Sql) -> Sql:
        low, high = (extreme(start, end, type_=sa.Date()) for extreme in (sa.func.least, sa.func.greatest))
        one, months = self.whole_literal(1), self.whole_literal(12)
        counts = [
            infix(
                "+",
                infix("*", self.int_of("year", day), months, sa.Integer()),
                self.int_of("month", day),
                sa.Integer(),
            )
            for day in (high, low)
        ]
        begun = infix("-", counts[0], counts[1], sa.Integer())
        tomorrow = infix("+", high, one, sa.Date())
        short = sa.and_(
            self.int_of("day", high) < self.int_of("day", low), self.int_of("day", tomorrow) != one
        )
        whole = sa.case((short, infix("-", begun, one, sa.Integer())), else_=begun)
        signed = sa.case((end < start, infix("-", self.whole_literal(0), whole, sa.Integer())), else_=whole)
        return self.strictly(node, sa.cast(signed, sa.Numeric()))

    def int_of(self, name: str, day: Sql) -> Sql:
        return sa.cast(sa.extract(name, day), sa.Integer())

    def epoch(self, moment: Sql) -> Sql:
        return sa.cast(sa.extract("epoch", moment), sa.Numeric())

    def op_seconds_between(self, node: Node, end: Sql, start: Sql) -> Sql:
        passed = infix("-", self.epoch(end), self.epoch(start), sa.Numeric())
        return sa.func.trunc(passed, type_=sa.Numeric())

    # Times of day

    def inside_a_day(self, node: Node) -> Sql:
        day = _number(days.DAY_MILLISECONDS)
        left = sa.func.mod(sa.func.trunc(self.value(node)), day, type_=sa.Numeric())
        return sa.cast(left, sa.BigInteger())

    def op_time_text(self, node: Node, clock: Sql) -> Sql:
        return self.or_empty(node, sa.func.to_char(self.since_midnight(clock), self.text("HH24:MI:SS.MS")))

    def since_midnight(self, clock: Sql) -> Sql:
        step = sa.cast(self.text("1 millisecond"), sa.Interval())
        return infix("*", plain(clock, sa.BigInteger()), step, sa.Interval())

    def op_text_time(self, node: Node, text: Sql) -> tuple[Sql, Sql]:
        fits = infix("~", text, self.text(f"^{days.CLOCK_FORM}$"), sa.Boolean())
        pieces = [
            sa.func.substr(text, self.whole_literal(start), self.whole_literal(count))
            for start, count in ((1, 2), (4, 2), (7, 2), (10, 3))
        ]
        pieces[3] = sa.func.rpad(pieces[3], self.whole_literal(3), self.text("0"))
        parts = [sa.cast(infix("||", self.text("0"), piece, sa.Text()), sa.BigInteger()) for piece in pieces]
        total = balanced(
            lambda a, b: infix("+", a, b, sa.BigInteger()),
            [
                infix("*", part, self.whole_literal(unit), sa.BigInteger())
                for part, unit in zip(parts, (3_600_000, 60_000, 1_000, 1), strict=True)
            ],
        )
        most = zip(parts[:3], (24, 60, 60), strict=True)
        exists = sa.and_(*(part < self.whole_literal(limit) for part, limit in most))
        value = sa.case((fits, sa.case((exists, sa.type_coerce(total, TimeOfDay())))))
        return value, sa.and_(text != self.text(""), value.is_(None))

    def op_duration_text(self, node: Node, seconds: Sql) -> Sql:
        return self.duration(seconds, with_days=False)

    def op_days_text(self, node: Node, seconds: Sql) -> Sql:
        return self.duration(seconds, with_days=True)

    def duration(self, seconds: Sql, *, with_days: bool) -> Sql:
        whole = sa.func.abs(sa.func.trunc(seconds), type_=sa.Numeric())

        def count(unit: int, most: int | None) -> Sql:
            found = sa.func.div(whole, _number(unit), type_=sa.Numeric())
            if most is not None:
                found = sa.func.mod(found, _number(most), type_=sa.Numeric())
            written = sa.cast(found, sa.Text())
            size = sa.func.greatest(sa.func.length(written), self.whole_literal(2))
            return written if unit == 86_400 else sa.func.lpad(written, size, self.text("0"), type_=sa.Text())

        units = [(3_600, None), (60, 60), (1, 60)]
        if with_days:
            units = [(86_400, None), (3_600, 24), *units[1:]]
        pieces = [count(*unit) for unit in units]
        parts = pieces[:1]
        for piece in pieces[1:]:
            parts += [self.text(":"), piece]
        return balanced(lambda a, b: infix("||", a, b, sa.Text()), parts)

    def op_make_date(self, node: Node, *_: Sql) -> tuple[Sql, Sql]:
        year, month, day = map(self.whole, node.args)
        exists = self.exists(year, month, day)
        return sa.case((exists, sa.func.make_date(year, month, day, type_=sa.Date()))), sa.not_(exists)

    def exists(self, year: Sql, month: Sql, day: Sql) -> Sql:
        """Whether there is such a day."""
        number = self.whole_literal

        def multiple(of: int) -> Sql:
            return infix("%", year, number(of), sa.Integer()) == number(0)

        leap = sa.and_(multiple(4), sa.or_(sa.not_(multiple(100)), multiple(400)))
        last = sa.case(
            (month == number(2), sa.case((leap, number(29)), else_=number(28))),
            (month.in_([number(4), number(6), number(9), number(11)]), number(30)),
            else_=number(31),
        )
        return sa.and_(
            year.between(number(1), number(9999)),
            month.between(number(1), number(12)),
            day.between(number(1), last),
        )

    def in_range(self, value: Sql) -> tuple[Sql, Sql]:
        """A day with the guard that it is one that Python has."""
        days_ = sa.literal(_FIRST, sa.Date()), sa.literal(_LAST, sa.Date())
        return value, sa.func.coalesce(sa.not_(value.between(*days_)), sa.true())

    def absent_is_error(self, value: Sql) -> tuple[Sql, Sql]:
        return value, value.is_(None)

    def op_add_days(self, node: Node, day: Sql, count: Sql) -> tuple[Sql, Sql]:
        few = node.args[1].bound < days.SAFE_DAYS
        whole = self.whole(node.args[1])
        value = infix("+", day, whole, sa.Date())
        if few:
            return self.in_range(value)
        after = infix("-", day, sa.literal(_FIRST, sa.Date()), sa.Integer())
        there = infix("+", after, whole, sa.Integer())
        last = self.whole_literal((_LAST - _FIRST).days)
        value = sa.case((there.between(self.whole_literal(0), last), value))
        return value, value.is_(None)

    def op_add_time(self, node: Node, moment: Sql, count: Sql) -> tuple[Sql, Sql]:
        return self.seconds_later(moment, infix("*", count, _number(days.DAY_SECONDS), sa.Numeric()))

    def op_from_unix(self, node: Node, count: Sql) -> tuple[Sql, Sql]:
        return self.seconds_later(sa.literal(days.EPOCH, _MOMENT), count)

    def seconds_later(self, moment: Sql, count: Sql) -> tuple[Sql, Sql]:
        seconds = _round(count, 0)
        there = infix("+", self.epoch(moment), seconds, sa.Numeric())
        ends = [Decimal(days.microseconds(end)).scaleb(-6) for end in (_FIRST_MOMENT, _LAST_MOMENT)]
        step = sa.func.make_interval(*[self.whole_literal(0)] * 6, sa.cast(seconds, sa.Double()))
        value = sa.case(
            (there.between(_number(ends[0]), _number(ends[1])), infix("+", moment, step, _MOMENT))
        )
        return value, value.is_(None)

    def worked_before(self, day: Sql) -> Sql:
        numbers = sa.ARRAY(sa.Integer())
        names = ("tw_week", "tw_changed", "tw_changes")
        return _WorkedBefore(day, *(sa.cast(sa.bindparam(name, type_=numbers), numbers) for name in names))

    def op_is_workday(self, node: Node, day: Sql, calendar: Sql) -> Sql:
        tomorrow = infix("+", day, self.whole_literal(1), sa.Date())
        return self.worked_before(tomorrow) > self.worked_before(day)

    def op_workdays_between(self, node: Node, end: Sql, start: Sql, calendar: Sql) -> Sql:
        # Forwards the first day does not count, backwards the last.
        step = sa.cast(end >= start, sa.Integer())
        counts = [self.worked_before(infix("+", day, step, sa.Date())) for day in (end, start)]
        return sa.cast(infix("-", counts[0], counts[1], sa.BigInteger()), sa.Numeric())

    def op_days_between(self, node: Node, end: Sql, start: Sql) -> Sql:
        return sa.cast(infix("-", end, start, sa.Integer()), sa.Numeric())

    def op_metres(self, node: Node, a: Sql, b: Sql) -> Sql:
        return sa.cast(_Metres(a, b), sa.Numeric())

    def op_time_between(self, node: Node, end: Sql, start: Sql) -> Sql:
        seconds = infix("-", sa.extract("epoch", end), sa.extract("epoch", start), sa.Numeric())
        exact = _round(sa.cast(seconds, sa.Numeric()), PLACES)
        return _round(infix("/", exact, _number(days.DAY_SECONDS), sa.Numeric()), SCALE)

    def months_later(self, day: Sql, count: Node) -> Sql:
        """The same day so many months later, held inside its month; NULL outside the years 1 to 9999."""
        whole = self.whole(count)
        year, month = (sa.cast(sa.extract(part, day), sa.Integer()) for part in ("year", "month"))
        months = infix("+", infix("*", year, self.whole_literal(12), sa.Integer()), month, sa.Integer())
        there = infix("+", months, whole, sa.Integer())
        step = sa.func.make_interval(self.whole_literal(0), whole)
        later = sa.cast(infix("+", sa.cast(day, sa.DateTime()), step, sa.DateTime()), sa.Date())
        return sa.case((there.between(self.whole_literal(13), self.whole_literal(120_000)), later))

    def last_of_month(self, day: Sql) -> Sql:
        first = sa.func.date_trunc(self.text("month"), sa.cast(day, sa.DateTime()))
        step = sa.func.make_interval(self.whole_literal(0), self.whole_literal(1))
        following = sa.cast(infix("+", first, step, sa.DateTime()), sa.Date())
        return infix("-", following, self.whole_literal(1), sa.Date())

    def op_add_months(self, node: Node, day: Sql, count: Sql) -> tuple[Sql, Sql]:
        return self.absent_is_error(self.months_kept(day, node.args[1]))

    def months_kept(self, day: Sql, count: Node) -> Sql:
        """months_later, but the last day of a month stays the last."""
        later = self.months_later(day, count)
        tomorrow = infix("+", day, self.whole_literal(1), sa.Date())
        is_last = sa.extract("day", tomorrow) == self.whole_literal(1)
        return sa.case((is_last, self.last_of_month(later)), else_=later)

    def op_add_months_time(self, node: Node, moment: Sql, count: Sql) -> tuple[Sql, Sql]:
        plain = self.utc(moment)
        day = sa.cast(plain, sa.Date())
        time = infix("-", plain, sa.cast(day, sa.DateTime()), sa.Interval())
        later = sa.cast(self.months_kept(day, node.args[1]), sa.DateTime())
        value = sa.func.timezone(self.text("UTC"), infix("+", later, time, sa.DateTime()), type_=_MOMENT)
        return self.absent_is_error(value)

    def op_end_of_month(self, node: Node, day: Sql, count: Sql) -> tuple[Sql, Sql]:
        return self.absent_is_error(self.last_of_month(self.months_later(day, node.args[1])))

    def op_local_date(self, node: Node, moment: Sql, zone: Sql) -> tuple[Sql, Sql]:
        return self.in_range(sa.cast(sa.func.timezone(zone, moment, type_=sa.DateTime()), sa.Date()))

    def local(self, moment: Sql, zone: Sql) -> Sql:
        """What clock and calendar show in a zone."""
        return sa.func.timezone(zone, moment, type_=sa.DateTime())

    def existing(self, moment: Sql) -> tuple[Sql, Sql]:
        """A moment with the guard that it is one that Python has."""
        ends = sa.literal(_FIRST_MOMENT, _MOMENT), sa.literal(_LAST_MOMENT, _MOMENT)
        return moment, sa.func.coalesce(sa.not_(moment.between(*ends)), sa.true())

    def op_local_time(self, node: Node, moment: Sql, zone: Sql) -> tuple[Sql, Sql]:
        local = self.local(moment, zone)
        seconds = sa.cast(sa.extract("epoch", sa.cast(local, sa.Time())), sa.Numeric())
        count = sa.func.trunc(infix("*", seconds, _number(1_000), sa.Numeric()))
        found = sa.type_coerce(sa.cast(count, sa.BigInteger()), TimeOfDay())
        return found, self.in_range(sa.cast(local, sa.Date()))[1]

    def op_local_moment(self, node: Node, day: Sql, clock: Sql, zone: Sql) -> tuple[Sql, Sql]:
        wall = infix("+", sa.cast(day, sa.DateTime()), self.since_midnight(clock), sa.DateTime())
        # Of two moments that show this time PostgreSQL takes the later. The earlier is found with the
        # distance from UTC of the day before.
        later = sa.func.timezone(zone, wall, type_=_MOMENT)
        day_before = infix("-", later, sa.cast(self.text("1 day"), sa.Interval()), _MOMENT)
        distance = infix("-", self.local(day_before, zone), self.utc(day_before), sa.Interval())
        earlier = sa.func.timezone(self.text("UTC"), infix("-", wall, distance, sa.DateTime()), type_=_MOMENT)
        return self.existing(sa.case((self.local(earlier, zone) == wall, earlier), else_=later))

    def op_clock_start(self, node: Node, moment: Sql, unit: Sql, zone: Sql) -> tuple[Sql, Sql]:
        local = self.local(moment, zone)
        return self.existing_with(
            local, infix("-", moment, infix("-", local, self.begun(unit, local), sa.Interval()), _MOMENT)
        )

    def existing_with(self, local: Sql, moment: Sql) -> tuple[Sql, Sql]:
        found, guard = self.existing(moment)
        return found, sa.or_(guard, self.in_range(sa.cast(local, sa.Date()))[1])

    def op_clock_end(self, node: Node, moment: Sql, unit: Sql, zone: Sql) -> tuple[Sql, Sql]:
        start, guard = self.op_clock_start(node, moment, unit, zone)
        length = {"hour": "3599.999999 seconds", "minute": "59.999999 seconds"}[node.args[1].data]
        found, too_far = self.existing(infix("+", start, sa.cast(self.text(length), sa.Interval()), _MOMENT))
        return found, sa.or_(guard, too_far)

    def op_just_before(self, node: Node, moment: Sql) -> tuple[Sql, Sql]:
        step = sa.cast(self.text("1 microsecond"), sa.Interval())
        return self.existing(infix("-", moment, step, _MOMENT))

    def figures(self, text: Sql, count: int) -> list[Sql]:
        """The first numbers of a text that writes a date, and perhaps a time."""
        nth = [rf"^(?:\D*\d+){{{n}}}\D*(\d+)" for n in range(count)]
        return [sa.cast(sa.func.substring(text, self.text(each)), sa.Integer()) for each in nth]

    def op_text_date(self, node: Node, written: Sql) -> tuple[Sql, Sql]:
        fits = infix("~", written, self.text(f"^ *{days.DATE_FORM} *$"), sa.Boolean())
        parts = self.figures(written, 3)
        made = sa.case((self.exists(*parts), sa.func.make_date(*parts, type_=sa.Date())))
        value = sa.case((fits, made))
        return value, sa.and_(written != self.text(""), value.is_(None))

    def op_text_datetime(self, node: Node, written: Sql) -> tuple[Sql, Sql]:
        fits = infix("~", written, self.text(f"^ *{days.DATE_FORM}[ T]{days.TIME_FORM}Z? *$"), sa.Boolean())
        parts = self.figures(written, 6)
        day, time = parts[:3], parts[3:]
        exists = sa.and_(
            self.exists(*day), *(x < self.whole_literal(n) for x, n in zip(time, (24, 60, 60), strict=True))
        )
        made = sa.func.make_timestamptz(
            *day, *time[:2], sa.cast(time[2], sa.Double()), self.text("UTC"), type_=_MOMENT
        )
        value = sa.case((fits, sa.case((exists, made))))
        return value, sa.and_(written != self.text(""), value.is_(None))

    def op_date_datetime(self, node: Node, day: Sql) -> Sql:
        return sa.func.timezone(self.text("UTC"), sa.cast(day, sa.DateTime()), type_=_MOMENT)


def _fits(node: Node) -> bool:
    """Whether a node is a whole literal of 64 bits."""
    known = whole_literal(node)
    return known is not None and -_INT64 < known < _INT64
