"""Which records of an object: one definition with two readings, SQL and yes/no.

A ``RecordRule`` is a tiny tree of data. ``sql`` and ``holds`` read the same tree, so they cannot drift;
tests/laws/test_access_rule.py holds them equal on both databases. Values never enter the SQL text: they
are the bind parameters that ``parameters`` gives, and ``shape`` (values left out) keys compiled statements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.tables import Uuid

Column = Callable[[str], sa.ColumnElement[Any]]  # system field name -> column


@dataclass(frozen=True, slots=True)
class RecordRule:
    """``everything``: no record is left out. Otherwise the records whose owner is one of ``owners``.

    ``whose`` begins the names of its parameters: two people's rules may stand in one statement.
    """

    everything: bool = False
    owners: tuple[UUID, ...] = ()
    whose: str = "viewer"

    @property
    def shape(self) -> str:
        """The rule without its values."""
        return "all" if self.everything else f"{self.whose}{len(self.padded)}"

    @property
    def nothing(self) -> bool:
        return not self.everything and not self.owners

    @property
    def padded(self) -> tuple[UUID, ...]:
        # To a power of two, so that people in few and in many groups share few statements.
        if not self.owners:
            return ()
        size = 1
        while size < len(self.owners):
            size *= 2
        return self.owners + (self.owners[-1],) * (size - len(self.owners))

    def sql(self, column: Column) -> sa.ColumnElement[bool] | None:
        """The rule as a condition on the record's table, or None when it leaves nothing out."""
        if self.everything:
            return None
        names = self._names()
        if not names:
            return sa.false()
        owner = column("owner")
        binds: list[sa.BindParameter[Any]] = [sa.bindparam(name, type_=Uuid()) for name in names]
        if len(binds) == 1:
            return owner == binds[0]
        return sa.or_(*(owner == bind for bind in binds))

    def parameters(self) -> dict[str, UUID]:
        """The values of the bind parameters that ``sql`` names."""
        if self.everything:
            return {}
        return dict(zip(self._names(), self.padded, strict=True))

    def _names(self) -> tuple[str, ...]:
        return tuple(f"{self.whose}{n}" for n in range(len(self.padded)))

    def both(self, other: RecordRule, whose: str) -> RecordRule:
        """The records that this rule and another one have in common."""
        if self.everything or other.everything:
            return other if self.everything else self
        return RecordRule(False, tuple(each for each in self.owners if each in other.owners), whose)

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether the record is one of them; ``row`` holds the system field "owner" (a UUID or None)."""
        return self.everything or row.get("owner") in self.owners


EVERYTHING = RecordRule(everything=True)
NOTHING = RecordRule()
