"""What a dry run carries from chunk to chunk, since each of them is rolled back (DESIGN.md, "An import").

A later row may depend on an earlier one: it names it as its parent, or wants a unique value that the
earlier row took or gave up. Instead of guessing what the write path would say, the earlier rows in question
are put in again before the chunk, in the same transaction, and rolled back with it. To know which those
are, every good row leaves the keys that it took and gave up, with its cells, on a shelf of its own.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tabwright.runtime.exchange.keys import Keys

_MOST_OF_A_KEY = 3  # a third record of one name changes nothing: the name is ambiguous already
_CACHE_KB = 8 * 1024

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(list[str]).decode


class Shelf:
    """Rows and the keys by which they are found, in a nameless file on disk: a million of them take no
    memory.
    """

    def __init__(self) -> None:
        self._base = sqlite3.connect("", isolation_level=None)
        for each in (
            "PRAGMA journal_mode = OFF",
            f"PRAGMA cache_size = -{_CACHE_KB}",
            "CREATE TABLE line (number INTEGER PRIMARY KEY, chunk INTEGER, cells BLOB)",
            "CREATE TABLE taken (key INTEGER, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID",
            "CREATE TABLE seen (key INTEGER, number INTEGER, PRIMARY KEY (key, number)) WITHOUT ROWID",
            "BEGIN",  # for ever: nobody else reads this, and nothing of it stays
        ):
            self._base.execute(each)

    def close(self) -> None:
        self._base.close()

    def put(self, chunk: int, lines: Iterable[tuple[int, Sequence[str], Iterable[int]]]) -> None:
        """Keep rows (number, cells, keys) of a chunk; of one key no more than are worth it."""
        kept, wanted = [], []
        for number, cells, keys in lines:
            kept.append((number, chunk, _encode(cells)))
            wanted += [(key, number) for key in keys]
        counts = self._counts({key for key, _ in wanted})
        taken = []
        for key, number in wanted:
            if counts[key] < _MOST_OF_A_KEY:
                counts[key] += 1
                taken.append((key, number))
        self._base.executemany("INSERT OR REPLACE INTO line VALUES (?, ?, ?)", kept)
        self._base.executemany("INSERT OR IGNORE INTO taken VALUES (?, ?)", taken)

    def _counts(self, keys: Iterable[int]) -> Counter[int]:
        found = self._base.execute(
            "SELECT key, count(*) FROM taken WHERE key IN (SELECT value FROM json_each(?)) GROUP BY key",
            (_encode(list(keys)).decode(),),
        )
        return Counter(dict(found))

    def by_keys(self, keys: Iterable[int]) -> Iterator[tuple[int, int, int, list[str]]]:
        """(key, row number, chunk, cells) of what is kept under these keys."""
        found = self._base.execute(
            "SELECT key, number, chunk, cells FROM taken JOIN line USING (number) "
            "WHERE key IN (SELECT value FROM json_each(?))",
            (_encode(list(keys)).decode(),),
        )
        for key, number, chunk, cells in found:
            yield key, number, chunk, _decode(cells)

    def see(self, rows: Iterable[tuple[int, int]]) -> None:
        """Note (key, row number) of rows that name a record by a key."""
        self._base.executemany("INSERT OR IGNORE INTO seen VALUES (?, ?)", rows)

    def first_of_several(self) -> dict[int, int]:
        """The first row of each key that more than one row has."""
        return dict(self._base.execute("SELECT key, min(number) FROM seen GROUP BY key HAVING count(*) > 1"))


class Carried:
    """The good rows of the chunks so far, by the keys that later rows may ask for."""

    def __init__(self, keys: Keys, shelf: Shelf) -> None:
        self._keys = keys
        self._shelf = shelf
        self._chunk = 0

    def prelude(self, chunk: Iterable[Mapping[str, str]]) -> list[list[tuple[int, list[str]]]]:
        """The earlier rows that these texts depend on, and those that these depend on, in groups to go in
        one after the other.
        """
        found: dict[int, list[str]] = {}
        groups: dict[int, list[int]] = {}
        # By key the latest chunk that a row found by it may be of: a row depends on none after its own.
        asked = {key: self._chunk for texts in chunk for key in self._keys.asked(texts)}
        while asked and self._chunk:
            following: dict[int, int] = {}
            for key, number, group, cells in self._shelf.by_keys(asked):
                if group > asked[key] or number in found:
                    continue
                found[number] = cells
                groups.setdefault(group, []).append(number)
                for other in self._keys.asked(self._keys.texts(cells)):
                    following[other] = max(following.get(other, 0), group)
            asked = following
        return [[(number, found[number]) for number in sorted(groups[group])] for group in sorted(groups)]

    def keep(
        self, good: Iterable[tuple[int, Sequence[str], Mapping[str, str], Mapping[str, Any] | None]]
    ) -> None:
        """(number, cells, texts, old values by field or None for a new record) of the chunk's good rows."""
        lines = []
        for number, cells, texts, old in good:
            keys = {*self._keys.given(texts), *(self._keys.given_up(old) if old is not None else ())}
            if keys:
                lines.append((number, cells, keys))
        if lines:
            self._shelf.put(self._chunk, lines)
        self._chunk += 1
