"""Names out of labels, and what a thing is found by: its words, its name, the pinyin of its words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from tabwright.formula import pinyin
from tabwright.metadata.schema import is_name
from tabwright.runtime.finding import finding

LONGEST = 40  # of a suggestion; people may type longer ones
LONGEST_PINYIN = 24  # syllables are hard to read in a row: about five of them
_not_word = re.compile(r"[^a-z0-9]+")


def suggested(labels: Iterable[str], taken: Callable[[str], bool], otherwise: str = "item") -> str:
    """A free API name for something with these labels (the first that gives one): English words, or pinyin.

    ``taken`` says whether a name is not free; a number makes it free.
    """
    base = next((name for label in labels if (name := slug(label))), otherwise)
    name, number = base, 2
    while taken(name) or not is_name(name):
        name, number = f"{base}_{number}", number + 1
    return name


def slug(label: str) -> str:
    """The words of a label as one name; "" where there is nothing to read."""
    spoken = pinyin.replace_han(lambda run: f" {'_'.join(pinyin.syllables(run[0]))} ", label)
    made = _not_word.sub("_", spoken.lower()).strip("_")
    most = LONGEST if spoken == label else LONGEST_PINYIN
    if len(made) > most:
        made = made[: most + 1].rpartition("_")[0] or made[:most]
    return f"n_{made}" if made[:1].isdigit() else made


def plural_of(label: Mapping[str, str]) -> dict[str, str]:
    """What many of a thing are called, as far as a rule says it: Chinese has no plural, English adds an s."""
    found = dict(label)
    word = found.get("en", "")
    if word:
        last = word.lower()
        if last.endswith(("s", "x", "z", "ch", "sh")):
            found["en"] = f"{word}es"
        elif last.endswith("y") and last[-2:-1] not in "aeiou":
            found["en"] = f"{word[:-1]}ies"
        else:
            found["en"] = f"{word}s"
    return found


__all__ = ["LONGEST", "finding", "plural_of", "slug", "suggested"]
