"""The token that shows that a request comes from a page of ours: how it is sent, how it stands in a page."""

from __future__ import annotations

import hmac
import secrets

CSRF_HEADER = "X-CSRFToken"  # as scripts send it
CSRF_FIELD = "_csrf"  # as forms send it: no field of an object can be named so


def mask_csrf(token: str) -> str:
    """The token as it stands in one page: never twice the same text, so that how well pages compress tells
    nothing about it (BREACH).
    """
    if not token:
        return ""
    plain = token.encode()
    mask = secrets.token_bytes(len(plain))
    return (mask + bytes(a ^ b for a, b in zip(mask, plain, strict=True))).hex()


def csrf_matches(token: str, given: str) -> bool:
    """Whether ``given`` is ``mask_csrf(token)``, of any page."""
    try:
        raw = bytes.fromhex(given)
    except ValueError:
        return False
    half = len(raw) // 2
    plain = bytes(a ^ b for a, b in zip(raw[:half], raw[half:], strict=False))
    return hmac.compare_digest(plain, token.encode()) and len(raw) == 2 * len(token)
