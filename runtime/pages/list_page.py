"""The page of a list view: which columns, which rows, and every address that leads on from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from markupsafe import Markup

from tabwright.metadata.model import FieldDef, ListViewDef, ObjectDef, label_in
from tabwright.platform.errors import Invalid
from tabwright.platform.language import say_fault
from tabwright.runtime.desk import Call
from tabwright.runtime.lists.table import Column, Table, make_table
from tabwright.runtime.pages.preview import NO_MARKS, Listed, Marks, Reading
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import in_sentence, plural, singular
from tabwright.runtime.query.asked import Order, Query
from tabwright.runtime.query.reads import page_rows

TRAIL = 8  # cursors of earlier pages that an address carries

_SORTED: Mapping[str, Literal["ascending", "descending"]] = {"asc": "ascending", "desc": "descending"}


@dataclass(frozen=True, slots=True)
class View:
    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class Head:
    label: str
    href: str | None
    sorted: Literal["ascending", "descending"] | None
    is_right: bool
    width: int | None
    is_marked: bool


@dataclass(frozen=True, slots=True)
class WhereFault:
    """What is wrong with a typed formula, and the text cut at the place of the first fault."""

    texts: tuple[str, ...]
    before: str
    bad: str
    after: str


@dataclass(frozen=True, slots=True)
class ListPage:
    object: ObjectDef
    label: str
    plural: str
    view_label: str
    views: tuple[View, ...]
    heads: tuple[Head, ...]
    rows: Markup
    count_text: str
    range_text: str
    where: str
    fault: WhereFault | None
    example: str
    kept: tuple[tuple[str, str], ...]  # hidden inputs of the filter form
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


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, cleaned: unknown views and orders fall back to the first view's."""

    view: ListViewDef
    where: str
    order: Order
    cursor: str | None
    trail: tuple[str, ...]
    number: int  # of the page, from 0

    @property
    def is_changed(self) -> bool:
        return bool(self.where) or self.order != self.view.order


def asked(object: ObjectDef, args: Mapping[str, str]) -> Asked:
    """Read the address's parameters: view, where, order, cursor, trail, n."""
    first = next(iter(object.list_views.values()))
    view = object.list_views.get(args.get("view", ""), first)
    order = view.order
    if args.get("order"):
        name = args["order"]
        order = ((name.lstrip("-"), "desc" if name.startswith("-") else "asc"),)
    number = args.get("n", "0")
    return Asked(
        view,
        args.get("where", "").strip(),
        order,
        args.get("cursor") or None,
        tuple(part for part in args.get("trail", "").split("~") if part)[-TRAIL:],
        int(number) if number.isdigit() and len(number) < 8 else 0,
    )


def table_for(call: Call, object: ObjectDef, view: ListViewDef) -> Table:
    """The view's unrolled table for what this person may read, from the pieces cache."""
    gate = call.gate

    def resolve(path: str) -> tuple[FieldDef, tuple[FieldDef, ...]] | None:
        try:
            found = gate.resolve(object, path)
        except Invalid:
            return None
        return found.field, found.hops

    def make() -> Table:
        return make_table(object, view.columns, resolve, call.model, call.language)

    # The footprint knows every object that a column may walk to, so it stands for their rights and labels.
    key = (
        "list page",
        call.tenant.store.key,
        object.digest,
        view.name,
        gate.footprint(object),
        call.language,
    )
    return call.tenant.pieces.get(key, make, 6_000)


def list_page(
    call: Call,
    reads: Reading,
    object: ObjectDef,
    args: Mapping[str, str],
    *,
    imports: bool,
    marks: Marks = NO_MARKS,
    is_preview: bool = False,
) -> ListPage:
    """One page of a list. A formula that cannot be used is told, and the view shown without it."""
    call.gate.require(object, "read")
    t = text(call.language)
    ask = asked(object, args)
    table = table_for(call, object, ask.view)
    page, fault = _read(call, reads, object, ask, table)
    names, name = plural(object, call.language), singular(object, call.language)
    said = in_sentence(names, call.language)
    rows = page.rows
    is_narrowed = bool(ask.where) and fault is None
    return ListPage(
        object=object,
        label=name,
        plural=names,
        view_label=label_in(ask.view.labels, call.language),
        views=tuple(
            View(label_in(v.labels, call.language), _href(object, {"view": v.name}), v is ask.view)
            for v in object.list_views.values()
        ),
        heads=tuple(_head(object, ask, column, marks) for column in table.columns),
        rows=table.rows(rows, ZoneInfo(call.zone)),
        count_text=_count(page, t),
        range_text=_range(page, ask, len(rows), page_rows(call), t),
        where=ask.where,
        fault=fault,
        example=t("list.example", example=_example(call, object)),
        kept=tuple(_kept(ask)),
        changed=ask.is_changed,
        reset_href=_href(object, {"view": ask.view.name}),
        clear_href=_href(object, {"view": ask.view.name, "order": args.get("order", "")}),
        new_href=f"/o/{object.name}/new" if call.gate.may(object, "create") and not is_preview else None,
        import_href=f"/o/{object.name}/import"
        if imports and not is_preview and call.gate.may(object, "import")
        else None,
        first_href=_href(object, _state(ask)) if ask.number > 1 else None,
        previous_href=_previous(object, ask),
        next_href=_next(object, ask, page),
        is_empty=not rows and ask.number == 0,
        empty_title=t(
            "list.none_title" if is_narrowed or ask.view.where else "list.empty_title", objects=said
        ),
        empty_text=_empty_text(call, object, ask, is_narrowed, t),
        sees=t("list.sees_all" if _sees_all(call, object) else "list.sees_own", objects=said),
    )


def _read(
    call: Call, reads: Reading, object: ObjectDef, ask: Asked, table: Table
) -> tuple[Listed, WhereFault | None]:
    def query(where: str, order: Order) -> Query:
        return Query(
            object.name,
            fields=table.paths,
            where=tuple(each for each in (ask.view.where.text if ask.view.where else "", where) if each),
            order=order,
            cursor=ask.cursor,
            count=True,
        )

    if ask.where:
        try:
            return reads.list(query(ask.where, ask.order)), None
        except Invalid as error:
            if not any(
                fault.place.column is not None or fault.code.startswith("formula") for fault in error.faults
            ):
                raise
            return reads.list(query("", ask.order)), where_fault(ask.where, error, call)
    return reads.list(query("", ask.order)), None


def where_fault(where: str, error: Invalid, call: Call) -> WhereFault:
    """The faults in words, and the formula cut so that the wrong part can be marked."""
    place = error.faults[0].place
    start = (place.column or 1) - 1 if place.column is not None else len(where)
    end = max(start + 1, (place.end or start + 2) - 1)
    return WhereFault(
        tuple(dict.fromkeys(say_fault(fault, call.language) for fault in error.faults)),
        where[:start],
        where[start:end],
        where[end:],
    )


def _state(ask: Asked) -> dict[str, str]:
    state = {"view": ask.view.name, "where": ask.where}
    if ask.order != ask.view.order and ask.order:
        state["order"] = ("-" if ask.order[0][1] == "desc" else "") + ask.order[0][0]
    return state


def _href(object: ObjectDef, state: Mapping[str, str]) -> str:
    first = next(iter(object.list_views))
    given = {k: v for k, v in state.items() if v and not (k == "view" and v == first)}
    return f"/o/{object.name}" + ("?" + urlencode(given) if given else "")


def _kept(ask: Asked) -> list[tuple[str, str]]:
    return [(name, value) for name, value in _state(ask).items() if name != "where" and value]


def _head(object: ObjectDef, ask: Asked, column: Column, marks: Marks) -> Head:
    direction = next((way for path, way in ask.order[:1] if path == column.path), None)
    href = None
    if column.sortable:
        name = column.path if direction == "desc" or direction is None else "-" + column.path
        href = _href(object, {**_state(ask), "order": name})
    marked = column.path in marks.get(object.name, ())
    return Head(
        column.label,
        href,
        _SORTED[direction] if direction is not None else None,
        column.is_right,
        column.width,
        marked,
    )


def _next(object: ObjectDef, ask: Asked, page: Listed) -> str | None:
    if page.next_cursor is None:
        return None
    trail = [*ask.trail, ask.cursor] if ask.cursor else list(ask.trail)
    return _href(
        object,
        {
            **_state(ask),
            "cursor": page.next_cursor,
            "trail": "~".join(trail[-TRAIL:]),
            "n": str(ask.number + 1),
        },
    )


def _previous(object: ObjectDef, ask: Asked) -> str | None:
    if ask.number == 0:
        return None
    if ask.trail:
        n = str(ask.number - 1)
        return _href(
            object, {**_state(ask), "cursor": ask.trail[-1], "trail": "~".join(ask.trail[:-1]), "n": n}
        )
    return _href(object, _state(ask)) if ask.number == 1 else None


def _count(page: Listed, t: Any) -> str:
    if page.count is None:
        return ""
    shown = f"{page.count:,}"
    return str(t("list.count_capped", count=shown)) if page.count_is_capped else shown


def _range(page: Listed, ask: Asked, rows: int, size: int, t: Any) -> str:
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
    return " && ".join(parts) or f'BEGINS({object.name_field}, "A")'


def _empty_text(call: Call, object: ObjectDef, ask: Asked, is_narrowed: bool, t: Any) -> str:
    if is_narrowed:
        return str(t("list.none_text"))
    if ask.view.where is not None:
        return str(t("list.none_view", view=label_in(ask.view.labels, call.language)))
    return str(t("list.empty_text" if call.gate.may(object, "create") else "list.empty_text_read"))


def _sees_all(call: Call, object: ObjectDef) -> bool:
    return call.gate.rule(object, "read").everything
