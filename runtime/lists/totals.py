"""The numbers under a list: the sum and average of each number column, over every record that it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import Invalid
from tabwright.runtime.currencies import symbol
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.marks import number_text, percent_text
from tabwright.runtime.lists.table import Column
from tabwright.runtime.query.aggregate import MAX_MEASURES, aggregate
from tabwright.runtime.query.asked import Aggregation, Measure

_EACH = 3  # measures of a column
_SHARES = ("percent", "progress", "rating")  # of these a sum says nothing


@dataclass(frozen=True, slots=True)
class Total:
    """What stands under one column; ``sum`` is blank for shares, both where the numbers are too large."""

    sum: str
    average: str
    values: int  # records that have one


def is_totalled(column: Column) -> bool:
    """Whether the column has a total: a number of the record itself, not of what a lookup names."""
    return column.field.is_number and "." not in column.path and column.field.type != "revision"


def totals(
    call: Call, object: ObjectDef, columns: Sequence[Column], where: str
) -> tuple[int, Mapping[str, Total]]:
    """How many records ``where`` finds, and the total of each number column by its path.

    Raises Invalid for a formula that cannot be used. A column that cannot be added up has none.
    """
    numbers = [column for column in columns if is_totalled(column)]
    count, found = _ask(call, object, [], where)
    size = (MAX_MEASURES - 1) // _EACH
    for start in range(0, len(numbers), size):
        some = numbers[start : start + size]
        try:
            found |= _ask(call, object, some, where)[1]
        except Invalid:  # one of them: a sum that leaves 64 bits
            for column in some:
                try:
                    found |= _ask(call, object, [column], where)[1]
                except Invalid:
                    continue
    return count, found


def _ask(
    call: Call, object: ObjectDef, columns: Sequence[Column], where: str
) -> tuple[int, dict[str, Total]]:
    measures = [Measure("count", None, "count")]
    for at, column in enumerate(columns):
        measures += [
            Measure("sum", column.path, f"s{at}"),
            Measure("avg", column.path, f"a{at}"),
            Measure("count", column.path, f"n{at}"),
        ]
    [row] = aggregate(call, Aggregation(object.name, measures=tuple(measures), where=where)).rows
    return int(row["count"]), {
        column.path: _total(column.field, row[f"s{at}"], row[f"a{at}"], int(row[f"n{at}"]))
        for at, column in enumerate(columns)
    }


def _total(field: FieldDef, sum: Any, average: Any, values: int) -> Total:
    if not values:
        return Total("", "", 0)
    whole = "" if field.type in _SHARES else _said(field, Decimal(str(sum)))
    return Total(whole, _said(field, _rounded(field, Decimal(str(average)))), values)


def _rounded(field: FieldDef, value: Decimal) -> Decimal:
    places = max(field.scale or 0, 0 if field.type == "currency" else 1)
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _said(field: FieldDef, value: Decimal) -> str:
    if field.type in ("percent", "progress"):
        return percent_text(value)
    return (symbol(field.currency) if field.type == "currency" else "") + number_text(value)
