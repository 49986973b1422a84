"""Exports of one person: the records of a list as a file, at once or by a job; each is in the journal."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Reader
from tabwright.platform.errors import Fault, Invalid, LimitReached, NotFound, Place
from tabwright.platform.jobs import JobRun, Jobs
from tabwright.platform.language import Language, register_messages
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call, Tenancy
from tabwright.runtime.exchange.runs import fault_of
from tabwright.runtime.exchange.stamps import stamp
from tabwright.runtime.exporting.cells import Cell, Column, Names, column_of
from tabwright.runtime.exporting.noting import Written, note
from tabwright.runtime.exporting.tables import EXPORT, PART
from tabwright.runtime.exporting.writing import XLSX_ROWS, csv_pieces, write_xlsx
from tabwright.runtime.query.aggregate import aggregate
from tabwright.runtime.query.asked import Aggregation, Order, Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.unmasking import may_unmask, whole

register_messages(Path(__file__).with_name("messages.json"))

KIND = "export"
EXPIRE = "export.expire"
STRETCH = 1_000  # rows of one statement
_PIECE = 1_000_000  # bytes of one part of a kept file
Format = Literal["csv", "xlsx"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a file is to hold. ``ids`` stand in place of ``where``: the records that were ticked."""

    object: str
    columns: tuple[str, ...]
    where: str = ""
    order: Order = ()
    ids: tuple[UUID, ...] = ()
    format: Format = "csv"
    names: Names = "labels"
    bom: bool = True

    def to_json(self) -> dict[str, Any]:
        return {
            "object": self.object,
            "columns": list(self.columns),
            "where": self.where,
            "order": [list(each) for each in self.order],
            "ids": [id.hex for id in self.ids],
            "format": self.format,
            "names": self.names,
            "bom": self.bom,
        }

    @staticmethod
    def from_json(value: Any) -> Asked:
        return Asked(
            value["object"],
            tuple(value["columns"]),
            value["where"],
            tuple((path, way) for path, way in value["order"]),
            tuple(UUID(id) for id in value["ids"]),
            value["format"],
            value["names"],
            value["bom"],
        )


@dataclass(frozen=True, slots=True)
class Kept:
    """An export that a job makes, or has made."""

    id: UUID
    object_uid: str
    asked: Asked
    row_count: int
    size: int | None
    state: str  # of the job
    done: int
    error: tuple[Fault, ...]
    created_at: datetime
    expires_at: datetime
    job: UUID | None


class Exports:
    """Exports on behalf of one call."""

    def __init__(self, call: Call) -> None:
        self._call = call.because("export")
        self._reads = Reads(call)
        self._person = call.principal.user_id

    def count(self, asked: Asked) -> int:
        """How many rows the file has. Raises Denied without the right to export, Invalid (formula, order)."""
        object = self._object(asked.object)
        if asked.order:  # refused now, not in the middle of a file that has begun
            self._reads.list(Query(object.name, fields=("id",), order=asked.order, limit=1))
        if asked.ids:
            return len(asked.ids)
        return int(aggregate(self._call, Aggregation(object.name, where=asked.where)).rows[0]["count"])

    def is_long(self, rows: int) -> bool:
        """Whether so many rows are a job's work."""
        return rows > self._call.tenant.limits.export_inline_rows

    def pieces(self, asked: Asked) -> Iterator[bytes]:
        """The file at once; the journal has it before the first byte. Raises as ``count``, LimitReached."""
        object, columns = self._object(asked.object), self._columns(asked)
        self._counted(asked)
        file: IO[bytes] = tempfile.TemporaryFile()
        try:
            written = self._write(file, object, asked, columns, self._rows(asked, columns))
            with self._call.tenant.store.write() as writer:
                note(self._call, writer, object, asked.to_json(), written)
        except BaseException:
            file.close()
            raise
        return _streamed(file)

    def start(self, asked: Asked) -> Kept:
        """Have a job make the file; it is this person's and goes when it has expired."""
        call = self._call
        object, rows = self._object(asked.object), self._counted(asked)
        # Refused now, not in the job; and what may not be read now is not in the file.
        asked = replace(asked, columns=tuple(column.paths[0] for column in self._columns(asked)))
        id, now = call.ids.new(), call.clock.now()
        expires = now + timedelta(hours=call.tenant.limits.export_hours)
        with call.tenant.store.write() as writer:
            job = call.tenant.jobs.add(
                writer, KIND, {"export": id.hex, "by": self._person.hex}, created_by=self._person
            )
            call.tenant.jobs.add(writer, EXPIRE, {}, due_at=expires)
            row = {
                "id": id, "object_uid": object.uid, "asked": asked.to_json(), "row_count": rows,
                "language": call.language, "zone": call.zone, "job_id": job, "created_by": self._person,
                "created_at": now, "expires_at": expires,
            }  # fmt: skip
            writer.execute(sa.insert(EXPORT), row)
        return self.get(id)

    def get(self, id: UUID) -> Kept:
        """An export of this person's that has not expired. Raises NotFound."""
        with self._call.tenant.store.read() as reader:
            return self._load(reader, id)

    def cancel(self, id: UUID) -> None:
        """Stop the job. Raises NotFound, Conflict."""
        kept = self.get(id)
        with self._call.tenant.store.write() as writer:
            if kept.job is not None:
                self._call.tenant.jobs.cancel(writer, kept.job)

    def content(self, id: UUID) -> Iterator[bytes]:
        """The file that a job has made. Raises NotFound; Denied where the right to export is gone, Invalid
        where that to a field is.
        """
        kept = self.get(id)
        self._call.gate.resolve_all(self._object(kept.asked.object), kept.asked.columns)
        if kept.size is None:
            raise NotFound.of("export.not_found", id=id.hex)
        return self._kept_pieces(id)

    def _kept_pieces(self, id: UUID) -> Iterator[bytes]:
        number = 0
        while True:
            chosen = sa.select(PART.c.content).where(PART.c.export_id == id, PART.c.number == number)
            with self._call.tenant.store.read() as reader:
                piece = reader.execute(chosen).scalar_one_or_none()
            if piece is None:
                return
            yield bytes(piece)
            number += 1

    def make(self, id: UUID, job: JobRun) -> dict[str, Any]:
        """The job's work: write the file beside the store, then put it in, with the journal's entry."""
        kept = self.get(id)
        done = 0

        def watched(rows: Iterator[list[Cell]]) -> Iterator[list[Cell]]:
            nonlocal done
            for row in rows:
                if done % (5 * STRETCH) == 0:
                    job.progress(done, kept.row_count)
                    with job.step():
                        pass
                done += 1
                yield row

        with tempfile.TemporaryFile() as file:
            object, columns = self._object(kept.asked.object), self._columns(kept.asked)
            rows = watched(self._rows(kept.asked, columns))
            written = self._write(file, object, kept.asked, columns, rows)
            file.seek(0)
            with job.step() as writer:
                writer.execute(sa.delete(PART).where(PART.c.export_id == id))
                for number, piece in enumerate(iter(lambda: file.read(_PIECE), b"")):
                    writer.execute(sa.insert(PART), {"export_id": id, "number": number, "content": piece})
                writer.execute(
                    sa.update(EXPORT).where(EXPORT.c.id == id).values(size=written.size, row_count=done)
                )
                note(self._call, writer, object, kept.asked.to_json(), written)
                job.progress(done, done)
        return {"rows": done}

    # ---- inside ------------------------------------------------------------------------------------

    def _object(self, name: str) -> ObjectDef:
        object = self._call.gate.object(name)
        self._call.gate.require(object, "read")
        self._call.gate.require(object, "export")
        return object

    def _load(self, reader: Reader, id: UUID) -> Kept:
        row = reader.execute(
            sa.select(EXPORT).where(EXPORT.c.id == id, EXPORT.c.created_by == self._person)
        ).one_or_none()
        if row is None or row.expires_at <= self._call.clock.now():
            raise NotFound.of("export.not_found", id=id.hex)
        job = self._call.tenant.jobs.get(reader, row.job_id)
        return Kept(
            row.id, row.object_uid, Asked.from_json(row.asked), row.row_count, row.size, job.state,
            job.progress_done, tuple(fault_of(each) for each in (job.error or {}).get("faults", ())),
            row.created_at, row.expires_at, row.job_id,
        )  # fmt: skip

    def _counted(self, asked: Asked) -> int:
        rows = self.count(asked)
        most = self._call.tenant.limits.export_rows
        if asked.format == "xlsx":
            most = min(most, XLSX_ROWS)
        if rows > most:
            raise LimitReached.at("export.too_many", "export_rows", most, Place(object=asked.object))
        own = self._call.gate.export_rows(self._object(asked.object))
        if own is not None and rows > own:
            place = Place(object=asked.object)
            raise LimitReached.at("export.beyond_right", "export_rows", own, place)
        return rows

    def _columns(self, asked: Asked) -> list[Column]:
        call, object = self._call, self._object(asked.object)
        made = []
        for path in asked.columns:
            if not self._knows(object, path):
                continue  # as on the screen: what may not be read leaves no gap
            found = call.gate.resolve(object, path)
            label = " › ".join(label_in(each.labels, call.language) for each in (*found.hops, found.field))
            made.append(
                column_of(
                    found.text,
                    label,
                    found.field,
                    call.model,
                    asked.names,
                    call.language,
                    ZoneInfo(call.zone),
                    lambda other: self._knows(object, other),
                    (lambda value: whole(call, value)) if may_unmask(call) else None,
                )  # fmt: skip
            )
        if not made:
            raise Invalid.of("export.no_columns", Place(object=object.name))
        return made

    def _knows(self, object: ObjectDef, path: str) -> bool:
        try:
            self._call.gate.resolve(object, path)
        except Invalid:
            return False
        return True

    def _rows(self, asked: Asked, columns: list[Column]) -> Iterator[list[Cell]]:
        """The rows of the file; some may have come since they were counted, so they are counted again."""
        makers, most = (
            [column.cell for column in columns],
            self._call.gate.export_rows(self._object(asked.object)),
        )
        for number, row in enumerate(self._records(asked, columns), 1):
            if most is not None and number > most:
                # Invalid, because a job that is refused so must not be tried again.
                raise Invalid.of("export.beyond_right", Place(object=asked.object), value=most)
            yield [make(row) for make in makers]

    def _records(self, asked: Asked, columns: list[Column]) -> Iterator[Mapping[str, Any]]:
        paths = tuple(dict.fromkeys(path for column in columns for path in column.paths))
        for id in asked.ids:
            try:
                yield self._reads.get(asked.object, id, paths)
            except NotFound:  # gone since it was ticked
                continue
        cursor = None
        while not asked.ids:
            query = Query(asked.object, paths, asked.where, asked.order, cursor=cursor)
            page = self._reads.stretch(query, STRETCH)
            yield from page.rows
            cursor = page.next_cursor
            if cursor is None:
                return

    def _write(
        self,
        file: IO[bytes],
        object: ObjectDef,
        asked: Asked,
        columns: list[Column],
        rows: Iterator[list[Cell]],
    ) -> Written:
        """Write the file from where it stands; what it is."""
        call, operation = self._call, self._call.ids.new()
        heads, counted = [column.head for column in columns], _Counted(rows)
        mark = (
            stamp(operation, call.principal.name, call.clock.now(), call.zone)
            if "files" in object.watermark
            else ""
        )
        if asked.format == "csv":
            for piece in csv_pieces(heads, counted, bom=asked.bom, stamp=mark):
                file.write(piece)
        else:
            write_xlsx(file, label_in(object.plural, call.language), heads, counted, stamp=mark)
        size = file.seek(0, 2)
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
        fields = tuple(column.paths[0] for column in columns)
        shown = tuple(
            each for each in fields if may_unmask(call) and call.gate.resolve(object, each).field.mask
        )
        return Written(operation, fields, shown, counted.done, size, digest, bool(mark))


class _Counted:
    """Rows on their way into a file, and how many went."""

    def __init__(self, rows: Iterator[list[Cell]]) -> None:
        self._rows = rows
        self.done = 0

    def __iter__(self) -> Iterator[list[Cell]]:
        for row in self._rows:
            yield row
            self.done += 1


def _streamed(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        yield from iter(lambda: file.read(_PIECE), b"")


# ---- the jobs --------------------------------------------------------------------------------------


def register(jobs: Jobs, tenancy: Tenancy, clock: Clock, ids: Ids) -> None:
    """Make exports and their end known to the workers."""

    def make(job: JobRun) -> Any:
        id, person = UUID(job.payload["export"]), UUID(job.payload["by"])
        tenant = tenancy.open(job.location)
        with job.store.read() as reader:
            row = reader.execute(
                sa.select(EXPORT.c.language, EXPORT.c.zone).where(EXPORT.c.id == id)
            ).one_or_none()
            if row is None:  # expired before its turn came
                return None
            model = tenant.at_release(reader)
            principal = principals.load(tenant, reader, model, person, clock.now())
        language: Language = "en" if row.language == "en" else "zh"
        call = Call(
            tenant, principal, model, Gate(model, principal), clock, ids, language, row.zone,
            f"export-{id.hex}", "export",
        )  # fmt: skip
        return Exports(call).make(id, job)

    def expire(job: JobRun) -> Any:
        with job.step() as writer:
            old = sa.select(EXPORT.c.id).where(EXPORT.c.expires_at <= clock.now())
            writer.execute(sa.delete(PART).where(PART.c.export_id.in_(old)))
            writer.execute(sa.delete(EXPORT).where(EXPORT.c.expires_at <= clock.now()))

    jobs.register(KIND, make, runs_as="asker")
    jobs.register(EXPIRE, expire, runs_as="system")
