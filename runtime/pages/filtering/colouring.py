"""The panel in which a person says which records of a list stand out in which colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tabwright.metadata.model import label_in
from tabwright.platform.errors import Fault, Invalid
from tabwright.runtime.conditions import builder
from tabwright.runtime.forms.marks import COLOURS
from tabwright.runtime.lists.marking import MOST_LABEL, MOST_RULES, Rule, Rules, marking_for
from tabwright.runtime.pages.filtering.sight import GroupSight, Sight
from tabwright.runtime.pages.rendering import text
from tabwright.runtime.query.filters import is_understood

NAMES = (*COLOURS, "grey")


@dataclass(frozen=True, slots=True)
class RuleSight:
    """A rule as the panel shows it; ``group`` is None where rows cannot say the condition."""

    colour: str
    label: str
    path: str
    when: str
    group: GroupSight | None


def panel_of(sight: Sight, rules: Rules) -> Mapping[str, Any]:
    """What the panel is made of, for the rules that this person may see."""
    t = text(sight.call.language)
    fields = [
        (each.name, label_in(each.labels, sight.call.language))
        for each in sight.call.gate.readable(sight.object)
        if each.active and each.name not in ("id", "revision")
    ]
    return {
        "rules": tuple(_seen(sight, each) for each in marking_for(sight.call, sight.object, rules).rules),
        "colours": tuple((name, t("colours." + name)) for name in NAMES),
        "paths": (
            ("", t("colours.whole")),
            *((path, t("colours.only", field=label)) for path, label in fields),
        ),
        "known": frozenset(path for path, _ in fields),
    }


def _seen(sight: Sight, rule: Rule) -> RuleSight:
    group = builder.read(rule.when, sight.resolve)
    return RuleSight(
        rule.colour, rule.label, rule.path, rule.when, None if group is None else sight.group(group)
    )


class WrongRules(Exception):
    """Rules that cannot be used: (number of the rule, fault)."""

    def __init__(self, faults: list[tuple[int, Fault]]) -> None:
        super().__init__("rules that cannot be used")
        self.faults = faults


def made(sight: Sight, given: Any) -> Rules:
    """The rules that the panel sends: a list of colour, label, path, and condition (as JSON of rows) or
    formula. Raises Invalid where it is no such list, WrongRules with the faults of all rules.
    """
    if not isinstance(given, list) or len(given) > MOST_RULES:
        raise Invalid.of("condition.bad_shape")
    rules: list[Rule] = []
    faults: list[tuple[int, Fault]] = []
    for number, each in enumerate(given):
        if not isinstance(each, dict):
            raise Invalid.of("condition.bad_shape")
        label = " ".join(str(each.get("label", "")).split())[:MOST_LABEL]
        colour, path = str(each.get("colour", "")), str(each.get("path", ""))
        if colour not in NAMES or (path and not sight.knows(path)):
            raise Invalid.of("condition.bad_shape")
        try:
            rules.append(Rule(_formula(sight, each), colour, label, path))
        except Invalid as error:
            faults += ((number, fault) for fault in error.faults)
        if not label:
            faults.append((number, Fault("pages.colours.no_label", {})))
    if faults:
        raise WrongRules(faults)
    return tuple(rules)


def _formula(sight: Sight, given: Mapping[str, Any]) -> str:
    condition = given.get("condition")
    if condition is None:
        when = str(given.get("formula", "")).strip()
    else:
        when = builder.write(builder.from_json(condition), sight.resolve)
    if not when:
        raise Invalid.of("pages.colours.no_condition")
    if not is_understood(sight.call, sight.object, when):
        raise Invalid.of("pages.colours.bad_formula")
    return when
