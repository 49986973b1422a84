"""Several codes of a picklist as one text: ";a;b;", each with a separator before and behind it.

So a code is looked for between its separators, on both databases and in the process alike, and one column
holds the whole value.
"""

from __future__ import annotations

from collections.abc import Iterable

CHOICE_SEPARATOR = ";"


def joined(codes: Iterable[str]) -> str:
    """The text of some codes; there is at least one."""
    return f"{CHOICE_SEPARATOR}{CHOICE_SEPARATOR.join(codes)}{CHOICE_SEPARATOR}"


def codes_in(text: str | None) -> tuple[str, ...]:
    """The codes of such a text; none of a blank one."""
    return tuple(text[1:-1].split(CHOICE_SEPARATOR)) if text else ()
