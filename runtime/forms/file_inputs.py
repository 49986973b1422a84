"""The input of a field that holds files: a place to drop them on, and the list of those that are chosen."""

from __future__ import annotations

from markupsafe import escape

from tabwright.metadata.model import FieldDef, Model, label_in
from tabwright.platform.language import Language, say
from tabwright.runtime.filing import kinds
from tabwright.runtime.filing.refs import FileRef, refs_typed
from tabwright.runtime.forms.entry import Control, Entry, Place
from tabwright.runtime.forms.files import line
from tabwright.runtime.forms.marks import SPRITE, icon


def control(field: FieldDef, place: Place, model: Model, language: Language) -> Control:
    """A place to drop files on, and the list of those that are chosen; a hidden input holds the value.

    Files are uploaded as soon as they are chosen, so a form that is refused holds them still.
    """
    name, most = field.name, field.max_items or 1
    chooser = "choose_picture" if field.type == "image" else "choose" if most > 1 else "choose_one"
    takes = kinds.said(field, language, "、" if language == "zh" else ", ")
    facts = [say("pages.file.largest", {"size": f"{field.max_size} MB"}, language)] if field.max_size else []
    if most > 1:
        facts.append(say("pages.file.most", {"count": most}, language))
    if takes:
        facts.append(say("pages.file.takes", {"takes": takes}, language))
    dot = " · "
    accept = ",".join(f".{each}" for each in kinds.accepted(field))
    words = {
        key: escape(say(f"pages.file.{key}", {"name": "{name}"}, language))
        for key in ("remove", "sending", "sent", "removed", "away", "wait")
    }
    data = "".join(f' data-{key}="{said}"' for key, said in words.items())
    too_many = escape(say("file.too_many", {"limit": most}, language))
    head = (
        f'<div class="tw-files" data-files="{escape(field.object)}.{name}" data-most="{most}"'
        f' data-too-many="{too_many}" data-sprite="{SPRITE}"{data}><input type="hidden" name="{name}" value="'
    )
    drop = (
        f'<label class="tw-filedrop" for="f-{name}">{icon("upload", "icon icon-20")}<span>'
        f"<b>{escape(say(f'pages.file.{chooser}', {}, language))}</b>"
        f' <span class="tw-only-desk">{escape(say("pages.file.drop", {}, language))}</span>'
        f"<small>{escape(dot.join(facts))}</small></span></label>"
        f'<input class="tw-fileinput" type="file" id="f-{name}"{" multiple" if most > 1 else ""}'
    )
    label = escape(label_in(field.labels, language))
    tail = f'><p class="tw-filenote tw-err" role="alert" hidden aria-label="{label}"></p>'
    missing = escape(say("pages.file.no_script", {}, language))
    tail += f'<noscript><p class="tw-hint">{missing}</p></noscript></div>'
    if accept:
        drop += f' accept="{escape(accept)}"'

    def remove(file: FileRef) -> str:
        said = escape(say("pages.file.remove", {"name": file.name}, language))
        return (
            '<button class="btn btn-quiet btn-icon btn-sm" type="button" data-file-remove'
            f' aria-label="{said}" title="{said}">{icon("x", "icon icon-14")}</button>'
        )

    def fill(text: str, more: str, entry: Entry) -> str:
        chosen = "".join(line(each, language, remove(each)) for each in refs_typed(text))
        asked = more.replace(" required", ' aria-required="true"')
        return f'{head}{escape(text)}"><ul class="tw-filelist">{chosen}</ul>{drop}{asked}{tail}'

    return fill
