"""Law: a tidied formula means what it meant, keeps its comments, and is tidy."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from formulas import Writer
from tabwright.formula.faults import FormulaError
from tabwright.formula.formatting import tidy
from tabwright.formula.lexer import tokenize
from tabwright.formula.parser import parse

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@settings(max_examples=300, deadline=None)
@given(
    choices=st.randoms(use_true_random=False),
    depth=st.integers(1, 4),
    places=st.lists(st.integers(0, 400), max_size=4),
    width=st.sampled_from([12, 40, 80]),
)
def test_tidy_keeps_the_meaning_and_the_comments(
    choices: random.Random, depth: int, places: list[int], width: int
) -> None:
    text = Writer(choices).formula(depth)
    cuts = [0, *(token.end for token in tokenize(text))]
    for number, place in enumerate(sorted(places, reverse=True)):
        at = cuts[place % len(cuts)]
        text = f"{text[:at]} /* note {number} */ {text[at:]}"
    try:
        before = parse(text)
    except FormulaError:
        return
    found = tidy(text, width)
    assert parse(found) == before
    assert sorted(COMMENT.findall(found)) == sorted(COMMENT.findall(text))
    assert tidy(found, width) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("amount*( 1-rate )", "amount * (1 - rate)"),
        ("((amount))", "amount"),
        (
            "/* tiers */ IF(amount>1000000,amount*0.08,IF(amount>500000,amount*0.05,amount*0.03))",
            "/* tiers */\nIF(\n  amount > 1000000,\n  amount * 0.08,\n"
            "  IF(amount > 500000, amount * 0.05, amount * 0.03)\n)",
        ),
        (
            'ok && (stage = "a long text to compare with" || name = "another very long text") && amount > 0',
            'ok\n  && (stage = "a long text to compare with" || name = "another very long text")\n'
            "  && amount > 0",
        ),
        ("NOT(ok /* sure? */)", "NOT ok\n/* sure? */"),
        ("'/* no comment */' & \"it's\"", '"/* no comment */" & "it\'s"'),
    ],
)
def test_tidy(text: str, found: str) -> None:
    assert tidy(text) == found


def test_what_is_no_formula_stays_with_who_typed_it() -> None:
    with pytest.raises(FormulaError):
        tidy("IF(amount >")
