"""Packages of a tenant, for everybody who installs them: the command line and Studio.

A package is offered first (kept, with nothing in force changed), looked at, and then taken: into a draft, or
at once as a release. Both go the way of every other publish.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from tabwright.metadata import installed
from tabwright.metadata.archives import Files
from tabwright.metadata.installed import Version
from tabwright.metadata.packages import Package, package_of, samples_of
from tabwright.metadata.tree import Tree
from tabwright.metadata.upgrading import Removal, Upgrade, removal, upgrade
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Reader
from tabwright.platform.errors import Conflict, Invalid
from tabwright.runtime.access.disclosing import accepted_in
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.publishing.engine import Published, author_of
from tabwright.runtime.publishing.service import Plan, Publishing


@dataclass(frozen=True)
class Proposal:
    """What a version makes of a tree: of the release in force, or of a draft on it."""

    version: Version
    upgrade: Upgrade
    before: Tree
    release: int


class Packaging:
    """The packages of one tenant. ``program`` is the version of the program, for what packages require."""

    def __init__(self, publishing: Publishing, clock: Clock, ids: Ids, program: str) -> None:
        self.publishing = publishing
        self._store = publishing.tenant.store
        self._trees = publishing.releases.trees
        self._clock = clock
        self._ids = ids
        self._program = program

    # ---- looking -------------------------------------------------------------------------------------------

    def installed(self, tree: Tree) -> dict[str, Version]:
        """The versions that are known of packages which have components in a tree, by name."""
        names = {each.body.get("package") for each in tree}
        with self._store.read() as reader:
            found = installed.in_force(reader, self._trees)
        return {name: version for name, version in found.items() if name in names}

    def version(self, id: UUID) -> Version:
        """A version that was offered. Raises NotFound."""
        with self._store.read() as reader:
            return installed.get(reader, self._trees, id)

    def samples(self, id: UUID) -> dict[str, str]:
        """The sample files of a version, by object."""
        with self._store.read() as reader:
            return installed.samples(reader, id)

    def propose(self, id: UUID, taken: Collection[str] = (), *, draft_of: UUID | None = None) -> Proposal:
        """What a version would make of the release in force, or of somebody's draft.

        ``taken``: see ``upgrading.upgrade``. Raises NotFound.
        """
        with self._store.read() as reader:
            version = installed.get(reader, self._trees, id)
            release = self.publishing.releases.current(reader)
            if draft_of is not None:
                tree = self.publishing.drafts.get(reader, draft_of).tree
            else:
                tree = self.publishing.releases.tree(reader, release)
            made = self._upgrade(reader, version, tree, taken)
        return Proposal(version, made, tree, release)

    def _upgrade(self, reader: Reader, version: Version, tree: Tree, taken: Collection[str]) -> Upgrade:
        base = installed.base_of(reader, self._trees, version.package.name, tree)
        return upgrade(version.package, tree, base, self._program, taken)

    def plan(self, proposal: Proposal) -> Plan:
        """The plan of publishing a proposal at once, counted. Raises Conflict where it cannot be taken."""
        return self.publishing.preview_tree(proposal.upgrade.require(), proposal.release)

    def removal(self, name: str) -> tuple[Removal, int]:
        """What taking a package out means, and the release that it was worked out on. Raises NotFound."""
        with self._store.read() as reader:
            release = self.publishing.releases.current(reader)
            tree = self.publishing.releases.tree(reader, release)
        return removal(tree, name, self.publishing.drafts.applied), release

    # ---- doing ---------------------------------------------------------------------------------------------

    def offer(self, principal: Principal, files: Files) -> UUID:
        """Keep a package that somebody brought; the id of the version. Raises Invalid with all faults."""
        package = package_of(files)
        return self._offer(principal, package, samples_of(package, files))

    def _offer(self, principal: Principal, package: Package, samples: Mapping[str, str]) -> UUID:
        id, author, now = self._ids.new(), author_of(principal), self._clock.now()
        try:
            with self._store.write() as writer:
                installed.offer(writer, self._trees, id, package, samples, author, now)
        except Conflict as error:  # one uid twice
            raise Invalid(error.faults) from error
        return id

    def publish(
        self,
        principal: Principal,
        id: UUID,
        taken: Collection[str] = (),
        *,
        expected: int | None = None,
        accepts: Mapping[str, Collection[str]] = MappingProxyType({}),
        note: str = "",
        request_id: str | None = None,
    ) -> Published | None:
        """Bring a version into force as one release; None where nothing differs and only the version does.

        ``expected``: the release that the plan was shown for; ``accepts``: what its fields may show besides
        what the package says itself (``access.disclosing``), by field. Raises NotFound, Conflict (what stands
        in the way, ``publish.moved``), and as ``Publishing.publish`` does.
        """
        found = self.propose(id, taken)
        if expected is not None and expected != found.release:
            raise Conflict.of("publish.moved", expected=expected, current=found.release)
        tree = found.upgrade.require()
        if tree == found.before:
            with self._store.write() as writer:
                installed.land(writer, id, found.release)
            return None
        package = found.version.package
        tree = tree.changed([accepted_in(tree, path, inputs) for path, inputs in accepts.items()])
        return self.publishing.publish_tree(
            principal,
            tree,
            found.release,
            note=note or f"{package.name} {package.version}",
            request_id=request_id,
            package=id,
        )

    def into_draft(self, author: UUID, id: UUID, taken: Collection[str] = ()) -> Proposal:
        """Lay a version into somebody's draft; its version comes into force when that is published.

        Raises NotFound, Conflict (what stands in the way, clashes of the draft with what others published).
        """
        now = self._clock.now()
        with self._store.write() as writer:
            drafts = self.publishing.drafts
            draft = drafts.get(writer, author)
            draft.require_mergeable()
            version = installed.get(writer, self._trees, id)
            made = self._upgrade(writer, version, draft.tree, taken)
            tree = made.require()
            if tree == draft.tree:
                installed.land(writer, id, draft.release)
            else:
                drafts.replace(writer, author, tree, at=now)
                installed.into_draft(writer, id)
        return Proposal(version, made, draft.tree, draft.release)

    def remove(
        self, principal: Principal, name: str, *, note: str = "", request_id: str | None = None
    ) -> Published:
        """Take every component of a package out, as one release; tables are kept for 30 days.

        Raises NotFound, Conflict with every place where something else uses it.
        """
        found, release = self.removal(name)
        if found.tree is None:
            raise Conflict(found.ways)
        return self.publishing.publish_tree(
            principal, found.tree, release, note=note or f"- {name}", request_id=request_id
        )
