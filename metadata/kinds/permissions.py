"""Permission sets: rights as documents say them, with every name checked and put right."""

from __future__ import annotations

from collections.abc import Iterable

from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.work import Work, labels_of
from tabwright.metadata.model import FieldRight, PermissionSetDef, PermissionSetGroupDef


def compile_permission_set(work: Work, component: Component) -> PermissionSetDef:
    """A permission set."""
    body = component.body
    objects = {}
    for name, rights in body.get("objects", {}).items():
        object = "*" if name == "*" else work.object(component, name, "objects", name)
        if object is not None:
            objects[object] = frozenset(rights)
    fields: dict[str, dict[str, FieldRight]] = {}
    for name, rights in body.get("fields", {}).items():
        object = "*" if name == "*" else work.object(component, name, "fields", name)
        if object is not None:
            fields[object] = _field_rights(work, component, name, object, rights)
    record_types = {}
    for name, types in body.get("record_types", {}).items():
        object = "*" if name == "*" else work.object(component, name, "record_types", name)
        if object is not None:
            record_types[object] = _record_types(work, component, name, object, types)
    return PermissionSetDef(
        uid=component.uid,
        name=component.name,
        labels=labels_of(component),
        system=frozenset(body.get("system", ())),
        objects=objects,
        fields=fields,
        tabs=_shown(work, component, "tab", "tabs"),
        apps=_shown(work, component, "app", "apps"),
        record_types=record_types,
        export_rows=body.get("export_rows"),
        second_factor=body.get("second_factor", False),
        emergency_hours=body.get("emergency_hours"),
    )


def compile_permission_set_group(work: Work, component: Component) -> PermissionSetGroupDef:
    """A group of permission sets."""
    found = []
    for number, name in enumerate(component.body["sets"]):
        work.named(component, "permission_set", name, "sets", number)
        if (set := work.lens.part("permission_set", name)) is not None:
            found.append(set.uid)
    return PermissionSetGroupDef(component.uid, component.name, labels_of(component), tuple(sorted(found)))


def _field_rights(
    work: Work, component: Component, key: str, object: str, rights: dict[str, FieldRight]
) -> dict[str, FieldRight]:
    made: dict[str, FieldRight] = {}
    for name, right in rights.items():
        if name == "*":
            made["*"] = right
        elif object == "*":  # a field name on all objects: any object may have it
            made[name] = right
        else:
            field = work.field(component, object, name, "fields", key, name)
            if field is not None and field.component is None:
                work.fault(component, "permission_set.system_field", "fields", key, name, name=name)
            elif field is not None:
                made[field.name] = right
    return made


def _record_types(
    work: Work, component: Component, key: str, object: str, names: Iterable[str]
) -> tuple[str, ...]:
    made = []
    names = tuple(names)
    if not names and (key == "*" or not component.body["record_types"].get("*")):
        work.fault(component, "permission_set.empty_right", "record_types", key)
    for number, name in enumerate(names):
        if name == "*":
            made.append("*")
        elif object == "*":
            work.fault(component, "permission_set.record_type_of_all", "record_types", key, number, name=name)
        else:
            found = work.named(component, "record_type", f"{object}.{name}", "record_types", key, number)
            if found is not None:
                made.append(found.rpartition(".")[2])
    return tuple(made)


def _shown(work: Work, component: Component, kind: str, key: str) -> tuple[str, ...]:
    made = []
    for number, name in enumerate(component.body.get(key, ())):
        if name == "*" or (kind == "tab" and work.lens.part("tab", name) is None and work.lens.object(name)):
            made.append(name)  # an object's name stands for its generated tab
        else:
            found = work.named(component, kind, name, key, number)
            if found is not None:
                made.append(found)
    return tuple(made)
