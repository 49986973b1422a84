"""Values in Studio: texts in two languages, rules tried on records, values replaced on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from htmlforms import posted
from pagesite import PageSite, readable
from studios import draft_of, make_field, studio_site
from tabwright.metadata.choices import codes_in
from tabwright.runtime.query.reads import Reads


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with studio_site(request.param) as made:
        yield made


@pytest.fixture
def site() -> Iterator[PageSite]:
    with studio_site("sqlite") as made:
        yield made


def _stage(site: PageSite, id: Any) -> Any:
    return Reads(site.call).get("deal", id, ("stage",))["stage"]


def test_texts_are_translated_in_place_and_the_missing_ones_listed(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    make_field(admin, "deal", "text", "只有中文")
    page = admin.get("/studio/translations?missing=en")
    assert "只有中文" in page.text and "No English 1" in readable(page)
    form = posted(page.text, "texts")
    (name,) = [each for each in form if each.endswith("/label:en")]
    answer = admin.post("/studio/translations?missing=en", {**form.to_dict(), name: "English only"})
    assert answer.status_code == 303
    tree = draft_of(site, admin).tree
    field = tree.get("field", "deal.zhi_you_zhong_wen")
    assert field and field.body["label"] == {"zh": "只有中文", "en": "English only"}
    late = admin.post("/studio/translations", {**form.to_dict(), name: "Another"})
    assert late.status_code == 409, "it was changed since that page was shown"
    report = admin.get("/studio/translations.csv").text
    assert report.startswith("\ufeffcomponent,place,zh,en") and "field/deal.amount,/label" in report


def test_a_rule_is_tried_on_records_before_it_is_published(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    for name, amount in (("big", "100"), ("small", "1"), ("none", None)):
        account = site.records.create("account", {"name": f"acc {name}"})
        site.records.create("deal", {"name": name, "amount": amount, "account": str(account.id)})
    admin.get("/studio/new/validation_rule?object=deal")
    ask = {
        "object": "deal",
        "/condition": 'amount > 50 && BEGINS(account.name, "acc")',
        "/message/en": "Too much",
    }
    text = readable(
        admin.client.post("/studio/try", data={**posted(admin.last, "component-form"), **ask}).text
    )
    assert "big Would be refused, with the message: Too much" in text
    assert "small Passes" in text and "none Passes" in text
    form = {**posted(admin.last, "component-form"), **ask, "/severity": "warning"}
    text = readable(admin.client.post("/studio/try", data=form).text)
    assert "big Would be held up by the warning: Too much" in text
    admin.get("/studio/new/validation_rule?object=deal")
    text = readable(admin.post("/studio/try", {**ask, "find": "SMA"}))
    assert "small" in text and "big" not in text
    admin.get("/studio/new/validation_rule?object=deal")
    assert "mark" in admin.post("/studio/try", {**ask, "/condition": "amout > 1"}).text


def test_a_value_is_replaced_on_all_records_and_taken_back(both: PageSite) -> None:
    admin = both.person("管理员", "administrator", language="en")
    guard = {
        "kind": "validation_rule",
        "name": "deal.guard",
        "condition": 'ISPICKVAL(stage, "won") && name = "locked"',
        "message": {"en": "Locked"},
    }
    both.publish({}, [guard])
    ids = [both.records.create("deal", {"name": name, "stage": "open"}).id for name in ("a", "b", "locked")]
    both.records.create("deal", {"name": "c", "stage": "lost"})
    assert "Open (3 records)" in readable(admin.get("/studio/replace/field/deal.stage"))
    answer = admin.post("/studio/replace/field/deal.stage", {"old": "open", "new": "won", "off": "1"})
    assert answer.status_code == 303
    assert "Replacing" in readable(admin.get(answer.headers["Location"]))
    both.site.runner.run_due(both.location)
    text = readable(admin.get(answer.headers["Location"]))
    assert "2 records changed" in text and "1 were refused" in text and "{" not in text
    stages = [_stage(both, id) for id in ids]
    assert stages == ["won", "won", "open"]
    off = draft_of(both, admin).tree.get("field", "deal.stage")
    assert off and [v.get("active", True) for v in off.body["options"]["values"]] == [False, True, True]
    undo = admin.post(answer.headers["Location"] + "/undo", {})
    both.site.runner.run_due(both.location)
    assert "2 records are back" in readable(admin.get(undo.headers["Location"]))
    assert [_stage(both, id) for id in ids] == ["open", "open", "open"]
    for wrong in ({"old": "open", "new": "open"}, {"old": "open", "new": "nothing"}):
        admin.get("/studio/replace/field/deal.stage")
        assert admin.post("/studio/replace/field/deal.stage", wrong).status_code == 422


def test_a_value_among_several_is_replaced_in_its_place(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    colours = {
        "kind": "field",
        "name": "deal.colours",
        "label": {"en": "Colours"},
        "type": "multi_picklist",
        "options": {"values": [{"code": "red"}, {"code": "dark red"}, {"code": 'a"b'}]},
    }
    site.publish({}, [colours])
    both = site.records.create("deal", {"name": "both", "colours": ["red", 'a"b']}).id
    merged = site.records.create("deal", {"name": "merged", "colours": ["dark red", 'a"b']}).id
    admin.get("/studio/replace/field/deal.colours")
    job = admin.post("/studio/replace/field/deal.colours", {"old": 'a"b', "new": "dark red"})
    site.site.runner.run_due(site.location)
    assert "2 records changed" in readable(admin.get(job.headers["Location"]))
    found = [Reads(site.call).get("deal", id, ("colours",))["colours"] for id in (both, merged)]
    assert [sorted(codes_in(each)) for each in found] == [["dark red", "red"], ["dark red"]]
