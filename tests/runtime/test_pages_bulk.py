"""Many records at once over HTTP: rehearse, change, hand over, delete, take back; on both databases."""

from __future__ import annotations

import csv
import io
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
from tabwright.runtime.bulk.runs import CHUNK
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

CRM: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "secret": "text(40)",
        "code": "text(20) unique",
        "stage": "picklist(open,won,lost)",
        "hot": "boolean",
    },
    "note": {"name": "text(80) required", "deal": "lookup(deal,cascade)"},
}
SETS = [
    {"kind": "permission_set", "name": "looker", "label": {"en": "Looker", "zh": "看"},
     "objects": {"deal": ["read", "view_all"]}, "fields": {"deal": {"*": "read", "secret": "none"}},
     "tabs": ["*"], "apps": ["*"]},
    {"kind": "permission_set", "name": "seller", "label": {"en": "Seller", "zh": "销售"},
     "objects": {"deal": ["read", "edit", "create", "view_all", "mass_edit"], "account": ["read"]},
     "fields": {"deal": {"*": "edit", "secret": "none", "amount": "read"}, "account": {"*": "read"}},
     "tabs": ["*"], "apps": ["*"]},
    {"kind": "permission_set", "name": "editor", "label": {"en": "Editor"},
     "objects": {"deal": ["edit", "view_all", "transfer", "delete"]}, "fields": {"deal": {"*": "edit"}}},
]  # fmt: skip
RULE = {
    "kind": "validation_rule", "name": "deal.big", "label": {"en": "Big", "zh": "大单"},
    "condition": 'amount > 1000 && ISPICKVAL(stage, "lost")',
    "message": {"en": "=A big deal is not lost like that", "zh": "=大单不能这样丢"}, "field": "stage",
}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, [*SETS, {**RULE, "name": "deal.big"}])
        yield made


@pytest.fixture(scope="module")
def boss(site: PageSite) -> Visitor:
    return site.person("周文博", "administrator", "standard_user")


@pytest.fixture
def deals(site: PageSite) -> list[str]:
    """Four deals of their own, the last of which the rule will not let be lost."""
    made = []
    for name, amount in (("甲", 10), ("乙", 20), ("丙", 30), ("=HYPERLINK(丁)", 9000)):
        saved = site.records.create("deal", {"name": name, "amount": amount, "stage": "open", "secret": "s"})
        made.append(str(saved.id))
    return made


def value(site: PageSite, id: str, field: str = "stage") -> Any:
    from uuid import UUID

    return Reads(site.call).get("deal", UUID(id), (field,))[field]


def begin(visitor: Visitor, do: str, *ids: str, **more: str) -> str:
    """Post the bar; the address of the run."""
    visitor.get("/o/deal")
    answer = visitor.post("/o/deal/bulk", {"do": do, "id": list(ids), **more})
    assert answer.status_code == 303, readable(answer)[:400]
    at = answer.headers["Location"]
    assert at.startswith("/bulk/"), at
    visitor.get(at)
    return at


def test_the_bar_offers_what_one_may_do(site: PageSite, boss: Visitor, deals: list[str]) -> None:
    page = boss.get("/o/deal")
    for word in ("批量修改", "转交", "删除"):
        assert word in readable(page)
    assert f'name="id" value="{deals[0]}" aria-label="选择 甲"' in page.text
    looker = site.person("只看", "looker")
    page = looker.get("/o/deal")
    assert "bulk-form" not in page.text and "is-check" not in page.text
    looker.get("/o/deal")
    for do in ("edit", "delete", "transfer"):
        assert looker.post("/o/deal/bulk", {"do": do, "id": deals[0]}).status_code == 403
    seller = site.person("小销", "seller")
    words = readable(seller.get("/o/deal"))
    assert "批量修改" in words and "转交" not in words and "批量操作" in words
    assert 'value="delete"' not in seller.last


def test_edit_is_rehearsed_with_counts_then_done_and_taken_back(
    site: PageSite, boss: Visitor, deals: list[str]
) -> None:
    site.records.update("deal", deals[1], {"stage": "lost"})
    at = begin(boss, "edit", *deals)
    page = boss.post(at, {"_do": "add", "_add": "stage"})
    assert page.status_code == 200 and 'name="stage"' in page.text and value(site, deals[0]) == "open"
    answer = boss.post(at, {"_do": "check", "_chosen": "stage", "stage": ""})
    assert answer.status_code == 422 and "请填写新的值" in readable(answer)
    plan = readable(boss.follow(boss.post(at, {"_do": "check", "_chosen": "stage", "stage": "lost"})))
    assert "2 条会修改" in plan and "1 条不变" in plan and "1 条不能处理" in plan
    assert "=大单不能这样丢" in plan and "修改 2 条" in plan
    assert value(site, deals[0]) == "open"  # only rehearsed
    answer = boss.post(at + "/run", {})
    result = readable(boss.follow(answer))
    assert "已修改 2 条" in result and "没有处理的 1 条" in result
    assert [value(site, id) for id in deals] == ["lost", "lost", "lost", "open"]
    # The list of refused rows is harmless in a spreadsheet.
    sheet = boss.get(at + "/refused.csv")
    rows = list(csv.reader(io.StringIO(sheet.get_data().decode("utf-8-sig"))))
    assert rows[1][0] == "'=HYPERLINK(丁)" and "大单不能这样丢" in rows[1][2] and len(rows) == 2
    boss.get(at)
    told = readable(boss.follow(boss.post(at + "/undo", {})))
    assert "恢复 2 条" in told
    assert [value(site, id) for id in deals] == ["open", "lost", "open", "open"]
    assert "bulk" in {each for each in _causes(site)}
    assert "已撤销" in readable(boss.get(at))
    boss.get(at)
    assert "状态已经变化" in readable(boss.follow(boss.post(at + "/run", {})))


def _causes(site: PageSite) -> set[str]:
    import sqlalchemy as sa

    from tabwright.runtime.journal.tables import operations

    with site.call.tenant.store.read() as reader:
        return set(reader.execute(sa.select(operations.c.cause)).scalars())


def test_without_a_fault_the_list_says_it_with_an_undo(
    site: PageSite, boss: Visitor, deals: list[str]
) -> None:
    at = begin(boss, "edit", *deals[:3], _back="/o/deal?order=-amount")
    boss.post(at, {"_do": "check", "_chosen": ["amount", "hot"], "amount": "1,234.50", "hot": "true"})
    boss.get(at)
    answer = boss.post(at + "/run", {})
    assert answer.headers["Location"] == "/o/deal?order=-amount"
    page = boss.follow(answer)
    assert "已修改 3 条" in readable(page) and f'action="{at}/undo"' in page.text
    assert str(value(site, deals[0], "amount")) == "1234.50" and value(site, deals[0], "hot") is True
    boss.follow(boss.post(at + "/undo", {}))
    assert str(value(site, deals[0], "amount")) == "10.00"
    # A value is cleared by its box, whatever stands in the input.
    at = begin(boss, "edit", deals[0])
    boss.follow(boss.post(at, {"_do": "check", "_chosen": "amount", "amount": "5", "_clear": "amount"}))
    boss.post(at + "/run", {})
    assert value(site, deals[0], "amount") is None


def test_all_that_match_are_kept_as_they_were_at_the_start(site: PageSite, boss: Visitor) -> None:
    for n in range(60):
        site.records.create("deal", {"name": f"全部 {n}", "stage": "open", "code": f"all-{n}"})
    where = 'BEGINS(name, "全部")'
    page = boss.get("/o/deal?where=" + quote(where))
    assert "选择全部 60 条" in readable(page)
    answer = boss.post("/o/deal/bulk", {"do": "edit", "_all": "yes", "where": where, "id": ""})
    at = answer.headers["Location"]
    site.records.create("deal", {"name": "全部 later", "stage": "open"})
    boss.get(at)
    boss.follow(boss.post(at, {"_do": "check", "_chosen": "stage", "stage": "won"}))
    assert "60 条会修改" in readable(boss.last)
    boss.follow(boss.post(at + "/run", {}))
    query = Query("deal", ("id",), where=(where, 'ISPICKVAL(stage, "won")'), limit=1, count=True)
    assert Reads(site.call).list(query).count == 60


def test_more_than_a_part_is_a_job_that_can_be_stopped_and_undone(site: PageSite, boss: Visitor) -> None:
    from tabwright.runtime.records.batch import Intent

    intents = [Intent("create", values={"name": f"多 {n}", "stage": "open"}) for n in range(CHUNK + 5)]
    site.records.apply("deal", intents)
    where = 'BEGINS(name, "多")'
    boss.get("/o/deal")
    at = boss.post("/o/deal/bulk", {"do": "edit", "_all": "yes", "where": where}).headers["Location"]
    boss.get(at)
    page = boss.follow(boss.post(at, {"_do": "check", "_chosen": "stage", "stage": "won"}))
    assert "正在预演" in readable(page) and "data-again" in page.text
    page = boss.follow(boss.post(at + "/cancel", {}))  # stopped before it began: the form again
    assert 'value="won" selected' in page.text
    boss.follow(boss.post(at, {"_do": "check", "_chosen": "stage", "stage": "won"}))
    site.site.runner.run_due(site.location)
    assert "1,005 条会修改" in readable(boss.get(at))
    assert "正在处理" in readable(boss.follow(boss.post(at + "/run", {})))
    site.site.runner.run_due(site.location)
    words = readable(boss.get(at))
    assert "已修改 1,005 条" in words and "撤销这 1,005 条" in words
    query = Query("deal", ("id",), where=(where, 'ISPICKVAL(stage, "won")'), limit=1, count=True)
    assert Reads(site.call).list(query).count_is_capped
    boss.follow(boss.post(at + "/undo", {}))
    site.site.runner.run_due(site.location)
    assert "已恢复 1,005 条" in readable(boss.get(at))
    assert Reads(site.call).list(query).count == 0


def test_deleting_counts_what_goes_along_and_comes_back(
    site: PageSite, boss: Visitor, deals: list[str]
) -> None:
    for n in range(3):
        site.records.create("note", {"name": f"n{n}", "deal": deals[0]})
    at = begin(boss, "delete", *deals[:2])
    plan = readable(boss.last)
    assert "2 条会移到回收站" in plan and "3 条Note一起移到回收站" in plan.replace("note", "Note")
    assert value(site, deals[0]) == "open"
    told = boss.follow(boss.post(at + "/run", {}))
    assert "2 条已移到回收站" in readable(told)
    assert len(Reads(site.call).list(Query("note", ("id",), parent=("deal", _uuid(deals[0])))).rows) == 0
    boss.follow(boss.post(at + "/undo", {}))
    assert value(site, deals[0]) == "open"
    assert len(Reads(site.call).list(Query("note", ("id",), parent=("deal", _uuid(deals[0])))).rows) == 3


def _uuid(text: str) -> Any:
    from uuid import UUID

    return UUID(text)


def test_a_transfer_gives_them_to_somebody(site: PageSite, boss: Visitor, deals: list[str]) -> None:
    other = site.person("林晓彤", "standard_user")
    at = begin(boss, "transfer", *deals[:2])
    assert "新的负责人" in readable(boss.last)
    boss.follow(boss.post(at, {"_do": "check", "owner": "", "owner.text": "林晓彤"}))
    assert "2 条会转交" in readable(boss.last)
    boss.follow(boss.post(at + "/run", {}))
    assert value(site, deals[0], "owner") == other.user_id


def test_hidden_and_read_only_fields_are_nowhere(site: PageSite, deals: list[str]) -> None:
    seller = site.person("小林", "seller")
    at = begin(seller, "edit", *deals)
    offered = re.findall(r'<option value="(\w+)">', seller.last)
    assert "stage" in offered and not {"secret", "amount", "code", "owner", "created_at"} & set(offered)
    page = seller.post(at, {"_do": "add", "_add": "secret", "_chosen": "amount"})
    assert 'name="secret"' not in page.text and 'name="amount"' not in page.text
    answer = seller.post(at, {"_do": "check", "_chosen": "secret", "secret": "x"})
    assert answer.status_code == 422 and "至少选择一个" in readable(answer)
    # What they may not edit is told, row by row: sharing leaves them only their own.
    plan = readable(seller.follow(seller.post(at, {"_do": "check", "_chosen": "stage", "stage": "won"})))
    assert "4 条不能处理" in plan and "0 条会修改" in plan
    # Nobody looks at another person's change.
    stranger = site.person("旁人", "administrator", "standard_user")
    assert stranger.get(at).status_code == 404
    stranger.get("/o/deal")
    assert stranger.post(at + "/run", {}).status_code == 404
    assert stranger.get(at + "/refused.csv").status_code == 404


def test_too_many_and_nonsense_are_refused_in_words(
    site: PageSite, boss: Visitor, deals: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    boss.get("/o/deal")
    answer = boss.post("/o/deal/bulk", {"do": "edit", "id": "nonsense"})
    assert answer.status_code == 303 and "没有选中记录" in readable(boss.follow(answer))
    boss.get("/o/deal")
    assert boss.post("/o/deal/bulk", {"do": "explode", "id": deals[0]}).status_code == 400
    boss.get("/o/deal")
    gone = "00000000-0000-4000-8000-000000000000"
    assert boss.post("/o/deal/bulk", {"do": "edit", "id": gone}).status_code in (400, 422)
    boss.get("/o/deal")
    assert boss.post("/o/deal/bulk", {"do": "edit", "_all": "yes", "where": "nonsense >"}).status_code < 500
    tenant = site.call.tenant
    from dataclasses import replace

    monkeypatch.setattr(tenant, "limits", replace(tenant.limits, bulk_records=2))
    boss.get("/o/deal")
    answer = boss.post("/o/deal/bulk", {"do": "edit", "_all": "yes", "where": ""})
    assert answer.status_code == 429 and "最多处理 2 条" in readable(answer)


def test_who_lost_the_right_to_mass_edit_runs_nothing_that_was_rehearsed(
    site: PageSite, deals: list[str]
) -> None:
    """Editing one by one is another right, and stays."""
    person = site.person("小吴", "seller")
    at = begin(person, "edit", deals[0])
    plan = person.follow(person.post(at, {"_do": "check", "_chosen": "stage", "stage": "won"}))
    assert "修改 1 条" in readable(plan)
    [given] = _assignments(site, person)
    uids = {each.name: each.uid for each in site.call.model.permission_sets.values()}
    site.records.update("permission_assignment", given, {"permission_set": uids["editor"]})
    assert person.post(at + "/run", {}).status_code == 403
    assert value(site, deals[0]) == "open"
    assert 'value="edit"' not in person.get("/o/deal").text
    assert person.get(f"/o/deal/{deals[0]}/edit").status_code == 200


def _assignments(site: PageSite, person: Visitor) -> list[Any]:
    page = Reads(site.call).list(Query("permission_assignment", ("user",), limit=200))
    return [row["id"] for row in page.rows if row["user"] == person.user_id]
