"""How a field is shown to a person, references by the names of what they refer to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import escape

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, Model, label_in
from tabwright.platform.language import Language, say
from tabwright.runtime.forms.marks import (
    colour,
    colour_of,
    icon,
    initials,
    moment,
    number_text,
    person,
    phone_text,
)
from tabwright.runtime.forms.shows import ShowValue, value_shower
from tabwright.runtime.forms.texts import to_text
from tabwright.runtime.query.asked import failed_key

__all__ = [
    "Seen",
    "Show",
    "colour",
    "colour_of",
    "icon",
    "initials",
    "is_right",
    "moment",
    "name_path",
    "number_text",
    "person",
    "phone_text",
    "shower",
]

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a record page or list row is filled with: the row by path, and whose clock it is read by."""

    row: Row
    zone: ZoneInfo
    hidden: Collection[str] = ()  # fields that a visibility formula takes away
    fixed: Collection[str] = ()  # fields that a condition makes read-only
    whole: Mapping[str, str | None] | None = None  # masked values that were asked for; None: may not be
    lines: Mapping[str, str] = field(default_factory=dict)  # tables of lines as HTML, by relation


Show = Callable[[Seen], str]


def is_right(field: FieldDef) -> bool:
    """Whether columns of the field are set to the right: numbers."""
    return TYPES[field.type].number or field.type == "revision"


def name_path(field: FieldDef, path: str, model: Model) -> str | None:
    """The path at which a row holds the name of what ``path`` refers to; None for what is no reference."""
    if field.type == "owner" or field.kinds:
        return f"{path}.name"
    target = model.objects.get(field.target or "")
    return f"{path}.{target.name_field}" if field.is_reference and target is not None else None


def shower(field: FieldDef, path: str, model: Model, language: Language, *, short: bool = False) -> Show:
    """How the value at ``path`` is shown; '' for a blank one. ``short``: one line, for tables.

    Where a formula has an error, a mark says so.
    """
    show = _shower(field, path, model, language, short=short)
    if field.computed is None or field.computed.stored:
        return show
    key, said = failed_key(path), escape(say("pages.form.failed_reason", {}, language))
    mark = f'<span class="tw-warned" title="{said}">{escape(say("pages.form.failed", {}, language))}</span>'
    return lambda seen: mark if seen.row.get(key) else show(seen)


def _shower(field: FieldDef, path: str, model: Model, language: Language, *, short: bool) -> Show:
    show_value = value_shower(field, model, language, short)
    if field.kinds:
        return _link(field, path, model, language, short)
    if field.is_reference:
        return _reference(field, path, model, short)

    if field.copy_button and field.mask is None and not short:
        return _with_copy(field, path, show_value, language)
    if field.mask is not None and not short:
        return _with_eye(field, path, show_value, language)

    def show(seen: Seen) -> str:
        value = seen.row.get(path)
        return "" if value is None or value == "" else show_value(value, seen.zone)

    return show


def _with_copy(field: FieldDef, path: str, show_value: ShowValue, language: Language) -> Show:
    """A value with a button that copies it; a script shows the button where there is a clipboard."""
    said = escape(say("pages.record.copy", {"field": label_in(field.labels, language)}, language))
    done = escape(say("pages.record.copied", {}, language))

    def show(seen: Seen) -> str:
        value = seen.row.get(path)
        if value is None or value == "":
            return ""
        return (
            f'<span class="tw-row">{show_value(value, seen.zone)}<button type="button" hidden'
            f' class="btn btn-quiet btn-icon btn-sm" data-done="{done}"'
            f' data-copy="{escape(to_text(field, value, seen.zone))}"'
            f' aria-label="{said}" title="{said}">{icon("copy", "icon icon-14")}</button></span>'
        )

    return show


def _with_eye(field: FieldDef, path: str, show_value: ShowValue, language: Language) -> Show:
    """A masked value, with a button for those who may see it whole; the page has the form that it posts."""
    said = escape(say("pages.record.unmask", {"field": label_in(field.labels, language)}, language))
    button = (
        f'<button class="btn btn-quiet btn-icon btn-sm" form="unmask" name="field" value="{path}"'
        f' aria-label="{said}" title="{said}">{icon("eye", "icon icon-14")}</button>'
    )

    def show(seen: Seen) -> str:
        value = seen.row.get(path)
        if value is None or value == "":
            return ""
        if seen.whole is not None and path in seen.whole:
            return f'<mark class="tw-num tw-whole">{escape(seen.whole[path])}</mark>'
        shown = show_value(value, seen.zone)
        return shown if seen.whole is None else f'<span class="tw-row">{shown}{button}</span>'

    return show


def _link(field: FieldDef, path: str, model: Model, language: Language, short: bool) -> Show:
    """A record of one of several kinds: its name, with its kind said by the sign before it."""
    targets = {name: model.objects[name] for name in field.targets if name in model.objects}

    def show(seen: Seen) -> str:
        value = seen.row.get(path)
        if value is None:
            return ""
        target = targets.get(field.target_of(value))
        name = str(seen.row.get(f"{path}.name") or "")
        if target is None or not name:
            return '<span class="tw-3">…</span>'
        kind = escape(label_in(target.labels, language))
        sign = (
            f'<span class="tw-objicon is-sm" data-c="{escape(target.colour)}" title="{kind}">'
            f'{icon(target.icon)}<span class="tw-sr">{kind}</span></span>'
        )
        if target.name == "user":
            return person(value, name)
        cut = ' class="tw-cut"' if short else ""
        return (
            f'<a class="tw-person" href="/o/{target.name}/{value}">{sign}<span{cut}>{escape(name)}</span></a>'
        )

    return show


def _reference(field: FieldDef, path: str, model: Model, short: bool) -> Show:
    name_at = name_path(field, path, model)
    people = field.type in ("user", "owner") or field.target == "user"
    head = f'<a href="/o/{field.target}/'
    if short:
        head = f'<a class="tw-person" href="/o/{field.target}/'

    def show(seen: Seen) -> str:
        id = seen.row.get(path)
        if id is None:
            return ""
        name = str(seen.row.get(name_at) or "") if name_at else ""
        if not name:
            return '<span class="tw-3">…</span>'
        if people:
            return person(id, name)
        if short:
            return (
                f'{head}{id}"><span class="tw-ava is-co" aria-hidden="true">{escape(initials(name))}</span>'
                f'<span class="tw-cut">{escape(name)}</span></a>'
            )
        return f'{head}{id}">{escape(name)}</a>'

    return show
