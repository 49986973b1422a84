"""Files in the write path: ids that were sent become values, and pending files come to belong to records.

A person may put into a field what he uploaded himself and is still pending, and what already belongs to that
field of that record: what stands there now, and what stood there before, so that an undo brings it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef
from tabwright.platform.errors import Conflict
from tabwright.runtime.filing import kinds, rows, sweeping
from tabwright.runtime.filing.names import size_text
from tabwright.runtime.filing.refs import FileRef, Named, refs_in, text_of
from tabwright.runtime.filing.rows import Stored
from tabwright.runtime.filing.service import FILE_TYPES, MEGABYTE, taken_by
from tabwright.runtime.filing.tables import FILE
from tabwright.runtime.records.batch import Batch, Row, Work


def _fields(batch: Batch) -> list[FieldDef]:
    return [field for field in batch.object.stored_fields if field.type in FILE_TYPES]


# ---- what was sent -----------------------------------------------------------------------------------


def look_up(batch: Batch, work: Work) -> None:
    """The files that were sent for fields become their values, with a fault for each that may not be."""
    fields = _fields(batch)
    if not fields:
        return
    sent = [
        (row, field, row.sent[field.name])
        for row in batch.rows
        for field in fields
        if isinstance(row.sent.get(field.name), Named)
    ]
    known = rows.find(work.writer, {id for _, _, ids in sent for id in ids})
    for row, field, ids in sent:
        before = row.old[field.name] if row.old is not None else None
        standing = {each.id for each in refs_in(before)}
        refs = [
            found.ref
            for id in ids
            if (found := _taken(row, field, id, known, work)) is not None
            and (id in standing or _fits(row, field, found, work))
        ]
        value = text_of(refs) if len(refs) == len(ids) else before
        row.sent[field.name] = value
        if row.new is not None:
            row.new[field.name] = value


def _taken(row: Row, field: FieldDef, id: UUID, known: Mapping[UUID, Stored], work: Work) -> Stored | None:
    found = known.get(id)
    if found is not None:
        here = found.record_id == row.id and found.field_uid == field.uid
        own = found.uploaded_by == work.principal.user_id and work.principal.kind == "user"
        if here or (found.pending and own):
            return found
    if not row.has_fault_at(field.name):
        row.refuse("file.not_yours", field.name, field=field.name, id=id.hex)
    return None


def _fits(row: Row, field: FieldDef, found: Stored, work: Work) -> bool:
    """Whether the field takes a file that is new in it."""
    if not found.pending:  # it stood here before, when the field said something else
        return True
    if not kinds.takes(field, found.name, found.media, found.kind):
        row.refuse("file.not_taken", field.name, name=found.name, takes=taken_by(field, work.language))
    elif field.type == "image" and not found.pictured:
        row.refuse("file.no_picture", field.name, name=found.name)
    elif field.max_size is not None and found.size > field.max_size * MEGABYTE:
        row.refuse("file.too_large", field.name, name=found.name, limit=size_text(field.max_size * MEGABYTE))
    return not row.has_fault_at(field.name)


# ---- what was written --------------------------------------------------------------------------------


def claim(batch: Batch, work: Work) -> None:
    """Files that written rows name belong to them from now on; those of purged records go with them."""
    fields = _fields(batch)
    for row in batch.rows:
        if not row.changes or row.id is None:
            continue
        if row.action in ("create", "update") and row.new is not None:
            for field in fields:
                if row.action == "create" or field.name in row.changed:
                    before = refs_in(row.old[field.name]) if row.old is not None else ()
                    _claim(batch, work, row.id, field, before, refs_in(row.new[field.name]))
    purged = [row.id for row in batch.rows if row.changes and row.action == "purge" and row.id is not None]
    for start in range(0, len(purged), 500):
        _forget(batch, work, purged[start : start + 500])


def _claim(
    batch: Batch, work: Work, record: UUID, field: FieldDef, before: Iterable[FileRef], now: Iterable[FileRef]
) -> None:
    standing = {each.id for each in before}
    for each in now:
        if each.id in standing:
            continue
        here = rows.belonging(batch.object.uid, record, field.uid)
        free = sa.or_(here, rows.mine(work.principal.user_id))
        values = {"object_uid": batch.object.uid, "record_id": record, "field_uid": field.uid}
        taken = sa.update(FILE).where(FILE.c.id == each.id, FILE.c.gone_at.is_(None), free).values(**values)
        if not work.writer.execute(taken).rowcount:  # another save, or another row of this one, was first
            raise Conflict.of("file.taken", name=each.name)


def _forget(batch: Batch, work: Work, purged: list[UUID]) -> None:
    which = sa.and_(FILE.c.record_id.in_(purged), FILE.c.object_uid == batch.object.uid)
    gone = sa.update(FILE).where(which, FILE.c.gone_at.is_(None)).values(gone_at=work.now)
    if work.writer.execute(gone).rowcount:
        sweeping.ask(work.call.tenant.jobs, work.writer, work.now)
