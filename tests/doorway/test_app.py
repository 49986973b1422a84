"""The doorway wires every room: jobs, routes, tables, messages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from stores import settings_for
from tabwright.app import Site, create_app, create_site
from tabwright.platform.language import messages
from tabwright.platform.web import Policy

ROOT = Path(__file__).parents[2]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = create_site(settings_for("sqlite", tmp_path), hasher=PasswordHasher(1, 8, 1))
    yield made
    made.close()


def test_every_job_that_a_room_can_do_is_known_to_the_workers(site: Site) -> None:
    found = [
        (path, name)
        for room in ("runtime", "workflow", "admin_ui")
        for path in (ROOT / room).rglob("*.py")
        for name in re.findall(r"jobs\.register\(\s*([A-Z_]+)", path.read_text("utf-8"))
    ]
    kinds = set()
    for path, name in found:
        values = re.findall(rf'^{name} = "([a-z_.]+)"', path.read_text("utf-8"), re.M)
        values = values or [
            value
            for other in (ROOT / path.relative_to(ROOT).parts[0]).rglob("*.py")
            for value in re.findall(rf'^{name} = "([a-z_.]+)"', other.read_text("utf-8"), re.M)
        ]
        assert values, (path, name)
        kinds.add(values[0])
    assert kinds and kinds == site.jobs.kinds


def test_what_is_open_to_anybody_is_known(site: Site) -> None:
    app = create_app(site)
    views: dict[str, Any] = {**app.view_functions}
    policies: dict[str, Policy] = {
        rule.rule: views[rule.endpoint].tabwright_policy for rule in app.url_map.iter_rules()
    }
    public = {path for path, policy in policies.items() if policy.name == "public"}
    assert public == {
        "/first",  # the first administrator, on this machine, while nobody is there
        "/forgot",  # asking for a link for a new password
        "/health",
        "/link",  # what such a link opens
        "/session",  # whether it still is, and signing in without leaving a form
        "/settings/look",  # how this browser shows pages
        "/sign-in",
        "/sign-in/code",  # the second factor
        "/static/<path:name>",
        "/static/pages/<path:name>",
        "/static/studio/<path:name>",
    }
    assert all(policy.name != "public" for path, policy in policies.items() if path.startswith("/api/"))


def test_messages_of_every_room_are_registered(site: Site) -> None:
    import tabwright.cli  # noqa: F401 - the doorway's own are registered by the command

    known = messages()
    for path in ROOT.glob("*/**/messages.json"):
        if ".venv" in path.parts or path.parts[len(ROOT.parts)] in ("tests", "docs", "var"):
            continue
        missing = set(json.loads(path.read_text("utf-8"))) - set(known)
        assert not missing, (path, missing)


def test_a_stranger_is_sent_to_the_door(site: Site) -> None:
    client = create_app(site).test_client()
    response = client.get("/", headers={"Accept": "text/html"})
    assert response.status_code == 303 and response.headers["Location"].startswith("/sign-in")
    assert client.get("/api/v1/objects").status_code == 401
    assert client.get("/static/tokens.css").status_code == 200
