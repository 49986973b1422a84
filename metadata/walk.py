"""Walking a document beside its schema: which parts of the schema apply to which value.

Only what our own schemas use is understood: ``$ref`` into ``$defs``, ``allOf``, ``if/then/else`` on a
constant, a type or the constant of one property, ``properties``, ``additionalProperties``,
``propertyNames``, ``items`` and ``prefixItems``. The document must have passed its check.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
Nodes = tuple[Schema, ...]


def nodes_for(schema: Any, value: Any, root: Schema) -> Nodes:
    """The schema nodes that apply at ``value``, the outermost first."""
    return tuple(_nodes(schema, value, root))


def _nodes(schema: Any, value: Any, root: Schema) -> Iterator[Schema]:
    if not isinstance(schema, dict):
        return
    yield schema
    if "$ref" in schema:
        yield from _nodes(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root)
    for each in schema.get("allOf", ()):
        yield from _nodes(each, value, root)
    if "if" in schema:
        yield from _nodes(schema.get("then" if _matches(schema["if"], value) else "else"), value, root)


def _matches(condition: Schema, value: Any) -> bool:
    if "const" in condition:
        return bool(value == condition["const"])
    if "type" in condition:
        return isinstance(value, str) is (condition["type"] == "string")
    if not isinstance(value, dict):
        return False
    return all(value.get(key) == rule["const"] for key, rule in condition["properties"].items())


def child(nodes: Nodes, key: str | int, value: Any, root: Schema) -> Nodes:
    """The schema nodes that apply to the value under ``key`` of a dict or list that ``nodes`` describe."""
    found: list[Schema] = []
    for node in nodes:
        if isinstance(key, str):
            schema = node.get("properties", {}).get(key, node.get("additionalProperties"))
        else:
            places = node.get("prefixItems", ())
            schema = places[key] if key < len(places) else node.get("items")
        found.extend(_nodes(schema, value, root))
    return tuple(found)


def key_nodes(nodes: Nodes, key: str, root: Schema) -> Nodes:
    """The schema nodes that apply to a key itself (``propertyNames``)."""
    return tuple(each for node in nodes for each in _nodes(node.get("propertyNames"), key, root))


def mark(nodes: Nodes, name: str, otherwise: Any = None) -> Any:
    """The value of a keyword in the first of the nodes that has it."""
    for node in nodes:
        if name in node:
            return node[name]
    return otherwise
