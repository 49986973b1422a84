"""Pointers and values of documents as people read them: "Label › Chinese", "Required: yes"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tabwright.admin_ui.editor import widgets
from tabwright.metadata import schema, walk
from tabwright.metadata.diff import MISSING
from tabwright.metadata.documents import Component
from tabwright.platform.language import Language, say

LONG = 160  # characters of a value


def title_of(component: Component, pointer: str, language: Language) -> str:
    """A property's place in words; steps that the schema has no words for stand as they are."""
    found = []
    for step, nodes in _steps(component, pointer):
        titled = (walk.mark(nodes, "x-title-zh") if language == "zh" else None) or walk.mark(nodes, "title")
        found.append(str(titled or step))
    return " › ".join(found)


def value_in_words(component: Component, pointer: str, value: Any, language: Language) -> str | None:
    """A property's value: the words of an enum, yes and no, a list in short; None for MISSING."""
    if value is MISSING:
        return None
    steps = _steps(component, pointer)
    labels = walk.mark(steps[-1][1], "x-labels", {}) if steps else {}
    if not isinstance(value, dict | list) and widgets.words_of(value) in labels:
        return str(labels[widgets.words_of(value)].get(language))
    if isinstance(value, bool):
        return say("studio.value.yes" if value else "studio.value.no", {}, language)
    if isinstance(value, Mapping) and value and set(value) <= {"zh", "en"}:
        text = " / ".join(str(each) for each in value.values())
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONG else text[: LONG - 1] + "…"


def _steps(component: Component, pointer: str) -> list[tuple[str, walk.Nodes]]:
    """The steps of a pointer with the schema nodes of each; an item of a list goes by its code or place."""
    root = schema.shared_schema_of(component.kind)
    nodes = walk.nodes_for(root, component.document, root)
    here: Any = component.document
    found: list[tuple[str, walk.Nodes]] = []
    for raw in pointer.split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(here, list) and step.isdigit():
            number = int(step)
            here = here[number] if number < len(here) else None
            nodes = walk.child(nodes, number, here, root)
            called = here.get("code") if isinstance(here, Mapping) else None
            found.append((str(called or number + 1), ()))
            continue
        here = here.get(step) if isinstance(here, Mapping) else None
        nodes = walk.child(nodes, step, here, root)
        found.append((step, nodes))
    return found
