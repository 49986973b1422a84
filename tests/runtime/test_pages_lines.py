"""Lines in a form: typed beside their head, saved, refused and undone with it. Both databases."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

import models
from htmlforms import posted
from pagesite import PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

AT = "lines.item.quote"
CRM: models.Compact = {
    "product": {"name": "text(80) required sortable searchable"},
    "quote": {"name": "text(80) required sortable", "stage": "picklist(new,sent)", "note": "text"},
    "item": {
        "name": "text(80)",
        "quote": {"type": "master_detail", "options": {"target": "quote"}},
        "product": "lookup(product) required",
        "kind": {
            "type": "picklist",
            "options": {
                "values": [
                    {"code": "machine", "label": {"zh": "整机", "en": "Machine"}},
                    {"code": "part", "label": {"zh": "配件", "en": "Part"}},
                ]
            },
        },
        "amount": "currency(14,2)",
        "quantity": "integer",
        "due": "date",
        "rank": "integer",
    },
}
COLUMNS = ["product", "quantity", "amount", "kind", "due"]
LINES = {"relation": "item.quote", "columns": COLUMNS, "position": "rank", "max": 4, "totals": ["amount"]}


def layout(**lines: Any) -> dict[str, Any]:
    return {
        "kind": "layout",
        "name": "quote.standard",
        "label": {"en": "Standard"},
        "sections": [
            {"fields": ["name", "stage", "note"]},
            {"label": {"zh": "报价明细", "en": "Items"}, "lines": {**LINES, **lines}},
        ],
    }


ALL = ["read", "create", "edit", "delete"]
EXTRA: list[dict[str, Any]] = [
    layout(),
    {"kind": "validation_rule", "name": "item.most", "label": {"en": "Most"}, "field": "quantity",
     "condition": "quantity > 100", "message": {"zh": "数量不能超过 100", "en": "At most 100"}},
    {"kind": "permission_set", "name": "seller", "label": {"en": "Seller"},
     "objects": {"quote": ALL, "item": ALL, "product": ["view_all"]},
     "fields": {"*": {"*": "edit"}}},
    {"kind": "permission_set", "name": "looker", "label": {"en": "Looker"},
     "objects": {"quote": ["read", "create", "edit", "view_all", "modify_all"], "item": ["read"],
                 "product": ["view_all"]},
     "fields": {"*": {"*": "edit"}, "item": {"*": "read"}}},
]  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, EXTRA)
        for name in ("五轴机", "机械手", "夹具"):
            made.records.create("product", {"name": name})
        yield made


@pytest.fixture
def rep(site: PageSite) -> Visitor:
    return site.person(f"人{site.site.ids.new().hex[-8:]}", "seller")


def product(site: PageSite, name: str) -> UUID:
    query = Query("product", ("id",), where=f'name = "{name}"')
    return UUID(str(Reads(site.call).list(query).rows[0]["id"]))


def items(site: PageSite, quote: UUID, *paths: str) -> list[Any]:
    """The lines of a quote in their order."""
    wanted = paths or ("product.name", "quantity", "amount", "rank")
    query = Query("item", wanted, order=(("rank", "asc"), ("created_at", "asc")), parent=("quote", quote))
    rows = Reads(site.call).list(query).rows
    return [row[wanted[0]] if len(wanted) == 1 else tuple(row[path] for path in wanted) for row in rows]


def with_lines(site: PageSite, *lines: tuple[str, int, str]) -> UUID:
    quote = site.records.create("quote", {"name": "报价"}).id
    for rank, (name, quantity, amount) in enumerate(lines, start=1):
        values = {"quote": quote, "product": product(site, name), "quantity": quantity}
        site.records.create("item", {**values, "amount": amount, "rank": rank})
    return quote


def own(site: PageSite, rep: Visitor, *lines: tuple[str, int, str]) -> UUID:
    """A quote of this person's with lines."""
    quote = with_lines(site, *lines)
    site.records.update("quote", quote, {"owner": str(rep.user_id)})
    return quote


def form(rep: Visitor) -> MultiDict[str, str]:
    return posted(rep.last, "record-form")


def rows(given: MultiDict[str, str]) -> list[str]:
    """The keys of the rows in a form, in their order."""
    found = [re.fullmatch(rf"{re.escape(AT)}\.([a-z0-9]+)\._id", name) for name in given]
    return [each[1] for each in found if each]


def typed(given: MultiDict[str, str], key: str, **cells: str) -> MultiDict[str, str]:
    """Type into a row; a lookup by its text."""
    for name, text in cells.items():
        at = f"{AT}.{key}.{name}"
        if name == "product":
            given.setlist(at, [""])
            at += ".text"
        given.setlist(at, [text])
    return given


def button(rep: Visitor, path: str, given: MultiDict[str, str], *words: str, **more: str) -> TestResponse:
    return rep.post(path, {**dict(given.lists()), "_line": " ".join(words), **more})


def send(rep: Visitor, path: str, given: MultiDict[str, str], **more: str) -> TestResponse:
    return rep.post(path, {**dict(given.lists()), **more})


def test_a_quote_and_its_lines_are_made_in_one_save_and_undone_in_one(site: PageSite, rep: Visitor) -> None:
    rep.get("/o/quote/new")
    given = form(rep)
    assert rows(given) == ["n1"], "one row stands ready"
    button(rep, "/o/quote/new", typed(given, "n1", product="五轴机", quantity="6", amount="1,200.50"),
           "add", "item.quote")  # fmt: skip
    given = form(rep)
    assert rows(given) == ["n1", "n2"] and "¥1,200.50" in rep.last
    typed(given, "n2", product="机械手", quantity="2", amount="0.1", kind="part")
    button(rep, "/o/quote/new", given, "add", "item.quote")
    given = form(rep)
    given["name"] = "第一份"
    answer = send(rep, "/o/quote/new", given)  # the third row was left blank
    page = rep.follow(answer)
    quote = UUID(answer.headers["Location"].rpartition("/")[2])
    assert items(site, quote) == [("五轴机", 6, Decimal("1200.50"), 1), ("机械手", 2, Decimal("0.10"), 2)]
    assert "¥1,200.60" in page.text and "五轴机" in page.text
    undo = re.search(r'action="(/undo/[^"]+)"', page.text)
    assert undo
    words = readable(rep.follow(rep.post(undo[1], {})))
    assert "已撤销" in words or rep.get(f"/o/quote/{quote}").status_code == 404
    assert rep.get(f"/o/quote/{quote}").status_code == 404 and items(site, quote) == []


def test_lines_are_changed_added_removed_and_ordered_in_one_operation(site: PageSite, rep: Visitor) -> None:
    quote = own(site, rep, ("五轴机", 1, "10"), ("机械手", 2, "20"), ("夹具", 3, "30"))
    at = f"/o/quote/{quote}/edit"
    rep.get(at)
    first, second, third = rows(form(rep))
    button(rep, at, form(rep), "up", "item.quote", third)
    assert rows(form(rep)) == [first, third, second]
    button(rep, at, form(rep), "remove", "item.quote", first)
    button(rep, at, form(rep), "copy", "item.quote", second)
    given = form(rep)
    fresh = rows(given)[2]
    assert rows(given) == [third, second, fresh]
    typed(given, second, quantity="9")
    answer = send(rep, at, given)
    page = rep.follow(answer)
    got = items(site, quote, "product.name", "quantity", "rank")
    assert got == [("夹具", 3, 1), ("机械手", 9, 2), ("机械手", 2, 3)]
    undo = re.search(r'action="(/undo/[^"]+)"', page.text)
    assert undo
    rep.follow(rep.post(undo[1], {}))
    assert [each[:2] for each in items(site, quote)] == [("五轴机", 1), ("机械手", 2), ("夹具", 3)]


def test_everything_that_is_wrong_is_told_at_its_place_and_nothing_is_written(
    site: PageSite, rep: Visitor
) -> None:
    rep.get("/o/quote/new")
    given = typed(form(rep), "n1", product="没有这个", quantity="1x", amount="5")
    button(rep, "/o/quote/new", given, "add", "item.quote")
    given = typed(form(rep), "n2", product="夹具", quantity="101")
    answer = send(rep, "/o/quote/new", given)
    assert answer.status_code == 422
    words = readable(answer)
    assert "报价明细 第 1 行" in words and "没有这个" in words
    kept = form(rep)
    assert kept[f"{AT}.n1.product.text"] == "没有这个" and kept[f"{AT}.n1.quantity"] == "1x"
    for cell in ("n1-product", "n1-quantity"):
        assert f'href="#f-item-quote-{cell}"' in rep.last and f'id="f-item-quote-{cell}"' in rep.last
    typed(kept, "n1", product="五轴机", quantity="1")
    kept["name"] = "第二份"
    answer = send(rep, "/o/quote/new", kept)
    assert answer.status_code == 422 and "数量不能超过 100" in readable(answer)
    assert Reads(site.call).list(Query("quote", ("id",), where='name = "第二份"')).rows == []
    typed(form(rep), "n2")
    fixed = typed(form(rep), "n2", quantity="100")
    answer = send(rep, "/o/quote/new", fixed)
    assert answer.status_code == 303, readable(answer)


def test_too_few_and_too_many_lines_are_refused(site: PageSite, rep: Visitor) -> None:
    site.publish({}, [layout(min=1)])
    try:
        rep.get("/o/quote/new")
        given = form(rep)
        given["name"] = "空的"
        answer = send(rep, "/o/quote/new", given)
        assert answer.status_code == 422 and "至少要 1 行" in readable(answer)
        for number in range(1, 6):
            given = typed(form(rep), f"n{number}", product="夹具")
            button(rep, "/o/quote/new", given, "add", "item.quote")
        answer = send(rep, "/o/quote/new", form(rep))
        assert answer.status_code == 422 and "最多 4 行，现在有 5 行" in readable(answer)
        panel = rep.client.get("/o/quote/new/panel")
        assert panel.status_code == 303 and panel.headers["Location"].startswith("/o/quote/new")
    finally:
        site.publish({}, [layout()])


def test_a_block_from_a_spreadsheet_fills_rows_from_the_cell_on(site: PageSite, rep: Visitor) -> None:
    rep.get("/o/quote/new")
    block = (
        "五轴机\t2\t¥1,000.5\t整机\t2026/11/2\r\n机械手\t3\t20\t没有\t2026年12月1日\r\n无名\t\t\tPart\t\r\n"
    )
    answer = button(rep, "/o/quote/new", form(rep), "paste", "item.quote", "n1", "product", _paste=block)
    assert answer.status_code == 200
    given = form(rep)
    assert rows(given) == ["n1", "n2", "n3"]
    assert given[f"{AT}.n1.product"] == str(product(site, "五轴机"))
    got = [given[f"{AT}.n1.{name}"] for name in COLUMNS[1:]]
    assert got == ["2", "1,000.5", "machine", "2026-11-02"]
    assert given[f"{AT}.n2.due"] == "2026-12-01" and given[f"{AT}.n3.kind"] == "part"
    words = readable(answer)
    assert "没有叫“无名”的" in words
    assert "粘贴的“没有”" in words
    assert "¥1,020.50" in rep.last
    heads = "Quantity\tProduct\r\n7\t夹具\r\n"
    button(rep, "/o/quote/new", given, "paste", "item.quote", "n3", "amount", _paste=heads)
    given = form(rep)
    assert given[f"{AT}.n3.quantity"] == "7" and given[f"{AT}.n3.product.text"] == "夹具"


def test_who_may_not_make_or_change_lines_sees_no_way_to(site: PageSite) -> None:
    looker = site.person(f"看{site.site.ids.new().hex[-8:]}", "looker")
    quote = with_lines(site, ("五轴机", 1, "10"))
    page = looker.get(f"/o/quote/{quote}/edit")
    assert "五轴机" in page.text and "data-line-do" not in page.text and "data-line-add" not in page.text
    given = form(looker)
    [key] = rows(given)
    given["note"] = "看过"
    typed(given, key, quantity="99")
    given[f"{AT}.n9._id"], given[f"{AT}.n9.quantity"] = "", "5"
    answer = send(looker, f"/o/quote/{quote}/edit", given)
    assert answer.status_code == 422 and "“5”没有保存" in readable(answer), "nothing typed goes in silence"
    answer = send(looker, f"/o/quote/{quote}/edit", form(looker))
    assert answer.status_code == 303, readable(answer)
    assert items(site, quote, "quantity") == [1]
    given.poplist(f"{AT}.{key}._id")
    send(looker, f"/o/quote/{quote}/edit", MultiDict({n: v for n, v in given.items() if key not in n}))
    assert items(site, quote, "quantity") == [1]


def test_a_line_of_another_quote_cannot_be_smuggled_in(site: PageSite, rep: Visitor) -> None:
    mine, other = own(site, rep, ("五轴机", 1, "10")), own(site, rep, ("夹具", 5, "1"))
    rep.get(f"/o/quote/{mine}/edit")
    given = form(rep)
    [key] = rows(given)
    [strange] = items(site, other, "id")
    given[f"{AT}.{key}._id"] = strange.hex
    typed(given, key, quantity="77")
    answer = send(rep, f"/o/quote/{mine}/edit", given)
    assert answer.status_code in (404, 409)
    assert items(site, other, "quantity") == [5] and items(site, mine, "quantity") == [1]


def test_a_line_that_somebody_else_changed_asks_and_takes_either(site: PageSite, rep: Visitor) -> None:
    for pick, expected in (("mine", 7), ("theirs", 5)):
        quote = own(site, rep, ("五轴机", 1, "10"), ("夹具", 2, "20"))
        at = f"/o/quote/{quote}/edit"
        rep.get(at)
        given = form(rep)
        key = rows(given)[0]
        line = items(site, quote, "id")[0]
        site.records.update("item", line, {"quantity": 5, "amount": "11"})
        typed(given, key, quantity="7")
        answer = send(rep, at, given)
        assert answer.status_code == 409
        words = readable(answer)
        assert "报价明细 第 1 行 · Quantity" in words
        resolved = form(rep)
        resolved[f"_pick.{AT}.{key}.quantity"] = pick
        answer = send(rep, at, resolved)
        assert answer.status_code == 303, readable(answer)
        got = items(site, quote, "quantity", "amount")
        assert got == [(expected, Decimal("11.00")), (2, Decimal("20.00"))]


def test_lines_that_are_removed_here_and_changed_there_ask(site: PageSite, rep: Visitor) -> None:
    for pick, left in (("mine", ["夹具"]), ("theirs", ["五轴机", "夹具"])):
        quote = own(site, rep, ("五轴机", 1, "10"), ("夹具", 2, "20"))
        at = f"/o/quote/{quote}/edit"
        rep.get(at)
        first, _ = rows(form(rep))
        button(rep, at, form(rep), "remove", "item.quote", first)
        line = items(site, quote, "id")[0]
        site.records.update("item", line, {"quantity": 5})
        answer = send(rep, at, form(rep))
        assert answer.status_code == 409 and "我删除了" in readable(answer)
        resolved = form(rep)
        resolved[f"_pick.{AT}.{line.hex}"] = pick
        assert send(rep, at, resolved).status_code == 303
        assert items(site, quote, "product.name") == left
    # The other way round: changed here, deleted there.
    for pick, many in (("mine", [("五轴机", 8)]), ("theirs", [])):
        quote = own(site, rep, ("五轴机", 1, "10"))
        at = f"/o/quote/{quote}/edit"
        rep.get(at)
        given = form(rep)
        [key] = rows(given)
        typed(given, key, quantity="8")
        site.records.delete("item", items(site, quote, "id")[0])
        answer = send(rep, at, given)
        assert answer.status_code == 409 and "已删除" in readable(answer)
        resolved = form(rep)
        resolved[f"_pick.{AT}.{key}"] = pick
        answer = send(rep, at, resolved)
        assert answer.status_code == 303, readable(answer)
        assert items(site, quote, "product.name", "quantity") == many


def test_lines_added_by_others_meanwhile_stay(site: PageSite, rep: Visitor) -> None:
    quote = own(site, rep, ("五轴机", 1, "10"))
    at = f"/o/quote/{quote}/edit"
    rep.get(at)
    given = form(rep)
    site.records.create("item", {"quote": quote, "product": product(site, "夹具"), "quantity": 4, "rank": 2})
    typed(given, rows(given)[0], quantity="3")
    assert send(rep, at, given).status_code == 303
    assert items(site, quote, "quantity") == [3, 4]


def test_a_draft_keeps_typed_added_and_removed_lines(site: PageSite, rep: Visitor) -> None:
    quote = own(site, rep, ("五轴机", 1, "10"), ("夹具", 2, "20"))
    at = f"/o/quote/{quote}/edit"
    rep.get(at)
    first, second = rows(form(rep))
    button(rep, at, form(rep), "remove", "item.quote", first)
    button(rep, at, form(rep), "add", "item.quote")
    given = typed(form(rep), "n1", product="机械手", quantity="4o")
    answer = rep.client.post(f"/o/quote/{quote}/draft", data=given, headers={"Accept": "application/json"})
    assert answer.status_code == 204
    assert "恢复草稿" in rep.get(at).text
    rep.get(at + "?_draft=1")
    back = form(rep)
    assert rows(back)[0] == second and len(rows(back)) == 2
    fresh = rows(back)[1]
    assert back[f"{AT}.{fresh}.quantity"] == "4o" and back[f"{AT}.{fresh}.product.text"] == "机械手"
    answer = send(rep, at, typed(back, fresh, quantity="4"))
    assert answer.status_code == 303, readable(answer)
    assert items(site, quote, "product.name", "quantity") == [("夹具", 2), ("机械手", 4)]
    assert "恢复草稿" not in rep.get(at).text


def test_a_copy_brings_its_lines(site: PageSite, rep: Visitor) -> None:
    quote = own(site, rep, ("五轴机", 1, "10"), ("夹具", 2, "20"))
    rep.get(f"/o/quote/new?_copy={quote}")
    answer = send(rep, "/o/quote/new", form(rep))
    copy = UUID(answer.headers["Location"].rpartition("/")[2])
    assert items(site, copy) == items(site, quote) and copy != quote


def test_a_rule_knows_a_copy(site: PageSite, rep: Visitor) -> None:
    condition = 'ISCLONE() && name = "照抄"'
    rule = {"kind": "validation_rule", "name": "quote.own_words", "label": {"en": "Own words"},
            "condition": condition, "message": {"zh": "请改名称", "en": "Say it anew"}}  # fmt: skip
    site.publish({}, [rule])
    quote = own(site, rep, ("五轴机", 1, "10"))
    for address, status in ((f"/o/quote/new?_copy={quote}", 422), ("/o/quote/new", 303)):
        rep.get(address)
        given = form(rep)
        given["name"] = "照抄"
        answer = send(rep, "/o/quote/new", given)
        assert answer.status_code == status, readable(answer)
        if status == 422:
            assert "请改名称" in readable(answer)
            again = form(rep)
            assert send(rep, "/o/quote/new", again).status_code == 422, "it is a copy still"
            again["name"] = "另写"
            assert send(rep, "/o/quote/new", again).status_code == 303


def test_hidden_lines_are_neither_shown_nor_written(site: PageSite, rep: Visitor) -> None:
    site.publish({}, [layout(visible='stage = "sent"', min=1)])
    try:
        page = rep.get("/o/quote/new")
        assert "data-lines" not in page.text
        given = form(rep)
        given["name"], given["stage"] = "可见", "sent"
        answer = rep.post("/o/quote/new", {**dict(given.lists()), "_then": "edit"})
        assert "data-lines" in answer.text
        given = form(rep)
        given["stage"] = "new"
        answer = send(rep, "/o/quote/new", typed(given, "n1", product="夹具"))
        assert answer.status_code == 303, readable(answer)
        quote = UUID(answer.headers["Location"].rpartition("/")[2])
        assert items(site, quote) == [] and "明细" not in readable(rep.get(f"/o/quote/{quote}"))
    finally:
        site.publish({}, [layout()])


def test_a_form_opened_before_a_rename_or_a_removal_loses_no_line_in_silence(
    site: PageSite, rep: Visitor
) -> None:
    rep.get("/o/quote/new")
    given = typed(form(rep), "n1", product="夹具", quantity="3")
    given["name"] = "晚到"
    bare = layout()
    bare["sections"] = bare["sections"][:1]
    site.publish({}, [bare])
    try:
        answer = send(rep, "/o/quote/new", given)
        assert answer.status_code == 409 and "Items" in readable(answer) or "明细" in readable(answer)
    finally:
        site.publish({}, [layout()])


def test_the_record_page_shows_lines_with_exact_totals(site: PageSite, rep: Visitor) -> None:
    quote = own(site, rep, ("五轴机", 1, "0.1"), ("夹具", 2, "0.2"), ("机械手", 2, "999999999999.97"))
    page = rep.get(f"/o/quote/{quote}")
    assert "¥1,000,000,000,000.27" in html.unescape(page.text) and "&lt;section" not in page.text
    assert page.text.index("五轴机") < page.text.index("夹具") < page.text.index("机械手")
