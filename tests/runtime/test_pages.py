"""The generated pages over HTTP without scripts, on both databases."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

import models
from pagesite import PASSWORD, PageSite, Visitor, make_pages, readable
from stores import DIALECTS

CRM: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "tier": "picklist(a,b)", "phone": "phone"},
    "opportunity": {
        "name": "text(120) required sortable searchable",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "chance": "percent(5,2)",
        "close_date": "date",
        "visit_at": "datetime",
        "key_deal": "boolean",
        "stage": "picklist(open,won,lost) required",
        "needs": "long_text(2000)",
        "number": "auto_number(OPP-{0000})",
    },
}


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM)
        yield made


@pytest.fixture(scope="module")
def rep(site: PageSite) -> Visitor:
    return site.person("陈思远", "standard_user")


@pytest.fixture(scope="module")
def other(site: PageSite) -> Visitor:
    return site.person("林晓彤", "administrator", "standard_user")


def made(site: PageSite, object: str, owner: Visitor, **values: Any) -> UUID:
    """A record that a visitor owns."""
    return site.records.create(object, {"owner": str(owner.user_id), **values}).id


# ---- the door --------------------------------------------------------


def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(site: PageSite) -> None:
    stranger = site.stranger()
    answer = stranger.get("/o/account?view=all")
    assert answer.status_code == 303 and answer.headers["Location"].startswith("/sign-in?next=")
    page = stranger.follow(answer)
    assert 'name="next" value="/o/account?view=all"' in page.text


def test_a_wrong_password_is_told_in_words_and_keeps_the_address(site: PageSite, rep: Visitor) -> None:
    stranger = site.stranger()
    stranger.get("/sign-in")
    answer = stranger.post("/sign-in", {"address": "陈思远@example.com", "password": "wrong wrong"})
    assert answer.status_code == 401
    assert 'value="陈思远@example.com"' in answer.text and 'role="alert"' in answer.text
    assert "wrong wrong" not in answer.text


def test_too_many_tries_are_told(site: PageSite) -> None:
    stranger = site.stranger()
    stranger.get("/sign-in")
    limit = site.site.settings.limits.sign_ins_per_minute
    codes = [
        stranger.post("/sign-in", {"address": "many@example.com", "password": "x" * 12}).status_code
        for _ in range(limit + 1)
    ]
    assert codes[-1] == 429 and str(limit) in readable(stranger.last)


def test_a_sign_in_form_of_another_site_is_refused(site: PageSite, rep: Visitor) -> None:
    stranger = site.stranger()
    answer = stranger.post("/sign-in", {"address": "陈思远@example.com", "password": PASSWORD})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "next", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_sign_in_leads_only_to_this_site(site: PageSite, rep: Visitor, next: str) -> None:
    stranger = site.stranger()
    stranger.get("/sign-in")
    answer = stranger.post("/sign-in", {"address": "陈思远@example.com", "password": PASSWORD, "next": next})
    assert answer.status_code == 303 and answer.headers["Location"] == "/"


def test_sign_out_ends_the_session(site: PageSite) -> None:
    visitor = site.person("走了的人", "standard_user")
    visitor.get("/")
    visitor.post("/sign-out", {})
    assert visitor.get("/").status_code == 303


# ---- lists --------------------------------------------------------


def test_a_list_shows_what_the_person_may_see_and_says_why(
    site: PageSite, rep: Visitor, other: Visitor
) -> None:
    made(site, "account", rep, name="恒锐精密", tier="a")
    made(site, "account", other, name="别人的客户")
    page = rep.get("/o/account")
    assert page.status_code == 200
    assert "恒锐精密" in page.text and "别人的客户" not in page.text
    assert "您能看到自己负责的" in page.text
    assert page.headers["X-Tabwright-Release"] == str(site.call.model.release)


def test_a_filter_formula_narrows_and_a_wrong_one_is_marked_at_its_place(
    site: PageSite, rep: Visitor
) -> None:
    made(site, "opportunity", rep, name="大单", stage="open", amount="900000")
    made(site, "opportunity", rep, name="小单", stage="open", amount="5")
    page = rep.get("/o/opportunity?where=amount+%3E+1000")
    assert "大单" in page.text and "小单" not in page.text
    wrong = rep.get("/o/opportunity?where=amount+%3E+1+%26%26+stagge+%3D+1")
    assert wrong.status_code == 200
    assert "<mark>stagge</mark>" in wrong.text and 'value="amount &gt; 1 &amp;&amp; stagge = 1"' in wrong.text
    assert "小单" in wrong.text  # the view without it


def test_pages_of_a_list_lead_on_and_back(site: PageSite, rep: Visitor) -> None:
    if site.call.gate.model.objects["account"] and len(rep.get("/o/account").text) < 40_000:
        for number in range(60):
            made(site, "account", rep, name=f"客户 {number:03}")
    first = rep.get("/o/account?order=name")
    following = re.search(r'rel="next" href="([^"]+)"', first.text)
    assert following and 'rel="prev"' not in first.text
    second = rep.get(following[1].replace("&amp;", "&"))
    names = set(re.findall(r'<a class="tw-cut" href="/o/account/([^"]+)"', first.text))
    more = set(re.findall(r'<a class="tw-cut" href="/o/account/([^"]+)"', second.text))
    assert len(names) == 50 and more and not names & more
    assert re.search(r'rel="prev" href="/o/account\?order=name"', second.text)
    assert "51 – " in second.text


def test_an_empty_list_says_what_to_do_next(site: PageSite) -> None:
    newcomer = site.person("新来的人", "standard_user")
    page = newcomer.get("/o/opportunity")
    assert "没有您能看到的" in readable(page) and 'href="/o/opportunity/new"' in page.text
    none = newcomer.get("/o/opportunity?where=amount+%3E+99")
    assert "没有符合条件的" in readable(none)


def test_a_bad_cursor_is_a_page_in_words(rep: Visitor) -> None:
    answer = rep.get("/o/account?cursor=nonsense")
    assert answer.status_code == 400 and "地址" in readable(answer)


# ---- form --------------------------------------------------------


def test_create_edit_and_history(site: PageSite, rep: Visitor) -> None:
    account = made(site, "account", rep, name="上海绿源新能源")
    rep.get(f"/o/opportunity/new?account={account}")
    form = rep.form()
    assert form["account.text"] == "上海绿源新能源"
    answer = rep.post(
        "/o/opportunity/new",
        {**form, "name": "储能柜装配线", "amount": "2,415,000.5", "chance": "60%", "stage": "open",
         "close_date": "2026-11-30", "visit_at": "2026-11-20T09:30", "key_deal": "true", "needs": "一\r\n二"},
    )  # fmt: skip
    page = rep.follow(answer)
    words = readable(page)
    for shown in (
        "储能柜装配线",
        "2,415,000.50",
        "60%",
        "2026-11-30",
        "2026-11-20 09:30",
        "已新建",
        "创建了这条记录",
    ):
        assert shown in words, shown
    at = answer.headers["Location"]
    rep.get(at + "/edit")
    form = rep.form()
    assert (form["amount"], form["chance"], form["visit_at"]) == ("2415000.50", "60", "2026-11-20T09:30")
    assert form["needs"] == "一\n二" and form["key_deal"] == "true"
    page = rep.follow(rep.post(at + "/edit", {**form, "stage": "won", "key_deal": "false"}))
    assert "修改了 2 个字段" in readable(page)
    unchanged = rep.get(at + "/edit") and rep.follow(rep.post(at + "/edit", rep.form()))
    assert "没有改动" in readable(unchanged) and "修改了 2 个字段" in readable(unchanged)


def test_a_new_form_shows_the_defaults_that_are_known_already(site: PageSite, rep: Visitor) -> None:
    site.publish(
        {"visit": {"name": "text(120) required"}},
        (
            models.document("field", "visit.review", type="date", default="TODAY() + 30"),
            models.document("field", "visit.days", type="integer", default="7"),
            models.document("field", "visit.echo", type="text", default='name & "!"'),
        ),
    )
    rep.get("/o/visit/new")
    form = rep.form()
    today = site.site.clock.now().astimezone(ZoneInfo("Asia/Shanghai")).date()
    assert form["review"] == (today + timedelta(days=30)).isoformat()
    assert (form["days"], form["echo"]) == ("7", "")
    page = rep.follow(rep.post("/o/visit/new", {**form, "name": "默认值的客户"}))
    assert "默认值的客户!" in readable(page)


def test_faults_stand_at_their_fields_and_nothing_typed_is_lost(site: PageSite, rep: Visitor) -> None:
    rep.get("/o/opportunity/new")
    typed = {**rep.form(), "name": "", "amount": "12O", "close_date": "soon", "needs": "留着"}
    answer = rep.post("/o/opportunity/new", typed)
    assert answer.status_code == 422
    for name in ("name", "amount", "close_date", "stage"):
        assert f'href="#f-{name}"' in answer.text and f'id="e-{name}"' in answer.text, name
    form = rep.form()
    assert form["amount"] == "12O" and form["needs"] == "留着"


def test_a_lookup_works_by_name_without_scripts(site: PageSite, rep: Visitor) -> None:
    only = made(site, "account", rep, name="独一无二机械")
    made(site, "account", rep, name="同名公司")
    second = made(site, "account", rep, name="同名公司")
    rep.get("/o/opportunity/new")
    base = {**rep.form(), "name": "按名字", "stage": "open"}
    page = rep.follow(rep.post("/o/opportunity/new", {**base, "account.text": "独一无二机械"}))
    assert f"/o/account/{only}" in page.text
    answer = rep.post("/o/opportunity/new", {**base, "account.text": "没有这家"})
    assert answer.status_code == 422 and "没有这家" in readable(answer)
    answer = rep.post("/o/opportunity/new", {**base, "account.text": "同名公司"})
    assert answer.status_code == 422 and 'type="radio" name="account"' in answer.text
    chosen = {**rep.form(), "account": str(second)}
    page = rep.follow(rep.post("/o/opportunity/new", chosen))
    assert f"/o/account/{second}" in page.text


def test_the_options_of_a_lookup_are_those_that_may_be_read(
    site: PageSite, rep: Visitor, other: Visitor
) -> None:
    made(site, "account", rep, name="可见的公司甲")
    made(site, "account", other, name="可见的公司乙")
    answer = rep.get("/o/opportunity/lookup/account?q=可见&prefix=p")
    assert "公司甲" in answer.text and "公司乙" not in answer.text
    assert "<mark>可见</mark>" in answer.text and 'role="option"' in answer.text


def test_two_people_edit_one_record(site: PageSite, rep: Visitor, other: Visitor) -> None:
    id = made(site, "opportunity", rep, name="一起改", stage="open", amount="1")
    at = f"/o/opportunity/{id}"
    rep.get(at + "/edit")
    mine = rep.form()
    other.get(at + "/edit")
    other.post(at + "/edit", {**other.form(), "amount": "2", "needs": "别人写的"})
    # Different fields merge.
    page = rep.follow(rep.post(at + "/edit", {**mine, "close_date": "2026-12-01"}))
    assert "林晓彤" in readable(page) and "2026-12-01" in readable(page) and "别人写的" in readable(page)
    # The same field asks, with its three values.
    answer = rep.post(at + "/edit", {**mine, "amount": "3", "close_date": "2026-12-01"})
    assert answer.status_code == 409
    for value in ("1.00", "2.00", "3.00"):
        assert value in readable(answer)
    form = rep.form()
    rep.follow(rep.post(at + "/edit", {**form, "_pick.amount": "theirs"}))
    assert site.call.tenant and _value(site, id, "amount") == 2
    rep.get(at + "/edit")
    answer = rep.post(at + "/edit", {**mine, "amount": "3"})
    rep.follow(rep.post(at + "/edit", {**rep.form(), "_pick.amount": "mine"}))
    assert _value(site, id, "amount") == 3


def _value(site: PageSite, id: UUID, field: str) -> Any:
    from tabwright.runtime.query.reads import Reads

    return Reads(site.call).get("opportunity", id, (field,))[field]


def test_undo_takes_back_what_the_notice_said(site: PageSite, rep: Visitor) -> None:
    id = made(site, "opportunity", rep, name="撤销", stage="open", amount="1")
    rep.get(f"/o/opportunity/{id}/edit")
    page = rep.follow(rep.post(f"/o/opportunity/{id}/edit", {**rep.form(), "amount": "7"}))
    undo = re.search(r'action="(/undo/[^"]+)"', page.text)
    assert undo
    assert rep.post(undo[1], {}).status_code == 303
    assert _value(site, id, "amount") == 1


# ---- delete, bin, search, settings --------------------------------------------------------


def test_delete_counts_what_follows_and_the_bin_brings_back(site: PageSite, rep: Visitor) -> None:
    account = made(site, "account", rep, name="要删的客户")
    child = made(site, "opportunity", rep, name="要断开的商机", stage="open", account=str(account))
    page = rep.get(f"/o/account/{account}/delete")
    assert "1 条" in readable(page)
    answer = rep.post(f"/o/account/{account}/delete", {"_revision": "1"})
    assert "要删的客户" in readable(rep.follow(answer))
    assert rep.get(f"/o/account/{account}").status_code == 404
    assert _value(site, child, "account") is None
    bin = rep.get("/bin?object=account")
    assert "要删的客户" in bin.text
    rep.follow(rep.post(f"/o/account/{account}/restore", {}))
    assert _value(site, child, "account") == account


def test_search_finds_by_two_characters_and_pinyin(site: PageSite, rep: Visitor) -> None:
    id = made(site, "account", rep, name="武汉光谷激光")
    for q in ("光谷", "wuhan", "whgg"):
        assert f"/o/account/{id}" in rep.get(f"/search?q={q}").text, q
    assert "没有找到" in readable(rep.get("/search?q=zzzzqqqq"))


def test_settings_are_kept_and_a_wrong_zone_is_told(site: PageSite) -> None:
    visitor = site.person("会换语言的人", "standard_user")
    page = visitor.get("/settings")
    assert '<html lang="zh-CN"' in page.text
    wrong = visitor.post("/settings", {"language": "en", "zone": "Mars/Olympus"})
    assert wrong.status_code == 422 and 'value="Mars/Olympus"' in wrong.text
    given = {"language": "en", "zone": "Europe/Berlin", "theme": "dark", "density": "compact"}
    page = visitor.follow(visitor.post("/settings", given))
    assert '<html lang="en" data-bs-theme="dark" data-density="compact"' in page.text
    assert 'value="Europe/Berlin"' in page.text
    visitor.post("/settings/look", {"language": "zh", "theme": "light", "back": "/search"})
    assert '<html lang="zh-CN" data-bs-theme="light"' in visitor.get("/search").text


# ---- what must never happen --------------------------------------------------------


def test_pages_hold_no_inline_script_style_or_handler(site: PageSite, rep: Visitor) -> None:
    id = made(site, "account", rep, name="样式")
    for path in (
        "/",
        "/o/account",
        f"/o/account/{id}",
        f"/o/account/{id}/edit",
        "/search?q=a",
        "/settings",
        "/bin",
    ):
        text = rep.get(path).text
        assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=|javascript:", text), path


def test_a_hidden_field_and_a_hidden_record_leave_nothing_behind(site: PageSite, other: Visitor) -> None:
    site.publish(
        {},
        [{"kind": "permission_set", "name": "reader", "objects": {"opportunity": ["read", "view_all"]},
          "fields": {"opportunity": {"*": "read", "amount": "none"}}, "tabs": ["*"], "apps": ["*"]}],
    )  # fmt: skip
    id = made(site, "opportunity", other, name="看不全", stage="open", amount="123456")
    reader = site.person("只读的人", "reader")
    for path in ("/o/opportunity", f"/o/opportunity/{id}"):
        page = reader.get(path)
        assert page.status_code == 200 and "123,456" not in page.text and ">Amount<" not in page.text
    assert 'href="/o/opportunity/new"' not in reader.get("/o/opportunity").text
    assert reader.get(f"/o/opportunity/{id}/edit").status_code in (403, 404)
    for name in ("nosuch", "amount"):  # the same answer, whether it is not there or may not be known
        assert f"没有名为 {name} 的字段" in readable(reader.get(f"/o/opportunity?where={name}+%3E+1"))
    assert reader.get("/o/account").status_code == 404


def test_a_form_without_its_token_changes_nothing(site: PageSite, rep: Visitor) -> None:
    id = made(site, "account", rep, name="令牌")
    answer = rep.client.post(f"/o/account/{id}/delete", data={}, headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert rep.get(f"/o/account/{id}").status_code == 200


HOSTILE = ("{{7*7}}", "{% raw %}", "<script>alert(1)</script>", "{# x #}", "${7*7}", "'\"><b>")


def test_what_an_admin_or_a_person_typed_shows_as_typed(site: PageSite, rep: Visitor) -> None:
    fields: dict[str, Any] = {
        "name": {"type": "text", "label": {"en": HOSTILE[0], "zh": HOSTILE[0]}, "required": True}
    }
    for number, text in enumerate(HOSTILE):
        fields[f"f{number}"] = {
            "type": "picklist",
            "label": {"en": text, "zh": text},
            "help": {"en": text, "zh": text},
            "options": {"values": [{"code": "x", "label": {"en": text, "zh": text}}]},
        }
        fields[f"t{number}"] = {"type": "text", "placeholder": {"en": text, "zh": text}}
    both = {"en": HOSTILE[2], "zh": HOSTILE[2]}
    section = {"label": {"en": HOSTILE[1], "zh": HOSTILE[1]}, "columns": 2, "fields": list(fields)}
    extra = [{"kind": "layout", "name": "odd.one", "label": both, "sections": [section]}]
    documents = models.documents({"odd": fields}, extra)
    documents[0] = {**documents[0], "label": both, "plural": {"en": HOSTILE[1], "zh": HOSTILE[1]}}
    site.publish({}, documents)
    value = " ".join(HOSTILE)
    id = made(site, "odd", rep, name=value, **{f"f{n}": "x" for n in range(len(HOSTILE))}, t0=value)
    for path in (
        "/",
        "/o/odd",
        f"/o/odd/{id}",
        f"/o/odd/{id}/edit",
        "/o/odd/new",
        f"/o/odd/{id}/delete",
        "/more",
        "/bin?object=odd",
    ):
        page = rep.get(path)
        assert page.status_code == 200, path
        assert "<script>alert" not in page.text and '"><b>' not in page.text, path
        assert HOSTILE[1] in readable(page) or HOSTILE[2] in readable(page), path
        assert "49" not in re.sub(r'="[^"]*"', "", page.text).replace("2049", ""), path
    words = readable(rep.get(f"/o/odd/{id}"))
    assert all(text in words for text in HOSTILE)
    rep.get(f"/o/odd/{id}/edit")
    assert rep.form()["t0"] == value and rep.form()["name"] == value


# ---- preview of a draft --------------------------------------------------------


def test_a_draft_is_previewed_on_real_records(site: PageSite, other: Visitor) -> None:
    id = made(site, "account", other, name="预览的客户", tier="a")
    assert other.user_id is not None
    new = models.document(
        "field", "account.credit", type="integer", label={"en": "Credit days", "zh": "账期"}
    )
    renamed = next(each for each in models.documents(CRM) if each["name"] == "account.tier")
    site.draft(other.user_id, new, {**renamed, "label": {"en": "Rank", "zh": "新叫法"}})
    assert "账期" not in other.get(f"/o/account/{id}").text
    page = other.get(f"/o/account/{id}?preview=draft")
    assert page.status_code == 200
    words = readable(page)
    assert "草稿预览" in words and "账期 草稿" in words and "新叫法" in words and "预览的客户" in words
    listed = other.get("/o/account")  # the preview stays until it is left
    assert "草稿预览" in readable(listed) and listed.status_code == 200
    assert "草稿预览" not in readable(other.get(f"/o/account/{id}?preview=off"))
    rep = site.person("看不到草稿的人", "standard_user")
    assert "草稿预览" not in readable(rep.get("/o/account?preview=draft"))
