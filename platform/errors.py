"""The one family of errors that a person or a program outside can cause (decision 0012).

An error holds one or more faults; a fault holds a stable code, its parameters and its place, never a text:
texts stand in each room's ``messages.json`` and are found by ``language.say_fault``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import ClassVar, Self, TypeAlias

Param: TypeAlias = str | int | Decimal | date | datetime | None


class Said(str):
    """A parameter that is itself the code of a message, and is told in the reader's language."""

    __slots__ = ()


_NOTHING: Mapping[str, Param] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Place:
    """Where a fault is, as far as it is known. ``row`` counts from 1; ``line`` and ``column`` too."""

    component: str | None = None  # "<kind>/<name>"
    object: str | None = None
    record: str | None = None
    field: str | None = None
    rule: str | None = None
    step: str | None = None
    row: int | None = None
    pointer: str | None = None  # JSON pointer (RFC 6901)
    line: int | None = None
    column: int | None = None
    end: int | None = None  # column after the last character

    def known(self) -> dict[str, str | int]:
        """Only what is known, in the order above."""
        return {each.name: value for each in fields(self) if (value := getattr(self, each.name)) is not None}


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: a stable code such as ``record.not_found``, what it is about, and where."""

    code: str
    params: Mapping[str, Param] = field(default_factory=lambda: _NOTHING)
    place: Place = NOWHERE


class TabwrightError(Exception):
    """What every room raises when it refuses; ``status`` is its HTTP status."""

    status: ClassVar[int] = 500

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        if not self.faults:
            raise ValueError("an error needs at least one fault")
        super().__init__(", ".join(fault.code for fault in self.faults[:5]))

    @classmethod
    def of(cls, code: str, /, place: Place = NOWHERE, **params: Param) -> Self:
        """The error with one fault: ``NotFound.of("record.not_found", object="account")``."""
        return cls((Fault(code, params, place),))

    @property
    def code(self) -> str:
        """The code of the first fault."""
        return self.faults[0].code


class Malformed(TabwrightError):
    """The request cannot be read: broken JSON, unknown parameter, bad cursor."""

    status = 400


class Unauthenticated(TabwrightError):
    """Nobody is signed in, or the session or token is no longer good."""

    status = 401


class Denied(TabwrightError):
    """Signed in, but may not. Says nothing about what exists."""

    status = 403


class NotFound(TabwrightError):
    """Does not exist, or may not be known to exist: the same answer."""

    status = 404


class Conflict(TabwrightError):
    """A unique rule, a concurrent publish, a revision that differs field by field."""

    status = 409


class Unconfirmed(Conflict):
    """Warnings that nobody has let pass; ``confirm`` in the parameters of each fault is what lets it pass."""


class Stale(TabwrightError):
    """The revision that the caller saw is not the present one."""

    status = 412


class TooLarge(TabwrightError):
    """A body or a file is larger than its limit."""

    status = 413


class Invalid(TabwrightError):
    """Values, documents or formulas are wrong; usually many faults at once."""

    status = 422


class LimitReached(TabwrightError):
    """A rate or a quota; every fault carries ``limit`` (its name) and ``value``."""

    status = 429

    @classmethod
    def at(cls, code: str, limit: str, value: int, /, place: Place = NOWHERE, **params: Param) -> Self:
        """The error that quotes its limit."""
        return cls((Fault(code, {"limit": limit, "value": value, **params}, place),))


class Failed(TabwrightError):
    """Our own failure; ``id`` in the parameters is what a person may quote."""

    status = 500


class Unavailable(TabwrightError):
    """Busy, starting, waiting for a lock: try again in ``retry_after`` seconds."""

    status = 503
    retry_after: int = 1


class StorageFull(TabwrightError):
    """The disk is full."""

    status = 507


class LockTimeout(Unavailable):
    """A lock was not had in time; the whole transaction may be tried again."""


class Deadlock(LockTimeout):
    """Two transactions waited for each other, and this one gave way: it may be begun again at once."""


class UniqueViolation(Conflict):
    """The database refused a second row under one unique key.

    ``index`` is the physical name of the index, which runtime.storage resolves to the rule.
    """

    def __init__(self, faults: Iterable[Fault], index: str = "") -> None:
        super().__init__(faults)
        self.index = index

    @classmethod
    def on(cls, index: str) -> UniqueViolation:
        """The violation of one index."""
        return cls((Fault("database.unique", {"index": index}),), index)
