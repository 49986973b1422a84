"""The forms in which a value stands, and the conversions between them.

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
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal

import msgspec

Dialect = Literal["sqlite", "postgresql"]
Convert = Callable[[Any], Any]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_DIGITS = 18  # a stored number fits 64 bits on both databases (decision 0002)
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
    """The conversions of one shape on one dialect. A function that is None changes nothing."""

    shape: Shape
    dialect: Dialect
    store: Convert | None = None
    load: Convert | None = None
    wire: Convert | None = None
    journal: Convert | None = None
    unjournal: Convert | None = None

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


# ---- conversions of single values ------ -----------------------------------------------------------------


def instant_text(moment: datetime) -> str:
    """``YYYY-MM-DDTHH:MM:SS[.ffffff]Z``: no fraction, or all six digits."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"


def instant_of_micros(micros: int) -> datetime:
    return EPOCH + micros * _MICROSECOND


def micros_of_instant(moment: datetime) -> int:
    return (moment - EPOCH) // _MICROSECOND


def instant_text_of_micros(micros: int) -> str:
    return (EPOCH + micros * _MICROSECOND).replace(tzinfo=None).isoformat() + "Z"


def time_text(value: time) -> str:
    """``HH:MM[:SS[.mmm]]``: no more than it takes."""
    if value.microsecond:
        return value.isoformat("milliseconds")
    return value.isoformat("seconds" if value.second else "minutes")


_exact_json = msgspec.json.Decoder(float_hook=Decimal)


def plain_json(text: str) -> str:
    """The shortest JSON text of an object or a list, numbers digit for digit. ValueError for all else."""
    try:
        found = _exact_json.decode(text)
    except (msgspec.DecodeError, RecursionError, ArithmeticError) as error:
        raise ValueError(str(error)) from None
    if not isinstance(found, dict | list):
        raise ValueError("an object or a list")
    return _encoder.encode(found).decode()


def plain_number(number: Decimal) -> msgspec.Raw:
    """A number for ``encode`` whose ``str`` could show an exponent."""
    return msgspec.Raw(format(number, "f").encode())
