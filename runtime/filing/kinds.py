"""What a file is: by what it holds and by the end of its name, which must not say different things.

What a browser declares is not asked: it says what the sender wants it to. A name that promises a picture over
HTML is refused, and so is a program under any name. What is known by neither is kept as bytes of no type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tabwright.metadata.model import FieldDef, label_in
from tabwright.platform.errors import Invalid, Place

HEAD: Final = 8192  # bytes that are looked at
UNKNOWN: Final = "application/octet-stream"
_data: Mapping[str, Any] = json.loads(Path(__file__).with_name("kinds.json").read_text("utf-8"))
KINDS: Mapping[str, Mapping[str, str]] = _data["kinds"]
PROGRAMS: Final = frozenset(_data["programs"].split())
# What is shown as a picture, and by which of Pillow's readers.
PICTURES: Mapping[str, tuple[str, ...]] = {
    "image/png": ("PNG",),
    "image/jpeg": ("JPEG", "MPO"),
    "image/gif": ("GIF",),
    "image/webp": ("WEBP",),
    "image/bmp": ("BMP",),
}


@dataclass(frozen=True, slots=True)
class FileType:
    """A type of file: what it holds is one of ``contents``."""

    extension: str
    kind: str
    media: str
    contents: frozenset[str]


TYPES: Mapping[str, FileType] = {
    each[0]: FileType(each[0], each[1], each[2], frozenset(each[3].split())) for each in _data["types"]
}
_BY_CONTENT: Mapping[str, FileType] = {
    content: each
    for each in reversed(tuple(TYPES.values()))
    if len(each.contents) == 1 and each.kind != "other"
    for content in each.contents
    if content != "ftyp"
}


def extension_of(name: str) -> str:
    """The end of a name, in lower case, as a desktop reads it; "" without one."""
    before, dot, last = name.rstrip(". ").rpartition(".")
    return last.strip().lower() if dot and before else ""


def judge(name: str, head: bytes) -> tuple[str, str]:
    """Media type and kind of a file by its name and first bytes.

    Raises Invalid: ``file.program`` for what would run, ``file.disguised`` where name and content disagree.
    """
    extension, content = extension_of(name), content_of(head)
    if content == "program" or extension in PROGRAMS:
        raise Invalid.of("file.program", Place(field="file"), name=name)
    known = TYPES.get(extension)
    if known is None:
        found = _BY_CONTENT.get(content) if extension == "" else None
        return (found.media, found.kind) if found is not None else (UNKNOWN, "other")
    if content not in known.contents:
        raise Invalid.of("file.disguised", Place(field="file"), name=name, extension=extension)
    return known.media, known.kind


# ---- by content --------------------------------------------------------------------------------------

_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (b"Rar!\x1a\x07", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gz"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"{\\rtf", "rtf"),
    (b"%PDF-", "pdf"),
    (b"#!AMR", "amr"),
    (b"OggS", "ogg"),
    (b"fLaC", "flac"),
    (b"ID3", "mp3"),
    (b"\x1aE\xdf\xa3", "mkv"),
    (b"0&\xb2u\x8ef\xcf\x11", "asf"),
    (b"\x7fELF", "program"),
    (b"\xca\xfe\xba\xbe", "program"),
    (b"\xfe\xed\xfa\xce", "program"),
    (b"\xfe\xed\xfa\xcf", "program"),
    (b"\xce\xfa\xed\xfe", "program"),
    (b"\xcf\xfa\xed\xfe", "program"),
)
_RIFF: Mapping[bytes, str] = {b"WEBP": "webp", b"WAVE": "wav", b"AVI ": "avi"}
_HTML = (
    b"<!doctype html",
    b"<html",
    b"<head",
    b"<body",
    b"<script",
    b"<iframe",
    b"<style",
    b"<title",
    b"<!--",
)
_CONTROLS = bytes(each for each in range(32) if each not in b"\t\n\r\f\x1b")


def content_of(head: bytes) -> str:
    """What the first bytes show: a word of ours such as ``png``, ``zip``, ``text``, ``html``, ``program``."""
    for mark, found in _SIGNATURES:
        if head.startswith(mark):
            return found
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12], "binary")
    if head[4:8] == b"ftyp":
        return "ftyp"
    if head[257:262] == b"ustar":
        return "tar"
    if head.startswith(b"BM") and head[6:10] == b"\x00\x00\x00\x00":
        return "bmp"
    if head.startswith(b"#!"):
        return "program"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # text of 16 bits
        return _text(head[2:].replace(b"\x00", b""))
    if head.translate(None, _CONTROLS) == head:
        return _text(head)
    if head.startswith(b"MZ"):
        return "program"
    if b"%PDF-" in head[:1024]:
        return "pdf"
    if head.startswith(b"BZh"):
        return "bz2"
    return "mp3" if head[:1] == b"\xff" and head[1:2] in (b"\xfb", b"\xf3", b"\xf2", b"\xfa") else "binary"


def _text(head: bytes) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if b"<svg" in start[:1024] and start.startswith(b"<"):
        return "svg"
    if start.startswith(_HTML) or (start.startswith(b"<?xml") and b"<html" in start[:1024]):
        return "html"
    return "xml" if start.startswith(b"<?xml") else "text"


# ---- what a field takes ------------------------------------------------------------------------------


def takes(field: FieldDef, name: str, media: str, kind: str) -> bool:
    """Whether a field takes a file of this name and type."""
    if field.type == "image":
        return media in PICTURES
    if not field.accept and not field.extensions:
        return True
    return kind in field.accept or extension_of(name) in field.extensions


def accepted(field: FieldDef) -> tuple[str, ...]:
    """The ends of names that a field takes, for the browser's chooser; none where it takes all."""
    if field.type == "image":
        wanted: Iterable[FileType] = (each for each in TYPES.values() if each.media in PICTURES)
    else:
        wanted = (each for each in TYPES.values() if each.kind in field.accept)
    return tuple(dict.fromkeys((*(each.extension for each in wanted), *field.extensions)))


def said(field: FieldDef, language: str, join: str) -> str:
    """What a field takes, in words; "" where it takes all."""
    if field.type == "image":
        return "JPG, PNG, GIF, WebP, BMP"
    words: Callable[[str], str] = lambda kind: label_in(KINDS[kind], language)  # noqa: E731
    return join.join([*(words(each) for each in field.accept), *(f".{each}" for each in field.extensions)])
