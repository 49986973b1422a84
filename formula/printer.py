"""Tree back to text: the law is parse(print(parse(x))) == parse(x)."""

from typing import Final

from tabwright.formula import nodes
from tabwright.formula.lexer import quote
from tabwright.formula.nodes import Tree

# How tight each operator binds. "TIGHT" stands for a value, "PREFIX" for a sign before it.
_STRENGTH: Final = {
    "||": 1, "&&": 2, "=": 3, "<>": 3, "<": 4, "<=": 4, ">": 4, ">=": 4,
    "+": 5, "-": 5, "&": 5, "*": 6, "/": 6,
    "^": 8,
}  # fmt: skip
_PREFIX: Final = 7
_TIGHT: Final = 9


def print_formula(tree: Tree) -> str:
    """The text of a tree, with no more brackets than it needs."""
    if isinstance(tree, nodes.Number):
        return f"{tree.value:f}"
    if isinstance(tree, nodes.Text):
        return quote(tree.value)
    if isinstance(tree, nodes.Constant):
        return {True: "TRUE", False: "FALSE", None: "NULL"}[tree.value]
    if isinstance(tree, nodes.Name):
        return tree.written
    if isinstance(tree, nodes.Call):
        return f"{tree.function}({', '.join(print_formula(arg) for arg in tree.args)})"
    if isinstance(tree, nodes.Unary):
        return sign(tree) + _part(tree, 0)
    if isinstance(tree, nodes.Many):
        return f" {tree.op} ".join(_part(tree, index) for index in range(len(tree.args)))
    return f"{_part(tree, 0)} {tree.op} {_part(tree, 1)}"


def sign(tree: nodes.Unary) -> str:
    """What stands before the operand."""
    return "NOT " if tree.op == "!" else tree.op


def _part(tree: nodes.Unary | nodes.Binary | nodes.Many, index: int) -> str:
    text = print_formula(nodes.children(tree)[index])
    return f"({text})" if in_brackets(tree, index) else text


def in_brackets(tree: nodes.Unary | nodes.Binary | nodes.Many, index: int) -> bool:
    """Whether an operand has to stand in brackets."""
    operand = nodes.children(tree)[index]
    if isinstance(operand, (nodes.Many, nodes.Binary)):
        own = _STRENGTH[operand.op]
    else:
        own = _PREFIX if isinstance(operand, nodes.Unary) else _TIGHT
    if isinstance(tree, nodes.Unary):
        return own < _PREFIX
    if tree.op == "^":  # to the right: 2^3^2 is 2^(3^2)
        return own < (_PREFIX if index else _TIGHT)
    return own < _STRENGTH[tree.op] + (1 if index else 0)
