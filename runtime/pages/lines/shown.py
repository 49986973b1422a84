"""The tables of lines of a record's page."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from tabwright.runtime.desk import Call
from tabwright.runtime.pages import visiting
from tabwright.runtime.pages.lines.drawing import read_table
from tabwright.runtime.pages.lines.plan import plans
from tabwright.runtime.pages.lines.tables import stored
from tabwright.runtime.pages.preview import Reading


def read_tables(
    call: Call, reads: Reading, parts: visiting.Parts, id: UUID, hidden: Collection[str]
) -> dict[str, str]:
    """Each table that shows, as HTML by its relation."""
    return {
        plan.relation: read_table(call, stored(call, reads, plan, id))
        for plan in plans(call, parts)
        if plan.relation not in hidden
    }
