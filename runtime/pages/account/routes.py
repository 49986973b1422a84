"""The addresses of one's own sign-in: ``/account/...``."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Flask, Response, request

from tabwright.platform.csrf import mask_csrf
from tabwright.platform.errors import (
    Denied,
    Invalid,
    LimitReached,
    Malformed,
    Place,
    TabwrightError,
    Unauthenticated,
)
from tabwright.platform.factors import uri_of
from tabwright.platform.signin import UNFINISHED
from tabwright.platform.web import policy, visit
from tabwright.runtime.journal.writing import record_event
from tabwright.runtime.pages.account.devices import devices, tokens
from tabwright.runtime.pages.account.scoping import scope_of, scope_rows, system_rights
from tabwright.runtime.pages.rendering import render
from tabwright.runtime.pages.renewing import SECOND_FACTOR, needs_factor, renew
from tabwright.runtime.pages.signing import redirect, said
from tabwright.runtime.pages.world import Desk, Site, open_desk

DAYS = (7, 30, 90, 365)


def register(app: Flask, site: Site) -> None:
    """Put them on the application."""
    pages = Blueprint("account", __name__, url_prefix="/account")
    _password(pages, site)
    _factor(pages, site)
    _sessions(pages, site)
    _tokens(pages, site)
    app.register_blueprint(pages)


def _desk(site: Site, *, unfinished: bool = False) -> Desk:
    return open_desk(site, request, visit(), unfinished=unfinished)


def _note(desk: Desk, did: str) -> None:
    """What one did about one's own sign-in stands in the journal."""
    with desk.call.tenant.store.write() as writer:
        record_event(desk.call, writer, "sign_in", {"did": did})


def _confirm(site: Site, desk: Desk) -> None:
    """The person gives their password once more. Raises Unauthenticated, LimitReached."""
    address = site.identities.get(desk.session.identity_id).address
    site.identities.verify(address, request.form.get("password", ""), visit().remote)


def _renew(site: Site, desk: Desk, **data: Any) -> Desk:
    session = renew(site, desk.session, **data)
    visit().session = session
    return replace(desk, session=session, look=replace(desk.look, csrf=mask_csrf(session.csrf)))


# ---- the password --------------------------------------------------------


def _password(pages: Blueprint, site: Site) -> None:
    @pages.get("/password")
    @policy("session")
    def password() -> Response:
        return _page(_desk(site))

    @pages.post("/password")
    @policy("session")
    def change() -> Response:
        """A new password: every other session ends."""
        desk = _desk(site)
        try:
            _confirm(site, desk)
            site.identities.set_password(desk.session.identity_id, request.form.get("new", ""))
        except (Unauthenticated, LimitReached, Invalid) as error:
            return _page(desk, error)
        site.sessions.end_others(desk.session)
        desk = _renew(site, desk)
        _note(desk, "password")
        desk.flash("account.password_set")
        return redirect("/account/password")

    def _page(desk: Desk, error: TabwrightError | None = None) -> Response:
        if isinstance(error, Unauthenticated):
            error = Invalid.of("pages.account.password_wrong")
        least = site.settings.limits.password_characters
        page = {"tab": "password", "least": least, "error": said(error, visit()) if error else ""}
        return desk.page("account_password.html", "settings", page, error.status if error else 200)


# ---- the second factor --------------------------------------------------------


def _factor(pages: Blueprint, site: Site) -> None:
    path = SECOND_FACTOR.removeprefix("/account")

    @pages.get(path)
    @policy("session", unfinished=True)
    def factor() -> Response:
        return _page(_desk(site, unfinished=True))

    @pages.post(path)
    @policy("session", unfinished=True)
    def act() -> Response:
        """``do``: confirm a new one with a code, make new recovery codes, remove it with the password."""
        desk, do = _desk(site, unfinished=True), request.form.get("do", "")
        identity = desk.session.identity_id
        try:
            if do == "confirm":
                codes = site.factors.confirm(identity, request.form.get("code", "")[:100])
                site.sessions.end_others(desk.session)
                desk = _renew(site, desk, **{UNFINISHED: None})
            elif do == "codes":
                _confirm(site, desk)
                codes = site.factors.new_codes(identity)
            elif do == "remove":
                if needs_factor(desk.call.model, desk.call.principal):
                    raise Denied.of("pages.factor.needed")
                _confirm(site, desk)
                site.factors.remove(identity)
                codes = []
                desk = _renew(site, desk)
            else:
                raise Malformed.of("pages.account.bad_verb")
        except Unauthenticated:
            return _page(desk, Invalid.of("pages.account.password_wrong"))
        except (Denied, Invalid, LimitReached) as error:
            return _page(desk, error)
        _note(desk, f"factor_{do}")
        if do == "remove":
            desk.flash("factor.removed")
            return redirect(SECOND_FACTOR)
        return _page(desk, codes=codes)

    def _page(desk: Desk, error: TabwrightError | None = None, codes: list[str] | None = None) -> Response:
        identity = site.identities.get(desk.session.identity_id)
        there = site.factors.of(identity.id)
        secret = site.factors.begin(identity.id) if there is None else ""
        page = {
            "tab": "factor",
            "factor": there,
            "codes": codes or [],
            "secret": secret,
            "grouped": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
            "qr": _qr(uri_of(secret, identity.address)) if secret else "",
            "is_door": bool(desk.session.unfinished or (codes and "door" in request.form)),
            "needed": needs_factor(desk.call.model, desk.call.principal),
            "error": said(error, visit()) if error else "",
        }
        status = error.status if error else 200
        if not page["is_door"]:
            return desk.page("account_factor.html", "settings", page, status)
        html = render("factor_door.html", desk.look, {"page": page})
        return Response(html, status, content_type="text/html; charset=utf-8")


def _qr(content: str) -> str:
    """A QR code as an inline SVG, dark on light in every theme: cameras want it so."""
    import segno

    made: str = segno.make(content, error="m").svg_inline(
        scale=5, border=3, dark="#000", light="#fff", svgclass="tw-qr", lineclass=None, omitsize=True
    )
    return made


# ---- sessions --------------------------------------------------------


def _sessions(pages: Blueprint, site: Site) -> None:
    @pages.get("/sessions")
    @policy("session")
    def sessions() -> Response:
        desk = _desk(site)
        found = site.sessions.of_identity(desk.session.identity_id)
        here = site.sessions.id_of(desk.session)
        page = {"tab": "sessions", "devices": devices(desk.call, found, here), "error": ""}
        return desk.page("account_sessions.html", "settings", page)

    @pages.post("/sessions")
    @policy("session")
    def end() -> Response:
        """End one (``id``), or all but this one."""
        desk, id = _desk(site), request.form.get("id", "")
        if id == site.sessions.id_of(desk.session):
            raise Malformed.of("pages.account.this_session")
        if id:
            site.sessions.end_one(id, identity_id=desk.session.identity_id)
        else:
            site.sessions.end_others(desk.session)
        _note(desk, "end_sessions")
        desk.flash("account.ended" if id else "account.ended_others")
        return redirect("/account/sessions")


# ---- API tokens --------------------------------------------------------


def _tokens(pages: Blueprint, site: Site) -> None:
    @pages.get("/tokens")
    @policy("session")
    def all() -> Response:
        return _page(_desk(site))

    @pages.post("/tokens")
    @policy("session")
    def make() -> Response:
        """A new token; its secret stands on the page that answers, and nowhere else."""
        desk, form = _desk(site), request.form
        call = desk.call
        try:
            days = int(form.get("days", "")) if form.get("days", "").isascii() else 0
            if not 1 <= days <= site.settings.limits.token_days:
                most = site.settings.limits.token_days
                raise Invalid.of("token.expires", Place(field="days"), days=most)
            scope = scope_of(call, form)
            expires = call.clock.now() + timedelta(days=days)
            name = form.get("name", "")
            secret = site.tokens.create(call.tenant.location.id, call.principal.user_id, name, expires, scope)
        except ValueError:
            return _page(desk, Invalid.of("token.expires", days=site.settings.limits.token_days))
        except Invalid as error:
            return _page(desk, error)
        _note(desk, "token")
        return _page(desk, secret=secret)

    @pages.post("/tokens/<uuid:id>/revoke")
    @policy("session")
    def revoke(id: UUID) -> Response:
        desk = _desk(site)
        site.tokens.revoke(desk.call.tenant.location.id, id, desk.call.principal.user_id)
        _note(desk, "revoke_token")
        desk.flash("account.token_revoked_done")
        return redirect("/account/tokens")

    def _page(desk: Desk, error: TabwrightError | None = None, secret: str = "") -> Response:
        call, form = desk.call, request.form
        found = site.tokens.list(call.tenant.location.id, call.principal.user_id)
        most = site.settings.limits.token_days
        page = {
            "tab": "tokens",
            "tokens": tokens(call, found),
            "secret": secret,
            "rows": scope_rows(call, form),
            "rights": [(each, each in form.getlist("system")) for each in system_rights(call)],
            "days": [each for each in DAYS if each < most] + [most],
            "chosen": form.get("days", "90"),
            "name": "" if secret else form.get("name", ""),
            "whole": form.get("whole") == "yes",
            "error": said(error, visit()) if error else "",
        }
        return desk.page("account_tokens.html", "settings", page, error.status if error else 200)
