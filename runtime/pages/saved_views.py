"""What people do with the views of a list: save, change, share, remove, open an object with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, request
from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Malformed
from tabwright.platform.web import policy, visit
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.list_state import State, read_state, views_of
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.ways import view_href, way_body
from tabwright.runtime.pages.world import Desk, Site, open_desk
from tabwright.runtime.personal.views import WAYS, SavedView, SavedViews, Way


def register(app: Flask, site: Site) -> None:
    """Put the views' addresses beside the lists."""
    views = Blueprint("saved_views", __name__)

    def asked(object: str) -> tuple[Desk, ObjectDef, SavedViews]:
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        return desk, found, SavedViews(desk.call, found)

    def state_of(desk: Desk, object: ObjectDef) -> State:
        given = MultiDict(
            (name, request.form[name]) for name in ("where", "order", "columns") if name in request.form
        )
        return read_state(
            object, views_of(object, (), desk.look.language, Sight(desk.call, object).knows), given
        )

    def body_of(desk: Desk, object: ObjectDef, way: Way) -> Mapping[str, Any]:
        return state_of(desk, object).body() if way == "table" else way_body(way, request.form)

    def show(object: ObjectDef, view: SavedView | None) -> Response:
        return redirect(f"/o/{object.name}" if view is None else view_href(object, view))

    @views.post("/o/<object>/views")
    @policy("session")
    def create(object: str) -> Response:
        """Save what the list shows under a name."""
        desk, found, saved = asked(object)
        way: Way = next((each for each in WAYS if each == request.form.get("way")), "table")
        body = body_of(desk, found, way)
        view = saved.create(request.form.get("name", ""), way, body, shared="shared" in request.form)
        desk.flash("view.saved", name=view.name)
        return show(found, view)

    @views.post("/o/<object>/views/open")
    @policy("session")
    def open_with(object: str) -> Response:
        """Open the object with a view from now on."""
        _, found, saved = asked(object)
        key = request.form.get("view", "")[:80]
        saved.open_with(key)
        return redirect(f"/o/{found.name}" + (f"?view={key}" if key else ""))

    @views.post("/o/<object>/views/<uuid:id>")
    @policy("session")
    def change(object: str, id: UUID) -> Response:
        """Save its new state, rename, share or remove it (``do``)."""
        desk, found, saved = asked(object)
        view, do = saved.get(id), request.form.get("do", "save")
        if do == "delete":
            saved.delete(view)
            desk.flash("view.deleted", name=view.name)
            return show(found, None)
        if do == "rename":
            view = saved.update(view, name=request.form.get("name", ""))
        elif do in ("share", "unshare"):
            view = saved.update(view, shared=do == "share")
        elif do == "save":
            view = saved.update(view, body=body_of(desk, found, view.way))
        else:
            raise Malformed.of("view.bad_verb", verb=do[:40])
        desk.flash("view.saved", name=view.name)
        return show(found, view)

    app.register_blueprint(views)
