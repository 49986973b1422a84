"""Posts of the form: create, edit, and the conflict of two people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response

from tabwright.metadata.model import FieldDef, ObjectDef, RecordTypeDef, label_in
from tabwright.platform.errors import Conflict, Invalid, NotFound, TabwrightError, Unauthenticated
from tabwright.runtime.forms import texts
from tabwright.runtime.forms.dependent import fitting
from tabwright.runtime.forms.inputs import Entry
from tabwright.runtime.pages import edit_page, form_drafts, late_forms, visibility, visiting
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.lines.conflicts import clashes
from tabwright.runtime.pages.lines.form import LinesForm
from tabwright.runtime.pages.lookups import Lookups
from tabwright.runtime.pages.record_page import read_record, row_parts
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, local_path, names
from tabwright.runtime.personal.drafts import FormDraft
from tabwright.runtime.records.batch import Intent, Saved
from tabwright.runtime.records.conditions import Asked
from tabwright.runtime.records.prefill import known_defaults

CLASH = "record.field_changed"
LINE_CLASHES = frozenset(("record.stale", "record.not_found"))  # of a line: changed, or gone


# ---- new --------------------------------------------------------


def show_new(desk: Desk, object: ObjectDef) -> Response:
    """An empty form, with what the address gives: a parent, a record to copy, a record type."""
    call, args = desk.call, desk.request.args
    call.gate.require(object, "create")
    record_type = record_type_for(desk, object, args.get("record_type"))
    parts = visiting.parts_for(call, object, record_type)
    fields = visiting.fields_of(parts, creating=True)
    filled, known, said = prefilled(desk, object, parts, fields, record_type)
    found = form_drafts.on_return(desk, object, None, fields, filled, known)
    empty = visibility.typed(call, desk.reads, parts, fields, found.texts, {})
    asked = visibility.asked(call, parts, empty)
    lines = LinesForm.new(call, desk.reads, parts, visiting.as_uuid(args.get("_copy")))
    lines = lines.restored(found.draft).under(asked.hidden)
    seen = visiting.seen(call, {})
    entry = Entry(found.texts, seen, names=found.names, asked=asked, lines=lines.html())
    page = edit_page.form_page(
        call,
        parts,
        entry,
        was="",
        back=local_path(args.get("_back", ""), ""),
        from_text=said,
        types=edit_page.type_choices(call, object, record_type, args.to_dict()),
        is_dynamic=lines.is_dynamic,
    )
    copied = visiting.as_uuid(args.get("_copy"))
    page = replace(page, draft=found.banner, copied=str(copied) if copied else "")
    return desk.page("form.html", object.name, page)


def record_type_for(desk: Desk, object: ObjectDef, wanted: str | None) -> RecordTypeDef | None:
    """The record type of a new record: the wanted one, else the first that this person may give."""
    found = desk.call.gate.record_types(object)
    return next((each for each in found if each.name == wanted), found[0] if found else None)


def prefilled(
    desk: Desk,
    object: ObjectDef,
    parts: visiting.Parts,
    fields: tuple[FieldDef, ...],
    record_type: RecordTypeDef | None,
) -> tuple[dict[str, str], dict[str, str], str]:
    """What a new record's form opens with: texts, names of what lookups name, and where that comes from."""
    call, args = desk.call, desk.request.args
    zone, finder, t = ZoneInfo(call.zone), Lookups(call, desk.reads), text(call.language)
    filled = {field.name: "false" for field in fields if field.type == "boolean"}
    defaults = known_defaults(call, object, record_type)
    filled |= texts.to_texts([field for field in fields if field.name in defaults], defaults, zone)
    known: dict[str, str] = {}
    said = ""
    copied = visiting.as_uuid(args.get("_copy"))
    if copied is not None:
        row = read_record(call, desk.reads, object, copied)
        readable = [
            each
            for each in fields
            if each.name in parts.readable and not (each.unique or each.mask or each.holds_files)
        ]
        filled |= {name: value for name, value in texts.to_texts(readable, row, zone).items() if value}
        known = visiting.names_in(row, readable, call)
        said = t("form.copied", name=visiting.name_of(call, object, row))
    if "owner" in {field.name for field in fields}:
        filled["owner"], known["owner"] = str(call.principal.user_id), call.principal.name
    for field in fields:
        given = args.get(field.name)
        if given is None:
            continue
        filled[field.name] = given
        id = visiting.as_uuid(given) if field.is_reference else None
        if field.is_reference:
            known[field.name] = (finder.name(field, id) or "") if id is not None else given
            said = said or t("form.from", name=known[field.name])
    return filled, known, said


def save_new(desk: Desk, object: ObjectDef) -> Response:
    """Create what the form says; blank inputs are left out, so that defaults of the object apply."""
    call, form = desk.call, late_forms.in_present_names(desk.request.form, object)
    call.gate.require(object, "create")
    record_type = record_type_for(desk, object, form.get("_record_type"))
    parts = visiting.parts_for(call, object, record_type)
    fields = visiting.fields_of(parts, creating=True)
    posted = edit_page.read_posted(fields, form, Lookups(call, desk.reads), call.language, call)
    lines = LinesForm.posted(call, desk.reads, parts, form, None)
    back = local_path(form.get("_back", ""), "")
    types = edit_page.type_choices(call, object, record_type, {})
    again = _Again(desk, parts, posted, None, back, types)
    asked = again.asked
    lines = lines.under(asked.hidden)
    if form.get("_then") == "edit" or "_line" in form:
        again.posted = replace(posted, texts=fitting(object, fields, posted.texts, {}, asked.withheld))
        return again.show(lines, {}, (), 200)
    values = edit_page.values_of(fields, posted, ZoneInfo(call.zone), posted.texts)
    # What does not show when the form is sent is left out, whatever was typed before it went.
    values = {name: value for name, value in values.items() if value is not None and name not in asked.hidden}
    if record_type is not None:
        values.setdefault("record_type", record_type.name)
    lines = lines.checked()
    wrong = dict(posted.errors)
    lost = late_forms.gone(form, parts, call, creating=True)
    head = Intent("create", values=values, copied=visiting.as_uuid(form.get("_copy")) is not None)
    if wrong or lost or lines.has_errors:
        return again.told(head, lines, wrong, lost)
    try:
        saved = desk.records.save(object.name, head, lines.wanted())
    except Unauthenticated:
        raise
    except TabwrightError as error:
        return again.refused(error, lines)
    form_drafts.done(desk, object, None)
    desk.flash("form.created", undo=saved.operation, name=saved_name(desk, object, saved.id))
    if form.get("_then") == "new":
        return redirect(f"/o/{object.name}/new" + (f"?record_type={record_type.name}" if record_type else ""))
    return redirect(back or f"/o/{object.name}/{saved.id}")


def saved_name(desk: Desk, object: ObjectDef, id: UUID) -> str:
    try:
        row = desk.reads.get(object.name, id, (object.name_field,))
    except TabwrightError:
        return label_in(object.labels, desk.call.language)
    return visiting.name_of(desk.call, object, row)


class _Again:
    """The form once more, with everything that was typed and what is wrong with it."""

    def __init__(
        self,
        desk: Desk,
        parts: visiting.Parts,
        posted: edit_page.Posted,
        row: Mapping[str, Any] | None,
        back: str,
        types: tuple[edit_page.TypeChoice, ...] = (),
    ) -> None:
        self._desk = desk
        self._parts = parts
        self._row = row
        self._back = back
        self._types = types
        self._fields = visiting.fields_of(parts, creating=row is None)
        self.posted = posted

    @property
    def asked(self) -> Asked:
        """What the conditions say of the form as it was posted."""
        call, row = self._desk.call, self._row
        made = visibility.typed(
            call, self._desk.reads, self._parts, self._fields, self.posted.texts, row or {}
        )
        return visibility.asked(call, self._parts, made, row)

    def show(
        self,
        lines: LinesForm,
        at: Mapping[str, tuple[str, ...]],
        told: tuple[edit_page.FaultLine, ...],
        status: int,
        warned: edit_page.Warned | None = None,
    ) -> Response:
        desk, parts, row = self._desk, self._parts, self._row
        asked = self.asked
        lines = lines.under(asked.hidden)
        entry = edit_page.entry_of(desk.call, self.posted, row or {}, at, asked, lines.html())
        form = late_forms.in_present_names(desk.request.form, parts.object)
        page = edit_page.form_page(
            desk.call,
            parts,
            entry,
            was=form.get("_was", ""),
            row=row,
            faults=told,
            back=self._back,
            types=self._types,
            is_dynamic=lines.is_dynamic,
            warned=warned,
        )
        if row is None:
            page = replace(page, copied=form.get("_copy", ""))
        return desk.page("form.html", parts.object.name, page, status)

    def told(
        self,
        head: Intent,
        lines: LinesForm,
        wrong: Mapping[str, tuple[str, ...]],
        lost: tuple[edit_page.FaultLine, ...],
    ) -> Response:
        """What the form itself found wrong, and what the write path would say besides: everything at once."""
        desk, object = self._desk, self._parts.object
        language = desk.call.language
        at, about = dict(wrong), edit_page.lines_of(wrong, object, language)
        known = {
            (table.plan.relation, line.key): set(line.errors)
            for table in lines.tables
            for line in table.lines
        }
        try:
            error = desk.records.rehearse_save(object.name, head, lines.wanted())
        except TabwrightError as refused:
            error = refused
        if error is not None:
            lines, faults = lines.with_faults(error, known)
            others = [fault for fault in faults if fault.place.field not in wrong]
            if others:
                more, further = edit_page.sort_faults(Invalid(others), object, self._fields, language)
                at.update(more)
                about += further
        place = {f"f-{field.name}": number for number, field in enumerate(self._fields)}
        about = tuple(sorted(about, key=lambda line: place.get(line.anchor or "", len(place))))
        return self.show(lines, at, lost + about + lines.summary(), 409 if lost or lines.lost else 422)

    def refused(self, error: TabwrightError, lines: LinesForm) -> Response:
        """What the write path refused, at its places. A record that is gone is not shown again."""
        language = self._desk.call.language
        warned = edit_page.warned(error, self._parts.object, self._fields, language)
        if warned is not None:
            return self.show(lines, {}, (), error.status, warned)
        lines, faults = lines.with_faults(error)
        if isinstance(error, NotFound) and faults:
            raise error
        at: dict[str, tuple[str, ...]] = {}
        about: tuple[edit_page.FaultLine, ...] = ()
        if faults:
            at, about = edit_page.sort_faults(Invalid(faults), self._parts.object, self._fields, language)
        return self.show(lines, at, about + lines.summary(), error.status)


# ---- edit --------------------------------------------------------


def show_edit(desk: Desk, object: ObjectDef, id: UUID) -> Response:
    """The form of a record as it is now."""
    call = desk.call
    row, parts, fields = _open(desk, object, id)
    filled = texts.to_texts(fields, row, ZoneInfo(call.zone))
    known = visiting.names_in(row, fields, call)
    found = form_drafts.on_return(desk, object, id, fields, filled, known)
    page = _filled(desk, parts, row, found.texts, found.names, found.draft, found.was, found.revision)
    return desk.page("form.html", object.name, replace(page, draft=found.banner))


def form_to_look_at(desk: Desk, object: ObjectDef, id: UUID) -> edit_page.FormPage:
    """The form of a record as it stands in the store; where it would be posted to takes nothing."""
    row, parts, fields = _open(desk, object, id)
    filled = texts.to_texts(fields, row, ZoneInfo(desk.call.zone))
    page = _filled(desk, parts, row, filled, visiting.names_in(row, fields, desk.call))
    return replace(page, action="", draft_action="", alike="", is_dynamic=False)


def _filled(
    desk: Desk,
    parts: visiting.Parts,
    row: Mapping[str, Any],
    filled: Mapping[str, str],
    names: Mapping[str, str],
    draft: FormDraft | None = None,
    was: str = "",
    revision: Any = None,
) -> edit_page.FormPage:
    """The form of a record with these texts, and what a draft holds of its lines."""
    call = desk.call
    fields = visiting.fields_of(parts, creating=False)
    typed = visibility.typed(call, desk.reads, parts, fields, filled, row)
    asked = visibility.asked(call, parts, typed, row, is_preview=desk.is_preview)
    lines = LinesForm.edit(call, desk.reads, parts, row["id"]).restored(draft).under(asked.hidden)
    return edit_page.form_page(
        call,
        parts,
        Entry(filled, visiting.seen(call, row), names=names, asked=asked, lines=lines.html()),
        was=was,
        row={**row, "revision": revision or row.get("revision")},
        back=local_path(desk.request.args.get("_back", ""), ""),
        is_dynamic=lines.is_dynamic,
    )


def _open(
    desk: Desk, object: ObjectDef, id: UUID
) -> tuple[Mapping[str, Any], visiting.Parts, tuple[FieldDef, ...]]:
    call = desk.call
    call.gate.require(object, "edit")
    row = read_record(call, desk.reads, object, id)
    parts = row_parts(call, object, row)
    return row, parts, visiting.fields_of(parts, creating=False)


def save_edit(desk: Desk, object: ObjectDef, id: UUID) -> Response:
    """Write the fields that were changed on the form; the rest is not touched."""
    call, form = desk.call, late_forms.in_present_names(desk.request.form, object)
    row, parts, fields = _open(desk, object, id)
    finder = Lookups(call, desk.reads)
    if "_resolved" in form:
        posted = edit_page.resolve(fields, form, finder)
    else:
        posted = edit_page.read_posted(fields, form, finder, call.language, call)
    lines = LinesForm.posted(call, desk.reads, parts, form, id)
    back = local_path(form.get("_back", ""), "")
    shown = {**row, "revision": form.get("_revision") or row.get("revision")}
    again = _Again(desk, parts, posted, shown, back)
    asked = again.asked
    lines = lines.under(asked.hidden)
    if form.get("_then") == "edit" or "_line" in form:
        again.posted = replace(posted, texts=fitting(object, fields, posted.texts, row, asked.withheld))
        return again.show(lines, {}, (), 200)
    since = edit_page.revision_of(form.get("_revision", ""))
    changed = [name for name in posted.changed if name not in asked.hidden]
    values = edit_page.values_of(fields, posted, ZoneInfo(call.zone), changed)
    lines = lines.checked()
    wrong = dict(posted.errors)
    lost = late_forms.gone(form, parts, call, creating=False)
    head = Intent("update", id, values, seen=since)
    if wrong or lost or lines.has_errors:
        return again.told(head, lines, wrong, lost)
    after = back or f"/o/{object.name}/{id}"
    if not posted.changed and not lines.has_changes:
        form_drafts.done(desk, object, id)
        desk.flash("form.unchanged")
        return redirect(after)
    try:
        saved = _saved(desk, object, head, lines)
    except Unauthenticated:
        raise
    except TabwrightError as error:
        if _is_clash(error):
            clash = _clash(desk, object, id, posted, lines, back)
            if clash is not None:
                return clash
        return again.refused(error, lines)
    form_drafts.done(desk, object, id)
    _tell(desk, object, posted, row, fields, saved.operation, id)
    return redirect(after)


def _saved(desk: Desk, object: ObjectDef, head: Intent, lines: LinesForm) -> Saved:
    """Write the form. Where others only moved rows that were moved here too, this order holds."""
    try:
        return desk.records.save(object.name, head, lines.wanted())
    except Conflict as error:
        positions = {table.plan.lines.position for table in lines.tables}
        if not all(
            fault.code == CLASH and fault.place.pointer and fault.place.field in positions
            for fault in error.faults
        ):
            raise
    return desk.records.save(object.name, head, lines.wanted(agreed=True))


def _is_clash(error: TabwrightError) -> bool:
    """Whether somebody else changed or deleted what this form changes."""
    return any(
        fault.code == CLASH or (fault.place.pointer and fault.code in LINE_CLASHES) for fault in error.faults
    )


def _tell(
    desk: Desk,
    object: ObjectDef,
    posted: edit_page.Posted,
    before: Mapping[str, Any],
    fields: tuple[FieldDef, ...],
    operation: UUID | None,
    id: UUID,
) -> None:
    """Say what was saved; and, where somebody else saved meanwhile, that theirs is kept too."""
    call = desk.call
    theirs = texts.to_texts(fields, before, ZoneInfo(call.zone))
    kept = [
        label_in(field.labels, call.language)
        for field in fields
        if field.name in posted.was
        and theirs[field.name] != posted.was[field.name]
        and field.name not in posted.changed
    ]
    if kept:
        who = str(before.get("updated_by.name") or text(call.language)("conflict.somebody"))
        desk.flash("form.merged", undo=operation, who=who, fields=names(kept, call.language))
    else:
        desk.flash("form.saved", undo=operation, name=saved_name(desk, object, id))


def _clash(
    desk: Desk, object: ObjectDef, id: UUID, posted: edit_page.Posted, lines: LinesForm, back: str
) -> Response | None:
    """Somebody else changed what this person changed: three values a field, a choice each. None where
    nothing is left to choose.
    """
    call = desk.call
    row, parts, _ = _open(desk, object, id)
    t = text(call.language)
    _, was_names = edit_page.unpack(late_forms.in_present_names(desk.request.form, object).get("_was", ""))
    when = row.get("updated_at")
    who = str(row.get("updated_by.name") or t("conflict.somebody"))
    about = clashes(call, lines, LinesForm.edit(call, desk.reads, parts, id), who)
    page = edit_page.conflict_page(
        call,
        parts,
        posted,
        row,
        was_names,
        back=back,
        who=who,
        when=when_text(when, call.clock.now(), ZoneInfo(call.zone), call.language) if when else "",
        differing=about.differing,
        lines=about.carried,
    )
    return desk.page("conflict.html", object.name, page, 409) if page.fields else None
