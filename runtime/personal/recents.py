"""What a person opened last, and which state of a record they saw: it follows them to their phone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Prepared, Store, prepare
from tabwright.platform.tables import Instant, Uuid, ids_value, in_ids, instant_of, uuid_of
from tabwright.runtime.desk import Call
from tabwright.runtime.personal.tables import SEEN

KEPT: Final = 500  # records whose last visit is remembered
TIDIED: Final = 16


@dataclass(frozen=True, slots=True)
class Recent:
    """A record that was opened, its revision at that time, and when."""

    object_uid: str
    id: UUID
    revision: int
    at: datetime


class Recents:
    """What the person who calls has opened. Rights are not looked at: names are read through the gate."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def newest(self, most: int) -> list[Recent]:
        """The records opened last, the last one first."""
        with self._call.tenant.store.read() as reader:
            rows = reader.rows(_statements(reader.store).newest, {"user_id": self._owner, "most": most})
        return [Recent(uid, uuid_of(id), int(revision), instant_of(at)) for uid, id, revision, at in rows]

    def revisions(self, ids: Collection[UUID]) -> Mapping[UUID, int]:
        """Of some records the revision that was seen last; those never opened are left out."""
        if not ids:
            return {}
        with self._call.tenant.store.read() as reader:
            given = {"user_id": self._owner, "ids": ids_value(reader.store.dialect, sorted(ids))}
            rows = reader.rows(_statements(reader.store).revisions, given)
        return {uuid_of(id): int(revision) for id, revision in rows}

    def see(self, object_uid: str, id: UUID, revision: int) -> None:
        """Remember that a record was opened now; the oldest beyond ``KEPT`` are forgotten, at one visit in
        ``TIDIED``: looking for them costs more than the visit.
        """
        with self._call.tenant.store.write_unsynced() as writer:
            statements = _statements(writer.store)
            writer.run(
                statements.see,
                {
                    "user_id": self._owner, "record_id": id, "object_uid": object_uid,
                    "revision": revision, "at": self._call.clock.now(),
                },
            )  # fmt: skip
            if id.int % TIDIED == 0:
                writer.run(statements.forget, {"user_id": self._owner})

    @property
    def _owner(self) -> UUID:
        owner = self._call.principal.user_id
        if owner is None:
            raise LookupError("the system opens no pages")
        return owner


@dataclass(frozen=True, slots=True)
class _Statements:
    newest: Prepared
    revisions: Prepared
    see: Prepared
    forget: Prepared


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    insert: Any
    if store.dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    c = SEEN.c
    mine = c.user_id == sa.bindparam("user_id", type_=Uuid())
    order = (c.at.desc(), c.record_id)
    newest = sa.select(c.object_uid, c.record_id, c.revision, c.at).where(mine).order_by(*order)
    revisions = sa.select(c.record_id, c.revision).where(mine, in_ids(store.dialect, c.record_id))
    added = insert(SEEN).values({column.name: sa.bindparam(column.name, type_=column.type) for column in c})
    changed = {name: added.excluded[name] for name in ("object_uid", "revision", "at")}
    see = added.on_conflict_do_update(index_elements=["user_id", "record_id"], set_=changed)
    last = sa.select(c.at).where(mine).order_by(c.at.desc()).offset(KEPT).limit(1).scalar_subquery()
    forget = sa.delete(SEEN).where(mine, c.at <= sa.type_coerce(last, Instant()))
    return _Statements(
        prepare(store, newest.limit(sa.bindparam("most", type_=sa.Integer))),
        prepare(store, revisions),
        prepare(store, see),
        prepare(store, forget),
    )
