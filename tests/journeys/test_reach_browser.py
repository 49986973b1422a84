"""Small windows, large zoom, small targets, hidden focus, motion: every page type (UX54, UX55, UX60)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

import models
from browsing import answering, window
from pagesite import PageSite, make_pages
from reach import covered_focus, moving, small_targets, too_wide

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "phone": "phone"},
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost)",
        "close_date": "date",
        "key_deal": "boolean",
        "needs": "long_text(2000)",
    },
}
EXTRA: list[dict[str, Any]] = [
    {"kind": "app", "name": "sales", "label": {"zh": "销售", "en": "Sales"}, "tabs": ["deal", "account"]},
    {"kind": "tab", "name": "deal", "label": {"zh": "商机", "en": "Deals"}, "object": "deal"},
    {"kind": "tab", "name": "account", "label": {"zh": "客户", "en": "Accounts"}, "object": "account"},
]
PLACES = (
    "/", "/o/deal", "/o/deal/board", "/o/deal/calendar", "@", "@/edit", "@/delete",
    "/o/deal/new", "/o/deal/import", "/search?q=Nord", "/bin", "/settings", "/more", "/notices", "/help",
    "/studio", "/studio/objects", "/studio/objects/deal", "/studio/objects/new",
    "/studio/objects/deal/new-field?type=picklist", "/studio/c/field/deal.stage",
    "/studio/new/validation_rule?object=deal", "/studio/new/layout?object=deal",
    "/studio/new/list_view?object=deal", "/studio/new/app", "/studio/c/permission_set/standard_user",
    "/studio/plan", "/studio/releases", "/studio/translations", "/studio/packages", "/studio/trash",
)  # fmt: skip
WINDOWS = {
    "320 px": {"width": 320, "height": 640},
    "200 %": {"width": 640, "height": 450},  # what a window of 1280 x 900 has left
}
STOPS = 40


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, EXTRA)
        made.person("管理员", "administrator", language="zh")
        made.person("Admin", "administrator", language="en")
        for title in ("苏州恒锐精密机械有限公司", "Nordwind Logistics GmbH"):
            account = made.records.create("account", {"name": title, "phone": "13800006620"})
            made.records.create(
                "deal",
                {"name": f"{title} 二期", "account": str(account.id), "stage": "open", "amount": "3860000",
                 "close_date": "2026-11-28"},
            )  # fmt: skip
        with answering(made.app) as base:
            yield made, base


@pytest.mark.parametrize(("who", "size"), [("管理员", "320 px"), ("Admin", "200 %")])
def test_every_page_can_be_reached_in_a_small_window(
    site: tuple[PageSite, str], chrome: Browser, who: str, size: str
) -> None:
    _, base = site
    _, page, complaints = window(chrome, base, who, viewport=WINDOWS[size])
    page.goto(base + "/o/deal")
    found = []
    record = page.locator("a[href^='/o/deal/0']").first.get_attribute("href")
    assert record is not None
    for place in PLACES:
        page.goto(base + place.replace("@", record.partition("?")[0]))
        expect(page.locator("main")).to_be_visible()
        seen = [*too_wide(page), *small_targets(page), *moving(page), *covered_focus(page, STOPS)]
        found += [f"{place} {each}" for each in seen]
    assert complaints == []
    assert not found, "\n".join(found)
