"""The late stages: rows go to the store, with their revision, their journal rows and their search rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef
from tabwright.platform.database import prepare
from tabwright.platform.errors import Conflict, UniqueViolation
from tabwright.platform.tables import ids_value, in_ids
from tabwright.runtime.journal import writing as journal
from tabwright.runtime.numbering import Counter, take_numbers
from tabwright.runtime.records.batch import Batch, Row, Work
from tabwright.runtime.records.checks import uniqueness
from tabwright.runtime.records.plan import SYSTEM
from tabwright.runtime.search import keeping, notes


def write(batch: Batch, work: Work) -> None:
    """Rows without faults are written with the next revision; rows that change nothing are not."""
    if batch.stopped:
        return
    _mark(batch, work)
    if not any(row.changes for row in batch.rows):
        return
    _take_numbers(batch, work)
    # SQLite has one writer: nobody can come between the check and the write. Nor does it matter without keys.
    if work.writer.store.dialect == "sqlite" or not _has_keys(batch):
        _write_rows(batch, work)
        return
    try:
        with work.writer.savepoint():
            _write_rows(batch, work)
    except UniqueViolation as clash:
        # Somebody committed the same key since we looked: look again, and write what is left.
        before = sum(1 for row in batch.rows if row.faults)
        for key in [key for key in batch.keys_seen if key[0] == "unique"]:
            del batch.keys_seen[key]
        uniqueness(batch, work)
        if sum(1 for row in batch.rows if row.faults) == before:
            raise Conflict(clash.faults) from clash
        for row in batch.rows:
            row.changes = row.changes and not row.faults
        if not batch.stopped:
            _write_rows(batch, work)


def _has_keys(batch: Batch) -> bool:
    return any(seen for key, seen in batch.keys_seen.items() if key[0] == "unique")


def _mark(batch: Batch, work: Work) -> None:
    person = None if work.principal.kind == "system" else work.principal.user_id
    for row in batch.rows:
        if row.faults or row.new is None:
            continue
        if row.action == "create":
            row.revision = 1
            row.changes = True
            continue
        assert row.old is not None
        if row.action == "update" and not row.changed:
            continue
        row.changes = True
        row.revision = row.old["revision"] + 1
        new = row.new
        new["revision"] = row.revision
        new["updated_at"] = work.now
        new["updated_by"] = person
        if row.action == "delete":
            new["deleted_at"] = work.now
        elif row.action == "restore":
            new["deleted_at"] = None


def _take_numbers(batch: Batch, work: Work) -> None:
    for field in batch.plan.auto_numbers:
        rows = [row for row in batch.rows if row.changes and row.action == "create" and row.new is not None]
        rows = [row for row in rows if row.new is not None and row.new[field.name] is None]
        if not rows:
            continue
        day = work.now.astimezone(ZoneInfo(work.call.zone) if work.call.zone != "UTC" else UTC).date()
        by_parent: dict[str | None, list[Row]] = {}
        for row in rows:
            assert row.new is not None
            parent = row.new[field.number_per] if field.number_per is not None else None
            key = None if field.number_per is None else parent.hex if parent is not None else ""
            by_parent.setdefault(key, []).append(row)
        for key, some in sorted(by_parent.items(), key=lambda pair: pair[0] or ""):
            _number(batch, work, field, day, key, some)


def _number(
    batch: Batch, work: Work, field: FieldDef, day: date, parent: str | None, rows: list[Row]
) -> None:
    pattern = field.number_pattern or "{0}"
    counter = Counter(field.uid, pattern, field.number_start, day, field.number_restart, parent)
    column = batch.plan.column(field.name)

    def highest(before: str, after: str) -> list[str]:
        pattern = f"{_escaped(before)}%{_escaped(after)}"
        chosen = sa.select(column).where(column.like(pattern, escape="!"))
        chosen = chosen.order_by(sa.func.length(column).desc(), column.desc()).limit(1)
        if field.number_per is not None:
            shared = batch.plan.column(field.number_per)
            given = rows[0].new[field.number_per] if rows[0].new is not None else None
            stored = batch.plan.table.codec(field.number_per).to_storage(given)
            chosen = chosen.where(shared.is_(None) if given is None else shared == stored)
        return [str(value) for (value,) in work.writer.execute(chosen.select_from(batch.plan.table.joined))]

    for row, number in zip(rows, take_numbers(work.writer, counter, len(rows), highest), strict=True):
        assert row.new is not None
        row.new[field.name] = number


def _escaped(text: str) -> str:
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def _write_rows(batch: Batch, work: Work) -> None:
    writing = [row for row in batch.rows if row.changes]
    _insert(batch, work, [row for row in writing if row.action == "create"])
    _update(batch, work, [row for row in writing if row.action in ("update", "delete", "restore")])
    _purge(batch, work, [row for row in writing if row.action == "purge"])
    _journal(batch, work, writing)


def _insert(batch: Batch, work: Work, rows: list[Row]) -> None:
    if not rows:
        return
    main, pack, side, pack_side = batch.plan.inserts
    work.writer.insert_many(main, (pack(row.new) for row in rows))  # type: ignore[arg-type]
    if side is not None and pack_side is not None:
        filled = (row for row in rows if _has_side(batch, row.new))
        work.writer.insert_many(side, (pack_side(row.new) for row in filled))  # type: ignore[arg-type]


def _has_side(batch: Batch, values: dict[str, Any] | None) -> bool:
    return values is not None and any(values[name] is not None for name in batch.plan.side_fields)


def _update(batch: Batch, work: Work, rows: list[Row]) -> None:
    if not rows:
        return
    plan = batch.plan
    touched: set[str] = set()
    for row in rows:
        touched.update(row.changed)
        if row.action != "update":
            touched.add("deleted_at")
    if "owner" in touched:
        touched.add("owner_kind")
    side = set(plan.side_fields)
    # Rows are locked and their new values are whole, so one statement sets the union of what they change.
    names = (
        *(name for name in (*SYSTEM, *plan.own) if name in touched and name not in side),
        "updated_at",
        "updated_by",
    )
    done = plan.update(names).run(work.writer, rows)
    for row in rows:
        if row.id not in done:
            raise Conflict.of("record.changed_meanwhile", row.place, id=str(row.id))
    if side & touched:
        moved = [row for row in rows if side.intersection(row.changed)]
        filled = [row for row in moved if _has_side(batch, row.new)]
        if filled:
            work.writer.run(plan.side_write.statement, plan.side_write.parameters(filled))
        emptied = [row.id for row in moved if row.id is not None and not _has_side(batch, row.new)]
        if emptied:
            work.writer.run(plan.side_write.delete, {"ids": ids_value(plan.store.dialect, emptied)})


def _purge(batch: Batch, work: Work, rows: list[Row]) -> None:
    if not rows:
        return
    plan = batch.plan
    given = {"ids": ids_value(plan.store.dialect, [row.id for row in rows if row.id is not None])}
    if plan.table.side is not None:
        work.writer.run(plan.side_write.delete, given)
    gone = sa.delete(plan.table.main).where(in_ids(plan.store.dialect, plan.table.id))
    work.writer.run(prepare(plan.store, gone), given)


# ---- journal -------------------------------------------------------------------------------------


def _journal(batch: Batch, work: Work, rows: list[Row]) -> None:
    operation = work.operation
    operation.written = True  # its own row comes last: ``moving.close``
    journal.add_changes(work.writer, operation.id, batch.plan.table.number, _changes(batch, rows))


def _changes(batch: Batch, rows: list[Row]) -> Iterator[tuple[UUID, int, str, bytes | None]]:
    """Of each row its record, its revision, what was done and its old values, as the journal takes them."""
    plan = batch.plan
    for row in rows:
        assert row.id is not None
        old: bytes | None = None
        if row.changed and row.action != "create":
            assert row.old is not None
            changed = [*row.changed, "owner_kind"] if "owner" in row.changed else row.changed
            values = row.old
            old = journal.old_json(
                [(plan.journal_key(name), plan.journal_form(name, values[name])) for name in changed]
            )
        elif row.action != "create":
            old = b"[]"
        yield row.id, row.revision, row.action, old


# ---- search --------------------------------------------------------------------------------------


def search(batch: Batch, work: Work) -> None:
    """Search rows follow: those of changed records are made again, those of deleted ones go; with purged ones
    go those of what stands beside them.
    """
    if batch.stopped:
        return
    purged = [row.id for row in batch.rows if row.changes and row.action == "purge" and row.id is not None]
    notes.forget_records(work.writer, purged)
    index = keeping.index_of(work.call, batch.object)
    if index is None:
        return
    gone: list[UUID] = []
    made: list[tuple[UUID, dict[str, Any]]] = []
    for row in batch.rows:
        if not row.changes or row.id is None or row.new is None:
            continue
        if row.action == "update" and not index.concerns(row.changed):
            continue
        if row.action in ("update", "delete", "purge"):
            gone.append(row.id)
        if row.action in ("create", "update", "restore"):
            made.append((row.id, row.new))
    index.remove(work.writer, gone)
    index.add(work.writer, made)
