"""Tuples of storage values to rows: typed values for pages, JSON bytes for the API.

Made once per set of columns. Values are converted a column at a time and rows are built and written in C,
which needs no generated code and no dict per row on the way to JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from tabwright.runtime.storage.columns import Codec, encode

Convert = Callable[[Any], Any]
Tuples = Sequence[tuple[Any, ...]]


class RowShape:
    """The keys of a row and the conversions of its values; further values of a tuple are left out.

    The last ``inner`` keys are for the typed reading alone.
    """

    def __init__(self, keys: Sequence[str], codecs: Sequence[Codec], inner: int = 0) -> None:
        self.keys = tuple(keys)
        self._width = len(self.keys)
        self._outer = self._width - inner
        self._load = self._needed([each.load for each in codecs])
        self._wire = self._needed([each.wire for each in codecs[: self._outer]])
        names = [f"f{n}" for n in range(self._outer)]
        self._row = msgspec.defstruct(
            "Row",
            [(name, Any) for name in names],
            rename=dict(zip(names, self.keys, strict=False)),
            gc=False,
        )

    @staticmethod
    def _needed(converts: Sequence[Convert | None]) -> tuple[tuple[int, Convert], ...]:
        return tuple((n, each) for n, each in enumerate(converts) if each is not None)

    def typed(self, tuples: Tuples) -> list[dict[str, Any]]:
        """Rows of typed values by key."""
        keys = self.keys
        columns = self._columns(tuples, self._load, self._width)
        return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]

    def wire(self, tuples: Tuples) -> list[Any]:
        """Rows that ``encode`` writes as objects; also inside a larger value."""
        return list(map(self._row, *self._columns(tuples, self._wire, self._outer))) if tuples else []

    def json(self, tuples: Tuples) -> bytes:
        """A JSON array of objects."""
        return encode(self.wire(tuples))

    def _columns(
        self, tuples: Tuples, converts: tuple[tuple[int, Convert], ...], width: int
    ) -> list[Sequence[Any]]:
        columns: list[Sequence[Any]] = []
        columns.extend(list(zip(*tuples, strict=True))[:width])
        for n, convert in converts:
            if n < len(columns):
                columns[n] = [None if value is None else convert(value) for value in columns[n]]
        return columns
