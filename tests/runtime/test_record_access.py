"""Who sees and changes which records: positions, queues, groups, rules, shares, restrictions, parts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from stores import DIALECTS, open_stores, settings_for
from tabwright.platform.errors import Conflict, Denied, NotFound
from tabwright.runtime.access import people, principals
from tabwright.runtime.access.asking import may
from tabwright.runtime.access.gate import Level
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.access.tables import EDIT, FULL, MEMBERS, READ, SHARES, below
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.service import Records
from world import World, field_doc, make_world, object_doc

CLERK = {
    "kind": "permission_set",
    "name": "clerk",
    "label": {"en": "Clerk"},
    "objects": {"*": ["create", "read", "edit", "delete", "transfer", "share"]},
    "fields": {"*": {"*": "edit"}},
}
BOSS = {**CLERK, "name": "boss", "objects": {"*": ["view_all", "edit"]}}
AUDITOR = {**CLERK, "name": "auditor", "objects": {"line": ["view_all"], "crumb": ["view_all"]}}
CARD = [
    object_doc("card"),
    field_doc("card.name", "text"),
    field_doc("card.region", "text"),
    field_doc("card.value", "integer"),
    object_doc("line"),
    field_doc("line.name", "text"),
    field_doc("line.card", "master_detail", options={"target": "card"}),
    object_doc("crumb"),
    field_doc("crumb.name", "text"),
    field_doc("crumb.line", "master_detail", options={"target": "line"}),
    field_doc("user.region", "text"),
]


@pytest.fixture(scope="module", params=DIALECTS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One tenant for all tests of a database."""
    with open_stores(settings_for(request.param, tmp_path_factory.mktemp("access"))) as stores:
        yield make_world(stores, [*CARD, CLERK, BOSS, AUDITOR])


class Office:
    """People of one test, who share nothing with those of another."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.positions: dict[str, UUID] = {}

    def position(self, name: str, **values: Any) -> UUID:
        made = self.world.records.create("position", {"name": f"{name} {self.world.ids.new()}", **values}).id
        self.positions[name] = made
        return made

    def person(self, name: str, *sets: str, **values: Any) -> UUID:
        id = self.world.user(name, **values).user_id
        for each in sets or ("clerk",):
            self.world.records.create("permission_assignment", {"user": id, "permission_set": each})
        return id

    def who(self, id: UUID) -> Principal:
        with self.world.store.read() as reader:
            return principals.load(self.world.tenant, reader, self.world.model, id, self.world.clock.now())

    def sees(self, id: UUID, object: str = "card") -> set[UUID]:
        """By a list; every single record has to say the same."""
        call = self.world.call_as(self.who(id))
        listed = {row["id"] for row in Reads(call).list(Query(object, ("id",), limit=200)).rows}
        for each in listed:
            assert Reads(call).get(object, each, ("id",))
            assert self.may(id, each, "read", object)
        return listed

    def may(self, id: UUID, record: UUID, level: Level, object: str = "card") -> bool:
        call = self.world.call_as(self.who(id))
        return may(call, self.world.model.objects[object], level, self.world.values(object, record))

    def levels(self, id: UUID, record: UUID, object: str = "card") -> str:
        named: tuple[Level, ...] = ("read", "edit", "delete")
        return "".join(each[0] for each in named if self.may(id, record, each, object))

    def card(self, owner: UUID, **values: Any) -> UUID:
        return self.world.records.create("card", {"name": "c", "owner": owner, **values}).id

    def share(self, record: UUID, grantee: UUID, level: int, expires_in: int | None = None) -> None:
        now = self.world.clock.now()
        with self.world.store.write() as writer:
            writer.execute(
                sa.insert(SHARES),
                {
                    "record_id": record, "grantee": grantee, "object": "", "level": level, "role": "",
                    "reason": "", "created_at": now, "created_by": grantee,
                    "expires_at": None if expires_in is None else now + timedelta(seconds=expires_in),
                },
            )  # fmt: skip

    def rules(self, *documents: dict[str, Any]) -> None:
        """These sharing and restriction rules, and none of those that other tests made."""
        gone = ("sharing_rule", "restriction_rule")
        self.world.documents = [each for each in self.world.documents if each["kind"] not in gone]
        self.world.publish(documents)


@pytest.fixture
def office(world: World) -> Office:
    made = Office(world)
    made.rules()
    return made


def chain(office: Office) -> tuple[UUID, UUID, UUID, UUID]:
    """Ann above Ben above Cy, and Di beside Cy."""
    top = office.position("top")
    middle = office.position("middle", parent=top)
    low = office.position("low", parent=middle)
    ann, ben = office.person("ann", position=top), office.person("ben", position=middle)
    return ann, ben, office.person("cy", position=low), office.person("di", position=low)


def test_superiors_see_what_is_below_them_and_peers_nothing(office: Office) -> None:
    ann, ben, cy, di = chain(office)
    card = office.card(cy)
    assert [card in office.sees(each) for each in (ann, ben, cy, di)] == [True, True, True, False]
    assert [office.levels(each, card) for each in (ann, ben, cy, di)] == ["re", "re", "red", ""]
    his = office.card(ben)
    assert his in office.sees(ann) and his not in office.sees(cy)


def test_a_move_in_the_tree_acts_at_once_and_so_does_the_second_line(office: Office) -> None:
    ann, ben, cy, _ = chain(office)
    card = office.card(cy)
    records = office.world.records
    records.update("position", office.positions["low"], {"parent": office.positions["top"]})
    assert card in office.sees(ann) and card not in office.sees(ben)
    other = office.position("other")
    eve = office.person("eve")
    records.create("position_holder", {"user": eve, "position": other})
    records.update("position", office.positions["low"], {"matrix_parent": other})
    assert card in office.sees(eve)
    records.update("user", cy, {"active": False})
    assert card in office.sees(eve), "who has left still has superiors"


@pytest.mark.parametrize(("hierarchy", "levels"), [("off", ""), ("read", "r"), ("edit", "re")])
def test_an_object_says_what_superiors_may(office: Office, hierarchy: str, levels: str) -> None:
    _, ben, cy, _ = chain(office)
    card = office.card(cy)
    office.world.publish([object_doc("card", hierarchy=hierarchy)])
    assert office.levels(ben, card) == levels
    office.world.publish([object_doc("card")])


@pytest.mark.parametrize(("access", "levels"), [("read", "r"), ("edit", "re"), ("full", "red")])
def test_a_queue_says_what_its_members_may(office: Office, access: str, levels: str) -> None:
    records = office.world.records
    queue = records.create("queue", {"name": f"q {access}", "member_access": access}).id
    inner = records.create("group", {"name": f"inner {access}"}).id
    outer = records.create("group", {"name": f"outer {access}"}).id
    ann, ben, cy = (office.person(name) for name in ("ann", "ben", "cy"))
    records.create("queue_member", {"queue": queue, "user": ann})
    records.create("group_member", {"group": inner, "user": ben})
    records.create("group_member", {"group": outer, "members_of": inner})
    records.create("group_member", {"group": inner, "members_of": outer})  # a ring is the union
    records.create("queue_member", {"queue": queue, "members_of": outer})
    card = office.card(queue)
    assert [office.levels(each, card) for each in (ann, ben, cy)] == [levels, levels, ""]


def test_shares_reach_people_and_groups_and_end(office: Office) -> None:
    ann, ben, cy, di = chain(office)
    card = office.card(ann)
    office.share(card, di, READ)
    office.share(card, below(office.positions["middle"]), EDIT, expires_in=60)
    assert [office.levels(each, card) for each in (ben, cy, di)] == ["re", "re", "re"]
    office.world.clock.advance(timedelta(seconds=60))
    assert [office.levels(each, card) for each in (ben, cy, di)] == ["", "", "r"]
    office.share(card, cy, FULL)
    assert office.levels(cy, card) == "red" and office.sees(cy) == {card}


def test_rules_share_by_owner_and_by_condition(office: Office) -> None:
    ann, ben, cy, di = chain(office)
    office.world.records.update("position", office.positions["low"], {"code": f"Low{di.hex[-6:]}"})
    east, west = office.card(cy, region="east"), office.card(ann, region="west", value=7)
    assert office.sees(di) == set()
    low = {"kind": "position", "key": f"lOW{di.hex[-6:]}"}
    middle = {"kind": "position", "key": office.positions["middle"].hex, "below": True}
    office.rules(
        {"kind": "sharing_rule", "name": "card.peers", "label": {"en": "Peers"}, "access": "edit",
         "owned_by": [low], "to": [low]},
        {"kind": "sharing_rule", "name": "card.seven", "label": {"en": "Seven"}, "when": "value = 7",
         "to": [middle]},
    )  # fmt: skip
    assert office.levels(di, east) == "re" and office.levels(di, west) == "r"
    assert office.levels(ben, west) == "r"
    office.world.records.update("card", west, {"value": 8})
    assert office.sees(di) == {east}
    line = office.world.records.create("line", {"name": "l", "card": east}).id
    assert office.levels(di, line, "line") == "red", "a part goes with its parent: edit decides"


def test_parts_follow_conditions_and_shares_of_their_parent(office: Office) -> None:
    ann, _, cy, di = chain(office)
    card = office.card(ann, value=7)
    line = office.world.records.create("line", {"name": "l", "card": card}).id
    assert office.sees(di, "line") == set()
    office.share(card, di, READ)
    assert office.sees(di, "line") == {line} and office.levels(di, line, "line") == "r"
    with pytest.raises(Denied, match="parent_denied"):
        Records(office.world.call_as(office.who(di))).create("line", {"name": "m", "card": card})
    office.rules(
        {"kind": "sharing_rule", "name": "card.seven", "label": {"en": "Seven"}, "when": "value = 7",
         "access": "edit", "to": [{"kind": "everyone"}]},
    )  # fmt: skip
    assert office.levels(cy, line, "line") == "red"
    assert Records(office.world.call_as(office.who(cy))).create("line", {"name": "m", "card": card}).id


def test_a_restriction_closes_what_all_else_opens(office: Office) -> None:
    ann = office.person("ann", region="east")
    ben = office.person("ben", "boss", "clerk", region="west")
    east, west = office.card(ann, region="east"), office.card(ann, region="west")
    line = office.world.records.create("line", {"name": "l", "card": west}).id
    assert {east, west} <= office.sees(ann) and {east, west} <= office.sees(ben)
    office.rules(
        {"kind": "restriction_rule", "name": "card.own_region", "label": {"en": "Own region"},
         "condition": "region = $user.region", "applies_to": ["clerk"]},
    )  # fmt: skip
    assert office.sees(ann) == {east} and office.sees(ben) & {east, west} == {west}
    assert office.levels(ann, west) == "" and office.levels(ann, line, "line") == ""
    hers = Records(office.world.call_as(office.who(ann)))
    with pytest.raises(NotFound):
        hers.update("card", west, {"value": 1})
    with pytest.raises(Denied, match="beyond_restriction"):
        hers.update("card", east, {"region": "west"})
    with pytest.raises(Denied, match="beyond_restriction"):
        hers.create("card", {"name": "n", "region": "south"})
    assert hers.update("card", east, {"value": 1}).changed


def test_memberships_are_exact_however_they_came(office: Office) -> None:
    """What is kept is what a fresh look at the organisation gives."""
    chain(office)
    world = office.world
    world.records.delete("user", world.user("gone", position=office.positions["low"]).user_id)
    with world.store.write() as writer:
        assert people.refresh(writer, world.call.tables, world.model) == 0
        writer.execute(sa.delete(MEMBERS))
        assert people.refresh(writer, world.call.tables, world.model) > 10


def test_a_restriction_closes_parts_at_any_depth_to_who_views_all_of_them(office: Office) -> None:
    """Also for somebody who may not read what they are parts of."""
    ann, auditor = office.person("ann"), office.person("auditor", "auditor", region="east")
    crumbs = {}
    for region in ("east", "west"):
        card = office.card(ann, region=region)
        line = office.world.records.create("line", {"name": region, "card": card}).id
        crumbs[region] = line, office.world.records.create("crumb", {"name": region, "line": line}).id
    assert {line for line, _ in crumbs.values()} <= office.sees(auditor, "line")
    office.rules(
        {"kind": "restriction_rule", "name": "card.own_region", "label": {"en": "Own region"},
         "condition": "region = $user.region", "applies_to": ["auditor"]},
    )  # fmt: skip
    seen = office.sees(auditor, "line"), office.sees(auditor, "crumb")
    assert [crumbs["east"][n] in seen[n] for n in (0, 1)] == [True, True]
    assert [crumbs["west"][n] in seen[n] for n in (0, 1)] == [False, False]


def test_a_group_is_made_of_several_groups_and_positions(office: Office) -> None:
    create = office.world.records.create
    whole = create("group", {"name": "whole"}).id
    people = []
    for n in range(2):
        group, position = create("group", {"name": f"part {n}"}).id, office.position(f"p{n}")
        people += [office.person(f"g{n}"), office.person(f"p{n}", position=position)]
        create("group_member", {"group": group, "user": people[-2]})
        create("group_member", {"group": whole, "members_of": group})
        create("group_member", {"group": whole, "position": position})
    card = office.card(office.person("owner"))
    office.share(card, whole, READ)
    assert [office.levels(each, card) for each in people] == ["r"] * 4
    with pytest.raises(Conflict):
        create("group_member", {"group": whole, "position": position})


def test_names_that_are_alike_name_all_of_them(office: Office) -> None:
    """Codes that differ in case, and the address of somebody who is gone and of who came after."""
    create = office.world.records.create
    ann, ben = office.person("ann"), office.person("ben")
    for code, person in (("Alike", ann), ("aLIKE", ben)):
        group = create("group", {"name": f"{code} {person}", "code": code}).id
        create("group_member", {"group": group, "user": person})
    address = f"{ann.hex}@example.com"
    gone = create("user", {"name": "gone", "address": address}).id
    his = office.card(gone)
    office.world.records.delete("user", gone)
    hers = office.card(create("user", {"name": "new", "address": address.upper()}).id)
    office.rules(
        {"kind": "sharing_rule", "name": "card.theirs", "label": {"en": "Theirs"},
         "owned_by": [{"kind": "user", "key": address}], "to": [{"kind": "group", "key": "ALIKE"}]},
    )  # fmt: skip
    assert {his, hers} <= office.sees(ann) and {his, hers} <= office.sees(ben)
