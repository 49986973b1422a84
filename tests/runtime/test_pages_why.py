"""Why a computed value is so: told step by step, and no more of it than its reader may see."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from models import document
from pagesite import PageSite, make_pages, readable
from tabwright.runtime.query.reads import Reads


def formula(returns: str, text: str, **options: Any) -> dict[str, Any]:
    return {"type": "formula", "options": {"returns": returns, "formula": text, **options}}


OBJECTS: models.Compact = {
    "account": {
        "name": "text(60) required sortable",
        "score": "decimal(12,2)",
        "hush": "decimal(12,2)",
        "volume": {
            "type": "roll_up",
            "options": {
                "relation": "deal.account",
                "function": "sum",
                "value": "amount",
                "filter": "parts = 0",
                "returns": "currency",
            },
        },
    },
    "deal": {
        "name": "text(60) required sortable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "parts": "integer",
        "rate": formula("percent", "IF(account.score > 5, 0.08, 0.05)"),
        "commission": formula("currency", "amount * rate"),
        "each": formula("decimal", "amount / parts", blanks="blank"),
        "secretly": formula("decimal", "account.hush * 2 + parts"),
        "score": {"type": "mirror", "options": {"path": "account.score"}},
    },
}
SELLER = document(
    "permission_set", "seller",
    objects={"account": ["read", "view_all"], "deal": ["read", "view_all", "edit"]},
    fields={"account": {"*": "read", "hush": "none"}, "deal": {"*": "edit"}}, tabs=["*"],
)  # fmt: skip
BLIND = document(
    "permission_set", "blind", objects={"account": ["read"], "deal": ["read", "view_all"]},
    fields={"account": {"*": "read"}, "deal": {"*": "read", "rate": "none"}}, tabs=["*"],
)  # fmt: skip


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def site(request: pytest.FixtureRequest) -> Iterator[tuple[PageSite, UUID]]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(OBJECTS, [SELLER, BLIND])
        account = made.records.create("account", {"name": "Nordwind", "score": "7", "hush": "4711"})
        values = {"name": "d", "account": str(account.id), "amount": "1000", "parts": 0}
        yield made, made.records.create("deal", values).id


def why(site: tuple[PageSite, UUID], rights: str, field: str, language: Any = "en") -> str:
    made, id = site
    visitor = made.person(f"{rights}-{field}", rights, language=language)
    answer = visitor.get(f"/o/deal/{id}/why/{field}")
    assert answer.status_code == 200, answer.text
    return readable(answer.text.partition('id="main"')[2])


def test_the_steps_of_a_value_with_its_inputs(site: tuple[PageSite, UUID]) -> None:
    said = why(site, "seller", "commission")
    assert "amount * rate" in said and "80.00" in said
    assert "amount Amount 1,000" in said and "rate Rate 0.08" in said
    said = why(site, "seller", "rate")
    assert "account.score > 5 yes" in said and "account.score Account › Score 7" in said
    assert "Account › Score 7" in why(site, "seller", "score"), "a mirror tells where it looks"


def test_a_roll_up_says_what_it_asks_of_which_records(site: tuple[PageSite, UUID]) -> None:
    made, id = site
    account = Reads(made.call).get("deal", id, ("account",))["account"]
    visitor = made.person("roller", "seller", language="en")
    said = readable(visitor.get(f"/o/account/{account}/why/volume").text.partition('id="main"')[2])
    assert "SUM(" in said and "1,000" in said


def test_a_failing_step_is_named(site: tuple[PageSite, UUID]) -> None:
    said = why(site, "seller", "each", "zh")
    assert "没有结果" in said and "出错的是： amount / parts" in said


def test_what_may_not_be_seen_is_not_told(site: tuple[PageSite, UUID]) -> None:
    said = why(site, "seller", "secretly")
    assert "… * 2 not visible to you" in said and "9,422" in said, "the value itself is the field's"
    assert "4711" not in said and "4,711" not in said and "hush" not in said
    blind = why(site, "blind", "commission")
    assert "… not visible to you" in blind and "rate" not in blind.casefold().replace("commission", "")
    hidden = why(site, "blind", "score")
    assert "7" not in hidden.partition("Steps")[2] and "not visible" in hidden, "the account is not theirs"


def test_a_record_page_leads_there_and_other_fields_have_no_reason(site: tuple[PageSite, UUID]) -> None:
    made, id = site
    visitor = made.person("reader", "seller", language="en")
    page = visitor.get(f"/o/deal/{id}").text
    assert f'href="/o/deal/{id}/why/commission"' in page and "Why does “Commission” have this value?" in page
    assert f"/o/deal/{id}/why/amount" not in page
    piece = visitor.client.get(f"/o/deal/{id}/why/commission", headers={"HX-Request": "true"}).text
    assert "<html" not in piece and "amount * rate" in piece
    assert f'href="/o/deal/{id}/why/rate"' in piece, "and on to what went in"
    for wrong in (f"/o/deal/{id}/why/amount", f"/o/deal/{id}/why/nothing", f"/o/deal/{UUID(int=1)}/why/rate"):
        assert visitor.get(wrong).status_code == 404
    blind = made.person("blind-one", "blind")
    assert blind.get(f"/o/deal/{id}/why/rate").status_code == 404
