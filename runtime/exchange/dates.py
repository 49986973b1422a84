"""Days and moments as files write them, turned into the one form that the write path takes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

Order = Literal["ymd", "dmy", "mdy"]
ORDERS: tuple[Order, ...] = ("ymd", "dmy", "mdy")

_YEAR_FIRST = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?(.*)", re.S)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)()")
_YEAR_LAST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(.*)", re.S)
_SERIAL = re.compile(r"([1-7]\d{4})(\.\d+)?")  # of a spreadsheet: days since the end of 1899, 1927 to 2119
_EPOCH = datetime(1899, 12, 30)
_CLOCK = re.compile(r"(上午|下午)?\s*(\d{1,2})\s*[时点:]\s*(\d{1,2})(?:\s*分)?(?:\s*[:]?\s*(\d{1,2})\s*秒)?")
_TIME = re.compile(
    r"[T\s]*(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6})\d*)?)?\s*(am|pm|AM|PM)?\s*(Z|[+-]\d\d:?\d\d)?"
)


def read_day(text: str, order: Order = "ymd") -> str:
    """``2017-03-01`` of ``2017/3/1``, ``20170301``, ``2017年3月1日``, a spreadsheet's ``42795`` and, by
    ``order``, ``1.3.2017``; digits of full width too.

    A time of midnight behind it is dropped. What is not understood comes back as it is, to be refused as
    such.
    """
    found = _parts(text, order)
    if found is None:
        return text
    day, rest = found
    return day if not rest.strip("T 0:.") else text


def read_moment(text: str, order: Order = "ymd") -> str:
    """``2017-03-01T12:30:00`` of any day above with a time behind it (``下午2:05``, ``14时05分`` too);
    midnight where there is none.
    """
    found = _parts(text, order)
    if found is None:
        return text
    day, rest = found
    if not rest.strip():
        return f"{day}T00:00:00"
    time = _TIME.fullmatch(_western(rest.strip()))
    if time is None:
        return text
    hour, half = int(time[1]), (time[5] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return text
        hour = hour % 12 + (12 if half == "pm" else 0)
    zone = time[6] or ""
    if zone and zone != "Z" and ":" not in zone:
        zone = f"{zone[:3]}:{zone[3:]}"
    fraction = f".{time[4]:0<6}" if time[4] else ""
    return f"{day}T{hour:02}:{time[2]}:{time[3] or '00'}{fraction}{zone}"


def _western(time: str) -> str:
    """A time said in Chinese, as ``_TIME`` reads it."""
    found = _CLOCK.fullmatch(time)
    if found is None:
        return time
    half, hour, minute, second = found.groups()
    halves = {"上午": " am", "下午": " pm"}
    return f"{hour}:{minute:0>2}" + (f":{second:0>2}" if second else "") + halves.get(half, "")


def _parts(text: str, order: Order) -> tuple[str, str] | None:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    serial = _SERIAL.fullmatch(text)
    if serial is not None:
        moment = _EPOCH + timedelta(days=int(serial[1]), seconds=round(float(serial[2] or 0) * 86_400))
        return f"{moment:%Y-%m-%d}", f" {moment:%H:%M:%S}" if serial[2] else ""
    found = _YEAR_FIRST.fullmatch(text) or _DIGITS.fullmatch(text)
    if found is not None:
        year, month, day, rest = found.groups()
    else:
        found = _YEAR_LAST.fullmatch(text)
        if found is None or order == "ymd":
            return None
        first, second, year, rest = found.groups()
        day, month = (first, second) if order == "dmy" else (second, first)
    return f"{year}-{int(month):02}-{int(day):02}", rest


def guess_order(texts: Iterable[str]) -> Order:
    """Which order the years-last days of a column are in: proved by a part above 12, else the year comes
    first.

    A column that proves nothing keeps ``ymd``, so that its days are refused and a person decides.
    """
    day_first = month_first = False
    for text in texts:
        found = _YEAR_LAST.fullmatch(text)
        if found is not None:
            day_first = day_first or int(found[1]) > 12
            month_first = month_first or int(found[2]) > 12
    if day_first != month_first:
        return "dmy" if day_first else "mdy"
    return "ymd"
