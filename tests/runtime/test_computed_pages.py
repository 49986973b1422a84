"""Formula fields on pages, in files and over the API: shown everywhere, never asked for."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from desks import Desk, desk_of
from pagesite import make_pages, readable
from stores import DIALECTS

VALUES = [{"code": "small", "label": {"zh": "小单", "en": "Small"}},
          {"code": "large", "label": {"zh": "大单", "en": "Large"}}]  # fmt: skip


def formula(returns: str, text: str, **more: Any) -> dict[str, Any]:
    options = {"returns": returns, "formula": text, **more.pop("options", {})}
    return {"type": "formula", "options": options, **more}


OBJECTS: dict[str, dict[str, Any]] = {
    "client": {
        "name": "text required sortable",
        "score": "integer",
        "trade": "picklist(steel,tools)",
        "parent": "lookup(client)",
        "head": {"type": "mirror", "options": {"path": "parent.name"}},
    },
    "sale": {
        "name": "text required sortable",
        "client": "lookup(client)",
        "amount": "currency(16,2)",
        "parts": "integer",
        "stage": "picklist(new,won)",
        "day": "date",
        "net": formula("currency", "amount * client.score / 10"),
        "each": formula("decimal", "amount / parts", options={"scale": 2}),
        "size": formula("picklist", 'IF(net > 100, "large", "small")', options={"values": VALUES}),
        "due": formula("date", "day + parts"),
        "boss": formula("lookup", "client.parent", options={"target": "client"}),
        "odd": formula("text", 'IF(REGEX(name, "B.*"), "starts with B", "-")'),
        "trade": {"type": "mirror", "options": {"path": "client.trade"}},
        "kept": formula("currency", "net", options={"stored": True}, searchable=False),
        "tag": formula("text", 'name & "#" & TEXT(parts)', options={"stored": True}, unique=True,
                       searchable=True, sortable=True),
    },
}  # fmt: skip
COLUMNS = ["name", "net", "each", "size", "trade", "due", "boss", "odd", "kept", "client.head"]
EXTRA: list[dict[str, Any]] = [
    {"kind": "list_view", "name": "sale.large", "columns": COLUMNS, "where": 'ISPICKVAL(size, "large")',
     "order": [["net", "desc"]],
     "colours": [{"when": "net > 150", "colour": "red", "label": {"en": "Rich"}}]},
    {"kind": "validation_rule", "name": "sale.modest", "condition": "net > 9999",
     "message": {"en": "Too much"}},
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as pages:
        pages.publish(OBJECTS, EXTRA)
        desk = desk_of(pages)
        top = desk.create("client", name="Top")
        one = desk.create("client", name="Bell", score=10, trade="tools", parent=top)
        for name, amount, parts in (("Alpha", 50, 5), ("Beta", 200, 0), ("Gamma", 300, 7)):
            desk.create(
                "sale", name=name, client=one, amount=amount, parts=parts, stage="new", day="2026-01-30"
            )
        yield desk


def sales(desk: Desk) -> dict[str, dict[str, Any]]:
    answer = desk.api.get("/objects/sale/records", order="name")
    return {each["name"]: each for each in answer.json["records"]}


def test_the_api_reads_and_describes_them(desk: Desk) -> None:
    found = sales(desk)
    assert [found[name]["net"] for name in found] == [50.0, 200.0, 300.0]
    gamma, beta = found["Gamma"], found["Beta"]
    assert (gamma["size"], gamma["due"], beta["each"]) == ("large", "2026-02-06", None)
    assert [found[name]["odd"] for name in found] == ["-", "starts with B", "-"]
    assert not [key for row in found.values() for key in row if "failed" in key]
    described = {each["name"]: each for each in desk.api.get("/objects/sale").json["fields"]}
    assert described["net"]["type"] == "currency" and described["net"]["read_only"]
    assert described["trade"]["type"] == "picklist" and described["boss"]["target"] == "client"
    schema = str(desk.api.get("/openapi.json").json)
    assert "sale" in schema
    asked = {"group": [{"field": "size"}], "measures": [{"function": "sum", "field": "net"}]}
    groups = desk.api.post("/objects/sale/aggregate", asked).json["groups"]
    assert {each["size"]: each["sum_net"] for each in groups} == {"small": 50.0, "large": 500.0}


def test_the_api_filters_sorts_and_refuses_to_write(desk: Desk) -> None:
    assert desk.found('net > 100 && client.head = "Top"', object="sale") == {"Beta", "Gamma"}
    answer = desk.api.get("/objects/sale/records", order="net:desc")
    assert [each["name"] for each in answer.json["records"]] == ["Gamma", "Beta", "Alpha"]
    id = sales(desk)["Alpha"]["id"]
    refused = desk.api.patch(f"/objects/sale/records/{id}", {"net": 1})
    assert refused.status_code == 422 and refused.json["faults"][0]["code"] == "field.computed"
    refused = desk.api.post("/objects/sale/records", {"name": "Alpha", "parts": 5})
    assert refused.status_code == 409, refused.text  # the tag is unique
    refused = desk.api.patch(f"/objects/sale/records/{id}", {"amount": 99999})
    assert refused.json["faults"][0]["code"] == "record.rule"


def test_lists_show_them(desk: Desk) -> None:
    page = desk.admin.get("/o/sale?view=large")
    text = readable(page)
    assert page.status_code == 200 and "Alpha" not in text
    for each in ("200.00", "300.00", "大单", "2026-02-06", "Top", "#错误!", "starts with B", "Rich"):
        assert each in text, each
    assert text.index("Gamma") < text.index("Beta")
    totals = desk.admin.get("/o/sale/totals?view=large")
    assert totals.status_code == 200 and "500.00" in readable(totals)
    for address in ("/o/sale/board", "/o/sale/calendar", "/o/sale/filter", "/o/sale?order=-due", "/o/client"):
        answer = desk.admin.get(address)
        assert answer.status_code in (200, 302), (address, answer.status_code)


def test_a_record_shows_them_and_its_form_does_not_ask(desk: Desk) -> None:
    id = sales(desk)["Beta"]["id"]
    text = readable(desk.admin.get(f"/o/sale/{id}"))
    for each in ("200.00", "#错误!", "starts with B", "Top"):
        assert each in text, each
    for address in (f"/o/sale/{id}/edit", "/o/sale/new"):
        page = desk.admin.get(address)
        assert page.status_code == 200
        assert (
            'name="amount"' in page.text and 'name="net"' not in page.text and 'name="tag"' not in page.text
        )
    for address in (f"/o/sale/{id}/peek", f"/o/sale/{id}/row", f"/o/sale/{id}/timeline"):
        assert desk.admin.get(address).status_code in (200, 404), address


def test_files_have_them_and_templates_do_not(desk: Desk) -> None:
    template = desk.admin.get("/o/sale/import/template.csv").text
    assert "amount" in template.lower() and "net" not in template.lower().replace("\ufeff", "").split(",")
    page = desk.admin.get("/o/sale/export?view=large")
    assert page.status_code == 200
    assert "net" in page.text


def test_search_finds_stored_text(desk: Desk) -> None:
    found = desk.api.get("/search", q="Gamma#7")
    assert found.status_code == 200 and "Gamma" in found.text
