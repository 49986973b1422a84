"""How Han characters are read: toneless pinyin, character by character, with phrases for those of several
readings.

The dictionaries of the pinyin library take 57 MB and 50 us a name when used through it. Here they are read
once, on the first Han character a process meets, and only what differs from a character's first reading is
kept.
"""

from __future__ import annotations

import gc
import importlib.util
import re
import threading
import unicodedata
from functools import cache, lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import cast

LONGEST_PHRASE = 4  # longer ones are sayings, not names

_load_lock = threading.Lock()


class _Readings:
    """``characters``: character -> syllable; ``phrases``: first character -> ((phrase, syllables), ...)
    longest first.
    """

    def __init__(self, digest: str) -> None:
        characters, _, phrases = digest.partition("\n")
        known: dict[str, str] = {}
        self.characters: dict[str, str] = {
            word[0]: known.setdefault(word[1:], word[1:]) for word in characters.split(" ")
        }
        by_first: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        for line in phrases.split("\n"):
            phrase, *read = line.split(" ")
            said = tuple(known.setdefault(each, each) for each in read)
            by_first.setdefault(phrase[0], []).append((phrase, said))
        self.phrases = {
            first: tuple(sorted(found, key=lambda each: -len(each[0]))) for first, found in by_first.items()
        }


def _digest() -> str:
    """What is worth keeping of the dictionaries, as one text: built apart so that all else can be given
    back.
    """
    tone: dict[int, str] = {}
    for code in range(0x00C0, 0x1F00):
        plain = unicodedata.normalize("NFD", chr(code))
        if len(plain) > 1 and plain[0].isascii() and plain[0].isalpha():
            tone[code] = plain[0]
    tone |= dict.fromkeys(range(0x0300, 0x0330), "")
    tone |= {ord(each): "v" for each in "üǖǘǚǜ"}
    first = {
        chr(code): said.partition(",")[0].translate(tone)
        for code, said in cast("dict[int, str]", _data("pinyin_dict").pinyin_dict).items()
        if 0x3007 <= code <= 0x9FFF  # of the rarer planes nobody knows the reading by heart
    }
    lines = [" ".join(character + said for character, said in first.items())]
    for phrase, said in cast("dict[str, list[list[str]]]", _data("phrases_dict").phrases_dict).items():
        if len(phrase) <= LONGEST_PHRASE and len(said) == len(phrase):
            read = [each[0].translate(tone) for each in said]
            if any(first.get(character) != each for character, each in zip(phrase, read, strict=True)):
                lines.append(" ".join((phrase, *read)))
    return "\n".join(lines)


def _data(name: str) -> ModuleType:
    """A data module of the library alone: importing its package would load and keep everything."""
    package = PathFinder.find_spec("pypinyin")
    folders = package.submodule_search_locations if package is not None else None
    spec: ModuleSpec | None = PathFinder.find_spec(name, list(folders or ()))
    if spec is None or spec.loader is None:
        raise ImportError(f"pypinyin has no {name}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def _readings() -> _Readings:
    digest = _digest()
    gc.collect()  # the library's modules are rings: 30 MB that would stay until the next full collection
    return _Readings(digest)


def warm() -> None:
    """Read the dictionaries now (0.3 s), so that no request waits for them."""
    with _load_lock:
        _readings()


@lru_cache(maxsize=4096)
def syllables(run: str) -> tuple[str, ...]:
    """The syllables of a run of Han characters, one each; a character nobody reads stands for itself."""
    if _readings.cache_info().currsize == 0:
        warm()
    known = _readings()
    characters, phrases = known.characters, known.phrases
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
                done.append(characters.get(character, character))
        else:
            done.append(characters.get(character, character))
    return tuple(done)


@lru_cache(maxsize=1)
def all_syllables() -> tuple[str, ...]:
    """Every toneless syllable that a character is read as; such as are sounds only (m, ng) left out."""
    if _readings.cache_info().currsize == 0:
        warm()
    said = set(_readings().characters.values())
    return tuple(sorted(each for each in said if each.isascii() and not set("aeiouv").isdisjoint(each)))


_han = re.compile(r"[\u4e00-\u9fff\u3400-\u4dbf\u3007\uf900-\ufaff\U00020000-\U000323af]+")
han_runs = _han.findall  # every run of Han characters in a text
replace_han = _han.sub  # (replacement, text): each run replaced


def is_han(character: str) -> bool:
    """Whether a character is Han: CJK ideographs with their extensions, and the zero."""
    return _han.match(character) is not None
