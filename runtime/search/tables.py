"""Where search rows stand: one per record, one per comment or attachment of it, each with the full-text index
over its tokens; and known words.

SQLite: ``search_entry`` and the contentless FTS5 table ``search_entry_text`` of the same rowid. PostgreSQL:
``search_entry`` with a tsvector and a GIN index. Tokens are ours on both (``tokens``).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tabwright.platform.database import Writer
from tabwright.platform.tables import TENANT, CodeText, Uuid
from tabwright.platform.versions import STEPS


class Tokens(sa.types.TypeDecorator[str]):
    """Tokens between spaces: TEXT on SQLite, tsvector on PostgreSQL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.TSVECTOR() if dialect.name == "postgresql" else sa.Text())  # type: ignore[no-any-return]


search_row = sa.Table(
    "search_entry",
    TENANT,
    sa.Column(
        "rid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("record_id", Uuid, nullable=False),
    sa.Column("object_n", sa.BigInteger, nullable=False),
    sa.Column("tokens", Tokens, nullable=False),
)
sa.Index("search_entry_record", search_row.c.record_id)
sa.Index(
    "search_entry_tokens",
    search_row.c.tokens,
    postgresql_using="gin",
    # What is inserted waits in the index's pending list, which searches read too; the sealer clears it.
    postgresql_with={"fastupdate": "on", "gin_pending_list_limit": 32768},
).ddl_if(dialect="postgresql")

# The Latin words that stand in a field, named by its mark (``keeping``), for those who mistype them. A word
# that no record holds any longer does no harm: what it leads to is looked up in the rows above.
search_word = sa.Table(
    "search_word",
    TENANT,
    sa.Column("mark", CodeText, primary_key=True),
    sa.Column("word", CodeText, primary_key=True),
    sa.Column("object_n", sa.BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
# The long ones once more, under what is left of their beginning when two letters are missing.
search_near = sa.Table(
    "search_near",
    TENANT,
    sa.Column("mark", CodeText, primary_key=True),
    sa.Column("remains", CodeText, primary_key=True),
    sa.Column("word", CodeText, primary_key=True),
    sqlite_with_rowid=False,
)
# How far in the sealed journal the words of changed records are known: one row.
search_learnt = sa.Table(
    "search_learnt",
    TENANT,
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("record_id", Uuid),
)

# What stands beside a record and is found by everybody who may read it: one row for each comment and for the
# name of each attachment (``notes``), ``note_id`` theirs.
search_note = sa.Table(
    "search_note",
    TENANT,
    sa.Column(
        "rid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("note_id", Uuid, nullable=False),
    sa.Column("kind", CodeText, nullable=False),
    sa.Column("object_uid", CodeText, nullable=False),
    sa.Column("record_id", Uuid, nullable=False),
    sa.Column("tokens", Tokens, nullable=False),
)
sa.Index("search_note_note", search_note.c.note_id, unique=True)
sa.Index("search_note_record", search_note.c.record_id)
sa.Index("search_note_object", search_note.c.object_uid)
sa.Index(
    "search_note_tokens",
    search_note.c.tokens,
    postgresql_using="gin",
    postgresql_with={"fastupdate": "on", "gin_pending_list_limit": 32768},
).ddl_if(dialect="postgresql")

# Leaves of half a page: FTS5's own 4,050 bytes spill over, and a save writes three pages more.
_FTS = {
    "search_entry": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS search_entry_text USING fts5"
        "(tokens, content='', detail=none, columnsize=0, tokenize='ascii')",
        "INSERT INTO search_entry_text (search_entry_text, rank) VALUES ('pgsz', 2000)",
    ),
    "search_note": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS search_note_text USING fts5"
        "(tokens, content='', detail=none, columnsize=0, tokenize='ascii')",
        "INSERT INTO search_note_text (search_note_text, rank) VALUES ('pgsz', 2000)",
    ),
}


def _make_text_index(target: sa.Table, connection: sa.Connection, **kw: Any) -> None:
    if connection.dialect.name == "sqlite":
        for statement in _FTS[target.name]:
            connection.exec_driver_sql(statement)


sa.event.listen(search_row, "after_create", _make_text_index)
sa.event.listen(search_note, "after_create", _make_text_index)


def _remake(writer: Writer) -> None:
    """Rows of version 1 stood by rights class; what is searched is filled in anew after the upgrade."""
    if writer.store.dialect == "sqlite":
        writer.connection.exec_driver_sql("DROP TABLE IF EXISTS search_entry_text")
    search_row.drop(writer.connection)
    search_row.create(writer.connection)


STEPS["tenant"][2] = _remake
# Seen by SQL that this room writes; made by the event above, because its DDL is SQLite's own.
search_text = sa.table(
    "search_entry_text", sa.column("rowid"), sa.column("tokens"), sa.column("search_entry_text")
)
note_text = sa.table(
    "search_note_text", sa.column("rowid"), sa.column("tokens"), sa.column("search_note_text")
)
