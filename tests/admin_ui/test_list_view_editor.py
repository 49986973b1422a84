"""The editor of list views over HTTP: what is saved and refused, what people see of it, the way back."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

import models
from pagesite import PageSite, Visitor, make_pages, readable

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "closes": "date",
        "stage": "picklist(open,won,lost)",
    },
}
VIEW = {
    "kind": "list_view",
    "name": "deal.big",
    "label": {"zh": "大单", "en": "Big"},
    "columns": ["name", "amount"],
    "where": "amount > 100",
}
SELLER = {
    "kind": "permission_set",
    "name": "seller",
    "label": {"zh": "销售", "en": "Seller"},
    "objects": {"deal": ["create", "read", "edit", "view_all"], "account": ["read", "view_all"]},
    "fields": {"*": {"*": "edit"}},
    "tabs": ["*"],
    "apps": ["*"],
}
BOSS = SELLER | {"name": "boss", "label": {"zh": "主管", "en": "Boss"}}
LOOKER = {
    "kind": "permission_set",
    "name": "looker",
    "label": {"zh": "查看者", "en": "Looker"},
    "system": ["view_setup"],
    "objects": {"*": ["read"]},
    "fields": {"*": {"*": "read"}},
    "tabs": ["*"],
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        yield filled(made)


@pytest.fixture
def site() -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        yield filled(made)


def filled(made: PageSite) -> PageSite:
    made.publish(OBJECTS, [VIEW, SELLER, BOSS, LOOKER])
    made.records.create("deal", {"name": "Small", "amount": "5", "stage": "open"})
    made.records.create("deal", {"name": "Large", "amount": "500", "stage": "won", "closes": "2026-11-20"})
    return made


def form_of(visitor: Visitor, name: str = "deal.big") -> dict[str, Any]:
    """What the form of the view ``big`` sends as it was published, on top of the state of a page."""
    answer = visitor.get(f"/studio/views/{name}")
    assert answer.status_code == 200, readable(answer)[:400]
    seen = re.search(r'name="seen" value="([^"]*)"', answer.text)
    assert seen is not None
    labels = {"label.zh": "大单", "label.en": "Big"}
    return {
        "seen": seen[1], **labels, "columns": ["name", "amount"], "where": "amount > 100", "way": "table",
        "audience": "everybody",
    }  # fmt: skip


def save(visitor: Visitor, name: str, form: dict[str, Any]) -> TestResponse:
    return visitor.post(f"/studio/views/{name}", {"_bench": "script", **form})


def document(site: PageSite, visitor: Visitor, name: str = "deal.big") -> dict[str, Any]:
    """The view as the visitor's draft has it."""
    assert visitor.user_id is not None
    with site.call.tenant.store.read() as reader:
        found = site.publishing.drafts.get(reader, visitor.user_id).tree.get("list_view", name)
    assert found is not None
    return dict(found.document)


def publish(visitor: Visitor, name: str = "deal.big", back: str = "") -> TestResponse:
    visitor.get(f"/studio/views/{name}")
    return visitor.post(f"/studio/views/{name}/publish", {"back": back})


def test_a_view_is_saved_as_one_goes_and_shows_after_publishing(both: PageSite) -> None:
    admin, seller = both.person("ana", "administrator"), both.person("sam", "seller", language="en")
    form = form_of(admin)
    form |= {"columns": ["name", "stage", "account.name"], "width:stage": "120", "where": ""}
    form |= {"order.0": "amount", "order.0.way": "desc", "label.en": "Everything"}
    answer = save(admin, "deal.big", form)
    assert answer.status_code == 200 and answer.json is not None and answer.json["faults"] == []
    made = document(both, admin)
    assert made["columns"] == ["name", {"field": "stage", "width": 120}, "account.name"]
    assert made["order"] == [["amount", "desc"]] and "where" not in made
    assert "Small" not in seller.get("/o/deal?view=big").text, "nobody sees a draft"
    assert publish(admin, back="/o/deal?view=big").headers["Location"] == "/o/deal?view=big"
    shown = seller.get("/o/deal?view=big").text
    assert shown.index(">Large<") < shown.index(">Small<") and "Everything" in shown


def test_saving_the_same_again_changes_nothing(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    answer = save(admin, "deal.big", form_of(admin))
    assert answer.json is not None and answer.json["changed"] == 0


def test_what_is_wrong_stands_where_it_is(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    cases: list[tuple[dict[str, Any], str]] = [
        ({"columns": []}, "/columns"),
        ({"columns": ["name", "nothing"]}, "/columns/1"),
        ({"where": "amount >"}, "/where"),
        ({"way": "board"}, "/board"),
        ({"way": "board", "by": "amount"}, "/board/by"),
        ({"way": "board", "by": "stage", "sum": "closes"}, "/board/sum"),
        ({"way": "calendar"}, "/calendar"),
        ({"way": "calendar", "start": "stage"}, "/calendar/start"),
        ({"label.zh": " ", "label.en": ""}, "/label"),
        ({"order.0": "account"}, "/order"),
        ({"columns": ["name"], "width:name": "wide"}, "/columns/0/width"),
    ]
    for changed, at in cases:
        answer = save(admin, "deal.big", form_of(admin) | changed)
        assert answer.status_code == 422 and answer.json is not None, changed
        assert any(each["at"].startswith(at) for each in answer.json["faults"]), (changed, answer.json)
        assert document(site, admin)["columns"] == ["name", "amount"], "a refused save leaves the draft"


def test_who_saves_over_another_window_is_told(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    first = form_of(admin)
    assert save(admin, "deal.big", first | {"label.en": "One"}).status_code == 200
    late = save(admin, "deal.big", first | {"label.en": "Two"})
    assert late.status_code == 409 and late.json is not None and late.json["seen"] != first["seen"]
    assert document(site, admin)["label"]["en"] == "One"
    assert save(admin, "deal.big", first | {"label.en": "Two", "seen": late.json["seen"]}).status_code == 200


def test_without_scripts_the_form_saves_and_keeps_what_was_typed(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    refused = admin.post("/studio/views/deal.big", form_of(admin) | {"where": "amount > ("})
    assert refused.status_code == 422 and "amount &gt; (" in refused.text
    done = admin.post("/studio/views/deal.big", form_of(admin) | {"where": "amount > 7"})
    assert done.status_code == 303 and document(site, admin)["where"] == "amount > 7"


def test_a_view_is_shown_to_whom_it_is_for(both: PageSite) -> None:
    admin = both.person("ana", "administrator")
    boss, seller = both.person("bo", "boss", language="en"), both.person("sam", "seller", language="en")
    assert save(admin, "deal.big", form_of(admin) | {"audience": "sets", "set": ["boss"]}).status_code == 200
    publish(admin)
    assert ">Big" in boss.get("/o/deal").text and ">Big" not in seller.get("/o/deal").text
    hidden = seller.get("/o/deal?view=big").text
    assert "Small" in hidden and "Large" in hidden, "a view that is not theirs is as one that is not there"
    assert "Big" not in seller.get("/palette?q=big").text
    assert save(admin, "deal.big", form_of(admin) | {"audience": "nobody"}).status_code == 200
    publish(admin)
    assert ">Big" not in boss.get("/o/deal").text
    assert "大单" in admin.get("/o/deal").text, "who customises can take it back"


def test_the_view_of_all_stays_until_an_admin_hides_it(both: PageSite) -> None:
    admin, seller = both.person("ana", "administrator"), both.person("sam", "seller", language="en")
    assert "view=all" in seller.get("/o/deal").text, "a first own view does not hide it"
    page = readable(admin.get("/studio/views/deal.all"))
    assert "自动" in page
    form = form_of(admin, "deal.all") | {
        "label.zh": "全部",
        "label.en": "All",
        "where": "",
        "audience": "nobody",
    }
    answer = save(admin, "deal.all", form)
    assert answer.status_code == 200, answer.text
    publish(admin, "deal.all")
    assert "view=all" not in seller.get("/o/deal").text
    assert "Small" not in seller.get("/o/deal").text, "the other view is what is left"


def test_the_object_opens_with_the_default_view_and_there_is_one(both: PageSite) -> None:
    other = VIEW | {
        "name": "deal.won",
        "label": {"en": "Won"},
        "where": 'ISPICKVAL(stage, "won")',
        "default": True,
    }
    both.publish(OBJECTS, [other])
    admin, seller = both.person("ana", "administrator"), both.person("sam", "seller", language="en")
    assert "Small" not in seller.get("/o/deal").text
    form = form_of(admin) | {"default": "yes", "where": "amount < 100"}
    assert save(admin, "deal.big", form).status_code == 200
    assert "default" not in document(both, admin, "deal.won"), "the former one gives way"
    assert publish(admin).status_code == 303
    shown = seller.get("/o/deal").text
    assert "Small" in shown and "Large" not in shown
    seller.get("/o/deal?view=won")
    seller.post("/o/deal/views/open", {"view": "won"})
    assert "Large" in seller.get("/o/deal").text, "what a person chose goes first"


def test_a_board_view_opens_as_a_board_with_its_cards(both: PageSite) -> None:
    admin, seller = both.person("ana", "administrator"), both.person("sam", "seller", language="en")
    form = form_of(admin) | {"way": "board", "by": "stage", "sum": "amount", "cards": ["closes"], "where": ""}
    assert save(admin, "deal.big", form | {"default": "yes"}).status_code == 200
    publish(admin)
    opened = seller.get("/o/deal")
    assert opened.status_code == 303 and opened.headers["Location"] == "/o/deal/board?view=big"
    board = seller.follow(opened)
    assert board.status_code == 200 and "2026-11-20" in board.text and "500" in readable(board)
    assert seller.get("/o/deal?view=big").headers["Location"] == "/o/deal/board?view=big"
    assert seller.get("/o/deal?view=all").status_code == 200
    assert 'href="/o/deal?view=all"' in board.text, "the table can still be reached"


def test_a_calendar_and_cards_show_their_records(site: PageSite) -> None:
    admin, seller = site.person("ana", "administrator"), site.person("sam", "seller", language="en")
    form = form_of(admin) | {"way": "calendar", "start": "closes", "mode": "week"}
    assert save(admin, "deal.big", form).status_code == 200
    publish(admin)
    assert seller.get("/o/deal?view=big").headers["Location"] == "/o/deal/calendar?view=big"
    assert "Large" in seller.get("/o/deal/calendar?view=big&date=2026-11-20").text
    form = form_of(admin) | {"way": "cards", "cards": ["stage"], "density": "compact", "where": ""}
    assert save(admin, "deal.big", form).status_code == 200
    publish(admin)
    cards = seller.get("/o/deal?view=big").text
    assert 'class="tw-cardgrid"' in cards and "Small" in cards and 'data-density="compact"' in cards


def test_the_preview_shows_real_records_of_the_draft(both: PageSite) -> None:
    admin = both.person("ana", "administrator")
    assert save(admin, "deal.big", form_of(admin) | {"where": "amount < 100"}).status_code == 200
    shown = admin.get("/studio/views/deal.big/preview").text
    assert "Small" in shown and "Large" not in shown
    for more in ({"way": "board", "by": "stage"}, {"way": "calendar", "start": "closes"}, {"way": "cards"}):
        assert save(admin, "deal.big", form_of(admin) | {"where": "", **more}).status_code == 200
        assert "Large" in admin.get("/studio/views/deal.big/preview").text, more


def test_rows_of_the_filter_become_a_formula_over_the_draft(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    assert admin.user_id is not None
    score = {"kind": "field", "name": "deal.score", "label": {"en": "Score"}, "type": "integer"}
    site.draft(admin.user_id, score)
    admin.get("/studio/views/deal.big")
    assert 'value="score"' in admin.get("/studio/filter/deal?where=amount%20%3E%20100").text
    condition = json.dumps({"all": [{"field": "amount", "is": "above", "values": ["100"]}]})
    token = re.search(r'name="_csrf" value="([^"]+)"', admin.get("/studio/views/deal.big").text)
    assert token is not None
    answer = admin.post("/studio/filter/deal", {"condition": condition, "_csrf": token[1]})
    assert answer.json is not None and answer.json["where"] == "amount > 100" and "1" in answer.json["count"]


def test_a_new_view_begins_as_the_page_that_was_customised(both: PageSite) -> None:
    admin = both.person("ana", "administrator")
    admin.get("/o/deal")
    admin.post(
        "/o/deal/views", {"name": "Mine", "where": "amount > 9", "columns": "name,stage", "order": "-amount"}
    )
    page = "/o/deal?view=all"
    to = admin.get("/studio/here?page=/o/deal%3Fview%3Dall").headers["Location"]
    assert to == "/studio/views/deal.all?back=%2Fo%2Fdeal%3Fview%3Dall", (page, to)
    assert (
        admin.get("/studio/here?page=/o/deal%3Fview%3Dbig")
        .headers["Location"]
        .startswith("/studio/views/deal.big?")
    )
    mine = re.search(r"view=([0-9a-f]{32})", admin.get("/o/deal").text)
    assert mine is not None
    start = admin.follow(admin.get(f"/studio/here?page=/o/deal%3Fview%3D{mine[1]}"))
    assert start.status_code == 200 and 'value="Mine"' in start.text
    given = {
        name: value
        for name, value in re.findall(r'<input type="hidden" name="(from|back)" value="([^"]*)"', start.text)
    }
    given = {name: value.replace("&amp;", "&") for name, value in given.items()}
    made = admin.post("/studio/new-view/deal", {**given, "label.en": "Mine for all", "way": "table"})
    assert made.status_code == 303 and made.headers["Location"].startswith(
        "/studio/views/deal.mine_for_all?back="
    )
    view = document(both, admin, "deal.mine_for_all")
    assert (view["where"], view["columns"], view["order"]) == (
        "amount > 9",
        ["name", "stage"],
        [["amount", "desc"]],
    )


def test_every_list_page_leads_to_its_editor(site: PageSite) -> None:
    admin, seller = site.person("ana", "administrator"), site.person("sam", "seller")
    for page in ("/o/deal", "/o/deal/board", "/o/deal/calendar"):
        assert "/studio/here?" in admin.get(page).text
        assert "/studio/here?" not in seller.get(page).text
    assert (
        admin.get("/studio/here?page=/o/deal/board%3Fby%3Dstage")
        .headers["Location"]
        .startswith("/studio/new-view/deal?way=board&")
    )
    assert "https:" not in admin.get("/studio/here?page=https://example.com/o/deal").headers["Location"]


def test_who_only_looks_changes_nothing(site: PageSite) -> None:
    looker, seller = site.person("lo", "looker"), site.person("sam", "seller")
    shown = looker.get("/studio/views/deal.big")
    assert shown.status_code == 200 and '<fieldset class="st-plain" disabled>' in shown.text
    form = {"label.en": "X", "columns": ["name"], "way": "table"}
    assert looker.post("/studio/views/deal.big", form).status_code == 403
    assert looker.post("/studio/views/deal.big/publish", {}).status_code == 403
    assert looker.post("/studio/new-view/deal", {"label.en": "X"}).status_code == 403
    assert seller.get("/studio/views/deal.big").status_code == 403
    admin = site.person("ana", "administrator")
    assert admin.get("/studio/views/deal.none").status_code == 404
    assert admin.get("/studio/new-view/nothing").status_code == 404
