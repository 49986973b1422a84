"""The value of a field that holds files: which, each with what lists and history say of it, as one text.

A row of the table of files never changes its name, type or size, so a value may repeat them: a list shows
names without a further query, the journal says what came and went, and an undo brings it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from uuid import UUID

import msgspec


@dataclass(frozen=True, slots=True)
class FileRef:
    """One file in a value. ``pictured``: there are pictures of it to show."""

    id: UUID
    name: str
    media: str
    size: int
    pictured: bool = False

    @property
    def wire(self) -> Mapping[str, Any]:
        """As the API answers it."""
        return {"id": self.id.hex, "name": self.name, "type": self.media, "size": self.size}


class Named(tuple[UUID, ...]):
    """The files that somebody sent for a field, before the write path has found them."""

    __slots__ = ()


_decode = msgspec.json.Decoder(list[tuple[str, str, str, int, bool]]).decode


@lru_cache(maxsize=4096)
def refs_in(value: str | None) -> tuple[FileRef, ...]:
    """The files of a stored value, in its order. ValueError for what is no value of files."""
    if not value:
        return ()
    try:
        return tuple(
            FileRef(UUID(id), name, media, size, pictured)
            for id, name, media, size, pictured in _decode(value)
        )
    except msgspec.DecodeError as error:
        raise ValueError(value[:80]) from error


def refs_typed(text: str) -> tuple[FileRef, ...]:
    """The files of a text that a form holds; none where somebody typed something else into it."""
    try:
        return refs_in(text)
    except ValueError:
        return ()


def text_of(refs: Iterable[FileRef]) -> str | None:
    """The stored value of some files; None for none."""
    rows = [(each.id.hex, each.name, each.media, each.size, each.pictured) for each in refs]
    return msgspec.json.encode(rows).decode() if rows else None


def names_in(value: str | None) -> tuple[str, ...]:
    """The names of the files of a stored value."""
    return tuple(each.name for each in refs_in(value))


def joined_names(value: str | None) -> str:
    """The names as one line, for files and searches."""
    return "; ".join(names_in(value))


def wire(value: str) -> list[Mapping[str, Any]]:
    """A stored value as the API answers it."""
    return [each.wire for each in refs_in(value)]
