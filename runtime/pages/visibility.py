"""What the conditions of fields say of a record on a page, or of what a form holds: which fields show, are
required, are read-only, offer which values; and which tables of lines show.

A form says what the write path will say (``records.conditions``). Conditions are the admin's and are judged
on all that they read, also what this person may not: what shows or not is told, a value never is. Only behind
a record that somebody chose in a form, and may not see, everything counts as blank.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from tabwright.formula.compiler import Formula
from tabwright.formula.faults import EvaluationError
from tabwright.metadata.model import FieldDef, LayoutDef, ObjectDef
from tabwright.platform.errors import Invalid
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.desk import Call
from tabwright.runtime.forms import texts
from tabwright.runtime.pages.behind import Getting, read_behind
from tabwright.runtime.pages.preview import Reading
from tabwright.runtime.pages.visiting import Parts
from tabwright.runtime.query.answers import about
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.conditions import NOTHING_ASKED, Asked, Holds
from tabwright.runtime.records.values import Refused, converter


def conditioned(layout: LayoutDef) -> tuple[tuple[str, Formula], ...]:
    """The tables of lines that show under a condition, by relation."""
    return tuple((each.relation, each.visible) for each in layout.lines if each.visible is not None)


def _formulas(parts: Parts) -> Iterator[Formula]:
    yield from parts.conditions.of_the_new
    yield from parts.conditions.of_the_old
    yield from (visible for _, visible in conditioned(parts.layout))


def paths(call: Call, parts: Parts) -> tuple[str, ...]:
    """What the conditions read, as far as this person may."""
    return tuple(path for path in _read(parts) if _resolves(call.gate, parts.object, path))


def _unseen(call: Call, parts: Parts) -> tuple[str, ...]:
    """What the conditions read and this person may not."""
    return call.tenant.pieces.get(
        ("unseen by", *parts.key),
        lambda: tuple(path for path in _read(parts) if not _resolves(call.gate, parts.object, path)),
    )


def _read(parts: Parts) -> Iterable[str]:
    """The paths that the conditions read, each once."""
    reads = (read.path for formula in _formulas(parts) for read in formula.reads)
    return dict.fromkeys(".".join(path) for path in reads if not path[0].startswith("$"))


def _resolves(gate: Gate, object: ObjectDef, path: str) -> bool:
    try:
        gate.resolve(object, path)
    except Invalid:
        return False
    return True


class _Behind:
    """What stands behind records that a form names: all of those that this person sees, nothing of others."""

    def __init__(self, own: Getting, all: Getting) -> None:
        self._own = own
        self._all = all

    def get(self, object: str, id: UUID, fields: Sequence[str] = ()) -> Mapping[str, Any]:
        self._own.get(object, id, ("id",))
        return self._all.get(object, id, fields)


def everything(call: Call) -> Call:
    """The same call by the platform, which may read all that conditions are about."""
    return replace(call, principal=Principal.system(), gate=Gate.system(call.model))


def _of_the_unseen(
    call: Call, parts: Parts, row: Mapping[str, Any], stood: Mapping[str, Any] | None, all: Getting | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values of what this person may not read: of a row that a form holds, and of the record as it was
    saved last.
    """
    paths = _unseen(call, parts)
    if not paths:
        return {}, {}
    reads = all or Reads(everything(call))
    kept = dict(reads.get(parts.object.name, stood["id"], paths)) if stood is not None else {}
    now = {path: kept.get(path) for path in paths}
    for name in {path.partition(".")[0] for path in paths if "." in path}:
        field = parts.object.fields[name]
        typed = row.get(name)
        if not call.gate.can_read(field) or (stood is not None and typed == stood.get(name)):
            continue  # as it was saved
        rests = [path.removeprefix(f"{name}.") for path in paths if path.startswith(f"{name}.")]
        reached = read_behind(_Behind(Reads(call), reads), call.model, field, typed, rests)
        now.update({f"{name}.{rest}": value for rest, value in reached.items()})
    return now, {path: kept.get(path) for path in paths}


def asked(
    call: Call,
    parts: Parts,
    row: Mapping[str, Any],
    stood: Mapping[str, Any] | None = None,
    *,
    is_preview: bool = False,
    all: Getting | None = None,
) -> Asked:
    """What the conditions say of a row of typed values by path; tables of lines that do not show are among
    what is hidden. ``stood``: the record as it was saved last, None for a new one. In a preview the
    conditions are a draft's, so what may not be read counts as blank: a draft tells its author nothing.
    ``all``: how the platform reads, where that is not the present.
    """
    if not parts.has_conditions and not parts.conditions.any:
        return NOTHING_ASKED
    unseen, kept = ({}, {}) if is_preview else _of_the_unseen(call, parts, row, stood, all)
    now = _judge(call, parts, {**row, **unseen}, is_new=stood is None)
    then = None if stood is None else _judge(call, parts, {**stood, **kept}, is_new=False)
    found = parts.conditions.asked(now, then)
    tables = frozenset(name for name, visible in conditioned(parts.layout) if not now(visible, True))
    return replace(found, hidden=found.hidden | tables)


def stands(
    call: Call,
    parts: Parts,
    row: Mapping[str, Any],
    *,
    is_preview: bool = False,
    all: Getting | None = None,
) -> Asked:
    """What the conditions say of a record as it stands; the rest is as for ``asked``."""
    return asked(call, parts, row, row, is_preview=is_preview, all=all)


def _judge(call: Call, parts: Parts, row: Mapping[str, Any], *, is_new: bool) -> Holds:
    env = call.env(call.clock.now(), is_new=is_new)
    id = row.get("id")
    known = None if is_new or not isinstance(id, UUID) else id
    answered = about(call, parts.object, _formulas(parts), known, row)
    who = call.principal
    person: dict[str, Any] = {"id": who.user_id, "name": who.name, "language": who.language, "zone": who.zone}

    def holds(formula: Formula, failed: bool) -> bool:
        values = [
            person.get(read.path[1]) if read.path[0] == "$user" else row.get(".".join(read.path))
            for read in formula.reads
        ]
        values += [answered[each.root.data] for each in formula.aggregates]
        try:
            return formula.evaluator()(values, env) is True
        except EvaluationError:
            return failed

    return holds


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
