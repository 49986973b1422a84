"""Undo: an operation's journal rows, read backwards, become intents of the same pipeline."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import prepare
from tabwright.platform.errors import Fault, NotFound, Place
from tabwright.platform.tables import ids_value, in_ids, json_of, uuid_of
from tabwright.runtime.access import asking as access
from tabwright.runtime.access import share_rows, share_undo
from tabwright.runtime.access.asking import Asked
from tabwright.runtime.access.gate import Gate, Level
from tabwright.runtime.journal.reading import (
    Change,
    changes_of,
    later_changes,
    nested_operations,
    operation_facts,
)
from tabwright.runtime.records import pipeline
from tabwright.runtime.records.batch import Intent, Outcome, Undone, Work
from tabwright.runtime.records.hooks import Hooks
from tabwright.runtime.records.moving import close
from tabwright.runtime.records.propagation import kept_values


def undo_in(work: Work, operation: UUID, hooks: Hooks) -> Undone:
    """See ``Records.undo``. Runs in the transaction of ``work`` as one operation."""
    facts = operation_facts(work.writer, operation)
    if facts is None:
        raise NotFound.of("operation.not_found", id=operation.hex)
    at, person, _ = facts
    family = [operation, *nested_operations(work.writer, operation, at)]
    by_object: dict[int, list[Change]] = {}
    shared: dict[int, list[Change]] = {}
    for id in reversed(family):
        for change in changes_of(work.writer, id):
            found = shared if change.action == share_rows.ACTION else by_object
            found.setdefault(change.object_n, []).append(change)
    numbers = {work.call.tables.of(object).number: object for object in work.model.objects.values()}
    others = work.principal.kind != "system" and person != work.principal.user_id
    outcomes: list[Outcome] = []
    left: list[Fault] = []
    for number in by_object:
        object = numbers.get(number)
        if object is not None:
            _require(work, object, "edit", others)
    for number in shared:
        if (object := numbers.get(number)) is not None:
            _require(work, object, "share", others)
    own = {change.record_id for change in changes_of(work.writer, operation)}
    gate = work.gate
    # What rules and delete rules wrote goes back too, whether this person might write it by hand or not; what
    # the operation itself wrote only where they may change or delete the record now.
    work.call = replace(work.call, gate=Gate.system(work.model))
    undoing: list[tuple[ObjectDef, list[Intent]]] = []
    for number, changes in by_object.items():
        object = numbers.get(number)
        if object is not None:
            undoing.append(
                (object, _allowed(work, gate, object, own, _intents(work, object, changes, left), left))
            )
    for object, intents in _in_turn(undoing):
        for start in range(0, len(intents), pipeline.MOST_ROWS):
            part = intents[start : start + pipeline.MOST_ROWS]
            outcome = pipeline.run(hooks, work, object, part, per_row=True)
            outcomes.append(outcome)
            left.extend(fault for row in outcome.failed for fault in row.faults)
    for number, changes in shared.items():
        if (object := numbers.get(number)) is not None:
            share_undo.undo(work, gate, object, changes, left)
    close(work, [numbers[number] for number in (*by_object, *shared) if number in numbers])
    return Undone(tuple(outcomes), tuple(left), work.operation.id if work.operation.written else None)


def _in_turn(
    undoing: list[tuple[ObjectDef, list[Intent]]],
) -> list[tuple[ObjectDef, list[Intent]]]:
    """What the operation made goes first, each before what it refers to (lines before their head); then the
    rest.
    """
    made = [(object, [each for each in intents if each.action == "delete"]) for object, intents in undoing]
    waiting = {object.name: (object, intents) for object, intents in made if intents}
    first = []
    while waiting:
        named = {
            field.target
            for object, _ in waiting.values()
            for field in object.own_fields
            if field.target != object.name
        }
        free = next((name for name in waiting if name not in named), next(iter(waiting)))
        first.append(waiting.pop(free))
    rest = [(object, [each for each in intents if each.action != "delete"]) for object, intents in undoing]
    return [*first, *(pair for pair in rest if pair[1])]


def _require(work: Work, object: ObjectDef, operation: str, others: bool) -> None:
    if not work.gate.may(object, operation) or (others and not work.gate.may(object, "modify_all")):
        raise work.gate.denied(object, "undo")


def _allowed(
    work: Work,
    gate: Gate,
    object: ObjectDef,
    own: set[UUID],
    intents: list[tuple[Intent, UUID | None]],
    left: list[Fault],
) -> list[Intent]:
    """The intents that this person may have now, as the records stand; the others are listed."""
    levels: dict[str, Level] = {"update": "edit", "delete": "delete", "restore": "delete"}
    asked: dict[Level, list[Asked]] = {}
    for intent, owner in intents:
        if isinstance(intent.id, UUID) and intent.id in own:
            asked.setdefault(levels[intent.action], []).append(Asked(intent.id, owner))
    open_to = {
        level: access.allowed(work.call.tenant, gate, work.writer, object, level, records)
        for level, records in asked.items()
    }
    allowed = []
    for intent, _ in intents:
        if intent.id in own and intent.id not in open_to[levels[intent.action]]:
            place = Place(object=object.name, record=str(intent.id))
            left.append(Fault(f"record.undo_denied.{levels[intent.action]}", {"id": str(intent.id)}, place))
        else:
            allowed.append(intent)
    return allowed


def _intents(
    work: Work, object: ObjectDef, changes: list[Change], left: list[Fault]
) -> list[tuple[Intent, UUID | None]]:
    """What takes the changes back, each with the record's present owner."""
    table = work.call.tables.of(object)
    worked_out = {table.field_number(each.name) for each in kept_values(work.call, object.name)}
    # What was only worked out from other records is worked out again when these go back.
    changes = [each for each in changes if not _is_worked_out(each, worked_out)]
    last: dict[UUID, Change] = {}
    first: dict[UUID, Change] = {}
    for change in changes:
        if change.record_id not in last or change.revision > last[change.record_id].revision:
            last[change.record_id] = change
        if change.record_id not in first or change.revision < first[change.record_id].revision:
            first[change.record_id] = change
    chosen = sa.select(table.id, table.column("revision"), table.column("owner")).where(
        in_ids(table.dialect, table.id)
    )
    ids = {"ids": ids_value(table.dialect, sorted(last))}
    present: dict[UUID, int] = {}
    owners: dict[UUID, UUID | None] = {}
    for id, revision, owner in work.writer.rows(prepare(work.writer.store, chosen), ids):
        present[uuid_of(id)] = int(revision)
        owners[uuid_of(id)] = None if owner is None else uuid_of(owner)
    names: dict[Any, str] = {
        table.field_number(field.name): field.name for field in object.stored_fields if not field.computed
    }
    edited = {id: each.revision for id, each in last.items() if present.get(id, 0) > each.revision}
    followed = _only_worked_out(work, object, edited, worked_out)
    names |= {"owner": "owner", "record_type": "record_type"}
    intents: list[Intent] = []
    for id, newest in last.items():
        if present.get(id) != newest.revision and id not in followed:
            place = Place(object=object.name, record=str(id))
            left.append(Fault("record.edited_since", {"id": str(id)}, place))
            continue
        oldest = first[id]
        if newest.action == "create" or oldest.action == "create":
            if newest.action != "delete":
                intents.append(Intent("delete", id))
        elif newest.action == "delete":
            intents.append(Intent("restore", id))
        elif newest.action == "restore":
            intents.append(Intent("delete", id))
        else:
            values: dict[str, Any] = {}
            for change in sorted(
                (each for each in changes if each.record_id == id), key=lambda each: -each.revision
            ):
                for key, stored in json_of(change.old) or ():
                    if key in names:
                        values[names[key]] = table.codec(names[key]).from_journal(stored)
            intents.append(Intent("update", id, values))
    return [(intent, owners.get(UUID(str(intent.id)))) for intent in intents]


def _is_worked_out(change: Change, numbers: set[int]) -> bool:
    """Whether an update changed computed fields and nothing else."""
    keys = [key for key, _ in json_of(change.old) or ()]
    return change.action == "update" and bool(keys) and all(key in numbers for key in keys)


def _only_worked_out(work: Work, object: ObjectDef, since: dict[UUID, int], numbers: set[int]) -> set[UUID]:
    """Of records with the revision that the undo is about, those that nobody has edited since: only what is
    worked out from other records has changed.
    """
    if not since or not numbers:
        return set()
    found = set(since)
    number = work.call.tables.of(object).number
    for id, each in later_changes(work.writer, number, since):
        if not _is_worked_out(each, numbers):
            found.discard(id)
    return found
