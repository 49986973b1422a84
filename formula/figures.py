"""The number model in process: Decimal, at most 20 digits before the point and 18 after, rounded half away
from zero.
"""

import re
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
    getcontext,
    setcontext,
)
from typing import Final, NamedTuple, NoReturn

from tabwright.formula.budget import EXPONENT, PLACES
from tabwright.formula.faults import EvaluationError

SCALE: Final = 18  # places after the point
LIMIT: Final = 10**20  # no number is greater than this
FIELD_DIGITS: Final = 18  # of a stored number, so that it fits 64 bits scaled
CONTEXT: Final = Context(
    prec=80,
    rounding=ROUND_HALF_UP,
    Emin=-6143,
    Emax=6144,
    traps=[InvalidOperation, DivisionByZero, Overflow],
)
ZERO: Final = Decimal(0)
HUNDRED: Final = Decimal(100)
QUANTA: Final = {places: Decimal(1).scaleb(-places) for places in range(-PLACES, PLACES + 1)}
# Where steps matter a number is looked at to so many places: (end - start) * 24 * 60 of a minute is 1, though
# a minute is no exact part of a day (decision 0036).
STEADY: Final = 13
_STEADY, _Q18, _Q38 = QUANTA[STEADY], QUANTA[18], QUANTA[38]
_BIG: Final = Decimal(LIMIT)
EXACT_POWER: Final = 16  # up to here a power is worked out exactly before it is rounded, as the databases do
NUMERAL: Final = r"[+-]?([0-9]{1,40}([.][0-9]{0,40})?|[.][0-9]{1,40})([eE][+-]?[0-9]{1,2})?"
_NUMERAL: Final = re.compile(NUMERAL)


class At(NamedTuple):
    """Where in the text an operation stands, for the error that it may raise."""

    function: str
    start: int
    end: int


NOWHERE: Final = At("", 0, 0)


def fail(code: str, at: At) -> NoReturn:
    """Raises the EvaluationError `code` at its place."""
    raise EvaluationError(code, at.function, (at.start, at.end))


def use_context() -> None:
    """Makes the number model this thread's decimal context. Cheap when it is so already."""
    if getcontext() is not CONTEXT:
        setcontext(CONTEXT)


def checked(x: Decimal, at: At) -> Decimal:
    """`x`, if it has no more than 20 digits before the point."""
    if -_BIG <= x <= _BIG:
        return x
    fail("FORMULA_TOO_BIG_NUMBER", at)


def fit(x: Decimal, limit: Decimal, at: At) -> Decimal:
    """`x`, if it is smaller than a limit: what a field has room for."""
    if -limit < x < limit:
        return x
    fail("FORMULA_TOO_BIG_NUMBER", at)


def add(*terms: Decimal) -> Decimal:
    total = terms[0]
    for term in terms[1:]:
        total += term
    return total


def sub(a: Decimal, b: Decimal) -> Decimal:
    return a - b


def mul(a: Decimal, b: Decimal) -> Decimal:
    return a * b


def settle(x: Decimal) -> Decimal:
    """Rounds what came out with more places than a number has."""
    return x.quantize(_Q38).quantize(_Q18)


def div(a: Decimal, b: Decimal, at: At) -> Decimal:
    if not b:
        fail("FORMULA_DIVISION_BY_ZERO", at)
    return settle(a / b)


def neg(a: Decimal) -> Decimal:
    return -a


def shift(x: Decimal, places: int) -> Decimal:
    """`x` times ten to the power of `places`."""
    return x.scaleb(places)


def power(a: Decimal, b: Decimal, at: At) -> Decimal:
    """`a` to the power of `b`: exact and then rounded for whole `b`, else 15 significant digits."""
    if b != b.to_integral_value():
        if a < 0 or (not a and b < 0):
            fail("FORMULA_BAD_POWER", at)
        return _significant(a, b, at)
    n = int(b)
    if not a and n < 0:
        fail("FORMULA_DIVISION_BY_ZERO", at)
    if not a or abs(n) > EXPONENT or abs(n) * abs(a.adjusted()) > 10 * PLACES:
        return _extreme_power(a, n, at)
    if abs(n) <= EXACT_POWER:
        places = max(-int(a.as_tuple().exponent), 0)
        whole = int(a.scaleb(places)) ** abs(n)
        if n >= 0:
            return _rounded_ratio(whole, 10 ** (places * n), at)
        return _rounded_ratio(10 ** (places * -n), whole, at)
    return _settled_power(a, b, at)


def only_whole(x: Decimal, at: At) -> Decimal:
    """An exponent of imported files, which has to be whole."""
    return x if x == x.to_integral_value() else fail("FORMULA_NO_WHOLE_POWER", at)


def _extreme_power(a: Decimal, n: int, at: At) -> Decimal:
    if not a or n == 0:
        return ZERO if n else Decimal(1)
    if abs(a) == 1:
        return Decimal(1) if n % 2 == 0 else a
    if (abs(a) > 1) == (n > 0):
        if abs(n) > EXPONENT or abs(n) * abs(a.adjusted()) > 10 * PLACES:
            fail("FORMULA_TOO_BIG_NUMBER", at)
        return _settled_power(a, Decimal(n), at)
    return ZERO


def _settled_power(a: Decimal, b: Decimal, at: At) -> Decimal:
    try:
        x = CONTEXT.power(a, b)
    except Overflow:
        fail("FORMULA_TOO_BIG_NUMBER", at)
    return settle(x) if abs(x) <= _BIG else fail("FORMULA_TOO_BIG_NUMBER", at)


def _significant(a: Decimal, b: Decimal, at: At) -> Decimal:
    try:
        x = CONTEXT.power(a, b)
    except (Overflow, InvalidOperation):
        fail("FORMULA_TOO_BIG_NUMBER", at)
    if abs(x) > _BIG:
        fail("FORMULA_TOO_BIG_NUMBER", at)
    return settle(Context(prec=15, rounding=ROUND_HALF_UP).plus(x)) + ZERO


def _rounded_ratio(top: int, bottom: int, at: At) -> Decimal:
    """`top / bottom` rounded to 38 and then to 18 places, in whole numbers."""
    value = half_up(half_up(top * 10**PLACES, bottom), 10 ** (PLACES - SCALE))
    if abs(value) > LIMIT * 10**SCALE:
        fail("FORMULA_TOO_BIG_NUMBER", at)
    return Decimal(value).scaleb(-SCALE, CONTEXT)


def half_up(top: int, bottom: int) -> int:
    """`top / bottom` as a whole number, halves away from zero."""
    if bottom < 0:
        top, bottom = -top, -bottom
    return (top * 2 + bottom) // (bottom * 2) if top >= 0 else -((-top * 2 + bottom) // (bottom * 2))


def held_places(places: Decimal) -> int:
    """Places to round to: the fraction dropped; beyond 38 either way nothing changes any more."""
    return max(-PLACES, min(int(places), PLACES))


def round_to(x: Decimal, places: Decimal) -> Decimal:
    """Half away from zero; `places` may be negative."""
    count = held_places(places)
    return x if count >= SCALE else x.quantize(QUANTA[count]) + ZERO


def trunc_to(x: Decimal, places: Decimal) -> Decimal:
    """Toward zero, after rounding to ``STEADY`` places."""
    count = held_places(places)
    x = steady(x)
    return x if count >= STEADY else x.quantize(QUANTA[count], ROUND_DOWN) + ZERO


def steady(x: Decimal) -> Decimal:
    """Rounded to ``STEADY`` places, so that 6 / 11 * 11 is 6 where steps matter."""
    return x.quantize(_STEADY)


def ceiling(x: Decimal) -> Decimal:
    return steady(x).to_integral_value(ROUND_UP)


def floor(x: Decimal) -> Decimal:
    return steady(x).to_integral_value(ROUND_DOWN)


def mceiling(x: Decimal) -> Decimal:
    return steady(x).to_integral_value(ROUND_CEILING)


def mfloor(x: Decimal) -> Decimal:
    return steady(x).to_integral_value(ROUND_FLOOR)


def mod(a: Decimal, b: Decimal, at: At) -> Decimal:
    b = steady(b)
    if not b:
        fail("FORMULA_DIVISION_BY_ZERO", at)
    return steady(a) % b


def number_text(x: Decimal | None) -> str:
    """Plain notation, no grouping, no zeros at the end."""
    if x is None:
        return ""
    text = str(x)
    if "E" in text:
        text = f"{x:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def text_number(text: str, at: At) -> Decimal | None:
    """The number that `text` writes, with an exponent if there is one; None for a blank text."""
    text = text.strip(" ")
    if not text:
        return None
    if not _NUMERAL.fullmatch(text):
        fail("FORMULA_NOT_A_NUMBER", at)
    x = CONTEXT.create_decimal(text)
    if not -_BIG <= x <= _BIG:
        fail("FORMULA_TOO_BIG_NUMBER", at)
    x = x.quantize(_Q18, context=CONTEXT) if x.as_tuple().exponent < -SCALE else x  # type: ignore[operator]
    return checked(x, at)
