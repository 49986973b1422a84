"""Lists over HTTP: the filter builder's parts, columns, and views that people save; on both databases."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_plus

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
        "secret": "text(40)",
        "stage": "picklist(open,won,lost)",
    },
}
SIGHTLESS = {
    "kind": "permission_set", "name": "junior", "label": {"en": "Junior", "zh": "新人"},
    "objects": {"deal": ["read", "view_all"]}, "fields": {"deal": {"*": "read", "secret": "none"}},
    "tabs": ["*"], "apps": ["*"],
}  # fmt: skip
OPEN = {
    "kind": "list_view", "name": "deal.open", "label": {"en": "Open", "zh": "进行中"},
    "columns": ["name", "amount"], "where": 'ISPICKVAL(stage, "open")', "order": [["amount", "desc"]],
}  # fmt: skip

TELLING = {
    "kind": "list_view", "name": "deal.telling", "label": {"en": "Telling", "zh": "Telling"},
    "columns": ["name"], "where": 'secret = "x"',
}  # fmt: skip
SHOWING = {
    "kind": "list_view", "name": "deal.showing", "label": {"en": "Showing", "zh": "Showing"},
    "columns": ["name", "secret", "amount"],
}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, [SIGHTLESS, OPEN])
        account = made.records.create("account", {"name": "恒锐精密", "tier": "a"})
        for name, amount, stage in (("甲单", 100, "open"), ("乙单", 900, "open"), ("丙单", 500, "won")):
            made.records.create(
                "deal", {"name": name, "amount": amount, "stage": stage, "account": account.id, "secret": "x"}
            )
        yield made


@pytest.fixture(scope="module")
def boss(site: PageSite) -> Visitor:
    return site.person("周文博", "administrator", "standard_user")


@pytest.fixture(scope="module")
def junior(site: PageSite) -> Visitor:
    return site.person("林晓彤", "junior")


def names(page: str) -> list[str]:
    """The names of the rows, in order."""
    return re.findall(r'<th scope="row" class="is-name"><a [^>]*>([^<]*)</a>', page)


def ask(visitor: Visitor, condition: Any, object: str = "deal") -> tuple[int, dict[str, Any]]:
    text = condition if isinstance(condition, str) else json.dumps(condition)
    visitor.get(f"/o/{object}")
    answer = visitor.post(f"/o/{object}/filter", {"condition": text})
    return answer.status_code, answer.get_json()


def test_an_address_shows_the_same_list_again(boss: Visitor) -> None:
    assert names(boss.get("/o/deal?view=open").text) == ["乙单", "甲单"]
    assert names(boss.get("/o/deal?view=open&order=amount").text) == ["甲单", "乙单"]
    # A filter stands in place of the view's own, and an empty one takes it off.
    assert names(boss.get("/o/deal?view=open&where=" + quote('ISPICKVAL(stage, "won")')).text) == ["丙单"]
    assert len(names(boss.get("/o/deal?view=open&where=").text)) == 3
    page = boss.get("/o/deal?view=open&columns=stage,account.tier:140,amount").text
    heads = re.findall(r'<th scope="col"[^>]*>(?:<a [^>]*>)?([^<]+)', page)
    assert [head.strip() for head in heads] == ["Name", "Stage", "Account › Tier", "Amount"]
    assert 'width="140"' in page
    # No-script column chooser: boxes by name.
    page = boss.get("/o/deal?column=name&column=stage").text
    assert "Stage" in page and "Amount</a></th>" not in page


def test_chips_say_what_narrows_and_take_it_off(boss: Visitor) -> None:
    where = 'ISPICKVAL(stage, "open") && amount > 500'
    page = boss.get("/o/deal?where=" + quote(where))
    assert "Stage 属于 Open" in readable(page) and "Amount 大于 ¥500" in readable(page)
    links = [unquote_plus(each) for each in re.findall(r'class="tw-cond-x" href="([^"]*)"', page.text)]
    assert [each.partition("where=")[2] for each in links] == ["amount > 500", 'IN(stage, "open")'] or links
    assert names(boss.get("/o/deal?where=" + quote("amount * 2 > 1000")).text) == ["乙单"]
    assert "公式 amount * 2 &gt; 1000" in boss.get(
        "/o/deal?where=" + quote("amount * 2 > 1000")
    ).text.replace("<b>", "")


def test_rows_become_a_formula_with_a_count(boss: Visitor) -> None:
    status, answer = ask(boss, {"any": [
        {"field": "amount", "is": "above", "values": ["800"]},
        {"field": "account.tier", "is": "none_of", "values": ["a"]},
    ]})  # fmt: skip
    assert (status, answer["where"]) == (200, 'amount > 800 || NOT IN(account.tier, "a")')
    assert answer["count"] == "1 条符合"
    status, answer = ask(boss, {"all": [{"field": "amount", "is": "above", "values": ["8OO"]}]})
    assert status == 422 and answer["faults"][0]["row"] == 1 and "8OO" in answer["faults"][0]["text"]
    for broken in ("", "[", "[" * 5_000, '{"all": 1}', json.dumps({"all": [{"field": "amount"}]})):
        assert ask(boss, broken)[0] == 422, broken[:20]


def test_the_builder_opens_on_a_formula(boss: Visitor) -> None:
    panel = boss.get("/o/deal/filter?where=" + quote('IN(stage, "won", "lost") && amount >= 5')).text
    assert panel.count("data-row>") == 2 and 'value="won" data-value data-colour="grey" checked' in panel
    assert "data-as-formula" in panel
    assert "无法用条件行表示" in boss.get("/o/deal/filter?where=" + quote("amount * 2 > 5")).text
    row = boss.get("/o/deal/filter/row?field=account&is=any_of").text
    assert 'data-tokens="/o/deal/lookup/account"' in row


def test_a_hidden_field_is_as_one_that_does_not_exist(boss: Visitor, junior: Visitor) -> None:
    assert "Secret" in boss.get("/o/deal/filter").text
    assert "ecret" not in junior.get("/o/deal/filter").text
    assert "ecret" not in junior.get("/o/deal").text
    hidden = ask(junior, {"all": [{"field": "secret", "is": "is", "values": ["x"]}]})
    unknown = ask(junior, {"all": [{"field": "nosuch", "is": "is", "values": ["x"]}]})
    assert hidden[0] == unknown[0] == 422
    assert json.dumps(hidden[1]).replace("secret", "nosuch") == json.dumps(unknown[1])
    for path in ("/o/deal/filter/row?field=secret", "/o/deal/filter/row?field=nosuch"):
        assert junior.get(path).status_code == 422


def test_a_view_that_names_a_hidden_field_does_not_tell(
    site: PageSite, boss: Visitor, junior: Visitor
) -> None:
    site.publish(CRM, [SIGHTLESS, OPEN, TELLING, SHOWING])
    assert "Telling" in boss.get("/o/deal").text
    page = junior.get("/o/deal").text
    assert "Telling" not in page and "Showing" in page
    for query in ("view=telling", "view=showing", "view=showing&order=amount"):
        page = junior.get("/o/deal?" + query).text
        assert "secret" not in page.lower() and len(names(page)) in (2, 3)
    boss.get("/o/deal")
    boss.post(
        "/o/deal/views", {"name": "Leak", "where": 'secret = "x"', "columns": "secret", "shared": "yes"}
    )
    page = junior.get("/o/deal").text
    assert "Leak" not in page and "secret" not in page.lower()


def test_a_view_is_saved_opened_changed_and_removed(boss: Visitor, junior: Visitor) -> None:
    boss.get("/o/deal")
    state = {"where": "amount > 200", "order": "-amount", "columns": "stage,amount:120"}
    page = boss.follow(boss.post("/o/deal/views", {**state, "name": "大单 <b>", "shared": "yes"}))
    assert "大单 &lt;b&gt;" in page.text and names(page.text) == ["乙单", "丙单"]
    href = re.search(r'href="(/o/deal\?view=[0-9a-f]{32})" aria-current="page"', page.text)
    assert href is not None
    assert names(junior.get(href[1]).text) == ["乙单", "丙单"]
    id = href[1][-32:]
    assert junior.post(f"/o/deal/views/{id}", {"do": "delete"}).status_code == 403
    changed = junior.get(f"{href[1]}&where=amount+%3E+600")
    assert "视图已改动" in changed.text and names(changed.text) == ["乙单"]
    boss.get(href[1])
    page = boss.follow(boss.post(f"/o/deal/views/{id}", {**state, "where": "amount > 600", "do": "save"}))
    assert names(page.text) == ["乙单"]
    boss.post("/o/deal/views/open", {"view": id})
    assert names(boss.get("/o/deal").text) == ["乙单"]
    boss.post(f"/o/deal/views/{id}", {"do": "unshare"})
    # What is no longer shared is gone for others, and its address shows the first view.
    assert len(names(junior.get(href[1]).text)) == len(names(junior.get("/o/deal").text))
    boss.get("/o/deal")
    boss.follow(boss.post(f"/o/deal/views/{id}", {"do": "delete"}))
    assert "大单" not in boss.get("/o/deal").text.partition("tw-toasts")[0]


def test_hostile_addresses_show_a_list(boss: Visitor) -> None:
    for query in (
        "view=%00", "view=" + "x" * 300, "columns=,,,:,name:99999999999,nosuch.field", "order=-", "order=--x",
        "n=-1&trail=~~~", "column=" + quote("<script>"), "columns=" + ",".join(["name"] * 500),
    ):  # fmt: skip
        answer = boss.get("/o/deal?" + query)
        assert answer.status_code in (200, 400, 422), query
        assert "<script>a" not in answer.text


def test_a_retired_field_is_offered_nowhere_but_what_stands_by_it_stays(site: PageSite) -> None:
    visitor = site.person("退休办", "administrator", "standard_user")
    values = [{"code": code, "label": {"en": code, "zh": code}} for code in ("open", "won", "lost")]
    retired = {"type": "picklist", "options": {"values": values}, "active": False}
    objects: models.Compact = {**CRM, "deal": {**CRM["deal"], "stage": retired}}
    site.publish(objects, [])
    try:
        page = visitor.get("/o/deal?view=open").text
        chooser = page[page.index("data-column-list") : page.index("</form>", page.index("data-column-list"))]
        assert 'value="stage"' not in chooser and 'value="account"' in chooser
        row = visitor.get("/o/deal/filter/row?field=amount").text
        assert 'value="stage"' not in row and 'value="amount"' in row
        kept = visitor.get("/o/deal?where=" + quote('ISPICKVAL(stage, "won")')).text
        assert "丙单" in kept and "乙单" not in kept[kept.index("<tbody>") :]
        panel = visitor.get("/o/deal/filter?where=" + quote('ISPICKVAL(stage, "won")')).text
        assert 'value="stage" selected' in panel
        assert visitor.get("/o/deal/board").status_code == 422
    finally:
        site.publish(CRM, [])
