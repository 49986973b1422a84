"""Drafts: what one author wants to change, checked at once and published later.

A draft is stored as its differences from the release in force: one row per component, with the state that
the change was made against. Whatever others publish in the meantime is there in the author's draft as well;
only a component that both changed is a clash, which the author settles before a publish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata import documents, installed, limits, schema
from tabwright.metadata.diff import Clash, Difference, clash, diff, properties
from tabwright.metadata.documents import Component
from tabwright.metadata.references import renamed, uses
from tabwright.metadata.store import Releases
from tabwright.metadata.tree import Tree
from tabwright.metadata.world import World
from tabwright.platform.clock import Ids
from tabwright.platform.database import Reader, Writer
from tabwright.platform.errors import Conflict, Fault, Invalid, LimitReached, NotFound, Place
from tabwright.platform.tables import TENANT, CodeText, Instant, Uuid

draft_table = sa.Table(
    "metadata_draft",
    TENANT,
    sa.Column("author", Uuid, primary_key=True),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
)
"""One row per author who has a draft."""

change_table = sa.Table(
    "metadata_draft_change",
    TENANT,
    sa.Column("author", Uuid, primary_key=True),
    sa.Column("uid", CodeText, primary_key=True),
    sa.Column("data", CodeText),  # the component wanted; NULL: none
    sa.Column("base", CodeText),  # the component that it was made against; NULL: none
)
"""One row per component that a draft changes."""

# What may be changed of a built-in component: how it is called, explained and shown.
FREE_KEYS = frozenset(
    {"label", "plural", "description", "help", "placeholder", "icon", "colour", "highlights", "aliases"}
)


@dataclass(frozen=True, slots=True)
class Put:
    """Make or replace a component. Without a uid it is the one of that kind and name, or a new one."""

    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delete:
    """Take a component away; an object with all that belongs to it."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Rename:
    """Give a component another (full) name; all that names it follows, the old name stays as an alias."""

    kind: str
    name: str
    to: str


Change = Put | Delete | Rename


@dataclass(frozen=True)
class Draft:
    """One author's draft as it stands on the release in force.

    ``tree`` is what a publish would give; ``clashes`` and ``faults`` (names others took) stand in its way.
    """

    author: UUID
    release: int
    current: Tree
    tree: Tree
    clashes: tuple[Clash, ...] = ()
    faults: tuple[Fault, ...] = ()
    revision: int = 0
    updated_at: datetime | None = None

    @property
    def differences(self) -> tuple[Difference, ...]:
        """What a publish would change, component by component."""
        return diff(self.current, self.tree)

    @property
    def is_empty(self) -> bool:
        return self.tree == self.current

    def require_mergeable(self) -> None:
        """Raises Conflict when somebody else changed what this draft changes."""
        faults = [
            Fault(
                "draft.clash",
                {"name": each.component.name, "properties": ", ".join(each.pointers)},
                Place(component=each.component.place, pointer=each.pointers[0] if each.pointers else ""),
            )
            for each in self.clashes
        ]
        if faults or self.faults:
            raise Conflict([*faults, *self.faults])


Allowed = Callable[[Writer, UUID, Sequence[Component]], None]


class Drafts:
    """The drafts of tenants. Every verb takes the author; nobody changes another's draft."""

    def __init__(self, releases: Releases, ids: Ids, allowed: Allowed | None = None) -> None:
        """``allowed`` raises where an author may not change what a draft would (Denied)."""
        self._releases = releases
        self._ids = ids
        self._allowed = allowed

    # ---- reading ----------------------------------------------------------------------------------

    def get(self, reader: Reader, author: UUID) -> Draft:
        """The author's draft; an empty one when there is none."""
        release = self._releases.current(reader)
        current = self._releases.tree(reader, release)
        rows = reader.execute(sa.select(change_table).where(change_table.c.author == author)).all()
        head = reader.execute(sa.select(draft_table).where(draft_table.c.author == author)).first()
        put: list[Component] = []
        deleted: list[str] = []
        clashes: list[Clash] = []
        for row in rows:
            wanted = documents.from_store(row.data.encode()) if row.data else None
            base = documents.from_store(row.base.encode()) if row.base else None
            there = current.by_uid(row.uid)
            found = clash(base, there, wanted)
            if found is not None:
                clashes.append(found)
            if wanted is not None:
                put.append(wanted)
            elif there is not None:
                deleted.append(row.uid)
        tree, faults = _laid_on(current, put, deleted)
        revision, updated = (head.revision, head.updated_at) if head else (0, None)
        return Draft(author, release, current, tree, tuple(clashes), faults, revision, updated)

    def authors(self, reader: Reader) -> tuple[UUID, ...]:
        """Everybody who has a draft."""
        return tuple(author for (author,) in reader.execute(sa.select(draft_table.c.author)))

    # ---- changing ---------------------------------------------------------------------------------

    def patch(self, writer: Writer, author: UUID, changes: Sequence[Change], *, at: datetime) -> Draft:
        """Apply several changes together, or none of them.

        Documents pass the schema of their kind here (Invalid with all faults of all of them); what components
        say of each other is checked by compiling the draft's tree. Raises NotFound for a component that is
        not there, and Conflict for names that are taken, for uses that stand in the way of a deletion, and
        for what is built in.
        """
        draft = self.get(writer, author)
        tree = self.applied(draft.tree, changes)
        _check_locks(draft.current, diff(draft.current, tree))
        return self._save(writer, draft, tree, at)

    def put(self, writer: Writer, author: UUID, document: Mapping[str, Any], *, at: datetime) -> Component:
        """Make or replace one component; as the draft has it now."""
        draft = self.patch(writer, author, [Put(document)], at=at)
        found = draft.tree.get(str(document["kind"]), str(document["name"]))
        assert found is not None
        return found

    def delete(self, writer: Writer, author: UUID, kind: str, name: str, *, at: datetime) -> Draft:
        """Take one component away."""
        return self.patch(writer, author, [Delete(kind, name)], at=at)

    def rename(self, writer: Writer, author: UUID, kind: str, name: str, to: str, *, at: datetime) -> Draft:
        """Give one component another name."""
        return self.patch(writer, author, [Rename(kind, name, to)], at=at)

    def replace(self, writer: Writer, author: UUID, tree: Tree, *, at: datetime) -> Draft:
        """Make the draft want exactly this tree: how an old release or a package comes back into a draft."""
        return self._save(writer, self.get(writer, author), tree, at)

    def revert(self, writer: Writer, author: UUID, uids: Iterable[str], *, at: datetime) -> Draft:
        """Give up the draft's changes of some components: they are again as in the release in force."""
        wanted = change_table.c.uid.in_(list(uids))
        writer.execute(sa.delete(change_table).where(change_table.c.author == author, wanted))
        draft = self.get(writer, author)
        return self._save(writer, draft, draft.tree, at)

    def keep_mine(self, writer: Writer, author: UUID, uids: Iterable[str]) -> Draft:
        """Settle clashes in favour of the draft: its changes now stand against the release in force."""
        draft = self.get(writer, author)
        for uid in uids:
            there = draft.current.by_uid(uid)
            statement = sa.update(change_table).where(
                change_table.c.author == author, change_table.c.uid == uid
            )
            writer.execute(statement.values(base=there.data.decode() if there else None))
        return self.get(writer, author)

    def discard(self, writer: Writer, author: UUID) -> None:
        """Throw the whole draft away."""
        writer.execute(sa.delete(change_table).where(change_table.c.author == author))
        writer.execute(sa.delete(draft_table).where(draft_table.c.author == author))
        installed.out_of_draft(writer, author)

    # ---- the work ---------------------------------------------------------------------------------

    def applied(self, tree: Tree, changes: Sequence[Change]) -> Tree:
        """The tree with some changes made together; pure but for new uids. Raises as ``patch`` does."""
        if len(changes) > limits.changes_of_draft:
            raise LimitReached.at(
                "limit.changes", "changes_of_draft", limits.changes_of_draft, count=len(changes)
            )
        faults: list[Fault] = []
        gone: dict[str, Component] = {}
        for each in changes:
            if isinstance(each, Rename):
                tree = tree.changed(renamed(tree, _present(tree, each.kind, each.name), each.to))
            elif isinstance(each, Delete):
                gone |= {one.uid: one for one in _with_parts(tree, _present(tree, each.kind, each.name))}
        given: list[Mapping[str, Any]] = []
        for each in changes:
            if isinstance(each, Put):
                tree, document = self._prepared(tree, each.document, gone)
                given.append(document)
        put: list[Component] = []
        for document in given:
            component, wrong = documents.check(document)
            faults += wrong
            if component is not None:
                put.append(component)
        if faults:
            raise Invalid(faults)
        made = tree.changed(put, gone.keys() - {each.uid for each in put})
        lost = [each for uid, each in gone.items() if made.by_uid(uid) is None]
        if lost:
            _refuse_uses(tree, made, lost)
        return made

    def _prepared(
        self, tree: Tree, document: Mapping[str, Any], gone: Mapping[str, Component]
    ) -> tuple[Tree, Mapping[str, Any]]:
        """The document with what the author need not repeat; the tree after the rename that it may mean."""
        if not isinstance(document, Mapping):
            return tree, document
        kind, name, uid = document.get("kind"), document.get("name"), document.get("uid")
        if not isinstance(kind, str) or not isinstance(name, str) or kind not in schema.kinds():
            return tree, document
        there = tree.by_uid(uid) if isinstance(uid, str) else tree.get(kind, name)
        if there is not None and there.uid in gone and not isinstance(uid, str):
            there = None  # deleted in the same breath: this one is new
        if there is None:
            return tree, document if isinstance(uid, str) else {**document, "uid": self._ids.new().hex}
        if there.kind != kind:
            place = Place(component=f"{kind}/{name}", pointer="/kind")
            raise Conflict.of("component.kind_changed", place, kind=there.kind, name=there.name)
        if there.name != name:
            tree = tree.changed(renamed(tree, there, name))
            there = _present(tree, kind, name)
        keys = ("aliases", "package") if kind == "permission_set" else ("aliases", "package", "system")
        kept = {key: there.body[key] for key in keys if key in there.body}
        return tree, {**kept, **document, "uid": there.uid}

    def _save(self, writer: Writer, draft: Draft, tree: Tree, at: datetime) -> Draft:
        """Write the differences between the release in force and the tree that the draft wants."""
        wanted = {each.component.uid: each for each in diff(draft.current, tree)}
        if self._allowed is not None:
            self._allowed(writer, draft.author, [each.component for each in wanted.values()])
        if len(wanted) > limits.changes_of_draft:
            raise LimitReached.at(
                "limit.changes", "changes_of_draft", limits.changes_of_draft, count=len(wanted)
            )
        of_author = change_table.c.author == draft.author
        known = {row.uid: row for row in writer.execute(sa.select(change_table).where(of_author))}
        rows = []
        for uid, each in wanted.items():
            data = each.new.data.decode() if each.new else None
            if uid in known:
                base = known[uid].base
                if known[uid].data == data:
                    continue
            else:
                base = each.old.data.decode() if each.old else None
            rows.append({"author": draft.author, "uid": uid, "data": data, "base": base})
        stale = [uid for uid in known if uid not in wanted] + [
            row["uid"] for row in rows if row["uid"] in known
        ]
        for start in range(0, len(stale), 400):
            some = change_table.c.uid.in_(stale[start : start + 400])
            writer.execute(sa.delete(change_table).where(of_author, some))
        for start in range(0, len(rows), 200):
            writer.execute(sa.insert(change_table).values(rows[start : start + 200]))
        self._touch(writer, draft, at)
        return self.get(writer, draft.author)

    def _touch(self, writer: Writer, draft: Draft, at: datetime) -> None:
        if draft.revision:
            statement = sa.update(draft_table).where(draft_table.c.author == draft.author)
            writer.execute(statement.values(updated_at=at, revision=draft.revision + 1))
        else:
            values = {"author": draft.author, "created_at": at, "updated_at": at, "revision": 1}
            writer.execute(sa.insert(draft_table).values(values))


def _laid_on(
    current: Tree, put: Sequence[Component], deleted: Sequence[str]
) -> tuple[Tree, tuple[Fault, ...]]:
    """The draft's changes on the release in force, without those whose name somebody else took."""
    try:
        return current.changed(put, deleted), ()
    except Conflict as error:
        taken = {fault.place.component for fault in error.faults}
        rest = [each for each in put if each.place not in taken]
        return current.changed(rest, deleted), error.faults


def _present(tree: Tree, kind: str, name: str) -> Component:
    """The component of that kind and name, or former name. Raises NotFound."""
    found = tree.get(kind, name) if kind in schema.kinds() else None
    if found is None and kind in schema.kinds():
        found = World(tree).part(kind, name)
    if found is None:
        raise NotFound.of(
            "component.not_found", Place(component=f"{kind}/{name}"[:160]), kind=kind, name=name
        )
    return found


def _with_parts(tree: Tree, component: Component) -> tuple[Component, ...]:
    return (component, *tree.parts_of_object(component.name)) if component.kind == "object" else (component,)


def _refuse_uses(before: Tree, after: Tree, lost: Sequence[Component]) -> None:
    """Raises Conflict with every place where what is left names what is lost."""
    world = World(before)
    names = {(each.kind, each.name): each for each in lost}
    tokens = {each.local.encode() for each in lost}
    tokens |= {alias.rpartition(".")[2].encode() for each in lost for alias in each.body.get("aliases", ())}
    taken = {(each.kind, each.name) for each in lost if after.get(each.kind, each.name) is not None}
    faults = []
    for each in after:
        if not any(token in each.data.lower() for token in tokens):
            continue
        for use in uses(each, world):
            named = (use.used_kind, use.used)
            if named in names and named not in taken:
                params = {
                    "kind": use.used_kind,
                    "name": use.used,
                    "user_kind": use.user_kind,
                    "user": use.user,
                }
                faults.append(
                    Fault("component.in_use", params, Place(component=each.place, pointer=use.pointer))
                )
    if faults:
        raise Conflict(faults)


def _check_locks(current: Tree, differences: Sequence[Difference]) -> None:
    """Raises Conflict where a change touches what is built in, or makes something look so."""
    faults = []
    for each in differences:
        place = Place(component=each.component.place)
        if each.old is not None and _is_built_in(each.old):
            for code, pointer in _lock_faults(each):
                faults.append(
                    Fault(code, {"name": each.old.name}, Place(component=each.old.place, pointer=pointer))
                )
        elif each.new is not None and _is_built_in(each.new):
            faults.append(Fault("component.system_reserved", {"name": each.new.name}, place))
    if faults:
        raise Conflict(faults)


def _is_built_in(component: Component) -> bool:
    if component.kind == "permission_set":  # there ``system`` is a list of rights
        return component.body.get("package") == "base"
    return bool(component.body.get("system"))


def _lock_faults(difference: Difference) -> Iterable[tuple[str, str]]:
    if difference.new is None or difference.old is None:
        yield "component.locked", ""
        return
    for each in properties(difference.old.document, difference.new.document):
        if each.pointer.split("/")[1] not in FREE_KEYS:
            yield "component.locked", each.pointer
