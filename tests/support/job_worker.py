"""A worker process for the kill test: runs the jobs of one tenant until it is killed or nothing is due.

``python job_worker.py <settings as JSON> <slug> <file that gets a line for each step>``
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path

import sqlalchemy as sa

from tabwright.platform.clock import SystemClock, SystemIds
from tabwright.platform.database import Stores
from tabwright.platform.jobs import JobRun, Jobs
from tabwright.platform.runner import Runner
from tabwright.platform.settings import Settings
from tabwright.platform.tenants import Tenants

EFFECT = sa.Table("effect", sa.MetaData(), sa.Column("n", sa.Integer))
STEPS = 6


def main() -> None:
    given = json.loads(sys.argv[1])
    settings = Settings(home=Path(given.pop("home")), **given)
    told = Path(sys.argv[3])
    clock = SystemClock()
    stores = Stores(settings)
    jobs = Jobs(clock, SystemIds(clock), lease=timedelta(milliseconds=300))

    def count(run: JobRun) -> int:
        for n in range(run.memory or 0, STEPS):
            with run.step() as writer:
                writer.execute(sa.insert(EFFECT), {"n": n})
                run.remember(n + 1)
                with told.open("a") as file:
                    file.write(f"{n}\n")
                if n == 3 and given.get("language") == "en" and run.tries == 1:
                    told.with_suffix(".stuck").touch()
                    while True:  # killed here, in the middle of an open transaction
                        pass
        return STEPS

    jobs.register("count", count, runs_as="system")
    Runner(jobs, stores, Tenants(stores, clock, SystemIds(clock)), clock).run_due(
        Tenants(stores, clock, SystemIds(clock)).get(sys.argv[2])
    )


if __name__ == "__main__":
    main()
