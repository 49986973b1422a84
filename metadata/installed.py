"""What a tenant knows of its packages: the versions offered to it, and which is in force since when.

A version is kept as it came (its components as a tree of blobs, its samples as text): it is what the next
upgrade is compared with, and what its samples are loaded from. Restoring an old release brings the versions
of that release back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.packages import Package, head_of, made_of
from tabwright.metadata.store import Trees
from tabwright.metadata.tree import Tree
from tabwright.platform.database import Reader, Writer
from tabwright.platform.errors import NotFound
from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid

version_table = sa.Table(
    "metadata_package",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("name", CodeText, nullable=False),
    sa.Column("head", Json, nullable=False),
    sa.Column("tree", CodeText, nullable=False),
    sa.Column("author", Uuid),  # NULL: the platform itself
    sa.Column("at", Instant, nullable=False),
    sa.Column("state", CodeText, nullable=False),  # offered, drafted (in its author's draft), taken
)
"""One row per version that was put before somebody."""

sample_table = sa.Table(
    "metadata_package_sample",
    TENANT,
    sa.Column("version", Uuid, primary_key=True),
    sa.Column("object", CodeText, primary_key=True),
    sa.Column("data", CodeText, nullable=False),
)
"""The sample files of a version."""

force_table = sa.Table(
    "metadata_package_release",
    TENANT,
    sa.Column("name", CodeText, primary_key=True),
    sa.Column("release", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("version", Uuid, nullable=False),
)
"""Which version a package has from a release on."""

KEPT = timedelta(days=7)  # an offer that nobody took


@dataclass(frozen=True)
class Version:
    """One version of a package. ``since``: the release that brought it; None while it is offered."""

    id: UUID
    package: Package
    tree: Tree
    author: UUID | None
    at: datetime
    since: int | None = None

    @property
    def uids(self) -> frozenset[str]:
        return frozenset(each.uid for each in self.tree)


def offer(
    writer: Writer,
    trees: Trees,
    id: UUID,
    package: Package,
    samples: Mapping[str, str],
    author: UUID | None,
    at: datetime,
) -> None:
    """Keep a version so that it can be looked at and taken. Raises Conflict where its parts clash.

    Offers of the same package by the same author, and old ones of anybody, go.
    """
    c = version_table.c
    same = sa.and_(c.author.is_not_distinct_from(author), c.name == package.name)
    old = sa.select(c.id).where(c.state == "offered", sa.or_(same, c.at < at - KEPT))
    stale = [each for (each,) in writer.execute(old)]
    for table, column in ((sample_table, sample_table.c.version), (version_table, c.id)):
        for start in range(0, len(stale), 400):
            writer.execute(sa.delete(table).where(column.in_(stale[start : start + 400])))
    tree = Tree.of(package.components)
    trees.save(writer, tree)
    row = {"id": id, "name": package.name, "head": head_of(package), "tree": tree.digest}
    writer.execute(sa.insert(version_table), {**row, "author": author, "at": at, "state": "offered"})
    for object, text in samples.items():
        writer.execute(sa.insert(sample_table), {"version": id, "object": object, "data": text})


def get(reader: Reader, trees: Trees, id: UUID) -> Version:
    """A version. Raises NotFound (``package.no_offer``)."""
    row = reader.execute(sa.select(version_table).where(version_table.c.id == id)).first()
    if row is None:
        raise NotFound.of("package.no_offer")
    tree = trees.load(reader, row.tree)
    return Version(row.id, made_of(row.head, tree), tree, row.author, row.at)


def samples(reader: Reader, id: UUID) -> dict[str, str]:
    """The sample files of a version, by object."""
    c = sample_table.c
    rows = reader.execute(sa.select(c.object, c.data).where(c.version == id))
    return {row.object: row.data for row in rows}


def in_force(reader: Reader, trees: Trees) -> dict[str, Version]:
    """The versions that the packages of the tenant have, by name; also of those that were removed since."""
    f = force_table.c
    newest = sa.select(f.name, sa.func.max(f.release).label("release")).group_by(f.name).subquery()
    rows = reader.execute(
        sa.select(f.name, f.release, f.version)
        .join(newest, sa.and_(f.name == newest.c.name, f.release == newest.c.release))
        .order_by(f.name)
    ).all()
    found = {}
    for row in rows:
        version = get(reader, trees, row.version)
        found[row.name] = Version(
            version.id, version.package, version.tree, version.author, version.at, row.release
        )
    return found


def base_of(reader: Reader, trees: Trees, name: str, tree: Tree) -> Tree | None:
    """What a package brought last, where the tenant still has of it; None where that is not known."""
    if not any(each.body.get("package") == name for each in tree):
        return None
    found = in_force(reader, trees).get(name)
    return found.tree if found is not None else None


# ---- what a release does to them -------------------------------------------------------------------


def into_draft(writer: Writer, id: UUID) -> None:
    """Say that a version lies in its author's draft: publishing that brings it into force."""
    c = version_table.c
    row = writer.execute(sa.select(c.name, c.author).where(c.id == id)).one()
    drafted = (c.state == "drafted", c.name == row.name, c.author.is_not_distinct_from(row.author))
    writer.execute(sa.update(version_table).where(*drafted).values(state="offered"))
    writer.execute(sa.update(version_table).where(c.id == id).values(state="drafted"))


def out_of_draft(writer: Writer, author: UUID) -> None:
    """Forget what lies in an author's draft, which is thrown away."""
    drafted = (version_table.c.state == "drafted", version_table.c.author == author)
    writer.execute(sa.update(version_table).where(*drafted).values(state="offered"))


def land(writer: Writer, id: UUID, release: int) -> None:
    """A version is in force from a release on."""
    c = version_table.c
    name = writer.execute(sa.select(c.name).where(c.id == id)).scalar_one()
    f = force_table.c
    writer.execute(sa.delete(force_table).where(f.name == name, f.release == release))
    writer.execute(sa.insert(force_table), {"name": name, "release": release, "version": id})
    writer.execute(sa.update(version_table).where(c.id == id).values(state="taken"))


def land_draft(writer: Writer, trees: Trees, author: UUID, old: Tree, new: Tree, release: int) -> None:
    """The author's draft was published: versions in it of which it changed a component are in force."""
    c = version_table.c
    drafted = sa.select(c.id).where(c.state == "drafted", c.author == author)
    for (id,) in writer.execute(drafted).all():
        if any(old.by_uid(uid) != new.by_uid(uid) for uid in get(writer, trees, id).uids):
            land(writer, id, release)


def restore(writer: Writer, number: int, release: int) -> None:
    """Release ``number`` was published again as ``release``: its versions of packages are in force."""
    f = force_table.c
    newest = sa.select(f.name, sa.func.max(f.release).label("release")).where(f.release <= number)
    then = newest.group_by(f.name).subquery()
    rows: list[dict[str, Any]] = [
        {"name": row.name, "release": release, "version": row.version}
        for row in writer.execute(
            sa.select(f.name, f.version).join(
                then, sa.and_(f.name == then.c.name, f.release == then.c.release)
            )
        )
    ]
    if rows:
        writer.execute(sa.insert(force_table).values(rows))
