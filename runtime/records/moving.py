"""Writes and releases at the same moment: what was begun on one release is not written past the next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from tabwright.metadata.dependencies import Dependencies, Edge, dependencies_of
from tabwright.metadata.model import Model, ObjectDef
from tabwright.platform.errors import Deadlock, Place, Unavailable
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.desk import Call, TenantRuntime
from tabwright.runtime.journal import writing as journal

if TYPE_CHECKING:
    from tabwright.runtime.records.batch import Work

Done = TypeVar("Done")

_TRIES = 6


class ReleaseMoved(Unavailable):
    """A release that changes the object came into force while a record was saved. Nothing is written."""


def close(work: Work, objects: Iterable[ObjectDef]) -> None:
    """The last statement of a write: the operation's row, which brings the number of the release in force.

    Raises ReleaseMoved where an object, or one that may follow from it, is no longer as the call knows it.
    Exact, because a publish that changes where values stand keeps writers of that table out until it commits.
    """
    call, operation = work.call, work.operation
    if work.rehearsal:
        return
    if operation.written:
        number = journal.add_operation(
            work.writer, operation.id, work.now, work.principal, operation.cause, work.model.release,
            call.request_id, operation.reference,
        )  # fmt: skip
        if number == call.model.release:
            return
    now = call.tenant.at_release(work.writer)
    if now is call.model or now.release == call.model.release:
        return
    for object in objects:
        for name in _reach(call.model, object.name):
            if _shape(call.tenant, now, name) != _shape(call.tenant, call.model, name):
                raise ReleaseMoved.of("record.release_moved", Place(object=object.name))


def under_the_release_in_force(call: Call, work: Callable[[Call], Done]) -> Done:
    """``work(call)``, begun again under the new release where one came in between, and where two writers
    waited for each other.
    """
    for _ in range(_TRIES - 1):
        try:
            return work(call)
        except Deadlock:
            continue
        except ReleaseMoved:
            model = call.tenant.at_release()
            call = replace(call, model=model, gate=Gate(model, call.gate.principal))
    return work(call)


def dependencies(tenant: TenantRuntime, model: Model) -> Dependencies:
    """The dependencies of a model, made once."""
    key = ("dependencies", tenant.store.key, model.digest, model.release)
    return tenant.pieces.get(key, lambda: dependencies_of(model), 16_384)


def _reach(model: Model, name: str) -> set[str]:
    """The object and all that a delete or restore of its records may write."""
    found, waiting = {name}, [name]
    while waiting:
        for field in model.children(waiting.pop()):
            if field.object not in found:
                found.add(field.object)
                waiting.append(field.object)
    return found


def _shape(tenant: TenantRuntime, model: Model, name: str) -> tuple[str, str, frozenset[Edge]] | None:
    object = model.objects.get(name)
    if object is None:
        return None
    edges = dependencies(tenant, model).from_object(name)
    return object.digest, tenant.tables(model).of(object).digest, edges
