"""The types of fields as people look for them: groups, plain words, icons. Types come from the schema.

``field_types.json`` says how a type is shown; one that is not in it still stands in the picker, by the words
of its schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tabwright.admin_ui.names import finding
from tabwright.metadata import schema
from tabwright.platform.language import Language

_OTHERS = "more"


@dataclass(frozen=True, slots=True)
class TypeCard:
    """One type in the picker."""

    name: str
    label: str
    example: str
    icon: str
    colour: str
    find: str


@dataclass(frozen=True, slots=True)
class TypeGroup:
    label: str
    cards: tuple[TypeCard, ...]


@cache
def _shown() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("field_types.json").read_text("utf-8"))
    return found


@cache
def cards(language: Language) -> Mapping[str, TypeCard]:
    """Every type of the field schema, in its order."""
    known = schema.shared_schema_of("field")
    kind = known["properties"]["type"]
    described = known.get("x-type-descriptions", {})
    made = {}
    for name in kind["enum"]:
        look = _shown()["types"].get(name, {})
        labels = kind.get("x-labels", {}).get(name, {})
        label = labels.get(language) or labels.get("en") or name
        example = look.get(language) or described.get(name, {}).get(language, "")
        words = finding(*labels.values(), name, example, look.get("find", ""))
        made[name] = TypeCard(
            name, label, example, look.get("icon", "forms"), look.get("colour", "grey"), words
        )
    return made


@cache
def groups(language: Language) -> tuple[TypeGroup, ...]:
    """The picker: groups of types, empty ones left out."""
    every, looks = cards(language), _shown()["types"]
    found = []
    for group in _shown()["groups"]:
        inside = [
            card for name, card in every.items() if looks.get(name, {}).get("group", _OTHERS) == group["key"]
        ]
        if inside:
            found.append(TypeGroup(group[language], tuple(inside)))
    return tuple(found)


def card_of(type: str, language: Language) -> TypeCard:
    """How a field's type is shown; system fields have types of their own."""
    found = cards(language).get(type)
    return found or TypeCard(type, type, "", "settings", "grey", type)
