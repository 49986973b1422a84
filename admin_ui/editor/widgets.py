"""Which input a part of a document gets: read off the schema nodes that apply to it.

The same answer serves showing (``forms``) and reading (``reading``), so what a form shows it takes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from tabwright.metadata import walk

Widget = Literal[
    "text", "area", "number", "check", "choice", "colour", "icon", "labels", "texts", "formula", "reference",
    "references", "checks", "lines", "rows", "group", "either", "map", "json",
]  # fmt: skip
Nodes = walk.Nodes
LONG = 300  # longer texts get several lines


def widget_of(nodes: Nodes, value: Any, root: walk.Schema) -> Widget:
    """The input for a value that these nodes describe."""
    if walk.mark(nodes, "x-formula") is not None:
        return "formula"
    if walk.mark(nodes, "x-reference") is not None:
        return "reference"
    if walk.mark(nodes, "enum") is not None:
        return "colour" if _is(nodes, "#/$defs/colour") else "choice"
    if _is(nodes, "#/$defs/icon"):
        return "icon"
    if walk.mark(nodes, "x-number-text"):
        return "number"
    match walk.mark(nodes, "type"):
        case "boolean":
            return "check"
        case "integer":
            return "number"
        case "string":
            return "area" if (walk.mark(nodes, "maxLength") or 0) > LONG else "text"
        case "array":
            return _array(nodes, value, root)
        case "object":
            return _object(nodes)
    return "json"


def _array(nodes: Nodes, value: Any, root: walk.Schema) -> Widget:
    if walk.mark(nodes, "prefixItems") is not None:
        return "json"
    # What one more item would be: a string where strings may stand, else an object.
    sample: Any = "" if _is_string(item_nodes(nodes, "", root)) else {}
    item = item_nodes(nodes, sample, root)
    if isinstance(value, list) and any(type(each) is not type(sample) for each in value):
        return "json"
    if walk.mark(item, "enum") is not None:
        return "checks"
    if walk.mark(item, "x-reference") is not None:
        return "references"
    if isinstance(sample, str):
        return "lines" if walk.mark(item, "type") == "string" else "json"
    return "rows" if _properties(item) and walk.mark(item, "type") == "object" else "json"


def _object(nodes: Nodes) -> Widget:
    properties = _properties(nodes)
    if set(properties) == {"zh", "en"}:
        return "texts" if _is(nodes, "#/$defs/texts") else "labels"
    if any("properties" in node for node in nodes):
        return "group"
    return "map" if walk.mark(nodes, "propertyNames") is not None else "json"


def _is(nodes: Nodes, reference: str) -> bool:
    return any(node.get("$ref") == reference for node in nodes)


def _is_string(nodes: Nodes) -> bool:
    return walk.mark(nodes, "type") == "string" or walk.mark(nodes, "enum") is not None


def _properties(nodes: Nodes) -> Mapping[str, Any]:
    return {key: each for node in nodes for key, each in node.get("properties", {}).items()}


def item_nodes(nodes: Nodes, sample: Any, root: walk.Schema) -> Nodes:
    """The nodes of one more item of a list."""
    return walk.child(nodes, 0, sample, root)


def property_names(nodes: Nodes) -> tuple[str, ...]:
    """The properties that the nodes know, in the schema's order."""
    return tuple(_properties(nodes))


def below(nodes: Nodes, key: str, value: Any, root: walk.Schema) -> Nodes | None:
    """The nodes of a property; None where it has no effect here."""
    found = walk.child(nodes, key, value, root)
    return None if any(node.get("not") == {} for node in found) else found


def alternatives(nodes: Nodes) -> tuple[str, ...]:
    """The properties of which exactly one is given (``oneOf`` of ``required``); empty where it is not so."""
    for node in nodes:
        found = [each.get("required", []) for each in node.get("oneOf", ())]
        if len(found) > 1 and all(len(each) == 1 for each in found):
            return tuple(each[0] for each in found)
    return ()


def words_of(value: Any) -> str:
    """An enum's value as a form posts it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def required_in(nodes: Nodes) -> frozenset[str]:
    """The properties that must be given."""
    return frozenset(key for node in nodes for key in node.get("required", ()))


def conditional_keys(root: walk.Schema) -> Iterator[str]:
    """The properties that decide what else applies (``type`` of a field)."""
    for each in root.get("allOf", ()):
        yield from each.get("if", {}).get("properties", {})


def deciding_in(nodes: Nodes) -> frozenset[str]:
    """The same of a part of a document (``returns`` of a formula field)."""
    return frozenset(key for node in nodes for key in conditional_keys(node))
