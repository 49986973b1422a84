"""The draft that a form keeps of itself while somebody types: posted by a script, offered on return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request
from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.web import policy, visit
from tabwright.runtime.forms import texts
from tabwright.runtime.pages import edit_page, late_forms, visiting
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.lines import keeping
from tabwright.runtime.pages.lines.form import LinesForm
from tabwright.runtime.pages.record_page import read_record, row_parts
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, Site, local_path, open_desk
from tabwright.runtime.personal.drafts import FormDraft, FormDrafts


@dataclass(frozen=True, slots=True)
class DraftBanner:
    """What a form says of its draft. ``restore_href`` is None where it stands in the form already."""

    text: str
    restore_href: str | None
    discard_action: str
    back: str


def register(app: Flask, site: Site) -> None:
    """Put ``/draft`` beside the forms."""
    drafts = Blueprint("form_drafts", __name__)

    @drafts.post("/o/<object>/new/draft")
    @policy("session")
    def new(object: str) -> Response:
        """Keep what the form of a new record holds; with ``_discard`` forget it."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        desk.call.gate.require(found, "create")
        types = desk.call.gate.record_types(found)
        wanted = request.form.get("_record_type")
        record_type = next((each for each in types if each.name == wanted), None)
        return _kept(desk, found, None, visiting.parts_for(desk.call, found, record_type))

    @drafts.post("/o/<object>/<uuid:id>/draft")
    @policy("session")
    def edit(object: str, id: UUID) -> Response:
        """The same for the form of a record."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        desk.call.gate.require(found, "edit")
        row = read_record(desk.call, desk.reads, found, id)
        return _kept(desk, found, row, row_parts(desk.call, found, row))

    app.register_blueprint(drafts)


def _kept(desk: Desk, object: ObjectDef, row: Mapping[str, Any] | None, parts: visiting.Parts) -> Response:
    id = None if row is None else visiting.as_uuid(row["id"])
    drafts = FormDrafts(desk.call)
    if "_discard" in request.form:
        drafts.discard(object, id)
        at = f"/o/{object.name}/" + ("new" if id is None else f"{id}/edit")
        return redirect(local_path(request.form.get("_back", ""), at))
    form = late_forms.in_present_names(request.form, object)
    lines = LinesForm.posted(desk.call, desk.reads, parts, form, id)
    draft = _draft_in(form, parts, lines, creating=row is None)
    if draft is None:
        drafts.discard(object, id)
    else:
        drafts.keep(object, id, draft)
    return Response(status=204)


def _draft_in(
    form: MultiDict[str, str], parts: visiting.Parts, lines: LinesForm, *, creating: bool
) -> FormDraft | None:
    """What was typed beyond what the form was opened with; None where that is nothing."""
    fields = [each for each in visiting.fields_of(parts, creating=creating) if _may_be_kept(each)]
    given = texts.posted(fields, form)
    was, was_names = edit_page.unpack(form.get("_was", ""))
    kept: dict[str, dict[str, str]] = {"texts": {}, "was": {}, "names": {}, "was_names": {}}
    for field in fields:
        name, uid = field.name, field.uid
        typed = form.get(f"{name}.text", "") if field.is_reference else ""
        blank = "false" if field.type == "boolean" else ""
        first = was.get(name, blank)
        if given.get(name, first) == first and typed.strip() == was_names.get(name, ""):
            continue
        kept["texts"][uid], kept["was"][uid] = given.get(name, ""), first
        if field.is_reference:
            kept["names"][uid], kept["was_names"][uid] = typed, was_names.get(name, "")
    tables = {
        table.plan.link.uid: made for table in lines.tables if (made := keeping.kept(table)) is not None
    }
    if not kept["texts"] and not tables:
        return None
    record_type = parts.record_type.uid if creating and parts.record_type is not None else None
    return FormDraft(
        kept["texts"],
        kept["was"],
        kept["names"],
        kept["was_names"],
        edit_page.revision_of(form.get("_revision", "")),
        record_type,
        lines=tables,
    )


def _may_be_kept(field: FieldDef) -> bool:
    return field.mask is None and field.type != "secret"


# ---- on return --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Return:
    """A form's texts as it opens: with the draft where it was asked for, and what is said of it."""

    texts: dict[str, str]
    names: dict[str, str]
    was: str  # packed, as ``edit_page.pack``
    revision: str | None
    banner: DraftBanner | None
    draft: FormDraft | None = None  # where it was asked for


def on_return(
    desk: Desk,
    object: ObjectDef,
    record: UUID | None,
    fields: Sequence[FieldDef],
    filled: Mapping[str, str],
    names: Mapping[str, str],
) -> Return:
    """Only fields that the form takes now are restored, and only when that was asked for."""
    plain = Return(dict(filled), dict(names), edit_page.pack(filled, names), None, None)
    draft = FormDrafts(desk.call).get(object, record)
    if draft is None:
        return plain
    banner = _banner(desk, object, record, draft)
    if "_draft" not in desk.request.args:
        return Return(plain.texts, plain.names, plain.was, None, banner)
    typed, known, was, was_names = plain.texts, plain.names, dict(filled), dict(names)
    for field in fields:
        if field.uid not in draft.texts or not _may_be_kept(field):
            continue
        typed[field.name] = draft.texts[field.uid]
        was[field.name] = draft.was.get(field.uid, "")
        if field.is_reference:
            known[field.name] = draft.names.get(field.uid, "")
            was_names[field.name] = draft.was_names.get(field.uid, "")
    said = text(desk.call.language)("draft.restored", when=_when(desk, draft))
    here = DraftBanner(said, None, banner.discard_action, banner.back)
    return Return(typed, known, edit_page.pack(was, was_names), str(draft.revision or ""), here, draft)


def _when(desk: Desk, draft: FormDraft) -> str:
    call = desk.call
    assert draft.at is not None
    return when_text(draft.at, call.clock.now(), ZoneInfo(call.zone), call.language)


def _banner(desk: Desk, object: ObjectDef, record: UUID | None, draft: FormDraft) -> DraftBanner:
    call, args = desk.call, desk.request.args
    at = f"/o/{object.name}/" + ("new" if record is None else str(record))
    form = at if record is None else at + "/edit"
    kept = {"_back": back} if (back := local_path(args.get("_back", ""), "")) else {}
    types = call.gate.record_types(object) if record is None else ()
    chosen = next((each.name for each in types if each.uid == draft.record_type), None)
    asked = {**kept, "_draft": "1", **({"record_type": chosen} if chosen else {})}
    back_to = form + (f"?{urlencode(kept)}" if kept else "")
    said = text(call.language)("draft.there", when=_when(desk, draft))
    return DraftBanner(said, f"{form}?{urlencode(asked)}", f"{at}/draft", back_to)


def done(desk: Desk, object: ObjectDef, record: UUID | None) -> None:
    """The form was saved: its draft goes."""
    drafts = FormDrafts(desk.call)
    if drafts.get(object, record) is not None:
        drafts.discard(object, record)
