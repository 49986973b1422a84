"""The types of the language, and the rule for the type that two values have in common."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

KINDS: Final = (
    "text", "number", "boolean", "date", "datetime", "time", "picklist", "choices", "reference", "opaque",
    "location", "null",
)  # fmt: skip
TEXT_LIKE: Final = frozenset({"text", "picklist"})
# Kinds whose blank is the empty text inside the language.
EMPTY_IS_BLANK: Final = TEXT_LIKE | {"choices", "opaque"}


@dataclass(frozen=True, slots=True)
class Type:
    """What a field holds or a formula gives.

    `scale` of a number: places after the point that it can have at most (and the storage scale on SQLite);
    None on an expected type means "any". `target` of a reference: the object's name. `values` of a picklist:
    the codes that exist, None when free. `percent` marks a percent field: stored 50, read as 0.5 in a
    formula. `choices` are several codes of a picklist as one text, ";a;b;". Of an `opaque` value it can only
    be asked whether it is blank. `length` of a text: the characters that it can have at most, None when
    unknown.
    `digits` of a number: before and after the point together, None for 18, the most there can be.
    """

    kind: str
    scale: int | None = None
    target: str | None = None
    values: frozenset[str] | None = None
    percent: bool = False
    length: int | None = None
    digits: int | None = None


TEXT: Final = Type("text")
BOOLEAN: Final = Type("boolean")
DATE: Final = Type("date")
DATETIME: Final = Type("datetime")
TIME: Final = Type("time")
OPAQUE: Final = Type("opaque")
LOCATION: Final = Type("location")
NULL: Final = Type("null")


def number(scale: int | None = None, digits: int | None = None, *, percent: bool = False) -> Type:
    """A number with `scale` places after the point."""
    return Type("number", scale=scale, percent=percent, digits=digits)


def text(length: int | None = None) -> Type:
    """A text of at most `length` characters."""
    return Type("text", length=length)


def picklist(values: Iterable[str] | None = None) -> Type:
    """A picklist of these codes."""
    return Type("picklist", values=None if values is None else frozenset(values))


def choices(values: Iterable[str] | None = None) -> Type:
    """Several of these codes."""
    return Type("choices", values=None if values is None else frozenset(values))


def reference(target: str | None = None) -> Type:
    """A reference to a record of the object `target`."""
    return Type("reference", target=target)


def common(a: Type, b: Type) -> Type | None:
    """The type of a value that is sometimes an `a` and sometimes a `b`; None when there is none."""
    if a == b or b.kind == "null":
        return a
    if a.kind == "null":
        return b
    if a.kind == b.kind == "number":
        return number(max(a.scale or 0, b.scale or 0))
    if a.kind == b.kind == "reference":
        return reference()
    if a.kind == b.kind and a.kind in ("picklist", "choices"):
        values = None if a.values is None or b.values is None else a.values | b.values
        return replace(a, values=values)
    if {a.kind, b.kind} <= TEXT_LIKE:
        return TEXT
    return a if a.kind == b.kind else None
