"""The pages in a real browser: with scripts, without them, on a phone, and looked at by axe."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

import models
from browsing import answering, barriers, overheard, sign_in
from pagesite import PASSWORD, PageSite, make_pages

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "phone": "phone"},
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account) required",
        "amount": "currency(16,2)",
        "stage": "picklist(open,lost) required",
        "why_lost": "text(80)",
        "close_date": "date",
        "key_deal": "boolean",
        "needs": "long_text(2000)",
    },
}
LAYOUT = {
    "kind": "layout",
    "name": "deal.standard",
    "sections": [
        {
            "label": {"en": "Deal", "zh": "商机"},
            "columns": 2,
            "fields": [
                "name", "account", "amount", "stage",
                {"field": "why_lost", "visible": 'ISPICKVAL(stage, "lost")', "required": True},
                "close_date", "key_deal",
                {"field": "needs", "span": 2, "required_when": "amount > 5000"}, "owner",
            ],
        }
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [LAYOUT])
        for name, language in (("陈思远", "zh"), ("林晓彤", "zh"), ("Anna", "en")):
            visitor = made.person(name, "standard_user", language=language)
            owner = str(visitor.user_id)
            for title in ("苏州恒锐精密机械", "上海绿源新能源科技", "Nordwind Logistics GmbH"):
                account = made.records.create(
                    "account", {"name": title, "owner": owner, "phone": "13800006620"}
                )
                made.records.create(
                    "deal",
                    {"name": f"{title} 二期", "account": str(account.id), "stage": "open",
                     "amount": "3860000", "close_date": "2026-11-28", "owner": owner},
                )  # fmt: skip
        with answering(made.app) as base:
            yield made, base


def test_a_record_is_made_changed_taken_back_deleted_and_restored(
    site: tuple[PageSite, str], page: Page
) -> None:
    _, base = site
    complaints = overheard(page)
    sign_in(page, base, "陈思远")
    page.goto(base + "/o/deal")
    page.keyboard.press("c")
    page.wait_for_url("**/o/deal/new")
    page.fill("#f-name", "五轴加工产线")
    page.fill("#f-account", "shanghai")  # pinyin
    expect(page.get_by_role("option").first).to_contain_text("上海绿源")
    page.keyboard.press("Enter")
    expect(page.locator("#f-account")).to_have_value("上海绿源新能源科技")
    expect(page.locator("#f-why_lost")).to_have_count(0)
    page.select_option("#f-stage", "lost")
    page.locator("#f-why_lost").wait_for()
    expect(page.locator("[data-unsaved]")).to_contain_text("3")
    page.fill("#f-amount", "9000")
    expect(page.locator('label[for="f-needs"] .tw-req')).to_have_count(1)  # more is asked of a large one
    page.fill("#f-amount", "12O")
    page.keyboard.press("Control+s")
    expect(page.locator("#faults")).to_be_focused()
    expect(page.locator("#faults li")).to_have_count(2)  # the amount, and why it was lost
    page.click("#faults li a >> nth=0")
    page.fill("#f-amount", "1,200")
    page.fill("#f-why_lost", "价格")
    page.click("[data-save]")
    expect(page.locator("h1")).to_have_text("五轴加工产线")
    expect(page.locator(".tw-high, .tw-fields").first).to_contain_text("上海绿源新能源科技")
    record = page.url
    page.keyboard.press("e")
    page.wait_for_url("**/edit")
    page.select_option("#f-stage", "open")
    page.click("[data-save]")
    page.wait_for_url(record)
    page.click(".tw-toast button")
    expect(page.locator(".tw-toast")).to_contain_text("已撤销")
    expect(page.locator(".tw-fields")).to_contain_text("价格")
    page.goto(record + "/delete")
    page.click(".btn-seal")
    page.goto(base + "/bin")
    page.get_by_role("button", name="恢复 五轴加工产线").click()
    expect(page.locator("h1")).to_have_text("五轴加工产线")
    assert complaints == []


def test_the_second_saver_chooses(site: tuple[PageSite, str], page: Page) -> None:
    _, base = site
    sign_in(page, base, "林晓彤")
    page.goto(base + "/o/deal")
    page.locator("th.is-name a").first.click()
    page.wait_for_url("**/o/deal/*")
    at = page.url
    page.goto(at + "/edit")
    second = page.context.new_page()
    second.goto(at + "/edit")
    second.fill("#f-amount", "2000")
    second.click("[data-save]")
    second.wait_for_url(at)
    page.fill("#f-amount", "3000")
    page.fill("#f-needs", "两个人")
    page.click("[data-save]")
    table = page.locator(".tw-versus")
    for value in ("3,860,000.00", "3,000.00", "2,000.00"):
        expect(table).to_contain_text(value)
    page.click(".tw-savebar .btn-primary")
    page.wait_for_url(at)
    expect(page.locator("main")).to_contain_text("3,000.00")
    expect(page.locator("main")).to_contain_text("两个人")


def test_everything_works_without_scripts(site: tuple[PageSite, str], chrome: Browser) -> None:
    _, base = site
    context = chrome.new_context(java_script_enabled=False, locale="en-US")
    try:
        page = context.new_page()
        sign_in(page, base, "Anna")
        page.goto(base + "/o/deal/new")
        page.fill("#f-name", "By hand")
        page.fill("#f-account", "Nordwind")
        page.select_option("#f-stage", "open")
        page.click(".tw-savebar .btn-primary")
        expect(page.locator("h1")).to_have_text("By hand")
        expect(page.locator(".tw-fields")).to_contain_text("Nordwind Logistics GmbH")
        page.click("summary[aria-label='More actions']")
        page.click("text=Delete")
        page.click(".btn-seal")
        page.click(".tw-toast button")
        page.goto(base + '/o/deal?where=BEGINS(name,"By")')
        expect(page.locator("tbody tr")).to_have_count(1)
    finally:
        context.close()


PLACES = ("/", "/o/deal", "/o/deal?where=nosuch+%3D+1", "@", "@/edit", "@/delete", "/o/deal/new",
          "/search?q=Nord", "/bin", "/settings", "/more", "/o/nosuch")  # fmt: skip

ON_A_PHONE = ("/o/deal", "@", "/more")


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_no_barrier_and_no_scrolling_sideways(
    site: tuple[PageSite, str], chrome: Browser, language: str, theme: str
) -> None:
    _, base = site
    context = chrome.new_context(
        viewport={"width": 1440, "height": 900},
        reduced_motion="reduce",
        locale="zh-CN" if language == "zh" else "en-US",
    )
    try:
        context.add_cookies([{"name": "tw_look", "value": f"{theme}.comfortable", "url": base}])
        _look_round(context, base, "陈思远" if language == "zh" else "Anna", theme)
    finally:
        context.close()


def _look_round(context: BrowserContext, base: str, who: str, theme: str) -> None:
    page = context.new_page()
    page.goto(base + "/sign-in")
    found = [f"/sign-in {each}" for each in barriers(page)]
    sign_in(page, base, who)
    page.goto(base + "/o/deal")
    page.locator("th.is-name a").first.click()
    page.wait_for_url("**/o/deal/*")
    record = page.url.removeprefix(base)
    for place in PLACES:
        path = place.replace("@", record)
        page.set_viewport_size({"width": 1440, "height": 900})
        page.goto(base + path)
        assert page.locator("html").get_attribute("data-bs-theme") == theme
        found += [f"{place} {each}" for each in barriers(page)]
        page.set_viewport_size({"width": 390, "height": 844})
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found += [f"{place} is {wide} px too wide on a phone"] if wide > 0 else []
        if place in ON_A_PHONE:  # where the phone has other markup
            found += [f"{place} on a phone {each}" for each in barriers(page)]
    assert found == []


def test_a_session_that_ended_loses_no_form(site: tuple[PageSite, str], page: Page) -> None:
    made, base = site
    complaints = overheard(page)
    sign_in(page, base, "Anna")

    def end() -> None:
        made.site.sessions.end_all(made.site.identities.find("Anna@example.com").id)

    page.goto(base + "/o/account/new")
    page.fill("#f-name", "Kept while away")
    with page.expect_response(lambda answer: answer.url.endswith("/draft")):
        page.fill("#f-phone", "13800001111")
    end()
    page.click("[data-save]")
    dialog = page.get_by_role("dialog", name="Sign in again")
    dialog.wait_for()
    assert barriers(page) == []
    # Let go once: the form is as it was, and still guarded.
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("#f-name")).to_have_value("Kept while away")
    page.keyboard.press("Control+s")
    dialog.wait_for()
    page.fill("#session-address", "Anna@example.com")
    page.fill("#session-password", "not the one")
    page.keyboard.press("Enter")
    expect(page.locator("#session-error")).to_be_visible()
    expect(page.locator("#session-address")).to_have_value("Anna@example.com")
    page.fill("#session-password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: not url.endswith("/new"))
    expect(page.get_by_role("heading", name="Kept while away")).to_be_visible()

    # Signed in anew in another tab meanwhile: the form goes through without a word.
    page.goto(base + "/o/account/new")
    with page.expect_response(lambda answer: answer.url.endswith("/draft")):
        page.fill("#f-name", "From before")
    end()
    other = page.context.new_page()
    sign_in(other, base, "Anna")
    page.click("[data-save]")
    expect(page.get_by_role("heading", name="From before")).to_be_visible()
    assert complaints == []


def test_a_form_sent_while_the_page_found_the_session_over_is_sent(
    site: tuple[PageSite, str], page: Page
) -> None:
    made, base = site
    sign_in(page, base, "Anna")
    page.goto(base + "/o/account/new")
    page.fill("#f-name", "Sent just then")
    made.site.sessions.end_all(made.site.identities.find("Anna@example.com").id)
    page.evaluate(
        """async () => {
            await fetch("/notices");
            document.querySelector("[data-save]").click();
        }"""
    )
    page.fill("#session-address", "Anna@example.com")
    page.fill("#session-password", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Sent just then")).to_be_visible()


def test_a_session_that_ended_loses_no_form_without_scripts(
    site: tuple[PageSite, str], chrome: Browser
) -> None:
    made, base = site
    context = chrome.new_context(java_script_enabled=False, base_url=base)
    page = context.new_page()
    sign_in(page, base, "Anna")
    page.goto(base + "/o/account/new")
    page.fill("#f-name", "Slow & <steady>")
    made.site.sessions.end_all(made.site.identities.find("Anna@example.com").id)
    page.click("[data-save]")
    page.fill("#address", "Anna@example.com")
    page.fill("#password", PASSWORD)
    page.click(".btn-primary")
    page.click("form[data-resume] button")
    expect(page.locator("#f-name")).to_have_value("Slow & <steady>")
    page.click("[data-save]")
    expect(page.get_by_role("heading", name="Slow & <steady>")).to_be_visible()
    context.close()
