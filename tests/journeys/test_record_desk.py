"""The record's own desk in a real browser: edit in place, quick create, drafts, comments."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import models
from browsing import answering, barriers, overheard, sign_in
from pagesite import PageSite, make_pages

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "phone": "phone"},
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,lost) required",
        "why_lost": "text(80)",
        "key_deal": "boolean",
        "needs": "long_text(2000)",
    },
}
EXTRA: list[dict[str, Any]] = [
    {
        "kind": "layout",
        "name": "deal.standard",
        "sections": [
            {
                "label": {"en": "Deal", "zh": "商机"},
                "columns": 2,
                "fields": [
                    "name", "account", "amount", "stage",
                    {"field": "why_lost", "visible": 'ISPICKVAL(stage, "lost")', "required": True},
                    "key_deal", {"field": "needs", "span": 2}, "owner",
                ],
            }
        ],
    },
    {
        "kind": "layout",
        "name": "account.standard",
        "sections": [{"label": {"en": "Account", "zh": "客户"}, "fields": ["name", "phone"]}],
        "related": [{"field": "deal.account", "columns": ["name", "amount", "stage"]}],
    },
    {
        "kind": "validation_rule", "name": "deal.big", "label": {"en": "Big"},
        "condition": "amount > 1000000",
        "message": {"zh": "超过一百万的商机由总监登记", "en": "Deals above a million are the director's"},
        "field": "amount",
    },
]  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, EXTRA)
        for name, language in (("陈思远", "zh"), ("林晓彤", "zh"), ("Anna", "en")):
            made.person(name, "administrator", "standard_user", language=language)
        with answering(made.app) as base:
            yield made, base


def a_deal(site: PageSite, **values: Any) -> str:
    given = {"name": "五轴加工产线", "stage": "open", "amount": "5000", **values}
    return f"/o/deal/{site.records.create('deal', given).id}"


def value(page: Page, field: str) -> Any:
    return page.locator(f'[data-value="{field}"]')


def test_values_are_edited_where_they_stand_by_keyboard(site: tuple[PageSite, str], page: Page) -> None:
    made, base = site
    complaints = overheard(page)
    sign_in(page, base, "陈思远")
    page.goto(base + a_deal(made))
    value(page, "amount").locator("[data-edit]").focus()
    page.keyboard.press("F2")
    expect(page.locator("#f-amount")).to_be_focused()
    page.fill("#f-amount", "2,000,000")
    page.keyboard.press("Enter")  # the rule says no, at the field
    expect(value(page, "amount").locator(".tw-err")).to_have_text("超过一百万的商机由总监登记")
    expect(page.locator("#f-amount")).to_have_value("2,000,000")
    expect(page.locator("#f-amount")).to_be_focused()
    page.keyboard.press("Escape")
    expect(value(page, "amount").locator("dd > span")).to_have_text("¥5,000.00")
    expect(value(page, "amount").locator("[data-edit]")).to_be_focused()
    page.keyboard.press("Enter")
    page.fill("#f-amount", "6,000")
    page.keyboard.press("Tab")  # saves, and opens the next
    expect(page.locator("#f-stage")).to_be_focused()
    expect(value(page, "amount").locator("dd > span")).to_have_text("¥6,000.00")
    expect(page.locator(".tw-toast")).to_contain_text("已把“Amount”改为 ¥6,000.00")
    page.select_option("#f-stage", "lost")
    page.keyboard.press("Enter")  # brings up a field that is required: it is asked for here
    expect(page.locator("#f-why_lost")).to_be_focused()
    page.keyboard.type("价格")
    page.keyboard.press("Enter")
    expect(value(page, "why_lost").locator("dd > span")).to_have_text("价格")
    page.locator(".tw-toast button").click()
    expect(page.locator(".tw-toast")).to_contain_text("已撤销")
    expect(value(page, "why_lost")).to_have_count(0)
    assert complaints == []


def test_a_click_elsewhere_saves_and_lookups_work_in_place(site: tuple[PageSite, str], page: Page) -> None:
    made, base = site
    made.records.create("account", {"name": "苏州恒锐精密机械"})
    sign_in(page, base, "陈思远")
    page.goto(base + a_deal(made))
    value(page, "account").locator("dd > span").click()
    expect(page.locator("#f-account")).to_be_focused()
    page.keyboard.type("恒锐")
    expect(page.get_by_role("option").first).to_contain_text("苏州恒锐")
    page.keyboard.press("Enter")  # takes the option
    expect(page.locator("#f-account")).to_have_value("苏州恒锐精密机械")
    page.locator("h1").click()
    expect(value(page, "account").locator("dd > span a")).to_have_text("苏州恒锐精密机械")
    page.reload()
    expect(value(page, "account").locator("dd > span a")).to_have_text("苏州恒锐精密机械")


def test_a_server_that_is_away_loses_nothing(site: tuple[PageSite, str], page: Page) -> None:
    made, base = site
    sign_in(page, base, "Anna")
    page.goto(base + a_deal(made))
    value(page, "name").locator("dd > span").click()
    page.fill("#f-name", "Typed while away")
    page.route("**/value", lambda route: route.abort())
    page.keyboard.press("Enter")
    expect(value(page, "name").locator(".tw-err")).to_contain_text("Not saved")
    expect(page.locator("#f-name")).to_have_value("Typed while away")
    page.unroute("**/value")
    page.locator("[data-save-cell]").click()
    expect(page.locator("h1")).to_have_text("Typed while away")


@pytest.mark.parametrize(("who", "theme"), [("陈思远", "light"), ("Anna", "dark")])
def test_an_open_editor_has_no_barriers_and_fits_a_phone(
    site: tuple[PageSite, str], page: Page, who: str, theme: str
) -> None:
    made, base = site
    sign_in(page, base, who)
    page.context.add_cookies([{"name": "tw_look", "value": f"{theme}.comfortable", "url": base}])
    page.goto(base + a_deal(made, needs="一\n二"))
    for field in ("amount", "stage", "needs", "account"):
        value(page, field).locator("dd > span").click()
        expect(page.locator(f"#f-{field}")).to_be_focused()
    page.fill("#f-account", "")
    assert barriers(page) == []
    page.set_viewport_size({"width": 390, "height": 800})
    value(page, "amount").locator("dd > span").click()
    expect(page.locator("#f-amount")).to_be_focused()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers(page) == []


def test_a_reload_keeps_what_was_typed(site: tuple[PageSite, str], page: Page) -> None:
    _, base = site
    sign_in(page, base, "陈思远")
    page.goto(base + "/o/deal/new")
    page.fill("#f-name", "写了一半的商机")
    page.fill("#f-amount", "88")
    with page.expect_response("**/o/deal/new/draft"):
        page.locator("#f-amount").press("Tab")
    expect(page.locator("[data-draft-state]")).to_have_text("草稿已保存")
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("#f-name")).to_have_value("")
    assert barriers(page) == []
    page.get_by_role("link", name="恢复草稿").click()
    expect(page.locator("#f-name")).to_have_value("写了一半的商机")
    page.select_option("#f-stage", "open")
    page.click("[data-save]")
    expect(page.locator("h1")).to_have_text("写了一半的商机")
    page.goto(base + "/o/deal/new")
    expect(page.get_by_role("link", name="恢复草稿")).to_have_count(0)


def test_a_lookups_target_is_made_without_losing_the_form(site: tuple[PageSite, str], page: Page) -> None:
    _, base = site
    sign_in(page, base, "林晓彤")
    page.goto(base + "/o/deal/new")
    page.fill("#f-name", "外面的表单")
    page.fill("#f-account", "新来的客户")
    page.locator(".tw-newopt").click()
    dialog = page.locator("dialog.tw-quick")
    expect(dialog.locator("#q-f-name")).to_have_value("新来的客户")
    expect(dialog.locator("#q-f-name")).to_be_focused()
    assert barriers(page) == []
    dialog.locator("#q-f-name").fill("")
    page.keyboard.press("Enter")
    expect(dialog.locator(".tw-err")).to_be_visible()  # the fault stays in the panel
    dialog.locator("#q-f-name").fill("新来的客户有限公司")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(page.locator("#f-account")).to_have_value("新来的客户有限公司")
    expect(page.locator("#f-account")).to_be_focused()
    expect(page.locator("#f-name")).to_have_value("外面的表单")
    page.select_option("#f-stage", "open")
    page.click("[data-save]")
    expect(page.locator(".tw-fields").first).to_contain_text("新来的客户有限公司")
    page.locator('[data-value="account"] dd > span a').click()
    page.locator("[data-quick]").click()
    expect(dialog.locator("#q-f-account")).to_have_value("新来的客户有限公司")
    dialog.locator("#q-f-name").fill("相关列表里新建")
    dialog.locator("#q-f-stage").select_option("open")
    dialog.locator("button[type=submit]").click()
    expect(page.locator('[data-related="1"]')).to_contain_text("相关列表里新建")


def test_possible_duplicates_show_while_typing(site: tuple[PageSite, str], page: Page) -> None:
    made, base = site
    made.records.create("account", {"name": "杭州绿源新能源科技", "phone": "13911112222"})
    sign_in(page, base, "陈思远")
    page.goto(base + "/o/account/new")
    page.locator("#f-name").press_sequentially("绿源")
    told = page.locator(".tw-alike a")
    expect(told).to_contain_text("杭州绿源新能源科技")
    expect(told).to_have_attribute("target", "_blank")
    assert barriers(page) == []
    page.fill("#f-name", "完全不同")
    expect(told).to_have_count(0)


def test_the_conflict_page_takes_all_of_one_side(site: tuple[PageSite, str], page: Page) -> None:
    made, base = site
    sign_in(page, base, "Anna")
    at = a_deal(made)
    page.goto(f"{base}{at}/edit")
    made.records.update("deal", at.rpartition("/")[2], {"amount": "7000", "name": "Theirs"})
    page.fill("#f-amount", "8000")
    page.fill("#f-name", "Mine")
    page.click("[data-save]")
    expect(page.locator('input[value="mine"]:checked')).to_have_count(2)
    page.get_by_role("button", name="All theirs").click()
    expect(page.locator('input[value="theirs"]:checked')).to_have_count(2)
    assert barriers(page) == []
    wide = page.viewport_size
    page.set_viewport_size({"width": 390, "height": 844})  # every choice is there to be touched
    sizes = [each.bounding_box() for each in page.locator(".tw-versus td:has(label), .tw-versus label").all()]
    assert len(sizes) == 8 and all(each is not None and each["height"] >= 44 for each in sizes)
    assert wide is not None
    page.set_viewport_size(wide)
    page.click(".tw-savebar .btn-primary")
    expect(page.locator("h1")).to_have_text("Theirs")
    expect(page.locator(".tw-fields").first).to_contain_text("7,000.00")
