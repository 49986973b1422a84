"""Text in process. Inside a formula a text is never None: blank is the empty text."""

from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from tabwright.formula.budget import PATTERN_INPUT, TEXT_RESULT
from tabwright.formula.figures import NOWHERE, At, fail

SPACES: Final = " \t\n\r\x0b\x0c\xa0\u3000"  # what TRIM takes away
# Where letters with two cases are; a test looks at all others.
_CASED: Final = (range(0x2E80), range(0xA640, 0xABC0), range(0xFF21, 0xFF5B), range(0x10400, 0x1E944))


def _letters(method: str) -> tuple[str, str]:
    """The letters that `method` changes into one other letter, and those letters.

    One to one only, so that a database can do the same with the same two lists; ``WIDE_UPPER`` and
    ``WIDE_LOWER`` are the letters that become two.
    """
    before, after = [], []
    for code in chain.from_iterable(_CASED):
        letter = chr(code)
        changed = getattr(letter, method)()
        if changed != letter and len(changed) == 1:
            before.append(letter)
            after.append(changed)
    return "".join(before), "".join(after)


TO_UPPER: Final = _letters("upper")
TO_LOWER: Final = _letters("lower")
WIDE_UPPER: Final = ("ß", "SS")
WIDE_LOWER: Final = ("İ", "i̇")
_UPPER: Final = str.maketrans({**dict(zip(*TO_UPPER, strict=True)), WIDE_UPPER[0]: WIDE_UPPER[1]})
_LOWER: Final = str.maketrans({**dict(zip(*TO_LOWER, strict=True)), WIDE_LOWER[0]: WIDE_LOWER[1]})


def upper(text: str, at: At = NOWHERE) -> str:
    return text.upper() if text.isascii() else _bounded(text.translate(_UPPER), at)


def lower(text: str, at: At = NOWHERE) -> str:
    return text.lower() if text.isascii() else _bounded(text.translate(_LOWER), at)


def _bounded(text: str, at: At) -> str:
    """A text that may have become twice as long."""
    return text if len(text) <= TEXT_RESULT else fail("FORMULA_TEXT_TOO_LONG", at)


def concat(*parts: str) -> str:
    return "".join(parts)


def joined(at: At, *parts: str) -> str:
    """concat, refused before it is made when it would be longer than a text may be."""
    if sum(map(len, parts)) > TEXT_RESULT:
        fail("FORMULA_TEXT_TOO_LONG", at)
    return "".join(parts)


def length(text: str) -> Decimal:
    return Decimal(len(text))


def left(text: str, count: Decimal) -> str:
    return text[: whole(count)] if count > 0 else ""


def right(text: str, count: Decimal) -> str:
    size = whole(count)
    return text[-size:] if size > 0 else ""


def mid(text: str, start: Decimal, count: Decimal) -> str:
    first, size = max(whole(start), 1) - 1, whole(count)
    return text[first : first + size] if size > 0 else ""


def whole(x: Decimal) -> int:
    """A count or a place: the fraction dropped, held inside what any text has."""
    return int(min(max(x, -BOUND), BOUND))


BOUND: Final = Decimal(1_000_000_000)


def trim(text: str) -> str:
    return text.strip(SPACES)


def contains(text: str, part: str) -> bool:
    return part in text


def begins(text: str, part: str) -> bool:
    return text.startswith(part)


def ends(text: str, part: str) -> bool:
    return text.endswith(part)


def find(part: str, text: str, start: Decimal) -> Decimal:
    """The place of `part` in `text` counted from 1, from `start` on; 0 when it is not there or is blank."""
    return Decimal(text.find(part, max(whole(start), 1) - 1) + 1) if part else Decimal(0)


def substitute(text: str, old: str, new: str, at: At) -> str:
    if not old:
        return text
    if len(text) + text.count(old) * (len(new) - len(old)) > TEXT_RESULT:
        fail("FORMULA_TEXT_TOO_LONG", at)
    return text.replace(old, new)


@lru_cache(1_000)
def pattern(text: str) -> Any:
    """A pattern that takes time in proportion to the text it is matched against. Raises ValueError."""
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(text, options)
    except re2.error as error:
        raise ValueError(error.args[0].decode("utf-8", "replace")) from None


def matches(text: str, expression: str, at: At) -> bool:
    """Whether the whole of `text` fits the pattern `expression`."""
    if len(text) > PATTERN_INPUT or len(expression) > PATTERN_INPUT:
        fail("FORMULA_TEXT_TOO_LONG", at)
    try:
        found = pattern(expression)
    except ValueError:
        fail("FORMULA_PATTERN", at)
    return found.fullmatch(text) is not None


def following(text: str) -> str | None:
    """The least text after all that begin with `text`, by code point; None when there is none."""
    while text:
        code = ord(text[-1]) + 1
        if code <= 0x10FFFF:
            return text[:-1] + chr(0xE000 if 0xD800 <= code <= 0xDFFF else code)
        text = text[:-1]
    return None
