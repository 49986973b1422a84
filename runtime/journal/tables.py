"""The journal's tables (decision 0006). Rows are only ever added; the sealer fills ``position``.

On PostgreSQL operations and changes are partitioned by the month of the operation's id, whose first 48
bits are
milliseconds since 1970. A default partition stands behind them, so that a write never fails for want of one.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Writer
from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid
from tabwright.platform.versions import STEPS

CAUSES = (
    "form", "api", "bulk", "import", "rule", "roll_up", "undo", "publish", "sign_in", "export", "view",
    "system",
)  # fmt: skip

operations = sa.Table(
    "journal_operation",
    TENANT,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("at", Instant, nullable=False),
    sa.Column("principal_kind", CodeText, nullable=False),
    sa.Column("principal_id", Uuid),
    sa.Column("cause", CodeText, nullable=False),
    sa.Column("cause_ref", Json),
    sa.Column("release", sa.BigInteger, nullable=False),
    sa.Column("request_id", CodeText),
    sa.Column("position", sa.BigInteger),  # NULL: not sealed yet
    postgresql_partition_by="RANGE (id)",
    sqlite_with_rowid=False,  # a save writes one page less
)
sa.Index(
    "journal_operation_unsealed",
    operations.c.id,
    sqlite_where=operations.c.position.is_(None),
    postgresql_where=operations.c.position.is_(None),
)
_SEALED = operations.c.position.is_not(None)
sa.Index("journal_operation_position", operations.c.position, sqlite_where=_SEALED, postgresql_where=_SEALED)

_EXPORTS = operations.c.cause == "export"
_exports = sa.Index(
    "journal_operation_exports", operations.c.id, sqlite_where=_EXPORTS, postgresql_where=_EXPORTS
)

changes = sa.Table(
    "journal_change",
    TENANT,
    sa.Column("record_id", Uuid, primary_key=True),
    sa.Column("revision", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("operation_id", Uuid, primary_key=True),
    sa.Column("object_n", sa.BigInteger, nullable=False),
    sa.Column("action", CodeText, nullable=False),  # create update delete restore purge; attach detach
    sa.Column("old", sa.Text),  # JSON [[field n or system name, old value], ...]; NULL for a create
    sa.Column("value_digest", sa.LargeBinary, nullable=False),
    postgresql_partition_by="RANGE (operation_id)",
    sqlite_with_rowid=False,
)
sa.Index("journal_change_operation", changes.c.operation_id)

blocks = sa.Table(
    "journal_block",
    TENANT,
    sa.Column("last", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("first", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    sa.Column("previous", sa.LargeBinary, nullable=False),
    sa.Column("at", Instant, nullable=False),
)


def month_start(moment: datetime, ahead: int = 0) -> datetime:
    """The first moment of a month, ``ahead`` months later."""
    months = moment.year * 12 + moment.month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def first_id(moment: datetime) -> UUID:
    """The smallest id that may be made at a moment."""
    return UUID(int=(int(moment.timestamp() * 1000)) << 80)


def partitions(now: datetime, months: int = 3) -> list[tuple[str, UUID, UUID]]:
    """Suffix, first id and first id after, of this month's partition and the following ones."""
    found = []
    for ahead in range(months):
        start, end = month_start(now, ahead), month_start(now, ahead + 1)
        found.append((f"{start:%Y_%m}", first_id(start), first_id(end)))
    return found


def qualified(schema: str | None, name: str) -> str:
    """A table's name as DDL says it."""
    return f'"{schema}".{name}' if schema else name


def partition_statement(schema: str | None, table: sa.Table, suffix: str, start: UUID, end: UUID) -> str:
    """DDL that makes the partition of one month (PostgreSQL)."""
    return (
        f"CREATE TABLE IF NOT EXISTS {qualified(schema, f'{table.name}_{suffix}')} "
        f"PARTITION OF {qualified(schema, table.name)} FOR VALUES FROM ('{start}') TO ('{end}')"
    )


def rest_statement(schema: str | None, table: sa.Table) -> str:
    """DDL that makes the partition of what no month's partition takes (PostgreSQL)."""
    rest, whole = qualified(schema, f"{table.name}_rest"), qualified(schema, table.name)
    return f"CREATE TABLE IF NOT EXISTS {rest} PARTITION OF {whole} DEFAULT"


def _make_partitions(target: sa.Table, connection: sa.Connection, **kw: Any) -> None:
    if connection.dialect.name != "postgresql":
        return
    schema = (connection.get_execution_options().get("schema_translate_map") or {}).get(None)
    connection.exec_driver_sql(rest_statement(schema, target))
    # From yesterday's month on: ids are made before their row is written.
    for month in partitions(datetime.now(UTC) - timedelta(days=1)):
        connection.exec_driver_sql(partition_statement(schema, target, *month))


def _index_exports(writer: Writer) -> None:
    writer.execute(sa.schema.CreateIndex(_exports, if_not_exists=True))


STEPS["tenant"][7] = _index_exports

sa.event.listen(operations, "after_create", _make_partitions)
sa.event.listen(changes, "after_create", _make_partitions)
