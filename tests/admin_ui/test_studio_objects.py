"""Objects and fields in Studio: the way from nothing to a first record, and back to where one came from."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from htmlforms import posted
from pagesite import PageSite, readable
from studios import draft_of, make_field, me, release, studio_site
from tabwright.admin_ui.names import suggested


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with studio_site(request.param) as made:
        yield made


@pytest.fixture
def site() -> Iterator[PageSite]:
    with studio_site("sqlite") as made:
        yield made


def test_an_object_with_fields_is_usable_after_one_publish(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    worker = both.person("员工", "standard_user")
    admin.get("/studio/objects/new")
    made = admin.post(
        "/studio/objects/new", {"/label/zh": "试驾车辆", "/label/en": "Vehicle", "naming": "text"}
    )
    assert made.headers["Location"] == "/studio/objects/vehicle"
    make_field(admin, "vehicle", "currency", "售价")
    make_field(admin, "vehicle", "date", "上牌日期", **{"/default": "TODAY()"})
    make_field(
        admin,
        "vehicle",
        "picklist",
        "状态",
        **{
            "/options:either": "values",
            "/options/values/0/label/zh": "在库",
            "/options/values/1/label/zh": "已售",
        },
    )
    make_field(admin, "vehicle", "lookup", "客户", **{"/options/target": "account"})
    assert worker.get("/o/vehicle").status_code == 404, "a draft affects nobody"
    plan = admin.get("/studio/plan")
    assert "发布 r3" in readable(plan)
    form = posted(plan.text, "plan-form")
    done = admin.post("/studio/publish", {**form.to_dict(), "note": "车辆"})
    assert done.status_code == 303 and "已发布 r3" in readable(admin.get(done.headers["Location"]))
    page = worker.get("/o/vehicle/new")
    text = readable(page)
    assert all(word in text for word in ("售价", "上牌日期", "状态", "在库", "已售", "客户"))
    saved = worker.post("/o/vehicle/new", {**worker.form(), "name": "京A12345", "shou_jia": "128000"})
    assert saved.status_code == 303
    assert "128,000" in readable(worker.get(saved.headers["Location"]))
    assert "试驾车辆" in readable(worker.get("/")), "it has its tab"


def test_an_object_comes_with_its_app_and_the_rights_of_chosen_sets(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    rep = site.person("代表", "looker")
    site.draft(
        me(admin),
        {"kind": "app", "name": "sales", "label": {"en": "Sales"}, "tabs": ["deal"]},
        {"kind": "tab", "name": "deal", "label": {"en": "Deals"}, "object": "deal"},
    )
    admin.get("/studio/objects/new")
    data = {"/label/en": "Car", "app": "sales", "sets": "looker", "naming": "number", "pattern": "C-{000}"}
    assert admin.post("/studio/objects/new", data).status_code == 303
    tree = draft_of(site, admin).tree
    app, rights, name = (
        tree.get("app", "sales"),
        tree.get("permission_set", "looker"),
        tree.get("field", "car.name"),
    )
    assert app and app.body["tabs"] == ["deal", "car"]
    assert (
        rights and "create" in rights.body["objects"]["car"] and rights.body["fields"]["car"] == {"*": "edit"}
    )
    assert name and name.body["type"] == "auto_number"
    admin.get("/studio/plan")
    assert admin.post("/studio/publish", {}).status_code == 303
    assert rep.get("/o/car/new").status_code == 200


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"naming": "text"}, "at least one language"),
        ({"/label/en": "Deal two", "local": "deal"}, "deal"),
        ({"/label/en": "X", "local": "Bad Name"}, "Bad Name"),
        ({"/label/en": "X", "naming": "number", "pattern": "no counter"}, "no counter"),
    ],
)
def test_a_new_object_that_cannot_be_says_why_and_keeps_what_was_typed(
    site: PageSite, data: dict[str, str], said: str
) -> None:
    admin = site.person("管理员", "administrator", language="en")
    admin.get("/studio/objects/new")
    answer = admin.post("/studio/objects/new", data)
    assert answer.status_code == 422 and 'role="alert"' in answer.text
    assert said.lower() in readable(answer).lower()
    assert draft_of(site, admin).is_empty
    again = posted(answer.text, "object-form")
    assert again["/label/en"] == data.get("/label/en", "")


def test_a_new_field_goes_where_it_was_asked_for_and_back(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    site.publish(
        {},
        [
            {"kind": "layout", "name": "deal.standard", "sections": [{"fields": ["name"]}]},
            {"kind": "list_view", "name": "deal.all", "label": {"zh": "全部"}, "columns": ["name"]},
        ],
    )
    page = admin.get("/studio/objects/deal/new-field?type=text&back=/o/deal?view=all")
    form = posted(page.text, "field-form")
    assert form["layout"] == "deal.standard" and form["list_view"] == "deal.all"
    answer = admin.post(
        "/studio/objects/deal/new-field", {**form.to_dict(), "/label/zh": "备注", "do": "publish"}
    )
    assert answer.headers["Location"] == "/o/deal?view=all"
    assert "已发布" in readable(admin.get("/o/deal")) and "备注" in readable(admin.last)
    model = site.call.model
    assert [each.path for each in model.objects["deal"].list_views["all"].columns] == ["name", "bei_zhu"]
    # With other changes in the draft nothing is published unseen.
    make_field(admin, "deal", "text", "另一个")
    admin.get("/studio/objects/deal/new-field?type=text&back=/o/deal")
    form = posted(admin.last, "field-form")
    before = release(site)
    answer = admin.post(
        "/studio/objects/deal/new-field", {**form.to_dict(), "/label/zh": "第三个", "do": "publish"}
    )
    assert answer.headers["Location"] == "/studio/plan?back=%2Fo%2Fdeal" and release(site) == before


def test_who_may_customise_finds_a_new_field_on_lists_and_forms(site: PageSite) -> None:
    site.records.create("deal", {"name": "D"})
    admin, worker = site.person("管理员", "administrator"), site.person("员工", "standard_user")
    looker = site.person("查看者", "looker", "standard_user")
    for address, back in (("/o/deal", "%2Fo%2Fdeal"), ("/o/deal/new", "%2Fo%2Fdeal%2Fnew")):
        assert f'href="/studio/objects/deal/new-field?back={back}"' in admin.get(address).text
        assert "new-field" not in worker.get(address).text and "new-field" not in looker.get(address).text


def test_lookups_offer_first_what_is_named_most(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    site.publish(
        {
            "zoo": {"name": "text(80)", "deal": "lookup(deal)"},
            "yak": {"name": "text(80)", "d": "lookup(deal)"},
        },
        [],
    )
    text = admin.get("/studio/objects/account/new-field?type=lookup").text
    start = text.index('name="/options/target"')
    offered = re.findall(r'<option value="(\w+)"', text[start : text.index("</select>", start)])
    assert offered[:2] == ["deal", "account"] and offered.index("zoo") < offered.index("user")


def test_names_made_of_chinese_words_are_short() -> None:
    name = suggested(["下次跟进时间以及备注说明和其他事项"], lambda name: False)
    assert 8 < len(name) <= 24 and not name.endswith("_"), name
    assert suggested(["Expected revenue of the next quarter"], lambda name: False).startswith(
        "expected_revenue_of"
    )
