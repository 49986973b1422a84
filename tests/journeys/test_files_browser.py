"""Files by hand: chosen in a form that is refused, saved, seen larger, attached, deleted and back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FilePayload, Page, expect

from browsing import answering, barriers, window
from filesamples import CONTENTS, picture
from pagesite import PageSite, make_pages

pytestmark = pytest.mark.browser

_DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, {type: "application/pdf"}));
  const at = document.querySelector("[data-attachments]");
  for (const type of ["dragenter", "dragover", "drop"])
    at.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: data}));
}"""


def payload(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        photos = {"type": "image", "options": {"max_items": 2}}
        made.publish({"car": {"name": "text required", "photos": photos}})
        made.person("chen", "administrator", "standard_user", language="en")
        with answering(made.app) as base:
            yield made, base


def test_files_of_a_form_and_attachments(site: tuple[PageSite, str], chrome: Browser) -> None:
    _, base = site
    _, page, problems = window(chrome, base, "chen", viewport={"width": 390, "height": 844})
    page.goto(base + "/o/car/new")
    box = page.locator("[data-files='car.photos']")
    page.set_input_files("#f-photos", payload("fake.png", CONTENTS["html"]))
    expect(box.locator(".tw-filenote")).to_contain_text("is not png")
    page.set_input_files("#f-photos", [payload("front.png", picture()), payload("rear.png", picture())])
    expect(box.locator("[data-file] [data-file-remove]")).to_have_count(2)
    page.set_input_files("#f-photos", payload("third.png", picture()))
    expect(box.locator(".tw-filenote")).to_have_text("At most 2 files.")
    box.get_by_role("button", name="Remove rear.png").click()
    page.evaluate("document.getElementById('record-form').noValidate = true")
    page.locator("[data-save]").click()
    expect(page.locator("#faults")).to_be_visible()
    expect(box.locator("[data-file]")).to_have_count(1)
    page.fill("#f-name", "A car")
    assert barriers(page) == []
    page.locator("[data-save]").click()
    page.wait_for_url("**/o/car/*-*")
    page.locator("[data-zoom]").first.click()
    expect(page.locator("dialog.tw-zoom img")).to_be_visible()
    page.keyboard.press("Escape")
    _attach(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert barriers(page) == [] and problems == []


def _attach(page: Page) -> None:
    part = page.locator("[data-attachments]")
    page.set_input_files(
        "#attach", [payload("one.pdf", CONTENTS["pdf"]), payload("bad.exe", CONTENTS["exe"])]
    )
    expect(part.get_by_role("link", name="one.pdf")).to_be_visible()
    expect(part.locator(".tw-filenote")).to_contain_text("Programs and scripts")
    page.evaluate(_DROP, ["dropped.pdf", "%PDF-1.7 dropped"])
    expect(part.get_by_role("link", name="dropped.pdf")).to_be_visible()
    part.get_by_role("button", name="Delete one.pdf").click()
    expect(part.get_by_role("link", name="one.pdf")).to_have_count(0)
    part.get_by_role("button", name="Undo").click()
    expect(part.get_by_role("link", name="one.pdf")).to_be_visible()
    expect(page.locator(".tw-timeline")).to_contain_text("attached one.pdf")
