"""Why a computed value is so: how its formula came to it, for whoever may read the field."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request

from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.errors import NotFound
from tabwright.platform.web import policy, visit
from tabwright.runtime.explaining import explained
from tabwright.runtime.forms.shown import name_path, shower
from tabwright.runtime.pages import visiting
from tabwright.runtime.pages.explaining import Shown, shown
from tabwright.runtime.pages.rendering import render
from tabwright.runtime.pages.world import Desk, Site, open_desk


@dataclass(frozen=True, slots=True)
class WhyPage:
    """The value of one field of one record, and the steps that lead to it."""

    object: ObjectDef
    id: UUID
    name: str  # of the record
    field: str
    value: str  # as HTML; "" for a blank one
    formula: str  # its text, "" where it names what this person may not see
    shown: Shown
    is_hiding: bool  # some of it is not visible to this person


def why_page(desk: Desk, object: ObjectDef, id: UUID, name: str) -> WhyPage:
    """Raises NotFound where there is no such record, or no such computed field, that may be known."""
    call = desk.call
    call.gate.require(object, "read")
    field: FieldDef | None = call.gate.find(object, name)
    if field is None or field.computed is None:
        raise NotFound.of("web.not_found")
    named = name_path(field, field.name, call.model)
    paths = dict.fromkeys((object.name_field, field.name, *([named] if named else ())))
    row = desk.reads.get(object.name, id, tuple(paths))
    formula = field.computed.shown
    # A mirror shows what its reader may see at the other end; a formula shows its value to who may read it.
    found = explained(call, object, formula, id, result=field.computed.kind != "mirror")
    return WhyPage(
        object=object,
        id=id,
        name=str(row.get(object.name_field) or ""),
        field=label_in(field.labels, call.language),
        value=shower(field, field.name, call.model, call.language)(visiting.seen(call, row)),
        formula="" if found.hides else formula.text,
        shown=shown(call, found, formula.text, f"/o/{object.name}/{id}"),
        is_hiding=found.hides,
    )


def register(pages: Blueprint, site: Site) -> None:
    """The address of an explanation: a page, or what stands in a dialog."""

    @pages.get("/o/<object>/<uuid:id>/why/<field>")
    @policy("session")
    def why(object: str, id: UUID, field: str) -> Response:
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        page = why_page(desk, found, id, field)
        if request.headers.get("HX-Request"):
            html = render("why_body.html", desk.look, {"page": page})
            return Response(html, content_type="text/html; charset=utf-8")
        return desk.page("why.html", found.name, page)
