"""Where a page ended, as an opaque signed text: only the values of fields that the principal ordered by.

A cursor belongs to one tenant, object and order. The key comes from the tenant's id, which never leaves the
server. A forged cursor would gain nothing (its fields are resolved again for whoever brings it); the
signature keeps values from reaching the database that we did not write.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any
from uuid import UUID

import msgspec

from tabwright.platform.errors import Malformed

_SIGNATURE = 16  # bytes


def seal(tenant: UUID, about: str, values: list[Any]) -> str:
    """The cursor text; ``about`` says object and order, ``values`` are plain JSON."""
    body = msgspec.json.encode(values)
    return base64.urlsafe_b64encode(_sign(tenant, about, body) + body).decode().rstrip("=")


def unseal(tenant: UUID, about: str, cursor: str) -> list[Any]:
    """The values that were sealed. Raises Malformed ``query.cursor`` for any other text."""
    try:
        whole = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Malformed.of("query.cursor") from None
    if base64.urlsafe_b64encode(whole).decode().rstrip("=") != cursor:
        raise Malformed.of("query.cursor")  # the same bytes spelled another way
    signature, body = whole[:_SIGNATURE], whole[_SIGNATURE:]
    if not hmac.compare_digest(signature, _sign(tenant, about, body)):
        raise Malformed.of("query.cursor")
    values: list[Any] = msgspec.json.decode(body)
    return values


def _sign(tenant: UUID, about: str, body: bytes) -> bytes:
    key = hashlib.sha256(b"tabwright cursor " + tenant.bytes).digest()
    return hmac.digest(key, about.encode() + b"\0" + body, "sha256")[:_SIGNATURE]
