"""Changes of who sees what under kill -9 (R11): a part of the organisation moves, or a rule with a condition
comes into force; whoever does it is killed, and everybody sees what was before or what comes after, exactly.

``python tests/rel/kill_access.py --backend postgresql --rows 1000000 --people 2000 --kills 20`` kills at
random moments; ``--statements`` kills at each statement of a change in turn. After each kill there is a new
start: what jobs are left are done, and what three people see is compared with what the organisation says.
Prints one JSON line: how long that took at most, and each kind of change that nobody killed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE.parents[2] / "src")]

from publishers import ADMIN, Publisher, a_field, open_publisher, text, thing  # noqa: E402
from stores import drop_everything, settings_for  # noqa: E402
from tabwright.platform.database import Stores, observe, prepare  # noqa: E402
from tabwright.platform.jobs import JOB  # noqa: E402
from tabwright.platform.settings import Settings  # noqa: E402
from tabwright.platform.tables import uuid_of  # noqa: E402
from tabwright.runtime.access import people, principals  # noqa: E402
from tabwright.runtime.access.gate import Gate  # noqa: E402
from tabwright.runtime.desk import Call  # noqa: E402
from tabwright.runtime.query.aggregate import aggregate  # noqa: E402
from tabwright.runtime.query.asked import Aggregation  # noqa: E402
from tabwright.runtime.records.batch import Intent  # noqa: E402
from tabwright.runtime.sort_keys import sort_key  # noqa: E402
from tabwright.runtime.storage.columns import Shape, codec  # noqa: E402
from waiting import until  # noqa: E402

REGIONS = 100
SELLER = {
    "kind": "permission_set",
    "name": "seller",
    "label": {"en": "Seller"},
    "objects": {"thing": ["read"]},
    "fields": {"thing": {"*": "read"}},
}


@contextmanager
def opened(settings: Settings, fresh: bool = False) -> Iterator[Publisher]:
    stores = Stores(settings)
    if fresh:
        stores.make_control()
    try:
        with open_publisher(stores, fresh=fresh) as publisher:
            people.register(publisher.tenant.hooks)
            yield publisher
    finally:
        stores.close()


def fill(publisher: Publisher, rows: int, count: int) -> None:
    """Two heads, of whom one has a twentieth of all people below a position that moves; all own
    as many things as everybody else.
    """
    publisher.publish(*thing(text("region"), a_field("size", "integer")), SELLER)

    def make(object: str, *values: dict[str, Any]) -> list[UUID]:
        made = publisher.records.apply(object, [Intent("create", values=each) for each in values])
        return [row.id for row in made.rows if row.id is not None]

    (top,) = make("position", {"name": "top"})
    heads = make("position", *({"name": f"head {n}", "code": f"head{n}", "parent": top} for n in (1, 2)))
    (moving,) = make("position", {"name": "moving", "code": "moving", "parent": heads[0]})
    leads = make("position", *({"name": f"lead {n}", "parent": moving} for n in range(4)))
    low = make("position", *({"name": f"low {n}", "parent": each} for n, each in enumerate(leads)))
    (aside,) = make("position", {"name": "aside", "parent": top})
    places = [heads[0], heads[1], *(low[n % len(low)] for n in range(max(2, count // 20)))]
    places += [aside] * (count - len(places))
    users = [
        {"name": f"user {n:05d}", "address": f"user{n}@example.com", "position": place}
        for n, place in enumerate(places)
    ]
    owners = make("user", *users)
    (team,) = make("group", {"name": "team", "code": "team"})
    make("group_member", {"group": team, "user": owners[-1]})
    seller = next(each.uid for each in publisher.model.permission_sets.values() if each.name == "seller")
    make(
        "permission_assignment",
        *({"user": each, "permission_set": seller} for each in (owners[0], owners[1], owners[-1])),
    )
    _things(publisher, rows, owners)


def _things(publisher: Publisher, rows: int, owners: list[UUID]) -> None:
    table, dialect = publisher.table("thing"), publisher.store.dialect
    key = table.sort_key_column("name")
    assert key is not None
    names = ["id", "rev", "created_at", "updated_at", "owner_id", "owner_kind", key.name]
    names += [table.column(each).name for each in ("name", "region", "size")]
    binds = {name: sa.bindparam(name, type_=table.main.c[name].type) for name in names}
    statement = prepare(publisher.store, sa.insert(table.main).values(binds))
    now = codec(Shape("datetime"), dialect).to_storage(publisher.clock.now())
    to_id = codec(Shape("reference"), dialect).to_storage
    order = [names.index(name) for name in statement.names]
    for start in range(0, rows, 20_000):
        some = []
        for n, id in enumerate(publisher.ids.many(min(20_000, rows - start)), start):
            owner, region = to_id(owners[n % len(owners)]), f"r{n // len(owners) % REGIONS}"
            row = (to_id(id), 1, now, now, owner, "user", sort_key(f"t{n}"), f"t{n}", region, n)
            some.append(tuple(row[at] for at in order))
        with publisher.store.write() as writer:
            writer.insert_many(statement, some)
    if dialect == "postgresql":
        with publisher.store.maintain() as reader:
            reader.connection.exec_driver_sql(f'ANALYZE "{publisher.store.schema}".o{table.number}')


def change(publisher: Publisher, n: int) -> None:
    """Change ``n``: the position moves to the other head, or another region is shared with the team."""
    if n % 2:
        rule: dict[str, Any] = {"kind": "sharing_rule", "name": "thing.shared", "label": {"en": "Shared"}}
        rule |= {"when": _condition(n), "to": [{"kind": "group", "key": "team"}]}
        with publisher.store.write() as writer:
            publisher.publishing.drafts.discard(writer, ADMIN.user_id)
        publisher.publish(rule)
        publisher.run_jobs()
    else:
        named = _positions(publisher)
        to = named["head 2" if n % 4 == 0 else "head 1"][0]
        publisher.records.update("position", named["moving"][0], {"parent": to})


def state(publisher: Publisher) -> tuple[str, str]:
    """What the last changes were: the head above, and the region that is shared."""
    named = _positions(publisher)
    above = next(name for name, (id, _) in named.items() if id == named["moving"][1])
    rules = publisher.model.objects["thing"].sharing_rules
    return above, rules[0].when.text if rules and rules[0].when is not None else ""


def after(n: int) -> tuple[str, str]:
    """What the state is after change ``n``; no change yet: -1."""
    moves, rules = (
        [each for each in range(n + 1) if not each % 2],
        [each for each in range(n + 1) if each % 2],
    )
    above = "head 2" if moves and moves[-1] % 4 == 0 else "head 1"
    return above, _condition(rules[-1]) if rules else ""


def _condition(n: int) -> str:
    """The condition of change ``n``: each asks for another index than the one before."""
    return f'region = "r{n % REGIONS}"' + (" && size >= 0" if n % 4 == 3 else "")


def _positions(publisher: Publisher) -> dict[str, tuple[UUID, UUID | None]]:
    table = publisher.table("position")
    with publisher.store.read() as reader:
        chosen = sa.select(table.column("name"), table.id, table.column("parent"))
        found: list[Any] = list(reader.execute(chosen))
        return {name: (uuid_of(id), uuid_of(up) if up else None) for name, id, up in found}


def check(publisher: Publisher, acknowledged: int) -> list[str]:
    """What is wrong; nothing, if what people see is what was before or what comes after."""
    wrong: list[str] = []
    found = state(publisher)
    if found not in (after(acknowledged), after(acknowledged + 1)):
        wrong.append(f"acknowledged {acknowledged}, found {found}")
    building = [e for e in publisher.physical().entries if e.kind == "index" and e.state == "building"]
    if building:
        wrong.append(f"indexes not made {building}")
    model = publisher.model
    with publisher.store.write() as writer:
        if differs := people.refresh(writer, publisher.tenant.tables(model), model):
            wrong.append(f"{differs} memberships were not as the organisation says")
    expected = _expected(publisher)
    for plan in ("scan", "ids"):
        seen = {who: _seen(publisher, who, plan) for who in expected}
        if seen != expected:
            wrong.append(f"{plan}: seen {seen}, expected {expected}")
    return wrong


def _expected(publisher: Publisher) -> dict[str, int]:
    """How many things the heads and the member of the team see: by the organisation, in Python."""
    named, users, things = _positions(publisher), publisher.table("user"), publisher.table("thing")
    with publisher.store.read() as reader:
        chosen = sa.select(users.id, users.column("name"), users.column("position"))
        rows: list[Any] = list(reader.execute(chosen))
        everybody = [(uuid_of(a), b, uuid_of(c) if c else None) for a, b, c in rows]
        c = things.column
        counted = sa.select(c("owner"), c("region"), sa.func.count()).group_by(c("owner"), c("region"))
        rows = list(reader.execute(counted))
    owned = [(uuid_of(owner), region, count) for owner, region, count in rows]
    up = {id: above for id, above in named.values()}
    place = {id: position for id, _, position in everybody}
    person = {name: id for id, name, _ in everybody}

    def above(at: UUID | None) -> Iterator[UUID]:
        while at is not None and (at := up[at]) is not None:
            yield at

    by_owner = Counter({owner: 0 for owner in place})
    for owner, _, count in owned:
        by_owner[owner] += count
    heads = {
        name: sum(
            n
            for owner, n in by_owner.items()
            if named[head][0] in above(place[owner]) or owner == person[name]
        )
        for name, head in (("user 00000", "head 1"), ("user 00001", "head 2"))
    }
    last = max(person)
    rules = publisher.model.objects["thing"].sharing_rules
    shared = rules[0].when.text.split('"')[1] if rules and rules[0].when is not None else None
    team = sum(count for owner, region, count in owned if owner == person[last] or region == shared)
    return {**heads, last: team}


def _seen(publisher: Publisher, name: str, plan: Any) -> int:
    table = publisher.table("user")
    with publisher.store.read() as reader:
        id = uuid_of(reader.execute(sa.select(table.id).where(table.column("name") == name)).scalar_one())
        who = principals.load(publisher.tenant, reader, publisher.model, id, publisher.clock.now())
    system = publisher.call
    call = Call(
        system.tenant, who, system.model, Gate(system.model, who), system.clock, system.ids, "en", "UTC",
        "test", "api",
    )  # fmt: skip
    groups = aggregate(call, Aggregation("thing"), plan).rows
    return int(groups[0]["count"])


def child(settings: Settings, acknowledged: Path, start: int, at_statement: int | None) -> None:
    """Change until killed (or, killing itself, up to one statement of one change); never returns."""
    count = 0

    def tell(how: str, statement: str, rows: int) -> None:
        nonlocal count
        count += 1
        if count == at_statement:
            os.kill(os.getpid(), signal.SIGKILL)

    with opened(settings) as publisher:
        publisher.model  # noqa: B018 - compiled before the clock runs
        n = start
        while True:
            began = time.monotonic()
            if at_statement is not None:
                with observe(tell):
                    change(publisher, n)
            else:
                change(publisher, n)
            with acknowledged.open("a") as file:
                file.write(f"{n} {time.monotonic() - began:.3f}\n")
                file.flush()
                os.fsync(file.fileno())
            if at_statement is not None:
                os._exit(0)
            n += 1


def _lines(acknowledged: Path) -> list[tuple[int, float]]:
    given = acknowledged.read_text().splitlines() if acknowledged.exists() else []
    return [(int(n), float(took)) for n, took in (line.split() for line in given)]


def _at_any_moment(acknowledged: Path, longest: float) -> None:
    """Come back somewhere in one of the first changes of a child, or before."""
    wanted = len(_lines(acknowledged)) + random.randrange(3)
    until(lambda: len(_lines(acknowledged)) >= wanted, "the child changes nothing")
    time.sleep(random.random() * longest)


def run(backend: str, rows: int, count: int, kills: int, statements: bool, every: int = 1) -> dict[str, Any]:
    """Kill and check; the figures."""
    wrong: list[str] = []
    slowest, through, at, done = 0.0, 0, 1, 0
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(backend, Path(folder))
        acknowledged = Path(folder) / "acknowledged"
        try:
            with opened(settings, fresh=True) as publisher:
                fill(publisher, rows, count)
                wrong += check(publisher, -1)
            began, longest = time.monotonic(), 0.4
            while done < kills and not wrong:
                lines = _lines(acknowledged)
                last = lines[-1][0] if lines else -1
                with opened(settings) as publisher:  # a change that was done but not acknowledged stands
                    start = last + 1 if state(publisher) == after(last) else last + 2
                pid = os.fork()
                if not pid:
                    try:
                        child(settings, acknowledged, start, at if statements else None)
                    except BaseException:
                        traceback.print_exc()
                    os._exit(3)
                if not statements:
                    _at_any_moment(acknowledged, longest)
                    os.kill(pid, signal.SIGKILL)
                status = os.waitpid(pid, 0)[1]
                finished = os.WIFEXITED(status)
                if finished and (os.WEXITSTATUS(status) or not statements):
                    wrong.append(f"the child ended with {os.WEXITSTATUS(status)}")
                restart = time.monotonic()
                with opened(settings) as publisher:
                    _let_go(publisher)
                    publisher.run_jobs()
                    slowest = max(slowest, time.monotonic() - restart)
                    lines = _lines(acknowledged)
                    wrong += check(publisher, max(start - 1, lines[-1][0] if lines else -1))
                longest = max([longest, *(took for _, took in lines)])
                through, at = (through + 1, 1) if finished else (through, at + every)
                done += 1
            lines = _lines(acknowledged)
        finally:
            stores = Stores(settings)
            drop_everything(stores)
            stores.close()
    return {
        "promise": "R11",
        "backend": backend,
        "rows": rows,
        "people": count,
        "mode": "statements" if statements else "moments",
        "kills": done,
        "changes_walked_through": through,
        "acknowledged": len(lines),
        "slowest_move_s": max((took for n, took in lines if not n % 2), default=None),
        "slowest_rule_s": max((took for n, took in lines if n % 2), default=None),
        "slowest_after_kill_s": round(slowest, 2),
        "wrong": wrong,
        "seconds": round(time.monotonic() - began, 1),
    }


def _let_go(publisher: Publisher) -> None:
    """Wait for what the killed one had begun on the server, and let its jobs be taken again."""
    with publisher.store.write() as writer:
        writer.alone("publish")
        running = sa.update(JOB).where(JOB.c.state == "running")
        writer.execute(running.values(lease_until=publisher.clock.now()))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--statements", action="store_true")
    parser.add_argument("--every", type=int, default=1, help="with --statements: kill at each n-th statement")
    given = parser.parse_args()
    figures = run(given.backend, given.rows, given.people, given.kills, given.statements, given.every)
    print(json.dumps(figures))
    return 1 if figures["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
