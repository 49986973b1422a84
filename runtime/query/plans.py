"""Compiled statements, kept while the tables that they were compiled against are the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

from tabwright.metadata.model import ObjectDef
from tabwright.runtime.desk import Call

TablesUsed = tuple[tuple[ObjectDef, str], ...]  # each object with the digest of its table


class Plan(Protocol):
    """A compiled piece that knows the tables that it was compiled against."""

    @property
    def tables(self) -> TablesUsed: ...


P = TypeVar("P", bound=Plan)


class _Slot(Generic[P]):
    """A plan in the cache of pieces. Its key knows the object and its table, here those joined are."""

    def __init__(self) -> None:
        self.plan: P | None = None
        self.making = threading.Lock()


def kept(call: Call, what: str, object: ObjectDef, make: Callable[[], P], *key: Hashable) -> P:
    """The compiled piece under this key, made again when an object that it joins has changed."""
    slot: _Slot[P] = call.tenant.piece(what, object, call.tables.of(object), _Slot[P], *key)
    plan = slot.plan
    if plan is None or _moved(plan, call):
        with slot.making:  # one thread compiles, the others wait for it
            plan = slot.plan
            if plan is None or _moved(plan, call):
                plan = slot.plan = make()
    return plan


def _moved(plan: Plan, call: Call) -> bool:
    """Also what a joined object says of itself is written into a statement: names, values and their order."""
    for object, digest in plan.tables:
        now = call.model.objects.get(object.name)
        if now is None or now.digest != object.digest or call.tables.of(now).digest != digest:
            return True
    return False
