"""Colour rules and the order of the views of an object: made in Studio, enforced on the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import TestResponse

from pagesite import PageSite, Visitor, readable
from studios import in_draft, studio_site

BIG = {
    "kind": "list_view",
    "name": "deal.big",
    "label": {"zh": "大单", "en": "Big"},
    "columns": ["name", "amount"],
}
WON = {"kind": "list_view", "name": "deal.won", "label": {"zh": "赢单", "en": "Won"}, "columns": ["name"]}
LANES = {
    "kind": "list_view",
    "name": "deal.lanes",
    "label": {"zh": "阶段板", "en": "Lanes"},
    "columns": ["name"],
    "way": "board",
    "board": {"by": "stage"},
}
SELLER = {
    "kind": "permission_set",
    "name": "seller",
    "objects": {"*": ["create", "read", "edit", "view_all"]},
    "fields": {"*": {"*": "edit"}},
    "tabs": ["*"],
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with studio_site(request.param, BIG, WON, LANES, SELLER) as made:
        made.records.create("deal", {"name": "Small", "amount": "5", "stage": "open"})
        made.records.create("deal", {"name": "Large", "amount": "500", "stage": "won"})
        yield made


def seen_in(visitor: Visitor, address: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', visitor.get(address).text)
    assert found is not None
    return found[1]


def save(visitor: Visitor, address: str, **form: Any) -> TestResponse:
    return visitor.post(address, {"_bench": "script", "seen": seen_in(visitor, address), **form})


def save_view(visitor: Visitor, **form: Any) -> TestResponse:
    plain = {"label.zh": "大单", "label.en": "Big", "columns": ["name", "amount"], "way": "table"}
    return save(visitor, "/studio/views/deal.big", **plain, audience="everybody", coloured="yes", **form)


def rule(key: str, when: str, colour: str, means: str, field: str = "") -> dict[str, str]:
    return {
        f"when:{key}": when,
        f"colour:{key}": colour,
        f"means:{key}.zh": means,
        f"field:{key}": field,
    }


def body(site: PageSite, visitor: Visitor, name: str) -> dict[str, Any]:
    found = in_draft(site, visitor, "list_view", name)
    assert found is not None
    return dict(found.body)


def tabs(visitor: Visitor, address: str = "/o/deal") -> list[str]:
    """The names of the views in the bar, in their order."""
    page = visitor.get(address).text
    bar = page[page.index('class="tw-viewtabs"') : page.index("tw-allviews")]
    names = [each.strip() for each in re.findall(r"[^<>]+", bar)]
    return [each for each in names if each in ("大单", "赢单", "阶段板", "全部")]


def test_colours_are_made_in_their_order_and_shown_on_the_draft(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    rules = {"colours": ["new1", "r0"], **rule("r0", "amount > 100", "green", "大")}
    answer = save_view(admin, **(rules | rule("new1", 'ISPICKVAL(stage, "won")', "red", "赢", "amount")))
    assert answer.status_code == 200, answer.text
    made = body(both, admin, "deal.big")["colours"]
    assert [(each["colour"], each["label"], each.get("field")) for each in made] == [
        ("red", {"zh": "赢"}, "amount"),
        ("green", {"zh": "大"}, None),
    ]
    preview = admin.get("/studio/views/deal.big/preview").text
    assert preview.count('data-mark="green"') == 1 and 'data-mark="red"' in preview
    assert "大" in readable(preview), "words stand beside a colour"
    page = admin.get("/studio/views/deal.big").text
    assert 'name="when:r0"' in page and page.index('value="赢"') < page.index('value="大"')
    assert 'data-href="/studio/filter/deal"' in page and 'aria-label="绿"' in page
    assert "data-mark" not in both.person("小卖", "seller").get("/o/deal?view=big").text, "it is a draft"


def test_a_rule_without_a_condition_is_still_being_made_and_a_wrong_one_is_told(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    assert save_view(admin, colours=["new1"], **rule("new1", "", "red", "")).status_code == 200
    assert "colours" not in body(both, admin, "deal.big")
    for when, means, at in (("nosuch > 1", "x", "/colours/0/when"), ("amount > 1", "", "/colours/0/label")):
        wrong = save_view(admin, colours=["new1"], **rule("new1", when, "red", means))
        assert wrong.status_code == 422
        assert [each["at"] for each in wrong.get_json()["faults"]][0].startswith(at)


def test_without_the_colours_of_a_form_those_of_the_view_stay(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    save_view(admin, colours=["r0"], **rule("r0", "amount > 100", "green", "大"))
    plain = {"label.zh": "大单", "columns": ["name"], "way": "table", "audience": "everybody"}
    assert save(admin, "/studio/views/deal.big", **plain).status_code == 200
    assert len(body(both, admin, "deal.big")["colours"]) == 1


def test_views_stand_in_the_order_that_an_admin_gives_them(both: PageSite) -> None:
    admin, seller = both.person("管理员", "administrator"), both.person("小卖", "seller")
    page = admin.get("/studio/view-order/deal").text
    assert page.index('value="all"') > page.index('value="won"'), "the generated one comes last"
    answer = save(admin, "/studio/view-order/deal", views=["lanes", "won", "all", "big"])
    assert answer.status_code == 200, answer.text
    places = {name: body(both, admin, f"deal.{name}")["place"] for name in ("lanes", "won", "big")}
    assert places["lanes"] < places["won"] < 100 < places["big"]
    before = tabs(seller)
    assert before[-1] == "全部", "a draft affects nobody"
    admin.get("/studio/view-order/deal")
    done = admin.post("/studio/view-order/deal/publish", {"back": "/o/deal"})
    assert done.headers["Location"] == "/o/deal", done.headers["Location"]
    assert tabs(seller) == ["阶段板", "赢单", "全部", "大单"] != before, "boards and tables alike"
    assert "Small" in seller.get("/o/deal").text and 'aria-current="page"' in seller.get("/o/deal").text
    assert tabs(seller, "/o/deal/board?view=lanes") == ["阶段板", "赢单", "全部", "大单"]
    again = admin.get("/studio/view-order/deal").text
    assert [again.index(f'value="{each}"') for each in ("lanes", "won", "all", "big")] == sorted(
        again.index(f'value="{each}"') for each in ("lanes", "won", "all", "big")
    )


def test_the_object_opens_with_the_one_that_is_chosen(both: PageSite) -> None:
    admin, seller = both.person("管理员", "administrator"), both.person("小卖", "seller")
    order = ["big", "won", "lanes", "all"]
    assert save(admin, "/studio/view-order/deal", views=order, first="won").status_code == 200
    assert body(both, admin, "deal.won")["default"] is True
    assert save(admin, "/studio/view-order/deal", views=order, first="lanes").status_code == 200
    assert "default" not in body(both, admin, "deal.won"), "there is one"
    admin.get("/studio/view-order/deal")
    admin.post("/studio/view-order/deal/publish", {"back": "/o/deal"})
    assert "/o/deal/board" in seller.get("/o/deal").headers["Location"]
    assert save(admin, "/studio/view-order/deal", views=order, first="").status_code == 200
    assert "default" not in body(both, admin, "deal.lanes")


def test_a_view_that_the_form_did_not_know_keeps_its_place_at_the_end(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    assert save(admin, "/studio/view-order/deal", views=["won", "nosuch"]).status_code == 200
    assert body(both, admin, "deal.won")["place"] == 1
    assert body(both, admin, "deal.big")["place"] > 1
    looker = both.person("查看", "looker")
    assert looker.get("/studio/view-order/deal").status_code == 200
    assert looker.post("/studio/view-order/deal", {"views": "won"}).status_code == 403
