"""Studio over HTTP: what admins do in it, what others may not, and what nobody's mistakes may break."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from htmlforms import posted
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.admin_ui.names import suggested
from tabwright.metadata.choices import codes_in
from tabwright.metadata.drafts import Draft
from tabwright.runtime.query.reads import Reads

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost)",
    },
}
LOOKER = {
    "kind": "permission_set",
    "name": "looker",
    "label": {"zh": "查看者", "en": "Looker"},
    "system": ["view_setup"],
    "objects": {"*": ["read"]},
    "fields": {"*": {"*": "read"}},
    "tabs": ["*"],
}
HOSTILE = "\"><img src=x onerror=alert(1)>{{ 7*7 }}'"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [LOOKER])
        yield made


@pytest.fixture
def site() -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, [LOOKER])
        yield made


def draft_of(site: PageSite, visitor: Visitor) -> Draft:
    with site.call.tenant.store.read() as reader:
        return site.publishing.drafts.get(reader, me(visitor))


def me(visitor: Visitor) -> UUID:
    assert visitor.user_id is not None
    return visitor.user_id


def release(site: PageSite) -> int:
    with site.call.tenant.store.read() as reader:
        return site.site.releases.current(reader)


def make_field(admin: Visitor, object: str, type: str, zh: str, **more: str) -> None:
    admin.get(f"/studio/objects/{object}/new-field?type={type}")
    form = posted(admin.last, "field-form")
    form["/label/zh"] = zh
    for name, value in more.items():
        form[name] = value
    answer = admin.client.post(
        f"/studio/objects/{object}/new-field", data=form, headers={"Accept": "text/html"}
    )
    assert answer.status_code == 303, readable(answer.text)


# ---- the way from nothing to a first record -----------------------------------------------------------


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


# ---- rights -------------------------------------------------------------------------------------------

LOOKS = [
    "/studio",
    "/studio/objects",
    "/studio/objects/deal",
    "/studio/c/field/deal.amount",
    "/studio/kinds/layout",
    "/studio/plan",
    "/studio/releases",
    "/studio/search?q=deal",
    "/studio/translations",
    "/studio/packages",
    "/studio/trash",
    "/studio/releases/diff?a=1&b=2",
]
CHANGES = [
    "/studio/objects/new",
    "/studio/objects/deal/new-field",
    "/studio/new/tab",
    "/studio/c/field/deal.amount/delete",
    "/studio/c/field/deal.amount/rename",
    "/studio/discard",
    "/studio/releases/1/restore",
    "/studio/replace/field/deal.stage",
]
POSTS = [
    *CHANGES,
    "/studio/c/field/deal.amount",
    "/studio/publish",
    "/studio/revert",
    "/studio/settle",
    "/studio/trash",
    "/studio/translations",
]


def test_who_may_not_customise_gets_a_clear_refusal(site: PageSite) -> None:
    worker, looker = site.person("员工", "standard_user"), site.person("查看者", "looker")
    for address in (*LOOKS, *CHANGES):
        answer = worker.get(address)
        assert answer.status_code == 403 and "“查看设置”或“定制”" in readable(answer), address
    assert 'href="/studio"' not in worker.get("/").text
    for address in LOOKS:
        assert looker.get(address).status_code == 200, address
        assert "new-field" not in looker.last and 'href="/studio/plan"' not in looker.last
    for address in CHANGES:
        answer = looker.get(address)
        assert answer.status_code == 403 and "“定制”" in readable(answer), address
    before = release(site)
    for address in POSTS:
        looker.get("/studio/objects")
        looker.last = looker.get("/settings").text  # a page with a token
        assert looker.post(address, {"/label/zh": "x"}).status_code == 403, address
    assert release(site) == before and draft_of(site, looker).is_empty


def test_studio_needs_a_session_and_a_token(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    assert site.stranger().get("/studio").status_code == 303, "to the door"
    admin.last = ""
    assert admin.post("/studio/publish", {}).status_code == 403


def test_examples_of_lost_values_are_shown_only_to_who_may_read_them(site: PageSite) -> None:
    customiser = {
        "kind": "permission_set",
        "name": "customiser",
        "label": {"en": "C"},
        "system": ["customise"],
        "objects": {"deal": ["read"]},
        "fields": {"deal": {"*": "read"}},
    }
    site.publish({}, [customiser])
    site.records.create("deal", {"name": "secret-value"})
    admin = site.person("管理员", "administrator", language="en")
    other = site.person("别人", "customiser", language="en")
    for each in (admin, other):
        site.draft(
            me(each),
            {
                "kind": "field",
                "name": "deal.name",
                "label": {"en": "N"},
                "type": "auto_number",
                "options": {"pattern": "{0}"},
            },
        )
    shown = {each: "secret-value" in each.get("/studio/plan").text for each in (admin, other)}
    assert not shown[other]


# ---- two at once ----------------------------------------------------------------------------------------


def test_a_form_that_is_out_of_date_overwrites_nothing(site: PageSite) -> None:
    """Two windows of one person: the second save is told, what it typed stays."""
    admin = site.person("管理员", "administrator", language="en")
    form = posted(admin.get("/studio/c/field/deal.amount").text, "component-form")
    first = {**form.to_dict(), "/label/en": "One"}
    assert admin.client.post("/studio/c/field/deal.amount", data=first).status_code == 303
    second = {**form.to_dict(), "/label/en": "Two"}
    answer = admin.client.post("/studio/c/field/deal.amount", data=second, headers={"Accept": "text/html"})
    assert answer.status_code == 422 and "was changed since you opened it" in readable(answer.text)
    assert posted(answer.text, "component-form")["/label/en"] == "Two"
    found = draft_of(site, admin).tree.get("field", "deal.amount")
    assert found and found.body["label"]["en"] == "One"


@pytest.mark.parametrize(("take", "label"), [("mine", "Mine"), ("theirs", "Theirs")])
def test_two_authors_of_one_component_are_told_and_choose(site: PageSite, take: str, label: str) -> None:
    anna, bob = (site.person(name, "administrator", language="en") for name in ("Anna", "Bob"))
    for who, word in ((anna, "Theirs"), (bob, "Mine")):
        form = posted(who.get("/studio/c/field/deal.amount").text, "component-form")
        form["/label/en"] = word
        assert who.client.post("/studio/c/field/deal.amount", data=form).status_code == 303
    assert "Also drafting: Bob" in readable(anna.get("/studio"))
    anna.get("/studio/plan")
    assert anna.post("/studio/publish", {}).status_code == 303
    plan = bob.get("/studio/plan")
    text = readable(plan)
    assert "Theirs" in text and "Mine" in text and "Publish r" not in text
    refused = bob.post("/studio/publish", {})
    assert refused.status_code == 409 and "nothing was changed" in readable(refused)
    uid = re.search(r'action="/studio/settle">.*?name="uid" value="([0-9a-f]+)"', bob.last, re.S)
    assert uid
    bob.get("/studio/plan")
    assert bob.post("/studio/settle", {"uid": uid[1], "take": take}).status_code == 303
    if take == "mine":
        bob.get("/studio/plan")
        assert bob.post("/studio/publish", {}).status_code == 303
    assert site.call.model.objects["deal"].fields["amount"].labels["en"] == label


def test_a_plan_that_is_out_of_date_is_not_published(site: PageSite) -> None:
    anna, bob = (site.person(name, "administrator", language="en") for name in ("Anna", "Bob"))
    make_field(bob, "deal", "text", "乙")
    form = posted(bob.get("/studio/plan").text, "plan-form")
    make_field(anna, "deal", "text", "甲")
    anna.get("/studio/plan")
    assert anna.post("/studio/publish", {}).status_code == 303
    answer = bob.post("/studio/publish", form.to_dict())
    assert answer.status_code == 409 and "Look at the plan again" in readable(answer)


# ---- plans, releases, trash -----------------------------------------------------------------------------


def test_what_stands_in_the_way_leads_to_its_place_and_changes_nothing(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    site.records.create("deal", {"name": "same"})
    site.records.create("deal", {"name": "same"})
    rule = {"kind": "unique_rule", "name": "deal.once", "label": {"en": "Once"}, "fields": ["name"]}
    site.draft(me(admin), rule)
    plan = readable(admin.get("/studio/plan"))
    assert "1 groups" in plan and "I understand" in plan
    before = release(site)
    answer = admin.post("/studio/publish", {})
    assert answer.status_code == 409 and "Not published; nothing was changed" in readable(answer)
    assert release(site) == before and not draft_of(site, admin).is_empty


def test_releases_are_compared_and_restored(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    make_field(admin, "deal", "text", "备注")
    admin.get("/studio/plan")
    admin.post("/studio/publish", {"note": "with notes"})
    text = readable(admin.get("/studio/releases"))
    assert "with notes" in text and "r3 In force" in text
    assert "备注" in readable(admin.get("/studio/releases/diff?a=2&b=3"))
    plan = readable(admin.get("/studio/releases/2/restore"))
    assert "What restoring r2 changes" in plan and "备注" in plan
    assert admin.post("/studio/releases/2/restore", {"note": ""}).status_code == 303
    assert "bei_zhu" not in site.call.model.objects["deal"].fields
    assert admin.get("/studio/releases/diff?a=2&b=99999999999").status_code == 404
    assert admin.get("/studio/releases/77/restore").status_code == 404


def test_a_removed_field_comes_back_with_its_values(both: PageSite) -> None:
    admin = both.person("管理员", "administrator", language="en")
    deal = both.records.create("deal", {"name": "D", "amount": "12.50"})
    admin.get("/studio/c/field/deal.amount/delete")
    assert admin.post("/studio/c/field/deal.amount/delete", {"seen": _seen(admin)}).status_code == 303
    assert "Deleted by this draft" in readable(admin.get("/studio/trash"))
    assert "1 values go to the trash" in readable(admin.get("/studio/plan"))
    assert admin.post("/studio/publish", {}).status_code == 303
    trash = admin.get("/studio/trash")
    assert "Amount" in readable(trash)
    uid = re.search(r'name="uid" value="([0-9a-f]+)"', trash.text)
    assert uid
    assert admin.post("/studio/trash", {"uid": uid[1]}).status_code == 303
    assert "comes back with 1 values" in readable(admin.get("/studio/plan"))
    assert admin.post("/studio/publish", {}).status_code == 303
    assert "12.50" in readable(admin.get(f"/o/deal/{deal.id}"))
    assert "Nothing was deleted" in readable(admin.get("/studio/trash"))


def _seen(visitor: Visitor) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', visitor.last)
    assert found
    return found[1]


def test_what_is_used_is_not_removed_and_says_where(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    site.publish(
        {},
        [
            {
                "kind": "list_view",
                "name": "deal.all",
                "label": {"en": "All deals"},
                "columns": ["name", "amount"],
            }
        ],
    )
    page = admin.get("/studio/c/field/deal.amount/delete")
    assert "All deals" in readable(page) and "still used in 1 places" in readable(page)
    answer = admin.post("/studio/c/field/deal.amount/delete", {"seen": _seen(admin)})
    assert answer.status_code == 409 and draft_of(site, admin).is_empty


def test_a_rename_takes_along_what_names_it(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    rule = {
        "kind": "validation_rule",
        "name": "deal.r",
        "condition": "amount < 0 /* no */",
        "message": {"en": "No"},
    }
    site.publish({}, [rule])
    page = admin.get("/studio/c/field/deal.amount/rename")
    assert "Follows by itself: 1 places" in readable(page)
    answer = admin.post("/studio/c/field/deal.amount/rename", {"seen": _seen(admin), "to": "price"})
    assert answer.headers["Location"] == "/studio/c/field/deal.price"
    found = draft_of(site, admin).tree.get("validation_rule", "deal.r")
    assert found and found.body["condition"] == "price < 0 /* no */"
    admin.get("/studio/c/field/deal.price/rename")
    assert (
        admin.post("/studio/c/field/deal.price/rename", {"seen": _seen(admin), "to": "name"}).status_code
        == 422
    )


def test_single_changes_and_the_whole_draft_are_given_up(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    make_field(admin, "deal", "text", "甲")
    make_field(admin, "deal", "text", "乙")
    page = admin.get("/studio/discard")
    uids = re.findall(r'name="uid" value="([0-9a-f]+)"', page.text)
    assert len(uids) == 2
    admin.post("/studio/revert", {"uid": uids[0]})
    assert len(draft_of(site, admin).differences) == 1
    admin.get("/studio/discard")
    assert admin.post("/studio/discard", {}).status_code == 303
    assert draft_of(site, admin).is_empty
    assert "tw-pubbar" not in admin.get("/studio").text


# ---- hostile words --------------------------------------------------------------------------------------


def test_hostile_words_show_as_they_were_typed(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    admin.get("/studio/objects/new")
    data = {"/label/zh": HOSTILE, "/label/en": HOSTILE, "local": "odd", "naming": "text"}
    assert admin.post("/studio/objects/new", data).status_code == 303
    make_field(
        admin,
        "odd",
        "picklist",
        HOSTILE,
        **{"/options:either": "values", "/options/values/0/label/zh": HOSTILE, "/options/values/0/code": "a"},
    )
    (field,) = [
        each.name for each in draft_of(site, admin).tree.parts_of_object("odd") if each.name != "odd.name"
    ]
    rule = {
        "kind": "validation_rule",
        "name": "odd.r",
        "label": {"en": HOSTILE},
        "condition": f'name = "{"<img src=x>"}"',
        "message": {"en": HOSTILE},
    }
    site.draft(me(admin), rule)
    pages = [
        "/studio",
        "/studio/objects",
        "/studio/objects/odd",
        f"/studio/c/field/{field}",
        "/studio/c/object/odd",
        "/studio/plan",
        "/studio/discard",
        "/studio/search?q=img",
        "/studio/translations",
        "/studio/kinds/tab",
        "/studio/kinds/validation_rule",
        "/studio/c/validation_rule/odd.r",
        f"/studio/c/field/{field}/delete",
        f"/studio/c/field/{field}/rename",
        "/studio/objects/odd/new-field?type=lookup",
        "/studio/packages",
    ]
    for address in pages:
        page = admin.get(address)
        assert page.status_code == 200, address
        assert "<img" not in page.text and "49" not in readable(page).replace("2049", ""), address
    assert HOSTILE in readable(admin.get("/studio/objects/odd"))


@pytest.mark.parametrize(
    "address",
    [
        "/studio/c/nothing/x",
        "/studio/new/nothing",
        "/studio/kinds/nothing",
        "/studio/objects/nothing",
        "/studio/c/field/deal.nothing",
        "/studio/objects/nothing/new-field",
        "/studio/new/layout?object=nothing",
        "/studio/replace/tab/x",
        "/studio/name?kind=nothing",
        "/studio/releases/diff?a=x&b=1",
        "/studio/c/field/%00",
        "/studio/replace-job/00000000000000000000000000000000",
    ],
)
def test_addresses_of_nothing_say_so(site: PageSite, address: str) -> None:
    admin = site.person("管理员", "administrator")
    assert admin.get(address).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"/type": "nothing"},
        {"/type": "lookup", "/label/zh": "x"},
        {"/options/values/99999999/code": "x"},
        {"/label/zh": "\x00"},
    ],
)
def test_forms_that_no_page_sends_are_refused(site: PageSite, form: dict[str, Any]) -> None:
    admin = site.person("管理员", "administrator")
    admin.get("/studio/objects/deal/new-field")
    assert admin.post("/studio/objects/deal/new-field", form).status_code == 422
    admin.get("/studio/c/field/deal.stage")
    assert admin.post("/studio/c/field/deal.stage", form).status_code == 422
    assert draft_of(site, admin).is_empty


# ---- search, translations, the rest ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("q", "href"),
    [
        ("amount", "/studio/c/field/deal.amount"),
        ("ptyh", "/studio/c/permission_set/standard_user"),
        ("putong", "/studio/c/permission_set/standard_user"),
        ("权限集", "/studio/kinds/permission_set"),
        ("fanyi", "/studio/translations"),
        ("validation", "/studio/kinds/validation_rule"),
        ("deal stage", "/studio/c/field/deal.stage"),
    ],
)
def test_settings_are_found_by_words_names_kinds_and_pinyin(site: PageSite, q: str, href: str) -> None:
    admin = site.person("管理员", "administrator")
    page = admin.get(f"/studio/search?q={q}")
    assert f'class="tw-hit" href="{href}"' in page.text


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


def test_the_checklist_is_computed_from_the_state() -> None:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as fresh:
        admin = fresh.person("管理员", "administrator", language="en")
        assert "0 / 6" in readable(admin.get("/studio"))
        admin.get("/studio/objects/new")
        admin.post("/studio/objects/new", {"/label/en": "Car", "naming": "text"})
        assert "1 / 6" in readable(admin.get("/studio"))
        admin.get("/studio/plan")
        admin.post("/studio/publish", {})
        fresh.records.create("car", {"name": "A"})
        assert "3 / 6" in readable(admin.get("/studio"))
        fresh.person("员工", "standard_user")
        assert "5 / 6" in readable(admin.get("/studio"))


def test_the_import_that_is_offered_is_of_the_newest_or_the_last_used_object() -> None:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as fresh:
        fresh.publish(OBJECTS)
        newest = max(OBJECTS, key=lambda name: models.uid_of("object", name))
        last = next(name for name in OBJECTS if name != newest)
        admin = fresh.person("管理员", "administrator", language="en")
        assert f'href="/o/{newest}/import"' in admin.get("/studio").text
        admin.get(f"/o/{last}/import")
        token = re.search(r'name="_csrf" value="([^"]+)"', admin.last)
        file = (io.BytesIO(b"name\nA\n"), "deals.csv")
        given = {"_csrf": token[1] if token else "", "file": file}
        answer = admin.client.post(f"/o/{last}/import", data=given, headers={"Accept": "text/html"})
        assert answer.status_code == 303, readable(answer.text)
        assert f'href="/o/{last}/import"' in admin.get("/studio").text


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


def _stage(site: PageSite, id: Any) -> Any:
    return Reads(site.call).get("deal", id, ("stage",))["stage"]
