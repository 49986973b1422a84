"""How files go out: never as anything that a browser would run on this site."""

from __future__ import annotations

from collections.abc import Mapping

from tabwright.runtime.filing import pictures
from tabwright.runtime.filing.kinds import UNKNOWN
from tabwright.runtime.filing.names import disposition
from tabwright.runtime.filing.rows import Stored

_SHUT: Mapping[str, str] = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Vary": "Authorization, Cookie",
}
# Types that a browser opens by itself; the rest of text and XML goes as bytes.
_OPENED = ("text/html", "application/xhtml", "image/svg", "text/xml", "application/xml")


def media_of(stored: Stored) -> str:
    """The media type that a download says."""
    return UNKNOWN if stored.media.startswith(_OPENED) else stored.media


def download(stored: Stored) -> dict[str, str]:
    """The headers of the file itself: to be saved, never to be shown."""
    return {
        **_SHUT,
        "Content-Type": media_of(stored),
        "Content-Length": str(stored.size),
        "Content-Disposition": disposition(stored.name),
        "Cache-Control": "private, no-store",
    }


def picture(stored: Stored, size: str) -> dict[str, str]:
    """The headers of a picture that was made here; a browser keeps it and asks each time whether it may."""
    return {
        **_SHUT,
        "Content-Type": pictures.MEDIA,
        "Content-Disposition": "inline",
        "Cache-Control": "private, no-cache",
        "ETag": f'"{stored.sha256[:32]}-{size}"',
    }
