"""R2, the long run: two installations that differ only in what somebody may not know answer alike.

    python tests/rel/noninference.py 50000 7 sqlite
    python tests/rel/noninference.py 50000 7 postgresql

Requests, seed, database. Every route of the product is asked (tests/support/asking.py), read and write, page
and API, and jobs run in between; each answer of the one must be byte for byte that of the other. What differs
is printed with its request, and the exit status is 1.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from asking import Asking
from twins import Ask, Twin, told, twins

JOBS_EVERY = 40  # requests


@dataclass
class Walked:
    """What a walk came to."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    endpoints: Counter[str] = field(default_factory=Counter)
    differing: list[tuple[Ask, str]] = field(default_factory=list)


def walk(one: Twin, other: Twin, requests: int, seed: int) -> Iterator[Walked]:
    """Ask both the same; what was found so far, after each request."""
    hidden = [id for ids in one.planted.hidden.values() for id in ids]
    hidden += [id for ids in other.planted.hidden.values() for id in ids]
    asking = Asking(one.site.app, random.Random(seed), one.planted.seen, sorted(hidden))
    asking.read(one.ask(Ask("GET", "/api/v1/openapi.json", page=False)).json or {"paths": {}})
    other.ask(Ask("GET", "/api/v1/openapi.json", page=False))
    found = Walked()
    for number in range(requests):
        endpoint, ask = asking.next()
        first, second = one.ask(ask), other.ask(ask)
        asking.learn(endpoint, one.asked, first.data)
        found.requests += 1
        found.statuses[first.status_code] += 1
        found.endpoints[endpoint] += 1
        if told(first) != told(second):
            found.differing.append((ask, difference(told(first), told(second))))
        if number % JOBS_EVERY == JOBS_EVERY - 1:
            one.work()
            other.work()
        yield found


def difference(one: tuple[object, ...], other: tuple[object, ...]) -> str:
    """Where two answers part, with the words around."""
    if one[:2] != other[:2]:
        return f"{one[:2]} / {other[:2]}"
    first, second = bytes(one[2]), bytes(other[2])  # type: ignore[call-overload]
    at = next(
        (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b),
        min(len(first), len(second)),
    )
    return f"{first[max(0, at - 120) : at + 120]!r} / {second[max(0, at - 40) : at + 120]!r}"


def main(requests: int, seed: int, dialect: str) -> int:
    """Walk, and say what it came to."""
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        twins(dialect, Path(folder), (seed * 2 + 1, seed * 2 + 2)) as both,
    ):
        found = Walked()
        for found in walk(*both, requests, seed):
            if found.requests % 2_000 == 0:
                print(f"{found.requests} asked, {len(found.differing)} differ", flush=True)
    for ask, said in found.differing[:20]:
        print(ask, said, sep="\n  ")
    said = ", ".join(f"{status}: {count}" for status, count in sorted(found.statuses.items()))
    took = time.monotonic() - began
    print(
        f"{dialect}: {found.requests} requests of {len(found.endpoints)} kinds ({said}), "
        f"{len(found.differing)} differ, {took:.0f} s"
    )
    return 1 if found.differing or any(status >= 500 for status in found.statuses) else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
