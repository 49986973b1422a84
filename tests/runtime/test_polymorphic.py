"""A field that names a record of one of several objects: what becomes of it when they go, who sees what of
it, and how it is found, imported and written about.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from desks import Desk, desk_of
from importing import Importer, csv_of
from pagesite import make_pages, readable
from stores import DIALECTS
from tabwright.metadata.references import renamed
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Invalid, TabwrightError
from tabwright.runtime.access.principal import Principal

OBJECTS: models.Compact = {
    "account": {"name": "text required searchable sortable", "city": "text"},
    "lead": {"name": "text required searchable sortable", "score": "integer"},
    "task": {
        "name": "text required",
        "related": {"type": "polymorphic", "options": {"targets": ["lead", "account"]}},
        "held": {
            "type": "polymorphic",
            "options": {"targets": ["lead", "account"], "on_delete": "restrict"},
        },
        "part": {"type": "polymorphic", "options": {"targets": ["account"], "on_delete": "cascade"}},
    },
}
RULE = {
    "kind": "validation_rule",
    "name": "task.only_shanghai",
    "condition": 'related.account.city = "Peking"',
    "message": {"en": "Not in Peking"},
}


@pytest.fixture(scope="module", params=DIALECTS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as pages:
        pages.publish(OBJECTS, [RULE])
        yield desk_of(pages)


def test_an_id_alone_says_which_kind_it_is_of(desk: Desk) -> None:
    lead = desk.create("lead", name="Lena")
    task = desk.create("task", name="by id", related=lead)
    assert desk.get("task", task)["related"] == {"object": "lead", "id": lead}
    one = desk.api.get(
        f"/objects/task/records/{task}", fields="related.name,related.lead.score,related.account"
    )
    assert one.json["related.name"] == "Lena" and one.json["related.account"] is None


def test_a_deleted_record_empties_the_field_and_comes_back_into_it(desk: Desk) -> None:
    account = desk.create("account", name="Gone")
    task = desk.create("task", name="t", related={"object": "account", "id": account})
    assert desk.api.delete(f"/objects/account/records/{account}").status_code == 204
    assert desk.get("task", task)["related"] is None
    desk.admin.get("/bin")
    assert desk.admin.post(f"/o/account/{account}/restore", {}).status_code == 303
    assert desk.get("task", task)["related"] == {"object": "account", "id": account}


def test_a_restricting_field_keeps_what_it_names_and_a_cascading_one_goes_with_it(desk: Desk) -> None:
    lead, account = desk.create("lead", name="Held"), desk.create("account", name="Whole")
    desk.create("task", name="holds", held=lead)
    refused = desk.api.delete(f"/objects/lead/records/{lead}")
    assert refused.status_code == 409 and refused.json["faults"][0]["code"] == "record.in_use"
    assert "1" in readable(desk.admin.get(f"/o/lead/{lead}/delete"))
    part = desk.create("task", name="part", part=account)
    assert desk.api.delete(f"/objects/account/records/{account}").status_code == 204
    assert desk.api.get(f"/objects/task/records/{part}").status_code == 404


def test_each_target_shows_its_list_and_makes_a_record_that_names_it(desk: Desk) -> None:
    lead, account = desk.create("lead", name="Lee"), desk.create("account", name="Acme")
    desk.create("task", name="call Lee", related=lead)
    desk.create("task", name="visit Acme", related=account)
    page = readable(desk.admin.get(f"/o/lead/{lead}"))
    assert "call Lee" in page and "visit Acme" not in page
    desk.admin.get(f"/o/task/new?related={account}")
    form = desk.admin.form()
    assert form["related.text"] == "Acme"
    made = desk.admin.post("/o/task/new", {**form, "name": "from Acme"})
    assert made.status_code == 303, readable(made)
    assert desk.get("task", made.headers["Location"].rpartition("/")[2])["related"]["id"] == account


def test_the_search_of_the_input_offers_every_kind_and_says_which(desk: Desk) -> None:
    desk.create("lead", name="Quasar one")
    desk.create("account", name="Quasar two")
    offered = desk.admin.get("/o/task/lookup/related?q=quasar")
    said = readable(offered)
    assert "Lead" in said and "Account" in said and "one" in said and "two" in said
    only = readable(desk.admin.get("/o/task/lookup/related.account?q=quasar"))
    assert "two" in only and "one" not in only


def test_two_of_one_name_are_offered_to_choose_from(desk: Desk) -> None:
    desk.create("lead", name="Twin")
    account = desk.create("account", name="Twin")
    desk.admin.get("/o/task/new")
    form = {**desk.admin.form(), "name": "which"}
    refused = desk.admin.post("/o/task/new", {**form, "related.text": "Twin"})
    assert refused.status_code == 422 and account in refused.text.replace("-", "")
    chosen = desk.admin.post("/o/task/new", {**form, "related.text": "Twin", "related": account})
    assert chosen.status_code == 303
    id = chosen.headers["Location"].rpartition("/")[2]
    assert desk.get("task", id)["related"] == {"object": "account", "id": account}


def test_filters_ask_for_the_kind_the_record_and_what_stands_behind_it(desk: Desk) -> None:
    lead, account = desk.create("lead", name="Fil", score=7), desk.create("account", name="Ter", city="Wuhan")
    desk.create("task", name="f-lead", related=lead)
    desk.create("task", name="f-account", related=account)
    desk.create("task", name="f-none")
    mine = 'BEGINS(name, "f-") && '
    assert desk.found(mine + "NOT ISBLANK(related.lead)") == {"f-lead"}
    assert desk.found(mine + f'IN(related.account, "{account}")') == {"f-account"}
    assert desk.found(mine + "ISBLANK(related)") == {"f-none"}
    assert desk.found(mine + "related.lead.score > 5") == {"f-lead"}
    assert desk.found(mine + 'related.account.city = "Wuhan"') == {"f-account"}
    assert desk.found(mine + 'CONTAINS(related.name, "er")') == {"f-account"}
    listed = readable(desk.admin.get("/o/task"))
    assert "Fil" in listed and "Ter" in listed


def test_a_rule_reads_what_stands_behind_one_kind(desk: Desk) -> None:
    here, there = (
        desk.create("account", name="H", city="Wuhan"),
        desk.create("account", name="P", city="Peking"),
    )
    desk.create("task", name="fine", related=here)
    desk.create("task", name="fine", related=desk.create("lead", name="L"))
    refused = desk.api.post("/objects/task/records", {"name": "no", "related": there})
    assert refused.status_code == 422 and refused.json["faults"][0]["code"] == "record.rule"


def test_who_may_not_read_the_record_cannot_name_it_and_sees_its_name_only(desk: Desk) -> None:
    hidden = desk.create("account", name="Hidden Ltd", city="Suzhou")
    visitor = desk.pages.person("reader", "standard_user", language="en")
    task = desk.create("task", name="shared", related=hidden, owner=str(visitor.user_id))
    person = desk.api_of(visitor)
    seen = person.get(f"/objects/task/records/{task}", fields="related.name,related.account.city")
    assert (seen.json["related.name"], seen.json["related.account.city"]) == ("Hidden Ltd", None)
    assert desk.found('related.account.city = "Suzhou"', person) == set()
    refused = person.post("/objects/task/records", {"name": "mine", "related": hidden})
    assert {each["code"] for each in refused.json["faults"]} == {"value.no_such_record"}


def test_a_file_says_the_kind_before_the_name_where_one_name_is_of_two(desk: Desk) -> None:
    lead, account = desk.create("lead", name="Both"), desk.create("account", name="Both")
    single = desk.create("lead", name="Single")
    importer = Importer(desk, desk.api)  # type: ignore[arg-type]
    rows = [
        ["i1", "account: Both"], ["i2", "Lead：Both"], ["i3", "Single"], ["i4", f"account:{account}"],
        ["i5", "Both"], ["i6", "lead: Nobody"],
    ]  # fmt: skip
    run = importer.run(importer.start("task", csv_of(["name", "related"], rows)).id)
    assert run.counts["created"] == 4 and run.counts["failed"] == 2, (run.counts, run.error)
    found = {name: value and value.hex for name, value in importer.rows("task", "name", "related")}
    assert [found[f"i{n}"] for n in (1, 2, 3, 4)] == [account, lead, single, account]
    problems = desk.api.get(f"/imports/{run.id.hex}/problems").json["problems"]
    assert [each["faults"][0]["code"] for each in problems] == ["import.ambiguous", "import.unknown_record"]


def test_an_export_is_read_back(desk: Desk) -> None:
    lead = desk.create("lead", name="Export")
    task = desk.create("task", name="exported", related=lead)
    form = {"format": "csv", "id": task, "columns": "name,related", "order": "name", "where": ""}
    desk.admin.get("/o/task")
    for names, cell in (("labels", "Lead: Export"), ("api", f"lead:{lead}")):
        plain = desk.admin.post("/o/task/export", {**form, "names": names})
        assert plain.status_code == 200 and cell in plain.get_data().decode("utf-8-sig")


def test_a_renamed_target_is_renamed_in_formulas_and_targets(desk: Desk) -> None:
    tree = models.tree(OBJECTS, [RULE])
    changed = {each.name: each for each in renamed(tree, _part(tree, "account"), "company")}
    assert changed["task.related"].body["options"]["targets"] == ["lead", "company"]
    assert changed["task.only_shanghai"].body["condition"] == 'related.company.city = "Peking"'


def test_a_target_that_is_none_is_refused_at_its_place() -> None:
    bad = {
        **OBJECTS,
        "task": {"name": "text", "related": {"type": "polymorphic", "options": {"targets": []}}},
    }
    with pytest.raises(TabwrightError):
        models.model(bad)
    wrong = {**RULE, "condition": 'related.task.name = "x"'}
    with pytest.raises(Invalid) as refused:
        models.model(OBJECTS, [wrong])
    assert {each.code for each in refused.value.faults} == {"FORMULA_UNKNOWN_FIELD_OF"}


def test_what_a_target_loses_with_its_place_among_the_targets(desk: Desk) -> None:
    """A kind that is taken off the list: its records stand, unnamed, and are written no more."""
    lead = desk.create("lead", name="Old kind")
    task = desk.create("task", name="old", related=lead)
    release = desk.pages.call.model.release
    fewer = {"type": "polymorphic", "options": {"targets": ["account"]}}
    desk.pages.publish({**OBJECTS, "task": {**OBJECTS["task"], "related": fewer}})
    assert desk.get("task", task)["related"] == {"object": None, "id": lead}
    assert desk.api.patch(f"/objects/task/records/{task}", {"name": "still"}).status_code == 200
    refused = desk.api.post("/objects/task/records", {"name": "new", "related": lead})
    assert {each["code"] for each in refused.json["faults"]} == {"value.no_such_record"}
    desk.pages.publishing.restore(Principal.system(), release)
    assert desk.get("task", task)["related"] == {"object": "lead", "id": lead}


def _part(tree: Tree, name: str) -> Any:
    found = tree.get("object", name)
    assert found is not None
    return found


def test_links_are_ids_that_know_their_kind() -> None:
    from tabwright.metadata.links import Link

    id = UUID(int=7)
    link = Link("a" * 32, id)
    assert link == id and hash(link) == hash(id) and Link.of(link.text) == link
    assert Link.of(link.text).kind == "a" * 32
