"""The oracle (R1): every read path and every verdict against a model of set logic, in random organisations.

``python tests/rel/oracle.py --tuples 200000 --seed 1 --database postgresql``; with ``--plan ids`` every list
begins with the ids of what the person sees, as lists of large objects do (R10). Prints one JSON line for each
organisation: its seed, the tuples (person, object, record, field, operation) by path, and what differed with
the facts that show it. ``tests/support/access_model.py`` is the model, ``organisations.py`` makes the
organisations, ``oracle_ways.py`` asks.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE.parents[2] / "src")]

from argon2 import PasswordHasher  # noqa: E402

from access_model import AccessModel, Who  # noqa: E402
from oracle_ways import WAYS, Asker  # noqa: E402
from organisations import OBJECTS, Poured, make  # noqa: E402
from pagesite import PageSite  # noqa: E402
from stores import drop_everything, settings_for  # noqa: E402
from tabwright.app import create_site  # noqa: E402
from tabwright.platform.clock import FixedClock  # noqa: E402
from tabwright.runtime.query import sizing  # noqa: E402

START = datetime(2026, 3, 1, 8, tzinfo=UTC)
# The ways that ask by several paths, or by one of another name.
COUNTED = {
    "writes": ("edit", "delete", "transfer", "verdict"),
    "parts": ("make_part",),
    "key": ("import_key", "unique"),
    "record_page": ("record_page", "related"),
}
SCOPES = (
    {"*": ["read"]},
    {"deal": ["read", "edit"], "order": ["read"]},
    {"firm": ["view_all"], "*": ["edit"]},
)


@contextmanager
def organisation(dialect: str, seed: int, people: int = 12, records: int = 24) -> Iterator[Poured]:
    """A random organisation in an installation of its own, under a clock that tests move."""
    with tempfile.TemporaryDirectory() as folder:
        clock = FixedClock(START, timedelta(milliseconds=1))
        site = create_site(settings_for(dialect, Path(folder)), clock=clock, hasher=PasswordHasher(1, 8, 1))
        try:
            yield Poured(PageSite(site), make(Random(seed), START, people, records))
        finally:
            drop_everything(site.stores)
            site.close()


def asked(
    poured: Poured,
    seed: str,
    counts: Counter[str],
    wrong: list[dict[str, Any]],
    people: int | None = None,
    ways: Iterable[str] = WAYS,
) -> None:
    """Put the questions of some of the people (all: None) about every object by these ways."""
    r = Random(seed)
    model = AccessModel(poured.facts, poured.site.site.clock.now())
    users = [id for id, row in poured.facts["users"].items() if row["active"] and not row["deleted"]]
    for number, user in enumerate(r.sample(users, min(people or len(users), len(users)))):
        chosen = {name: WAYS[name] for name in ways}
        whole = Asker(poured, model, Who(user), r, counts, wrong)
        for object in OBJECTS:
            for way in chosen.values():
                way(whole, object)
        if number % 4 == 0:
            scope = r.choice(SCOPES)
            who = Who(user, tuple((name, frozenset(given)) for name, given in scope.items()))
            narrow = Asker(poured, model, who, r, counts, wrong)
            for object in OBJECTS:
                for name in ("list", "get", "filter", "expansion", "search", "writes"):
                    if name in chosen:
                        chosen[name](narrow, object)


def main() -> int:
    """Organisations until so many tuples were asked about, and so many by each path; 1 where any differed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuples", type=int, default=200_000)
    parser.add_argument(
        "--each", type=int, default=0, help="as many by each path, so that some are asked alone"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--only", default="", help="names of ways with commas between them")
    parser.add_argument("--people", type=int, default=4, help="how many are asked in each state")
    parser.add_argument(
        "--states", type=int, default=3, help="of one organisation, with changes between them"
    )
    parser.add_argument("--plan", choices=("scan", "ids"), default="scan", help="how lists are found")
    given = parser.parse_args()
    with ExitStack() as forced:
        if given.plan == "ids":
            most = patch.object(sizing, "_most", lambda rows, size: 10**9)
            forced.enter_context(most)
            forced.enter_context(patch.object(sizing, "FEW", 0))
        return run(given)


def run(given: argparse.Namespace) -> int:
    """Ask and print; whether anything differed."""
    total: Counter[str] = Counter()
    differed, seed, begun = 0, given.seed, time.monotonic()
    ways = given.only.split(",") if given.only else list(WAYS)
    while ways:
        counts: Counter[str] = Counter()
        wrong: list[dict[str, Any]] = []
        rare = sum(total.values()) >= given.tuples  # what is left is asked of many about many
        with organisation(given.database, seed, records=60 if rare else 24) as poured:
            for state in range(given.states):
                if state:
                    poured.change(Random(f"{seed} {state}"))
                asked(poured, f"{seed} {state}", counts, wrong, None if rare else given.people, ways)
        total += counts
        differed += len(wrong)
        print(json.dumps({"seed": seed, "database": given.database, "tuples": sum(counts.values()),
                          "differed": len(wrong), "wrong": [w for w in wrong if "question" in w]},
                         ensure_ascii=False), flush=True)  # fmt: skip
        seed += 1
        if sum(total.values()) >= given.tuples:
            ways = [way for way in ways if any(total[path] < given.each for path in COUNTED.get(way, (way,)))]
    print(json.dumps({"promise": "R1", "database": given.database, "plan": given.plan,
                      "seeds": [given.seed, seed - 1],
                      "tuples": sum(total.values()), "by_path": dict(total), "disagreements": differed,
                      "seconds": round(time.monotonic() - begun)}))  # fmt: skip
    return 1 if differed else 0


if __name__ == "__main__":
    raise SystemExit(main())
