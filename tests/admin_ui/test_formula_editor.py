"""The formula editor's addresses: what it completes, lays out, puts right and tries on records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from pagesite import PageSite, Visitor, readable
from studios import make_field, studio_site

RULE = {"kind": "validation_rule", "object": "deal", "check": "/condition"}
SELLER: dict[str, Any] = {
    "kind": "permission_set",
    "name": "half",
    "label": {"zh": "半个", "en": "Half"},
    "system": ["customise"],
    "objects": {"deal": ["read", "view_all"], "account": ["read", "view_all"]},
    "fields": {"deal": {"*": "read", "amount": "none"}, "account": {"*": "read"}},
}


@pytest.fixture(scope="module")
def site() -> Iterator[PageSite]:
    level = {
        "kind": "field",
        "name": "user.level",
        "type": "decimal",
        "label": {"zh": "级别", "en": "Level"},
        "options": {"precision": 6, "scale": 2},
    }
    with studio_site("sqlite", level, SELLER) as made:
        yield made


def someone(site: PageSite, name: str, rights: str = "administrator", language: Any = "en") -> Visitor:
    visitor = site.person(name, rights, language=language)
    visitor.get("/studio/new/validation_rule?object=deal")
    return visitor


def ask(visitor: Visitor, address: str, condition: str, **more: str) -> Any:
    page = visitor.last  # it has the token
    answer = visitor.post(f"/studio/{address}", {**RULE, "/condition": condition, **more})
    visitor.last = page
    return answer


def names(answer: Any) -> dict[str, dict[str, Any]]:
    return {each["name"]: each for each in answer.get_json()["names"]}


def test_fields_are_completed_through_lookups_in_both_languages(site: PageSite) -> None:
    admin = someone(site, "a1", language="zh")
    found = names(ask(admin, "complete", "", path=""))
    assert found["account"]["leads"] and not found["amount"]["leads"]
    assert "$User" in found and found["$User"]["label"] == "当前用户"
    level = names(ask(admin, "complete", "", path="account.owner"))["level"]
    assert (level["label"], level["leads"]) == ("级别", False)
    assert "level" in level["find"] and "级别" in level["find"] and "jb" in level["find"], "by initials too"
    assert names(ask(admin, "complete", "", path="amount")) == {}
    assert names(ask(admin, "complete", "", path="no.where")) == {}


def test_children_are_offered_and_their_fields_within(site: PageSite) -> None:
    admin = someone(site, "a7")
    rule = {"kind": "validation_rule", "object": "account", "check": "/condition", "/condition": ""}
    found = names(ask(admin, "complete", "", **rule, path=""))
    assert found["deal"]["children"] and found["deal"]["type"] == "Children, by “Account”"
    inner = names(ask(admin, "complete", "", **rule, path="", within="deal"))
    assert "amount" in inner and "amount" not in found
    nothing = names(ask(admin, "complete", "", **rule, path="", within="no.thing"))
    assert nothing.keys() == found.keys()


def test_functions_are_those_that_are_legal_in_the_place(site: PageSite) -> None:
    admin = someone(site, "a2")
    rule = {each["name"]: each for each in ask(admin, "complete", "", path="").get_json()["functions"]}
    assert "PRIORVALUE" in rule and "rounded" in rule["ROUND"]["says"].lower()
    assert rule["ROUND"]["usage"] == "number, places" and rule["ROUND"]["example"]
    where = {"kind": "list_view", "object": "deal", "check": "where", "text": "", "path": ""}
    found = [each["name"] for each in admin.post("/studio/complete", where).get_json()["functions"]]
    assert "ROUND" in found and "PRIORVALUE" not in found
    assert "functions" not in ask(admin, "complete", "", path="account").get_json()


def test_a_fault_offers_what_was_meant(site: PageSite) -> None:
    admin = someone(site, "a3")
    said = ask(admin, "check", '  name = "𝒳" && amout > 1').text
    assert 'data-put="amount"' in said and 'data-from="15" data-over="5"' in said, "as browsers count"
    several = readable(ask(admin, "check", "amount > 1\n&& amout > 1"))
    assert "Line 2, column 4:" in several
    outside = {"kind": "layout", "object": "deal", "check": "visible", "text": "stge = 1"}
    assert 'data-put="stage"' in admin.post("/studio/check", outside).text


def test_a_formula_is_laid_out(site: PageSite) -> None:
    admin = someone(site, "a4")
    assert ask(admin, "tidy", "", text="amount>1&&/* big */\r\nok").get_json() == {
        "text": "amount > 1\n  /* big */\n  && ok"
    }
    assert ask(admin, "tidy", "", text="amount >").get_json() == {"text": "amount >"}


def test_a_formula_is_tried_on_a_record(site: PageSite) -> None:
    admin = someone(site, "a5")
    account = site.records.create("account", {"name": "Nordwind"})
    deals = [
        site.records.create("deal", {"name": name, "amount": amount, "account": str(account.id)})
        for name, amount in (("big", "200"), ("small", "0"))
    ]
    condition = '1000 / amount < 10 && BEGINS(account.name, "Nord")'
    said = readable(ask(admin, "trial", condition, record=deals[0].id.hex))
    assert "1000 / amount < 10 yes" in said and "amount Amount 200" in said
    assert "account.name Account › Name Nordwind" in said
    failed = readable(ask(admin, "trial", condition, record=deals[1].id.hex))
    assert "What fails: 1000 / amount" in failed and "passed over" in failed
    assert "small" in readable(ask(admin, "trial", condition, find="sma"))
    assert 'data-put="amount"' in ask(admin, "trial", "amout > 1").text
    make_field(admin, "deal", "text", "新字段", local="fresh")
    admin.get("/studio/new/validation_rule?object=deal")
    assert "ISBLANK(fresh) yes" in readable(ask(admin, "trial", "ISBLANK(fresh)")), "the draft's own is blank"


def test_a_trial_tells_nothing_that_its_reader_may_not_see(site: PageSite) -> None:
    half = someone(site, "h1", "half")
    deal = site.records.create("deal", {"name": "secret", "amount": "47110815", "stage": "open"})
    said = readable(ask(half, "trial", 'amount > 100 && stage = "open"', record=deal.id.hex))
    assert "… > 100 not visible to you" in said and "47110815" not in said and "amount" not in said
    assert 'stage = "open" yes' in said
    assert "Result not visible to you" in said, "what is tried may be about anything"
    gone = ask(half, "trial", "amount > 1", record=UUID(int=1).hex)
    assert gone.status_code == 200 and "47110815" not in gone.text


def test_a_rule_is_not_tried_on_children_that_its_reader_may_not_see(site: PageSite) -> None:
    half, admin = someone(site, "h2", "half"), someone(site, "a9")
    account = site.records.create("account", {"name": "Verschwiegen"})
    site.records.create("deal", {"name": "hush", "amount": "47110815", "account": str(account.id)})
    form = {"object": "account", "/condition": "SUM(deal, amount) > 4000", "find": "Verschw"}
    answers = {who: readable(who.post("/studio/try", form)) for who in (half, admin)}
    assert "may not see" in answers[half] and "refused" not in answers[half].lower()
    assert "may not see" not in answers[admin] and "Verschwiegen" in answers[admin]


def test_what_was_typed_is_text(site: PageSite) -> None:
    admin = someone(site, "a6")
    for address in ("check", "trial"):
        assert "<img" not in ask(admin, address, 'name = "<img src=x>" && <img').text
        assert "<img" not in ask(admin, address, 'name = "<img src=x>"').text


def test_a_roll_up_speaks_of_the_records_that_hang_on_its_own(site: PageSite) -> None:
    admin = someone(site, "a8")
    site.records.create("deal", {"name": "rolled", "amount": "5"})
    form = {
        "kind": "field",
        "object": "account",
        "/type": "roll_up",
        "/options/relation": "deal.account",
        "/options/function": "sum",
        "/options/returns": "currency",
        "/options/value": "amount",
        "/options/filter": 'stge = "won"',
    }
    told = ask(admin, "check", "", **form, check="/options/filter").text
    assert 'data-put="stage"' in told, "a field of the deals"
    inner = names(ask(admin, "complete", "", **form, check="/options/value", path=""))
    assert "amount" in inner and "stage" in inner
    assert "Right" in readable(ask(admin, "check", "", **form, check="/options/value"))
    tried = readable(ask(admin, "trial", "", **form, check="/options/value", find="rolled"))
    assert "Result 5" in tried, "tried on one of the deals"
