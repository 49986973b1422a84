"""The layout editor over HTTP: what is saved, what is refused and where, who may."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from werkzeug.test import TestResponse

from pagesite import PageSite, Visitor, readable
from studios import HOSTILE, in_draft, me, studio_site

LAYOUT = {
    "kind": "layout",
    "name": "deal.standard",
    "label": {"zh": "标准", "en": "Standard"},
    "sections": [{"fields": ["name", "stage"]}],
}
TYPE = {
    "kind": "record_type",
    "name": "deal.big",
    "label": {"zh": "大单", "en": "Big"},
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with studio_site(request.param, LAYOUT, TYPE) as made:
        yield made


@pytest.fixture
def site() -> Iterator[PageSite]:
    with studio_site("sqlite", LAYOUT, TYPE) as made:
        yield made


def bench(visitor: Visitor, name: str = "deal.standard", query: str = "") -> dict[str, Any]:
    """What the page gives its script."""
    answer = visitor.get(f"/studio/layouts/{name}{query}")
    assert answer.status_code == 200, readable(answer)[:400]
    found = re.search(r'data-state="([^"]*)"', answer.text)
    assert found is not None
    state: dict[str, Any] = json.loads(html.unescape(found[1]))
    return state


def save(
    visitor: Visitor, document: Any, seen: str, name: str = "deal.standard", **more: str
) -> TestResponse:
    return visitor.post(f"/studio/layouts/{name}", {"document": json.dumps(document), "seen": seen, **more})


def layout(*sections: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"label": LAYOUT["label"], "sections": list(sections), **more}


def test_a_change_is_in_the_draft_and_nowhere_else(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    state = bench(admin)
    assert set(state["fields"]) >= {"name", "account", "amount", "stage", "owner"}
    conditional = {"field": "amount", "span": 2, "required": True, "visible": 'ISPICKVAL(stage, "won")'}
    wanted = layout(
        {"label": {"zh": "商机", "en": "Deal"}, "columns": 3, "fields": ["name", "stage"]},
        {"fields": [conditional], "collapsed": True},
    )
    answer = save(admin, wanted, state["seen"])
    assert answer.status_code == 200, answer.text
    kept = in_draft(both, admin, "layout", "deal.standard")
    assert kept is not None and kept.body["sections"] == wanted["sections"]
    assert answer.get_json()["seen"] == kept.digest and answer.get_json()["changed"] == 1
    worker = both.person("员工", "standard_user")
    assert "is-cols-3" not in worker.get("/o/deal/new").text, "a draft affects nobody"


def test_what_a_publish_would_refuse_is_told_at_its_place_and_not_kept(both: PageSite) -> None:
    admin = both.person("Admin", "administrator", language="en")
    state = bench(admin)
    bad = layout(
        {"fields": ["name", "name", {"field": "stage", "span": 4}]},
        {"fields": [{"field": "amount", "visible": "amount +"}]},
    )
    answer = save(admin, bad, state["seen"])
    assert answer.status_code == 422
    at = {each["at"]: each["text"] for each in answer.get_json()["faults"]}
    assert set(at) == {"/sections/0/fields/1", "/sections/0/fields/2/span", "/sections/1/fields/0/visible"}
    assert "twice" in at["/sections/0/fields/1"]
    empty = save(admin, layout({"fields": ["name"]}, {"fields": []}), state["seen"])
    assert empty.status_code == 422 and empty.get_json()["faults"][0]["at"].startswith("/sections/1")
    wrong = save(admin, layout({"fields": [{"field": "stage", "visible": "amount"}]}), state["seen"])
    assert wrong.get_json()["faults"][0]["at"] == "/sections/0/fields/0/visible"
    kept = in_draft(both, admin, "layout", "deal.standard")
    assert kept is not None and kept.body["sections"] == LAYOUT["sections"]
    for rubbish in ("", "[]", "{", '{"sections": 3}'):
        data = {"document": rubbish, "seen": state["seen"]}
        assert admin.post("/studio/layouts/deal.standard", data).status_code == 422


def test_the_second_window_is_told_and_chooses(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    first = bench(admin)["seen"]
    assert save(admin, layout({"fields": ["name"]}), first).status_code == 200
    late = save(admin, layout({"fields": ["stage"]}), first)
    assert late.status_code == 409 and "deal.standard" in late.get_json()["faults"][0]["text"]
    kept = in_draft(both, admin, "layout", "deal.standard")
    assert kept is not None and kept.body["sections"] == [{"fields": ["name"]}]
    assert save(admin, layout({"fields": ["stage"]}), late.get_json()["seen"]).status_code == 200


def test_looking_is_not_changing(both: PageSite) -> None:
    looker = both.person("查看", "looker")
    state = bench(looker)
    assert state["mayChange"] is False
    assert save(looker, layout({"fields": ["name"]}), state["seen"]).status_code == 403
    assert looker.get("/studio/objects/deal/new-layout").status_code == 403
    assert looker.post("/studio/layouts/deal.standard/publish", {}).status_code == 403
    worker = both.person("员工", "standard_user")
    for at in ("", "?back=/o/deal"):
        assert worker.get(f"/studio/layouts/deal.standard{at}").status_code == 403
    stranger = both.stranger()
    assert stranger.get("/studio/layouts/deal.standard").status_code in (302, 303, 401)
    admin = both.person("管理员", "administrator")
    assert admin.get("/studio/layouts/nothing.standard").status_code == 404


def test_a_save_needs_the_token_of_a_page(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    state = bench(admin)
    data = {"document": json.dumps(layout({"fields": ["name"]})), "seen": state["seen"]}
    assert admin.client.post("/studio/layouts/deal.standard", data=data).status_code == 403


def test_an_object_without_a_layout_begins_with_what_its_pages_show(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    answer = admin.get("/studio/objects/account/new-layout")
    assert answer.headers["Location"] == "/studio/layouts/account.standard"
    state = bench(admin, "account.standard")
    assert state["isNew"] and state["seen"] == ""
    assert in_draft(both, admin, "layout", "account.standard") is None, "looking makes nothing"
    assert state["document"]["related"] == [{"field": "deal.account"}]
    answer = save(admin, state["document"], "", "account.standard")
    assert answer.status_code == 200, answer.text
    assert admin.get("/studio/objects/deal/new-layout").headers["Location"] == "/studio/layouts/deal.layout"


def test_record_types_are_given_the_layout_and_lose_it(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    state = bench(admin)
    answer = save(admin, state["document"], state["seen"], types="deal.big")
    assert answer.status_code == 200
    given = in_draft(both, admin, "record_type", "deal.big")
    assert given is not None and given.body["layout"] == "deal.standard"
    assert save(admin, state["document"], answer.get_json()["seen"], types="").status_code == 200
    given = in_draft(both, admin, "record_type", "deal.big")
    assert given is not None and "layout" not in given.body


def test_rows_and_formula_say_the_same(both: PageSite) -> None:
    """The rows of every filter, with lookups and people by name: what they say is a condition of a layout."""
    admin = both.person("管理员", "administrator")
    account = both.records.create("account", {"name": "华兴"}).id
    at = "/studio/filter/deal"
    bench(admin)
    found = admin.get("/studio/filter/deal/row?field=account&is=any_of").text
    assert 'data-tokens="/studio/filter/deal/lookup/account"' in found, "a picker, no raw ids"
    assert 'data-name="华兴"' in admin.get("/studio/filter/deal/lookup/account?q=华").text
    assert 'data-name="管理员"' in admin.get("/studio/filter/deal/lookup/owner?q=管理").text
    rows = {
        "all": [
            {"field": "stage", "is": "any_of", "values": ["won"]},
            {"field": "account", "is": "any_of", "values": [account.hex]},
            {"field": "owner", "is": "none_of", "values": [me(admin).hex]},
            {"field": "amount", "is": "above", "values": ["10"]},
            {"field": "created_at", "is": "this_month", "values": []},
        ]
    }
    bench(admin)
    said = admin.post(at, {"condition": json.dumps(rows)})
    assert said.status_code == 200, said.text
    formula = said.get_json()["where"]
    state = bench(admin)
    kept = save(admin, layout({"fields": ["name", {"field": "stage", "visible": formula}]}), state["seen"])
    assert kept.status_code == 200, "what rows say compiles as a condition of a layout"
    back = admin.get(f"{at}?{urlencode({'where': formula})}").text
    assert 'value="won" data-value' in back and "华兴" in back and "管理员" in back
    assert (
        "data-group"
        not in admin.get(f"{at}?{urlencode({'where': 'amount * 2 > LEN(name)'})}").text.split("<template")[0]
    )
    bench(admin)
    assert admin.post(at, {"condition": "nonsense"}).status_code == 422


def test_rows_name_records_of_a_lookup_that_only_the_draft_has(both: PageSite) -> None:
    admin = both.person("管理员", "administrator")
    account = both.records.create("account", {"name": "华兴"}).id
    field = {
        "kind": "field", "name": "deal.partner", "type": "lookup", "label": {"zh": "伙伴"},
        "options": {"target": "account"},
    }  # fmt: skip
    both.draft(me(admin), field)
    assert 'data-name="华兴"' in admin.get("/studio/filter/deal/lookup/partner?q=华").text
    condition = f'IN(partner, "{account.hex}")'
    assert "华兴" in admin.get(f"/studio/filter/deal?{urlencode({'where': condition})}").text
    assert admin.get("/studio/filter/deal/lookup/amount?q=").status_code == 422
    worker = both.person("员工", "standard_user")
    assert worker.get("/studio/filter/deal/lookup/account?q=").status_code == 403


def test_labels_of_admins_are_text(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    state = bench(admin)
    wanted = {**layout({"label": {"zh": HOSTILE}, "fields": ["name"]}), "label": {"zh": HOSTILE}}
    assert save(admin, wanted, state["seen"]).status_code == 200
    page = admin.get("/studio/layouts/deal.standard").text
    assert "<img src=x" not in page and "49" not in re.findall(r"<title>(.*?)</title>", page, re.S)[0]


def test_customise_this_page_leads_to_its_layout_and_back_with_a_publish(both: PageSite) -> None:
    admin, worker = both.person("管理员", "administrator"), both.person("员工", "standard_user")
    made = both.records.create("deal", {"name": "A"})
    here = f"/o/deal/{made.id}"
    form = worker.get("/o/deal/new")
    assert "/studio/layouts/" not in form.text, "who may not customise is not asked to"
    assert "Amount" not in readable(form)
    link = f'href="/studio/layouts/deal.standard?back={here}"'
    assert link in admin.get(here).text.replace("%2F", "/")
    assert 'href="/studio/layouts/deal.standard?back=' in admin.get("/o/deal/new").text
    assert 'href="/studio/layouts/account.standard?back=' in admin.get("/o/account/new").text
    state = bench(admin, query=f"?back={here}")
    save(admin, layout({"fields": ["name", "stage", "amount"]}), state["seen"])
    bench(admin, query=f"?back={here}")
    done = admin.post("/studio/layouts/deal.standard/publish", {"back": here})
    assert done.headers["Location"] == here
    assert "Amount" in readable(worker.get("/o/deal/new")), "it is in force"
    bench(admin)
    again = admin.post("/studio/layouts/deal.standard/publish", {"back": "//evil.example"})
    assert again.headers["Location"].startswith("/studio/plan?"), "nothing to publish is shown as a plan"
    assert "evil" not in again.headers["Location"]


def test_publish_and_return_takes_nothing_along(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    assert admin.user_id is not None
    site.draft(
        admin.user_id,
        {"kind": "picklist", "name": "region", "values": [{"code": "east"}], "label": {"en": "Region"}},
    )
    state = bench(admin)
    save(admin, layout({"fields": ["name"]}), state["seen"])
    bench(admin)
    answer = admin.post("/studio/layouts/deal.standard/publish", {"back": "/o/deal"})
    assert answer.headers["Location"].startswith("/studio/plan?"), "other changes are looked at first"
