"""Comments and the timeline on a record's page, over HTTP without scripts, on both databases."""

from __future__ import annotations

import html
import json
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

import models
from pagesite import HTML, PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.platform.database import observe
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.comments.mentions import read
from tabwright.runtime.comments.reading import Reading
from tabwright.runtime.comments.service import Comments
from tabwright.runtime.comments.tables import COMMENT, FOLLOW
from tabwright.runtime.records import recycling

HOSTILE = "<img src=x onerror=alert(1)>\"'&</textarea><script>alert(2)</script>"
CRM: models.Compact = {
    "deal": {"name": "text(120) required sortable searchable", "amount": "integer", "cost": "integer"},
    "vault": {"name": "text(120) required sortable searchable"},
}
READER = {
    "kind": "permission_set", "name": "reader", "label": {"en": "Reader"},
    "objects": {"deal": ["read"]}, "fields": {"deal": {"name": "read", "amount": "read"}},
}  # fmt: skip
SELLER = {
    "kind": "permission_set", "name": "seller", "label": {"en": "Seller"},
    "objects": {"deal": ["read", "create", "edit", "delete"], "vault": ["read", "create", "edit", "delete"]},
    "fields": {"*": {"*": "edit"}},
}  # fmt: skip


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, [READER, SELLER])
        with made.call.tenant.store.read() as reader:
            tree = made.site.releases.stored.tree(reader, made.site.releases.current(reader))
        bodies = {each.name: dict(each.body) for each in tree if each.kind == "object"}
        private = [
            {"kind": "object", "name": name, **bodies[name], "sharing": sharing}
            for name, sharing in (("vault", "private"), ("deal", "read"))
        ]
        made.publish({}, private)
        yield made


@pytest.fixture(scope="module")
def chen(site: PageSite) -> Visitor:
    return site.person("陈思远", "seller")


@pytest.fixture(scope="module")
def lin(site: PageSite) -> Visitor:
    return site.person("林晓彤", "seller")


@pytest.fixture(scope="module")
def guest(site: PageSite) -> Visitor:
    """Somebody who may only read deals."""
    return site.person("顾敏", "reader")


def record(site: PageSite, owner: Visitor | None = None, object: str = "deal", **values: Any) -> str:
    given = {"name": f"单 {uuid4().hex[:6]}", **values}
    if owner is not None:
        given["owner"] = owner.user_id
    return f"/o/{object}/{site.records.create(object, given).id}"


def write(visitor: Visitor, at: str, body: str, **more: str) -> str:
    """Write a comment by the form of the record's page; its id."""
    visitor.get(at)
    answer = visitor.post(f"{at}/comments", {"body": body, **more})
    assert answer.status_code == 303, readable(answer)
    return str(re.search(r"comment=([0-9a-f]{32})", answer.headers["Location"])[1])  # type: ignore[index]


def send(visitor: Visitor, path: str, data: dict[str, str]) -> TestResponse:
    """Post with the token of a page."""
    visitor.get("/settings")
    return visitor.post(path, data)


def told(visitor: Visitor) -> list[str]:
    """The lines of the bell, newest first."""
    page = visitor.get("/notices").text
    return [readable(each) for each in re.findall(r'<a[^>]*href="/notices/[0-9a-f]{32}".*?</a>', page, re.S)]


def rail(visitor: Visitor, path: str) -> str:
    page = visitor.get(path)
    assert page.status_code == 200, readable(page)
    return page.text[
        page.text.index('id="timeline"') : page.text.index("</aside>", page.text.index('id="timeline"'))
    ]


def comment_in(page: str, id: str) -> str:
    """The line of one comment."""
    found = re.search(rf'<li [^>]*id="c-{id}".*?(?=<li |</ol>)', page, re.S)
    assert found, id
    return found[0]


# ---- writing and reading --------------------------------------------------------


def test_a_comment_stands_on_the_record_with_its_author_and_line_breaks(
    site: PageSite, chen: Visitor, guest: Visitor
) -> None:
    at = record(site, chen)
    id = write(guest, at, "客户要求三月前验收。\r\n付款 3-4-3\n\n")
    line = comment_in(rail(chen, at), id)
    assert "顾敏" in line and "客户要求三月前验收。\n付款 3-4-3</div>" in line
    assert re.search(r"data-count.*?1 条评论", rail(chen, at), re.S)
    assert "编辑" not in readable(line), "only its author edits it"


def test_hostile_text_is_text_wherever_it_stands(site: PageSite, chen: Visitor) -> None:
    at = record(site, chen)
    id = write(chen, at, f"{HOSTILE} javascript:alert(1) http://good.example/a?b=<c>")
    send(chen, f"{at}/comments/draft", {"body": HOSTILE, "picked": '"><script>'})
    for path in (at, f"{at}?comment={id}", f"{at}/timeline", f"{at}/comments/{id}/edit"):
        page = chen.get(path).text
        assert "<img src=x" not in page and "<script>alert" not in page and "&lt;img src=x" in page, path
    line = comment_in(chen.get(at).text, id)
    assert 'href="javascript' not in line
    assert 'href="http://good.example/a?b=" target="_blank" rel="noopener noreferrer nofollow"' in line


@pytest.mark.parametrize(
    ("body", "link", "after"),
    [
        ("see https://a.example/x.", "https://a.example/x", "."),
        ("（见https://a.example/x）好", "https://a.example/x", "）"),
        ("(https://a.example/x_(y))", "https://a.example/x_(y)", ")"),
        ("HTTPS://A.example/?q=1&amp;b", "HTTPS://A.example/?q=1&amp;amp;b", ""),
    ],
)
def test_links_end_where_the_sentence_goes_on(
    site: PageSite, chen: Visitor, body: str, link: str, after: str
) -> None:
    at = record(site, chen)
    id = write(chen, at, body)
    line = comment_in(rail(chen, at), id)
    assert f'href="{link}"' in line and f">{link}</a>{after}" in line


@pytest.mark.parametrize(("body", "said"), [("", "空的"), (" \n ", "空的"), ("字" * 10_001, "10001 个字符")])
def test_a_refused_comment_stands_in_its_form_with_the_reason(
    site: PageSite, chen: Visitor, body: str, said: str
) -> None:
    at = record(site, chen)
    chen.get(at)
    answer = chen.post(f"{at}/comments", {"body": body})
    assert answer.status_code == 422 and said in readable(answer)
    assert 'aria-invalid="true" aria-describedby="comment-error"' in answer.text
    assert body in html.unescape(answer.text)


def test_an_edit_is_marked_and_only_the_author_may(site: PageSite, chen: Visitor, lin: Visitor) -> None:
    at = record(site, chen)
    id = write(chen, at, "第一版")
    form = f"{at}/comments/{id}/edit"
    assert "第一版</textarea>" in chen.get(form).text
    assert chen.post(form, {"body": "第一版"}).status_code == 303
    assert "已编辑" not in comment_in(rail(chen, at), id), "nothing was changed"
    assert chen.follow(chen.post(form, {"body": "第二版"})).status_code == 200
    line = comment_in(rail(lin, at), id)
    assert "第二版" in line and "已编辑" in line and "第一版" not in line
    assert lin.get(form).status_code == 403
    assert lin.post(form, {"body": "别人的话"}).status_code == 403
    assert "第二版" in comment_in(rail(chen, at), id)


def test_who_deletes_what(site: PageSite, chen: Visitor, lin: Visitor) -> None:
    boss = site.person(f"主管{uuid4().hex[:4]}", "administrator")
    at = record(site, chen)
    first, second = write(lin, at, "秘密一"), write(lin, at, "秘密二")
    assert send(chen, f"{at}/comments/{first}/delete", {}).status_code == 403, (
        "the record's owner is not its author"
    )
    assert "无法恢复" in readable(lin.get(f"{at}/comments/{first}/delete"))
    assert send(lin, f"{at}/comments/{first}/delete", {}).status_code == 303
    assert send(boss, f"{at}/comments/{second}/delete", {}).status_code == 303
    assert "秘密" not in rail(chen, at)
    with site.call.tenant.store.read() as reader:
        kept = reader.execute(sa.select(COMMENT.c.body).where(COMMENT.c.id.in_([UUID(first), UUID(second)])))
        assert kept.scalars().all() == ["", ""], "the text is gone from the store too"
    assert send(lin, f"{at}/comments/{first}/edit", {"body": "x"}).status_code == 404


def test_answers_stand_below_and_stay_when_the_first_goes(
    site: PageSite, chen: Visitor, lin: Visitor
) -> None:
    at = record(site, chen)
    first = write(chen, at, "先说")
    answer = write(lin, at, "再说", parent=first)
    third = write(chen, at, "答答复", parent=answer)
    page = rail(lin, at)
    assert page.count('data-thread="') == 1
    assert page.index(f"c-{first}") < page.index(f"c-{answer}") < page.index(f"c-{third}")
    send(chen, f"{at}/comments/{first}/delete", {})
    page = rail(lin, at)
    assert "先说" not in page and "这条评论已删除" in page and "再说" in page
    send(lin, f"{at}/comments/{answer}/delete", {})
    send(chen, f"{at}/comments/{third}/delete", {})
    assert "data-thread" not in rail(lin, at), "nothing is left of it"


def test_many_answers_are_folded(site: PageSite, chen: Visitor) -> None:
    at = record(site, chen)
    first = write(chen, at, "先说")
    ids = [write(chen, at, f"答 {n}", parent=first) for n in range(8)]
    page = rail(chen, at)
    fold = page[page.index("<details") : page.index("</details>")]
    assert [id for id in ids if f"c-{id}" in fold] == ids[:3]
    assert "更早的 3 条回复" in fold


# ---- the column --------------------------------------------------------


def test_changes_and_comments_stand_in_one_order_by_day(site: PageSite, chen: Visitor) -> None:
    at = record(site, chen, amount=1)
    id = UUID(at.rsplit("/", 1)[1])
    write(chen, at, "之前")
    site.records.update("deal", id, {"amount": 2})
    write(chen, at, "之后")
    page = readable(rail(chen, at))
    assert page.index("之后") < page.index("1 → 变为 2" if "变为" in page else "→") < page.index("之前")
    assert page.index("今天") < page.index("之后")
    only = readable(rail(chen, at + "?show=comments"))
    assert "之前" in only and "→" not in only
    only = readable(rail(chen, at + "?show=changes"))
    assert "之前" not in only and "→" in only


def test_the_column_comes_by_pieces_and_leaves_nothing_out(site: PageSite, chen: Visitor) -> None:
    at = record(site, chen, amount=0)
    id = UUID(at.rsplit("/", 1)[1])
    for n in range(1, 31):
        site.records.update("deal", id, {"amount": n})
        if n % 2:
            write(chen, at, f"评 {n}.")
    seen: list[tuple[str, str]] = []
    href: str | None = f"{at}/timeline"
    pieces = 0
    while href is not None:
        page = chen.get(href)
        assert page.status_code == 200
        seen += re.findall(r"<del>(?:<[^>]+>)*(\d+)|(评 \d+\.)", page.text)
        more = re.search(r'data-more="([^"]+)"', page.text)
        href, pieces = html.unescape(more[1]) if more else None, pieces + 1
    found = [old or said for old, said in seen]
    wanted = [each for n in range(30, 0, -1) for each in ([f"评 {n}."] if n % 2 else []) + [str(n - 1)]]
    assert found == wanted and pieces == 3
    # The same by links, without scripts.
    page = chen.get(at)
    second = html.unescape(re.search(r'rel="next" href="([^"#]+)', page.text)[1])  # type: ignore[index]
    assert "回到最新的动态" in rail(chen, second)


def test_a_cursor_of_another_record_or_a_forged_one_is_refused(site: PageSite, chen: Visitor) -> None:
    at, other = record(site, chen), record(site, chen)
    for n in range(21):
        write(chen, at, f"{n}")
    cursor = re.search(r"after=([^\"&]+)", chen.get(f"{at}/timeline").text)[1]  # type: ignore[index]
    assert chen.get(f"{at}/timeline?after={cursor}").status_code == 200
    assert chen.get(f"{other}/timeline?after={cursor}").status_code == 400
    assert chen.get(f"{at}/timeline?after=x{cursor}").status_code == 400
    assert chen.get(f"{at}/timeline?show=nothing").status_code == 400
    assert chen.get(f"{other}?after={cursor}").status_code == 200, "an old address shows the start"


def test_fields_that_may_not_be_read_are_in_no_piece(site: PageSite, chen: Visitor, guest: Visitor) -> None:
    at = record(site, chen, amount=1, cost=777_111)
    site.records.update("deal", UUID(at.rsplit("/", 1)[1]), {"amount": 2, "cost": 888_222})
    assert re.search("888,?222", rail(chen, at))
    for path in (at, f"{at}/timeline", f"{at}?show=changes"):
        page = guest.get(path).text
        assert not re.search("777,?111|888,?222", page), path


def test_an_address_leads_to_a_comment_however_old(site: PageSite, chen: Visitor) -> None:
    at = record(site, chen)
    old = write(chen, at, "最早的话")
    for n in range(25):
        write(chen, at, f"{n}")
    assert "最早的话" not in rail(chen, at)
    page = rail(chen, f"{at}?comment={old}")
    assert "最早的话" in page and "您要看的评论" in page
    send(chen, f"{at}/comments/{old}/delete", {})
    assert "已被删除" in rail(chen, f"{at}?comment={old}")
    assert chen.get(f"{at}?comment=nonsense").status_code == 200


# ---- who hears of it --------------------------------------------------------


def test_a_mention_reaches_whom_it_names_with_a_link_to_the_comment(
    site: PageSite, chen: Visitor, lin: Visitor
) -> None:
    at = record(site, chen)
    id = write(chen, at, "请 @林晓彤看一下，mail@林晓彤 不算")
    line = comment_in(rail(lin, at), id)
    assert '<span class="tw-mention is-me">@林晓彤</span>看一下' in line
    assert line.count("tw-mention") == 1
    assert "提到了您" in told(lin)[0]
    link = re.search(r'href="(/notices/[0-9a-f]{32})"', lin.last)
    assert link and lin.get(link[1]).headers["Location"] == f"{at}?comment={id}#c-{id}"
    assert not any("提到" in each for each in told(chen)), "nobody is told of their own"
    form = chen.get(f"{at}/comments/{id}/edit").text
    assert "请 @林晓彤看一下" in form, "who edits sees names"


def test_an_edit_tells_only_who_is_newly_named(
    site: PageSite, chen: Visitor, lin: Visitor, guest: Visitor
) -> None:
    at = record(site, chen)
    id = write(chen, at, "@林晓彤 好")
    before, others = len(told(lin)), len(told(guest))
    send(chen, f"{at}/comments/{id}/edit", {"body": "@林晓彤 @顾敏 好"})
    assert len(told(lin)) == before and len(told(guest)) == others + 1


def test_who_may_not_read_the_record_is_told_nothing(
    site: PageSite, chen: Visitor, lin: Visitor, guest: Visitor
) -> None:
    at = record(site, chen, "vault", name="机密名称")
    before, others = told(lin), told(guest)
    id = write(chen, at, "@林晓彤 @顾敏 请看")
    assert told(lin) == before and told(guest) == others
    assert "@林晓彤" in readable(comment_in(rail(chen, at), id)), "the name stays in the text"
    for path in (
        at,
        f"{at}/timeline",
        f"{at}/timeline/news?mark=0.0",
        f"{at}/mentions?q=a",
        f"{at}/comments/{id}/edit",
    ):
        assert lin.get(path).status_code == 404, path
    for path, data in (
        ("comments", {"body": "x"}),
        ("follow", {"do": "follow"}),
        ("comments/draft", {"body": "x"}),
        (f"comments/{id}/delete", {}),
    ):
        assert send(lin, f"{at}/{path}", data).status_code == 404, path
    # Following before the record was taken away tells nothing either.
    with site.call.tenant.store.write() as writer:
        uid = site.call.model.objects["vault"].uid
        writer.execute(
            sa.insert(FOLLOW),
            {"record_id": UUID(at.rsplit("/", 1)[1]), "user_id": lin.user_id, "object_uid": uid,
             "follows": True, "at": site.site.clock.now()},
        )  # fmt: skip
    write(chen, at, "还有")
    assert told(lin) == before


def test_the_chooser_says_who_cannot_see_the_record(site: PageSite, chen: Visitor, lin: Visitor) -> None:
    gone = site.person(f"林离职{uuid4().hex[:4]}", "seller")
    site.records.update("user", gone.user_id or uuid4(), {"active": False})
    at, vault = record(site, chen), record(site, chen, "vault")
    for typed in ("林", "linxiao", "lxt"):
        assert 'data-name="林晓彤"' in chen.get(f"{at}/mentions?q={typed}").text, typed
    assert "看不到此记录" not in chen.get(f"{at}/mentions?q=林晓").text
    assert "看不到此记录" in chen.get(f"{vault}/mentions?q=林晓").text
    everyone = chen.get(f"{at}/mentions?q=").text
    assert "林离职" not in everyone + chen.get(f"{at}/mentions?q=林").text
    assert 'data-name="陈思远"' not in everyone, "oneself is not offered"
    assert "没有找到" in readable(chen.get(f"{at}/mentions?q=%00"))


def test_of_two_people_with_one_name_the_chosen_one_is_meant(site: PageSite, chen: Visitor) -> None:
    twins = [
        site.records.create("user", {"name": "王伟", "address": f"w{n}@example.com"}).id for n in range(2)
    ]
    at = record(site, chen)
    id = write(chen, at, "@王伟 在吗")
    assert "tw-mention" not in comment_in(rail(chen, at), id)
    id = write(chen, at, "@王伟 在吗", picked=twins[1].hex)
    assert "tw-mention" in comment_in(rail(chen, at), id)
    with site.call.tenant.store.read() as reader:
        body = reader.execute(sa.select(COMMENT.c.body).where(COMMENT.c.id == UUID(id))).scalar_one()
    assert body == f"<@{twins[1].hex}> 在吗"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@Ann hi", ["Ann"]), ("@Annabel hi", []), ("@Ann Bell, hi", ["Ann Bell"]), ("x@Ann", []),
        ("＠Ann", ["Ann"]), ("@Ann, @Ann Bell", ["Ann", "Ann Bell"]), ("@ Ann", []), ("@", []),
        ("(@Ann)", ["Ann"]),
    ],
)  # fmt: skip
def test_the_longest_name_after_an_at_counts(site: PageSite, text: str, named: list[str]) -> None:
    people = getattr(site, "anns", None) or {
        name: site.records.create("user", {"name": name, "address": f"{uuid4().hex[:8]}@example.com"}).id
        for name in ("Ann", "Ann Bell")
    }
    site.anns = people  # type: ignore[attr-defined]
    found = re.findall(r"<@([0-9a-f]{32})>", read(site.call, text))
    assert found == [people[name].hex for name in named]


def test_the_owner_and_followers_hear_of_comments_and_answers(
    site: PageSite, chen: Visitor, lin: Visitor, guest: Visitor
) -> None:
    at = record(site, chen)
    marks = [len(told(each)) for each in (chen, lin, guest)]
    first = write(lin, at, "先说")
    assert len(told(chen)) == marks[0] + 1 and "写了评论" in told(chen)[0], "the owner follows by default"
    write(guest, at, "答一", parent=first)
    assert "回复了您参与的评论" in told(lin)[0] and len(told(lin)) == marks[1] + 1
    assert len(told(guest)) == marks[2]
    # Unfollowed: only a mention comes through.
    lin.get(at)
    assert "已关注" in rail(lin, at)
    assert send(lin, f"{at}/follow", {"do": "unfollow"}).status_code == 303
    assert "已关注" not in readable(rail(lin, at))
    before = len(told(lin))
    write(chen, at, "答二", parent=first)
    assert len(told(lin)) == before
    write(lin, at, "再说")  # to write does not overrule what one said
    write(chen, at, "答三")
    assert len(told(lin)) == before
    write(chen, at, "@林晓彤 请看")
    assert len(told(lin)) == before + 1 and "提到了您" in told(lin)[0]
    send(lin, f"{at}/follow", {"do": "follow"})
    write(chen, at, "答四")
    assert len(told(lin)) == before + 2


def test_an_owner_who_unfollows_hears_nothing(site: PageSite, chen: Visitor, lin: Visitor) -> None:
    at = record(site, chen)
    assert "已关注" in rail(chen, at)
    send(chen, f"{at}/follow", {"do": "unfollow"})
    before = told(chen)
    write(lin, at, "静")
    assert told(chen) == before
    assert send(chen, f"{at}/follow", {"do": "perhaps"}).status_code == 400


def test_a_person_can_mute_comments_everywhere(site: PageSite, chen: Visitor) -> None:
    quiet = site.person(f"静{uuid4().hex[:4]}", "seller")
    at = record(site, quiet)
    page = quiet.get("/settings")
    assert "我关注的记录有新评论" in readable(page)
    given = {"zone": "Asia/Shanghai", "shortcuts_shown": "1", "hear.mention": "yes", "hear.assigned": "yes"}
    quiet.post("/settings", given)
    write(chen, at, "听不见")
    assert told(quiet) == []


# ---- without loading the page again --------------------------------------------------------


def script(visitor: Visitor, path: str, data: dict[str, str] | None = None) -> Any:
    """What a script asks for and gets."""
    if data is None:
        return visitor.client.get(path, headers={"Accept": "application/json"})
    token = html.unescape(re.search(r'name="_csrf" value="([^"]+)"', visitor.last)[1])  # type: ignore[index]
    return visitor.client.post(path, data={"_csrf": token, **data}, headers={"Accept": "application/json"})


def test_a_script_gets_the_thread_that_changed(site: PageSite, chen: Visitor) -> None:
    at = record(site, chen)
    chen.get(at)
    made = script(chen, f"{at}/comments", {"body": HOSTILE}).json
    assert [each["id"] for each in made["threads"]] == [made["id"]] and made["count"] == 1
    assert "<img" not in made["threads"][0]["html"] and made["threads"][0]["day"] == "今天"
    answer = script(chen, f"{at}/comments", {"body": "答", "parent": made["id"]}).json
    assert [each["id"] for each in answer["threads"]] == [made["id"]] and answer["count"] == 2
    assert f'id="c-{answer["id"]}"' in answer["threads"][0]["html"]
    left = script(chen, f"{at}/comments/{answer['id']}/delete", {}).json
    assert left["gone"] == [answer["id"]] and left["count"] == 1
    left = script(chen, f"{at}/comments/{made['id']}/delete", {}).json
    assert made["id"] in left["gone"] and left["threads"] == [] and left["count"] == 0
    refused = script(chen, f"{at}/comments", {"body": " "})
    assert refused.status_code == 422 and "空的" in refused.json["detail"]
    assert script(chen, f"{at}/follow", {"do": "unfollow"}).status_code == 204


def test_news_come_by_one_statement_and_only_when_there_are_some(
    site: PageSite, chen: Visitor, lin: Visitor
) -> None:
    at = record(site, chen)
    page = rail(chen, at)
    mark = re.search(r'data-mark="([^"]+)"', page)[1]  # type: ignore[index]
    script(chen, f"{at}/timeline/news?mark={mark}")
    said: list[str] = []
    with observe(lambda how, text, rows: said.append(text)):
        assert script(chen, f"{at}/timeline/news?mark={mark}").status_code == 204
    assert len([each for each in said if "record_comment" in each]) == 1
    assert len(said) <= 3, "the session, the person, and the record with its comments"
    id = write(lin, at, "新话")
    news = script(chen, f"{at}/timeline/news?mark={mark}").json
    assert [each["id"] for each in news["threads"]] == [id] and "林晓彤 写了评论" in news["said"]
    assert news["mark"] != mark
    assert script(chen, f"{at}/timeline/news?mark={news['mark']}").status_code == 204
    send(lin, f"{at}/comments/{id}/delete", {})
    later = script(chen, f"{at}/timeline/news?mark={news['mark']}").json
    assert id in later["gone"] and later["said"] == ""
    for wrong in ("", "x", "9" * 40, "٣.1", "1.2.3"):
        assert script(chen, f"{at}/timeline/news?mark={wrong}").status_code in (200, 204)


def test_what_is_typed_is_kept_until_it_is_sent(site: PageSite, chen: Visitor, lin: Visitor) -> None:
    at = record(site, chen)
    id = write(chen, at, "先说")
    assert send(chen, f"{at}/comments/draft", {"body": "写了一半", "picked": ""}).status_code == 204
    assert send(chen, f"{at}/comments/draft", {"body": "答了一半", "parent": id}).status_code == 204
    page = rail(chen, at)
    assert "写了一半</textarea>" in page and f'data-reply-draft="{id}"' in page and "答了一半" in page
    assert "写了一半" not in rail(lin, at)
    chen.get(at)
    write(chen, at, "写完了")
    page = rail(chen, at)
    assert "写了一半" not in page and "答了一半" in page
    send(chen, f"{at}/comments/draft", {"body": " ", "parent": id})
    assert "答了一半" not in rail(chen, at)


# ---- with the record --------------------------------------------------------


def test_comments_go_and_come_back_with_their_record(site: PageSite, chen: Visitor, lin: Visitor) -> None:
    at = record(site, chen)
    id = UUID(at.rsplit("/", 1)[1])
    write(lin, at, "还在吗")
    site.records.delete("deal", id)
    assert chen.get(at).status_code == chen.get(f"{at}/timeline").status_code == 404
    chen.get("/")
    assert send(chen, f"{at}/comments", {"body": "x"}).status_code == 404
    site.records.restore("deal", id)
    assert "还在吗" in rail(chen, at)
    site.records.delete("deal", id)
    with site.call.tenant.store.write() as writer:
        recycling.purge(
            site.call, writer, site.call.model.objects["deal"], datetime.now(UTC) + timedelta(days=1)
        )
    with site.call.tenant.store.read() as reader:
        for table in (COMMENT, FOLLOW):
            left = sa.select(sa.func.count()).select_from(table).where(table.c.record_id == id)
            assert reader.execute(left).scalar_one() == 0


def test_a_preview_and_the_past_show_no_column(site: PageSite, chen: Visitor) -> None:
    at = record(site, chen)
    write(chen, at, "今天的话")
    page = chen.get(f"{at}?as_of={datetime.now(UTC).isoformat().replace('+00:00', 'Z')}")
    assert page.status_code == 200 and "今天的话" not in page.text


def test_what_is_said_in_english(site: PageSite, chen: Visitor) -> None:
    anna = site.person(f"anna{uuid4().hex[:4]}", "seller", language="en")
    at = record(site, anna)
    id = write(chen, at, "see")
    page = readable(rail(anna, at))
    for said in ("Activity", "1 comments", "Following", "Comments", "Changes", "Reply", "Today"):
        assert said in page, said
    assert "commented on the" in told(anna)[0]
    assert "Reply to 陈思远" in html.unescape(comment_in(rail(anna, at), id))


def test_the_service_is_the_same_for_every_channel(site: PageSite, chen: Visitor) -> None:
    """Who calls may be anybody: the gate decides, not the page."""
    assert isinstance(site.call.principal, Principal)
    at = record(site, chen)
    id = UUID(at.rsplit("/", 1)[1])
    made = Comments(site.call).add("deal", id, "系统")
    with site.call.tenant.store.read() as reader:
        found = Reading(site.call, reader, site.call.model.objects["deal"], id).threads(5)
    assert [each.id for each in found] == [made.id]
    assert json.loads(json.dumps(found[0].id.hex)) == made.id.hex and HTML
