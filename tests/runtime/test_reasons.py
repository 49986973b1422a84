"""Explain agrees with the gate on random questions, and the least change it names opens what was closed.

python tests/runtime/test_reasons.py 10000 500 7 [URL]   # questions, changes, seed
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from stores import DIALECTS, open_stores, settings_for
from tabwright.platform.errors import NotFound
from tabwright.runtime.access import principals
from tabwright.runtime.access.asking import may
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.access.share_rows import Terms, Whom
from tabwright.runtime.access.sharing import Shares
from tabwright.runtime.personal import telling
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.reasons.changes import Proposal, least_changes
from tabwright.runtime.reasons.explaining import Question, explain_in
from tabwright.runtime.reasons.supposed import RECORD_LEVELS
from world import World, field_doc, language_functions, make_world, object_doc

RIGHTS = ["create", "read", "edit", "delete", "share", "transfer", "export"]
OPERATIONS = (*RECORD_LEVELS, "create", "export", "mass_edit")
NOT_OF_PARTS = ("share", "transfer")


def documents(pick: random.Random) -> list[dict[str, Any]]:
    """Objects of every kind of sharing, with rules, restrictions and sets that overlap."""
    made: list[Any] = []
    bodies = {
        "open": {"sharing": "read"},
        "shut": {"hierarchy": "read"},
        "deal": {},
        "free": {"sharing": "edit"},
    }
    for name, more in bodies.items():
        made += [
            object_doc(name, **more),
            field_doc(f"{name}.name", "text"),
            field_doc(f"{name}.region", "text"),
            field_doc(f"{name}.value", "integer"),
            field_doc(f"{name}.twice", "formula", options={"returns": "integer", "formula": "value * 2"}),
        ]
    made += [
        object_doc("line"),
        field_doc("line.name", "text"),
        field_doc("line.deal", "master_detail", options={"target": "deal"}),
    ]
    for n in range(5):
        objects = {
            name: pick.sample(RIGHTS, pick.randint(1, 6))
            for name in ("open", "shut", "deal", "free", "line")
            if pick.random() < 0.7
        }  # fmt: skip
        if n == 3:
            objects["deal"] = ["view_all"]
        if n == 4:
            objects["shut"] = ["modify_all"]
        words = {name: pick.choice(["none", "read", "edit"]) for name in ("name", "region", "value", "twice")}
        made.append(
            {"kind": "permission_set", "name": f"set{n}", "label": {"en": f"Set {n}"}, "objects": objects,
             "fields": {"*": {"*": pick.choice(["read", "edit"])}, "deal": words}}
        )  # fmt: skip
    made.append(
        {"kind": "permission_set", "name": "all", "label": {"en": "All"},
         "objects": {"*": [*RIGHTS, "mass_edit"]}, "fields": {"*": {"*": "edit"}}}
    )  # fmt: skip
    made += [
        {"kind": "restriction_rule", "name": "deal.east", "label": {"en": "East"}, "applies_to": ["set1"],
         "condition": 'region = "east"'},
        {"kind": "restriction_rule", "name": "shut.small", "label": {"en": "Small"},
         "applies_to": ["set0", "set2"], "condition": "value < 5"},
        {"kind": "sharing_rule", "name": "deal.big", "label": {"en": "Big"}, "access": "read",
         "when": "value > 6", "to": [{"kind": "group", "key": "g0"}, {"kind": "position", "key": "p1"}]},
        {"kind": "sharing_rule", "name": "shut.peers", "label": {"en": "Peers"}, "access": "edit",
         "owned_by": [{"kind": "position", "key": "p2", "below": True}],
         "to": [{"kind": "group", "key": "g1"}]},
    ]  # fmt: skip
    return made


class Company:
    """A random organisation in one tenant."""

    def __init__(self, world: World, pick: random.Random) -> None:
        self.world, self.pick = world, pick
        records = world.records
        self.positions: list[UUID] = []
        for n in range(5):
            parent = pick.choice(self.positions) if self.positions and n else None
            values = {"name": f"p{n}", "code": f"p{n}", "parent": parent}
            self.positions.append(records.create("position", values).id)
        self.groups = [records.create("group", {"name": f"g{n}", "code": f"g{n}"}).id for n in range(3)]
        self.queues = [
            records.create("queue", {"name": f"q{n}", "member_access": level}).id
            for n, level in enumerate(("read", "full"))
        ]
        self.people: list[UUID] = []
        for n in range(12):
            position = pick.choice([*self.positions, None])
            id = world.user(f"u{n}", position=position).user_id
            for each in pick.sample(["set0", "set1", "set2", "set3", "set4", "all"], pick.randint(0, 3)):
                self.assign(id, each)
            for group in self.groups:
                if pick.random() < 0.25:
                    records.create("group_member", {"group": group, "user": id})
            for queue in self.queues:
                if pick.random() < 0.2:
                    records.create("queue_member", {"queue": queue, "user": id})
            self.people.append(id)
        self.records: list[tuple[str, UUID]] = []
        for _ in range(60):
            self.records.append(self._record())
        shares = Shares(world.call)
        for object, id in self.records:
            if object != "line" and pick.random() < 0.4:
                whom = pick.choice(
                    [Whom("user", pick.choice(self.people)), Whom("group", pick.choice(self.groups)),
                     Whom("position", pick.choice(self.positions), pick.random() < 0.5)]
                )  # fmt: skip
                shares.give(object, [id], whom, Terms(pick.choice(["read", "edit", "full"])))

    def retire(self) -> None:
        """Another company in the same tenant will have these names."""
        for object, ids in (("position", self.positions), ("group", self.groups), ("queue", self.queues)):
            for id in ids:
                name = "x" + id.hex
                values = {"name": name} if object == "queue" else {"name": name, "code": name}
                self.world.records.update(object, id, values)

    def _record(self) -> tuple[str, UUID]:
        pick = self.pick
        deals = [id for object, id in self.records if object == "deal"]
        object = pick.choice(["open", "shut", "deal", "deal", "free", "line"])
        values: dict[str, Any] = {"name": "r"}
        if object == "line":
            values["deal"] = pick.choice([*deals, None])
        else:
            values |= {"region": pick.choice(["east", "west"]), "value": pick.randint(0, 9)}
        if object != "line" or values["deal"] is None:
            values["owner"] = pick.choice([*self.people, *self.queues])
        if object == "line" and values["deal"] is None:
            object = "deal"
            del values["deal"]
        return object, self.world.records.create(object, values).id

    def assign(self, user: UUID, name: str) -> None:
        model = self.world.model
        self.world.records.create(
            "permission_assignment", {"user": user, "permission_set": model.grantable_uids[name]}
        )

    def who(self, id: UUID) -> Principal:
        with self.world.store.read() as reader:
            return principals.load(self.world.tenant, reader, self.world.model, id, self.world.clock.now())

    def question(self) -> Question:
        pick = self.pick
        object, record = pick.choice(self.records)
        found = self.world.model.objects[object]
        operation = pick.choice([each for each in OPERATIONS if object != "line" or each not in NOT_OF_PARTS])
        field = None
        if operation in ("read", "create", "edit") and pick.random() < 0.4:
            field = pick.choice(list(found.fields.values()))
        with_record = operation in RECORD_LEVELS and pick.random() < 0.9
        return Question(pick.choice(self.people), found, operation, record if with_record else None, field)

    def gate_says(self, asked: Question) -> bool:
        """What the gate of the person decides, as the services ask it."""
        call = self.world.call_as(self.who(asked.user))
        gate, object = call.gate, call.model.objects[asked.object.name]
        if not gate.may(object, "edit" if asked.operation == "transfer" else asked.operation):
            return False
        if asked.field is not None:
            field = object.fields[asked.field.name]
            fine = {
                "read": gate.can_read(field), "edit": gate.can_edit(field),
                "create": any(each.name == field.name for each in gate.settable(object)),
            }[asked.operation]  # fmt: skip
            if not fine:
                return False
        if asked.record is None or asked.level is None:
            level = next((each for each in RECORD_LEVELS if each == asked.operation), None)
            return level is None or not gate.rule(object, level).nothing
        told = may(call, object, asked.level, self.world.values(object.name, asked.record))
        if asked.level == "read":
            try:
                Reads(call).get(object.name, asked.record, ("id",))
                assert told
            except NotFound:
                assert not told
        return told

    def told(self, asked: Question) -> tuple[bool, tuple[Proposal, ...]]:
        call = self.world.call
        now = replace(asked, object=call.model.objects[asked.object.name])
        with self.world.store.read() as reader:
            made = explain_in(call, reader, now)
            return made.allowed, least_changes(call, reader, made)

    def apply(self, proposal: Proposal) -> None:
        """Do what a proposal says, by the services that people use."""
        for step in proposal.steps:
            self._apply(step.kind, step.ids)

    def _apply(self, kind: str, ids: dict[str, str]) -> None:
        world, user = self.world, UUID(ids.get("user", self.asking.user.hex))
        match kind:
            case "share":
                terms = Terms(ids["level"])
                Shares(world.call).give(ids["object"], [UUID(ids["record"])], Whom("user", user), terms)
            case "join_group":
                world.records.create("group_member", {"group": UUID(ids["group"]), "user": user})
            case "join_queue":
                world.records.create("queue_member", {"queue": UUID(ids["queue"]), "user": user})
            case "assign":
                self.assign(user, ids["permission_set"])
            case "right":
                self._change_set(ids["permission_set"], "objects", ids["object"], ids["right"])
            case "field_right":
                self._change_set(ids["permission_set"], "fields", ids["field"], ids["right"])
            case "rule":
                rule = self._document("sharing_rule", ids["sharing_rule"])
                world.publish([{**rule, "access": "edit"}])
            case "restriction":
                name = ids["restriction_rule"]
                world.documents = [each for each in world.documents if each["name"] != name]
                world.publish([])
            case other:
                raise AssertionError(other)

    def _document(self, kind: str, name: str) -> dict[str, Any]:
        return dict(
            next(each for each in self.world.documents if (each["kind"], each["name"]) == (kind, name))
        )

    def _change_set(self, name: str, part: str, what: str, right: str) -> None:
        each = self._document("permission_set", name)
        held = dict(each.get(part) or {})
        if part == "objects":
            held[what] = sorted({*(held.get(what) or held.get("*") or ()), right})
        else:
            object, _, field = what.partition(".")
            held[object] = {**held.get(object, {}), field: right}
        self.world.publish([{**each, part: held}])

    asking: Question


def _said(asked: Question) -> tuple[Any, ...]:
    field = asked.field.name if asked.field is not None else None
    return asked.user, asked.object.name, asked.operation, asked.record, field


def run(world: World, questions: int, changes: int, seed: int) -> tuple[int, int, int]:
    """How many questions, how many noes of them, and how many changes were applied; all agreed."""
    pick = random.Random(seed)
    world.jobs.register(telling.KIND, lambda job: None, runs_as="system")
    world.publish(documents(pick))
    company = Company(world, pick)
    noes = 0
    for _ in range(questions):
        asked = company.question()
        with world.store.read() as reader:
            allowed = explain_in(world.call, reader, asked).allowed
        assert allowed == company.gate_says(asked), _said(asked)
        noes += not allowed
    flipped, idle = 0, 0
    while flipped < changes:
        asked = company.question()
        allowed, proposals = company.told(asked)
        assert allowed == company.gate_says(asked), _said(asked)
        idle += 1
        if proposals:
            company.asking = asked
            chosen = proposals[0] if pick.random() < 0.5 else pick.choice(proposals)
            company.apply(chosen)
            assert company.gate_says(asked), (_said(asked), chosen)
            assert company.told(asked)[0]
            flipped, idle = flipped + 1, 0
            for number in sorted(world.releases.made)[:-2]:  # nobody asks for old releases
                del world.releases.made[number]
        if idle > 60 or (not idle and flipped % 25 == 0):  # by and by everything is open to everybody
            company.retire()
            world.publish(documents(pick))
            company, idle = Company(world, pick), 0
    return questions, noes, flipped


@pytest.fixture(params=DIALECTS)
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    with open_stores(settings_for(request.param, tmp_path), language_functions) as stores:
        yield make_world(stores)


def test_explain_agrees_with_the_gate_and_its_least_change_opens(fresh: World) -> None:
    questions, noes, flipped = run(fresh, 100, 6, 3)
    assert 20 < noes < questions - 20 and flipped == 6


if __name__ == "__main__":
    dialect = "postgresql" if len(sys.argv) > 4 else "sqlite"
    with tempfile.TemporaryDirectory() as folder:
        with open_stores(settings_for(dialect, Path(folder)), language_functions) as stores:
            print(run(make_world(stores), *(int(each) for each in sys.argv[1:4])))
