"""The editors of apps and tabs over HTTP: the navigation that people get, and who gets it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

import models
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.admin_ui.icons import icons

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable"},
    "deal": {"name": "text(120) required", "amount": "currency(16,2)"},
}
TABS = [
    {"kind": "tab", "name": "accounts", "label": {"zh": "客户", "en": "Accounts"}, "object": "account"},
    {"kind": "tab", "name": "deals", "label": {"zh": "商机", "en": "Deals"}, "object": "deal"},
    {
        "kind": "list_view",
        "name": "deal.big",
        "label": {"en": "Big deals"},
        "columns": ["name"],
        "where": "amount > 9",
    },
]
SALES = {
    "kind": "app",
    "name": "sales",
    "label": {"zh": "销售", "en": "Sales"},
    "tabs": ["accounts", "deals"],
}
DESK = {"kind": "app", "name": "desk", "label": {"zh": "服务", "en": "Service"}, "tabs": ["accounts"]}
SELLER: dict[str, Any] = {
    "kind": "permission_set",
    "name": "seller",
    "label": {"zh": "销售员", "en": "Seller"},
    "objects": {"deal": ["read", "view_all"], "account": ["read", "view_all"]},
    "fields": {"*": {"*": "read"}},
    "tabs": ["accounts", "deals"],
    "apps": ["sales"],
}


@pytest.fixture
def site() -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [*TABS, SALES, DESK, SELLER])
        yield made


def save(visitor: Visitor, at: str, form: dict[str, Any]) -> TestResponse:
    page = visitor.get(f"/studio/{at}")
    assert page.status_code == 200, readable(page)[:300]
    seen = re.search(r'name="seen" value="([^"]*)"', page.text)
    assert seen is not None
    return visitor.post(f"/studio/{at}", {"_bench": "script", "seen": seen[1], **form})


def app_form(**changed: Any) -> dict[str, Any]:
    form = {"label.zh": "销售", "label.en": "Sales", "tabs": ["accounts", "deals"], "colour": "blue"}
    return form | {"icon": "layout-grid", "asked": "yes", "set": ["seller"]} | changed


def tab_form(**changed: Any) -> dict[str, Any]:
    form = {"label.zh": "商机", "label.en": "Deals", "target": "object", "object": "deal", "icon": "box"}
    return form | {"asked": "yes", "set": ["seller"], "app": ["sales"]} | changed


def publish(visitor: Visitor) -> None:
    page = visitor.get("/studio/plan").text
    expected = re.search(r'name="expected" value="([^"]*)"', page)
    assert expected is not None
    answer = visitor.post("/studio/publish", {"expected": expected[1], "note": "x"})
    assert answer.status_code == 303, readable(answer)[:600]


def nav(visitor: Visitor) -> list[str]:
    return re.findall(r'data-tab="([^"]*)"', visitor.get("/").text)


def test_the_order_icon_and_colour_of_an_app(site: PageSite) -> None:
    admin, seller = site.person("ana", "administrator"), site.person("sam", "seller", language="en")
    assert nav(seller) == ["accounts", "deals"]
    form = app_form(tabs=["deals", "accounts"], icon="rocket", colour="teal")
    answer = save(admin, "apps/sales", form)
    assert answer.status_code == 200 and answer.json is not None and answer.json["changed"] == 1
    shown = admin.get("/studio/apps/sales/preview").text
    assert shown.index("商机") < shown.index("客户") and "#rocket" in shown
    admin.get("/studio/apps/sales")
    assert admin.post("/studio/apps/sales/publish", {"back": "/"}).headers["Location"] == "/"
    assert nav(seller) == ["deals", "accounts"]
    home = seller.get("/").text
    assert 'data-c="teal"' in home and "#rocket" in home


def test_every_icon_has_words_in_chinese_and_is_found_by_them(site: PageSite) -> None:
    found = {each.value: each for each in icons("zh")}
    assert [name for name, each in found.items() if each.label == name.replace("-", " ")] == []
    assert "汽车" in found["car"].find and "qiche" in found["car"].find and "car" in found["car"].find
    admin = site.person("ana", "administrator", language="zh")
    page = admin.get("/studio/c/object/account").text
    assert 'title="汽车"' in page and 'name="/icon" value="car"' in page
    assert 'name="/icon" value="" aria-label="箱子" checked' in page  # what holds where none is chosen


def test_saving_as_it_stands_changes_nothing(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    for at, form in (("apps/sales", app_form()), ("tabs/deals", tab_form())):
        answer = save(admin, at, form)
        assert answer.json is not None and answer.json["changed"] == 0, (at, answer.json)


def test_who_sees_an_app_is_in_their_permission_set(site: PageSite) -> None:
    admin, seller = site.person("ana", "administrator"), site.person("sam", "seller", language="en")
    assert "Service" not in seller.get("/more").text
    form = app_form(tabs=["accounts"]) | {"label.zh": "服务", "label.en": "Service"}
    assert save(admin, "apps/desk", form).status_code == 200
    answer = admin.post("/studio/apps/desk/publish", {"back": "/"})
    assert answer.headers["Location"].startswith("/studio/plan"), (
        "rights are looked at before they are published"
    )
    publish(admin)
    assert "Service" in seller.get("/more").text
    assert save(admin, "apps/desk", form | {"set": []}).status_code == 200
    publish(admin)
    assert "Service" not in seller.get("/more").text


def test_people_begin_in_the_default_app(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    form = app_form(tabs=["accounts"], default="yes") | {"label.zh": "服务", "label.en": "Service", "set": []}
    assert nav(admin) == ["accounts", "deals"], "the app with the most tabs, where none is the default"
    assert save(admin, "apps/desk", form).status_code == 200
    publish(admin)
    assert nav(site.person("bea", "administrator")) == ["accounts"]
    assert save(admin, "apps/sales", app_form(default="yes")).status_code == 200
    publish(admin)
    assert nav(site.person("cat", "administrator")) == ["accounts", "deals"], "there is one default app"


def test_a_tab_opens_an_object_a_view_or_a_page(site: PageSite) -> None:
    admin, seller = site.person("ana", "administrator"), site.person("sam", "seller", language="en")
    for changed, href in (
        ({"target": "list_view", "list_view": "deal.big"}, 'href="/o/deal?view=big"'),
        ({"target": "url", "url": "/bin"}, 'href="/bin" data-tab="deals"'),
        ({"target": "object", "object": "account"}, 'href="/o/account" data-tab="deals"'),
    ):
        assert save(admin, "tabs/deals", tab_form(**changed)).status_code == 200, changed
        publish(admin)
        assert href in seller.get("/").text, changed
    assert (
        save(admin, "tabs/deals", tab_form(icon="rocket", set=[], app=["sales", "desk"])).status_code == 200
    )
    publish(admin)
    assert nav(seller) == ["accounts"], "who is not shown the tab does not see it"
    assert "#rocket" in admin.get("/").text


def test_what_is_wrong_stands_where_it_is(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("apps/sales", app_form(tabs=[]), "/tabs"),
        ("apps/sales", app_form(tabs=["nothing"]), "/tabs/0"),
        ("tabs/deals", tab_form(target="url", url="nonsense"), "/url"),
        ("tabs/deals", tab_form(target="object", object="nothing"), "/object"),
    ]
    for at, form, pointer in cases:
        answer = save(admin, at, form)
        assert answer.status_code == 422 and answer.json is not None, (at, form)
        assert any(each["at"].startswith(pointer) for each in answer.json["faults"]), answer.json
    answer = save(admin, "tabs/accounts", tab_form(app=["sales"]) | {"label.en": "A", "object": "account"})
    assert answer.status_code == 422, "an app keeps its last tab"


def test_a_new_tab_and_app_stand_in_the_navigation(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    admin.get("/studio/new-tab")
    made = admin.post("/studio/new-tab", {"label.en": "All deals", "object": "deal", "app": "desk"})
    assert made.headers["Location"] == "/studio/tabs/all_deals"
    admin.get("/studio/new-app")
    assert admin.post("/studio/new-app", {"label.en": "Empty"}).status_code == 422
    made = admin.post("/studio/new-app", {"label.en": "Second", "tabs": ["all_deals", "deals"]})
    assert made.headers["Location"] == "/studio/apps/second"
    publish(admin)
    assert "all_deals" in nav(admin) or "all_deals" in re.findall(
        r'data-tab="([^"]*)"', admin.get("/?app=second").text
    )
    assert admin.get("/studio/new/app").headers["Location"] == "/studio/new-app"


def test_the_app_one_is_in_leads_to_its_editor_and_the_built_in_one_is_closed(site: PageSite) -> None:
    admin, seller = site.person("ana", "administrator"), site.person("sam", "seller")
    assert "/studio/here?app=sales" in admin.get("/").text and "/studio/here" not in seller.get("/").text
    to = admin.get("/studio/here?app=sales&page=/o/deal").headers["Location"]
    assert to == "/studio/apps/sales?back=%2Fo%2Fdeal"
    shown = admin.get("/studio/apps/administration")
    assert shown.status_code == 200 and '<fieldset class="st-plain" disabled>' in shown.text
    assert seller.get("/studio/apps/sales").status_code == 403
