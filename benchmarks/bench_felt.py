"""What a person at a browser waits for: bytes of a list page, and the palette's time, in Chromium.

``python benchmarks/bench_felt.py [--rows 2000] [--times 20] [--chromium /usr/bin/chromium]``

The list of an object of sixty fields, served by ``tabwright serve``: all that the first visit with an empty
cache transfers (headers too, as the browser counts them), and what the next visit does. Then from the keys
Ctrl+K to the palette painted and ready for typing, and from a typed letter to its results painted, as the
browser's own clock says. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import wide  # noqa: E402
from filling import Tenant, home_for  # noqa: E402
from serving import serving  # noqa: E402

from tabwright.runtime.records.batch import Intent  # noqa: E402
from tabwright.runtime.records.service import Records  # noqa: E402

FIRST_BAR, AGAIN_BAR = 450_000, 30_000  # bytes
PALETTE_BAR = 100.0  # milliseconds
PORT = 21190

# Waits in the page, so that the browser's clock is the only one: from the event to the frame after it.
OPENED = """() => new Promise(done => {
  const box = document.getElementById("palette"), input = document.getElementById("palette-q");
  let began = 0;
  const heard = event => { if (event.key === "k") began = event.timeStamp; };
  window.addEventListener("keydown", heard, {capture: true});
  new MutationObserver((_, seen) => {
    if (!box.open) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => {
      const ready = document.activeElement === input && box.querySelectorAll('[role="option"]').length;
      performance.measure("palette", {start: began, end: performance.now()});
      done(ready ? performance.now() - began : -1);
    }));
  }).observe(box, {attributes: true, attributeFilter: ["open"]});
})"""
FOUND = """() => new Promise(done => {
  const list = document.getElementById("palette-list"), input = document.getElementById("palette-q");
  let began = 0;
  input.addEventListener("input", event => { began = event.timeStamp; }, {once: true});
  new MutationObserver((_, seen) => {
    if (!began) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => done(performance.now() - began)));
  }).observe(list, {childList: true});
})"""


@dataclass
class Transfer:
    """What came over the wire for one visit; what the cache gave is not counted."""

    sizes: dict[str, float] = field(default_factory=dict)  # address -> bytes
    cached: int = 0
    _urls: dict[str, str] = field(default_factory=dict)
    _kept: set[str] = field(default_factory=set)

    @property
    def total(self) -> float:
        return sum(self.sizes.values())

    def listen(self, session: Any) -> None:
        session.on(
            "Network.requestWillBeSent", lambda e: self._urls.update({e["requestId"]: e["request"]["url"]})
        )
        session.on("Network.requestServedFromCache", lambda e: self._kept.add(e["requestId"]))
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)

    def _received(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self._kept.add(event["requestId"])

    def _finished(self, event: dict[str, Any]) -> None:
        id = event["requestId"]
        if id in self._kept:
            self.cached += 1
        elif not (url := self._urls.get(id, "")).startswith("data:"):
            self.sizes[url] = self.sizes.get(url, 0) + event["encodedDataLength"]


def visit(page: Page, address: str) -> Transfer:
    """Open an address and wait until nothing is under way."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    seen = Transfer()
    seen.listen(session)
    page.goto(address, wait_until="networkidle")
    session.detach()
    return seen


def fill(home: Path, rows: int) -> Tenant:
    tenant = Tenant("sqlite", home, wide.documents())
    records = Records(tenant.call_of(tenant.user))

    def make(object: str, values: list[dict[str, Any]]) -> list[str]:
        return [
            str(row.id) for row in records.apply(object, [Intent("create", values=v) for v in values]).rows
        ]

    accounts = make("account", [{"name": f"Account {n}"} for n in range(200)])
    brands = make("brand", [{"name": f"Brand {n}"} for n in range(20)])
    make("machine", list(wide.machines(rows, accounts, brands, [str(tenant.user)])))
    tenant.close()
    return tenant


def said(name: str, value: float, bar: float, unit: str, more: str = "") -> bool:
    missed = value > bar
    print(
        f"  {name:34} {value:10,.1f} {unit}   bar {bar:,.0f}{more}{'   MISSED' if missed else ''}", flush=True
    )
    return not missed


def measure(chromium: str, rows: int, times: int) -> bool:
    good = True
    with home_for("sqlite", sa.MetaData()) as home:
        tenant = fill(home, rows)
        command = [sys.executable, "-m", "tabwright", "serve", "--port", str(PORT), "--threads", "4"]
        with serving(command, PORT, {}, tenant.env), sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
            )
            context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en")
            base = f"http://127.0.0.1:{PORT}"
            name, _, value = tenant.cookie.partition("=")
            context.add_cookies([{"name": name, "value": value, "url": base}])
            page = context.new_page()
            address = f"{base}/o/machine?view=won"
            first = visit(page, address)
            good &= said("first visit of a list", first.total / 1000, FIRST_BAR / 1000, "kB",
                         f"   {len(first.sizes)} answers")  # fmt: skip
            page.goto("about:blank")
            again = visit(page, address)
            good &= said("the next visit", again.total / 1000, AGAIN_BAR / 1000, "kB",
                         f"   {len(again.sizes)} answers, {again.cached} kept")  # fmt: skip
            for url, size in sorted(again.sizes.items(), key=lambda one: -one[1]):
                print(f"      {size:8,.0f} {url.removeprefix(base)}")
            opened, found, spent = [], [], []
            for _ in range(times):
                page.goto(address, wait_until="networkidle")
                with _work(page) as used:
                    opened.append(_timed(page, OPENED, "Control+k"))
                spent.append(used[0])
                page.wait_for_timeout(300)  # what it offers at first has come
                found.append(_timed(page, FOUND, "m"))
                page.keyboard.press("Escape")
            good &= said("palette open, median", statistics.median(opened), PALETTE_BAR, "ms",
                         f"   slowest {max(opened):.0f}; CPU of the page {statistics.median(spent):.0f}",
                         )  # fmt: skip
            print(f"  {'a letter to its results, median':34} {statistics.median(found):10,.1f} ms"
                  f"   no bar; 60 ms of it wait for the next letter; slowest {max(found):.0f}")  # fmt: skip
            browser.close()
    return good


@contextmanager
def _work(page: Page) -> Iterator[list[float]]:
    """Milliseconds of CPU that the page's own thread uses: what the machine's other work leaves as it is."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def busy() -> float:
        known = {each["name"]: each["value"] for each in session.send("Performance.getMetrics")["metrics"]}
        return float(known["TaskDuration"]) * 1000

    before, used = busy(), [0.0]
    yield used
    used[0] = busy() - before
    session.detach()


def _timed(page: Page, waiting: str, keys: str) -> float:
    """Milliseconds that a wait in the page says, begun before the keys are pressed."""
    handle = page.evaluate_handle(f"() => ({{ answer: ({waiting})() }})")
    page.keyboard.press(keys)
    took: float = page.evaluate("held => held.answer", handle)
    if took < 0:
        raise RuntimeError("the palette opened without lines, or without the focus")
    return took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=2_000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args()
    return 0 if measure(asked.chromium, asked.rows, asked.times) else 1


if __name__ == "__main__":
    sys.exit(main())
