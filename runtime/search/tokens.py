"""Text to search tokens, and what a person types to the tokens that must all be there.

A token is lower-case ASCII letters and digits, so that neither database's tokenizer has anything to decide:
``h`` two Han characters (or a lone one) as hex, ``w`` a word, ``d`` four digits of a longer run (or
its last three),
``p`` full pinyin from some syllable on, ``i`` initials from some syllable on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from tabwright.formula.pinyin import han_runs, replace_han, syllables
from tabwright.runtime.search.nearness import LONGEST, SHORTEST
from tabwright.runtime.sort_keys import stripped

MOST_WORD = 40  # characters of one token
MOST_PINYIN = 24  # letters of one pinyin token
MOST_INITIALS = 6
MOST_STARTS = 8  # syllables of a name from which its sound is found
MOST_TOKENS = 1_000  # of one row: when it has so many, its further texts are left out
LONG_RUN = 5  # digits: from here on by parts
MOST_TEXT = 1_000  # characters of one field: a long text is found by its beginning

_ascii_words = re.compile(r"[a-z0-9]+").findall
_digit_runs = re.compile(r"[0-9]{5,}").findall
_not_digit = re.compile(r"[^0-9]+")
_phone_like = re.compile(r"^[+(]?[0-9][0-9 ()+.-]*$").match


def tokens_of(texts: Iterable[str], names: Iterable[str] = ()) -> set[str]:
    """The tokens of a record's texts; ``names`` are texts that are found by pinyin and initials too."""
    found: set[str] = set()
    for text in names:
        _add(text, found)
        if not text.isascii():
            found.update(_pinyin(text[:MOST_WORD]))
    for text in texts:
        if len(found) > MOST_TOKENS:
            break
        _add(text, found)
    return found


def _add(text: str, found: set[str]) -> None:
    if len(text) > MOST_TEXT:
        text = text[:MOST_TEXT]
    if not text.isascii():
        runs = han_runs(text)
        for run in runs:
            found.update(_han(run))
        if runs:
            text = _not_han(text)
        text = stripped(text)
        if not text.isascii():
            found.update(["w" + each for each in _words(text)])
            _add_digits(text, found)
            return
    else:
        text = text.lower()
    for word in _ascii_words(text):
        found.add("w" + word[:MOST_WORD])
    _add_digits(text, found)


def _not_han(text: str) -> str:
    return replace_han(" ", text)


def _han(run: str) -> list[str]:
    """Each two neighbours; the last one also alone, so that every character is the beginning of some
    token.
    """
    codes = run.encode("utf-16-be").hex()
    if len(codes) != 4 * len(run):  # beyond the basic plane
        each = [_code(character) for character in run]
        return [*("h" + a + b for a, b in zip(each, each[1:], strict=False)), "h" + each[-1]]
    grams = ["h" + codes[at : at + 8] for at in range(0, len(codes) - 4, 4)]
    grams.append("h" + codes[-4:])
    return grams


def _code(character: str) -> str:
    return character.encode("utf-16-be").hex()


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
        found.update(["d" + run[at : at + 4] for at in range(len(run) - 3)])
        found.add("d" + run[-3:])
    if not plain.isalnum() and _phone_like(plain):
        digits = _not_digit.sub("", plain)  # a number written in groups is found without them
        if len(digits) >= LONG_RUN and digits not in plain:
            _add_digits(digits, found)


def _pinyin(name: str) -> list[str]:
    done: list[str] = []
    for run in han_runs(name):
        read = [each if each.isascii() else _code(each) for each in syllables(run)]
        initials = "".join([each[0] for each in read])
        whole = "".join(read)
        at = 0
        # What stands further behind in a long name ("... Co., Ltd.") nobody looks for by its sound.
        for nth, each in enumerate(read[:MOST_STARTS]):
            done.append("p" + whole[at : at + MOST_PINYIN])
            if nth < len(read) - 1 or nth == 0:
                done.append("i" + initials[nth : nth + MOST_INITIALS])
            at += len(each)
    return done


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that must be found: a token that begins with one of ``starts`` or is one of ``wholes``.
    ``word`` is the Latin word it was typed as, "" for anything else.
    """

    starts: tuple[str, ...] = ()
    wholes: tuple[str, ...] = ()
    word: str = ""

    def met_by(self, token: str) -> bool:
        """Whether a token meets it: the rule that both engines follow."""
        return token in self.wholes or token.startswith(self.starts)


def needs_of(text: str) -> list[Need]:
    """What a person typed, as needs that must all be met; empty when nothing in it can be looked for."""
    needs: list[Need] = []
    text = text[:200]
    for run in han_runs(text):
        codes = [_code(each) for each in run]
        if len(codes) == 1:
            needs.append(Need(("h" + codes[0],)))
        needs.extend(Need((), ("h" + a + b,)) for a, b in zip(codes, codes[1:], strict=False))
    rest = stripped(_not_han(text))
    if _phone_like(rest.strip()) and len(_not_digit.sub("", rest)) >= LONG_RUN:
        rest = _not_digit.sub("", rest)
    for word in _words(rest):
        if word.isdigit() and len(word) >= 4:
            parts = {word[at : at + 4] for at in range(len(word) - 3)}
            if len(word) == 4:
                needs.append(Need(("d" + word, "w" + word)))
            else:
                needs.extend(Need((), ("d" + part,)) for part in sorted(parts))
        elif word.isdigit() and len(word) == 3:
            needs.append(Need(("d" + word, "w" + word)))
        elif word.isascii() and word.isalpha():
            starts = ("w" + word, "p" + word[:MOST_PINYIN], "i" + word[:MOST_INITIALS])
            needs.append(Need(starts, (), word))
        else:
            needs.append(Need(("w" + word,)))
    return needs[:40]


def of_name(token: str) -> bool:
    """Whether only names have tokens of this kind: those by sound."""
    return token[0] in "pi"


def nearer(need: Need, words: Iterable[str], readings: Iterable[str]) -> Need:
    """The same need, met by other words and readings too: those that may have been meant."""
    starts = (*need.starts, *("p" + each[:MOST_PINYIN] for each in readings))
    return Need(starts, (*need.wholes, *("w" + each for each in words)), need.word)


def words_in(tokens: Iterable[str]) -> set[str]:
    """The Latin words among tokens that somebody may mistype."""
    words = (each[1:] for each in tokens if each.startswith("w") and SHORTEST <= len(each) <= LONGEST + 1)
    return {each for each in words if each.isascii() and each.isalpha()}
