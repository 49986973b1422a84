"""R8: whatever names a thing of one tenant is to the other the name of nothing.

Every route is sent with every identifier of tenant A (paths, bodies, headers, queries, cursors) by the
administrator of tenant B, and with identifiers that exist nowhere; the answers must be the same to the byte.
The long run: ``python tests/rel/test_promise_tenants.py --requests 50000 [--backend postgresql]``.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from channels import NAMES, SAMPLES, SKIPPED, Shot, arguments, bare, nowhere, routes, seen, shots
from halves import Half, make_twins
from pagesite import HTML, PASSWORD
from snapshots import changed, snapshot
from stores import DIALECTS


@dataclass
class Tally:
    """What a run found."""

    requests: int = 0
    noisy: Counter[str] = field(default_factory=Counter)  # routes that answer differently each time
    wrong: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)


def replay(a: Half, b: Half, tally: Tally, *, everywhere: bool) -> None:
    """Every route once with each of A's identifiers in B's hands; ``everywhere``: also under names that the
    route may not know.
    """
    for shot in shots(b.pages.app):
        if shot.in_path:
            _compare(a, b, bare(shot) if shot.sample.form or shot.sample.json else shot, "path", tally)
        if shot.in_path and shot.in_body:
            _compare(a, b, shot, "path", tally)
        if shot.in_body:
            _compare(a, b, shot, "body", tally)
        if everywhere and shot.sample.route not in SKIPPED:
            _compare(a, b, bare(shot), "more", tally)


def _compare(a: Half, b: Half, shot: Shot, where: str, tally: Tally) -> None:
    """A request that names nothing, and the same with A's. Where they differ the first is sent again: what it
    then answers differently as well is noise (a toast of the write before, a thing that is deleted by now).
    """

    def answer(ids: Mapping[str, str]) -> tuple[Any, ...]:
        more = {name: ids[kind] for name, kind in NAMES.items()} if where == "more" else None
        in_path, in_body = (ids if where == "path" else b.ids), (ids if where == "body" else b.ids)
        found = shot.send(b.admin, b.api, in_path, in_body, more)
        tally.requests += 1
        if a.canary.lower() in found.get_data(as_text=True).lower():
            tally.wrong.append(f"{shot.sample.route} [{where}] shows {a.canary}")
        told: tuple[Any, ...] = seen(found, *ids.values(), *b.ids.values())
        if "release" in (*shot.in_path, *shot.in_body):  # a number that the answer quotes
            told = (told[0], told[1], *(re.sub(r"\d+", "…", each) for each in told[2:]))
        return told

    first, swapped = answer(nowhere(b.ids)), answer(_foreign(a, b))
    tally.statuses[swapped[0]] += 1
    if where == "path" and swapped[0] < 400 and not shot.sample.free:
        tally.wrong.append(f"{shot.sample.route} [path] answers {swapped[0]}")
    if swapped == first:
        return
    last = answer(nowhere(b.ids))
    if first != last:
        tally.noisy[f"{shot.sample.route} [{where}] {_difference(first, last)}"] += 1
        if swapped[0] in (first[0], last[0]):
            return
    if swapped != last:
        sent = shot.sample.form or shot.sample.json or ""
        tally.wrong.append(f"{shot.sample.route} [{where}] {sent}: {_difference(first, swapped)}")


def _foreign(a: Half, b: Half) -> dict[str, str]:
    """A's identifiers. Releases are numbered from 1 in each tenant, so only those that B has not reached."""
    known = int(a.ids["release"]) > int(b.ids["release"])
    return a.ids if known else {**a.ids, "release": nowhere(b.ids)["release"]}


def _difference(first: Any, second: Any) -> str:
    if first[:3] != second[:3]:
        return f"{first[:3]} or {second[:3]}"
    at = next((n for n, (x, y) in enumerate(zip(first[3], second[3], strict=False)) if x != y), 0)
    return f"{first[3][max(0, at - 60) : at + 80]!r} or {second[3][max(0, at - 60) : at + 80]!r}"


@pytest.fixture(scope="module", params=DIALECTS)
def twins(request: pytest.FixtureRequest) -> Iterator[tuple[Half, Half]]:
    with tempfile.TemporaryDirectory() as folder, make_twins(request.param, Path(folder)) as made:
        yield made


def test_what_names_a_thing_of_one_tenant_names_nothing_in_the_other(twins: tuple[Half, Half]) -> None:
    a, b = twins
    before, tally = snapshot(a.tenant.store), Tally()
    replay(a, b, tally, everywhere=False)
    assert tally.wrong == []
    assert changed(before, snapshot(a.tenant.store)) == [], "nothing of A's was written"
    assert tally.requests > 350 and len(tally.noisy) < 30, tally.noisy


def test_the_same_requests_with_ones_own_identifiers_find_something(twins: tuple[Half, Half]) -> None:
    """Or the test above would compare answers of requests that mean nothing."""
    _, b = twins
    b.ids = b.make()
    void = nowhere(b.ids)
    for shot in sorted(shots(b.pages.app), key=lambda each: each.sample.method != "GET"):
        names = (shot.sample.route, dict(shot.sample.query), shot.sample.form or shot.sample.json)
        if shot.in_path:
            status = shot.send(b.admin, b.api, void, b.ids).status_code
            bodiless = status in (400, 415) and shot.sample not in SAMPLES  # it deserves a sample of its own
            assert status == 404 or shot.sample.free or bodiless, (*names, status)
        if not shot.in_body or shot.sample.free:
            continue
        nothing = shot.send(b.admin, b.api, b.ids, void)
        if shot.sample.method == "GET":
            own = shot.send(b.admin, b.api, b.ids, b.ids)
            assert own.status_code < 400, (*names, own.status_code)
            assert seen(own, *b.ids.values()) != seen(nothing, *void.values()), names
        else:
            assert nothing.status_code in (404, 409, 412, 422), (*names, nothing.status_code)


def test_every_route_is_sent(twins: tuple[Half, Half]) -> None:
    """A new route with an argument that no row of the table knows fails here until it has one."""
    app = twins[0].pages.app
    sent = {each.sample.route for each in shots(app)} | SKIPPED
    assert {route for route, _ in routes(app)} <= sent
    for _, rule in routes(app):
        arguments(rule)


def test_a_tenant_that_is_not_ones_own_is_one_that_is_not_there(twins: tuple[Half, Half]) -> None:
    a, b = twins
    answers = []
    for slug in (a.location.slug, "nowhere"):
        stranger = b.pages.stranger()
        stranger.client.set_cookie("tw_tenant", slug)
        stranger.get("/sign-in")
        given = {"address": f"colleague-{b.canary}@example.com", "password": PASSWORD, "tenant": slug}
        answer = stranger.post("/sign-in", given)
        answers.append(seen(answer, slug))
    assert answers[0] == answers[1]
    # A session of one tenant does not open the other, whatever the cookie beside it says.
    b.admin.client.set_cookie("tw_tenant", a.location.slug)
    assert a.canary not in b.admin.client.get("/o/deal", headers=HTML).text


def test_a_key_that_the_other_tenant_has_used_is_new(twins: tuple[Half, Half]) -> None:
    a, b = twins
    made = [
        half.api.post("/objects/account/records", {"name": half.canary}, {"Idempotency-Key": "the-same-key"})
        for half in (a, b)
    ]
    assert [each.status_code for each in made] == [201, 201]
    assert [each.json["name"] for each in made] == [a.canary, b.canary]


def run(backend: str, wanted: int, minutes: float) -> Mapping[str, Any]:
    """The long run: everything of A is made anew for each round. It ends in time too."""
    tally, end = Tally(), time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory() as folder, make_twins(backend, Path(folder)) as (a, b):
        while tally.requests < wanted and time.monotonic() < end:
            before = snapshot(a.tenant.store)
            replay(a, b, tally, everywhere=True)
            if wrong := changed(before, snapshot(a.tenant.store)):
                tally.wrong.append(f"written in A: {wrong}")
            if tally.wrong:
                break
            a.ids = a.make()
            a, b = b, a
    return {
        "backend": backend, "requests": tally.requests, "wrong": tally.wrong,
        "statuses": dict(tally.statuses), "noisy": len(tally.noisy),
    }  # fmt: skip


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=50_000)
    parser.add_argument("--backend", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--minutes", type=float, default=600, help="no new round after these")
    given = parser.parse_args()
    found = run(given.backend, given.requests, given.minutes)
    print(found)
    raise SystemExit(bool(found["wrong"]))
