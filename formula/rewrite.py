"""Names in a text: where they stand, and another name in their place with everything else kept as typed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tabwright.formula.lexer import tokenize

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """A name at `text[start:end]`; `path` is lower-cased."""

    start: int
    end: int
    path: Path


def references(text: str) -> list[Reference]:
    """Every field or lookup path named in `text`, in order, functions left out.

    Works on any text that can be cut into tokens, also one that is no formula (yet). Raises FormulaError
    otherwise.
    """
    return list(_references(text))


def _references(text: str) -> Iterator[Reference]:
    tokens = tokenize(text)
    for token, after in zip(tokens, [*tokens[1:], None], strict=True):
        if token.kind == "NAME" and (after is None or after.kind != "LPAR"):
            yield Reference(token.start, token.end, tuple(token.text.lower().split(".")))


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
