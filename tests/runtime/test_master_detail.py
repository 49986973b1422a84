"""Records that are parts of another one: access, owner, deletion and restoring come from the parent."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
import sqlalchemy as sa

import models
from publishers import Publisher, a_field, publisher, thing  # noqa: F401 - a fixture
from tabwright.metadata.compiler import compile_tree
from tabwright.metadata.documents import read
from tabwright.platform.errors import Conflict, Denied, Invalid, NotFound, TabwrightError
from tabwright.runtime.access.asking import may
from tabwright.runtime.access.granting import check_publish
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Batch, Intent, Work
from tabwright.runtime.records.service import Records
from world import World, field_doc, object_doc

Make = Callable[..., World]

ORDER = [
    object_doc("order"),
    field_doc("order.name", "text", required=True),
]
LINE = [
    object_doc("line"),
    field_doc("line.name", "text"),
    field_doc("line.order", "master_detail", options={"target": "order"}),
]
NOTE = [
    object_doc("note"),
    field_doc("note.name", "text"),
    field_doc("note.line", "master_detail", options={"target": "line", "access": "parent_read"}),
]
_ALL = ["create", "read", "edit", "delete"]
RIGHTS = {
    "kind": "permission_set",
    "name": "clerk",
    "label": {"en": "Clerk"},
    "objects": {"order": [*_ALL, "transfer"], "line": [*_ALL, "transfer"], "note": _ALL},
    "fields": {"*": {"*": "edit"}},
}
READER = {
    "kind": "permission_set",
    "name": "reader",
    "label": {"en": "Reader"},
    "objects": {"order": ["view_all"], "line": _ALL, "note": _ALL},
    "fields": {"*": {"*": "edit"}},
}
EVERYTHING = [*ORDER, *LINE, *NOTE, RIGHTS, READER]


def ids_seen(world: World, principal: Principal, object: str) -> set[Any]:
    page = Reads(world.call_as(principal)).list(Query(object, ("id",), limit=200))
    return {row["id"] for row in page.rows}


def said(world: World, principal: Principal, object: str, level: Any, id: Any) -> bool:
    return may(world.call_as(principal), world.model.objects[object], level, world.values(object, id))


def test_a_part_has_the_owner_and_the_access_of_its_parent(world: Make) -> None:
    made = world(EVERYTHING)
    ann, ben = made.user("ann", "clerk"), made.user("ben", "clerk")
    rob = made.user("rob", "reader")
    hers = Records(made.call_as(ann))
    order = hers.create("order", {"name": "A"}).id
    line = hers.create("line", {"name": "1", "order": order}).id
    note = hers.create("note", {"name": "n", "line": line}).id
    assert made.values("line", line)["owner"] == made.values("note", note)["owner"] == ann.user_id
    his = Records(made.call_as(ben))
    for object, id in (("line", line), ("note", note)):
        assert ids_seen(made, ben, object) == set()
        with pytest.raises(NotFound):
            his.update(object, id, {"name": "x"})
    with pytest.raises(Invalid, match="no_such_record"):
        his.create("line", {"name": "2", "order": order})
    # Rob reads every order and edits none: lines he reads, notes (parent_read) he edits too.
    theirs = Records(made.call_as(rob))
    assert ids_seen(made, rob, "line") == {line} and ids_seen(made, rob, "note") == {note}
    with pytest.raises(Denied):
        theirs.update("line", line, {"name": "x"})
    with pytest.raises(Denied, match="parent_denied"):
        theirs.create("line", {"name": "2", "order": order})
    assert theirs.update("note", note, {"name": "x"}).changed
    assert made.values("note", theirs.create("note", {"name": "m", "line": line}).id)["owner"] == ann.user_id
    # Nobody gives a part away: it goes with its parent.
    with pytest.raises(Invalid, match="read_only"):
        hers.update("line", line, {"owner": ben.user_id})
    hers.update("order", order, {"owner": ben.user_id})
    assert made.values("line", line)["owner"] == made.values("note", note)["owner"] == ben.user_id
    assert ids_seen(made, ann, "line") == set() and ids_seen(made, ben, "note") >= {note}


def test_moving_to_another_parent_asks_for_both(world: Make) -> None:
    made = world(EVERYTHING)
    ann, ben = made.user("ann", "clerk"), made.user("ben", "clerk")
    both = made.user("cy", "clerk", "reader")
    first = made.records.create("order", {"name": "A", "owner": ann.user_id}).id
    second = made.records.create("order", {"name": "B", "owner": ben.user_id}).id
    third = made.records.create("order", {"name": "C", "owner": ann.user_id}).id
    line = made.records.create("line", {"name": "1", "order": first}).id
    note = made.records.create("note", {"name": "n", "line": line}).id
    hers = Records(made.call_as(ann))
    with pytest.raises(Invalid):
        hers.update("line", line, {"order": second})
    with pytest.raises(Denied):
        Records(made.call_as(both)).update("line", line, {"order": second})
    operation = hers.update("line", line, {"order": third}).operation
    made.records.update("line", line, {"order": second})
    assert made.values("note", note)["owner"] == ben.user_id, "what hangs on the part moves with it"
    made.records.update("line", line, {"order": third})
    assert operation is not None
    fixed = [{**each, "options": {"target": "order", "reparent": False}} for each in LINE[2:]]
    made.publish(fixed)
    with pytest.raises(Invalid, match="read_only_after_create"):
        Records(made.call_as(ann)).update("line", line, {"order": first})


def test_parts_go_and_come_back_with_their_parent(world: Make) -> None:
    made = world(EVERYTHING)
    ann, ben = made.user("ann", "clerk"), made.user("ben", "clerk")
    order = made.records.create("order", {"name": "A", "owner": ann.user_id}).id
    kept, gone = (made.records.create("line", {"name": name, "order": order}).id for name in ("k", "g"))
    made.records.create("note", {"name": "n", "line": kept})
    made.records.delete("line", gone)
    made.records.update("order", order, {"owner": ben.user_id})
    made.records.delete("order", order)
    assert made.count("line") == made.count("note") == 0
    with pytest.raises(Conflict, match="parent_deleted"):
        made.records.restore("line", gone)
    made.records.restore("order", order)
    assert made.count("line") == made.count("note") == 1, "what was deleted before stays deleted"
    made.records.restore("line", gone)
    assert made.values("line", gone)["owner"] == ben.user_id, "the owner that the parent has now"


def test_undo_of_a_transfer_takes_the_parts_back(world: Make) -> None:
    made = world(EVERYTHING)
    ann, ben = made.user("ann", "clerk"), made.user("ben", "clerk")
    order = made.records.create("order", {"name": "A", "owner": ann.user_id}).id
    line = made.records.create("line", {"name": "1", "order": order}).id
    given = made.records.update("order", order, {"owner": ben.user_id}).operation
    assert given is not None
    assert made.records.undo(given).left == ()
    assert made.values("order", order)["owner"] == made.values("line", line)["owner"] == ann.user_id


def test_law_sql_and_yes_or_no_agree_whatever_was_done(world: Make) -> None:
    """After any writes: a part's owner is its parent's, and every reading of the rule says the same."""
    made = world(EVERYTHING)
    people = [made.user(name, "clerk") for name in ("a", "b", "c")]
    rob = made.user("rob", "reader")
    chance = random.Random(7)
    orders = [
        made.records.create("order", {"name": str(n), "owner": people[n % 3].user_id}).id for n in range(4)
    ]
    lines = [made.records.create("line", {"name": "l", "order": each}).id for each in orders * 2]
    notes = [made.records.create("note", {"name": "n", "line": each}).id for each in lines]
    for _ in range(60):
        who = chance.choice([*people, rob])
        records = Records(made.call_as(who))
        deed = chance.choice(("give", "move", "delete", "restore", "make", "edit"))
        try:
            match deed:
                case "give":
                    records.update("order", chance.choice(orders), {"owner": chance.choice(people).user_id})
                case "move":
                    records.update("line", chance.choice(lines), {"order": chance.choice(orders)})
                case "delete":
                    object, ids = chance.choice((("order", orders), ("line", lines)))
                    records.delete(object, chance.choice(ids))
                case "restore":
                    object, ids = chance.choice((("order", orders), ("line", lines), ("note", notes)))
                    records.restore(object, chance.choice(ids))
                case "make":
                    lines.append(records.create("line", {"name": "m", "order": chance.choice(orders)}).id)
                case "edit":
                    records.update("note", chance.choice(notes), {"name": str(chance.random())})
        except TabwrightError:
            pass
    living = {object: ids_seen(made, Principal.system(), object) for object in ("order", "line", "note")}
    for object, up, name in (("line", "order", "order"), ("note", "line", "line")):
        for id in living[object]:
            values = made.values(object, id)
            assert values[name] in living[up]
            assert values["owner"] == made.values(up, values[name])["owner"]
    for who, (object, ids) in itertools.product([*people, rob], living.items()):
        assert ids_seen(made, who, object) == {id for id in ids if said(made, who, object, "read", id)}
    for who in (*people, rob):
        for id in living["line"]:
            parent = made.values("line", id)["order"]
            for level in ("read", "edit"):
                assert said(made, who, "line", level, id) == said(made, who, "order", level, parent)
        for id in living["note"]:
            parent = made.values("note", id)["line"]
            assert said(made, who, "note", "edit", id) == said(made, who, "line", "read", parent)


def test_many_parts_follow_in_one_write(world: Make) -> None:
    made = world(EVERYTHING)
    ann, ben = made.user("ann", "clerk"), made.user("ben", "clerk")
    order = made.records.create("order", {"name": "A", "owner": ann.user_id}).id
    made.records.apply(
        "line", [Intent("create", values={"name": str(n), "order": order}) for n in range(1200)]
    )
    made.records.update("order", order, {"owner": ben.user_id})
    assert len(ids_seen(made, ann, "line")) == 0
    assert made.count("line") == 1200 and len(ids_seen(made, ben, "line")) == 200


@pytest.mark.parametrize(
    ("objects", "extra", "code"),
    [
        ({"a": {"name": "text", "up": "master_detail(a)"}}, (), "master.ring"),
        (
            {
                "a": {"name": "text", "up": "master_detail(b)"},
                "b": {"name": "text", "up": "master_detail(a)"},
            },
            (),
            "master.ring",
        ),
        (
            {"a": {"name": "text"}, "b": {"name": "text", "x": "master_detail(a)", "y": "master_detail(a)"}},
            (),
            "master.two",
        ),
    ],
)
def test_what_cannot_be_is_told_at_publish(objects: Any, extra: Any, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        compile_tree(models.tree(objects, extra), release=1)
    assert {fault.code for fault in refused.value.faults} == {code}


def test_a_sharing_of_its_own_is_refused() -> None:
    made = models.tree({"a": {"name": "text"}, "b": {"name": "text", "x": "master_detail(a)"}})
    open_to_all = models.document("object", "b", name_field="name", sharing="read")
    with pytest.raises(Invalid, match="master.sharing"):
        compile_tree(made.changed([read(open_to_all)]), release=1)


def test_records_that_become_parts_take_over_the_owner(publisher: Publisher) -> None:  # noqa: F811
    lookup = a_field("order", "lookup", "line", options={"target": "order"})
    part = a_field("order", "master_detail", "line", options={"target": "order"})
    note = a_field("line", "master_detail", "note", options={"target": "line"})
    documents = [*thing(name="order"), *thing(lookup, name="line"), *thing(note, name="note")]
    publisher.publish(*documents)
    ann, ben = (
        publisher.records.create("user", {"name": name, "address": f"{name}@example.com"}).id
        for name in ("ann", "ben")
    )
    order = publisher.records.create("order", {"name": "A", "owner": ann}).id
    line = publisher.records.create("line", {"name": "1", "order": order, "owner": ben}).id
    publisher.records.create("line", {"name": "2", "owner": ben})
    publisher.records.create("note", {"name": "n", "line": line})
    assert publisher.values("note", "owner") == [(ben,)]
    publisher.publish(part)
    assert publisher.values("line", "owner") == [(ann,), (ben,)], "one without a parent keeps its own"
    assert publisher.values("note", "owner") == [(ann,)], "and what hangs on it"
    publisher.records.update("order", order, {"owner": ben})
    assert publisher.values("note", "owner") == [(ben,)]


def test_a_part_made_while_its_parent_is_given_away_has_the_new_owner(world: Make) -> None:
    made = world(EVERYTHING)
    ann, ben = made.user("ann", "clerk"), made.user("ben", "clerk")
    order = made.records.create("order", {"name": "A", "owner": ann.user_id}).id
    named, pause = Event(), Event()
    waiting = sa.text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
    )

    def hold(batch: Batch, work: Work) -> None:
        if batch.object.name != "line" or named.is_set():
            return
        named.set()
        if made.store.dialect == "sqlite":
            return
        for _ in range(2000):  # until whoever gives the order away stands at our lock
            if work.writer.execute(waiting).scalar_one():
                return
            pause.wait(0.01)
        raise AssertionError("the order was given away meanwhile")

    made.tenant.hooks.register("duplicates", hold)

    def give() -> None:
        assert named.wait(20)
        made.records.update("order", order, {"owner": ben.user_id})

    thread = Thread(target=give)
    thread.start()
    line = made.records.create("line", {"name": "1", "order": order}).id
    thread.join(60)
    assert made.values("line", line)["owner"] == made.values("order", order)["owner"] == ben.user_id


def test_nobody_opens_records_by_making_them_parts(world: Make) -> None:
    """Whoever may see or change the parents would see or change the parts: a right that must be held."""
    lookup = field_doc("line.order", "lookup", options={"target": "order"})
    author = {
        "kind": "permission_set",
        "name": "author",
        "label": {"en": "Author"},
        "system": ["customise", "manage_users"],
        "objects": {"order": ["modify_all"], "line": ["read"]},
        "fields": {"*": {"*": "edit"}},
    }
    made = world([*ORDER, *LINE[:2], lookup, author])
    old = made.model
    person = made.user("author", "author")
    new = made.publish(LINE[2:])
    with pytest.raises(Denied, match="grant_beyond"):
        check_publish(person, old, new)
    opened = made.publish([object_doc("order", sharing="read")])
    with pytest.raises(Denied, match="grant_beyond"):
        check_publish(person, new, opened)
    closed = made.publish([object_doc("order")])
    check_publish(person, opened, closed)
