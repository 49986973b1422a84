"""An uploaded file in the tenant's store, in pieces of 1 MB: read again as a stream, removed in the end."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, BinaryIO
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.clock import Clock
from tabwright.platform.database import Store, Writer
from tabwright.platform.errors import TooLarge
from tabwright.platform.jobs import JobRun, Jobs
from tabwright.runtime.exchange.tables import PART, ROWS, RUN

PIECE = 1024 * 1024
KIND = "import.files"
MOVING = ("checking", "running", "undoing")
_AT_ONCE = 20  # imports whose files go in one transaction


def keep(writer: Writer, import_id: UUID, content: BinaryIO, most: int) -> int:
    """Keep a stream as the file of an import; its size. Raises TooLarge beyond ``most`` bytes."""
    size = number = 0
    while piece := content.read(PIECE):
        size += len(piece)
        if size > most:
            raise TooLarge.of("import.too_large", limit="upload_bytes", most=most)
        writer.execute(sa.insert(PART), {"import_id": import_id, "number": number, "content": piece})
        number += 1
    return size


def size_of(content: BinaryIO, most: int) -> int:
    """The size of a stream that can be read twice; leaves it at its start. Raises TooLarge."""
    size = content.seek(0, io.SEEK_END)
    content.seek(0)
    if size > most:
        raise TooLarge.of("import.too_large", limit="upload_bytes", most=most)
    return size


class _Pieces(io.RawIOBase):
    """The pieces as one stream that can be read from anywhere; one short read of the store per piece."""

    def __init__(self, store: Store, import_id: UUID, size: int) -> None:
        self._store = store
        self._id = import_id
        self._size = size
        self._at = 0
        self._number = -1
        self._piece = b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size:
            return 0
        number, start = divmod(self._at, PIECE)
        if number != self._number:
            query = sa.select(PART.c.content).where(PART.c.import_id == self._id, PART.c.number == number)
            with self._store.read() as reader:
                self._piece = bytes(reader.execute(query).scalar_one())
            self._number = number
        part = self._piece[start : start + len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)


def opened(store: Store, import_id: UUID, size: int) -> BinaryIO:
    """The kept file as a stream that can be read from anywhere."""
    return io.BufferedReader(_Pieces(store, import_id, size), 256 * 1024)


# ---- removal --------------------------------------------------------------------------------------


def ask(jobs: Jobs, writer: Writer, since: datetime, days: int) -> None:
    """Have the files looked through once what was touched at ``since`` has lain for ``days`` days."""
    due = since + timedelta(days=days + 1)  # one look for all of a day
    jobs.add(writer, KIND, {}, due_at=due, key=f"{KIND} {due:%Y-%m-%d}")


def register(jobs: Jobs, clock: Clock, days: int) -> None:
    """Make the removal known to the workers: files of imports that nobody touched for ``days`` days.

    The import itself stays with its counts, its refused rows and its undo, which reads the journal.
    """
    jobs.register(KIND, _remover(jobs, clock, days), runs_as="system")


def _remover(jobs: Jobs, clock: Clock, days: int) -> Callable[[JobRun], Any]:
    def run(job: JobRun) -> Any:
        removed = 0
        while True:
            before = clock.now() - timedelta(days=days)
            with job.step() as writer:
                kept = sa.exists().where(PART.c.import_id == RUN.c.id)
                chosen = sa.select(RUN.c.id).where(
                    RUN.c.state.not_in(MOVING), RUN.c.updated_at < before, kept
                )
                old = writer.execute(chosen.limit(_AT_ONCE)).scalars().all()
                writer.execute(sa.delete(PART).where(PART.c.import_id.in_(old)))
                writer.execute(sa.delete(ROWS).where(ROWS.c.import_id.in_(old)))
                removed += len(old)
                job.progress(removed)
                if not old:
                    oldest = writer.execute(sa.select(sa.func.min(RUN.c.updated_at)).where(kept)).scalar()
                    if oldest is not None:  # look again when the next is due, but not before tomorrow
                        ask(jobs, writer, max(oldest, before), days)
                    return {"removed": removed}

    return run
