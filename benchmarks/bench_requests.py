"""What a request costs against the hand-written floor: ratios of p50 and of CPU, on both databases.

``python benchmarks/bench_requests.py [--rows 100000] [--count 200] [--databases sqlite postgresql]``

One tenant with 100,000 deals of 12 fields (and sheets of 30) is served by ``tabwright serve``, the same rows
by ``floor.py``, each by granian with the same threads; requests go to them in turns. Memory is the product's
resident set at the end. Exits 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import floor  # noqa: E402
from filling import Tenant, hash_of, home_for  # noqa: E402
from serving import Request, Server, contest, drive, serving  # noqa: E402

import world  # noqa: E402
from tabwright.runtime.records.batch import Intent  # noqa: E402
from tabwright.runtime.records.service import Records  # noqa: E402

BARS = {  # p50 and CPU, each against the floor's
    "read by id": 1.3, "list, 50 rows": 1.3, "form, 30 fields": 1.3, "update": 1.6, "create": 1.8,
    "aggregate": 1.2, "deep page / first": 1.2,
}  # fmt: skip
MEMORY_BAR = 150.0


class Filled:
    """One database with both: token and session, and the ids of deals and sheets, the same on each side."""

    def __init__(self, database: str, home: Path, rows: int) -> None:
        self.database = database
        self.tenant = Tenant(database, home, world.documents())
        self.env, self.floor_url = self.tenant.env, self.tenant.floor_url
        self.token, self.cookie = self.tenant.token, self.tenant.cookie
        self._ours(rows)
        self._floors(rows)

    def _ours(self, rows: int) -> None:
        records = Records(self.tenant.call)
        accounts = [Intent("create", values={"name": f"Account {number}"}) for number in range(500)]
        self.accounts = [str(row.id) for row in records.apply("account", accounts).rows]
        self.deals: list[str] = []
        self.source = list(world.deals(rows, self.accounts))
        for start in range(0, rows, 10_000):
            intents = [Intent("create", values=deal) for deal in self.source[start : start + 10_000]]
            self.deals += [str(row.id) for row in records.apply("deal", intents).rows]
        sheets = records.apply("sheet", [Intent("create", values=world.sheet(n)) for n in range(200)])
        self.sheets = [str(row.id) for row in sheets.rows]
        self.tenant.close()

    def _floors(self, rows: int) -> None:
        engine = floor.make_engine(self.floor_url)
        floor.META.drop_all(engine)
        floor.META.create_all(engine)
        typed = []
        for id, deal in zip(self.deals, self.source, strict=True):
            row = floor.typed(deal)
            typed.append({**row, "id": uuid.UUID(id), "rev": 1, "deleted": False, "created_at": row["met_at"],
                          "updated_at": row["met_at"]})  # fmt: skip
        sheets = [
            {**floor.typed(world.sheet(n)), "id": uuid.UUID(id), "rev": 1} for n, id in enumerate(self.sheets)
        ]
        with engine.begin() as connection:
            connection.execute(sa.insert(floor.TOKEN), [{"hash": hash_of(self.token), "name": "bench"}])
            for start in range(0, rows, 10_000):
                connection.execute(sa.insert(floor.DEAL), typed[start : start + 10_000])
            connection.execute(sa.insert(floor.SHEET), sheets)
        with engine.connect() as connection:
            connection.execute(sa.text("ANALYZE"))
            connection.commit()
        engine.dispose()


@contextmanager
def filled(database: str, rows: int) -> Iterator[Filled]:
    """The filled database; what it made on PostgreSQL is dropped after."""
    with home_for(database, floor.META) as home:
        yield Filled(database, home, rows)


def measure(database: str, rows: int, count: int) -> bool:
    """Print the table of one database; whether every bar holds."""
    good = True
    with ExitStack() as stack:
        both = stack.enter_context(filled(database, rows))
        headers = {"Authorization": f"Bearer {both.token}", "Accept": "application/json"}
        python = sys.executable
        ours = stack.enter_context(
            serving(
                [python, "-m", "tabwright", "serve", "--port", "20801", "--threads", "4"],
                20801,
                headers,
                both.env,
            )
        )
        theirs = stack.enter_context(
            serving(
                [python, str(HERE / "floor.py"), both.floor_url, "20802"],
                20802,
                headers,
                {"MALLOC_ARENA_MAX": "2"},
            )
        )
        pick = random.Random(3)
        order = [pick.randrange(rows) for _ in range(100_000)]
        print(f"{database}: {rows:,} rows, {count} requests a round, 5 rounds in turns; ms")
        requests = _requests(both, order, ours)
        _, read_ours, read_floor = requests[0]
        for name, make_ours, make_floor in requests:
            ours.crowd(read_ours(0))
            theirs.crowd(read_floor(0))
            # A sum over every row takes a hundred times as long as the others: fewer say as much.
            times = count if name != "aggregate" else max(count // 8, 10)
            mine, base = contest(ours, theirs, make_ours, make_floor, times)
            good &= _row(name, mine.p50, base.p50, mine.cpu, base.cpu, BARS.get(name))
        deep, first = _deep(both, ours, count)
        good &= _row("deep page / first", deep.p50, first.p50, deep.cpu, first.cpu, BARS["deep page / first"])
        memory = ours.memory()
        good &= memory <= MEMORY_BAR
        print(f"  memory after the run: {memory:.0f} MB (bar {MEMORY_BAR:.0f})")
    return good


def _row(name: str, p50: float, base: float, cpu: float, base_cpu: float, bar: float | None) -> bool:
    ratio, cpu_ratio = p50 / base, cpu / base_cpu
    missed = bar is not None and (ratio > bar or cpu_ratio > bar)
    print(f"  {name:20} p50 {p50:7.3f} / {base:7.3f} = {ratio:5.2f}"
          f"   CPU {cpu:7.3f} / {base_cpu:7.3f} = {cpu_ratio:5.2f}"
          f"   bar {bar}{'   MISSED' if missed else ''}")  # fmt: skip
    return not missed


def _json(method: str, path: str, body: Any, status: int) -> Request:
    return Request(method, path, json.dumps(body).encode(), {"Content-Type": "application/json"}, status)


_WHERE = quote('ISPICKVAL(stage, "won")')
_LIST = f"/api/v1/objects/deal/records?where={_WHERE}&order=close_date:desc&limit=50"


def _requests(
    both: Filled, order: list[int], ours: Server
) -> list[tuple[str, Callable[[int], Request], Callable[[int], Request]]]:
    base = "/api/v1/objects/deal"
    aggregate = {
        "group": [{"field": "stage"}],
        "measures": [{"function": "count"}, {"function": "sum", "field": "amount"}],
    }
    fresh = list(world.deals(20_000, both.accounts, seed=11))
    return [
        ("read by id", lambda n: Request("GET", f"{base}/records/{both.deals[order[n]]}"),
         lambda n: Request("GET", f"/deal/{both.deals[order[n]]}")),
        ("list, 50 rows", lambda n: Request("GET", _LIST), lambda n: Request("GET", "/deal?stage=won")),
        ("form, 30 fields",
         lambda n: Request("GET", f"/o/sheet/{both.sheets[n % 200]}/edit", headers={"Cookie": both.cookie}),
         lambda n: Request("GET", f"/sheet/{both.sheets[n % 200]}/edit")),
        ("update", lambda n: _json("PATCH", f"{base}/records/{both.deals[order[n]]}", {"amount": n + 1}, 200),
         lambda n: _json("PATCH", f"/deal/{both.deals[order[n]]}", {"amount": n + 1}, 200)),
        ("create", lambda n: _json("POST", f"{base}/records", fresh[n], 201),
         lambda n: _json("POST", "/deal", fresh[n], 201)),
        ("aggregate", lambda n: _json("POST", f"{base}/aggregate", aggregate, 200),
         lambda n: Request("GET", "/deal/sum")),
    ]  # fmt: skip


def _deep(both: Filled, ours: Server, count: int) -> tuple[Any, Any]:
    path = _LIST
    for _ in range(200):
        cursor = json.loads(ours.send(Request("GET", path)))["next_cursor"]
        if cursor is None:
            break
        path = f"{_LIST}&cursor={quote(cursor)}"
    drive(ours, lambda n: Request("GET", path), count)
    first = drive(ours, lambda n: Request("GET", _LIST), count)
    return drive(ours, lambda n: Request("GET", path), count), first


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    return 0 if all([measure(each, asked.rows, asked.count) for each in asked.databases]) else 1


if __name__ == "__main__":
    sys.exit(main())
