"""A real browser for the tests marked `browser`, and axe to look at the pages that it shows."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright
from werkzeug.serving import make_server

from pagesite import PASSWORD

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
# No request of the browser's own leaves the machine; root may not use the sandbox.
QUIET = [
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# What the server refuses on purpose the browser calls an error; the page shows it.
REFUSED = tuple(f"status of {status}" for status in (401, 409, 422))
LAWS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Of what is right nothing is told: on a large page it is megabytes.
_LOOK = """async (tags) => {
    const all = await axe.run(document, {runOnly: tags, resultTypes: ["violations"]});
    return all.violations;
}"""


@contextmanager
def browser(executable: str) -> Iterator[Browser]:
    """A headless browser, closed at the end of the block."""
    arguments = [*QUIET, "--no-sandbox"] if os.geteuid() == 0 else QUIET
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=executable, args=arguments)
        try:
            yield opened
        finally:
            opened.close()


def barriers(page: Page, *, impacts: tuple[str, ...] = ("serious", "critical")) -> list[str]:
    """What axe finds wrong on the page as it is: `impact rule: the elements`. Works under our own CSP."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text("utf-8") + "\n;0")  # by the debugger, so the page's CSP has no say
    found: list[dict[str, Any]] = page.evaluate(_LOOK, LAWS)
    return [
        f"{fault['impact']} {fault['id']}: {' | '.join(str(node['target']) for node in fault['nodes'])}"
        for fault in found
        if fault["impact"] in impacts
    ]


@contextmanager
def answering(app: Flask) -> Iterator[str]:
    """The application served to browsers; its address. Ends with the block."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


def sign_in(page: Page, base: str, name: str) -> None:
    """Sign in as a person of a ``PageSite``, by their name."""
    page.goto(base + "/sign-in")
    page.fill("#address", f"{name}@example.com")
    page.fill("#password", PASSWORD)
    page.click(".btn-primary")
    page.wait_for_url(base + "/")


def window(chrome: Browser, base: str, name: str, **more: Any) -> tuple[BrowserContext, Page, list[str]]:
    """A new window in which a person has signed in, and what its page will complain of.

    ``more`` is for the context: a size, a colour scheme. The fixture ``chrome`` closes it.
    """
    given = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce", **more}
    context = chrome.new_context(**given)
    context.set_default_timeout(15_000)
    page = context.new_page()
    said = overheard(page)
    sign_in(page, base, name)
    return context, page, said


def overheard(page: Page) -> list[str]:
    """What a page's scripts and its console complain of from now on; a list that grows."""
    said: list[str] = []

    def hear(line: ConsoleMessage) -> None:
        if line.type in ("error", "warning") and not any(each in line.text for each in REFUSED):
            said.append(line.text)

    page.on("console", hear)
    page.on("pageerror", lambda error: said.append(str(error)))
    return said
