"""Names of files as people gave them: made harmless when they come in, and quoted when they go out."""

from __future__ import annotations

import unicodedata
from urllib.parse import quote

MOST = 200
# They turn the order of what follows: "fdp.exe" is read as "exe.pdf".
_TURNING = {
    ord(each): None for each in "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
}


def plain_name(given: str) -> str:
    """The name without folders, without what cannot be seen, not longer than a file system takes."""
    last = given.replace("\\", "/").rpartition("/")[2].translate(_TURNING)
    text = (
        "".join(each for each in unicodedata.normalize("NFC", last) if each.isprintable())
        .strip()
        .rstrip(". ")
    )
    if len(text) > MOST:
        head, dot, end = text.rpartition(".")
        text = f"{head[: MOST - len(end) - 1]}.{end}" if dot and len(end) <= 20 else text[:MOST]
    return text.lstrip(".") or "file"


def disposition(name: str) -> str:
    """``Content-Disposition`` of a download (RFC 6266): the name in UTF-8, and one for what reads no such."""
    plain = "".join(
        each if each.isascii() and each not in '"\\%;' and each.isprintable() else "_" for each in name
    )
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def size_text(size: int) -> str:
    """A size as people read it."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "KB")):
        if size >= limit:
            number = size / limit
            return f"{number:.1f}".removesuffix(".0") + f" {unit}" if number < 100 else f"{number:.0f} {unit}"
    return f"{size} B"
