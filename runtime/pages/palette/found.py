"""What the palette shows for what was typed: records, lines, or what was opened last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from markupsafe import Markup, escape

from tabwright.formula.lexer import quote
from tabwright.metadata.model import FieldDef, ObjectDef, label_in
from tabwright.platform.language import LANGUAGES
from tabwright.runtime.desk import Call
from tabwright.runtime.pages import favouring
from tabwright.runtime.pages.palette.commands import (
    GROUPS,
    Command,
    Labels,
    command,
    commands_of,
    matching,
)
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.rendering import text as texts
from tabwright.runtime.pages.shell import plural
from tabwright.runtime.personal.recents import Recents
from tabwright.runtime.personal.views import views_by_object
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.naming import named
from tabwright.runtime.search.everywhere import search_everywhere

RECENT: Final = 5
RECORDS: Final = 4  # of each object
MOST_RECORDS: Final = 12
MOST_COMMANDS: Final = 12
MOST_NUMBERED: Final = 6  # objects whose numbers are looked through
LONGEST: Final = 200
ONLY_COMMANDS, ONLY_NUMBERS = ">", "#"


@dataclass(frozen=True, slots=True)
class Option:
    """One line to choose. ``preview`` is the address of the piece that tells more of a record."""

    label: Markup
    note: str | Markup
    end: str
    icon: str
    colour: str
    href: str
    preview: str = ""
    post: bool = False
    fields: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    options: tuple[Option, ...]


def groups(call: Call, reads: Reading, typed: str) -> tuple[Group, ...]:
    """The groups of lines for what was typed; nothing typed: what was opened last, then what one may do."""
    typed = typed.strip()[:LONGEST]
    if typed.startswith(ONLY_COMMANDS):
        wanted = typed[1:].strip()
        every = commands_of(call)
        return tuple(_grouped(call, wanted, _matches(call, wanted) if wanted else [(3, c) for c in every]))
    if typed.startswith(ONLY_NUMBERS):
        return _one(call, "numbers", tuple(_numbered(call, reads, typed[1:].strip())))
    if not typed:
        return (*_one(call, "recent", tuple(recent(call))), *_start(call))
    found = _matches(call, typed)
    records = _one(call, "records", tuple(_records(call, typed)))
    lines = tuple(_grouped(call, typed, found))
    # Who types how a line begins means that line; else records come first.
    return (*lines, *records) if found and found[0][0] <= 1 else (*records, *lines)


def commands_for(call: Call, typed: str) -> tuple[Group, ...]:
    """The pages and actions that a text finds, for the search page."""
    typed = typed.strip()[:LONGEST]
    return tuple(_grouped(call, typed, _matches(call, typed))) if typed else ()


def recent(call: Call) -> Iterator[Option]:
    """The records that this person opened last, as far as they may still see them."""
    last = Recents(call).newest(RECENT * 2)
    known = named(call, ((each.object_uid, each.id) for each in last))
    shown = [known[each.id] for each in last if each.id in known][:RECENT]
    for each in shown:
        yield _record(call, each.object, str(each.id), each.name, "")


def _one(call: Call, code: str, options: tuple[Option, ...]) -> tuple[Group, ...]:
    return (Group(texts(call.language)("palette." + code), options),) if options else ()


def _start(call: Call) -> Iterator[Group]:
    """What is offered before anything is typed: where one may go and what one may make."""
    offered = [each for each in commands_of(call) if each.kind in ("go", "do")]
    yield from _grouped(call, "", [(3, each) for each in offered][: 2 * MOST_COMMANDS])


def _matches(call: Call, typed: str) -> list[tuple[int, Command]]:
    return matching((*commands_of(call), *_views(call)), typed, MOST_COMMANDS)


def _views(call: Call) -> Iterator[Command]:
    """The list views that this person may open, published and saved."""
    saved = views_by_object(call)
    for object in call.gate.objects():
        if not call.gate.may(object, "read"):
            continue
        one = plural(object, call.language)
        also = tuple(plural(object, each) for each in LANGUAGES)
        for view in favouring.views(call, object, saved):
            labels: Labels = dict.fromkeys(LANGUAGES, view.label)
            published = object.list_views.get(view.key) if view.saved is None else None
            if published is not None:
                labels = {each: label_in(published.labels, each) for each in LANGUAGES}
            href = favouring.view_href(object, view)
            icon = "bookmark" if view.saved is not None else "list-details"
            yield command(call, "view", labels, icon, href, note=one, also=also)


def _grouped(call: Call, typed: str, found: Sequence[tuple[int, Command]]) -> Iterator[Group]:
    """The lines in groups: the group of the best line first."""
    by_kind: dict[str, list[Option]] = {}
    for _, each in found:
        option = Option(
            marked(each.label, typed), each.note, "", each.icon, each.colour, each.href,
            post=each.post, fields=each.fields,
        )  # fmt: skip
        by_kind.setdefault(each.kind, []).append(option)
    order = list(by_kind) if typed else [kind for kind in GROUPS if kind in by_kind]
    for kind in order:
        yield from _one(call, kind, tuple(by_kind[kind]))


def _records(call: Call, typed: str) -> Iterator[Option]:
    """Records by their fields first, then those that are found by a comment or an attachment alone."""
    found = search_everywhere(call, typed, limit=RECORDS)
    found.sort(key=lambda each: each.alone)
    for each in found[:MOST_RECORDS]:
        object, hit, note = call.model.objects[each.hit.object], each.hit, each.note
        option = _record(call, object, str(hit.id), hit.name, typed)
        yield option if note is None else replace(option, note=marked(note.text, typed))


def _numbered(call: Call, reads: Reading, typed: str) -> Iterator[Option]:
    """Records by their automatic numbers, nothing else."""
    fields = [one for object in call.gate.objects() if (one := _number_of(call, object)) is not None]
    for object, field in fields[:MOST_NUMBERED] if typed else ():
        name = object.name_field if call.gate.can_read(object.fields[object.name_field]) else field.name
        wanted = f"CONTAINS(UPPER({field.name}), {quote(typed.upper())})"
        page = reads.list(Query(object.name, fields=(name, field.name), where=wanted, limit=RECORDS))
        for row in page.rows:
            number = str(row[field.name] or "")
            label = str(row[name] or "") if name != field.name else number
            yield _record(call, object, str(row["id"]), label, "", note=number)


def _number_of(call: Call, object: ObjectDef) -> tuple[ObjectDef, FieldDef] | None:
    if not call.gate.may(object, "read"):
        return None
    readable = call.gate.readable(object)
    return next(((object, each) for each in readable if each.type == "auto_number"), None)


def _record(call: Call, object: ObjectDef, id: str, name: str, typed: str, note: str = "") -> Option:
    label = name or texts(call.language)("record.nameless")
    href = f"/o/{object.name}/{id}"
    return Option(
        marked(label, typed), note, label_in(object.labels, call.language), object.icon, object.colour, href,
        preview=f"/palette/preview/{object.name}/{id}",
    )  # fmt: skip


def marked(label: str, typed: str) -> Markup:
    """A label with the typed words marked where they stand in it as they were typed."""
    low, spans = label.lower(), list[tuple[int, int]]()
    if len(low) != len(label):  # some letters change their length
        return escape(label)
    for word in sorted(typed.lower().split(), key=len, reverse=True):
        at = low.find(word)
        if at >= 0 and not any(start < at + len(word) and at < end for start, end in spans):
            spans.append((at, at + len(word)))
    made, last = Markup(""), 0
    for start, end in sorted(spans):
        made += escape(label[last:start]) + Markup("<mark>") + escape(label[start:end]) + Markup("</mark>")
        last = end
    return made + escape(label[last:])
