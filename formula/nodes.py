"""The tree of a text as it was written, before any name or type is looked at. Places take no part in
equality.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Syntax:
    """A piece of the text: `text[start:end]`."""

    start: int = field(compare=False, kw_only=True, default=0)
    end: int = field(compare=False, kw_only=True, default=0)


@dataclass(frozen=True, slots=True)
class Number(Syntax):
    value: Decimal


@dataclass(frozen=True, slots=True)
class Text(Syntax):
    value: str


@dataclass(frozen=True, slots=True)
class Constant(Syntax):
    """TRUE, FALSE or NULL."""

    value: bool | None


@dataclass(frozen=True, slots=True)
class Name(Syntax):
    """A field or a path of lookups, as written: `Account.Owner.Name`."""

    written: str

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.written.lower().split("."))


@dataclass(frozen=True, slots=True)
class Call(Syntax):
    """A function with its arguments; `function` as written, its own place is `start` to `start +
    len(function)`.
    """

    function: str
    args: "tuple[Tree, ...]"


@dataclass(frozen=True, slots=True)
class Unary(Syntax):
    """`-`, `+` or `!` (which is also how NOT is kept)."""

    op: str
    arg: "Tree"


@dataclass(frozen=True, slots=True)
class Binary(Syntax):
    op: str
    left: "Tree"
    right: "Tree"


@dataclass(frozen=True, slots=True)
class Many(Syntax):
    """A chain of one of the operators `+ & && ||`, flat however long it is."""

    op: str
    args: "tuple[Tree, ...]"


Tree = Number | Text | Constant | Name | Call | Unary | Binary | Many


def children(tree: Tree) -> "tuple[Tree, ...]":
    """The direct parts of a tree."""
    if isinstance(tree, (Call, Many)):
        return tree.args
    if isinstance(tree, Unary):
        return (tree.arg,)
    return (tree.left, tree.right) if isinstance(tree, Binary) else ()


def walk(tree: Tree) -> Iterator[tuple[Tree, int]]:
    """Every part of a tree with its depth, without recursion."""
    stack = [(tree, 1)]
    while stack:
        node, depth = stack.pop()
        yield node, depth
        stack += [(child, depth + 1) for child in children(node)]
