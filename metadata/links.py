"""A reference to a record of one of several objects: which record, and of which kind.

Ids are unique over all objects, so a link is the id of its record, and knows the uid of the object beside it.
As a text (columns and the journal have it) it is the uid of the object and the id, 32 hex digits each: one
column, so the two cannot disagree, and one index that finds both a record and all of a kind.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

KIND_DIGITS: Final = 32


class Link(UUID):
    """The id of a record with the uid of its object. Equal to the id alone, which says as much."""

    __slots__ = ("kind",)

    kind: str

    def __init__(self, kind: str, id: UUID) -> None:
        super().__init__(int=id.int)
        object.__setattr__(self, "kind", kind)

    @property
    def text(self) -> str:
        return link_text(self.kind, self)

    @staticmethod
    def of(text: str) -> Link:
        """The link of such a text. Raises ValueError for another."""
        if len(text) != 2 * KIND_DIGITS:
            raise ValueError(text)
        return Link(text[:KIND_DIGITS], UUID(text[KIND_DIGITS:]))

    def __conform__(self, protocol: object) -> bytes:
        """As SQLite is given ids (it asks for the exact class, which this is not)."""
        return self.bytes

    def __copy__(self) -> Link:
        return self

    def __deepcopy__(self, memo: object) -> Link:
        return self

    def __reduce__(self) -> tuple[type[Link], tuple[str, UUID]]:
        return Link, (self.kind, UUID(int=self.int))


def link_text(kind: str, id: UUID) -> str:
    """The text of a link to the record ``id`` of the object with the uid ``kind``."""
    return f"{kind}{id.hex}"
