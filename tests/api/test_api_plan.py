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
