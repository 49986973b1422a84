"""Nothing about access is stored and not enforced (M14): every setting and value that the schemas know of it
has a proof here; a new one without a proof fails.

A proof is two worlds that differ in that setting alone, and what somebody is refused in one and has in the
other; or the test, by its name, that asks through the product. Object and system rights have theirs in
test_every_right.py.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from tabwright.metadata import schema
from tabwright.metadata.model import Model
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.access.record_rule import EVERYTHING

ROOT = Path(__file__).parents[2]
OBJECTS: models.Compact = {"deal": {"name": "text(80) required", "cost": "integer"}}
EVERY = {"objects": {"deal": ["read", "create", "edit", "view_all"]}, "fields": {"deal": {"*": "edit"}}}

Proof = Callable[[], tuple[bool, bool]] | str  # (refused before, had after), or where a test stands


def gate(holds: str = "one", *documents: dict[str, Any], **body: Any) -> Gate:
    """The gate of somebody who holds a set with this body, or what ``holds`` names, under these documents."""
    one = {"kind": "permission_set", "name": "one", **EVERY, **body}
    whole = {(each["kind"], each["name"]): each for each in models.documents(OBJECTS, [one, *documents])}
    made: Model = models.model(whole.values())
    return Gate(made, Principal(UUID(int=7), "x", permission_sets=(made.grantable_uids[holds],)))


def field(right: str) -> tuple[bool, bool]:
    """Whether a field with that word may be read, and edited."""
    asked = gate(fields={"deal": {"*": "edit", "cost": right}})
    cost = asked.model.objects["deal"].fields["cost"]
    return asked.can_read(cost), asked.can_edit(cost)


def shown(what: str, **body: Any) -> bool:
    tab = {"kind": "tab", "name": "deals", "object": "deal"}
    app = {"kind": "app", "name": "sales", "tabs": ["deals"]}
    asked = gate("one", tab, app, **body)
    return bool({"deals", "sales"} & {each.name for each in getattr(asked, what)()})


def types(**body: Any) -> bool:
    asked = gate("one", {"kind": "record_type", "name": "deal.big"}, **body)
    return bool(asked.record_types(asked.model.objects["deal"]))


def view(to: list[str]) -> bool:
    ours = {"kind": "list_view", "name": "deal.ours", "columns": ["name"], "shown_to": to}
    asked = gate("one", ours, {"kind": "permission_set", "name": "two"})
    return "ours" in {each.name for each in asked.list_views(asked.model.objects["deal"])}


def sees(sharing: str) -> bool:
    deal = {**models.documents({"deal": OBJECTS["deal"]})[0], "sharing": sharing}
    asked = gate("one", deal, objects={"deal": ["read"]})
    return asked.rule(asked.model.objects["deal"], "read") == EVERYTHING


def by_name(word: str) -> bool:
    deal = {**models.documents({"deal": OBJECTS["deal"]})[0], "field_access": word}
    asked = gate("one", deal)
    return asked.can_read(asked.model.objects["deal"].fields["cost"])


def group(sets: list[str]) -> bool:
    team = {"kind": "permission_set_group", "name": "team", "sets": sets}
    asked = gate("team", team, {"kind": "permission_set", "name": "two"})
    return asked.may(asked.model.objects["deal"], "read")


ACCESS = "tests/runtime/test_record_access.py::"
RULES = ACCESS + "test_rules_share_by_owner_and_by_condition"
CLOSED = ACCESS + "test_a_restriction_closes_what_all_else_opens"
SUPERIORS = ACCESS + "test_an_object_says_what_superiors_may"
MARKED = "tests/runtime/test_export_control.py::"
PROBED = "tests/api/test_every_right.py::test_who_has_all_rights_but_one_is_refused_what_it_is_for"
GLASS = "tests/runtime/test_grants.py::test_the_glass_is_broken_with_a_reason_and_mends_itself"
FACTOR = "tests/journeys/test_attacks_signin.py::"

PROOFS: dict[str, Proof] = {
    "permission_set.system": PROBED,
    "permission_set.system.delegate": "tests/runtime/test_delegating.py::"
    "test_listed_sets_which_the_delegate_need_not_hold",
    "permission_set.objects": PROBED,
    "permission_set.fields": lambda: (field("none") == (False, False), field("edit") == (True, True)),
    "permission_set.fields.none": lambda: (not field("none")[0], field("read")[0]),
    "permission_set.fields.read": lambda: (not field("read")[1], field("edit")[1]),
    "permission_set.fields.edit": lambda: (not field("none")[1], field("edit")[1]),
    "permission_set.tabs": lambda: (not shown("tabs"), shown("tabs", tabs=["deals"])),
    "permission_set.apps": lambda: (
        not shown("apps", tabs=["deals"]),
        shown("apps", tabs=["deals"], apps=["sales"]),
    ),
    "permission_set.record_types": lambda: (not types(), types(record_types={"deal": ["big"]})),
    "permission_set.export_rows": MARKED + "test_a_set_says_how_many_rows",
    "permission_set.emergency_hours": GLASS,
    "permission_set.second_factor": FACTOR
    + "test_a_set_that_asks_for_a_second_factor_opens_nothing_before_it",
    "permission_set_group.sets": lambda: (not group(["two"]), group(["two", "one"])),
    "object.sharing": lambda: (not sees("private"), sees("read")),
    "object.hierarchy": SUPERIORS,
    "object.field_access": lambda: (not by_name("granted"), by_name("open")),
    "object.watermark": MARKED + "test_lists_and_records_carry_who_looks",
    "object.layouts": "tests/runtime/test_access_groups.py::"
    "test_what_is_shown_to_a_set_is_shown_to_who_holds_it_by_a_group",
    "list_view.shown_to": lambda: (not view(["two"]), view(["two", "one"])),
    "sharing_rule.when": RULES,
    "sharing_rule.owned_by": RULES,
    "sharing_rule.to": RULES,
    "sharing_rule.access": RULES,
    "sharing_rule.active": RULES,
    "restriction_rule.condition": CLOSED,
    "restriction_rule.applies_to": CLOSED,
    "restriction_rule.active": CLOSED,
}
# What of a kind is about access: all of these kinds, and of others what is not named here.
WHOLE = ("permission_set", "permission_set_group", "sharing_rule", "restriction_rule")
LOOKS = {
    "object": {"plural", "icon", "colour", "name_field", "search", "highlights", "system"},
    "list_view": {"columns", "where", "order", "colours", "way", "board", "calendar", "cards", "density",
                  "default", "place"},
}  # fmt: skip
ENVELOPE = {"kind", "uid", "name", "aliases", "label", "description", "package"}


def settings() -> Iterator[str]:
    """Every setting about access that the schemas know."""
    for kind in (*WHOLE, *LOOKS):
        for name in schema.schema_of(kind)["properties"]:
            if name not in ENVELOPE | LOOKS.get(kind, set()):
                yield f"{kind}.{name}"


def test_every_setting_about_access_has_a_proof() -> None:
    assert {".".join(each.split(".")[:2]) for each in PROOFS} == set(settings())


def test_every_word_about_a_field_has_a_proof() -> None:
    node = schema.schema_of("permission_set")["properties"]["fields"]["additionalProperties"]
    for word in node["additionalProperties"]["enum"]:
        assert f"permission_set.fields.{word}" in PROOFS


@pytest.mark.parametrize("setting", PROOFS)
def test_a_setting_has_an_effect(setting: str) -> None:
    proof = PROOFS[setting]
    if not isinstance(proof, str):
        assert proof() == (True, True)
        return
    file, _, name = proof.partition("::")
    tree = ast.parse((ROOT / file).read_text("utf-8"))
    assert name in {each.name for each in tree.body if isinstance(each, ast.FunctionDef)}
