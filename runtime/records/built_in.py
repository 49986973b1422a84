"""What the platform demands of records of its own objects, whichever way they are written: clocks that exist,
and no right that the giver does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from tabwright.platform.clock import is_zone
from tabwright.platform.errors import Denied
from tabwright.runtime.access.granting import check_assignment, check_membership
from tabwright.runtime.access.lasting import lasting
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.records.batch import Batch, Row, Work, text_of


def demands(batch: Batch, work: Work) -> None:
    """Refuse rows of a built-in object that the platform could not work with, or that give too much."""
    demand = _DEMANDS.get(batch.object.name) if batch.object.package == BASE else None
    if demand is not None:
        demand(batch, work)


def _zones(batch: Batch, work: Work) -> None:
    for row in batch.rows:
        zone = row.sent.get("zone")
        if row.new is not None and zone is not None and not is_zone(zone):
            row.refuse("value.no_such_zone", "zone", value=zone)


def _assignments(batch: Batch, work: Work) -> None:
    """A permission set or group that is given exists, and is named by its uid from then on."""
    if work.depth:
        return
    sets = work.model.grantable
    uids = work.model.grantable_uids
    for row in batch.rows:
        given = row.sent.get("permission_set")
        if row.new is not None and given is not None and given not in sets:
            if given in uids:  # people say its name
                row.new["permission_set"] = uids[given]
            else:
                row.refuse("value.not_in_list", "permission_set", value=text_of(given))
    for row, uid in _giving(batch, "permission_set"):
        assert row.new is not None
        with _refusing(row, "permission_set"):
            check_assignment(_lasting(work, row.new["expires_at"]), work.model, [str(uid)])


def _memberships(batch: Batch, work: Work) -> None:
    """Who is in a queue works with its records, so only who does may let others in."""
    if work.depth:
        return
    for row, queue in _giving(batch, "queue"):
        if isinstance(queue, UUID):
            with _refusing(row, "queue"):
                check_membership(_lasting(work, None), work.model, queue)


def _lasting(work: Work, until: datetime | None) -> Principal:
    """Who writes, with what they hold for at least as long as what they give."""
    return lasting(work.call.tenant, work.writer, work.model, work.principal, until)


def _giving(batch: Batch, field: str) -> Iterator[tuple[Row, object]]:
    """The rows after which somebody has something, and what stands in their field.

    What follows from another write in its transaction is the platform's own, and not asked about.
    """
    for row in batch.rows:
        if row.new is None or row.faults or row.action not in ("create", "update", "restore"):
            continue
        yield row, row.new[field]


@contextmanager
def _refusing(row: Row, field: str) -> Iterator[None]:
    try:
        yield
    except Denied as error:
        fault = error.faults[0]
        row.refuse(fault.code, field, kind=Denied, **fault.params)


_DEMANDS: dict[str, Callable[[Batch, Work], None]] = {
    "user": _zones,
    "permission_assignment": _assignments,
    "queue_member": _memberships,
}
