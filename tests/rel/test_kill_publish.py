"""R13 in small: the run of 1,000 kills is ``python tests/rel/kill_publish.py --backend B --kills 1000``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from publishers import Publisher, thing
from publishers import publisher as publisher
from stores import DIALECTS

SCRIPT = Path(__file__).with_name("kill_publish.py")


def killed(*arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


@pytest.mark.parametrize("backend", DIALECTS)
def test_a_publisher_killed_at_any_moment_leaves_all_or_nothing(backend: str) -> None:
    figures = killed("--backend", backend, "--kills", "15")
    assert figures["kills"] == 15 and figures["wrong"] == [] and figures["acknowledged"] > 0


@pytest.mark.parametrize("backend", DIALECTS)
def test_a_publisher_killed_at_a_statement_leaves_nothing(backend: str) -> None:
    figures = killed("--backend", backend, "--kills", "24", "--statements", "--every", "5")
    assert figures["wrong"] == [] and figures["publishes_walked_through"] >= 1


def test_the_check_sees_what_is_half_published(publisher: Publisher, tmp_path: Path) -> None:
    from importlib.util import module_from_spec, spec_from_file_location

    import sqlalchemy as sa

    spec = spec_from_file_location("kill_publish", SCRIPT)
    assert spec is not None and spec.loader is not None
    harness = module_from_spec(spec)
    spec.loader.exec_module(harness)
    publisher.publish(*thing())
    assert harness.check(publisher, tmp_path / "none") == []
    number = publisher.table("thing").number
    schema = f'"{publisher.store.schema}".' if publisher.store.schema else ""
    with publisher.store.write() as writer:
        writer.execute(sa.text(f"ALTER TABLE {schema}o{number} ADD COLUMN f999 INTEGER"))
    assert harness.check(publisher, tmp_path / "none") == [f"columns of o{number}: ['f999']"]
