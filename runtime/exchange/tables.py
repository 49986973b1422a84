"""The tables of imports, in the tenant's store: the run, its file in pieces, the rows that it could not take,
what people made of them.

The file stands in the database so that any worker process can go on with it.
"""

from __future__ import annotations

import sqlalchemy as sa

from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid

RUN = sa.Table(
    "import_run",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("object_uid", CodeText, nullable=False),
    sa.Column("filename", CodeText, nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("format", Json, nullable=False),
    sa.Column("header", Json, nullable=False),
    sa.Column("sample", Json, nullable=False),
    sa.Column("row_count", sa.BigInteger),  # data rows; NULL while the file cannot be read to its end
    sa.Column("settings", Json, nullable=False),
    sa.Column("state", CodeText, nullable=False),
    sa.Column("counts", Json, nullable=False),  # of the last check or run
    sa.Column("checked", Json),  # counts and unknown values of the last check
    sa.Column("taken_row", sa.BigInteger, nullable=False),  # the last row of the file that a run has taken
    sa.Column("job_id", Uuid),
    sa.Column("error", Json),
    sa.Column("language", CodeText, nullable=False),
    sa.Column("zone", CodeText, nullable=False),
    sa.Column("scope", Json),  # of the token that started it
    sa.Column("created_by", Uuid),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("updated_at", Instant, nullable=False),
)
sa.Index("import_run_recent", RUN.c.created_by, RUN.c.created_at)

PART = sa.Table(
    "import_file_part",
    TENANT,
    sa.Column("import_id", Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

ROWS = sa.Table(
    "import_rows",
    TENANT,
    sa.Column("import_id", Uuid, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),  # of its first row
    sa.Column("content", sa.LargeBinary, nullable=False),
)
"""The rows of the file as its format reads them, in pieces: until the import is done."""

# Cells are JSON in plain text: PostgreSQL's own JSON refuses the NUL that a hostile file may hold.
PROBLEM = sa.Table(
    "import_problem",
    TENANT,
    sa.Column("import_id", Uuid, primary_key=True),
    sa.Column("phase", CodeText, primary_key=True),  # check, run, note (went in, not whole), warned, undo
    sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("faults", sa.Text, nullable=False),
    sa.Column("cells", sa.Text, nullable=False),
)

CORRECTION = sa.Table(
    "import_correction",
    TENANT,
    sa.Column("import_id", Uuid, primary_key=True),
    sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("cells", sa.Text, nullable=False),  # of the file
    sa.Column("changes", sa.Text, nullable=False),  # by column index
    sa.Column("skip", sa.Boolean, nullable=False),
    sa.Column("outcome", CodeText, nullable=False),  # when it was last checked
)
"""What a person made of rows before the start; the file stays as it is."""

LATER = sa.Table(
    "import_later",
    TENANT,
    sa.Column("import_id", Uuid, primary_key=True),
    sa.Column("row", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("cells", sa.Text, nullable=False),
)
"""Rows that name a record of the same file which is not there yet."""

OPERATION = sa.Table(
    "import_operation",
    TENANT,
    sa.Column("import_id", Uuid, primary_key=True),
    sa.Column("operation_id", Uuid, primary_key=True),
    sa.Column("kind", CodeText, nullable=False),  # import, undo
    sa.Column("undone", sa.Boolean, nullable=False),
)
"""The journal's operations of an import and of its undo: what undo reads."""
