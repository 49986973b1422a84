"""Numbers as people write them: ``1,200``, ``30万``, ``1.5亿``, ``￥30``, ``12%``.

One reader for forms, cells, filters, imports and programs, so that what is understood in one place is
understood in all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from tabwright.runtime.currencies import SIGNS, currency_in, marks_of

_plain = re.compile(r"[+-]?(\d{1,40}|\d{1,3}(,\d{3}){1,12})?(\.\d{0,40})?([eE][+-]?\d{1,2})?").fullmatch
_UNITS: Final[Mapping[str, int]] = {
    "万亿": 12, "千亿": 11, "百亿": 10, "十亿": 9, "亿": 8, "千万": 7, "百万": 6, "十万": 5, "万": 4, "千": 3,
    "百": 2,
}  # fmt: skip
_counted = re.compile(
    r"(\d{1,12}|\d{1,3}(?:,\d{3}){1,3})(\.\d{1,18})?\s*(" + "|".join(_UNITS) + ")\\s*"
).match


class OtherCurrency(ValueError):
    """An amount of another currency than is expected."""


def read_written(text: str, *, percent: bool = False, currency: str | None = None) -> Decimal | None:
    """The number that a text writes, exactly; None when blank.

    ``percent``: a percent sign may follow. ``currency``: its sign, code or name may stand before or after;
    "" takes any currency's. Raises ValueError, OtherCurrency.
    """
    text = text.strip()
    if text.isascii() and _plain(text):
        return _exact(text)
    text = unicodedata.normalize("NFKC", text).strip().replace("−", "-")
    if not text:
        return None
    if percent and text.endswith("%"):
        text = text[:-1].rstrip()
    elif currency is not None:
        text = _without_currency(text, currency)
    if _plain(text):
        return _exact(text)
    sign = text[:1] if text[:1] in ("+", "-") else ""
    number = _in_units(text[len(sign) :].lstrip())
    return -number if sign == "-" else number


def _exact(text: str) -> Decimal | None:
    if not text:
        return None
    if not any(character.isdigit() for character in text):
        raise ValueError(text)
    return Decimal(text.replace(",", ""))


def _in_units(text: str) -> Decimal:
    """``1亿2000万``: each unit smaller than the one before, nothing after the last."""
    total, at, smallest = Decimal(0), 0, 99
    while at < len(text):
        found = _counted(text, at)
        if found is None or _UNITS[found[3]] >= smallest:
            raise ValueError(text)
        smallest = _UNITS[found[3]]
        total += Decimal(found[1].replace(",", "") + (found[2] or "")).scaleb(smallest)
        at = found.end()
    if smallest == 99:
        raise ValueError(text)
    return total


def _without_currency(text: str, currency: str) -> str:
    sign = text[:1] if text[:1] in ("+", "-") else ""
    rest = text[len(sign) :].lstrip()
    for mark in marks_of(currency) if currency else _ALL:
        upper = rest.upper()
        if upper.startswith(mark):
            inner = rest[len(mark) :].lstrip()
            return inner if not sign and inner[:1] in ("+", "-") else sign + inner
        if upper.endswith(mark):
            return sign + rest[: -len(mark)].rstrip()
    if currency and currency_in(rest) not in (None, currency):
        raise OtherCurrency(text)
    return text


_ALL: Final = tuple(sorted({mark for code in SIGNS for mark in marks_of(code)}, key=len, reverse=True))
