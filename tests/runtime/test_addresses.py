"""Addresses: a line taken apart, regions found, parts imported, filtered and written about."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import models
from desks import Desk, desk_of
from importing import Importer, csv_of
from pagesite import make_pages, readable
from stores import DIALECTS
from tabwright.metadata.addresses import Address
from tabwright.runtime.regions.tree import address_of, regions

ROOT = Path(__file__).parents[2]
OBJECTS: models.Compact = {
    "shop": {"name": "text required", "site": {"type": "address", "searchable": True}},
    "store": {"name": "text required", "site": {"type": "address", "options": {"country": "DE"}}},
}
RULE = {
    "kind": "validation_rule",
    "name": "shop.not_there",
    "condition": 'site.city = "三沙市"',
    "message": {"en": "Not there"},
}


@pytest.fixture(scope="module", params=DIALECTS)
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as pages:
        pages.publish(OBJECTS, [RULE])
        yield desk_of(pages)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("上海市浦东新区世纪大道100号", ("上海市", "上海市", "浦东新区", "世纪大道100号")),
        ("上海市上海市浦东新区世纪大道100号", ("上海市", "上海市", "浦东新区", "世纪大道100号")),
        ("江苏省昆山市前进中路1号", ("江苏省", "苏州市", "昆山市", "前进中路1号")),
        ("广西南宁市青秀区民族大道", ("广西壮族自治区", "南宁市", "青秀区", "民族大道")),
        ("湖北省仙桃市沔州大道", ("湖北省", "仙桃市", "", "沔州大道")),
        ("吉林市船营区解放路", ("吉林省", "吉林市", "船营区", "解放路")),
        ("深圳 南山区，科技园", ("广东省", "深圳市", "南山区", "科技园")),
        ("香港特别行政区中西区皇后大道1号", ("香港特别行政区", "香港特别行政区", "中西区", "皇后大道1号")),
        ("世纪大道100号", ("", "", "", "世纪大道100号")),
    ],
)
def test_a_line_is_taken_apart(line: str, parts: tuple[str, ...]) -> None:
    found = address_of(line)
    assert (found.province, found.city, found.district, found.street) == parts
    assert address_of(f"邮编：200120 {line}").postal_code in ("200120", "")
    assert address_of(f"{line} 200120") == found._replace(postal_code="200120")


every = [
    region.names
    for province in regions().provinces
    for city in province.below
    for region in (city, *city.below)
]


@given(
    st.sampled_from(every),
    st.text("路街道号弄一二三0123456789", max_size=12),
    st.sampled_from(("", "200120")),
)
def test_what_a_line_says_it_is_read_as(names: tuple[str, ...], street: str, postal: str) -> None:
    """Every region there is, with a street that names none."""
    province, city, district = (*names, "")[:3]
    street = "甲" + street + "乙"
    given = Address("CN", "", province, city, district, street, postal)
    assert address_of(str(given))._replace(region_code="") == given


def test_regions_are_found_by_name_pinyin_and_initials() -> None:
    for text in ("浦东", "pudong", "pdxq"):
        assert regions().search(text)[0].code == "310115"
    assert {each.code for each in regions().search("suzhou")} >= {"320500", "341300"}
    assert regions().search("") == []


def test_the_list_is_what_its_manifest_says() -> None:
    subprocess.run([sys.executable, ROOT / "tools" / "make_regions", "--check"], check=True)
    manifest = json.loads((ROOT / "runtime" / "regions" / "manifest.json").read_text())
    licence = ROOT / "runtime" / "regions" / "licences" / f"{manifest['name']}.LICENSE.txt"
    assert manifest["licence"] in licence.read_text()


def test_parts_are_filtered_sorted_and_shown(desk: Desk) -> None:
    made = {
        "a": "上海市浦东新区一路",
        "b": "上海市徐汇区二路",
        "c": "广东省深圳市南山区三路",
        "d": "北京市海淀区四路",
    }
    for name, line in made.items():
        desk.create("shop", name=name, site=line)
    assert desk.found('site.province = "上海市"', object="shop") == {"a", "b"}
    assert desk.found('site.city = "深圳市" || site.district = "海淀区"', object="shop") == {"c", "d"}
    mine = 'IN(name, "a", "b", "c", "d")'
    rows = desk.api.get("/objects/shop/records", where=mine, order="site", fields="name,site.city").json
    assert [(each["name"], each["site.city"]) for each in rows["records"]] == [
        ("d", "北京市"), ("b", "上海市"), ("a", "上海市"), ("c", "深圳市")
    ]  # fmt: skip
    listed = desk.admin.get("/o/shop?columns=name,site.city")
    assert "深圳市" in readable(listed) and "世纪" not in readable(listed)
    assert "Site › 区县" in readable(listed), "the other parts can be put on the list"
    refused = desk.api.post("/objects/shop/records", {"name": "x", "site": "海南省三沙市西沙群岛"})
    assert refused.status_code == 422 and refused.json["faults"][0]["code"] == "record.rule"


def test_a_district_of_nobodys_list_may_be_written(desk: Desk) -> None:
    town = {"province": "广东", "city": "东莞", "district": "长安镇", "street": "1号"}
    found = desk.get("shop", desk.create("shop", name="town", site=town))["site"]
    assert (found["city"], found["district"], found["region_code"]) == ("东莞市", "长安镇", "441900")
    alone = desk.get("shop", desk.create("shop", name="alone", site={"city": "苏州", "street": "1号"}))[
        "site"
    ]
    assert (alone["province"], alone["city"]) == ("江苏省", "苏州市")


def test_addresses_of_other_countries_are_free(desk: Desk) -> None:
    site = {"street": "Unter den Linden 1", "city": "Berlin", "postal_code": "10117"}
    id = desk.create("store", name="Berlin", site=site)
    found = desk.get("store", id)["site"]
    assert (found["country"], found["city"], found["region_code"]) == ("DE", "Berlin", None)
    assert "Unter den Linden 1, Berlin, 10117, DE" in readable(desk.admin.get(f"/o/store/{id}"))
    desk.admin.get(f"/o/store/{id}/edit")
    form = desk.admin.form()
    assert json.loads(form["site"]) == {**site, "country": "DE"}
    assert desk.admin.post(f"/o/store/{id}/edit", {**form, "name": "Renamed"}).status_code == 303
    assert desk.get("store", id)["site"] == found


def test_a_file_has_one_column_or_one_for_each_part(desk: Desk) -> None:
    importer = Importer(desk, desk.api)  # type: ignore[arg-type]
    header = ["name", "省", "市", "区", "地址"]
    rows = [
        ["p1", "上海", "上海市", "浦东新区", "世纪大道1号"],
        ["p2", "火星", "", "", "1号"],
        ["p3", "", "", "", ""],
    ]
    columns = {
        "name": {"field": "name"}, "省": {"field": "site.province"}, "市": {"field": "site.city"},
        "区": {"field": "site.district"}, "地址": {"field": "site.street"},
    }  # fmt: skip
    run = importer.run(importer.start("shop", csv_of(header, rows), columns=columns).id)
    assert (run.counts["created"], run.counts["failed"]) == (2, 1), (run.counts, run.error)
    found = {name: site for name, site in importer.rows("shop", "name", "site")}
    assert found["p1"] == Address("CN", "310115", "上海市", "上海市", "浦东新区", "世纪大道1号")
    assert found["p3"] is None
    problems = desk.api.get(f"/imports/{run.id.hex}/problems").json["problems"]
    assert [each["code"] for each in problems[0]["faults"]] == ["value.not_a_region"]


def test_what_the_input_asks_for(desk: Desk) -> None:
    parts: Any = desk.admin.get("/address/parts?line=上海浦东新区世纪大道1号").json
    assert parts["district"] == "浦东新区" and parts["street"] == "世纪大道1号"
    offered = desk.admin.get("/address/search?q=nanshan")
    assert "深圳市" in readable(offered) and 'data-id="440305"' in offered.text
    tree: Any = desk.admin.get("/address/regions").json
    assert len(tree["regions"]) == 34 and tree["countries"][0] == ["CN", "中国"]
    assert desk.pages.stranger().get("/address/regions").status_code in (302, 303, 401)
