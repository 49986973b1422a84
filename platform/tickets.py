"""Single-use secrets that end by themselves: the links of invitations and password resets, and the step
between a password and a second factor.

A ticket's secret is worked out from its id and the installation's secret, so that it can be said again by the
job that sends it and stands nowhere: not in the control store, which holds its hash, and in no job.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Store
from tabwright.platform.errors import NotFound
from tabwright.platform.tables import CONTROL, CodeText, Instant, Uuid

Purpose = Literal["invite", "reset", "code"]

TICKET = sa.Table(
    "ticket",
    CONTROL,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("hash", CodeText, nullable=False, unique=True),
    sa.Column("purpose", CodeText, nullable=False),
    sa.Column("tenant_id", Uuid, nullable=False),
    sa.Column("user_id", Uuid, nullable=False),
    sa.Column("identity_id", Uuid),  # of an invitation: nobody yet
    sa.Column("created_by", Uuid),  # the user who asked for it; None: the person, or the platform
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
    sa.Column("used_at", Instant),
    sa.Index("ticket_user", "tenant_id", "user_id"),
)
_KEPT = timedelta(days=7)  # after its end, so that a second use can be told from a wrong one


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket that has been neither used nor revoked and has not expired."""

    id: UUID
    purpose: Purpose
    tenant_id: UUID
    user_id: UUID
    identity_id: UUID | None
    created_by: UUID | None
    created_at: datetime
    expires_at: datetime


class Tickets:
    """The tickets of the installation whose control store this is; ``secret`` is the installation's."""

    def __init__(self, control: Store, clock: Clock, ids: Ids, secret: str) -> None:
        self._control = control
        self._clock = clock
        self._ids = ids
        self._key = secret.encode()

    def issue(
        self,
        purpose: Purpose,
        tenant_id: UUID,
        user_id: UUID,
        lifetime: timedelta,
        *,
        identity_id: UUID | None = None,
        by: UUID | None = None,
    ) -> Ticket:
        """A new ticket; earlier ones of this purpose and user are dead from now on."""
        now, id = self._clock.now(), self._ids.new()
        made = Ticket(id, purpose, tenant_id, user_id, identity_id, by, now, now + lifetime)
        row = {name: getattr(made, name) for name in Ticket.__slots__}
        with self._control.write() as writer:
            writer.execute(sa.delete(TICKET).where(TICKET.c.expires_at <= now - _KEPT))
            if purpose != "code":  # two windows may stand between password and code
                writer.execute(_open(tenant_id, user_id, purpose).values(used_at=now))
            writer.execute(sa.insert(TICKET), {**row, "hash": _hash(self.secret_of(id))})
        return made

    def secret_of(self, id: UUID) -> str:
        """What the link of a ticket carries."""
        made = hmac.new(self._key, b"ticket " + id.bytes, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(made).decode().rstrip("=")

    def find(self, secret: str, *purposes: Purpose) -> Ticket | None:
        """The live ticket of a secret, where it is for one of these purposes."""
        return self._live(TICKET.c.hash == _hash(secret[:100]), TICKET.c.purpose.in_(purposes))

    def by_id(self, id: UUID) -> Ticket | None:
        """The live ticket of an id."""
        return self._live(TICKET.c.id == id)

    def use(self, ticket: Ticket) -> bool:
        """Use a ticket up: True for one caller only."""
        now = self._clock.now()
        which = (TICKET.c.id == ticket.id, TICKET.c.used_at.is_(None), TICKET.c.expires_at > now)
        with self._control.write() as writer:
            return writer.execute(sa.update(TICKET).where(*which).values(used_at=now)).rowcount == 1

    def open(self, tenant_id: UUID, purpose: Purpose) -> list[Ticket]:
        """The live tickets of a tenant, newest first."""
        query = sa.select(*_COLUMNS).where(
            TICKET.c.tenant_id == tenant_id, TICKET.c.purpose == purpose, *self._is_live()
        )
        with self._control.read() as reader:
            return [_ticket(row) for row in reader.execute(query.order_by(TICKET.c.id.desc())).all()]

    def revoke(self, tenant_id: UUID, user_id: UUID, purpose: Purpose) -> None:
        """Let the open tickets of a user die. Raises NotFound where there is none."""
        with self._control.write() as writer:
            done = writer.execute(_open(tenant_id, user_id, purpose).values(used_at=self._clock.now()))
        if not done.rowcount:
            raise NotFound.of("ticket.not_found")

    def issued_since(self, identity_id: UUID, purpose: Purpose, since: datetime) -> int:
        """How many tickets of an identity were issued since a moment, used or not."""
        query = sa.select(sa.func.count()).where(
            TICKET.c.identity_id == identity_id, TICKET.c.purpose == purpose, TICKET.c.created_at > since
        )
        with self._control.read() as reader:
            return int(reader.execute(query).scalar_one())

    def _live(self, *which: sa.ColumnElement[bool]) -> Ticket | None:
        with self._control.read() as reader:
            row = reader.execute(sa.select(*_COLUMNS).where(*which, *self._is_live())).one_or_none()
        return None if row is None else _ticket(row)

    def _is_live(self) -> tuple[sa.ColumnElement[bool], ...]:
        return TICKET.c.used_at.is_(None), TICKET.c.expires_at > self._clock.now()


_COLUMNS = [TICKET.c[name] for name in Ticket.__slots__]


def _ticket(row: sa.Row[Any]) -> Ticket:
    return Ticket(*tuple(row))


def _open(tenant_id: UUID, user_id: UUID, purpose: Purpose) -> sa.Update:
    return sa.update(TICKET).where(
        TICKET.c.tenant_id == tenant_id,
        TICKET.c.user_id == user_id,
        TICKET.c.purpose == purpose,
        TICKET.c.used_at.is_(None),
    )


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
