"""What of a person's rights lasts: nobody gives, or keeps, what they hold for a shorter time themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tabwright.metadata.model import Model
from tabwright.platform.database import prepare
from tabwright.platform.tables import Instant, Uuid
from tabwright.runtime.access.principal import Principal

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import TenantRuntime


def lasting(
    tenant: TenantRuntime, reader: Reader, model: Model, principal: Principal, until: datetime | None
) -> Principal:
    """The principal with only the permission sets and groups that they hold at least ``until`` (None: for
    good). The platform itself holds all for good.
    """
    if principal.kind == "system" or not principal.permission_sets:
        return principal
    table = tenant.tables(model).of(model.objects["permission_assignment"])
    expires = table.column("expires_at")
    enough: sa.ColumnElement[bool] = expires.is_(None)
    if until is not None:
        enough = sa.or_(enough, expires >= sa.bindparam("until", type_=Instant()))
    user = sa.bindparam("user", type_=Uuid())
    chosen = sa.select(table.column("permission_set")).where(
        table.column("user") == user, table.deleted_at.is_(None), enough
    )
    given = {"user": principal.user_id, **({"until": until} if until is not None else {})}
    kept = {row[0] for row in reader.rows(prepare(reader.store, chosen), given)}
    return replace(
        principal, permission_sets=tuple(each for each in principal.permission_sets if each in kept)
    )
