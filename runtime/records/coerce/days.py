"""Yes and no, days, moments."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tabwright.metadata.model import FieldDef
from tabwright.runtime.records.coerce.common import Convert, Refused

_true_words = frozenset({"1", "true", "t", "yes", "y", "on", "是", "真", "对"})
_false_words = frozenset({"0", "false", "f", "no", "n", "off", "否", "假", "错"})
# Every clock of the world can show what lies between.
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)


def boolean(field: FieldDef, zone: str) -> Convert:
    def convert(value: Any) -> Any:
        if value is True or value is False:
            return value
        if isinstance(value, str):
            word = unicodedata.normalize("NFKC", value).strip().lower()
            if word in _true_words:
                return True
            if word in _false_words or not word:
                return False
        elif isinstance(value, int | float | Decimal) and value in (0, 1):
            return bool(value)
        raise Refused("value.not_boolean")

    return convert


def day(field: FieldDef, zone: str) -> Convert:
    def convert(value: Any) -> Any:
        if type(value) is str:
            text = value.strip()
            if not text:
                return None
            if len(text) == 10 and text[4] == "-" and text[7] == "-" and text.isascii():
                try:
                    return date.fromisoformat(text)
                except ValueError:
                    raise Refused("value.no_such_day") from None
        elif isinstance(value, datetime):
            if value.tzinfo is None and value.time() == time(0):
                return value.date()
        elif isinstance(value, date):
            return value
        raise Refused("value.not_date")

    return convert


_clock_time = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?").fullmatch


def time_of_day(field: FieldDef, zone: str) -> Convert:
    """A time of day to the millisecond; it belongs to no day and no zone."""

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            text = unicodedata.normalize("NFKC", value).strip()
            if not text:
                return None
            found = _clock_time(text) if text.isascii() else None
            if found is None:
                raise Refused("value.not_time")
            hour, minute, second, rest = found.groups()
            try:
                return time(
                    int(hour), int(minute), int(second or 0), int((rest or "")[:3].ljust(3, "0")) * 1000
                )
            except ValueError:
                raise Refused("value.not_time") from None
        if isinstance(value, time) and value.tzinfo is None:
            return value.replace(microsecond=value.microsecond // 1000 * 1000)
        raise Refused("value.not_time")

    return convert


def moment(field: FieldDef, zone: str) -> Convert:
    here = ZoneInfo(zone)

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            text = value.strip()
            if not text:
                return None
            if (
                len(text) < 16
                or text[4] != "-"
                or text[7] != "-"
                or text[10] not in "T "
                or not text.isascii()
            ):
                raise Refused("value.not_moment")
            try:
                value = datetime.fromisoformat(text)
            except ValueError:
                raise Refused("value.not_moment") from None
        elif not isinstance(value, datetime):
            raise Refused("value.not_moment")
        try:
            # A moment without an offset is meant on the clock of the one who wrote it.
            found = (value if value.tzinfo is not None else value.replace(tzinfo=here)).astimezone(UTC)
        except OverflowError:
            raise Refused("value.not_moment") from None
        if not _FIRST <= found <= _LAST:
            raise Refused("value.not_moment")
        return found

    return convert
