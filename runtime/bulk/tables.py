"""The tables of bulk changes, in the tenant's store: the run, its records in parts, what was refused.

The ids stand in the database, as they were when the run began, so that what is rehearsed is what is changed
and any worker process can go on with it.
"""

from __future__ import annotations

import sqlalchemy as sa

from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid

RUN = sa.Table(
    "bulk_run",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("object_uid", CodeText, nullable=False),
    sa.Column("action", CodeText, nullable=False),  # edit, transfer, delete
    sa.Column("values", Json, nullable=False),  # field name -> what the write path is given
    sa.Column("row_count", sa.BigInteger, nullable=False),
    sa.Column("state", CodeText, nullable=False),
    sa.Column("back", CodeText, nullable=False),  # the list that it came from
    sa.Column("language", CodeText, nullable=False),
    sa.Column("zone", CodeText, nullable=False),
    sa.Column("job_id", Uuid),
    sa.Column("created_by", Uuid, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
sa.Index("bulk_run_created", RUN.c.created_at)

PART = sa.Table(
    "bulk_part",
    TENANT,
    sa.Column("run_id", Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("ids", sa.LargeBinary, nullable=False),  # 16 bytes each
    sa.Column("checked", Json),  # what a rehearsal counted
    sa.Column("done", Json),  # what the run counted
    sa.Column("operation_id", Uuid),  # of the journal, where something was written
    sa.Column("undone", Json),  # what the undo counted
)
"""Up to a thousand records, which are one transaction and one operation of the journal."""

# Faults are JSON in plain text: PostgreSQL's own JSON refuses the NUL that a hostile value may hold.
PROBLEM = sa.Table(
    "bulk_problem",
    TENANT,
    sa.Column("run_id", Uuid, primary_key=True),
    sa.Column("phase", CodeText, primary_key=True),  # check, run, undo
    sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("record_id", Uuid),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("faults", sa.Text, nullable=False),
)
