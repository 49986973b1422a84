"""The kinds of components, each described by a JSON Schema, and the check of a document against its kind.

A file ``schemas/<kind>.schema.json`` says what is particular to a kind; what all kinds share (uid, name,
label...) stands once, in ``schemas/common.json``. ``schema_of`` puts the two together into one closed
schema (draft 2020-12) that needs nothing from outside: every validator gets an empty registry.

Marks of our own: ``x-reference`` (the value names a component), ``x-within`` (in which object a local name
is looked up), ``x-formula`` and ``x-scope`` (the value is a formula), ``x-set`` (order means nothing),
``x-number-text`` (an exact number as text), ``x-faults`` (the code to give in place of the general one),
``x-labels`` (labels of an enum's values), ``x-title-zh`` and ``x-description-zh``.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import referencing
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from tabwright.platform.errors import Fault, Place
from tabwright.platform.language import register_messages

register_messages(Path(__file__).with_name("messages.json"))

Schema = dict[str, Any]

# The order in which kinds are listed, and in which a package is read: what others name comes first.
_kinds = (
    "picklist", "calendar", "custom_label", "object", "field", "record_type", "layout", "list_view",
    "validation_rule", "unique_rule", "sharing_rule", "restriction_rule", "tab", "app", "permission_set",
    "permission_set_group",
)  # fmt: skip
_folder = Path(__file__).parent / "schemas"


def kinds() -> tuple[str, ...]:
    """The names of all kinds, what others name first."""
    return _kinds


@cache
def _loaded(kind: str) -> Schema:
    if kind not in _kinds:
        raise KeyError(kind)
    common: Schema = json.loads((_folder / "common.json").read_text("utf-8"))
    schema: Schema = json.loads((_folder / f"{kind}.schema.json").read_text("utf-8"))
    name = {"$ref": "#/$defs/part_name" if "x-part-of" in schema else "#/$defs/name"}
    envelope = common["envelope"]["properties"]
    envelope["kind"]["const"] = kind
    envelope["name"] |= name
    envelope["aliases"]["items"] = name
    schema["required"] = common["envelope"]["required"] + schema["required"]
    schema["properties"] = envelope | schema["properties"]
    schema["$defs"] = common["$defs"] | schema.get("$defs", {})
    return schema


def schema_of(kind: str) -> Schema:
    """The whole JSON Schema of a kind, a copy of the caller's own. Raises KeyError for an unknown kind."""
    return deepcopy(_loaded(kind))


def shared_schema_of(kind: str) -> Schema:
    """As ``schema_of``, without the copy: for readers that change nothing."""
    return _loaded(kind)


def is_part_of_object(kind: str) -> bool:
    """Whether components of this kind belong to an object and are named ``object.name``."""
    return "x-part-of" in _loaded(kind)


# ---- the check ------------------------------------------------------------------------------------


@cache
def _whole(pattern: str) -> re.Pattern[str]:
    # Python's $ also matches before a last line break; JSON Schema's does not.
    return re.compile(pattern[:-1] + r"\Z" if pattern.endswith("$") else pattern)


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _whole(pattern).search(instance):
        yield ValidationError("pattern")


def _required(validator: Any, names: list[str], instance: Any, schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, dict):
        for name in names:
            if name not in instance:
                yield ValidationError("required", path=(name,), validator_value=name)


def _closed(validator: Any, rule: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(instance, dict):
        return
    for name, value in instance.items():
        if name not in schema.get("properties", {}):
            if rule is False:
                yield ValidationError("unknown", path=(name,), validator_value=name)
            else:
                yield from validator.descend(value, rule, path=name)


_Validator: Any = extend(
    Draft202012Validator, {"pattern": _pattern, "required": _required, "additionalProperties": _closed}
)


@cache
def _validator(kind: str) -> Any:
    schema = _loaded(kind)
    Draft202012Validator.check_schema(schema)
    return _Validator(schema, registry=referencing.Registry())


def pointer_of(path: Any) -> str:
    """A JSON pointer (RFC 6901) from the steps of a path."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def check_schema(kind: str, document: Mapping[str, Any], component: str) -> list[Fault]:
    """All faults of a document against the schema of its kind; each with its JSON pointer.

    ``component`` is what the faults call the document ("field/opportunity.amount").
    """
    if kind not in _kinds:
        place = Place(component=component, pointer="/kind")
        return [Fault("document.unknown_kind", {"kind": _shown(kind), "hint": _hint(kind, _kinds)}, place)]
    found: dict[tuple[str, str], Fault] = {}
    for error in _validator(kind).iter_errors(document):
        fault = _translate(error, component)
        found.setdefault((fault.code, fault.place.pointer or ""), fault)
    return sorted(found.values(), key=lambda fault: (fault.place.pointer or "", fault.code))


_general = {
    "additionalProperties": "document.unknown_key",
    "required": "document.missing",
    "type": "document.wrong_type",
    "enum": "document.not_allowed",
    "const": "document.not_allowed",
    "minLength": "document.too_short",
    "maxLength": "document.too_long",
    "minimum": "document.too_small",
    "maximum": "document.too_large",
    "minItems": "document.too_few",
    "maxItems": "document.too_many",
    "minProperties": "document.too_few",
    "uniqueItems": "document.repeated",
    "dependentRequired": "document.needs_another",
    "items": "document.too_many",
    "pattern": "document.bad_form",
    "oneOf": "document.not_one_of",
    "not": "document.not_allowed",
}
_type_words: dict[str, str] = {
    "object": "{...}", "array": "[...]", "string": '"..."', "integer": "1, 2...", "boolean": "true / false",
}  # fmt: skip


def _translate(error: ValidationError, component: str) -> Fault:
    place = Place(component=component, pointer=pointer_of(error.absolute_path))
    keyword = error.validator
    overrides = error.schema.get("x-faults", {}) if isinstance(error.schema, Mapping) else {}
    code = overrides.get(keyword) or _general.get(str(keyword), "document.refused")
    params = _params(str(keyword), error)
    if code == "document.no_effect":
        params = {"key": _shown(error.absolute_path[-1])}
    return Fault(code, params, place)


def _params(keyword: str, error: ValidationError) -> dict[str, Any]:
    value, limit = error.instance, error.validator_value
    if keyword == "additionalProperties":
        known = error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {}
        return {"key": _shown(limit), "hint": _hint(str(limit), known)}
    if keyword == "required":
        return {"key": str(limit)}
    if keyword == "type":
        wanted: list[Any] = limit if isinstance(limit, list) else [limit]
        return {
            "value": _shown(value),
            "expected": " / ".join(_type_words.get(str(each), str(each)) for each in wanted),
        }
    if keyword in ("enum", "const"):
        allowed = limit if isinstance(limit, list) else [limit]
        return {
            "value": _shown(value),
            "allowed": ", ".join(_shown(each) for each in allowed),
            "hint": _hint(str(value), [str(each) for each in allowed]),
        }
    if keyword == "dependentRequired":
        return {"keys": ", ".join(sorted({each for some in limit.values() for each in some}))}
    shown = {"value": _shown(value)}
    if isinstance(limit, int | str):
        shown["limit"] = str(limit)
    elif keyword == "items":
        shown["limit"] = (
            str(len(error.schema.get("prefixItems", ()))) if isinstance(error.schema, Mapping) else ""
        )
    return shown


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else text[:57] + "..."


def _hint(word: str, known: Any) -> str:
    return ", ".join(difflib.get_close_matches(word, list(known), n=3))


@cache
def _name_pattern() -> tuple[re.Pattern[str], frozenset[str]]:
    name = _loaded("picklist")["$defs"]["name"]
    return _whole(name["pattern"]), frozenset(name["not"]["enum"])


def is_name(text: str) -> bool:
    """Whether a text may name a component that belongs to no object."""
    pattern, reserved = _name_pattern()
    return bool(pattern.search(text)) and text not in reserved
