"""A form sent after its session ended: nothing typed is lost, and nothing goes to anybody else (UX61)."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from werkzeug.test import TestResponse

from pagesite import HTML, PASSWORD, PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

TYPED = {
    "name": '苏州 <恒锐> & "Co"',
    "note": "line one\nline two\n\n  four",
    "amount": "12O",
    "parent.text": "No",
}


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        fields = {"name": "text(80) required", "note": "long_text", "amount": "currency(16,2)"}
        made.publish({"account": {**fields, "parent": "lookup(account)"}})
        for name in ("Anna", "Bert"):
            made.person(name, "standard_user", language="en")
        yield made


def visitor(site: PageSite, name: str) -> Visitor:
    who = site.stranger()
    who.get("/sign-in")
    assert sign_in(who, name).status_code == 303
    return who


def sign_in(who: Visitor, name: str, password: str = PASSWORD) -> TestResponse:
    """What a browser would send with the sign-in page seen last, hidden inputs and all."""
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', who.last))
    kept = hidden_texts(who.last)
    return who.post("/sign-in", {**hidden, **kept, "address": f"{name}@example.com", "password": password})


def hidden_texts(page: str) -> dict[str, str]:
    found = re.findall(r'<textarea name="([^"]*)" hidden>\n(.*?)</textarea>', page, re.S)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def end(site: PageSite, name: str) -> None:
    site.site.sessions.end_all(site.site.identities.find(f"{name}@example.com").id)


def count(site: PageSite) -> int:
    return Reads(site.call).count(Query("account"))[0]


def go_on(who: Visitor, page: TestResponse) -> TestResponse:
    """The button of the page after the sign-in."""
    assert page.status_code == 200, readable(page)
    action = re.search(r'action="([^"]+)" data-resume', page.text)
    assert action, readable(page)
    return who.post(action[1], {**hidden_texts(page.text), "_then": "edit"})


@pytest.mark.parametrize("tries", [(), ("wrong", "")])
def test_what_was_typed_survives_the_sign_in(site: PageSite, tries: tuple[str, ...]) -> None:
    anna, before = visitor(site, "Anna"), count(site)
    anna.get("/o/account/new?_back=/o/account")
    form = {**anna.form(), **TYPED}
    end(site, "Anna")
    door = anna.post("/o/account/new", form)
    assert door.status_code == 401 and "What you typed is kept" in readable(door)
    for password in tries:  # a slip of the fingers loses nothing either
        assert sign_in(anna, "Anna", password).status_code in (401, 422)
    page = go_on(anna, sign_in(anna, "Anna"))
    assert page.status_code == 200 and count(site) == before  # it is looked at, not saved
    assert "not saved yet" in readable(page)
    again = anna.form()
    assert {name: again[name] for name in TYPED} == TYPED and again["_back"] == "/o/account"
    answer = anna.post("/o/account/new", {**again, "amount": "12", "parent.text": ""})
    assert answer.status_code == 303 and answer.headers["Location"] == "/o/account"
    row = Reads(site.call).list(Query("account", ("note",), limit=1, order=(("created_at", "desc"),))).rows[0]
    assert row["note"] == TYPED["note"].strip()


def test_an_edit_goes_on_with_the_revision_that_it_was_opened_with(site: PageSite) -> None:
    id = site.records.create("account", {"name": "old", "owner": str(_user(site, "Anna")), "amount": "1"}).id
    anna = visitor(site, "Anna")
    anna.get(f"/o/account/{id}/edit")
    form = {**anna.form(), "name": "mine"}
    end(site, "Anna")
    anna.post(f"/o/account/{id}/edit", form)
    site.records.update("account", id, {"name": "theirs"})
    go_on(anna, sign_in(anna, "Anna"))
    assert anna.form()["name"] == "mine"
    clash = anna.post(f"/o/account/{id}/edit", anna.form())
    assert clash.status_code == 409 and "theirs" in readable(clash)
    # The page of the conflict ends no other way.
    picked = {**anna.form(), "_pick.name": "mine"}
    end(site, "Anna")
    anna.post(f"/o/account/{id}/edit", picked)
    go_on(anna, sign_in(anna, "Anna"))
    assert anna.post(f"/o/account/{id}/edit", anna.form()).status_code == 303
    assert Reads(site.call).get("account", id, ("name",))["name"] == "mine"


def test_nobody_else_goes_on_with_a_form(site: PageSite) -> None:
    anna, before = visitor(site, "Anna"), count(site)
    anna.get("/o/account/new")
    form = {**anna.form(), "name": "Anna's secret"}
    end(site, "Anna")
    anna.post("/o/account/new", form)
    answer = sign_in(anna, "Bert")
    assert answer.status_code == 303 and answer.headers["Location"] == "/"
    page = anna.follow(answer)
    assert "Somebody else opened this form" in readable(page) and "secret" not in page.text
    assert count(site) == before


@pytest.mark.parametrize("mark", [None, "", "0" * 64, "é"])
def test_another_site_brings_no_form_in(site: PageSite, mark: str | None) -> None:
    stranger = site.stranger()
    form = {"name": "evil", "_was": "", **({} if mark is None else {"_for": mark})}
    answer = stranger.client.post("/o/account/new", data=form, headers=HTML)
    stranger.last = answer.text
    assert answer.status_code in (303, 401)
    if answer.status_code == 303:
        stranger.follow(answer)
    answer = sign_in(stranger, "Anna")
    assert answer.status_code == 303 and "evil" not in stranger.follow(answer).text
    # Nor does what a sign-in form carries lead elsewhere.
    stranger = site.stranger()
    stranger.get("/sign-in")
    carried = {"_kept": "//evil.example/x", "_kept.name": "x", "_for": mark or ""}
    credentials = {"address": "Anna@example.com", "password": PASSWORD}
    assert stranger.post("/sign-in", {**carried, **credentials}).headers["Location"] == "/"


def test_a_live_session_is_told_its_token_and_an_ended_one_gets_the_dialog(site: PageSite) -> None:
    anna = visitor(site, "Anna")
    anna.get("/o/account/new")
    mark = anna.form()["_for"]
    alive = anna.client.get(f"/session?for={mark}")
    assert alive.status_code == 200 and alive.headers["Cache-Control"] == "private, no-store"
    anna.client.post("/settings/look", data={"_csrf": token_in(alive), "theme": "light"})
    # In this browser somebody else signed in meanwhile: their token is not for this form.
    assert anna.client.get("/session?for=" + "0" * 64).status_code == 401
    end(site, "Anna")
    dialog = anna.client.get(f"/session?for={mark}")
    assert dialog.status_code == 401 and "<dialog" in dialog.text
    token = re.findall(r'name="_csrf" value="([^"]+)"', dialog.text)[0]

    def send(**data: str) -> TestResponse:
        return anna.client.post("/session", data={"_csrf": token, "_for": mark, **data}, headers=HTML)

    assert send(address="Anna@example.com").status_code == 422
    wrong = send(address="Anna@example.com", password="wrong wrong")
    assert wrong.status_code == 401 and 'role="alert"' in wrong.text and "wrong wrong" not in wrong.text
    assert send(address="Bert@example.com", password=PASSWORD).status_code == 403
    assert send(address="Anna@example.com", password=PASSWORD, _csrf="").status_code == 403
    renewed = send(address="Anna@example.com", password=PASSWORD)
    assert renewed.status_code == 200, readable(renewed)
    given = {"_csrf": token_in(renewed), "theme": "light"}
    assert anna.client.post("/settings/look", data=given).status_code == 303


def token_in(answer: TestResponse) -> str:
    return str(answer.get_json(force=True)["csrf"])


def _user(site: PageSite, name: str) -> UUID:
    found = Reads(site.call).list(Query("user", ("id",), where=f'name = "{name}"', limit=1)).rows[0]["id"]
    assert isinstance(found, UUID)
    return found
