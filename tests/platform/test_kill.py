"""kill -9 at any moment: a transaction with DDL in it is there whole or not at all, and what was told stays.

The long run: ``TABWRIGHT_TEST_KILLS=1000 python -m pytest tests/platform/test_kill.py``.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import sqlalchemy as sa

from killed_writer import MADE
from tabwright.platform import versions
from tabwright.platform.clock import SystemClock, SystemIds
from tabwright.platform.database import Stores
from tabwright.platform.tenants import Tenants
from waiting import until

SCRIPT = Path(__file__).parents[1] / "support" / "killed_writer.py"


def kill_writers(stores: Stores, told: Path, kills: int, seed: int) -> None:
    versions.open_control(stores)
    clock = SystemClock()
    store = stores.tenant(Tenants(stores, clock, SystemIds(clock)).create("a", "A"))
    with store.write() as writer:
        MADE.create(writer.connection)
    settings, source = stores.settings, random.Random(seed)
    given = {
        "home": str(settings.home), "secret": settings.secret, "database_url": settings.database_url,
        "schema_prefix": settings.schema_prefix,
    }  # fmt: skip
    told.touch()
    for _ in range(kills):
        before = told.stat().st_size
        process = subprocess.Popen([sys.executable, str(SCRIPT), json.dumps(given), "a", str(told)])
        try:
            until(lambda before=before: told.stat().st_size > before, "nothing was written", process)  # type: ignore[misc]
            time.sleep(source.uniform(0, 0.05))  # somewhere in one of the next transactions
        finally:
            process.kill()
            process.wait()
    with store.write() as writer:  # waits for what the server still has to roll back
        rows = {row.n: row.half for row in writer.execute(sa.select(MADE.c.n, MADE.c.half))}
        names = set(sa.inspect(writer.connection).get_table_names(schema=store.schema))
    numbers = {int(line) for line in told.read_text().split()}
    assert len(numbers) >= kills
    assert numbers <= set(rows), "acknowledged and lost"
    assert set(rows.values()) == {1}, "half a transaction"
    there = {name for name in names if name[0] == "t" and name[1:-1].isdigit()}
    assert there == {f"t{n}{part}" for n in rows for part in "ab"}, (
        "tables without their row, or rows without tables"
    )


def test_a_killed_writer_leaves_all_or_nothing(stores: Stores, tmp_path: Path) -> None:
    kill_writers(stores, tmp_path / "told", int(os.environ.get("TABWRIGHT_TEST_KILLS", 5)), seed=1)
