"""Publishing anything and restoring what was before gives the same documents, model, columns and records."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from publishers import ADMIN, Publisher, a_field, open_publisher, text, thing
from stores import DIALECTS, open_stores, settings_for
from tabwright.metadata.drafts import Change, Delete, Put, Rename
from tabwright.platform.errors import TabwrightError
from tabwright.runtime.publishing.engine import PURGE
from tabwright.runtime.storage.tables import physical

STAGES = {"values": [{"code": "a", "label": {"en": "A"}}, {"code": "1", "label": {"en": "One"}}]}
TYPES: tuple[dict[str, Any], ...] = (
    {"type": "text"},
    {"type": "text", "sortable": True, "searchable": True},
    {"type": "text", "unique": "ignore_case"},
    {"type": "long_text"},
    {"type": "integer"},
    {"type": "decimal", "options": {"precision": 9, "scale": 3}},
    {"type": "boolean"},
    {"type": "date"},
    {"type": "picklist", "options": STAGES},
)
ROWS = (
    {"name": "one", "size": "1", "count": 1},
    {"name": "two", "size": "2026-01-31", "count": 0},
    {"name": "three", "size": "ünï 中", "count": 12345},
    {"name": "four"},
)
kinds = st.sampled_from(TYPES)
changes = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(("size", "count", "new", "new2")), kinds),
    st.tuples(st.just("delete"), st.sampled_from(("size", "count", "new")), st.none()),
    st.tuples(st.just("rename"), st.sampled_from(("size", "count")), st.sampled_from(("width", "more"))),
    st.tuples(st.just("drop object"), st.just("other"), st.none()),
    st.tuples(st.just("make object"), st.sampled_from(("third", "fourth")), st.none()),
)


@pytest.fixture(scope="module", params=DIALECTS)
def place(request: pytest.FixtureRequest) -> Iterator[Publisher]:
    with tempfile.TemporaryDirectory() as folder:
        with open_stores(settings_for(request.param, Path(folder))) as stores:
            with open_publisher(stores) as publisher:
                publisher.publish(*thing(text("size"), a_field("count", "integer")), *thing(name="other"))
                for row in ROWS:
                    publisher.records.create("thing", row)
                publisher.records.create("other", {"name": "kept"})
                yield publisher


def _changes(made: tuple[str, str, Any]) -> list[Change]:
    action, name, what = made
    match action:
        case "put":
            return [Put({"kind": "field", "name": f"thing.{name}", "label": {"en": name}, **what})]
        case "delete":
            return [Delete("field", f"thing.{name}")]
        case "rename":
            return [Rename("field", f"thing.{name}", f"thing.{what}")]
        case "drop object":
            return [Delete("object", name)]
        case _:
            return [Put(each) for each in thing(name=name)]


def _meaning(publisher: Publisher) -> tuple[Any, ...]:
    """Documents, model, columns in use and every value, whatever their numbers and order of making."""
    model = publisher.model
    with publisher.store.read() as reader:
        tree = publisher.publishing.releases.tree(reader, model.release)
    documents = hashlib.sha256(b"".join(each.data for each in tree)).hexdigest()
    columns, values = {}, {}
    for object in model.objects.values():
        table = publisher.table(object.name)
        columns[object.name] = {
            name: (entry.shape, entry.side, entry.sort if name == object.name_field else None)
            for name, entry in table.entries.items()
        }
        values[object.name] = publisher.values(object.name, *(each.name for each in object.own_fields))
    digests = {each.name: each.digest for each in model.objects.values()}
    numbers = {publisher.table(name).number for name in model.objects}
    live = [e for e in publisher.physical().entries if e.kind == "index" and e.state == "live"]
    indexes = sorted((e.uid, e.storage["spec"]["unique"]) for e in live if e.object_n in numbers)
    return documents, model.digest, digests, columns, values, indexes


def _let_30_days_pass(publisher: Publisher) -> None:
    """So that what earlier examples dropped does not fill the tables."""
    with publisher.store.write() as writer:
        dropped = sa.update(physical).where(physical.c.dropped_at.is_not(None))
        writer.execute(dropped.values(dropped_at=publisher.clock.now() - timedelta(days=31)))
        publisher.tenant.jobs.add(writer, PURGE, {})
    publisher.run_jobs()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.lists(changes, min_size=1, max_size=3), min_size=1, max_size=3))
def test_restore_brings_everything_back(place: Publisher, steps: list[list[tuple[str, str, Any]]]) -> None:
    _let_30_days_pass(place)
    before, start = _meaning(place), place.model.release
    for step in steps:
        for made in step:
            try:
                place.draft(*_changes(made))
            except TabwrightError:
                continue  # refused for good reasons: a name taken, a use in the way
        try:
            place.publish()
        except TabwrightError:
            with place.store.write() as writer:
                place.publishing.drafts.discard(writer, ADMIN.user_id)
    if place.model.release == start:
        return
    try:
        place.publishing.restore(ADMIN, start)
    except TabwrightError as error:
        assert error.code == "publish.nothing"  # the steps came back to the start by themselves
    assert _meaning(place) == before
