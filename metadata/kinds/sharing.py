"""Sharing rules, which open records of an object, and restriction rules, which close them (decision 0038)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from tabwright.formula.compiler import Formula
from tabwright.formula.datatypes import BOOLEAN
from tabwright.formula.scope import Place as FormulaPlace
from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.work import Work, labels_of
from tabwright.metadata.model import Grantee, RestrictionRuleDef, SharingRuleDef
from tabwright.metadata.world import ObjectSource

_ME = "$user"


def compile_sharing_rule(work: Work, component: Component, object: str) -> SharingRuleDef | None:
    """A sharing rule; None when it has faults, or when it is not active."""
    body = component.body
    if ("when" in body) == bool(body.get("owned_by")):
        work.fault(component, "sharing_rule.one_of_two")
        return None
    when = None
    if "when" in body:
        when = _condition(work, component, object, "when", person=False)
        if when is None:
            return None
    owners = _grantees(work, component, body.get("owned_by", ()), "owned_by")
    to = _grantees(work, component, body["to"], "to")
    if not body.get("active", True):
        return None
    access = body.get("access", "read")
    return SharingRuleDef(component.uid, component.local, labels_of(component), to, access, when, owners)


def compile_restriction_rule(work: Work, component: Component, object: str) -> RestrictionRuleDef | None:
    """A restriction rule; None when it has faults, or when it is not active."""
    body = component.body
    condition = _condition(work, component, object, "condition", person=True)
    held = None
    if body.get("applies_to"):
        found = [
            work.named(component, "permission_set", name, "applies_to", number)
            for number, name in enumerate(body["applies_to"])
        ]
        held = tuple(name for name in found if name is not None)
    if condition is None or not body.get("active", True):
        return None
    return RestrictionRuleDef(component.uid, component.local, labels_of(component), condition, held)


def check_access_rules(work: Work, source: ObjectSource, master: str | None) -> None:
    """A part of a record has its parent's access: rules of its own could do nothing."""
    if master is not None:
        for kind in ("sharing_rule", "restriction_rule"):
            for each in source.by_kind.get(kind, ()):
                work.fault(each, "sharing_rule.of_a_part", object=source.name, field=master)


def _condition(work: Work, component: Component, object: str, key: str, *, person: bool) -> Formula | None:
    """A condition about one record alone: the same answer for everybody at every time, or with ``person``
    also about fields of the person who asks.
    """
    found = work.formula(
        component, component.body[key], key, object=object, expected=BOOLEAN, place=FormulaPlace.SHARING
    )
    if found is None:
        return None
    for read in found.reads:
        mine = read.path[0] == _ME
        if (mine and not person) or (not mine and _leads_away(work, object, read.path)):
            code = "sharing_rule.about_person" if mine else "sharing_rule.other_record"
            work.fault(component, code, key, path=".".join(read.path))
            return None
        if mine and len(read.path) > 2:
            work.fault(component, "sharing_rule.other_record", key, path=".".join(read.path))
            return None
    if found.aggregates:
        work.fault(component, "sharing_rule.other_record", key, path=component.body[key])
        return None
    if found.uses_now or found.uses_record_state or found.trees:
        work.fault(component, "sharing_rule.of_the_moment", key)
        return None
    return found


def _leads_away(work: Work, object: str, path: Sequence[str]) -> bool:
    """Whether a path goes on to another record; a part of an address does not."""
    first = work.lens.field(object, path[0])
    return len(path) > 1 and (first is None or bool(first.target) or bool(first.targets))


def _grantees(
    work: Work, component: Component, given: Iterable[dict[str, Any]], key: str
) -> tuple[Grantee, ...]:
    found = []
    for number, each in enumerate(given):
        kind, code, below = each["kind"], each.get("key", ""), each.get("below", False)
        if (kind == "everyone") == bool(code):
            work.fault(component, "sharing_rule.key", key, number, "key", kind=kind)
        if below and kind not in ("position", "department"):
            work.fault(component, "document.no_effect", key, number, "below", key="below")
        found.append(Grantee(kind, code.strip().lower(), below))
    return tuple(found)
