"""A check whose worker died goes on from its last chunk, and says what a check says that nobody disturbed."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

import models
from apisite import ApiSite, make_api
from importing import Importer, counted, csv_of
from stores import DIALECTS
from tabwright.platform.jobs import JOB
from tabwright.runtime.exchange import working
from tabwright.runtime.exchange.correcting import Change
from tabwright.runtime.exchange.passing import Passing

OBJECTS: models.Compact = {
    "account": {"name": "text(40) required unique"},
    "deal": {
        "title": "text(40) required",
        "code": "text(20) unique external_key",
        "label": "text(20) unique",
        "account": "lookup(account)",
        "amount": "decimal(10,2)",
        "above": "lookup(deal)",
    },
}


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS)
        made.admin.post("/objects/account/records", {"name": "Acme"})
        for n in range(6):
            made.admin.post("/objects/deal/records", {"title": f"Old {n}", "code": f"c{n}", "label": f"l{n}"})
        yield made


def dying_checks(one: Importer, id: UUID, monkeypatch: pytest.MonkeyPatch, deaths: int) -> int:
    """Check an import with a worker that dies in every third chunk, so often; how many chunks were passed."""
    passed = itertools.count(1)
    whole = Passing.passed
    last = 0

    def passing(self: Passing, *given: Any, **more: Any) -> Any:
        nonlocal last
        last = next(passed)
        done = whole(self, *given, **more)
        if last % 3 == 0 and last <= 3 * deaths:
            raise KeyboardInterrupt  # as a process that dies: the chunk's transaction is lost
        return done

    with monkeypatch.context() as patch:
        patch.setattr(Passing, "passed", passing)
        one.imports.check(id)
        while one.imports.get(id).state == "checking":
            try:
                one.work()
            except KeyboardInterrupt:
                expire(one)
    return last


def expire(one: Importer) -> None:
    """The dead worker's lease runs out."""
    with one.api.tenant.store.write() as writer:
        now = one.api.site.clock.now()
        writer.execute(sa.update(JOB).where(JOB.c.state == "running").values(lease_until=now))


def told(one: Importer, id: UUID) -> Any:
    """All that a check says."""
    run = one.imports.get(id)
    issues = [(each.column, each.value, each.count, each.row, each.suggestion) for each in run.issues]
    bad = [
        (each.row, [(fault.code, fault.place.field) for fault in each.faults], each.cells)
        for each in one.imports.problems(id, "check", 0, 1000)
    ]
    grid = [(each.number, each.outcome, each.cells) for each in one.imports.grid(id, "corrected")]
    return run.state, counted(run), issues, bad, grid


# Every row that repeats a code or a label of a row long before it is bad, and some for themselves.
ROWS = [
    [
        f"T{n}",
        f"c{n if n % 11 else n // 2}",
        f"l{n if n % 7 else n // 3}",
        "Acme" if n % 5 else "Acm",
        "x" if n % 13 == 4 else "1",
    ]
    for n in range(60)
]
HEAD = ["title", "code", "label", "account", "amount"]
PLAIN = (HEAD, ROWS)
BY_KEY = (
    [each for each in HEAD if each != "label"],
    [[cell for at, cell in enumerate(row) if at != 2] for row in ROWS],
)
TREE = ([*HEAD, "above"], [[*row, f"T{n + 9}" if n % 4 else ""] for n, row in enumerate(ROWS)])


@pytest.mark.parametrize(
    ("table", "patch", "goes_on"),
    [
        (PLAIN, {"mode": "create"}, True),
        (BY_KEY, {"mode": "upsert", "key": "code"}, True),
        (PLAIN, {"mode": "upsert", "key": "code"}, False),
        (PLAIN, {"mode": "create", "columns": {"account": {"field": "account", "missing": "create"}}}, False),
        (TREE, {"mode": "create"}, False),
    ],
    ids=["create", "by key", "values given up", "records made", "named by others"],
)
def test_a_check_that_is_cut_off_says_what_an_undisturbed_one_says(
    site: ApiSite, monkeypatch: pytest.MonkeyPatch, table: Any, patch: Any, goes_on: bool
) -> None:
    monkeypatch.setattr(working, "CHUNK", 5)
    one = Importer(site)
    run = one.start("deal", csv_of(*table), **patch)
    one.check(run.id)
    # Corrections are read by every try, and what became of them is kept with the chunk.
    first = one.imports.grid(run.id, "bad")[0]
    one.imports.correct(run.id, [Change(first.number, {0: "Better", table[0].index("amount"): "7"})])
    whole = one.check(run.id)
    assert whole.counts["failed"] and whole.state == "checked"
    before = told(one, run.id)
    passed = dying_checks(one, run.id, monkeypatch, 100 if goes_on else 1)
    assert told(one, run.id) == before
    if goes_on:
        assert passed <= 12 + 12 // 2, "no more than the chunk in which a worker died is passed again"


def test_a_check_is_begun_anew_by_who_asks_for_one(site: ApiSite, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a check that was stopped had taken is not left out of the next."""
    monkeypatch.setattr(working, "CHUNK", 5)
    one = Importer(site)
    run = one.start("deal", csv_of(*PLAIN), mode="create", key=None)
    passed = itertools.count(1)
    whole = Passing.passed

    def dying(self: Passing, *given: Any, **more: Any) -> Any:
        if next(passed) == 3:
            raise KeyboardInterrupt
        return whole(self, *given, **more)

    one.imports.check(run.id)
    with monkeypatch.context() as patch:
        patch.setattr(Passing, "passed", dying)
        with pytest.raises(KeyboardInterrupt):
            one.work()
    one.imports.cancel(run.id)
    expire(one)
    one.work()
    assert one.imports.get(run.id).state == "mapping"
    again = one.check(run.id)
    assert sum(again.counts[each] for each in ("created", "failed")) == 60
    assert len(one.imports.problems(run.id, "check", 0, 1000)) == again.counts["failed"]
