"""An owner shares a record by keyboard; an administrator reads why a colleague may not, and whom it shows."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import models
from browsing import answering, barriers, window
from pagesite import make_pages

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {"deal": {"name": "text(120) required", "amount": "integer"}}
SELLER = {
    "kind": "permission_set",
    "name": "seller",
    "label": {"zh": "销售", "en": "Seller"},
    "objects": {"*": ["create", "read", "edit", "delete", "share"], "group": ["read"]},
    "fields": {"*": {"*": "edit"}},
    "tabs": ["*"],
}


@pytest.fixture
def site() -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [SELLER])
        made.person("ada", "administrator", language="en")
        ann = made.person("ann", "seller").user_id
        made.person("ben", "seller")
        made.records.create("group", {"name": "客服组"})
        id = made.records.create("deal", {"name": "五轴加工产线升级", "amount": 7, "owner": ann}).id
        with answering(made.app) as base:
            yield base, f"{base}/o/deal/{id}"


def shot(page: Page, name: str) -> None:
    """Pictures for whoever wants to look at them."""
    if folder := os.environ.get("TABWRIGHT_SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def test_a_record_is_shared_by_keyboard_and_explained(site: tuple[str, str], chrome: Browser) -> None:
    base, at = site
    _, page, complaints = window(chrome, base, "ann")
    page.goto(at)
    page.get_by_role("link", name="权限与共享").focus()
    page.keyboard.press("Enter")
    whom = page.locator("#whom")
    whom.focus()
    page.keyboard.type("be")
    page.locator('[role="option"][data-name="ben"]').wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(whom).to_have_value("ben")
    page.get_by_label("团队角色").fill("工程师")
    page.get_by_role("button", name="共享", exact=True).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".tw-sharelist")).to_contain_text("工程师")
    expect(page.locator(".tw-seers").first).to_contain_text("ann")
    assert barriers(page) == []
    shot(page, "access-zh")
    page.goto(at)
    expect(page.get_by_role("heading", name="团队")).to_be_visible()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{at}/access?op=edit")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shot(page, "access-phone")
    assert complaints == []

    _, page, complaints = window(chrome, base, "ada")
    page.goto(f"{at}/access")
    who = page.locator("#user")
    who.fill("ben")
    page.locator('[role="option"][data-name="ben"]').wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.get_by_label("May they").select_option("edit")
    page.get_by_role("button", name="Explain").click()
    expect(page.locator("#why")).to_contain_text("ben may not edit this")
    expect(page.locator("#why")).to_contain_text("In the record's team as 工程师")
    expect(page.locator(".tw-leastlist")).to_contain_text("Share this record with ben: edit")
    assert barriers(page) == []
    shot(page, "why-en")
    page.emulate_media(color_scheme="dark")
    shot(page, "why-en-dark")
    assert complaints == []
