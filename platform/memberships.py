"""Which tenants an identity may be a user of: hints, so that a sign-in need not look into every tenant.

The truth is the user's record in the tenant. A hint that is too many lets nobody in, it only costs a look;
one that is missing is made when its person signs in there (``runtime.pages.signing``), or by the next sweep.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Store, prepare
from tabwright.platform.errors import UniqueViolation
from tabwright.platform.tables import CONTROL, Uuid

MEMBERSHIP = sa.Table(
    "membership",
    CONTROL,
    sa.Column("identity_id", Uuid, primary_key=True),
    sa.Column("tenant_id", Uuid, primary_key=True, index=True),
)


class Memberships:
    """The hints of the installation whose control store this is."""

    def __init__(self, control: Store) -> None:
        self._control = control

    def of(self, identity_id: UUID) -> frozenset[UUID]:
        """The tenants that are known for an identity, deleted ones too."""
        query = sa.select(MEMBERSHIP.c.tenant_id).where(MEMBERSHIP.c.identity_id == identity_id)
        with self._control.read() as reader:
            return frozenset(reader.execute(query).scalars())

    def add(self, identity_id: UUID, tenant_id: UUID) -> None:
        """One more; nothing where it is known."""
        if tenant_id in self.of(identity_id):
            return
        with suppress(UniqueViolation), self._control.write() as writer:  # somebody added it just now
            writer.execute(sa.insert(MEMBERSHIP), {"identity_id": identity_id, "tenant_id": tenant_id})

    def sweep(self, tenant_id: UUID, identities: Iterable[UUID]) -> None:
        """All of a tenant's, anew: those of whom it has users."""
        rows = [(each, tenant_id) for each in sorted(set(identities))]
        with self._control.write() as writer:
            writer.alone(f"membership {tenant_id.hex}")
            writer.execute(sa.delete(MEMBERSHIP).where(MEMBERSHIP.c.tenant_id == tenant_id))
            writer.insert_many(prepare(self._control, sa.insert(MEMBERSHIP)), rows)
