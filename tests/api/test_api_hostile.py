"""Bad input of every kind gets a problem document with its place, and nothing is half-written."""

import json
from typing import Any

import pytest

from apisite import ApiSite, Person, make_api
from tabwright.platform.settings import Limits

OBJECTS = {
    "thing": {
        "name": "text(20)",
        "size": "integer",
        "price": "currency(10,2)",
        "day": "date",
        "parent": "lookup(thing)",
    }
}
PATH = "/objects/thing/records"


@pytest.fixture
def admin(api: ApiSite) -> Person:
    api.publish(OBJECTS)
    return api.admin


def refused(answer: Any, *statuses: int) -> dict[str, Any]:
    """The problem document of an answer."""
    sent = answer.request.url[:300]
    assert answer.status_code in (statuses or (400, 422)), (sent, answer.status_code, answer.text[:500])
    assert answer.content_type == "application/problem+json", answer.text[:500]
    found: dict[str, Any] = json.loads(answer.data)
    assert found["type"] == f"urn:tabwright:{found['code']}" and found["faults"] and found["request_id"]
    assert answer.headers["X-Request-Id"] == found["request_id"]
    for fault in found["faults"]:
        assert fault["message"] != fault["code"], f"{fault['code']} has no text"
        assert "{" not in fault["message"], fault
    return found


BODIES = [
    b"",
    b"{",
    b"[]",
    b"1",
    b'"x"',
    b"null",
    b"{} {}",
    b'{"name": NaN}',
    b'{"name": "\\ud800"}',
    b"\xff\xfe{}",
    b"[" * 100_000,
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b'{"size": 1e999999}',
    b'{"size": 123456789012345678901234567890}',
    b'{"price": 1e50000000}',
    b'{"name": "\\u0000"}',
    b'{"name": {"$ne": 1}}',
    b'{"name": [1]}',
    b'{"day": "2026-02-30"}',
    b'{"parent": "x"}',
    b'{"parent": 7}',
    b'{"size": true}',
    b'{"id": "x"}',
    b'{"revision": 9}',
    b'{"created_by": "x"}',
    b'{"owner": 3}',
    b'{"is_admin": true}',
    b'{"deleted_at": null}',
    b'{"f1": 1}',
    b'{"": 1}',
    b'{"name": "' + b"x" * 100_000 + b'"}',
]


def test_bodies(admin: Person) -> None:
    for body in BODIES:
        refused(admin.send("POST", PATH, body))
        refused(admin.send("POST", PATH + "/bulk", body))
        refused(admin.send("POST", "/objects/thing/aggregate", body)) if body != b"" else None
        refused(admin.send("PATCH", "/metadata/draft", body))
        refused(admin.send("PUT", "/metadata/draft/object/other", body))
    assert admin.get(PATH).json["records"] == []
    assert admin.get("/metadata/draft").json["changes"] == []


def test_content_types(admin: Person) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        answer = admin.send("POST", PATH, b'{"name": "x"}', {"Content-Type": kind})
        assert answer.status_code == 415, kind
    assert admin.send("GET", PATH, b'{"x": 1}').status_code == 400
    in_utf8 = {"Content-Type": "application/json; charset=utf-8"}
    assert admin.send("POST", PATH, '{"name": "名"}'.encode(), in_utf8).status_code == 201


WRONG_QUERIES: list[dict[str, Any]] = [
    {"limit": "0"},
    {"limit": "201"},
    {"limit": "1e9"},
    {"limit": "x"},
    {"limit": "-1"},
    {"limit": "9" * 30},
    {"cursor": "x"},
    {"cursor": "x" * 5000},
    {"count": "maybe"},
    {"nonsense": "1"},
    {"order": ","},
    {"order": "name:up"},
    {"order": "name:desc:x"},
    {"order": ",".join(["name"] * 1000)},
    {"order": "nothing"},
    {"fields": ","},
    {"fields": "name,,"},
    {"fields": ",".join(["name"] * 5000)},
    {"fields": "parent.parent.parent.parent.name"},
    {"fields": "'; drop table o1; --"},
    {"order": "name; drop table o1"},
    {"where": "("},
    {"where": "1 = 1; drop table o1"},
    {"where": "name"},
    {"where": "size / 0"},
    {"where": "x" * 9000},
    {"where": "(" * 200 + "1" + ")" * 200},
    {"where": "+".join(["size"] * 3000) + " = 1"},
    {"where": 'REGEX(name, "(a+)+$")'},
    {"where": "ISNEW()"},
    {"where": "PRIORVALUE(size) = 1"},
    {"where": "\x00"},
    {"where": "__import__"},
    {"where": "name.__class__ = 1"},
    {"where": "$user.password = 1"},
]


def test_queries(admin: Person) -> None:
    admin.post(PATH, {"name": "x", "size": 1})
    for query in WRONG_QUERIES:
        refused(admin.get(PATH, **query))
    twice = refused(admin.send("GET", PATH + "?limit=1&limit=2"))
    assert twice["faults"][0]["field"] == "limit"
    both = refused(admin.get(PATH, limit="x", nonsense="1", count="q"))
    assert {each["field"] for each in both["faults"]} == {"limit", "nonsense", "count"}, "all at once"
    # An injection in a literal is a value like any other.
    assert admin.get(PATH, where='''name = "' or 1=1 --"''').json["records"] == []
    assert len(admin.get(PATH).json["records"]) == 1


def test_paths(admin: Person) -> None:
    for path in (
        "/objects/%00",
        "/objects/..%2f..",
        "/objects/thing'--",
        "/objects/THING%20",
        "/objects/" + "x" * 5000,
        "/nothing",
        PATH + "/x",
        PATH + "/%00",
        PATH + "/" + "0" * 32,
        PATH + "/" + "z" * 32,
        PATH + "/{" + "0" * 32 + "}",
        "/jobs/x",
        "/jobs/" + "0" * 32,
        "/metadata/releases/1/diff/99",
        "/metadata/releases/x/diff/1",
        "/metadata/releases/1/diff/" + "9" * 40,
        "/metadata/draft/nothing/x",
        "/metadata/draft/object/%00",
        "/objects/thing/",
    ):
        refused(admin.get(path), 404)
    refused(admin.delete("/metadata/draft/object/nothing"), 404)
    refused(admin.post("/metadata/releases/99/restore", {}), 404)
    assert admin.get("/objects/Thing").status_code == 200, "names are found in any case"


def test_a_wrong_method_says_which_are_right(admin: Person) -> None:
    wrong = admin.send("PUT", PATH, b"{}")
    assert wrong.status_code == 405
    assert {"GET", "POST"} <= set(wrong.headers["Allow"].replace(" ", "").split(","))
    assert admin.send("TRACE", PATH).status_code == 405


def test_credentials(api: ApiSite, admin: Person) -> None:
    for header in (
        "",
        "Bearer",
        "Bearer ",
        "Bearer tw_x",
        "Basic " + admin.token,
        "Bearer " + "x" * 10_000,
        "Bearer \xff",
    ):
        answer = api.client.get("/api/v1/objects", headers={"Authorization": header} if header else {})
        assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer", header
        refused(answer, 401)
    assert api.client.get("/api/v1/openapi.json").status_code == 401


def test_a_problem_speaks_the_language_that_is_wished(admin: Person) -> None:
    zh = admin.get("/objects/nothing", {"Accept-Language": "zh-CN"}).json
    en = admin.get("/objects/nothing", {"Accept-Language": "en"}).json
    assert zh["code"] == en["code"] and zh["detail"] != en["detail"] and "nothing" in zh["detail"]


def test_a_body_above_the_limit(tmp_path: Any) -> None:
    with make_api("sqlite", tmp_path, Limits(body_bytes=20_000)) as api:
        api.publish(OBJECTS)
        found = refused(api.admin.send("POST", PATH, b'{"name": "' + b"x" * 30_000 + b'"}'), 413)
        assert "20000" in found["detail"] or "20,000" in found["detail"], "the limit is named"


def test_a_sum_that_leaves_64_bits_is_told(api: ApiSite) -> None:
    api.publish({"thing": {"name": "text", "size": "integer"}})
    big = 10**18 - 1
    rows = [{"name": str(n), "size": big} for n in range(12)]
    assert api.admin.post(PATH + "/bulk", {"action": "create", "records": rows}).status_code == 200
    answer = api.admin.post(
        "/objects/thing/aggregate", {"measures": [{"function": "sum", "field": "size", "name": "s"}]}
    )
    if api.tenant.store.dialect == "postgresql":
        assert answer.json["groups"] == [{"s": 12 * big}]
    else:
        assert refused(answer, 422)["code"] == "query.sum_too_big"
