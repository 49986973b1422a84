"""How much one formula may ask for. Checked before anything recursive or expensive looks at it."""

from collections.abc import Sequence
from typing import Final

from tabwright.formula.faults import Fault, FormulaError, fault_at
from tabwright.formula.lexer import Lexeme
from tabwright.formula.nodes import Call, Many, Tree, walk

LENGTH: Final = 8_000  # characters of a formula
NODES: Final = 2_000  # parts of its tree
BRACKETS: Final = 60  # brackets open at once
DEPTH: Final = 120  # levels of its tree
ARGUMENTS: Final = 200  # of one function, or operands of one chain of + & && ||
LITERALS: Final = 500  # text literals
TEXT_RESULT: Final = 32_000  # characters of any text made on the way
PATTERN_INPUT: Final = 10_000  # characters of a text that a pattern is matched against
PLACES: Final = 38  # decimal places that may be asked of ROUND, either way
EXPONENT: Final = 100_000  # of a power
SQL_NODES: Final = 4_000  # parts of the SQL made of one formula
CHILDREN: Final = 10**9  # records that can name one record: what a total of them can come to
CHILDREN_DEEP: Final = 3  # questions about children inside each other
EXPANDED_NODES: Final = 20_000  # parts of a formula with those that it uses in their places
EXPANDED_LEVELS: Final = 160  # levels of its tree then
NESTED: Final = 10  # formulas inside each other


def check_length(text: str) -> None:
    """Raises FormulaError when the text alone is too long to be looked at."""
    if len(text) > LENGTH:
        raise FormulaError([_over(text, "FORMULA_TOO_LONG", LENGTH, LENGTH, len(text))])


def check_tokens(text: str, tokens: Sequence[Lexeme]) -> None:
    """Raises FormulaError when brackets stand too deep or there are too many parts or texts."""
    depth = literals = parts = 0
    for token in tokens:
        # Every part of the tree has a token of its own, so this many need not be parsed to be refused.
        parts += token.kind not in ("LPAR", "RPAR", "COMMA")
        if parts > NODES:
            raise FormulaError([_over(text, "FORMULA_TOO_BIG", NODES, token.start, token.end)])
        if token.kind == "LPAR":
            depth += 1
            if depth > BRACKETS:
                raise FormulaError([_over(text, "FORMULA_TOO_DEEP", BRACKETS, token.start, token.end)])
        elif token.kind == "RPAR":
            depth -= 1
        elif token.kind == "STRING":
            literals += 1
            if literals > LITERALS:
                raise FormulaError([_over(text, "FORMULA_TOO_MANY_TEXTS", LITERALS, token.start, token.end)])


def check_tree(text: str, tree: Tree) -> None:
    """Raises FormulaError when the tree is too big, too deep or too wide."""
    count = 0
    faults: list[Fault] = []
    for node, depth in walk(tree):
        count += 1
        if count > NODES:
            raise FormulaError([_over(text, "FORMULA_TOO_BIG", NODES, 0, len(text))])
        if depth > DEPTH:
            raise FormulaError([_over(text, "FORMULA_TOO_DEEP", DEPTH, node.start, node.end)])
        if isinstance(node, (Call, Many)) and len(node.args) > ARGUMENTS:
            faults.append(_over(text, "FORMULA_TOO_MANY_ARGUMENTS", ARGUMENTS, node.start, node.end))
    if faults:
        raise FormulaError(faults)


def _over(text: str, code: str, limit: int, start: int, end: int) -> Fault:
    return fault_at(text, code, start, end, limit=str(limit))
