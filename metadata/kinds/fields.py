"""Fields: one typed value of every record of an object, and the fields that every object has."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import re2

from tabwright.formula.compiler import compile_formula
from tabwright.formula.datatypes import BOOLEAN
from tabwright.formula.scope import Place as FormulaPlace
from tabwright.metadata import fieldtypes
from tabwright.metadata.choices import CHOICE_SEPARATOR, joined
from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.computed import compile_computed, shows
from tabwright.metadata.kinds.conditions import conditions, offered_when
from tabwright.metadata.kinds.dependent import dependency
from tabwright.metadata.kinds.picklists import check_values, values_of
from tabwright.metadata.kinds.trees import check_tree
from tabwright.metadata.kinds.work import Work, labels_of
from tabwright.metadata.model import FieldDef, PicklistDef, Snapshot
from tabwright.metadata.world import (
    EDITABLE_SYSTEM_FIELDS,
    RESERVED_FIELDS,
    SYSTEM_FIELDS,
    FieldSource,
    RecordScope,
)

_counter = re.compile(r"\{0+\}")
_number_part = re.compile(r"\{([^{}]*)\}")


def check_field(work: Work, component: Component, source: FieldSource) -> None:
    """What can be said of a field by its own document."""
    body, options = component.body, component.body.get("options", {})
    if component.local in RESERVED_FIELDS:
        work.fault(component, "field.reserved_name", "name", name=component.local)
    type = source.type
    if source.computed is not None:
        options = source.options
    full = fieldtypes.options_of(type, options)
    if "scale" in full and type != "integer" and full["scale"] > full["precision"]:
        params = {"scale": full["scale"], "precision": full["precision"]}
        work.fault(component, "field.scale_above_precision", "options", "scale", **params)
    if options.get("min_length", 0) > full.get("max_length", 10**9):
        params = {"min": options["min_length"], "max": full["max_length"]}
        work.fault(component, "field.min_above_max", "options", "min_length", **params)
    if "min" in options and "max" in options and Decimal(options["min"]) > Decimal(options["max"]):
        work.fault(component, "field.min_above_max", "options", "min", min=options["min"], max=options["max"])
    if "pattern" in options:
        (_check_number_pattern if type == "auto_number" else _check_pattern)(work, component)
    for key in ("searchable", "sortable", "unique", "external_key"):
        if "mask" in options and body.get(key):
            work.fault(component, "field.masked", key, key=key)
    if "values" in options:
        check_values(work, component, options["values"], "options", "values")
        marked = [n for n, value in enumerate(options["values"]) if value.get("default")]
        if marked and source.computed is not None:
            work.fault(
                component, "document.no_effect", "options", "values", marked[0], "default", key="default"
            )
        if len(marked) > 1 and not fieldtypes.TYPES[type].many:
            work.fault(component, "field.two_defaults", "options", "values", marked[1], "default")
        if marked and "default" in body:
            work.fault(component, "field.two_defaults", "default")
        for number in marked:
            if not options["values"][number].get("active", True):
                work.fault(component, "field.inactive_default", "options", "values", number, "default")
    alone = "unique_within" not in body and "per" not in options
    unique = body.get("unique") or type == "auto_number"
    if body.get("external_key") and not (unique and alone):
        work.fault(component, "field.key_not_unique", "external_key")
    if body.get("read_only") and body.get("read_only_after_create"):
        work.fault(component, "document.no_effect", "read_only_after_create", key="read_only_after_create")


def _check_pattern(work: Work, component: Component) -> None:
    pattern = component.body["options"]["pattern"]
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(pattern, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        reason = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        work.fault(component, "field.bad_pattern", "options", "pattern", reason=reason)


def _check_number_pattern(work: Work, component: Component) -> None:
    pattern = component.body["options"]["pattern"]
    parts = _number_part.findall(pattern)
    known = {"YYYY", "YY", "MM", "DD"}
    counters = _counter.findall(pattern)
    rest = _number_part.sub("", pattern)
    if (
        len(counters) != 1
        or any(not part.strip("0") == "" and part not in known for part in parts)
        or set(rest) & set("{}")
    ):
        work.fault(component, "field.bad_number_pattern", "options", "pattern", pattern=pattern)
    shown = {part[0] for part in parts}
    needed = {"year": "Y", "month": "YM", "day": "YMD"}.get(component.body["options"].get("restart", ""), "")
    if not shown >= set(needed):
        # The number would come again in the next period.
        work.fault(component, "field.restart_not_shown", "options", "restart", pattern=pattern)


def compile_field(work: Work, source: FieldSource) -> FieldDef:
    """A field of an object."""
    component = source.component
    assert component is not None
    if source.computed is not None:
        source = work.lens.world.settled(source)
    snapshot = _snapshot(work, source, component) if source.computed == "snapshot" else None
    if source.computed not in fieldtypes.COPIED:
        check_field(work, component, source)
    body = component.body
    options = fieldtypes.options_of(source.type, source.options)
    value_type = work.lens.world.type_of(source)
    target = None
    if source.target is not None:
        target = work.object(component, source.target, "options", "target")
    computed = None
    if source.computed is not None and source.computed != "snapshot":
        computed = compile_computed(work, source, options)
    kinds = _kinds(work, component, options) if fieldtypes.TYPES[source.type].several else {}
    default = lookup_filter = None
    if "default" in body:
        default = work.formula(
            component, body["default"], "default",
            object=source.object, expected=value_type, place=FormulaPlace.DEFAULT,
        )  # fmt: skip
    if "filter" in options and target is not None:
        lookup_filter = work.formula(
            component, options["filter"], "options", "filter",
            object=target, expected=BOOLEAN, place=FormulaPlace.WHERE,
        )  # fmt: skip
    if options.get("tree"):
        check_tree(work, source, component, target)
    kind = fieldtypes.TYPES[source.type]
    offered = {}
    if "offered_when" in options:
        at = ("options", "offered_when")
        offered = offered_when(work, component, source, options["offered_when"], *at)
    asked = conditions(work, component, source.object, body)
    numbered = source.type == "auto_number"
    active = body.get("active", True)
    within = _within(work, component, source, options)
    return FieldDef(
        uid=component.uid,
        object=source.object,
        name=source.name,
        labels=labels_of(component),
        type=source.type,
        value_type=value_type,
        help=body.get("help", {}),
        placeholder=body.get("placeholder", {}),
        required=active and (source.type == "master_detail" or body.get("required", False)),
        unique_within=within,
        active=active,
        copy_button=body.get("copy_button", False),
        unique=True if numbered else body.get("unique", False),
        external_key=body.get("external_key", False),
        read_only=numbered or not active or computed is not None or body.get("read_only", False),
        read_only_after_create=body.get("read_only_after_create", not options.get("reparent", True)),
        searchable=body.get("searchable", False),
        sortable=body.get("sortable", False),
        locked=body.get("system", False),
        default=default if active else None,
        picklist=_picklist(work, component, options, kind.many) if kind.picks else None,
        default_code=_default_code(source.type, options) if active else None,
        target=target,
        kinds=kinds,
        into_tree=target is not None and work.lens.tree_of(target) is not None,
        lookup_filter=lookup_filter,
        required_when=asked.get("required_when") if active else None,
        read_only_when=asked.get("read_only_when"),
        offered_when=offered,
        aliases=tuple(each.rpartition(".")[2] for each in body.get("aliases", ())),
        **(dependency(work, component, source) if fieldtypes.TYPES[source.type].picks else {}),
        number_per=within if numbered else None,
        computed=computed,
        snapshot=snapshot,
        declassifies=_declassifies(
            work, component, computed is None and snapshot is None and default is None
        ),
        **_from_options(source.type, options),
    )


def _declassifies(work: Work, component: Component, plain: bool) -> frozenset[str]:
    """The fields whose disclosure was accepted, former names put right. ``plain``: its values are typed."""
    found: list[str] = []
    for number, path in enumerate(component.body.get("declassifies", ())):
        object, _, name = path.partition(".")
        known = work.object(component, object, "declassifies", number)
        field = work.field(component, known, name, "declassifies", number) if known is not None else None
        if field is not None:
            found.append(field.path)
    if found and plain:
        work.fault(component, "document.no_effect", "declassifies", key="declassifies")
    return frozenset(found)


# What a snapshot may keep of a record, besides what a formula gives.
_KEPT = (
    "email", "phone", "rating", "progress", "colour", "barcode", "auto_number", "address", "geolocation",
)  # fmt: skip


def _snapshot(work: Work, source: FieldSource, component: Component) -> Snapshot | None:
    """What a snapshot copies and when, or None with a fault."""
    if not shows(work, source, component, _KEPT):
        return None
    text = source.text
    path = tuple(text.split("."))
    first = work.lens.walk(source.object, path)[0]
    assert first is not None
    for key in ("searchable", "sortable"):
        kind = fieldtypes.TYPES[source.type]
        possible = kind.searched if key == "searchable" else source.type in fieldtypes.TEXT_TYPES
        if component.body.get(key) and not possible:
            work.fault(component, "document.no_effect", key, key=key)
    scope = RecordScope(work.lens, source.object)
    made = compile_formula(text, scope, place=FormulaPlace.DEFAULT, expected=work.lens.world.type_of(source))
    return Snapshot(text, first.name, made)


def _from_options(type: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that the model has under names of its own."""
    given: dict[str, Any] = {
        "min_length": options.get("min_length"),
        "max_length": options.get("max_length"),
        "precision": options.get("precision"),
        "scale": options.get("scale"),
        "minimum": Decimal(options["min"]) if "min" in options else None,
        "maximum": Decimal(options["max"]) if "max" in options else None,
        "max_items": options.get("max_items"),
        "max_size": options.get("max_size"),
        "accept": tuple(options.get("accept", ())),
        "extensions": tuple(options.get("extensions", ())),
        "rich_text": options.get("rich_text", False),
        "mask": options.get("mask"),
        "currency": options.get("currency"),
        "country": options.get("country"),
    }
    if type in ("rating", "progress"):
        given["minimum"] = Decimal(1 if type == "rating" else 0)
        given["maximum"] = Decimal(options.get("max", 100))
    if type == "text":
        given |= {"pattern": options.get("pattern"), "pattern_message": options.get("pattern_message", {})}
    if type == "lookup":
        given |= {"on_delete": options["on_delete"], "tree": options.get("tree", False)}
    if type == "polymorphic":
        given |= {"on_delete": options["on_delete"]}
    if type == "master_detail":
        given |= {"on_delete": "cascade", "master_access": options["access"]}
    if type == "auto_number":
        given |= {"number_pattern": options["pattern"], "number_start": options["start"]}
        given |= {"number_restart": options.get("restart")}
    return given


def _kinds(work: Work, component: Component, options: Mapping[str, Any]) -> dict[str, str]:
    """The objects that a polymorphic field may name: uid -> name, in the admin's order."""
    found: dict[str, str] = {}
    for number, given in enumerate(options.get("targets", ())):
        name = work.object(component, given, "options", "targets", number)
        source = work.lens.object(name) if name is not None else None
        if source is None or source.component is None:
            continue
        if source.component.uid in found:
            work.fault(component, "field.target_twice", "options", "targets", number, name=source.name)
        found[source.component.uid] = source.name
    return found


def _within(work: Work, component: Component, source: FieldSource, options: Mapping[str, Any]) -> str | None:
    """The reference field within which values are unique: ``unique_within``, or a number's ``per``."""
    numbered = "per" in options
    given = options["per"] if numbered else component.body.get("unique_within")
    if given is None:
        return None
    pointer = ("options", "per") if numbered else ("unique_within",)
    found = work.field(component, source.object, given, *pointer)
    if found is None:
        return None
    if found.component is None or (found.type != "user" and not fieldtypes.TYPES[found.type].links):
        work.fault(component, "field.within_no_reference", *pointer, name=found.name)
        return None
    if not numbered and not component.body.get("unique"):
        work.fault(component, "field.within_not_unique", "unique_within")
    return found.name


def _default_code(type: str, options: Mapping[str, Any]) -> str | None:
    """What a new record starts with: the value marked so; of several choices, all that are."""
    marked = [value["code"] for value in options.get("values", ()) if value.get("default")]
    if not marked:
        return None
    return joined(marked) if fieldtypes.TYPES[type].many else str(marked[0])


def _picklist(work: Work, component: Component, options: Mapping[str, Any], many: bool) -> PicklistDef | None:
    restricted = options["restricted"]
    if "values" in options:
        labels = labels_of(component)
        _check_separator(work, component, many, options["values"], "options", "values")
        return PicklistDef(component.uid, component.name, labels, values_of(options["values"]), restricted)
    name = work.named(component, "picklist", options["global"], "options", "global")
    shared = work.lens.part("picklist", name) if name else None
    if shared is None:
        return None
    _check_separator(work, component, many, shared.body["values"], "options", "global")
    values = values_of(shared.body["values"])
    return PicklistDef(shared.uid, shared.name, labels_of(shared), values, restricted)


def _check_separator(
    work: Work, component: Component, many: bool, values: Sequence[Mapping[str, Any]], *pointer: str
) -> None:
    """Several codes stand in one text with semicolons between them, so none may hold one."""
    if not many:
        return
    for each in values:
        if CHOICE_SEPARATOR in each["code"]:
            work.fault(component, "picklist.code_separator", *pointer, code=each["code"])


def system_fields(work: Work, object: str) -> list[FieldDef]:
    """The fields that every object has, after its own."""
    made = []
    world = work.lens.world
    for name, (type, labels) in SYSTEM_FIELDS.items():
        source = FieldSource(object, name, type, {}, None)
        made.append(
            FieldDef(
                uid=f"sys:{name}",
                object=object,
                name=name,
                labels=labels,
                type=type,
                value_type=world.type_of(source),
                read_only=name not in EDITABLE_SYSTEM_FIELDS,
                system=True,
                precision=18 if type == "revision" else None,
                scale=0 if type == "revision" else None,
                target=source.target,
            )
        )
    return made
