"""Texts that differ only in their literals share one shape, one typed tree and one SQL; the literals are
parameters.

A literal is lifted where its value changes nothing but the value of a parameter: beside a comparison and as
an argument of the functions in ``_LIFTED``. Everything about it that shows in types or SQL (whether a text is
blank, the places of a number) is part of the key; what can only be seen while SQL is written is tested by the
parameter (``Unfit``), and then the text is compiled as it stands.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from tabwright.formula import nodes
from tabwright.formula.budget import LENGTH
from tabwright.formula.faults import FormulaError
from tabwright.formula.figures import LIMIT, SCALE, use_context
from tabwright.formula.lexer import Lexeme, tokenize, unquote
from tabwright.formula.parser import parse
from tabwright.formula.strings import following
from tabwright.formula.typed import Node, nodes_of

_COMPARISONS: Final = frozenset(("=", "<>", "<", "<=", ">", ">="))
# Function -> which of its arguments may be lifted; the last number stands for all that follow.
_LIFTED: Final[Mapping[str, tuple[int, ...]]] = {
    "CONTAINS": (1,), "BEGINS": (1,), "ENDS": (1,), "ISPICKVAL": (1,), "BETWEEN": (1, 2),
    "IN": tuple(range(1, 200)), "DATE": (0, 1, 2), "DATEVALUE": (0,), "DATETIMEVALUE": (0,),
}  # fmt: skip
_ANY: Final = frozenset(
    "eq ne lt le gt ge same other text_lt text_le text_gt text_ge between in make_date"
    " text_date text_datetime".split()
)
_SECOND: Final = frozenset(("contains", "begins", "ends"))
_SAMPLES: Final = {"STRING": '"a"', "NUMBER": "1"}
_FEW_DIGITS: Final = 9

Value = str | Decimal


class Unfit(Exception):
    """This value cannot stand in this place of SQL that was written for another one."""


class NotLiftable(Exception):
    """A literal that was lifted went where its value means more than a value."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """A text with its literals beside it.

    ``key``: equal for texts whose formulas are equal but for lifted literals. ``values``: those, in the
    order of the text; ``places``: where in the text each begins and ends.
    """

    text: str
    key: Hashable
    values: tuple[Value, ...] = ()
    places: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Bind:
    """A parameter of SQL made for ``Lifted.values[index]``."""

    name: str
    index: int
    convert: Callable[[Any], Any]
    codes: frozenset[str] | None = None

    def value(self, lifted: Lifted) -> Any:
        """What to bind for another text of the same key. Raises Unfit."""
        value = lifted.values[self.index]
        if self.codes is not None and value not in self.codes:
            raise Unfit  # the checker has a word to say about it
        try:
            return self.convert(value)
        except ValueError:
            raise Unfit from None


def unlifted(text: str) -> Lifted:
    """The text with all of its literals in place."""
    return Lifted(text, text)


@lru_cache(maxsize=4096)
def lift(text: str) -> Lifted:
    """The text with the literals lifted that may be; with none of them where it is no formula."""
    if len(text) > LENGTH:
        return unlifted(text)
    use_context()
    try:
        tokens = tokenize(text)
    except FormulaError:
        return unlifted(text)
    signs = _liftable(" ".join(_SAMPLES.get(token.kind, token.text) for token in tokens))
    key: list[Hashable] = []
    values: list[Value] = []
    places: list[tuple[int, int]] = []
    ordinal = 0
    for token in tokens:
        if token.kind not in _SAMPLES:
            key.append(token.text)
            continue
        sign = signs.get(ordinal)
        ordinal += 1
        kind = None if sign is None else _kind(token)
        if sign is None or kind is None:
            key.append((token.text,))
            continue
        key.append(kind)
        value = unquote(token.text) if token.kind == "STRING" else Decimal(token.text)
        values.append(-value if sign < 0 and isinstance(value, Decimal) else value)
        places.append((token.start, token.end))
    return Lifted(text, tuple(key), tuple(values), tuple(places)) if values else unlifted(text)


def _kind(token: Lexeme) -> Hashable | None:
    """What of a literal shows in types and SQL; None when it has to stay."""
    if token.kind == "STRING":
        value = unquote(token.text)
        return "text" if value and following(value) is not None else None
    number = Decimal(token.text)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or number >= LIMIT or -exponent > SCALE:
        return None
    return "number", -exponent, number == int(number), max(number.adjusted() + 1 - _FEW_DIGITS, 0)


@lru_cache(maxsize=2048)
def _liftable(sample: str) -> Mapping[int, int]:
    """Of the literals of a text, counted from 0, those that may be lifted, with their signs."""
    try:
        tree = parse(sample)
    except FormulaError:
        return {}
    starts = [token.start for token in tokenize(sample) if token.kind in _SAMPLES]
    ordinals = {start: ordinal for ordinal, start in enumerate(starts)}
    return {ordinals[start]: sign for start, sign in _places(tree)}


def _places(tree: nodes.Tree) -> Iterator[tuple[int, int]]:
    for node, _ in nodes.walk(tree):
        if isinstance(node, nodes.Binary) and node.op in _COMPARISONS:
            sides = [_literal(node.left), _literal(node.right)]
            if None in sides:
                yield from (side for side in sides if side is not None)
        elif isinstance(node, nodes.Call):
            found = [_literal(arg) for arg in node.args]
            wanted = _LIFTED.get(node.function.upper(), ())
            yield from (each for n, each in enumerate(found) if each is not None and n in wanted)


def _literal(tree: nodes.Tree) -> tuple[int, int] | None:
    """Where a literal begins, and its sign."""
    if isinstance(tree, nodes.Unary) and tree.op == "-" and isinstance(tree.arg, nodes.Number):
        return tree.arg.start, -1
    return (tree.start, 1) if isinstance(tree, (nodes.Number, nodes.Text)) else None


@dataclass(slots=True)
class Lifting:
    """What the writers of SQL ask for the parameter of a literal; gathers the ``binds`` that it made.

    Without ``lifted`` every literal is a constant. ``prefix`` begins the names of the parameters.
    """

    lifted: Lifted | None = None
    prefix: str = ""
    binds: dict[str, Bind] = field(default_factory=dict)
    _indexes: dict[tuple[int, int], int] = field(default_factory=dict)  # of literals, by place
    _codes: dict[int, frozenset[str]] = field(default_factory=dict)

    def look(self, root: Node) -> bool:
        """Looks where the literals went in the typed tree; False when one went where it cannot be lifted."""
        if self.lifted is None or not self.lifted.values:
            return True
        self._indexes = {place: index for index, place in enumerate(self.lifted.places)}
        seen: set[int] = set()
        if root.literal:
            return False
        for node in nodes_of(root):
            for n, arg in enumerate(node.args):
                index = self._index(arg)
                if index is None:
                    continue
                if not (node.op in _ANY or (node.op in _SECOND and n == 1)):
                    return False
                seen.add(index)
                for other in node.args:
                    if other.type.values is not None:
                        known = self._codes.get(index)
                        codes = other.type.values
                        self._codes[index] = codes if known is None else known & codes
        return len(seen) == len(self.lifted.values)

    def _index(self, node: Node) -> int | None:
        # A literal that the language itself puts in stands at the call that it belongs to.
        return self._indexes.get(node.at[1:]) if node.literal and not node.at.function else None

    def name(self, node: Node, form: str, convert: Callable[[Any], Any]) -> str | None:
        """The parameter for a form of the literal ``node``; None when it is a constant."""
        index = self._index(node)
        if index is None:
            return None
        name = f"{self.prefix}{index}_{form}"
        if name not in self.binds:
            self.binds[name] = Bind(name, index, convert, self._codes.get(index))
        return name
