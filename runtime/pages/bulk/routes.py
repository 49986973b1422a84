"""The addresses of bulk changes: begin on a list, choose, rehearse, run, watch, take back."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

from flask import Blueprint, Flask, Response, request
from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Conflict, Invalid, Malformed
from tabwright.platform.language import register_messages
from tabwright.platform.web import policy, visit
from tabwright.runtime.bulk.runs import ACTIONS, Run
from tabwright.runtime.bulk.selection import Selection
from tabwright.runtime.bulk.service import Bulk
from tabwright.runtime.exchange.results import lines
from tabwright.runtime.pages import edit_page
from tabwright.runtime.pages.bulk import choosing
from tabwright.runtime.pages.bulk.choosing import Said
from tabwright.runtime.pages.bulk.page import bulk_page, said
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.list_state import State, read_state, views_of
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.visiting import as_uuid
from tabwright.runtime.pages.world import Desk, Site, local_path, open_desk

register_messages(Path(__file__).with_name("messages.json"))

_SPOKEN = ("where", "order", "columns")


def state_of(desk: Desk, object: ObjectDef, given: MultiDict[str, str]) -> State:
    """The list that a form or an address is about, whole: its filter, order and columns."""
    spoken = MultiDict((name, given[name]) for name in _SPOKEN if name in given)
    views = views_of(desk.call, object, (), Sight(desk.call, object).knows)
    return read_state(object, views, spoken)


def selection_of(desk: Desk, object: ObjectDef) -> Selection:
    """What the posted bar says: the ticked records, or all of the list."""
    if request.form.get("_all") == "yes":
        state = state_of(desk, object, request.form)
        return Selection(None, state.where, state.order)
    ids = (as_uuid(each) for each in request.form.getlist("id"))
    return Selection(tuple(id for id in ids if id is not None))


def register(app: Flask, site: Site) -> None:
    """Put bulk changes beside the lists."""
    pages = Blueprint("bulk", __name__)

    def opened(id: UUID) -> tuple[Desk, Bulk, Run]:
        desk = open_desk(site, request, visit())
        bulk = Bulk(desk.call)
        return desk, bulk, bulk.get(id)

    def show(desk: Desk, bulk: Bulk, run: Run, form: Said | None = None, error: Invalid | None = None,
             status: int = 200) -> Response:  # fmt: skip
        object = bulk.object(run)
        faults: tuple[edit_page.FaultLine, ...] = ()
        errors = dict(form.errors) if form is not None and status != 200 else {}
        if form is not None and status != 200:
            faults = edit_page.lines_of(errors, object, desk.call.language)
        if error is not None:
            at, more = edit_page.sort_faults(error, object, form.fields if form else (), desk.call.language)
            errors, faults = {**errors, **at}, (*faults, *more)
        page = bulk_page(desk.call, desk.reads, bulk, run, form, faults, errors)
        return desk.page("bulk.html", page.object.name, page, status)

    @pages.post("/o/<object>/bulk")
    @policy("session")
    def start(object: str) -> Response:
        """Begin with the records that the bar names (``do``: edit, transfer, delete)."""
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        do = request.form.get("do", "")
        action = next((each for each in ACTIONS if each == do), None)
        if action is None:
            raise Malformed.of("bulk.bad_verb", verb=do[:40])
        back = local_path(request.form.get("_back", ""), f"/o/{found.name}")
        chosen = selection_of(desk, found)
        if chosen.ids == ():
            desk.flash("bulk.nothing", kind="warning")
            return redirect(back)
        run = Bulk(desk.call).start(found, action, chosen, back)
        return redirect(f"/bulk/{run.id}")

    @pages.get("/bulk/<uuid:id>")
    @policy("session")
    def one(id: UUID) -> Response:
        desk, bulk, run = opened(id)
        form = None
        if "change" in request.args and "choose" in run.verbs and run.action != "delete":
            form = choosing.first(desk.call, desk.reads, bulk.object(run), run)
        return show(desk, bulk, run, form)

    @pages.post("/bulk/<uuid:id>")
    @policy("session")
    def choose(id: UUID) -> Response:
        """Fields and values: one more field, one less, or rehearse what would happen."""
        desk, bulk, run = opened(id)
        object = bulk.object(run)
        form = choosing.read(desk.call, desk.reads, object, run, request.form)
        if request.form.get("_do") != "check":
            return show(desk, bulk, run, form)
        if form.errors:
            return show(desk, bulk, run, form, status=422)
        try:
            bulk.choose(id, form.values)
        except Invalid as error:
            return show(desk, bulk, run, form, error, error.status)
        return redirect(f"/bulk/{id}")

    @pages.post("/bulk/<uuid:id>/<any(run, cancel, undo, check):verb>")
    @policy("session")
    def act(id: UUID, verb: str) -> Response:
        desk, bulk, _ = opened(id)
        try:
            if verb == "run":
                run = bulk.run(id, "confirmed" in request.form)
            else:
                run = {"cancel": bulk.cancel, "undo": bulk.undo, "check": bulk.check_again}[verb](id)
        except Conflict:
            desk.flash("bulk.moved_on", kind="warning")
            return redirect(f"/bulk/{id}")
        if run.state not in ("done", "undone"):
            return redirect(f"/bulk/{id}")
        return finished(desk, run)

    def finished(desk: Desk, run: Run) -> Response:
        """Back to the list with a word about it; what was refused is shown first."""
        phase, done = ("run", run.action) if run.state == "done" else ("undo", "undo")
        counts = run.counted("run" if phase == "run" else "undo")
        if counts["failed"]:
            return redirect(f"/bulk/{run.id}")
        params: dict[str, str] = {"count": f"{counts['changed']:,}"}
        if "undo" in run.verbs and counts["changed"]:
            params["undo"] = f"/bulk/{run.id}/undo"
        desk.site.sessions.flash(desk.session, "success", f"pages.bulk.told_{done}", **params)
        return redirect(local_path(run.back))

    @pages.get("/bulk/<uuid:id>/refused.csv")
    @policy("session")
    def refused(id: UUID) -> Response:
        """The records that were not changed, with the reasons, for a spreadsheet."""
        desk, bulk, run = opened(id)
        phase = {"check": "check", "undo": "undo"}.get(request.args.get("phase", ""), "run")
        object, t = bulk.object(run), text(desk.call.language)
        rows = (
            (each.name, str(each.record or ""), "; ".join(said(desk.call, object, f) for f in each.faults))
            for each in bulk.all_problems(id, phase)  # type: ignore[arg-type]
        )
        head = (t("bulk.csv_name"), t("bulk.csv_id"), t("bulk.csv_reason"))
        response = Response(lines(head, rows), content_type="text/csv; charset=utf-8")
        name = re.sub(r"[^a-z0-9_]", "", object.name)
        response.headers.set("Content-Disposition", "attachment", filename=f"{name}-not-changed.csv")
        return response

    app.register_blueprint(pages)
