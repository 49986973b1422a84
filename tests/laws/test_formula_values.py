"""Law: a formula has one value: generated Python == tree walk == SQLite == PostgreSQL, errors and blanks too.

About 2,000 (formula, record) pairs a run. At length:
    python tests/support/formulas.py 1000000 SEED [POSTGRES_URL]
"""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from formulas import ACCEPTED, ENVS, Database, Writer, compiled, database, in_database, in_process, records
from tabwright.formula.environment import Env
from tabwright.formula.faults import FormulaError

DATA = records(20, 20_240_229)


@pytest.fixture(scope="module")
def places(postgres_url: str) -> Iterator[list[Database]]:
    url = postgres_url.replace("postgresql://", "postgresql+psycopg://")
    with database("sqlite", None, DATA) as sqlite, database("postgresql", url, DATA) as postgresql:
        yield [sqlite, postgresql]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    choices=st.randoms(use_true_random=False),
    depth=st.integers(1, 3),
    mode=st.sampled_from(["blank", "zero"]),
    env=st.sampled_from(ENVS),
)
def test_a_formula_has_one_value(
    places: list[Database], choices: random.Random, depth: int, mode: str, env: Env
) -> None:
    text = Writer(choices).formula(depth)
    try:
        formula = compiled(text, blanks=mode)
    except FormulaError as error:
        assert {fault.code for fault in error.faults} <= ACCEPTED
        return
    expected = in_process(formula, DATA, env)
    for place in places:
        found = in_database(formula, place, env)
        assert found is None or found == expected, (text, place.dialect)
