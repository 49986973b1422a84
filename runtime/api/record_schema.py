"""What a caller may know of an object: its description, and the JSON Schemas of its records on the wire."""

from __future__ import annotations

from typing import Any

from tabwright.metadata.addresses import PARTS
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.json_schema import PATTERNS
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.runtime.access.gate import Gate

ID = {"type": "string", "pattern": "^[0-9a-f]{32}$"}
FILE_REF = {
    "type": "object",
    "properties": {
        "id": ID,
        "name": {"type": "string"},
        "type": {"type": "string"},
        "size": {"type": "integer"},
    },
    "required": ["id", "name", "type", "size"],
}
_MOMENT = {"type": "string", "format": "date-time"}


def read_schema(field: FieldDef) -> dict[str, Any]:
    """The JSON Schema of a field's value in an answer."""
    if field.name == "id" and field.system:
        return dict(ID)
    found: dict[str, Any]
    if TYPES[field.type].whole or field.type == "revision":
        found = {"type": "integer"}
    elif field.is_number:
        found = {"type": "number"}
    elif TYPES[field.type].many:
        found = {"type": "array", "items": {"type": "string"}}
    elif field.holds_files:
        found = {"type": "array", "items": FILE_REF}
    elif field.type == "json":
        return {"type": ["object", "array", "null"], "title": _title(field)}
    elif field.type in PATTERNS:
        found = {"type": "string", "pattern": PATTERNS[field.type]}
    elif field.type == "boolean":
        found = {"type": "boolean"}
    elif field.type == "date":
        found = {"type": "string", "format": "date"}
    elif field.type == "datetime":
        found = dict(_MOMENT)
    elif field.type == "address":
        return {
            "type": ["object", "null"],
            "properties": {name: {"type": ["string", "null"]} for name in PARTS},
            "required": list(PARTS),
            "title": _title(field),
        }
    elif field.type == "geolocation":
        both = {"lat": {"type": "number"}, "lng": {"type": "number"}}
        return {
            "type": ["object", "null"],
            "properties": both,
            "required": ["lat", "lng"],
            "title": _title(field),
        }
    elif field.kinds:
        return {
            "type": ["object", "null"],
            "properties": {"object": {"type": ["string", "null"]}, "id": dict(ID)},
            "required": ["object", "id"],
            "title": _title(field),
        }
    elif field.is_reference or field.type == "id":
        found = dict(ID)
    else:
        found = {"type": "string"}
    found["type"] = [found["type"], "null"]
    return {**found, "title": _title(field)}


def _title(field: FieldDef) -> str:
    return field.labels.get("en") or next(iter(field.labels.values()))


def write_schema(field: FieldDef) -> dict[str, Any]:
    """The JSON Schema of a value that may be given: what is sure to be taken, rules apart."""
    found: dict[str, Any] = {"title": _title(field)}
    if TYPES[field.type].whole:
        found["type"] = ["integer", "string", "null"]
    elif field.is_number:
        found["type"] = ["number", "string", "null"]
    elif field.type == "boolean":
        found["type"] = ["boolean", "string", "null"]
    elif TYPES[field.type].many:
        found["type"] = ["array", "string", "null"]
        found["items"] = {"type": "string"}
    elif field.type == "address":
        found["type"] = ["object", "string", "null"]
    elif field.type == "geolocation":
        found["type"] = ["object", "array", "string", "null"]
    elif field.kinds:
        found["type"] = ["object", "string", "null"]
        found["properties"] = {"object": {"type": "string"}, "id": {"type": "string"}}
    elif field.holds_files:
        found["type"] = ["array", "string", "null"]
        found["items"] = {"anyOf": [ID, {"type": "object", "properties": {"id": ID}, "required": ["id"]}]}
        found["maxItems"] = field.max_items
    elif field.type == "json":
        found["type"] = ["object", "array", "string", "null"]
    else:
        found["type"] = ["string", "null"]
        if field.max_length is not None:
            found["maxLength"] = field.max_length
    return found


def record_schema(gate: Gate, object: ObjectDef) -> dict[str, Any]:
    """A record in an answer: the readable fields, and paths over lookups where they were asked for."""
    readable = gate.readable(object)
    return {
        "type": "object",
        "title": object.labels.get("en") or object.name,
        "properties": {field.name: read_schema(field) for field in readable},
        "required": ["id"],
        "additionalProperties": True,
    }


def values_schema(gate: Gate, object: ObjectDef) -> dict[str, Any]:
    """The values that may be sent to make or change a record."""
    return {
        "type": "object",
        "properties": {field.name: write_schema(field) for field in gate.editable(object)},
        "additionalProperties": False,
    }


def describe(gate: Gate, object: ObjectDef) -> dict[str, Any]:
    """The object as this caller may know it; hidden fields are not there."""
    return {
        "name": object.name,
        "label": dict(object.labels),
        "plural": dict(object.plural),
        "icon": object.icon,
        "colour": object.colour,
        "name_field": object.name_field if gate.find(object, object.name_field) else None,
        "operations": gate.operations(object),
        "record_types": [
            {"name": each.name, "label": dict(each.labels)} for each in gate.record_types(object)
        ],
        "fields": [_field(gate, object, field) for field in gate.readable(object)],
        "json_schema": {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **record_schema(gate, object),
        },
    }


def _field(gate: Gate, object: ObjectDef, field: FieldDef) -> dict[str, Any]:
    target = gate.model.objects.get(field.target) if field.target else None
    found: dict[str, Any] = {
        "name": field.name,
        "label": dict(field.labels),
        "type": field.type,
        "system": field.system,
        "editable": gate.can_edit(field),
        "required": field.required,
        "unique": field.unique,
        "external_key": field.external_key,
        "read_only": field.read_only,
        "sortable": _sortable(object, field),
    }
    if field.help:
        found["help"] = dict(field.help)
    for name in (
        "max_length",
        "precision",
        "scale",
        "minimum",
        "maximum",
        "max_items",
        "max_size",
        "currency",
        "mask",
    ):
        value = getattr(field, name)
        if value is not None:
            found[name] = value
    if field.accept or field.extensions:
        found |= {"accept": list(field.accept), "extensions": list(field.extensions)}
    if field.picklist is not None:
        found["values"] = [
            {"code": value.code, "label": dict(value.labels), "active": value.active, "colour": value.colour}
            for value in field.picklist.values
        ]
    if field.controlled_by is not None and gate.find(object, field.controlled_by) is not None:
        found["controlled_by"] = field.controlled_by
        found["matrix"] = {code: sorted(allowed) for code, allowed in field.matrix.items()}
    if target is not None and gate.may(target, "read"):
        found["target"] = target.name
    if field.kinds:
        known = (gate.model.objects[name] for name in field.targets if name in gate.model.objects)
        found["targets"] = [each.name for each in known if gate.may(each, "read")]
    return found


def _sortable(object: ObjectDef, field: FieldDef) -> bool:
    sorts = TYPES[field.type].sorts
    if not field.is_stored:
        return field.in_database and sorts != "no"
    if sorts == "key":
        return field.sortable or field.name == object.name_field
    return sorts != "no"
