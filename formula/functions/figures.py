"""Functions on numbers."""

from collections.abc import Callable
from decimal import Decimal

from tabwright.formula.budget import PLACES
from tabwright.formula.datatypes import number
from tabwright.formula.functions.registry import Example, Function, Signature, Use, Wrong
from tabwright.formula.typed import Node, literal, make, whole_literal

_D = Decimal


def _to_places(op: str) -> Callable[[Use], Node]:
    def build(use: Use) -> Node:
        x = use.args[0]
        places = use.args[1] if len(use.args) == 2 else literal(_D(0), number(0), use.at)
        if places.literal and places.data is not None:
            if abs(places.data) >= PLACES + 1:
                raise Wrong("FORMULA_BAD_PLACES", use.written[1], function=use.at.function)
            places = literal(_D(int(places.data)), number(0), places.at)
            if (whole_literal(places) or 0) >= x.scale:
                return x
        return make(op, x, places, at=use.at)

    return build


def _steps(op: str) -> Callable[[Use], Node]:
    return lambda use: use.args[0] if use.args[0].scale == 0 else make(op, *use.args, at=use.at)


def _extreme(op: str) -> tuple[Signature, ...]:
    return tuple(Signature((kind,), op, repeats=1) for kind in ("number", "date", "datetime"))


FUNCTIONS = (
    Function(
        "ABS",
        "number",
        "number",
        "绝对值。",
        "The number without its sign.",
        (Signature(("number",), "abs"),),
        (Example("ABS(-1.5)", _D("1.5")),),
    ),
    Function(
        "ROUND",
        "number",
        "number, places",
        "四舍五入到给定的小数位数，正好一半时远离零；位数可以为负。",
        "Rounded to places after the point, halves away from zero; places may be negative.",
        (Signature(("number", "number"), _to_places("round")),),
        (
            Example("ROUND(2.345, 2)", _D("2.35")),
            Example("ROUND(-2.5, 0)", _D(-3)),
            Example("ROUND(1250, -2)", _D(1300)),
        ),
    ),
    Function(
        "TRUNC",
        "number",
        "number, [places]",
        "向零截断到给定的小数位数。",
        "Cut toward zero to places after the point.",
        (Signature(("number", "number"), _to_places("trunc"), optional=1),),
        (Example("TRUNC(-1.79, 1)", _D("-1.7")), Example("TRUNC(6 / 11 * 11)", _D(6))),
    ),
    Function(
        "CEILING",
        "number",
        "number",
        "远离零取整。",
        "The whole number away from zero.",
        (Signature(("number",), _steps("ceiling")),),
        (
            Example("CEILING(1.3)", _D(2)),
            Example("CEILING(-1.3)", _D(-2)),
            Example("CEILING(6 / 11 * 11)", _D(6)),
        ),
    ),
    Function(
        "FLOOR",
        "number",
        "number",
        "向零取整。",
        "The whole number toward zero.",
        (Signature(("number",), _steps("floor")),),
        (Example("FLOOR(1.7)", _D(1)), Example("FLOOR(-1.7)", _D(-1))),
    ),
    Function(
        "MCEILING",
        "number",
        "number",
        "向上取整。",
        "The whole number not below.",
        (Signature(("number",), _steps("mceiling")),),
        (Example("MCEILING(-1.3)", _D(-1)),),
    ),
    Function(
        "MFLOOR",
        "number",
        "number",
        "向下取整。",
        "The whole number not above.",
        (Signature(("number",), _steps("mfloor")),),
        (Example("MFLOOR(-1.3)", _D(-2)),),
    ),
    Function(
        "MOD",
        "number",
        "number, divisor",
        "除法的余数，符号与被除数相同。",
        "What is left of a division, with the sign of the number.",
        (Signature(("number", "number"), "mod"),),
        (Example("MOD(7, 3)", _D(1)), Example("MOD(-7.5, 2)", _D("-1.5"))),
    ),
    Function(
        "MIN",
        "number",
        "value, ...",
        "最小的数字、日期或时间；有空白时为空白。",
        "The least number, date or datetime; blank when one is blank.",
        _extreme("min"),
        (Example("MIN(3, 1.5, 2)", _D("1.5")), Example("MIN(1, NULL)", None)),
    ),
    Function(
        "MAX",
        "number",
        "value, ...",
        "最大的数字、日期或时间；有空白时为空白。",
        "The greatest number, date or datetime; blank when one is blank.",
        _extreme("max"),
        (Example("MAX(3, 1.5, 2)", _D(3)),),
    ),
)
