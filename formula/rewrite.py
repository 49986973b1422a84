"""Names in a text: where they stand, and another name in their place with everything else kept as typed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from tabwright.formula.faults import FormulaError
from tabwright.formula.functions.children import OVER_CHILDREN
from tabwright.formula.lexer import Lexeme, tokenize

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A name at `text[start:end]`; `path` is lower-cased.

    `opens`: it is the first argument of a function that takes a relation, so it may be one. `within`: the
    names around it that may be relations, the outermost first; if they are, it is a name of their children.
    """

    start: int
    end: int
    path: Path
    opens: bool = False
    within: tuple[Path, ...] = ()


def references(text: str) -> list[Reference]:
    """Every field or lookup path named in `text`, in order, functions left out.

    Works on any text that can be cut into tokens, also one that is no formula (yet). Raises FormulaError
    otherwise.
    """
    return list(_references(text))


def _references(text: str) -> Iterator[Reference]:
    tokens = tokenize(text)
    around: list[Path | None] = []  # of each open bracket the relation that may have been opened in it
    before: list[Lexeme | None] = [None, None]
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.kind == "LPAR":
            around.append(None)
        elif token.kind == "RPAR" and around:
            around.pop()
        elif token.kind == "NAME" and (after is None or after.kind != "LPAR"):
            path = tuple(token.text.lower().split("."))
            first, second = before
            opens = (
                first is not None and first.kind == "NAME" and first.text.upper() in OVER_CHILDREN
                and second is not None and second.kind == "LPAR"
                and after is not None and after.kind in ("COMMA", "RPAR")
            )  # fmt: skip
            within = tuple(each for each in around if each is not None)
            yield Reference(token.start, token.end, path, opens, within)
            if opens:
                around[-1] = path
        before = [before[1], token]


@lru_cache(4_096)
def names_children(text: str) -> bool:
    """Whether a text may ask something of children. False for one that cannot be cut into tokens."""
    try:
        return any(found.opens for found in _references(text))
    except FormulaError:
        return False


def rewrite(text: str, rename: Callable[[Path], Path | None]) -> str:
    """`text` with its names changed by `rename`, which gets a lower-cased path and gives the new one, or None
    to keep.

    Comments, spacing, and the case of every step that stays the same are kept. Raises FormulaError like
    references.
    """
    parts: list[str] = []
    at = 0
    for found in _references(text):
        new = rename(found.path)
        if new is None or new == found.path:
            continue
        old = text[found.start : found.end].split(".")
        if len(old) == len(new):
            new = tuple(
                typed if typed.lower() == step.lower() else step for typed, step in zip(old, new, strict=True)
            )
        parts += [text[at : found.start], ".".join(new)]
        at = found.end
    return "".join([*parts, text[at:]])
