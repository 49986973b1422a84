"""What is asked of the records that name a record: their number, a total, whether all of them are paid...

A **relation** is what stands in a formula for those records. The formulas about them (the value, the
filter, the order) are checked in their scope, so they are trees of their own: `nodes_of` of the outer formula
does not go into them. To the outer formula an aggregate is an input like a field: where the process
evaluates, its value comes from the database (`Formula.aggregates`, each a formula that gives one value in
SQL).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from tabwright.formula.budget import CHILDREN, TEXT_RESULT
from tabwright.formula.datatypes import BOOLEAN, EMPTY_IS_BLANK, TEXT, Type, number
from tabwright.formula.faults import EvaluationError
from tabwright.formula.figures import LIMIT, SCALE, At
from tabwright.formula.typed import Node, Read, nodes_of

Kind = Literal[
    "count", "count_distinct", "sum", "avg", "min", "max", "any", "all", "join", "first", "last"
]  # fmt: skip
_COUNTED: Final = number(0)


@dataclass(frozen=True, slots=True)
class Relation:
    """The records of `object` whose reference `field` names a record of the object `parent`.

    `field` of a reference to one of several objects is narrowed: `related.account`.
    """

    object: str
    field: str
    parent: str

    @property
    def name(self) -> str:
        """As a formula names it, whatever shorter name it may have."""
        return f"{self.object}.{self.field}"


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """One question about children. `value`, `filter` and `order` are typed in their scope."""

    kind: Kind
    relation: Relation
    value: Node | None = None
    filter: Node | None = None
    order: Node | None = None
    separator: str = ""

    @property
    def parts(self) -> tuple[Node, ...]:
        """What is worked out for each child."""
        return tuple(part for part in (self.filter, self.value, self.order) if part is not None)

    @property
    def inputs(self) -> "tuple[Read | Aggregate, ...]":
        """What these need of a child, each once."""
        found = (node.data for part in self.parts for node in nodes_of(part) if node.op in INPUTS)
        return tuple(dict.fromkeys(found))


INPUTS: Final = frozenset({"read", "aggregate"})


@dataclass(frozen=True, slots=True)
class Failed:
    """In place of an aggregate's value: it has none, since one of a child could not be worked out."""

    code: str = "FORMULA_OF_CHILDREN"


def given(value: object, at: At) -> object:
    """The value of an aggregate as the evaluator got it. Raises EvaluationError for one that failed."""
    if isinstance(value, Failed):
        raise EvaluationError(value.code, at.function, (at.start, at.end))
    return value


def of_none(asked: Aggregate) -> Decimal | bool | None:
    """The value of an aggregate of no children."""
    if asked.kind in ("count", "count_distinct", "sum"):
        return Decimal(0)
    return asked.kind == "all" if asked.kind in ("any", "all") else None


def aggregate(key: Node, asked: Aggregate, at: At) -> Node:
    """The node of a question about the children of the record that `key` names."""
    kind, value = asked.kind, asked.value
    if kind in ("count", "count_distinct"):
        return Node("aggregate", _COUNTED, (key,), asked, at, bound=CHILDREN)
    if kind in ("any", "all"):
        return Node("aggregate", BOOLEAN, (key,), asked, at)
    if kind == "join":
        return Node("aggregate", TEXT, (key,), asked, at, length=TEXT_RESULT, checked=True)
    assert value is not None
    if kind in ("sum", "avg"):
        most = value.bound * CHILDREN
        scale = value.scale if kind == "sum" else SCALE
        bound = min(most, LIMIT) if kind == "sum" else value.bound
        checked = most > LIMIT
        return Node("aggregate", number(scale), (key,), asked, at, kind == "avg", bound, 0, checked)
    result: Type = number(value.scale) if value.type.kind == "number" else value.type
    nullable = result.kind not in EMPTY_IS_BLANK
    return Node("aggregate", result, (key,), asked, at, nullable, value.bound, value.length)


def with_inner(root: Node) -> Iterator[Node]:
    """Every node, those about children too."""
    for node in nodes_of(root):
        yield node
        if node.op == "aggregate":
            for part in node.data.parts:
                yield from with_inner(part)
