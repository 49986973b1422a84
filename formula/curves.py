"""Functions of numbers that have no exact value: 15 significant digits, and no more than 18 places.

Roots, logarithms and powers of e are worked out with decimals, angles (in radians) with doubles.
"""

import math
from collections.abc import Callable
from decimal import ROUND_HALF_UP, ROUND_UP, Context, Decimal
from typing import Final

from tabwright.formula.figures import LIMIT, QUANTA, ZERO, At, fail, held_places, settle, steady

DIGITS: Final = 15
_EXACT: Final = Context(prec=30, rounding=ROUND_HALF_UP, Emin=-6143, Emax=6144)
_SHOWN: Final = Context(prec=DIGITS, rounding=ROUND_HALF_UP, Emin=-6143, Emax=6144)
_LOWEST, _HIGHEST = Decimal(-50), Decimal(47)  # below, e^x is nothing; above, it is too big
PI: Final = Decimal("3.14159265358979")


def _shown(x: Decimal) -> Decimal:
    """What is left of `x`: 15 significant digits, 18 places."""
    return settle(_SHOWN.plus(x)) + ZERO


def exp(x: Decimal, at: At) -> Decimal:
    """e to the power of `x`."""
    if x > _HIGHEST:
        fail("FORMULA_TOO_BIG_NUMBER", at)
    found = ZERO if x < _LOWEST else _shown(_EXACT.exp(x))
    return found if found <= LIMIT else fail("FORMULA_TOO_BIG_NUMBER", at)


def ln(x: Decimal, at: At) -> Decimal:
    """The natural logarithm."""
    return _shown(_EXACT.ln(x)) if x > 0 else fail("FORMULA_NOT_DEFINED", at)


def log(x: Decimal, at: At) -> Decimal:
    """The logarithm to the base 10."""
    return _shown(_EXACT.log10(x)) if x > 0 else fail("FORMULA_NOT_DEFINED", at)


def sqrt(x: Decimal, at: At) -> Decimal:
    return _shown(_EXACT.sqrt(x)) if x >= 0 else fail("FORMULA_NOT_DEFINED", at)


def _angle(compute: Callable[..., float]) -> Callable[..., Decimal]:
    """A function of doubles as one of numbers of the language."""

    def function(*args: Decimal | At) -> Decimal:
        *given, at = args
        try:
            found = compute(*(float(x) for x in given if isinstance(x, Decimal)))
        except ValueError:
            fail("FORMULA_NOT_DEFINED", at)  # type: ignore[arg-type]
        if abs(found) > LIMIT:
            fail("FORMULA_TOO_BIG_NUMBER", at)  # type: ignore[arg-type]
        return _shown(Decimal(repr(found)))

    return function


sin: Final = _angle(math.sin)
cos: Final = _angle(math.cos)
tan: Final = _angle(math.tan)
asin: Final = _angle(math.asin)
acos: Final = _angle(math.acos)
atan: Final = _angle(math.atan)
atan2: Final = _angle(math.atan2)


def away(x: Decimal, places: Decimal, at: At) -> Decimal:
    """Rounded away from zero to places after the point, after rounding to 15 places."""
    count = held_places(places)
    x = steady(x)
    found = x if count >= DIGITS else x.quantize(QUANTA[count], ROUND_UP) + ZERO
    return found if abs(found) <= LIMIT else fail("FORMULA_TOO_BIG_NUMBER", at)
