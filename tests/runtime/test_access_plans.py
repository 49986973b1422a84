"""Lists of what somebody may see are found in two ways (R10): the same rows, whichever is taken."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from stores import DIALECTS, open_stores, settings_for
from tabwright.platform.database import prepare
from tabwright.platform.tables import Ids, in_ids, uuid_of
from tabwright.runtime.access import principals
from tabwright.runtime.access.tables import EDIT, READ, SHARES
from tabwright.runtime.desk import Call
from tabwright.runtime.query import sizing
from tabwright.runtime.query.aggregate import aggregate
from tabwright.runtime.query.asked import Aggregation, GroupBy, Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.query.sizing import plan_for
from world import World, field_doc, make_world, object_doc

STAGES = ("new", "talk", "won")
CARDS = 80
CLERK = {
    "kind": "permission_set",
    "name": "clerk",
    "label": {"en": "Clerk"},
    "objects": {"*": ["read", "edit"]},
    "fields": {"*": {"*": "edit"}},
}
BOSS = {**CLERK, "name": "boss", "objects": {"*": ["read", "view_all"]}}
AGENT = {**CLERK, "name": "agent"}
STAGE = {"values": [{"code": each, "label": {"en": each}} for each in STAGES]}


def _rule(name: str, **body: Any) -> dict[str, Any]:
    return {"kind": "sharing_rule", "name": f"card.{name}", "label": {"en": name}, **body}


DOCUMENTS = [
    CLERK,
    BOSS,
    AGENT,
    object_doc("card"),
    field_doc("card.name", "text"),
    field_doc("card.region", "text", sortable=True),
    field_doc("card.value", "integer"),
    field_doc("card.stage", "picklist", options=STAGE),
    field_doc("card.double", "formula", options={"returns": "integer", "formula": "value * 2"}),
    object_doc("line"),
    field_doc("line.name", "text"),
    field_doc("line.card", "master_detail", options={"target": "card"}),
    field_doc("user.region", "text"),
    _rule("north", to=[{"kind": "group", "key": "team"}], when='region = "north" && value > 20'),
    _rule("of_bens", to=[{"kind": "group", "key": "team"}], owned_by=[{"kind": "position", "key": "low"}]),
    {
        "kind": "restriction_rule",
        "name": "card.own_region",
        "label": {"en": "Own region"},
        "condition": "region = $User.region",
        "applies_to": ["agent"],
    },
]
PEOPLE = ("ann", "ben", "cy", "di", "eve", "agent", "boss", "nobody")
QUERIES = (
    Query("card", ("name", "owner.name"), limit=7),
    Query("card", ("name",), order=(("value", "desc"),), limit=7),
    Query("card", ("name", "double"), 'region = "north"', (("region", "asc"), ("value", "asc")), 7),
    Query("card", ("name",), "double > 40", (("double", "desc"),), 7),
    Query("card", ("name",), 'ISPICKVAL(stage, "won") && value < 60', (("stage", "asc"),), 7),
    Query("line", ("name", "card.name"), order=(("name", "desc"),), limit=7),
    Query("line", ("name",), 'card.region = "south"', limit=7),
)


@pytest.fixture(scope="module", params=DIALECTS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_stores(settings_for(request.param, tmp_path_factory.mktemp("plans"))) as stores:
        yield _filled(make_world(stores, DOCUMENTS))


def _filled(world: World) -> World:
    pick, records = random.Random(4), world.records
    top = records.create("position", {"name": "top", "code": "top"}).id
    low = records.create("position", {"name": "low", "code": "low", "parent": top}).id
    team = records.create("group", {"name": "team", "code": "team"}).id
    queue = records.create("queue", {"name": "queue"}).id
    places = {"ann": top, "ben": low, "cy": low}
    users: dict[str, UUID] = {}
    for name in PEOPLE:
        values = {"position": places[name]} if name in places else {}
        users[name] = world.user(name, region=pick.choice(("north", "south")), **values).user_id
        held = name if name in ("agent", "boss") else "clerk"
        if name != "nobody":
            records.create(
                "permission_assignment", {"user": users[name], "permission_set": _uid(world, held)}
            )
        if name == "agent":
            records.create(
                "permission_assignment", {"user": users[name], "permission_set": _uid(world, "clerk")}
            )
    for name in ("di", "agent"):
        records.create("group_member", {"group": team, "user": users[name]})
    records.create("queue_member", {"queue": queue, "user": users["eve"]})
    now = world.clock.now()
    shares: dict[tuple[UUID, UUID], int] = {}
    for n in range(CARDS):
        owner = queue if pick.random() < 0.1 else users[pick.choice(PEOPLE)]
        card_values: dict[str, Any] = {
            "name": f"card {pick.randrange(40)}", "owner": owner, "region": pick.choice(("north", "south")),
            "value": pick.choice((None, pick.randrange(90))), "stage": pick.choice((None, *STAGES)),
        }  # fmt: skip
        card = records.create("card", card_values).id
        for m in range(pick.randrange(3)):
            records.create("line", {"name": f"line {n} {m}", "card": card})
        if pick.random() < 0.2:
            shares[card, pick.choice((team, low, *users.values()))] = pick.choice((READ, EDIT))
        if pick.random() < 0.1:
            records.delete("card", card)
    told = {"object": "", "role": "", "reason": "", "created_at": now, "created_by": team}
    with world.store.write() as writer:
        for (record, grantee), level in shares.items():
            row = {"record_id": record, "grantee": grantee, "level": level, **told}
            writer.execute(sa.insert(SHARES), row)
    return world


def _uid(world: World, name: str) -> str:
    return next(each.uid for each in world.model.permission_sets.values() if each.name == name)


def _call(world: World, name: str) -> Call:
    with world.store.read() as reader:
        table = world.table("user")
        chosen = sa.select(table.id).where(table.column("name") == name)
        id = uuid_of(reader.execute(chosen).scalar_one())
        who = principals.load(world.tenant, reader, world.model, id, world.clock.now())
    return world.call_as(who)


def _pages(call: Call, query: Query, plan: sizing.Plan) -> list[Any]:
    """Every row of every page, and how many are counted."""
    reads, rows, cursor = Reads(call, plan), [], None
    while True:
        page = reads.list(replace(query, cursor=cursor))
        rows += [dict(row) for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            return [rows, reads.count(query)]


@pytest.mark.parametrize("name", [each for each in PEOPLE if each != "nobody"])
def test_both_plans_find_the_same(world: World, name: str) -> None:
    call = _call(world, name)
    for query in QUERIES:
        scan = _pages(call, query, "scan")
        assert _pages(call, query, "ids") == scan, query
        assert len(scan[0]) == scan[1][0] and (scan[0] or query.conditions), query
    lanes = [
        {code: [dict(row) for row in page.rows] for code, page in found.items()}
        for plan in ("scan", "ids")
        for found in [Reads(call, plan).lanes(QUERIES[1], "stage", (*STAGES, None))]
    ]
    assert lanes[0] == lanes[1]
    asked = Aggregation("card", (GroupBy("region"),))
    groups = [list(aggregate(call, asked, plan).rows) for plan in ("scan", "ids")]
    assert groups[0] == groups[1]


def test_who_sees_little_is_found_by_ids_and_who_sees_much_by_a_scan(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = world.model.objects["card"]
    assert plan_for(_call(world, "eve"), card, 51) == "scan"  # a small object is never counted
    monkeypatch.setattr(sizing, "FEW", 0)
    monkeypatch.setattr(sizing, "_size", lambda call, object: 1_000_000)
    monkeypatch.setattr(sizing, "MOST", 20)
    world.tenant.seen.clear()
    plans = {name: plan_for(_call(world, name), card, 51) for name in ("eve", "ann", "boss")}
    assert plans == {"eve": "ids", "ann": "scan", "boss": "scan"}


def test_the_size_of_a_table_is_near_to_what_it_is(world: World) -> None:
    if world.store.dialect == "postgresql":
        with world.store.maintain() as reader:
            reader.connection.exec_driver_sql(f'ANALYZE "{world.store.schema}".o{world.table("card").number}')
    assert CARDS * 0.9 <= sizing._size(world.call, world.model.objects["card"]) <= CARDS * 1.1


def test_a_sharing_rule_with_a_condition_has_an_index_that_leads_to_its_records(world: World) -> None:
    table = world.table("card")
    columns = [table.column(name).name for name in ("region", "value")]
    specs = [e.storage["spec"]["terms"] for e in world.call.tables.physical.of_object(table.number, "index")]
    assert [*columns, "id", "owner_id"] in [[term[0] for term in spec] for spec in specs]


@pytest.mark.parametrize("count", [0, 1, 3])
def test_ids_are_one_parameter(world: World, count: int) -> None:
    table = world.table("card")
    statement = prepare(world.store, sa.select(table.id).where(in_ids(world.store.dialect, table.id)))
    with world.store.read() as reader:
        wanted = [
            uuid_of(row[0]) for row in reader.rows(prepare(world.store, sa.select(table.id).limit(count)))
        ]
        found = [uuid_of(row[0]) for row in reader.rows(statement, {"ids": Ids(wanted)})]
    assert sorted(found) == sorted(wanted) and len(found) == count
