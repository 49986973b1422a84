"""What a dry run carries from chunk to chunk, since each of them is rolled back (DESIGN.md, "An import").

A later row may depend on an earlier one: it names it as its parent, or wants a unique value that the
earlier row took or gave up. Instead of guessing what the write path would say, the earlier rows in question
are put in again before the chunk, in the same transaction, and rolled back with it. To know which those
are, every good row leaves the keys that it took and gave up; its cells wait in a file of their own.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tabwright.runtime.exchange.keys import Keys

_MOST_OF_A_KEY = 3  # a third record of one name changes nothing: the name is ambiguous already


class Shelf:
    """Cells of rows by number, on disk."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by close()
        self._at: dict[int, int] = {}

    def put(self, number: int, cells: Sequence[str]) -> None:
        self._file.seek(0, 2)
        self._at[number] = self._file.tell()
        self._file.write(json.dumps(list(cells)) + "\n")

    def get(self, number: int) -> list[str]:
        self._file.seek(self._at[number])
        found: list[str] = json.loads(self._file.readline())
        return found

    def close(self) -> None:
        self._file.close()


class Carried:
    """The good rows of the chunks so far, by the keys that later rows may ask for."""

    def __init__(self, keys: Keys, shelf: Shelf) -> None:
        self._keys = keys
        self._shelf = shelf
        self._chunk_of: dict[int, int] = {}
        self._rows: dict[int, list[int]] = {}
        self._chunk = 0

    def prelude(self, chunk: Iterable[Mapping[str, str]]) -> list[list[tuple[int, list[str]]]]:
        """The earlier rows that these texts depend on, and those that these depend on, in groups to go in
        one after the other.
        """
        found: dict[int, int] = {}
        todo = [(texts, self._chunk) for texts in chunk]
        while todo:
            texts, before = todo.pop()
            for key in self._keys.asked(texts):
                for number in self._rows.get(key, ()):
                    group = self._chunk_of[number]
                    if group <= before and number not in found:
                        found[number] = group
                        todo.append((self._keys.texts(self._shelf.get(number)), group))
        groups: dict[int, list[tuple[int, list[str]]]] = {}
        for number in sorted(found):
            groups.setdefault(found[number], []).append((number, self._shelf.get(number)))
        return [groups[group] for group in sorted(groups)]

    def keep(
        self, good: Iterable[tuple[int, Sequence[str], Mapping[str, str], Mapping[str, Any] | None]]
    ) -> None:
        """(number, cells, texts, old values by field or None for a new record) of the chunk's good rows."""
        for number, cells, texts, old in good:
            keys = {*self._keys.given(texts), *(self._keys.given_up(old) if old is not None else ())}
            if not keys:
                continue
            self._chunk_of[number] = self._chunk
            self._shelf.put(number, cells)
            for key in keys:
                rows = self._rows.setdefault(key, [])
                if len(rows) < _MOST_OF_A_KEY:
                    rows.append(number)
        self._chunk += 1
