"""The compiler: what a Model holds, every fault with its place, and what a second compile takes over."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from models import components, crm, document, model, tree
from tabwright.metadata import limits
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import read
from tabwright.metadata.model import Model
from tabwright.metadata.packages import base_tree
from tabwright.platform.errors import Fault, Invalid
from tabwright.platform.language import say_fault

ACCOUNT = {
    "account": {
        "name": "text(80) required sortable",
        "amount": "currency(16,2)",
        "share": "percent(5,1)",
        "stage": "picklist(new,won,lost)",
        "parent": "lookup(account)",
        "notes": "long_text",
    },
    "contact": {"name": "text", "account": "lookup(account,cascade)", "email": "email unique=ignore_case"},
}


def faults_of(objects: Any, *extra: Mapping[str, Any]) -> list[Fault]:
    with pytest.raises(Invalid) as caught:
        model(objects, extra)
    for each in caught.value.faults:
        assert each.place.component and each.place.pointer is not None
        if not each.code.startswith("FORMULA"):
            said = say_fault(each, "en") + say_fault(each, "zh")
            assert not any("{" + name + "}" in said for name in each.params) and each.code not in said
    return list(caught.value.faults)


def codes(objects: Any, *extra: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    return [
        (each.place.component or "", each.place.pointer or "", each.code)
        for each in faults_of(objects, *extra)
    ]


def test_a_model_holds_what_the_documents_say() -> None:
    made = model(
        ACCOUNT,
        [
            {"kind": "validation_rule", "name": "account.positive", "condition": "Amount < 0",
             "message": {"en": "!"}},
            {"kind": "list_view", "name": "account.open",
             "columns": ["name", {"field": "parent.amount", "width": 90}],
             "where": 'NOT(ISPICKVAL(stage, "won"))', "order": [["name", "asc"]]},
            {"kind": "record_type", "name": "account.big", "picklists": {"stage": ["new"]},
             "defaults": {"amount": "5"}},
            {"kind": "unique_rule", "name": "contact.pair", "fields": ["account", "email"]},
        ],
    )  # fmt: skip
    account, contact = made.objects["account"], made.objects["contact"]
    assert [each.name for each in account.own_fields] == [
        "name",
        "amount",
        "share",
        "stage",
        "parent",
        "notes",
    ]
    assert list(account.fields)[6:] == [
        "id", "owner", "record_type", "created_at", "created_by", "updated_at", "updated_by", "revision",
    ]  # fmt: skip
    amount = account.fields["amount"]
    assert (amount.type, amount.precision, amount.scale, amount.currency) == ("currency", 16, 2, "CNY")
    assert account.fields["share"].value_type.percent and account.fields["share"].value_type.scale == 1
    assert account.fields["stage"].value_type.values == frozenset({"new", "won", "lost"})
    assert contact.fields["account"].on_delete == "cascade" and contact.fields["account"].target == "account"
    assert account.fields["owner"].target == "user" and account.fields["owner"].system
    assert account.validation_rules[0].condition.paths == {("amount",)}
    view = account.list_views["open"]
    assert [(each.path, each.width) for each in view.columns] == [("name", None), ("parent.amount", 90)]
    assert view.where is not None and view.order == (("name", "asc"),)
    assert account.record_types["big"].picklists == {"stage": ("new",)}
    assert account.record_types["big"].defaults["amount"].text == "5"
    assert [(each.name, each.fields, each.ignore_case) for each in contact.unique_rules] == [
        ("email", ("email",), True),
        ("pair", ("account", "email"), False),
    ]
    assert {each.path for each in made.children("account")} == {"account.parent", "contact.account"}


def test_what_is_missing_is_generated() -> None:
    made = model(ACCOUNT)
    account = made.objects["account"]
    layout = account.layouts["standard"]
    assert layout.uid is None
    assert [each.field for each in layout.sections[0].fields] == [
        "name", "amount", "share", "stage", "parent", "owner", "notes",
    ]  # fmt: skip
    assert [(each.object, each.field) for each in layout.related] == [
        ("account", "parent"),
        ("contact", "account"),
    ]
    assert layout.related[1].columns == ("name", "email")
    assert all(each.labels for each in layout.related)
    view = account.list_views["all"]
    assert view.uid is None and view.columns[0].path == "name" and view.order == (("updated_at", "desc"),)
    assert made.tabs["account"].uid is None and made.tabs["account"].object == "account"
    assert "group_member" not in made.tabs, "built-in objects have the tabs that their package says"


def test_documents_take_the_place_of_what_is_generated() -> None:
    made = model(
        ACCOUNT,
        [
            {"kind": "layout", "name": "account.page", "sections": [{"fields": ["name"]}]},
            {"kind": "tab", "name": "customers", "object": "account"},
            {"kind": "app", "name": "sales", "tabs": ["customers", "contact"]},
        ],
    )
    assert list(made.objects["account"].layouts) == ["page"]
    assert "account" not in made.tabs and made.tabs["customers"].object == "account"
    assert made.apps["sales"].tabs == ("customers", "contact")


def test_the_built_in_package_compiles_and_is_locked() -> None:
    made = compile_tree(base_tree(), release=1)
    assert {"user", "position", "department", "group", "queue", "permission_assignment"} <= set(made.objects)
    assert all(each.package == "base" and each.locked for each in made.objects.values())
    user = made.objects["user"]
    assert user.fields["address"].unique == "ignore_case" and user.fields["identity_id"].read_only
    names = {each.name for each in made.permission_sets.values()}
    assert names == {"administrator", "delegated_administrator", "standard_user"}
    for object in made.objects.values():
        for labels in [object.labels, object.plural, *(each.labels for each in object.fields.values())]:
            assert set(labels) == {"zh", "en"}


def test_the_crm_template_compiles() -> None:
    made = crm()
    assert {"lead", "account", "contact", "opportunity", "product", "activity"} <= set(made.objects)
    assert made.objects["opportunity"].package == "crm"


def test_every_fault_at_once_with_its_place() -> None:
    found = faults_of(
        {
            "account": {
                "name": "text",
                "owner": "user",
                "partner": "lookup(acount)",
                "rate": {"type": "decimal", "options": {"precision": 4, "scale": 6, "min": "9", "max": "1"}},
                "kind": {"type": "picklist", "options": {"global": "industri"}},
                "total": {"type": "currency", "default": "name &\n  amout * 2"},
            }
        },
        {"kind": "list_view", "name": "account.all", "columns": ["name", "nme", "partner.name.x"]},
        {"kind": "layout", "name": "account.page",
         "sections": [{"fields": ["name", "name", {"field": "x", "span": 4}]}]},
        {"kind": "validation_rule", "name": "account.never", "condition": "1 = 2", "message": {"en": "!"}},
        {"kind": "validation_rule", "name": "account.text", "condition": "name", "field": "y",
         "message": {"en": "!"}},
        {"kind": "field", "name": "nowhere.name", "type": "text"},
        {"kind": "app", "name": "sales", "tabs": ["account", "nothing"]},
        {"kind": "permission_set", "name": "p", "objects": {"acount": ["read"]},
         "fields": {"account": {"nme": "read"}}},
    )  # fmt: skip
    seen = {(each.place.component, each.place.pointer, each.code) for each in found}
    for expected in [
        ("field/account.owner", "/name", "field.reserved_name"),
        ("field/account.partner", "/options/target", "reference.unknown"),
        ("field/account.rate", "/options/scale", "field.scale_above_precision"),
        ("field/account.rate", "/options/min", "field.min_above_max"),
        ("field/account.kind", "/options/global", "reference.unknown"),
        ("list_view/account.all", "/columns/1", "reference.unknown_field"),
        ("layout/account.page", "/sections/0/fields/1", "layout.field_twice"),
        ("layout/account.page", "/sections/0/fields/2/field", "reference.unknown_field"),
        ("validation_rule/account.never", "/condition", "formula.constant"),
        ("validation_rule/account.text", "/field", "reference.unknown_field"),
        ("field/nowhere.name", "/name", "component.no_object"),
        ("app/sales", "/tabs/1", "reference.unknown"),
        ("permission_set/p", "/objects/acount", "reference.unknown"),
        ("permission_set/p", "/fields/account/nme", "reference.unknown_field"),
    ]:
        assert expected in seen
    formula = next(each for each in found if each.place.component == "field/account.total")
    assert formula.place.pointer == "/default" and (formula.place.line, formula.place.column) == (2, 3)
    named = next(each for each in found if each.place.component == "field/account.partner")
    assert named.params["hint"] == "account"


@pytest.mark.parametrize(
    ("extra", "pointer", "code"),
    [
        ({"kind": "layout", "name": "account.l", "sections": [{"fields": ["name"]}],
          "related": [{"field": "contact.name"}]}, "/related/0/field", "layout.not_a_lookup_here"),
        ({"kind": "layout", "name": "account.l", "sections": [{"label": {"en": "Empty"}}]},
         "/sections/0/fields", "layout.empty_section"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"lines": {"relation": "contact.name", "columns": ["email"]}}]},
         "/sections/0/lines/relation", "layout.not_a_lookup_here"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"lines": {"relation": "contact.account", "columns": ["account"]}}]},
         "/sections/0/lines/columns/0", "layout.lines_column"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"lines": {"relation": "contact.account", "columns": ["name", "name"]}}]},
         "/sections/0/lines/columns/1", "document.repeated"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"lines": {"relation": "contact.account", "columns": ["name"], "min": 3, "max": 2}}]},
         "/sections/0/lines/min", "layout.lines_min_max"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"lines": {"relation": "contact.account", "columns": ["name"], "totals": ["name"]}}]},
         "/sections/0/lines/totals/0", "layout.lines_total"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"lines": {"relation": "contact.account", "columns": ["name"], "position": "email"}}]},
         "/sections/0/lines/position", "layout.lines_position"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"lines": {"relation": "contact.account", "columns": ["name"]}},
                       {"lines": {"relation": "contact.account", "columns": ["email"]}}]},
         "/sections/1/lines/relation", "layout.lines_twice"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"columns": 1, "fields": [{"field": "name", "span": 2}]}]},
         "/sections/0/fields/0/span", "layout.span_too_wide"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"fields": [{"field": "name", "visible": "TRUE"}]}]},
         "/sections/0/fields/0/visible", "formula.constant"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"fields": [{"field": "name", "required": True, "required_when": "ISBLANK(notes)"}]}]},
         "/sections/0/fields/0/required_when", "document.no_effect"),
        ({"kind": "layout", "name": "account.l",
          "sections": [
              {"fields": [{"field": "name", "read_only": True, "required_when": "ISBLANK(notes)"}]}]},
         "/sections/0/fields/0/required_when", "document.no_effect"),
        ({"kind": "layout", "name": "account.l",
          "sections": [{"fields": [{"field": "name", "offered_when": {"new": "ISBLANK(notes)"}}]}]},
         "/sections/0/fields/0/offered_when", "layout.offered_without_values"),
        ({"kind": "field", "name": "account.t", "type": "text", "read_only": True,
          "read_only_when": "ISBLANK(notes)"}, "/read_only_when", "document.no_effect"),
        ({"kind": "field", "name": "account.t", "type": "text", "required_when": "nothing = 1"},
         "/required_when", "FORMULA_UNKNOWN_FIELD"),
        ({"kind": "field", "name": "account.p", "type": "picklist",
          "options": {"values": [{"code": "a"}], "offered_when": {"b": "ISBLANK(notes)"}}},
         "/options/offered_when/b", "record_type.unknown_code"),
        ({"kind": "list_view", "name": "contact.l", "columns": ["name"], "order": [["email", "asc"]]},
         "/order/0/0", "list_view.not_sortable"),
        ({"kind": "list_view", "name": "account.l", "columns": ["name"], "order": [["notes", "asc"]]},
         "/order/0/0", "list_view.not_sortable"),
        ({"kind": "list_view", "name": "account.l", "columns": ["name", "name"]},
         "/columns/1", "list_view.column_twice"),
        ({"kind": "list_view", "name": "account.l", "columns": ["name.x"]},
         "/columns/0", "reference.not_a_lookup"),
        ({"kind": "record_type", "name": "account.r", "picklists": {"stage": ["new", "old"]}},
         "/picklists/stage/1", "record_type.unknown_code"),
        ({"kind": "record_type", "name": "account.r", "picklists": {"name": ["new"]}},
         "/picklists/name", "record_type.not_a_picklist"),
        ({"kind": "record_type", "name": "account.r", "layout": "contact.l"}, "/layout", "reference.unknown"),
        ({"kind": "unique_rule", "name": "account.u", "fields": ["notes"]},
         "/fields/0", "unique_rule.not_comparable"),
        ({"kind": "tab", "name": "t", "object": "account", "list_view": "account.none"},
         "/list_view", "reference.unknown"),
        ({"kind": "field", "name": "account.key", "type": "text", "external_key": True},
         "/external_key", "field.key_not_unique"),
        ({"kind": "field", "name": "account.no", "type": "auto_number", "options": {"pattern": "A-{YYYY}"}},
         "/options/pattern", "field.bad_number_pattern"),
        ({"kind": "field", "name": "account.no", "type": "auto_number", "options": {"pattern": "{0}{00}"}},
         "/options/pattern", "field.bad_number_pattern"),
        ({"kind": "field", "name": "account.t", "type": "text", "options": {"pattern": "(a"}},
         "/options/pattern", "field.bad_pattern"),
        ({"kind": "field", "name": "account.p", "type": "picklist",
          "options": {"values": [{"code": "a", "active": False}]}},
         "/options/values", "picklist.nothing_active"),
        ({"kind": "field", "name": "account.p", "type": "picklist",
          "options": {"values": [{"code": "a"}, {"code": "a"}]}},
         "/options/values/1/code", "picklist.code_twice"),
        ({"kind": "field", "name": "account.l", "type": "lookup",
          "options": {"target": "contact", "filter": "amount > 1"}},
         "/options/filter", "FORMULA_UNKNOWN_FIELD"),
        ({"kind": "permission_set", "name": "p", "fields": {"account": {"owner": "read"}}},
         "/fields/account/owner", "permission_set.system_field"),
        ({"kind": "permission_set", "name": "p", "record_types": {"*": ["big"]}},
         "/record_types/*/0", "permission_set.record_type_of_all"),
    ],
)  # fmt: skip
def test_what_is_refused_with_the_way_out(extra: dict[str, Any], pointer: str, code: str) -> None:
    place = f"{extra['kind']}/{extra['name']}"
    assert codes(ACCOUNT, extra) == [(place, pointer, code)]


def test_a_name_field_has_to_be_text() -> None:
    assert codes({"a": {"amount": "integer"}}) == [("object/a", "/name_field", "object.bad_name_field")]


def test_names_are_found_by_alias_and_without_case() -> None:
    made = model(
        {"account": {"name": "text", "sum": {"type": "integer", "aliases": ["account.total"]}}},
        [{"kind": "validation_rule", "name": "account.r", "condition": "TOTAL > 1", "message": {"en": "!"}},
         {"kind": "list_view", "name": "account.l", "columns": ["name", "total"]}],
    )  # fmt: skip
    account = made.objects["account"]
    assert account.find("total") is account.fields["sum"]
    assert account.list_views["l"].columns[1].path == "sum"


def test_an_alias_yields_to_a_new_component_of_that_name() -> None:
    made = model(
        {
            "account": {
                "name": "text",
                "sum": {"type": "integer", "aliases": ["account.total"]},
                "total": "date",
            }
        }
    )
    assert made.objects["account"].find("total") is made.objects["account"].fields["total"]


def test_paths_go_through_five_lookups_and_no_further() -> None:
    path = "parent." * 5 + "name"
    made = model(ACCOUNT, [{"kind": "list_view", "name": "account.l", "columns": [path]}])
    assert made.objects["account"].list_views["l"].columns[0].path == path
    text = "parent." * 6 + "name = 'x'"
    extra = {"kind": "validation_rule", "name": "account.r", "condition": text, "message": {"en": "!"}}
    assert faults_of(ACCOUNT, extra)


def test_conditions_may_ask_who_is_acting() -> None:
    text = "$user.department.name = 'Sales' && owner = $user.id"
    made = model(ACCOUNT, [{"kind": "list_view", "name": "account.l", "columns": ["name"], "where": text}])
    where = made.objects["account"].list_views["l"].where
    assert where is not None and ("$user", "department", "name") in where.paths


def test_a_shared_picklist_gives_its_values() -> None:
    made = model(
        {"account": {"name": "text", "industry": "picklist(global industry)"}},
        [
            {
                "kind": "picklist",
                "name": "industry",
                "values": [{"code": "tech"}, {"code": "old", "active": False}],
            }
        ],
    )
    field = made.objects["account"].fields["industry"]
    assert field.picklist is not None and field.picklist.name == "industry"
    assert field.value_type.values == frozenset({"tech", "old"})


def test_more_fields_than_the_limit_are_refused_with_the_limit() -> None:
    many = {"big": {"name": "text", **{f"f{n}": "boolean" for n in range(limits.fields_of_object)}}}
    (fault,) = faults_of(many)
    assert (fault.code, fault.params["limit"], fault.params["count"]) == ("limit.parts", 800, 801)


# ---- compiling again -------------------------------------------------------------------------------


def compiled_again(before: Model, tree_: Any) -> Model:
    return compile_tree(tree_, release=before.release + 1, previous=before)


def test_what_did_not_change_is_taken_over() -> None:
    start = tree(ACCOUNT)
    one = compile_tree(start, release=1)
    two = compiled_again(one, start.changed([read(document("field", "contact.phone", type="phone"))]))
    assert two.objects["account"].layouts["standard"].related[1].columns == ("name", "email", "phone")
    assert two.objects["user"] is one.objects["user"]
    assert two.objects["contact"] is not one.objects["contact"]
    assert two.objects["contact"].digest != one.objects["contact"].digest
    again = compile_tree(start, release=3)
    assert again.objects["account"] == one.objects["account"]


def test_what_looked_at_a_change_is_compiled_again() -> None:
    extra: list[dict[str, Any]] = [
        {"kind": "list_view", "name": "contact.l", "columns": ["name", "account.stage"],
         "where": 'ISPICKVAL(account.stage, "won")'},
        {"kind": "layout", "name": "account.l", "sections": [{"fields": ["name"]}]},
    ]  # fmt: skip
    start = tree(ACCOUNT, extra)
    one = compile_tree(start, release=1)
    stage = start.get("field", "account.stage")
    amount = start.get("field", "account.amount")
    assert stage and amount
    untouched = compiled_again(one, start.changed([read({**amount.document, "help": {"en": "x"}})]))
    assert untouched.objects["contact"] is one.objects["contact"]
    more = {"values": [{"code": "new"}, {"code": "won"}]}
    changed = compiled_again(one, start.changed([read({**stage.document, "options": more})]))
    assert changed.objects["contact"] is not one.objects["contact"]
    with pytest.raises(Invalid):
        compiled_again(
            one, start.changed([read({**stage.document, "options": {"values": [{"code": "new"}]}})])
        )


def test_a_second_compile_equals_a_first_one() -> None:
    start = tree(ACCOUNT)
    one = compile_tree(start, release=1)
    after = start.changed(
        [read(document("field", "account.extra", type="text"))], [uid(start, "contact.email")]
    )
    incremental, whole = compiled_again(one, after), compile_tree(after, release=2)
    assert incremental.objects == whole.objects and incremental.tabs == whole.tabs
    assert set(incremental.uses) == set(whole.uses) and incremental.digest == whole.digest
    assert {k: v.digest for k, v in incremental.objects.items()} == {
        k: v.digest for k, v in whole.objects.items()
    }


def uid(given: Any, name: str) -> str:
    found = given.get("field", name)
    assert found is not None
    return str(found.uid)


def test_a_field_more_in_a_large_model_compiles_only_what_it_touches() -> None:
    """What it takes in milliseconds: benchmarks/bench_compile.py."""
    large = {
        f"o{n}": {"name": "text", **{f"f{m}": "boolean" for m in range(38)}, "up": f"lookup(o{n * 7 % 200})"}
        for n in range(200)
    }
    bodies = [each for each in components(large)]
    start = base_tree().changed(bodies)
    one = compile_tree(start, release=1)
    after = start.changed([read(document("field", "o5.extra", type="text"))])
    assert after.digest != start.digest
    again = compiled_again(one, after)
    changed = [name for name, each in again.objects.items() if each is not one.objects[name]]
    assert sorted(changed) == ["o35", "o5"]  # o5 looks up o35, which lists it


def test_numbers_of_options_are_exact() -> None:
    made = model({"a": {"name": "text", "x": {"type": "decimal", "options": {"min": "0.10", "max": 5}}}})
    field = made.objects["a"].fields["x"]
    assert (field.minimum, field.maximum) == (Decimal("0.10"), Decimal(5))


def test_the_list_view_of_all_records_stays_beside_ones_own() -> None:
    """A first view of one's own hides nothing; one that is called "all" takes the place of the generated."""
    first = {"kind": "list_view", "name": "deal.mine", "label": {"en": "Mine"}, "columns": ["name"]}
    own = {"kind": "list_view", "name": "deal.all", "label": {"en": "Everything"}, "columns": ["name"]}

    def views(*extra: dict[str, Any]) -> dict[str, Any]:
        tree = base_tree().changed(components({"deal": {"name": "text"}}, list(extra)))
        return dict(compile_tree(tree, release=1, previous=None).objects["deal"].list_views)

    assert list(views()) == ["all"]
    both = views(first)
    assert list(both) == ["mine", "all"], "one's own comes first"
    assert both["all"].labels == {"zh": "全部", "en": "All"} and both["all"].uid is None
    taken = views(first, own)
    assert sorted(taken) == ["all", "mine"] and taken["all"].labels == {"en": "Everything"}
