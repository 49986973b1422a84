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
from tabwright.platform.errors import Invalid
from tabwright.runtime.access.gate import Gate, ResolvedPath
from tabwright.runtime.access.principal import person_of
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
    system = Gate.system(call.model)
    names = tuple(
        Read(node.path) for node, _ in nodes.walk(parse(formula.text)) if isinstance(node, nodes.Name)
    )
    there = _resolved(system, object, (*formula.reads, *names))
    seen = {
        read: found
        for read, found in _resolved(call.gate, object, tuple(there)).items()
        if found.field.mask is None and found.field.value_type.kind != "opaque"
    }
    shown = Reads(call).get(object.name, id, _texts(seen))
    stored = Reads(replace(call, gate=system)).get(object.name, id, _texts(there))
    # A record on the way that the person may not see leaves the value blank for them.
    told = {read: found for read, found in seen.items() if shown[found.text] == stored[there[read].text]}
    person, answered = person_of(call.principal), where_in_force(call, object, formula, id)
    given = [
        *(_value(read, there, stored, person) for read in formula.reads),
        *(answered[each.root.data] for each in formula.aggregates),
    ]
    hidden: list[Read | Aggregate] = [read for read in formula.reads if read in there and read not in told]
    hidden += [each for each in answered if not may_tell(call.gate, each)]
    fields = {
        read.path: read in told for read in names if read in there and there[read].field.computed is not None
    }
    step = explain(formula, given, call.env(call.clock.now()), hidden, fields, result=result)
    return Explained(step, told, bool(hidden) or not all(fields.values()))


def _value(
    read: Read, there: Mapping[Read, ResolvedPath], stored: Mapping[str, Any], person: Mapping[str, Any]
) -> Any:
    if read.path[0] == "$user":
        return person.get(read.path[-1] if len(read.path) > 1 else "id")
    return stored.get(there[read].text) if read in there else None


def _resolved(gate: Gate, object: ObjectDef, reads: Sequence[Read]) -> dict[Read, ResolvedPath]:
    """Where in the model each stands that the gate lets pass, globals left out."""
    found = {}
    for read in reads:
        if not read.path[0].startswith("$"):
            with suppress(Invalid):
                found[read] = gate.resolve(object, ".".join(read.path))
    return found


def _texts(found: Mapping[Read, ResolvedPath]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.text for each in found.values()))
