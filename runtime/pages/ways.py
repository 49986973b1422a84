"""The ways to see an object's records beside the table: boards and calendars, as their addresses say them.

What such a page shows is a handful of texts, so that its address, a saved view and a form all hold the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.metadata.ways import boardable, datable
from tabwright.runtime.pages.list_state import legible
from tabwright.runtime.personal.lists import ListLook
from tabwright.runtime.personal.views import SavedView, SavedViews, Way

KEYS: Final[Mapping[Way, tuple[str, ...]]] = {
    "table": (),
    "board": ("where", "by", "sum", "order", "limits", "colours"),
    "calendar": ("where", "start", "end", "mode", "colours"),
}
_NAMING: Final = ("by", "sum", "start", "end")  # keys that hold the name of a field
_MOST: Final = 8_000  # characters of one text


@dataclass(frozen=True, slots=True)
class ViewTab:
    label: str
    href: str
    current: bool
    is_shared: bool
    icon: str = ""
    key: str = ""
    is_pinned: bool = False


@dataclass(frozen=True, slots=True)
class ViewBar:
    """The views of an object: ``shown`` stand in the bar, ``rest`` in its menu. Nothing pinned: all stand in
    the bar; else the pinned ones in their order, and the one that is looked at.
    """

    shown: tuple[ViewTab, ...]
    rest: tuple[ViewTab, ...]

    @property
    def every(self) -> tuple[ViewTab, ...]:
        return (*self.shown, *self.rest)


def view_bar(tabs: Iterable[ViewTab], look: ListLook) -> ViewBar:
    """Put the tabs where this person has pinned them."""
    every = [replace(each, is_pinned=each.key in look.pins) for each in tabs]
    if not any(each.is_pinned for each in every):
        return ViewBar(tuple(every), ())
    pinned = sorted((each for each in every if each.is_pinned), key=lambda each: look.pins.index(each.key))
    others = [each for each in every if not each.is_pinned]
    here = [each for each in others if each.current]
    return ViewBar((*pinned, *here), tuple(each for each in others if not each.current))


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


def remember(
    saved: SavedViews, look: ListLook, state: WayState, meant: Mapping[str, str], usual: Mapping[str, str]
) -> None:
    """Keep the fields that a person has chosen: where an address meant others than the page opens by."""
    told = {key: value for key, value in meant.items() if value != usual.get(key)}
    if state.view is None and told:
        saved.keep(look.choosing(told))


def _address(object: ObjectDef, way: Way, params: Mapping[str, str]) -> str:
    at = f"/o/{object.name}" + ("" if way == "table" else f"/{way}")
    return at + ("?" + urlencode(params) if params else "")


def way_body(way: Way, texts: Mapping[str, str]) -> dict[str, str]:
    """What a saved view of this way keeps of the texts of a form or an address."""
    return {key: texts[key].strip()[:_MOST] for key in KEYS[way] if texts.get(key, "").strip()}


def read_way(
    object: ObjectDef,
    way: Way,
    saved: Iterable[SavedView],
    args: Mapping[str, str],
    chosen: Mapping[str, str] = MappingProxyType({}),
) -> WayState:
    """Read an address: ``view`` names a saved one, the rest stands in place of its texts. ``chosen``: what
    this person chose last, which stands where neither says anything.
    """
    key = args.get("view", "").replace("-", "").lower()
    view = next((each for each in saved if each.way == way and each.id.hex == key), None)
    body = {} if view is None else way_body(way, {k: str(v) for k, v in view.body.items()})
    own = {key: args[key].strip()[:_MOST] for key in KEYS[way] if key in args}
    if view is None:
        own = {**{key: chosen[key] for key in KEYS[way] if key in chosen}, **own}
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
        ViewTab(
            each.name, view_href(object, each), each is current, each.shared, _ICONS[each.way], each.id.hex
        )
        for each in saved
        if each.way != "table" and _is_open(each, known)
    )


def _is_open(view: SavedView, known: Callable[[str], bool]) -> bool:
    body = way_body(view.way, {k: str(v) for k, v in view.body.items()})
    named = [body[key] for key in _NAMING if body.get(key) not in (None, "-")]
    return all(known(name) for name in named) and legible(body.get("where", ""), known)


def ways_of(
    object: ObjectDef, readable: Iterable[FieldDef], where: str, current: Way, colours: str
) -> tuple[WayLink, ...]:
    """The ways that this object can be seen in by this person, under the same filter and colours."""
    fields = tuple(readable)
    params = {key: text for key, text in (("where", where), ("colours", colours)) if text}
    found: list[Way] = ["table"]
    if boardable(fields):
        found.append("board")
    if datable(fields):
        found.append("calendar")
    return tuple(WayLink(way, _address(object, way, params), _ICONS[way], way == current) for way in found)
