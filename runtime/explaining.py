"""Why a formula gives what it gives for one record, told to one person.

Formulas run in system mode, so all that they read is read here too; but a name or a value that the person may
not see is not told, nor what was made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from tabwright.formula import nodes
from tabwright.formula.aggregates import Aggregate
from tabwright.formula.compiler import Formula
from tabwright.formula.explaining import Step, explain
from tabwright.formula.parser import parse
from tabwright.formula.typed import Read
from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Invalid, NotFound
from tabwright.runtime.access.gate import Gate, ResolvedPath
from tabwright.runtime.access.principal import person_of
from tabwright.runtime.access.rights import MAX_HOPS
from tabwright.runtime.desk import Call
from tabwright.runtime.query.answers import may_tell, where_in_force
from tabwright.runtime.query.reads import Reads


@dataclass(frozen=True, slots=True)
class Explained:
    """The tree of steps, and for what it read that may be told, where that stands in the model."""

    step: Step
    paths: Mapping[Read, ResolvedPath]
    hides: bool = False  # part of it may not be told


def explained(
    call: Call, object: ObjectDef, formula: Formula, id: UUID, *, result: bool = False
) -> Explained:
    """The formula on a record of the release in force. A field that only a draft has counts as blank; no
    save is going on, so a previous value is the present one. ``result``: the person sees the formula's value
    whatever it is made of, as that of a field is seen by who may read the field.

    Raises NotFound where the person may not see the record.
    """
    names = tuple(
        Read(node.path) for node, _ in nodes.walk(parse(formula.text)) if isinstance(node, nodes.Name)
    )
    there = _ends(replace(call, gate=Gate.system(call.model)), object, (*formula.reads, *names), id)
    seen = _ends(call, object, tuple(there), id)
    told = {read: each.path for read, each in seen.items() if _is_told(each, there[read])}
    person, answered = person_of(call.principal), where_in_force(call, object, formula, id)
    given = [
        *(_value(read, there, person) for read in formula.reads),
        *(answered[each.root.data] for each in formula.aggregates),
    ]
    hidden: list[Read | Aggregate] = [read for read in formula.reads if read in there and read not in told]
    hidden += [each for each in answered if not may_tell(call.gate, each)]
    fields = {
        read.path: read in told
        for read in names
        if read in there and there[read].path.field.computed is not None
    }
    step = explain(formula, given, call.env(call.clock.now()), hidden, fields, result=result)
    return Explained(step, told, bool(hidden) or not all(fields.values()))


@dataclass(frozen=True, slots=True)
class _End:
    """Where a path ends, as far as somebody may see it: what is there, in which record (its id)."""

    path: ResolvedPath
    record: Any
    value: Any


def _is_told(seen: _End, there: _End) -> bool:
    """Whether what somebody sees at the end of a path is what there is; where a record on the way may not be
    seen, it is blank for them.
    """
    field = seen.path.field
    open = field.mask is None and field.value_type.kind != "opaque"
    return open and (seen.record, seen.value) == (there.record, there.value)


def _value(read: Read, there: Mapping[Read, _End], person: Mapping[str, Any]) -> Any:
    if read.path[0] == "$user":
        return person.get(read.path[-1] if len(read.path) > 1 else "id")
    return there[read].value if read in there else None


def _ends(call: Call, object: ObjectDef, reads: Sequence[Read], id: UUID) -> dict[Read, _End]:
    """What the gate of the call lets be named of what is read, globals left out."""
    found: dict[Read, ResolvedPath] = {}
    done: dict[Read, _End] = {}
    for read in reads:
        if not read.path[0].startswith("$"):
            with suppress(Invalid):
                if len(read.path) > MAX_HOPS + 1:  # a formula over another one's paths
                    done |= _far(call, object, read, id)
                else:
                    found[read] = call.gate.resolve(object, ".".join(read.path))
    owners = {read: _record(each) for read, each in found.items()}
    texts = tuple(dict.fromkeys((*(each.text for each in found.values()), *owners.values())))
    row = Reads(call).get(object.name, id, texts)
    return done | {read: _End(each, row[owners[read]], row[each.text]) for read, each in found.items()}


def _record(path: ResolvedPath) -> str:
    """The path of the id of the record that a path ends in; of a name, which is told in any case, itself."""
    return path.text if path.is_name or path.is_called else ".".join((*path.prefix, "id"))


def _far(call: Call, object: ObjectDef, read: Read, id: UUID) -> dict[Read, _End]:
    """A path that is longer than people's: as far as those go, and on from there."""
    names = read.path
    for at in range(MAX_HOPS, 0, -1):
        step = call.gate.resolve(object, ".".join(names[:at]))
        target = call.model.objects.get(step.field.target or "")
        if target is not None:
            break
    else:
        return {}
    rest = Read(names[at:], read.prior)
    hop = Reads(call).get(object.name, id, (step.text,))[step.text]
    if hop is None or not call.gate.may(target, "read"):
        return {}
    with suppress(NotFound):
        found = _ends(call, target, (rest,), hop)
        return {read: found[rest]} if rest in found else {}
    return {}
