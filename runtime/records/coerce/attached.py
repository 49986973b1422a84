"""Files: by their ids, in any of the forms in which callers name them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from tabwright.metadata.model import FieldDef
from tabwright.runtime.filing.refs import Named
from tabwright.runtime.records.coerce.common import Convert, Refused


def files(field: FieldDef, zone: str) -> Convert:
    """A list of ids, of objects with an id (as the API answers), or the text that a form holds."""
    most = field.max_items or 1

    def convert(value: Any) -> Any:
        if isinstance(value, str):
            value = _listed(value)
        elif isinstance(value, Mapping | UUID):
            value = [value]
        if not isinstance(value, list | tuple) or len(value) > 1_000:
            raise Refused("value.not_files")
        ids = dict.fromkeys(map(_id_of, value))
        if len(ids) > most:
            raise Refused("file.too_many", limit=most)
        return Named(ids) if ids else None

    return convert


def _listed(text: str) -> list[Any]:
    if text.lstrip().startswith("["):
        try:
            return list(msgspec.json.decode(text, type=list[Any]))
        except (msgspec.DecodeError, RecursionError):
            raise Refused("value.not_files") from None
    return [each for part in text.replace("；", ";").split(";") if (each := part.strip())]


def _id_of(given: Any) -> UUID:
    if isinstance(given, Mapping):
        given = given.get("id")
    elif isinstance(given, list | tuple) and given:
        given = given[0]
    if isinstance(given, UUID):
        return given
    try:
        if isinstance(given, str) and len(given) in (32, 36):
            return UUID(given)
    except ValueError:
        pass
    raise Refused("value.not_files")
