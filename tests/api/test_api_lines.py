"""Lines written with their record over the API: one request, one operation, all or nothing."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from jsonschema import Draft202012Validator

import models
from apisite import ApiSite, Person
from tabwright.platform.database import observe
from tabwright.runtime.records.service import Records

ORDERS: models.Compact = {
    "product": {"name": "text required"},
    "order": {"name": "text required", "code": "text unique external_key", "note": "text"},
    "order_line": {
        "name": "text",
        "order": {"type": "master_detail", "options": {"target": "order"}},
        "product": "lookup(product)",
        "amount": "currency(14,2)",
        "slot": "text unique",
    },
    "fee": {"name": "text required", "order": {"type": "master_detail", "options": {"target": "order"}}},
}
EXTRA: list[dict[str, Any]] = [
    {"kind": "validation_rule", "name": "order_line.most", "label": {"en": "Most"}, "field": "amount",
     "condition": "amount > 100", "message": {"zh": "不能超过 100", "en": "At most 100"}},
    {"kind": "permission_set", "name": "seller", "label": {"en": "Seller"},
     "objects": {"order": ["read", "create", "edit", "delete"], "order_line": ["read", "create", "edit"]},
     "fields": {"*": {"*": "edit"}}},
]  # fmt: skip
AT = "/objects/order/records"


@pytest.fixture
def admin(api: ApiSite) -> Person:
    api.publish(ORDERS, EXTRA)
    return api.admin


def lines(person: Person, order: str) -> list[tuple[str, float | None]]:
    """The lines of an order, by name."""
    found = person.get("/objects/order_line/records", where=f'order = "{order}"', order="name").json
    return [(each["name"], each["amount"]) for each in found["records"]]


def made(person: Person, *names: str) -> tuple[str, dict[str, str]]:
    """An order with lines of these names; their ids by name."""
    some = [{"name": name, "amount": 1} for name in names]
    answer = person.post(AT, {"name": "Order", "lines": {"order_line": some}})
    assert answer.status_code == 201, answer.text
    rows = answer.json["lines"]["order_line"]
    return answer.json["id"], dict(zip(names, (row["id"] for row in rows), strict=True))


def places(answer: Any) -> list[tuple[str | None, str | None]]:
    return [(fault.get("pointer"), fault["code"]) for fault in answer.json["faults"]]


def test_a_record_is_made_with_its_lines_and_undone_with_them(api: ApiSite, admin: Person) -> None:
    body = {"name": "O", "lines": {"order_line": [{"name": "a", "amount": 2.5}, {"name": "b"}]}}
    answer = admin.post(AT, body)
    assert answer.status_code == 201, answer.text
    told = answer.json["lines"]["order_line"]
    assert [(each["outcome"], each["revision"]) for each in told] == [("created", 1)] * 2
    order = answer.json["id"]
    assert lines(admin, order) == [("a", 2.5), ("b", None)]
    assert answer.headers["ETag"] == admin.get(f"{AT}/{order}").headers["ETag"]
    head = admin.get(f"{AT}/{order}/history").json["history"][0]["operation"]
    line = admin.get(f"/objects/order_line/records/{told[0]['id']}/history").json["history"][0]["operation"]
    assert head == line, "one operation"
    Records(api.call).undo(UUID(head))
    assert admin.get(f"{AT}/{order}").status_code == 404 and lines(admin, order) == []


def test_a_list_is_all_lines_that_the_record_is_to_have(admin: Person) -> None:
    order, ids = made(admin, "a", "b", "c")
    wanted = [{"name": "new", "amount": 7}, {"id": ids["b"], "amount": 3}]
    answer = admin.patch(f"{AT}/{order}", {"name": "Other", "lines": {"order_line": wanted}})
    assert answer.status_code == 200, answer.text
    assert answer.json["name"] == "Other"
    outcomes = [(each["id"], each["outcome"]) for each in answer.json["lines"]["order_line"]]
    assert outcomes[1:] == [(ids["b"], "updated"), (ids["a"], "deleted"), (ids["c"], "deleted")]
    assert lines(admin, order) == [("b", 3), ("new", 7)]
    assert admin.patch(f"{AT}/{order}", {"note": "x"}).status_code == 200
    assert lines(admin, order) == [("b", 3), ("new", 7)], "without the key nothing happens to lines"
    assert admin.patch(f"{AT}/{order}", {"lines": {"order_line": []}}).status_code == 200
    assert lines(admin, order) == []


def test_some_lines_are_made_changed_and_deleted_and_the_others_stay(admin: Person) -> None:
    order, ids = made(admin, "a", "b", "c", "d")
    some = {
        "create": [{"name": "e"}],
        "update": [{"id": ids["a"], "revision": 1, "amount": 9}],
        "delete": [ids["b"], {"id": ids["c"], "revision": 1}],
    }
    answer = admin.patch(f"{AT}/{order}", {"lines": {"order_line": some, "fee": [{"name": "post"}]}})
    assert answer.status_code == 200, answer.text
    assert [each["outcome"] for each in answer.json["lines"]["fee"]] == ["created"]
    assert lines(admin, order) == [("a", 9), ("d", 1), ("e", None)]


def test_a_unique_key_that_a_deleted_line_frees_may_be_taken(admin: Person) -> None:
    answer = admin.post(AT, {"name": "O", "lines": {"order_line": [{"name": "a", "slot": "1"}]}})
    order = answer.json["id"]
    answer = admin.patch(f"{AT}/{order}", {"lines": {"order_line": [{"name": "b", "slot": "1"}]}})
    assert answer.status_code == 200, answer.text
    assert lines(admin, order) == [("b", None)]


def test_every_fault_is_told_with_its_place_and_nothing_is_written(admin: Person) -> None:
    order, ids = made(admin, "a", "b")
    strange, _ = made(admin)
    some = [{"id": ids["a"], "amount": "x"}, {"name": "n"}, {"name": "m", "amount": 101}, {"id": strange}]
    answer = admin.patch(f"{AT}/{order}", {"name": None, "lines": {"order_line": some}})
    assert answer.status_code == 422
    assert set(places(answer)) >= {
        (None, "value.required"),
        ("/lines/order_line/0/amount", "value.not_number"),
        ("/lines/order_line/3", "record.not_found"),
    }
    assert all(fault["object"] == "order_line" for fault in answer.json["faults"] if "pointer" in fault)
    assert lines(admin, order) == [("a", 1), ("b", 1)]
    answer = admin.patch(f"{AT}/{order}", {"lines": {"order_line": {"create": [{}, {"amount": 101}]}}})
    assert places(answer) == [("/lines/order_line/create/1/amount", "record.rule")]


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        (3, "/lines", "api.not_an_object"),
        ({"nothing": []}, "/lines/nothing", "api.lines_unknown"),
        ({"product": []}, "/lines/product", "api.lines_unknown"),
        ({"order_line": 3}, "/lines/order_line", "api.lines_shape"),
        ({"order_line": {"upsert": []}}, "/lines/order_line", "api.lines_shape"),
        ({"order_line": {"create": 1}}, "/lines/order_line/create", "api.lines_shape"),
        ({"order_line": [3]}, "/lines/order_line/0", "api.not_an_object"),
        ({"order_line": [{"id": 3}]}, "/lines/order_line/0/id", "api.lines_no_id"),
        ({"order_line": [{"order": "x"}]}, "/lines/order_line/0/order", "api.lines_head"),
        ({"order_line": [{"revision": 1}]}, "/lines/order_line/0/revision", "api.lines_revision"),
        ({"order_line": [], "Order_Line": []}, "/lines/Order_Line", "api.lines_twice"),
        ({"order_line": {"update": [{}]}}, "/lines/order_line/update/0", "api.lines_no_id"),
        ({"order_line": {"create": [{"id": "x"}]}}, "/lines/order_line/create/0", "api.lines_id"),
        ({"order_line": {"delete": [{"id": "x", "name": "n"}]}}, "/lines/order_line/delete/0",
         "api.lines_delete_values"),
    ],
)  # fmt: skip
def test_a_body_of_another_shape_is_refused_at_its_place(
    admin: Person, given: Any, pointer: str, code: str
) -> None:
    answer = admin.post(AT, {"name": "O", "lines": given})
    assert (answer.status_code, places(answer)) == (400, [(pointer, code)])
    assert admin.get(AT).json["records"] == []


def test_lines_ask_the_rights_of_their_own_object(api: ApiSite, admin: Person) -> None:
    seller = api.person("seller", "seller")
    order, ids = made(seller, "a", "b")
    assert "fee" not in {each["name"] for each in seller.get("/objects/order").json["lines"]}
    assert seller.post(AT, {"name": "O", "lines": {"fee": [{"name": "x"}]}}).status_code == 400
    answer = seller.patch(f"{AT}/{order}", {"lines": {"order_line": [{"id": ids["a"]}]}})
    assert answer.status_code == 403, "a line that is left out is deleted, which takes the right to"
    assert lines(seller, order) == [("a", 1), ("b", 1)]
    other = api.person("other", "seller")
    mine, _ = made(other, "c")
    body = {"lines": {"order_line": {"update": [{"id": ids["a"], "amount": 5}]}}}
    assert places(other.patch(f"{AT}/{mine}", body)) == [
        ("/lines/order_line/update/0", "record.not_found")
    ], "lines of another record are none of this one's"


def test_an_old_revision_of_record_or_line_writes_nothing(admin: Person) -> None:
    order, ids = made(admin, "a")
    tag = admin.get(f"{AT}/{order}").headers["ETag"]
    assert admin.patch(f"{AT}/{order}", {"note": "first"}).status_code == 200
    body = {"note": "second", "lines": {"order_line": {"create": [{"name": "b"}]}}}
    assert admin.patch(f"{AT}/{order}", body, {"If-Match": tag}).status_code == 412
    assert admin.patch(f"/objects/order_line/records/{ids['a']}", {"amount": 2}).status_code == 200
    body = {"lines": {"order_line": {"update": [{"id": ids["a"], "revision": 1, "amount": 3}]}}}
    answer = admin.patch(f"{AT}/{order}", body)
    assert (answer.status_code, places(answer)[0][0]) == (412, "/lines/order_line/update/0/amount")
    assert lines(admin, order) == [("a", 2)]


def test_a_renamed_object_of_lines_answers_to_its_old_name(api: ApiSite, admin: Person) -> None:
    rename = {"rename": [{"kind": "object", "name": "fee", "to": "charge"}]}
    assert admin.patch("/metadata/draft", rename).status_code == 200
    assert admin.post("/metadata/publish", {}).status_code == 200
    answer = admin.post(AT, {"name": "O", "lines": {"fee": [{"name": "post"}]}})
    assert answer.status_code == 201 and "charge" in answer.json["lines"]


def test_bulk_writes_records_with_their_lines(admin: Person) -> None:
    records = [
        {"name": f"o{n}", "code": f"c{n}", "lines": {"order_line": [{"name": f"{n}a"}, {"name": f"{n}b"}]}}
        for n in range(3)
    ]
    answer = admin.post(f"{AT}/bulk", {"action": "create", "records": records})
    assert answer.status_code == 200, answer.text
    ids = [row["id"] for row in answer.json["results"]]
    assert [len(row["lines"]["order_line"]) for row in answer.json["results"]] == [2, 2, 2]
    assert lines(admin, ids[1]) == [("1a", None), ("1b", None)]
    again = [
        {"code": "c1", "name": "o1", "lines": {"order_line": [{"name": "only"}]}},
        {"code": "c9", "name": "o9", "lines": {"order_line": [{"name": "first"}]}},
        {"code": "c2", "name": "o2 new"},
    ]
    answer = admin.post(f"{AT}/bulk", {"action": "upsert", "key": "code", "records": again})
    assert [row["outcome"] for row in answer.json["results"]] == ["unchanged", "created", "updated"]
    assert [len(row["lines"]["order_line"]) for row in answer.json["results"][:2]] == [3, 1]
    assert "lines" not in answer.json["results"][2]
    assert lines(admin, ids[1]) == [("only", None)] and len(lines(admin, ids[2])) == 2
    for bad in ({"action": "create"}, {"action": "create", "all_or_nothing": False}):
        sent = [{"name": "x", "lines": {"order_line": 1}}, {"name": "y", "lines": {"none": []}}]
        answer = admin.post(f"{AT}/bulk", {**bad, "records": sent})
        assert answer.status_code == 400
        assert [pointer for pointer, _ in places(answer)] == [
            "/records/0/lines/order_line", "/records/1/lines/none",
        ]  # fmt: skip


def test_bulk_record_by_record_leaves_out_those_whose_lines_are_refused(admin: Person) -> None:
    records = [
        {"name": "good", "lines": {"order_line": [{"name": "a"}]}},
        {"name": "bad line", "lines": {"order_line": [{"name": "b"}, {"name": "c", "amount": 200}]}},
        {"lines": {"order_line": [{"name": "d"}]}},
        {"name": "taken", "lines": {"order_line": [{"name": "e", "slot": "s"}]}},
        {"name": "too late", "lines": {"order_line": [{"name": "f", "slot": "s"}]}},
    ]
    answer = admin.post(f"{AT}/bulk", {"action": "create", "records": records, "all_or_nothing": False})
    assert answer.status_code == 200, answer.text
    assert [row["outcome"] for row in answer.json["results"]] == [
        "created", "failed", "failed", "created", "failed",
    ]  # fmt: skip
    told = [fault["pointer"] for fault in answer.json["results"][1]["faults"]]
    assert told == ["/records/1/lines/order_line/1/amount"]
    assert answer.json["failed"] == 3
    assert sorted(each["name"] for each in admin.get(AT).json["records"]) == ["good", "taken"]
    names = sorted(each["name"] for each in admin.get("/objects/order_line/records").json["records"])
    assert names == ["a", "e"]
    answer = admin.post(f"{AT}/bulk", {"action": "create", "records": records})
    assert answer.status_code == 422 and len(admin.get(AT).json["records"]) == 2, "all or nothing"


def test_lines_cost_the_same_statements_for_one_record_and_for_hundreds(api: ApiSite, admin: Person) -> None:
    kinds: list[str] = []

    def statements(run: Callable[[], Any]) -> int:
        kinds.clear()
        with observe(lambda how, text, rows: kinds.append(how)):
            assert run().status_code == 200
        return len(kinds)

    def create(count: int) -> Callable[[], Any]:
        some = {"order_line": [{"name": "a", "amount": 1}, {"name": "b"}], "fee": [{"name": "f"}]}
        records = [{"name": "o", "code": uuid4().hex, "lines": some} for _ in range(count)]
        return lambda: admin.post(f"{AT}/bulk", {"action": "create", "records": records})

    def replace(count: int) -> Callable[[], Any]:
        ids = [each["id"] for each in admin.get(AT, limit=str(count)).json["records"]]
        records = [{"id": id, "lines": {"order_line": [{"name": "c"}]}} for id in ids]
        return lambda: admin.post(f"{AT}/bulk", {"action": "update", "records": records})

    api.tenant.seal_asked = api.site.clock.now().replace(year=2100)  # its job is asked for by time
    statements(create(1))
    assert statements(create(1)) == statements(create(150))
    statements(replace(1))
    assert statements(replace(1)) == statements(replace(150))


def test_describe_and_openapi_know_the_lines(admin: Person) -> None:
    described = admin.get("/objects/order").json["lines"]
    assert [(each["name"], each["object"], each["field"]) for each in described] == [
        ("fee", "fee", "order"), ("order_line", "order_line", "order"),
    ]  # fmt: skip
    assert admin.get("/objects/product").json["lines"] == []
    schema = admin.get("/openapi.json").json["components"]["schemas"]["Values.order"]
    validator = Draft202012Validator(schema)
    id = "0" * 32
    for fine in (
        {"order_line": [{"name": "x"}, {"id": id, "amount": 3}]},
        {"order_line": {"create": [{"name": "x"}], "update": [{"id": id}], "delete": [id, {"id": id}]}},
    ):
        assert validator.is_valid({"name": "o", "lines": fine})
    strange: list[dict[str, Any]] = [
        {"order_line": {"create": [{"id": id}]}}, {"order_line": [{"order": id}]}, {"nothing": []},
    ]  # fmt: skip
    for wrong in strange:
        assert not validator.is_valid({"name": "o", "lines": wrong})


def test_a_field_called_lines_keeps_its_name(api: ApiSite) -> None:
    own = {**ORDERS, "order": {"name": "text required", "lines": "text"}}
    api.publish(own)
    answer = api.admin.post(AT, {"name": "o", "lines": "three"})
    assert (answer.status_code, answer.json["lines"]) == (201, "three")
    assert api.admin.get("/objects/order").json["lines"] == []
