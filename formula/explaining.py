"""How a formula came to its value: every sub-expression with the value that it had for one record.

The walk is that of the oracle, so an explanation says what was computed and nothing else: what a lazy
function passed over stands there as skipped, and an error stands at the innermost place where it arose.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from tabwright.formula import figures, nodes
from tabwright.formula.aggregates import INPUTS, Aggregate
from tabwright.formula.compiler import Formula
from tabwright.formula.datatypes import Type
from tabwright.formula.environment import Env, Value
from tabwright.formula.faults import EvaluationError
from tabwright.formula.parser import parse
from tabwright.formula.printer import print_formula
from tabwright.formula.scope import Path
from tabwright.formula.treewalk import Input, Walk, outward
from tabwright.formula.typed import Node, Read, nodes_of

State = Literal["value", "error", "skipped", "hidden"]
NO_FIELDS: Final[Mapping[Path, bool]] = {}
HIDDEN_NAME: Final = "…"  # stands in a text for a name that the reader may not see


@dataclass(frozen=True, slots=True)
class Step:
    """A sub-expression: how it is written, what it gave, and what it was made of.

    ``start`` and ``end`` are its place in the formula's text. ``error`` is there at each step that has no
    value because of it; it arose at the innermost one. ``read`` is the name that a step is. Of a
    step that is hidden, and of one that was skipped, ``value`` says nothing.
    """

    text: str
    start: int
    end: int
    state: State
    type: Type
    value: Value = None
    error: EvaluationError | None = None
    read: Read | None = None
    parts: "tuple[Step, ...]" = ()

    def all(self) -> "Iterator[Step]":
        """This step and all below it, in the order of the text."""
        yield self
        for part in self.parts:
            yield from part.all()

    @property
    def failing(self) -> "Step | None":
        """The innermost step that the error of this one comes from."""
        if self.state != "error":
            return None
        return next((found for part in self.parts if (found := part.failing)), self)


def explain(
    formula: Formula,
    values: Sequence[Input],
    env: Env,
    hidden: Collection[Read | Aggregate] = (),
    fields: Mapping[Path, bool] = NO_FIELDS,
    *,
    result: bool = False,
) -> Step:
    """The formula's value as a tree of steps.

    ``values`` stand in the order of ``formula.inputs``. What is ``hidden`` takes part in the computing, but
    neither its name nor any value that was made with it is told; with ``result`` the formula's own value is,
    for who sees that anyway.
    ``fields`` are names that stand for formulas of their own, and whether their values may be told, whatever
    those look at. Raises nothing: an error is part of the explanation.
    """
    figures.use_context()
    walk = _Recorder(dict(zip(formula.inputs, values, strict=True)), env)
    walk.look(formula.root)
    syntax = parse(formula.text)
    written: dict[tuple[int, int], nodes.Tree] = {}
    for tree, _ in nodes.walk(syntax):
        written.setdefault((tree.start, tree.end), tree)
    teller = _Teller(walk, written, frozenset(hidden), fields)
    whole = teller.whole(formula.root, syntax, result)
    return replace(whole, type=formula.type)


class _Recorder(Walk):
    """Keeps what every node gave: a value, or the error that came up through it."""

    def __init__(self, values: dict[Read | Aggregate, Input], env: Env) -> None:
        super().__init__(values, env)
        self.seen: dict[int, Any] = {}

    def value(self, node: Node) -> Any:
        try:
            found = super().value(node)
        except EvaluationError as error:
            self.seen[id(node)] = error
            raise
        self.seen[id(node)] = found
        return found

    def look(self, node: Node) -> None:
        """Evaluate, whatever comes of it."""
        try:
            self.value(node)
        except EvaluationError:
            pass


class _Teller:
    def __init__(
        self,
        walk: _Recorder,
        written: Mapping[tuple[int, int], nodes.Tree],
        hidden: frozenset[Read | Aggregate],
        fields: Mapping[Path, bool],
    ) -> None:
        self._walk = walk
        self._written = written
        self._hidden = hidden
        self._names = frozenset(path for each in hidden for path in _named(each))
        self._names |= {path for path, told in fields.items() if not told}
        names = {place: tree.path for place, tree in written.items() if isinstance(tree, nodes.Name)}
        self._fields = {place: fields[path] for place, path in names.items() if path in fields}
        self._hides: dict[int, bool] = {}

    def whole(self, root: Node, syntax: nodes.Tree, result: bool) -> Step:
        step = self._step(root, syntax)
        return replace(step, **self._outcome(root)) if result and step.state == "hidden" else step

    def _step(self, node: Node, tree: nodes.Tree) -> Step:
        within = _under(node) if self._is_hidden(node) else ()
        for part in within:  # who sees a part sees its value: it does not tell what a hidden one chose
            if id(part) not in self._walk.seen and not self._is_hidden(part):
                self._walk.look(part)
        place = tree.start, tree.end
        parts: dict[tuple[int, int], Step] = {}
        for below in self._parts(node, place):
            parts.setdefault((below.start, below.end), below)
        return Step(
            text=print_formula(_without(tree, self._names)),
            start=tree.start,
            end=tree.end,
            type=node.type,
            read=Read(tree.path) if isinstance(tree, nodes.Name) else None,
            parts=tuple(sorted(parts.values(), key=lambda each: each.start)),
            **({"state": "hidden"} if self._is_hidden(node) else self._outcome(node)),
        )

    def _outcome(self, node: Node) -> dict[str, Any]:
        if id(node) not in self._walk.seen:
            return {"state": "skipped"}
        found = self._walk.seen[id(node)]
        if isinstance(found, EvaluationError):
            return {"state": "error", "error": found}
        return {"state": "value", "value": outward(node, found)}

    def _parts(self, node: Node, place: tuple[int, int]) -> Iterator[Step]:
        """The steps right below a node that stands at ``place``: nodes of the same place are one step."""
        for arg in node.args:
            own = arg.at.start, arg.at.end
            if arg.literal:
                continue
            if own == place or own not in self._written:
                yield from self._parts(arg, place)
            else:
                yield self._step(arg, self._written[own])

    def _is_hidden(self, node: Node) -> bool:
        if not self._names:
            return False
        if id(node) not in self._hides:
            inputs = (each for each in nodes_of(node) if each.op in INPUTS)
            self._hides[id(node)] = any(map(self._is_hidden_input, inputs))
        return self._hides[id(node)]

    def _is_hidden_input(self, node: Node) -> bool:
        told = self._fields.get((node.at.start, node.at.end))
        return node.data in self._hidden if told is None else not told


def _named(hidden: Read | Aggregate) -> Iterator[Path]:
    """The names that something hidden is written with."""
    if isinstance(hidden, Read):
        yield hidden.path
        return
    yield (hidden.relation.object,)
    yield (hidden.relation.object, hidden.relation.field.partition(".")[0])
    for each in hidden.inputs:
        yield from _named(each)


def _under(node: Node) -> Iterator[Node]:
    found = nodes_of(node)
    next(found)
    return found


def _without(tree: nodes.Tree, names: frozenset[tuple[str, ...]]) -> nodes.Tree:
    """The tree with other words in place of names that may not be told."""
    if not names:
        return tree
    if isinstance(tree, nodes.Name):
        return replace(tree, written=HIDDEN_NAME) if tree.path in names else tree
    if isinstance(tree, (nodes.Call, nodes.Many)):
        return replace(tree, args=tuple(_without(arg, names) for arg in tree.args))
    if isinstance(tree, nodes.Unary):
        return replace(tree, arg=_without(tree.arg, names))
    if isinstance(tree, nodes.Binary):
        return replace(tree, left=_without(tree.left, names), right=_without(tree.right, names))
    return tree
