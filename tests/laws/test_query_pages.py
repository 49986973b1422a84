"""Pages by keyset are the list itself: each record once, in one order, alike everywhere."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cmp_to_key
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import documents
from stores import DIALECTS, open_stores, settings_for
from tabwright.runtime.query.asked import Order, Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.sort_keys import sort_key
from world import World, make_world

OBJECTS = {
    "thing": {
        "name": "text",
        "size": "decimal(8,2)",
        "day": "date",
        "done": "boolean",
        "parent": "lookup(thing)",
    }
}
NAMES = [None, "a", "A", "é", "e", "张三", "李四", "阿里", "z", "zz"]
ROWS: list[dict[str, Any]] = [
    {
        "name": NAMES[n % len(NAMES)],
        "size": [None, Decimal("1.10"), Decimal("-3"), Decimal("1.1")][n % 4],
        "day": [None, date(2026, 1, 1), date(2025, 1, 1)][n % 3],
        "done": [None, True, False][n % 3 if n % 5 else 0],
    }
    for n in range(37)
]
FIELDS = ("name", "size", "day", "done", "parent", "id", "created_at")


@pytest.fixture(scope="module", params=DIALECTS)
def things(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_stores(settings_for(request.param, tmp_path_factory.mktemp("law"))) as stores:
        world = make_world(stores, documents(OBJECTS))
        ids = [
            row.id
            for row in world.records.apply("thing", [Intent("create", values=row) for row in ROWS]).rows
        ]
        parents = [
            Intent("update", id, {"parent": ids[n // 3]})
            for n, id in enumerate(ids)
            if id is not None and n % 4
        ]
        world.records.apply("thing", parents)
        yield world


def key_of(row: dict[str, Any], field: str) -> Any:
    value = row["parent.name"] if field == "parent" else row[field]
    return sort_key(value) if isinstance(value, str) else value


def in_order(rows: list[dict[str, Any]], order: Order) -> list[dict[str, Any]]:
    """The order in Python: blanks last, ties by id in the direction of the first field."""

    def compare(one: dict[str, Any], other: dict[str, Any]) -> int:
        for field, direction in (*order, ("id", order[0][1] if order else "asc")):
            a, b = key_of(one, field), key_of(other, field)
            if a == b:
                continue
            if a is None or b is None:
                return 1 if a is None else -1
            return (1 if a > b else -1) * (-1 if direction == "desc" else 1)
        return 0

    return sorted(rows, key=cmp_to_key(compare))


orders = st.lists(
    st.tuples(st.sampled_from(FIELDS), st.sampled_from(("asc", "desc"))),
    max_size=3,
    unique_by=lambda each: each[0],
).map(tuple)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=orders, limit=st.integers(1, 40))
def test_pages_are_the_list(things: World, order: Order, limit: int) -> None:
    reads = Reads(things.call)
    query = Query("thing", (*FIELDS, "parent.name"), order=order, limit=limit)
    seen: list[dict[str, Any]] = []
    for _ in range(len(ROWS) + 1):
        page = reads.list(query)
        seen += page.rows
        assert len(page) <= limit
        if page.next_cursor is None:
            break
        query = replace(query, cursor=page.next_cursor)
    assert len(seen) == len(ROWS)
    assert [row["id"] for row in seen] == [row["id"] for row in in_order(seen, order)]
