"""The editors of record types, of layouts by permission set and of global picklists: kept, and enforced."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

import models
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.platform.errors import Denied, Invalid
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.records.service import Records

OBJECTS: models.Compact = {
    "deal": {
        "name": "text(120) required",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost)",
        "branch": "picklist(global branch)",
    },
}
PARTS: list[dict[str, Any]] = [
    {
        "kind": "picklist",
        "name": "branch",
        "label": {"zh": "行业", "en": "Branch"},
        "values": [{"code": "steel", "label": {"en": "Steel"}}, {"code": "wood", "label": {"en": "Wood"}}],
    },
    {"kind": "record_type", "name": "deal.new", "label": {"zh": "新签", "en": "New"}, "layout": "deal.full"},
    {
        "kind": "record_type",
        "name": "deal.old",
        "label": {"zh": "续约", "en": "Renewal"},
        "layout": "deal.full",
    },
    {
        "kind": "layout",
        "name": "deal.full",
        "label": {"en": "Full"},
        "sections": [{"fields": ["name", "amount", "stage", "branch"]}],
    },
    {
        "kind": "layout",
        "name": "deal.short",
        "label": {"en": "Short"},
        "sections": [{"fields": ["name", "stage"]}],
    },
]
SELLER: dict[str, Any] = {
    "kind": "permission_set",
    "name": "seller",
    "label": {"zh": "销售员", "en": "Seller"},
    "objects": {"deal": ["create", "read", "edit", "view_all"]},
    "fields": {"*": {"*": "edit"}},
    "tabs": ["*"],
    "record_types": {"*": ["*"]},
}
BOSS = SELLER | {"name": "boss", "label": {"zh": "主管", "en": "Boss"}, "record_types": {"deal": ["new"]}}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [*PARTS, SELLER, BOSS])
        yield made


@pytest.fixture
def site() -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [*PARTS, SELLER, BOSS])
        yield made


def save(visitor: Visitor, at: str, form: dict[str, Any]) -> TestResponse:
    page = visitor.get(f"/studio/{at}")
    assert page.status_code == 200, readable(page)[:300]
    seen = re.search(r'name="seen" value="([^"]*)"', page.text)
    assert seen is not None
    return visitor.post(f"/studio/{at}", {"_bench": "script", "seen": seen[1], **form})


def type_form(**changed: Any) -> dict[str, Any]:
    form = {
        "label.zh": "续约",
        "label.en": "Renewal",
        "active": "yes",
        "asked": "yes",
        "set": ["seller"],
        "layout": "deal.full",
    }
    return form | changed


def publish(visitor: Visitor) -> None:
    page = visitor.get("/studio/plan").text
    expected = re.search(r'name="expected" value="([^"]*)"', page)
    assert expected is not None
    answer = visitor.post("/studio/publish", {"expected": expected[1], "note": "x"})
    assert answer.status_code == 303, readable(answer)[:600]


def records_of(site: PageSite, visitor: Visitor) -> Records:
    """The write path in somebody's name: what the form, the API and an import pass alike."""
    tenant = site.site.tenancy.open(site.location)
    assert visitor.user_id is not None
    with tenant.store.read() as reader:
        model, principal = principals.arrive(tenant, reader, visitor.user_id, site.site.clock.now())
    return Records(replace(site.call, model=model, principal=principal, gate=Gate(model, principal)))


def document(site: PageSite, visitor: Visitor, kind: str, name: str) -> dict[str, Any]:
    assert visitor.user_id is not None
    with site.call.tenant.store.read() as reader:
        found = site.publishing.drafts.get(reader, visitor.user_id).tree.get(kind, name)
    assert found is not None
    return dict(found.document)


def test_a_type_offers_only_its_values_and_begins_with_its_default(both: PageSite) -> None:
    admin, seller = both.person("ana", "administrator"), both.person("sam", "seller", language="en")
    form = type_form(**{"limit:stage": "yes", "offer:stage": ["won", "lost"], "default:stage": "won"})
    answer = save(admin, "types/deal.old", form)
    assert answer.status_code == 200, answer.text
    made = document(both, admin, "record_type", "deal.old")
    assert made["picklists"] == {"stage": ["won", "lost"]} and made["defaults"] == {"stage": '"won"'}
    publish(admin)
    page = seller.get("/o/deal/new?record_type=old").text
    assert '<option value="won" selected' in page and 'value="open"' not in page
    writer = records_of(both, seller)
    with pytest.raises(Invalid) as told:
        writer.create("deal", {"name": "A", "record_type": "old", "stage": "open"})
    assert told.value.faults[0].code == "value.not_for_type"
    kept = writer.create("deal", {"name": "A", "record_type": "old"})
    assert kept.id is not None
    refused = seller.post("/o/deal/new", {"name": "B", "_record_type": "old", "stage": "open"})
    assert refused.status_code == 422 and "not available for this record type" in refused.text
    assert writer.create("deal", {"name": "C", "record_type": "new", "stage": "open"}).id is not None


def test_a_limit_of_nothing_is_told_and_no_limit_keeps_none(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    answer = save(admin, "types/deal.old", type_form(**{"limit:stage": "yes"}))
    assert answer.status_code == 422 and answer.json is not None
    assert answer.json["faults"][0]["at"] == "/picklists/stage"
    same = save(admin, "types/deal.old", type_form(**{"offer:stage": ["open", "won", "lost"]}))
    assert same.json is not None and same.json["changed"] == 0


def test_who_may_make_records_of_a_type(both: PageSite) -> None:
    admin = both.person("ana", "administrator")
    seller, boss = both.person("sam", "seller"), both.person("bo", "boss")
    assert save(admin, "types/deal.old", type_form(set=["boss"])).status_code == 200
    assert document(both, admin, "permission_set", "seller")["record_types"] == {"*": ["*"], "deal": ["new"]}
    assert document(both, admin, "permission_set", "boss")["record_types"] == {"deal": ["new", "old"]}
    publish(admin)
    with pytest.raises(Denied):
        records_of(both, seller).create("deal", {"name": "A", "record_type": "old"})
    assert records_of(both, boss).create("deal", {"name": "A", "record_type": "old"}).id is not None
    assert "record_type=old" not in seller.get("/o/deal/new").text


def test_none_of_the_types_where_all_were_given(both: PageSite) -> None:
    admin, seller = both.person("ana", "administrator"), both.person("sam", "seller")
    form = {
        "asked": "yes",
        "may": ["boss:new"],
        "layout::deal.new": "deal.full",
        "layout::deal.old": "deal.full",
    }
    assert save(admin, "assign/deal", form).status_code == 200
    assert document(both, admin, "permission_set", "seller")["record_types"] == {"*": ["*"], "deal": []}
    publish(admin)
    with pytest.raises(Denied):
        records_of(both, seller).create("deal", {"name": "A", "record_type": "new"})


def test_people_see_the_layout_of_their_permission_set(both: PageSite) -> None:
    admin = both.person("ana", "administrator")
    seller, boss = both.person("sam", "seller"), both.person("bo", "boss")
    two = both.person("two", "seller", "boss")
    id = both.records.create("deal", {"name": "A", "amount": "77", "record_type": "new"}).id
    form = {
        "asked": "yes", "may": ["seller:new", "seller:old", "boss:new"],
        "rules": ["boss", "seller"], "layout:boss:deal.new": "deal.short", "layout:boss:*": "",
        "layout:seller:deal.new": "", "layout:seller:deal.old": "deal.short", "layout:seller:*": "deal.full",
        "layout::deal.new": "deal.full", "layout::deal.old": "deal.full",
    }  # fmt: skip
    answer = save(admin, "assign/deal", form)
    assert answer.status_code == 200 and answer.json is not None and answer.json["changed"] == 1, answer.text
    publish(admin)
    for visitor, sees in ((boss, False), (seller, True), (two, False), (admin, True)):
        page = visitor.get(f"/o/deal/{id}").text
        assert ("77.00" in page) is sees, visitor.user_id
        assert ('name="amount"' in visitor.get(f"/o/deal/{id}/edit").text) is sees
    assert save(admin, "assign/deal", form | {"rules": ["seller", "boss"]}).status_code == 200
    publish(admin)
    assert "77.00" in two.get(f"/o/deal/{id}").text, "the first set that a person holds decides"
    assert 'name="amount"' not in seller.get("/o/deal/new?record_type=old").text


def test_everybody_else_sees_the_layout_of_the_type(site: PageSite) -> None:
    admin, seller = site.person("ana", "administrator"), site.person("sam", "seller")
    id = site.records.create("deal", {"name": "A", "amount": "77", "record_type": "old"}).id
    form = {"layout::deal.old": "deal.short", "layout::deal.new": "deal.full"}
    assert save(admin, "assign/deal", form).status_code == 200
    admin.get("/studio/assign/deal")
    back = f"/o/deal/{id}"
    assert admin.post("/studio/assign/deal/publish", {"back": back}).headers["Location"] == back
    assert "77.00" not in seller.get(f"/o/deal/{id}").text
    wrong = save(admin, "assign/deal", {"rules": ["seller"], "layout:seller:*": "deal.nothing"})
    assert wrong.status_code == 422 and wrong.json is not None
    assert wrong.json["faults"][0]["at"].startswith("/layouts/0")


def test_values_of_a_global_picklist_in_order_and_out_of_use(both: PageSite) -> None:
    admin, seller = both.person("ana", "administrator"), both.person("sam", "seller", language="en")
    both.records.create("deal", {"name": "A", "branch": "wood"})
    form = {
        "label.zh": "行业", "label.en": "Branch", "values": ["new1", "wood", "steel"],
        "label:new1.en": "Glass works", "active:new1": "yes", "colour:new1": "teal", "code:new1": "",
        "label:wood.en": "Timber", "code:wood": "wood",
        "label:steel.en": "Steel", "code:steel": "steel", "active:steel": "yes",
    }  # fmt: skip
    assert save(admin, "picklists/branch", form).status_code == 200
    values = document(both, admin, "picklist", "branch")["values"]
    assert [each["code"] for each in values] == ["glass_works", "wood", "steel"]
    assert values[0]["colour"] == "teal" and values[1]["active"] is False
    publish(admin)
    page = seller.get("/o/deal/new").text
    assert page.index('value="glass_works"') < page.index('value="steel"') and 'value="wood"' not in page
    assert "Timber" in seller.get("/o/deal?columns=name,branch").text, "old records keep it"
    with pytest.raises(Invalid):
        records_of(both, seller).create("deal", {"name": "B", "branch": "wood"})


def test_a_picklist_says_where_it_is_used_and_how_a_value_is_replaced(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    page = admin.get("/studio/picklists/branch").text
    assert "/studio/replace/picklist/branch" in page and "/studio/c/field/deal.branch" in page
    answer = save(admin, "picklists/branch", {"label.en": "Branch", "values": []})
    assert answer.status_code == 422 and answer.json is not None
    assert answer.json["faults"][0]["at"] == "/values"
    twice = {"label.en": "Branch", "values": ["a", "b"], "code:a": "x", "code:b": "x", "active:a": "yes"}
    assert save(admin, "picklists/branch", twice).status_code == 422


def test_new_ones_begin_with_a_small_form(site: PageSite) -> None:
    admin = site.person("ana", "administrator")
    admin.get("/studio/new-picklist")
    made = admin.post("/studio/new-picklist", {"label.zh": "级别", "lines": "高\n中\n\n高"})
    assert made.headers["Location"] == "/studio/picklists/ji_bie"
    assert [each["code"] for each in document(site, admin, "picklist", "ji_bie")["values"]] == [
        "gao",
        "zhong",
    ]
    assert admin.get("/studio/new/record_type?object=deal").headers["Location"] == "/studio/new-type/deal"
    admin.get("/studio/new-type/deal")
    made = admin.post("/studio/new-type/deal", {"label.en": "Trial", "set": ["boss"]})
    assert made.headers["Location"] == "/studio/types/deal.trial"
    assert document(site, admin, "permission_set", "boss")["record_types"] == {"deal": ["new", "trial"]}


def test_only_admins_come_in(site: PageSite) -> None:
    seller = site.person("sam", "seller")
    for at in ("types/deal.old", "assign/deal", "picklists/branch", "new-type/deal", "new-picklist"):
        assert seller.get(f"/studio/{at}").status_code == 403
        assert seller.post(f"/studio/{at}", {"label.en": "X"}).status_code == 403
