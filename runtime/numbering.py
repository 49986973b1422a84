"""Auto numbers: a counter row per field and period, one UPDATE for any number of records.

Numbers are given in the transaction of the write, just before it, so an operation that fails leaves no gap.
The pattern holds text, ``{YYYY} {YY} {MM} {DD}`` (the day of the write where the writer is) and one run of
zeros,
``{0000}``: the least width of the number. A pattern with date parts starts again with each of their periods.
"""

from __future__ import annotations

import re
from collections.abc import Callable
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


def period_of(pattern: str, day: date) -> str:
    """What a counter is kept for: the date parts of the pattern on that day."""
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


def take_numbers(writer: Writer, uid: str, pattern: str, start: int, day: date, count: int) -> list[str]:
    """The next ``count`` numbers of a field, by one statement. The counter stays locked to the end of the
    write.
    """
    given = {"uid": uid, "period": period_of(pattern, day), "start": start, "count": count}
    row = writer.row(_statement(writer.store), given)
    assert row is not None
    return format_numbers(pattern, day, int(row[0]) - count + 1, count)
