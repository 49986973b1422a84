"""One record on each database, for formulas that need no table of their own."""

from collections.abc import Iterator

import pytest

from formulas import Database, database, records


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database with one record in it."""
    url = None
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url").replace("postgresql://", "postgresql+psycopg://")
    with database(request.param, url, records(1, 1)) as found:
        yield found
