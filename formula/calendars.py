"""The business calendar of an organisation: the hours worked on each weekday, days off, days worked instead.

A calendar is a text where formulas meet it, so that it is a parameter of SQL as the time zone is; what is
worked out from that text is kept. Days are counted by arithmetic on the week and by looking up the
exceptions, never one by one.
"""

import json
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property, lru_cache
from itertools import accumulate
from typing import Final
from zoneinfo import ZoneInfo

from tabwright.formula.figures import At, fail, settle

Spans = tuple[tuple[int, int], ...]  # working hours of a day: minutes since midnight, in order
_OFFICE: Final[Spans] = ((9 * 60, 18 * 60),)
_MICROSECOND: Final = timedelta(microseconds=1)
_HOUR: Final = Decimal(3_600_000_000)
_MINUTE: Final = 60_000_000
_DAY: Final = 1_440 * _MINUTE
_LAST: Final = date.max.toordinal()
# In these years the clock changes are known; before and after, a day has 24 hours.
_CLOCK_YEARS: Final = (1970, 2199)


@dataclass(frozen=True, eq=False)
class Calendar:
    """`week`: the hours from Monday to Sunday. `days`: those of single days, none on a day off."""

    zone: str
    week: tuple[Spans, ...]
    days: Mapping[date, Spans]

    @cached_property
    def text(self) -> str:
        """All of it, as `read` takes it; equal calendars have equal texts."""
        days = {day.isoformat(): spans for day, spans in sorted(self.days.items())}
        return json.dumps({"zone": self.zone, "week": self.week, "days": days}, separators=(",", ":"))

    def hours(self, day: date) -> Spans:
        found = self.days.get(day)
        return self.week[day.weekday()] if found is None else found

    # Day 1 of the count is 0001-01-01, a Monday.

    @cached_property
    def _worked_week(self) -> list[int]:
        return list(accumulate((bool(spans) for spans in self.week), initial=0))

    @cached_property
    def _day_changes(self) -> tuple[list[int], list[int]]:
        """Days on which more or less is worked than in a week, and by how much up to each."""
        changes = [
            (day.toordinal(), bool(spans) - bool(self.week[day.weekday()]))
            for day, spans in sorted(self.days.items())
        ]
        return [day for day, _ in changes], list(accumulate((more for _, more in changes), initial=0))

    @cached_property
    def _time_week(self) -> list[int]:
        return list(accumulate((_length(spans) for spans in self.week), initial=0))

    @cached_property
    def _time_changes(self) -> tuple[list[int], list[int]]:
        changes = [
            (day.toordinal(), _length(spans) - _length(self.week[day.weekday()]))
            for day, spans in sorted(self.days.items())
        ]
        return [day for day, _ in changes], list(accumulate((more for _, more in changes), initial=0))

    @property
    def counts(self) -> tuple[list[int], list[int], list[int]]:
        """What `worked_before` counts with: working days of the week up to each day, days that change the
        count (as days since 0001-01-01, which is 1), and by how much up to each.
        """
        return self._worked_week, *self._day_changes

    def worked_before(self, ordinal: int) -> int:
        """The working days before a day."""
        return _counted(ordinal, self._worked_week, self._day_changes)

    def time_before(self, moment: datetime) -> int:
        """The microseconds of working hours before a moment, both by the clock on the wall."""
        inside = (moment - datetime.combine(moment.date(), time.min)) // _MICROSECOND
        today = sum(
            max(0, min(inside, end * _MINUTE) - start * _MINUTE) for start, end in self.hours(moment.date())
        )
        return _counted(moment.toordinal(), self._time_week, self._time_changes) * _MINUTE + today


def _length(spans: Spans) -> int:
    return sum(end - start for start, end in spans)


def _counted(ordinal: int, week: Sequence[int], changes: tuple[list[int], list[int]]) -> int:
    weeks, rest = divmod(ordinal - 1, 7)
    days, sums = changes
    return weeks * week[7] + week[rest] + sums[bisect_left(days, ordinal)]


@lru_cache(1_000)
def standard(zone: str) -> Calendar:
    """What holds where an organisation has no calendar: Monday to Friday, 9:00 to 18:00."""
    return Calendar(zone, (_OFFICE,) * 5 + ((), ()), {})


@lru_cache(256)
def placed(calendar: Calendar, zone: str) -> Calendar:
    """The same calendar in another zone."""
    return Calendar(zone, calendar.week, calendar.days)


STANDARD: Final = standard("UTC")


@lru_cache(64)
def read(text: str) -> Calendar:
    """The calendar of a text. Raises ValueError when it is none."""
    found = json.loads(text)
    week = tuple(_spans(each) for each in found["week"])
    return Calendar(
        found["zone"], week, {date.fromisoformat(day): _spans(each) for day, each in found["days"].items()}
    )


def _spans(pairs: Iterable[Sequence[int]]) -> Spans:
    return tuple((int(start), int(end)) for start, end in pairs)


def is_workday(day: date, calendar: str) -> bool:
    return bool(read(calendar).hours(day))


def workdays_between(end: date, start: date, calendar: str) -> Decimal:
    """The working days after `start` up to `end`. Of an end before it: those from there on, negative."""
    known = read(calendar)
    first, last = start.toordinal(), end.toordinal()
    if last >= first:
        return Decimal(known.worked_before(last + 1) - known.worked_before(first + 1))
    return Decimal(known.worked_before(last) - known.worked_before(first))


def workday(day: date, count: Decimal, calendar: str, at: At) -> date:
    """The working day `count` working days after `day` (before it, when negative); 0 is the day itself."""
    known, steps = read(calendar), int(count) if abs(count) < _LAST else _LAST
    if not steps:
        return day
    if count < 0:
        # Of the working days before `day` the one with `-steps - 1` after it.
        wanted = known.worked_before(day.toordinal()) + (int(count) if abs(count) < _LAST else -_LAST) + 1
    else:
        wanted = known.worked_before(day.toordinal() + 1) + steps
    if wanted < 1 or known.worked_before(_LAST + 1) < wanted:
        fail("FORMULA_DATE_RANGE", at)
    low, high = 1, _LAST  # the first day up to and including which so many were worked
    while low < high:
        middle = (low + high) // 2
        if known.worked_before(middle + 1) >= wanted:
            high = middle
        else:
            low = middle + 1
    return date.fromordinal(low)


def hours_between(end: datetime, start: datetime, calendar: str, at: At) -> Decimal:
    """The working hours from `start` to `end`, as they pass; negative when `end` is before."""
    if end < start:
        return -hours_between(start, end, calendar, at)
    known = read(calendar)
    zone = ZoneInfo(known.zone)
    try:
        first, last = (moment.astimezone(zone).replace(tzinfo=None) for moment in (start, end))
    except (OverflowError, ValueError):
        fail("FORMULA_DATE_RANGE", at)
    total = known.time_before(last) - known.time_before(first)
    for day in _changed_clocks(known.zone, first.date(), last.date()):
        # What the wall says of this day makes way for what really passes.
        low = first if first.date() == day else datetime.combine(day, time.min)
        high = last if last.date() == day else datetime.combine(day + timedelta(1), time.min)
        total -= known.time_before(high) - known.time_before(low)
        for span in known.hours(day):
            since, until = (_moment(day, minutes, zone) for minutes in span)
            passed = min(until, end) - max(since, start)
            total += max(passed // _MICROSECOND, 0)
    return settle(Decimal(total) / _HOUR)


def _moment(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    wall = datetime.combine(day, time.min) + timedelta(minutes=minutes)
    return wall.replace(tzinfo=zone).astimezone(UTC)


def _changed_clocks(zone: str, first: date, last: date) -> list[date]:
    """The days between two on which the clocks of a zone are changed."""
    years = range(max(first.year, _CLOCK_YEARS[0]), min(last.year, _CLOCK_YEARS[1]) + 1)
    return [day for year in years for day in _changes_of(zone, year) if first <= day <= last]


@lru_cache(4_096)
def _changes_of(zone: str, year: int) -> tuple[date, ...]:
    known = ZoneInfo(zone)
    midnight = datetime(year, 1, 1, tzinfo=known)
    found, before = [], midnight.utcoffset()
    for _ in range(366):
        following = midnight + timedelta(1)
        after = following.utcoffset()
        if after != before:
            found.append(midnight.date())
        midnight, before = following, after
    return tuple(day for day in found if day.year == year)
