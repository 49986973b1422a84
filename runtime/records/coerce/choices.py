"""Choices: of a picklist, of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tabwright.metadata.choices import CHOICE_SEPARATOR, joined
from tabwright.metadata.links import Link
from tabwright.metadata.model import FieldDef
from tabwright.runtime.records.coerce.common import Convert, Refused, clean

MOST_CHOICES = 1_000
MOST_FREE_CODE = 255  # of a picklist that takes other values


def one_of(field: FieldDef, zone: str) -> Convert:
    picklist = field.picklist
    codes = {value.code: value.code for value in picklist.values} if picklist is not None else {}
    restricted = picklist is None or picklist.restricted
    find = codes.get

    def convert(value: Any) -> Any:
        found = find(value) if type(value) is str else None
        if found is not None:
            return found
        text = clean(value)
        if text is None or text in codes:
            return text
        if restricted:
            raise Refused("value.not_in_list", value=text[:80])
        if len(text) > MOST_FREE_CODE or "\n" in text:
            raise Refused("value.too_long", limit=MOST_FREE_CODE, length=len(text))
        return text

    return convert


def several_of(field: FieldDef, zone: str) -> Convert:
    """Codes from a list, or from a text with semicolons; in the admin's order, each once."""
    picklist = field.picklist
    places = {each.code: n for n, each in enumerate(picklist.values)} if picklist is not None else {}
    restricted = picklist is None or picklist.restricted
    most, last = field.max_items, len(places)

    def code_of(value: Any) -> str | None:
        text = clean(value)
        if text is None or text in places:
            return text
        if restricted:
            raise Refused("value.not_in_list", value=text[:80])
        if len(text) > MOST_FREE_CODE or "\n" in text:
            raise Refused("value.too_long", limit=MOST_FREE_CODE, length=len(text))
        if CHOICE_SEPARATOR in text:
            raise Refused("value.choice_separator", value=text[:80])
        return text

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            value = value.replace("；", CHOICE_SEPARATOR).split(CHOICE_SEPARATOR)
        if not isinstance(value, list | tuple):
            raise Refused("value.not_choices")
        if len(value) > MOST_CHOICES:
            raise Refused("value.too_many_choices", limit=MOST_CHOICES)
        codes = dict.fromkeys(code for each in value if (code := code_of(each)) is not None)
        if most is not None and len(codes) > most:
            raise Refused("value.too_many_choices", limit=most)
        # What is not in the list comes behind it, in its own order.
        return joined(sorted(codes, key=lambda code: (places.get(code, last), code))) if codes else None

    return convert


def link(field: FieldDef, zone: str) -> Convert:
    """A record of one of the field's objects: ``{"object": ..., "id": ...}``, or the id alone.

    An id alone is unique over all objects; which kind it is of is found where it is looked for.
    """
    kinds = {name: uid for uid, name in field.kinds.items()}
    plain = reference(field, zone)

    def convert(value: Any) -> Any:
        if isinstance(value, Link):
            return value
        name: Any = None
        if isinstance(value, Mapping):
            name = value.get("object")
        elif isinstance(value, str) and ":" in value:
            name, _, value = value.partition(":")
        found = plain(value)
        if found is None or name is None:
            return found
        kind = kinds.get(name.strip().lower()) if isinstance(name, str) else None
        if kind is None:
            raise Refused("value.not_a_target", object=str(name)[:80])
        return Link(kind, found)

    return convert


def reference(field: FieldDef, zone: str) -> Convert:
    def convert(value: Any) -> Any:
        if type(value) is UUID:
            return value
        if isinstance(value, Mapping) and "id" in value:
            value = value["id"]
        if isinstance(value, bytes) and len(value) == 16:
            return UUID(bytes=value)
        if isinstance(value, UUID):
            return value
        if value is None:
            return None
        if isinstance(value, str):
            text = value.strip()
            if not text:
                return None
            if len(text) in (32, 36):
                try:
                    return UUID(text)
                except ValueError:
                    pass
        raise Refused("value.not_id")

    return convert
