"""Conditions of layouts read what their reader may not: what shows is right, and nothing of it is told."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from models import document
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS

CANARY = 918273
GAIN = {"type": "formula", "options": {"returns": "integer", "formula": "price - cost"}}
OBJECTS: Any = {
    "account": {"name": "text(80) required", "limit": "integer"},
    "deal": {
        "name": "text(80) required", "account": "lookup(account)", "price": "integer", "cost": "integer",
        "gain": GAIN, "reason": "text(80)", "promise": "text(80)", "note": "text(80)",
    },
}  # fmt: skip
LAYOUT = document(
    "layout", "deal.main",
    sections=[{"label": {"en": "All"}, "fields": [
        "name", "account", "price", "gain",
        {"field": "reason", "visible": "gain > 100"},
        {"field": "promise", "visible": "account.limit > 100"},
        {"field": "note", "read_only_when": "cost > 100"},
    ]}],
)  # fmt: skip
REP = {
    "kind": "permission_set", "name": "rep", "label": {"en": "Rep"},
    "objects": {"deal": ["create", "read", "edit"], "account": ["read"]},
    "fields": {"deal": {"*": "edit", "cost": "none"}, "account": {"name": "read", "limit": "none"}},
}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [LAYOUT, REP])
        yield made


@pytest.fixture(scope="module")
def rep(site: PageSite) -> Visitor:
    return site.person("rep", "rep", language="en")


def deal(site: PageSite, rep: Visitor, cost: int, account: str | None = None, price: int = 0) -> str:
    given = {"name": "D", "price": price, "cost": cost, "reason": "because", "promise": "soon", "note": "n"}
    made = site.records.create("deal", {**given, "account": account, "owner": str(rep.user_id)})
    return f"/o/deal/{made.id}"


def account(site: PageSite, limit: int, owner: Visitor | None) -> str:
    given = {"name": f"A{limit}", "limit": limit}
    return str(
        site.records.create("account", {**given, **({"owner": str(owner.user_id)} if owner else {})}).id
    )


def test_a_section_shows_by_a_formula_over_what_its_reader_may_not_read(site: PageSite, rep: Visitor) -> None:
    rich = rep.get(deal(site, rep, cost=-CANARY, price=-CANARY + 200))
    assert "because" in readable(rich) and str(CANARY) not in rich.text.replace(f"{CANARY - 200}", "")
    assert "because" not in readable(rep.get(deal(site, rep, cost=0, price=50)))
    assert 'name="reason"' in rep.get(deal(site, rep, cost=0, price=101) + "/edit").text
    assert 'name="reason"' not in rep.get(deal(site, rep, cost=0, price=99) + "/edit").text


def test_what_stands_on_a_hidden_record_decides_where_it_was_saved(site: PageSite, rep: Visitor) -> None:
    for limit, shows in ((CANARY, True), (1, False)):
        page = rep.get(deal(site, rep, 0, account(site, limit, None)))
        assert ("soon" in readable(page)) is shows and "A918273" in page.text or not shows
        page = rep.get(deal(site, rep, 0, account(site, limit, rep)))
        assert ("soon" in readable(page)) is shows


def test_a_record_that_is_chosen_and_may_not_be_seen_tells_nothing(site: PageSite, rep: Visitor) -> None:
    """Or a form would be a way to ask of any record what a condition says of it."""
    at = deal(site, rep, 0)

    def shown(account: str) -> bool:
        rep.get(f"{at}/edit")
        form = {**rep.form(), "account": account, "account.text": account, "_then": "edit"}
        return 'name="promise"' in rep.post(f"{at}/edit", form).text

    assert shown(account(site, 500, rep)) and not shown(account(site, 5, rep))
    assert not shown(account(site, 500, None)) and not shown(account(site, 5, None))


def test_a_field_is_read_only_by_what_its_reader_may_not_read(site: PageSite, rep: Visitor) -> None:
    for cost, fixed in ((500, True), (5, False)):
        at = deal(site, rep, cost)
        form = rep.get(f"{at}/edit").text
        assert ('name="note"' in form) is not fixed
        rep.post(f"{at}/edit", {**rep.form(), "note": "rewritten"})
        assert ("rewritten" in readable(rep.get(at))) is not fixed


def test_the_page_of_the_past_is_judged_by_what_stood_then(site: PageSite, rep: Visitor) -> None:
    at = deal(site, rep, cost=-500)
    id = UUID(at.rpartition("/")[2])
    then = quote(site.call.clock.now().isoformat())
    site.records.update("deal", id, {"cost": 0})
    assert "because" not in readable(rep.get(at)).partition("Activity")[0]
    assert "because" in readable(rep.get(f"{at}?as_of={then}"))
    site.records.delete("deal", id)
    assert rep.get(f"{at}?as_of={then}").status_code == 200
