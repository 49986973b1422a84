"""From what people, programs and files send to a field's typed value: one converter per field, built once.

A converter takes JSON-like, CSV-like or typed input and gives the typed value or None (blank); it raises
``Refused``. Typed values: str, Decimal, bool, date, time, aware datetime in UTC, UUID.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabwright.metadata.model import FieldDef
from tabwright.runtime.masks import MARK, Sealed
from tabwright.runtime.records.coerce import (
    addresses,
    attached,
    choices,
    codes,
    days,
    figures,
    places,
    texts,
)
from tabwright.runtime.records.coerce.common import Build, Convert, Refused, clean

__all__ = ["Convert", "Refused", "clean", "converter"]


def converter(field: FieldDef, zone: str) -> Convert:
    """The converter of a field. ``zone`` is where moments without an offset are meant."""
    convert = _builders[field.type](field, zone)
    return convert if field.mask is None else _unmasked(convert)


def _unmasked(convert: Convert) -> Convert:
    """Of a masked field: what is sealed stays so, and what people were shown of it is not written back."""

    def whole(value: Any) -> Any:
        if isinstance(value, Sealed):
            return value
        if isinstance(value, str) and MARK in value:
            raise Refused("value.masked")
        return convert(value)

    return whole


_builders: Mapping[str, Build] = {
    "text": texts.line_or_lines,
    "long_text": texts.long,
    "integer": figures.number,
    "decimal": figures.number,
    "currency": figures.number,
    "percent": figures.number,
    "boolean": days.boolean,
    "date": days.day,
    "datetime": days.moment,
    "picklist": choices.one_of,
    "multi_picklist": choices.several_of,
    "time": days.time_of_day,
    "geolocation": codes.point,
    "address": places.address,
    "rating": figures.number,
    "progress": figures.number,
    "colour": codes.colour,
    "barcode": texts.line_or_lines,
    "json": codes.json,
    "lookup": choices.reference,
    "master_detail": choices.reference,
    "polymorphic": choices.link,
    "user": choices.reference,
    "auto_number": texts.line_or_lines,
    "email": addresses.email,
    "phone": addresses.phone,
    "url": addresses.url,
    "owner": choices.reference,
    "id": choices.reference,
    "record_type": texts.line_or_lines,
    "secret": texts.line_or_lines,
    "file": attached.files,
    "image": attached.files,
    "revision": figures.number,
}
