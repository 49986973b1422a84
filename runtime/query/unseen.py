"""Formulas of admins in SQL: the platform works them out, past every right of the person they are for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from tabwright.formula.aggregates import Relation
from tabwright.formula.scope import Path
from tabwright.runtime.access.rights import MAX_HOPS
from tabwright.runtime.desk import Call
from tabwright.runtime.query.children import Related
from tabwright.runtime.query.source import Column, Source
from tabwright.runtime.query.trees import below


class UnseenColumns:
    """The columns of a source whose gate is the platform's."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def column_of(self, path: Path) -> Column:
        if path[0] != "$user":
            source = self._source
            if len(path) > MAX_HOPS + 1:  # a formula over another one's paths
                return source.unseen(path)
            return source.column(source.gate.resolve(source.object, ".".join(path)))
        return self._source.of_person(path)[0]

    def children(self, relation: Relation) -> Related:
        return Related(self._source, relation, UnseenColumns)

    def below(self, target: str, records: Sequence[Column]) -> sa.Select[tuple[Any]]:
        return below(self._source, self._source.gate, target, records)


def parameters(call: Call) -> dict[str, Any]:
    """Values of the parameters of such SQL: the moment and the person it is for."""
    person = call.principal
    known = person.kind != "system"
    return {
        **call.env(call.clock.now()).parameters(),
        "me_id": person.user_id if known else None,
        "me_name": person.name if known else None,
        "me_language": person.language if known else None,
        "me_zone": person.zone if known else None,
    }
