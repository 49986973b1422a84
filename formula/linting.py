"""What is no fault of a formula but probably not meant: warnings, said like faults and in their order."""

from collections.abc import Iterator

from tabwright.formula import nodes
from tabwright.formula.checker import Blanks
from tabwright.formula.faults import Fault, fault_at
from tabwright.formula.nodes import Tree
from tabwright.formula.parser import Dialect, parse
from tabwright.formula.scope import Scope

_ASKS_FOR_BLANK = frozenset({"ISBLANK", "ISNULL", "BLANKVALUE", "NULLVALUE"})


def warnings(
    text: str, scope: Scope | None = None, *, blanks: Blanks = "blank", dialect: Dialect = "tabwright"
) -> list[Fault]:
    """The warnings about a text that is a formula. ``scope``: the one that it was compiled in, for imported
    files. Raises FormulaError where the text cannot be parsed.
    """
    tree = parse(text, dialect)
    found = list(_powers(text, tree))
    if dialect == "sf" and blanks == "zero" and scope is not None:
        found += _never_blank(text, tree, scope)
    return sorted(found, key=lambda fault: (fault.start, fault.end))


def _powers(text: str, tree: Tree) -> Iterator[Fault]:
    """A power beside * or / without brackets: the two dialects read it differently."""
    for node, _ in nodes.walk(tree):
        if not isinstance(node, nodes.Binary):
            continue
        for side in (node.left, node.right):
            if (
                isinstance(side, nodes.Binary)
                and _mixes(node.op, side.op)
                and not _enclosed(text, side, node)
            ):
                yield fault_at(text, "FORMULA_MIXED_POWER", side.start, side.end, f"({_written(text, side)})")


def _mixes(outer: str, inner: str) -> bool:
    return (outer in "*/" and inner == "^") or (outer == "^" and inner in "*/")


def _written(text: str, tree: Tree) -> str:
    return text[tree.start : tree.end]


def _enclosed(text: str, side: nodes.Binary, node: nodes.Binary) -> bool:
    """Whether a side of an operator stands in brackets of its own: such do not count to its place."""
    if side is node.left:
        return text[side.end : node.right.start].lstrip().startswith(")")
    return text[node.left.end : side.start].rstrip().endswith("(")


def _never_blank(text: str, tree: Tree, scope: Scope) -> Iterator[Fault]:
    """A question that imported files answer in one way only: a number that counts as zero is never blank."""
    for node, _ in nodes.walk(tree):
        if not isinstance(node, nodes.Call) or node.function.upper() not in _ASKS_FOR_BLANK or not node.args:
            continue
        first = node.args[0]
        kind = scope.type_of(first.path) if isinstance(first, nodes.Name) else None
        if kind is not None and kind.kind == "number":
            yield fault_at(text, "FORMULA_NEVER_BLANK", first.start, first.end, name=_written(text, first))
