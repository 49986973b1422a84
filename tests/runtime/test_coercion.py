"""What people and programs send becomes typed values, and everything else is refused with its reason."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabwright.formula.datatypes import TEXT
from tabwright.metadata.model import FieldDef, PicklistDef, PicklistValue
from tabwright.platform.errors import Fault, Place
from tabwright.platform.language import say_fault
from tabwright.runtime.records.coercion import Coercer, fault_of
from tabwright.runtime.records.values import Refused, clean, converter
from tabwright.runtime.sort_keys import folded, sort_key

ID = UUID("019b0000-0000-7000-8000-000000000001")


def field(type: str, **options: Any) -> FieldDef:
    return FieldDef("u", "account", options.pop("name", "x"), {"en": "X"}, type, TEXT, **options)


STAGES = PicklistDef(
    "p",
    "stage",
    {"en": "Stage"},
    (PicklistValue("new", {"en": "New"}), PicklistValue("old", {"en": "O"}, None, False)),
)
MONEY = {"precision": 8, "scale": 2}

GOOD: list[tuple[FieldDef, Any, Any]] = [
    (field("text"), "  hello ", "hello"),
    (field("text"), "   ", None),
    (field("text"), "e\u0301", "é"),
    (field("text"), 12, "12"),
    (field("text"), Decimal("1E+2"), "100"),
    (field("text", max_length=3), "重庆市", "重庆市"),
    (field("long_text"), "a\r\nb\rc", "a\nb\nc"),
    (field("text", pattern="[A-Z]{2}[0-9]+"), "AB12", "AB12"),
    (field("integer"), "1,234,567", Decimal(1234567)),
    (field("integer"), 5.0, Decimal(5)),
    (field("integer"), "１２", Decimal(12)),
    (field("currency", **MONEY), "4.985", Decimal("4.99")),
    (field("currency", **MONEY), "-4.985", Decimal("-4.99")),
    (field("currency", **MONEY), "-0.001", Decimal("0.00")),
    (field("currency", **MONEY), 0.1, Decimal("0.10")),
    (field("currency", **MONEY), 1, Decimal("1.00")),
    (field("percent", **MONEY), "50%", Decimal("50.00")),
    (field("percent", **MONEY), "12.5％", Decimal("12.50")),
    (field("progress"), "40%", Decimal(40)),
    (field("integer"), "30万", Decimal(300_000)),
    (field("integer"), "1亿2000万", Decimal(120_000_000)),
    (field("integer"), "−3千", Decimal(-3000)),
    (field("decimal", scale=2, precision=18), "1.5 亿", Decimal("150000000.00")),
    (field("decimal", scale=2, precision=18), "１，２００．５", Decimal("1200.50")),
    (field("currency", currency="CNY", **MONEY), "￥30", Decimal("30.00")),
    (field("currency", currency="CNY", **MONEY), "-30万元", Decimal("-300000.00")),
    (field("currency", currency="CNY", **MONEY), "RMB 1,200.5", Decimal("1200.50")),
    (field("currency", currency="USD", **MONEY), "$ -5", Decimal("-5.00")),
    (field("currency", currency="USD", **MONEY), "5 usd", Decimal("5.00")),
    (field("boolean"), "是", True),
    (field("boolean"), "0", False),
    (field("boolean"), 1, True),
    (field("boolean"), "", False),
    (field("date"), "2024-02-29", date(2024, 2, 29)),
    (field("date"), datetime(2024, 2, 29), date(2024, 2, 29)),
    (field("datetime"), "2026-01-31T09:30", datetime(2026, 1, 31, 1, 30, tzinfo=UTC)),
    (field("datetime"), "2026-01-31T09:30:00Z", datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
    (field("datetime"), "2026-01-31 09:30:00+02:00", datetime(2026, 1, 31, 7, 30, tzinfo=UTC)),
    (field("picklist", picklist=STAGES), "new", "new"),
    (field("picklist", picklist=STAGES), " new ", "new"),
    (field("lookup"), str(ID), ID),
    (field("lookup"), ID.hex, ID),
    (field("lookup"), {"id": str(ID), "name": "x"}, ID),
    (field("email"), "Ann.Lee@Example.COM", "Ann.Lee@example.com"),
    (field("email"), "张三@例子.公司", "张三@例子.公司"),
    (field("phone", country="CN"), "138 1234 5678", "+8613812345678"),
    (field("phone", country="CN"), "010-6552 9988", "+861065529988"),
    (field("phone", country="CN"), "+1 650 253 0000 ext. 12", "+16502530000;ext=12"),
    (field("url"), "example.com/a?b=1", "https://example.com/a?b=1"),
    (field("url"), "example.com:8080/a", "https://example.com:8080/a"),
    (field("url"), "HTTP://Example.com", "http://Example.com"),
    (field("url"), "mailto:a@b.com", "mailto:a@b.com"),
]

BAD: list[tuple[FieldDef, Any, str]] = [
    (field("text"), "a\x00b", "value.control_character"),
    (field("text"), "\ud800", "value.control_character"),
    (field("text"), "a\nb", "value.line_break"),
    (field("text"), ["a"], "value.not_text"),
    (field("text"), True, "value.not_text"),
    (field("text", max_length=3), "abcd", "value.too_long"),
    (field("text", pattern="[A-Z]+"), "AB1", "value.pattern"),
    (field("text", pattern="[A-Z]+", pattern_message={"en": "capitals"}), "a", "value.pattern_said"),
    (field("integer"), "1.5", "value.not_whole"),
    (field("integer"), "1,23", "value.not_number"),
    (field("integer"), "1e99", "value.too_big"),
    (field("integer"), "1万5", "value.not_number"),  # 15,000 to some, 10,005 to others
    (field("integer"), "3千5万", "value.not_number"),
    (field("integer"), "万", "value.not_number"),
    (field("decimal", **MONEY), "12%", "value.not_number"),  # 12 or 0.12
    (field("currency", currency="CNY", **MONEY), "$30", "value.other_currency"),
    (field("currency", currency="CNY", **MONEY), "100万", "value.too_big"),
    (field("integer"), Decimal("1E+999999"), "value.too_big"),
    (field("integer"), "", ""),
    (field("integer"), float("nan"), "value.not_number"),
    (field("integer"), True, "value.not_number"),
    (field("currency", **MONEY), "1000000", "value.too_big"),
    (field("currency", **MONEY), "999999.999", "value.too_big"),
    (field("decimal", minimum=Decimal(0), **MONEY), "-1", "value.below"),
    (field("decimal", maximum=Decimal(5), **MONEY), "5.01", "value.above"),
    (field("boolean"), "maybe", "value.not_boolean"),
    (field("boolean"), 2, "value.not_boolean"),
    (field("date"), "2023-02-29", "value.no_such_day"),
    (field("date"), "20240101", "value.not_date"),
    (field("date"), "01/02/2024", "value.not_date"),
    (field("date"), datetime(2024, 1, 1, 5), "value.not_date"),
    (field("datetime"), "2026-01-31", "value.not_moment"),
    (field("datetime"), "0001-01-01T00:00", "value.not_moment"),
    (field("picklist", picklist=STAGES), "New", "value.not_in_list"),
    (field("lookup"), "abc", "value.not_id"),
    (field("lookup"), 5, "value.not_id"),
    (field("email"), "a@b@c", "value.not_email"),
    (field("email"), "a@localhost", "value.not_email"),
    (field("phone"), "12345", "value.not_phone"),
    (field("phone"), "call me", "value.not_phone"),
    (field("url"), "javascript:alert(1)", "value.url_scheme"),
    (field("url"), "data:text/html,x", "value.url_scheme"),
    (field("url"), "https://", "value.not_url"),
    (field("url"), "https://a b.com", "value.not_url"),
    (field("url"), "x", "value.not_url"),
]


@pytest.mark.parametrize(
    ("kind", "sent", "typed"), GOOD, ids=lambda each: getattr(each, "type", repr(each)[:30])
)
def test_a_value_that_fits_becomes_typed(kind: FieldDef, sent: Any, typed: Any) -> None:
    found = converter(kind, "Asia/Shanghai")(sent)
    assert found == typed and type(found) is type(typed)
    if typed is not None:  # what was made is taken again, unchanged
        assert converter(kind, "Asia/Shanghai")(typed) == typed


@pytest.mark.parametrize(
    ("kind", "sent", "code"), BAD, ids=lambda each: getattr(each, "type", repr(each)[:30])
)
def test_a_value_that_does_not_fit_is_refused_with_its_reason(kind: FieldDef, sent: Any, code: str) -> None:
    convert = converter(kind, "Asia/Shanghai")
    if not code:
        assert convert(sent) is None
        return
    with pytest.raises(Refused) as refused:
        convert(sent)
    assert refused.value.code == code


def test_a_pattern_that_would_take_for_ever_elsewhere_is_matched_in_linear_time() -> None:
    convert = converter(field("text", pattern="(a+)+b", max_length=4000), "UTC")
    with pytest.raises(Refused):
        convert("a" * 3000)


@given(st.text())
def test_cleaning_a_text_twice_is_cleaning_it_once(text: str) -> None:
    try:
        once = clean(text)
    except Refused:
        return
    assert once is None or clean(once) == once


@given(st.text(max_size=60), st.text(max_size=60))
def test_sort_keys_tell_any_two_texts_apart_and_case_does_not_part_them(a: str, b: str) -> None:
    assert (sort_key(a) == sort_key(b)) == (a == b)
    assert folded(a.upper()) == folded(a.upper().upper())


def test_han_sorts_by_pinyin_among_latin_words() -> None:
    names = ["赵云", "Zebra", "安娜", "Anna", "重庆银行", "长安", "beta", "王明", "王敏华"]
    assert sorted(names, key=sort_key) == [
        "安娜", "Anna", "beta", "长安", "重庆银行", "王敏华", "王明", "Zebra", "赵云",
    ]  # fmt: skip


def test_all_faults_of_a_record_come_at_once_each_at_its_field() -> None:
    from types import SimpleNamespace

    number, text = field("integer", name="size"), field("text", name="title")
    secret = field("text", name="secret")
    fields = {each.name: each for each in (number, text, secret)}
    object: Any = SimpleNamespace(
        name="account", fields=fields, field_aliases={"label": "title"}, find=lambda name: fields.get(name)
    )
    coerce = Coercer(object, [number, text], [number, text], "UTC")
    faults: list[Fault] = []
    sent = {"size": "many", "label": " ok ", "secret": 1, "nothing": 2, "titel": 3}
    assert coerce(sent, "en", Place(row=7), faults) == {"title": "ok"}
    assert [(fault.code, fault.place.field, fault.place.row) for fault in faults] == [
        ("value.not_number", "size", 7),
        ("field.unknown", "secret", 7),  # not readable: no other answer than for what does not exist
        ("field.unknown", "nothing", 7),
        ("field.unknown_near", "titel", 7),
    ]


def test_a_refused_number_says_how_one_is_written() -> None:
    for kind, chinese, english in (
        (field("integer"), "30万", "1,200"),
        (field("currency", currency="USD"), "$1200", "$1200"),
        (field("percent"), "12.5%", "12.5%"),
    ):
        with pytest.raises(Refused) as refused:
            converter(kind, "UTC")("many")
        assert chinese in say_fault(fault_of(refused.value, Place(), "zh"), "zh")
        assert english in say_fault(fault_of(refused.value, Place(), "en"), "en")
