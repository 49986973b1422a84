"""Encryption of values at rest: keys of the operator, newest first, so that they can be changed.

Values are sealed with the first key and opened with any. The key that is derived from the installation's
secret always stands last: it opens what was sealed before the operator gave keys of their own.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tabwright.platform.errors import Invalid

NAME = "TABWRIGHT_ENCRYPTION_KEYS"


class Keys:
    """Seals and opens texts. ``given`` are Fernet keys (32 bytes, URL-safe base64).

    Raises Invalid (``settings.encryption_keys``) for a key that is none.
    """

    def __init__(self, given: Sequence[str], secret: str) -> None:
        derived = HKDF(SHA256(), 32, None, b"tabwright values at rest").derive(secret.encode())
        try:
            keys = [Fernet(key) for key in given]
        except ValueError:
            raise Invalid.of("settings.encryption_keys", name=NAME) from None
        self._keys = MultiFernet([*keys, Fernet(base64.urlsafe_b64encode(derived))])

    def seal(self, text: str) -> str:
        """The text as cipher text, another one each time."""
        return self._keys.encrypt(text.encode()).decode()

    def open(self, token: str) -> str | None:
        """The text of a cipher text; None where no key opens it."""
        try:
            return self._keys.decrypt(token.encode()).decode()
        except InvalidToken:
            return None
