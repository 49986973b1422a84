"""The tenants of an installation: made, found, deleted softly, brought back, removed for good.

Every way to a ``TenantLocation`` of an existing tenant leads through here (or through a session or token,
which
join the same table), so a deleted tenant is gone at the next request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform import versions
from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Stores, TenantLocation
from tabwright.platform.errors import Conflict, Invalid, NotFound, Place, UniqueViolation
from tabwright.platform.files import FileStore
from tabwright.platform.tables import CONTROL, CodeText, Instant, Uuid

__all__ = ["TENANT_ROWS", "Tenant", "TenantLocation", "Tenants", "check_slug", "location_of"]

TENANT_ROWS = sa.Table(
    "tenant",
    CONTROL,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("slug", CodeText, nullable=False, unique=True),
    sa.Column("name", CodeText, nullable=False),
    sa.Column("state", CodeText, nullable=False),  # making, active, deleted
    sa.Column("schema", CodeText),
    sa.Column("file", CodeText),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("deleted_at", Instant),
)
# A making that takes longer than this was cut off; the next one may clear it away.
_CUT_OFF = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Tenant:
    """One customer organisation, as the control store knows it."""

    id: UUID
    slug: str
    name: str
    state: str
    created_at: datetime
    deleted_at: datetime | None
    location: TenantLocation


def check_slug(slug: str) -> str:
    """The slug, or Invalid (``tenant.slug``): it becomes a file's and a schema's name."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", slug) or len(slug) > 40:
        raise Invalid.of("tenant.slug", Place(field="slug"), slug=slug[:60])
    return slug


def location_of(row: sa.Row[Any]) -> TenantLocation:
    """The location in a row of the tenant table."""
    return TenantLocation(row.id, row.slug, row.schema, row.file)


def name_of(stores: Stores, id: UUID) -> str:
    """What a tenant is called; nothing for one that there is not."""
    chosen = sa.select(TENANT_ROWS.c.name).where(TENANT_ROWS.c.id == id)
    with stores.control.read() as reader:
        return str(reader.execute(chosen).scalar_one_or_none() or "")


class Tenants:
    """The tenants of the installation whose stores these are."""

    def __init__(self, stores: Stores, clock: Clock, ids: Ids) -> None:
        self._stores = stores
        self._control = stores.control
        self._clock = clock
        self._ids = ids
        self._checked: set[UUID] = set()

    def create(
        self, slug: str, name: str, after: Callable[[TenantLocation], None] = lambda location: None
    ) -> TenantLocation:
        """Make a tenant: its place, its fixed tables, then ``after(location)`` (the first release).

        It can be found when all of that is done; when anything fails nothing is left.
        Raises Invalid (slug, name), Conflict (``tenant.exists``).
        """
        check_slug(slug)
        name = name.strip()
        if not 1 <= len(name) <= 200:
            raise Invalid.of("tenant.name", Place(field="name"))
        self._clear_cut_off(slug)
        location = self._stores.place(self._ids.new(), slug)
        row = {
            "id": location.id, "slug": slug, "name": name, "state": "making",
            "schema": location.schema, "file": location.file, "created_at": self._clock.now(),
        }  # fmt: skip
        try:
            with self._control.write() as writer:
                writer.execute(sa.insert(TENANT_ROWS), row)
        except UniqueViolation as error:
            raise Conflict.of("tenant.exists", Place(field="slug"), slug=slug) from error
        try:
            self._stores.make(location)
            versions.fill(self._stores.tenant(location), "tenant")
            after(location)
        except BaseException:
            with suppress(Exception):  # the first failure is the one to tell; the row says "making"
                self._remove(location)
            raise
        self._set(location.id, state="active")
        return location

    def get(self, slug: str) -> TenantLocation:
        """Where the active tenant of this slug is. Raises NotFound; Unavailable when its store
        needs an upgrade.
        """
        return self._open(TENANT_ROWS.c.slug == slug, slug)

    def by_id(self, id: UUID) -> TenantLocation:
        """The same by id."""
        return self._open(TENANT_ROWS.c.id == id, str(id))

    def list(self) -> list[Tenant]:
        """Every tenant, deleted ones too, by slug."""
        with self._control.read() as reader:
            found = reader.execute(sa.select(TENANT_ROWS).order_by(TENANT_ROWS.c.slug)).all()
        return [
            Tenant(row.id, row.slug, row.name, row.state, row.created_at, row.deleted_at, location_of(row))
            for row in found
        ]

    def active(self) -> tuple[TenantLocation, ...]:
        """Where every active tenant is."""
        return tuple(tenant.location for tenant in self.list() if tenant.state == "active")

    def delete(self, slug: str) -> datetime:
        """Make a tenant unreachable from the next request on; until the returned moment it can be
        brought back.
        """
        location = self._find(slug, "active")
        now = self._clock.now()
        self._set(location.id, state="deleted", deleted_at=now)
        return now + self._keep

    def restore(self, slug: str) -> None:
        """Bring a deleted tenant back."""
        self._set(self._find(slug, "deleted").id, state="active", deleted_at=None)

    def purge(self, slug: str) -> None:
        """Remove a tenant with all its data, deleted before or not. For good."""
        self._remove(self._find(slug, "active", "deleted", "making"))

    def purge_due(self) -> int:
        """Remove the tenants that were deleted longer ago than they are kept; how many."""
        limit = self._clock.now() - self._keep
        due = [each for each in self.list() if each.state == "deleted" and (each.deleted_at or limit) < limit]
        for tenant in due:
            self._remove(tenant.location)
        return len(due)

    @property
    def _keep(self) -> timedelta:
        return timedelta(days=self._stores.settings.limits.tenant_keep_days)

    def _open(self, which: sa.ColumnElement[bool], said: str) -> TenantLocation:
        with self._control.read() as reader:
            query = sa.select(TENANT_ROWS).where(which, TENANT_ROWS.c.state == "active")
            row = reader.execute(query).one_or_none()
        if row is None:
            raise NotFound.of("tenant.not_found", tenant=said)
        location = location_of(row)
        if location.id not in self._checked:
            versions.check(self._stores.tenant(location), "tenant")
            self._checked.add(location.id)
        return location

    def _find(self, slug: str, *states: str) -> TenantLocation:
        for tenant in self.list():
            if tenant.slug == slug and tenant.state in states:
                return tenant.location
        raise NotFound.of("tenant.not_found", tenant=slug)

    def _set(self, id: UUID, **values: Any) -> None:
        with self._control.write() as writer:
            writer.execute(sa.update(TENANT_ROWS).where(TENANT_ROWS.c.id == id).values(**values))

    def _clear_cut_off(self, slug: str) -> None:
        limit = self._clock.now() - _CUT_OFF
        for tenant in self.list():
            if tenant.slug == slug and tenant.state == "making" and tenant.created_at < limit:
                self._remove(tenant.location)

    def _remove(self, location: TenantLocation) -> None:
        self._stores.drop(location)
        FileStore.of(self._stores.settings).drop(location.id)
        self._checked.discard(location.id)
        with self._control.write() as writer:
            for table in reversed(CONTROL.sorted_tables):
                if "tenant_id" in table.columns:
                    writer.execute(sa.delete(table).where(table.c.tenant_id == location.id))
            writer.execute(sa.delete(TENANT_ROWS).where(TENANT_ROWS.c.id == location.id))
