"""How Han characters are read: toneless pinyin, character by character, with phrases for those of several
readings.

The readings are pinyin.json, which tools/make_readings makes; it is read on the first Han character a process
meets.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from array import array
from functools import cache, lru_cache
from pathlib import Path

_FIRST, _LAST = 0x3007, 0x9FFF

_load_lock = threading.Lock()


class _Readings:
    """``phrases``: first character -> ((phrase, syllables), ...) longest first."""

    def __init__(self, characters: dict[str, str], phrases: dict[str, str]) -> None:
        self.syllables = tuple(characters)
        # Two bytes a character, where a dict of them takes two hundred.
        self._numbers = array("H", bytes(2 * (_LAST - _FIRST + 1)))
        for number, read_so in enumerate(characters.values(), start=1):
            for character in read_so:
                self._numbers[ord(character) - _FIRST] = number
        by_first: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for phrase, said in phrases.items():
            by_first.setdefault(phrase[0], []).append((phrase, tuple(map(sys.intern, said.split(" ")))))
        self.phrases = {
            first: tuple(sorted(found, key=lambda each: -len(each[0]))) for first, found in by_first.items()
        }

    def of(self, character: str) -> str:
        """The first reading of a character, or the character itself."""
        code = ord(character)
        number = self._numbers[code - _FIRST] if _FIRST <= code <= _LAST else 0
        return self.syllables[number - 1] if number else character


@cache
def _readings() -> _Readings:
    kept = json.loads(Path(__file__).with_name("pinyin.json").read_text("utf-8"))
    return _Readings(kept["characters"], kept["phrases"])


def warm() -> None:
    """Read them now, so that no request waits for it."""
    with _load_lock:
        _readings()


@lru_cache(maxsize=4096)
def syllables(run: str) -> tuple[str, ...]:
    """The syllables of a run of Han characters, one each; a character nobody reads stands for itself."""
    if _readings.cache_info().currsize == 0:
        warm()
    known = _readings()
    phrases = known.phrases
    done: list[str] = []
    skip = 0
    for at, character in enumerate(run):
        if skip:
            skip -= 1
            continue
        found = phrases.get(character)
        if found is not None:
            for phrase, read in found:
                if run.startswith(phrase, at):
                    done.extend(read)
                    skip = len(phrase) - 1
                    break
            else:
                done.append(known.of(character))
        else:
            done.append(known.of(character))
    return tuple(done)


@lru_cache(maxsize=1)
def all_syllables() -> tuple[str, ...]:
    """Every toneless syllable that a character is read as; such as are sounds only (m, ng) left out."""
    if _readings.cache_info().currsize == 0:
        warm()
    said = set(_readings().syllables)
    return tuple(sorted(each for each in said if each.isascii() and not set("aeiouv").isdisjoint(each)))


_han = re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf\u3007\uf900-\ufaff\U00020000-\U000323af]+")
han_runs = _han.findall  # every run of Han characters in a text
replace_han = _han.sub  # (replacement, text): each run replaced


def is_han(character: str) -> bool:
    """Whether a character is Han: CJK ideographs with their extensions, and the zero."""
    return _han.match(character) is not None
