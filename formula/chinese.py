"""What China writes and numbers in its own way: amounts in capitals, identity cards, credit codes, pinyin."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from tabwright.formula import pinyin
from tabwright.formula.budget import TEXT_RESULT
from tabwright.formula.figures import At, fail

_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_STEPS: Final = ("", "拾", "佰", "仟")
_WEIGHTS: Final = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS: Final = "10X98765432"
_PROVINCES: Final = frozenset(
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82"
    " 83".split()
)
_CREDIT: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def capitals(amount: Decimal) -> str:
    """An amount of money as a Chinese cheque has it, to the fen."""
    cents = int(amount.quantize(Decimal("0.01"), ROUND_HALF_UP).scaleb(2))
    sign, cents = "负" if cents < 0 else "", abs(cents)
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    if not cents:
        return "零元整"
    text = _whole(yuan) + "元" if yuan else ""
    if jiao:
        text += _DIGITS[jiao] + "角"
    elif fen and yuan:
        text += "零"
    return sign + text + (_DIGITS[fen] + "分" if fen else "整")


def _whole(number: int) -> str:
    """A whole number above 0: by 亿, then by 万."""
    for size, name in ((10**8, "亿"), (10**4, "万")):
        if number >= size:
            high, low = divmod(number, size)
            gap = "零" if low and low < size // 10 else ""
            return _whole(high) + name + gap + (_whole(low) if low else "")
    found = gap = ""
    for step in (3, 2, 1, 0):
        digit = number // 10**step % 10
        if digit:
            found += gap + _DIGITS[digit] + _STEPS[step]
            gap = ""
        elif found:
            gap = "零"
    return found


def identity_card(text: str) -> bool:
    """Whether a text is the number of an identity card: 18 characters, a birthday, the check digit."""
    digits, check = text[:17], text[17:].upper()
    if len(text) != 18 or not (digits.isascii() and digits.isdigit()) or text[:2] not in _PROVINCES:
        return False
    try:
        date(int(text[6:10]), int(text[10:12]), int(text[12:14]))
    except ValueError:
        return False
    weighed = sum(int(digit) * weight for digit, weight in zip(digits, _WEIGHTS, strict=True))
    return _CHECKS[weighed % 11] == check


def credit_code(text: str) -> bool:
    """Whether a text is a unified social credit code: 18 characters, the last of which checks the others."""
    if len(text) != 18 or any(sign not in _CREDIT for sign in text):
        return False
    weighed = sum(_CREDIT.index(sign) * pow(3, n, 31) for n, sign in enumerate(text[:17]))
    return _CREDIT[-weighed % 31] == text[17]


def read_aloud(text: str, style: str, at: At) -> str:
    """`text` with its Han characters in pinyin: syllables, or their first letters when `style` is
    "initials".
    """
    if len(text) > TEXT_RESULT // 8:
        fail("FORMULA_TEXT_TOO_LONG", at)
    initials = style == "initials"

    def said(found: object) -> str:
        syllables = pinyin.syllables(found.group())  # type: ignore[attr-defined]
        return "".join(each[0] for each in syllables) if initials else f" {' '.join(syllables)} "

    spoken = pinyin.replace_han(said, text)
    return spoken if initials else " ".join(spoken.split())
