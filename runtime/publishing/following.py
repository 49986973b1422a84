"""Whose writes reach stored values of other records, before and after a publish."""

from __future__ import annotations

from collections.abc import Iterator

from tabwright.metadata.dependencies import Edge, dependencies_of
from tabwright.metadata.model import Model


def starts(old: Model | None, new: Model) -> Iterator[str]:
    """Objects whose changes reach stored values that they did not reach before: whoever writes to them has to
    know.
    """
    before = set() if old is None else {(edge.object, edge.owner, edge.target) for edge in _away(old)}
    fresh = {(edge.object, edge.owner, edge.target) for edge in _away(new)} - before
    yield from sorted({object for object, _, _ in fresh})


def _away(model: Model) -> Iterator[Edge]:
    return (edge for edge in dependencies_of(model).edges if edge.route)
