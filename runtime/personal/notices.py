"""What a person is told of: a record was given to them, an import came to its end, somebody named them.

A notice holds no text and no name: it says of what kind it is and which record it is about, and whoever shows
it asks the gate at that moment. It is written in the transaction that causes it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final
from uuid import UUID, uuid5

import sqlalchemy as sa

from tabwright.platform.database import Prepared, Reader, Store, Writer, prepare
from tabwright.platform.tables import Instant, Uuid, instant_of, json_of, json_text, uuid_of
from tabwright.runtime.desk import Call
from tabwright.runtime.personal.settings import Key
from tabwright.runtime.personal.tables import NOTICE, SETTING

KINDS: Final = (
    "assigned", "shared", "mention", "comment", "import", "job", "preview", "export_alarm", "expiring",
    "emergency",
)  # fmt: skip
MUTABLE: Final = tuple(each for each in KINDS if each != "emergency")  # the others are always told
MOST: Final = 200  # shown at once
COUNTED: Final = 99  # unread ones are counted up to here
_SPACE: Final = UUID("6f1c54b2-0a63-4d1e-9a5e-7b6a5d1f8c10")

# The kinds that a person does not want to hear of.
MUTED: Final = Key(
    "muted", [], lambda value: isinstance(value, list) and all(each in MUTABLE for each in value)
)


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. ``number`` is how many things of one kind it stands for."""

    id: UUID
    kind: str
    params: Mapping[str, Any]
    object_uid: str | None
    record_id: UUID | None
    number: int
    at: datetime
    is_read: bool


def notify(
    writer: Writer,
    user_ids: Collection[UUID],
    code: str,
    params: Mapping[str, Any],
    object_uid: str | None,
    record_id: UUID | None,
    at: datetime,
    *,
    group: str = "",
    number: int = 1,
) -> None:
    """Tell people of something, in the transaction that does it; who has muted the kind hears nothing.

    ``code`` is one of KINDS; ``params`` a small JSON object with ids, never with names or texts of records.
    Notices to one person with the same ``group``, kind and object become one that counts them; ``number`` is
    how many things this one stands for.
    """
    if code not in KINDS:
        raise ValueError(f"{code} is no kind of notice")
    wanted = sorted(set(user_ids) - _muted(writer, user_ids, code))
    if not wanted:
        return
    about = group or f"{at.isoformat()}:{record_id}"
    statement = _statements(writer.store).add
    for user in wanted:
        writer.run(
            statement,
            {
                "id": uuid5(_SPACE, f"{user}:{code}:{object_uid}:{about}"), "user_id": user, "kind": code,
                "params": json_text(dict(params)), "object_uid": object_uid, "record_id": record_id,
                "number": number, "at": at, "read_at": None,
            },
        )  # fmt: skip


def _muted(writer: Writer, user_ids: Collection[UUID], kind: str) -> set[UUID]:
    chosen = sa.select(SETTING.c.user_id, SETTING.c.value).where(
        SETTING.c.key == MUTED.name, SETTING.c.user_id.in_(sorted(set(user_ids)))
    )
    return {row.user_id for row in writer.execute(chosen) if kind in (row.value or ())}


class Notices:
    """The notices of the person who calls, no older than the operator keeps them."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def newest(self, most: int = MOST) -> list[Notice]:
        """The last ones first."""
        given = {"user_id": self._owner, "since": self.since, "most": most}
        with self._call.tenant.store.read() as reader:
            rows = reader.rows(_statements(reader.store).newest, given)
        return [_notice(row) for row in rows]

    def get(self, id: UUID) -> Notice | None:
        """One of them, or None."""
        return next((each for each in self.newest() if each.id == id), None)

    def unread(self, reader: Reader | None = None) -> int:
        """How many were not looked at yet, counted up to ``COUNTED``."""
        if reader is None:
            with self._call.tenant.store.read() as own:
                return self.unread(own)
        rows = reader.rows(_statements(reader.store).unread, {"user_id": self._owner, "since": self.since})
        return int(rows[0][0])

    def mark(self, ids: Sequence[UUID] | None = None, *, read: bool = True) -> None:
        """Mark some as read or unread; all of them without ``ids``."""
        change = sa.update(NOTICE).where(NOTICE.c.user_id == self._owner)
        if ids is not None:
            change = change.where(NOTICE.c.id.in_(list(ids)))
        if read:
            change = change.where(NOTICE.c.read_at.is_(None))
        with self._call.tenant.store.write() as writer:
            writer.execute(change.values(read_at=self._call.clock.now() if read else None))

    @property
    def since(self) -> datetime:
        """Older ones are no longer shown; a job removes them."""
        return self._call.clock.now() - timedelta(days=self._call.tenant.limits.notice_days)

    @property
    def _owner(self) -> UUID:
        owner = self._call.principal.user_id
        if owner is None:
            raise LookupError("the system is told nothing")
        return owner


def forget(writer: Writer, before: datetime, most: int = 1_000) -> int:
    """Remove up to ``most`` notices from before a moment; how many there were."""
    old = sa.select(NOTICE.c.id).where(NOTICE.c.at < before).limit(most)
    return writer.execute(sa.delete(NOTICE).where(NOTICE.c.id.in_(old))).rowcount


def unread_count(user: sa.ColumnElement[Any], since: sa.ColumnElement[Any]) -> sa.ScalarSelect[Any]:
    """The number of unread notices as part of a statement, counted up to ``COUNTED`` + 1."""
    c = NOTICE.c
    some = (
        sa.select(sa.literal_column("1").label("one"))
        .where(c.user_id == user, c.at >= since, c.read_at.is_(None))
        .limit(COUNTED + 1)
        .subquery()
    )
    return sa.select(sa.func.count()).select_from(some).scalar_subquery()


def _notice(row: Sequence[Any]) -> Notice:
    id, kind, params, uid, record, number, at, read_at = row
    return Notice(
        uuid_of(id), kind, json_of(params), uid, None if record is None else uuid_of(record), int(number),
        instant_of(at), read_at is not None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Statements:
    add: Prepared
    newest: Prepared
    unread: Prepared


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    insert: Any
    if store.dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    c = NOTICE.c
    added = insert(NOTICE).values({each.name: sa.bindparam(each.name, type_=each.type) for each in c})
    one = added.excluded
    add = added.on_conflict_do_update(
        index_elements=["id"],
        set_={"number": c.number + one.number, "record_id": sa.null(), "at": one.at, "read_at": sa.null()},
    )
    user, since = sa.bindparam("user_id", type_=Uuid()), sa.bindparam("since", type_=Instant())
    newest = (
        sa.select(c.id, c.kind, c.params, c.object_uid, c.record_id, c.number, c.at, c.read_at)
        .where(c.user_id == user, c.at >= since)
        .order_by(c.at.desc(), c.id)
        .limit(sa.bindparam("most", type_=sa.Integer))
    )
    return _Statements(
        prepare(store, add), prepare(store, newest), prepare(store, sa.select(unread_count(user, since)))
    )
