"""Who holds what: each permission set and group given to somebody, since when, until when, last confirmed.

The list needs ``explain_access`` (one's own does not), confirming ``manage_users``; taking back is a deletion
like any other, by the rights of who does it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import PermissionSetDef, PermissionSetGroupDef
from tabwright.platform.database import prepare
from tabwright.platform.tables import Uuid, instant_of, uuid_of
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call
from tabwright.runtime.records.batch import Intent, Outcome
from tabwright.runtime.records.service import Records

RIGHT: Final = "explain_access"
OBJECT: Final = "permission_assignment"
STALE: Final = timedelta(days=90)  # not confirmed for so long
SOON: Final = timedelta(days=30)
MOST: Final = 500
State = Literal["all", "expiring", "stale", "emergency", "expired"]
STATES: tuple[State, ...] = ("all", "expiring", "stale", "emergency", "expired")
_COLUMNS = (
    "user", "permission_set", "created_at", "created_by", "expires_at", "reason", "emergency",
    "confirmed_at", "confirmed_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Holding:
    """One assignment. ``given`` is None where the set is gone."""

    id: UUID
    user: UUID
    user_name: str
    given: PermissionSetDef | PermissionSetGroupDef | None
    since: datetime
    by: UUID | None
    expires_at: datetime | None
    reason: str
    emergency: bool
    confirmed_at: datetime | None
    confirmed_by: UUID | None


def own(call: Call) -> list[Holding]:
    """What the person who calls holds now."""
    found = _read(call, user=call.principal.user_id)
    return [each for each in found if _lives(each, call.clock.now())]


def everybody(
    call: Call, state: State = "all", *, user: UUID | None = None, uid: str | None = None
) -> list[Holding]:
    """Who holds what, by the people's names; of one person, of one set. Raises Denied."""
    call.gate.require_right(RIGHT)
    now = call.clock.now()
    found = _read(call, user=user, uid=uid)
    return [each for each in found if _is(each, state, now)][:MOST]


def _is(each: Holding, state: State, now: datetime) -> bool:
    if state == "emergency":
        return each.emergency
    if state == "expired" or not _lives(each, now):
        return state == "expired" and not _lives(each, now)
    if state == "expiring":
        return each.expires_at is not None and each.expires_at <= now + SOON
    return state == "all" or max(each.since, each.confirmed_at or each.since) <= now - STALE


def confirm(call: Call, ids: Sequence[UUID]) -> Outcome:
    """Note that these are still needed. Raises Denied without ``manage_users``."""
    call.gate.require_right(RIGHT)
    call.gate.require_right("manage_users")
    values = {"confirmed_at": call.clock.now(), "confirmed_by": call.principal.user_id}
    acting = replace(call, principal=Principal.system(call.language, call.zone), gate=Gate.system(call.model))
    with call.tenant.store.write() as writer:
        return Records(acting).apply_in(
            writer,
            call.model.objects[OBJECT],
            [Intent("update", id, values) for id in ids],
            {"by": call.principal.user_id.hex},
            per_row=True,
        )


def take_back(call: Call, ids: Sequence[UUID]) -> Outcome:
    """Delete these assignments, as far as this person may."""
    call.gate.require_right(RIGHT)
    object = call.model.objects[OBJECT]
    call.gate.require(object, "delete")
    with call.tenant.store.write() as writer:
        return Records(call).apply_in(writer, object, [Intent("delete", id) for id in ids], per_row=True)


def _lives(holding: Holding, now: datetime) -> bool:
    return holding.given is not None and (holding.expires_at is None or holding.expires_at > now)


def _read(call: Call, *, user: UUID | None = None, uid: str | None = None) -> list[Holding]:
    users = call.tables.of(call.model.objects["user"])
    table = call.tables.of(call.model.objects[OBJECT])
    name = users.column(call.model.objects["user"].name_field)
    columns = [table.column(each) for each in _COLUMNS]
    chosen = (
        sa.select(table.id, name, *columns)
        .select_from(table.joined.join(users.main, users.id == table.column("user")))
        .where(table.deleted_at.is_(None), users.deleted_at.is_(None), users.column("active"))
        .order_by(name, table.column("created_at"), table.id)
    )
    given: dict[str, Any] = {}
    if user is not None:
        chosen = chosen.where(table.column("user") == sa.bindparam("user", type_=Uuid()))
        given["user"] = user
    if uid is not None:
        chosen = chosen.where(table.column("permission_set") == sa.bindparam("uid"))
        given["uid"] = uid
    with call.tenant.store.read() as reader:
        rows = reader.rows(prepare(reader.store, chosen), given)
    return [_holding(call, row) for row in rows]


def _holding(call: Call, row: Any) -> Holding:
    id, name, user, uid, since, by, expires, reason, emergency, confirmed, confirmed_by = row
    return Holding(
        uuid_of(id),
        uuid_of(user),
        name or "",
        call.model.grantable.get(uid),
        instant_of(since),
        uuid_of(by) if by is not None else None,
        instant_of(expires) if expires is not None else None,
        reason or "",
        bool(emergency),
        instant_of(confirmed) if confirmed is not None else None,
        uuid_of(confirmed_by) if confirmed_by is not None else None,
    )
