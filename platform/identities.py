"""Who may sign in: addresses and password hashes in the control store, and nothing else about a person."""

from __future__ import annotations

import hashlib
import threading
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tabwright.platform.clock import Clock, Ids
from tabwright.platform.database import Store
from tabwright.platform.errors import (
    Conflict,
    Fault,
    Invalid,
    LimitReached,
    NotFound,
    Place,
    Unauthenticated,
    Unavailable,
    UniqueViolation,
)
from tabwright.platform.passwords import is_common
from tabwright.platform.settings import Limits
from tabwright.platform.tables import CONTROL, CodeText, Instant, Uuid

IDENTITY = sa.Table(
    "identity",
    CONTROL,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("address", CodeText, nullable=False, unique=True),  # folded
    sa.Column("password_hash", CodeText, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("created_at", Instant, nullable=False),
)
# One row an attempt that has not succeeded. Keys are hashes: people type passwords into the wrong box.
ATTEMPT = sa.Table(
    "sign_in_attempt",
    CONTROL,
    sa.Column("id", Uuid, primary_key=True),
    sa.Column("account", CodeText, nullable=False),
    sa.Column("remote", CodeText, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.Index("sign_in_attempt_account", "account", "at"),
    sa.Index("sign_in_attempt_remote", "remote", "at"),
)
_MINUTE = timedelta(minutes=1)
_LONGEST_PASSWORD = 200
_TO_MAIL = "mail "  # before who asks for mail: that is counted by itself


@dataclass(frozen=True, slots=True)
class Identity:
    """One who may sign in."""

    id: UUID
    address: str
    active: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """Failed sign-ins of an account that still count: how many, the last one, until when it is locked."""

    failures: int
    last_at: datetime
    locked_until: datetime | None


def usual_hasher() -> PasswordHasher:
    """19 MiB, two passes, one lane: what OWASP asks for, at a cost that a small machine can pay."""
    return PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def fold_address(address: str) -> str:
    """The form in which addresses are compared and kept."""
    return unicodedata.normalize("NFKC", address).strip().casefold()


class Identities:
    """The identities of the control store."""

    def __init__(
        self, control: Store, clock: Clock, ids: Ids, limits: Limits, hasher: PasswordHasher | None = None
    ) -> None:
        self._control = control
        self._clock = clock
        self._ids = ids
        self._limits = limits
        self._window = max(_MINUTE, timedelta(minutes=limits.lock_minutes))
        self._hasher = hasher or usual_hasher()
        # Each check takes its memory: a crowd at the door must not take the machine's.
        self._checks = threading.Semaphore(limits.password_checks)
        self._nobody: str | None = None

    def create(self, address: str, password: str) -> UUID:
        """A new identity. Raises Invalid (``identity.*``), Conflict (``identity.exists``)."""
        folded = fold_address(address)
        faults = _faults_of_address(folded) + self._faults_of_password(password, folded)
        if faults:
            raise Invalid(faults)
        row = {
            "id": self._ids.new(), "address": folded, "password_hash": self._hash(password),
            "active": True, "created_at": self._clock.now(),
        }  # fmt: skip
        try:
            with self._control.write() as writer:
                writer.execute(sa.insert(IDENTITY), row)
        except UniqueViolation as error:
            raise Conflict.of("identity.exists", Place(field="address"), address=folded) from error
        return row["id"]  # type: ignore[return-value]

    def verify(self, address: str, password: str, remote: str) -> Identity:
        """The identity behind an address and a password; ``remote`` is the network address that asks.

        Raises LimitReached (``sign_in.too_many``, ``sign_in.locked``) and Unauthenticated
        (``sign_in.wrong``): the same words after the same time whether the account does not exist, is
        switched off, or has another password.
        """
        folded = fold_address(address)[:1000]
        attempt = self._register_attempt(_digest(folded), _digest(remote))
        with self._control.read() as reader:
            row = reader.execute(sa.select(IDENTITY).where(IDENTITY.c.address == folded)).one_or_none()
        nobody = self._hash_of_nobody()  # asked for each time, so that the first stranger takes no longer
        known = row.password_hash if row is not None else nobody
        right = self._is_right(known, password)
        if row is None or not right or not row.active:
            raise Unauthenticated.of("sign_in.wrong")
        values: dict[str, Any] = {}
        if self._hasher.check_needs_rehash(known):
            values["password_hash"] = self._hash(password)
        with self._control.write() as writer:
            writer.execute(sa.delete(ATTEMPT).where(ATTEMPT.c.id == attempt))
            if values:
                writer.execute(sa.update(IDENTITY).where(IDENTITY.c.id == row.id).values(**values))
        return Identity(row.id, row.address, row.active)

    def set_password(self, id: UUID, password: str) -> None:
        """A new password, and no failed sign-in counts any more. Sessions are not this module's: whoever
        calls ends them.
        """
        address = self.get(id).address
        faults = self._faults_of_password(password, address)
        if faults:
            raise Invalid(faults)
        self._update(id, password_hash=self._hash(password))
        self.unlock(address)

    def check_new(self, address: str, password: str) -> None:
        """Raises Invalid with every fault of an account that is to be made."""
        folded = fold_address(address)
        if faults := _faults_of_address(folded) + self._faults_of_password(password, folded):
            raise Invalid(faults)

    def any(self) -> bool:
        """Whether anybody at all can sign in to this installation."""
        with self._control.read() as reader:
            return reader.execute(sa.select(IDENTITY.c.id).limit(1)).first() is not None

    def check_password(self, address: str, password: str) -> None:
        """Raises Invalid where this may not be the password of an account."""
        if faults := self._faults_of_password(password, fold_address(address)):
            raise Invalid(faults)

    def count_request(self, address: str, remote: str) -> None:
        """Count that somebody asks for mail to an address, known or not. Raises LimitReached."""
        self._register_attempt(_digest(_TO_MAIL + fold_address(address)[:1000]), _digest(_TO_MAIL + remote))

    def trouble(self, addresses: Iterable[str]) -> dict[str, Trouble]:
        """By folded address the failed sign-ins that still count; for administrators."""
        by_key = {_digest(folded): folded for folded in map(fold_address, addresses)}
        limits, found = self._limits, dict[str, list[tuple[datetime, str]]]()
        query = sa.select(ATTEMPT.c.account, ATTEMPT.c.at, ATTEMPT.c.remote).where(
            ATTEMPT.c.account.in_(by_key), ATTEMPT.c.at > self._clock.now() - self._window
        )
        with self._control.read() as reader:
            rows = reader.execute(query.order_by(ATTEMPT.c.at)).all()
        for row in rows:
            found.setdefault(by_key[row.account], []).append((row.at, row.remote))
        told = {}
        for address, tries in found.items():
            most, last = max(Counter(remote for _, remote in tries).values()), tries[-1][0]
            locked = most >= limits.lock_failures or len(tries) >= limits.lock_everywhere_failures
            told[address] = Trouble(len(tries), last, last + self._window if locked else None)
        return told

    def unlock(self, address: str) -> None:
        """Forget the failed sign-ins of an account: it may be tried again."""
        with self._control.write() as writer:
            writer.execute(sa.delete(ATTEMPT).where(ATTEMPT.c.account == _digest(fold_address(address))))

    def set_active(self, id: UUID, active: bool) -> None:
        """Let an identity sign in, or no more; its sessions end with the next request."""
        self._update(id, active=active)

    def get(self, id: UUID) -> Identity:
        """The identity of this id. Raises NotFound."""
        return self._one(IDENTITY.c.id == id, str(id))

    def find(self, address: str) -> Identity:
        """The identity of this address. Raises NotFound: for administrators, never at the sign-in."""
        folded = fold_address(address)
        return self._one(IDENTITY.c.address == folded, folded)

    def _one(self, which: sa.ColumnElement[bool], said: str) -> Identity:
        with self._control.read() as reader:
            row = reader.execute(sa.select(IDENTITY).where(which)).one_or_none()
        if row is None:
            raise NotFound.of("identity.not_found", address=said)
        return Identity(row.id, row.address, row.active)

    def _update(self, id: UUID, **values: Any) -> None:
        with self._control.write() as writer:
            if not writer.execute(sa.update(IDENTITY).where(IDENTITY.c.id == id).values(**values)).rowcount:
                raise NotFound.of("identity.not_found", address=str(id))

    def _register_attempt(self, account: str, remote: str) -> UUID:
        """Count first, check later: a hundred attempts at once are still a hundred."""
        now, id, limits = self._clock.now(), self._ids.new(), self._limits
        most = limits.sign_ins_per_minute
        by_account, by_remote = ATTEMPT.c.account == account, ATTEMPT.c.remote == remote
        in_minute = ATTEMPT.c.at > now - _MINUTE
        with self._control.write() as writer:

            def count(*which: sa.ColumnElement[bool]) -> int:
                query = sa.select(sa.func.count()).select_from(ATTEMPT).where(*which)
                return int(writer.execute(query).scalar_one())

            for key in sorted({account, remote}):
                writer.alone(key)
            writer.execute(sa.delete(ATTEMPT).where(ATTEMPT.c.at <= now - self._window))
            if (
                count(by_account, by_remote) >= limits.lock_failures
                or count(by_account) >= limits.lock_everywhere_failures
            ):
                raise LimitReached.at(
                    "sign_in.locked", "lock_failures", limits.lock_failures, minutes=limits.lock_minutes
                )
            if count(by_account, in_minute) >= most or count(by_remote, in_minute) >= most:
                raise LimitReached.at("sign_in.too_many", "sign_ins_per_minute", most)
            writer.execute(sa.insert(ATTEMPT), {"id": id, "account": account, "remote": remote, "at": now})
        return id

    def _is_right(self, known: str, password: str) -> bool:
        try:
            with self._turn():
                return self._hasher.verify(known, password[: _LONGEST_PASSWORD + 1])
        except (VerificationError, InvalidHashError):
            return False

    def _hash(self, password: str) -> str:
        with self._turn():
            return self._hasher.hash(password)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._checks.acquire(timeout=self._limits.write_wait_seconds):
            raise Unavailable.of("sign_in.busy")
        try:
            yield
        finally:
            self._checks.release()

    def _hash_of_nobody(self) -> str:
        if self._nobody is None:
            self._nobody = self._hasher.hash(self._ids.new().hex)
        return self._nobody

    def _faults_of_password(self, password: str, address: str) -> list[Fault]:
        place, least = Place(field="password"), self._limits.password_characters
        if len(password) < least:
            return [Fault("identity.password_short", {"least": least}, place)]
        if len(password) > _LONGEST_PASSWORD:
            return [Fault("identity.password_long", {"most": _LONGEST_PASSWORD}, place)]
        if is_common(password, address):
            return [Fault("identity.password_simple", {}, place)]
        return []


def _faults_of_address(folded: str) -> list[Fault]:
    good = 2 <= len(folded) <= 254 and folded.isprintable() and not any(each.isspace() for each in folded)
    return [] if good else [Fault("identity.address", {}, Place(field="address"))]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
