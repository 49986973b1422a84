"""What the records that name a record are called in formulas: by the object of the children, or in full with
the lookup (decision 0030).

``contact.account`` are the contacts of an account. ``contact`` alone means the same while no other lookup of
contacts names accounts and accounts have no field of that name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar


class Lookup(Protocol):
    """A reference field, of a document or of the model."""

    @property
    def object(self) -> str: ...

    @property
    def name(self) -> str: ...


L = TypeVar("L", bound=Lookup)

BY_OWNER = "owner"  # the records of a person: the one system field that is a relation


def chosen(path: tuple[str, ...], lookups: Iterable[L], is_field: Callable[[str], bool]) -> L | None:
    """Which of the lookups that name an object a path stands for; None for none, or for several."""
    if len(path) == 2:
        return next((each for each in lookups if (each.object, each.name) == path), None)
    if len(path) != 1 or is_field(path[0]):
        return None
    found = [each for each in lookups if each.object == path[0] and each.name != BY_OWNER]
    return found[0] if len(found) == 1 else None


def names(lookups: Iterable[L], is_field: Callable[[str], bool]) -> list[str]:
    """The shortest name of each relation, in the order of the lookups."""
    known = list(lookups)
    found = []
    for each in known:
        short = chosen((each.object,), known, is_field)
        found.append(each.object if short is each else f"{each.object}.{each.name}")
    return found
