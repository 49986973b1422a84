"""From what people, programs and files send to a field's typed value: one converter per field, built once.

A converter takes JSON-like, CSV-like or typed input and gives the typed value or None (blank); it raises
``Refused``. Typed values: str, Decimal, bool, date, aware datetime in UTC, UUID.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import MAX_EMAX, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, InvalidOperation
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from tabwright.metadata.model import FieldDef, Labels

Convert = Callable[[Any], Any]

MOST_URL = 2_048
MOST_FREE_CODE = 255  # of a picklist that takes other values
URL_SCHEMES = ("http", "https", "mailto", "tel")
MOST_DIGITS = 18  # decision 0002

_unprintable_are_fine = re.compile(
    r"[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]*"
).fullmatch
_number = re.compile(r"[+-]?(\d{1,40}|\d{1,3}(,\d{3}){1,12})?(\.\d{0,40})?([eE][+-]?\d{1,2})?").fullmatch
_email = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,24}))"
).fullmatch
_special_domains = frozenset({"arpa", "invalid", "local", "localhost", "onion", "test"})
_chinese_mobile = re.compile(r"(?:\+86|0086)?(1[3-9][0-9]{9})").fullmatch
_scheme = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):").match
_true_words = frozenset({"1", "true", "t", "yes", "y", "on", "是", "真", "对"})
_false_words = frozenset({"0", "false", "f", "no", "n", "off", "否", "假", "错"})
# Every clock of the world can show what lies between.
_FIRST, _LAST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, 23, 59, 59, 999_999, tzinfo=UTC)
_exact = Context(prec=60, Emax=MAX_EMAX, Emin=MIN_EMIN)


class Refused(Exception):
    """A value that the field does not take: a message code, and parameters (labels are put in the caller's
    language).
    """

    def __init__(self, code: str, **params: str | int | Decimal | Labels) -> None:
        super().__init__(code)
        self.code = code
        self.params: Mapping[str, str | int | Decimal | Labels] = params


def clean(value: Any) -> str | None:
    """Text as it is stored: NFC, trimmed, lines end with newline; None when nothing is left. Raises
    Refused.
    """
    if type(value) is not str:
        value = _as_text(value)
    if not value.isprintable():
        value = value.replace("\r\n", "\n").replace("\r", "\n")
        if not _unprintable_are_fine(value):
            raise Refused("value.control_character")
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    return value.strip() or None


def _as_text(value: Any) -> str:
    # A number in a text column of a file or a program is meant as its digits; a list or an object is a
    # mistake.
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | UUID | date):
        raise Refused("value.not_text")
    if isinstance(value, Decimal):
        if not value.is_finite() or abs(value.adjusted()) > 40:
            raise Refused("value.not_text")
        return format(value, "f")
    if isinstance(value, int) and abs(value) >= 10**40:
        raise Refused("value.not_text")
    return value.isoformat() if isinstance(value, date) else str(value)


# ---- text ----------------------------------------------------------------------------------------


def _text(field: FieldDef) -> Convert:
    most = field.max_length or (131_072 if field.type == "long_text" else 255)
    lines = field.type == "long_text"
    matches = _whole_match(field.pattern) if field.pattern else None
    said = field.pattern_message

    def convert(value: Any) -> Any:
        if type(value) is not str or not value.isascii() or not value.isprintable():
            value = clean(value)
            if value is None:
                return None
            if not lines and "\n" in value:
                raise Refused("value.line_break")
        else:
            value = value.strip()
            if not value:
                return None
        if len(value) > most:
            raise Refused("value.too_long", limit=most, length=len(value))
        if matches is not None and not matches(value):
            raise Refused("value.pattern_said", said=said) if said else Refused("value.pattern")
        return value

    return convert


@cache
def _re2() -> Any:
    import re2

    return re2


@lru_cache(maxsize=512)
def _whole_match(pattern: str) -> Callable[[str], Any]:
    engine = _re2()
    options = engine.Options()
    options.log_errors = False
    options.max_mem = 1 << 20
    matched: Callable[[str], Any] = engine.compile(pattern, options=options).fullmatch
    return matched


# ---- numbers -------------------------------------------------------------------------------------


def read_number(value: Any, percent: bool = False) -> Decimal | None:
    """A number from any input, exactly as written; None when blank. Raises Refused."""
    kind = type(value)
    if kind is Decimal:
        if not value.is_finite():
            raise Refused("value.not_number")
        return value  # type: ignore[no-any-return]
    if kind is int:
        if -(10**40) < value < 10**40:
            return Decimal(value)
        raise Refused("value.too_big", digits=MOST_DIGITS)
    if kind is float:
        number = Decimal(repr(value))  # what a person reads, not the binary fraction behind it
        if not number.is_finite():
            raise Refused("value.not_number")
        return number
    if not isinstance(value, str):
        raise Refused("value.not_number")
    text = value.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).strip()
    if not text:
        return None
    if percent and text.endswith("%"):
        text = text[:-1].rstrip()
    if not _number(text) or not any(character.isdigit() for character in text):
        raise Refused("value.not_number")
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation:
        raise Refused("value.not_number") from None


def _numeric(field: FieldDef) -> Convert:
    whole = field.type == "integer"
    percent = field.type == "percent"
    scale = 0 if whole else (field.scale if field.scale is not None else 2)
    precision = MOST_DIGITS if whole or field.precision is None else field.precision
    unit = Decimal(1).scaleb(-scale)
    bound = Decimal(1).scaleb(precision - scale)
    low, high = field.minimum, field.maximum
    quantize = _exact.quantize

    def convert(value: Any) -> Any:
        number = read_number(value, percent)
        if number is None:
            return None
        if whole and number != number.to_integral_value():
            raise Refused("value.not_whole")
        if not -bound < number < bound:
            raise Refused("value.too_big", digits=precision - scale)
        number = number.quantize(unit, ROUND_HALF_UP, _exact)
        if not -bound < number < bound:
            raise Refused("value.too_big", digits=precision - scale)
        if low is not None and number < low:
            raise Refused("value.below", limit=low)
        if high is not None and number > high:
            raise Refused("value.above", limit=high)
        return number if number else quantize(Decimal(0), unit)  # there is no minus zero

    return convert


# ---- yes and no, days, moments -------------------------------------------------------------------


def _boolean(field: FieldDef) -> Convert:
    def convert(value: Any) -> Any:
        if value is True or value is False:
            return value
        if isinstance(value, str):
            word = unicodedata.normalize("NFKC", value).strip().lower()
            if word in _true_words:
                return True
            if word in _false_words or not word:
                return False
        elif isinstance(value, int | float | Decimal) and value in (0, 1):
            return bool(value)
        raise Refused("value.not_boolean")

    return convert


def _date(field: FieldDef) -> Convert:
    def convert(value: Any) -> Any:
        if type(value) is str:
            text = value.strip()
            if not text:
                return None
            if len(text) == 10 and text[4] == "-" and text[7] == "-" and text.isascii():
                try:
                    return date.fromisoformat(text)
                except ValueError:
                    raise Refused("value.no_such_day") from None
        elif isinstance(value, datetime):
            if value.tzinfo is None and value.time() == time(0):
                return value.date()
        elif isinstance(value, date):
            return value
        raise Refused("value.not_date")

    return convert


def _moment(zone: str) -> Callable[[FieldDef], Convert]:
    here = ZoneInfo(zone)

    def build(field: FieldDef) -> Convert:
        def convert(value: Any) -> Any:
            if isinstance(value, str):
                text = value.strip()
                if not text:
                    return None
                if (
                    len(text) < 16
                    or text[4] != "-"
                    or text[7] != "-"
                    or text[10] not in "T "
                    or not text.isascii()
                ):
                    raise Refused("value.not_moment")
                try:
                    value = datetime.fromisoformat(text)
                except ValueError:
                    raise Refused("value.not_moment") from None
            elif not isinstance(value, datetime):
                raise Refused("value.not_moment")
            try:
                # A moment without an offset is meant on the clock of the one who wrote it.
                found = (value if value.tzinfo is not None else value.replace(tzinfo=here)).astimezone(UTC)
            except OverflowError:
                raise Refused("value.not_moment") from None
            if not _FIRST <= found <= _LAST:
                raise Refused("value.not_moment")
            return found

        return convert

    return build


# ---- choices -------------------------------------------------------------------------------------


def _picklist(field: FieldDef) -> Convert:
    picklist = field.picklist
    codes = {value.code: value.code for value in picklist.values} if picklist is not None else {}
    restricted = picklist is None or picklist.restricted
    find = codes.get

    def convert(value: Any) -> Any:
        found = find(value) if type(value) is str else None
        if found is not None:
            return found
        text = clean(value)
        if text is None or text in codes:
            return text
        if restricted:
            raise Refused("value.not_in_list", value=text[:80])
        if len(text) > MOST_FREE_CODE or "\n" in text:
            raise Refused("value.too_long", limit=MOST_FREE_CODE, length=len(text))
        return text

    return convert


def _reference(field: FieldDef) -> Convert:
    def convert(value: Any) -> Any:
        if type(value) is UUID:
            return value
        if isinstance(value, Mapping) and "id" in value:
            value = value["id"]
        if isinstance(value, bytes) and len(value) == 16:
            return UUID(bytes=value)
        if isinstance(value, UUID):
            return value
        if value is None:
            return None
        if isinstance(value, str):
            text = value.strip()
            if not text:
                return None
            if len(text) in (32, 36):
                try:
                    return UUID(text)
                except ValueError:
                    pass
        raise Refused("value.not_id")

    return convert


# ---- addresses -----------------------------------------------------------------------------------


def _email_address(field: FieldDef) -> Convert:
    def convert(value: Any) -> Any:
        if type(value) is str and len(value) <= 254 and (plain := _email(value)):
            domain, top = plain[1], plain[2].lower()
            at = len(value) - len(domain) - 1
            if at <= 64 and top not in _special_domains and "--" not in domain:
                return f"{value[:at]}@{domain.lower()}"
        text = clean(value)
        return None if text is None else read_email(text)

    return convert


def read_email(text: str) -> str:
    """The address in its normal form. Raises Refused."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text[:400], check_deliverability=False).normalized
    except EmailNotValidError:
        raise Refused("value.not_email") from None


def _phone(field: FieldDef) -> Convert:
    country = (field.country or "CN").upper()
    chinese = country == "CN"

    def convert(value: Any) -> Any:
        if chinese and type(value) is str and (plain := _chinese_mobile(value)):
            return "+86" + plain[1]
        text = clean(value)
        return None if text is None else read_phone(text, country)

    return convert


@lru_cache(maxsize=4096)
def read_phone(text: str, country: str) -> str:
    """The number in E.164, an extension after ``;ext=``; ``country`` is where it is when it names none.
    Raises Refused.
    """
    import phonenumbers

    try:
        number = phonenumbers.parse(text[:60], country)
    except phonenumbers.NumberParseException:
        raise Refused("value.not_phone") from None
    # By length only: plans of numbers change faster than their lists.
    if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise Refused("value.not_phone")
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{plain};ext={number.extension}" if number.extension else plain


def _url(field: FieldDef) -> Convert:
    def convert(value: Any) -> Any:
        text = clean(value)
        return None if text is None else read_url(text)

    return convert


def read_url(text: str) -> str:
    """The address with its scheme; a bare domain is meant as https. Raises Refused."""
    if len(text) > MOST_URL:
        raise Refused("value.too_long", limit=MOST_URL, length=len(text))
    if any(character.isspace() or character in '<>"\\`{}|^' for character in text):
        raise Refused("value.not_url")
    scheme = _scheme(text)
    if scheme is None or (
        scheme[1].lower() not in URL_SCHEMES and re.match(r"[^:/]+\.[^:/]+:\d+(/|$)", text)
    ):
        text = "https://" + text
        scheme = _scheme(text)
    if scheme is None or scheme[1].lower() not in URL_SCHEMES:
        raise Refused("value.url_scheme", schemes=", ".join(URL_SCHEMES))
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise Refused("value.not_url") from None
    name = scheme[1].lower()
    if name in ("http", "https"):
        if not host or not parts.netloc or ("." not in host and host != "localhost" and ":" not in host):
            raise Refused("value.not_url")
    elif not parts.path:
        raise Refused("value.not_url")
    return name + text[len(name) :]


def converter(field: FieldDef, zone: str) -> Convert:
    """The converter of a field. ``zone`` is where moments without an offset are meant."""
    build = _builders[field.type] if field.type != "datetime" else _moment(zone)
    return build(field)


_builders: Mapping[str, Callable[[FieldDef], Convert]] = {
    "text": _text,
    "long_text": _text,
    "auto_number": _text,
    "integer": _numeric,
    "decimal": _numeric,
    "currency": _numeric,
    "percent": _numeric,
    "boolean": _boolean,
    "date": _date,
    "picklist": _picklist,
    "lookup": _reference,
    "user": _reference,
    "owner": _reference,
    "id": _reference,
    "email": _email_address,
    "phone": _phone,
    "url": _url,
    "record_type": _text,
    "revision": _numeric,
}
