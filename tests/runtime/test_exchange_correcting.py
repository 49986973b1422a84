"""Bad rows put right before the start, on both databases: they stay so, and what was said of them is done."""

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
from tabwright.platform.errors import Conflict, Invalid, NotFound
from tabwright.runtime.exchange import correcting, working
from tabwright.runtime.exchange.correcting import Change
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records

OBJECTS: models.Compact = {
    "account": {"name": "text(40) required unique"},
    "deal": {
        "title": "text(40) required",
        "code": "text(20) unique external_key",
        "account": "lookup(account)",
        "amount": "decimal(10,2)",
        "stage": "picklist(open,won)",
        "above": "lookup(deal)",
    },
}
HEAD = ["title", "code", "account", "amount", "stage"]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS)
        yield made


_count = itertools.count(1)


@pytest.fixture
def one(site: ApiSite) -> Importer:
    """Somebody who imports into a tenant with one account and no deals."""
    importer = Importer(site, site.person(f"corrector{next(_count)}", "administrator"))
    for object in ("deal", "account"):
        gone = [Intent("delete", id) for (id,) in importer.rows(object, "id")]
        Records(site.call).apply(object, gone)
    Records(site.call).create("account", {"name": "Acme", "owner": importer.person.id})
    return importer


def checked(one: Importer, rows: list[list[str]], head: list[str] = HEAD, **patch: Any) -> Run:
    run = one.start("deal", csv_of(head, rows), **patch)
    found = one.check(run.id)
    assert found.state == "checked"
    return found


def bad(one: Importer, run: Run, kind: str = "bad") -> list[int]:
    return [each.number for each in one.imports.grid(run.id, kind)]


def test_a_corrected_row_is_checked_at_once_and_goes_in(one: Importer) -> None:
    run = checked(
        one, [["A", "1", "Acme", "5", "won"], ["B", "2", "Acm", "x", "open"], ["C", "3", "", "7", "Won"]]
    )
    assert bad(one, run) == [3]
    still = one.imports.correct(run.id, [Change(3, {2: "Acme"})])
    assert (still.state, bad(one, run), counted(still)["failed"]) == ("checked", [3], 1)
    (row,) = one.imports.grid(run.id, "bad")
    assert (row.cells[2], row.file[2]) == ("Acme", "Acm")
    assert {each.place.field for each in row.faults} == {"amount"}
    done = one.imports.correct(run.id, [Change(3, {3: "6"})])
    assert counted(done) == {"created": 3} and done.checked is not None and done.checked["since"] == 2
    assert done.issues == () and bad(one, run) == [] and bad(one, run, "corrected") == [3]
    assert one.rows("deal", "title") == []  # nothing was written
    again = one.check(run.id)
    assert counted(again) == {"created": 3} and again.checked is not None and "since" not in again.checked
    assert counted(one.run(run.id)) == {"created": 3}
    assert ("B", "Acme", "6.00") in [
        (title, account, str(amount))
        for title, account, amount in one.rows("deal", "title", "account.name", "amount")
    ]


def test_a_row_is_skipped_on_purpose_and_taken_back(one: Importer) -> None:
    run = checked(one, [["A", "1", "", "5", "won"], ["B", "2", "Acm", "x", ""], ["C", "3", "No", "7", ""]])
    skipped = one.imports.correct(run.id, [Change(3, skip=True), Change(4, skip=True)])
    assert counted(skipped) == {"created": 1, "skipped": 2}
    assert (bad(one, run), bad(one, run, "skipped")) == ([], [3, 4])
    taken = one.imports.correct(run.id, [Change(4, {2: "Acme"}, skip=False)])
    assert counted(taken) == {"created": 2, "skipped": 1}
    assert counted(one.check(run.id)) == {"created": 2, "skipped": 1}
    done = one.run(run.id)
    assert counted(done) == {"created": 2, "skipped": 1}
    assert one.imports.problems(run.id) == []  # left out on purpose is no failure
    assert sorted(one.rows("deal", "title")) == [("A",), ("C",)]


def test_a_correction_is_taken_back(one: Importer) -> None:
    run = checked(one, [["A", "1", "", "x", ""], ["B", "2", "", "5", ""]])
    before = [(each.column, each.value, each.count) for each in run.issues]
    one.imports.correct(run.id, [Change(2, {3: "5", 0: "AA"})])
    back = one.imports.correct(run.id, [Change(2, restore=True)])
    assert [(each.column, each.value, each.count) for each in back.issues] == before
    assert counted(back) == {"created": 1, "failed": 1} and bad(one, run, "corrected") == []
    # To type what the file says is to take it back as well.
    one.imports.correct(run.id, [Change(2, {3: "5"})])
    one.imports.correct(run.id, [Change(2, {3: "x"})])
    assert bad(one, run) == [2] and bad(one, run, "corrected") == []


def test_the_same_for_all_rows_that_say_it(one: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [[f"T{n}", str(n), "Acm" if n % 2 else "Acme", "1", ""] for n in range(8)]
    run = checked(one, rows)
    assert counted(run) == {"created": 4, "failed": 4}
    monkeypatch.setattr(correcting, "AT_ONCE", 3)
    checking = one.imports.replace_everywhere(run.id, 2, "Acm", "Acme")
    assert checking.state == "checking"  # too many for somebody who waits: a check begins by itself
    one.work()
    found = one.imports.get(run.id)
    assert (found.state, counted(found)) == ("checked", {"created": 8})
    assert [each.outcome for each in one.imports.grid(run.id, "corrected")] == ["created"] * 4
    monkeypatch.undo()
    back = one.imports.correct(run.id, [Change(each, restore=True) for each in bad(one, run, "corrected")])
    assert counted(back) == {"created": 4, "failed": 4}


def test_only_bad_rows_are_corrected_and_only_when_checked_by_who_runs_it(
    one: Importer, site: ApiSite
) -> None:
    run = checked(one, [["A", "1", "", "5", ""], ["B", "2", "", "x", ""]])
    for change in (Change(2, {3: "1"}), Change(99, skip=True)):
        with pytest.raises(Invalid) as refused:
            one.imports.correct(run.id, [change])
        assert refused.value.faults[0].code == "import.row_not_bad"
    with pytest.raises(Invalid):
        one.imports.correct(run.id, [Change(3, {17: "1"})])
    with pytest.raises(Conflict):
        Importer(site, site.admin).imports.correct(run.id, [Change(3, {3: "1"})])
    low = Importer(site, site.person(f"low{next(_count)}"))
    with pytest.raises(NotFound):
        low.imports.correct(run.id, [Change(3, {3: "1"})])
    one.imports.correct(run.id, [Change(3, {3: "1"})])
    one.run(run.id)
    with pytest.raises(Conflict):
        one.imports.correct(run.id, [Change(3, {3: "2"})])


def test_corrections_stay_when_columns_are_chosen_anew_and_go_with_another_format(one: Importer) -> None:
    run = checked(one, [["A", "1", "", "x", ""], ["B", "2", "", "5", ""]])
    one.imports.correct(run.id, [Change(2, {3: "5"})])
    one.imports.change(run.id, {"columns": {"code": None}})
    assert counted(one.check(run.id)) == {"created": 2}
    one.imports.change_format(run.id, {"delimiter": ";"})
    one.imports.change_format(run.id, {"delimiter": ","})
    assert (
        dict(one.imports.grid_counts(run.id)) == {"bad": 0, "corrected": 0, "skipped": 0}
        or bad(one, run, "corrected") == []
    )
    assert counted(one.check(run.id)) == {"created": 1, "failed": 1}


def test_rows_of_a_value_are_skipped_and_a_record_is_made_of_one(one: Importer) -> None:
    rows = [["A", "1", "New", "1", "open"], ["B", "2", "Other", "1", "lost"], ["C", "3", "New", "1", "lost"]]
    run = checked(one, rows)
    assert counted(run) == {"failed": 3}
    one.imports.change(run.id, {"columns": {"stage": {"skip": ["lost"]}, "account": {"make": ["New"]}}})
    again = one.check(run.id)
    assert counted(again) == {"created": 1, "skipped": 2, "made": 1}
    assert counted(one.run(run.id)) == {"created": 1, "skipped": 2, "made": 1}
    assert one.rows("deal", "title", "account.name") == [("A", "New")]
    # What was skipped and made is of that file alone.
    later = one.start("deal", csv_of(HEAD, rows))
    assert later.settings.columns["stage"].why == "before"
    assert (later.settings.columns["stage"].skip, later.settings.columns["account"].make) == ((), ())


def test_a_file_of_failed_rows_comes_back_with_mode_and_key(one: Importer) -> None:
    Records(one.api.call).create("deal", {"title": "old", "code": "1", "owner": one.person.id})
    run = one.start(
        "deal", csv_of(HEAD, [["A", "1", "", "5", ""], ["B", "2", "", "x", ""]]), mode="upsert", key="code"
    )
    assert counted(one.run(run.id)) == {"updated": 1, "failed": 1}
    result = b"".join(one.imports.result(run.id)).replace(b"x", b"6")
    back = one.start("deal", result)
    assert (back.settings.mode, back.settings.key) == ("upsert", ("code",))
    assert counted(one.run(back.id)) == {"created": 1}


def test_a_row_that_names_another_of_the_file_is_told_by_the_next_check(one: Importer) -> None:
    run = checked(one, [["A", "1", "x"], ["B", "2", ""], ["C", "3", "1"]], ["title", "code", "above"],
                  columns={"above": {"match": "code"}})  # fmt: skip
    assert bad(one, run) == [2, 4]
    assert counted(one.imports.correct(run.id, [Change(2, {2: "2"})])) == {"created": 2, "failed": 1}
    assert counted(one.check(run.id)) == {"created": 3}
    assert counted(one.run(run.id)) == {"created": 3}
    assert dict(one.rows("deal", "title", "above.title")) == {"A": "B", "B": None, "C": "A"}


@pytest.mark.parametrize("seed", range(3))
def test_what_is_counted_row_by_row_is_what_a_whole_check_counts(
    one: Importer, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Rows that do not concern each other: any corrections in any order leave the counts of a new check, and
    the run does what the check said.
    """
    monkeypatch.setattr(working, "CHUNK", 4)
    random_ = random.Random(seed)
    rows = [
        [f"T{n}", f"c{n}", random_.choice(["Acme", "No", ""]), random_.choice(["1", "x", ""]),
         random_.choice(["open", "wonn", ""])]
        for n in range(25)
    ]  # fmt: skip
    run = checked(one, rows, mode="upsert", key="code")
    for _ in range(12):
        known = sorted({each.number for kind in correcting.KINDS for each in one.imports.grid(run.id, kind)})
        chosen = random_.sample(known, min(3, len(known)))
        changes = [
            random_.choice([
                Change(number, {2: random_.choice(["Acme", "No"])}), Change(number, {3: "2", 4: "won"}),
                Change(number, skip=True), Change(number, skip=False), Change(number, restore=True),
                Change(number, {0: ""}),
            ])
            for number in chosen
        ]  # fmt: skip
        one.imports.correct(run.id, changes)
    told = one.imports.get(run.id)
    listed = [
        (each.number, each.outcome) for kind in correcting.KINDS for each in one.imports.grid(run.id, kind)
    ]
    whole = one.check(run.id)
    assert counted(whole) == counted(told)
    same = [(each.column, each.value, each.fault.code, each.count) for each in told.issues]
    assert sorted(same) == sorted((e.column, e.value, e.fault.code, e.count) for e in whole.issues)
    again = [
        (each.number, each.outcome) for kind in correcting.KINDS for each in one.imports.grid(run.id, kind)
    ]
    assert again == listed
    assert counted(one.run(run.id)) == counted(whole)
