"""Layouts and list views, those of documents and those that are made when an object has none."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from tabwright.formula.datatypes import BOOLEAN
from tabwright.formula.scope import Place as FormulaPlace
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TEXT_TYPES, TYPES, sorts_in_lists
from tabwright.metadata.kinds.conditions import condition, conditions, offered_when
from tabwright.metadata.kinds.lines import compile_lines, lookup_here
from tabwright.metadata.kinds.showing import shown_as
from tabwright.metadata.kinds.work import Work, labels_of, repeated
from tabwright.metadata.model import (
    ColourRule,
    LayoutDef,
    LayoutField,
    LayoutSection,
    LinesDef,
    ListColumn,
    ListViewDef,
    RelatedList,
)
from tabwright.metadata.world import FieldSource, ObjectSource

Order = tuple[tuple[str, Literal["asc", "desc"]], ...]

_generated_columns = 6
_generated_related = 30
_related_columns = 5


def _order(work: Work, component: Component, object: str, given: Any, *pointer: str | int) -> Order:
    """Fields to sort by. Text sorts by a key that only sortable fields and name fields have."""
    pairs = [[given, "asc"]] if isinstance(given, str) else given
    made: list[tuple[str, Literal["asc", "desc"]]] = []
    for number, (name, direction) in enumerate(pairs):
        at = pointer if isinstance(given, str) else (*pointer, number, 0)
        field = work.field(component, object, name, *at)
        if field is None:
            continue
        if not _sorts(work, field):
            work.fault(component, "list_view.not_sortable", *at, name=field.name, type=field.type)
        made.append((field.name, direction))
    for number in repeated(name for name, _ in made):
        work.fault(component, "document.repeated", *pointer, number, value=made[number][0])
    return tuple(made)


def _sorts(work: Work, field: FieldSource) -> bool:
    if field.type in TEXT_TYPES and field.component is not None:
        source = work.lens.object(field.object)
        named = (
            source is not None
            and source.component is not None
            and source.component.body["name_field"] == field.name
        )
        return named or bool(field.component.body.get("sortable"))
    return sorts_in_lists(field.type)


# ---- layouts ---------------------------------------------------------------------------------------


def compile_layout(work: Work, component: Component, object: str) -> LayoutDef:
    """The layout of a document."""
    sections = []
    shown: set[str] = set()
    tabled: set[str] = set()
    for number, section in enumerate(component.body["sections"]):
        fields = []
        if not section.get("fields") and "lines" not in section:
            work.fault(component, "layout.empty_section", "sections", number, "fields")
        for place, entry in enumerate(section.get("fields", ())):
            placed = _layout_field(
                work, component, object, entry, section, "sections", number, "fields", place
            )
            if placed is None:
                continue
            if placed.field in shown:
                work.fault(
                    component, "layout.field_twice", "sections", number, "fields", place, name=placed.field
                )
            shown.add(placed.field)
            fields.append(placed)
        lines = None
        if "lines" in section:
            at = ("sections", number, "lines")
            lines = compile_lines(work, component, object, section["lines"], *at)
            if lines is not None and lines.relation in tabled:
                work.fault(component, "layout.lines_twice", *at, "relation", name=lines.relation)
            tabled.add(lines.relation if lines is not None else "")
        labels = section.get("label", {})
        if lines is not None and not fields and not labels:
            labels = _related_labels(work, object, *_lookup_here(work, lines))
        sections.append(
            LayoutSection(
                labels, section.get("columns", 2), tuple(fields), section.get("collapsed", False), lines
            )
        )
    related = [
        made
        for number, each in enumerate(component.body.get("related", ()))
        if (made := _related(work, component, object, each, "related", number)) is not None
    ]
    return LayoutDef(
        component.uid,
        component.local,
        labels_of(component),
        tuple(sections),
        tuple(related),
        component.body.get("attachments", True),
    )


def _lookup_here(work: Work, lines: LinesDef) -> tuple[ObjectSource, FieldSource]:
    source, field = work.lens.object(lines.object), work.lens.field(lines.object, lines.field)
    assert source is not None and field is not None
    return source, field


def _layout_field(
    work: Work, component: Component, object: str, entry: Any, section: dict[str, Any], *pointer: str | int
) -> LayoutField | None:
    settings: dict[str, Any] = {"field": entry} if isinstance(entry, str) else entry
    at = pointer if isinstance(entry, str) else (*pointer, "field")
    field = work.field(component, object, settings["field"], *at)
    visible = None
    if "visible" in settings:
        visible = condition(work, component, object, settings["visible"], *pointer, "visible")
    asked = conditions(work, component, object, settings, *pointer)
    if field is None:
        return None
    offered = {}
    if "offered_when" in settings:
        offered = offered_when(work, component, field, settings["offered_when"], *pointer, "offered_when")
    if settings.get("span", 1) > section.get("columns", 2):
        work.fault(component, "layout.span_too_wide", *pointer, "span", columns=section.get("columns", 2))
    if settings.get("required") and settings.get("read_only"):
        work.fault(component, "document.no_effect", *pointer, "required", key="required")
    if settings.get("read_only") and "required_when" in settings:
        work.fault(component, "document.no_effect", *pointer, "required_when", key="required_when")
    return LayoutField(
        field=field.name,
        span=settings.get("span", 1),
        required=settings.get("required", False),
        read_only=settings.get("read_only", False),
        visible=visible,
        required_when=asked.get("required_when"),
        read_only_when=asked.get("read_only_when"),
        offered_when=offered,
    )


def _related(
    work: Work, component: Component, object: str, given: dict[str, Any], *pointer: str | int
) -> RelatedList | None:
    found = lookup_here(work, component, object, given["field"], *pointer, "field")
    if found is None:
        return None
    source, field = found
    columns = [
        path
        for number, text in enumerate(given.get("columns", ()))
        if (path := work.path(component, source.name, text, *pointer, "columns", number)) is not None
    ]
    order = _order(work, component, source.name, given.get("order", []), *pointer, "order")
    return RelatedList(
        source.name,
        field.name,
        tuple(columns) or _columns_of(work, source, field.name, _related_columns),
        order,
        given.get("label") or _related_labels(work, object, source, field),
        given.get("rows", 5),
    )


def _related_labels(work: Work, object: str, source: ObjectSource, field: FieldSource) -> dict[str, str]:
    """The other object's plural; with the lookup's label where several lookups of it point here."""
    assert source.component is not None and field.component is not None
    plural = source.component.body.get("plural") or source.component.body["label"]
    if sum(each.object == source.name for each in work.lens.children(object)) < 2:
        return dict(plural)
    label = field.component.body["label"]
    return {
        language: f"{text} ({label.get(language) or label.get('en') or next(iter(label.values()))})"
        for language, text in plural.items()
    }


def _columns_of(work: Work, source: ObjectSource, but: str, most: int) -> tuple[str, ...]:
    """The fields that stand for a record in a list: its name, its highlights, else its first ones."""
    assert source.component is not None
    work.lens.object(source.name)
    body = source.component.body
    chosen = [body["name_field"], *body.get("highlights", ())]
    if len(chosen) == 1:
        fields_in_order = work.lens.fields(source.name)
        chosen += [
            each.name
            for each in fields_in_order
            if each.component is not None and each.is_active and not TYPES[each.type].wide
        ]
    fields = (work.lens.world.field(source.name, name) for name in chosen)
    names = dict.fromkeys(each.name for each in fields if each is not None and each.name != but)
    for name in list(names)[:most]:
        work.lens.field(source.name, name)
    return tuple(names)[:most]


def generated_layout(work: Work, source: ObjectSource) -> LayoutDef:
    """The layout of an object that has none: fields in order, long texts last, then the record's origin."""
    fields = work.lens.fields(source.name)
    own = [each for each in fields if each.component is not None and each.is_active]
    narrow = [LayoutField(each.name) for each in own if not TYPES[each.type].wide]
    narrow.append(LayoutField("owner"))
    if source.record_type_names:
        narrow.append(LayoutField("record_type"))
    wide = [LayoutField(each.name, span=2) for each in own if TYPES[each.type].wide]
    system = ("created_by", "created_at", "updated_by", "updated_at")
    origin = LayoutSection(
        {"zh": "记录信息", "en": "About this record"},
        2,
        tuple(LayoutField(name, read_only=True) for name in system),
    )
    related = tuple(
        _generated_related_list(work, source.name, each) for each in work.lens.children(source.name)
    )
    first = LayoutSection({}, 2, tuple(narrow + wide))
    labels = {"zh": "标准布局", "en": "Standard"}
    return LayoutDef(None, "standard", labels, (first, origin), related[:_generated_related])


def _generated_related_list(work: Work, object: str, field: FieldSource) -> RelatedList:
    source = work.lens.object(field.object)
    assert source is not None
    columns = _columns_of(work, source, field.name, _related_columns)
    return RelatedList(
        source.name,
        field.name,
        columns,
        (("updated_at", "desc"),),
        _related_labels(work, object, source, field),
    )


# ---- list views ------------------------------------------------------------------------------------


def compile_list_view(work: Work, component: Component, object: str) -> ListViewDef:
    """The list view of a document."""
    body = component.body
    columns = []
    for number, entry in enumerate(body["columns"]):
        plain = isinstance(entry, str)
        at: tuple[str | int, ...] = ("columns", number) if plain else ("columns", number, "field")
        path = work.path(component, object, entry if plain else entry["field"], *at)
        if path is not None:
            columns.append(ListColumn(path, None if plain else entry.get("width")))
    for number in repeated(each.path for each in columns):
        work.fault(component, "list_view.column_twice", "columns", number, name=columns[number].path)
    where = None
    if "where" in body:
        where = work.formula(
            component, body["where"], "where", object=object, expected=BOOLEAN, place=FormulaPlace.WHERE
        )
    order = _order(work, component, object, body.get("order", []), "order")
    colours = tuple(_colour_rules(work, component, object))
    return ListViewDef(
        component.uid, component.local, labels_of(component), tuple(columns), where, order, colours,
        **shown_as(work, component, object),
    )  # fmt: skip


def _colour_rules(work: Work, component: Component, object: str) -> Iterable[ColourRule]:
    for number, rule in enumerate(component.body.get("colours", ())):
        at = ("colours", number)
        when = work.formula(
            component, rule["when"], *at, "when", object=object, expected=BOOLEAN, place=FormulaPlace.WHERE
        )
        path = work.path(component, object, rule["field"], *at, "field") if "field" in rule else None
        if when is not None:
            yield ColourRule(when, rule["colour"], rule["label"], path)


def generated_list_view(work: Work, source: ObjectSource) -> ListViewDef:
    """The list view "all" of an object that has none of this name: all records, last changed first."""
    columns: Iterable[str] = _columns_of(work, source, "", _generated_columns)
    shown = tuple(ListColumn(name) for name in (*columns, "owner", "updated_at"))
    labels = {"zh": "全部", "en": "All"}
    return ListViewDef(None, "all", labels, shown, None, (("updated_at", "desc"),))
