"""An organisation and its customers, for measures of record access: made once, straight into the tables.

Five levels of positions, owners of very different weight, groups, queues, shares, sharing rules, a
restriction, and list views that give indexes. The same for the same seed.
"""

from __future__ import annotations

import datetime as dt
import itertools
import json
import os
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from filling import POSTGRES

from tabwright.app import Site, create_site
from tabwright.installing import create_tenant, publish_folder
from tabwright.people import system_call
from tabwright.platform.database import prepare
from tabwright.platform.settings import Settings
from tabwright.platform.tables import uuid_of
from tabwright.platform.tenants import TenantLocation
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.tables import EDIT, READ, SHARES
from tabwright.runtime.desk import Call
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records
from tabwright.runtime.sort_keys import sort_key
from tabwright.runtime.storage.columns import Shape, codec
from world import component, label, typed_field

REGIONS = ("north", "south", "east", "west", "centre", "coast", "border", "abroad")
STATUSES = ("lead", "talk", "client", "risk", "lost")
INDUSTRIES = tuple(f"industry{n}" for n in range(12))
RATINGS = ("a", "b", "c", "d")
CITIES = 300
SPANS = (1, 8, 40, 250)  # positions of the upper four levels; the fifth has one below each of the last

# Each list view: the fields that its filter sets equal, and what it is ordered by.
VIEWS: Mapping[str, tuple[tuple[str, ...], tuple[str, str]]] = {
    "recent": ((), ("updated_at", "desc")),
    "by_name": ((), ("name", "asc")),
    "region_recent": (("region",), ("updated_at", "desc")),
    "region_status_amount": (("region", "status"), ("amount", "desc")),
    "status_name": (("status",), ("name", "asc")),
    "city_contact": (("city",), ("last_contact", "desc")),
    "status_industry_amount": (("status", "industry"), ("amount", "desc")),
    "industry_rating_founded": (("industry", "rating"), ("founded", "asc")),
}
_VALUES = {"region": REGIONS, "status": STATUSES, "industry": INDUSTRIES, "rating": RATINGS}


def value_of(field: str, pick: random.Random) -> str:
    """A value that some customers have."""
    return pick.choice(_VALUES[field]) if field in _VALUES else f"city {pick.randrange(CITIES)}"


def condition(field: str, value: str) -> str:
    """A filter for one value."""
    return f'ISPICKVAL({field}, "{value}")' if field in _VALUES else f'{field} = "{value}"'


def _codes(codes: Sequence[str]) -> dict[str, Any]:
    return {"values": [{"code": code, "label": label(code)} for code in codes]}


def _objects() -> Iterator[dict[str, Any]]:
    money = {"precision": 16, "scale": 2, "currency": "CNY"}
    yield component("object", "customer", name_field="name", sharing="private")
    yield typed_field("customer.name", "text", required=True, sortable=True)
    for name, codes in _VALUES.items():
        yield typed_field(f"customer.{name}", "picklist", options=_codes(codes))
    yield typed_field("customer.city", "text")
    yield typed_field("customer.amount", "currency", options=money)
    yield typed_field("customer.employees", "integer")
    yield typed_field("customer.founded", "date")
    yield typed_field("customer.last_contact", "datetime")
    yield typed_field("customer.active", "boolean")
    for name in ("phone", "email", "notes"):
        yield typed_field(f"customer.{name}", "text", options={"max_length": 500})
    yield typed_field("user.region", "text")
    rights = {"objects": {"customer": ["create", "read", "edit", "delete", "share"]},
              "fields": {"customer": {"*": "edit"}}}  # fmt: skip
    yield component("permission_set", "seller", **rights)
    yield component("permission_set", "agent")
    yield component("permission_set", "all_seeing", objects={"customer": ["read", "view_all"]},
                    fields={"customer": {"*": "read"}})  # fmt: skip


def _group(code: str) -> dict[str, Any]:
    return {"kind": "group", "key": code}


def rule(name: str, to: Sequence[Mapping[str, Any]], **body: Any) -> dict[str, Any]:
    """A sharing rule about customers."""
    return component("sharing_rule", f"customer.{name}", to=list(to), **body)


def _access() -> Iterator[dict[str, Any]]:
    for name, (fields, order) in VIEWS.items():
        where = " && ".join(condition(each, value_of(each, random.Random(1))) for each in fields)
        yield component("list_view", f"customer.{name}", columns=["name", "region", "status", "amount"],
                        order=[list(order)], **({"where": where} if where else {}))  # fmt: skip
    owners = [{"kind": "position", "key": "p3-7", "below": True}]
    yield rule("of_a_branch", [_group("group3")], owned_by=owners)
    yield rule("best_of_the_north", [_group("group5")], access="edit",
               when='ISPICKVAL(region, "north") && ISPICKVAL(rating, "a")')  # fmt: skip
    yield rule("large_risks", [_group("group1"), {"kind": "position", "key": "p2-3", "below": True}],
               when='ISPICKVAL(status, "risk") && amount >= 4900000')  # fmt: skip
    yield component("restriction_rule", "customer.own_region", condition="TEXT(region) = $User.region",
                    applies_to=["agent"])  # fmt: skip


@dataclass(frozen=True)
class Size:
    rows: int
    users: int
    shares: int


LARGE = Size(1_000_000, 2_000, 500_000)
SMALL = Size(100_000, 200, 50_000)


@dataclass
class AccessWorld:
    """The tenant and the people in it, from the top of the tree to its bottom."""

    site: Site
    location: TenantLocation
    size: Size

    @property
    def call(self) -> Call:
        """The platform's own call."""
        return system_call(self.site, self.location)

    def call_of(self, user: UUID) -> Call:
        """A person's call."""
        tenant, site = self.site.tenancy.open(self.location), self.site
        with tenant.store.read() as reader:
            model, who = principals.arrive(tenant, reader, user, site.clock.now())
        return replace(self.call, principal=who, model=model, gate=Gate(model, who), cause="form")

    def ids(self, object: str, **named: str) -> dict[str, UUID]:
        """The ids of an object's records by name."""
        table = self.call.tables.of(self.call.model.objects[object])
        with self.site.tenancy.open(self.location).store.read() as reader:
            rows = reader.execute(sa.select(table.column("name"), table.id))
            return {name: uuid_of(id) for name, id in rows}

    @property
    def users(self) -> list[UUID]:
        """Everybody, from the top of the tree to its bottom, the all-seeing one left out."""
        named = self.ids("user")
        return [named[name] for name in sorted(named) if name.startswith("user")]

    @property
    def all_seeing(self) -> UUID:
        return self.ids("user")["who sees all"]

    def publish(self, documents: Sequence[Mapping[str, Any]], folder: Path) -> None:
        """Publish, and do what jobs are left of it."""
        for document in documents:
            path = folder / document["kind"] / f"{document['name']}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(document), "utf-8")
        publish_folder(self.site, self.location, folder, "benchmark")
        self.work()

    def work(self) -> None:
        """Do the jobs that are due."""
        while self.site.runner.run_due(self.location):
            pass

    def close(self) -> None:
        self.site.close()


def open_world(database: str, size: Size, home: Path, fresh: bool = False) -> AccessWorld:
    """The world in ``home``, and on PostgreSQL in a database named after its size; filled where it is not."""
    home.mkdir(parents=True, exist_ok=True)
    env = {"TABWRIGHT_HOME": str(home)}
    if database == "postgresql":
        name = f"tabwright_access_{size.rows}"
        env["TABWRIGHT_DATABASE_URL"] = str(POSTGRES.rpartition("/")[0] + "/" + name)
        _make_database(name, fresh)
    elif fresh:
        for each in [*home.glob("*.db*"), *home.glob("tenants/*")]:
            each.unlink()
    site = create_site(Settings.from_env(env))
    known = [each for each in site.tenants.list() if each.location.slug == "access"]
    if known:
        return AccessWorld(site, known[0].location, size)
    world = AccessWorld(site, create_tenant(site, "access", "Access"), size)
    _fill(world, home / "documents")
    return world


def _make_database(name: str, fresh: bool) -> None:
    url = POSTGRES.replace("postgresql://", "postgresql+psycopg://")
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if fresh:
            connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
        found = connection.execute(sa.text("SELECT 1 FROM pg_database WHERE datname = :n"), {"n": name})
        if found.first() is None:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    engine.dispose()


def _fill(world: AccessWorld, folder: Path) -> None:
    pick = random.Random(11)
    told = time.perf_counter()

    def tell(what: str) -> None:
        nonlocal told
        print(f"  {what}: {time.perf_counter() - told:.1f} s", flush=True)
        told = time.perf_counter()

    world.publish(list(_objects()), folder)
    tell("objects published")
    people, groups, queues = _people(world, pick)
    tell("organisation written")
    ids = _customers(world, people, queues, pick)
    tell("customers written")
    _shares(world, ids, people, groups, pick)
    tell("shares written")
    world.publish(list(_access()), folder)
    tell("list views and rules published, indexes built")
    store = world.site.tenancy.open(world.location).store
    with store.maintain() as reader:
        if store.dialect == "postgresql":
            reader.connection.exec_driver_sql("VACUUM ANALYZE")
        else:
            reader.connection.exec_driver_sql("ANALYZE")
    tell("analysed")


def _people(world: AccessWorld, pick: random.Random) -> tuple[list[UUID], list[UUID], list[UUID]]:
    records = Records(world.call)

    def make(object: str, rows: Sequence[Mapping[str, Any]]) -> list[UUID]:
        outcome = records.apply(object, [Intent("create", values=row) for row in rows])
        return [row.id for row in outcome.rows if row.id is not None]

    levels: list[list[UUID]] = []
    scale = world.size.users / 2000
    spans = [max(1, round(each * scale)) for each in SPANS]
    for level, span in enumerate([*spans, spans[-1]]):
        rows = []
        for n in range(span):
            name = f"p{level}-{n}"
            above = {"parent": levels[-1][n * len(levels[-1]) // span]} if levels else {}
            rows.append({"name": name, "code": name, **above})
        levels.append(make("position", rows))
    places = list(itertools.chain(*levels[:4]))
    places += [levels[4][n % len(levels[4])] for n in range(world.size.users - len(places))]
    users = [
        {"name": f"user {n:04d}", "address": f"user{n}@example.com", "position": place,
         "region": pick.choice(REGIONS)}
        for n, place in enumerate(places)
    ]  # fmt: skip
    people = make("user", users)
    (sees_all,) = make("user", [{"name": "who sees all", "address": "all@example.com"}])
    sets = {each.name: each.uid for each in world.call.model.permission_sets.values()}
    held = [{"user": each, "permission_set": sets["seller"]} for each in people]
    held += [
        {"user": each, "permission_set": sets["agent"]} for each in pick.sample(people, len(people) // 10)
    ]
    make("permission_assignment", [*held, {"user": sees_all, "permission_set": sets["all_seeing"]}])
    also = pick.sample(people, len(people) // 40)
    make("position_holder", [{"user": each, "position": pick.choice(levels[3])} for each in also])
    groups = make("group", [{"name": f"group {n}", "code": f"group{n}"} for n in range(40)])
    lines: list[dict[str, Any]] = []
    for n, group in enumerate(groups):
        sized = max(2, int((5, 20, 60, 150)[n % 4] * scale))
        lines += [{"group": group, "user": each} for each in pick.sample(people, sized)]
        if n and n % 10 == 0:
            lines.append({"group": group, "members_of": groups[n - 1]})
    make("group_member", lines)
    queues = make("queue", [{"name": f"queue {n}"} for n in range(5)])
    make(
        "queue_member",
        [{"queue": each, "position": pick.choice(levels[2]), "below": True} for each in queues],
    )
    return people, groups, queues


def _customers(
    world: AccessWorld, people: Sequence[UUID], queues: Sequence[UUID], pick: random.Random
) -> list[UUID]:
    call = world.call
    table = call.tables.of(call.model.objects["customer"])
    store = call.tenant.store
    key = table.sort_key_column("name")
    assert key is not None
    fields = ("id", "revision", "owner", "created_at", "created_by", "updated_at", "updated_by", "name",
              "region", "status", "industry", "rating", "city", "amount", "employees", "founded",
              "last_contact", "active", "phone", "email", "notes")  # fmt: skip
    columns = [table.column(each) for each in fields]
    to_storage = [table.codec(each).to_storage for each in fields]
    names = [*(each.name for each in columns), table.owner_kind.name, key.name]
    binds = {name: sa.bindparam(name, type_=table.main.c[name].type) for name in names}
    statement = prepare(store, sa.insert(table.main).values(binds))
    # Of a few much, of most little: the weight of the n-th owner falls with n.
    order = list(people[len(people) * 3 // 200 :])
    pick.shuffle(order)
    weights = list(itertools.accumulate(1 / (n + 8) ** 0.7 for n in range(len(order))))
    start, day = dt.datetime(2024, 1, 1, tzinfo=dt.UTC), dt.date(1960, 1, 1)
    han = "华中鑫恒远天瑞宏盛博蓝星海信金东明嘉泰卓科达通创源翔联力拓辉腾安汇凯润"
    made: list[UUID] = []

    def rows(ids: Sequence[UUID]) -> Iterator[tuple[Any, ...]]:
        for id, owner in zip(ids, pick.choices(order, cum_weights=weights, k=len(ids)), strict=True):
            queued = pick.random() < 0.02
            moment = start + dt.timedelta(seconds=pick.randrange(80_000_000))
            name = f"{pick.choice(han)}{pick.choice(han)}{pick.choice(han)} {pick.randrange(10**6)}"
            values = (
                id, 1, pick.choice(queues) if queued else owner, moment, owner,
                moment + dt.timedelta(seconds=pick.randrange(10_000_000)), owner, name,
                pick.choice(REGIONS), pick.choice(STATUSES), pick.choice(INDUSTRIES), pick.choice(RATINGS),
                f"city {min(pick.randrange(CITIES), pick.randrange(CITIES))}",
                Decimal(pick.randrange(500_000_000)) / 100, pick.randrange(1, 9000),
                day + dt.timedelta(days=pick.randrange(23_000)),
                moment + dt.timedelta(seconds=pick.randrange(9_000_000)), pick.random() < 0.9,
                f"138{pick.randrange(10**8):08d}", f"{id.hex[-8:]}@example.com",
                "Asks for a second visit; prefers the annual plan.",
            )  # fmt: skip
            row = (*(to(v) for to, v in zip(to_storage, values, strict=True)),
                   "queue" if queued else "user", sort_key(name))  # fmt: skip
            yield tuple(row[at] for at in at_)

    at_ = [names.index(name) for name in statement.names]
    for begin in range(0, world.size.rows, 100_000):
        some = list(world.site.ids.many(min(100_000, world.size.rows - begin)))
        with store.write() as writer:
            writer.insert_many(statement, rows(some))
        made += some
    return made


def _shares(
    world: AccessWorld,
    ids: Sequence[UUID],
    people: Sequence[UUID],
    groups: Sequence[UUID],
    pick: random.Random,
) -> None:
    store, now = world.call.tenant.store, world.site.clock.now()
    positions = [id for name, id in world.ids("position").items() if name.startswith("p3")]
    binds = {each.name: sa.bindparam(each.name, type_=each.type) for each in SHARES.columns}
    statement = prepare(store, sa.insert(SHARES).values(binds))
    uid = world.call.model.objects["customer"].uid
    as_stored = codec(Shape("reference"), store.dialect).to_storage
    seen: set[tuple[UUID, UUID]] = set()
    rows: list[tuple[Any, ...]] = []
    while len(seen) < world.size.shares:
        kind = pick.random()
        whom = people if kind < 0.7 else groups if kind < 0.92 else positions
        pair = pick.choice(ids), pick.choice(whom)
        if pair in seen:
            continue
        seen.add(pair)
        ends = None if pick.random() < 0.9 else now + dt.timedelta(days=pick.choice((-30, 300)))
        row = {
            "record_id": as_stored(pair[0]), "grantee": as_stored(pair[1]), "object": uid,
            "level": pick.choice((READ, READ, EDIT)), "role": "", "reason": "", "expires_at": ends,
            "created_at": now, "created_by": as_stored(pair[1]),
        }  # fmt: skip
        rows.append(tuple(row[name] for name in statement.names))
    with store.write() as writer:
        writer.insert_many(statement, rows)


def home_of(database: str, size: Size) -> Path:
    """Where the world is kept from run to run."""
    kept = Path(os.environ.get("BENCH_HOME", Path.home() / ".cache" / "tabwright_bench"))
    return kept / f"access-{database}-{size.rows}"
