"""What a person may have meant: words a slip or two of the fingers away, in letters and in pinyin.

A slip is a letter too many, too few, another one, or two neighbours the wrong way round. One is forgiven in
a word of four letters and more, two in a word of eight and more.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import combinations
from typing import TypeAlias

from tabwright.formula.pinyin import all_syllables

SHORTEST = 4  # letters; of shorter words too much is near
LONG = 8  # letters, from here on two slips are forgiven
LONGEST = 24
MOST_READINGS = 300  # spellings of one mistyped reading
_MOST_STEPS = 30_000  # on the way to them: 20 ms

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_START = 6  # letters of a long word of which two may be missing
_Trie: TypeAlias = "dict[str, _Trie]"
_END = ""


def slips_forgiven(word: str) -> int:
    """How many slips a word may hold: 0 for what is no word of Latin letters."""
    if not SHORTEST <= len(word) <= LONGEST or not (word.isascii() and word.isalpha()):
        return 0
    return 2 if len(word) >= LONG else 1


def one_slip(word: str) -> set[str]:
    """Every spelling that is one slip away."""
    parts = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {a + b[1:] for a, b in parts if b}
    found.update(a + b[1] + b[0] + b[2:] for a, b in parts if len(b) > 1)
    found.update(a + each + b[1:] for a, b in parts if b for each in _LETTERS)
    found.update(a + each + b for a, b in parts for each in _LETTERS)
    found.discard(word)
    return found


def remains(word: str) -> set[str]:
    """What is left of a long word's beginning without two of its letters. Words of six letters and more
    that are two slips apart share one of these, so that an index finds the near ones.
    """
    start = word[:_START]
    return {start[:a] + start[a + 1 : b] + start[b + 1 :] for a, b in combinations(range(len(start)), 2)}


def slips_between(a: str, b: str, most: int) -> int:
    """How many slips lead from one spelling to another; more than ``most`` is ``most + 1``."""
    if abs(len(a) - len(b)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        earlier, before, row = before, row, [i]
        for j, other in enumerate(b, start=1):
            least = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                least = min(least, earlier[j - 2] + 1)
            row.append(least)
        if min(row) > most and min(before) > most:
            return most + 1
    return min(row[-1], most + 1)


@lru_cache(maxsize=256)
def near_readings(typed: str, most: int) -> tuple[str, ...]:
    """Pinyin, whole syllables, that is up to ``most`` slips from what was typed: nearest first. What
    begins with another of them is left out, since a reading is looked for by its beginning.
    """
    walk = _Walk(typed, most)
    walk.between(0, _trie(), "", 0)
    chosen: dict[str, None] = {}
    for said in sorted(walk.found, key=len):
        if not _begins(said, chosen) and not said.startswith(typed):
            chosen[said] = None
    return tuple(
        sorted(chosen, key=lambda said: (walk.found[said], abs(len(said) - len(typed)), said))[:MOST_READINGS]
    )


def _begins(said: str, chosen: Iterable[str]) -> bool:
    return any(said[:at] in chosen for at in range(1, len(said) + 1))


class _Walk:
    """Reads what was typed and the syllables side by side, spending a slip where they part."""

    def __init__(self, typed: str, most: int) -> None:
        self.found: dict[str, int] = {}
        self._typed = typed
        self._most = most
        self._seen: set[tuple[int, int, str, int]] = set()

    def at(self, place: int, node: _Trie, said: str, slips: int) -> None:
        """Inside a syllable or at its end, which may be the beginning of the next one."""
        if _END in node:
            if place == len(self._typed):
                self.found[said] = min(slips, self.found.get(said, slips))
            self.between(place, _trie(), said, slips)
        self.between(place, node, said, slips)

    def between(self, place: int, node: _Trie, said: str, slips: int) -> None:
        """On the way from one letter to the next."""
        state = (place, id(node), said, slips)
        if state in self._seen or len(self._seen) > _MOST_STEPS:
            return
        self._seen.add(state)
        letter = self._typed[place : place + 1]
        if letter and letter in node:
            self.at(place + 1, node[letter], said + letter, slips)
        if slips == self._most:
            return
        slips += 1
        if letter:
            self.between(place + 1, node, said, slips)
            self._swapped(place, node, said, slips)
        for other, onward in node.items():
            if other != _END:
                if letter and other != letter:
                    self.at(place + 1, onward, said + other, slips)
                self.at(place, onward, said + other, slips)

    def _swapped(self, place: int, node: _Trie, said: str, slips: int) -> None:
        first, second = self._typed[place], self._typed[place + 1 : place + 2]
        if not second or first == second or second not in node:
            return
        onward = node[second]
        said += second + first
        if first in onward:
            self.at(place + 2, onward[first], said, slips)
        if _END in onward and first in _trie():
            self.at(place + 2, _trie()[first], said, slips)


@lru_cache(maxsize=1)
def _trie() -> _Trie:
    root: _Trie = {}
    for syllable in all_syllables():
        if len(syllable) == 1:
            continue  # a, e, o: hardly in a name, and every slip could be one
        node = root
        for letter in syllable:
            node = node.setdefault(letter, {})
        node[_END] = {}
    return root
