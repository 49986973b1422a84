"""Numbers, exactly as written."""

from __future__ import annotations

import re
import unicodedata
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef
from tabwright.runtime.records.coerce.common import Convert, Refused

MOST_DIGITS = 18  # decision 0002

_number = re.compile(r"[+-]?(\d{1,40}|\d{1,3}(,\d{3}){1,12})?(\.\d{0,40})?([eE][+-]?\d{1,2})?").fullmatch
_exact = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)


def read_number(value: Any, percent: bool = False) -> Decimal | None:
    """A number from any input, exactly as written; None when blank. Raises Refused."""
    kind = type(value)
    if kind is Decimal:
        if not value.is_finite():
            raise Refused("value.not_number")
        return value  # type: ignore[no-any-return]
    if kind is int:
        if -(10**40) < value < 10**40:
            return Decimal(value)
        raise Refused("value.too_big", digits=MOST_DIGITS)
    if kind is float:
        number = Decimal(repr(value))  # what a person reads, not the binary fraction behind it
        if not number.is_finite():
            raise Refused("value.not_number")
        return number
    if not isinstance(value, str):
        raise Refused("value.not_number")
    text = value.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).strip()
    if not text:
        return None
    if percent and text.endswith("%"):
        text = text[:-1].rstrip()
    if not _number(text) or not any(character.isdigit() for character in text):
        raise Refused("value.not_number")
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise Refused("value.not_number") from None


def number(field: FieldDef, zone: str) -> Convert:
    whole = TYPES[field.type].whole
    percent = field.type == "percent"
    scale = 0 if whole else (field.scale if field.scale is not None else 2)
    precision = MOST_DIGITS if whole or field.precision is None else field.precision
    unit = Decimal(1).scaleb(-scale)
    bound = Decimal(1).scaleb(precision - scale)
    low, high = field.minimum, field.maximum
    quantize = _exact.quantize

    def convert(value: Any) -> Any:
        number = read_number(value, percent)
        if number is None:
            return None
        if whole and number != number.to_integral_value():
            raise Refused("value.not_whole")
        if not -bound < number < bound:
            raise Refused("value.too_big", digits=precision - scale)
        number = number.quantize(unit, ROUND_HALF_UP, _exact)
        if not -bound < number < bound:
            raise Refused("value.too_big", digits=precision - scale)
        if low is not None and number < low:
            raise Refused("value.below", limit=low)
        if high is not None and number > high:
            raise Refused("value.above", limit=high)
        return number if number else quantize(Decimal(0), unit)  # there is no minus zero

    return convert
