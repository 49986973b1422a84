"""The ways to see an object's records beside the table: boards and calendars, as their addresses say them.

What such a page shows is a handful of texts, so that its address, a saved view and a form all hold the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlencode

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.runtime.pages.list_state import legible
from tabwright.runtime.personal.views import SavedView, Way

KEYS: Final[Mapping[Way, tuple[str, ...]]] = {
    "table": (),
    "board": ("where", "by", "sum", "order", "limits"),
    "calendar": ("where", "start", "end", "mode"),
}
_NAMING: Final = ("by", "sum", "start", "end")  # keys that hold the name of a field
_MOST: Final = 4_000  # characters of one text


@dataclass(frozen=True, slots=True)
class ViewTab:
    label: str
    href: str
    current: bool
    is_shared: bool
    icon: str = ""


@dataclass(frozen=True, slots=True)
class WayLink:
    """One of table, board and calendar; ``href`` keeps the filter."""

    way: Way
    href: str
    icon: str
    current: bool


_ICONS: Final[Mapping[Way, str]] = {"table": "table", "board": "layout-kanban", "calendar": "calendar"}


@dataclass(frozen=True, slots=True)
class WayState:
    """What an address asks a board or calendar for: the view's texts, the address's own in their place."""

    object: ObjectDef
    way: Way
    view: SavedView | None
    base: Mapping[str, str]
    own: Mapping[str, str]

    def get(self, key: str) -> str:
        """One text; "" where neither the address nor the view says it."""
        return self.own.get(key, self.base.get(key, ""))

    @property
    def is_changed(self) -> bool:
        """Whether it shows something else than its view."""
        return any(self.get(key) != self.base.get(key, "") for key in KEYS[self.way])

    def showing(self, **given: str) -> WayState:
        """The same state with what it came to mean, such as the field that stands where none was named."""
        told = {key: value for key, value in given.items() if self.get(key) != value}
        return replace(self, own={**self.own, **told})

    def href(self, **given: str) -> str:
        """The address of this state with these texts in place of its own."""
        texts = {key: self.get(key) for key in KEYS[self.way]} | given
        kept = {key: value for key, value in texts.items() if value != self.base.get(key, "")}
        if self.view is not None:
            kept = {"view": self.view.id.hex, **kept}
        return _address(self.object, self.way, kept)

    def pairs(self) -> tuple[tuple[str, str], ...]:
        """What a form that saves the view sends."""
        return (("way", self.way), *((key, self.get(key)) for key in KEYS[self.way]))


def _address(object: ObjectDef, way: Way, params: Mapping[str, str]) -> str:
    at = f"/o/{object.name}" + ("" if way == "table" else f"/{way}")
    return at + ("?" + urlencode(params) if params else "")


def way_body(way: Way, texts: Mapping[str, str]) -> dict[str, str]:
    """What a saved view of this way keeps of the texts of a form or an address."""
    return {key: texts[key].strip()[:_MOST] for key in KEYS[way] if texts.get(key, "").strip()}


def read_way(object: ObjectDef, way: Way, saved: Iterable[SavedView], args: Mapping[str, str]) -> WayState:
    """Read an address: ``view`` names a saved one, the rest stands in place of its texts."""
    key = args.get("view", "").replace("-", "").lower()
    view = next((each for each in saved if each.way == way and each.id.hex == key), None)
    body = {} if view is None else way_body(way, {k: str(v) for k, v in view.body.items()})
    own = {key: args[key].strip()[:_MOST] for key in KEYS[way] if key in args}
    return WayState(object, way, view, body, own)


def view_href(object: ObjectDef, view: SavedView) -> str:
    """Where a saved view opens."""
    return _address(object, view.way, {"view": view.id.hex})


def other_tabs(
    object: ObjectDef,
    saved: Iterable[SavedView],
    known: Callable[[str], bool],
    current: SavedView | None = None,
) -> tuple[ViewTab, ...]:
    """The saved boards and calendars for the view bar. One that names a field which this person may not read
    would show its name, and is left out.
    """
    return tuple(
        ViewTab(each.name, view_href(object, each), each is current, each.shared, _ICONS[each.way])
        for each in saved
        if each.way != "table" and _is_open(each, known)
    )


def _is_open(view: SavedView, known: Callable[[str], bool]) -> bool:
    body = way_body(view.way, {k: str(v) for k, v in view.body.items()})
    named = [body[key] for key in _NAMING if body.get(key) not in (None, "-")]
    return all(known(name) for name in named) and legible(body.get("where", ""), known)


def boardable(fields: Iterable[FieldDef]) -> tuple[FieldDef, ...]:
    """The fields that may make a board's columns."""
    return tuple(each for each in fields if each.type == "picklist" and each.picklist is not None)


def datable(fields: Iterable[FieldDef]) -> tuple[FieldDef, ...]:
    """The fields by which a calendar may place records."""
    return tuple(each for each in fields if each.type in ("date", "datetime"))


def ways_of(object: ObjectDef, readable: Iterable[FieldDef], where: str, current: Way) -> tuple[WayLink, ...]:
    """The ways that this object can be seen in by this person, under the same filter."""
    fields = tuple(readable)
    params = {"where": where} if where else {}
    found: list[Way] = ["table"]
    if boardable(fields):
        found.append("board")
    if datable(fields):
        found.append("calendar")
    return tuple(WayLink(way, _address(object, way, params), _ICONS[way], way == current) for way in found)
