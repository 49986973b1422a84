"""Literals lifted out of texts: one SQL for many texts, and for each the answer that it gives by itself."""

import random
import re
from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from formulas import ENV, SOMEONE, Database, Writer, compiled, database, records
from tabwright.formula.faults import FormulaError
from tabwright.formula.lexer import tokenize
from tabwright.formula.lifting import Lifted, NotLiftable, Unfit, lift

GIVEN = ENV.parameters()
NUMBERS = ("0", "1", "2", "3", "5", "7", "12", "100", "0.5", "1.25", "12.50", "0.00", "2024",
           "99999999999", "99999999999999999999", "9223372036854775807", "9223372036854775808",
           "0.000000000000000001")  # fmt: skip
TEXTS = ('""', '"a"', '"Ab"', '"客"', "'won'", '"lost"', '"open"', '"nonsense"', '"2024-02-29"',
         '"2023-02-29"', '"\U0010ffff"', f'"{SOMEONE}"', '"it\'s \\"x\\""', '"%"')  # fmt: skip


def other_literals(text: str, choices: random.Random) -> str:
    """The text with other literals in it."""
    parts, at = [], 0
    for token in tokenize(text):
        if token.kind in ("NUMBER", "STRING"):
            options = NUMBERS if token.kind == "NUMBER" else TEXTS
            parts += [text[at : token.start], choices.choice(options)]
            at = token.end
    return "".join([*parts, text[at:]])


def chosen(place: Database, text: str) -> list[int]:
    sql = compiled(text).sql(place, place.dialect)
    return ids(place, sql.condition(), {})


def ids(place: Database, condition: sa.ColumnElement[Any], params: dict[str, Any]) -> list[int]:
    query = sa.select(place.table.c.id).where(condition).order_by(place.table.c.id)
    return list(place.connection.execute(query, {**GIVEN, **params}).scalars())


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(request: pytest.FixtureRequest) -> Any:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+psycopg://")
    with database(request.param, url, records(80, 3)) as found:
        yield found


@given(seed=st.integers(0, 10**9), depth=st.integers(1, 3))
def test_lifted_and_as_it_stands_find_the_same(many: Database, seed: int, depth: int) -> None:
    choices = random.Random(seed)
    first = other_literals(Writer(choices).of("boolean", depth), choices)
    assert_same(many, first, [other_literals(first, choices) for _ in range(6)])


@given(seed=st.integers(0, 10**9))
def test_conditions_as_people_write_them(many: Database, seed: int) -> None:
    choices = random.Random(seed)
    parts = (
        'stage = "won"', 'ISPICKVAL(stage, "won")', 'IN(stage, "won", "lost")', "amount >= 5", "n = -5",
        "5 < rate", "amount * price > 5", "amount / n < 5", 'name = "a"', 'CONTAINS(name, "a")',
        'BEGINS(name, "a")', 'ENDS(note, "a")', "close >= DATE(2024, 1, 5)", "BETWEEN(n, 1, 5)",
        'close < DATEVALUE("2024-02-29")', f'owner = "{SOMEONE}"', "IN(n, 1, 2, 3)", "LEN(name) > 2",
        'BETWEEN(name, "a", "b")', "fine <> 1", 'LEFT(name, 1) = "a"', 'finish > DATETIMEVALUE("2024-01-01")',
    )  # fmt: skip
    text = " && ".join(choices.sample(parts, choices.randint(1, 2)))
    assert_same(many, text, [other_literals(text, choices) for _ in range(6)])


def assert_same(place: Database, first: str, others: list[str]) -> None:
    pattern = lift(first)
    try:
        sql = compiled(first).sql(place, place.dialect, lifted=pattern)
    except (FormulaError, NotLiftable):
        return
    for text in [first, *others]:
        again = lift(text)
        if again.key != pattern.key:
            continue
        try:
            params = {bind.name: bind.value(again) for bind in sql.binds}
        except Unfit:
            continue
        assert ids(place, sql.condition(), params) == chosen(place, text), (first, text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('name = "a" && amount > 5', ["a", Decimal(5)]),
        ('ISPICKVAL(stage, "won") || n = -7', ["won", Decimal(-7)]),
        ('CONTAINS(name, "a")', ["a"]),
        ("close >= DATE(2024, 1, 31)", [Decimal(2024), Decimal(1), Decimal(31)]),
        (f'owner = "{SOMEONE}"', [str(SOMEONE)]),
        ('BEGINS(name, "x") && IN(n, 1, 2)', ["x", Decimal(1), Decimal(2)]),
    ],
)
def test_what_people_filter_by_is_lifted(text: str, values: list[Any], many: Database) -> None:
    found = lift(text)
    assert list(found.values) == values
    sql = compiled(text).sql(many, many.dialect, lifted=found)
    assert {bind.index for bind in sql.binds} == set(range(len(values)))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("amount > 5", "amount > 5.0"),  # another scale
        ('name = "a"', 'name = ""'),  # blank is another question
        ("ROUND(amount, 1) = 5", "ROUND(amount, 2) = 5"),
        ("LEFT(name, 1) = 'a'", "LEFT(name, 2) = 'a'"),
        ('CASE(stage, "won", 1, 2) = 1', 'CASE(stage, "lost", 1, 2) = 1'),
        ("amount > 5", "price > 5"),
        ("n > 5", "n > 99999999999"),
    ],
)
def test_what_makes_other_sql_has_another_key(one: str, other: str) -> None:
    assert lift(one).key != lift(other).key
    assert lift(re.sub(r"5(?!\.)", "6", one)).key in (lift(one).key, lift(one.replace("5", "6")).key)


def test_texts_that_differ_in_literals_only_have_one_key() -> None:
    assert lift('name = "a" && n > 5').key == lift("name='it is' && n>7 /* more */").key
    assert lift('name = "a"').key != lift('"a" = name').key


@pytest.mark.parametrize(
    ("first", "other"),
    [('stage = "won"', 'stage = "nonsense"'), (f'owner = "{SOMEONE}"', 'owner = "me"')],
)
def test_a_literal_that_the_checker_refuses_does_not_fit(many: Database, first: str, other: str) -> None:
    sql = compiled(first).sql(many, many.dialect, lifted=lift(first))
    assert lift(first).key == lift(other).key
    with pytest.raises(Unfit):
        [bind.value(lift(other)) for bind in sql.binds]


@pytest.mark.parametrize("text", ["name = ", "'open", "", "(" * 99, "1 = 1", "x" * 9000])
def test_what_cannot_be_lifted_stays(text: str) -> None:
    assert lift(text) == Lifted(text, text)
