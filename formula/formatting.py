"""A formula laid out for reading: one line where it fits, else an argument or an operand a line.

The law: what it means stays (``parse(tidy(text)) == parse(text)``), every comment stays, and a tidy text is
tidy already.
"""

import re
from collections.abc import Sequence
from typing import Final

from tabwright.formula import nodes
from tabwright.formula.nodes import Tree
from tabwright.formula.parser import parse
from tabwright.formula.printer import in_brackets, print_formula, sign

WIDTH: Final = 80
INDENT: Final = "  "
# A comment, or what could be taken for one inside a text.
_NOTES: Final = re.compile(r"""(/\*.*?\*/)|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.DOTALL)


def tidy(text: str, width: int = WIDTH) -> str:
    """``text`` with its lines broken and indented. Raises FormulaError where it is no formula.

    Brackets that change nothing go, and texts get double quotes. A comment stands on a line of its own,
    before the argument or operand that it was typed before or in.
    """
    tree = parse(text)
    layout = _Layout(text, [match.span(1) for match in _NOTES.finditer(text) if match.group(1)], width)
    before = [*layout.between(0, tree.start), *layout.lifted(tree)]
    after = layout.between(tree.end, len(text))
    return "\n".join([*before, layout.written(tree, 0), *after])


class _Layout:
    def __init__(self, text: str, notes: Sequence[tuple[int, int]], width: int) -> None:
        self._text, self._notes, self._width = text, notes, width

    def between(self, start: int, end: int) -> list[str]:
        """The comments that stand there."""
        return [self._text[at:to] for at, to in self._notes if start <= at < end]

    def lifted(self, tree: Tree) -> list[str]:
        """The comments in a part for which it has no line: they go before the part."""
        if isinstance(tree, nodes.Many):
            return self.lifted(tree.args[0])
        if isinstance(tree, nodes.Unary):
            return [*self.between(tree.start, tree.arg.start), *self.lifted(tree.arg)]
        if isinstance(tree, nodes.Binary):
            middle = self.between(tree.left.end, tree.right.start)
            return [*self.lifted(tree.left), *middle, *self.lifted(tree.right)]
        if isinstance(tree, nodes.Call) and not tree.args:
            return self.between(tree.start, tree.end)
        return []

    def written(self, tree: Tree, indent: int) -> str:
        """The part's text without what is lifted from it. Its first line is not indented, those after are."""
        flat = print_formula(tree)
        fits = len(flat) + indent * len(INDENT) <= self._width
        if fits and len(self.between(tree.start, tree.end)) == len(self.lifted(tree)):
            return flat
        if isinstance(tree, nodes.Call) and tree.args:
            return self._call(tree, indent)
        if isinstance(tree, nodes.Many):
            return self._many(tree, indent)
        if isinstance(tree, nodes.Unary):
            return sign(tree) + self._operand(tree, 0, indent)
        if isinstance(tree, nodes.Binary):
            return f"{self._operand(tree, 0, indent)} {tree.op} {self._operand(tree, 1, indent)}"
        return flat

    def _operand(self, tree: nodes.Unary | nodes.Binary | nodes.Many, index: int, indent: int) -> str:
        text = self.written(nodes.children(tree)[index], indent)
        return f"({text})" if in_brackets(tree, index) else text

    def _call(self, tree: nodes.Call, indent: int) -> str:
        lines, at = [], tree.start
        for arg in tree.args:
            comma = "," if arg is not tree.args[-1] else ""
            lines += [*self.between(at, arg.start), *self.lifted(arg), self.written(arg, indent + 1) + comma]
            at = arg.end
        lines += self.between(at, tree.end)
        inner = "\n" + INDENT * (indent + 1)
        return f"{tree.function}({inner}{inner.join(lines)}\n{INDENT * indent})"

    def _many(self, tree: nodes.Many, indent: int) -> str:
        lines, at = [self._operand(tree, 0, indent)], tree.args[0].end
        for index, arg in enumerate(tree.args[1:], 1):
            lines += [*self.between(at, arg.start), *self.lifted(arg)]
            lines.append(f"{tree.op} {self._operand(tree, index, indent + 1)}")
            at = arg.end
        return ("\n" + INDENT * (indent + 1)).join(lines)
