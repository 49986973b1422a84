"""Somebody without scripts imports a file by the pages: upload, a value mapped, run, undo."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

OBJECTS: models.Compact = {
    "product": {"name": "text(60) required unique"},
    "deal": {"name": "text(60) required", "product": "lookup(product)", "amount": "decimal(10,2)"},
}


@pytest.fixture
def site() -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS)
        made.records.create("product", {"name": "GTX Pro"})
        yield made


def deals(site: PageSite) -> int:
    return len(Reads(site.call).list(Query("deal", fields=("id",))).rows)


def upload(visitor: Visitor, text: str) -> str:
    visitor.get("/o/deal/import")
    answer = visitor.post("/o/deal/import", {"file": (io.BytesIO(text.encode("gb18030")), "商机.csv")})
    assert answer.status_code == 303, readable(answer)
    return str(answer.headers["Location"])


def test_the_whole_way_without_scripts(site: PageSite) -> None:
    visitor = site.person("Anna", "administrator", language="en")
    assert "/o/deal/import" in visitor.get("/o/deal").text
    page = upload(visitor, "name,product,amount\n上海展会,GTXPro,5\n二,GTX Pro,x\n三,,<b>\n四,GTX Pro,7\n")
    shown = readable(visitor.get(page))
    assert "GB18030" in shown and "4 rows" in shown and "Same name" in shown
    assert visitor.post(page + "/settings", {"mode": "create", "then": "check"}).status_code == 303
    moving = visitor.get(page)
    assert f'href="{page}"' in moving.text and "Refresh" in readable(moving)  # the way on without scripts
    assert visitor.get(page + "/progress").status_code == 200
    site.site.runner.run_due(site.location)
    assert visitor.get(page + "/progress").headers["HX-Refresh"] == "true"
    checked = visitor.get(page)
    assert "Import 1 row" in readable(checked) and '<option value="GTX Pro" selected>' in checked.text
    assert "&lt;b&gt;" in checked.text and "<b>" not in checked.text.split("<tbody>")[-1].replace(
        "<b class", ""
    )
    # What is changed is checked before it runs, whatever button was pressed.
    visitor.post(page + "/settings", {"becomes.0": "GTX Pro", "becomes.1": "-", "then": "run"})
    site.site.runner.run_due(site.location)
    assert deals(site) == 0
    assert "What an import would do" in readable(visitor.get(page))
    visitor.post(page + "/settings", {"then": "run"})
    site.site.runner.run_due(site.location)
    done = readable(visitor.get(page))
    assert "Import done" in done and deals(site) == 3
    result = visitor.get(page + "/result.csv")
    assert result.text.startswith("\ufeffname,product,amount,Reason not imported")
    visitor.get(page)
    assert visitor.post(page + "/undo", {}).status_code == 303
    site.site.runner.run_due(site.location)
    assert "The import was undone" in readable(visitor.get(page)) and deals(site) == 0


def test_a_file_that_cannot_be_imported_says_why(site: PageSite) -> None:
    visitor = site.person("陈思远", "administrator")
    visitor.get("/o/deal/import")
    refused = visitor.post("/o/deal/import", {"file": (io.BytesIO(b""), "空.csv")})
    assert refused.status_code == 422 and "文件里什么都没有" in readable(refused)
    nothing = visitor.post("/o/deal/import", {})
    assert nothing.status_code == 422 and "请先选择一个文件" in readable(nothing)


def test_others_imports_are_not_there(site: PageSite) -> None:
    mine = upload(site.person("Anna", "administrator"), "name\nA\n")
    other = site.person("Bob", "administrator")
    assert other.get(mine).status_code == 404
    low = site.person("Low")
    assert low.get("/o/deal/import").status_code == 404
