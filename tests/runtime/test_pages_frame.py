"""The frame round every page, over HTTP without scripts, on both databases."""

from __future__ import annotations

import html
import re
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import models
from pagesite import HTML, PASSWORD, PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.personal import notices as telling
from tabwright.runtime.personal.recents import Recents
from tabwright.runtime.records.batch import Intent
from tabwright.runtime.records.service import Records

HOSTILE = "<img src=x onerror=alert(1)>\"'&"
CRM: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "phone": "phone searchable"},
    "lead": {"name": "text(120) required sortable searchable", "number": "auto_number(L-{0000})"},
    "secret": {"name": "text(120) required sortable searchable"},
}
LABELS = {"account": ("Account", "客户"), "lead": ("Lead", "线索"), "secret": ("Secret", "密件")}
LITTLE = {
    "kind": "permission_set", "name": "little", "label": {"en": "Little"},
    "objects": {"account": ["read"]}, "fields": {"account": {"*": "read"}},
}  # fmt: skip


def labelled(site: PageSite, name: str) -> dict[str, Any]:
    """The object's document with labels in both languages."""
    with site.call.tenant.store.read() as reader:
        tree = site.site.releases.stored.tree(reader, site.site.releases.current(reader))
    body = next(dict(each.body) for each in tree if each.kind == "object" and each.name == name)
    en, zh = LABELS[name]
    return {
        "kind": "object",
        "name": name,
        **body,
        "label": {"en": en, "zh": zh},
        "plural": {"en": en + "s", "zh": zh},
    }


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, [LITTLE])
        made.publish({}, [labelled(made, name) for name in LABELS])
        yield made


@pytest.fixture(scope="module")
def rep(site: PageSite) -> Visitor:
    return site.person("陈思远", "standard_user")


@pytest.fixture(scope="module")
def boss(site: PageSite) -> Visitor:
    return site.person("Anna", "administrator", "standard_user", language="en")


def new(site: PageSite, object: str, owner: Visitor, name: str) -> UUID:
    return site.records.create(object, {"name": name, "owner": str(owner.user_id)}).id


def lines(visitor: Visitor, typed: str) -> list[tuple[str, str]]:
    """What the palette shows: (label, address), in its order."""
    answer = visitor.get("/palette?q=" + typed.replace("#", "%23").replace(" ", "+").replace("&", "%26"))
    assert answer.status_code == 200
    found = re.findall(
        r'role="option"[^>]*?data-href="([^"]+)".*?<span class="tw-grow tw-cut">(.*?)</span>',
        answer.text,
        re.S,
    )
    return [(html.unescape(re.sub(r"<[^>]+>", "", label)), html.unescape(href)) for href, label in found]


def acting(site: PageSite, visitor: Visitor) -> Records:
    """Writes in somebody's name, past their rights."""
    assert visitor.user_id is not None
    return Records(replace(site.call, principal=Principal(visitor.user_id, "somebody")))


def visit(visitor: Visitor, path: str) -> None:
    """Open a page to its end: a visit is remembered once the page is out."""
    visitor.client.get(path, headers=HTML, buffered=True).close()


# ---- the palette -------------------------------------------------------------------------------------


def test_typing_new_and_part_of_a_name_leads_to_the_form_first(rep: Visitor, boss: Visitor) -> None:
    assert lines(rep, "新建 线")[0] == ("新建线索", "/o/lead/new")
    assert lines(rep, "xjxs")[0][1] == "/o/lead/new"
    assert lines(boss, "new lea")[0] == ("New lead", "/o/lead/new")
    assert lines(rep, "new lead")[0][1] == "/o/lead/new"  # whatever the language
    assert ("客户", "/o/account") in lines(rep, "kehu")


def test_records_are_found_by_name_phone_and_pinyin(site: PageSite, rep: Visitor) -> None:
    id = site.records.create(
        "account", {"name": "苏州恒锐精密机械", "phone": "13861234567", "owner": str(rep.user_id)}
    ).id
    for typed in ("恒锐", "hrjm", "hengrui", "13861234567"):
        assert ("苏州恒锐精密机械", f"/o/account/{id}") in lines(rep, typed), typed
    assert "<mark>恒锐</mark>" in rep.get("/palette?q=恒锐").text
    preview = rep.get(f"/palette/preview/account/{id}")
    assert preview.status_code == 200 and "苏州恒锐精密机械" in readable(preview)


def test_only_commands_and_only_numbers(site: PageSite, rep: Visitor) -> None:
    id = new(site, "lead", rep, "新建厂房")
    assert all(not re.fullmatch(r"/o/\w+/[0-9a-f-]{36}", href) for _, href in lines(rep, ">新建"))
    assert "/sign-out" not in [href for _, href in lines(rep, "新建")]
    row = site.call
    number = rep.get(f"/o/lead/{id}").text
    found = re.search(r"L-\d{4}", number)
    assert found and row
    assert [href for _, href in lines(rep, "#" + found[0].lower())] == [f"/o/lead/{id}"]
    assert lines(rep, "#厂房") == []


def test_who_may_little_finds_little(site: PageSite, rep: Visitor) -> None:
    little = site.person("小权限", "little")
    id = new(site, "secret", rep, "机密档案")
    new(site, "account", rep, "机密客户")
    hrefs = [href for typed in ("", "新建", "机密", ">", "secret") for _, href in lines(little, typed)]
    assert not [href for href in hrefs if "/new" in href or "secret" in href or str(id) in href]
    assert "studio" not in " ".join(hrefs)
    assert little.get(f"/palette/preview/secret/{id}").status_code == 404
    assert "密件" not in little.get("/search?q=新建").text


def test_who_may_build_finds_the_pages_of_studio(rep: Visitor, boss: Visitor) -> None:
    found = lines(boss, ">")
    assert "/studio/objects/account" in [href for _, href in found]
    assert "/studio/releases" in [href for _, href in lines(boss, "releases")]
    assert not [href for _, href in lines(rep, ">") if href.startswith("/studio")]
    studio = boss.get("/studio")
    assert (
        'id="palette"' in studio.text and 'href="/help"' in studio.text and 'href="/notices"' in studio.text
    )


def test_the_search_page_offers_the_same_actions_without_scripts(rep: Visitor) -> None:
    page = rep.get("/search?q=新建 线")
    assert 'href="/o/lead/new"' in page.text
    rep.get("/search?q=退出")
    assert 'action="/sign-out"' in rep.last


def test_a_palette_whose_session_is_over_is_told_so_and_not_sent_to_the_door(site: PageSite) -> None:
    answer = site.stranger().client.get("/palette", headers={**HTML, "HX-Request": "true"})
    assert answer.status_code == 401 and "<form" not in answer.text


def test_hostile_names_are_only_text(site: PageSite, rep: Visitor) -> None:
    id = new(site, "account", rep, HOSTILE + " hostile")
    visit(rep, f"/o/account/{id}")
    rep.get(f"/o/account/{id}")
    rep.post("/favourites", {"do": "add", "key": f"record:{uid(site, 'account')}:{id.hex}"})
    for path in (
        "/palette?q=hostile",
        "/palette",
        f"/palette/preview/account/{id}",
        "/",
        "/arrange",
        "/more",
    ):
        page = rep.get(path).text
        assert "hostile" in page and "<img" not in page, path
    rep.post("/favourites", {"do": "remove", "key": f"record:{uid(site, 'account')}:{id.hex}"})


def uid(site: PageSite, object: str) -> str:
    return site.call.model.objects[object].uid


# ---- what follows the person -----------------------------------------------------------------------------


def again(site: PageSite, name: str) -> Visitor:
    """The same person in another browser."""
    other = site.stranger()
    other.get("/sign-in")
    answer = other.post("/sign-in", {"address": f"{name}@example.com", "password": PASSWORD, "next": "/"})
    assert answer.status_code == 303
    return other


def test_recents_and_look_follow_to_another_browser(site: PageSite) -> None:
    site.person("手机用户", "standard_user")
    desk = again(site, "手机用户")
    me = site.person("另一个", "standard_user")
    id = new(site, "account", me, "只此一家")
    site.records.update("account", id, {"owner": str(owner_of(site, "手机用户"))})
    visit(desk, f"/o/account/{id}")
    desk.get("/settings")
    desk.post("/settings/look", {"theme": "dark", "back": "/"})
    phone = again(site, "手机用户")
    page = phone.get("/")
    assert 'data-bs-theme="dark"' in page.text and "只此一家" in page.text
    assert ("只此一家", f"/o/account/{id}") in lines(phone, "")
    assert "只此一家" not in me.get("/").text
    # What is no longer theirs is no longer named.
    site.records.update("account", id, {"owner": str(me.user_id)})
    assert "只此一家" not in phone.get("/").text and "只此一家" not in phone.get("/palette").text


def owner_of(site: PageSite, name: str) -> UUID:
    from tabwright.runtime.query.asked import Query
    from tabwright.runtime.query.reads import Reads

    (row,) = Reads(site.call).list(Query("user", fields=("name",), where=f'name = "{name}"')).rows
    found: UUID = row["id"]
    return found


def test_favourites_are_kept_arranged_and_never_name_what_is_closed(site: PageSite, rep: Visitor) -> None:
    account = uid(site, "account")
    ids = [new(site, "account", rep, name) for name in ("甲公司", "乙公司")]
    keys = [f"record:{account}:{id.hex}" for id in ids]
    page = rep.get(f"/o/account/{ids[0]}")
    assert f'value="{keys[0]}"' in page.text and 'aria-pressed="false"' in page.text
    for key in (*keys, f"view:{account}:all"):
        rep.get("/arrange")
        assert rep.post("/favourites", {"do": "add", "key": key, "back": "/arrange"}).status_code == 303

    def order() -> list[str]:
        return re.findall(r'data-favourite="([^"]+)"', rep.get("/").text)

    assert order()[:2] == keys and 'aria-pressed="true"' in rep.get(f"/o/account/{ids[0]}").text
    rep.post("/favourites", {"do": "up", "key": keys[1]})
    assert order()[:2] == keys[::-1]
    rep.client.post("/favourites", data={"_csrf": token(rep), "do": "arrange", "key": keys}, headers=HTML)
    assert order()[:2] == keys
    somebody = site.person("收下的人", "standard_user")
    site.records.update("account", ids[0], {"owner": str(somebody.user_id)})
    assert keys[0] not in order() and "甲公司" not in rep.get("/").text
    assert rep.post("/favourites", {"do": "add", "key": keys[0]}).status_code == 404  # no oracle of what is
    rep.get("/arrange")
    assert rep.post("/favourites", {"do": "add", "key": "nonsense"}).status_code in (400, 422)
    rep.get("/")
    for key in keys:
        rep.get("/arrange")
        rep.post("/favourites", {"do": "remove", "key": key})
    assert not set(order()) & set(keys)


def token(visitor: Visitor) -> str:
    found = re.search(r'name="_csrf" value="([^"]+)"', visitor.last)
    assert found
    return found[1]


def test_tabs_in_an_own_order(site: PageSite, rep: Visitor, boss: Visitor) -> None:
    def tabs(visitor: Visitor) -> list[str]:
        return re.findall(r'data-tab="([^"]+)"', visitor.get("/arrange").text)

    before = tabs(rep)
    app = re.search(r'name="app" value="([^"]+)"', rep.last)
    assert app and len(before) >= 2
    rep.post("/tabs", {"app": app[1], "do": "down", "key": before[0]})
    assert tabs(rep) == [before[1], before[0], *before[2:]]
    assert tabs(boss) == before
    rep.post("/tabs", {"app": app[1], "do": "reset"})
    assert tabs(rep) == before


def test_single_keys_can_be_switched_off(site: PageSite) -> None:
    person = site.person("说话的人", "standard_user")
    assert "data-no-keys" not in person.get("/settings").text
    person.post("/settings", {"zone": "Asia/Shanghai", "language": "zh", "shortcuts_shown": "1"})
    assert "data-no-keys" in person.get("/").text
    person.get("/settings")
    person.post("/settings", {"zone": "Asia/Shanghai", "shortcuts_shown": "1", "shortcuts": "yes"})
    assert "data-no-keys" not in person.get("/").text


# ---- notices ---------------------------------------------------------------------------------------------


def unread(visitor: Visitor) -> str:
    found = re.search(r'tw-bell-count" aria-hidden="true">([^<]+)<', visitor.get("/help").text)
    return found[1] if found else ""


def test_who_is_given_a_record_is_told_and_led_to_it(site: PageSite, boss: Visitor) -> None:
    taker = site.person("接手的人", "standard_user")
    id = new(site, "account", boss, "移交客户")
    boss.get(f"/o/account/{id}/edit")
    answer = boss.post(
        f"/o/account/{id}/edit", {**boss.form(), "owner": str(taker.user_id), "owner.text": ""}
    )
    assert answer.status_code == 303, readable(answer)[:400]
    assert unread(taker) == "1" and unread(boss) == ""
    page = taker.get("/notices")
    assert "Anna" in readable(page) and "移交客户" in readable(page)
    link = re.search(r'href="(/notices/[0-9a-f]{32})"', page.text)
    assert link and taker.get(link[1]).headers["Location"] == f"/o/account/{id}"
    assert unread(taker) == ""
    # Given on: the notice stays, and says nothing of the record.
    site.records.update("account", id, {"owner": str(boss.user_id)})
    assert "移交客户" not in taker.get("/notices").text
    assert taker.get(link[1]).headers["Location"] == "/notices"
    # Nobody opens or marks what is not theirs.
    assert boss.get(link[1]).status_code == 404


def test_many_at_once_are_one_notice_and_own_work_is_none(site: PageSite, boss: Visitor) -> None:
    taker = site.person("批量接手", "standard_user")
    ids = [new(site, "lead", boss, f"线索{n}") for n in range(5)]
    outcome = acting(site, boss).apply(
        "lead", [Intent("update", id, values={"owner": str(taker.user_id)}) for id in ids]
    )
    assert outcome.count("updated") == 5
    assert unread(taker) == "1" and "5" in readable(taker.get("/notices"))
    taker.get("/o/lead/new")
    taker.post("/o/lead/new", {**taker.form(), "name": "自己的"})
    assert unread(taker) == "1"
    taker.get("/notices")
    taker.post("/notices", {"do": "read"})
    assert unread(taker) == ""


def test_a_muted_kind_is_not_written_and_old_ones_go(site: PageSite, boss: Visitor) -> None:
    taker = site.person("安静的人", "standard_user")
    taker.get("/settings")
    taker.post(
        "/settings",
        {"zone": "Asia/Shanghai", "shortcuts_shown": "1", "shortcuts": "yes", "hear.mention": "yes"},
    )
    id = new(site, "account", boss, "静音客户")
    acting(site, boss).update("account", id, {"owner": str(taker.user_id)})
    assert unread(taker) == ""
    assert taker.user_id is not None
    store, now = site.call.tenant.store, site.site.clock.now()
    days = site.site.settings.limits.notice_days
    with store.write() as writer:
        for at in (now, now - timedelta(days=days, minutes=1)):
            telling.notify(writer, [taker.user_id], "mention", {}, uid(site, "account"), id, at)
    assert unread(taker) == "1"  # the old one is not shown although it is still there
    with store.write() as writer:
        assert telling.forget(writer, now - timedelta(days=days)) >= 1
        assert telling.forget(writer, now - timedelta(days=days)) == 0
    assert "提到了您" in readable(taker.get("/notices"))


# ---- home ------------------------------------------------------------------------------------------------


def test_home_tells_what_others_changed_since_the_last_visit(site: PageSite, boss: Visitor) -> None:
    owner = site.person("有主的人", "standard_user")
    id = new(site, "account", owner, "会变的客户")
    visit(owner, f"/o/account/{id}")
    assert "自您上次打开后" not in readable(owner.get("/"))
    boss.get(f"/o/account/{id}/edit")
    boss.post(f"/o/account/{id}/edit", {**boss.form(), "phone": "13900001111"})
    page = readable(owner.get("/"))
    assert "自您上次打开后" in page and "Anna" in page
    visit(owner, f"/o/account/{id}")
    assert "自您上次打开后" not in readable(owner.get("/"))


def test_an_empty_home_says_what_to_do_by_role(site: PageSite) -> None:
    nobody = site.person("没有权限")
    page = nobody.get("/")
    assert "请管理员" in readable(page) and "/studio" not in page.text


def test_recents_forget_the_oldest(site: PageSite, rep: Visitor) -> None:
    from tabwright.runtime.personal import recents

    assert rep.user_id is not None
    call = replace(site.call, principal=Principal(site.call.ids.new(), "x"))
    mine = Recents(call)
    ids = [UUID(int=number) for number in range(1, recents.KEPT + 2 * recents.TIDIED)]
    for number, id in enumerate(ids):
        mine.see("o", id, number)
    kept = [each.id for each in mine.newest(2 * recents.KEPT)]
    assert kept == ids[: -len(kept) - 1 : -1]
    assert recents.KEPT <= len(kept) < recents.KEPT + recents.TIDIED
    old = kept[-1]
    mine.see("o", old, 9)
    assert mine.newest(1)[0].id == old and mine.revisions([old]) == {old: 9}
