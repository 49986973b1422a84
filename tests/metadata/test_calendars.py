"""Business calendars: what a document says, what is wrong with it, and what formulas make of it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from formulas import compiled
from models import document, model
from tabwright.formula.environment import Env
from tabwright.metadata.model import CalendarDef
from tabwright.platform.errors import Invalid

OFFICE = [
    {"weekday": day, "from": start, "to": end}
    for day in ("monday", "tuesday", "wednesday", "thursday", "friday")
    for start, end in (("09:00", "12:00"), ("13:30", "18:00"))
]


def calendar(**body: Any) -> dict[str, Any]:
    return {"kind": "calendar", **body}


def ours(*documents: dict[str, Any]) -> CalendarDef:
    found = model({"account": {"name": "text"}}, documents).calendar
    assert found is not None
    return found


def value(text: str, found: CalendarDef) -> Any:
    """What a formula without fields gives by a calendar."""
    env = Env(
        date(2026, 1, 5), datetime(2026, 1, 5, 2, tzinfo=UTC), "Asia/Shanghai",
        calendar=found.hours.text, fiscal=found.fiscal,
    )  # fmt: skip
    return compiled(text).evaluator()((), env)


YEAR = calendar(
    name="ours", default=True, zone="Asia/Shanghai", hours=OFFICE,
    days_off=[{"from": "2026-02-16", "to": "2026-02-20", "label": {"en": "Spring"}}, {"from": "2026-01-01"}],
    days_worked=[{"day": "2026-02-14", "like": "friday"}, {"day": "2026-02-28"}],
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("WORKDAY(DATE(2025, 12, 31), 1)", date(2026, 1, 2)),
        ("WORKDAY(DATE(2026, 2, 13), 1)", date(2026, 2, 14)),  # a Saturday, worked instead
        ("WORKDAY(DATE(2026, 2, 14), 1)", date(2026, 2, 23)),
        ("WORKDAY(DATE(2026, 2, 23), -1)", date(2026, 2, 14)),
        ("WORKDAYDIFF(DATE(2026, 2, 1), DATE(2026, 2, 28))", Decimal(17)),
        ("ISWORKDAY(DATE(2026, 2, 28))", True),
        ("ISWORKDAY(DATE(2026, 2, 17))", False),
        # From Saturday 17:00 to Monday week 10:00 in Shanghai.
        (
            'HOURSBETWEEN(DATETIMEVALUE("2026-02-14 09:00:00"), DATETIMEVALUE("2026-02-23 02:00:00"))',
            Decimal(2),
        ),
        ("FISCALYEAR(DATE(2026, 3, 31))", Decimal(2026)),
    ],
)
def test_formulas_count_by_the_calendar(text: str, expected: Any) -> None:
    assert value(text, ours(YEAR)) == expected


@pytest.mark.parametrize(
    ("start", "named", "year", "quarter", "begins"),
    [
        (4, "start", 2025, 4, date(2025, 4, 1)),
        (4, "end", 2026, 4, date(2025, 4, 1)),
        (1, "end", 2026, 1, date(2026, 1, 1)),
        (3, "start", 2026, 1, date(2026, 3, 1)),
    ],
)
def test_a_fiscal_year_begins_where_the_calendar_says(
    start: int, named: str, year: int, quarter: int, begins: date
) -> None:
    found = ours({**YEAR, "fiscal_year_start": start, "fiscal_year_named_by": named})
    assert value("FISCALYEAR(DATE(2026, 3, 31))", found) == year
    assert value("FISCALQUARTER(DATE(2026, 3, 31))", found) == quarter
    assert value('STARTOF(DATE(2026, 3, 31), "fiscal_year")', found) == begins


def test_a_calendar_takes_days_from_others_and_its_own_go_before() -> None:
    holidays = calendar(
        name="holidays",
        days_off=[{"from": "2026-05-01", "to": "2026-05-05"}],
        days_worked=[{"day": "2026-05-09", "like": "monday"}],
    )
    more = calendar(name="more", includes=["holidays"], days_off=[{"from": "2026-05-06"}])
    found = ours(
        holidays,
        more,
        calendar(
            name="ours", default=True, hours=OFFICE, includes=["more"], days_worked=[{"day": "2026-05-04"}]
        ),
    )
    assert value("WORKDAY(DATE(2026, 4, 30), 1)", found) == date(2026, 5, 4)
    assert value("WORKDAY(DATE(2026, 5, 4), 1)", found) == date(2026, 5, 7)
    assert value("ISWORKDAY(DATE(2026, 5, 9))", found) is True


def faults(*documents: dict[str, Any]) -> set[tuple[str, str | None]]:
    with pytest.raises(Invalid) as caught:
        model({"account": {"name": "text"}}, documents)
    return {(fault.code, fault.place.pointer) for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"zone": "Europe/Nowhere"}, "calendar.bad_zone", "/zone"),
        ({"default": True}, "calendar.no_hours", "/hours"),
        (
            {"hours": [{"weekday": "monday", "from": "09:00", "to": "09:00"}]},
            "calendar.ends_before",
            "/hours/0/to",
        ),
        (
            {"hours": [*OFFICE, {"weekday": "monday", "from": "11:00", "to": "14:00"}]},
            "calendar.hours_twice",
            "/hours/10/from",
        ),
        (
            {"hours": [{"weekday": "monday", "from": "9:00", "to": "10:00"}]},
            "calendar.bad_time",
            "/hours/0/from",
        ),
        ({"days_off": [{"from": "2026-02-30"}]}, "calendar.bad_date", "/days_off/0/from"),
        ({"days_off": [{"from": "2026-02-3"}]}, "calendar.bad_date", "/days_off/0/from"),
        (
            {"days_off": [{"from": "2026-02-03", "to": "2026-02-02"}]},
            "calendar.ends_before",
            "/days_off/0/to",
        ),
        (
            {"days_off": [{"from": "2026-02-03", "to": "2028-02-02"}]},
            "calendar.span_too_long",
            "/days_off/0/to",
        ),
        (
            {"days_off": [{"from": f"{year}-01-01", "to": f"{year}-12-31"} for year in range(2000, 2014)]},
            "calendar.too_many_days",
            "/days_off",
        ),
        (
            {"days_off": [{"from": "2026-02-03"}], "days_worked": [{"day": "2026-02-03"}]},
            "calendar.day_twice",
            "/days_worked/0/day",
        ),
        ({"includes": ["it"]}, "calendar.ring", "/includes/0"),
        ({"includes": ["none"]}, "reference.unknown", "/includes/0"),
    ],
)
def test_what_is_wrong_with_a_calendar_is_said_at_its_place(
    body: dict[str, Any], code: str, pointer: str
) -> None:
    assert (code, pointer) in faults(calendar(name="it", **body))


def test_there_is_one_calendar_of_the_organisation() -> None:
    assert ("calendar.two_defaults", "/default") in faults(YEAR, {**YEAR, "name": "second"})


def test_a_ring_of_calendars_is_found() -> None:
    a, b = calendar(name="a", includes=["b"]), calendar(name="b", includes=["a"])
    assert {code for code, _ in faults(a, b)} == {"calendar.ring"}


def test_a_document_of_a_calendar_keeps_its_order() -> None:
    assert document("calendar", "x", days_off=[{"from": "2026-01-01"}])["days_off"]
