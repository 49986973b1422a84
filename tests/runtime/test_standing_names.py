"""`$Record`, `$Org` and `$Label`: what formulas can name beside the fields of their record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from models import tree
from tabwright.metadata.references import renamed, uses
from tabwright.metadata.world import World as Metadata
from tabwright.platform.errors import Invalid
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from world import World, field_doc, object_doc

Make = Callable[..., World]

MONEY = {"precision": 16, "scale": 2, "currency": "CNY"}
COUNTED = {"returns": "integer"}
TEXT = {"returns": "text", "max_length": 200}


def formula(name: str, text: str, **options: Any) -> Any:
    return field_doc(name, "formula", options={"formula": text, **options})


def label(name: str, **text: str) -> Any:
    return {"kind": "custom_label", "name": name, "label": {"en": name}, "text": text}


DOCUMENTS = [
    label("hello", en="Hello", zh="您好"),
    label("bye", zh="再见"),
    object_doc("account", sharing="read"),
    field_doc("account.name", "text"),
    field_doc("account.floor", "currency", options=MONEY),
    field_doc("account.parent", "lookup", options={"target": "account"}),
    formula("account.large", "COUNT(deal, amount > $Record.floor)", **COUNTED),
    formula("account.greeting", '$Label.hello & " " & $Record.name', **TEXT),
    formula("account.house", '$Org.slug & "/" & $Org.zone & "/" & TEXT($Org.fiscal_year_start)', **TEXT),
    object_doc("deal"),
    field_doc("deal.name", "text"),
    field_doc("deal.amount", "currency", options=MONEY),
    field_doc("deal.account", "lookup", options={"target": "account"}),
    # Of the same account: the deals that are worth as much or more, this one left out.
    formula("deal.above", "account.large", **COUNTED),
    {
        "kind": "validation_rule",
        "name": "account.too_high",
        "condition": "ANY(deal, amount < $Record.floor)",
        "message": {"en": "A deal is below the floor."},
        "field": "floor",
    },
]


def shown(world: World, object: str, *names: str, where: str | None = None, **call: Any) -> list[Any]:
    page = Reads(replace(world.call, **call)).list(
        Query(object, names, where=where, order=(("created_at", "asc"),))
    )
    return [tuple(row[name] for name in names) for row in page.rows]


def made(world: Make) -> World:
    found = world(DOCUMENTS)
    write = found.records
    one = write.create("account", {"name": "one", "floor": 10}).id
    two = write.create("account", {"name": "two"}).id
    for amount, account in [(10, one), (20, one), (30, one), (5, two)]:
        write.create("deal", {"name": str(amount), "amount": amount, "account": account})
    return found


def test_a_question_about_children_compares_them_with_the_record(world: Make) -> None:
    found = made(world)
    assert shown(found, "account", "name", "large") == [("one", 2), ("two", 1)]
    assert shown(found, "account", "name", where="large >= 2") == [("one",)]
    # By way of another record's formula, too: it is about that record.
    assert shown(found, "deal", "name", "above") == [("10", 2), ("20", 2), ("30", 2), ("5", 1)]
    # And in a filter that somebody types.
    asked = "COUNT(deal, amount > $Record.floor * 2) = 1"
    assert shown(found, "account", "name", where=asked) == [("one",)]
    asked = "ANY(account.parent, name = $Record.name)"
    assert shown(found, "account", "name", where=asked) == []


def test_a_rule_compares_children_with_what_is_being_saved(world: Make) -> None:
    found = made(world)
    ((id, revision),) = shown(found, "account", "id", "revision", where='name = "one"')
    with pytest.raises(Invalid) as refused:
        found.records.update("account", id, {"floor": 11}, revision=revision)
    assert "A deal is below the floor." in str(refused.value.faults)
    found.records.update("account", id, {"floor": 9}, revision=revision)
    assert shown(found, "account", "large", where='name = "one"') == [(3,)]


def test_a_stored_formula_follows_the_record_and_its_children(world: Make) -> None:
    stored = formula("account.kept", "SUM(deal, amount, amount > $Record.floor)", returns="currency", **MONEY,
                     stored=True)  # fmt: skip
    found = made(lambda documents: world([*documents, stored]))
    assert shown(found, "account", "kept") == [(Decimal(50),), (Decimal(5),)]
    ((id, revision),) = shown(found, "account", "id", "revision", where='name = "two"')
    found.records.update("account", id, {"floor": 5}, revision=revision)
    assert shown(found, "account", "kept")[1] == (Decimal(0),)
    ((account,),) = shown(found, "account", "id", where='name = "one"')
    found.records.create("deal", {"name": "40", "amount": 40, "account": account})
    assert shown(found, "account", "kept")[0] == (Decimal(90),)


def test_a_label_is_in_the_language_of_who_reads(world: Make) -> None:
    found = made(world)
    assert shown(found, "account", "greeting")[0] == ("Hello one",)
    assert shown(found, "account", "greeting", language="zh")[0] == ("您好 one",)
    assert shown(found, "account", "name", where='greeting = "您好 two"', language="zh") == [("two",)]
    assert shown(found, "account", "name", where='name = "one" && $Label.bye = "再见"') == [("one",)]
    found.publish([label("hello", en="Good day", zh="你好")])
    assert shown(found, "account", "greeting")[0] == ("Good day one",)


def test_the_organisation_has_a_name_and_a_place(world: Make) -> None:
    found = made(world)
    found.tenant.name = "杉木工业"
    assert shown(found, "account", "house")[0] == ("test/Asia/Shanghai/1",)
    assert shown(found, "account", "name", where='$Org.name = "杉木工业"') == [("one",), ("two",)]


@pytest.mark.parametrize(
    ("extra", "code"),
    [
        (formula("account.bad", "$Label.hello", **TEXT, stored=True), "computed.stored_person"),
        (formula("account.bad", "$Org.name", **TEXT, stored=True), "computed.stored_person"),
        (formula("account.bad", "ANY(deal, owner = $User.Id)", returns="boolean", stored=True),
         "computed.stored_person"),
        (formula("account.bad", "greeting", **TEXT, stored=True), "computed.stored_person"),
        (field_doc("account.bad", "text", default="$Label.hello"), "FORMULA_LABEL_HERE"),
        (formula("account.bad", "$Label.helo", **TEXT), "FORMULA_UNKNOWN_FIELD_OF"),
        (formula("account.bad", "$Label", **TEXT), "FORMULA_NEEDS_STEP"),
        (formula("account.bad", "COUNT(deal, amount > $Record.flor)", **COUNTED), "FORMULA_UNKNOWN_FIELD"),
        (formula("account.bad", "SUM(deal, $Record.bad)", **COUNTED), "computed.ring"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_at_publish(world: Make, extra: Any, code: str) -> None:
    found = world(DOCUMENTS)
    with pytest.raises(Invalid) as refused:
        found.publish([extra])
    assert code in {fault.code for fault in refused.value.faults} | {
        str(fault.params.get("code")) for fault in refused.value.faults
    }, refused.value.faults


def test_a_rename_changes_labels_and_fields_of_the_record_in_formulas() -> None:
    whole = tree({}, DOCUMENTS)
    greeting = whole.get("field", "account.greeting")
    assert greeting is not None
    assert ("custom_label", "hello") in {
        (each.used_kind, each.used) for each in uses(greeting, Metadata(whole))
    }
    changed = whole
    for kind, name, to in (("custom_label", "hello", "welcome"), ("field", "account.floor", "account.least")):
        component = changed.get(kind, name)
        assert component is not None
        changed = changed.changed(renamed(changed, component, to))

    def body(kind: str, name: str) -> Any:
        found = changed.get(kind, name)
        assert found is not None
        return found.body

    told = body("field", "account.greeting")["options"]["formula"]
    assert told == '$Label.welcome & " " & $Record.name'
    counted = body("field", "account.large")["options"]["formula"]
    assert counted == "COUNT(deal, amount > $Record.least)"
    assert body("validation_rule", "account.too_high")["condition"] == "ANY(deal, amount < $Record.least)"
