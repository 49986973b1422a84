"""The OpenAPI 3.1 document for one caller: the objects, fields and operations that this principal may use.

Fixed shapes come from the marshmallow schemas that check them, records from the Model. What may not be read
is not in it, so the document says nothing that describe would not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from tabwright.metadata.model import ObjectDef
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.api.components import COMPONENTS
from tabwright.runtime.api.endpoints import Endpoint
from tabwright.runtime.api.lines import body_schema
from tabwright.runtime.api.reading import Flag, Names, Order_
from tabwright.runtime.api.record_schema import record_schema

_rights = {
    "create_record": "create",
    "update_record": "edit",
    "delete_record": "delete",
}
_everywhere = (400, 401, 404, 503)
_titles = {
    200: "Done", 201: "Made", 202: "Accepted", 204: "Done", 304: "Not modified", 400: "Cannot be read",
    401: "Not signed in", 403: "Not allowed", 404: "Not there, or not to be known", 409: "Conflict",
    412: "If-Match names another revision", 413: "Too large",
    415: "Not JSON", 422: "Invalid",
    429: "Limit reached", 503: "Try again",
}  # fmt: skip


def document(gate: Gate, endpoints: Iterable[Endpoint], version: str) -> dict[str, Any]:
    """The document as JSON-like values."""
    plugin = MarshmallowPlugin(schema_name_resolver=lambda schema: _name_of(schema))
    spec = APISpec(
        title="Tabwright",
        version=version,
        openapi_version="3.1.0",
        plugins=[plugin],
        servers=[{"url": "/api/v1"}],
        security=[{"token": []}],
    )
    plugin.map_to_openapi_type(Order_, "string", None)  # type: ignore[no-untyped-call]
    plugin.map_to_openapi_type(Names, "string", None)  # type: ignore[no-untyped-call]
    plugin.map_to_openapi_type(Flag, "boolean", None)  # type: ignore[no-untyped-call]
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for name, schema in COMPONENTS.items():
        spec.components.schema(name, dict(schema))
    objects = gate.objects()
    for object in objects:
        spec.components.schema(f"Record.{object.name}", record_schema(gate, object))
        spec.components.schema(f"Values.{object.name}", body_schema(gate, object))
        spec.components.schema(f"Page.{object.name}", dict(_page_of(object)))
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        if endpoint.right and not gate.has(endpoint.right):
            continue
        if "{object}" not in endpoint.path:
            paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, None)
            continue
        for object in objects:
            right = _rights.get(endpoint.name)
            if right is not None and not gate.may(object, right):
                continue
            path = endpoint.path.replace("{object}", object.name)
            paths.setdefault(path, {})[endpoint.method.lower()] = _operation(endpoint, object)
    for path, operations in paths.items():
        spec.path(path=path, operations=operations)
    return spec.to_dict()


def _name_of(schema: Any) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return str(kind.__name__)


def _operation(endpoint: Endpoint, object: ObjectDef | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "operationId": endpoint.name if object is None else f"{endpoint.name}.{object.name}",
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "parameters": _parameters(endpoint),
        "responses": _responses(endpoint, object),
    }
    if endpoint.body is not None:
        found["requestBody"] = _body({"$ref": f"#/components/schemas/{endpoint.body.__name__}"}, endpoint)
        found["requestBody"]["content"]["application/json"]["schema"] = endpoint.body
    elif endpoint.takes_json:
        found["requestBody"] = _body(_ref(endpoint.body_schema, object), endpoint)
    elif endpoint.uploads:
        form = {"multipart/form-data": {"schema": _ref(endpoint.uploads, object)}}
        found["requestBody"] = {"required": True, "content": form}
    return found


def _body(schema: Any, endpoint: Endpoint) -> dict[str, Any]:
    return {"required": not endpoint.body_optional, "content": {"application/json": {"schema": schema}}}


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, schema in endpoint.path_schemas.items():
        found.append({"in": "path", "name": name, "required": True, "schema": dict(schema)})
    if endpoint.query is not None:
        found.append({"in": "query", "schema": endpoint.query})
    if endpoint.method == "POST" and endpoint.replays:
        key = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        found.append({"in": "header", "name": "Idempotency-Key", "required": False, "schema": key})
    if 412 in endpoint.problems and endpoint.method in ("PATCH", "DELETE"):
        found.append({"in": "header", "name": "If-Match", "required": False, "schema": {"type": "string"}})
    if 304 in endpoint.answers:
        found.append(
            {"in": "header", "name": "If-None-Match", "required": False, "schema": {"type": "string"}}
        )
    return found


def _responses(endpoint: Endpoint, object: ObjectDef | None) -> dict[str, Any]:
    headers = {
        "X-Tabwright-Release": {"schema": {"type": "string"}},
        "X-Request-Id": {"schema": {"type": "string"}},
    }
    found: dict[str, Any] = {}
    for status, name in endpoint.answers.items():
        answer: dict[str, Any] = {"description": _titles[status], "headers": headers}
        if name:
            answer["content"] = {"application/json": {"schema": _ref(name, object)}}
        elif endpoint.text:
            answer["content"] = {endpoint.text: {"schema": {"type": "string"}}}
        found[str(status)] = answer
    if endpoint.method == "POST" and endpoint.replays and 200 not in endpoint.answers:
        # Where a process died after the effect and before the answer was kept, a retry is told of the effect.
        effect = {"$ref": "#/components/schemas/Effect"}
        found["200"] = {"description": "Done before", "content": {"application/json": {"schema": effect}}}
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    replayed = (409, 422) if endpoint.method == "POST" and endpoint.replays else ()
    for status in sorted({*_everywhere, *endpoint.problems, *replayed, *((403,) if endpoint.right else ())}):
        found[str(status)] = {"description": _titles[status], "content": problem}
    return found


def _ref(name: str, object: ObjectDef | None) -> dict[str, Any]:
    own = name in ("Record", "Values", "Page") and object is not None
    assert object is not None or not own
    return {
        "$ref": f"#/components/schemas/{name}.{object.name}"
        if own and object
        else f"#/components/schemas/{name}"
    }


def _page_of(object: ObjectDef) -> Mapping[str, Any]:
    records = {"type": "array", "items": {"$ref": f"#/components/schemas/Record.{object.name}"}}
    return {
        "type": "object",
        "properties": {
            "records": records,
            "next_cursor": {"type": ["string", "null"]},
            "count": {"type": "integer"},
            "count_is_capped": {"type": "boolean"},
        },
        "required": ["records", "next_cursor"],
    }
