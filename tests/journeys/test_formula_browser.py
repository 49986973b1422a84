"""A commission in four tiers, built in Studio with the formula editor, by mouse and keys; zh and en.

Issue 4, line 7: the formula goes through ``account.owner.level``, is tried on a record, and a mistyped name
is led back by the squiggle's quick fix. Published, the field of the record says why its value is so.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import models
from browsing import answering, barriers, window
from pagesite import PageSite, make_pages
from tabwright.platform.language import Language, say

pytestmark = pytest.mark.browser

OBJECTS: models.Compact = {
    "account": {"name": "text(120) required sortable searchable"},
    "deal": {
        "name": "text(120) required",
        "account": "lookup(account)",
        "amount": "currency(16,2)",
        "stage": "picklist(open,won)",
    },
}
VIEWS: list[dict[str, Any]] = [
    {"kind": "list_view", "name": "deal.all", "label": {"zh": "全部", "en": "All"}, "columns": ["name"]},
    {
        "kind": "layout",
        "name": "deal.standard",
        "label": {"zh": "标准", "en": "Standard"},
        "sections": [{"fields": ["name", "account", "amount"]}],
    },
]
TIERS = (
    "IF(amount >= 1000000, amount * 0.08, IF(amount >= 500000, amount * 0.05, "
    "IF(amount >= 100000, amount * 0.03, amount * 0.01)))"
)


@dataclass(frozen=True)
class Story:
    """What people call things in one run."""

    language: Language
    admin: str
    level: str
    commission: str
    name: str  # of the field, as typed

    def said(self, code: str, **params: str | int) -> str:
        """The product's own words in this language."""
        return say(code, params, self.language)


ZH = Story("zh", "赵管理", "级别", "提成", "commission_zh")
EN = Story("en", "Ada", "Level", "Commission", "commission_en")


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[PageSite, str]]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish(OBJECTS, VIEWS)
        for story in (ZH, EN):
            made.person(story.admin, "administrator", language=story.language)
        with answering(made.app) as base:
            yield made, base


def editor(page: Page, within: str) -> Locator:
    """The code of a formula's editor."""
    code = page.locator(f'[data-pointer="{within}"] .cm-content')
    expect(code).to_be_visible()
    return code


def publish(page: Page, base: str) -> None:
    """What stands in the draft."""
    page.goto(base + "/studio/plan")
    for box in page.locator("[data-ack]").all():
        box.check()
    page.locator("[data-publish]").click()
    page.wait_for_url(re.compile("/studio(?!/plan)"))


def add_level(page: Page, base: str, story: Story) -> None:
    """A number on the user, if nobody has added it; published."""
    page.goto(base + "/studio/objects/user/new-field?type=decimal")
    page.locator(f"[name='/label/{story.language}']").fill(story.level)
    page.locator(".st-name > summary").click()
    page.locator("[name=local]").fill("level")
    page.locator("[form=field-form][value=save]").click()
    publish(page, base)


@pytest.mark.parametrize("story", [ZH, EN], ids=["zh", "en"])
def test_a_commission_in_four_tiers(site: tuple[PageSite, str], chrome: Browser, story: Story) -> None:
    made, base = site
    context, page, said = window(chrome, base, story.admin)
    if "level" not in made.call.model.objects["user"].fields:
        add_level(page, base, story)
    seller = made.person(f"seller-{story.language}", "administrator")
    assert seller.user_id is not None
    made.records.update("user", seller.user_id, {"level": "1.5"})
    account = made.records.create("account", {"name": "Nordwind", "owner": str(seller.user_id)})
    deal = f"deal {story.language}"
    record = made.records.create("deal", {"name": deal, "amount": "600000", "account": str(account.id)})

    page.goto(base + "/studio/objects/deal/new-field?type=formula")
    page.locator(f"[name='/label/{story.language}']").fill(story.commission)
    page.locator(".st-name > summary").click()
    page.locator("[name=local]").fill(story.name)
    page.locator("[name='/options/returns']").select_option("currency")
    expect(page.locator("[name='/options/currency']")).to_be_visible()
    page.wait_for_load_state("networkidle")  # the form has what it asked for
    code = editor(page, "/options/formula")
    box = page.locator('[data-pointer="/options/formula"]')

    # Typed with a slip; the squiggle stands at it, and its quick fix leads back.
    code.click()
    page.keyboard.insert_text(TIERS.replace("amount * 0.03", "amuont * 0.03"))
    squiggle = code.locator(".cm-lintRange-error")
    expect(squiggle).to_have_text("amuont")
    expect(box.locator("[data-check]")).to_contain_text("amuont")
    squiggle.hover()
    fix = page.locator(".cm-diagnosticAction")
    expect(fix).to_have_text(story.said("studio.check.put", name="amount"))
    fix.click()
    expect(squiggle).to_have_count(0)
    right = story.said("studio.check.ok", type=story.said("type.number"))
    expect(box.locator("[data-check]")).to_contain_text(right)

    # On through two lookups, completed by label and by name.
    page.keyboard.press("Control+End")
    page.keyboard.type(" * account.ow")
    options = page.locator(".cm-tooltip-autocomplete [role=option]")
    expect(options.first).to_contain_text("owner")
    page.keyboard.press("Tab")
    page.keyboard.type(".")
    expect(options.first).to_be_visible()
    page.keyboard.insert_text(story.level)  # by its label
    expect(options).to_have_count(1)
    expect(options).to_contain_text("level")
    page.keyboard.press("Tab")
    expect(code).to_contain_text("* account.owner.level")
    expect(box.locator("[data-check]")).to_contain_text(right)

    # Laid out in lines, and tried on a record: every step has its value.
    box.locator("[data-fx-tidy]").click()
    expect(code.locator(".cm-line")).not_to_have_count(1)
    box.locator("[data-fx-try]").click()
    box.locator("[data-fx-find]").fill(deal)
    expect(box.locator("[data-record]")).to_have_text([deal])
    expect(box.locator("[data-result]")).to_have_text("45,000")
    steps = box.locator(".tw-whystep")
    expect(steps.filter(has_text="account.owner.level").last).to_contain_text("1.5")
    assert story.said("pages.why.skipped") in box.inner_text()
    assert barriers(page) == []

    page.locator("[form=field-form][value=save]").click()
    page.wait_for_url(re.compile("/studio/objects/deal$"))
    publish(page, base)

    # On the record the value says why it is so.
    page.goto(f"{base}/o/deal/{record.id}")
    row = page.locator(".tw-field", has_text=story.commission)
    expect(row).to_contain_text("45,000.00")
    row.locator("[data-why]").click()
    why = page.get_by_role("dialog")
    expect(why).to_contain_text("amount >= 500000")
    expect(why.locator(".tw-whystep").filter(has_text="account.owner.level").last).to_contain_text("1.5")
    assert barriers(page) == []
    assert said == []
    context.close()


def test_conditions_of_views_and_layouts_have_the_editor_too(
    site: tuple[PageSite, str], chrome: Browser
) -> None:
    """Those editors redraw themselves, so the formula's opens by itself and leaves what it made behind."""
    _, base = site
    context, page, said = window(chrome, base, EN.admin, viewport={"width": 390, "height": 844})
    page.goto(base + "/studio/views/deal.all")
    page.locator("#where").fill("amount > 1")
    page.locator("[data-fx-open]").first.click()
    dialog = page.get_by_role("dialog")
    code = dialog.locator(".cm-content")
    expect(code).to_have_text("amount > 1")
    code.fill("amuont > 10")
    expect(code.locator(".cm-lintRange-error")).to_have_text("amuont")
    code.press("Control+.")
    expect(code).to_have_text("amount > 10")
    assert barriers(page) == []
    dialog.locator("[data-fx-apply]").click()
    expect(page.locator("#where")).to_have_value("amount > 10")

    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(base + "/studio/layouts/deal.standard")
    page.locator('[data-focus="field:amount"]').click()
    page.locator('[data-focus="formula"]').click()
    dialog.locator(".cm-content").fill('account.name = "x"')
    dialog.locator("[data-fx-rows]").click()  # the same in rows, and back
    dialog.locator("[data-value]").fill("Nordwind")
    dialog.locator("[data-apply]").click()
    expect(dialog.locator(".cm-content")).to_have_text('account.name = "Nordwind"')
    dialog.locator("[data-fx-apply]").click()
    expect(page.locator('[data-focus="visible"]')).to_have_value('account.name = "Nordwind"')

    # A row that comes below another has an editor of its own; one that goes leaves nothing behind.
    page.goto(base + "/studio/c/field/deal.stage")
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    rows = page.locator("[data-list='/options/offered_when'] [data-row]")
    rows.first.locator(".cm-content").fill("amount > 1")
    expect(rows).to_have_count(2)
    rows.nth(1).locator(".cm-content").fill("amount > 2")
    expect(rows.nth(1).locator("textarea")).to_have_value("amount > 2")
    expect(rows.nth(0).locator("textarea")).to_have_value("amount > 1")
    rows.nth(0).locator("[data-move='0']").click()
    page.locator("[name='/label/en']").fill("Phase")
    page.locator("[name='/label/en']").press("Tab")
    assert said == []
    context.close()
