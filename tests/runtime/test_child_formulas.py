"""What formulas ask of children, wherever a formula stands: filters, rules, defaults; and renames."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from models import document, tree
from tabwright.formula.compiler import compile_formula
from tabwright.formula.scope import Place
from tabwright.metadata.documents import read
from tabwright.metadata.references import renamed, uses
from tabwright.metadata.world import Lens, RecordScope
from tabwright.metadata.world import World as Metadata
from tabwright.platform.database import observe
from tabwright.platform.errors import Invalid
from tabwright.runtime.explaining import explained
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records
from world import World, field_doc, object_doc

Make = Callable[..., World]

MONEY = {"precision": 16, "scale": 2, "currency": "CNY"}
DOCUMENTS = [
    object_doc("account", sharing="read"),
    field_doc("account.name", "text"),
    field_doc("account.credit", "currency", options=MONEY),
    field_doc("account.largest", "currency", options=MONEY, default='SUM(deal, amount, stage = "x")'),
    object_doc("deal"),
    field_doc("deal.name", "text"),
    field_doc("deal.amount", "currency", options=MONEY),
    field_doc("deal.stage", "text"),
    field_doc("deal.account", "lookup", options={"target": "account"}),
    object_doc("tag", sharing="edit"),
    field_doc("tag.name", "text"),
    field_doc("tag.weight", "integer"),
    object_doc("tagging"),
    field_doc("tagging.name", "text"),
    field_doc("tagging.strength", "integer"),
    field_doc("tagging.account", "master_detail", options={"target": "account"}),
    field_doc("tagging.tag", "master_detail", options={"target": "tag", "access": "none"}),
    object_doc("note", sharing="edit"),
    field_doc("note.name", "text"),
    field_doc("note.about", "polymorphic", options={"targets": ["account", "deal"]}),
    {
        "kind": "validation_rule",
        "name": "account.within_credit",
        "condition": "SUM(deal, amount) > credit",
        "message": {"en": "Deals are worth more than the credit."},
        "field": "credit",
    },
    {
        "kind": "permission_set",
        "name": "rep",
        "label": {"en": "Rep"},
        "objects": {"account": ["read", "edit", "create"], "deal": ["read", "edit", "create"]},
        "fields": {"account": {"*": "edit"}, "deal": {"name": "edit", "amount": "edit", "account": "edit"}},
    },
]


def found(world: World, where: str, object: str = "account", who: Any = None) -> list[str]:
    call = world.call if who is None else world.call_as(who)
    page = Reads(call).list(Query(object, ("name",), where=where, order=(("created_at", "asc"),)))
    return [row["name"] for row in page.rows]


def test_a_filter_asks_of_children(world: Make) -> None:
    made = world(DOCUMENTS)
    write = made.records
    one, two = (write.create("account", {"name": name}).id for name in ("one", "two"))
    deals = [
        write.create("deal", {"name": str(n), "amount": n, "stage": stage, "account": account}).id
        for n, stage, account in [(10, "won", one), (20, "open", one), (5, "won", two), (7, "won", None)]
    ]
    assert found(made, "COUNT(deal) = 2") == ["one"]
    assert found(made, "SUM(deal, amount, stage = 'won') > 5") == ["one"]
    assert found(made, "COUNT(deal.account, account.name = 'two') = 1") == ["two"]
    assert found(made, "LAST(deal, name, amount) = '20'") == ["one"]
    assert found(made, "JOIN(deal, name, '+') = '10+20'") == ["one"]
    write.delete("deal", deals[1])
    assert found(made, "COUNT(deal) = 1") == ["one", "two"]
    write.restore("deal", deals[1])
    assert found(made, "COUNT(deal) = 2") == ["one"]


def test_a_filter_counts_only_what_its_author_may_read(world: Make) -> None:
    made = world(DOCUMENTS)
    rep = made.user("rep", "rep")
    account = made.records.create("account", {"name": "one", "credit": 1000}).id
    made.records.create("deal", {"name": "hidden", "amount": 100, "account": account})
    Records(made.call_as(rep)).create("deal", {"name": "mine", "amount": 1, "account": account})
    assert found(made, "SUM(deal, amount) = 101") == ["one"]
    assert found(made, "SUM(deal, amount) = 1", who=rep) == ["one"]
    assert found(made, "SUM(deal, amount) = 101", who=rep) == []
    for hidden in ("COUNT(deal, stage = 'x') = 0", "COUNT(tagging) = 0", "COUNT(deal.nothing) = 0"):
        with pytest.raises(Invalid):
            found(made, hidden, who=rep)


def test_many_to_many_goes_through_the_records_between(world: Make) -> None:
    made = world(DOCUMENTS)
    write = made.records
    account = write.create("account", {"name": "one"}).id
    tags = [write.create("tag", {"name": name, "weight": n}).id for n, name in enumerate("abc")]
    for n, tag in enumerate(tags[:2], 1):
        write.create("tagging", {"account": account, "tag": tag, "strength": n})
    assert found(made, "SUM(tagging, strength * tag.weight) = 2") == ["one"]
    assert found(made, "JOIN(tagging, tag.name, ',') = 'a,b'") == ["one"]
    assert found(made, "COUNT(tagging.tag) = 0", "tag") == ["c"]
    write.delete("tag", tags[0])
    assert found(made, "JOIN(tagging, tag.name, ',') = 'b'") == ["one"]


def test_children_by_a_lookup_to_several_objects(world: Make) -> None:
    made = world(DOCUMENTS)
    write = made.records
    account = write.create("account", {"name": "one"}).id
    deal = write.create("deal", {"name": "d", "account": account}).id
    for about in (account, account, deal):
        write.create("note", {"name": "n", "about": about})
    assert found(made, "COUNT(note) = 2") == ["one"]
    assert found(made, "COUNT(note.about) = 1", "deal") == ["d"]
    assert found(made, "COUNT(deal, COUNT(note) = 1) = 1") == ["one"]


def test_a_person_is_asked_what_is_theirs(world: Make) -> None:
    made = world(DOCUMENTS)
    rep = made.user("rep", "rep")
    Records(made.call_as(rep)).create("deal", {"name": "mine", "amount": 3})
    assert found(made, "SUM(deal.owner, amount) = 3", "user") == ["rep"]


def test_a_rule_asks_in_one_statement_for_any_number_of_records(world: Make) -> None:
    made = world(DOCUMENTS)
    write = made.records
    ids = [write.create("account", {"name": str(n), "credit": 100}).id for n in range(30)]
    for id in ids:
        write.create("deal", {"name": "d", "amount": 60, "account": id})
    write.update("account", ids[0], {"credit": 60})
    with pytest.raises(Invalid) as refused:
        write.update("account", ids[0], {"credit": 59})
    assert refused.value.faults[0].place.field == "credit"

    made.tenant.seal_asked = made.clock.now().replace(year=2100)  # its job is asked for by time

    def statements(count: int) -> int:
        seen: list[str] = []
        with observe(lambda how, text, rows: seen.append(text)):
            write.apply("account", [Intent("update", id, {"credit": 70 + count}) for id in ids[:count]])
        return len(seen)

    statements(2)
    assert statements(3) == statements(30)


def test_a_default_of_a_record_without_children_is_that_of_none(world: Make) -> None:
    made = world(DOCUMENTS)
    id = made.records.create("account", {"name": "one"}).id
    assert made.values("account", id)["largest"] == Decimal(0)


TREE = tree(
    {
        "account": {"name": "text", "amount": "integer"},
        "contact": {"name": "text", "account": "lookup(account)", "amount": "integer"},
    },
    [
        {"kind": "validation_rule", "name": "account.few", "message": {"en": "x"},
         "condition": "COUNT(Contact) > amount /* contact */ && "
         "SUM(contact.account, Amount, amount > 1) = amount"},
    ],
)  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "name", "to", "after"),
    [
        (
            "object", "contact", "person",
            "COUNT(person) > amount /* contact */ && SUM(person.account, amount, amount > 1) = amount",
        ),
        (
            "field", "contact.account", "contact.firm",
            "COUNT(Contact) > amount /* contact */ && SUM(contact.firm, Amount, amount > 1) = amount",
        ),
        (
            "field", "contact.amount", "contact.sum",
            "COUNT(Contact) > amount /* contact */ && SUM(contact.account, sum, sum > 1) = amount",
        ),
        (
            "field", "account.amount", "account.most",
            "COUNT(Contact) > most /* contact */ && SUM(contact.account, Amount, amount > 1) = most",
        ),
    ],
)  # fmt: skip
def test_a_rename_reaches_into_questions_about_children(kind: str, name: str, to: str, after: str) -> None:
    component = TREE.get(kind, name)
    assert component is not None
    changed = TREE.changed(renamed(TREE, component, to))
    rule = changed.get("validation_rule", "account.few")
    assert rule is not None and rule.body["condition"] == after


def test_a_relation_is_a_use_of_its_lookup_however_short_it_is_written() -> None:
    rule = TREE.get("validation_rule", "account.few")
    assert rule is not None
    used = {each.used for each in uses(rule, Metadata(TREE))}
    assert used == {"contact", "contact.account", "contact.amount", "account.amount"}


def test_a_short_name_stands_for_one_relation_only() -> None:
    second = document("field", "contact.former", type="lookup", options={"target": "account"})
    lens = Lens(Metadata(TREE.changed([read(second)])), None)
    scope = RecordScope(lens, "account")
    assert scope.relation(("contact",)) is None
    assert sorted(scope.relations()) == ["contact.account", "contact.former"]
    assert compile_formula("COUNT(contact.former)", scope, place=Place.WHERE)


def test_an_explanation_tells_an_answer_only_to_who_sees_every_child(world: Make) -> None:
    made = world(DOCUMENTS)
    account = made.records.create("account", {"name": "one", "credit": 1000}).id
    made.records.create("deal", {"name": "d", "amount": 100, "account": account})
    formula = made.model.objects["account"].validation_rules[0].condition
    object = made.model.objects["account"]
    whole = explained(made.call, object, formula, account).step
    assert [(each.text, each.value) for each in whole.parts] == [
        ("SUM(deal, amount)", Decimal(100)),
        ("credit", Decimal(1000)),
    ]
    rep = made.call_as(made.user("rep", "rep"))
    total, credit = explained(rep, object, formula, account).step.parts
    assert (total.text, total.state, credit.value) == ("SUM(…, …)", "hidden", Decimal(1000))
