"""The page of a list view: which columns, which rows, and every address that leads on from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Invalid
from tabwright.runtime.desk import Call
from tabwright.runtime.lists.marking import Marking, Rules, marking_for, rules_text
from tabwright.runtime.lists.totals import is_totalled
from tabwright.runtime.pages.boards.cards import cards_for
from tabwright.runtime.pages.bulk.bar import Bar, bar_of, may_choose
from tabwright.runtime.pages.filtering.chips import Chip, WhereFault, chips_of, where_fault
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.list_cells import NOWHERE, Editing
from tabwright.runtime.pages.list_heads import Head, head_of, sizes_of, sorted_way, table_for
from tabwright.runtime.pages.list_menus import column_menu, sort_menu
from tabwright.runtime.pages.list_state import State, View, columns_text, order_text, read_state, views_of
from tabwright.runtime.pages.preview import NO_MARKS, Listed, Marks, Reading
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import in_sentence, plural, singular
from tabwright.runtime.pages.ways import (
    ViewBar,
    ViewTab,
    WayLink,
    opens_elsewhere,
    other_tabs,
    view_bar,
    way_views,
    ways_of,
)
from tabwright.runtime.personal.lists import ListLook
from tabwright.runtime.personal.views import Opening, SavedView, SavedViews
from tabwright.runtime.query.asked import Order, Query
from tabwright.runtime.query.reads import page_rows


@dataclass(frozen=True, slots=True)
class ViewMenu:
    """What may be done with the view: its id where it is a saved one, who may change and share it."""

    key: str
    id: str
    name: str
    may_save: bool
    may_share: bool
    shared: bool
    is_default: bool


@dataclass(frozen=True, slots=True)
class ListPage:
    object: ObjectDef
    label: str
    plural: str
    view_label: str
    view_key: str
    density: str | None  # that the view asks for
    cards: Markup  # in place of the table, where the view is of cards
    views: ViewBar
    switch: tuple[WayLink, ...]
    view_menu: ViewMenu | None
    heads: tuple[Head, ...]
    sizes: tuple[int, ...]  # of the columns, where this person has made them wider or narrower; else none
    rows: Markup
    cell_columns: str  # of a list whose values may be edited in place
    row_query: str  # with which a row of it is asked for anew
    count_text: str
    range_text: str
    where: str
    chips: tuple[Chip, ...]
    columns: Markup  # the entries of the menu of fields
    sorts: Markup
    sorted_by: str
    fault: WhereFault | None
    example: str
    kept: tuple[tuple[str, str], ...]  # hidden inputs of the filter form
    state: tuple[tuple[str, str], ...]  # of the form that saves a view
    legend: Rules  # what the colours mean
    colours: str
    columns_now: str
    columns_href: str  # the list to which columns in another order are put
    colours_href: str  # the list to which colours are put
    base_href: str  # the list with this view, order and columns, to which a filter is put
    changed: bool
    reset_href: str
    clear_href: str
    new_href: str | None
    import_href: str | None
    first_href: str | None
    previous_href: str | None
    next_href: str | None
    is_empty: bool
    empty_title: str
    empty_text: str
    sees: str
    bar: Bar | None
    totals_href: str | None  # where the numbers under the columns come from
    export_href: str | None


def list_page(
    call: Call,
    reads: Reading,
    object: ObjectDef,
    args: MultiDict[str, str],
    *,
    imports: bool,
    marks: Marks = NO_MARKS,
    is_preview: bool = False,
) -> ListPage:
    """One page of a list. A formula that cannot be used is told, and the list shown without it."""
    call.gate.require(object, "read")
    t = text(call.language)
    saved = SavedViews(call, object) if not is_preview else None
    opening = saved.opening() if saved is not None else Opening((), "", ListLook())
    kept, preferred = opening.views, opening.preferred
    sight = Sight(call, object)
    views, others = views_of(call, object, kept, sight.knows), way_views(call, object, kept, sight.knows)
    elsewhere = opens_elsewhere(others)
    state = read_state(object, views, args, preferred, elsewhere)
    # Under a preview the release in force says what it understands of them.
    marking = marking_for(call, object, state.rules) if not is_preview else Marking(state.rules)
    chosen = state.view.cards
    cards = cards_for(call, object, (), marking, chosen) if chosen is not None else None
    is_table = cards is None and not is_preview  # of which records may be chosen, changed and added up
    choose = is_table and may_choose(call, object)
    table = table_for(call, object, state.columns, choose=choose, marking=marking)
    editing = Editing.of(call, object, table.columns) if is_table else NOWHERE
    paths = (*table.paths, *editing.paths) if cards is None else ("id", *cards.paths)
    page, fault = _read(call, reads, state, paths, marking.formulas)
    said = in_sentence(plural(object, call.language), call.language)
    sees_all = _sees_all(call, object)
    rows = page.rows
    is_narrowed = state.is_narrowed and fault is None
    heads = tuple(head_of(state, column, marks, editing) for column in table.columns)
    may_import = imports and not is_preview and call.gate.has("import") and call.gate.may(object, "import")
    return ListPage(
        object=object,
        label=singular(object, call.language),
        plural=plural(object, call.language),
        view_label=state.view.label,
        view_key=state.view.key,
        density=state.view.density,
        cards=Markup("").join(cards.show(row, ZoneInfo(call.zone)) for row in rows) if cards else Markup(""),
        views=view_bar(
            object,
            (*(_tab(object, each, state) for each in views), *other_tabs(object, others)),
            opening.look,
        ),
        switch=ways_of(
            object,
            call.gate.readable(object),
            state.where,
            "table",
            _other_rules(state, views),
            views[0].key if elsewhere else "",
        )
        if not is_preview
        else (),
        view_menu=_view_menu(saved, state, preferred) if saved is not None else None,
        heads=heads,
        sizes=sizes_of(state, heads, opening.look),
        rows=table.rows(rows, ZoneInfo(call.zone), editing.among(call, object, rows))
        if cards is None
        else Markup(""),
        cell_columns=",".join(column.path for column in table.columns) if editing.fields else "",
        row_query=state.row_query if editing.fields else "",
        count_text=_count(page, t),
        range_text=_range(page, state, len(rows), page_rows(call), t),
        where=state.where,
        chips=chips_of(state.where, sight, lambda where: state.with_where(where).href())
        if fault is None
        else (),
        columns=column_menu(call, state, table),
        sorts=sort_menu(call, state, table),
        sorted_by=next((each.label for each in table.columns if sorted_way(state, each.path)), ""),
        fault=fault,
        example=t("list.example", example=_example(call, object)),
        kept=tuple((name, value) for name, value in state.params().items() if name != "where"),
        state=(
            ("where", state.where),
            ("order", order_text(state.order)),
            ("columns", columns_text(state.columns)),
            ("colours", rules_text(state.rules)),
        ),
        legend=marking.legend([column.path for column in table.columns]),
        colours=rules_text(state.rules),
        columns_now=columns_text(state.columns),
        columns_href=replace(state, columns=state.view.columns).href(),
        colours_href=replace(state, rules=state.view.rules).href(),
        base_href=replace(state, where=state.view.where).href(),
        changed=state.is_changed,
        reset_href=_view_href(object, state.view.key, state.first_key),
        clear_href=state.with_where("").href(),
        new_href=f"/o/{object.name}/new" if call.gate.may(object, "create") and not is_preview else None,
        import_href=f"/o/{object.name}/import" if may_import else None,
        first_href=state.href() if state.number > 1 else None,
        previous_href=state.previous_href(),
        next_href=None
        if page.next_cursor is None
        else state.href(cursor=page.next_cursor, trail=state.next_trail, n=str(state.number + 1)),
        is_empty=not rows and state.number == 0,
        empty_title=t(
            "list.none_title" if is_narrowed else "list.empty_title" if sees_all else "list.empty_title_own",
            objects=said,
        ),
        empty_text=_empty_text(call, state, is_narrowed, may_import, sees_all, t),
        sees=t("list.sees_all" if sees_all else "list.sees_own", objects=said),
        bar=bar_of(call, object, len(rows), page.count, page.count_is_capped) if rows and is_table else None,
        totals_href=state.href_at("/totals")
        if rows and is_table and any(map(is_totalled, table.columns))
        else None,
        export_href=state.href_at("/export")
        if rows and not is_preview and call.gate.may(object, "export")
        else None,
    )


def _read(
    call: Call, reads: Reading, state: State, paths: tuple[str, ...], marks: tuple[str, ...]
) -> tuple[Listed, WhereFault | None]:
    def query(where: str, order: Order) -> Query:
        return Query(
            state.object.name,
            fields=paths,
            where=where,
            order=order,
            cursor=state.cursor,
            count=True,
            marks=marks,
        )

    if state.where:
        try:
            return reads.list(query(state.where, state.order)), None
        except Invalid as error:
            if not any(
                fault.place.column is not None or fault.code.startswith("formula") for fault in error.faults
            ):
                raise
            return reads.list(query("", state.order)), where_fault(state.where, error, call)
    return reads.list(query("", state.order)), None


def _other_rules(state: State, views: Sequence[View]) -> str:
    """The rules as boards and calendars are told them: "" for those of the view that the object opens with,
    which they show by themselves.
    """
    first = next((each for each in views if each.key == state.first_key), views[0])
    return "" if state.rules == first.rules else rules_text(state.rules)


def _view_href(object: ObjectDef, key: str, first_key: str) -> str:
    return f"/o/{object.name}" + ("" if key == first_key else f"?view={key}")


def _tab(object: ObjectDef, view: View, state: State) -> ViewTab:
    is_shared = view.saved is not None and view.saved.shared
    href = _view_href(object, view.key, state.first_key)
    return ViewTab(
        view.label, href, view.key == state.view.key, is_shared, key=view.key, is_limited=view.is_limited
    )


def _view_menu(saved: SavedViews, state: State, preferred: str) -> ViewMenu:
    view: SavedView | None = state.view.saved
    return ViewMenu(
        state.view.key,
        view.id.hex if view is not None else "",
        view.name if view is not None else "",
        view is not None and saved.may_change(view),
        saved.may_share(),
        view is not None and view.shared,
        preferred == state.view.key,
    )


def _count(page: Listed, t: Any) -> str:
    if page.count is None:
        return ""
    shown = f"{page.count:,}"
    return str(t("list.count_capped", count=shown)) if page.count_is_capped else shown


def _range(page: Listed, ask: State, rows: int, size: int, t: Any) -> str:
    if not rows:
        return ""
    first = ask.number * size + 1
    named = {"first": f"{first:,}", "last": f"{first + rows - 1:,}"}
    if page.count is None:
        return str(t("list.range_plain", **named))
    code = "list.range_capped" if page.count_is_capped else "list.range"
    return str(t(code, **named, count=f"{page.count:,}"))


def _example(call: Call, object: ObjectDef) -> str:
    """A formula over this object's own readable fields, so that the hint can be typed as it stands."""
    fields = [field for field in call.gate.readable(object) if not field.system]
    number = next((field for field in fields if field.is_number), None)
    choice = next((field for field in fields if field.type == "picklist" and field.picklist), None)
    parts = []
    if number is not None:
        parts.append(f"{number.name} > 1000")
    if choice is not None and choice.picklist is not None and choice.picklist.values:
        parts.append(f'ISPICKVAL({choice.name}, "{choice.picklist.values[0].code}")')
    if parts or not call.gate.name_shown(object):
        return " && ".join(parts)
    return f'BEGINS({object.name_field}, "A")'


def _empty_text(call: Call, state: State, is_narrowed: bool, may_import: bool, sees_all: bool, t: Any) -> str:
    if is_narrowed and state.where == state.view.where:
        return str(t("list.none_view", view=state.view.label))
    if is_narrowed:
        return str(t("list.none_text"))
    if not sees_all:  # there may be some, which nobody is told; who looks for them may ask
        said = in_sentence(plural(state.object, call.language), call.language)
        return str(t("list.empty_text_own", objects=said))
    if not call.gate.may(state.object, "create"):
        return str(t("list.empty_text_read"))
    return str(t("list.empty_text" if may_import else "list.empty_text_create"))


def _sees_all(call: Call, object: ObjectDef) -> bool:
    return call.gate.rule(object, "read").everything
