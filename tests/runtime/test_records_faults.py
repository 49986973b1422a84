"""What a write says when it refuses: every fault at once, at its row, and nothing about what never was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tabwright.platform.errors import Conflict, Denied, Invalid, TabwrightError
from tabwright.runtime.records.batch import Batch, Intent, Work
from tabwright.runtime.records.service import Records
from world import World, field_doc, object_doc
from world import world as world

Make = Callable[..., World]

DOCUMENTS = [
    object_doc("account"),
    field_doc("account.name", "text", required=True),
    field_doc("account.employees", "integer"),
    field_doc("account.code", "text", unique=True),
    field_doc("account.number", "auto_number", options={"pattern": "A-{0000}"}),
    object_doc("contact"),
    field_doc("contact.name", "text", required=True),
    field_doc("contact.account", "lookup", options={"target": "account", "on_delete": "cascade"}),
    object_doc("contract"),
    field_doc("contract.name", "text", required=True),
    field_doc("contract.contact", "lookup", options={"target": "contact", "on_delete": "restrict"}),
    {
        "kind": "permission_set",
        "name": "rep",
        "label": {"en": "Rep"},
        "objects": {"account": ["create", "read", "edit"]},
        "fields": {"account": {"*": "edit"}},
    },
]


def said(error: TabwrightError) -> set[tuple[str, str | None]]:
    return {(fault.code, fault.place.field) for fault in error.faults}


def test_what_follows_from_a_row_fails_that_row_and_no_other(world: Make) -> None:
    w = world(DOCUMENTS)
    accounts = [w.records.create("account", {"name": f"a{n}"}).id for n in range(9)]
    contacts = [w.records.create("contact", {"name": f"c{n}", "account": accounts[n]}).id for n in range(9)]
    for held in (2, 7):
        w.records.create("contract", {"name": "kept", "contact": contacts[held]})
    outcome = w.records.apply_each("account", [Intent("delete", id) for id in accounts])
    assert [row.row for row in outcome.failed] == [3, 8]
    for row in outcome.failed:
        assert row.error is Conflict and row.id == accounts[row.row - 1] and row.revision == 1
        (fault,) = row.faults
        assert fault.code == "record.in_use" and fault.place.row == row.row
        assert fault.place.record == str(contacts[row.row - 1])
    assert w.count("account") == 2 and w.count("contact") == 2 and w.count("contract") == 2
    assert outcome.count("deleted") == 7 and outcome.operation is not None
    # One operation holds what was written, and its undo brings all of that back.
    w.records.undo(outcome.operation)
    assert w.count("account") == 9 and w.count("contact") == 9
    with pytest.raises(Conflict):
        w.records.apply("account", [Intent("delete", id) for id in accounts])
    assert w.count("account") == 9


def test_a_refused_follow_up_of_a_create_takes_no_number_and_leaves_nothing(world: Make) -> None:
    w = world(DOCUMENTS)

    def after(batch: Batch, work: Work) -> None:
        if batch.object.name != "account":
            return
        names = [row.new["name"] for row in batch.rows if row.changes and row.new is not None]
        work.nested("rule", "contact", [Intent("create", values={"name": name[1:]}) for name in names])

    w.tenant.hooks.register("after_rules", after)
    intents = [Intent("create", values={"name": name}) for name in ("one", "x", "two", "y", "three")]
    outcome = w.records.apply_each("account", intents)
    assert [row.outcome for row in outcome.rows] == ["created", "failed", "created", "failed", "created"]
    for row in outcome.failed:
        assert row.id is None and {fault.code for fault in row.faults} == {"value.required"}
        assert {fault.place.row for fault in row.faults} == {row.row}
    made = [w.values("account", row.id)["number"] for row in outcome.rows if row.id is not None]
    assert made == ["A-0001", "A-0002", "A-0003"]
    assert w.count("account") == 3 and w.count("contact") == 3
    outcome = w.records.apply_each("account", intents[1:2])
    assert outcome.operation is None and outcome.count("failed") == 1 and w.count("account") == 3


def test_an_update_says_every_fault_of_its_row(world: Make) -> None:
    w = world(DOCUMENTS)
    id = w.records.create("account", {"name": "a", "code": "1"}).id
    w.records.create("account", {"name": "b", "code": "2"})
    wrong = {"name": "", "employees": "many", "code": "2", "nothing": 1}
    everything = {
        ("value.required", "name"),
        ("value.not_number", "employees"),
        ("unique.taken", "code"),
        ("field.unknown", "nothing"),
    }
    for intent in (Intent("update", id, wrong), Intent("create", values=wrong)):
        with pytest.raises(TabwrightError) as refused:
            w.records.apply("account", [intent])
        assert said(refused.value) == everything and len(refused.value.faults) == 4
    assert w.values("account", id)["name"] == "a"
    (row,) = w.records.apply_each("account", [Intent("update", id, wrong)]).rows
    assert {(fault.code, fault.place.field) for fault in row.faults} == everything


def test_a_fault_of_a_create_quotes_no_record(world: Make) -> None:
    w = world(DOCUMENTS)
    w.records.create("account", {"name": "a", "code": "1"})
    values = {"employees": 1, "code": "1"}
    with pytest.raises(Invalid) as refused:
        w.records.create("account", values)
    assert {fault.place.record for fault in refused.value.faults} == {None}
    assert {fault.place.row for fault in refused.value.faults} == {1}
    for outcome in (
        w.records.apply_each("account", [Intent("create", values=values)]),
        w.records.rehearse("account", [Intent("create", values=values)]),
    ):
        (row,) = outcome.rows
        assert row.id is None and {fault.place.record for fault in row.faults} == {None}


def test_nothing_is_said_of_the_values_of_a_record_that_is_hidden(world: Make) -> None:
    w = world(DOCUMENTS)
    hidden = w.records.create("account", {"name": "a"}).id
    records = Records(w.call_as(w.user("rep", "rep")))
    (row,) = records.apply_each("account", [Intent("update", hidden, {"employees": "many"})]).rows
    assert [fault.code for fault in row.faults] == ["record.not_found"]


def test_the_first_of_two_rows_about_one_record_is_written(world: Make) -> None:
    w = world(DOCUMENTS)
    id = w.records.create("account", {"name": "a"}).id
    intents = [Intent("update", id, {"name": name}) for name in ("b", "c")]
    outcome = w.records.apply_each("account", intents)
    assert [row.outcome for row in outcome.rows] == ["updated", "failed"]
    assert [fault.code for fault in outcome.rows[1].faults] == ["record.twice"]
    assert w.values("account", id)["name"] == "b"


# ---- what the platform demands of its own objects -----------------------------------------------


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Asia", "x" * 64])
def test_a_user_lives_in_a_zone_that_there_is(world: Make, zone: str) -> None:
    w = world()
    id = w.user("one", zone="Europe/Berlin").user_id
    with pytest.raises(Invalid) as refused:
        w.records.update("user", id, {"zone": zone})
    assert said(refused.value) == {("value.no_such_zone", "zone")}
    with pytest.raises(Invalid) as refused:
        w.user("two", zone=zone, language="xx")
    assert said(refused.value) == {("value.no_such_zone", "zone"), ("value.not_in_list", "language")}
    assert w.values("user", id)["zone"] == "Europe/Berlin"
    w.records.update("user", id, {"zone": "UTC"})


def test_only_who_is_in_a_queue_lets_others_in(world: Make) -> None:
    clerk = {
        "kind": "permission_set",
        "name": "clerk",
        "label": {"en": "Clerk"},
        "objects": {
            "queue_member": ["create", "read", "edit", "delete", "modify_all"],
            "queue": ["read", "edit", "create"],
            "account": ["read", "edit"],
        },
        "fields": {"queue_member": {"*": "edit"}, "queue": {"*": "edit"}, "account": {"*": "edit"}},
    }
    w = world([*DOCUMENTS, clerk])
    queue = w.records.create("queue", {"name": "Claims"}).id
    other = w.records.create("queue", {"name": "Own"}).id
    who = w.user("clerk", "clerk")
    friend = w.user("friend", "rep")
    inside = w.records.create("queue_member", {"queue": queue, "user": who.user_id}).id
    w.records.delete("queue_member", inside)

    outsider = Records(w.call_as(replace(who, groups=(other,))))
    for user in (who.user_id, friend.user_id):
        with pytest.raises(Denied) as refused:
            outsider.create("queue_member", {"queue": queue, "user": user})
        assert said(refused.value) == {("access.grant_membership", "queue")}
    mine = outsider.create("queue_member", {"queue": other, "user": friend.user_id})
    with pytest.raises(Denied):
        outsider.update("queue_member", mine.id, {"queue": queue})
    with pytest.raises(Denied):
        outsider.restore("queue_member", inside)
    (row,) = outsider.apply_each(
        "queue_member", [Intent("create", values={"queue": queue, "user": who.user_id})]
    ).rows
    assert row.outcome == "failed"
    gone = outsider.delete("queue_member", mine.id)
    assert gone.operation is not None

    member = Records(w.call_as(replace(who, groups=(queue,))))
    assert member.create("queue_member", {"queue": queue, "user": friend.user_id}).changed
    # Undo is a write like any other: what was taken away by a member does not come back through an outsider.
    undone = member.undo(gone.operation)
    assert undone.operation is None and [fault.code for fault in undone.left] == ["access.grant_membership"]
    assert w.count("queue_member") == 1
