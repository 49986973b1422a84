"""What the first page of a board and a calendar's month cost: ``python benchmarks/bench_boards.py``.

100,000 deals in a board of six columns (a stage each and one for none), with counts, sums and 25 cards a
column; and the calendar of a month. The floor are the same statements written by hand, on the same rows with
the same indexes; both in this process, in turns. Says medians, their ratio, and the CPU of this process (on
SQLite that is all of it), on both databases; of the board also by a picklist without an index. Exits 1 where
a page takes longer than its bar.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from models import documents  # noqa: E402
from stores import open_stores, settings_for  # noqa: E402
from tabwright.runtime.pages.boards.calendar_page import days_of  # noqa: E402
from tabwright.runtime.query.aggregate import aggregate  # noqa: E402
from tabwright.runtime.query.asked import Aggregation, GroupBy, Measure, Query  # noqa: E402
from tabwright.runtime.query.reads import Reads  # noqa: E402
from tabwright.runtime.records.batch import Intent  # noqa: E402
from world import World, language_functions, make_world  # noqa: E402

BAR = 150.0  # milliseconds, of the first page by the field that the object opens by
CARDS = 25
STAGES = ("new", "talk", "offer", "won", "lost")
OBJECTS = {
    "deal": {
        "name": "text required sortable",
        "company": "text",
        "stage": f"picklist({','.join(STAGES)})",
        "source": f"picklist({','.join(STAGES)})",
        "amount": "currency(16,2)",
        "close": "date",
        "notes": "text",
        "email": "email",
    },
}
FIELDS = ("name", "company", "amount", "close")


def fill(world: World, rows: int) -> None:
    for start in range(0, rows, 10_000):
        world.records.apply(
            "deal",
            [
                Intent("create", values={
                    "name": f"单 {n}", "company": f"Northwind {n % 700}", "amount": n % 9_973,
                    "stage": (*STAGES, None)[n * 7 % 6], "source": (*STAGES, None)[n * 5 % 6],
                    "close": f"{2024 + n % 3}-{n * 11 % 12 + 1:02}-{n * 13 % 28 + 1:02}",
                    "notes": "Asks for a second visit; prefers the annual plan.",
                    "email": f"person{n}@example.com",
                })
                for n in range(start, min(start + 10_000, rows))
            ],
        )  # fmt: skip


def board(world: World, by: str, where: str = "") -> None:
    measures = (Measure("count", None, "n"), Measure("sum", "amount", "total"))
    asked = Aggregation("deal", (GroupBy(by, None, "lane"),), measures, where, limit=500)
    counts = {row["lane"]: row["n"] for row in aggregate(world.call, asked).rows}
    Reads(world.call).lanes(Query("deal", FIELDS, where, (), CARDS), by, tuple(counts), counts)


def month(world: World) -> None:
    import datetime as dt

    days = days_of(dt.date(2025, 5, 1), "month")
    low, high = (f"DATE({day.year}, {day.month}, {day.day})" for day in (days[0], days[-1]))
    where = (f"close < {high} && close >= {low}",)
    reads = Reads(world.call)
    reads.list(Query("deal", ("name", "close"), where, (("close", "asc"),), 200))
    reads.list(Query("deal", ("name", "close"), ("ISBLANK(close)",), (), 20))


class Floor:
    """The same by hand: one table, no rights, no typed rows."""

    def __init__(self, world: World) -> None:
        self._store = world.call.tenant.store
        table = world.call.tables.of(world.model.objects["deal"])
        self._main = table.main
        self._column = table.column

    def _all(self, statement: sa.Select[Any]) -> Sequence[Any]:
        with self._store.read() as reader:
            return reader.execute(statement).all()

    def board(self, by: str) -> None:
        main, lane, alive = self._main, self._column(by), self._main.c.deleted_at.is_(None)
        total = sa.func.sum(self._column("amount"))
        groups = self._all(sa.select(lane, sa.func.count(), total).where(alive).group_by(lane))
        columns = [main.c.id, *(self._column(name) for name in FIELDS)]
        for code, *_ in groups:
            own = lane.is_(None) if code is None else lane == code
            self._all(sa.select(*columns).where(alive, own).order_by(main.c.id).limit(CARDS + 1))

    def month(self) -> None:
        import datetime as dt

        main, close, alive = self._main, self._column("close"), self._main.c.deleted_at.is_(None)
        days = days_of(dt.date(2025, 5, 1), "month")
        dates = [day.isoformat() if self._store.dialect == "sqlite" else day for day in (days[0], days[-1])]
        shown = sa.select(main.c.id, self._column("name"), close).where(alive)
        self._all(shown.where(close >= dates[0], close < dates[1]).order_by(close, main.c.id).limit(201))
        self._all(shown.where(close.is_(None)).order_by(main.c.id).limit(21))


Took = tuple[float, float]  # milliseconds: of the clock, of the CPU


def timed(work: Callable[[], None]) -> Took:
    began, used = time.perf_counter(), time.process_time()
    work()
    return (time.perf_counter() - began) * 1000, (time.process_time() - used) * 1000


def contest(ours: Callable[[], None], floor: Callable[[], None], rounds: int) -> tuple[Took, Took]:
    """The medians of each, taken in turns after a round that only warms."""
    pairs = [(timed(ours), timed(floor)) for _ in range(rounds + 1)][1:]

    def middle(side: int) -> Took:
        return (
            statistics.median(pair[side][0] for pair in pairs),
            statistics.median(pair[side][1] for pair in pairs),
        )

    return middle(0), middle(1)


def measure(dialect: str, rows: int, rounds: int) -> bool:
    good = True
    with (
        TemporaryDirectory() as folder,
        open_stores(settings_for(dialect, Path(folder)), language_functions) as stores,
    ):
        world = make_world(stores, documents(OBJECTS))
        fill(world, rows)
        floor = Floor(world)
        print(f"{dialect}: {rows:,} records; ms")
        few = 'company = "Northwind 3"'
        for name, mine, theirs, bar in (
            ("board by stage", lambda: board(world, "stage"), lambda: floor.board("stage"), BAR),
            ("the same, filtered", lambda: board(world, "stage", few), None, None),
            ("board without an index", lambda: board(world, "source"), lambda: floor.board("source"), None),
            ("calendar, a month", lambda: month(world), floor.month, BAR),
        ):
            (took, cpu), (base, base_cpu) = contest(mine, theirs or mine, rounds)
            missed = bar is not None and took > bar
            good &= not missed
            compared = f" / {base:.2f} = {took / base:.2f}" if theirs else ""
            print(f"  {name:24} {took:.2f}{compared}   CPU {cpu:.2f} / {base_cpu:.2f}   bar {bar}", end="")
            print("   MISSED" if missed else "")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    asked = parser.parse_args()
    return 0 if all([measure(each, asked.rows, asked.rounds) for each in asked.databases]) else 1


if __name__ == "__main__":
    sys.exit(main())
