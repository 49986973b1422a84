"""Stored formulas through publishing: filled by a job, made anew each day, put aside and taken back."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from publishers import ADMIN, Publisher, a_field, open_publisher, thing
from stores import DIALECTS, open_stores, settings_for
from tabwright.platform.clock import FixedClock
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.storage import changes
from world import language_functions

# 23:30 in Shanghai.
START = datetime(2030, 5, 9, 15, 30, tzinfo=UTC)


@pytest.fixture(params=DIALECTS)
def clock(request: pytest.FixtureRequest) -> FixedClock:
    return FixedClock(START, step=timedelta(microseconds=10))


@pytest.fixture
def publisher(request: pytest.FixtureRequest, clock: FixedClock) -> Iterator[Publisher]:
    dialect = request.node.callspec.params["clock"]
    with tempfile.TemporaryDirectory() as folder:
        with open_stores(settings_for(dialect, Path(folder)), language_functions) as stores:
            with open_publisher(stores, clock) as made:
                yield made


def formula(name: str, returns: str, text: str) -> dict[str, object]:
    return a_field(name, "formula", options={"returns": returns, "formula": text, "stored": True})


def test_a_large_fill_is_a_job_and_the_value_is_right_meanwhile(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "DATA_ROWS", 1)
    publisher.publish(*thing(a_field("size", "integer")))
    for size in (1, 2, 3):
        publisher.records.create("thing", {"name": f"t{size}", "size": size})
    done = publisher.publish(formula("double", "integer", "size * 2"))
    assert publisher.values("thing", "double") == [(None,), (None,), (None,)]

    def read(where: str) -> list[Decimal]:
        asked = Query("thing", ("double",), where, order=(("double", "desc"),))
        return [row["double"] for row in Reads(publisher.call).list(asked).rows]

    assert read("double > 2") == [6, 4], "worked out while the column is empty"
    with publisher.store.read() as reader:
        building = publisher.publishing.releases.get(reader, done.release).building
    assert [each["step"] for each in building["steps"]] == ["formula thing.double"]
    publisher.run_jobs()
    assert publisher.values("thing", "double") == [(2,), (4,), (6,)] and read("double > 2") == [6, 4]
    assert all(not entry.is_filling for entry in publisher.physical().entries)


def test_what_hangs_on_the_day_is_made_anew_when_it_begins(publisher: Publisher, clock: FixedClock) -> None:
    publisher.publish(*thing(a_field("due", "date"), formula("left", "integer", "due - TODAY()")))
    made = publisher.records.create("thing", {"name": "a", "due": date(2030, 5, 20)})
    assert publisher.values("thing", "left", "revision") == [(11, 1)], (
        "the day in the zone of the installation"
    )
    publisher.run_jobs()
    assert publisher.values("thing", "left") == [(11,)]
    for days in (10, 9):
        clock.advance(timedelta(hours=24 if days == 9 else 1))
        publisher.run_jobs()
        assert publisher.values("thing", "left", "revision") == [(days, 1)]
    assert made.revision == 1


def test_a_field_that_becomes_a_formula_keeps_what_people_wrote(publisher: Publisher) -> None:
    publisher.publish(*thing(a_field("size", "integer")))
    publisher.records.create("thing", {"name": "abc", "size": 7})
    uid = publisher.model.objects["thing"].fields["size"].uid
    publisher.publish({**formula("size", "integer", "LEN(name)"), "uid": uid})
    assert publisher.values("thing", "size") == [(3,)]
    publisher.publish({**formula("size", "integer", "LEN(name) + 1"), "uid": uid})
    assert publisher.values("thing", "size") == [(4,)]
    restored = publisher.publishing.restore(ADMIN, 2)
    assert restored.release == 5 and publisher.values("thing", "size") == [(7,)]
