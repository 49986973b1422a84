"""The tables of comments, in the tenant's store: they follow their record by its id."""

from __future__ import annotations

import sqlalchemy as sa

from tabwright.platform.database import Writer
from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid

# ``body`` is plain text; ``<@id>`` in it mentions a person. A deleted one keeps its place and loses its text.
COMMENT = sa.Table(
    "record_comment",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("object_uid", CodeText, nullable=False),
    sa.Column("record_id", Uuid, nullable=False),
    sa.Column("parent_id", Uuid),  # the comment that it answers: one level, so always one without a parent
    sa.Column("author_id", Uuid, nullable=False),
    sa.Column("body", CodeText, nullable=False),
    sa.Column("mentions", Json, nullable=False),  # ids in hex, as they stand in the body
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("edited_at", Instant),
    sa.Column("deleted_at", Instant),
    sa.Column("changed_at", Instant, nullable=False),  # the last of the three: what a page asks for
)
sa.Index("record_comment_newest", COMMENT.c.record_id, COMMENT.c.created_at, COMMENT.c.id)
sa.Index("record_comment_changed", COMMENT.c.record_id, COMMENT.c.changed_at)
sa.Index("record_comment_parent", COMMENT.c.parent_id, sqlite_where=COMMENT.c.parent_id.is_not(None),
         postgresql_where=COMMENT.c.parent_id.is_not(None))  # fmt: skip

# What a person has said of a record. Who has said nothing follows what they own.
FOLLOW = sa.Table(
    "record_follow",
    TENANT,
    sa.Column("record_id", Uuid, primary_key=True),
    sa.Column("user_id", Uuid, primary_key=True),
    sa.Column("object_uid", CodeText, nullable=False),
    sa.Column("follows", sa.Boolean, nullable=False),
    sa.Column("at", Instant, nullable=False),
)


def forget_object(writer: Writer, uid: str) -> None:
    """Remove everything of an object that is removed for good."""
    for table in (COMMENT, FOLLOW):
        writer.execute(sa.delete(table).where(table.c.object_uid == uid))
