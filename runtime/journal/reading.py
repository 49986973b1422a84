"""Readings of the journal: the changes of an operation and of what followed from it, and a record's
history.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, Store, prepare
from tabwright.platform.errors import NotFound, Place
from tabwright.platform.tables import Instant, Uuid, ids_value, in_ids, instant_of, json_of, uuid_of
from tabwright.runtime.access.asking import may
from tabwright.runtime.access.share_rows import ACTION, Changed, changed_in
from tabwright.runtime.journal.tables import changes, first_id, operations
from tabwright.runtime.query import cursors

if TYPE_CHECKING:
    from tabwright.runtime.desk import Call
    from tabwright.runtime.storage.tables import RecordTable

_LONGEST_OPERATION = timedelta(hours=1)
_ALL = 2**62


@dataclass(frozen=True, slots=True)
class Change:
    """One row of the journal, as it stands there. ``old`` is JSON text."""

    operation_id: UUID
    object_n: int
    record_id: UUID
    revision: int
    action: str
    old: str | None


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field before and after, typed."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One change of one record: what, when, by whom, why; only fields that the asker may read. ``shares``:
    with whom it was shared or no longer.
    """

    operation_id: UUID
    at: datetime
    principal_kind: str
    principal_id: UUID | None
    cause: str
    reference: Any
    release: int
    revision: int
    action: str
    fields: tuple[FieldChange, ...]
    shares: tuple[Changed, ...] = ()


_change_columns = (
    changes.c.operation_id, changes.c.object_n, changes.c.record_id, changes.c.revision, changes.c.action,
    changes.c.old,
)  # fmt: skip


def _change(row: Sequence[Any]) -> Change:
    return Change(uuid_of(row[0]), row[1], uuid_of(row[2]), row[3], row[4], row[5])


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    return _Statements(store)


class _Statements:
    def __init__(self, store: Store) -> None:
        operation = sa.bindparam("operation", type_=Uuid())
        chosen = sa.select(*_change_columns)
        newest_first = (changes.c.revision.desc(), changes.c.record_id)
        self.of_operation: Prepared = prepare(
            store, chosen.where(changes.c.operation_id == operation).order_by(*newest_first)
        )
        self.after: Prepared = prepare(
            store,
            sa.select(operations.c.id, operations.c.cause_ref)
            .where(
                operations.c.id > operation,
                operations.c.id < sa.bindparam("until", type_=Uuid()),
                operations.c.at == sa.bindparam("at", type_=Instant()),
            )
            .order_by(operations.c.id),
        )
        self.operation: Prepared = prepare(
            store,
            sa.select(operations.c.at, operations.c.principal_id, operations.c.cause).where(
                operations.c.id == operation
            ),
        )
        revision = sa.bindparam("revision", type_=sa.BigInteger)
        earlier = sa.and_(
            changes.c.revision <= revision,
            sa.or_(changes.c.revision < revision, changes.c.operation_id < operation),
        )
        self.history: Prepared = prepare(
            store,
            sa.select(
                operations.c.id, operations.c.at, operations.c.principal_kind, operations.c.principal_id,
                operations.c.cause, operations.c.cause_ref, operations.c.release, changes.c.revision,
                changes.c.action, changes.c.old,
            )
            .select_from(changes.join(operations, operations.c.id == changes.c.operation_id))
            .where(changes.c.record_id == sa.bindparam("record", type_=Uuid()), earlier)
            .order_by(changes.c.revision.desc(), changes.c.operation_id.desc())
            .limit(sa.bindparam("most", type_=sa.BigInteger)),
        )  # fmt: skip
        self.since: Prepared = prepare(
            store,
            sa.select(changes.c.old)
            .where(changes.c.record_id == sa.bindparam("record", type_=Uuid()), sa.not_(earlier))
            .order_by(changes.c.revision.desc(), changes.c.operation_id.desc()),
        )


def changes_of(reader: Reader, operation: UUID) -> list[Change]:
    """The changes of one operation, later revisions first."""
    return [
        _change(row) for row in reader.rows(_statements(reader.store).of_operation, {"operation": operation})
    ]


def later_changes(reader: Reader, object_n: int, since: Mapping[UUID, int]) -> list[tuple[UUID, Change]]:
    """The changes of some records of an object after the revision that is given for each."""
    chosen = sa.select(
        changes.c.operation_id, changes.c.object_n, changes.c.record_id, changes.c.revision, changes.c.action,
        changes.c.old,
    )  # fmt: skip
    dialect = reader.store.dialect
    chosen = chosen.where(in_ids(dialect, changes.c.record_id), changes.c.object_n == object_n)
    rows = reader.rows(prepare(reader.store, chosen), {"ids": ids_value(dialect, sorted(since))})
    found = [_change(row) for row in rows]
    return [(each.record_id, each) for each in found if each.revision > since[each.record_id]]


def operation_facts(reader: Reader, operation: UUID) -> tuple[datetime, UUID | None, str] | None:
    """When, who, and cause of an operation, or None."""
    row = reader.row(_statements(reader.store).operation, {"operation": operation})
    return None if row is None else (instant_of(row[0]), None if row[1] is None else uuid_of(row[1]), row[2])


def nested_operations(reader: Reader, operation: UUID, at: datetime) -> list[UUID]:
    """The operations that followed from one in its transaction, and from those, in order. They share its
    time.
    """
    given = {"operation": operation, "until": first_id(at + _LONGEST_OPERATION), "at": at}
    family = {operation}
    for id, reference in reader.rows(_statements(reader.store).after, given):
        parent = (json_of(reference) or {}).get("operation") if reference is not None else None
        if parent is not None and UUID(parent) in family:
            family.add(uuid_of(id))
    family.discard(operation)
    return sorted(family)


def followed_by(reader: Reader, operation: UUID, at: datetime) -> list[Change]:
    """The changes of the operations that followed directly from one: what its delete rules did."""
    given = {"operation": operation, "until": first_id(at + _LONGEST_OPERATION), "at": at}
    found: list[Change] = []
    for id, reference in reader.rows(_statements(reader.store).after, given):
        if reference is not None and (json_of(reference) or {}).get("operation") == operation.hex:
            found.extend(changes_of(reader, uuid_of(id)))
    return found


def history(
    call: Call,
    object: str,
    id: UUID,
    reader: Reader | None = None,
    *,
    most: int = _ALL,
    before: tuple[int, UUID] | None = None,
) -> list[HistoryEntry]:
    """The changes of a record, newest first, with the fields that the caller may read.

    ``most`` and ``before`` (revision and operation of an entry) ask for a piece of it. Raises NotFound where
    the record is none, or none that may be read; deleted ones have a history too.
    """
    if reader is None:
        with call.tenant.store.read() as own:
            return history(call, object, id, own, most=most, before=before)
    found = call.gate.object(object)
    call.gate.require(found, "read")
    present = present_values(call, reader, found, id)
    table = call.tables.of(found)
    shown = {field.name for field in call.gate.readable(found)}
    keys = journal_names(table, found)
    entries = []
    values = dict(present)
    statements = _statements(reader.store)
    revision, operation = before or (_ALL, id)
    given = {"record": id, "revision": revision, "operation": operation, "most": most}
    if before is not None:  # what later changes found is what the earlier ones left
        for (old,) in reader.rows(statements.since, given):
            for key, stored in json_of(old) or ():
                if (name := keys.get(key)) is not None:
                    values[name] = table.codec(name).from_journal(stored)
    for row in reader.rows(statements.history, given):
        pairs, told = [], json_of(row[9]) or ()
        for key, stored in told:
            name = keys.get(key)
            if name is None:
                continue  # of a field that is no more, or of another shape
            old = table.codec(name).from_journal(stored)
            if name in shown:
                pairs.append(FieldChange(name, old, values.get(name)))
            values[name] = old
        entries.append(
            HistoryEntry(
                uuid_of(row[0]),
                instant_of(row[1]),
                row[2],
                None if row[3] is None else uuid_of(row[3]),
                row[4],
                json_of(row[5]),
                row[6],
                row[7],
                row[8],
                tuple(pairs),
                changed_in(id, told) if row[8] == ACTION else (),
            )  # fmt: skip
        )
    return entries


def history_page(
    call: Call, object: str, id: UUID, most: int, cursor: str | None = None
) -> tuple[list[HistoryEntry], str | None]:
    """The next ``most`` entries of a record's history and the cursor of those after them, None at its end.

    Raises NotFound as ``history`` does, Malformed for a cursor of another record or none of ours.
    """
    tenant, about = call.tenant.location.id, f"history {id.hex}"
    before = None
    if cursor is not None:
        revision, operation = cursors.unseal(tenant, about, cursor)
        before = int(revision), UUID(operation)
    entries = history(call, object, id, most=most + 1, before=before)
    if len(entries) <= most:
        return entries, None
    last = entries[most - 1]
    return entries[:most], cursors.seal(tenant, about, [last.revision, last.operation_id.hex])


def journal_names(table: RecordTable, object: ObjectDef) -> dict[Any, str]:
    """What old values stand under in the journal -> the name of the field."""
    names: dict[Any, str] = {table.field_number(field.name): field.name for field in object.stored_fields}
    return names | {"owner": "owner", "record_type": "record_type"}


def present_values(call: Call, reader: Reader, object: ObjectDef, id: UUID) -> dict[str, Any]:
    """A record's typed values by name of every field, deleted or not. Raises NotFound where the caller may
    not read it.
    """
    table = call.tables.of(object)
    names = [field.name for field in object.fields.values() if field.is_stored]

    def make() -> Prepared:
        chosen = sa.select(*(table.column(name) for name in names)).select_from(table.joined)
        return prepare(reader.store, chosen.where(table.id == sa.bindparam("id", type_=Uuid())))

    row = reader.row(call.tenant.piece("present", object, table, make), {"id": id})
    if row is not None:
        values = {
            name: table.codec(name).from_storage(stored) for name, stored in zip(names, row, strict=True)
        }
        if may(call, object, "read", values, reader):
            return values
    raise NotFound.of("record.not_found", Place(object=object.name, record=str(id)), object=object.name)
