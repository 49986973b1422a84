"""What a function of the language is: its signatures, where it is legal, its documentation, its examples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from tabwright.formula import nodes
from tabwright.formula.aggregates import Kind
from tabwright.formula.figures import At
from tabwright.formula.scope import EVERYWHERE, Place
from tabwright.formula.typed import Node, make

Group = Literal["logic", "number", "text", "date", "record", "children"]


class Wrong(Exception):
    """An argument that fits the signature but not the function; the checker turns it into a Fault."""

    def __init__(self, code: str, where: nodes.Tree | At, hint: str | None = None, **params: str) -> None:
        super().__init__(code)
        self.code, self.where, self.hint, self.params = code, where, hint, params


@dataclass(frozen=True, slots=True)
class Use:
    """One call of a function: the typed arguments, how they were written, and where it stands."""

    args: tuple[Node, ...]
    written: tuple[nodes.Tree, ...]
    at: At
    compat: bool = False  # whether the rules of imported files hold


Build = Callable[[Use], Node]


@dataclass(frozen=True, slots=True)
class Over:
    """A use of a function whose first argument is a relation.

    `params` are the arguments behind it: "value" or "order" (any type of the child), "number", "ordered" (a
    number or a moment), "text", "condition" (each in the child's scope), "separator" (a text written out).
    The last `optional` ones may be left out; the very last is always the filter.
    """

    kind: Kind
    params: tuple[str, ...]
    optional: int = 1

    def takes(self, count: int) -> bool:
        """Whether a call with `count` arguments behind the relation has the right number of them."""
        return len(self.params) - self.optional <= count <= len(self.params)


@dataclass(frozen=True, slots=True)
class Signature:
    """The kinds of the arguments: a type's kind, "any", or "field" for a field of the record itself.

    The last `optional` ones may be left out; the last `repeats` ones may come again and again. `result` says
    what the call becomes: the name of an operation, or a function that makes the node.
    """

    params: tuple[str, ...]
    result: str | Build
    optional: int = 0
    repeats: int = 0

    def takes(self, count: int) -> bool:
        """Whether a call with `count` arguments has the right number of them."""
        fixed = len(self.params)
        if not self.repeats:
            return fixed - self.optional <= count <= fixed
        return count >= fixed - self.optional and (count - fixed) % self.repeats == 0

    def kind(self, index: int) -> str:
        """The kind of the argument at `index`."""
        if index < len(self.params):
            return self.params[index]
        return self.params[len(self.params) - self.repeats + (index - len(self.params)) % self.repeats]

    def build(self, use: Use) -> Node:
        if isinstance(self.result, str):
            return make(self.result, *use.args, at=use.at)
        return self.result(use)


@dataclass(frozen=True, slots=True)
class Example:
    """A formula that reads nothing, and its value: a test runs it in process and in both databases."""

    formula: str
    value: Any


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    group: Group
    usage: str  # the arguments as the reference shows them
    zh: str
    en: str
    signatures: tuple[Signature, ...]
    examples: tuple[Example, ...] = ()
    places: frozenset[Place] = EVERYWHERE
    over: Over | None = None  # what it does with a relation
