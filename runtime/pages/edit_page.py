"""The form: to create, edit and copy; what was posted; the page for two people's edits of one record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from markupsafe import Markup
from msgspec.json import encode

from tabwright.metadata.choices import CHOICE_SEPARATOR
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef, RecordTypeDef, label_in
from tabwright.platform.errors import TabwrightError
from tabwright.platform.language import Language, say_fault
from tabwright.runtime.currencies import symbol
from tabwright.runtime.desk import Call
from tabwright.runtime.filing.refs import refs_typed
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.dependent import is_controlled, offered
from tabwright.runtime.forms.inputs import Entry, Option
from tabwright.runtime.forms.shown import number_text, phone_text
from tabwright.runtime.pages import alike, visiting
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import plural, singular
from tabwright.runtime.records.conditions import NOTHING_ASKED, Asked
from tabwright.runtime.records.rules import only_warns, tokens_of

if TYPE_CHECKING:
    from tabwright.runtime.pages.form_drafts import DraftBanner


class Finder(Protocol):
    """How a lookup's text finds a record: see ``lookups``."""

    def options(self, field: FieldDef, text: str) -> Sequence[Option]: ...

    def name(self, field: FieldDef, id: UUID) -> str | None: ...


@dataclass(frozen=True, slots=True)
class FaultLine:
    """A line of the summary on top of a form; ``anchor`` is the input that it is about."""

    text: str
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Warnings that hold a save up, and what lets them pass."""

    lines: tuple[FaultLine, ...]
    confirm: str


def warned(
    error: TabwrightError, object: ObjectDef, asked: Sequence[FieldDef], language: Language
) -> Warned | None:
    """What a write was refused for, where it was nothing but warnings."""
    if not only_warns(error):
        return None
    _, lines = sort_faults(error, object, asked, language)
    return Warned(lines, " ".join(tokens_of(error.faults)))


@dataclass(frozen=True, slots=True)
class TypeChoice:
    label: str
    href: str
    current: bool


@dataclass(frozen=True, slots=True)
class FormPage:
    object: ObjectDef
    label: str
    plural: str
    title: str
    crumb: str
    name: str
    creating: bool
    action: str
    revision: str
    was: str
    back: str
    cancel_href: str
    record_href: str | None
    record_type: str | None
    types: tuple[TypeChoice, ...]
    from_text: str
    faults: tuple[FaultLine, ...]
    sections: Markup
    is_dynamic: bool  # fields come and go with what is typed
    draft_action: str  # where a script keeps what is typed
    alike: str  # the fields whose text is looked up among the records that there are
    layout: str  # the full name of the layout that arranges it
    has_lines: bool = False  # tables of lines stand in it
    draft: DraftBanner | None = None
    copied: str = ""  # of a new record, the id of the one that it is a copy of
    warned: Warned | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """What a form sent. ``was`` are the texts and lookup names that it was opened with."""

    texts: Mapping[str, str]
    names: Mapping[str, str]
    was: Mapping[str, str]
    errors: Mapping[str, tuple[str, ...]] = attribute(default_factory=dict)
    choices: Mapping[str, Sequence[Option]] = attribute(default_factory=dict)

    @property
    def changed(self) -> tuple[str, ...]:
        """The fields whose text is not the one that the form was opened with."""
        return tuple(name for name, value in self.texts.items() if value != self.was.get(name, ""))


def pack(texts_: Mapping[str, str], names: Mapping[str, str]) -> str:
    """The hidden memory of what a form was opened with."""
    return encode([texts_, names]).decode()


def unpack(packed: str) -> tuple[dict[str, str], dict[str, str]]:
    """What ``pack`` made; empty for a text that it did not make."""
    try:
        first, second = json.loads(packed)
        return {str(k): str(v) for k, v in first.items()}, {str(k): str(v) for k, v in second.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}, {}


def revision_of(text: str) -> int | None:
    """The revision that a form was opened with; None for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def read_posted(
    fields: Sequence[FieldDef], form: Mapping[str, Any], finder: Finder, language: Language, call: Call
) -> Posted:
    """The texts of a posted form; what a lookup's text names is found where scripts did not say it."""
    given = texts.posted(fields, form)
    was, was_names = unpack(str(form.get("_was", "")))
    names: dict[str, str] = {}
    errors: dict[str, tuple[str, ...]] = {}
    choices: dict[str, Sequence[Option]] = {}
    for field in fields:
        if not field.is_reference or field.name not in given:
            continue
        typed = str(form.get(f"{field.name}.text", "")).strip()
        found = _named(
            field, given[field.name], typed, was.get(field.name), was_names.get(field.name), finder
        )
        if isinstance(found, Option):
            given[field.name], names[field.name] = str(found.id), found.name
        elif found is None:
            given[field.name], names[field.name] = "", typed
            if typed:
                errors[field.name] = (_unknown(field, typed, call),)
        else:
            given[field.name], names[field.name] = "", typed
            choices[field.name] = found
            errors[field.name] = (text(language)("form.lookup_many", text=typed),)
    return Posted(given, names, was, errors, choices)


def _named(
    field: FieldDef, id_text: str, typed: str, was: str | None, was_name: str | None, finder: Finder
) -> Option | Sequence[Option] | None:
    id = visiting.as_uuid(id_text)
    if id is not None and id_text == was and typed == (was_name or ""):
        return Option(id, typed)
    if id is not None and (known := finder.name(field, id)) is not None:
        # Chosen by script, or among candidates without it (then the typed text is only part of the name).
        if known == typed or id_text != was:
            return Option(id, known)
    if not typed:
        return None
    found = finder.options(field, typed)
    exact = [each for each in found if each.name.casefold() == typed.casefold()]
    if len(exact) == 1 or len(found) == 1:
        return (exact or list(found))[0]
    return list(exact or found) or None


def _unknown(field: FieldDef, typed: str, call: Call) -> str:
    target = call.model.objects.get(field.target or "")
    if field.kinds:
        known = [call.model.objects[name] for name in field.targets if name in call.model.objects]
        named = text(call.language)("preview.join").join(singular(each, call.language) for each in known)
        return text(call.language)("form.lookup_unknown", text=typed, object=named)
    name = singular(target, call.language) if target is not None else label_in(field.labels, call.language)
    return text(call.language)("form.lookup_unknown", text=typed, object=name)


def values_of(
    fields: Iterable[FieldDef], posted: Posted, zone: ZoneInfo, names: Iterable[str]
) -> dict[str, Any]:
    """What the write path is given: the values of the named fields."""
    wanted = set(names)
    return {
        field.name: texts.to_value(field, posted.texts[field.name], zone)
        for field in fields
        if field.name in wanted and field.name in posted.texts
    }


def entry_of(
    call: Call,
    posted: Posted,
    row: Mapping[str, Any],
    errors: Mapping[str, Sequence[str]],
    asked: Asked = NOTHING_ASKED,
    lines: Mapping[str, str] = visiting.NO_LINES,
) -> Entry:
    """What the form's piece is filled with after a post that was not written."""
    merged: dict[str, tuple[str, ...]] = dict(posted.errors)
    for name, found in errors.items():
        merged[name] = tuple(dict.fromkeys((*merged.get(name, ()), *found)))
    return Entry(
        posted.texts, visiting.seen(call, row), merged, posted.names, posted.choices, asked, lines=lines
    )


def sort_faults(
    error: TabwrightError, object: ObjectDef, asked: Sequence[FieldDef], language: Language
) -> tuple[dict[str, tuple[str, ...]], tuple[FaultLine, ...]]:
    """The faults at their fields, and all of them as the lines of the summary."""
    here = {field.name for field in asked}
    at: dict[str, tuple[str, ...]] = {}
    lines: list[FaultLine] = []
    for fault in error.faults:
        said = say_fault(fault, language)
        name = fault.place.field
        field = object.find(name) if name else None
        if field is not None and field.name in here:
            at[field.name] = (*at.get(field.name, ()), said)
        label = label_in(field.labels, language) if field is not None else None
        lines.append(
            _line(label, said, field.name if field is not None and field.name in here else None, language)
        )
    place = {f"f-{field.name}": number for number, field in enumerate(asked)}
    return at, tuple(sorted(dict.fromkeys(lines), key=lambda line: place.get(line.anchor or "", -1)))


def _line(label: str | None, said: str, name: str | None, language: Language) -> FaultLine:
    colon = "：" if language == "zh" else ": "
    shown = said if label is None or label in said else f"{label}{colon}{said}"
    return FaultLine(shown, f"f-{name}" if name else None)


def lines_of(
    errors: Mapping[str, Sequence[str]], object: ObjectDef, language: Language
) -> tuple[FaultLine, ...]:
    """Summary lines for messages that are already at fields."""
    return tuple(
        _line(label_in(object.fields[name].labels, language), said, name, language)
        for name, found in errors.items()
        for said in found
    )


def form_page(
    call: Call,
    parts: visiting.Parts,
    entry: Entry,
    *,
    was: str,
    row: Mapping[str, Any] | None = None,
    faults: tuple[FaultLine, ...] = (),
    back: str = "",
    from_text: str = "",
    types: tuple[TypeChoice, ...] = (),
    is_dynamic: bool = False,
    warned: Warned | None = None,
) -> FormPage:
    """The page round a filled form; ``row`` is the record that is edited, None for a new one."""
    object, t = parts.object, text(call.language)
    creating = row is None
    entry = replace(entry, offered=offered(object, entry.texts, row or {}, entry.asked.withheld))
    name = "" if row is None else visiting.name_of(call, object, row)
    at = f"/o/{object.name}" if row is None else f"/o/{object.name}/{row['id']}"
    title = (
        t("form.new_title", object=singular(object, call.language))
        if creating
        else t("form.edit_title", name=name)
    )
    return FormPage(
        object=object,
        label=label_in(object.labels, call.language),
        plural=plural(object, call.language),
        title=title,
        crumb=t("form.new_crumb" if creating else "form.edit_crumb"),
        name=name,
        creating=creating,
        action=at + ("/new" if creating else "/edit"),
        revision="" if row is None else str(row.get("revision") or ""),
        was=was,
        back=back,
        cancel_href=back or at,
        record_href=None if creating else at,
        record_type=parts.record_type.name if creating and parts.record_type is not None else None,
        types=types,
        from_text=from_text,
        faults=faults,
        sections=visiting.form(call, parts, creating=creating).render(entry),
        alike=" ".join(alike.checked(call.gate, object)) if creating else "",
        draft_action=at + ("/new/draft" if creating else "/draft"),
        layout=f"{object.name}.{parts.layout.name}",
        is_dynamic=is_dynamic or parts.has_conditions or is_controlled(object, parts.layout),
        has_lines=bool(parts.layout.lines),
        warned=warned,
    )


def type_choices(
    call: Call, object: ObjectDef, chosen: RecordTypeDef | None, query: Mapping[str, str]
) -> tuple[TypeChoice, ...]:
    """The record types that a new record may have, when there is a choice."""
    found = call.gate.record_types(object)
    if len(found) < 2:
        return ()
    rest = {name: value for name, value in query.items() if name != "record_type"}
    return tuple(
        TypeChoice(
            label_in(each.labels, call.language),
            f"/o/{object.name}/new?{urlencode({**rest, 'record_type': each.name})}",
            each is chosen,
        )
        for each in found
    )


# ---- two people, one record --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Differing:
    """A field that both changed: its three values as shown."""

    name: str
    label: str
    was: str
    mine: str
    theirs: str


@dataclass(frozen=True, slots=True)
class ConflictPage:
    object: ObjectDef
    plural: str
    name: str
    headline: str
    explain: str
    who: str
    when: str
    action: str
    revision: str
    was: str
    back: str
    record_href: str
    mine: tuple[tuple[str, str], ...]
    fields: tuple[Differing, ...]
    merged: str
    lines: tuple[tuple[str, str], ...] = ()  # inputs that carry the form's lines


def overlapping(posted: Posted, theirs: Mapping[str, str]) -> tuple[str, ...]:
    """The fields that both changed, to different texts."""
    return tuple(
        name
        for name in posted.changed
        if theirs.get(name, "") != posted.was.get(name, "") and theirs.get(name, "") != posted.texts[name]
    )


def plain(field: FieldDef, value: str, names: Mapping[str, str], call: Call) -> str:
    """A form text as a person reads it: the label of a code, the name behind an id."""
    if value == "":
        return ""
    if field.picklist is not None:
        codes = value.split(CHOICE_SEPARATOR) if TYPES[field.type].many else [value]
        known = [field.picklist.value(code) for code in codes]
        labels = [label_in(k.labels, call.language) if k else c for k, c in zip(known, codes, strict=True)]
        return text(call.language)("preview.join").join(labels)
    if field.is_reference:
        return names.get(field.name, "…")
    if field.type == "boolean":
        return text(call.language)("form.yes" if value == "true" else "form.no")
    if field.type == "phone":
        return phone_text(value)
    if field.holds_files:
        return text(call.language)("preview.join").join(each.name for each in refs_typed(value))
    if field.is_number:
        try:
            number = number_text(value.replace(",", ""), field.scale)
        except ArithmeticError:
            return value
        return symbol(field.currency) + number if field.type == "currency" else number
    return value.replace("T", " ") if field.type == "datetime" else value


def conflict_page(
    call: Call,
    parts: visiting.Parts,
    posted: Posted,
    row: Mapping[str, Any],
    was_names: Mapping[str, str],
    *,
    back: str,
    who: str,
    when: str,
    differing: tuple[Differing, ...] = (),
    lines: tuple[tuple[str, str], ...] = (),
) -> ConflictPage:
    """Three values for each field that both changed: when opened, mine, theirs. ``differing`` and ``lines``
    are the cells of lines that both changed, and the inputs that carry them.
    """
    object, t = parts.object, text(call.language)
    fields = visiting.fields_of(parts, creating=False)
    theirs = texts.to_texts(fields, row, ZoneInfo(call.zone))
    their_names = visiting.names_in(row, fields, call)
    both = overlapping(posted, theirs)
    by_name = {field.name: field for field in fields}
    one_side = [name for name in posted.changed if name not in both]
    one_side += [
        name
        for name in theirs
        if name in posted.was and theirs[name] != posted.was[name] and name not in both
    ]
    at = f"/o/{object.name}/{row['id']}"
    labels = t("preview.join").join(
        label_in(by_name[name].labels, call.language) for name in dict.fromkeys(one_side)
    )
    return ConflictPage(
        object=object,
        plural=plural(object, call.language),
        name=visiting.name_of(call, object, row),
        headline=t("conflict.headline", who=who, count=len(both) + len(differing)),
        explain=t("conflict.explain"),
        who=who,
        when=when,
        action=at + "/edit",
        revision=str(row.get("revision") or ""),
        was=pack(theirs, their_names),
        back=back,
        record_href=at,
        mine=tuple((name, posted.texts[name]) for name in posted.changed),
        fields=tuple(
            Differing(
                name,
                label_in(by_name[name].labels, call.language),
                plain(by_name[name], posted.was.get(name, ""), was_names, call),
                plain(by_name[name], posted.texts[name], posted.names, call),
                plain(by_name[name], theirs[name], their_names, call),
            )
            for name in both
        )
        + differing,
        lines=lines,
        merged=t("conflict.merged", fields=labels) if labels else "",
    )


def resolve(fields: Sequence[FieldDef], form: Mapping[str, Any], finder: Finder) -> Posted:
    """What a conflict page posted: mine where mine was picked (or nobody else changed it), else theirs."""
    was, was_names = unpack(str(form.get("_was", "")))
    given, names = dict(was), dict(was_names)
    for field in fields:
        mine = form.get(f"_mine.{field.name}")
        if mine is None or form.get(f"_pick.{field.name}") == "theirs":
            continue
        given[field.name] = str(mine).replace("\r\n", "\n")
        id = visiting.as_uuid(given[field.name]) if field.is_reference else None
        if field.is_reference:
            names[field.name] = (finder.name(field, id) or "…") if id is not None else ""
    return Posted({f.name: given.get(f.name, "") for f in fields}, names, was)
