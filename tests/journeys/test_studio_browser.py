"""Studio in a real browser: a field without a mouse, rules, plans, every page (see test_vehicle_browser)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

import models
from browsing import answering, barriers, window
from pagesite import PageSite, make_pages

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won,lost)",
        "close_date": "date",
    },
}
EXTRA: list[dict[str, Any]] = [
    {
        "kind": "validation_rule",
        "name": "deal.paid",
        "label": {"zh": "赢单要有金额", "en": "A won deal has an amount"},
        "condition": 'ISPICKVAL(stage, "won") && ISBLANK(amount)',
        "message": {"zh": "请填写金额", "en": "Enter the amount"},
        "field": "amount",
    },
    {
        "kind": "picklist",
        "name": "region",
        "label": {"zh": "区域", "en": "Region"},
        "values": [
            {"code": "east", "label": {"zh": "华东", "en": "East"}, "colour": "green"},
            {"code": "north"},
        ],
    },
    {
        "kind": "layout",
        "name": "deal.standard",
        "label": {"zh": "标准", "en": "Standard"},
        "sections": [{"fields": ["name", "account", "amount", "stage", "close_date"]}],
    },
    {
        "kind": "list_view",
        "name": "deal.all",
        "label": {"zh": "全部", "en": "All"},
        "columns": ["name", "stage"],
    },
    {"kind": "app", "name": "sales", "label": {"zh": "销售", "en": "Sales"}, "tabs": ["deal"]},
    {"kind": "tab", "name": "deal", "label": {"zh": "商机", "en": "Deals"}, "object": "deal"},
]
PEOPLE = (
    ("管理员", "administrator", "zh"),
    ("Admin", "administrator", "en"),
)


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, EXTRA)
        for name, rights, language in PEOPLE:
            made.person(name, rights, language=language)
        account = made.records.create("account", {"name": "苏州恒锐"})
        for number in range(3):
            values = {"name": f"D{number}", "account": str(account.id), "stage": "open", "amount": "12"}
            made.records.create("deal", values)
        with answering(made.app) as base:
            yield made, base


def test_a_field_is_made_without_a_mouse(site: tuple[PageSite, str], chrome: Browser) -> None:
    made, base = site
    context, page, said = window(chrome, base, "管理员")
    page.goto(base + "/studio/objects/deal")
    page.keyboard.press("c")  # the page's own "new"
    expect(page.get_by_label("标签, 中文", exact=True)).to_be_focused()
    page.keyboard.type("车型")
    expect(page.locator("[data-name-shown]")).to_have_text("che_xing")
    for _ in range(10):  # to the types: a radio group is one stop
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "/type":
            break
    page.keyboard.press("Space")
    chosen = page.evaluate("document.activeElement.value")
    while chosen != "picklist":
        page.keyboard.press("ArrowDown")
        following = page.evaluate("document.activeElement.value")
        assert following != "text", "the picker has been gone round"
        chosen = following
    options = page.locator("[data-part=options]")
    expect(options.locator("tbody tr")).to_have_count(1)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "/options/values/0/label/zh":
            break
    page.keyboard.type("轿车")
    expect(options.locator("tbody tr")).to_have_count(2)
    _tab_to(page, "/options/values/1/label/zh")
    page.keyboard.type("卡车")
    expect(options.locator("tbody tr")).to_have_count(3)
    page.keyboard.press("Alt+ArrowUp")
    assert options.locator("tbody input[lang=zh-CN]").evaluate_all("all => all.map(one => one.value)") == [
        "卡车",
        "轿车",
        "",
    ]
    expect(page.locator("[data-part=preview] option", has_text="卡车")).to_be_attached()
    page.keyboard.press("Control+s")
    expect(page.get_by_role("status").filter(has_text="车型")).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("chexing")
    page.keyboard.press("Enter")
    page.wait_for_url("**/studio/search?q=chexing")
    _tab_to_link(page, "/studio/c/field/deal.che_xing")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="车型")).to_be_visible()
    codes = page.locator("tbody input[name$='/code']").evaluate_all("all => all.map(one => one.value)")
    assert codes == ["ka_che", "jiao_che", ""]
    assert said == []
    context.close()


def _tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == name:
            return
    raise AssertionError(f"Tab does not lead to {name}")


def _tab_to_link(page: Page, href: str) -> None:
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.getAttribute('href')") == href:
            return
    raise AssertionError(f"Tab does not lead to {href}")


def test_a_rule_is_written_checked_and_tried(site: tuple[PageSite, str], chrome: Browser) -> None:
    _, base = site
    context, page, said = window(chrome, base, "Admin")
    page.goto(base + "/studio/new/validation_rule?object=deal")
    expect(page.locator(".cm-content")).to_be_visible()
    condition = page.get_by_role("textbox", name="Condition")
    condition.fill("amout > 10")
    expect(page.locator("[data-check] mark")).to_have_text("amout")
    condition.fill("amount > 10")
    expect(page.locator("[data-check]")).to_contain_text("Right")
    page.get_by_label("Message, English").fill("Too much")
    page.get_by_role("button", name="Try", exact=True).click()
    expect(page.locator("[data-tried] li").first).to_contain_text("Too much")
    field = page.get_by_role("combobox", name="Field", exact=True)
    if field.evaluate("each => each.tagName") == "INPUT":
        field.fill("amou")
        page.get_by_role("option", name="Amount").click()
        expect(field).to_have_value("Amount")
    page.get_by_role("button", name="Save to draft").click()
    expect(page.get_by_role("status").filter(has_text="Added to the draft")).to_be_visible()
    assert said == []
    context.close()


def test_a_plan_with_a_loss_waits_for_a_yes(site: tuple[PageSite, str], chrome: Browser) -> None:
    made, base = site
    context, page, said = window(chrome, base, "Admin")
    page.goto(base + "/studio/c/field/deal.amount")
    page.locator("select[name='/type']").select_option("picklist")
    expect(page.locator("[data-list='/options/values']")).to_be_visible()
    page.locator("tbody tr").nth(0).get_by_placeholder("English").fill("Much")
    page.get_by_role("button", name="Save to draft").click()
    page.goto(base + "/studio/plan")
    publish = page.get_by_role("button", name="Publish r")
    if page.locator("[data-ack]").count():
        expect(publish).to_have_attribute("aria-disabled", "true")
        publish.click(force=True)
        expect(page).to_have_url(base + "/studio/plan")
        for box in page.locator("[data-ack]").all():
            box.check()
        expect(publish).to_have_attribute("aria-disabled", "false")
    page.goto(base + "/studio/discard")
    page.get_by_role("button", name="Discard all changes").click()
    expect(page.locator(".tw-pubbar").get_by_text("changes")).to_have_count(0)
    assert said == []
    context.close()


PAGES = {
    "home": "/studio",
    "objects": "/studio/objects",
    "object": "/studio/objects/deal",
    "rules of an object": "/studio/objects/deal?part=validation_rule",
    "nothing of an object": "/studio/objects/deal?part=record_type",
    "new object": "/studio/objects/new",
    "new field": "/studio/objects/deal/new-field?type=picklist",
    "a field": "/studio/c/field/deal.stage",
    "a rule": "/studio/c/validation_rule/deal.paid",
    "object settings": "/studio/c/object/deal",
    "a picklist": "/studio/c/picklist/region",
    "a list view": "/studio/c/list_view/deal.all",
    "a permission set": "/studio/c/permission_set/standard_user",
    "an app": "/studio/c/app/sales",
    "a tab": "/studio/c/tab/deal",
    "a new record type": "/studio/new/record_type?object=deal",
    "a new unique rule": "/studio/new/unique_rule?object=deal",
    "kinds": "/studio/kinds/picklist",
    "delete": "/studio/c/field/deal.amount/delete",
    "rename": "/studio/c/field/deal.amount/rename",
    "replace": "/studio/replace/field/deal.stage",
    "plan": "/studio/plan",
    "discard": "/studio/discard",
    "releases": "/studio/releases",
    "diff": "/studio/releases/diff?a=1&b=2",
    "restore": "/studio/releases/1/restore",
    "search": "/studio/search?q=d",
    "translations": "/studio/translations?missing=zh",
    "trash": "/studio/trash",
    "packages": "/studio/packages",
}


@pytest.mark.parametrize(("name", "scheme"), [("管理员", "light"), ("Admin", "dark")])
def test_no_page_of_studio_has_barriers_or_scrolls_sideways(
    site: tuple[PageSite, str], chrome: Browser, name: str, scheme: str
) -> None:
    made, base = site
    context, page, said = window(chrome, base, name, color_scheme=scheme)
    page.goto(base + "/studio/c/field/deal.close_date")  # something in the draft: the bar, a plan
    page.locator("input[name='/label/zh']").fill("签约日")
    page.locator("input[name='/required']").check()
    page.locator("[data-save]").click()
    found = []
    # Both runs together look at every page in both sizes; each alone at its width in both.
    for n, (what, address) in enumerate(PAGES.items(), scheme == "dark"):
        sizes = ((1440, 900), (390, 844))
        for width, height in (sizes[n % 2], sizes[1 - n % 2]):
            page.set_viewport_size({"width": width, "height": height})
            if (width, height) == sizes[n % 2]:
                answer = page.goto(base + address)
                assert answer is not None and answer.status == 200, what
                found += [f"{what} at {width}: {each}" for each in barriers(page)]
            wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            found += [f"{what} at {width}: {wide} px too wide"] if wide > 0 else []
    assert found == [] and said == []
    context.close()
