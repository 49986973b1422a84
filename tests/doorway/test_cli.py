"""The command: what it prints for people and programs, and what it ends with."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shells import TEMPLATE, Shell, open_shell
from stores import DIALECTS, settings_for
from tabwright import cli
from tabwright.app import Site, create_app, create_site
from tabwright.people import system_call
from tabwright.platform.settings import Settings, is_loopback
from tabwright.platform.versions import VERSIONS
from tabwright.runtime.records.service import Records
from tabwright.runtime.search.querying import search


@pytest.fixture(params=DIALECTS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shell]:
    with open_shell(request.param, tmp_path) as shell:
        yield shell


def test_the_command_starts_quickly() -> None:
    """No database, web or metadata library is loaded to print help."""
    heavy = "('sqlalchemy', 'flask', 'jsonschema')"
    code = f"import sys, tabwright.cli; print(*(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_tenant_with_people_tokens_and_a_package(shell: Shell) -> None:
    assert shell.run("tenant", "create", "north", "--name", "北风")["slug"] == "north"
    assert shell.refused("tenant", "create", "north") == ["tenant.exists"]
    assert shell.refused("tenant", "create", "No Good") == ["tenant.slug"]
    [tenant] = shell.run("tenant", "list")
    assert (tenant["name"], tenant["state"]) == ("北风", "active")

    assert shell.run("package", "check", str(TEMPLATE))["name"] == "crm"
    assert shell.run("package", "install", str(TEMPLATE), "--tenant", "north")["release"] == 2
    assert shell.run("package", "install", str(TEMPLATE), "--tenant", "north") == {"release": None}

    made = shell.run(
        "user", "create", "li@example.com", "--tenant", "north", "--name", "Li", "--set", "administrator"
    )
    assert len(made["password"]) > 12
    again = ("user", "create", "li@example.com", "--tenant", "north", "--name", "Li")
    assert shell.result(*again).exit_code == cli.REFUSED
    wrong = ("user", "create", "x@example.com", "--tenant", "north", "--set", "nothing")
    assert shell.refused(*wrong) == ["cli.permission_set"]
    typed = shell.run(
        "user", "create", "an@example.com", "--tenant", "north", "--password-stdin", typed="long enough 1\n"
    )
    assert "password" not in typed
    people = shell.run("user", "list", "--tenant", "north")
    assert [(each["address"], each["permission_sets"]) for each in people if each["name"] == "Li"] == [
        ("li@example.com", ["administrator"])
    ]

    token = shell.run("token", "create", "--tenant", "north", "--user", "Li", "--name", "sync")["token"]
    assert token.startswith("tw_")
    assert shell.refused("token", "create", "--tenant", "north", "--user", "nobody") == ["cli.no_user"]
    [listed] = shell.run("token", "list", "--tenant", "north")
    assert (listed["name"], listed["user"], listed["state"]) == ("sync", "li@example.com", "live")
    assert token not in json.dumps(listed)

    site = create_site(Settings.from_env(shell.env))
    try:
        _check_over_http(shell, site, token, listed["id"])
    finally:
        site.close()


def _check_over_http(shell: Shell, site: Site, token: str, id: str) -> None:
    client = create_app(site).test_client()
    bearer = {"Authorization": f"Bearer {token}"}
    assert client.get("/health").json == {"status": "ok", "version": "0.1.0"}
    assert client.get("/api/v1/objects", headers=bearer).status_code == 200
    shell.run("user", "deactivate", "li@example.com", "--tenant", "north")
    assert client.get("/api/v1/objects", headers=bearer).status_code == 401, "the next request"
    shell.run("user", "activate", "li@example.com", "--tenant", "north")
    assert client.get("/api/v1/objects", headers=bearer).status_code == 200
    shell.run("token", "revoke", id, "--tenant", "north")
    assert client.get("/api/v1/objects", headers=bearer).status_code == 401
    changed = shell.run("user", "password", "Li", "--tenant", "north")
    assert site.identities.verify("li@example.com", changed["password"], "10.0.0.1").active


def test_a_tenant_is_deleted_brought_back_and_removed(shell: Shell) -> None:
    shell.run("tenant", "create", "a")
    assert shell.run("tenant", "delete", "a")["state"] == "deleted"
    assert shell.refused("user", "list", "--tenant", "a") == ["tenant.not_found"]
    shell.run("tenant", "restore", "a")
    assert shell.run("user", "list", "--tenant", "a") == []
    assert shell.run("tenant", "upgrade") == {"control": [], "a": []}
    assert shell.run("tenant", "delete", "a", "--now")["state"] == "removed"
    assert shell.run("tenant", "list") == []


def test_an_upgrade_does_search_rows_of_version_1_again(shell: Shell) -> None:
    shell.run("tenant", "create", "a")
    shell.run(
        "user", "create", "w@example.com", "--tenant", "a", "--name", "Wilhelmina", "--set", "administrator"
    )
    site = create_site(Settings.from_env(shell.env))
    location = site.tenants.get("a")
    with site.stores.tenant(location).write() as writer:
        prefix = f'"{location.schema}".' if location.schema else ""
        for statement in (
            "UPDATE {}store_version SET version = 1",
            "DELETE FROM {}search_entry",
            "ALTER TABLE {}search_entry ADD COLUMN class TEXT NOT NULL DEFAULT 'x'",
        ):
            writer.connection.exec_driver_sql(statement.format(prefix))
    site.close()
    assert shell.refused("user", "list", "--tenant", "a", code=cli.LATER) == ["store.older"]
    taken = list(range(2, VERSIONS["tenant"] + 1))
    assert shell.run("tenant", "upgrade") == {"control": [], "a": taken}
    site = create_site(Settings.from_env(shell.env))
    try:
        assert [hit.name for hit in search(system_call(site, location), "wilhelm")] == ["Wilhelmina"]
    finally:
        site.close()


def test_publish_takes_a_folder_and_tells_every_fault(shell: Shell, tmp_path: Path) -> None:
    shell.run("tenant", "create", "a")
    folder = tmp_path / "documents"
    (folder / "picklist").mkdir(parents=True)
    assert shell.refused("publish", str(folder), "--tenant", "a") == ["cli.no_documents"]
    document = {
        "kind": "picklist", "uid": "019bc0fd89c0740a91d900000000abcd", "name": "colour",
        "label": {"zh": "颜色", "en": "Colour"},
        "values": [{"code": "red", "label": {"zh": "红", "en": "Red"}}],
    }  # fmt: skip
    file = folder / "picklist" / "colour.json"
    file.write_text(json.dumps(document), "utf-8")
    assert shell.run("publish", str(folder), "--tenant", "a")["release"] == 2
    assert shell.run("publish", str(folder), "--tenant", "a") == {"release": None}
    file.write_text("{", "utf-8")
    (folder / "picklist" / "size.json").write_text("[]", "utf-8")
    assert len(shell.refused("publish", str(folder), "--tenant", "a")) >= 2


@pytest.mark.parametrize(
    ("env", "code", "exit"),
    [
        ({"TABWRIGHT_SECRET": "short"}, "settings.secret", 1),
        ({"TABWRIGHT_LIMIT_X": "1"}, "settings.unknown", 1),
    ],
)
def test_bad_settings_are_refused_in_words(tmp_path: Path, env: dict[str, str], code: str, exit: int) -> None:
    shell = Shell(settings_for("sqlite", tmp_path))
    shell.env |= env
    assert shell.refused("tenant", "list", code=1) == [code]
    result = shell.result("tenant", "list")
    assert result.exit_code == 1 and next(iter(env)) in result.stderr and "Traceback" not in result.output


def test_a_database_that_is_away_is_exit_3(tmp_path: Path) -> None:
    shell = Shell(settings_for("sqlite", tmp_path))
    shell.env["TABWRIGHT_DATABASE_URL"] = "postgresql://nobody@127.0.0.1:1/none"
    assert shell.refused("tenant", "list", code=cli.LATER) == ["database.unreachable"]


def test_wrong_usage_is_exit_2(tmp_path: Path) -> None:
    shell = Shell(settings_for("sqlite", tmp_path))
    for arguments in (["user", "list"], ["nothing"], ["serve", "--port", "0"], ["token", "revoke", "x"]):
        assert shell.result(*arguments).exit_code == 2


def test_serving_beyond_this_machine_must_be_meant(tmp_path: Path) -> None:
    shell = Shell(settings_for("sqlite", tmp_path))
    for arguments in (["--host", "0.0.0.0"], ["--host", "::", "--allow-remote"], ["--host", "example.com"]):
        assert shell.refused("serve", *arguments) == ["cli.remote"]
    assert is_loopback("127.0.0.2") and is_loopback("::1") and is_loopback("localhost")


def test_the_demo_is_made_once(tmp_path: Path) -> None:
    shell = Shell(settings_for("sqlite", tmp_path))
    first = shell.run("demo", "--no-serve")
    file = tmp_path / "demo-users.txt"
    assert stat.S_IMODE(os.stat(file).st_mode) == 0o600
    assert len({each["password"] for each in first["users"]}) == len(first["users"]) > 3
    assert shell.run("demo", "--no-serve") == first
    file.unlink()  # as when the making was cut off
    second = shell.run("demo", "--no-serve")
    assert [each["address"] for each in second["users"]] == [each["address"] for each in first["users"]]
    site = create_site(Settings.from_env(shell.env))
    try:
        for each in second["users"][:2]:
            assert site.identities.verify(each["address"], each["password"], "10.0.0.1").active
    finally:
        site.close()


def test_a_user_who_was_made_as_a_record_is_let_in_by_the_same_command(tmp_path: Path) -> None:
    shell = Shell(settings_for("sqlite", tmp_path))
    shell.run("tenant", "create", "acme")
    site = create_site(Settings.from_env(shell.env))
    try:
        call = system_call(site, site.tenants.get("acme"))
        made = Records(call).create("user", {"name": "Anna", "address": "anna@example.com"}).id
    finally:
        site.close()
    created = shell.run("user", "create", "anna@example.com", "--tenant", "acme")
    assert created["id"] == made.hex
    site = create_site(Settings.from_env(shell.env))
    try:
        password = created["password"]
        assert site.identities.verify("anna@example.com", password, "10.0.0.1").active
    finally:
        site.close()
