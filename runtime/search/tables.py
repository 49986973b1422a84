"""Where search rows stand: one per record and rights class, and the full-text index over their tokens.

SQLite: ``search_row`` and the contentless FTS5 table ``search_text`` of the same rowid. PostgreSQL:
``search_row``
with a tsvector and a GIN index. Tokens are ours on both (``tokens``).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tabwright.platform.tables import TENANT, CodeText, Uuid


class Tokens(sa.types.TypeDecorator[str]):
    """Tokens between spaces: TEXT on SQLite, tsvector on PostgreSQL."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(postgresql.TSVECTOR() if dialect.name == "postgresql" else sa.Text())  # type: ignore[no-any-return]


search_row = sa.Table(
    "search_row",
    TENANT,
    sa.Column(
        "rid", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True
    ),
    sa.Column("record_id", Uuid, nullable=False),
    sa.Column("object_n", sa.BigInteger, nullable=False),
    sa.Column("class", CodeText, nullable=False),
    sa.Column("tokens", Tokens, nullable=False),
)
sa.Index("search_row_record", search_row.c.record_id)
sa.Index(
    "search_row_tokens",
    search_row.c.tokens,
    postgresql_using="gin",
    # What is inserted waits in the index's pending list, which searches read too; the sealer clears it.
    postgresql_with={"fastupdate": "on", "gin_pending_list_limit": 32768},
).ddl_if(dialect="postgresql")

_FTS = (
    "CREATE VIRTUAL TABLE IF NOT EXISTS search_text USING fts5"
    "(tokens, content='', detail=none, columnsize=0, tokenize='ascii')"
)
# Half a page of the database: FTS5's own 4,050 bytes spill over, and a save writes three pages more.
_FTS_LEAF = "INSERT INTO search_text (search_text, rank) VALUES ('pgsz', 2000)"


def _make_text_index(target: sa.Table, connection: sa.Connection, **kw: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_FTS)
        connection.exec_driver_sql(_FTS_LEAF)


sa.event.listen(search_row, "after_create", _make_text_index)
# Seen by SQL that this room writes; made by the event above, because its DDL is SQLite's own.
search_text = sa.table("search_text", sa.column("rowid"), sa.column("tokens"), sa.column("search_text"))
