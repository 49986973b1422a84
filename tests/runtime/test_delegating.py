"""Delegated administration: some people, some sets, some objects, and nothing beyond, on every channel."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from apisite import Person
from desks import Desk, desk_of
from pagesite import Visitor, make_pages, readable
from stores import DIALECTS

OBJECTS = {"deal": {"name": "text(80) required"}, "vault": {"name": "text(80)"}}
SETS: list[dict[str, Any]] = [
    {"kind": "permission_set", "name": "vaults", "objects": {"vault": ["read", "view_all"]},
     "fields": {"vault": {"*": "read"}}},
    {"kind": "permission_set_group", "name": "team", "sets": ["vaults"]},
    {"kind": "permission_set", "name": "designing", "system": ["customise"]},
]  # fmt: skip
USERS, GIVEN = "/objects/user/records", "/objects/permission_assignment/records"


@dataclass
class Office:
    """A delegate of the south, and where everybody sits."""

    site: Desk
    head: Person
    visitor: Visitor
    south: UUID
    shenzhen: UUID
    north: UUID
    delegation: UUID

    def user(self, name: str, department: UUID) -> str:
        values = {"name": name, "department": department, "address": f"{name}@example.com"}
        return str(self.site.pages.records.create("user", values).id)


@pytest.fixture(params=DIALECTS)
def office(request: pytest.FixtureRequest) -> Iterator[Office]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, SETS)
        site, records = desk_of(made), made.records
        south = records.create("department", {"name": "South"}).id
        shenzhen = records.create("department", {"name": "Shenzhen", "parent": south}).id
        north = records.create("department", {"name": "North"}).id
        visitor = made.person("head", "delegated_administrator", "designing")
        assert visitor.user_id is not None
        records.update("user", visitor.user_id, {"department": south})
        given = {"user": visitor.user_id, "department": south, "sets": "team", "objects": "deal"}
        made_one = records.create("delegation", given).id
        yield Office(site, site.api_of(visitor), visitor, south, shenzhen, north, made_one)


def code(answer: Any) -> str:
    return str(answer.json["faults"][0]["code"]) if answer.status_code >= 400 else ""


def test_people_of_the_subtree_and_no_others(office: Office) -> None:
    head, near, far = office.head, office.user("li", office.shenzhen), office.user("wang", office.north)
    assert head.patch(f"{USERS}/{near}", {"active": False}).status_code == 200
    assert code(head.patch(f"{USERS}/{far}", {"active": False})) == "access.delegate_person"
    new = {"name": "new", "address": "new@example.com"}
    for values in ({"department": office.north.hex}, {}):
        assert code(head.post(USERS, {**new, **values})) == "access.delegate_person"
    assert head.post(USERS, {**new, "department": office.shenzhen.hex}).status_code == 201
    # Neither out of reach nor into it.
    for user, department in ((near, office.north), (far, office.south)):
        moved = head.patch(f"{USERS}/{user}", {"department": department.hex})
        assert code(moved) == "access.delegate_person"
    assert code(head.delete(f"{USERS}/{far}")) == "access.delegate_person"
    rows = {"action": "update", "all_or_nothing": False,
            "records": [{"id": near, "title": "a"}, {"id": far, "title": "b"}]}  # fmt: skip
    done = head.post(USERS + "/bulk", rows).json["results"]
    assert [bool(each.get("faults")) for each in done] == [False, True]


def test_listed_sets_which_the_delegate_need_not_hold(office: Office) -> None:
    head, near, far = office.head, office.user("li", office.shenzhen), office.user("wang", office.north)
    given = head.post(GIVEN, {"user": near, "permission_set": "team"})
    assert given.status_code == 201, given.text
    assert head.get("/objects/vault/records").status_code == 404  # they hold nothing of it themselves
    for user, set, refused in (
        (near, "vaults", "access.delegate_set"),
        (near, "administrator", "access.delegate_set"),
        (near, "delegated_administrator", "access.delegate_set"),
        (far, "team", "access.delegate_person"),
        (head.id.hex, "team", "access.delegate_person"),
    ):
        assert code(head.post(GIVEN, {"user": user, "permission_set": set})) == refused, (user, set)
    mine = f"{GIVEN}/{given.json['id']}"
    assert code(head.patch(mine, {"user": head.id.hex})) == "access.delegate_person"
    assert code(head.patch(mine, {"permission_set": "administrator"})) == "access.delegate_set"
    assert head.delete(mine).status_code == 204


def test_nobody_who_manages_users_is_in_reach(office: Office) -> None:
    admin = office.site.admin.user_id
    assert admin is not None
    office.site.pages.records.update("user", admin, {"department": office.south})
    refused = office.head.patch(f"{USERS}/{admin}", {"active": False})
    assert code(refused) == "access.delegate_person"
    assert code(office.head.post(GIVEN, {"user": admin.hex, "permission_set": "team"})) != ""


def test_one_does_not_delegate_nor_move_oneself_but_chooses_a_language(office: Office) -> None:
    head = office.head
    me = f"{USERS}/{head.id.hex}"
    assert code(head.patch(me, {"department": office.shenzhen.hex})) == "access.delegate_person"
    assert office.head.post("/objects/delegation/records", {"user": head.id.hex}).status_code in (403, 404)
    office.visitor.get("/settings")
    saved = office.visitor.post("/settings", {"language": "en", "zone": "Asia/Shanghai"})
    assert saved.status_code == 303, readable(saved)[:200]


def test_listed_objects_are_theirs_to_change_and_no_others(office: Office) -> None:
    head, draft = office.head, "/metadata/draft"
    field = {"kind": "field", "type": "text", "label": {"en": "More"}}
    assert head.patch(draft, {"put": [{**field, "name": "deal.more"}]}).status_code == 200
    for put in (
        {**field, "name": "vault.more"},
        {"kind": "object", "name": "mine", "label": {"en": "Mine"}, "name_field": "name"},
        {"kind": "picklist", "name": "p", "label": {"en": "P"}, "values": [{"code": "a"}]},
        {"kind": "permission_set", "name": "mine", "label": {"en": "Mine"}, "system": ["manage_users"]},
    ):
        assert code(head.patch(draft, {"put": [put]})) == "access.delegate_object", put
    assert head.post("/metadata/publish", {}).status_code == 200
    before = office.site.api.get("/metadata/releases").json["current"]
    office.site.api.patch(draft, {"put": [{**field, "name": "vault.more"}]})
    assert office.site.api.post("/metadata/publish", {}).status_code == 200
    restored = head.post(f"/metadata/releases/{before}/restore", {})
    assert code(restored) == "access.delegate_object"


def test_without_a_delegation_a_delegate_reaches_nobody(office: Office) -> None:
    near = office.user("li", office.shenzhen)
    office.site.pages.records.delete("delegation", office.delegation)
    assert code(office.head.patch(f"{USERS}/{near}", {"title": "x"})) == "access.delegate_person"
    put = {"put": [{"kind": "field", "name": "deal.more", "type": "text", "label": {"en": "More"}}]}
    assert code(office.head.patch("/metadata/draft", put)) == "access.delegate_object"
