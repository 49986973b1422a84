"""Colour rules: which records of a list stand out, in which colour, and what that means in words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from markupsafe import escape

from tabwright.metadata.model import ListViewDef, ObjectDef, label_in
from tabwright.platform.errors import Invalid
from tabwright.platform.language import Language
from tabwright.runtime.desk import Call
from tabwright.runtime.forms.marks import colour
from tabwright.runtime.query.asked import mark_key
from tabwright.runtime.query.filters import is_understood

MOST_RULES: Final = 10
MOST_LABEL: Final = 40
_MOST_FORMULA: Final = 2_000


@dataclass(frozen=True, slots=True)
class Rule:
    """Records for which the formula ``when`` is true have ``colour``, which means ``label``; with a ``path``
    only their value in that column has.
    """

    when: str
    colour: str
    label: str
    path: str = ""


Rules = tuple[Rule, ...]


def published_rules(view: ListViewDef, language: Language) -> Rules:
    """Those that an admin gave a list view."""
    return tuple(
        Rule(each.when.text, each.colour, label_in(each.labels, language), each.path or "")
        for each in view.colours
    )


def rules_text(rules: Iterable[Rule]) -> str:
    """Rules as an address or a saved view says them; "" for none."""
    rows = [[each.when, each.colour, each.label, each.path] for each in rules]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":")) if rows else ""


def read_rules(text: str) -> Rules:
    """The rules of such a text; what is none is left out."""
    try:
        rows = json.loads(text) if text else []
    except (ValueError, RecursionError):
        return ()
    return rules_of(rows)


def rules_of(rows: Any) -> Rules:
    """The rules of such a JSON value; what is none is left out."""
    found = []
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, list) and len(row) == 4 and all(isinstance(each, str) for each in row):
            when, name, label, path = row
            if when.strip() and len(when) <= _MOST_FORMULA:
                found.append(Rule(when, colour(name), " ".join(label.split())[:MOST_LABEL], path[:200]))
    return tuple(found[:MOST_RULES])


@dataclass(frozen=True, slots=True)
class Marking:
    """The rules of one list as its rows answer them: a row says of each by ``mark_key`` whether it holds."""

    rules: Rules

    @property
    def formulas(self) -> tuple[str, ...]:
        """What to ask of each record (``Query.marks``)."""
        return tuple(each.when for each in self.rules)

    def of_record(self, row: Mapping[str, Any]) -> Rule | None:
        """The first rule for whole records that holds."""
        return self._first(row, "")

    def of_value(self, row: Mapping[str, Any], path: str) -> Rule | None:
        """The first rule for a column that holds."""
        return self._first(row, path)

    def of_card(self, row: Mapping[str, Any]) -> Rule | None:
        """The first rule that holds, of those for whole records before those for columns."""
        held = [each for n, each in enumerate(self.rules) if row.get(mark_key(n))]
        return next((each for each in held if not each.path), held[0] if held else None)

    def _first(self, row: Mapping[str, Any], path: str) -> Rule | None:
        return next(
            (each for n, each in enumerate(self.rules) if each.path == path and row.get(mark_key(n))), None
        )

    def paths(self) -> frozenset[str]:
        """The columns that have rules of their own."""
        return frozenset(each.path for each in self.rules if each.path)

    def legend(self, shown: Sequence[str] | None = None) -> Rules:
        """The rules to explain, each colour and label once; ``shown``: only those of these columns."""
        told: dict[tuple[str, str], Rule] = {}
        for each in self.rules:
            if not each.path or shown is None or each.path in shown:
                told.setdefault((each.colour, each.label), each)
        return tuple(told.values())


def marking_for(call: Call, object: ObjectDef, rules: Rules) -> Marking:
    """What this person may see of the rules: those that name a field they may not read would tell of it, and
    are left out, as are those that mean nothing any more.
    """
    if not rules:
        return PLAIN

    def make() -> Marking:
        return Marking(tuple(each for each in rules if _is_open(call, object, each)))

    key = ("marking", call.tenant.store.key, object.digest, call.gate.footprint(object), call.language, rules)
    return call.tenant.pieces.get(key, make, 1_000)


def _is_open(call: Call, object: ObjectDef, rule: Rule) -> bool:
    if rule.path:
        try:
            call.gate.resolve(object, rule.path)
        except Invalid:
            return False
    return is_understood(call, object, rule.when)


PLAIN: Final = Marking(())


def mark_of(rule: Rule | None) -> str:
    """The attribute of what stands out."""
    return "" if rule is None else f' data-mark="{rule.colour}"'


def label_of(rule: Rule | None) -> str:
    """What the colour means, beside what stands out."""
    if rule is None or not rule.label:
        return ""
    return f' <small class="tw-marked" data-c="{rule.colour}">{escape(rule.label)}</small>'
