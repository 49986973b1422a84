"""Who is acting: a frozen value that every service takes as an argument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

Kind = Literal["user", "system"]

SYSTEM_ID = UUID(int=0)
_ALWAYS = ("id", "revision")  # what a record is addressed by
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TokenScope:
    """What a token was narrowed to: an AND with the person's rights, never an OR.

    ``objects`` maps an object's name or "*" to operations; ``system`` names the system rights it keeps;
    ``fields`` maps an object's name to the only fields of it that the token may know, beside id and revision.
    """

    objects: tuple[tuple[str, frozenset[str]], ...] = ()
    system: frozenset[str] = frozenset()
    fields: tuple[tuple[str, frozenset[str]], ...] = ()

    @staticmethod
    def parse(scope: Mapping[str, Any] | None) -> TokenScope | None:
        """The stored JSON form, ``{"objects": {"account": ["read"]}, "fields": {"account": ["name"]},
        "system": [...]}``; none: unlimited.
        """
        if not scope:
            return None
        return TokenScope(
            _lists(scope.get("objects")), frozenset(scope.get("system") or ()), _lists(scope.get("fields"))
        )

    def operations(self, object: str) -> frozenset[str]:
        named = dict(self.objects)
        return named.get(object, named.get("*", frozenset()))

    def knows(self, object: str, field: str) -> bool:
        """Whether the token may know a field of an object, as far as its fields were narrowed."""
        allowed = dict(self.fields).get(object)
        return allowed is None or field in _ALWAYS or field in allowed

    def to_json(self) -> dict[str, Any]:
        """The form that ``parse`` reads."""
        return {
            "objects": {name: sorted(rights) for name, rights in self.objects},
            "system": sorted(self.system),
            "fields": {name: sorted(fields) for name, fields in self.fields},
        }


def _lists(given: Mapping[str, Any] | None) -> tuple[tuple[str, frozenset[str]], ...]:
    return tuple(sorted((str(name), frozenset(words)) for name, words in (given or {}).items()))


@dataclass(frozen=True, slots=True)
class Principal:
    """``permission_sets`` are uids, sorted. ``groups`` are all that the user belongs to, the user itself
    first; ``keys`` how sharing rules name them; ``positions`` those that the user holds; ``queues`` what the
    user may do with the records of each queue. ``loaded_at``: the moment whose shares and assignments count.
    """

    user_id: UUID
    name: str
    language: str = "en"
    zone: str = "UTC"
    kind: Kind = "user"
    permission_sets: tuple[str, ...] = ()
    token_scope: TokenScope | None = None
    groups: tuple[UUID, ...] = ()
    keys: frozenset[str] = frozenset()
    positions: tuple[UUID, ...] = ()
    queues: tuple[tuple[UUID, int], ...] = ()
    loaded_at: datetime = field(default=_BEGINNING, compare=False)

    @staticmethod
    def system(language: str = "en", zone: str = "UTC") -> Principal:
        """The platform itself, acting on behalf of a rule, a job or the installer."""
        return Principal(SYSTEM_ID, "system", language, zone, kind="system")


def person_of(principal: Principal) -> Mapping[str, Any]:
    """What ``$user`` names: the principal."""
    if principal.kind == "system":
        return {}
    return {
        "id": principal.user_id,
        "name": principal.name,
        "language": principal.language,
        "zone": principal.zone,
    }
