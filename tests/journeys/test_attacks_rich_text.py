"""Hostile HTML in rich text is harmless: what is stored, what pages show, and what stood before the field was
rich.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pagesite import PageSite, make_pages
from tabwright.runtime import richtext

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    '<a href="javascript:alert(1)">x</a>',
    '<a href=" java\tscript:alert(1)">x</a>',
    '<a href="data:text/html,<script>alert(1)</script>">x</a>',
    '<p style="background:url(javascript:alert(1))" onclick=alert(1)>x</p>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
    "<iframe srcdoc='<script>alert(1)</script>'></iframe><object data=x></object><embed src=x>",
    "<form action=https://evil.example><input name=csrf><button>go</button></form>",
    "<base href=https://evil.example><meta http-equiv=refresh content=0><link rel=stylesheet href=x>",
    "<b id=f-name name=getElementById class=tw-toast data-focus>x</b>",
    "<p><b>never closed",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
)
_allowed = re.compile(
    r"</?(?:p|br|b|strong|i|em|u|s|h2|h3|ul|ol|li|blockquote|pre|code|hr)>"
    r'|<a(?: href="(?:https?:|mailto:|tel:)[^"<>]*")? rel="noopener noreferrer nofollow">|</a>'
)


def is_harmless(html: str) -> bool:
    """Nothing but the tags of the list, without attributes but a link's, and text."""
    return "<" not in _allowed.sub("", html)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_runs_is_kept(text: str) -> None:
    found = richtext.clean(text)
    assert is_harmless(found), found
    assert richtext.clean(found) == found


@given(st.text(st.sampled_from("<>/\"'=&;! abipsrctnol:-#x"), max_size=60))
def test_cleaning_is_harmless_and_cleans_once(text: str) -> None:
    found = richtext.clean(text)
    assert is_harmless(found)
    assert richtext.clean(found) == found
    assert "<script" not in richtext.shown(text)


@pytest.fixture(scope="module")
def site() -> Iterator[PageSite]:
    with tempfile.TemporaryDirectory() as folder, make_pages("sqlite", Path(folder)) as made:
        made.publish({"note": {"name": "text", "body": "long_text(4000) searchable"}})
        yield made


def test_pages_show_only_what_is_allowed_also_of_what_was_written_before(site: PageSite) -> None:
    whole = "<h2>Kept</h2>" + "".join(HOSTILE)
    before = site.records.create("note", {"name": "before", "body": whole}).id
    rich = {"type": "long_text", "options": {"max_length": 4000, "rich_text": True}, "searchable": True}
    site.publish({"note": {"name": "text", "body": rich}})
    after = site.records.create("note", {"name": "after", "body": whole}).id
    visitor = site.person("admin", "administrator", "standard_user", language="en")
    for id in (before, after):
        page = visitor.get(f"/o/note/{id}").text
        inside = re.search(r'<div class="tw-rich">(.*?)</div>', page, re.S)
        assert inside and inside[1].startswith("<h2>Kept</h2>") and is_harmless(inside[1])
        edit = visitor.get(f"/o/note/{id}/edit").text
        assert "<script>alert" not in edit and "<img src=x" not in edit, "escaped in the text area"
    assert "<h2>" not in visitor.get("/o/note").text
