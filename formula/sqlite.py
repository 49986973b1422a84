"""What SQLite lacks, given to it as functions of ours: exact numbers beyond 64 bits, letters, dates.

Such a number is a **key**: 39 digits, the number times 10^18 plus 10^38. Keys of the same order as their
numbers compare, sort and group as texts. `!` is the key of what has no value (too big, divided by zero);
every function passes it on.
"""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import lru_cache, wraps
from typing import Any, Final

from tabwright.formula import calendars, days, figures, places, strings
from tabwright.formula.budget import TEXT_RESULT
from tabwright.formula.faults import EvaluationError
from tabwright.formula.figures import NOWHERE, SCALE, STEADY, half_up

_ONE: Final = 10**SCALE
_BIAS: Final = 10**38
_STEP: Final[int] = 10 ** (SCALE - STEADY)
ERROR: Final = "!"
_WHOLE_END: Final = 10**9


def key(value: int) -> str:
    """The key of a number given as its 10^18-fold."""
    return f"{value + _BIAS:039d}" if -_BIAS <= value <= _BIAS else ERROR


def key_of(number: Decimal) -> str:
    """The key of a number of the language."""
    return key(int(number.scaleb(SCALE, figures.CONTEXT)))


def number_of(text: str) -> Decimal:
    """The number that a key stands for."""
    return Decimal(int(text) - _BIAS).scaleb(-SCALE, figures.CONTEXT)


def _keys(compute: Callable[..., int]) -> Callable[..., str | None]:
    """A function of keys from one of whole numbers."""

    @wraps(compute)
    def function(*keys: Any) -> str | None:
        if None in keys:
            return None
        if ERROR in keys:
            return ERROR
        try:
            return key(compute(*(int(item) - _BIAS if isinstance(item, str) else item for item in keys)))
        except ArithmeticError:
            return ERROR

    return function


def _scaled(value: int | float | None, scale: int) -> str | None:
    if value is None:
        return None
    return key(value * 10 ** (SCALE - scale)) if isinstance(value, int) else ERROR


def _halves(high: int | None, low: int | None, scale: int) -> str | None:
    """The key of a sum whose numbers were added up in two halves."""
    return None if high is None or low is None else key((high * 10**9 + low) * 10 ** (SCALE - scale))


def _add(*terms: int) -> int:
    return sum(terms)


def _mul(a: int, b: int) -> int:
    return half_up(a * b, _ONE)


def _div(a: int, b: int) -> int:
    return half_up(half_up(a * 10**38, b), 10**20) if b else _fail()


def _fail() -> int:
    raise ArithmeticError


def _power(a: int, b: int) -> int:
    figures.use_context()
    exact = [Decimal(x).scaleb(-SCALE) for x in (a, b)]
    return int(figures.power(exact[0], exact[1], NOWHERE).scaleb(SCALE))


def _round(a: int, places: int) -> int:
    step = 10 ** (SCALE - places) if places < SCALE else 1
    return half_up(a, step) * step


def _steady(a: int) -> int:
    return half_up(a, _STEP) * _STEP


def _trunc(a: int, places: int) -> int:
    a, step = _steady(a), 10 ** (SCALE - places) if places < SCALE else 1
    return abs(a) // step * step * (1 if a >= 0 else -1)


def _floor(a: int) -> int:
    return _trunc(a, 0)


def _mfloor(a: int) -> int:
    return _steady(a) // _ONE * _ONE


def _mceiling(a: int) -> int:
    return -(-_steady(a) // _ONE) * _ONE


def _ceiling(a: int) -> int:
    return _mceiling(a) if a >= 0 else _mfloor(a)


def _mod(a: int, b: int) -> int:
    a, b = _steady(a), _steady(b)
    left = abs(a) % abs(b) if b else _fail()
    return left if a >= 0 else -left


def _whole(text: str) -> int:
    """The number without its fraction, held inside 9 digits."""
    value = int(text) - _BIAS
    value = abs(value) // _ONE * (1 if value >= 0 else -1)
    return max(-_WHOLE_END, min(value, _WHOLE_END))


def _at_scale(text: str, scale: int) -> int | None:
    """The number times 10^scale, rounded; NULL when that does not fit 64 bits."""
    value = half_up(int(text) - _BIAS, 10 ** (SCALE - scale))
    return value if -(2**63) <= value < 2**63 else None


def _number_text(text: str) -> str:
    return figures.number_text(number_of(text))


def _text_number(text: str) -> str | None:
    figures.use_context()
    found = figures.text_number(text, NOWHERE)
    return None if found is None else key_of(found)


def _make_date(year: int, month: int, day: int) -> str:
    return date(year, month, day).isoformat()


def _add_time(moment: int, count: str) -> int:
    figures.use_context()
    return days.microseconds(days.add_time(days.from_microseconds(moment), number_of(count), NOWHERE))


def _time_between(end: int, start: int) -> str:
    return key(half_up(half_up((end - start) * 10**38, 86_400_000_000), 10**20))


def _add_months(day: str, count: int) -> str:
    return days.add_months(date.fromisoformat(day), Decimal(count), NOWHERE).isoformat()


def _add_months_time(moment: int, count: int) -> int:
    return days.microseconds(days.add_months_time(days.from_microseconds(moment), Decimal(count), NOWHERE))


def _end_of_month(day: str, count: int) -> str:
    return days.end_of_month(date.fromisoformat(day), Decimal(count), NOWHERE).isoformat()


def _local_date(moment: int, zone: str) -> str:
    return days.local_date(days.from_microseconds(moment), zone, NOWHERE).isoformat()


def _text_date(text: str) -> str | None:
    found = days.text_date(text, NOWHERE)
    return None if found is None else found.isoformat()


def _text_datetime(text: str) -> int | None:
    found = days.text_datetime(text, NOWHERE)
    return None if found is None else days.microseconds(found)


def _datetime_text(moment: int) -> str:
    return days.datetime_text(days.from_microseconds(moment))


def _date_datetime(day: str) -> int:
    return days.microseconds(days.date_datetime(date.fromisoformat(day)))


def _of_day(compute: Callable[..., Decimal]) -> Callable[[str], int]:
    """A whole number about a date."""
    return lambda day: int(compute(date.fromisoformat(day)))


def _start_of(day: str, unit: str, shift: int) -> str:
    return days.start_of(date.fromisoformat(day), unit, Decimal(shift), NOWHERE).isoformat()


def _end_of(day: str, unit: str, shift: int) -> str:
    return days.end_of(date.fromisoformat(day), unit, Decimal(shift), NOWHERE).isoformat()


def _months_between(end: str, start: str) -> int:
    return int(days.months_between(date.fromisoformat(end), date.fromisoformat(start)))


def _from_unix(seconds: str) -> int:
    figures.use_context()
    return days.microseconds(days.from_unix(number_of(seconds), NOWHERE))


def _local_time(moment: int, zone: str) -> int:
    return days.milliseconds(days.local_time(days.from_microseconds(moment), zone, NOWHERE))


def _local_moment(day: str, clock: int, zone: str) -> int:
    at = days.from_milliseconds(clock)
    return days.microseconds(days.local_moment(date.fromisoformat(day), at, zone, NOWHERE))


def _clock_start(moment: int, unit: str, zone: str) -> int:
    return days.microseconds(days.clock_start(days.from_microseconds(moment), unit, zone, NOWHERE))


def _clock_end(moment: int, unit: str, zone: str) -> int:
    return days.microseconds(days.clock_end(days.from_microseconds(moment), unit, zone, NOWHERE))


def _just_before(moment: int) -> int:
    return days.microseconds(days.just_before(days.from_microseconds(moment), NOWHERE))


def _text_time(text: str) -> int | None:
    found = days.text_time(text, NOWHERE)
    return None if found is None else days.milliseconds(found)


def _inside_a_day(count: str) -> int:
    value = int(count) - _BIAS
    return abs(value) // _ONE * (1 if value >= 0 else -1) % days.DAY_MILLISECONDS


def _duration_text(seconds: str) -> str:
    return days.duration_text(number_of(seconds))


def _days_text(seconds: str) -> str:
    return days.days_text(number_of(seconds))


def _is_workday(day: str, calendar: str) -> bool:
    return calendars.is_workday(date.fromisoformat(day), calendar)


def _workday(day: str, count: int, calendar: str) -> str:
    return calendars.workday(date.fromisoformat(day), Decimal(count), calendar, NOWHERE).isoformat()


def _workdays_between(end: str, start: str, calendar: str) -> int:
    ends = date.fromisoformat(end), date.fromisoformat(start)
    return int(calendars.workdays_between(*ends, calendar))


def _hours_between(end: int, start: int, calendar: str) -> str:
    figures.use_context()
    ends = days.from_microseconds(end), days.from_microseconds(start)
    return key_of(calendars.hours_between(*ends, calendar, NOWHERE))


def _metres(a: int, b: int) -> int:
    return places.metres(places.unpacked(a), places.unpacked(b))


def _quiet(compute: Callable[..., Any]) -> Callable[..., Any]:
    """NULL for NULL, and NULL where the process would raise."""

    @wraps(compute)
    def function(*args: Any) -> Any:
        if None in args or ERROR in args:
            return None
        try:
            return compute(*args)
        except (EvaluationError, OverflowError, ValueError):
            return None

    return function


@lru_cache(512)
def _lent(how: str) -> tuple[Callable[..., Any], tuple[bool, ...], bool, bool]:
    """An operation of the process by its description: the callable, which arguments are keys, whether it
    takes its place, whether it gives a number.
    """
    from tabwright.formula.operations import OPERATIONS

    name, kinds, result = how.split(":")
    operation = OPERATIONS[name]
    return operation.call, tuple(kind == "n" for kind in kinds), operation.raises, result == "n"


def _call(how: str | None, *args: Any) -> Any:
    """An operation as the process has it: "name:kinds:kind" with n for a number, which comes and goes as a
    key, and t for all that is a text. NULL or the key of an error where the process would raise.
    """
    if how is None or None in args:
        return None
    call, numbers, placed, gives_number = _lent(how)
    failed = ERROR if gives_number else None
    if any(is_number and arg == ERROR for arg, is_number in zip(args, numbers, strict=True)):
        return failed
    figures.use_context()
    given = [number_of(arg) if is_number else arg for arg, is_number in zip(args, numbers, strict=True)]
    try:
        found = call(*given, NOWHERE) if placed else call(*given)
    except EvaluationError:
        return failed
    if isinstance(found, places.Point):
        return found.packed
    return key_of(found) if gives_number and found is not None else found


FUNCTIONS: Final[dict[str, tuple[int, Callable[..., Any]]]] = {
    "tw_key": (2, _scaled),
    "tw_halves": (3, _halves),
    "tw_add": (-1, _keys(_add)),
    "tw_sub": (2, _keys(int.__sub__)),
    "tw_mul": (2, _keys(_mul)),
    "tw_div": (2, _keys(_div)),
    "tw_abs": (1, _keys(abs)),
    "tw_pow": (2, _keys(_power)),
    "tw_round": (2, _keys(_round)),
    "tw_trunc": (2, _keys(_trunc)),
    "tw_ceiling": (1, _keys(_ceiling)),
    "tw_floor": (1, _keys(_floor)),
    "tw_mceiling": (1, _keys(_mceiling)),
    "tw_mfloor": (1, _keys(_mfloor)),
    "tw_mod": (2, _keys(_mod)),
    "tw_whole": (1, _quiet(_whole)),
    "tw_at_scale": (2, _quiet(_at_scale)),
    "tw_number_text": (1, _quiet(_number_text)),
    "tw_text_number": (1, _quiet(_text_number)),
    "tw_upper": (1, _quiet(strings.upper)),
    "tw_lower": (1, _quiet(strings.lower)),
    "tw_make_date": (3, _quiet(_make_date)),
    "tw_add_time": (2, _quiet(_add_time)),
    "tw_time_between": (2, _quiet(_time_between)),
    "tw_add_months": (2, _quiet(_add_months)),
    "tw_add_months_time": (2, _quiet(_add_months_time)),
    "tw_end_of_month": (2, _quiet(_end_of_month)),
    "tw_local_date": (2, _quiet(_local_date)),
    "tw_text_date": (1, _quiet(_text_date)),
    "tw_text_datetime": (1, _quiet(_text_datetime)),
    "tw_datetime_text": (1, _quiet(_datetime_text)),
    "tw_iso_week": (1, _quiet(_of_day(days.iso_week))),
    "tw_iso_year": (1, _quiet(_of_day(days.iso_year))),
    "tw_start_of": (3, _quiet(_start_of)),
    "tw_end_of": (3, _quiet(_end_of)),
    "tw_months_between": (2, _quiet(_months_between)),
    "tw_from_unix": (1, _quiet(_from_unix)),
    "tw_local_time": (2, _quiet(_local_time)),
    "tw_local_moment": (3, _quiet(_local_moment)),
    "tw_clock_start": (3, _quiet(_clock_start)),
    "tw_clock_end": (3, _quiet(_clock_end)),
    "tw_just_before": (1, _quiet(_just_before)),
    "tw_text_time": (1, _quiet(_text_time)),
    "tw_inside_a_day": (1, _quiet(_inside_a_day)),
    "tw_duration_text": (1, _quiet(_duration_text)),
    "tw_days_text": (1, _quiet(_days_text)),
    "tw_is_workday": (2, _quiet(_is_workday)),
    "tw_workday": (3, _quiet(_workday)),
    "tw_workdays_between": (3, _quiet(_workdays_between)),
    "tw_hours_between": (3, _quiet(_hours_between)),
    "tw_metres": (2, _quiet(_metres)),
    "tw_date_datetime": (1, _quiet(_date_datetime)),
    "tw_call": (-1, _call),
}


class _Total:
    """The sum of keys."""

    def __init__(self) -> None:
        self.sum: int | None = None
        self.failed = False

    def step(self, text: str | None) -> None:
        if text == ERROR:
            self.failed = True
        elif text is not None:
            self.sum = (self.sum or 0) + int(text) - _BIAS

    def finalize(self) -> str | None:
        if self.failed:
            return ERROR
        return None if self.sum is None else key(self.sum)


class _Joined:
    """Texts with a separator between, in the order of ids; one that is too long, if they are."""

    def __init__(self) -> None:
        self.texts: list[tuple[bytes, str]] = []
        self.size = 0
        self.separator = ""

    def step(self, text: str | None, separator: str, id: bytes) -> None:
        if text and self.size <= TEXT_RESULT:
            self.size += len(text) + (len(separator) if self.texts else 0)
            self.separator = separator
            self.texts.append((id, text))

    def finalize(self) -> str | None:
        if self.size > TEXT_RESULT:
            return " " * (TEXT_RESULT + 1)
        return self.separator.join(text for _, text in sorted(self.texts)) or None


AGGREGATES: Final[dict[str, tuple[int, type]]] = {"tw_total": (1, _Total), "tw_joined": (3, _Joined)}


def register(connection: Any) -> None:
    """Gives a `sqlite3.Connection` the functions that SQL of formulas calls. Call it once on every new
    connection.
    """
    for name, (count, function) in FUNCTIONS.items():
        connection.create_function(name, count, function, deterministic=True)
    for name, (count, kept) in AGGREGATES.items():
        connection.create_aggregate(name, count, kept)
