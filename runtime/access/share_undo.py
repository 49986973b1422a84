"""Taking back what an operation shared; and the loading of records that are shared or were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import prepare
from tabwright.platform.errors import Fault, Place
from tabwright.platform.tables import ids_value, in_ids, json_of, uuid_of
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.access.gate import Gate, Level
from tabwright.runtime.access.share_rows import Changed, change, changed_in, read

if TYPE_CHECKING:
    from tabwright.platform.database import Writer
    from tabwright.runtime.desk import Call
    from tabwright.runtime.journal.reading import Change
    from tabwright.runtime.records.batch import Work

# What has to be open to whoever gives a level.
NEEDS: Mapping[str, tuple[Level, ...]] = {"read": (), "edit": ("edit",), "full": ("edit", "delete")}


def undo(work: Work, gate: Gate, object: ObjectDef, changes: Iterable[Change], left: list[Fault]) -> None:
    """Take back what an operation shared, as part of its undo. What was changed since, or is not this
    person's to share now, is left and listed.
    """
    call, writer = work.call, work.writer
    told = {each.record_id: changed_in(each.record_id, json_of(each.old) or ()) for each in changes}
    loaded = locked(call, writer, object, told)
    records = [Asked(id, owner) for id, (owner, _) in loaded.items()]
    open_to: dict[Level, frozenset[UUID]] = {
        level: allowed(call.tenant, gate, writer, object, level, records)
        for level in ("share", "edit", "delete")
    }
    there = read(writer, list(loaded))
    wanted: dict[UUID, list[Changed]] = {}
    for id, shares in told.items():
        place = Place(object=object.name, record=str(id))
        needs = {level for each in shares if each.old is not None for level in NEEDS[each.old.terms.level]}
        if any(id not in open_to[level] for level in ("share", *needs)):
            left.append(Fault("share.undo_denied", {"id": str(id)}, place))
        elif any(there.get((id, each.whom.grantee)) != each.new for each in shares):
            left.append(Fault("share.changed_since", {"id": str(id)}, place))
        else:
            wanted[id] = [Changed(each.whom, each.new, each.old) for each in shares]
    if wanted:
        change(call, writer, object, work.operation.id, wanted, {id: loaded[id][1] for id in wanted})
        work.operation.written = True


def locked(
    call: Call, writer: Writer, object: ObjectDef, records: Iterable[UUID]
) -> dict[UUID, tuple[UUID | None, int]]:
    """Owner and revision of the records that there are; they stay so until the transaction ends."""
    table = call.tables.of(object)
    chosen = sa.select(table.id, table.column("owner"), table.column("revision")).select_from(table.joined)
    chosen = chosen.where(in_ids(table.dialect, table.id), table.deleted_at.is_(None)).order_by(table.id)
    statement = prepare(writer.store, chosen.with_for_update(of=table.main, key_share=True))
    rows = writer.rows(statement, {"ids": ids_value(table.dialect, sorted(set(records)))})
    return {
        uuid_of(id): (None if owner is None else uuid_of(owner), int(revision))
        for id, owner, revision in rows
    }
