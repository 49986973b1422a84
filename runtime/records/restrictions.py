"""Nobody writes a record to where a restriction hides it from them: neither a new one nor by a change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabwright.platform.errors import Denied
from tabwright.runtime.records.formulas import Evaluation

if TYPE_CHECKING:
    from tabwright.runtime.records.batch import Batch, Work


def check(batch: Batch, work: Work) -> None:
    """Refuse the rows that the caller could not see after the save."""
    rules = work.gate.rule(batch.object, "read").restrictions
    if not rules:
        return
    asked = [
        row
        for row in batch.rows
        if row.action in ("create", "update") and row.new is not None and not row.faults
        if row.old is None or row.changed
    ]
    if not asked:
        return
    evaluation = Evaluation(batch.object, work, tuple(rule.condition for rule in rules), asked)
    for row in asked:
        # A condition that cannot be worked out hides the record, as it does where it is read.
        if not all(evaluation.truth(rule.condition, row, False) for rule in rules):
            row.refuse("record.beyond_restriction", kind=Denied)
