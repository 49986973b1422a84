"""What the journal says of exports: an entry for each, the page that lists them, the alarm for many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Reader, Writer, prepare
from tabwright.platform.tables import uuid_of
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call
from tabwright.runtime.journal.tables import first_id, operations
from tabwright.runtime.journal.writing import record_event
from tabwright.runtime.personal.notices import notify

RIGHT: Final = "view_exports"
ALARM: Final = "export_alarm"
_DAY = timedelta(days=1)
_AT_ONCE = 500  # entries of one statement
MOST_LOOKED_AT = 20_000  # entries that one search goes through


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it was written: the operation that its watermark names, and what identifies its content."""

    operation: UUID
    fields: tuple[str, ...]
    unmasked: tuple[str, ...]  # of them, those with a mask that are whole
    rows: int
    size: int
    sha256: str
    watermark: bool


@dataclass(frozen=True, slots=True)
class Noted:
    """One export as the journal has it. ``object`` is the name it had then."""

    operation: UUID
    at: datetime
    person: UUID | None
    object: str
    object_uid: str | None
    where: str
    order: tuple[tuple[str, str], ...]
    fields: tuple[str, ...]
    ids: int
    format: str
    rows: int
    sha256: str


def note(call: Call, writer: Writer, object: ObjectDef, asked: Any, file: Written) -> None:
    """Put an export into the journal, in the transaction that gives the file out; who may see exports is told
    once a day of a person who took more rows than the limit.
    """
    said = {
        **asked, "object_uid": object.uid, "fields": list(file.fields), "rows": file.rows, "size": file.size,
        "sha256": file.sha256, "watermark": file.watermark, "unmasked": list(file.unmasked),
    }  # fmt: skip
    person, now, most = call.principal.user_id, call.clock.now(), call.tenant.limits.export_alarm_rows
    before = sum(each.rows for each in entries(writer, person=person, since=now - _DAY))
    record_event(call, writer, "export", said, id=file.operation)
    if before <= most < before + file.rows:
        params = {"by": person.hex, "rows": before + file.rows, "limit": most}
        notify(
            writer, _watchers(call, writer), ALARM, params, object.uid, None, now, group=file.operation.hex
        )


def _watchers(call: Call, writer: Writer) -> list[UUID]:
    """Everybody who may see exports."""
    user = call.tenant.tables(call.model).of(call.model.objects["user"])
    chosen = sa.select(user.id).where(user.deleted_at.is_(None))
    ids = [uuid_of(row[0]) for row in writer.rows(prepare(writer.store, chosen))]
    people = principals.load_many(call.tenant, writer, call.model, ids, call.clock.now())
    return [id for id, principal in people.items() if Gate(call.model, principal).has(RIGHT)]


def entries(
    reader: Reader, *, person: UUID | None = None, since: datetime | None = None, before: UUID | None = None
) -> Iterator[Noted]:
    """Exports, the newest first: one person's, those since a moment, those before an operation."""
    last = before
    while True:
        chosen = sa.select(
            operations.c.id, operations.c.at, operations.c.principal_id, operations.c.cause_ref
        ).where(operations.c.cause == "export")
        if person is not None:
            chosen = chosen.where(operations.c.principal_id == person)
        if since is not None:
            chosen = chosen.where(operations.c.id >= first_id(since))
        if last is not None:
            chosen = chosen.where(operations.c.id < last)
        rows = reader.execute(chosen.order_by(operations.c.id.desc()).limit(_AT_ONCE)).all()
        for row in rows:
            yield _noted(row.id, row.at, row.principal_id, row.cause_ref or {})
        if len(rows) < _AT_ONCE:
            return
        last = rows[-1].id


def found(
    reader: Reader, fits: Callable[[Noted], bool], most: int, before: UUID | None = None
) -> tuple[list[Noted], UUID | None]:
    """The newest exports that fit, and the operation before which the search may go on."""
    done: list[Noted] = []
    for number, each in enumerate(entries(reader, before=before), 1):
        if len(done) == most:
            return done, done[-1].operation
        if fits(each):
            done.append(each)
        if number == MOST_LOOKED_AT:
            return done, each.operation
    return done, None


def _noted(id: UUID, at: datetime, person: UUID | None, said: dict[str, Any]) -> Noted:
    ids = said.get("ids") or ()
    return Noted(
        id, at, person, str(said.get("object", "")), said.get("object_uid"), str(said.get("where") or ""),
        tuple((str(path), str(way)) for path, way in said.get("order") or ()),
        tuple(said.get("fields") or said.get("columns") or ()),
        ids if isinstance(ids, int) else len(ids),  # releases before this one noted how many
        str(said.get("format", "")), int(said.get("rows") or 0), str(said.get("sha256") or ""),
    )  # fmt: skip
