"""A record and lines of it written as one: one transaction, one journal operation, all faults at once.

Lines are records of other objects whose lookup names the record. They pass the same pipeline with the rights
of the same caller; what a line needs of the record (its owner, its id) it finds in the open transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.database import prepare
from tabwright.platform.errors import Fault, Invalid, NotFound, Place, TabwrightError
from tabwright.platform.tables import ids_value, in_ids, uuid_of
from tabwright.runtime.records import pipeline
from tabwright.runtime.records.batch import Intent, RowResult, Saved, Work
from tabwright.runtime.records.loading import id_of
from tabwright.runtime.records.moving import close

if TYPE_CHECKING:
    from tabwright.runtime.records.hooks import Hooks


@dataclass(frozen=True, slots=True)
class Lines:
    """What is wanted of the records of ``object`` whose lookup ``field`` names the head.

    Creates need not say the lookup. Updates and deletes name lines of this head only.
    """

    object: str
    field: str
    intents: tuple[Intent, ...]

    @property
    def relation(self) -> str:
        return f"{self.object}.{self.field}"


@dataclass(frozen=True, slots=True)
class Together:
    """What became of the head and of its lines, in the caller's order."""

    head: Saved
    lines: tuple[tuple[RowResult, ...], ...]

    @property
    def changed(self) -> bool:
        return self.head.operation is not None


def write(work: Work, hooks: Hooks, object: ObjectDef, head: Intent, lines: Sequence[Lines]) -> Together:
    """Write all or raise one error; a fault of a line has its ``object``, ``row`` and a ``pointer``
    ``/<relation>/<index>`` beside its field. The caller's transaction is to be rolled back then.
    """
    first = pipeline.run(hooks, work, object, (head,), per_row=True).rows[0]
    failed: list[RowResult] = [first] if first.outcome == "failed" else []
    faults: list[Fault] = [fault for fault in first.faults]
    results: list[tuple[RowResult, ...]] = []
    parts = [work.model.objects[each.object] for each in lines]
    for each, part in zip(lines, parts, strict=True):
        rows = _write_lines(work, hooks, part, each, None if failed[:1] == [first] else first.id, head)
        results.append(rows)
        for number, row in enumerate(rows):
            told = tuple(_placed(fault, each, number) for fault in row.faults)
            if row.outcome == "failed" and told:
                failed.append(row)
                faults += told
    if faults:
        kinds: set[type[TabwrightError]] = {row.error or Invalid for row in failed}
        raise (kinds.pop() if len(kinds) == 1 else Invalid)(faults)
    close(work, (object, *parts))
    assert first.id is not None
    operation = work.operation.id if work.operation.written else None
    saved = Saved(first.id, first.revision, first.outcome != "unchanged", operation, tuple(work.trace))
    return Together(saved, tuple(results))


def _write_lines(
    work: Work, hooks: Hooks, part: ObjectDef, lines: Lines, parent: UUID | None, head: Intent
) -> tuple[RowResult, ...]:
    """Deletes first, so that what they free (a unique key) may be taken by a new line."""
    link = part.fields[lines.field]
    known = parent if parent is not None else id_of(head.id)
    strange = _strangers(work, part, link, known, lines.intents)
    done: dict[int, RowResult] = {
        at: RowResult(at + 1, "failed", None, 0, (_missing(part, at),), NotFound) for at in strange
    }
    wanted = [(at, each) for at, each in enumerate(lines.intents) if at not in done]
    for deleting in (True, False):
        some = [(at, each) for at, each in wanted if (each.action == "delete") is deleting]
        if not some:
            continue
        intents = [
            replace(each, values={**each.values, link.name: known})
            if each.action == "create" and known is not None
            else each
            for _, each in some
        ]
        rows = pipeline.run(hooks, work, part, intents, per_row=True).rows
        for (at, _), row in zip(some, rows, strict=True):
            # Of a head that is not there yet a line does not complain.
            faults = tuple(
                fault for fault in row.faults if known is not None or fault.place.field != link.name
            )
            done[at] = replace(row, row=at + 1, faults=faults)
    return tuple(done[at] for at in range(len(lines.intents)))


def _placed(fault: Fault, lines: Lines, number: int) -> Fault:
    pointer = f"/{lines.relation}/{number}"
    return Fault(
        fault.code,
        fault.params,
        replace(fault.place, object=lines.object, row=number + 1, pointer=pointer),
    )


def _missing(part: ObjectDef, at: int) -> Fault:
    return Fault("record.not_found", {"object": part.name}, Place(object=part.name, row=at + 1))


def _strangers(
    work: Work, part: ObjectDef, link: FieldDef, head: UUID | None, intents: Sequence[Intent]
) -> set[int]:
    """The places of intents about records that are no lines of this head."""
    named = {at: id_of(each.id) for at, each in enumerate(intents) if each.action != "create"}
    ids = sorted({id for id in named.values() if id is not None})
    if not ids or head is None:
        return set(named)
    table = work.call.tables.of(part)
    column = table.column(link.name)
    chosen = sa.select(table.id).select_from(table.joined).where(in_ids(table.dialect, table.id))
    chosen = chosen.where(column == sa.bindparam("head", type_=column.type))
    given = {"ids": ids_value(table.dialect, ids), "head": head}
    rows = work.writer.rows(prepare(work.writer.store, chosen), given)
    mine = {uuid_of(id) for (id,) in rows}
    return {at for at, id in named.items() if id not in mine}
