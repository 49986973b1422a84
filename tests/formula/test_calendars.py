"""Working days and hours: counted by arithmetic they are what counting one by one gives."""

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formulas import ENV, SHIFTS, compiled
from tabwright.formula import calendars
from tabwright.formula.calendars import Calendar, read
from tabwright.formula.environment import Env
from tabwright.formula.faults import EvaluationError
from tabwright.formula.figures import NOWHERE, use_context

AROUND = st.dates(date(2024, 2, 1), date(2024, 4, 30))
ALWAYS = Calendar("America/New_York", (((0, 1440),),) * 7, {})
NIGHTS = Calendar("Europe/Berlin", (((0, 240), (1320, 1440)),) * 7, {date(2024, 3, 31): ((60, 240),)})


def test_a_text_says_all_of_a_calendar() -> None:
    again = read(SHIFTS.text)
    assert (again.zone, again.week, again.days, again.text) == (
        SHIFTS.zone, SHIFTS.week, SHIFTS.days, SHIFTS.text,
    )  # fmt: skip


@given(start=AROUND, end=AROUND)
def test_days_between_are_the_days_counted(start: date, end: date) -> None:
    low, high = min(start, end), max(start, end)
    every = [low + timedelta(n) for n in range((high - low).days + 1)]
    if end >= start:
        counted = sum(bool(SHIFTS.hours(day)) for day in every if day > start)
    else:
        counted = -sum(bool(SHIFTS.hours(day)) for day in every if day < start)
    assert calendars.workdays_between(end, start, SHIFTS.text) == counted


@given(day=AROUND, count=st.integers(-500, 500))
def test_a_working_day_is_as_far_as_was_asked(day: date, count: int) -> None:
    there = calendars.workday(day, Decimal(count), SHIFTS.text, NOWHERE)
    assert calendars.workdays_between(there, day, SHIFTS.text) == count
    assert count == 0 or SHIFTS.hours(there)


@pytest.mark.parametrize("calendar", [SHIFTS, ALWAYS, NIGHTS])
def test_hours_between_are_the_minutes_counted(calendar: Calendar) -> None:
    """On days when clocks change, too: every minute that passes counts once."""
    use_context()
    zone, choices = ZoneInfo(calendar.zone), random.Random(7)
    for first in (datetime(2024, 3, 9, tzinfo=UTC), datetime(2024, 3, 30, tzinfo=UTC),
                  datetime(2024, 10, 26, tzinfo=UTC), datetime(2024, 11, 2, tzinfo=UTC)):  # fmt: skip
        for _ in range(4):
            start = first + timedelta(minutes=choices.randrange(1_500))
            end = start + timedelta(minutes=choices.randrange(3_000))
            worked = 0
            for minute in range((end - start) // timedelta(minutes=1)):
                wall = (start + timedelta(minutes=minute)).astimezone(zone)
                at = wall.hour * 60 + wall.minute
                worked += any(low <= at < high for low, high in calendar.hours(wall.date()))
            found = calendars.hours_between(end, start, calendar.text, NOWHERE)
            assert found == round(Decimal(worked) / 60, 18)
            assert calendars.hours_between(start, end, calendar.text, NOWHERE) == -found


def test_round_the_clock_a_day_has_the_hours_that_pass() -> None:
    use_context()

    def hours(start: datetime, days: int) -> Decimal:
        zone = ZoneInfo("America/New_York")
        ends = [(start + timedelta(n)).replace(tzinfo=zone).astimezone(UTC) for n in (0, days)]
        return calendars.hours_between(ends[1], ends[0], ALWAYS.text, NOWHERE)

    assert hours(datetime(2024, 3, 9), 1) == 24  # noqa: DTZ001
    assert hours(datetime(2024, 3, 10), 1) == 23  # noqa: DTZ001
    assert hours(datetime(2024, 11, 3), 1) == 25  # noqa: DTZ001
    assert hours(datetime(2024, 1, 1), 366) == 366 * 24  # noqa: DTZ001


def outcome(text: str, env: Env = ENV) -> object:
    try:
        return compiled(text).evaluator()((), env)
    except EvaluationError as error:
        return error.code


@pytest.mark.parametrize(
    "text",
    [
        "WORKDAY(DATE(2024, 1, 1), 99999999999999)",
        "WORKDAY(DATE(2024, 1, 1), -99999999999999)",
        "WORKDAY(DATE(9999, 12, 31), 1)",
        "WORKDAY(DATE(1, 1, 1), -1)",
    ],
)
def test_no_working_day_lies_beyond_the_years(text: str) -> None:
    assert outcome(text) == "FORMULA_DATE_RANGE"


def test_a_calendar_without_hours_has_no_working_day() -> None:
    never = Env(ENV.today, ENV.now, calendar=Calendar("UTC", ((),) * 7, {}).text)
    assert outcome("WORKDAY(DATE(2024, 1, 1), 1)", never) == "FORMULA_DATE_RANGE"
    assert outcome("WORKDAYDIFF(DATE(2024, 1, 1), DATE(2025, 1, 1))", never) == 0


def test_the_whole_of_time_is_counted_at_once() -> None:
    assert outcome("WORKDAYDIFF(DATE(1, 1, 1), DATE(9999, 12, 31))") == 2_608_614
    assert outcome("HOURSBETWEEN(DATETIMEVALUE(DATE(1, 1, 2)), DATETIMEVALUE(DATE(9999, 12, 30)))") == (
        2_608_612 * 9
    )
