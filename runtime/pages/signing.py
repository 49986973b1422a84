"""Signing in and out."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import quote
from uuid import UUID

from flask import Request, Response, current_app

from tabwright.platform.errors import Denied, LimitReached, TabwrightError, Unauthenticated
from tabwright.platform.identities import Identity
from tabwright.platform.language import say_fault
from tabwright.platform.tenants import Tenant
from tabwright.platform.web import LANGUAGE_COOKIE, Visit, Web
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call
from tabwright.runtime.pages.rendering import Look, render, text
from tabwright.runtime.pages.world import SEEN_COOKIE, Site, keep_cookie, local_path, look_of
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


def places(site: Site, identity: Identity, request_id: str) -> list[Membership]:
    """Every tenant in which the identity is an active user, by name."""
    found = []
    for tenant in site.tenants.list():
        if tenant.state != "active":
            continue
        call = system_call(site, tenant, request_id)
        if "user" not in call.model.objects:
            continue
        ids = f'identity_id = "{identity.id}" || identity_id = "{identity.id.hex}"'
        query = Query("user", fields=("active", "language"), where=ids, limit=1)
        for row in Reads(call).list(query).rows:
            if row["active"]:
                found.append(Membership(tenant, row["id"], row.get("language")))
    return sorted(found, key=lambda each: each.tenant.name)


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


def show_door(site: Site, request: Request, visit: Visit, door: Door, status: int = 200) -> Response:
    """The sign-in page."""
    token = request.cookies.get(DOOR_COOKIE, "")
    fresh = len(token) != 43
    if fresh:
        token = secrets.token_urlsafe(32)
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
        },
    )
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = look.html_lang
    if fresh:
        response.set_cookie(
            DOOR_COOKIE, token, httponly=True, samesite="Strict", path="/", secure=site.settings.secure
        )
    return response


def check_door(request: Request) -> None:
    """A form of the pages before sign-in carries the door's token. Raises Denied."""
    token, given = request.cookies.get(DOOR_COOKIE, ""), request.form.get("csrf", "")
    if len(token) != 43 or not hmac.compare_digest(token.encode(), given.encode("utf-8", "replace")):
        raise Denied.of("web.csrf")


def sign_in(site: Site, request: Request, visit: Visit) -> Response:
    """Check the form, start the session, go where the person wanted to go."""
    t = text(visit.language)
    form = request.form
    door = Door(local_path(form.get("next", "/")), form.get("address", "").strip()[:320])
    try:
        check_door(request)
        if not door.address or not form.get("password"):
            return show_door(site, request, visit, _with(door, t("sign_in.blank")), 422)
        identity = site.identities.verify(door.address, form["password"], visit.remote)
        found = places(site, identity, visit.request_id)
    except (Denied, Unauthenticated, LimitReached) as error:
        return show_door(site, request, visit, _with(door, said(error, visit)), error.status)
    if not found:
        return show_door(site, request, visit, _with(door, t("sign_in.no_tenant")), 403)
    wanted = form.get("tenant") or request.cookies.get(TENANT_COOKIE)
    chosen = next((each for each in found if each.tenant.slug == wanted), None)
    if chosen is None and len(found) > 1:
        tenants = tuple(each.tenant for each in found)
        again = Door(door.next, door.address, notice=t("sign_in.choose"), tenants=tenants)
        return show_door(site, request, visit, again)
    chosen = chosen or found[0]
    data = {"address": identity.address, "tenant_name": chosen.tenant.name}
    cookie = site.sessions.start(identity, chosen.tenant.id, chosen.user_id, data)
    response = redirect(door.next)
    _web().start_session(response, cookie)
    keep_cookie(site, response, TENANT_COOKIE, chosen.tenant.slug)
    if chosen.language:
        keep_cookie(site, response, LANGUAGE_COOKIE, chosen.language)
    response.delete_cookie(DOOR_COOKIE, path="/")
    return response


def sign_out(site: Site, request: Request, cookie: str) -> Response:
    """End the session; what this browser opened last is forgotten too."""
    site.sessions.end(cookie)
    response = redirect("/sign-in?out=1")
    _web().end_session(response)
    response.delete_cookie(SEEN_COOKIE, path="/")
    return response


def to_door(request: Request) -> Response:
    """Send who is not signed in to the sign-in page, and back after it."""
    here = request.full_path if request.query_string else request.path
    back = here if request.method == "GET" else "/"
    return redirect("/sign-in" + (f"?next={quote(back)}" if back != "/" else ""))


def said(error: TabwrightError, visit: Visit) -> str:
    """An error of the door in words."""
    return " ".join(say_fault(fault, visit.language) for fault in error.faults)


def _with(door: Door, error: str) -> Door:
    return Door(door.next, door.address, error)


def redirect(to: str) -> Response:
    """See other: after a post, the page that shows what came of it."""
    response = Response(status=303)
    response.headers["Location"] = to
    return response


def _web() -> Web:
    found: Web = current_app.extensions["tabwright"]
    return found
