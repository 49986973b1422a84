"""Conditions under which a field is required, read-only, or offers a value: of a field, or of a layout's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabwright.formula.compiler import Formula
from tabwright.formula.datatypes import BOOLEAN
from tabwright.formula.scope import Place as FormulaPlace
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.kinds.work import Work
from tabwright.metadata.world import FieldSource

ALWAYS = {"required_when": "required", "read_only_when": "read_only"}


def condition(
    work: Work, component: Component, object: str, text: str, *pointer: str | int
) -> Formula | None:
    """The formula of a condition about records of ``object``, or None with its faults."""
    return work.formula(
        component, text, *pointer, object=object, expected=BOOLEAN, place=FormulaPlace.VISIBILITY
    )


def conditions(
    work: Work, component: Component, object: str, given: Mapping[str, Any], *pointer: str | int
) -> dict[str, Formula | None]:
    """``required_when`` and ``read_only_when`` of settings that may have them. One beside the setting that
    holds always could do nothing.
    """
    found: dict[str, Formula | None] = {}
    for key, always in ALWAYS.items():
        if key not in given:
            continue
        if given.get(always):
            work.fault(component, "document.no_effect", *pointer, key, key=key)
        found[key] = condition(work, component, object, given[key], *pointer, key)
    return found


def offered_when(
    work: Work, component: Component, field: FieldSource, given: Mapping[str, str], *pointer: str | int
) -> dict[str, Formula]:
    """For codes of a picklist field, when each can be chosen."""
    if not TYPES[field.type].picks:
        work.fault(component, "layout.offered_without_values", *pointer, name=field.name)
        return {}
    codes = work.lens.world.codes(field)
    found = {}
    for code, text in given.items():
        if codes is not None and code not in codes:
            work.fault(component, "record_type.unknown_code", *pointer, code, code=code, name=field.name)
        made = condition(work, component, field.object, text, *pointer, code)
        if made is not None:
            found[code] = made
    return found
