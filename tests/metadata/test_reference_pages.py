"""The schemas are good enough to build pages from, and the reference pages are what they say."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tabwright.metadata import fieldtypes, limits, schema
from tabwright.metadata.model import type_names

ROOT = Path(__file__).parents[2]
PAGES = ROOT / "docs" / "reference"


def settings(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every named setting of a schema with its path."""
    if isinstance(node, dict):
        for key, inner in node.get("properties", {}).items():
            if not path.endswith(("/if", "/then")):
                yield f"{path}/{key}", inner
            yield from settings(inner, f"{path}/{key}")
        for key, inner in node.items():
            if key != "properties":
                yield from settings(inner, f"{path}/{key}")
    elif isinstance(node, list):
        for inner in node:
            yield from settings(inner, path)


@pytest.mark.parametrize("kind", schema.kinds())
def test_every_setting_says_in_both_languages_what_it_is(kind: str) -> None:
    root = schema.schema_of(kind)
    for path, node in [("", root), *settings(root)]:
        for word in ("title", "x-title-zh", "description", "x-description-zh"):
            assert node.get(word), (path, word)
        assert node["x-title-zh"] != node["title"]


@pytest.mark.parametrize("kind", schema.kinds())
def test_every_choice_has_labels(kind: str) -> None:
    def look(node: Any) -> None:
        if isinstance(node, dict):
            choices = node.get("enum")
            if isinstance(choices, list) and "not" not in node and "x-labels" in node:
                named = {str(each).lower() if isinstance(each, bool) else each for each in choices}
                assert set(node["x-labels"]) == named
                assert all({"zh", "en"} == set(each) for each in node["x-labels"].values())
            for key, inner in node.items():
                if key == "properties":
                    for each in inner.values():
                        assert "enum" not in each or "x-labels" in each
                look(inner)
        elif isinstance(node, list):
            for inner in node:
                look(inner)

    look(schema.schema_of(kind))


@pytest.mark.parametrize("kind", schema.kinds())
def test_schemas_are_closed(kind: str) -> None:
    def look(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("type") == "object" and "properties" in node:
                assert node["additionalProperties"] is False
            for inner in node.values():
                look(inner)
        elif isinstance(node, list):
            for inner in node:
                look(inner)

    look(schema.schema_of(kind))


def test_the_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "tools/make_reference", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_pages_are_complete() -> None:
    for language in ("zh", "en"):
        kinds = (PAGES / f"kinds.{language}.md").read_text("utf-8")
        types = (PAGES / f"field-types.{language}.md").read_text("utf-8")
        for kind in schema.kinds():
            section = kinds.partition(f"`{kind}`\n")[2].partition("\n## ")[0]
            shared = kinds.partition("\n## ")[2].partition("\n## ")[0]
            for name in schema.schema_of(kind)["properties"]:
                assert f"| `{name}` |" in section or f"| `{name}` |" in shared, (kind, name)
        for type in (*type_names, *fieldtypes.COMPUTED):
            section = types.partition(f"`{type}`\n")[2].partition("\n## ")[0]
            for name in schema.schema_of("field")["$defs"][f"{type}_options"]["properties"]:
                assert f"| `{name}` |" in section, (type, name)


def test_the_types_of_schema_model_and_formulas_are_the_same() -> None:
    root = schema.schema_of("field")
    assert tuple(root["properties"]["type"]["enum"]) == (*type_names, *fieldtypes.COMPUTED)
    for type in type_names:
        options = root["$defs"][f"{type}_options"]["properties"]
        said = {key: each["default"] for key, each in options.items() if "default" in each}
        filled = fieldtypes.options_of(type, {})
        assert said == {key: filled[key] for key in said}
        least = {"target": "account", "values": [{"code": "a"}], "pattern": "{0}"}
        assert fieldtypes.value_type(type, {**least}, ["a"]).kind


def test_limits_are_numbers_with_names() -> None:
    named = {
        key: value for key, value in vars(limits).items() if not key.startswith("_") and key != "annotations"
    }
    assert len(named) >= 8 and all(isinstance(each, int) and each > 0 for each in named.values())


def test_a_copy_of_a_schema_is_the_callers_own() -> None:
    schema.schema_of("tab")["properties"].clear()
    assert schema.schema_of("tab")["properties"]
    with pytest.raises(KeyError):
        schema.schema_of("nothing")
