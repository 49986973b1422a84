"""Answers packed with gzip for whoever takes it, where packing can give nothing away.

A page holds what people typed beside what is secret, and the length of a packed page tells how alike the
two are (BREACH). So the CSRF token stands masked in every page (``csrf.mask_csrf``), and what a browser asks
for on behalf of another site, which is how an attacker would try his texts, is never packed.
"""

from __future__ import annotations

import gzip

from flask import Request, Response

_SMALL = 860  # bytes: below this a packet carries either form
_LEVEL = 5  # of an answer that is made each time
_KINDS = ("text/", "application/json", "application/problem+json", "application/javascript", "image/svg+xml")
_OURS = ("same-origin", "none")  # "none": typed, or from a bookmark


def accepts_gzip(request: Request) -> bool:
    """Whether the client takes gzip."""
    return bool(request.accept_encodings["gzip"] > 0)


def worth_packing(kind: str, length: int) -> bool:
    """Whether a body of this media type and length gets smaller."""
    return length >= _SMALL and kind.startswith(_KINDS)


def pack(request: Request, response: Response) -> Response:
    """The response, packed where the client takes it and no other site could learn from it."""
    if response.direct_passthrough or response.is_streamed or "Content-Encoding" in response.headers:
        return response
    if "ETag" in response.headers:  # names this form of it; a record's is sent back as If-Match
        return response
    if response.status_code in (204, 206, 304) or "Content-Range" in response.headers:
        return response
    body = response.get_data()
    if not worth_packing(response.content_type or "", len(body)):
        return response
    response.vary.add("Accept-Encoding")
    if request.headers.get("Sec-Fetch-Site", "none") in _OURS and accepts_gzip(request):
        response.set_data(gzip.compress(body, _LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
