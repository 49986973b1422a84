"""Somebody without scripts imports a file by the pages: upload, a value mapped, run, undo."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

import models
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.runtime.exchange.tables import PART
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

OBJECTS: models.Compact = {
    "product": {"name": "text(60) required unique", "series": "text(20)"},
    "deal": {"name": "text(60) required", "product": "lookup(product)", "amount": "decimal(10,2)"},
}
RULE = {
    "kind": "unique_rule",
    "name": "deal.once",
    "fields": ["name", "product"],
    "label": {"en": "Once a product"},
}


@pytest.fixture
def site() -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [RULE])
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


def test_cells_that_have_no_title_above_them_are_told(site: PageSite) -> None:
    visitor = site.person("陈思远", "administrator")
    page = visitor.get(upload(visitor, "name,amount\nA,1\nB,132,000\n"))
    assert "上方没有标题：列 C" in readable(page) and "000" in readable(page)


def test_anothers_import_is_there_only_to_be_looked_at_and_undone(site: PageSite) -> None:
    anna = site.person("Anna", "administrator", language="en")
    mine = upload(anna, "name\nA\n")
    bob = site.person("Bob", "administrator", language="en")
    seen = bob.get(mine)
    assert seen.status_code == 200 and 'name="then"' not in seen.text and "/undo" not in seen.text
    assert f'href="{mine}"' in bob.get("/o/deal/import").text
    assert bob.post(mine + "/settings", {"field.0": "name", "then": "check"}).status_code == 409
    anna.get(mine)
    anna.post(mine + "/settings", {"field.0": "name", "then": "check"})
    site.site.runner.run_due(site.location)
    anna.get(mine)
    anna.post(mine + "/settings", {"then": "run"})
    site.site.runner.run_due(site.location)
    assert deals(site) == 1 and f'action="{mine}/undo"' in bob.get(mine).text
    assert bob.post(mine + "/undo", {}).status_code == 303
    site.site.runner.run_due(site.location)
    assert deals(site) == 0
    low = site.person("Low")
    assert low.get(mine).status_code == 404
    assert low.get("/o/deal/import").status_code == 404


def test_the_mapping_of_last_time_is_shown_as_such_and_can_be_reset(site: PageSite) -> None:
    anna = site.person("Anna", "administrator", language="en")
    text = "Kunde,Preis\nA,5\n"
    page = upload(anna, text)
    anna.get(page)
    anna.post(page + "/settings", {"field.0": "name", "field.1": "amount", "then": "check"})
    site.site.runner.run_due(site.location)
    assert "last import" not in readable(anna.get(page))
    again = upload(anna, text)
    shown = anna.get(again)
    assert "Columns and values as in your last import (商机.csv" in readable(shown)
    assert '<option value="amount" selected>' in shown.text
    assert anna.post(again + "/reset", {}).status_code == 303
    after = anna.get(again)
    assert "last import" not in readable(after) and '<option value="amount" selected>' not in after.text


def test_a_page_whose_file_was_removed_says_so(site: PageSite) -> None:
    anna = site.person("Anna", "administrator", language="en")
    page = upload(anna, "name\nA\n")
    with site.site.tenancy.open(site.location).store.write() as writer:
        writer.execute(sa.delete(PART))
    shown = anna.get(page)
    assert "The file of this import was removed (30 days after it was last used)" in readable(shown)
    assert 'name="then"' not in shown.text


def test_a_key_of_several_fields_and_a_parent_from_the_same_rows(site: PageSite) -> None:
    visitor = site.person("Anna", "administrator", language="en")
    page = upload(visitor, "deal,what,series,amount\nA,New,N,5\nB,New,N,6\nC,GTX Pro,,7\n")
    form = {"field.0": "name", "field.1": "product.name", "field.2": "product.series", "field.3": "amount"}
    visitor.get(page)
    assert visitor.post(page + "/settings", {**form, "mode": "create", "then": "save"}).status_code == 303
    shown = visitor.get(page).text
    assert '<optgroup label="Product">' in shown and "Product › Series" in shown
    assert '<option value="name,product">Name + Product</option>' in shown
    assert 'name="parent.product.key"' in shown and 'name="parent.product.existing"' in shown
    said = {
        "mode": "upsert",
        "key": "name,product",
        "parent.product.key": "name",
        "parent.product.existing": "keep",
    }
    visitor.post(page + "/settings", {**form, **said, "then": "check"})
    site.site.runner.run_due(site.location)
    checked = readable(visitor.get(page))
    assert "Product Created 1 Updated 0 Unchanged 0" in checked, checked
    visitor.post(page + "/settings", {**form, **said, "then": "run"})
    site.site.runner.run_due(site.location)
    rows = Reads(site.call).list(Query("deal", fields=("name", "product.name", "product.series"))).rows
    found = {(row["name"], row["product.name"], row["product.series"]) for row in rows}
    assert found == {("A", "New", "N"), ("B", "New", "N"), ("C", "GTX Pro", None)}
    # Without such columns nothing is said of the parent any more.
    other = upload(visitor, "deal,what\nA,New\n")
    visitor.get(other)
    visitor.post(other + "/settings", {"field.0": "name", "field.1": "product.name", "then": "save"})
    assert "parent.product" in visitor.get(other).text
    visitor.post(other + "/settings", {"field.0": "name", "field.1": "product", "parent.product.key": "name"})
    assert "parent.product" not in visitor.get(other).text


def test_what_was_checked_is_run_when_the_page_is_posted_as_it_is(site: PageSite) -> None:
    """Also where a lookup was chosen by hand: the page then offers more than was posted before."""
    anna = site.person("Anna", "administrator", language="en")
    for number, field in enumerate(("product", "product.name")):
        page = upload(anna, f"name,what {number}\nA,GTX Pro\n")
        anna.get(page)
        anna.post(
            page + "/settings", {"field.0": "name", "field.1": field, "mode": "create", "then": "check"}
        )
        site.site.runner.run_due(site.location)
        anna.post(page + "/settings", {**posted(anna.get(page).text), "then": "run"})
        site.site.runner.run_due(site.location)
        assert "Import done" in readable(anna.get(page)), field
        anna.post(page + "/undo", {})
        site.site.runner.run_due(site.location)


def scripted(visitor: Visitor, path: str, data: dict[str, str]) -> TestResponse:
    """What a script of the page seen last sends."""
    token = re.search(r'name="_csrf" value="([^"]+)"', visitor.last)
    assert token is not None
    return visitor.client.post(path, data={"_csrf": token[1], **data}, headers={"Accept": "application/json"})


def posted(page: str) -> dict[str, str]:
    """What a browser sends of the selects of a page."""
    found = {}
    for name, inside in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.S):
        options = re.findall(r'<option value="([^"]*)"( selected)?', inside)
        found[name] = next((value for value, chosen in options if chosen), options[0][0])
    return found


def test_bad_rows_are_put_right_in_the_grid_without_scripts_and_with(site: PageSite) -> None:
    anna = site.person("Anna", "administrator", language="en")
    at = upload(anna, "name,product,amount\nA,GTXPro,5\nB,GTXPro,6\nC,,x\nD,,7\n")
    anna.get(at)
    anna.post(at + "/settings", {"mode": "create", "then": "check"})
    site.site.runner.run_due(site.location)
    shown = anna.get(at)
    assert 'name="cell.4.2" value="x"' in shown.text and 'aria-invalid="true"' in shown.text
    assert "1–3 of 3" in readable(shown) and "“product”: names without a record: 1 (rows: 2)" in readable(
        shown
    )
    assert '<datalist id="choices-1"><option value="GTX Pro">' in shown.text
    # As a form: what differs is a correction, what does not is none.
    sent = {"show": "bad", "page": "1", "cell.2.1": "GTX Pro", "cell.3.1": "GTXPro", "cell.4.2": "x"}
    answer = anna.post(at + "/rows", sent)
    assert answer.status_code == 303 and answer.headers["Location"] == f"{at}?show=bad&page=1#rows"
    shown = anna.get(f"{at}?show=corrected")
    assert 'name="cell.2.1" value="GTX Pro"' in shown.text and "In the file: GTXPro" in readable(shown)
    assert "Same wherever it says “GTXPro” (1 more)" in readable(shown)
    assert "Rows changed after the dry run" in readable(shown) and "Import 2 rows" in readable(shown)
    # As a script: the rows as they are now, the counts, the button.
    said = scripted(anna, at + "/rows", {"cell.4.2": "-", "show": "bad"}).get_json()
    assert (
        list(said["rows"]) == ["4"] and 'value="-"' in said["rows"]["4"] and "has-error" in said["rows"]["4"]
    )
    assert said["ready"] == "Import 2 rows" and said["said"] == "Can go in: 0. Still with faults: 1."
    said = scripted(anna, at + "/rows", {"skip": "4"}).get_json()
    assert "is-skipped" in said["rows"]["4"] and "Skipped" in said["counts"]
    assert scripted(anna, at + "/rows", {"all": "2.1"}).get_json() == {"reload": True}
    assert "Import 3 rows" in readable(anna.get(at))
    wrong = scripted(anna, at + "/rows", {"cell.2.9": "?"})
    assert wrong.status_code == 422 and "9" in wrong.get_json()["detail"]
    # Nobody else's hands, though they may look.
    bob = site.person("Bob", "administrator", language="en")
    assert "cell.2.1" not in bob.get(at).text
    assert bob.post(at + "/rows", {"cell.2.1": "GTX Pro"}).status_code == 409
    anna.get(at)
    anna.post(at + "/settings", {"then": "run"})
    site.site.runner.run_due(site.location)
    done = readable(anna.get(at))
    assert "Import done" in done and "Skipped 1" in done and deals(site) == 3


def test_a_suggestion_is_taken_and_values_are_skipped_or_made(site: PageSite) -> None:
    anna = site.person("Anna", "administrator", language="en")
    at = upload(anna, "name,product\nA,GTXPro\nB,Newer\nC,Worse\n")
    anna.get(at)
    anna.post(at + "/settings", {"mode": "create", "then": "check"})
    site.site.runner.run_due(site.location)
    shown = anna.get(at)
    assert 'name="suggest" value="2.1"' in shown.text
    assert anna.post(at + "/rows", {"suggest": "2.1", "cell.2.1": "GTXPro"}).status_code == 303
    assert "Import 1 row" in readable(anna.get(at))
    numbers = [each for each in re.findall(r'name="becomes\.(\d+)" aria-label="“(\w+)” becomes"', shown.text)]
    form = {
        f"becomes.{n}": "--make" if value == "Newer" else "--skip"
        for n, value in numbers
        if value != "GTXPro"
    }
    assert len(form) == 2
    # Taking the suggestion left two values; they are counted from the first again.
    left = re.findall(r'name="becomes\.(\d+)" aria-label="“(\w+)” becomes"', anna.get(at).text)
    form = {f"becomes.{n}": "--make" if value == "Newer" else "--skip" for n, value in left}
    anna.post(at + "/settings", {**form, "then": "check"})
    site.site.runner.run_due(site.location)
    after = readable(anna.get(at))
    assert "Created 2" in after and "Skipped 1" in after and "Made for lookups 1" in after, after
    assert "Skip these rows" in after and "Make “Newer”" in after  # said in the column's options
