"""From a user's id to the principal, by one short statement: a revocation acts on the next request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from tabwright.metadata.model import Model
from tabwright.metadata.store import release_table
from tabwright.platform.database import Prepared, prepare
from tabwright.platform.errors import Unauthenticated
from tabwright.platform.tables import CodeText, DialectName, Instant, Uuid, ids_value, in_ids, uuid_of
from tabwright.runtime.access.principal import Principal, TokenScope
from tabwright.runtime.access.tables import FULL, GROUPS, LEVELS, MEMBERS

if TYPE_CHECKING:
    from datetime import datetime

    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import TenantRuntime

_OBJECTS = ("user", "permission_assignment", "queue")
_PERSON, _SET, _GROUP, _QUEUE = range(4)  # what a row of the statement is about
_RELEASE = 7  # where the number of the release in force stands in the row about the person
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
            return model, _principal(rows, user_id, now, scope)
    model = tenant.at_release(reader)
    return model, load(tenant, reader, model, user_id, now, scope)


def load(
    tenant: TenantRuntime, reader: Reader, model: Model, user_id: UUID, now: datetime, scope: Any = None
) -> Principal:
    """The principal of an active user with the permission sets assigned to it that have not expired.

    ``scope`` is a token's. Raises Unauthenticated ``access.user_gone`` where there is no such active user.
    """
    return _principal(_rows(tenant, reader, model, user_id, now), user_id, now, scope)


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
    return {id: _principal(rows, id, now, None) for id, rows in by_id.items() if _may_sign_in(rows)}


def _key(tenant: TenantRuntime, model: Model, what: str) -> tuple[str, ...]:
    tables = tenant.tables(model)
    return (what, tenant.store.key, *(tables.of(model.objects[name]).digest for name in _OBJECTS))


def _rows(
    tenant: TenantRuntime, reader: Reader, model: Model, user_id: UUID, now: datetime
) -> list[tuple[Any, ...]]:
    statement = tenant.pieces.get(_key(tenant, model, "principal"), lambda: _compile(tenant, model))
    return reader.rows(statement, {"user_id": user_id, "now": now})


def _may_sign_in(rows: list[tuple[Any, ...]]) -> bool:
    return bool(rows) and rows[0][0] == _PERSON and bool(rows[0][2])


def _principal(rows: list[tuple[Any, ...]], user_id: UUID, now: datetime, scope: Any) -> Principal:
    if not _may_sign_in(rows):
        raise Unauthenticated.of("access.user_gone")
    _, name, _, language, zone = rows[0][:5]
    named = [(row[5], uuid_of(row[6])) for row in rows if row[0] == _GROUP]
    return Principal(
        user_id,
        name or "",
        language or _FALLBACK_LANGUAGE,
        _zone(zone or _FALLBACK_ZONE),
        permission_sets=tuple(sorted({row[5] for row in rows if row[0] == _SET})),
        token_scope=TokenScope.parse(scope),
        groups=(user_id, *sorted({id for _, id in named} - {user_id})),
        keys=frozenset(key for key, _ in named),
        positions=tuple(sorted({id for key, id in named if key.startswith("position:")})),
        queues=tuple(sorted((uuid_of(row[6]), LEVELS.get(row[5], FULL)) for row in rows if row[0] == _QUEUE)),
        loaded_at=now,
    )


@lru_cache(maxsize=1024)
def _zone(name: str) -> str:
    """The zone, if there is one of that name: a wrong one must not lock its user out."""
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        return _FALLBACK_ZONE


def _compile(tenant: TenantRuntime, model: Model, *, many: bool = False) -> Prepared:
    """What is known of somebody: a row about the person first, then one for each set, group and queue."""
    tables = tenant.tables(model)
    user = model.objects["user"]
    users, assignments, queues = (tables.of(model.objects[name]) for name in _OBJECTS)
    wanted = partial(_wanted, tenant.store.dialect, many)
    expires = assignments.column("expires_at")
    about: tuple[tuple[sa.ColumnElement[Any], sa.Select[Any]], ...] = (
        (
            users.id,
            _row(
                _PERSON,
                name=users.column(user.name_field),
                active=sa.cast(users.column("active"), sa.Integer),
                language=users.column("language"),
                zone=users.column("zone"),
                release=sa.select(sa.func.max(release_table.c.number)).scalar_subquery(),
            ).where(wanted(users.id), users.deleted_at.is_(None)),
        ),
        (
            assignments.column("user"),
            _row(_SET, key=assignments.column("permission_set")).where(
                wanted(assignments.column("user")),
                assignments.deleted_at.is_(None),
                sa.or_(expires.is_(None), expires > sa.bindparam("now", type_=Instant())),
            ),
        ),
        (
            MEMBERS.c.user_id,
            _row(_GROUP, key=GROUPS.c.key, id=MEMBERS.c.group_id)
            .join(GROUPS, GROUPS.c.group_id == MEMBERS.c.group_id)
            .where(wanted(MEMBERS.c.user_id)),
        ),
        (
            MEMBERS.c.user_id,
            _row(_QUEUE, key=queues.column("member_access"), id=MEMBERS.c.group_id)
            .join(queues.main, queues.id == MEMBERS.c.group_id)
            .where(wanted(MEMBERS.c.user_id), queues.deleted_at.is_(None)),
        ),
    )
    parts = [chosen.add_columns(whose.label("whose")) if many else chosen for whose, chosen in about]
    return prepare(tenant.store, sa.union_all(*parts).order_by(sa.literal_column("about")))


def _row(about: int, **given: sa.ColumnElement[Any]) -> sa.Select[Any]:
    types: Mapping[str, sa.types.TypeEngine[Any]] = {
        "name": CodeText(), "active": sa.Integer(), "language": CodeText(), "zone": CodeText(),
        "key": CodeText(), "id": Uuid(), "release": sa.Integer(),
    }  # fmt: skip
    blank = {name: sa.cast(sa.null(), type) for name, type in types.items()}
    columns = {**blank, **given}
    return sa.select(
        sa.literal_column(str(about)).label("about"), *(each.label(name) for name, each in columns.items())
    )


def _wanted(dialect: DialectName, many: bool, column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return in_ids(dialect, column) if many else column == sa.bindparam("user_id", type_=Uuid())
