"""Two people talk on a record, by keyboard, without loading it again."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, Page, expect

from browsing import answering, barriers, sign_in
from pagesite import make_pages

pytestmark = pytest.mark.browser


def test_two_people_talk_on_a_record(page: Page) -> None:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish({"deal": {"name": "text(120) required sortable searchable"}})
        for name in ("陈思远", "林晓彤"):
            made.person(name, "administrator", language="zh")
        at = f"/o/deal/{made.records.create('deal', {'name': '五轴加工产线'}).id}"
        with answering(made.app) as base:
            asked: list[Dialog] = []
            page.on("dialog", lambda dialog: asked.append(dialog))
            sign_in(page, base, "陈思远")
            page.goto(base + at)
            browser = page.context.browser
            assert browser is not None
            other = browser.new_context().new_page()
            sign_in(other, base, "林晓彤")
            other.goto(base + at)

            # A mention by initials, chosen with the keyboard; a hostile text is a text.
            page.locator("#comment-body").focus()
            page.keyboard.type("<img src=x onerror=alert(1)> 请 @lxt")
            expect(page.get_by_role("option", name="林晓彤")).to_have_attribute("aria-selected", "true")
            assert barriers(page) == []
            page.keyboard.press("Enter")
            page.keyboard.type("看一下")
            page.keyboard.press("Control+Enter")
            mine = page.locator("[data-thread]").first
            expect(mine.locator(".tw-mention")).to_have_text("@林晓彤")
            expect(mine).to_contain_text("<img src=x onerror=alert(1)>")
            expect(page.locator("#comment-body")).to_have_value("")

            # The other person sees it where they are, and answers.
            other.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            expect(other.locator("[data-thread] .tw-mention")).to_have_class("tw-mention is-me")
            expect(other.locator("[data-said]")).to_have_text("陈思远 写了评论")
            other.locator("[data-reply]").first.press("Enter")
            other.keyboard.type("写到一半")
            with other.expect_response("**/comments/draft"):
                pass
            other.reload()
            expect(other.locator(".tw-creplyform textarea")).to_have_value("写到一半")
            assert barriers(other) == []
            other.locator(".tw-creplyform textarea").press("Control+Enter")
            expect(other.locator(".tw-creply")).to_contain_text("写到一半")

            # What one wrote is edited and deleted in its place.
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
            expect(page.locator(".tw-creply")).to_contain_text("写到一半")
            page.locator("[data-inplace=edit]").first.press("Enter")
            expect(page.locator("[data-comment-form] textarea")).to_be_focused()
            page.keyboard.type("。")
            page.keyboard.press("Control+Enter")
            expect(page.locator(".tw-cedited").first).to_be_visible()
            page.locator("[data-inplace=delete]").first.press("Enter")
            page.locator(".tw-cconfirm button[type=submit]").press("Enter")
            expect(page.locator(".tw-cgone")).to_be_visible()
            expect(page.locator(".tw-creply")).to_contain_text("写到一半")
            assert asked == []
            other.context.close()


def test_comments_are_read_and_written_in_the_panel_beside_a_list(page: Page) -> None:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish({"deal": {"name": "text(120) required sortable searchable"}})
        writer = made.person("林晓彤", "administrator", language="zh")
        made.person("陈思远", "administrator", language="zh")
        first, second = (made.records.create("deal", {"name": name}).id for name in ("甲线", "乙线"))
        writer.get(f"/o/deal/{first}")
        assert writer.post(f"/o/deal/{first}/comments", {"body": "客户下周来看样机"}).status_code == 303
        with answering(made.app) as base:
            sign_in(page, base, "陈思远")
            page.goto(base + "/o/deal?order=name")
            names = page.locator(".is-name > a")
            expect(names).to_have_text(["甲线", "乙线"])
            names.first.focus()
            page.keyboard.press(" ")
            panel = page.locator("#peek")
            expect(panel.locator("[data-thread]")).to_contain_text("客户下周来看样机")
            assert barriers(page) == []

            # An answer in the panel; a text that is only begun waits for the next time.
            panel.locator("[data-reply]").first.press("Enter")
            page.keyboard.type("我去接")
            page.keyboard.press("Control+Enter")
            expect(panel.locator(".tw-creply")).to_contain_text("我去接")
            panel.locator("[data-composer] textarea").first.focus()
            page.keyboard.type("写到一半")
            with page.expect_response("**/comments/draft"):
                panel.locator("[data-peek-next]").click()
            expect(page.locator("[data-peek-name]")).to_have_text("乙线")
            expect(panel.locator("[data-composer] textarea").first).to_have_value("")
            page.keyboard.press("k")
            expect(page.locator("[data-peek-name]")).to_have_text("甲线")
            expect(panel.locator("[data-composer] textarea").first).to_have_value("写到一半")
            panel.locator("[data-composer] textarea").first.press("Control+Enter")
            expect(panel.locator("[data-thread]")).to_have_count(2)
            assert "peek=" in page.url

            # What was said leads back to its record.
            page.keyboard.press("Escape")
            page.locator("h1").click()
            page.keyboard.press("Control+k")
            page.keyboard.type("样机")
            found = page.locator('#palette-list [role="option"]', has_text="甲线")
            expect(found.locator("mark")).to_have_text("样机")
            page.keyboard.press("Enter")
            page.wait_for_url(f"**/o/deal/{first}")
            expect(page.locator("[data-thread]").first).to_contain_text("写到一半")
            assert "写到一半" not in writer.get(f"/o/deal/{second}").text
