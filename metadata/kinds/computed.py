"""Computed fields: where their values come from, compiled, and that none is worked out from itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tabwright.formula.compiler import Formula
from tabwright.formula.faults import FormulaError
from tabwright.metadata import fieldtypes, limits, roll_ups
from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.work import Work
from tabwright.metadata.model import Computed, FieldDef
from tabwright.metadata.world import FieldSource, ObjectSource

Prefix = tuple[str, ...]


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


def check_joins(work: Work, source: ObjectSource, fields: Mapping[str, FieldDef]) -> None:
    """The formulas of an object that are worked out when it is read look at no more other records together
    than one statement can join. The field that is one too many is told, with all that count.
    """
    joined: dict[Prefix, None] = {}
    counted: list[str] = []
    for field in fields.values():
        if field.computed is None or field.computed.stored:
            continue
        new = [
            each
            for each in _joined(field.computed.formula)
            if each not in joined and not _is_dotted(work, source, each)
        ]
        if not new:
            continue
        joined |= dict.fromkeys(new)
        counted.append(field.name)
        # The owner is looked for among people and among queues.
        count = len(joined) + sum(each[-1] == "owner" for each in joined)
        if count > limits.formula_joins:
            component = source.fields[field.name].component
            assert component is not None  # a computed field has a document
            work.fault(
                component, "computed.too_many_joins", "options",
                limit=limits.formula_joins, count=count, fields=", ".join(counted),
            )  # fmt: skip
            return


def _joined(formula: Formula) -> Iterator[Prefix]:
    """The lookups that lead to what a formula reads, each with those before it."""
    for read in formula.reads:
        if not read.path[0].startswith("$"):
            yield from (read.path[:at] for at in range(1, len(read.path)))


def _is_dotted(work: Work, source: ObjectSource, path: Prefix) -> bool:
    """Whether the step behind a path is of the same value: a part of an address, the kind of a reference."""
    end = work.lens.world.walk(source.name, path)[-1]
    return end is not None and end.is_dotted


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
