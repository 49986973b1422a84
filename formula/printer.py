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
        return ("NOT " if tree.op == "!" else tree.op) + _at_least(_PREFIX, tree.arg)
    strength = _STRENGTH[tree.op]
    if isinstance(tree, nodes.Many):
        first, *rest = tree.args
        parts = [_at_least(strength, first), *(_at_least(strength + 1, arg) for arg in rest)]
        return f" {tree.op} ".join(parts)
    if tree.op == "^":  # to the right: 2^3^2 is 2^(3^2)
        return f"{_at_least(_TIGHT, tree.left)} ^ {_at_least(_PREFIX, tree.right)}"
    return f"{_at_least(strength, tree.left)} {tree.op} {_at_least(strength + 1, tree.right)}"


def _at_least(strength: int, tree: Tree) -> str:
    if isinstance(tree, (nodes.Many, nodes.Binary)):
        own = _STRENGTH[tree.op]
    else:
        own = _PREFIX if isinstance(tree, nodes.Unary) else _TIGHT
    text = print_formula(tree)
    return text if own >= strength else f"({text})"
