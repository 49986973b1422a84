"""What a check or a run counts: outcomes, and of refused rows what was wrong, by column, value and reason."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tabwright.platform.database import Reader
from tabwright.platform.errors import Fault
from tabwright.runtime.desk import Call
from tabwright.runtime.exchange import runs
from tabwright.runtime.exchange.matching import names_of, suggestions
from tabwright.runtime.exchange.parents import OUTCOMES, Round
from tabwright.runtime.exchange.resolving import Chosen, Plan

MOST_ISSUES = 2000  # groups that are told apart
ROWS = ("created", "updated", "unchanged", "failed", "skipped")  # each row of the file is one of these
_UNKNOWN = ("import.unknown_record", "import.unknown_choice")


class Tally:
    """Counts and groups of faults, as the row of an import keeps them."""

    def __init__(self, counts: Mapping[str, Any], issues: Iterable[Mapping[str, Any]] = ()) -> None:
        self.counts: dict[str, Any] = {**runs.NO_COUNTS, **counts}
        self._issues = {(each["column"], each["value"], each["fault"]["code"]): dict(each) for each in issues}
        self._made: set[tuple[str, str]] = set()

    @property
    def finished(self) -> int:
        """How many rows of the file are counted."""
        return sum(int(self.counts[each]) for each in ROWS)

    def row(self, outcome: str, by: int = 1) -> None:
        """Count rows; ``by`` -1 takes one back."""
        self.counts[outcome] += by

    def fault(
        self, columns: Mapping[str, Chosen], row: int, cells: Sequence[str], fault: Fault, by: int = 1
    ) -> None:
        """Count what was wrong with a row; ``by`` -1 takes it back."""
        column, field, value = at_fault(columns, cells, fault)
        value = runs.storable(value[:500])
        issue = self._issues.get((column, value, fault.code))
        if issue is not None:
            issue["count"] += by
        elif by > 0 and len(self._issues) < MOST_ISSUES:
            self._issues[column, value, fault.code] = {
                "column": column,
                "field": field,
                "value": value,
                "count": by,
                "row": row,
                "fault": runs.fault_json(fault),
                "suggestion": None,
            }

    def made(self, records: Sequence[tuple[str, str]], rehearsal: bool) -> None:
        """Count records that were made for lookups, (object, text); a rehearsal makes one many times."""
        self._made.update(records)
        self.counts["made"] = len(self._made) if rehearsal else self.counts["made"] + len(records)

    def parents(self, done: Round) -> None:
        """Count the records of other objects that rows filled."""
        counts = self.counts.setdefault("parents", {})
        for name, each in done.counts.items():
            mine = counts.setdefault(name, dict.fromkeys(OUTCOMES, 0))
            for outcome in OUTCOMES:
                mine[outcome] += each[outcome]

    def issues(self) -> list[dict[str, Any]]:
        """The groups that still have rows, most rows first."""
        found = [each for each in self._issues.values() if each["count"] > 0]
        return sorted(found, key=lambda each: (-each["count"], each["row"]))

    def suggest(self, reader: Reader, call: Call, plan: Plan) -> None:
        """For each unknown value the existing one that was most likely meant."""
        for each in plan.by_field.values():
            issues = [
                issue
                for issue in self._issues.values()
                if issue["column"] == each.name and issue["fault"]["code"] in _UNKNOWN
            ]
            if not issues:
                continue
            issues.sort(key=lambda issue: -issue["count"])
            known: list[str] = []
            if each.field.picklist is not None:
                for value in each.field.picklist.values:
                    known += [value.labels.get(call.language) or value.code, value.code]
            for target, match in each.targets:
                known += names_of(call, reader, target, match)
            found = suggestions(known, [issue["value"] for issue in issues])
            for issue in issues:
                issue["suggestion"] = found.get(issue["value"])


def at_fault(columns: Mapping[str, Chosen], cells: Sequence[str], fault: Fault) -> tuple[str, str, str]:
    """The column of the file, the field and the cell that a fault is about; "" for what it has not."""
    chosen = columns.get(fault.place.field or "")
    if chosen is None:
        return "", fault.place.field or "", ""
    return chosen.name, chosen.field.name, cells[chosen.index] if chosen.index < len(cells) else ""
