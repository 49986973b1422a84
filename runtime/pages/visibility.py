"""Which fields of a layout do not show: their visibility formulas, on a record or on what a form holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tabwright.formula.compiler import Formula
from tabwright.formula.environment import Env
from tabwright.formula.faults import EvaluationError
from tabwright.metadata.model import FieldDef, LayoutDef
from tabwright.platform.errors import Invalid
from tabwright.runtime.desk import Call
from tabwright.runtime.forms import texts
from tabwright.runtime.pages.behind import read_behind
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.visiting import Parts
from tabwright.runtime.query.answers import Answered, about
from tabwright.runtime.records.values import Refused, converter


def conditioned(layout: LayoutDef) -> tuple[tuple[str, Formula], ...]:
    """What of the layout has a visibility formula: fields by name, tables of lines by relation."""
    fields = [(each.field, each.visible) for part in layout.sections for each in part.fields]
    fields += [(lines.relation, lines.visible) for lines in layout.lines]
    return tuple((name, visible) for name, visible in fields if visible is not None)


def paths(call: Call, parts: Parts) -> tuple[str, ...]:
    """What the visibility formulas read, as far as this person may; the rest counts as blank."""
    found: dict[str, None] = {}
    for _, visible in conditioned(parts.layout):
        for read in visible.reads:
            if read.path[0].startswith("$"):
                continue
            try:
                found[call.gate.resolve(parts.object, ".".join(read.path)).text] = None
            except Invalid:
                continue
    return tuple(found)


def hidden(call: Call, parts: Parts, row: Mapping[str, Any], *, is_new: bool = False) -> frozenset[str]:
    """The fields and tables of lines that do not show for a row of typed values by path.

    A formula that cannot be computed shows what it is about.
    """
    if not parts.has_conditions:
        return frozenset()
    entries = conditioned(parts.layout)
    env = call.env(call.clock.now(), is_new=is_new)
    id = row.get("id")
    known = None if is_new or not isinstance(id, UUID) else id
    answered = about(call, parts.object, (visible for _, visible in entries), known)
    return frozenset(name for name, visible in entries if not _holds(visible, row, env, call, answered))


def _holds(formula: Formula, row: Mapping[str, Any], env: Env, call: Call, answered: Answered) -> bool:
    who = call.principal
    person: dict[str, Any] = {"id": who.user_id, "name": who.name, "language": who.language, "zone": who.zone}
    values = [
        person.get(read.path[1]) if read.path[0] == "$user" else row.get(".".join(read.path))
        for read in formula.reads
    ]
    values += [answered[each.root.data] for each in formula.aggregates]
    try:
        return formula.evaluator()(values, env) is True
    except EvaluationError:
        return True


def typed(
    call: Call,
    reads: Reading,
    parts: Parts,
    fields: Iterable[FieldDef],
    given: Mapping[str, str],
    row: Mapping[str, Any],
) -> dict[str, Any]:
    """The row that a form's texts would make, over ``row``; what is not a value yet is blank."""
    if not parts.has_conditions:
        return dict(row)
    made = dict(row)
    zone = ZoneInfo(call.zone)
    wanted = [path for path in paths(call, parts) if "." in path]
    for field in fields:
        if field.name not in given:
            continue
        if field.mask is not None and given[field.name] == texts.to_text(field, row.get(field.name), zone):
            continue  # as it stands
        try:
            value = texts.to_value(field, given[field.name], zone)
            made[field.name] = None if value is None else converter(field, call.zone)(value)
        except Refused:
            made[field.name] = None
        behind = [path for path in wanted if path.startswith(field.name + ".")]
        if behind and made[field.name] != row.get(field.name):
            rests = [path.removeprefix(field.name + ".") for path in behind]
            reached = read_behind(reads, call.model, field, made[field.name], rests)
            made.update({f"{field.name}.{rest}": value for rest, value in reached.items()})
    return made
