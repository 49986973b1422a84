"""Many records in a real browser: choose all 500, change, see the counts, undo; a cell by keyboard."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Dialog, Page, expect

import models
from browsing import answering, barriers, overheard, sign_in
from pagesite import PageSite, make_pages
from tabwright.runtime.records.batch import Intent

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "deal": {
        "name": "text(120) required sortable searchable",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost)",
    },
}


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS)
        for name, language in (("陈思远", "zh"), ("Anna", "en")):
            made.person(name, "administrator", "standard_user", language=language)
        names = [f"单 {n:03}" for n in range(500)] + [f'<img src=x onerror="alert({n})">' for n in range(3)]
        values = [{"name": name, "amount": "10", "stage": "open"} for name in names]
        made.records.apply("deal", [Intent("create", values=each) for each in values])
        with answering(made.app) as base:
            yield made, base


def test_all_five_hundred_are_changed_and_taken_back(site: tuple[PageSite, str], page: Page) -> None:
    _, base = site
    complaints = overheard(page)
    sign_in(page, base, "陈思远")
    page.goto(base + "/o/deal?order=name&columns=name,amount,stage&where=" + quote('BEGINS(name, "单")'))
    expect(page.locator("tfoot")).to_contain_text("共 500 条")
    expect(page.locator("tfoot")).to_contain_text("¥5,000.00")
    bar = page.locator(".tw-bulk")
    expect(bar).to_be_hidden()
    # Rows by keyboard: down, tick, a range with shift.
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Shift+X")
    expect(bar).to_contain_text("已选 3 条")
    page.keyboard.press("Escape")
    expect(bar).to_be_hidden()
    page.locator("[data-bulk-page]").check()
    expect(bar).to_contain_text("已选 50 条")
    bar.get_by_text("选择全部 500 条").click()
    expect(bar).to_contain_text("已选全部")
    assert barriers(page) == []
    bar.get_by_role("button", name="批量修改").click()
    page.select_option("#bulk-add", "stage")
    page.get_by_role("button", name="添加字段").click()
    page.select_option("#f-stage", "won")
    assert barriers(page) == []
    page.get_by_role("button", name="预览结果").click()
    expect(page.locator("main")).to_contain_text("500 条会修改")
    assert barriers(page) == []
    page.get_by_role("button", name="修改 500 条").click()
    expect(page.locator(".tw-toast")).to_contain_text("已修改 500 条")
    expect(page.locator("tbody tr").first).to_contain_text("Won")
    page.locator(".tw-toast button").first.click()
    expect(page.locator(".tw-toast")).to_contain_text("恢复 500 条")
    expect(page.locator("tbody tr").first).to_contain_text("Open")
    assert complaints == []


def test_a_cell_is_edited_by_keyboard_and_its_error_stays_there(
    site: tuple[PageSite, str], page: Page
) -> None:
    _, base = site
    sign_in(page, base, "陈思远")
    page.goto(base + "/o/deal?order=name&columns=name,amount,stage&where=" + quote('BEGINS(name, "单")'))
    cell = page.locator("tbody tr").first.locator("td[data-value=amount]")
    page.keyboard.press("j")
    page.keyboard.press("ArrowRight")
    expect(cell).to_be_focused()
    page.keyboard.press("Enter")
    field = cell.locator("input[name=amount]")
    expect(field).to_be_focused()
    field.fill("12O")
    page.keyboard.press("Enter")
    expect(cell.locator(".tw-err")).to_be_visible()
    cell.locator("input[name=amount]").fill("77")
    page.keyboard.press("Enter")
    expect(cell).to_contain_text("77.00")
    expect(page.locator(".tw-toast")).to_contain_text("77")
    page.locator(".tw-toast button").first.click()
    expect(cell).to_contain_text("10.00")


def test_names_run_nothing_and_a_phone_keeps_the_boxes(site: tuple[PageSite, str], page: Page) -> None:
    _, base = site
    heard: list[str] = []

    def hear(dialog: Dialog) -> None:
        heard.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", hear)
    sign_in(page, base, "Anna")
    page.context.add_cookies([{"name": "tw_look", "value": "dark.comfortable", "url": base}])
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(base + "/o/deal?order=name&columns=name,amount,stage&where=" + quote('BEGINS(name, "<img")'))
    page.locator("tbody input[name=id]").first.check()
    expect(page.locator(".tw-bulk")).to_contain_text("1 selected")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers(page) == []
    page.locator(".tw-bulk button[value=delete]").click()
    expect(page.locator("main")).to_contain_text("<img src=x")
    expect(page.locator("main")).to_contain_text("1 will move to the recycle bin")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers(page) == [] and heard == []
