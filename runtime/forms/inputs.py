"""The inputs of a form: label, control, help and errors of each field, unrolled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import escape

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, LayoutField, Model, label_in
from tabwright.platform.language import Language
from tabwright.runtime.forms.controls import GROUPS, control
from tabwright.runtime.forms.entry import Entry, Option, Place
from tabwright.runtime.forms.piece import Part
from tabwright.runtime.forms.shown import Show, icon, shower

__all__ = ["Entry", "Option", "Place", "block", "spread_of"]


def spread_of(entry: LayoutField, field: FieldDef, columns: int) -> str:
    """How far a field spreads in its section, as a class: "" for one column, else several or the row."""
    if TYPES[field.type].wide or entry.span >= columns > 1:
        return " is-wide"
    return f" is-span-{entry.span}" if entry.span > 1 else ""


def block(field: FieldDef, place: Place, model: Model, language: Language) -> list[Part[Entry]]:
    """Label, control, help and error of one field, as the parts of a ``Piece``."""
    wide = spread_of(place.layout, field, place.columns)
    label = escape(label_in(field.labels, language))
    if not place.editable:
        show = shower(field, field.name, model, language)
        inside = _read_only(show)
        opened = f'<div class="tw-f is-ro{wide}"><span class="tw-label">{label}</span><div class="tw-ro">'
        return _hideable(field.name, place, [opened, inside, "</div></div>"])
    help_text = label_in(field.help, language) if field.help else ""
    hint = f'<p class="tw-hint" id="h-{field.name}">{escape(help_text)}</p>' if help_text else ""
    described = f' aria-describedby="h-{field.name}"' if help_text else ""
    both = f"h-{field.name} e-{field.name}" if help_text else f"e-{field.name}"
    invalid = f' aria-invalid="true" aria-describedby="{both}"'
    if place.required and field.type != "boolean":
        described += " required"
        invalid += " required"
    star = '<span class="tw-req" aria-hidden="true">*</span>' if place.required else ""
    fill = control(field, place, model, language)
    name = field.name

    def slot(entry: Entry) -> str:
        text = entry.texts.get(name, "")
        if name in entry.errors:
            return fill(text, invalid, entry) + hint + _errors(name, entry.errors[name])
        return fill(text, described, entry) + hint

    if field.type in GROUPS:
        parts: list[Part[Entry]] = [
            f'<fieldset class="tw-f{wide}"><legend class="tw-label">{label}{star}</legend>',
            slot,
            "</fieldset>",
        ]
    elif field.type == "boolean":
        parts = [f'<div class="tw-f is-box{wide}">', slot, "</div>"]
    else:
        parts = [f'<div class="tw-f{wide}"><label for="f-{name}">{label}{star}</label>', slot, "</div>"]
    return _hideable(name, place, parts)


def _hideable(name: str, place: Place, parts: list[Part[Entry]]) -> list[Part[Entry]]:
    """A field with a visibility formula is one slot, so that it can go as a whole."""
    if place.layout.visible is None:
        return parts

    def slot(entry: Entry) -> str:
        if name in entry.hidden:
            return ""
        return "".join(part if isinstance(part, str) else part(entry) for part in parts)

    return [slot]


def _read_only(show: Show) -> Callable[[Entry], str]:
    return lambda entry: show(entry.seen) or '<span class="tw-3">—</span>'


def _errors(name: str, messages: Sequence[str]) -> str:
    lines = "<br>".join(escape(message) for message in messages)
    return f'<p class="tw-err" id="e-{name}">{icon("alert-circle")}<span>{lines}</span></p>'
