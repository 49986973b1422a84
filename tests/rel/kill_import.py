"""An import whose worker is killed again and again (R48): every good row once, every bad row with its reason.

``python tests/rel/kill_import.py --backend postgresql --rows 100000 --every 3``. A file with 3 % bad rows
goes in while its worker process is killed -9 every so many seconds and another takes over; then it is
undone in the same way. Prints one JSON line: kills, seconds, the largest worker in MB, and what was wrong.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parents[1] / "support"), str(HERE.parents[2] / "src")]

import sqlalchemy as sa  # noqa: E402

from apisite import ApiSite, make_api  # noqa: E402
from importing import Importer  # noqa: E402
from tabwright.platform.settings import Limits, Settings  # noqa: E402

OBJECTS = {
    "deal": {
        "name": "text(80) required sortable",
        "code": "text(40) unique external_key",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost)",
        "close_date": "date",
        "needs": "text(200)",
    },
    "account": {"name": "text(80) required unique sortable"},
}
STAGES = ("open", "won", "lost")
FAILED_EVERY = 33  # one row in so many is bad


def content(rows: int) -> bytes:
    """The file: most rows are good; the bad ones have an amount that is none, or name no account."""
    lines = ["name,code,account,amount,stage,close_date,needs"]
    for n in range(rows):
        bad = n % FAILED_EVERY == 7
        account = "nobody" if bad and n % 2 else f"Account {n % 50}"
        amount = "much" if bad and n % 2 == 0 else f"{n}.50"
        lines.append(
            f"Deal number {n},K{n},{account},{amount},{STAGES[n % 3]},2026-03-{n % 28 + 1:02},needs {n}"
        )
    return "\n".join(lines).encode()


def bad_rows(rows: int) -> list[int]:
    """Their numbers in the file, whose first row is the header."""
    return [n + 2 for n in range(rows) if n % FAILED_EVERY == 7]


def worker(settings: Settings) -> None:
    """Run the jobs of the tenant until somebody kills us."""
    from tabwright.app import create_site

    site = create_site(settings)
    location = site.tenants.get("test")
    print("ready", flush=True)
    while True:
        site.runner.run_due(location)
        time.sleep(0.05)


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    given = {
        "home": str(settings.home),
        "secret": settings.secret,
        "database_url": settings.database_url,
        "schema_prefix": settings.schema_prefix,
    }
    made = subprocess.Popen(
        [sys.executable, str(HERE), "--worker", json.dumps(given)], stdout=subprocess.PIPE
    )
    assert made.stdout is not None
    assert made.stdout.readline() == b"ready\n"
    return made


def _until(
    importer: Importer, id: Any, state: str, every: float, random_: random.Random
) -> tuple[int, float]:
    """Kill workers until the import is in a state; how many, and the largest of them in MB."""
    settings = importer.api.site.settings
    kills, largest = 0, 0.0
    while True:
        process = _spawn(settings)
        try:
            # At any moment once it has got on: one that is never let to commit a chunk cannot get anywhere.
            end = time.monotonic() + every * random_.uniform(0.2, 1.8)
            start = _done(importer, id)
            while time.monotonic() < end or _done(importer, id) == start:
                largest = max(largest, _peak(process.pid))
                if importer.imports.get(id).state == state:
                    break
                time.sleep(0.01)
        finally:
            process.kill()
            process.wait()
            assert process.stdout is not None
            process.stdout.close()
        found = importer.imports.get(id)
        if found.state == state:
            return kills, largest
        assert found.state in ("running", "undoing"), (found.state, found.error)
        kills += 1


def _done(importer: Importer, id: Any) -> int:
    job = importer.imports.get(id).job
    return job.progress_done if job is not None else 0


def _peak(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass  # not Linux, or gone
    return 0.0


def measure(api: ApiSite, rows: int, every: float, seed: int = 1) -> dict[str, Any]:
    """Import and undo under kills; what it took, and what was wrong."""
    random_ = random.Random(seed)
    api.publish(OBJECTS)
    importer = Importer(api)
    accounts = "name\n" + "\n".join(f"Account {n}" for n in range(50))
    importer.run(importer.start("account", accounts).id)
    began = time.monotonic()
    run = importer.imports.start("deal", "deals.csv", io.BytesIO(content(rows)))
    importer.imports.run(run.id)
    kills, largest = _until(importer, run.id, "done", every, random_)
    seconds = time.monotonic() - began
    wrong = []
    done = importer.imports.get(run.id)
    bad = bad_rows(rows)
    if (done.counts["created"], done.counts["failed"]) != (rows - len(bad), len(bad)):
        wrong.append(f"counts {dict(done.counts)}")
    if _codes(api) != {f"K{n}": 1 for n in range(rows) if n % FAILED_EVERY != 7}:
        wrong.append("records")
    listed, after = [], 0
    while page := importer.imports.problems(run.id, "run", after, 1000):
        listed += [each.row for each in page]
        after = page[-1].row
        if any(not each.faults or not each.cells for each in page):
            wrong.append("a bad row without reason")
    if listed != bad:
        wrong.append("bad rows")
    importer.imports.undo(run.id)
    undo_kills, size = _until(importer, run.id, "undone", every, random_)
    if _codes(api):
        wrong.append("undo")
    return {
        "backend": api.tenant.store.dialect,
        "rows": rows,
        "kills": kills,
        "seconds": round(seconds, 1),
        "kills_of_undo": undo_kills,
        "largest_mb": round(max(largest, size)),
        "wrong": wrong,
    }


def _codes(api: ApiSite) -> dict[str, int]:
    """How many living deals have each code."""
    model = api.tenant.at_release()
    table = api.tenant.tables(model).of(model.objects["deal"])
    code = table.column("code")
    chosen = sa.select(code, sa.func.count()).where(table.deleted_at.is_(None)).group_by(code)
    with api.tenant.store.read() as reader:
        found: Any = reader.execute(chosen)
        return {row[0]: row[1] for row in found}


LIMITS = Limits(lease_seconds=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    parser.add_argument("--backend", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two kills, on average")
    given = parser.parse_args()
    if given.worker:
        settings = json.loads(given.worker)
        worker(Settings(home=Path(settings.pop("home")), limits=LIMITS, **settings))
    with tempfile.TemporaryDirectory() as folder, make_api(given.backend, Path(folder), LIMITS) as api:
        print(json.dumps(measure(api, given.rows, given.every)), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
