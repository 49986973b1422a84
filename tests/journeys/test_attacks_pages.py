"""Hostile requests against the generated pages, two tenants on one server, values from end to end."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

import models
from pagesite import HTML, PASSWORD, PageSite, Visitor, make_pages, readable
from stores import DIALECTS
from tabwright.installing import create_tenant
from tabwright.people import add_person
from tabwright.platform.errors import Invalid

CRM: models.Compact = {
    "account": {"name": "text(120) required sortable searchable", "secret": "text searchable"},
    "deal": {
        "name": "text(120) required sortable",
        "account": "lookup(account)",
        "big": "decimal(18,6)",
        "amount": "currency(16,2)",
        "chance": "percent(7,4)",
        "day": "date",
        "at": "datetime",
        "sure": "boolean",
        "many": "integer",
        "note": "long_text(20000)",
    },
}
SETS = [
    {
        "kind": "permission_set",
        "name": "low",
        "system": ["import"],
        "objects": {
            "account": ["create", "read", "edit", "delete", "import"],
            "deal": ["create", "read", "edit", "delete", "import"],
        },
        "fields": {"account": {"*": "edit", "secret": "none"}, "deal": {"*": "edit"}},
        "tabs": ["*"],
        "apps": ["*"],
    },
    {
        "kind": "permission_set",
        "name": "planner",
        "system": ["customise"],
        "objects": {"account": ["read"]},
        "fields": {"account": {"name": "read"}},
        "tabs": ["*"],
    },
]


ORDERED = ["-x", "1", "10", "2", "_", "Ab", "ab", "äb", "ＡＢ", "éa", "李", "Z", "zhang", "张", "😀"]


@pytest.fixture(scope="module", params=DIALECTS)
def site(request: pytest.FixtureRequest) -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages(request.param, Path(folder)) as made:
        made.publish(CRM, SETS)
        yield made


@pytest.fixture(scope="module")
def low(site: PageSite) -> Visitor:
    return site.person("low", "low", language="en")


@pytest.fixture(scope="module")
def boss(site: PageSite) -> Visitor:
    return site.person("boss", "administrator", language="en")


def made(site: PageSite, object: str, owner: Visitor, **values: Any) -> UUID:
    return site.records.create(object, {"owner": str(owner.user_id), **values}).id


# ---- hostile requests --------------------------------------------------------

_RUBBISH = (
    "%00",
    "%ff%fe",
    "%ed%a0%80",
    "%F0%9F%98%80" * 50,
    "A" * 5000,
    "%0d%0aSet-Cookie:x=1",
    "{{7*7}}",
    "'\"><script>",
)


def test_no_address_makes_the_pages_fail(site: PageSite, low: Visitor) -> None:
    id = made(site, "deal", low, name="x")
    parameters = (
        "where",
        "order",
        "cursor",
        "trail",
        "n",
        "view",
        "q",
        "app",
        "preview",
        "object",
        "record_type",
        "_copy",
        "_back",
        "next",
        "name",
        "at",
        "account",
        "many",
        "out",
        "prefix",
    )
    places = (
        "/",
        "/o/deal",
        f"/o/deal/{id}",
        "/o/deal/new",
        f"/o/deal/{id}/edit",
        "/search",
        "/bin",
        "/settings",
        "/o/deal/lookup/account",
        "/o/deal/import",
        f"/o/deal/{id}/delete",
        "/more",
    )
    for place in places:
        for rubbish in _RUBBISH:
            query = "&".join(f"{name}={rubbish}" for name in parameters)
            for asked in (
                query,
                *(f"{name}={rubbish}" for name in ("where", "order", "q", "copy") if len(rubbish) < 99),
            ):
                answer = low.get(f"{place}?{asked}")
                assert answer.status_code < 500, (place, asked[:200], readable(answer)[:300])
                assert not any(
                    value.startswith("x=1") for name, value in answer.headers if name == "Set-Cookie"
                )
    low.get("/?preview=off")


def test_no_header_makes_the_pages_fail(low: Visitor) -> None:
    for headers in (
        {"Accept-Language": ";;;q=zz,,zh-*-x;q=9e9" * 50},
        {"Accept-Language": "é\x7f,*"},
        {"Cookie": "tw_seen=~:~;tw_look=....;tw_app=%00;tw_language=xx;tw_preview=draft;tw_tenant=../"},
        {"Host": "evil.example"},
        {"Host": "["},
        {"Host": "a b"},
        {"Accept": "text/html;q=zz"},
        {"X-HTTP-Method-Override": "DELETE"},
        {"Range": "bytes=9-1"},
        {"Content-Length": "0", "Content-Type": "multipart/form-data"},
        {"If-None-Match": '"' * 100},
        {"X-Forwarded-Host": "evil.example"},
    ):
        answer = low.client.get("/o/deal", headers={**HTML, **headers})
        assert answer.status_code < 500, headers
        assert "evil.example" not in answer.text


@pytest.mark.parametrize(
    "origin", ["http://[", "null", "//", "http://evil.example", "http://localhost@evil.example", "\\\\"]
)
def test_an_origin_that_is_none_of_ours_is_refused(low: Visitor, origin: str) -> None:
    low.get("/settings")
    token = re.search(r'name="_csrf" value="([^"]+)"', low.last)
    assert token
    answer = low.client.post("/settings", data={"_csrf": token[1]}, headers={**HTML, "Origin": origin})
    assert answer.status_code == 403


def test_every_change_needs_the_form_s_token(site: PageSite, low: Visitor) -> None:
    id = made(site, "deal", low, name="x")
    places = [
        str(rule.rule)
        for rule in site.app.url_map.iter_rules()
        if rule.methods and "POST" in rule.methods and not str(rule.rule).startswith("/api/")
        if str(rule.rule) != "/first"  # is not there once somebody can sign in
    ]
    assert len(places) > 8
    for place in places:
        path = re.sub(r"<any\((\w+)[^>]*>", r"\1", place).replace("<object>", "deal")
        path = re.sub(r"<uuid:\w+>", str(id), path)
        answer = low.client.post(path, data={"_csrf": "wrong", "name": "y"}, headers=HTML)
        assert answer.status_code == 403, place
    assert low.get(f"/o/deal/{id}").status_code == 200


@pytest.mark.parametrize("revision", ["²", "9" * 5000, "-1", "٣", "1e3", "\x00", "1.5"])
def test_a_form_s_revision_may_be_rubbish(site: PageSite, low: Visitor, revision: str) -> None:
    id = made(site, "deal", low, name="x")
    low.get(f"/o/deal/{id}/edit")
    answer = low.post(f"/o/deal/{id}/edit", {**low.form(), "name": "y", "_revision": revision})
    assert answer.status_code < 500, readable(answer)[:300]
    low.get(f"/o/deal/{id}/delete")
    assert low.post(f"/o/deal/{id}/delete", {"_revision": revision}).status_code < 500


def test_no_form_makes_the_pages_fail(site: PageSite, low: Visitor) -> None:
    for text in (
        "\x00",
        "\ud800".encode("utf-8", "surrogatepass"),
        "‮⁦x",
        "9" * 400,
        "1e999999999",
        "-0",
        "NaN",
        "٣",
        "0001-01-01",
        "9999-12-31T23:59",
        "x" * 100_000,
        "[" * 5000,
        "{}",
        "=cmd|' /C calc'!A0",
    ):
        low.get("/o/deal/new")
        form = dict.fromkeys(
            (*low.form(), "_was", "_back", "_then", "_record_type", "account.text", "_revision"), text
        )
        form.pop("_csrf", None)
        answer = low.post("/o/deal/new", form)
        assert answer.status_code < 500, (text[:50], readable(answer)[:300])


@pytest.mark.parametrize(
    "way",
    [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/\t/evil.example",
        "/%0a/x\n//e",
        "javascript:alert(1)",
        "/ /evil.example/..",
        "///evil.example",
        "/..//evil.example",
    ],
)
def test_pages_lead_nowhere_else(site: PageSite, low: Visitor, way: str) -> None:
    id = made(site, "deal", low, name="x")
    low.get("/o/deal/new")
    answer = low.post("/o/deal/new", {**low.form(), "name": "y", "_back": way})
    places = [answer.headers.get("Location", "/")]
    low.get(f"/o/deal/{id}/edit")
    places.append(low.post(f"/o/deal/{id}/edit", {"_back": way}).headers.get("Location", "/"))
    stranger = site.stranger()
    stranger.get("/sign-in")
    signed = stranger.post("/sign-in", {"address": "low@example.com", "password": PASSWORD, "next": way})
    places.append(signed.headers.get("Location", "/"))
    for place in places:
        assert re.match(r"/(?![/\\])[^\t\n\r\\]*$", place), place


def test_undo_leads_back_to_this_site_only(site: PageSite, low: Visitor) -> None:
    low.get("/o/deal/new")
    low.post("/o/deal/new", {**low.form(), "name": "undo me"})
    page = low.get("/o/deal")
    undo = re.search(r"/undo/[0-9a-f-]{36}", page.text)
    token = re.search(r'name="_csrf" value="([^"]+)"', page.text)
    assert undo and token
    referer = {"Referer": "http://localhost//evil.example/x"}
    answer = low.client.post(undo[0], data={"_csrf": token[1]}, headers={**HTML, **referer})
    assert answer.status_code == 303 and not answer.headers["Location"].startswith("//")


def test_another_s_operation_is_not_undone(site: PageSite, low: Visitor, boss: Visitor) -> None:
    boss.get("/o/account/new")
    boss.post("/o/account/new", {**boss.form(), "name": "Boss's own"})
    undo = re.search(r"/undo/[0-9a-f-]{36}", boss.get("/o/account").text)
    assert undo
    low.get("/o/account")
    assert low.post(undo[0], {}).status_code in (403, 404)
    assert "Boss's own" in readable(boss.get("/o/account"))


def test_what_was_given_away_is_not_taken_back_by_undo(site: PageSite, low: Visitor, boss: Visitor) -> None:
    id = made(site, "account", low, name="Gift")
    low.get(f"/o/account/{id}/edit")
    low.post(f"/o/account/{id}/edit", {**low.form(), "owner": str(boss.user_id), "owner.text": "boss"})
    undo = re.search(r"/undo/[0-9a-f-]{36}", low.get("/o/account").text)
    assert site.records is not None and undo
    site.records.update("account", id, {"secret": "of the boss"})
    low.post(undo[0], {})
    assert low.get(f"/o/account/{id}").status_code == 404


def test_a_session_begins_anew_at_sign_in_and_cookies_are_guarded(site: PageSite) -> None:
    visitor = site.stranger()
    visitor.client.set_cookie("tw_session", "chosen-by-another")
    visitor.get("/sign-in")
    answer = visitor.post("/sign-in", {"address": "low@example.com", "password": PASSWORD, "next": "/"})
    cookies = [value for name, value in answer.headers if name == "Set-Cookie"]
    assert answer.status_code == 303 and not any("chosen-by-another" in each for each in cookies)
    for each in cookies:
        assert "HttpOnly" in each or "Max-Age=0" in each, each
        assert "SameSite" in each or "Max-Age=0" in each, each


def test_a_file_s_name_and_cells_do_nothing(site: PageSite, low: Visitor) -> None:
    low.get("/o/deal/import")
    token = re.search(r'name="_csrf" value="([^"]+)"', low.last)
    assert token
    content = "Name,Big\n=1+1,x\n+cmd,y\n-2+3,z\n@SUM(A1),q\n\t=1,w\n＝1,e\n".encode()
    name = 'a"; filename="evil.exe\r\nX-Evil: 1\r\n/../../x.csv'
    data = {"_csrf": token[1], "file": (io.BytesIO(content), name)}
    answer = low.client.post("/o/deal/import", data=data, headers=HTML, content_type="multipart/form-data")
    assert answer.status_code == 303, readable(answer)[:500]
    at = answer.headers["Location"]
    low.get(at)
    assert low.post(f"{at}/run", {}).status_code == 303, readable(low.last)[:800]
    site.site.runner.run_due(site.location)
    result = low.client.get(f"{at}/result.csv")
    assert "X-Evil" not in result.headers and "\n" not in result.headers["Content-Disposition"]
    lines = result.data.decode("utf-8-sig").splitlines()
    assert len(lines) == 7
    assert all(re.match(r'"?\'', line) for line in lines[1:]), lines


# ---- values that the calendar or a clock cannot show -----


def test_moments_at_the_ends_of_time_show(site: PageSite, boss: Visitor, low: Visitor) -> None:
    site.records.update("user", low.user_id or "", {"zone": "America/New_York"})
    try:
        for at in ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"):
            with pytest.raises(Invalid):
                made(site, "deal", low, name="edge", at=at)
            near = at.replace("01-01", "01-02").replace("12-31", "12-30")
            id = made(site, "deal", low, name="edge", at=near, day=at[:10])
            for who in (low, boss):
                for place in (f"/o/deal/{id}", f"/o/deal/{id}/edit", "/o/deal?order=-at"):
                    assert who.get(place).status_code in (200, 404), (at, place, readable(who.last)[:200])
            site.records.delete("deal", id)
    finally:
        site.records.update("user", low.user_id or "", {"zone": "Asia/Shanghai"})


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "/etc/localtime", "Asia", "x" * 64])
def test_a_zone_that_is_none_does_not_lock_its_user_out(site: PageSite, zone: str) -> None:
    who = site.person(f"zone{abs(hash(zone))}", "low")
    with pytest.raises(Invalid):
        site.records.update("user", who.user_id or "", {"zone": zone})
    users = site.call.tables.of(site.call.model.objects["user"])  # as it may stand from before
    with site.call.tenant.store.write() as writer:
        writer.execute(
            sa.update(users.main).where(users.id == who.user_id).values({users.column("zone"): zone})
        )
    assert who.get("/o/deal").status_code == 200
    assert who.get("/settings").status_code == 200


def test_a_preview_of_wider_rights_shows_no_more(site: PageSite, boss: Visitor) -> None:
    designer = site.person("planner", "planner", language="en")
    assert designer.user_id
    mine = made(site, "account", designer, name="Planner's", secret="hushhush")
    made(site, "account", boss, name="Boss's", secret="hushhush")
    model = site.call.model
    own = next(each for each in model.permission_sets.values() if each.name == "planner")
    body = {"system": ["customise"], "objects": {"*": ["read", "view_all"]}, "fields": {"*": {"*": "read"}}}
    document = {
        "kind": "permission_set",
        "uid": own.uid,
        "name": "planner",
        "label": {"en": "Planner"},
        **body,
    }
    site.draft(designer.user_id, document)
    for place in ("/", "/o/account", f"/o/account/{mine}", "/o/deal", "/o/permission_assignment"):
        answer = designer.get(f"{place}?preview=draft")
        assert answer.status_code < 500, (place, readable(answer)[:300])
        assert "hushhush" not in answer.text and "Boss's" not in readable(answer), place
    designer.get("/?preview=off")


# ---- two tenants --------------------------------------------------------


def test_nothing_of_one_tenant_opens_anything_of_another(site: PageSite, boss: Visitor) -> None:
    other = create_tenant(site.site, "other", "Other")
    add_person(
        site.site, other, name="Eve", address="eve@example.com", password=PASSWORD, sets=["administrator"]
    )
    eve = site.stranger()
    eve.get("/sign-in")
    assert (
        eve.post("/sign-in", {"address": "eve@example.com", "password": PASSWORD, "next": "/"}).status_code
        == 303
    )
    id = made(site, "account", boss, name="Ours")
    assert eve.get(f"/o/account/{id}").status_code == 404
    assert eve.get(f"/o/user/{boss.user_id}").status_code == 404
    assert eve.get(f"/o/user/{boss.user_id}/edit").status_code == 404
    assert "Ours" not in readable(eve.get("/search?q=Ours")).replace("Ours” ", "")
    token = site.site.tokens.create(
        other.id, UUID(str(boss.user_id)), "crossed"
    )  # a user of one with a tenant of the other
    crossed = site.app.test_client().get("/api/v1/objects", headers={"Authorization": f"Bearer {token}"})
    assert crossed.status_code == 401
    for number in range(60):
        made(site, "deal", boss, name=f"n{number:02d}")
    page = boss.get("/o/deal?order=name")
    cursor = re.search(r"cursor=([^&\"]+)", page.text)
    assert cursor
    assert eve.get(f"/o/user?cursor={cursor[1]}").status_code == 400


# ---- values from end to end --------------------------------------------------------


def test_values_are_the_same_on_every_way(site: PageSite, low: Visitor) -> None:
    low.get("/o/deal/new")
    note = "多" * 9000 + "😀‏שלום‎\n second"
    typed = {
        "name": "值 😀",
        "big": "123456789012.123456",
        "amount": "0.005",
        "chance": "12.3456",
        "day": "2024-02-29",
        "at": "2024-03-10T02:30",
        "sure": "true",
        "many": "999999999999999999",
        "note": note,
    }
    answer = low.post("/o/deal/new", {**low.form(), **typed})
    assert answer.status_code == 303, readable(answer)[:600]
    id = answer.headers["Location"].rpartition("/")[2]
    token = site.site.tokens.create(site.location.id, UUID(str(low.user_id)), "values")
    head = {"Authorization": f"Bearer {token}"}
    raw = site.app.test_client().get(f"/api/v1/objects/deal/records/{UUID(id).hex}", headers=head).text
    for said in (
        '"big":123456789012.123456',
        '"amount":0.01',
        '"chance":12.3456',
        '"day":"2024-02-29"',
        '"at":"2024-03-09T18:30:00Z"',
        '"sure":true',
        '"many":999999999999999999',
    ):
        assert said in raw, (said, raw[:600])
    page = readable(low.get(f"/o/deal/{id}"))
    assert "2024-02-29" in page and "2024-03-10 02:30" in page and "123,456,789,012.123456" in page, page[
        :1500
    ]
    low.get(f"/o/deal/{id}/edit")
    form = low.form()
    assert {name: form[name] for name in typed if name not in ("sure", "note", "amount")} == {
        name: value for name, value in typed.items() if name not in ("sure", "note", "amount")
    }
    assert form["note"].replace("\r\n", "\n") == note
    again = low.post(f"/o/deal/{id}/edit", form)
    assert again.status_code == 303 and '"revision":1' in raw
    after = site.app.test_client().get(f"/api/v1/objects/deal/records/{UUID(id).hex}", headers=head).text
    assert after == raw  # a form sent back as it came changes nothing


def test_blank_and_zero_and_order_are_the_same_on_both_databases(site: PageSite, low: Visitor) -> None:
    token = site.site.tokens.create(site.location.id, UUID(str(low.user_id)), "order")
    head = {"Authorization": f"Bearer {token}"}
    client = site.app.test_client()
    names = ["äb", "Ab", "ab", "张", "zhang", "李", "Z", "_", "1", "10", "2", "😀", "ＡＢ", "éa", "-x"]
    rows = [
        {"name": "S" + name, "big": big, "many": None}
        for name, big in zip(names, ["0", None, "-1.5"] * 5, strict=True)
    ]
    bulk = client.post(
        "/api/v1/objects/deal/records/bulk", json={"action": "create", "records": rows}, headers=head
    )
    assert bulk.json is not None and bulk.json["failed"] == 0, bulk.text

    def listed(**query: str) -> list[Any]:
        answer = client.get(
            "/api/v1/objects/deal/records", query_string={"limit": "100", **query}, headers=head
        )
        assert answer.status_code == 200, answer.text
        return [each["name"][1:] for each in (answer.json or {})["records"]]

    where = 'BEGINS(name, "S")'
    assert listed(where=where, order="name") == ORDERED
    assert len(listed(where=where + " && ISBLANK(big)")) == 5
    assert len(listed(where=where + " && big = 0")) == 5
