"""Values edited where they stand, over HTTP, on both databases."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS

CRM: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "tier": "picklist(a,b)"},
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost) required",
        "why_lost": "text(80)",
        "close_date": "date",
        "key_deal": "boolean",
        "needs": "long_text(2000)",
        "secret": "text(40)",
        "aside": "text(40)",
        "gone": {"type": "text", "options": {"max_length": 40}, "active": False},
    },
}
EXTRA: list[dict[str, Any]] = [
    {
        "kind": "layout",
        "name": "deal.standard",
        "sections": [
            {
                "label": {"en": "Deal", "zh": "商机"},
                "fields": [
                    "name", "account", "amount", "stage",
                    {"field": "why_lost", "visible": 'ISPICKVAL(stage, "lost")', "required": True},
                    {"field": "close_date", "read_only": True}, "key_deal", "needs", "secret", "gone",
                ],
            }
        ],
    },
    {
        "kind": "validation_rule", "name": "deal.big", "label": {"en": "Big"},
        "condition": "amount > 1000000",
        "message": {"zh": "超过一百万的商机由总监登记", "en": "Deals above a million are the director's"},
        "field": "amount",
    },
    {
        "kind": "permission_set", "name": "seller", "label": {"en": "Seller"},
        "objects": {"deal": ["read", "create", "edit"], "account": ["read"]},
        "fields": {"deal": {"*": "edit", "secret": "none", "needs": "read"}, "account": {"*": "read"}},
    },
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, EXTRA)
        yield made


@pytest.fixture(scope="module")
def rep(site: PageSite) -> Visitor:
    return site.person("陈思远", "standard_user")


@pytest.fixture(scope="module")
def seller(site: PageSite) -> Visitor:
    return site.person("何俊杰", "seller")


def made(site: PageSite, owner: Visitor, **values: Any) -> UUID:
    given = {"name": "产线升级", "stage": "open", "amount": "5000", "owner": str(owner.user_id), **values}
    return site.records.create("deal", given).id


def inputs(part: str) -> dict[str, str]:
    """What the hidden inputs and the inputs of an editor hold."""
    found = {}
    for tag in re.findall(r"<input[^>]*>", part):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            found[name[1]] = html.unescape(value[1]) if value else ""
    return found


def opened(visitor: Visitor, id: UUID, field: str, place: str = "record") -> dict[str, str]:
    answer = visitor.get(f"/o/deal/{id}/value?field={field}&place={place}")
    assert answer.status_code == 200, readable(answer)
    return inputs(answer.text)


def save(visitor: Visitor, id: UUID, form: dict[str, Any]) -> Any:
    answer = visitor.client.post(f"/o/deal/{id}/value", data=form, headers={"Accept": "application/json"})
    return answer.status_code, answer.get_json()


def test_a_value_is_saved_and_the_record_shown_anew(site: PageSite, rep: Visitor) -> None:
    id = made(site, rep)
    page = rep.get(f"/o/deal/{id}")
    assert 'data-value="amount"' in page.text and 'data-value="close_date"' not in page.text
    assert f'href="/o/deal/{id}/edit#f-amount"' in page.text  # the way without scripts
    form = opened(rep, id, "amount")
    assert form["revision"] == "1" and form["amount"] == "5000.00"
    status, said = save(rep, id, {**form, "amount": "6,000"})
    assert status == 200 and said["revision"] == 2
    assert "6,000.00" in said["html"] and "6,000.00" in said["record"]["values"]
    assert "6,000.00" in said["toast"] and 'action="/undo/' in said["toast"]
    undo = re.search(r'action="(/undo/[^"]+)"', said["toast"])
    assert undo is not None
    rep.get(f"/o/deal/{id}")
    rep.post(undo[1], {})
    assert "5,000.00" in rep.get(f"/o/deal/{id}").text


def test_the_rules_words_stay_at_the_field(site: PageSite, rep: Visitor) -> None:
    id = made(site, rep)
    form = opened(rep, id, "amount")
    status, said = save(rep, id, {**form, "amount": "2000000"})
    assert status == 422
    assert said["faults"] == [{"field": "amount", "text": "超过一百万的商机由总监登记"}]
    editor = said["editor"]
    assert 'value="2000000"' in editor and 'aria-invalid="true"' in editor and 'id="e-amount"' in editor
    status, said = save(rep, id, {**form, "amount": "12O"})
    assert status == 422 and 'value="12O"' in said["editor"]
    assert site.call.model.objects["deal"] and "5,000.00" in rep.get(f"/o/deal/{id}").text


def test_a_choice_that_brings_up_a_required_field_asks_for_it(site: PageSite, rep: Visitor) -> None:
    id = made(site, rep)
    form = opened(rep, id, "stage")
    status, said = save(rep, id, {**form, "stage": "lost"})
    assert status == 422 and 'name="why_lost"' in said["editor"] and 'value="why_lost"' in said["editor"]
    assert [each["field"] for each in said["faults"]] == ["why_lost"]
    data = {**form, "field": ["stage", "why_lost"], "stage": "lost", "why_lost": "价格"}
    status, said = save(rep, id, data)
    assert (
        status == 200
        and "价格" in said["record"]["values"]
        and 'data-value="why_lost"' in said["record"]["values"]
    )


def test_the_same_value_changed_by_somebody_else_is_told_and_chosen(site: PageSite, rep: Visitor) -> None:
    other = site.person("林晓彤", "administrator", "standard_user")
    id = made(site, rep)
    form, theirs = opened(rep, id, "amount"), opened(other, id, "amount")
    assert save(other, id, {**theirs, "amount": "7000"})[0] == 200
    status, said = save(rep, id, {**form, "amount": "8000"})
    assert status == 409
    assert "林晓彤" in said["faults"][0]["text"] and "7,000.00" in said["faults"][0]["text"]
    again = inputs(said["editor"])
    assert again["amount"] == "8000" and again["revision"] == "2"
    assert save(rep, id, again)[0] == 200  # mine
    assert "8,000.00" in rep.get(f"/o/deal/{id}").text


def test_a_refusal_does_not_hide_a_change_made_meanwhile(site: PageSite, rep: Visitor) -> None:
    other = site.person("孙立", "administrator", "standard_user")
    id = made(site, rep)
    form = opened(rep, id, "amount")
    assert save(other, id, {**opened(other, id, "amount"), "amount": "7000"})[0] == 200
    status, said = save(rep, id, {**form, "amount": "2000000"})
    if status == 422:
        status, said = save(rep, id, {**inputs(said["editor"]), "amount": "8000"})
    assert status == 409


def test_other_fields_of_somebody_else_are_merged(site: PageSite, rep: Visitor) -> None:
    id = made(site, rep)
    form = opened(rep, id, "amount")
    assert save(rep, id, {**opened(rep, id, "name"), "name": "产线升级二期"})[0] == 200
    status, said = save(rep, id, {**form, "amount": "9000"})
    assert status == 200 and said["record"]["name"] == "产线升级二期"


def test_a_lookup_by_what_was_typed(site: PageSite, rep: Visitor) -> None:
    account = site.records.create("account", {"name": "恒锐精密", "owner": str(rep.user_id)}).id
    id = made(site, rep)
    form = opened(rep, id, "account")
    status, said = save(rep, id, {**form, "account.text": "恒锐精密"})
    assert status == 200 and f"/o/account/{account}" in said["html"]
    status, said = save(rep, id, {**opened(rep, id, "account"), "account": "", "account.text": "没有这家"})
    assert status == 422 and "没有这家" in said["faults"][0]["text"]


def test_a_list_gets_its_cells(site: PageSite, rep: Visitor) -> None:
    id = made(site, rep)
    form = opened(rep, id, "amount", "list")
    kept = {name: form[name] for name in ("_csrf", "field", "place", "revision")}
    status, said = save(rep, id, {**kept, "text": "6000", "columns": "name,stage,secret,no_such"})
    assert status == 200 and "6,000.00" in said["html"] and "Open" in said["cells"]["stage"]
    assert set(said["cells"]) == {"amount", "name", "stage", "secret"} and "record" not in said
    # a column that no layout shows
    form = opened(rep, id, "aside", "list")
    assert save(rep, id, {**form, "aside": "旁注"})[1]["html"] == '<span class="tw-cut">旁注</span>'
    # a lookup by name in one text
    site.records.create("account", {"name": "唯一客户", "owner": str(rep.user_id)})
    status, said = save(rep, id, {**kept, "field": "account", "text": "唯一客户", "revision": "3"})
    assert status == 200 and "唯一客户" in said["html"]


def test_who_sees_little_edits_little(site: PageSite, rep: Visitor, seller: Visitor) -> None:
    mine, foreign = made(site, seller, secret="不许看见"), made(site, rep)
    page = seller.get(f"/o/deal/{mine}")
    assert 'data-value="amount"' in page.text and 'data-value="needs"' not in page.text
    assert seller.get(f"/o/deal/{mine}/value?field=needs").status_code == 403
    unknown = seller.get(f"/o/deal/{mine}/value?field=secret")
    assert unknown.status_code == 422 and "不许看见" not in unknown.text
    assert seller.get(f"/o/deal/{mine}/value?field=close_date").status_code == 403
    assert seller.get(f"/o/deal/{foreign}/value?field=amount").status_code == 404
    form = opened(seller, mine, "amount")
    status, said = save(seller, foreign, {**form, "amount": "1"})
    assert status == 404 and "editor" not in said
    status, said = save(seller, mine, {**form, "place": "list", "columns": "secret", "amount": "77"})
    assert status == 200 and "secret" not in said["cells"]
    assert save(seller, mine, {**form, "_csrf": "", "amount": "1"})[0] == 403


def test_hostile_text_stays_text(site: PageSite, rep: Visitor) -> None:
    id = made(site, rep)
    text = "<img src=x onerror=alert(1)>\"'"
    status, said = save(rep, id, {**opened(rep, id, "name"), "name": text})
    assert status == 200
    for part in (
        said["html"],
        said["toast"],
        said["record"]["values"],
        rep.get(f"/o/deal/{id}/value?field=name").text,
    ):
        assert "<img" not in part
    assert said["record"]["name"] == text  # set as text


def test_a_preview_and_the_past_are_only_looked_at(site: PageSite, rep: Visitor) -> None:
    id = made(site, rep)
    page = rep.get(f"/o/deal/{id}?as_of=2999-01-01T00:00")
    assert page.status_code == 200 and "data-value=" not in page.text


def test_a_retired_field_is_not_edited_in_place(site: PageSite, rep: Visitor) -> None:
    id = made(site, rep)
    assert 'data-value="gone"' not in rep.get(f"/o/deal/{id}").text
    assert rep.get(f"/o/deal/{id}/value?field=gone").status_code == 403
