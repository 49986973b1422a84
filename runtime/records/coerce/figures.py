"""Numbers, exactly as written."""

from __future__ import annotations

from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal
from typing import Any

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, Labels
from tabwright.runtime.currencies import symbol
from tabwright.runtime.records.coerce.common import Convert, Refused
from tabwright.runtime.records.coerce.written import OtherCurrency, read_written

MOST_DIGITS = 18  # decision 0002

_exact = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)


def read_number(
    value: Any, percent: bool = False, currency: str | None = None, example: Labels | None = None
) -> Decimal | None:
    """A number from any input, exactly as written; None when blank. Raises Refused.

    ``currency``: whose sign or name may stand beside it, "" for any. ``example``: what a refusal shows.
    """
    kind = type(value)
    if kind is Decimal:
        if not value.is_finite():
            raise _not_number(example)
        return value  # type: ignore[no-any-return]
    if kind is int:
        if -(10**40) < value < 10**40:
            return Decimal(value)
        raise Refused("value.too_big", digits=MOST_DIGITS)
    if kind is float:
        number = Decimal(repr(value))  # what a person reads, not the binary fraction behind it
        if not number.is_finite():
            raise _not_number(example)
        return number
    if not isinstance(value, str):
        raise _not_number(example)
    try:
        return read_written(value, percent=percent, currency=currency)
    except OtherCurrency:
        raise Refused(
            "value.other_currency", currency=currency or "", sign=symbol(currency).strip()
        ) from None
    except (ValueError, ArithmeticError):
        raise _not_number(example) from None


def example_of(field: FieldDef) -> Labels:
    """How a value of a field of numbers may be written."""
    if field.type == "percent":
        return {"zh": "12.5 或 12.5%", "en": "12.5 or 12.5%"}
    if field.type in ("rating", "progress"):
        return {"zh": "3", "en": "3"}
    if field.type == "currency":
        sign = symbol(field.currency).strip()
        return {"zh": f"1,200.50、{sign}1200 或 30万", "en": f"1,200.50 or {sign}1200"}
    if TYPES[field.type].whole:
        return {"zh": "1200、1,200 或 30万", "en": "1200 or 1,200"}
    return {"zh": "12.5、1,200 或 1.5亿", "en": "12.5 or 1,200"}


def _not_number(example: Labels | None) -> Refused:
    return Refused("value.not_number", example=example or {"zh": "1200 或 30万", "en": "1200 or 12.5"})


def number(field: FieldDef, zone: str) -> Convert:
    whole = TYPES[field.type].whole
    percent = field.type in ("percent", "progress")
    currency = (field.currency or "") if field.type == "currency" else None
    example = example_of(field)
    scale = 0 if whole else (field.scale if field.scale is not None else 2)
    precision = MOST_DIGITS if whole or field.precision is None else field.precision
    unit = Decimal(1).scaleb(-scale)
    bound = Decimal(1).scaleb(precision - scale)
    low, high = field.minimum, field.maximum
    quantize = _exact.quantize

    def convert(value: Any) -> Any:
        number = read_number(value, percent, currency, example)
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
