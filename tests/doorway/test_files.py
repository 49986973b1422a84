"""Components as files: pulled, compared, checked and published by the command, on both databases."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shells import TEMPLATE, Shell, open_shell
from stores import DIALECTS, settings_for
from tabwright.metadata.tree import Tree
from tabwright.people import system_call
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.service import Records


@pytest.fixture(params=DIALECTS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    with open_shell(request.param, tmp_path / "home") as shell:
        shell.run("tenant", "create", "a")
        yield shell


def tree_of(shell: Shell, slug: str = "a") -> Tree:
    """What is in force in a tenant."""
    with shell.site() as site:
        location = site.tenants.get(slug)
        with site.tenancy.open(location).store.read() as reader:
            return site.releases.stored.tree(reader, site.releases.current(reader))


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def change(file: Path, **values: Any) -> None:
    document = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps(document | values, ensure_ascii=False, indent=2), "utf-8")


def test_publishing_a_package_keeps_its_mark(shell: Shell, tmp_path: Path) -> None:
    shell.run("package", "install", str(TEMPLATE), "--tenant", "a")
    installed = tree_of(shell)
    assert shell.run("publish", str(TEMPLATE), "--tenant", "a") == {"release": None}
    folder = shutil.copytree(TEMPLATE, tmp_path / "crm")
    change(folder / "field" / "account.phone.json", label={"zh": "总机", "en": "Switchboard"})
    assert shell.run("publish", str(folder), "--tenant", "a")["release"] == 3
    changed = tree_of(shell)
    assert {each.uid: each.body.get("package") for each in changed} == {
        each.uid: each.body.get("package") for each in installed
    }
    (folder / "package.json").unlink()  # the same files as loose documents
    change(folder / "field" / "account.phone.json", label={"zh": "电话", "en": "Phone"})
    shell.run("publish", str(folder), "--tenant", "a")
    phone = tree_of(shell).get("field", "account.phone")
    assert phone is not None and phone.body["package"] == "crm"
    shell.run("package", "install", str(TEMPLATE), "--tenant", "a")
    assert tree_of(shell) == installed, "the installer takes it for the package's still"


def test_pulled_files_published_are_the_same_tenant(shell: Shell, tmp_path: Path) -> None:
    """publish(pull(x)) is x: here and in an empty tenant, with uids, former names and package marks."""
    shell.run("package", "install", str(TEMPLATE), "--tenant", "a")
    renamed = tmp_path / "renamed"
    shutil.copytree(TEMPLATE / "picklist", renamed / "picklist")
    change(renamed / "picklist" / "industry.json", aliases=["sector"])
    base = tree_of(shell).get("permission_set", "administrator")
    assert base is not None
    (renamed / "permission_set").mkdir()
    label = {"zh": "老板", "en": "The boss"}
    (renamed / "permission_set" / "administrator.json").write_text(
        json.dumps({**base.document, "label": label}), "utf-8"
    )
    shell.run("publish", str(renamed), "--tenant", "a")
    there = tree_of(shell)

    folder = tmp_path / "pulled"
    first = shell.run("pull", str(folder), "--tenant", "a")
    files = files_of(folder)
    assert "permission_set/administrator.json" in files, "changed by the tenant"
    assert "object/user.json" not in files, "every tenant has it just so"
    assert len(files) == first["components"] == len(first["written"]) > 100
    assert shell.run("pull", str(folder), "--tenant", "a")["written"] == []
    assert files_of(folder) == files
    assert shell.run("publish", str(folder), "--tenant", "a") == {"release": None}

    shell.run("tenant", "create", "b")
    shell.run("publish", str(folder), "--tenant", "b")
    assert tree_of(shell, "b") == there
    again = tmp_path / "again"
    shell.run("pull", str(again), "--tenant", "b")
    assert files_of(again) == files


def test_a_package_is_pulled_into_its_folder(shell: Shell, tmp_path: Path) -> None:
    shell.run("package", "install", str(TEMPLATE), "--tenant", "a")
    folder = shutil.copytree(TEMPLATE, tmp_path / "crm")
    before = files_of(folder)
    own = {"kind": "picklist", "uid": "f" * 32, "name": "own", "label": {"en": "Own"},
           "values": [{"code": "x", "label": {"en": "X"}}]}  # fmt: skip
    other = tmp_path / "own"
    (other / "picklist").mkdir(parents=True)
    (other / "picklist" / "own.json").write_text(json.dumps(own), "utf-8")
    shell.run("publish", str(other), "--tenant", "a")
    done = shell.run("pull", str(folder), "--tenant", "a")
    assert (done["written"], done["removed"]) == ([], []) and files_of(folder) == before
    assert shell.refused("pull", str(folder), "--tenant", "a", "--package", "x") == ["package.other_folder"]
    assert shell.refused("pull", str(tmp_path / "n"), "--tenant", "a", "--package", "x") == [
        "package.not_installed"
    ]
    some = tmp_path / "some"
    shell.run("pull", str(some), "--tenant", "a", "--kind", "picklist")
    assert {path.partition("/")[0] for path in files_of(some)} == {"picklist"}
    assert "picklist/own.json" in files_of(some)
    assert shell.result("pull", str(some), "--tenant", "a", "--kind", "table").exit_code == 2


def test_a_pull_removes_what_is_gone_and_nothing_else(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    (folder / "picklist").mkdir(parents=True)

    def picklist(name: str, uid: str) -> None:
        document = {"kind": "picklist", "uid": uid * 32, "name": name, "label": {"en": name},
                    "values": [{"code": "x", "label": {"en": "X"}}]}  # fmt: skip
        (folder / "picklist" / f"{name}.json").write_text(json.dumps(document), "utf-8")

    picklist("gone", "a")
    picklist("stays", "b")
    picklist("renamed", "c")
    shell.run("publish", str(folder), "--tenant", "a")
    with shell.site() as site:
        from tabwright.installing import _in_force, _publish
        from tabwright.metadata.documents import read

        location = site.tenants.get("a")
        number, tree = _in_force(site, location)
        there = tree.get("picklist", "renamed")
        assert there is not None
        new = read({**there.document, "name": "newly", "aliases": ["renamed"]})
        _publish(site, location, number, tree.changed((), ["a" * 32]), [new], "")
    picklist("not_yet", "d")
    kept = ["README.md", "picklist/broken.json", "picklist/notes.txt", "samples/gone.json", "picklist/x.json"]
    for name in kept:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("{" if "broken" in name else '{"kind": "object"}', "utf-8")
    done = shell.run("pull", str(folder), "--tenant", "a")
    assert done["removed"] == ["picklist/gone.json", "picklist/renamed.json"]
    assert done["unknown"] == ["picklist/not_yet.json"]
    assert sorted(files_of(folder)) == sorted(
        [*kept, "picklist/newly.json", "picklist/not_yet.json", "picklist/stays.json"]
    )


def test_diff_says_what_publish_would_do(shell: Shell, tmp_path: Path) -> None:
    def code(*more: str) -> int:
        return shell.result("diff", str(folder), "--tenant", "a", *more).exit_code

    folder = shutil.copytree(TEMPLATE, tmp_path / "crm")
    assert code() == 1, "all of it is new"
    shell.run("package", "install", str(folder), "--tenant", "a")
    assert code() == 0
    before = tree_of(shell)
    change(folder / "field" / "account.phone.json", label={"zh": "总机", "en": "Switchboard"})
    told = shell.result("diff", str(folder), "--tenant", "a")
    assert told.exit_code == 1
    assert "~ field/account.phone" in told.stdout and '"Switchboard"' in told.stdout
    plan = json.loads(shell.result("diff", str(folder), "--tenant", "a", "--json").stdout)
    [changed] = plan["changes"]
    assert (changed["action"], changed["name"], plan["publishable"]) == ("changed", "account.phone", True)
    assert tree_of(shell) == before, "looking changes nothing"
    change(folder / "field" / "account.phone.json", type="lookup", options={"target": "nothing"})
    assert code() == 2
    (folder / "field" / "account.phone.json").write_text("{", "utf-8")
    assert shell.refused("diff", str(folder), "--tenant", "a", code=2) == ["document.broken_json"]
    assert shell.refused("diff", str(folder), "--tenant", "nobody", code=2) == ["tenant.not_found"]


def test_a_folder_written_by_hand_is_checked_and_given_uids(tmp_path: Path) -> None:
    shell = Shell(settings_for("sqlite", tmp_path / "home"))
    folder = shutil.copytree(TEMPLATE, tmp_path / "crm")
    file = folder / "field" / "account.phone.json"
    document = json.loads(file.read_text("utf-8"))
    del document["uid"]
    file.write_text(json.dumps(document, indent=2), "utf-8")
    change(folder / "tab" / "lead.json", object="nowhere")
    for command in (("package", "check"), ("validate",)):
        codes = shell.refused(*command, str(folder))
        assert "document.no_uid" in codes and len(codes) == 2
    told = shell.result("validate", str(folder)).stderr
    assert "field/account.phone.json:1: There is no uid; run" in told
    assert re.search(r"^tab/lead\.json:\d+: .*nowhere", told, re.M)
    change(folder / "tab" / "lead.json", object="lead")
    done = shell.run("validate", str(folder), "--fix-uids")
    assert done["fixed"] == ["field/account.phone.json"] and done["components"] > 100
    assert shell.run("package", "check", str(folder), "--fix-uids")["fixed"] == []
    assert shell.refused("package", "check", str(tmp_path)) == ["package.not_found"]
    assert shell.refused("validate", str(tmp_path)) == ["cli.no_documents"]


def count_of(shell: Shell, object: str) -> int:
    with shell.site() as site:
        return Reads(system_call(site, site.tenants.get("a"))).list(Query(object, count=True)).count or 0


def test_samples_come_with_a_package_and_go_in_one_go(shell: Shell) -> None:
    install = ("package", "install", str(TEMPLATE), "--tenant", "a")
    remove = ("samples", "remove", "--tenant", "a", "--package", "crm")
    assert shell.refused(*install, "--samples") == ["import.samples_no_owner"], (
        "installed, but nobody owns samples"
    )
    assert shell.refused(*remove) == ["import.samples_none"]
    shell.run("user", "create", "li@example.com", "--tenant", "a", "--set", "sales_rep")
    said = shell.run(*install, "--samples")
    counts = said["samples"]
    assert said["release"] is None and list(counts)[:2] == ["product", "account"]
    assert counts["activity"] > 1000, "more than one chunk"
    counted = {name: count_of(shell, name) for name in counts}  # up to 1,000
    assert counted == {name: min(count, 1000) for name, count in counts.items()}
    assert shell.refused(*install, "--samples") == ["import.samples_loaded"]
    with shell.site() as site:
        call = system_call(site, site.tenants.get("a"))
        [own] = [Records(call).create("product", {"name": "Mine", "code": "MINE", "price": "1"}).id]
        some = Reads(call).list(Query("product", fields=("id",), where='code = "TW-STD"')).rows[0]["id"]
        Records(call).update("product", some, {"description": "edited by a person"})
    done = shell.run(*remove)
    assert done["records"] == sum(counts.values()) - 1
    assert [(each["code"], each["record"]) for each in done["left"]] == [("record.edited_since", str(some))]
    assert {name: count_of(shell, name) for name in counts} == dict.fromkeys(counts, 0) | {"product": 2}
    assert shell.refused(*remove) == ["import.samples_none"]
    with shell.site() as site:
        assert Reads(system_call(site, site.tenants.get("a"))).get("product", own) is not None


def test_samples_that_do_not_go_in_leave_nothing(shell: Shell, tmp_path: Path) -> None:
    folder = shutil.copytree(TEMPLATE, tmp_path / "crm")
    with (folder / "samples" / "lead.csv").open("a", encoding="utf-8") as file:
        file.write("x,No one,,no_such_status,,,,,,,,,,0\n")
    install = ("package", "install", str(folder), "--tenant", "a")
    shell.run(*install)
    shell.run("user", "create", "li@example.com", "--tenant", "a", "--set", "sales_rep")
    shell.refused(*install, "--samples")
    assert [count_of(shell, name) for name in ("product", "account", "lead")] == [0, 0, 0]
    assert shell.run("package", "install", str(TEMPLATE), "--tenant", "a", "--samples")["samples"]


def test_a_package_is_removed_without_residue_unless_others_use_it(shell: Shell, tmp_path: Path) -> None:
    remove = ("package", "remove", "crm", "--tenant", "a")
    before = tree_of(shell)
    assert shell.refused(*remove) == ["package.not_installed"]
    assert shell.refused("package", "remove", "base", "--tenant", "a") == ["package.not_installed"]
    shell.run("package", "install", str(TEMPLATE), "--tenant", "a")
    installed = tree_of(shell)
    with shell.site() as site:
        call = system_call(site, site.tenants.get("a"))
        made = Records(call).create("product", {"name": "Kept", "code": "K", "price": "1"}).id
    own = tmp_path / "own"
    (own / "field").mkdir(parents=True)
    field = {"kind": "field", "uid": "f" * 32, "name": "user.region", "label": {"en": "Region"},
             "type": "picklist", "options": {"global": "industry"}}  # fmt: skip
    on_object = {
        "kind": "field",
        "uid": "e" * 32,
        "name": "account.own",
        "label": {"en": "Own"},
        "type": "text",
    }
    (own / "field" / "user.region.json").write_text(json.dumps(field), "utf-8")
    shell.run("publish", str(own), "--tenant", "a")
    assert shell.refused(*remove) == ["component.in_use"], "a picklist of the package"
    (own / "field" / "account.own.json").write_text(json.dumps(on_object), "utf-8")
    shell.run("publish", str(own), "--tenant", "a")
    assert shell.refused(*remove) == ["component.in_use"] * 2, "and an own field of the package's object"

    shell.run("tenant", "create", "b")
    shell.run("package", "install", str(TEMPLATE), "--tenant", "b")
    with shell.site() as site:
        call = system_call(site, site.tenants.get("b"))
        back = Records(call).create("product", {"name": "Back", "code": "B", "price": "1"}).id
    shell.run("package", "remove", "crm", "--tenant", "b")
    assert tree_of(shell, "b") == before, "no residue"
    shell.run("package", "install", str(TEMPLATE), "--tenant", "b")
    assert tree_of(shell, "b") == installed
    with shell.site() as site:
        call = system_call(site, site.tenants.get("b"))
        assert Reads(call).get("product", back) is not None, "its records came back with it"
        call = system_call(site, site.tenants.get("a"))
        assert Reads(call).get("product", made) is not None, "what was refused changed nothing"
