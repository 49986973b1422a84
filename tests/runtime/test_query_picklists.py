"""Picklists sort as the admin has put their values: lists, pages, groups (decision 0018)."""

from collections.abc import Callable
from typing import Any

import pytest

from models import document, documents
from tabwright.runtime.query.aggregate import aggregate
from tabwright.runtime.query.asked import Aggregation, Direction, GroupBy, Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Intent
from world import Document, World, field_doc, world  # noqa: F401

Make = Callable[..., World]
STAGES = ("new", "talk", "won", "lost", "asleep")  # in no order of letters
GIVEN = ("won", None, "lost", "new", "zzz", "talk", "new", "Abc", "won", None, "asleep", "zzz", "lost")


def picklist(codes: tuple[str, ...]) -> dict[str, Any]:
    values = [{"code": code, "label": {"en": code}, "active": code != "asleep"} for code in codes]
    return {"values": values, "restricted": False}


def stage(codes: tuple[str, ...] = STAGES) -> Document:
    return field_doc("deal.stage", "picklist", options=picklist(codes))


def view(field: str) -> Document:
    return document("list_view", "deal.by", columns=["name"], order=[[field, "asc"]])


@pytest.fixture(params=["with an index", "without"])
def crm(request: pytest.FixtureRequest, world: Make) -> World:  # noqa: F811
    made = [
        *documents({"account": {"name": "text"}, "deal": {"name": "text", "account": "lookup(account)"}}),
        field_doc("account.industry", "picklist", options=picklist(("z", "a", "m"))),
        stage(),
        view("stage" if request.param == "with an index" else "name"),
    ]
    w = world(made)
    fill(w)
    return w


def fill(w: World) -> None:
    every = [{"code": code, "label": {"en": code}} for code in STAGES]
    w.publish([field_doc("deal.stage", "picklist", options={"values": every, "restricted": False})])
    rows = [
        Intent("create", values={"name": f"d{n:02}", **({"stage": code} if code else {})})
        for n, code in enumerate(GIVEN)
    ]
    assert not w.records.apply("deal", rows).failed
    w.publish([stage()])  # one of them is no longer given


def place(code: str | None, codes: tuple[str, ...]) -> tuple[int, str]:
    return (codes.index(code), "") if code in codes else (len(codes), code or "")


def expected(codes: tuple[str, ...], direction: Direction) -> list[str | None]:
    filled = sorted((code for code in GIVEN if code), key=lambda code: place(code, codes))
    return [*(reversed(filled) if direction == "desc" else filled), None, None]


def pages(w: World, query: Query, size: int, between: Callable[[], object] = lambda: None) -> list[Any]:
    found: list[Any] = []
    cursor: str | None = None
    while True:
        page = Reads(w.call).list(Query(query.object, query.fields, query.where, query.order, size, cursor))
        found += page.rows
        cursor = page.next_cursor
        if cursor is None:
            return found
        between()


@pytest.mark.parametrize("direction", ["asc", "desc"])
def test_lists_and_every_page_of_them(crm: World, direction: Direction) -> None:
    for order in (
        (("stage", direction),),
        (("stage", direction), ("name", "desc")),
        (("stage", direction), ("account.industry", "asc"), ("name", "asc")),
    ):
        query = Query("deal", ("name", "stage"), order=order)
        whole = Reads(crm.call).list(query).rows
        assert [row["stage"] for row in whole] == expected(STAGES, direction)
        for size in (1, 2, 5):
            assert pages(crm, query, size) == whole
    names = [
        row["name"]
        for row in pages(crm, Query("deal", ("name",), order=(("name", "desc"), ("stage", direction))), 3)
    ]
    assert names == sorted(names, reverse=True)
    few = Query("deal", ("stage",), 'name < "d06"', order=(("stage", direction),))
    assert [row["stage"] for row in pages(crm, few, 2)] == [
        code for code in dict.fromkeys(expected(STAGES, direction)) if code in GIVEN[:6]
    ]


def test_another_order_of_values_is_the_order_from_then_on(crm: World) -> None:
    other = ("lost", "asleep", "new", "won", "talk")
    query = Query("deal", ("name", "stage"), order=(("stage", "asc"),))
    Reads(crm.call).list(query)
    crm.publish([stage(other)])
    assert [row["stage"] for row in Reads(crm.call).list(query)] == expected(other, "asc")
    crm.publish([stage(("lost", "new"))])  # the others are no values any more: after these, by code
    assert [row["stage"] for row in pages(crm, query, 2)] == expected(("lost", "new"), "asc")


def test_a_page_goes_on_after_its_last_value_when_values_changed_places(crm: World) -> None:
    query = Query("deal", ("name", "stage"), order=(("stage", "asc"),))
    first = Reads(crm.call).list(Query("deal", ("stage",), order=query.order, limit=3))
    assert [row["stage"] for row in first.rows] == ["new", "new", "talk"]
    other = ("won", "talk", "lost", "new", "asleep")
    crm.publish([stage(other)])
    rest = Reads(crm.call).list(Query("deal", ("stage",), order=query.order, cursor=first.next_cursor))
    whole = expected(other, "asc")
    assert [row["stage"] for row in rest.rows] == whole[whole.index("talk") + 1 :]


def test_over_a_lookup_also_when_only_the_other_object_changes(crm: World) -> None:
    accounts = {code: crm.records.create("account", {"name": code, "industry": code}).id for code in "amz"}
    rows = Reads(crm.call).list(Query("deal", ("id",), limit=3)).rows
    for row, id in zip(rows, accounts.values(), strict=True):
        crm.records.update("deal", row["id"], {"account": id})
    query = Query("deal", ("account.industry",), "NOT(ISBLANK(account))", (("account.industry", "asc"),))
    assert [row["account.industry"] for row in pages(crm, query, 1)] == ["z", "a", "m"]
    crm.publish([field_doc("account.industry", "picklist", options=picklist(("m", "z", "a")))])
    assert [row["account.industry"] for row in pages(crm, query, 1)] == ["m", "z", "a"]


def test_groups_stand_in_the_order_of_values(crm: World) -> None:
    def groups(**asked: Any) -> list[Any]:
        found = aggregate(crm.call, Aggregation("deal", group=(GroupBy("stage"),), **asked))
        return [row["stage"] for row in found.rows]

    once = list(dict.fromkeys(expected(STAGES, "asc")))
    assert groups() == once
    assert groups(order=(("stage", "asc"),)) == once
    assert groups(order=(("stage", "desc"),)) == list(dict.fromkeys(expected(STAGES, "desc")))
    assert groups(where='stage <> "won" && stage <> "new"') == [
        c for c in once if c not in ("won", "new", None)
    ] + [None]
    by_count = groups(order=(("count", "desc"),))
    assert by_count[-2:] == ["asleep", "Abc"] and by_count[:3] == ["new", "won", "lost"]
