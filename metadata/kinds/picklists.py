"""Global picklists, and the values that a picklist field has of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.work import Work, labels_of, repeated
from tabwright.metadata.model import PicklistDef, PicklistValue


def check_values(
    work: Work, component: Component, values: Sequence[dict[str, Any]], *pointer: str | int
) -> None:
    """Codes are different, and something can be chosen."""
    for number in repeated(value["code"] for value in values):
        work.fault(component, "picklist.code_twice", *pointer, number, "code", code=values[number]["code"])
    if not any(value.get("active", True) for value in values):
        work.fault(component, "picklist.nothing_active", *pointer)


def values_of(values: Sequence[dict[str, Any]]) -> tuple[PicklistValue, ...]:
    """The values of a document; a value without label reads as its code."""
    return tuple(
        PicklistValue(
            code=value["code"],
            labels=value.get("label") or {"en": value["code"]},
            colour=value.get("colour"),
            active=value.get("active", True),
        )
        for value in values
    )


def compile_picklist(work: Work, component: Component) -> PicklistDef:
    """A global picklist."""
    check_values(work, component, component.body["values"], "values")
    return PicklistDef(
        uid=component.uid,
        name=component.name,
        labels=labels_of(component),
        values=values_of(component.body["values"]),
    )
