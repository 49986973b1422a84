"""Files in forms, on pages and in lists: as small pictures and names, never as what they hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import escape

from tabwright.metadata.model import FieldDef, Model
from tabwright.platform.language import Language, say
from tabwright.runtime.filing import kinds
from tabwright.runtime.filing.names import size_text
from tabwright.runtime.filing.refs import FileRef, refs_in
from tabwright.runtime.forms.marks import icon

MOST_IN_LINE = 3
_icons = {
    "image": "photo",
    "document": "file-text",
    "spreadsheet": "file-spreadsheet",
    "presentation": "presentation",
    "archive": "archive",
    "audio": "microphone",
    "video": "video",
}


def mark(name: str) -> str:
    """The icon of a file by its name."""
    extension = kinds.extension_of(name)
    known = kinds.TYPES.get(extension)
    found = "file-type-pdf" if extension == "pdf" else _icons.get(known.kind, "file") if known else "file"
    return icon(found, "icon icon-20")


def face(file: FileRef, language: Language) -> str:
    """The picture of a file that opens a larger one, or its icon."""
    if not file.pictured:
        return f'<span class="tw-fileface">{mark(file.name)}</span>'
    said = escape(say("pages.file.zoom", {"name": file.name}, language))
    return (
        f'<a class="tw-fileface" href="/files/{file.id.hex}/preview" data-zoom="{escape(file.name)}"'
        f' aria-label="{said}"><img src="/files/{file.id.hex}/thumb" alt="" loading="lazy" width="40"'
        ' height="40"></a>'
    )


def link(file: FileRef) -> str:
    """The name of a file, by which it is downloaded."""
    return f'<a class="tw-filename" href="/files/{file.id.hex}" download>{escape(file.name)}</a>'


def line(file: FileRef, language: Language, more: str = "") -> str:
    """One file of a list: face, name, size; ``more`` stands behind."""
    size = f'<span class="tw-3 tw-num">{size_text(file.size)}</span>'
    return (
        f'<li class="tw-file" data-file="{file.id.hex}">{face(file, language)}'
        f'<span class="tw-filewords">{link(file)}{size}</span>{more}</li>'
    )


# ---- a value -----------------------------------------------------------------------------------------


def shower(field: FieldDef, model: Model, language: Language, short: bool) -> Callable[[Any, ZoneInfo], str]:
    """How a value is shown: as a list of files, or on one line."""
    if short:
        return lambda value, zone: _in_line(refs_in(value), language)
    css = "tw-filelist is-pictures" if field.type == "image" else "tw-filelist"
    return lambda value, zone: (
        f'<ul class="{css}">{"".join(line(each, language) for each in refs_in(value))}</ul>'
    )


def _in_line(files: Sequence[FileRef], language: Language) -> str:
    shown = [each for each in files if each.pictured][:MOST_IN_LINE]
    faces = "".join(face(each, language) for each in shown)
    rest = [each for each in files if each not in shown]
    if not rest:
        # Pictures alone say what they are; one of them has room for its name.
        words = link(files[0]) if len(files) == 1 else ""
    else:
        more = f' <span class="tw-3 tw-num">+{len(rest) - 1}</span>' if len(rest) > 1 else ""
        words = ("" if faces else icon("paperclip", "icon icon-14")) + link(rest[0]) + more
    return f'<span class="tw-fileline">{faces}{words}</span>'
