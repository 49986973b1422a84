"""A list by a virtual formula field with two lookup hops: `python benchmarks/bench_formula_fields.py [ROWS]`.

A page of 50 of 100,000 records, filtered and sorted by `amount * account.region.rate`, against the same page
by SQL written by hand with the same exact arithmetic. Says milliseconds and the ratio (bar: 1.5), on both
databases.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import sqlalchemy as sa

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from models import documents  # noqa: E402
from stores import open_stores, settings_for  # noqa: E402
from tabwright.platform.database import prepare  # noqa: E402
from tabwright.runtime.query.asked import Query  # noqa: E402
from tabwright.runtime.query.reads import Reads  # noqa: E402
from tabwright.runtime.records.batch import Intent  # noqa: E402
from world import World, language_functions, make_world  # noqa: E402

RUNS = 15
FEE = {"type": "formula", "options": {"returns": "currency", "formula": "amount * account.region.rate"}}
OBJECTS: dict[str, dict[str, Any]] = {
    "region": {"name": "text", "rate": "decimal(8,4)"},
    "account": {"name": "text", "region": "lookup(region)"},
    "deal": {"name": "text", "account": "lookup(account)", "amount": "currency(16,2)", "fee": FEE},
}
ASKED = Query("deal", ("name", "fee"), where="fee > 800", order=(("fee", "desc"),), limit=50)


def fill(world: World, rows: int) -> None:
    regions = [
        world.records.create("region", {"name": f"r{n}", "rate": f"0.{n:04}"}).id for n in range(100, 150)
    ]
    accounts: list[Any] = []
    for start in range(0, rows // 20, 5_000):
        some = [
            Intent("create", values={"name": f"a{n}", "region": regions[n % 50]})
            for n in range(start, min(start + 5_000, rows // 20))
        ]
        accounts += [each.id for each in world.records.apply("account", some).rows]
    for start in range(0, rows, 5_000):
        more = [
            Intent(
                "create",
                values={
                    "name": f"d{n}",
                    "account": accounts[n % len(accounts)] if n % 50 else None,
                    "amount": f"{(n * 7919) % 10_000_000 / 100:.2f}" if n % 30 else None,
                },
            )
            for n in range(start, min(start + 5_000, rows))
        ]
        world.records.apply("deal", more)
    with world.store.maintain() as reader:
        reader.execute(sa.text("ANALYZE"))


def by_hand(world: World) -> Any:
    """The page as somebody who knows the tables writes it: blank as zero, exact, rounded half away from 0."""
    deal, account, region = (world.table(name) for name in ("deal", "account", "region"))
    d, a, r = deal.main.alias("d"), account.main.alias("a"), region.main.alias("r")

    def column(table: Any, alias: Any, name: str) -> Any:
        return alias.c[table.column(name).name]

    amount, rate = column(deal, d, "amount"), column(region, r, "rate")
    if world.store.dialect == "sqlite":
        product = f"(coalesce(d.{amount.name}, 0) * coalesce(r.{rate.name}, 0))"
        fee: Any = sa.literal_column(f"{product} / 10000 + ({product} % 10000) / 5000", sa.Integer())
        least: Any = 80_000
    else:
        fee = sa.func.round(sa.func.coalesce(amount, 0) * sa.func.coalesce(rate, 0), 2)
        least = 800
    joined = d.outerjoin(
        a, sa.and_(a.c.id == column(deal, d, "account"), a.c.deleted_at.is_(None))
    ).outerjoin(r, sa.and_(r.c.id == column(account, a, "region"), r.c.deleted_at.is_(None)))
    page = (
        sa.select(d.c.id, d.c.rev, column(deal, d, "name"), fee.label("fee"))
        .select_from(joined)
        .where(d.c.deleted_at.is_(None), fee > least)
        .order_by(fee.desc(), d.c.id.desc())
        .limit(51)
    )
    return prepare(world.store, page)


def timed(*ways: Callable[[], Any]) -> list[float]:
    """Milliseconds of each, in turns, the middle of the runs."""
    took: list[list[float]] = [[] for _ in ways]
    for run in range(RUNS + 2):
        for times, way in zip(took, ways, strict=True):
            start = time.perf_counter()
            way()
            if run > 1:
                times.append((time.perf_counter() - start) * 1000)
    return [statistics.median(times) for times in took]


def main(rows: int) -> None:
    for dialect in ("sqlite", "postgresql"):
        with (
            TemporaryDirectory() as folder,
            open_stores(settings_for(dialect, Path(folder)), language_functions) as stores,
        ):
            world = make_world(stores, documents(OBJECTS))
            fill(world, rows)
            statement = by_hand(world)

            def hand(world: World = world, statement: Any = statement) -> Any:
                with world.store.read() as reader:
                    return reader.rows(statement, {})

            def product(world: World = world) -> Any:
                return Reads(world.call).list(ASKED).rows

            shown = [row["name"] for row in product()]
            assert len(shown) == 50 and shown == [row[2] for row in hand()[:50]], "the same page"
            ours, theirs = timed(product, hand)
            print(
                f"{dialect}: {rows:,} rows: {ours:.1f} ms, by hand {theirs:.1f} ms, {ours / theirs:.2f} times"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
