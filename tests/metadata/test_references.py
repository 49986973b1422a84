"""Where-used and renames: every kind by its marks, every token in place."""

from __future__ import annotations

from typing import Any

import pytest

from models import components, document, model, tree
from tabwright.metadata import schema
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import Component, read
from tabwright.metadata.packages import base_tree
from tabwright.metadata.references import mentions, renamed, uses
from tabwright.metadata.tree import Tree
from tabwright.metadata.world import World

OBJECTS = {
    "account": {
        "name": "text",
        "amount": "integer",
        "parent": "lookup(account)",
        "stage": "picklist(global stages)",
    },
    "contact": {"name": "text", "account": "lookup(account)", "age": "integer"},
}
# One of every kind that names others, with a mention in every place that its schema has.
EXTRA: list[dict[str, Any]] = [
    {"kind": "picklist", "name": "stages", "values": [{"code": "new"}, {"code": "won"}]},
    {"kind": "object", "name": "deal", "name_field": "name", "highlights": ["amount"]},
    {"kind": "field", "name": "deal.name", "type": "text"},
    {"kind": "field", "name": "deal.amount", "type": "integer", "default": "1 + /* own */ 2"},
    {"kind": "field", "name": "deal.account", "type": "lookup",
     "options": {"target": "account", "filter": "Parent.Amount > 3 /* amount */"}},
    {"kind": "field", "name": "account.share", "type": "integer", "default": "Amount * 2"},
    {"kind": "layout", "name": "account.page",
     "sections": [{"fields": ["name", {"field": "amount", "visible": "parent.amount > 1"}]}],
     "related": [{"field": "contact.account", "columns": ["name", "account.amount"],
                  "order": [["age", "asc"]]},
                 {"field": "account.parent", "order": "name"}]},
    {"kind": "list_view", "name": "contact.open", "columns": ["name", {"field": "account.amount"}],
     "where": "account.amount > $user.manager.revision && account.parent.amount = 1",
     "order": [["age", "desc"]]},
    {"kind": "validation_rule", "name": "account.positive", "condition": "AMOUNT   <  0 /* amount */",
     "message": {"en": "amount"}, "field": "amount"},
    {"kind": "unique_rule", "name": "account.once", "fields": ["amount", "parent"]},
    {"kind": "sharing_rule", "name": "account.rich", "when": "amount > 1", "to": [{"kind": "everyone"}]},
    {"kind": "restriction_rule", "name": "account.mine", "condition": "amount > 2", "applies_to": ["rep"]},
    {"kind": "record_type", "name": "account.big", "picklists": {"stage": ["new"]},
     "defaults": {"amount": "5"}, "layout": "account.page"},
    {"kind": "tab", "name": "people", "object": "contact", "list_view": "contact.open"},
    {"kind": "app", "name": "sales", "tabs": ["people"]},
    {"kind": "calendar", "name": "holidays", "days_off": [{"from": "2026-01-01"}]},
    {"kind": "calendar", "name": "ours", "includes": ["holidays"]},
    {"kind": "permission_set", "name": "rep", "objects": {"account": ["read"]},
     "fields": {"account": {"amount": "read", "*": "edit"}}, "record_types": {"account": ["big"]},
     "tabs": ["people"], "apps": ["sales"]},
    {"kind": "permission_set_group", "name": "team", "sets": ["rep"]},
]  # fmt: skip


@pytest.fixture(scope="module")
def start() -> Tree:
    return tree(OBJECTS, EXTRA)


def used_by(given: Tree, kind: str, name: str) -> set[tuple[str, str]]:
    made = compile_tree(given, release=1)
    return {
        (f"{each.user_kind}/{each.user}", each.pointer)
        for each in made.uses
        if (each.used_kind, each.used) == (kind, name)
    }


def test_where_a_field_is_used(start: Tree) -> None:
    assert used_by(start, "field", "account.amount") == {
        ("field/deal.account", "/options/filter"),
        ("field/account.share", "/default"),
        ("layout/account.page", "/sections/0/fields/1/field"),
        ("layout/account.page", "/sections/0/fields/1/visible"),
        ("layout/account.page", "/related/0/columns/1"),
        ("list_view/contact.open", "/columns/1/field"),
        ("list_view/contact.open", "/where"),
        ("validation_rule/account.positive", "/condition"),
        ("validation_rule/account.positive", "/field"),
        ("sharing_rule/account.rich", "/when"),
        ("restriction_rule/account.mine", "/condition"),
        ("unique_rule/account.once", "/fields/0"),
        ("record_type/account.big", "/defaults/amount"),
        ("permission_set/rep", "/fields/account/amount"),
    }


@pytest.mark.parametrize(
    ("kind", "name", "users"),
    [
        ("object", "account", {"field/account.parent", "field/contact.account", "field/deal.account",
                               "permission_set/rep"}),
        ("picklist", "stages", {"field/account.stage"}),
        ("field", "account.stage", {"record_type/account.big"}),
        ("field", "contact.age", {"layout/account.page", "list_view/contact.open"}),
        ("field", "user.manager", {"list_view/contact.open", "layout/user.standard",
                                   "list_view/user.active"}),
        ("layout", "account.page", {"record_type/account.big"}),
        ("list_view", "contact.open", {"tab/people"}),
        ("record_type", "account.big", {"permission_set/rep"}),
        ("tab", "people", {"app/sales", "permission_set/rep"}),
        ("app", "sales", {"permission_set/rep"}),
        ("field", "deal.amount", {"object/deal"}),
    ],
)  # fmt: skip
def test_where_each_kind_is_used(start: Tree, kind: str, name: str, users: set[str]) -> None:
    assert {user for user, _ in used_by(start, kind, name)} == users


def _marks(node: Any) -> int:
    if isinstance(node, dict):
        own = int("x-reference" in node or "x-formula" in node)
        return own + sum(_marks(each) for each in node.values())
    return sum(_marks(each) for each in node) if isinstance(node, list) else 0


# Strings of a schema that name no component, by the name of their property.
PLAIN = {
    "code",
    "pattern",
    "icon",
    "url",
    "currency",
    "country",
    "zh",
    "en",
    "package",
    "uid",
    "name",
    "kind",
    "aliases",
    # of a calendar
    "zone",
    "day",
    "from",
    "to",
}


def _unmarked(node: Any, root: dict[str, Any], name: str, marked: bool, seen: frozenset[str]) -> set[str]:
    """Properties whose value is a free string and that carry no mark."""
    if not isinstance(node, dict):
        return set()
    marked = marked or "x-reference" in node or "x-formula" in node
    if "$ref" in node:
        target = node["$ref"].removeprefix("#/$defs/")
        if target in seen:
            return set()
        found = _unmarked(root["$defs"][target], root, name, marked, seen | {target})
    elif node.get("type") == "string" and "enum" not in node and not marked and name not in PLAIN:
        found = {name}
    else:
        found = set()
    for key, inner in node.get("properties", {}).items():
        found |= _unmarked(inner, root, key, False, seen)
    for key in ("items", "additionalProperties", "propertyNames", "then", "else"):
        found |= _unmarked(node.get(key), root, name, marked and key in ("then", "else"), seen)
    for key in ("allOf", "prefixItems"):
        for inner in node.get(key, ()):
            found |= _unmarked(inner, root, name, False, seen)
    return found


@pytest.mark.parametrize("kind", schema.kinds())
def test_every_string_of_a_schema_is_marked_or_known_to_name_nothing(kind: str) -> None:
    """A kind that names components without a mark would be missing in where-used."""
    root = schema.schema_of(kind)
    # A picklist's codes stand in a record type and in what depends on a picklist; ends of file names.
    codes = {
        "record_type": {"picklists"}, "field": {"matrix", "extensions", "offered_when", "separator"},
        "layout": {"offered_when"}, "sharing_rule": {"key"},  # a code of a record
    }.get(kind, set())  # fmt: skip
    assert _unmarked(root, root, "", False, frozenset()) <= codes


def test_the_check_for_marks_sees_a_missing_one() -> None:
    root = schema.schema_of("app")
    del root["properties"]["tabs"]["items"]["x-reference"]
    assert _unmarked(root, root, "", False, frozenset()) == {"tabs"}


@pytest.mark.parametrize("kind", schema.kinds())
def test_the_documents_above_mention_in_every_marked_place(start: Tree, kind: str) -> None:
    marked = {each.kind for component in start if component.kind == kind for each in mentions(component)}
    assert bool(marked) == bool(_marks(schema.schema_of(kind)))


# ---- renames ---------------------------------------------------------------------------------------


def rename(given: Tree, kind: str, name: str, to: str) -> Tree:
    component = given.get(kind, name)
    assert component is not None
    return given.changed(renamed(given, component, to))


def get(given: Tree, kind: str, name: str) -> Component:
    found = given.get(kind, name)
    assert found is not None, name
    return found


def test_everything_follows_a_renamed_field(start: Tree) -> None:
    after = rename(start, "field", "account.amount", "account.total")
    assert used_by(after, "field", "account.total") == {
        (user, pointer.replace("/amount", "/total"))
        for user, pointer in used_by(start, "field", "account.amount")
    }
    field = get(after, "field", "account.total")
    assert field.uid == get(start, "field", "account.amount").uid and field.body["aliases"] == [
        "account.amount"
    ]
    rule = get(after, "validation_rule", "account.positive")
    assert rule.body["condition"] == "total   <  0 /* amount */" and rule.body["message"] == {"en": "amount"}
    assert get(after, "field", "deal.account").body["options"]["filter"] == "Parent.total > 3 /* amount */"
    view = get(after, "list_view", "contact.open")
    assert view.body["columns"] == ["name", {"field": "account.total"}]
    assert view.body["where"] == "account.total > $user.manager.revision && account.parent.total = 1"
    assert get(after, "permission_set", "rep").body["fields"]["account"] == {"*": "edit", "total": "read"}
    assert get(after, "field", "deal.amount") == get(start, "field", "deal.amount"), "another object's"


def test_the_old_name_answers_after_a_rename(start: Tree) -> None:
    made = compile_tree(rename(start, "field", "account.amount", "account.total"), release=2)
    account = made.objects["account"]
    assert account.find("amount") is account.fields["total"] and "amount" not in account.fields


def test_a_renamed_object_takes_its_parts_along(start: Tree) -> None:
    after = rename(start, "object", "account", "customer")
    made = compile_tree(after, release=2)
    assert made.find("account") is made.objects["customer"]
    assert not [each for each in after if each.object == "account"]
    assert get(after, "field", "customer.amount").body["aliases"] == ["account.amount"]
    assert get(after, "field", "contact.account").body["options"]["target"] == "customer"
    assert get(after, "record_type", "customer.big").body["layout"] == "customer.page"
    assert set(get(after, "permission_set", "rep").body["fields"]) == {"customer"}
    assert get(after, "layout", "customer.page").body["related"][1]["field"] == "customer.parent"
    assert {each.uid for each in after} == {each.uid for each in start}


@pytest.mark.parametrize(
    ("kind", "name", "to"),
    [("picklist", "stages", "steps"), ("layout", "account.page", "account.sheet"),
     ("tab", "people", "persons"), ("list_view", "contact.open", "contact.active"),
     ("record_type", "account.big", "account.large"), ("app", "sales", "selling"),
     ("field", "user.manager", "user.boss"), ("object", "contact", "person")],
)  # fmt: skip
def test_whatever_is_renamed_the_tree_still_compiles(start: Tree, kind: str, name: str, to: str) -> None:
    before = used_by(start, kind, name)
    after = rename(start, kind, name, to)
    assert {user.partition("/")[0] for user, _ in used_by(after, kind, to)} == {
        user.partition("/")[0] for user, _ in before
    }


def test_a_rename_back_leaves_no_alias_of_itself(start: Tree) -> None:
    there = rename(start, "field", "account.amount", "account.total")
    back = rename(there, "field", "account.total", "account.amount")
    assert get(back, "field", "account.amount").body["aliases"] == ["account.total"]
    assert get(back, "validation_rule", "account.positive").body["condition"].startswith("amount")


def test_a_mention_by_a_former_name_is_put_right() -> None:
    given = base_tree().changed(
        components({"a": {"name": "text", "total": {"type": "integer", "aliases": ["a.sum"]}}})
        + [read(document("validation_rule", "a.r", condition="SUM > 1", message={"en": "!"}))]
    )
    after = rename(given, "field", "a.total", "a.grand")
    assert get(after, "validation_rule", "a.r").body["condition"] == "grand > 1"


def test_uses_are_edges_with_places(start: Tree) -> None:
    edges = uses(get(start, "tab", "people"), World(start))
    assert [(each.used_kind, each.used, each.pointer) for each in edges] == [
        ("object", "contact", "/object"),
        ("list_view", "contact.open", "/list_view"),
    ]
    assert model(OBJECTS, EXTRA).uses
