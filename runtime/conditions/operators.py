"""What a row of a condition can say of a field, by the kind of its value: one template formula each.

A template is a formula over ``F`` (the field), ``V`` and ``W`` (what the person gives), ``VS`` (any number of
them, last in a call). Writing fills it in; reading finds it again. So each operator is a line of data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, Literal

from tabwright.formula.nodes import Tree
from tabwright.formula.parser import parse

# What a row asks for beside its field: texts of a person, as the field's own input takes them.
Operand = Literal["time", "text", "number", "date", "count", "codes", "ids", "place"]


@dataclass(frozen=True, slots=True)
class Operator:
    """``name`` is its key in a row and in messages (``condition.op.<name>``); ``also`` are other templates
    of the same meaning, which are read, never written.
    """

    name: str
    template: str
    operands: tuple[Operand, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def tree(self) -> Tree:
        return _tree(self.template)

    @property
    def trees(self) -> tuple[Tree, ...]:
        """All that is read as this operator."""
        return tuple(_tree(text) for text in (self.template, *self.also))


@cache
def _tree(template: str) -> Tree:
    return parse(template)


_BLANK: Final = (
    Operator("blank", "ISBLANK(F)"),
    Operator("not_blank", "NOT ISBLANK(F)", also=("NOT(ISBLANK(F))",)),
)

_TEXT: Final = (
    Operator("contains", "CONTAINS(F, V)", ("text",)),
    Operator("not_contains", "NOT CONTAINS(F, V)", ("text",)),
    Operator("is", "F = V", ("text",)),
    Operator("is_not", "F <> V", ("text",)),
    Operator("begins", "BEGINS(F, V)", ("text",)),
    Operator("ends", "ENDS(F, V)", ("text",)),
    *_BLANK,
)
_NUMBER: Final = (
    Operator("is", "F = V", ("number",)),
    Operator("is_not", "F <> V", ("number",)),
    Operator("above", "F > V", ("number",)),
    Operator("at_least", "F >= V", ("number",)),
    Operator("below", "F < V", ("number",)),
    Operator("at_most", "F <= V", ("number",)),
    Operator("between", "BETWEEN(F, V, W)", ("number", "number")),
    *_BLANK,
)
_BOOLEAN: Final = (
    Operator("yes", "F", also=("F = TRUE",)),
    Operator("no", "NOT F", also=("F = FALSE",)),
)
_PICKLIST: Final = (
    Operator("any_of", "IN(F, VS)", ("codes",), also=("ISPICKVAL(F, V)", "F = V")),
    Operator("none_of", "NOT IN(F, VS)", ("codes",), also=("NOT ISPICKVAL(F, V)", "F <> V")),
    *_BLANK,
)
_CHOICES: Final = (
    Operator("any_of", "INCLUDES(F, VS)", ("codes",)),
    Operator("all_of", "INCLUDESALL(F, VS)", ("codes",)),
    Operator("none_of", "EXCLUDES(F, VS)", ("codes",)),
    *_BLANK,
)
_TIME: Final = (
    Operator("is", "F = TIMEVALUE(V)", ("time",)),
    Operator("before", "F < TIMEVALUE(V)", ("time",)),
    Operator("after", "F > TIMEVALUE(V)", ("time",)),
    Operator("from", "F >= TIMEVALUE(V)", ("time",)),
    Operator("until", "F <= TIMEVALUE(V)", ("time",)),
    Operator("between", "BETWEEN(F, TIMEVALUE(V), TIMEVALUE(W))", ("time", "time")),
    *_BLANK,
)
_REFERENCE: Final = (
    Operator("any_of", "IN(F, VS)", ("ids",), also=("F = V",)),
    Operator("none_of", "NOT IN(F, VS)", ("ids",), also=("F <> V",)),
    *_BLANK,
)
_TREE: Final = (
    *_REFERENCE[:2],
    Operator("under", "BELOW(F, VS)", ("ids",)),
    Operator("not_under", "NOT BELOW(F, VS)", ("ids",)),
    *_REFERENCE[2:],
)
_LOCATION: Final = (
    Operator(
        "within",
        "DISTANCE(F, GEOLOCATION(V)) <= W",
        ("place", "number"),
        also=('DISTANCE(F, GEOLOCATION(V), "km") <= W',),
    ),
    Operator("farther", "DISTANCE(F, GEOLOCATION(V)) > W", ("place", "number")),
    *reversed(_BLANK),
)
_LINK: Final = tuple(reversed(_BLANK))
_NARROWED: Final = (
    Operator("of_kind", "NOT ISBLANK(F)", also=("NOT(ISBLANK(F))",)),
    Operator("not_of_kind", "ISBLANK(F)"),
    *_REFERENCE[:2],
)
_PEOPLE: Final = (
    Operator("me", "F = $User.Id"),
    Operator("not_me", "F <> $User.Id"),
    *_REFERENCE,
)


def _days(day: str) -> tuple[Operator, ...]:
    """Operators on a calendar day; ``day`` is the field's day in the language."""
    monday = "ADDDAYS(TODAY(), -MOD(WEEKDAY(TODAY()) + 5, 7))"
    quarter, present = f"YEAR({day}) * 4 + QUARTER({day})", "YEAR(TODAY()) * 4 + QUARTER(TODAY())"
    spans = {
        "today": f"{day} = TODAY()",
        "yesterday": f"{day} = ADDDAYS(TODAY(), -1)",
        "tomorrow": f"{day} = ADDDAYS(TODAY(), 1)",
        "this_week": f"BETWEEN({day}, {monday}, ADDDAYS({monday}, 6))",
        "last_week": f"BETWEEN({day}, ADDDAYS({monday}, -7), ADDDAYS({monday}, -1))",
        "next_week": f"BETWEEN({day}, ADDDAYS({monday}, 7), ADDDAYS({monday}, 13))",
        "this_month": f"BETWEEN({day}, ADDDAYS(EOMONTH(TODAY(), -1), 1), EOMONTH(TODAY(), 0))",
        "last_month": f"BETWEEN({day}, ADDDAYS(EOMONTH(TODAY(), -2), 1), EOMONTH(TODAY(), -1))",
        "next_month": f"BETWEEN({day}, ADDDAYS(EOMONTH(TODAY(), 0), 1), EOMONTH(TODAY(), 1))",
        "this_quarter": f"{quarter} = {present}",
        "last_quarter": f"{quarter} = {present} - 1",
        "next_quarter": f"{quarter} = {present} + 1",
        "this_year": f"YEAR({day}) = YEAR(TODAY())",
        "last_year": f"YEAR({day}) = YEAR(TODAY()) - 1",
        "next_year": f"YEAR({day}) = YEAR(TODAY()) + 1",
    }
    return (
        *(Operator(name, template) for name, template in spans.items()),
        Operator("last_days", f"BETWEEN({day}, ADDDAYS(TODAY(), -V), TODAY())", ("count",)),
        Operator("next_days", f"BETWEEN({day}, TODAY(), ADDDAYS(TODAY(), V))", ("count",)),
        Operator("older_days", f"{day} < ADDDAYS(TODAY(), -V)", ("count",)),
        Operator("past", f"{day} < TODAY()"),
        Operator("future", f"{day} > TODAY()"),
        Operator("is", f"{day} = V", ("date",)),
        Operator("before", f"{day} < V", ("date",)),
        Operator("after", f"{day} > V", ("date",)),
        Operator("from", f"{day} >= V", ("date",)),
        Operator("until", f"{day} <= V", ("date",)),
        Operator("between", f"BETWEEN({day}, V, W)", ("date", "date")),
        *_BLANK,
    )


_BY_KIND: Final[Mapping[str, tuple[Operator, ...]]] = MappingProxyType(
    {
        "text": _TEXT,
        "number": _NUMBER,
        "boolean": _BOOLEAN,
        "picklist": _PICKLIST,
        "choices": _CHOICES,
        "time": _TIME,
        "opaque": _BLANK,
        "reference": _REFERENCE,
        "tree": _TREE,
        "link": _LINK,
        "location": _LOCATION,
        "narrowed": _NARROWED,
        "person": _PEOPLE,
        "date": _days("F"),
        "datetime": _days("DATEVALUE(F)"),
    }
)


def operators(kind: str) -> tuple[Operator, ...]:
    """What can be said of a value of this kind, the usual first; none for a kind that has no rows."""
    return _BY_KIND.get(kind, ())


def operator(kind: str, name: str) -> Operator | None:
    """One of them by its name."""
    return next((each for each in operators(kind) if each.name == name), None)


def kinds() -> tuple[str, ...]:
    """Every kind that has operators."""
    return tuple(_BY_KIND)
