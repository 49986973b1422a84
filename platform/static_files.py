"""Files of the rooms that browsers may keep: scripts, styles, fonts, icons; packed once, sent many times."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, request
from werkzeug.security import safe_join

from tabwright.platform.errors import NotFound
from tabwright.platform.packing import accepts_gzip, worth_packing
from tabwright.platform.web import policy

_relative = re.compile(rb"""url\(["']?([A-Za-z0-9_][A-Za-z0-9_./-]*)["']?\)""")
FOR_EVER = "public, max-age=31536000, immutable"
FOR_A_WHILE = "public, max-age=300"


@dataclass(frozen=True, slots=True)
class _File:
    kind: str
    mark: str  # of the content
    plain: bytes
    packed: bytes | None


def static_files(app: Flask, prefix: str, folder: Path) -> None:
    """Serve a folder under ``prefix``; an address with a content mark (``?v=``) may be kept for ever.

    Text is packed with gzip at its first use, as well as that goes, and the ETag is the content's, of either
    form its own.
    """

    @policy("public")
    def file(name: str) -> Response:
        found = safe_join(str(folder), name)
        path = Path(found) if found is not None else None
        if path is None or not path.is_file():
            raise NotFound.of("web.not_found")
        known = _read(path, path.stat().st_mtime_ns)
        packed = known.packed if accepts_gzip(request) else None
        response = Response(known.plain if packed is None else packed, content_type=known.kind)
        if packed is not None:
            response.headers["Content-Encoding"] = "gzip"
        if known.packed is not None:
            response.headers["Vary"] = "Accept-Encoding"
        response.set_etag(known.mark + ("" if packed is None else "-gzip"))
        response.headers["Cache-Control"] = FOR_EVER if request.args.get("v") else FOR_A_WHILE
        response.make_conditional(request)
        return response

    app.add_url_rule(f"{prefix}/<path:name>", f"static:{prefix}", file)


def content_mark(path: Path) -> str:
    """What ``?v=`` says of a file: another for another content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:10]


def _marked(sheet: Path, found: re.Match[bytes]) -> bytes:
    """What a style sheet loads has its mark too, so that fonts are kept as long."""
    named = sheet.parent / found[1].decode()
    return (
        b'url("' + found[1] + b"?v=" + content_mark(named).encode() + b'")' if named.is_file() else found[0]
    )


@lru_cache(maxsize=256)
def _read(path: Path, changed: int) -> _File:
    """The file as it is since ``changed``: kept in memory, they are few and small."""
    plain = path.read_bytes()
    if path.suffix == ".css":
        plain = _relative.sub(lambda found: _marked(path, found), plain)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind.startswith("text/"):
        kind += "; charset=utf-8"
    packed = gzip.compress(plain, 9, mtime=0) if worth_packing(kind, len(plain)) else None
    if packed is not None and len(packed) >= len(plain):
        packed = None
    return _File(kind, hashlib.sha256(plain).hexdigest()[:32], plain, packed)
