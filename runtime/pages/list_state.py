"""The state of a list as its address says it: which view, what narrows it, its order, columns,
colours and page.

Everything that changes a list is in the address, so that a link shows the same list again. A view gives what
the address leaves out; ``where``, ``order`` and ``columns`` stand in place of the view's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from werkzeug.datastructures import MultiDict

from tabwright.formula.faults import FormulaError
from tabwright.formula.rewrite import references
from tabwright.metadata.model import ListColumn, ListViewDef, ObjectDef, label_in
from tabwright.platform.language import Language, say
from tabwright.runtime.desk import Call
from tabwright.runtime.lists.marking import Rules, published_rules, read_rules, rules_of, rules_text
from tabwright.runtime.personal.views import SavedView
from tabwright.runtime.query.asked import Order

TRAIL = 8  # cursors of earlier pages that an address carries
MOST_COLUMNS = 40
MOST_WIDTH = 1_200
LISTED = ("table", "cards")  # the ways of a published view that the list page shows


@dataclass(frozen=True, slots=True)
class View:
    """A view as it was published (``key`` is its name) or saved by a person (``key`` is its id)."""

    key: str
    label: str
    columns: tuple[ListColumn, ...]
    where: str
    order: Order
    saved: SavedView | None = None
    rules: Rules = ()
    cards: tuple[str, ...] | None = None  # fields on cards; None: a table
    density: str | None = None  # None: as the person has chosen
    is_default: bool = False  # the object opens with it
    is_limited: bool = False  # published, and not for everybody


@dataclass(frozen=True, slots=True)
class State:
    """What an address asks for, cleaned."""

    object: ObjectDef
    view: View
    where: str
    order: Order
    columns: tuple[ListColumn, ...]
    rules: Rules
    first_key: str  # of the view that an address without one shows
    cursor: str | None = None
    trail: tuple[str, ...] = ()
    number: int = 0  # of the page, from 0

    @property
    def is_changed(self) -> bool:
        """Whether it shows something else than its view."""
        view = self.view
        own = self.where, self.order, self.columns, self.rules
        return own != (view.where, view.order, view.columns, view.rules)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.where)

    def params(self) -> dict[str, str]:
        """The parameters of the address, without the page."""
        given: dict[str, str] = {}
        if self.view.key != self.first_key:
            given["view"] = self.view.key
        if self.where != self.view.where:
            given["where"] = self.where
        if self.order != self.view.order:
            given["order"] = order_text(self.order)
        if self.columns != self.view.columns:
            given["columns"] = columns_text(self.columns)
        if self.rules != self.view.rules:
            given["colours"] = rules_text(self.rules)
        return given

    def href(self, **page: str) -> str:
        """The address of this state; ``page`` adds the parameters of a page."""
        given = {**self.params(), **page}
        return f"/o/{self.object.name}" + ("?" + urlencode(given) if given else "")

    def href_at(self, below: str) -> str:
        """An address below the list's that is about what this state shows, whatever the view becomes."""
        given = {
            "where": self.where,
            "order": order_text(self.order),
            "columns": columns_text(self.columns),
        }
        return f"/o/{self.object.name}{below}?" + urlencode(given)

    @property
    def row_query(self) -> str:
        """What says how one row of this list is drawn, and whether it belongs here."""
        given = {
            "where": self.where,
            "columns": columns_text(self.columns),
            "colours": rules_text(self.rules),
        }
        return urlencode(given)

    def with_where(self, where: str) -> State:
        """The first page of the same list under another filter."""
        return replace(self, where=where, cursor=None, trail=(), number=0)

    def with_order(self, path: str, direction: str) -> State:
        """The first page in another order."""
        order: Order = ((path, "desc" if direction == "desc" else "asc"),)
        return replace(self, order=order, cursor=None, trail=(), number=0)

    def body(self) -> dict[str, Any]:
        """What a saved view keeps of it."""
        return {
            "where": self.where,
            "order": [list(each) for each in self.order],
            "columns": [[each.path, each.width] for each in self.columns],
            "colours": [[each.when, each.colour, each.label, each.path] for each in self.rules],
        }

    @property
    def next_trail(self) -> str:
        """The trail of the page after this one."""
        trail = [*self.trail, self.cursor] if self.cursor else list(self.trail)
        return "~".join(trail[-TRAIL:])

    def previous_href(self) -> str | None:
        """The address of the page before; None where there is none, or the way back is too long."""
        if self.number == 0:
            return None
        if self.trail:
            *trail, last = self.trail
            return self.href(cursor=last, trail="~".join(trail), n=str(self.number - 1))
        return self.href() if self.number == 1 else None


Known = Callable[[str], bool]
"""Whether a path of names leads to a field that this person may read."""


def views_of(call: Call, object: ObjectDef, saved: Iterable[SavedView], known: Known) -> tuple[View, ...]:
    """Every table of an object that somebody may choose: published ones (cards as well), then saved ones.

    A view that names a field which this person may not read would show its name: such columns are left out,
    and a view that filters by it is none of theirs. Never empty: at worst there is one of all records.
    """
    tables = [_for(_saved(object, each), known) for each in saved if each.way == "table"]
    shown = (*_published_for(call, object, known), *(each for each in tables if legible(each.where, known)))
    if shown:
        return shown
    columns = next(iter(object.list_views.values())).columns
    return (_for(View("all", say("pages.list.view_all", {}, call.language), columns, "", ()), known),)


def _published_for(call: Call, object: ObjectDef, known: Known) -> tuple[View, ...]:
    """Those that were published, for what this person may read: kept, since every list and favourite asks."""
    gate = call.gate

    def make() -> tuple[View, ...]:
        listed = [each for each in gate.list_views(object) if each.way in LISTED]
        found = (_for(_published(each, call.language), known) for each in listed)
        return tuple(each for each in found if legible(each.where, known))

    who = (gate.footprint(object), gate.set_names, gate.has("customise"), call.language)
    return call.tenant.pieces.get(("views", call.tenant.store.key, object.digest, *who), make, 4_000)


def legible(where: str, known: Known) -> bool:
    """Whether a formula names only what is known."""
    try:
        named = references(where) if where else ()
    except FormulaError:
        return False
    return all(each.path[0].startswith("$") or known(".".join(each.path)) for each in named)


def _for(view: View, known: Known) -> View:
    columns = tuple(each for each in view.columns if known(each.path))
    rules = tuple(
        each for each in view.rules if legible(each.when, known) and (not each.path or known(each.path))
    )
    order = tuple(each for each in view.order if known(each[0]))
    return replace(view, columns=columns, order=order, rules=rules)


def _published(view: ListViewDef, language: Language) -> View:
    where = view.where.text if view.where else ""
    return View(
        view.name, label_in(view.labels, language), view.columns, where, view.order, None,
        published_rules(view, language),
        cards=view.cards if view.way == "cards" else None, density=view.density,
        is_default=view.is_default, is_limited=view.shown_to is not None,
    )  # fmt: skip


def _saved(object: ObjectDef, view: SavedView) -> View:
    first = next(iter(object.list_views.values()))
    columns = _columns(f"{path}:{width or ''}" for path, width in _pairs(view.body.get("columns")))
    order = _order((str(path), str(way)) for path, way in _pairs(view.body.get("order")))
    where = str(view.body.get("where") or "")
    rules = rules_of(view.body.get("colours"))
    return View(view.id.hex, view.name, columns or first.columns, where, order or first.order, view, rules)


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    """The pairs of a stored list; what is none is left out."""
    if not isinstance(value, list):
        return []
    return [(each[0], each[1]) for each in value if isinstance(each, list) and len(each) == 2]


def _order(pairs: Iterable[tuple[str, str]]) -> Order:
    return tuple((path, "desc" if direction == "desc" else "asc") for path, direction in pairs)


def read_state(
    object: ObjectDef, views: Sequence[View], args: MultiDict[str, str], preferred: str = "",
    opens_elsewhere: bool = False,
) -> State:  # fmt: skip
    """Read an address: view, where, order, columns, colours, cursor, trail, n. What it cannot say is the
    view's.

    ``preferred`` is the key of the view that this person opens the object with; ``opens_elsewhere``: an
    address without a view shows a board or a calendar.
    """
    by_key = {view.key: view for view in views}
    first = by_key.get(preferred) or next((each for each in views if each.is_default), views[0])
    view = by_key.get(_key(args.get("view", "")), first)
    number = args.get("n", "0")
    given = args.get("order", "")
    asked = args.getlist("column") or [each for each in args.get("columns", "").split(",") if each]
    return State(
        object,
        view,
        args["where"].strip() if "where" in args else view.where,
        ((given.lstrip("-"), "desc" if given.startswith("-") else "asc"),)
        if given.strip("-")
        else view.order,
        _columns(asked) or view.columns,
        read_rules(args["colours"]) if "colours" in args else view.rules,
        "" if opens_elsewhere and first.key != preferred else first.key,
        args.get("cursor") or None,
        tuple(part for part in args.get("trail", "").split("~") if part)[-TRAIL:],
        int(number) if number.isdigit() and len(number) < 8 else 0,
    )


def _key(given: str) -> str:
    try:
        return UUID(given).hex
    except ValueError:
        return given


def _columns(texts: Iterable[str]) -> tuple[ListColumn, ...]:
    """Columns from ``path`` or ``path:width`` texts."""
    found: dict[str, ListColumn] = {}
    for text in texts:
        path, _, width = text.partition(":")
        wide = int(width) if width.isdigit() and 0 < int(width[:6]) <= MOST_WIDTH else None
        if path:
            found.setdefault(path, ListColumn(path, wide))
    return tuple(found.values())[:MOST_COLUMNS]


def columns_text(columns: Iterable[ListColumn]) -> str:
    """Columns as an address says them."""
    return ",".join(f"{each.path}:{each.width}" if each.width else each.path for each in columns)


def order_text(order: Order) -> str:
    """An order as an address says it: its first part."""
    return ("-" if order[0][1] == "desc" else "") + order[0][0] if order else ""
