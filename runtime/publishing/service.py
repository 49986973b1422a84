"""Publishing, for everybody who does it: the API, the designers, the command line, the jobs.

A draft is previewed and published; a release is restored by publishing its tree again. Either all of it is in
force afterwards or nothing is; what takes long is a job, before the release (``Published.waiting``) or after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from tabwright.metadata import installed
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.diff import Clash, Difference, diff
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Drafts
from tabwright.metadata.model import Model
from tabwright.metadata.operations import Operation, plan
from tabwright.metadata.packages import base_tree
from tabwright.metadata.store import Release, Releases
from tabwright.metadata.tree import Tree
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Reader, Store, Writer
from tabwright.platform.errors import Conflict, Fault, Invalid, Unauthenticated
from tabwright.platform.jobs import JobRun, Jobs
from tabwright.platform.language import register_messages
from tabwright.runtime.access import principals
from tabwright.runtime.access.delegating import check_documents
from tabwright.runtime.access.disclosing import check_disclosed, idle
from tabwright.runtime.access.granting import check_publish
from tabwright.runtime.access.lasting import lasting
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Tenancy, TenantRuntime
from tabwright.runtime.publishing import refreshing
from tabwright.runtime.publishing.building import Builder
from tabwright.runtime.publishing.consequences import Consequence, Counting, LongStep, long_steps
from tabwright.runtime.publishing.engine import (
    FINISH,
    PREPARE,
    PURGE,
    Engine,
    Moved,
    Published,
    Unprepared,
    Wanted,
    unchanged,
)
from tabwright.runtime.publishing.merging import merged
from tabwright.runtime.publishing.releases import CompiledReleases
from tabwright.runtime.publishing.searching import large_objects, stale_objects
from tabwright.runtime.publishing.telling import told
from tabwright.runtime.publishing.who import Shift, by_set, holders, shifts
from tabwright.runtime.storage.apply import row_counter
from tabwright.runtime.storage.changes import fit
from tabwright.runtime.storage.tables import Physical

register_messages(Path(__file__).with_name("messages.json"))


@dataclass(frozen=True)
class Plan:
    """What publishing a draft would do. With ``faults`` or ``clashes`` it cannot be published."""

    release: int  # the one in force, which the plan was made against
    differences: tuple[Difference, ...]
    clashes: tuple[Clash, ...] = ()
    faults: tuple[Fault, ...] = ()
    operations: tuple[Operation, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    shifts: tuple[Shift, ...] = ()
    steps: tuple[LongStep, ...] = ()
    model: Model | None = None
    held: Mapping[str, int] = field(default_factory=dict)  # active users by permission set (uid)

    @property
    def publishable(self) -> bool:
        return not self.faults and not self.clashes

    @property
    def waits(self) -> bool:
        """Whether the release comes into force only when a job has prepared it."""
        return any(step.when == "prepare" for step in self.steps)


class Publishing:
    """Publishes for one tenant."""

    def __init__(self, tenant: TenantRuntime, releases: CompiledReleases, clock: Clock, ids: Ids) -> None:
        self.tenant = tenant
        self.releases: Releases = releases.stored
        self.drafts = Drafts(self.releases, ids, self._reach)
        self._clock = clock
        self._engine = Engine(tenant.store, self.releases, tenant.jobs, clock, ids, tenant.zone)

    def _reach(self, writer: Writer, author: UUID, changed: Sequence[Component]) -> None:
        """A draft holds nothing that its author could not publish for being a delegate (S12)."""
        model, now = self.tenant.at_release(writer), self._clock.now()
        with suppress(Unauthenticated):  # a draft of nobody is nobody's to publish
            principal = principals.load(self.tenant, writer, model, author, now)
            check_documents(self.tenant, writer, model, principal, now, changed)

    # ---- looking -------------------------------------------------------------------------------------------

    def preview(self, author: UUID) -> Plan:
        """The plan of an author's draft, its consequences counted on the rows that are there."""
        with self.tenant.store.read() as reader:
            draft = self.drafts.get(reader, author)
            old = self.tenant.at_release(reader)
        if draft.clashes or draft.faults:
            return Plan(draft.release, draft.differences, draft.clashes, draft.faults)
        return self._plan(draft.release, draft.differences, old, draft.tree)

    def preview_restore(self, number: int) -> Plan:
        """The plan of restoring a release. Raises NotFound."""
        with self.tenant.store.read() as reader:
            current = self.releases.current(reader)
            old = self.tenant.at_release(reader)
            differences = self.releases.diff(reader, current, number)
            tree = self.releases.tree(reader, number)
        return self._plan(current, differences, old, tree)

    def preview_tree(self, tree: Tree, base: int) -> Plan:
        """The plan of ``publish_tree``. Raises Conflict where it does not go onto what is in force."""
        with self.tenant.store.read() as reader:
            current = self.releases.current(reader)
            old = self.tenant.at_release(reader)
            now = self.releases.tree(reader, current)
            wanted = merged(self.releases.tree(reader, base), now, tree)
        return self._plan(current, diff(now, wanted), old, wanted)

    def _plan(self, current: int, differences: tuple[Difference, ...], old: Model, tree: Tree) -> Plan:
        try:
            new = compile_tree(tree, release=current + 1, previous=old)
        except Invalid as error:
            return Plan(current, differences, faults=error.faults)
        now = self._clock.now()
        same = unchanged(old, new)
        with self.tenant.store.read_long() as reader:
            there = Physical.read(reader)
            try:
                way = fit(new, there, row_counter(reader), now, same)
            except Invalid as error:
                return Plan(current, differences, faults=error.faults)
            kept = {each.uid for each in there.entries if each.state == "dropped"}
            consequences = (*Counting(reader, old, new, there, way).all(), *told(old, new))
            tables = self.tenant.tables(old)
            held = holders(reader, old, tables, now)
            searched = large_objects(reader, stale_objects(old, new, same), new, there)
            steps = (*long_steps(reader, way), *searched)
        return Plan(
            current,
            differences,
            faults=idle(old, new),
            operations=plan(old, new, kept),
            consequences=consequences,
            shifts=shifts(old, new, held),
            steps=steps,
            model=new,
            held=by_set(held, old),
        )

    def list(self, *, before: int | None = None, limit: int = 50) -> tuple[Release, ...]:
        """Releases, newest first, with the state of their long steps."""
        with self.tenant.store.read() as reader:
            return self.releases.list(reader, before=before, limit=limit)

    def diff(self, a: int, b: int) -> tuple[Difference, ...]:
        """What leads from release ``a`` to release ``b``. Raises NotFound."""
        with self.tenant.store.read() as reader:
            return self.releases.diff(reader, a, b)

    # ---- publishing ----------------------------------------------------------------------------------------

    def publish(
        self,
        principal: Principal,
        *,
        note: str = "",
        expected: int | None = None,
        request_id: str | None = None,
    ) -> Published:
        """Publish the principal's draft.

        ``expected`` is the release that the draft was looked at with: Conflict ``publish.moved`` where
        another is in force by now; without it the draft is merged onto what is in force.
        Raises Denied (rights that the principal may not give), Invalid (documents, what fields would show and
        nobody accepted: ``access.disclosing``), Conflict (clashes with
        other publishers, unique rules that records break, nothing to publish), LockTimeout
        (``storage.locked``: an object stayed in use).
        """
        author = principal.user_id

        def look(reader: Reader, current: int) -> Wanted:
            draft = self.drafts.get(reader, author)
            if expected is not None and expected != current:
                draft.require_mergeable()
                raise Conflict.of("publish.moved", expected=expected, current=current)
            draft.require_mergeable()
            if draft.is_empty:
                raise Conflict.of("publish.nothing")
            return Wanted(draft.tree, current, principal, note, request_id, author.hex)

        return self._publish(look)

    def restore(
        self, principal: Principal, number: int, *, note: str = "", request_id: str | None = None
    ) -> Published:
        """Publish the tree of release ``number`` again. Raises NotFound, and as ``publish`` does."""

        def look(reader: Reader, current: int) -> Wanted:
            tree = self.releases.tree(reader, number)
            return Wanted(tree, current, principal, note, request_id, restored=number)

        return self._publish(look)

    def publish_tree(
        self,
        principal: Principal,
        tree: Tree,
        base: int,
        *,
        note: str = "",
        request_id: str | None = None,
        package: UUID | None = None,
    ) -> Published:
        """Publish what leads from release ``base`` to ``tree`` on what is in force: a package, a folder.

        ``package``: the version (``metadata.installed``) that comes into force with it.
        """
        brought = package.hex if package is not None else None

        def look(reader: Reader, current: int) -> Wanted:
            start, now = self.releases.tree(reader, base), self.releases.tree(reader, current)
            return Wanted(merged(start, now, tree), current, principal, note, request_id, package=brought)

        return self._publish(look)

    def _publish(self, look: Callable[[Reader, int], Wanted]) -> Published:
        def once() -> Published:
            with self.tenant.store.read() as reader:
                current = self.releases.current(reader)
                old = self.tenant.at_release(reader)
                if old.release != current:
                    raise Moved
                wanted = look(reader, current)
                if wanted.tree.digest == old.digest:
                    raise Conflict.of("publish.nothing")
                changed = [each.component for each in diff(self.releases.tree(reader, current), wanted.tree)]
                check_documents(self.tenant, reader, old, wanted.author, self._clock.now(), changed)
                allowed = _granting(self.tenant, reader, wanted.author, old)
            try:
                return self._engine.publish(wanted, old, current, self._also(wanted), allowed)
            except Unprepared:
                return Published(current, waiting=self._engine.prepare_later(wanted))

        return self._keep(self._engine.retried(once))

    def _also(self, wanted: Wanted) -> Callable[[Writer, Release], None]:
        """What else belongs to the transaction: packages come into force, the published draft is gone."""

        def also(writer: Writer, release: Release) -> None:
            if wanted.package is not None:
                installed.land(writer, UUID(wanted.package), release.number)
            if wanted.restored is not None:
                installed.restore(writer, wanted.restored, release.number)
            if wanted.draft is None:
                return
            author = UUID(wanted.draft)
            before = self.releases.tree(writer, release.number - 1)
            trees = self.releases.trees
            installed.land_draft(writer, trees, author, before, wanted.tree, release.number)
            if self.drafts.get(writer, author).is_empty:
                self.drafts.discard(writer, author)

        return also

    def _keep(self, published: Published) -> Published:
        if published.model is not None and published.tables is not None:
            self.tenant.keep(published.model, published.tables)
        return published

    # ---- jobs ----------------------------------------------------------------------------------------------

    def prepare(self, run: JobRun) -> Any:
        """The job that prepares a release and publishes it."""
        builder = Builder(self._engine)

        def once() -> Published:
            wanted, old, current = builder.prepare(run)
            try:
                return self._engine.publish(
                    wanted, old, current, self._also(wanted),
                    lambda new: check_disclosed(Principal.system(), old, new),
                )  # fmt: skip
            except Unprepared as error:
                raise Moved from error

        published = self._keep(self._engine.retried(once))
        return {"release": published.release, "lost": published.lost}

    def finish(self, run: JobRun) -> Any:
        """The job that makes what a release lacks."""
        return Builder(self._engine).finish(run)

    def purge(self, run: JobRun) -> Any:
        """The job that removes what was dropped 30 days ago."""
        return Builder(self._engine).purge(run)


def _granting(
    tenant: TenantRuntime, reader: Reader, author: Principal, old: Model
) -> Callable[[Model], None]:
    """The check that a release gives nobody more than its author holds for good, and shows no more than is
    accepted.
    """
    author = lasting(tenant, reader, old, author, None)
    dropped = frozenset(each.uid for each in Physical.read(reader).entries if each.state == "dropped")

    def allowed(new: Model) -> None:
        check_publish(author, old, new, dropped)
        check_disclosed(author, old, new)

    return allowed


def bootstrap(
    store: Store, jobs: Jobs, clock: Clock, ids: Ids, releases: Releases | None = None
) -> Published:
    """The first release of a new tenant, whose fixed tables are there: the package base."""
    engine = Engine(store, releases or Releases(), jobs, clock, ids)
    wanted = Wanted(base_tree(), 0, Principal.system())
    return engine.retried(lambda: engine.publish(wanted, None, 0))


def register_jobs(tenancy: Tenancy, releases: CompiledReleases, clock: Clock, ids: Ids) -> None:
    """Tell the job runner how the jobs of publishing are done."""

    def of(run: JobRun) -> Publishing:
        return Publishing(tenancy.open(run.location), releases, clock, ids)

    tenancy.jobs.register(PREPARE, lambda run: of(run).prepare(run), runs_as="system")
    tenancy.jobs.register(FINISH, lambda run: of(run).finish(run), runs_as="system")
    tenancy.jobs.register(PURGE, lambda run: of(run).purge(run), runs_as="system")
    refreshing.register(tenancy.jobs, tenancy, clock)
