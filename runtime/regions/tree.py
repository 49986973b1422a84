"""The regions of China as a tree: by code, by name, by pinyin, and as the beginning of an address."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from tabwright.formula.pinyin import is_han, syllables
from tabwright.metadata.addresses import CHINA, Address

MOST_FOUND = 8
# What people leave out of a region's name: its kind, and whose autonomous region it is.
_KIND = re.compile(r"(特别行政区|自治区|自治州|自治县|自治旗|地区|林区|矿区|新区|省|市|区|县|州|盟|旗)$")
_PEOPLES = re.compile(
    r"(壮|回|维吾尔|藏|彝|白|傣|景颇|傈僳|哈尼|土家|苗|布依|侗|朝鲜|蒙古|哈萨克|柯尔克孜|羌|黎|瑶|满|畲|拉祜|佤"
    r"|布朗|怒|独龙|普米|纳西|水|仡佬|毛南|仫佬|东乡|撒拉|保安|裕固|土|达斡尔|锡伯|塔吉克|各)族"
)
_POSTAL = re.compile(r"(?:邮政?编码?[:：]?\s*)?(?<!\d)(\d{6})(?!\d)\s*$|^\s*(\d{6})(?!\d)[\s,，]*")
_GAP = " \t\u3000,，、;；/-"


@dataclass(frozen=True)
class Region:
    """A province, a city or a district. ``names`` from the province down to this one."""

    code: str
    name: str
    names: tuple[str, ...]
    below: Sequence[Region] = field(default=(), repr=False)

    @cached_property
    def called(self) -> tuple[str, ...]:
        """Its names as people write them, the whole one first."""
        return tuple(dict.fromkeys((self.name, *_short(self.name, len(self.names)))))

    @cached_property
    def first(self) -> Beginnings:
        """The regions below it by the names with which a text may begin."""
        return Beginnings(self.below)

    @cached_property
    def districts(self) -> Beginnings:
        """The same of the regions two below: a district straight behind its province."""
        return Beginnings(district for city in self.below for district in city.below)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """What it is found by: its name, its pinyin and the initials of that."""
        said = syllables(self.name) if is_han(self.name[0]) else [self.name]
        return (self.name, "".join(said), "".join(each[:1] for each in said))


class Beginnings:
    """Some regions by the names with which a text may begin."""

    def __init__(self, regions: Iterable[Region]) -> None:
        self._named: dict[str, Region] = {}
        for each in regions:
            for name in each.called:
                self._named.setdefault(name, each)
        self._longest = max(map(len, self._named), default=0)

    def of(self, text: str) -> tuple[Region | None, str]:
        """The region with whose name a text begins, the longest name of all, and what stands behind it."""
        text = text.lstrip(_GAP)
        for length in range(min(self._longest, len(text)), 0, -1):
            found = self._named.get(text[:length])
            if found is not None:
                return found, text[length:].lstrip(_GAP)
        return None, text


def _short(name: str, depth: int) -> Iterable[str]:
    bare = _KIND.sub("", name)
    if bare != name and len(bare) >= 2:
        own = _PEOPLES.sub("", bare)
        for each in (bare, own):
            # "东城" of 东城区 may be the beginning of a street's name; a kind must stand behind a district.
            if len(each) >= 2 and depth < 3:
                yield each


class Regions:
    """All regions; made once a process."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.data = data["regions"]
        self.provinces = tuple(_made(code, name, (), below) for code, name, below in data["regions"])
        self.countries: Mapping[str, Sequence[str]] = data["countries"]
        self._countries = {
            word.casefold(): code for code, names in self.countries.items() for word in (code, *names)
        }
        self._cities = [city for province in self.provinces for city in province.below]
        self._province, self._city = Beginnings(self.provinces), Beginnings(self._cities)
        self._all = [
            each
            for province in self.provinces
            for city in (province, *province.below)
            for each in ((city, *city.below) if city is not province else (city,))
            if len(each.names) == 1 or each.names[-1] != each.names[-2]
        ]

    def country(self, text: str) -> str | None:
        """The code of a country by its code or name; None for what is none."""
        return self._countries.get(text.strip().casefold())

    def find(self, *names: str) -> Region | None:
        """The region of these names (whole or short) from the province down; None where there is none."""
        level: Sequence[Region] = self.provinces
        found: Region | None = None
        for name in names:
            found = next((each for each in level if name in each.called), None)
            if found is None:
                return None
            level = found.below
        return found

    def search(self, text: str) -> list[Region]:
        """Regions by name, pinyin or its initials: those that begin so first, the wider before the others."""
        wanted = "".join(text.casefold().split())
        if not wanted:
            return []
        ranked: list[tuple[int, int, str, Region]] = []
        for each in self._all:
            rank = min((_rank(key, wanted) for key in each.keys), default=9)
            if rank < 9:
                ranked.append((rank, len(each.names), each.code, each))
        ranked.sort(key=lambda row: row[:3])
        return [each for *_, each in ranked[:MOST_FOUND]]

    def taken_apart(self, line: str) -> Address:
        """A Chinese address on one line as its parts; what is no region is the street."""
        rest, postal = line.strip(), ""
        found = _POSTAL.search(rest)
        if found is not None:
            postal = found[1] or found[2]
            rest = (rest[: found.start()] + rest[found.end() :]).strip()
        for word in ("中华人民共和国", "中国"):
            rest = rest.removeprefix(word).lstrip(_GAP)
        region, rest = self._begins(rest)
        names = region.names if region is not None else ()
        province, city, district = (*names, "", "", "")[:3]
        return Address(
            CHINA, region.code if region is not None else "", province, city, district,
            rest.strip(_GAP), postal,
        )  # fmt: skip

    def _begins(self, text: str) -> tuple[Region | None, str]:
        """The region with which a text begins, and what stands behind it."""
        province, rest = self._province.of(text)
        alone, behind = self._city.of(text)
        if alone is not None and (province is None or len(behind) < len(rest)):  # 吉林市, not 吉林 alone
            return self._below(alone, behind)
        if province is None:
            return self._district(text)
        one = province.below[0] if len(province.below) == 1 else None
        if one is not None and one.name == province.name:
            _, rest = Beginnings((one,)).of(rest)  # 上海市上海市浦东新区
            return self._below(one, rest)
        city, after = province.first.of(rest)
        if city is not None:
            return self._below(city, after)
        # A district behind its province: 江苏省昆山市.
        district, after = province.districts.of(rest)
        return (district, after) if district is not None else (province, rest)

    def _below(self, city: Region, rest: str) -> tuple[Region, str]:
        district, after = city.first.of(rest)
        return (district, after) if district is not None else (city, rest)

    def _district(self, text: str) -> tuple[Region | None, str]:
        """A district alone, where only one has the name."""
        named = [
            each
            for city in self._cities
            for each in city.below
            if len(each.name) > 2 and text.startswith(each.name)
        ]
        return (named[0], text.removeprefix(named[0].name)) if len(named) == 1 else (None, text)


def address_of(line: str, home: str = CHINA) -> Address:
    """A line as an address; one that is not of China, or in no Chinese, is all street."""
    line = " ".join(line.split())
    if home == CHINA and any(map(is_han, line)):
        return regions().taken_apart(line)
    return Address(country="" if home == CHINA else home, street=line)


def _made(code: str, name: str, above: tuple[str, ...], below: Sequence[Any] = ()) -> Region:
    names = (*above, name)
    inside = tuple(_made(each[0], each[1], names, each[2] if len(each) > 2 else ()) for each in below)
    return Region(code, name, names, inside)


def _rank(key: str, wanted: str) -> int:
    if key.startswith(wanted):
        return 0 if key == wanted or len(wanted) > 1 else 1
    return 2 if len(wanted) > 1 and wanted in key else 9


@cache
def regions() -> Regions:
    """The regions, read at the first use."""
    return Regions(json.loads(Path(__file__).with_name("cn.json").read_text("utf-8")))
