"""What the layout editor works on: the document, the fields and related lists that it may hold, its words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabwright.admin_ui.components import suggest_name
from tabwright.admin_ui.field_types import card_of
from tabwright.admin_ui.names import finding
from tabwright.admin_ui.navigation import generic_href
from tabwright.admin_ui.studio import Studio
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.kinds.lines import HEADS, NO_CELL
from tabwright.metadata.model import LayoutDef, label_in
from tabwright.metadata.world import FieldSource
from tabwright.platform.language import messages, register_messages
from tabwright.runtime.forms.marks import SPRITE

MESSAGES = Path(__file__).with_name("messages.json")
register_messages(MESSAGES)
_words = "studio.layout.js."
BODY = ("label", "sections", "related", "attachments")  # what the editor changes of a document


@dataclass(frozen=True, slots=True)
class Canvas:
    """One layout on the bench: of the draft, or one that is there once its first change is saved."""

    name: str
    object: str
    component: Component | None
    document: Mapping[str, Any]

    @property
    def place(self) -> str:
        return f"layout/{self.name}"

    @property
    def seen(self) -> str:
        return self.component.digest if self.component is not None else ""

    def with_body(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The document with what the editor posted; what it does not know stays."""
        made = {key: value for key, value in self.document.items() if key not in BODY}
        return made | {key: body[key] for key in BODY if key in body}


def open_canvas(studio: Studio, name: str) -> Canvas:
    """The layout of that full name. One that no document has begins as the layout in use now.

    Raises NotFound where its object is not there.
    """
    object = studio.drafting.get("object", name.partition(".")[0]).name
    found = studio.drafting.find("layout", name)
    if found is not None:
        return Canvas(found.name, object, found, found.document)
    return Canvas(name, object, None, {"kind": "layout", "name": name, **_start(studio, object, name)})


def free_name(studio: Studio, object: str) -> str:
    """A full name for one more layout of an object."""
    if not studio.drafting.all("layout", object):
        return f"{object}.standard"
    return suggest_name(studio, "layout", object, {"en": "layout"})


def _start(studio: Studio, object: str, name: str) -> Mapping[str, Any]:
    first = next(iter(studio.drafting.all("layout", object)), None)
    if first is not None:
        label = {each: studio_word(each, "copy") for each in ("zh", "en")}
        return {"label": label, **{key: first.body[key] for key in BODY[1:] if key in first.body}}
    model = studio.drafting.checked.model or studio.call.model
    known = model.objects.get(object)
    if known is not None:
        return body_of(next(iter(known.layouts.values())), object)
    fields = [each.name for each in studio.drafting.world.objects[object].fields.values() if each.component]
    label = {each: studio_word(each, "standard") for each in ("zh", "en")}
    return {"label": label, "sections": [{"fields": fields}]}


def studio_word(language: str, code: str) -> str:
    """One of this editor's words in a language that is not the person's own."""
    return messages()[f"studio.layout.{code}"][language]


def body_of(layout: LayoutDef, object: str) -> dict[str, Any]:
    """The document that says what a generated layout shows."""
    sections = []
    for section in layout.sections:
        fields: list[Any] = []
        for each in section.fields:
            settings: dict[str, Any] = {"field": each.field}
            if each.span > 1:
                settings["span"] = min(each.span, section.columns)
            if each.read_only:
                settings["read_only"] = True
            fields.append(settings if len(settings) > 1 else each.field)
        made: dict[str, Any] = {"columns": section.columns, "fields": fields}
        sections.append({"label": dict(section.labels), **made} if section.labels else made)
    related = [{"field": f"{each.object}.{each.field}"} for each in layout.related]
    shut = {} if layout.attachments else {"attachments": False}
    return {"label": dict(layout.labels), "sections": sections, "related": related, **shut}


def state(studio: Studio, canvas: Canvas) -> dict[str, Any]:
    """Everything that the page's script needs, as JSON."""
    language = studio.call.language
    fields = studio.drafting.world.objects[canvas.object].fields
    return {
        "name": canvas.name,
        "object": canvas.object,
        "heading": studio.title_of("object", canvas.object),  # of sections that say none, as pages show them
        "seen": canvas.seen,
        "isNew": canvas.component is None,
        "document": {key: canvas.document[key] for key in BODY if key in canvas.document},
        "fields": {each.name: _field(studio, each) for each in fields.values() if each.is_active},
        "related": {each["key"]: each for each in _related(studio, canvas.object)},
        "mayChange": studio.may_change,
        "language": language,
        "sprite": SPRITE,
        "words": {
            code.removeprefix(_words): said[language]
            for code, said in messages().items()
            if code.startswith(_words)
        },
    }


def _field(studio: Studio, field: FieldSource) -> dict[str, Any]:
    card, body = (
        card_of(field.type, studio.call.language),
        field.component.body if field.component is not None else {},
    )
    label = _label(studio, field)
    return {
        "label": label,
        "type": card.label if card.label != field.type else studio.s("layout.system_field"),
        "icon": card.icon,
        "wide": TYPES[field.type].wide,
        "required": bool(body.get("required")),
        "readOnly": bool(body.get("read_only")) or field.type in ("formula", "rollup", "auto_number"),
        "system": field.component is None,
        "values": _values(studio, field),
        "isNew": field.component is not None and studio.drafting.state_of(field.component) == "added",
        "href": generic_href("field", field.path) if field.component is not None else "",
        "find": finding(label, field.name, card.label),
    }


def _values(studio: Studio, field: FieldSource) -> list[list[str]]:
    """Codes and labels of a picklist field."""
    if not TYPES[field.type].picks:
        return []
    given = field.options.get("values")
    if given is None:
        shared = studio.drafting.find("picklist", str(field.options.get("global", "")))
        given = shared.body["values"] if shared is not None else ()
    language = studio.call.language
    return [
        [str(each["code"]), label_in(each.get("label") or {"en": each["code"]}, language)] for each in given
    ]


def _label(studio: Studio, field: FieldSource) -> str:
    if field.component is not None:
        return studio.label(field.component)
    object = (studio.drafting.checked.model or studio.call.model).objects.get(field.object)
    known = object.fields.get(field.name) if object is not None else None
    if known is None:  # a system field of an object that no release has: any object knows its word
        known = next(iter(studio.call.model.objects.values())).fields.get(field.name)
    return label_in(known.labels, studio.call.language) if known is not None else field.name


def _fits_a_line(field: FieldSource) -> bool:
    """Whether lines may have the field as a column (``metadata.kinds.lines``)."""
    body = field.component.body if field.component is not None else {}
    return field.type not in NO_CELL and not body.get("options", {}).get("rich_text")


def _related(studio: Studio, object: str) -> list[dict[str, Any]]:
    """The lookups that point at this object, with the fields that their lists may show."""
    world, found = studio.drafting.world, []
    for each in world.children(object):
        source = world.object(each.object)
        if source is None or source.component is None or each.component is None:
            continue
        plural = source.component.body.get("plural") or source.component.body["label"]
        own = [one for one in source.fields.values() if one.is_active and one.name not in ("id", "revision")]
        found.append(
            {
                "key": each.path,
                "label": label_in(plural, studio.call.language),
                "through": studio.label(each.component),
                "icon": source.component.body.get("icon", "box"),
                "colour": source.component.body.get("colour", "blue"),
                "fields": [[one.name, _label(studio, one)] for one in own],
                "cells": [
                    [
                        one.name,
                        _label(studio, one),
                        TYPES[one.type].number,
                        one.type == "integer",
                        one.type != "auto_number",
                    ]
                    for one in own
                    if each.type in HEADS and one.name != each.name and _fits_a_line(one)
                ],
            }
        )
    return found
