"""The frame in a real browser: palette, keys, favourites, notices, a session that ends; in both languages."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

import models
from browsing import answering, barriers, window
from pagesite import PASSWORD, PageSite, make_pages
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.records.service import Records

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "phone": "phone searchable"},
    "lead": {"name": "text(120) required sortable searchable"},
}
HOSTILE = '<img src=x onerror="document.title=1">'
NEW = {"zh": "新建 le", "en": "new le"}
PEOPLE = {"zh": "陈思远", "en": "Anna"}


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS)
        ids = {}
        for language, name in PEOPLE.items():
            ids[language] = made.person(name, "standard_user", language=language).user_id
            for title in ("苏州恒锐精密机械", HOSTILE):
                made.records.create("account", {"name": title, "owner": str(ids[language])})
        giver = made.person("林晓彤", "administrator")
        assert giver.user_id is not None
        by = Records(replace(made.call, principal=Principal(giver.user_id, "林晓彤")))
        for id in ids.values():
            by.create("account", {"name": "移交的客户", "owner": str(id)})
        with answering(made.app) as base:
            yield made, base


@pytest.mark.parametrize(("language", "theme"), [("zh", "light"), ("en", "dark")])
def test_everything_of_the_frame_by_keyboard(
    site: tuple[PageSite, str], chrome: Browser, language: str, theme: str
) -> None:
    _, base = site
    context, page, complaints = window(chrome, base, PEOPLE[language], color_scheme=theme)
    box, chosen = page.locator("#palette"), page.locator('#palette [aria-selected="true"]')

    page.keyboard.press("Control+k")
    expect(box).to_be_visible()
    expect(page.locator("#palette-q")).to_be_focused()
    assert chosen.count() == 1  # lines stand there before anything was fetched
    page.keyboard.type(NEW[language])
    page.keyboard.press("Enter")  # quicker than the answer
    page.wait_for_url("**/o/lead/new")
    # Inside an input the keys are letters.
    page.locator("#f-name").press_sequentially("a/b?c")
    expect(page.locator("#f-name")).to_have_value("a/b?c")
    expect(box).to_be_hidden()
    page.keyboard.press("Control+s")
    page.wait_for_url(re.compile("/o/lead/[0-9a-f-]{36}"))

    page.keyboard.press("/")
    page.keyboard.type("hrjm")
    expect(chosen).to_contain_text("恒锐")
    expect(page.locator("[data-palette-preview]")).to_contain_text("苏州恒锐精密机械")
    assert barriers(page) == []
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/o/account/[0-9a-f-]{36}"))
    page.locator(".tw-star").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tw-star")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".tw-side [data-favourite]")).to_have_count(1)
    page.goto(base + "/o/account")
    page.locator(".tw-star").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tw-side [data-favourite]")).to_have_count(2)
    first = page.locator(".tw-side [data-favourite]").first
    first.focus()
    with page.expect_response("**/favourites"):
        first.press("Alt+ArrowDown")
    page.reload()
    expect(page.locator(".tw-side [data-favourite]").last).to_contain_text("恒锐")

    page.keyboard.press("?")
    expect(page.locator("#shortcuts")).to_be_visible()
    assert barriers(page) == []
    page.keyboard.press("Escape")
    expect(page.locator("#shortcuts")).to_have_count(0)

    page.locator(".tw-bell").focus()
    assert page.locator(".tw-bell-count").inner_text() == "1"
    page.keyboard.press("Enter")
    page.wait_for_url("**/notices")
    expect(page.locator(".tw-notice")).to_contain_text("移交的客户")
    assert barriers(page) == []
    page.locator(".tw-notice a").press("Enter")
    page.wait_for_url(re.compile("/o/account/[0-9a-f-]{36}"))
    expect(page.locator(".tw-bell-count")).to_have_count(0)

    # Nothing typed: what was opened last, the last one first.
    page.goto(base + "/help")
    page.keyboard.press("Control+k")
    expect(chosen).to_contain_text("移交的客户")
    with context.expect_page() as opened:
        page.keyboard.press("Control+Enter")
    opened.value.close()
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type("onerror")
    expect(page.locator("#palette-list")).to_contain_text("<img")
    assert page.locator("#palette img").count() == 0
    page.keyboard.press("Escape")
    for path in ("/help", "/arrange"):  # of the other pages test_pages_browser looks for barriers
        page.goto(base + path)
        assert barriers(page) == [], path
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/", "/help", "/arrange", "/settings", "/notices"):
        page.goto(base + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
    page.locator(".tw-tabbar [data-palette-open]").click()
    expect(page.locator("#palette-q")).to_be_focused()
    held = box.bounding_box()
    assert held is not None and held["width"] == 390 and held["height"] == 844
    assert barriers(page) == []
    assert complaints == [] and page.title() != "1"


def test_a_session_that_ended_is_taken_up_again_over_the_palette(
    site: tuple[PageSite, str], chrome: Browser
) -> None:
    _, base = site
    context, page, _ = window(chrome, base, PEOPLE["zh"])
    page.goto(base + "/o/account")
    context.clear_cookies(name="tw_session")
    page.keyboard.press("Control+k")
    dialog = page.locator("#session-dialog")
    expect(dialog).to_be_visible()
    dialog.locator('input[name="password"]').fill(PASSWORD)
    if not dialog.locator('input[name="address"]').input_value():
        dialog.locator('input[name="address"]').fill(f"{PEOPLE['zh']}@example.com")
    dialog.locator('button[type="submit"], .btn-primary').first.click()
    expect(dialog).to_have_count(0)
    page.fill("#palette-q", "hrjm")
    expect(page.locator('#palette [aria-selected="true"]')).to_contain_text("恒锐")


def test_without_scripts_the_box_of_the_sidebar_leads_to_the_same_lines(
    site: tuple[PageSite, str], chrome: Browser
) -> None:
    _, base = site
    _, page, _ = window(chrome, base, PEOPLE["en"], java_script_enabled=False)
    page.fill('.tw-side input[name="q"]', "new le")
    page.press('.tw-side input[name="q"]', "Enter")
    page.click('main a[href="/o/lead/new"]')
    page.wait_for_url("**/o/lead/new")
