"""What each field type means to formulas and to settings: the part of a type that metadata needs to know.

How a type stands in columns is runtime's business; which options it takes says the schema of fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tabwright.formula import datatypes
from tabwright.formula.datatypes import Type

TEXT_TYPES = frozenset({"text", "email", "phone", "url", "auto_number"})
REFERENCE_TYPES = frozenset({"lookup", "user", "owner"})

# Characters that a value may have at most, where no option says so.
_lengths = {"email": 254, "phone": 32, "url": 2000, "auto_number": 80}
_defaults: Mapping[str, Mapping[str, Any]] = {
    "text": {"max_length": 255},
    "long_text": {"max_length": 32_768},
    "integer": {"precision": 18, "scale": 0},
    "decimal": {"precision": 16, "scale": 2},
    "currency": {"precision": 16, "scale": 2, "currency": "CNY"},
    "percent": {"precision": 16, "scale": 2},
    "lookup": {"on_delete": "set_null"},
    "picklist": {"restricted": True},
    "auto_number": {"start": 1},
    "phone": {"country": "CN"},
}


def options_of(type: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a field with the defaults of its type filled in."""
    return {**_defaults.get(type, {}), **options}


def value_type(type: str, options: Mapping[str, Any], codes: Iterable[str] | None) -> Type:
    """What a formula sees of a field; ``codes`` are a picklist's, None when it is open to others."""
    full = options_of(type, options)
    match type:
        case "text" | "long_text":
            return datatypes.text(full["max_length"])
        case "email" | "phone" | "url" | "auto_number":
            return datatypes.text(_lengths[type])
        case "integer" | "decimal" | "currency" | "percent":
            return datatypes.number(full["scale"], percent=type == "percent")
        case "boolean":
            return datatypes.BOOLEAN
        case "date":
            return datatypes.DATE
        case "datetime":
            return datatypes.DATETIME
        case "picklist" | "record_type":
            return datatypes.picklist(codes)
        case "lookup":
            return datatypes.reference(full["target"])
        case "user" | "owner":
            return datatypes.reference("user")
        case "revision":
            return datatypes.number(0)
    raise ValueError(type)
