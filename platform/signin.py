"""Being signed in: sessions behind an opaque cookie, and API tokens. Both are rows, so an end acts at once.

The control store holds only hashes of what the browser or the program carries. Each ``find`` joins the
tenant (and,
for a session, the identity), so one statement answers who asks and where their tenant is.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Prepared, Store, TenantLocation, prepare
from tabwright.platform.errors import Invalid, NotFound, Place
from tabwright.platform.identities import IDENTITY, Identity
from tabwright.platform.settings import Limits
from tabwright.platform.tables import CONTROL, CodeText, Instant, Json, Uuid, instant_of, json_of, uuid_of
from tabwright.platform.tenants import TENANT_ROWS

COOKIE = "tw_session"
TOKEN_PREFIX = "tw_"
UNFINISHED = "unfinished"  # in a session's data: see SessionRow.unfinished
AGENT, REMOTE = "agent", "remote"  # in a session's data: the browser and where it called from
_ID = 24  # characters of the hash by which a session is named

SESSION = sa.Table(
    "session",
    CONTROL,
    sa.Column("hash", CodeText, primary_key=True),
    sa.Column("identity_id", Uuid, nullable=False, index=True),
    sa.Column("tenant_id", Uuid, nullable=False),
    sa.Column("user_id", Uuid, nullable=False),
    sa.Column("csrf", CodeText, nullable=False),
    sa.Column("data", Json, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False, index=True),
)
TOKEN = sa.Table(
    "token",
    CONTROL,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("hash", CodeText, nullable=False, unique=True),
    sa.Column("tenant_id", Uuid, nullable=False, index=True),
    sa.Column("user_id", Uuid, nullable=False),
    sa.Column("name", CodeText, nullable=False),
    sa.Column("scope", Json),
    sa.Column("created_at", Instant, nullable=False),
    sa.Column("expires_at", Instant, nullable=False),
    sa.Column("revoked_at", Instant),
)
_PLACE = (TENANT_ROWS.c.id, TENANT_ROWS.c.slug, TENANT_ROWS.c.schema, TENANT_ROWS.c.file)


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A live session: who, in which tenant, and what a page keeps between two requests."""

    hash: str = field(repr=False)
    identity_id: UUID
    user_id: UUID
    location: TenantLocation
    csrf: str = field(repr=False)
    data: Mapping[str, Any]
    created_at: datetime

    @property
    def unfinished(self) -> str | None:
        """What is still to be done before the session opens anything else; None: nothing."""
        return self.data.get(UNFINISHED)


@dataclass(frozen=True, slots=True)
class SessionEntry:
    """A session in a list of where somebody is signed in. ``id`` opens nothing."""

    id: str
    tenant_id: UUID
    agent: str
    remote: str
    created_at: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A live API token. ``scope`` is None when it may do what its user may."""

    id: UUID
    user_id: UUID
    location: TenantLocation
    name: str
    scope: Any
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """A token in a list of tokens, live or not."""

    id: UUID
    user_id: UUID
    name: str
    scope: Any
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def _hash(secret: str) -> str:
    # The secrets are 256 random bits: a plain hash cannot be guessed back.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


class Sessions:
    """Sessions of browsers."""

    def __init__(self, control: Store, clock: Clock, limits: Limits) -> None:
        self._control = control
        self._clock = clock
        self._idle = timedelta(minutes=limits.session_idle_minutes)
        self._longest = timedelta(hours=limits.session_hours)
        self._step = min(self._idle / 10, timedelta(minutes=5))  # how exactly the last use is known
        self._find: Prepared = prepare(
            control,
            sa.select(
                SESSION.c.identity_id, SESSION.c.user_id, SESSION.c.csrf, SESSION.c.data,
                SESSION.c.created_at, SESSION.c.seen_at, SESSION.c.expires_at, *_PLACE,
            )
            .join(TENANT_ROWS, TENANT_ROWS.c.id == SESSION.c.tenant_id)
            .join(IDENTITY, IDENTITY.c.id == SESSION.c.identity_id)
            .where(
                SESSION.c.hash == sa.bindparam("hash", type_=CodeText),
                TENANT_ROWS.c.state == "active",
                IDENTITY.c.active.is_(True),
            ),
        )  # fmt: skip

    def start(
        self, identity: Identity, tenant_id: UUID, user_id: UUID, data: Mapping[str, Any] | None = None
    ) -> str:
        """A new session: the cookie's value. At every sign-in a new one; what came in with the
        request is not used.
        """
        cookie, now = secrets.token_urlsafe(32), self._clock.now()
        with self._control.write() as writer:
            writer.execute(sa.delete(SESSION).where(SESSION.c.expires_at <= now))
            writer.execute(
                sa.insert(SESSION),
                {
                    "hash": _hash(cookie), "identity_id": identity.id, "tenant_id": tenant_id,
                    "user_id": user_id, "csrf": secrets.token_urlsafe(32), "data": dict(data or {}),
                    "created_at": now, "seen_at": now, "expires_at": now + self._longest,
                },
            )  # fmt: skip
        return cookie

    def find(self, cookie: str) -> SessionRow | None:
        """The live session behind a cookie; one that was unused for too long is none."""
        if not 20 <= len(cookie) <= 100:
            return None
        hash, now = _hash(cookie), self._clock.now()
        with self._control.read() as reader:
            row = reader.row(self._find, {"hash": hash})
        if row is None:
            return None
        identity, user, csrf, data, created, seen, expires, tenant, slug, schema, file = row
        if now >= instant_of(expires) or now - instant_of(seen) >= self._idle:
            return None
        if now - instant_of(seen) >= self._step:
            self._update(hash, seen_at=now)
        location = TenantLocation(uuid_of(tenant), slug, schema, file)
        return SessionRow(
            hash, uuid_of(identity), uuid_of(user), location, csrf, json_of(data), instant_of(created)
        )

    def renew(self, session: SessionRow, **data: Any) -> str:
        """The same session under a new cookie and CSRF token, for when its rights change; the old
        cookie is dead. ``data`` are values that it keeps from now on; None takes one out.
        """
        cookie = secrets.token_urlsafe(32)
        with self._control.write() as writer:
            kept = {**self._data(writer, session.hash), **data}
            values = {
                "hash": _hash(cookie), "csrf": secrets.token_urlsafe(32),
                "data": {name: value for name, value in kept.items() if value is not None},
            }  # fmt: skip
            writer.execute(sa.update(SESSION).where(SESSION.c.hash == session.hash).values(**values))
        return cookie

    def end(self, cookie: str) -> None:
        """Sign out."""
        self._delete(SESSION.c.hash == _hash(cookie))

    def end_all(self, identity_id: UUID) -> None:
        """Sign an identity out everywhere: its password was changed, it was switched off."""
        self._delete(SESSION.c.identity_id == identity_id)

    def end_others(self, session: SessionRow) -> None:
        """Sign the person of a session out everywhere else."""
        self._delete(sa.and_(SESSION.c.identity_id == session.identity_id, SESSION.c.hash != session.hash))

    def end_of_user(self, tenant_id: UUID, user_id: UUID) -> None:
        """Sign a user out of one tenant."""
        self._delete(sa.and_(SESSION.c.tenant_id == tenant_id, SESSION.c.user_id == user_id))

    def end_one(self, id: str, *, identity_id: UUID | None = None, tenant_id: UUID | None = None) -> None:
        """End the session of an id in a list, of an identity or of a tenant. Raises NotFound."""
        which = [SESSION.c.hash.startswith(id, autoescape=True)]
        which += [SESSION.c.identity_id == identity_id] if identity_id is not None else []
        which += [SESSION.c.tenant_id == tenant_id] if tenant_id is not None else []
        with self._control.write() as writer:
            if len(id) != _ID or not writer.execute(sa.delete(SESSION).where(*which)).rowcount:
                raise NotFound.of("session.not_found")

    def of_identity(self, identity_id: UUID) -> list[SessionEntry]:
        """Where an identity is signed in, used last first."""
        return self._listed(SESSION.c.identity_id == identity_id)

    def of_user(self, tenant_id: UUID, user_id: UUID) -> list[SessionEntry]:
        """Where a user of one tenant is signed in, used last first."""
        return self._listed(SESSION.c.tenant_id == tenant_id, SESSION.c.user_id == user_id)

    def id_of(self, session: SessionRow) -> str:
        """The id of a session in such lists."""
        return session.hash[:_ID]

    def _listed(self, *which: sa.ColumnElement[bool]) -> list[SessionEntry]:
        now = self._clock.now()
        live = (SESSION.c.expires_at > now, SESSION.c.seen_at > now - self._idle)
        query = sa.select(SESSION).where(*which, *live).order_by(SESSION.c.seen_at.desc(), SESSION.c.hash)
        with self._control.read() as reader:
            found = reader.execute(query).all()
        return [
            SessionEntry(
                row.hash[:_ID], row.tenant_id, str(row.data.get(AGENT, "")), str(row.data.get(REMOTE, "")),
                row.created_at, row.seen_at,
            )
            for row in found
        ]  # fmt: skip

    def put(self, session: SessionRow, key: str, value: Any) -> None:
        """Keep a JSON value in the session; None takes it out."""
        with self._control.write() as writer:
            data = self._data(writer, session.hash)
            data = {name: kept for name, kept in data.items() if name != key}
            writer.execute(
                sa.update(SESSION)
                .where(SESSION.c.hash == session.hash)
                .values(data=data if value is None else {**data, key: value})
            )

    def flash(self, session: SessionRow, level: str, code: str, **params: str | int) -> None:
        """Leave a message (``level``: success, info, warning, danger) for the next page."""
        flashes = [*session.data.get("flash", ()), {"level": level, "code": code, "params": params}]
        self.put(session, "flash", flashes[-10:])

    def take_flashes(self, session: SessionRow) -> list[dict[str, Any]]:
        """The messages left for this page: ``{level, code, params}``; each is given once."""
        flashes = list(session.data.get("flash", ()))
        if flashes:
            self.put(session, "flash", None)
        return flashes

    def _data(self, reader: Any, hash: str) -> dict[str, Any]:
        query = sa.select(SESSION.c.data).where(SESSION.c.hash == hash).with_for_update()
        return reader.execute(query).scalar_one_or_none() or {}

    def _update(self, which: str, **values: Any) -> None:
        with self._control.write() as writer:
            writer.execute(sa.update(SESSION).where(SESSION.c.hash == which).values(**values))

    def _delete(self, which: sa.ColumnElement[bool]) -> None:
        with self._control.write() as writer:
            writer.execute(sa.delete(SESSION).where(which))


class Tokens:
    """API tokens: of one user in one tenant, expiring, revocable, perhaps with a scope."""

    def __init__(self, control: Store, clock: Clock, ids: Ids, limits: Limits) -> None:
        self._control = control
        self._clock = clock
        self._ids = ids
        self._most_days = limits.token_days
        self._find: Prepared = prepare(
            control,
            sa.select(TOKEN.c.id, TOKEN.c.user_id, TOKEN.c.name, TOKEN.c.scope, TOKEN.c.expires_at, *_PLACE)
            .join(TENANT_ROWS, TENANT_ROWS.c.id == TOKEN.c.tenant_id)
            .where(
                TOKEN.c.hash == sa.bindparam("hash", type_=CodeText),
                TOKEN.c.revoked_at.is_(None),
                TENANT_ROWS.c.state == "active",
            ),
        )

    def create(
        self, tenant_id: UUID, user_id: UUID, name: str, expires_at: datetime | None = None, scope: Any = None
    ) -> str:
        """A new token: its secret, shown this once. Raises Invalid (``token.name``, ``token.expires``)."""
        now = self._clock.now()
        latest = now + timedelta(days=self._most_days)
        expires_at = expires_at or latest
        if not 1 <= len(name.strip()) <= 100:
            raise Invalid.of("token.name", Place(field="name"))
        if not now < expires_at <= latest:
            raise Invalid.of("token.expires", Place(field="expires_at"), days=self._most_days)
        secret = TOKEN_PREFIX + secrets.token_urlsafe(32)
        with self._control.write() as writer:
            writer.execute(
                sa.insert(TOKEN),
                {
                    "id": self._ids.new(), "hash": _hash(secret), "tenant_id": tenant_id, "user_id": user_id,
                    "name": name.strip(), "scope": scope, "created_at": now, "expires_at": expires_at,
                },
            )  # fmt: skip
        return secret

    def find(self, secret: str) -> TokenRow | None:
        """The live token behind a secret."""
        if not secret.startswith(TOKEN_PREFIX) or len(secret) > 100:
            return None
        with self._control.read() as reader:
            row = reader.row(self._find, {"hash": _hash(secret)})
        if row is None:
            return None
        id, user, name, scope, expires, tenant, slug, schema, file = row
        if self._clock.now() >= instant_of(expires):
            return None
        location = TenantLocation(uuid_of(tenant), slug, schema, file)
        return TokenRow(uuid_of(id), uuid_of(user), location, name, json_of(scope), instant_of(expires))

    def list(self, tenant_id: UUID, user_id: UUID | None = None) -> list[TokenEntry]:
        """Every token of a tenant, or of one of its users, newest first; never a secret."""
        query = sa.select(TOKEN).where(TOKEN.c.tenant_id == tenant_id).order_by(TOKEN.c.id.desc())
        if user_id is not None:
            query = query.where(TOKEN.c.user_id == user_id)
        with self._control.read() as reader:
            found = reader.execute(query).all()
        return [
            TokenEntry(
                row.id, row.user_id, row.name, row.scope, row.created_at, row.expires_at, row.revoked_at
            )
            for row in found
        ]

    def revoke(self, tenant_id: UUID, id: UUID, user_id: UUID | None = None) -> None:
        """End a token now. Raises NotFound when the tenant, or that user of it, has no such live token."""
        which = [TOKEN.c.id == id, TOKEN.c.tenant_id == tenant_id, TOKEN.c.revoked_at.is_(None)]
        which += [TOKEN.c.user_id == user_id] if user_id is not None else []
        with self._control.write() as writer:
            done = writer.execute(sa.update(TOKEN).where(*which).values(revoked_at=self._clock.now()))
            if not done.rowcount:
                raise NotFound.of("token.not_found", token=str(id))
