"""How one signs in oneself, on pages: the password, the devices, the second factor, the tokens."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from browsing import answering, window
from pagesite import PASSWORD, PageSite, Visitor, make_pages, readable
from stores import DIALECTS

FRESH = "seven rivers under moss"


@pytest.fixture(scope="module", params=DIALECTS)
def pages(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    base = "https://crm.example.com"
    with (
        tempfile.TemporaryDirectory() as folder,
        make_pages(request.param, Path(folder), base_url=base) as made,
    ):
        made.publish({"account": {"name": "text", "phone": "text", "secret": "text"}})
        yield made


def second(pages: PageSite, name: str, password: str = PASSWORD) -> Visitor:
    """The same person on another device."""
    who = pages.stranger()
    who.get("/sign-in")
    who.post("/sign-in", {"address": f"{name}@example.com", "password": password, "next": "/"})
    return who


def is_in(who: Visitor) -> bool:
    return who.get("/settings").status_code == 200


def test_one_sees_where_one_is_signed_in_and_ends_it(pages: PageSite) -> None:
    one = pages.person("one", "standard_user", language="en")
    one.client.environ_base["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64) Chrome/130 Safari/537"
    here = second(pages, "one")
    other, third = second(pages, "one"), second(pages, "one")
    stranger = pages.person("other", "standard_user")
    page = readable(here.get("/account/sessions"))
    assert page.count("This one") == 1 and page.count("last used") == 4
    ids = re.findall(r'name="id" value="([0-9a-f]{24})"', here.last)
    assert len(ids) == 3
    stranger.get("/account/sessions")
    assert stranger.post("/account/sessions", {"id": ids[0]}).status_code == 404, "not of theirs"
    here.get("/account/sessions")
    assert here.post("/account/sessions", {"id": ids[0]}).status_code == 303
    assert sum(is_in(each) for each in (one, other, third)) == 2
    here.get("/account/sessions")
    assert here.post("/account/sessions", {}).status_code == 303
    assert is_in(here) and not any(is_in(each) for each in (one, other, third)) and is_in(stranger)


def test_a_new_password_takes_the_present_one_and_ends_the_other_sessions(pages: PageSite) -> None:
    here = pages.person("two", "standard_user", language="en")
    other = second(pages, "two")
    here.get("/account/password")
    wrong = here.post("/account/password", {"password": "not mine at all", "new": FRESH})
    assert wrong.status_code == 422 and "present password" in readable(wrong)
    poor = here.post("/account/password", {"password": PASSWORD, "new": "qwertyuiop"})
    assert poor.status_code == 422 and "easy to guess" in readable(poor)
    cookie = here.client.get_cookie("tw_session")
    assert here.post("/account/password", {"password": PASSWORD, "new": FRESH}).status_code == 303
    assert is_in(here) and not is_in(other) and here.client.get_cookie("tw_session") != cookie
    assert is_in(second(pages, "two", FRESH)) and not is_in(second(pages, "two"))


def test_a_token_is_made_with_a_scope_shown_once_and_revoked(pages: PageSite) -> None:
    who = pages.person("three", "administrator", language="en")
    who.get("/account/tokens")
    assert who.post("/account/tokens", {"name": "x", "days": "30"}).status_code == 422, "no scope"
    form = {"name": "report", "days": "30", "may.account": ["create", "read"], "field.account": "name"}
    for days in ("0", "9999", "x", "²"):
        assert who.post("/account/tokens", {**form, "days": days}).status_code == 422, days
    answer = who.post("/account/tokens", form)
    found = re.search(r'value="(tw_[A-Za-z0-9_-]+)"', answer.text)
    assert found is not None and found[1] not in who.get("/account/tokens").text
    headers = {"Authorization": f"Bearer {found[1]}"}
    client = pages.app.test_client()
    assert client.get("/api/v1/objects/account", headers=headers).status_code == 200
    assert '"secret"' not in client.get("/api/v1/objects/account", headers=headers).text
    assert client.get("/api/v1/metadata/draft", headers=headers).status_code == 403
    assert "(fields allowed: 1)" in readable(who.last)
    revoke = re.search(r'action="(/account/tokens/[0-9a-f]{32}/revoke)"', who.last)
    assert revoke is not None
    thief = pages.person("thief", "standard_user")
    thief.get("/account/tokens")
    assert thief.post(revoke[1], {}).status_code == 404
    who.get("/account/tokens")
    assert who.post(revoke[1], {}).status_code == 303
    assert client.get("/api/v1/objects/account", headers=headers).status_code == 401


def test_the_second_factor_is_turned_on_and_off_with_the_password(pages: PageSite) -> None:
    from tabwright.platform.factors import STEP_SECONDS, code_at

    who = pages.person("four", "standard_user", language="en")
    page = who.get("/account/second-factor").text
    found = re.search(r'data-secret="([A-Z2-7]+)"', page)
    assert found is not None and "<svg" in page
    step = int(pages.site.clock.now().timestamp()) // STEP_SECONDS
    assert who.post("/account/second-factor", {"do": "confirm", "code": "x"}).status_code == 422
    on = who.post("/account/second-factor", {"do": "confirm", "code": code_at(found[1], step)})
    assert on.status_code == 200 and found[1] not in who.get("/account/second-factor").text
    assert who.post("/account/second-factor", {"do": "remove", "password": "wrong one"}).status_code == 422
    assert who.post("/account/second-factor", {"do": "remove", "password": PASSWORD}).status_code == 303
    assert is_in(second(pages, "four"))


def test_those_who_manage_users_see_and_end_what_others_have_open(pages: PageSite) -> None:
    admin = pages.person("five", "administrator", language="en")
    rep = pages.person("six", "standard_user", language="en")
    admin.get("/people?q=six")
    assert readable(admin.last).count("six@example.com") == 1 and "five@example.com" in admin.last
    page = admin.get(f"/people/{rep.user_id}")
    assert page.status_code == 200 and "192.0.2." in page.text
    assert admin.post(f"/people/{rep.user_id}/sign-out", {}).status_code == 303
    assert not is_in(rep) and is_in(admin)
    admin.get(f"/people/{rep.user_id}")
    link = admin.post(f"/people/{rep.user_id}/reset", {})
    assert link.status_code == 200 and "https://crm.example.com/link#" in link.text
    assert "/link#" not in admin.get(f"/people/{rep.user_id}").text
    for path in ("/people", "/people/tokens", f"/people/{admin.user_id}"):
        assert admin.get(path).status_code == 200, path


@pytest.mark.browser
def test_an_invitation_in_a_browser(chrome: Browser, tmp_path: Path) -> None:
    """The link's secret goes from the address to the server by itself, and leaves the address."""
    with make_pages("sqlite", tmp_path, base_url="http://127.0.0.1:1") as pages, answering(pages.app) as base:
        pages.person("admin", "administrator", language="en")
        _, page, said = window(chrome, base, "admin")
        page.goto(base + "/people")
        page.fill("#name", "Wu")
        page.fill("#address", "wu@example.com")
        page.click("#invite-form .btn-primary")
        link = page.input_value("#link")
        guest = chrome.new_context(locale="en-US").new_page()
        guest.goto(base + "/link#" + link.partition("#")[2])
        guest.fill("#password", FRESH)
        assert guest.url == base + "/link"
        guest.click(".btn-primary")
        guest.wait_for_url(base + "/")
        assert said == []
