"""Imports on both databases: what a check says is what a run does, rights hold, nothing goes in twice."""

from __future__ import annotations

import io
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
from importing import Importer, call_of, counted, csv_of
from stores import DIALECTS
from tabwright.platform.errors import Conflict, Denied, Invalid, NotFound, TooLarge
from tabwright.platform.jobs import JOB, JobRun
from tabwright.platform.settings import Limits
from tabwright.runtime.exchange import working
from tabwright.runtime.exchange.imports import Imports
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records

OBJECTS: models.Compact = {
    "account": {
        "name": "text(80) required sortable",
        "code": "text(20) unique external_key",
        "email": "email unique=ignore_case",
        "parent": "lookup(account)",
        "level": {
            "type": "picklist",
            "options": {
                "values": [
                    {"code": "a", "label": {"en": "Key account", "zh": "重点"}},
                    {"code": "b", "label": {"en": "Other", "zh": "其他"}},
                ]
            },
        },
        "amount": {
            "type": "currency",
            "options": {"precision": 12, "scale": 2, "min": "0", "currency": "CNY"},
        },
        "since": "date",
        "secret": "text(20)",
    },
    "deal": {"title": "text(80) required", "account": "lookup(account)", "number": "auto_number(D-{000})"},
}
RULE = {
    "kind": "validation_rule",
    "name": "account.not_its_parents_equal",
    "condition": 'parent.name = "Forbidden parent"',
    "message": {"en": "Not under that one"},
}
SETS: list[dict[str, Any]] = [
    {
        "kind": "permission_set",
        "name": "importer",
        "system": ["import"],
        "objects": {
            "account": ["create", "read", "edit", "import"],
            "deal": ["create", "read", "edit", "import"],
        },
        "fields": {"account": {"*": "edit", "secret": "none", "level": "read"}, "deal": {"*": "edit"}},
    },
    {"kind": "permission_set", "name": "half", "system": ["import"],
     "objects": {"account": ["create", "read"]}, "fields": {"account": {"*": "edit"}}},
    {"kind": "permission_set", "name": "reader", "objects": {"account": ["create", "read", "edit"]},
     "fields": {"account": {"*": "edit"}}},
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    """One published tenant for all tests: publishing takes longer than most of them."""
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [RULE, *SETS])
        yield made


_count = itertools.count(1)


@pytest.fixture
def one(site: ApiSite) -> Importer:
    """An administrator who has imported nothing yet, in a tenant without records."""
    importer = Importer(site, site.person(f"importer{next(_count)}", "administrator"))
    empty(importer)
    return importer


def empty(one: Importer) -> None:
    for object in ("deal", "account"):
        gone = [Intent("delete", id) for (id,) in one.rows(object, "id")]
        Records(one.api.call).apply(object, gone)


def add(one: Importer, object: str, *values: dict[str, Any]) -> list[Any]:
    records = Records(one.api.call)
    return [records.create(object, {"owner": one.person.id, **each}).id for each in values]


def failed(one: Importer, id: Any, phase: str) -> list[tuple[int, str]]:
    found = one.imports.problems(id, phase, limit=1000)
    return [(each.row, each.faults[0].code) for each in found]


# ---- the way in
# -----------------------------------------------------------------------------------------------


def test_choices_by_label_dates_money_and_values(one: Importer) -> None:
    text = csv_of(
        ["name", "level", "amount", "since"],
        [
            ["A", "重点", "¥1,234.50", "2017/3/1"],
            ["B", "key account", "7", "20170302"],
            ["C", "b", "", ""],
            ["D", "Othr", "-1", "soon"],
            ["E", "n/a", "1", "2017年3月5日"],
        ],
    )
    run = one.start("account", text)
    assert {name: column.field for name, column in run.settings.columns.items()} == {
        "name": "name", "level": "level", "amount": "amount", "since": "since",
    }  # fmt: skip
    checked = one.check(run.id)
    assert checked.state == "checked"
    assert counted(checked) == {"created": 3, "failed": 2}
    issues = {(each.column, each.value): (each.fault.code, each.suggestion) for each in checked.issues}
    assert issues[("level", "Othr")] == ("import.unknown_choice", "Other")
    assert issues[("level", "n/a")] == ("import.unknown_choice", None)
    # A row that fails says everything that is wrong with it.
    problem = one.imports.problems(run.id, "check")[0]
    assert problem.row == 5
    assert {each.place.field for each in problem.faults} >= {"level", "amount", "since"}
    one.imports.change(run.id, {"columns": {"level": {"values": {"Othr": "Other", "n/a": ""}}}})
    assert one.imports.get(run.id).state == "mapping"
    assert counted(one.check(run.id)) == {"created": 4, "failed": 1}
    done = one.run(run.id)
    assert (done.state, counted(done)) == ("done", {"created": 4, "failed": 1})
    rows = {row[0]: row[1:] for row in one.rows("account", "name", "level", "amount", "since")}
    assert {name: (row[0], row[1] and str(row[1]), row[2] and str(row[2])) for name, row in rows.items()} == {
        "A": ("a", "1234.50", "2017-03-01"),
        "B": ("a", "7.00", "2017-03-02"),
        "C": ("b", None, None),
        "E": (None, "1.00", "2017-03-05"),
    }


def test_nothing_of_a_check_stays(one: Importer) -> None:
    run = one.start("account", csv_of(["name", "code"], [[f"N{n}", f"c{n}"] for n in range(5)]))
    one.check(run.id)
    assert one.rows("account", "name") == []


def test_lookups_by_any_unique_field_ambiguous_and_made(one: Importer) -> None:
    add(
        one,
        "account",
        {"name": "Twin", "code": "t1"},
        {"name": "Twin", "code": "t2"},
        {"name": "One", "code": "o"},
    )
    text = csv_of(
        ["title", "account"], [["d1", "One"], ["d2", "Twin"], ["d3", "New"], ["d4", "New"], ["d5", ""]]
    )
    run = one.start("deal", text)
    assert counted(one.check(run.id)) == {"created": 2, "failed": 3}
    assert {code for _, code in failed(one, run.id, "check")} == {"import.ambiguous", "import.unknown_record"}
    one.imports.change(run.id, {"columns": {"account": {"missing": "blank"}}})
    assert counted(one.check(run.id)) == {"created": 4, "failed": 1}
    one.imports.change(run.id, {"columns": {"account": {"missing": "create"}}})
    checked = one.check(run.id)
    assert counted(checked) == {"created": 4, "failed": 1, "made": 1}
    assert counted(one.run(run.id)) == counted(checked)
    assert sorted(one.rows("deal", "title", "account.name"), key=str) == [
        ("d1", "One"), ("d3", "New"), ("d4", "New"), ("d5", None),
    ]  # fmt: skip
    undone = one.undo(run.id)
    assert undone.state == "undone"
    assert one.rows("deal", "title") == []
    assert sorted(one.rows("account", "code")) == [("o",), ("t1",), ("t2",)]
    by_code = one.start(
        "deal", csv_of(["title", "account"], [["x", "t2"]]), columns={"account": {"match": "code"}}
    )
    assert counted(one.run(by_code.id)) == {"created": 1}
    assert one.rows("deal", "account.code") == [("t2",)]


def test_self_lookups_find_parents_anywhere_in_the_file(
    one: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(working, "CHUNK", 2)
    rows = [
        ["grandchild", "child"], ["child", "root"], ["self", "self"], ["ring1", "ring2"], ["ring2", "ring1"],
        ["orphan", "nobody"], ["under orphan", "orphan"], ["root", ""],
    ]  # fmt: skip
    run = one.start("account", csv_of(["name", "parent"], rows))
    checked = one.check(run.id)
    assert counted(checked) == {"created": 6, "failed": 2}
    done = one.run(run.id)
    assert counted(done) == counted(checked)
    assert failed(one, run.id, "run") == failed(one, run.id, "check")
    assert dict(one.rows("account", "name", "parent.name")) == {
        "grandchild": "child", "child": "root", "self": "self", "ring1": "ring2", "ring2": "ring1", "root":
        None,
    }  # fmt: skip
    assert one.undo(run.id).state == "undone"
    assert one.rows("account", "name") == []
    assert one.imports.problems(run.id, "undo") == []


def test_update_and_upsert_by_key(one: Importer) -> None:
    add(one, "account", {"name": "A", "code": "a", "amount": 1}, {"name": "B", "code": "b", "amount": 2})
    text = csv_of(
        ["code", "amount", "name"],
        [["a", "5", "A"], ["b", "2", "B"], ["c", "7", "C"], ["a", "9", "A"], ["", "1", "D"]],
    )
    run = one.start("account", text, mode="update", key="code")
    checked = one.check(run.id)
    assert counted(checked) == {"updated": 1, "unchanged": 1, "failed": 3}
    assert failed(one, run.id, "check") == [
        (4, "import.no_such_key"), (5, "import.key_twice"), (6, "import.key_blank"),
    ]  # fmt: skip
    one.imports.change(run.id, {"mode": "upsert"})
    checked = one.check(run.id)
    assert counted(checked) == {"created": 1, "updated": 1, "unchanged": 1, "failed": 2}
    assert counted(one.run(run.id)) == counted(checked)
    assert {row[0]: str(row[1]) for row in one.rows("account", "code", "amount")} == {
        "a": "5.00", "b": "2.00", "c": "7.00",
    }  # fmt: skip


def test_blank_cells_keep_or_clear(one: Importer) -> None:
    add(one, "account", {"name": "A", "code": "a", "amount": 1, "since": "2017-01-01"})
    run = one.start("account", "code,amount,since\na,,\n", mode="update", key="code")
    one.imports.change(run.id, {"columns": {"since": {"blank": "clear"}}})
    assert counted(one.run(run.id)) == {"updated": 1}
    [(amount, since)] = one.rows("account", "amount", "since")
    assert (str(amount), since) == ("1.00", None)


# ---- a check says what a run does
# -------------------------------------------------------------------------------


def dirty(random_: random.Random, rows: int) -> str:
    """A file with what files have: repeated keys, unknown and later parents, values that clash, blanks."""
    names = [f"n{n}" for n in range(rows)] + ["Forbidden parent"]
    made = []
    for _ in range(rows):
        number = random_.randrange(rows)
        made.append(
            [
                random_.choice(["", f"c{number}", f"c{number}", f"c{random_.randrange(8)}"]),
                random_.choice(names + [""]),
                random_.choice(
                    [
                        "",
                        "",
                        f"M{random_.randrange(8)}@example.com",
                        f"m{random_.randrange(rows)}@example.com",
                    ]
                ),
                random_.choice(["", "", "", *names, "nobody"]),
                random_.choice(["a", "Other", "", "bad"] if random_.random() < 0.2 else ["a"]),
                random_.choice(["1", "2.5", "-1"] if random_.random() < 0.2 else ["3"]),
            ]
        )
    return csv_of(["code", "name", "email", "parent", "level", "amount"], made)


@pytest.mark.parametrize("mode", ["create", "update", "upsert"])
def test_the_counts_of_a_check_are_the_runs(
    one: Importer, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(working, "CHUNK", 4)
    for seed in range(4):
        random_ = random.Random(f"{mode}{seed}")
        empty(one)
        add(
            one, "account",
            *({"name": f"n{n}", "code": f"c{n}", "email": f"m{n}@example.com"} for n in range(0, 20, 2)),
        )  # fmt: skip
        run = one.start("account", dirty(random_, 40))
        one.imports.change(run.id, {"mode": mode, "key": None if mode == "create" else "code"})
        checked = one.check(run.id)
        assert checked.state == "checked", checked.error
        assert sum(checked.counts[each] for each in ("created", "updated", "unchanged", "failed")) == 40
        done = one.run(run.id)
        assert done.state == "done", done.error
        assert counted(done) == counted(checked)
        assert failed(one, run.id, "run") == failed(one, run.id, "check")
        assert (
            counted(done).get("failed") and len(counted(done)) > 1
        )  # or the file was not dirty, or hopeless


# ---- undo
# -------------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_at_the_end_of_a_run_leaves_nothing_that_disturbs_its_undo(one: Importer) -> None:
    """The run is done and committed; another worker must not take its job up and call it done once more."""
    run = one.start("account", "name\nA\n")
    one.imports.run(run.id)
    site, location = one.api.site, one.api.location
    while (job := site.jobs.claim(one.api.tenant.store, location, "dies")) is not None:
        result = site.jobs.handler(job.kind)(job)
        if job.kind == working.KIND:
            break
        site.jobs.finish(job, result)  # what else was due
    assert job is not None
    found = one.imports.undo(run.id)
    assert (found.state, job.ended) == ("undoing", True)
    one.work()
    assert one.imports.get(run.id).state == "undone"


def test_undo_restores_what_nobody_edited_since(one: Importer) -> None:
    ids = add(
        one, "account", {"name": "A", "code": "a", "amount": 1}, {"name": "B", "code": "b", "amount": 2}
    )
    text = csv_of(
        ["code", "name", "amount"], [["a", "A2", "10"], ["b", "B2", "20"], ["c", "C", "30"], ["d", "D", "40"]]
    )
    run = one.start("account", text, mode="upsert", key="code")
    assert counted(one.run(run.id)) == {"created": 2, "updated": 2}
    records = Records(one.api.call)
    records.update("account", ids[1], {"level": "a"})
    made = {row[0]: row[1] for row in one.rows("account", "code", "id")}
    records.update("account", made["d"], {"level": "a"})
    undone = one.undo(run.id)
    assert undone.job is not None and undone.job.result == {"deleted": 1, "restored": 1, "left": 2}
    left = one.imports.problems(run.id, "undo")
    assert {each.faults[0].code for each in left} == {"record.edited_since"}
    assert {row[0]: (row[1], str(row[2])) for row in one.rows("account", "code", "name", "amount")} == {
        "a": ("A", "1.00"), "b": ("B2", "20.00"), "d": ("D", "40.00"),
    }  # fmt: skip
    with pytest.raises(Conflict):
        one.imports.undo(run.id)


# ---- stop, go on, once
# ----------------------------------------------------------------------------------------------


def test_a_run_that_is_stopped_goes_on_where_it_was(one: Importer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "CHUNK", 10)
    rows = [[f"n{n}", f"c{n}" if n % 7 else "c1"] for n in range(50)]
    run = one.start("account", csv_of(["name", "code"], rows))
    progress = JobRun.progress
    stopped: list[int] = []

    def stop(job: JobRun, done: int, total: int | None = None, note: str | None = None) -> None:
        progress(job, done, total, note)
        if job.kind == working.KIND and done == 20 and not stopped:
            stopped.append(done)
            raise KeyboardInterrupt  # as a process that dies: the chunk's transaction is lost

    monkeypatch.setattr(JobRun, "progress", stop)
    one.imports.run(run.id)
    with pytest.raises(KeyboardInterrupt):
        one.work()
    assert (
        len(one.rows("account", "name")) == 8
    )  # the first chunk stands but for its bad rows; the second does not
    one.imports.cancel(run.id)
    _expire(one)
    one.work()
    assert one.imports.get(run.id).state == "stopped"
    assert set(one.imports.get(run.id).verbs) == {"run", "undo"}
    done = one.run(run.id)
    assert done.state == "done"
    assert counted(done) == {"created": 42, "failed": 8}
    names = [row[0] for row in one.rows("account", "name")]
    assert len(names) == len(set(names)) == 42
    assert [row for row, _ in failed(one, run.id, "run")] == [2 + n for n in (1, *range(7, 50, 7))]


def _expire(one: Importer) -> None:
    """The dead worker's lease runs out."""
    with one.api.tenant.store.write() as writer:
        writer.execute(
            sa.update(JOB).where(JOB.c.state == "running").values(lease_until=one.api.site.clock.now())
        )


def test_only_the_verbs_of_a_state_are_taken(one: Importer) -> None:
    run = one.start("account", "name\nA\n")
    for verb in (one.imports.cancel, one.imports.undo):
        with pytest.raises(Conflict) as caught:
            verb(run.id)
        assert caught.value.code == "import.wrong_state"
    one.imports.check(run.id)
    with pytest.raises(Conflict):
        one.imports.change(run.id, {"mode": "create"})
    with pytest.raises(Conflict):
        one.imports.check(run.id)
    one.imports.cancel(run.id)
    assert one.imports.get(run.id).state == "mapping"
    one.run(run.id)
    with pytest.raises(Conflict):
        one.imports.run(run.id)


def test_a_file_that_breaks_off_can_be_read_in_another_way(one: Importer) -> None:
    content = b'name;code\nA;1\nB;"x\n'
    run = one.start("account", content)
    assert run.row_count is None and run.verbs == ("change",)
    assert run.error[0].code == "import.broken_csv"
    with pytest.raises(Invalid) as caught:
        one.imports.check(run.id)
    assert caught.value.code == "import.broken_csv"
    other = one.start("account", b"name,code\nA,1\n")
    changed = one.imports.change_format(other.id, {"header": False, "delimiter": ";"})
    assert changed.header == ("A",) and changed.row_count == 2


def test_failed_rows_come_back(one: Importer) -> None:
    text = csv_of(["code", "name", "level"], [["=1+1", "A", "zzz"], ["-5", "B", "a"], ["c", "", "a"]])
    run = one.start("account", text)
    assert counted(one.run(run.id)) == {"created": 1, "failed": 2}
    result = b"".join(one.imports.result(run.id))
    lines = result.decode("utf-8-sig").splitlines()
    assert lines[0] == "code,name,level,Reason not imported"
    assert lines[1].startswith("'=1+1,A,zzz,") and "zzz" in lines[1]
    again = one.start("account", result.replace(b"zzz,", b"a,").replace(b"c,,", b"c,C,"))
    assert "Reason not imported" not in again.settings.columns
    assert counted(one.run(again.id)) == {"created": 2}
    assert sorted(row[0] for row in one.rows("account", "code")) == ["-5", "=1+1", "c"]


def test_what_was_chosen_last_time_is_proposed(one: Importer) -> None:
    run = one.start("account", "Kunde,Stufe\nA,x\n")
    assert run.settings.columns == {}
    one.imports.change(
        run.id, {"columns": {"Kunde": {"field": "name"}, "Stufe": {"field": "level", "values": {"x": "a"}}}}
    )
    one.run(run.id)
    again = one.start("account", "Stufe,Kunde\nx,B\n")
    columns = again.settings.columns
    assert {name: (each.field, each.why, dict(each.values)) for name, each in columns.items()} == {
        "Kunde": ("name", "before", {}), "Stufe": ("level", "before", {"x": "a"}),
    }  # fmt: skip


# ---- rights
# -----------------------------------------------------------------------------------------------------


def test_an_import_may_what_its_person_may(one: Importer) -> None:
    [hidden, mine] = add(one, "account", {"name": "Theirs", "code": "t"}, {"name": "Mine", "code": "m"})
    person = one.api.person("low", "importer")
    low = Importer(one.api, person)
    Records(one.api.call).update("account", mine, {"owner": person.id})
    text = csv_of(
        ["code", "name", "secret", "level"],
        [["t", "Taken", "s", "a"], ["m", "Ours", "s", "a"], ["n", "New", "s", "a"]],
    )
    run = low.start("account", text)
    assert {each.field for each in run.settings.columns.values()} == {
        "code",
        "name",
    }  # the others are not offered
    unknown, secret = (_refused(low, run.id, field) for field in ("nonsense", "secret"))
    assert unknown == [code.replace("secret", "nonsense") for code in secret] == ["field.unknown"]
    assert _refused(low, run.id, "level") == ["import.field_read_only"]
    low.imports.change(run.id, {"mode": "update", "key": "code"})
    done = low.run(run.id)
    assert counted(done) == {"updated": 1, "failed": 2}  # a hidden record is as unknown as none
    assert {code for _, code in failed(low, run.id, "run")} == {"import.no_such_key"}
    values = {row[0]: row[1] for row in one.rows("account", "code", "name")}
    assert values == {"t": "Theirs", "m": "Ours"}
    lookup = low.start("deal", csv_of(["title", "account"], [["x", "Theirs"], ["y", "Ours"]]))
    low.imports.reset(lookup.id)  # whatever somebody chose for such columns before
    with pytest.raises(Invalid) as caught:
        low.imports.change(lookup.id, {"columns": {"account": {"match": "secret"}}})
    with pytest.raises(Invalid) as other:
        low.imports.change(lookup.id, {"columns": {"account": {"match": "nonsense"}}})
    assert caught.value.code == other.value.code == "field.unknown"
    assert counted(low.run(lookup.id)) == {"created": 1, "failed": 1}
    assert hidden is not None


def _refused(low: Importer, id: Any, field: str) -> list[str]:
    with pytest.raises(Invalid) as caught:
        low.imports.change(id, {"columns": {"level": {"field": field}}})
    return [each.code for each in caught.value.faults]


def test_without_the_right_to_import_there_is_no_import(one: Importer) -> None:
    reader = Importer(one.api, one.api.person("reader", "reader"))
    with pytest.raises(Denied) as refused:
        reader.start("account", "name\nA\n")
    assert refused.value.code == "access.system_right"
    half = Importer(one.api, one.api.person("half", "half"))  # the right to import, but into nothing
    with pytest.raises(Denied) as refused:
        half.start("account", "name\nA\n")
    assert refused.value.code == "access.operation"
    run = one.start("account", "name\nA\n")
    with pytest.raises(NotFound):
        Importer(one.api, one.api.person("other", "importer")).imports.get(run.id)


def test_a_right_that_is_taken_away_stops_the_job(one: Importer) -> None:
    person = one.api.person("leaver", "importer")
    low = Importer(one.api, person)
    run = low.start("account", "name\nA\n")
    low.imports.run(run.id)
    records = Records(one.api.call)
    for id, user in one.rows("permission_assignment", "id", "user"):
        if user == person.id:
            records.delete("permission_assignment", id)
    one.work()
    assert one.rows("account", "name") == []


def test_a_file_beyond_the_limit_is_refused(one: Importer) -> None:
    imports = Imports(call_of(one.api, one.person), Limits(upload_bytes=10))
    with pytest.raises(TooLarge) as caught:
        imports.start("account", "f.csv", io.BytesIO(b"name\n" + b"A\n" * 10))
    assert caught.value.faults[0].params["most"] == 10


def test_hostile_cells_are_faults_of_their_rows(one: Importer) -> None:
    clean = b"".join(
        b"x%d,x%d,%s\n" % (n, n, b"." * 3000) for n in range(100)
    )  # the head says whether it is text
    content = b"name,code,pad\n" + clean + b'A\x00,1\n"B",2\n' + b"C" * 100 + b",3\n"
    run = one.start("account", content)
    checked = one.check(run.id)
    assert counted(checked) == {"created": 101, "failed": 2}
    assert failed(one, run.id, "check") == [(102, "value.control_character"), (104, "value.too_long")]
    assert b"A\x00" in b"".join(one.imports.result(run.id))


def test_settings_are_checked_all_at_once(one: Importer) -> None:
    run = one.start("account", "name,code,x\nA,1,2\n")
    with pytest.raises(Invalid) as caught:
        one.imports.change(
            run.id,
            {
                "mode": "wild",
                "columns": {"x": {"field": "code", "missing": "often", "values": {"a": 1}}, "code": 7},
                "y": 1,
            },
        )
    assert {each.place.pointer for each in caught.value.faults} == {
        "/mode", "/columns/x/missing", "/columns/x/values", "/columns/code", "/y",
    }  # fmt: skip
    with pytest.raises(Invalid) as caught:
        one.imports.change(
            run.id,
            {"mode": "upsert", "key": "name", "columns": {"x": {"field": "code"}, "gone": {"field": "name"}}},
        )
    assert [each.code for each in caught.value.faults] == [
        "import.field_twice", "import.unknown_column", "import.not_a_key",
    ]  # fmt: skip
    assert one.imports.get(run.id).settings == run.settings
