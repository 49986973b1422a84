"""A value edited where it stands (UX6): its editor as a part of a page, and what came of saving it.

The record page and the list use the same two addresses. Everything that the form of the record would say is
said here too: the write path's faults, fields that a layout requires, somebody else's change meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request
from markupsafe import Markup
from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import FieldDef, LayoutField, ObjectDef, label_in
from tabwright.platform.errors import Conflict, Denied, Invalid, NotFound, TabwrightError, Unauthenticated
from tabwright.platform.errors import Place as FaultPlace
from tabwright.platform.language import register_messages
from tabwright.platform.web import policy, visit
from tabwright.runtime.access.asking import may
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.dependent import offered
from tabwright.runtime.forms.inputs import Entry, Place, block
from tabwright.runtime.forms.piece import Piece
from tabwright.runtime.forms.shown import name_path, shower
from tabwright.runtime.forms.unroll import BLANK, asks, paths_of
from tabwright.runtime.pages import edit_page, visibility, visiting
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.lines.shown import read_tables
from tabwright.runtime.pages.lookups import Lookups
from tabwright.runtime.pages.record_page import read_record, row_parts, stamp
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.saving import CLASH
from tabwright.runtime.pages.shell import Notice
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.unmasking import may_unmask

register_messages(Path(__file__).with_name("record_messages.json"))

MOST_FIELDS = 12  # that one save of a value may ask for besides
MOST_COLUMNS = 100
MOST_SHOWN = 60  # characters of a value in the notice


@dataclass(frozen=True, slots=True)
class Cell:
    """A record as this person may edit it, and the fields that are asked for, the edited one first."""

    desk: Desk
    object: ObjectDef
    row: Mapping[str, Any]
    parts: visiting.Parts
    fields: tuple[FieldDef, ...]
    place: str  # "record" or "list": where the value stands

    @property
    def at(self) -> str:
        return f"/o/{self.object.name}/{self.row['id']}"

    def entry(self, name: str) -> LayoutField:
        """Where the layout has the field; a list may have columns that no layout has."""
        found = (each for part in self.parts.layout.sections for each in part.fields if each.field == name)
        return next(found, LayoutField(name))


def register(app: Flask, site: Site) -> None:
    """Put ``/value`` beside the pages of a record."""
    cells = Blueprint("cells", __name__)

    @cells.get("/o/<object>/<uuid:id>/value")
    @policy("session")
    def editor(object: str, id: UUID) -> Response:
        """The editor of one value (``field``), as HTML; ``place``: record or list."""
        cell = open_cell(open_desk(site, request, visit()), object, id, request.args)
        if not may(cell.desk.call, cell.object, "edit", cell.row):
            raise Denied.of("record.denied", operation="update")
        return Response(_editor(cell), content_type="text/html; charset=utf-8")

    @cells.post("/o/<object>/<uuid:id>/value")
    @policy("session")
    def save(object: str, id: UUID) -> Response:
        """Write it: ``field``, ``text`` or the control's own inputs, ``revision``. JSON of HTML parts."""
        return _save(open_cell(open_desk(site, request, visit()), object, id, request.form))

    app.register_blueprint(cells)


def open_cell(desk: Desk, object: str, id: UUID, given: MultiDict[str, str]) -> Cell:
    """Raises NotFound, Denied (not to be edited here), Invalid (no such field)."""
    call, found = desk.call, desk.object(object)
    call.gate.require(found, "edit")
    row = read_record(call, desk.reads, found, id)
    parts = row_parts(call, found, row)
    cell = Cell(desk, found, row, parts, (), given.get("place", "record"))
    fields = tuple(_field(cell, name) for name in dict.fromkeys(given.getlist("field")[:MOST_FIELDS]))
    if not fields:
        raise Invalid.of("field.unknown", FaultPlace(object=found.name, field=""), path="")
    lacking = [each for each in fields if each.name not in row]
    if lacking:  # a list's column that no layout shows
        row = {**row, **desk.reads.get(found.name, id, _known(cell, lacking))}
    return replace(cell, fields=fields, row=row)


def _field(cell: Cell, name: str) -> FieldDef:
    call = cell.desk.call
    field = call.gate.find(cell.object, name)
    if field is None:
        raise Invalid.of(
            "field.unknown", FaultPlace(object=cell.object.name, field=name[:80]), path=name[:80]
        )
    fixed = field.name in visibility.stands(call, cell.parts, cell.row).read_only
    may = asks(field, cell.entry(field.name), cell.parts.editable, creating=False)
    if not field.active or not may or fixed:
        label = label_in(field.labels, call.language)
        raise Denied.of("pages.cell.not_here", FaultPlace(field=field.name), field=label)
    return field


def _known(cell: Cell, fields: Sequence[FieldDef]) -> tuple[str, ...]:
    gate = cell.desk.call.gate
    found = []
    for path in paths_of(fields, cell.desk.call.model):
        try:
            found.append(gate.resolve(cell.object, path).text)
        except Invalid:  # the name behind a lookup to something closed
            continue
    return tuple(found)


# ---- the editor --------------------------------------------------------


def _editor(
    cell: Cell,
    posted: edit_page.Posted | None = None,
    errors: Mapping[str, Sequence[str]] | None = None,
    others: Sequence[str] = (),
    clash: bool = False,
    warned: edit_page.Warned | None = None,
) -> str:
    """The controls in a form of their own. ``others``: what is wrong elsewhere in the record."""
    call, zone = cell.desk.call, ZoneInfo(cell.desk.call.zone)
    was = texts.to_texts(cell.fields, cell.row, zone)
    was_names = visiting.names_in(cell.row, cell.fields, call)
    seen = visiting.seen(call, cell.row)
    if posted is None:
        entry = Entry(was, seen, names=was_names)
    else:
        filled, names = {**was, **posted.texts}, {**was_names, **posted.names}
        entry = Entry(filled, seen, errors or {}, names, posted.choices)
    made = visibility.typed(call, cell.desk.reads, cell.parts, cell.fields, entry.texts, cell.row)
    asked = visibility.asked(call, cell.parts, made, cell.row)
    asked = replace(asked, hidden=frozenset())  # what is edited shows
    entry = replace(entry, asked=asked, offered=offered(cell.object, entry.texts, cell.row, asked.withheld))
    allowed = cell.parts.record_type.picklists if cell.parts.record_type is not None else {}
    blocks = []
    for field in cell.fields:
        placed = cell.entry(field.name)
        place = Place(placed, True, allowed.get(field.name), field.required or placed.required)
        blocks.append(Piece(block(field, place, call.model, call.language)).render(entry))
    # After a refusal it stays the value that was opened: somebody else's change since must not go unseen.
    kept = posted is not None and not clash
    context = {
        "cell": cell,
        "blocks": blocks,
        "revision": request.form.get("revision", "") if kept else str(cell.row.get("revision") or ""),
        "was": request.form.get("_was", "") if kept else edit_page.pack(was, was_names),
        "others": others,
        "clash": clash,
        "warned": warned,
    }
    return render("cell.html", cell.desk.look, context)


# ---- saving --------------------------------------------------------


def _save(cell: Cell) -> Response:
    call, form = cell.desk.call, _as_posted(request.form, cell.fields[0])
    posted = edit_page.read_posted(cell.fields, form, Lookups(call, cell.desk.reads), call.language, call)
    if posted.errors:
        return _refused(cell, posted, posted.errors, (), 422)
    values = edit_page.values_of(cell.fields, posted, ZoneInfo(call.zone), _given(cell, posted))
    since = edit_page.revision_of(form.get("revision", ""))
    try:
        saved = cell.desk.records.update(cell.object.name, cell.row["id"], values, seen=since)
    except (NotFound, Unauthenticated):
        raise
    except Conflict as error:
        if any(fault.code == CLASH for fault in error.faults):
            return _clash(cell, posted)
        return _faulty(cell, posted, error)
    except TabwrightError as error:
        return _faulty(cell, posted, error)
    after = _again(cell)
    answer: dict[str, Any] = {"revision": int(after.row.get("revision") or 0), **_shown(after)}
    if saved.changed:
        undo = f"/undo/{saved.operation}" if saved.operation is not None else None
        notice = Notice(_said(cell, posted), undo=undo)
        answer["toast"] = render("toast.html", cell.desk.look, {"notice": notice})
    return _json(answer)


def _as_posted(form: MultiDict[str, str], first: FieldDef) -> MultiDict[str, str]:
    """The form with ``text`` under the field's own name, where the control's inputs were not sent."""
    if first.name in form or "text" not in form:
        return form
    made = MultiDict(form)
    given = form["text"]
    by_name = first.is_reference and visiting.as_uuid(given) is None
    made[first.name] = "" if by_name else given
    if by_name:
        made[f"{first.name}.text"] = given
    return made


def _given(cell: Cell, posted: edit_page.Posted) -> list[str]:
    """The fields to write: all that were sent but masked ones that stand as they were shown."""
    changed = posted.changed
    return [each.name for each in cell.fields if each.mask is None or each.name in changed]


def _faulty(cell: Cell, posted: edit_page.Posted, error: TabwrightError) -> Response:
    """What the write path refused. A field that this value makes required is asked for too."""
    language = cell.desk.call.language
    warned = edit_page.warned(error, cell.object, cell.fields, language)
    if warned is not None:
        return _refused(cell, posted, {}, (), error.status, warned)
    lacking = {fault.place.field for fault in error.faults if fault.code == "value.required"}
    takes = visiting.fields_of(cell.parts, creating=False)
    more = [each for each in takes if each.name in lacking and each not in cell.fields]
    cell = replace(cell, fields=(*cell.fields, *more[: MOST_FIELDS - len(cell.fields)]))
    at, lines = edit_page.sort_faults(error, cell.object, cell.fields, language)
    others = tuple(line.text for line in lines if line.anchor is None)
    return _refused(cell, posted, at, others, error.status)


def _refused(
    cell: Cell,
    posted: edit_page.Posted,
    errors: Mapping[str, Sequence[str]],
    others: Sequence[str],
    status: int,
    warned: edit_page.Warned | None = None,
) -> Response:
    faults = [{"field": name, "text": said} for name, found in errors.items() for said in found]
    faults += [{"field": "", "text": said} for said in others]
    faults += [{"field": "", "text": line.text} for line in warned.lines] if warned is not None else []
    editor = _editor(cell, posted, errors, others, warned=warned)
    return _json({"editor": editor, "faults": faults, **_shown(cell)}, status)


def _clash(cell: Cell, posted: edit_page.Posted) -> Response:
    """Somebody else changed the same value: theirs is told, with who and when; mine stays in the editor."""
    now = _again(cell)
    call, t = now.desk.call, text(now.desk.call.language)
    theirs = texts.to_texts(now.fields, now.row, ZoneInfo(call.zone))
    names = visiting.names_in(now.row, now.fields, call)
    who, when = str(now.row.get("updated_by.name") or t("conflict.somebody")), now.row.get("updated_at")
    at = when_text(when, call.clock.now(), ZoneInfo(call.zone), call.language) if when else ""
    errors = {
        field.name: (t("cell.clash", who=who, when=at, value=_plain(field, theirs[field.name], names, now)),)
        for field in now.fields
        if theirs[field.name] != posted.texts.get(field.name)
    }
    faults = [{"field": name, "text": said[0]} for name, said in errors.items()]
    editor = _editor(now, posted, errors, clash=True)
    return _json({"editor": editor, "faults": faults, **_shown(now)}, 409)


def _plain(field: FieldDef, value: str, names: Mapping[str, str], cell: Cell) -> str:
    said = " ".join(edit_page.plain(field, value, names, cell.desk.call).split())
    said = said or text(cell.desk.call.language)("record.blank")
    return said if len(said) <= MOST_SHOWN else said[: MOST_SHOWN - 1] + "…"


def _said(cell: Cell, posted: edit_page.Posted) -> str:
    field, t = cell.fields[0], text(cell.desk.call.language)
    label, value = label_in(field.labels, cell.desk.call.language), posted.texts.get(field.name, "")
    if value == "":
        return t("cell.cleared", field=label)
    if field.rich_text or field.type == "json" or field.holds_files or field.mask is not None:
        return t("cell.saved", field=label)
    return t("cell.changed", field=label, value=_plain(field, value, posted.names, cell))


# ---- what is shown after --------------------------------------------------------


def _again(cell: Cell) -> Cell:
    """The same cell, read anew."""
    given = MultiDict([("field", field.name) for field in cell.fields])
    given["place"] = cell.place
    try:
        return open_cell(cell.desk, cell.object.name, cell.row["id"], given)
    except (Denied, Invalid):  # the change took this field, or the right to it, away: it is only shown
        row = read_record(cell.desk.call, cell.desk.reads, cell.object, cell.row["id"])
        return replace(cell, row=row, parts=row_parts(cell.desk.call, cell.object, row))


def _shown(cell: Cell) -> dict[str, Any]:
    """The value where it stands; on the record page all values, in a list the row's other columns too."""
    if cell.place == "list":
        return _cells(cell)
    call = cell.desk.call
    whole: dict[str, str | None] | None = {} if may_unmask(call) else None
    asked = visibility.stands(call, cell.parts, cell.row)
    tables = read_tables(call, cell.desk.reads, cell.parts, cell.row["id"], asked.hidden)
    filled = visiting.seen(call, cell.row, asked, whole, tables)
    heights = visiting.highlights(call, cell.parts)
    may_edit = may(call, cell.object, "edit", cell.row)
    first = cell.fields[0]
    show = shower(first, first.name, call.model, call.language)
    return {
        "html": show(filled) or BLANK,
        "record": {
            "values": visiting.sections(call, cell.parts, inplace=may_edit).render(filled),
            "highlights": heights.render(filled) if heights is not None else "",
            "stamp": stamp(call, cell.row),
            "name": visiting.name_of(call, cell.object, cell.row),
        },
    }


def _cells(cell: Cell) -> dict[str, Any]:
    """``columns`` (paths by commas): each as the list shows it. What may not be read is left out."""
    call = cell.desk.call
    wanted = request.values.get("columns", "").split(",")[:MOST_COLUMNS]
    found, paths = {}, {"id": None}
    for path in dict.fromkeys((cell.fields[0].name, *wanted)):
        try:
            resolved = call.gate.resolve(cell.object, path)
        except Invalid:
            continue
        found[path] = resolved.field
        paths[path] = None
        name_at = name_path(resolved.field, path, call.model)
        if name_at is not None:
            try:
                paths[call.gate.resolve(cell.object, name_at).text] = None
            except Invalid:
                continue
    row = cell.desk.reads.get(cell.object.name, cell.row["id"], tuple(paths))
    seen = visiting.seen(call, row)
    made = {
        path: Markup(shower(field, path, call.model, call.language, short=True)(seen))
        for path, field in found.items()
    }
    return {"html": made[cell.fields[0].name], "cells": made}


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")
