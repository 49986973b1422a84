"""The two plans of a list, each forced, held against each other and against the model (R10): see
``oracle_ways``.
"""

from __future__ import annotations

from typing import Any, Literal

from access_model import Unknown
from oracle_reads import PATHS, Reads, fits
from organisations import text_of
from tabwright.runtime.query import reads
from tabwright.runtime.query.aggregate import aggregate
from tabwright.runtime.query.asked import Aggregation, GroupBy, Measure, Order, Query
from tabwright.runtime.query.sizing import Plan

PLANS: tuple[Plan, ...] = ("scan", "ids")


class Plans(Reads):
    """Filters, orders, pages, counts and groups by each plan."""

    def by_plans(self, object: str) -> None:
        path = "plans"
        if not self.readable(object):
            return
        for name in self.r.sample((*self.facts["objects"][object]["fields"], *PATHS[object], "owner"), 4):
            condition = self._condition(object, name)
            try:
                self.model.resolve(self.who, object, name)
            except Unknown:
                continue
            where = text_of(condition) if condition is not None else None
            way: Literal["asc", "desc"] = self.r.choice(("asc", "desc"))
            order: Order = (("name", way),) if "name" in self.fields(object) else ()
            asked = Query(object, ("id",), where, order, self.r.choice((2, 5, 50)), count=True)
            scan, ids = (self._pages(asked, plan) for plan in PLANS)
            if scan != ids:
                self.tell(path, f"{object} where {where} order {order}", ids, scan)
            expected = {
                id
                for id in self.model.visible(self.who, object)
                if condition is None or fits(condition, self.model.value(self.who, object, id, name))
            }
            if scan[0] != len(expected):
                self.tell(path, f"count of {object} where {where}", scan[0], len(expected))
            self.same_set(path, f"{object} where {where} by ids", object, ids[1:], expected, 2)
        groups = Aggregation(
            object, (GroupBy("owner", None, "g"),), (Measure("count", None, "n"),), limit=500
        )
        one, other = (aggregate(self.call, groups, plan).rows for plan in PLANS)
        self.counts[path] += len(self.facts["records"][object])
        if one != other or sum(row["n"] for row in one) != len(self.model.visible(self.who, object)):
            self.tell(path, f"groups of {object}", other, one)

    def _pages(self, query: Query, plan: Plan) -> list[Any]:
        """How many there are, and the ids of all pages in order."""
        found: list[Any] = []
        cursor = None
        while True:
            asked = Query(
                query.object, query.fields, query.where, query.order, query.limit, cursor, cursor is None
            )
            page = reads.Reads(self.call, plan).list(asked)
            found = found or [page.count]
            found += [row["id"].hex for row in page.rows]
            cursor = page.next_cursor
            if cursor is None:
                return found
