"""What access rules cost: pages, counts and single records of people in an organisation (R11).

    python benchmarks/bench_access.py [--queries 1000] [--small] [--fresh] [--plans] [sqlite|postgresql ...]

1,000,000 customers, 2,000 people on five levels of positions, 500,000 shares; ``--small`` (always on SQLite):
100,000, 200 and 50,000. They are made once and kept (``BENCH_HOME``; ``--fresh`` makes them again).
Each query is some person's, with a filter on none to two fields that a list view has, in the order of that
view or turned round; right after it the same is asked by somebody who sees everything, so that a noisy moment
falls on both. Milliseconds; the command ends with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from access_world import LARGE, SMALL, VIEWS, condition, home_of, open_world, value_of

from tabwright.platform.database import observe
from tabwright.runtime.desk import Call
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

FIELDS = ("name", "region", "status", "amount", "updated_at", "owner.name")
P95, WORST, SLOW, AT_MOST, TIMES, GET = 250, 3000, 50, 1000, 5, 1.5


@dataclass(frozen=True)
class Took:
    """Milliseconds of one query, of a person and of who sees everything."""

    user: int
    query: Query
    theirs: float
    free: float

    @property
    def is_over(self) -> bool:
        """Whether it misses the bar for queries that are slow without rules as well."""
        return self.theirs > WORST or (self.free > SLOW and self.theirs > min(TIMES * self.free, AT_MOST))


def queries(count: int, people: int, seed: int = 5) -> list[tuple[int, Query]]:
    """(number of a person, what is asked): the same for the same seed."""
    pick = random.Random(seed)
    found = []
    for _ in range(count):
        fields, (by, direction) = VIEWS[pick.choice(list(VIEWS))]
        where = tuple(condition(each, value_of(each, pick)) for each in fields)
        turned = {"asc": "desc", "desc": "asc"}[direction]
        order = ((by, direction if pick.random() < 0.75 else turned),)
        query = Query("customer", FIELDS, where, order)  # type: ignore[arg-type]
        found.append((pick.randrange(people), query))
    return found


def clock(do: Callable[..., object], *given: object) -> float:
    begin = time.perf_counter()
    do(*given)
    return (time.perf_counter() - begin) * 1000


def told(name: str, times: Sequence[float]) -> str:
    ordered = sorted(times)
    at = [ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.95, 0.99)]
    return f"{name:34} p50 {at[0]:8.2f}  p95 {at[1]:8.2f}  p99 {at[2]:8.2f}  max {ordered[-1]:8.2f}"


def statements(call: Call, query: Query) -> str:
    """What is asked of the database for a query."""
    seen: list[str] = []
    with observe(lambda how, text, rows: seen.append(text)):
        Reads(call).list(query)
    return "\n".join(seen)


def pages(
    asked: Sequence[tuple[int, Query]], calls: Sequence[Call], free: Call, with_count: bool
) -> list[Took]:
    """Each query once by its person and once by who sees everything."""
    done = []
    for user, query in asked:
        query = replace(query, count=with_count)
        theirs = clock(Reads(calls[user]).list, query)
        done.append(Took(user, query, theirs, clock(Reads(free).list, query)))
    return done


def single(calls: Sequence[Call], free: Call, count: int) -> tuple[list[float], list[float]]:
    """Records by id, of people who may read them and, in turns, of who sees everything."""
    pick = random.Random(3)
    theirs: list[float] = []
    freely: list[float] = []
    for call in pick.sample(calls, min(len(calls), count)):
        rows = Reads(call).list(Query("customer", ("id",), limit=20)).rows
        for id in [row["id"] for row in rows]:
            theirs.append(clock(Reads(call).get, "customer", id, FIELDS))
            freely.append(clock(Reads(free).get, "customer", id, FIELDS))
    return theirs, freely


def run(database: str, small: bool, fresh: bool, count: int, plans: bool) -> bool:
    """Measure and print; whether every bar was held."""
    size = SMALL if small or database == "sqlite" else LARGE
    world = open_world(database, size, home_of(database, size), fresh)
    try:
        users = world.users
        asked = queries(count, len(users))
        arrived: list[float] = []
        calls: list[Call] = []
        for user in users:
            arrived.append(clock(world.call_of, user))
            calls.append(world.call_of(user))
        free = world.call_of(world.all_seeing)
        for user, query in queries(40, len(users), seed=6):  # compiled, caches warm
            Reads(calls[user]).list(replace(query, count=True))
            Reads(free).list(replace(query, count=True))
        gc.collect()
        gc.freeze()
        gc.disable()
        print(f"{database}: {size.rows:,} customers, {len(users):,} people, {size.shares:,} shares")
        print(told("who somebody is", arrived))
        good = True
        for what, with_count in (("page", False), ("page and capped count", True)):
            done = pages(asked, calls, free, with_count)
            print(told(what, [each.theirs for each in done]))
            print(told(f"{what}, sees everything", [each.free for each in done]))
            over = [each for each in done if each.is_over]
            p95 = sorted(each.theirs for each in done)[int(len(done) * 0.95)]
            good &= p95 <= P95 and not over
            print(f"  p95 {p95:.0f} <= {P95}: {p95 <= P95}; over the bar of slow queries: {len(over)}")
            worst = sorted(done, key=lambda each: -each.theirs)[:8]
            for each in {id(each): each for each in (*over[:5], *worst)}.values():
                rows = Reads(calls[each.user]).list(replace(each.query, count=True)).count
                print(f"    {each.theirs:8.1f} ({each.free:.1f}) person {each.user}, {rows} rows, "
                      f"{' && '.join(each.query.conditions)} {each.query.order}")  # fmt: skip
                if plans:
                    print(statements(calls[each.user], each.query))
        theirs, freely = single(calls, free, 200)
        ratio = statistics.median(theirs) / statistics.median(freely)
        good &= ratio <= GET
        print(told("record by id", theirs))
        print(told("record by id, sees everything", freely))
        print(f"  ratio of medians {ratio:.2f} <= {GET}: {ratio <= GET}")
        return good
    finally:
        gc.enable()
        world.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("databases", nargs="*", default=["sqlite", "postgresql"])
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--plans", action="store_true", help="print the statements of the slowest")
    given = parser.parse_args()
    good = [run(each, given.small, given.fresh, given.queries, given.plans) for each in given.databases]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
