"""From a page that people work in to the editor of what it shows: its list view, or the app round it."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from tabwright.admin_ui.navigation import href_of, kind_href, path
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.model import ObjectDef
from tabwright.platform.web import policy
from tabwright.runtime.pages.filtering.sight import Sight
from tabwright.runtime.pages.list_state import columns_text, order_text, read_state, views_of
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.ways import opens_elsewhere, read_way, way_views
from tabwright.runtime.pages.world import local_path
from tabwright.runtime.personal.views import SavedViews, Way

WAYS: dict[str, Way] = {"board": "board", "calendar": "calendar"}


def register(blueprint: Blueprint, site: Site) -> None:
    """The address behind "customise this page"."""

    @blueprint.get("/here")
    @policy("session")
    def here() -> Response:
        """The editor of the list that ``page`` shows, or of ``app``; it comes back to the page."""
        studio = open_studio(site)
        page = local_path(request.args.get("page", ""), "/")
        parts = urlsplit(page)
        steps = [each for each in parts.path.split("/") if each]
        args = MultiDict(parse_qsl(parts.query, keep_blank_values=True))
        if "app" in request.args:
            found = studio.drafting.find("app", request.args["app"])
            at = href_of("app", found.name) if found is not None else kind_href("app")
        elif len(steps) in (2, 3) and steps[0] == "o":
            object = studio.desk.object(steps[1])
            at = _view(studio, object, WAYS.get(steps[2] if len(steps) == 3 else ""), args)
        else:
            at = path()
        return redirect(at + ("&" if "?" in at else "?") + urlencode({"back": page}))


def _view(studio: Studio, object: ObjectDef, way: Way | None, args: MultiDict[str, str]) -> str:
    """The editor of the published view that a page shows; of a new one that shows the same, where it is a
    person's own.
    """
    call = studio.call
    sight = Sight(call, object)
    opening = SavedViews(call, object).opening()
    kept, preferred = opening.views, opening.preferred
    others = way_views(call, object, kept, sight.knows)
    shown: dict[str, Any]
    if way is not None:
        at = read_way(object, way, others, args)
        if at.view is not None and at.view.saved is None:
            return path("views", f"{object.name}.{at.view.key}")
        shown, label = dict(at.pairs()), at.view.label if at.view is not None else ""
        return _new(studio, object, way, shown, label)
    state = read_state(
        object, views_of(call, object, kept, sight.knows), args, preferred, opens_elsewhere(others)
    )
    if state.view.saved is None:
        return path("views", f"{object.name}.{state.view.key}")
    shown = {
        "where": state.where,
        "order": order_text(state.order),
        "columns": columns_text(state.columns),
    }
    return _new(studio, object, "table", shown, state.view.label)


def _new(studio: Studio, object: ObjectDef, way: Way, shown: dict[str, Any], label: str) -> str:
    given = {"way": way, "from": urlencode(shown)}
    if label:
        given[f"label.{studio.call.language}"] = label
    return path("new-view", object.name) + "?" + urlencode(given)
