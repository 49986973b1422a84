"""The editor of a record type: which picklist values it offers, its defaults, its layout, who may make it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tabwright.admin_ui.editors.bench import Bench, Editor, Form, labels_in
from tabwright.admin_ui.editors.choices import Choice, field_label
from tabwright.admin_ui.editors.start import Ask, Beginning
from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.studio import Studio
from tabwright.formula.lexer import quote
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import label_in
from tabwright.metadata.tree import Key
from tabwright.metadata.world import FieldSource
from tabwright.runtime.access.rights import BASE

EVERYTHING = "*"


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a picklist, and whether the type offers it."""

    code: str
    label: str
    colour: str
    active: bool
    offered: bool


@dataclass(frozen=True, slots=True)
class Picklist:
    """One picklist of the object. ``limited``: the type offers only some of its values; ``default``: the code
    that new records of the type begin with, "" for the field's own default; ``formula``: a default that is no
    code, kept as it stands.
    """

    name: str
    label: str
    limited: bool
    values: tuple[Value, ...]
    default: str
    formula: str
    takes_default: bool


@dataclass(frozen=True, slots=True)
class Maker:
    """A permission set, and whether its people may make records of a type."""

    name: str
    label: str
    chosen: bool
    fixed: bool
    note: str


def picklists(bench: Bench) -> tuple[Picklist, ...]:
    """The living picklists of the object as the type has them."""
    studio, body = bench.studio, bench.document
    source = studio.drafting.world.objects[bench.object]
    found = []
    for field in source.fields.values():
        if not field.is_active or field.component is None or not TYPES[field.type].picks:
            continue
        allowed = body.get("picklists", {}).get(field.name)
        default = str(body.get("defaults", {}).get(field.name, ""))
        values = values_of(studio, field, allowed)
        code = next((each.code for each in values if quote(each.code) == default), "")
        found.append(
            Picklist(
                field.name, field_label(studio, field), allowed is not None, values, code,
                default if default and not code else "", not TYPES[field.type].many,
            )
        )  # fmt: skip
    return tuple(found)


def values_of(studio: Studio, field: FieldSource, allowed: Collection[str] | None) -> tuple[Value, ...]:
    """The values of a picklist of the draft, its own or those of a global one."""
    given = field.options.get("values")
    if given is None:
        shared = studio.drafting.find("picklist", field.options.get("global", ""))
        given = shared.body["values"] if shared is not None else []
    language = studio.call.language
    return tuple(
        Value(
            each["code"], label_in(each["label"], language) if each.get("label") else each["code"],
            each.get("colour", "grey"), each.get("active", True), allowed is None or each["code"] in allowed,
        )
        for each in given
    )  # fmt: skip


def makers(studio: Studio, object: str, local: str) -> tuple[Maker, ...]:
    """Every permission set with whether its people may make records of a type."""
    found = []
    for each in studio.drafting.all("permission_set"):
        types = each.body.get("record_types", {})
        held = types.get(object, types.get(EVERYTHING, ()))
        built_in = each.body.get("package") == BASE
        note = studio.s("audience.built_in") if built_in else ""
        found.append(
            Maker(each.name, studio.label(each), EVERYTHING in held or local in held, built_in, note)
        )
    return tuple(found)


def made_by(
    studio: Studio, object: str, wanted: Mapping[str, Collection[str]], types: Sequence[str]
) -> list[Change]:
    """The permission sets that change so that each may make exactly the ``wanted`` ones of these types.

    ``wanted`` is by the set's name; sets that are not in it, and those of the product, stay.
    """
    found: list[Change] = []
    for each in studio.drafting.all("permission_set"):
        if each.name not in wanted or each.body.get("package") == BASE:
            continue
        document = dict(each.document)
        rights = dict(document.get("record_types", {}))
        held = rights[object] if object in rights else rights.get(EVERYTHING, ())
        before = {name for name in types if EVERYTHING in held or name in held}
        after = [name for name in types if name in wanted[each.name]]
        if before == set(after):
            continue
        if after or rights.get(EVERYTHING):
            rights[object] = after
        else:
            rights.pop(object, None)
        document["record_types"] = rights
        if not rights:
            del document["record_types"]
        found.append(Put(document))
    return found


def read(bench: Bench, form: Form) -> Sequence[Change]:
    """The record type that a form says, and the permission sets that may make records of it."""
    studio, body = bench.studio, bench.document
    limits, defaults = dict(body.get("picklists", {})), dict(body.get("defaults", {}))
    for each in picklists(bench):
        limits.pop(each.name, None)
        if f"limit:{each.name}" in form:
            offered = form.getlist(f"offer:{each.name}")
            limits[each.name] = [value.code for value in each.values if value.code in offered]
        if each.takes_default and not each.formula:
            defaults.pop(each.name, None)
            if form.get(f"default:{each.name}"):
                defaults[each.name] = quote(form[f"default:{each.name}"])
    changed: dict[str, Any] = {
        "label": labels_in(form),
        "description": labels_in(form, "description"),
        "active": None if "active" in form else False,
        "picklists": limits or None,
        "defaults": defaults or None,
        "layout": form.get("layout") or None,
    }
    found: list[Change] = [bench.changed(changed)]
    if "asked" in form:
        local = bench.name.partition(".")[2]
        chosen = form.getlist("set")
        wanted = {}
        for maker in makers(studio, bench.object, local):
            others = [
                n
                for n in _types(studio, bench.object)
                if n != local and _may(studio, maker.name, bench.object, n)
            ]
            wanted[maker.name] = [*others, local] if maker.name in chosen else others
        found += made_by(studio, bench.object, wanted, _types(studio, bench.object, local))
    return found


def _types(studio: Studio, object: str, more: str = "") -> list[str]:
    """The local names of the object's record types in the draft."""
    found = [each.local for each in studio.drafting.all("record_type", object)]
    return found if not more or more in found else [*found, more]


def _may(studio: Studio, set: str, object: str, local: str) -> bool:
    types = studio.drafting.get("permission_set", set).body.get("record_types", {})
    held = types.get(object, types.get(EVERYTHING, ()))
    return EVERYTHING in held or local in held


def more(bench: Bench) -> dict[str, Any]:
    """What the page of the editor shows."""
    studio, object = bench.studio, bench.object
    return {
        "picklists": picklists(bench),
        "layouts": tuple(
            Choice(each.name, studio.label(each)) for each in studio.drafting.all("layout", object)
        ),
        "makers": makers(studio, object, bench.name.partition(".")[2]),
        "siblings": [
            (path("types", each.name), studio.label(each), each.name == bench.name)
            for each in studio.drafting.all("record_type", object)
        ],
        "assign_href": path("assign", object),
    }


def asks(studio: Studio, object: str) -> tuple[Ask, ...]:
    """Who may make records of the new type."""
    open_sets = [each for each in studio.drafting.all("permission_set") if each.body.get("package") != BASE]
    choices = tuple(Choice(each.name, studio.label(each)) for each in open_sets)
    return (Ask("set", studio.s("types.makers"), "checks", choices, studio.s("types.makers_hint")),)


def around(studio: Studio, name: str, form: Form) -> Sequence[Change]:
    """The permission sets that may make records of the new type."""
    object, _, local = name.partition(".")
    chosen = form.getlist("set")
    wanted = {
        each: [*(n for n in _types(studio, object) if _may(studio, each, object, n)), local]
        for each in chosen
    }
    return made_by(studio, object, wanted, _types(studio, object, local))


def owns(bench: Bench, key: Key) -> bool:
    """Nothing else: rights go through the plan."""
    return False


EDITOR = Editor("record_type", "types", "record_type.html", read, more, owns=owns)
BEGINNING = Beginning(EDITOR, "new-type", asks, lambda studio, object, form: {}, around)
