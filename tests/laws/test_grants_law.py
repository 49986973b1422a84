"""R5 as a law: whatever people do with what they may, nobody ends up with more than they held between them.

Givers, designers, a delegate and a fireman act as they like: they assign sets and groups for ever or for a
time, change assignments, publish wider sets, groups and objects, take sets in an emergency. After every act
the rights that all of them hold for good are within those they began with and what was listed for others.

    TABWRIGHT_SEQUENCES=20000 pytest -q -n 0 tests/laws/test_grants_law.py
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from pagesite import PageSite, make_pages
from tabwright.metadata.drafts import Put
from tabwright.people import add_person
from tabwright.platform.errors import TabwrightError
from tabwright.runtime.access import principals
from tabwright.runtime.access.gate import Gate
from tabwright.runtime.access.granting import words_held
from tabwright.runtime.access.lasting import lasting
from tabwright.runtime.access.principal import TokenScope
from tabwright.runtime.desk import Call
from tabwright.runtime.grants.breaking import BreakGlass
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.records.service import Records

SEQUENCES = int(os.environ.get("TABWRIGHT_SEQUENCES", "12"))
ASSIGN: dict[str, Any] = {"permission_assignment": ["create", "read", "edit", "delete", "modify_all"]}
FIELDS: dict[str, Any] = {"permission_assignment": {"*": "edit"}}
OBJECTS = {"deal": {"name": "text(80) required", "cost": "integer"}, "vault": {"name": "text(80)"}}
SETS: tuple[dict[str, Any], ...] = (
    {"kind": "permission_set", "name": "assigner", "system": ["manage_users"], "objects": ASSIGN,
     "fields": FIELDS},
    {"kind": "permission_set", "name": "designer", "system": ["customise"]},
    {"kind": "permission_set", "name": "reading", "objects": {"deal": ["read"]},
     "fields": {"deal": {"name": "read"}}},
    {"kind": "permission_set", "name": "editing", "objects": {"deal": ["edit", "create"]},
     "fields": {"deal": {"*": "edit"}}},
    {"kind": "permission_set", "name": "vaults", "objects": {"vault": ["read", "view_all"]},
     "fields": {"vault": {"*": "edit"}}},
    {"kind": "permission_set", "name": "fireman", "system": ["break_glass"]},
    {"kind": "permission_set", "name": "repair", "emergency_hours": 3,
     "system": ["manage_users", "customise", "unmask"], "objects": {**ASSIGN, "*": ["modify_all", "export"]},
     "fields": {**FIELDS, "*": {"*": "edit"}}},
    {"kind": "permission_set_group", "name": "team", "sets": ["reading"]},
)  # fmt: skip
HELD: Mapping[str, tuple[str, ...]] = {
    "giver": ("assigner", "reading"),
    "designer": ("designer", "editing"),
    "head": ("assigner", "designer", "team"),
    "fireman": ("fireman",),
    "delegate": ("delegated_administrator",),
    "clerk": (),
}
LISTED = ("vaults", "team")
PEOPLE = st.sampled_from(sorted(HELD))
GIVEN = st.sampled_from([each["name"] for each in SETS] + ["administrator", "standard_user"])
MEMBERS = ("reading", "editing", "vaults", "repair")
UNTIL = st.sampled_from([None, 1, 5, 400])  # hours
WIDER: tuple[dict[str, Any], ...] = (
    {"objects": {"vault": ["read"]}},
    {"objects": {"*": ["modify_all"]}},
    {"fields": {"deal": {"cost": "edit"}}},
    {"fields": {"*": {"*": "edit"}}},
    {"system": ["unmask"]},
    {"system": ["manage_users"]},
    {"emergency_hours": 9},
)

_stack = ExitStack()


@pytest.fixture(scope="module", autouse=True)
def closed() -> Iterator[None]:
    yield
    _stack.close()
    world.cache_clear()


class World:
    """One site for all sequences; each begins with the same release, people and assignments."""

    def __init__(self, pages: PageSite) -> None:
        self.pages = pages
        pages.publish(OBJECTS, SETS)
        self.release = pages.call.model.release
        self.tree = self._tree()
        self.ids: dict[str, UUID] = {}
        for name in HELD:
            self.ids[name] = add_person(
                pages.site, pages.location, name=name, address=f"{name}@example.com",
                password="correct horse battery", sets=(), values={},
            )  # fmt: skip
        top = pages.records.create("department", {"name": "south"}).id
        pages.records.update("user", self.ids["clerk"], {"department": top})
        given = {"user": self.ids["delegate"], "department": top, "sets": " ".join(LISTED)}
        pages.records.create("delegation", given)

    def _tree(self) -> Any:
        with self.pages.call.tenant.store.read() as reader:
            releases = self.pages.site.releases.stored
            return releases.tree(reader, releases.current(reader))

    def begin(self) -> None:
        """As it was at the start."""
        now = self._tree()
        if now.digest != self.tree.digest:
            call = self.pages.call
            self.pages.publishing.publish_tree(call.principal, self.tree, call.model.release)
        for there in self.assignments():
            self.pages.records.delete("permission_assignment", there["id"])
        uids = self.pages.call.model.grantable_uids
        for name, sets in HELD.items():
            for each in sets:
                given = {"user": self.ids[name], "permission_set": uids[each]}
                self.pages.records.create("permission_assignment", given)

    def assignments(self) -> list[Mapping[str, Any]]:
        names = ("id", "user", "permission_set", "expires_at")
        query = Query("permission_assignment", names, limit=200)
        mine = set(self.ids.values())
        return [row for row in Reads(self.pages.call).list(query).rows if row["user"] in mine]

    def call(self, name: str, scope: Any = None) -> Call:
        site, tenant = self.pages.site, self.pages.call.tenant
        with tenant.store.read() as reader:
            model = tenant.at_release(reader)
            who = principals.load(tenant, reader, model, self.ids[name], site.clock.now(), scope)
        return Call(tenant, who, model, Gate(model, who), site.clock, site.ids, "en", "UTC", "law", "api")

    def words(self, name: str) -> frozenset[Any]:
        """Everything that somebody holds for good."""
        call = self.call(name)
        with call.tenant.store.read() as reader:
            who = lasting(call.tenant, reader, call.model, call.principal, None)
        return words_held(call.model, who.permission_sets)


@cache
def world() -> World:
    folder = _stack.enter_context(tempfile.TemporaryDirectory())
    return World(_stack.enter_context(make_pages("sqlite", Path(folder))))


class Grants(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.world = world()
        self.world.begin()
        model = self.world.pages.call.model
        uids = model.grantable_uids
        self.own = {name: self.world.words(name) for name in HELD}
        self.listed = words_held(model, [uids[each] for each in LISTED])
        self.between = frozenset().union(*self.own.values())

    @rule(actor=PEOPLE, whom=PEOPLE, what=GIVEN, hours=UNTIL, scoped=st.booleans())
    def assign(self, actor: str, whom: str, what: str, hours: int | None, scoped: bool) -> None:
        scope = {"objects": {"permission_assignment": ["create", "edit", "read"]}} if scoped else None
        assert scope is None or TokenScope.parse(scope) is not None
        values = {"user": self.world.ids[whom], "permission_set": what, "expires_at": _moment(hours)}
        with suppress(TabwrightError):
            Records(self.world.call(actor, scope)).create("permission_assignment", values)

    @rule(actor=PEOPLE, pick=st.integers(0, 40), what=GIVEN, hours=UNTIL, which=st.integers(0, 3))
    def change(self, actor: str, pick: int, what: str, hours: int | None, which: int) -> None:
        there = self.world.assignments()
        if not there:
            return
        id = there[pick % len(there)]["id"]
        call = self.world.call(actor)
        values: list[dict[str, Any]] = [
            {"permission_set": what},
            {"expires_at": _moment(hours)},
            {"user": self.world.ids[actor]},
        ]
        with suppress(TabwrightError):
            if which == 3:
                Records(call).delete("permission_assignment", id)
            else:
                Records(call).update("permission_assignment", id, values[which])

    @rule(actor=PEOPLE, what=GIVEN, wider=st.sampled_from(WIDER))
    def widen(self, actor: str, what: str, wider: dict[str, Any]) -> None:
        self._publish(actor, "permission_set", what, wider)

    @rule(actor=PEOPLE, sets=st.lists(st.sampled_from(MEMBERS), min_size=1))
    def regroup(self, actor: str, sets: list[str]) -> None:
        self._publish(actor, "permission_set_group", "team", {"sets": sorted(set(sets))})

    @rule(actor=PEOPLE, change=st.sampled_from([{"sharing": "edit"}, {"field_access": "granted"},
                                                {"field_access": "open"}]))  # fmt: skip
    def open_object(self, actor: str, change: dict[str, Any]) -> None:
        self._publish(actor, "object", "vault", change)

    @rule(actor=PEOPLE, ends=st.booleans())
    def emergency(self, actor: str, ends: bool) -> None:
        glass = BreakGlass(self.world.call(actor))
        with suppress(TabwrightError):
            for each in glass.taken() if ends else ():
                glass.end(each.assignment)
            for set in glass.sets() if not ends else ():
                glass.take(set.uid, 1, "a rule of the law")

    @rule(actor=PEOPLE, whom=PEOPLE)
    def delegate_oneself(self, actor: str, whom: str) -> None:
        values = {"user": self.world.ids[whom], "sets": "administrator"}
        with suppress(TabwrightError):
            Records(self.world.call(actor)).create("delegation", values)

    def _publish(self, actor: str, kind: str, name: str, change: Mapping[str, Any]) -> None:
        call, publishing = self.world.call(actor), self.world.pages.publishing
        there = self.world._tree().get(kind, name)
        if there is None or not call.gate.has("customise"):
            return
        with suppress(TabwrightError):
            with call.tenant.store.write() as writer:
                put = Put({**there.document, **change})
                publishing.drafts.patch(writer, call.principal.user_id, [put], at=call.clock.now())
            publishing.publish(call.principal)
        with call.tenant.store.write() as writer:
            publishing.drafts.discard(writer, call.principal.user_id)

    @invariant()
    def nobody_holds_more(self) -> None:
        if not hasattr(self, "world"):
            return
        held = {name: self.world.words(name) for name in HELD}
        for name, words in held.items():
            beyond = words - self.between - (self.listed if name == "clerk" else frozenset())
            assert not beyond, (name, sorted(map(str, beyond))[:5])
        grown = held["delegate"] - self.own["delegate"]
        assert not grown - (self.between - self.own["delegate"]), sorted(map(str, grown))[:5]


def _moment(hours: int | None) -> datetime | None:
    return datetime.now(UTC) + timedelta(hours=hours) if hours is not None else None


def test_nobody_ends_up_with_more_than_they_held() -> None:
    run_state_machine_as_test(
        Grants,
        settings=settings(
            max_examples=SEQUENCES,
            stateful_step_count=10,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate] if SEQUENCES < 1000 else list(Phase),
        ),
    )
