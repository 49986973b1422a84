"""The second factor: codes of an authenticator app (RFC 6238), each accepted once, and recovery codes.

The shared secret is sealed, recovery codes are hashed. Wrong codes are counted on the factor itself, whoever
sends them from wherever: after too many it is closed until somebody who may opens it.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.clock import Clock
from tabwright.platform.database import Store, Writer
from tabwright.platform.encryption import Keys
from tabwright.platform.errors import Conflict, Invalid, LimitReached, Place
from tabwright.platform.settings import Limits
from tabwright.platform.tables import CONTROL, CodeText, Instant, Uuid

FACTOR = sa.Table(
    "second_factor",
    CONTROL,
    sa.Column("identity_id", Uuid, primary_key=True),
    sa.Column("sealed", CodeText, nullable=False),
    sa.Column("confirmed_at", Instant),
    sa.Column("last_step", sa.BigInteger, nullable=False),  # of the code accepted last
    sa.Column("failures", sa.Integer, nullable=False),  # wrong codes since the last right one
)
RECOVERY = sa.Table(
    "recovery_code",
    CONTROL,
    sa.Column("identity_id", Uuid, primary_key=True),
    sa.Column("hash", CodeText, primary_key=True),
)
ISSUER = "Tabwright"
STEP_SECONDS = 30
_CODES = 10
_ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"  # 32 characters, none that looks like another
_CODE_CHARACTERS = 16  # 80 random bits: a plain hash cannot be guessed back
_PLACE = Place(field="code")


@dataclass(frozen=True, slots=True)
class Factor:
    """An identity's second factor, as far as others may know it."""

    confirmed_at: datetime | None
    failures: int
    codes_left: int


class SecondFactors:
    """The second factors of the installation whose control store this is."""

    def __init__(self, control: Store, clock: Clock, limits: Limits, keys: Keys) -> None:
        self._control = control
        self._clock = clock
        self._keys = keys
        self._most = limits.second_factor_failures

    def of(self, identity_id: UUID) -> Factor | None:
        """The confirmed factor of an identity, or None."""
        left = sa.select(sa.func.count()).where(RECOVERY.c.identity_id == identity_id).scalar_subquery()
        query = sa.select(FACTOR.c.confirmed_at, FACTOR.c.failures, left).where(
            FACTOR.c.identity_id == identity_id, FACTOR.c.confirmed_at.is_not(None)
        )
        with self._control.read() as reader:
            row = reader.execute(query).one_or_none()
        return None if row is None else Factor(*tuple(row))

    def confirmed(self, identity_ids: Iterable[UUID]) -> frozenset[UUID]:
        """Those of some identities that have a factor in force."""
        query = sa.select(FACTOR.c.identity_id).where(
            FACTOR.c.identity_id.in_(list(identity_ids)), FACTOR.c.confirmed_at.is_not(None)
        )
        with self._control.read() as reader:
            return frozenset(reader.execute(query).scalars())

    def is_closed(self, identity_id: UUID) -> bool:
        """Whether no more codes of an identity are taken."""
        found = self.of(identity_id)
        return found is not None and found.failures >= self._most

    def begin(self, identity_id: UUID) -> str:
        """The secret for an app, in base 32: the same until it is confirmed. Raises Conflict
        (``factor.there``) where one is confirmed.
        """
        with self._control.write() as writer:
            row = self._row(writer, identity_id)
            if row is not None and row.confirmed_at is not None:
                raise Conflict.of("factor.there")
            known = self._keys.open(row.sealed) if row is not None else None
            if known is not None:
                return known
            secret = _new_secret()
            writer.execute(sa.delete(FACTOR).where(FACTOR.c.identity_id == identity_id))
            writer.execute(
                sa.insert(FACTOR),
                {
                    "identity_id": identity_id, "sealed": self._keys.seal(secret), "confirmed_at": None,
                    "last_step": 0, "failures": 0,
                },
            )  # fmt: skip
        return secret

    def confirm(self, identity_id: UUID, code: str) -> list[str]:
        """Put the factor in force with a code of the app: the recovery codes, shown this once.

        Raises Invalid (``factor.wrong``), Conflict (``factor.there``).
        """
        self.begin(identity_id)
        with self._control.write() as writer:
            row = self._row(writer, identity_id)
            step = self._step(row, code)
            if row is None or row.confirmed_at is not None or step is None:
                raise Invalid.of("factor.wrong", _PLACE)
            self._set(writer, identity_id, confirmed_at=self._clock.now(), last_step=step, failures=0)
            return _new_codes(writer, identity_id)

    def accept(self, identity_id: UUID, code: str) -> None:
        """Take a code of the app, or a recovery code: each once. Does nothing without a factor.

        Raises Invalid (``factor.wrong``), LimitReached (``factor.closed``) after too many wrong ones.
        """
        wrong = False
        with self._control.write() as writer:
            row = self._row(writer, identity_id)
            if row is None or row.confirmed_at is None:
                return
            if row.failures >= self._most:
                raise LimitReached.at("factor.closed", "second_factor_failures", self._most)
            step = self._step(row, code)
            if step is not None:
                self._set(writer, identity_id, last_step=step, failures=0)
            elif _take_recovery(writer, identity_id, code):
                self._set(writer, identity_id, failures=0)
            else:
                wrong = True
                self._set(writer, identity_id, failures=row.failures + 1)
        if wrong:
            raise Invalid.of("factor.wrong", _PLACE)

    def new_codes(self, identity_id: UUID) -> list[str]:
        """Ten recovery codes in place of those that were left; none without a factor."""
        with self._control.write() as writer:
            row = self._row(writer, identity_id)
            return [] if row is None or row.confirmed_at is None else _new_codes(writer, identity_id)

    def remove(self, identity_id: UUID) -> bool:
        """Take the factor away; whether there was one in force."""
        with self._control.write() as writer:
            row = self._row(writer, identity_id)
            writer.execute(sa.delete(RECOVERY).where(RECOVERY.c.identity_id == identity_id))
            writer.execute(sa.delete(FACTOR).where(FACTOR.c.identity_id == identity_id))
        return row is not None and row.confirmed_at is not None

    def unlock(self, identity_id: UUID) -> None:
        """Let codes be tried again."""
        with self._control.write() as writer:
            self._set(writer, identity_id, failures=0)

    def _row(self, writer: Writer, identity_id: UUID) -> sa.Row[Any] | None:
        writer.alone(f"factor {identity_id.hex}")
        return writer.execute(sa.select(FACTOR).where(FACTOR.c.identity_id == identity_id)).one_or_none()

    def _set(self, writer: Writer, identity_id: UUID, **values: Any) -> None:
        writer.execute(sa.update(FACTOR).where(FACTOR.c.identity_id == identity_id).values(**values))

    def _step(self, row: sa.Row[Any] | None, code: str) -> int | None:
        """The step of time whose code this is: of now, or a step beside it, and later than the last one."""
        given = "".join(code.split())
        secret = self._keys.open(str(row.sealed)) if row is not None else None
        if row is None or secret is None or not given.isascii():
            return None
        now = int(self._clock.now().timestamp()) // STEP_SECONDS
        found = None
        for step in (now - 1, now, now + 1):
            if hmac.compare_digest(code_at(secret, step), given) and step > row.last_step:
                found = step
        return found


def code_at(secret: str, step: int) -> str:
    """The six digits of a step of time (RFC 6238 with SHA-1, what every app speaks)."""
    from pyotp import TOTP

    return TOTP(secret).generate_otp(step)


def uri_of(secret: str, address: str) -> str:
    """What the QR code says to an app."""
    from pyotp import TOTP

    return TOTP(secret).provisioning_uri(name=address, issuer_name=ISSUER)


def _new_secret() -> str:
    from pyotp import random_base32

    return random_base32()


def _new_codes(writer: Writer, identity_id: UUID) -> list[str]:
    made = ["".join(secrets.choice(_ALPHABET) for _ in range(_CODE_CHARACTERS)) for _ in range(_CODES)]
    writer.execute(sa.delete(RECOVERY).where(RECOVERY.c.identity_id == identity_id))
    for each in made:
        writer.execute(sa.insert(RECOVERY), {"identity_id": identity_id, "hash": _hash(each)})
    return ["-".join(each[at : at + 4] for at in range(0, _CODE_CHARACTERS, 4)) for each in made]


def _take_recovery(writer: Writer, identity_id: UUID, code: str) -> bool:
    given = "".join(each for each in code.casefold() if each.isalnum())
    which = (RECOVERY.c.identity_id == identity_id, RECOVERY.c.hash == _hash(given))
    return len(given) == _CODE_CHARACTERS and writer.execute(sa.delete(RECOVERY).where(*which)).rowcount == 1


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()
