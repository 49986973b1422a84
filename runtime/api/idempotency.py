"""Idempotency-Key: a POST that is sent again is answered again, and has one effect (R24).

A claim row is written before the effect and the answer after it. When a process dies between the two, the
claim's request id tells from the journal whether the effect was committed: then a retry is told so, otherwise
the retry takes the claim over. Keys belong to one principal and are kept for 72 hours.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.platform.database import Writer
from tabwright.platform.errors import Conflict, Invalid, Malformed
from tabwright.platform.tables import TENANT, CodeText, Instant, Json, Uuid
from tabwright.runtime.api.answers import Answer
from tabwright.runtime.desk import Call
from tabwright.runtime.journal.tables import changes, operations
from tabwright.runtime.storage.columns import encode

KEPT = timedelta(hours=72)
ABANDONED = timedelta(minutes=15)  # longer than any request may run: nobody works on such a claim any more
MAX_KEY = 255
HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"

KEYS = sa.Table(
    "idempotency_key",
    TENANT,
    sa.Column("principal", Uuid, primary_key=True),
    sa.Column("key", CodeText, primary_key=True),
    sa.Column("digest", CodeText, nullable=False),  # of method, path and body
    sa.Column("request_id", CodeText, nullable=False),
    sa.Column("at", Instant, nullable=False, index=True),
    sa.Column("status", sa.Integer),  # NULL: claimed, not answered
    sa.Column("headers", Json),
    sa.Column("type", CodeText),
    sa.Column("body", sa.LargeBinary),
)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to answer for a key."""

    key: str
    request_id: str


def digest_of(method: str, path: str, body: bytes) -> str:
    """What must be the same when a key is used again."""
    return hashlib.sha256(b"\0".join((method.encode(), path.encode("utf-8", "replace"), body))).hexdigest()


def claim(call: Call, key: str, digest: str) -> Claim | Answer:
    """A claim on the key, or the answer that was given for it.

    Raises Invalid ``api.key_reused`` (another request had it), Conflict ``api.key_running`` (no answer yet).
    """
    if not 1 <= len(key) <= MAX_KEY or not key.isprintable() or not key.isascii():
        raise Malformed.of("api.key_bad", limit=MAX_KEY)
    now = call.clock.now()
    mine = (KEYS.c.principal == call.principal.user_id, KEYS.c.key == key)
    with call.tenant.store.write() as writer:
        found = writer.execute(sa.select(KEYS).where(*mine)).one_or_none()
        if found is not None and found.at <= now - KEPT:
            writer.execute(sa.delete(KEYS).where(*mine))
            found = None
        if found is None:
            writer.execute(
                sa.insert(KEYS),
                {
                    "principal": call.principal.user_id, "key": key, "digest": digest,
                    "request_id": call.request_id, "at": now,
                },
            )  # fmt: skip
            writer.execute(sa.delete(KEYS).where(KEYS.c.at <= now - KEPT))
            return Claim(key, call.request_id)
        if found.digest != digest:
            raise Invalid.of("api.key_reused")
        effect = None if found.status is not None else _effect(writer, found.request_id, found.at)
        if effect is not None:
            # The answer may have come with the effect since the row was read.
            found = writer.execute(sa.select(KEYS).where(*mine)).one()
        if found.status is not None:
            headers: Mapping[str, str] = found.headers or {}
            return Answer(found.status, found.body, {**headers, REPLAYED: "true"}, found.type)
        if effect is not None:
            return Answer(200, encode(effect), {REPLAYED: "true"})
        if found.at > now - ABANDONED:
            raise Conflict.of("api.key_running")
        writer.execute(sa.update(KEYS).where(*mine).values(request_id=call.request_id, at=now))
        return Claim(key, call.request_id)


def answered(call: Call, claim: Claim, answer: Answer) -> None:
    """Keep the answer for the key; one that failed for our own reasons gives the key back."""
    with call.tenant.store.write() as writer:
        if answer.status >= 500 or answer.status == 429:
            writer.execute(sa.delete(KEYS).where(_mine(call, claim)))
        else:
            keep(writer, call, claim, answer)


def keep(writer: Writer, call: Call, claim: Claim, answer: Answer) -> None:
    """Keep the answer in the transaction of the effect; a handler that can does this itself."""
    kept = {
        "status": answer.status,
        "headers": dict(answer.headers),
        "type": answer.type,
        "body": answer.body,
    }
    unanswered = KEYS.c.status.is_(None)
    writer.execute(sa.update(KEYS).where(_mine(call, claim), unanswered).values(**kept))


def _mine(call: Call, claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(
        KEYS.c.principal == call.principal.user_id,
        KEYS.c.key == claim.key,
        KEYS.c.request_id == claim.request_id,
    )


def _effect(writer: Writer, request_id: str, at: datetime) -> dict[str, Any] | None:
    # Operation ids begin with their time, so the look-up reads only those since the claim.
    least = UUID(int=max(0, int((at - timedelta(minutes=1)).timestamp() * 1000)) << 80)
    found = writer.execute(
        sa.select(operations.c.id)
        .where(operations.c.id >= least, operations.c.request_id == request_id)
        .order_by(operations.c.id)
        .limit(1)
    ).scalar_one_or_none()
    if found is None:
        return None
    rows = writer.execute(
        sa.select(changes.c.record_id, changes.c.revision, changes.c.action)
        .where(changes.c.operation_id == found)
        .order_by(changes.c.record_id)
        .limit(10_000)
    ).all()
    return {
        "operation": found.hex,
        "results": [
            {"id": row.record_id.hex, "revision": row.revision, "action": row.action} for row in rows
        ],
    }
