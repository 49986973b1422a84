"""The organisation's calendar in what formulas do with records: a rule, a default, a list."""

from collections.abc import Callable

import pytest

from models import documents
from tabwright.platform.errors import Invalid
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from world import World, field_doc, world  # noqa: F401

Make = Callable[..., World]
HOURS = [{"weekday": day, "from": "09:00", "to": "18:00"} for day in ("monday", "tuesday", "friday")]
CALENDAR = {
    "kind": "calendar", "name": "ours", "label": {"en": "Ours"}, "default": True, "zone": "Asia/Shanghai",
    "hours": HOURS, "fiscal_year_start": 4,
    "days_off": [{"from": "2026-03-02"}], "days_worked": [{"day": "2026-03-01", "like": "monday"}],
}  # fmt: skip
OBJECTS = documents({"visit": {"name": "text", "day": "date", "at": "datetime", "opens": "time"}})
EXTRA = [
    field_doc("visit.due", "date", default="WORKDAY(day, 2)"),
    {
        "kind": "validation_rule",
        "name": "visit.on_a_working_day",
        "label": {"en": "On a working day"},
        "condition": "NOT(ISWORKDAY(day))",
        "message": {"en": "Nobody is there."},
        "field": "day",
    },
]


def names(w: World, where: str) -> list[str]:
    page = Reads(w.call).list(Query("visit", ("name",), where=where, order=(("name", "asc"),)))
    return [row["name"] for row in page.rows]


def test_rules_defaults_and_lists_count_by_the_calendar(world: Make) -> None:  # noqa: F811
    w = world([*OBJECTS, *EXTRA, CALENDAR])
    with pytest.raises(Invalid) as refused:
        w.records.create("visit", {"name": "off", "day": "2026-03-02"})
    assert refused.value.faults[0].place.field == "day"
    made = w.records.create("visit", {"name": "a", "day": "2026-02-27"}).id
    w.records.create("visit", {"name": "b", "day": "2026-04-03", "opens": "08:30"})
    # Friday, then the Sunday worked instead of Monday, then Tuesday.
    assert w.values("visit", made)["due"].isoformat() == "2026-03-03"
    assert names(w, "FISCALYEAR(day) = 2025") == ["a"]
    assert names(w, 'STARTOF(day, "fiscal_year") = DATE(2026, 4, 1)') == ["b"]
    assert names(w, "WORKDAYDIFF(day, DATE(2026, 3, 3)) = 2") == ["a"]
    assert names(w, "ISWORKDAY(day + 2)") == ["a"]
    assert names(w, 'opens + 60000 = TIMEVALUE("08:31")') == ["b"]

    w.publish([{**CALENDAR, "fiscal_year_start": 1, "days_off": []}])
    assert names(w, "FISCALYEAR(day) = 2025") == []
    assert names(w, "WORKDAYDIFF(day, DATE(2026, 3, 3)) = 3") == ["a"], "at once, without another rule"
    assert w.records.create("visit", {"name": "c", "day": "2026-03-02"}).id


def test_what_one_database_cannot_count_is_refused_there(world: Make) -> None:  # noqa: F811
    w = world([*OBJECTS, CALENDAR])
    if w.store.dialect == "sqlite":
        assert names(w, "WORKDAY(day, 1) = day") == []
        return
    with pytest.raises(Invalid) as refused:
        names(w, "WORKDAY(day, 1) = day")
    assert refused.value.faults[0].code == "FORMULA_NOT_IN_SQL"


def test_a_stored_formula_counts_by_the_calendar_too(world: Make) -> None:  # noqa: F811
    w = world([*OBJECTS, CALENDAR])
    made = w.records.create("visit", {"name": "a", "day": "2026-02-27"}).id
    stored = field_doc(
        "visit.reply", "formula", options={"returns": "date", "formula": "WORKDAY(day, 2)", "stored": True}
    )
    w.publish([stored])
    assert w.values("visit", made)["reply"].isoformat() == "2026-03-03", "filled by the publish"
    w.records.update("visit", made, {"day": "2026-03-01"})
    assert w.values("visit", made)["reply"].isoformat() == "2026-03-06", "kept by the save"
    assert names(w, "reply = DATE(2026, 3, 6)") == ["a"]
