"""Shares of records by the API, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from apisite import ApiSite, Person, make_api
from stores import DIALECTS
from tabwright.platform.database import observe
from tabwright.platform.errors import Denied
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.tables import SHARES
from tabwright.runtime.desk import Call
from tabwright.runtime.personal.notices import Notices
from tabwright.runtime.records.service import Records

CLERK = {
    "kind": "permission_set", "name": "clerk", "label": {"en": "Clerk"}, "fields": {"*": {"*": "edit"}},
    "objects": {"*": ["create", "read", "edit", "delete", "share"], "position": ["read"], "group": ["read"]},
}  # fmt: skip
CHIEF = {
    "kind": "permission_set", "name": "chief", "label": {"en": "Chief"},
    "system": ["delegate", "explain_access"],
}  # fmt: skip
READER = {**CLERK, "name": "reader", "objects": {"*": ["create", "read", "share"]}}
HERE = {"kind": "restriction_rule", "name": "deal.here", "label": {"en": "Here"}, "applies_to": ["reader"],
        "condition": 'place = "here"'}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with make_api(request.param, tmp_path_factory.mktemp("shares")) as made:
        objects: dict[str, dict[str, Any]] = {
            "deal": {"name": "text required", "place": "text"},
            "line": {
                "name": "text required",
                "deal": {"type": "master_detail", "options": {"target": "deal"}},
            },
        }
        made.publish(objects, [CLERK, READER, CHIEF, HERE])
        yield made


def clerk(api: ApiSite, *sets: str) -> Person:
    return api.person(f"clerk{uuid4().hex[:8]}", *(sets or ("clerk",)))


def deal(person: Person, **values: Any) -> str:
    made = person.post("/objects/deal/records", {"name": "x", "place": "here", **values}).json
    return f"/objects/deal/records/{made['id']}"


def user(person: Person) -> dict[str, Any]:
    return {"kind": "user", "id": person.id.hex}


def call_of(api: ApiSite, person: Person) -> Call:
    call = api.call
    with api.tenant.store.read() as reader:
        who = principals.load(api.tenant, reader, call.model, person.id, call.clock.now())
    return replace(call, principal=who, gate=Gate(call.model, who))


def undo(api: ApiSite, person: Person, operation: str) -> list[str]:
    """The codes of what it left as it is."""
    return [each.code for each in Records(call_of(api, person)).undo(UUID(operation)).left]


def codes(answer: Any) -> list[str]:
    return [each["code"] for each in answer.json["faults"]]


def test_an_owner_shares_changes_and_takes_back(api: ApiSite) -> None:
    ann, ben = clerk(api), clerk(api)
    at = deal(ann)
    assert ben.get(at).status_code == 404 and ben.get(f"{at}/shares").status_code == 404
    before = datetime.now(UTC)
    given = ann.post(f"{at}/shares", {"with": user(ben), "level": "read", "role": "Engineer"}).json
    [one] = ben.get(f"{at}/shares").json["shares"]
    assert one["with"]["id"] == ben.id.hex and one["with"]["name"].startswith("clerk")
    assert (one["level"], one["role"], one["created_by"]) == ("read", "Engineer", ann.id.hex)
    ends = datetime.fromisoformat(one["expires_at"])
    assert timedelta(days=89) < ends - before < timedelta(days=91), "a share ends unless somebody says not"
    assert ben.get(at).status_code == 200 and ben.patch(at, {"name": "y"}).status_code == 403
    assert ben.post(f"{at}/shares", {"with": user(clerk(api)), "level": "read"}).status_code == 403
    body = {"with": user(ben), "level": "edit", "expires_at": None}
    assert ann.post(f"{at}/shares", body).json["grantee"] == given["grantee"]
    assert ben.patch(at, {"name": "y"}).status_code == 200
    assert ann.post(f"{at}/shares", body).json["operation"] is None, "all was so already"
    assert ann.delete(f"{at}/shares/{given['grantee']}").status_code == 204
    assert ben.get(at).status_code == 404
    assert ann.delete(f"{at}/shares/{given['grantee']}").status_code == 404
    actions = [each["action"] for each in ann.get(f"{at}/history").json["history"]]
    assert actions == ["share", "update", "share", "share", "create"]


def test_each_operation_is_undone(api: ApiSite) -> None:
    ann, ben = clerk(api), clerk(api)
    at = deal(ann)
    first = ann.post(f"{at}/shares", {"with": user(ben), "level": "read"}).json["operation"]
    second = ann.post(f"{at}/shares", {"with": user(ben), "level": "full"}).json["operation"]
    assert undo(api, ann, first) == ["share.changed_since"]
    assert undo(api, ann, second) == []
    assert [each["level"] for each in ann.get(f"{at}/shares").json["shares"]] == ["read"]
    with pytest.raises(Denied):
        undo(api, ben, first)
    assert undo(api, ann, first) == []
    assert ann.get(f"{at}/shares").json["shares"] == [] and ben.get(at).status_code == 404


def test_nobody_gives_more_than_is_his(api: ApiSite) -> None:
    reader, ben = clerk(api, "reader"), clerk(api)
    at = deal(reader)
    for level in ("edit", "full"):
        assert codes(reader.post(f"{at}/shares", {"with": user(ben), "level": level})) == ["share.beyond"]
    assert reader.post(f"{at}/shares", {"with": user(ben), "level": "read"}).status_code == 200
    with_share = api.person(
        f"narrow{uuid4().hex[:8]}", "clerk", scope={"objects": {"deal": ["edit", "create"]}}
    )
    assert (
        with_share.post(f"{deal(with_share)}/shares", {"with": user(ben), "level": "read"}).status_code == 403
    )


def test_whom_a_share_names(api: ApiSite) -> None:
    ann, ben = clerk(api), clerk(api)
    records = Records(api.call)
    top = records.create("position", {"name": f"top {uuid4().hex}"}).id
    low = records.create("position", {"name": f"low {uuid4().hex}", "parent": top}).id
    records.update("user", ben.id, {"position": low})
    at = deal(ann)
    for below, seen in ((False, 404), (True, 200)):
        whom: dict[str, Any] = {"kind": "position", "id": top.hex, "below": below}
        given = ann.post(f"{at}/shares", {"with": whom, "level": "read"}).json
        assert ben.get(at).status_code == seen
        assert ann.get(f"{at}/shares").json["shares"][-1]["with"]["below"] is below
        ann.delete(f"{at}/shares/{given['grantee']}")
    for whom, code in (
        ({"kind": "group", "id": uuid4().hex}, "share.nobody"),
        ({"kind": "queue", "id": top.hex}, "share.nobody"),
        ({"kind": "user", "id": ben.id.hex, "below": True}, "share.kind"),
    ):
        assert codes(ann.post(f"{at}/shares", {"with": whom, "level": "read"})) == [code]
    records.update("user", ben.id, {"active": False})
    assert codes(ann.post(f"{at}/shares", {"with": user(ben), "level": "read"})) == ["share.inactive"]
    past = "2001-01-01T00:00:00Z"
    body = {"with": user(ann), "level": "read", "expires_at": past}
    assert codes(ann.post(f"{at}/shares", body)) == ["share.past"]


def test_parts_and_the_organisation_are_not_shared(api: ApiSite) -> None:
    ann = clerk(api)
    at = deal(ann)
    line = ann.post("/objects/line/records", {"name": "l", "deal": at[-32:]}).json["id"]
    body = {"with": user(ann), "level": "read"}
    assert codes(ann.post(f"/objects/line/records/{line}/shares", body)) == ["share.part"]
    answer = api.admin.post(f"/objects/user/records/{ann.id.hex}/shares", body)
    assert codes(answer) == ["share.base"]


def test_a_thousand_records_take_as_many_statements_as_two(api: ApiSite) -> None:
    ann, ben, cy = clerk(api), clerk(api), clerk(api)
    records = Records(api.call)
    ids = [
        records.create("deal", {"name": str(n), "place": "here", "owner": ann.id}).id.hex for n in range(40)
    ]
    texts: list[int] = []
    for many, whom in ((ids[:2], ben), (ids, cy)):
        count = 0

        def told(how: str, text: str, rows: int) -> None:
            nonlocal count
            count += 1

        with observe(told):
            answer = ann.post("/objects/deal/shares", {"records": many, "with": user(whom), "level": "read"})
        assert answer.status_code == 200, answer.text
        texts.append(count)
    assert texts[1] <= texts[0] + 2, "not one for each record"
    assert len(cy.get("/objects/deal/records").json["records"]) == 40
    strange = deal(ben)[-32:]
    body = {"records": [*ids[:3], strange], "with": user(ben), "level": "edit"}
    refused = ann.post("/objects/deal/shares", body)
    assert refused.status_code == 404 and len(codes(refused)) == 1
    assert ben.get(f"/objects/deal/records/{ids[0]}").status_code == 200
    assert ben.patch(f"/objects/deal/records/{ids[0]}", {"name": "y"}).status_code == 403, "all or none"
    body = {"records": ids, "grantee": cy.id.hex}
    back = ann.post("/objects/deal/shares/take-back", body).json["operation"]
    assert cy.get("/objects/deal/records").json["records"] == []
    assert undo(api, ann, back) == []
    assert len(cy.get("/objects/deal/records").json["records"]) == 40


def test_the_person_hears_of_it_where_he_may_see_it(api: ApiSite) -> None:
    ann, ben, reader = clerk(api), clerk(api), clerk(api, "reader")
    for person, values, heard in ((ben, {}, 1), (reader, {}, 1), (reader, {"place": "there"}, 1)):
        at = deal(ann, **values)
        assert ann.post(f"{at}/shares", {"with": user(person), "level": "read"}).status_code == 200
        assert len(Notices(call_of(api, person)).newest()) == heard, values


def test_shares_go_with_their_record_and_their_people(api: ApiSite) -> None:
    ann, ben = clerk(api), clerk(api)
    records = Records(api.call)
    group = records.create("group", {"name": f"g {uuid4().hex}"}).id
    kept, gone = deal(ann), deal(ann)
    for at in (kept, gone):
        ann.post(f"{at}/shares", {"with": {"kind": "group", "id": group.hex}, "level": "read"})
        ann.post(f"{at}/shares", {"with": user(ben), "level": "read"})
    id = UUID(gone[-32:])
    records.delete("deal", id)
    assert ben.get(gone).status_code == 404
    records.restore("deal", id)
    assert ben.get(gone).status_code == 200
    records.delete("deal", id)
    records.purge("deal", id)
    records.delete("group", group)
    assert [each["with"]["kind"] for each in ann.get(f"{kept}/shares").json["shares"]] == ["user"]
    records.purge("group", group)
    with api.tenant.store.read() as reader:
        rows = reader.execute(SHARES.select().where(SHARES.c.record_id.in_([id, UUID(kept[-32:])]))).all()
    assert [(row.record_id, row.grantee) for row in rows] == [(UUID(kept[-32:]), ben.id)]


def test_explain_says_which_layer_and_from_where(api: ApiSite) -> None:
    ann, ben, reader = clerk(api), clerk(api), clerk(api, "reader")
    at = deal(ann)
    about = {"object": "deal", "record": at[-32:]}
    mine = ann.get("/access/explain", None, **about, operation="delete").json
    assert mine["allowed"] and mine["changes"] == []
    assert [each["layer"] for each in mine["layers"]] == [
        "session", "object", "record_type", "record", "restrictions", "field",
    ]  # fmt: skip
    assert mine["layers"][3]["parts"][0]["code"] == "owner"
    for person, more, status in (
        (ben, {}, 404),
        (ben, {"user": ann.id.hex}, 403),
        (ann, {"user": ben.id.hex}, 403),
        (api.admin, {"record": uuid4().hex}, 404),
        (api.admin, {"user": uuid4().hex}, 404),
        (api.admin, {"object": "nothing"}, 404),
        (api.admin, {"operation": "print"}, 422),
        (api.admin, {"field": "nothing"}, 422),
    ):
        assert person.get("/access/explain", None, **{**about, **more}).status_code == status, more
    no = api.admin.get("/access/explain", None, **about, user=ben.id.hex, operation="edit").json
    assert not no["allowed"] and no["layers"][3]["ok"] is False
    first = no["changes"][0]
    assert (first["people"], first["records"], first["rights"]) == (1, 1, 0)
    assert first["steps"][0]["kind"] == "share" and first["steps"][0]["ids"]["level"] == "edit"
    ann.post(f"{at}/shares", {"with": user(ben), "level": "read", "role": "Engineer"})
    no = api.admin.get("/access/explain", None, **about, user=ben.id.hex, operation="edit").json
    [team] = [each for each in no["layers"][3]["parts"] if each["code"] == "team"]
    assert team["gives"] == "read" and team["until"] is not None and team["ok"] is None
    yes = ben.get("/access/explain", None, **about, operation="read").json
    assert yes["allowed"] and "Engineer" in yes["layers"][3]["parts"][0]["text"]
    ann.post(f"{at}/shares", {"with": user(reader), "level": "read"})
    ann.patch(at, {"place": "there"})
    no = api.admin.get("/access/explain", None, **about, user=reader.id.hex).json
    assert [each["ok"] for each in no["layers"]][3:5] == [True, False]
    assert "restriction" in {step["kind"] for each in no["changes"] for step in each["steps"]}
    field = api.admin.get("/access/explain", None, **about, user=reader.id.hex, field="place").json
    assert field["layers"][5]["ok"] is True and field["layers"][5]["parts"][0]["ids"]["assignment"]


def test_a_delegate_explains_only_his_people(api: ApiSite) -> None:
    records = Records(api.call)
    east, west = (records.create("department", {"name": f"{name} {uuid4().hex}"}).id for name in "ew")
    ann, ben, chief = clerk(api), clerk(api), clerk(api, "clerk", "chief")
    records.update("user", ann.id, {"department": east})
    records.update("user", ben.id, {"department": west})
    records.create("delegation", {"user": chief.id, "department": east})
    at = deal(chief)
    about = {"object": "deal", "record": at[-32:]}
    for person, status in ((ann, 200), (ben, 404), (chief, 200)):
        answer = chief.get("/access/explain", None, **about, user=person.id.hex)
        assert answer.status_code == status, answer.text


def test_a_queue_is_proposed_only_where_it_lets_its_members(api: ApiSite) -> None:
    ann = clerk(api)
    for access, proposed in (("read", False), ("full", True)):
        queue = Records(api.call).create("queue", {"name": access, "member_access": access}).id
        record = Records(api.call).create("deal", {"name": "x", "owner": queue}).id
        about = {"object": "deal", "record": record.hex, "user": ann.id.hex, "operation": "edit"}
        changes = api.admin.get("/access/explain", None, **about).json["changes"]
        kinds = {step["kind"] for each in changes for step in each["steps"]}
        assert ("join_queue" in kinds) is proposed and "share" in kinds
