"""Computed fields in documents and in the Model: what is refused, what changes with what, what is renamed."""

from __future__ import annotations

from typing import Any

import pytest

from models import model, tree
from tabwright.metadata.dependencies import Edge, dependencies_of, fingerprint
from tabwright.metadata.json_schema import components_from_schema, object_schema
from tabwright.metadata.model import Model
from tabwright.metadata.references import renamed, uses
from tabwright.metadata.world import World
from tabwright.platform.errors import Invalid
from tabwright.platform.language import say_fault


def formula(returns: str, text: str, **more: Any) -> dict[str, Any]:
    options = {"returns": returns, "formula": text, **more.pop("options", {})}
    return {"type": "formula", "options": options, **more}


def mirror(path: str, **more: Any) -> dict[str, Any]:
    return {"type": "mirror", "options": {"path": path}, **more}


KEPT = {"stored": True}
ACCOUNT: dict[str, Any] = {
    "name": "text",
    "score": "integer",
    "parent": "lookup(account)",
    "trade": "picklist(a,b)",
    "level": formula("decimal", "score / 3"),
}
DEAL: dict[str, Any] = {
    "name": "text",
    "account": "lookup(account)",
    "amount": "currency(16,2)",
    "net": formula("currency", "amount * account.level"),
    "trade": mirror("account.trade"),
    "head": mirror("account.parent"),
    "above": formula("integer", "head.score"),
}


def faults_of(objects: Any) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as caught:
        model(objects)
    for each in caught.value.faults:
        assert not {"{", "}"} & set(say_fault(each, "zh") + say_fault(each, "en"))
    return [(each.place.pointer or "", each.code) for each in caught.value.faults]


def test_a_computed_field_has_the_type_of_its_values() -> None:
    made = model({"account": ACCOUNT, "deal": DEAL}).objects["deal"]
    kinds = {each.name: (each.type, each.read_only, each.is_stored) for each in made.own_fields}
    assert kinds["net"] == ("currency", True, False) and kinds["trade"] == ("picklist", True, False)
    trade, head, above = made.fields["trade"], made.fields["head"], made.fields["above"]
    assert trade.picklist is not None and [each.code for each in trade.picklist.values] == ["a", "b"]
    assert head.target == "account" and head.computed is not None and head.computed.kind == "mirror"
    # Expanded: what is read has values of its own, over the way that the mirror goes.
    assert above.computed is not None
    assert {".".join(each.path) for each in above.computed.formula.reads} == {"account.parent.score"}
    assert [each.name for each in made.stored_fields] == ["name", "account", "amount"]


@pytest.mark.parametrize(
    ("field", "faults"),
    [
        (formula("currency", "name"), [("/options/formula", "FORMULA_WRONG_RESULT")]),
        (formula("currency", "amoun"), [("/options/formula", "FORMULA_UNKNOWN_FIELD")]),
        (formula("currency", "PRIORVALUE(amount)"), [("/options/formula", "FORMULA_NOT_HERE")]),
        (formula("text", "name", options={"scale": 2}), [("/options/scale", "document.no_effect")]),
        (formula("lookup", "account"), [("/options/target", "lookup.without_target")]),
        (formula("picklist", '"a"'), [("/options", "picklist.without_values")]),
        (formula("text", "name", searchable=True), [("/searchable", "computed.not_stored")]),
        (formula("text", "$User.name", options=KEPT), [("/options/formula", "computed.stored_person")]),
        (formula("text", "TEXT(TODAY())", options=KEPT, unique=True), [("/unique", "computed.changes")]),
        (formula("text", "name", required=True), [("/required", "document.no_effect")]),
        ({"type": "formula"}, [("/options", "computed.without_formula")]),
        ({"type": "mirror"}, [("/options", "computed.without_path")]),
        (mirror("amount"), [("/options/path", "computed.no_way")]),
        (mirror("account.nothing"), [("/options/path", "reference.unknown_field")]),
        (mirror("account.secret"), [("/options/path", "computed.not_shown")]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused(field: Any, faults: list[tuple[str, str]]) -> None:
    account = {**ACCOUNT, "secret": {"type": "secret"}}
    assert faults_of({"account": account, "deal": {**DEAL, "x": field}}) == faults


def test_a_ring_is_told_with_its_way() -> None:
    ring = {
        "a": formula("integer", "b + 1"),
        "b": formula("integer", "parent.c"),
        "c": mirror("parent.a"),
        "self": formula("integer", "self + 1"),
        "beside": formula("integer", "a"),
    }
    with pytest.raises(Invalid) as caught:
        model({"account": {**ACCOUNT, **ring}})
    told = {each.place.component: each.params["ring"] for each in caught.value.faults}
    assert told["field/account.a"] == "account.a → account.b → account.c → account.a"
    assert told["field/account.self"] == "account.self → account.self"
    assert len(told) == 4 and "field/account.beside" not in told


def test_conditions_for_the_database_name_nothing_that_it_cannot_work_out() -> None:
    view = {"kind": "list_view", "name": "deal.some", "columns": ["name"], "where": "odd || account.odd"}
    odd = formula("boolean", 'REGEX(name, "a")')
    with pytest.raises(Invalid) as caught:
        model({"account": {**ACCOUNT, "odd": odd}, "deal": {**DEAL, "odd": odd}}, [view])
    assert {each.code for each in caught.value.faults} == {"computed.not_in_sql"}
    kept = formula("boolean", 'REGEX(name, "a")', options={"stored": True})
    model({"account": {**ACCOUNT, "odd": kept}, "deal": {**DEAL, "odd": kept}}, [view])


def chain(length: int, text: str, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"name": "text", "f0": formula("decimal", "LEN(name)")}
    for n in range(1, length + 1):
        made[f"f{n}"] = formula("decimal", text.format(n - 1), **more)
    return {"account": made}


def test_formulas_inside_each_other_have_an_end() -> None:
    model(chain(9, "f{0} + 1"))
    assert faults_of(chain(10, "f{0} + 1"))[0][1] == "FORMULA_NESTED_TOO_DEEP"
    many = " + ".join(["f{0}"] * 40)
    assert "FORMULA_EXPANDED_TOO_BIG" in {code for _, code in faults_of(chain(3, many))}
    # What is stored may be read as its column, so there is a way out.
    made = model(chain(14, "f{0} + 1", options={"stored": True}))
    assert made.objects["account"].fields["f14"].computed is not None


def test_formulas_of_one_object_look_at_no_more_records_than_a_statement_joins() -> None:
    lookups = {f"r{n}": "lookup(account)" for n in range(41)}
    far: dict[str, Any] = {f"f{n}": formula("text", f"r{n}.name") for n in range(40)}
    objects = {"account": ACCOUNT, "deal": {"name": "text", **lookups, **far}}
    assert model(objects).objects["deal"].fields["f39"].computed is not None
    one_more = {"f40": formula("text", "r40.name")}
    assert faults_of(objects | {"deal": objects["deal"] | one_more}) == [
        ("/options", "computed.too_many_joins")
    ]
    again = {"f40": formula("text", "r39.name & r0.trade")}
    assert model(objects | {"deal": objects["deal"] | again})
    one_more["f40"]["options"]["stored"] = True
    assert model(objects | {"deal": objects["deal"] | one_more})


def test_a_publish_takes_over_what_does_not_hang_on_what_changed() -> None:
    def made(level: str, previous: Model | None = None) -> Model:
        account = {**ACCOUNT, "level": formula("decimal", level)}
        objects = {"account": account, "deal": DEAL, "note": {"name": "text", "deal": "lookup(deal)"}}
        return model(objects, previous=previous)

    before = made("score / 3")
    after = made("score / 4", before)
    assert after.objects["note"] is before.objects["note"]
    assert after.objects["deal"].digest != before.objects["deal"].digest
    net = "net"
    prints = [
        fingerprint(each, each.objects["deal"], each.objects["deal"].fields[net]) for each in (before, after)
    ]
    assert prints[0] != prints[1]
    again = made("score / 3", after)
    same = again.objects["deal"]
    assert fingerprint(again, same, same.fields[net]) == prints[0]


def test_uses_and_renames_reach_into_formulas_and_paths() -> None:
    start = tree({"account": ACCOUNT, "deal": DEAL})
    world = World(start)
    named = {
        (each.used, each.pointer)
        for part in start.parts_of_object("deal")
        for each in uses(part, world)
        if part.kind == "field"
    }
    assert ("account.trade", "/options/path") in named and ("account.level", "/options/formula") in named
    score = start.get("field", "account.score")
    assert score is not None
    changed = {each.name: each for each in renamed(start, score, "account.points")}
    assert changed["account.level"].body["options"]["formula"] == "points / 3"
    assert changed["deal.above"].body["options"]["formula"] == "head.points"


def test_an_object_with_computed_fields_is_its_schema() -> None:
    start = tree({"account": ACCOUNT, "deal": DEAL})
    schema = object_schema(start, "deal")
    assert (
        schema["properties"]["net"]["type"] == ["number", "null"] and schema["properties"]["net"]["readOnly"]
    )
    assert schema["properties"]["trade"]["enum"] == ["a", "b", None]
    back = {each.place: each for each in components_from_schema(schema)}
    for each in start.parts_of_object("deal"):
        assert back[each.place].data == each.data


def _way(edge: Edge) -> tuple[str, ...]:
    """The lookups that lead from the computed field to what it reads."""
    return tuple(step.field for step in reversed(edge.route))


def test_what_a_change_touches() -> None:
    kept = {"options": {"stored": True}}
    deal = {**DEAL, "kept": formula("currency", "net + account.parent.score", **kept)}
    found = dependencies_of(model({"account": ACCOUNT, "deal": deal}))
    told = {(each.kind, _way(each), each.owner, each.target) for each in found.touched("account", ["score"])}
    assert told == {
        ("parent", ("account",), "deal", "kept"),
        ("parent", ("account", "parent"), "deal", "kept"),
    }
    assert {each.kind for each in found.touched("deal", ["account", "amount"])} == {"same"}
    assert found.elsewhere("deal", ["account", "amount"]) == ()
    assert [_way(each) for each in found.touched("account", ["parent"])] == [("account",)]
