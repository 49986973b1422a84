"""Functions that make texts of texts, in process. Every length is looked at before the text is made."""

import json
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final
from urllib.parse import quote_plus

from tabwright.formula import figures, strings
from tabwright.formula.budget import PATTERN_INPUT, TEXT_RESULT
from tabwright.formula.figures import At, fail
from tabwright.formula.strings import whole

_HTML: Final = str.maketrans(
    {"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&#39;", "\u2028": "<br>", "\u2029": "<p>"}
)
_SCRIPT: Final = str.maketrans(
    {
        "\\": "\\\\",
        "'": "\\'",
        '"': '\\"',
        "\n": "\\n",
        "\r": "\\r",
        "<": "\\u003C",
        ">": "\\u003E",
        "\u2028": "\\u2028",
        "\u2029": "\\u2029",
        "/": "\\/",
    }
)
_TURKISH: Final = frozenset(("tr", "az"))
_SCHEMES: Final = ("http:", "https:", "mailto:", "tel:")
_PLACES: Final[Mapping[str, int]] = dict.fromkeys(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
) | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)


def _inside(text: str, at: At) -> str:
    """`text`, if it is no longer than a text may be."""
    return text if len(text) <= TEXT_RESULT else fail("FORMULA_TEXT_TOO_LONG", at)


def _padding(text: str, count: Decimal, padding: str, at: At) -> str:
    missing = whole(count) - len(text)
    if not text or not padding or missing <= 0:
        return ""
    if whole(count) > TEXT_RESULT:
        fail("FORMULA_TEXT_TOO_LONG", at)
    return (padding * (missing // len(padding) + 1))[:missing]


def lpad(text: str, count: Decimal, padding: str, at: At) -> str:
    """`text` filled up on its left to `count` characters, or cut to them."""
    return _padding(text, count, padding, at) + strings.left(text, count)


def rpad(text: str, count: Decimal, padding: str, at: At) -> str:
    """`text` filled up on its right to `count` characters, or cut to them."""
    return strings.left(text, count) + _padding(text, count, padding, at)


def repeat(text: str, count: Decimal, at: At) -> str:
    times = max(whole(count), 0)
    if len(text) * times > TEXT_RESULT:
        fail("FORMULA_TEXT_TOO_LONG", at)
    return text * times


def substr(text: str, start: Decimal, count: Decimal) -> str:
    """Characters from a place counted from 1, or from the end when it is negative; none from before the
    beginning.
    """
    first, size = whole(start), whole(count)
    if size <= 0:
        return ""
    first = len(text) + first if first < 0 else max(first, 1) - 1
    return text[first : first + size] if first >= 0 else ""


def reverse(text: str) -> str:
    return text[::-1]


def proper(text: str) -> str:
    """Each word with a capital and then small letters; letters and digits make a word."""
    found, start = [], True
    for letter in text:
        cased = letter.isupper() or letter.islower() or letter.istitle()
        found.append((strings.upper if start else strings.lower)(letter) if cased else letter)
        start = not (cased or letter.isdigit())
    return "".join(found)


def upper_in(text: str, locale: str) -> str:
    """In capitals as a language writes them: in Turkish the i keeps its dot."""
    if locale.lower()[:2] in _TURKISH:
        text = text.replace("i", "İ").replace("ı", "I")
    return strings.upper(text)


def lower_in(text: str, locale: str) -> str:
    """In small letters as a language writes them: in Turkish the I has no dot."""
    if locale.lower()[:2] in _TURKISH:
        text = text.replace("I", "ı").replace("İ", "i")
    return strings.lower(text)


def code_of(text: str) -> Decimal | None:
    """The number of the first character in Unicode."""
    return Decimal(ord(text[0])) if text else None


def character(code: Decimal) -> str:
    """The character of a number in Unicode; blank where there is none."""
    number = whole(code)
    return chr(number) if 0 < number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else ""


def html(text: str, at: At) -> str:
    """`text` as it stands in HTML, outside and inside of attributes."""
    return _inside(text.translate(_HTML), at)


def script(text: str, at: At) -> str:
    """`text` as it stands between the quotes of a text of JavaScript."""
    return _inside(text.translate(_SCRIPT), at)


def url_part(text: str, at: At) -> str:
    """`text` as the value of a parameter of an address."""
    return _inside(quote_plus(text, safe="*", encoding="utf-8", errors="replace").replace("~", "%7E"), at)


def address(text: str, at: At) -> str:
    """An address for an attribute of HTML; blank for one that a browser would run."""
    bare = "".join(text.split()).lower()
    before = bare.partition("/")[0]
    safe = bare.startswith(_SCHEMES) or ":" not in before
    return html(text.strip(), at) if safe else ""


def piece(text: str, separator: str, number: Decimal) -> str:
    """The piece of that number between separators, counted from 1, or from the end when it is negative."""
    pieces = text.split(separator) if separator else [text]
    index = whole(number)
    index = index - 1 if index > 0 else index + len(pieces) if index < 0 else -1
    return pieces[index] if 0 <= index < len(pieces) else ""


def joined(separator: str, *rest: Any) -> str:
    """The texts that are not blank, with the separator between them."""
    *texts, at = rest
    parts = [text for text in texts if text]
    if sum(map(len, parts)) + len(separator) * max(len(parts) - 1, 0) > TEXT_RESULT:
        fail("FORMULA_TEXT_TOO_LONG", at)
    return separator.join(parts)


def fits(text: str, pattern: str, at: At) -> bool:
    """Whether the whole of `text` fits a pattern: % stands for any characters, _ for one, \\ for the next
    one itself.
    """
    if len(text) > PATTERN_INPUT:
        fail("FORMULA_TEXT_TOO_LONG", at)
    signs = like_signs(pattern)
    # At the last % so far: what follows it in the pattern, and where in the text it ended.
    back: tuple[int, int] | None = None
    i = n = 0
    while i < len(text):
        if n < len(signs) and signs[n] == "%%":
            back = (n + 1, i)
            n += 1
        elif n < len(signs) and (signs[n] == "__" or signs[n] == text[i]):
            i, n = i + 1, n + 1
        elif back is not None:
            back = (back[0], back[1] + 1)
            n, i = back
        else:
            return False
    return all(sign == "%%" for sign in signs[n:])


def like_signs(pattern: str) -> list[str]:
    """The signs of a pattern: "%%" and "__" where they are meant so, else a character."""
    found, escaped = [], False
    for sign in pattern:
        if escaped or sign not in "%_\\":
            found.append(sign)
            escaped = False
        elif sign == "\\":
            escaped = True
        else:
            found.append(sign * 2)
    return found + ["\\"] if escaped else found


def replaced(text: str, pattern: str, new: str, at: At) -> str:
    """`text` with everything that fits the pattern replaced; \\1 in `new` is the first group."""
    parts, end, size = [], 0, 0
    for match in _matches(text, pattern, at):
        part = text[end : match.start()] + _expanded(match, new)
        size += len(part)
        if size > TEXT_RESULT:
            fail("FORMULA_TEXT_TOO_LONG", at)
        parts.append(part)
        end = match.end()
    return _inside("".join([*parts, text[end:]]), at)


def _matches(text: str, pattern: str, at: At) -> Any:
    if len(text) > PATTERN_INPUT:
        fail("FORMULA_TEXT_TOO_LONG", at)
    return strings.pattern(pattern).finditer(text)


def _expanded(match: Any, new: str) -> str:
    if "\\" not in new:
        return new
    found, escaped = [], False
    for sign in new:
        if escaped:
            known = sign.isdigit() and int(sign) <= len(match.groups())
            found.append((match.group(int(sign)) or "") if known else sign)
            escaped = False
        elif sign == "\\":
            escaped = True
        else:
            found.append(sign)
    return "".join(found)


def extracted(text: str, pattern: str, group: Decimal, at: At) -> str:
    """The first part of `text` that fits the pattern, or a group of it; blank where nothing does."""
    match = next(iter(_matches(text, pattern, at)), None)
    return "" if match is None else match.group(whole(group)) or ""


def filled(pattern: str, *rest: Any) -> str:
    """`pattern` with {0}, {1} ... replaced by the texts after it; '{' is the sign itself, '' a quote."""
    *texts, at = rest
    found: list[str] = []
    size = i = 0
    quoted = False
    while i < len(pattern):
        part, i = pattern[i], i + 1
        if part == "'":
            if pattern[i : i + 1] == "'":
                i += 1
            else:
                quoted, part = not quoted, ""
        elif part == "{" and not quoted:
            name, closed, _ = pattern[i:].partition("}")
            if not closed or not name.strip().isdecimal() or len(name) > 3:
                fail("FORMULA_BAD_FORMAT", at)
            i += len(name) + 1
            number = int(name)
            part = texts[number] if number < len(texts) else f"{{{number}}}"
        size += len(part)
        if size > TEXT_RESULT:
            fail("FORMULA_TEXT_TOO_LONG", at)
        found.append(part)
    return "".join(found)


def money(code: str, amount: Decimal) -> str:
    """An amount with its currency: "USD 1,234.50"; as many places as the currency has."""
    places = _PLACES.get(code.upper(), 2)
    rounded = amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP) + figures.ZERO
    return f"{code} {rounded:,f}" if code else f"{rounded:,f}"


def json_value(text: str, path: str, at: At) -> str:
    """What stands at a path (a.b[0].c) of a text in JSON; blank where there is nothing."""
    if not text:
        return ""
    if len(text) > TEXT_RESULT or text.count("[") + text.count("{") > 1_000:
        fail("FORMULA_TEXT_TOO_LONG", at)
    try:
        found: Any = json.loads(text, parse_float=Decimal)
    except (ValueError, RecursionError, ArithmeticError):
        fail("FORMULA_NOT_JSON", at)
    for step in path.removeprefix("$").replace("[", ".[").split("."):
        step = step.strip()
        if not step:
            continue
        if step.startswith("["):
            step = step[1:].removesuffix("]").strip("\"'")
        if isinstance(found, list):
            found = found[int(step)] if step.isdecimal() and int(step) < len(found) else None
        else:
            found = found.get(step) if isinstance(found, dict) else None
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, int):
        return str(found)
    if isinstance(found, Decimal):
        return figures.number_text(found) if found.is_finite() and abs(found.adjusted()) < 100 else str(found)
    if isinstance(found, (dict, list)):
        return json.dumps(found, ensure_ascii=False, default=float, separators=(",", ":"))
    return found or ""


def is_number(text: str) -> bool:
    """Whether VALUE gives a number for `text`."""
    try:
        return figures.text_number(text, figures.NOWHERE) is not None
    except ArithmeticError:
        return False


_SAFE: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def case_safe(text: str) -> str:
    """A 15-character id of Salesforce with the three characters that tell its capitals; all else as it is."""
    if len(text) != 15 or not (text.isascii() and text.isalnum()):
        return text
    thirds = (text[0:5], text[5:10], text[10:15])
    return text + "".join(_SAFE[sum(c.isupper() << n for n, c in enumerate(part))] for part in thirds)
