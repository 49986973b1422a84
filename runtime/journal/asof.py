"""A record as it stood at a moment, under the rights that the reader has today.

The journal keeps what each change replaced, so the changes since the moment are taken back one by one, from
the record as it is now. A field that no longer exists is not there; one that may not be read today neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef
from tabwright.platform.database import Prepared, Reader, Store, prepare
from tabwright.platform.errors import Invalid, Malformed, NotFound, Place
from tabwright.platform.language import register_messages
from tabwright.platform.tables import Instant, Uuid, instant_of, json_of, uuid_of
from tabwright.runtime.journal.reading import journal_names, present_values
from tabwright.runtime.journal.tables import changes, operations

if TYPE_CHECKING:
    from tabwright.runtime.desk import Call

register_messages(Path(__file__).with_name("messages.json"))


@dataclass(frozen=True, slots=True)
class Past:
    """A record at a moment. ``values`` and ``now``: typed values by name of the stored fields that the reader
    may read today; ``now`` is the record as it is.
    """

    object: str
    id: UUID
    at: datetime
    revision: int
    values: Mapping[str, Any]
    now: Mapping[str, Any]

    @property
    def changed(self) -> tuple[str, ...]:
        """The fields that have another value now."""
        return tuple(name for name, value in self.values.items() if value != self.now[name])


def moment_of(text: str, zone: ZoneInfo) -> datetime:
    """The moment that a person wrote: an ISO date and time, in their zone where it names none; a date means
    its end. Raises Malformed.
    """
    try:
        if len(text) == 10:
            following = date.fromisoformat(text) + timedelta(days=1)
            start = datetime.combine(following, time(), zone).astimezone(UTC)
            return start - timedelta(microseconds=1)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed.of("journal.moment", Place(field="as_of"), text=text[:80]) from None


def as_of(call: Call, object: str, id: UUID, at: datetime, reader: Reader | None = None) -> Past:
    """The record as it stood at a moment; deleted ones too, as long as they are in the recycle bin.

    Raises NotFound where the record is none, or none that may be read today, and where there was none then.
    """
    if reader is None:
        with call.tenant.store.read() as own:
            return as_of(call, object, id, at, own)
    found = call.gate.object(object)
    call.gate.require(found, "read")
    present = present_values(call, reader, found, id)
    statements = _statements(reader.store)
    stood = reader.row(statements.stood, {"record": id, "at": at})
    zone = ZoneInfo(call.zone)
    place = Place(object=found.name, record=str(id))
    if stood is None:
        made = call.gate.find(found, "created_at")
        said = _said(present["created_at"] if made is not None else None, zone)
        raise NotFound.of("journal.not_yet", place, at=_said(at, zone), created=said)
    revision, action, when, person = stood
    if action in ("delete", "purge"):
        raise NotFound.of("journal.in_bin", place, at=_said(at, zone))
    values = dict(present)
    table = call.tables.of(found)
    names = journal_names(table, found)
    for (old,) in reader.rows(statements.since, {"record": id, "revision": revision}):
        for key, stored in json_of(old) or ():
            name = names.get(key)  # None: of a field that is no more, or of another shape
            if name is not None:
                values[name] = table.codec(name).from_journal(stored)
    if revision != present["revision"]:
        by = None if person is None else uuid_of(person)
        values |= {"revision": revision, "updated_at": instant_of(when), "updated_by": by}
    # What is worked out when it is read says nothing of then.
    shown = [field.name for field in call.gate.readable(found) if field.is_stored]
    return Past(
        found.name,
        id,
        at,
        revision,
        {name: values[name] for name in shown},
        {name: present[name] for name in shown},
    )


def own_fields(call: Call, object: ObjectDef, paths: Sequence[str]) -> tuple[str, ...]:
    """The fields to answer with: id and revision first. Raises Invalid for a path over a lookup, and for
    what the reader may not name.
    """
    gate = call.gate
    always = [name for name in ("id", "revision") if gate.find(object, name) is not None]
    wanted = paths or [field.name for field in gate.readable(object) if field.is_stored]
    resolved = gate.resolve_all(object, (*always, *wanted))
    for path in resolved:
        if path.hops or not path.field.is_stored:  # what is worked out now says nothing of then
            raise Invalid.of("journal.path", Place(object=object.name, field=path.text), path=path.text)
    return tuple(dict.fromkeys(path.field.name for path in resolved))


def _said(moment: datetime | None, zone: ZoneInfo) -> str:
    return "?" if moment is None else f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


class _Statements:
    def __init__(self, store: Store) -> None:
        record = changes.c.record_id == sa.bindparam("record", type_=Uuid())
        joined = changes.join(operations, operations.c.id == changes.c.operation_id)
        self.stood: Prepared = prepare(
            store,
            sa.select(changes.c.revision, changes.c.action, operations.c.at, operations.c.principal_id)
            .select_from(joined)
            .where(record, operations.c.at <= sa.bindparam("at", type_=Instant()))
            # Of several entries at one revision the first is the change itself; files came and went after it.
            .order_by(changes.c.revision.desc(), changes.c.operation_id)
            .limit(sa.literal_column("1")),
        )
        self.since: Prepared = prepare(
            store,
            sa.select(changes.c.old)
            .where(record, changes.c.revision > sa.bindparam("revision", type_=sa.BigInteger))
            .order_by(changes.c.revision.desc()),
        )


@lru_cache(maxsize=256)
def _statements(store: Store) -> _Statements:
    return _Statements(store)
