"""Boards and calendars in a real browser: moves by drag and keyboard, a missing field, the panel beside."""

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

HOSTILE = '<img src=x onerror="window.ran=1">'
OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,talk,lost)",
        "close_date": "date",
        "why_lost": "text(80)",
    },
}
LAYOUT = {
    "kind": "layout", "name": "deal.standard",
    "sections": [{"label": {"en": "Deal", "zh": "商机"}, "columns": 2, "fields": [
        "name", "account", "amount", "stage", "close_date",
        {"field": "why_lost", "visible": 'ISPICKVAL(stage, "lost")', "required": True},
    ]}],
}  # fmt: skip
PHONE = {"width": 390, "height": 900}
NAMES = ("装配线一期", "装配线二期", HOSTILE)


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [LAYOUT])
        made.person("陈思远", "administrator", "standard_user", language="zh")
        made.person("Anna", "administrator", "standard_user", language="en")
        account = made.records.create("account", {"name": HOSTILE})
        for n, name in enumerate(NAMES):
            made.records.create(
                "deal",
                {
                    "name": name,
                    "amount": 100 + n,
                    "stage": "open",
                    "account": account.id,
                    "close_date": f"2026-11-0{n + 3}",
                },
            )
        made.records.create("deal", {"name": "没有日期的", "stage": "talk"})
        with answering(made.app) as base:
            yield made, base


def names(page: Page, lane: str) -> list[str]:
    return page.locator(f'[data-lane="{lane}"] h3').all_inner_texts()


def card(page: Page, name: str) -> str:
    return f'.tw-kcard[aria-label="{name}"]'


def test_a_card_is_moved_by_drag_with_a_missing_field_and_taken_back(
    chrome: Browser, site: tuple[PageSite, str]
) -> None:
    _, page, said = window(chrome, site[1], "陈思远")
    page.goto(site[1] + "/o/deal/board?by=stage&order=name")
    name = "装配线一期"

    def drag(lane: str) -> None:
        page.drag_and_drop(card(page, name) + " p >> nth=-1", f'[data-lane="{lane}"] [data-cards]', steps=12)

    drag("lost")
    expect(page.locator("#ask")).to_be_visible()
    page.locator("#ask [data-back]").last.click()
    expect(page.locator(f'[data-lane="open"] {card(page, name)}')).to_be_focused()
    drag("lost")
    page.fill('#ask [name="why_lost"]', "价格高")
    page.locator('#ask [type="submit"]').click()
    expect(page.locator("[data-told]")).to_contain_text(name)
    expect(page.locator('[data-lane="lost"] [data-lane-head]')).to_contain_text("100.00")
    assert names(page, "lost") == [name]
    page.locator("[data-told] form button").click()
    expect(page.locator(f'[data-lane="open"] {card(page, name)}')).to_be_visible()
    assert "order=name" in page.url
    assert said == []


def test_a_card_is_moved_by_keyboard_alone(chrome: Browser, site: tuple[PageSite, str]) -> None:
    _, page, said = window(chrome, site[1], "Anna", color_scheme="dark")
    page.goto(site[1] + "/o/deal/board?by=stage&order=name")
    assert barriers(page) == []
    page.locator(card(page, "装配线二期")).focus()
    page.keyboard.press("m")
    assert barriers(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # lost
    expect(page.locator('#ask [name="why_lost"]')).to_be_focused()
    assert barriers(page) == []
    page.keyboard.type("no budget")
    page.keyboard.press("Enter")
    expect(page.locator(f'[data-lane="lost"] {card(page, "装配线二期")}')).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(f'[data-lane="talk"] {card(page, "没有日期的")}')).to_be_focused()
    page.keyboard.press("m")
    page.keyboard.press("Escape")
    expect(page.locator(card(page, "没有日期的"))).to_be_focused()
    page.keyboard.press("Control+z")  # takes back what the notice tells
    expect(page.locator(f'[data-lane="open"] {card(page, "装配线二期")}')).to_be_visible()
    assert said == []


def test_the_panel_opens_beside_goes_along_and_closes(chrome: Browser, site: tuple[PageSite, str]) -> None:
    (of_list,) = (window(chrome, site[1], "Anna")[1],)
    of_list.goto(site[1] + "/o/deal")
    of_list.locator("tbody tr").first.hover()
    row, button = (
        of_list.locator(each).first.bounding_box() for each in ("tbody .has-peekbtn", ".tw-peekbtn")
    )
    assert row is not None and button is not None
    assert row["y"] <= button["y"] and button["y"] + button["height"] <= row["y"] + row["height"]
    _, page, said = window(chrome, site[1], "陈思远")
    page.goto(site[1] + "/o/deal?order=name")
    links = page.locator(".is-name > a")
    links.first.focus()
    page.keyboard.press(" ")
    expect(page.locator("[data-peek-name]")).to_have_text(links.first.inner_text())
    assert barriers(page) == [] and "peek=" in page.url
    page.keyboard.press("j")
    expect(page.locator("[data-peek-name]")).to_have_text(links.nth(1).inner_text())
    page.reload()
    expect(page.locator("[data-peek-name]")).to_have_text(links.nth(1).inner_text())
    page.keyboard.press("Escape")
    expect(page.locator("#peek")).to_be_hidden()
    expect(links.nth(1)).to_be_focused()
    links.nth(2).focus()
    page.keyboard.press(" ")
    expect(page.locator("#peek")).to_be_visible()
    page.go_back()
    expect(page.locator("#peek")).to_be_hidden()
    assert "peek=" not in page.url and "order=name" in page.url
    second = links.nth(1).inner_text()
    links.first.click()
    page.wait_for_url("**/o/deal/*-*")
    page.locator("[data-trail-next]").click()
    expect(page.locator("h1")).to_contain_text(second)
    assert page.evaluate("window.ran") is None
    assert said == []


def test_an_entry_is_moved_to_another_day(chrome: Browser, site: tuple[PageSite, str]) -> None:
    _, page, said = window(chrome, site[1], "陈思远")
    page.goto(site[1] + "/o/deal/calendar?start=close_date&date=2026-11")
    assert barriers(page) == []
    page.drag_and_drop(
        '.tw-calitem[aria-label="装配线一期"]', '[data-day="2026-11-12"] [data-cards]', steps=12
    )
    moved = page.locator('[data-day="2026-11-12"] .tw-calitem[aria-label="装配线一期"]')
    expect(moved).to_be_focused()
    page.keyboard.press("m")
    page.fill("#to-day", "2026-11-20")
    page.keyboard.press("Enter")
    expect(page.locator('[data-day="2026-11-20"] .tw-calitem')).to_be_focused()
    page.drag_and_drop(
        '.tw-calside .tw-calitem[aria-label="没有日期的"]', '[data-day="2026-11-25"] [data-cards]', steps=12
    )
    expect(page.locator('[data-day="2026-11-25"] .tw-calitem')).to_be_focused()
    expect(page.locator(".tw-calside .tw-calitem")).to_have_count(0)
    page.locator('[data-day="2026-11-17"]').click(position={"x": 60, "y": 90})
    page.wait_for_url("**/new?**")
    expect(page.locator("#f-close_date")).to_have_value("2026-11-17")
    assert page.evaluate("window.ran") is None
    assert said == []


@pytest.mark.parametrize("path", ["/o/deal/board?by=stage", "/o/deal/calendar?start=close_date&date=2026-11"])
def test_a_phone_shows_all_of_it(chrome: Browser, site: tuple[PageSite, str], path: str) -> None:
    _, page, said = window(chrome, site[1], "Anna", color_scheme="dark", viewport=PHONE)
    page.goto(site[1] + path)
    assert barriers(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert said == []
