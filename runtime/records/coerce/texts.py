"""Text."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from tabwright.metadata.model import FieldDef
from tabwright.runtime import richtext
from tabwright.runtime.records.coerce.common import Convert, Refused, clean


def long(field: FieldDef, zone: str) -> Convert:
    """Several lines; of a rich field the HTML, cleaned."""
    lines = line_or_lines(field, zone)
    if not field.rich_text:
        return lines
    most = field.max_length or 131_072

    def convert(value: Any) -> Any:
        text = clean(value)
        if text is None:
            return None
        if len(text) > 4 * most:  # before it is cleaned
            raise Refused("value.too_long", limit=most, length=len(text))
        return lines(richtext.clean(text))

    return convert


def line_or_lines(field: FieldDef, zone: str) -> Convert:
    most = field.max_length or (131_072 if field.type == "long_text" else 255)
    least = field.min_length or 0
    lines = field.type == "long_text"
    matches = _whole_match(field.pattern) if field.pattern else None
    said = field.pattern_message

    def convert(value: Any) -> Any:
        if type(value) is not str or not value.isascii() or not value.isprintable():
            value = clean(value)
            if value is None:
                return None
            if not lines and "\n" in value:
                raise Refused("value.line_break")
        else:
            value = value.strip()
            if not value:
                return None
        if len(value) > most:
            raise Refused("value.too_long", limit=most, length=len(value))
        if len(value) < least:
            raise Refused("value.too_short", limit=least, length=len(value))
        if matches is not None and not matches(value):
            raise Refused("value.pattern_said", said=said) if said else Refused("value.pattern")
        return value

    return convert


@cache
def _re2() -> Any:
    import re2

    return re2


@lru_cache(maxsize=512)
def _whole_match(pattern: str) -> Callable[[str], Any]:
    engine = _re2()
    options = engine.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    matched: Callable[[str], Any] = engine.compile(pattern, options=options).fullmatch
    return matched
