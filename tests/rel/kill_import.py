"""An import whose worker is killed again and again (R48): every good row once, every bad row with its reason.

``python tests/rel/kill_import.py --backend postgresql --rows 200000 --every 8``. A file with 3 % bad rows is
checked, some of its bad rows are put right and some skipped, and it goes in, all while its worker process is
killed -9 every so many seconds of its work (0: never) and another takes over; then it is undone in the same
way. ``--sheet`` brings it as .xlsx. Prints one JSON line: kills, seconds, rows a second and CPU seconds of
each phase's workers, the largest worker in MB, how long a page of the grid and one correction take (median,
ms), and what was wrong: records, counts, reasons, or a worker that began before the last committed chunk.
"""

from __future__ import annotations

import argparse
import io
import json
import multiprocessing
import os
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[:0] = [str(HERE.parent), str(HERE.parents[1] / "support"), str(HERE.parents[2] / "src")]

import sqlalchemy as sa  # noqa: E402

from apisite import ApiSite, make_api  # noqa: E402
from importing import Importer  # noqa: E402
from tabwright.platform.settings import Limits, Settings  # noqa: E402
from tabwright.runtime.exchange.correcting import Change  # noqa: E402

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
CORRECTED = 50  # rows that are put right, and as many that are skipped: a third of the bad ones at most


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


def workbook(text: bytes) -> bytes:
    """The file as a spreadsheet."""
    import csv

    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as book:
        sheet = book.add_worksheet()
        for at, cells in enumerate(csv.reader(io.StringIO(text.decode()))):
            sheet.write_row(at, 0, cells)
    return out.getvalue()


def bad_rows(rows: int) -> list[int]:
    """Their numbers in the file, whose first row is the header."""
    return [n + 2 for n in range(rows) if n % FAILED_EVERY == 7]


def worker(settings: Settings, ready: Connection) -> None:
    """Run the jobs of the tenant until somebody kills us."""
    from tabwright.app import create_site

    site = create_site(settings)
    location = site.tenants.get("test")
    ready.send(True)
    while True:
        site.runner.run_due(location)
        time.sleep(0.05)


# Workers are forks of a process that has done nothing but import: what is killed is the work, not the start.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tabwright.app"])


def _spawn(settings: Settings) -> BaseProcess:
    ready, tell = _FORKS.Pipe(duplex=False)
    made = _FORKS.Process(target=worker, args=(settings, tell), daemon=True)
    made.start()
    tell.close()
    assert ready.recv()
    ready.close()
    return made


@dataclass(slots=True)
class Phase:
    """What it took to come to a state: workers killed, the largest in MB, seconds and CPU seconds."""

    kills: int = 0
    largest: float = 0.0
    seconds: float = 0.0
    cpu: float = 0.0
    went_back: bool = False

    def figures(self, rows: int) -> dict[str, Any]:
        return {
            "kills": self.kills,
            "seconds": round(self.seconds, 1),
            "rows_a_second": round(rows / self.seconds),
            "cpu_seconds": round(self.cpu, 1),
        }


def _until(
    importer: Importer, id: Any, state: str, every: float, random_: random.Random, most: int = 1000
) -> Phase:
    """Kill workers, ``most`` at most, until the import is in a state."""
    settings = importer.api.site.settings
    phase = Phase()
    most = most if every else 0
    began = time.monotonic()
    committed = 0
    while True:
        process = _spawn(settings)
        pid = process.pid or 0
        cpu = _cpu(pid)
        try:
            # At any moment once it has got on: one that is never let to commit a chunk cannot get anywhere.
            end = time.monotonic() + every * random_.uniform(0.2, 1.8)
            start = _done(importer, id)
            phase.went_back = phase.went_back or start < committed
            while time.monotonic() < end or _done(importer, id) == start or phase.kills >= most:
                phase.largest = max(phase.largest, _peak(pid))
                if importer.imports.get(id).state == state:
                    break
                time.sleep(0.05)
            committed = _done(importer, id)
            phase.cpu += _cpu(pid) - cpu
        finally:
            process.kill()
            process.join()
            process.close()
        found = importer.imports.get(id)
        if found.state == state:
            phase.seconds = time.monotonic() - began
            return phase
        assert found.state in ("checking", "running", "undoing"), (found.state, found.error)
        phase.kills += 1


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


def _cpu(pid: int) -> float:
    """CPU seconds of a process."""
    try:
        parts = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")
    except OSError:
        return 0.0


def measure(api: ApiSite, rows: int, every: float, sheet: bool = False, seed: int = 1) -> dict[str, Any]:
    """Import and undo under kills; what it took, and what was wrong."""
    random_ = random.Random(seed)
    api.publish(OBJECTS)
    importer = Importer(api)
    accounts = "name\n" + "\n".join(f"Account {n}" for n in range(50))
    importer.run(importer.start("account", accounts).id)
    wrong: list[str] = []
    data = workbook(content(rows)) if sheet else content(rows)
    began = time.monotonic()
    run = importer.imports.start("deal", "deals.xlsx" if sheet else "deals.csv", io.BytesIO(data))
    upload = time.monotonic() - began
    bad = bad_rows(rows)
    importer.imports.check(run.id)
    check = _until(importer, run.id, "checked", every, random_)
    if importer.imports.get(run.id).counts["failed"] != len(bad):
        wrong.append(f"check {dict(importer.imports.get(run.id).counts)}")
    some = min(CORRECTED, len(bad) // 3)
    grid, correction = _corrected(importer, run.id, bad, some)
    right, skipped = bad[:some], bad[some : 2 * some]
    bad = bad[2 * some :]
    importer.imports.run(run.id)
    ran = _until(importer, run.id, "done", every, random_)
    done = importer.imports.get(run.id)
    good = rows - len(bad) - len(skipped)
    if [done.counts[each] for each in ("created", "failed", "skipped")] != [good, len(bad), len(skipped)]:
        wrong.append(f"counts {dict(done.counts)}")
    gone = {each - 2 for each in (*bad, *skipped)}
    if _codes(api) != {f"K{n}": 1 for n in range(rows) if n not in gone} or not gone.isdisjoint(
        each - 2 for each in right
    ):
        wrong.append("records")
    listed, after = [], 0
    while page := importer.imports.problems(run.id, "run", after, 1000):
        listed += [each.row for each in page]
        after = page[-1].row
        if any(not each.faults or not each.cells for each in page):
            wrong.append("a bad row without reason")
    if listed != bad:
        wrong.append("bad rows")
    began = time.monotonic()
    result = sum(map(len, importer.imports.result(run.id)))
    result_seconds = time.monotonic() - began
    importer.imports.undo(run.id)
    undo = _until(importer, run.id, "undone", every, random_)
    if _codes(api):
        wrong.append("undo")
    if check.went_back or ran.went_back or undo.went_back:
        wrong.append("a committed chunk was done again")
    return {
        "backend": api.tenant.store.dialect,
        "rows": rows,
        "file_mb": round(len(data) / 1e6, 1),
        "upload_seconds": round(upload, 1),
        "check": check.figures(rows),
        "run": ran.figures(rows),
        "undo": undo.figures(rows),
        "result_mb": round(result / 1e6, 1),
        "result_seconds": round(result_seconds, 1),
        "largest_mb": round(max(check.largest, ran.largest, undo.largest)),
        "grid_ms": round(grid * 1000),
        "correction_ms": round(correction * 1000),
        "wrong": wrong,
    }


def _corrected(importer: Importer, id: Any, bad: list[int], some: int) -> tuple[float, float]:
    """Put some rows right, skip as many; the medians of a page of the grid and of one correction."""
    pages, corrections = [], []
    for at in range(0, max(1, len(bad) - 50), max(1, len(bad) // 20)):
        began = time.monotonic()
        importer.imports.grid_counts(id)
        importer.imports.grid(id, "bad", at, 50)
        pages.append(time.monotonic() - began)
    for number in bad[:some]:
        began = time.monotonic()
        importer.imports.correct(id, [Change(number, {2: "Account 1", 3: "1.00"})])
        corrections.append(time.monotonic() - began)
    importer.imports.correct(id, [Change(each, skip=True) for each in bad[some : 2 * some]])
    return statistics.median(pages), statistics.median(corrections)


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
    parser.add_argument("--backend", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--every", type=float, default=3.0, help="seconds of work between two kills; 0: none")
    parser.add_argument("--sheet", action="store_true", help="a spreadsheet instead of a CSV")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, make_api(given.backend, Path(folder), LIMITS) as api:
        print(json.dumps(measure(api, given.rows, given.every, given.sheet)), flush=True)


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
