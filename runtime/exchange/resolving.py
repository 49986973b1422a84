"""What settings mean under a model and a person's rights: columns, keys, parents, and every fault of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import Denied, Fault, Invalid, NotFound, Place
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.exchange.settings import MODE_RIGHTS, Column, Existing, Mode, Parent, Settings


@dataclass(frozen=True, slots=True)
class Chosen:
    """A column with what its names stand for under a model and a person's rights.

    ``targets`` are the objects that a reference may name with their match fields; empty for other fields.
    """

    name: str
    index: int
    column: Column
    field: FieldDef
    targets: tuple[tuple[ObjectDef, FieldDef], ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings that were found good. ``key``: the columns that together name a record."""

    object: ObjectDef
    mode: Mode
    key: tuple[Chosen, ...]
    columns: tuple[Chosen, ...]
    parents: tuple[ParentPlan, ...] = ()

    @property
    def by_field(self) -> dict[str, Chosen]:
        """The columns by the field that they fill; a parent's by ``lookup.field``."""
        found = {each.field.name: each for each in self.columns}
        for parent in self.parents:
            found |= {f"{parent.lookup.name}.{each.field.name}": each for each in parent.plan.columns}
        return found

    @property
    def key_names(self) -> tuple[str, ...]:
        return tuple(each.field.name for each in self.key)

    @property
    def key_ignores_case(self) -> bool:
        return _ignores_case(self.object, self.key_names)


@dataclass(frozen=True, slots=True)
class ParentPlan:
    """The records that a lookup of the rows names and that columns of the same rows fill."""

    lookup: FieldDef
    plan: Plan
    existing: Existing


def resolve(gate: Gate, object: ObjectDef, settings: Settings, header: tuple[str, ...]) -> Plan:
    """What the settings mean for this person now. Raises NotFound and Denied without the rights that the mode
    needs, Invalid with every fault of the settings: a field that may not be read is as unknown as none.
    """
    gate.require_right("import")
    for right in MODE_RIGHTS[settings.mode]:
        gate.require(object, right)
    faults: list[Fault] = []
    own = {
        name: each
        for name, each in settings.columns.items()
        if "." not in each.field or part_of(gate, object, each.field) is not None
    }
    fillable = gate.editable(object) if settings.mode == "update" else gate.settable(object)
    chosen = _chosen(gate, object, own, settings.key, fillable, header, faults)
    parents = _parents(gate, object, settings, header, faults)
    for parent in parents:
        given = next((each for each in chosen if each.field == parent.lookup), None)
        if given is not None:
            params = {"field": given.field.name, "column": given.name, "other": parent.plan.columns[0].name}
            faults.append(Fault("import.field_twice", params, Place(field=given.field.name)))
        elif parent.lookup not in fillable:
            faults.append(_read_only(parent.lookup, parent.plan.columns[0].name))
    for name in settings.columns:
        if name not in header:
            faults.append(Fault("import.unknown_column", {"column": name[:200]}, Place()))
    key: tuple[Chosen, ...] = ()
    if settings.mode != "create":
        # A lookup whose record comes from the same row may be part of the key, as its columns name it.
        named = [replace(each.plan.columns[0], field=each.lookup, targets=()) for each in parents]
        key = _key_columns(keys_of(object), settings.key, [*chosen, *named], faults, "/key")
    if not chosen and not parents and not faults:
        faults.append(Fault("import.nothing_mapped", {}, Place(pointer="/columns")))
    if faults:
        raise Invalid(faults)
    return Plan(object, settings.mode, key, tuple(chosen), parents)


def _chosen(
    gate: Gate,
    object: ObjectDef,
    columns: Mapping[str, Column],
    key: tuple[str, ...],
    fillable: Collection[FieldDef],
    header: tuple[str, ...],
    faults: list[Fault],
) -> list[Chosen]:
    chosen: list[Chosen] = []
    used: dict[str, str] = {}
    for index, name in enumerate(header):
        column = columns.get(name)
        found = _field(gate, object, column.field, faults) if column is not None else None
        if column is None or found is None:
            continue
        if found.name in used:
            params = {"field": found.name, "column": name, "other": used[found.name]}
            faults.append(Fault("import.field_twice", params, Place(field=found.name)))
            continue
        used[found.name] = name
        whole = object.fields[found.name.partition(".")[0]]
        if whole not in fillable and found.name not in key:
            faults.append(_read_only(found, name))
            continue
        if found.holds_files:
            faults.append(Fault("file.no_import", {"field": found.name}, Place(field=found.name)))
            continue
        targets = _targets(gate, found, column, name, faults) if found.is_reference else ()
        chosen.append(Chosen(name, index, column, found, targets))
    return chosen


def _read_only(field: FieldDef, column: str) -> Fault:
    return Fault("import.field_read_only", {"field": field.name, "column": column}, Place(field=field.name))


def _parents(
    gate: Gate, object: ObjectDef, settings: Settings, header: tuple[str, ...], faults: list[Fault]
) -> tuple[ParentPlan, ...]:
    by_lookup: dict[str, dict[str, Column]] = {}
    for name, column in settings.columns.items():
        hop, dot, field = column.field.partition(".")
        if dot and part_of(gate, object, column.field) is None:
            by_lookup.setdefault(hop, {})[name] = replace(column, field=field)
    done = []
    for name, columns in by_lookup.items():
        lookup = _field(gate, object, name, faults)
        if lookup is None:
            continue
        target = parent_of(gate, object, lookup)
        if target is None:
            faults.append(Fault("import.not_a_parent", {"field": lookup.name}, Place(field=lookup.name)))
            continue
        given = settings.parents.get(name, Parent())
        try:
            for right in ("import", "create", *(("edit",) if given.existing == "update" else ())):
                gate.require(target, right)
        except (Denied, NotFound) as error:
            faults.extend(error.faults)
            continue
        chosen = _chosen(gate, target, columns, given.key, gate.settable(target), header, faults)
        known = parent_keys(target)
        key = given.key or _likely_key(known, chosen)
        found = _key_columns(known, key, chosen, faults, f"/parents/{lookup.name}/key")
        if chosen:
            done.append(ParentPlan(lookup, Plan(target, "upsert", found, tuple(chosen)), given.existing))
    for name in settings.parents:
        if name not in by_lookup:
            place = Place(pointer=f"/parents/{name[:80]}")
            faults.append(Fault("import.no_parent", {"field": name[:80]}, place))
    return tuple(done)


def parent_of(gate: Gate, object: ObjectDef, lookup: FieldDef) -> ObjectDef | None:
    """The object whose records columns may fill beside those of ``object``; None for another field."""
    if not TYPES[lookup.type].links or lookup.target == object.name:
        return None
    return next(iter(targets_of(gate, lookup)), None)


def part_of(gate: Gate, object: ObjectDef, path: str) -> FieldDef | None:
    """The part of an address that a path names, ``site.city``; None for another path."""
    field = gate.find(object, path.partition(".")[0])
    if field is None or path.partition(".")[2] not in TYPES[field.type].parts:
        return None
    return field.part(path.partition(".")[2])


def parent_keys(target: ObjectDef) -> tuple[tuple[str, ...], ...]:
    """By what rows may name a parent: its name, or what names one record."""
    return tuple(dict.fromkeys(((target.name_field,), *keys_of(target))))


def _likely_key(known: tuple[tuple[str, ...], ...], chosen: list[Chosen]) -> tuple[str, ...]:
    """The first key for which there are columns."""
    mapped = {each.field.name for each in chosen}
    return next((each for each in known if mapped >= set(each)), ())


def _key_columns(
    keys: tuple[tuple[str, ...], ...],
    key: tuple[str, ...],
    chosen: list[Chosen],
    faults: list[Fault],
    pointer: str,
) -> tuple[Chosen, ...]:
    """The columns of a key, in the order of its rule; every fault of it in ``faults``."""
    at = Place(pointer=pointer)
    by_name = {each.field.name: each for each in chosen}
    missing = [name for name in key if name not in by_name]
    if not key:
        faults.append(Fault("import.no_key", {}, at))
    for name in missing:
        faults.append(Fault("import.key_not_mapped", {"field": name[:200]}, at))
    if not key or missing:
        return ()
    known = next((each for each in keys if set(each) == set(key)), None)
    if known is None:
        faults.append(Fault("import.not_a_key", {"field": ", ".join(key)[:200]}, at))
    return tuple(by_name[name] for name in known or ())


def keys_of(object: ObjectDef) -> tuple[tuple[str, ...], ...]:
    """The keys of an object: fields that name one record by themselves, then unique rules of several."""
    single = [(each.name,) for each in object.fields.values() if names_one(object, each)]
    return (*single, *(rule.fields for rule in object.unique_rules if len(rule.fields) > 1))


def _ignores_case(object: ObjectDef, names: tuple[str, ...]) -> bool:
    return any(rule.ignore_case and rule.fields == names for rule in object.unique_rules)


def names_one(object: ObjectDef, field: FieldDef) -> bool:
    """Whether the field names one record of its object: the id, an external key, a unique field, an auto
    number.
    """
    if field.type in ("id", "auto_number") or field.external_key or field.unique:
        return True
    return any(rule.fields == (field.name,) for rule in object.unique_rules)


def matchable(gate: Gate, target: ObjectDef) -> tuple[FieldDef, ...]:
    """The fields by which a cell may name a record of the object: the name first, then what names one
    record.
    """
    named = [target.name_field, *(each.name for each in target.fields.values() if names_one(target, each))]
    fields = (target.fields[name] for name in dict.fromkeys(named) if name in target.fields)
    return tuple(each for each in fields if gate.can_read(each) and each.type != "long_text")


def targets_of(gate: Gate, field: FieldDef) -> tuple[ObjectDef, ...]:
    """The objects that a reference may name, as far as this person may read them."""
    found = (gate.model.objects.get(name) for name in field.targets)
    return tuple(each for each in found if each is not None and gate.may(each, "read"))


def _field(gate: Gate, object: ObjectDef, name: str, faults: list[Fault]) -> FieldDef | None:
    if "." in name and part_of(gate, object, name) is None:
        faults.append(
            Fault("field.unknown", {"path": name[:200]}, Place(object=object.name, field=name[:200]))
        )
        return None
    try:
        return gate.resolve(object, name).field
    except Invalid as error:
        faults.extend(error.faults)
        return None


def _targets(
    gate: Gate, field: FieldDef, column: Column, name: str, faults: list[Fault]
) -> tuple[tuple[ObjectDef, FieldDef], ...]:
    done: list[tuple[ObjectDef, FieldDef]] = []
    for target in targets_of(gate, field):
        match = column.match or target.name_field
        try:
            found = gate.resolve(target, match).field
        except Invalid as error:
            if done or field.kinds or (field.type == "owner" and target.name == "queue"):
                continue  # a queue has no e-mail address by which a user is named
            faults.extend(error.faults)
            continue
        if found not in matchable(gate, target):
            place = Place(object=target.name, field=found.name)
            faults.append(Fault("import.not_a_match", {"field": found.name, "column": name}, place))
            continue
        if column.missing == "create" or column.make:
            try:
                gate.require(target, "create")
            except (Denied, NotFound) as error:
                faults.extend(error.faults)
            if not gate.can_edit(found):
                faults.append(_read_only(found, name))
        done.append((target, found))
    if not done and not faults:
        faults.append(Fault("object.unknown", {"object": field.target or ""}, Place(field=field.name)))
    return tuple(done)
