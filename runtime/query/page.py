"""What the read path answers with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from tabwright.runtime.query.rows import RowShape, Tuples
from tabwright.runtime.storage.columns import encode


class Page:
    """One page of a list, in two readings: typed rows, or JSON bytes.

    ``count`` is the number of all records that the query finds, None when it was not asked for;
    ``count_is_capped`` says that there are more than that.
    """

    def __init__(
        self,
        shape: RowShape,
        tuples: Tuples,
        next_cursor: str | None = None,
        count: int | None = None,
        count_is_capped: bool = False,
    ) -> None:
        self._shape = shape
        self._tuples = tuples
        self.next_cursor = next_cursor
        self.count = count
        self.count_is_capped = count_is_capped

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys of each row: paths in canonical names."""
        return self._shape.keys

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Rows of typed values (Decimal, date, aware datetime, UUID, str, bool) by path."""
        return self._shape.typed(self._tuples)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self._tuples)

    def json(self) -> bytes:
        """The page as a JSON object: ``records``, ``next_cursor``, and the count if it was asked for."""
        whole: dict[str, Any] = {"records": self._shape.wire(self._tuples), "next_cursor": self.next_cursor}
        if self.count is not None:
            whole["count"] = self.count
            whole["count_is_capped"] = self.count_is_capped
        return encode(whole)


class Record:
    """One record, in the same two readings."""

    def __init__(self, shape: RowShape, values: tuple[Any, ...], footprint: str) -> None:
        self._shape = shape
        self._tuples = [values]
        self.footprint = footprint  # changes when the same record would be shown in another form

    @cached_property
    def row(self) -> dict[str, Any]:
        """Typed values by path."""
        return self._shape.typed(self._tuples)[0]

    @property
    def revision(self) -> int | None:
        """None where it may not be read."""
        keys = self._shape.keys
        return int(self._tuples[0][keys.index("revision")]) if "revision" in keys else None

    def json(self) -> bytes:
        """A JSON object."""
        return encode(self._shape.wire(self._tuples)[0])
