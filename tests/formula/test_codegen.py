"""Generated Python: nothing of the user's in it, and nothing but a few kinds of node."""

import random
from decimal import Context, Decimal, setcontext

import pytest

from formulas import ENV, Writer, compiled
from sources import check_source
from tabwright.formula.codegen import write
from tabwright.formula.faults import FormulaError


def test_the_source_holds_only_what_is_on_the_list() -> None:
    writer = Writer(random.Random(7))
    for _ in range(300):
        try:
            formula = compiled(writer.formula(4))
        except FormulaError:
            continue
        check_source(write(formula.root, formula.reads)[0])


@pytest.mark.parametrize(
    "text",
    [
        '\'__import__("os").system("x")\' & name',
        '"\'); raise SystemExit #" & name',
        "IF(name = 'f0', 'k0', '{0.__class__}')",
    ],
)
def test_what_a_user_types_stays_a_constant(text: str) -> None:
    formula = compiled(text)
    source, constants = write(formula.root, formula.reads)
    check_source(source)
    for word in ("import", "raise", "class", "SystemExit"):
        assert word not in source
    assert any(isinstance(value, str) and value in text for value in constants.values())


def test_a_chain_of_any_length_is_compiled() -> None:
    assert compiled(" + ".join(["n"] * 200)).evaluator()((Decimal(2),), ENV) == 400
    assert compiled(" & ".join(["name"] * 200)).evaluator()(("ab",), ENV) == "ab" * 200
    deep = "IF(n = 1, 0, " * 55 + "1 / n" + ")" * 55
    assert compiled(deep).evaluator()((Decimal(2),), ENV) == Decimal("0.5")
    wide = "IFS(" + ", ".join(f"ROUND(n / {i}, 2) = 1, {i}" for i in range(1, 80)) + ", 0)"
    assert compiled(wide).evaluator()((Decimal(77),), ENV) == 77
    sums = "(1 + " * 58 + "n / 3" + ")" * 58
    assert compiled(sums).evaluator()((Decimal(3),), ENV) == 59


def test_the_number_model_is_the_context_of_whoever_evaluates() -> None:
    setcontext(Context(prec=5))
    value = compiled("n / 3 + 12345678901").evaluator()((Decimal(1),), ENV)
    assert value == Decimal("12345678901.333333333333333333")
    setcontext(Context(prec=5))
    exact = compiled("-12345678901.123456789 + n")
    assert exact.evaluator()((Decimal(0),), ENV) == Decimal("-12345678901.123456789")


def test_the_same_formula_is_compiled_once() -> None:
    formula = compiled("amount + 1")
    assert formula.evaluator() is formula.evaluator()
    one, other = (compiled(text).evaluator() for text in ("amount + 2", "price + 3"))
    assert one.__code__ is other.__code__
    assert one((Decimal(1),), ENV) != other((Decimal(1),), ENV)
