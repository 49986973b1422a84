"""What a person makes of an object's lists: widths of columns, pinned views, the board that opens; on both
databases.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.personal.lists import MOST_PINS, MOST_SIZED, ListLook, look_of

CRM: models.Compact = {
    "deal": {
        "name": "text(120) required sortable searchable",
        "source": "picklist(web,fair)",
        "deal_stage": "picklist(open,won)",
        "rating": "picklist(hot,cold) required",
        "amount": "currency(16,2)",
        "close": "date",
        "signed": "date",
    },
    "parcel": {
        "name": "text(120) required sortable searchable",
        "size": "picklist(s,m)",
        "carrier": "picklist(a,b) required",
    },
}
VIEWS = [
    {
        "kind": "list_view", "name": f"deal.{name}", "label": {"en": name, "zh": name},
        "columns": ["name", {"field": "amount", "width": 90}, "close"], "order": [["name", "asc"]],
    }
    for name in ("first", "second", "third")
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, VIEWS)
        made.records.create("deal", {"name": "甲单", "rating": "hot", "amount": 5})
        made.records.create("parcel", {"name": "一", "carrier": "a"})
        yield made


@pytest.fixture
def visitor(site: PageSite, request: pytest.FixtureRequest) -> Visitor:
    return site.person(f"人{abs(hash(request.node.name)) % 10**9}", "administrator", "standard_user")


def cols(page: str) -> list[str]:
    return re.findall(r'<col width="(\d+)">', page)


def tabs(page: str) -> list[str]:
    bar = page[page.index('class="tw-viewtabs"') : page.index("</nav>", page.index('class="tw-viewtabs"'))]
    return [readable(each).split()[0] for each in re.findall(r'<a class="tw-viewtab".*?</a>', bar, re.S)]


def test_widths_are_kept_for_the_person_and_the_view(site: PageSite, visitor: Visitor) -> None:
    page = visitor.get("/o/deal?view=first").text
    assert cols(page) == [] and "is-sized" not in page
    sent = visitor.post(
        "/o/deal/views/widths",
        {"view": "first", "widths": json.dumps({"name": 333, "amount": 10, "close": 5000})},
    )
    assert sent.status_code == 204
    page = visitor.get("/o/deal?view=first").text
    assert cols(page)[1:4] == ["333", "48", "1200"]  # after the boxes; never too narrow to take hold of
    assert cols(page.replace("style=", "")) == cols(page) and " style=" not in page[page.index("<table") :]
    assert cols(visitor.get("/o/deal?view=second").text) == []
    wider = visitor.get("/o/deal?view=first&columns=name,rating,amount").text
    assert cols(wider)[1:4] == ["333", "160", "48"]
    assert cols(site.person(f"别人{id(page)}", "administrator", "standard_user").get("/o/deal").text) == []
    back = visitor.post("/o/deal/views/widths", {"view": "first", "back": "/o/deal?view=first"})
    assert cols(visitor.follow(back).text) == []


@pytest.mark.parametrize("widths", ["[", "[1]", '{"name": "wide"}', '{"name": true}', '{"": 100}'])
def test_widths_that_are_none_are_refused(visitor: Visitor, widths: str) -> None:
    visitor.get("/o/deal")
    assert visitor.post("/o/deal/views/widths", {"view": "first", "widths": widths}).status_code in (400, 422)
    assert visitor.post("/o/deal/views/widths", {"view": "nowhere", "widths": "{}"}).status_code == 404


def test_pinned_views_stand_in_the_bar_in_their_order_and_the_rest_in_a_menu(visitor: Visitor) -> None:
    opens, *_ = tabs(visitor.get("/o/deal").text)
    others = {"first", "second", "third"} - {opens}
    for view in sorted(others, reverse=True):
        visitor.follow(visitor.post("/o/deal/views/pin", {"view": view, "do": "pin", "back": "/o/deal"}))
    low, high = sorted(others)
    page = visitor.get("/o/deal").text
    assert tabs(page) == [high, low, opens]  # where one is stands there too
    assert tabs(visitor.get(f"/o/deal?view={low}").text) == [high, low]
    assert tabs(visitor.get("/o/deal/board").text) == [high, low]
    assert "全部视图 ·" in readable(page)
    visitor.post("/o/deal/views/pin", {"view": low, "do": "earlier"})
    visitor.get("/o/deal")
    visitor.post("/o/deal/views/pin", {"view": high, "do": "unpin"})
    assert tabs(visitor.get(f"/o/deal?view={high}").text) == [low, high]
    assert visitor.post("/o/deal/views/pin", {"view": "nowhere", "do": "pin"}).status_code == 404
    assert visitor.post("/o/deal/views/pin", {"view": "second", "do": "throw"}).status_code == 400


def test_a_board_of_ones_own_can_be_pinned(visitor: Visitor) -> None:
    visitor.get("/o/deal/board?by=source")
    saved = visitor.post("/o/deal/views", {"name": "按来源", "way": "board", "by": "source"})
    key = re.search(r"view=([0-9a-f]{32})", saved.headers["Location"])
    assert key
    visitor.get("/o/deal")
    visitor.post("/o/deal/views/pin", {"view": key[1], "do": "pin"})
    assert tabs(visitor.get("/o/deal").text)[0] == "按来源"


def opened(page: str) -> str:
    found = re.search(r'data-by="(\w+)"', page)
    assert found
    return found[1]


def test_a_board_opens_by_the_stage_then_by_what_was_chosen_last(visitor: Visitor) -> None:
    assert opened(visitor.get("/o/deal/board").text) == "deal_stage"
    assert opened(visitor.get("/o/parcel/board").text) == "carrier"  # the one that every record has
    assert opened(visitor.get("/o/deal/board?by=source").text) == "source"
    page = visitor.get("/o/deal/board").text
    assert opened(page) == "source" and opened(visitor.get("/o/parcel/board").text) == "carrier"
    assert opened(visitor.get("/o/deal/board?by=nothing").text) == "deal_stage"


def test_a_calendar_opens_by_the_date_that_was_chosen_last(visitor: Visitor) -> None:
    start = re.compile(r'data-start="(\w+)" data-end="(\w*)"')

    def shown(path: str) -> tuple[str, str]:
        found = start.search(visitor.get(path).text)
        assert found
        return found[1], found[2]

    assert shown("/o/deal/calendar") == ("close", "")
    assert shown("/o/deal/calendar?start=close&end=signed") == ("close", "signed")
    assert shown("/o/deal/calendar") == ("close", "signed")
    assert shown("/o/deal/calendar?start=signed&end=-") == ("signed", "")
    assert shown("/o/deal/calendar") == ("signed", "")


def test_a_look_that_no_longer_fits_reads_as_nothing_chosen() -> None:
    look = ListLook().pinning("a", 0).choosing({"by": "stage"}).sizing("v", {"name": 100})
    assert look_of(look.as_json()) == look
    unfit: list[Any] = [
        None,
        [],
        {"pins": "a"},
        {"widths": {"v": {"name": "x"}}},
        {"ways": {"where": "x"}},
        {"no": 1},
    ]
    for wrong in unfit:
        assert look_of(wrong) == ListLook()
    many = ListLook()
    for n in range(MOST_SIZED + 3):
        many = many.sizing(f"v{n}", {"name": 100})
    assert len(many.widths) == MOST_SIZED and "v0" not in many.widths and MOST_PINS > 3
