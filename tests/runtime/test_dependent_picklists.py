"""A picklist whose choices follow another field's: three in a row, one of them with several choices."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.platform.errors import Invalid


def picklist(type: str, codes: str, control: str = "", **matrix: list[str]) -> dict[str, Any]:
    values = [{"code": code, "label": {"en": code.upper(), "zh": code.upper()}} for code in codes.split()]
    more = {"controlled_by": control, "matrix": matrix} if control else {}
    return {"type": type, "options": {"values": values, **more}}


CAR: models.Compact = {
    "car": {
        "name": "text required",
        "make": picklist("picklist", "vw byd"),
        "model": picklist("picklist", "golf id4 han", "make", vw=["golf", "id4"], byd=["han"]),
        "extras": picklist("multi_picklist", "roof tow heat", "model", golf=["roof", "tow"], han=["heat"]),
    }
}


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CAR)
        yield made


@pytest.fixture(scope="module")
def admin(site: PageSite) -> Visitor:
    return site.person("admin", "administrator", "standard_user", language="en")


def refused(site: PageSite, **values: Any) -> list[tuple[str, str | None]]:
    with pytest.raises(Invalid) as caught:
        site.records.create("car", {"name": "x", **values})
    return [(fault.code, fault.place.field) for fault in caught.value.faults]


def test_what_does_not_go_together_is_refused_on_the_write_path(site: PageSite) -> None:
    site.records.create("car", {"name": "x", "make": "vw", "model": "golf", "extras": ["roof", "tow"]})
    assert refused(site, make="byd", model="golf") == [("value.not_with", "model")]
    assert refused(site, model="golf") == [("value.needs_control", "model")]
    assert refused(site, make="vw", model="golf", extras=["roof", "heat"]) == [("value.not_with", "extras")]
    assert refused(site, make="vw", model="id4", extras=["roof"]) == [("value.not_with", "extras")]


def test_a_change_of_what_controls_is_refused_until_the_choice_follows(site: PageSite) -> None:
    id = site.records.create("car", {"name": "x", "make": "vw", "model": "golf"}).id
    with pytest.raises(Invalid) as caught:
        site.records.update("car", id, {"make": "byd"})
    assert [fault.code for fault in caught.value.faults] == ["value.not_with"]
    site.records.update("car", id, {"make": "byd", "model": "han", "extras": "heat"})
    site.records.update("car", id, {"name": "y"})


def options(page: str, name: str) -> list[str]:
    inside = re.search(rf'<select[^>]*name="{name}"[^>]*>(.*?)</select>', page, re.S)
    assert inside
    return re.findall(r'value="([^"]*)"', inside[1])


def test_the_form_offers_what_goes_with_what_is_chosen(site: PageSite, admin: Visitor) -> None:
    page = admin.get("/o/car/new").text
    assert "data-dynamic" in page and options(page, "model") == [""]
    form = {**admin.form(), "name": "x", "make": "vw", "_then": "edit"}
    page = admin.post("/o/car/new", form).text
    assert options(page, "model") == ["", "golf", "id4"] and 'value="roof"' not in page
    page = admin.post("/o/car/new", {**form, "model": "golf"}).text
    assert 'value="roof"' in page and 'value="heat"' not in page
    page = admin.post("/o/car/new", {**form, "make": "byd", "model": "golf", "extras": "roof"}).text
    assert options(page, "model") == ["", "han"] and 'value="roof"' not in page, "the chain is cut"


def test_the_form_says_in_words_what_does_not_go(site: PageSite, admin: Visitor) -> None:
    admin.get("/o/car/new")
    answer = admin.post("/o/car/new", {**admin.form(), "name": "x", "make": "byd", "model": "golf"})
    assert answer.status_code == 422 and "“GOLF” does not go with “BYD” in Make" in readable(answer)


@pytest.mark.parametrize(
    ("field", "body", "code"),
    [
        ("make", picklist("picklist", "vw", "model", golf=["vw"]), "field.control_circle"),
        ("model", picklist("picklist", "golf", "name", vw=["golf"]), "field.control_not_a_picklist"),
        ("model", picklist("picklist", "golf", "make", vw=["polo"]), "field.matrix_unknown_code"),
        ("model", picklist("picklist", "golf", "make", audi=["golf"]), "field.matrix_unknown_code"),
        ("model", picklist("picklist", "golf", "brand", vw=["golf"]), "reference.unknown_field"),
    ],
)
def test_a_matrix_that_cannot_be_is_refused(field: str, body: dict[str, Any], code: str) -> None:
    with pytest.raises(Invalid) as caught:
        models.model({"car": {**CAR["car"], field: body}})
    assert code in {fault.code for fault in caught.value.faults}
