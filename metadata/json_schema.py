"""An object as a JSON Schema (2020-12) of its records, and back.

Other tools read the standard keywords: types, formats, ``maxLength``, ``enum``, ``required``. What they
cannot say stands in words of our own: ``x-tabwright-object``, ``x-tabwright-field`` and
``x-tabwright-parts``. Going back, ``required``, ``readOnly`` and ``maxLength`` are taken from the standard
keywords and everything else from ours, so that document -> schema -> document changes nothing (a law).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from tabwright.metadata import fieldtypes
from tabwright.metadata.addresses import LONGEST
from tabwright.metadata.documents import Component, read
from tabwright.metadata.model import label_in
from tabwright.metadata.tree import Tree
from tabwright.metadata.world import FieldSource, World
from tabwright.platform.errors import Invalid, NotFound, Place

Schema = dict[str, Any]

_dialect = "https://json-schema.org/draft/2020-12/schema"
_formats = {
    "email": "email",
    "url": "uri",
    "date": "date",
    "datetime": "date-time",
    "lookup": "uuid",
    "master_detail": "uuid",
    "user": "uuid",
}
PATTERNS: Mapping[str, str] = {
    "time": r"^\d\d:\d\d(:\d\d(\.\d{3})?)?$",
    "colour": "^#[0-9a-f]{6}$",
}
# Of a field's document: said by standard keywords.
_standard_keys = frozenset({"kind", "name", "required", "read_only"})


def object_schema(tree: Tree, name: str) -> Schema:
    """The schema of an object's records, with everything that belongs to the object. Raises NotFound."""
    component = tree.get("object", name)
    if component is None:
        raise NotFound.of(
            "component.not_found", Place(component=f"object/{name}"[:160]), kind="object", name=name
        )
    parts = tree.parts_of_object(name)
    fields = sorted((each for each in parts if each.kind == "field"), key=lambda each: each.uid)
    made: Schema = {
        "$schema": _dialect,
        "$id": f"urn:tabwright:object:{name}",
        "title": label_in(component.body["label"], "en"),
        "type": "object",
        "additionalProperties": False,
        "properties": {each.local: _property(each, tree) for each in fields},
        "required": [each.local for each in fields if each.body.get("required")],
        "x-tabwright-object": {"uid": component.uid, "name": name, **component.body},
    }
    others: dict[str, dict[str, Any]] = {}
    for each in parts:
        if each.kind != "field":
            others.setdefault(each.kind, {})[each.local] = {"uid": each.uid, **each.body}
    if others:
        made["x-tabwright-parts"] = others
    return made


def _property(field: Component, tree: Tree) -> Schema:
    body = field.body
    options = dict(body.get("options", {}))
    source = World(tree).settled(FieldSource.of(field)) if body["type"] in fieldtypes.COMPUTED else None
    type, shown = (body["type"], options) if source is None else (source.type, source.options)
    made = value_schema(type, fieldtypes.options_of(type, shown), _codes(shown, tree))
    if not body.get("required") and type != "boolean":
        kinds = made["type"] if isinstance(made["type"], list) else [made["type"]]
        made["type"] = [*kinds, "null"]
        if "enum" in made:
            made["enum"] = [*made["enum"], None]
    made["title"] = label_in(body["label"], "en")
    if "help" in body:
        made["description"] = label_in(body["help"], "en")
    if body.get("read_only") or type == "auto_number" or source is not None:
        made["readOnly"] = True
    own = {key: value for key, value in body.items() if key not in _standard_keys}
    if source is None:
        options.pop("max_length", None)
    own.pop("options", None)
    made["x-tabwright-field"] = {"uid": field.uid, **own, **({"options": options} if options else {})}
    return made


def _codes(options: Mapping[str, Any], tree: Tree) -> list[str] | None:
    if not options.get("restricted", True):
        return None
    values = options.get("values")
    if values is None and "global" in options:
        shared = tree.get("picklist", options["global"])
        values = shared.body["values"] if shared else None
    return None if values is None else [value["code"] for value in values]


def value_schema(type: str, options: Mapping[str, Any], codes: Iterable[str] | None = None) -> Schema:
    """The standard keywords for a value of a field type, blank left out. ``options`` have their defaults."""
    match type:
        case "boolean":
            return {"type": "boolean"}
        case "integer":
            return {"type": "integer", **_bounds(options)}
        case "rating":
            return {"type": "integer", "minimum": 1, "maximum": options["max"]}
        case "progress":
            return {"type": "integer", "minimum": 0, "maximum": 100}
        case "multi_picklist":
            items: Schema = {"type": "string"} if codes is None else {"enum": list(codes)}
            most = {"maxItems": options["max_items"]} if "max_items" in options else {}
            return {"type": "array", "items": items, "uniqueItems": True, **most}
        case "address":
            kinds = {name: {"type": ["string", "null"], "maxLength": most} for name, most in LONGEST.items()}
            return {"type": "object", "properties": kinds}
        case "geolocation":
            return {
                "type": "object",
                "properties": {
                    "lat": {"type": "number", "minimum": -90, "maximum": 90},
                    "lng": {"type": "number", "minimum": -180, "maximum": 180},
                },
                "required": ["lat", "lng"],
            }
        case "polymorphic":
            return {
                "type": "object",
                "properties": {
                    "object": {"enum": list(options["targets"])},
                    "id": {"type": "string", "format": "uuid"},
                },
                "required": ["object", "id"],
            }
        case "file" | "image":
            return {"type": "array", "items": {"type": "object"}, "maxItems": options["max_items"]}
        case "json":
            return {"type": ["object", "array"], "maxLength": options["max_length"]}
        case "decimal" | "currency" | "percent":
            return {"type": "number", **_bounds(options)}
    made: Schema = {"type": "string"}
    if type in _formats:
        made["format"] = _formats[type]
    if "max_length" in options:
        made["maxLength"] = options["max_length"]
    if "min_length" in options:
        made["minLength"] = options["min_length"]
    if type in PATTERNS:
        made["pattern"] = PATTERNS[type]
    if type == "text" and "pattern" in options:
        made["pattern"] = f"^(?:{options['pattern']})$"
    if type == "picklist" and codes is not None:
        made["enum"] = list(codes)
    return made


def _bounds(options: Mapping[str, Any]) -> Schema:
    """The smallest and the largest value: the options', else what the digits allow."""
    most = Decimal(10) ** (options.get("precision", 18) - options.get("scale", 0))
    least = options.get("min")
    largest = options.get("max")
    made: Schema = {"minimum": _number(least)} if least is not None else {"exclusiveMinimum": _number(-most)}
    return made | (
        {"maximum": _number(largest)} if largest is not None else {"exclusiveMaximum": _number(most)}
    )


def _number(value: str | Decimal) -> int | float:
    exact = Decimal(value)
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def components_from_schema(schema: Mapping[str, Any]) -> tuple[Component, ...]:
    """The components that a schema made by ``object_schema`` describes.

    Raises Invalid for a schema that is not of an object, and with every fault of the documents in it.
    """
    about, properties = _part(schema, "x-tabwright-object"), _part(schema, "properties")
    name = about.get("name")
    made: list[dict[str, Any]] = [{"kind": "object", **about}]
    required = schema.get("required", [])
    for local, property in properties.items():
        made.append(_field_document(f"{name}.{local}", property, local in required))
    for kind, parts in schema.get("x-tabwright-parts", {}).items():
        made += [{"kind": kind, "name": f"{name}.{local}", **body} for local, body in parts.items()]
    return tuple(read(each) for each in made)


def _part(schema: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = schema.get(key)
    if not isinstance(found, Mapping):
        raise Invalid.of("schema.not_an_object", Place(pointer=f"/{key}"), key=key)
    return found


def _field_document(name: str, property: Mapping[str, Any], required: bool) -> dict[str, Any]:
    own = dict(_part(property, "x-tabwright-field"))
    options = dict(own.pop("options", {}))
    computed = own.get("type") in fieldtypes.COMPUTED
    if "maxLength" in property and not computed:
        options["max_length"] = property["maxLength"]
    if options:
        own["options"] = options
    if required:
        own["required"] = True
    if property.get("readOnly") and own.get("type") != "auto_number" and not computed:
        own["read_only"] = True
    return {"kind": "field", "name": name, **own}
