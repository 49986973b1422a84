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
from tabwright.runtime.search.learning import near_words
from tabwright.runtime.search.nearness import near_readings, slips_forgiven
from tabwright.runtime.search.tables import search_row, search_text
from tabwright.runtime.search.tokens import Need, nearer, needs_of, of_name
from tabwright.runtime.sort_keys import stripped

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import Call

DEFAULT_LIMIT = 20
MOST = 200
FEW = 5  # hits of what was typed: from here on nothing else is looked for
MOST_MEANT = 200  # words that may have been meant by one typed
_NEWEST = 4_000  # rows read one by one
_SIMPLE = 1_000  # characters of a query that is not too slow for that
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

    Where few records hold what was typed, those that hold what may have been meant follow within each
    object: of one slip, and of two where nothing else was found (``nearness``).

    Raises NotFound for an object that may not be known.
    """
    needs = needs_of(text)
    limit = max(1, min(limit, MOST))
    chosen = [call.gate.object(name) for name in objects] if objects is not None else call.gate.objects()
    if not needs:
        return []
    if reader is None:
        with call.tenant.store.read() as own:
            return search(call, text, objects, limit, own)
    places = [place for object in chosen if (place := _place(call, object)) is not None]
    wanted = stripped(text.strip())
    found: dict[str, dict[UUID, Hit]] = {}
    for place in places:
        found[place.object.name] = {
            hit.id: hit for hit in _best(_search_one(call, reader, place, needs, limit), wanted)
        }
    for most in (1, 2):
        hits_so_far = sum(map(len, found.values()))
        if hits_so_far >= FEW or (hits_so_far and most > 1):
            break
        meant = _meant(reader, places, needs, most)
        for place in places if meant is not None else ():
            hits = found[place.object.name]
            if len(hits) < limit:
                for hit in _best(_search_one(call, reader, place, meant or (), limit), wanted):
                    hits.setdefault(hit.id, hit)
    return [hit for hits in found.values() for hit in list(hits.values())[:limit]]


@dataclass(frozen=True, slots=True)
class _Place:
    """An object that a person may search, and the marks of the searched fields that they may read."""

    object: ObjectDef
    marks: tuple[str, ...]
    named: str | None  # that of the name


def _place(call: Call, object: ObjectDef) -> _Place | None:
    gate = call.gate
    index = index_of(call, object) if gate.may(object, "read") else None
    if index is None or gate.rule(object, "read").nothing:
        return None
    readable = tuple(mark for mark, name in index.marks.items() if gate.can_read(object.fields[name]))
    named = next((mark for mark in readable if index.marks[mark] == object.name_field), None)
    return _Place(object, readable, named) if readable else None


def _meant(
    reader: Reader, places: Sequence[_Place], needs: Sequence[Need], most: int
) -> tuple[Need, ...] | None:
    """The needs, met by words too that are ``most`` slips away; None where that changes nothing."""
    marks = [mark for place in places for mark in place.marks]
    meant = []
    for need in needs:
        if slips_forgiven(need.word) >= most:
            words = near_words(reader, marks, need.word, most)
            need = nearer(need, words[:MOST_MEANT], near_readings(need.word, most))
        meant.append(need)
    return tuple(meant) if meant != list(needs) else None


def _search_one(call: Call, reader: Reader, place: _Place, needs: Sequence[Need], limit: int) -> list[Hit]:
    """Some hits of one object, the newest first."""
    gate, object = call.gate, place.object
    rule = gate.rule(object, "read")
    statements = call.tenant.piece(
        "search_query", object, call.tables.of(object), lambda: _Statements(call, object), rule.shape
    )
    given: dict[str, Any] = {**gate.viewer()}
    given["query"] = match_of(call.tenant.store.dialect, needs, place.marks, place.named)
    given["most"] = limit * _CANDIDATES
    rows: list[tuple[Any, ...]] = []
    if statements.newest is not None and len(given["query"]) < _SIMPLE:
        rows = reader.rows(statements.newest, given)
    if len(rows) < given["most"]:
        rows = reader.rows(statements.all, given)
    shown = gate.can_read(object.fields[object.name_field])
    return [
        Hit(object.name, uuid_of(id), str(name) if shown and name is not None else "") for id, name in rows
    ]


def _best(hits: list[Hit], wanted: str) -> list[Hit]:
    return sorted(hits, key=lambda hit: _rank(hit.name, wanted))  # stable: the newest first among equals


def _rank(name: str, wanted: str) -> int:
    plain = stripped(name)
    if plain == wanted:
        return 0
    if plain.startswith(wanted):
        return 1
    return 2 if wanted in plain else 3


class _Statements:
    """``all`` goes by the index; ``newest`` (PostgreSQL) reads the last rows one by one. The words that stand
    in one row of forty are found there at once, where the index would first fetch all of their rows.
    """

    def __init__(self, call: Call, object: ObjectDef) -> None:
        query = sa.bindparam("query", type_=sa.Text)
        self.newest: Prepared | None = None
        if call.tenant.store.dialect == "sqlite":
            joined = sa.join(search_text, search_row, search_row.c.rid == search_text.c.rowid)
            matches = sa.column(search_text.name).op("MATCH")(query)
            chosen = sa.select(search_text.c.rowid.label("rid"), search_row.c.record_id)
            # Not kept as rows of their own: the index gives the newest first, and LIMIT stops it.
            self.all = _prepared(call, object, chosen.select_from(joined).where(matches).subquery())
            return
        # From within a SELECT the planner does not look at the words: of many beginnings it would think that
        # they stand in every row.
        words = sa.select(sa.cast(query, postgresql.TSQUERY)).scalar_subquery()
        rows = sa.select(search_row.c.rid, search_row.c.record_id, search_row.c.tokens)
        by_index = sa.select(search_row.c.rid, search_row.c.record_id).where(
            search_row.c.tokens.op("@@")(words)
        )
        self.all = _prepared(call, object, by_index.cte().prefix_with("MATERIALIZED", dialect="postgresql"))
        last = rows.order_by(search_row.c.rid.desc()).limit(_NEWEST)
        self.newest = _prepared(call, object, _matching(last.subquery(), words))


def _matching(rows: sa.Subquery, words: sa.ScalarSelect[Any]) -> sa.Subquery:
    return sa.select(rows.c.rid, rows.c.record_id).where(rows.c.tokens.op("@@")(words)).subquery()


def _prepared(call: Call, object: ObjectDef, found: sa.FromClause) -> Prepared:
    """Ids and names of the records of search rows that the person may read."""
    table = call.tables.of(object)
    source = table.joined if table.is_side(object.name_field) else table.main
    chosen = (
        sa.select(table.id, table.column(object.name_field))
        .select_from(sa.join(found, source, table.id == found.c.record_id))
        .where(table.deleted_at.is_(None))
    )
    condition = call.gate.predicate(object, "read", call.tables)
    if condition is not None:
        chosen = chosen.where(condition)
    most = sa.bindparam("most", type_=sa.Integer)
    return prepare(call.tenant.store, chosen.order_by(found.c.rid.desc()).limit(most))


def match_of(dialect: str, needs: Sequence[Need], marks: Sequence[str], named: str | None) -> str:
    """The needs in the engine's own words, each behind any of the marks; by sound only behind ``named``.
    Tokens are ASCII letters and digits, so quoting them is safe.
    """
    quote, begins, either, both = (
        ('"', "*", " OR ", " AND ") if dialect == "sqlite" else ("'", ":*", "|", "&")
    )
    parts = []
    for need in needs:
        words = [
            f"{quote}{mark}{token}{quote}{begins}"
            for mark in marks
            for token in need.starts
            if mark == named or not of_name(token)
        ]
        words += [f"{quote}{mark}{token}{quote}" for mark in marks for token in need.wholes]
        parts.append(f"({either.join(words)})")
    return both.join(parts)
