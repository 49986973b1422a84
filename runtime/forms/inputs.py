"""The inputs of a form: label, control, help and errors of each field, unrolled once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from markupsafe import escape

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, LayoutField, Model, label_in
from tabwright.platform.language import Language
from tabwright.runtime.forms.controls import GROUPS, control
from tabwright.runtime.forms.entry import Entry, Option, Place
from tabwright.runtime.forms.piece import Part, Piece
from tabwright.runtime.forms.shown import Show, icon, shower

STAR = '<span class="tw-req" aria-hidden="true">*</span>'

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
    fill = control(field, place, model, language)
    name = field.name
    star: Part[Entry] = STAR if place.required else ""
    asks_now = not place.required and bool(field.required_when or place.layout.required_when)
    if asks_now:
        star = lambda entry: STAR if name in entry.asked.required else ""  # noqa: E731 - a slot

    def slot(entry: Entry) -> str:
        text = entry.texts.get(name, "")
        more = " required" if asks_now and name in entry.asked.required and field.type != "boolean" else ""
        if name in entry.errors:
            return fill(text, invalid + more, entry) + hint + _errors(name, entry.errors[name])
        return fill(text, described + more, entry) + hint

    if field.type in GROUPS:
        opened = f'<fieldset class="tw-f{wide}"><legend class="tw-label">{label}'
        parts: list[Part[Entry]] = [opened, star, "</legend>", slot, "</fieldset>"]
    elif field.type == "boolean":
        parts = [f'<div class="tw-f is-box{wide}">', slot, "</div>"]
    else:
        parts = [f'<div class="tw-f{wide}"><label for="f-{name}">{label}', star, "</label>", slot, "</div>"]
    if field.read_only_when or place.layout.read_only_when:
        shown = Place(place.layout, False, place.allowed, place.required, place.columns)
        parts = _lockable(name, parts, block(field, shown, model, language))
    return _hideable(name, place, parts)


def _lockable(name: str, parts: list[Part[Entry]], shown: list[Part[Entry]]) -> list[Part[Entry]]:
    """A field that may be read-only is one slot: its input, or its value."""
    asks, shows = Piece(parts), Piece(shown)
    return [lambda entry: (shows if name in entry.asked.read_only else asks).fill(entry)]


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
