"""The columns of a board are the lists of their values, by an index or without one; on both databases."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from models import documents
from stores import DIALECTS, open_stores, settings_for
from tabwright.runtime.query import ranks
from tabwright.runtime.query.asked import Order, Query, mark_key
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Intent
from world import World, language_functions, make_world

CRM = {
    "account": {"name": "text(40) required sortable"},
    "deal": {
        "name": "text(40) required sortable",
        "stage": "picklist(open,talk,won,lost)",
        "mood": "picklist(fine,bad,odd)",
        "amount": "currency(16,2)",
        "account": "lookup(account)",
    },
}


@pytest.fixture(scope="module", params=DIALECTS)
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_stores(settings_for(request.param, Path(folder)), language_functions) as stores,
    ):
        made = make_world(stores, documents(CRM))
        one, two = (made.records.create("account", {"name": name}).id for name in ("甲", "乙"))
        stages, moods = itertools.cycle(["open", "talk", None, "won"]), itertools.cycle(["fine", None, "bad"])
        made.records.apply(
            "deal",
            [
                Intent("create", values={
                    "name": f"单 {n:02}", "stage": next(stages), "mood": next(moods), "amount": n % 7,
                    "account": (one, two)[n % 2],
                })
                for n in range(60)
            ],
        )  # fmt: skip
        yield made


@pytest.mark.parametrize("by", ["stage", "mood"])
@pytest.mark.parametrize("order", [(), (("name", "desc"),), (("amount", "asc"),)])
@pytest.mark.parametrize("where", ["", 'amount > 2 && account.name = "甲"'])
@pytest.mark.parametrize("many", [None, 0, 1, 2, 9])
def test_each_column_is_the_list_of_its_value(
    world: World, by: str, order: Order, where: str, many: int | None
) -> None:
    """However they are looked for: ``many`` of them are taken for long, None: nobody knows."""
    object = world.call.gate.object("deal")
    assert ranks.is_lane_indexed(object, by) is (by == "stage")
    reads, fields = Reads(world.call), ("name", by, "account.name")
    codes = (None, *(value.code for value in object.fields[by].picklist.values))  # type: ignore[union-attr]
    counts = {} if many is None else {code: 10_000 if n < many else 1 for n, code in enumerate(codes)}
    marks = ('account.name = "乙"', "amount >= 3")
    found = reads.lanes(Query("deal", fields, where, order, 3, marks=marks), by, codes, counts)
    assert list(found) == list(codes)
    for code, page in found.items():
        own = f"ISBLANK({by})" if code is None else f'ISPICKVAL({by}, "{code}")'
        query = Query("deal", (*fields, "amount"), (where, own), order, 3)
        listed = reads.list(query)
        assert [row["name"] for row in page.rows] == [row["name"] for row in listed.rows]
        for mine, theirs in zip(page.rows, listed.rows, strict=True):
            told = mine[mark_key(0)], mine[mark_key(1)]
            assert told == (theirs["account.name"] == "乙", theirs["amount"] >= 3)
        assert (page.next_cursor is None) is (listed.next_cursor is None)
        if page.next_cursor is not None:
            rest = reads.list(Query("deal", fields, (where, own), order, 3, page.next_cursor))
            assert not {row["id"] for row in rest.rows} & {row["id"] for row in page.rows}
