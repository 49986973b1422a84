"""Values with a form of their own: colours, JSON, points on the map."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

import msgspec

from tabwright.formula.places import Point, text_point
from tabwright.formula.places import point as point_of
from tabwright.metadata.model import FieldDef
from tabwright.runtime.records.coerce.common import Convert, Refused, clean
from tabwright.runtime.storage.codings import encode, plain_json

_colour = re.compile(r"#?([0-9a-f]{6}|[0-9a-f]{3})").fullmatch


def point(field: FieldDef, zone: str) -> Convert:
    """A point on the map: ``{"lat": ..., "lng": ...}``, a list of both, or a text such as "31.23, 121.47"."""

    def convert(value: Any) -> Any:
        if isinstance(value, Point):
            return value
        if isinstance(value, str):
            if not value.strip():
                return None
            return text_point(value) or _no_point(value)
        if isinstance(value, Mapping):
            value = [value.get("lat"), value.get("lng")] if set(value) == {"lat", "lng"} else None
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise Refused("value.not_point", value="")
        found = []
        for each in value:
            if isinstance(each, bool) or not isinstance(each, int | float | Decimal | str):
                raise Refused("value.not_point", value=str(value)[:80])
            try:
                found.append(Decimal(str(each).strip()))
            except InvalidOperation:
                raise Refused("value.not_point", value=str(each)[:80]) from None
        if not all(each.is_finite() for each in found):
            raise Refused("value.not_point", value=", ".join(map(str, value))[:80])
        return point_of(*found) or _no_point(", ".join(map(str, value)))

    return convert


def _no_point(text: str) -> NoReturn:
    raise Refused("value.not_point", value=text[:80])


def colour(field: FieldDef, zone: str) -> Convert:
    """``#rrggbb``, lower case; the short form of three digits is written out."""

    def convert(value: Any) -> Any:
        text = clean(value)
        if text is None:
            return None
        found = _colour(text.lower())
        if found is None:
            raise Refused("value.not_colour")
        digits = found[1] if len(found[1]) == 6 else "".join(each * 2 for each in found[1])
        return f"#{digits}"

    return convert


def json(field: FieldDef, zone: str) -> Convert:
    """An object or a list, as its shortest JSON text; a text is read as JSON."""
    most = field.max_length or 32_768

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            if not value.strip():
                return None
            text = value
        elif isinstance(value, dict | list):
            try:
                text = encode(value).decode()
            except (TypeError, ValueError, RecursionError, msgspec.EncodeError):
                raise Refused("value.not_json") from None
        else:
            raise Refused("value.not_json")
        if len(text) > 4 * most:  # before it is read; blanks between values go
            raise Refused("value.too_long", limit=most, length=len(text))
        try:
            found = plain_json(text)
        except ValueError:
            raise Refused("value.not_json") from None
        if len(found) > most:
            raise Refused("value.too_long", limit=most, length=len(found))
        return found

    return convert
