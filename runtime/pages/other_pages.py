"""Search, recycle bin, delete: the pages with little of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.platform.errors import NotFound
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.shown import initials
from tabwright.runtime.pages import visiting
from tabwright.runtime.pages.edit_page import FaultLine
from tabwright.runtime.pages.history import names_of, when_text
from tabwright.runtime.pages.palette.found import Option, commands_for, marked
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.pages.shell import in_sentence, plural, singular
from tabwright.runtime.query.asked import Query
from tabwright.runtime.records.recycling import recycle_bin
from tabwright.runtime.search.everywhere import search_everywhere

FOUND = 10  # hits of each object on the search page
BIN_ROWS = 200
NOTE_ICONS = {"comment": "message", "file": "paperclip"}


# ---- search --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FoundNote:
    """What stands beside a record and holds the words: ``kind`` in words, ``text`` with the words marked."""

    kind: str
    icon: str
    text: Markup


@dataclass(frozen=True, slots=True)
class FoundRecord:
    href: str
    name: str
    note: FoundNote | None
    initials: str


@dataclass(frozen=True, slots=True)
class Group:
    object: ObjectDef
    label: str
    hits: tuple[FoundRecord, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    q: str
    groups: tuple[Group, ...]
    commands: tuple[Option, ...]
    message: str


def search_page(call: Call, q: str) -> SearchPage:
    """What a text finds, by object."""
    groups: dict[str, list[FoundRecord]] = {}
    t = text(call.language)
    for found in search_everywhere(call, q, limit=FOUND) if q.strip() else ():
        hit, note = found.hit, found.note
        name = hit.name or t("record.nameless")
        at = f"/o/{hit.object}/{hit.id}"
        beside = None if note is None else FoundNote(
            t(f"search.in_{note.kind}"), NOTE_ICONS[note.kind], marked(note.text, q)
        )  # fmt: skip
        groups.setdefault(hit.object, []).append(FoundRecord(at, name, beside, initials(name)))
    objects = call.model.objects
    return SearchPage(
        q,
        tuple(
            Group(objects[o], plural(objects[o], call.language), tuple(hits)) for o, hits in groups.items()
        ),
        tuple(option for group in commands_for(call, q) for option in group.options),
        "",
    )


# ---- delete --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Effect:
    css: str
    sign: str
    text: str


@dataclass(frozen=True, slots=True)
class DeletePage:
    object: ObjectDef
    plural: str
    name: str
    title: str
    action: str
    record_href: str
    revision: str
    effects: tuple[Effect, ...]
    blocked: str
    button: str
    faults: tuple[FaultLine, ...]


def delete_page(
    call: Call, reads: Reading, object: ObjectDef, row: Mapping[str, Any], faults: tuple[FaultLine, ...] = ()
) -> DeletePage:
    """What a delete would do, counted, as far as this person may see it."""
    t = text(call.language)
    at = f"/o/{object.name}/{row['id']}"
    effects: list[Effect] = []
    blocked = False
    for field in call.model.children(object.name):
        child = call.model.objects[field.object]
        if call.gate.find(child, field.name) is None:
            continue
        count, capped = reads.count(Query(child.name, parent=(field.name, row["id"])))
        if not count:
            continue
        blocked = blocked or field.on_delete == "restrict"
        css, sign = {"cascade": ("is-del", "−"), "restrict": ("is-del", "!")}.get(
            field.on_delete, ("is-mod", "~")
        )
        said = t(
            "delete." + field.on_delete,
            count=f"{count:,}" + ("+" if capped else ""),
            objects=in_sentence(plural(child, call.language), call.language),
            field=label_in(field.labels, call.language),
        )
        effects.append(Effect(css, sign, said))
    if not effects:
        effects.append(Effect("is-add", "=", t("delete.nothing")))
    name = visiting.name_of(call, object, row)
    return DeletePage(
        object=object,
        plural=plural(object, call.language),
        name=name,
        title=t("delete.title", object=singular(object, call.language), name=name),
        action=at + "/delete",
        record_href=at,
        revision=str(row.get("revision") or ""),
        effects=tuple(effects),
        blocked=t("delete.blocked") if blocked else "",
        button=t("delete.button"),
        faults=faults,
    )


# ---- recycle bin --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BinTab:
    name: str
    label: str
    current: bool
    count: str


@dataclass(frozen=True, slots=True)
class BinRow:
    name: str
    when: str
    who: str
    restore: str


@dataclass(frozen=True, slots=True)
class BinPage:
    objects: tuple[BinTab, ...]
    rows: tuple[BinRow, ...]
    name_label: str


def bin_page(call: Call, reads: Reading, wanted: str | None) -> BinPage:
    """The deleted records of one object that this person may restore: those that they might delete."""
    objects = [each for each in call.gate.objects() if call.gate.may(each, "delete")]
    if not objects:
        return BinPage((), (), "")
    chosen = next((each for each in objects if each.name == wanted), None)
    if wanted and chosen is None:
        raise NotFound.of("object.unknown", object=wanted)
    filled = [(each, recycle_bin(call, each.name)) for each in ([chosen] if chosen else objects)]
    if chosen is None:
        chosen = next((each for each, rows in filled if rows), objects[0])
    rows = next(found for each, found in filled if each is chosen)
    zone, now = ZoneInfo(call.zone), call.clock.now()
    names = names_of(call, reads, [("user", each.deleted_by) for each in rows if each.deleted_by is not None])
    t = text(call.language)
    name_field = chosen.fields[chosen.name_field]
    return BinPage(
        tuple(BinTab(o.name, plural(o, call.language), o is chosen, "") for o in objects),
        tuple(
            BinRow(
                each.name or t("record.nameless"),
                when_text(each.deleted_at, now, zone, call.language),
                names.get(each.deleted_by) or t("record.somebody"),
                f"/o/{chosen.name}/{each.id}/restore",
            )
            for each in rows
        ),
        label_in(name_field.labels, call.language),
    )
