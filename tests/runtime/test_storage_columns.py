"""A typed value keeps its meaning in every form, equal on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabwright.metadata.fieldtypes import TYPES
from tabwright.runtime.storage.columns import (
    WAYS,
    Conversion,
    Dialect,
    Shape,
    codec,
    encode,
)

DIALECTS: tuple[Dialect, ...] = ("sqlite", "postgresql")
numbers = st.integers(0, 18).flatmap(
    lambda scale: st.integers(-(10**18) + 1, 10**18 - 1).map(
        lambda n: (Shape("number", scale), Decimal(n).scaleb(-scale))
    )
)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
values = st.one_of(
    numbers,
    st.integers(-(10**18) + 1, 10**18 - 1).map(lambda n: (Shape("integer"), Decimal(n))),
    texts.map(lambda text: (Shape("text"), text)),
    st.booleans().map(lambda value: (Shape("boolean"), value)),
    st.dates().map(lambda value: (Shape("date"), value)),
    st.datetimes(timezones=st.just(UTC)).map(lambda value: (Shape("datetime"), value)),
    st.uuids().map(lambda value: (Shape("reference"), value)),
)


@given(values)
def test_every_form_says_the_same_on_both_databases(given: tuple[Shape, Any]) -> None:
    shape, value = given
    seen = set()
    for dialect in DIALECTS:
        made = codec(shape, dialect)
        stored = made.to_storage(value)
        assert made.from_storage(stored) == value
        assert type(made.from_storage(stored)) is type(value)
        journal = made.to_journal(stored)
        assert msgspec.json.decode(msgspec.json.encode(journal)) == journal
        assert made.from_journal(journal) == value
        wire = encode(made.to_wire(stored))
        seen.add((wire, repr(journal)))
    assert len(seen) == 1, seen
    way = WAYS[shape.way]
    assert way.from_text(way.to_text(value, shape), shape) == value


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_nothing_in_every_form(way: str) -> None:
    for dialect in DIALECTS:
        made = codec(Shape(way), dialect)
        forms = (made.to_storage, made.from_storage, made.to_wire, made.to_journal, made.from_journal)
        assert [form(None) for form in forms] == [None] * 5


def test_every_field_type_has_a_way() -> None:
    assert {each.storage for each in TYPES.values()} == set(WAYS)


@pytest.mark.parametrize(
    ("shape", "value", "wire"),
    [
        (Shape("number", 2), Decimal("1.10"), b"1.10"),
        (Shape("number", 18), Decimal("-1E-18"), b"-0.000000000000000001"),
        (Shape("integer"), Decimal(0), b"0"),
        (Shape("datetime"), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), b'"2026-01-02T03:04:05Z"'),
        (Shape("datetime"), datetime(2026, 1, 2, 3, 4, 5, 60, tzinfo=UTC), b'"2026-01-02T03:04:05.000060Z"'),
        (
            Shape("datetime"),
            datetime(2026, 1, 2, tzinfo=timezone(timedelta(hours=8))),
            b'"2026-01-01T16:00:00Z"',
        ),
        (Shape("date"), date(1, 1, 1), b'"0001-01-01"'),
        (Shape("reference"), UUID(int=1), b'"00000000000000000000000000000001"'),
        (Shape("boolean"), True, b"true"),
    ],
)
def test_the_wire_form(shape: Shape, value: Any, wire: bytes) -> None:
    for dialect in DIALECTS:
        made = codec(shape, dialect)
        assert encode(made.to_wire(made.to_storage(value))) == wire


TEXT, INTEGER, MONEY = Shape("text"), Shape("integer"), Shape("number", 2)


@pytest.mark.parametrize(
    ("conversion", "value", "expected"),
    [
        (Conversion(TEXT, INTEGER), " 1,200 ", Decimal(1200)),
        (Conversion(TEXT, INTEGER), "1.5", None),
        (Conversion(TEXT, INTEGER), "1e50000000", None),
        (Conversion(TEXT, INTEGER), "NaN", None),
        (Conversion(TEXT, INTEGER), "9" * 19, None),
        (Conversion(TEXT, MONEY), "4.985", Decimal("4.99")),
        (Conversion(MONEY, TEXT), Decimal("1.10"), "1.10"),
        (Conversion(MONEY, INTEGER), Decimal("1.00"), Decimal(1)),
        (Conversion(MONEY, INTEGER), Decimal("1.10"), None),
        (Conversion(Shape("number", 4), MONEY), Decimal("-0.0050"), Decimal("-0.01")),
        (Conversion(INTEGER, Shape("number", 10)), Decimal(10**9), None),
        (Conversion(TEXT, Shape("boolean")), "是", True),
        (Conversion(TEXT, Shape("boolean")), "maybe", None),
        (Conversion(Shape("boolean"), INTEGER), True, Decimal(1)),
        (Conversion(TEXT, Shape("date")), "2026-02-30", None),
        (Conversion(TEXT, Shape("date")), "2026-02-28", date(2026, 2, 28)),
        (
            Conversion(Shape("datetime"), Shape("date")),
            datetime(2026, 2, 28, 23, tzinfo=UTC),
            date(2026, 2, 28),
        ),
        (Conversion(TEXT, TEXT, frozenset({"new"})), "new", "new"),
        (Conversion(TEXT, TEXT, frozenset({"new"})), "old", None),
        (Conversion(Shape("long_text"), TEXT, longest=3), "four", None),
        (Conversion(TEXT, Shape("reference")), "no id", None),
    ],
)
def test_a_value_converts_or_says_that_it_does_not(conversion: Conversion, value: Any, expected: Any) -> None:
    if expected is None:
        with pytest.raises(ValueError):
            conversion(value)
    else:
        found = conversion(value)
        assert found == expected and type(found) is type(expected)
    assert conversion(None) is None
