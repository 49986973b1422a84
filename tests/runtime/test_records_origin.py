"""Whose a new record is, when it was made and by whom: said by right only, whatever way it comes in."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

import models
from apisite import ApiSite, Person, make_api
from importing import Importer, call_of, counted, csv_of
from stores import DIALECTS
from tabwright.platform.errors import Denied, Invalid, TabwrightError
from tabwright.runtime.records.service import Records

OBJECTS: models.Compact = {"note": {"name": "text(40) required", "code": "text(10) unique"}}
RIGHTS: dict[str, tuple[list[str], list[str]]] = {
    "plain": (["create", "read", "edit", "import", "view_all"], ["import"]),
    "giver": (["create", "read", "edit", "import", "view_all", "transfer"], ["import"]),
    "historian": (["create", "read", "edit", "import", "view_all"], ["import", "set_audit_fields"]),
    "only_edits": (["read", "edit", "import", "view_all"], ["import", "set_audit_fields"]),
}
SETS = [
    {
        "kind": "permission_set",
        "name": name,
        "system": system,
        "objects": {"note": objects},
        "fields": {"note": {"*": "edit"}},
    }
    for name, (objects, system) in RIGHTS.items()
]
THEN = datetime(2017, 3, 1, 4, 5, 6, tzinfo=UTC)


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS, SETS)
        yield made


_count = itertools.count(1)


@pytest.fixture
def people(site: ApiSite) -> dict[str, Person]:
    """One new person of each kind."""
    return {name: site.person(f"{name}{next(_count)}", name) for name in RIGHTS}


def create(site: ApiSite, person: Person, **values: Any) -> Any:
    return Records(call_of(site, person)).create("note", {"name": "N", **values}).id


def origin(site: ApiSite, id: Any) -> tuple[Any, Any, Any]:
    read = site.admin.get(f"/objects/note/records/{id.hex}").json
    return read["created_at"], read["created_by"], read["owner"]


def refusal(site: ApiSite, person: Person, **values: Any) -> tuple[type[TabwrightError], str]:
    with pytest.raises((Invalid, Denied)) as caught:
        create(site, person, **values)
    return type(caught.value), caught.value.code


def test_who_has_the_right_says_when_a_record_was_made_and_by_whom(
    site: ApiSite, people: dict[str, Person]
) -> None:
    id = create(site, people["historian"], created_at=THEN, created_by=people["plain"].id)
    made, by, owner = origin(site, id)
    assert datetime.fromisoformat(made) == THEN
    assert (by, owner) == (people["plain"].id.hex, people["historian"].id.hex)


def test_without_the_right_these_fields_are_read_only(site: ApiSite, people: dict[str, Person]) -> None:
    for name in ("plain", "giver"):
        assert refusal(site, people[name], created_at=THEN) == (Invalid, "field.read_only")
        assert refusal(site, people[name], created_by=people["plain"].id) == (Invalid, "field.read_only")
    answer = people["plain"].post("/objects/note/records", {"name": "N", "created_at": THEN.isoformat()})
    assert answer.status_code == 422, answer.text
    answer = people["historian"].post("/objects/note/records", {"name": "N", "created_at": THEN.isoformat()})
    assert answer.status_code == 201, answer.text


def test_a_token_without_the_system_right_has_it_not(site: ApiSite, people: dict[str, Person]) -> None:
    scope = {"objects": {"note": ["create", "read"]}, "system": []}
    records = Records(call_of(site, people["historian"], scope))
    with pytest.raises(Invalid) as caught:
        records.create("note", {"name": "N", "created_at": THEN})
    assert caught.value.code == "field.read_only"


def test_nothing_is_made_in_the_future_or_by_nobody(site: ApiSite, people: dict[str, Person]) -> None:
    person = people["historian"]
    later = site.site.clock.now() + timedelta(days=1)
    assert refusal(site, person, created_at=later)[1] == "record.created_in_future"
    assert refusal(site, person, created_by=site.site.ids.new())[1] == "value.no_such_record"


def test_what_is_said_of_its_making_never_changes(site: ApiSite, people: dict[str, Person]) -> None:
    records = Records(call_of(site, people["historian"]))
    id = create(site, people["historian"], created_at=THEN)
    with pytest.raises(Invalid) as caught:
        records.update("note", id, {"created_at": THEN + timedelta(days=1)})
    assert caught.value.code == "field.read_only_after_create"
    assert not records.update("note", id, {"created_at": THEN}).changed
    assert datetime.fromisoformat(origin(site, id)[0]) == THEN


def test_a_record_for_somebody_else_needs_the_right_to_transfer(
    site: ApiSite, people: dict[str, Person]
) -> None:
    other = people["historian"].id
    assert refusal(site, people["plain"], owner=other) == (Denied, "record.owner_denied")
    assert origin(site, create(site, people["plain"], owner=people["plain"].id))[2] == people["plain"].id.hex
    assert origin(site, create(site, people["giver"], owner=other))[2] == other.hex
    denied = people["plain"].post("/objects/note/records", {"name": "N", "owner": other.hex})
    assert denied.status_code == 403, denied.text


def test_a_file_says_owner_and_origin_by_the_same_rights(site: ApiSite, people: dict[str, Person]) -> None:
    name = f"Chen {next(_count)}"
    chen = Records(site.call).create("user", {"name": name, "address": f"c{next(_count)}@example.com"}).id
    code = f"c{next(_count)}"
    text = csv_of(["name", "code", "by", "at", "whose"], [["N", code, name, "2017/3/1 12:05:06", name]])
    columns = {"by": {"field": "created_by"}, "at": {"field": "created_at"}, "whose": {"field": "owner"}}

    plain = Importer(site, people["plain"])
    run = plain.start("note", text)
    with pytest.raises(Invalid) as caught:
        plain.imports.change(run.id, {"columns": columns})
    assert [each.code for each in caught.value.faults] == ["import.field_read_only"] * 2
    plain.imports.change(run.id, {"columns": {"whose": {"field": "owner"}}})
    assert counted(plain.check(run.id)) == counted(plain.run(run.id)) == {"failed": 1}
    [problem] = plain.imports.problems(run.id, "run")
    assert [each.code for each in problem.faults] == ["record.owner_denied"]

    admin = Importer(site, site.person(f"mover{next(_count)}", "administrator"))
    run = admin.start("note", text)
    assert "created_at" not in {each.field for each in run.settings.columns.values()}  # chosen, never guessed
    admin.imports.change(run.id, {"columns": columns})
    assert counted(admin.check(run.id)) == counted(admin.run(run.id)) == {"created": 1}
    [(id, at, by, owner)] = [
        row[1:] for row in admin.rows("note", "code", "id", "created_at", "created_by", "owner")
        if row[0] == code
    ]  # fmt: skip
    assert (at, by, owner) == (THEN, chen, chen)  # 12:05 in Shanghai
    again = admin.start("note", text, mode="upsert", key="code", columns=columns)
    assert counted(admin.check(again.id)) == {"unchanged": 1}
    other = admin.start(
        "note", text.replace("2017/3/1", "2018/3/1"), mode="upsert", key="code", columns=columns
    )
    assert counted(admin.check(other.id)) == {"failed": 1}
    with pytest.raises(Invalid) as caught:
        admin.imports.change(other.id, {"mode": "update"})
    assert {each.code for each in caught.value.faults} == {"import.field_read_only"}
    assert id is not None
