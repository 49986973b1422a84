"""SQL: forms that an index serves, parameters, refusals, and numbers beyond 64 bits."""

import sqlite3
import uuid
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from formulas import (
    ENV,
    SOMEONE,
    Database,
    compiled,
    database,
    in_database,
    in_process,
    records,
    stored,
)
from tabwright.formula.datatypes import DATETIME
from tabwright.formula.faults import FormulaError, say
from tabwright.formula.sqlite import FUNCTIONS, key_of, number_of, register
from tabwright.formula.sqlite_writer import Moment
from tabwright.formula.strings import following

DIALECTS: dict[str, sa.Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
}


class Plain:
    def column_of(self, path: tuple[str, ...]) -> sa.ColumnElement[Any]:
        return sa.bindparam("me") if path[0] == "$user" else sa.column("_".join(path))


def condition(text: str, dialect: str) -> str:
    sql = compiled(text).sql(Plain(), dialect).condition()
    return str(sql.compile(dialect=DIALECTS[dialect], compile_kwargs={"render_postcompile": True}))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name = 'x'", "name = ?"),
        ("'x' = name", "name = ?"),
        ("stage = 'won' && amount > 5", "stage = ? AND amount > ?"),
        ("ISPICKVAL(stage, 'won')", "stage = ?"),
        ("IN(stage, 'won', 'lost')", "stage IN (?, ?)"),
        ("ISBLANK(name)", "name IS NULL"),
        ("ISBLANK(rate)", "rate IS NULL"),
        ("BEGINS(name, 'ab')", "name >= ? AND name < ?"),
        ("close >= TODAY()", "close >= ?"),
        ("BETWEEN(close, DATE(2024,1,1), TODAY())", None),
        ("owner = $user.id", "owner IS ?"),
        ("n = 5", "n = ?"),
        ("ok", "ok"),
    ],
)
def test_a_plain_condition_leaves_the_column_bare(text: str, expected: str | None) -> None:
    written = condition(text, "sqlite")
    if expected is None:
        assert written.startswith("close BETWEEN ") and "coalesce(close" not in written
    else:
        assert written.replace(" = 1", "") == expected


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("name = 'x0500'", "name"),
        ("BEGINS(name, 'x050')", "name"),
        ("BETWEEN(name, 'x0500', 'x0510')", "name"),
        ("n = 500", "n"),
        ("stage = 'won' && n = 500", "n"),
        ("IN(n, 5, 6)", "n"),
        ("IN(name, 'x0005', 'x0006')", "name"),
        ("owner = $user.id", "owner"),
    ],
)
def test_an_index_serves_a_plain_condition(text: str, column: str, place: Database) -> None:
    table, connection = place.table, place.connection
    rows = [
        {"id": i, "name": f"x{i:04}", "n": i, "stage": "won", "owner": _owner(place, i)} for i in range(2_000)
    ]
    explain = "EXPLAIN " if place.dialect == "postgresql" else "EXPLAIN QUERY PLAN "
    with connection.begin_nested() as inside:
        connection.execute(table.insert(), rows)
        connection.execute(sa.text(f"CREATE INDEX one ON r ({column})"))
        connection.execute(sa.text("ANALYZE r" if place.dialect == "postgresql" else "ANALYZE"))
        query = sa.select(table.c.id).where(compiled(text).sql(place, place.dialect).condition())
        written = query.compile(connection, compile_kwargs={"render_postcompile": True})
        params: Any = written.construct_params()
        if written.positiontup is not None:
            params = tuple(params[name] for name in written.positiontup)
        found = str(connection.exec_driver_sql(explain + str(written), params).all())
        inside.rollback()
    assert "one" in found


def _owner(place: Database, index: int) -> Any:
    found = SOMEONE if index == 7 else uuid.UUID(int=index)
    return found.bytes if place.dialect == "sqlite" else found


def test_the_moment_and_the_zone_are_parameters() -> None:
    for dialect in DIALECTS:
        sql = compiled("DATEVALUE(NOW()) = TODAY()").sql(Plain(), dialect).condition()
        assert {"tw_today", "tw_now", "tw_zone"} <= set(sql.compile(dialect=DIALECTS[dialect]).params)


def test_only_a_condition_is_a_condition() -> None:
    with pytest.raises(ValueError, match="number"):
        compiled("amount").sql(Plain(), "sqlite").condition()


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("REGEX(name, 'a')", {"postgresql"}),
        ("n ^ 0.5 > 1", {"postgresql"}),
        ("n ^ m > 1", {"postgresql"}),
        ("n ^ 3 > 1", set()),
        ("PRIORVALUE(amount) > 1", {"sqlite", "postgresql"}),
        ("UPPER(name) = 'A'", set()),
        ("IF(ok, " * 58 + "1 / n" + ", 0)" * 58 + " > 1", {"sqlite"}),
    ],
)
def test_what_a_database_cannot_run_is_refused_with_its_place(text: str, refused: set[str]) -> None:
    formula = compiled(text)
    assert {dialect for dialect, fault in formula.pushable.items() if fault} == refused
    for dialect in refused:
        fault = formula.pushable[dialect]
        assert fault is not None and fault.end > fault.start
        assert "stored formula field" in say(fault, "en") and "存储的公式字段" in say(fault, "zh")
        with pytest.raises(FormulaError):
            formula.sql(Plain(), dialect)


def test_a_formula_that_is_not_refused_runs_also_deep_inside_a_statement() -> None:
    """SQLite's parser has a stack of 100 places, and the statement around takes some of them."""
    data = records(2, 1)
    shapes = [
        ("IF(n > 1, ", "1", ", 0)"), ("(1 + ", "n", ")"), ("ROUND(", "amount", ", 1)"), ("MAX(1, ", "n", ")"),
        ("LEN(name & TEXT(", "n", "))"), ("BLANKVALUE(", "n", ", 1)"), ("-(", "n", ")"), ("(n / ", "n", ")"),
        ("CASE(stage, 'won', ", "n", ", 0)"), ("MOD(", "n", ", 7)"),
    ]  # fmt: skip
    with database("sqlite", None, data) as place:
        for before, inside, after in shapes:
            deepest = 0
            for depth in range(1, 24 // before.count("(")):
                formula = compiled(before * depth + inside + after * depth)
                if formula.pushable["sqlite"]:
                    continue
                deepest = depth
                sql = formula.sql(place, "sqlite")
                table = place.table
                inner = sa.select(table.c.id).where(
                    sa.and_(sa.or_(table.c.n > 0, sql.column() > 0), table.c.ok)
                )
                outer = sa.select(table.c.id, sql.column()).where(sa.and_(table.c.ok, table.c.id.in_(inner)))
                place.connection.execute(outer).all()
            assert deepest * before.count("(") >= 4, before


def test_numbers_beyond_64_bits_are_exact() -> None:
    scales, data = {"amount": 2, "price": 4, "n": 0, "m": 0}, records(3, 5)
    for record, value in zip(data, (10**18 - 1, -(10**18) + 1, 3), strict=True):
        record.update({name: Decimal(value).scaleb(-places) for name, places in scales.items()})
    with database("sqlite", None, data) as place:
        for text in (
            "amount * price",
            "n + n + n + n + n + n + n + n + n + n + n",
            "n * m / m",
            "ROUND(n * 1.5, -1)",
        ):
            formula = compiled(text)
            assert in_database(formula, place) == in_process(formula, data), text
        assert in_process(compiled("n * m"), data)[0] == "error"


def test_a_key_orders_as_its_number() -> None:
    written = "-99999999999999999999 -1.5 -0.000000000000000001 0 0.1 7 100000000000000000000"
    numbers = [Decimal(text) for text in written.split()]
    keys = [key_of(x) for x in numbers]
    assert keys == sorted(keys) and [number_of(key) for key in keys] == numbers
    assert len({len(key) for key in keys}) == 1


def test_every_function_of_ours_is_there_and_takes_null() -> None:
    connection = sqlite3.connect(":memory:")
    register(connection)
    for name, (count, _) in FUNCTIONS.items():
        nulls = ", ".join(["NULL"] * (2 if count < 0 else count))
        assert connection.execute(f"SELECT {name}({nulls})").fetchone() == (None,)
    connection.close()


def test_a_moment_is_kept_to_the_microsecond() -> None:
    kept = stored("sqlite", DATETIME, ENV.now)
    assert isinstance(kept, int) and Moment().process_result_value(kept, DIALECTS["sqlite"]) == ENV.now


@pytest.mark.parametrize(
    ("text", "after"), [("ab", "ac"), ("a\U0010ffff", "b"), ("\U0010ffff", None), ("\ud7ff", "\ue000")]
)
def test_the_text_after_all_that_begin_alike(text: str, after: str | None) -> None:
    assert following(text) == after
