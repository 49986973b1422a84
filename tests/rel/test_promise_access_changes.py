"""R11 in the small: while the organisation, a share or a rule changes, nobody sees a record that neither the
state before nor the state after opens.

At length: ``TABWRIGHT_REL_READERS=16 TABWRIGHT_REL_FLIPS=300 python -m pytest -s
tests/rel/test_promise_access_changes.py``.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from uuid import UUID

import pytest

from served import size, tell
from tabwright.platform.clock import SystemClock, SystemIds
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from world import World, field_doc, object_doc

READERS = size("readers", 3)
FLIPS = size("flips", 2)

CLERK = {
    "kind": "permission_set",
    "name": "clerk",
    "label": {"en": "Clerk"},
    "objects": {"card": ["read"], "line": ["read"]},
    "fields": {"*": {"*": "read"}},
}
RULE = {
    "kind": "sharing_rule", "name": "card.even", "label": {"en": "Even"}, "when": "value = 2",
    "to": [{"kind": "everyone"}],
}  # fmt: skip
LIMIT = {"kind": "restriction_rule", "name": "card.odd", "label": {"en": "Odd"}, "condition": "value = 1"}
DOCUMENTS = [
    CLERK,
    object_doc("card"),
    field_doc("card.name", "text"),
    field_doc("card.value", "integer"),
    object_doc("line"),
    field_doc("line.name", "text"),
    field_doc("line.card", "master_detail", options={"target": "card"}),
]


class Office:
    """Two chiefs, each with a clerk who owns cards with lines; and somebody who sees none of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        create = world.records.create
        clerk = next(each.uid for each in world.model.permission_sets.values() if each.name == "clerk")
        self.positions = [create("position", {"name": f"chief {n}"}).id for n in range(2)]
        self.below = [create("position", {"name": f"b{n}", "parent": self.positions[n]}).id for n in range(2)]
        self.group = create("group", {"name": "friends"}).id
        self.queue = create("queue", {"name": "pool"}).id
        self.people = []
        for n, position in enumerate([*self.positions, *self.below, None]):
            person = create(
                "user", {"name": f"u{n}", "address": f"u{n}@example.com", "position": position}
            ).id
            create("permission_assignment", {"user": person, "permission_set": clerk})
            self.people.append(person)
        self.cards = []
        for owner in (*self.people[2:4], self.queue):
            for value in (1, 2):
                self.cards.append(create("card", {"name": "c", "owner": owner, "value": value}).id)
                create("line", {"name": "l", "card": self.cards[-1]})

    def sees(self, person: UUID) -> frozenset[UUID]:
        """What a request of this person would list: the principal by one statement, then the records."""
        world = self.world
        with world.store.read() as reader:
            who = principals.load(world.tenant, reader, world.model, person, world.clock.now())
        call = replace(world.call_as(who), gate=Gate(world.model, who))
        return frozenset(
            row["id"]
            for object in ("card", "line")
            for row in Reads(call).list(Query(object, ("id",), limit=100)).rows
        )

    # ---- what changes, there and back --------------------------------------------------------------

    def moves_a_position(self, on: bool) -> None:
        self.world.records.update("position", self.below[0], {"parent": self.positions[on]})

    def moves_people(self, on: bool) -> None:
        for n in (2, 3):
            self.world.records.update("user", self.people[n], {"position": self.below[(n - 2) ^ on]})

    def fills_a_queue(self, on: bool) -> None:
        if on:
            self.member = self.world.records.create(
                "queue_member", {"queue": self.queue, "members_of": self.group}
            ).id
            self.friend = self.world.records.create(
                "group_member", {"group": self.group, "user": self.people[4]}
            ).id
        elif hasattr(self, "member"):
            self.world.records.delete("queue_member", self.member)
            self.world.records.delete("group_member", self.friend)

    def gives_cards_away(self, on: bool) -> None:
        self.world.records.update("card", self.cards[0], {"owner": self.people[2 + on]})

    def publishes_rules(self, on: bool) -> None:
        fresh = [RULE] if on else [LIMIT]
        gone = ("sharing_rule", "restriction_rule")
        self.world.documents = [each for each in self.world.documents if each["kind"] not in gone]
        self.world.publish(fresh)


KINDS = ("moves_a_position", "moves_people", "fills_a_queue", "gives_cards_away", "publishes_rules")


def race(office: Office, change: Callable[[bool], None]) -> int:
    """Readers read while a change comes and goes; how often they did. Asserts that none saw too much."""
    change(True)
    after = {person: office.sees(person) for person in office.people}
    change(False)
    before = {person: office.sees(person) for person in office.people}
    assert before != after
    done, failed, reads = threading.Event(), list[BaseException](), list[int]()

    def read(number: int) -> None:
        count = 0
        try:
            while not done.is_set():
                person = office.people[(number + count) % len(office.people)]
                seen = office.sees(person)
                assert seen <= before[person] | after[person], (change.__name__, person, seen)
                count += 1
        except BaseException as error:
            failed.append(error)
        reads.append(count)

    threads = [threading.Thread(target=read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    for flip in range(2 * FLIPS):
        change(flip % 2 == 0)
    done.set()
    for thread in threads:
        thread.join()
    assert failed == []
    assert {person: office.sees(person) for person in office.people} == before
    return sum(reads)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_sees_what_neither_side_of_a_change_opens(world: Callable[..., World]) -> None:
    made = world(DOCUMENTS)
    made.clock = SystemClock()  # type: ignore[assignment]
    made.ids = SystemIds(made.clock)  # type: ignore[assignment]
    office = Office(made)
    reads = {kind: race(office, getattr(office, kind)) for kind in KINDS}
    tell(promise="R11", database=made.store.dialect, readers=READERS, flips=FLIPS, reads=reads, wrong=0)
    assert min(reads.values()) > 0
