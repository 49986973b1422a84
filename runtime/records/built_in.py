"""What the platform demands of records of its own objects, whichever way they are written: clocks that exist,
and no right that the giver does not hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from tabwright.platform.clock import is_zone
from tabwright.platform.errors import Denied
from tabwright.runtime.access.delegating import Delegate, delegate
from tabwright.runtime.access.delegating import people as people_of
from tabwright.runtime.access.granting import check_assignment, check_membership
from tabwright.runtime.access.lasting import lasting
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.access.rights import BASE, rights_of
from tabwright.runtime.records.batch import Batch, Row, Work, text_of

Person = Mapping[str, Any]
_OWN = frozenset(
    {"language", "zone", "updated_at", "updated_by", "revision"}
)  # what everybody sets for themselves


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
    held_to = _held_to(work)
    if held_to is not None:
        _within(batch, work, held_to, _given_by_delegate)
        return
    for row, uid in _giving(batch, "permission_set"):
        assert row.new is not None
        with _refusing(row, "permission_set"):
            check_assignment(_lasting(work, row.new["expires_at"]), work.model, [str(uid)])


def _memberships(batch: Batch, work: Work) -> None:
    """Who is in a queue works with its records, so only who does may let others in."""
    if work.depth:
        return
    _people(batch, work)
    for row, queue in _giving(batch, "queue"):
        if isinstance(queue, UUID):
            with _refusing(row, "queue"):
                check_membership(_lasting(work, None), work.model, queue)


# ---- delegates: what they write is about their people ------------------------------------------


def _held_to(work: Work) -> Delegate | None:
    if work.depth:
        return None
    return delegate(work.call.tenant, work.writer, work.model, work.principal, work.call.clock.now())


def _within(
    batch: Batch, work: Work, held_to: Delegate, judge: Callable[[Delegate, Person, Mapping[str, Any]], str]
) -> None:
    """Refuse the rows that are about somebody out of a delegate's reach, before or after."""
    rows = [row for row in batch.rows if not row.faults]
    ids = {id for row in rows for at in (row.old, row.new) if at and (id := at["user"]) is not None}
    people = people_of(work.call.tenant, work.writer, work.model, ids, work.call.clock.now())
    for row in rows:
        for at in (row.old, row.new):
            if at is None or row.faults:
                continue
            person = people.get(at["user"])
            code = "access.delegate_person"
            if person is None or not held_to.reaches(person) or (code := judge(held_to, person, at)):
                row.refuse(code, "user", kind=Denied)


def _people(batch: Batch, work: Work) -> None:
    """What is written about people (their groups, queues, positions) is about a delegate's own."""
    held_to = _held_to(work)
    if held_to is not None:
        _within(batch, work, held_to, lambda held_to, person, at: "")


def _given_by_delegate(held_to: Delegate, person: Person, at: Mapping[str, Any]) -> str:
    return "" if held_to.gives(person, str(at["permission_set"])) else "access.delegate_set"


def _users(batch: Batch, work: Work) -> None:
    """Zones that exist; a delegate writes nobody but their people, who stay so."""
    _zones(batch, work)
    held_to = _held_to(work)
    if held_to is None:
        return
    rows = [row for row in batch.rows if not row.faults]
    ids = {row.id for row in rows if row.id is not None and row.old is not None}
    there = people_of(work.call.tenant, work.writer, work.model, ids, work.call.clock.now())
    for row in rows:
        if row.id == held_to.person and set(row.changed) <= _OWN and row.action == "update":
            continue
        reached = [held_to.reaches(each) for each in (row.old, row.new) if each is not None]
        if not all(reached) or (row.old is not None and row.id not in there):
            row.refuse("access.delegate_person", kind=Denied)


def _delegations(batch: Batch, work: Work) -> None:
    """Only who administers delegates; names become uids."""
    if work.depth:
        return
    mine = rights_of(work.model, _lasting(work, None))
    sets = {**work.model.grantable_uids, **{uid: uid for uid in work.model.grantable}}
    objects = {name: each.uid for name, each in work.model.objects.items()}
    objects |= {uid: uid for uid in objects.values()}
    for row in batch.rows:
        if row.faults:
            continue
        if not mine.administers:
            row.refuse("access.delegation_admin", kind=Denied)
        if row.new is None:
            continue
        if row.new["department"] is None and row.new["position"] is None:
            row.refuse("access.delegation_nowhere", "department")
        for field, known in (("sets", sets), ("objects", objects)):
            said = str(row.new[field] or "").replace(",", " ").split()
            if unknown := [each for each in said if each not in known]:
                row.refuse("value.not_in_list", field, value=unknown[0][:80])
            elif row.sent.get(field) is not None:
                row.new[field] = " ".join(dict.fromkeys(known[each] for each in said))


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
    "user": _users,
    "delegation": _delegations,
    "group_member": _people,
    "position_holder": _people,
    "permission_assignment": _assignments,
    "queue_member": _memberships,
}
