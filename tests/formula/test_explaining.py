"""An explanation says what every sub-expression gave, what was passed over, and where it went wrong."""

import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formulas import ENV, Writer, compiled, record
from tabwright.formula.explaining import Step, explain
from tabwright.formula.faults import EvaluationError, FormulaError
from tabwright.formula.treewalk import evaluate
from tabwright.formula.typed import Read

RECORD: Mapping[str, Any] = {
    "amount": Decimal("200"),
    "price": Decimal("0"),
    "rate": Decimal("12"),
    "n": None,
    "ok": True,
    "stage": "won",
    "name": "甲",
    "account.name": "杉木",
}


def explained(text: str, hidden: tuple[str, ...] = (), **options: Any) -> Step:
    formula = compiled(text, **options)
    values = [RECORD.get(".".join(read.path)) for read in formula.reads]
    return explain(formula, values, ENV, [Read(tuple(each.split("."))) for each in hidden], result=True)


def lines(step: Step, depth: int = 0) -> list[str]:
    said = {"value": str(step.value), "error": "!", "skipped": "-", "hidden": "?"}[step.state]
    own = ["  " * depth + f"{step.text}: {said}"]
    return own + [line for part in step.parts for line in lines(part, depth + 1)]


def test_every_sub_expression_has_its_value() -> None:
    assert lines(explained("amount * (1 - rate) + LEN(account.name)")) == [
        "amount * (1 - rate) + LEN(account.name): 178.00",
        "  amount * (1 - rate): 176.00",
        "    amount: 200",
        "    1 - rate: 0.88",
        "      rate: 0.12",
        "  LEN(account.name): 2",
        "    account.name: 杉木",
    ]


def test_what_was_passed_over_is_skipped() -> None:
    step = explained("IF(ok, amount, 1 / price)")
    assert lines(step) == [
        "IF(ok, amount, 1 / price): 200",
        "  ok: True",
        "  amount: 200",
        "  1 / price: -",
        "    price: -",
    ]
    assert step.failing is None


def test_an_error_stands_where_it_arose() -> None:
    step = explained("IF(ok, amount + 100 / price, 0)")
    assert [each.text for each in step.all() if each.state == "error"] == [
        "IF(ok, amount + 100 / price, 0)",
        "amount + 100 / price",
        "100 / price",
    ]
    failing = step.failing
    assert failing is not None and failing.error is not None
    assert (failing.text, failing.error.code) == ("100 / price", "FORMULA_DIVISION_BY_ZERO")
    assert (failing.start, failing.end) == (16, 27)


def test_zero_mode_and_percent() -> None:
    assert explained("n + 1", blanks="zero").parts[0].value == 0
    assert explained("n + 1").value is None and explained("n + 1").parts[0].value is None


def test_a_hidden_input_is_neither_named_nor_told() -> None:
    step = explained("IF(rate > 0.1, amount, price) + LEN(name)", hidden=("rate",))
    assert lines(step) == [
        "IF(… > 0.1, amount, price) + LEN(name): 201",
        "  IF(… > 0.1, amount, price): ?",
        "    … > 0.1: ?",
        "      …: ?",
        "    amount: 200",
        "    price: 0",  # as if it had been looked at: what was skipped would tell the condition
        "  LEN(name): 1",
        "    name: 甲",
    ]
    assert lines(explained("rate", hidden=("rate",))) == ["…: 0.12"], "the value itself is the field's"


@settings(max_examples=150, deadline=None)
@given(choices=st.randoms(use_true_random=False), depth=st.integers(1, 4), seed=st.integers(0, 50))
def test_the_whole_is_what_the_oracle_says(choices: random.Random, depth: int, seed: int) -> None:
    try:
        formula = compiled(Writer(choices).formula(depth))
    except FormulaError:
        return
    given_record = record(random.Random(seed))
    values = [given_record[".".join(read.path)] for read in formula.reads]
    step = explain(formula, values, ENV)
    try:
        value = evaluate(formula.root, formula.reads, values, ENV)
        assert (step.state, step.value) == ("value", value)
    except EvaluationError as error:
        assert step.failing is not None and step.failing.error is not None
        assert (step.failing.error.code, step.state) == (error.code, "error")
    for each in step.all():
        assert all(each.start <= part.start and part.end <= each.end for part in each.parts)
    hidden = explain(formula, values, ENV, formula.reads)
    assert all(each.state == "hidden" for each in hidden.all() if each.read and each.read.path[0][0] != "$")
    assert hidden.state == "hidden" or not formula.reads


@pytest.mark.parametrize("text", ["amount", "TODAY()", '"x"', "-amount", "PRIORVALUE(amount) = 1", "ISNEW()"])
def test_small_ones(text: str) -> None:
    assert explained(text).state in ("value", "hidden")
