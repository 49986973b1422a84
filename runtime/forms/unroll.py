"""Record pages and forms, unrolled: layout, rights and labels become constants with one slot a field.

A piece depends on the object, the layout, which fields this person may read and edit, and the language.
``key`` parts are given by ``keys``; the pieces stand in the tenant's ``Pieces`` cache.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Protocol, TypeVar

from markupsafe import Markup, escape

from tabwright.metadata.model import (
    FieldDef,
    LayoutDef,
    LayoutField,
    LayoutSection,
    Model,
    ObjectDef,
    RecordTypeDef,
    label_in,
)
from tabwright.platform.language import Language, say
from tabwright.runtime.forms.inputs import Entry, Place, block, spread_of
from tabwright.runtime.forms.piece import Part, Piece
from tabwright.runtime.forms.shown import Seen, Show, icon, name_path, shower

MOST_HIGHLIGHTS = 7
WRONG = 'class="tw-err"'  # how what has to be corrected is marked
NOTHING: Mapping[str, str] = {}
BLANK = '<span class="tw-3">—</span>'
# The platform keeps these; a form never asks for them.
_kept = frozenset(("id", "revision", "created_at", "created_by", "updated_at", "updated_by"))


def paths_of(fields: Iterable[FieldDef], model: Model) -> tuple[str, ...]:
    """The paths to ask of the read path for showing these fields: each field, and names behind references."""
    paths: list[str] = []
    for field in fields:
        paths.append(field.name)
        name_at = name_path(field, field.name, model)
        if name_at is not None:
            paths.append(name_at)
    return tuple(dict.fromkeys(paths))


def sections_of(
    object: ObjectDef, layout: LayoutDef, readable: Collection[str]
) -> Iterator[tuple[LayoutSection, list[tuple[LayoutField, FieldDef]]]]:
    """Sections with the fields that this person may read; what is hidden leaves no gap."""
    for section in layout.sections:
        here = [
            (entry, object.fields[entry.field])
            for entry in section.fields
            if entry.field in object.fields and entry.field in readable
        ]
        if here or section.lines is not None:
            yield section, here


def _heading(section: LayoutSection, object: ObjectDef, language: Language) -> str:
    return str(escape(label_in(section.labels or object.labels, language)))


class _Tabled(Protocol):
    """What a section with a table of lines is filled with."""

    @property
    def lines(self) -> Mapping[str, str]: ...


Filled = TypeVar("Filled", bound=_Tabled)


def _with_lines(parts: list[Part[Filled]], before: int, section: LayoutSection) -> list[Part[Filled]]:
    """A section with a table of lines as one slot: without fields and without the table nothing of it shows.

    ``before``: how many of the parts stand above the table.
    """
    assert section.lines is not None
    relation, whole = section.lines.relation, bool(section.fields)
    above, below = Piece(parts[:before]), Piece(parts[before:])

    def slot(filled: Filled) -> str:
        table = filled.lines.get(relation, "")
        return above.fill(filled) + table + below.fill(filled) if table or whole else ""

    return [slot]


def view_piece(
    object: ObjectDef,
    layout: LayoutDef,
    model: Model,
    language: Language,
    readable: Collection[str],
    marked: Mapping[str, str] = NOTHING,
    inplace: Collection[str] = (),
) -> Piece[Seen]:
    """The sections of a record page. ``marked``: fields that a draft adds, and the word that marks them;
    ``inplace``: fields that are edited where they stand.
    """
    parts: list[Part[Seen]] = []
    for number, (section, entries) in enumerate(sections_of(object, layout, readable)):
        before, after = _frame(f"s{number}", _heading(section, object, language), section.collapsed)
        start = len(parts)
        parts += [*before, f'<dl class="tw-fields{_columns(section)}">' if entries else ""]
        for entry, field in entries:
            spread = spread_of(entry, field, section.columns)
            label = escape(label_in(field.labels, language))
            if field.name in marked:
                label += Markup(' <span class="tw-tag is-draft">{}</span>').format(marked[field.name])
            opened = f'<div class="tw-field{spread}"><dt>{label}</dt><dd><span>'
            inside: list[Part[Seen]] = [_or_blank(shower(field, field.name, model, language)), "</span>"]
            if field.computed is not None:
                inside.append(_why(field, language))
            plain: list[Part[Seen]] = [opened, *inside, "</dd></div>"]
            if field.name in inplace:
                opened = opened.replace("><dt>", f' data-value="{field.name}"><dt>', 1)
                inside.append(_pencil(field, language))
            inside = [opened, *inside, "</dd></div>"]
            if field.name in inplace and (field.read_only_when or entry.read_only_when):
                inside = [_fixable(field.name, Piece(inside), Piece(plain))]
            if entry.visible is None:
                parts += inside
            else:
                parts.append(_hideable(field.name, Piece(inside)))
        parts += ["</dl>" if entries else "", after]
        if section.lines is not None:
            parts[start:] = _with_lines(parts[start:], len(parts) - start - 1, section)
    return Piece(parts)


def _columns(section: LayoutSection) -> str:
    """How many fields stand side by side, as a class; two is what the grid does by itself."""
    return {1: " is-single", 2: ""}.get(section.columns, f" is-cols-{section.columns}")


def _frame(id: str, heading: str, collapsed: bool) -> tuple[list[str], str]:
    """What stands before and after the fields of a section; one that is closed at first is a disclosure."""
    if not collapsed:
        head = f'<header><h2 id="{id}">{heading}</h2></header>'
        return [f'<section class="tw-card" aria-labelledby="{id}">{head}'], "</section>"
    sign = icon("chevron-down", "icon icon-14")
    head = f'<summary class="tw-fold"><h2 id="{id}">{heading}</h2>{sign}</summary>'
    opened = f'<section class="tw-card" aria-labelledby="{id}"><details'
    return [opened, f">{head}"], "</details></section>"


def _hideable(name: str, piece: Piece[Seen]) -> Show:
    return lambda seen: "" if name in seen.hidden else piece.fill(seen)


def _fixable(name: str, edited: Piece[Seen], plain: Piece[Seen]) -> Show:
    return lambda seen: (plain if name in seen.fixed else edited).fill(seen)


def _pencil(field: FieldDef, language: Language) -> Show:
    """The way to change a value: a link to the edit page, which scripts make an edit in place."""
    said = escape(say("pages.cell.edit", {"field": label_in(field.labels, language)}, language))
    tail = f'/edit#f-{field.name}" aria-label="{said}" title="{said}">{icon("pencil", "icon icon-14")}</a>'
    head = f'<a class="tw-pencil" data-edit href="/o/{field.object}/'
    return lambda seen: f"{head}{seen.row['id']}{tail}"


def _why(field: FieldDef, language: Language) -> Show:
    """The way to how a computed value came about: a link to a page, which scripts open over this one."""
    said = escape(say("pages.why.title_of", {"field": label_in(field.labels, language)}, language))
    shut = escape(say("pages.why.close", {}, language))
    tail = f'/why/{field.name}" aria-label="{said}" title="{said}">{icon("help", "icon icon-14")}</a>'
    head = f'<a class="tw-whylink" data-why="{said}" data-shut="{shut}" href="/o/{field.object}/'
    return lambda seen: f"{head}{seen.row['id']}{tail}"


def _or_blank(show: Show) -> Show:
    return lambda seen: show(seen) or BLANK


def highlights_piece(
    object: ObjectDef, model: Model, language: Language, readable: Collection[str]
) -> Piece[Seen] | None:
    """The key figures under the title: at most seven; None when there are none."""
    names = [name for name in object.highlights if name in readable and name in object.fields]
    if not names:
        return None
    parts: list[Part[Seen]] = ['<dl class="tw-high">']
    for name in names[:MOST_HIGHLIGHTS]:
        field = object.fields[name]
        css = ' class="is-key"' if field.type in ("currency", "percent") else ""
        parts.append(f"<div><dt>{escape(label_in(field.labels, language))}</dt><dd{css}>")
        parts.append(_or_blank(shower(field, name, model, language)))
        parts.append("</dd></div>")
    parts.append("</dl>")
    return Piece(parts)


def form_fields(
    object: ObjectDef, layout: LayoutDef, editable: Collection[str], *, creating: bool
) -> tuple[FieldDef, ...]:
    """The fields that this form takes input for, in layout order."""
    return tuple(
        object.fields[entry.field]
        for section in layout.sections
        for entry in section.fields
        if entry.field in object.fields and asks(object.fields[entry.field], entry, editable, creating)
    )


def asks(field: FieldDef, entry: LayoutField, editable: Collection[str], creating: bool) -> bool:
    """Whether a form takes input for the field where it stands."""
    if field.name in _kept or field.name not in editable or entry.read_only or field.read_only:
        return False
    if creating and field.type == "record_type":
        return False  # chosen before the form, since the layout depends on it
    return field.type != "auto_number" and (creating or not field.read_only_after_create)


def form_piece(
    object: ObjectDef,
    layout: LayoutDef,
    model: Model,
    language: Language,
    readable: Collection[str],
    editable: Collection[str],
    *,
    creating: bool,
    record_type: RecordTypeDef | None = None,
) -> Piece[Entry]:
    """The sections of a form: inputs for what may be edited, values for the rest (left out when creating)."""
    parts: list[Part[Entry]] = []
    for number, (section, entries) in enumerate(sections_of(object, layout, {*readable, *editable})):
        blocks: list[Part[Entry]] = []
        for entry, field in entries:
            may = asks(field, entry, editable, creating)
            if (not may and creating) or not field.active:
                continue
            allowed = record_type.picklists.get(field.name) if record_type is not None else None
            place = Place(entry, may, allowed, field.required or entry.required, section.columns)
            blocks.extend(block(field, place, model, language))
        if not blocks and section.lines is None:
            continue
        start = len(parts)
        before, after = _frame(f"g{number}", _heading(section, object, language), section.collapsed)
        parts.append(before[0])
        if section.collapsed:
            relation = section.lines.relation if section.lines is not None else ""
            parts.append(_open_on_errors(frozenset(field.name for _, field in entries), relation))
            parts.append(before[1])
        if blocks:
            parts += [f'<div class="tw-formgrid{_columns(section)}">', *blocks, "</div>"]
        parts.append(after)
        if section.lines is not None:
            parts[start:] = _with_lines(parts[start:], len(parts) - start - 1, section)
    return Piece(parts)


def _open_on_errors(names: Collection[str], relation: str) -> Callable[[Entry], str]:
    """A closed section opens by itself where one of its fields or lines has to be corrected."""

    def opened(entry: Entry) -> str:
        wrong = any(name in entry.errors for name in names) or WRONG in entry.lines.get(relation, "")
        return " open" if wrong else ""

    return opened
