"""Jobs: one row, one worker at a time, resumed after any end of a worker, parked when poisonous."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from job_worker import EFFECT, STEPS
from tabwright.platform import versions
from tabwright.platform.clock import FixedClock, FixedIds, SystemClock, SystemIds
from tabwright.platform.database import Stores
from tabwright.platform.errors import Conflict, Invalid, NotFound, Unavailable
from tabwright.platform.jobs import Job, JobRun, Jobs, LeaseLost, wait_before_try
from tabwright.platform.runner import DUE, Runner
from tabwright.platform.tenants import Tenants
from waiting import PATIENCE, until


class Bench:
    """One tenant with jobs, and a clock that tests move."""

    def __init__(self, stores: Stores) -> None:
        versions.open_control(stores)
        self.stores = stores
        self.clock = FixedClock()
        self.tenants = Tenants(stores, self.clock, FixedIds())
        self.location = self.tenants.create("a", "A")
        self.store = stores.tenant(self.location)
        with self.store.write() as writer:
            EFFECT.create(writer.connection)
        self.ids = FixedIds(5)
        self.jobs = Jobs(self.clock, self.ids)
        self.runner = Runner(self.jobs, stores, self.tenants, self.clock, random=lambda: 0.0)

    def add(self, kind: str = "work", payload: Any = None, **more: Any) -> UUID:
        with self.store.write() as writer:
            return self.jobs.add(writer, kind, payload, **more)

    def get(self, id: UUID) -> Job:
        with self.store.read() as reader:
            return self.jobs.get(reader, id)

    def run(self) -> int:
        return self.runner.run_due(self.location)

    def effects(self) -> list[int]:
        with self.store.read() as reader:
            return list(reader.execute(sa.select(EFFECT.c.n).order_by(EFFECT.c.n)).scalars())


@pytest.fixture
def bench(stores: Stores) -> Iterator[Bench]:
    made = Bench(stores)
    yield made
    made.runner.close()


def effect(n: int) -> Callable[[JobRun], int]:
    def work(run: JobRun) -> int:
        with run.step() as writer:
            writer.execute(sa.insert(EFFECT), {"n": n})
            run.progress(1, 1, "done")
        return n

    return work


def test_a_job_is_done_once_and_keeps_its_result(bench: Bench) -> None:
    bench.jobs.register("work", effect(7), runs_as="system")
    id = bench.add(payload={"a": [1]}, created_by=UUID(int=1), operation=UUID(int=2))
    assert bench.get(id).state == "waiting" and bench.get(id).payload == {"a": [1]}
    assert bench.run() == 1 and bench.run() == 0
    job = bench.get(id)
    assert (job.state, job.result, job.tries, job.error) == ("done", 7, 1, None)
    assert (job.progress_done, job.progress_total, job.note) == (1, 1, "done")
    assert (job.created_by, job.operation_id) == (UUID(int=1), UUID(int=2))
    assert bench.effects() == [7]


def test_a_rolled_back_cause_leaves_no_job(bench: Bench) -> None:
    bench.jobs.register("work", effect(1), runs_as="system")
    with pytest.raises(ZeroDivisionError), bench.store.write() as writer:
        bench.jobs.add(writer, "work", None)
        raise ZeroDivisionError
    assert bench.run() == 0


def test_jobs_run_by_priority_then_due_time_and_not_before(bench: Bench) -> None:
    order: list[Any] = []
    bench.jobs.register("work", lambda run: order.append(run.payload), runs_as="system")
    bench.jobs.register("urgent", lambda run: order.append(run.payload), priority=5, runs_as="system")
    now = bench.clock.now()
    bench.add(payload=3, due_at=now + timedelta(minutes=1))
    bench.add(payload=2)
    bench.add("urgent", payload=1)
    assert bench.run() == 2 and order == [1, 2]
    assert bench.jobs.next_due(bench.store) == now + timedelta(minutes=1)
    bench.clock.advance(timedelta(minutes=1))
    assert bench.run() == 1 and order == [1, 2, 3]


def test_a_failure_waits_longer_each_time_and_is_parked(bench: Bench) -> None:
    def fail(run: JobRun) -> None:
        with run.step() as writer:
            writer.execute(sa.insert(EFFECT), {"n": 1})
            raise ValueError("secret")

    bench.jobs.register("work", fail, max_tries=3, runs_as="system")
    id = bench.add()
    waits = []
    while bench.run():
        job = bench.get(id)
        waits.append((job.due_at - bench.clock.now()).total_seconds())
        bench.clock.advance(max(job.due_at - bench.clock.now(), timedelta(0)))
    job = bench.get(id)
    assert waits[:2] == [10, 20] and (job.state, job.tries) == ("failed", 3)
    assert job.error == {"faults": [{"code": "job.failed", "params": {"error": "ValueError"}, "place": {}}]}
    assert bench.effects() == []
    with bench.store.write() as writer:
        bench.jobs.retry(writer, id)
    assert bench.get(id).state == "waiting" and bench.run() == 1


def test_what_is_refused_is_parked_at_once_and_what_is_busy_is_not(bench: Bench) -> None:
    def refuse(run: JobRun) -> None:
        raise (Invalid if run.payload == "bad" else Unavailable).of("record.bad", row=3)

    bench.jobs.register("work", refuse, runs_as="system")
    bad, busy = bench.add(payload="bad"), bench.add(payload="busy")
    bench.run()
    assert bench.get(bad).state == "failed" and bench.get(busy).state == "waiting"
    assert bench.get(bad).error["faults"][0] == {"code": "record.bad", "params": {"row": "3"}, "place": {}}


def test_a_worker_that_lost_its_lease_writes_nothing(bench: Bench) -> None:
    """Frozen in the middle, woken when another has finished."""
    bench.jobs.register("work", effect(1), runs_as="system")
    id = bench.add()
    frozen = bench.jobs.claim(bench.store, bench.location, "frozen")
    assert frozen is not None and bench.jobs.claim(bench.store, bench.location, "other") is None
    bench.clock.advance(timedelta(seconds=61))
    assert bench.run() == 1
    with pytest.raises(LeaseLost), frozen.step() as writer:
        writer.execute(sa.insert(EFFECT), {"n": 99})
    assert not frozen.extend()
    with pytest.raises(LeaseLost):
        bench.jobs.finish(frozen, "mine")
    assert bench.effects() == [1] and bench.get(id).result == 1 and bench.get(id).tries == 2


def test_a_job_that_ends_in_its_last_step_is_not_done_again(bench: Bench) -> None:
    """Its worker dies between the last commit and the news of it."""

    def work(run: JobRun) -> int:
        with run.step() as writer:
            writer.execute(sa.insert(EFFECT), {"n": 1})
            run.progress(1, 1)
            run.end(writer, 7)
        return 7

    bench.jobs.register("work", work, runs_as="system")
    id = bench.add()
    run = bench.jobs.claim(bench.store, bench.location, "dies")
    assert run is not None
    work(run)
    bench.clock.advance(timedelta(seconds=61))
    assert bench.run() == 0 and bench.effects() == [1]
    job = bench.get(id)
    assert (job.state, job.result, job.progress_done) == ("done", 7, 1)
    bench.jobs.finish(run, 7)  # had it lived


def test_an_end_that_is_rolled_back_has_not_been(bench: Bench) -> None:
    bench.jobs.register("work", effect(1), runs_as="system")
    id = bench.add()
    run = bench.jobs.claim(bench.store, bench.location, "fails")
    assert run is not None
    with pytest.raises(ZeroDivisionError), run.step() as writer:
        run.end(writer, 7)
        raise ZeroDivisionError
    assert not run.ended and bench.get(id).state == "running"
    bench.jobs.finish(run, 8)
    assert bench.get(id).result == 8


def test_a_heartbeat_keeps_the_lease(bench: Bench) -> None:
    bench.jobs.register("work", effect(1), runs_as="system")
    bench.add()
    run = bench.jobs.claim(bench.store, bench.location, "slow")
    assert run is not None
    bench.clock.advance(timedelta(seconds=50))
    assert run.extend()
    bench.clock.advance(timedelta(seconds=50))
    assert bench.jobs.claim(bench.store, bench.location, "other") is None


def test_a_job_that_kills_its_workers_is_parked(bench: Bench) -> None:
    bench.jobs.register("work", effect(1), max_tries=2, runs_as="system")
    id = bench.add()
    for _ in range(2):
        assert bench.jobs.claim(bench.store, bench.location, "dies") is not None
        bench.clock.advance(timedelta(seconds=61))
    assert bench.run() == 0
    job = bench.get(id)
    assert job.state == "failed" and job.error["faults"][0]["code"] == "job.crashed"


def test_cancel_stops_a_waiting_job_and_a_running_one_at_its_next_step(bench: Bench) -> None:
    def work(run: JobRun) -> None:
        for n in range(3):
            with run.step() as writer:
                writer.execute(sa.insert(EFFECT), {"n": n})
            if n == 1:
                with bench.store.write() as writer:
                    bench.jobs.cancel(writer, run.id)

    bench.jobs.register("work", work, runs_as="system")
    later = bench.add(due_at=bench.clock.now() + timedelta(hours=1))
    running = bench.add()
    with bench.store.write() as writer:
        bench.jobs.cancel(writer, later)
    assert bench.run() == 1
    assert (bench.get(later).state, bench.get(running).state) == ("cancelled", "cancelled")
    assert bench.effects() == [0, 1]
    with pytest.raises(Conflict, match="job.finished"), bench.store.write() as writer:
        bench.jobs.cancel(writer, running)
    with pytest.raises(NotFound), bench.store.write() as writer:
        bench.jobs.cancel(writer, UUID(int=1))


def test_one_unfinished_job_of_a_key(bench: Bench) -> None:
    seen: list[int] = []

    def work(run: JobRun) -> None:
        seen.append(run.tries)
        if len(seen) == 1:
            assert bench.add(key="k") == run.id  # while it runs: once more afterwards

    bench.jobs.register("work", work, runs_as="system")
    first = bench.add(key="k", due_at=bench.clock.now() + timedelta(hours=1))
    assert bench.add(key="k") == first and bench.add(key="other") != first
    assert bench.run() == 3
    assert bench.get(first).state == "done" and bench.add(key="k") != first


def test_ask_makes_one_waiting_job(bench: Bench) -> None:
    bench.jobs.register("work", effect(1), runs_as="system")
    for _ in range(3):
        bench.jobs.ask(bench.store, "work", None, key="seal")
    assert bench.run() == 1
    bench.jobs.ask(bench.store, "work", None, key="seal")
    assert bench.run() == 1


def test_many_workers_do_each_job_once(bench: Bench) -> None:
    def work(run: JobRun) -> None:
        with run.step() as writer:
            writer.execute(sa.insert(EFFECT), {"n": run.payload})

    bench.jobs.register("work", work, runs_as="system")
    with bench.store.write() as writer:
        for n in range(40):
            bench.jobs.add(writer, "work", n)
    threads = [threading.Thread(target=bench.run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bench.effects() == list(range(40))


def test_the_runner_finds_work_by_hint_and_by_sweep(bench: Bench) -> None:
    """A second runner, as in another process: it hears nothing, it has to look."""
    done = threading.Event()
    elsewhere = Jobs(bench.clock, bench.ids)
    elsewhere.register("work", lambda run: done.set(), runs_as="system")
    bench.jobs.register("work", effect(1), runs_as="system")
    runner = Runner(elsewhere, bench.stores, bench.tenants, bench.clock)
    runner._swept = time.monotonic()  # no sweep in this test's first half

    def hinted() -> list[UUID]:
        with bench.stores.control.read() as reader:
            return list(reader.execute(sa.select(DUE.c.tenant_id)).scalars())

    bench.add()
    assert hinted() == [bench.location.id]
    stop = threading.Event()
    thread = threading.Thread(target=runner.run_forever, args=(stop,))
    thread.start()
    try:
        assert done.wait(PATIENCE)
        until(lambda: hinted() == [], "the hint stays though nothing is due")
        done.clear()
        bench.jobs.listeners.clear()  # the hint is lost
        bench.add()
        runner._swept = float("-inf")
        assert done.wait(PATIENCE)
    finally:
        stop.set()
        thread.join()
        runner.close()


def test_waits_grow_and_end() -> None:
    waits = [wait_before_try(n, 0).total_seconds() for n in (1, 2, 5, 30)]
    assert waits == [10, 20, 160, 6 * 3600]
    assert wait_before_try(1, 1).total_seconds() == 15


def test_a_killed_worker_is_taken_over(stores: Stores, tmp_path: Path) -> None:
    """kill -9 in an open step: the next worker goes on behind the last committed one."""
    versions.open_control(stores)
    clock = SystemClock()
    tenants = Tenants(stores, clock, SystemIds(clock))
    store = stores.tenant(tenants.create("a", "A"))
    jobs = Jobs(clock, SystemIds(clock))
    jobs.register("count", lambda run: None, runs_as="system")
    with store.write() as writer:
        EFFECT.create(writer.connection)
        id = jobs.add(writer, "count", None)
    settings = stores.settings
    told = tmp_path / "told"
    command = [sys.executable, str(Path(__file__).parents[1] / "support" / "job_worker.py")]

    def start(language: str) -> subprocess.Popen[bytes]:
        given = {
            "home": str(settings.home), "secret": settings.secret, "database_url": settings.database_url,
            "schema_prefix": settings.schema_prefix, "language": language,
        }  # fmt: skip
        return subprocess.Popen([*command, json.dumps(given), "a", str(told)])

    first = start("en")
    try:
        until(told.with_suffix(".stuck").exists, "the step was not begun", first)
    finally:
        first.kill()
        first.wait()

    def finished() -> bool:
        assert start("zh").wait(PATIENCE) == 0
        with store.read() as reader:
            return jobs.get(reader, id).finished

    until(finished, "nobody took the job over")
    with store.read() as reader:
        job = jobs.get(reader, id)
    assert (job.state, job.tries, job.result) == ("done", 2, STEPS)
    with store.read() as reader:
        assert list(reader.execute(sa.select(EFFECT.c.n).order_by("n")).scalars()) == list(range(STEPS))
    assert [int(line) for line in told.read_text().split()] == [0, 1, 2, 3, 3, 4, 5]
