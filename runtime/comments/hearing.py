"""Who hears of a comment: the people named in it, those who follow the record; only if they may read it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, Store, Writer, prepare
from tabwright.platform.tables import Instant, Uuid, uuid_of
from tabwright.runtime.access import principals
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.comments.reading import Comment
from tabwright.runtime.comments.tables import COMMENT, FOLLOW
from tabwright.runtime.desk import Call
from tabwright.runtime.personal.notices import notify
from tabwright.runtime.personal.telling import ask_to_forget

MOST_FOLLOWERS: Final = 1_000  # of one record hear of a comment


def may_read(
    call: Call, reader: Reader, object: ObjectDef, record: Asked, people: Iterable[UUID]
) -> set[UUID]:
    """Of some people those who may sign in and read the record."""
    found = principals.load_many(call.tenant, reader, call.model, people, call.clock.now())
    seeing = set()
    for id, principal in found.items():
        gate = Gate(call.model, principal)
        if gate.may(object, "read") and allowed(call.tenant, gate, reader, object, "read", [record]):
            seeing.add(id)
    return seeing


def tell(
    call: Call,
    writer: Writer,
    object: ObjectDef,
    owner: UUID | None,
    comment: Comment,
    named: Collection[UUID],
    *,
    is_new: bool,
) -> None:
    """Notices about a comment that was made or edited, in its transaction. Nobody is told of their own.

    ``named``: whom it mentions now and did not before. An edited one tells nobody else.
    """
    me = comment.author_id
    said, others = _said(writer, comment.record_id), set[UUID]()
    if is_new:
        others = {user for user, follows in said.items() if follows}
        if owner is not None and owner not in said:
            others.add(owner)
    mentioned = set(named) - {me}
    heard = may_read(call, writer, object, Asked(comment.record_id, owner), (mentioned | others) - {me})
    mentioned &= heard
    others = (others & heard) - mentioned - {me}
    answered = others & _in_thread(writer, comment)
    about = f"{comment.id.hex}:{(comment.edited_at or comment.created_at).isoformat()}"
    by = {"by": me.hex, "comment": comment.id.hex}
    for kind, people, params in (
        ("mention", mentioned, by),
        ("comment", answered, {**by, "reply": True}),
        ("comment", others - answered, by),
    ):
        if people:
            notify(
                writer, people, kind, params, object.uid, comment.record_id, call.clock.now(), group=about
            )  # fmt: skip
    if mentioned or others:
        writer.after_commit(lambda: ask_to_forget(call.tenant, call.clock.now()))


def follow(
    call: Call,
    writer: Writer,
    object: ObjectDef,
    record: UUID,
    follows: bool,
    *,
    only_if_unsaid: bool = False,
) -> None:
    """Keep what the caller says about following; ``only_if_unsaid``: unless they have said it before."""
    statements = _statements(writer.store)
    writer.run(
        statements.follow_first if only_if_unsaid else statements.follow,
        {
            "record_id": record, "user_id": call.principal.user_id, "object_uid": object.uid,
            "follows": follows, "at": call.clock.now(),
        },
    )  # fmt: skip


def _said(reader: Reader, record: UUID) -> dict[UUID, bool]:
    rows = reader.rows(_statements(reader.store).said, {"record": record})
    return {uuid_of(user): bool(follows) for user, follows in rows}


def _in_thread(reader: Reader, comment: Comment) -> set[UUID]:
    """Who wrote the comment that this one answers, or answered it before."""
    if comment.parent_id is None:
        return set()
    rows = reader.rows(_statements(reader.store).authors, {"parent": comment.parent_id})
    return {uuid_of(author) for (author,) in rows}


class _Statements:
    def __init__(self, store: Store) -> None:
        insert: Any
        if store.dialect == "postgresql":
            from sqlalchemy.dialects.postgresql import insert
        else:
            from sqlalchemy.dialects.sqlite import insert
        c, parent = COMMENT.c, sa.bindparam("parent", type_=Uuid())
        self.said: Prepared = prepare(
            store,
            sa.select(FOLLOW.c.user_id, FOLLOW.c.follows)
            .where(FOLLOW.c.record_id == sa.bindparam("record", type_=Uuid()))
            .order_by(FOLLOW.c.at)
            .limit(MOST_FOLLOWERS),
        )
        self.authors: Prepared = prepare(
            store,
            sa.select(c.author_id).where(
                sa.or_(c.id == parent, c.parent_id == parent), c.deleted_at.is_(None)
            ),
        )
        types: dict[str, Any] = {"record_id": Uuid(), "user_id": Uuid(), "at": Instant()}
        added = insert(FOLLOW).values(
            {each.name: sa.bindparam(each.name, type_=types.get(each.name, each.type)) for each in FOLLOW.c}
        )
        key = ["record_id", "user_id"]
        fresh = {"follows": added.excluded.follows, "at": added.excluded.at}
        self.follow: Prepared = prepare(store, added.on_conflict_do_update(index_elements=key, set_=fresh))
        self.follow_first: Prepared = prepare(store, added.on_conflict_do_nothing(index_elements=key))


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    return _Statements(store)
