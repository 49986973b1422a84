"""Points on the earth: exact to a ten-millionth of a degree (1 cm), and how far two are apart.

A point is one whole number outside the process (`packed`): latitude first, so that an order by it goes from
south to north and an index on it holds bands of latitude. The distance is the great circle's on a sphere of
the earth's mean radius. It is worked out with nothing but + - * / and the square root, which give the same
bits on every machine; `runtime` and both databases so find the same metre. Each step of `distance` stands in
`STEPS` too, as PostgreSQL computes it.
"""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from math import floor, sqrt
from typing import Final, NamedTuple

from tabwright.formula.figures import CONTEXT, At, fail

UNIT: Final = 10_000_000  # of a degree
_LATITUDES: Final = 90 * UNIT  # from the equator to a pole
_LONGITUDES: Final = 180 * UNIT
_TURN: Final = 2 * _LONGITUDES
SPAN: Final = _TURN + 1  # how many longitudes there are
_RADIUS: Final = 6_371_008.8  # metres
_HALF: Final = 3.141592653589793 / 360 / UNIT  # half of a unit as an angle
# sin t = t * (1 - t²/6 + ...) up to a quarter turn; atan w = w * (1 - w²/3 + ...) up to a sixteenth.
_SINE: Final = (
    1.0, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880, -1 / 39916800, 1 / 6227020800, -1 / 1307674368000,
    1 / 355687428096000, -1 / 121645100408832000, 1 / 51090942171709440000,
)  # fmt: skip
_ATAN: Final = tuple((-1.0) ** n / (2 * n + 1) for n in range(12))
FARTHEST: Final = 20_020  # km, rounded up


class Point(NamedTuple):
    """Latitude (north is positive) and longitude (east is), in ten-millionths of a degree."""

    latitude: int
    longitude: int

    @property
    def packed(self) -> int:
        """The point as one number that fits 64 bits."""
        return (self.latitude + _LATITUDES) * SPAN + self.longitude + _LONGITUDES

    @property
    def degrees(self) -> tuple[Decimal, Decimal]:
        """Latitude and longitude without zeros at the end."""
        return _degrees(self.latitude), _degrees(self.longitude)

    def __str__(self) -> str:
        return ", ".join(f"{each:f}" for each in self.degrees)


def unpacked(number: int) -> Point:
    """The point of such a number."""
    latitude, longitude = divmod(int(number), SPAN)
    return Point(latitude - _LATITUDES, longitude - _LONGITUDES)


def _degrees(units: int) -> Decimal:
    found = Decimal(units).scaleb(-7, CONTEXT)
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found.normalize(CONTEXT)


def point(latitude: Decimal, longitude: Decimal) -> Point | None:
    """The nearest point there is; None where the numbers are no place on the earth."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180):
        return None
    return Point(
        *(
            int(CONTEXT.multiply(each, UNIT).to_integral_value(ROUND_HALF_UP))
            for each in (latitude, longitude)
        )
    )


def located(latitude: Decimal, longitude: Decimal, at: At) -> Point:
    """The nearest point there is. Raises EvaluationError where the numbers are no place on the earth."""
    found = point(latitude, longitude)
    return found if found is not None else fail("FORMULA_NO_SUCH_PLACE", at)


_PAIR: Final = re.compile(r"\s*\(?\s*(\S+?)\s*(?:[,;\s]\s*)(\S+?)\s*\)?\s*")
_WIDE: Final = str.maketrans("，；（）．－＋０１２３４５６７８９", ",;().-+0123456789")


def text_point(text: str) -> Point | None:
    """The point that a text writes as latitude and longitude: ``31.23, 121.47``. None for another text."""
    found = _PAIR.fullmatch(text.translate(_WIDE)) if len(text) <= 100 else None
    if found is None:
        return None
    numbers = [_axis(found[1], "NS"), _axis(found[2], "EW")]
    if None in numbers:
        return None
    return point(*numbers)  # type: ignore[arg-type]


def _axis(text: str, signs: str) -> Decimal | None:
    """Degrees: plain, or with the letter of a direction; 121°28'25.3"E is read as well."""
    text = text.upper()
    negative = text[-1:] == signs[1]
    if text[-1:] in signs:
        text = text[:-1]
    parts = [part for part in re.split(r"[°º′'″\"]", text) if part]
    if not 1 <= len(parts) <= 3:
        return None
    total = Decimal(0)
    for n, part in enumerate(parts):
        try:
            number = Decimal(part)
        except InvalidOperation:
            return None
        if not number.is_finite() or abs(number) >= 1000 or (n and not 0 <= number < 60):
            return None
        total += number / 60**n if total >= 0 and number >= 0 else -number.copy_abs() / 60**n
    return -total if negative else total


# ---- distance ----------------------------------------------------------------------------------------------


def metres(a: Point, b: Point) -> int:
    """How far two points are apart, in whole metres."""
    across = abs(a.longitude - b.longitude)
    across = min(across, _TURN - across)
    first, second = _sine_squared(float(a.latitude) * _HALF), _sine_squared(float(b.latitude) * _HALF)
    up, along = _sine_squared(float(a.latitude - b.latitude) * _HALF), _sine_squared(float(across) * _HALF)
    h = up + (1.0 - 2.0 * first) * (1.0 - 2.0 * second) * along
    h = 1.0 if h > 1.0 else h
    x = sqrt(h)
    u = x / (1.0 + sqrt(1.0 - h))
    v = u / (1.0 + sqrt(1.0 + u * u))
    w = v / (1.0 + sqrt(1.0 + v * v))
    return floor(16.0 * _RADIUS * (w * _horner(_ATAN, w * w)) + 0.5)


def _sine_squared(t: float) -> float:
    s = t * _horner(_SINE, t * t)
    return s * s


def _horner(coefficients: tuple[float, ...], y: float) -> float:
    found = coefficients[-1]
    for each in reversed(coefficients[:-1]):
        found = found * y + each
    return found


def postgresql_metres(a: str, b: str) -> str:
    """``metres`` of two packed columns as SQL of PostgreSQL. Every step is computed once: OFFSET 0 keeps the
    planner from putting one step's text into the next.
    """

    def real(value: float) -> str:
        return f"({value!r}::float8)"

    def horner(coefficients: tuple[float, ...], y: str) -> str:
        text = real(coefficients[-1])
        for each in reversed(coefficients[:-1]):
            text = f"({text} * {y} + {real(each)})"
        return text

    def squared(y: str) -> str:
        return f"({y} * {horner(_SINE, f'({y} * {y})')})"

    half, one, two = real(_HALF), real(1.0), real(2.0)
    steps = [
        f"SELECT ({a})::bigint AS p, ({b})::bigint AS q",
        f"SELECT p / {SPAN} - {_LATITUDES} AS y1, mod(p, {SPAN}) AS x1,"
        f" q / {SPAN} - {_LATITUDES} AS y2, mod(q, {SPAN}) AS x2",
        f"SELECT y1::float8 * {half} AS t1, y2::float8 * {half} AS t2, (y1 - y2)::float8 * {half} AS t3,"
        f" least(abs(x1 - x2), {_TURN} - abs(x1 - x2))::float8 * {half} AS t4",
        ", ".join(f"{'SELECT ' if n == 1 else ''}{squared(f't{n}')} AS s{n}" for n in (1, 2, 3, 4)),
        f"SELECT s3 * s3 + ({one} - {two} * (s1 * s1)) * ({one} - {two} * (s2 * s2)) * (s4 * s4) AS g",
        f"SELECT CASE WHEN g > {one} THEN {one} ELSE g END AS h",  # LEAST passes over a blank
        f"SELECT sqrt(h) / ({one} + sqrt({one} - h)) AS u",
        f"SELECT u / ({one} + sqrt({one} + u * u)) AS v",
        f"SELECT v / ({one} + sqrt({one} + v * v)) AS w",
    ]
    inner = steps[0]
    for n, step in enumerate(steps[1:]):
        inner = f"{step} FROM ({inner} OFFSET 0) AS d{n}"
    last = f"(w * {horner(_ATAN, '(w * w)')})"
    return (
        f"(SELECT floor({real(16.0 * _RADIUS)} * {last} + {real(0.5)})::bigint FROM ({inner} OFFSET 0) AS d9)"
    )
