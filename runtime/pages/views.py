"""The addresses of the generated pages. ``register`` is the door of this room (decision 0013)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from functools import cache
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from flask import Blueprint, Flask, Response, request
from werkzeug.routing import UUIDConverter

from tabwright.metadata.model import Model
from tabwright.platform.errors import Conflict, Denied, Invalid, TabwrightError
from tabwright.platform.language import LANGUAGES, say_fault
from tabwright.platform.signin import COOKIE
from tabwright.platform.web import LANGUAGE_COOKIE, Web, policy, visit
from tabwright.runtime.pages import edit_page, faults, lookups, other_pages, saving, signing
from tabwright.runtime.pages.history import days
from tabwright.runtime.pages.list_page import list_page
from tabwright.runtime.pages.record_page import read_record, record_page
from tabwright.runtime.pages.rendering import DENSITIES, THEMES, render, text
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import (
    APP_COOKIE,
    LOOK_COOKIE,
    PREVIEW_COOKIE,
    Desk,
    Site,
    keep_cookie,
    local_path,
    look_of,
    open_desk,
    preview_desk,
)
from tabwright.runtime.records.service import Records


class AnyUuid(UUIDConverter):
    """An id in an address, also without hyphens, as the API gives it."""

    regex = rf"{UUIDConverter.regex}|[0-9A-Fa-f]{{32}}"


DraftOf = Callable[[Desk], Model | None]
"""The compiled model of this person's draft; None where there is none. Raises Invalid where it has faults."""


def register(app: Flask, site: Site, draft_of: DraftOf | None = None) -> None:
    """Put the pages on the application, and show errors to people in their shape.

    ``draft_of`` is what ``?preview=draft`` shows; the doorway gives it.
    """
    app.url_map.converters["uuid"] = AnyUuid
    pages = Blueprint("pages", __name__)
    _door(pages, site)
    _lists_and_records(pages, site, draft_of)
    _writing(pages, site)
    _rest(pages, site)
    web: Web = app.extensions["tabwright"]
    web.error_page = lambda error, status, here: faults.error_page(site, error, status, here)
    app.register_blueprint(pages)


@cache
def zones() -> tuple[str, ...]:
    """The names of time zones that a person may choose, sorted."""
    return tuple(sorted(each for each in available_timezones() if "/" in each or each == "UTC"))


def _desk(site: Site) -> Desk:
    return open_desk(site, request, visit())


# ---- the door --------------------------------------------------------


def _door(pages: Blueprint, site: Site) -> None:
    @pages.get("/sign-in")
    @policy("public")
    def sign_in_form() -> Response:
        following = local_path(request.args.get("next", "/"))
        if site.sessions.find(request.cookies.get(COOKIE, "")) is not None:
            return redirect(following)
        t = text(visit().language)
        notice = t("sign_in.out") if "out" in request.args else t("sign_in.again") if following != "/" else ""
        return signing.show_door(site, request, visit(), signing.Door(following, notice=notice))

    @pages.post("/sign-in")
    @policy("public")
    def sign_in() -> Response:
        return signing.sign_in(site, request, visit())

    @pages.post("/sign-out")
    @policy("session")
    def sign_out() -> Response:
        return signing.sign_out(site, request, request.cookies.get(COOKIE, ""))

    @pages.post("/settings/look")
    @policy("public")
    def look() -> Response:
        """Theme, density and language by one button, before and after sign-in."""
        form = request.form
        session = site.sessions.find(request.cookies.get(COOKIE, ""))
        if session is None:
            signing.check_door(request)
        elif not hmac.compare_digest(form.get("csrf", "").encode("utf-8", "replace"), session.csrf.encode()):
            raise Denied.of("web.csrf")
        response = redirect(local_path(form.get("back", "/")))
        now = look_of(request, visit().language, "")
        theme = form.get("theme") if form.get("theme") in THEMES else now.theme
        density = form.get("density") if form.get("density") in DENSITIES else now.density
        keep_cookie(site, response, LOOK_COOKIE, f"{theme}.{density}")
        language = form.get("language")
        if language in LANGUAGES:
            keep_cookie(site, response, LANGUAGE_COOKIE, str(language))
            if session is not None:
                here = visit()
                here.session = session
                desk = open_desk(site, request, here)
                Records(desk.own).update("user", desk.call.principal.user_id, {"language": language})
        return response


# ---- lists and records --------------------------------------------------------


def _lists_and_records(pages: Blueprint, site: Site, draft_of: DraftOf | None) -> None:
    def shown() -> Desk:
        """The desk, under this person's draft while they look at the preview of it."""
        desk = _desk(site)
        if request.args.get("preview", request.cookies.get(PREVIEW_COOKIE)) != "draft":
            return desk
        if draft_of is None or not desk.call.gate.has("customise"):
            return desk
        model = draft_of(desk)
        return desk if model is None else preview_desk(desk, model)

    @pages.after_request
    def keep_preview(response: Response) -> Response:
        """A preview stays until it is left, so that its links need not say so."""
        wanted = request.args.get("preview")
        if wanted == "draft" and response.status_code < 400:
            response.set_cookie(PREVIEW_COOKIE, "draft", path="/", samesite="Lax", httponly=True)
        elif wanted is not None:
            response.delete_cookie(PREVIEW_COOKIE, path="/")
        return response

    @pages.get("/")
    @policy("session")
    def home() -> Response:
        desk = shown()
        page = other_pages.home_page(desk.call, desk.reads, desk.shell("home"), desk.seen())
        response = desk.page("home.html", "home", page)
        if request.args.get("app"):
            keep_cookie(site, response, APP_COOKIE, request.args["app"][:100])
        return response

    @pages.get("/more")
    @policy("session")
    def more() -> Response:
        desk = _desk(site)
        return desk.page("more.html", "more", None)

    @pages.get("/o/<object>")
    @policy("session")
    def list(object: str) -> Response:
        desk = shown()
        found = desk.object(object)
        page = list_page(
            desk.call, desk.reads, found, request.args,
            imports=desk.imports(), marks=desk.marks, is_preview=desk.is_preview,
        )  # fmt: skip
        return desk.page("list.html", found.name, page)

    @pages.get("/o/<object>/<uuid:id>")
    @policy("session")
    def record(object: str, id: UUID) -> Response:
        desk = shown()
        found = desk.object(object)
        past = None if desk.is_preview else days(desk.call, desk.reads, found, id)
        page = record_page(desk.call, desk.reads, found, id, past, desk.marks, is_preview=desk.is_preview)
        response = desk.page("record.html", found.name, page)
        if not desk.is_preview:
            desk.remember(response, found.name, id)
        return response

    @pages.get("/o/<object>/lookup/<field>")
    @policy("session")
    def lookup(object: str, field: str) -> Response:
        """The options of a lookup as list items, for the combobox."""
        desk = _desk(site)
        found = desk.object(object)
        named = desk.call.gate.resolve(found, field).field
        if not named.is_reference:
            raise Invalid.of("query.not_a_lookup", path=field)
        q, prefix = request.args.get("q", "")[:200], request.args.get("prefix", "x")[:20]
        options = lookups.shown(lookups.Lookups(desk.call, desk.reads).options(named, q), q)
        people = named.type in ("user", "owner") or named.target == "user"
        html = render("lookup.html", desk.look, {"options": options, "prefix": prefix, "people": people})
        return Response(html, content_type="text/html; charset=utf-8")


# ---- writing --------------------------------------------------------


def _writing(pages: Blueprint, site: Site) -> None:
    @pages.get("/o/<object>/new")
    @policy("session")
    def new_form(object: str) -> Response:
        desk = _desk(site)
        return saving.show_new(desk, desk.object(object))

    @pages.post("/o/<object>/new")
    @policy("session")
    def create(object: str) -> Response:
        desk = _desk(site)
        return saving.save_new(desk, desk.object(object))

    @pages.get("/o/<object>/<uuid:id>/edit")
    @policy("session")
    def edit_form(object: str, id: UUID) -> Response:
        desk = _desk(site)
        return saving.show_edit(desk, desk.object(object), id)

    @pages.post("/o/<object>/<uuid:id>/edit")
    @policy("session")
    def update(object: str, id: UUID) -> Response:
        desk = _desk(site)
        return saving.save_edit(desk, desk.object(object), id)

    @pages.get("/o/<object>/<uuid:id>/delete")
    @policy("session")
    def delete_form(object: str, id: UUID) -> Response:
        desk = _desk(site)
        return _delete_page(desk, object, id)

    @pages.post("/o/<object>/<uuid:id>/delete")
    @policy("session")
    def delete(object: str, id: UUID) -> Response:
        desk = _desk(site)
        found = desk.object(object)
        name = saving.saved_name(desk, found, id)
        seen = saving.revision_of(request.form.get("revision", ""))
        try:
            saved = desk.records.delete(found.name, id, seen)
        except (Conflict, Denied, Invalid) as error:
            return _delete_page(desk, object, id, error)
        desk.flash("delete.done", undo=saved.operation, name=name)
        return redirect(f"/o/{found.name}")

    def _delete_page(desk: Desk, object: str, id: UUID, error: TabwrightError | None = None) -> Response:
        found = desk.object(object)
        desk.call.gate.require(found, "delete")
        row = read_record(desk.call, desk.reads, found, id)
        told = tuple(
            edit_page.FaultLine(say_fault(each, desk.call.language))
            for each in (error.faults if error else ())
        )
        page = other_pages.delete_page(desk.call, desk.reads, found, row, told)
        return desk.page("delete.html", found.name, page, error.status if error else 200)

    @pages.post("/o/<object>/<uuid:id>/restore")
    @policy("session")
    def restore(object: str, id: UUID) -> Response:
        desk = _desk(site)
        found = desk.object(object)
        desk.records.restore(found.name, id)
        desk.flash("bin.restored", name=saving.saved_name(desk, found, id))
        return redirect(f"/o/{found.name}/{id}")

    @pages.post("/undo/<uuid:operation>")
    @policy("session")
    def undo(operation: UUID) -> Response:
        """Take back what a notice has just said."""
        desk = _desk(site)
        undone = desk.records.undo(operation)
        if undone.left:
            desk.flash("page.undone_partly", kind="warning", count=len(undone.left))
        else:
            desk.flash("page.undone")
        came = request.headers.get("Referer", "")
        back = local_path("/" + came.split("/", 3)[3]) if came.count("/") >= 3 else "/"
        return redirect(back)


# ---- the rest --------------------------------------------------------


def _rest(pages: Blueprint, site: Site) -> None:
    @pages.get("/search")
    @policy("session")
    def search() -> Response:
        desk = _desk(site)
        q = request.args.get("q", "")[:200]
        return desk.page("search.html", "search", other_pages.search_page(desk.call, q), query=q)

    @pages.get("/bin")
    @policy("session")
    def bin() -> Response:
        desk = _desk(site)
        page = other_pages.bin_page(desk.call, desk.reads, request.args.get("object"))
        return desk.page("bin.html", "bin", page)

    @pages.get("/settings")
    @policy("session")
    def settings_form() -> Response:
        return _settings(_desk(site))

    @pages.post("/settings")
    @policy("session")
    def settings() -> Response:
        desk, form = _desk(site), request.form
        t = text(desk.call.language)
        zone, language = form.get("zone", "").strip(), form.get("language")
        if zone not in zones():
            return _settings(desk, zone, t("settings.zone_unknown", zone=zone[:64]))
        values: dict[str, Any] = {"zone": zone}
        if language in LANGUAGES:
            values["language"] = language
        Records(desk.own).update("user", desk.call.principal.user_id, values)
        desk.flash("settings.saved")
        response = redirect("/settings")
        theme = form.get("theme") if form.get("theme") in THEMES else desk.look.theme
        density = form.get("density") if form.get("density") in DENSITIES else desk.look.density
        keep_cookie(site, response, LOOK_COOKIE, f"{theme}.{density}")
        if language in LANGUAGES:
            keep_cookie(site, response, LANGUAGE_COOKIE, str(language))
        return response

    def _settings(desk: Desk, zone: str | None = None, error: str = "") -> Response:
        known = desk.call.zone
        page = {
            "zone": zone if zone is not None else known,
            "zone_error": error,
            "zones": zones(),
            "now": f"{desk.call.clock.now().astimezone(ZoneInfo(known)):%Y-%m-%d %H:%M}",
            "faults": (edit_page.FaultLine(error, "zone"),) if error else (),
        }
        return desk.page("settings.html", "settings", page, 422 if error else 200)
