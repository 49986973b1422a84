"""Record types, validation rules and unique rules of one object."""

from __future__ import annotations

from tabwright.formula.datatypes import BOOLEAN
from tabwright.formula.scope import Place as FormulaPlace
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.kinds.work import Work, labels_of
from tabwright.metadata.model import FieldDef, RecordTypeDef, UniqueRuleDef, ValidationRuleDef
from tabwright.metadata.world import FieldSource


def compile_record_type(work: Work, component: Component, object: str) -> RecordTypeDef:
    """A record type: picklist values and defaults of its own, and a layout."""
    body = component.body
    picklists = {}
    for name, codes in body.get("picklists", {}).items():
        field = work.field(component, object, name, "picklists", name)
        if field is None:
            continue
        if not TYPES[field.type].picks:
            work.fault(component, "record_type.not_a_picklist", "picklists", name, name=name)
            continue
        known = work.lens.world.codes(field)
        for number, code in enumerate(codes):
            if known is not None and code not in known:
                work.fault(
                    component, "record_type.unknown_code", "picklists", name, number, code=code, name=name
                )
        picklists[field.name] = tuple(codes)
    defaults = {}
    for name, text in body.get("defaults", {}).items():
        field = work.field(component, object, name, "defaults", name)
        if field is None:
            continue
        if _takes_no_default(field):
            work.fault(component, "record_type.no_default", "defaults", name, name=name)
            continue
        formula = work.formula(
            component, text, "defaults", name,
            object=object, expected=work.lens.world.type_of(field), place=FormulaPlace.DEFAULT,
        )  # fmt: skip
        if formula is not None:
            defaults[field.name] = formula
    layout = None
    if "layout" in body:
        layout = work.named(component, "layout", body["layout"], "layout")
        if layout is not None and layout.partition(".")[0] != object:
            work.fault(component, "record_type.layout_of_another", "layout", name=layout, object=object)
    return RecordTypeDef(
        uid=component.uid,
        name=component.local,
        labels=labels_of(component),
        active=body.get("active", True),
        picklists=picklists,
        defaults=defaults,
        layout=layout.rpartition(".")[2] if layout else None,
    )


def _takes_no_default(field: FieldSource) -> bool:
    return field.component is None or field.type == "auto_number"


def compile_validation_rule(work: Work, component: Component, object: str) -> ValidationRuleDef | None:
    """A validation rule; None when its condition has faults, or when it is not active."""
    body = component.body
    condition = work.formula(
        component, body["condition"], "condition",
        object=object, expected=BOOLEAN, place=FormulaPlace.VALIDATION,
    )  # fmt: skip
    field = work.field(component, object, body["field"], "field") if "field" in body else None
    if condition is None or not body.get("active", True):
        return None
    return ValidationRuleDef(
        uid=component.uid,
        name=component.local,
        condition=condition,
        message=body["message"],
        field=field.name if field else None,
        severity=body.get("severity", "error"),
    )


def compile_unique_rule(work: Work, component: Component, object: str) -> UniqueRuleDef:
    """A rule over one or several fields."""
    names = []
    for number, name in enumerate(component.body["fields"]):
        field = work.field(component, object, name, "fields", number)
        if field is None:
            continue
        if field.component is None or not TYPES[field.type].keys:
            work.fault(component, "unique_rule.not_comparable", "fields", number, name=name, type=field.type)
        names.append(field.name)
    return UniqueRuleDef(
        uid=component.uid,
        name=component.local,
        fields=tuple(names),
        ignore_case=component.body.get("ignore_case", False),
    )


def own_unique_rule(field: FieldDef) -> UniqueRuleDef:
    """The rule that a field's own setting ``unique`` stands for."""
    within = field.unique_within
    return UniqueRuleDef(
        f"{field.uid}:unique",
        field.name,
        (field.name,) if within is None else (within, field.name),
        field.unique == "ignore_case",
        None if within is None else field.name,
    )
