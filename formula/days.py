"""Dates and times in process. A date is a calendar day, a datetime is aware and in UTC; the zone is an
argument.
"""

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from tabwright.formula.figures import At, fail, settle

MOST_DAYS: Final = 4_000_000  # more days than there are between the first and the last date
MOST_MONTHS: Final = 120_000
SAFE_DAYS: Final = 1_000_000  # so many days from any date are still a date on PostgreSQL
DAY_SECONDS: Final = Decimal(86_400)
DAY_MICROSECONDS: Final = Decimal(86_400_000_000)
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
DATE_FORM: Final = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}"
TIME_FORM: Final = r"[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}"
CLOCK_FORM: Final = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,3})?)?"
DAY_MILLISECONDS: Final = 86_400_000
MIDNIGHT: Final = time()
_DATE: Final = re.compile(DATE_FORM)
_CLOCK: Final = re.compile(CLOCK_FORM)
_digits: Final = re.compile("[0-9]+")
_DATETIME: Final = re.compile(f"{DATE_FORM}[ T]{TIME_FORM}Z?")


def make_date(year: Decimal, month: Decimal, day: Decimal, at: At) -> date:
    try:
        return date(int(year), int(month), int(day))
    except (ValueError, OverflowError):
        fail("FORMULA_NO_SUCH_DATE", at)


def year(day: date) -> Decimal:
    return Decimal(day.year)


def month(day: date) -> Decimal:
    return Decimal(day.month)


def day_of_month(day: date) -> Decimal:
    return Decimal(day.day)


def weekday(day: date) -> Decimal:
    """Sunday is 1."""
    return Decimal(day.isoweekday() % 7 + 1)


def quarter(day: date) -> Decimal:
    return Decimal((day.month + 2) // 3)


def day_of_year(day: date) -> Decimal:
    return Decimal(day.timetuple().tm_yday)


def iso_week(day: date) -> Decimal:
    return Decimal(day.isocalendar()[1])


def iso_year(day: date) -> Decimal:
    """The year to which the ISO week belongs."""
    return Decimal(day.isocalendar()[0])


def add_days(day: date, days: Decimal, at: At) -> date:
    """`days` whole days later; their fraction is dropped."""
    if abs(days) < MOST_DAYS:
        try:
            return day + timedelta(int(days))
        except OverflowError:
            pass
    fail("FORMULA_DATE_RANGE", at)


def add_time(moment: datetime, days: Decimal, at: At) -> datetime:
    """`days` later, to the second."""
    return add_seconds(moment, days * DAY_SECONDS, at)


def days_between(end: date, start: date) -> Decimal:
    return Decimal((end - start).days)


def time_between(end: datetime, start: datetime) -> Decimal:
    """In days."""
    return settle(Decimal((end - start) // timedelta(microseconds=1)) / DAY_MICROSECONDS)


def seconds_between(end: datetime, start: datetime) -> Decimal:
    """Whole seconds, the fraction dropped."""
    passed = (end - start) // timedelta(microseconds=1)
    return Decimal(abs(passed) // 1_000_000 * (1 if passed >= 0 else -1))


def months_between(end: date, start: date) -> Decimal:
    """Whole months; the last day of a month completes one, whatever the day it began on."""
    low, high = min(start, end), max(start, end)
    count = (high.year - low.year) * 12 + high.month - low.month
    if high.day < low.day and high.day < monthrange(high.year, high.month)[1]:
        count -= 1
    return Decimal(count if end >= start else -count)


def from_unix(seconds: Decimal, at: At) -> datetime:
    """The moment so many seconds after 1970 in UTC, to the second."""
    return add_seconds(EPOCH, seconds, at)


def add_seconds(moment: datetime, seconds: Decimal, at: At) -> datetime:
    """Later by seconds, rounded to whole ones."""
    if abs(seconds) < MOST_DAYS * DAY_SECONDS:
        try:
            return moment + timedelta(seconds=int(seconds.to_integral_value(ROUND_HALF_UP)))
        except OverflowError:
            pass
    fail("FORMULA_DATE_RANGE", at)


def _months_later(day: date, months: Decimal, at: At) -> tuple[int, int]:
    if abs(months) < MOST_MONTHS:
        found = divmod(day.year * 12 + day.month - 1 + int(months), 12)
        if 1 <= found[0] <= 9999:
            return found[0], found[1] + 1
    fail("FORMULA_DATE_RANGE", at)


def add_months(day: date, months: Decimal, at: At) -> date:
    """Later by calendar months. The last day of a month stays the last day; another day is held inside its
    month.
    """
    to_year, to_month = _months_later(day, months, at)
    last = monthrange(to_year, to_month)[1]
    stays_last = day.day == monthrange(day.year, day.month)[1]
    return day.replace(to_year, to_month, last if stays_last else min(day.day, last))


def add_months_time(moment: datetime, months: Decimal, at: At) -> datetime:
    return datetime.combine(add_months(moment.date(), months, at), moment.timetz())


def end_of_month(day: date, months: Decimal, at: At) -> date:
    to_year, to_month = _months_later(day, months, at)
    return date(to_year, to_month, monthrange(to_year, to_month)[1])


_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


def start_of(day: date, unit: str, shift: Decimal, at: At) -> date:
    """The first day of the week (a Monday), month, quarter or year of a day; quarters and years as they are
    `shift` months later.
    """
    if unit == "week":
        return day - timedelta(day.weekday())
    return _first_of(_month_of(day, unit, int(shift)), at)


def end_of(day: date, unit: str, shift: Decimal, at: At) -> date:
    """The last day of the same."""
    if unit == "week":
        return add_days(day, Decimal(6 - day.weekday()), at)
    last = _first_of(_month_of(day, unit, int(shift)) + _MONTHS[unit] - 1, at)
    return last.replace(day=monthrange(last.year, last.month)[1])


def _month_of(day: date, unit: str, shift: int) -> int:
    """The first month of the unit, counted from the year 0."""
    size = _MONTHS[unit]
    return (day.year * 12 + day.month - 1 + shift) // size * size - shift


def _first_of(month: int, at: At) -> date:
    year_, month_ = divmod(month, 12)
    if not 1 <= year_ <= 9999:
        fail("FORMULA_DATE_RANGE", at)
    return date(year_, month_ + 1, 1)


def local_date(moment: datetime, zone: str, at: At) -> date:
    """The calendar day in `zone`."""
    try:
        return moment.astimezone(ZoneInfo(zone)).date()
    except (OverflowError, ValueError):
        fail("FORMULA_DATE_RANGE", at)


def local_time(moment: datetime, zone: str, at: At) -> time:
    """What the clock shows in `zone`, to the millisecond."""
    try:
        found = moment.astimezone(ZoneInfo(zone))
    except (OverflowError, ValueError):
        fail("FORMULA_DATE_RANGE", at)
    return time(found.hour, found.minute, found.second, found.microsecond // 1000 * 1000)


def local_moment(day: date, clock: time, zone: str, at: At) -> datetime:
    """When the clock of `zone` shows this time of this day: where it does so twice, the first time; where it
    never does, the moment at which it would have without the change.
    """
    try:
        return datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)
    except (OverflowError, ValueError):
        fail("FORMULA_DATE_RANGE", at)


def clock_start(moment: datetime, unit: str, zone: str, at: At) -> datetime:
    """The beginning of the hour or minute by the clock of `zone`."""
    try:
        local = moment.astimezone(ZoneInfo(zone))
        minutes = local.minute if unit == "hour" else 0
        return moment - timedelta(minutes=minutes, seconds=local.second, microseconds=local.microsecond)
    except (OverflowError, ValueError):
        fail("FORMULA_DATE_RANGE", at)


def clock_end(moment: datetime, unit: str, zone: str, at: At) -> datetime:
    """The last microsecond of the hour or minute."""
    length = timedelta(hours=1) if unit == "hour" else timedelta(minutes=1)
    try:
        return clock_start(moment, unit, zone, at) + (length - timedelta(microseconds=1))
    except OverflowError:
        fail("FORMULA_DATE_RANGE", at)


def just_before(moment: datetime, at: At) -> datetime:
    """The last moment before."""
    try:
        return moment - timedelta(microseconds=1)
    except OverflowError:
        fail("FORMULA_DATE_RANGE", at)


def text_time(text: str, at: At) -> time | None:
    """The time of day that `text` writes as hh:mm, hh:mm:ss or hh:mm:ss.mmm; None for a blank text."""
    if not text:
        return None
    if _CLOCK.fullmatch(text):
        hour, minute, second = int(text[:2]), int(text[3:5]), int(text[6:8] or 0)
        if hour < 24 and minute < 60 and second < 60:
            return time(hour, minute, second, int(text[9:].ljust(3, "0")) * 1000)
    fail("FORMULA_NO_SUCH_DATE", at)


def hour(clock: time) -> Decimal:
    return Decimal(clock.hour)


def minute(clock: time) -> Decimal:
    return Decimal(clock.minute)


def second(clock: time) -> Decimal:
    return Decimal(clock.second)


def millisecond(clock: time) -> Decimal:
    return Decimal(clock.microsecond // 1000)


def add_ms(clock: time, count: Decimal) -> time:
    """Later by whole milliseconds; after midnight the clock begins again."""
    return from_milliseconds((milliseconds(clock) + int(count) % DAY_MILLISECONDS) % DAY_MILLISECONDS)


def ms_between(end: time, start: time) -> Decimal:
    """The milliseconds from one time of day to the next time the clock shows another."""
    return Decimal((milliseconds(end) - milliseconds(start)) % DAY_MILLISECONDS)


def time_text(clock: time | None) -> str:
    """hh:mm:ss.mmm"""
    return "" if clock is None else clock.isoformat("milliseconds")


def duration_text(seconds: Decimal) -> str:
    """hh:mm:ss without sign, the fraction dropped; as many digits of hours as there are."""
    minutes, rest = divmod(abs(int(seconds)), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"


def days_text(seconds: Decimal) -> str:
    """d:hh:mm:ss without sign, the fraction dropped."""
    days, rest = divmod(abs(int(seconds)), 86_400)
    return f"{days}:{duration_text(Decimal(rest))}"


def text_date(text: str, at: At) -> date | None:
    """The date that `text` writes as yyyy-mm-dd, or with one digit for month and day, and spaces around it;
    None for a blank text.
    """
    if not text:
        return None
    try:
        if _DATE.fullmatch(text := text.strip(" ")):
            return date(*map(int, text.split("-")))
    except ValueError:
        pass
    fail("FORMULA_NO_SUCH_DATE", at)


def text_datetime(text: str, at: At) -> datetime | None:
    """The moment that `text` writes as yyyy-mm-dd hh:mm:ss, in UTC, as freely as ``text_date``; None for a
    blank text.
    """
    if not text:
        return None
    try:
        if _DATETIME.fullmatch(text := text.strip(" ")):
            year, month, day, hour, minute, second = map(int, _digits.findall(text))
            return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        pass
    fail("FORMULA_NO_SUCH_DATE", at)


def date_datetime(day: date) -> datetime:
    """Midnight UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def date_text(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def datetime_text(moment: datetime | None) -> str:
    """yyyy-mm-dd hh:mm:ssZ, the fraction of the second dropped."""
    return "" if moment is None else moment.isoformat(" ", "seconds")[:19] + "Z"


def microseconds(moment: datetime) -> int:
    """Since 1970 in UTC."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_microseconds(count: int) -> datetime:
    return EPOCH + timedelta(microseconds=count)


def milliseconds(value: time) -> int:
    """A time of day as milliseconds since midnight."""
    return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000 + value.microsecond // 1000


def from_milliseconds(value: int) -> time:
    """The time of day so many milliseconds after midnight."""
    seconds, rest = divmod(value, 1000)
    minutes, second = divmod(seconds, 60)
    hour, minute = divmod(minutes, 60)
    return time(hour, minute, second, rest * 1000)
