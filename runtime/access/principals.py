"""From a user's id to the principal, by one short statement: a revocation acts on the next request."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tabwright.metadata.model import Model
from tabwright.metadata.store import release_table
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.errors import Unauthenticated
from tabwright.platform.tables import Instant, ids_value, in_ids, uuid_of
from tabwright.runtime.access.principal import Principal, TokenScope

if TYPE_CHECKING:
    from datetime import datetime

    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import TenantRuntime

_OBJECTS = ("user", "permission_assignment", "queue_member")
_RELEASE = 6  # where the number of the release in force stands in a row
_FALLBACK_LANGUAGE = "zh"
_FALLBACK_ZONE = "Asia/Shanghai"


def arrive(
    tenant: TenantRuntime, reader: Reader, user_id: UUID, now: datetime, scope: Any = None
) -> tuple[Model, Principal]:
    """The model in force and the principal under it, by one statement unless a release came since the last.

    Raises Unauthenticated, see ``load``.
    """
    model = tenant.last_model
    if model is not None:
        rows = _rows(tenant, reader, model, user_id, now)
        if rows and rows[0][_RELEASE] == model.release:
            return model, _principal(rows, user_id, scope)
    model = tenant.at_release(reader)
    return model, load(tenant, reader, model, user_id, now, scope)


def load(
    tenant: TenantRuntime, reader: Reader, model: Model, user_id: UUID, now: datetime, scope: Any = None
) -> Principal:
    """The principal of an active user with the permission sets assigned to it that have not expired.

    ``scope`` is a token's. Raises Unauthenticated ``access.user_gone`` where there is no such active user.
    """
    return _principal(_rows(tenant, reader, model, user_id, now), user_id, scope)


def load_many(
    tenant: TenantRuntime, reader: Reader, model: Model, user_ids: Iterable[UUID], now: datetime
) -> dict[UUID, Principal]:
    """The principals of some people by one statement; who may not sign in is left out."""
    wanted = sorted(set(user_ids))
    if not wanted:
        return {}
    statement = tenant.pieces.get(_key(tenant, model, "many"), lambda: _compile(tenant, model, many=True))
    given = {"ids": ids_value(tenant.store.dialect, wanted), "now": now}
    by_id: dict[UUID, list[tuple[Any, ...]]] = {}
    for *row, id in reader.rows(statement, given):
        by_id.setdefault(uuid_of(id), []).append(tuple(row))
    return {id: _principal(rows, id, None) for id, rows in by_id.items() if rows[0][1]}


def _key(tenant: TenantRuntime, model: Model, what: str) -> tuple[str, ...]:
    tables = tenant.tables(model)
    return (what, tenant.store.key, *(tables.of(model.objects[name]).digest for name in _OBJECTS))


def _rows(
    tenant: TenantRuntime, reader: Reader, model: Model, user_id: UUID, now: datetime
) -> list[tuple[Any, ...]]:
    statement = tenant.pieces.get(_key(tenant, model, "principal"), lambda: _compile(tenant, model))
    return reader.rows(statement, {"user_id": user_id, "now": now})


def _principal(rows: list[tuple[Any, ...]], user_id: UUID, scope: Any) -> Principal:
    if not rows or not rows[0][1]:
        raise Unauthenticated.of("access.user_gone")
    name, _, language, zone = rows[0][:4]
    return Principal(
        user_id,
        name or "",
        language or _FALLBACK_LANGUAGE,
        _zone(zone or _FALLBACK_ZONE),
        permission_sets=tuple(sorted({row[4] for row in rows if row[4] is not None})),
        token_scope=TokenScope.parse(scope),
        groups=tuple(sorted({uuid_of(row[5]) for row in rows if row[5] is not None})),
    )


@lru_cache(maxsize=1024)
def _zone(name: str) -> str:
    """The zone, if there is one of that name: a wrong one must not lock its user out."""
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        return _FALLBACK_ZONE


def _compile(tenant: TenantRuntime, model: Model, *, many: bool = False) -> Prepared:
    tables = tenant.tables(model)
    user = model.objects["user"]
    users, assignments, members = (tables.of(model.objects[name]) for name in _OBJECTS)
    now = sa.bindparam("now", type_=Instant())
    expires = assignments.column("expires_at")
    held = sa.and_(
        assignments.column("user") == users.id,
        assignments.deleted_at.is_(None),
        sa.or_(expires.is_(None), expires > now),
    )
    belongs = sa.and_(members.column("user") == users.id, members.deleted_at.is_(None))
    columns = (
        users.column(user.name_field),
        users.column("active"),
        users.column("language"),
        users.column("zone"),
        assignments.column("permission_set"),
        members.column("queue"),
        sa.select(sa.func.max(release_table.c.number)).scalar_subquery(),
    )
    wanted = (
        in_ids(tenant.store.dialect, users.id)
        if many
        else users.id == sa.bindparam("user_id", type_=users.id.type)
    )
    statement = (
        sa.select(*columns, *([users.id] if many else []))
        .select_from(users.main.outerjoin(assignments.main, held).outerjoin(members.main, belongs))
        .where(wanted, users.deleted_at.is_(None))
    )
    return prepare(tenant.store, statement)
