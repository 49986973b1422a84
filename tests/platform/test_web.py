"""What every route shares: policies, CSRF, limits, headers, and problem documents with their place."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from argon2 import PasswordHasher
from flask import Flask, Response, request
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from stores import open_stores, settings_for
from tabwright.platform import versions
from tabwright.platform.clock import FixedClock, FixedIds, SystemIds
from tabwright.platform.csrf import mask_csrf
from tabwright.platform.errors import Conflict, Fault, Invalid, LimitReached, Place, Unavailable
from tabwright.platform.identities import Identities
from tabwright.platform.settings import Limits
from tabwright.platform.signin import COOKIE, Sessions, Tokens
from tabwright.platform.static_files import static_files
from tabwright.platform.tenants import Tenants
from tabwright.platform.web import PROBLEM, Web, check_policies, policy, visit

LIMITS = Limits(body_bytes=1000, upload_bytes=5000)


class House:
    """An application of a few routes, with one session and one token."""

    def __init__(self, home: Path) -> None:
        self._stores = open_stores(settings_for("sqlite", home, LIMITS))
        stores = self._stores.__enter__()
        control = versions.open_control(stores)
        clock = FixedClock()
        tenant = Tenants(stores, clock, FixedIds()).create("a", "A")
        identities = Identities(control, clock, FixedIds(2), LIMITS, PasswordHasher(1, 8, 1))
        identity = identities.get(identities.create("li", "long enough"))
        self.sessions = Sessions(control, clock, LIMITS)
        tokens = Tokens(control, clock, FixedIds(3), LIMITS)
        self.cookie = self.sessions.start(identity, tenant.id, UUID(int=5))
        session = self.sessions.find(self.cookie)
        assert session is not None
        self.csrf = mask_csrf(session.csrf)
        self.token = tokens.create(tenant.id, UUID(int=6), "t")
        self.app = Flask(__name__, static_folder=None)
        self.web = Web(self.app, stores.settings, SystemIds(clock), self.sessions, tokens)
        (home / "files").mkdir()
        (home / "files" / "a.css").write_text("body {}")
        (home / "secret").write_text("x")
        static_files(self.app, "/static", home / "files")
        self._routes()
        check_policies(self.app)

    def close(self) -> None:
        self._stores.__exit__(None, None, None)

    def client(self, signed_in: bool = True) -> FlaskClient:
        client = self.app.test_client()
        if signed_in:
            client.set_cookie(COOKIE, self.cookie)
        return client

    def _routes(self) -> None:
        @self.app.route("/open", methods=["GET", "POST"])
        @policy("public")
        def open_() -> Response:
            return Response("open " + visit().language)

        @self.app.route("/page", methods=["GET", "POST"])
        @policy("session")
        def page() -> Response:
            session = visit().session
            assert session is not None
            return Response(str(session.user_id.int))

        @self.app.route("/api/v1/things", methods=["GET", "POST"])
        @policy("session or token")
        def things() -> Response:
            row = visit().token or visit().session
            assert row is not None
            return Response(str(row.user_id.int))

        @self.app.route("/api/v1/echo", methods=["POST"])
        @policy("session")
        def echo() -> Response:
            return Response(str(len(request.get_data(cache=False))))

        @self.app.route("/api/v1/program")
        @policy("token")
        def program() -> Response:
            return Response("ok")

        @self.app.route("/upload", methods=["POST"])
        @policy("session", upload=True)
        def upload() -> Response:
            return Response(str(len(request.files["file"].read())))

        @self.app.route("/api/v1/fails/<how>")
        @policy("public")
        def fails(how: str) -> Response:
            if how == "invalid":
                first = Fault("identity.password_short", {"least": 10}, Place(field="password", row=3))
                raise Invalid([first, Fault("tenant.name", {}, Place(pointer="/name"))])
            raise {
                "busy": Unavailable.of("database.busy"),
                "limit": LimitReached.at("sign_in.too_many", "sign_ins_per_minute", 5),
                "conflict": Conflict.of("tenant.exists", slug="<b>"),
            }.get(how) or ZeroDivisionError("password=hunter2")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.close()


def fault_of(response: TestResponse, status: int) -> str:
    assert response.status_code == status, response.text
    assert response.content_type == PROBLEM
    document = response.get_json(force=True)
    assert document["status"] == status and document["type"] == "urn:tabwright:" + document["code"]
    assert document["request_id"] == response.headers["X-Request-Id"]
    return str(document["code"])


def test_a_route_without_a_policy_stops_the_start(house: House) -> None:
    app = Flask(__name__, static_folder=None)
    app.add_url_rule("/bare", "bare", lambda: "x")
    with pytest.raises(RuntimeError, match="/bare"):
        check_policies(app)


def test_the_policy_decides_before_the_view(house: House) -> None:
    nobody = house.client(signed_in=False)
    assert nobody.get("/open").status_code == 200
    for path in ("/page", "/api/v1/things"):
        assert fault_of(nobody.get(path), 401) == "web.session"
        assert house.client().get(path).text == "5"
    nobody.set_cookie(COOKIE, "x" * 43)
    assert fault_of(nobody.get("/page"), 401) == "web.session"
    assert fault_of(house.client().get("/api/v1/program"), 401) == "web.token"


def test_a_token_is_enough_where_tokens_are_taken(house: House) -> None:
    bearer = {"Authorization": f"Bearer {house.token}"}
    client = house.client(signed_in=False)
    assert client.get("/api/v1/things", headers=bearer).text == "6"
    assert client.post("/api/v1/things", headers=bearer).text == "6"
    assert client.get("/api/v1/program", headers=bearer).text == "ok"
    for wrong in ("Bearer tw_nothing", "Basic abc", house.token, ""):
        response = client.get("/api/v1/things", headers={"Authorization": wrong})
        assert fault_of(response, 401) == "web.token" and response.headers["WWW-Authenticate"] == "Bearer"
    assert fault_of(client.get("/page", headers=bearer), 401) == "web.session"


def test_a_session_changes_nothing_without_its_csrf_token(house: House) -> None:
    client = house.client()
    assert fault_of(client.post("/page"), 403) == "web.csrf"
    assert fault_of(client.post("/page", data={"_csrf": "wrong"}), 403) == "web.csrf"
    assert fault_of(client.post("/api/v1/things", headers={"X-CSRFToken": "é"}), 403) == "web.csrf"
    assert client.post("/page", data={"_csrf": house.csrf}).text == "5"
    assert client.post("/page", headers={"X-CSRFToken": house.csrf}).text == "5"
    # One name each: other spellings are not read.
    assert fault_of(client.post("/page", headers={"X-CSRF-Token": house.csrf}), 403) == "web.csrf"
    assert fault_of(client.post("/page", data={"csrf_token": house.csrf}), 403) == "web.csrf"


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}]
)
def test_another_site_may_not_post_not_even_to_the_sign_in(house: House, headers: dict[str, str]) -> None:
    assert fault_of(house.client(False).post("/open", headers=headers), 403) == "web.origin"
    given = {**headers, "X-CSRFToken": house.csrf}
    assert fault_of(house.client().post("/page", headers=given), 403) == "web.origin"
    assert house.client().get("/page", headers=headers).status_code == 200
    ours = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin", "X-CSRFToken": house.csrf}
    assert house.client().post("/page", headers=ours).status_code == 200


def test_a_body_has_a_limit_and_a_file_another(house: House) -> None:
    client = house.client()
    response = client.post("/page", data={"_csrf": house.csrf, "x": "y" * 2000})
    assert fault_of(response, 413) == "web.body_too_large"
    assert "1000" in response.get_json(force=True)["detail"]
    headers = {"X-CSRFToken": house.csrf}
    sent = client.post("/upload", data={"file": (io.BytesIO(b"x" * 3000), "a.csv")}, headers=headers)
    assert sent.text == "3000"
    sent = client.post("/upload", data={"file": (io.BytesIO(b"x" * 6000), "a.csv")}, headers=headers)
    assert fault_of(sent, 413) == "web.body_too_large" and "5000" in sent.get_json(force=True)["detail"]


@pytest.mark.parametrize("size", [10, 900, 1100, 30_000])
def test_a_body_of_unknown_length_has_the_same_limit(house: House, size: int) -> None:
    """It is read whole or refused, never cut off."""
    for path, type, start in (
        ("/api/v1/echo", "application/json", b""),
        ("/page", "application/x-www-form-urlencoded", b"_csrf=" + house.csrf.encode() + b"&x="),
    ):
        response = house.client().post(
            path,
            input_stream=io.BytesIO(start + b"x" * (size - len(start))),
            content_type=type,
            headers={"X-CSRFToken": house.csrf} if not start else {},
            environ_overrides={"wsgi.input_terminated": True},
        )
        if size > LIMITS.body_bytes:
            assert fault_of(response, 413) == "web.body_too_large"
        elif size > len(start):
            assert response.text == ("5" if start else str(size))


def test_pages_are_private_and_guarded(house: House) -> None:
    headers = house.client().get("/page").headers
    assert headers["Cache-Control"] == "private, no-store"
    policy_text = headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy_text and "frame-ancestors 'none'" in policy_text
    assert headers["X-Content-Type-Options"] == "nosniff" and headers["X-Frame-Options"] == "DENY"
    assert "Strict-Transport-Security" not in headers and "Server" not in headers


def test_static_files_may_be_kept_and_lead_nowhere_else(house: House) -> None:
    client = house.client(signed_in=False)
    response = client.get("/static/a.css?v=1")
    assert response.text == "body {}" and "immutable" in response.headers["Cache-Control"]
    again = client.get("/static/a.css", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304 and "max-age=300" in again.headers["Cache-Control"]
    for path in ("/static/../secret", "/static/%2e%2e/secret", "/static/nothing", "/static//etc/passwd"):
        assert client.get(path).status_code in (404, 308)


def test_every_fault_stands_in_the_problem_with_its_place(house: House) -> None:
    response = house.client().get("/api/v1/fails/invalid", headers={"Accept-Language": "zh-TW,en;q=0.5"})
    assert fault_of(response, 422) == "identity.password_short"
    assert response.get_json(force=True)["faults"] == [
        {
            "code": "identity.password_short",
            "message": "密码至少需要 10 个字符。",
            "field": "password",
            "row": 3,
        },
        {"code": "tenant.name", "message": "企业名称需要 1 至 200 个字符。", "pointer": "/name"},
    ]
    assert response.headers["Content-Language"] == "zh-CN"


def test_who_should_wait_is_told_how_long(house: House) -> None:
    client = house.client()
    busy, limit = client.get("/api/v1/fails/busy"), client.get("/api/v1/fails/limit")
    assert (fault_of(busy, 503), busy.headers["Retry-After"]) == ("database.busy", "1")
    assert (fault_of(limit, 429), limit.headers["Retry-After"]) == ("sign_in.too_many", "60")


def test_our_own_failure_gives_an_id_and_nothing_else(house: House, caplog: pytest.LogCaptureFixture) -> None:
    response = house.client().get("/api/v1/fails/oops")
    assert fault_of(response, 500) == "web.failed" and "hunter2" not in response.text
    assert response.get_json(force=True)["request_id"] in response.get_json(force=True)["detail"]
    assert response.headers["X-Request-Id"] in caplog.text


def test_what_flask_refuses_is_a_problem_too(house: House) -> None:
    client = house.client()
    assert fault_of(client.get("/nothing"), 404) == "web.not_found"
    response = client.delete("/open")
    assert fault_of(response, 405) == "web.method"
    assert {"GET", "POST"} <= set(response.headers["Allow"].split(", "))


def test_a_person_sees_a_page_with_what_they_typed_escaped(house: House) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", "Accept-Language": "en"}
    response = house.client().get("/nothing", headers=browser)
    assert response.status_code == 404 and response.mimetype == "text/html" and 'lang="en"' in response.text
    house.app.view_functions["open_"] = policy("public")(house.app.view_functions["fails"])
    assert fault_of(house.client().get("/api/v1/fails/conflict", headers=browser), 409) == "tenant.exists"

    @policy("public")
    def shown() -> Response:
        raise Conflict.of("tenant.exists", slug="<script>")

    house.app.view_functions["open_"] = shown
    page = house.client().get("/open", headers=browser)
    assert page.status_code == 409 and "&lt;script&gt;" in page.text and "<script>" not in page.text


def test_the_language_is_the_sessions_then_the_cookies_then_the_browsers(house: House) -> None:
    client = house.client(signed_in=False)
    assert client.get("/open").text == "open en"
    assert client.get("/open", headers={"Accept-Language": "zh-CN"}).text == "open zh"
    client.set_cookie("tw_language", "zh")
    assert client.get("/open", headers={"Accept-Language": "en"}).text == "open zh"


def test_cookies_are_kept_from_scripts(house: House) -> None:
    response = Response()
    house.web.start_session(response, "value")
    [cookie] = response.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie
