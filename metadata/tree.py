"""A set of components as a content-addressed tree: a sub-tree per object, one per kind that belongs to none.

Equal sets have equal digests, and a tree shares every untouched sub-tree with the tree it was made from:
comparing two trees, storing one and compiling one again cost what changed, not what there is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec

from tabwright.metadata import schema
from tabwright.metadata.documents import Component
from tabwright.platform.errors import Conflict, Fault, Place

Key = tuple[str, str]  # kind, name


def part_of(kind: str, name: str) -> str:
    """The sub-tree in which a component stands: "object/account", or its kind."""
    if kind == "object" or schema.is_part_of_object(kind):
        return "object/" + name.partition(".")[0]
    return kind


@dataclass(frozen=True, eq=False)
class SubTree:
    """Some components, ordered by kind and name."""

    components: Mapping[Key, Component]

    @cached_property
    def data(self) -> bytes:
        """What is stored of it: kind, name, uid and digest of each component."""
        return msgspec.json.encode(
            [[kind, name, each.uid, each.digest] for (kind, name), each in self.components.items()]
        )

    @cached_property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()

    @cached_property
    def uids(self) -> Mapping[str, Component]:
        return {each.uid: each for each in self.components.values()}

    @cached_property
    def notes(self) -> dict[Any, Any]:
        """Room for what readers derive from the components alone; lost with the sub-tree."""
        return {}


def _sub_tree(components: Iterable[Component]) -> SubTree:
    ordered = sorted(((each.kind, each.name), each) for each in components)
    return SubTree(dict(ordered))


@dataclass(frozen=True, eq=False)
class Tree:
    """All components of a tenant at one moment."""

    parts: Mapping[str, SubTree]

    @classmethod
    def of(cls, components: Iterable[Component]) -> Tree:
        """The tree of these components. Raises Conflict when two have one name or one uid."""
        return cls({}).changed(components)

    @cached_property
    def data(self) -> bytes:
        """What is stored of it: the digest of each sub-tree."""
        return msgspec.json.encode([[name, part.digest] for name, part in self.parts.items()])

    @cached_property
    def digest(self) -> str:
        """SHA-256, in hex: equal for equal sets of components."""
        return hashlib.sha256(self.data).hexdigest()

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Tree) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __iter__(self) -> Iterator[Component]:
        for part in self.parts.values():
            yield from part.components.values()

    def __len__(self) -> int:
        return sum(len(part.components) for part in self.parts.values())

    def get(self, kind: str, name: str) -> Component | None:
        """The component of that kind and name, or None."""
        part = self.parts.get(part_of(kind, name))
        return part.components.get((kind, name)) if part else None

    def by_uid(self, uid: str) -> Component | None:
        """The component of that uid, or None."""
        for part in self.parts.values():
            if uid in part.uids:
                return part.uids[uid]
        return None

    def parts_of_object(self, name: str) -> tuple[Component, ...]:
        """The components that belong to an object, itself left out."""
        part = self.parts.get("object/" + name)
        return tuple(each for each in part.components.values() if each.kind != "object") if part else ()

    def changed(self, put: Iterable[Component], deleted: Iterable[str] = ()) -> Tree:
        """A new tree: ``put`` in place of what has their uids, the uids ``deleted`` left out.

        Raises Conflict when two components would have one name or one uid.
        """
        put = list(put)
        gone = {each.uid for each in put} | set(deleted)
        touched: dict[str, dict[Key, Component]] = {}

        def open_part(name: str) -> dict[Key, Component]:
            if name not in touched:
                old = self.parts.get(name)
                touched[name] = dict(old.components) if old else {}
            return touched[name]

        for name, part in self.parts.items():
            for uid in gone & part.uids.keys() if len(gone) < len(part.uids) else part.uids.keys() & gone:
                old = part.uids[uid]
                del open_part(name)[old.kind, old.name]
        faults = []
        seen: set[str] = set()
        for each in put:
            part_ = open_part(part_of(each.kind, each.name))
            if (each.kind, each.name) in part_:
                place = Place(component=each.place, pointer="/name")
                faults.append(Fault("component.name_taken", {"name": each.name}, place))
            elif each.uid in seen:
                faults.append(
                    Fault(
                        "component.uid_taken", {"uid": each.uid}, Place(component=each.place, pointer="/uid")
                    )
                )
            seen.add(each.uid)
            part_[each.kind, each.name] = each
        if faults:
            raise Conflict(faults)
        parts = dict(self.parts)
        for name, content in touched.items():
            parts.pop(name, None)
            if content:
                parts[name] = _sub_tree(content.values())
        return Tree(dict(sorted(parts.items())))
