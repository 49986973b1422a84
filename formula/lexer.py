"""Text to tokens: one pass, shared by the parser, the limits, the renaming of names and the editor."""

import re
from dataclasses import dataclass
from typing import Final

from tabwright.formula.faults import Fault, FormulaError, fault_at

KEYWORDS: Final = frozenset({"TRUE", "FALSE", "NULL", "NOT"})
# \s holds the full-width space; the two others are zero-width characters that come with pasted text.
_PATTERN: Final = re.compile(
    r"""
    (?P<SPACE>[\s\u200b\ufeff]+)
  | (?P<COMMENT>/\*.*?\*/)
  | (?P<NUMBER>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
  | (?P<NAME>[^\W\d][\w$]*(?:[.:\#]{1,2}\w[\w$]*)*|\$[A-Za-z]\w*(?:\.\w+)*)
  | (?P<STRING>"(?:[^"\\\r\n\x00]|\\.)*"|'(?:[^'\\\r\n\x00]|\\.)*')
  | (?P<SIGN>&&|\|\||<=|>=|<>|!=|==|[=<>+\-*^&!(),]|/(?!\*))
    """,
    re.VERBOSE | re.DOTALL,
)
_MOST_FAULTS: Final = 50
# No text has them: half a character of UTF-16, and what ends a text in C.
_NO_TEXT: Final = re.compile("[\ud800-\udfff\x00]")
SIGNS: Final = {
    "&&": "AND", "||": "OR", "<=": "REL", ">=": "REL", "<": "REL", ">": "REL",
    "<>": "EQ", "!=": "EQ", "==": "EQ", "=": "EQ",
    "+": "PLUS", "-": "MINUS", "*": "MUL", "/": "MUL", "^": "POW", "&": "AMP", "!": "NOT",
    "(": "LPAR", ")": "RPAR", ",": "COMMA",
}  # fmt: skip
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_ESCAPE: Final = re.compile(r"\\(.)", re.DOTALL)
# What a Chinese input method or a word processor writes in place of a sign of the language.
WIDE: Final = {
    "（": "(", "）": ")", "，": ",", "“": '"', "”": '"', "‘": "'", "’": "'", "＝": "=", "＋": "+",
    "－": "-", "＊": "*", "／": "/", "＜": "<", "＞": ">", "＆": "&", "！": "!", "；": ",", ";": ",",
    "×": "*", "÷": "/", "≠": "<>", "≤": "<=", "≥": ">=", "＂": '"', "。": ".",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lexeme:
    """`kind` is NUMBER, STRING, NAME, a keyword, or what SIGNS gives for a sign."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


def tokenize(text: str) -> list[Lexeme]:
    """The tokens of `text`, without spaces and comments.

    Raises FormulaError with every character that begins no token and every bad escape.
    """
    found: list[Lexeme] = []
    faults: list[Fault] = []
    at = 0
    if bad := _NO_TEXT.search(text):
        code = f"U+{ord(bad.group()):04X}"
        raise FormulaError([fault_at(text, "FORMULA_BAD_CHARACTER", *bad.span(), found=code)])
    while at < len(text) and len(faults) < _MOST_FAULTS:
        match = _PATTERN.match(text, at)
        if match is None:
            at = _stray(text, at, faults)
            continue
        kind, part = match.lastgroup or "", match.group()
        if kind == "SIGN":
            found.append(Lexeme(SIGNS[part], part, at))
        elif kind == "NAME":
            upper = part.upper()
            found.append(Lexeme(upper if upper in KEYWORDS else kind, part, at))
        elif kind in ("NUMBER", "STRING"):
            found.append(Lexeme(kind, part, at))
            if kind == "STRING" and "\\" in part:
                _check_escapes(text, part, at, faults)
        at = match.end()
    if faults:
        raise FormulaError(faults)
    return found


def unquote(literal: str) -> str:
    """The text that a string literal, with its quotes, stands for."""
    inner = literal[1:-1]
    return _ESCAPE.sub(lambda match: _ESCAPES[match.group(1)], inner) if "\\" in inner else inner


def quote(value: str) -> str:
    """A string literal for `value`."""
    value = value.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + value.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def _check_escapes(text: str, literal: str, start: int, faults: list[Fault]) -> None:
    for match in _ESCAPE.finditer(literal, 1, len(literal) - 1):
        if match.group(1) not in _ESCAPES:
            place = start + match.start(), start + match.end()
            faults.append(
                fault_at(text, "FORMULA_BAD_ESCAPE", *place, "\\" + match.group(), found=match.group())
            )


def _stray(text: str, at: int, faults: list[Fault]) -> int:
    """Notes the fault at a character that begins no token; gives the place to go on from."""
    if text.startswith("/*", at):
        faults.append(fault_at(text, "FORMULA_OPEN_COMMENT", at, at + 2))
        return len(text)
    if text[at] in "\"'":
        faults.append(fault_at(text, "FORMULA_OPEN_TEXT", at, at + 1))
        return len(text)
    if text[at] in WIDE:
        faults.append(fault_at(text, "FORMULA_WIDE_SIGN", at, at + 1, WIDE[text[at]], found=text[at]))
    else:
        faults.append(fault_at(text, "FORMULA_BAD_CHARACTER", at, at + 1, found=text[at]))
    return at + 1
