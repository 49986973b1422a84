"""From a request to what the pages work with: who asks, by which model, how it is to be shown."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Request, Response, current_app

from tabwright.metadata.model import Model, ObjectDef, label_in
from tabwright.platform.csrf import mask_csrf
from tabwright.platform.errors import Denied, TabwrightError
from tabwright.platform.language import Language, choose_language, say
from tabwright.platform.signin import SessionRow
from tabwright.platform.tables import json_text
from tabwright.platform.web import LANGUAGE_COOKIE, Visit
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call
from tabwright.runtime.grants.breaking import BreakGlass
from tabwright.runtime.pages import favouring
from tabwright.runtime.pages.preview import Marks, PreviewReads, Reading, marks
from tabwright.runtime.pages.rendering import DENSITIES, THEMES, Density, Look, Theme, render, text
from tabwright.runtime.pages.renewing import renewed
from tabwright.runtime.pages.resuming import whose
from tabwright.runtime.pages.shell import (
    LOOSE,
    Emergency,
    Notice,
    Own,
    Shell,
    Star,
    Ways,
    make_shell,
    ways_of,
)
from tabwright.runtime.pages.watermark import tile
from tabwright.runtime.people import places
from tabwright.runtime.personal.favourites import Favourite
from tabwright.runtime.personal.frame import Frame, frame_of
from tabwright.runtime.personal.notices import COUNTED
from tabwright.runtime.personal.recents import Recents
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.rules import tokens_in
from tabwright.runtime.records.service import Records

if TYPE_CHECKING:
    from tabwright.platform.web import Web

LOOK_COOKIE = "tw_look"  # theme.density, of this browser
PREVIEW_COOKIE = "tw_preview"
YEAR = 365 * 24 * 3600
_log = logging.getLogger(__name__)


class Site(places.Site, Protocol):
    """What pages need of the doorway's site."""


def look_of(request: Request, language: Language, csrf: str) -> Look:
    """How this browser wants pages."""
    here = request.full_path if request.query_string else request.path
    at = here if request.method == "GET" else request.path
    plain = Look(language, "auto", "comfortable", mask_csrf(csrf), at)
    return with_look(plain, request.cookies.get(LOOK_COOKIE, ""))


def with_look(look: Look, chosen: str) -> Look:
    """The look with a theme and density as they are kept (``dark.compact``); what is not known stays."""
    theme, _, density = chosen.partition(".")
    known: Theme = theme if theme in THEMES else look.theme
    spaced: Density = density if density in DENSITIES else look.density
    return replace(look, theme=known, density=spaced)


def local_path(value: str, otherwise: str = "/") -> str:
    """A path of this site to return to; anything else is not followed."""
    parts = urlsplit(value)
    good = (
        value.startswith("/")
        and not value.startswith(("//", "/\\"))
        and not parts.netloc
        and "\\" not in value
    )
    return value if good and value.isprintable() and len(value) < 2_000 else otherwise


@dataclass
class Desk:
    """One signed-in request. Under a preview ``call`` holds the draft's model and ``reads`` translate."""

    site: Site
    request: Request
    visit: Visit
    session: SessionRow
    call: Call
    look: Look
    reads: Reading
    marks: Marks = field(default_factory=dict)
    is_preview: bool = False
    star: Favourite | None = None  # what the page may be kept as
    watermark: str = ""  # the tile over a page of an object that wants one

    @property
    def web(self) -> Web:
        found: Web = current_app.extensions["tabwright"]
        return found

    @cached_property
    def records(self) -> Records:
        """The write path, in this person's name."""
        return Records(self.call)

    @property
    def own(self) -> Call:
        """The call for what everybody may change of their own user record: language, zone."""
        return replace(self.call, gate=Gate.system(self.call.model))

    def object(self, name: str) -> ObjectDef:
        """The object that an address names. Raises NotFound."""
        found = self.call.gate.object(name)
        if "screens" in found.watermark:
            self.watermark = tile(self.call.principal.name, self.call.clock.now(), self.call.zone)
        return found

    def imports(self) -> bool:
        """Whether the pages of import are there."""
        return "imports" in current_app.blueprints

    @cached_property
    def frame(self) -> Frame:
        """What the person has chosen for the frame round every page, read once."""
        return frame_of(self.call)

    def app_name(self) -> str | None:
        """The app that was chosen last."""
        return self.request.args.get("app") or self.frame.app

    def remember(self, response: Response, object: ObjectDef, id: UUID, revision: int) -> None:
        """Put a record first among those opened last, once the page is on its way: nobody waits for that."""
        response.call_on_close(partial(_remember, self.call, object.uid, id, revision))

    def flash(self, code: str, undo: UUID | None = None, kind: str = "success", **params: str | int) -> None:
        """Leave a line for the next page; ``undo`` is the operation that a button takes back."""
        if undo is not None:
            params["undo"] = f"/undo/{undo}"
        self.site.sessions.flash(self.session, kind, "pages." + code, **params)

    def shell(self, at: str, query: str = "") -> Shell:
        """The frame of a page."""
        notices: list[Notice] = []
        if self.session.data.get("flash"):
            notices = [
                _notice(each, self.look.language) for each in self.site.sessions.take_flashes(self.session)
            ]
        studio = "/studio" if "studio.home" in current_app.view_functions and self._may_customise() else None
        return make_shell(
            self.call.gate,
            self._ways(at),
            tenant_name=str(self.session.data.get("tenant_name") or self.session.location.slug),
            address=str(self.session.data.get("address") or ""),
            at=at,
            query=query,
            flash=notices,
            studio=studio,
            preview=self.request.path + "?preview=off" if self.is_preview else None,
            new_field=studio is not None and self.call.gate.has("customise") and not self.is_preview,
            own=self._own_frame(),
            emergency=self._emergency(),
        )

    def _ways(self, at: str) -> Ways:
        """Apps and tabs, kept for a release."""
        call, own = self.call, self.frame.tabs
        who, language = call.principal, self.look.language
        known = (LOOSE, *(each.name for each in call.gate.apps()))
        app = next((each for each in known if each == self.app_name()), None)
        key = (
            "ways", call.tenant.store.key, call.model.release, call.model.digest,
            who.kind, who.permission_sets, who.token_scope, language, app, at, json_text(own) if own else "",
        )  # fmt: skip
        return call.tenant.pieces.get(key, lambda: ways_of(call.gate, language, app, at, own), 9_000)

    def _emergency(self) -> tuple[Emergency, ...]:
        """What this person has taken by breaking the glass; read where a set that they hold could be."""
        call, t, zone = self.call, text(self.look.language), ZoneInfo(self.call.zone)
        return tuple(
            Emergency(
                t(
                    "rights.banner",
                    name=label_in(each.set.labels, self.look.language),
                    until=f"{each.expires_at.astimezone(zone):%Y-%m-%d %H:%M}",
                ),
                f"/rights/emergency/{each.assignment}/end",
            )
            for each in BreakGlass(call).taken()
        )

    def _own_frame(self) -> Own:
        frame, star = self.frame, self.star
        unread = f"{COUNTED}+" if frame.unread > COUNTED else str(frame.unread or "")
        return Own(
            frame.tabs,
            favouring.shown(self.call, frame.favourites, star),
            Star(star.text, star in frame.favourites) if star is not None else None,
            unread,
            frame.has_shortcuts,
        )

    def _may_customise(self) -> bool:
        return self.call.gate.has("customise") or self.call.gate.has("view_setup")

    def page(
        self,
        template: str,
        at: str,
        page: Any,
        status: int = 200,
        query: str = "",
        around: Shell | None = None,
    ) -> Response:
        """A whole page as a response; ``around`` where its frame was made already."""
        look = with_look(self.look, self.frame.look)
        context = {"shell": around or self.shell(at, query), "page": page, "watermark": self.watermark}
        html = render(template, look, context)
        response = Response(html, status, content_type="text/html; charset=utf-8")
        self._keep_look(response, look)
        response.headers["X-Tabwright-Release"] = str(self.call.model.release)
        response.headers["Content-Language"] = self.look.html_lang
        return response

    def _keep_look(self, response: Response, look: Look) -> None:
        """The browser keeps what the person chose elsewhere, for the pages before sign-in and Studio's."""
        wanted = f"{look.theme}.{look.density}"
        if self.frame.look and self.request.cookies.get(LOOK_COOKIE) != wanted:
            keep_cookie(self.site, response, LOOK_COOKIE, wanted)


def _remember(call: Call, object_uid: str, id: UUID, revision: int) -> None:
    try:
        Recents(call).see(object_uid, id, revision)
    except TabwrightError:
        _log.info("a visit was not remembered", exc_info=True)  # a busy store: the page was shown


def _notice(flash: dict[str, Any], language: Language) -> Notice:
    params = dict(flash.get("params") or {})
    undo = params.pop("undo", None)
    return Notice(
        say(str(flash.get("code")), params, language),
        "ok" if flash.get("level") == "success" else "warn",
        local_path(str(undo)) if undo else None,
    )


def keep_cookie(site: Site, response: Response, name: str, value: str) -> None:
    """Keep a choice in the browser for a year. None of them is a secret; scripts do not need them."""
    response.set_cookie(
        name, value, max_age=YEAR, path="/", samesite="Lax", httponly=True, secure=site.settings.secure
    )


def open_desk(site: Site, request: Request, visit: Visit, *, unfinished: bool = False) -> Desk:
    """The desk of a request with a session. Raises Unauthenticated where the user is gone, Denied where the
    session has something left to do (``unfinished``: for the pages where that is done).
    """
    session = visit.session
    assert session is not None
    tenant = site.tenancy.open(session.location)
    with tenant.store.read() as reader:
        model, principal = principals.arrive(tenant, reader, session.user_id, site.clock.now())
    if request.method == "GET" and "HX-Request" not in request.headers:
        session = renewed(site, session, model, principal) or session
        visit.session = session
        if session.unfinished and not unfinished:
            raise Denied.of("web.unfinished")
    language = choose_language((principal.language, request.cookies.get(LANGUAGE_COOKIE)))
    visit.language = language
    call = Call(
        tenant=tenant,
        principal=principal,
        model=model,
        gate=Gate(model, principal),
        clock=site.clock,
        ids=site.ids,
        language=language,
        zone=principal.zone,
        request_id=visit.request_id,
        cause="form",
        confirmed=_confirmed(request),
    )
    look = look_of(request, language, session.csrf)
    look = replace(look, whose=whose(site.settings, session.identity_id, session.location.id))
    return Desk(site, request, visit, session, call, look, Reads(call))


def _confirmed(request: Request) -> frozenset[str]:
    """The warnings that the person has seen on the form that was posted, and lets pass."""
    if request.mimetype != "application/x-www-form-urlencoded":
        return frozenset()
    return tokens_in(" ".join(request.form.getlist("_confirm")))


def preview_desk(desk: Desk, draft: Model) -> Desk:
    """The same desk under a draft's model: its pages over the records of the release in force."""
    current = desk.call.model
    call = replace(desk.call, model=draft, gate=Gate(draft, desk.call.principal))
    return replace(
        desk,
        call=call,
        reads=PreviewReads(desk.reads, draft, desk.call.gate),
        marks=marks(draft, current),
        is_preview=True,
    )


def names(values: Sequence[str], language: Language) -> str:
    """Labels in a row, as the language joins them."""
    return say("pages.preview.join", {}, language).join(values)
