"""The ways of storing: one small class each, with column type, conversions and text form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from typing import Any, ClassVar
from uuid import UUID

import msgspec
import sqlalchemy as sa

from tabwright.formula.days import from_milliseconds, milliseconds
from tabwright.formula.places import Point, text_point, unpacked
from tabwright.metadata.addresses import LONGEST, Address
from tabwright.metadata.choices import CHOICE_SEPARATOR, codes_in, joined
from tabwright.metadata.links import Link
from tabwright.runtime.filing import refs
from tabwright.runtime.masks import HIDDEN, Sealed
from tabwright.runtime.regions.tree import address_of
from tabwright.runtime.storage.codings import (
    MOST_DIGITS,
    Codec,
    Dialect,
    Shape,
    instant_of_micros,
    instant_text,
    instant_text_of_micros,
    micros_of_instant,
    plain_json,
    plain_number,
    time_text,
)

_PLAIN_SCALE = 6  # str(Decimal) never shows an exponent up to this scale
_EXACT = Context(prec=60)


class Way:
    """A way of storing: column type, conversions, worst-case bytes in a row on PostgreSQL."""

    name: ClassVar[str]
    width: ClassVar[int]
    beside: ClassVar[bool] = False  # always in the second table

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        raise NotImplementedError

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        raise NotImplementedError

    def to_text(self, value: Any, shape: Shape) -> str:
        """Typed value to plain text."""
        return str(value)

    def from_text(self, text: str, shape: Shape) -> Any:
        """Plain text to typed value. ValueError where the text is none of this way."""
        raise NotImplementedError


class TextWay(Way):
    # At most 23 bytes of a value stand in the row when PostgreSQL is short of room: longer ones become an
    # 18-byte pointer, shorter ones it does not move.
    name = "text"
    width = 24

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Text(collation="C") if dialect == "postgresql" else sa.Text()

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(shape, dialect)

    def from_text(self, text: str, shape: Shape) -> str:
        return text


class LongTextWay(TextWay):
    """As text, but always in the second table."""

    name = "long_text"
    beside = True


class ChoicesWay(TextWay):
    """Codes as one text ";a;b;"; outside a list, in files "a;b"."""

    name = "choices"

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(shape, dialect, wire=codes_in)

    def to_text(self, value: Any, shape: Shape) -> str:
        return CHOICE_SEPARATOR.join(codes_in(value))

    def from_text(self, text: str, shape: Shape) -> Any:
        codes = [code for each in text.split(CHOICE_SEPARATOR) if (code := each.strip())]
        return joined(dict.fromkeys(codes)) if codes else None


class LinkWay(TextWay):
    """A record of one of several objects. Which objects these are is the field's, so no text becomes one."""

    name = "link"
    width = 72

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(
            shape, dialect, store=lambda value: value.text, load=Link.of, unjournal=Link.of, wire=Link.of
        )

    def to_text(self, value: Any, shape: Shape) -> str:
        return str(value.text)

    def from_text(self, text: str, shape: Shape) -> Any:
        return Link.of(text)


class AddressWay(TextWay):
    """The parts of an address as lines of one text."""

    name = "address"

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(
            shape, dialect, store=lambda value: value.text, load=Address.of, unjournal=Address.of,
            wire=lambda stored: {name: part or None for name, part in Address.of(stored)._asdict().items()},
        )  # fmt: skip

    def from_text(self, text: str, shape: Shape) -> Any:
        found = address_of(text)
        if any(len(part) > LONGEST[name] for name, part in found._asdict().items()):
            raise ValueError(text[:80])
        return found


class SecretWay(TextWay):
    """Cipher text. What it says cannot be made a text, and no text can be made it, without the keys."""

    name = "secret"

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(shape, dialect, store=str, load=Sealed, unjournal=Sealed, wire=lambda stored: HIDDEN)

    def to_text(self, value: Any, shape: Shape) -> str:
        raise ValueError(HIDDEN)

    def from_text(self, text: str, shape: Shape) -> Any:
        raise ValueError(HIDDEN)


class FilesWay(TextWay):
    """Which files, with their names; as a text the names alone, and no text makes them files again."""

    name = "files"

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(shape, dialect, wire=refs.wire)

    def to_text(self, value: Any, shape: Shape) -> str:
        return refs.joined_names(value)

    def from_text(self, text: str, shape: Shape) -> Any:
        raise ValueError(text[:80])


class JsonWay(TextWay):
    """An object or a list as its shortest JSON text, always in the second table."""

    name = "json"
    beside = True

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(shape, dialect, wire=lambda stored: msgspec.Raw(stored.encode()))

    def from_text(self, text: str, shape: Shape) -> str:
        return plain_json(text)


class IntegerWay(Way):
    name = "integer"
    width = 16  # 8 bytes and at worst 7 of alignment before them

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return sa.BigInteger() if dialect == "postgresql" else sa.Integer()

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(shape, dialect, store=int, load=Decimal, unjournal=Decimal)

    def to_text(self, value: Any, shape: Shape) -> str:
        return format(value, "f")

    def from_text(self, text: str, shape: Shape) -> Decimal:
        number = _number(text)
        if number != number.to_integral_value() or abs(number) >= 10**MOST_DIGITS:
            raise ValueError(text)
        return number.to_integral_value()


class NumberWay(Way):
    name = "number"
    width = 24

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        # The precision that the admin chose is the pipeline's to hold, so widening it needs no DDL.
        return sa.Numeric(MOST_DIGITS, shape.scale) if dialect == "postgresql" else sa.Integer()

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        scale = shape.scale
        plain = scale <= _PLAIN_SCALE
        if dialect == "postgresql":
            return Codec(
                shape,
                dialect,
                journal=lambda stored: format(stored, "f"),
                unjournal=Decimal,
                wire=None if plain else plain_number,
            )
        factor = 10**scale

        def load(stored: int) -> Decimal:
            return Decimal(stored).scaleb(-scale)

        return Codec(
            shape,
            dialect,
            store=lambda value: int(_EXACT.multiply(value, factor)),
            load=load,
            wire=load if plain else lambda stored: plain_number(load(stored)),
            journal=lambda stored: format(load(stored), "f"),
            unjournal=Decimal,
        )

    def to_text(self, value: Any, shape: Shape) -> str:
        return format(value, "f")

    def from_text(self, text: str, shape: Shape) -> Decimal:
        number = _number(text).quantize(Decimal(1).scaleb(-shape.scale), ROUND_HALF_UP, _EXACT)
        if abs(number) >= 10 ** (MOST_DIGITS - shape.scale):
            raise ValueError(text)
        return number


class BooleanWay(Way):
    name = "boolean"
    width = 1
    _words: ClassVar[Mapping[str, bool]] = {
        **dict.fromkeys(("true", "1", "yes", "y", "on", "是", "真"), True),
        **dict.fromkeys(("false", "0", "no", "n", "off", "否", "假"), False),
    }

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Boolean() if dialect == "postgresql" else sa.Integer()

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        if dialect == "postgresql":
            return Codec(shape, dialect)
        return Codec(shape, dialect, store=int, load=bool, wire=bool, journal=bool)

    def to_text(self, value: Any, shape: Shape) -> str:
        return "true" if value else "false"

    def from_text(self, text: str, shape: Shape) -> bool:
        found = self._words.get(text.strip().lower())
        if found is None:
            raise ValueError(text)
        return found


class TimeWay(Way):
    """A time of day: milliseconds since midnight."""

    name = "time"
    width = 8

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Integer()

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(
            shape,
            dialect,
            store=milliseconds,
            load=from_milliseconds,
            journal=lambda stored: time_text(from_milliseconds(stored)),
            unjournal=time.fromisoformat,
            wire=lambda stored: time_text(from_milliseconds(stored)),
        )

    def to_text(self, value: Any, shape: Shape) -> str:
        return time_text(value)

    def from_text(self, text: str, shape: Shape) -> time:
        found = time.fromisoformat(text.strip())
        if found.tzinfo is not None:
            raise ValueError(text)
        return found.replace(microsecond=found.microsecond // 1000 * 1000)


class PointWay(Way):
    """A point on the map, as one number."""

    name = "point"
    width = 16

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return sa.BigInteger() if dialect == "postgresql" else sa.Integer()

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        return Codec(
            shape,
            dialect,
            store=lambda value: value.packed,
            load=unpacked,
            journal=lambda stored: str(unpacked(stored)),
            unjournal=text_point,
            wire=lambda stored: dict(zip(("lat", "lng"), unpacked(stored).degrees, strict=True)),
        )

    def to_text(self, value: Any, shape: Shape) -> str:
        return str(value)

    def from_text(self, text: str, shape: Shape) -> Point:
        found = text_point(text)
        if found is None:
            raise ValueError(text)
        return found


class DateWay(Way):
    name = "date"
    width = 8

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Date() if dialect == "postgresql" else sa.Text()

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        if dialect == "postgresql":
            return Codec(shape, dialect, journal=date.isoformat, unjournal=date.fromisoformat)
        load = date.fromisoformat
        return Codec(shape, dialect, store=date.isoformat, load=load, unjournal=load)

    def to_text(self, value: Any, shape: Shape) -> str:
        return str(value.isoformat())

    def from_text(self, text: str, shape: Shape) -> date:
        text = text.strip()
        if len(text) > 10:  # a moment: its day in UTC
            return _moment(text).date()
        return date.fromisoformat(text)


class InstantWay(Way):
    name = "datetime"
    width = 16

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return sa.DateTime(timezone=True) if dialect == "postgresql" else sa.Integer()

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        if dialect == "postgresql":
            return Codec(
                shape,
                dialect,
                load=lambda stored: stored.astimezone(UTC),
                journal=micros_of_instant,
                unjournal=instant_of_micros,
                wire=instant_text,
            )
        return Codec(
            shape,
            dialect,
            store=micros_of_instant,
            load=instant_of_micros,
            unjournal=instant_of_micros,
            wire=instant_text_of_micros,
        )

    def to_text(self, value: Any, shape: Shape) -> str:
        return instant_text(value)

    def from_text(self, text: str, shape: Shape) -> datetime:
        return _moment(text.strip())


class ReferenceWay(Way):
    """A record's id: uuid, or 16 bytes on SQLite."""

    name = "reference"
    width = 16

    def column_type(self, shape: Shape, dialect: Dialect) -> sa.types.TypeEngine[Any]:
        return sa.Uuid() if dialect == "postgresql" else sa.LargeBinary(16)

    def codec(self, shape: Shape, dialect: Dialect) -> Codec:
        if dialect == "postgresql":
            return Codec(shape, dialect, journal=_hex, unjournal=UUID)
        return Codec(
            shape,
            dialect,
            store=_bytes,
            load=lambda stored: UUID(bytes=stored),
            wire=bytes.hex,
            journal=bytes.hex,
            unjournal=UUID,
        )

    def to_text(self, value: Any, shape: Shape) -> str:
        return str(value.hex)

    def from_text(self, text: str, shape: Shape) -> UUID:
        return UUID(text.strip())


def _hex(value: UUID) -> str:
    return value.hex


def _bytes(value: UUID) -> bytes:
    return value.bytes


def _number(text: str) -> Decimal:
    text = text.strip()
    if len(text) > 60:
        raise ValueError(text[:60])
    try:
        number = Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise ValueError(text) from None
    if not number.is_finite() or abs(number.adjusted()) > 40:
        raise ValueError(text)
    return number


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


WAYS: Mapping[str, Way] = {
    way.name: way
    for way in (
        TextWay(),
        LongTextWay(),
        ChoicesWay(),
        LinkWay(),
        AddressWay(),
        JsonWay(),
        SecretWay(),
        FilesWay(),
        TimeWay(),
        PointWay(),
        IntegerWay(),
        NumberWay(),
        BooleanWay(),
        DateWay(),
        InstantWay(),
        ReferenceWay(),
    )
}
