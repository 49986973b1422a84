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
from tabwright.runtime.lists.marking import PLAIN, Marking, label_of, mark_of

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
    marking: Marking = PLAIN

    def rows(
        self,
        rows: Iterable[Mapping[str, Any]],
        zone: ZoneInfo,
        edit_at: Callable[[Mapping[str, Any]], str] = lambda row: "",
    ) -> Markup:
        """The rows as HTML. ``edit_at``: where values of a row are edited in place; '' where none may be."""
        fill, made = self.row.fill, []
        for read in rows:
            row = {**read, "id": str(read["id"])}  # it stands in several places of a row
            at, mark = edit_at(read), mark_of(self.marking.of_record(row))
            made.append(f'<tr{mark} data-href="{at}">' if at else f"<tr{mark}>")
            made.append(fill(Seen(row, zone)))
        return Markup("".join(made))


Resolve = Callable[
    [str], tuple[FieldDef, Sequence[FieldDef]] | None
]  # path -> field and hops, None if hidden


def is_sortable(field: FieldDef, hops: Sequence[FieldDef], object: ObjectDef) -> bool:
    """Whether a list may be ordered by the field (decision 0003); by a retired one nobody begins to."""
    if hops or not field.active or not sorts_in_lists(field.type):
        return False
    if not field.is_stored:  # text that is worked out has no sort key and is sorted as it is
        return field.in_database
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
    marking: Marking = PLAIN,
) -> Table:
    """Unroll a list view. Columns that ``resolve`` does not know (they may not be read) leave no gap.

    The name field comes first whatever the view says, since its link opens the record. ``choose``: how the
    box before each row is called, with the mark NAME for the record's name; None: no boxes. ``marking``: what
    stands out in a colour.
    """
    coloured = marking.paths()
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
            cells += _opened("th", 'scope="row" class="is-name"', entry.path, coloured, marking)
            cells += [_name_cell(object), *_told(entry.path, coloured, marking)]
            cells += [lambda seen: label_of(marking.of_record(seen.row))] if marking.rules else []
            cells += ["</th>"]
            continue
        name_at = name_path(field, entry.path, model)
        if name_at is not None and resolve(name_at) is not None:
            paths.append(name_at)
        cells += _opened("td", 'class="is-num"' if column.is_right else "", entry.path, coloured, marking)
        cells += [shower(field, entry.path, model, language, short=True)]
        cells += [*_told(entry.path, coloured, marking), "</td>"]
    cells.append("</tr>")
    return Table(tuple(columns), tuple(dict.fromkeys(paths)), Piece(cells), marking)


def _opened(
    tag: str, attributes: str, path: str, coloured: frozenset[str], marking: Marking
) -> list[Part[Seen]]:
    start = f"<{tag} {attributes}" if attributes else f"<{tag}"
    if path not in coloured:
        return [start + ">"]
    return [start, lambda seen: mark_of(marking.of_value(seen.row, path)), ">"]


def _told(path: str, coloured: frozenset[str], marking: Marking) -> list[Part[Seen]]:
    """What the colour of a value means, where the column has rules."""
    return [lambda seen: label_of(marking.of_value(seen.row, path))] if path in coloured else []


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
