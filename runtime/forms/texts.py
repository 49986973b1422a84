"""Between values and the texts that stand in a form's inputs.

A form works on texts: what was stored becomes a text, what was typed stays as typed when it is refused.
The rules of a value are the write path's (``runtime.records``); here only what the browser's inputs and a
person's clock and habits add is taken off: grouped digits, a percent sign, CRLF, local time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from msgspec import json

from tabwright.metadata.addresses import Address
from tabwright.metadata.choices import CHOICE_SEPARATOR, codes_in
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef
from tabwright.runtime.forms.marks import moment
from tabwright.runtime.masks import masked
from tabwright.runtime.regions.tree import address_of
from tabwright.runtime.storage.codings import time_text

_grouped = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_wide = {ord("0") + 0xFEE0 + n: ord("0") + n for n in range(10)} | {
    0xFF0E: ord("."),
    0xFF0C: ord(","),
    0xFF05: ord("%"),
    0xFF0D: ord("-"),
    0x2212: ord("-"),
}


def to_text(field: FieldDef, value: Any, zone: ZoneInfo) -> str:
    """The text of a stored value as the field's input takes it; '' for a blank."""
    type = field.type
    if type == "boolean":
        return "true" if value is True or value == "true" else "false"
    if value is None:
        return ""
    if field.mask is not None:
        return str(masked(field, value))
    made = _texts.get(type)
    if made is not None:
        return made(value)
    if value.__class__ is str and type != "datetime":
        return value
    if value.__class__ is Decimal:
        text = f"{value:f}"
        return text.rstrip("0").rstrip(".") if type == "percent" and "." in text else text
    if type == "datetime":
        instant = datetime.fromisoformat(value) if isinstance(value, str) else value
        return moment(instant, zone).replace(tzinfo=None).isoformat(timespec="minutes")
    return str(value)


def _json_lines(value: Any) -> str:
    return str(json.format(str(value), indent=2))


def _choices_text(value: Any) -> str:
    return CHOICE_SEPARATOR.join(codes_in(value) if isinstance(value, str) else value)


def _address_text(value: Any) -> str:
    """The address on one line; as JSON of its parts where a line would not be taken apart into the same."""
    if isinstance(value, dict):
        value = Address(**{name: part or "" for name, part in value.items()})
    return _line_of(value)


@lru_cache(maxsize=1024)
def _line_of(value: Address) -> str:
    line = str(value)
    if address_of(line) == value:
        return line
    parts = {name: part for name, part in value._asdict().items() if part and name != "region_code"}
    return json.encode(parts).decode()


_texts: Mapping[str, Callable[[Any], str]] = {
    "multi_picklist": _choices_text,
    "time": lambda value: value if isinstance(value, str) else time_text(value),
    "json": _json_lines,
    "address": _address_text,
    "geolocation": lambda value: f"{value['lat']}, {value['lng']}" if isinstance(value, dict) else str(value),
}


def to_texts(fields: Iterable[FieldDef], row: Mapping[str, Any], zone: ZoneInfo) -> dict[str, str]:
    """The texts of the given fields of a record, by field name."""
    return {field.name: to_text(field, row.get(field.name), zone) for field in fields}


def to_value(field: FieldDef, text: str, zone: ZoneInfo) -> Any:
    """What the write path is given for a typed text: None for a blank, else a JSON-like value."""
    text = text.strip() if not TYPES[field.type].wide else text
    if text == "":
        return None
    if field.type == "boolean":
        return text == "true"
    if field.is_number:
        text = text.translate(_wide).replace(" ", "")
        if field.type in ("percent", "progress"):
            text = text.removesuffix("%")
        return text.replace(",", "") if _grouped.fullmatch(text) else text
    if field.type == "datetime":
        try:
            local = datetime.fromisoformat(text)
        except ValueError:
            return text
        try:
            return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC).isoformat()
        except OverflowError:  # the write path says what is wrong with it
            return text
    return text


def posted(fields: Iterable[FieldDef], form: Mapping[str, Any]) -> dict[str, str]:
    """The texts that a posted form holds for the given fields; a field that it does not hold is left out.

    ``form`` is a werkzeug ``MultiDict``: of a box and its hidden twin the last one counts.
    """
    texts: dict[str, str] = {}
    for field in fields:
        found = form.getlist(field.name)  # type: ignore[attr-defined]
        if found and TYPES[field.type].many:  # boxes, or one text; a hidden twin is blank
            texts[field.name] = CHOICE_SEPARATOR.join(each for each in found if each)
        elif found:
            texts[field.name] = found[-1].replace("\r\n", "\n").replace("\r", "\n")
    return texts
