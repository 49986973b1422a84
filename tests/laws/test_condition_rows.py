"""Rows of a condition and its formula are two sights of one thing."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores import DIALECTS, open_stores, settings_for
from tabwright.formula.parser import parse
from tabwright.formula.printer import print_formula
from tabwright.metadata.model import FieldDef
from tabwright.platform.errors import Invalid
from tabwright.platform.language import say
from tabwright.runtime.conditions.builder import (
    EMPTY,
    Group,
    Row,
    from_json,
    kind_of,
    normal,
    read,
    to_json,
    write,
)
from tabwright.runtime.conditions.operators import Operator, kinds, operator, operators
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from world import World, field_doc, make_world, object_doc

FIELDS = {
    "name": ("text", {}),
    "size": ("decimal", {"precision": 12, "scale": 2}),
    "share": ("percent", {}),
    "done": ("boolean", {}),
    "day": ("date", {}),
    "at": ("datetime", {}),
    "stage": (
        "picklist",
        {"values": [{"code": code, "label": {"en": code}} for code in ("new", "won", "lost")]},
    ),
    "tags": (
        "multi_picklist",
        {"values": [{"code": code, "label": {"en": code}} for code in ("new", "won", "lost")]},
    ),
    "opens": ("time", {}),
    "extra": ("json", {}),
    "parent": ("lookup", {"target": "thing"}),
    "helper": ("user", {}),
}
DOCUMENTS = [
    object_doc("thing"),
    *(field_doc(f"thing.{name}", type, options=options) for name, (type, options) in FIELDS.items()),
]


@pytest.fixture(scope="module", params=DIALECTS)
def things(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_stores(settings_for(request.param, tmp_path_factory.mktemp("law"))) as stores:
        yield make_world(stores, DOCUMENTS)


@pytest.fixture(scope="module")
def sight(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_stores(settings_for("sqlite", tmp_path_factory.mktemp("law"))) as stores:
        yield make_world(stores, DOCUMENTS)


def resolver(world: World) -> Any:
    fields = world.model.objects["thing"].fields

    def resolve(path: str) -> FieldDef | None:
        if path.startswith("parent."):
            return fields.get(path.removeprefix("parent."))
        return fields.get(path)

    return resolve


numbers = st.decimals(-(10**9), 10**9, places=2, allow_nan=False).map(lambda n: f"{n:f}")
texts = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=12)
given_values = {
    "text": texts | st.sampled_from(['"', "\\", "');--", "客户 A", "{{7*7}}"]),
    "number": numbers,
    "date": st.dates().map(date.isoformat),
    "time": st.times().map(lambda each: f"{each:%H:%M:%S}"),
    "count": st.integers(0, 99_999).map(str),
    "codes": st.sampled_from(["new", "won", "lost"]),
    "ids": st.uuids().map(lambda id: id.hex),
}


def values_for(each: Operator) -> st.SearchStrategy[tuple[str, ...]]:
    if each.operands in (("codes",), ("ids",)):
        return st.lists(given_values[each.operands[0]], min_size=1, max_size=3, unique=True).map(tuple)
    return st.tuples(*(given_values[operand] for operand in each.operands))


def kind(name: str) -> str:
    type = FIELDS[name.rpartition(".")[2]][0]
    plain = {
        "multi_picklist": "choices",
        "json": "opaque",
        "decimal": "number",
        "percent": "number",
        "lookup": "reference",
        "user": "person",
    }
    return plain.get(type, type)


@st.composite
def rows(draw: st.DrawFn) -> Row:
    path = draw(st.sampled_from([*FIELDS, "parent.name", "parent.day"]))
    each = draw(st.sampled_from(operators(kind(path))))
    return Row(path, each.name, draw(values_for(each)))


groups = st.recursive(
    rows(),
    lambda inner: st.builds(
        Group, st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=2, max_size=4).map(tuple)
    ),
    max_leaves=12,
)


def plain(part: Row | Group) -> bool:
    """All in all is all, so a builder shows no group for it; nor for any in any, or any in none."""
    if isinstance(part, Row):
        return True
    same = "any" if part.join == "none" else part.join
    return all(plain(each) and getattr(each, "join", "") != same for each in part.parts)


def depth(part: Row | Group) -> int:
    return 0 if isinstance(part, Row) else 1 + max(map(depth, part.parts), default=0)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=groups.filter(lambda part: depth(part) <= 4 and plain(part)))
def test_builder_to_formula_to_builder_changes_nothing(sight: World, part: Row | Group) -> None:
    group = part if isinstance(part, Group) else Group("all", (part,))
    resolve = resolver(sight)
    shown = normal(group, resolve)
    formula = write(group, resolve)
    assert shown == group or _numbers_aside(shown) == _numbers_aside(group)
    assert write(shown, resolve) == formula
    assert print_formula(parse(formula)) == formula
    assert from_json(to_json(shown)) == shown


def _numbers_aside(part: Row | Group) -> Any:
    """Percents may gain a place: 5.00 % is 0.0500."""
    if isinstance(part, Group):
        return part.join, [_numbers_aside(each) for each in part.parts]
    is_number = kind(part.path) == "number"
    return part.path, part.operator, [Decimal(v) if is_number else v for v in part.values]


@pytest.mark.parametrize("name", FIELDS)
def test_every_row_is_a_filter_on_both_databases(things: World, name: str) -> None:
    resolve = resolver(things)
    reads = Reads(things.call)
    id = UUID(int=7).hex
    samples = {"text": "x", "number": "5", "date": "2026-03-01", "count": "3", "codes": "won", "ids": id}
    samples |= {"time": "09:30"}
    for path in (name, f"parent.{name}"):
        for each in operators(kind(name)):
            row = Row(path, each.name, tuple(samples[operand] for operand in each.operands))
            formula = write(Group("all", (row,)), resolve)
            assert reads.list(Query("thing", fields=("id",), where=formula)).rows == [], formula


def test_what_the_words_say_is_what_is_found(things: World) -> None:
    """Rows against the plain meaning of their words, on records with blanks."""
    stored: list[dict[str, Any]] = [
        {"name": "甲", "size": "5", "share": "50", "stage": "won", "done": True, "day": "2026-02-28"},
        {"name": "乙", "size": "-1", "share": "49", "stage": "new", "day": "2026-03-01"},
        {"name": "丙", "at": "2026-02-28T20:00:00Z"},  # the first of March in Shanghai
    ]
    for each in stored:
        things.records.create("thing", each)
    resolve, reads = resolver(things), Reads(things.call)

    def found(*parts: Row, join: Any = "all") -> str:
        page = reads.list(Query("thing", fields=("name",), where=write(Group(join, parts), resolve)))
        return "".join(sorted(str(row["name"]) for row in page.rows))

    def names(text: str) -> str:
        return "".join(sorted(text))

    assert found(Row("size", "at_least", ("5",))) == "甲"
    assert found(Row("size", "between", ("-1", "4.99"))) == "乙"
    assert found(Row("share", "at_least", ("50",))) == "甲"
    assert found(Row("size", "blank")) == "丙"
    assert found(Row("stage", "any_of", ("won", "new"))) == names("甲乙")
    assert found(Row("stage", "none_of", ("won",))) == names("乙丙")
    assert found(Row("done", "yes")) == "甲"
    assert found(Row("done", "no")) == names("乙丙")
    assert found(Row("day", "before", ("2026-03-01",))) == "甲"
    assert found(Row("at", "is", ("2026-03-01",))) == "丙"
    assert found(Row("name", "is_not", ("甲",))) == names("乙丙")
    assert found(Row("name", "contains", ("甲",)), Row("size", "below", ("0",)), join="any") == names("甲乙")
    assert found(Row("name", "contains", ("甲",)), Row("size", "below", ("0",)), join="none") == "丙"


def test_what_rows_cannot_say_stays_a_formula(sight: World) -> None:
    resolve = resolver(sight)
    assert read("", resolve) == EMPTY
    for formula in (
        "size * 2 > 5",
        "size > share",
        "secret = 1",
        "name =",
        "IF(done, size > 1, size > 2)",
        'LEFT(name, 1) = "a"',
        "TRUE",
    ):
        assert read(formula, resolve) is None, formula
    assert read('ISPICKVAL(stage, "won")', resolve) == Group("all", (Row("stage", "any_of", ("won",)),))
    assert read("done = true && Size >= 3", lambda path: resolve(path.lower())) is not None


def test_a_wrong_row_is_named(sight: World) -> None:
    wrong = Group(
        "all",
        (
            Row("size", "above", ("12x",)),
            Group("any", (Row("nothing", "is", ("1",)), Row("name", "is"))),
            Row("day", "before", ("2026-02-30",)),
            Row("name", "above", ("1",)),
        ),
    )
    with pytest.raises(Invalid) as caught:
        write(wrong, resolver(sight))
    assert [(fault.place.row, fault.code) for fault in caught.value.faults] == [
        (1, "condition.not_number"),
        (2, "condition.no_field"),
        (3, "condition.no_value"),
        (4, "condition.not_date"),
        (5, "condition.no_operator"),
    ]


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"all": {}},
        {"all": [1]},
        {"some": []},
        {"all": [], "any": []},
        {"all": [{"field": 1, "is": "x"}]},
        {"all": [{"field": "a", "is": "is", "values": [1]}]},
        {"all": [{"any": [{"all": [{"any": [{"all": []}]}]}]}]},
    ],
)
def test_hostile_shapes_are_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        from_json(value)


def test_every_operator_has_words() -> None:
    for each in kinds():
        for one in operators(each):
            assert operator(each, one.name) is one
            for language in ("zh", "en"):
                assert say(f"condition.op.{one.name}", {}, language) != f"condition.op.{one.name}"


def test_kinds_of_fields(sight: World) -> None:
    fields = sight.model.objects["thing"].fields
    assert {name: kind_of(fields[name]) for name in FIELDS} == {name: kind(name) for name in FIELDS}
