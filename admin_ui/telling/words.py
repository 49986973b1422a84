"""What sentences are made of: labels of things in two trees, names joined, items of two lists compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tabwright.admin_ui.wording import title_of, value_in_words
from tabwright.metadata.documents import Component
from tabwright.metadata.model import label_in
from tabwright.metadata.tree import Key
from tabwright.metadata.world import SYSTEM_FIELDS, World
from tabwright.platform.errors import Param
from tabwright.platform.language import Language, register_messages, say

register_messages(Path(__file__).with_name("messages.json"))

SHOWN = 6  # names in one sentence


@dataclass(frozen=True)
class Words:
    """The words of one plan. A thing is looked for among what changes, in ``world``, among what goes."""

    world: World
    new: Mapping[Key, Component]
    old: Mapping[Key, Component]
    language: Language

    def part(self, kind: str, name: str) -> Component | None:
        """The component of that kind and name."""
        key = (kind, name)
        return self.new.get(key) or self.world.part(kind, name) or self.old.get(key)

    def say(self, code: str, **params: Param) -> str:
        return say("studio.told." + code, params, self.language)

    def join(self, names: Sequence[str]) -> str:
        """Names in one breath; of many the first few and how many more."""
        shown = "、".join(names[:SHOWN]) if self.language == "zh" else ", ".join(names[:SHOWN])
        rest = len(names) - SHOWN
        return self.say("and_more", names=shown, count=rest) if rest > 0 else shown

    def title(self, kind: str, name: str) -> str:
        """What people call a component, else its name."""
        if name == "*":
            return self.say("all_" + kind)
        found = self.part(kind, name)
        labels = found.body.get("label") if found is not None else None
        return label_in(labels, self.language) if labels else name.rpartition(".")[2]

    def field(self, object: str, path: str) -> str:
        """What people call a field, by its path from an object: "Account › Industry"."""
        titles = []
        here: str | None = object
        for step in path.split("."):
            found = self.part("field", f"{here}.{step}") if here else None
            if found is None:
                known = SYSTEM_FIELDS.get(step)
                titles.append(label_in(known[1], self.language) if known else step)
                here = None
                continue
            labels = found.body.get("label")
            titles.append(label_in(labels, self.language) if labels else found.local)
            here = found.body.get("options", {}).get("target")
        return " › ".join(titles)

    def label(self, labels: Any) -> str:
        """A label of a part that is no component; "" without one."""
        return label_in(labels, self.language) if isinstance(labels, Mapping) and labels else ""

    def property(self, component: Component, pointer: str, old: Any, new: Any) -> str:
        """Any other property: "Required: no → yes"; of what has no words only that it changed."""
        title = title_of(component, pointer, self.language)
        sides = [self._value(component, pointer, each) for each in (old, new)]
        if sides[0] is None or sides[1] is None:
            return self.say("property_changed", title=title)
        return self.say("property", title=title, old=sides[0], new=sides[1])

    def _value(self, component: Component, pointer: str, value: Any) -> str | None:
        if isinstance(value, Mapping) and not set(value) <= {"zh", "en"}:
            return None
        if isinstance(value, list):
            if not all(isinstance(each, str) for each in value):
                return None
            return self.join([self._word(component, pointer, each) for each in value]) or self.say("none")
        return value_in_words(component, pointer, value, self.language) or self.say("none")

    def _word(self, component: Component, pointer: str, value: str) -> str:
        return value_in_words(component, pointer, value, self.language) or value


@dataclass(frozen=True, slots=True)
class Listed:
    """Two lists of named items compared. ``moved``: (name, the name that it stands behind now, or None)."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[tuple[str, str | None], ...]
    kept: tuple[str, ...]


def listed(old: Sequence[str], new: Sequence[str]) -> Listed:
    """What leads from one order of names to another, with as few moves as there can be."""
    before, after = list(dict.fromkeys(old)), list(dict.fromkeys(new))
    kept = [each for each in after if each in set(before)]
    still = set(_longest([before.index(each) for each in kept], kept))
    moved = tuple(
        (each, after[after.index(each) - 1] if after.index(each) else None)
        for each in kept
        if each not in still
    )
    return Listed(
        tuple(each for each in after if each not in set(before)),
        tuple(each for each in before if each not in set(after)),
        moved,
        tuple(kept),
    )


def _longest(places: Sequence[int], names: Sequence[str]) -> list[str]:
    """The names of the longest part that stands in its old order: all others moved."""
    best: list[list[int]] = []
    for at, place in enumerate(places):
        before = [each for each in best if places[each[-1]] < place]
        best.append([*max(before, key=len, default=[]), at])
    return [names[at] for at in max(best, key=len, default=[])]


Teller = Callable[[Words, Component, Mapping[str, Any], Mapping[str, Any]], Iterator[str]]
"""Says what leads from one body of a component to another; bodies are {} where it is not there."""
