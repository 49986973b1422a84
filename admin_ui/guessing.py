"""What the columns of a file most likely are: the type of a field out of the texts in its cells.

Pure: columns in, guesses out. A type is guessed where the write path would take every text of the column, or
all but a few of a long one ("to be agreed" among prices): those are put right in the import. A column that is
mixed is text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from tabwright.admin_ui.names import suggested
from tabwright.metadata.fieldtypes import value_type
from tabwright.metadata.model import FieldDef
from tabwright.runtime.currencies import currency_in
from tabwright.runtime.exchange.dates import Order, guess_order, read_day, read_moment
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.records.coerce.figures import MOST_DIGITS, read_number
from tabwright.runtime.records.values import Refused, converter

MOST_CHOICES = 30  # different values that are guessed to be a list of choices
MOST_KEPT = 20_000  # different texts of a column that are looked at
_LONGEST_CHOICE = 40
_LONGEST_LINE = 255
_LONGEST_NUMBER = 15  # digits; a longer one is a card, an order, an identity: nobody adds it up

SELF = "@self"  # the target of a lookup to the object that is being made

_FEW = 20  # one text in so many may be of another kind, or be missing, or stand twice

_MONEY_HEADER = re.compile(r"price|amount|cost|\bfee\b|价|金额|费用|成本|货款|定金|押金|余款", re.I)
_YES_NO_HEADER = re.compile(r"^(is|has|can)[\s_]|是否|^有无", re.I)
_DAY_HEADER = re.compile(r"date|day|日|时间", re.I)
_PHONE_HEADER = re.compile(r"phone|mobile|\btel|fax|电话|手机|传真", re.I)
_KEY_HEADER = re.compile(
    r"(^|[\s_-])(id|code|no|number|key|sku|vin)\.?$|编号|编码|代码|单号|工号|号码$|车架号|序列号", re.I
)
_LINK = re.compile(r"(https?://|www\.)\S+", re.I)
_MOBILE = re.compile(r"(?:\+86|0086)?[\s-]?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}|\+\d[\d\s()-]{6,}")


@dataclass(frozen=True, slots=True)
class Profile:
    """A column as it was read: ``values`` are its different texts in order, blanks apart."""

    header: str
    values: Sequence[str]
    filled: int  # cells that are not blank
    rows: int

    @property
    def is_unique(self) -> bool:
        """Whether every row has a text, and no two the same."""
        return 1 < self.filled == self.rows == len(self.values)

    @property
    def is_nearly_unique(self) -> bool:
        """Whether that holds but for a few rows, which an import would refuse one by one."""
        return len(self.values) > 1 and _FEW * (self.rows - len(self.values)) <= self.rows

    @property
    def is_nearly_full(self) -> bool:
        return bool(self.filled) and _FEW * (self.rows - self.filled) <= self.rows


@dataclass(frozen=True, slots=True)
class Guess:
    """A field for a column. ``target`` is a lookup's object, ``SELF`` for the new object itself."""

    type: str
    options: Mapping[str, Any] = field(default_factory=dict)
    target: str | None = None
    can_be_key: bool = False
    is_key: bool = False
    odd: tuple[str, ...] = ()  # texts that are not of the type


Known = Callable[[str, Sequence[str]], str | None]
"""(header, values) -> the existing object whose records they name, or None."""


def profiles(header: Sequence[str], rows: Iterable[Sequence[str]]) -> tuple[Profile, ...]:
    """The columns of a file, in one pass."""
    seen: list[dict[str, None]] = [{} for _ in header]
    filled = [0] * len(header)
    count = 0
    for row in rows:
        count += 1
        for at, cell in enumerate(row[: len(header)]):
            if cell:
                filled[at] += 1
                if len(seen[at]) < MOST_KEPT:
                    seen[at].setdefault(cell)
    return tuple(Profile(name, tuple(seen[at]), filled[at], count) for at, name in enumerate(header))


def guesses(columns: Sequence[Profile], known: Known) -> tuple[Guess, ...]:
    """A guess for each column."""
    first = tuple(_guess(each) for each in columns)
    name = name_column(columns, first)
    names = set(columns[name].values) if name is not None else set()
    found = []
    for at, (column, guess) in enumerate(zip(columns, first, strict=True)):
        if at != name and guess.type in ("text", "picklist"):
            target = known(column.header, column.values)
            if target is None and column.values and names.issuperset(column.values):
                target = SELF  # "subsidiary of", "上级": what other rows of the file are called
            if target is not None and not column.is_unique:
                guess = Guess("lookup", target=target)
        found.append(guess)
    return tuple(found)


def name_column(columns: Sequence[Profile], found: Sequence[Guess]) -> int | None:
    """The column that names records: the first text that tells all rows apart, else one without gaps."""
    texts = [at for at, each in enumerate(found) if each.type == "text"]
    unique = [at for at in texts if columns[at].is_nearly_unique]
    words = [at for at in unique if not found[at].is_key]
    full = [at for at in texts if columns[at].is_nearly_full]
    return next(iter(words or unique or full), None)


def options_for(type: str, column: Profile) -> Mapping[str, Any]:
    """The options that a field of a chosen type needs to take this column."""
    match type:
        case "picklist" | "multi_picklist":
            return {"values": choices(column.values)}
        case "decimal" | "percent" | "currency":
            return _figures(type, column.values) or {}
        case "text":
            longest = max(map(len, column.values), default=0)
            return {"max_length": min(max(_LONGEST_LINE, longest), 4000)}
        case "long_text":
            return {"max_length": 131_072} if max(map(len, column.values), default=0) > 32_768 else {}
    return {}


def choices(values: Iterable[str]) -> list[dict[str, Any]]:
    """The values of a picklist: codes out of pinyin, labels as written; what differs in case only is one."""
    found: dict[str, str] = {}
    for text in values:
        found.setdefault(fold(text), text)
    codes = _codes(found)
    return [{"code": codes[key], "label": {_language(text): text}} for key, text in found.items()]


def _codes(found: Mapping[str, str]) -> dict[str, str]:
    """A code for each value by its folded text. A cell may say a code as well as a label, so no code is what
    another value is called.
    """
    codes: dict[str, str] = {}
    for key, text in found.items():
        others = {*codes.values(), *(each for each in found if each != key)}
        codes[key] = suggested([text], _taken(others), "value")
    return codes


def _taken(others: set[str]) -> Callable[[str], bool]:
    return lambda code: code in others or fold(code) in others


def labels_of(header: str) -> dict[str, str]:
    """A header as a label: ``year_established`` is "Year established", Chinese stays as it is."""
    if _language(header) == "zh":
        return {"zh": header[:80].strip()}
    plain = header.replace("_", " ").strip() or header
    return {"en": (plain[:1].upper() + plain[1:])[:80].strip()}


def date_order(column: Profile) -> Order:
    """The order of days written with the year last, as far as the column proves one."""
    return guess_order(column.values)


def _language(text: str) -> str:
    return "zh" if re.search(r"[\u3400-\u9fff]", text) else "en"


def _guess(column: Profile) -> Guess:
    values = column.values
    if not values:
        return Guess("text")
    type = next((each for each, test in _TESTS if test(column)), None)
    odd: tuple[str, ...] = ()
    if type is None:
        type, odd = _mostly(column)  # days come again and again as well
    if type is None and _are_choices(column):
        type = "picklist"
    if type in ("integer", "decimal") and _MONEY_HEADER.search(column.header):
        type = "currency"
    if type is None:
        long = any(len(each) > _LONGEST_LINE or "\n" in each for each in values)
        type = "long_text" if long else "text"
    guess = Guess(type, options_for(type, without(column, odd)), odd=odd)
    can = column.is_nearly_unique and type in ("text", "integer", "email")
    return replace(guess, can_be_key=can, is_key=can and bool(_KEY_HEADER.search(column.header)))


def _mostly(column: Profile) -> tuple[str | None, tuple[str, ...]]:
    """The type of all texts but a few, and those few."""
    most = len(column.values) // _FEW
    if not most:
        return None, ()
    for type, test in _TESTS:
        odd: list[str] = []
        for each in column.values:
            if not test(replace(column, values=(each,))):
                odd.append(each)
                if len(odd) > most:
                    break
        else:
            if test(without(column, odd)):
                return type, tuple(odd)
    return None, ()


def without(column: Profile, odd: Sequence[str]) -> Profile:
    """The column but for these texts."""
    apart = frozenset(odd)
    return replace(column, values=[each for each in column.values if each not in apart]) if apart else column


def _are_choices(column: Profile) -> bool:
    values = column.values
    return (
        1 < len(values) <= MOST_CHOICES
        and column.filled >= 2 * len(values)
        and all(len(each) <= _LONGEST_CHOICE and "\n" not in each and fold(each) for each in values)
    )


# ---- what each type asks -----------------------------------------------------------------------------


def _takes(type: str, texts: Iterable[str], **options: Any) -> bool:
    """Whether the write path takes every text as a value of the type."""
    convert = converter(FieldDef("", "", "", {}, type, value_type(type, {}, None), **options), "UTC")
    try:
        return all(convert(each) is not None for each in texts)
    except Refused:
        return False


def _is_boolean(column: Profile) -> bool:
    digits = all(each.isdigit() for each in column.values)
    wanted = bool(_YES_NO_HEADER.search(column.header)) if digits else len(column.values) > 1
    return wanted and _takes("boolean", column.values)


def _orders(values: Sequence[str]) -> tuple[Order, ...]:
    proved = guess_order(values)
    return (proved,) if proved != "ymd" else ("ymd", "mdy")


def _is_date(column: Profile) -> bool:
    values = column.values
    if all(each.isdigit() for each in values) and not (len(values) > 1 or _DAY_HEADER.search(column.header)):
        return False
    return any(_in_our_time([read_day(each, order) for each in values]) for order in _orders(values))


def _in_our_time(days: Sequence[str]) -> bool:
    return _takes("date", days) and all("1800" <= each[:4] <= "2200" for each in days)


def _is_datetime(column: Profile) -> bool:
    if all(each.isdigit() for each in column.values):
        return False
    return any(
        _takes("datetime", [read_moment(each, order) for each in column.values])
        for order in _orders(column.values)
    )


def _is_phone(column: Profile) -> bool:
    if not _PHONE_HEADER.search(column.header) and not all(map(_MOBILE.fullmatch, column.values)):
        return False
    return _takes("phone", column.values)


def _is_integer(column: Profile) -> bool:
    if any(_is_code(each) for each in column.values) or any("." in each for each in column.values):
        return False
    return _takes("integer", column.values)


def _is_code(text: str) -> bool:
    """Digits that are no number: a leading zero would be lost, and so long a one counts nothing."""
    digits = text.lstrip("+-")
    return (len(digits) > 1 and digits[0] == "0" and digits[1] != ".") or (
        digits.isdigit() and len(digits) > _LONGEST_NUMBER
    )


def _figures(type: str, values: Sequence[str]) -> Mapping[str, Any] | None:
    """The digits that a column of numbers needs; None where it holds anything else, or too many."""
    scale, whole = 2, 1
    for text in values:
        try:
            number = read_number(text, type == "percent", "" if type == "currency" else None)
        except Refused:
            return None
        if number is None:
            return None
        exponent = number.as_tuple().exponent
        assert isinstance(exponent, int)
        scale, whole = max(scale, -exponent), max(whole, number.adjusted() + 1)
    if scale + whole > MOST_DIGITS:
        return None
    found: dict[str, Any] = {"precision": MOST_DIGITS, "scale": scale}
    symbols = {code for text in values if (code := currency_in(text)) is not None}
    return {**found, "currency": min(symbols)} if type == "currency" and len(symbols) == 1 else found


def _is_currency(column: Profile) -> bool:
    marked = all(currency_in(each) is not None for each in column.values)
    return marked and "currency" in (_figures("currency", column.values) or {})


def _is_percent(column: Profile) -> bool:
    marked = all(each.endswith(("%", "％")) for each in column.values)
    return marked and _figures("percent", column.values) is not None


def _is_decimal(column: Profile) -> bool:
    coded = any(_is_code(each) for each in column.values)
    return not coded and _figures("decimal", column.values) is not None


_TESTS: Sequence[tuple[str, Callable[[Profile], bool]]] = (
    ("boolean", _is_boolean),
    ("date", _is_date),
    ("datetime", _is_datetime),
    ("phone", _is_phone),
    ("integer", _is_integer),
    ("currency", _is_currency),
    ("percent", _is_percent),
    ("decimal", _is_decimal),
    ("email", lambda column: _takes("email", column.values)),
    (
        "url",
        lambda column: all(map(_LINK.fullmatch, column.values)) and _takes("url", column.values),
    ),
)
