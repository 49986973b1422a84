"""R11 in small: the long run is ``kill_access.py --rows 1000000 --people 2000 --kills 20``."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from publishers import Publisher
from publishers import publisher as publisher
from stores import DIALECTS
from tabwright.runtime.access import people
from tabwright.runtime.access.tables import MEMBERS

SCRIPT = Path(__file__).with_name("kill_access.py")


def killed(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize("backend", DIALECTS)
def test_who_sees_what_is_exact_after_a_kill_at_any_moment(backend: str) -> None:
    figures = killed("--backend", backend, "--kills", "4", "--rows", "600", "--people", "40")
    assert figures["kills"] == 4 and figures["wrong"] == [] and figures["acknowledged"] > 0


@pytest.mark.parametrize("backend", DIALECTS)
def test_who_sees_what_is_exact_after_a_kill_at_a_statement(backend: str) -> None:
    figures = killed(
        "--backend",
        backend,
        "--kills",
        "12",
        "--rows",
        "600",
        "--people",
        "40",
        "--statements",
        "--every",
        "19",
    )
    assert figures["wrong"] == [] and figures["changes_walked_through"] >= 2  # a move and a rule


def test_the_check_sees_a_membership_that_is_missing(publisher: Publisher) -> None:
    spec = spec_from_file_location("kill_access", SCRIPT)
    assert spec is not None and spec.loader is not None
    harness = module_from_spec(spec)
    spec.loader.exec_module(harness)
    people.register(publisher.tenant.hooks)
    harness.fill(publisher, 200, 20)
    assert harness.check(publisher, -1) == []
    table = publisher.table("user")
    with publisher.store.write() as writer:
        low = sa.select(table.id).where(table.column("name") == "user 00002")
        writer.execute(sa.delete(MEMBERS).where(MEMBERS.c.user_id.in_(low)))
    assert any("memberships" in each for each in harness.check(publisher, -1))
    harness.change(publisher, 0)
    assert any("found" in each for each in harness.check(publisher, 3))
