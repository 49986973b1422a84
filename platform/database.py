"""Stores: the one place where tables live, with one face over SQLite files and PostgreSQL schemas.

``Stores`` knows them all; a ``Store`` is the control store or one tenant's. ``store.read()`` and
``store.write()``
give a Reader and a Writer; statements that run often are compiled once by ``prepare`` and run as text on the
driver's own cursor. Database errors come out as errors of our family (``database_errors``).
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.connections import Connection, Kind, OnConnect, PostgresServer, SqliteServer
from tabwright.platform.database_errors import translate
from tabwright.platform.errors import NotFound
from tabwright.platform.settings import Settings
from tabwright.platform.tables import DialectName

log = logging.getLogger("tabwright.database")

_NONE: Mapping[str, Any] = MappingProxyType({})
_FEW = 20  # rows up to which a pipeline of INSERTs is quicker than COPY

Observer = Callable[[str, str, int], None]
_observers: tuple[Observer, ...] = ()


@contextmanager
def observe(callback: Observer) -> Iterator[None]:
    """Tell ``callback(how, text, rows)`` every statement that reaches a driver while the block runs, for
    tests.

    ``how`` is "execute", "executemany" or "copy". BEGIN, COMMIT and session settings are not told.
    """
    global _observers
    _observers += (callback,)
    try:
        yield
    finally:
        _observers = tuple(each for each in _observers if each is not callback)


def _tell(how: str, text: str, rows: int) -> None:
    for each in _observers:
        each(how, text, rows)


@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def _core_statement(
    connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
) -> None:
    if _observers:
        _tell("executemany" if executemany else "execute", statement, len(parameters) if executemany else 1)


@dataclass(frozen=True, slots=True)
class _Copy:
    text: str
    types: tuple[str, ...] | None  # None: the text format, for types that the driver does not know


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as text for one store: schema in it, parameters in ``names`` order (a name may come twice).

    Values that stood in the Core statement are ``constants``: callers give the other names.
    """

    text: str
    names: tuple[str, ...]
    constants: Mapping[str, Any] = field(default_factory=lambda: _NONE)
    copy: _Copy | None = None
    arguments: Callable[[Mapping[str, Any]], Sequence[Any]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "arguments", _picker(self.names, self.constants))

    def ordered(self, rows: Iterable[tuple[Any, ...]], columns: Sequence[str]) -> Iterable[tuple[Any, ...]]:
        """Rows given in the order of ``columns``, in the order of ``names``; taken when asked for."""
        if tuple(columns) == self.names:
            return rows
        order = [columns.index(name) for name in self.names]
        return (tuple([row[at] for at in order]) for row in rows)


def _picker(
    names: tuple[str, ...], constants: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    if not names:
        return lambda params: ()
    pick = itemgetter(*names) if len(names) > 1 else lambda params: (params[names[0]],)
    if constants:
        return lambda params: pick({**constants, **params})
    return pick


def prepare(store: Store, statement: sa.ClauseElement) -> Prepared:
    """Compile a Core statement for a store, once; the result serves every connection and thread.

    Parameters are ``sa.bindparam``s (give them a type on PostgreSQL). ``IN`` over a list of unknown length is
    refused: use ``tables.in_ids``, so that the text does not depend on the values.
    """
    dialect = store.sa_dialect
    compiled: Any = statement.compile(
        dialect=dialect, schema_translate_map={None: store.schema}, render_schema_translate=True
    )
    if compiled.post_compile_params or compiled.literal_execute_params:
        raise TypeError("a prepared statement cannot hold an expanding IN: use tables.in_ids")
    names = tuple(compiled.positiontup or ())
    constants = {}
    for name in dict.fromkeys(names):
        bind = compiled.binds[name]
        if bind.required or (bind.value is None and bind.callable is None and not bind.unique):
            continue
        value = bind.effective_value
        convert = bind.type.dialect_impl(dialect).bind_processor(dialect)
        constants[name] = convert(value) if convert else value
    copy = _copy(store, statement, names) if isinstance(statement, sa.Insert) else None
    return Prepared(str(compiled), names, constants, copy)


_COPY_TYPES = {
    "UUID": "uuid", "BIGINT": "int8", "INTEGER": "int4", "SMALLINT": "int2", "BOOLEAN": "bool",
    "DATE": "date", "JSONB": "jsonb", "BYTEA": "bytea", "NUMERIC": "numeric", "TEXT": "text",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
}  # fmt: skip


def _copy(store: Store, statement: sa.Insert, names: tuple[str, ...]) -> _Copy | None:
    if store.dialect != "postgresql" or not isinstance(statement.table, sa.Table):
        return None
    if set(names) - set(statement.table.columns.keys()):
        return None
    columns = [statement.table.columns[name] for name in names]
    compiler: Any = store.sa_dialect.type_compiler_instance
    types = []
    for column in columns:
        spelled = compiler.process(column.type.dialect_impl(store.sa_dialect), type_expression=column)
        types.append(_COPY_TYPES.get(re.split(r"\(| COLLATE", spelled)[0]))
    quote = store.sa_dialect.identifier_preparer.quote
    table = f"{quote(statement.table.schema or store.schema or 'public')}.{quote(statement.table.name)}"
    known = tuple(each for each in types if each)
    form = " (FORMAT BINARY)" if len(known) == len(types) else ""
    listed = ", ".join(quote(column.name) for column in columns)
    return _Copy(f"COPY {table} ({listed}) FROM STDIN{form}", known if form else None)


class Reader:
    """Reads from one store. Lives in its ``with`` block and in one thread."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self.store = store
        self._connection = connection
        self._cursor = connection.cursor
        self._lane = connection.lane
        self._errors = store.errors

    @property
    def connection(self) -> sa.Connection:
        """For Core statements on rare paths, the store's schema put in. Never commit or close it."""
        core = self._connection.core
        if self._connection.schema != self.store.schema:
            core.execution_options(schema_translate_map={None: self.store.schema})
            self._connection.schema = self.store.schema
        return core

    def rows(self, statement: Prepared, params: Mapping[str, Any] = _NONE) -> list[tuple[Any, ...]]:
        """All rows of a prepared statement, values in storage form."""
        arguments = statement.arguments(params)
        if _observers:
            _tell("execute", statement.text, 1)
        try:
            with self._lane:
                self._cursor.execute(statement.text, arguments)
                return self._cursor.fetchall()  # type: ignore[no-any-return]
        except self._errors as error:
            raise self._translated(error) from error

    def row(self, statement: Prepared, params: Mapping[str, Any] = _NONE) -> tuple[Any, ...] | None:
        """The first row, or None."""
        found = self.rows(statement, params)
        return found[0] if found else None

    def chunks(
        self, statement: Prepared, params: Mapping[str, Any] = _NONE, size: int = 1000
    ) -> Iterator[list[tuple[Any, ...]]]:
        """The rows of a prepared statement in lists of up to ``size``, never all in memory: for exports."""
        arguments = statement.arguments(params)
        if _observers:
            _tell("execute", statement.text, 1)
        try:
            if self.store.dialect == "sqlite":
                with contextlib.closing(self._connection.raw.cursor()) as cursor:
                    with self._lane:
                        cursor.execute(statement.text, arguments)
                        rows = cursor.fetchmany(size)
                    while rows:
                        yield rows
                        with self._lane:
                            rows = cursor.fetchmany(size)
            else:
                # A cursor on the server lives in a transaction: read_long, or a Writer.
                with self._connection.raw.cursor(name="tabwright_chunks") as cursor:
                    cursor.execute(statement.text, arguments)
                    while rows := cursor.fetchmany(size):
                        yield rows
        except self._errors as error:
            raise self._translated(error) from error

    def execute(
        self, statement: sa.Executable, params: Mapping[str, Any] | None = None
    ) -> sa.CursorResult[Any]:
        """Run a Core statement; values are Python values."""
        try:
            return self.connection.execute(statement, params)
        except self._errors as error:
            raise self._translated(error) from error

    def _translated(self, error: BaseException) -> BaseException:
        return translate(error, self._connection.limit, self._connection.raw)


class Writer(Reader):
    """Writes to one store in one transaction, which is committed at the end of the block."""

    def __init__(self, store: Store, connection: Connection) -> None:
        super().__init__(store, connection)
        self.after: list[Callable[[], None]] = []
        self._savepoints = 0

    def run(self, statement: Prepared, params: Mapping[str, Any] = _NONE) -> int:
        """Run a prepared statement that gives no rows; how many rows it touched."""
        arguments = statement.arguments(params)
        if _observers:
            _tell("execute", statement.text, 1)
        try:
            with self._lane:
                self._cursor.execute(statement.text, arguments)
                return int(self._cursor.rowcount)
        except self._errors as error:
            raise self._translated(error) from error

    def insert_many(self, statement: Prepared, rows: Iterable[Sequence[Any]]) -> None:
        """Insert rows given as tuples in ``statement.names`` order; one statement, however many.

        Where they go by COPY (many rows, PostgreSQL) they are taken one by one: what a generator computes for
        the next row, it computes while the server stores the last.
        """
        coming = iter(rows)
        first = list(islice(coming, _FEW + 1))
        if not first:
            return
        if not statement.text.lstrip()[:6].upper() == "INSERT":
            raise TypeError("insert_many inserts; an UPDATE or DELETE of many rows joins an array")
        if statement.constants:
            raise TypeError("insert_many takes every value from the rows")
        if len(first) == 1:
            self._insert_one(statement, first[0])
        elif statement.copy is not None and len(first) > _FEW:
            self._copy_in(statement.copy, chain(first, coming))
        else:
            self._insert_some(statement, [*first, *coming])

    def _insert_one(self, statement: Prepared, row: Sequence[Any]) -> None:
        if _observers:
            _tell("execute", statement.text, 1)
        try:
            with self._lane:
                self._cursor.execute(statement.text, row)
        except self._errors as error:
            raise self._translated(error) from error

    def _insert_some(self, statement: Prepared, rows: list[Sequence[Any]]) -> None:
        if _observers:
            _tell("executemany", statement.text, len(rows))
        try:
            with self._lane:
                self._cursor.executemany(statement.text, rows)
        except self._errors as error:
            raise self._translated(error) from error

    def _copy_in(self, copy: _Copy, rows: Iterable[Sequence[Any]]) -> None:
        written = 0
        try:
            with self._lane, self._cursor.copy(copy.text) as target:
                if copy.types:
                    target.set_types(copy.types)
                write = target.write_row
                for row in rows:
                    write(row)
                    written += 1
        except self._errors as error:
            raise self._translated(error) from error
        finally:
            if _observers:
                _tell("copy", copy.text, written)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call this when the transaction is committed and the connection given back; never after a
        rollback.
        """
        self.after.append(call)

    def alone(self, name: str) -> None:
        """Wait for each other open transaction that has said the same name. On SQLite all are alone."""
        if self.store.dialect == "postgresql":
            lock = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
            self.execute(lock, {"name": f"{self.store.key} {name}"})

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What the block did is undone when it raises; the transaction goes on."""
        self._savepoints += 1
        name = f"tw_{self._savepoints}"
        waiting = len(self.after)
        self._cursor.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            del self.after[waiting:]
            with contextlib.suppress(*self._errors):  # the error that we are in is the one to tell
                self._cursor.execute(f"ROLLBACK TO SAVEPOINT {name}")
                self._cursor.execute(f"RELEASE SAVEPOINT {name}")
            raise
        self._cursor.execute(f"RELEASE SAVEPOINT {name}")


class Store:
    """One place where tables live: the control store, or one tenant's."""

    def __init__(
        self, server: SqliteServer | PostgresServer, schema: str | None, role: str | None, key: str
    ) -> None:
        self._server = server
        self._role = role
        self.dialect: DialectName = server.dialect
        self.schema = schema
        self.key = key  # stable and unique among the stores of an installation: for keys of caches
        self.errors = server.errors

    def __repr__(self) -> str:
        return f"<Store {self.key} on {self.dialect}>"

    @property
    def sa_dialect(self) -> sa.Dialect:
        """For compiling."""
        return self._server.engine.dialect

    @contextmanager
    def _open(self, kind: Kind) -> Iterator[Connection]:
        try:
            with self._server.connection(kind, self._role) as connection:
                yield connection
        except self.errors as error:
            # What a block did on ``connection`` itself, and what a commit said.
            translated = translate(error, 0)
            if translated is error:
                raise
            raise translated from error

    @contextmanager
    def read(self) -> Iterator[Reader]:
        """To read: one snapshot on SQLite; on PostgreSQL each statement sees what is committed
        when it starts.
        """
        with self._open("read") as connection:
            yield Reader(self, connection)

    @contextmanager
    def read_long(self) -> Iterator[Reader]:
        """To read much (reports, exports): one snapshot on both, longer time, out of the way of
        short readers.
        """
        with self._open("long") as connection:
            yield Reader(self, connection)

    @contextmanager
    def write(self) -> Iterator[Writer]:
        """One transaction: committed at the end of the block, rolled back when it raises.

        Raises LockTimeout when other writers take too long, UniqueViolation, StorageFull.
        """
        with self._writing("write") as writer:
            yield writer

    @contextmanager
    def write_unsynced(self) -> Iterator[Writer]:
        """As ``write``, but the commit does not wait for the disk: a power cut may take the last ones back,
        each as a whole. For what nobody would miss, where a page would wait for it.
        """
        with self._writing("unsynced") as writer:
            yield writer

    @contextmanager
    def _writing(self, kind: Kind) -> Iterator[Writer]:
        with self._open(kind) as connection:
            writer = Writer(self, connection)
            yield writer
        for call in writer.after:
            try:
                call()
            except Exception:
                log.exception("after the commit")  # it is committed: whoever waits must hear that

    @contextmanager
    def maintain(self) -> Iterator[Reader]:
        """Outside any transaction: CREATE INDEX CONCURRENTLY, VACUUM. The only writer of its
        process on SQLite.
        """
        with self._open("maintain") as connection:
            yield Reader(self, connection)

    def trim(self) -> None:
        """Close idle connections."""
        self._server.trim()


@dataclass(frozen=True, slots=True)
class TenantLocation:
    """Where a tenant is. Exactly one of ``schema`` (PostgreSQL) and ``file`` (SQLite, under home)
    is given.
    """

    id: UUID
    slug: str
    schema: str | None = None
    file: str | None = None


class Stores:
    """Every store of an installation, opened when asked for.

    ``on_connect(dbapi connection, dialect)`` runs for each new connection: functions that a room's SQL needs.
    """

    def __init__(self, settings: Settings, on_connect: OnConnect = lambda connection, dialect: None) -> None:
        self.settings = settings
        self._on_connect = on_connect
        self._lane = threading.Lock()
        self._long_lane = threading.Lock()
        self._lock = threading.Lock()
        self._tenants: OrderedDict[UUID, Store] = OrderedDict()
        self._postgres: PostgresServer | None = None
        url = settings.database_url
        if url:
            self._postgres = PostgresServer(url, settings.limits, on_connect)
            self.control_schema = f"{settings.schema_prefix}tabwright_control"
            self.control = Store(self._postgres, self.control_schema, None, "control")
        else:
            self.control = Store(self._sqlite("control.db"), None, None, "control")

    @property
    def dialect(self) -> DialectName:
        return self.control.dialect

    def _sqlite(self, file: str) -> SqliteServer:
        path = self.settings.home / file
        return SqliteServer(path, self.settings.limits, self._on_connect, self._lane, self._long_lane)

    def place(self, id: UUID, slug: str) -> TenantLocation:
        """Where a new tenant of this name will be."""
        if self._postgres:
            return TenantLocation(id, slug, schema=f"{self.settings.schema_prefix}t_{slug.replace('-', '_')}")
        return TenantLocation(id, slug, file=f"tenants/{slug}.db")

    def tenant(self, location: TenantLocation) -> Store:
        """The store of a tenant; opens nothing yet."""
        with self._lock:
            store = self._tenants.get(location.id)
            if store is None:
                if location.schema and self._postgres:
                    store = Store(self._postgres, location.schema, location.schema, location.id.hex)
                elif location.file and not self._postgres:
                    store = Store(self._sqlite(location.file), None, None, location.id.hex)
                else:
                    raise NotFound.of("tenant.elsewhere", tenant=location.slug)
                self._tenants[location.id] = store
            self._tenants.move_to_end(location.id)
            if store.dialect == "sqlite" and len(self._tenants) > self.settings.limits.open_stores:
                # A store that is still held by somebody opens again when it is used.
                self._tenants.popitem(last=False)[1].trim()
        return store

    def make_control(self) -> None:
        """Make the control file or schema if it is not there."""
        if self._postgres:
            self._administer(f'CREATE SCHEMA IF NOT EXISTS "{self.control_schema}"')
        else:
            _touch(self.settings.home / "control.db")

    def make(self, location: TenantLocation) -> None:
        """Make a tenant's file, or its schema and the role that owns it; does nothing to one that
        is there.
        """
        if location.file:
            _touch(self.settings.home / location.file)
            return
        name = location.schema
        self._administer(
            f"DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{name}') THEN "
            f'CREATE ROLE "{name}" NOLOGIN; END IF; END $$',
            f'GRANT "{name}" TO CURRENT_USER',
            f'CREATE SCHEMA IF NOT EXISTS "{name}" AUTHORIZATION "{name}"',
        )

    def drop(self, location: TenantLocation) -> None:
        """Remove a tenant's file, or its schema and role, with everything in it. For good."""
        with self._lock:
            store = self._tenants.pop(location.id, None)
        if location.file:
            if store:
                store.trim()
            for suffix in ("", "-wal", "-shm"):
                Path(f"{self.settings.home / location.file}{suffix}").unlink(missing_ok=True)
            return
        self._administer(
            f'DROP SCHEMA IF EXISTS "{location.schema}" CASCADE', f'DROP ROLE IF EXISTS "{location.schema}"'
        )

    def _administer(self, *statements: str) -> None:
        # Names come from slugs, which tenants.check_slug has limited to letters, digits and "_".
        with self.control.write() as writer:
            writer.alone(f"places of {self.control_schema}")
            for statement in statements:
                writer.connection.exec_driver_sql(statement)

    def close(self) -> None:
        """Close every idle connection."""
        self.control.trim()
        for store in list(self._tenants.values()):
            store.trim()


def _touch(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)


def create_tables(store: Store, metadata: sa.MetaData) -> None:
    """Make the tables and indexes of a catalogue that are not there yet."""
    with store.write() as writer:
        writer.alone(f"tables of {store.schema}")
        metadata.create_all(writer.connection)
