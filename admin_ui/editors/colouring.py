"""The colour rules of a list view on its editor: a condition in rows, a colour, and what it means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tabwright.admin_ui.editors.bench import Bench, Form, labels_in
from tabwright.admin_ui.filters import sight
from tabwright.platform.errors import TabwrightError
from tabwright.runtime.conditions import builder
from tabwright.runtime.pages.filtering.sight import GroupSight

BLANK = GroupSight("all", ())


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule on the editor; ``group`` is None where rows cannot say its condition."""

    key: str
    colour: str
    label: Mapping[str, str]
    field: str
    when: str
    group: GroupSight | None


def read(form: Form) -> list[dict[str, Any]]:
    """The rules that a form says, in its order; one without a condition is still being made."""
    found = []
    for key in dict.fromkeys(form.getlist("colours")):
        when = form.get(f"when:{key}", "").strip()
        if not when:
            continue
        rule: dict[str, Any] = {"when": when, "colour": form.get(f"colour:{key}") or "red"}
        rule["label"] = labels_in(form, f"means:{key}") or {}
        if form.get(f"field:{key}"):
            rule["field"] = form[f"field:{key}"]
        found.append(rule)
    return found


def lines(bench: Bench) -> list[RuleLine]:
    """The rules of a list view."""
    given = bench.document.get("colours", ())
    if not given:
        return []
    try:
        seen = sight(bench.studio, bench.object)
    except TabwrightError:  # of a draft that has faults elsewhere: formulas are all there is
        seen = None
    found = []
    for number, each in enumerate(given):
        means, path, when = each.get("label", {}), each.get("field", ""), each["when"]
        group = builder.read(when, seen.resolve) if seen is not None else None
        shown = seen.group(group) if seen is not None and group is not None else None
        found.append(RuleLine(f"r{number}", each["colour"], means, path, when, shown))
    return found
