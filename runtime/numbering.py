"""Auto numbers: a counter row per field and period, one UPDATE for any number of records.

Numbers are given in the transaction of the write, just before it, so an operation that fails leaves no gap.
A counter is kept for each period and, where numbers are given per parent, for each parent. The pattern holds
text, ``{YYYY} {YY} {MM} {DD}`` (the day of the write where the writer is) and one run of zeros, ``{0000}``,
the least width of the number. Unless it says otherwise, a pattern with date parts starts again with each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import sqlalchemy as sa

from tabwright.platform.database import Prepared, Store, Writer, prepare
from tabwright.platform.tables import TENANT, CodeText

counters = sa.Table(
    "counter",
    TENANT,
    sa.Column("uid", CodeText, primary_key=True),  # of the field
    sa.Column("period", CodeText, primary_key=True),  # "" when the pattern has no date part
    sa.Column("last", sa.BigInteger, nullable=False),
)

_part = re.compile(r"\{(YYYY|YY|MM|DD|0+)\}")


@lru_cache(maxsize=512)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(_part.split(pattern))


def format_numbers(pattern: str, day: date, first: int, count: int) -> list[str]:
    """``count`` numbers from ``first`` on, written by the pattern; one without ``{0}`` gets it at its end."""
    before, after, width = "", "", 0
    found = False
    for at, part in enumerate(_parts(pattern)):
        if at % 2 and part[0] == "0":
            found, width = True, len(part)
            continue
        text = _date_part(part, day) if at % 2 else part
        if found:
            after += text
        else:
            before += text
    return [f"{before}{number:0{width or 1}d}{after}" for number in range(first, first + count)]


def _date_part(part: str, day: date) -> str:
    return {"YYYY": f"{day:%Y}".zfill(4), "YY": f"{day:%y}", "MM": f"{day:%m}", "DD": f"{day:%d}"}[part]


_periods = {"never": "", "year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d"}


def period_of(pattern: str, day: date, restart: str | None = None) -> str:
    """What a counter is kept for: the period that ``restart`` names, else the pattern's date parts."""
    if restart is not None:
        return day.strftime(_periods[restart])
    return "-".join(_date_part(part, day) for part in _parts(pattern)[1::2] if part[0] != "0")


@lru_cache(maxsize=256)
def _statement(store: Store) -> Prepared:
    insert: Callable[..., sa.sql.dml.Insert]
    if store.dialect == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert
    count = sa.bindparam("count", type_=sa.BigInteger)
    added = insert(counters).values(
        uid=sa.bindparam("uid", type_=sa.Text),
        period=sa.bindparam("period", type_=sa.Text),
        last=sa.bindparam("start", type_=sa.BigInteger) + count - 1,
    )
    return prepare(
        store,
        added.on_conflict_do_update(  # type: ignore[attr-defined]
            index_elements=["uid", "period"], set_={"last": counters.c.last + count}
        ).returning(counters.c.last),
    )


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter: of a field in a period and, where numbers are given per parent, of one parent."""

    uid: str
    pattern: str
    start: int
    day: date
    restart: str | None = None
    parent: str | None = None  # the parent's id; "" for records without one

    @property
    def key(self) -> str:
        period = period_of(self.pattern, self.day, self.restart)
        return period if self.parent is None else f"{period}@{self.parent}"


def take_numbers(
    writer: Writer, counter: Counter, count: int, highest: Callable[[str, str], Iterable[str]]
) -> list[str]:
    """The next ``count`` numbers of a counter. It stays locked to the end of the write.

    A counter that is used for the first time goes on behind what stands already: ``highest`` gives the last
    of the present numbers between a text before and one after the digits. So a counter that an admin has made
    to start again in another way never gives a number twice.
    """
    given = {"uid": counter.uid, "period": counter.key, "start": counter.start, "count": count}
    row = writer.row(_statement(writer.store), given)
    assert row is not None
    first = int(row[0]) - count + 1
    if first == counter.start:
        before, after = _around(counter)
        last = max((_digits(each, before, after) for each in highest(before, after)), default=-1)
        if last >= first:
            again = writer.row(_statement(writer.store), {**given, "count": last - first + 1})
            assert again is not None
            first = last + 1
    return format_numbers(counter.pattern, counter.day, first, count)


def _around(counter: Counter) -> tuple[str, str]:
    """What stands before and after the digits of a counter's numbers."""
    [one] = format_numbers(counter.pattern, counter.day, 0, 1)
    parts = _parts(counter.pattern)
    digits = next((part for part in parts[1::2] if part[0] == "0"), None)
    if digits is None:
        return one[:-1], ""
    at = parts.index(digits)
    before = sum(len(_date_part(p, counter.day)) if n % 2 else len(p) for n, p in enumerate(parts[:at]))
    return one[:before], one[before + len(digits) :]


def _digits(number: str, before: str, after: str) -> int:
    inside = number[len(before) : len(number) - len(after)]
    return int(inside) if inside.isascii() and inside.isdigit() else -1
