"""Trees: no record hangs below itself, and lists ask for everything below a record."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread
from uuid import UUID

import pytest
import sqlalchemy as sa

import models
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.model import FieldDef
from tabwright.platform.errors import Invalid
from tabwright.platform.language import say_fault
from tabwright.runtime.conditions.builder import Group, Row, kind_of, read, write
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Batch, Intent, Work
from tabwright.runtime.records.service import Records
from world import World, field_doc, object_doc

Make = Callable[..., World]

DOCUMENTS = [
    object_doc("region", sharing="edit"),
    field_doc("region.name", "text", required=True, unique=True),
    field_doc("region.parent", "lookup", options={"target": "region", "tree": True}),
    object_doc("shop", sharing="edit"),
    field_doc("shop.name", "text", required=True),
    field_doc("shop.region", "lookup", options={"target": "region"}),
    {
        "kind": "permission_set",
        "name": "clerk",
        "label": {"en": "Clerk"},
        "objects": {"region": ["create", "read", "edit"], "shop": ["create", "read", "edit"]},
        "fields": {"*": {"*": "edit"}},
    },
    {
        "kind": "permission_set",
        "name": "blind",
        "label": {"en": "Blind"},
        "objects": {"region": ["read"], "shop": ["read"]},
        "fields": {"region": {"name": "read"}, "shop": {"*": "read"}},
    },
]


def chain(made: World, *names: str) -> list[UUID]:
    """Regions, each below the one before."""
    ids: list[UUID] = []
    for name in names:
        ids.append(made.records.create("region", {"name": name, "parent": ids[-1] if ids else None}).id)
    return ids


def found(made: World, object: str, where: str) -> set[str]:
    user = made.user("seeker", "clerk")
    page = Reads(made.call_as(user)).list(Query(object, ("name",), where=where, limit=200))
    return {str(row["name"]) for row in page.rows}


def test_a_ring_is_refused_and_named(world: Make) -> None:
    made = world(DOCUMENTS)
    a, b, c = chain(made, "A", "B", "C")
    records = Records(made.call_as(made.user("ann", "clerk")))
    for id, parent, ring in ((a, c, "A → C → B → A"), (a, b, "A → B → A"), (b, b, "B → B")):
        with pytest.raises(Invalid) as refused:
            records.update("region", id, {"parent": parent})
        (fault,) = refused.value.faults
        assert fault.code == "record.ring" and fault.place.field == "parent"
        assert ring in say_fault(fault, "en") and ring in say_fault(fault, "zh")
    records.update("region", c, {"parent": a})
    records.update("region", b, {"parent": c})


def test_the_rows_of_one_write_count_together(world: Make) -> None:
    made = world(DOCUMENTS)
    a, b = chain(made, "A")[0], chain(made, "B")[0]
    swap = [Intent("update", a, {"parent": b}), Intent("update", b, {"parent": a})]
    with pytest.raises(Invalid, match="record.ring"):
        made.records.apply("region", swap)
    each = made.records.apply_each("region", swap)
    assert each.failed, "not both"
    by_key = [Intent("upsert", values={"parent": a}, key=("name", "A"))]
    with pytest.raises(Invalid, match="record.ring"):
        made.records.apply("region", by_key)


def test_restoring_makes_no_ring(world: Make) -> None:
    made = world(DOCUMENTS)
    a, b = chain(made, "A", "B")
    made.records.delete("region", b)
    made.records.delete("region", a)
    made.records.restore("region", b)
    made.records.restore("region", a)
    assert made.values("region", b)["parent"] in (a, None)
    with pytest.raises(Invalid, match="record.ring"):
        made.records.update("region", a, {"parent": b}) if made.values("region", b)[
            "parent"
        ] else made.records.update("region", a, {"parent": a})


def test_everything_below(world: Make) -> None:
    made = world(DOCUMENTS)
    china, east, shanghai = chain(made, "China", "East", "Shanghai")
    chain(made, "Europe")
    for name, region in (("1", china), ("2", shanghai), ("3", None)):
        made.records.create("shop", {"name": name, "region": region})
    assert found(made, "region", f'BELOW(parent, "{china}")') == {"East", "Shanghai"}
    assert found(made, "region", f'BELOW(id, "{east}")') == {"East", "Shanghai"}
    assert found(made, "shop", f'BELOW(region, "{china}")') == {"1", "2"}
    assert found(made, "shop", f'BELOW(region, "{shanghai}", "{UUID(int=5)}")') == {"2"}
    assert found(made, "shop", f'AND(BELOW(region, "{china}"), BELOW(region, "{east}"))') == {"2"}
    assert found(made, "shop", f'BELOW(region.parent, "{china}")') == {"2"}
    assert "1" not in found(made, "shop", f'NOT BELOW(region, "{china}")')
    made.records.update("region", shanghai, {"parent": None})
    assert found(made, "shop", f'BELOW(region, "{east}")') == set()
    with pytest.raises(Invalid):
        found(made, "shop", 'BELOW(region, "nonsense")')
    with pytest.raises(Invalid, match="query.no_tree"):
        found(made, "shop", f'BELOW(id, "{china}")')
    blind = made.user("blind", "blind")
    with pytest.raises(Invalid, match="query.no_tree"):
        Reads(made.call_as(blind)).list(Query("shop", ("name",), where=f'BELOW(region, "{china}")'))


def test_a_condition_row_says_it(world: Make) -> None:
    made = world(DOCUMENTS)
    china, *_ = chain(made, "China", "East")

    def resolve(path: str) -> FieldDef | None:
        return made.model.objects["shop"].find(path)

    assert kind_of(made.model.objects["shop"].fields["region"]) == "tree"
    group = Group("all", (Row("region", "under", (str(china),)),))
    formula = write(group, resolve)
    assert formula == f'BELOW(region, "{china}")' and read(formula, resolve) == group


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"up": {"type": "lookup", "options": {"target": "b", "tree": True}}}, "field.tree_elsewhere"),
        (
            {
                "up": {"type": "lookup", "options": {"target": "a", "tree": True}},
                "over": {"type": "lookup", "options": {"target": "a", "tree": True}},
            },
            "field.two_trees",
        ),
    ],
)
def test_what_is_no_tree_is_told_at_publish(fields: dict[str, object], code: str) -> None:
    with pytest.raises(Invalid) as refused:
        compile_tree(models.tree({"a": {"name": "text", **fields}, "b": {"name": "text"}}), release=1)
    assert {fault.code for fault in refused.value.faults} == {code}


def test_a_list_view_below_where_no_tree_is_is_refused() -> None:
    view = {
        "kind": "list_view", "name": "a.v", "columns": ["name"],
        "where": f'BELOW(up, "{UUID(int=1)}")',
    }  # fmt: skip
    with pytest.raises(Invalid, match="formula.no_tree"):
        compile_tree(models.tree({"a": {"name": "text", "up": "lookup(a)"}}, [view]), release=1)


def test_two_moves_at_one_moment_make_no_ring(world: Make) -> None:
    made = world(DOCUMENTS)
    a, b = chain(made, "A")[0], chain(made, "B")[0]
    first, refused = Event(), list[str]()
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'advisory'")

    def hold(batch: Batch, work: Work) -> None:
        if made.store.dialect == "sqlite" or first.is_set():
            return
        first.set()
        for _ in range(2000):  # until the other one stands at our lock
            if work.writer.execute(waiting).scalar_one():
                return
            pause.wait(0.01)
        raise AssertionError("the other move did not wait")

    pause = Event()
    made.tenant.hooks.register("duplicates", hold)

    def move(id: UUID, parent: UUID) -> None:
        try:
            made.records.update("region", id, {"parent": parent})
        except Invalid as error:
            refused.append(error.faults[0].code)

    threads = [Thread(target=move, args=pair) for pair in ((a, b), (b, a))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert refused == ["record.ring"]
    assert {made.values("region", a)["parent"], made.values("region", b)["parent"]} in ({None, a}, {None, b})
