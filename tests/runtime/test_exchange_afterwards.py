"""What stays of an import: the mapping for the next one, its file for a while, and who may take it back."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import models
from apisite import ApiSite, make_api
from importing import Importer, call_of, counted, csv_of
from stores import DIALECTS
from tabwright.platform.errors import Conflict, Denied, NotFound
from tabwright.platform.jobs import JOB
from tabwright.runtime.exchange import files
from tabwright.runtime.exchange.tables import PART, RUN
from tabwright.runtime.records.service import Records

OBJECTS: models.Compact = {
    "product": {"name": "text(40) required unique"},
    "deal": {
        "name": "text(40) required",
        "code": "text(10) unique",
        "product": "lookup(product)",
        "secret": "text(20)",
        "stage": "picklist(new,won)",
    },
}
_see = {"deal": {"*": "edit", "secret": "none"}, "product": {"*": "edit"}}
SETS = [
    {
        "kind": "permission_set",
        "name": "seller",
        "system": ["import"],
        "objects": {"deal": ["create", "read", "edit", "delete", "import"], "product": ["create", "read"]},
        "fields": _see,
    },
    {
        "kind": "permission_set",
        "name": "keeper",  # may make and change, not delete
        "system": ["import"],
        "objects": {"deal": ["create", "read", "edit", "import", "transfer"], "product": ["read"]},
        "fields": _see,
    },
    {
        "kind": "permission_set",
        "name": "manager",
        "system": ["import"],
        "objects": {"deal": ["modify_all", "create", "import"], "product": ["read"]},
        "fields": _see,
    },
    {
        "kind": "permission_set",
        "name": "overseer",  # may change everything, but imports nothing
        "objects": {"deal": ["modify_all"]},
        "fields": _see,
    },
]
TEXT = csv_of(["Kunde", "Ware", "Stufe", "Nr"], [["A", "GTXPro", "x", "1"]])
COLUMNS: dict[str, Any] = {
    "Kunde": {"field": "name"},
    "Ware": {"field": "product", "values": {"GTXPro": "GTX Pro", "Other": "Theirs", "no": ""}},
    "Stufe": {"field": "stage", "values": {"x": "won"}},
    "Nr": {"field": "code"},
}


@pytest.fixture(params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS, SETS)
        yield made


_count = itertools.count(1)


def person(site: ApiSite, *sets: str) -> Importer:
    return Importer(site, site.person(f"p{next(_count)}", *sets))


def with_products(site: ApiSite, owner: Importer) -> None:
    records = Records(site.call)
    records.create("product", {"name": "GTX Pro", "owner": owner.person.id})
    records.create("product", {"name": "Theirs", "owner": site.admin.id})


# ---- the mapping of last time ---------------------------------------------------------------------


def test_the_settings_of_the_last_import_with_this_header_are_taken_over(site: ApiSite) -> None:
    one = person(site, "administrator")
    with_products(site, one)
    first = one.start("deal", TEXT)
    assert first.settings.before is None and first.settings.columns == {}
    one.imports.change(first.id, {"columns": COLUMNS, "mode": "upsert", "key": "code"})
    assert counted(one.run(first.id)) == {"created": 1}
    again = one.start("deal", TEXT, name="next.csv")
    settings = again.settings
    assert settings.before is not None and (settings.before.filename, settings.before.own) == (
        "file.csv",
        True,
    )
    assert (settings.mode, settings.key) == ("upsert", ("code",))
    assert settings.columns["Ware"].values == COLUMNS["Ware"]["values"]
    assert {each.why for each in settings.columns.values()} == {"before"}
    assert counted(one.check(again.id)) == {"unchanged": 1}
    reset = one.imports.reset(again.id)
    assert (reset.settings.before, reset.settings.columns, reset.state) == (None, {}, "mapping")
    other = one.start("deal", csv_of(["Kunde", "Nr"], [["B", "2"]]))  # another header: column by column
    assert other.settings.before is None and set(other.settings.columns) == {"Kunde", "Nr"}


def test_anothers_settings_come_without_what_one_may_not_choose_or_read(site: ApiSite) -> None:
    boss, low = person(site, "administrator"), person(site, "seller")
    with_products(site, low)
    run = boss.start("deal", TEXT)
    columns = {**COLUMNS, "Nr": {"field": "secret"}}
    boss.imports.change(run.id, {"columns": columns})
    boss.run(run.id)
    settings = low.start("deal", TEXT).settings
    assert settings.before is not None and not settings.before.own
    assert set(settings.columns) == {"Kunde", "Ware", "Stufe"}  # a hidden field is as unknown as none
    assert settings.columns["Ware"].values == {"GTXPro": "GTX Pro", "no": ""}  # a hidden record too
    assert settings.columns["Stufe"].values == {"x": "won"}
    mine = low.start("deal", TEXT)
    low.imports.change(mine.id, {"columns": {"Kunde": None, "Nr": {"field": "name"}}})
    low.run(mine.id)
    later = boss.start("deal", TEXT)
    boss.run(later.id)
    assert low.start("deal", TEXT).settings.columns["Nr"].field == "name"  # one's own before anybody's


def test_the_memory_over_the_api(site: ApiSite) -> None:
    one = person(site, "administrator")
    run = one.start("deal", TEXT, columns={"Kunde": {"field": "name"}})
    one.run(run.id)
    at = f"/imports/{one.start('deal', TEXT).id.hex}"
    before = one.person.get(at).json["settings"]["before"]
    assert (before["filename"], before["own"]) == ("file.csv", True)
    answer = one.person.post(at + "/reset")
    assert answer.status_code == 200 and answer.json["settings"]["before"] is None, answer.text
    assert answer.json["settings"]["columns"] == {}


# ---- the file --------------------------------------------------------------------------------------


def parts(site: ApiSite) -> int:
    with site.tenant.store.read() as reader:
        return int(reader.execute(sa.select(sa.func.count()).select_from(PART)).scalar_one())


def age(site: ApiSite, id: Any, days: int) -> None:
    """As if nobody had touched the import for some days, and the look at the files were due."""
    then = site.site.clock.now() - timedelta(days=days)
    with site.tenant.store.write() as writer:
        writer.execute(sa.update(RUN).where(RUN.c.id == id).values(updated_at=then))
        now = site.site.clock.now()
        writer.execute(
            sa.update(JOB).where(JOB.c.kind == files.KIND, JOB.c.state == "waiting").values(due_at=now)
        )


def test_the_file_of_an_old_import_goes_and_the_rest_stays(site: ApiSite) -> None:
    one = person(site, "administrator")
    text = csv_of(["name", "code"], [["A", "1"], ["", "2"]])
    old, young, moving = (one.start("deal", text.replace("1", code)) for code in ("1", "7", "8"))
    assert counted(one.run(old.id)) == {"created": 1, "failed": 1}
    prepared = one.start("deal", text)
    with site.tenant.store.read() as reader:
        jobs = reader.execute(sa.select(JOB.c.due_at).where(JOB.c.kind == files.KIND)).scalars().all()
    assert len(jobs) == 1 and jobs[0] > site.site.clock.now() + timedelta(days=30)
    with site.tenant.store.write() as writer:
        writer.execute(sa.update(RUN).where(RUN.c.id == moving.id).values(state="running"))
    for run, days in ((moving, 90), (prepared, 31), (young, 29), (old, 31)):
        age(site, run.id, days)
    one.work()
    assert parts(site) == 2
    found = one.imports.get(old.id)
    assert not found.has_file and found.verbs == ("undo",) and counted(found) == {"created": 1, "failed": 1}
    assert len(one.imports.problems(old.id)) == 1 and b"2" in b"".join(one.imports.result(old.id))
    assert one.imports.get(young.id).has_file and one.imports.get(moving.id).has_file
    for verb in (one.imports.check, one.imports.run, one.imports.reset):
        with pytest.raises(Conflict) as caught:
            verb(prepared.id)
        assert caught.value.code == "import.file_removed" and caught.value.faults[0].params["days"] == 30
    answer = one.person.post(f"/imports/{prepared.id.hex}/check")
    assert answer.status_code == 409 and "30 days" in answer.text
    assert one.person.get(f"/imports/{old.id.hex}").json["has_file"] is False
    assert one.undo(old.id).state == "undone" and one.rows("deal", "name") == []
    with site.tenant.store.read() as reader:  # and it looks again for those that are still there
        again = sa.select(sa.func.count()).where(JOB.c.kind == files.KIND, JOB.c.state == "waiting")
        assert reader.execute(again).scalar_one() == 1


# ---- who may take it back ---------------------------------------------------------------------------


def left(one: Importer, id: Any) -> list[str]:
    return sorted(each.faults[0].code for each in one.imports.problems(id, "undo"))


def test_whoever_may_import_and_change_all_may_take_back_anybodys(site: ApiSite) -> None:
    low, manager = person(site, "seller"), person(site, "manager")
    other, overseer = person(site, "seller"), person(site, "overseer")
    run = low.start("deal", csv_of(["name", "code"], [["A", "1"], ["B", "2"]]))
    low.run(run.id)
    for stranger in (other, overseer):
        with pytest.raises((NotFound, Denied)):
            stranger.imports.undo(run.id)
        assert stranger.person.get(f"/imports/{run.id.hex}").status_code == 404
    seen = manager.imports.get(run.id)
    assert seen.verbs == ("undo",) and [each.id for each in manager.imports.recent("deal")] == [run.id]
    assert other.imports.recent("deal") == []
    for verb in (manager.imports.check, manager.imports.run, manager.imports.reset):
        with pytest.raises(Conflict):
            verb(run.id)
    assert manager.undo(run.id).state == "undone"
    assert low.rows("deal", "name") == [] and left(manager, run.id) == []


def test_a_record_that_was_given_away_is_kept_and_listed(site: ApiSite) -> None:
    """Also where the import itself gave it away: it is somebody else's now."""
    low, friend = person(site, "seller", "keeper"), person(site, "seller")
    name = low.rows("user", "name", "id")
    mine = next(name for name, id in name if id == friend.person.id)
    text = csv_of(["name", "code", "whose"], [["A", "1", mine], ["B", "2", ""]])
    run = low.start("deal", text, columns={"whose": {"field": "owner"}})
    assert counted(low.run(run.id)) == {"created": 2}
    undone = low.undo(run.id)
    assert undone.job is not None and undone.job.result == {"deleted": 1, "restored": 0, "left": 1}
    assert left(low, run.id) == ["record.undo_denied.delete"]
    assert friend.rows("deal", "name") == [("A",)]


def test_without_the_right_to_delete_what_was_made_stays_and_what_was_changed_goes_back(
    site: ApiSite,
) -> None:
    one = person(site, "keeper")
    Records(site.call).create("deal", {"name": "Old", "code": "1", "owner": one.person.id})
    run = one.start("deal", csv_of(["name", "code"], [["New", "1"], ["B", "2"]]), mode="upsert", key="code")
    assert counted(one.run(run.id)) == {"created": 1, "updated": 1}
    undone = one.undo(run.id)
    assert undone.job is not None and undone.job.result == {"deleted": 0, "restored": 1, "left": 1}
    assert sorted(one.rows("deal", "name")) == [("B",), ("Old",)]
    assert left(one, run.id) == ["record.undo_denied.delete"]


def test_undo_of_any_operation_asks_for_the_rights_of_now(site: ApiSite) -> None:
    """The same law outside of imports: it is the write path's."""
    one, friend = person(site, "keeper"), person(site, "seller")
    records = Records(call_of(site, one.person))
    id = records.create("deal", {"name": "A"}).id
    saved = records.update("deal", id, {"name": "B", "owner": friend.person.id})
    assert saved.operation is not None
    undone = Records(call_of(site, one.person)).undo(saved.operation)
    assert [each.code for each in undone.left] == ["record.undo_denied.edit"]
    assert friend.rows("deal", "name") == [("B",)]
