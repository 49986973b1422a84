"""The control of each field type: made once per field, filled per request with a text."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from markupsafe import escape

from tabwright.metadata.addresses import CHINA, LABELS
from tabwright.metadata.choices import CHOICE_SEPARATOR
from tabwright.metadata.model import FieldDef, Model, label_in
from tabwright.platform.language import Language, say
from tabwright.runtime.currencies import symbol
from tabwright.runtime.forms import file_inputs
from tabwright.runtime.forms.entry import Control, Entry, MakeControl, Option, Place
from tabwright.runtime.forms.piece import safe
from tabwright.runtime.forms.shown import icon


def control(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    """The control of a field; what has none of its own is one line of text."""
    make = _rich if field.rich_text else _controls.get(field.type, _line)
    return make(field, place, model, language)


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
    "time": 'type="time"',
    "progress": 'type="text" inputmode="numeric"',
    "colour": 'type="text" placeholder="#1677ff" spellcheck="false"',
    "url": 'type="url" inputmode="url"',
    "geolocation": 'type="text" placeholder="31.2304, 121.4737" spellcheck="false"',
}


def _line(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    attributes = _line_attributes.get(field.type, 'type="text"')
    if field.placeholder:
        attributes = re.sub(' placeholder="[^"]*"', "", attributes)
    css = (
        "form-control tw-num"
        if field.is_number or field.type in ("date", "datetime", "time", "geolocation")
        else "form-control"
    )
    limit = f' maxlength="{field.max_length}"' if field.max_length and field.type == "text" else ""
    limit += ' autocomplete="off"'
    head = f'<input class="{css}" id="f-{field.name}" name="{field.name}" {attributes}{limit}'
    head += _placeholder(field, language)
    if field.type == "currency":
        sign = symbol(field.currency).strip()
        head, tail = f'<div class="tw-affix"><span aria-hidden="true">{escape(sign)}</span>{head}', '"></div>'
    elif field.type in ("percent", "progress"):
        head, tail = f'<div class="tw-affix is-after">{head}', '"><span aria-hidden="true">%</span></div>'
    else:
        tail = '">'
    return lambda text, more, entry: f'{head}{more} value="{safe(text)}{tail}'


_TOOLS = (  # what it does, and how it looks
    ("bold", "<b>B</b>"),
    ("italic", "<i>I</i>"),
    ("underline", "<u>U</u>"),
    ("strike", "<s>S</s>"),
    ("h2", "<b>H</b>"),
    ("ul", icon("list", "icon icon-14")),
    ("ol", icon("list-numbers", "icon icon-14")),
    ("quote", "<b>”</b>"),
    ("link", icon("link", "icon icon-14")),
    ("clear", icon("x", "icon icon-14")),
)


def _rich(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    """A text area of HTML that a script makes an editor of; the toolbar comes from here, in words."""
    area = _area(field, place, model, language)
    label = label_in(field.labels, language)
    tools = ""
    for number, (do, look) in enumerate(_TOOLS):
        said = escape(say(f"pages.form.rich_{do}", {}, language))
        tools += (
            f'<button class="btn btn-quiet btn-icon btn-sm" type="button" data-do="{do}"'
            f' tabindex="{-1 if number else 0}" aria-label="{said}" title="{said}">'
            f'<span aria-hidden="true">{look}</span></button>'
        )
    bar = (
        '<div class="tw-richtools" role="toolbar" hidden'
        f' data-ask="{escape(say("pages.form.rich_address", {}, language))}"'
        f' aria-label="{escape(say("pages.form.rich_tools", {"field": label}, language))}">{tools}</div>'
    )
    return lambda text, more, entry: (
        f'<div class="tw-richbox" data-rich="{escape(label)}">{bar}{area(text, more, entry)}</div>'
    )


def _area(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    counted = field.max_length and not (field.rich_text or field.type == "json")
    limit = f' maxlength="{field.max_length}"' if counted else ""
    head = f'<textarea class="form-control" id="f-{field.name}" name="{field.name}" rows="4"{limit}'
    head += _placeholder(field, language)
    # The first newline after the tag is dropped by browsers, so one is given.
    return lambda text, more, entry: f"{head}{more}>\n{safe(text)}</textarea>"


def _box(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
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

    def narrowed(text: str, more: str, may: Collection[str]) -> str:
        """Only what goes with the field that controls it; a value that stands already stays in sight."""
        made = f'<option value="">{blank}</option>'
        for code, label, active in choices:
            if (code in at and code in may) or code == text:
                mark = "" if code in may and active else f" {retired}"
                picked = " selected" if code == text else ""
                made += f'<option value="{escape(code)}"{picked}>{escape(label)}{mark}</option>'
        return f"{head}{more}>{made}</select>"

    def control(text: str, more: str, entry: Entry) -> str:
        if field.name in entry.offered:
            return narrowed(text, more, entry.offered[field.name])
        place_of = at.get(text)
        if place_of is not None:
            return f"{head}{more}>{options[:place_of]} selected{options[place_of:]}</select>"
        if text == "":
            return f"{head}{more}>{options}</select>"
        kept = f'<option value="{escape(text)}" selected>{escape(others.get(text, text))} {retired}</option>'
        return f"{head}{more}>{options}{kept}</select>"

    return control


def _lookup(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
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
        html = f'{head}{more} value="{safe(shown)}{middle}{safe(text)}{tail}'
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


def _boxes(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    """A box for each value; a hidden twin says that none was ticked."""
    name = field.name
    retired = escape(say("pages.form.retired", {}, language))
    values = field.picklist.values if field.picklist else ()
    open_to = field.picklist is not None and not field.picklist.restricted
    other = escape(say("pages.form.other_values", {}, language))
    labels = {each.code: label_in(each.labels, language) for each in values}
    offered = [
        each.code for each in values if each.active and (place.allowed is None or each.code in place.allowed)
    ]

    def box(code: str, number: int, ticked: bool, more: str, after: str = "") -> str:
        return (
            f'<label class="tw-check"><input class="form-check-input" type="checkbox" data-many'
            f' id="f-{name}{f"-{number}" if number else ""}" name="{name}" value="{safe(code)}"'
            f"{' checked' if ticked else ''}{more.replace(' required', '')}>"
            f"<span>{safe(labels.get(code, code))}{after}</span></label>"
        )

    def control(text: str, more: str, entry: Entry) -> str:
        chosen = [each.strip() for each in text.split(CHOICE_SEPARATOR) if each.strip()]
        shown = offered if name not in entry.offered else [c for c in offered if c in entry.offered[name]]
        kept = [code for code in chosen if code not in shown]
        free = CHOICE_SEPARATOR.join(code for code in kept if code not in labels) if open_to else ""
        kept = [code for code in kept if not open_to or code in labels]
        made = [box(code, number, code in chosen, more) for number, code in enumerate(shown)]
        made += [box(code, len(made) + n, True, more, f" {retired}") for n, code in enumerate(kept)]
        if open_to:
            made.append(
                f'<label class="tw-check is-free"><span>{other}</span><input class="form-control" type="text"'
                f' name="{name}" value="{escape(free)}" autocomplete="off"{more if not made else ""}></label>'
            )
        twin = f'<input type="hidden" name="{name}" value="">'
        return f'<div class="tw-boxes">{twin}{"".join(made)}</div>'

    return control


def _stars(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    """A radio for each number of stars, and one for none."""
    name, most = field.name, int(field.maximum or 5)
    none = escape(say("pages.form.none", {}, language))

    def control(text: str, more: str, entry: Entry) -> str:
        choices = [
            (str(n), f'<span class="tw-stars" aria-label="{n} / {most}">{"★" * n}</span>')
            for n in range(1, most + 1)
        ]
        made = "".join(
            f'<label class="tw-check"><input class="form-check-input" type="radio" name="{name}"'
            f' id="f-{name}{"" if not value else "-" + value}" value="{value}"'
            f"{' checked' if value == text else ''}{more if not value else ''}>{shown}</label>"
            for value, shown in [("", f"<span>{none}</span>"), *choices]
        )
        known = text == "" or text in {value for value, _ in choices}
        kept = "" if known else f'<input type="hidden" name="{name}" value="{escape(text)}">'
        return f'<div class="tw-boxes is-line">{made}{kept}</div>'

    return control


def _tinted(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    """A text with the browser's colour picker beside it, which a script joins to it."""
    line = _line(field, place, model, language)
    pick = escape(say("pages.form.pick_colour", {"field": label_in(field.labels, language)}, language))

    def control(text: str, more: str, entry: Entry) -> str:
        return (
            f'<div class="tw-tint">{line(text, more, entry)}<input type="color" hidden aria-label="{pick}"'
            f' data-tint="f-{field.name}" value="{safe(text or "#000000")}"></div>'
        )

    return control


_PARTS = ("country", "province", "city", "district")


def _address(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    """One line that the server takes apart; a script adds its parts below, to be chosen or written."""

    def said(key: str) -> str:
        return str(escape(say(f"pages.address.{key}", {}, language)))

    def label(part: str) -> str:
        return str(escape(LABELS[part][language]))

    name = field.name
    hint = _placeholder(field, language) or f' placeholder="{said("line")}"'
    head = (
        f'<div class="tw-address" data-address="{escape(field.country or CHINA)}"'
        f' data-any="{said("any")}"><input class="form-control" id="f-{name}" name="{name}" type="text"'
        f' autocomplete="off"{hint}'
    )
    chosen = "".join(
        f'<label><span>{label(part)}</span><select class="form-select" data-part="{part}"></select>'
        f'<input class="form-control" type="text" data-part="{part}" hidden></label>'
        for part in _PARTS
    )
    written = "".join(
        f'<label class="is-{part}"><span>{label(part)}</span><input class="form-control" type="text"'
        f' autocomplete="off" data-part="{part}"></label>'
        for part in ("street", "postal_code")
    )
    find = (
        '<div class="tw-lookup" data-lookup="/address/search"><div class="tw-pick">'
        f'{icon("search", "icon icon-14")}<input type="text" autocomplete="off" placeholder="{said("find")}"'
        f' aria-label="{said("find")}"><input type="hidden" data-region><button hidden type="button"'
        f' class="btn btn-quiet btn-icon btn-sm tw-clear" aria-label="{said("clear")}">'
        f"{icon('x', 'icon icon-14')}</button></div></div>"
    )
    tail = (
        f'"><details class="tw-parts" hidden><summary>{said("parts")}</summary>'
        f'<div class="tw-parts-in">{find}{chosen}{written}</div></details></div>'
    )
    return lambda text, more, entry: f'{head}{more} value="{safe(text)}{tail}'


GROUPS = frozenset(("multi_picklist", "rating"))  # several inputs under one label

_controls: Mapping[str, MakeControl] = {
    "picklist": _select,
    "record_type": _select,
    "lookup": _lookup,
    "master_detail": _lookup,
    "polymorphic": _lookup,
    "user": _lookup,
    "owner": _lookup,
    "boolean": _box,
    "multi_picklist": _boxes,
    "rating": _stars,
    "colour": _tinted,
    "address": _address,
    "json": _area,
    "long_text": _area,
    "file": file_inputs.control,
    "image": file_inputs.control,
}
