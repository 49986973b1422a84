"""Groups of records and their numbers: count, sum, average, smallest, largest, different values.

Sums are exact on both databases: SQLite adds scaled integers, and a sum that leaves 64 bits is a fault, never
a rounded number. An average is its exact sum divided by its count by the number model (decision 0002).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from tabwright.formula.datatypes import TEXT, Type, number
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.errors import Fault, Invalid, Malformed, Place
from tabwright.runtime.access.gate import ResolvedPath
from tabwright.runtime.desk import Call
from tabwright.runtime.query.asked import Aggregation, GroupBy, Measure
from tabwright.runtime.query.dates import part_of
from tabwright.runtime.query.filters import (
    Binds,
    Conditions,
    Named,
    Wanted,
    conditions,
    having,
    moment,
    planned,
)
from tabwright.runtime.query.plans import TablesUsed, kept
from tabwright.runtime.query.quotients import quotient
from tabwright.runtime.query.ranks import codes, is_lane_indexed, rank
from tabwright.runtime.query.sizing import Plan, plan_for
from tabwright.runtime.query.source import Column, Source
from tabwright.runtime.storage.columns import Codec, Shape, codec, encode

MAX_GROUPS = 8
MAX_MEASURES = 20
MAX_ROWS = 2_000

_name = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class _Value:
    """One key of a row: how it is computed over the inner columns, and how its storage values are read."""

    name: str
    column: Column
    type: Type | None  # in ``having``; None: not a name there
    load: Callable[[Any], Any] | None
    wire: Callable[[Any], Any] | None
    rank: Column | None = None  # what it orders by, if not itself
    count: Column | None = None  # of an average: the divisor, in the next place of the tuple
    scale: int = 0


@dataclass(frozen=True, slots=True)
class _Plan:
    statement: Prepared
    values: tuple[_Value, ...]
    binds: Binds
    tables: TablesUsed


class Groups:
    """The answer of an aggregation, in two readings."""

    def __init__(self, values: tuple[_Value, ...], tuples: Sequence[tuple[Any, ...]]) -> None:
        self._values = values
        self._tuples = tuples

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One mapping per group, typed values by name."""
        return [self._row(values, "load") for values in self._tuples]

    def json(self) -> bytes:
        """A JSON object with ``groups``."""
        return encode({"groups": [self._row(values, "wire") for values in self._tuples]})

    def _row(self, values: tuple[Any, ...], form: str) -> dict[str, Any]:
        row = {}
        at = 0
        for each in self._values:
            value = values[at]
            at += 1
            if each.count is not None:
                divisor = values[at]
                at += 1
                value = None if value is None else quotient(Decimal(value).scaleb(-each.scale), divisor)
            else:
                convert = each.load if form == "load" else each.wire
                if value is not None and convert is not None:
                    value = convert(value)
            row[each.name] = value
        return row


def aggregate(call: Call, asked: Aggregation, plan: Plan | None = None) -> Groups:
    """Run an aggregation, in one statement. ``plan``: how its records are found; left out, in the quicker
    way.
    """
    object = call.gate.object(asked.object)
    call.gate.require(object, "read")
    if not 1 <= asked.limit <= MAX_ROWS:
        raise Malformed.of("query.limit", limit="aggregate_rows", most=MAX_ROWS)
    if len(asked.group) > MAX_GROUPS or len(asked.measures) > MAX_MEASURES:
        raise Invalid.of("query.too_many_groups", limit=MAX_GROUPS)
    plain = replace(asked, object=object.name, where=None)
    way = plan or plan_for(call, object, call.tenant.limits.count_rows)

    def plan_of(wanted: Wanted) -> _Plan:
        key = (call.gate.footprint(object), call.language, plain, wanted.key, way)
        return kept(call, "aggregate", object, lambda: _compile(call, object, plain, wanted, way), *key)

    made, literals = planned(call.gate, asked.conditions, plan_of)
    params = {**call.gate.viewer(), **moment(call), **literals}
    with call.tenant.store.read() as reader:
        try:
            tuples = reader.rows(made.statement, params)
        except Exception as error:
            if _is_overflow(error):
                raise Invalid.of(
                    "query.sum_too_big", Place(object=object.name), object=object.name
                ) from error
            raise
    return Groups(made.values, tuples)


def _is_overflow(error: BaseException | None) -> bool:
    while error is not None:
        if "integer overflow" in str(error):
            return True
        error = error.__cause__
    return False


def _compile(call: Call, object: ObjectDef, asked: Aggregation, wanted: Wanted, way: Plan) -> _Plan:
    """``asked`` is without its filters, which are ``wanted``."""
    source = Source(call.gate, call.tables, object, plan=way)
    inner: list[Column] = []

    def kept(column: Column) -> Callable[[sa.Subquery], Column]:
        label = f"c{len(inner)}"
        inner.append(column.label(label))
        return lambda rows: rows.c[label]

    faults: list[Fault] = []
    makers: list[Callable[[sa.Subquery], _Value]] = []
    groups = 0
    for group in asked.group:
        try:
            makers.append(_group(call, source, group, kept))
            groups += 1
        except Invalid as error:
            faults.extend(error.faults)
    for measure in asked.measures:
        try:
            makers.append(_measure(call, source, measure, kept))
        except Invalid as error:
            faults.extend(error.faults)
    found = Conditions([], ())
    try:
        found = conditions(call, source, wanted)
    except Invalid as error:
        faults.extend(error.faults)
    if faults:
        raise Invalid(faults)
    rows = source.select(*(inner or [sa.literal_column("1").label("one")])).where(*found.columns).subquery()
    values = tuple(maker(rows) for maker in makers)
    _check_names(values)
    keys = [each.column for each in values[:groups]]
    columns = [column for each in values for column in (each.column, each.count) if column is not None]
    statement = sa.select(*(column.label(f"v{n}") for n, column in enumerate(columns))).select_from(rows)
    if keys:
        statement = statement.group_by(*_grouped(source, asked, found, keys))
    if asked.having:
        known = {each.name: Named(each.column, each.type) for each in values if each.type is not None}
        statement = statement.having(having(known, asked.having, source.dialect))
    statement = statement.order_by(*_ordered(asked, values, groups)).limit(asked.limit)
    return _Plan(prepare(call.tenant.store, statement), values, found.binds, tuple(source.tables_used()))


def _grouped(source: Source, asked: Aggregation, found: Conditions, keys: list[Column]) -> list[Column]:
    """What the statement groups by. For the sake of the order SQLite would follow the index of a board from
    record to record, which is far slower than to look at all of them where a filter reads what it lacks.
    """
    if source.dialect != "sqlite" or not found.columns:
        return keys
    walked = (is_lane_indexed(source.object, each.field) and each.part is None for each in asked.group)
    return [key.op("||")("") if is_walked else key for key, is_walked in zip(keys, walked, strict=True)]


def _check_names(values: tuple[_Value, ...]) -> None:
    faults = []
    seen: set[str] = set()
    for each in values:
        if not _name.fullmatch(each.name):
            faults.append(Fault("query.name_bad", {"name": each.name[:80]}))
        elif each.name in seen:
            faults.append(Fault("query.name_twice", {"name": each.name}))
        seen.add(each.name)
    if faults:
        raise Invalid(faults)


def _ordered(asked: Aggregation, values: tuple[_Value, ...], groups: int) -> list[Any]:
    known = {each.name: each for each in values}
    done: list[Any] = []
    for name, direction in asked.order:
        found = known.get(name.lower())
        if found is None:
            raise Invalid.of("query.name_unknown", name=name[:80])
        column = found.column if found.rank is None else found.rank
        if found.count is not None:
            column = sa.cast(column, sa.Double) / found.count
        done += [
            sa.case((found.column.is_(None), 1), else_=0),
            column.desc() if direction == "desc" else column,
        ]
    for key in values[:groups]:
        order = key.column if key.rank is None else key.rank
        done += [sa.case((key.column.is_(None), 1), else_=0), order]
    return done


def _hidden(call: Call, path: ResolvedPath) -> bool:
    """Whether the caller may see the field's values only masked."""
    return path.field.mask is not None and not call.gate.has("unmask")


Kept = Callable[[Column], Callable[[sa.Subquery], Column]]


def _group(call: Call, source: Source, group: GroupBy, kept: Kept) -> Callable[[sa.Subquery], _Value]:
    path = call.gate.resolve(source.object, group.field)
    if not TYPES[path.field.type].groups or _hidden(call, path):
        raise Invalid.of("query.not_groupable", Place(field=path.text), path=path.text)
    column = source.column(path)
    if group.part is None:
        conversions = source.codec(path)
        name, type = group.name or path.text, path.field.value_type
    else:
        if path.field.type not in ("date", "datetime"):
            raise Invalid.of("query.not_a_date", Place(field=path.text), path=path.text, part=group.part)
        column = part_of(column, group.part, path.field.type == "datetime", source.dialect)
        conversions = codec(Shape("text"), call.tables.dialect)
        name, type = group.name or f"{path.text}_{group.part}", TEXT
    of = kept(column)
    found = () if group.part is not None else codes(path.field)

    def value(rows: sa.Subquery) -> _Value:
        key = of(rows)
        order = rank(found, key, source.dialect) if found else None
        return _Value(name.lower(), key, type, conversions.load, conversions.wire, order)

    return value


def _measure(call: Call, source: Source, measure: Measure, kept: Kept) -> Callable[[sa.Subquery], _Value]:
    function = measure.function
    if measure.field is None:
        if function != "count":
            raise Invalid.of("query.measure_needs_field", function=function)
        name = (measure.name or "count").lower()
        return lambda rows: _Value(name, sa.func.count(), number(0), None, None)
    path = call.gate.resolve(source.object, measure.field)
    name = (measure.name or f"{function}_{path.text.replace('.', '_')}").lower()
    place = Place(field=path.text)
    if function in ("sum", "avg") and not path.field.is_number:
        raise Invalid.of("query.not_a_number", place, path=path.text, function=function)
    if function in ("min", "max") and (not TYPES[path.field.type].ranks or _hidden(call, path)):
        raise Invalid.of("query.not_comparable", place, path=path.text)
    of = kept(source.column(path))
    conversions = source.codec(path)
    if function == "count":
        return lambda rows: _Value(name, sa.func.count(of(rows)), number(0), None, None)
    if function == "count_distinct":
        return lambda rows: _Value(name, sa.func.count(sa.distinct(of(rows))), number(0), None, None)
    type = path.field.value_type
    if function == "avg":
        scale = _stored_scale(path, conversions, source)
        return lambda rows: _Value(
            name, sa.func.sum(of(rows)), None, None, None, count=sa.func.count(of(rows)), scale=scale
        )

    def value(rows: sa.Subquery) -> _Value:
        column = of(rows)
        computed: Column = sa.Function(function, column, type_=column.type)
        return _Value(name, computed, type, conversions.load, conversions.wire)

    return value


def _stored_scale(path: ResolvedPath, conversions: Codec, source: Source) -> int:
    return conversions.shape.scale if source.dialect == "sqlite" else 0
