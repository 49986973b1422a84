"""Parts of dates as texts that sort by time: 2017, 2017-Q2, 2017-06, 2017-W23 (ISO), 2017-06-30.

A moment is first brought to the day that it has in the caller's time zone, on SQLite, which knows no
zones, by the formula room's own function.
"""

from __future__ import annotations

import sqlalchemy as sa

from tabwright.runtime.query.asked import Part
from tabwright.runtime.query.source import Column

_POSTGRES: dict[Part, str] = {
    "year": "YYYY", "quarter": 'YYYY-"Q"Q', "month": "YYYY-MM", "week": 'IYYY-"W"IW', "day": "YYYY-MM-DD",
}  # fmt: skip
_LENGTH: dict[Part, int] = {"year": 4, "month": 7, "day": 10}


def part_of(column: Column, part: Part, is_moment: bool, dialect: str) -> Column:
    """The part of a date, or of a moment in the zone of parameter ``tw_zone``."""
    zone = sa.bindparam("tw_zone", type_=sa.Text)
    if dialect == "postgresql":
        local = sa.func.timezone(zone, column) if is_moment else sa.cast(column, sa.TIMESTAMP)
        return sa.func.to_char(local, _POSTGRES[part], type_=sa.Text).collate("C")
    day: Column = sa.func.tw_local_date(column, zone, type_=sa.Text) if is_moment else column
    if part in _LENGTH:
        return sa.func.substr(day, 1, _LENGTH[part], type_=sa.Text)
    if part == "quarter":
        quarter = (sa.cast(sa.func.substr(day, 6, 2), sa.Integer) + 2) // 3
        return sa.func.substr(day, 1, 4, type_=sa.Text) + "-Q" + sa.cast(quarter, sa.Text)
    # The ISO week is that of its Thursday.
    thursday = sa.func.date(day, "-3 days", "weekday 4", type_=sa.Text)
    week = (sa.cast(sa.func.strftime("%j", thursday), sa.Integer) - 1) // 7 + 1
    return sa.func.substr(thursday, 1, 4, type_=sa.Text) + sa.func.printf("-W%02d", week, type_=sa.Text)
