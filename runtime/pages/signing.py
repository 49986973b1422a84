"""Signing in and out."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import quote
from uuid import UUID

from flask import Request, Response, current_app

from tabwright.platform.csrf import CSRF_FIELD, csrf_matches
from tabwright.platform.errors import Denied, LimitReached, TabwrightError, Unauthenticated
from tabwright.platform.identities import Identity
from tabwright.platform.language import say_fault
from tabwright.platform.tenants import Tenant
from tabwright.platform.web import LANGUAGE_COOKIE, Visit, Web
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.rendering import Look, render, text
from tabwright.runtime.pages.resuming import Kept, at_door, posted, whose
from tabwright.runtime.pages.world import Site, keep_cookie, local_path, look_of
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

DOOR_COOKIE = "tw_door"  # what the sign-in form must carry: nobody else can sign a browser in
TENANT_COOKIE = "tw_tenant"


@dataclass(frozen=True, slots=True)
class Membership:
    """A tenant in which the identity is an active user."""

    tenant: Tenant
    user_id: UUID
    language: str | None


def places(site: Site, identity: Identity, request_id: str, wanted: str | None = None) -> list[Membership]:
    """The tenants in which the identity is an active user, by name; looked for where the hints say, and in
    the one of the slug ``wanted``. Where that gives nothing, everywhere, and what is found becomes hints.
    """
    known = site.memberships.of(identity.id)
    everything = [each for each in site.tenants.list() if each.state == "active"]
    likely = [each for each in everything if each.id in known or each.slug == wanted]
    found = _among(site, identity, likely, request_id)
    if not found:
        found = _among(site, identity, everything, request_id)
    for each in found:
        if each.tenant.id not in known:
            site.memberships.add(identity.id, each.tenant.id)
    return sorted(found, key=lambda each: each.tenant.name)


def _among(site: Site, identity: Identity, tenants: Sequence[Tenant], request_id: str) -> list[Membership]:
    """The user's own row is the truth: active, and of this identity."""
    found = []
    for tenant in tenants:
        call = system_call(site, tenant, request_id)
        if "user" not in call.model.objects:
            continue
        ids = f'identity_id = "{identity.id}" || identity_id = "{identity.id.hex}"'
        query = Query("user", fields=("active", "language"), where=ids, limit=1)
        for row in Reads(call).list(query).rows:
            if row["active"]:
                found.append(Membership(tenant, row["id"], row.get("language")))
    return found


def system_call(site: Site, tenant: Tenant, request_id: str) -> Call:
    """The platform's own call in a tenant, for what precedes a principal."""
    opened = site.tenancy.open(tenant.location)
    model = opened.at_release()
    return Call(
        tenant=opened,
        principal=Principal.system(),
        model=model,
        gate=Gate.system(model),
        clock=site.clock,
        ids=site.ids,
        language="en",
        zone="UTC",
        request_id=request_id,
        cause="sign_in",
    )


@dataclass(frozen=True, slots=True)
class Door:
    """The sign-in form as it is shown."""

    next: str = "/"
    address: str = ""
    error: str = ""
    notice: str = ""
    tenant_name: str = ""
    tenants: tuple[Tenant, ...] = ()
    kept: Kept | None = None  # the form with which the person goes on afterwards


def show_door(site: Site, request: Request, visit: Visit, door: Door, status: int = 200) -> Response:
    """The sign-in page."""
    token, fresh = door_token(request)
    look: Look = look_of(request, visit.language, token)
    html = render(
        "sign_in.html",
        look,
        {
            "next": door.next,
            "address": door.address,
            "error": door.error,
            "notice": door.notice,
            "tenant_name": door.tenant_name,
            "tenants": door.tenants,
            "kept": door.kept.for_door() if door.kept is not None else (),
        },
    )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = look.html_lang
    if fresh:
        keep_door(site, response, token)
    return response


def door_token(request: Request) -> tuple[str, bool]:
    """The token of the forms before sign-in, and whether it is new to this browser."""
    token = request.cookies.get(DOOR_COOKIE, "")
    return (token, False) if len(token) == 43 else (secrets.token_urlsafe(32), True)


def keep_door(site: Site, response: Response, token: str) -> None:
    """Give the browser a new door's token."""
    response.set_cookie(
        DOOR_COOKIE, token, httponly=True, samesite="Strict", path="/", secure=site.settings.secure
    )


def check_door(request: Request) -> None:
    """A form of the pages before sign-in carries the door's token. Raises Denied."""
    token = request.cookies.get(DOOR_COOKIE, "")
    if len(token) != 43 or not csrf_matches(token, request.form.get(CSRF_FIELD, "")):
        raise Denied.of("web.csrf")


def sign_in(site: Site, request: Request, visit: Visit) -> Response:
    """Check the form, start the session, go where the person wanted to go."""
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
    chosen = chosen or found[0]
    cookie = start(site, identity, chosen)
    if kept is None:
        response = redirect(door.next)
    else:
        response = _go_on(site, request, visit, cookie, kept, is_theirs=theirs is not None)
    web().start_session(response, cookie)
    keep_cookie(site, response, TENANT_COOKIE, chosen.tenant.slug)
    if chosen.language:
        keep_cookie(site, response, LANGUAGE_COOKIE, chosen.language)
    response.delete_cookie(DOOR_COOKIE, path="/")
    return response


def start(site: Site, identity: Identity, place: Membership) -> str:
    """A new session of a person in one of their places: the cookie."""
    data = {"address": identity.address, "tenant_name": place.tenant.name}
    return site.sessions.start(identity, place.tenant.id, place.user_id, data)


def place_of(site: Site, identity: Identity, places: Sequence[Membership], mark: str) -> Membership | None:
    """The place in which a form with this mark was opened by the identity; None for anybody else's."""
    given = mark.encode("utf-8", "replace")
    for each in places:
        if hmac.compare_digest(whose(site.settings, identity.id, each.tenant.id).encode(), given):
            return each
    return None


def _go_on(
    site: Site, request: Request, visit: Visit, cookie: str, kept: Kept, *, is_theirs: bool
) -> Response:
    """Back to the form that was kept: a page that posts it again, to be looked at, not to be saved."""
    session = site.sessions.find(cookie)
    assert session is not None
    if not is_theirs:
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


def to_door(site: Site, request: Request, visit: Visit) -> Response:
    """Send who is not signed in to the sign-in page, and back after it; a form that was sent goes along."""
    if request.method == "POST":
        kept = posted(request.path, request.form)
        if kept is not None:
            notice = text(visit.language)("sign_in.kept")
            return show_door(site, request, visit, Door(notice=notice, kept=kept), 401)
    here = request.full_path if request.query_string else request.path
    back = here if request.method == "GET" else "/"
    return redirect("/sign-in" + (f"?next={quote(back)}" if back != "/" else ""))


def said(error: TabwrightError, visit: Visit) -> str:
    """An error of the door in words."""
    return " ".join(say_fault(fault, visit.language) for fault in error.faults)


def redirect(to: str) -> Response:
    """See other: after a post, the page that shows what came of it."""
    response = Response(status=303)
    response.headers["Location"] = to
    return response


def web() -> Web:
    """What every route of the application shares."""
    found: Web = current_app.extensions["tabwright"]
    return found
