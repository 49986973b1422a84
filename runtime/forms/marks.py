"""The small marks that pages are made of: icons, chips, people; numbers and moments as people read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import phonenumbers
from markupsafe import escape

from tabwright.platform.static_files import content_mark

COLOURS = ("blue", "teal", "green", "lime", "amber", "orange", "red", "pink", "purple")
_colours = frozenset(("grey", *COLOURS))
SPRITE_FILE = Path(__file__).parents[2] / "platform" / "static" / "vendor" / "icons.svg"
SPRITE = f"/static/vendor/icons.svg?v={content_mark(SPRITE_FILE)}"


def icon(name: str, css: str = "icon") -> str:
    """One icon of the sprite, hidden from screen readers: a word always stands beside it."""
    return f'<svg class="{css}" aria-hidden="true"><use href="{SPRITE}#{escape(name)}"/></svg>'


def colour(name: str | None) -> str:
    """A named colour of the palette; grey for what is not one."""
    return name if name in _colours else "grey"


def colour_of(text: str) -> str:
    """The palette colour that a person or thing keeps: the same for the same text, always."""
    return COLOURS[crc32(text.encode()) % len(COLOURS)]


@lru_cache(maxsize=8192)
def initials(name: str) -> str:
    """One Han character, or the first letters of two words: what an avatar says."""
    name = name.strip()
    if not name:
        return "?"
    if ord(name[0]) > 0x2E7F:
        return name[0]
    words = [word for word in name.replace(".", " ").replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or name[0].upper()


def number_text(value: Any, scale: int | None = None) -> str:
    """A number with thousands separated, every digit kept; ``scale`` fixes the places."""
    if not isinstance(value, Decimal):
        value = Decimal(str(value))
    return f"{value:,.{scale}f}" if scale is not None else f"{value:,f}"


def percent_text(value: Any) -> str:
    """50 is 50%; trailing zeros go."""
    text = number_text(value)
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def moment(value: Any, zone: ZoneInfo) -> datetime:
    """A stored instant (aware, or ISO text) on a person's clock."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    try:
        return value.astimezone(zone)  # type: ignore[no-any-return]
    except OverflowError:  # at the ends of time
        return value  # type: ignore[no-any-return]


@lru_cache(maxsize=8192)
def person(id: Any, name: str, cut: bool = True) -> str:
    """A user with avatar."""
    return (
        f'<span class="tw-person"><span class="tw-ava" data-c="{colour_of(str(id))}" aria-hidden="true">'
        f"{escape(initials(name))}</span><span{' class=tw-cut' if cut else ''}>{escape(name)}</span></span>"
    )


def chip(label: str, name: str | None) -> str:
    """A picklist value."""
    return f'<span class="tw-chip" data-c="{colour(name)}">{escape(label)}</span>'


def phone_text(value: str) -> str:
    """An international number in groups, as people read it; anything else as it is."""
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def swatch(value: str) -> str:
    """A colour as a small square; ``value`` is ``#rrggbb``. A fill needs no style attribute."""
    return (
        '<svg class="tw-swatchbox" viewBox="0 0 14 14" aria-hidden="true">'
        f'<rect width="14" height="14" rx="3" fill="{escape(value)}"/></svg>'
    )


@lru_cache(maxsize=512)
def qr(text: str) -> str:
    """A QR code of a text as an image in the page, dark on white in every theme; '' where it is too long."""
    import segno  # most objects have no barcode

    try:
        code = segno.make(text, error="m", micro=False)
    except segno.DataOverflowError:
        return ""
    drawn: str = code.svg_inline(scale=2, border=3, dark="#000", light="#fff", omitsize=True)
    return drawn.replace("<svg ", '<svg role="img" aria-label="QR" ', 1)
