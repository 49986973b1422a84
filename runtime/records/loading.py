"""The first stages: what was sent becomes typed, old rows are loaded and locked, access to them is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.errors import Conflict, Denied, NotFound, Place, Stale
from tabwright.platform.tables import ids_value, in_ids, json_of, uuid_of
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.access.gate import Level
from tabwright.runtime.journal.tables import changes
from tabwright.runtime.masks import masked
from tabwright.runtime.records.arrays import Values
from tabwright.runtime.records.batch import Batch, Row, Work, text_of
from tabwright.runtime.records.coercion import Coercer, fault_of
from tabwright.runtime.records.values import Refused, converter


def coercer_for(batch: Batch, work: Work) -> Coercer:
    """The coercer of what this caller may give for the object."""
    call, object = work.call, batch.object
    principal = call.gate.principal
    key = (
        "coercer", call.tenant.store.key, object.digest, call.model.digest, call.model.release,
        principal.kind, principal.permission_sets, principal.token_scope, call.zone,
    )  # fmt: skip
    gate = call.gate
    return call.tenant.pieces.get(
        key, lambda: Coercer(object, gate.settable(object), gate.readable(object), call.zone), 8192
    )


def coerce(batch: Batch, work: Work) -> None:
    """Sent values become typed values, with every fault; ids and keys are read."""
    convert = coercer_for(batch, work)
    language = work.language
    types = batch.object.record_types
    for row in batch.rows:
        intent = row.intent
        if intent.id is not None and row.action not in ("create", "upsert"):
            row.id = id_of(intent.id)
            if row.id is None:
                row.refuse(
                    "record.not_found", kind=NotFound, object=batch.object.name, id=str(intent.id)[:80]
                )
                continue
        if intent.values:
            place = Place(record=None if row.id is None else str(row.id), row=row.number)
            row.sent = convert(intent.values, language, place, row.faults)
            name = row.sent.get("record_type")
            if name is not None:
                chosen = types.get(name) or next((each for each in types.values() if each.uid == name), None)
                if chosen is None:
                    del row.sent["record_type"]
                    row.refuse("value.not_in_list", "record_type", value=str(name)[:80])
                else:
                    row.sent["record_type"] = chosen.uid


def id_of(given: UUID | str | None) -> UUID | None:
    """The id that a caller means, or None."""
    if isinstance(given, UUID):
        return given
    try:
        return UUID(given)
    except (ValueError, AttributeError, TypeError):
        return None


# ---- load ----------------------------------------------------------------------------------------


def load(batch: Batch, work: Work) -> None:
    """Upserts find their record; old rows are read and locked in id order; creates get their ids."""
    _find_by_keys(batch, work)
    plan = batch.plan
    wanted: dict[UUID, Row] = {}
    seen = batch.ids_seen
    for row in batch.rows:
        if row.id is not None and row.action != "create":
            if row.id in seen:
                row.refuse("record.twice", other=seen[row.id])
            else:
                seen[row.id] = row.number
                wanted[row.id] = row
    if wanted:
        if len(wanted) == 1:
            given: dict[str, Any] = {"id": next(iter(wanted))}
        else:
            given = {"ids": ids_value(work.writer.store.dialect, sorted(wanted))}
        statement = plan.load_statement(bool(batch.deleting), one=len(wanted) == 1)
        found = work.writer.rows(statement, given)
        for stored in found:
            old = plan.typed(stored)
            row = wanted[old["id"]]
            row.old = old
            row.revision = old["revision"]
    creates = [row for row in batch.rows if row.action == "create"]
    if creates:
        blank = plan.blank
        for row, id in zip(creates, work.ids.many(len(creates)), strict=True):
            row.id = id
            row.new = {**blank, **row.sent, "id": id, "revision": 1}


def _find_by_keys(batch: Batch, work: Work) -> None:
    by_field: dict[str, list[Row]] = {}
    for row in batch.rows:
        if row.action != "upsert":
            continue
        row.action = "create"
        key = row.intent.key
        if key is None:
            row.refuse("record.no_key")
            continue
        field = work.gate.find(batch.object, key[0])
        if field is None or not is_key(batch, field):
            row.refuse("record.not_a_key", str(key[0])[:80], path=str(key[0])[:80])
            continue
        try:
            value = converter(field, work.call.zone)(key[1])
        except Refused as refused:
            place = Place(object=batch.object.name, field=field.name, row=row.number)
            row.faults.append(fault_of(refused, place, work.language))
            continue
        if value is None:
            row.refuse("record.key_blank", field.name, field=field.name)
            continue
        if value in (seen := batch.keys_seen.setdefault(("key", field.name), {})):
            row.refuse("record.twice", field.name, other=seen[value])
            continue
        seen[value] = row.number
        row.sent.setdefault(field.name, value)
        by_field.setdefault(field.name, []).append(row)
    for name, rows in by_field.items():
        field = batch.object.fields[name]
        statement, values, form = call_piece(
            batch, work, "key", lambda field=field: _key_statement(batch, field), name
        )
        keyed = {form(row.sent[name]): row for row in rows}
        for id, key_value in work.writer.rows(statement, values.parameters([(key,) for key in keyed])):
            row = keyed[key_value]
            if row.id is not None:
                row.refuse("record.key_twice", name, value=text_of(row.sent[name]))
                continue
            row.action, row.id = "update", uuid_of(id)
        if field.type == "auto_number" or not work.gate.can_edit(field):
            for row in rows:
                # The key of a record is not changed by naming it, and nobody may choose one that is given
                # out.
                del row.sent[name]
                if row.action == "create":
                    row.refuse("record.no_such_key", name, kind=NotFound, value=text_of(row.intent.key))


def is_key(batch: Batch, field: FieldDef) -> bool:
    """Whether records may be named by the field: unique by itself, an external key, or an auto number."""
    if field.unique_within is None and (field.external_key or field.type == "auto_number" or field.unique):
        return True
    return any(rule.fields == (field.name,) for rule in batch.object.unique_rules)


def _key_statement(batch: Batch, field: FieldDef) -> tuple[Prepared, Values, Any]:
    plan = batch.plan
    column, form, shape = plan.key_of(field, field.unique == "ignore_case")
    values = Values(plan.store.dialect, [("k", shape)], "k")
    source = plan.table.joined if plan.table.is_side(field.name) else plan.table.main
    statement = (
        sa.select(plan.table.id, column)
        .select_from(source)
        .join(values.source, column == values.c["k"])
        .where(plan.table.deleted_at.is_(None))
    )
    return prepare(plan.store, statement), values, form


def call_piece(batch: Batch, work: Work, what: str, make: Any, *further: Any) -> Any:
    """A piece made of the batch's object."""
    return work.call.tenant.piece(what, batch.object, batch.plan.table, make, *further)


# ---- access on the old row -----------------------------------------------------------------------


def access_old(batch: Batch, work: Work) -> None:
    """A record that may not be read is not there; one that may not be changed is refused; then its
    revision.
    """
    object = batch.object
    levels: dict[str, Level] = {"update": "edit", "delete": "delete", "restore": "delete", "purge": "delete"}
    there = [(row.action, Asked.of(row.old)) for row in batch.rows if row.old is not None]
    readable = _open(work, object, "read", [each for _, each in there])
    doable = {
        level: _open(work, object, level, [each for action, each in there if levels.get(action) == level])
        for level in set(levels.values())
    }
    merging: list[Row] = []
    for row in batch.rows:
        if row.action == "create" or row.id is None or batch.ids_seen.get(row.id) != row.number:
            continue  # nothing was looked for
        old = row.old
        deleted = old is not None and old["deleted_at"] is not None
        if old is None or row.id not in readable or (deleted and row.action in ("update", "delete")):
            row.old = None
            row.faults.clear()  # nothing is said of values of what is not there
            if row.intent.action == "upsert":  # found by its key: its id is not told to who may not read it
                row.id = None
                row.refuse("unique.not_allowed", row.intent.key and row.intent.key[0], kind=Conflict)
                continue
            row.refuse("record.not_found", kind=NotFound, object=object.name, id=str(row.id))
            continue
        if row.id not in doable[levels[row.action]]:
            row.faults.clear()
            row.refuse("record.denied", kind=Denied, operation=row.action)
            continue
        if not deleted and row.action in ("restore", "purge"):
            row.refuse("record.not_deleted")
            continue
        row.new = {**old, **row.sent} if row.action == "update" else dict(old)
        intent = row.intent
        if (intent.revision is not None and intent.revision != row.revision) or (
            intent.seen is not None and intent.seen != row.revision
        ):
            merging.append(row)
    if merging:
        _compare_revisions(batch, work, merging)


def _open(work: Work, object: ObjectDef, level: Level, records: list[Asked]) -> frozenset[UUID]:
    return allowed(work.call.tenant, work.gate, work.writer, object, level, records)


def _compare_revisions(batch: Batch, work: Work, rows: list[Row]) -> None:
    originals = _originals(batch, work, rows)
    plan, object = batch.plan, batch.object
    for row in rows:
        assert row.old is not None
        strict = row.intent.revision is not None and row.intent.revision != row.revision
        since = row.intent.revision if strict else row.intent.seen
        original = originals.get(row.id, {})
        clashes = []
        for name, current in row.sent.items():
            actual = row.old[name]
            was = original.get(plan.journal_key(name), actual)
            if was != actual and actual != current:
                clashes.append((name, current, actual, was))
        kind = Stale if strict else Conflict
        for name, current, actual, was in clashes:
            values = {"current": current, "actual": actual, "original": was}
            row.refuse(
                "record.field_changed", name, kind=kind, field=name, revision=row.revision,
                **{key: text_of(masked(object.fields[name], value)) for key, value in values.items()},
            )  # fmt: skip
        if strict and not clashes:
            row.refuse("record.stale", kind=Stale, revision=row.revision, given=since)


def _originals(batch: Batch, work: Work, rows: Iterable[Row]) -> dict[UUID | None, dict[Any, Any]]:
    """What each field held at the revision that the caller saw: the first old value that came after it."""
    dialect = work.writer.store.dialect
    statement = call_piece(batch, work, "originals", lambda: _originals_statement(batch))
    since = {
        row.id: row.intent.revision if row.intent.revision is not None else row.intent.seen or 0
        for row in rows
    }
    names = {batch.plan.journal_key(name): name for name in (*batch.plan.own, "owner", "record_type")}
    found: dict[UUID | None, dict[Any, Any]] = {}
    ids = [id for id in since if id is not None]
    for record, revision, old in work.writer.rows(statement, {"ids": ids_value(dialect, ids)}):
        id = uuid_of(record)
        if revision <= (since[id] or 0) or old is None:
            continue
        values = found.setdefault(id, {})
        for key, value in json_of(old):
            if key in names and key not in values:
                values[key] = batch.plan.from_journal(names[key], value)
    return found


def _originals_statement(batch: Batch) -> Prepared:
    store = batch.plan.store
    chosen = sa.select(changes.c.record_id, changes.c.revision, changes.c.old)
    chosen = chosen.where(in_ids(store.dialect, changes.c.record_id)).order_by(changes.c.revision)
    return prepare(store, chosen)
