"""Favourites: records and views that a person keeps at hand, in an order of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from tabwright.platform.errors import Invalid, LimitReached
from tabwright.runtime.desk import Call
from tabwright.runtime.personal.settings import Key, Personal, is_strings

MOST: Final = 20
_MOST_KEY: Final = 200
# Each is "record:<uid of the object>:<id>" or "view:<uid of the object>:<key of the view>".
FAVOURITES: Final = Key("favourites", [], lambda value: is_strings(value, MOST, _MOST_KEY))


@dataclass(frozen=True, slots=True)
class Favourite:
    """One of them: ``what`` is record or view; ``key`` the record's id in hex, or the view's key."""

    what: str
    object_uid: str
    key: str

    @property
    def text(self) -> str:
        """As it is kept, and as forms name it."""
        return f"{self.what}:{self.object_uid}:{self.key}"

    @property
    def record_id(self) -> UUID | None:
        return UUID(self.key) if self.what == "record" else None


def read_favourite(text: str) -> Favourite:
    """The favourite that a text names. Raises Invalid."""
    what, _, rest = text.partition(":")
    uid, _, key = rest.partition(":")
    if what not in ("record", "view") or not uid or not key or len(text) > _MOST_KEY:
        raise Invalid.of("favourite.bad", text=text[:40])
    if what == "record":
        try:
            key = UUID(key).hex
        except ValueError:
            raise Invalid.of("favourite.bad", text=text[:40]) from None
    return Favourite(what, uid, key)


def favourites_of(value: Any) -> tuple[Favourite, ...]:
    """A stored value as favourites; what no longer makes sense is left out."""
    found = []
    for each in value if FAVOURITES.fits(value) else ():
        try:
            found.append(read_favourite(each))
        except Invalid:
            continue
    return tuple(dict.fromkeys(found))


class Favourites:
    """The favourites of the person who calls."""

    def __init__(self, call: Call) -> None:
        self._personal = Personal(call)

    def all(self) -> tuple[Favourite, ...]:
        return favourites_of(self._personal.get(FAVOURITES))

    def add(self, favourite: Favourite) -> None:
        """Put one last. Raises LimitReached."""
        known = self.all()
        if favourite in known:
            return
        if len(known) >= MOST:
            raise LimitReached.of("favourite.too_many", most=MOST)
        self._keep((*known, favourite))

    def remove(self, favourite: Favourite) -> None:
        """Take one away; nothing happens where it is none."""
        self._keep([each for each in self.all() if each != favourite])

    def arrange(self, wanted: Sequence[Favourite]) -> None:
        """Put them into this order: those not named follow as they were, what is unknown is left out."""
        known = self.all()
        first = [each for each in dict.fromkeys(wanted) if each in known]
        self._keep([*first, *(each for each in known if each not in first)])

    def move(self, favourite: Favourite, by: int) -> None:
        """Move one up (-1) or down (1)."""
        known = list(self.all())
        if favourite not in known:
            return
        at = known.index(favourite)
        known.insert(max(0, min(at + by, len(known) - 1)), known.pop(at))
        self._keep(known)

    def _keep(self, favourites: Sequence[Favourite]) -> None:
        self._personal.put(FAVOURITES, [each.text for each in favourites])
