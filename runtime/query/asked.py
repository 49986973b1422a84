"""What can be asked of the read path, as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Direction = Literal["asc", "desc"]
Order = tuple[tuple[str, Direction], ...]
Part = Literal["year", "quarter", "month", "week", "day"]
Function = Literal["count", "sum", "avg", "min", "max", "count_distinct"]

PAGE = 50  # rows of a page when nobody says


def mark_key(number: int) -> str:
    """The key in a row of the mark with this number (from 0); no path can be called so."""
    return f"mark:{number}"


def failed_key(path: str) -> str:
    """The key in a row that says whether the formula at a path has an error there; no path is called so."""
    return f"failed:{path}"


@dataclass(frozen=True, slots=True)
class Query:
    """A page of an object's records.

    ``fields`` may walk lookups ("account.name"); none: all that may be read. Each text of ``where``
    is a formula that must be true. ``parent`` keeps records whose lookup names one record: a related list.
    Of each formula of ``marks`` a row says under ``mark_key`` whether it is true for it.
    ``cursor`` is a page's ``next_cursor``. ``count`` asks for the number of all records, up to a limit.
    """

    object: str
    fields: tuple[str, ...] = ()
    where: str | tuple[str, ...] | None = None
    order: Order = ()
    limit: int | None = None  # None: ``PAGE``, or fewer where the operator allows fewer
    cursor: str | None = None
    count: bool = False
    parent: tuple[str, UUID] | None = None
    marks: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """``where`` as formulas, blank ones left out."""
        texts = (self.where,) if isinstance(self.where, str) else self.where or ()
        return tuple(text for text in texts if text.strip())


@dataclass(frozen=True, slots=True)
class GroupBy:
    """One thing to group by: a field over lookups, of a date perhaps a part. ``name`` is its key in a row.

    Parts are texts that sort by time: ``2017``, ``2017-Q2``, ``2017-06``, ``2017-W23`` (ISO), ``2017-06-30``.
    """

    field: str
    part: Part | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Measure:
    """One number of each group; without ``field``, the count of records. ``name`` is its key in a row."""

    function: Function
    field: str | None = None
    name: str = ""


@dataclass(frozen=True, slots=True)
class Aggregation:
    """Groups of an object's records. ``having`` and ``order`` name groups and measures."""

    object: str
    group: tuple[GroupBy, ...] = ()
    measures: tuple[Measure, ...] = (Measure("count", None, "count"),)
    where: str | tuple[str, ...] | None = None
    having: str | None = None
    order: Order = ()
    limit: int = 200

    @property
    def conditions(self) -> tuple[str, ...]:
        """``where`` as formulas, blank ones left out."""
        texts = (self.where,) if isinstance(self.where, str) else self.where or ()
        return tuple(text for text in texts if text.strip())
