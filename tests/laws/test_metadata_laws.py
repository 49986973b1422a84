"""Laws of metadata over random valid trees."""

from __future__ import annotations

import json
import random
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from random_trees import HOSTILE, labels, trees
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.diff import diff
from tabwright.metadata.documents import Component, check, parse, read
from tabwright.metadata.json_schema import components_from_schema, object_schema
from tabwright.metadata.model import Model
from tabwright.metadata.operations import plan, reverse
from tabwright.metadata.packages import base_tree
from tabwright.metadata.references import renamed
from tabwright.metadata.tree import Tree

BASE = compile_tree(base_tree(), release=1)
law = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


def objects_of(tree: Tree) -> list[str]:
    return [part.removeprefix("object/") for part in tree.parts if part.startswith("object/")]


def own(tree: Tree) -> list[Component]:
    """The components that are not of the built-in package."""
    return [each for each in tree if each.body.get("package") != "base"]


def shuffled(value: Any, rng: random.Random) -> Any:
    """The same JSON value, the keys of every object in another order."""
    if isinstance(value, dict):
        items = list(value.items())
        rng.shuffle(items)
        return {key: shuffled(inner, rng) for key, inner in items}
    return [shuffled(each, rng) for each in value] if isinstance(value, list) else value


@law
@given(trees(), st.randoms(use_true_random=False))
def test_the_canonical_form_is_one(tree: Tree, rng: random.Random) -> None:
    for each in own(tree):
        assert read(shuffled(each.document, rng)).data == each.data
        assert read(parse(each.text)) == each


@law
@given(trees(), trees())
def test_a_diff_leads_there_and_the_old_tree_comes_back(one: Tree, two: Tree) -> None:
    """Publish a difference, restore what was: the same canonical hash, and the same model."""
    changes = diff(one, two)
    there = one.changed(
        [each.new for each in changes if each.new],
        [each.old.uid for each in changes if each.old and not each.new],
    )
    assert there.digest == two.digest
    back = diff(there, one)
    again = there.changed(
        [each.new for each in back if each.new], [each.old.uid for each in back if each.old and not each.new]
    )
    assert again.digest == one.digest
    first = compile_tree(one, release=1, previous=BASE)
    restored = compile_tree(again, release=3, previous=compile_tree(there, release=2, previous=first))
    assert restored.digest == first.digest
    assert {name: each.digest for name, each in restored.objects.items()} == {
        name: each.digest for name, each in first.objects.items()
    }


@law
@given(trees(), trees())
def test_a_compile_that_takes_over_equals_a_whole_one(one: Tree, two: Tree) -> None:
    incremental = compile_tree(two, release=2, previous=compile_tree(one, release=1, previous=BASE))
    whole = compile_tree(two, release=2)
    for what in ("digest", "objects", "tabs", "apps", "picklists", "permission_sets", "object_aliases"):
        assert getattr(incremental, what) == getattr(whole, what), what
    assert Counter(incremental.uses) == Counter(whole.uses)
    assert {name: each.digest for name, each in incremental.objects.items()} == {
        name: each.digest for name, each in whole.objects.items()
    }


@law
@given(trees())
def test_document_to_schema_to_document_is_the_identity(tree: Tree) -> None:
    for name in sorted({each.object for each in own(tree) if each.object}):
        schema = json.loads(json.dumps(object_schema(tree, name)))
        assert set(components_from_schema(schema)) == set(tree.parts[f"object/{name}"].components.values())


def uids(model: Model) -> set[str]:
    found = {each.uid for each in model.objects.values()}
    return found | {field.uid for each in model.objects.values() for field in each.own_fields}


@law
@given(trees(), trees())
def test_a_plan_reversed_is_the_plan_back(one: Tree, two: Tree) -> None:
    a, b = (compile_tree(each, release=1, previous=BASE) for each in (one, two))
    assert Counter(reverse(plan(a, b))) == Counter(plan(b, a, kept=uids(a)))
    assert plan(a, a) == ()


@law
@given(trees(), st.data())
def test_a_rename_breaks_nothing_and_can_be_taken_back(tree: Tree, data: st.DataObject) -> None:
    names = [name for name in objects_of(tree) if name in ("alpha", "beta", "gamma")]
    if not names:
        return
    kind, old, new = data.draw(
        st.sampled_from(
            [("object", name, "renamed") for name in names]
            + [("field", f"{name}.name", f"{name}.renamed") for name in names]
        )
    )
    component = tree.get(kind, old)
    assert component is not None
    there = tree.changed(renamed(tree, component, new))
    before, after = (compile_tree(each, release=1, previous=BASE) for each in (tree, there))
    assert len(before.uses) == len(after.uses)
    assert plan(before, after) == ()
    moved = there.get(kind, new)
    assert moved is not None
    back = there.changed(renamed(there, moved, old))
    without = [read({**each.document, "aliases": []}) for each in own(back)]
    assert set(without) == set(own(tree))


@law
@given(labels, st.sampled_from(HOSTILE))
def test_labels_survive_untouched(label: dict[str, str], hostile: str) -> None:
    given_ = {"kind": "picklist", "uid": "a" * 32, "name": "p", "label": {**label, "en": hostile},
              "values": [{"code": "x", "label": label}]}  # fmt: skip
    made = read(parse(read(given_).text))
    assert made.body["label"] == {**label, "en": hostile} and made.body["values"][0]["label"] == label


json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=10), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), trees())
def test_no_document_makes_the_check_fall_over(data: st.DataObject, tree: Tree) -> None:
    """Any JSON in any place of a document gives a component or faults, never another error."""
    component = data.draw(st.sampled_from(own(tree) or list(base_tree())))
    document = json.loads(component.text)
    for _ in range(data.draw(st.integers(1, 3))):
        holder = document
        while True:
            key = data.draw(
                st.sampled_from(sorted(holder) if isinstance(holder, dict) else range(len(holder)))
            )
            inner = holder[key]
            if not isinstance(inner, dict | list) or not inner or data.draw(st.booleans()):
                holder[key] = data.draw(json_values)
                break
            holder = inner
    made, faults = check(document)
    assert (made is None) == bool(faults)
    if made is not None:
        assert read(made.document) == made
