"""Adding to the journal, in the transaction of the change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
import sqlalchemy as sa

from tabwright.metadata.store import release_table
from tabwright.platform.database import Prepared, Store, Writer, prepare
from tabwright.platform.tables import json_text
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.journal.tables import changes, operations

if TYPE_CHECKING:
    from tabwright.runtime.desk import Call

_encode = msgspec.json.Encoder().encode


def value_digest(record: UUID, revision: int, action: str, old: bytes) -> bytes:
    """SHA-256 of a change's canonical content; what the chain covers, so that values can be erased by law."""
    return sha256(b"%b%d %b %b" % (record.bytes, revision, action.encode(), old)).digest()


def old_json(pairs: Sequence[tuple[int | str, Any]]) -> bytes:
    """The canonical JSON of old values: ``[[field n or system name, journal form], ...]``."""
    return _encode(pairs)


@lru_cache(maxsize=256)
def _statements(store: Store) -> tuple[Prepared, Prepared]:
    in_force = sa.select(sa.func.max(release_table.c.number)).scalar_subquery()
    added = sa.insert(operations).values(_binds(operations, OPERATION_COLUMNS)).returning(in_force)
    return (
        prepare(store, added),
        prepare(store, sa.insert(changes).values(_binds(changes, CHANGE_COLUMNS))),
    )


OPERATION_COLUMNS = (
    "id", "at", "principal_kind", "principal_id", "cause", "cause_ref", "release", "request_id",
)  # fmt: skip
CHANGE_COLUMNS = ("operation_id", "object_n", "record_id", "revision", "action", "old", "value_digest")


def _binds(table: sa.Table, names: Sequence[str]) -> dict[str, sa.BindParameter[Any]]:
    return {name: sa.bindparam(name, type_=table.c[name].type) for name in names}


def add_operation(
    writer: Writer,
    id: UUID,
    at: datetime,
    principal: Principal,
    cause: str,
    release: int,
    request_id: str | None,
    reference: Any = None,
) -> int | None:
    """One row for an operation; gives the number of the release that is in force as it is written.

    ``reference`` is JSON: the parent operation, the import, the rule.
    """
    [(in_force,)] = writer.rows(
        _statements(writer.store)[0],
        {
            "id": id,
            "at": at,
            "principal_kind": principal.kind,
            "principal_id": None if principal.kind == "system" else principal.user_id,
            "cause": cause,
            "cause_ref": None if reference is None else json_text(reference),
            "release": release,
            "request_id": request_id,
        },
    )
    return None if in_force is None else int(in_force)


def record_event(
    call: Call, writer: Writer, cause: str, reference: Any = None, id: UUID | None = None
) -> UUID:
    """An entry of another kind: a sign-in, an export, a view, a publish. Gives the operation's id, ``id``
    where what it tells of bears it already.
    """
    id = id or call.ids.new()
    add_operation(
        writer, id, call.clock.now(), call.principal, cause, call.model.release, call.request_id, reference
    )
    return id


def add_changes(
    writer: Writer,
    operation: UUID,
    object_n: int,
    made: Iterable[tuple[UUID, int, str, bytes | None]],
) -> None:
    """One row per record changed: (record, its new revision, action, JSON of its old values)."""
    statement = _statements(writer.store)[1]
    sqlite = writer.store.dialect == "sqlite"
    key: Any = operation.bytes if sqlite else operation

    def rows() -> Iterator[tuple[Any, ...]]:
        for record, revision, action, old in made:
            digest = value_digest(record, revision, action, old or b"")
            text = old.decode() if old is not None else None
            yield key, object_n, record.bytes if sqlite else record, revision, action, text, digest

    writer.insert_many(statement, statement.ordered(rows(), CHANGE_COLUMNS))
