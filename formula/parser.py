"""Tokens to tree, by Lark. One grammar; the dialects differ only in how tight `^` binds."""

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

from lark import Lark, Token, Transformer, UnexpectedToken, v_args
from lark.lexer import Lexer

from tabwright.formula import budget, nodes
from tabwright.formula.faults import Fault, FormulaError, fault_at
from tabwright.formula.lexer import Lexeme, tokenize, unquote

Dialect = Literal["tabwright", "sf"]
_DIALECTS: dict[Dialect, dict[str, str]] = {
    # ^ binds tightest and to the right: -2^2 = -4, 2*3^4 = 162.
    "tabwright": {
        "below_add": "mul",
        "below_unary": "pow_",
        "power": "?pow_: atom | atom POW unary -> binary",
    },
    # ^ binds looser than * and /, to the left, as in the files that are imported.
    "sf": {
        "below_add": "pow_",
        "below_unary": "atom",
        "power": "?pow_: mul | pow_ POW mul -> binary",
    },
}


class _Feed(Lexer):
    """Hands our own tokens to Lark."""

    def __init__(self, _conf: Any) -> None:
        pass

    def lex(self, data: list[Lexeme]) -> Iterator[Token]:  # type: ignore[override]
        for token in data:
            yield Token(token.kind, token.text, start_pos=token.start, end_pos=token.end)


def _start(token: Token) -> int:
    return token.start_pos or 0


@v_args(inline=True)
class _Build(Transformer[Token, nodes.Tree]):
    def start(self, tree: nodes.Tree) -> nodes.Tree:
        return tree

    def number(self, token: Token) -> nodes.Tree:
        return nodes.Number(Decimal(str(token)), start=_start(token), end=_start(token) + len(token))

    def string(self, token: Token) -> nodes.Tree:
        return nodes.Text(unquote(str(token)), start=_start(token), end=_start(token) + len(token))

    def _constant(self, token: Token, value: bool | None) -> nodes.Tree:
        return nodes.Constant(value, start=_start(token), end=_start(token) + len(token))

    def true(self, token: Token) -> nodes.Tree:
        return self._constant(token, True)

    def false(self, token: Token) -> nodes.Tree:
        return self._constant(token, False)

    def null(self, token: Token) -> nodes.Tree:
        return self._constant(token, None)

    def name(self, token: Token) -> nodes.Tree:
        return nodes.Name(str(token), start=_start(token), end=_start(token) + len(token))

    def args(self, *parts: Any) -> tuple[nodes.Tree, ...]:
        return parts[::2]

    def call(self, name: Token, _open: Token, *rest: Any) -> nodes.Tree:
        args = rest[0] if len(rest) == 2 else ()
        return nodes.Call(str(name), args, start=_start(name), end=_start(rest[-1]) + 1)

    def group(self, _open: Token, tree: nodes.Tree, _close: Token) -> nodes.Tree:
        return tree

    def unary(self, op: Token, arg: nodes.Tree) -> nodes.Tree:
        sign = "!" if op.type == "NOT" else str(op)
        return nodes.Unary(sign, arg, start=_start(op), end=arg.end)

    def binary(self, left: nodes.Tree, op: Token, right: nodes.Tree) -> nodes.Tree:
        sign = {"!=": "<>", "==": "="}.get(str(op), str(op))
        return nodes.Binary(sign, left, right, start=left.start, end=right.end)

    def many(self, left: nodes.Tree, op: Token, right: nodes.Tree) -> nodes.Tree:
        before = left.args if isinstance(left, nodes.Many) and left.op == str(op) else (left,)
        return nodes.Many(str(op), (*before, right), start=left.start, end=right.end)


@cache
def _lark(dialect: Dialect) -> Lark:
    grammar = Path(__file__).with_name("grammar.lark").read_text("utf-8")
    for name, value in _DIALECTS[dialect].items():
        grammar = grammar.replace("{" + name + "}", value)
    return Lark(grammar, parser="lalr", lexer=_Feed, transformer=_Build())


def parse(text: str, dialect: Dialect = "tabwright") -> nodes.Tree:
    """The tree of `text`. Raises FormulaError: what cannot be a token, the first fault of syntax, a limit
    passed.
    """
    budget.check_length(text)
    tokens = tokenize(text)
    if not tokens:
        raise FormulaError([fault_at(text, "FORMULA_EMPTY", 0, len(text))])
    budget.check_tokens(text, tokens)
    try:
        tree: Any = _lark(dialect).parse(tokens)
    except UnexpectedToken as error:
        raise FormulaError([_misplaced(text, tokens, error)]) from None
    budget.check_tree(text, tree)
    found: nodes.Tree = tree
    return found


def _misplaced(text: str, tokens: list[Lexeme], error: UnexpectedToken) -> Fault:
    token = error.token
    state: Any = error.interactive_parser
    wanted = state.accepts() if state else error.expected
    if token.type == "$END":
        end = tokens[-1].end
        if "RPAR" in wanted:
            opened = _last_open(tokens)
            return fault_at(text, "FORMULA_MISSING_BRACKET", opened.start, opened.end)
        return fault_at(text, "FORMULA_UNFINISHED", end, end, found=tokens[-1].text)
    start = _start(token)
    place = start, start + len(token)
    if token.type == "RPAR" and "RPAR" not in wanted and not _opens(tokens, start):
        return fault_at(text, "FORMULA_EXTRA_BRACKET", *place)
    if "RPAR" in wanted or "MUL" in wanted:  # a value stands before, and this cannot follow it
        return fault_at(text, "FORMULA_MISSING_OPERATOR", *place, found=str(token))
    return fault_at(text, "FORMULA_UNEXPECTED", *place, found=str(token))


def _opens(tokens: list[Lexeme], before: int) -> bool:
    """Whether a bracket is open at `before`."""
    depth = 0
    for token in tokens:
        if token.start >= before:
            break
        depth += {"LPAR": 1, "RPAR": -1}.get(token.kind, 0)
    return depth > 0


def _last_open(tokens: list[Lexeme]) -> Lexeme:
    opened = []
    for token in tokens:
        if token.kind == "LPAR":
            opened.append(token)
        elif token.kind == "RPAR":
            opened.pop()
    return opened[-1]
