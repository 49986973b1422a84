"""Attachments: files of a record as a whole. Who may read it reads them; who may edit it adds and removes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Writer, prepare
from tabwright.platform.errors import Conflict, Denied, Invalid, LimitReached, NotFound, Place
from tabwright.platform.tables import Uuid
from tabwright.runtime.access.asking import may
from tabwright.runtime.desk import Call
from tabwright.runtime.filing import rows, sweeping
from tabwright.runtime.filing.rows import ATTACHED, Stored
from tabwright.runtime.filing.tables import FILE
from tabwright.runtime.journal import sealer
from tabwright.runtime.journal import writing as journal
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.search import notes

MOST = 200  # of one record
ATTACH, DETACH = "attach", "detach"  # actions in the journal; the revision of the record stays


class Attachments:
    """The attachments of records, on behalf of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call

    def of(self, object: str, id: UUID) -> list[Stored]:
        """The attachments of a record, newest first. Raises NotFound."""
        found = self._call.gate.object(object)
        self._call.gate.require(found, "read")
        Reads(self._call).get(found.name, id, ("id",))
        with self._call.tenant.store.read() as reader:
            return rows.attached_to(reader, found.uid, id)

    def add(self, object: str, id: UUID, files: Sequence[UUID]) -> None:
        """Attach files that the caller uploaded and that are pending.

        Raises NotFound, Denied (right to edit the record), Invalid (``file.not_yours``), LimitReached.
        """
        wanted = list(dict.fromkeys(files))
        with self._call.tenant.store.write() as writer:
            found, revision = self._editable(writer, object, id)
            known = rows.find(writer, wanted)
            person = self._call.principal.user_id
            for each in wanted:
                stored = known.get(each)
                if stored is None or not stored.pending or stored.uploaded_by != person:
                    raise Invalid.of("file.not_yours", Place(object=found.name, field="files"), id=each.hex)
            if len(rows.attached_to(writer, found.uid, id)) + len(wanted) > MOST:
                raise LimitReached.at("file.too_many_attached", "attachments", MOST)
            values = {"object_uid": found.uid, "record_id": id, "field_uid": ATTACHED}
            notes.keep(writer, [_noted(found, id, known[each]) for each in wanted])
            for each in wanted:
                mine = sa.and_(FILE.c.id == each, rows.mine(person))
                if not writer.execute(sa.update(FILE).where(mine).values(**values)).rowcount:
                    raise Conflict.of("file.taken", name=known[each].name)
                self._note(writer, found, id, revision, ATTACH, known[each])

    def remove(self, object: str, id: UUID, file: UUID) -> None:
        """Take an attachment away; it can be brought back for ``removed_file_days``.

        Raises NotFound, Denied.
        """
        now = self._call.clock.now()
        with self._call.tenant.store.write() as writer:
            found, revision = self._editable(writer, object, id)
            stored = self._change(writer, found, id, file, FILE.c.removed_at.is_(None), removed_at=now)
            self._note(writer, found, id, revision, DETACH, stored)
            notes.forget(writer, (file,))
            kept = timedelta(days=self._call.tenant.limits.removed_file_days)
            sweeping.ask(self._call.tenant.jobs, writer, now + kept)

    def restore(self, object: str, id: UUID, file: UUID) -> None:
        """Bring a removed attachment back. Raises NotFound once its content is gone, Denied."""
        with self._call.tenant.store.write() as writer:
            found, revision = self._editable(writer, object, id)
            stored = self._change(writer, found, id, file, FILE.c.removed_at.is_not(None), removed_at=None)
            notes.keep(writer, [_noted(found, id, stored)])
            self._note(writer, found, id, revision, ATTACH, stored)

    def _change(
        self,
        writer: Writer,
        object: ObjectDef,
        id: UUID,
        file: UUID,
        state: sa.ColumnElement[bool],
        **values: object,
    ) -> Stored:
        stored = rows.find(writer, (file,)).get(file)
        which = sa.and_(
            FILE.c.id == file, rows.belonging(object.uid, id, ATTACHED), FILE.c.gone_at.is_(None), state
        )
        if stored is None or not writer.execute(sa.update(FILE).where(which).values(**values)).rowcount:
            raise NotFound.of("file.not_found", id=file.hex)
        return stored

    def _editable(self, writer: Writer, object: str, id: UUID) -> tuple[ObjectDef, int]:
        """The object and the record's revision; the record stays as it is until the transaction ends."""
        call = self._call
        found = call.gate.object(object)
        call.gate.require(found, "read")
        table = call.tables.of(found)

        def make() -> Prepared:
            columns = [table.column(name) for name in ("revision", "owner")]
            chosen = sa.select(*columns, table.deleted_at).select_from(table.joined)
            chosen = chosen.where(table.id == sa.bindparam("id", type_=Uuid()))
            return prepare(writer.store, chosen.with_for_update(of=table.main, key_share=True))

        statement = call.tenant.piece("attaching", found, table, make)
        row = writer.row(statement, {"id": id})
        owner = None if row is None else table.codec("owner").from_storage(row[1])
        record = {"id": id, "owner": owner}
        if row is None or row[2] is not None or not may(call, found, "read", record, writer):
            raise NotFound.of("record.not_found", Place(object=found.name, record=str(id)), object=found.name)
        call.gate.require(found, "edit")
        if not may(call, found, "edit", record, writer):
            raise Denied.of("record.denied", Place(object=found.name, record=str(id)), operation="update")
        return found, int(row[0])

    def _note(
        self, writer: Writer, object: ObjectDef, id: UUID, revision: int, action: str, stored: Stored
    ) -> None:
        """An entry in the record's history."""
        call = self._call
        about = {"file": stored.id.hex, "name": stored.name}
        operation = journal.record_event(call, writer, call.cause, about)
        number = call.tables.of(object).number
        journal.add_changes(writer, operation, number, [(id, revision, action, b"[]")])
        writer.after_commit(lambda: sealer.ask(call.tenant, call.clock))


def _noted(object: ObjectDef, record: UUID, file: Stored) -> notes.Noted:
    return notes.Noted(file.id, "file", object.uid, record, file.name)
