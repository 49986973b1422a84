"""Trees share what did not change; differences are by uid and property."""

from __future__ import annotations

import pytest

from models import components, document, uid_of
from tabwright.metadata.diff import MISSING, clash, diff
from tabwright.metadata.documents import read
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Conflict

OBJECTS = {"a": {"name": "text", "x": "integer"}, "b": {"name": "text"}}


def start() -> Tree:
    return Tree.of(components(OBJECTS))


def test_the_order_of_components_does_not_count() -> None:
    some = components(OBJECTS)
    assert Tree.of(some).digest == Tree.of(reversed(some)).digest
    assert len(Tree.of(some)) == 5 and Tree.of(some) == Tree.of(some)


def test_untouched_sub_trees_are_shared() -> None:
    one = start()
    two = one.changed([read(document("field", "a.y", type="date"))])
    assert two.parts["object/b"] is one.parts["object/b"]
    assert two.parts["object/a"].digest != one.parts["object/a"].digest
    assert two.changed([], [uid_of("field", "a.y")]).digest == one.digest


def test_components_are_found_by_name_and_by_uid() -> None:
    tree = start()
    found = tree.get("field", "a.x")
    assert found is not None and tree.by_uid(found.uid) is found
    assert tree.get("field", "a.z") is None and tree.by_uid("0" * 32) is None
    assert {each.name for each in tree.parts_of_object("a")} == {"a.name", "a.x"}


def test_one_name_one_uid() -> None:
    other = read(document("field", "a.x", type="date", uid="e" * 32))
    with pytest.raises(Conflict) as caught:
        start().changed([other])
    assert caught.value.code == "component.name_taken"
    twice = [read(document("picklist", name, values=[{"code": "x"}], uid="e" * 32)) for name in ("p", "q")]
    with pytest.raises(Conflict) as caught:
        start().changed(twice)
    assert caught.value.code == "component.uid_taken"


def test_two_components_may_swap_names() -> None:
    tree = start()
    x, name = tree.get("field", "a.x"), tree.get("field", "a.name")
    assert x and name
    swapped = tree.changed([read({**x.document, "name": "a.name"}), read({**name.document, "name": "a.x"})])
    now = swapped.get("field", "a.x")
    assert now is not None and now.uid == name.uid


def test_a_difference_names_its_properties() -> None:
    one = start()
    x = one.get("field", "a.x")
    assert x is not None
    two = one.changed(
        [
            read({**x.document, "name": "a.z", "help": {"en": "h"}, "options": {"min": "1"}}),
            read(document("field", "b.new", type="date")),
        ],
        [one.parts["object/b"].components["field", "b.name"].uid],
    )
    found = {(each.action, each.component.name): each.properties for each in diff(one, two)}
    assert set(found) == {("changed", "a.z"), ("added", "b.new"), ("removed", "b.name")}
    assert {each.pointer: (each.old, each.new) for each in found["changed", "a.z"]} == {
        "/name": ("a.x", "a.z"),
        "/help": (MISSING, {"en": "h"}),
        "/options": (MISSING, {"min": "1"}),
    }
    assert diff(two, two) == ()
    back = {(each.action, each.component.name) for each in diff(two, one)}
    assert back == {("changed", "a.x"), ("removed", "b.new"), ("added", "b.name")}


def test_a_clash_needs_both_sides() -> None:
    base = read(document("field", "a.x", type="integer"))
    mine = read({**base.document, "help": {"en": "mine"}})
    theirs = read({**base.document, "help": {"en": "theirs"}, "required": True})
    assert clash(base, base, mine) is None and clash(base, theirs, base) is None
    assert clash(base, mine, mine) is None and clash(None, None, mine) is None
    found = clash(base, theirs, mine)
    assert found is not None and found.pointers == ("/help",)
    assert clash(base, None, mine) is not None and clash(base, theirs, None) is not None
    assert clash(base, None, None) is None
