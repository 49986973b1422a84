"""An object as a JSON Schema: what other tools read in it, and the way back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import referencing
from jsonschema import Draft202012Validator

from models import components
from tabwright.metadata.documents import read
from tabwright.metadata.json_schema import components_from_schema, object_schema
from tabwright.metadata.packages import base_tree, read_package
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Invalid, NotFound

CRM = Path(__file__).parents[2] / "templates" / "crm"
TREE = base_tree().changed(read_package(CRM).components)


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema, registry=referencing.Registry())


def test_every_object_comes_back_as_it_was() -> None:
    for name in [part.removeprefix("object/") for part in TREE.parts if part.startswith("object/")]:
        again = components_from_schema(object_schema(TREE, name))
        assert set(again) == set(TREE.parts[f"object/{name}"].components.values())


def test_other_tools_can_check_a_record() -> None:
    tree = Tree.of(
        components(
            {
                "a": {
                    "name": "text(5) required",
                    "n": "integer",
                    "d": {"type": "decimal", "options": {"precision": 4, "scale": 2, "max": "9.5"}},
                    "stage": "picklist(new,won) required",
                    "free": {"type": "picklist", "options": {"values": [{"code": "x"}], "restricted": False}},
                    "code": {"type": "text", "options": {"pattern": "[A-Z]+"}},
                    "on": "boolean",
                    "up": "lookup(a)",
                    "no": "auto_number(A-{000})",
                }
            }
        )
    )
    schema = object_schema(tree, "a")
    check = validator(schema)
    good = {
        "name": "abc",
        "n": 3,
        "d": 9.5,
        "stage": "new",
        "free": "y",
        "code": "AB",
        "on": True,
        "up": None,
    }
    assert check.is_valid(good)
    for key, value in [
        ("name", "abcdef"), ("name", None), ("n", 1.5), ("n", 10**18), ("d", 9.6), ("d", -100),
        ("stage", "x"), ("stage", None), ("code", "ab"), ("on", None), ("extra", 1),
    ]:  # fmt: skip
        assert not check.is_valid({**good, key: value}), key
    assert schema["properties"]["no"]["readOnly"] and schema["properties"]["up"]["format"] == "uuid"
    assert schema["required"] == ["name", "stage"]


def test_what_is_not_such_a_schema() -> None:
    with pytest.raises(NotFound):
        object_schema(TREE, "nothing")
    with pytest.raises(Invalid):
        components_from_schema({"type": "object"})
    schema = object_schema(TREE, "account")
    schema["properties"]["name"]["x-tabwright-field"]["type"] = "txt"
    with pytest.raises(Invalid) as caught:
        components_from_schema(schema)
    assert caught.value.faults[0].place.component == "field/account.name"


def test_standard_keywords_count_on_the_way_back() -> None:
    schema = object_schema(TREE, "account")
    schema["properties"]["name"]["maxLength"] = 33
    schema["required"] = []
    found = {each.name: each for each in components_from_schema(schema)}
    assert found["account.name"].body["options"] == {"max_length": 33}
    assert "required" not in found["account.name"].body
    assert read(found["account.name"].document) == found["account.name"]
