"""What each operation of the typed tree does in process: one callable, used by the tree walk and by generated
code.

`code` is the same thing written inline for generated code, where calling would cost more than doing. An
operation that `raises` takes its place (`At`) as the last argument. `strict`: a blank argument that is not a
text gives a blank result. Operations with rules of their own for blanks or laziness (SPECIAL) are written out
in treewalk, codegen and sqlwriter.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from tabwright.formula import calendars, chinese, curves, days, figures, places, strings, wording

SPECIAL: Final = frozenset(
    "literal read aggregate zero today now zone calendar fiscal org label outer is_new is_clone and or if"
    " case fallback rescue blank in".split()
)


@dataclass(frozen=True, slots=True)
class Operation:
    call: Callable[..., Any]
    code: str | None = None  # "{0} + {1}", or "+" between any number of arguments
    raises: bool = False
    strict: bool = True
    figures: bool = False  # needs the decimal context
    lent: bool = False  # SQLite calls it as it is, where its writer has no SQL for it


def _ordered(compare: Callable[[str, str], bool]) -> Callable[[str, str], bool | None]:
    """An order of texts; blank when one of them is."""
    return lambda a, b: compare(a, b) if a and b else None


def _between(x: Any, low: Any, high: Any) -> bool:
    blank = x is None or low is None or high is None or "" in (x, low, high)
    return not blank and bool(low <= x <= high)


def _below(*values: Any) -> bool:
    raise NotImplementedError("what hangs below a record is the database's to know")


def _xor(*values: bool | None) -> bool:
    return sum(value is True for value in values) % 2 == 1


def _differs(a: Any, b: Any) -> bool:
    """Whether a value changed; a blank text is no change to None, nor is another kind of line end."""
    if isinstance(a, str) or isinstance(b, str):
        return (a or "").replace("\r\n", "\n") != (b or "").replace("\r\n", "\n")
    return bool(a != b)


OPERATIONS: Final[Mapping[str, Operation]] = {
    # numbers
    "add": Operation(figures.add, "+", figures=True),
    "sub": Operation(figures.sub, "{0} - {1}", figures=True),
    "mul": Operation(figures.mul, "{0} * {1}", figures=True),
    "settle": Operation(figures.settle, figures=True),
    "div": Operation(figures.div, raises=True, figures=True),
    "neg": Operation(figures.neg, "-{0}", figures=True),
    "shift": Operation(figures.mul, "{0} * {1}", figures=True),
    "pow": Operation(figures.power, raises=True, figures=True),
    "only_whole": Operation(figures.only_whole, raises=True, figures=True, lent=True),
    "abs": Operation(abs, figures=True),
    "round": Operation(figures.round_to, figures=True),
    "trunc": Operation(figures.trunc_to, figures=True),
    "ceiling": Operation(figures.ceiling, figures=True),
    "floor": Operation(figures.floor, figures=True),
    "mceiling": Operation(figures.mceiling, figures=True),
    "mfloor": Operation(figures.mfloor, figures=True),
    "mod": Operation(figures.mod, raises=True, figures=True),
    "fit": Operation(figures.fit, raises=True),
    # comparisons: of numbers, dates, datetimes; = and <> of booleans, too
    "eq": Operation(operator.eq, "{0} == {1}"),
    "ne": Operation(operator.ne, "{0} != {1}"),
    "lt": Operation(operator.lt, "{0} < {1}"),
    "le": Operation(operator.le, "{0} <= {1}"),
    "gt": Operation(operator.gt, "{0} > {1}"),
    "ge": Operation(operator.ge, "{0} >= {1}"),
    # of texts and references, where two blanks are the same
    "same": Operation(operator.eq, "{0} == {1}", strict=False),
    "other": Operation(operator.ne, "{0} != {1}", strict=False),
    "text_lt": Operation(_ordered(operator.lt), strict=False),
    "text_le": Operation(_ordered(operator.le), strict=False),
    "text_gt": Operation(_ordered(operator.gt), strict=False),
    "text_ge": Operation(_ordered(operator.ge), strict=False),
    "between": Operation(_between, strict=False),
    "max": Operation(lambda *values: max(values)),
    "min": Operation(lambda *values: min(values)),
    "differs": Operation(_differs, strict=False),
    # of trees: the checker lets it stand only where SQL runs
    "below": Operation(_below),
    # logic
    "not": Operation(operator.not_, "not {0}"),
    "xor": Operation(_xor, strict=False),
    # text
    "concat": Operation(strings.concat, "+"),
    "len": Operation(strings.length),
    "left": Operation(strings.left),
    "right": Operation(strings.right),
    "mid": Operation(strings.mid),
    "trim": Operation(strings.trim),
    "contains": Operation(strings.contains, "{1} in {0}"),
    "begins": Operation(strings.begins),
    "ends": Operation(strings.ends),
    "find": Operation(strings.find),
    "substitute": Operation(strings.substitute, raises=True),
    "upper": Operation(strings.upper, raises=True),
    "lower": Operation(strings.lower, raises=True),
    "matches": Operation(strings.matches, raises=True, lent=True),
    "number_text": Operation(figures.number_text, strict=False),
    "date_text": Operation(days.date_text, strict=False),
    "datetime_text": Operation(days.datetime_text, strict=False),
    "text_number": Operation(figures.text_number, raises=True, figures=True),
    # dates
    "make_date": Operation(days.make_date, raises=True),
    "year": Operation(days.year),
    "month": Operation(days.month),
    "day": Operation(days.day_of_month),
    "weekday": Operation(days.weekday),
    "quarter": Operation(days.quarter),
    "add_days": Operation(days.add_days, raises=True),
    "add_time": Operation(days.add_time, raises=True, figures=True),
    "days_between": Operation(days.days_between),
    "time_between": Operation(days.time_between, figures=True),
    "add_months": Operation(days.add_months, raises=True),
    "add_months_time": Operation(days.add_months_time, raises=True),
    "end_of_month": Operation(days.end_of_month, raises=True),
    "local_date": Operation(days.local_date, raises=True),
    "text_date": Operation(days.text_date, raises=True),
    "text_datetime": Operation(days.text_datetime, raises=True),
    "date_datetime": Operation(days.date_datetime),
    "day_of_year": Operation(days.day_of_year),
    "iso_week": Operation(days.iso_week),
    "iso_year": Operation(days.iso_year),
    "start_of": Operation(days.start_of, raises=True),
    "end_of": Operation(days.end_of, raises=True),
    "seconds_between": Operation(days.seconds_between),
    "months_between": Operation(days.months_between),
    "from_unix": Operation(days.from_unix, raises=True, figures=True),
    "local_time": Operation(days.local_time, raises=True),
    "local_moment": Operation(days.local_moment, raises=True),
    "clock_start": Operation(days.clock_start, raises=True),
    "clock_end": Operation(days.clock_end, raises=True),
    "just_before": Operation(days.just_before, raises=True),
    # times of day
    "text_time": Operation(days.text_time, raises=True),
    "time_text": Operation(days.time_text, strict=False),
    "hour": Operation(days.hour),
    "minute": Operation(days.minute),
    "second": Operation(days.second),
    "millisecond": Operation(days.millisecond),
    "add_ms": Operation(days.add_ms),
    "ms_between": Operation(days.ms_between),
    "duration_text": Operation(days.duration_text),
    "days_text": Operation(days.days_text),
    # working time
    "is_workday": Operation(calendars.is_workday),
    "workday": Operation(calendars.workday, raises=True),
    "workdays_between": Operation(calendars.workdays_between),
    "hours_between": Operation(calendars.hours_between, raises=True, figures=True),
    # numbers without an exact value
    **{
        name: Operation(getattr(curves, name), raises=True, figures=True, lent=True)
        for name in "exp ln log sqrt sin cos tan asin acos atan atan2 away".split()
    },
    # texts made of texts
    **{
        name: Operation(getattr(wording, name), raises=True, lent=True)
        for name in (
            "lpad rpad repeat html script url_part address joined fits replaced extracted filled json_value"
        ).split()
    },
    **{
        name: Operation(getattr(wording, name), lent=True)
        for name in (
            "substr reverse proper upper_in lower_in code_of character piece is_number case_safe"
        ).split()
    },
    "money": Operation(wording.money, figures=True, lent=True),
    "capitals": Operation(chinese.capitals, figures=True, lent=True),
    "identity_card": Operation(chinese.identity_card, lent=True),
    "credit_code": Operation(chinese.credit_code, lent=True),
    "read_aloud": Operation(chinese.read_aloud, raises=True, lent=True),
    # places
    "located": Operation(places.located, raises=True, lent=True),
    "metres": Operation(lambda a, b: Decimal(places.metres(a, b))),
}

# The texts of whole numbers, made without making the number.
WRITTEN: Final[Mapping[str, Callable[..., str]]] = {
    "days_between": lambda end, start: str((end - start).days),
    "len": lambda text: str(len(text)),
    "year": lambda day: str(day.year),
    "month": lambda day: str(day.month),
    "day": lambda day: str(day.day),
}
