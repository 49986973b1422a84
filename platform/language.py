"""What the product says to people: messages in zh and en, and numbers, dates and money as each
language writes them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo

import msgspec

from tabwright.platform.errors import Fault, Param, Said

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
# What tells each language to other programs (HTML lang, Content-Language, CLDR).
TAGS: Mapping[Language, str] = {"zh": "zh-CN", "en": "en"}
_CLDR: Mapping[Language, str] = {"zh": "zh_Hans_CN", "en": "en_US"}
# The usual context of 28 digits would round the longest numbers that we keep.
_EXACT = Context(prec=60, rounding=ROUND_HALF_UP)

_lock = threading.Lock()
_paths: list[Path] = []
_read: set[Path] = set()
_catalogue: dict[str, Mapping[str, str]] = {}


def register_messages(path: Path) -> None:
    """Add a room's ``messages.json`` ({code: {"zh": ..., "en": ...}}); it is read when somebody
    first speaks.
    """
    with _lock:
        if path not in _paths:
            _paths.append(path)


register_messages(Path(__file__).with_name("messages.json"))


def messages() -> Mapping[str, Mapping[str, str]]:
    """Every registered message by code."""
    if len(_read) != len(_paths):
        with _lock:
            for path in _paths:
                if path not in _read:
                    _catalogue.update(msgspec.json.decode(path.read_bytes(), type=dict[str, dict[str, str]]))
                    _read.add(path)
    return _catalogue


class _Named(dict[str, Any]):
    """Parameters of a message; one that is missing shows its name instead of failing where a fault
    is being told.
    """

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def say(code: str, params: Mapping[str, Param], language: Language) -> str:
    """The text of a code; a code without text (which a test refuses) is said as itself."""
    found = messages().get(code)
    if found is None:
        return code
    named = _Named({name: _plain(value, language) for name, value in params.items()})
    return (found.get(language) or found["en"]).format_map(named)


def _plain(value: Param, language: Language) -> str:
    if isinstance(value, Said):
        return say(value, {}, language)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return "" if value is None else str(value)


def say_fault(fault: Fault, language: Language) -> str:
    """The text of a fault. What its place knows (field, object, row...) may stand in the text as well.

    A parameter ``hint`` is what was probably meant: said in a sentence of its own.
    """
    text = say(fault.code, {**fault.place.known(), **fault.params}, language)
    hint = fault.params.get("hint")
    return text + say("fault.did_you_mean", {"hint": hint}, language) if hint else text


def choose_language(
    wishes: Iterable[str | None], accept: str | None = None, default: Language = "zh"
) -> Language:
    """The language of the first wish (user's, cookie's) that we speak, else of an Accept-Language
    header, else the default.
    """
    for wish in wishes:
        if wish and (found := _spoken(wish)):
            return found
    ranked: list[tuple[float, int, str]] = []
    for position, part in enumerate((accept or "")[:500].split(",")):
        tag, _, weight = part.strip().partition(";")
        try:
            quality = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            continue
        if quality > 0:
            ranked.append((-quality, position, tag))
    for _, _, tag in sorted(ranked):
        if found := _spoken(tag):
            return found
    return default


def _spoken(tag: str) -> Language | None:
    first = tag.strip().replace("_", "-").split("-")[0].lower()
    return first if first in LANGUAGES else None


def format_number(value: Decimal | int, language: Language, places: int | None = None) -> str:
    """A number with group separators; ``places`` fixes the digits after the point, None shows what
    is there.
    """
    from babel.numbers import format_decimal

    if places is None:
        exponent = Decimal(value).as_tuple().exponent
        places = max(0, -exponent) if isinstance(exponent, int) else 0
    pattern = "#,##0" + ("." + "0" * places if places else "")
    with localcontext(_EXACT):
        return format_decimal(value, format=pattern, locale=_CLDR[language])


def format_currency(value: Decimal | int, currency: str, language: Language, places: int = 2) -> str:
    """An amount with its currency's sign: ``¥1,234.50``."""
    from babel.numbers import format_currency as babel_currency

    pattern = "¤#,##0" + ("." + "0" * places if places else "")
    with localcontext(_EXACT):
        return babel_currency(value, currency, format=pattern, locale=_CLDR[language], currency_digits=False)


def format_percent(value: Decimal | int, language: Language, places: int | None = None) -> str:
    """A percent field's value: 50 is ``50%``."""
    return format_number(value, language, places) + "%"


def format_date(value: date, language: Language) -> str:
    """A calendar day: ``2026年1月15日``, ``Jan 15, 2026``."""
    from babel.dates import format_date as babel_date

    return babel_date(value, format="medium", locale=_CLDR[language])


def format_datetime(value: datetime, language: Language, zone: str) -> str:
    """A moment in a person's time zone, to the minute: ``2026年1月15日 17:30``."""
    from babel.dates import format_datetime as babel_datetime

    pattern = "y年M月d日 HH:mm" if language == "zh" else "MMM d, y HH:mm"
    return babel_datetime(value, format=pattern, tzinfo=ZoneInfo(zone), locale=_CLDR[language])
