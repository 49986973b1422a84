"""A draft as somebody else will see it: what is shown, what stays closed, who may, and who hears of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

import models
from pagesite import PageSite, Visitor, make_pages, readable
from tabwright.runtime.journal.tables import operations

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "margin": "decimal(8,2)",
    },
}


def set_of(name: str, *system: str, **more: Any) -> dict[str, Any]:
    found = {
        "kind": "permission_set",
        "name": name,
        "label": {"zh": name, "en": name},
        "system": list(system),
        "objects": {"*": ["create", "read", "edit"]},
        "fields": {"*": {"*": "edit"}, "deal": {"margin": "none"}},
        "tabs": ["*"],
    }
    return found | more


SELLER = set_of("seller")
BOSS = set_of("boss", objects={"*": ["read"], "deal": ["view_all"]}, fields={"*": {"*": "read"}})
# May build and may look as others, but is no administrator: sees only the deals that are their own.
BUILDER = set_of("builder", "customise", "view_setup", "manage_users")
MAKER = set_of("maker", "customise", "view_setup", objects={"*": ["view_all"]})


def layout(*fields: Any, name: str = "deal.standard", **more: Any) -> dict[str, Any]:
    section = {"fields": ["name", *fields]}
    return {"kind": "layout", "name": name, "label": {"zh": name, "en": name}, "sections": [section]} | more


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        deal = {"kind": "object", "name": "deal", "name_field": "name", "sharing": "private"}
        account = {"kind": "object", "name": "account", "name_field": "name", "sharing": "read"}
        made.publish(OBJECTS)
        made.publish({}, [deal, account, SELLER, BOSS, BUILDER, MAKER, layout("account", "amount", "margin")])
        yield made


def id_of(visitor: Visitor) -> UUID:
    assert visitor.user_id is not None
    return visitor.user_id


def deal(site: PageSite, owner: Visitor, name: str, **values: Any) -> UUID:
    return UUID(str(site.records.create("deal", {"name": name, "owner": id_of(owner), **values}).id))


def look(visitor: Visitor, person: Visitor, record: UUID, **more: str) -> str:
    query = "&".join(
        f"{name}={value}"
        for name, value in {
            "object": "deal",
            "as": id_of(person).hex,
            "record": record.hex,
            **more,
        }.items()
    )
    answer = visitor.get(f"/studio/preview/page?{query}")
    assert answer.status_code == 200, readable(answer)[:400]
    return answer.text


def change(site: PageSite, visitor: Visitor, *documents: Mapping[str, Any]) -> None:
    site.draft(id_of(visitor), *documents)


def test_the_draft_is_shown_with_the_other_persons_rights(both: PageSite) -> None:
    admin, seller = both.person("管理员", "administrator"), both.person("小卖", "seller")
    mine = deal(both, seller, "卖车", amount="1200", margin="37.5")
    change(both, admin, layout({"field": "amount", "visible": '$user.name = "小卖"'}, "margin", "account"))
    seen = readable(look(admin, seller, mine))
    assert "1,200" in seen and "37.5" not in seen and "margin" not in seen
    assert "小卖 眼中的“卖车”" in seen and "草稿 · 只读" in seen, "the banner names person, record and draft"
    own = readable(look(admin, admin, mine))
    assert "37.5" in own and "1,200" not in own, "the condition is asked of the person"
    form = look(admin, seller, mine, show="form")
    assert 'name="amount"' in form and 'name="margin"' not in form
    assert 'action=""' in form and "/edit" not in form, "the form goes nowhere"


def test_rights_of_the_draft_count_before_they_are_published(both: PageSite) -> None:
    admin, seller = both.person("管理员", "administrator"), both.person("小卖", "seller")
    mine = deal(both, seller, "卖车", margin="37.5")
    change(both, admin, set_of("seller", fields={"*": {"*": "read"}}))
    assert "37.5" in readable(look(admin, seller, mine))
    assert "不能修改" not in readable(look(admin, seller, mine, show="form"))
    change(both, admin, set_of("seller", objects={"*": ["read"]}))
    assert "不能修改这条记录" in readable(look(admin, seller, mine, show="form"))


def test_nothing_is_shown_that_only_the_other_may_see(both: PageSite) -> None:
    """The boss sees every deal and every field; who builds sees their own deals, and no margin."""
    builder, boss, seller = (
        both.person("搭建", "builder"), both.person("老板", "boss"), both.person("小卖", "seller")
    )  # fmt: skip
    theirs, own = deal(both, seller, "卖车", margin="37.5"), deal(both, builder, "自己的", margin="12.5")
    assert "37.5" in boss.get(f"/o/deal/{theirs}").text, "the boss does see it"
    closed = readable(look(builder, boss, theirs))
    assert "没有可显示的内容" in closed and "卖车" not in closed
    shown = readable(look(builder, boss, own))
    assert "自己的" in shown and "12.5" not in shown, "a field takes both rights"
    assert "没有可显示的内容" in readable(look(builder, seller, own)), "the seller does not see it"
    # Not even by giving it to oneself, or to the other, in a draft that nobody has published.
    opened = set_of("builder", "customise", objects={"*": ["view_all"]}, fields={"*": {"*": "read"}})
    change(both, builder, opened)
    assert "没有可显示的内容" in readable(look(builder, boss, theirs))
    assert "12.5" not in readable(look(builder, builder, own))


def test_two_people_who_each_see_their_own_share_what_is_their_queues(both: PageSite) -> None:
    builder, seller = both.person("搭建", "builder"), both.person("小卖", "seller")
    queue = both.records.create("queue", {"name": "公共"}).id
    for each in (builder, seller):
        both.records.create("queue_member", {"queue": queue, "user": id_of(each)})
    common = UUID(str(both.records.create("deal", {"name": "公共的单", "owner": queue}).id))
    apart = deal(both, seller, "小卖的单")
    assert "公共的单" in readable(look(builder, seller, common))
    assert "没有可显示的内容" in readable(look(builder, seller, apart))


def test_related_lists_and_lookups_are_of_both(both: PageSite) -> None:
    builder, boss, seller = (
        both.person("搭建", "builder"), both.person("老板", "boss"), both.person("小卖", "seller")
    )  # fmt: skip
    account = UUID(str(both.records.create("account", {"name": "华兴", "owner": id_of(seller)}).id))
    deal(both, seller, "只有老板看到", account=account)
    deal(both, builder, "都看到", account=account)
    shown = readable(look(builder, boss, account, object="account"))
    assert "都看到" in shown and "只有老板看到" not in shown


def test_who_may_look_as_others(both: PageSite) -> None:
    maker, seller = both.person("搭建", "maker"), both.person("小卖", "seller")
    mine = deal(both, seller, "卖车")
    query = f"object=deal&as={id_of(seller).hex}&record={mine.hex}"
    page = readable(maker.get(f"/studio/preview/page?{query}"))
    assert "搭建 眼中的" in page and "小卖" not in page, "without the right it is oneself"
    assert maker.get("/studio/preview/people?q=").status_code == 403
    assert "管理用户" in readable(maker.get(f"/studio/preview?{query}"))
    for path in ("/studio/preview", "/studio/preview/page", "/studio/preview/records/deal"):
        assert seller.get(f"{path}?{query}").status_code == 403
    admin = both.person("管理员", "administrator")
    gone = admin.get(f"/studio/preview/page?object=deal&as={UUID(int=7).hex}&record={mine.hex}")
    assert gone.status_code == 404


def test_each_look_is_journalled_and_the_person_is_told(both: PageSite) -> None:
    admin, seller = both.person("管理员", "administrator"), both.person("小卖", "seller")
    mine = deal(both, seller, "卖车")
    look(admin, admin, mine)
    look(admin, seller, mine)
    look(admin, seller, mine, show="form")
    with both.call.tenant.store.read() as reader:
        rows = reader.execute(sa.select(operations.c.cause_ref).where(operations.c.cause == "view")).all()
    about = [row.cause_ref for row in rows]
    assert [each["as"] for each in about] == [id_of(seller).hex] * 2
    told = readable(seller.get("/notices"))
    assert told.count("管理员 在 Studio 里以您的视角查看过") == 1
    assert "以您的视角" not in readable(admin.get("/notices"))


def test_the_page_is_a_frame_of_this_site_and_writes_nothing(both: PageSite) -> None:
    admin, seller = both.person("管理员", "administrator"), both.person("小卖", "seller")
    mine = deal(both, seller, "卖车")
    tools = admin.get(f"/studio/preview?object=deal&as={id_of(seller).hex}&record={mine.hex}&width=phone")
    assert "frame-src 'self'" in tools.headers["Content-Security-Policy"] and "is-phone" in tools.text
    query = f"object=deal&as={id_of(seller).hex}&record={mine.hex}"
    page = admin.get(f"/studio/preview/page?{query}&show=form")
    assert page.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert "form-action 'none'" in page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert "data-form" in page.text and "pages/pages.js" not in page.text and "drafts.js" not in page.text
    posted = admin.post(f"/studio/preview/page?{query}&show=form", {"name": "x"})
    assert posted.status_code == 405
    assert "frame-ancestors 'none'" in admin.get("/studio").headers["Content-Security-Policy"]


def test_the_pickers_find_people_and_records_and_say_which_layout_is_used(both: PageSite) -> None:
    admin, seller = both.person("管理员", "administrator"), both.person("小卖", "seller")
    deal(both, seller, "卖车")
    last = deal(both, seller, "卖房")
    assert 'data-name="小卖"' in admin.get("/studio/preview/people?q=小").text
    found = admin.get("/studio/preview/records/deal?q=卖车").text
    assert 'data-name="卖车"' in found and "卖房" not in found
    assert last.hex in admin.get("/studio/preview?object=deal").text, "the one changed last to begin with"
    typed = admin.get("/studio/preview?object=deal&as.text=小卖&record.text=卖车")
    assert "小卖 眼中的“卖车”" in typed.text, "names work without a script"
    assert "没有找到“没有的”" in readable(admin.get("/studio/preview?object=deal&record.text=没有的"))
    change(both, admin, layout("amount", name="deal.other"))
    notes = [readable(look(admin, seller, last, layout=name)) for name in ("deal.standard", "deal.other")]
    assert sum("用的布局：" in each for each in notes) == 1, "the first layout is the one in use"
    assert sum("不是您正在编辑的" in each for each in notes) == 1
    change(both, admin, layout("nosuch", name="deal.other"))
    assert "草稿里还有错误" in readable(admin.get("/studio/preview?object=deal"))
