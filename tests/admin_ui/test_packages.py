"""Packages in Studio: looked at, taken, upgraded beside what was changed here, removed, carried away."""

from __future__ import annotations

import io
import json
import re
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from htmlforms import posted
from models import document
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.metadata.archives import read_archive, write_archive
from tabwright.metadata.documents import Component, read
from tabwright.metadata.packages import files_in, files_of, made_of
from tabwright.metadata.tree import Tree
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

HEAD = {"name": "demo", "version": "1.0", "label": {"zh": "示范包", "en": "Demo"}, "samples": ["thing"]}
CSV = "@key,name,note,@owner\nk1,First,@today,0\nk2,Second,,1\n"
LOOKER = {
    "kind": "permission_set", "name": "looker", "label": {"zh": "查看者", "en": "Looker"},
    "system": ["view_setup"], "objects": {"*": ["read"]}, "fields": {"*": {"*": "read"}}, "tabs": ["*"],
}  # fmt: skip
OWN = {"own": {"name": "text(80) required"}}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    yield from opened(request.param)


@pytest.fixture
def site() -> Iterator[PageSite]:
    yield from opened("sqlite")


def opened(dialect: str) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(dialect, Path(folder)) as made:
        made.publish(OWN, [LOOKER])
        yield made


def packed(version: str = "1.0", csv: str = CSV, head: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """A package with the object ``thing``, as one file. ``fields``: bodies by name; None leaves one out."""
    label = {"zh": "物品", "en": "Thing"}
    given = {"note": {"type": "text", "label": {"zh": "备注", "en": "Note"}}, **fields}
    parts = [
        document("object", "thing", label=label, plural={"en": "Things"}, name_field="name", sharing="edit"),
        document("field", "thing.name", type="text", label={"zh": "名称", "en": "Name"}, required=True),
        *(document("field", f"thing.{name}", **body) for name, body in given.items() if body is not None),
        document(
            "permission_set", "thing_user", label={"zh": "物品用户", "en": "Thing users"},
            objects={"thing": ["create", "edit"]}, fields={"thing": {"*": "edit"}}, tabs=["*"],
        ),
    ]  # fmt: skip
    package = made_of({**HEAD, "version": version, **(head or {})}, [read(each) for each in parts])
    return write_archive(files_of(package, {"thing": csv} if package.samples else {}))


def field(label: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "label": {"zh": label, "en": label}, **more}


def upload(admin: Visitor, data: bytes, name: str = "demo.zip") -> TestResponse:
    admin.get("/studio/packages")
    form = posted(admin.last, "upload-form")
    answer = admin.client.post(
        "/studio/packages/upload",
        data={**form, "file": (io.BytesIO(data), name)},
        headers={"Accept": "text/html"},
    )
    admin.last = answer.text
    return answer


def offered(admin: Visitor, data: bytes) -> str:
    """The address of the plan of a package."""
    answer = upload(admin, data)
    assert answer.status_code == 303, readable(answer)
    path = answer.headers["Location"]
    assert admin.get(path).status_code == 200
    return str(path)


def take(admin: Visitor, path: str, do: str, **choices: str) -> TestResponse:
    """Press a button of the plan that was seen last."""
    form = posted(admin.last, "offer-form").to_dict()
    return admin.post(path, {**form, **choices, "do": do})


def install(admin: Visitor, data: bytes) -> None:
    answer = take(admin, offered(admin, data), "publish")
    assert answer.status_code == 303, readable(answer)


def tree(site: PageSite) -> Tree:
    with site.call.tenant.store.read() as reader:
        return site.site.releases.stored.tree(reader, site.site.releases.current(reader))


def number(site: PageSite) -> int:
    with site.call.tenant.store.read() as reader:
        return site.site.releases.current(reader)


def label_of(site: PageSite, name: str) -> str:
    there = tree(site).get("field", name)
    return str(there.body["label"]["en"]) if there is not None else ""


def change(site: PageSite, component: Component, **values: Any) -> None:
    """Somebody here changes a component and publishes it."""
    found = tree(site).changed([read({**component.document, **values})])
    site.publishing.publish_tree(Principal.system(), found, number(site))


def count(site: PageSite, object: str) -> int:
    return Reads(site.call).list(Query(object, count=True)).count or 0


def test_a_package_is_looked_at_before_it_is_published(both: PageSite) -> None:
    admin = both.person("ada", "administrator", language="en")
    before = number(both)
    path = offered(admin, packed())
    seen = readable(admin.last)
    assert "5 new" not in seen and "4 new" in seen and "Thing users" in seen
    assert "Comes with sample records" in seen
    assert number(both) == before, "looking changes nothing"
    answer = take(admin, path, "publish")
    admin.follow(answer)
    assert number(both) == before + 1
    seen = readable(admin.last)
    assert "demo 1.0" in seen and "Thing" in seen
    marks = {each.body.get("package") for each in tree(both) if each.name.startswith("thing")}
    assert marks == {"demo"}
    admin.get(offered(admin, packed()))
    assert "nothing would change" in readable(admin.last)


def test_a_package_may_go_into_the_draft(both: PageSite) -> None:
    admin = both.person("ada", "administrator", language="en")
    before = number(both)
    answer = take(admin, offered(admin, packed()), "draft")
    assert answer.headers["Location"] == "/studio/plan" and number(both) == before
    admin.get("/studio/plan")
    form = posted(admin.last, "plan-form").to_dict()
    admin.follow(admin.post("/studio/publish", form))
    assert number(both) == before + 1
    admin.get("/studio/packages")
    assert "demo 1.0" in readable(admin.last), "the version is known from the draft's release on"
    admin.post("/studio/discard", {})
    take(admin, offered(admin, packed("2.0", extra=field("Extra"))), "draft")
    admin.get("/studio/plan")
    admin.post("/studio/discard", {})
    admin.get("/studio/packages")
    assert "demo 1.0" in readable(admin.last), "a draft that was thrown away brought nothing"


def test_an_upgrade_keeps_what_was_changed_here_and_lets_choose(both: PageSite) -> None:
    admin = both.person("ada", "administrator", language="en")
    install(admin, packed(other=field("Other")))
    mine = tree(both).get("field", "thing.note")
    other = tree(both).get("field", "thing.other")
    assert mine is not None and other is not None
    change(both, mine, label={"zh": "我的", "en": "Ours"})
    change(both, other, help={"zh": "帮助", "en": "Our help"})
    newer = packed("2.0", note=field("Theirs"), other=field("Other"), extra=field("Extra"))
    path = offered(admin, newer)
    seen = readable(admin.last)
    assert "1.0 is installed" in seen and "1 components were changed both here and in the package" in seen
    row = admin.last[admin.last.index("is-both") :]
    assert "Ours" in row and "Theirs" in row, "side by side"
    assert "1 components stay as you changed them" in seen
    take(admin, path, "look", **{f"take.{mine.uid}": "theirs"})
    assert f'name="take.{mine.uid}" value="theirs" checked' in admin.last
    admin.get(path)
    admin.follow(take(admin, path, "publish"))
    assert label_of(both, "thing.note") == "Ours" and label_of(both, "thing.extra") == "Extra"
    assert tree(both).get("field", "thing.other").body["help"]["en"] == "Our help"  # type: ignore[union-attr]
    path = offered(admin, newer)
    assert "changed both" not in readable(admin.last), "what was decided is not asked again"
    admin.follow(take(admin, path, "publish", **{f"take.{mine.uid}": "theirs"}))
    assert label_of(both, "thing.note") == "Theirs"


def test_restoring_a_release_brings_its_version_back(both: PageSite) -> None:
    admin = both.person("ada", "administrator", language="en")
    install(admin, packed())
    first = number(both)
    install(admin, packed("2.0", extra=field("Extra")))
    both.publishing.restore(Principal.system(), first)
    admin.get("/studio/packages")
    assert "demo 1.0" in readable(admin.last)
    install(admin, packed("2.0", extra=field("Extra")))
    assert label_of(both, "thing.extra") == "Extra", "2.0 is new again, not what somebody took out"


def test_names_that_others_have_and_missing_requirements_are_told(site: PageSite) -> None:
    admin = site.person("ada", "administrator", language="en")
    site.publish({"thing": {"name": "text(80)"}})
    offered(admin, packed(head={"name": "other"}))
    seen = readable(admin.last)
    assert "cannot be installed" in seen and 'value="publish"' not in admin.last
    offered(admin, packed(head={"requires": {"missing": ">=1"}}))
    assert "missing" in readable(admin.last) and 'value="publish"' not in admin.last
    before = number(site)
    path = offered(admin, packed(head={"requires": {"tabwright": ">=99"}}))
    answer = admin.post(path, {"do": "publish", "expected": str(before)})
    assert answer.status_code == 409 and number(site) == before


def test_broken_and_hostile_files_are_told_with_their_place(site: PageSite) -> None:
    admin = site.person("ada", "administrator", language="en")
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("package.json", json.dumps(HEAD | {"samples": []}))
        archive.writestr("field/a.b.json", '{"kind": "field", "uid": ' + "9" * 5000 + "}")
        archive.writestr("object/a.json", '{"kind": "object",')
    answer = upload(admin, made.getvalue())
    assert answer.status_code == 422
    assert "field/a.b.json" in readable(answer) and "object/a.json:1" in readable(answer)
    for data in (b"", b"hello", b"PK\x03\x04junk"):
        assert upload(admin, data).status_code == 422
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("package.json", "{}")
        archive.writestr("../../evil.json", "{}")
    answer = upload(admin, made.getvalue())
    assert answer.status_code == 422 and "evil.json" in readable(answer)
    hostile = {"zh": "<img src=x onerror=alert(1)>", "en": "<img src=x onerror=alert(1)>{{ 7*7 }}"}
    offered(admin, packed(head={"label": hostile, "description": hostile}))
    assert "<img src=x" not in admin.last and "{{ 7*7 }}" in readable(admin.last)


def test_samples_are_loaded_and_taken_back(both: PageSite) -> None:
    admin = both.person("ada", "administrator", language="en")
    install(admin, packed())
    both.person("li", "thing_user")
    admin.get("/studio/packages")
    page = admin.post("/studio/packages/demo/samples", {}).headers["Location"]
    assert "Loading" in readable(admin.get(page))
    both.site.runner.run_due(both.location)
    assert "2 sample records were loaded" in readable(admin.get(page))
    assert count(both, "thing") == 2
    assert admin.post("/studio/packages/demo/samples", {}).status_code == 409
    admin.get("/studio/packages")
    assert "Take sample records back" in readable(admin.last)
    page = admin.post("/studio/packages/demo/samples/remove", {}).headers["Location"]
    both.site.runner.run_due(both.location)
    assert "2 sample records were taken back" in readable(admin.get(page))
    assert count(both, "thing") == 0


def test_samples_go_nowhere_but_into_the_packages_objects(site: PageSite) -> None:
    """The platform writes samples, so a package could give anybody every right."""
    admin = site.person("ada", "administrator", language="en")
    package = made_of({**HEAD, "samples": ["permission_assignment"]}, [])
    files = files_of(package, {"permission_assignment": "@key,user,permission_set\nk,x,y\n"})
    source = read_archive(packed())
    files |= {path: data for path, data in source.items() if path.startswith(("object/", "field/"))}
    install(admin, write_archive(files))
    admin.get("/studio/packages")
    held = count(site, "permission_assignment")
    answer = admin.post("/studio/packages/demo/samples", {})
    assert answer.status_code in (403, 404, 422)
    site.site.runner.run_due(site.location)
    assert count(site, "permission_assignment") == held


def test_samples_that_are_broken_say_so_and_leave_nothing(site: PageSite) -> None:
    admin = site.person("ada", "administrator", language="en")
    install(admin, packed(csv="@key,name,note,@owner\nk1,First,,0\nk2,Second,,x\n"))
    admin.get("/studio/packages")
    page = admin.post("/studio/packages/demo/samples", {}).headers["Location"]
    site.site.runner.run_due(site.location)
    site.person("li", "thing_user")
    seen = readable(admin.get(page))
    assert "did not work" in seen
    assert count(site, "thing") == 0


def test_removing_tells_what_goes_what_stays_and_what_is_in_the_way(both: PageSite) -> None:
    admin = both.person("ada", "administrator", language="en")
    before = tree(both)
    install(admin, packed())
    both.records.create("thing", {"name": "kept"})
    with_package = tree(both)
    both.publish({}, [document("field", "thing.mine", type="text", label={"en": "Mine"})])
    admin.get("/studio/packages/demo/remove")
    seen = readable(admin.last)
    assert "It cannot be removed" in seen and "Thing › Mine" in seen or "Mine" in seen
    assert admin.post("/studio/packages/demo/remove", {"expected": str(number(both))}).status_code == 409
    mine = tree(both).get("field", "thing.mine")
    assert mine is not None
    both.publishing.publish_tree(Principal.system(), tree(both).changed((), [mine.uid]), number(both))
    assert tree(both) == with_package
    admin.get("/studio/packages/demo/remove")
    assert "kept for 30 days" in readable(admin.last)
    form = posted(admin.last, "remove-form").to_dict()
    assert admin.post("/studio/packages/demo/remove", {**form, "expected": "1"}).status_code == 409
    admin.follow(admin.post("/studio/packages/demo/remove", form))
    assert tree(both) == before, "no residue"
    install(admin, packed())
    assert count(both, "thing") == 1, "its records came back with it"


def test_a_template_of_the_product_is_one_click_away(site: PageSite) -> None:
    admin = site.person("ada", "administrator", language="en")
    admin.get("/studio/packages")
    assert "CRM" in readable(admin.last)
    path = admin.post("/studio/packages/template", {"name": "crm"}).headers["Location"]
    admin.get(path)
    assert "Comes with sample records" in readable(admin.last)
    admin.follow(take(admin, path, "publish"))
    assert tree(site).get("object", "opportunity") is not None
    assert admin.post("/studio/packages/template", {"name": "../secret"}).status_code == 404


def test_what_is_here_can_be_carried_away_and_installed_again(site: PageSite) -> None:
    admin = site.person("ada", "administrator", language="en")
    install(admin, packed())
    there = tree(site).get("field", "thing.note")
    assert there is not None
    change(site, there, label={"zh": "我的", "en": "Ours"})
    data = admin.client.get("/studio/packages/demo/download").data
    files = read_archive(data)
    assert files["samples/thing.csv"].decode() == CSV
    assert json.loads(files["field/thing.note.json"])["label"]["en"] == "Ours"
    assert "package" not in json.loads(files["field/thing.note.json"])

    admin.get("/studio/packages/new")
    form = {
        "name": "mine",
        "version": "1.0",
        "label_zh": "我的包",
        "about_zh": "说明",
        "part": ["object/own"],
    }
    answer = admin.post("/studio/packages/new", form)
    assert answer.content_type == "application/zip", readable(answer)
    files = read_archive(answer.data)
    assert "object/own.json" in files and "field/own.name.json" in files
    assert json.loads(files["package.json"])["label"] == {"zh": "我的包"}


def test_a_package_that_lacks_something_is_not_made(site: PageSite) -> None:
    site.publish(
        {"thing": {"name": "text(80)", "own": "lookup(own)"}},
    )
    admin = site.person("ada", "administrator", language="en")
    admin.get("/studio/packages/new")
    form = {"name": "mine", "version": "1.0", "label_en": "Mine", "part": ["object/thing"]}
    answer = admin.post("/studio/packages/new", form)
    assert answer.status_code == 422 and "field/thing.own" in readable(answer)
    assert re.search(r'value="object/thing" checked', admin.last), "the choice is kept"
    assert (
        admin.post("/studio/packages/new", {**form, "part": ["object/thing", "object/own"]}).status_code
        == 200
    )
    empty = admin.post("/studio/packages/new", {"name": "Base!", "version": "x"})
    assert empty.status_code == 422 and readable(empty).count("package") > 1


def test_who_only_looks_sees_packages_and_changes_nothing(site: PageSite) -> None:
    admin = site.person("ada", "administrator")
    install(admin, packed())
    path = offered(admin, packed("2.0", extra=field("Extra")))
    looker = site.person("lo", "looker")
    assert looker.get("/studio/packages").status_code == 200
    assert 'action="/studio/packages/upload"' not in looker.last
    for method, address in (
        ("post", "/studio/packages/upload"), ("post", "/studio/packages/template"),
        ("get", path), ("post", path),
        ("get", "/studio/packages/demo/remove"), ("post", "/studio/packages/demo/remove"),
        ("post", "/studio/packages/demo/samples"),
    ):  # fmt: skip
        answer = looker.get(address) if method == "get" else looker.post(address, {})
        assert answer.status_code == 403, address
    other = site.person("bo", "administrator")
    assert other.get(path).status_code == 404, "an offer is its bringer's"


def test_the_same_files_as_a_folder_and_as_an_archive(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "templates" / "crm"
    shutil.make_archive(str(tmp_path / "crm"), "gztar", source.parent, "crm")
    files = read_archive((tmp_path / "crm.tar.gz").read_bytes())
    assert files == files_in(source)
