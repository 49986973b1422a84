"""Fields that are hidden until they are granted by name (S18): nobody's "*" covers them, on any channel."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from desks import Desk, desk_of
from pagesite import Visitor, make_pages, readable
from stores import DIALECTS

OBJECTS: models.Compact = {"deal": {"name": "text(80) required", "cost": "integer"}}
DEAL = {**models.documents({"deal": OBJECTS["deal"]})[0], "field_access": "granted"}
RIGHTS = {"objects": {"*": ["read", "create", "edit", "view_all"]}, "tabs": ["*"], "apps": ["*"]}
SETS: list[dict[str, Any]] = [
    {"kind": "permission_set", "name": "star", **RIGHTS, "fields": {"*": {"*": "edit", "cost": "edit"}}},
    {"kind": "permission_set", "name": "own_star", **RIGHTS, "fields": {"deal": {"*": "edit"}}},
    {"kind": "permission_set", "name": "named", **RIGHTS, "fields": {"deal": {"name": "edit"}}},
    {"kind": "permission_set", "name": "designer", "system": ["customise"]},
]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, SETS)
        made.publish({}, [DEAL])
        yield desk_of(made)


def fields(site: Desk, person: Visitor) -> set[str]:
    described = site.api_of(person).get("/objects/deal").json
    own = {"name", "cost", "margin", "rate"}
    return {each["name"] for each in described["fields"]} & own


def test_no_star_covers_a_field_of_such_an_object(site: Desk) -> None:
    id = site.create("deal", name="x", cost=7)
    for name, seen in (("star", set()), ("own_star", set()), ("named", {"name"}), ("standard_user", set())):
        person = site.pages.person(f"w_{name}", name)
        assert fields(site, person) == seen, name
        api = site.api_of(person)
        assert "cost" not in api.get(f"/objects/deal/records/{id}").json
        assert api.get("/objects/deal/records", fields="cost").json["code"] == "field.unknown"
        assert api.get("/objects/deal/records", where="cost = 7").json["code"] == "FORMULA_UNKNOWN_FIELD"
        assert api.post("/objects/deal/records", {"cost": 8}).json["code"] == "field.unknown"
        assert "Cost" not in person.get(f"/o/deal/{id}").text
    assert fields(site, site.admin) == {"name", "cost"}


def test_a_new_field_is_hidden_until_it_is_granted_by_name(site: Desk) -> None:
    person = site.pages.person("new", "named")
    site.pages.publish({}, [{"kind": "field", "name": "deal.margin", "type": "integer"}])
    assert fields(site, person) == {"name"} and "margin" in fields(site, site.admin)
    named = {**SETS[2], "fields": {"deal": {"name": "edit", "margin": "read"}}}
    site.pages.publish({}, [named])
    assert fields(site, person) == {"name", "margin"}
    site.pages.publish({}, [SETS[2]])


def test_opening_the_object_again_gives_rights_and_takes_who_may(site: Desk) -> None:
    designer = site.api_of(site.pages.person("designer", "designer"))
    deal = site.api.get("/metadata/draft/object/deal").json
    designer.patch("/metadata/draft", {"put": [{**deal, "field_access": "open"}]})
    answer = designer.post("/metadata/publish", {})
    assert answer.status_code == 403 and answer.json["code"] == "access.system_right"
    designer.delete("/metadata/draft")


def test_the_panel_of_a_new_field_asks_whom_to_grant_it(site: Desk) -> None:
    admin = site.admin
    page = admin.get("/studio/objects/deal/new-field?type=integer")
    assert "谁能看到这个字段" in readable(page) and 'name="grant.named"' in page.text
    assert "grant.standard_user" not in page.text
    answer = admin.post(
        "/studio/objects/deal/new-field",
        {"/type": "integer", "/label/en": "Rate", "local": "rate", "do": "save", "grant.named": "read"},
    )
    assert answer.status_code == 303, readable(answer)[:300]
    assert site.api.post("/metadata/publish", {}).status_code == 200
    assert "rate" in fields(site, site.pages.person("after", "named"))
    assert "rate" not in fields(site, site.pages.person("after_star", "star"))
    matrix = admin.get("/studio/access/deal").text
    assert ':f:*"' not in matrix and ':f:rate"' in matrix
