"""Publishing: everything of a draft is in force at once, or nothing is; what is long is a job."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from publishers import ADMIN, Publisher, a_field, open_publisher, text, thing
from publishers import publisher as publisher
from stores import stores as stores
from tabwright.metadata.drafts import Delete, Rename
from tabwright.platform.clock import FixedClock
from tabwright.platform.database import Stores, Writer, observe
from tabwright.platform.errors import Conflict, Invalid, LockTimeout
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.journal.tables import operations
from tabwright.runtime.publishing import engine, searching
from tabwright.runtime.storage import changes

OTHER = Principal(UUID(int=2), "other")
SIZE = text("size")


def test_a_new_tenant_has_the_base_package_as_its_first_release(publisher: Publisher) -> None:
    releases = publisher.publishing.list()
    assert [each.number for each in releases] == [1]
    assert {"user", "queue", "permission_assignment"} <= publisher.model.objects.keys()
    publisher.records.create("queue", {"name": "all"})


def test_tables_change_last_because_their_readers_wait_until_the_commit(publisher: Publisher) -> None:
    publisher.publish(*thing(SIZE))
    publisher.records.create("thing", {"name": "one", "size": "1"})
    publisher.draft(a_field("price", "currency"), Delete("field", "thing.size"))
    said: list[str] = []
    with observe(lambda how, text, count: said.append(text)):
        publisher.publishing.publish(ADMIN)
    altered = [text.startswith("ALTER TABLE") for text in said]
    rest = said[altered.index(True) + sum(altered) :]
    # What follows is the bell of the jobs in the control store, rung after the commit.
    assert all(re.search(r"^(UPDATE|INSERT INTO) (\S+\.)?due\b", text) for text in rest), rest


def test_an_object_of_five_fields_takes_records_at_once(publisher: Publisher) -> None:
    fields = [SIZE, a_field("day", "date"), a_field("price", "currency"), a_field("note", "long_text")]
    done = publisher.publish(*thing(*fields))
    assert (done.release, done.waiting, done.jobs) == (2, None, ())
    publisher.records.create("thing", {"name": "a", "price": "1.10", "note": "x"})
    assert publisher.values("thing", "name", "price", "note") == [("a", Decimal("1.10"), "x")]


def test_a_release_is_an_operation_of_the_journal(publisher: Publisher) -> None:
    publisher.publish(*thing())
    c = operations.c
    with publisher.store.read() as reader:
        query = sa.select(c.cause, c.release, c.principal_id).where(c.cause == "publish").order_by(c.release)
        rows = [tuple(row) for row in reader.execute(query)]
    assert rows == [("publish", 1, None), ("publish", 2, ADMIN.user_id)]


def test_the_draft_is_gone_when_it_is_published(publisher: Publisher) -> None:
    publisher.publish(*thing())
    with publisher.store.read() as reader:
        assert publisher.publishing.drafts.authors(reader) == ()
    with pytest.raises(Conflict) as caught:
        publisher.publish()
    assert caught.value.code == "publish.nothing"


def test_a_renamed_field_touches_no_table(publisher: Publisher) -> None:
    publisher.publish(*thing(SIZE))
    publisher.records.create("thing", {"name": "a", "size": "xl"})
    before = publisher.physical().entries
    publisher.publish(Rename("field", "thing.size", "thing.width"))
    assert publisher.physical().entries == before
    assert publisher.values("thing", "width") == [("xl",)]


def test_a_dropped_field_comes_back_with_its_data(publisher: Publisher) -> None:
    publisher.publish(*thing(SIZE))
    publisher.records.create("thing", {"name": "a", "size": "xl"})
    publisher.draft(Delete("field", "thing.size"))
    plan = publisher.publishing.preview(ADMIN.user_id)
    assert [(each.says.code, each.count) for each in plan.consequences] == [("publish.field_dropped", 1)]
    publisher.publish()
    assert "size" not in publisher.model.objects["thing"].fields
    plan = publisher.publishing.preview_restore(2)
    assert [(each.says.code, each.count) for each in plan.consequences] == [("publish.field_restored", 1)]
    assert publisher.publishing.restore(ADMIN, 2).release == 4
    assert publisher.values("thing", "size") == [("xl",)]


def test_after_30_days_what_was_dropped_is_removed_for_good(stores: Stores) -> None:
    clock = FixedClock(datetime.now(UTC), step=timedelta(microseconds=10))
    with open_publisher(stores, clock) as publisher:
        publisher.publish(*thing(SIZE, a_field("note", "long_text")), *thing(name="other"))
        publisher.records.create("thing", {"name": "a", "size": "xl", "note": "long"})
        publisher.publish(
            Delete("field", "thing.size"), Delete("field", "thing.note"), Delete("object", "other")
        )
        clock.advance(timedelta(days=29))
        publisher.run_jobs()
        assert {e.state for e in publisher.physical().entries if e.kind == "field"} == {"live", "dropped"}
        clock.advance(timedelta(days=3))
        publisher.run_jobs()
        states = {e.state for e in publisher.physical().entries}
        assert states == {"live", "gone"}
        number = publisher.table("thing").number
        with publisher.store.read() as reader:
            inspector = sa.inspect(reader.connection)
            names = {each["name"] for each in inspector.get_columns(f"o{number}", publisher.store.schema)}
            tables = set(inspector.get_table_names(publisher.store.schema))
        live = [e for e in publisher.physical().of_object(number) if e.state == "live"]
        assert {name for name in names if name[0] in "fsu" and name[1:].isdigit()} == {
            name for e in live for name in e.columns
        }
        gone = [e.n for e in publisher.physical().entries if e.kind == "object" and e.state == "gone"]
        assert len(gone) == 1 and f"o{gone[0]}" not in tables
        publisher.publishing.restore(ADMIN, 2)
        assert publisher.values("thing", "name", "size", "note") == [("a", None, None)]


def test_the_plan_of_a_type_change_counts_and_lists(publisher: Publisher) -> None:
    publisher.publish(*thing(SIZE))
    for size in ("1", "2.5", "x", None):
        publisher.records.create("thing", {"name": "a", "size": size})
    publisher.draft(a_field("size", "decimal", options={"precision": 5, "scale": 0}))
    plan = publisher.publishing.preview(ADMIN.user_id)
    told = {each.says.code: each for each in plan.consequences}
    assert {code: each.count for code, each in told.items()} == {
        "publish.values_lost": 1,
        "publish.values_change": 1,
        "publish.values_convert": 2,
    }
    assert [each.value for each in told["publish.values_lost"].examples] == ["x"]
    assert publisher.publish().lost == {"thing.size": 1}
    assert publisher.values("thing", "size") == [(Decimal(1),), (Decimal(3),), (None,), (None,)]
    publisher.publishing.restore(ADMIN, 2)
    assert publisher.values("thing", "size") == [("1",), ("2.5",), ("x",), (None,)]


def test_the_plan_counts_what_a_stricter_field_refuses(publisher: Publisher) -> None:
    values = [{"code": "a", "label": {"en": "A"}}, {"code": "b", "label": {"en": "B"}}]
    kind = a_field("stage", "picklist", options={"values": values})
    publisher.publish(*thing(SIZE, kind))
    for row in ({"size": "abcdef", "stage": "a"}, {"size": None, "stage": "b"}):
        publisher.records.create("thing", {"name": "a", **row})
    publisher.draft(
        text("size", required=True, options={"max_length": 3}),
        a_field("stage", "picklist", options={"values": values[:1]}),
        text("extra", required=True),
    )
    plan = publisher.publishing.preview(ADMIN.user_id)
    found = {(each.says.code, each.says.params["field"], each.count) for each in plan.consequences}
    assert found == {
        ("publish.required_blank", "size", 1),
        ("publish.required_blank", "extra", 2),
        ("publish.too_long", "size", 1),
        ("publish.values_not_listed", "stage", 1),
    }


def test_a_unique_rule_that_records_break_is_counted_and_refused(publisher: Publisher) -> None:
    publisher.publish(*thing(SIZE))
    for size in ("x", "X", "y", "y", None, None):
        publisher.records.create("thing", {"name": "a", "size": size})
    before = publisher.physical().entries
    for unique, groups in ((True, 1), ("ignore_case", 2)):
        publisher.draft(text("size", unique=unique))
        plan = publisher.publishing.preview(ADMIN.user_id)
        found = [(each.says.code, each.count) for each in plan.consequences]
        assert found == [("publish.unique_clashes", groups), ("publish.tells_unique", 0)]
        with pytest.raises(Conflict) as caught:
            publisher.publish()
        assert caught.value.code == "publish.unique_broken"
        assert publisher.model.release == 2 and publisher.physical().entries == before


def test_the_plan_tells_who_gains_and_who_loses(publisher: Publisher) -> None:
    rights = {"objects": {"thing": ["read"]}, "fields": {"thing": {"*": "read"}}}
    sales = {"kind": "permission_set", "name": "sales", "label": {"en": "Sales"}, **rights}
    publisher.publish(*thing(SIZE), sales)
    uid = next(each.uid for each in publisher.model.permission_sets.values() if each.name == "sales")
    for n in range(3):
        user = publisher.records.create("user", {"name": f"u{n}", "address": f"u{n}@x.com", "active": n < 2})
        publisher.records.create("permission_assignment", {"user": user.id, "permission_set": uid})
    publisher.draft(
        {**sales, "objects": {"thing": ["edit"]}, "fields": {"thing": {"*": "edit", "size": "none"}}}
    )
    found = {
        (each.right, each.gain, each.lose) for each in publisher.publishing.preview(ADMIN.user_id).shifts
    }
    assert ("edit", 2, 0) in found and ("read:size", 0, 2) in found and ("edit:name", 2, 0) in found
    assert not any(right == "read" for right, _, _ in found)


def test_two_admins_who_change_different_things_both_publish(publisher: Publisher) -> None:
    publisher.publish(*thing(SIZE))
    publisher.draft(text("mine"))
    publisher.draft(text("theirs"), author=OTHER)
    assert publisher.publish().release == 3
    assert publisher.publish(author=OTHER).release == 4
    assert {"mine", "theirs"} <= publisher.model.objects["thing"].fields.keys()


def test_two_admins_who_change_one_thing_clash(publisher: Publisher) -> None:
    publisher.publish(*thing(SIZE))
    publisher.draft(text("size", label={"en": "Mine"}) | {"label": {"en": "Mine"}})
    publisher.draft(text("size") | {"label": {"en": "Theirs"}}, author=OTHER)
    publisher.publish()
    with pytest.raises(Conflict) as caught:
        publisher.publish(author=OTHER)
    assert caught.value.code == "draft.clash" and caught.value.faults[0].place.pointer == "/label/en"
    assert publisher.model.objects["thing"].fields["size"].labels == {"en": "Mine"}


def test_who_looked_at_an_older_release_is_told(publisher: Publisher) -> None:
    publisher.publish(*thing(SIZE))
    publisher.draft(text("mine"))
    plan = publisher.publishing.preview(ADMIN.user_id)
    publisher.publish(text("theirs"), author=OTHER)
    with pytest.raises(Conflict) as caught:
        publisher.publishing.publish(ADMIN, expected=plan.release)
    assert caught.value.code == "publish.moved"
    assert publisher.publishing.publish(ADMIN, expected=plan.release + 1).release == 4


def test_publishers_at_the_same_moment_each_get_a_release_and_lose_nothing(publisher: Publisher) -> None:
    publisher.publish(*thing())
    authors = [Principal(UUID(int=100 + n), f"a{n}") for n in range(4)]
    failed: list[BaseException] = []

    def work(author: Principal) -> None:
        try:
            for n in range(3):
                publisher.publish(text(f"f{author.user_id.int}_{n}"), author=author)
        except BaseException as error:  # told by the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=work, args=(author,)) for author in authors]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []
    assert publisher.model.release == 2 + 12
    names = set(publisher.model.objects["thing"].fields)
    assert {f"f{author.user_id.int}_{n}" for author in authors for n in range(3)} <= names


def test_faults_of_the_documents_are_all_in_the_plan(publisher: Publisher) -> None:
    publisher.draft(*thing(a_field("a", "lookup", options={"target": "nothing"}), text("b", default="1 +")))
    plan = publisher.publishing.preview(ADMIN.user_id)
    assert not plan.publishable and len(plan.faults) >= 2
    with pytest.raises(Invalid):
        publisher.publish()
    assert publisher.model.release == 1


def test_a_publish_that_fails_at_its_end_leaves_nothing(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish(*thing(SIZE))
    before = publisher.physical().entries

    def fail(*given: Any) -> None:
        raise RuntimeError("at the end")

    monkeypatch.setattr(engine, "add_operation", fail)
    with pytest.raises(RuntimeError):
        publisher.publish(text("more"), *thing(name="other"))
    monkeypatch.undo()
    assert publisher.physical().entries == before and publisher.model.release == 2
    assert publisher.publish().release == 3


def test_an_object_in_use_is_waited_for_and_named(
    publisher: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    if publisher.store.dialect == "sqlite":
        pytest.skip("on SQLite readers never hold a publish up")
    monkeypatch.setattr(engine, "TRIES", 2)
    publisher.publish(*thing(SIZE))
    table = publisher.table("thing")
    with publisher.store.write() as writer:
        writer.execute(sa.select(table.id))
        with pytest.raises(LockTimeout) as caught:
            publisher.publish(text("more"))
    assert caught.value.code == "storage.locked" and caught.value.faults[0].params == {"object": "thing"}
    assert publisher.publish().release == 3


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of two rows are large ones."""
    for module, name in ((changes, "DATA_ROWS"), (changes, "INDEX_ROWS"), (searching, "DATA_ROWS")):
        monkeypatch.setattr(module, name, 1)


def some_things(publisher: Publisher, count: int = 5) -> None:
    for n in range(count):
        publisher.records.create("thing", {"name": f"n{n}", "size": str(n)})


def test_a_large_type_change_is_prepared_and_then_in_force_at_once(
    publisher: Publisher, large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish(*thing(SIZE))
    some_things(publisher)
    publisher.draft(a_field("size", "integer"), text("more"))
    assert publisher.publishing.preview(ADMIN.user_id).waits
    done = publisher.publish()
    assert done.waiting is not None and done.release == 2
    assert publisher.model.objects["thing"].fields["size"].type == "text"
    # While it is being prepared records are written; the last one after everything was filled.
    from tabwright.runtime.publishing.building import Builder

    convert = Builder._convert

    def and_write(self: Builder, run: Any, step: Any) -> None:
        convert(self, run, step)
        publisher.records.create("thing", {"name": "late", "size": "77"})
        first = publisher.values("thing", "id")[0][0]
        publisher.records.update("thing", first, {"size": "1000"})

    monkeypatch.setattr(Builder, "_convert", and_write)
    assert publisher.run_jobs() >= 1
    assert publisher.model.objects["thing"].fields["size"].type == "integer"
    assert "more" in publisher.model.objects["thing"].fields
    expected = [Decimal(1000), *map(Decimal, (1, 2, 3, 4)), Decimal(77)]
    assert [value for (value,) in publisher.values("thing", "size")] == expected
    assert not [e for e in publisher.physical().entries if e.state == "building"]
    with publisher.store.read() as reader:
        job = publisher.tenant.jobs.get(reader, done.waiting)
        assert job.state == "done" and job.result["release"] == publisher.model.release
        assert publisher.publishing.drafts.authors(reader) == ()


def test_what_others_publish_while_a_release_is_prepared_is_in_it(publisher: Publisher, large: None) -> None:
    publisher.publish(*thing(SIZE))
    some_things(publisher)
    publisher.publish(a_field("size", "integer"))
    publisher.publish(text("theirs"), author=OTHER)
    publisher.run_jobs()
    fields = publisher.model.objects["thing"].fields
    assert fields["size"].type == "integer" and "theirs" in fields


def test_a_large_unique_rule_is_in_force_only_when_it_holds(publisher: Publisher, large: None) -> None:
    publisher.publish(*thing(SIZE))
    some_things(publisher)
    publisher.publish(text("size", unique="ignore_case"))
    assert not publisher.model.objects["thing"].unique_rules
    publisher.run_jobs()
    assert publisher.model.objects["thing"].unique_rules
    with pytest.raises((Conflict, Invalid)):
        publisher.records.create("thing", {"name": "again", "size": "1"})


def test_a_large_unique_rule_that_records_break_fails_its_job(publisher: Publisher, large: None) -> None:
    publisher.publish(*thing(SIZE))
    some_things(publisher)
    some_things(publisher)
    done = publisher.publish(text("size", unique=True))
    assert done.waiting is not None
    publisher.run_jobs()
    with publisher.store.read() as reader:
        job = publisher.tenant.jobs.get(reader, done.waiting)
    assert job.error["faults"][0]["code"] == "publish.unique_broken"
    assert publisher.model.release == 2


def test_the_plan_says_before_it_that_an_index_makes_writers_wait(publisher: Publisher, large: None) -> None:
    publisher.publish(*thing(SIZE))
    some_things(publisher)
    there = len(publisher.values("thing", "name"))
    publisher.draft(a_field("parent", "lookup", options={"target": "thing"}))
    plan = publisher.publishing.preview(ADMIN.user_id)
    said = [each for each in plan.consequences if each.says.code == "publish.writers_wait"]
    if publisher.store.dialect == "postgresql":
        assert said == []  # built concurrently
        return
    assert [(each.weight, each.count) for each in said] == [("warning", there)]
    assert said[0].says.params["indexes"] == 1 and said[0].says.params["seconds"] == 1
    publisher.publish()
    publisher.run_jobs()
    publisher.draft(a_field("other", "integer"))
    after = publisher.publishing.preview(ADMIN.user_id)
    assert "publish.writers_wait" not in [each.says.code for each in after.consequences]


def test_sort_keys_indexes_and_search_rows_of_large_tables_follow_the_release(
    publisher: Publisher, large: None
) -> None:
    publisher.publish(*thing(SIZE))
    some_things(publisher)
    view = {"kind": "list_view", "name": "thing.by_size", "label": {"en": "x"}, "columns": ["name", "size"]}
    done = publisher.publish(
        text("size", sortable=True, searchable=True),
        view | {"order": [["size", "asc"]], "where": 'size = "1"'},
        a_field("parent", "lookup", options={"target": "thing"}),
    )
    assert done.release == 3 and len(done.jobs) == 1
    release = publisher.publishing.list()[0]
    assert {each["step"].split()[0] for each in release.building["steps"]} == {"key", "index", "search"}
    publisher.run_jobs()
    table = publisher.table("thing")
    column = table.sort_column("size")
    assert column is not None
    with publisher.store.read() as reader:
        keys = reader.execute(sa.select(column).order_by(table.id)).scalars().all()
        inspector = sa.inspect(reader.connection)
        indexes = {each["name"] for each in inspector.get_indexes(f"o{table.number}", publisher.store.schema)}
    assert keys == [f"{n}\x01{n}" for n in range(5)]
    live = [entry for entry in publisher.physical().of_object(table.number, "index") if entry.state == "live"]
    assert {f"i{entry.n}" for entry in live} <= indexes
    lists = [entry.storage["spec"]["terms"] for entry in live if entry.uid.endswith(":list")]
    size = table.entries["size"].n
    listed = {tuple(term[0] for term in terms) for terms in lists}
    assert listed == {(f"f{size}", f"s{size}", "id", "owner_id"), ("updated_at", "id", "owner_id")}
    assert publisher.publishing.list()[0].building == {}


def test_a_cancelled_preparation_leaves_no_columns(publisher: Publisher, large: None) -> None:
    publisher.publish(*thing(SIZE))
    some_things(publisher)
    done = publisher.publish(a_field("size", "integer"))
    assert done.waiting is not None

    def cancel(writer: Writer) -> None:
        assert done.waiting is not None
        publisher.tenant.jobs.cancel(writer, done.waiting)

    with publisher.store.write() as writer:
        cancel(writer)
    publisher.run_jobs()
    assert publisher.model.release == 2
    assert publisher.publish().waiting is not None  # the draft is still there, and may be published again
