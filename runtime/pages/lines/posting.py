"""What a posted form says of its lines: rows by their keys, in the order in which they stand in the form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from werkzeug.datastructures import MultiDict

from tabwright.metadata.model import FieldDef, label_in
from tabwright.runtime.desk import Call
from tabwright.runtime.pages import edit_page, late_forms, visiting
from tabwright.runtime.pages.lines import pasting
from tabwright.runtime.pages.lines.plan import PREFIX, LinesPlan, fresh_texts, is_row_key
from tabwright.runtime.pages.lines.tables import (
    MOST,
    Line,
    Table,
    added,
    duplicated,
    fitted,
    moved,
    stored,
    without,
)
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.rendering import text

Form = MultiDict[str, str]
HAD, ID, REVISION, WAS, AT = "_had", "_id", "_revision", "_was", "_at"
PICK = "_pick."  # of a conflict page
_name = re.compile(r"[a-z][a-z0-9_]*")
Rows = dict[str, Form]


def posted(
    call: Call, reads: Reading, plan: LinesPlan, form: Form, head: UUID | None, finder: edit_page.Finder
) -> Table:
    """The table as it was posted: with a button's verb done (``_line``), and a conflict's choices taken."""
    there = prefix_in(plan, form)
    now = stored(call, reads, plan, head) if head is not None else Table(plan, ())
    if there is None:  # the form did not have it
        return now
    rows, had = _rows(plan, form, there), _had(form.get(there + HAD, ""))
    pasted = _pasted(call, plan, form, rows)
    known = {line.id: line for line in now.lines}
    lines = [_line(call, plan, key, sub, known, finder) for key, sub in rows.items()]
    lines = [line for line in lines if form.get(f"{PICK}{plan.prefix}{line.key}") != "theirs"]
    lines = [pasted.get(line.key, _same)(line) for line in lines]
    for id in [id for id in had if form.get(f"{PICK}{plan.prefix}{id.hex}") == "theirs"]:
        del had[id]  # mine was to remove it; theirs stays
    if not now.beyond:  # what both removed is gone already
        here = {line.id for line in lines}
        had = {id: revision for id, revision in had.items() if id in known or id in here}
    closed = [line for line in lines if line.id is None and not plan.may_add]  # what was typed there is told
    told = tuple(dict.fromkeys(said for line in closed for said in line.faults))
    lines = [line for line in lines if line not in closed]
    table = Table(plan, tuple(lines), had, now.beyond, now.rest, told)
    acted = _acted(call, table, form.get("_line", "").split())
    # What is saved is said as it was typed: the write path tells of choices that do not go together.
    return fitted(acted) if "_line" in form or form.get("_then") == "edit" else acted


def _same(line: Line) -> Line:
    return line


def prefix_in(plan: LinesPlan, form: Form) -> str | None:
    """Under which prefix the form has the table: by its name of now or, of an older form, a former one."""
    object, link = plan.object, plan.link
    links = (link.name, *(old for old, new in object.field_aliases.items() if new == link.name))
    for head in (object.name, *object.aliases):
        for field in links:
            if f"{PREFIX}{head}.{field}.{HAD}" in form:
                return f"{PREFIX}{head}.{field}."
    return None


def _rows(plan: LinesPlan, form: Form, prefix: str) -> Rows:
    rows: Rows = {}
    for name in form:
        if not name.startswith(prefix):
            continue
        key, _, inside = name[len(prefix) :].partition(".")
        if not inside or not is_row_key(key) or (key not in rows and len(rows) >= 2 * MOST):
            continue
        sub = rows.setdefault(key, MultiDict())
        for value in form.getlist(name):
            sub.add(inside, value)
        if f"{PICK}{name}" in form:
            sub[f"{PICK}{inside}"] = form[f"{PICK}{name}"]
    return {key: late_forms.in_present_names(sub, plan.object) for key, sub in rows.items()}


def _had(packed: str) -> dict[UUID, int]:
    try:
        found = json.loads(packed or "{}")
        return {UUID(id): int(revision) for id, revision in found.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}


def _line(
    call: Call, plan: LinesPlan, key: str, sub: Form, known: Mapping[UUID | None, Line],
    finder: edit_page.Finder,
) -> Line:  # fmt: skip
    id = visiting.as_uuid(sub.get(ID) or None)
    now = known.get(id) if id is not None else None
    revision = edit_page.revision_of(sub.get(REVISION, ""))
    at = sub.get(AT, "")
    if now is not None and not now.may_edit:
        return replace(now, key=key, revision=revision or now.revision)
    fields = plan.asked(creating=id is None)
    was, was_names = edit_page.unpack(sub.get(WAS, ""))
    _resolve_picks(plan, key, sub, was, was_names)
    read = edit_page.read_posted(fields, sub, finder, call.language, call)
    if id is None and not was:
        was = fresh_texts(call, plan)
    return Line(
        key,
        read.texts,
        read.names,
        was,
        was_names,
        id,
        revision,
        at,
        now.row if now is not None else {},
        read.errors,
        read.choices,
        _gone(call, plan, sub, fields, was),
        True,
        now.may_delete if now is not None else True,
    )


def _resolve_picks(
    plan: LinesPlan, key: str, sub: Form, was: Mapping[str, str], was_names: Mapping[str, str]
) -> None:
    """Cells of which a conflict page was told to take theirs: what the row was opened with, by now theirs."""
    start = f"{PICK}"
    for name in [name for name in sub if name.startswith(start)]:
        field = name[len(start) :]
        if sub[name] == "theirs" and field in was:
            sub[field] = was[field]
            if f"{field}.text" in sub:
                sub[f"{field}.text"] = was_names.get(field, "")


def _gone(
    call: Call, plan: LinesPlan, sub: Form, fields: Sequence[FieldDef], was: Mapping[str, str]
) -> tuple[str, ...]:
    """What was typed into columns that a release since took away."""
    taken = {field.name for field in fields}
    t = text(call.language)
    told = []
    for name in sub:
        plain = name.removesuffix(".text")
        if plain in taken or not _name.fullmatch(plain):
            continue
        value = sub.getlist(name)[-1].strip()
        if not value or value in (was.get(plain, ""), "false") or plain + ".text" in sub and plain == name:
            continue
        field = plan.object.fields.get(plain)
        column = field is not None and call.gate.can_read(field)
        label = label_in(field.labels, call.language) if field is not None and column else plain[:80]
        told.append(t("form.gone", field=label, text=value[:200]))
    return tuple(told)


# ---- buttons --------------------------------------------------------


def _acted(call: Call, table: Table, words: Sequence[str]) -> Table:
    """The table after a button: ``add``, ``copy``, ``remove``, ``up``, ``down``, with relation and row."""
    if len(words) < 2 or words[1] != table.plan.relation:
        return table
    verb, key = words[0], words[2] if len(words) > 2 else ""
    if verb == "add" and table.plan.may_add:
        return added(call, table)
    if verb == "copy" and table.plan.may_add:
        return duplicated(call, table, key)
    if verb == "remove" and any(line.key == key and line.may_delete for line in table.lines):
        return without(table, key)
    if verb in ("up", "down") and table.plan.may_move:
        return moved(table, key, -1 if verb == "up" else 1)
    return table


def _pasted(call: Call, plan: LinesPlan, form: Form, rows: Rows) -> dict[str, Any]:
    """Put ``_paste`` into the rows from the cell that ``_line`` names on (``paste relation row field``).

    Rows that are missing are made. Gives, for rows with a cell that was not understood, what marks it.
    """
    words = form.get("_line", "").split()
    if len(words) != 4 or words[:2] != ["paste", plan.relation]:
        return {}
    block = pasting.cells(form.get("_paste", "")[:500_000])
    names = [column.name for column in plan.columns]
    keys = list(rows)
    start, first = (names.index(words[3]) if words[3] in names else 0), words[2]
    at = keys.index(first) if first in keys else len(keys)
    places = list(range(start, len(names)))
    head = pasting.heads(block[0], [column.label for column in plan.columns], start)
    if head is not None:
        block, places = block[1:], head
    marks: dict[str, Any] = {}
    for number, cells in enumerate(block[: 2 * MOST], start=at):
        if number < len(keys):
            key = keys[number]
        elif plan.may_add:
            key = _new_row(call, plan, rows)
            keys.append(key)
        else:
            break
        bad = _fill(call, plan, rows[key], names, places, cells)
        if bad:
            marks[key] = _marking(call, plan, bad)
    return marks


def _new_row(call: Call, plan: LinesPlan, rows: Rows) -> str:
    key = next(key for n in range(1, len(rows) + 2) if (key := f"n{n}") not in rows)
    filled = fresh_texts(call, plan)
    rows[key] = MultiDict(filled)
    rows[key][WAS] = edit_page.pack(filled, {})
    return key


def _fill(
    call: Call, plan: LinesPlan, sub: Form, names: Sequence[str], places: Sequence[int], cells: Sequence[str]
) -> dict[str, str]:
    """Put the cells of one pasted row into a row; what was not understood, by field."""
    takes = {field.name: field for field in plan.asked(creating=not sub.get(ID))}
    bad: dict[str, str] = {}
    for place, cell in zip(places, cells, strict=False):
        field = takes.get(names[place]) if place >= 0 else None
        if field is None:
            continue
        if field.is_reference:
            sub.setlist(field.name, [""])
            sub[f"{field.name}.text"] = cell.strip()
            continue
        typed, understood = pasting.as_typed(field, cell)
        if not understood:
            bad[field.name] = cell.strip()
        sub.setlist(field.name, [typed])
    return bad


def _marking(call: Call, plan: LinesPlan, bad: Mapping[str, str]) -> Any:
    t = text(call.language)

    def mark(line: Line) -> Line:
        errors = dict(line.errors)
        for name, cell in bad.items():
            errors[name] = (t("lines.not_understood", text=cell[:80]),)
        return replace(line, errors=errors)

    return mark
