"""Formula fields that a database cannot work out: made in process from what they read, to be shown.

A statement gives a blank in the place of such a value and, at the end of its tuples, what the formula reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabwright.formula.compiler import Formula
from tabwright.formula.environment import Env
from tabwright.formula.faults import EvaluationError
from tabwright.runtime.query.rows import Tuples
from tabwright.runtime.query.source import Input, values_of
from tabwright.runtime.storage.columns import Codec


@dataclass(frozen=True, slots=True)
class InProcess:
    """One such field: where its value and its mark of an error stand in a tuple, where what it reads begins.

    The first of what it reads is the id of the record that the formula is about: blank where there is none.
    """

    formula: Formula
    at: int
    flag: int
    first: int
    inputs: tuple[Input, ...]
    codec: Codec

    def put(self, row: list[Any], env: Env, person: Mapping[str, Any]) -> None:
        """Set the value, and the mark."""
        if row[self.first] is None:
            return
        values = values_of(self.inputs, row[self.first + 1 :], person)
        try:
            row[self.at] = self.codec.to_storage(self.formula.evaluator()(values, env))
        except EvaluationError:
            row[self.flag] = 1


def worked_out(
    fields: Sequence[InProcess], tuples: Sequence[tuple[Any, ...]], env: Env, person: Mapping[str, Any]
) -> Tuples:
    """The tuples with the values of these fields."""
    if not fields:
        return tuples
    made = []
    for each in tuples:
        row = list(each)
        for field in fields:
            field.put(row, env, person)
        made.append(tuple(row))
    return made
