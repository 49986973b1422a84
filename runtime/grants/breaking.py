"""Breaking the glass: who may takes a named permission set for some hours, with a reason, and all hear of it.

The platform writes the assignment; the entry ``break_glass`` of the journal says who took what, for how long
and why. It ends when its time is over, on the next request, or when its holder gives it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import PermissionSetDef
from tabwright.platform.database import Reader, Writer, prepare
from tabwright.platform.errors import Conflict, Invalid, NotFound, Place
from tabwright.platform.language import register_messages
from tabwright.platform.tables import Uuid, instant_of, uuid_of
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call
from tabwright.runtime.journal.writing import record_event
from tabwright.runtime.personal.notices import notify
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records

register_messages(Path(__file__).with_name("messages.json"))

RIGHT: Final = "break_glass"
CAUSE: Final = "break_glass"
LEAST_REASON, MOST_REASON = 5, 500


@dataclass(frozen=True, slots=True)
class Taken:
    """A set that was taken and has not ended."""

    assignment: UUID
    set: PermissionSetDef
    expires_at: datetime
    reason: str


class BreakGlass:
    """The glass before one person."""

    def __init__(self, call: Call) -> None:
        self._call = call.because(CAUSE)
        self._object = call.model.objects["permission_assignment"]
        self._table = call.tables.of(self._object)

    def sets(self) -> tuple[PermissionSetDef, ...]:
        """What this person may take; nothing without the right."""
        if not self._call.gate.has(RIGHT):
            return ()
        every = self._call.model.permission_sets.values()
        return tuple(each for each in every if each.emergency_hours is not None)

    def taken(self) -> tuple[Taken, ...]:
        """What this person has taken and still holds."""
        call = self._call
        held = {each.uid: each for each in call.model.sets_of(call.principal.permission_sets)}
        if not any(each.emergency_hours is not None for each in held.values()):
            return ()  # nobody else pays for a look
        with call.tenant.store.read() as reader:
            rows = self._rows(reader)
        now = call.clock.now()
        return tuple(
            Taken(uuid_of(row["id"]), held[uid], until, row["reason"] or "")
            for uid, row in rows.items()
            if uid in held and row["emergency"] and (until := row["expires_at"]) is not None and until > now
        )

    def take(self, uid: str, hours: int, reason: str) -> Taken:
        """Hold a set for some hours. Raises Denied, NotFound, Invalid, Conflict (it is held already)."""
        call, reason = self._call, reason.strip()
        call.gate.require_right(RIGHT)
        set = next((each for each in self.sets() if each.uid == uid), None)
        if set is None:
            raise NotFound.of("grants.no_such_set")
        most = set.emergency_hours or 0
        if not 1 <= hours <= most:
            raise Invalid.of("grants.hours", Place(field="hours"), most=most)
        if not LEAST_REASON <= len(reason) <= MOST_REASON:
            raise Invalid.of("grants.reason", Place(field="reason"), least=LEAST_REASON, most=MOST_REASON)
        now = call.clock.now()
        until = now + timedelta(hours=hours)
        values = {"expires_at": until, "reason": reason, "emergency": True}
        with call.tenant.store.write() as writer:
            there = self._rows(writer).get(uid)
            if there is not None and (there["expires_at"] is None or there["expires_at"] > now):
                raise Conflict.of("grants.held")
            if there is None:
                intent = Intent(
                    "create", None, {"user": call.principal.user_id, "permission_set": uid, **values}
                )
            else:
                intent = Intent("update", uuid_of(there["id"]), values)
            id = self._write(writer, intent)
            self._told(writer, set, id, until, {"hours": hours, "reason": reason})
        return Taken(id, set, until, reason)

    def end(self, assignment: UUID) -> None:
        """Give back what was taken, before its time. Raises NotFound."""
        found = next((each for each in self.taken() if each.assignment == assignment), None)
        if found is None:
            raise NotFound.of("grants.no_such_set")
        with self._call.tenant.store.write() as writer:
            self._write(writer, Intent("update", assignment, {"expires_at": self._call.clock.now()}))
            record_event(
                self._call, writer, CAUSE, {"set": found.set.uid, "assignment": assignment.hex, "ended": True}
            )

    def _rows(self, reader: Reader) -> dict[str, Mapping[str, Any]]:
        """This person's assignments by the uid of what they give."""
        names = ("permission_set", "expires_at", "emergency", "reason")
        table = self._table
        user = sa.bindparam("user", type_=Uuid())
        chosen = sa.select(table.id, *(table.column(name) for name in names)).where(
            table.column("user") == user, table.deleted_at.is_(None)
        )
        rows = reader.rows(
            prepare(reader.store, chosen.select_from(table.joined)), {"user": self._call.principal.user_id}
        )
        found = [dict(zip(("id", *names), row, strict=True)) for row in rows]
        return {
            each["permission_set"]: {**each, "expires_at": _instant(each["expires_at"])} for each in found
        }

    def _write(self, writer: Writer, intent: Intent) -> UUID:
        """The platform's own write: who takes a set could not give it."""
        call = self._call
        acting = replace(
            call, principal=Principal.system(call.language, call.zone), gate=Gate.system(call.model)
        )
        outcome = Records(acting).apply_in(writer, self._object, [intent], {"by": call.principal.user_id.hex})
        made = outcome.rows[0].id
        assert made is not None
        return made

    def _told(
        self, writer: Writer, set: PermissionSetDef, id: UUID, until: datetime, said: Mapping[str, Any]
    ) -> None:
        """The journal has it under the person's name, and who manages users hears of it."""
        call = self._call
        about = {"set": set.uid, "assignment": id.hex, "until": until.isoformat(), **said}
        record_event(call, writer, CAUSE, about)
        params = {"by": call.principal.user_id.hex, "set": set.uid, "until": until.isoformat()}
        group = f"{id}:{until.isoformat()}"
        notify(writer, managers(call, writer), "emergency", params, None, None, call.clock.now(), group=group)


def managers(call: Call, reader: Reader) -> list[UUID]:
    """Everybody who may manage users."""
    user = call.tables.of(call.model.objects["user"])
    chosen = sa.select(user.id).where(user.deleted_at.is_(None))
    ids = [uuid_of(row[0]) for row in reader.rows(prepare(reader.store, chosen))]
    people = principals.load_many(call.tenant, reader, call.model, ids, call.clock.now())
    return [id for id, person in people.items() if Gate(call.model, person).has("manage_users")]


def _instant(value: Any) -> datetime | None:
    return instant_of(value) if value is not None else None
