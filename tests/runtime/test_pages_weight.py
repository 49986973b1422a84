"""What a list page weighs on the wire: all of it at the first visit, and only the page itself at the next."""

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from werkzeug.test import TestResponse

from models import document
from pagesite import PageSite, Visitor, make_pages
from tabwright.runtime.records.batch import Intent

FIRST, AGAIN = 450_000, 30_000  # bytes, packed
TYPES = (
    "text",
    "picklist(new,talk,won,lost)",
    "currency(16,2)",
    "date",
    "boolean",
    "integer",
    "email",
    "phone",
)
FIELDS = {f"f{n}": TYPES[n % len(TYPES)] for n in range(59)}
COLUMNS = ["name", *(f"f{n}" for n in range(11))]
# A browser's own headers: what is packed for it, and that it asks for itself.
BROWSER = {"Accept-Encoding": "gzip, deflate, br, zstd", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[PageSite]:
    with make_pages("sqlite", tmp_path) as made:
        view = document("list_view", "thing.wide", columns=COLUMNS)
        made.publish({"thing": {"name": "text", **FIELDS}}, [view])
        made.records.apply(
            "thing",
            [
                Intent("create", values={
                    "name": f"Customer {n} 客户", "f0": f"Northwind {n * 7919 % 5000}", "f1": "won",
                    "f2": f"{n * 7919 % 100_000}.50", "f3": f"2026-{n % 12 + 1:02}-11", "f4": n % 2 == 0,
                    "f5": n, "f6": f"person{n}@example.com", "f7": f"+861380013{n:04}",
                    "f8": f"Remark {n * 31 % 97}", "f9": "talk", "f10": f"{n * 104_729 % 1_000_000}",
                })
                for n in range(60)
            ],
        )  # fmt: skip
        yield made


def got(person: Visitor, path: str, accept: str = "*/*") -> tuple[TestResponse, bytes]:
    """An answer as it went over the wire, and its body unpacked."""
    answer = person.client.get(path, headers={**BROWSER, "Accept": accept})
    assert answer.status_code == 200, path
    packed = answer.headers.get("Content-Encoding") == "gzip"
    return answer, gzip.decompress(answer.data) if packed else answer.data


def loaded(person: Visitor, page: str) -> dict[str, TestResponse]:
    """Everything that a page makes a browser load, by address, with what its style sheets load."""
    found: dict[str, TestResponse] = {}
    wanted = re.findall(r'(?:href|src)="(/static/[^"#]+)', page)
    while wanted:
        at = wanted.pop().replace("&amp;", "&")
        if at in found:
            continue
        found[at], body = got(person, at)
        if at.partition("?")[0].endswith(".css"):
            named = re.findall(r"""url\(["']?([^"')]+)""", body.decode())
            wanted += [urljoin(at, each) for each in named if not each.startswith("data:")]
    return found


def test_a_list_page_is_light(pages: PageSite) -> None:
    person = pages.person("wei", "administrator")
    page, html = got(person, "/o/thing?view=wide", "text/html")
    assert html.decode().count("<tr") > 50
    parts = loaded(person, html.decode())
    assert any(".woff2" in at for at in parts) and any("icons.svg" in at for at in parts)

    assert len(page.data) + sum(len(each.data) for each in parts.values()) <= FIRST
    # The next visit asks for the page alone: all else was kept, and a new version has a new address.
    assert len(page.data) <= AGAIN
    for at, each in parts.items():
        assert each.headers["Cache-Control"] == "public, max-age=31536000, immutable", at
        assert re.search(r"\?v=[0-9a-f]{10}$", at), at


def test_texts_are_packed(pages: PageSite) -> None:
    person = pages.person("wei", "administrator")
    _, html = got(person, "/o/thing?view=wide", "text/html")
    for at, each in loaded(person, html.decode()).items():
        kind = each.headers["Content-Type"]
        if len(each.data) > 1_000 and not kind.startswith("font/"):
            assert each.headers.get("Content-Encoding") == "gzip", at
