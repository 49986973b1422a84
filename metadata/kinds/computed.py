"""Computed fields: where their values come from, compiled, and that none is worked out from itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabwright.formula.faults import FormulaError
from tabwright.metadata import fieldtypes, roll_ups
from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.work import Work
from tabwright.metadata.model import Computed
from tabwright.metadata.world import FieldSource


def compile_computed(work: Work, source: FieldSource, options: Mapping[str, Any]) -> Computed | None:
    """Where the values of a computed field come from, or None with all faults. ``options`` are its values',
    with defaults.
    """
    component = source.component
    assert component is not None and source.computed is not None
    _check_keys(work, source, component)
    key = {"mirror": "path", "roll_up": "relation"}.get(source.computed, "formula")
    if source.computed == "mirror" and not shows(work, source, component, fieldtypes.MIRRORED):
        return None
    if source.computed == "roll_up" and _is_broken(work, source, component):
        return None
    ring = work.lens.world.ring(source)
    if ring:
        for each in ring:
            work.lens.field(each.object, each.name)
        shown = " → ".join(each.path for each in (*ring, source))
        work.fault(component, "computed.ring", "options", key, ring=shown)
        return None
    derived = work.lens.derived(source)
    formula = derived.formula
    if formula is None and source.computed == "roll_up":
        _roll_up_faults(work, component, derived.error)
        return None
    if formula is None:
        work.formula_faults(component, derived.error, "options", key)
        return None
    if source.is_stored and formula.uses_reader:
        work.fault(component, "computed.stored_person", "options", key)
    if formula.uses_now:
        for name in ("unique", "searchable"):
            if component.body.get(name):
                work.fault(component, "computed.changes", name, key=name)
    number = source.computed not in fieldtypes.COPIED and fieldtypes.TYPES[source.type].number
    places, length = options.get("scale"), options.get("max_length")
    return Computed(
        kind=source.computed,
        formula=formula,
        shown=formula.finished(
            digits=options.get("precision") if number else None, places=places, length=length
        ),
        column=formula.finished(digits=None, places=places, length=length),
        stored=source.is_stored,
        path=source.text if source.computed == "mirror" else None,
    )


def _check_keys(work: Work, source: FieldSource, component: Component) -> None:
    """What needs a column of its own is asked of a stored field only, and of a type that can have it."""
    kind = fieldtypes.TYPES[source.type]
    can = {"unique": kind.keys, "searchable": kind.searched, "sortable": source.type in fieldtypes.TEXT_TYPES}
    for key, possible in can.items():
        if not component.body.get(key):
            continue
        if not possible:
            work.fault(component, "document.no_effect", key, key=key)
        elif not source.is_stored:
            work.fault(component, "computed.not_stored", key, key=key)
    if component.body.get("unique") == "ignore_case" and source.type not in fieldtypes.TEXT_TYPES:
        work.fault(component, "document.not_allowed", "unique", value="ignore_case", allowed="true", hint="")


def _is_broken(work: Work, source: FieldSource, component: Component) -> bool:
    """Whether a part of a roll-up is no formula by itself, or its relation is not one, with faults."""
    options = component.body["options"]
    found = False
    for key, faults in roll_ups.broken(options):
        work.formula_faults(component, FormulaError(faults), "options", key)
        found = True
    path = tuple(str(options["relation"]).split("."))
    lookup = work.lens.relation(source.object, path)
    if lookup is None or len(path) != 2:
        work.fault(
            component, "layout.not_a_lookup_here", "options", "relation",
            name=options["relation"], object=source.object,
        )  # fmt: skip
        found = True
    return found


def _roll_up_faults(work: Work, component: Component, error: FormulaError | None) -> None:
    written = roll_ups.written(component.body["options"])
    for fault in error.faults if error is not None else ():
        key, moved = written.option_of(fault)
        work.formula_faults(component, FormulaError([moved]), "options", key)


def shows(work: Work, source: FieldSource, component: Component, more: Sequence[str]) -> bool:
    """Whether the path of a mirror or a snapshot leads over a lookup to a field whose value can stand on
    another record: of what a formula gives, or one of ``more``.
    """
    if "." not in source.text:
        work.fault(component, "computed.no_way", "options", "path", path=source.text)
        return False
    if work.path(component, source.object, source.text, "options", "path") is None:
        return False
    end = work.lens.walk(source.object, tuple(source.text.split(".")))[-1]
    assert end is not None
    if end.type not in (*fieldtypes.RETURNED, *more) or "mask" in end.options:
        work.fault(component, "computed.not_shown", "options", "path", path=source.text)
        return False
    return True
