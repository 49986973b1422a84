"""A person with few rights against the API: what they may not know or give stays so, whatever they try."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from apisite import ApiSite, Person, make_api
from stores import DIALECTS

OBJECTS = {
    "account": {
        "name": "text searchable sortable",
        "secret": "text searchable",
        "code": "text unique external_key",
    },
    "deal": {"name": "text sortable", "account": "lookup(account,restrict)", "amount": "currency(16,2)"},
    "vault": {"name": "text searchable", "account": "lookup(account,restrict)"},
}
SETS: list[dict[str, Any]] = [
    {
        "kind": "permission_set",
        "name": "low",
        "system": ["import"],
        "objects": {
            "account": ["create", "read", "edit", "delete", "import"],
            "deal": ["create", "read", "edit"],
        },
        "fields": {"account": {"*": "edit", "secret": "none"}, "deal": {"*": "edit"}},
    },
    {
        "kind": "permission_set",
        "name": "words",  # a word about fields, without a right on the object
        "fields": {"account": {"secret": "read"}},
    },
    {
        "kind": "permission_set",
        "name": "designer",
        "system": ["customise"],
        "objects": {"account": ["read"]},
        "fields": {"account": {"*": "read", "secret": "none"}},
    },
    {
        "kind": "permission_set",
        "name": "assigner",
        "system": ["manage_users", "import"],
        "objects": {
            "user": ["read"],
            "permission_assignment": ["create", "read", "edit", "delete", "import", "view_all", "modify_all"],
            "account": ["read"],
        },
        "fields": {
            "permission_assignment": {"*": "edit"},
            "user": {"*": "read"},
            "account": {"name": "read"},
        },
    },
    {
        "kind": "permission_set",
        "name": "host",
        "objects": {
            "queue_member": ["create", "read", "edit", "delete"],
            "user": ["read"],
            "queue": ["read"],
        },
        "fields": {"queue_member": {"*": "edit"}},
    },
    {
        "kind": "permission_set",
        "name": "names_only",
        "objects": {"account": ["read"]},
        "fields": {"account": {"name": "read"}},
    },
]


@pytest.fixture(scope="module", params=DIALECTS)
def api(request: pytest.FixtureRequest) -> Iterator[ApiSite]:
    with tempfile.TemporaryDirectory() as folder, make_api(request.param, Path(folder)) as made:
        made.publish(OBJECTS, SETS)
        yield made


@pytest.fixture(scope="module")
def low(api: ApiSite) -> Person:
    return api.person("low", "low")


@pytest.fixture(scope="module")
def designer(api: ApiSite) -> Person:
    return api.person("designer", "designer")


def made(who: Person, object: str, **values: Any) -> str:
    answer = who.post(f"/objects/{object}/records", values)
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def codes(answer: Any, *statuses: int) -> list[str]:
    assert answer.status_code in statuses, answer.text
    return [each["code"] for each in answer.json["faults"]]


def document(who: Person, kind: str, name: str) -> dict[str, Any]:
    found = who.get(f"/metadata/draft/{kind}/{name}")
    assert found.status_code == 200, found.text
    return dict(found.json)


def published(who: Person, *puts: dict[str, Any], **more: Any) -> Any:
    """Put documents into a fresh draft and publish it."""
    who.delete("/metadata/draft")
    changed = who.patch("/metadata/draft", {"put": list(puts), **more})
    assert changed.status_code == 200, changed.text
    return who.post("/metadata/publish", {})


# ---- search --------------------------------------------------------


def test_a_search_by_what_a_colleague_s_hidden_fields_hold_finds_nobody(api: ApiSite, low: Person) -> None:
    made(api.admin, "user", name="Zhou Qi", address="zq-hidden@example.com", phone="13800001234")
    assert [hit["name"] for hit in low.get("/search", q="Zhou").json["hits"]] == ["Zhou Qi"]
    for text in ("zq-hidden", "13800001234", "0001234"):
        assert low.get("/search", q=text).json["hits"] == []


def test_a_word_about_a_field_in_one_set_and_the_object_in_another(api: ApiSite, low: Person) -> None:
    """Neither set alone reads the secret, both together do: the index must know it from the other fields."""
    id = made(api.admin, "account", name="Quiet", secret="murmurxyz", owner=low.id.hex)
    both = api.person("both", "low", "words")
    api.admin.patch(f"/objects/account/records/{id}", {"owner": both.id.hex})
    assert both.get(f"/objects/account/records/{id}").json["secret"] == "murmurxyz"
    assert [hit["id"] for hit in both.get("/search", q="murmurxyz").json["hits"]] == [id]
    api.admin.patch(f"/objects/account/records/{id}", {"owner": low.id.hex})
    assert low.get("/search", q="murmurxyz").json["hits"] == []


# ---- rights are not given by who does not hold them --------------------------------------------------------


def test_who_may_customise_cannot_widen_a_permission_set(api: ApiSite, designer: Person) -> None:
    own = document(designer, "permission_set", "designer")
    wider = {**own, "objects": {"account": ["read", "view_all"]}}
    fields = {**own, "fields": {"account": {"*": "read"}}}
    system = {**own, "system": ["customise", "manage_users"]}
    for change in (wider, fields, system):
        assert codes(published(designer, change), 403) == ["access.system_right"]
    assert document(api.admin, "permission_set", "designer")["system"] == ["customise"]
    fresh = {
        "kind": "permission_set",
        "name": "mine",
        "label": {"en": "Mine"},
        "objects": {"vault": ["read"]},
    }
    assert codes(published(designer, fresh), 403) == ["access.system_right"]
    open_to_all = {**document(designer, "object", "account"), "sharing": "edit"}
    assert codes(published(designer, open_to_all), 403) == ["access.system_right"]


def test_who_may_customise_still_builds_and_renames(api: ApiSite, designer: Person) -> None:
    answer = published(
        designer,
        {
            "kind": "object",
            "name": "idea",
            "label": {"en": "Idea"},
            "plural": {"en": "Ideas"},
            "name_field": "name",
        },
        {"kind": "field", "name": "idea.name", "label": {"en": "Name"}, "type": "text"},
    )
    assert answer.status_code == 200, answer.text
    answer = published(designer, rename=[{"kind": "field", "name": "account.secret", "to": "account.hush"}])
    assert answer.status_code == 200, answer.text
    row = designer.get("/objects/account")
    assert "hush" not in [field["name"] for field in row.json["fields"]]
    back = published(designer, rename=[{"kind": "field", "name": "account.hush", "to": "account.secret"}])
    assert back.status_code == 200, back.text


def test_a_manager_who_may_customise_gives_only_what_they_hold(api: ApiSite) -> None:
    head = api.person("head", "designer", "assigner")
    own = document(head, "permission_set", "names_only")
    answer = published(head, {**own, "objects": {"account": ["read", "delete"]}})
    assert codes(answer, 403) == ["access.grant_beyond"]
    assert "account: delete" in answer.json["faults"][0]["message"]
    answer = published(head, {**own, "fields": {"account": {"name": "read", "code": "read"}}})
    assert answer.status_code == 200, answer.text
    assert published(head, own).status_code == 200  # and takes it away again


def test_an_old_release_with_wider_rights_is_not_restored_by_who_does_not_hold_them(
    api: ApiSite, designer: Person
) -> None:
    admin = api.admin
    wide = admin.get("/metadata/releases").json["current"]
    own = document(admin, "permission_set", "names_only")
    assert published(admin, {**own, "objects": {}, "fields": {}}).status_code == 200
    assert codes(designer.post(f"/metadata/releases/{wide}/restore", {}), 403) == ["access.system_right"]
    assert admin.post(f"/metadata/releases/{wide}/restore", {}).status_code == 200


def test_a_hidden_field_is_not_uncovered_by_deleting_it_and_bringing_it_back(
    api: ApiSite, designer: Person
) -> None:
    admin = api.admin
    put = [
        {"kind": "object", "name": "safe", "label": {"en": "Safe"}, "name_field": "name"},
        {"kind": "field", "name": "safe.name", "label": {"en": "Name"}, "type": "text"},
        {"kind": "field", "name": "safe.combination", "label": {"en": "Combination"}, "type": "text"},
        {
            "kind": "permission_set",
            "name": "porter",
            "label": {"en": "Porter"},
            "objects": {"safe": ["read", "view_all"]},
            "fields": {"safe": {"*": "read", "combination": "none"}},
        },
    ]
    assert published(admin, *put).status_code == 200
    made(admin, "safe", name="Blue", combination="4711")
    porter = api.person("porter", "porter", "designer")
    field = document(porter, "field", "safe.combination")
    porter.delete("/metadata/draft")
    rights = {**document(porter, "permission_set", "porter"), "fields": {"safe": {"*": "read"}}}
    gone = {"put": [rights], "delete": [{"kind": "field", "name": "safe.combination"}]}
    assert porter.patch("/metadata/draft", gone).status_code == 200
    assert porter.post("/metadata/publish", {}).status_code == 200  # what is gone is nobody's
    assert codes(published(porter, field), 403) == ["access.system_right"]
    assert codes(porter.get("/objects/safe/records", fields="combination"), 422) == ["field.unknown"]
    assert published(admin, field).status_code == 200


def test_an_assignment_gives_only_what_the_giver_holds(api: ApiSite, low: Person) -> None:
    sets = {each.name: each.uid for each in api.tenant.at_release().permission_sets.values()}
    giver = api.person("giver", "assigner")
    records = "/objects/permission_assignment/records"
    mine, theirs = {"user": giver.id.hex}, {"user": low.id.hex}
    for who in (mine, theirs):
        answer = giver.post(records, {**who, "permission_set": sets["administrator"]})
        assert codes(answer, 403) == ["access.grant_beyond"]
    bulk = {"action": "create", "records": [{**mine, "permission_set": sets["low"]}], "all_or_nothing": False}
    answer = giver.post(records + "/bulk", bulk)
    assert answer.json["results"][0]["faults"][0]["code"] == "access.grant_beyond"
    given = made(giver, "permission_assignment", **theirs, permission_set=sets["names_only"])
    answer = giver.patch(f"{records}/{given}", {"permission_set": sets["administrator"]})
    assert codes(answer, 403) == ["access.grant_beyond"]
    assert giver.delete(f"{records}/{given}").status_code == 204
    high = made(api.admin, "permission_assignment", **mine, permission_set=sets["administrator"])
    assert api.admin.delete(f"{records}/{high}").status_code == 204
    assert codes(low.post(records, {**theirs, "permission_set": sets["low"]}), 404) == ["object.unknown"]


def test_a_membership_gives_only_what_the_giver_holds(api: ApiSite, low: Person) -> None:
    records, bulk = "/objects/queue_member/records", "/objects/queue_member/records/bulk"
    queue = made(api.admin, "queue", name="Payroll")
    kept = made(api.admin, "account", name="Of the queue", owner=queue)
    host = api.person("host", "host", "low")
    assert host.get(f"/objects/account/records/{kept}").status_code == 404
    for user in (host.id.hex, low.id.hex):
        answer = host.post(records, {"queue": queue, "user": user})
        assert codes(answer, 403) == ["access.grant_membership"]
        assert answer.json["faults"][0]["field"] == "queue"
    rows = {"action": "create", "records": [{"queue": queue, "user": host.id.hex}], "all_or_nothing": False}
    assert host.post(bulk, rows).json["results"][0]["faults"][0]["code"] == "access.grant_membership"
    # Once an administrator has let them in, they may let in others; a token that was narrowed may not.
    assert api.admin.post(records, {"queue": queue, "user": host.id.hex}).status_code == 201
    assert host.get(f"/objects/account/records/{kept}").status_code == 200
    scope = {"objects": {"queue_member": ["create", "read"], "queue": ["read"], "user": ["read"]}}
    secret = api.site.tokens.create(api.location.id, host.id, "narrow", scope=scope)
    narrow = Person(api.client, secret, host.id)
    answer = narrow.post(records, {"queue": queue, "user": low.id.hex})
    assert codes(answer, 403) == ["access.grant_membership"]
    assert host.post(records, {"queue": queue, "user": low.id.hex}).status_code == 201
    assert low.get(f"/objects/account/records/{kept}").status_code == 200


def test_a_zone_that_is_none_is_refused_at_its_field(api: ApiSite) -> None:
    answer = api.admin.patch(f"/objects/user/records/{api.admin.id}", {"zone": "Mars/Olympus"})
    assert codes(answer, 422) == ["value.no_such_zone"] and answer.json["faults"][0]["field"] == "zone"
    answer = api.admin.patch(f"/objects/user/records/{api.admin.id}", {"language": "tlh"})
    assert codes(answer, 422) == ["value.not_in_list"] and answer.json["faults"][0]["field"] == "language"


# ---- records that are not to be known --------------------------------------------------------


def test_a_delete_does_not_count_records_of_a_hidden_object(api: ApiSite, low: Person) -> None:
    id = made(low, "account", name="Used")
    for name in ("one", "two"):
        made(api.admin, "vault", name=name, account=id)
    answer = low.delete(f"/objects/account/records/{id}")
    assert answer.status_code == 409
    assert "vault" not in answer.text.lower() and "2" not in answer.json["faults"][0]["message"]


def test_a_key_of_a_hidden_record_names_nothing(api: ApiSite, low: Person) -> None:
    hidden = made(api.admin, "account", name="Hidden", code="K-1")
    records = [{"code": "K-1", "name": "x"}]
    answer = low.post(
        "/objects/account/records/bulk", {"action": "upsert", "key": "code", "records": records}
    )
    assert answer.status_code in (404, 409), answer.text
    assert hidden not in answer.text.replace("-", "")
    answer = low.post("/objects/account/records", {"code": "K-1", "name": "x"})
    assert codes(answer, 409) == ["unique.not_allowed"] and hidden not in answer.text.replace("-", "")


def test_system_fields_are_not_written(api: ApiSite, low: Person) -> None:
    id = made(low, "account", name="Mine")
    before = low.get(f"/objects/account/records/{id}").json
    for name, value in {
        "id": low.id.hex,
        "revision": 9,
        "created_by": api.admin.id.hex,
        "created_at": "2001-01-01T00:00:00Z",
        "updated_by": api.admin.id.hex,
        "updated_at": "2001-01-01T00:00:00Z",
        "deleted_at": None,
        "owner_kind": "queue",
        "secret": "x",
        "record_type": "nothing",
        "tenant": "x",
        "rev": 1,
    }.items():
        for answer in (
            low.patch(f"/objects/account/records/{id}", {name: value}),
            low.post("/objects/account/records", {"name": "x", name: value}),
        ):
            assert answer.status_code in (403, 422), (name, answer.text)
    assert low.get(f"/objects/account/records/{id}").json == before
    user = api.admin.patch(f"/objects/user/records/{low.id.hex}", {"identity_id": "0" * 32})
    assert user.status_code == 422, user.text


def test_an_owner_is_somebody_and_another_s_record_is_not_taken(api: ApiSite, low: Person) -> None:
    id = made(low, "account", name="Owned")
    answer = low.patch(f"/objects/account/records/{id}", {"owner": None})
    assert answer.status_code == 422, answer.text
    answer = low.post("/objects/account/records", {"name": "x", "owner": None})
    assert answer.status_code == 201 and answer.json["owner"] == low.id.hex
    theirs = made(api.admin, "account", name="Theirs")
    assert low.patch(f"/objects/account/records/{theirs}", {"owner": low.id.hex}).status_code == 404


# ---- hostile input --------------------------------------------------------


def test_no_query_makes_the_api_fail(api: ApiSite, low: Person) -> None:
    id = made(low, "account", name="Sturdy")
    records = "/objects/account/records"
    texts = ("\0", "😀" * 80, "‮", "x" * 199, "%", "_", "\\", "'", '"', "*", "() AND", "'':*", "NEAR", "\x1f")
    for text in texts:
        asked: tuple[tuple[str, dict[str, Any]], ...] = (
            (records, {"where": text}),
            (records, {"where": f'name = "{text}"'}),
            (records, {"where": f'CONTAINS(name, "{text}")'}),
            (records, {"order": text}),
            (records, {"fields": text}),
            (records, {"cursor": text}),
            (records, {"limit": text}),
            ("/search", {"q": text}),
            ("/search", {"q": "a", "objects": text}),
            ("/objects/account/options", {"q": text}),
            (f"{records}/{id}", {"fields": text}),
        )
        for path, query in asked:
            answer = low.send("GET", path, **query)
            assert answer.status_code < 500, (path, query, answer.text[:300])
        body = {"group": [{"field": text}], "having": text, "where": text, "order": [[text, "asc"]]}
        for part in body:
            answer = low.post("/objects/account/aggregate", {part: body[part]})
            assert answer.status_code < 500, (part, text, answer.text[:300])
        for name in ("name", "code", "owner", "record_type"):
            answer = low.patch(f"{records}/{id}", {name: text})
            assert answer.status_code < 500, (name, text, answer.text[:300])
            upsert = {"action": "upsert", "key": name, "records": [{name: text, "name": "k"}]}
            assert low.post(records + "/bulk", upsert).status_code < 500, (name, text)
        for headers in ({"If-Match": text}, {"If-None-Match": text}, {"Idempotency-Key": text}):
            if text.isprintable() and text.isascii():
                assert low.patch(f"{records}/{id}", {"name": "y"}, headers=headers).status_code < 500


@pytest.mark.parametrize(
    "where",
    [
        " || ".join(f'name = "{n}"' for n in range(700)),
        "(" * 4000,
        "-" * 7900 + "1 = 1",
        "NOT(" * 1900,
        "IF(" * 2000,
        "name = " + '"' * 3999,
        "9" * 7000 + " = 1",
        "0." + "0" * 7000 + "1 = 1",
        "1" + "0" * 30 + "^99 > 1",
        'REPT("x", 99999999) = name',
        "1 / 0 = 1",
        'TEXT(1e99) = "x"',
        "name.name.name.name.name = 1",
        "$user.name.x = 1",
        "TODAY() + 99999999999 > TODAY()",
        "CASE(" + "1," * 3500 + "1) = 1",
        'owner.manager.manager.name = "x"',
        "DATE(2024, 99999999, 1) > TODAY()",
        'SUBSTITUTE(name, "", "x") = name',
        'LPAD(name, 99999999, "x") = name',
        'REGEX(name, "(a+)+$")',
    ],
)
def test_formula_bombs_are_refused_or_answered(low: Person, where: str) -> None:
    answer = low.get("/objects/account/records", where=where)
    assert answer.status_code in (200, 400, 422), answer.text[:300]


def test_bodies_of_many_things_are_refused_or_answered(low: Person) -> None:
    records = "/objects/account/records"
    for body in (
        {"order": [["name", "asc"]] * 1000},
        {"group": [{"field": "name"}] * 9},
        {"measures": [{"function": "count"}] * 21},
        {"limit": 10**30},
        {"where": "x" * 9000},
        {"group": [{"field": "created_at", "part": "century"}]},
        {"measures": [{"function": "sum", "field": "name"}]},
        {"measures": [{"function": "count", "name": "é"}]},
    ):
        assert low.post("/objects/account/aggregate", body).status_code in (400, 422), body
    assert low.get(records, order=",".join(["name"] * 1000)).status_code in (400, 422)
    assert low.get(records, fields=",".join(f"f{n}" for n in range(2000))).status_code in (400, 422)
    many = {"action": "update", "records": [{"id": "0" * 32, "revision": 10**40, "name": "x"}]}
    assert low.post(records + "/bulk", many).status_code in (400, 404, 422)
    for raw in (
        b'{"name": 1e999999999}',
        b'{"name": ' + b"[" * 100_000,
        b'{"a":1,"a":2}',
        b'{"name":"\\ud800"}',
        b"\xff\xfe{}",
        b'{"name": -0}',
        b'{"name": 123456789012345678901234567890123456789012345}',
        b"[]",
        b"null",
        b"",
    ):
        assert low.post(records, raw).status_code < 500, raw[:40]


# ---- replays --------------------------------------------------------


def test_keys_and_cursors_and_jobs_are_of_one_person(api: ApiSite, low: Person) -> None:
    other = api.person("other", "low")
    key = {"Idempotency-Key": "shared"}
    mine = low.post("/objects/account/records", {"name": "Mine only"}, headers=key)
    theirs = other.post("/objects/account/records", {"name": "Mine only"}, headers=key)
    assert mine.status_code == theirs.status_code == 201 and mine.json["id"] != theirs.json["id"]
    for n in range(3):
        made(low, "account", name=f"page {n}")
    page = low.get("/objects/account/records", order="name", limit="2")
    follow = other.get("/objects/account/records", order="name", limit="2", cursor=page.json["next_cursor"])
    assert {each["owner"] for each in follow.json["records"]} <= {other.id.hex}
    body = (
        b'--x\r\nContent-Disposition: form-data; name="object"\r\n\r\naccount\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\nname\r\nA\r\n--x--\r\n'
    )
    started = low.post("/imports", body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert started.status_code == 201, started.text
    run = low.post(f"/imports/{started.json['id']}/check")
    assert run.status_code == 202 and low.get(f"/jobs/{run.json['job']}").status_code == 200
    for path in (
        f"/imports/{started.json['id']}",
        f"/imports/{started.json['id']}/result.csv",
        f"/jobs/{run.json['job']}",
    ):
        assert other.get(path).status_code == 404
    for verb in ("run", "cancel", "undo", "check"):
        assert other.post(f"/imports/{started.json['id']}/{verb}").status_code == 404


# ---- one value, two writers --------------------------------------------------------


def test_of_two_creates_of_one_unique_value_one_wins(api: ApiSite, low: Person) -> None:
    answers: list[int] = []

    def create() -> None:
        person = Person(api.app.test_client(), low.token, low.id)
        answers.append(person.post("/objects/account/records", {"name": "once", "code": "ONE"}).status_code)

    threads = [threading.Thread(target=create) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(answers) == [201, 409, 409, 409, 409, 409]
