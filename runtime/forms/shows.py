"""How a value of each field type looks: HTML in which only our own tags are not escaped.

A maker is called once per field and page; what it gives turns a value that is not blank into HTML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from markupsafe import escape

from tabwright.metadata.choices import codes_in
from tabwright.metadata.model import FieldDef, Model, label_in
from tabwright.platform.language import Language, say
from tabwright.runtime import richtext
from tabwright.runtime.currencies import symbol
from tabwright.runtime.forms import files
from tabwright.runtime.forms.marks import (
    chip,
    icon,
    moment,
    number_text,
    percent_text,
    phone_text,
    qr,
    swatch,
)
from tabwright.runtime.masks import masked
from tabwright.runtime.storage.codings import time_text

ShowValue = Callable[[Any, ZoneInfo], str]
Make = Callable[[FieldDef, Model, Language, bool], ShowValue]  # the last: on one line, for tables


def value_shower(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    """How the values of a field are shown."""
    if field.mask is not None:
        return lambda value, zone: f'<span class="tw-num tw-masked">{escape(masked(field, value))}</span>'
    return _makers.get(field.type, _text)(field, model, language, short)


def _text(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    if short:
        return lambda value, zone: f'<span class="tw-cut">{escape(value)}</span>'
    return lambda value, zone: str(escape(value))


def _lines(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    if field.rich_text and short:
        return lambda value, zone: f'<span class="tw-cut">{escape(richtext.plain(str(value))[:200])}</span>'
    if field.rich_text:
        return lambda value, zone: f'<div class="tw-rich">{richtext.shown(str(value))}</div>'
    if short:
        return lambda value, zone: f'<span class="tw-cut">{escape(str(value)[:200])}</span>'
    return lambda value, zone: f'<span class="tw-lines-kept">{escape(value)}</span>'


def _code(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    return lambda value, zone: f'<span class="tw-num">{escape(value)}</span>'


def _picklist(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    values = field.picklist.values if field.picklist else ()
    chips = {each.code: chip(label_in(each.labels, language), each.colour) for each in values}
    return lambda value, zone: chips.get(value) or chip(str(value), None)


def _choices(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    one = _picklist(field, model, language, short)
    css = "tw-chips is-line" if short else "tw-chips"
    return lambda value, zone: (
        f'<span class="{css}">{" ".join(one(code, zone) for code in codes_in(value))}</span>'
    )


def _time(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    return lambda value, zone: f'<span class="tw-num">{time_text(value)}</span>'


def _rating(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    most = int(field.maximum or 5)

    def show(value: Any, zone: ZoneInfo) -> str:
        full = min(max(int(value), 0), most)
        stars = f"{'★' * full}<i>{'☆' * (most - full)}</i>"
        return f'<span class="tw-stars" role="img" aria-label="{full} / {most}">{stars}</span>'

    return show


def _progress(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    label = escape(label_in(field.labels, language))
    return lambda value, zone: (
        f'<span class="tw-progress"><progress max="100" value="{int(value)}" aria-label="{label}"></progress>'
        f'<span class="tw-num">{int(value)}%</span></span>'
    )


def _colour(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    return lambda value, zone: (
        f'<span class="tw-swatch">{swatch(str(value))}<span class="tw-num">{escape(value)}</span></span>'
    )


def _barcode(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    plain = _code(field, model, language, short)
    if short:
        return plain
    return lambda value, zone: f'<span class="tw-barcode">{qr(str(value))}{plain(value, zone)}</span>'


def _point(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    """Coordinates as a link that opens them on a map; nothing is fetched before somebody follows it."""
    said = escape(say("pages.record.on_map", {}, language))
    pin = icon("map-pin", "icon icon-14")

    def show(value: Any, zone: ZoneInfo) -> str:
        latitude, longitude = value.degrees
        if language == "zh":  # the points are GPS's; the maps of China shift them themselves when told so
            href = f"https://uri.amap.com/marker?position={longitude},{latitude}&amp;coordinate=wgs84"
        else:
            href = f"https://www.openstreetmap.org/?mlat={latitude}&amp;mlon={longitude}&amp;zoom=16"
        return (
            f'<a class="tw-row" href="{href}" target="_blank" rel="noopener noreferrer"'
            f' title="{said}">{pin}'
            f'<span class="tw-num">{escape(value)}</span></a>'
        )

    return show


def _json(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    if short:
        return lambda value, zone: f'<span class="tw-cut tw-mono">{escape(str(value)[:200])}</span>'

    def show(value: Any, zone: ZoneInfo) -> str:
        head = str(value)[:60]
        more = "…" if len(str(value)) > 60 else ""
        lines = msgspec.json.format(str(value), indent=2)
        return (
            f'<details class="tw-json"><summary class="tw-mono">{escape(head)}{more}</summary>'
            f"<pre>{escape(lines)}</pre></details>"
        )

    return show


def _record_type(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    types = model.objects[field.object].record_types.values() if field.object in model.objects else ()
    names = {name: label_in(each.labels, language) for each in types for name in (each.uid, each.name)}
    return lambda value, zone: f'<span class="tw-tag">{escape(names.get(str(value), str(value)))}</span>'


def _currency(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    sign, scale = escape(symbol(field.currency)), 2 if field.scale is None else field.scale
    return lambda value, zone: f'<span class="tw-num">{sign}{number_text(value, scale)}</span>'


def _percent(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    return lambda value, zone: f'<span class="tw-num">{percent_text(value)}</span>'


def _number(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    scale = field.scale if field.type == "decimal" else 0
    return lambda value, zone: f'<span class="tw-num">{number_text(value, scale)}</span>'


def _boolean(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    yes = f"{icon('check', 'icon icon-14 tw-up')} {escape(say('pages.form.yes', {}, language))}"
    no = f'<span class="tw-3">{escape(say("pages.form.no", {}, language))}</span>'
    return lambda value, zone: yes if value else no


def _date(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    return lambda value, zone: f'<span class="tw-num">{_day(value)}</span>'


def _day(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(escape(value))


def _moment(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    return lambda value, zone: f'<span class="tw-num">{moment(value, zone):%Y-%m-%d %H:%M}</span>'


def _email(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    return lambda value, zone: f'<a href="mailto:{escape(value)}">{escape(value)}</a>'


def _phone(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    return lambda value, zone: _call_link(str(value))


@lru_cache(maxsize=8192)
def _call_link(value: str) -> str:
    dialled = "".join(each for each in value if each.isdigit() or each == "+")
    return f'<a class="tw-num" href="tel:{dialled}">{escape(phone_text(value))}</a>'


def _url(field: FieldDef, model: Model, language: Language, short: bool) -> ShowValue:
    return lambda value, zone: _link(str(value))


def _link(value: str) -> str:
    if not value.lower().startswith(("http://", "https://")):
        return str(escape(value))
    shown = value.split("://", 1)[1].rstrip("/")
    return f'<a href="{escape(value)}" rel="noopener noreferrer" target="_blank">{escape(shown)}</a>'


_makers: Mapping[str, Make] = {
    "long_text": _lines,
    "multi_picklist": _choices,
    "geolocation": _point,
    "time": _time,
    "rating": _rating,
    "progress": _progress,
    "colour": _colour,
    "barcode": _barcode,
    "json": _json,
    "integer": _number,
    "decimal": _number,
    "currency": _currency,
    "percent": _percent,
    "boolean": _boolean,
    "date": _date,
    "datetime": _moment,
    "picklist": _picklist,
    "auto_number": _code,
    "email": _email,
    "phone": _phone,
    "url": _url,
    "id": _code,
    "record_type": _record_type,
    "revision": _number,
    "file": files.shower,
    "image": files.shower,
}
