"""The inputs of a form by field type: made once per field, filled per request with a text and its errors."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as attribute
from uuid import UUID

from markupsafe import escape

from tabwright.metadata.model import FieldDef, LayoutField, Model, label_in
from tabwright.platform.language import Language, say
from tabwright.runtime.forms.piece import Part
from tabwright.runtime.forms.shown import Seen, Show, icon, shower, symbol


@dataclass(frozen=True, slots=True)
class Option:
    """A record that a lookup may name."""

    id: UUID
    name: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a form is filled with: texts by field name, messages at fields, names of what lookups name."""

    texts: Mapping[str, str]
    seen: Seen
    errors: Mapping[str, Sequence[str]] = attribute(default_factory=dict)
    names: Mapping[str, str] = attribute(default_factory=dict)
    choices: Mapping[str, Sequence[Option]] = attribute(default_factory=dict)
    hidden: Collection[str] = ()


Control = Callable[[str, str, Entry], str]  # text, attributes for descriptions and invalidity, entry


@dataclass(frozen=True, slots=True)
class Place:
    """Where a field stands: its layout entry, the record type's choices, and what the person may do."""

    layout: LayoutField
    editable: bool
    allowed: tuple[str, ...] | None = None  # picklist codes of the record type; None: all
    required: bool = False


def block(field: FieldDef, place: Place, model: Model, language: Language) -> list[Part[Entry]]:
    """Label, control, help and error of one field, as the parts of a ``Piece``."""
    wide = " is-wide" if place.layout.span > 1 or field.type == "long_text" else ""
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
    control = _control(field, place, model, language)
    name = field.name

    def slot(entry: Entry) -> str:
        text = entry.texts.get(name, "")
        if name in entry.errors:
            return control(text, invalid, entry) + hint + _errors(name, entry.errors[name])
        return control(text, described, entry) + hint

    if field.type == "boolean":
        parts: list[Part[Entry]] = [f'<div class="tw-f is-box{wide}">', slot, "</div>"]
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


def _control(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    if field.type == "picklist" or field.type == "record_type":
        return _select(field, place, model, language)
    if field.is_reference:
        return _lookup(field, language)
    if field.type == "boolean":
        return _box(field, language)
    if field.type == "long_text":
        return _area(field, language)
    return _line(field, language)


def _placeholder(field: FieldDef, language: Language) -> str:
    text = label_in(field.placeholder, language) if field.placeholder else ""
    return f' placeholder="{escape(text)}"' if text else ""


_line_attributes = {
    "integer": 'type="text" inputmode="numeric"',
    "decimal": 'type="text" inputmode="decimal"',
    "currency": 'type="text" inputmode="decimal"',
    "percent": 'type="text" inputmode="decimal"',
    "date": 'type="date"',
    "datetime": 'type="datetime-local"',
    "email": 'type="email"',
    "phone": 'type="tel"',
    "url": 'type="url" inputmode="url"',
}


def _line(field: FieldDef, language: Language) -> Control:
    attributes = _line_attributes.get(field.type, 'type="text"')
    css = "form-control tw-num" if field.is_number or field.type in ("date", "datetime") else "form-control"
    limit = f' maxlength="{field.max_length}"' if field.max_length and field.type == "text" else ""
    limit += ' autocomplete="off"'
    head = f'<input class="{css}" id="f-{field.name}" name="{field.name}" {attributes}{limit}'
    head += _placeholder(field, language)
    if field.type == "currency":
        sign = symbol(field.currency).strip()
        head, tail = f'<div class="tw-affix"><span aria-hidden="true">{escape(sign)}</span>{head}', '"></div>'
    elif field.type == "percent":
        head, tail = f'<div class="tw-affix is-after">{head}', '"><span aria-hidden="true">%</span></div>'
    else:
        tail = '">'
    return lambda text, more, entry: f'{head}{more} value="{escape(text)}{tail}'


def _area(field: FieldDef, language: Language) -> Control:
    limit = f' maxlength="{field.max_length}"' if field.max_length else ""
    head = f'<textarea class="form-control" id="f-{field.name}" name="{field.name}" rows="4"{limit}'
    head += _placeholder(field, language)
    # The first newline after the tag is dropped by browsers, so one is given.
    return lambda text, more, entry: f"{head}{more}>\n{escape(text)}</textarea>"


def _box(field: FieldDef, language: Language) -> Control:
    label = escape(label_in(field.labels, language))
    head = (
        f'<label class="tw-check"><input type="hidden" name="{field.name}" value="false">'
        f'<input class="form-check-input" type="checkbox" id="f-{field.name}" name="{field.name}"'
        ' value="true"'
    )
    tail = f"><span>{label}</span></label>"
    return lambda text, more, entry: f"{head}{more}{' checked' if text == 'true' else ''}{tail}"


def _select(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    head = f'<select class="form-select" id="f-{field.name}" name="{field.name}"'
    blank = escape(say("pages.form.none", {}, language))
    options = f'<option value="">{blank}</option>'
    at: dict[str, int] = {}
    others: dict[str, str] = {}
    if field.type == "record_type":
        types = model.objects[field.object].record_types.values() if field.object in model.objects else ()
        choices = [(each.name, label_in(each.labels, language), each.active) for each in types]
    else:
        values = field.picklist.values if field.picklist else ()
        choices = [(each.code, label_in(each.labels, language), each.active) for each in values]
    for code, label, active in choices:
        if active and (place.allowed is None or code in place.allowed):
            options += f'<option value="{escape(code)}"'
            at[code] = len(options)
            options += f">{escape(label)}</option>"
        else:
            others[code] = label
    retired = escape(say("pages.form.retired", {}, language))

    def control(text: str, more: str, entry: Entry) -> str:
        place_of = at.get(text)
        if place_of is not None:
            return f"{head}{more}>{options[:place_of]} selected{options[place_of:]}</select>"
        if text == "":
            return f"{head}{more}>{options}</select>"
        kept = f'<option value="{escape(text)}" selected>{escape(others.get(text, text))} {retired}</option>'
        return f"{head}{more}>{options}{kept}</select>"

    return control


def _lookup(field: FieldDef, language: Language) -> Control:
    """A text input that works alone (the server finds the typed name); scripts make it a combobox."""
    name = field.name
    placeholder = (
        _placeholder(field, language) or f' placeholder="{escape(say("pages.form.lookup", {}, language))}"'
    )
    clear = escape(say("pages.form.clear", {"field": label_in(field.labels, language)}, language))
    head = (
        f'<div class="tw-lookup" data-lookup="/o/{field.object}/lookup/{name}"><div class="tw-pick">'
        f'{icon("search", "icon icon-14")}<input id="f-{name}" name="{name}.text" type="text"'
        f' autocomplete="off"'
        f"{placeholder}"
    )
    middle = f'"><input type="hidden" name="{name}" value="'
    tail = (
        f'"><button class="btn btn-quiet btn-icon btn-sm tw-clear" type="button" hidden aria-label="{clear}">'
        f"{icon('x', 'icon icon-14')}</button></div></div>"
    )

    def control(text: str, more: str, entry: Entry) -> str:
        shown = entry.names.get(name, "")
        html = f'{head}{more} value="{escape(shown)}{middle}{escape(text)}{tail}'
        found = entry.choices.get(name)
        return html + _candidates(name, found) if found else html

    return control


def _candidates(name: str, found: Sequence[Option]) -> str:
    rows = "".join(
        f'<label class="tw-check"><input class="form-check-input" type="radio" name="{name}"'
        f' value="{each.id}">'
        f"<span>{escape(each.name)} <small>{escape(each.hint)}</small></span></label>"
        for each in found
    )
    return f'<div class="tw-choices" role="radiogroup" aria-describedby="e-{name}">{rows}</div>'
