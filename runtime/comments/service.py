"""The one place where comments are written: who may, what may stand in them, who hears of it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Store, Writer, prepare
from tabwright.platform.errors import Denied, Invalid, Place
from tabwright.platform.language import register_messages
from tabwright.platform.tables import Instant, Json, Uuid, json_text
from tabwright.runtime.comments import hearing, mentions
from tabwright.runtime.comments.reading import MOST_REPLIES, Comment, Reading, Summary, summary
from tabwright.runtime.comments.tables import COMMENT
from tabwright.runtime.desk import Call
from tabwright.runtime.search import notes

register_messages(Path(__file__).with_name("messages.json"))

MOST_CHARACTERS: Final = 10_000
SCOPES: Final = ("comment", "edit")  # of a token: either lets it write comments


class Comments:
    """Comments in the name of who calls. Whoever may read a record may write there."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def add(self, object: str, record: UUID, body: str, parent: UUID | None = None) -> Comment:
        """Write a comment, an answer where ``parent`` is one; an answer to an answer joins the first.

        Raises NotFound (record, comment), Denied (a token that may not), Invalid (the text).
        """
        with self._call.tenant.store.write() as writer:
            return self.add_in(writer, object, record, body, parent)

    def add_in(
        self, writer: Writer, object: str, record: UUID, body: str, parent: UUID | None = None
    ) -> Comment:
        """The same in a transaction that is open."""
        call, now = self._call, self._call.clock.now()
        found, about = self._writable(writer, object, record)
        text, named = self._body(writer, body, ())
        reading = Reading(call, writer, found, record)
        thread = None
        if parent is not None:
            above = reading.one(parent)
            thread = above.parent_id or above.id
            if len(reading.replies([thread]).get(thread, ())) >= MOST_REPLIES:
                place = Place(field="parent", pointer="/parent")
                raise Invalid.of("comment.too_many_replies", place, most=MOST_REPLIES)
        me = call.principal.user_id
        made = Comment(call.ids.new(), record, thread, me, text, named, now)
        given = {
            "id": made.id, "object_uid": found.uid, "record_id": record, "parent_id": made.parent_id,
            "author_id": made.author_id, "body": text, "mentions": _hex(named), "created_at": now,
            "edited_at": None, "deleted_at": None, "changed_at": now,
        }  # fmt: skip
        writer.run(_statements(writer.store).add, given)
        notes.keep(writer, [_noted(found, made)])
        # Who writes wants to hear the answers, unless they have said otherwise.
        hearing.follow(call, writer, found, record, True, only_if_unsaid=True)
        hearing.tell(call, writer, found, about.owner, made, named, is_new=True)
        return made

    def edit(self, object: str, record: UUID, id: UUID, body: str) -> Comment:
        """Change the text of one's own comment, at any time; it is marked as edited where it differs."""
        call, now = self._call, self._call.clock.now()
        with call.tenant.store.write() as writer:
            found, about = self._writable(writer, object, record)
            old = Reading(call, writer, found, record).one(id)
            if old.author_id != call.principal.user_id:
                raise Denied.of("comment.not_yours", Place(object=found.name, record=record.hex))
            text, named = self._body(writer, body, old.mentions)
            if text == old.body:
                return old
            made = replace(old, body=text, mentions=named, edited_at=now)
            given = {"id": id, "body": text, "mentions": _hex(named), "edited_at": now, "changed_at": now}
            writer.run(_statements(writer.store).edit, given)
            notes.forget(writer, (id,))
            notes.keep(writer, [_noted(found, made)])
            fresh = [each for each in named if each not in old.mentions]
            hearing.tell(call, writer, found, about.owner, made, fresh, is_new=False)
            return made

    def delete(self, object: str, record: UUID, id: UUID) -> None:
        """Delete one's own comment, or any with ``modify_all``. Its text is gone; answers to it stay."""
        call, now = self._call, self._call.clock.now()
        with call.tenant.store.write() as writer:
            found, _ = self._writable(writer, object, record)
            old = Reading(call, writer, found, record).one(id)
            if not may_delete(call, found, old):
                raise Denied.of("comment.not_yours_to_delete", Place(object=found.name, record=record.hex))
            given = {"id": id, "deleted_at": now, "changed_at": now}
            writer.run(_statements(writer.store).delete, given)
            notes.forget(writer, (id,))

    def follow(self, object: str, record: UUID, follows: bool) -> None:
        """Hear of new comments on a record, or only of those that mention one."""
        with self._call.tenant.store.write() as writer:
            found, _ = self._writable(writer, object, record)
            hearing.follow(self._call, writer, found, record, follows)

    # ---- inside ------------------------------------------------------------------------------------

    def _writable(self, writer: Writer, object: str, record: UUID) -> tuple[ObjectDef, Summary]:
        found = self._call.gate.object(object)
        about = summary(self._call, found, record, writer)
        if not may_write(self._call, found):
            raise Denied.of("comment.token", Place(object=found.name))
        return found, about

    def _body(self, writer: Writer, body: str, known: tuple[UUID, ...]) -> tuple[str, tuple[UUID, ...]]:
        """The text as it is kept, and whom it mentions. ``known``: who was mentioned before."""
        place = Place(field="body", pointer="/body")
        text = "\n".join(line.rstrip() for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        text = text.strip()
        if not text:
            raise Invalid.of("comment.blank", place)
        if len(text) > MOST_CHARACTERS:
            raise Invalid.of("comment.too_long", place, most=MOST_CHARACTERS, count=len(text))
        if "\0" in text:
            raise Invalid.of("comment.nul", place)
        named = mentions.mentioned(text)
        if len(named) > mentions.MOST:
            raise Invalid.of("comment.too_many_mentions", place, most=mentions.MOST)
        wrong = mentions.unknown(self._call, writer, set(named) - set(known))
        if wrong:
            raise Invalid.of("comment.mention_unknown", place, id=min(wrong).hex)
        return text, named


def _noted(object: ObjectDef, comment: Comment) -> notes.Noted:
    return notes.Noted(comment.id, "comment", object.uid, comment.record_id, comment.body)


def may_write(call: Call, object: ObjectDef) -> bool:
    """Whether comments may be written at all by whoever may read: a token must say so."""
    scope = call.principal.token_scope
    return scope is None or not scope.operations(object.name).isdisjoint((*SCOPES, "modify_all"))


def may_edit(call: Call, comment: Comment) -> bool:
    return comment.deleted_at is None and comment.author_id == call.principal.user_id


def may_delete(call: Call, object: ObjectDef, comment: Comment) -> bool:
    return comment.deleted_at is None and (
        comment.author_id == call.principal.user_id or call.gate.may(object, "modify_all")
    )


def _hex(ids: tuple[UUID, ...]) -> str:
    return json_text([each.hex for each in ids])


class _Statements:
    def __init__(self, store: Store) -> None:
        def value(name: str, type: Any = None) -> sa.BindParameter[Any]:
            return sa.bindparam(name, type_=type if type is not None else COMMENT.c[name].type)

        types = {"mentions": Json(), "id": Uuid(), "changed_at": Instant()}
        columns = {each.name: value(each.name, types.get(each.name)) for each in COMMENT.c}
        one = COMMENT.c.id == sa.bindparam("id", type_=Uuid())
        self.add: Prepared = prepare(store, sa.insert(COMMENT).values(columns))
        edited = {name: columns[name] for name in ("body", "mentions", "edited_at", "changed_at")}
        self.edit: Prepared = prepare(store, sa.update(COMMENT).where(one).values(edited))
        gone: dict[str, Any] = {"body": "", "mentions": sa.literal([], Json())}
        left = {name: columns[name] for name in ("deleted_at", "changed_at")}
        self.delete: Prepared = prepare(store, sa.update(COMMENT).where(one).values({**gone, **left}))


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    return _Statements(store)
