"""How and to whom things are shown: the ways of a list view, who sees it, and layouts by permission set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.kinds.work import Work
from tabwright.metadata.model import LayoutRule
from tabwright.metadata.world import FieldSource
from tabwright.platform.errors import Fault, Place

SUMMED = ("currency", "number", "integer", "rollup", "formula")  # what a board's columns may add up
DATED = ("date", "datetime")  # what may place a record in a calendar
# The settings of a list view that mean something only under some ways.
_WAYS = {
    "board": ("board",),
    "calendar": ("calendar",),
    "cards": ("board", "cards"),
    "density": ("table", "cards"),
}


def shown_as(work: Work, component: Component, object: str) -> dict[str, Any]:
    """The ways, the density and the audience of a list view, as the Model's ``ListViewDef`` names them."""
    body = component.body
    way = body.get("way", "table")
    for key, ways in _WAYS.items():
        if key in body and way not in ways:
            work.fault(component, "document.no_effect", key, key=key)
    if way == "board" and "board" not in body:
        work.fault(component, "list_view.without_board", "board")
    if way == "calendar" and "calendar" not in body:
        work.fault(component, "list_view.without_calendar", "calendar")
    found: dict[str, Any] = {
        "way": way,
        "density": body.get("density"),
        "is_default": body.get("default", False),
        "place": body.get("place", 100),
    }
    found |= _board(work, component, object, body.get("board", {}))
    found |= _calendar(work, component, object, body.get("calendar", {}))
    cards = []
    for number, name in enumerate(body.get("cards", ())):
        field = work.field(component, object, name, "cards", number)
        if field is not None:
            cards.append(field.name)
    found["cards"] = tuple(cards)
    if "shown_to" in body:
        sets = (
            work.named(component, "permission_set", n, "shown_to", i) for i, n in enumerate(body["shown_to"])
        )
        found["shown_to"] = tuple(each for each in sets if each is not None)
    return found


def _board(work: Work, component: Component, object: str, given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "by" in given:
        field = work.field(component, object, given["by"], "board", "by")
        if field is not None and (field.type != "picklist" or field.component is None):
            work.fault(component, "list_view.not_a_picklist", "board", "by", name=field.name)
        found["by"] = field.name if field is not None else None
    if "sum" in given:
        field = work.field(component, object, given["sum"], "board", "sum")
        if field is not None and not _adds_up(work, field):
            work.fault(component, "list_view.not_a_number", "board", "sum", name=field.name)
        found["sum"] = field.name if field is not None else None
    return found


def _adds_up(work: Work, field: FieldSource) -> bool:
    if field.component is None or field.type not in SUMMED:
        return False
    return TYPES[field.type].number or work.lens.world.type_of(field).kind == "number"


def _calendar(work: Work, component: Component, object: str, given: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in ("start", "end"):
        if key in given:
            field = work.field(component, object, given[key], "calendar", key)
            if field is not None and field.type not in DATED:
                work.fault(component, "list_view.not_a_date", "calendar", key, name=field.name)
            found[key] = field.name if field is not None else None
    return found | ({"mode": given["mode"]} if "mode" in given else {})


def check_defaults(work: Work, views: Sequence[Component]) -> None:
    """One default view of an object."""
    work.faults += default_faults(views, "list_view.two_defaults")


def default_faults(components: Sequence[Component], code: str) -> list[Fault]:
    """A fault for each component beyond the first that says it is the default one."""
    chosen = [each for each in components if each.body.get("default")]
    return [
        Fault(code, {"name": chosen[0].local}, Place(component=each.place, pointer="/default"))
        for each in chosen[1:]
    ]


def compile_layout_rules(work: Work, component: Component, object: str) -> tuple[LayoutRule, ...]:
    """Which layout people of a permission set see, in the admin's order."""
    found: list[LayoutRule] = []
    seen: set[tuple[str, str | None]] = set()
    for number, line in enumerate(component.body.get("layouts", ())):
        at = ("layouts", number)
        held = work.named(component, "permission_set", line["permission_set"], *at, "permission_set")
        layout = _part(work, component, object, "layout", line, number)
        kind = _part(work, component, object, "record_type", line, number) if "record_type" in line else None
        if held is None or layout is None:
            continue
        if (held, kind) in seen:
            work.fault(component, "object.layout_line_twice", *at)
        seen.add((held, kind))
        found.append(LayoutRule(held, kind, layout))
    return tuple(found)


def _part(
    work: Work, component: Component, object: str, kind: str, line: dict[str, str], number: int
) -> str | None:
    """The local name of the object's own layout or record type that a line names."""
    full = work.named(component, kind, line[kind], "layouts", number, kind)
    if full is not None and full.partition(".")[0] != object:
        work.fault(component, "object.layout_of_another", "layouts", number, kind, name=full, object=object)
        return None
    return full.rpartition(".")[2] if full is not None else None
