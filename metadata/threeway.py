"""Three-way merging of JSON values: a common start, and what two sides made of it.

Objects are merged key by key. Lists whose items can be told apart (by themselves, or by ``code`` or
``field``) are merged item by item, order included; any other list is one value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tabwright.metadata.diff import MISSING

_names = ("code", "field")


def merged_document(
    base: Mapping[str, Any], mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The document with what both sides changed, and the pointers where they changed the same differently:
    there it says what ``mine`` says.
    """
    clashes: list[str] = []
    made = _merged(base, mine, theirs, "", clashes)
    return made, tuple(clashes)


def _merged(base: Any, mine: Any, theirs: Any, pointer: str, clashes: list[str]) -> Any:
    if _same(mine, theirs) or _same(theirs, base):
        return mine
    if _same(mine, base):
        return theirs
    if isinstance(mine, Mapping) and isinstance(theirs, Mapping):
        return _objects(base if isinstance(base, Mapping) else {}, mine, theirs, pointer, clashes)
    if isinstance(mine, list) and isinstance(theirs, list):
        found = _lists(base if isinstance(base, list) else [], mine, theirs, pointer, clashes)
        if found is not None:
            return found
    clashes.append(pointer)
    return mine


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _objects(
    base: Mapping[str, Any],
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    pointer: str,
    clashes: list[str],
) -> dict[str, Any]:
    made = {}
    for key in dict.fromkeys([*mine, *theirs]):
        step = f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}"
        value = _merged(
            base.get(key, MISSING), mine.get(key, MISSING), theirs.get(key, MISSING), step, clashes
        )
        if value is not MISSING:
            made[key] = value
    return made


def _lists(
    base: Sequence[Any], mine: Sequence[Any], theirs: Sequence[Any], pointer: str, clashes: list[str]
) -> list[Any] | None:
    """The lists merged item by item; None where items cannot be told apart or both sides reordered them."""
    sides = [_by_name(each) for each in (base, mine, theirs)]
    if any(each is None for each in sides):
        return None
    was, here, there = (each or {} for each in sides)
    order, other = list(here), list(there)
    common = [name for name in here if name in there]
    moved = [name for name in there if name in here]
    if common != moved:
        kept = [name for name in was if name in here and name in there]
        mine_moved = kept != [name for name in common if name in was]
        theirs_moved = kept != [name for name in moved if name in was]
        if mine_moved and theirs_moved or kept == []:
            return None
        if theirs_moved:
            order, other = other, order
    names = _woven(order, other)
    made = []
    for name in names:
        sides_of = (was.get(name, MISSING), here.get(name, MISSING), there.get(name, MISSING))
        value = _merged(*sides_of, f"{pointer}/{name}", clashes)
        if value is not MISSING:
            made.append(value)
    return made


def _woven(order: list[str], other: list[str]) -> list[str]:
    """``order`` with what only ``other`` has, each behind what it stands behind there."""
    made = list(order)
    behind = -1
    for name in other:
        if name in made:
            behind = made.index(name)
        else:
            behind += 1
            made.insert(behind, name)
    return made


def _by_name(items: Sequence[Any]) -> dict[str, Any] | None:
    """The items by what tells them apart; None where something does not, or two are alike."""
    found: dict[str, Any] = {}
    for each in items:
        name = each if isinstance(each, str) else None
        if isinstance(each, Mapping):
            name = next((each[key] for key in _names if isinstance(each.get(key), str)), None)
        if name is None or name in found:
            return None
        found[name] = each
    return found
