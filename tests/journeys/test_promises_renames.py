"""M2: what names a field follows its rename, the old name answers; deleted data come back."""

from __future__ import annotations

from typing import Any

import pytest

import models
from apisite import ApiSite
from apisite import api as api

OBJECTS: models.Compact = {
    "account": {"name": "text required searchable", "industry": "text(80)"},
    "deal": {
        "name": "text required searchable",
        "amount": "currency(16,2)",
        "fee": {
            "type": "decimal",
            "options": {"precision": 16, "scale": 2},
            "default": "amount * 0.1 /* ten */",
        },
        "account": "lookup(account)",
        "size": "integer",
    },
}
EXTRA: list[dict[str, Any]] = [
    {"kind": "layout", "name": "deal.main", "sections": [
        {"fields": ["name", {"field": "amount", "visible": "size > 1"},
                    {"field": "fee", "required": True, "visible": "amount > 10"}]}]},
    {"kind": "list_view", "name": "deal.big", "columns": ["name", "amount"], "where": "amount >= 100",
     "order": [["amount", "desc"]]},
    {"kind": "validation_rule", "name": "deal.not_negative", "condition": "amount < 0 && true",
     "field": "amount", "message": {"en": "Not below zero"}},
    {"kind": "permission_set", "name": "seller", "objects": {"deal": ["read", "create", "edit"]},
     "fields": {"deal": {"*": "edit", "amount": "read"}}},
]  # fmt: skip


@pytest.fixture
def deals(api: ApiSite) -> ApiSite:
    api.publish(OBJECTS, EXTRA)
    for number in (50, 100, 200):
        made = api.admin.post("/objects/deal/records", {"name": f"d{number}", "amount": number, "size": 2})
        assert made.status_code == 201, made.text
    return api


def change(api: ApiSite, **body: Any) -> None:
    changed = api.admin.patch("/metadata/draft", body)
    assert changed.status_code == 200, changed.text
    assert api.admin.get("/metadata/draft/plan").json["publishable"]
    published = api.admin.post("/metadata/publish", {})
    assert published.status_code == 200, published.text


def document(api: ApiSite, kind: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = api.admin.get(f"/metadata/draft/{kind}/{name}").json
    return found


def test_everything_follows_a_rename_and_the_old_name_answers(deals: ApiSite) -> None:
    admin, path = deals.admin, "/objects/deal/records"
    change(deals, rename=[{"kind": "field", "name": "deal.amount", "to": "deal.value"}])
    assert document(deals, "field", "deal.fee")["default"] == "value * 0.1 /* ten */"
    fields = document(deals, "layout", "deal.main")["sections"][0]["fields"]
    assert fields[1]["field"] == "value" and fields[2]["visible"] == "value > 10"
    view = document(deals, "list_view", "deal.big")
    assert (view["columns"], view["where"], view["order"]) == (
        ["name", "value"],
        "value >= 100",
        [["value", "desc"]],
    )
    rule = document(deals, "validation_rule", "deal.not_negative")
    assert (rule["condition"], rule["field"]) == ("value < 0 && true", "value")
    rights = document(deals, "permission_set", "seller")["fields"]["deal"]
    assert rights == {"*": "edit", "value": "read"}
    assert document(deals, "field", "deal.value")["aliases"] == ["deal.amount"]

    for name in ("value", "amount"):
        found = admin.get(path, where=f"{name} >= 100", order=f"{name}:desc", fields=f"name,{name}")
        assert [each["name"] for each in found.json["records"]] == ["d200", "d100"], found.text
        assert {"value"} <= set(found.json["records"][0]) and "amount" not in found.json["records"][0]
        made = admin.post(path, {"name": "new", name: 70, "size": 2})
        assert (made.status_code, made.json["value"], made.json["fee"]) == (201, 70, 7)
        changed = admin.patch(f"{path}/{made.json['id']}", {name: 80})
        assert changed.json["value"] == 80
        refused = admin.post(path, {"name": "new", name: -1, "size": 2})
        assert refused.status_code == 422 and refused.json["faults"][0]["field"] == "value"
        summed = admin.post(
            "/objects/deal/aggregate", {"measures": [{"function": "sum", "field": name, "name": "total"}]}
        )
        assert summed.status_code == 200, summed.text
    seller = deals.person("sam", "seller")
    assert seller.get(path, fields="value").status_code == 200
    assert seller.post(path, {"name": "mine", "amount": 5}).status_code == 422
    history = admin.get(f"{path}/{changed.json['id']}/history").json["history"]
    assert history[0]["fields"][0]["field"] == "value"


def test_an_object_is_renamed_with_all_of_it(deals: ApiSite) -> None:
    change(deals, rename=[{"kind": "object", "name": "deal", "to": "opportunity"}])
    for name in ("opportunity", "deal"):
        found = deals.admin.get(f"/objects/{name}/records", where="amount >= 100")
        assert found.status_code == 200 and len(found.json["records"]) == 2
    assert deals.admin.get("/objects/deal").json["name"] == "opportunity"
    assert document(deals, "list_view", "opportunity.big")["where"] == "amount >= 100"


def test_a_used_field_is_not_deleted_and_says_where_it_is_used(deals: ApiSite) -> None:
    admin = deals.admin
    refused = admin.patch("/metadata/draft", {"delete": [{"kind": "field", "name": "deal.amount"}]})
    assert refused.status_code == 409, refused.text
    told = str(refused.json["faults"])
    used = ("deal.fee", "deal.main", "deal.big", "deal.not_negative", "seller")
    assert [name for name in used if name not in told] == []
    assert admin.get("/objects/deal").json["fields"][1]["name"] == "amount"


def test_an_unused_field_goes_and_its_data_come_back(deals: ApiSite) -> None:
    admin, path = deals.admin, "/objects/deal/records"
    before = admin.get("/metadata/releases").json["current"]
    change(deals, put=[models.document("field", "deal.extra", type="text")])
    with_field = admin.get("/metadata/releases").json["current"]
    first = admin.get(path, order="name").json["records"][0]["id"]
    assert admin.patch(f"{path}/{first}", {"extra": "kept"}).status_code == 200
    change(deals, delete=[{"kind": "field", "name": "deal.extra"}])
    assert "extra" not in admin.get(f"{path}/{first}").json
    assert admin.get(path, fields="extra").status_code == 422
    restored = admin.post(f"/metadata/releases/{with_field}/restore", {})
    assert restored.status_code == 200, restored.text
    assert admin.get(f"{path}/{first}").json["extra"] == "kept"
    assert with_field == before + 1
