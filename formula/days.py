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
DATE_FORM: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME_FORM: Final = r"[0-9]{2}:[0-9]{2}:[0-9]{2}"
_DATE: Final = re.compile(DATE_FORM)
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
    if abs(days) < MOST_DAYS:
        try:
            return moment + timedelta(seconds=int((days * DAY_SECONDS).to_integral_value(ROUND_HALF_UP)))
        except OverflowError:
            pass
    fail("FORMULA_DATE_RANGE", at)


def days_between(end: date, start: date) -> Decimal:
    return Decimal((end - start).days)


def time_between(end: datetime, start: datetime) -> Decimal:
    """In days."""
    return settle(Decimal((end - start) // timedelta(microseconds=1)) / DAY_MICROSECONDS)


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


def local_date(moment: datetime, zone: str, at: At) -> date:
    """The calendar day in `zone`."""
    try:
        return moment.astimezone(ZoneInfo(zone)).date()
    except (OverflowError, ValueError):
        fail("FORMULA_DATE_RANGE", at)


def text_date(text: str, at: At) -> date | None:
    """The date that `text` writes as yyyy-mm-dd; None for a blank text."""
    if not text:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    fail("FORMULA_NO_SUCH_DATE", at)


def text_datetime(text: str, at: At) -> datetime | None:
    """The moment that `text` writes as yyyy-mm-dd hh:mm:ss, in UTC; None for a blank text."""
    if not text:
        return None
    try:
        if _DATETIME.fullmatch(text):
            return datetime.fromisoformat(text[:19]).replace(tzinfo=UTC)
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
