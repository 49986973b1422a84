"""The first administrator: made on the console, or on a page of this machine with a one-time file's code.

The file stands in the home folder while nobody can sign in at all. Who can read it runs the installation; it
is used up by the first who sends its code. The page is shown to this machine only, and to nobody afterwards.
"""

from __future__ import annotations

import hmac
import logging
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, request

from tabwright.people import add_person
from tabwright.platform.errors import Conflict, Denied, Fault, Invalid, LimitReached, NotFound, TabwrightError
from tabwright.platform.language import LANGUAGES, choose_language, register_messages
from tabwright.platform.settings import Settings, is_loopback
from tabwright.platform.tenants import check_slug
from tabwright.platform.web import policy, visit
from tabwright.runtime.pages import entering, signing
from tabwright.runtime.pages.rendering import render, text
from tabwright.runtime.pages.world import look_of
from tabwright.runtime.people.places import places

if TYPE_CHECKING:
    from tabwright.app import Site

register_messages(Path(__file__).with_name("messages.json"))

FILE = "first-admin"
PATH = "/first"
_FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP")
_log = logging.getLogger("tabwright.first")


def prepare(site: Site) -> None:
    """At the start: the one-time file where nobody can sign in yet; no such file where somebody can."""
    file = site.settings.home / FILE
    if site.identities.any():
        file.unlink(missing_ok=True)
        return
    with suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_urlsafe(24) + "\n")
    _log.warning("nobody can sign in yet: open %s on this machine with the code in %s", PATH, file)


def check_served(site: Site) -> None:
    """Raise Conflict (``cli.remote_first``) for an installation that nobody can sign in to: it is served to
    this machine only.
    """
    if not site.identities.any():
        raise Conflict.of("cli.remote_first", file=str(site.settings.home / FILE))


def register(app: Flask, site: Site) -> None:
    """Put the page on the application."""

    @app.get(PATH)
    @policy("public")
    def first() -> Response:
        _require(site)
        return _page(site)

    @app.post(PATH)
    @policy("public")
    def make() -> Response:
        _require(site)
        here, form = visit(), request.form
        try:
            signing.check_door(request)
            site.identities.count_request(PATH, here.remote)
            _check_form(site)
            _take(site.settings, form.get("code", ""))
        except (Denied, Invalid, LimitReached) as error:
            return _page(site, error)
        language = choose_language((form.get("language"),), None, here.language)
        address = form.get("address", "").strip()
        location = site.make_tenant(form.get("slug", ""), form.get("tenant", "").strip())
        add_person(
            site, location, name=form.get("name", "").strip(), address=address,
            password=form.get("password", ""), sets=("administrator",), values={"language": language},
        )  # fmt: skip
        identity = site.identities.find(address)
        here.language = language
        found = places(site, identity, here.request_id)
        return entering.enter(site, request, here, identity, found[0], entering.Onward())


def _require(site: Site) -> None:
    """Nobody is there yet, and who asks sits at this machine: no proxy stands between."""
    near = is_loopback(visit().remote) and not any(name in request.headers for name in _FORWARDED)
    if not near or site.identities.any():
        raise NotFound.of("web.not_found")


def _check_form(site: Site) -> None:
    form = request.form
    faults: list[Fault] = []
    for name in ("tenant", "name", "address"):
        if not form.get(name, "").strip():
            raise Invalid.of("cli.first_blank")
    try:
        check_slug(form.get("slug", ""))
    except Invalid as error:
        faults += error.faults
    try:
        site.identities.check_new(form.get("address", ""), form.get("password", ""))
    except Invalid as error:
        faults += error.faults
    if any(each.slug == form.get("slug") for each in site.tenants.list()):
        raise Invalid.of("tenant.exists", slug=form.get("slug"))
    if faults:
        raise Invalid(faults)


def _take(settings: Settings, given: str) -> None:
    """Use the file up with its code. Raises Denied (``cli.first_code``)."""
    file = settings.home / FILE
    used = file.with_name(f"{FILE}.{secrets.token_hex(8)}")
    try:
        known = file.read_text("ascii").strip()
        if not hmac.compare_digest(known.encode(), given.strip().encode("utf-8", "replace")):
            raise Denied.of("cli.first_code", file=str(file))
        file.rename(used)  # one of two who send it at once
        used.unlink()
    except FileNotFoundError:
        raise Denied.of("cli.first_code", file=str(file)) from None


def _page(site: Site, error: TabwrightError | None = None) -> Response:
    here, form = visit(), request.form
    token, fresh = signing.door_token(request)
    look = look_of(request, here.language, token)
    least = site.settings.limits.password_characters
    page = {
        "file": str(site.settings.home / FILE),
        "form": {name: form.get(name, "") for name in ("code", "tenant", "slug", "name", "address")},
        "error": signing.said(error, here) if error else "",
        "hint": text(here.language)("link.password_hint", least=least),
        "languages": LANGUAGES,
    }
    html = render("first.html", look, page)
    response = Response(html, error.status if error else 200, content_type="text/html; charset=utf-8")
    if fresh:
        signing.keep_door(site, response, token)
    return response
