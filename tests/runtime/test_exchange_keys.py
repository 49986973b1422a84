"""Rows that name their records by several fields, on both databases."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from apisite import ApiSite, make_api
from importing import Importer, counted, csv_of
from stores import DIALECTS
from tabwright.platform.database import Writer
from tabwright.platform.errors import Invalid
from tabwright.runtime.exchange import working
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records

OBJECTS: models.Compact = {
    "shop": {"name": "text(40) required", "code": "text(10) unique"},
    "price": {
        "name": "text(40)",
        "shop": "lookup(shop)",
        "sku": "text(20)",
        "day": "date",
        "amount": "decimal(10,2)",
    },
}
RULE = {
    "kind": "unique_rule",
    "name": "price.one_a_day",
    "fields": ["shop", "sku", "day"],
    "label": {"en": "One price a day"},
}
KEY = ["shop", "sku", "day"]
HEADER = ["day", "shop", "sku", "amount"]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [RULE])
        yield made


_count = itertools.count(1)


@pytest.fixture
def one(site: ApiSite) -> Importer:
    """An administrator in a tenant with two shops and no prices."""
    importer = Importer(site, site.person(f"keeper{next(_count)}", "administrator"))
    records = Records(site.call)
    for object in ("price", "shop"):
        records.apply(object, [Intent("delete", id) for (id,) in importer.rows(object, "id")])
    for name in ("North", "South"):
        records.create("shop", {"name": name, "code": name[0].lower(), "owner": importer.person.id})
    return importer


def prices(one: Importer) -> dict[tuple[str, str, str], str]:
    rows = one.rows("price", "shop.name", "sku", "day", "amount")
    found = {(str(shop), str(sku), str(day)): str(amount) for shop, sku, day, amount in rows}
    assert len(found) == len(rows), "two records under one key"
    return found


def faults(one: Importer, id: Any, phase: str = "check") -> list[tuple[int, str]]:
    return [(each.row, each.faults[0].code) for each in one.imports.problems(id, phase, limit=1000)]


def test_rows_name_their_record_by_the_fields_of_a_unique_rule(one: Importer) -> None:
    first = one.start("price", csv_of(HEADER, [["2026-01-02", "North", "A", "1"], ["", "South", "A", "2"]]))
    assert counted(one.run(first.id)) == {"created": 2}
    rows = [
        ["2026/1/2", "North", "A", "5"],  # another way to write the day
        ["2026-01-02", "North", "a", "6"],  # another article: the rule tells case apart
        ["2026-01-02", "South", "A", "7"],
        ["20260102", "North", "A", "8"],  # the record of the first row again
        ["2026-01-03", "", "A", "9"],
        ["2026-01-03", "North", "", "9"],
        ["", "South", "A", "9"],
        ["2026-01-03", "Nowhere", "A", "9"],
        ["soon", "North", "A", "9"],
    ]
    run = one.start("price", csv_of(HEADER, rows), mode="upsert", key=KEY)
    checked = one.check(run.id)
    assert counted(checked) == {"created": 2, "updated": 1, "failed": 6}
    assert faults(one, run.id) == [
        (5, "import.key_twice"), (6, "import.key_blank"), (7, "import.key_blank"), (8, "import.key_blank"),
        (9, "import.unknown_record"), (10, "value.not_date"),
    ]  # fmt: skip
    done = one.run(run.id)
    assert counted(done) == counted(checked)
    assert faults(one, run.id, "run") == faults(one, run.id)
    assert prices(one) == {
        ("North", "A", "2026-01-02"): "5.00",
        ("North", "a", "2026-01-02"): "6.00",
        ("South", "A", "2026-01-02"): "7.00",
        ("South", "A", "None"): "2.00",
    }
    again = one.start("price", csv_of(HEADER, rows[:3]), mode="update", key=KEY)
    assert counted(one.check(again.id)) == {"unchanged": 3}
    assert one.undo(run.id).state == "undone"
    assert prices(one) == {("North", "A", "2026-01-02"): "1.00", ("South", "A", "None"): "2.00"}


def test_an_update_refuses_a_key_that_no_record_has(one: Importer) -> None:
    run = one.start("price", csv_of(HEADER, [["2026-01-02", "North", "Z", "1"]]), mode="update", key=KEY)
    one.check(run.id)
    [problem] = one.imports.problems(run.id, "check")
    assert [each.code for each in problem.faults] == ["import.no_such_key"]
    assert problem.faults[0].params["value"] == "North / Z / 2026-01-02"


def test_a_key_is_one_field_that_names_a_record_or_all_fields_of_a_rule(one: Importer) -> None:
    run = one.start("price", csv_of(HEADER, [["2026-01-02", "North", "A", "1"]]))
    for key, code in (
        (["shop", "sku"], "import.not_a_key"),
        ("sku", "import.not_a_key"),
        ([*KEY, "amount"], "import.not_a_key"),
        ([*KEY, "name"], "import.key_not_mapped"),
        ([], "import.no_key"),
        ([1], "import.bad_setting"),
        ({"a": 1}, "import.bad_setting"),
    ):
        with pytest.raises(Invalid) as caught:
            one.imports.change(run.id, {"mode": "upsert", "key": key})
        assert (caught.value.code, caught.value.faults[0].place.pointer) == (code, "/key"), key
    kept = one.imports.change(run.id, {"mode": "upsert", "key": ["day", "sku", "shop"]})
    assert kept.settings.to_json()["key"] == ["day", "sku", "shop"]  # in any order
    assert counted(one.check(run.id)) == {"created": 1}


def test_a_chunk_finds_its_keys_with_one_statement(one: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    table = one.api.call.tables.of(one.api.call.model.objects["price"]).main.name

    def statements(rows: int) -> int:
        text = csv_of(HEADER, [["2026-01-02", "North", f"s{n}", "1"] for n in range(rows)])
        run = one.start("price", text, mode="upsert", key=KEY)
        count = 0
        real = Writer.rows

        def rows_of(writer: Writer, statement: Any, params: Any = {}) -> Any:  # noqa: B006
            nonlocal count
            count += table in statement.text  # a worker's heartbeat comes when it comes
            return real(writer, statement, params)

        with monkeypatch.context() as patch:
            patch.setattr(Writer, "rows", rows_of)
            one.imports.check(run.id)
            one.work()
        assert one.imports.get(run.id).counts["created"] == rows
        return count

    statements(2)  # what is compiled once
    assert statements(2) == statements(500) > 1


def test_the_counts_of_a_check_are_the_runs(one: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "CHUNK", 4)
    for seed in range(3):
        random_ = random.Random(seed)
        rows = [
            [
                random_.choice(["2026-01-01", "2026/1/1", "2026-01-02", ""]),
                random_.choice(["North", "South", "New", ""]),
                random_.choice(["A", "a", "B"]),
                random_.choice(["1", "2", "x"]),
            ]
            for _ in range(40)
        ]
        run = one.start("price", csv_of(HEADER, rows), mode="upsert", key=KEY)
        one.imports.change(run.id, {"columns": {"shop": {"missing": "create"}}})
        checked = one.check(run.id)
        done = one.run(run.id)
        assert counted(done) == counted(checked)
        assert counted(done)["failed"] and counted(done)["created"]
        assert faults(one, run.id, "run") == faults(one, run.id)
        prices(one)
        one.undo(run.id)
        assert prices(one) == {}


def test_a_key_of_several_fields_over_the_api(one: Importer) -> None:
    run = one.start("price", csv_of(HEADER, [["2026-01-02", "North", "A", "1"]]))
    patched = one.person.patch(f"/imports/{run.id.hex}", {"mode": "upsert", "key": KEY})
    assert patched.status_code == 200, patched.text
    assert patched.json["settings"]["key"] == KEY
    one.imports.change(run.id, {"mode": "create", "key": None})
    assert one.person.get(f"/imports/{run.id.hex}").json["settings"]["key"] is None
