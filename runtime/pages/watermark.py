"""The faint tiles over a page of records: who looks, and when. They are on paper and in screenshots too."""

from __future__ import annotations

from datetime import datetime
from html import escape
from urllib.parse import quote
from zoneinfo import ZoneInfo

_WIDTH, _HEIGHT = 340, 190
_LONGEST = 40


def tile(name: str, at: datetime, zone: str) -> str:
    """A picture to repeat, as the address that a style names. Nothing of the name is markup in it."""
    who = "".join(char if char.isprintable() else " " for char in name)[:_LONGEST]
    when = f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
    lines = "".join(
        f'<text x="0" y="{y}">{escape(text)}</text>' for y, text in ((0, who), (18, when)) if text
    )
    drawn = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}">'
        f'<g transform="translate(40 150) rotate(-24)" fill="#7d8590" fill-opacity=".2" '
        f'font-family="sans-serif" font-size="14">{lines}</g></svg>'
    )
    return "data:image/svg+xml," + quote(drawn, safe="")
