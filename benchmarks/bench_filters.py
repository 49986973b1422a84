"""What a filter costs whose text was never seen: `python benchmarks/bench_filters.py`.

Each of 200 pages of an empty object is asked for with literals of its own; once with plans kept by shape,
once with plans kept by the text. Says milliseconds per page and the ratio, on both databases.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "support"))

from models import documents  # noqa: E402
from stores import open_stores, settings_for  # noqa: E402
from tabwright.formula.lifting import lift, unlifted  # noqa: E402
from tabwright.runtime.query import filters  # noqa: E402
from tabwright.runtime.query.asked import Query  # noqa: E402
from tabwright.runtime.query.reads import Reads  # noqa: E402
from world import language_functions, make_world  # noqa: E402

PAGES = 200
OBJECTS = {
    "account": {"name": "text", "industry": "text"},
    "deal": {"name": "text", "account": "lookup(account)", "amount": "currency(16,2)", "close": "date"},
}
FILTERS = (
    'name = "x{n}"',
    'CONTAINS(account.name, "x{n}") && amount > {n}.5',
    'OR(BEGINS(name, "x{n}"), name = "y{n}") && close >= DATE(2024, 1, 1) && amount < {n}',
)


def main() -> None:
    for dialect in ("sqlite", "postgresql"):
        with (
            TemporaryDirectory() as folder,
            open_stores(settings_for(dialect, Path(folder)), language_functions) as stores,
        ):
            world = make_world(stores, documents(OBJECTS))
            reads = Reads(world.call)
            for pattern in FILTERS:
                took = {}
                for way, how in (("shape", lift), ("text", unlifted)):
                    with patch.object(filters, "lift", how):
                        reads.list(Query("deal", where=pattern.format(n=1000)))
                        start = time.perf_counter()
                        for n in range(1001, 1001 + PAGES):
                            reads.list(Query("deal", where=pattern.format(n=n)))
                        took[way] = (time.perf_counter() - start) / PAGES * 1000
                print(
                    f"{dialect}: by text {took['text']:.2f} ms, by shape {took['shape']:.2f} ms,"
                    f" {took['text'] / took['shape']:.1f} times: {pattern}"
                )


if __name__ == "__main__":
    main()
