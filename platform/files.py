"""The content of files: bytes under a name of ours, in a folder or wherever fsspec reaches.

Nothing here knows what a file is called by people or who may see it: that stands in rows of the tenant's
store (``runtime.filing``). A tenant's files lie under the id of the tenant, spread over 256 folders.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, BinaryIO
from uuid import UUID

from tabwright.platform.errors import NotFound, StorageFull, TabwrightError, Unavailable
from tabwright.platform.settings import Settings

PIECE = 256 * 1024
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_part = re.compile(r"[a-z]{0,12}").fullmatch


class FileStore:
    """Where the files of an installation lie. Thread-safe; nothing is opened before it is used."""

    def __init__(self, url: str) -> None:
        self._url = url

    @staticmethod
    def of(settings: Settings) -> FileStore:
        """The store that the operator chose; without a choice the folder ``files`` under the home folder."""
        return FileStore(settings.files_url or f"file://{settings.home / 'files'}")

    @cached_property
    def _place(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs  # takes a while to import, and most processes open no file

        local = {"auto_mkdir": True} if self._url.startswith("file://") else {}
        filesystem, root = url_to_fs(self._url, **local)
        return filesystem, str(root).rstrip("/")

    def _path(self, tenant: UUID, id: UUID, part: str) -> str:
        if not _part(part):
            raise ValueError(part)
        name = f"{id.hex}.{part}" if part else id.hex
        return f"{self._place[1]}/{tenant.hex}/{id.hex[-2:]}/{name}"

    def put(self, tenant: UUID, id: UUID, content: BinaryIO, part: str = "") -> None:
        """Keep what ``content`` still gives, on the disk before this returns. ``part``: beside the file.

        Raises StorageFull, Unavailable.
        """
        with _told(id), self._place[0].open(self._path(tenant, id, part), "wb") as file:
            while piece := content.read(PIECE):
                file.write(piece)
            file.flush()
            if hasattr(file, "fileno") and "file" in self._place[0].protocol:
                os.fsync(file.fileno())

    def pieces(self, tenant: UUID, id: UUID, part: str = "") -> Iterator[bytes]:
        """The content, piece by piece; it is opened at once. Raises NotFound, Unavailable."""
        with _told(id):
            file = self._place[0].open(self._path(tenant, id, part), "rb")
        return _read(id, file)

    def remove(self, tenant: UUID, id: UUID, *parts: str) -> None:
        """Delete a file with its parts; what is not there is no mistake. Raises Unavailable."""
        for part in ("", *parts):
            with _told(id):
                try:
                    self._place[0].rm_file(self._path(tenant, id, part))
                except FileNotFoundError:
                    continue

    def drop(self, tenant: UUID) -> None:
        """Delete everything of a tenant. Raises Unavailable."""
        with _told(tenant):
            try:
                self._place[0].rm(f"{self._place[1]}/{tenant.hex}", recursive=True)
            except FileNotFoundError:
                return


def _read(id: UUID, file: Any) -> Iterator[bytes]:
    with _told(id), file:
        while piece := file.read(PIECE):
            yield bytes(piece)


@contextmanager
def _told(id: UUID) -> Iterator[None]:
    """What a file system says, in the words of our family of errors."""
    try:
        yield
    except TabwrightError:
        raise
    except FileNotFoundError as error:
        raise NotFound.of("files.missing", id=id.hex) from error
    except OSError as error:
        if error.errno in _FULL:
            raise StorageFull.of("database.full") from error
        raise Unavailable.of("files.unreachable") from error
