"""How a field's values stand in columns: one small class per way of storing, in a registry by field type.

A value has five forms, and a ``Codec`` (one per shape and dialect) goes between them:

* typed: what the product computes with (Decimal, str, bool, date, aware datetime in UTC, UUID);
* stored: what the driver takes and gives (decision 0005: scaled integers, microseconds, 16 bytes on SQLite);
* wire: what ``encode`` writes as the JSON of an answer (numbers digit for digit, ids in hex, ISO dates);
* journal: plain JSON that is equal on both databases (decision 0006);
* text: CSV and conversion between types, through ``to_text`` and ``from_text``.

None is None in each of them, so the functions of a codec are never called with it by its methods.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, ClassVar, Literal
from uuid import UUID

import msgspec
import sqlalchemy as sa

from tabwright.metadata.model import FieldDef

Dialect = Literal["sqlite", "postgresql"]
Convert = Callable[[Any], Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_DIGITS = 18  # a stored number fits 64 bits on both databases (decision 0002)
_PLAIN_SCALE = 6  # str(Decimal) never shows an exponent up to this scale
_EXACT = Context(prec=60)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Shape:
    """What fixes a column: its way of storing and, for a number, its scale. A new shape is a new column."""

    way: str  # a key of WAYS
    scale: int = 0

    def as_json(self) -> dict[str, Any]:
        return {"way": self.way, "scale": self.scale} if self.scale else {"way": self.way}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Shape:
        return cls(stored["way"], stored.get("scale", 0))


@dataclass(frozen=True, slots=True)
class Codec:
    """The conversions of one shape on one dialect. A function that is None changes nothing.

    ``wire_source`` is the wire conversion as a Python expression for a generated dumper, with ``{v}`` for a
    simple name; the names it uses are in ``WIRE_NAMES``.
    """

    shape: Shape
    dialect: Dialect
    store: Convert | None = None
    load: Convert | None = None
    wire: Convert | None = None
    journal: Convert | None = None
    unjournal: Convert | None = None
    wire_source: str = "{v}"

    def to_storage(self, value: Any) -> Any:
        """Typed to stored."""
        return value if value is None or self.store is None else self.store(value)

    def from_storage(self, stored: Any) -> Any:
        """Stored to typed."""
        return stored if stored is None or self.load is None else self.load(stored)

    def to_wire(self, stored: Any) -> Any:
        """Stored to what ``encode`` writes."""
        return stored if stored is None or self.wire is None else self.wire(stored)

    def to_journal(self, stored: Any) -> Any:
        """Stored to plain JSON, equal on both databases."""
        return stored if stored is None or self.journal is None else self.journal(stored)

    def from_journal(self, value: Any) -> Any:
        """Journal form to typed."""
        return value if value is None or self.unjournal is None else self.unjournal(value)


_encoder = msgspec.json.Encoder(decimal_format="number", uuid_format="hex")


def encode(value: Any) -> bytes:
    """JSON bytes of wire values: Decimals as numbers digit for digit, UUIDs as 32 hex digits, UTC with Z."""
    return _encoder.encode(value)


# ---- conversions that generated code names -----------------------------------------------------------------


def instant_text(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SS[.ffffff]Z``: no fraction, or all six digits."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def instant_of_micros(micros: int) -> datetime:
    return EPOCH + micros * _MICROSECOND


def micros_of_instant(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND


def instant_text_of_micros(micros: int) -> str:
    return (EPOCH + micros * _MICROSECOND).replace(tzinfo=None).isoformat() + "Z"


def plain_number(number: Decimal) -> msgspec.Raw:
    """A number for ``encode`` whose ``str`` could show an exponent."""
    return msgspec.Raw(format(number, "f").encode())


WIRE_NAMES: Mapping[str, Any] = {
    "Decimal": Decimal,
    "plain_number": plain_number,
    "instant_text_of_micros": instant_text_of_micros,
    "instant_text": instant_text,
}


# ---- ways of storing ---------------------------------------------------------------------------------------


class Way:
    """A way of storing: column type, conversions, worst-case bytes in a row on PostgreSQL."""

    name: ClassVar[str]
    types: ClassVar[tuple[str, ...]]
    width: ClassVar[int]

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
    types: ClassVar[tuple[str, ...]] = (
        "text",
        "picklist",
        "auto_number",
        "email",
        "phone",
        "url",
        "record_type",
    )
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
    types = ("long_text",)


class IntegerWay(Way):
    name = "integer"
    types = ("integer", "revision")
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
    types = ("decimal", "currency", "percent")
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
                wire_source="{v}" if plain else "(None if {v} is None else plain_number({v}))",
            )
        factor = 10**scale

        def load(stored: int) -> Decimal:
            return Decimal(stored).scaleb(-scale)

        number = f"Decimal({{v}}).scaleb({-scale})"
        return Codec(
            shape,
            dialect,
            store=lambda value: int(_EXACT.multiply(value, factor)),
            load=load,
            wire=load if plain else lambda stored: plain_number(load(stored)),
            journal=lambda stored: format(load(stored), "f"),
            unjournal=Decimal,
            wire_source=f"(None if {{v}} is None else {number if plain else f'plain_number({number})'})",
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
    types = ("boolean",)
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
        source = "(None if {v} is None else {v} == 1)"
        return Codec(shape, dialect, store=int, load=bool, wire=bool, journal=bool, wire_source=source)

    def to_text(self, value: Any, shape: Shape) -> str:
        return "true" if value else "false"

    def from_text(self, text: str, shape: Shape) -> bool:
        found = self._words.get(text.strip().lower())
        if found is None:
            raise ValueError(text)
        return found


class DateWay(Way):
    name = "date"
    types = ("date",)
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
    types = ("datetime",)
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
                wire_source="(None if {v} is None else instant_text({v}))",
            )
        return Codec(
            shape,
            dialect,
            store=micros_of_instant,
            load=instant_of_micros,
            unjournal=instant_of_micros,
            wire=instant_text_of_micros,
            wire_source="(None if {v} is None else instant_text_of_micros({v}))",
        )

    def to_text(self, value: Any, shape: Shape) -> str:
        return instant_text(value)

    def from_text(self, text: str, shape: Shape) -> datetime:
        return _moment(text.strip())


class ReferenceWay(Way):
    """A record's id: uuid, or 16 bytes on SQLite."""

    name = "reference"
    types = ("lookup", "user", "owner", "id")
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
            wire_source="(None if {v} is None else {v}.hex())",
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
        IntegerWay(),
        NumberWay(),
        BooleanWay(),
        DateWay(),
        InstantWay(),
        ReferenceWay(),
    )
}
_WAY_OF_TYPE: Mapping[str, Way] = {type: way for way in WAYS.values() for type in way.types}


@lru_cache(maxsize=1024)
def _shape(type: str, scale: int | None) -> Shape:
    way = _WAY_OF_TYPE[type].name
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
    return codec(shape_of(field), dialect)


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
        if self.codes is not None and found not in self.codes:
            raise ValueError(text)
        if self.longest is not None and len(found) > self.longest:
            raise ValueError(text)
        return found
