"""The rows of a file as they were read, in pieces of the tenant's store.

A spreadsheet can only be read from its start. Its rows are laid out once, when the file comes in or is read
in another way, so that a check, a run and every worker that takes one up begin at any row.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from uuid import UUID

import msgspec
import sqlalchemy as sa

from tabwright.platform.database import Store, Writer
from tabwright.runtime.exchange import files, sources
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.exchange.tables import ROWS

PIECE = 512 * 1024
_IN_MEMORY = 4 * 1024 * 1024

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(list[str]).decode


class Laid:
    """Rows on their way into the store, on disk where they are many. A context: at its end they are gone."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed by the context
        self._pieces: list[tuple[int, int]] = []  # first row, bytes
        self._lines: list[bytes] = []
        self._size = 0
        self._first = 0

    def __enter__(self) -> Laid:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def put(self, number: int, cells: Sequence[str]) -> None:
        """Take a row; numbers rise."""
        if not self._lines:
            self._first = number
        line = _encode([str(number), *cells])
        self._lines.append(line)
        self._size += len(line) + 1
        if self._size > PIECE:
            self._close_piece()

    def _close_piece(self) -> None:
        if self._lines:
            piece = b"\n".join(self._lines)
            self._file.write(piece)
            self._pieces.append((self._first, len(piece)))
            self._lines, self._size = [], 0

    def keep(self, writer: Writer, import_id: UUID) -> None:
        """Put the rows of an import into the store in place of those that it had."""
        self._close_piece()
        forget(writer, import_id)
        self._file.seek(0)
        for first, size in self._pieces:
            piece = {"import_id": import_id, "number": first, "content": self._file.read(size)}
            writer.execute(sa.insert(ROWS), piece)


def rows(store: Store, import_id: UUID, after: int = 0) -> Iterator[tuple[int, list[str]]]:
    """(number in the file, cells) of the rows beyond ``after``; one short read of the store per piece."""
    mine = ROWS.c.import_id == import_id
    holds = sa.select(sa.func.max(ROWS.c.number)).where(mine, ROWS.c.number <= after + 1)
    with store.read() as reader:
        last = (reader.execute(holds).scalar_one() or 1) - 1
    while True:
        following = sa.select(ROWS.c.number, ROWS.c.content).where(mine, ROWS.c.number > last)
        with store.read() as reader:
            piece = reader.execute(following.order_by(ROWS.c.number).limit(1)).one_or_none()
        if piece is None:
            return
        last = piece.number
        for line in bytes(piece.content).split(b"\n"):
            number, *cells = _decode(line)
            if int(number) > after:
                yield int(number), cells


def lay_out(store: Store, run: Run, step: Callable[[], AbstractContextManager[Writer]]) -> None:
    """Lay out the rows of a file that came in before rows were laid out; nothing to do for others."""
    with store.read() as reader:
        known = reader.execute(sa.select(ROWS.c.number).where(ROWS.c.import_id == run.id).limit(1)).first()
    if known is not None:
        return
    with Laid() as laid:
        sources.outline(files.opened(store, run.id, run.size), run.format, take=laid.put)
        with step() as writer:
            laid.keep(writer, run.id)


def forget(writer: Writer, import_id: UUID) -> None:
    """Give the rows of an import up: nothing reads them any more."""
    writer.execute(sa.delete(ROWS).where(ROWS.c.import_id == import_id))
