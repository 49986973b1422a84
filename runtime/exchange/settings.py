"""What a person decided about an import: the mode, the key, and what becomes of each column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import field as attribute
from typing import Any, Literal

from tabwright.platform.errors import Fault, Invalid, Place
from tabwright.runtime.exchange.dates import ORDERS, Order

Mode = Literal["create", "update", "upsert"]
Missing = Literal["fault", "blank", "create"]
Blank = Literal["keep", "clear"]
Existing = Literal["update", "keep"]

Warnings = Literal["stop", "pass"]

MODES: tuple[Mode, ...] = ("create", "update", "upsert")
MISSING: tuple[Missing, ...] = ("fault", "blank", "create")
BLANKS: tuple[Blank, ...] = ("keep", "clear")
EXISTING: tuple[Existing, ...] = ("update", "keep")
WARNINGS: tuple[Warnings, ...] = ("stop", "pass")
MODE_RIGHTS: Mapping[Mode, tuple[str, ...]] = {
    "create": ("import", "create"),
    "update": ("import", "edit"),
    "upsert": ("import", "create", "edit"),
}
MOST_VALUES = 2000  # of one column's map, and of its texts that are skipped or made
_LISTS = ("skip", "make")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file into one field, or with ``lookup.field`` into a field of the record that the
    lookup names (see ``Parent``).

    ``match`` is the field of a lookup's target that the cells name; ``values`` turns texts of the file into
    others ("" for nothing) before anything else; rows with a text in ``skip`` are left out on purpose;
    ``missing`` says what an unknown lookup becomes, ``make`` for which texts it is made all the same;
    ``blank`` whether an empty cell leaves the field alone or empties it; ``dates`` the order of days written
    with the year last. ``why`` tells where a proposal came from (same, like, before).
    """

    field: str
    match: str | None = None
    values: Mapping[str, str] = attribute(default_factory=dict)
    missing: Missing = "fault"
    blank: Blank = "keep"
    dates: Order = "ymd"
    skip: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    why: str | None = None

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Column:
        return Column(**{**value, **{name: tuple(value.get(name) or ()) for name in _LISTS}})


@dataclass(frozen=True, slots=True)
class Parent:
    """How the records are found that columns ``lookup.field`` fill: ``key`` are fields of theirs (none: the
    name, or what else is there), ``existing`` says whether one that is there already is changed.
    """

    key: tuple[str, ...] = ()
    existing: Existing = "update"


@dataclass(frozen=True, slots=True)
class Before:
    """The earlier import whose settings were taken over: its file, when it was (ISO), and whether the same
    person ran it.
    """

    filename: str
    at: str
    own: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """``columns`` by name of the file's column; a column that is not in it is not imported.

    ``key``: the fields that together name the record of a row; empty where rows only make records. In JSON
    it is nothing, one name, or the names of a unique rule. ``warnings``: whether rows of which a validation
    rule warns stay out, or go in and are listed.
    """

    mode: Mode = "create"
    key: tuple[str, ...] = ()
    columns: Mapping[str, Column] = attribute(default_factory=dict)
    parents: Mapping[str, Parent] = attribute(default_factory=dict)  # by lookup
    before: Before | None = None
    warnings: Warnings = "stop"

    def to_json(self) -> dict[str, Any]:
        return {
            "mode": self.mode,
            "key": key_json(self.key),
            "columns": {name: asdict(column) for name, column in self.columns.items()},
            "parents": {
                name: {"key": key_json(each.key), "existing": each.existing}
                for name, each in self.parents.items()
            },
            "before": asdict(self.before) if self.before is not None else None,
            "warnings": self.warnings,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Settings:
        columns = {name: Column.from_json(each) for name, each in value["columns"].items()}
        parents = {
            name: Parent(_key(each["key"]) or (), each["existing"])
            for name, each in value.get("parents", {}).items()
        }
        before = Before(**value["before"]) if value.get("before") else None
        warnings = value.get("warnings", "stop")
        return Settings(value["mode"], _key(value["key"]) or (), columns, parents, before, warnings)


def key_json(key: tuple[str, ...]) -> str | list[str] | None:
    """A key as it is said in JSON."""
    return list(key) if len(key) > 1 else key[0] if key else None


def _key(value: Any) -> tuple[str, ...] | None:
    """The key that JSON says; None where it says none that could be."""
    names = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
        return None
    return tuple(dict.fromkeys(each for each in names if each))


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
    parents = dict(settings.parents)
    warnings: Warnings = settings.warnings
    for name, value in patch.items():
        if name == "mode":
            known = next((each for each in MODES if each == value), None)
            if known is not None:
                mode = known
            else:
                wrong("/mode", " | ".join(MODES))
        elif name == "key":
            given = _key(value)
            if given is not None:
                key = given
            else:
                wrong("/key", "text | [text, ...] | null")
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
        elif name == "parents" and isinstance(value, Mapping):
            for lookup, change in value.items():
                if change is None:
                    parents.pop(lookup, None)
                else:
                    parents[lookup] = _parent(parents.get(lookup, Parent()), change, lookup, wrong)
        elif name == "warnings":
            chosen = next((each for each in WARNINGS if each == value), None)
            if chosen is not None:
                warnings = chosen
            else:
                wrong("/warnings", " | ".join(WARNINGS))
        else:
            wrong("/" + name[:80], "mode, key, columns, parents, warnings")
    if faults:
        raise Invalid(faults)
    return Settings(mode, key, columns, parents, settings.before, warnings)


def _parent(old: Parent, change: Any, lookup: str, wrong: Any) -> Parent:
    at = f"/parents/{lookup[:80]}"
    if not isinstance(change, Mapping) or not change.keys() <= {"key", "existing"}:
        wrong(at, "key, existing | null")
        return old
    key = _key(change["key"]) if "key" in change else old.key
    existing = change.get("existing", old.existing)
    if key is None:
        wrong(f"{at}/key", "text | [text, ...] | null")
    if existing not in EXISTING:
        wrong(f"{at}/existing", " | ".join(EXISTING))
    return Parent(key or (), existing)


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
        elif name in _LISTS:
            texts = value or []
            if isinstance(texts, list) and all(isinstance(each, str) for each in texts):
                facts[name] = tuple(dict.fromkeys(texts))
                if len(facts[name]) > MOST_VALUES:
                    wrong(at, f"<= {MOST_VALUES}")
            else:
                wrong(at, "[text, ...] | null")
        elif name in _CHOICES:
            if value in _CHOICES[name] and isinstance(value, str):
                facts[name] = value
            else:
                wrong(at, " | ".join(_CHOICES[name]))
        else:
            wrong(at, "field, match, values, skip, make, missing, blank, dates")
    if not facts.get("field"):
        wrong(f"{pointer}/field", "text")
        return None
    if facts["field"] != before:
        facts["why"] = None
        if "match" not in change:
            facts["match"] = None
    return Column(**facts)
