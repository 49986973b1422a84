"""How a value of each field type is shown to a person: HTML in which only our own tags are not escaped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

import phonenumbers
from markupsafe import escape

from tabwright.metadata.model import FieldDef, Model, label_in
from tabwright.platform.language import Language, say

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a record page or list row is filled with: the row by path, and whose clock it is read by."""

    row: Row
    zone: ZoneInfo
    hidden: Collection[str] = ()  # fields that a visibility formula takes away


Show = Callable[[Seen], str]

COLOURS = ("blue", "teal", "green", "lime", "amber", "orange", "red", "pink", "purple")
_colours = frozenset(("grey", *COLOURS))
_symbols = {
    "CNY": "¥",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "JPY": "¥",
    "HKD": "HK$",
    "TWD": "NT$",
    "KRW": "₩",
}
_right = frozenset(("integer", "decimal", "currency", "percent", "revision"))
SPRITE = "/static/vendor/icons.svg"


def icon(name: str, css: str = "icon") -> str:
    """One icon of the sprite, hidden from screen readers: a word always stands beside it."""
    return f'<svg class="{css}" aria-hidden="true"><use href="{SPRITE}#{escape(name)}"/></svg>'


def colour(name: str | None) -> str:
    """A named colour of the palette; grey for what is not one."""
    return name if name in _colours else "grey"


def colour_of(text: str) -> str:
    """The palette colour that a person or thing keeps: the same for the same text, always."""
    return COLOURS[crc32(text.encode()) % len(COLOURS)]


def initials(name: str) -> str:
    """One Han character, or the first letters of two words: what an avatar says."""
    name = name.strip()
    if not name:
        return "?"
    if ord(name[0]) > 0x2E7F:
        return name[0]
    words = [word for word in name.replace(".", " ").replace("@", " ").split() if word[0].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or name[0].upper()


def symbol(code: str | None) -> str:
    """What stands before an amount: a currency's sign, or its code and a space."""
    return _symbols.get(code or "", f"{code} " if code else "")


def is_right(field: FieldDef) -> bool:
    """Whether columns of the field are set to the right: numbers."""
    return field.type in _right


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


def name_path(field: FieldDef, path: str, model: Model) -> str | None:
    """The path at which a row holds the name of what ``path`` refers to; None for what is no reference."""
    if field.type == "owner":
        return f"{path}.name"
    target = model.objects.get(field.target or "")
    return f"{path}.{target.name_field}" if field.is_reference and target is not None else None


def shower(field: FieldDef, path: str, model: Model, language: Language, *, short: bool = False) -> Show:
    """How the value at ``path`` is shown; '' for a blank one. ``short``: one line, for tables."""
    value_shower = _value_shower(field, model, language, short)
    if field.is_reference:
        return _reference(field, path, model, short)

    def show(seen: Seen) -> str:
        value = seen.row.get(path)
        return "" if value is None or value == "" else value_shower(value, seen.zone)

    return show


def _reference(field: FieldDef, path: str, model: Model, short: bool) -> Show:
    name_at = name_path(field, path, model)
    people = field.type in ("user", "owner") or field.target == "user"
    head = f'<a href="/o/{field.target}/'
    if short:
        head = f'<a class="tw-person" href="/o/{field.target}/'

    def show(seen: Seen) -> str:
        id = seen.row.get(path)
        if id is None:
            return ""
        name = str(seen.row.get(name_at) or "") if name_at else ""
        if not name:
            return '<span class="tw-3">…</span>'
        if people:
            return person(id, name)
        if short:
            return (
                f'{head}{id}"><span class="tw-ava is-co" aria-hidden="true">{escape(initials(name))}</span>'
                f'<span class="tw-cut">{escape(name)}</span></a>'
            )
        return f'{head}{id}">{escape(name)}</a>'

    return show


def _value_shower(
    field: FieldDef, model: Model, language: Language, short: bool
) -> Callable[[Any, ZoneInfo], str]:
    kind = field.type
    if kind == "picklist":
        values = field.picklist.values if field.picklist else ()
        chips = {each.code: chip(label_in(each.labels, language), each.colour) for each in values}
        return lambda value, zone: chips.get(value) or chip(str(value), None)
    if kind == "record_type":
        types = model.objects[field.object].record_types.values() if field.object in model.objects else ()
        names = {name: label_in(each.labels, language) for each in types for name in (each.uid, each.name)}
        return lambda value, zone: f'<span class="tw-tag">{escape(names.get(str(value), str(value)))}</span>'
    if kind == "currency":
        sign, scale = escape(symbol(field.currency)), 2 if field.scale is None else field.scale
        return lambda value, zone: f'<span class="tw-num">{sign}{number_text(value, scale)}</span>'
    if kind == "percent":
        return lambda value, zone: f'<span class="tw-num">{percent_text(value)}</span>'
    if kind in ("integer", "decimal", "revision"):
        scale_of = field.scale if kind == "decimal" else 0
        return lambda value, zone: f'<span class="tw-num">{number_text(value, scale_of)}</span>'
    if kind == "boolean":
        yes = f"{icon('check', 'icon icon-14 tw-up')} {escape(say('pages.form.yes', {}, language))}"
        no = f'<span class="tw-3">{escape(say("pages.form.no", {}, language))}</span>'
        return lambda value, zone: yes if value else no
    if kind == "date":
        return lambda value, zone: f'<span class="tw-num">{_day(value)}</span>'
    if kind == "datetime":
        return lambda value, zone: f'<span class="tw-num">{moment(value, zone):%Y-%m-%d %H:%M}</span>'
    if kind == "email":
        return lambda value, zone: f'<a href="mailto:{escape(value)}">{escape(value)}</a>'
    if kind == "phone":
        return lambda value, zone: _call_link(str(value))
    if kind == "url":
        return lambda value, zone: _link(str(value))
    if kind == "long_text":
        if short:
            return lambda value, zone: f'<span class="tw-cut">{escape(str(value)[:200])}</span>'
        return lambda value, zone: f'<span class="tw-lines-kept">{escape(value)}</span>'
    if kind in ("auto_number", "id"):
        return lambda value, zone: f'<span class="tw-num">{escape(value)}</span>'
    if short:
        return lambda value, zone: f'<span class="tw-cut">{escape(value)}</span>'
    return lambda value, zone: str(escape(value))


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(escape(value))


@lru_cache(maxsize=8192)
def _call_link(value: str) -> str:
    dialled = "".join(each for each in value if each.isdigit() or each == "+")
    return f'<a class="tw-num" href="tel:{dialled}">{escape(phone_text(value))}</a>'


def phone_text(value: str) -> str:
    """An international number in groups, as people read it; anything else as it is."""
    try:
        number = phonenumbers.parse(value)
    except phonenumbers.NumberParseException:
        return value
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _link(value: str) -> str:
    if not value.lower().startswith(("http://", "https://")):
        return str(escape(value))
    shown = value.split("://", 1)[1].rstrip("/")
    return f'<a href="{escape(value)}" rel="noopener noreferrer" target="_blank">{escape(shown)}</a>'
