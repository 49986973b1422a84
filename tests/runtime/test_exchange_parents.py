"""Several objects in one file: parents from columns of the same rows, on both databases."""

from __future__ import annotations

import itertools
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import models
from apisite import ApiSite, make_api
from importing import Importer, counted, csv_of
from stores import DIALECTS
from tabwright.platform.errors import Invalid
from tabwright.platform.jobs import JOB, JobRun
from tabwright.runtime.exchange import working
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records

OBJECTS: models.Compact = {
    "account": {
        "name": "text(60) required",
        "phone": "text(20)",
        "tax": "text(20) unique",
        "level": "picklist(gold,silver)",
    },
    "contact": {
        "name": "text(60) required",
        "email": "email unique",
        "account": "lookup(account)",
        "friend": "lookup(account)",
        "boss": "lookup(contact)",
        "age": "integer",
    },
}
RULE = {
    "kind": "unique_rule",
    "name": "contact.one_of_a_name",
    "fields": ["account", "name"],
    "label": {"en": "One of a name"},
}
SET = {
    "kind": "permission_set",
    "name": "contacts_only",
    "system": ["import"],
    "objects": {"contact": ["create", "read", "edit", "import"], "account": ["read", "view_all"]},
    "fields": {"*": {"*": "edit"}},
}
HEADER = ["contact", "email", "company", "company phone", "tax"]
COLUMNS = {
    "contact": {"field": "name"},
    "email": {"field": "email"},
    "company": {"field": "account.name"},
    "company phone": {"field": "account.phone"},
    "tax": {"field": "account.tax"},
}


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [RULE, SET])
        yield made


_count = itertools.count(1)


@pytest.fixture
def one(site: ApiSite) -> Importer:
    """An administrator in a tenant without contacts and accounts."""
    importer = Importer(site, site.person(f"merger{next(_count)}", "administrator"))
    records = Records(site.call)
    for object in ("contact", "account"):
        records.apply(object, [Intent("delete", id) for (id,) in importer.rows(object, "id")])
    return importer


def fresh(one: Importer, rows: list[list[str]]) -> Run:
    """An import with nothing chosen: not by the test before either, whose mapping is remembered."""
    return one.imports.reset(one.start("contact", csv_of(HEADER, rows)).id)


def start(one: Importer, rows: list[list[str]], **patch: Any) -> Run:
    run = fresh(one, rows)
    return one.imports.change(run.id, {"columns": COLUMNS, **patch})


def contacts(one: Importer) -> dict[str, str | None]:
    return dict(one.rows("contact", "name", "account.name"))


def accounts(one: Importer) -> dict[str, tuple[Any, Any]]:
    rows = one.rows("account", "name", "phone", "tax")
    found = {name: (phone, tax) for name, phone, tax in rows}
    assert len(found) == len(rows), "two records of one parent"
    return found


def faults(one: Importer, id: Any, phase: str = "check") -> list[tuple[int, list[str]]]:
    found = one.imports.problems(id, phase, limit=1000)
    return [(each.row, [fault.code for fault in each.faults]) for each in found]


def test_one_row_makes_a_contact_and_its_account(one: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "CHUNK", 2)
    Records(one.api.call).create("account", {"name": "Old", "phone": "0"})
    rows = [
        ["Anna", "", "Acme", "1", "t1"],
        ["Bert", "", "Acme", "1", "t1"],  # the same parent, in the same chunk
        ["Cleo", "", "Acme", "", ""],  # and in another; a blank cell says nothing
        ["Dora", "", "Old", "5", ""],  # was there
        ["Emil", "", "", "", ""],  # has none
        ["Fred", "", "", "7", ""],  # does not say which
        ["Gina", "", "Acme", "2", "t1"],  # says otherwise
    ]
    run = start(one, rows)
    checked = one.check(run.id)
    parents = {"account": {"created": 1, "updated": 1, "unchanged": 0}}
    assert counted(checked) == {"created": 6, "failed": 1, "noted": 1, "parents": parents}
    assert faults(one, run.id) == [(7, ["import.parent_key_blank"])]
    assert (contacts(one), accounts(one)) == ({}, {"Old": ("0", None)})
    done = one.run(run.id)
    assert counted(done) == counted(checked)
    assert contacts(one) == {
        "Anna": "Acme", "Bert": "Acme", "Cleo": "Acme", "Dora": "Old", "Emil": None, "Gina": "Acme",
    }  # fmt: skip
    assert accounts(one) == {"Acme": ("1", "t1"), "Old": ("5", None)}
    [note] = one.imports.problems(run.id, "note")
    assert (note.row, note.faults[0].code, note.faults[0].params["other"]) == (
        8,
        "import.parent_otherwise",
        2,
    )
    assert one.undo(run.id).state == "undone"
    assert (contacts(one), accounts(one)) == ({}, {"Old": ("0", None)})


def test_existing_parents_may_be_left_alone(one: Importer) -> None:
    Records(one.api.call).create("account", {"name": "Old", "phone": "0"})
    rows = [["Dora", "", "Old", "5", ""], ["Emil", "", "New", "6", ""]]
    run = start(one, rows, parents={"account": {"existing": "keep"}})
    checked = one.check(run.id)
    assert counted(checked)["parents"] == {"account": {"created": 1, "updated": 0, "unchanged": 0}}
    one.run(run.id)
    assert accounts(one) == {"Old": ("0", None), "New": ("6", None)}
    assert contacts(one) == {"Dora": "Old", "Emil": "New"}


def test_a_refused_parent_refuses_its_rows_with_its_reason(one: Importer) -> None:
    Records(one.api.call).create("account", {"name": "Taken", "tax": "t1"})
    rows = [
        ["Anna", "", "Acme", "1", "t1"],  # that number is another's
        ["Bert", "", "Acme", "1", "t1"],
        ["Cleo", "", "Acme", "1", "t2"],  # speaks for itself
        ["Dora", "", "Best", "9" * 21, ""],
    ]
    run = start(one, rows)
    checked = one.check(run.id)
    assert faults(one, run.id) == [
        (2, ["import.parent_refused", "unique.taken"]),
        (3, ["import.parent_refused", "unique.taken"]),
        (5, ["import.parent_refused", "value.too_long"]),
    ]
    [problem, *_] = one.imports.problems(run.id, "check")
    assert problem.faults[1].place.field == "account.tax"
    assert counted(one.run(run.id)) == counted(checked)
    assert faults(one, run.id, "run") == faults(one, run.id)
    assert accounts(one) == {"Taken": (None, "t1"), "Acme": ("1", "t2")}
    assert contacts(one) == {"Cleo": "Acme"}


def test_no_row_goes_in_by_half(one: Importer) -> None:
    """The parent of refused rows only is not made; one of others too is filled from a row that goes in."""
    rows = [
        ["", "", "Lonely", "1", ""],  # a contact needs a name
        ["", "", "Acme", "bad", ""],
        ["Anna", "", "Acme", "good", ""],
        ["Bert", "not an address", "Acme", "worse", ""],
    ]
    run = start(one, rows)
    checked = one.check(run.id)
    assert counted(checked) == {
        "created": 1, "failed": 3, "parents": {"account": {"created": 1, "updated": 0, "unchanged": 0}},
    }  # fmt: skip
    assert counted(one.run(run.id)) == counted(checked)
    assert accounts(one) == {"Acme": ("good", None)}


def test_a_parent_is_found_by_any_key_and_may_be_part_of_the_rows_key(one: Importer) -> None:
    rows = [["Anna", "a@example.com", "Acme", "1", "t1"], ["Anna", "", "Best", "2", "t2"]]
    patch: dict[str, Any] = {
        "parents": {"account": {"key": "tax"}},
        "mode": "upsert",
        "key": ["account", "name"],
    }
    run = start(one, rows, **patch)
    assert counted(one.check(run.id))["created"] == 2
    one.run(run.id)
    renamed = [["Anna", "b@example.com", "Acme Ltd", "1", "t1"], ["Anna", "", "Best", "2", "t2"]]
    again = start(one, renamed, **patch)
    parents = {"account": {"created": 0, "updated": 1, "unchanged": 1}}
    assert counted(one.check(again.id)) == {"updated": 1, "unchanged": 1, "parents": parents}
    assert counted(one.run(again.id)) == {"updated": 1, "unchanged": 1, "parents": parents}
    assert accounts(one) == {"Acme Ltd": ("1", "t1"), "Best": ("2", "t2")}
    twice = start(one, [*rows[:1], ["Anna", "", "Acme", "", "t1"]], **patch)
    one.check(twice.id)
    assert faults(one, twice.id) == [(3, ["import.key_twice"])]


def test_values_of_a_parents_column_can_be_mapped(one: Importer) -> None:
    text = csv_of(["name", "company", "level"], [["Anna", "Acme", "goldd"]])
    run = one.imports.reset(one.start("contact", text).id)
    columns = {"company": {"field": "account.name"}, "level": {"field": "account.level"}}
    one.imports.change(run.id, {"columns": columns})
    checked = one.check(run.id)
    found = {(each.column, each.value, each.fault.code, each.suggestion) for each in checked.issues}
    assert ("level", "goldd", "import.unknown_choice", "Gold") in found
    one.imports.change(run.id, {"columns": {"level": {"values": {"goldd": "Gold"}}}})
    assert counted(one.run(run.id))["created"] == 1
    assert one.rows("account", "name", "level") == [("Acme", "gold")]


def test_what_columns_may_fill(one: Importer) -> None:
    run = fresh(one, [["Anna", "", "Acme", "1", "t1"]])
    for patch, code in (
        ({"columns": {"tax": {"field": "boss.name"}}}, "import.not_a_parent"),  # the rows' own object
        ({"columns": {"tax": {"field": "owner.name"}}}, "import.not_a_parent"),
        ({"columns": {"tax": {"field": "name.x"}}}, "import.not_a_parent"),
        ({"columns": {"tax": {"field": "nothing.name"}}}, "field.unknown"),
        ({"columns": {"tax": {"field": "account.nothing"}}}, "field.unknown"),
        ({"columns": {"tax": {"field": "account.phone"}}}, "import.no_key"),
        ({"columns": {**COLUMNS, "email": {"field": "account"}}}, "import.field_twice"),
        ({"columns": COLUMNS, "parents": {"account": {"key": "phone"}}}, "import.not_a_key"),
        ({"columns": COLUMNS, "parents": {"friend": {"existing": "keep"}}}, "import.no_parent"),
        ({"parents": {"account": {"existing": "wild"}}}, "import.bad_setting"),
        ({"parents": {"account": {"key": 1}}}, "import.bad_setting"),
        ({"parents": {"account": 7}}, "import.bad_setting"),
    ):
        with pytest.raises(Invalid) as caught:
            one.imports.change(run.id, patch)
        assert code in [each.code for each in caught.value.faults], patch
    low = Importer(one.api, one.api.person(f"low{next(_count)}", "contacts_only"))
    run = fresh(low, [["Anna", "", "Acme", "1", "t1"]])
    with pytest.raises(Invalid) as refused:
        low.imports.change(run.id, {"columns": COLUMNS})
    assert {each.code for each in refused.value.faults} == {"access.operation"}


def dirty(random_: random.Random, rows: int) -> list[list[str]]:
    def row(number: int) -> list[str]:
        company = f"a{random_.randrange(10)}"
        return [
            random_.choice(["", f"n{number}", f"n{number}", f"n{number}"]),
            random_.choice(["", "", f"m{random_.randrange(rows)}@example.com", "bad"]),
            random_.choice([company, company, company, ""]),
            random_.choice(["", "1", "1", "2", "9" * 30]),
            random_.choice(["", "", f"t{random_.randrange(12)}"]),
            random_.choice(["", "", f"a{random_.randrange(12)}"]),
            random_.choice(["", "", "", f"n{random_.randrange(rows)}"]),
        ]

    return [row(number) for number in range(rows)]


@pytest.mark.parametrize("existing", ["update", "keep"])
def test_the_counts_of_a_check_are_the_runs(
    one: Importer, monkeypatch: pytest.MonkeyPatch, existing: str
) -> None:
    monkeypatch.setattr(working, "CHUNK", 5)
    for seed in range(4):
        random_ = random.Random(f"{existing}{seed}")
        before = [{"name": f"a{n}", "tax": f"t{n}", "phone": "0"} for n in range(0, 10, 3)]
        made = [Records(one.api.call).create("account", each).id for each in before]
        run = one.start("contact", csv_of([*HEADER, "friend", "boss"], dirty(random_, 50)))
        one.imports.change(run.id, {"columns": COLUMNS, "parents": {"account": {"existing": existing}}})
        checked = one.check(run.id)
        assert checked.state == "checked", checked.error
        done = one.run(run.id)
        assert done.state == "done", done.error
        assert counted(done) == counted(checked), seed
        assert faults(one, run.id, "run") == faults(one, run.id)
        assert {"created", "failed", "parents"} <= counted(done).keys()
        named = {name for name in contacts(one).values() if name is not None}
        assert named <= accounts(one).keys()
        assert one.undo(run.id).state == "undone"
        assert one.imports.problems(run.id, "undo") == []
        assert contacts(one) == {}
        assert accounts(one) == {each["name"]: ("0", each["tax"]) for each in before}
        Records(one.api.call).apply("account", [Intent("delete", id) for id in made])


def test_a_run_that_was_cut_off_goes_on_with_its_parents(
    one: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "CHUNK", 10)
    rows = [[f"n{n}", "", f"a{n % 7}", f"{n % 7}" if n % 5 else "x", ""] for n in range(50)]
    whole = start(one, rows)
    wanted = counted(one.run(whole.id))
    left = (contacts(one), accounts(one), faults(one, whole.id, "note"))
    one.undo(whole.id)
    run = start(one, rows)
    progress = JobRun.progress
    died: list[int] = []

    def die(job: JobRun, done: int, total: int | None = None, note: str | None = None) -> None:
        progress(job, done, total, note)
        if job.kind == working.KIND and done == 30 and not died:
            died.append(done)
            raise KeyboardInterrupt

    monkeypatch.setattr(JobRun, "progress", die)
    one.imports.run(run.id)
    with pytest.raises(KeyboardInterrupt):
        one.work()
    assert len(contacts(one)) == 20
    with one.api.tenant.store.write() as writer:
        gone = sa.update(JOB).where(JOB.c.state == "running").values(lease_until=one.api.site.clock.now())
        writer.execute(gone)
    one.work()
    assert counted(one.imports.get(run.id)) == wanted and wanted["noted"]
    assert (contacts(one), accounts(one), faults(one, run.id, "note")) == left


def test_over_the_api(one: Importer) -> None:
    run = fresh(one, [["Anna", "", "Acme", "1", "t1"]])
    at = f"/imports/{run.id.hex}"
    patched = one.person.patch(at, {"columns": COLUMNS, "parents": {"account": {"key": ["name"]}}})
    assert patched.status_code == 200, patched.text
    assert patched.json["settings"]["parents"] == {"account": {"key": "name", "existing": "update"}}
    assert one.person.post(at + "/check").status_code == 202
    one.work()
    read = one.person.get(at).json
    assert read["counts"]["parents"] == {"account": {"created": 1, "updated": 0, "unchanged": 0}}
    assert read["checked"]["counts"] == read["counts"]
