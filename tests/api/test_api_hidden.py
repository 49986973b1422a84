"""What a person may not know cannot be learnt by any path."""

import json
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from apisite import ApiSite, Person

OBJECTS = {
    "account": {"name": "text", "secret": "text searchable", "revenue": "currency(16,2)"},
    "deal": {
        "name": "text",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "margin": "currency(16,2)",
    },
    "vault": {"name": "text searchable", "code": "text"},
}
EXTRA = [
    {"kind": "permission_set", "name": "low",
     "objects": {"account": ["read", "create", "edit"],
                 "deal": ["create", "read", "edit", "delete", "view_all"]},
     "fields": {"account": {"*": "edit", "secret": "none", "revenue": "none"},
                "deal": {"*": "edit", "margin": "none"}}},
]  # fmt: skip


@pytest.fixture
def low(api: ApiSite) -> Person:
    api.publish(OBJECTS, EXTRA)
    return api.person("low", "low")


def plant(api: ApiSite, low: Person, hidden: str) -> dict[str, str]:
    """Records of which only what ``hidden`` fills differs between two runs."""
    admin = api.admin

    def make(object: str, **values: Any) -> str:
        answer = admin.post(f"/objects/{object}/records", values)
        assert answer.status_code == 201, answer.text
        return str(answer.json["id"])

    theirs = make("account", name="Theirs", secret=hidden, revenue=len(hidden))
    mine = make("account", name="Mine", secret=hidden, revenue=len(hidden) * 3, owner=low.id.hex)
    first = make("deal", name="first", account=theirs, amount=1, margin=len(hidden), owner=low.id.hex)
    second = make("deal", name="second", account=mine, amount=2, margin=len(hidden) * 7)
    make("vault", name=hidden, code=hidden)
    return {"theirs": theirs, "mine": mine, "first": first, "second": second}


def asked(low: Person, ids: dict[str, str]) -> list[str]:
    """Every way to ask about what is hidden, and what was answered."""
    answers = []

    def note(answer: Any) -> None:
        text = re.sub(r'"request_id":"\w+"', "", answer.text)
        for name, id in ids.items():
            text = text.replace(id, name).replace(str(UUID(id)), name)
        text = re.sub(r'"next_cursor":"[^"]+"', '"next_cursor":"..."', text)
        text = re.sub(r'"(created_at|updated_at|at|operation)":"[^"]+"', "", text)
        answers.append(f"{answer.status_code} {text}")

    deals, accounts = "/objects/deal/records", "/objects/account/records"
    for object, hidden in (
        ("deal", "margin"),
        ("account", "secret"),
        ("account", "revenue"),
        ("vault", "code"),
    ):
        records = f"/objects/{object}/records"
        for name in (hidden, "nothing"):
            note(low.get(records, fields=name))
            note(low.get(records, where=f"ISBLANK({name})"))
            note(low.get(records, order=name))
            for measure in ("sum", "max", "count", "count_distinct"):
                note(
                    low.post(
                        f"/objects/{object}/aggregate", {"measures": [{"function": measure, "field": name}]}
                    )
                )
            note(low.post(f"/objects/{object}/aggregate", {"group": [{"field": name}]}))
            note(low.post(f"/objects/{object}/aggregate", {"having": f"{name} > 1"}))
            note(low.post(records, {"name": "x", name: "1"}))
            note(low.post(records + "/bulk", {"action": "upsert", "key": name, "records": [{name: "1"}]}))
        note(low.get(f"/objects/{object}"))
        note(low.get(records, count="true", order="name"))
        note(low.get(f"/objects/{object}/options", q="x"))
        note(low.post(f"/objects/{object}/aggregate", {}))
    for path in (
        "account.secret",
        "account.revenue",
        "account.nothing",
        "account.owner.name",
        "account.name",
    ):
        note(low.get(deals, fields=f"name,{path}", order="name"))
        note(low.get(deals, where=f"ISBLANK({path})"))
        note(low.get(deals, order=f"{path},name"))
        note(low.post("/objects/deal/aggregate", {"group": [{"field": path}]}))
    for id in (ids["theirs"], ids["mine"], "0" * 32, "x"):
        note(low.get(f"{accounts}/{id}"))
        note(low.get(f"{accounts}/{id}/history"))
        note(low.get(f"/objects/vault/records/{id}"))
        note(low.patch(f"{accounts}/{id}", {"secret": "x"}))
        note(low.patch(f"{accounts}/{id}", {"nothing": "x"}))
        note(low.delete(f"{accounts}/{id}"))
    note(low.get("/objects"))
    note(low.get("/openapi.json"))
    for text in ("Theirs", "Mine", "hunter", "butter"):
        note(low.get("/search", q=text))
    note(low.get("/metadata/draft"))
    note(low.get("/metadata/releases"))
    return answers


def test_hidden_values_change_no_answer(api: ApiSite, low: Person) -> None:
    """R2: the same questions to the same records, other hidden values: alike byte for byte."""
    runs = []
    for hidden in ("hunter", "butter milk"):
        ids = plant(api, low, hidden)
        runs.append(asked(low, ids))
        for name, object in (
            ("first", "deal"),
            ("second", "deal"),
            ("theirs", "account"),
            ("mine", "account"),
        ):
            assert api.admin.delete(f"/objects/{object}/records/{ids[name]}").status_code == 204
        vaults = api.admin.get("/objects/vault/records").json["records"]
        for each in vaults:
            assert api.admin.delete(f"/objects/vault/records/{each['id']}").status_code == 204
        for object in ("deal", "account"):
            for each in api.admin.get(f"/objects/{object}/records").json["records"]:
                api.admin.delete(f"/objects/{object}/records/{each['id']}")
    assert len(runs[0]) == len(runs[1])
    for number, (one, other) in enumerate(zip(*runs, strict=True)):
        assert one == other, number
    assert not any("hunter" in each.replace('"q"', "") and "200 " in each[:4] for each in runs[0])


def test_hidden_and_unknown_get_one_answer(low: Person) -> None:
    ways: list[Callable[[str], Any]] = [
        lambda name: low.get("/objects/account/records", fields=name),
        lambda name: low.get("/objects/account/records", where=f"ISBLANK({name})"),
        lambda name: low.get("/objects/account/records", order=name),
        lambda name: low.get("/objects/deal/records", fields=f"account.{name}"),
        lambda name: low.get("/objects/deal/records", where=f"ISBLANK(account.{name})"),
        lambda name: low.post("/objects/account/aggregate", {"group": [{"field": name}]}),
        lambda name: low.post("/objects/account/records", {name: "x"}),
        lambda name: low.post(
            "/objects/account/records/bulk", {"action": "upsert", "key": name, "records": [{name: "x"}]}
        ),
    ]
    for number, way in enumerate(ways):
        texts = set()
        for name in ("secret", "qqqqqq"):
            answer = way(name)
            assert answer.status_code == 422, (number, answer.text)
            texts.add(re.sub(r'"request_id":"\w+"', "", answer.text).replace(name, "NAME"))
        assert len(texts) == 1, (number, texts)
    for path in (
        "/objects/{}",
        "/objects/{}/records",
        "/objects/{}/options",
        "/objects/{}/records/" + "0" * 32,
    ):
        texts = {
            re.sub(r'"request_id":"\w+"', "", low.get(path.format(name)).text).replace(name, "NAME")
            for name in ("vault", "qqqqq")
        }
        assert len(texts) == 1 and "404" in texts.pop(), path


def test_names_of_hidden_records_show_and_nothing_else_of_them(api: ApiSite, low: Person) -> None:
    ids = plant(api, low, "hunter")
    deals = low.get("/objects/deal/records", fields="name,account,account.name,account.owner", order="name")
    rows = {each["name"]: each for each in deals.json["records"]}
    assert rows["first"]["account.name"] == "Theirs" and rows["first"]["account.owner"] is None
    assert rows["second"]["account.name"] == "Mine" and rows["second"]["account.owner"] == low.id.hex
    blank = low.get("/objects/deal/records", where="ISBLANK(account.owner)", fields="name").json["records"]
    assert [each["name"] for each in blank] == ["first"], "hidden reads as blank in a filter too"
    assert low.get(f"/objects/account/records/{ids['theirs']}").status_code == 404
    listed = low.get("/objects/account/records").json["records"]
    assert [each["name"] for each in listed] == ["Mine"]
    assert set(listed[0]) == {
        "id",
        "revision",
        "name",
        "owner",
        "record_type",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    }


def test_a_cursor_is_of_its_list_and_whole(low: Person) -> None:
    for n in range(3):
        assert low.post("/objects/deal/records", {"name": str(n)}).status_code == 201
    cursor = low.get("/objects/deal/records", limit=1, order="name").json["next_cursor"]
    assert low.get("/objects/deal/records", limit=1, order="name", cursor=cursor).status_code == 200
    for wrong in (cursor[:-2] + "xx", "x", "ünïcode", cursor + "=", "", "AAAA" * 20):
        answer = low.get("/objects/deal/records", limit=1, order="name", cursor=wrong)
        if wrong:
            assert (answer.status_code, answer.json["code"]) == (400, "query.cursor"), wrong
    other = low.get("/objects/deal/records", limit=1, order="amount", cursor=cursor)
    assert other.status_code == 400


def test_the_document_names_only_what_the_caller_may_use(low: Person) -> None:
    text = low.get("/openapi.json").text
    paths = json.loads(text)["paths"]
    for hidden in ("vault", "margin", "revenue", "/metadata", '"secret"'):
        assert hidden not in text
    assert "delete" in paths["/objects/deal/records/{id}"]
    assert "delete" not in paths["/objects/account/records/{id}"]


def test_rights_are_asked_before_anything_is_written(api: ApiSite, low: Person) -> None:
    ids = plant(api, low, "x")
    assert low.delete(f"/objects/account/records/{ids['mine']}").status_code == 403
    assert low.patch(f"/objects/account/records/{ids['theirs']}", {"name": "x"}).status_code == 404
    assert low.patch(f"/objects/deal/records/{ids['second']}", {"name": "x"}).status_code == 403
    for path in (
        "/metadata/draft",
        "/metadata/draft/plan",
        "/metadata/releases",
        "/metadata/draft/object/deal",
    ):
        assert low.get(path).status_code == 403
    assert low.post("/metadata/publish").status_code == 403
    assert low.patch("/metadata/draft", {"put": []}).status_code == 403
    present = api.admin.get(f"/objects/deal/records/{ids['second']}").json
    assert (present["name"], present["revision"]) == ("second", 1)


def test_a_revoked_right_is_gone_at_the_next_request(api: ApiSite, low: Person) -> None:
    """R6."""
    assert low.get("/objects/deal/records").status_code == 200
    held = api.admin.get("/objects/permission_assignment/records", where='user.name = "low"').json["records"]
    assert api.admin.delete(f"/objects/permission_assignment/records/{held[0]['id']}").status_code == 204
    assert low.get("/objects/deal/records").status_code == 404
    assert api.admin.patch(f"/objects/user/records/{low.id.hex}", {"active": False}).status_code == 200
    assert low.get("/objects").status_code == 401


def test_a_token_s_scope_narrows(api: ApiSite, low: Person) -> None:
    narrow = api.person("narrow", "administrator", scope={"objects": {"deal": ["read"]}})
    assert narrow.get("/objects/deal/records").status_code == 200
    assert narrow.post("/objects/deal/records", {"name": "x"}).status_code == 403
    assert narrow.get("/objects/account/records").status_code == 404
    assert narrow.get("/metadata/draft").status_code == 403
