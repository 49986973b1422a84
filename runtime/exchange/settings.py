"""What a person decided about an import: the mode, the key, and what becomes of each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import field as attribute
from typing import Any, Literal

from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import Denied, Fault, Invalid, NotFound, Place
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.rights import NAMED_BY_ALL
from tabwright.runtime.exchange.dates import ORDERS, Order

Mode = Literal["create", "update", "upsert"]
Missing = Literal["fault", "blank", "create"]
Blank = Literal["keep", "clear"]

MODES: tuple[Mode, ...] = ("create", "update", "upsert")
MISSING: tuple[Missing, ...] = ("fault", "blank", "create")
BLANKS: tuple[Blank, ...] = ("keep", "clear")
MODE_RIGHTS: Mapping[Mode, tuple[str, ...]] = {
    "create": ("import", "create"),
    "update": ("import", "edit"),
    "upsert": ("import", "create", "edit"),
}
MOST_VALUES = 2000  # of one column's map


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file into one field.

    ``match`` is the field of a lookup's target that the cells name; ``values`` turns texts of the file into
    others ("" for nothing) before anything else; ``missing`` says what an unknown lookup becomes; ``blank``
    whether an empty cell leaves the field alone or empties it; ``dates`` the order of days written with the
    year last. ``why`` tells where a proposal came from (same, like, before).
    """

    field: str
    match: str | None = None
    values: Mapping[str, str] = attribute(default_factory=dict)
    missing: Missing = "fault"
    blank: Blank = "keep"
    dates: Order = "ymd"
    why: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """``columns`` by name of the file's column; a column that is not in it is not imported."""

    mode: Mode = "create"
    key: str | None = None
    columns: Mapping[str, Column] = attribute(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        columns = {name: asdict(column) for name, column in self.columns.items()}
        return {"mode": self.mode, "key": self.key, "columns": columns}

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Settings:
        columns = {name: Column(**each) for name, each in value["columns"].items()}
        return Settings(value["mode"], value["key"], columns)


_CHOICES: Mapping[str, tuple[Any, ...]] = {"missing": MISSING, "blank": BLANKS, "dates": ORDERS}


def patched(settings: Settings, patch: Mapping[str, Any]) -> Settings:
    """The settings with a JSON merge patch applied (RFC 7396: null takes away). Only the shape is checked
    here.

    Raises Invalid with a pointer for every fault.
    """
    faults: list[Fault] = []

    def wrong(pointer: str, expected: str) -> None:
        faults.append(Fault("import.bad_setting", {"expected": expected}, Place(pointer=pointer)))

    mode: Mode = settings.mode
    key = settings.key
    columns = dict(settings.columns)
    for name, value in patch.items():
        if name == "mode":
            known = next((each for each in MODES if each == value), None)
            if known is not None:
                mode = known
            else:
                wrong("/mode", " | ".join(MODES))
        elif name == "key":
            if value is None or isinstance(value, str):
                key = value or None
            else:
                wrong("/key", "text")
        elif name == "columns" and isinstance(value, Mapping):
            for column, change in value.items():
                pointer = "/columns/" + column[:200].replace("~", "~0").replace("/", "~1")
                if change is None:
                    columns.pop(column, None)
                elif isinstance(change, Mapping):
                    made = _column(columns.get(column), change, pointer, wrong)
                    if made is not None:
                        columns[column] = made
                else:
                    wrong(pointer, "object | null")
        else:
            wrong("/" + name[:80], "mode, key, columns")
    if faults:
        raise Invalid(faults)
    return Settings(mode, key, columns)


def _column(old: Column | None, change: Mapping[str, Any], pointer: str, wrong: Any) -> Column | None:
    facts: dict[str, Any] = asdict(old) if old is not None else {}
    before = facts.get("field")
    for name, value in change.items():
        at = f"{pointer}/{name[:80]}"
        if name == "why":
            continue
        if name in ("field", "match"):
            if isinstance(value, str) or (value is None and name == "match"):
                facts[name] = value or None
            else:
                wrong(at, "text")
        elif name == "values":
            values = dict(facts.get("values") or {}) if value is not None else {}
            if value is not None and not isinstance(value, Mapping):
                wrong(at, "object")
                continue
            for given, becomes in (value or {}).items():
                if becomes is None:
                    values.pop(given, None)
                elif isinstance(becomes, str):
                    values[given] = becomes
                else:
                    wrong(at, "text")
            if len(values) > MOST_VALUES:
                wrong(at, f"<= {MOST_VALUES}")
            facts[name] = values
        elif name in _CHOICES:
            if value in _CHOICES[name] and isinstance(value, str):
                facts[name] = value
            else:
                wrong(at, " | ".join(_CHOICES[name]))
        else:
            wrong(at, "field, match, values, missing, blank, dates")
    if not facts.get("field"):
        wrong(f"{pointer}/field", "text")
        return None
    if facts["field"] != before:
        facts["why"] = None
        if "match" not in change:
            facts["match"] = None
    return Column(**facts)


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
    """Settings that were found good."""

    object: ObjectDef
    mode: Mode
    key: Chosen | None
    columns: tuple[Chosen, ...]


def resolve(gate: Gate, object: ObjectDef, settings: Settings, header: tuple[str, ...]) -> Plan:
    """What the settings mean for this person now. Raises NotFound and Denied without the rights that the mode
    needs, Invalid with every fault of the settings: a field that may not be read is as unknown as none.
    """
    for right in MODE_RIGHTS[settings.mode]:
        gate.require(object, right)
    faults: list[Fault] = []
    chosen: list[Chosen] = []
    used: dict[str, str] = {}
    for index, name in enumerate(header):
        column = settings.columns.get(name)
        if column is None:
            continue
        found = _field(gate, object, column.field, name, faults)
        if found is None:
            continue
        if found.name in used:
            params = {"field": found.name, "column": name, "other": used[found.name]}
            faults.append(Fault("import.field_twice", params, Place(field=found.name)))
            continue
        used[found.name] = name
        if not gate.can_edit(found) and found.name != settings.key:
            faults.append(
                Fault(
                    "import.field_read_only", {"field": found.name, "column": name}, Place(field=found.name)
                )
            )
            continue
        targets = _targets(gate, found, column, name, faults) if found.is_reference else ()
        chosen.append(Chosen(name, index, column, found, targets))
    for name in settings.columns:
        if name not in header:
            faults.append(Fault("import.unknown_column", {"column": name[:200]}, Place()))
    key = None
    if settings.mode != "create":
        key = next((each for each in chosen if each.field.name == settings.key), None)
        if settings.key is None:
            faults.append(Fault("import.no_key", {}, Place(pointer="/key")))
        elif key is None:
            faults.append(
                Fault("import.key_not_mapped", {"field": settings.key[:200]}, Place(pointer="/key"))
            )
        elif not names_one(object, key.field):
            faults.append(Fault("import.not_a_key", {"field": key.field.name}, Place(pointer="/key")))
    if not chosen and not faults:
        faults.append(Fault("import.nothing_mapped", {}, Place(pointer="/columns")))
    if faults:
        raise Invalid(faults)
    return Plan(object, settings.mode, key, tuple(chosen))


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
    names = NAMED_BY_ALL if field.type == "owner" else (field.target or "",)
    found = (gate.model.objects.get(name) for name in names)
    return tuple(each for each in found if each is not None and gate.may(each, "read"))


def _field(gate: Gate, object: ObjectDef, name: str, column: str, faults: list[Fault]) -> FieldDef | None:
    if "." in name:
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
            if done or field.type == "owner" and target.name == "queue":
                continue  # a queue has no e-mail address by which a user is named
            faults.extend(error.faults)
            continue
        if found not in matchable(gate, target):
            place = Place(object=target.name, field=found.name)
            faults.append(Fault("import.not_a_match", {"field": found.name, "column": name}, place))
            continue
        if column.missing == "create":
            try:
                gate.require(target, "create")
            except (Denied, NotFound) as error:
                faults.extend(error.faults)
            if not gate.can_edit(found):
                faults.append(
                    Fault(
                        "import.field_read_only",
                        {"field": found.name, "column": name},
                        Place(object=target.name),
                    )
                )
        done.append((target, found))
    if not done and not faults:
        faults.append(Fault("object.unknown", {"object": field.target or ""}, Place(field=field.name)))
    return tuple(done)
