"""The layout editor in a real browser: by mouse, by keyboard alone, undo and redo."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

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
        "stage": "picklist(open,won,lost)",
        "close_date": "date",
    },
}
LAYOUT = {
    "kind": "layout",
    "name": "deal.standard",
    "label": {"zh": "标准", "en": "Standard"},
    "sections": [{"fields": ["name", "stage"]}],
}
PEOPLE = (
    ("管理员", "administrator", "zh"),
    ("Admin", "administrator", "en"),
    ("键盘", "administrator", "zh"),
    ("Keys", "administrator", "en"),
)
WORDS = {
    "zh": ("管理员", "键盘", "标签，中文", "已存入草稿", "发布并返回", "自定义此页", "撤销"),
    "en": (
        "Admin",
        "Keys",
        "Label, English",
        "Saved to the draft",
        "Publish and return",
        "Customise this page",
        "Undo",
    ),
}


@pytest.fixture
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [LAYOUT])
        for name, rights, language in PEOPLE:
            made.person(name, rights, language=language)
        made.records.create("deal", {"name": "D1", "stage": "open", "amount": "12"})
        with answering(made.app) as base:
            yield made, base


def names(page: Page, section: int) -> list[str]:
    """The fields of a section, as the canvas shows them."""
    found: list[str] = page.eval_on_selector_all(
        f'[data-slots="{section}"] > [data-field]', "all => all.map(each => each.dataset.field)"
    )
    return found


def drag(page: Page, what: Locator, onto: Locator) -> None:
    """A drag as a hand does it, with a stop on the way."""
    what.hover()
    page.mouse.down()
    onto.hover()
    onto.hover()
    page.mouse.up()


@pytest.mark.parametrize("language", ["zh"])
def test_by_mouse_two_sections_and_a_conditional_field_then_publish_and_return(
    site: tuple[PageSite, str], chrome: Browser, language: str
) -> None:
    _, base = site
    admin, _, label, saved, publish, customise, undo = WORDS[language]
    context, page, said = window(chrome, base, admin)
    page.goto(base + "/o/deal/new")
    page.get_by_role("link", name=customise).click()
    page.wait_for_selector("[data-slots]")
    page.locator("[data-new-section]").click()
    page.get_by_label(label).fill("钱 Money")
    page.get_by_label(label).press("Tab")
    # An empty section is refused where it stands, and nothing is lost by it.
    expect(page.locator('[data-section="1"] .lay-err')).to_be_visible()
    drag(page, page.locator('[data-pieces] [data-field="amount"]'), page.locator('[data-slots="1"]'))
    page.wait_for_function("document.querySelector('[data-slots=\"1\"] [data-field=amount]')")
    expect(page.locator("[data-status]")).to_have_text(saved)
    area = page.locator('[data-focus="visible"]')
    area.fill("stage =")
    area.press("Tab")
    expect(page.locator('[data-slots="1"] [data-field="amount"] .lay-err')).to_be_visible()
    page.locator('[data-focus="visible"]').fill('ISPICKVAL(stage, "won")')
    page.locator('[data-focus="visible"]').press("Tab")
    expect(page.locator("[data-status]")).to_have_text(saved)
    # The same condition as rows, and back without loss; rows write one form of what means the same.
    for _ in range(2):
        page.locator('[data-focus="as-rows"]').click()
        expect(page.locator(".lay-rows [data-operator]")).to_be_visible()
        page.locator(".lay-rows [data-apply]").click()
        expect(page.locator('[data-focus="visible"]')).to_have_value('IN(stage, "won")')
    # Undo the whole session, redo it.
    page.locator("[data-whole]").click()
    for _ in range(20):
        if page.locator("[data-undo]").get_attribute("aria-disabled") == "true":
            break
        page.get_by_role("button", name=undo, exact=True).click()
    assert page.locator("[data-section]").count() == 1 and names(page, 0) == ["name", "stage"]
    for _ in range(20):
        if page.locator("[data-redo]").get_attribute("aria-disabled") == "true":
            break
        page.locator("body").press("Control+Shift+Z")
    assert names(page, 1) == ["amount"]
    expect(page.locator("[data-status]")).to_have_text(saved)
    page.get_by_role("button", name=publish).click()
    page.wait_for_url(base + "/o/deal/new")
    expect(page.get_by_role("heading", name="钱 Money")).to_be_visible()
    expect(page.locator("[name=amount]")).to_have_count(0)
    assert said == []
    context.close()


@pytest.mark.parametrize("language", ["en"])
def test_by_keyboard_alone(site: tuple[PageSite, str], chrome: Browser, language: str) -> None:
    _, base = site
    _, admin, label, saved, *_ = WORDS[language]
    context, page, said = window(chrome, base, admin)
    page.goto(base + "/studio/layouts/deal.standard")
    page.wait_for_selector("[data-slots]")

    def press(focus: str, *keys: str) -> None:
        """Go to a control by Tab and press keys on it."""
        for _ in range(300):
            if page.evaluate("(document.activeElement.dataset || {}).focus || ''") == focus:
                break
            page.keyboard.press("Tab")
        else:
            raise AssertionError(f"{focus} is not reached by Tab")
        for key in keys:
            page.keyboard.press(key)

    press("new-section", "Enter")
    assert page.evaluate("document.activeElement.dataset.focus") == f"label:{language}"
    page.keyboard.type("Money")
    page.keyboard.press("Tab")
    press("piece:amount", "Enter")
    assert names(page, 1) == ["amount"]
    press("piece:close_date", "Enter")
    assert names(page, 1) == ["amount", "close_date"]
    press("grip:field:close_date", "ArrowUp")
    assert names(page, 1) == ["close_date", "amount"]
    page.keyboard.press("ArrowUp")  # past the first place: into the section before
    assert names(page, 0) == ["name", "stage", "close_date"], "the handle keeps the focus"
    press("field:amount", "Enter")
    press("visible")
    page.keyboard.type('ISPICKVAL(stage, "won")')
    page.keyboard.press("Tab")
    expect(page.locator("[data-status]")).to_have_text(saved)
    press("grip:section:1", "ArrowUp")
    assert names(page, 0) == ["amount"]
    page.keyboard.press("Control+z")
    assert names(page, 1) == ["amount"]
    press("field:amount", "Enter")
    press("move", "ArrowDown")  # looks through the places, goes to none
    assert names(page, 1) == ["amount"]
    press("move-go", "Enter")
    assert names(page, 0)[0] == "amount"
    press("field:name", "Enter")
    press("new-section", "Enter")  # stands after the section in which one is
    assert [names(page, n) for n in (1, 2)] == [[], []]
    expect(page.locator('[data-section="1"]')).to_have_attribute("aria-label", "New section")
    for _ in range(2):
        page.locator("[data-undo]").click()
    assert names(page, 1) == ["amount"]
    expect(page.locator("[data-status]")).to_have_text(saved)
    assert said == []
    context.close()


@pytest.mark.parametrize(("name", "scheme"), [("管理员", "light"), ("Admin", "dark")])
def test_it_is_accessible_and_fits_a_phone(
    site: tuple[PageSite, str], chrome: Browser, name: str, scheme: str
) -> None:
    _, base = site
    context, page, _ = window(chrome, base, name, color_scheme=scheme)
    page.goto(base + "/studio/layouts/deal.standard")
    for focus in ("field:stage", "section:0"):
        page.locator(f'[data-focus="{focus}"]').click()
        assert barriers(page) == []
    page.locator('[data-focus="field:stage"]').click()
    page.locator('[data-focus="as-rows"]').click()
    expect(page.locator(".lay-rows [data-operator]")).to_be_visible()
    assert barriers(page) == []
    page.set_viewport_size({"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= 390")
    assert barriers(page) == []
    context.close()
