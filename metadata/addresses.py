"""An address as its parts, and as the one text in which it is stored.

The text has a line for each part, from the widest to the narrowest: an order by it goes by country, then by
the official codes of regions, and one column holds the whole value.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

CHINA: Final = "CN"


class Address(NamedTuple):
    """The parts; "" where there is none. ``region_code`` is that of the narrowest region that has one."""

    country: str = ""
    region_code: str = ""
    province: str = ""
    city: str = ""
    district: str = ""
    street: str = ""
    postal_code: str = ""

    @property
    def text(self) -> str:
        """The stored text."""
        return "\n".join(self)

    @staticmethod
    def of(text: str) -> Address:
        """The address of such a text."""
        return Address(*text.split("\n"))

    def __str__(self) -> str:
        """The address on one line, as it is written where it is."""
        if self.country in (CHINA, ""):
            regions = [self.province] if self.city in ("", self.province) else [self.province, self.city]
            line = "".join((*regions, self.district, self.street))
            return f"{line} {self.postal_code}".strip()
        last = " ".join(each for each in (self.province, self.postal_code) if each)
        parts = (self.street, self.district, self.city, last, self.country)
        return ", ".join(each for each in parts if each)


PARTS: Final = Address._fields
LABELS: Final[Mapping[str, Mapping[str, str]]] = {
    "country": {"zh": "国家", "en": "Country"},
    "region_code": {"zh": "区划代码", "en": "Region code"},
    "province": {"zh": "省份", "en": "Province"},
    "city": {"zh": "城市", "en": "City"},
    "district": {"zh": "区县", "en": "District"},
    "street": {"zh": "详细地址", "en": "Street"},
    "postal_code": {"zh": "邮编", "en": "Postal code"},
}
LONGEST: Final[Mapping[str, int]] = {
    "country": 2, "region_code": 12, "province": 100, "city": 100, "district": 100, "street": 500,
    "postal_code": 20,
}  # fmt: skip
