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
