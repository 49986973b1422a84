"""What every converter uses: a refusal, and text as it is stored."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from tabwright.metadata.model import FieldDef, Labels

Convert = Callable[[Any], Any]
Build = Callable[[FieldDef, str], Convert]  # of a field; moments without an offset are meant in this zone

_unprintable_are_fine = re.compile(
    r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]*"
).fullmatch


class Refused(Exception):
    """A value that the field does not take: a message code, and parameters (labels are put in the caller's
    language).
    """

    def __init__(self, code: str, **params: str | int | Decimal | Labels) -> None:
        super().__init__(code)
        self.code = code
        self.params: Mapping[str, str | int | Decimal | Labels] = params


def clean(value: Any) -> str | None:
    """Text as it is stored: NFC, trimmed, lines end with newline; None when nothing is left. Raises
    Refused.
    """
    if type(value) is not str:
        value = _as_text(value)
    if not value.isprintable():
        value = value.replace("\r\n", "\n").replace("\r", "\n")
        if not _unprintable_are_fine(value):
            raise Refused("value.control_character")
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    return value.strip() or None


def _as_text(value: Any) -> str:
    # A number in a text column of a file or a program is meant as its digits; a list or an object is a
    # mistake.
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | UUID | date):
        raise Refused("value.not_text")
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > 40:
            raise Refused("value.not_text")
        return format(value, "f")
    if isinstance(value, int) and abs(value) >= 10**40:
        raise Refused("value.not_text")
    return value.isoformat() if isinstance(value, date) else str(value)
