"""Files on behalf of one call: taken in, given out. Whoever may read a record's field may read its files."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import (
    Denied,
    Invalid,
    LimitReached,
    NotFound,
    Place,
    TabwrightError,
    TooLarge,
)
from tabwright.platform.files import PIECE
from tabwright.platform.language import register_messages
from tabwright.runtime.desk import Call
from tabwright.runtime.filing import kinds, pictures, rows, sweeping
from tabwright.runtime.filing.names import plain_name, size_text
from tabwright.runtime.filing.rows import ATTACHED, Stored
from tabwright.runtime.filing.tables import FILE
from tabwright.runtime.query.reads import Reads

register_messages(Path(__file__).with_name("messages.json"))

MEGABYTE = 1_000_000
FILE_TYPES = ("file", "image")


class Files:
    """The files that this caller may bring and read."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._tenant = call.tenant

    # ---- in ----------------------------------------------------------------------------------------

    def upload(self, filename: str, content: BinaryIO, field: FieldDef | None = None) -> Stored:
        """Keep a file until a record's write names it. ``field``: refuse now what that field would refuse.

        ``content`` can be read from anywhere. Raises Denied (who may write no record needs no file),
        TooLarge, Invalid (``file.*``), LimitReached, StorageFull.
        """
        call, gate = self._call, self._call.gate
        writes = any(
            gate.may(each, "create") or gate.may(each, "edit") for each in gate.model.objects.values()
        )
        if call.principal.kind != "user" or not writes:
            raise Denied.of("file.may_not_upload")
        name = plain_name(filename)
        size = content.seek(0, io.SEEK_END)
        self._check_size(name, size, field)
        content.seek(0)
        media, kind = kinds.judge(name, content.read(kinds.HEAD))
        if field is not None and not kinds.takes(field, name, media, kind):
            takes = taken_by(field, call.language)
            raise Invalid.of("file.not_taken", Place(field="file"), name=name, takes=takes)
        shown = pictures.make(content, media)
        if field is not None and field.type == "image" and shown.made is None:
            raise Invalid.of("file.no_picture", Place(field="file"), name=name)
        stored = Stored(
            call.ids.new(), name, media, size, _digest(content), kind, shown.width, shown.height,
            shown.made is not None, call.principal.user_id, call.clock.now(),
        )  # fmt: skip
        self._add(stored)  # first: whatever happens after this, the sweep knows of the content
        content.seek(0)
        place = self._tenant.location.id
        for part, picture in (shown.made or {}).items():
            self._tenant.files.put(place, stored.id, io.BytesIO(picture), part)
        self._tenant.files.put(place, stored.id, content)
        return stored

    def _check_size(self, name: str, size: int, field: FieldDef | None) -> None:
        if size == 0:
            raise Invalid.of("file.empty", Place(field="file"), name=name)
        most = self._tenant.limits.file_bytes
        if field is not None and field.max_size is not None:
            most = min(most, field.max_size * MEGABYTE)
        if size > most:
            raise TooLarge.of("file.too_large", Place(field="file"), name=name, limit=size_text(most))

    def _add(self, stored: Stored) -> None:
        limits = self._tenant.limits
        with self._tenant.store.write() as writer:
            own = rows.mine(stored.uploaded_by)
            waiting = writer.execute(sa.select(sa.func.count()).select_from(FILE).where(own)).scalar_one()
            if waiting >= limits.pending_files:
                raise LimitReached.at("file.too_many_pending", "pending_files", limits.pending_files)
            values = {each: getattr(stored, each) for each in Stored.__slots__}
            writer.execute(sa.insert(FILE), {**values, "gone_at": None})
            due = stored.uploaded_at + timedelta(hours=limits.pending_file_hours)
            sweeping.ask(self._tenant.jobs, writer, due)

    def discard(self, id: UUID) -> None:
        """Give up a pending file. Raises NotFound for what is not the caller's or stands in a record."""
        with self._tenant.store.write() as writer:
            own = sa.and_(FILE.c.id == id, rows.mine(self._call.principal.user_id))
            now = self._call.clock.now()
            if not writer.execute(sa.update(FILE).where(own).values(gone_at=now)).rowcount:
                raise _not_found(id)
            sweeping.ask(self._tenant.jobs, writer, now)

    # ---- out ---------------------------------------------------------------------------------------

    def get(self, id: UUID) -> Stored:
        """A file that the caller may read: an own pending one, or one of a record and field that may be read.

        Raises NotFound for every other, as for one that does not exist.
        """
        with self._tenant.store.read() as reader:
            found = rows.find(reader, (id,)).get(id)
        if found is None or found.removed_at is not None or not self._readable(found):
            raise _not_found(id)
        return found

    def _readable(self, stored: Stored) -> bool:
        call = self._call
        if stored.record_id is None:
            return stored.uploaded_by == call.principal.user_id
        object = self._object(stored.object_uid)
        if object is None or not call.gate.may(object, "read"):
            return False
        if stored.field_uid != ATTACHED:
            field = next((each for each in object.own_fields if each.uid == stored.field_uid), None)
            if field is None or field.type not in FILE_TYPES or not call.gate.can_read(field):
                return False
        try:
            Reads(call).get(object.name, stored.record_id, ("id",))
        except TabwrightError:
            return False
        return True

    def _object(self, uid: str | None) -> ObjectDef | None:
        return next((each for each in self._call.model.objects.values() if each.uid == uid), None)

    def content(self, stored: Stored) -> Iterator[bytes]:
        """The file itself, piece by piece. Raises NotFound where the store has lost it, Unavailable."""
        return self._tenant.files.pieces(self._tenant.location.id, stored.id)

    def picture(self, stored: Stored, size: str) -> Iterator[bytes]:
        """A picture of it, of ``pictures.MEDIA``. Raises NotFound where there is none."""
        if not stored.pictured or size not in pictures.SIZES:
            raise _not_found(stored.id)
        return self._tenant.files.pieces(self._tenant.location.id, stored.id, size)


def _not_found(id: UUID) -> NotFound:
    return NotFound.of("file.not_found", id=id.hex)


def _digest(content: BinaryIO) -> str:
    made = hashlib.sha256()
    content.seek(0)
    while piece := content.read(PIECE):
        made.update(piece)
    return made.hexdigest()


def taken_by(field: FieldDef, language: str) -> str:
    """What a field takes, in words."""
    return kinds.said(field, language, "、" if language == "zh" else ", ")
