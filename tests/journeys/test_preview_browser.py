"""An admin looks at the draft as a colleague and makes colours; a row edited in a list follows them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

import models
from browsing import answering, barriers, window
from pagesite import PageSite, make_pages

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
    },
}
LAYOUT = {
    "kind": "layout",
    "name": "deal.standard",
    "label": {"zh": "标准", "en": "Standard"},
    "sections": [{"fields": ["name", "account", "amount"]}],
}
VIEW = {
    "kind": "list_view",
    "name": "deal.mine",
    "label": {"zh": "跟进", "en": "Follow up"},
    "columns": ["name", "amount"],
    "where": "amount > 10",
    "default": True,
}
SELLER = {
    "kind": "permission_set",
    "name": "seller",
    "objects": {"*": ["create", "read", "edit", "modify_all"]},
    "fields": {"*": {"*": "edit"}, "deal": {"amount": "read"}},
    "tabs": ["*"],
}


@pytest.fixture
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [LAYOUT, VIEW, SELLER])
        made.person("ana", "administrator", language="zh")
        made.person("sam", "seller")
        account = made.records.create("account", {"name": "华兴"}).id
        made.records.create("deal", {"name": "D1", "amount": "500", "account": account})
        with answering(made.app) as base:
            yield made, base


def compare(page: Page, operator: Locator, name: str) -> None:
    """Choose a comparison, and wait for the row that the server makes of it."""
    operator.focus()
    with page.expect_response(lambda answer: "/row?" in answer.url and f"is={name}" in answer.url):
        operator.select_option(name)
    expect(operator).to_be_focused()


def test_the_draft_is_seen_as_a_colleague_on_a_desktop_and_a_phone(
    site: tuple[PageSite, str], chrome: Browser
) -> None:
    _, base = site
    _, page, complaints = window(chrome, base, "ana")
    page.goto(f"{base}/studio/layouts/deal.standard")
    page.locator("[data-preview-as]").focus()
    page.keyboard.press("Enter")
    frame = page.frame_locator("iframe")
    expect(frame.locator(".tw-pubbar")).to_contain_text("ana 眼中的“D1”")
    page.locator("#pv-as").fill("sam")
    page.locator('[role="option"][data-name="sam"]').wait_for()
    page.keyboard.press("Enter")
    expect(frame.locator(".tw-pubbar")).to_contain_text("sam 眼中的“D1”")
    expect(frame.locator("h1")).to_have_text("D1")
    page.get_by_role("link", name="表单").focus()
    page.keyboard.press("Enter")
    expect(frame.locator("input[name=name]")).to_have_value("D1")
    assert frame.locator("input[name=amount]").count() == 0, "sam only reads it"
    frame.locator("[data-save]").click()
    expect(frame.locator("[data-framed-said]")).to_contain_text("不会保存")
    page.get_by_role("link", name="记录页").click()
    frame.get_by_role("link", name="华兴").first.click()
    expect(frame.locator("h1")).to_have_text("华兴")
    expect(page.locator("#pv-as")).to_have_value("sam")
    page.get_by_role("link", name="手机").click()
    expect(page.locator(".pv-stage.is-phone iframe")).to_be_visible()
    assert barriers(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []


def test_colours_are_made_in_rows_and_a_changed_row_follows_them(
    site: tuple[PageSite, str], chrome: Browser
) -> None:
    _, base = site
    _, page, complaints = window(chrome, base, "ana")
    page.goto(f"{base}/studio/views/deal.mine?back=/o/deal")
    page.locator("[data-rules] [data-make]").focus()
    page.keyboard.press("Enter")
    rule = page.locator(".bn-rule")
    rule.locator("[data-field]").select_option("amount")
    compare(page, rule.locator("[data-operator]"), "above")
    rule.locator("input[data-value]").fill("1000")
    rule.locator('[name$=".zh"]').fill("大单")
    rule.get_by_label("绿", exact=True).check(force=True)
    expect(rule.locator("[data-colour-name]")).to_have_text("绿")
    expect(page.locator('[name^="when:"]')).to_have_value("amount > 1000")
    expect(page.locator("[data-status]")).to_have_text("已存入草稿")
    assert barriers(page) == []
    page.get_by_role("button", name="发布并返回").click()
    page.wait_for_url(f"{base}/o/deal")
    row = page.locator("tbody tr").first
    total = page.locator("tfoot")
    expect(total).to_contain_text("500.00")
    for value, mark, note in (("2000", "green", 0), ("5", None, 1)):
        row.locator('[data-value="amount"]').click()
        cell = row.locator(".tw-cell input:not([type=hidden])").first
        cell.fill(value)
        cell.press("Enter")
        if mark:
            expect(row).to_have_attribute("data-mark", mark)
            expect(row.locator(".is-name")).to_contain_text("大单")
            expect(total).to_contain_text("2,000.00")
        expect(row.locator(".tw-left")).to_have_count(note)
    assert row.get_attribute("data-mark") is None, "and it says that it leaves the list"
    assert barriers(page) == []
    assert complaints == []


def test_conditions_of_a_layout_and_a_rule_name_records(site: tuple[PageSite, str], chrome: Browser) -> None:
    _, base = site
    _, page, complaints = window(chrome, base, "ana")
    page.goto(f"{base}/studio/layouts/deal.standard")
    page.locator('[data-focus="field:amount"]').click()
    page.locator('[data-focus="as-rows"]').click()
    page.locator(".lay-rows [data-field]").select_option("account")
    page.locator(".lay-rows [data-token-input]").fill("华")
    page.locator('.lay-rows [role="option"]').first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator(".lay-rows .tw-chip")).to_contain_text("华兴")
    page.locator(".lay-rows [data-apply]").click()
    expect(page.locator("[data-status]")).to_have_text("已存入草稿")
    assert page.locator('[data-focus="visible"]').input_value().startswith("IN(account,")
    page.goto(f"{base}/studio/new/validation_rule?object=deal")
    page.get_by_role("button", name="按行设置").click()
    page.locator(".tw-builder [data-field]").select_option("amount")
    held: list[Route] = []
    page.route("**/row?*is=below*", lambda route: held.append(route))
    with page.expect_request("**/row?*is=below*"):
        page.locator(".tw-builder [data-operator]").select_option("below")
    # What is typed while the server still makes the row is not lost.
    page.locator(".tw-builder input[data-value]").fill("0")
    with page.expect_response("**/row?*is=below*"):
        held[0].continue_()
    expect(page.locator(".tw-builder input[data-value]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-formula] textarea").first).to_have_value("amount < 0")
    assert complaints == []
