"""An uploaded file in the tenant's store, in pieces of 1 MB, and read again as a stream."""

from __future__ import annotations

import io
from typing import BinaryIO
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Store, Writer
from tabwright.platform.errors import TooLarge
from tabwright.runtime.exchange.tables import PART

PIECE = 1024 * 1024


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
