"""The two long menus of a list, by which it is sorted and by which its fields are chosen.

They name every field of the object, so what never changes of them is made once for what a person may read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import ListColumn, ObjectDef, label_in
from tabwright.runtime.desk import Call
from tabwright.runtime.lists.table import Table
from tabwright.runtime.pages.list_state import State, columns_text
from tabwright.runtime.pages.rendering import icon, text

_UP, _DOWN = icon("arrow-up", "icon icon-14"), icon("arrow-down", "icon icon-14")
_RISING, _FALLING = icon("sort-ascending"), icon("sort-descending")
_BUTTON = "btn btn-quiet btn-icon btn-sm"
_BOX = '<label class="tw-grow"><input class="form-check-input" type="checkbox" name="column" value="'


@dataclass(frozen=True, slots=True)
class _Said:
    """What the menus say of a column, ready to stand in HTML."""

    label: str
    rising: str
    falling: str
    up: str
    down: str


def sort_menu(call: Call, state: State, table: Table) -> Markup:
    """The entries of the menu by which a list is sorted: each column that can be, rising and falling."""
    said = _said_in(call, state.object)
    made = []
    for column in table.columns:
        if not column.sortable:
            continue
        words = said(column.path, column.label)
        made.append(f'<li class="tw-sortrow"><span class="tw-grow tw-cut">{words.label}</span>')
        for way, label, sign in (("asc", words.rising, _RISING), ("desc", words.falling, _FALLING)):
            here = ' aria-current="true"' if state.order[:1] == ((column.path, way),) else ""
            href = escape(state.with_order(column.path, way).href())
            made.append(f'<a class="{_BUTTON}" href="{href}"{here} aria-label="{label}">{sign}</a>')
        made.append("</li>")
    return Markup("".join(made))


def column_menu(call: Call, state: State, table: Table) -> Markup:
    """The entries of the menu by which fields are chosen: those shown in their order, then all others."""
    said, fixed = _said_in(call, state.object), state.object.name_field
    made = []
    for column in table.columns:
        value = escape(columns_text([ListColumn(column.path, column.width)]))
        if column.path == fixed:  # the name stands first whatever is chosen
            label = said(column.path, column.label).label
            made.append(
                f'<li data-column><input type="hidden" name="column" value="{value}">'
                f'{_BOX}{value}" checked disabled><span class="tw-cut">{label}</span></label></li>'
            )
        else:
            made.append(_item(value, said(column.path, column.label), " checked"))
    shown = {column.path for column in table.columns}
    made += [item for path, item in _others(call, state.object).items() if path not in shown]
    return Markup("".join(made))


def _others(call: Call, object: ObjectDef) -> Mapping[str, str]:
    """The entry of each field that may be chosen, and of the parts of those that have any, not chosen."""

    def make() -> Mapping[str, str]:
        said = _said_in(call, object)
        fields = (
            each
            for field in call.gate.readable(object)
            for each in (field, *(field.part(part) for part in TYPES[field.type].parts))
        )
        return {
            each.name: _item(each.name, said(each.name, label_in(each.labels, call.language)))
            for each in fields
            if each.active and each.name not in ("id", "revision")
        }

    place = (call.tenant.store.key, object.digest, call.gate.footprint(object), call.language)
    return call.tenant.pieces.get(("column menu", *place), make, 40_000)


def _item(value: str, said: _Said, more: str = "") -> str:
    button = f'<button class="{_BUTTON}" type="button"'
    return (
        f'<li data-column>{_BOX}{value}"{more}><span class="tw-cut">{said.label}</span></label>'
        f'{button} data-up hidden aria-label="{said.up}">{_UP}</button>'
        f'{button} data-down hidden aria-label="{said.down}">{_DOWN}</button></li>'
    )


def _said_in(call: Call, object: ObjectDef) -> Callable[[str, str], _Said]:
    """What is said of a column, by its path and label; kept, since every page of the list says it."""
    place = ("column words", call.tenant.store.key, object.digest, call.gate.footprint(object), call.language)
    t = text(call.language)

    def said(path: str, label: str) -> _Said:
        def make() -> _Said:
            keys = ("rising", "falling", "column_up", "column_down")
            return _Said(str(escape(label)), *(str(escape(t(f"list.{key}", field=label))) for key in keys))

        return call.tenant.pieces.get((*place, path), make, 600)

    return said
