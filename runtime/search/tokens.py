"""Text to search tokens, and what a person types to the tokens that must all be there.

A token is lower-case ASCII letters and digits, so that neither database's tokenizer has anything to decide:
``h`` two Han characters (or a lone one) as hex, ``w`` a word, ``d`` four digits of a longer run (or
its last three),
``p`` full pinyin from some syllable on, ``i`` initials from some syllable on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from tabwright.runtime.pinyin import is_han, syllables
from tabwright.runtime.sort_keys import stripped

MOST_WORD = 40  # characters of one token
MOST_PINYIN = 24  # letters of one pinyin token
MOST_INITIALS = 6
MOST_TOKENS = 400  # of one row: a long text is found by its beginning
LONG_RUN = 5  # digits: from here on by parts
MOST_TEXT = 4_000  # characters of one field that are looked at

_ascii_words = re.compile(r"[a-z0-9]+").findall
_digit_runs = re.compile(r"[0-9]{5,}").findall
_not_digit = re.compile(r"[^0-9]+")
_phone_like = re.compile(r"^[+(]?[0-9][0-9 ()+.-]*$").match


def tokens_of(texts: Iterable[str], names: Iterable[str] = ()) -> set[str]:
    """The tokens of a record's texts; ``names`` are texts that are found by pinyin and initials too."""
    found: set[str] = set()
    for text in texts:
        _add(text, found)
    for text in names:
        _add(text, found)
        if not text.isascii():
            found.update(_pinyin(text[:MOST_WORD]))
    if len(found) > MOST_TOKENS:
        return set(sorted(found)[:MOST_TOKENS])
    return found


def _add(text: str, found: set[str]) -> None:
    if len(text) > MOST_TEXT:
        text = text[:MOST_TEXT]
    if text.isascii():
        text = text.lower()
        for word in _ascii_words(text):
            found.add("w" + word[:MOST_WORD])
        _add_digits(text, found)
        return
    # Width is folded first: full-width letters and digits are typed as often as half-width ones.
    run: list[str] = []
    other: list[str] = []
    for character in text:
        if is_han(character):
            run.append(character)
            if other and other[-1] != " ":
                other.append(" ")
        else:
            if run:
                found.update(_han("".join(run)))
                run.clear()
            other.append(character)
    if run:
        found.update(_han("".join(run)))
    if other:
        plain = stripped("".join(other))
        found.update("w" + each for each in _words(plain))
        _add_digits(plain, found)


@lru_cache(maxsize=4096)
def _han(run: str) -> tuple[str, ...]:
    codes = [_code(each) for each in run]
    if len(codes) == 1:
        return ("h" + codes[0],)
    # The last one also stands alone, so that each single character is the beginning of some token.
    return (*("h" + a + b for a, b in zip(codes, codes[1:], strict=False)), "h" + codes[-1])


def _code(character: str) -> str:
    return f"{ord(character):05x}"


def _words(plain: str) -> list[str]:
    words: list[str] = []
    word: list[str] = []
    for character in plain:
        if character.isalnum():
            word.append(character if character.isascii() else f"u{ord(character):05x}")
        elif word:
            words.append("".join(word)[:MOST_WORD])
            word.clear()
    if word:
        words.append("".join(word)[:MOST_WORD])
    return words


def _add_digits(plain: str, found: set[str]) -> None:
    for run in _digit_runs(plain):
        for at in range(len(run) - 3):
            found.add("d" + run[at : at + 4])
        found.add("d" + run[-3:])
    if not plain.isdigit() and _phone_like(plain):
        digits = _not_digit.sub("", plain)  # a number written in groups is found without them
        if len(digits) >= LONG_RUN:
            _add_digits(digits, found)


@lru_cache(maxsize=4096)
def _pinyin(name: str) -> tuple[str, ...]:
    done: list[str] = []
    for run in _han_runs(name):
        read = [_ascii(each) for each in syllables(run)]
        initials = "".join([each[0] for each in read])
        for at in range(len(read)):
            done.append("p" + "".join(read[at : at + MOST_PINYIN])[:MOST_PINYIN])
            if at < len(read) - 1 or at == 0:
                done.append("i" + initials[at : at + MOST_INITIALS])
    return tuple(done)


def _ascii(syllable: str) -> str:
    return syllable if syllable.isascii() else _code(syllable)


def _han_runs(text: str) -> list[str]:
    return "".join([each if is_han(each) else " " for each in text]).split()


class Need:
    """One thing that must be found: any of ``tokens``; each is the beginning of a token, or with ``whole``
    all of it.
    """

    __slots__ = ("tokens", "whole")

    def __init__(self, tokens: tuple[str, ...], whole: bool) -> None:
        self.tokens = tokens
        self.whole = whole

    def __repr__(self) -> str:
        return f"Need({self.tokens}, whole={self.whole})"


def needs_of(text: str) -> list[Need]:
    """What a person typed, as needs that must all be met; empty when nothing in it can be looked for."""
    needs: list[Need] = []
    text = text[:200]
    for run in _han_runs(text):
        codes = [_code(each) for each in run]
        if len(codes) == 1:
            needs.append(Need(("h" + codes[0],), False))
        needs.extend(Need(("h" + a + b,), True) for a, b in zip(codes, codes[1:], strict=False))
    rest = stripped("".join([" " if is_han(each) else each for each in text]))
    if _phone_like(rest.strip()) and len(_not_digit.sub("", rest)) >= LONG_RUN:
        rest = _not_digit.sub("", rest)
    for word in _words(rest):
        if word.isdigit() and len(word) >= 4:
            parts = {word[at : at + 4] for at in range(len(word) - 3)}
            if len(word) == 4:
                needs.append(Need(("d" + word, "w" + word), False))
            else:
                needs.extend(Need(("d" + part,), True) for part in sorted(parts))
        elif word.isdigit() and len(word) == 3:
            needs.append(Need(("d" + word, "w" + word), False))
        elif word.isascii() and word.isalpha():
            needs.append(Need(("w" + word, "p" + word[:MOST_PINYIN], "i" + word[:MOST_INITIALS]), False))
        else:
            needs.append(Need(("w" + word,), False))
    return needs[:40]
