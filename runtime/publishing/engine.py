"""The one transaction of a publish: DDL, data steps, documents, release number, jobs and journal, or nothing.

Everything that can be worked out before is (the tree, the model); inside the transaction it is checked that
the release in force is still the one it was worked out for.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.model import Model
from tabwright.metadata.store import Release, Releases
from tabwright.metadata.tree import Tree
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Store, Writer
from tabwright.platform.errors import Conflict, Fault, LockTimeout, Place, UniqueViolation
from tabwright.platform.jobs import Jobs
from tabwright.runtime.access.disclosing import accepted_by
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import env_of
from tabwright.runtime.journal.writing import add_operation
from tabwright.runtime.publishing import refreshing
from tabwright.runtime.publishing.computing import fill_formulas
from tabwright.runtime.publishing.consequences import name_of_step
from tabwright.runtime.publishing.following import starts
from tabwright.runtime.publishing.inheriting import inherit_owners
from tabwright.runtime.publishing.searching import large_of, reindex, stale_objects
from tabwright.runtime.storage.apply import row_counter, save, take
from tabwright.runtime.storage.changes import Fit, fit
from tabwright.runtime.storage.ddl import Ddl
from tabwright.runtime.storage.tables import Physical, Tables

TRIES = 30
KEPT = timedelta(days=30)  # what is dropped
PREPARE = "publish.prepare"
FINISH = "publish.finish"
PURGE = "publish.purge"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A release to be: its tree, and what the tree was made from."""

    tree: Tree
    base: int
    author: Principal
    note: str = ""
    request_id: str | None = None
    draft: str | None = None  # whose draft it is, to be cleared when it is published
    package: str | None = None  # the version of a package that it brings
    restored: int | None = None  # the release that it is once more


@dataclass(frozen=True, slots=True)
class Published:
    """What a publish came to. While the job ``waiting`` prepares it, ``release`` is the old one."""

    release: int
    model: Model | None = None
    tables: Tables | None = None
    waiting: UUID | None = None
    jobs: tuple[UUID, ...] = ()
    lost: dict[str, int] = field(default_factory=dict)  # values that did not convert, by field


class Moved(Exception):
    """Another release came in between: work it out again."""


class Unprepared(Exception):
    """The release needs long steps before it can be in force."""


class Engine:
    """Publishes trees to one store."""

    def __init__(
        self,
        store: Store,
        releases: Releases,
        jobs: Jobs,
        clock: Clock,
        ids: Ids,
        zone: str = "Asia/Shanghai",
    ) -> None:
        self.zone = zone  # the tenant's: where the day of a stored formula begins
        self.store = store
        self.releases = releases
        self.jobs = jobs
        self.clock = clock
        self.ids = ids

    def retried(self, once: Callable[[], Published]) -> Published:
        """Run a publish until it has its locks and nobody came in between. Raises LockTimeout in the end."""
        for left in reversed(range(TRIES)):
            try:
                return once()
            except Moved:
                continue
            except LockTimeout:
                if not left:
                    raise
            # Whoever was kept waiting by our lock request goes first.
            time.sleep(random.uniform(0.02, 0.08))
        raise Conflict.of("publish.too_busy")

    def alone(self, writer: Writer) -> None:
        """Be the only publisher of the store; wait for no lock so long that readers queue up behind it."""
        if self.store.dialect == "postgresql":
            writer.execute(sa.text("SET LOCAL lock_timeout = '100ms'"))
        writer.alone("publish")

    def open(self, writer: Writer, expected: int) -> None:
        """Be the only publisher. Raises Moved where ``expected`` is not the release in force."""
        self.alone(writer)
        if self.releases.current(writer) != expected:
            raise Moved

    def publish(
        self,
        wanted: Wanted,
        old: Model | None,
        current: int,
        also: Callable[[Writer, Release], None] = lambda writer, release: None,
        allowed: Callable[[Model], None] = lambda model: None,
    ) -> Published:
        """One try. ``old`` is the model in force, ``current`` its number; ``also`` joins the transaction.

        ``allowed`` looks at the new model before anything is done with it, and raises what speaks against it.
        Raises Moved, Unprepared, LockTimeout, Invalid (documents), Conflict (unique clashes).
        """
        model = compile_tree(wanted.tree, release=current + 1, previous=old)
        allowed(model)
        same = unchanged(old, model)
        with self.store.write() as writer:
            self.open(writer, current)
            now = self.clock.now()
            physical = Physical.read(writer)
            way = fit(model, physical, row_counter(writer), now, same)
            if way.prepare:
                raise Unprepared
            stale = stale_objects(old, model, same)
            large = large_of(writer, stale, model, physical)
            building = _building(way, large)
            release = self.releases.add(
                writer,
                wanted.tree,
                expected=current,
                author=author_of(wanted.author),
                at=now,
                note=wanted.note,
                base=wanted.base,
                building=building,
            )
            operation = self.ids.new()
            reference: dict[str, Any] = {"release": release.number, "base": wanted.base}
            if accepted := accepted_by(old, model):
                reference["declassified"] = list(accepted)
            add_operation(
                writer, operation, now, wanted.author, "publish", release.number, wanted.request_id, reference
            )
            jobs = self._add_jobs(writer, way, building, operation, wanted.author, now)
            refreshing.ask(writer, self.jobs, model, now, self.zone)
            also(writer, release)
            save(writer, way.entries.values())
            tables = Tables(physical.changed(way.entries.values()), self.store.dialect)
            # Last, because nobody can read what is being changed from here until the commit.
            lost = self._take(writer, way)
            self._hold_writers(writer, old, model, tables)
            inherit_owners(writer, old, model, tables)
            self._fill_formulas(writer, way, model, tables, now)
            reindex(writer, [name for name in stale if name not in large], model, tables)
        return Published(release.number, model, tables, jobs=jobs, lost=lost)

    def _take(self, writer: Writer, way: Fit) -> dict[str, int]:
        try:
            return take(writer, way.instant)
        except UniqueViolation as error:
            raise clash_of(way, error) from error

    def _hold_writers(self, writer: Writer, old: Model | None, model: Model, tables: Tables) -> None:
        """Those whose writes reach a roll-up from now on: what they have begun is awaited and counted, and
        who comes later learns of the new release (``records.moving``).
        """
        ddl = Ddl(writer)
        for name in starts(old, model):
            if old is not None and name in old.objects:
                ddl.keep_writers_out(tables.of(model.objects[name]).number)

    def _fill_formulas(self, writer: Writer, way: Fit, model: Model, tables: Tables, now: datetime) -> None:
        try:
            fill_formulas(writer, way.formulas, model, tables, env_of(model, now, self.zone))
        except UniqueViolation as error:
            raise clash_of(way, error) from error

    def prepare_later(self, wanted: Wanted) -> UUID:
        """Keep the tree and have a job prepare the tables for it, then publish it; the job's id.

        Raises Conflict while another release is being prepared.
        """
        payload = {
            "tree": wanted.tree.digest,
            "base": wanted.base,
            "author": principal_json(wanted.author),
            "note": wanted.note,
            "draft": wanted.draft,
            "package": wanted.package,
            "restored": wanted.restored,
        }
        with self.store.write() as writer:
            writer.alone("publish")
            open_jobs = self.jobs.list(writer, states=("waiting", "running"))
            busy = next((job for job in open_jobs if job.kind == PREPARE), None)
            if busy is not None:
                raise Conflict.of("publish.preparing", job=str(busy.id))
            self.releases.trees.save(writer, wanted.tree)
            self._purge_at(writer, self.clock.now() + KEPT)  # what a preparation that is given up leaves
            return self.jobs.add(writer, PREPARE, payload, key=PREPARE, created_by=author_of(wanted.author))

    def _add_jobs(
        self,
        writer: Writer,
        way: Fit,
        building: dict[str, Any],
        operation: UUID,
        author: Principal,
        now: datetime,
    ) -> tuple[UUID, ...]:
        jobs = []
        if building:
            jobs.append(
                self.jobs.add(
                    writer, FINISH, {}, key=FINISH, operation=operation, created_by=author_of(author)
                )
            )
        if any(entry.dropped_at == now for entry in way.entries.values()):
            self._purge_at(writer, now + KEPT)
        return tuple(jobs)

    def _purge_at(self, writer: Writer, due: datetime) -> None:
        # One purge a day is enough; the first of a day comes no earlier than what the last one dropped.
        due = due.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        self.jobs.add(writer, PURGE, {}, due_at=due, key=f"{PURGE}:{due:%Y-%m-%d}")


def unchanged(old: Model | None, new: Model) -> frozenset[str]:
    """Names of the objects that have the same digest under the same uid in both models."""
    if old is None:
        return frozenset()
    return frozenset(
        name
        for name, object in new.objects.items()
        if (before := old.objects.get(name)) is not None
        and (before is object or (before.uid, before.digest) == (object.uid, object.digest))
    )


def _building(way: Fit, search: tuple[str, ...]) -> dict[str, Any]:
    """The ``building`` json of a release: each long step that jobs still have to do."""
    steps = [{"step": name_of_step(step), "state": "waiting"} for step in way.after]
    steps += [{"step": f"search {name}", "state": "waiting"} for name in search]
    return {"steps": steps, "search": list(search)} if steps else {}


def clash_of(way: Fit, error: UniqueViolation) -> Conflict:
    """The unique rule that the records there break."""
    entry = next((e for e in way.entries.values() if f"i{e.n}" == error.index), None)
    rule = entry.uid.removesuffix(":unique") if entry else error.index
    place = Place(rule=rule)
    return Conflict([Fault("publish.unique_broken", {"rule": rule}, place)])


def author_of(principal: Principal) -> UUID | None:
    """The user who publishes; None for the platform itself."""
    return None if principal.kind == "system" else principal.user_id


def principal_json(principal: Principal) -> dict[str, Any]:
    """Who asked for a job, as far as its journal entry needs."""
    return {"id": principal.user_id.hex, "name": principal.name, "kind": principal.kind}


def principal_from(stored: dict[str, Any]) -> Principal:
    """The reverse of ``principal_json``; such a principal holds no rights."""
    return Principal(UUID(stored["id"]), stored["name"], kind=stored["kind"])
