"""Snapshots: fields that keep what another record said when it was chosen."""

from __future__ import annotations

from tabwright.metadata.model import FieldDef
from tabwright.runtime.records.batch import Batch, Row, Work
from tabwright.runtime.records.formulas import Evaluation


def fill(batch: Batch, work: Work) -> None:
    """Where a reference is set or changed, what hangs on it is copied, unless the caller says it otherwise.

    Emptying the reference keeps the copy: the other record may be deleted, its price was agreed on. What
    takes a write back (an undo, a restored lookup) brings its own values and copies nothing.
    """
    taken_back = work.operation.cause == "undo" or (work.depth > 0 and work.operation.cause != "rule")
    if taken_back:
        return
    for field in batch.object.own_fields:
        if field.snapshot is None or not field.active:
            continue
        rows = [row for row in batch.good if _chooses(row, field)]
        if rows:
            evaluation = Evaluation(batch.object, work, (field.snapshot.formula,), rows)
            for row in rows:
                assert row.new is not None
                row.new[field.name] = evaluation.shown(field.snapshot.formula, row)


def _chooses(row: Row, field: FieldDef) -> bool:
    """Whether the row names another record than before, and nothing is given for the copy."""
    if row.action not in ("create", "update") or row.new is None or field.name in row.sent:
        return False
    assert field.snapshot is not None
    name = field.snapshot.lookup
    chosen = row.new[name]
    return chosen is not None and (row.old is None or row.old[name] != chosen)
