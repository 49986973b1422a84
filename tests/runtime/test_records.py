"""Writing records, on both databases: values, access, rules, uniqueness, the recycle bin."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from threading import Event, Thread, current_thread, main_thread
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from tabwright.platform.database import observe
from tabwright.platform.errors import Conflict, Denied, Invalid, LimitReached, NotFound, Stale, TabwrightError
from tabwright.platform.language import messages, say_fault
from tabwright.runtime.records import recycling
from tabwright.runtime.records.batch import Batch, Intent, Work
from tabwright.runtime.records.hooks import STAGES
from tabwright.runtime.records.service import Records
from world import World, field_doc, object_doc

Make = Callable[..., World]

VALUES = [
    {"code": "tech", "label": {"en": "Tech", "zh": "科技"}},
    {"code": "bank", "label": {"en": "Bank", "zh": "银行"}},
    {"code": "old", "label": {"en": "Old", "zh": "旧"}},
]
ACCOUNT = [
    object_doc("account", sharing="private"),
    field_doc("account.name", "text", required=True, searchable=True, sortable=True),
    field_doc("account.industry", "picklist", options={"values": VALUES}),
    field_doc("account.revenue", "currency", options={"precision": 16, "scale": 2, "currency": "CNY"}),
    field_doc("account.vip", "boolean"),
    field_doc("account.credit_code", "text", unique="ignore_case"),
    field_doc("account.notes", "long_text"),
    field_doc("account.parent", "lookup", options={"target": "account"}),
    field_doc("account.number", "auto_number", options={"pattern": "A-{YYYY}-{0000}"}),
    field_doc("account.discount", "percent", options={"precision": 5, "scale": 2}, default="0.05"),
]
CONTACT = [
    object_doc("contact", sharing="read"),
    field_doc("contact.name", "text", required=True),
    field_doc("contact.account", "lookup", options={"target": "account", "on_delete": "cascade"}),
    field_doc("contact.former", "lookup", options={"target": "account"}),
    field_doc("contact.email", "email", external_key=True, unique=True),
    field_doc("contact.origin", "text", read_only_after_create=True),
    {
        "kind": "unique_rule",
        "name": "contact.account_name",
        "label": {"en": "Once per account"},
        "fields": ["account", "name"],
        "ignore_case": True,
    },
]
DEAL = [
    object_doc("deal", sharing="edit"),
    field_doc("deal.name", "text", required=True),
    field_doc("deal.account", "lookup", options={"target": "account", "on_delete": "restrict"}),
    field_doc("deal.stage", "text"),
    {
        "kind": "validation_rule",
        "name": "deal.rich",
        "label": {"en": "Rich"},
        "condition": "account.revenue < 100",
        "message": {"en": "Too small", "zh": "太小"},
        "field": "account",
    },
    {
        "kind": "validation_rule",
        "name": "deal.forward",
        "label": {"en": "Forward"},
        "condition": 'AND(NOT(ISNEW()), PRIORVALUE(stage) = "won", stage <> "won")',
        "message": {"en": "Won stays won", "zh": "赢单不可退回"},
        "field": "stage",
    },
]
REP = {
    "kind": "permission_set",
    "name": "rep",
    "label": {"en": "Rep"},
    "objects": {
        "account": ["create", "read", "edit", "delete"],
        "contact": ["create", "read", "edit", "delete"],
        "deal": ["read"],
    },
    "fields": {"account": {"*": "edit", "revenue": "none", "discount": "read"}, "contact": {"*": "edit"}},
}
DOCUMENTS = [*ACCOUNT, *CONTACT, *DEAL, REP]


def codes(error: TabwrightError) -> list[tuple[str, str | None]]:
    for fault in error.faults:
        for language in ("zh", "en"):
            assert "{" not in say_fault(fault, language), (fault, language)
            assert fault.code in messages()
    return [(fault.code, fault.place.field) for fault in error.faults]


def test_a_record_is_created_read_back_and_changed_field_by_field(world: Make) -> None:
    w = world(DOCUMENTS)
    saved = w.records.create(
        "account",
        {"name": " 重庆银行 ", "industry": "bank", "revenue": "1234.565", "vip": "是", "notes": "长" * 5000},
    )
    found = w.values("account", saved.id)
    assert found["name"] == "重庆银行" and found["revenue"] == Decimal("1234.57") and found["vip"] is True
    assert found["notes"] == "长" * 5000 and found["number"] == "A-2026-0001"
    assert found["discount"] == Decimal("5.00") and found["credit_code"] is None
    assert saved.revision == 1 == found["revision"]

    changed = w.records.update("account", saved.id, {"notes": None, "vip": None})
    found = w.values("account", saved.id)
    assert changed.revision == 2 and found["notes"] is None and found["vip"] is False
    assert found["name"] == "重庆银行"
    again = w.records.update("account", saved.id, {"name": "重庆银行", "vip": "0"})
    assert not again.changed and again.revision == 2
    assert w.records.update("account", saved.id, {"notes": "x"}).revision == 3
    assert w.values("account", saved.id)["notes"] == "x"


def test_every_stage_runs_in_its_order_and_hooks_take_part(world: Make) -> None:
    w = world(DOCUMENTS)
    seen: list[str] = []

    def before(batch: Batch, work: Work) -> None:
        seen.append(f"before {batch.object.name}")
        for row in batch.good:
            if row.new is not None and batch.object.name == "account":
                row.new["credit_code"] = "FROM-RULE"

    def after(batch: Batch, work: Work) -> None:
        seen.append(f"after {batch.object.name}")
        if batch.object.name == "account":
            work.nested("rule", "contact", [Intent("create", values={"name": "made by a rule"})])

    w.tenant.hooks.register("before_rules", before)
    w.tenant.hooks.register("after_rules", after)
    with pytest.raises(KeyError):
        w.tenant.hooks.register("write", after)
    done = w.records.create("account", {"name": "a"})
    assert tuple(name for name, _ in done.trace) == STAGES
    assert seen == ["before account", "after account", "before contact", "after contact"]
    assert w.values("account", done.id)["credit_code"] == "FROM-RULE"
    assert w.count("contact") == 1


def test_all_faults_come_at_once_and_nothing_is_written(world: Make) -> None:
    w = world(DOCUMENTS)
    with pytest.raises(Invalid) as error:
        w.records.create("account", {"revenue": "x", "industry": "nope", "vip": 7, "nome": 1})
    assert sorted(codes(error.value)) == [
        ("field.unknown_near", "nome"),
        ("value.not_boolean", "vip"),
        ("value.not_in_list", "industry"),
        ("value.not_number", "revenue"),
        ("value.required", "name"),
    ]
    assert w.count("account") == 0


def test_one_bad_row_stops_all_or_only_itself(world: Make) -> None:
    w = world(DOCUMENTS)
    intents = [Intent("create", values={"name": f"n{n}", "revenue": "x" if n == 3 else n}) for n in range(5)]
    with pytest.raises(Invalid) as error:
        w.records.apply("account", intents)
    assert [fault.place.row for fault in error.value.faults] == [4]
    assert w.count("account") == 0
    outcome = w.records.apply_each("account", intents)
    assert [row.outcome for row in outcome.rows] == ["created"] * 3 + ["failed", "created"]
    assert outcome.failed[0].faults[0].code == "value.not_number" and w.count("account") == 4
    rehearsed = w.records.rehearse("account", intents)
    assert [row.outcome for row in rehearsed.rows] == [row.outcome for row in outcome.rows]
    assert w.count("account") == 4
    with pytest.raises(LimitReached):
        w.records.apply("account", [intents[0]] * 10_001)


def test_rules_see_related_records_and_prior_values_and_speak_the_callers_language(world: Make) -> None:
    w = world(DOCUMENTS)
    small = w.records.create("account", {"name": "small", "revenue": 5}).id
    rich = w.records.create("account", {"name": "rich", "revenue": 500}).id
    chinese = Records(w.call_as(w.call.principal, language="zh"))
    with pytest.raises(Invalid) as error:
        chinese.create("deal", {"name": "d", "account": small})
    assert codes(error.value) == [("record.rule", "account")]
    assert say_fault(error.value.faults[0], "zh") == "太小"
    deal = w.records.create("deal", {"name": "d", "account": rich, "stage": "won"}).id
    with pytest.raises(Invalid) as error:
        w.records.update("deal", deal, {"stage": "lost"})
    assert codes(error.value) == [("record.rule", "stage")]


def test_unique_values_clash_in_the_store_in_the_batch_and_after_a_restore(world: Make) -> None:
    w = world(DOCUMENTS)
    first = w.records.create("account", {"name": "a", "credit_code": "Äb1"}).id
    with pytest.raises(Conflict) as error:
        w.records.create("account", {"name": "b", "credit_code": "äB1"})
    assert codes(error.value) == [("unique.taken", "credit_code")]
    assert error.value.faults[0].params["other"] == str(first)
    assert say_fault(error.value.faults[0], "zh").endswith("与“a”重复")  # by its name: ids say nothing
    both = [Intent("create", values={"name": "x", "credit_code": "same"})] * 2
    outcome = w.records.apply_each("account", both)
    assert [row.outcome for row in outcome.rows] == ["created", "failed"]
    assert outcome.failed[0].faults[0].code == "unique.in_batch"
    # Blank never clashes with blank; a record does not clash with itself.
    w.records.create("account", {"name": "c"})
    w.records.create("account", {"name": "d", "credit_code": ""})
    assert w.records.update("account", first, {"credit_code": "ÄB1"}).changed
    w.records.delete("account", first)
    second = w.records.create("account", {"name": "e", "credit_code": "äb1"}).id
    with pytest.raises(Conflict) as error:
        w.records.restore("account", first)
    assert codes(error.value) == [("unique.taken", "credit_code")]
    w.records.update("account", second, {"credit_code": "free"})
    assert w.records.restore("account", first).revision == 4


def test_a_lookup_takes_only_what_its_filter_lets_through(world: Make) -> None:
    vips = {"target": "account", "filter": 'AND(vip, parent.name = "head", owner = $user.id)'}
    w = world([*DOCUMENTS, field_doc("contact.vip_account", "lookup", options=vips)])
    ann = w.user("ann", "rep")
    records = Records(w.call_as(ann))
    head = records.create("account", {"name": "head"}).id
    good = records.create("account", {"name": "good", "vip": True, "parent": head}).id
    assert records.create("contact", {"name": "a", "vip_account": good}).changed
    for wrong in (head, records.create("account", {"name": "x", "vip": True}).id):
        with pytest.raises(Invalid) as error:
            records.create("contact", {"name": "b", "vip_account": wrong})
        assert codes(error.value) == [("value.filtered_out", "vip_account")]


def test_two_writers_of_one_key_at_once_leave_one_record(world: Make) -> None:
    w = world(DOCUMENTS)
    first, second = Event(), Event()
    outcomes: list[Any] = []

    def hold(batch: Batch, work: Work) -> None:
        # Both have looked and found the key free before either writes; SQLite lets one in at a time.
        if w.store.dialect == "postgresql" and current_thread() is not main_thread():
            (first if not first.is_set() else second).set()
            assert first.wait(20) and second.wait(20)

    w.tenant.hooks.register("duplicates", hold)

    def write() -> None:
        intents = [
            Intent("create", values={"name": "n", "credit_code": "key"}),
            Intent("create", values={"name": "other"}),
        ]
        outcomes.append(w.records.apply_each("account", intents))

    threads = [Thread(target=write) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome.count("created") for outcome in outcomes) == [1, 2]
    assert [row.faults[0].code for outcome in outcomes for row in outcome.failed] == ["unique.taken"]
    assert w.count("account") == 3


def test_nobody_refers_to_a_record_that_is_deleted_at_the_same_moment(world: Make) -> None:
    w = world(DOCUMENTS)
    if w.store.dialect == "sqlite":
        pytest.skip("SQLite has one writer")
    account = w.records.create("account", {"name": "a", "revenue": 500}).id
    named, deleted = Event(), Event()
    waiting = sa.text(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid"
    )

    def hold(batch: Batch, work: Work) -> None:
        if batch.object.name != "deal":
            return
        named.set()
        for _ in range(2000):  # until the other one stands at our lock
            if work.writer.execute(waiting).scalar_one():
                return
            deleted.wait(0.01)
        raise AssertionError("the delete did not wait")

    w.tenant.hooks.register("duplicates", hold)
    errors: list[TabwrightError] = []

    def delete() -> None:
        assert named.wait(20)
        try:
            w.records.delete("account", account)
        except TabwrightError as error:
            errors.append(error)
        deleted.set()

    thread = Thread(target=delete)
    thread.start()
    w.records.create("deal", {"name": "d", "account": account})
    thread.join()
    assert [error.code for error in errors] == ["record.in_use"] and w.count("account") == 1


def test_a_rule_over_several_fields_counts_a_blank_as_a_value(world: Make) -> None:
    w = world(DOCUMENTS)
    account = w.records.create("account", {"name": "a"}).id
    w.records.create("contact", {"name": "Ann", "account": account})
    w.records.create("contact", {"name": "Ann"})
    for values in ({"name": "ANN", "account": account}, {"name": "ann"}):
        with pytest.raises(Conflict) as error:
            w.records.create("contact", values)
        assert error.value.faults[0].code == "unique.taken"


def test_who_may_not_see_a_record_cannot_find_it_by_any_write(world: Make) -> None:
    w = world(DOCUMENTS)
    ann, bob = w.user("ann", "rep"), w.user("bob", "rep")
    mine = Records(w.call_as(ann)).create("account", {"name": "Ann's", "credit_code": "K1"}).id
    bobs = Records(w.call_as(bob))
    attempts: list[Callable[[], Any]] = [
        lambda: bobs.update("account", mine, {"name": "x"}),
        lambda: bobs.delete("account", mine),
        lambda: bobs.update("account", uuid4(), {"name": "x"}),
        lambda: bobs.update("account", "no id at all", {"name": "x"}),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    with pytest.raises(Conflict) as error:
        bobs.create("account", {"name": "b", "credit_code": "k1"})
    assert codes(error.value) == [("unique.not_allowed", "credit_code")]
    assert str(mine) not in str(error.value.faults)
    with pytest.raises(Invalid) as invalid:
        bobs.create("contact", {"name": "c", "account": mine})
    assert codes(invalid.value) == [("value.no_such_record", "account")]
    # A field that may not be read is answered like one that does not exist.
    with pytest.raises(Invalid) as hidden:
        bobs.create("account", {"name": "b", "revenue": 5})
    with pytest.raises(Invalid) as missing:
        bobs.create("account", {"name": "b", "revenew": 5})
    assert codes(hidden.value)[0][0] == codes(missing.value)[0][0] == "field.unknown"
    with pytest.raises(Invalid) as read_only:
        bobs.create("account", {"name": "b", "discount": 5})
    assert codes(read_only.value) == [("field.read_only", "discount")]
    with pytest.raises(Denied):
        bobs.create("deal", {"name": "d"})
    assert w.values("account", mine)["name"] == "Ann's" and w.count("account") == 1


def test_ownership_is_given_away_by_its_owner_only(world: Make) -> None:
    w = world(DOCUMENTS)
    ann, bob = w.user("ann", "rep"), w.user("bob", "rep")
    anns = Records(w.call_as(ann))
    contact = anns.create("contact", {"name": "c"}).id
    assert w.values("contact", contact)["owner"] == ann.user_id
    assert anns.update("contact", contact, {"owner": str(bob.user_id)}).changed
    with pytest.raises(Denied):
        anns.update("contact", contact, {"owner": ann.user_id})
    queue = w.records.create("queue", {"name": "Pool"}).id
    assert Records(w.call_as(bob)).update("contact", contact, {"owner": queue}).changed
    with pytest.raises(Invalid):
        w.records.update("contact", contact, {"owner": uuid4()})


def test_the_second_save_hears_what_the_first_one_did(world: Make) -> None:
    w = world(DOCUMENTS)
    id = w.records.create("account", {"name": "a", "industry": "tech", "revenue": 1}).id
    w.records.update("account", id, {"name": "b"})
    w.records.update("account", id, {"name": "c", "revenue": 2})
    # Other fields merge; the same field with another value does not.
    assert w.records.update("account", id, {"industry": "bank"}, seen=1).revision == 4
    with pytest.raises(Conflict) as clash:
        w.records.update("account", id, {"name": "mine", "industry": "bank"}, seen=1)
    (fault,) = clash.value.faults
    assert (fault.place.field, fault.params["current"], fault.params["actual"], fault.params["original"]) == (
        "name", "mine", "c", "a",
    )  # fmt: skip
    with pytest.raises(Stale) as stale:
        w.records.update("account", id, {"vip": True}, revision=1)
    assert stale.value.faults[0].code == "record.stale" and stale.value.faults[0].params["revision"] == 4
    assert w.records.update("account", id, {"vip": True}, revision=4).revision == 5
    assert w.values("account", id)["name"] == "c"


def test_an_upsert_finds_by_key_or_creates(world: Make) -> None:
    w = world(DOCUMENTS)
    intents = [
        Intent("upsert", values={"name": "A"}, key=("email", "a@example.com")),
        Intent("upsert", values={"name": "B"}, key=("email", "b@example.com")),
        Intent("upsert", values={"name": "B2"}, key=("email", "b@EXAMPLE.com")),
        Intent("upsert", values={"name": "C"}, key=("name", "x")),
        Intent("upsert", values={"name": "D"}, key=("email", " ")),
        Intent("upsert", values={"name": "E"}),
    ]
    outcome = w.records.apply_each("contact", intents)
    assert [row.outcome for row in outcome.rows] == ["created"] * 2 + ["failed"] * 4
    assert [row.faults[0].code for row in outcome.failed] == [
        "record.twice", "record.not_a_key", "record.key_blank", "record.no_key",
    ]  # fmt: skip
    again = w.records.apply_each("contact", intents[:2])
    assert [row.outcome for row in again.rows] == ["unchanged"] * 2
    saved = w.records.upsert("contact", ("email", "a@example.com"), {"name": "AA"})
    assert saved.id == outcome.rows[0].id and saved.revision == 2
    number = w.values("account", w.records.create("account", {"name": "n"}).id)["number"]
    assert w.records.upsert("account", ("number", number), {"name": "m"}).revision == 2
    with pytest.raises(TabwrightError):
        w.records.upsert("account", ("number", "A-1999-0001"), {"name": "m"})


def test_values_that_are_no_longer_given_stay_on_old_records(world: Make) -> None:
    w = world(DOCUMENTS)
    id = w.records.create("account", {"name": "a", "industry": "old"}).id
    values = [{**each, "active": each["code"] != "old"} for each in VALUES]
    w.publish([field_doc("account.industry", "picklist", options={"values": values})])
    assert w.records.update("account", id, {"name": "b", "industry": "old"}).changed
    with pytest.raises(Invalid) as error:
        w.records.create("account", {"name": "c", "industry": "old"})
    assert codes(error.value) == [("value.inactive", "industry")]
    w.records.update("account", id, {"industry": "tech"})
    with pytest.raises(Invalid):
        w.records.update("account", id, {"industry": "old"})


def test_a_delete_follows_the_lookups_and_a_restore_brings_all_of_it_back(world: Make) -> None:
    w = world(DOCUMENTS)
    account = w.records.create("account", {"name": "a", "revenue": 500}).id
    child = w.records.create("account", {"name": "child", "parent": account}).id
    inside = w.records.create("contact", {"name": "in", "account": account}).id
    former = w.records.create("contact", {"name": "out", "former": account}).id
    deal = w.records.create("deal", {"name": "d", "account": account}).id
    with pytest.raises(Conflict) as error:
        w.records.delete("account", account)
    assert codes(error.value) == [("record.in_use", None)] and error.value.faults[0].params["count"] == 1
    assert w.count("account") == 2 and w.count("contact") == 2
    w.records.delete("deal", deal)
    w.records.delete("account", account)
    assert w.count("account") == 1 and w.count("contact") == 1
    assert w.values("contact", former)["former"] is None and w.values("account", child)["parent"] is None
    with pytest.raises(NotFound):
        w.records.update("account", account, {"name": "x"})
    with pytest.raises(NotFound):
        w.records.delete("account", account)
    w.records.restore("account", account)
    assert w.count("account") == 2 and w.count("contact") == 2
    assert (
        w.values("contact", former)["former"] == account and w.values("account", child)["parent"] == account
    )
    assert w.values("contact", inside)["account"] == account
    with pytest.raises(Invalid):
        w.records.restore("account", account)


def test_purging_is_for_good_and_needs_the_wide_right(world: Make) -> None:
    w = world(DOCUMENTS)
    ann = w.user("ann", "rep")
    id = Records(w.call_as(ann)).create("account", {"name": "a", "notes": "n"}).id
    with pytest.raises(Denied):
        Records(w.call_as(ann)).purge("account", id)
    with pytest.raises(Invalid):
        w.records.purge("account", id)
    w.records.delete("account", id)
    w.records.purge("account", id)
    assert w.count("account") == 0 == w.count("account", deleted=True)


@pytest.mark.parametrize(
    "text", ["'; DROP TABLE o1; --", '"\\', "%s %(x)s {0} :a ?", "<script>", "😀" * 60, "\t x"]
)
def test_hostile_text_comes_back_as_it_was(world: Make, text: str) -> None:
    w = world(DOCUMENTS)
    id = w.records.create("account", {"name": text, "credit_code": text, "notes": text}).id
    w.records.update("account", id, {"credit_code": text + "x"})
    found = w.values("account", id)
    assert (found["name"], found["notes"]) == (text.strip(), text.strip())
    assert found["credit_code"] == (text + "x").strip()
    with pytest.raises(Conflict):
        w.records.create("account", {"name": "n", "credit_code": text + "x"})


def test_a_chunk_costs_the_same_statements_for_one_record_and_for_a_thousand(world: Make) -> None:
    w = world(DOCUMENTS)
    parent = w.records.create("account", {"name": "p"}).id
    kinds: list[tuple[str, str]] = []

    def seen(how: str, text: str, rows: int) -> None:
        kinds.append(("execute" if how == "execute" else "many", text.split()[0]))

    def statements(run: Callable[[], Any]) -> int:
        kinds.clear()
        with observe(seen):
            run()
        assert {word for how, word in kinds if how == "many"} <= {"INSERT", "COPY"}
        return len(kinds)

    def create(count: int) -> Callable[[], Any]:
        name = uuid4().hex
        values = [
            {"name": f"{name}{n}", "credit_code": f"{name}{n}", "notes": "长", "parent": parent}
            for n in range(count)
        ]
        return lambda: w.records.apply("account", [Intent("create", values=each) for each in values])

    w.tenant.seal_asked = w.clock.now().replace(year=2100)  # its job is asked for by time, not by save
    statements(create(1))
    one, many = statements(create(1)), statements(create(1000))
    assert one == many
    ten = statements(create(10_000))
    # The operation's row is written once; all the rest is once per chunk.
    assert ten == 10 * (one - 1) + 1
    with w.store.read() as reader:
        table = w.table("account").main
        ids: list[UUID] = [row[0] for row in reader.execute(table.select().with_only_columns(table.c.id))]
    ids = [UUID(bytes=id) if isinstance(id, bytes) else id for id in ids]

    def update(count: int) -> Callable[[], Any]:
        mark = uuid4().hex
        intents = [Intent("update", id, {"name": mark, "notes": mark}) for id in ids[1 : count + 1]]
        return lambda: w.records.apply("account", intents)

    statements(update(1))
    assert statements(update(1)) == statements(update(1000))

    def delete(some: list[UUID]) -> Callable[[], Any]:
        return lambda: w.records.apply("account", [Intent("delete", id) for id in some])

    assert statements(delete(ids[1:2])) == statements(delete(ids[2:1002]))


def test_an_object_of_sixty_fields_saves_and_changes(world: Make) -> None:
    fields = [field_doc(f"wide.f{n}", "text" if n % 2 else "integer") for n in range(60)]
    w = world([object_doc("wide"), field_doc("wide.name", "text"), *fields])
    values: dict[str, Any] = {f"f{n}": f"值{n}" if n % 2 else n for n in range(60)}
    id = w.records.create("wide", {"name": "w", **values}).id
    found = w.values("wide", id)
    assert all(str(found[name]) == str(value) for name, value in values.items())
    w.records.update("wide", id, {f"f{n}": None for n in range(60)})
    assert all(value is None for name, value in w.values("wide", id).items() if name in values)


def test_the_bin_shows_ones_own_and_is_emptied_in_time(world: Make) -> None:
    w = world(DOCUMENTS)
    tenancy: Any = SimpleNamespace(open=lambda location: w.tenant, hooks=w.tenant.hooks)
    recycling.register(w.jobs, tenancy, w.clock, w.ids)
    ann, bob = w.user("ann", "rep"), w.user("bob", "rep")
    anns = Records(w.call_as(ann))
    first, second = (anns.create("account", {"name": name, "notes": "n"}).id for name in ("first", "second"))
    anns.delete("account", first)
    anns.delete("account", second)
    listed = recycling.recycle_bin(w.call_as(ann), "account")
    assert [(each.name, each.deleted_by) for each in listed] == [
        ("second", ann.user_id),
        ("first", ann.user_id),
    ]
    assert recycling.recycle_bin(w.call_as(bob), "account") == []
    with pytest.raises(Denied):
        recycling.recycle_bin(w.call_as(ann), "deal")
    anns.restore("account", second)
    with w.store.read() as reader:
        (job,) = [each for each in w.jobs.list(reader) if each.kind == recycling.KIND]
    w.clock.advance(timedelta(days=29))
    anns.delete("account", second)
    w.clock.advance(job.due_at - w.clock.now())
    while (run := w.jobs.claim(w.store, w.tenant.location, "test")) is not None:
        w.jobs.finish(run, w.jobs.handler(run.kind)(run))
    assert [each.name for each in recycling.recycle_bin(w.call, "account")] == ["second"]
