"""The journal: every change with its cause, sealed in a chain, read as history, taken back by undo."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from tabwright.platform.errors import Denied, NotFound
from tabwright.runtime.journal import sealer
from tabwright.runtime.journal.reading import history
from tabwright.runtime.journal.tables import changes, operations, partitions
from tabwright.runtime.journal.writing import record_event
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records
from world import World, field_doc, object_doc

Make = Callable[..., World]

DOCUMENTS = [
    object_doc("account", sharing="private"),
    field_doc("account.name", "text"),
    field_doc("account.amount", "currency", options={"precision": 16, "scale": 2, "currency": "CNY"}),
    field_doc("account.since", "date"),
    field_doc("account.seen", "datetime"),
    field_doc("account.vip", "boolean"),
    field_doc("account.parent", "lookup", options={"target": "account"}),
    object_doc("line"),
    field_doc("line.name", "text"),
    field_doc("line.account", "lookup", options={"target": "account", "on_delete": "cascade"}),
    {
        "kind": "permission_set",
        "name": "clerk",
        "label": {"en": "Clerk"},
        "objects": {"account": ["create", "read", "edit", "delete"]},
        "fields": {"account": {"*": "edit", "amount": "none"}},
    },
]


def rows(w: World, table: sa.Table) -> list[Any]:
    with w.store.read() as reader:
        return list(reader.execute(sa.select(table).order_by(*table.primary_key)).mappings())


def seal_all(w: World) -> int:
    count = 0
    with w.store.write() as writer:
        while found := sealer.seal(writer, w.clock.now()):
            count += found
    return count


def test_an_operation_and_its_changes_stand_with_the_write(world: Make) -> None:
    w = world(DOCUMENTS)
    ann = w.user("ann", "clerk")
    before = len(rows(w, operations))
    call = w.call_as(ann, "form")
    saved = Records(call).create("account", {"name": "a"})
    Records(call).update(
        "account", saved.id, {"name": "b", "since": "2026-01-31", "seen": "2026-01-31T08:00Z"}
    )
    Records(call).update("account", saved.id, {"since": None, "seen": None, "vip": True, "parent": saved.id})
    made = rows(w, operations)[before:]
    assert [(row["cause"], row["principal_id"], row["request_id"], row["release"]) for row in made] == [
        ("form", ann.user_id, "test-request", 1)
    ] * 3
    found = {row["revision"]: row for row in rows(w, changes) if row["record_id"] == saved.id}
    assert found[1]["action"] == "create" and found[1]["old"] is None
    number = w.table("account").field_number
    assert found[2]["old"] == f'[[{number("name")},"a"],[{number("since")},null],[{number("seen")},null]]'
    assert found[3]["old"] == (
        f'[[{number("since")},"2026-01-31"],[{number("seen")},1769846400000000],'
        f"[{number('vip')},false],[{number('parent')},null]]"
    )
    # A save that changes nothing leaves no trace, a refused one neither.
    Records(call).update("account", saved.id, {"vip": True})
    with pytest.raises(NotFound):
        Records(call).update("account", uuid4(), {"vip": True})
    assert len(rows(w, operations)) == before + 3


def test_history_shows_what_the_asker_may_read(world: Make) -> None:
    w = world(DOCUMENTS)
    ann, bob = w.user("ann", "clerk"), w.user("bob", "clerk")
    id = Records(w.call_as(ann)).create("account", {"name": "a"}).id
    w.records.update("account", id, {"name": "b", "amount": "5.50"})
    w.records.update("account", id, {"amount": 7})
    whole = history(w.call, "account", id)
    assert [(entry.action, entry.revision) for entry in whole] == [
        ("update", 3),
        ("update", 2),
        ("create", 1),
    ]
    amount = [
        (str(each.old), str(each.new)) for entry in whole for each in entry.fields if each.field == "amount"
    ]
    assert amount == [("5.50", "7.00"), ("None", "5.50")]
    narrow = history(w.call_as(ann), "account", id)
    assert [[(each.field, each.old, each.new) for each in entry.fields] for entry in narrow] == [
        [],
        [("name", "a", "b")],
        [],
    ]
    with pytest.raises(NotFound):
        history(w.call_as(bob), "account", id)


def test_the_sealer_gives_every_operation_one_place_and_the_chain_holds(world: Make) -> None:
    w = world(DOCUMENTS)
    ids = [w.records.create("account", {"name": f"n{n}"}).id for n in range(5)]
    first = seal_all(w)
    assert first == len(rows(w, operations)) and seal_all(w) == 0
    w.records.delete("account", ids[0])
    with w.store.write() as writer:
        record_event(w.call, writer, "export", {"rows": 3})
    assert seal_all(w) == 2
    positions = sorted(row["position"] for row in rows(w, operations))
    assert positions == list(range(1, first + 3))
    with w.store.read() as reader:
        assert sealer.verify(reader) is None
    with w.store.write() as writer:
        writer.execute(sa.update(operations).where(operations.c.position == first + 1).values(cause="form"))
    with w.store.read() as reader:
        assert sealer.verify(reader) == first + 1


def test_what_commits_late_is_sealed_later_and_never_skipped(world: Make) -> None:
    w = world(DOCUMENTS)
    if w.store.dialect == "sqlite":
        pytest.skip("SQLite has one writer: nothing commits late")
    seal_all(w)
    opened, go = threading.Event(), threading.Event()

    def slow() -> None:
        with w.store.write() as writer:
            object = w.model.objects["account"]
            w.records.apply_in(writer, object, [Intent("create", values={"name": "slow"})])
            opened.set()
            go.wait(20)

    thread = threading.Thread(target=slow)
    thread.start()
    assert opened.wait(20)
    w.records.create("account", {"name": "quick"})
    assert seal_all(w) == 1
    go.set()
    thread.join()
    assert seal_all(w) == 1
    assert {row["position"] for row in rows(w, operations)} == set(range(1, len(rows(w, operations)) + 1))
    with w.store.read() as reader:
        assert sealer.verify(reader) is None


def test_saves_ask_for_the_sealer_and_it_runs_as_a_job(world: Make) -> None:
    w = world(DOCUMENTS)
    w.clock.advance(timedelta(minutes=1))
    w.records.create("account", {"name": "a"})
    w.records.create("account", {"name": "b"})
    with w.store.read() as reader:
        waiting = [job for job in w.jobs.list(reader) if job.kind == sealer.KIND and not job.finished]
    assert len(waiting) == 1
    w.clock.advance(timedelta(minutes=1))
    run = w.jobs.claim(w.store, w.tenant.location, "test")
    assert run is not None
    w.jobs.finish(run, w.jobs.handler(run.kind)(run))
    assert all(row["position"] is not None for row in rows(w, operations))


def test_partitions_are_made_ahead(world: Make) -> None:
    w = world(DOCUMENTS)
    months = partitions(datetime(2026, 12, 5, tzinfo=UTC))
    assert [suffix for suffix, _, _ in months] == ["2026_12", "2027_01", "2027_02"]
    assert all(end == start for (_, _, end), (_, start, _) in zip(months, months[1:], strict=False))
    if w.store.dialect == "sqlite":
        return
    w.clock.advance(timedelta(days=400))
    w.records.create("account", {"name": "a"})
    seal_all(w)
    with w.store.read() as reader:
        names = set(
            reader.execute(
                sa.text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"),
                {"schema": w.store.schema},
            ).scalars()
        )
    month = w.clock.now()
    assert {
        f"journal_operation_{month:%Y_%m}",
        f"journal_change_{month:%Y_%m}",
        "journal_change_rest",
    } <= names
    # The fixed ids of this test are of a month that had no partition: sealing goes on with its rows where
    # they are.
    w.clock.advance(timedelta(days=-400))
    w.records.create("account", {"name": "b"})
    assert seal_all(w) == 1


def test_undo_takes_back_creates_updates_and_deletes_with_what_followed(world: Make) -> None:
    w = world(DOCUMENTS)
    keep = w.records.create("account", {"name": "keep", "amount": 1, "since": "2026-01-01"}).id
    made = w.records.apply("account", [Intent("create", values={"name": f"n{n}"}) for n in range(3)])
    touched = made.rows[1].id
    assert touched is not None and made.operation is not None
    w.records.update("account", touched, {"name": "edited since"})
    undone = w.records.undo(made.operation)
    assert w.count("account") == 2 and [fault.code for fault in undone.left] == ["record.edited_since"]
    assert w.values("account", touched)["name"] == "edited since"

    change = w.records.apply("account", [Intent("update", keep, {"amount": 9, "since": None, "vip": True})])
    assert change.operation is not None
    w.records.undo(change.operation)
    found = w.values("account", keep)
    assert (str(found["amount"]), str(found["since"]), found["vip"]) == ("1.00", "2026-01-01", False)
    assert found["revision"] == 3

    w.records.create("line", {"name": "l", "account": keep})
    gone = w.records.delete("account", keep)
    assert gone.operation is not None and w.count("line") == 0
    w.records.undo(gone.operation)
    assert w.count("line") == 1 and w.values("account", keep)["name"] == "keep"
    assert [entry.cause for entry in history(w.call, "account", keep)][:2] == ["undo", "api"]
    with pytest.raises(NotFound):
        w.records.undo(uuid4())


def test_undo_of_somebody_elses_operation_needs_the_wide_right(world: Make) -> None:
    w = world(DOCUMENTS)
    ann, bob = w.user("ann", "clerk"), w.user("bob", "clerk")
    saved = Records(w.call_as(ann)).create("account", {"name": "a"})
    assert saved.operation is not None
    with pytest.raises(Denied):
        Records(w.call_as(bob)).undo(saved.operation)
    assert w.count("account") == 1
    Records(w.call_as(ann)).undo(saved.operation)
    assert w.count("account") == 0


def test_ids_in_the_journal_name_their_month() -> None:
    from tabwright.runtime.journal.tables import first_id

    moment = datetime(2026, 2, 1, tzinfo=UTC)
    assert first_id(moment - timedelta(milliseconds=1)) < first_id(moment) < UUID(int=1 << 127)
