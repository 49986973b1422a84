"""Two forms of a text that the write path keeps beside it: what lists sort by, and what ignore-case rules
compare.

Both are computed here only (decision 0003), so SQLite, PostgreSQL and Python order and compare alike.
"""

from __future__ import annotations

import re
import unicodedata

from tabwright.formula.pinyin import replace_han, syllables

MOST = 200  # characters of a sort key
SEPARATOR = "\x01"  # stands before the text itself: below every character a text may hold


def sort_key(text: str) -> str:
    """Pinyin for Han, case-folded and accent-stripped for the rest, then the text itself; a total order."""
    if text.isascii():
        return f"{text.lower()}{SEPARATOR}{text}"[:MOST]
    return f"{_plain(text)}{SEPARATOR}{text}"[:MOST]


def folded(text: str) -> str:
    """What an ignore-case unique rule compares: width and case are gone, accents are not."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text).casefold()


def stripped(text: str) -> str:
    """Case-folded, width-folded, without accents: what people type when they look for it."""
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text).casefold()
    return "".join([each for each in spread if not unicodedata.combining(each)])


def _plain(text: str) -> str:
    return stripped(replace_han(_read, text))


def _read(run: re.Match[str]) -> str:
    # A space after each syllable: all of one character stand together (wang before wangs).
    return " ".join(syllables(run[0])) + " "
