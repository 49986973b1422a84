"""Three-way merging of trees: what a tree changed from its base, put on what is in force now."""

from __future__ import annotations

from tabwright.metadata.diff import Clash, clash, diff
from tabwright.metadata.documents import Component
from tabwright.metadata.tree import Tree
from tabwright.platform.errors import Conflict, Fault, Place


def merged(base: Tree, current: Tree, target: Tree) -> Tree:
    """``current`` with what leads from ``base`` to ``target``.

    Raises Conflict (``publish.both_changed``) with a fault for each component that both sides changed.
    """
    if base == current:
        return target
    put: list[Component] = []
    deleted: list[str] = []
    clashes: list[Clash] = []
    for change in diff(base, target):
        uid = change.component.uid
        there = current.by_uid(uid)
        found = clash(change.old, there, change.new)
        if found is not None:
            clashes.append(found)
        elif change.new is None:
            deleted.append(uid)
        elif there != change.new:
            put.append(change.new)
    if clashes:
        raise Conflict([fault for each in clashes for fault in _faults(each)])
    return current.changed(put, deleted)


def _faults(clash: Clash) -> list[Fault]:
    said = {"component": clash.component.place}
    return [
        Fault("publish.both_changed", said, Place(component=clash.component.place, pointer=pointer))
        for pointer in clash.pointers or ("",)
    ]
