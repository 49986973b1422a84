"""A record made in a small panel over what somebody is doing: in a lookup (U11), in a related list (UX12).

The panel has the short form: what is required, the highlights, and what the address fills in. It saves by the
write path as the form does; what is wrong stays in the panel, and the page behind it is not touched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request

from tabwright.metadata.model import FieldDef, LayoutField, ObjectDef
from tabwright.platform.errors import NotFound, TabwrightError, Unauthenticated
from tabwright.platform.web import policy, visit
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.dependent import fitting, offered
from tabwright.runtime.forms.inputs import Entry, Place, block
from tabwright.runtime.forms.piece import Piece
from tabwright.runtime.pages import edit_page, saving, visibility, visiting
from tabwright.runtime.pages.lines.plan import plans
from tabwright.runtime.pages.lookups import Lookups
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.shell import Notice, singular
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.records.conditions import Asked

FEW = 4  # fields that a panel offers where nothing has to be asked
# What people typed stands escaped, so that a quote here is always one of our own attributes.
_names = re.compile(r' (id|for|aria-describedby|data-tint)="([^"]*)"')


def register(app: Flask, site: Site) -> None:
    """Put the panel beside the form of a new record."""
    panels = Blueprint("quick", __name__)

    @panels.get("/o/<object>/new/panel")
    @policy("session")
    def panel(object: str) -> Response:
        """The panel as HTML; fields of the object in the address are filled in. A record that needs lines
        has the whole form.
        """
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        if _lines_needed(desk, found, request.args.get("record_type")):
            return redirect(f"/o/{found.name}/new?{request.query_string.decode('ascii', 'replace')}")
        return Response(_show(desk, found), content_type="text/html; charset=utf-8")

    @panels.post("/o/<object>/new/panel")
    @policy("session")
    def save(object: str) -> Response:
        """Make the record. JSON: its id and name, or the panel with what is wrong."""
        desk = open_desk(site, request, visit())
        return _save(desk, desk.object(object))

    app.register_blueprint(panels)


def _lines_needed(desk: Desk, object: ObjectDef, record_type: str | None) -> list[str]:
    """What is said of tables of lines that a new record cannot be without."""
    parts = visiting.parts_for(desk.call, object, saving.record_type_for(desk, object, record_type))
    t = text(desk.call.language)
    return [
        t("lines.least", heading=plan.heading, count=plan.lines.minimum, now=0)
        for plan in plans(desk.call, parts)
        if plan.lines.minimum and plan.lines.visible is None and plan.may_add
    ]


def _entries(parts: visiting.Parts) -> dict[str, LayoutField]:
    return {entry.field: entry for section in parts.layout.sections for entry in section.fields}


def short_form(parts: visiting.Parts, given: Collection[str], asked: Asked) -> tuple[FieldDef, ...]:
    """The fields of the panel: the name, what is required, the highlights, what is given."""
    object = parts.object
    return tuple(
        field
        for field in visiting.fields_of(parts, creating=True)
        if field.name not in asked.hidden
        and (
            field.name == object.name_field
            or field.name in given
            or field.name in object.highlights
            or ((field.required or field.name in asked.required) and field.type not in ("boolean", "owner"))
        )
    )


def _widened(
    fields: Sequence[FieldDef], short: tuple[FieldDef, ...], given: Collection[str], hidden: Collection[str]
) -> tuple[FieldDef, ...]:
    """The short form; where it asks for nothing that is not known, the first fields of the layout with it."""
    if any(field.name not in given for field in short):
        return short
    more = [each for each in fields if each not in short and each.name not in hidden and not each.system]
    wanted = {each.name for each in (*short, *more[:FEW])}
    return tuple(field for field in fields if field.name in wanted)


def _show(desk: Desk, object: ObjectDef) -> str:
    call = desk.call
    call.gate.require(object, "create")
    record_type = saving.record_type_for(desk, object, request.args.get("record_type"))
    parts = visiting.parts_for(call, object, record_type)
    fields = visiting.fields_of(parts, creating=True)
    filled, known, _ = saving.prefilled(desk, object, parts, fields, record_type)
    typed = visibility.typed(call, desk.reads, parts, fields, filled, {})
    asked = visibility.asked(call, parts, typed)
    given = {field.name for field in fields if field.name in request.args}
    shown = _widened(fields, short_form(parts, given, asked), given, asked.hidden)
    return _panel(desk, parts, shown, Entry(filled, visiting.seen(call, {}), names=known, asked=asked), ())


def _panel(
    desk: Desk,
    parts: visiting.Parts,
    fields: Sequence[FieldDef],
    entry: Entry,
    others: Sequence[str],
    warned: edit_page.Warned | None = None,
) -> str:
    call, object, entries = desk.call, parts.object, _entries(parts)
    entry = replace(entry, offered=offered(object, entry.texts, {}, entry.asked.withheld))
    allowed = parts.record_type.picklists if parts.record_type is not None else {}
    blocks = []
    for field in fields:
        placed = entries[field.name]
        place = Place(placed, True, allowed.get(field.name), field.required or placed.required)
        blocks.append(_apart(Piece(block(field, place, call.model, call.language)).render(entry)))
    record_type = parts.record_type.name if parts.record_type is not None else ""
    whole = {name: value for name, value in entry.texts.items() if value and name in request.values}
    context = {
        "object": object,
        "title": text(call.language)("form.new_title", object=singular(object, call.language)),
        "blocks": blocks,
        "others": others,
        "warned": warned,
        "record_type": record_type,
        "form_href": f"/o/{object.name}/new?{urlencode({**whole, 'record_type': record_type})}",
    }
    return render("quick.html", desk.look, context)


def _apart(html: Any) -> Any:
    """Ids of their own: the form behind the panel may have the same fields."""

    def renamed(found: re.Match[str]) -> str:
        return f' {found[1]}="{" ".join("q-" + each for each in found[2].split())}"'

    return html.__class__(_names.sub(renamed, html))


def _save(desk: Desk, object: ObjectDef) -> Response:
    call, form = desk.call, request.form
    call.gate.require(object, "create")
    record_type = saving.record_type_for(desk, object, form.get("_record_type"))
    parts = visiting.parts_for(call, object, record_type)
    all_fields = visiting.fields_of(parts, creating=True)
    fields = [field for field in all_fields if field.name in form or f"{field.name}.text" in form]
    posted = edit_page.read_posted(fields, form, Lookups(call, desk.reads), call.language, call)
    made = visibility.typed(call, desk.reads, parts, fields, posted.texts, {})
    asked = visibility.asked(call, parts, made)
    values = edit_page.values_of(fields, posted, ZoneInfo(call.zone), posted.texts)
    values = {name: value for name, value in values.items() if value is not None and name not in asked.hidden}
    if record_type is not None:
        values.setdefault("record_type", record_type.name)
    shown = [field for field in all_fields if field in short_form(parts, posted.texts, asked)]
    needed = _lines_needed(desk, object, form.get("_record_type"))
    if posted.errors or needed:
        return _again(desk, parts, shown, posted, asked, posted.errors, needed, 422)
    try:
        saved = desk.records.create(object.name, values)
    except (NotFound, Unauthenticated):
        raise
    except TabwrightError as error:
        held_up = edit_page.warned(error, object, all_fields, call.language)
        if held_up is not None:
            return _again(desk, parts, shown, posted, asked, {}, (), error.status, held_up)
        at, lines = edit_page.sort_faults(error, object, all_fields, call.language)
        others = [line.text for line in lines if line.anchor is None]
        more = [field for field in all_fields if field in shown or field.name in at]
        return _again(desk, parts, more, posted, asked, at, others, error.status)
    name = saving.saved_name(desk, object, saved.id)
    notice = Notice(text(call.language)("form.created", name=name), undo=f"/undo/{saved.operation}")
    toast = render("toast.html", desk.look, {"notice": notice})
    return _json({"id": str(saved.id), "name": name, "toast": toast})


def _again(
    desk: Desk,
    parts: visiting.Parts,
    fields: Sequence[FieldDef],
    posted: edit_page.Posted,
    asked: Asked,
    errors: Mapping[str, Sequence[str]],
    others: Sequence[str],
    status: int,
    warned: edit_page.Warned | None = None,
) -> Response:
    zone = ZoneInfo(desk.call.zone)
    blank: Mapping[str, str] = {each.name: texts.to_text(each, None, zone) for each in fields}
    kept = fitting(parts.object, fields, {**blank, **posted.texts}, {}, asked.withheld)
    posted = replace(posted, texts=kept)
    entry = edit_page.entry_of(desk.call, posted, {}, errors, asked)
    faults = [said for found in errors.values() for said in found] + list(others)
    faults += [line.text for line in warned.lines] if warned is not None else []
    return _json({"panel": _panel(desk, parts, fields, entry, others, warned), "faults": faults}, status)


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")
