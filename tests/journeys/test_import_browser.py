"""Bad rows of an import put right in a real browser, by keyboard: typed, filled down, pasted, taken back."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import models
from browsing import answering, barriers, overheard, sign_in
from pagesite import make_pages

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "deal": {"name": "text(60) required", "amount": "decimal(10,2)", "stage": "picklist(open,won)"}
}
FILE = "name,amount,stage\n" + "".join(f"D{n},{'x' if n < 4 else n},open\n" for n in range(6))
PASTE = """(input, text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    input.focus();
    const given = { clipboardData: data, bubbles: true, cancelable: true };
    input.dispatchEvent(new ClipboardEvent("paste", given));
}"""


def test_rows_are_put_right_by_keyboard(page: Page) -> None:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as site:
        site.publish(OBJECTS)
        site.person("Anna", "administrator", language="en")
        with answering(site.app) as base:
            complaints = overheard(page)
            sign_in(page, base, "Anna")
            page.goto(base + "/o/deal/import")
            page.set_input_files("#file", {"name": "d.csv", "mimeType": "text/csv", "buffer": FILE.encode()})
            page.click(".tw-importstart button[type=submit]")
            page.click("button[value=check]")
            site.site.runner.run_due(site.location)
            page.reload()
            ready, said = page.locator("[data-grid-ready]"), page.locator("[data-grid-said]")
            expect(ready).to_have_text("Import 2 rows")
            assert barriers(page) == []

            def cell(row: int, column: int = 1) -> str:
                return f'[name="cell.{row}.{column}"]'

            page.click(cell(2))
            page.keyboard.press("Control+a")
            page.keyboard.type("5")
            page.keyboard.press("Enter")  # saves, and goes to the row below
            expect(ready).to_have_text("Import 3 rows")
            expect(page.locator(cell(3))).to_be_focused()
            expect(page.locator("#row-2")).to_have_class("is-good")
            page.click(cell(2))
            page.keyboard.press("Shift+ArrowDown")
            page.keyboard.press("Shift+ArrowDown")
            page.keyboard.press("Control+d")
            expect(ready).to_have_text("Import 5 rows")
            page.keyboard.press("Control+z")
            expect(ready).to_have_text("Import 3 rows")
            page.locator(cell(3)).evaluate(PASTE, "7\twon\n8\topen\n")
            expect(ready).to_have_text("Import 5 rows")
            expect(page.locator(cell(3, 2))).to_have_value("won")
            page.click("#row-5 button[name=skip]")
            expect(page.locator("#row-5")).to_have_class("is-skipped")
            expect(said).to_contain_text("Still with faults: 0")
            page.reload()  # all of it stays
            expect(page.locator("[data-grid-tabs]")).to_contain_text("Corrected 3")
            page.set_viewport_size({"width": 390, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            assert barriers(page) == []
            assert complaints == []
