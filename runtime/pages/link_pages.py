"""The pages before sign-in that links lead to: an invitation, a new password, and asking for one.

A link's secret comes behind the ``#``, and a script posts it: it is in no address that a server or another
page is told.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flask import Blueprint, Response, request

from tabwright.platform.errors import Denied, Invalid, LimitReached, NotFound, TabwrightError, Unauthenticated
from tabwright.platform.language import LANGUAGES, choose_language
from tabwright.platform.web import LANGUAGE_COOKIE, policy, visit
from tabwright.runtime.pages import entering, signing
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.world import Site, keep_cookie, look_of
from tabwright.runtime.people.links import PATH
from tabwright.runtime.people.opening import Opened, accept, open_link, send_reset


def register(pages: Blueprint, site: Site) -> None:
    """Put ``/link`` and ``/forgot`` among the pages."""

    @pages.get(PATH)
    @policy("public")
    def link() -> Response:
        return _page(site, "link.html")

    @pages.post(PATH)
    @policy("public")
    def follow() -> Response:
        """Show what the link is for; with a password, use it."""
        here, form = visit(), request.form
        secret = form.get("secret", "").strip()[:200]
        try:
            signing.check_door(request)
            opened = open_link(site, secret, here.request_id)
        except (NotFound, Denied) as error:
            return _page(site, "link.html", error=error)
        if "password" not in form:
            here.language = choose_language((request.cookies.get(LANGUAGE_COOKIE), opened.language))
            return _page(site, "link_open.html", opened=opened, secret=secret)
        language = form.get("language", "")
        here.language = choose_language((language,), None, here.language)
        return _use(opened, secret, here.language if language in LANGUAGES else None)

    def _use(opened: Opened, secret: str, language: str | None) -> Response:
        here = visit()
        try:
            identity, place = accept(
                site, opened, request.form["password"], language, here.remote, here.request_id
            )
        except NotFound as error:
            return _page(site, "link.html", error=error)
        except (Invalid, Unauthenticated, LimitReached) as error:
            return _page(site, "link_open.html", error=error, opened=opened, secret=secret)
        response = entering.enter(site, request, here, identity, place, entering.Onward())
        if language is not None:
            keep_cookie(site, response, LANGUAGE_COOKIE, language)
        return response

    @pages.get("/forgot")
    @policy("public")
    def forgot() -> Response:
        return _page(site, "forgot.html", can_send=_can_send(site))

    @pages.post("/forgot")
    @policy("public")
    def ask() -> Response:
        """The same answer to everybody, after the same work; whether there is somebody is looked up after it
        is on its way.
        """
        here, address = visit(), request.form.get("address", "").strip()[:320]
        try:
            signing.check_door(request)
            if not _can_send(site):
                return _page(site, "forgot.html", can_send=False)
            if not address:
                raise Invalid.of("pages.forgot.blank")
            site.identities.count_request(address, here.remote)
        except (Denied, Invalid, LimitReached) as error:
            return _page(site, "forgot.html", error=error, can_send=True, address=address)
        response = _page(site, "forgot.html", can_send=True, sent=True)
        response.call_on_close(partial(send_reset, site, address, here.request_id))
        return response


def _can_send(site: Site) -> bool:
    return site.post is not None and site.settings.base_url is not None


def _page(site: Site, template: str, error: TabwrightError | None = None, **page: Any) -> Response:
    here = visit()
    token, fresh = signing.door_token(request)
    look = look_of(request, here.language, token)
    least = site.settings.limits.password_characters
    told = signing.said(error, here) if error is not None else ""
    html = render(
        template,
        look,
        {
            "error": told,
            "hint": text(here.language)("link.password_hint", least=least),
            "address": "",
            "sent": False,
            **page,
        },
    )
    status = error.status if error is not None else 200
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = look.html_lang
    if fresh:
        signing.keep_door(site, response, token)
    return response
