"""Stores on both databases: transactions, prepared statements, bulk inserts, errors in our words."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from stores import new_tenant_store, open_stores, settings_for
from tabwright.platform import tables
from tabwright.platform.database import Prepared, Store, Stores, Writer, observe, prepare
from tabwright.platform.errors import LimitReached, LockTimeout, StorageFull, Unavailable, UniqueViolation
from tabwright.platform.settings import Limits

CATALOGUE = sa.MetaData()
THING = sa.Table(
    "thing",
    CATALOGUE,
    sa.Column("id", tables.Uuid, primary_key=True),
    sa.Column("name", tables.CodeText),
    sa.Column("at", tables.Instant),
    sa.Column("day", sa.Date),
    sa.Column("facts", tables.Json),
    sa.Column("n", sa.BigInteger),
    sa.Index("thing_name", "name", unique=True),
)
NOW = datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC)


@pytest.fixture
def things(store: Store) -> Store:
    with store.write() as writer:
        CATALOGUE.create_all(writer.connection)
    return store


def inserting(store: Store) -> Prepared:
    return prepare(store, sa.insert(THING))


def row(n: int) -> tuple[object, ...]:
    return (UUID(int=n), f"n{n}", NOW, None, '{"a":1}', n)


def names(store: Store) -> list[str]:
    with store.read() as reader:
        found = reader.rows(prepare(store, sa.select(THING.c.name).order_by(THING.c.name)))
    return [name for (name,) in found]


def test_core_gives_python_values_on_both(things: Store) -> None:
    values = {
        "id": UUID(int=7),
        "name": "七",
        "at": NOW,
        "day": date(2026, 2, 3),
        "facts": {"a": [1, "b"]},
        "n": 5,
    }
    with things.write() as writer:
        writer.execute(sa.insert(THING), values)
    with things.read() as reader:
        assert dict(reader.execute(sa.select(THING)).mappings().one()) == values


def test_prepared_reads_storage_form_and_takes_python_values(things: Store) -> None:
    with things.write() as writer:
        writer.insert_many(inserting(things), [row(1), row(2)])
        select = sa.select(THING.c.id, THING.c.at, THING.c.facts).where(
            THING.c.id == sa.bindparam("id", type_=tables.Uuid),
            THING.c.at == sa.bindparam("at", type_=tables.Instant),
        )
        [(id, at, facts)] = writer.rows(prepare(things, select), {"id": UUID(int=2), "at": NOW})
    assert tables.uuid_of(id) == UUID(int=2)
    assert tables.instant_of(at) == NOW and tables.instant_of(at).utcoffset() == NOW.utcoffset()
    assert isinstance(facts, str) and tables.json_of(facts) == {"a": 1}


def test_constants_of_a_statement_are_kept(things: Store) -> None:
    statement = prepare(
        things,
        sa.select(THING.c.n)
        .where(THING.c.name == "n3", THING.c.n < sa.bindparam("most", type_=sa.BigInteger))
        .limit(5),
    )
    with things.write() as writer:
        writer.insert_many(inserting(things), [row(3)])
        assert writer.rows(statement, {"most": 4}) == [(3,)]
        assert writer.rows(statement, {"most": 3}) == []


def test_ids_in_one_parameter(things: Store) -> None:
    statement = prepare(
        things, sa.select(THING.c.n).where(tables.in_ids(things.dialect, THING.c.id)).order_by("n")
    )
    with things.write() as writer:
        writer.insert_many(inserting(things), [row(n) for n in range(1, 6)])
        wanted = tables.ids_value(things.dialect, [UUID(int=2), UUID(int=5), UUID(int=99)])
        assert writer.rows(statement, {"ids": wanted}) == [(2,), (5,)]


def test_an_expanding_in_is_refused(things: Store) -> None:
    with pytest.raises(TypeError, match="in_ids"):
        prepare(things, sa.select(THING.c.n).where(THING.c.n.in_([1, 2])))


@pytest.mark.parametrize("count", [1, 3, 500])
def test_insert_many_is_one_statement(things: Store, count: int) -> None:
    seen: list[tuple[str, int]] = []
    with observe(lambda how, text, rows: seen.append((how, rows))), things.write() as writer:
        writer.insert_many(inserting(things), [row(n) for n in range(count)])
    how = "execute" if count == 1 else "executemany"
    if things.dialect == "postgresql" and count == 500:
        how = "copy"
    assert seen == [(how, count)]
    with things.read() as reader:
        [(found, last)] = reader.rows(prepare(things, sa.select(sa.func.count(), sa.func.max(THING.c.n))))
        assert (found, last) == (count, count - 1)
        assert reader.execute(sa.select(THING.c.facts, THING.c.at).limit(1)).one() == ({"a": 1}, NOW)


@pytest.mark.postgres
def test_copy_is_binary_for_every_type_of_ours(stores: Stores) -> None:
    store = new_tenant_store(stores)
    if store.dialect == "postgresql":
        copy = inserting(store).copy
        assert copy is not None and copy.types == ("uuid", "text", "timestamptz", "date", "jsonb", "int8")


def test_insert_many_refuses_anything_else(things: Store) -> None:
    update = prepare(things, sa.update(THING).values(n=sa.bindparam("m", type_=sa.BigInteger)))
    with things.write() as writer, pytest.raises(TypeError):
        writer.insert_many(update, [(1,)])


def test_a_block_that_raises_leaves_nothing_not_even_tables(things: Store) -> None:
    called: list[int] = []
    with pytest.raises(ZeroDivisionError), things.write() as writer:
        writer.after_commit(lambda: called.append(1))
        writer.run(prepare(things, sa.insert(THING)), dict(zip(THING.c.keys(), row(1), strict=True)))
        writer.execute(sa.schema.CreateTable(sa.Table("other", sa.MetaData(), sa.Column("x", sa.Integer))))
        raise ZeroDivisionError
    assert names(things) == [] and called == []
    with things.read() as reader:
        assert not sa.inspect(reader.connection).has_table("other", schema=things.schema)


def test_an_unsynced_write_does_not_wait_for_the_disk_and_the_next_one_does(things: Store) -> None:
    sqlite = things.dialect == "sqlite"
    asked = sa.text("PRAGMA synchronous" if sqlite else "SHOW synchronous_commit")
    light, full = (1, 2) if sqlite else ("off", "on")

    def said(writer: Writer) -> object:
        return writer.execute(asked).scalar_one()

    with things.write() as writer:
        assert said(writer) == full
    with things.write_unsynced() as writer:
        assert said(writer) == light
        writer.insert_many(inserting(things), [row(1)])
    with pytest.raises(KeyError), things.write_unsynced() as writer:
        writer.insert_many(inserting(things), [row(2)])
        raise KeyError
    with things.write() as writer:
        assert said(writer) == full
    assert names(things) == ["n1"]


def test_after_commit_runs_when_the_row_is_there_and_cannot_undo_it(things: Store) -> None:
    seen: list[list[str]] = []

    def fail() -> None:
        raise ValueError("told in the log only")

    with things.write() as writer:
        writer.insert_many(inserting(things), [row(1)])
        writer.after_commit(fail)
        writer.after_commit(lambda: seen.append(names(things)))
    assert seen == [["n1"]]


def test_a_savepoint_undoes_its_block_only(things: Store) -> None:
    called: list[int] = []
    with things.write() as writer:
        writer.insert_many(inserting(things), [row(1)])
        with pytest.raises(UniqueViolation), writer.savepoint():
            writer.insert_many(inserting(things), [row(2)])
            writer.after_commit(lambda: called.append(2))
            writer.insert_many(inserting(things), [row(1)])
        with writer.savepoint():
            writer.insert_many(inserting(things), [row(3)])
    assert names(things) == ["n1", "n3"] and called == []


def test_a_unique_violation_names_its_index(things: Store) -> None:
    with things.write() as writer:
        writer.insert_many(inserting(things), [row(1)])
    with pytest.raises(UniqueViolation) as caught, things.write() as writer:
        writer.insert_many(inserting(things), [(uuid4(), *row(1)[1:])])
    assert caught.value.index == "thing_name"
    with pytest.raises(UniqueViolation) as caught, things.write() as writer:
        writer.execute(sa.insert(THING), {"id": UUID(int=1), "name": "else"})
    assert caught.value.index == "thing_pkey"


def test_a_reader_on_sqlite_sees_one_snapshot(things: Store) -> None:
    counting = prepare(things, sa.select(sa.func.count()).select_from(THING))
    with things.read_long() as reader:
        before = reader.rows(counting)
        with things.write() as writer:
            writer.insert_many(inserting(things), [row(1)])
        assert reader.rows(counting) == before == [(0,)]
    with things.read() as reader:
        assert reader.rows(counting) == [(1,)]


def test_chunks_give_all_rows_piece_by_piece(things: Store) -> None:
    with things.write() as writer:
        writer.insert_many(inserting(things), [row(n) for n in range(25)])
    with things.read_long() as reader:
        pieces = list(reader.chunks(prepare(things, sa.select(THING.c.n).order_by("n")), size=10))
    assert [len(piece) for piece in pieces] == [10, 10, 5]
    assert [n for piece in pieces for (n,) in piece] == list(range(25))


def test_writers_of_one_process_stand_in_a_queue(things: Store) -> None:
    """Each adds to what it read: nothing may be lost, nobody may see "locked"."""
    add = prepare(things, sa.update(THING).values(n=THING.c.n + 1))
    with things.write() as writer:
        writer.insert_many(inserting(things), [row(0)])

    def work() -> None:
        for _ in range(20):
            with things.write() as writer:
                writer.run(add)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with things.read() as reader:
        assert reader.rows(prepare(things, sa.select(THING.c.n))) == [(80,)]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def impatient(request: pytest.FixtureRequest, tmp_path: Path):  # type: ignore[no-untyped-def]
    limits = Limits(write_wait_seconds=1, statement_seconds=1, wait_seconds=1, database_connections=2)
    with open_stores(settings_for(request.param, tmp_path, limits)) as stores:
        store = new_tenant_store(stores)
        with store.write() as writer:
            CATALOGUE.create_all(writer.connection)
            writer.insert_many(inserting(store), [row(1)])
        yield stores, store


def test_a_writer_that_waits_too_long_is_told_so(impatient: tuple[Stores, Store]) -> None:
    _, store = impatient
    update = prepare(store, sa.update(THING).values(n=THING.c.n + 1))
    caught: list[BaseException] = []

    def second() -> None:
        try:
            with store.write() as writer:
                writer.run(update)
        except LockTimeout as error:
            caught.append(error)

    with store.write() as writer:
        writer.run(update)
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert [type(error) for error in caught] == [LockTimeout]
    with store.write() as writer:
        writer.run(update)


def test_a_writer_asks_often_for_a_lock_that_another_process_holds(
    impatient: tuple[Stores, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has waited long on SQLite must not come after everybody who has just come."""
    _, store = impatient
    if store.dialect != "sqlite":
        return
    (_, _, file), *_ = [tuple(row) for row in _pragma(store, "database_list")]
    other = sqlite3.connect(str(file), isolation_level=None)
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 50:
            other.execute("ROLLBACK")

    monkeypatch.setattr("tabwright.platform.connections.time.sleep", sleep)
    other.execute("BEGIN IMMEDIATE")
    with store.write() as writer:
        writer.run(prepare(store, sa.update(THING).values(n=7)))
    assert len(slept) == 50 and max(slept) < 0.01
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LockTimeout), store.write():
        pass  # as long as the operator's limit
    other.close()
    limit = 1000 * 1  # seconds of the impatient
    assert _pragma(store, "busy_timeout") == [(limit,)], "whatever else has to wait waits as SQLite does"


def _pragma(store: Store, name: str) -> list[tuple[object, ...]]:
    with store.read() as reader:
        return [tuple(row) for row in reader.connection.exec_driver_sql(f"PRAGMA {name}")]


def test_a_statement_that_takes_too_long_is_cut_off(impatient: tuple[Stores, Store]) -> None:
    _, store = impatient
    many = sa.select(sa.literal(1).label("n")).cte("many", recursive=True)
    many = many.union_all(sa.select(many.c.n + 1).where(many.c.n < 100_000_000))
    endless = prepare(store, sa.select(sa.func.max(many.c.n)))
    with pytest.raises(LimitReached) as caught, store.read() as reader:
        reader.rows(endless)
    assert caught.value.faults[0].params == {"limit": "statement_seconds", "value": 1}
    assert names(store) == ["n1"]


def test_a_second_write_of_one_thread_is_our_mistake_on_sqlite(impatient: tuple[Stores, Store]) -> None:
    _, store = impatient
    if store.dialect == "sqlite":
        with store.write(), pytest.raises(RuntimeError), store.write():
            pass


def test_no_free_connection_is_unavailable_not_a_hang(impatient: tuple[Stores, Store]) -> None:
    _, store = impatient
    if store.dialect == "postgresql":
        with store.read(), store.read(), pytest.raises(Unavailable, match="no_connection"), store.read():
            pass
        assert names(store) == ["n1"]


@pytest.mark.postgres
def test_a_server_that_closed_its_connections_is_reached_again(impatient: tuple[Stores, Store]) -> None:
    stores, store = impatient
    if store.dialect != "postgresql":
        return
    with store.read() as first, store.read() as second:
        mine = first.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        second.connection.exec_driver_sql("RESET ROLE")
        second.connection.exec_driver_sql("SELECT pg_terminate_backend(%s)", (mine,))
        with pytest.raises(Unavailable):
            first.rows(prepare(store, sa.select(THING.c.n)))
        second.connection.exec_driver_sql(f'SET ROLE "{store.schema}"')
    assert names(store) == ["n1"]


@pytest.mark.postgres
def test_a_connection_stays_with_its_tenant(stores: Stores) -> None:
    mine, other = new_tenant_store(stores), new_tenant_store(stores)
    if mine.dialect != "postgresql":
        return

    def backend(store: Store) -> int:
        with store.read() as reader:
            return int(reader.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())

    stays = {store: backend(store) for store in (mine, other)}
    assert stays[mine] != stays[other]
    assert [backend(store) for store in (mine, other, mine, other)] == [*stays.values(), *stays.values()]


@pytest.mark.postgres
def test_connections_go_to_other_tenants_when_all_are_open(impatient: tuple[Stores, Store]) -> None:
    stores, store = impatient
    if store.dialect != "postgresql":
        return
    others = [new_tenant_store(stores) for _ in range(4)]  # two connections are allowed
    for each in (*others, store):
        with each.read() as reader:
            assert reader.execute(sa.text("SELECT current_user")).scalar_one() == each.schema


def test_tenants_do_not_see_each_other(stores: Stores) -> None:
    mine, other = new_tenant_store(stores), new_tenant_store(stores)
    for store in (mine, other):
        with store.write() as writer:
            CATALOGUE.create_all(writer.connection)
    with mine.write() as writer:
        writer.insert_many(inserting(mine), [row(1)])
    assert (names(mine), names(other)) == (["n1"], [])
    if mine.dialect == "postgresql":
        # Not even with the other's text: the role has no right there.
        with pytest.raises(sa.exc.ProgrammingError), mine.read() as reader:
            reader.connection.exec_driver_sql(f'SELECT * FROM "{other.schema}".thing')
        with pytest.raises(sa.exc.ProgrammingError), mine.write() as writer:
            writer.connection.exec_driver_sql(f'SELECT * FROM "{other.schema}".thing')


def test_numbers_are_exact(things: Store) -> None:
    if things.dialect == "postgresql":
        with things.read() as reader:
            value = reader.rows(prepare(things, sa.select(sa.literal(Decimal("1.10"), sa.Numeric(18, 2)))))
        assert str(value[0][0]) == "1.10"


def test_a_full_disk_is_said_and_nothing_is_torn(tmp_path: Path) -> None:
    with open_stores(settings_for("sqlite", tmp_path)) as stores:
        store = new_tenant_store(stores)
        with store.write() as writer:
            CATALOGUE.create_all(writer.connection)
            writer.connection.exec_driver_sql("PRAGMA max_page_count = 40")
        with pytest.raises(StorageFull), store.write() as writer:
            writer.insert_many(inserting(store), [row(n) for n in range(20_000)])
        assert names(store) == []
        with store.write() as writer:
            writer.insert_many(inserting(store), [row(1)])
        assert names(store) == ["n1"]
