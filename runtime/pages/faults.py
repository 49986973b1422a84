"""Errors as pages: what is wrong in words, what is kept, the next step, an id to quote."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, request

from tabwright.platform.errors import TabwrightError
from tabwright.platform.language import say_fault
from tabwright.platform.signin import COOKIE
from tabwright.platform.web import Visit
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.renewing import SECOND_FACTOR
from tabwright.runtime.pages.signing import redirect, to_door
from tabwright.runtime.pages.world import Site, look_of, open_desk

_looks = {
    400: ("grey", "question-mark"),
    403: ("grey", "lock"),
    404: ("grey", "lock"),
    413: ("amber", "file-upload"),
    429: ("amber", "hourglass"),
    500: ("red", "alert-circle"),
    503: ("amber", "hourglass"),
}
_titled = (400, 403, 404, 405, 413, 429, 500, 503)
_told_generally = (404, 500, 503)  # the general text says all that a person can use
_told_anyway = ("journal.not_yet", "journal.in_bin")  # of a record that its reader may know
MOST_TEXTS = 5


@dataclass(frozen=True, slots=True)
class FaultPage:
    colour: str
    icon: str
    title: str
    texts: tuple[str, ...]
    retry: str | None
    request_id: str
    heading: str


def error_page(site: Site, error: TabwrightError, status: int, here: Visit) -> Response:
    """The page of an error; who is not signed in is sent to sign in."""
    if status == 401 and _is_piece():
        told = say_fault(error.faults[0], here.language)  # the page shows the dialog for signing in
        return Response(told, status, content_type="text/plain; charset=utf-8")
    if status == 401:
        return to_door(site, request, here)
    if error.code == "web.unfinished":
        if _is_piece():
            return Response(say_fault(error.faults[0], here.language), 403, content_type="text/plain")
        return redirect(SECOND_FACTOR)
    try:
        return _in_shell(site, error, status, here)
    except Exception:  # the shell itself cannot be shown, for instance because the store is away
        page = _page(error, status, here)
        html = render("fault_bare.html", look_of(request, here.language, here.csrf), {"page": page})
        return Response(html, status, content_type="text/html; charset=utf-8")


def _is_piece() -> bool:
    """Whether a script of a page asks, not somebody who goes to a page."""
    return "HX-Request" in request.headers or request.headers.get("Sec-Fetch-Dest") == "empty"


def _in_shell(site: Site, error: TabwrightError, status: int, here: Visit) -> Response:
    if here.session is None:
        cookie = request.cookies.get(COOKIE)
        here.session = site.sessions.find(cookie) if cookie else None
    if here.session is None or here.session.unfinished:
        page = _page(error, status, here)
        html = render("fault_bare.html", look_of(request, here.language, ""), {"page": page})
        return Response(html, status, content_type="text/html; charset=utf-8")
    desk = open_desk(site, request, here)
    return desk.page("fault.html", "", _page(error, status, here), status)


def _page(error: TabwrightError, status: int, here: Visit) -> FaultPage:
    t = text(here.language)
    known = status if status in _titled else 500 if status >= 500 else 400
    if known in _told_generally and not any(fault.code in _told_anyway for fault in error.faults):
        texts: tuple[str, ...] = (t(f"fault.{known}_text"),)
    else:
        texts = tuple(dict.fromkeys(say_fault(fault, here.language) for fault in error.faults[:MOST_TEXTS]))
    colour, icon = _looks.get(known, _looks[400])
    retry = request.full_path if status in (500, 503) and request.method == "GET" else None
    return FaultPage(colour, icon, t(f"fault.{known}"), texts, retry, here.request_id, "h1")
