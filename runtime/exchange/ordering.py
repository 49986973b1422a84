"""Rows that name other rows of the same file, in an order in which each finds what it names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row, the keys by which others may name it, and the keys that it names."""

    number: int
    own: tuple[int, ...]
    parents: tuple[int, ...]


def in_levels(rows: Iterable[Waiting]) -> tuple[list[list[int]], list[int]]:
    """Row numbers in levels, each naming only rows of levels before it; and those left: rings, with what
    hangs on them. Names that no row of these has are somebody else's affair.
    """
    rows = list(rows)
    makers: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        for key in row.own:
            makers[key].append(row.number)
    open_parents: dict[int, int] = {}
    children: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        named = {number for key in row.parents for number in makers.get(key, ())}
        open_parents[row.number] = len(named)
        for number in named:
            children[number].append(row.number)
    levels: list[list[int]] = []
    level = sorted(number for number, count in open_parents.items() if not count)
    while level:
        levels.append(level)
        following = []
        for number in level:
            del open_parents[number]
        for number in level:
            for child in children[number]:
                open_parents[child] -= 1
                if not open_parents[child]:
                    following.append(child)
        level = sorted(following)
    return levels, sorted(open_parents)
