"""What a form for a new record shows before anything is typed."""

from __future__ import annotations

from typing import Any

from tabwright.formula.compiler import Formula
from tabwright.formula.environment import Env
from tabwright.formula.faults import EvaluationError
from tabwright.metadata.model import ObjectDef, RecordTypeDef
from tabwright.runtime.access.principal import person_of
from tabwright.runtime.desk import Call
from tabwright.runtime.records.values import Refused, converter


def known_defaults(call: Call, object: ObjectDef, record_type: RecordTypeDef | None) -> dict[str, Any]:
    """The defaults that depend on no field of the record: constants, the day, the person.

    Typed values by field name. The others the write path fills in from what was typed.
    """
    env = call.env(call.clock.now(), is_new=True)
    own = record_type.defaults if record_type is not None else {}
    subsets = record_type.picklists if record_type is not None else {}
    person = person_of(call.principal)
    found: dict[str, Any] = {}
    for field in object.own_fields:
        formula = own.get(field.name, field.default)
        if formula is None:
            code = field.default_code
            if code is not None and code in subsets.get(field.name, (code,)):
                found[field.name] = code
        elif all(read.path[0] == "$user" for read in formula.reads):
            value = _value(formula, env, person)
            try:
                found[field.name] = None if value is None else converter(field, call.zone)(value)
            except Refused:
                continue  # the write path says so, at its place
    return {name: value for name, value in found.items() if value is not None}


def _value(formula: Formula, env: Env, person: Any) -> Any:
    values = [person.get(read.path[1] if len(read.path) > 1 else "id") for read in formula.reads]
    try:
        return formula.evaluator()(values, env)
    except EvaluationError:
        return None
