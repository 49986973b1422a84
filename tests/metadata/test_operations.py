"""The plan: which tables a publish changes, and that nothing else is in it."""

from __future__ import annotations

from models import components, document, model
from tabwright.metadata import operations
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import read
from tabwright.metadata.operations import Operation, plan, reverse
from tabwright.metadata.packages import base_tree
from tabwright.metadata.references import renamed
from tabwright.platform.language import messages

A = {
    "account": {"name": "text", "amount": "currency(16,2)", "parent": "lookup(account)", "notes": "long_text"}
}


def said(made: tuple[Operation, ...]) -> set[tuple[str, str]]:
    return {(each.code.removeprefix("plan."), each.name) for each in made}


def test_nothing_to_do() -> None:
    assert plan(model(A), model(A)) == ()


def test_a_first_release_makes_every_table() -> None:
    made = plan(None, model(A))
    assert {each.name for each in made if each.code == "plan.create_object"} >= {"account", "user", "queue"}
    (account,) = [
        each for each in made if isinstance(each, operations.CreateObject) and each.name == "account"
    ]
    assert [each.path for each in account.object.fields][:2] == ["account.name", "account.amount"]


def test_fields_come_go_and_come_back() -> None:
    more = {"account": {**A["account"], "due": "text"}}
    one, two = model(A), model(more)
    assert said(plan(one, two)) == {("add_field", "account.due")}
    assert said(plan(two, one)) == {("drop_field", "account.due")}
    due = two.objects["account"].fields["due"].uid
    assert said(plan(one, two, kept=[due])) == {("restore_field", "account.due")}


def test_what_a_board_or_a_calendar_opens_by_has_an_index() -> None:
    more = {"account": {**A["account"], "due": "date"}}
    assert said(plan(model(A), model(more))) == {("add_field", "account.due"), ("add_index", "account")}
    assert ("drop_index", "account") in said(plan(model(more), model(A)))


def test_what_changes_no_table_is_not_in_the_plan() -> None:
    one = model(A)
    changed = {
        "account": {**A["account"], "amount": {"type": "currency", "required": True, "help": {"en": "x"}}}
    }
    assert plan(one, model(changed)) == ()
    tree = base_tree().changed(components(A))
    component = tree.get("object", "account")
    assert component is not None
    after = compile_tree(tree.changed(renamed(tree, component, "customer")), release=2)
    assert plan(one, after) == (), "a rename touches no table"


def test_a_change_of_type_converts() -> None:
    one = model({"a": {"name": "text", "x": "text"}})
    two = model({"a": {"name": "text", "x": "decimal(10,2)"}})
    three = model({"a": {"name": "text", "x": "decimal(10,3)"}})
    same = model({"a": {"name": "text", "x": "email"}})
    assert said(plan(one, two)) == {("retype_field", "a.x")}
    assert said(plan(two, three)) == {("retype_field", "a.x")}, "another scale is another column"
    assert plan(one, same) == ()


def test_sort_keys_unique_rules_indexes_and_search() -> None:
    one = model({"a": {"name": "text", "x": "text", "up": "user"}})
    two = model(
        {"a": {"name": "text", "x": "text unique=ignore_case sortable searchable", "up": "user"}},
        [
            {"kind": "unique_rule", "name": "a.pair", "fields": ["name", "up"]},
            {"kind": "list_view", "name": "a.by_x", "columns": ["name"], "order": [["x", "asc"]]},
        ],
    )
    assert said(plan(one, two)) == {
        ("add_sort_key", "a.x"), ("add_unique", "a.x"), ("add_unique", "a.pair"), ("add_index", "a"),
        ("rebuild_search", "a"),
    }  # fmt: skip


def test_an_object_dropped_can_be_restored() -> None:
    one, without = model(A), model({})
    dropped = plan(one, without)
    assert ("drop_object", "account") in said(dropped)
    assert ("restore_object", "account") in said(reverse(dropped))
    uid = one.objects["account"].uid
    assert ("restore_object", "account") in said(plan(without, one, kept=[uid]))


def test_every_operation_has_a_message_and_a_reverse() -> None:
    kinds = [
        each for each in vars(operations).values() if isinstance(each, type) and issubclass(each, Operation)
    ]
    for each in kinds:
        if each is not Operation:
            assert {"zh", "en"} == set(messages()[each.code])
    big = compile_tree(
        base_tree().changed(components(A) + [read(document("unique_rule", "account.u", fields=["name"]))]),
        release=1,
    )
    for operation in plan(None, big) + plan(model(A), model({})):
        assert operation.reverse().reverse().name == operation.name
