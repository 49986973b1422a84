"""The plainest way to evaluate a typed tree: the oracle that generated code is compared with."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from tabwright.formula import figures, strings
from tabwright.formula.aggregates import Aggregate, Failed, given
from tabwright.formula.budget import TEXT_RESULT
from tabwright.formula.datatypes import EMPTY_IS_BLANK
from tabwright.formula.environment import Env, Value
from tabwright.formula.faults import EvaluationError
from tabwright.formula.figures import NOWHERE
from tabwright.formula.operations import OPERATIONS
from tabwright.formula.typed import Node, Read

Input = Value | Failed


def evaluate(root: Node, inputs: Sequence[Read | Aggregate], values: Sequence[Input], env: Env) -> Value:
    """The value of a typed tree. `values` stand in the order of `inputs`. Raises EvaluationError."""
    figures.use_context()
    return outward(root, Walk(dict(zip(inputs, values, strict=True)), env).value(root))


def aggregated(
    asked: Aggregate, children: Sequence[Sequence[Input]], env: Env, outer: Sequence[Callable[[], Any]] = ()
) -> Input:
    """What is asked of children: of each the values of `asked.inputs`, in the order of ids. `outer`
    gives what the question takes of the record around, each when a child needs it.
    """
    figures.use_context()
    walks = [Walk(dict(zip(asked.inputs, values, strict=True)), env, outer) for values in children]
    try:
        chosen = [each for each in walks if asked.filter is None or each.value(asked.filter) is True]
        values = [None if asked.value is None else each.value(asked.value) for each in chosen]
        orders = [None if asked.order is None else each.value(asked.order) for each in chosen]
        return _together(asked, values, orders)
    except EvaluationError:
        return Failed()


def _together(asked: Aggregate, values: list[Any], orders: list[Any]) -> Value:
    kind, present = asked.kind, [value for value in values if value is not None and value != ""]
    if kind in ("count", "count_distinct"):
        return Decimal(len(values) if kind == "count" else len(set(present)))
    if kind in ("any", "all"):
        found = [value is True for value in values] if asked.value is not None else [True] * len(values)
        return any(found) if kind == "any" else all(found)
    if kind in ("sum", "avg"):
        total = figures.checked(sum(present, figures.ZERO), NOWHERE)
        if kind == "sum":
            return total
        return figures.div(total, Decimal(len(present)), NOWHERE) if present else None
    if kind in ("min", "max"):
        return (min(present) if kind == "min" else max(present)) if present else None
    if kind == "join":
        text = asked.separator.join(present)
        if len(text) > TEXT_RESULT:
            figures.fail("FORMULA_TEXT_TOO_LONG", NOWHERE)
        return text
    if not values:
        return None
    known = [(order, at) for at, order in enumerate(orders) if order is not None and order != ""]
    if kind == "first":
        at = min(known)[1] if known else 0
    else:
        at = max(known)[1] if known else len(values) - 1
    chosen: Value = values[at]
    return chosen


def outward(root: Node, value: Any) -> Value:
    """As the caller gets it: a blank text is None, a blank condition does not hold, and there is no minus
    zero.
    """
    if root.type.kind == "boolean":
        return value is True
    if root.type.kind in EMPTY_IS_BLANK:
        return value or None
    if root.type.kind == "number" and value is not None:
        return value or figures.ZERO
    found: Value = value
    return found


class Walk:
    """One evaluation; every node goes through `value`."""

    def __init__(
        self, values: dict[Read | Aggregate, Input], env: Env, outer: Sequence[Callable[[], Any]] = ()
    ) -> None:
        self.values, self.env, self.outer = values, env, outer

    def value(self, node: Node) -> Any:
        special = getattr(self, "_" + node.op, None)
        if special is not None:
            return special(node)
        operation = OPERATIONS[node.op]
        args = [self.value(arg) for arg in node.args]
        if operation.strict and None in args:
            return "" if node.type.kind == "text" else None
        if node.op == "concat" and node.checked:
            return strings.joined(node.at, *args)
        result = operation.call(*args, node.at) if operation.raises else operation.call(*args)
        return figures.checked(result, node.at) if node.checked and node.type.kind == "number" else result

    def _literal(self, node: Node) -> Any:
        return node.data

    def _read(self, node: Node) -> Any:
        value = self.values[node.data]
        if value is not None:
            return value
        if node.type.kind == "boolean":
            return False
        return "" if node.type.kind in EMPTY_IS_BLANK else None

    def _aggregate(self, node: Node) -> Any:
        value = given(self.values[node.data], node.at)
        return "" if value is None and node.type.kind in EMPTY_IS_BLANK else value

    def _zero(self, node: Node) -> Any:
        value = self.value(node.args[0])
        return figures.ZERO if value is None else value

    def _today(self, node: Node) -> Any:
        return self.env.today

    def _now(self, node: Node) -> Any:
        return self.env.now

    def _zone(self, node: Node) -> Any:
        return self.env.zone

    def _calendar(self, node: Node) -> Any:
        return self.env.calendar

    def _fiscal(self, node: Node) -> Any:
        return Decimal(self.env.fiscal)

    def _org(self, node: Node) -> Any:
        value = getattr(self.env.org, node.data)
        return Decimal(value) if node.type.kind == "number" else value

    def _label(self, node: Node) -> Any:
        return self.env.label(node.data)

    def _outer(self, node: Node) -> Any:
        return self.outer[node.data]()

    def _is_new(self, node: Node) -> Any:
        return self.env.is_new

    def _is_clone(self, node: Node) -> Any:
        return self.env.is_clone

    def _rescue(self, node: Node) -> Any:
        try:
            return self.value(node.args[0])
        except EvaluationError:
            return self.value(node.args[1])

    def _and(self, node: Node) -> Any:
        return all(self.value(arg) is True for arg in node.args)

    def _or(self, node: Node) -> Any:
        return any(self.value(arg) is True for arg in node.args)

    def _if(self, node: Node) -> Any:
        condition, value, otherwise = node.args
        return self.value(value if self.value(condition) is True else otherwise)

    def _case(self, node: Node) -> Any:
        x = self.value(node.args[0])
        labels = [self.value(label) for label in node.args[1:-1:2]]
        for label, result in zip(labels, node.args[2:-1:2], strict=True):
            if self._equal(node.args[0], x, label):
                return self.value(result)
        return self.value(node.args[-1])

    def _in(self, node: Node) -> Any:
        x, *candidates = [self.value(arg) for arg in node.args]
        return any(self._equal(node.args[0], x, candidate) for candidate in candidates)

    def _equal(self, node: Node, x: Any, y: Any) -> bool:
        if x is None and node.type.kind != "reference":
            return False
        return bool(x == y)

    def _fallback(self, node: Node) -> Any:
        value, substitute = node.args
        found = self.value(value)
        return self.value(substitute) if found is None or found == "" else found

    def _blank(self, node: Node) -> Any:
        value = self.value(node.args[0])
        return value is None or value == ""
