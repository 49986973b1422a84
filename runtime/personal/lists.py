"""What a person chose about the lists of one object: how wide columns are, which views are pinned, what its
board and calendar opened by last.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tabwright.runtime.personal.settings import Key

MOST_PINS: Final = 12
MOST_SIZED: Final = 12  # views whose columns have widths of this person's; the oldest is forgotten
MOST_COLUMNS: Final = 40
NARROWEST, WIDEST = 48, 1_200
_MOST_KEY: Final = 80
_MOST_PATH: Final = 200
WAY_KEYS: Final = ("by", "sum", "start", "end")


@dataclass(frozen=True, slots=True)
class ListLook:
    """``ways``: the fields last chosen for boards and calendars, by the key in their addresses. ``pins``:
    keys of views, in order. ``widths``: view key -> path -> pixels.
    """

    ways: Mapping[str, str] = field(default_factory=dict)
    pins: tuple[str, ...] = ()
    widths: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    def choosing(self, given: Mapping[str, str]) -> ListLook:
        """With these fields chosen."""
        told = {key: given[key][:_MOST_KEY] for key in WAY_KEYS if given.get(key)}
        return replace(self, ways={**self.ways, **told})

    def pinning(self, key: str, to: int | None) -> ListLook:
        """With a view pinned at a place (from 0; beyond the end is the end); None: not pinned."""
        rest = [each for each in self.pins if each != key]
        if to is not None:
            rest.insert(max(0, to), key)
        return replace(self, pins=tuple(rest))

    def sizing(self, view: str, widths: Mapping[str, int]) -> ListLook:
        """With these widths of a view's columns in place of those it had; none: as it was published."""
        others = [(key, each) for key, each in self.widths.items() if key != view]
        sized = {path: min(max(width, NARROWEST), WIDEST) for path, width in widths.items()}
        kept = [*others, (view, sized)] if sized else others
        return replace(self, widths=dict(kept[-MOST_SIZED:]))

    def as_json(self) -> dict[str, Any]:
        return {
            "ways": dict(self.ways),
            "pins": list(self.pins),
            "widths": {k: dict(w) for k, w in self.widths.items()},
        }


def look_of(value: Any) -> ListLook:
    """A stored value as a look; what no longer makes sense reads as nothing chosen."""
    if not LIST.fits(value):
        return ListLook()
    return ListLook(value.get("ways", {}), tuple(value.get("pins", ())), value.get("widths", {}))


def _fits(value: Any) -> bool:
    if not isinstance(value, dict) or not set(value) <= {"ways", "pins", "widths"}:
        return False
    ways, pins, widths = value.get("ways", {}), value.get("pins", []), value.get("widths", {})
    return (
        _is_texts(ways)
        and isinstance(pins, list)
        and len(pins) <= MOST_PINS
        and all(isinstance(each, str) and 0 < len(each) <= _MOST_KEY for each in pins)
        and isinstance(widths, dict)
        and len(widths) <= MOST_SIZED
        and all(len(key) <= _MOST_KEY and _is_widths(each) for key, each in widths.items())
    )


def _is_texts(value: Any) -> bool:
    return isinstance(value, dict) and all(
        key in WAY_KEYS and isinstance(each, str) and len(each) <= _MOST_KEY for key, each in value.items()
    )


def _is_widths(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= MOST_COLUMNS
        and all(
            isinstance(path, str)
            and 0 < len(path) <= _MOST_PATH
            and isinstance(width, int)
            and not isinstance(width, bool)
            and NARROWEST <= width <= WIDEST
            for path, width in value.items()
        )
    )


# About the uid of an object.
LIST: Final = Key("list", {}, _fits)
