"""The plainest way to evaluate a typed tree: the oracle that generated code is compared with."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from tabwright.formula import figures, strings
from tabwright.formula.datatypes import EMPTY_IS_BLANK
from tabwright.formula.environment import Env, Value
from tabwright.formula.faults import EvaluationError
from tabwright.formula.operations import OPERATIONS
from tabwright.formula.typed import Node, Read


def evaluate(root: Node, reads: Sequence[Read], values: Sequence[Value], env: Env) -> Value:
    """The value of a typed tree. `values` stand in the order of `reads`. Raises EvaluationError."""
    figures.use_context()
    return outward(root, Walk(dict(zip(reads, values, strict=True)), env).value(root))


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

    def __init__(self, values: dict[Read, Value], env: Env) -> None:
        self.values, self.env = values, env

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
