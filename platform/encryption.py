"""Encryption of values at rest: keys of the operator, newest first, so that they can be changed.

Values are sealed with the first key and opened with any. The key that is derived from the installation's
secret always stands last: it opens what was sealed before the operator gave keys of their own.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from tabwright.platform.errors import Invalid

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

NAME = "TABWRIGHT_ENCRYPTION_KEYS"
_KEY_BYTES = 32


class Keys:
    """Seals and opens texts. ``given`` are Fernet keys (32 bytes, URL-safe base64).

    Raises Invalid (``settings.encryption_keys``) for a key that is none.
    """

    def __init__(self, given: Sequence[str], secret: str) -> None:
        for key in given:
            try:
                size = len(base64.urlsafe_b64decode(key))
            except (binascii.Error, ValueError):
                size = 0
            if size != _KEY_BYTES:
                raise Invalid.of("settings.encryption_keys", name=NAME)
        self._given = tuple(given)
        self._secret = secret

    @cached_property
    def _keys(self) -> MultiFernet:
        # Imported by the first value that is sealed: 6 MB that most installations do without.
        from cryptography.fernet import Fernet, MultiFernet
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        derived = HKDF(SHA256(), _KEY_BYTES, None, b"tabwright values at rest").derive(self._secret.encode())
        own = base64.urlsafe_b64encode(derived).decode()
        return MultiFernet([Fernet(key) for key in (*self._given, own)])

    def mark(self, text: str) -> str:
        """A mark that nobody makes without the secret: 32 hexadecimal digits, the same for the same text."""
        return hmac.new(b"tabwright marks " + self._secret.encode(), text.encode(), "sha256").hexdigest()[:32]

    def seal(self, text: str) -> str:
        """The text as cipher text, another one each time."""
        return self._keys.encrypt(text.encode()).decode()

    def open(self, token: str) -> str | None:
        """The text of a cipher text; None where no key opens it."""
        from cryptography.fernet import InvalidToken

        try:
            return self._keys.decrypt(token.encode()).decode()
        except InvalidToken:
            return None
