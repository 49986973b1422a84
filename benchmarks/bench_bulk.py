"""Bulk writes through the whole pipeline, with journal and search rows: records a second on each database.

    python benchmarks/bench_bulk.py [--rows 20000] [--profile] [sqlite|postgresql ...]

An object of 12 fields; chunks of 10,000 intents as the bulk API takes them; every other name is Chinese.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

from stores import open_stores, settings_for
from tabwright.formula import pinyin
from tabwright.runtime.records.batch import Intent, Outcome
from world import World, field_doc, make_world, object_doc

DOCUMENTS = [
    object_doc("account", sharing="private"),
    field_doc("account.name", "text", required=True, searchable=True, sortable=True),
    field_doc("account.code", "text", unique=True, searchable=True),
    field_doc("account.phone", "phone", searchable=True),
    field_doc("account.email", "email"),
    field_doc("account.city", "text"),
    field_doc(
        "account.stage",
        "picklist",
        options={
            "values": [{"code": code, "label": {"en": code}} for code in ("new", "open", "won", "lost")]
        },
    ),
    field_doc("account.amount", "currency", options={"precision": 16, "scale": 2, "currency": "CNY"}),
    field_doc("account.discount", "percent", options={"precision": 5, "scale": 2}),
    field_doc("account.employees", "integer"),
    field_doc("account.active", "boolean"),
    field_doc("account.close_date", "date"),
    field_doc("account.parent", "lookup", options={"target": "account"}),
    {
        "kind": "validation_rule",
        "name": "account.amount_positive",
        "label": {"en": "Positive"},
        "condition": "amount < 0",
        "message": {"en": "The amount is positive"},
        "field": "amount",
    },
    {
        "kind": "validation_rule",
        "name": "account.won_dated",
        "label": {"en": "Dated"},
        "condition": 'AND(ISPICKVAL(stage, "won"), ISBLANK(close_date))',
        "message": {"en": "A date is needed"},
        "field": "close_date",
    },
]
SURNAMES = "王李张刘陈杨黄赵吴周"
PLACES = ("北京", "上海", "重庆", "深圳", "长沙")


def values(n: int, parent: Any) -> dict[str, Any]:
    """The values of record ``n`` as the API would give them."""
    name = f"Customer {n} Ltd"
    if n % 2:
        name = (
            f"{PLACES[n % 5]}{SURNAMES[n % 10]}{chr(0x4E00 + n % 5000)}{chr(0x5E00 + n % 3000)}科技有限公司"
        )
    return {
        "name": name,
        "code": f"C{n:07d}",
        "phone": f"138{n:08d}",
        "email": f"user{n}@example.com",
        "city": PLACES[n % 5],
        "stage": ("new", "open", "won", "lost")[n % 4],
        "amount": f"{n}.{n % 100:02d}",
        "discount": "12.5",
        "employees": n % 1000,
        "active": n % 3 == 0,
        "close_date": f"2026-{n % 12 + 1:02d}-{n % 28 + 1:02d}",
        "parent": parent,
    }


def timed(what: str, rows: int, run: Any) -> Outcome:
    """Run, print records a second and the stages' shares, hand the outcome on."""
    start, cpu = time.perf_counter(), time.process_time()
    outcome: Outcome = run()
    took, cpu = time.perf_counter() - start, time.process_time() - cpu
    stages = ", ".join(f"{name} {us / rows:.1f}" for name, us in outcome.trace if us / rows >= 0.5)
    print(f"{what:38} {rows / took:9,.0f} records/s  {cpu / rows * 1e6:6.1f} us CPU   [{stages}]", flush=True)
    return outcome


def measure(world: World, rows: int) -> None:
    """Creates, updates, upserts and deletes, and single saves."""
    user = world.user("rep", "everything")
    from tabwright.runtime.records.service import Records

    records = Records(world.call_as(user, "bulk"))
    parent = records.create("account", values(0, None)).id
    ids = []
    size = min(rows, 10_000)
    for start in range(1, rows + 1, size):
        intents = [Intent("create", values=values(n, parent)) for n in range(start, start + size)]
        outcome = timed("create", size, lambda intents=intents: records.apply("account", intents))
        ids = [row.id for row in outcome.rows]
    updates = [Intent("update", id, {"amount": "5", "city": "广州"}) for id in ids]
    timed("update 2 fields", size, lambda: records.apply("account", updates))
    renames = [Intent("update", id, {"name": f"改名{n}公司"}) for n, id in enumerate(ids)]
    timed("update the name (search, sort key)", size, lambda: records.apply("account", renames))
    upserts = [Intent("upsert", values={"amount": 7}, key=("code", f"C{n:07d}")) for n in range(1, size + 1)]
    timed("upsert", size, lambda: records.apply_each("account", upserts))
    timed("delete", size, lambda: records.apply("account", [Intent("delete", id) for id in ids]))
    single: list[float] = []
    for n in range(200):
        began = time.perf_counter()
        records.update("account", parent, {"amount": n + 1})
        single.append(time.perf_counter() - began)
    single.sort()
    print(f"{'single update, p50':38} {single[100] * 1e6:9,.0f} us")


EVERYTHING = {
    "kind": "permission_set",
    "name": "everything",
    "label": {"en": "Everything"},
    "objects": {"account": ["create", "read", "edit", "delete"]},
    "fields": {"account": {"*": "edit"}},
}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dialects", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--profile", action="store_true")
    asked = parser.parse_args()
    for dialect in asked.dialects or ["sqlite", "postgresql"]:
        with tempfile.TemporaryDirectory() as folder:
            with open_stores(settings_for(dialect, Path(folder))) as stores:
                world = make_world(stores, [*DOCUMENTS, EVERYTHING])
                pinyin.warm()  # as the product does when it starts
                gc.freeze()
                print(f"--- {dialect}")
                if asked.profile:
                    profile = cProfile.Profile()
                    profile.runcall(measure, world, asked.rows)
                    pstats.Stats(profile).sort_stats("tottime").print_stats(45)
                else:
                    measure(world, asked.rows)


if __name__ == "__main__":
    main()
