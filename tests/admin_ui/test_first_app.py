"""The first app of somebody who knows Excel: what they write, and what they expect to find next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from htmlforms import posted
from pagesite import PageSite, Visitor, make_pages, readable


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageSite]:
    with make_pages("sqlite", tmp_path_factory.mktemp("site")) as made:
        yield made


def make_vehicle(admin: Visitor, **more: str) -> None:
    """The object "车辆" with a price and what it cost, in the draft."""
    admin.get("/studio/objects/new")
    sent = {"/label/zh": "车辆", "/label/en": "Vehicle", "naming": "text", "sharing": "private", **more}
    made = admin.post("/studio/objects/new", sent)
    assert made.status_code == 303, readable(made)
    for label, name in (("售价", "price"), ("采购价", "cost")):
        sent = {"/label/zh": label, "local": name, "/type": "currency", "do": "save"}
        admin.get("/studio/objects/vehicle/new-field")
        made = admin.post("/studio/objects/vehicle/new-field", sent)
        assert made.status_code == 303, readable(made)


def test_a_label_in_a_formula_is_answered_with_the_name_of_its_field(site: PageSite) -> None:
    admin = site.person("boss", "administrator")
    make_vehicle(admin)
    admin.get("/studio/new/validation_rule?object=vehicle")
    rule = {"kind": "validation_rule", "object": "vehicle", "check": "/condition"}
    told = admin.post("/studio/check", {**rule, "/condition": "售价 <= 采购价"})
    assert 'data-put="price" data-from="0" data-over="2"' in told.text
    assert 'data-put="cost" data-from="6" data-over="3"' in told.text
    assert "公式里写 price" in readable(told)
    admin.get("/studio/new/validation_rule?object=vehicle")
    unknown = admin.post("/studio/check", {**rule, "/condition": "底价 <= price"})
    assert "data-put" not in unknown.text and "底价" in readable(unknown)


def test_the_label_of_a_value_in_a_formula_is_answered_with_its_code(site: PageSite) -> None:
    admin = site.person("boss", "administrator")
    make_vehicle(admin)
    state = {"/label/zh": "状态", "local": "state", "/type": "picklist", "do": "save"}
    state |= {"/options/values/0/label/zh": "已签", "/options/values/0/code": "signed"}
    admin.get("/studio/objects/vehicle/new-field")
    made = admin.post("/studio/objects/vehicle/new-field", state)
    assert made.status_code == 303, readable(made)
    admin.get("/studio/new/validation_rule?object=vehicle")
    rule = {"kind": "validation_rule", "object": "vehicle", "check": "/condition"}
    told = admin.post("/studio/check", {**rule, "/condition": 'state = "已签" && price = 0'})
    assert 'data-put="&#34;signed&#34;" data-from="8" data-over="4"' in told.text, told.text
    assert "它的代码" in readable(told)


def test_a_formula_offers_the_fields_that_it_may_name(site: PageSite) -> None:
    admin = site.person("boss", "administrator")
    make_vehicle(admin)
    admin.get("/studio/new/validation_rule?object=vehicle")
    rule = {"kind": "validation_rule", "object": "vehicle", "check": "/condition"}
    offered = admin.post("/studio/complete", {**rule, "/condition": "", "path": ""}).get_json()
    found = {each["name"]: each["label"] for each in offered["names"]}
    assert found["price"] == "售价" and found["cost"] == "采购价"


def test_tabs_and_the_plural_follow_the_label_until_they_have_words_of_their_own(site: PageSite) -> None:
    admin = site.person("boss", "administrator")
    make_vehicle(admin)
    assert "车辆" in readable(admin.get("/studio/kinds/tab"))
    page = admin.get("/studio/c/object/vehicle")
    form = posted(page.text, "component-form").to_dict()
    assert form["/plural/en"] == "Vehicles"
    admin.post(
        "/studio/c/object/vehicle", {**form, "/label/zh": "库存车", "/label/en": "Lorry", "do": "save"}
    )
    assert posted(admin.get("/studio/c/object/vehicle").text, "component-form")["/plural/en"] == "Lorries"
    assert "库存车" in readable(admin.get("/studio/kinds/tab"))


def test_the_name_of_records_is_chosen_among_fields_that_can_name_them(site: PageSite) -> None:
    admin = site.person("boss", "administrator")
    make_vehicle(admin)
    page = admin.get("/studio/c/object/vehicle").text
    offered = page.partition('name="/name_field"')[2].partition("</select>")[0]
    assert 'value="name"' in offered
    assert 'value="price"' not in offered and 'value="created_at"' not in offered


def test_a_new_object_may_bring_an_app_and_the_next_one_goes_there(site: PageSite) -> None:
    admin = site.person("boss", "administrator")
    make_vehicle(admin, app="@new")
    assert "车辆" in readable(admin.get("/studio/kinds/app"))
    assert '<option value="vehicle" selected>' in admin.get("/studio/objects/new").text


def test_the_plan_tells_rights_by_object_and_the_object_before_its_fields(site: PageSite) -> None:
    admin = site.person("boss", "administrator")
    make_vehicle(admin)
    page = admin.get("/studio/plan").text
    assert page.count('class="tw-plan st-shifts"') == 1
    shifts = page.partition("st-shifts")[2].partition("</ul>")[0]
    assert shifts.count("<li>") == 1, "one object, one line"
    changes = readable(admin.get("/studio/plan")).partition("更改")[2]
    assert changes.index("对象 车辆") < changes.index("字段 车辆 › 售价")


def test_after_a_publish_the_new_object_is_one_click_away(site: PageSite) -> None:
    admin = site.person("boss", "administrator")
    make_vehicle(admin)
    admin.get("/studio/plan")
    there = admin.post("/studio/publish", {}).headers["Location"]
    page = admin.get(there)
    assert 'href="/o/vehicle"' in page.text and 'href="/o/vehicle/import"' in page.text
    assert 'href="/o/vehicle/import"' not in admin.get("/studio/releases").text
