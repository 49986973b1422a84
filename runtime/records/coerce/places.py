"""Addresses: from parts, or from one line that is taken apart."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from tabwright.metadata.addresses import CHINA, LONGEST, PARTS, Address
from tabwright.metadata.model import FieldDef
from tabwright.runtime.records.coerce.common import Convert, Refused, clean
from tabwright.runtime.regions.tree import address_of, regions


def address(field: FieldDef, zone: str) -> Convert:
    """``{"province": ..., "city": ..., "street": ...}``, or a text: such an object as JSON, or one line."""
    home = field.country or CHINA

    def convert(value: Any) -> Any:
        if isinstance(value, Address):
            return value
        if isinstance(value, Mapping):
            return _of_parts(value, home)
        text = clean(value)
        if text is None:
            return None
        if text.startswith("{"):
            try:
                found = msgspec.json.decode(text, type=dict[str, Any])
            except (msgspec.DecodeError, RecursionError):
                raise Refused("value.not_address") from None
            return _of_parts(found, home)
        return _held(address_of(text, home))

    return convert


def _of_parts(given: Mapping[str, Any], home: str) -> Address | None:
    parts = {}
    for name, value in given.items():
        if name not in PARTS:
            raise Refused("value.not_address")
        text = None if value is None else clean(value)
        parts[name] = " ".join(text.split()) if text else ""
    told = Address(**parts)
    if told._replace(country="", region_code="") == Address():
        return None
    country = _country(told.country, home)
    if country != CHINA:
        return _held(told._replace(country=country, region_code=""))
    return _held(_in_china(told))


def _country(text: str, home: str) -> str:
    if not text:
        return home
    found = regions().country(text)
    if found is None:
        raise Refused("value.not_country", value=text[:80])
    return found


def _in_china(told: Address) -> Address:
    """The parts with the official names; what a part leaves out above it is filled in."""
    known, names = regions(), [each for each in (told.province, told.city, told.district) if each]
    if not names:
        return told._replace(country=CHINA, region_code="")
    found = known.find(*names) if told.province else None
    rest = ""
    if found is None:  # a district without its city, a city without its province
        whole = known.taken_apart("".join(names))
        found, rest = known.find(*filter(None, whole[2:5])), whole.street
    if found is None or (rest and rest != told.district):
        # Districts that are no official ones (of development zones, of cities without any) may be written.
        found = known.find(*filter(None, (told.province, told.city)))
        rest = told.district
    if found is None or (rest and not told.city and len(found.names) < 2):
        raise Refused("value.not_a_region", value="".join(names)[:80])
    province, city, district = (*found.names, "", "", "")[:3]
    return Address(CHINA, found.code, province, city, district or rest, told.street, told.postal_code)


def _held(found: Address) -> Address:
    for name, value in zip(PARTS, found, strict=True):
        if len(value) > LONGEST[name]:
            raise Refused("value.too_long", limit=LONGEST[name], length=len(value))
    return found
