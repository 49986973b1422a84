"""R24: a POST that is sent again with its key has one effect, whatever was lost on the way."""

import threading
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from apisite import ApiSite
from tabwright.runtime.api import idempotency
from tabwright.runtime.api.records import RecordApi

PATH = "/objects/thing/records"


@pytest.fixture
def things(api: ApiSite) -> ApiSite:
    api.publish({"thing": {"name": "text required"}})
    return api


def count(api: ApiSite) -> int:
    return int(api.admin.get(PATH, count="true").json["count"])


def test_the_same_key_has_one_effect_and_one_answer(things: ApiSite) -> None:
    key = {"Idempotency-Key": "a-1"}
    first = things.admin.post(PATH, {"name": "x"}, key)
    again = things.admin.post(PATH, {"name": "x"}, key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data and again.headers["Location"] == first.headers["Location"]
    assert again.headers["Idempotency-Replayed"] == "true" and "Idempotency-Replayed" not in first.headers
    assert count(things) == 1


def test_a_refusal_is_kept_too(things: ApiSite) -> None:
    key = {"Idempotency-Key": "a-1"}
    first, again = (things.admin.post(PATH, {}, key) for _ in range(2))
    assert first.status_code == again.status_code == 422
    assert again.content_type == "application/problem+json" and again.json["code"] == first.json["code"]


def test_another_request_under_the_key_is_refused(things: ApiSite) -> None:
    key = {"Idempotency-Key": "a-1"}
    assert things.admin.post(PATH, {"name": "x"}, key).status_code == 201
    for path, body in ((PATH, {"name": "y"}), (PATH + "/bulk", {"action": "create", "records": []})):
        other = things.admin.post(path, body, key)
        assert (other.status_code, other.json["code"]) == (422, "api.key_reused")
    assert count(things) == 1


def test_keys_belong_to_their_person_and_end_after_72_hours(things: ApiSite, monkeypatch: Any) -> None:
    key = {"Idempotency-Key": "a-1"}
    somebody = things.person("somebody", "administrator")
    assert things.admin.post(PATH, {"name": "x"}, key).status_code == 201
    assert "Idempotency-Replayed" not in somebody.post(PATH, {"name": "y"}, key).headers
    monkeypatch.setattr(idempotency, "KEPT", timedelta(0))
    assert "Idempotency-Replayed" not in things.admin.post(PATH, {"name": "y"}, key).headers
    assert count(things) == 3


@pytest.mark.parametrize("key", ["", "x" * 256, "a b\tc", "ü"])
def test_a_bad_key_is_refused(things: ApiSite, key: str) -> None:
    answer = things.admin.post(PATH, {"name": "x"}, {"Idempotency-Key": key})
    assert (answer.status_code, answer.json["code"]) == (400, "api.key_bad")
    assert count(things) == 0


def test_sixteen_at_once_have_one_effect(things: ApiSite) -> None:
    start = threading.Barrier(16)
    statuses: list[int] = []

    def send() -> None:
        start.wait()
        answer = things.app.test_client().post(
            "/api/v1" + PATH,
            json={"name": "x"},
            headers={"Authorization": f"Bearer {things.admin.token}", "Idempotency-Key": "once"},
        )
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=send) for _ in range(16)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert count(things) == 1 and set(statuses) <= {201, 409} and 201 in statuses


def test_the_answer_is_in_the_transaction_of_the_effect(things: ApiSite, monkeypatch: Any) -> None:
    """A process that dies right after the commit: the retry is answered as the first would have been."""

    def die(*args: Any) -> None:
        raise RuntimeError("killed after the commit")

    monkeypatch.setattr(idempotency, "answered", die)
    key = {"Idempotency-Key": "a-1"}
    things.app.testing = False
    assert things.admin.post(PATH, {"name": "x"}, key).status_code == 500
    monkeypatch.undo()
    again = things.admin.post(PATH, {"name": "x"}, key)
    assert (again.status_code, again.json["name"]) == (201, "x")
    assert count(things) == 1


def test_a_claim_of_a_dead_process_is_taken_over_when_it_had_no_effect(
    things: ApiSite, monkeypatch: Any
) -> None:
    def die(*args: Any) -> None:
        raise RuntimeError("killed before the effect")

    key = {"Idempotency-Key": "a-1"}
    endpoint = things.api.endpoints["create_record"]
    assert isinstance(endpoint.handler.__self__, RecordApi)  # type: ignore[attr-defined]
    things.app.testing = False
    with monkeypatch.context() as patch:
        patch.setattr("tabwright.runtime.api.records._values", die)
        assert things.admin.post(PATH, {"name": "x"}, key).status_code == 500
    running = things.admin.post(PATH, {"name": "x"}, key)
    assert (running.status_code, running.json["code"]) == (409, "api.key_running")
    with monkeypatch.context() as patch:
        patch.setattr(idempotency, "ABANDONED", timedelta(0))
        assert things.admin.post(PATH, {"name": "x"}, key).status_code == 201
    assert count(things) == 1


def test_a_publish_whose_answer_was_lost_is_not_done_twice(things: ApiSite, monkeypatch: Any) -> None:
    put = {"put": [{"kind": "field", "name": "thing.more", "label": {"en": "More"}, "type": "text"}]}
    assert things.admin.patch("/metadata/draft", put).status_code == 200
    key = {"Idempotency-Key": "p-1"}
    first = things.admin.post("/metadata/publish", {}, key)
    assert first.status_code == 200
    with things.tenant.store.write() as writer:
        writer.execute(sa.update(idempotency.KEYS).values(status=None, body=None))
    again = things.admin.post("/metadata/publish", {}, key)
    assert again.status_code == 200 and "operation" in again.json
    assert things.admin.get("/metadata/releases").json["current"] == first.json["release"]
