"""The door: the sign-in page, what its forms carry, and where the pages before sign-in lead."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from urllib.parse import quote

from flask import Request, Response, current_app

from tabwright.platform.csrf import CSRF_FIELD, csrf_matches
from tabwright.platform.errors import Denied, TabwrightError
from tabwright.platform.language import say_fault
from tabwright.platform.tenants import Tenant
from tabwright.platform.web import Visit, Web
from tabwright.runtime.pages.rendering import Look, render, text
from tabwright.runtime.pages.resuming import Kept, posted
from tabwright.runtime.pages.world import Site, look_of

DOOR_COOKIE = "tw_door"  # what the sign-in form must carry: nobody else can sign a browser in
TENANT_COOKIE = "tw_tenant"


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
