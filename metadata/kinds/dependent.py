"""Picklists that depend on others: the controlling field, and the matrix of what goes with what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tabwright.metadata import limits
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.kinds.work import Work
from tabwright.metadata.world import FieldSource


def dependency(work: Work, component: Component, source: FieldSource) -> dict[str, Any]:
    """``controlled_by`` and ``matrix`` of a field; nothing, with faults, where they cannot be."""
    options = source.options
    if "controlled_by" not in options or "matrix" not in options:
        return {}
    control = work.field(component, source.object, options["controlled_by"], "options", "controlled_by")
    if control is None:
        return {}
    if not TYPES[control.type].picks or control.component is None:
        work.fault(component, "field.control_not_a_picklist", "options", "controlled_by", name=control.name)
        return {}
    if not _chain_ends(work, component, source, control):
        return {}
    codes = work.lens.world
    _check_codes(work, component, options["matrix"], codes.codes(control), codes.codes(source))
    matrix = {code: frozenset(allowed) for code, allowed in options["matrix"].items()}
    return {"controlled_by": control.name, "matrix": matrix}


def _chain_ends(work: Work, component: Component, source: FieldSource, control: FieldSource) -> bool:
    """Whether the fields that control each other come to an end within the limit."""
    above: FieldSource | None = control
    for _ in range(limits.dependent_picklists - 1):
        if above is None or above.name == source.name:
            break
        name = above.options.get("controlled_by")
        above = work.lens.field(source.object, name) if name else None
    if above is None:
        return True
    code = "field.control_circle" if above.name == source.name else "field.control_too_long"
    work.fault(component, code, "options", "controlled_by", limit=limits.dependent_picklists)
    return False


def _check_codes(
    work: Work,
    component: Component,
    matrix: Mapping[str, list[str]],
    controlling: frozenset[str] | None,
    own: frozenset[str] | None,
) -> None:
    for code, allowed in matrix.items():
        if controlling is not None and code not in controlling:
            work.fault(component, "field.matrix_unknown_code", "options", "matrix", code, code=code)
        for number, each in enumerate(allowed):
            if own is not None and each not in own:
                work.fault(
                    component, "field.matrix_unknown_code", "options", "matrix", code, number, code=each
                )
