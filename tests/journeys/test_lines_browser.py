"""Lines in a real browser: typed, pasted from a spreadsheet, summed, moved; cards on a phone."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import models
from browsing import answering, barriers, window
from pagesite import PageSite, make_pages
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "product": {"name": "text(80) required sortable searchable"},
    "quote": {"name": "text(80) required sortable", "note": "text"},
    "item": {
        "name": "text(80)",
        "quote": {"type": "master_detail", "options": {"target": "quote"}},
        "product": {"type": "lookup", "label": {"zh": "产品", "en": "Product"}, "required": True,
                    "options": {"target": "product"}},
        "quantity": {"type": "integer", "label": {"zh": "数量", "en": "Quantity"}},
        "amount": {"type": "currency", "label": {"zh": "金额", "en": "Amount"}},
        "kind": {"type": "picklist", "label": {"zh": "类别", "en": "Kind"}, "options": {"values": [
            {"code": "machine", "label": {"zh": "整机", "en": "Machine"}},
            {"code": "part", "label": {"zh": "配件", "en": "Part"}}]}},
        "rank": "integer",
    },
}  # fmt: skip
LAYOUT = {
    "kind": "layout", "name": "quote.standard", "label": {"en": "Standard"},
    "sections": [
        {"label": {"zh": "基本信息", "en": "Basics"}, "fields": ["name", "note"]},
        {"label": {"zh": "报价明细", "en": "Items"},
         "lines": {"relation": "item.quote", "columns": ["product", "quantity", "amount", "kind"],
                   "position": "rank", "totals": ["quantity", "amount"]}},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [LAYOUT])
        made.person("陈思远", "administrator", "standard_user", language="zh")
        for name in ("VMX-850 五轴加工中心", "桁架机械手 GL-20", "MES 接口与安装调试"):
            made.records.create("product", {"name": name})
        with answering(made.app) as base:
            yield made, base


def test_a_quote_is_typed_pasted_and_saved_by_keyboard(chrome: Browser, site: tuple[PageSite, str]) -> None:
    made, base = site
    context, page, said = window(chrome, base, "陈思远", viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=base)
    page.goto(base + "/o/quote/new")
    page.fill("#f-name", "二期产线")
    rows = page.locator("tbody[data-row]")
    page.get_by_label("第 1 行 产品").fill("VMX")
    option = page.get_by_role("option").first
    expect(option).to_be_visible()
    page.keyboard.press("Enter")
    page.get_by_label("第 1 行 数量").fill("6")
    page.get_by_label("第 1 行 金额").fill("612,000.10")
    page.keyboard.press("Enter")
    expect(rows).to_have_count(2)
    expect(page.get_by_label("第 2 行 产品")).to_be_focused()
    block = "桁架机械手 GL-20\t2\t0.2\t配件\nMES 接口与安装调试\t1\t100\t整机\n"
    page.evaluate("text => navigator.clipboard.writeText(text)", block)
    page.keyboard.press("Control+V")
    expect(rows).to_have_count(3)
    expect(page.locator('[data-total="amount"]')).to_contain_text("¥612,100.30")
    expect(page.locator('[data-total="quantity"]')).to_contain_text("9")
    page.get_by_label("第 3 行 金额").fill("1万")  # as people write it
    expect(page.locator('[data-total="amount"]')).to_contain_text("¥622,000.30")
    page.get_by_label("第 3 行 金额").fill("100")
    third = page.get_by_label("第 3 行 数量")
    third.fill("3")
    expect(page.locator('[data-total="quantity"]')).to_contain_text("11")
    third.press("Alt+ArrowUp")
    expect(page.get_by_label("第 2 行 数量")).to_have_value("3")
    page.get_by_label("复制第 1 行").click()
    expect(rows).to_have_count(4)
    page.get_by_label("删除第 2 行").click()
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="放回").click()
    expect(rows).to_have_count(4)
    page.get_by_label("删除第 2 行").click()
    assert barriers(page) == []
    page.get_by_role("button", name="保存", exact=True).last.click()
    page.wait_for_url("**/o/quote/*-*")
    expect(page.locator(".tw-linesread")).to_contain_text("¥612,100.30")
    query = Query("item", ("product.name", "quantity"), order=(("rank", "asc"),))
    got = [(row["product.name"], row["quantity"]) for row in Reads(made.call).list(query).rows]
    assert got == [("VMX-850 五轴加工中心", 6), ("MES 接口与安装调试", 3), ("桁架机械手 GL-20", 2)]
    assert said == []


def test_on_a_phone_a_line_is_a_card_that_opens(chrome: Browser, site: tuple[PageSite, str]) -> None:
    made, base = site
    _, page, said = window(chrome, base, "陈思远", viewport={"width": 390, "height": 900})
    quote = made.records.create("quote", {"name": "手机上看"}).id
    ids = [row["id"] for row in Reads(made.call).list(Query("product", ("id",))).rows]
    for rank, id in enumerate(ids, start=1):
        made.records.create(
            "item", {"quote": quote, "product": id, "quantity": rank, "amount": 5, "rank": rank}
        )
    page.goto(f"{base}/o/quote/{quote}/edit")
    cards = page.locator("[data-line-open]")
    expect(cards).to_have_count(3)
    expect(page.get_by_label("第 2 行 数量")).to_be_hidden()
    cards.nth(1).click()
    box = page.get_by_label("第 2 行 数量")
    box.fill("40")
    expect(page.locator('[data-total="quantity"]')).to_contain_text("44")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers(page) == []
    page.get_by_role("button", name="下移第 2 行").click()
    expect(page.get_by_label("第 3 行 数量")).to_have_value("40")
    assert said == []
