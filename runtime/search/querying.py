"""Global search: what a person typed -> records that they may read, found by fields that they may read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.tables import uuid_of
from tabwright.runtime.search.keeping import index_of
from tabwright.runtime.search.tables import search_row, search_text
from tabwright.runtime.search.tokens import Need, needs_of
from tabwright.runtime.sort_keys import stripped

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import Call

DEFAULT_LIMIT = 20
MOST = 200
_CANDIDATES = 5  # times the limit: ranked here, the best are shown


@dataclass(frozen=True, slots=True)
class Hit:
    """A record that was found; ``name`` is "" where its name is blank or may not be read."""

    object: str
    id: UUID
    name: str


def search(
    call: Call,
    text: str,
    objects: Sequence[str] | None = None,
    limit: int = DEFAULT_LIMIT,
    reader: Reader | None = None,
) -> list[Hit]:
    """The best ``limit`` hits of each object, best first; ``objects`` narrows it to some.

    Raises NotFound for an object that may not be known.
    """
    needs = needs_of(text)
    limit = max(1, min(limit, MOST))
    chosen = [call.gate.object(name) for name in objects] if objects is not None else call.gate.objects()
    if not needs:
        return []
    if reader is None:
        with call.tenant.store.read() as own:
            return [hit for object in chosen for hit in _search_one(call, own, object, text, needs, limit)]
    return [hit for object in chosen for hit in _search_one(call, reader, object, text, needs, limit)]


def _search_one(
    call: Call, reader: Reader, object: ObjectDef, text: str, needs: Sequence[Need], limit: int
) -> list[Hit]:
    gate = call.gate
    index = index_of(call, object) if gate.may(object, "read") else None
    if index is None:
        return []
    readable = [
        id for id, names in index.classes.items() if all(gate.can_read(object.fields[name]) for name in names)
    ]
    rule = gate.rule(object, "read")
    if not readable or rule.nothing:
        return []
    table = call.tables.of(object)
    statement = call.tenant.piece(
        "search_query",
        object,
        table,
        lambda: _statement(call, object, len(readable)),
        rule.shape,
        len(readable),
    )
    given: dict[str, Any] = dict(rule.parameters())
    given |= {f"class{at}": id for at, id in enumerate(readable)}
    given |= {"query": _query(call.tenant.store.dialect, needs), "most": limit * _CANDIDATES}
    shown = gate.can_read(object.fields[object.name_field])
    wanted = stripped(text.strip())
    found: dict[UUID, str] = {}
    for id, name in reader.rows(statement, given):
        found[uuid_of(id)] = str(name) if shown and name is not None else ""
    hits = [Hit(object.name, id, name) for id, name in found.items()]
    hits.sort(key=lambda hit: _rank(hit.name, wanted))  # stable: the newest first among equals
    return hits[:limit]


def _rank(name: str, wanted: str) -> int:
    plain = stripped(name)
    if plain == wanted:
        return 0
    if plain.startswith(wanted):
        return 1
    return 2 if wanted in plain else 3


def _statement(call: Call, object: ObjectDef, classes: int) -> Prepared:
    store = call.tenant.store
    table = call.tables.of(object)
    name = table.column(object.name_field)
    among = sa.or_(
        *(search_row.c["class"] == sa.bindparam(f"class{at}", type_=sa.Text) for at in range(classes))
    )
    condition = call.gate.predicate(object, "read", table.column)
    query = sa.bindparam("query", type_=sa.Text)
    source = table.joined if table.is_side(object.name_field) else table.main
    if store.dialect == "sqlite":
        joined = sa.join(search_text, search_row, search_row.c.rid == search_text.c.rowid)
        matches = sa.column("search_text").op("MATCH")(query)
        order = search_text.c.rowid
    else:
        joined = search_row  # type: ignore[assignment]
        matches = search_row.c.tokens.op("@@")(sa.cast(query, postgresql.TSQUERY))
        order = search_row.c.rid
    chosen = (
        sa.select(table.id, name)
        .select_from(joined.join(source, table.id == search_row.c.record_id))
        .where(matches, search_row.c.object_n == table.number, among, table.deleted_at.is_(None))
    )
    if condition is not None:
        chosen = chosen.where(condition)
    return prepare(store, chosen.order_by(order.desc()).limit(sa.bindparam("most", type_=sa.Integer)))


def _query(dialect: str, needs: Sequence[Need]) -> str:
    """The needs in the engine's own words. Tokens are ASCII letters and digits, so quoting them is safe."""
    parts = []
    for need in needs:
        if dialect == "sqlite":
            words = [f'"{token}"' + ("" if need.whole else "*") for token in need.tokens]
            parts.append(f"({' OR '.join(words)})")
        else:
            words = [f"'{token}'" + ("" if need.whole else ":*") for token in need.tokens]
            parts.append(f"({' | '.join(words)})")
    return (" AND " if dialect == "sqlite" else " & ").join(parts)
