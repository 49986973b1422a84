"""Records made in a panel over a form or a related list, over HTTP, on both databases."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from pagesite import PageSite, Visitor, make_pages
from stores import DIALECTS

CRM: models.Compact = {
    "account": {
        "name": "text(120) required sortable searchable",
        "tier": "picklist(a,b) required",
        "reason": "text(40)",
        "note": "text(40)",
    },
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
    },
}
EXTRA: list[dict[str, Any]] = [
    {"kind": "layout", "name": "account.standard",
     "sections": [{"fields": ["name", "tier",
        {"field": "reason", "visible": 'ISPICKVAL(tier, "b")', "required": True}, "note"]}],
     "related": [{"field": "deal.account", "columns": ["name", "amount"]}]},
    {"kind": "validation_rule", "name": "account.no_test", "label": {"en": "Test"},
     "condition": 'name = "test"',
     "message": {"zh": "不要叫 test", "en": "Not test"}, "field": "name"},
    {"kind": "permission_set", "name": "seller", "label": {"en": "Seller"},
     "objects": {"deal": ["read", "create", "edit"], "account": ["read"]},
     "fields": {"deal": {"*": "edit"}, "account": {"*": "read"}}},
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, EXTRA)
        yield made


@pytest.fixture(scope="module")
def rep(site: PageSite) -> Visitor:
    return site.person("陈思远", "administrator", "standard_user")


def send(visitor: Visitor, at: str, **typed: str) -> tuple[int, Any]:
    token = re.search(r'name="_csrf" value="([^"]+)"', visitor.last)
    assert token is not None
    answer = visitor.client.post(
        at, data={"_csrf": token[1], **typed}, headers={"Accept": "application/json"}
    )
    return answer.status_code, answer.get_json()


def test_a_lookup_offers_what_is_not_there_and_the_panel_makes_it(site: PageSite, rep: Visitor) -> None:
    rep.get("/o/deal/new")
    options = rep.client.get("/o/deal/lookup/account?q=新客户&new=1").text
    href = re.search(r'data-new="([^"]+)"', options)
    assert href is not None
    panel = rep.get(href[1].replace("&amp;", "&")).text
    assert 'value="新客户"' in panel and 'name="tier"' in panel and 'name="note"' not in panel
    assert 'id="q-f-name"' in panel and 'id="f-name"' not in panel and 'for="q-f-name"' in panel
    status, said = send(rep, "/o/account/new/panel", name="新客户", tier="a")
    assert status == 200 and said["name"] == "新客户" and "/undo/" in said["toast"]
    assert "新客户" in rep.get(f"/o/account/{said['id']}").text
    assert "data-new" not in rep.client.get("/o/deal/lookup/account?q=x").text  # inside a panel


def test_faults_stay_in_the_panel(site: PageSite, rep: Visitor) -> None:
    rep.get("/o/account/new/panel")
    status, said = send(rep, "/o/account/new/panel", name="test", tier="a")
    assert status == 422 and "不要叫 test" in said["panel"] and 'value="test"' in said["panel"]
    assert 'aria-describedby="q-e-name"' in said["panel"] and 'id="q-e-name"' in said["panel"]
    status, said = send(rep, "/o/account/new/panel", name="", tier="a")
    assert status == 422 and 'aria-invalid="true"' in said["panel"]
    status, said = send(rep, "/o/account/new/panel", name="乙级", tier="b")  # brings up what is required
    assert status == 422 and 'name="reason"' in said["panel"]
    assert send(rep, "/o/account/new/panel", name="乙级", tier="b", reason="价格")[0] == 200


def test_a_related_list_makes_its_own_with_the_parent(site: PageSite, rep: Visitor) -> None:
    account = site.records.create("account", {"name": "恒锐精密", "tier": "a"}).id
    page = rep.get(f"/o/account/{account}").text
    href = re.search(r'data-quick="([^"]+)"', page)
    assert href is not None
    panel = rep.get(href[1]).text
    assert 'value="恒锐精密"' in panel and f'value="{account}"' in panel
    status, _ = send(
        rep, "/o/deal/new/panel", name="二期", account=str(account), **{"account.text": "恒锐精密"}
    )
    assert status == 200
    page = rep.get(f"/o/account/{account}").text
    assert "二期" in page[page.index('data-related="1"') :]


def test_without_the_right_there_is_no_panel(site: PageSite) -> None:
    seller = site.person("何俊杰", "seller")
    seller.get("/o/deal/new")
    assert "data-new" not in seller.client.get("/o/deal/lookup/account?q=新&new=1").text
    assert seller.client.get("/o/account/new/panel").status_code == 403
    assert send(seller, "/o/account/new/panel", name="x", tier="a")[0] == 403
    assert seller.client.post("/o/deal/new/panel", data={"name": "x"}).status_code == 403  # no token


def test_hostile_words_stay_words(site: PageSite, rep: Visitor) -> None:
    text = '"><img src=x onerror=alert(1)> id="f-name"'
    panel = rep.client.get("/o/account/new/panel", query_string={"name": text}).text
    assert "<img" not in panel and "id=&#34;f-name&#34;" in panel
    options = rep.client.get("/o/deal/lookup/account", query_string={"q": text, "new": "1"}).text
    assert "<img" not in options


def test_where_nothing_is_left_to_ask_the_panel_offers_the_first_fields(rep: Visitor) -> None:
    assert 'name="amount"' not in rep.get("/o/deal/new/panel").text, "there is a name to ask for"
    panel = rep.get("/o/deal/new/panel?name=二期").text
    assert 'name="amount"' in panel and panel.index('name="name"') < panel.index('name="amount"')
    status, said = send(rep, "/o/deal/new/panel", name="二期", amount="30万")
    assert status == 200, said
