"""Warnings: what is a formula, but probably not the one that was meant."""

import pytest

from formulas import Names
from tabwright.formula.faults import say
from tabwright.formula.linting import warnings


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("2 * n ^ 2", ["n ^ 2"]),
        ("n ^ 2 * 3", ["n ^ 2"]),
        ("amount / n^2 / 3", ["n^2"]),
        ("(2 * n ^ 2)", ["n ^ 2"]),
        ("2 * (n ^ 2)", []),
        ("(n ^ 2) * 3", []),
        ("( n ^ 2 ) * ( m ^ 2 )", []),
        ("(2 * n) ^ 2", []),
        ("n ^ 2 + 3", []),
        ("-n ^ 2", []),
        ("n ^ 2 ^ 3", []),
        ("2 * ROUND(n ^ 2, 1)", []),
        ("ROUND(n * m ^ 2, 1) + amount * n ^ 3", ["m ^ 2", "n ^ 3"]),
    ],
)
def test_a_power_beside_a_product_wants_brackets(text: str, where: list[str]) -> None:
    found = warnings(text, Names())
    assert [text[fault.start : fault.end] for fault in found] == where
    assert all(fault.code == "FORMULA_MIXED_POWER" and fault.hint for fault in found)
    assert all(say(fault, "zh") != say(fault, "en") for fault in found)


@pytest.mark.parametrize(
    ("text", "dialect", "blanks", "names"),
    [
        ("ISBLANK(amount)", "sf", "zero", ["amount"]),
        ("BLANKVALUE(rate, 1) + NULLVALUE(n, 2)", "sf", "zero", ["rate", "n"]),
        ("ISBLANK(amount)", "sf", "blank", []),
        ("ISBLANK(amount)", "tabwright", "zero", []),
        ("ISBLANK(name) || ISBLANK(close)", "sf", "zero", []),
        ("ISBLANK(amount + 1)", "sf", "zero", []),
    ],
)
def test_a_number_that_counts_as_zero_is_never_blank_in_imported_formulas(
    text: str, dialect: str, blanks: str, names: list[str]
) -> None:
    found = warnings(text, Names(), blanks=blanks, dialect=dialect)  # type: ignore[arg-type]
    assert [fault.params["name"] for fault in found] == names
    assert {fault.code for fault in found} <= {"FORMULA_NEVER_BLANK"}


def test_in_imported_formulas_the_product_inside_a_power_wants_brackets() -> None:
    text = "2 * n ^ 2"
    (fault,) = warnings(text, Names(), dialect="sf")
    assert text[fault.start : fault.end] == "2 * n"
