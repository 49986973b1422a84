"""The read path below the API: statements, plans, joins, readings."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from models import document, documents
from tabwright.platform.database import observe
from tabwright.platform.errors import Invalid, Malformed, NotFound
from tabwright.platform.settings import Limits
from tabwright.runtime.query.aggregate import aggregate
from tabwright.runtime.query.asked import Aggregation, GroupBy, Measure, Query
from tabwright.runtime.query.options import lookup_options
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.batch import Intent
from world import World, world  # noqa: F401

OBJECTS = {
    "account": {"name": "text", "industry": "text", "size": "integer"},
    "deal": {"name": "text", "account": "lookup(account)", "amount": "currency(16,2)", "note": "long_text"},
}
SETS = [
    document(
        "permission_set",
        "low",
        objects={"account": ["read"], "deal": ["read", "view_all"]},
        fields={"account": {"*": "read"}, "deal": {"*": "read"}},
    )
]
MakeWorld = Callable[..., World]


@pytest.fixture
def crm(world: MakeWorld) -> World:  # noqa: F811
    return world([*documents(OBJECTS), *SETS])


def fill(crm: World, count: int) -> list[Any]:
    account = crm.records.create("account", {"name": "Acme", "industry": "tech", "size": 3}).id
    rows = [
        Intent("create", values={"name": f"d{n:03}", "account": account, "amount": n, "note": "n"})
        for n in range(count)
    ]
    return [each.id for each in crm.records.apply("deal", rows).rows]


def statements(do: Callable[[], Any]) -> list[str]:
    told: list[str] = []
    with observe(lambda how, text, rows: told.append(text)):
        do()
    return told


def test_a_page_costs_one_statement_for_1_row_and_for_200(crm: World) -> None:
    fill(crm, 210)
    reads = Reads(crm.call)
    wanted = ("name", "note", "account.name", "account.industry", "owner.name", "created_by.name")
    costs = {
        (limit, order): len(statements(partial(reads.list, Query("deal", wanted, order=order, limit=limit))))
        for limit in (1, 200)
        for order in ((), (("name", "asc"),), (("amount", "desc"),))
    }
    assert set(costs.values()) == {1}
    assert len(statements(lambda: reads.list(Query("deal", count=True)))) == 2
    assert len(statements(lambda: reads.get("deal", fill(crm, 1)[0]))) >= 1


def test_get_is_one_statement(crm: World) -> None:
    id = fill(crm, 1)[0]
    reads = Reads(crm.call)
    assert len(statements(lambda: reads.get("deal", id, ("name", "account.name", "note")))) == 1


def test_a_plan_is_compiled_once_and_shared_by_equal_rights(crm: World) -> None:
    fill(crm, 3)
    one, other = crm.user("one", "low"), crm.user("other", "low")
    query = Query("deal", ("name", "account.name"), where="amount > 1", order=(("name", "asc"),))
    Reads(crm.call_as(one)).list(query)
    before = crm.tenant.pieces.count
    Reads(crm.call_as(other)).list(query)
    assert crm.tenant.pieces.count == before
    Reads(crm.call).list(query)
    assert crm.tenant.pieces.count > before, "other rights are another plan"


def test_a_release_that_adds_a_field_is_seen_and_old_plans_of_others_stay(crm: World) -> None:
    fill(crm, 2)
    assert "extra" not in Reads(crm.call).list(Query("deal")).rows[0]
    Reads(crm.call).list(Query("user"))
    crm.publish([document("field", "deal.extra", type="text")])
    row = Reads(crm.call).list(Query("deal")).rows[0]
    assert row["extra"] is None
    before = crm.tenant.pieces.count
    Reads(crm.call).list(Query("user"))
    assert crm.tenant.pieces.count == before, "what a publish does not touch is not compiled again"


def test_no_literal_of_a_formula_is_in_the_text(crm: World) -> None:
    """R53: a canary in every literal never reaches SQL text."""
    fill(crm, 1)
    wheres = (
        'name = "canary\'x"',
        'CONTAINS(account.name, "canary")',
        'name = "a" & "canary"',
        "amount = 987654321",
    )
    for where in wheres:
        for text in statements(lambda where=where: Reads(crm.call).list(Query("deal", where=where))):  # type: ignore[misc]
            assert "canary" not in text and "987654321" not in text


def test_related_records_of_a_parent(crm: World) -> None:
    fill(crm, 3)
    reads = Reads(crm.call)
    account = reads.list(Query("account")).rows[0]["id"]
    assert len(reads.list(Query("deal", parent=("account", account)))) == 3
    assert len(reads.list(Query("deal", parent=("account", uuid4())))) == 0
    with pytest.raises(Invalid):
        reads.list(Query("deal", parent=("name", account)))


def test_several_conditions_are_all_true(crm: World) -> None:
    fill(crm, 5)
    found = Reads(crm.call).list(Query("deal", where=("amount > 1", "", "amount < 3 || FALSE")))
    assert [row["name"] for row in found.rows] == ["d002"]


def test_a_deleted_record_is_nowhere(crm: World) -> None:
    ids = fill(crm, 2)
    crm.records.delete("deal", ids[0])
    reads = Reads(crm.call)
    with pytest.raises(NotFound):
        reads.get("deal", ids[0])
    assert [row["id"] for row in reads.list(Query("deal")).rows] == [ids[1]]
    assert reads.count(Query("deal")) == (1, False)
    assert aggregate(crm.call, Aggregation("deal")).rows == [{"count": 1}]
    assert [each.id for each in lookup_options(crm.call, "deal", "d0")] == [ids[1]]


def test_both_readings_of_a_row_say_the_same(crm: World) -> None:
    id = fill(crm, 1)[0]
    record = Reads(crm.call).record("deal", id)
    assert record.row["id"] == id and record.revision == 1
    assert b'"amount":0.00' in record.json() and id.hex.encode() in record.json()
    page = Reads(crm.call).list(Query("deal", ("name",)))
    assert page.keys == ("id", "revision", "name") and page.rows == list(page)


def test_hidden_names_are_not_shown_where_the_name_itself_is_hidden(crm: World) -> None:
    crm.publish(
        [
            document(
                "permission_set", "blind", objects={"account": ["read"], "deal": ["read", "view_all"]},
                fields={"account": {"*": "read", "name": "none"}, "deal": {"*": "read"}},
            )
        ]
    )  # fmt: skip
    fill(crm, 1)
    call = crm.call_as(crm.user("blind", "blind"))
    with pytest.raises(Invalid):
        Reads(call).list(Query("deal", ("account.name",)))
    with pytest.raises(Invalid):
        Reads(call).list(Query("deal", order=(("account", "asc"),)))


def test_a_hidden_parent_does_not_move_its_child_in_groups_or_filters(crm: World) -> None:
    fill(crm, 2)  # the account belongs to nobody: private, so hidden
    call = crm.call_as(crm.user("low", "low"))
    groups = aggregate(call, Aggregation("deal", (GroupBy("account.industry"), GroupBy("account.name")))).rows
    assert groups == [{"account.industry": None, "account.name": "Acme", "count": 2}]
    biggest = aggregate(call, Aggregation("deal", measures=(Measure("max", "account.size", "m"),))).rows
    assert biggest == [{"m": None}]
    assert len(Reads(call).list(Query("deal", where="account.size = 3"))) == 0
    assert (
        Reads(call).get("deal", Reads(call).list(Query("deal")).rows[0]["id"], ("account.size",))[
            "account.size"
        ]
        is None
    )


def test_limits_are_named(crm: World) -> None:
    crm.tenant.limits = Limits(page_rows=3)
    reads = Reads(crm.call)
    with pytest.raises(Malformed) as caught:
        reads.list(Query("deal", limit=4))
    assert caught.value.faults[0].params == {"limit": "page_rows", "most": 3}
    crm.tenant.limits = Limits()
    wide = Reads(crm.call)
    fields = ("name", "amount", "id", "owner", "account", "revision")
    with pytest.raises(Invalid):
        wide.list(Query("deal", order=tuple((name, "asc") for name in fields)))
    with pytest.raises(Invalid):
        wide.list(Query("deal", order=(("note", "asc"),)))
    assert len(reads.list(Query("deal", limit=3))) == 0
    assert len(reads.list(Query("user"))) <= 3  # a page that nobody sized is as long as the operator allows


# ---- one plan for filters that differ in their literals -------------------------------------------


def test_a_new_literal_makes_no_new_plan_and_finds_its_own(crm: World) -> None:
    fill(crm, 12)
    reads = Reads(crm.call)

    def names(where: str) -> list[str]:
        return [row["name"] for row in reads.list(Query("deal", ("name",), where, count=True)).rows]

    def total(where: str) -> Any:
        return aggregate(crm.call, Aggregation("deal", where=where)).rows[0]["count"]

    assert names('name = "d001" && amount < 5') == ["d001"] and total('name = "d001" && amount < 5') == 1
    before = crm.tenant.pieces.count
    assert names('name = "d002" && amount < 3') == ["d002"] and total('name = "d002" && amount < 3') == 1
    assert names('name="d003"  &&  amount < 3') == [] and total('name="d003" && amount < 3') == 0
    assert crm.tenant.pieces.count == before, "the plan of the first serves all"


def test_two_filters_with_literals_keep_theirs_apart(crm: World) -> None:
    fill(crm, 12)
    reads = Reads(crm.call)
    for low, high in ((3, 6), (1, 9), (9, 1)):
        query = Query("deal", ("amount",), (f"amount >= {low}", f"amount <= {high}"), count=True)
        page = reads.list(query)
        assert [row["amount"] for row in page.rows] == list(range(low, high + 1))
        assert page.count == len(page.rows) and reads.count(query) == (len(page.rows), False)


def test_a_literal_that_does_not_fit_is_looked_at_again(crm: World) -> None:
    fill(crm, 2)
    reads = Reads(crm.call)
    some = reads.list(Query("account")).rows[0]["id"]
    assert len(reads.list(Query("deal", where=f'account = "{some}"'))) == 2
    assert len(reads.list(Query("deal", where=f'account = "{uuid4()}"'))) == 0
    with pytest.raises(Invalid) as refused:
        reads.list(Query("deal", where='account = "Acme"'))
    assert refused.value.faults[0].code.endswith("FORMULA_NOT_AN_ID"), refused.value.faults
