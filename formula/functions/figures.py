"""Functions on numbers."""

from collections.abc import Callable
from decimal import Decimal

from tabwright.formula.budget import PLACES
from tabwright.formula.curves import PI
from tabwright.formula.datatypes import number
from tabwright.formula.functions.registry import Example, Function, Signature, Use, Wrong
from tabwright.formula.typed import Node, literal, make, whole_literal, worked

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


def _inexact(op: str) -> Callable[[Use], Node]:
    return lambda use: worked(op, number(), *use.args, at=use.at)


def _one_way(op: str) -> Callable[[Use], Node]:
    """Rounding that goes one way: toward zero it is TRUNC's."""

    def build(use: Use) -> Node:
        places = use.args[1] if len(use.args) == 2 else literal(_D(0), number(0), use.at)
        if op == "toward":
            return _to_places("trunc")(Use((use.args[0], places), (*use.written, use.written[0])[:2], use.at))
        if places.literal and places.data is not None and abs(places.data) >= PLACES + 1:
            raise Wrong("FORMULA_BAD_PLACES", use.written[1], function=use.at.function)
        return worked(op, number(), use.args[0], places, at=use.at)

    return build


def _curve(name: str, zh: str, en: str, *examples: Example) -> Function:
    """A function of one number that has no exact value."""
    said = "15 位有效数字。", " 15 significant digits."
    signature = Signature(("number",), _inexact(name.lower()))
    return Function(name, "number", "number", zh + said[0], en + said[1], (signature,), examples)


def _extreme(op: str) -> tuple[Signature, ...]:
    return tuple(Signature((kind,), op, repeats=1) for kind in ("number", "date", "datetime", "time"))


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
    Function(
        "ROUNDUP",
        "number",
        "number, [places]",
        "远离零进位到给定的小数位数。",
        "Rounded away from zero to places after the point.",
        (Signature(("number", "number"), _one_way("away"), optional=1),),
        (Example("ROUNDUP(2.341, 2)", _D("2.35")), Example("ROUNDUP(-1.1)", _D(-2))),
    ),
    Function(
        "ROUNDDOWN",
        "number",
        "number, [places]",
        "向零舍去到给定的小数位数，同 TRUNC。",
        "Rounded toward zero to places after the point, as TRUNC.",
        (Signature(("number", "number"), _one_way("toward"), optional=1),),
        (Example("ROUNDDOWN(2.349, 2)", _D("2.34")), Example("ROUNDDOWN(-1.9)", _D(-1))),
    ),
    Function(
        "POWER",
        "number",
        "number, exponent",
        "乘方，同 ^。",
        "The number to a power, as ^.",
        (Signature(("number", "number"), "pow"),),
        (Example("POWER(2, 10)", _D(1024)), Example("POWER(2, -1)", _D("0.5"))),
    ),
    _curve(
        "EXP",
        "e 的乘方。",
        "e to the power of the number.",
        Example("EXP(0)", _D(1)),
        Example("EXP(1)", _D("2.71828182845905")),
    ),
    _curve(
        "LN",
        "自然对数；零和负数没有对数，出错。",
        "The natural logarithm; an error of 0 and of negative numbers.",
        Example("LN(10)", _D("2.30258509299405")),
    ),
    _curve(
        "LOG",
        "以 10 为底的对数；零和负数没有对数，出错。",
        "The logarithm to the base 10; an error of 0 and of negative numbers.",
        Example("LOG(1000)", _D(3)),
        Example("LOG(2)", _D("0.301029995663981")),
    ),
    _curve(
        "SQRT",
        "平方根；负数没有平方根，出错。",
        "The square root; an error of a negative number.",
        Example("SQRT(16)", _D(4)),
        Example("SQRT(2)", _D("1.4142135623731")),
    ),
    _curve("SIN", "正弦，角以弧度计。", "The sine of an angle in radians.", Example("SIN(0)", _D(0))),
    _curve("COS", "余弦，角以弧度计。", "The cosine of an angle in radians.", Example("COS(0)", _D(1))),
    _curve(
        "TAN",
        "正切，角以弧度计。",
        "The tangent of an angle in radians.",
        Example("TAN(1)", _D("1.5574077246549")),
    ),
    _curve(
        "ASIN",
        "反正弦，以弧度计；数字不在 -1 到 1 之间时出错。",
        "The angle in radians that has this sine; an error beyond -1 to 1.",
        Example("ASIN(1)", _D("1.5707963267949")),
    ),
    _curve(
        "ACOS",
        "反余弦，以弧度计；数字不在 -1 到 1 之间时出错。",
        "The angle in radians that has this cosine; an error beyond -1 to 1.",
        Example("ACOS(1)", _D(0)),
    ),
    _curve(
        "ATAN",
        "反正切，以弧度计。",
        "The angle in radians that has this tangent.",
        Example("ATAN(1)", _D("0.785398163397448")),
    ),
    Function(
        "ATAN2",
        "number",
        "y, x",
        "从原点指向点 (x, y) 的方向，以弧度计。15 位有效数字。",
        "The direction from the origin to the point (x, y), in radians. 15 significant digits.",
        (Signature(("number", "number"), _inexact("atan2")),),
        (Example("ATAN2(1, 1)", _D("0.785398163397448")), Example("ATAN2(0, -1)", _D("3.14159265358979"))),
    ),
    Function(
        "PI",
        "number",
        "",
        "圆周率，15 位有效数字。",
        "The ratio of a circle's circumference to its diameter, 15 significant digits.",
        (Signature((), lambda use: literal(PI, number(), use.at)),),
        (Example("PI()", PI),),
    ),
)
