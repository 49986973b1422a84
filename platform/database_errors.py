"""What a database driver says, in the words of our family of errors."""

from __future__ import annotations

import re
import sqlite3
from typing import Any

import sqlalchemy as sa

from tabwright.platform.errors import (
    Deadlock,
    LimitReached,
    LockTimeout,
    Malformed,
    StorageFull,
    Unavailable,
    UniqueViolation,
)

_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
# A file that may not grow any more shows itself as a failed write as often as as a full disk.
_FULL = {
    sqlite3.SQLITE_IOERR_WRITE,
    sqlite3.SQLITE_IOERR_FSYNC,
    sqlite3.SQLITE_IOERR_TRUNCATE,
    sqlite3.SQLITE_IOERR_SHMSIZE,
}


def translate(error: BaseException, seconds: int, raw: Any = None) -> BaseException:
    """Our error for a driver's, or the same error where it is a fault of our own code.

    ``seconds`` is the limit that a statement had; ``raw`` an open SQLite connection, to find an index by its
    columns.
    """
    if isinstance(error, sa.exc.DBAPIError) and error.orig is not None:
        translated = translate(error.orig, seconds, raw)
        return error if translated is error.orig else translated
    if isinstance(error, sqlite3.Error):
        return _from_sqlite(error, seconds, raw) or error
    if type(error).__module__.startswith("psycopg"):
        return _from_postgresql(error, seconds) or error
    return error


def is_broken(error: BaseException) -> bool:
    """Whether the connection that gave this error is gone."""
    if isinstance(error, sa.exc.DBAPIError):
        return error.connection_invalidated or (error.orig is not None and is_broken(error.orig))
    if not type(error).__module__.startswith("psycopg"):
        return False
    state = getattr(error, "sqlstate", None)
    return type(error).__name__ == "OperationalError" and state is None or (state or "")[:3] in ("57P", "080")


def _from_sqlite(error: sqlite3.Error, seconds: int, raw: Any) -> BaseException | None:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return None
    if code == sqlite3.SQLITE_FULL or code in _FULL:
        return StorageFull.of("database.full")
    if code & 0xFF in _BUSY:
        return LockTimeout.of("database.busy")
    if code == sqlite3.SQLITE_INTERRUPT:
        return LimitReached.at("database.too_long", "statement_seconds", seconds)
    if code in (sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY):
        return UniqueViolation.on(_index_of(str(error), raw))
    if code & 0xFF == sqlite3.SQLITE_CANTOPEN:
        return Unavailable.of("database.unreachable")
    return None


def _index_of(message: str, raw: Any) -> str:
    """SQLite names an index only when it holds an expression, else the columns: find the index
    that has them.
    """
    if named := re.search(r"index '([^']+)'", message):
        return named[1]
    columns = re.findall(r"(\w+)\.(\w+)", message.partition(":")[2])
    if raw is None or not columns:
        return message.partition(": ")[2]
    table, wanted = columns[0][0], [name for _, name in columns]
    for (index,) in raw.execute('SELECT name FROM pragma_index_list(?) WHERE "unique"', (table,)).fetchall():
        found = raw.execute("SELECT name FROM pragma_index_info(?) ORDER BY seqno", (index,)).fetchall()
        if [name for (name,) in found] == wanted:
            return f"{table}_pkey" if index.startswith("sqlite_autoindex_") else str(index)
    return f"{table}_pkey"


def _from_postgresql(error: Any, seconds: int) -> BaseException | None:
    state = error.sqlstate
    if state == "23505":
        return UniqueViolation.on(error.diag.constraint_name or "")
    if state in ("40P01", "40001"):
        return Deadlock.of("database.busy")
    if state == "55P03":
        return LockTimeout.of("database.busy")
    if state == "57014":
        return LimitReached.at("database.too_long", "statement_seconds", seconds)
    if state in ("53100", "58030"):
        return StorageFull.of("database.full")
    if state in ("22021", "22P05") or (type(error).__name__ == "DataError" and "NUL" in str(error)):
        return Malformed.of("database.nul")
    if is_broken(error) or (state or "")[:2] in ("53", "08") or state == "57P03":
        return Unavailable.of("database.unreachable")
    return None
