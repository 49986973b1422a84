"""The table of files, in the tenant's store: what each is, who brought it, and which record it belongs to."""

from __future__ import annotations

import sqlalchemy as sa

from tabwright.platform.tables import TENANT, CodeText, Instant, Uuid

# A file is pending until a write names it: then it belongs to one record and one field for good
# (``field_uid`` is "" for an attachment). What is ``gone`` has its content deleted by the next sweep, then
# its row.
FILE = sa.Table(
    "stored_file",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("name", CodeText, nullable=False),
    sa.Column("media", CodeText, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", CodeText, nullable=False),
    sa.Column("kind", CodeText, nullable=False),
    sa.Column("width", sa.Integer, nullable=False),
    sa.Column("height", sa.Integer, nullable=False),
    sa.Column("pictured", sa.Boolean, nullable=False),
    sa.Column("uploaded_by", Uuid, nullable=False),
    sa.Column("uploaded_at", Instant, nullable=False),
    sa.Column("object_uid", CodeText),
    sa.Column("record_id", Uuid),
    sa.Column("field_uid", CodeText),
    sa.Column("removed_at", Instant),  # an attachment that can still be brought back
    sa.Column("gone_at", Instant),
)
sa.Index("stored_file_record", FILE.c.record_id, FILE.c.field_uid)
_PENDING = FILE.c.record_id.is_(None)
sa.Index("stored_file_pending", FILE.c.uploaded_at, sqlite_where=_PENDING, postgresql_where=_PENDING)
_REMOVED = FILE.c.removed_at.is_not(None)
sa.Index("stored_file_removed", FILE.c.removed_at, sqlite_where=_REMOVED, postgresql_where=_REMOVED)
_GONE = FILE.c.gone_at.is_not(None)
sa.Index("stored_file_gone", FILE.c.gone_at, sqlite_where=_GONE, postgresql_where=_GONE)
