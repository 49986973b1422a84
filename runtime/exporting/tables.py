"""The tables of exports made by a job, in the tenant's store: what was asked for, the file in pieces."""

from __future__ import annotations

import sqlalchemy as sa

from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid

EXPORT = sa.Table(
    "export_run",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("object_uid", CodeText, nullable=False),
    sa.Column("asked", Json, nullable=False),
    sa.Column("row_count", sa.BigInteger, nullable=False),
    sa.Column("size", sa.BigInteger),  # of the file; NULL until it is there
    sa.Column("language", CodeText, nullable=False),
    sa.Column("zone", CodeText, nullable=False),
    sa.Column("job_id", Uuid),
    sa.Column("created_by", Uuid, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
)
sa.Index("export_run_expires", EXPORT.c.expires_at)

PART = sa.Table(
    "export_part",
    TENANT,
    sa.Column("export_id", Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
