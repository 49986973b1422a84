"""Doing a fit in a transaction: its steps, and its rows of ``physical``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tabwright.platform.database_errors import translate
from tabwright.platform.errors import LockTimeout, UniqueViolation
from tabwright.runtime.storage.changes import INDEX_ROWS, BuildIndex, Convert, FillKey, Step, apply_ddl
from tabwright.runtime.storage.data import Filling
from tabwright.runtime.storage.ddl import Ddl
from tabwright.runtime.storage.tables import Entry, physical

if TYPE_CHECKING:
    from tabwright.platform.database import Reader, Store, Writer


def row_counter(reader: Reader) -> Callable[[int], int]:
    """Counts the rows of ``o<n>``, deleted ones too, and stops above INDEX_ROWS."""

    def count(n: int) -> int:
        some: sa.Select[tuple[int]] = (
            sa.select(sa.literal_column("1"))
            .select_from(sa.table(f"o{n}", schema=reader.store.schema))
            .limit(INDEX_ROWS + 1)
        )
        return int(reader.execute(sa.select(sa.func.count()).select_from(some.subquery())).scalar_one())

    return count


@contextmanager
def told(store: Store, step: Step) -> Iterator[None]:
    """Errors of a step say what they are about: the object that is in use, the index that met a clash."""
    try:
        try:
            yield
        except store.errors as error:
            raise translate(error, 0) from error
    except LockTimeout as error:
        raise LockTimeout.of("storage.locked", object=step.object) from error
    except UniqueViolation as error:
        if isinstance(step, BuildIndex):
            raise UniqueViolation.on(f"i{step.entry.n}") from error
        raise


def take(writer: Writer, steps: Iterable[Step]) -> dict[str, int]:
    """Do steps in the transaction of ``writer``; the values that gave none, by field.

    Raises UniqueViolation where a unique index meets a clash, LockTimeout naming the object in use.
    """
    ddl = Ddl(writer)
    lost: dict[str, int] = {}
    for step in steps:
        with told(writer.store, step):
            if apply_ddl(ddl, step) or not isinstance(step, (Convert, FillKey)):
                continue
            if isinstance(step, Convert):
                # A save that has not committed yet is waited for; one that comes later sees that the
                # release has moved.
                ddl.keep_writers_out(step.n)
            count = Filling(step, writer.store.dialect).all(writer)
        if count:
            lost[f"{step.object}.{step.field}"] = count
    return lost


def save(writer: Writer, entries: Iterable[Entry]) -> None:
    """Write rows of ``physical``, new and changed."""
    rows = sorted(entries, key=lambda entry: entry.n)
    if not rows:
        return
    numbers = [entry.n for entry in rows]
    known = set(writer.execute(sa.select(physical.c.n).where(physical.c.n.in_(numbers))).scalars())
    for entry in rows:
        values = {
            "kind": entry.kind,
            "uid": entry.uid,
            "object_n": entry.object_n,
            "storage": dict(entry.storage),
            "state": entry.state,
            "dropped_at": entry.dropped_at,
        }
        if entry.n in known:
            writer.execute(sa.update(physical).where(physical.c.n == entry.n).values(values))
    fresh = [entry for entry in rows if entry.n not in known]
    if fresh:
        columns = ("n", "kind", "uid", "object_n", "storage", "state", "dropped_at")
        rows_ = [
            {name: getattr(entry, name) for name in columns} | {"storage": dict(entry.storage)}
            for entry in fresh
        ]
        writer.connection.execute(sa.insert(physical), rows_)
