"""Studio as a whole over HTTP: who may, what hostile words do, what is found, what no page sends."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import models
from pagesite import PageSite, make_pages, readable
from studios import HOSTILE, OBJECTS, draft_of, make_field, me, release, studio_site

LOOKS = [
    "/studio",
    "/studio/objects",
    "/studio/objects/deal",
    "/studio/c/field/deal.amount",
    "/studio/kinds/layout",
    "/studio/plan",
    "/studio/releases",
    "/studio/search?q=deal",
    "/studio/translations",
    "/studio/packages",
    "/studio/trash",
    "/studio/releases/diff?a=1&b=2",
]
CHANGES = [
    "/studio/objects/new",
    "/studio/objects/deal/new-field",
    "/studio/new/tab",
    "/studio/c/field/deal.amount/delete",
    "/studio/c/field/deal.amount/rename",
    "/studio/discard",
    "/studio/releases/1/restore",
    "/studio/replace/field/deal.stage",
]
POSTS = [
    *CHANGES,
    "/studio/c/field/deal.amount",
    "/studio/publish",
    "/studio/revert",
    "/studio/settle",
    "/studio/trash",
    "/studio/translations",
]


@pytest.fixture
def site() -> Iterator[PageSite]:
    with studio_site("sqlite") as made:
        yield made


def test_who_may_not_customise_gets_a_clear_refusal(site: PageSite) -> None:
    worker, looker = site.person("员工", "standard_user"), site.person("查看者", "looker")
    for address in (*LOOKS, *CHANGES):
        answer = worker.get(address)
        assert answer.status_code == 403 and "“查看设置”或“定制”" in readable(answer), address
    assert 'href="/studio"' not in worker.get("/").text
    for address in LOOKS:
        assert looker.get(address).status_code == 200, address
        assert "new-field" not in looker.last and 'href="/studio/plan"' not in looker.last
    for address in CHANGES:
        answer = looker.get(address)
        assert answer.status_code == 403 and "“定制”" in readable(answer), address
    before = release(site)
    for address in POSTS:
        looker.get("/studio/objects")
        looker.last = looker.get("/settings").text  # a page with a token
        assert looker.post(address, {"/label/zh": "x"}).status_code == 403, address
    assert release(site) == before and draft_of(site, looker).is_empty


def test_studio_needs_a_session_and_a_token(site: PageSite) -> None:
    admin = site.person("管理员", "administrator")
    assert site.stranger().get("/studio").status_code == 303, "to the door"
    admin.last = ""
    assert admin.post("/studio/publish", {}).status_code == 403


def test_hostile_words_show_as_they_were_typed(site: PageSite) -> None:
    admin = site.person("管理员", "administrator", language="en")
    admin.get("/studio/objects/new")
    data = {"/label/zh": HOSTILE, "/label/en": HOSTILE, "local": "odd", "naming": "text"}
    assert admin.post("/studio/objects/new", data).status_code == 303
    make_field(
        admin,
        "odd",
        "picklist",
        HOSTILE,
        **{"/options:either": "values", "/options/values/0/label/zh": HOSTILE, "/options/values/0/code": "a"},
    )
    (field,) = [
        each.name for each in draft_of(site, admin).tree.parts_of_object("odd") if each.name != "odd.name"
    ]
    rule = {
        "kind": "validation_rule",
        "name": "odd.r",
        "label": {"en": HOSTILE},
        "condition": f'name = "{"<img src=x>"}"',
        "message": {"en": HOSTILE},
    }
    site.draft(me(admin), rule)
    pages = [
        "/studio",
        "/studio/objects",
        "/studio/objects/odd",
        f"/studio/c/field/{field}",
        "/studio/c/object/odd",
        "/studio/plan",
        "/studio/discard",
        "/studio/search?q=img",
        "/studio/translations",
        "/studio/kinds/tab",
        "/studio/kinds/validation_rule",
        "/studio/c/validation_rule/odd.r",
        f"/studio/c/field/{field}/delete",
        f"/studio/c/field/{field}/rename",
        "/studio/objects/odd/new-field?type=lookup",
        "/studio/packages",
    ]
    for address in pages:
        page = admin.get(address)
        assert page.status_code == 200, address
        assert "<img" not in page.text and "49" not in readable(page).replace("2049", ""), address
    assert HOSTILE in readable(admin.get("/studio/objects/odd"))


@pytest.mark.parametrize(
    "address",
    [
        "/studio/c/nothing/x",
        "/studio/new/nothing",
        "/studio/kinds/nothing",
        "/studio/objects/nothing",
        "/studio/c/field/deal.nothing",
        "/studio/objects/nothing/new-field",
        "/studio/new/layout?object=nothing",
        "/studio/replace/tab/x",
        "/studio/name?kind=nothing",
        "/studio/releases/diff?a=x&b=1",
        "/studio/c/field/%00",
        "/studio/replace-job/00000000000000000000000000000000",
    ],
)
def test_addresses_of_nothing_say_so(site: PageSite, address: str) -> None:
    admin = site.person("管理员", "administrator")
    assert admin.get(address).status_code == 404


@pytest.mark.parametrize(
    "form",
    [
        {},
        {"/type": "nothing"},
        {"/type": "lookup", "/label/zh": "x"},
        {"/options/values/99999999/code": "x"},
        {"/label/zh": "\x00"},
    ],
)
def test_forms_that_no_page_sends_are_refused(site: PageSite, form: dict[str, Any]) -> None:
    admin = site.person("管理员", "administrator")
    admin.get("/studio/objects/deal/new-field")
    assert admin.post("/studio/objects/deal/new-field", form).status_code == 422
    admin.get("/studio/c/field/deal.stage")
    assert admin.post("/studio/c/field/deal.stage", form).status_code == 422
    assert draft_of(site, admin).is_empty


@pytest.mark.parametrize(
    ("q", "href"),
    [
        ("amount", "/studio/c/field/deal.amount"),
        ("ptyh", "/studio/c/permission_set/standard_user"),
        ("putong", "/studio/c/permission_set/standard_user"),
        ("权限集", "/studio/kinds/permission_set"),
        ("fanyi", "/studio/translations"),
        ("validation", "/studio/kinds/validation_rule"),
        ("deal stage", "/studio/c/field/deal.stage"),
    ],
)
def test_settings_are_found_by_words_names_kinds_and_pinyin(site: PageSite, q: str, href: str) -> None:
    admin = site.person("管理员", "administrator")
    page = admin.get(f"/studio/search?q={q}")
    assert f'class="tw-hit" href="{href}"' in page.text


def test_the_checklist_is_computed_from_the_state() -> None:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as fresh:
        admin = fresh.person("管理员", "administrator", language="en")
        assert "0 / 6" in readable(admin.get("/studio")) and "Make the first object" in admin.get("/").text
        admin.get("/studio/objects/new")
        admin.post("/studio/objects/new", {"/label/en": "Car", "naming": "text"})
        assert "1 / 6" in readable(admin.get("/studio"))
        admin.get("/studio/plan")
        admin.post("/studio/publish", {})
        fresh.records.create("car", {"name": "A"})
        assert (
            "3 / 6" in readable(admin.get("/studio")) and "Make the first object" not in admin.get("/").text
        )
        fresh.person("员工", "standard_user")
        assert "5 / 6" in readable(admin.get("/studio"))


def test_the_import_that_is_offered_is_of_the_newest_or_the_last_used_object() -> None:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as fresh:
        fresh.publish(OBJECTS)
        newest = max(OBJECTS, key=lambda name: models.uid_of("object", name))
        last = next(name for name in OBJECTS if name != newest)
        admin = fresh.person("管理员", "administrator", language="en")
        assert f'href="/o/{newest}/import"' in admin.get("/studio").text
        admin.get(f"/o/{last}/import")
        token = re.search(r'name="_csrf" value="([^"]+)"', admin.last)
        file = (io.BytesIO(b"name\nA\n"), "deals.csv")
        given = {"_csrf": token[1] if token else "", "file": file}
        answer = admin.client.post(f"/o/{last}/import", data=given, headers={"Accept": "text/html"})
        assert answer.status_code == 303, readable(answer.text)
        assert f'href="/o/{last}/import"' in admin.get("/studio").text
