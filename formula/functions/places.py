"""Functions on points of the earth."""

from decimal import Decimal

from tabwright.formula import places
from tabwright.formula.datatypes import LOCATION, number
from tabwright.formula.functions.registry import Example, Function, Signature, Use, Wrong
from tabwright.formula.typed import Node, literal, make, worked

_D = Decimal
# In a distance: what one metre is; of a mile, what one mile is in metres.
UNITS = {"km": _D("0.001"), "m": _D(1), "mi": _D("1609.344")}


def _point(use: Use) -> Node:
    for arg, where in zip(use.args, use.written, strict=True):
        if len(use.args) == 2 and (not arg.literal or arg.data is None):
            return worked("located", LOCATION, *use.args, at=use.at)
        if not arg.literal or arg.data is None:
            raise Wrong("FORMULA_NEEDS_LITERAL", where, function=use.at.function)
    values = [arg.data for arg in use.args]
    found = places.text_point(str(values[0])) if len(values) == 1 else places.point(*values)
    if found is None:
        said = ", ".join(str(each) for each in values)[:40]
        raise Wrong("FORMULA_NOT_A_PLACE", use.written[0], value=said)
    return literal(found, LOCATION, use.at)


def _distance(use: Use) -> Node:
    metres = make("metres", *use.args[:2], at=use.at)
    unit = use.args[2] if len(use.args) == 3 else None
    if unit is not None and not unit.literal:
        raise Wrong("FORMULA_NEEDS_LITERAL", use.written[2], function=use.at.function)
    name = "km" if unit is None else str(unit.data).strip().lower()
    if name not in UNITS:
        raise Wrong("FORMULA_NOT_A_UNIT", use.written[2], value=name[:20], known=", ".join(UNITS))
    if name == "m":
        return metres
    if name == "mi":
        return make("div", metres, literal(UNITS[name], number(3), use.at), at=use.at)
    return make("mul", metres, literal(UNITS[name], number(3), use.at), at=use.at)


FUNCTIONS = (
    Function(
        "GEOLOCATION",
        "number",
        "latitude, longitude",
        '地图上的一点：纬度、经度（或一段文字，如 "31.23, 121.47"）。',
        'A point on the map: latitude, longitude (or a text such as "31.23, 121.47").',
        (Signature(("number", "number"), _point), Signature(("text",), _point)),
        (Example("ISBLANK(GEOLOCATION(31.23, 121.47))", False),),
    ),
    Function(
        "DISTANCE",
        "number",
        "point, point, [unit]",
        '两点间的地面直线距离；单位为 "km"（默认，精确到米）、"m" 或 "mi"（英里）。',
        'How far two points are apart over the ground; in "km" (exact to the metre), "m" or "mi" (miles).',
        (Signature(("location", "location", "text"), _distance, optional=1),),
        (
            Example("DISTANCE(GEOLOCATION(31.23, 121.47), GEOLOCATION(39.9, 116.4))", _D("1067.079")),
            Example('DISTANCE(GEOLOCATION("0, 179.5"), GEOLOCATION("0, -179.5"), "m")', _D(111195)),
            Example('DISTANCE(GEOLOCATION(90, 0), GEOLOCATION(-90, 0), "km")', _D("20015.114")),
            Example("DISTANCE(GEOLOCATION(1, 1), NULL)", None),
        ),
    ),
)
