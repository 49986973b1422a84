"""What is typed into a form and not saved is kept, offered, restored and forgotten, on both databases."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

import models
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.personal.tables import FORM

CRM: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "key_deal": "boolean",
        "phone": "phone",
        "card": {"type": "text", "options": {"mask": "all"}},
    },
}
EXTRA: list[dict[str, Any]] = [
    {"kind": "permission_set", "name": "seller", "label": {"en": "Seller"},
     "objects": {"deal": ["read", "create", "edit"], "account": ["read"]},
     "fields": {"deal": {"*": "edit"}, "account": {"*": "read"}}},
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, EXTRA)
        yield made


@pytest.fixture
def rep(site: PageSite) -> Visitor:
    return site.person(f"人{site.site.ids.new().hex[-8:]}", "administrator", "standard_user")


def made(site: PageSite, **values: Any) -> UUID:
    return site.records.create("deal", {"name": "产线升级", "amount": "5000", **values}).id


def type_in(visitor: Visitor, at: str, **typed: str) -> dict[str, str]:
    """Open a form, type, and let the script keep it."""
    visitor.get(at)
    form = {**visitor.form(), **typed}
    draft = at.split("?")[0].removesuffix("/edit") + "/draft"
    answer = visitor.client.post(draft, data=form, headers={"Accept": "application/json"})
    assert answer.status_code == 204, answer.text
    return form


def test_a_new_record_typed_half_is_offered_restored_and_saved(site: PageSite, rep: Visitor) -> None:
    account = site.records.create("account", {"name": "恒锐精密"}).id
    type_in(
        rep,
        "/o/deal/new",
        name="写了一半",
        amount="12O",
        **{"account": str(account), "account.text": "恒锐精密"},
    )
    page = rep.get("/o/deal/new")
    assert "恢复草稿" in page.text and rep.form()["name"] == ""
    phone = site.stranger()  # another device of the same person
    phone.client = rep.client
    phone.get("/o/deal/new?_draft=1")
    form = phone.form()
    assert (form["name"], form["amount"], form["account.text"]) == ("写了一半", "12O", "恒锐精密")
    assert form["account"] == str(account)
    answer = phone.post("/o/deal/new", {**form, "amount": "120"})
    assert answer.status_code == 303, readable(answer)
    assert "恢复草稿" not in rep.get("/o/deal/new").text


def test_nothing_typed_is_no_draft_and_discarding_forgets(site: PageSite, rep: Visitor) -> None:
    id = made(site)
    at = f"/o/deal/{id}/edit"
    type_in(rep, at, name="改了")
    assert "恢复草稿" in rep.get(at).text
    type_in(rep, at)  # taken back by hand
    assert "恢复草稿" not in rep.get(at).text
    type_in(rep, at, name="改了")
    rep.get(at)
    answer = rep.post(f"/o/deal/{id}/draft", {"_discard": "1", "_back": at})
    assert answer.headers["Location"] == at
    assert "恢复草稿" not in rep.get(at).text
    away = rep.post(f"/o/deal/{id}/draft", {"_discard": "1", "_back": "//evil.example"})
    assert away.headers["Location"] == at


def test_a_draft_meets_a_newer_revision_on_the_conflict_page(site: PageSite, rep: Visitor) -> None:
    id = made(site)
    at = f"/o/deal/{id}/edit"
    type_in(rep, at, amount="7000", phone="13800006620")
    site.records.update("deal", id, {"amount": "6000", "name": "别人改的名"})
    rep.get(at + "?_draft=1")
    form = rep.form()
    assert form["name"] == "别人改的名" and form["_revision"] == "1"
    answer = rep.post(at, form)
    assert answer.status_code == 409
    words = readable(answer)
    assert "5,000.00" in words and "6,000.00" in words and "7,000.00" in words
    answer = rep.post(at, {**rep.form(), "_pick.amount": "mine"})
    assert answer.status_code == 303
    row = rep.get(f"/o/deal/{id}").text
    assert "7,000.00" in row and "别人改的名" in row and "138 0000 6620" in row
    assert "恢复草稿" not in rep.get(at).text


def test_what_may_no_longer_be_edited_is_not_restored(site: PageSite) -> None:
    seller = site.person(f"何{site.site.ids.new().hex[-8:]}", "seller")
    id = made(site, owner=str(seller.user_id))
    at = f"/o/deal/{id}/edit"
    type_in(seller, at, name="改了名", amount="1")
    site.publish(
        {}, [{**EXTRA[0], "fields": {"deal": {"*": "edit", "amount": "read"}, "account": {"*": "read"}}}]
    )
    try:
        seller.get(at + "?_draft=1")
        form = seller.form()
        assert form["name"] == "改了名" and "amount" not in form
        answer = seller.post(at, form)
        assert answer.status_code == 303
        assert "5,000.00" in seller.get(f"/o/deal/{id}").text
    finally:
        site.publish({}, [EXTRA[0]])


def test_drafts_are_ones_own_and_no_right_is_won(site: PageSite, rep: Visitor) -> None:
    seller = site.person(f"孙{site.site.ids.new().hex[-8:]}", "seller")
    id = made(site)
    type_in(rep, "/o/deal/new", name="秘密")
    assert "恢复草稿" not in seller.get("/o/deal/new").text
    answer = seller.client.post(f"/o/deal/{id}/draft", data={"_csrf": seller.form()["_csrf"], "name": "x"})
    assert answer.status_code == 404  # not theirs to see
    assert rep.client.post("/o/deal/new/draft", data={"name": "x"}).status_code == 403  # no token


def test_masked_values_are_not_kept(site: PageSite, rep: Visitor) -> None:
    type_in(rep, "/o/deal/new", name="有卡", card="6222 0000 1111")
    with site.call.tenant.store.read() as reader:
        bodies = str(reader.execute(sa.select(FORM.c.body)).all())
    assert "有卡" in bodies or "\\u" in bodies
    assert "6222" not in bodies


def test_drafts_end(site: PageSite, rep: Visitor) -> None:
    type_in(rep, "/o/deal/new", name="很久以前")
    days = site.site.settings.limits.form_draft_days
    old = site.site.clock.now() - timedelta(days=days, minutes=1)
    with site.call.tenant.store.write() as writer:
        writer.execute(sa.update(FORM).values(updated_at=old))
    assert "恢复草稿" not in rep.get("/o/deal/new").text
    other = site.person(f"新{site.site.ids.new().hex[-8:]}", "administrator", "standard_user")
    type_in(other, "/o/deal/new", name="今天")
    with site.call.tenant.store.read() as reader:
        assert reader.execute(sa.select(sa.func.count()).select_from(FORM)).scalar_one() == 1
