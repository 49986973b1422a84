"""Rich text: HTML of a few tags, cleaned when it is written and again when it is shown.

Cleaning gives one form: what has no tags becomes paragraphs, so cleaning what was cleaned changes nothing.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

import nh3

TAGS = frozenset("p br b strong i em u s h2 h3 ul ol li blockquote pre code a hr".split())
_SCHEMES = {"http", "https", "mailto", "tel"}
_ends = re.compile(r"<br\s*/?>|</(?:p|li|h2|h3|blockquote|pre|ul|ol)>|<hr\s*/?>", re.I)
_lines = re.compile(r"\n\s*\n+")


def clean(text: str) -> str:
    """The text with what is not allowed gone; '' when nothing is left to read."""
    if "<" in text:
        found = nh3.clean(
            text,
            tags=set(TAGS),
            clean_content_tags={"script", "style", "template", "svg", "math", "iframe", "object"},
            attributes={"a": {"href"}},
            url_schemes=_SCHEMES,
            link_rel="noopener noreferrer nofollow",
            strip_comments=True,
        ).strip()
        if not plain(found):
            return ""
        if "<" in found:
            return found
        text = html.unescape(found)
    parts = [part.strip() for part in _lines.split(text.strip())]
    return "".join(
        f"<p>{html.escape(part, quote=False).replace(chr(10), '<br>')}</p>" for part in parts if part
    )


@lru_cache(maxsize=1024)
def shown(text: str) -> str:
    """The HTML for a page; cleaned again, since a field may have become rich after it was written."""
    return clean(text)


def plain(text: str) -> str:
    """The words without tags, a line for each block: for lists, search and one-line places."""
    if "<" not in text:
        return html.unescape(text).strip() if "&" in text else text.strip()
    bare = nh3.clean(_ends.sub("\n", text), tags=set(), clean_content_tags={"script", "style"})
    lines = [" ".join(line.split()) for line in html.unescape(bare).splitlines()]
    return "\n".join(line for line in lines if line)
