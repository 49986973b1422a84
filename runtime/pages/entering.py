"""Signing in and out: a password, a code where there is a second factor, then a new session."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from flask import Request, Response

from tabwright.platform.errors import Denied, Invalid, LimitReached, TabwrightError, Unauthenticated
from tabwright.platform.identities import Identity
from tabwright.platform.signin import AGENT, REMOTE, SessionRow
from tabwright.platform.web import LANGUAGE_COOKIE, Visit
from tabwright.runtime.access import principals
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.renewing import SECOND_FACTOR, by_rights
from tabwright.runtime.pages.resuming import Kept, at_door, whose
from tabwright.runtime.pages.signing import (
    TENANT_COOKIE,
    Door,
    check_door,
    door_token,
    keep_door,
    redirect,
    said,
    show_door,
    web,
)
from tabwright.runtime.pages.world import keep_cookie, local_path, look_of
from tabwright.runtime.people.opening import identity_of
from tabwright.runtime.people.places import Membership, Site, places


@dataclass(frozen=True, slots=True)
class Onward:
    """Where a person goes once they are in: a path, or the form with which they go on."""

    next: str = "/"
    kept: Kept | None = None


def sign_in(site: Site, request: Request, visit: Visit) -> Response:
    """Check the form, ask for the code or start the session, go where the person wanted to go."""
    t, form = text(visit.language), request.form
    kept = at_door(form)
    door = Door(local_path(form.get("next", "/")), form.get("address", "").strip()[:320], kept=kept)
    try:
        check_door(request)
        if not door.address or not form.get("password"):
            return show_door(site, request, visit, replace(door, error=t("sign_in.blank")), 422)
        identity = site.identities.verify(door.address, form["password"], visit.remote)
        wanted = form.get("tenant") or request.cookies.get(TENANT_COOKIE)
        found = places(site, identity, visit.request_id, wanted)
    except (Denied, Unauthenticated, LimitReached) as error:
        return show_door(site, request, visit, replace(door, error=said(error, visit)), error.status)
    if not found:
        return show_door(site, request, visit, replace(door, error=t("sign_in.no_tenant")), 403)
    theirs = place_of(site, identity, found, kept.whose) if kept is not None else None
    chosen = theirs or next((each for each in found if each.tenant.slug == wanted), None)
    if chosen is None and len(found) > 1:
        tenants = tuple(each.tenant for each in found)
        return show_door(site, request, visit, replace(door, notice=t("sign_in.choose"), tenants=tenants))
    return enter(site, request, visit, identity, chosen or found[0], Onward(door.next, kept))


def enter(
    site: Site, request: Request, visit: Visit, identity: Identity, place: Membership, onward: Onward
) -> Response:
    """After the right password: the page that asks for a code, or straight in."""
    if site.factors.of(identity.id) is None:
        return _let_in(site, request, visit, identity, place, onward)
    return _show_code(site, request, visit, code_ticket(site, identity, place), onward)


def code_ticket(site: Site, identity: Identity, place: Membership) -> str:
    """What shows for some minutes that the password was right: the secret of a ticket."""
    lifetime = timedelta(minutes=site.settings.limits.code_minutes)
    ticket = site.tickets.issue("code", place.tenant.id, place.user_id, lifetime, identity_id=identity.id)
    return site.tickets.secret_of(ticket.id)


def take_code(site: Site, secret: str, code: str, request_id: str) -> tuple[Identity, Membership] | None:
    """Who is in by a code, and where; None where the ticket is no good any more.

    Raises Invalid, LimitReached for the code.
    """
    ticket = site.tickets.find(secret, "code")
    identity = identity_of(site, ticket.identity_id) if ticket and ticket.identity_id else None
    if ticket is None or identity is None:
        return None
    site.factors.accept(identity.id, code)
    found = [each for each in places(site, identity, request_id) if each.user_id == ticket.user_id]
    return (identity, found[0]) if found and site.tickets.use(ticket) else None


def sign_in_with_code(site: Site, request: Request, visit: Visit) -> Response:
    """The second step: the code, or a recovery code."""
    t, form = text(visit.language), request.form
    onward = Onward(local_path(form.get("next", "/")), at_door(form))
    secret = form.get("ticket", "")
    try:
        check_door(request)
        taken = take_code(site, secret, form.get("code", "")[:100], visit.request_id)
    except (Invalid, LimitReached) as error:
        return _show_code(site, request, visit, secret, onward, error)
    except Denied as error:
        return show_door(site, request, visit, Door(onward.next, error=said(error, visit)), error.status)
    if taken is None:
        door = Door(onward.next, notice=t("code.too_late"), kept=onward.kept)
        return show_door(site, request, visit, door, 401)
    return _let_in(site, request, visit, *taken, onward)


def _show_code(
    site: Site, request: Request, visit: Visit, secret: str, onward: Onward,
    error: TabwrightError | None = None,
) -> Response:  # fmt: skip
    token, fresh = door_token(request)
    kept = onward.kept.for_door() if onward.kept is not None else ()
    page = {"ticket": secret, "next": onward.next, "kept": kept, "error": said(error, visit) if error else ""}
    html = render("sign_in_code.html", look_of(request, visit.language, token), page)
    response = Response(html, error.status if error else 200, content_type="text/html; charset=utf-8")
    if fresh:
        keep_door(site, response, token)
    return response


def _let_in(
    site: Site, request: Request, visit: Visit, identity: Identity, place: Membership, onward: Onward
) -> Response:
    cookie = start(site, request, visit, identity, place)
    session = site.sessions.find(cookie)
    assert session is not None
    if session.unfinished:
        response = redirect(SECOND_FACTOR)
    elif onward.kept is None:
        response = redirect(onward.next)
    else:
        response = _go_on(site, request, visit, session, onward.kept, identity, place)
    web().start_session(response, cookie)
    keep_cookie(site, response, TENANT_COOKIE, place.tenant.slug)
    if place.language:
        keep_cookie(site, response, LANGUAGE_COOKIE, place.language)
    response.delete_cookie("tw_door", path="/")
    return response


def start(site: Site, request: Request, visit: Visit, identity: Identity, place: Membership) -> str:
    """A new session of a person in one of their places: the cookie. What was tried in vain before is told
    to the person, and forgotten.
    """
    tenant = site.tenancy.open(place.tenant.location)
    with tenant.store.read() as reader:
        model, principal = principals.arrive(tenant, reader, place.user_id, site.clock.now())
    data = {
        "address": identity.address, "tenant_name": place.tenant.name, AGENT: agent_of(request),
        REMOTE: visit.remote[:64], **by_rights(site, identity, model, principal),
    }  # fmt: skip
    cookie = site.sessions.start(identity, place.tenant.id, place.user_id, data)
    trouble = site.identities.trouble([identity.address]).get(identity.address)
    if trouble is not None:
        site.identities.unlock(identity.address)
        session = site.sessions.find(cookie)
        if session is not None:
            site.sessions.flash(session, "warning", "pages.sign_in.failures", count=trouble.failures)
    return cookie


def agent_of(request: Request) -> str:
    """What the browser calls itself, to be told to its person."""
    return str(request.user_agent.string)[:400]


def place_of(site: Site, identity: Identity, places: Sequence[Membership], mark: str) -> Membership | None:
    """The place in which a form with this mark was opened by the identity; None for anybody else's."""
    given = mark.encode("utf-8", "replace")
    for each in places:
        if hmac.compare_digest(whose(site.settings, identity.id, each.tenant.id).encode(), given):
            return each
    return None


def _go_on(
    site: Site, request: Request, visit: Visit, session: SessionRow, kept: Kept, identity: Identity,
    place: Membership,
) -> Response:  # fmt: skip
    """Back to the form that was kept: a page that posts it again, to be looked at, not to be saved."""
    if place_of(site, identity, [place], kept.whose) is None:
        site.sessions.flash(session, "warning", "pages.sign_in.not_yours")
        return redirect("/")
    site.sessions.flash(session, "success", "pages.session.kept")
    look = look_of(request, visit.language, session.csrf)
    html = render("resume.html", look, {"kept": replace(kept, action=local_path(kept.action))})
    return Response(html, content_type="text/html; charset=utf-8")


def sign_out(site: Site, request: Request, cookie: str) -> Response:
    """End the session."""
    site.sessions.end(cookie)
    response = redirect("/sign-in?out=1")
    web().end_session(response)
    return response
