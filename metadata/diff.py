"""Differences between trees: which components, and in each which properties, by JSON pointer.

Components are compared by uid, so a rename is a change of ``/name``. ``merge_conflicts`` says where two
people changed the same thing from a common start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tabwright.metadata.documents import Component
from tabwright.metadata.tree import Tree

Action = Literal["added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class Property:
    """One property that differs. ``MISSING`` on a side that does not have it."""

    pointer: str
    old: Any
    new: Any


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One component that differs; ``properties`` of added and removed ones are empty."""

    action: Action
    old: Component | None
    new: Component | None
    properties: tuple[Property, ...] = ()

    @property
    def component(self) -> Component:
        """The newer side that there is."""
        found = self.new or self.old
        assert found is not None
        return found


def diff(old: Tree, new: Tree) -> tuple[Difference, ...]:
    """What leads from one tree to another, by kind and name. Untouched sub-trees are not looked into."""
    before: dict[str, Component] = {}
    after: dict[str, Component] = {}
    for name in old.parts.keys() | new.parts.keys():
        was, now = old.parts.get(name), new.parts.get(name)
        if was is not None and now is not None and (was is now or was.digest == now.digest):
            continue
        before |= was.uids if was else {}
        after |= now.uids if now else {}
    made = []
    for uid in before.keys() | after.keys():
        one, two = before.get(uid), after.get(uid)
        if one is None:
            made.append(Difference("added", None, two))
        elif two is None:
            made.append(Difference("removed", one, None))
        elif one != two:
            made.append(Difference("changed", one, two, tuple(properties(one.document, two.document))))
    return tuple(sorted(made, key=lambda each: (each.component.kind, each.component.name)))


def properties(old: Any, new: Any, pointer: str = "") -> Iterator[Property]:
    """The properties that differ between two JSON values. A list is one property."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            step = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
            yield from properties(old.get(key, MISSING), new.get(key, MISSING), step)
    elif type(old) is not type(new) or old != new:
        yield Property(pointer, old, new)


@dataclass(frozen=True, slots=True)
class Clash:
    """A component that was changed on both sides: what it was, what is in force, what the draft wants.

    ``pointers`` are the properties that both sides changed, and to different values.
    """

    base: Component | None
    current: Component | None
    draft: Component | None
    pointers: tuple[str, ...]

    @property
    def component(self) -> Component:
        found = self.draft or self.current or self.base
        assert found is not None
        return found


def clash(base: Component | None, current: Component | None, draft: Component | None) -> Clash | None:
    """The clash of one component's three states, or None when only one side changed it or both agree."""
    if current == base or draft == base or current == draft:
        return None
    return Clash(base, current, draft, _both(base, current, draft))


def _both(base: Component | None, current: Component | None, draft: Component | None) -> tuple[str, ...]:
    if current is None or draft is None:
        return ("",)
    start = base.document if base else {}
    theirs = {each.pointer: each.new for each in properties(start, current.document)}
    mine = {each.pointer: each.new for each in properties(start, draft.document)}
    return tuple(pointer for pointer in mine if pointer in theirs and theirs[pointer] != mine[pointer])
