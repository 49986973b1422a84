"""Values that are not shown whole: what a mask leaves to see, and values that are kept as cipher text.

A sealed value is one text, ``preset|cipher text|what that preset leaves to see``, made when it is written. So
a list of ten thousand needs no key; and where an admin has chosen another mask since, nothing of it is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tabwright.metadata.model import FieldDef

HIDDEN = "******"
LEAST = 4  # characters that a mask hides
MARK = "****"  # stands in everything that is masked, so that nobody writes it back


def _ends(before: int, after: int) -> Callable[[str], str]:
    """Some characters at either end, when enough are hidden between them."""

    def mask(text: str) -> str:
        if len(text) < before + after + LEAST:
            return HIDDEN
        return text[:before] + MARK + (text[-after:] if after else "")

    return mask


def _phone(text: str) -> str:
    local = text.removeprefix("+86")
    return _ends(3, 4)(local)


def _email(text: str) -> str:
    name, at, domain = text.rpartition("@")
    return f"{name[:1]}{MARK}{at}{domain}" if name and domain else HIDDEN


PRESETS: Mapping[str, Callable[[str], str]] = {
    "phone": _phone,
    "id_card": _ends(3, 4),
    "bank_card": _ends(0, 4),
    "email": _email,
    "all": lambda text: HIDDEN,
}


class Sealed(str):
    """A value as it is kept: cipher text with what may be seen of it. Never the value itself."""

    __slots__ = ()

    @classmethod
    def of(cls, preset: str, token: str, value: str) -> Sealed:
        return cls(f"{preset}|{token}|{PRESETS[preset](value)}")

    @property
    def token(self) -> str:
        return self.split("|", 2)[1]

    def seen_by(self, preset: str) -> str:
        """What the mask leaves to see; everything hidden where it was sealed under another."""
        sealed_under, _, hint = self.split("|", 2)
        return hint if sealed_under == preset else HIDDEN


def masked(field: FieldDef, value: Any) -> Any:
    """The value as everybody sees it; itself where the field has no mask."""
    if value is None or field.mask is None:
        return value
    if field.type == "secret":
        return value.seen_by(field.mask) if isinstance(value, Sealed) else HIDDEN
    return PRESETS[field.mask](str(value))
