"""Tables of lines in a layout: which records, which of their fields, how many, what is summed."""

from __future__ import annotations

from typing import Any

from tabwright.formula.datatypes import BOOLEAN
from tabwright.formula.scope import Place as FormulaPlace
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.kinds.work import Work, repeated
from tabwright.metadata.model import LayoutField, LinesDef
from tabwright.metadata.world import FieldSource, ObjectSource

HEADS = ("lookup", "master_detail")  # by which lines hang on a record; one of several objects has no one head
NO_CELL = frozenset(("json", "secret", "file", "image"))  # nothing that a row has room for


def lookup_here(
    work: Work, component: Component, object: str, name: str, *pointer: str | int
) -> tuple[ObjectSource, FieldSource] | None:
    """The lookup ``object.field`` of another object that points at ``object``, or None with a fault."""
    owner, _, local = name.partition(".")
    source = work.lens.object(owner)
    if source is None:
        work.object(component, owner, *pointer)
        return None
    field = work.field(component, source.name, local, *pointer)
    if field is None:
        return None
    targets = [each.name for name in field.targets if (each := work.lens.object(name)) is not None]
    if field.component is None or object not in targets:
        work.fault(component, "layout.not_a_lookup_here", *pointer, name=name, object=object)
        return None
    return source, field


def compile_lines(
    work: Work, component: Component, object: str, given: dict[str, Any], *pointer: str | int
) -> LinesDef | None:
    """The table of a document's ``lines``; None where it is about nothing, with faults."""
    found = lookup_here(work, component, object, given["relation"], *pointer, "relation")
    if found is None:
        return None
    source, link = found
    if link.type not in HEADS:
        work.fault(component, "layout.lines_relation", *pointer, "relation", name=given["relation"])
        return None
    columns = _columns(work, component, source.name, link, given["columns"], *pointer, "columns")
    visible = None
    if "visible" in given:
        visible = work.formula(
            component, given["visible"], *pointer, "visible",
            object=object, expected=BOOLEAN, place=FormulaPlace.VISIBILITY,
        )  # fmt: skip
    least, most = given.get("min", 0), given.get("max", 200)
    if least > most:
        work.fault(component, "layout.lines_min_max", *pointer, "min", min=least, max=most)
    return LinesDef(
        source.name,
        link.name,
        columns,
        _position(work, component, source.name, columns, given, *pointer),
        least,
        most,
        _totals(work, component, source.name, columns, given.get("totals", ()), *pointer, "totals"),
        visible,
    )


def _columns(
    work: Work, component: Component, object: str, link: FieldSource, given: list[Any], *pointer: str | int
) -> tuple[LayoutField, ...]:
    made = []
    for number, entry in enumerate(given):
        settings: dict[str, Any] = {"field": entry} if isinstance(entry, str) else entry
        at = (*pointer, number) if isinstance(entry, str) else (*pointer, number, "field")
        field = work.field(component, object, settings["field"], *at)
        if field is None:
            continue
        body = field.component.body if field.component is not None else {}
        if field.name == link.name or field.type in NO_CELL or body.get("options", {}).get("rich_text"):
            work.fault(component, "layout.lines_column", *at, name=field.name)
            continue
        if settings.get("required") and settings.get("read_only"):
            work.fault(component, "document.no_effect", *pointer, number, "required", key="required")
        made.append(
            LayoutField(
                field.name,
                required=settings.get("required", False),
                read_only=settings.get("read_only", False),
            )
        )
    for number in repeated(each.field for each in made):
        work.fault(component, "document.repeated", *pointer, number, value=made[number].field)
    return tuple(made)


def _position(
    work: Work,
    component: Component,
    object: str,
    columns: tuple[LayoutField, ...],
    given: dict[str, Any],
    *pointer: str | int,
) -> str | None:
    if "position" not in given:
        return None
    field = work.field(component, object, given["position"], *pointer, "position")
    if field is None:
        return None
    shown = any(each.field == field.name for each in columns)
    if field.type != "integer" or field.component is None or shown:
        work.fault(component, "layout.lines_position", *pointer, "position", name=field.name)
    return field.name


def _totals(
    work: Work,
    component: Component,
    object: str,
    columns: tuple[LayoutField, ...],
    given: list[str],
    *pointer: str | int,
) -> tuple[str, ...]:
    made = []
    for number, name in enumerate(given):
        field = work.field(component, object, name, *pointer, number)
        if field is None:
            continue
        shown = any(each.field == field.name for each in columns)
        if not shown or not TYPES[field.type].number:
            work.fault(component, "layout.lines_total", *pointer, number, name=field.name)
            continue
        made.append(field.name)
    return tuple(made)
