"""Record pages and forms, unrolled: layout, rights and labels become constants with one slot a field.

A piece depends on the object, the layout, which fields this person may read and edit, and the language.
``key`` parts are given by ``keys``; the pieces stand in the tenant's ``Pieces`` cache.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

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
from tabwright.platform.language import Language
from tabwright.runtime.forms.inputs import Entry, Place, block
from tabwright.runtime.forms.piece import Part, Piece
from tabwright.runtime.forms.shown import Seen, Show, name_path, shower

MOST_HIGHLIGHTS = 7
NOTHING: Mapping[str, str] = {}
BLANK = '<span class="tw-3">—</span>'
# The platform keeps these; a form never asks for them.
_kept = frozenset(("id", "revision", "created_at", "created_by", "updated_at", "updated_by"))


def layout_of(object: ObjectDef, record_type: RecordTypeDef | None = None) -> LayoutDef:
    """The layout that a record of this type is shown by: the type's own, else the object's first."""
    if record_type is not None and record_type.layout is not None:
        name = record_type.layout.rpartition(".")[2]
        found = object.layouts.get(record_type.layout) or object.layouts.get(name)
        if found is not None:
            return found
    return next(iter(object.layouts.values()))


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
        if here:
            yield section, here


def _heading(section: LayoutSection, object: ObjectDef, language: Language) -> str:
    return str(escape(label_in(section.labels or object.labels, language)))


def view_piece(
    object: ObjectDef,
    layout: LayoutDef,
    model: Model,
    language: Language,
    readable: Collection[str],
    marked: Mapping[str, str] = NOTHING,
) -> Piece[Seen]:
    """The sections of a record page. ``marked``: fields that a draft adds, and the word that marks them."""
    parts: list[Part[Seen]] = []
    for number, (section, entries) in enumerate(sections_of(object, layout, readable)):
        wide = " is-single" if section.columns == 1 else ""
        parts.append(
            f'<section class="tw-card" aria-labelledby="s{number}"><header><h2 id="s{number}">'
            f'{_heading(section, object, language)}</h2></header><dl class="tw-fields{wide}">'
        )
        for entry, field in entries:
            spread = " is-wide" if entry.span > 1 or field.type == "long_text" else ""
            label = escape(label_in(field.labels, language))
            if field.name in marked:
                label += Markup(' <span class="tw-tag is-draft">{}</span>').format(marked[field.name])
            opened = f'<div class="tw-field{spread}"><dt>{label}</dt><dd><span>'
            show = _or_blank(shower(field, field.name, model, language))
            closed = "</span></dd></div>"
            if entry.visible is None:
                parts += [opened, show, closed]
            else:
                parts.append(_hideable(field.name, opened, show, closed))
        parts.append("</dl></section>")
    return Piece(parts)


def _hideable(name: str, opened: str, show: Show, closed: str) -> Show:
    return lambda seen: "" if name in seen.hidden else f"{opened}{show(seen)}{closed}"


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
        if entry.field in object.fields and _asks(object.fields[entry.field], entry, editable, creating)
    )


def _asks(field: FieldDef, entry: LayoutField, editable: Collection[str], creating: bool) -> bool:
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
            asks = _asks(field, entry, editable, creating)
            if not asks and creating:
                continue
            allowed = record_type.picklists.get(field.name) if record_type is not None else None
            place = Place(entry, asks, allowed, field.required or entry.required)
            blocks.extend(block(field, place, model, language))
        if not blocks:
            continue
        single = " is-single" if section.columns == 1 else ""
        parts.append(
            f'<section class="tw-card" aria-labelledby="g{number}"><header><h2 id="g{number}">'
            f'{_heading(section, object, language)}</h2></header><div class="tw-formgrid{single}">'
        )
        parts.extend(blocks)
        parts.append("</div></section>")
    return Piece(parts)
