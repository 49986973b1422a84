"""An object with everything that hangs on it, compiled from one sub-tree."""

from __future__ import annotations

import hashlib

from tabwright.metadata import limits
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.kinds.computed import check_joins
from tabwright.metadata.kinds.fields import compile_field, system_fields
from tabwright.metadata.kinds.masters import master_of
from tabwright.metadata.kinds.rules import (
    compile_record_type,
    compile_unique_rule,
    compile_validation_rule,
    own_unique_rule,
)
from tabwright.metadata.kinds.sharing import (
    check_access_rules,
    compile_restriction_rule,
    compile_sharing_rule,
)
from tabwright.metadata.kinds.showing import check_defaults, compile_layout_rules
from tabwright.metadata.kinds.views import (
    compile_layout,
    compile_list_view,
    generated_layout,
    generated_list_view,
)
from tabwright.metadata.kinds.work import Work, labels_of
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.metadata.world import ObjectSource


def compile_object(work: Work, source: ObjectSource) -> ObjectDef:
    """An object. Its fields come first: what else there is names them."""
    component = source.component
    assert component is not None
    name, body = source.name, component.body
    _check_limits(work, source, component)
    fields: dict[str, FieldDef] = {}
    for each in source.fields.values():
        if each.component is not None:
            fields[each.name] = compile_field(work, each)
    for system in system_fields(work, name):
        fields.setdefault(system.name, system)
    check_joins(work, source, fields)
    name_field = _name_field(work, source, component)
    master = master_of(work, source, component)
    highlights = []
    for number, field_name in enumerate(body.get("highlights", ())):
        field = work.field(component, name, field_name, "highlights", number)
        if field is not None:
            highlights.append(field.name)
    parts = source.by_kind
    record_types = [compile_record_type(work, each, name) for each in parts.get("record_type", ())]
    layouts = [compile_layout(work, each, name) for each in parts.get("layout", ())]
    list_views = {
        view.name: view
        for view in (compile_list_view(work, each, name) for each in parts.get("list_view", ()))
    }
    every = generated_list_view(work, source)
    check_defaults(work, parts.get("list_view", ()))
    list_views.setdefault(every.name, every)  # a view of one's own never hides it, unless it takes its name
    list_views = dict(sorted(list_views.items(), key=lambda each: each[1].place))
    rules = [compile_validation_rule(work, each, name) for each in parts.get("validation_rule", ())]
    check_access_rules(work, source, master)
    sharing = [compile_sharing_rule(work, each, name) for each in parts.get("sharing_rule", ())]
    restrictions = [compile_restriction_rule(work, each, name) for each in parts.get("restriction_rule", ())]
    own = [own_unique_rule(each) for each in fields.values() if each.unique and not each.system]
    unique = [compile_unique_rule(work, each, name) for each in parts.get("unique_rule", ())]
    return ObjectDef(
        uid=component.uid,
        name=name,
        labels=labels_of(component),
        plural=body.get("plural") or labels_of(component),
        icon=body.get("icon", "box"),
        colour=body.get("colour", "blue"),
        name_field=name_field,
        sharing="parent" if master else body.get("sharing", "private"),
        searchable=body.get("search", True),
        highlights=tuple(highlights),
        fields=fields,
        record_types={each.name: each for each in record_types},
        layouts={each.name: each for each in layouts or [generated_layout(work, source)]},
        list_views=list_views,
        validation_rules=tuple(each for each in rules if each is not None),
        unique_rules=tuple(own + unique),
        package=body.get("package"),
        digest=_digest(work, source),
        aliases=tuple(body.get("aliases", ())),
        field_aliases=source.field_aliases,
        locked=body.get("system", False),
        master=master,
        layout_rules=compile_layout_rules(work, component, name),
        watermark=frozenset(body.get("watermark", ())),
        hierarchy=body.get("hierarchy", "edit"),
        sharing_rules=tuple(each for each in sharing if each is not None),
        restriction_rules=tuple(each for each in restrictions if each is not None),
        names_fields=body.get("field_access") == "granted",
    )


def _name_field(work: Work, source: ObjectSource, component: Component) -> str:
    name: str = component.body["name_field"]
    field = work.field(component, source.name, name, "name_field")
    if field is None:
        return name
    if (
        not field.is_stored
        or not TYPES[field.type].names
        or field.component is None
        or "mask" in field.options
    ):
        work.fault(component, "object.bad_name_field", "name_field", name=name, type=field.type)
    if field.component is not None and not field.component.body.get("active", True):
        work.fault(component, "object.retired_name_field", "name_field", name=name)
    return field.name


def _check_limits(work: Work, source: ObjectSource, component: Component) -> None:
    for kind, components in source.by_kind.items():
        limit = limits.fields_of_object if kind == "field" else limits.parts_of_kind
        if len(components) > limit:
            work.fault(component, "limit.parts", kind=kind, limit=limit, count=len(components))


def _digest(work: Work, source: ObjectSource) -> str:
    """Over the object's own documents and the signatures of what its compile looked at (decision 0010)."""
    made = hashlib.sha256(source.part.digest.encode())
    for question, signature in sorted(work.lens.seen.items()):
        made.update("\0".join((*question, signature)).encode() + b"\n")
    return made.hexdigest()
