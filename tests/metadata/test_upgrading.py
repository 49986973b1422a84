"""Upgrades of packages: what the tenant changed is kept, what the package changed comes, clashes are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import document
from tabwright.metadata.documents import Component, read
from tabwright.metadata.packages import Package, base_tree, made_of
from tabwright.metadata.references import renamed
from tabwright.metadata.threeway import merged_document
from tabwright.metadata.tree import Tree
from tabwright.metadata.upgrading import Step, Upgrade, upgrade

HEAD = {"name": "demo", "version": "1.0", "label": {"en": "Demo"}}


def parts(**fields: Mapping[str, Any]) -> list[Component]:
    """An object ``thing`` with a name, and these fields."""
    made = [
        document("object", "thing", label={"en": "Thing"}, name_field="name"),
        document("field", "thing.name", type="text", label={"en": "Name"}),
    ]
    for name, body in fields.items():
        made.append(document("field", f"thing.{name}", **{"type": "text", "label": {"en": name}, **body}))
    return [read(each) for each in made]


def package(*components: Component, version: str = "1.0") -> Package:
    return made_of({**HEAD, "version": version}, components)


def installed(one: Package) -> Tree:
    return base_tree().changed(one.components)


def put(tree: Tree, kind: str, name: str, **values: Any) -> Tree:
    """The tenant changes a component: with ``None`` a key goes."""
    there = tree.get(kind, name)
    assert there is not None
    body = {**there.document, **values}
    return tree.changed([read({key: value for key, value in body.items() if value is not None})])


def go(old: Package, tree: Tree, new: Package, *taken: str) -> Upgrade:
    uids = {each.uid for each in new.components if each.name in taken}
    return upgrade(new, tree, Tree.of(old.components), "0.1.0", uids)


def step(found: Upgrade, name: str) -> Step:
    return next(each for each in found.steps if each.component.name == name)


def field(tree: Tree, name: str) -> Mapping[str, Any]:
    there = tree.get("field", f"thing.{name}")
    assert there is not None
    return there.body


def test_what_nobody_changed_here_comes_as_the_package_brings_it() -> None:
    old = package(*parts(a={}, gone={}))
    new = package(*parts(a={"required": True}, b={}), version="2.0")
    found = go(old, installed(old), new)
    assert {each.component.name: each.outcome for each in found.steps} == {
        "thing.a": "changed",
        "thing.b": "added",
        "thing.gone": "removed",
    }
    assert found.require() == installed(new)


def test_what_was_changed_here_stays_and_other_properties_come() -> None:
    old = package(*parts(a={}, mine={}))
    tree = put(installed(old), "field", "thing.a", label={"en": "Ours"})
    tree = put(tree, "field", "thing.mine", label={"en": "Ours too"})
    new = package(*parts(a={"required": True}, mine={}), version="2.0")
    found = go(old, tree, new)
    assert step(found, "thing.a").outcome == "changed" and not found.clashes
    assert step(found, "thing.mine").outcome == "kept"
    made = found.require()
    assert (field(made, "a")["label"], field(made, "a")["required"]) == ({"en": "Ours"}, True)
    assert field(made, "mine")["label"] == {"en": "Ours too"}


def test_a_clash_keeps_the_tenants_until_the_packages_is_chosen() -> None:
    old = package(*parts(a={}))
    tree = put(installed(old), "field", "thing.a", label={"en": "Ours"}, help={"en": "Our help"})
    new = package(*parts(a={"label": {"en": "Theirs"}, "required": True}), version="2.0")
    found = go(old, tree, new)
    [clash] = found.clashes
    assert clash.pointers == ("/label/en",)
    assert {each.pointer for each in clash.both} == {"/label/en", "/help", "/required"}
    made = field(found.require(), "a")
    assert (made["label"], made["required"], made["help"]) == ({"en": "Ours"}, True, {"en": "Our help"})
    taken = go(old, tree, new, "thing.a")
    assert taken.require().get("field", "thing.a") == Tree.of(new.components).get("field", "thing.a")
    assert step(taken, "thing.a").taken


def test_what_was_deleted_here_stays_away_and_what_the_package_drops_is_asked() -> None:
    old = package(*parts(a={}, b={}, c={}))
    tree = installed(old)
    tree = tree.changed((), [tree.get("field", "thing.a").uid, tree.get("field", "thing.b").uid])  # type: ignore[union-attr]
    tree = put(tree, "field", "thing.c", label={"en": "Ours"})
    new = package(*parts(a={}, b={"required": True}), version="2.0")
    found = go(old, tree, new)
    assert step(found, "thing.a").outcome == "kept"
    assert step(found, "thing.b").outcome == "clash" and step(found, "thing.b").result is None
    assert step(found, "thing.c").outcome == "clash"
    made = found.require()
    assert made.get("field", "thing.a") is None and made.get("field", "thing.c") is not None
    uids = {each.uid for each in old.components if each.name in ("thing.b", "thing.c")}
    chosen = upgrade(new, tree, Tree.of(old.components), "0.1.0", uids).require()
    assert chosen.get("field", "thing.b") is not None and chosen.get("field", "thing.c") is None


def test_taking_the_packages_document_restores_what_only_the_tenant_changed() -> None:
    old = package(*parts(a={}))
    tree = put(installed(old), "field", "thing.a", label={"en": "Ours"})
    assert go(old, tree, old).require() == tree
    assert go(old, tree, old, "thing.a").require() == installed(old)


def test_without_a_known_start_all_that_differs_is_asked() -> None:
    old = package(*parts(a={}))
    tree = put(installed(old), "field", "thing.a", label={"en": "Ours"})
    new = package(*parts(a={"required": True}, b={}), version="2.0")
    found = upgrade(new, tree, None, "0.1.0")
    assert {each.component.name: each.outcome for each in found.steps} == {
        "thing.a": "clash",
        "thing.b": "added",
    }


def test_picklist_values_and_columns_are_merged_one_by_one() -> None:
    def values(*codes: str, **labels: str) -> dict[str, Any]:
        found = [{"code": each, "label": {"en": labels.get(each, each)}} for each in codes]
        return {"type": "picklist", "options": {"values": found}}

    old = package(*parts(a=values("x", "y")))
    tree = put(installed(old), "field", "thing.a", **values("x", "own", "y", y="Ours"))
    new = package(*parts(a=values("x", "y", "z", x="Theirs")), version="2.0")
    found = go(old, tree, new)
    assert not found.clashes
    made = field(found.require(), "a")["options"]["values"]
    assert [each["code"] for each in made] == ["x", "own", "y", "z"]
    assert [each["label"]["en"] for each in made] == ["Theirs", "own", "Ours", "z"]


def test_a_rename_on_either_side_is_followed() -> None:
    rule = document("validation_rule", "thing.rule", condition="ISBLANK(a)", message={"en": "no"})
    old = package(*parts(a={}), read(rule))
    tree = installed(old)
    there = tree.get("field", "thing.a")
    assert there is not None
    tree = tree.changed(renamed(tree, there, "thing.ours"))
    new = package(*parts(a={"required": True}), read({**rule, "condition": "ISBLANK(a) && TRUE"}))
    made = go(old, tree, new).require()
    rules = made.get("validation_rule", "thing.rule")
    assert field(made, "ours")["required"] is True
    assert rules is not None and rules.body["condition"] == "ISBLANK(ours) && TRUE"

    own = read(document("validation_rule", "thing.own", condition="ISBLANK(a)", message={"en": "no"}))
    before = Tree.of(old.components)
    field_a = before.get("field", "thing.a")
    assert field_a is not None
    around = base_tree().changed(old.components)
    moved = [each for each in renamed(around, field_a, "thing.theirs")]
    newer = made_of(HEAD, before.changed(moved))
    made = upgrade(newer, installed(old).changed([own]), before, "0.1.0").require()
    mine = made.get("validation_rule", "thing.own")
    assert mine is not None and mine.body["condition"] == "ISBLANK(theirs)"


def test_names_of_others_and_the_platforms_things_are_refused() -> None:
    own = base_tree().changed([read(document("object", "thing", name_field="name", uid="e" * 32))])
    found = upgrade(package(*parts()), own, None, "0.1.0")
    assert [each.code for each in found.faults] == ["component.name_taken"] and found.tree is None
    uid = next(each.uid for each in base_tree())
    stolen = read({**document("picklist", "p", values=[{"code": "a", "label": {"en": "a"}}]), "uid": uid})
    assert [e.code for e in upgrade(package(stolen), base_tree(), None, "0.1.0").faults] == [
        "component.uid_taken"
    ]
    locked = read(document("field", "thing.lock", type="text", label={"en": "l"}, system=True))
    codes = [e.code for e in upgrade(package(*parts(), locked), base_tree(), None, "0.1.0").faults]
    assert codes == ["component.system_reserved"]
    base = made_of({**HEAD, "name": "base"}, parts())
    assert [e.code for e in upgrade(base, base_tree(), None, "0.1.0").faults] == ["package.reserved"]


# ---- laws of merging -------------------------------------------------------------------------------

scalars = st.one_of(st.booleans(), st.integers(0, 3), st.sampled_from(["a", "b"]))
names = st.sampled_from(["k", "l", "m"])
values = st.recursive(
    scalars,
    lambda inner: st.dictionaries(names, inner, max_size=3) | st.lists(names, unique=True),
    max_leaves=8,
)
objects = st.dictionaries(names, values, max_size=3)


@given(objects, objects)
def test_one_side_alone_is_taken_whole(base: dict[str, Any], changed: dict[str, Any]) -> None:
    assert merged_document(base, changed, base) == (changed, ())
    assert merged_document(base, base, changed) == (changed, ())
    assert merged_document(base, changed, changed) == (changed, ())


@given(objects, objects, objects)
def test_both_sides_clash_at_the_same_places(base: Any, one: Any, other: Any) -> None:
    assert set(merged_document(base, one, other)[1]) == set(merged_document(base, other, one)[1])


@pytest.mark.parametrize(
    ("mine", "theirs", "made"),
    [
        (["a", "x", "b"], ["a", "b", "c"], ["a", "x", "b", "c"]),
        (["b", "a"], ["a", "b", "c"], ["b", "c", "a"]),
        (["a"], ["c", "b", "a"], ["c", "a"]),
        ([], ["a", "b", "c"], ["c"]),
    ],
)
def test_lists_of_names(mine: list[str], theirs: list[str], made: list[str]) -> None:
    found, clashes = merged_document({"l": ["a", "b"]}, {"l": mine}, {"l": theirs})
    assert (found["l"], clashes) == (made, ())
