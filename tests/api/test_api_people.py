"""Sign-ins over the API: what a program that manages users may do, and what a narrowed token may not."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apisite import ApiSite, make_api
from stores import DIALECTS
from tabwright.runtime.records.service import Records


@pytest.fixture(scope="module", params=DIALECTS)
def api(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with (
        tempfile.TemporaryDirectory() as folder,
        make_api(request.param, Path(folder), base_url="https://crm.example.com") as made,
    ):
        made.publish({"account": {"name": "text"}})
        yield made


def made(answer: Any) -> Any:
    assert answer.status_code == 201, answer.text
    return answer.json


def test_an_invitation_gives_its_link_once_where_no_mail_is_sent(api: ApiSite) -> None:
    given = {"name": "Wu", "address": "wu@example.com", "permission_sets": ["standard_user"]}
    first = made(api.admin.post("/invitations", given))
    assert first["link"].startswith("https://crm.example.com/link#") and not first["by_mail"]
    listed = api.admin.get("/invitations").json["invitations"]
    assert [each["address"] for each in listed] == ["wu@example.com"]
    assert first["link"].partition("#")[2] not in api.admin.get("/invitations").text
    second = made(api.admin.post(f"/people/{first['user']}/invitation"))
    assert second["link"] != first["link"]
    assert api.admin.delete(f"/people/{first['user']}/invitation").status_code == 204
    assert api.admin.delete(f"/people/{first['user']}/invitation").status_code == 404
    assert api.admin.get("/invitations").json["invitations"] == []
    again = api.admin.post("/invitations", given)
    assert again.status_code == 409
    assert api.admin.post("/invitations", {**given, "permission_sets": ["nothing"]}).status_code == 422


def test_tokens_are_seen_and_revoked_by_their_person_and_by_who_manages_users(api: ApiSite) -> None:
    rep, other = api.person("rep", "standard_user"), api.person("other", "standard_user")
    mine = rep.get("/tokens").json["tokens"]
    assert [each["name"] for each in mine] == ["test"] and "tw_" not in rep.get("/tokens").text
    theirs = other.get("/tokens").json["tokens"][0]["id"]
    assert rep.get("/tokens", all="true").status_code == 403
    assert rep.delete(f"/tokens/{theirs}").status_code == 404
    assert theirs in {each["id"] for each in api.admin.get("/tokens", all="true").json["tokens"]}
    assert api.admin.delete(f"/tokens/{theirs}").status_code == 204
    assert other.get("/objects").status_code == 401, "on the next request"
    narrow = api.person("narrow", "standard_user", scope={"objects": {"account": ["read"]}})
    assert narrow.get("/tokens").status_code == 403
    own = api.site.tokens.list(api.location.id, narrow.id)[0].id
    assert narrow.delete(f"/tokens/{own.hex}").status_code == 403


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/invitations"), ("POST", "/people/{}/invitation"), ("DELETE", "/people/{}/invitation"),
     ("POST", "/people/{}/password-reset"), ("DELETE", "/people/{}/second-factor"),
     ("DELETE", "/people/{}/lock"), ("GET", "/people/{}/sessions"), ("DELETE", "/people/{}/sessions")],
)  # fmt: skip
def test_row_4_all_of_it_needs_the_right_to_manage_users(api: ApiSite, method: str, path: str) -> None:
    nobody = api.person(f"nobody{abs(hash((method, path)))}", "standard_user")
    assert nobody.send(method, path.format(api.admin.id.hex)).status_code == 403
    scope = {"objects": {"*": ["modify_all"]}, "system": ["customise"]}
    narrowed = api.person(f"narrowed{abs(hash((method, path)))}", "administrator", scope=scope)
    assert narrowed.send(method, path.format(api.admin.id.hex)).status_code == 403


def test_row_4_a_narrowed_token_resets_nobody_who_may_more(api: ApiSite) -> None:
    """With the right to manage users, but not all of an administrator's."""
    scope = {"objects": {"account": ["read"]}, "system": ["manage_users"]}
    clerk = api.person("clerk", "administrator", scope=scope)
    identity = api.site.identities.create("boss@example.com", "seven rivers under moss")
    Records(api.call).update("user", api.admin.id, {"identity_id": identity.hex})
    assert clerk.post(f"/people/{api.admin.id.hex}/password-reset").status_code == 403
    assert made(api.admin.post(f"/people/{api.admin.id.hex}/password-reset"))["link"]
    given = {"name": "Mole", "address": "mole@example.com", "permission_sets": ["administrator"]}
    assert clerk.post("/invitations", given).status_code == 403


def test_row_4_a_link_that_no_mail_takes_goes_only_to_who_may_change_every_record(api: ApiSite) -> None:
    """Whoever holds the link is that user: all that they own and see."""
    api.publish({}, [{"kind": "permission_set", "name": "helper", "system": ["manage_users"]}])
    helper, plain = api.person("helper", "helper"), api.person("plain")
    identity = api.site.identities.create("plain@example.com", "seven rivers under moss")
    Records(api.call).update("user", plain.id, {"identity_id": identity.hex})
    refused = helper.post(f"/people/{plain.id.hex}/password-reset")
    assert refused.status_code == 403 and refused.json["code"] == "people.beyond"
    assert made(api.admin.post(f"/people/{plain.id.hex}/password-reset"))["link"]
    assert made(helper.post("/invitations", {"name": "New", "address": "fresh@example.com"}))["link"]
