"""What of a person's rights lasts: nobody gives, or keeps, what they hold for a shorter time themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tabwright.metadata.model import Model
from tabwright.platform.database import prepare
from tabwright.platform.tables import Uuid, instant_of
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
    user = sa.bindparam("user", type_=Uuid())
    chosen = sa.select(table.column("permission_set"), expires)
    chosen = chosen.where(table.column("user") == user, table.deleted_at.is_(None))
    rows = reader.rows(prepare(reader.store, chosen), {"user": principal.user_id})
    ends: dict[str, list[datetime | None]] = {}
    for uid, at in rows:
        ends.setdefault(uid, []).append(None if at is None else instant_of(at))
    short = {
        uid
        for uid, found in ends.items()
        if all(at is not None and (until is None or at < until) for at in found)
    }
    return replace(
        principal, permission_sets=tuple(each for each in principal.permission_sets if each not in short)
    )
