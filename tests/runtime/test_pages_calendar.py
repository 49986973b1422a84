"""Calendars over HTTP: dates and pairs, zones, moves, prefilled records, rights; on both databases."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit
from uuid import UUID

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS

CRM: models.Compact = {
    "visit": {
        "name": "text(120) required sortable searchable",
        "due": "date",
        "until": "date",
        "begins": "datetime",
        "ends": "datetime",
        "secret_day": "date",
    },
    "plain": {"name": "text(120) required sortable"},
}
JUNIOR = {
    "kind": "permission_set", "name": "junior", "label": {"en": "Junior", "zh": "新人"},
    "objects": {"visit": ["read", "view_all"]}, "fields": {"visit": {"*": "read", "secret_day": "none"}},
    "tabs": ["*"], "apps": ["*"],
}  # fmt: skip
ROWS = {
    "首日": {"due": "2026-11-01"},
    "末日": {"due": "2026-11-30"},
    "下月": {"due": "2027-01-15"},
    "跨月": {"due": "2026-10-20", "until": "2026-11-03"},
    "无日期": {},
    "晚会": {
        "begins": "2026-11-10T16:30:00Z",
        "ends": "2026-11-10T17:00:00Z",
    },  # 00:30 of the 11th in Shanghai
    "早会": {"begins": "2026-11-10T15:59:00Z"},  # 23:59 of the 10th
}


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, [JUNIOR])
        yield made


@pytest.fixture(scope="module")
def ids(site: PageSite) -> dict[str, UUID]:
    return {name: site.records.create("visit", {"name": name, **row}).id for name, row in ROWS.items()}


@pytest.fixture(scope="module")
def boss(site: PageSite, ids: dict[str, UUID]) -> Visitor:
    visitor = site.person("周文博", "administrator", "standard_user")
    visitor.get("/settings")
    visitor.post("/settings", {"zone": "Asia/Shanghai", "language": "zh"})
    return visitor


@pytest.fixture(scope="module")
def junior(site: PageSite, ids: dict[str, UUID]) -> Visitor:
    return site.person("林晓彤", "junior")


def days(page: str) -> dict[str, list[str]]:
    """Day -> the names of its entries; "" is the list of those without a date."""
    body, _, side = page.partition('<aside class="tw-calside"')
    body = body[body.index("data-calendar") :]
    found = {}
    for part in body.split('<section class="tw-calday')[1:]:
        day = re.search(r'data-day="([^"]*)"', part)
        assert day
        found[day[1]] = [html.unescape(each) for each in re.findall(r'draggable="false">([^<]*)<', part)]
    found[""] = [html.unescape(each) for each in re.findall(r'draggable="false">([^<]*)<', side)]
    return found


def test_a_month_shows_its_whole_weeks_and_what_lies_on_them(boss: Visitor) -> None:
    found = days(boss.get("/o/visit/calendar?start=due&date=2026-11").text)
    assert list(found)[0] == "2026-10-26" and list(found)[-2] == "2026-12-06"
    assert found["2026-11-01"] == ["首日"] and found["2026-11-30"] == ["末日"]
    assert sum(len(each) for day, each in found.items() if day) == 2
    assert set(found[""]) == {"无日期", "晚会", "早会"}


def test_a_pair_stands_on_each_of_its_days(boss: Visitor) -> None:
    page = boss.get("/o/visit/calendar?start=due&end=until&date=2026-11").text
    found = days(page)
    assert [day for day, names in found.items() if "跨月" in names] == [
        f"2026-10-{n}" for n in range(26, 32)
    ] + ["2026-11-01", "2026-11-02", "2026-11-03"]
    assert found["2026-11-30"] == ["末日"]
    week = days(boss.get("/o/visit/calendar?start=due&end=until&mode=week&date=2026-11-04").text)
    assert list(week)[:-1] == [f"2026-11-0{n}" for n in range(2, 9)] and week["2026-11-03"] == ["跨月"]


def test_times_are_of_the_persons_zone(boss: Visitor) -> None:
    page = boss.get("/o/visit/calendar?start=begins&end=ends&mode=week&date=2026-11-10").text
    found = days(page)
    assert found["2026-11-10"] == ["早会"] and found["2026-11-11"] == ["晚会"]
    assert "00:30 – 01:00" in page and "Asia/Shanghai" in page


def test_a_filter_and_a_bad_one(boss: Visitor) -> None:
    found = days(
        boss.get("/o/visit/calendar?start=due&date=2026-11&where=" + quote('BEGINS(name, "首")')).text
    )
    assert found["2026-11-01"] == ["首日"] and found["2026-11-30"] == [] and found[""] == []
    bad = boss.get("/o/visit/calendar?start=due&date=2026-11&where=" + quote("nosuch = 1"))
    assert bad.status_code == 200 and "nosuch" in readable(bad) and days(bad.text)["2026-11-30"] == ["末日"]


@pytest.mark.parametrize(
    "given", ["", "x", "2026-13", "2026-02-31", "0001-01", "9999-12", "2026-11-", "٢٠٢٦-11"]
)
def test_any_date_in_the_address_shows_a_calendar(boss: Visitor, given: str) -> None:
    for mode in ("month", "week", "y"):
        answer = boss.get(f"/o/visit/calendar?start=due&mode={mode}&date={quote(given)}")
        assert answer.status_code == 200 and len(days(answer.text)) > 7


def test_an_empty_day_makes_a_record_with_its_date(boss: Visitor) -> None:
    for start, text in (("due", "2026-11-12"), ("begins", "2026-11-12T09:00")):
        page = boss.get(f"/o/visit/calendar?start={start}&date=2026-11").text
        links = [html.unescape(each) for each in re.findall(r'data-new href="([^"]*)"', page)]
        link = next(each for each in links if parse_qs(urlsplit(each).query)[start] == [text])
        boss.get(link)
        assert boss.form()[start] == text and "/calendar" in boss.form()["_back"]


def test_moving_writes_both_ends_through_the_write_path(boss: Visitor, ids: dict[str, UUID]) -> None:
    boss.get("/o/visit/calendar?start=due&end=until&date=2026-11")
    answer = boss.post(
        f"/o/visit/{ids['跨月']}/move", {"set.due": "2026-11-05", "set.until": "2026-11-19", "revision": "1"}
    )
    assert answer.status_code == 200, answer.text
    boss.get("/o/visit/calendar")
    undo = answer.get_json()["undo"]
    found = days(boss.get("/o/visit/calendar?start=due&end=until&date=2026-11").text)
    assert "跨月" in found["2026-11-19"] and "跨月" not in found["2026-11-04"]
    boss.post(undo, {})
    assert "跨月" in days(boss.get("/o/visit/calendar?start=due&end=until&date=2026-11").text)["2026-11-03"]
    wrong = boss.post(f"/o/visit/{ids['跨月']}/move", {"set.due": "gestern", "revision": "3"})
    assert wrong.status_code == 422 and "2026-01-31" in wrong.get_json()["refused"]


def test_a_time_is_written_by_the_persons_clock(site: PageSite, boss: Visitor, ids: dict[str, UUID]) -> None:
    boss.get("/o/visit/calendar?start=begins&date=2026-11")
    assert boss.post(f"/o/visit/{ids['早会']}/move", {"set.begins": "2026-11-14T08:15"}).status_code == 200
    assert "08:15" in boss.get("/o/visit/calendar?start=begins&mode=week&date=2026-11-14").text
    boss.post(f"/o/visit/{ids['早会']}/move", {"set.begins": "2026-11-10T23:59"})


def test_who_may_only_read_sees_and_does_not_move(junior: Visitor, ids: dict[str, UUID]) -> None:
    page = junior.get("/o/visit/calendar?start=due&date=2026-11")
    assert days(page.text)["2026-11-01"] == ["首日"]
    assert " data-moves" not in page.text and "data-new" not in page.text and "Secret" not in page.text
    assert junior.post(f"/o/visit/{ids['首日']}/move", {"set.due": "2026-11-02"}).status_code == 403
    hidden = junior.get("/o/visit/calendar?start=secret_day&date=2026-11").text
    assert "ecret" not in hidden.replace("start=secret_day", "").replace("start%3Dsecret_day", "")


def test_an_object_without_dates_still_has_when_it_was_made(boss: Visitor) -> None:
    answer = boss.get("/o/plain/calendar")
    assert answer.status_code == 200 and " data-moves" not in answer.text


def test_a_day_with_many_folds_the_rest_and_a_range_with_too_many_says_so(
    site: PageSite, boss: Visitor
) -> None:
    made = [site.records.create("visit", {"name": f"多 {n}", "due": "2030-05-15"}).id for n in range(30)]
    page = boss.get("/o/visit/calendar?start=due&date=2030-05").text
    assert len(days(page)["2030-05-15"]) == 30 and "还有 26 条" in page and "只显示前" not in page
    for id in made:
        site.records.delete("visit", id)


def test_a_calendar_is_saved_and_opened(boss: Visitor, junior: Visitor) -> None:
    boss.get("/o/visit/calendar")
    answer = boss.post(
        "/o/visit/views",
        {
            "way": "calendar",
            "name": "周历",
            "shared": "yes",
            "start": "begins",
            "end": "ends",
            "mode": "week",
        },
    )
    at = answer.headers["Location"]
    assert at.startswith("/o/visit/calendar?view=") and f'href="{at}"' in junior.get("/o/visit").text
    assert len(days(junior.get(at + "&date=2026-11-11").text)) == 8


def test_the_panel_beside_shows_what_the_page_shows(
    boss: Visitor, junior: Visitor, ids: dict[str, UUID]
) -> None:
    beside = boss.get(f"/o/visit/{ids['首日']}/peek?back=/o/visit/calendar").text
    assert "首日" in beside and "Secret day" in beside and "<html" not in beside and "/edit?_back=" in beside
    less = junior.get(f"/o/visit/{ids['首日']}/peek?back=//evil.example/x").text
    assert "首日" in less and "Secret" not in less and "/edit" not in less and "evil" not in less
    assert junior.get(f"/o/visit/{UUID(int=5)}/peek").status_code == 404
