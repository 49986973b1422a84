"""What a store holds, as one number a table: equal snapshots mean that nothing was written."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from tabwright.platform.database import Store

# Indexes of SQLite that cannot be read as tables; the tables that they are kept in can.
_UNREADABLE = ("search_entry_text", "search_note_text")

Snapshot = dict[str, tuple[int, int]]  # table -> how many rows, sum of their digests


def snapshot(store: Store, without: Collection[str] = ()) -> Snapshot:
    """Every table of a store, the order of rows left aside."""
    return {
        table: (len(rows), sum(_digest(row) for row in rows) % (1 << 128))
        for table, rows in tables(store, without)
    }


def files(home: Path) -> Snapshot:
    """The same of the files that a folder holds; databases are looked into instead."""
    kept = [each for each in home.rglob("*") if each.is_file() and not _is_database(each)]
    return {str(each.relative_to(home)): (each.stat().st_size, 0) for each in kept}


def tables(store: Store, without: Collection[str] = ()) -> Iterator[tuple[str, list[Any]]]:
    """Every table with all of its rows."""
    with store.read() as reader:
        names = sa.inspect(reader.connection).get_table_names(schema=store.schema)
        for name in sorted(names):
            if name not in without and name not in _UNREADABLE:
                place = f'"{store.schema}"."{name}"' if store.schema else f'"{name}"'
                yield name, list(reader.connection.exec_driver_sql(f"SELECT * FROM {place}").all())


def changed(before: Snapshot, after: Snapshot) -> list[str]:
    """The tables that differ."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def _digest(row: Any) -> int:
    plain = [bytes(each) if isinstance(each, memoryview) else each for each in row]
    return int.from_bytes(hashlib.blake2b(repr(plain).encode(), digest_size=12).digest())


def _is_database(path: Path) -> bool:
    return path.suffix in (".db", ".sqlite", ".sqlite3") or path.name.endswith(("-wal", "-shm", "-journal"))
