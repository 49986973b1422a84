"""E-mail addresses, phone numbers, links."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from tabwright.metadata.model import FieldDef
from tabwright.runtime.records.coerce.common import Convert, Refused, clean

MOST_URL = 2_048
URL_SCHEMES = ("http", "https", "mailto", "tel")

_email = re.compile(
    r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@((?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+([A-Za-z]{2,24}))"
).fullmatch
_special_domains = frozenset({"arpa", "invalid", "local", "localhost", "onion", "test"})
_chinese_mobile = re.compile(r"(?:\+86|0086)?(1[3-9][0-9]{9})").fullmatch
_scheme = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):").match


def email(field: FieldDef, zone: str) -> Convert:
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


def phone(field: FieldDef, zone: str) -> Convert:
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


def url(field: FieldDef, zone: str) -> Convert:
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
