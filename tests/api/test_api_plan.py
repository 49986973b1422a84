"""The plan of a publish over HTTP: what it shows of records, and to whom."""

from __future__ import annotations

import models
from apisite import ApiSite


def test_a_plan_shows_values_only_to_who_may_read_them(api: ApiSite) -> None:
    builder = models.document("permission_set", "builder", system=["customise"], objects={"deal": ["read"]})
    api.publish({"deal": {"name": "text(50)", "size": "text(50)"}}, (builder,))
    api.admin.post("/objects/deal/records", {"name": "a", "size": "secret words"})
    change = {"put": [each for each in models.documents({"deal": {"name": "text(50)", "size": "integer"}})
                      if each["name"] == "deal.size"]}  # fmt: skip
    seen = {}
    for who in (api.admin, api.person("builder", "builder")):
        assert who.patch("/metadata/draft", change).status_code == 200
        plan = who.get("/metadata/draft/plan").json
        losses = [each for each in plan["consequences"] if each["code"] == "publish.values_lost"]
        assert [each["count"] for each in losses] == [1]
        seen[who] = [one["value"] for one in losses[0]["examples"]]
    assert list(seen.values()) == [["secret words"], []]


def test_a_permission_set_is_given_by_its_name_or_uid_and_an_unknown_one_refused(api: ApiSite) -> None:
    user = api.person("anna").id.hex
    path = "/objects/permission_assignment/records"
    refused = api.admin.post(path, {"user": user, "permission_set": "field_sales"})
    assert refused.status_code == 422
    assert [fault["code"] for fault in refused.json["faults"]] == ["value.not_in_list"]
    given = api.admin.post(path, {"user": user, "permission_set": "standard_user"})
    uids = {each.name: each.uid for each in api.tenant.at_release().permission_sets.values()}
    assert given.status_code == 201 and given.json["permission_set"] == uids["standard_user"]
