"""The addresses of the palette: its lines, the preview of a record, the list of shortcuts."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Flask, Response, request

from tabwright.metadata.model import label_in
from tabwright.platform.web import policy, visit
from tabwright.runtime.pages import visibility, visiting
from tabwright.runtime.pages.palette.found import LONGEST, groups
from tabwright.runtime.pages.record_page import read_record, row_parts
from tabwright.runtime.pages.rendering import render
from tabwright.runtime.pages.world import Desk, Site, open_desk


def register(app: Flask, site: Site) -> None:
    """Put them on the application."""
    palette = Blueprint("palette", __name__)

    def asked() -> Desk:
        return open_desk(site, request, visit())

    @palette.get("/palette")
    @policy("session")
    def lines() -> Response:
        """The lines for what was typed, as the inside of the list."""
        desk = asked()
        typed = request.args.get("q", "")[:LONGEST]
        found = groups(desk.call, desk.reads, typed)
        return _piece(desk, "palette_lines.html", groups=found, q=typed)

    @palette.get("/palette/preview/<object>/<uuid:id>")
    @policy("session")
    def preview(object: str, id: UUID) -> Response:
        """What a record is about: its highlights."""
        desk = asked()
        call = desk.call
        found = desk.object(object)
        call.gate.require(found, "read")
        row = read_record(call, desk.reads, found, id)
        parts = row_parts(call, found, row)
        heights = visiting.highlights(call, parts)
        filled = visiting.seen(call, row, visibility.stands(call, parts, row))
        return _piece(
            desk, "palette_preview.html", object=found, label=label_in(found.labels, call.language),
            name=visiting.name_of(call, found, row),
            highlights=heights.render(filled) if heights is not None else "",
        )  # fmt: skip

    @palette.get("/shortcuts")
    @policy("session")
    def shortcuts() -> Response:
        """The dialog with the keys."""
        return _piece(asked(), "shortcuts_dialog.html")

    app.register_blueprint(palette)


def _piece(desk: Desk, template: str, **context: object) -> Response:
    html = render(template, desk.look, context)
    return Response(html, content_type="text/html; charset=utf-8")
