"""R15: what was opened on one release and is sent on a later one is taken under a stated rule or refused."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from apisite import ApiSite
from apisite import api as api
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.metadata.drafts import Change, Delete, Put, Rename
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.query.reads import Reads

OBJECTS: models.Compact = {
    "firm": {"name": "text required"},
    "visit": {"name": "text required", "place": "text", "firm": "lookup(firm)", "done": "boolean"},
}


@pytest.fixture(params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS)
        yield made


def publish(site: PageSite, *changes: Change) -> None:
    author = Principal.system().user_id
    with site.call.tenant.store.write() as writer:
        site.publishing.drafts.patch(writer, author, changes, at=site.site.clock.now())
    site.publishing.publish(Principal.system())


def field(name: str, **body: Any) -> Put:
    """A change of a field that is there."""
    found = next(each for each in models.documents(OBJECTS) if each["name"] == name)
    return Put({**found, **body})


def opened(site: PageSite) -> tuple[Visitor, str, dict[str, str]]:
    """Somebody who opened the form of a record and typed into each input."""
    firm = site.records.create("firm", {"name": "Acme"}).id
    values = {"name": "first", "place": "Wuxi", "firm": str(firm), "done": True}
    id = site.records.create("visit", values).id
    somebody = site.person("ada", "administrator", language="en")
    path = f"/o/visit/{id}/edit"
    assert somebody.get(path).status_code == 200
    return somebody, path, {**somebody.form(), "name": "second", "place": "Suzhou"}


def record(path: str) -> UUID:
    return UUID(path.split("/")[3])


def values(site: PageSite, path: str) -> dict[str, Any]:
    return dict(Reads(site.call).get("visit", record(path)))


def test_a_removed_field_comes_back_as_a_difference(site: PageSite) -> None:
    ada, path, form = opened(site)
    publish(site, Delete("field", "visit.place"))
    answer = ada.post(path, form)
    assert answer.status_code == 409
    said = readable(answer)
    assert "“place” is no longer on it" in said and "“Suzhou”" in said
    assert values(site, path)["name"] == "first", "nothing was written"
    again = ada.form()
    assert again["name"] == "second" and "place" not in again
    assert ada.post(path, again).status_code == 303
    assert values(site, path)["name"] == "second"


def test_a_removed_field_that_was_not_touched_is_no_matter(site: PageSite) -> None:
    ada, path, form = opened(site)
    publish(site, Delete("field", "visit.place"))
    assert ada.post(path, {**form, "place": "Wuxi"}).status_code == 303
    assert values(site, path)["name"] == "second"


@pytest.mark.parametrize("name", ["firm", "done"])
def test_a_removed_lookup_and_box(site: PageSite, name: str) -> None:
    ada, path, form = opened(site)
    publish(site, Delete("field", f"visit.{name}"))
    changed = {"firm": "", "firm.text": "Beta"} if name == "firm" else {"done": "false"}
    answer = ada.post(path, {**form, **changed})
    assert answer.status_code == 409
    assert f"“{name}” is no longer on it" in readable(answer)
    assert ("“Beta”" if name == "firm" else "“false”") in readable(answer)


def test_a_renamed_field_answers_to_its_old_name(site: PageSite) -> None:
    ada, path, form = opened(site)
    publish(
        site, Rename("field", "visit.place", "visit.town"), Rename("field", "visit.firm", "visit.company")
    )
    answer = ada.post(path, {**form, "firm": "", "firm.text": ""})
    assert answer.status_code == 303
    now = values(site, path)
    assert (now["name"], now["town"], now["company"]) == ("second", "Suzhou", None)


def test_two_peoples_changes_meet_under_the_new_name(site: PageSite) -> None:
    ada, path, form = opened(site)
    publish(site, Rename("field", "visit.place", "visit.town"))
    site.records.update("visit", record(path), {"town": "Nanjing"})
    answer = ada.post(path, form)
    assert answer.status_code == 409
    said = readable(answer)
    assert all(word in said for word in ("Wuxi", "Suzhou", "Nanjing"))
    assert values(site, path)["town"] == "Nanjing"


def test_a_field_that_is_required_by_now(site: PageSite) -> None:
    ada, path, form = opened(site)
    publish(site, field("visit.place", required=True))
    answer = ada.post(path, {**form, "place": ""})
    assert answer.status_code == 422 and "Place" in readable(answer)
    assert ada.form()["name"] == "second"
    assert ada.post(path, {**ada.form(), "place": "Suzhou"}).status_code == 303


@pytest.mark.parametrize(
    "change",
    [
        field("visit.place", read_only=True),
        Put(models.document("layout", "visit.main", sections=[{"fields": ["name", "done"]}])),
    ],
    ids=["read-only", "off-the-layout"],
)
def test_a_field_that_the_form_no_longer_takes(site: PageSite, change: Change) -> None:
    ada, path, form = opened(site)
    publish(site, change)
    answer = ada.post(path, form)
    assert answer.status_code == 409
    assert "“Place” is no longer on it" in readable(answer) and "“Suzhou”" in readable(answer)
    assert values(site, path)["place"] == "Wuxi"


def test_a_new_record_on_a_form_of_before(site: PageSite) -> None:
    ada = site.person("ada", "administrator", language="en")
    ada.get("/o/visit/new")
    form = {**ada.form(), "name": "third", "place": "Suzhou"}
    publish(site, Delete("field", "visit.place"))
    answer = ada.post("/o/visit/new", form)
    assert answer.status_code == 409 and "“Suzhou”" in readable(answer)
    assert ada.post("/o/visit/new", ada.form()).status_code == 303


def test_a_record_type_that_is_gone(site: PageSite) -> None:
    types = [models.document("record_type", f"visit.{name}") for name in ("call", "trip")]
    publish(site, *(Put(each) for each in types))
    ada = site.person("ada", "administrator", language="en")
    ada.get("/o/visit/new?record_type=trip")
    form = {**ada.form(), "name": "third"}
    publish(site, Delete("record_type", "visit.trip"))
    answer = ada.post("/o/visit/new", form)
    assert answer.status_code == 409 and "“trip” that this form was opened for" in readable(answer)
    assert ada.post("/o/visit/new", ada.form()).status_code == 303


def test_the_api_refuses_or_follows(api: ApiSite) -> None:
    api.publish(OBJECTS)
    made = api.admin.post("/objects/visit/records", {"name": "first", "place": "Wuxi"})
    path = f"/objects/visit/records/{made.json['id']}"

    def change(**body: Any) -> None:
        changed = api.admin.patch("/metadata/draft", body)
        assert changed.status_code == 200, changed.text
        assert api.admin.post("/metadata/publish", {}).status_code == 200

    change(rename=[{"kind": "field", "name": "visit.place", "to": "visit.town"}])
    tag = {"If-Match": made.headers["ETag"]}  # of the release before: the revision counts
    moved = api.admin.patch(path, {"place": "Suzhou"}, tag)
    assert (moved.status_code, moved.json["town"]) == (200, "Suzhou")
    change(delete=[{"kind": "field", "name": "visit.town"}])
    for name in ("town", "place"):
        refused = api.admin.patch(path, {name: "Nanjing", "name": "second"})
        assert refused.status_code == 422
        assert [each["field"] for each in refused.json["faults"]] == [name]
    assert api.admin.get(path).json["name"] == "first"
    change(put=[models.document("field", "visit.reason", type="text", required=True)])
    # A change answers for what it sends: only who clears the field, or makes a record, must give it.
    assert api.admin.patch(path, {"name": "second"}).status_code == 200
    cleared = api.admin.patch(path, {"reason": None, "name": "third"})
    assert cleared.status_code == 422 and [each["field"] for each in cleared.json["faults"]] == ["reason"]
    blank = api.admin.post("/objects/visit/records", {"name": "third"})
    assert blank.status_code == 422 and [each["field"] for each in blank.json["faults"]] == ["reason"]
