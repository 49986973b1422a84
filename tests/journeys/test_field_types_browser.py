"""Every field type in a real browser: form, record and list, wide and narrow, light and dark, zh and en."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from playwright.sync_api import Browser, Page, expect

import models
from apisite import Person
from browsing import answering, barriers, sign_in, window
from fieldsample import OTHER, THIRD, UPLOAD, USER
from fieldsamples import SAMPLES as EVERY
from filesamples import uploaded
from pagesite import PageSite, Visitor, make_pages
from tabwright.metadata import schema

pytestmark = pytest.mark.browser
SAMPLES = [each for each in EVERY if each.on == "thing"]
SHOTS = os.environ.get("TABWRIGHT_TEST_SHOTS")  # a folder: pictures for people to look at


def documents() -> models.Compact:
    words = schema.schema_of("field")["properties"]["type"]["x-labels"]
    fields: dict[str, Any] = {
        "name": {"type": "text", "label": {"zh": "名称", "en": "Name"}, "required": True}
    }
    for sample in SAMPLES:
        label = {
            lang: words[sample.type][lang] + (f" ({sample.name})" if sample.name else "")
            for lang in ("zh", "en")
        }
        body: dict[str, Any] = {"type": sample.type, "label": label, **sample.body}
        if sample.options:
            body["options"] = dict(sample.options)
        fields[f"f_{sample.key}"] = body
    return {"other": {"name": "text required"}, "third": {"name": "text required"}, "thing": fields}


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        columns = ["name", *(f"f_{each.key}" for each in SAMPLES if each.type != "long_text")]
        view = {"kind": "list_view", "name": "thing.every", "columns": columns}
        made.publish(documents(), [view])
        other = str(made.records.create("other", {"name": "Northwind"}).id)
        third = str(made.records.create("third", {"name": "Third"}).id)
        for name, language in (("chen", "zh"), ("anna", "en")):
            visitor = made.person(name, "administrator", "standard_user", language=language)
            meant = {OTHER: other, THIRD: third, USER: str(visitor.user_id)}
            for which in ("value", "second"):
                values = {f"f_{s.key}": getattr(s, which) for s in SAMPLES if s.given and s.imports}
                values = {k: _meant(v, meant) for k, v in values.items()}
                for sample in SAMPLES:  # unique values would clash, and that is not the point here
                    if sample.body.get("unique"):
                        values.pop(f"f_{sample.key}")
                saved = made.records.create(
                    "thing", {"name": f"{name} {which}", "owner": str(visitor.user_id), **values}
                )
                _upload(made, visitor, saved.id, which)
        with answering(made.app) as base:
            yield made, base


def _meant(value: Any, ids: Mapping[str, str]) -> Any:
    """The value of a sample with the ids that it stands for."""
    if isinstance(value, dict):
        return {key: _meant(each, ids) for key, each in value.items()}
    return ids.get(value, value) if isinstance(value, str) else value


def _upload(site: PageSite, visitor: Visitor, id: UUID, which: str) -> None:
    """Fill the fields that hold files, as the person who may."""
    assert visitor.user_id is not None
    token = site.site.tokens.create(site.location.id, visitor.user_id, "test", scope=None)
    person = Person(site.app.test_client(), token, visitor.user_id)
    for sample in (each for each in SAMPLES if not each.imports):
        names = [text.removeprefix(UPLOAD) for text in getattr(sample, which)]
        ids = [uploaded(person, name)["id"] for name in names]
        answer = person.patch(f"/objects/thing/records/{id.hex}", {f"f_{sample.key}": ids})
        assert answer.status_code == 200, answer.text


def first_record(page: Page, base: str) -> str:
    page.goto(base + "/o/thing?view=every")
    href = page.locator("table a.tw-cut, .tw-table th a").last.get_attribute("href")
    assert href is not None
    return base + href


@pytest.mark.parametrize(("name", "scheme"), [("chen", "light"), ("anna", "dark")])
def test_every_type_on_every_page(
    site: tuple[PageSite, str], chrome: Browser, name: str, scheme: str
) -> None:
    _, base = site
    _, page, complaints = window(chrome, base, name, color_scheme=scheme)
    record = first_record(page, base)
    pages = {
        "list": base + "/o/thing?view=every",
        "record": record,
        "edit": record + "/edit",
        "new": base + "/o/thing/new",
    }
    for what, address in pages.items():
        for width in (1360, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(address)
            expect(page.locator("main")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), (what, width)
            if width == 1360:
                assert barriers(page) == [], what
            if SHOTS:
                take(page, what, f"{SHOTS}/{what}-{name}-{width}-{scheme}")
    assert complaints == []


def take(page: Page, what: str, path: str) -> None:
    """A picture of the window, and one of all that stands in it."""
    size = page.viewport_size
    assert size is not None
    page.screenshot(path=f"{path}.png", full_page=True)
    high = "Math.max(...[...document.querySelectorAll('*')].map(each => each.scrollHeight))"
    page.set_viewport_size({**size, "height": min(int(page.evaluate(high)) + 250, 5000)})
    if what == "list":
        page.evaluate("for (const each of document.querySelectorAll('*')) each.scrollLeft = 99999")
    page.screenshot(path=f"{path}-whole.png")
    page.set_viewport_size(size)


def test_the_editor_is_worked_by_keyboard_and_posts_html(site: tuple[PageSite, str], page: Page) -> None:
    _, base = site
    sign_in(page, base, "anna")
    page.goto(base + "/o/thing/new")
    page.fill("#f-name", "by keyboard")
    box = page.locator("[data-rich]").first
    edit = box.locator(".tw-richedit")
    page.locator('label[for="f-f_rich_text"]').click()
    expect(edit).to_be_focused()
    page.keyboard.type("plain ")
    page.keyboard.press("Control+b")
    page.keyboard.type("bold")
    expect(box.locator('[data-do="bold"]')).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Shift+Tab")
    expect(box.locator('[data-do="bold"]')).to_be_focused()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    expect(box.locator('[data-do="ul"]')).to_be_focused()
    page.keyboard.press("Enter")
    edit.evaluate(
        "each => { each.innerHTML += '<img src=x onerror=\"window.hit=1\">';"
        " each.dispatchEvent(new Event('input')); }"
    )
    page.keyboard.press("Control+s")
    page.wait_for_url("**/o/thing/0*")
    shown = page.locator(".tw-rich")
    expect(shown).to_contain_text("plain bold")
    assert (
        "<li>" in shown.inner_html()
        and "<b>bold</b>" in shown.inner_html()
        and "<img" not in shown.inner_html()
    )


def test_a_colour_is_picked_and_boxes_are_counted(site: tuple[PageSite, str], page: Page) -> None:
    _, base = site
    sign_in(page, base, "anna")
    page.goto(base + "/o/thing/new")
    page.fill("#f-name", "coloured")
    page.locator('[data-tint="f-f_colour"]').fill("#00aa55")
    expect(page.locator("#f-f_colour")).to_have_value("#00aa55")
    page.locator('input[name="f_multi_picklist"][value="red"]').check()
    page.locator('input[name="f_rating"][value="4"]').check()
    expect(page.locator("[data-unsaved]")).to_contain_text("4")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/o/thing/0*")
    expect(page.locator("main")).to_contain_text("#00aa55")
    expect(page.locator("main")).to_contain_text("★★★★")
