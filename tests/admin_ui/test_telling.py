"""The plan in plain words: every change of a kind that people arrange is a sentence, never JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import models
from models import document
from tabwright.admin_ui.telling.sentences import sentences, words_of
from tabwright.admin_ui.telling.words import listed
from tabwright.metadata.diff import diff
from tabwright.metadata.documents import read
from tabwright.metadata.packages import base_tree, read_package
from tabwright.metadata.tree import Tree
from tabwright.metadata.world import World
from tabwright.platform.language import Language

CRM = Path(__file__).parents[2] / "templates" / "crm"
WORLD = models.tree(
    {
        "account": {"name": "text(80)", "industry": "text(80)"},
        "deal": {
            "name": "text(80)",
            "amount": "currency(16,2)",
            "note": "text(80)",
            "account": "lookup(account)",
            "stage": "picklist(open,won)",
        },
    }
)


def labels(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def told(
    kind: str, name: str, old: Mapping[str, Any], new: Mapping[str, Any], language: Language = "en"
) -> list[str]:
    """The sentences of a change from one body to another; {} where it is not there."""
    trees = [
        base_tree().changed([*WORLD, *([read(document(kind, name, **body))] if body else [])])
        for body in (old, new)
    ]
    changes = diff(*trees)
    words = words_of(World(trees[1]), changes, language)
    return [text for each in changes for text in sentences(words, each)]


SET = {"label": labels("销售", "Sales")}
VIEW = {"label": labels("全部", "All")}
LAYOUT: dict[str, Any] = {"label": labels("标准", "Standard")}
TERMS = {"label": labels("条款", "Terms"), "fields": ["note"]}
DEALS = {"relation": "deal.account", "columns": ["name", "amount"]}
BASICS = {"label": labels("基本", "Basics"), "fields": ["name", "amount", "stage"]}

CASES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any], list[str]]] = {
    "a field right": (
        "permission_set", "sales",
        {**SET, "objects": {"deal": ["read"]}, "fields": {"deal": {"amount": "read"}}},
        {**SET, "objects": {"deal": ["read"]}, "fields": {"deal": {"amount": "edit"}}},
        ["Sales may now edit Amount of Deal"],
    ),
    "object rights": (
        "permission_set", "sales",
        {**SET, "objects": {"deal": ["read", "delete"]}},
        {**SET, "objects": {"deal": ["read", "edit"], "*": ["read"]}},
        [
            "Sales may now read all of the organisation's own objects",
            "Sales may now edit Deal",
            "Sales may no longer delete Deal",
        ],
    ),
    "rights that follow from others": (
        "permission_set", "sales",
        {**SET, "objects": {"deal": ["read"], "account": ["edit"]}},
        {**SET, "objects": {"deal": ["edit"], "*": ["read"]}},
        [
            "Sales may now read all of the organisation's own objects",
            "Sales may now edit Deal",
            "Sales may no longer edit Account",
        ],
    ),
    "a new set tells all that it gives": (
        "permission_set", "sales", {},
        {**SET, "system": ["customise"], "objects": {"deal": ["read"]}, "fields": {"deal": {"*": "read"}}},
        [
            "Sales gains the system rights: Change and publish metadata",
            "Sales may now read Deal",
            "Sales may now read all other fields of Deal, and not change it",
        ],
    ),
    "a section moves": (
        "layout", "deal.standard",
        {**LAYOUT, "sections": [TERMS, BASICS]}, {**LAYOUT, "sections": [BASICS, TERMS]},
        ["The section “Terms” moves below “Basics”"],
    ),
    "conditions of fields": (
        "layout", "deal.standard",
        {
            **LAYOUT,
            "sections": [{"fields": ["name", {"field": "note", "read_only_when": "amount > 1"}, "stage"]}],
        },
        {
            **LAYOUT,
            "sections": [
                {
                    "fields": [
                        {"field": "name", "required_when": "amount > 5"}, "note",
                        {"field": "stage", "offered_when": {"won": "amount > 0"}},
                    ]
                }
            ],
        },
        [
            "“Name” is required here if amount > 5",
            "“Note” is no longer read-only here under a condition",
            "“won” of “Stage” can be chosen here if amount > 0",
        ],
    ),
    "fields come, go and move": (
        "layout", "deal.standard",
        {**LAYOUT, "sections": [BASICS, TERMS]},
        {
            **LAYOUT,
            "sections": [
                {**BASICS, "columns": 3, "fields": ["amount", {"field": "name", "required": True}, "note"]},
                {**TERMS, "fields": ["account"]},
            ],
        },
        [
            "The section “Basics” has 3 columns",
            "Note moves to “Basics”",
            "“Name” moves behind “Amount”",
            "Account now shows in “Terms”",
            "Stage no longer shows on the page",
            "“Name” is required here",
        ],
    ),
    "lines": (
        "layout", "account.standard",
        {**LAYOUT, "sections": [{"fields": ["name"]}, {"label": labels("明细", "Deals"), "lines": DEALS}]},
        {
            **LAYOUT,
            "sections": [
                {"fields": ["name"]},
                {"label": labels("明细", "Deals"), "lines": {**DEALS, "columns": ["name", "note"], "min": 1}},
            ],
        },
        ["Lines of “Deal”: New columns: Note", "Lines of “Deal”: Columns that go: Amount",
         "The settings of the lines of Deal change"],
    ),
    "lines that are new": (
        "layout", "account.standard",
        {**LAYOUT, "sections": [{"label": labels("基本", "Basics"), "fields": ["name"]}]},
        {**LAYOUT, "sections": [{"label": labels("基本", "Basics"), "fields": ["name"], "lines": DEALS}]},
        ["“Basics” holds lines of Deal now"],
    ),
    "a list": (
        "list_view", "deal.all",
        {**VIEW, "columns": ["name", "amount"], "where": "amount > 0"},
        {**VIEW, "columns": ["name", "account.industry"], "order": [["amount", "desc"]]},
        ["New columns: Account › Industry", "Columns that go: Amount", "Shows all records, with no filter",
         "Sorted by Amount descending"],
    ),
    "an app": (
        "app", "sales", {**SET, "tabs": ["deal"]}, {**SET, "tabs": ["account", "deal"]},
        ["New tabs: Account"],
    ),
    "a picklist": (
        "picklist", "colour",
        {**SET, "values": [{"code": "a", "label": {"en": "Red"}}, {"code": "b", "label": {"en": "Blue"}}]},
        {
            **SET,
            "values": [
                {"code": "b", "label": {"en": "Azure"}, "active": False},
                {"code": "c", "label": {"en": "Green"}},
            ],
        },
        ["New values: Green", "Values that go: Red",
         "Values that can no longer be chosen: Azure (records keep them)", "The value Blue is called Azure"],
    ),
    "a name": (
        "app", "sales", {**SET, "tabs": ["deal"]}, {"label": labels("销售", "Selling"), "tabs": ["deal"]},
        ["Called Selling in English (before: Sales)"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_changes_are_sentences(name: str) -> None:
    kind, component, old, new, expected = CASES[name]
    assert told(kind, component, old, new) == expected
    chinese = told(kind, component, old, new, "zh")
    assert len(chinese) == len(expected) and all(any("\u4e00" <= c for c in each) for each in chinese)


def test_a_right_is_told_in_chinese() -> None:
    kind, name, old, new, _ = CASES["a field right"]
    assert told(kind, name, old, new, "zh") == ["“销售”现在可以编辑Deal的Amount"]


def test_no_change_of_a_real_application_is_told_as_json() -> None:
    """Each component of the template turns into the next one of its kind: all that may differ differs."""
    crm = read_package(CRM).components
    world = World(base_tree().changed(crm))
    count = 0
    for old, other in pairwise(crm):
        if old.kind != other.kind:
            continue
        new = read({**other.document, "uid": old.uid})
        [change] = diff(Tree.of([old]), Tree.of([new]))
        for language in ("zh", "en"):
            for text in sentences(words_of(world, [change], language), change):
                assert not re.search(r'\{"|\[\{|\["|\[\]|\{\}|None|MISSING', text), (old.place, text)
                assert "studio.told" not in text
                count += 1
    assert count > 300


@given(st.permutations(list("abcdef")), st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_moves_added_and_removed_lead_from_one_order_to_the_other(old: list[str], new: list[str]) -> None:
    found = listed(old, new)
    assert set(found.added) | set(found.kept) == set(new)
    assert set(found.removed) | set(found.kept) == set(old)
    still = [each for each in found.kept if each not in {name for name, _ in found.moved}]
    assert [each for each in old if each in still] == still
    for name, behind in found.moved:
        at = new.index(name)
        assert behind == (new[at - 1] if at else None)
