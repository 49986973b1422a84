"""What a label is found by when somebody types: its words, their pinyin and its initials."""

from __future__ import annotations

from functools import lru_cache

from tabwright.formula import pinyin


@lru_cache(maxsize=16_384)
def forms(text: str) -> tuple[str, ...]:
    """A text in small letters; with Han characters also its pinyin and the initials of that."""
    found = dict.fromkeys((text.lower(),))
    if pinyin.han_runs(text):
        whole = pinyin.replace_han(lambda run: "".join(pinyin.syllables(run[0])), text)
        initials = pinyin.replace_han(lambda run: "".join(one[:1] for one in pinyin.syllables(run[0])), text)
        found |= dict.fromkeys((whole.lower(), initials.lower()))
    return tuple(each for each in found if each)


def finding(*texts: str) -> str:
    """What a text that is typed may be part of: every form of the texts, between spaces."""
    return " ".join(dict.fromkeys(form for text in texts for form in forms(text)))
