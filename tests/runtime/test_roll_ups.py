"""Roll-ups and other stored values that hang on other records: exact after whatever happens to these."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest
import sqlalchemy as sa

from tabwright.platform.database import observe
from tabwright.platform.errors import Invalid, NotFound
from tabwright.runtime.desk import Tenancy
from tabwright.runtime.publishing import recomputing
from tabwright.runtime.publishing.recomputing import Drift, in_turn, recompute
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records import propagation
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.together import Lines
from world import World, field_doc, object_doc

Make = Callable[..., World]
D = Decimal
MONEY = {"precision": 16, "scale": 2, "currency": "CNY"}
LINE = "line.order"


def roll_up(name: str, function: str, returns: str = "currency", **options: Any) -> Mapping[str, Any]:
    scale = {"scale": 2} if returns in ("currency", "decimal") else {}
    given = {"relation": LINE, "function": function, "returns": returns, **scale, **options}
    return field_doc(name, "roll_up", options=given)


DOCUMENTS = [
    object_doc("firm", sharing="edit"),
    field_doc("firm.name", "text"),
    field_doc("firm.rate", "percent", options={"precision": 5, "scale": 2}),
    roll_up("firm.turnover", "sum", relation="order.firm", value="total"),
    roll_up("firm.latest", "last", "text", relation="order.firm", value="name", order="created_at"),
    object_doc("order", sharing="edit"),
    field_doc("order.name", "text"),
    field_doc("order.firm", "lookup", options={"target": "firm"}),
    field_doc("order.limit", "currency", options=MONEY),
    roll_up("order.total", "sum", value="amount"),
    roll_up("order.big", "sum", value="amount", filter="amount >= 100"),
    roll_up("order.lines", "count", "integer"),
    roll_up("order.dearest", "max", value="amount"),
    roll_up("order.mean", "avg", "decimal", value="amount"),
    roll_up("order.kinds", "count_distinct", "integer", value="kind"),
    roll_up("order.paid", "all", "boolean", value="paid"),
    roll_up("order.owing", "any", "boolean", value="NOT paid"),
    roll_up("order.text", "join", "long_text", value="name", separator="+"),
    roll_up("order.weighed", "sum", value="amount * product.weight"),
    field_doc(
        "order.with_tax",
        "formula",
        options={"returns": "currency", "scale": 2, "formula": "total * (1 + firm.rate)", "stored": True},
    ),
    {
        "kind": "validation_rule",
        "name": "order.within",
        "condition": "total > limit",
        "message": {"en": "Over the limit."},
        "field": "limit",
    },
    object_doc("product", sharing="edit"),
    field_doc("product.name", "text"),
    field_doc("product.weight", "integer"),
    field_doc("product.price", "currency", options=MONEY),
    object_doc("line"),
    field_doc("line.name", "text"),
    field_doc("line.order", "master_detail", options={"target": "order"}),
    field_doc("line.product", "lookup", options={"target": "product"}),
    field_doc("line.amount", "currency", options=MONEY),
    field_doc("line.kind", "text"),
    field_doc("line.paid", "boolean"),
    field_doc("line.price", "snapshot", options={"path": "product.price"}),
]


def total(world: World, order: UUID) -> tuple[Any, ...]:
    values = world.values("order", order)
    return tuple(values[name] for name in ("total", "big", "lines", "dearest", "text"))


def started(world: Make) -> tuple[World, UUID, UUID, list[UUID]]:
    made = world(DOCUMENTS)
    one, two = (made.records.create("order", {"name": name}).id for name in ("one", "two"))
    lines = [
        made.records.create("line", {"order": one, "name": f"{n}", "amount": n, "kind": "ab"[n % 2]}).id
        for n in (1, 20, 300)
    ]
    return made, one, two, lines


def test_every_function_follows_its_records(world: Make) -> None:
    made, one, two, lines = started(world)
    assert total(made, one) == (D(321), D(300), 3, D(300), "1+20+300")
    values = made.values("order", one)
    assert (values["mean"], values["kinds"]) == (D(107), 2)
    assert (values["paid"], values["owing"]) == (False, True)
    assert total(made, two) == (D(0), D(0), 0, None, None)
    assert made.values("order", two)["paid"] is True
    made.records.apply("line", [Intent("update", id, {"paid": True}) for id in lines])
    assert (made.values("order", one)["paid"], made.values("order", one)["owing"]) == (True, False)


def test_a_roll_up_is_exact_after_edit_reparent_delete_restore_purge_and_undo(world: Make) -> None:
    made, one, two, lines = started(world)
    write = made.records
    edited = write.update("line", lines[0], {"amount": 100})
    assert total(made, one)[:2] == (D(420), D(400))
    moved = write.update("line", lines[1], {"order": two})
    assert total(made, one)[0] == D(400) and total(made, two)[0] == D(20)
    gone = write.delete("line", lines[2])
    assert total(made, one) == (D(100), D(100), 1, D(100), "1")
    write.restore("line", lines[2])
    assert total(made, one) == (D(400), D(400), 2, D(300), "1+300")
    write.delete("line", lines[2])
    write.purge("line", lines[2])
    assert total(made, one)[0] == D(100)
    for done in (moved, edited):
        assert done.operation is not None
        assert write.undo(done.operation).left == ()
    assert total(made, one) == (D(21), D(0), 2, D(20), "1+20") and total(made, two)[2] == 0
    assert gone.operation is not None


def test_roll_ups_of_roll_ups_and_formulas_of_them_follow_in_the_same_save(world: Make) -> None:
    made, one, two, lines = started(world)
    firm = made.records.create("firm", {"name": "f", "rate": 10}).id
    made.records.update("order", one, {"firm": firm})
    assert made.values("order", one)["with_tax"] == D("353.10")
    assert made.values("firm", firm)["turnover"] == D(321)
    made.records.update("line", lines[0], {"amount": 2})
    assert made.values("firm", firm)["turnover"] == D(322)
    made.records.update("order", two, {"firm": firm})
    assert made.values("firm", firm)["latest"] == "two"
    made.records.update("firm", firm, {"rate": 0})
    assert made.values("order", one)["with_tax"] == D(322)


def test_what_a_child_looks_up_reaches_the_roll_up(world: Make) -> None:
    made, one, _, lines = started(world)
    product = made.records.create("product", {"name": "p", "weight": 2}).id
    made.records.update("line", lines[0], {"product": product})
    assert made.values("order", one)["weighed"] == D(2)
    made.records.update("product", product, {"weight": 5})
    assert made.values("order", one)["weighed"] == D(5)
    made.records.delete("product", product)
    assert made.values("order", one)["weighed"] == D(0)


def test_deleting_and_restoring_a_parent_takes_its_lines_along(world: Make) -> None:
    made, one, _, _ = started(world)
    before = total(made, one)
    made.records.delete("order", one)
    made.records.restore("order", one)
    assert total(made, one) == before


def test_lines_saved_with_their_order_are_summed_and_the_orders_rules_hold(world: Make) -> None:
    made = world(DOCUMENTS)
    lines = tuple(Intent("create", values={"name": str(n), "amount": n}) for n in (5, 6))
    saved = made.records.save(
        "order", Intent("create", values={"name": "o", "limit": 20}), [Lines("line", "order", lines)]
    )
    assert total(made, saved.id)[:3] == (D(11), D(0), 2)
    with pytest.raises(Invalid) as refused:
        made.records.create("line", {"order": saved.id, "amount": 10})
    assert refused.value.faults[0].place.field == "limit"
    assert total(made, saved.id)[:3] == (D(11), D(0), 2)


def test_a_roll_up_is_a_field_like_any_other_but_nobody_writes_it(world: Make) -> None:
    made, one, _, _ = started(world)
    page = Reads(made.call).list(Query("order", ("name", "total"), where="total > 300 && lines = 3"))
    assert [row["total"] for row in page.rows] == [D(321)]
    with pytest.raises(Invalid) as refused:
        made.records.update("order", one, {"total": 1})
    assert refused.value.faults[0].code == "field.computed"


def test_a_save_that_changes_nothing_relevant_costs_no_statement_more(world: Make) -> None:
    made, one, two, lines = started(world)
    made.tenant.seal_asked = made.clock.now().replace(year=2100)

    def statements(run: Callable[[], Any]) -> int:
        seen: list[str] = []
        with observe(lambda how, text, rows: seen.append(text)):
            run()
        return len(seen)

    plain = world(
        [each for each in DOCUMENTS if each.get("type") not in ("roll_up", "formula")
         and each["kind"] != "validation_rule"]
    )  # fmt: skip
    plain.tenant.seal_asked = plain.clock.now().replace(year=2100)
    order = plain.records.create("order", {"name": "o"}).id
    other = made.records.create("product", {"name": "p", "weight": 1}).id
    same = plain.records.create("product", {"name": "p", "weight": 1}).id
    for n in range(2):
        price = {"price": n}
        seen = statements(partial(made.records.update, "product", other, price))
        assert seen == statements(partial(plain.records.update, "product", same, price))
    assert statements(lambda: made.records.update("order", two, {"name": "x"})) == statements(
        lambda: plain.records.update("order", order, {"name": "x"})
    )
    # One more pass for all parents together, however many children there are.
    many = [Intent("create", values={"order": one, "amount": n}) for n in range(200)]
    made.records.apply("line", many[:1])
    few = statements(lambda: made.records.apply("line", many[:1]))
    assert statements(lambda: made.records.apply("line", many)) == few
    assert total(made, one)[2] == 205


def test_a_snapshot_is_filled_when_its_reference_is_chosen_and_kept(world: Make) -> None:
    made, one, _, lines = started(world)
    write = made.records
    dear, cheap = (write.create("product", {"name": "p", "price": price}).id for price in (90, 10))
    write.update("line", lines[0], {"product": dear})
    assert made.values("line", lines[0])["price"] == D(90)
    write.update("product", dear, {"price": 95})
    write.update("line", lines[0], {"name": "x"})
    assert made.values("line", lines[0])["price"] == D(90)
    write.update("line", lines[0], {"price": 80})
    changed = write.update("line", lines[0], {"product": cheap})
    assert made.values("line", lines[0])["price"] == D(10)
    assert changed.operation is not None
    write.undo(changed.operation)
    assert made.values("line", lines[0])["price"] == D(80)
    write.delete("product", dear)
    assert made.values("line", lines[0])["product"] is None
    assert made.values("line", lines[0])["price"] == D(80)
    write.restore("product", dear)
    assert made.values("line", lines[0])["product"] == dear
    assert made.values("line", lines[0])["price"] == D(80)
    given = write.create("line", {"order": one, "product": cheap, "price": 7}).id
    assert made.values("line", given)["price"] == D(7)


def test_what_has_drifted_is_told_and_put_right(world: Make) -> None:
    made, one, _, _ = started(world)
    table = made.table("order")
    with made.store.write() as writer:
        writer.execute(sa.update(table.main).values({table.column("lines").name: 7}))
    assert made.values("order", one)["lines"] == 7
    told: list[Drift] = []
    fields = in_turn(made.model, "order")
    recompute(made.tenant, made.model, fields, made.clock.now(), told.append)
    assert {each.field.name: each.differed for each in told if each.differed} == {"lines": 2}
    assert all(each.records == 2 for each in told)
    assert made.values("order", one)["lines"] == 3
    names = [each.path for each in in_turn(made.model)]
    assert names.index("order.total") < names.index("firm.turnover")
    with pytest.raises(NotFound):
        in_turn(made.model, "product")


def test_so_many_that_a_transaction_should_not_write_them_are_left_to_a_job(
    world: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, one, two, lines = started(world)
    monkeypatch.setattr(propagation, "AT_ONCE", 1)
    tenancy = cast(Tenancy, SimpleNamespace(open=lambda location: made.tenant))
    recomputing.register(made.jobs, tenancy, made.clock, made.ids)
    firm = made.records.create("firm", {"name": "f", "rate": 10}).id
    made.records.update("order", one, {"firm": firm})
    made.records.update("order", two, {"firm": firm})
    made.records.update("firm", firm, {"rate": 50})
    assert made.values("order", one)["with_tax"] == D("353.10")
    while (run := made.jobs.claim(made.store, made.tenant.location, "test")) is not None:
        made.jobs.finish(run, made.jobs.handler(run.kind)(run))
    assert made.values("order", one)["with_tax"] == D("481.50")


def test_a_field_that_is_worked_out_from_itself_over_its_children_is_refused(world: Make) -> None:
    ring = field_doc(
        "line.share", "formula",
        options={"returns": "decimal", "scale": 2, "formula": "amount / order.shares", "stored": True},
    )  # fmt: skip
    with pytest.raises(Invalid) as refused:
        world([*DOCUMENTS, ring, roll_up("order.shares", "sum", "decimal", value="share")])
    assert {fault.code for fault in refused.value.faults} == {"computed.ring"}
    rings = {fault.params["ring"] for fault in refused.value.faults}
    assert "order.shares → line.share → order.shares" in rings


@pytest.mark.parametrize(
    ("options", "code", "pointer"),
    [
        ({"value": "amuont"}, "FORMULA_UNKNOWN_FIELD", "/options/value"),
        ({"value": "amount) + (1"}, "FORMULA_EXTRA_BRACKET", "/options/value"),
        ({"value": "name"}, "FORMULA_WRONG_TYPE", "/options/value"),
        ({"value": "amount", "filter": "amount"}, "FORMULA_WRONG_TYPE", "/options/filter"),
        ({"value": "amount", "returns": "date"}, "FORMULA_WRONG_RESULT", "/options/returns"),
        ({"value": "amount", "relation": "line.product"}, "layout.not_a_lookup_here", "/options/relation"),
        ({}, "computed.incomplete", "/options/value"),
        ({"value": "amount", "order": "amount"}, "document.no_effect", "/options/order"),
    ],
)
def test_a_fault_of_a_roll_up_stands_at_its_option(
    world: Make, options: dict[str, Any], code: str, pointer: str
) -> None:
    broken = field_doc(
        "order.bad", "roll_up",
        options={"relation": LINE, "function": "sum", "returns": "currency", "scale": 2, **options},
    )  # fmt: skip
    if options.get("returns") == "date":
        broken["options"].pop("scale")
    with pytest.raises(Invalid) as refused:
        world([*DOCUMENTS, broken])
    assert (code, pointer) in {(fault.code, fault.place.pointer) for fault in refused.value.faults}
