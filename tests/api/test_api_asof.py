"""``as_of`` over the API: a record as it stood, and what is said where it cannot be told."""

from __future__ import annotations

import pytest

from apisite import ApiSite, Person

OBJECTS = {
    "account": {
        "name": "text",
        "amount": "currency(16,2)",
        "seen_at": "datetime",
        "parent": "lookup(account)",
        "loud": {"type": "formula", "options": {"returns": "text", "formula": "UPPER(name)"}},
    }
}
KINDS = [{"kind": "record_type", "name": f"account.{name}"} for name in ("big", "small")]


@pytest.fixture
def admin(api: ApiSite) -> Person:
    api.publish(OBJECTS, KINDS)
    return api.admin


def test_a_record_is_read_as_it_stood(admin: Person) -> None:
    made = admin.post(
        "/objects/account/records", {"name": "a", "amount": "5.50", "seen_at": "2026-01-31T08:00:00Z"}
    )
    path = made.headers["Location"].removeprefix("/api/v1")
    admin.patch(path, {"name": "b", "parent": made.json["id"]})
    admin.patch(path, {"amount": None, "seen_at": None})
    entries = admin.get(path + "/history").json["history"]
    for revision, entry in zip((3, 2, 1), entries, strict=True):
        past = admin.get(path, as_of=entry["at"])
        assert past.status_code == 200 and past.json["revision"] == revision
    first = admin.get(path, as_of=entries[2]["at"])
    then = {name: value for name, value in made.json.items() if name != "loud"}
    assert first.json == then, "digit for digit, lookups blank, stamps of that time; nothing worked out now"
    some = admin.get(path, as_of=entries[1]["at"], fields="name,amount")
    assert some.json == {"id": made.json["id"], "revision": 2, "name": "b", "amount": 5.50}
    now = {name: value for name, value in admin.get(path).json.items() if name != "loud"}
    assert admin.get(path, as_of="2099-01-01").json == now
    deleted_at = entries[0]["at"]
    assert admin.delete(path).status_code == 204
    assert admin.get(path).status_code == 404
    assert admin.get(path, as_of=deleted_at).json["name"] == "b", "what is in the bin has a past"
    gone = admin.get(path, as_of="2099-01-01")
    assert gone.status_code == 404 and gone.json["faults"][0]["code"] == "journal.in_bin"


def test_a_record_type_has_its_name_then_as_now(admin: Person) -> None:
    made = admin.post("/objects/account/records", {"name": "a", "record_type": "small"})
    path = made.headers["Location"].removeprefix("/api/v1")
    admin.patch(path, {"record_type": "big"})
    newest, first = admin.get(path + "/history").json["history"]
    assert newest["fields"] == [{"field": "record_type", "old": "small", "new": "big"}]
    assert admin.get(path, as_of=first["at"]).json["record_type"] == "small"


def test_what_cannot_be_told_is_said_clearly(admin: Person) -> None:
    made = admin.post("/objects/account/records", {"name": "a"})
    path = made.headers["Location"].removeprefix("/api/v1")
    early = admin.get(path, as_of="2001-01-01")
    assert early.status_code == 404 and early.json["faults"][0]["code"] == "journal.not_yet"
    assert "2001-01-01 23:59:59" in early.json["faults"][0]["message"]
    for wrong in ("soon", "2026-13-01", "2026-01-01T00:00:00 08:00"):
        told = admin.get(path, as_of=wrong)
        assert told.status_code == 400 and told.json["faults"][0]["code"] == "journal.moment", wrong
    over = admin.get(path, as_of="2099-01-01", fields="parent.name")
    assert over.status_code == 422 and over.json["faults"][0]["code"] == "journal.path"
    listed = admin.get("/objects/account/records", as_of="2026-01-01")
    assert listed.status_code == 422 and listed.json["faults"][0]["code"] == "journal.lists"
    unknown = admin.get("/objects/account/records/" + "0" * 32, as_of="2099-01-01")
    assert unknown.status_code == 404 and unknown.json["faults"][0]["code"] == "record.not_found"
