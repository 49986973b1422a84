"""Reading comments: only of a record that the caller may read now, newest first, with what hangs below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, Store, prepare
from tabwright.platform.errors import Malformed, NotFound, Place
from tabwright.platform.tables import (
    Instant,
    Uuid,
    ids_value,
    in_ids,
    instant_of,
    json_of,
    microseconds,
    uuid_of,
)
from tabwright.runtime.comments.tables import COMMENT, FOLLOW
from tabwright.runtime.desk import Call
from tabwright.runtime.query import cursors
from tabwright.runtime.query.plans import TablesUsed, kept
from tabwright.runtime.query.source import Source

MOST_REPLIES: Final = 500  # of one comment
MOST_NEWS: Final = 200
_END: Final = (datetime(9000, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))  # after every comment

Position = tuple[datetime, UUID]  # of a comment: when it was made, and its id


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment. A deleted one that was answered keeps its place; its body is ""."""

    id: UUID
    record_id: UUID
    parent_id: UUID | None
    author_id: UUID
    body: str
    mentions: tuple[UUID, ...]
    created_at: datetime
    edited_at: datetime | None = None
    deleted_at: datetime | None = None

    @property
    def position(self) -> Position:
        return self.created_at, self.id


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a record's comments by one statement. ``mark`` differs when any of them changed."""

    owner: UUID | None
    count: int  # those that are not deleted
    mark: str
    said: bool | None  # what the caller has said about following the record

    def follows(self, user: UUID) -> bool:
        """Whether the person follows the record: as they said, else when they own it."""
        return self.owner == user if self.said is None else self.said


@dataclass(frozen=True, slots=True)
class _Plan:
    statement: Prepared
    tables: TablesUsed


def summary(call: Call, object: ObjectDef, id: UUID, reader: Reader | None = None) -> Summary:
    """How many comments, since when, and who follows. Raises NotFound where the record may not be read."""
    if reader is None:
        with call.tenant.store.read() as own:
            return summary(call, object, id, own)
    call.gate.require(object, "read")

    def make() -> _Plan:
        source = Source(call.gate, call.tables, object)
        record = sa.bindparam("id", type_=Uuid())
        here = COMMENT.c.record_id == record
        owner = source.column(call.gate.resolve(object, "owner")) if "owner" in object.fields else sa.null()
        chosen = source.select(
            owner,
            sa.select(sa.func.count()).where(here, COMMENT.c.deleted_at.is_(None)).scalar_subquery(),
            sa.select(sa.func.count()).where(here).select_from(COMMENT).scalar_subquery(),
            sa.select(sa.func.max(COMMENT.c.changed_at)).where(here).scalar_subquery(),
            sa.select(FOLLOW.c.follows)
            .where(FOLLOW.c.record_id == record, FOLLOW.c.user_id == sa.bindparam("me", type_=Uuid()))
            .scalar_subquery(),
        ).where(source.id == record)
        return _Plan(prepare(call.tenant.store, chosen), tuple(source.tables_used()))

    plan = kept(call, "comments", object, make, call.gate.footprint(object))
    row = reader.row(plan.statement, {**call.gate.viewer(), "id": id, "me": call.principal.user_id})
    if row is None:
        raise NotFound.of("record.not_found", Place(object=object.name, record=id.hex), object=object.name)
    owner, count, rows, last, said = row
    moment = 0 if last is None else microseconds(instant_of(last))
    return Summary(
        None if owner is None else uuid_of(owner), int(count), f"{moment}.{rows}",
        None if said is None else bool(said),
    )  # fmt: skip


def since_of(mark: str) -> datetime | None:
    """A little before the moment of a mark, for who commits late; None for what is no mark."""
    digits = mark.partition(".")[0]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 17:
        return None
    return datetime.fromtimestamp(max(0, int(digits) // 1_000_000 - 30), UTC)


class Reading:
    """The comments of one record that may be read: make one with ``of``."""

    def __init__(self, call: Call, reader: Reader, object: ObjectDef, record: UUID) -> None:
        self._call = call
        self._reader = reader
        self._object = object
        self._record = record
        self._statements = _statements(reader.store)

    def threads(self, most: int, after: Position | None = None) -> list[Comment]:
        """Comments that answer none, newest first."""
        return self._newest(self._statements.threads, most, after)

    def newest(self, most: int, after: Position | None = None) -> list[Comment]:
        """All comments, answers too, newest first."""
        return self._newest(self._statements.newest, most, after)

    def _newest(self, statement: Prepared, most: int, after: Position | None) -> list[Comment]:
        at, id = after or _END
        given = {"record": self._record, "at": at, "after": id, "most": most}
        return [_comment(row) for row in self._reader.rows(statement, given)]

    def replies(self, parents: Iterable[UUID]) -> dict[UUID, list[Comment]]:
        """The answers to some comments, oldest first."""
        wanted = sorted(set(parents))
        found: dict[UUID, list[Comment]] = {}
        if wanted:
            given = {"ids": ids_value(self._reader.store.dialect, wanted)}
            for row in self._reader.rows(self._statements.replies, given):
                made = _comment(row)
                if made.parent_id is not None:
                    found.setdefault(made.parent_id, []).append(made)
        return found

    def firsts(self, ids: Iterable[UUID]) -> list[Comment]:
        """Of some comments the ones that begin their threads, deleted ones too, newest first."""
        given = {"record": self._record, "ids": ids_value(self._reader.store.dialect, sorted(set(ids)))}
        return [_comment(row) for row in self._reader.rows(self._statements.firsts, given)]

    def changed(self, since: datetime) -> list[Comment]:
        """What was made, edited or deleted after a moment, deleted ones too, oldest first."""
        given = {"record": self._record, "since": since, "most": MOST_NEWS}
        return [_comment(row) for row in self._reader.rows(self._statements.changed, given)]

    def one(self, id: UUID) -> Comment:
        """One comment that is not deleted. Raises NotFound."""
        row = self._reader.row(self._statements.one, {"record": self._record, "id": id})
        if row is None or row[8] is not None:
            place = Place(object=self._object.name, record=self._record.hex)
            raise NotFound.of("comment.not_found", place)
        return _comment(row)

    def page(self, most: int, cursor: str | None) -> tuple[list[Comment], str | None]:
        """A page of all comments and the cursor of the next. Raises Malformed for a cursor that is none."""
        tenant, about = self._call.tenant.location.id, f"comments {self._record.hex}"
        found = self.newest(most + 1, None if cursor is None else position_of(tenant, about, cursor))
        if len(found) <= most:
            return found, None
        return found[:most], sealed(tenant, about, found[most - 1].position)


def sealed(tenant: UUID, about: str, position: Position) -> str:
    """A place among comments as the text of a cursor."""
    return cursors.seal(tenant, about, [microseconds(position[0]), position[1].hex])


def position_of(tenant: UUID, about: str, cursor: str) -> Position:
    """The place that was sealed. Raises Malformed."""
    values = cursors.unseal(tenant, about, cursor)
    if len(values) != 2:
        raise Malformed.of("query.cursor")
    return instant_of(int(values[0])), UUID(values[1])


def _comment(row: Sequence[Any]) -> Comment:
    id, record, parent, author, body, mentions, created, edited, deleted = row
    return Comment(
        uuid_of(id),
        uuid_of(record),
        None if parent is None else uuid_of(parent),
        uuid_of(author),
        body,
        tuple(UUID(each) for each in json_of(mentions) or ()),
        instant_of(created),
        None if edited is None else instant_of(edited),
        None if deleted is None else instant_of(deleted),
    )


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    return _Statements(store)


class _Statements:
    def __init__(self, store: Store) -> None:
        c = COMMENT.c
        chosen = sa.select(
            c.id, c.record_id, c.parent_id, c.author_id, c.body, c.mentions, c.created_at, c.edited_at,
            c.deleted_at,
        )  # fmt: skip
        answer = COMMENT.alias("answer")
        answered = sa.exists().where(answer.c.parent_id == c.id, answer.c.deleted_at.is_(None))
        here = c.record_id == sa.bindparam("record", type_=Uuid())
        at, after = sa.bindparam("at", type_=Instant()), sa.bindparam("after", type_=Uuid())
        newest = (
            chosen.where(here, sa.or_(c.deleted_at.is_(None), answered))
            .where(c.created_at <= at, sa.or_(c.created_at < at, c.id < after))
            .order_by(c.created_at.desc(), c.id.desc())
            .limit(sa.bindparam("most", type_=sa.Integer))
        )
        self.newest: Prepared = prepare(store, newest)
        self.threads: Prepared = prepare(store, newest.where(c.parent_id.is_(None)))
        self.replies: Prepared = prepare(
            store,
            chosen.where(in_ids(store.dialect, c.parent_id), c.deleted_at.is_(None)).order_by(
                c.created_at, c.id
            ),
        )
        below = sa.select(sa.func.coalesce(answer.c.parent_id, answer.c.id)).where(
            in_ids(store.dialect, answer.c.id), answer.c.record_id == sa.bindparam("record", type_=Uuid())
        )
        self.firsts: Prepared = prepare(
            store, chosen.where(here, c.id.in_(below)).order_by(c.created_at.desc(), c.id.desc())
        )
        self.changed: Prepared = prepare(
            store,
            chosen.where(here, c.changed_at > sa.bindparam("since", type_=Instant()))
            .order_by(c.created_at.desc(), c.id.desc())
            .limit(sa.bindparam("most", type_=sa.Integer)),
        )
        self.one: Prepared = prepare(store, chosen.where(here, c.id == sa.bindparam("id", type_=Uuid())))
