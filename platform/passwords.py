"""Passwords that are guessed first: well-known ones, rows of keys, repetitions, the address itself.

No network is asked.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Set as AbstractSet
from functools import cache
from pathlib import Path

import msgspec

_LIKE = str.maketrans("@$!|", "asil")
_DIGITS = str.maketrans("013457", "oleast")
_ROWS = (
    "01234567890123456789", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl",
    "zxcvbnm", "qwertyuiopasdfghjklzxcvbnm", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p", "qazwsxedcrfvtgbyhn",
    "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0", "147258369", "147852369", "123qweasdzxc", "qweasdzxc",
)  # fmt: skip
_LEAST = 4  # characters of a piece that may be recognised; a word may have one less
_UNKNOWN = 5  # different characters that must be left


@cache
def _words() -> frozenset[str]:
    content = Path(__file__).with_name("common_passwords.json").read_bytes()
    return frozenset(msgspec.json.decode(content, type=list[str]))


def is_common(password: str, address: str) -> bool:
    """Whether the password is one that is tried first against an account with that (folded) address: whether
    hardly anything of it is left when what is well known is taken out.
    """
    plain = unicodedata.normalize("NFKC", password).casefold()
    pieces = (address, *address.replace("@", " ").replace(".", " ").split())
    known = _words() | {piece for piece in pieces if len(piece) >= _LEAST - 1}
    forms = (plain, plain.translate(_LIKE).translate(_DIGITS))
    return any(len(set(_left(form, known))) < _UNKNOWN for form in forms)


def _left(text: str, known: AbstractSet[str]) -> str:
    """What nobody knows beforehand; at each place the longest known piece goes."""
    left, at = "", 0
    while at < len(text):
        sizes = range(len(text) - at, _LEAST - 2, -1)
        size = next((n for n in sizes if _is_known(text[at : at + n], known)), 0)
        left += "" if size else text[at]
        at += size or 1
    return left


def _is_known(piece: str, known: AbstractSet[str]) -> bool:
    if piece in known or len(set(piece)) == 1:
        return True
    if len(piece) < _LEAST:
        return False
    half = len(piece) // 2
    is_row = any(piece in row or piece[::-1] in row for row in _ROWS)
    is_year = len(piece) == 4 and piece.isdigit() and "1940" <= piece <= "2039"
    return is_row or is_year or piece == piece[:half] * 2
