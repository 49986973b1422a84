"""Attacks on the way in: links, resets, guessing, sessions. Each is named after its row of the reliability
page's table of what went wrong elsewhere.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from werkzeug.routing import AnyConverter, BaseConverter, UUIDConverter

from pagesite import HTML, PASSWORD, PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.platform.clock import FixedClock
from tabwright.platform.factors import STEP_SECONDS, code_at
from tabwright.platform.jobs import JOB
from tabwright.platform.mail import Letter

BASE = "https://crm.example.com"
FRESH = "seven rivers under moss"
SETS: list[dict[str, Any]] = [
    {"kind": "permission_set", "name": "office", "label": {"en": "Office", "zh": "文员"},
     "system": ["manage_users"], "objects": {"user": ["read"]}, "fields": {"user": {"*": "read"}}},
    {"kind": "permission_set", "name": "guarded", "label": {"en": "Guarded", "zh": "受保护"},
     "second_factor": True, "objects": {"*": ["read"]}, "fields": {"*": {"*": "read"}}, "tabs": ["*"]},
]  # fmt: skip


class Box:
    """A post that keeps its letters."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []

    def send(self, letter: Letter) -> None:
        self.letters.append(letter)

    def link(self) -> str:
        found = re.search(r"https://\S+", self.letters[-1].text)
        assert found is not None
        return found[0]


class Town:
    """A site with mail, a clock that tests move, and an administrator."""

    def __init__(self, pages: PageSite, box: Box, clock: FixedClock) -> None:
        self.pages, self.box, self.clock, self.site = pages, box, clock, pages.site
        pages.publish({"account": {"name": "text"}}, SETS)
        self._admin = pages.person("admin", "administrator", language="en")
        self.count = 0

    @property
    def admin(self) -> Visitor:
        """The administrator, signed in again where the clock has ended the session."""
        if not is_in(self._admin):
            self.sign_in("admin@example.com", PASSWORD, self._admin)
        return self._admin

    def address(self) -> str:
        self.count += 1
        return f"new{self.count}@example.com"

    def invited(self, *sets: str) -> tuple[str, str]:
        """Somebody invited by the administrator: their address and the link in their mail."""
        address = self.address()
        names = {each.name: each.uid for each in self.pages.call.model.permission_sets.values()}
        self.admin.get("/people")
        form = {"name": "New", "address": address, "set": [names[each] for each in sets], "language": "en"}
        answer = self.admin.post("/people/invite", form)
        assert answer.status_code == 303, readable(answer)
        self.deliver()
        return address, self.box.link()

    def deliver(self) -> None:
        self.site.runner.run_due(self.pages.location)

    def opened(self, link: str) -> Visitor:
        """A stranger on the page that a link opens."""
        who = self.pages.stranger()
        path, _, secret = link.removeprefix(BASE).partition("#")
        who.get(path)
        who.post("/link", {"secret": secret})
        return who

    def sign_in(self, address: str, password: str, who: Visitor | None = None) -> Visitor:
        who = who or self.pages.stranger()
        who.get("/sign-in")
        who.post("/sign-in", {"address": address, "password": password, "next": "/"})
        return who


def secret_of(link: str) -> str:
    return link.partition("#")[2]


def is_in(who: Visitor) -> bool:
    return bool(who.client.get("/settings", headers=HTML).status_code == 200)


@pytest.fixture(scope="module", params=DIALECTS)
def town(request: pytest.FixtureRequest) -> Iterator[Town]:
    box, clock = Box(), FixedClock()
    with (
        tempfile.TemporaryDirectory() as folder,
        make_pages(request.param, Path(folder), post=box, clock=clock, base_url=BASE) as made,
    ):
        yield Town(made, box, clock)


# ---- invitations and new passwords ----------------------------------------------------------------------


def test_an_invited_person_chooses_a_password_and_is_in(town: Town) -> None:
    address, link = town.invited("standard_user")
    who = town.opened(link)
    assert "New" in who.last and address in who.last
    answer = who.post("/link", {"secret": secret_of(link), "password": FRESH, "language": "zh"})
    assert answer.status_code == 303 and is_in(who)
    assert is_in(town.sign_in(address, FRESH))
    assert 'lang="zh-CN"' in who.get("/settings").text


def test_row_17_links_come_from_the_configured_address_only(town: Town) -> None:
    who = town.pages.stranger()
    address, _ = town.invited()
    for headers in ({"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil"}):
        page = who.client.get("/forgot", headers={**HTML, **headers}).text
        found = re.search(r'name="_csrf" value="([^"]+)"', page)
        assert found is not None
        data = {"_csrf": found[1], "address": "admin@example.com"}
        who.client.post("/forgot", data=data, headers={**HTML, **headers}).close()
        town.deliver()
        assert town.box.letters[-1].to == "admin@example.com" and town.box.link().startswith(BASE + "/link#")
        town.clock.advance(timedelta(hours=1))


def test_row_17_a_link_is_used_once_and_ends(town: Town) -> None:
    _, link = town.invited()
    form = {"secret": secret_of(link), "password": FRESH}
    assert town.opened(link).post("/link", form).status_code == 303
    again = town.opened(link)
    assert again.post("/link", form).status_code == 404 and not is_in(again)
    _, late = town.invited()
    town.clock.advance(timedelta(hours=168))
    assert town.opened(late).post("/link", {**form, "secret": secret_of(late)}).status_code == 404


def test_row_17_a_poor_password_does_not_use_the_link_up(town: Town) -> None:
    address, link = town.invited()
    who = town.opened(link)
    for poor in ("short", "password1234", address):
        assert who.post("/link", {"secret": secret_of(link), "password": poor}).status_code == 422
    assert who.post("/link", {"secret": secret_of(link), "password": FRESH}).status_code == 303


def test_row_17_nothing_that_opens_anything_is_kept_or_told(town: Town) -> None:
    _, link = town.invited()
    secret = secret_of(link)
    with town.pages.call.tenant.store.read() as reader:
        jobs = str(reader.execute(sa.select(JOB)).all())
    assert "people.letter" in jobs and secret not in jobs
    page = town.opened(link)
    answer = page.client.get("/link", headers=HTML)
    assert (
        answer.headers["Referrer-Policy"] == "same-origin" and "no-store" in answer.headers["Cache-Control"]
    )
    assert "#" in link and "?" not in link, "browsers tell nobody what stands behind the #"


def test_a_new_invitation_kills_the_earlier_one_and_it_can_be_revoked(town: Town) -> None:
    address, first = town.invited()
    ticket = town.site.tickets.open(town.pages.location.id, "invite")[0]
    town.admin.get("/people")
    assert address in town.admin.last
    assert town.admin.post(f"/people/{ticket.user_id}/invite", {}).status_code == 303
    town.deliver()
    second = town.box.link()
    assert "password" not in town.opened(first).last.partition("<form")[2]
    assert 'name="password"' in town.opened(second).last
    town.admin.get("/people")
    assert town.admin.post(f"/people/{ticket.user_id}/revoke", {}).status_code == 303
    assert 'name="password"' not in town.opened(second).last


def test_an_account_that_is_there_is_entered_with_its_password(town: Town) -> None:
    """Neither a link alone opens somebody's account, nor their password alone another tenant."""
    town.site.identities.create("elsewhere@example.com", PASSWORD)
    town.admin.get("/people")
    town.admin.post("/people/invite", {"name": "Else", "address": "elsewhere@example.com"})
    town.deliver()
    link = town.box.link()
    assert not is_in(town.sign_in("elsewhere@example.com", PASSWORD))
    who = town.opened(link)
    assert who.post("/link", {"secret": secret_of(link), "password": FRESH}).status_code == 401
    assert who.post("/link", {"secret": secret_of(link), "password": PASSWORD}).status_code == 303
    assert is_in(who)


def test_row_14_a_reset_ends_every_session(town: Town) -> None:
    pages = town.pages
    li = pages.person("li", "standard_user", language="en")
    phone = town.sign_in("li@example.com", PASSWORD)
    assert is_in(li) and is_in(phone)
    who = pages.stranger()
    who.get("/forgot")
    who.post("/forgot", {"address": "LI@example.com"}).close()
    town.deliver()
    link = town.box.link()
    who = town.opened(link)
    assert who.post("/link", {"secret": secret_of(link), "password": FRESH}).status_code == 303
    assert is_in(who) and not is_in(li) and not is_in(phone)
    assert not is_in(town.sign_in("li@example.com", PASSWORD)) and is_in(
        town.sign_in("li@example.com", FRESH)
    )


def test_row_4_nobody_gets_at_an_account_that_may_more(town: Town) -> None:
    """Who manages users but is no administrator gets at no administrator's password, factor, invitation."""
    clerk = town.pages.person("clerk", "office", language="en")
    admin = town.admin.user_id
    clerk.get("/people")
    for what in ("reset", "factor"):
        assert clerk.post(f"/people/{admin}/{what}", {}).status_code == 403, what
    uid = next(
        each.uid for each in town.pages.call.model.permission_sets.values() if each.name == "administrator"
    )
    clerk.get("/people")
    form = {"name": "Mole", "address": "mole@example.com", "set": uid}
    assert clerk.post("/people/invite", form).status_code == 403
    assert "mole@example.com" not in clerk.get("/people").text
    rep = town.pages.person("rep", "standard_user", language="en")
    rep.get("/settings")
    for path in ("/people", f"/people/{admin}"):
        assert rep.get(path).status_code == 403
    rep.get("/settings")
    for what in ("reset", "factor", "unlock", "sign-out", "invite", "revoke"):
        rep.get("/settings")
        assert rep.post(f"/people/{admin}/{what}", {}).status_code == 403, what


# ---- who is there ---------------------------------------------------------------------------------------


def test_row_16_nobody_learns_who_has_an_account(town: Town) -> None:
    """The same bodies for a person, one who is switched off, an invited one, and nobody."""
    town.pages.person("known", "standard_user", language="en")
    invited, _ = town.invited()
    addresses = ["known@example.com", invited, "nobody@example.com"]

    def plain(text: str, address: str) -> str:
        return re.sub(r'name="_csrf" value="[^"]+"', "", text).replace(address, "?")

    asked, tried = [], []
    for address in addresses:
        who = town.pages.stranger()
        who.get("/forgot")
        answer = who.post("/forgot", {"address": address})
        asked.append((answer.status_code, plain(answer.text, address), sorted(answer.headers.keys())))
        who.get("/sign-in")
        answer = who.post("/sign-in", {"address": address, "password": "not this one"})
        tried.append((answer.status_code, plain(answer.text, address)))
    assert asked[0] == asked[1] == asked[2] and asked[0][0] == 200
    assert tried[0] == tried[1] == tried[2] and tried[0][0] == 401


def test_row_16_asking_for_mail_is_limited_and_told_in_the_same_words(town: Town) -> None:
    told = []
    for address in ("known@example.com", "nobody@example.com"):
        town.clock.advance(timedelta(hours=2))
        for _ in range(6):
            who = town.pages.stranger()
            who.get("/forgot")
            answer = who.post("/forgot", {"address": address})
            answer.close()
        told.append((answer.status_code, readable(answer).replace(address, "?")))
    assert told[0][0] == 429 and told[0] == told[1]
    town.deliver()


# ---- sessions -------------------------------------------------------------------------------------------


def cookie_of(who: Visitor) -> str:
    found = who.client.get_cookie("tw_session")
    return found.value if found is not None else ""


def test_row_18_fixation_a_cookie_from_before_is_not_used(town: Town) -> None:
    town.pages.person("fix", "standard_user")
    who = town.pages.stranger()
    who.client.set_cookie("tw_session", "x" * 43)
    town.sign_in("fix@example.com", PASSWORD, who)
    assert cookie_of(who) != "x" * 43 and is_in(who)
    assert cookie_of(town.sign_in("fix@example.com", PASSWORD)) != cookie_of(who)


def test_row_18_signing_out_kills_the_session_on_the_server(town: Town) -> None:
    who = town.pages.person("leaver", "standard_user")
    mine = cookie_of(who)
    who.get("/settings")
    who.post("/sign-out", {})
    thief = town.pages.stranger()
    thief.client.set_cookie("tw_session", mine)
    assert not is_in(thief)


def test_row_14_a_change_of_rights_gives_a_new_cookie(town: Town) -> None:
    who = town.pages.person("riser", "standard_user", language="en")
    before = cookie_of(who)
    assert who.get("/settings").status_code == 200 and cookie_of(who) == before
    uid = next(each.uid for each in town.pages.call.model.permission_sets.values() if each.name == "office")
    town.pages.records.create("permission_assignment", {"user": who.user_id, "permission_set": uid})
    assert who.get("/people").status_code == 200
    assert cookie_of(who) not in ("", before)
    thief = town.pages.stranger()
    thief.client.set_cookie("tw_session", before)
    assert not is_in(thief) and is_in(who)


# ---- the second factor ----------------------------------------------------------------------------------


def enrol(town: Town, who: Visitor) -> tuple[str, list[str]]:
    """Set a second factor up as a person would: the secret and the recovery codes."""
    who.get("/account/second-factor")
    found = re.search(r'data-secret="([A-Z2-7]+)"', who.last)
    assert found is not None, readable(who.last)
    step = int(town.clock.now().timestamp()) // STEP_SECONDS
    answer = who.post("/account/second-factor", {"do": "confirm", "code": code_at(found[1], step)})
    assert answer.status_code == 200, readable(answer)
    codes = re.findall(r"\b[a-z2-9]{4}(?:-[a-z2-9]{4}){3}\b", answer.text)
    town.clock.advance(timedelta(seconds=STEP_SECONDS * 3))
    return found[1], codes


def ticket_in(page: str) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_row_15_the_password_alone_opens_nothing_where_there_is_a_second_factor(town: Town) -> None:
    who = town.pages.person("two", "standard_user", language="en")
    before = cookie_of(who)
    secret, codes = enrol(town, who)
    assert len(codes) == 10 and cookie_of(who) != before, "a change of how one signs in gives a new cookie"
    thief = town.sign_in("two@example.com", PASSWORD)
    assert 'name="code"' in thief.last and not is_in(thief)
    ticket = ticket_in(thief.last)
    assert thief.post("/sign-in/code", {"ticket": ticket, "code": "000000"}).status_code == 422
    step = int(town.clock.now().timestamp()) // STEP_SECONDS
    code = code_at(secret, step)
    assert thief.post("/sign-in/code", {"ticket": "x" * 43, "code": code}).status_code == 401
    own = town.sign_in("two@example.com", PASSWORD)
    ticket = ticket_in(own.last)
    assert own.post("/sign-in/code", {"ticket": ticket, "code": code}).status_code == 303 and is_in(own)
    again = town.sign_in("two@example.com", PASSWORD)
    answer = again.post("/sign-in/code", {"ticket": ticket_in(again.last), "code": code})
    assert answer.status_code == 422 and not is_in(again), "a code is taken once"
    answer = again.post("/sign-in/code", {"ticket": ticket_in(again.last), "code": codes[0]})
    assert answer.status_code == 303 and is_in(again)
    town.clock.advance(timedelta(minutes=11))
    late = town.sign_in("two@example.com", PASSWORD)
    ticket = ticket_in(late.last)
    town.clock.advance(timedelta(minutes=11))
    assert late.post("/sign-in/code", {"ticket": ticket, "code": codes[1]}).status_code == 401


def test_a_set_that_asks_for_a_second_factor_opens_nothing_before_it(town: Town) -> None:
    who = town.pages.person("held", "guarded", language="en")
    for path in ("/", "/o/account", "/settings", "/studio", "/account/sessions", "/search?q=a"):
        answer = who.get(path)
        assert answer.status_code == 303 and answer.headers["Location"] == "/account/second-factor", path
    for path in ("/api/v1/objects", "/api/v1/openapi.json"):
        answer = who.client.get(path)
        assert answer.status_code == 403 and '"web.unfinished"' in answer.text
    enrol(town, who)
    assert who.get("/o/account").status_code == 200
    who.get("/account/second-factor")
    answer = who.post("/account/second-factor", {"do": "remove", "password": PASSWORD})
    assert answer.status_code == 403, "the set asks for it"


def test_a_set_given_later_asks_for_the_factor_on_the_next_page(town: Town) -> None:
    who = town.pages.person("later", "standard_user", language="en")
    assert who.get("/settings").status_code == 200
    uid = next(each.uid for each in town.pages.call.model.permission_sets.values() if each.name == "guarded")
    town.pages.records.create("permission_assignment", {"user": who.user_id, "permission_set": uid})
    assert who.get("/o/account").headers["Location"] == "/account/second-factor"


# ---- forms ----------------------------------------------------------------------------------------------


def filled(converter: BaseConverter) -> object:
    """Some value that stands in an address."""
    if isinstance(converter, UUIDConverter):
        return UUID(int=1)
    return sorted(converter.items)[0] if isinstance(converter, AnyConverter) else 1


def test_row_18_no_form_of_a_session_works_without_its_token(town: Town) -> None:
    """Every address that is posted to, with a live session and no token: 403, and nothing is done."""
    who = town.pages.person("forms", "administrator", language="en")
    app, tried = town.pages.app, []
    for rule in app.url_map.iter_rules():
        view: Any = app.view_functions[rule.endpoint]
        policy = view.tabwright_policy
        if policy.name == "public":
            continue
        for method in (rule.methods or set()) & {"POST", "PUT", "PATCH", "DELETE"}:
            given = {name: filled(each) for name, each in rule._converters.items()}
            path = app.url_map.bind("localhost").build(rule.endpoint, given, method)
            answer = who.client.open(path, method=method, headers=HTML)
            assert answer.status_code == 403, (method, path, answer.status_code)
            tried.append(path)
    assert len(tried) > 100


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/code", "/link", "/forgot"])
def test_row_18_the_forms_before_sign_in_carry_a_token_too(town: Town, path: str) -> None:
    answer = town.pages.stranger().client.post(
        path, data={"address": "a@example.com", "password": "x", "secret": "x"}, headers=HTML
    )
    assert answer.status_code == 403
