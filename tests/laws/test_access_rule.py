"""One definition, two readings: a record rule as SQL keeps exactly the records for which it says yes."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stores import DIALECTS, new_tenant_store, open_stores, settings_for
from tabwright.platform.database import Store, create_tables, prepare
from tabwright.platform.tables import Uuid, uuid_of
from tabwright.runtime.access.record_rule import RecordRule

PEOPLE = [UUID(int=n + 1) for n in range(6)]
OWNED = sa.Table(
    "owned", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), sa.Column("owner", Uuid)
)

rules = st.builds(RecordRule, st.booleans(), st.lists(st.sampled_from(PEOPLE), max_size=6).map(tuple))


@pytest.fixture(scope="module", params=DIALECTS)
def owned(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Two records of each person, and two of nobody."""
    with open_stores(settings_for(request.param, tmp_path_factory.mktemp("law"))) as stores:
        store = new_tenant_store(stores)
        create_tables(store, OWNED.metadata)
        owners = [None, None, *PEOPLE, *PEOPLE]
        with store.write() as writer:
            writer.connection.execute(
                sa.insert(OWNED), [{"id": n, "owner": owner} for n, owner in enumerate(owners)]
            )
        yield store


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=rules)
def test_sql_and_yes_or_no_agree(owned: Store, rule: RecordRule) -> None:
    statement: sa.Select[Any] = sa.select(OWNED.c.id, OWNED.c.owner)
    condition = rule.sql(lambda name: OWNED.c[name])
    kept = statement if condition is None else statement.where(condition)
    with owned.read() as reader:
        everything = reader.rows(prepare(owned, statement))
        found = {row[0] for row in reader.rows(prepare(owned, kept), rule.parameters())}
    said = {
        id for id, owner in everything if rule.holds({"owner": None if owner is None else uuid_of(owner)})
    }
    assert found == said


@given(rule=rules, other=rules)
def test_equal_shapes_are_equal_statements(rule: RecordRule, other: RecordRule) -> None:
    def text(each: RecordRule) -> str:
        return str(each.sql(lambda name: OWNED.c[name]))

    assert (rule.shape == other.shape) == (text(rule) == text(other))
