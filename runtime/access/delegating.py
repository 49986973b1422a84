"""Delegated administration (S12): who administers some people, some permission sets and some objects only.

A delegation is a record that an administrator writes: a person, a department or position whose people (and
those below) they look after, the sets and groups that they may give, the objects whose definition they may
change. Who has the system right ``delegate``, and not ``manage_users``, is held to their delegations in all
of that, whatever else they hold; what is listed they may give without holding it. Nobody is their own
delegate, and who manages users is in nobody's reach.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.documents import Component
from tabwright.metadata.model import Model
from tabwright.platform.database import prepare
from tabwright.platform.errors import Denied, Place
from tabwright.platform.tables import Instant, Uuid, uuid_of
from tabwright.runtime.access import principals
from tabwright.runtime.access.principal import Principal

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import TenantRuntime

RIGHT = "delegate"
MANAGES = "manage_users"


def is_delegate(model: Model, principal: Principal) -> bool:
    """Whether a person is held to their delegations. A token is, where its person is."""
    system = {right for each in model.sets_of(principal.permission_sets) for right in each.system}
    return principal.kind == "user" and RIGHT in system and MANAGES not in system


@dataclass(frozen=True, slots=True)
class Delegation:
    """One delegation: whose people (None: not asked), which sets and objects (uids)."""

    departments: frozenset[UUID] | None
    positions: frozenset[UUID] | None
    sets: frozenset[str]
    objects: frozenset[str]

    def covers(self, department: UUID | None, position: UUID | None) -> bool:
        """Whether who stands there is among its people."""
        asked = (
            (self.departments, department),
            (self.positions, position),
        )
        named = [(within, at) for within, at in asked if within is not None]
        return bool(named) and all(at is not None and at in within for within, at in named)


@dataclass(frozen=True, slots=True)
class Delegate:
    """A person who is held to their delegations."""

    person: UUID
    delegations: tuple[Delegation, ...]

    def reaches(self, user: Mapping[str, Any]) -> bool:
        """Whether a user record is of their people; ``user`` holds id, department and position."""
        if user["id"] == self.person:
            return False
        return any(each.covers(user["department"], user["position"]) for each in self.delegations)

    def gives(self, user: Mapping[str, Any], uid: str) -> bool:
        """Whether they may give that set or group to that person."""
        if user["id"] == self.person:
            return False
        return any(
            uid in each.sets and each.covers(user["department"], user["position"])
            for each in self.delegations
        )

    def require_components(self, model: Model, changed: Iterable[Component]) -> None:
        """Raises Denied where a changed document is not of an object that is listed."""
        listed = {uid for each in self.delegations for uid in each.objects}
        names = {each.name for each in model.objects.values() if each.uid in listed}
        for each in changed:
            object = each.name if each.kind == "object" else each.object
            if object not in names or (each.kind == "object" and each.uid not in listed):
                raise Denied.of("access.delegate_object", Place(component=each.place), name=each.name)


def delegate(
    tenant: TenantRuntime, reader: Reader, model: Model, principal: Principal, now: datetime
) -> Delegate | None:
    """What somebody is held to; None where they are held to nothing."""
    if not is_delegate(model, principal):
        return None
    table = tenant.tables(model).of(model.objects["delegation"])
    names = ("department", "position", "sets", "objects")
    expires = table.column("expires_at")
    chosen = (
        sa.select(*(table.column(name) for name in names))
        .select_from(table.joined)
        .where(
            table.column("user") == sa.bindparam("user", type_=Uuid()),
            table.deleted_at.is_(None),
            sa.or_(expires.is_(None), expires > sa.bindparam("now", type_=Instant())),
        )
    )
    rows = reader.rows(prepare(reader.store, chosen), {"user": principal.user_id, "now": now})
    made = []
    for department, position, sets, objects in rows:
        made.append(
            Delegation(
                _below(tenant, reader, model, "department", department),
                _below(tenant, reader, model, "position", position),
                frozenset((sets or "").split()),
                frozenset((objects or "").split()),
            )
        )
    return Delegate(principal.user_id, tuple(made))


def _below(
    tenant: TenantRuntime, reader: Reader, model: Model, object: str, top: Any
) -> frozenset[UUID] | None:
    """A record of a tree and all below it; None for none."""
    if top is None:
        return None
    table = tenant.tables(model).of(model.objects[object])
    chosen = sa.select(table.id, table.column("parent")).where(table.deleted_at.is_(None))
    children: dict[UUID, list[UUID]] = {}
    for id, parent in reader.rows(prepare(reader.store, chosen)):
        if parent is not None:
            children.setdefault(uuid_of(parent), []).append(uuid_of(id))
    found: set[UUID] = set()
    todo = [uuid_of(top)]
    while todo:
        each = todo.pop()
        if each not in found:
            found.add(each)
            todo += children.get(each, ())
    return frozenset(found)


def people(
    tenant: TenantRuntime, reader: Reader, model: Model, ids: Collection[UUID], now: datetime
) -> dict[UUID, Mapping[str, Any]]:
    """Where some users stand, by id: id, department, position. Who manages users is not among them: nobody's
    delegation reaches so high.
    """

    found: dict[UUID, Mapping[str, Any]] = {}
    users = tenant.tables(model).of(model.objects["user"])
    columns = (users.id, users.column("department"), users.column("position"))
    for wanted in sorted(set(ids)):
        chosen = sa.select(*columns).where(users.id == sa.bindparam("id", type_=Uuid()))
        for id, department, position in reader.rows(prepare(reader.store, chosen), {"id": wanted}):
            found[wanted] = {
                "id": uuid_of(id),
                "department": uuid_of(department) if department is not None else None,
                "position": uuid_of(position) if position is not None else None,
            }
    held = principals.load_many(tenant, reader, model, found, now)
    for id, principal in held.items():
        system = {right for each in model.sets_of(principal.permission_sets) for right in each.system}
        if MANAGES in system:
            del found[id]
    return found


def check_documents(
    tenant: TenantRuntime,
    reader: Reader,
    model: Model,
    principal: Principal,
    now: datetime,
    changed: Iterable[Component],
) -> None:
    """Raises Denied where a delegate's draft or release changes more than the objects that are listed."""
    found = delegate(tenant, reader, model, principal, now)
    if found is not None:
        found.require_components(model, changed)
