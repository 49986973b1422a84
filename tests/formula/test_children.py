"""What a formula asks of the records that name a record: values by hand, blanks, faults, places."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from formulas import FIELDS
from kin import House, Person, compiled, house, in_database, in_process
from tabwright.formula.faults import FormulaError
from tabwright.formula.rewrite import Reference, names_children, references
from tabwright.formula.scope import Place

BLANK: Mapping[str, Any] = dict.fromkeys(FIELDS)


def person(id: int, *children: Person, **values: Any) -> Person:
    return Person(id, {**BLANK, **values}, list(children))


HEADS = [
    person(1),
    person(
        2,
        person(10, person(20, n=Decimal(1)), amount=Decimal("1.50"), n=Decimal(3), name="b", ok=True),
        person(11, amount=None, n=Decimal(1), ok=False),
        person(12, person(21), person(22), amount=Decimal("2.25"), n=None, name="a", ok=True),
        name="head",
    ),
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Iterator[House]:
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+psycopg://")
    with house(request.param, url, HEADS) as found:
        yield found


D = Decimal
# A formula, its value for a record without children, and for one with three (a deleted one besides).
CASES = [
    ("COUNT(kid)", D(0), D(3)),
    ("COUNT(kid.parent)", D(0), D(3)),
    ("COUNT(kid, amount > 2)", D(0), D(1)),
    ("COUNTDISTINCT(kid, ok)", D(0), D(2)),
    ("COUNTDISTINCT(kid, name)", D(0), D(2)),
    ("SUM(kid, amount)", D(0), D("3.75")),
    ("SUM(kid, amount * n)", D(0), D("4.50")),
    ("SUM(kid, amount, NOT ok)", D(0), D(0)),
    ("AVG(kid, amount)", None, D("1.875")),
    ("AVG(kid, n)", None, D(2)),
    ("MIN(kid, amount)", None, D("1.50")),
    ("MAX(kid, n, ok)", None, D(3)),
    ("MAX(n, 4)", None, None),
    ("ANY(kid)", False, True),
    ("ANY(kid, n = 7)", False, False),
    ("ALL(kid, ok)", True, False),
    ("ALL(kid, ok, amount > 0)", True, True),
    ('JOIN(kid, name, ", ")', None, "b, a"),
    ('JOIN(kid, TEXT(n), "-", n > 0)', None, "3-1"),
    ("FIRST(kid, name, n)", None, None),
    ("FIRST(kid, name, n, n > 1)", None, "b"),
    ("FIRST(kid, n, name)", None, None),
    ("LAST(kid, name, n)", None, "b"),
    ("LAST(kid, amount, amount)", None, D("2.25")),
    ("SUM(kid, COUNT(toy))", D(0), D(3)),
    ("COUNT(kid, COUNT(toy) = 0)", D(0), D(1)),
    ("SUM(kid, SUM(toy, n))", D(0), D(1)),
    ('IF(COUNT(kid) > 0, name & ": " & COUNT(kid), "none")', "none", "head: 3"),
    ("SUM(kid, 1 / n)", D(0), D("1.333333333333333333")),
    ("SUM(kid, 1 / (n - 1))", D(0), "error"),
    ("COUNT(kid, 1 / (n - 1) > 0)", D(0), "error"),
    ("IF(FALSE, SUM(kid, 1 / (n - 1)), 7)", D(7), D(7)),
]


@pytest.mark.parametrize(("text", "none", "three"), CASES)
def test_a_question_has_its_answer(place: House, text: str, none: Any, three: Any) -> None:
    formula = compiled(text)
    assert in_process(formula, HEADS) == [none, three]
    assert in_database(formula, place) == [none, three]


def test_where_blanks_are_zeroes_a_field_alone_is_still_skipped_when_it_is_blank(place: House) -> None:
    for text, expected in [("AVG(kid, n)", D(2)), ("AVG(kid, n + 0)", D("1.333333333333333333"))]:
        assert in_database(compiled(text, blanks="zero"), place) == [None, expected]


def test_a_total_beyond_64_bits_is_exact_and_one_beyond_the_number_model_is_an_error(place: House) -> None:
    assert in_database(compiled("SUM(kid, 99999999999999999.25 * 6)"), place) == [
        D(0),
        D("1799999999999999986.50"),
    ]
    assert in_database(compiled("SUM(kid, 50000000000000000000)"), place) == [D(0), "error"]
    assert in_process(compiled("AVG(kid, 50000000000000000000)"), HEADS) == [None, "error"]
    assert in_database(compiled("AVG(kid, 50000000000000000000)"), place) == [None, "error"]


FAULTS = [
    ("COUNT(kids)", "FORMULA_UNKNOWN_RELATION", (6, 10), "kid"),
    ("COUNT(amount)", "FORMULA_UNKNOWN_RELATION", (6, 12), None),
    ("COUNT(1 + 1)", "FORMULA_NEEDS_RELATION", (6, 11), None),
    ("COUNT()", "FORMULA_WRONG_COUNT", (0, 5), None),
    ("SUM(kid)", "FORMULA_WRONG_COUNT", (0, 3), None),
    ("SUM(kid, name)", "FORMULA_WRONG_TYPE", (9, 13), None),
    ("SUM(kid, amunt)", "FORMULA_UNKNOWN_FIELD", (9, 14), "amount"),
    ("SUM(kid, amount, n)", "FORMULA_WRONG_TYPE", (17, 18), None),
    ("MIN(kid, name)", "FORMULA_WRONG_TYPE", (9, 13), None),
    ("JOIN(kid, name, name)", "FORMULA_NEEDS_LITERAL", (16, 20), None),
    ('COUNT(kid, REGEX(name, "a+"))', "FORMULA_NOT_HERE", (11, 16), None),
    ("COUNT(kid, ISCHANGED(name))", "FORMULA_NOT_HERE", (11, 20), None),
    ("SUM(kid, SUM(toy, COUNT(head)))", "FORMULA_UNKNOWN_RELATION", (24, 28), None),
    ("SUM(kid, n ^ n)", "FORMULA_NOT_IN_SQL", (9, 14), None),
]


@pytest.mark.parametrize(("text", "code", "span", "hint"), FAULTS)
def test_a_fault_says_where_and_what_was_meant(
    text: str, code: str, span: tuple[int, int], hint: str | None
) -> None:
    with pytest.raises(FormulaError) as raised:
        compiled(text)
    fault = raised.value.faults[0]
    assert (fault.code, (fault.start, fault.end), fault.hint) == (code, span, hint)


@pytest.mark.parametrize("place", Place)
def test_children_can_be_asked_in_every_place(place: Place) -> None:
    assert compiled("COUNT(kid, n > 1) > 2", place=place).pushable == {"sqlite": None, "postgresql": None}


def test_what_children_are_asked_is_no_field_of_the_record() -> None:
    formula = compiled("SUM(kid, amount) + n")
    assert formula.paths == {("id",), ("n",)}
    assert not formula.uses_now and compiled("COUNT(kid, close < TODAY())").uses_now


def test_names_know_whose_they_are() -> None:
    text = "n + SUM(Kid, Amount, COUNT(toy, m > 1) = n) + MAX(n, m) - m"
    assert references(text) == [
        Reference(0, 1, ("n",)),
        Reference(8, 11, ("kid",), True),
        Reference(13, 19, ("amount",), False, (("kid",),)),
        Reference(27, 30, ("toy",), True, (("kid",),)),
        Reference(32, 33, ("m",), False, (("kid",), ("toy",))),
        Reference(41, 42, ("n",), False, (("kid",),)),
        Reference(50, 51, ("n",), True),
        Reference(53, 54, ("m",), False, (("n",),)),
        Reference(58, 59, ("m",)),
    ]
    assert names_children(text) and not names_children("MAX(n + 1, m)") and not names_children("(")
