"""The admin's validation rules: errors refuse a record, warnings wait until the caller has seen them.

A warning that holds gives a **token**: it stands for this rule as it reads now, on this record, with what was
sent and what the condition reads. A caller who has seen the warning sends its token back (``Call.confirmed``)
and the warning passes; sent twice it passes twice, and it stands for no other warning. Of warnings the
platform's own writes know nothing: there is nobody to ask. Whoever has the right ``skip_rules`` on the object
is held by none of the rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tabwright.metadata.model import ValidationRuleDef, label_in
from tabwright.platform.errors import Fault, TabwrightError, Unconfirmed
from tabwright.runtime.masks import Sealed
from tabwright.runtime.records.formulas import Evaluation

if TYPE_CHECKING:
    from tabwright.runtime.records.batch import Batch, Row, Work

WARNING = "record.warning"
EVERY = "*"  # in ``Call.confirmed``: an import whose person chose to let warnings pass
MOST_TOKENS = 20_000
_token = re.compile(r"[0-9a-f]{32}")


def tokens_in(given: str) -> frozenset[str]:
    """The tokens that stand in what a caller sent, with commas or blanks between; the rest is nothing."""
    return frozenset(_token.findall(given)[:MOST_TOKENS])


def tokens_of(faults: Iterable[Fault]) -> tuple[str, ...]:
    """What lets the warnings among some faults pass."""
    return tuple(dict.fromkeys(str(each.params["confirm"]) for each in faults if each.code == WARNING))


def only_warns(error: TabwrightError) -> bool:
    """Whether a write was refused for nothing but warnings."""
    return all(fault.code == WARNING for fault in error.faults)


def check(batch: Batch, work: Work) -> None:
    """Refuse the rows for which a rule of severity "error" is true."""
    for rule, row, _ in _found(batch, work, "error"):
        row.refuse("record.rule", rule.field, rule=rule.name, message=label_in(rule.message, work.language))


def warn(batch: Batch, work: Work) -> None:
    """Hold up the rows for which a warning is true that the caller does not let pass."""
    if work.gate.is_system:
        return
    confirmed = work.call.confirmed
    for rule, row, evaluation in list(_found(batch, work, "warning")):
        token = _token_of(work, rule, row, evaluation)
        said = {"rule": rule.name, "message": label_in(rule.message, work.language), "confirm": token}
        fault = Fault(WARNING, said, replace(row.place, field=rule.field, rule=rule.name))
        if token in confirmed or EVERY in confirmed:
            row.warned.append(fault)
        else:
            row.faults.append(fault)
            row.refused_as = Unconfirmed
    if any(row.faults for row in batch.rows) and not batch.per_row:
        batch.stopped = True


def _found(batch: Batch, work: Work, severity: str) -> Iterable[tuple[ValidationRuleDef, Row, Evaluation]]:
    """The rules of a severity with the rows for which they are true."""
    object = batch.object
    rules = [rule for rule in object.validation_rules if rule.severity == severity]
    if not rules or work.gate.skips_rules(object):
        return
    checked = [
        row
        for row in batch.rows
        if row.action in ("create", "update")
        and row.new is not None
        and not row.faults
        and (row.old is None or row.changed)
    ]
    if object.master is not None:  # a part follows its parent's owner, whatever else is wrong with it
        checked = [row for row in checked if row.changed != ["owner"]]
    if not checked:
        return
    evaluation = Evaluation(object, work, tuple(rule.condition for rule in rules), checked)
    for rule in rules:
        for row in checked:
            # An error that cannot be computed refuses the record; a warning is then none.
            if severity == "error":
                true = evaluation.holds(rule.condition, row)
            else:
                true = evaluation.truth(rule.condition, row, False)
            if true:
                yield rule, row, evaluation


def _token_of(work: Work, rule: ValidationRuleDef, row: Row, evaluation: Evaluation) -> str:
    """What stands for this warning. Of a new record only what was sent and what stands behind its lookups:
    its defaults may name the moment, and would be others when it is sent again.
    """
    values = evaluation.read(rule.condition, row)  # of fields, then what was asked of children
    reads = rule.condition.reads
    known = [
        (each.path, each.prior, value)
        for each, value in zip(reads, values, strict=False)
        if row.old is not None or len(each.path) > 1
    ]
    sent = sorted((name, _said(work, value)) for name, value in row.sent.items())
    about = (rule.uid, rule.condition.text, str(row.known_id), sent, known, values[len(reads) :])
    return work.call.tenant.keys.mark(repr(about))


def _said(work: Work, value: Any) -> Any:
    """A sent value as it would be sent again: cipher text and the id of a head are made anew each time."""
    if isinstance(value, Sealed):
        return ""
    return "head" if isinstance(value, UUID) and value in work.heads_made else value
