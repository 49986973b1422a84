"""Open connections to stores: SQLite files and PostgreSQL servers, kept, checked and handed out.

Everything that differs between the two databases below SQL stands here: pragmas, session settings, roles,
how a
transaction begins, what a process may do at once. ``database`` gives the one face over both.
"""

from __future__ import annotations

import contextlib
import random
import select
import sqlite3
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from tabwright.platform.database_errors import translate
from tabwright.platform.errors import LockTimeout, Unavailable
from tabwright.platform.settings import Limits
from tabwright.platform.tables import DialectName, Ids, microseconds

OnConnect = Callable[[Any, DialectName], None]
Kind = Literal["read", "long", "write", "unsynced", "maintain"]

# Bound values may be given as Python has them; what comes back is in storage form.
sqlite3.register_adapter(UUID, lambda value: value.bytes)
sqlite3.register_adapter(Ids, lambda value: value.text)
sqlite3.register_adapter(datetime, microseconds)
sqlite3.register_adapter(date, date.isoformat)


def _line(text: str | None, number: int) -> str | None:
    """A line of a text by its number from 0: what SQLite has no function for."""
    lines = [] if text is None else text.split("\n")
    return lines[number] if number < len(lines) else None


_STEPS = 100_000  # SQLite's virtual steps between two looks at the clock: some milliseconds
_ROLES_OF_A_CONNECTION = 50  # a PostgreSQL backend keeps about 1 MB for every tenant that it has touched
_ASK_AGAIN = (0.0005, 0.002)  # seconds; a save takes 1 to 3 ms
# An array on the wire: its dimensions, whether any is NULL, the type; how many from which number; a length.
_HEAD, _DIMENSION, _LENGTH = struct.Struct("!iiI"), struct.Struct("!ii"), struct.pack("!i", 16)
_NO_LANE: AbstractContextManager[Any] = contextlib.nullcontext()


class Connection:
    """One open connection: ``core`` for SQLAlchemy, ``raw`` and its one ``cursor`` for prepared text."""

    __slots__ = ("core", "raw", "cursor", "lane", "limit", "deadline", "role", "roles", "schema", "synced")

    def __init__(self, core: sa.Connection) -> None:
        self.core = core
        raw: Any = core.connection.dbapi_connection
        self.raw = raw
        self.cursor: Any = raw.cursor()
        self.lane = _NO_LANE  # what a statement holds while it runs
        self.limit = 0  # seconds that a statement may take
        self.deadline = float("inf")
        self.role: str | None = None
        self.roles = 0
        self.schema: str | None = None
        self.synced = True  # SQLite: a commit waits for the disk

    def close(self) -> None:
        with contextlib.suppress(Exception):  # it may be broken already, and nobody waits for it
            self.core.invalidate()
        with contextlib.suppress(Exception):
            self.core.close()

    def finish(self, word: Literal["COMMIT", "ROLLBACK"]) -> None:
        """End the transaction that we began, and the logical one that SQLAlchemy may have begun above it."""
        self.cursor.execute(word)
        if self.core.in_transaction():
            self.core.commit()


class SqliteServer:
    """The connections of one SQLite file.

    Short statements of a process go one at a time through ``lane``: sqlite3 gives the interpreter lock up at
    every
    row, and threads that fight for it lose more than half of the throughput. Writers stand in one queue per
    file,
    so that nobody sleeps in the busy handler while a thread of the same process writes.
    """

    dialect: DialectName = "sqlite"
    errors: tuple[type[BaseException], ...] = (sqlite3.Error, sa.exc.DBAPIError)

    def __init__(
        self,
        path: Path,
        limits: Limits,
        on_connect: OnConnect,
        lane: threading.Lock,
        long_lane: threading.Lock,
    ) -> None:
        self.path = path
        self.engine = sa.create_engine(
            sa.URL.create("sqlite", database=str(path)),
            poolclass=NullPool,
            hide_parameters=True,  # values are people's data: not for logs
            # We say BEGIN and COMMIT ourselves: the default is not atomic for DDL.
            isolation_level="AUTOCOMMIT",
            connect_args={
                "check_same_thread": False,
                "isolation_level": None,
                "cached_statements": 512,
                "timeout": limits.write_wait_seconds,
            },
        )
        self._limits = limits
        self._on_connect = on_connect
        self._lanes = {
            "read": lane,
            "write": lane,
            "unsynced": lane,
            "long": long_lane,
            "maintain": long_lane,
        }
        self._queue = threading.Lock()
        self._writer: int | None = None
        self._idle: list[Connection] = []

    def _open(self) -> Connection:
        if not self.path.is_file():
            raise Unavailable.of("database.missing", file=self.path.name)
        try:
            connection = Connection(self.engine.connect())
            execute = connection.raw.execute
            execute(f"PRAGMA busy_timeout={self._limits.write_wait_seconds * 1000}")
            execute("PRAGMA journal_mode=WAL")
            execute("PRAGMA synchronous=FULL")
            execute("PRAGMA foreign_keys=ON")
            execute("PRAGMA cache_size=-2000")
            execute("PRAGMA mmap_size=0")
            execute("PRAGMA wal_autocheckpoint=4000")
            execute("PRAGMA temp_store=MEMORY")
        except self.errors as error:
            raise translate(error, 0) from error

        def overdue() -> int:
            return time.monotonic() > connection.deadline

        connection.raw.set_progress_handler(overdue, _STEPS)
        connection.raw.create_function("tw_blob", 1, bytes.fromhex, deterministic=True)
        connection.raw.create_function("tw_line", 2, _line, deterministic=True)
        self._on_connect(connection.raw, "sqlite")
        return connection

    @contextmanager
    def connection(self, kind: Kind, role: str | None) -> Iterator[Connection]:
        """A connection in a transaction (read: a snapshot; write: the write lock) or, to maintain,
        in none.
        """
        writes = kind in ("write", "unsynced", "maintain")
        if writes:
            self._enter_queue()
        try:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self._open()
            connection.lane = self._lanes[kind]
            limits = self._limits
            connection.limit = limits.statement_seconds if kind == "read" else limits.long_statement_seconds
            connection.deadline = time.monotonic() + connection.limit
            try:
                if writes and connection.synced is (kind == "unsynced"):
                    self._sync(connection, not connection.synced)
                if kind in ("write", "unsynced"):
                    self._begin_writing(connection)
                elif kind != "maintain":
                    connection.cursor.execute("BEGIN")
                yield connection
                connection.deadline = float("inf")  # a commit is never cut off
                if kind != "maintain":
                    connection.finish("COMMIT")
            except BaseException:
                self._give_up(connection)
                raise
            connection.deadline = float("inf")
            self._idle.append(connection)
        finally:
            if writes:
                self._writer = None
                self._queue.release()

    def _sync(self, connection: Connection, synced: bool) -> None:
        """Outside a transaction only. The next commit that waits for the disk takes the others with it."""
        connection.cursor.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
        connection.synced = synced

    def _begin_writing(self, connection: Connection) -> None:
        """Take the write lock, asking for it at short random intervals while another process has it.

        SQLite's own wait doubles up to 0.1 s: who has waited long asks seldom, and others come first.
        """
        execute = connection.cursor.execute
        until = time.monotonic() + self._limits.write_wait_seconds
        execute("PRAGMA busy_timeout=0")
        try:
            while True:
                try:
                    execute("BEGIN IMMEDIATE")
                    return
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                        raise
                time.sleep(random.uniform(*_ASK_AGAIN))
        finally:
            execute(f"PRAGMA busy_timeout={self._limits.write_wait_seconds * 1000}")

    def _give_up(self, connection: Connection) -> None:
        """Roll back and keep the connection, unless it cannot even do that."""
        connection.deadline = float("inf")
        try:
            # A full disk makes SQLite roll back by itself.
            if connection.raw.in_transaction:
                connection.cursor.execute("ROLLBACK")
            if connection.core.in_transaction():
                connection.core.rollback()
        except self.errors:
            connection.close()
        else:
            self._idle.append(connection)

    def _enter_queue(self) -> None:
        me = threading.get_ident()
        if self._writer == me:
            raise RuntimeError("this thread is writing to this store already")
        if not self._queue.acquire(timeout=self._limits.write_wait_seconds):
            raise LockTimeout.of("database.busy")
        self._writer = me

    def trim(self) -> None:
        """Close what is not in use."""
        while self._idle:
            self._idle.pop().close()


class PostgresServer:
    """The connections to one PostgreSQL database, shared by all of its tenants.

    Reading connections are in autocommit with prepared statements and keep the role of the tenant that they
    last served. A thread gets one that serves its tenant already; where there is none, a new one while the
    limit allows, then the one unused longest: changing the role is a round trip of its own.
    """

    dialect: DialectName = "postgresql"

    def __init__(self, url: str, limits: Limits, on_connect: OnConnect) -> None:
        import psycopg

        self.errors: tuple[type[BaseException], ...] = (psycopg.Error, sa.exc.DBAPIError)
        options = {
            "timezone": "UTC",
            "search_path": "pg_catalog",
            "statement_timeout": f"{limits.statement_seconds}s",
            "lock_timeout": f"{limits.write_wait_seconds}s",
            "idle_in_transaction_session_timeout": "120s",
            "client_min_messages": "warning",
            "jit": "off",
        }
        self.engine = sa.create_engine(
            sa.make_url(url).set(drivername="postgresql+psycopg"),
            poolclass=NullPool,
            hide_parameters=True,  # values are people's data: not for logs
            isolation_level="AUTOCOMMIT",
            paramstyle="format",
            connect_args={
                "autocommit": True,
                "prepare_threshold": 0,
                "connect_timeout": max(2, limits.wait_seconds),
                "application_name": "tabwright",
                "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            },
        )
        self._limits = limits
        self._on_connect = on_connect
        self._free = threading.Semaphore(limits.database_connections)
        self._idle: list[Connection] = []  # the last one used at the end
        self._opened = 0
        self._idle_lock = threading.Lock()  # of both

    def _open(self) -> Connection:
        try:
            connection = Connection(self.engine.connect())
        except self.errors as error:
            raise translate(error, 0) from error
        with self._idle_lock:
            self._opened += 1
        connection.raw.prepared_max = 500
        _jsonb_as_text(connection.raw)
        _ids_at_once(connection.raw)
        connection.cursor = connection.raw.cursor()
        self._on_connect(connection.raw, "postgresql")
        return connection

    def _take(self, role: str | None) -> Connection:
        while True:
            with self._idle_lock:
                if not self._idle:
                    break
                # Backwards: the last one used is the warmest.
                order = range(len(self._idle) - 1, -1, -1)
                at = next((i for i in order if self._idle[i].role == role), None)
                if at is None and self._opened < self._limits.database_connections:
                    break
                connection = self._idle.pop(at or 0)
            if _is_alive(connection):
                return connection
            self._close(connection)
        return self._open()

    def _close(self, connection: Connection) -> None:
        with self._idle_lock:
            self._opened -= 1
        connection.close()

    @contextmanager
    def connection(self, kind: Kind, role: str | None) -> Iterator[Connection]:
        """A connection that acts as ``role``: in a transaction to write or read long, in
        autocommit otherwise.
        """
        if not self._free.acquire(timeout=self._limits.wait_seconds):
            raise Unavailable.of("database.no_connection")
        connection = None
        try:
            connection = self._take(role)
            limits = self._limits
            connection.limit = limits.statement_seconds if kind == "read" else limits.long_statement_seconds
            try:
                self._begin(connection, kind, role)
                yield connection
                if kind in ("write", "unsynced", "long"):
                    connection.finish("COMMIT")
                elif kind == "maintain":
                    connection.cursor.execute("RESET statement_timeout")
            except BaseException:
                self._give_up(connection)
                raise
            if connection.roles > _ROLES_OF_A_CONNECTION:
                self._close(connection)
            else:
                with self._idle_lock:
                    self._idle.append(connection)
        finally:
            self._free.release()

    def _begin(self, connection: Connection, kind: Kind, role: str | None) -> None:
        quoted = f'"{role}"' if role else "NONE"
        execute = connection.cursor.execute
        long = f"SET LOCAL statement_timeout = '{self._limits.long_statement_seconds}s'"
        if kind in ("write", "unsynced"):
            # One trip: several statements without parameters travel together.
            sync = "" if kind == "write" else "; SET LOCAL synchronous_commit = off"
            execute(f"BEGIN; SET LOCAL ROLE {quoted}; {long}{sync}", prepare=False)
            return
        if connection.role != role:
            execute(f"SET ROLE {quoted}", prepare=False)
            connection.role = role
            connection.roles += 1
        if kind == "long":
            execute(f"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {long}", prepare=False)
        elif kind == "maintain":
            execute(f"SET statement_timeout = '{self._limits.long_statement_seconds}s'", prepare=False)

    def _give_up(self, connection: Connection) -> None:
        try:
            connection.cursor.execute("ROLLBACK; RESET statement_timeout", prepare=False)
            if connection.core.in_transaction():
                connection.core.rollback()
        except self.errors:
            self._close(connection)
        else:
            with self._idle_lock:
                self._idle.append(connection)

    def trim(self) -> None:
        """Close what is not in use."""
        with self._idle_lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            self._close(connection)


def _is_alive(connection: Connection) -> bool:
    """Whether the server has closed this idle connection: its socket then has something to read.
    No round trip.
    """
    raw = connection.raw
    if raw.closed:
        return False
    look = select.poll()
    look.register(raw.fileno(), select.POLLIN)
    return not look.poll(0)


def _jsonb_as_text(raw: Any) -> None:
    """JSON comes and goes as text (``tables.Json``), in COPY too."""
    from psycopg.adapt import Dumper, Loader
    from psycopg.pq import Format

    class Text(str):
        """The type that stands for jsonb; values are plain ``str``."""

    class Dump(Dumper):
        format = Format.BINARY
        oid = raw.adapters.types["jsonb"].oid

        def dump(self, obj: Any) -> bytes:
            return b"\x01" + str(obj).encode()

    class Load(Loader):
        def load(self, data: Any) -> str:
            return bytes(data).decode()

    raw.adapters.register_dumper(Text, Dump)
    raw.adapters.register_loader("jsonb", Load)


def _ids_at_once(raw: Any) -> None:
    """``Ids`` go as an array of uuids made in one piece: most statements about records carry two of them."""
    from psycopg.adapt import Dumper
    from psycopg.pq import Format

    array, element = raw.adapters.types["uuid"].array_oid, raw.adapters.types["uuid"].oid

    class Dump(Dumper):
        format = Format.BINARY
        oid = array

        def dump(self, obj: Any) -> bytes:
            if not obj:
                return _HEAD.pack(0, 0, element)
            parts = b"".join([_LENGTH + each.bytes for each in obj])
            return _HEAD.pack(1, 0, element) + _DIMENSION.pack(len(obj), 1) + parts

    raw.adapters.register_dumper(Ids, Dump)
