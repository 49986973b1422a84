"""The rows of files: read by id, and told to belong to a record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Prepared, Reader, Store, prepare
from tabwright.platform.tables import CodeText, Uuid, uuid_of
from tabwright.runtime.filing.refs import FileRef
from tabwright.runtime.filing.tables import FILE

ATTACHED = ""  # stands for the field of an attachment


@dataclass(frozen=True, slots=True)
class Stored:
    """One file. ``object_uid``, ``record_id`` and ``field_uid`` are None while it is pending."""

    id: UUID
    name: str
    media: str
    size: int
    sha256: str
    kind: str
    width: int
    height: int
    pictured: bool
    uploaded_by: UUID
    uploaded_at: datetime
    object_uid: str | None = None
    record_id: UUID | None = None
    field_uid: str | None = None
    removed_at: datetime | None = None

    @property
    def ref(self) -> FileRef:
        """The file as a field's value names it."""
        return FileRef(self.id, self.name, self.media, self.size, self.pictured)

    @property
    def pending(self) -> bool:
        return self.record_id is None


_COLUMNS = [FILE.c[each.name] for each in fields(Stored)]


def _stored(row: Any) -> Stored:
    return Stored(**row._mapping)


def find(reader: Reader, ids: Iterable[UUID]) -> dict[UUID, Stored]:
    """The files of these ids that are not gone."""
    wanted = list(ids)
    if not wanted:
        return {}
    chosen = sa.select(*_COLUMNS).where(FILE.c.id.in_(wanted), FILE.c.gone_at.is_(None))
    return {row.id: _stored(row) for row in reader.execute(chosen)}


def attached_to(reader: Reader, object_uid: str, record: UUID) -> list[Stored]:
    """The attachments of a record, newest first."""
    ids = [
        id for (id,) in reader.rows(_attached(reader.store), {"record_id": record, "object_uid": object_uid})
    ]
    if not ids:  # as most records are
        return []
    known = find(reader, map(uuid_of, ids))
    return [known[uuid_of(id)] for id in ids]


@lru_cache(maxsize=256)
def _attached(store: Store) -> Prepared:
    chosen = sa.select(FILE.c.id).where(
        FILE.c.record_id == sa.bindparam("record_id", type_=Uuid()),
        FILE.c.field_uid == ATTACHED,
        FILE.c.object_uid == sa.bindparam("object_uid", type_=CodeText()),
        FILE.c.removed_at.is_(None),
        FILE.c.gone_at.is_(None),
    )
    return prepare(store, chosen.order_by(FILE.c.uploaded_at.desc(), FILE.c.id.desc()))


def belonging(object_uid: str, record: UUID, field_uid: str) -> sa.ColumnElement[bool]:
    """Whether a file belongs to a field of a record."""
    return sa.and_(FILE.c.record_id == record, FILE.c.object_uid == object_uid, FILE.c.field_uid == field_uid)


def mine(person: UUID) -> sa.ColumnElement[bool]:
    """Whether a file waits for a record of the person who uploaded it."""
    return sa.and_(FILE.c.record_id.is_(None), FILE.c.gone_at.is_(None), FILE.c.uploaded_by == person)
