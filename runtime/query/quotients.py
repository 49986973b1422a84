"""Division by the number model (decision 0002): half-up, first to 38 places, then to 18."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal

_CONTEXT = Context(prec=80, rounding=ROUND_HALF_UP)
_FIRST = Decimal(1).scaleb(-38)
_SECOND = Decimal(1).scaleb(-18)


def quotient(dividend: Decimal, divisor: int) -> Decimal:
    """``dividend / divisor`` without trailing zeros, in plain notation."""
    exact = _CONTEXT.divide(dividend, Decimal(divisor))
    rounded = exact.quantize(_FIRST, context=_CONTEXT).quantize(_SECOND, context=_CONTEXT)
    plain = rounded.normalize(_CONTEXT)
    return plain.quantize(Decimal(1), context=_CONTEXT) if plain.as_tuple().exponent > 0 else plain  # type: ignore[operator]
