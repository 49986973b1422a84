"""What a board and a calendar have in common: the view bar, the filter, what may be made here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Invalid
from tabwright.runtime.desk import Call
from tabwright.runtime.lists.marking import Marking, Rules, marking_for, read_rules, rules_text
from tabwright.runtime.pages.filtering.chips import Chip, WhereFault, chips_of, where_fault
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.list_state import views_of
from tabwright.runtime.pages.shell import plural, singular
from tabwright.runtime.pages.ways import (
    ViewBar,
    ViewTab,
    WayLink,
    WayState,
    opens_elsewhere,
    other_tabs,
    view_bar,
    way_views,
    ways_of,
)
from tabwright.runtime.pages.world import Desk
from tabwright.runtime.personal.views import Opening, SavedViews

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Frame:
    """``pairs``: what a form sends that saves the view; ``base_href``: the page to which a filter is put."""

    object: ObjectDef
    way: str
    label: str
    plural: str
    view_key: str
    view_id: str  # of a saved one
    view_name: str
    may_save: bool
    may_share: bool
    is_shared: bool
    is_changed: bool
    reset_href: str
    views: ViewBar
    switch: tuple[WayLink, ...]
    chips: tuple[Chip, ...]
    where: str
    base_href: str
    clear_href: str
    pairs: tuple[tuple[str, str], ...]
    legend: Rules  # what the colours mean
    colours: str
    colours_href: str  # the page to which colours are put
    new_href: str | None


def frame_of(
    desk: Desk,
    object: ObjectDef,
    state: WayState,
    opening: Opening,
    fault: WhereFault | None,
    marking: Marking,
) -> Frame:
    """The frame of the page of this state; ``opening``: what the object opens with."""
    call = desk.call
    saved, kept = SavedViews(call, object), opening.views
    sight = Sight(call, object)
    others = way_views(call, object, kept, sight.knows)
    tables = views_of(call, object, kept, sight.knows)
    where = state.get("where")
    tabs = tuple(
        ViewTab(
            each.label,
            f"/o/{object.name}?view={each.key}",
            False,
            each.saved is not None and each.saved.shared,
            key=each.key,
            is_limited=each.is_limited,
        )
        for each in tables
    )
    key = state.view.key if state.view is not None else ""
    view = state.view.saved if state.view is not None else None
    return Frame(
        object=object,
        way=state.way,
        label=singular(object, call.language),
        plural=plural(object, call.language),
        view_key=key,
        view_id=view.id.hex if view is not None else "",
        view_name=view.name if view is not None else "",
        may_save=view is not None and saved.may_change(view),
        may_share=saved.may_share(),
        is_shared=view is not None and view.shared,
        is_changed=state.is_changed,
        reset_href=f"/o/{object.name}/{state.way}" + (f"?view={key}" if key else ""),
        views=view_bar(object, (*tabs, *other_tabs(object, others, key)), opening.look),
        switch=ways_of(
            object,
            call.gate.readable(object),
            where if fault is None else "",
            state.way,
            state.own.get("colours", ""),
            tables[0].key if opens_elsewhere(others) else "",
        ),
        chips=chips_of(where, sight, lambda given: state.href(where=given)) if fault is None else (),
        where=where,
        base_href=state.href(where=state.base.get("where", "")),
        clear_href=state.href(where=""),
        pairs=state.showing(colours=rules_text(marking.rules)).pairs(),
        legend=marking.legend(),
        colours=rules_text(marking.rules),
        colours_href=state.href(colours=state.base.get("colours", "")),
        new_href=f"/o/{object.name}/new" if call.gate.may(object, "create") else None,
    )


def marking_of(desk: Desk, object: ObjectDef, state: WayState, opening: Opening) -> Marking:
    """What stands out: by the address or the view, else as in the table that the object opens with."""
    call = desk.call
    if state.view is not None or "colours" in state.own:
        return marking_for(call, object, read_rules(state.get("colours")))
    views = views_of(call, object, opening.views, Sight(call, object).knows)
    default = next((each for each in views if each.is_default), views[0])
    first = next((each for each in views if each.key == opening.preferred), default)
    return marking_for(call, object, first.rules)


def where_or_fault(
    call: Call, where: str, read: Callable[[str], Found]
) -> tuple[str, WhereFault | None, Found]:
    """What ``read`` finds under a filter; one that cannot be used is told, and everything read without it."""
    if not where:
        return "", None, read("")
    try:
        return where, None, read(where)
    except Invalid as error:
        if not any(each.place.column is not None or each.code.startswith("formula") for each in error.faults):
            raise
        return "", where_fault(where, error, call), read("")
