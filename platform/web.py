"""What every route shares: who asks, what may be sent, how a refusal looks, which headers protect a page.

Deny by default: a view without ``@policy`` stops the start (``check_policies``). The policy decides before
the view
runs whether a session or a token is needed; sessions need their CSRF token on every request that changes
something.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit

import msgspec
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge
from werkzeug.middleware.proxy_fix import ProxyFix

from tabwright.platform.clock import Ids
from tabwright.platform.csrf import CSRF_FIELD, CSRF_HEADER, csrf_matches
from tabwright.platform.errors import (
    Denied,
    Failed,
    Fault,
    LimitReached,
    Malformed,
    NotFound,
    TabwrightError,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from tabwright.platform.language import TAGS, Language, choose_language, say, say_fault
from tabwright.platform.packing import pack
from tabwright.platform.settings import Settings
from tabwright.platform.signin import COOKIE, SessionRow, Sessions, TokenRow, Tokens

log = logging.getLogger("tabwright.web")

LANGUAGE_COOKIE = "tw_language"
PROBLEM = "application/problem+json"
PolicyName = Literal["public", "session", "token", "session or token"]
_SAFE = {"GET", "HEAD", "OPTIONS"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_CONTENT = _HEADERS["Content-Security-Policy"]
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may reach a view, and whether it takes a file."""

    name: PolicyName
    upload: bool = False
    unfinished: bool = False


def policy(name: PolicyName, *, upload: bool = False, unfinished: bool = False) -> Callable[[View], View]:
    """Declare who may reach a view. ``upload``: its body may be as large as a file. ``unfinished``: a session
    that has something left to do (``SessionRow.unfinished``) reaches it too.
    """

    def declare(view: View) -> View:
        view.tabwright_policy = Policy(name, upload, unfinished)  # type: ignore[attr-defined]
        return view

    return declare


def check_policies(app: Flask) -> None:
    """Raise RuntimeError naming every route whose view has no policy; called when all rooms have
    registered.
    """
    missing = [
        f"{rule.rule} ({rule.endpoint})"
        for rule in app.url_map.iter_rules()
        if not hasattr(app.view_functions[rule.endpoint], "tabwright_policy")
    ]
    if missing:
        raise RuntimeError("routes without a policy: " + ", ".join(sorted(missing)))


def frames(response: Response) -> Response:
    """Let a page hold frames with pages of this site (``framed``)."""
    response.headers["Content-Security-Policy"] = _CONTENT + "; frame-src 'self'"
    return response


def framed(response: Response) -> Response:
    """Let a page stand in a frame of this site; its forms go nowhere."""
    inside = _CONTENT.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    response.headers["Content-Security-Policy"] = inside.replace("form-action 'self'", "form-action 'none'")
    response.headers["X-Frame-Options"] = "SAMEORIGIN"
    return response


@dataclass(slots=True)
class Visit:
    """One request as the platform sees it. ``language`` may be set anew when the person's own is known."""

    request_id: str
    language: Language
    remote: str
    session: SessionRow | None = None
    token: TokenRow | None = None

    @property
    def csrf(self) -> str:
        """What forms of this page carry; empty without a session."""
        return self.session.csrf if self.session else ""


def visit() -> Visit:
    """The visit of the request in hand."""
    found: Visit = g.tabwright_visit
    return found


ErrorPage = Callable[[TabwrightError, int, Visit], Response]


class Web:
    """The shared behaviour of one Flask application."""

    def __init__(self, app: Flask, settings: Settings, ids: Ids, sessions: Sessions, tokens: Tokens) -> None:
        self._settings = settings
        self._limits = settings.limits
        self._ids = ids
        self._sessions = sessions
        self._tokens = tokens
        self._headers = tuple(_HEADERS.items())
        if settings.secure:
            self._headers += (("Strict-Transport-Security", "max-age=31536000"),)
        # Shows an error to a person; ``runtime.pages`` puts its own here.
        self.error_page: ErrorPage = plain_error_page
        # Of the fields of a form; the parser's own buffer counts too, so not less than that.
        app.config["MAX_FORM_MEMORY_SIZE"] = max(self._limits.body_bytes, 1_000_000)
        app.config["MAX_FORM_PARTS"] = 5_000  # a form of 500 fields, some with several inputs
        app.before_request(self._enter)
        app.after_request(self._leave)
        app.register_error_handler(TabwrightError, self._refused)
        app.register_error_handler(HTTPException, self._refused_by_http)
        app.register_error_handler(Exception, self._failed)
        if settings.proxies:
            count = settings.proxies
            proxied = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)
            app.wsgi_app = proxied  # type: ignore[method-assign]
        app.extensions["tabwright"] = self

    # ---- in -----------------------------------------------------------------------------------------

    def _enter(self) -> None:
        here = Visit(self._ids.new().hex, self._settings.language, request.remote_addr or "")  # type: ignore[arg-type]
        g.tabwright_visit = here
        declared = _declared()
        here.language = choose_language(
            (request.cookies.get(LANGUAGE_COOKIE),),
            request.headers.get("Accept-Language"),
            self._settings.language,  # type: ignore[arg-type]
        )
        self._limit_body(declared)
        if declared is None:
            return  # no such route: Flask says so
        if declared.name != "public":
            self._know(here, declared)
        if request.method not in _SAFE and here.token is None:
            self._check_origin()
            if here.session is not None:
                check_csrf(here.session)

    def _limit_body(self, declared: Policy | None) -> None:
        upload = declared is not None and declared.upload
        name = "upload_bytes" if upload else "body_bytes"
        most: int = getattr(self._limits, name)
        if request.content_length is None:
            # Of unknown length. Werkzeug's own limit would cut the body off at the limit, in silence.
            request.max_content_length = None
            request.environ["wsgi.input"] = _Guarded(request.environ["wsgi.input"], most)
        else:
            request.max_content_length = most
        if (request.content_length or 0) > most:
            raise TooLarge.of("web.body_too_large", limit=name, value=most)

    def _know(self, here: Visit, declared: Policy) -> None:
        bearer, name = request.headers.get("Authorization"), declared.name
        if name == "token" or (name == "session or token" and bearer is not None):
            scheme, _, secret = (bearer or "").partition(" ")
            here.token = self._tokens.find(secret.strip()) if scheme.lower() == "bearer" else None
            if here.token is None:
                raise Unauthenticated.of("web.token")
            return
        cookie = request.cookies.get(COOKIE)
        here.session = self._sessions.find(cookie) if cookie else None
        if here.session is None:
            raise Unauthenticated.of("web.session")
        if here.session.unfinished and not declared.unfinished:
            raise Denied.of("web.unfinished")
        if chosen := here.session.data.get("language"):
            here.language = choose_language((chosen,), None, here.language)

    def _check_origin(self) -> None:
        """A browser says where a form comes from; a program says nothing."""
        if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
            raise Denied.of("web.origin")
        origin = request.headers.get("Origin")
        ours = {request.host}
        if self._settings.base_url:
            ours.add(urlsplit(self._settings.base_url).netloc)
        if origin is not None and _netloc(origin) not in ours:
            raise Denied.of("web.origin")

    # ---- out ----------------------------------------------------------------------------------------

    def _leave(self, response: Response) -> Response:
        headers = response.headers
        there = {name.lower() for name, _ in headers}  # looked at once, not once for each of ours
        for name, value in self._headers:
            if name.lower() not in there:
                headers.add(name, value)
        if "cache-control" not in there:
            headers.add("Cache-Control", "private, no-store")
            headers.add("Vary", "Cookie")
        here: Visit | None = g.get("tabwright_visit")
        if here is not None and "x-request-id" not in there:
            headers.add("X-Request-Id", here.request_id)
        return pack(request, response)

    def start_session(self, response: Response, cookie: str) -> None:
        """Give the browser its session's cookie; gone when the browser closes, ended by the server
        before that.
        """
        response.set_cookie(
            COOKIE, cookie, httponly=True, samesite="Lax", secure=self._settings.secure, path="/"
        )

    def end_session(self, response: Response) -> None:
        """Take the cookie away."""
        response.delete_cookie(COOKIE, httponly=True, samesite="Lax", secure=self._settings.secure, path="/")

    def _refused(self, error: TabwrightError) -> Response:
        return self._answer(error, error.status, {})

    def _refused_by_http(self, error: HTTPException) -> Response | HTTPException:
        if error.code is None or error.code < 400:
            return error  # a redirect
        ours: TabwrightError
        if isinstance(error, RequestEntityTooLarge):
            declared = _declared()
            name = "upload_bytes" if declared is not None and declared.upload else "body_bytes"
            ours = TooLarge.of("web.body_too_large", limit=name, value=getattr(self._limits, name))
        elif error.code == 404:
            ours = NotFound.of("web.not_found")
        elif error.code == 405:
            ours = Malformed.of("web.method", method=request.method)
        elif error.code == 415:
            ours = Malformed.of("web.media_type")
        else:
            ours = Malformed.of("web.http", status=error.code, reason=HTTPStatus(error.code).phrase)
        # Allow on 405, Retry-After and the like are in the exception's headers.
        kept = {
            name: value
            for name, value in error.get_headers()
            if name not in ("Content-Type", "Content-Length")
        }
        return self._answer(ours, error.code, kept)

    def _failed(self, error: Exception) -> Response:
        here: Visit | None = g.get("tabwright_visit")
        id = here.request_id if here is not None else self._ids.new().hex
        log.error("request %s failed", id, exc_info=error)
        return self._answer(Failed.of("web.failed", id=id), 500, {})

    def _answer(self, error: TabwrightError, status: int, headers: Mapping[str, str]) -> Response:
        here: Visit = g.get("tabwright_visit") or Visit(self._ids.new().hex, "en", "")
        if wants_page():
            response = self.error_page(error, status, here)
        else:
            document = problem(error, here.language, here.request_id, status)
            response = Response(msgspec.json.encode(document), status, content_type=PROBLEM)
            response.headers["Content-Language"] = TAGS[here.language]
        for name, value in {**problem_headers(error), **headers}.items():
            response.headers[name] = value
        return response


def wants_page() -> bool:
    """Whether the request in hand is a person's browser asking for a page, and no program."""
    accept = request.accept_mimetypes
    return (
        not request.path.startswith("/api/")
        and accept.best_match(["application/json", "text/html"]) == "text/html"
    )


def told(fault: Fault, language: Language) -> dict[str, Any]:
    """A fault as programs are told of it: its code, its message, its place, and what would let it pass."""
    found: dict[str, Any] = {
        "code": fault.code, "message": say_fault(fault, language), **fault.place.known(),
    }  # fmt: skip
    if "confirm" in fault.params:
        found["confirm"] = fault.params["confirm"]
    return found


def problem(
    error: TabwrightError, language: Language, request_id: str, status: int | None = None, **more: Any
) -> dict[str, Any]:
    """The RFC 9457 document of an error, with every fault and its place."""
    status = status or error.status
    faults = [told(each, language) for each in error.faults]
    confirm = list(dict.fromkeys(each["confirm"] for each in faults if "confirm" in each))
    return {
        "type": f"urn:tabwright:{error.code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": faults[0]["message"],
        "code": error.code,
        "request_id": request_id,
        "faults": faults,
        **({"confirm": confirm} if confirm else {}),
        **more,
    }


def problem_headers(error: TabwrightError) -> dict[str, str]:
    """The headers that go with an error."""
    if isinstance(error, Unavailable):
        return {"Retry-After": str(error.retry_after)}
    if isinstance(error, LimitReached):
        return {"Retry-After": "60"}
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    return {}


def plain_error_page(error: TabwrightError, status: int, here: Visit) -> Response:
    """An error for a person where no room shows it more beautifully."""
    from markupsafe import escape

    texts = "".join(f"<p>{escape(say_fault(fault, here.language))}</p>" for fault in error.faults[:20])
    home = escape(say("web.home", {}, here.language))
    html = (
        f'<!doctype html><html lang="{TAGS[here.language]}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{status}</title></head>'
        f'<body><main><h1>{status}</h1>{texts}<p><a href="/">{home}</a></p>'
        f"<p><small>{here.request_id}</small></p></main></body></html>"
    )
    return Response(html, status, content_type="text/html; charset=utf-8")


class _Guarded(io.RawIOBase):
    """A body that fails when it turns out to be longer than ``most`` bytes."""

    def __init__(self, source: Any, most: int) -> None:
        self._source = source
        self._left = most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._source.read(len(buffer))
        self._left -= len(data)
        if self._left < 0:
            raise RequestEntityTooLarge
        buffer[: len(data)] = data
        return len(data)


def _declared() -> Policy | None:
    if request.endpoint is None:
        return None
    from flask import current_app

    found: Policy | None = getattr(current_app.view_functions.get(request.endpoint), "tabwright_policy", None)
    return found


def _netloc(address: str) -> str | None:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return None


def check_csrf(session: SessionRow) -> None:
    """The request in hand carries the token of a page of this session, in ``CSRF_HEADER`` or the form's
    ``CSRF_FIELD``. Raises Denied.
    """
    given = request.headers.get(CSRF_HEADER)
    if given is None and request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        given = request.form.get(CSRF_FIELD)
    if given is None or not csrf_matches(session.csrf, given):
        raise Denied.of("web.csrf")
