"""A list view as a table: heads and cell makers once, rows per request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from tabwright.metadata.fieldtypes import TYPES, sorts_in_lists
from tabwright.metadata.model import FieldDef, ListColumn, Model, ObjectDef, label_in
from tabwright.platform.language import Language
from tabwright.runtime.forms.piece import Part, Piece
from tabwright.runtime.forms.shown import Seen, is_right, name_path, shower

NAME = "\0"  # in a text about a row: the record's name


@dataclass(frozen=True, slots=True)
class Column:
    """One column that this person may see. ``sortable``: whether the read path can order by it."""

    path: str
    field: FieldDef
    label: str
    is_right: bool
    sortable: bool
    width: int | None


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a list, the paths to ask for, and the unrolled row."""

    columns: tuple[Column, ...]
    paths: tuple[str, ...]
    row: Piece[Seen]

    def rows(
        self,
        rows: Iterable[Mapping[str, Any]],
        zone: ZoneInfo,
        edit_at: Callable[[Mapping[str, Any]], str] = lambda row: "",
    ) -> Markup:
        """The rows as HTML. ``edit_at``: where values of a row are edited in place; '' where none may be."""
        fill, made = self.row.fill, []
        for row in rows:
            at = edit_at(row)
            made.append(f'<tr data-href="{at}">' if at else "<tr>")
            made.append(fill(Seen(row, zone)))
        return Markup("".join(made))


Resolve = Callable[
    [str], tuple[FieldDef, Sequence[FieldDef]] | None
]  # path -> field and hops, None if hidden


def is_sortable(field: FieldDef, hops: Sequence[FieldDef], object: ObjectDef) -> bool:
    """Whether a list may be ordered by the field (decision 0003)."""
    if hops or not sorts_in_lists(field.type):
        return False
    if TYPES[field.type].sorts == "key" and field.type != "auto_number":
        return field.sortable or field.name == object.name_field
    return True


def make_table(
    object: ObjectDef,
    wanted: Iterable[ListColumn],
    resolve: Resolve,
    model: Model,
    language: Language,
    choose: str | None = None,
) -> Table:
    """Unroll a list view. Columns that ``resolve`` does not know (they may not be read) leave no gap.

    The name field comes first whatever the view says, since its link opens the record. ``choose``: how the
    box before each row is called, with the mark NAME for the record's name; None: no boxes.
    """
    columns: list[Column] = []
    paths: list[str] = ["id"]
    cells: list[Part[Seen]] = [] if choose is None else [_box_cell(object, choose)]
    names = [each for each in wanted if each.path == object.name_field] or [ListColumn(object.name_field)]
    for entry in [*names[:1], *(each for each in wanted if each.path != object.name_field)]:
        resolved = resolve(entry.path)
        if resolved is None:
            continue
        field, hops = resolved
        label = " › ".join(label_in(each.labels, language) for each in (*hops, field))
        column = Column(
            entry.path, field, label, is_right(field), is_sortable(field, hops, object), entry.width
        )
        columns.append(column)
        paths.append(entry.path)
        if entry.path == object.name_field:
            cells += ['<th scope="row" class="is-name">', _name_cell(object), "</th>"]
            continue
        name_at = name_path(field, entry.path, model)
        if name_at is not None and resolve(name_at) is not None:
            paths.append(name_at)
        cells += [
            '<td class="is-num">' if column.is_right else "<td>",
            shower(field, entry.path, model, language, short=True),
            "</td>",
        ]
    cells.append("</tr>")
    return Table(tuple(columns), tuple(dict.fromkeys(paths)), Piece(cells))


def _box_cell(object: ObjectDef, choose: str) -> Callable[[Seen], str]:
    before, _, after = (str(escape(part)) for part in choose.partition(NAME))
    name_field = object.name_field

    def show(seen: Seen) -> str:
        row = seen.row
        return (
            '<td class="is-check"><input class="form-check-input" type="checkbox" form="bulk-form" name="id"'
            f' value="{row.get("id")}" aria-label="{before}{escape(row.get(name_field) or "—")}{after}"></td>'
        )

    return show


def _name_cell(object: ObjectDef) -> Callable[[Seen], str]:
    head, name_field = f'<a class="tw-cut" href="/o/{object.name}/', object.name_field

    def show(seen: Seen) -> str:
        row = seen.row
        name = row.get(name_field)
        shown = escape("—" if name is None else name)
        return f'{head}{row.get("id")}" title="{shown}">{shown}</a>'

    return show
