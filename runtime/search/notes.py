"""Search rows of what stands beside a record: its comments, and the names of its attachments.

Whoever may read the record may read them, so their tokens begin with a mark of the object alone. The rows are
written with what they are about, in its transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Prepared, Store, Writer, prepare
from tabwright.platform.tables import ids_value, in_ids
from tabwright.platform.versions import STEPS
from tabwright.runtime.comments.tables import COMMENT
from tabwright.runtime.filing.tables import FILE
from tabwright.runtime.search.keeping import mark_of
from tabwright.runtime.search.tables import note_text, search_note
from tabwright.runtime.search.tokens import MOST_TEXT, MOST_WORD, tokens_of

Kind = Literal["comment", "file"]
KINDS: Final[tuple[Kind, ...]] = ("comment", "file")
_AT_ONCE = 1_000
_MENTION = re.compile(r"<@[0-9a-f]{32}>")


@dataclass(frozen=True, slots=True)
class Noted:
    """One comment, or one attachment, of a record. ``text``: what is looked through."""

    id: UUID
    kind: Kind
    object_uid: str
    record_id: UUID
    text: str


def note_mark(object_uid: str, kind: Kind) -> str:
    """The mark before the tokens of the comments, or attachments, of an object's records."""
    return mark_of(f"{object_uid}/{kind}")


def keep(writer: Writer, notes: Sequence[Noted]) -> None:
    """Write the rows of comments and attachments that have none."""
    made = [(each, tokens) for each in notes if (tokens := _tokens(each))]
    if not made:
        return
    statements = _statements(writer.store)
    if writer.store.dialect == "sqlite":
        first = writer.rows(statements.last)[0][0] + 1
        rows: list[dict[str, Any]] = [
            {
                "rid": at, "note_id": each.id.bytes, "kind": each.kind, "object_uid": each.object_uid,
                "record_id": each.record_id.bytes, "tokens": tokens,
            }
            for at, (each, tokens) in enumerate(made, first)
        ]  # fmt: skip
        writer.insert_many(statements.insert_text, [(row["rid"], row["tokens"]) for row in rows])
    else:
        rows = [
            {
                "note_id": each.id, "kind": each.kind, "object_uid": each.object_uid,
                "record_id": each.record_id, "tokens": tokens,
            }
            for each, tokens in made
        ]  # fmt: skip
    writer.insert_many(
        statements.insert, [tuple(row[name] for name in statements.insert.names) for row in rows]
    )


def forget(writer: Writer, ids: Sequence[UUID]) -> None:
    """Delete the rows of some comments or attachments."""
    statements = _statements(writer.store)
    _delete(writer, statements.forget_text, statements.delete, ids)


def forget_records(writer: Writer, ids: Sequence[UUID]) -> None:
    """Delete the rows of all that stands beside some records."""
    statements = _statements(writer.store)
    _delete(writer, statements.forget_text_of_records, statements.delete_of_records, ids)


def forget_object(writer: Writer, uid: str) -> None:
    """Delete the rows of an object that is removed for good."""
    of_object = search_note.c.object_uid == uid
    if writer.store.dialect == "sqlite":
        writer.execute(_forgetting(of_object))
    writer.execute(sa.delete(search_note).where(of_object))


def _delete(writer: Writer, text: Prepared | None, rows: Prepared, ids: Sequence[UUID]) -> None:
    if not ids:
        return
    given = {"ids": ids_value(writer.store.dialect, ids)}
    if text is not None:
        writer.run(text, given)
    writer.run(rows, given)


def _tokens(note: Noted) -> str:
    """The tokens of a note behind its mark; a file's name is found by its sound too."""
    found = tokens_of((), (note.text,)) if note.kind == "file" else tokens_of(_pieces(note.text))
    mark = note_mark(note.object_uid, note.kind)
    return " ".join(f"{mark}{token}" for token in sorted(found))


def _pieces(body: str) -> Iterator[str]:
    """A long text in pieces that share a word's length, so that no word is lost between two of them."""
    text = _MENTION.sub(" ", body)
    for start in range(0, len(text), MOST_TEXT - MOST_WORD):
        yield text[start : start + MOST_TEXT]


def _forgetting(which: sa.ColumnElement[bool]) -> sa.Insert:
    chosen = sa.select(sa.literal("delete"), search_note.c.rid, search_note.c.tokens).where(which)
    return sa.insert(note_text).from_select([note_text.name, "rowid", "tokens"], chosen)


class _Statements:
    def __init__(self, store: Store) -> None:
        sqlite = store.dialect == "sqlite"
        of_notes, of_records = (
            in_ids(store.dialect, column) for column in (search_note.c.note_id, search_note.c.record_id)
        )
        names = [each.name for each in search_note.c if sqlite or each.name != "rid"]
        binds = {name: sa.bindparam(name, type_=search_note.c[name].type) for name in names}
        self.insert: Prepared = prepare(store, sa.insert(search_note).values(binds))
        self.delete = prepare(store, sa.delete(search_note).where(of_notes))
        self.delete_of_records = prepare(store, sa.delete(search_note).where(of_records))
        self.last = prepare(store, sa.select(sa.func.coalesce(sa.func.max(search_note.c.rid), 0)))
        text = sa.insert(note_text).values(
            rowid=sa.bindparam("rowid", type_=sa.Integer), tokens=sa.bindparam("tokens", type_=sa.Text)
        )
        self.insert_text = prepare(store, text)
        self.forget_text = prepare(store, _forgetting(of_notes)) if sqlite else None
        self.forget_text_of_records = prepare(store, _forgetting(of_records)) if sqlite else None


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    return _Statements(store)


def _fill(writer: Writer) -> None:
    """What was written before version 6 is found too."""
    said = sa.select(COMMENT.c.id, COMMENT.c.object_uid, COMMENT.c.record_id, COMMENT.c.body)
    attached = sa.select(FILE.c.id, FILE.c.object_uid, FILE.c.record_id, FILE.c.name).where(
        FILE.c.field_uid == "", FILE.c.record_id.is_not(None), FILE.c.gone_at.is_(None),
        FILE.c.removed_at.is_(None),
    )  # fmt: skip
    kinds: tuple[tuple[Kind, Any], ...] = (
        ("comment", said.where(COMMENT.c.deleted_at.is_(None))), ("file", attached),
    )  # fmt: skip
    for kind, chosen in kinds:
        rows: list[Any] = list(writer.execute(chosen))
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            keep(writer, [Noted(row[0], kind, row[1], row[2], row[3]) for row in some])


STEPS["tenant"][6] = _fill
