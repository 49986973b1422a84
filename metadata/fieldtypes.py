"""The field types, one row each: what a formula sees of a value, and which paths take it.

Every room asks here what a type is like, so that a new type is one row here and one entry where its values
are stored (runtime.storage.ways), read (runtime.records.values), typed in (runtime.forms.controls) and shown
(runtime.forms.shown). Which options a type takes says the schema of fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tabwright.formula import datatypes
from tabwright.formula.datatypes import Type
from tabwright.metadata.addresses import PARTS

Options = Mapping[str, Any]
ComputedKind = Literal["formula", "mirror", "roll_up", "snapshot"]
Meaning = Callable[[Options, Iterable[str] | None], Type]


@dataclass(frozen=True, slots=True)
class FieldType:
    """What a type is like. The defaults are those of a plain value such as a date.

    ``storage``: the way in which its column stands (runtime.storage.ways). ``sorts``: lists order it by its
    sort key, by its value, by the name of what it refers to (on request only), or not at all.
    """

    storage: str
    meaning: Meaning
    defaults: Mapping[str, Any] = field(default_factory=dict)
    sorts: Literal["key", "value", "name", "no"] = "value"
    names: bool = False  # a record may be called by it
    searched: bool = False  # global search can look at it
    wide: bool = False  # takes the whole width of a page, and has no place in generated lists
    keys: bool = True  # can stand in a unique rule
    groups: bool = True  # records can be grouped by it
    ranks: bool = True  # has a smallest and a largest value
    number: bool = False  # can be added up
    whole: bool = False  # of a number: without decimal places
    picks: bool = False  # values come from a picklist
    many: bool = False  # a value is several of them
    holds_files: bool = False  # a value names files that were uploaded before: no text, no table can bring it
    links: bool = False  # a value is a record of the object that its options name
    parts: tuple[str, ...] = ()  # a value has parts that paths name: ``site.city``
    several: bool = False  # a value is a record of one of the objects that its options name
    system: bool = False  # only fields that every object has are of it


def _text(length: int | None = None) -> Meaning:
    """A text of so many characters, or of as many as its option says."""
    return lambda options, codes: datatypes.text(options["max_length"] if length is None else length)


def _always(meaning: Type) -> Meaning:
    return lambda options, codes: meaning


def _number(options: Options, codes: Iterable[str] | None) -> Type:
    return datatypes.number(options["scale"], options["precision"])


def _percent(options: Options, codes: Iterable[str] | None) -> Type:
    return datatypes.number(options["scale"], options["precision"], percent=True)


def _choices(options: Options, codes: Iterable[str] | None) -> Type:
    return datatypes.choices(codes)


def _picklist(options: Options, codes: Iterable[str] | None) -> Type:
    return datatypes.picklist(codes)


def _lookup(options: Options, codes: Iterable[str] | None) -> Type:
    return datatypes.reference(options["target"])


_USER = _always(datatypes.reference("user"))
_DIGITS: Mapping[str, Any] = {"precision": 16, "scale": 2}
_reference: Mapping[str, Any] = {"storage": "reference", "sorts": "name", "ranks": False}
_files: Mapping[str, Any] = {
    "meaning": _always(datatypes.OPAQUE),
    "sorts": "no",
    "searched": True,
    "wide": True,
    "keys": False,
    "groups": False,
    "ranks": False,
    "holds_files": True,
}
_kept: Mapping[str, Any] = {"sorts": "name", "system": True}

# In the order in which people choose from them.
TYPES: Mapping[str, FieldType] = {
    "text": FieldType("text", _text(), {"max_length": 255}, sorts="key", names=True, searched=True),
    "long_text": FieldType(
        "long_text",
        _text(),
        {"max_length": 32_768, "rich_text": False},
        sorts="no",
        searched=True,
        wide=True,
        keys=False,
        groups=False,
        ranks=False,
    ),  # fmt: skip
    "integer": FieldType("integer", _number, {"precision": 18, "scale": 0}, number=True, whole=True),
    "decimal": FieldType("number", _number, _DIGITS, number=True),
    "currency": FieldType("number", _number, {**_DIGITS, "currency": "CNY"}, number=True),
    "percent": FieldType("number", _percent, _DIGITS, number=True),
    "boolean": FieldType("boolean", _always(datatypes.BOOLEAN), keys=False, ranks=False),
    "date": FieldType("date", _always(datatypes.DATE)),
    "datetime": FieldType("datetime", _always(datatypes.DATETIME)),
    "time": FieldType("time", _always(datatypes.TIME)),
    "picklist": FieldType("text", _picklist, {"restricted": True}, picks=True),
    "multi_picklist": FieldType(
        "choices", _choices, {"restricted": True}, sorts="no", keys=False, ranks=False, picks=True, many=True
    ),
    "lookup": FieldType(
        meaning=_lookup, defaults={"on_delete": "set_null", "tree": False}, links=True, **_reference
    ),
    "master_detail": FieldType(
        meaning=_lookup, defaults={"access": "parent", "reparent": True}, links=True, **_reference
    ),
    "polymorphic": FieldType(
        "link",
        _always(datatypes.OPAQUE),
        {"on_delete": "set_null"},
        sorts="no",
        keys=False,
        groups=False,
        ranks=False,
        several=True,
    ),  # fmt: skip
    "user": FieldType(meaning=_USER, **_reference),
    "auto_number": FieldType("text", _text(80), {"start": 1}, sorts="key", names=True, searched=True),
    "email": FieldType("text", _text(254), sorts="key", names=True, searched=True),
    "phone": FieldType("text", _text(32), {"country": "CN"}, sorts="key", names=True, searched=True),
    "url": FieldType("text", _text(2000), sorts="key", searched=True),
    "address": FieldType(
        "address",
        _always(datatypes.OPAQUE),
        {"country": "CN"},
        searched=True,
        keys=False,
        groups=False,
        ranks=False,
        parts=PARTS,
    ),  # fmt: skip
    "geolocation": FieldType(
        "point", _always(datatypes.LOCATION), sorts="no", keys=False, groups=False, ranks=False
    ),
    "rating": FieldType("integer", _number, {"scale": 0, "precision": 2, "max": 5}, number=True, whole=True),
    "progress": FieldType("integer", _number, {"scale": 0, "precision": 3}, number=True, whole=True),
    "colour": FieldType("text", _text(7)),
    "barcode": FieldType("text", _text(), {"max_length": 255}, sorts="key", names=True, searched=True),
    "json": FieldType(
        "json",
        _always(datatypes.OPAQUE),
        {"max_length": 32_768},
        sorts="no",
        wide=True,
        keys=False,
        groups=False,
        ranks=False,
    ),  # fmt: skip
    "secret": FieldType(
        "secret",
        _always(datatypes.OPAQUE),
        {"max_length": 255, "mask": "all"},
        sorts="no",
        keys=False,
        groups=False,
        ranks=False,
    ),  # fmt: skip
    "file": FieldType("files", defaults={"max_items": 10, "max_size": 25}, **_files),
    "image": FieldType("files", defaults={"max_items": 10, "max_size": 25}, **_files),
    "owner": FieldType(meaning=_USER, system=True, **_reference),
    "id": FieldType("reference", _always(datatypes.reference()), ranks=False, **_kept),
    "record_type": FieldType("text", _picklist, keys=False, **_kept),
    "revision": FieldType("integer", _always(datatypes.number(0)), system=True),
}
# What a document may say in place of a type: where the values come from. Their own type is another one.
COMPUTED: tuple[ComputedKind, ...] = ("formula", "mirror", "roll_up", "snapshot")
# Their values are copied from another record: they are of the type that stands there.
COPIED: tuple[ComputedKind, ...] = ("mirror", "snapshot")
# Options of such a field that are not its values'.
_SOURCES = frozenset(
    {"returns", "formula", "blanks", "stored", "path", "relation", "function", "value", "filter", "order"}
    | {"separator"}
)
# What a formula may give.
RETURNED = (
    "text", "long_text", "integer", "decimal", "currency", "percent", "boolean", "date", "datetime", "time",
    "picklist", "multi_picklist", "lookup", "user", "url",
)  # fmt: skip
# What a mirror may show the value of, besides.
MIRRORED = (
    "email", "phone", "rating", "progress", "colour", "barcode", "auto_number", "master_detail", "owner",
    "id", "record_type", "revision",
)  # fmt: skip
TEXT_TYPES = frozenset(name for name, each in TYPES.items() if each.sorts == "key")


def returned(computed: str, options: Options) -> tuple[str, Options]:
    """The type and the options of a computed field's values; of a mirror only the World knows them."""
    own = {key: value for key, value in options.items() if key not in _SOURCES}
    return str(options.get("returns", "text")), own


def options_of(type: str, options: Options) -> dict[str, Any]:
    """The options of a field with the defaults of its type filled in."""
    return {**TYPES[type].defaults, **options}


def value_type(type: str, options: Options, codes: Iterable[str] | None) -> Type:
    """What a formula sees of a field; ``codes`` are a picklist's, None when it is open to others."""
    return TYPES[type].meaning(options_of(type, options), codes)


def sorts_in_lists(type: str) -> bool:
    """Whether a list may be ordered by the type; of a text, if it is marked sortable."""
    return TYPES[type].sorts in ("key", "value")
