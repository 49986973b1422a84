"""Global search: records by what stands in their fields, and by what stands beside them.

A record is found by a comment on it or by the name of an attachment when all of the words stand in that one
text. Only who may read the record finds it so, whichever of its fields they may read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, prepare
from tabwright.platform.tables import ids_value, in_ids, json_text, uuid_of
from tabwright.runtime.comments import mentions
from tabwright.runtime.comments.tables import COMMENT
from tabwright.runtime.filing.tables import FILE
from tabwright.runtime.search.notes import KINDS, Kind, note_mark
from tabwright.runtime.search.querying import DEFAULT_LIMIT, MOST, Hit, match_of, search
from tabwright.runtime.search.tables import note_text, search_note
from tabwright.runtime.search.tokens import Need, needs_of

if TYPE_CHECKING:
    from tabwright.runtime.desk import Call

_BEFORE, _AFTER = 30, 90  # characters of a text that are shown around what was found
_CANDIDATES = 5  # notes looked at for each record that is wanted: a record may have several


@dataclass(frozen=True, slots=True)
class Note:
    """The comment, or the attachment, by which a record was found. ``text``: the part of the comment around
    what was found, or the name of the file; plain text, for people.
    """

    kind: Kind
    id: UUID
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """A record that was found; with ``note`` also by what stands beside it, or by that ``alone``."""

    hit: Hit
    note: Note | None = None
    alone: bool = False


def search_everywhere(
    call: Call, text: str, objects: Sequence[str] | None = None, limit: int = DEFAULT_LIMIT
) -> list[Found]:
    """Of each object the best ``limit`` records by their fields, then up to as many further ones by their
    comments and attachments, the newest first. ``objects`` narrows it to some.

    Raises NotFound for an object that may not be known.
    """
    limit = max(1, min(limit, MOST))
    chosen = [call.gate.object(name) for name in objects] if objects is not None else call.gate.objects()
    needs = needs_of(text)
    if not needs:
        return []
    with call.tenant.store.read() as reader:
        own: dict[str, list[Hit]] = {}
        for hit in search(call, text, objects, limit, reader):
            own.setdefault(hit.object, []).append(hit)
        beside = {
            object.name: _beside(call, reader, object, needs, limit)
            for object in _noted_objects(call, reader, chosen)
        }
        notes = _notes(call, reader, [each for some in beside.values() for each in some.values()], text)
    done: list[Found] = []
    for object in chosen:
        here = beside.get(object.name, {})
        hits = own.get(object.name, [])
        known = {hit.id for hit in hits}
        done += [Found(hit, notes.get(here[hit.id].note) if hit.id in here else None) for hit in hits]
        more = [each for each in here.values() if each.hit.id not in known]
        done += [Found(each.hit, notes.get(each.note), alone=True) for each in more[:limit]]
    return done


@dataclass(frozen=True, slots=True)
class _Row:
    """A record with the newest of what stands beside it that holds the words."""

    hit: Hit
    kind: Kind
    note: UUID


def _noted_objects(call: Call, reader: Reader, objects: Sequence[ObjectDef]) -> list[ObjectDef]:
    """Those of the objects of which anything stands beside a record that this person might read."""
    wanted = {
        each.uid: each
        for each in objects
        if each.searchable and call.gate.may(each, "read") and not call.gate.rule(each, "read").nothing
    }
    store = call.tenant.store
    if store.dialect == "postgresql":
        given: Any = list(wanted)
        uids = sa.func.unnest(sa.bindparam("uids", type_=postgresql.ARRAY(sa.Text)))
        each = uids.table_valued(sa.column("value", sa.Text)).render_derived().alias("asked")
    else:
        given = json_text(list(wanted))
        each = sa.func.json_each(sa.bindparam("uids", type_=sa.Text)).table_valued("value").alias("asked")
    there = sa.exists().where(search_note.c.object_uid == each.c.value)
    statement = call.tenant.pieces.get(
        ("noted_objects", store.key), lambda: prepare(store, sa.select(each.c.value).where(there)), 2048
    )
    found = {uid for (uid,) in reader.rows(statement, {"uids": given})} if wanted else set()
    return [object for uid, object in wanted.items() if uid in found]


def _beside(
    call: Call, reader: Reader, object: ObjectDef, needs: Sequence[Need], limit: int
) -> dict[UUID, _Row]:
    """The records of an object that are found by what stands beside them."""
    gate = call.gate
    rule = gate.rule(object, "read")
    statement = call.tenant.piece(
        "search_notes", object, call.tables.of(object), lambda: _statement(call, object), rule.shape
    )
    marks = {kind: note_mark(object.uid, kind) for kind in KINDS}
    given = {
        **gate.viewer(),
        "query": match_of(call.tenant.store.dialect, needs, tuple(marks.values()), marks["file"]),
        "most": limit * _CANDIDATES,
    }
    shown = gate.can_read(object.fields[object.name_field])
    found: dict[UUID, _Row] = {}
    for record, name, kind, note in reader.rows(statement, given):
        id = uuid_of(record)
        hit = Hit(object.name, id, str(name) if shown and name is not None else "")
        found.setdefault(id, _Row(hit, kind, uuid_of(note)))
    return found


def _statement(call: Call, object: ObjectDef) -> Prepared:
    """Living records that may be read, by what stands beside them, the newest first."""
    store, table = call.tenant.store, call.tables.of(object)
    query = sa.bindparam("query", type_=sa.Text)
    columns = [search_note.c[name] for name in ("record_id", "kind", "note_id")]
    matching: sa.FromClause
    if store.dialect == "sqlite":
        joined = sa.join(note_text, search_note, search_note.c.rid == note_text.c.rowid)
        matches = sa.column(note_text.name).op("MATCH")(query)
        rid = note_text.c.rowid.label("rid")  # by which the index gives the newest first, and LIMIT stops it
        matching = sa.select(rid, *columns).select_from(joined).where(matches).subquery()
    else:  # as ``querying``: the planner does not look at the words, and the index is read once
        words = sa.select(sa.cast(query, postgresql.TSQUERY)).scalar_subquery()
        chosen = sa.select(search_note.c.rid, *columns).where(search_note.c.tokens.op("@@")(words))
        matching = chosen.cte().prefix_with("MATERIALIZED", dialect="postgresql")
    source = table.joined if table.is_side(object.name_field) else table.main
    found = (
        sa.select(table.id, table.column(object.name_field), matching.c.kind, matching.c.note_id)
        .select_from(sa.join(matching, source, table.id == matching.c.record_id))
        .where(table.deleted_at.is_(None))
    )
    condition = call.gate.predicate(object, "read", call.tables)
    if condition is not None:
        found = found.where(condition)
    most = sa.bindparam("most", type_=sa.Integer)
    return prepare(store, found.order_by(matching.c.rid.desc()).limit(most))


def _notes(call: Call, reader: Reader, rows: Sequence[_Row], typed: str) -> dict[UUID, Note]:
    """What people read of the notes of some rows."""
    ids = {kind: [row.note for row in rows if row.kind == kind] for kind in KINDS}
    bodies = _texts(call, reader, COMMENT.c.id, COMMENT.c.body, ids["comment"])
    named = {person for body in bodies.values() for person in mentions.mentioned(body)}
    names = mentions.names(call, reader, named) if named else {}
    found = {
        id: Note("comment", id, snippet(mentions.typed(body, names), typed)) for id, body in bodies.items()
    }
    files = _texts(call, reader, FILE.c.id, FILE.c.name, ids["file"])
    return found | {id: Note("file", id, name) for id, name in files.items()}


def _texts(
    call: Call, reader: Reader, id: sa.Column[Any], text: sa.Column[Any], ids: Sequence[UUID]
) -> dict[UUID, str]:
    if not ids:
        return {}
    store = call.tenant.store
    chosen = sa.select(id, text).where(in_ids(store.dialect, id))
    statement = call.tenant.pieces.get(
        ("texts_of_notes", store.key, text.name), lambda: prepare(store, chosen), 2048
    )
    rows = reader.rows(statement, {"ids": ids_value(store.dialect, ids)})
    return {uuid_of(one): str(said) for one, said in rows}


def snippet(text: str, typed: str) -> str:
    """The part of a text around the first of the typed words that stands in it as it was typed, on one line;
    else its beginning.
    """
    line = " ".join(text.split())
    low = line.lower()
    at, end = 0, 0
    if len(low) == len(line):  # some letters change their length
        for word in sorted(typed.lower().split(), key=len, reverse=True):
            if (here := low.find(word)) >= 0:
                at, end = here, here + len(word)
                break
    start, stop = max(0, at - _BEFORE), min(len(line), end + _AFTER)
    return ("…" if start else "") + line[start:stop].strip() + ("…" if stop < len(line) else "")
