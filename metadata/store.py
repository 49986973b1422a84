"""Where trees are kept: blobs by digest, and the numbered releases that name them.

A blob is a component, a sub-tree or a tree; each is written once and never changed. A release is a number
and the digest of its tree, so keeping a thousand releases costs what changed between them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
import sqlalchemy as sa
from cachetools import LRUCache

from tabwright.metadata.diff import Difference, diff
from tabwright.metadata.documents import from_store
from tabwright.metadata.tree import SubTree, Tree
from tabwright.platform.database import Prepared, Reader, Store, Writer, prepare
from tabwright.platform.errors import Conflict, NotFound
from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid

T = TypeVar("T")

blob_table = sa.Table(
    "metadata_blob",
    TENANT,
    sa.Column("digest", CodeText, primary_key=True),
    sa.Column("data", CodeText, nullable=False),
)
"""Canonical JSON by its SHA-256."""

release_table = sa.Table(
    "metadata_release",
    TENANT,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("tree", CodeText, nullable=False),
    sa.Column("author", Uuid),
    sa.Column("at", Instant, nullable=False),
    sa.Column("note", CodeText, nullable=False),
    sa.Column("base", sa.BigInteger),
    sa.Column("building", Json, nullable=False),
)
"""One row per publish. ``base`` is the release it was made from; ``building`` the state of its long steps."""

_batch = 400
_kept_parts = 4_000
_kept_trees = 64


@dataclass(frozen=True, slots=True)
class Release:
    """One publish. ``tree`` is a digest; ``author`` None stands for the platform itself."""

    number: int
    tree: str
    author: UUID | None
    at: datetime
    note: str
    base: int | None
    building: Mapping[str, Any] = field(default_factory=dict)


class Trees:
    """Trees by digest. Keeps what it has read: digests say what is inside, so nothing kept is ever stale."""

    def __init__(self) -> None:
        self._parts: LRUCache[str, SubTree] = LRUCache(_kept_parts)
        self._trees: LRUCache[str, Tree] = LRUCache(_kept_trees)
        self._lock = threading.Lock()

    def load(self, reader: Reader, digest: str) -> Tree:
        """The tree of a digest. Raises NotFound for one that was never saved."""
        with self._lock:
            known = self._trees.get(digest)
        if known is not None:
            return known
        data = _read(reader, [digest]).get(digest)
        if data is None:
            raise NotFound.of("release.no_tree", digest=digest)
        names: list[tuple[str, str]] = msgspec.json.decode(data)
        with self._lock:
            parts = {each: self._parts[each] for _, each in names if each in self._parts}
        parts |= self._load_parts(reader, [each for _, each in names if each not in parts])
        tree = Tree({name: parts[each] for name, each in names})
        self.keep(tree)
        return tree

    def _load_parts(self, reader: Reader, digests: Sequence[str]) -> dict[str, SubTree]:
        listed = {digest: msgspec.json.decode(data) for digest, data in _read(reader, digests).items()}
        wanted = {row[3] for rows in listed.values() for row in rows}
        components = {digest: from_store(data.encode()) for digest, data in _read(reader, wanted).items()}
        return {
            digest: SubTree({(kind, name): components[each] for kind, name, _, each in rows})
            for digest, rows in listed.items()
        }

    def keep(self, tree: Tree) -> None:
        """Remember a tree that was just made."""
        with self._lock:
            self._trees[tree.digest] = tree
            for part in tree.parts.values():
                self._parts[part.digest] = part

    def save(self, writer: Writer, tree: Tree) -> None:
        """Write what is not there yet of a tree."""
        parts = {part.digest: part for part in tree.parts.values()}
        missing = _missing(writer, parts)
        components = {each.digest: each for digest in missing for each in parts[digest].components.values()}
        rows = {digest: components[digest].data for digest in _missing(writer, components)}
        rows |= {digest: parts[digest].data for digest in missing}
        if _missing(writer, [tree.digest]):
            rows[tree.digest] = tree.data
        for some in _batches(rows.items()):
            values = [{"digest": digest, "data": data.decode()} for digest, data in some]
            writer.execute(sa.insert(blob_table).values(values))


def _batches(values: Iterable[T]) -> Iterator[list[T]]:
    rest = list(values)
    for start in range(0, len(rest), _batch):
        yield rest[start : start + _batch]


def _read(reader: Reader, digests: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for some in _batches(digests):
        query = sa.select(blob_table.c.digest, blob_table.c.data).where(blob_table.c.digest.in_(some))
        found |= {row.digest: row.data for row in reader.execute(query)}
    return found


def _missing(reader: Reader, digests: Iterable[str]) -> list[str]:
    wanted = list(digests)
    there: set[str] = set()
    for some in _batches(wanted):
        query = sa.select(blob_table.c.digest).where(blob_table.c.digest.in_(some))
        there |= {row.digest for row in reader.execute(query)}
    return [each for each in wanted if each not in there]


class Releases:
    """The releases of tenants: a number each, one after the other, never changed."""

    def __init__(self, trees: Trees | None = None) -> None:
        self.trees = trees or Trees()
        self._current: WeakKeyDictionary[Store, Prepared] = WeakKeyDictionary()

    def current(self, reader: Reader) -> int:
        """The number of the release in force; 0 before the first. One short statement."""
        prepared = self._current.get(reader.store)
        if prepared is None:
            query = sa.select(sa.func.coalesce(sa.func.max(release_table.c.number), 0))
            prepared = self._current[reader.store] = prepare(reader.store, query)
        return int(reader.rows(prepared)[0][0])

    def get(self, reader: Reader, number: int) -> Release:
        """A release. Raises NotFound."""
        row = reader.execute(sa.select(release_table).where(release_table.c.number == number)).first()
        if row is None:
            raise NotFound.of("release.not_found", number=number)
        return Release(*tuple(row))

    def list(self, reader: Reader, *, before: int | None = None, limit: int = 50) -> tuple[Release, ...]:
        """Releases, newest first, older than ``before``."""
        query = sa.select(release_table).order_by(release_table.c.number.desc()).limit(limit)
        if before is not None:
            query = query.where(release_table.c.number < before)
        return tuple(Release(*tuple(row)) for row in reader.execute(query))

    def tree(self, reader: Reader, number: int) -> Tree:
        """The tree of a release; of release 0 the empty one."""
        return self.trees.load(reader, self.get(reader, number).tree) if number else Tree({})

    def diff(self, reader: Reader, a: int, b: int) -> tuple[Difference, ...]:
        """What leads from release ``a`` to release ``b``."""
        return diff(self.tree(reader, a), self.tree(reader, b))

    def lock(self, writer: Writer) -> int:
        """The number in force, which nobody else can follow until this transaction ends."""
        number = self.current(writer)
        if writer.store.dialect == "postgresql" and number:
            query = sa.select(release_table.c.number).where(release_table.c.number == number)
            writer.execute(query.with_for_update())
            number = self.current(writer)
        return number

    def add(
        self, writer: Writer, tree: Tree, *, expected: int, author: UUID | None, at: datetime, note: str = "",
        base: int | None = None, building: Mapping[str, Any] | None = None,
    ) -> Release:  # fmt: skip
        """Write the release that follows ``expected``. Raises Conflict when another came first."""
        number = self.lock(writer)
        if number != expected:
            raise Conflict.of("release.moved", expected=expected, current=number)
        self.trees.save(writer, tree)
        made = Release(number + 1, tree.digest, author, at, note, base, building or {})
        writer.execute(
            sa.insert(release_table).values(
                number=made.number,
                tree=made.tree,
                author=author,
                at=at,
                note=note,
                base=base,
                building=made.building,
            )
        )
        writer.after_commit(lambda: self.trees.keep(tree))
        return made

    def set_building(self, writer: Writer, number: int, building: Mapping[str, Any]) -> None:
        """Say how far the long steps of a release are."""
        statement = sa.update(release_table).where(release_table.c.number == number)
        writer.execute(statement.values(building=dict(building)))
