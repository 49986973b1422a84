"""Colour rules over HTTP: in the table, on the board, in the calendar; who sees which; on both databases."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import models
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS

HOSTILE = '<img src=x onerror="alert(1)">'
CRM: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "tier": "picklist(a,b)"},
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "secret": "text(40)",
        "close": "date",
        "stage": "picklist(open,won,lost)",
    },
}
JUNIOR = {
    "kind": "permission_set", "name": "junior", "label": {"en": "Junior", "zh": "新人"},
    "objects": {"deal": ["read", "view_all"]}, "fields": {"deal": {"*": "read", "secret": "none"}},
    "tabs": ["*"], "apps": ["*"],
}  # fmt: skip


def rule(when: str, colour: str, said: str, **more: str) -> dict[str, Any]:
    return {"when": when, "colour": colour, "label": {"en": said, "zh": said}, **more}


VIEW = {
    "kind": "list_view", "name": "deal.all", "label": {"en": "All", "zh": "全部"},
    "columns": ["name", "amount", "stage"], "order": [["amount", "asc"]],
    "colours": [
        rule('account.tier = "a" && amount > 500', "green", "大客户大单"),
        rule("amount > 50", "amber", "值得看"),
        rule("amount >= 900", "blue", "最大", field="amount"),
        rule('secret = "x"', "purple", "机密单"),
    ],
}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, [JUNIOR, VIEW])
        account = made.records.create("account", {"name": "恒锐精密", "tier": "a"}).id
        for name, amount, stage in (("甲单", 40, "open"), ("乙单", 100, "open"), ("丙单", 900, "won")):
            values = {"name": name, "amount": amount, "stage": stage, "account": account, "secret": "x"}
            made.records.create("deal", {**values, "close": "2026-05-05"})
        yield made


@pytest.fixture(scope="module")
def boss(site: PageSite) -> Visitor:
    return site.person("周文博", "administrator", "standard_user")


@pytest.fixture(scope="module")
def junior(site: PageSite) -> Visitor:
    return site.person("林晓彤", "junior")


def rows(page: str) -> dict[str, tuple[str, str]]:
    """Name -> the colour of its row, and the words of its row."""
    found = {}
    for part in re.findall(r"<tr[^>]*>.*?</tr>", page[page.index("<tbody>") :], re.S):
        name = re.search(r'title="([^"]*)"', part)
        colour = re.match(r'<tr data-mark="(\w+)"', part)
        if name:
            found[name[1]] = (colour[1] if colour else "", readable(part))
    return found


def test_of_the_rules_for_records_the_first_that_holds_counts_and_says_what_it_means(boss: Visitor) -> None:
    page = boss.get("/o/deal").text
    found = rows(page)
    assert [found[name][0] for name in ("甲单", "乙单", "丙单")] == ["purple", "amber", "green"]
    assert "机密单" in found["甲单"][1] and "值得看" in found["乙单"][1] and "大客户大单" in found["丙单"][1]
    assert '<td class="is-num" data-mark="blue">' in page and page.count('data-mark="blue"') == 1
    legend = readable(page[page.index('class="tw-legend"') :][:2000])
    assert all(said in legend for said in ("大客户大单", "值得看", "最大", "机密单"))


def test_a_rule_about_a_hidden_field_is_nowhere_for_who_may_not_see_it(junior: Visitor) -> None:
    for path in ("/o/deal", "/o/deal/board?by=stage", "/o/deal/calendar?date=2026-05"):
        page = junior.get(path).text
        assert "机密单" not in page and "secret" not in page, path
    assert rows(junior.get("/o/deal").text)["甲单"][0] == ""
    rules = json.dumps([['secret = "x"', "red", "猜", ""]])
    assert "猜" not in readable(junior.get("/o/deal?colours=" + quote(rules)))
    panel = junior.get("/o/deal/colours?colours=" + quote(rules)).text
    assert "secret" not in panel


def test_boards_and_calendars_show_the_rules_of_the_view_that_the_object_opens_with(boss: Visitor) -> None:
    board = boss.get("/o/deal/board?by=stage").text
    assert re.findall(r'<article class="tw-kcard" data-mark="(\w+)"', board) == ["purple", "amber", "green"]
    assert "大客户大单" in readable(board)
    calendar = boss.get("/o/deal/calendar?date=2026-05").text
    assert sorted(re.findall(r'class="tw-calitem[^"]*" data-mark="(\w+)"', calendar)) == [
        "amber", "green", "purple",
    ]  # fmt: skip
    none = boss.get("/o/deal/board?by=stage&colours=").text
    assert "data-mark" not in none and "tw-legend" not in none


def test_a_card_that_was_moved_has_the_colour_of_its_new_state(site: PageSite, boss: Visitor) -> None:
    id = site.records.create("deal", {"name": "丁单", "stage": "open", "amount": 60}).id
    rules = json.dumps([['ISPICKVAL(stage, "won")', "teal", "已赢", ""]], ensure_ascii=False)
    boss.get("/o/deal/board?by=stage")
    given = {"by": "stage", "set.stage": "won", "revision": "1", "colours": rules}
    card = boss.post(f"/o/deal/{id}/move", given).get_json()["card"]
    assert 'data-mark="teal"' in card and "已赢" in card
    site.records.delete("deal", id)


def test_rules_are_made_in_rows_kept_in_a_view_and_changed_again(boss: Visitor) -> None:
    boss.get("/o/deal")
    condition = {"all": [{"field": "amount", "is": "above", "values": ["1万"]}]}
    given = [{"colour": "red", "label": " 一万 以上 ", "path": "", "condition": condition}]
    answer = boss.post("/o/deal/colours", {"rules": json.dumps(given)})
    made = answer.get_json()["colours"]
    assert json.loads(made) == [["amount > 10000", "red", "一万 以上", ""]]
    page = boss.get("/o/deal?colours=" + quote(made)).text
    assert rows(page)["丙单"][0] == "" and "一万 以上" in readable(page)
    saved = boss.post("/o/deal/views", {"name": "上色", "where": "", "colours": made})
    kept = boss.follow(saved).text
    assert "一万 以上" in readable(kept) and 'data-colours="[[' in kept
    panel = boss.get("/o/deal/colours?colours=" + quote(made)).text
    assert 'value="一万 以上"' in panel and "data-operator" in panel


def test_wrong_rules_are_told_at_their_rule_and_row(boss: Visitor) -> None:
    boss.get("/o/deal")
    bad = {
        "all": [
            {"field": "name", "is": "is", "values": ["x"]},
            {"field": "amount", "is": "above", "values": ["x"]},
        ]
    }
    given: list[dict[str, Any]] = [
        {"colour": "red", "label": "a", "path": "", "condition": {"all": []}},
        {"colour": "red", "label": "b", "path": "", "condition": bad},
        {"colour": "red", "label": "", "path": "", "formula": "amount > 1"},
        {"colour": "red", "label": "c", "path": "", "formula": "amoun > 1"},
        {"colour": "red", "label": "d", "path": "", "formula": "amount"},
    ]
    answer = boss.post("/o/deal/colours", {"rules": json.dumps(given)})
    assert answer.status_code == 422
    assert [(each["rule"], each["row"]) for each in answer.get_json()["faults"]] == [
        (0, None), (1, 2), (2, None), (3, None), (4, None),
    ]  # fmt: skip
    for shape in ("[1]", "{}", "nothing", json.dumps([{**given[2], "colour": "mauve"}])):
        assert boss.post("/o/deal/colours", {"rules": shape}).status_code == 422


def test_an_address_with_rules_that_mean_nothing_or_much_shows_the_list(boss: Visitor) -> None:
    rules = [
        ["amount > 1", "red", HOSTILE, ""],
        ["TODAY(", "red", "x", ""],
        ["amount > 1", "no", "y", "nowhere"],
    ]
    page = boss.get("/o/deal?colours=" + quote(json.dumps(rules))).text
    assert HOSTILE not in page and "&lt;img" in page and len(rows(page)) == 3
    for text in ("[", "[[1]]", "{}", "null", "[[" * 2000):
        assert len(rows(boss.get("/o/deal?colours=" + quote(text)).text)) == 3
