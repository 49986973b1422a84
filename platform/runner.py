"""Finds due jobs and runs them: in a thread of the web process, or as ``tabwright worker``.

Work is found in three ways: by ``wake`` in the process that added it, by the control store's hint (written
after the
commit, so it may be lost) in any other, and by a slow sweep over all tenants, so that nothing is.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.clock import Clock
from tabwright.platform.database import Store, Stores, TenantLocation
from tabwright.platform.errors import Conflict, LimitReached, NotFound, TabwrightError, Unavailable
from tabwright.platform.jobs import Cancelled, Heartbeat, JobRun, Jobs, LeaseLost, wait_before_try
from tabwright.platform.tables import CONTROL, Instant, Uuid
from tabwright.platform.tenants import Tenants

log = logging.getLogger("tabwright.runner")

DUE = sa.Table(
    "due",
    CONTROL,
    sa.Column("tenant_id", Uuid, primary_key=True),
    sa.Column("at", Instant, nullable=False, index=True),
)
_GLANCE = 1.0  # seconds between two looks at the hints
_IN_A_ROW = 20  # jobs of one tenant before the others get their turn


class Runner:
    """Runs the jobs of every tenant; several threads may share one."""

    def __init__(
        self,
        jobs: Jobs,
        stores: Stores,
        tenants: Tenants,
        clock: Clock,
        random: Callable[[], float] = random.random,
    ) -> None:
        self._jobs = jobs
        self._stores = stores
        self._tenants = tenants
        self._clock = clock
        self._random = random
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._bell = threading.Condition()
        self._woken: dict[UUID, None] = {}  # in the order of waking
        self._hinted: dict[UUID, datetime] = {}
        self._swept = float("-inf")
        self._heartbeat = Heartbeat(jobs.lease.total_seconds() / 3)
        jobs.listeners.append(self._heard)

    def wake(self, location: TenantLocation) -> None:
        """There is something to do for this tenant, now."""
        self._ring(location.id)

    def run_due(self, location: TenantLocation) -> int:
        """Run what is due for a tenant until nothing is; how many tries were made."""
        count = 0
        while self._run_one(location):
            count += 1
        return count

    def run_forever(self, stop: threading.Event) -> None:
        """Run jobs until ``stop``; errors of one tenant do not hold the others up."""
        while not stop.is_set():
            try:
                id = self._next(stop)
                if id is not None:
                    self._serve(id)
            except Exception:
                # The control store itself is away: look again, and say so once per look.
                log.exception("looking for jobs")
                stop.wait(_GLANCE)

    def ring(self) -> None:
        """Let the waiting threads look whether they should stop."""
        with self._bell:
            self._bell.notify_all()

    def close(self) -> None:
        """Stop the heartbeat."""
        self._heartbeat.close()

    def _ring(self, id: UUID) -> None:
        with self._bell:
            self._woken[id] = None
            self._bell.notify()

    def _heard(self, store: Store, due: datetime) -> None:
        id = UUID(hex=store.key)
        now = self._clock.now()
        if due <= now:
            self._ring(id)
        hinted = self._hinted.get(id)
        # A hint that says the same or earlier, and is not old, need not be written again.
        if hinted is None or due < hinted or hinted < now - timedelta(seconds=1):
            self._hinted[id] = due
            self._hint(id, due)

    def _hint(self, id: UUID, due: datetime) -> None:
        with self._stores.control.write() as writer:
            earlier = sa.update(DUE).where(DUE.c.tenant_id == id)
            least = sa.case((DUE.c.at < due, DUE.c.at), else_=sa.literal(due, Instant))
            if not writer.execute(earlier.values(at=least)).rowcount:
                with suppress(Conflict), writer.savepoint():  # another process put it in meanwhile
                    writer.execute(sa.insert(DUE), {"tenant_id": id, "at": due})

    def _next(self, stop: threading.Event) -> UUID | None:
        """A tenant to look at: woken, hinted or swept; None after a quiet moment."""
        with self._bell:
            if not self._woken:
                self._bell.wait(_GLANCE)
            if self._woken:
                return self._pop()
        if stop.is_set():
            return None
        found = self._hints()
        with self._bell:
            sweep = time.monotonic() - self._swept >= self._stores.settings.limits.sweep_seconds
            if sweep:
                self._swept = time.monotonic()
        if sweep:
            self._tenants.purge_due()
            found += [location.id for location in self._tenants.active()]
        with self._bell:
            self._woken.update(dict.fromkeys(found))
            return self._pop() if self._woken else None

    def _pop(self) -> UUID:
        id = next(iter(self._woken))
        del self._woken[id]
        return id

    def _hints(self) -> list[UUID]:
        query = sa.select(DUE.c.tenant_id).where(DUE.c.at <= self._clock.now()).order_by(DUE.c.at)
        with self._stores.control.read() as reader:
            return list(reader.execute(query).scalars())

    def _serve(self, id: UUID) -> None:
        """Some jobs of a tenant, then its hint is set to when it next has one."""
        with self._stores.control.read() as reader:
            seen = reader.execute(sa.select(DUE.c.at).where(DUE.c.tenant_id == id)).scalar_one_or_none()
        try:
            location = self._tenants.by_id(id)
        except NotFound:
            self._set_hint(id, seen, None)
            return
        except Unavailable as error:
            log.warning("tenant %s: %s", id, error)
            return
        try:
            for _ in range(_IN_A_ROW):
                if not self._run_one(location):
                    break
            else:
                self._ring(id)
            self._set_hint(id, seen, self._jobs.next_due(self._stores.tenant(location)))
        except TabwrightError as error:
            log.warning("jobs of tenant %s: %s", location.slug, error)

    def _set_hint(self, id: UUID, seen: datetime | None, due: datetime | None) -> None:
        self._hinted.pop(id, None)
        if seen == due:
            return
        with self._stores.control.write() as writer:
            # Only the hint that we saw: one that came meanwhile stays.
            if seen is not None:
                writer.execute(sa.delete(DUE).where(DUE.c.tenant_id == id, DUE.c.at == seen))
        if due is not None:
            self._hint(id, due)

    def _run_one(self, location: TenantLocation) -> bool:
        store = self._stores.tenant(location)
        due = self._jobs.next_due(store)
        if due is None or due > self._clock.now():
            return False
        run = self._jobs.claim(store, location, self._owner)
        if run is None:
            return False
        try:
            with self._heartbeat.over(run):
                result = self._jobs.handler(run.kind)(run)
            self._jobs.finish(run, result)
            log.info("job %s of kind %s done, tenant %s", run.id, run.kind, location.slug)
        except Cancelled:
            with _unless_lost(run):
                self._jobs.close_cancelled(run)
        except LeaseLost:
            log.warning("job %s of kind %s is another worker's now", run.id, run.kind)
        except Exception as error:
            told = isinstance(error, TabwrightError)
            log.warning("job %s of kind %s failed: %s", run.id, run.kind, error, exc_info=not told)
            wait = wait_before_try(run.tries, self._random()) if _is_worth_a_try(error) else None
            with _unless_lost(run):
                self._jobs.fail(run, error, wait)
        return True


@contextmanager
def _unless_lost(run: JobRun) -> Iterator[None]:
    try:
        yield
    except LeaseLost:
        log.warning("job %s went to another worker before it could be closed", run.id)


def _is_worth_a_try(error: Exception) -> bool:
    """Whether the same job might do better later: what is refused for what it says will be refused again."""
    if isinstance(error, TabwrightError):
        return error.status >= 500 or isinstance(error, (Conflict, LimitReached))
    return True
