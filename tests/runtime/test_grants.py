"""Rights for a time: they end by themselves, are announced before, cannot be passed on for longer; the glass
that is broken with a reason; who holds what, confirmed or taken back.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from desks import Desk, desk_of
from pagesite import Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.journal.tables import operations
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

SETS: list[dict[str, Any]] = [
    {"kind": "permission_set", "name": "reading", "objects": {"deal": ["read", "view_all"]},
     "fields": {"deal": {"*": "read"}}, "tabs": ["*"], "apps": ["*"]},
    {"kind": "permission_set", "name": "repair", "emergency_hours": 4,
     "system": ["manage_users", "customise"],
     "objects": {"*": ["modify_all", "create", "read", "edit", "delete"],
                 "permission_assignment": ["modify_all", "create", "edit", "read"]},
     "fields": {"*": {"*": "edit"}}, "tabs": ["*"], "apps": ["*"]},
    {"kind": "permission_set", "name": "fireman", "system": ["break_glass"]},
    {"kind": "permission_set", "name": "assigner", "system": ["manage_users"],
     "objects": {"permission_assignment": ["create", "read", "edit", "modify_all"]},
     "fields": {"permission_assignment": {"*": "edit"}}},
]  # fmt: skip
RECORDS = "/objects/permission_assignment/records"
REASON = "数据库写满，要马上清理"


@pytest.fixture(params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish({"deal": {"name": "text(80) required"}}, SETS)
        yield desk_of(made)


def uid(site: Desk, name: str) -> str:
    return next(uid for uid, each in site.pages.call.model.grantable.items() if each.name == name)


def give(site: Desk, person: Visitor, name: str, until: datetime | None = None, by: Any = None) -> Any:
    assert person.user_id is not None
    given: dict[str, Any] = {"user": person.user_id.hex, "permission_set": name}
    if until is not None:
        given["expires_at"] = until.isoformat()
    return (by or site.api).post(RECORDS, given)


def assignments(site: Desk, person: Visitor) -> dict[str, dict[str, Any]]:
    fields = ("id", "user", "permission_set", "expires_at", "emergency", "confirmed_at")
    rows = Reads(site.pages.call).list(Query("permission_assignment", fields, limit=200)).rows
    names = {each: made.name for each, made in site.pages.call.model.grantable.items()}
    return {names[row["permission_set"]]: dict(row) for row in rows if row["user"] == person.user_id}


def shift(site: Desk, person: Visitor, name: str, until: datetime) -> None:
    """Let the time of a right come: the platform writes another end."""
    id = assignments(site, person)[name]["id"]
    site.pages.records.update("permission_assignment", id, {"expires_at": until})


def now() -> datetime:
    return datetime.now(UTC)


# ---- for a time --------------------------------------------------------


def test_nobody_gives_for_longer_than_they_hold(site: Desk) -> None:
    giver, other = site.pages.person("giver", "assigner"), site.pages.person("other")
    friday = now() + timedelta(days=3)
    assert give(site, giver, "reading", friday).status_code == 201
    api = site.api_of(giver)
    for until in (None, friday + timedelta(days=1)):
        refused = give(site, other, "reading", until, by=api)
        assert refused.json["code"] == "access.grant_beyond", until
    assert give(site, other, "reading", friday - timedelta(hours=1), by=api).status_code == 201
    mine = assignments(site, giver)["reading"]["id"]
    for later in (None, (friday + timedelta(days=9)).isoformat()):
        assert api.patch(f"{RECORDS}/{mine}", {"expires_at": later}).status_code == 403
    assert api.patch(f"{RECORDS}/{mine}", {"expires_at": friday.isoformat()}).status_code == 200


def test_the_holder_is_told_before_a_right_expires(site: Desk) -> None:
    person, later = site.pages.person("soon"), site.pages.person("later")
    give(site, person, "reading", now() + timedelta(days=2))
    give(site, later, "reading", now() + timedelta(days=20))
    site.site.runner.run_due(site.location)
    assert "将于" in readable(person.get("/notices")) and "Reading" in readable(person.get("/notices"))
    assert "将于" not in readable(later.get("/notices"))
    words = readable(person.get("/rights"))
    assert "Reading" in words and f"{now() + timedelta(days=2):%Y-}" in words


# ---- the glass --------------------------------------------------------


def test_the_glass_is_broken_with_a_reason_and_mends_itself(site: Desk) -> None:
    person = site.pages.person("fireman", "fireman", "reading")
    deal = site.create("deal", name="x")
    page = person.get("/rights")
    assert "Repair" in readable(page) and "4 小时" in readable(page)
    for wrong in ({"hours": "5"}, {"hours": "0"}, {"reason": "x"}, {"hours": "１"}):
        given = {"set": uid(site, "repair"), "hours": "1", "reason": REASON, **wrong}
        assert person.post("/rights/emergency", given).status_code == 422
    assert person.post("/rights/emergency", {"set": uid(site, "administrator"), "hours": "1",
                                             "reason": REASON}).status_code == 404  # fmt: skip
    assert site.api_of(person).patch(f"/objects/deal/records/{deal}", {"name": "y"}).status_code == 403
    taken = {"set": uid(site, "repair"), "hours": "2", "reason": REASON}
    shown = person.follow(person.post("/rights/emergency", taken))
    assert "紧急权限" in readable(shown) and "紧急权限" in readable(person.get("/o/deal"))
    assert site.api_of(person).patch(f"/objects/deal/records/{deal}", {"name": "y"}).status_code == 200
    assert person.post("/rights/emergency", taken).status_code == 409  # held already
    assert "fireman 凭紧急取权取得了“Repair”" in readable(site.admin.get("/notices"))
    assert [each["reason"] for each in events(site, person)] == [REASON]
    shift(site, person, "repair", now() - timedelta(seconds=1))
    assert site.api_of(person).patch(f"/objects/deal/records/{deal}", {"name": "z"}).status_code == 403
    assert "紧急权限" not in readable(person.get("/o/deal"))
    # And again, on the same assignment; given back before its time.
    person.get("/rights")
    person.follow(person.post("/rights/emergency", taken))
    held = assignments(site, person)["repair"]
    assert person.post(f"/rights/emergency/{held['id']}/end", {}).status_code == 303
    assert site.api_of(person).patch(f"/objects/deal/records/{deal}", {"name": "z"}).status_code == 403
    assert len(events(site, person)) == 3


def test_what_was_taken_in_an_emergency_cannot_be_kept(site: Desk) -> None:
    """With the rights of an administrator for an hour nobody becomes one."""
    person, friend = site.pages.person("fireman", "fireman"), site.pages.person("friend")
    person.get("/rights")
    person.follow(
        person.post("/rights/emergency", {"set": uid(site, "repair"), "hours": "1", "reason": REASON})
    )
    api, mine = site.api_of(person), assignments(site, person)
    for whom in (person, friend):
        assert give(site, whom, "reading", by=api).status_code == 403
    assert api.patch(f"{RECORDS}/{mine['repair']['id']}", {"expires_at": None}).status_code == 403
    assert api.patch(f"{RECORDS}/{mine['fireman']['id']}", {"permission_set": "repair"}).status_code == 403
    wider = {
        **api.get("/metadata/draft/permission_set/fireman").json,
        "system": ["break_glass", "manage_users"],
    }
    assert api.patch("/metadata/draft", {"put": [wider]}).status_code == 200
    assert api.post("/metadata/publish", {}).status_code == 403
    assert events(site, person)[-1]["reason"] == REASON


def test_who_makes_a_set_takeable_must_hold_it(site: Desk) -> None:
    person = site.pages.person("half", "assigner")
    site.pages.publish({}, [{"kind": "permission_set", "name": "designing", "system": ["customise"]}])
    assert give(site, person, "designing").status_code == 201
    api = site.api_of(person)
    document = api.get("/metadata/draft/permission_set/reading").json
    api.patch("/metadata/draft", {"put": [{**document, "emergency_hours": 1}]})
    assert api.post("/metadata/publish", {}).json["code"] == "access.grant_beyond"


def events(site: Desk, person: Visitor) -> list[dict[str, Any]]:
    wanted = (
        sa.select(operations.c.cause_ref)
        .where(operations.c.cause == "break_glass", operations.c.principal_id == person.user_id)
        .order_by(operations.c.id)
    )
    with site.pages.call.tenant.store.read() as reader:
        return list(reader.execute(wanted).scalars())


# ---- who holds what --------------------------------------------------------


def test_an_admin_confirms_or_takes_back_what_people_hold(site: Desk) -> None:
    one, two = site.pages.person("one", "reading"), site.pages.person("two", "reading")
    words = readable(site.admin.get("/studio/holders"))
    assert "one" in words and "two" in words and "Reading" in words
    ids = [str(assignments(site, each)["reading"]["id"]) for each in (one, two)]
    site.admin.follow(site.admin.post("/studio/holders", {"do": "confirm", "id": [ids[0]]}))
    assert assignments(site, one)["reading"]["confirmed_at"] is not None
    site.admin.follow(site.admin.post("/studio/holders?state=all", {"do": "take_back", "id": [ids[1]]}))
    assert "reading" not in assignments(site, two)
    assert two.get("/o/deal").status_code == 404 and one.get("/o/deal").status_code == 200
    assert "two" not in readable(site.admin.get("/studio/holders?state=expiring"))


def test_who_may_only_look_confirms_and_takes_back_nothing(site: Desk) -> None:
    site.pages.publish(
        {}, [{"kind": "permission_set", "name": "auditor", "system": ["view_setup", "explain_access"]}]
    )
    looker, other = site.pages.person("looker", "auditor"), site.pages.person("other", "reading")
    page = looker.get("/studio/holders")
    assert "other" in readable(page) and 'name="do"' not in page.text
    id = str(assignments(site, other)["reading"]["id"])
    for do in ("confirm", "take_back"):
        assert looker.post("/studio/holders", {"do": do, "id": [id]}).status_code in (403, 404, 409)
    assert "reading" in assignments(site, other)
    assert assignments(site, other)["reading"]["confirmed_at"] is None
    assert UUID(id)
