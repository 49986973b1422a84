"""Whether the session still is, as a form asks before it is sent; signing in without leaving it (UX61)."""

from __future__ import annotations

import hmac

from flask import Blueprint, Response, request

from tabwright.platform.csrf import mask_csrf
from tabwright.platform.errors import Denied, Invalid, LimitReached, Unauthenticated
from tabwright.platform.signin import COOKIE, SessionRow
from tabwright.platform.web import Web, policy, visit
from tabwright.runtime.pages import entering, signing
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.resuming import WHOSE_FIELD, whose
from tabwright.runtime.pages.world import Site, look_of
from tabwright.runtime.people.places import places


def register(pages: Blueprint, site: Site) -> None:
    """Put ``/session`` among the pages."""

    @pages.get("/session")
    @policy("public")
    def session() -> Response:
        """The token of the live session of whom the form belongs to, as JSON; else 401 and the dialog."""
        found = site.sessions.find(request.cookies.get(COOKIE, ""))
        if found is not None and _is(site, found, request.args.get("for", "")):
            return _alive(found)
        return _dialog(site, 401, address=str(found.data.get("address") or "") if found else "")

    @pages.post("/session")
    @policy("public")
    def renew() -> Response:
        """Sign in from the dialog: the new session's token as JSON, or the dialog with what is wrong."""
        t, form = text(visit().language), request.form
        address, password = form.get("address", "").strip()[:320], form.get("password", "")
        secret = form.get("ticket", "")
        try:
            signing.check_door(request)
            if secret:
                taken = entering.take_code(site, secret, form.get("code", "")[:100], visit().request_id)
                if taken is None:
                    return _dialog(site, 401, address, t("code.too_late"))
                identity, place = taken
                found = [place]
            else:
                if not address or not password:
                    return _dialog(site, 422, address, t("sign_in.blank"))
                identity = site.identities.verify(address, password, visit().remote)
                wanted = request.cookies.get(signing.TENANT_COOKIE)
                found = places(site, identity, visit().request_id, wanted)
        except Invalid as error:
            return _dialog(site, error.status, address, signing.said(error, visit()), secret)
        except (Denied, Unauthenticated, LimitReached) as error:
            return _dialog(site, error.status, address, signing.said(error, visit()))
        theirs = entering.place_of(site, identity, found, form.get(WHOSE_FIELD, ""))
        if theirs is None:
            return _dialog(site, 403, address, t("sign_in.not_yours"))
        if not secret and site.factors.of(identity.id) is not None:
            return _dialog(site, 422, address, "", entering.code_ticket(site, identity, theirs))
        cookie = entering.start(site, request, visit(), identity, theirs)
        started = site.sessions.find(cookie)
        assert started is not None
        response = _alive(started)
        web: Web = signing.web()
        web.start_session(response, cookie)
        return response


def _is(site: Site, found: SessionRow, mark: str) -> bool:
    return hmac.compare_digest(
        whose(site.settings, found.identity_id, found.location.id).encode(), mark.encode("utf-8", "replace")
    )


def _alive(found: SessionRow) -> Response:
    return Response(f'{{"csrf":"{mask_csrf(found.csrf)}"}}', content_type="application/json")


def _dialog(site: Site, status: int, address: str = "", error: str = "", ticket: str = "") -> Response:
    token, fresh = signing.door_token(request)
    look = look_of(request, visit().language, token)
    html = render("session_dialog.html", look, {"address": address, "error": error, "ticket": ticket})
    response = Response(html, status, content_type="text/html; charset=utf-8")
    if fresh:
        signing.keep_door(site, response, token)
    return response
