"""Trees: a lookup of an object to itself by which its records hang on each other."""

from __future__ import annotations

from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.work import Work
from tabwright.metadata.world import FieldSource


def check_tree(work: Work, source: FieldSource, component: Component, target: str | None) -> None:
    """A tree leads to its own object, and an object has one."""
    if target is not None and target != source.object:
        work.fault(component, "field.tree_elsewhere", "options", "tree", object=source.object)
    first = work.lens.tree_of(source.object)
    if first is not None and first.name != source.name:
        work.fault(component, "field.two_trees", "options", "tree", first=first.name)
