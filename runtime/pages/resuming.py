"""A form that was sent after its session had ended: nothing typed is lost (UX61).

The form travels inside the sign-in page and comes back filled in after it; the server keeps nothing. A form
says whose it is by a mark that only we can make (``whose``), so it opens for the same person in the same
tenant only, and no other site can bring one in.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from werkzeug.datastructures import MultiDict

from tabwright.platform.csrf import CSRF_FIELD
from tabwright.platform.settings import Settings

WHOSE_FIELD = "_for"
_KEPT = "_kept"  # in the sign-in form: where the kept form goes; "_kept.<input>" are its inputs
_NOT_KEPT = (CSRF_FIELD, "_then", WHOSE_FIELD)


@dataclass(frozen=True, slots=True)
class Kept:
    """A form to go on with: where it is posted to (as the browser said it), whose it is, its inputs."""

    action: str
    whose: str
    inputs: tuple[tuple[str, str], ...]

    def for_door(self) -> tuple[tuple[str, str], ...]:
        """As hidden inputs of the sign-in form."""
        inside = tuple((f"{_KEPT}.{name}", value) for name, value in self.inputs)
        return ((_KEPT, self.action), (WHOSE_FIELD, self.whose), *inside)


def whose(settings: Settings, identity_id: UUID, tenant_id: UUID) -> str:
    """The mark of one person's forms in one tenant."""
    said = f"form {identity_id.hex} {tenant_id.hex}".encode()
    return hmac.new(settings.secret.encode(), said, hashlib.sha256).hexdigest()


def posted(path: str, form: MultiDict[str, str]) -> Kept | None:
    """The record form that was posted to ``path``; None where it is none that can be opened again."""
    if WHOSE_FIELD not in form or "_was" not in form:
        return None
    inputs = tuple((name, value) for name, value in form.items(multi=True) if name not in _NOT_KEPT)
    return Kept(path, form[WHOSE_FIELD], inputs)


def at_door(form: MultiDict[str, str]) -> Kept | None:
    """What a sign-in form carries along."""
    if _KEPT not in form:
        return None
    inside = (
        (name.removeprefix(_KEPT + "."), value)
        for name, value in form.items(multi=True)
        if name.startswith(_KEPT + ".")
    )
    inputs = tuple((name, value) for name, value in inside if name not in _NOT_KEPT)
    return Kept(form[_KEPT], form.get(WHOSE_FIELD, ""), inputs)
