"""Documents: one canonical form, every fault at once, files that do not change when written again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from models import document, uid_of
from tabwright.metadata import documents, limits
from tabwright.platform.errors import Malformed
from tabwright.platform.language import say_fault


def codes(given: object) -> dict[str, str]:
    """Pointer -> code of what is wrong with a document."""
    _, faults = documents.check(given)
    for each in faults:
        for language in ("zh", "en"):
            said = say_fault(each, language)
            assert said != each.code and not re.search(r"\{(value|key|limit|hint|allowed|expected)\}", said)
    return {each.place.pointer or "": each.code for each in faults}


def field(**body: Any) -> dict[str, Any]:
    return document("field", "account.name", **{"type": "text", **body})


def test_defaults_are_left_out_and_keys_stand_in_order() -> None:
    given = {
        "type": "decimal",
        "sortable": False,
        "unique": False,
        "options": {"scale": 2, "precision": 12, "min": 0},
        "label": {"en": "Sum", "zh": "金额"},
        "name": "account.sum",
        "uid": uid_of("field", "account.sum"),
        "kind": "field",
    }
    made = documents.read(given).document
    assert list(made) == ["kind", "uid", "name", "label", "type", "options"]
    assert list(made["label"]) == ["zh", "en"]
    assert made["options"] == {"precision": 12, "min": "0"}


def test_equal_components_have_equal_bytes() -> None:
    one = field(required=True, help={"en": "a", "zh": "b"})
    two = {key: one[key] for key in reversed(list(one))}
    assert documents.read(one).data == documents.read(two).data
    assert documents.read(one) == documents.read(two)
    assert documents.read(one) != documents.read({**one, "required": False})


def test_a_component_comes_back_from_its_bytes() -> None:
    component = documents.read(field(options={"max_length": 80}))
    again = documents.from_store(component.data)
    assert again == component and again.document == component.document and again.text == component.text


def test_sets_are_sorted_by_the_order_of_their_enum() -> None:
    made = documents.read(
        document(
            "permission_set",
            "p",
            system=["import", "customise"],
            objects={"b": ["edit", "read"], "a": ["read"]},
        )
    )
    assert made.body["system"] == ["customise", "import"]
    assert made.body["objects"] == {"a": ["read"], "b": ["read", "edit"]}
    assert list(made.body["objects"]) == ["a", "b"]


def test_all_faults_at_once_each_with_its_place() -> None:
    wrong = field(
        type="currency", requried=True, sortable=True, options={"scale": "2", "currency": "yuan", "x": 1}
    )
    assert codes(wrong) == {
        "/requried": "document.unknown_key",
        "/sortable": "document.no_effect",
        "/options/scale": "document.wrong_type",
        "/options/currency": "document.bad_currency",
        "/options/x": "document.unknown_key",
    }


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ([], "", "document.not_an_object"),
        (None, "", "document.not_an_object"),
        ({"kind": "objekt", "name": "x"}, "/kind", "document.unknown_kind"),
        ({"name": "x"}, "/kind", "document.unknown_kind"),
        (field(label={}), "/label", "document.no_label"),
        (field(label={"en": "a\x07"}), "/label/en", "document.control_character"),
        (field(label={"fr": "a"}), "/label/fr", "document.unknown_key"),
        (field(label={"en": "\0"}), "", "document.nul"),
        (field(label={"en": "\ud800"}), "", "document.not_json"),
        (field(type="txt"), "/type", "document.not_allowed"),
        (field(type="lookup"), "/options", "lookup.without_target"),
        (field(type="lookup", options={"on_delete": "cascade"}), "/options/target", "lookup.without_target"),
        (field(type="picklist", options={"values": []}), "/options/values", "picklist.without_values"),
        (field(type="picklist", options={}), "/options", "picklist.without_values"),
        (field(type="auto_number"), "/options", "field.without_pattern"),
        (field(type="boolean", required=True), "/required", "document.no_effect"),
        (field(options={"max_length": 4001}), "/options/max_length", "document.too_large"),
        (field(options={"max_length": True}), "/options/max_length", "document.wrong_type"),
        (field(options={"max_length": 1.5}), "/options/max_length", "document.wrong_type"),
        (field(default=""), "/default", "document.empty_formula"),
        (field(uid="1"), "/uid", "document.bad_uid"),
        (document("layout", "a.b", sections=[]), "/sections", "layout.without_fields"),
        (document("app", "a", tabs=[]), "/tabs", "app.without_tabs"),
        (document("app", "a"), "/tabs", "app.without_tabs"),
        (document("picklist", "a", values=[]), "/values", "picklist.without_values"),
        (document("list_view", "a.b", columns=[]), "/columns", "list_view.without_columns"),
        (document("tab", "a"), "", "tab.without_target"),
        (document("tab", "a", object="b", url="/x"), "", "tab.without_target"),
        (document("tab", "a", url="javascript:alert(1)"), "/url", "tab.bad_url"),
        (document("tab", "a", url="//evil.example"), "/url", "tab.bad_url"),
        (document("permission_set", "a", objects={"x": []}), "/objects/x", "permission_set.empty_right"),
        (document("permission_set", "a", objects={"x": ["fly"]}), "/objects/x/0", "document.not_allowed"),
        (document("unique_rule", "a.b", fields=["x", "x"]), "/fields", "document.repeated"),
    ],
)
def test_what_is_refused(given: object, pointer: str, code: str) -> None:
    assert codes(given) == {pointer: code}


@pytest.mark.parametrize(
    "name",
    [
        "", "A", "Name", "1a", "_a", "a-b", "a b", "a.b", "a\n", "名称", "a" * 64, "true", "not", "null",
        "{{7*7}}", "'; DROP TABLE x; --", "../etc", "a\u202eb", "<script>",
    ],
)  # fmt: skip
def test_hostile_names_are_refused(name: str) -> None:
    found = codes(document("picklist", name, label={"en": "x"}, values=[{"code": "a"}]))
    assert found["/name"] in ("document.bad_name", "document.reserved_name")
    part = codes(document("field", f"account.{name}", label={"en": "x"}, type="text"))
    # A part may be called "true": it is never a whole path in a formula of another object.
    assert part.get("/name") in ("document.bad_part_name", None if name in ("true", "not", "null") else "?")


@pytest.mark.parametrize(
    "label",
    ["{{7*7}}", "{% raw %}", "<script>alert(1)</script>", "\u202eabc\u202c", "%s {0} {name}", "' OR 1=1"],
)
def test_hostile_labels_survive_untouched(label: str) -> None:
    made = documents.read(field(label={"zh": label, "en": label}, help={"en": label}))
    again = documents.read(documents.parse(made.text))
    assert again == made
    assert again.body["label"] == {"zh": label, "en": label} and again.body["help"] == {"en": label}


def test_a_document_has_a_limit() -> None:
    values = [{"code": f"c{n}", "label": {"en": "x" * 200, "zh": "y" * 200}} for n in range(3000)]
    found = codes(document("picklist", "big", values=values))
    assert found == {"": "document.too_big"}
    assert limits.document_bytes == 1_000_000


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{", 1),
        ('{\n "a": 1,\n}', 3),
        ('{"a": NaN}', None),
        ('{"a": 1, "a": 2}', None),
        ("[" * 100_000, None),
    ],
)
def test_broken_json_says_where(text: str, line: int | None) -> None:
    with pytest.raises(Malformed) as caught:
        documents.parse(text)
    assert caught.value.code == "document.broken_json"
    assert caught.value.faults[0].place.line == line


def test_pulling_twice_changes_nothing(tmp_path: Path) -> None:
    components = [documents.read(field()), documents.read(document("picklist", "p", values=[{"code": "a"}]))]
    assert len(documents.write_folder(tmp_path, components)) == 2
    assert documents.write_folder(tmp_path, components) == []
    again, faults = documents.read_folder(tmp_path)
    assert faults == [] and set(again) == set(components)


def test_faults_of_files_name_the_file(tmp_path: Path) -> None:
    (tmp_path / "field").mkdir()
    (tmp_path / "field" / "account.a.json").write_text(json.dumps(field(type="txt")), "utf-8")
    (tmp_path / "field" / "account.b.json").write_text("{", "utf-8")
    (tmp_path / "field" / "account.c.json").write_text(json.dumps(field()), "utf-8")
    (tmp_path / "field" / "account.d.json").write_bytes(b"\xff\xfe")
    _, faults = documents.read_folder(tmp_path)
    assert [(each.place.component, each.code) for each in faults] == [
        ("field/account.a.json", "document.not_allowed"),
        ("field/account.b.json", "document.broken_json"),
        ("field/account.c.json", "document.wrong_file"),
        ("field/account.d.json", "document.not_utf8"),
    ]
