"""The printable view of a record: its sections and line tables on white A4, as far as its reader may see it.

It needs ``print``. Every look stands in the journal, as what leaves on paper is as gone as an export.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Flask, Response, request
from markupsafe import Markup

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.platform.language import register_messages
from tabwright.platform.web import policy, visit
from tabwright.runtime.desk import Call
from tabwright.runtime.journal.writing import record_event
from tabwright.runtime.pages import visibility, visiting
from tabwright.runtime.pages.lines.shown import read_tables
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.record_page import read_record, row_parts, stamp
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.world import Site, open_desk

register_messages(Path(__file__).with_name("print_messages.json"))


@dataclass(frozen=True, slots=True)
class PrintPage:
    label: str
    name: str
    type_label: str | None
    highlights: Markup | None
    sections: Markup
    stamp: str
    printed: str
    back: str


def print_page(call: Call, reads: Reading, object: ObjectDef, id: UUID, tenant_name: str) -> PrintPage:
    """One record for paper. Raises NotFound, and Denied without the right to print."""
    call.gate.require(object, "print")
    row = read_record(call, reads, object, id)
    parts = row_parts(call, object, row)
    asked = visibility.stands(call, parts, row)
    filled = visiting.seen(call, row, asked, None, read_tables(call, reads, parts, id, asked.hidden))
    heights = visiting.highlights(call, parts)
    at = call.clock.now().astimezone(ZoneInfo(call.zone))
    return PrintPage(
        label=label_in(object.labels, call.language),
        name=visiting.name_of(call, object, row),
        type_label=label_in(parts.record_type.labels, call.language) if parts.record_type else None,
        highlights=heights.render(filled) if heights is not None else None,
        sections=visiting.sections(call, parts).render(filled),
        stamp=stamp(call, row),
        printed=text(call.language)(
            "print.by", tenant=tenant_name, who=call.principal.name, at=f"{at:%Y-%m-%d %H:%M}"
        ),
        back=f"/o/{object.name}/{id}",
    )


def register(app: Flask, site: Site) -> None:
    """Put the printable view beside the record's page."""
    pages = Blueprint("printing", __name__)

    @pages.get("/o/<object>/<uuid:id>/print")
    @policy("session")
    def printed(object: str, id: UUID) -> Response:
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        tenant = str(desk.session.data.get("tenant_name") or desk.session.location.slug)
        page = print_page(desk.call, desk.reads, found, id, tenant)
        with desk.call.tenant.store.write() as writer:
            record_event(desk.call, writer, "print", {"object": found.uid, "record": id.hex})
        html = render("print.html", desk.look, {"page": page, "watermark": desk.watermark})
        response = Response(html, content_type="text/html; charset=utf-8")
        response.headers["Content-Language"] = desk.look.html_lang
        return response

    app.register_blueprint(pages)
