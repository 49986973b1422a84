"""Records over the API, on both databases: what a program does, and what it is told when it is wrong."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from apisite import ApiSite, Person

OBJECTS = {
    "account": {
        "name": "text required",
        "industry": "picklist(tech,bank)",
        "code": "text unique external_key",
    },
    "deal": {
        "name": "text",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "closed": "date",
        "seen_at": "datetime",
        "won": "boolean",
        "note": "long_text",
    },
}


@pytest.fixture
def admin(api: ApiSite) -> Person:
    api.publish(OBJECTS)
    return api.admin


def test_an_object_of_one_request_is_there_at_once(api: ApiSite) -> None:
    """M1: one PATCH, one publish, no restart."""
    assert api.admin.get("/objects/gadget").status_code == 404
    api.publish({"gadget": {"name": "text", "price": "currency(16,2)"}})
    made = api.admin.post("/objects/gadget/records", {"name": "Lamp", "price": 19.90})
    assert made.status_code == 201 and made.headers["X-Tabwright-Release"] == "2"
    assert b'"price":19.90' in made.data, "digit for digit"
    listed = api.admin.get("/objects/gadget/records", where="price > 19.8")
    assert [each["name"] for each in listed.json["records"]] == ["Lamp"]
    described = api.admin.get("/objects/gadget").json
    assert {"price", "owner", "created_at"} <= {each["name"] for each in described["fields"]}
    assert "/objects/gadget/records" in api.admin.get("/openapi.json").json["paths"]


def test_create_get_change_delete(admin: Person) -> None:
    made = admin.post("/objects/account/records", {"name": "Acme", "industry": "tech"})
    assert made.status_code == 201
    path = made.headers["Location"].removeprefix("/api/v1")
    got = admin.get(path)
    assert got.json == made.json and got.headers["ETag"] == made.headers["ETag"]
    changed = admin.patch(path, {"name": "Acme Ltd"})
    assert (changed.json["name"], changed.json["industry"], changed.json["revision"]) == (
        "Acme Ltd",
        "tech",
        2,
    )
    assert admin.delete(path).status_code == 204
    gone = admin.get(path)
    assert gone.status_code == 404 and gone.content_type == "application/problem+json"
    assert gone.json["code"] == "record.not_found" and gone.json["request_id"]


def test_etag_and_if_match(admin: Person) -> None:
    path = (
        admin.post("/objects/account/records", {"name": "Acme"}).headers["Location"].removeprefix("/api/v1")
    )
    first = admin.get(path).headers["ETag"]
    same = admin.get(path, {"If-None-Match": first})
    assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", first)
    assert admin.patch(path, {"name": "Beta"}, {"If-Match": first}).status_code == 200
    stale = admin.patch(path, {"name": "Gamma"}, {"If-Match": first})
    assert stale.status_code == 412
    assert stale.json["current"]["name"] == "Beta" and stale.json["current"]["revision"] == 2
    assert admin.delete(path, {"If-Match": first}).status_code == 412
    assert admin.patch(path, {"name": "Gamma"}, {"If-Match": '"nonsense"'}).status_code == 412
    second = admin.get(path).headers["ETag"]
    assert admin.patch(path, {"name": "Gamma"}, {"If-Match": f"{first}, {second}"}).status_code == 200
    assert admin.patch(path, {"name": "Delta"}, {"If-Match": "*"}).status_code == 200


def bulk(admin: Person, object: str, records: Sequence[object], **more: object) -> list[str]:
    body = {"action": "create", "records": records, **more}
    done = admin.post(f"/objects/{object}/records/bulk", body)
    assert done.status_code == 200, done.text
    return [each["id"] for each in done.json["results"]]


def test_pages_go_through_every_record_once(admin: Person) -> None:
    accounts = bulk(admin, "account", [{"name": "Acme"}, {"name": "Bank"}])
    deals = [
        {"name": f"deal {n}", "amount": n % 4 if n % 5 else None, "account": accounts[n % 2]}
        for n in range(23)
    ]
    bulk(admin, "deal", deals)
    for order in (
        "amount",
        "amount:desc",
        "amount:desc,name",
        "account,amount:desc",
        "name",
        "created_at:desc",
        "",
    ):
        seen: list[dict[str, object]] = []
        cursor = None
        while True:
            given: dict[str, Any] = {"limit": 4, "fields": "name,amount,account.name", "count": "true"}
            given |= {"order": order} if order else {}
            page = admin.get("/objects/deal/records", **given, **({"cursor": cursor} if cursor else {})).json
            assert (page["count"], page["count_is_capped"]) == (23, False)
            seen += page["records"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert len({each["id"] for each in seen}) == len(seen) == 23, order
        whole = admin.get(
            "/objects/deal/records", limit=200, fields="name,amount,account.name", order=order or "id"
        )
        assert whole.json["records"] == seen, order
        if order.startswith("amount"):
            values = [each["amount"] for each in seen]
            assert values[-5:] == [None] * 5, "blank comes last, both ways"


def test_a_count_stops_at_its_limit(api: ApiSite) -> None:
    api.publish(OBJECTS)
    bulk(api.admin, "account", [{"name": str(n)} for n in range(1001)])
    page = api.admin.get("/objects/account/records", limit=1, count="true").json
    assert (page["count"], page["count_is_capped"]) == (1000, True)


WHERE = [
    ('ISPICKVAL(account.industry, "tech")', {"a", "b"}),
    ("amount >= 10.10", {"a", "b"}),
    ("amount = 10.10", {"a"}),
    ('account.name = "Bank" || ISBLANK(account)', {"c", "d"}),
    ("closed > DATE(2026, 1, 31)", {"b", "c"}),
    ('owner = $user.id && CONTAINS(name, "a")', {"a"}),
    ("won", {"a"}),
    ("closed < TODAY() && seen_at < NOW()", {"a"}),
    ('owner.name = "admin"', {"a", "b", "c", "d"}),
]


def test_where_is_a_formula(admin: Person) -> None:
    acme, bank = bulk(
        admin, "account", [{"name": "Acme", "industry": "tech"}, {"name": "Bank", "industry": "bank"}]
    )
    rows = [
        {"name": "a", "account": acme, "amount": "10.10", "closed": "2026-01-31", "won": True,
         "seen_at": "2026-01-31T12:00:00Z"},
        {"name": "b", "account": acme, "amount": "20", "closed": "2999-02-01"},
        {"name": "c", "account": bank, "amount": "9.99", "closed": "2999-03-01"},
        {"name": "d"},
    ]  # fmt: skip
    bulk(admin, "deal", rows)
    for where, names in WHERE:
        found = admin.get("/objects/deal/records", where=where, fields="name")
        assert found.status_code == 200, found.text
        assert {each["name"] for each in found.json["records"]} == names, where


def test_a_bad_formula_is_told_with_its_place(admin: Person) -> None:
    wrong = admin.get("/objects/deal/records", where='amount > "x" && nmae = "y"')
    assert wrong.status_code == 422
    faults = wrong.json["faults"]
    assert len(faults) == 2 and all(each["line"] == 1 and each["field"] == "where" for each in faults)
    assert "nmae" in faults[1]["message"]


def test_aggregate(admin: Person) -> None:
    acme, bank = bulk(admin, "account", [{"name": "Acme"}, {"name": "Bank"}])
    rows = [
        {
            "name": "a",
            "account": acme,
            "amount": "0.10",
            "closed": "2017-06-01",
            "seen_at": "2016-12-31T23:30:00Z",
        },
        {
            "name": "b",
            "account": acme,
            "amount": "0.20",
            "closed": "2017-06-30",
            "seen_at": "2017-01-01T00:30:00Z",
        },
        {"name": "c", "account": bank, "amount": "1000000.03", "closed": "2017-07-01"},
        {"name": "d", "account": bank},
    ]
    bulk(admin, "deal", rows)

    def ask(**body: object) -> list[dict[str, object]]:
        answer = admin.post("/objects/deal/aggregate", body)
        assert answer.status_code == 200, answer.text
        groups: list[dict[str, object]] = json.loads(answer.data, parse_float=Decimal)["groups"]
        return groups

    sums = [{"function": "sum", "field": "amount", "name": "total"}, {"function": "count", "name": "n"}]
    assert ask(measures=sums) == [{"total": Decimal("1000000.33"), "n": 4}]
    assert ask(
        group=[{"field": "account.name", "name": "who"}], measures=sums, order=[["total", "desc"]]
    ) == [
        {"who": "Bank", "total": Decimal("1000000.03"), "n": 2},
        {"who": "Acme", "total": Decimal("0.30"), "n": 2},
    ]
    assert ask(group=[{"field": "closed", "part": "month"}], measures=sums, having="total > 1 || n = 2") == [
        {"closed_month": "2017-06", "total": Decimal("0.30"), "n": 2},
        {"closed_month": "2017-07", "total": Decimal("1000000.03"), "n": 1},
    ]
    parts = {
        part: ask(group=[{"field": "closed", "part": part, "name": "p"}])
        for part in ("year", "quarter", "week", "day")
    }
    assert [each["p"] for each in parts["year"]] == ["2017", None]
    assert [each["p"] for each in parts["quarter"]] == ["2017-Q2", "2017-Q3", None]
    assert [each["p"] for each in parts["week"]] == ["2017-W22", "2017-W26", None]
    assert [each["p"] for each in parts["day"]] == ["2017-06-01", "2017-06-30", "2017-07-01", None]
    # Half past eleven on New Year's Eve in Greenwich is the next year in Shanghai.
    assert ask(group=[{"field": "seen_at", "part": "year", "name": "y"}]) == [
        {"y": "2017", "count": 2}, {"y": None, "count": 2}
    ]  # fmt: skip
    numbers = [
        {"function": name, "field": "amount", "name": name}
        for name in ("avg", "min", "max", "count_distinct", "count")
    ]
    assert ask(measures=numbers, where="amount < 1") == [
        {
            "avg": Decimal("0.15"),
            "min": Decimal("0.10"),
            "max": Decimal("0.20"),
            "count_distinct": 2,
            "count": 2,
        }
    ]
    assert ask(measures=[{"function": "avg", "field": "amount", "name": "a"}]) == [
        {"a": Decimal("333333.443333333333333333")}
    ]


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"group": [{"field": "name", "part": "month"}]}, "query.not_a_date"),
    ({"group": [{"field": "note"}]}, "query.not_groupable"),
    ({"measures": [{"function": "sum", "field": "name"}]}, "query.not_a_number"),
    ({"measures": [{"function": "sum"}]}, "query.measure_needs_field"),
    ({"measures": [{"function": "max", "field": "won"}]}, "query.not_comparable"),
    ({"group": [{"field": "name"}], "order": ["nothing"]}, "query.name_unknown"),
    ({"group": [{"field": "name", "name": "count"}]}, "query.name_twice"),
    ({"group": [{"field": "name", "name": "a b"}]}, "query.name_bad"),
    ({"having": "cuont > 1"}, "FORMULA_UNKNOWN_FIELD"),
    ({"group": [{"field": "nothing"}]}, "field.unknown"),
    ({"group": [{"feild": "name"}]}, "api.parameter_wrong"),
    ({"limit": 0}, "api.parameter_wrong"),
    ({"nonsense": 1}, "api.parameter_unknown"),
]


def test_aggregate_refuses(admin: Person) -> None:
    for body, code in REFUSED:
        answer = admin.post("/objects/deal/aggregate", body)
        assert answer.status_code in (400, 422), answer.text
        assert code in {each["code"] for each in answer.json["faults"]}, answer.text


def test_bulk(admin: Person) -> None:
    def send(**body: object) -> tuple[int, Any]:
        answer = admin.post("/objects/account/records/bulk", body)
        return answer.status_code, answer.json

    status, refused = send(action="create", records=[{"name": "a"}, {"name": None}, {"nmae": "x"}])
    assert status == 422 and {each["row"] for each in refused["faults"]} == {2, 3}
    assert admin.get("/objects/account/records").json["records"] == [], "all or nothing"
    status, mixed = send(
        action="create", all_or_nothing=False, records=[{"name": "a", "code": "A"}, {"name": None}]
    )
    assert status == 200 and [each["outcome"] for each in mixed["results"]] == ["created", "failed"]
    assert mixed["failed"] == 1 and mixed["results"][1]["faults"][0]["field"] == "name"
    id = mixed["results"][0]["id"]
    status, upserted = send(
        action="upsert", key="code", records=[{"code": "A", "name": "aa"}, {"code": "B", "name": "b"}]
    )
    assert [each["outcome"] for each in upserted["results"]] == ["updated", "created"], upserted
    status, changed = send(action="update", records=[{"id": id, "revision": 2, "name": "aaa"}])
    assert (status, changed["results"][0]["revision"]) == (200, 3)
    assert send(action="update", records=[{"id": id, "revision": 2, "name": "b"}])[0] == 412
    assert send(action="delete", records=[{"id": id}])[0] == 200
    assert send(action="update", records=[{"name": "no id"}])[0] == 400
    assert send(action="upsert", records=[{"name": "no key"}])[0] == 400
    assert send(action="create", records=[1])[0] == 400
    assert send(action="create", records=[{"name": "x"}] * 10_001)[0] == 422


def test_names_to_choose_from(admin: Person) -> None:
    bulk(
        admin, "account", [{"name": name} for name in ("北京银行", "Beta", "Alpha Bank", "alphabet", "Zeta")]
    )

    def names(text: str) -> list[str]:
        answer = admin.get("/objects/account/options", q=text)
        assert answer.status_code == 200, answer.text
        return [each["name"] for each in answer.json["options"]]

    assert names("alpha") == ["Alpha Bank", "alphabet"]
    assert names("bank") == ["Alpha Bank"]
    assert names("bei") == ["北京银行"] and names("银行") == ["北京银行"]
    assert len(names("")) == 5 and names("nobody") == [] and names("%") == []


def test_an_old_name_answers(admin: Person, api: ApiSite) -> None:
    bulk(admin, "deal", [{"name": "a", "amount": 5}])
    renamed = admin.patch(
        "/metadata/draft", {"rename": [{"kind": "field", "name": "deal.amount", "to": "deal.value"}]}
    )
    assert renamed.status_code == 200, renamed.text
    assert admin.post("/metadata/publish").status_code == 200
    found = admin.get("/objects/deal/records", where="amount = 5", fields="amount", order="amount").json[
        "records"
    ]
    assert [each["value"] for each in found] == [5]


def test_history(admin: Person) -> None:
    path = "/objects/account/records/" + bulk(admin, "account", [{"name": "a"}])[0]
    admin.patch(path, {"name": "b"})
    entries = admin.get(path + "/history").json["history"]
    assert [each["action"] for each in entries] == ["update", "create"]
    assert entries[0]["fields"] == [{"field": "name", "old": "a", "new": "b"}]
    assert entries[0]["by"] == admin.id.hex and entries[0]["cause"] == "api"


def test_a_long_history_comes_by_pages(admin: Person) -> None:
    id, other = bulk(admin, "account", [{"name": "0"}, {"name": "x"}])
    path = f"/objects/account/records/{id}"
    for n in range(1, 6):
        admin.patch(path, {"name": str(n)})
    whole = admin.get(path + "/history").json
    assert len(whole["history"]) == 6 and whole["next_cursor"] is None
    first = admin.get(path + "/history", limit="4").json
    admin.patch(path, {"name": "6"})
    rest = admin.get(path + "/history", limit="4", cursor=first["next_cursor"]).json
    assert first["history"] + rest["history"] == whole["history"], "what is new in between moves nothing"
    assert rest["next_cursor"] is None
    elsewhere = f"/objects/account/records/{other}/history"
    for cursor in ("x", first["next_cursor"] + "A"):
        assert admin.get(path + "/history", cursor=cursor).status_code == 400
    assert admin.get(elsewhere, cursor=first["next_cursor"]).status_code == 400
    assert admin.get(elsewhere, limit="0").status_code == 400


def test_all_faults_of_a_record_at_once(admin: Person) -> None:
    wrong = admin.post("/objects/deal/records", {"amount": "x", "closed": "y", "nothing": 1, "account": "z"})
    assert wrong.status_code == 422
    assert {each["field"] for each in wrong.json["faults"]} == {"amount", "closed", "nothing", "account"}


def test_options_for_a_lookup_with_a_filter(admin: Person) -> None:
    """Names the lookup that is being filled: `for` says which; what is no lookup is refused."""
    assert admin.get("/objects/account/options?for=deal.account").status_code == 200
    for path in ("deal.name", "deal.nothing", "nothing.x", "deal"):
        assert admin.get(f"/objects/account/options?for={path}").status_code in (404, 422), path
