"""Permission sets that are given together: what a group gives, to whom it shows, and who may give it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apisite import ApiSite, Person, make_api
from stores import DIALECTS
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal

OBJECTS = {"deal": {"name": "text(80) required", "amount": "currency(16,2)"}, "part": {"name": "text(80)"}}
SETS: list[dict[str, Any]] = [
    {"kind": "permission_set", "name": "seeing", "objects": {"deal": ["read", "view_all"]},
     "fields": {"deal": {"*": "read"}}},
    {"kind": "permission_set", "name": "making", "objects": {"deal": ["create"]},
     "fields": {"deal": {"*": "edit"}}},
    {"kind": "permission_set", "name": "parts", "objects": {"part": ["read", "view_all"]},
     "fields": {"part": {"*": "read"}}},
    {"kind": "permission_set_group", "name": "seller", "sets": ["seeing", "making"]},
    {"kind": "permission_set", "name": "assigner", "system": ["manage_users", "customise"],
     "objects": {"permission_assignment": ["create", "read", "edit", "modify_all"]},
     "fields": {"permission_assignment": {"*": "edit"}}},
    {"kind": "list_view", "name": "deal.ours", "columns": [{"field": "name"}], "shown_to": ["making"]},
    {"kind": "layout", "name": "deal.first",
     "sections": [{"label": {"en": "A"}, "fields": [{"field": "name"}]}]},
    {"kind": "layout", "name": "deal.second",
     "sections": [{"label": {"en": "B"}, "fields": [{"field": "name"}]}]},
]  # fmt: skip
RECORDS = "/objects/permission_assignment/records"


@pytest.fixture(params=DIALECTS)
def api(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS, SETS)
        yield made


def document(api: ApiSite, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = api.admin.get(f"/metadata/draft/{kind}/{name}").json
    return found


def publish(who: Person, *documents: dict[str, Any], **more: Any) -> Any:
    changed = who.patch("/metadata/draft", {"put": list(documents), **more})
    assert changed.status_code == 200, changed.text
    answer = who.post("/metadata/publish", {})
    who.delete("/metadata/draft")
    return answer


def test_who_holds_a_group_holds_its_sets_and_those_that_come_later(api: ApiSite) -> None:
    person = api.person("seller")
    given = api.admin.post(RECORDS, {"user": person.id.hex, "permission_set": "seller"})  # by its name
    assert given.status_code == 201, given.text
    assert api.admin.get(f"{RECORDS}/{given.json['id']}").json["permission_set"] == uid(api, "seller")
    assert person.post("/objects/deal/records", {"name": "x"}).status_code == 201
    assert len(person.get("/objects/deal/records").json["records"]) == 1
    assert person.get("/objects/part/records").status_code == 404
    group = document(api, "permission_set_group", "seller")
    assert publish(api.admin, {**group, "sets": ["parts", "seeing"]}).status_code == 200
    assert person.get("/objects/part/records").status_code == 200
    assert person.post("/objects/deal/records", {"name": "x"}).status_code == 403
    gone = publish(api.admin, delete=[{"kind": "permission_set_group", "name": "seller"}])
    assert gone.status_code == 200, gone.text
    assert person.get("/objects/deal/records").status_code == 404


def test_what_is_shown_to_a_set_is_shown_to_who_holds_it_by_a_group(api: ApiSite) -> None:
    lines = [{"permission_set": "making", "layout": "deal.second"}]
    assert publish(api.admin, {**document(api, "object", "deal"), "layouts": lines}).status_code == 200
    model = api.tenant.at_release()
    by_group, by_set = (
        Gate(model, Principal(api.admin.id, "", permission_sets=(uid(api, name),)))
        for name in ("seller", "seeing")
    )
    deal = model.objects["deal"]
    assert "ours" in {each.name for each in by_group.list_views(deal)}
    assert "ours" not in {each.name for each in by_set.list_views(deal)}
    assert [gate.layout(deal, None).name for gate in (by_group, by_set)] == ["second", "first"]


def test_a_group_is_given_only_by_who_holds_all_of_it(api: ApiSite) -> None:
    giver, other = api.person("giver", "assigner", "seeing"), api.person("other")
    given = giver.post(RECORDS, {"user": other.id.hex, "permission_set": "seller"})
    assert [each["code"] for each in given.json["faults"]] == ["access.grant_beyond"]
    holder = api.person("holder", "assigner", "seeing", "making")
    assert holder.post(RECORDS, {"user": other.id.hex, "permission_set": "seller"}).status_code == 201
    # What they may give they may not make wider, be it given already or not.
    group = document(api, "permission_set_group", "seller")
    wider = publish(holder, {**group, "sets": ["seeing", "making", "parts"]})
    assert wider.status_code == 403 and wider.json["faults"][0]["code"] == "access.grant_beyond"
    mine = {"kind": "permission_set_group", "name": "mine", "label": {"en": "Mine"}, "sets": ["parts"]}
    assert publish(holder, mine).status_code == 403
    assert publish(holder, {**group, "sets": ["seeing"]}).status_code == 200


def test_a_group_follows_the_names_of_its_sets_and_needs_one(api: ApiSite) -> None:
    rename = [{"kind": "permission_set", "name": "seeing", "to": "looking"}]
    assert publish(api.admin, rename=rename).status_code == 200
    assert document(api, "permission_set_group", "seller")["sets"] == ["looking", "making"]
    for sets, code in (([], "permission_set_group.empty"), (["nothing"], "reference.unknown")):
        put = {"put": [{"kind": "permission_set_group", "name": "g", "label": {"en": "G"}, "sets": sets}]}
        answer = api.admin.patch("/metadata/draft", put)
        if answer.status_code == 200:
            answer = api.admin.post("/metadata/publish", {})
        assert code in {each["code"] for each in answer.json["faults"]}
        api.admin.delete("/metadata/draft")
    gone = {"delete": [{"kind": "permission_set", "name": "looking"}]}
    taken = api.admin.patch("/metadata/draft", gone)
    assert taken.json["code"] == "component.in_use"


def uid(api: ApiSite, name: str) -> str:
    return next(uid for uid, each in api.tenant.at_release().grantable.items() if each.name == name)
