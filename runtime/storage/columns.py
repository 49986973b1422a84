"""How a field stands in a column: the face of codings (the forms of a value) and ways (how it is stored)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from tabwright.metadata.choices import codes_in
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.links import Link
from tabwright.metadata.model import FieldDef
from tabwright.runtime.masks import Sealed, masked
from tabwright.runtime.storage.codings import Codec, Dialect, Shape, encode
from tabwright.runtime.storage.ways import WAYS

__all__ = [
    "WAYS",
    "Codec",
    "Conversion",
    "Dialect",
    "Shape",
    "codec",
    "codec_of",
    "column_type",
    "encode",
    "for_field",
    "from_storage",
    "shape_of",
    "to_storage",
    "width",
]


@lru_cache(maxsize=1024)
def _shape(type: str, scale: int | None) -> Shape:
    way = TYPES[type].storage
    return Shape(way, scale or 0) if way == "number" else Shape(way)


def shape_of(field: FieldDef) -> Shape:
    """The shape that a field's column must have."""
    return _shape(field.type, field.scale)


@lru_cache(maxsize=1024)
def codec(shape: Shape, dialect: Dialect) -> Codec:
    """The conversions of a shape on a dialect; the same one each time."""
    return WAYS[shape.way].codec(shape, dialect)


def codec_of(field: FieldDef, dialect: Dialect) -> Codec:
    """The conversions of a field."""
    return for_field(field, codec(shape_of(field), dialect))


def for_field(field: FieldDef, found: Codec) -> Codec:
    """The conversions of a shape as a field uses them: what leaves the product is masked where it is, and a
    link has the name of its object.
    """
    if field.kinds:
        return replace(found, wire=lambda stored: link_wire(field, Link.of(stored)))
    if field.mask is None:
        return found
    if found.shape.way == "secret":
        return replace(found, wire=lambda stored: masked(field, Sealed(stored)))
    return replace(found, wire=lambda stored: masked(field, stored))


def link_wire(field: FieldDef, link: Link) -> dict[str, str | None]:
    """What a link is outside: the object is null where the field no longer names it."""
    return {"object": field.target_of(link) or None, "id": link.hex}


def to_storage(field: FieldDef, value: Any, dialect: Dialect) -> Any:
    """One typed value of a field to its stored form; a loop takes the codec once instead."""
    return codec_of(field, dialect).to_storage(value)


def from_storage(field: FieldDef, stored: Any, dialect: Dialect) -> Any:
    """One stored value of a field to its typed form; a loop takes the codec once instead."""
    return codec_of(field, dialect).from_storage(stored)


def column_type(shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
    return WAYS[shape.way].column_type(shape, dialect)


def width(shape: Shape) -> int:
    """Worst-case bytes of a column in a row on PostgreSQL, once it has moved out what it can."""
    return WAYS[shape.way].width


@dataclass(frozen=True, slots=True)
class Conversion:
    """From the typed values of one shape to those of another, as a retype does it."""

    old: Shape
    new: Shape
    codes: frozenset[str] | None = None  # a restricted picklist's: other text does not convert
    longest: int | None = None  # characters that the new field takes

    def __call__(self, value: Any) -> Any:
        """The new typed value. ValueError where there is none."""
        if value is None:
            return None
        if isinstance(value, bool) and self.new.way in ("integer", "number"):
            return Decimal(int(value))
        text = WAYS[self.old.way].to_text(value, self.old)
        found = WAYS[self.new.way].from_text(text, self.new)
        if self.codes is not None and not self.codes.issuperset(self._codes_of(found)):
            raise ValueError(text)
        if self.longest is not None and len(found) > self.longest:
            raise ValueError(text)
        return found

    def _codes_of(self, value: Any) -> tuple[str, ...]:
        return codes_in(value) if self.new.way == "choices" else (value,)
