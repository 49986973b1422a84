"""A row of a list after a value in it was changed: drawn as the list draws it, and told where it leaves."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest

import models
from pagesite import PageSite, Visitor, make_pages
from tabwright.runtime.lists.marking import Rule, rules_text

OBJECTS: models.Compact = {
    "deal": {"name": "text(120) required", "amount": "currency(16,2)", "stage": "picklist(open,won)"}
}
SELLER = {
    "kind": "permission_set",
    "name": "seller",
    "objects": {"deal": ["read", "edit"]},
    "fields": {"deal": {"*": "edit"}},
    "tabs": ["*"],
}
BIG = rules_text((Rule("amount > 1000", "green", "大单"), Rule('stage = "won"', "blue", "赢", "stage")))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [SELLER])
        yield made


def row(visitor: Visitor, id: UUID, **list_of: str) -> dict[str, Any]:
    asked = {"where": "", "columns": "name,amount,stage", "colours": BIG} | list_of
    answer = visitor.get(f"/o/deal/{id}/row?{urlencode(asked)}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.get_json()
    return found


def test_a_row_has_the_colours_that_its_values_give_it_now(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    deal = UUID(str(site.records.create("deal", {"name": "A", "amount": "500", "stage": "open"}).id))
    before = row(admin, deal)
    assert "data-mark" not in before["row"] and before["note"] == ""
    site.records.update("deal", deal, {"amount": "2000", "stage": "won"})
    after = row(admin, deal)
    assert after["row"].startswith('<tr data-mark="green"') and "大单" in after["row"]
    assert 'data-mark="blue"' in after["row"] and 'name="id"' in after["row"], "the box of the list as well"
    page = admin.get(f"/o/deal?{urlencode({'columns': 'name,amount,stage', 'colours': BIG})}").text
    assert after["row"] in page, "it is what the list shows"


def test_a_row_that_left_the_filter_is_told_and_still_shown(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    deal = UUID(str(site.records.create("deal", {"name": "A", "amount": "500"}).id))
    assert row(admin, deal, where="amount < 1000")["note"] == ""
    site.records.update("deal", deal, {"amount": "2000"})
    left = row(admin, deal, where="amount < 1000")
    assert "不符合这个列表的筛选" in left["note"] and "2,000" in left["row"]


def test_a_row_that_may_not_be_seen_is_not_there(site: PageSite) -> None:
    admin, seller = site.person("管理员", "administrator"), site.person("小卖", "seller")
    theirs = UUID(str(site.records.create("deal", {"name": "A", "owner": admin.user_id}).id))
    assert seller.get(f"/o/deal/{theirs}/row").status_code == 404
    assert row(admin, theirs, columns="name,nosuch")["row"], "what may not be named is left out"
    page = admin.get("/o/deal").text
    assert "data-row-query" in page and "data-gone" in page
