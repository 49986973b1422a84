"""The form of any component, made from its schema: what it shows it takes back, and nothing else changes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from htmlforms import posted
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.admin_ui.field_types import cards, groups
from tabwright.metadata import schema
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Draft

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "phone": "phone"},
    "deal": {
        "name": "text(120) required unique",
        "account": "lookup(account) required",
        "partner": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost) required",
        "rate": "percent",
        "close_date": "date",
        "key_deal": "boolean",
        "needs": "long_text(2000)",
        "who": "user",
        "mail": "email",
        "site": "url",
    },
}
EXTRA: list[dict[str, Any]] = [
    {
        "kind": "sharing_rule",
        "name": "deal.east",
        "label": {"en": "East"},
        "when": 'ISPICKVAL(region, "east")',
        "to": [{"kind": "everyone"}, {"kind": "position", "key": "sales", "below": True}],
        "access": "edit",
    },
    {
        "kind": "sharing_rule",
        "name": "deal.peers",
        "label": {"en": "Peers"},
        "owned_by": [{"kind": "group", "key": "peers"}],
        "to": [{"kind": "group", "key": "peers"}],
    },
    {
        "kind": "restriction_rule",
        "name": "deal.mine",
        "label": {"en": "Mine"},
        "condition": "owner = $User.id",
        "applies_to": ["standard_user"],
        "active": False,
    },
    {
        "kind": "permission_set_group",
        "name": "sellers",
        "label": {"en": "Sellers"},
        "sets": ["standard_user"],
    },
    {"kind": "custom_label", "name": "greeting", "label": {"en": "Greeting"}, "text": {"en": "Hello"}},
    {
        "kind": "calendar",
        "name": "holidays",
        "label": {"zh": "节假日", "en": "Holidays"},
        "days_off": [{"from": "2026-10-01", "to": "2026-10-07", "label": {"zh": "国庆"}}],
        "days_worked": [{"day": "2026-10-10", "like": "thursday"}, {"day": "2026-09-20"}],
    },
    {
        "kind": "calendar",
        "name": "ours",
        "label": {"en": "Ours"},
        "default": True,
        "zone": "Asia/Shanghai",
        "hours": [
            {"weekday": "monday", "from": "09:00", "to": "12:00"},
            {"weekday": "friday", "from": "13:30", "to": "24:00"},
        ],
        "includes": ["holidays"],
        "fiscal_year_start": 4,
        "fiscal_year_named_by": "end",
    },
    {
        "kind": "picklist",
        "name": "region",
        "label": {"zh": "区域", "en": "Region"},
        "values": [
            {"code": "east", "label": {"zh": "华东"}, "colour": "green"},
            {"code": "north", "label": {"en": "North"}, "active": False},
            {"code": "b"},
        ],
    },
    {
        "kind": "field",
        "name": "deal.region",
        "label": {"en": "Region"},
        "type": "picklist",
        "options": {"global": "region", "restricted": False},
        "help": {"zh": "哪里\n两行", "en": "Where"},
    },
    {
        "kind": "field",
        "name": "account.code",
        "label": {"en": "Code"},
        "type": "auto_number",
        "options": {"pattern": "A-{0000}", "start": 7},
    },
    {
        "kind": "field",
        "name": "deal.due",
        "label": {"zh": "到期"},
        "type": "date",
        "default": "TODAY() + 30",
        "read_only_after_create": True,
    },
    {
        "kind": "field",
        "name": "deal.score",
        "label": {"zh": "分"},
        "type": "decimal",
        "options": {"precision": 9, "scale": 3, "min": "-0.5", "max": "99999.125"},
    },
    {
        "kind": "field",
        "name": "deal.plate",
        "label": {"zh": "车牌"},
        "type": "text",
        "options": {"max_length": 8, "pattern": "[A-Z]{2}.*", "pattern_message": {"zh": "两个字母开头"}},
        "unique": "ignore_case",
    },
    {
        "kind": "field",
        "name": "deal.colours",
        "label": {"zh": "颜色"},
        "type": "multi_picklist",
        "options": {"values": [{"code": "red"}, {"code": "blue"}], "max_items": 2},
    },
    {
        "kind": "field",
        "name": "deal.reason",
        "label": {"zh": "原因"},
        "type": "picklist",
        "options": {
            "values": [{"code": "price"}, {"code": "time"}],
            "controlled_by": "stage",
            "matrix": {"lost": ["price", "time"], "won": ["price"]},
        },
    },
    {"kind": "field", "name": "deal.stars", "label": {"zh": "星"}, "type": "rating", "options": {"max": 7}},
    {
        "kind": "field",
        "name": "deal.notes",
        "label": {"zh": "记"},
        "type": "long_text",
        "options": {"rich_text": True},
    },
    {
        "kind": "field",
        "name": "deal.id_card",
        "label": {"zh": "证"},
        "type": "text",
        "options": {"mask": "id_card"},
    },
    {
        "kind": "validation_rule",
        "name": "deal.amount_needed",
        "label": {"zh": "要有金额"},
        "condition": 'AND(ISPICKVAL(stage, "won"),\n    ISBLANK(amount)) /* why */',
        "field": "amount",
        "message": {"zh": "请填写\n金额"},
        "active": False,
    },
    {"kind": "unique_rule", "name": "deal.once", "fields": ["account", "close_date"], "ignore_case": True},
    {
        "kind": "record_type",
        "name": "deal.big",
        "label": {"zh": "大单"},
        "picklists": {"stage": ["open", "won"]},
        "defaults": {"needs": '"x"', "rate": "0.5"},
        "layout": "deal.wide",
    },
    {
        "kind": "layout",
        "name": "account.lined",
        "label": {"en": "With lines"},
        "sections": [
            {"fields": ["name", "phone"]},
            {
                "label": {"en": "Deals"},
                "lines": {
                    "relation": "deal.account",
                    "columns": ["name", {"field": "amount", "required": True}],
                    "totals": ["amount"],
                    "max": 20,
                },
            },
            {"fields": ["owner"], "lines": {"relation": "deal.partner", "columns": ["name"]}},
        ],
    },
    {
        "kind": "layout",
        "name": "deal.wide",
        "label": {"zh": "宽"},
        "sections": [
            {
                "label": {"zh": "一"},
                "columns": 1,
                "fields": ["name", {"field": "amount", "visible": "key_deal"}],
            },
            {"fields": ["stage"]},
        ],
    },
    {
        "kind": "layout",
        "name": "account.standard",
        "sections": [{"fields": ["name"]}],
        "related": [{"field": "deal.account", "columns": ["name", "amount"], "order": [["amount", "desc"]]}],
    },
    {
        "kind": "list_view",
        "name": "deal.big",
        "label": {"zh": "大单"},
        "where": "amount > 3",
        "columns": ["name", {"field": "account.phone", "width": 90}],
        "order": [["amount", "desc"]],
    },
    {"kind": "list_view", "name": "deal.plain", "label": {"zh": "全部"}, "columns": ["name", "account.name"]},
    {"kind": "tab", "name": "deal", "label": {"zh": "商机"}, "object": "deal", "list_view": "deal.big"},
    {"kind": "tab", "name": "docs", "label": {"zh": "文档"}, "url": "https://example.com/a?b=1&c=2"},
    {"kind": "app", "name": "sales", "label": {"zh": "销售"}, "icon": "target", "tabs": ["docs", "deal"]},
    {
        "kind": "permission_set",
        "name": "sales",
        "label": {"zh": "销售"},
        "system": ["import"],
        "objects": {"deal": ["read", "edit"], "*": ["read"]},
        "fields": {"deal": {"amount": "none", "*": "edit"}},
        "tabs": ["deal"],
        "apps": ["*"],
        "record_types": {"deal": ["big"]},
    },
]


@pytest.fixture(scope="module")
def site() -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, EXTRA)
        yield made


@pytest.fixture(scope="module")
def admin(site: PageSite) -> Visitor:
    return site.person("管理员", "administrator")


def draft_of(site: PageSite, visitor: Visitor) -> Draft:
    assert visitor.user_id is not None
    with site.call.tenant.store.read() as reader:
        return site.publishing.drafts.get(reader, visitor.user_id)


def everything(site: PageSite) -> list[Component]:
    with site.call.tenant.store.read() as reader:
        return list(site.publishing.releases.tree(reader, site.publishing.releases.current(reader)))


def test_opening_and_saving_any_component_changes_nothing(site: PageSite, admin: Visitor) -> None:
    """The law of the generic editor, for every component of every kind that there is."""
    components = everything(site)
    assert {each.kind for each in components} == set(schema.kinds())
    for each in components:
        address = f"/studio/c/{each.kind}/{each.name}"
        page = admin.get(address)
        assert page.status_code == 200, each.place
        answer = admin.client.post(
            address, data=posted(page.text, "component-form"), headers={"Accept": "text/html"}
        )
        assert answer.status_code == 303, (each.place, readable(answer.text)[:600])
        changed = [(one.component.place, one.properties) for one in draft_of(site, admin).differences]
        assert changed == [], (each.place, changed)


def test_every_type_of_the_schema_is_in_the_picker_and_has_a_form(site: PageSite, admin: Visitor) -> None:
    types = schema.schema_of("field")["properties"]["type"]["enum"]
    picked = [card.name for group in groups("zh") for card in group.cards]
    assert sorted(picked) == sorted(types)
    for name in types:
        page = admin.get(f"/studio/objects/deal/new-field?type={name}")
        assert page.status_code == 200, name
        form = posted(page.text, "field-form")
        assert form["/type"] == name
        options = schema.schema_of("field")["$defs"].get(f"{name}_options", {}).get("properties", {})
        shown = {key.split("/")[2].split(":")[0] for key in form if key.startswith("/options/")}
        assert set(options) <= shown | {"values", "global"}, name
        assert cards("en")[name].label and cards("zh")[name].label


def test_a_type_that_takes_no_setting_does_not_offer_it(admin: Visitor) -> None:
    text = posted(admin.get("/studio/objects/deal/new-field?type=text").text, "field-form")
    boolean = posted(admin.get("/studio/objects/deal/new-field?type=boolean").text, "field-form")
    assert "/required:shown" in text and "/unique" in text
    assert "/required:shown" not in boolean and "/unique" not in boolean


def test_a_change_of_one_setting_is_that_change_alone(site: PageSite) -> None:
    anna = site.person("Anna", "administrator", language="en")
    page = anna.get("/studio/c/field/deal.plate")
    form = posted(page.text, "component-form")
    form["/options/max_length"] = "9"
    form["/label/en"] = "Plate"
    assert anna.client.post("/studio/c/field/deal.plate", data=form).status_code == 303
    (change,) = draft_of(site, anna).differences
    assert {each.pointer: each.new for each in change.properties} == {
        "/options/max_length": 9,
        "/label/en": "Plate",
    }


def test_rows_keep_the_order_of_the_form_and_get_codes_of_their_labels(site: PageSite) -> None:
    bob = site.person("Bob", "administrator", language="en")
    form = posted(bob.get("/studio/c/picklist/region").text, "component-form")
    numbers = ("2", "0", "7")
    for name in [each for each in form if each.startswith("/values/")]:
        del form[name]
    for number, code, label in zip(numbers, ("b", "east", ""), ("", "", "华南"), strict=True):
        form[f"/values/{number}/code"] = code
        form[f"/values/{number}/label/zh"] = label
    assert bob.client.post("/studio/c/picklist/region", data=form).status_code == 303
    found = draft_of(site, bob).tree.get("picklist", "region")
    assert found is not None
    assert [each["code"] for each in found.body["values"]] == ["b", "east", "hua_nan"]


def test_faults_stand_at_their_inputs_and_nothing_is_saved(site: PageSite) -> None:
    eve = site.person("Eve", "administrator", language="en")
    form = posted(eve.get("/studio/c/field/deal.plate").text, "component-form")
    form["/options/max_length"] = "many"
    form["/label/zh"] = form["/label/en"] = ""
    answer = eve.client.post("/studio/c/field/deal.plate", data=form, headers={"Accept": "text/html"})
    assert answer.status_code == 422
    again = posted(answer.text, "component-form")
    assert again["/options/max_length"] == "many", "what was typed stays"
    assert 'id="f-options-max-length-e1"' in answer.text and 'id="f-label-e1"' in answer.text
    assert draft_of(site, eve).is_empty


def test_a_wrong_formula_is_told_and_kept_only_on_purpose(site: PageSite) -> None:
    dan = site.person("Dan", "administrator", language="en")
    address = "/studio/c/validation_rule/deal.amount_needed"
    form = posted(dan.get(address).text, "component-form")
    form["/condition"] = "amout > 3"
    answer = dan.client.post(address, data=form, headers={"Accept": "text/html"})
    assert answer.status_code == 422 and "amout" in readable(answer.text)
    assert draft_of(site, dan).is_empty
    assert dan.client.post(address, data={**form.to_dict(), "do": "keep"}).status_code == 303
    plan = readable(dan.get("/studio/plan"))
    assert "1 things stand in the way" in plan and "Publish r" not in plan
    assert address in dan.last, "the plan leads to the place"


@pytest.mark.parametrize(
    ("text", "said", "marked"),
    [
        ("amout > 3", "amout", "<mark>amout</mark>"),
        ("amount + ", "", "<mark>"),
        ("amount > 3", "Right; the result type is yes or no", ""),
        ('name & "x"', "", "<mark>"),
    ],
)
def test_formulas_are_checked_while_they_are_typed(site: PageSite, text: str, said: str, marked: str) -> None:
    who = site.person(f"p{abs(hash(text))}", "administrator", language="en")
    who.get("/studio/new/validation_rule?object=deal")
    data = {"kind": "validation_rule", "object": "deal", "check": "/condition", "/condition": text}
    answer = who.post("/studio/check", data)
    assert answer.status_code == 200
    assert (marked in answer.text) if marked else ("<mark>" not in answer.text)
    if said and not marked:
        assert "circle-check" in answer.text
    elif said:
        assert said in answer.text


def test_what_is_probably_not_meant_is_said_beside_the_result(site: PageSite, admin: Visitor) -> None:
    admin.get("/studio/new/validation_rule?object=deal")
    data = {"kind": "validation_rule", "object": "deal", "check": "/condition"}
    answer = admin.post("/studio/check", {**data, "/condition": "2 * amount ^ 2 > 1"}).text
    assert "data-warns" in answer and 'data-put="(amount ^ 2)"' in answer and "circle-check" in answer
    admin.get("/studio/new/validation_rule?object=deal")
    answer = admin.post("/studio/check", {**data, "/condition": "2 * (amount ^ 2) > 1"}).text
    assert "data-warns" not in answer and "circle-check" in answer


def test_the_check_escapes_what_was_typed(site: PageSite, admin: Visitor) -> None:
    admin.get("/studio/objects")
    data = {
        "kind": "validation_rule",
        "object": "deal",
        "check": "/condition",
        "/condition": "<img src=x> > 1",
    }
    admin.get("/studio/new/validation_rule?object=deal")
    assert "<img" not in admin.post("/studio/check", data).text
