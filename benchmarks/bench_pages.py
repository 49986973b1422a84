"""What a page costs against the same page written by hand: ratios of p50 and of CPU, on both databases.

``python benchmarks/bench_pages.py [--rows 100000] [--count 100] [--databases sqlite postgresql]``

One tenant with 100,000 records of an object of sixty fields of all kinds is served by ``tabwright serve``,
the same rows by ``wide_floor.py``, each by granian with the same threads; requests go to them in turns. The
floor's pages are the product's, written as templates (``wide_templates.py``); before anything is measured,
both must show the same words. ``--unrolled``: the floor without macros, each field written out, which nobody
does by hand. Exits 1 when a bar is missed or a page says something else.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import wide  # noqa: E402
import wide_floor as floor  # noqa: E402
import wide_templates  # noqa: E402
from filling import Tenant, hash_of, home_for  # noqa: E402
from floor import make_engine  # noqa: E402
from serving import Request, Server, contest, serving  # noqa: E402

from tabwright.people import add_person  # noqa: E402
from tabwright.platform.language import say  # noqa: E402
from tabwright.runtime.comments.service import Comments  # noqa: E402
from tabwright.runtime.personal.favourites import Favourite, Favourites  # noqa: E402
from tabwright.runtime.query.asked import Query  # noqa: E402
from tabwright.runtime.query.reads import Reads  # noqa: E402
from tabwright.runtime.records.batch import Intent  # noqa: E402
from tabwright.runtime.records.service import Records  # noqa: E402

BARS = {
    "list, 50 rows": 1.3,
    "list, sorted anew": 1.3,
    "record": 1.3,
    "form": 1.3,
    "board": 1.3,
    "edit in place": 1.3,
}
_MOMENT = re.compile(r"\d\d:\d\d|^Today$|^\d{4}-\d\d-\d\d$")
LOOKED_AT = 200  # records that have visits, changes and comments
PEOPLE = ("Ann Bell", "Bao Qing", "Cora Diaz")
# The product's address and the floor's.
PATHS = {
    "list, 50 rows": ("/o/machine?view=won", "/machine?stage=won"),
    "list, sorted anew": ("/o/machine?view=won&order=-amount", "/machine?stage=won&order=-amount"),
    "record": ("/o/machine/{id}", "/machine/{id}"),
    "form": ("/o/machine/{id}/edit", "/machine/{id}/edit"),
    "board": ("/o/machine/board?by=stage&sum=balance", "/machine/board"),
    "edit in place": ("/o/machine/{id}/value?field=amount", "/machine/{id}/value"),
}


class Filled:
    """One database with both sides: the same machines, visits, changes and comments on each."""

    def __init__(self, database: str, home: Path, rows: int) -> None:
        self.tenant = tenant = Tenant(database, home, wide.documents())
        self.people = {
            name: add_person(tenant.site, tenant.location, name=name, sets=["administrator"],
                             address=f"{name.split()[0]}@example.com", password="benchmark password 2",
                             values={"language": "en"})
            for name in PEOPLE
        }  # fmt: skip
        self.people["Bench"] = tenant.user
        self._machines(rows)
        self._around()
        self.rows = self._read()
        tenant.close()
        self.templates = home / "templates"

    def _machines(self, rows: int) -> None:
        records = Records(self.tenant.call_of(self.tenant.user))

        def make(object: str, values: list[dict[str, Any]]) -> list[str]:
            made = records.apply(object, [Intent("create", values=each) for each in values])
            return [str(row.id) for row in made.rows]

        self.accounts = make("account", [{"name": f"Account {n}"} for n in range(500)])
        self.brands = make("brand", [{"name": f"Brand {n}"} for n in range(40)])
        people = [str(id) for id in self.people.values()]
        self.source = list(wide.machines(rows, self.accounts, self.brands, people))
        self.machines: list[str] = []
        for start in range(0, rows, 5_000):
            self.machines += make("machine", self.source[start : start + 5_000])
        self.visits = [each for n in range(LOOKED_AT) for each in wide.visits(self.machines[n], n)]
        self.visit_ids = make("visit", self.visits)

    def _around(self) -> None:
        """Changes and comments by three people, and two favourites."""
        calls = [self.tenant.call_of(id) for name, id in self.people.items() if name != "Bench"]
        for at in range(len(wide.changes(0))):
            intents = [
                Intent("update", id=uuid.UUID(self.machines[n]), values=wide.changes(n)[at])
                for n in range(LOOKED_AT)
            ]
            Records(calls[at % len(calls)]).apply("machine", intents)
        ann = self.people[PEOPLE[0]].hex
        self.comments: list[dict[str, Any]] = []
        for n in range(LOOKED_AT):
            machine, made = uuid.UUID(self.machines[n]), []
            for at, (body, parent) in enumerate(wide.comments(n, ann)):
                author = (n + at) % len(calls)
                above = made[parent] if parent is not None else None
                one = Comments(calls[author]).add("machine", machine, body, above)
                made.append(one.id)
                self.comments.append({"id": one.id, "machine": machine, "parent": one.parent_id, "body": body,
                                      "at": one.created_at,
                                      "author": calls[author].principal.user_id})  # fmt: skip
        mine = self.tenant.call_of(self.tenant.user)
        machine = mine.model.objects["machine"]
        favourites = Favourites(mine)
        favourites.add(Favourite("view", machine.uid, "won"))
        favourites.add(Favourite("record", machine.uid, uuid.UUID(self.machines[0]).hex))
        self.favourites = [
            ("/o/machine?view=won", "won"),
            (f"/o/machine/{self.machines[0]}", self.source[0]["name"]),
        ]

    def _read(self) -> dict[str, dict[str, Any]]:
        """What the machines got from the product: numbers, stamps."""
        reads = Reads(self.tenant.call)
        found: dict[str, dict[str, Any]] = {}
        fields = (
            "id",
            "number",
            "revision",
            "created_at",
            "created_by.name",
            "updated_at",
            "updated_by.name",
        )
        cursor = None
        while True:
            page = reads.list(Query("machine", fields, limit=200, cursor=cursor))
            found |= {str(row["id"]): dict(row) for row in page.rows}
            cursor = page.next_cursor
            if cursor is None:
                return found

    def fill_floor(self) -> None:
        """The same rows in the floor's tables."""
        engine = make_engine(self.tenant.floor_url)
        floor.META.drop_all(engine)
        floor.META.create_all(engine)
        machines, changes = [], []
        for n, (id, values) in enumerate(zip(self.machines, self.source, strict=True)):
            known = self.rows[id]
            now = dict(values)
            steps = wide.changes(n) if n < LOOKED_AT else []
            at, who = known["created_at"], known["created_by.name"]
            if steps:
                changes.append(_change(id, at, who, []))
            for number, step in enumerate(steps):
                pairs = [[field, now[field], value] for field, value in step.items() if now[field] != value]
                now |= step
                last = known["updated_at"]
                moment = at + (last - at) * (number + 1) / len(steps)
                changes.append(_change(id, moment, PEOPLE[number % len(PEOPLE)], pairs))
            machines.append({
                **floor.row_of(now, known["number"]), "id": uuid.UUID(id),
                "rev": int(known["revision"]), "deleted": False,
                "created_at": at, "created_by": who, "updated_at": known["updated_at"],
                "updated_by": known["updated_by.name"],
            })  # fmt: skip
        named = {floor.ACCOUNT: zip(self.accounts, (f"Account {n}" for n in range(500)), strict=True),
                 floor.BRAND: zip(self.brands, (f"Brand {n}" for n in range(40)), strict=True),
                 floor.PERSON: ((id.hex, name) for name, id in self.people.items())}  # fmt: skip
        visits = [
            {**floor.visit_of(each), "id": uuid.UUID(id)}
            for id, each in zip(self.visit_ids, self.visits, strict=True)
        ]
        with engine.begin() as connection:
            for table, pairs_ in named.items():
                connection.execute(
                    sa.insert(table), [{"id": uuid.UUID(id), "name": name} for id, name in pairs_]
                )
            for start in range(0, len(machines), 5_000):
                connection.execute(sa.insert(floor.MACHINE), machines[start : start + 5_000])
            for table, rows in (
                (floor.VISIT, visits),
                (floor.CHANGE, changes),
                (floor.COMMENT, self.comments),
            ):
                connection.execute(sa.insert(table), rows)
            connection.execute(
                sa.insert(floor.TOKENS), [{"hash": hash_of(self.tenant.token), "name": "bench"}]
            )
            connection.execute(sa.insert(floor.NOTICE), [{"id": n, "read": False} for n in range(300)])
            connection.execute(sa.insert(floor.FAVOURITE), [
                {"place": n, "href": href, "label": label} for n, (href, label) in enumerate(self.favourites)
            ])  # fmt: skip
        with engine.connect() as connection:
            connection.execute(sa.text("ANALYZE"))
            connection.commit()
        engine.dispose()


def _change(machine: str, at: Any, who: str | None, values: list[Any]) -> dict[str, Any]:
    return floor.change_of(uuid.UUID(machine), at, who or say("pages.record.somebody", {}, "en"), values)


@contextmanager
def both_served(database: str, rows: int, unrolled: bool) -> Iterator[tuple[Filled, Server, Server]]:
    """The product and the floor on the same rows, the floor with templates made of the product's pages."""
    with ExitStack() as stack:
        home = stack.enter_context(home_for(database, floor.META))
        filled = Filled(database, home, rows)
        filled.fill_floor()
        python = sys.executable
        headers = {"Cookie": filled.tenant.cookie, "Accept": "text/html"}
        command = [python, "-m", "tabwright", "serve", "--port", "21180", "--threads", "4"]
        ours = stack.enter_context(serving(command, 21180, headers, filled.tenant.env))
        specimen = filled.machines[0]
        pages = {
            key: ours.send(Request("GET", PATHS[name][0].format(id=specimen))).decode()
            for key, name in (("list", "list, 50 rows"), ("record", "record"), ("form", "form"),
                              ("board", "board"), ("value", "edit in place"))
        }  # fmt: skip
        wide_templates.write(filled.templates, pages, specimen, filled.source[0]["name"])
        ours.connection.close()  # opened again by the next request: an idle one would be closed by the server
        templates = filled.templates / "unrolled" if unrolled else filled.templates
        command = [
            python,
            str(HERE / "wide_floor.py"),
            filled.tenant.floor_url,
            str(templates),
            "21181",
        ]
        bearer = {"Authorization": f"Bearer {filled.tenant.token}"}
        theirs = stack.enter_context(serving(command, 21181, bearer, {"MALLOC_ARENA_MAX": "2"}))
        yield filled, ours, theirs


def same(name: str, mine: bytes, theirs: bytes) -> bool:
    """Whether the floor says what the product's page says, and weighs as much: within one word in fifty."""
    # The floor's changes stand at moments of their own, a minute from the product's at most.
    said, given = (
        Counter(each for each in floor.plain(page.decode()) if not _MOMENT.search(each))
        for page in (mine, theirs)
    )
    lacking, more = said - given, given - said
    apart = (sum(lacking.values()) + sum(more.values())) / max(1, sum(said.values()))
    weight = len(theirs) / len(mine)
    good = apart <= 0.02 and 0.9 <= weight <= 1.1
    if not good:
        print(f"  {name}: the floor's page is another: {apart:.1%} of the words, weight {weight:.2f};"
              f" lacking {list(lacking)[:20]}, more {list(more)[:20]}")  # fmt: skip
    return good


def measure(database: str, rows: int, count: int, only: list[str], unrolled: bool) -> bool:
    """Print the table of one database; whether every bar holds."""
    good = True
    pick = random.Random(3)
    order = [pick.randrange(LOOKED_AT) for _ in range(20_000)]
    with both_served(database, rows, unrolled) as (filled, ours, theirs):
        print(f"{database}: {rows:,} rows, {count} requests a round, 5 rounds in turns; ms", flush=True)

        def request(path: str) -> Callable[[int], Request]:
            return lambda n: Request("GET", path.format(id=filled.machines[order[n]]))

        for name, (path, floor_path) in PATHS.items():
            if only and name not in only:
                continue
            make_ours, make_floor = request(path), request(floor_path)
            mine, base = ours.send(make_ours(1)), theirs.send(make_floor(1))
            good &= same(name, mine, base)
            ours.connection.close()
            theirs.connection.close()
            ours.crowd(make_ours(0), each=10)
            theirs.crowd(make_floor(0), each=10)
            # A page that counts and adds up all records takes a hundred times as long: fewer say as much.
            times = count if name not in ("board", "list, sorted anew") else max(count // 5, 10)
            took, floors = contest(ours, theirs, make_ours, make_floor, times)
            ratio, cpu_ratio = took.p50 / floors.p50, took.cpu / floors.cpu
            missed = ratio > BARS[name] or cpu_ratio > BARS[name]
            good &= not missed
            print(f"  {name:18} p50 {took.p50:8.3f} / {floors.p50:8.3f} = {ratio:5.2f}"
                  f"   CPU {took.cpu:8.3f} / {floors.cpu:8.3f} = {cpu_ratio:5.2f}   {len(mine) / 1000:.0f} kB"
                  f"   bar {BARS[name]}{'   MISSED' if missed else ''}", flush=True)  # fmt: skip
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--only", nargs="+", default=[], choices=list(PATHS))
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--unrolled", action="store_true")
    asked = parser.parse_args()
    good = [measure(each, asked.rows, asked.count, asked.only, asked.unrolled) for each in asked.databases]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
