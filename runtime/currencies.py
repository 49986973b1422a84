"""Currencies as people write them: the sign that stands before an amount, and what else is understood."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SIGNS: Final[Mapping[str, str]] = {
    "CNY": "¥",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "HKD": "HK$",
    "TWD": "NT$",
    "KRW": "₩",
}
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "CNY": ("RMB", "元", "圆", "人民币"),
    "USD": ("US$", "美元"),
    "EUR": ("欧元",),
    "GBP": ("英镑",),
    "JPY": ("円", "日元"),
    "HKD": ("港元", "港币"),
    "TWD": ("新台币",),
    "KRW": ("韩元",),
}


def symbol(code: str | None) -> str:
    """What stands before an amount: a currency's sign, or its code and a space."""
    return SIGNS.get(code or "", f"{code} " if code else "")


def marks_of(code: str) -> tuple[str, ...]:
    """Everything that says this currency beside an amount, longest first."""
    found = {code, *_WORDS.get(code, ()), *((SIGNS[code],) if code in SIGNS else ())}
    return tuple(sorted(found, key=lambda mark: (-len(mark), mark)))


def currency_in(text: str) -> str | None:
    """The currency that a written amount names ("￥30", "30 USD"); of two with one sign the first."""
    given = text.replace("￥", "¥").upper()
    found = [(len(mark), code) for code in SIGNS for mark in marks_of(code) if mark in given]
    return max(found, key=lambda each: each[0])[1] if found else None
