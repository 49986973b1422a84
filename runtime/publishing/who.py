"""Who gains and who loses rights by a publish, in numbers of users."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.database import prepare
from tabwright.platform.tables import Instant
from tabwright.runtime.access.rights import OPERATIONS, Rights
from tabwright.runtime.storage.tables import Tables

if TYPE_CHECKING:
    from tabwright.platform.database import Reader


@dataclass(frozen=True, slots=True)
class Shift:
    """How many users gain and lose one right on an object ("field" rights count as ``read:<field>``...)."""

    object: str
    right: str
    gain: int
    lose: int


def holders(reader: Reader, model: Model, tables: Tables, now: datetime) -> Counter[tuple[str, ...]]:
    """How many active users hold each combination of permission sets (uids, sorted)."""
    if "user" not in model.objects or "permission_assignment" not in model.objects:
        return Counter()
    users = tables.of(model.objects["user"])
    assigned = tables.of(model.objects["permission_assignment"])
    expires = assigned.column("expires_at")
    query = (
        sa.select(assigned.column("user"), assigned.column("permission_set"))
        .select_from(assigned.main.join(users.main, users.id == assigned.column("user")))
        .where(
            assigned.deleted_at.is_(None),
            users.deleted_at.is_(None),
            users.column("active"),
            sa.or_(expires.is_(None), expires > sa.bindparam("now", type_=Instant())),
        )
    )
    sets: defaultdict[UUID | bytes, set[str]] = defaultdict(set)
    for user, uid in reader.rows(prepare(reader.store, query), {"now": now}):
        sets[user].add(uid)
    return Counter(tuple(sorted(held)) for held in sets.values())


def by_set(held: Mapping[tuple[str, ...], int], model: Model) -> dict[str, int]:
    """How many users hold each permission set and group, out of how many hold each combination."""
    found: Counter[str] = Counter()
    for given, users in held.items():
        sets = (each.uid for each in model.sets_of(given))
        found.update(dict.fromkeys((*given, *sets), users))
    return dict(found)


def shifts(old: Model, new: Model, held: Counter[tuple[str, ...]]) -> tuple[Shift, ...]:
    """What each object and field right gains and loses; objects are matched by uid."""
    if not held or not _may_differ(old, new):
        return ()
    before = {each.uid: each for each in old.objects.values()}
    after = {each.uid: each for each in new.objects.values()}
    gained: Counter[tuple[str, str]] = Counter()
    lost: Counter[tuple[str, str]] = Counter()
    for sets, users in held.items():
        old_rights, new_rights = Rights(old, sets, None, False), Rights(new, sets, None, False)
        for uid in before.keys() | after.keys():
            was, now = before.get(uid), after.get(uid)
            called = {field.uid: field.name for field in now.fields.values()} if now is not None else {}
            had, has = _rights(old_rights, was, called), _rights(new_rights, now, called)
            name = now.name if now is not None else was.name if was is not None else ""
            for right in has - had:
                gained[name, right] += users
            for right in had - has:
                lost[name, right] += users
    keys = sorted(gained.keys() | lost.keys())
    return tuple(Shift(object, right, gained[object, right], lost[object, right]) for object, right in keys)


def _may_differ(old: Model, new: Model) -> bool:
    if old.grantable != new.grantable:
        return True
    return any(new.objects.get(name) is not each for name, each in old.objects.items()) or len(
        old.objects
    ) != len(new.objects)


def _rights(rights: Rights, object: ObjectDef | None, called: Mapping[str, str]) -> set[str]:
    """Rights as texts; a field goes by its name in ``called``, by uid: a rename takes and gives nothing."""
    if object is None:
        return set()
    found: set[str] = {right for right in OPERATIONS if right in rights.operations(object)}
    for own, right in rights.fields(object).items():
        name = called.get(object.fields[own].uid, own)
        if right != "none":
            found.add(f"read:{name}")
        if right == "edit":
            found.add(f"edit:{name}")
    return found
