"""A record as a card: its name, then what the admin put forward about it, unrolled once for what a person
may read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.errors import Invalid
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.piece import Part, Piece
from tabwright.runtime.forms.shown import Seen, icon, name_path, shower
from tabwright.runtime.lists.marking import PLAIN, Marking, label_of, mark_of
from tabwright.runtime.pages.rendering import text

MOST_LINES = 4
_DAYS = ("date", "datetime", "time")
MOST_CHOSEN = 8  # of a view that says which


@dataclass(frozen=True, slots=True)
class Cards:
    """How an object's records are shown as cards, and the paths that this takes."""

    paths: tuple[str, ...]
    piece: Piece[Seen]
    marking: Marking = PLAIN

    def show(self, row: Mapping[str, Any], zone: ZoneInfo) -> Markup:
        """One card as a list item."""
        return Markup(self.piece.fill(Seen(row, zone)))


def cards_for(
    call: Call,
    object: ObjectDef,
    without: tuple[str, ...],
    marking: Marking = PLAIN,
    chosen: tuple[str, ...] = (),
) -> Cards:
    """The cards of an object, from the cache; ``without`` are fields that the place of a card tells,
    ``marking`` is what stands out, ``chosen`` the fields that a view puts on them, else the object's choice.
    """
    key = (
        "cards", call.tenant.store.key, object.digest, call.gate.footprint(object), without, chosen,
        call.language, marking,
    )  # fmt: skip
    return call.tenant.pieces.get(key, lambda: _make(call, object, without, marking, chosen), 4_000)


def fields_in(text: str) -> tuple[str, ...]:
    """The fields on cards as an address says them: ``amount,close_date``."""
    return tuple(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))[:MOST_CHOSEN]


def _lines(
    call: Call, object: ObjectDef, without: tuple[str, ...], chosen: tuple[str, ...]
) -> tuple[FieldDef, ...]:
    """The view's own fields, else the highlights, else the columns of the first list view."""
    names = chosen or object.highlights
    if not names:
        names = tuple(each.path for each in next(iter(object.list_views.values())).columns)
    skipped = {object.name_field, "id", *without}
    found = (call.gate.find(object, name) for name in names if "." not in name and name not in skipped)
    return tuple(field for field in found if field is not None)[: MOST_CHOSEN if chosen else MOST_LINES]


def _make(
    call: Call, object: ObjectDef, without: tuple[str, ...], marking: Marking, chosen: tuple[str, ...]
) -> Cards:
    t, at = text(call.language), f"/o/{object.name}/"
    paths = [object.name_field] if call.gate.find(object, object.name_field) is not None else []
    parts: list[Part[Seen]] = [_head(call, object, at, marking)]
    fields = _lines(call, object, without, chosen)
    amounts = sum(field.type == "currency" for field in fields)
    for field in fields:
        paths.append(field.name)
        name_at = name_path(field, field.name, call.model)
        if name_at is not None:
            try:
                call.gate.resolve(object, name_at)
            except Invalid:
                name_at = None
        if name_at is not None:
            paths.append(name_at)
        parts.append(_line(call, field, amounts == 1))
    buttons = _button("data-move-card", t("board.move"), "M", "arrows-exchange", ' aria-haspopup="dialog"')
    buttons += _button("data-peek-card", t("board.peek"), "", "layout-sidebar")
    parts.append(f'<div class="tw-kbuttons">{buttons}</div></article></li>')
    if "record_type" in object.fields and object.record_types:
        paths.append("record_type")
    return Cards(tuple(dict.fromkeys(paths)), Piece(parts), marking)


def _button(mark: str, label: str, key: str, symbol: str, more: str = "") -> str:
    """A button of a card; scripts show it."""
    said, shown = escape(label), escape(f"{label} ({key})" if key else label)
    return (
        f'<button class="btn btn-quiet btn-icon btn-sm" type="button" {mark} hidden{more}'
        f' aria-label="{said}" title="{shown}">{icon(symbol, "icon icon-14")}</button>'
    )


def _head(call: Call, object: ObjectDef, at: str, marking: Marking) -> Part[Seen]:
    nameless = text(call.language)("record.nameless")

    def show(seen: Seen) -> str:
        row = seen.row
        name = escape(row.get(object.name_field) or nameless)
        kind = f' data-type="{escape(row["record_type"])}"' if row.get("record_type") else ""
        id, rule = row["id"], marking.of_card(row)
        told = f'<p class="tw-kline">{label_of(rule)}</p>' if rule is not None and rule.label else ""
        return (
            f'<li data-card="{id}" data-revision="{row.get("revision") or ""}"{kind}>'
            f'<article class="tw-kcard"{mark_of(rule)} tabindex="0" aria-label="{name}" data-peek="{id}">'
            f'<h3><a href="{at}{id}" class="tw-cut" title="{name}" draggable="false">{name}</a></h3>{told}'
        )

    return show


def _line(call: Call, field: FieldDef, is_only_amount: bool) -> Part[Seen]:
    """One fact. What does not speak for itself is said with its name: figures and days, but for the amount
    where there is one; a box shows its name alone, and nothing where it is not ticked.
    """
    label = escape(label_in(field.labels, call.language))
    if field.type == "boolean":
        ticked = f'<p class="tw-kline">{icon("check", "icon icon-14")} {label}</p>'
        return lambda seen: ticked if seen.row.get(field.name) else ""
    show_value = shower(field, field.name, call.model, call.language, short=True)
    is_amount = field.type == "currency"
    css = "tw-kline is-strong" if is_amount else "tw-kline"
    named = (TYPES[field.type].number or field.type in _DAYS) and not (is_amount and is_only_amount)
    hides = "tw-klabel" if named else "tw-sr"
    said = (
        f'<p class="{css}" title="{label}"><span class="{hides}">{label}<span class="tw-sr">: </span></span>'
    )

    def show(seen: Seen) -> str:
        value = show_value(seen)
        return f"{said}{value}</p>" if value else ""

    return show
