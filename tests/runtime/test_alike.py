"""Possible duplicates while a new record is typed, over HTTP, on both databases."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS

CRM: models.Compact = {
    "account": {
        "name": "text(120) required sortable searchable",
        "phone": "phone",
        "email": "email",
        "tax": {"type": "text", "options": {"max_length": 40}, "unique": True},
        "note": "text(40)",
        "card": {"type": "text", "options": {"mask": "all"}},
    },
}
SELLER: dict[str, Any] = {
    "kind": "permission_set", "name": "seller", "label": {"en": "Seller"},
    "objects": {"account": ["read", "create", "edit"]}, "fields": {"account": {"*": "edit", "phone": "none"}},
}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, [SELLER])
        yield made


@pytest.fixture(scope="module")
def rep(site: PageSite) -> Visitor:
    return site.person("陈思远", "administrator", "standard_user")


def asked(visitor: Visitor, field: str, text: str) -> str:
    answer = visitor.client.get("/o/account/alike", query_string={"field": field, "text": text})
    assert answer.status_code == 200, answer.text
    return readable(answer)


def test_records_that_may_be_the_same_are_shown_with_their_owner(site: PageSite, rep: Visitor) -> None:
    site.records.create(
        "account",
        {"name": "苏州恒锐精密机械", "phone": "13800006620", "email": "a@hengrui.cn", "tax": "9132 \"x\\",
         "owner": str(rep.user_id)},
    )  # fmt: skip
    form = rep.get("/o/account/new").text
    assert 'data-alike-fields="name phone email tax"' in form
    for field, text in (
        ("name", "恒锐"), ("name", "hengrui"), ("phone", "138 0000 6620"), ("email", "a@hengrui.cn"),
        ("tax", '9132 "x\\'),
    ):  # fmt: skip
        found = asked(rep, field, text)
        assert "苏州恒锐精密机械" in found and "陈思远" in found, (field, text)
    for field, text in (
        ("name", "别的名字"),
        ("name", "恒"),
        ("phone", "138"),
        ("email", "a@"),
        ("tax", "9132"),
    ):
        assert asked(rep, field, text) == "", (field, text)


def test_what_may_not_be_seen_is_not_hinted_at(site: PageSite, rep: Visitor) -> None:
    seller = site.person("何俊杰", "seller")
    site.records.create("account", {"name": "秘密客户", "tax": "SECRET1", "owner": str(rep.user_id)})
    assert asked(seller, "name", "秘密客户") == "" and asked(seller, "tax", "SECRET1") == ""
    assert "秘密客户" in asked(rep, "tax", "SECRET1")
    for field in ("phone", "card", "note", "no_such"):
        answer = seller.client.get("/o/account/alike", query_string={"field": field, "text": "1"})
        assert answer.status_code == 422, field
    stranger = site.person("孙立")
    assert stranger.client.get("/o/account/alike?field=name&text=xx").status_code in (403, 404)


def test_hostile_names_stay_words(site: PageSite, rep: Visitor) -> None:
    site.records.create("account", {"name": "<img src=x onerror=alert(1)>", "owner": str(rep.user_id)})
    answer = rep.client.get("/o/account/alike", query_string={"field": "name", "text": "<img src"})
    assert "&lt;img" in answer.text and "<img" not in answer.text
