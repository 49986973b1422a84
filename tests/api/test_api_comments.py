"""Comments by the API, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from apisite import ApiSite, Person, make_api
from stores import DIALECTS

READER = {
    "kind": "permission_set", "name": "reader", "label": {"en": "Reader"},
    "objects": {"thing": ["view_all"]}, "fields": {"thing": {"*": "read"}},
}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def things(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiSite]:
    with make_api(request.param, tmp_path_factory.mktemp("comments")) as api:
        api.publish({"thing": {"name": "text required"}, "hidden": {"name": "text required"}}, [READER])
        yield api


def somebody(api: ApiSite) -> Person:
    """Who may only read things."""
    return api.person(f"guest{uuid4().hex[:8]}", "reader")


def made(api: ApiSite, object: str = "thing") -> str:
    answer = api.admin.post(f"/objects/{object}/records", {"name": "x"})
    return f"/objects/{object}/records/{answer.json['id']}"


def bodies(person: Person, at: str, **query: Any) -> list[str]:
    return [each["body"] for each in person.get(f"{at}/comments", **query).json["comments"]]


def test_who_may_only_read_may_comment(things: ApiSite) -> None:
    at, guest = made(things), somebody(things)
    answer = guest.post(f"{at}/comments", {"body": "first\r\nsecond  \n"})
    assert answer.status_code == 201
    one = answer.json
    assert one["body"] == "first\nsecond" and one["author"] == guest.id.hex and one["edited_at"] is None
    assert answer.headers["Location"].endswith(f"/comments/{one['id']}")
    assert things.admin.get(f"{at}/comments/{one['id']}").json == one
    page = things.admin.get(f"{at}/comments").json
    assert page == {"comments": [one], "next_cursor": None, "count": 1}
    edited = guest.patch(f"{at}/comments/{one['id']}", {"body": "better"}).json
    assert edited["body"] == "better" and edited["edited_at"] is not None
    assert (
        things.admin.patch(f"{at}/comments/{one['id']}", {"body": "mine"}).json["code"] == "comment.not_yours"
    )
    assert guest.delete(f"{at}/comments/{one['id']}").status_code == 204
    assert things.admin.get(f"{at}/comments/{one['id']}").status_code == 404


def test_a_list_comes_by_pages_newest_first(things: ApiSite) -> None:
    at, other = made(things), made(things)
    for n in range(7):
        things.admin.post(f"{at}/comments", {"body": str(n)})
    seen, cursor, pages = [], None, 0
    while pages == 0 or cursor is not None:
        more: dict[str, str] = {"cursor": cursor} if cursor else {}
        page = things.admin.get(f"{at}/comments", None, limit=3, **more).json
        seen += [each["body"] for each in page["comments"]]
        cursor, pages = page["next_cursor"], pages + 1
        if cursor:
            assert things.admin.get(f"{other}/comments", cursor=cursor).json["code"] == "query.cursor"
    assert seen == [str(n) for n in range(6, -1, -1)] and pages == 3
    assert things.admin.get(f"{at}/comments", cursor="x").status_code == 400
    assert things.admin.get(f"{at}/comments", limit=0).status_code == 400


def test_an_answer_joins_its_thread_and_outlives_it(things: ApiSite) -> None:
    at, other = made(things), made(things)
    first = things.admin.post(f"{at}/comments", {"body": "first"}).json["id"]
    second = things.admin.post(f"{at}/comments", {"body": "second", "parent": first}).json
    third = things.admin.post(f"{at}/comments", {"body": "third", "parent": second["id"]}).json
    assert second["parent"] == third["parent"] == first
    for parent in (uuid4().hex, things.admin.post(f"{other}/comments", {"body": "there"}).json["id"]):
        assert things.admin.post(f"{at}/comments", {"body": "x", "parent": parent}).status_code == 404
    assert things.admin.delete(f"{at}/comments/{first}").status_code == 204
    found = things.admin.get(f"{at}/comments").json
    assert [(each["body"], each["deleted"]) for each in found["comments"]] == [
        ("third", False), ("second", False), ("", True),
    ]  # fmt: skip
    assert found["count"] == 2
    for id in (second["id"], third["id"]):
        things.admin.delete(f"{at}/comments/{id}")
    assert bodies(things.admin, at) == []


def test_a_hidden_record_has_no_comments_and_takes_none(things: ApiSite) -> None:
    at, guest = made(things, "hidden"), somebody(things)
    id = things.admin.post(f"{at}/comments", {"body": "secret"}).json["id"]
    for answer in (
        guest.get(f"{at}/comments"),
        guest.get(f"{at}/comments/{id}"),
        guest.post(f"{at}/comments", {"body": "x"}),
        guest.patch(f"{at}/comments/{id}", {"body": "x"}),
        guest.delete(f"{at}/comments/{id}"),
        guest.get(f"{at}/follow"),
        guest.put(f"{at}/follow", None),
        guest.delete(f"{at}/follow"),
    ):
        assert answer.status_code == 404 and "secret" not in answer.text
    unknown = f"/objects/thing/records/{uuid4().hex}"
    assert guest.get(f"{unknown}/comments").json["code"] == "record.not_found"
    assert guest.post(f"{unknown}/comments", {"body": "x"}).json["code"] == "record.not_found"
    assert guest.get("/objects/thing/records/nonsense/comments").json["code"] == "record.not_found"


def test_a_comment_of_one_record_is_not_reached_by_another(things: ApiSite) -> None:
    at, other = made(things), made(things)
    id = things.admin.post(f"{at}/comments", {"body": "here"}).json["id"]
    assert things.admin.get(f"{other}/comments/{id}").json["code"] == "comment.not_found"
    assert things.admin.patch(f"{other}/comments/{id}", {"body": "x"}).status_code == 404
    assert things.admin.delete(f"{other}/comments/{id}").status_code == 404
    assert bodies(things.admin, at) == ["here"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"body": ""}, "comment.blank"),
        ({"body": "\n \t"}, "comment.blank"),
        ({"body": "x" * 10_001}, "comment.too_long"),
        ({"body": "a\0b"}, "comment.nul"),
        ({"body": f"<@{uuid4().hex}>"}, "comment.mention_unknown"),
        ({"body": "".join(f"<@{uuid4().hex}>" for _ in range(51))}, "comment.too_many_mentions"),
        ({}, "api.parameter_wrong"),
        ({"body": 3}, "api.parameter_wrong"),
        ({"body": "x", "parent": "y"}, "api.parameter_wrong"),
        ({"body": "x", "author": "z"}, "api.parameter_unknown"),
    ],
)
def test_a_wrong_comment_is_refused(things: ApiSite, body: Any, code: str) -> None:
    at = made(things)
    answer = things.admin.post(f"{at}/comments", body)
    assert (answer.status_code, answer.json["code"]) == (422 if code.startswith("comment") else 400, code)
    assert bodies(things.admin, at) == []


def test_a_mention_is_an_id_in_the_text(things: ApiSite) -> None:
    at, guest = made(things), somebody(things)
    one = things.admin.post(f"{at}/comments", {"body": f"<@{guest.id.hex}> and <@{guest.id.hex}>"}).json
    assert one["mentions"] == [guest.id.hex]
    edited = things.admin.patch(f"{at}/comments/{one['id']}", {"body": "nobody"}).json
    assert edited["mentions"] == []


def test_a_tokens_scope_says_whether_it_may_write(things: ApiSite) -> None:
    at = made(things)
    readonly = things.person(uuid4().hex, "administrator", scope={"objects": {"thing": ["view_all"]}})
    assert readonly.get(f"{at}/comments").status_code == 200
    assert readonly.post(f"{at}/comments", {"body": "x"}).json["code"] == "comment.token"
    assert readonly.put(f"{at}/follow", None).json["code"] == "comment.token"
    scope = {"objects": {"thing": ["view_all", "comment"]}}
    writing = things.person(uuid4().hex, "administrator", scope=scope)
    id = writing.post(f"{at}/comments", {"body": "x"}).json["id"]
    elsewhere = things.person(uuid4().hex, "administrator", scope={"objects": {"hidden": ["edit"]}})
    assert elsewhere.get(f"{at}/comments").status_code == 404
    assert elsewhere.delete(f"{at}/comments/{id}").status_code == 404
    # Its person may change every record, the token may not: so it deletes no comment of others.
    own = things.admin.post(f"{at}/comments", {"body": "of another"}).json["id"]
    assert writing.delete(f"{at}/comments/{own}").json["code"] == "comment.not_yours_to_delete"
    assert writing.delete(f"{at}/comments/{id}").status_code == 204


def test_a_comment_that_is_sent_again_stands_once(things: ApiSite) -> None:
    at, key = made(things), {"Idempotency-Key": uuid4().hex}
    first, again = (things.admin.post(f"{at}/comments", {"body": "x"}, key) for _ in range(2))
    assert first.status_code == again.status_code == 201 and first.data == again.data
    assert again.headers["Idempotency-Replayed"] == "true"
    assert bodies(things.admin, at) == ["x"]


def test_following_by_the_api(things: ApiSite) -> None:
    at, guest = made(things), somebody(things)
    assert things.admin.get(f"{at}/follow").json == {"follows": True}, "the owner, unless they said otherwise"
    assert guest.get(f"{at}/follow").json == {"follows": False}
    assert guest.put(f"{at}/follow", None).json == {"follows": True} == guest.get(f"{at}/follow").json
    assert guest.delete(f"{at}/follow").json == {"follows": False} == guest.get(f"{at}/follow").json
    guest.post(f"{at}/comments", {"body": "x"})
    assert guest.get(f"{at}/follow").json == {"follows": False}, "what one said stands"


def test_the_document_has_the_endpoints_of_each_object_that_may_be_read(things: ApiSite) -> None:
    paths = somebody(things).get("/openapi.json").json["paths"]
    assert {"get", "post"} <= set(paths["/objects/thing/records/{id}/comments"])
    assert "/objects/hidden/records/{id}/comments" not in paths
