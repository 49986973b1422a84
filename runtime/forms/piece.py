"""A stretch of a page whose constant text was made once; only its slots are filled per request.

Nothing an admin typed is ever a template: labels, help and options go into the constants through ``escape``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from markupsafe import Markup, escape

_special = re.compile("[&<>\"']").search
Given = TypeVar("Given")
Part = str | Callable[[Given], str]


def safe(text: str) -> str:
    """The text as HTML, in an attribute too. Most texts have nothing to be escaped: looking is cheap."""
    return text if _special(text) is None else str(escape(text))


class Piece(Generic[Given]):
    """Constant HTML and slots, in order. A slot takes what is given to ``render`` and returns safe HTML."""

    __slots__ = ("parts",)

    def __init__(self, parts: Iterable[Part[Given]]) -> None:
        joined: list[Part[Given]] = []
        for part in parts:
            if isinstance(part, str) and joined and isinstance(joined[-1], str):
                joined[-1] += str(part)
            else:
                joined.append(str(part) if isinstance(part, str) else part)
        self.parts = tuple(joined)

    def fill(self, given: Given) -> str:
        """The HTML as plain text, for a piece inside a piece."""
        return "".join([part if part.__class__ is str else part(given) for part in self.parts])  # type: ignore[operator]

    def render(self, given: Given) -> Markup:
        """The HTML, marked as safe for a template."""
        return Markup(self.fill(given))

    @property
    def size(self) -> int:
        """Bytes that the piece holds, roughly: for the bound of the cache."""
        return 200 + sum(2 * len(part) if isinstance(part, str) else 400 for part in self.parts)
