"""Everything below a record, in SQL: the records of an object whose own lookup makes a tree of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tabwright.platform.errors import Invalid, Place
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.query.source import Source


def below(
    source: Source, gate: Gate, target: str, records: Sequence[sa.ColumnElement[Any]]
) -> sa.Select[tuple[Any]]:
    """The ids of the records and of all that hang below them, each once, also where data has a ring.

    Raises Invalid ``query.no_tree`` where the object has no tree, or none that may be known of.
    """
    object = gate.model.find(target)
    field = object.tree if object is not None else None
    if object is None or field is None or not gate.can_read(field):
        raise Invalid.of("query.no_tree", Place(field="where"), object=target)
    table = source.beside(object)
    start = sa.union(*(sa.select(each.label("id")) for each in records)) if len(records) > 1 else None
    first = sa.select(start.subquery().c.id) if start is not None else sa.select(records[0].label("id"))
    found = first.cte(recursive=True)
    hanging = sa.select(table.id).select_from(
        table.joined.join(found, table.column(field.name) == found.c.id)
    )
    return sa.select(found.union(hanging.where(table.deleted_at.is_(None))).c.id)
