"""An admin customises the list that she stands on, by keys alone, and comes back; on a phone as well."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import models
from browsing import answering, barriers, window
from pagesite import PageSite, make_pages

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "deal": {
        "name": "text(120) required",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost)",
        "close_date": "date",
    },
}
VIEW = {
    "kind": "list_view",
    "name": "deal.mine",
    "label": {"zh": "跟进", "en": "Follow up"},
    "columns": ["name", "amount"],
}
TYPE = {"kind": "record_type", "name": "deal.big", "label": {"zh": "大单", "en": "Big"}}
BRANCH = {
    "kind": "picklist",
    "name": "branch",
    "label": {"zh": "行业", "en": "Branch"},
    "values": [{"code": "steel", "label": {"zh": "钢铁", "en": "Steel"}}],
}
APP = {"kind": "app", "name": "sales", "label": {"zh": "销售", "en": "Sales"}, "tabs": ["deal"]}


@pytest.fixture
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [VIEW, TYPE, BRANCH, APP])
        made.person("ana", "administrator", language="zh")
        made.records.create("deal", {"name": "D1", "stage": "open", "amount": "12"})
        with answering(made.app) as base:
            yield made, base


def saved(page: Page) -> None:
    expect(page.locator("[data-status]")).to_have_text("已存入草稿")


def columns(page: Page) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "[data-ordered=columns] [data-item]", "all => all.map(each => each.dataset.item)"
    )
    return found


def test_a_list_is_customised_by_keys_and_one_comes_back(site: tuple[PageSite, str], chrome: Browser) -> None:
    made, base = site
    _, page, complaints = window(chrome, base, "ana")
    page.goto(f"{base}/o/deal?view=mine")
    page.get_by_role("link", name="自定义此页").focus()
    page.keyboard.press("Enter")
    expect(page.locator("[data-preview]")).to_contain_text("D1")
    page.locator("[data-ordered=columns] summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("stage")
    page.keyboard.press("Enter")
    saved(page)
    assert columns(page) == ["name", "amount", "stage"]
    page.locator('[data-item="stage"] [data-grip]').focus()
    page.keyboard.press("ArrowUp")
    expect(page.locator("[data-said]")).to_contain_text("第 2 个")
    assert columns(page) == ["name", "stage", "amount"]
    page.locator("[data-undo]").focus()
    page.keyboard.press("Enter")
    assert columns(page) == ["name", "amount", "stage"]
    page.locator("[data-redo]").focus()
    page.keyboard.press("Enter")
    assert columns(page) == ["name", "stage", "amount"]
    page.locator("[data-filter-toggle]").focus()
    page.keyboard.press("Enter")
    page.locator("#filter-panel [data-field]").select_option("amount")
    page.locator("#filter-panel [data-operator]").select_option("above")
    page.locator("#filter-panel [data-value]").fill("10")
    page.keyboard.press("Enter")
    expect(page.locator("#where")).to_have_value("amount > 10")
    saved(page)
    assert barriers(page) == []
    page.get_by_role("button", name="发布并返回").focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"{base}/o/deal?view=mine")
    heads = page.locator("thead th[scope=col]:not(.is-check)").all_inner_texts()
    assert [each.strip() for each in heads][1:] == ["stage", "amount"] or "Stage" in heads[1]
    assert complaints == []


def test_every_editor_fits_a_phone_and_has_no_barriers(site: tuple[PageSite, str], chrome: Browser) -> None:
    made, base = site
    _, page, complaints = window(chrome, base, "ana", viewport={"width": 390, "height": 844})
    for at in (
        "views/deal.mine",
        "apps/sales",
        "types/deal.big",
        "assign/deal",
        "picklists/branch",
        "new-tab",
    ):
        page.goto(f"{base}/studio/{at}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, at
        assert barriers(page) == [], at
    assert complaints == []
