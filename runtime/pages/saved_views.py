"""What people do with the views of a list: save, change, share, remove, open an object with one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, request
from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import LimitReached, Malformed, NotFound
from tabwright.platform.web import policy, visit
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.list_state import State, read_state, views_of
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.ways import view_href, way_body, way_views
from tabwright.runtime.pages.world import Desk, Site, local_path, open_desk
from tabwright.runtime.personal.lists import MOST_PINS
from tabwright.runtime.personal.views import WAYS, Opening, SavedView, SavedViews, Way


def register(app: Flask, site: Site) -> None:
    """Put the views' addresses beside the lists."""
    views = Blueprint("saved_views", __name__)

    def asked(object: str) -> tuple[Desk, ObjectDef, SavedViews]:
        desk = open_desk(site, request, visit())
        found = desk.object(object)
        return desk, found, SavedViews(desk.call, found)

    def state_of(desk: Desk, object: ObjectDef) -> State:
        told = ("where", "order", "columns", "colours")
        given = MultiDict((name, request.form[name]) for name in told if name in request.form)
        return read_state(object, views_of(desk.call, object, (), Sight(desk.call, object).knows), given)

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

    def every(desk: Desk, object: ObjectDef, opening: Opening) -> dict[str, str]:
        """Key -> address of each view that this person may use."""
        known = Sight(desk.call, object).knows
        tables = views_of(desk.call, object, opening.views, known)
        others = way_views(desk.call, object, opening.views, known)
        return {each.key: f"/o/{object.name}?view={each.key}" for each in tables} | {
            each.key: f"/o/{object.name}/{each.way}?view={each.key}" for each in others
        }

    @views.post("/o/<object>/views/pin")
    @policy("session")
    def pin(object: str) -> Response:
        """Pin a view to the bar (``do`` = pin), move it to the left (earlier) or take it off (unpin)."""
        desk, found, saved = asked(object)
        opening, key, do = saved.opening(), request.form.get("view", "")[:80], request.form.get("do", "")
        known, look = every(desk, found, opening), opening.look
        if key not in known and do != "unpin":
            raise NotFound.of("pages.pins.unknown")
        kept = [each for each in look.pins if each in known]
        if do == "pin":
            if key not in kept and len(kept) >= MOST_PINS:
                raise LimitReached.of("pages.pins.too_many", most=MOST_PINS)
            look = replace(look, pins=tuple(kept)).pinning(key, kept.index(key) if key in kept else len(kept))
        elif do == "earlier" and key in kept:
            look = replace(look, pins=tuple(kept)).pinning(key, kept.index(key) - 1)
        elif do == "unpin":
            look = look.pinning(key, None)
        else:
            raise Malformed.of("view.bad_verb", verb=do[:40])
        saved.keep(look)
        return redirect(local_path(request.form.get("back", ""), known.get(key, f"/o/{found.name}")))

    @views.post("/o/<object>/views/widths")
    @policy("session")
    def widths(object: str) -> Response:
        """Keep the widths (``widths``: JSON of pixels by path) of a view's columns for this person; none:
        as they were published. Answers a script with nothing, a form with the list.
        """
        desk, found, saved = asked(object)
        opening, key = saved.opening(), request.form.get("view", "")[:80]
        if key not in every(desk, found, opening):
            raise NotFound.of("pages.pins.unknown")
        saved.keep(opening.look.sizing(key, _widths(request.form.get("widths", "{}"))))
        if request.form.get("back"):
            return redirect(local_path(request.form["back"], f"/o/{found.name}"))
        return Response(status=204)

    app.register_blueprint(views)


def _widths(text: str) -> dict[str, int]:
    try:
        found = json.loads(text[:20_000])
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(
        isinstance(width, int) and not isinstance(width, bool) for width in found.values()
    ):
        raise Malformed.of("pages.widths.bad")
    return found
