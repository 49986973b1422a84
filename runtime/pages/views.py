"""The addresses of the generated pages. ``register`` is the door of this room (decision 0013)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from tabwright.platform.web import LANGUAGE_COOKIE, Web, check_csrf, policy, visit
from tabwright.runtime.exporting.noting import ALARM, RIGHT
from tabwright.runtime.pages import (
    access_page,
    addresses,
    alike,
    arranging,
    edit_page,
    entering,
    export_log,
    exports,
    faults,
    files,
    form_drafts,
    help_page,
    inplace,
    link_pages,
    list_row,
    lookups,
    my_rights,
    notices_page,
    other_pages,
    printing,
    quick,
    saved_views,
    saving,
    session_dialog,
    signing,
    totals,
    why,
)
from tabwright.runtime.pages.account import routes as account
from tabwright.runtime.pages.boards import routes as boards
from tabwright.runtime.pages.bulk import routes as bulk
from tabwright.runtime.pages.filtering import routes as filtering
from tabwright.runtime.pages.home_page import home_page
from tabwright.runtime.pages.list_page import list_page
from tabwright.runtime.pages.palette import routes as palette
from tabwright.runtime.pages.past import past_page
from tabwright.runtime.pages.people import routes as people
from tabwright.runtime.pages.record_page import read_record, record_page
from tabwright.runtime.pages.related import links
from tabwright.runtime.pages.rendering import Look, render, text
from tabwright.runtime.pages.shell import apps_of
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.timeline import routes as timeline
from tabwright.runtime.pages.ways import opening_href
from tabwright.runtime.pages.world import (
    LOOK_COOKIE,
    PREVIEW_COOKIE,
    Desk,
    Site,
    keep_cookie,
    local_path,
    look_of,
    open_desk,
    preview_desk,
    with_look,
)
from tabwright.runtime.personal.favourites import Favourite
from tabwright.runtime.personal.frame import APP, LOOK, SHORTCUTS
from tabwright.runtime.personal.notices import MUTABLE, MUTED
from tabwright.runtime.personal.settings import Personal
from tabwright.runtime.personal.views import SavedViews
from tabwright.runtime.records.service import Records
from tabwright.runtime.unmasking import unmask


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
    filtering.register(app, site)
    addresses.register(app, site)
    form_drafts.register(app, site)
    inplace.register(app, site)
    list_row.register(app, site)
    quick.register(app, site)
    alike.register(app, site)
    saved_views.register(app, site)
    boards.register(app, site)
    bulk.register(app, site)
    arranging.register(app, site)
    notices_page.register(app, site)
    account.register(app, site)
    people.register(app, site)
    palette.register(app, site)
    help_page.register(app, site)
    totals.register(app, site)
    exports.register(app, site)
    printing.register(app, site)
    my_rights.register(app, site)
    export_log.register(app, site)
    files.register(app, site)
    links.register(app, site)
    timeline.register(app, site)


@cache
def zones() -> tuple[str, ...]:
    """The names of time zones that a person may choose, sorted."""
    return tuple(sorted(each for each in available_timezones() if "/" in each or each == "UTC"))


def _desk(site: Site) -> Desk:
    return open_desk(site, request, visit())


# ---- the door --------------------------------------------------------


def _door(pages: Blueprint, site: Site) -> None:
    session_dialog.register(pages, site)
    link_pages.register(pages, site)
    why.register(pages, site)
    access_page.register(pages, site)

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
        return entering.sign_in(site, request, visit())

    @pages.post("/sign-in/code")
    @policy("public")
    def sign_in_with_code() -> Response:
        return entering.sign_in_with_code(site, request, visit())

    @pages.post("/sign-out")
    @policy("session", unfinished=True)
    def sign_out() -> Response:
        return entering.sign_out(site, request, request.cookies.get(COOKIE, ""))

    @pages.post("/settings/look")
    @policy("public")
    def look() -> Response:
        """Theme, density and language by one button, before and after sign-in."""
        form = request.form
        session = site.sessions.find(request.cookies.get(COOKIE, ""))
        if session is None:
            signing.check_door(request)
        else:
            check_csrf(session)
        response = redirect(local_path(form.get("back", "/")))
        desk: Desk | None = None
        if session is not None:
            here = visit()
            here.session = session
            desk = open_desk(site, request, here)
        _keep_look(site, response, desk, look_of(request, visit().language, ""), form)
        language = form.get("language")
        if language in LANGUAGES:
            keep_cookie(site, response, LANGUAGE_COOKIE, str(language))
            if desk is not None:
                Records(desk.own).update("user", desk.call.principal.user_id, {"language": language})
        return response


def _keep_look(
    site: Site, response: Response, desk: Desk | None, look: Look, form: Mapping[str, str]
) -> None:
    """Keep a posted theme and density: of the person, and in the browser for the pages before sign-in."""
    now = with_look(look, desk.frame.look) if desk is not None else look
    chosen = with_look(now, f"{form.get('theme', '')}.{form.get('density', '')}")
    wanted = f"{chosen.theme}.{chosen.density}"
    if desk is not None and wanted != desk.frame.look and ("theme" in form or "density" in form):
        Personal(desk.call).put(LOOK, wanted)
    keep_cookie(site, response, LOOK_COOKIE, wanted)


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
        chosen = request.args.get("app", "")[:100]
        if chosen != desk.frame.app and any(
            each.name == chosen for each in apps_of(desk.call.gate, desk.look.language)
        ):
            Personal(desk.call).put(APP, chosen)
        shell = desk.shell("home")
        return desk.page("home.html", "home", home_page(desk.call, desk.reads, shell), around=shell)

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
        if not desk.is_preview:
            desk.call.gate.require(found, "read")
            preferred = SavedViews(desk.call, found)
            elsewhere = opening_href(desk.call, found, request.args, lambda: preferred.opening().preferred)
            if elsewhere:
                return redirect(elsewhere)
        page = list_page(
            desk.call, desk.reads, found, request.args,
            imports=desk.imports(), marks=desk.marks, is_preview=desk.is_preview,
        )  # fmt: skip
        if page.view_menu is not None:
            desk.star = Favourite("view", found.uid, page.view_menu.key)
        return desk.page("list.html", found.name, page)

    @pages.get("/o/<object>/<uuid:id>")
    @policy("session")
    def record(object: str, id: UUID) -> Response:
        desk = shown()
        found = desk.object(object)
        if "as_of" in request.args and not desk.is_preview:
            then = past_page(desk.call, desk.reads, found, id, request.args["as_of"][:40])
            return desk.page("record.html", found.name, then)
        column = None if desk.is_preview else timeline.timeline_of(desk, found, id)
        page = record_page(
            desk.call, desk.reads, found, id, column, desk.marks,
            is_preview=desk.is_preview, whole=None if desk.is_preview else {}, inplace=not desk.is_preview,
        )  # fmt: skip
        if not desk.is_preview:
            desk.star = Favourite("record", found.uid, id.hex)
        response = desk.page("record.html", found.name, page)
        if not desk.is_preview:
            desk.remember(response, found, id, page.revision)
        return response

    @pages.post("/o/<object>/<uuid:id>/unmask")
    @policy("session")
    def unmask_field(object: str, id: UUID) -> Response:
        """The record once more, one masked field whole; the journal says who looked."""
        desk = _desk(site)
        found = desk.object(object)
        whole = unmask(desk.call, found, id, (request.form.get("field", ""),))
        column = timeline.timeline_of(desk, found, id)
        page = record_page(
            desk.call, desk.reads, found, id, column, desk.marks, whole=whole, inplace=True,
        )  # fmt: skip
        return desk.page("record.html", found.name, page)

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
        new = lookups.new_panel(desk.call, named, q) if "new" in request.args else None
        context = {"options": options, "prefix": prefix, "people": people, "new": new}
        html = render("lookup.html", desk.look, context)
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
        seen = edit_page.revision_of(request.form.get("_revision", ""))
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
        _keep_look(site, response, desk, desk.look, form)
        if "shortcuts_shown" in form:
            Personal(desk.call).put(SHORTCUTS, "shortcuts" in form)
            Personal(desk.call).put(MUTED, [each for each in _heard(desk) if f"hear.{each}" not in form])
        if language in LANGUAGES:
            keep_cookie(site, response, LANGUAGE_COOKIE, str(language))
        return response

    def _heard(desk: Desk) -> list[str]:
        """The kinds of notices that may come to this person."""
        return [each for each in MUTABLE if each != ALARM or desk.call.gate.has(RIGHT)]

    def _settings(desk: Desk, zone: str | None = None, error: str = "") -> Response:
        known = desk.call.zone
        page = {
            "zone": zone if zone is not None else known,
            "zone_error": error,
            "zones": zones(),
            "now": f"{desk.call.clock.now().astimezone(ZoneInfo(known)):%Y-%m-%d %H:%M}",
            "faults": (edit_page.FaultLine(error, "zone"),) if error else (),
            "has_shortcuts": desk.frame.has_shortcuts,
            "kinds": _heard(desk),
            "muted": Personal(desk.call).get(MUTED),
        }
        return desk.page("settings.html", "settings", page, 422 if error else 200)
