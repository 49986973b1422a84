"""Why a formula gives what it gives for one record, told to one person.

Formulas run in system mode, so all that they read is read here too; but a name or a value that the person may
not see is not told, nor what was made of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from tabwright.formula.aggregates import Aggregate
from tabwright.formula.compiler import Formula
from tabwright.formula.explaining import Step, explain
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


def explained(call: Call, object: ObjectDef, formula: Formula, id: UUID) -> Explained:
    """The formula on a record of the release in force. A field that only a draft has counts as blank; no
    save is going on, so a previous value is the present one.

    Raises NotFound where the person may not see the record.
    """
    system = Gate.system(call.model)
    there = _resolved(system, object, formula.reads)
    seen = {
        read: found
        for read, found in _resolved(call.gate, object, tuple(there)).items()
        if found.field.mask is None and found.field.value_type.kind != "opaque"
    }
    shown = Reads(call).get(object.name, id, _texts(seen))
    stored = Reads(replace(call, gate=system)).get(object.name, id, _texts(there))
    person = person_of(call.principal)
    values = {
        read: person.get(read.path[-1] if len(read.path) > 1 else "id")
        if read.path[0] == "$user"
        else stored.get(there[read].text)
        if read in there
        else None
        for read in formula.reads
    }
    # A record on the way that the person may not see leaves the value blank for them.
    told = {read: found for read, found in seen.items() if shown[found.text] == values[read]}
    hidden: list[Read | Aggregate] = [read for read in there if read not in told]
    answered = where_in_force(call, object, formula, id)
    hidden += [each for each in answered if not may_tell(call.gate, each)]
    given = [
        *(values[read] for read in formula.reads),
        *(answered[each.root.data] for each in formula.aggregates),
    ]
    return Explained(explain(formula, given, call.env(call.clock.now()), hidden), told)


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
