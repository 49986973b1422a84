"""Law: what is asked of children has one value: tree walk == SQLite == PostgreSQL, errors and blanks too.

At length: python tests/support/kin.py FORMULAS [SEED] [POSTGRES_URL]
"""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kin import ALLOWED, House, KinWriter, compiled, family, house, in_database, in_process
from tabwright.formula.faults import FormulaError

HEADS = family(8, 20_240_229)


@pytest.fixture(scope="module")
def houses(postgres_url: str) -> Iterator[list[House]]:
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    with house("sqlite", None, HEADS) as sqlite, house("postgresql", url, HEADS) as postgresql:
        yield [sqlite, postgresql]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(choices=st.randoms(use_true_random=False), mode=st.sampled_from(["blank", "zero"]))
def test_a_question_about_children_has_one_answer(
    houses: list[House], choices: random.Random, mode: str
) -> None:
    text = KinWriter(choices).formula(2)
    try:
        formula = compiled(text, blanks=mode)
    except FormulaError as error:
        assert {fault.code for fault in error.faults} <= ALLOWED
        return
    expected = in_process(formula, HEADS)
    for place in houses:
        found = in_database(formula, place)
        assert found is None or found == expected, (text, place.dialect)
