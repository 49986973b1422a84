"""Work that must happen later: one row in the tenant's store, written in the transaction that causes it
(decision 0007).

The row is the truth. Whoever works on it holds a lease and a fence number; every transaction of a handler
first
proves that both still stand, so a worker that was frozen or cut off writes nothing when it wakes. ``runner``
finds
due rows and runs them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Reader, Store, TenantLocation, Writer
from tabwright.platform.errors import Conflict, NotFound, TabwrightError
from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid

JOB = sa.Table(
    "job",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("kind", CodeText, nullable=False),
    sa.Column("payload", Json),
    sa.Column("state", CodeText, nullable=False),  # waiting, running, done, failed (parked), cancelled
    sa.Column("due_at", Instant, nullable=False),
    sa.Column("priority", sa.Integer, nullable=False),  # higher first
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("max_tries", sa.Integer, nullable=False),
    sa.Column("lease_owner", CodeText),
    sa.Column("lease_until", Instant),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("progress_done", sa.BigInteger, nullable=False),
    sa.Column("progress_total", sa.BigInteger),
    sa.Column("note", CodeText),
    sa.Column("memory", Json),  # what the handler wants to know when it is resumed
    sa.Column("result", Json),
    sa.Column("error", Json),
    sa.Column("cancel_requested", sa.Boolean, nullable=False),
    sa.Column("again", sa.Boolean, nullable=False),  # asked for once more while it was running
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("created_by", Uuid),
    sa.Column("operation_id", Uuid),
    sa.Column("started_at", Instant),
    sa.Column("finished_at", Instant),
    sa.Column("key", CodeText),
)
_OPEN = sa.text("state IN ('waiting', 'running')")
sa.Index("job_due", JOB.c.due_at, postgresql_where=_OPEN, sqlite_where=_OPEN)
sa.Index("job_key", JOB.c.key, unique=True, postgresql_where=_OPEN, sqlite_where=_OPEN)

_LONGEST_WAIT = timedelta(hours=6)


class Cancelled(Exception):
    """Somebody asked the job to stop; raised by the next step and not to be caught by handlers."""


class LeaseLost(Exception):
    """Another worker has the job now; nothing more may be written for it."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as others see it."""

    id: UUID
    kind: str
    payload: Any
    state: str
    due_at: datetime
    priority: int
    tries: int
    max_tries: int
    progress_done: int
    progress_total: int | None
    note: str | None
    result: Any
    error: Any  # {"faults": [{"code", "params", "place"}]}
    cancel_requested: bool
    created_at: datetime
    created_by: UUID | None
    operation_id: UUID | None
    started_at: datetime | None
    finished_at: datetime | None
    key: str | None

    @property
    def finished(self) -> bool:
        return self.state in ("done", "failed", "cancelled")


_SEEN = [JOB.c[each.name] for each in fields(Job)]


class JobRun:
    """One try at a job, as its handler has it. Used by one thread."""

    def __init__(
        self,
        store: Store,
        location: TenantLocation,
        row: Any,
        clock: Clock,
        lease: timedelta,
        close: Callable[[Writer, JobRun, Any], None],
    ) -> None:
        self.store = store
        self.location = location
        self.id: UUID = row.id
        self.kind: str = row.kind
        self.payload: Any = row.payload
        self.created_by: UUID | None = row.created_by
        self.operation_id: UUID | None = row.operation_id
        self.tries: int = row.tries
        self.fence: int = row.fence
        self.memory: Any = row.memory
        self.done: int = row.progress_done
        self.cancelled = False
        self.ended = False
        self._clock = clock
        self._lease = lease
        self._close = close
        self._news: dict[str, Any] = {}

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """Say how far it is; written with the step that is open, or with the next one."""
        self.done = done
        self._news["progress_done"] = done
        if total is not None:
            self._news["progress_total"] = total
        if note is not None:
            self._news["note"] = note[:500]

    def remember(self, memory: Any) -> None:
        """Keep a JSON value with the step that is open, or the next: ``memory`` of a later try."""
        self.memory = memory
        self._news["memory"] = memory

    @contextmanager
    def step(self) -> Iterator[Writer]:
        """One transaction of the job: what it writes, its progress and the lease stand or fall together.

        Raises Cancelled when somebody asked for it, LeaseLost when the job is another worker's.
        """
        with self.store.write() as writer:
            until = self._clock.now() + self._lease
            values = {"lease_until": until}
            row = writer.execute(self._mine().values(values).returning(JOB.c.cancel_requested)).one_or_none()
            if row is None:
                raise LeaseLost(self.kind)
            if row.cancel_requested:
                self.cancelled = True
                raise Cancelled(self.kind)
            yield writer
            news, self._news = self._news, {}
            if news:
                writer.execute(self._mine().values(**news))

    def end(self, writer: Writer, result: Any) -> None:
        """Close the job as done in the step that is open, its last: a worker that dies right after it leaves
        nothing that another would do again.
        """
        self._close(writer, self, result)
        writer.after_commit(self._has_ended)

    def _has_ended(self) -> None:
        self.ended = True

    def extend(self) -> bool:
        """The heartbeat between two steps: whether the lease still stands."""
        with self.store.write() as writer:
            values = {"lease_until": self._clock.now() + self._lease}
            return writer.execute(self._mine().values(values)).rowcount == 1

    def _mine(self) -> sa.Update:
        which = (JOB.c.id == self.id, JOB.c.fence == self.fence, JOB.c.state == "running")
        return sa.update(JOB).where(*which)


Handler: TypeAlias = Callable[[JobRun], Any]
# Told in the transaction that closes a job: its state, how long it took, its result.
Closed: TypeAlias = Callable[[Writer, JobRun, str, timedelta, Any], None]


# In whose name a job works: ``asker``: who asked for it, with the rights held when it runs; ``system``: the
# platform, for upkeep and for what was decided when it was asked for. Its tenant is that of its row.
RunsAs = Literal["asker", "system"]


@dataclass(frozen=True, slots=True)
class _Kind:
    handler: Handler
    runs_as: RunsAs
    max_tries: int
    priority: int


class Jobs:
    """The kinds of jobs that this process knows, and the rows of any store."""

    def __init__(self, clock: Clock, ids: Ids, lease: timedelta = timedelta(seconds=60)) -> None:
        self._clock = clock
        self._ids = ids
        self.lease = lease
        self._kinds: dict[str, _Kind] = {}
        # Told (store, due_at) after the commit that made a job due; the runner listens.
        self.listeners: list[Callable[[Store, datetime], None]] = []
        self._closed: list[Closed] = []

    def register(
        self, kind: str, handler: Handler, *, runs_as: RunsAs, max_tries: int = 5, priority: int = 0
    ) -> None:
        """Tell how a kind is done, and in whose name. A handler may be called again after it was cut off at
        any step.
        """
        if kind in self._kinds:
            raise ValueError(f"the job kind {kind} is registered already")
        self._kinds[kind] = _Kind(handler, runs_as, max_tries, priority)

    def on_closed(self, tell: Closed) -> None:
        """Have ``tell`` called in the transaction that closes a job as done, failed or cancelled."""
        self._closed.append(tell)

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset(self._kinds)

    def runs_as(self, kind: str) -> RunsAs:
        """In whose name jobs of a kind work."""
        return self._kinds[kind].runs_as

    def handler(self, kind: str) -> Handler:
        return self._kinds[kind].handler

    def add(
        self,
        writer: Writer,
        kind: str,
        payload: Any,
        *,
        due_at: datetime | None = None,
        key: str | None = None,
        operation: UUID | None = None,
        created_by: UUID | None = None,
    ) -> UUID:
        """Add a job in the caller's transaction; its id.

        With a ``key`` there is one unfinished job of it at most: asking again makes the waiting one due no
        later,
        or a running one run once more when it ends, and gives its id. On PostgreSQL two open transactions
        that ask
        for one key wait for each other: what every save asks for belongs into ``ask``.
        """
        known = self._kinds[kind]
        if known.runs_as == "asker" and created_by is None:
            raise ValueError(f"a job of kind {kind} must say who asked for it")
        now = self._clock.now()
        due = due_at or now
        row = {
            "id": self._ids.new(), "kind": kind, "payload": payload, "state": "waiting", "due_at": due,
            "priority": known.priority, "tries": 0, "max_tries": known.max_tries, "fence": 0,
            "progress_done": 0, "cancel_requested": False, "again": False, "created_at": now,
            "created_by": created_by, "operation_id": operation, "key": key,
        }  # fmt: skip
        if key is None:
            writer.execute(sa.insert(JOB), row)
            id: UUID = row["id"]
        else:
            insert: Any = (postgresql if writer.store.dialect == "postgresql" else sqlite).insert(JOB)
            earlier = sa.case(
                (insert.excluded.due_at < JOB.c.due_at, insert.excluded.due_at), else_=JOB.c.due_at
            )
            upsert = insert.values(row).on_conflict_do_update(
                index_elements=[JOB.c.key],
                index_where=_OPEN,
                set_={
                    "due_at": sa.case((JOB.c.state == "waiting", earlier), else_=insert.excluded.due_at),
                    "again": JOB.c.state == "running",
                },
            )
            id = writer.execute(upsert.returning(JOB.c.id)).scalar_one()
        store = writer.store
        writer.after_commit(lambda: self._tell(store, due))
        return id

    def ask(self, store: Store, kind: str, payload: Any, *, key: str) -> None:
        """Have a job of this key run soon, in a short transaction of its own; nothing to do when one waits
        already.

        For after a commit. A process that dies before it has asked leaves the work to whoever asks next.
        """
        query = sa.select(JOB.c.id).where(
            JOB.c.key == key, JOB.c.state == "waiting", JOB.c.due_at <= self._clock.now()
        )
        with store.read() as reader:
            waits = reader.execute(query).first() is not None
        if not waits:
            with store.write() as writer:
                self.add(writer, kind, payload, key=key)

    def get(self, reader: Reader, id: UUID) -> Job:
        """A job. Raises NotFound."""
        row = reader.execute(sa.select(*_SEEN).where(JOB.c.id == id)).one_or_none()
        if row is None:
            raise NotFound.of("job.not_found", job=str(id))
        return Job(*tuple(row))

    def list(self, reader: Reader, *, states: tuple[str, ...] = (), limit: int = 100) -> list[Job]:
        """The newest jobs, those in ``states`` when some are given."""
        query = sa.select(*_SEEN).order_by(JOB.c.id.desc()).limit(limit)
        if states:
            query = query.where(JOB.c.state.in_(states))
        return [Job(*tuple(row)) for row in reader.execute(query).all()]

    def cancel(self, writer: Writer, id: UUID) -> None:
        """Stop a job: a waiting one now, a running one at its next step. Raises NotFound, Conflict
        (finished).
        """
        now = self._clock.now()
        waiting = sa.update(JOB).where(JOB.c.id == id, JOB.c.state == "waiting")
        if writer.execute(waiting.values(state="cancelled", finished_at=now)).rowcount:
            return
        running = sa.update(JOB).where(JOB.c.id == id, JOB.c.state == "running")
        if not writer.execute(running.values(cancel_requested=True)).rowcount:
            raise Conflict.of("job.finished", state=self.get(writer, id).state)

    def retry(self, writer: Writer, id: UUID) -> None:
        """Give a parked or cancelled job all its tries again. Raises NotFound, Conflict (not parked)."""
        now = self._clock.now()
        parked = sa.update(JOB).where(JOB.c.id == id, JOB.c.state.in_(("failed", "cancelled")))
        anew = parked.values(state="waiting", tries=0, due_at=now, cancel_requested=False, finished_at=None)
        if not writer.execute(anew).rowcount:
            raise Conflict.of("job.not_parked", state=self.get(writer, id).state)
        store = writer.store
        writer.after_commit(lambda: self._tell(store, now))

    def next_due(self, store: Store) -> datetime | None:
        """When the store next has something to do: a waiting job that is due, or a lease that runs out."""
        when = sa.case((JOB.c.state == "waiting", JOB.c.due_at), else_=JOB.c.lease_until)
        query = sa.select(sa.func.min(when)).where(
            JOB.c.state.in_(("waiting", "running")), JOB.c.kind.in_(self._kinds)
        )
        with store.read() as reader:
            found: datetime | None = reader.execute(query).scalar_one()
        return found

    def claim(self, store: Store, location: TenantLocation, owner: str) -> JobRun | None:
        """Take the next due job under a lease, or None. One that has used up its tries is parked instead."""
        now = self._clock.now()
        started = sa.func.coalesce(JOB.c.started_at, sa.literal(now, Instant))
        due = sa.or_(
            sa.and_(JOB.c.state == "waiting", JOB.c.due_at <= now),
            sa.and_(JOB.c.state == "running", JOB.c.lease_until < now),
        )
        chosen = (
            sa.select(JOB.c.id)
            .where(due, JOB.c.kind.in_(self._kinds))
            .order_by(JOB.c.priority.desc(), JOB.c.due_at, JOB.c.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        with store.write() as writer:
            while True:
                # Read first, then change the one row: a sub-select might be run again for each row.
                id = writer.execute(chosen).scalar_one_or_none()
                if id is None:
                    return None
                taken = writer.execute(
                    sa.update(JOB)
                    .where(JOB.c.id == id)
                    .values(
                        state="running", tries=JOB.c.tries + 1, fence=JOB.c.fence + 1, lease_owner=owner,
                        lease_until=now + self.lease, started_at=started,
                    )
                    .returning(JOB)
                ).one()  # fmt: skip
                run = JobRun(store, location, taken, self._clock, self.lease, self._end)
                if taken.tries <= taken.max_tries:
                    return run
                # Its worker died every time: whatever it does kills processes.
                self._close(writer, run, "failed", error=_error_of(Conflict.of("job.crashed")))

    def finish(self, run: JobRun, result: Any) -> None:
        """The handler came to its end: done, or waiting again when it was asked for once more meanwhile."""
        if not run.ended:
            with run.store.write() as writer:
                self._end(writer, run, result)

    def _end(self, writer: Writer, run: JobRun, result: Any) -> None:
        self._close(writer, run, "done", result=result, error=None)

    def fail(self, run: JobRun, error: BaseException, wait: timedelta | None) -> None:
        """The handler raised: try again after ``wait``, or park when there is none or all tries are used."""
        with run.store.write() as writer:
            row = writer.execute(sa.select(JOB.c.max_tries).where(JOB.c.id == run.id)).one()
            if wait is None or run.tries >= row.max_tries:
                self._close(writer, run, "failed", error=_error_of(error))
                return
            due = self._clock.now() + wait
            self._release(writer, run, state="waiting", due_at=due, error=_error_of(error))
            writer.after_commit(lambda: self._tell(run.store, due))

    def close_cancelled(self, run: JobRun) -> None:
        """The handler saw that it was cancelled."""
        with run.store.write() as writer:
            self._close(writer, run, "cancelled")

    def _close(self, writer: Writer, run: JobRun, state: str, **values: Any) -> None:
        now = self._clock.now()
        known = writer.execute(
            sa.select(JOB.c.again, JOB.c.started_at).where(JOB.c.id == run.id)
        ).one_or_none()
        if known is not None and known.again and state == "done":
            self._release(writer, run, state="waiting", tries=0, again=False, due_at=now, **values)
            writer.after_commit(lambda: self._tell(run.store, now))
        else:
            self._release(writer, run, state=state, finished_at=now, again=False, **values)
            took = now - (known.started_at or now) if known is not None else timedelta()
            for tell in self._closed:
                tell(writer, run, state, took, values.get("result"))

    def _release(self, writer: Writer, run: JobRun, **values: Any) -> None:
        news, run._news = run._news, {}
        done = writer.execute(run._mine().values(lease_owner=None, lease_until=None, **news, **values))
        if not done.rowcount:
            raise LeaseLost(run.kind)

    def _tell(self, store: Store, due: datetime) -> None:
        for each in self.listeners:
            each(store, due)


def wait_before_try(tries: int, random: float) -> timedelta:
    """How long a job that failed ``tries`` times waits: 2^tries * 5 s, up to half more (``random``
    in 0..1).
    """
    return min(timedelta(seconds=5 * 2 ** min(tries, 20) * (1 + random / 2)), _LONGEST_WAIT)


def _error_of(error: BaseException) -> Mapping[str, Any]:
    """What the row keeps of an error: codes and places. The text of a foreign exception may hold
    anybody's data.
    """
    if isinstance(error, TabwrightError):
        faults = [
            {
                "code": each.code,
                "params": {name: str(value) for name, value in each.params.items()},
                "place": each.place.known(),
            }
            for each in error.faults[:1000]
        ]
    else:
        faults = [{"code": "job.failed", "params": {"error": type(error).__name__}, "place": {}}]
    return {"faults": faults}


class Heartbeat:
    """Keeps the leases of running jobs while their handlers do something that is no step."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._running: set[JobRun] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    @contextmanager
    def over(self, run: JobRun) -> Iterator[None]:
        """Keep the lease of a job while the block runs."""
        with self._lock:
            self._running.add(run)
            if self._thread is None:
                self._thread = threading.Thread(target=self._beat, name="tabwright-heartbeat", daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(run)

    def close(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._every):
            with self._lock:
                running = tuple(self._running)
            for run in running:
                try:
                    run.extend()
                except TabwrightError:
                    continue  # busy: its own step extends the lease, or the next beat does
