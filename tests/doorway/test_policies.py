"""R7, deny by default: every route, kind of job and command says who it acts for and in which tenant; a new
one that does not stops the start.
"""

from __future__ import annotations

import ast
from pathlib import Path

import click
import pytest
from flask import Flask

from stores import drop_everything, settings_for
from tabwright.app import create_app, create_site
from tabwright.cli import main
from tabwright.platform.clock import SystemClock, SystemIds
from tabwright.platform.jobs import Jobs
from tabwright.platform.web import Policy, check_policies, policy
from tabwright.terminal import check_commands, commands, open_site, reaches

ROOT = Path(__file__).resolve().parents[2]
# What needs nobody, and why. A new public route has to be put here by hand.
PUBLIC = {
    "/first": "the first administrator: with a one-time file's code, on this machine, while nobody is there",
    "/health": "says that the process lives",
    "/session": "the dialog of a session that ended",
    "/settings/look": "theme and density before anybody has signed in",
    "/sign-in": "",
    "/sign-in/code": "the second step of signing in: a ticket shows that the password was right",
    "/link": "what the link of an invitation or a new password opens; its secret is posted",
    "/forgot": "asking for such a link; the same answer to everybody",
    "/static/<path:name>": "files of the product",
    "/static/pages/<path:name>": "files of the product",
    "/static/studio/<path:name>": "files of the product",
}
# Kinds of jobs whose work must be within the rights of who asked, whatever happens to those meanwhile.
ASKED = {
    "bulk", "export", "import", "import.undo", "studio.replace", "studio.replace_undo",
}  # fmt: skip


def test_every_route_has_a_policy_and_few_are_public(tmp_path: Path) -> None:
    site = create_site(settings_for("sqlite", tmp_path))
    try:
        app = create_app(site)  # raises where one has none
        public = {
            rule.rule
            for rule in app.url_map.iter_rules()
            if getattr(app.view_functions[rule.endpoint], "tabwright_policy", Policy("public")).name
            == "public"
        }
        assert public == set(PUBLIC)
        writes = [
            rule
            for rule in app.url_map.iter_rules()
            if rule.methods and rule.methods - {"GET", "HEAD", "OPTIONS"}
        ]
        assert len(writes) > 50
    finally:
        drop_everything(site.stores)
        site.close()


def test_a_route_without_a_policy_stops_the_start() -> None:
    app = Flask("x", static_folder=None)
    app.add_url_rule("/open", "open", policy("public")(lambda: ""))
    check_policies(app)
    app.add_url_rule("/forgotten", "forgotten", lambda: "")
    with pytest.raises(RuntimeError, match="/forgotten"):
        check_policies(app)


def test_every_kind_of_job_says_in_whose_name_it_works(tmp_path: Path) -> None:
    site = create_site(settings_for("sqlite", tmp_path))
    try:
        assert {site.jobs.runs_as(kind) for kind in site.jobs.kinds} == {"asker", "system"}
        assert {kind for kind in site.jobs.kinds if site.jobs.runs_as(kind) == "asker"} >= ASKED
    finally:
        drop_everything(site.stores)
        site.close()


def test_a_kind_that_does_not_say_so_is_not_taken_nor_a_job_of_nobody(tmp_path: Path) -> None:
    jobs = Jobs(SystemClock(), SystemIds(SystemClock()))
    with pytest.raises(TypeError, match="runs_as"):
        jobs.register("forgotten", lambda run: None)  # type: ignore[call-arg]
    jobs.register("asked", lambda run: None, runs_as="asker")
    site = create_site(settings_for("sqlite", tmp_path))
    try:
        with site.stores.control.write() as writer, pytest.raises(ValueError, match="who asked"):
            jobs.add(writer, "asked", {})
    finally:
        drop_everything(site.stores)
        site.close()


def test_a_job_opens_the_tenant_of_its_row_and_no_other() -> None:
    """In modules that tell how jobs are done, a tenant is opened by ``job.location`` and nothing else."""
    looked_at = 0
    for room in ("runtime", "admin_ui", "workflow"):
        for path in (ROOT / room).rglob("*.py"):
            tree = ast.parse(path.read_text("utf-8"))
            calls = [each for each in ast.walk(tree) if isinstance(each, ast.Call)]
            if not any(any(word.arg == "runs_as" for word in each.keywords) for each in calls):
                continue
            for each in calls:
                if isinstance(each.func, ast.Attribute) and each.func.attr == "open":
                    if "tenancy" in ast.unparse(each.func.value):
                        looked_at += 1
                        assert ast.unparse(each.args[0]).endswith(".location"), f"{path}:{each.lineno}"
    assert looked_at > 8


def test_every_command_says_what_it_opens() -> None:
    check_commands(main)  # as the start does
    found = dict(commands(main))
    assert "tabwright token create" in found and len(found) > 20
    reach = {name: each.callback.tabwright_reach for name, each in found.items() if each.callback}  # type: ignore[attr-defined]
    assert {name for name, each in reach.items() if each == "installation"} == {
        "tabwright serve", "tabwright worker", "tabwright demo", "tabwright tenant list",
        "tabwright tenant upgrade",
    }  # fmt: skip


def test_a_command_that_does_not_say_so_stops_the_start_and_one_that_says_so_keeps_to_it() -> None:
    group = click.Group("main")
    group.command("forgotten")(lambda: None)
    with pytest.raises(RuntimeError, match="tabwright forgotten"):
        check_commands(group)
    group = click.Group("main")
    group.command("of_which")(reaches("tenant")(lambda: None))
    with pytest.raises(RuntimeError, match="of_which"):  # it does not ask which tenant
        check_commands(group)
    command = click.Command("files", callback=reaches("nothing")(lambda: open_site()))
    with pytest.raises(RuntimeError, match="no store"):
        command.main([], standalone_mode=False)
