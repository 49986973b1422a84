"""A store is made to fit a model: tables, columns, indexes and conversions, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from stores import new_tenant_store
from storing import field_def, fit_now, model_of, object_def, physical_of, rule_def, values_of, write_rows
from tabwright.metadata.model import FieldDef
from tabwright.platform.database import Store, Stores
from tabwright.platform.errors import Invalid, UniqueViolation
from tabwright.runtime.storage import changes
from tabwright.runtime.storage.indexes import unique_key
from tabwright.runtime.storage.tables import RecordTable, Tables


@pytest.fixture
def store(stores: Stores) -> Store:
    return new_tenant_store(stores, tables=True)


NAME = field_def("name", "text")
EVERY_TYPE: tuple[tuple[FieldDef, Any], ...] = (
    (NAME, "名字 Ünï"),
    (field_def("notes", "long_text"), "a\nb"),
    (field_def("count", "integer"), Decimal(10**17)),
    (field_def("weight", "decimal", scale=3), Decimal("-0.005")),
    (field_def("price", "currency", scale=2), Decimal("12345678901234.56")),
    (field_def("odds", "percent", scale=0), Decimal(50)),
    (field_def("won", "boolean"), True),
    (field_def("day", "date"), datetime(1969, 7, 20, tzinfo=UTC).date()),
    (field_def("moment", "datetime"), datetime(1969, 7, 20, 20, 17, 40, 123456, tzinfo=UTC)),
    (field_def("parent", "lookup", target="thing"), UUID(int=7)),
)


def table_of(store: Store, object: Any) -> RecordTable:
    return Tables(physical_of(store), store.dialect).of(object)


def test_every_type_of_value_comes_back_as_it_was(store: Store) -> None:
    thing = object_def("thing", *(field for field, _ in EVERY_TYPE))
    fit_now(store, model_of(thing))
    table = table_of(store, thing)
    row = {field.name: value for field, value in EVERY_TYPE}
    write_rows(store, table, [row, {}])
    assert values_of(store, table) == [row, dict.fromkeys(row)]
    assert table.is_side("notes") and not table.is_side("name")


def test_a_field_is_dropped_and_comes_back_with_its_data(store: Store) -> None:
    price = field_def("price", "currency", scale=2)
    with_price, without = object_def("thing", NAME, price), object_def("thing", NAME)
    fit_now(store, model_of(with_price))
    write_rows(store, table_of(store, with_price), [{"name": "a", "price": Decimal("1.10")}])
    before = physical_of(store).find("field", price.uid)
    fit_now(store, model_of(without))
    assert before is not None and physical_of(store).find("field", price.uid) is None
    # A request that still holds the old model finds its column.
    assert values_of(store, table_of(store, with_price))[0]["price"] == Decimal("1.10")
    done = fit_now(store, model_of(with_price))
    assert done.steps == ()
    assert physical_of(store).find("field", price.uid) == before
    assert values_of(store, table_of(store, with_price)) == [{"name": "a", "price": Decimal("1.10")}]


def test_an_object_is_dropped_and_comes_back_with_its_records(store: Store) -> None:
    thing, other = object_def("thing", NAME), object_def("other", field_def("name", "text", uid="x"))
    fit_now(store, model_of(thing, other))
    write_rows(store, table_of(store, thing), [{"name": "a"}])
    fit_now(store, model_of(other))
    assert fit_now(store, model_of(thing, other)).steps == ()
    assert values_of(store, table_of(store, thing)) == [{"name": "a"}]


def test_fitting_twice_does_nothing_the_second_time(store: Store) -> None:
    thing = object_def("thing", *(field for field, _ in EVERY_TYPE), unique=(rule_def("thing", "name"),))
    fit_now(store, model_of(thing))
    again = fit_now(store, model_of(thing))
    assert again.steps == () and again.entries == {}


def test_a_type_changes_there_and_back_without_loss(store: Store) -> None:
    text = object_def("thing", NAME, field_def("size", "text"))
    number = object_def("thing", NAME, field_def("size", "integer"))
    fit_now(store, model_of(text))
    rows: list[dict[str, object]] = [
        {"name": "a", "size": " 12 "},
        {"name": "b", "size": "abc"},
        {"name": "c", "size": None},
    ]
    rows += [{"name": "d", "size": "7"}]
    write_rows(store, table_of(store, text), rows)
    fit_now(store, model_of(number))
    assert [row["size"] for row in values_of(store, table_of(store, number))] == [
        Decimal(12),
        None,
        None,
        Decimal(7),
    ]
    table = table_of(store, number)
    with store.write() as writer:
        size = table.column("size")
        writer.execute(sa.update(table.main).where(table.column("name") == "d").values({size.name: 8}))
    fit_now(store, model_of(text))
    sizes = [row["size"] for row in values_of(store, table_of(store, text))]
    assert sizes == [" 12 ", "abc", None, "8"]  # the first two as they were typed; the last as it is now


def test_a_type_change_of_a_name_keeps_its_sort_key(store: Store) -> None:
    fit_now(store, model_of(object_def("thing", field_def("name", "integer", uid="n"))))
    thing = object_def("thing", field_def("name", "text", uid="n"))
    write_rows(
        store,
        table_of(store, object_def("thing", field_def("name", "integer", uid="n"))),
        [{"name": Decimal(5)}],
    )
    fit_now(store, model_of(thing))
    table = table_of(store, thing)
    column = table.sort_column("name")
    assert column is not None
    with store.read() as reader:
        assert reader.execute(sa.select(column)).scalars().all() == ["5\x015"]


def test_a_unique_rule_counts_blank_as_a_value_but_not_a_blank_record(store: Store) -> None:
    fields = (NAME, field_def("email", "email"), field_def("day", "date"), field_def("ok", "boolean"))
    rule = rule_def("thing", "email", "day", "ok", ignore_case=True)
    thing = object_def("thing", *fields, unique=(rule,))
    fit_now(store, model_of(thing))
    table = table_of(store, thing)
    write_rows(store, table, [{}, {}, {"email": "A@x.com"}])
    for wrong in ({"email": "a@X.com"}, {"email": "a@x.com", "name": "other"}):
        with pytest.raises(UniqueViolation) as caught:
            write_rows(store, table, [wrong])
        found = physical_of(store).index(caught.value.index)
        assert found is not None and found.uid == f"{rule.uid}:unique"
    write_rows(store, table, [{"email": "a@x.com", "ok": True}, {"email": "a@x.com", "ok": False}])
    key = unique_key(table, rule)
    with store.read() as reader:
        query = sa.select(table.id).where(key.where, key.terms[0] == "a@x.com")
        assert len(reader.execute(query).all()) == 3


def test_a_deleted_record_is_out_of_a_unique_rule(store: Store) -> None:
    thing = object_def("thing", NAME, unique=(rule_def("thing", "name"),))
    fit_now(store, model_of(thing))
    table = table_of(store, thing)
    write_rows(store, table, [{"name": "a"}])
    with store.write() as writer:
        now = table.codec("deleted_at").to_storage(datetime.now(UTC))
        writer.execute(sa.update(table.main).values(deleted_at=now))
    write_rows(store, table, [{"name": "a"}])


def test_500_filled_texts_fit_and_more_go_to_the_second_table(store: Store) -> None:
    fields = [field_def(f"t{n}", "text", max_length=255) for n in range(500)]
    thing = object_def("thing", NAME, *fields)
    fit_now(store, model_of(thing))
    table = table_of(store, thing)
    row = {"name": "x" * 255} | {field.name: "好" * 255 for field in fields}
    short = {"name": "x"} | {field.name: "x" * 23 for field in fields}
    write_rows(store, table, [row, short])
    assert values_of(store, table) == [row, short]
    assert table.side is not None and len(table.fields_in("side")) > 200


def test_an_object_that_fits_no_two_tables_is_refused_and_leaves_nothing(store: Store) -> None:
    thing = object_def("thing", NAME, *(field_def(f"t{n}", "text") for n in range(700)))
    with pytest.raises(Invalid) as caught:
        fit_now(store, model_of(thing))
    assert caught.value.code == "storage.too_many_fields" and len(caught.value.faults) > 100
    assert physical_of(store).entries == ()


def test_a_late_field_of_a_unique_rule_moves_to_the_first_table(store: Store) -> None:
    many = [field_def(f"t{n}", "text") for n in range(260)]
    late = field_def("late", "text")
    fit_now(store, model_of(object_def("thing", NAME, *many, late)))
    table = table_of(store, object_def("thing", NAME, *many, late))
    assert table.is_side("late")
    write_rows(store, table, [{"name": "a", "late": "v"}, {"name": "b"}])
    unique = object_def("thing", NAME, *many, late, unique=(rule_def("thing", "late"),))
    fit_now(store, model_of(unique))
    table = table_of(store, unique)
    assert not table.is_side("late")
    assert [row["late"] for row in values_of(store, table)] == ["v", None]


def test_a_large_table_changes_its_type_by_a_job(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "DATA_ROWS", 1)
    monkeypatch.setattr(changes, "INDEX_ROWS", 1)
    text = object_def("thing", NAME, field_def("size", "text"))
    fit_now(store, model_of(text))
    write_rows(store, table_of(store, text), [{"name": str(uuid4()), "size": str(n)} for n in range(5)])
    number = object_def("thing", NAME, field_def("size", "integer"), unique=(rule_def("thing", "size"),))
    with store.read() as reader:
        planned = fit_now(store, model_of(number), only_plan=reader)
    assert [type(step).__name__ for step in planned.prepare] == ["Convert", "BuildIndex"]
    assert physical_of(store).find("field", "thing.size") == table_of(store, text).entries["size"]
