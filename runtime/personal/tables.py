"""The tables of a person's own things, in the tenant's store. No formula, report or share can name them."""

from __future__ import annotations

import sqlalchemy as sa

from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid

SETTING = sa.Table(
    "person_setting",
    TENANT,
    sa.Column("user_id", Uuid, primary_key=True),
    sa.Column("key", CodeText, primary_key=True),
    sa.Column("value", Json, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)

# The body names fields as they are called when it is saved; a rename leaves an alias that answers.
VIEW = sa.Table(
    "saved_view",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("owner_id", Uuid, nullable=False),
    sa.Column("object_uid", CodeText, nullable=False),
    sa.Column("name", CodeText, nullable=False),
    sa.Column("way", CodeText, nullable=False),  # table, board, calendar
    sa.Column("body", Json, nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)
sa.Index("saved_view_object", VIEW.c.object_uid, VIEW.c.owner_id)

# What is typed in a form and not saved: ``key`` is the object's uid and the record, or "new". Rows older than
# the limit ``form_draft_days`` go when anybody keeps another.
FORM = sa.Table(
    "person_form",
    TENANT,
    sa.Column("user_id", Uuid, primary_key=True),
    sa.Column("key", CodeText, primary_key=True),
    sa.Column("body", Json, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)
sa.Index("person_form_updated_at", FORM.c.updated_at)

# What a person has looked at, and which state of it they saw.
SEEN = sa.Table(
    "person_seen",
    TENANT,
    sa.Column("user_id", Uuid, primary_key=True),
    sa.Column("record_id", Uuid, primary_key=True),
    sa.Column("object_uid", CodeText, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),
    sa.Column("at", Instant, nullable=False),
)
sa.Index("person_seen_newest", SEEN.c.user_id, SEEN.c.at)

# No text: what a notice says is made when it is read, by what its reader may know then.
NOTICE = sa.Table(
    "person_notice",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("user_id", Uuid, nullable=False),
    sa.Column("kind", CodeText, nullable=False),
    sa.Column("params", Json, nullable=False),
    sa.Column("object_uid", CodeText),
    sa.Column("record_id", Uuid),
    sa.Column("number", sa.Integer, nullable=False),  # how many of one kind were put together
    sa.Column("at", Instant, nullable=False),
    sa.Column("read_at", Instant),
)
sa.Index("person_notice_newest", NOTICE.c.user_id, NOTICE.c.at)
