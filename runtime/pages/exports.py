"""The pages of export: what the file is to be, the file itself, and how far a long one is."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Flask, Response, request

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Invalid
from tabwright.platform.language import register_messages, say_fault
from tabwright.platform.web import policy, visit
from tabwright.runtime.exporting.service import Asked, Exports, Kept
from tabwright.runtime.pages.bulk.routes import selection_of, state_of
from tabwright.runtime.pages.list_heads import table_for
from tabwright.runtime.pages.list_state import columns_text, order_text
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import in_sentence, plural
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import Desk, Site, local_path, open_desk

register_messages(Path(__file__).with_name("export_messages.json"))

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def register(app: Flask, site: Site) -> None:
    """Put exports beside the lists."""
    pages = Blueprint("exports", __name__)

    @pages.get("/o/<object>/export")
    @policy("session")
    def ask(object: str) -> Response:
        """What the file of this list is to be."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        desk.call.gate.require(found, "export")
        return _form(desk, found, _asked(desk, found, all=True))

    @pages.post("/o/<object>/export")
    @policy("session")
    def make(object: str) -> Response:
        """From the bar of a list the same question about its records; from the question the file."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        desk.call.gate.require(found, "export")
        asked, exports = _asked(desk, found, all=False), Exports(desk.call)
        if "format" not in request.form:
            return _form(desk, found, asked)
        if exports.is_long(exports.count(asked)):
            return redirect(f"/exports/{exports.start(asked).id}")
        return _file(exports.pieces(asked), found, asked, desk)

    @pages.get("/exports/<uuid:id>")
    @policy("session")
    def one(id: UUID) -> Response:
        desk = open_desk(site, request, visit())
        kept = Exports(desk.call).get(id)
        return desk.page("export_job.html", kept.asked.object, _job(desk, kept))

    @pages.post("/exports/<uuid:id>/cancel")
    @policy("session")
    def cancel(id: UUID) -> Response:
        desk = open_desk(site, request, visit())
        Exports(desk.call).cancel(id)
        return redirect(f"/exports/{id}")

    @pages.get("/exports/<uuid:id>/file")
    @policy("session")
    def file(id: UUID) -> Response:
        """The file, for the person who asked for it, until it expires."""
        desk = open_desk(site, request, visit())
        exports = Exports(desk.call)
        kept = exports.get(id)
        return _file(exports.content(id), desk.object(kept.asked.object), kept.asked, desk)

    app.register_blueprint(pages)


def _asked(desk: Desk, object: ObjectDef, *, all: bool) -> Asked:
    """What the address or the form says: the list as it is shown, or the records ticked in it."""
    given = request.args if all else request.form
    state = state_of(desk, object, given)
    ids = () if all else selection_of(desk, object).ids or ()
    columns = table_for(desk.call, object, state.columns).columns
    return Asked(
        object.name,
        tuple(column.path for column in columns),
        state.where,
        state.order,
        ids,
        "xlsx" if given.get("format") == "xlsx" else "csv",
        "api" if given.get("names") == "api" else "labels",
        "bom" in given,
    )


def _form(desk: Desk, object: ObjectDef, asked: Asked) -> Response:
    t, exports = text(desk.call.language), Exports(desk.call)
    try:
        rows = exports.count(asked)
    except Invalid as error:
        page: dict[str, Any] = {"faults": [say_fault(each, desk.call.language) for each in error.faults]}
        rows = 0
    else:
        page = {"faults": []}
    name = in_sentence(plural(object, desk.call.language), desk.call.language)
    state = state_of(desk, object, request.form if request.method == "POST" else request.args)
    kept = [
        ("where", asked.where),
        ("order", order_text(asked.order)),
        ("columns", columns_text(state.columns)),
    ]
    kept += [("id", id.hex) for id in asked.ids] or [("_all", "yes")]
    page |= {
        "object": object,
        "plural": plural(object, desk.call.language),
        "title": t("export.title", count=f"{rows:,}", objects=name),
        "where": asked.where,
        "columns": len(asked.columns),
        "is_long": exports.is_long(rows),
        "stamped": "files" in object.watermark,
        "most": f"{most:,}" if (most := desk.call.gate.export_rows(object)) is not None else "",
        "kept": kept,
        "back": local_path(request.form.get("_back", ""), state.href()),
    }
    return desk.page("export.html", object.name, page, 422 if page["faults"] else 200)


def _file(pieces: Any, object: ObjectDef, asked: Asked, desk: Desk) -> Response:
    response = Response(pieces, content_type=TYPES[asked.format])
    day = f"{desk.call.clock.now():%Y%m%d}"
    name = f"{plural(object, desk.call.language)}-{day}.{asked.format}"
    plain = f"{object.name}-{day}.{asked.format}"
    response.headers["Content-Disposition"] = (
        f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _job(desk: Desk, kept: Kept) -> dict[str, Any]:
    call, t = desk.call, text(desk.call.language)
    object = desk.object(kept.asked.object)
    moving = kept.state in ("waiting", "running")
    hours = max(1, round((kept.expires_at - call.clock.now()).total_seconds() / 3600))
    return {
        "object": object,
        "plural": plural(object, call.language),
        "at": f"/exports/{kept.id}",
        "moving": moving,
        "progress": t("export.progress", done=f"{kept.done:,}", of=f"{kept.row_count:,}"),
        "percent": min(100, kept.done * 100 // max(1, kept.row_count)),
        "ready": kept.size is not None,
        "done": t("export.ready", count=f"{kept.row_count:,}", hours=hours) if kept.size is not None else "",
        "stopped": kept.size is None and not moving,
        "faults": [say_fault(each, call.language) for each in kept.error],
    }
