"""The columns of a list: the table itself, and its heads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tabwright.metadata.model import FieldDef, ListColumn, ObjectDef
from tabwright.platform.errors import Invalid
from tabwright.runtime.desk import Call
from tabwright.runtime.lists.marking import PLAIN, Marking
from tabwright.runtime.lists.table import NAME, Column, Table, make_table
from tabwright.runtime.pages.list_cells import Editing
from tabwright.runtime.pages.list_state import State
from tabwright.runtime.pages.preview import Marks
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.personal.lists import ListLook

Sorted = Literal["ascending", "descending"]
_SORTED: Mapping[str, Sorted] = {"asc": "ascending", "desc": "descending"}
USUAL_WIDTH = 160  # of a column that came after the others were made wider or narrower


@dataclass(frozen=True, slots=True)
class Head:
    label: str
    href: str | None
    sorted: Sorted | None
    is_right: bool
    width: int | None
    is_marked: bool
    path: str
    field: str  # that is edited in place; '' where none is


def table_for(
    call: Call,
    object: ObjectDef,
    columns: tuple[ListColumn, ...],
    *,
    choose: bool = False,
    marking: Marking = PLAIN,
) -> Table:
    """The unrolled table of these columns for what this person may read, from the pieces cache."""
    gate = call.gate

    def resolve(path: str) -> tuple[FieldDef, tuple[FieldDef, ...]] | None:
        try:
            found = gate.resolve(object, path)
        except Invalid:
            return None
        return found.field, found.hops

    def make() -> Table:
        said = text(call.language)("bulk.select_row", name=NAME) if choose else None
        return make_table(object, columns, resolve, call.model, call.language, said, marking)

    # The footprint knows every object that a column may walk to, so it stands for their rights and labels.
    key = (
        "list page",
        call.tenant.store.key,
        object.digest,
        columns,
        gate.footprint(object),
        call.language,
        choose,
        marking,
    )
    return call.tenant.pieces.get(key, make, 6_000)


def sorted_way(state: State, path: str) -> Sorted | None:
    """Which way the list is sorted by this column, if it is the first that it is sorted by."""
    return next((_SORTED[way] for name, way in state.order[:1] if name == path), None)


def head_of(state: State, column: Column, marks: Marks, editing: Editing) -> Head:
    """The head of a column: its label, and the address that sorts by it."""
    sorted = sorted_way(state, column.path)
    href = None
    if column.sortable:
        href = state.with_order(column.path, "desc" if sorted == "ascending" else "asc").href()
    is_marked = column.path in marks.get(state.object.name, ())
    return Head(
        column.label,
        href,
        sorted,
        column.is_right,
        column.width,
        is_marked,
        column.path,
        column.path if column.path in editing.fields else "",
    )


def sizes_of(state: State, heads: Sequence[Head], look: ListLook) -> tuple[int, ...]:
    """The width of each column, once this person has changed one of this view; else none."""
    own = look.widths.get(state.view.key, {})
    if not any(head.path in own for head in heads):
        return ()
    return tuple(own.get(head.path) or head.width or USUAL_WIDTH for head in heads)
