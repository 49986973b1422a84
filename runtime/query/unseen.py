"""Formulas of admins in SQL: the platform works them out, past every right of the person they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tabwright.formula.aggregates import Relation
from tabwright.formula.scope import Path
from tabwright.platform.tables import Uuid
from tabwright.runtime.desk import Call
from tabwright.runtime.query.children import Related
from tabwright.runtime.query.source import Column, Source
from tabwright.runtime.query.trees import below

_PERSON: Mapping[str, sa.types.TypeEngine[Any]] = {
    "id": Uuid(), "name": sa.Text(), "language": sa.Text(), "zone": sa.Text(),
}  # fmt: skip


class UnseenColumns:
    """The columns of a source whose gate is the platform's."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def column_of(self, path: Path) -> Column:
        if path[0] != "$user":
            source = self._source
            return source.column(source.gate.resolve(source.object, ".".join(path)))
        name = path[1] if len(path) > 1 else "id"
        return sa.bindparam(f"me_{name}", type_=_PERSON[name]) if name in _PERSON else sa.null()

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
