"""The ways to see an object's records beside the table: boards and calendars, as their addresses say them.

What such a page shows is a handful of texts, so that its address, a saved view and a form all hold the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode

from tabwright.metadata.model import FieldDef, ListViewDef, ObjectDef, label_in
from tabwright.metadata.ways import boardable, datable
from tabwright.platform.language import Language
from tabwright.runtime.desk import Call
from tabwright.runtime.lists.marking import published_rules, rules_text
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.list_state import LISTED, legible
from tabwright.runtime.personal.lists import ListLook
from tabwright.runtime.personal.views import SavedView, SavedViews, Way

KEYS: Final[Mapping[Way, tuple[str, ...]]] = {
    "table": (),
    "board": ("where", "by", "sum", "order", "limits", "colours", "cards"),
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
    is_limited: bool = False  # published, and not for everybody


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


def view_bar(object: ObjectDef, tabs: Iterable[ViewTab], look: ListLook) -> ViewBar:
    """The tabs in the object's order of its views, saved ones after them; or where this person has pinned
    them.
    """
    order = {name: at for at, name in enumerate(object.list_views)}
    arranged = sorted(tabs, key=lambda each: order.get(each.key, len(order)))
    every = [replace(each, is_pinned=each.key in look.pins) for each in arranged]
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
class WayView:
    """A board or calendar as it was published (``key`` is its name) or saved by a person (its id)."""

    key: str
    label: str
    way: Way
    body: Mapping[str, str]
    saved: SavedView | None = None
    is_default: bool = False
    is_limited: bool = False  # published, and not for everybody


@dataclass(frozen=True, slots=True)
class WayState:
    """What an address asks a board or calendar for: the view's texts, the address's own in their place."""

    object: ObjectDef
    way: Way
    view: WayView | None
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
            kept = {"view": self.view.key, **kept}
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


def way_views(
    call: Call, object: ObjectDef, saved: Iterable[SavedView], known: Callable[[str], bool]
) -> tuple[WayView, ...]:
    """The boards and calendars that somebody may choose: published ones, then saved ones.

    One that names a field which this person may not read would show its name, and is left out.
    """
    found = [
        WayView(
            each.name, label_in(each.labels, call.language), each.way,
            published_body(each, call.language), None, each.is_default, each.shown_to is not None,
        )
        for each in call.gate.list_views(object)
        if each.way == "board" or each.way == "calendar"
    ]  # fmt: skip
    found += [
        WayView(each.id.hex, each.name, each.way, way_body(each.way, texts), each)
        for each in saved
        if each.way != "table" and (texts := {k: str(v) for k, v in each.body.items()}) is not None
    ]
    return tuple(each for each in found if _is_open(each, known))


def published_body(view: ListViewDef, language: Language) -> dict[str, str]:
    """A published board or calendar as its address would say it."""
    texts = {"where": view.where.text if view.where else ""}
    if view.way == "board":
        order = ("-" if view.order[0][1] == "desc" else "") + view.order[0][0] if view.order else ""
        texts |= {"by": view.by or "", "sum": view.sum or "-", "order": order, "cards": ",".join(view.cards)}
    else:
        mode = "week" if view.mode == "week" else ""
        texts |= {"start": view.start or "", "end": view.end or "-", "mode": mode}
    texts["colours"] = rules_text(published_rules(view, language))
    return {key: value for key, value in texts.items() if value}


def opening_href(call: Call, object: ObjectDef, args: Mapping[str, str], preferred: Callable[[], str]) -> str:
    """Where the address of an object's list leads on, "" where it is the list.

    It leads on where it names a published board or calendar, or says nothing and the object opens with one.
    ``preferred`` asks which view this person opens the object with.
    """
    if not any(each.way not in LISTED for each in call.gate.list_views(object)):
        return ""
    views = way_views(call, object, (), Sight(call, object).knows)
    named = next((each for each in views if each.key == args.get("view")), None)
    if named is None and not args:
        named = next((each for each in views if each.is_default), None)
        if named is not None and preferred():
            named = None
    return _address(object, named.way, {"view": named.key}) if named is not None else ""


def opens_elsewhere(views: Iterable[WayView]) -> bool:
    """Whether an address that names no view shows one of these boards and calendars."""
    return any(each.is_default for each in views)


def read_way(
    object: ObjectDef,
    way: Way,
    views: Iterable[WayView],
    args: Mapping[str, str],
    chosen: Mapping[str, str] = MappingProxyType({}),
) -> WayState:
    """Read an address: ``view`` names a view, the rest stands in place of its texts. ``chosen``: what this
    person chose last, which stands where neither says anything.
    """
    key = args.get("view", "")
    plain = key.replace("-", "").lower()
    view = next((each for each in views if each.way == way and each.key in (key, plain)), None)
    body = {} if view is None else view.body
    own = {key: args[key].strip()[:_MOST] for key in KEYS[way] if key in args}
    if view is None:
        own = {**{key: chosen[key] for key in KEYS[way] if key in chosen}, **own}
    return WayState(object, way, view, body, own)


def view_href(object: ObjectDef, view: SavedView) -> str:
    """Where a saved view opens."""
    return _address(object, view.way, {"view": view.id.hex})


def other_tabs(object: ObjectDef, views: Iterable[WayView], current: str = "") -> tuple[ViewTab, ...]:
    """Boards and calendars for the view bar; ``current`` is the key of the one that is open."""
    return tuple(
        ViewTab(
            each.label,
            _address(object, each.way, {"view": each.key}),
            each.key == current,
            each.saved is not None and each.saved.shared,
            _ICONS[each.way],
            each.key,
            is_limited=each.is_limited,
        )
        for each in views
    )


def _is_open(view: WayView, known: Callable[[str], bool]) -> bool:
    named = [view.body[key] for key in _NAMING if view.body.get(key) not in (None, "-")]
    return all(known(name) for name in named) and legible(view.body.get("where", ""), known)


def ways_of(
    object: ObjectDef,
    readable: Iterable[FieldDef],
    where: str,
    current: Way,
    colours: str,
    table: str = "",
) -> tuple[WayLink, ...]:
    """The ways that this object can be seen in by this person, under the same filter and colours. ``table``:
    the key of the view that the table is to show, where the object opens with something else.
    """
    fields = tuple(readable)
    params = {key: text for key, text in (("where", where), ("colours", colours)) if text}
    found: list[Way] = ["table"]
    if boardable(fields):
        found.append("board")
    if datable(fields):
        found.append("calendar")
    at = {way: ({"view": table} if way == "table" and table else {}) | params for way in found}
    return tuple(WayLink(way, _address(object, way, at[way]), _ICONS[way], way == current) for way in found)
