"""Who can see a record, and through what: the people each way leads to, checked one by one by their gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef, label_in
from tabwright.platform.database import prepare
from tabwright.platform.errors import Denied, Place
from tabwright.platform.tables import Instant, Uuid, ids_value, in_ids, uuid_of
from tabwright.runtime.access import principals
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.access.gate import HIERARCHY, Gate
from tabwright.runtime.access.record_rule import ByRule, Where
from tabwright.runtime.access.rights import object_rights
from tabwright.runtime.access.share_rows import read as read_shares
from tabwright.runtime.access.tables import GROUPS, LEVELS, MEMBERS, key_of_grantee, under
from tabwright.runtime.query.naming import named
from tabwright.runtime.reasons.explaining import RIGHT
from tabwright.runtime.reasons.supposed import parent_of

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import Call

SHOWN: Final = 50  # people of a way
CHECKED: Final = 2_000  # people are looked at one by one up to here


@dataclass(frozen=True, slots=True)
class Through:
    """One way and the people whom it lets see the record. ``code`` and ``params`` are its words
    (``access.through.<code>``); ``people`` the first by name, ``count`` all of them.
    """

    code: str
    params: Mapping[str, str]
    gives: str
    people: tuple[tuple[UUID, str], ...]
    count: int
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seers:
    """Everybody who can see a record. ``more``: further people were not looked at."""

    ways: tuple[Through, ...]
    count: int
    more: bool


@dataclass(slots=True)
class _Way:
    code: str
    params: Mapping[str, str]
    gives: str
    people: set[UUID] = field(default_factory=set)
    until: datetime | None = None


def who_sees(call: Call, reader: Reader, object: ObjectDef, record: UUID, text: str = "") -> Seers:
    """The people by way; with ``text`` those whose names hold it. The record is one that the caller sees.

    Raises Denied for who may neither share the record nor explain.
    """
    if not may_ask(call, reader, object, record):
        raise Denied.of("access.why.people", Place(object=object.name, record=record.hex))
    ways = _Looking(call, reader).ways(object, record)
    wanted = sorted(set().union(*(each.people for each in ways)) if ways else set())
    more = len(wanted) > CHECKED
    owner = _owner(call, reader, object, record)
    known = principals.load_many(call.tenant, reader, call.model, wanted[:CHECKED], call.clock.now())
    seeing: dict[UUID, str] = {}
    for id, who in known.items():
        gate = Gate(call.model, who)
        if text.strip().lower() not in who.name.lower() or not gate.may(object, "read"):
            continue
        if allowed(call.tenant, gate, reader, object, "read", [Asked(record, owner)]):
            seeing[id] = who.name
    made = []
    for each in ways:
        here = sorted((name, id) for id, name in seeing.items() if id in each.people)
        if here:
            people = tuple((id, name) for name, id in here[:SHOWN])
            made.append(Through(each.code, each.params, each.gives, people, len(here), each.until))
    return Seers(tuple(made), len(seeing), more)


def may_ask(call: Call, reader: Reader, object: ObjectDef, record: UUID) -> bool:
    """Whether the caller may know who sees a record: who may share it, or explain access."""
    if call.gate.has(RIGHT):
        return True
    asked = [Asked(record, _owner(call, reader, object, record))]
    return bool(allowed(call.tenant, call.gate, reader, object, "share", asked))


class _Looking:
    def __init__(self, call: Call, reader: Reader) -> None:
        self._call, self._reader, self._model = call, reader, call.model

    def ways(self, object: ObjectDef, record: UUID) -> list[_Way]:
        """Everybody whom something might let see the record, by what does; restrictions aside."""
        found = self._by_set(object, "modify_all", "full") + self._by_set(object, "view_all", "read")
        if object.master is not None:
            parent = parent_of(self._call.tenant, self._reader, self._model, object, record)
            if parent is not None:
                above = self._model.objects[object.fields[object.master].target or ""]
                return self.ways(above, parent.id) + found
        if object.sharing in ("read", "edit"):
            return [_Way("everybody", {}, object.sharing, self._everybody()), *found]
        owner = _owner(self._call, self._reader, object, record)
        made: list[_Way] = []
        if owner is not None:
            made += self._by_owner(object, owner)
        made += self._by_rules(object, record)
        now = self._call.clock.now()
        for each in read_shares(self._reader, [record]).values():
            if each.whom is not None and each.lasts(now):
                words = {"whom": self._name(each.whom.kind, each.whom.id), "role": each.terms.role}
                code = "team" if each.terms.role else "share_below" if each.whom.below else "share"
                people = self._members([each.grantee])
                made.append(_Way(code, words, each.terms.level, people, each.terms.expires_at))
        return made + found

    def _by_owner(self, object: ObjectDef, owner: UUID) -> list[_Way]:
        queue = self._call.tables.of(self._model.objects["queue"])
        chosen = sa.select(queue.column("member_access")).select_from(queue.joined)
        one = queue.id == sa.bindparam("id", type_=Uuid())
        row = self._reader.row(prepare(self._reader.store, chosen.where(one)), {"id": owner})
        if row is not None:
            words = {"queue": self._name("queue", owner)}
            return [_Way("queue", words, row[0] if row[0] in LEVELS else "full", self._members([owner]))]
        made = [_Way("owner", {}, "full", {owner})]
        if HIERARCHY[object.hierarchy]:
            words = {"owner": self._name("user", owner)}
            made.append(_Way("hierarchy", words, object.hierarchy, self._members(self._above(owner))))
        return made

    def _by_rules(self, object: ObjectDef, record: UUID) -> list[_Way]:
        where = Where.of(object, self._call.tables, self._model)
        made = []
        for rule in object.sharing_rules:
            chosen = sa.select(where.main.c.id).where(
                where.main.c.id == sa.bindparam("id", type_=Uuid()), ByRule(rule).sql(where)
            )
            if self._reader.row(prepare(self._reader.store, chosen), {"id": record}) is None:
                continue
            keys = sorted(key_of_grantee(each) for each in rule.to)
            groups = self._reader.execute(sa.select(GROUPS.c.group_id).where(GROUPS.c.key.in_(keys)))
            label = label_in(rule.labels, self._call.language) or rule.name
            people = self._members(id for (id,) in groups)
            made.append(_Way("rule", {"rule": label}, rule.access, people))
        return made

    def _by_set(self, object: ObjectDef, right: str, gives: str) -> list[_Way]:
        """Who holds a set that opens all records of the object."""
        made = []
        for each in self._model.permission_sets.values():
            if right not in object_rights(each, object) or (
                right == "view_all" and "modify_all" in object_rights(each, object)
            ):
                continue
            groups = self._model.permission_set_groups.values()
            uids = [each.uid, *(group.uid for group in groups if each.uid in group.sets)]
            table = self._call.tables.of(self._model.objects["permission_assignment"])
            expires = table.column("expires_at")
            chosen = sa.select(table.column("user")).where(
                table.deleted_at.is_(None),
                sa.or_(*(table.column("permission_set") == uid for uid in uids)),
                sa.or_(expires.is_(None), expires > sa.bindparam("now", type_=Instant())),
            )
            given = {"now": self._call.clock.now()}
            people = {uuid_of(id) for (id,) in self._reader.rows(prepare(self._reader.store, chosen), given)}
            label = label_in(each.labels, self._call.language) or each.name
            made.append(_Way("set", {"set": label}, gives, people))
        return made

    def _everybody(self) -> set[UUID]:
        chosen: sa.Select[Any] = sa.select(sa.distinct(MEMBERS.c.user_id)).select_from(
            MEMBERS.join(GROUPS, GROUPS.c.group_id == MEMBERS.c.group_id)
        )
        rows = self._reader.execute(chosen.where(GROUPS.c.key == "everyone:"))
        return {id for (id,) in rows}

    def _members(self, groups: Iterable[UUID]) -> set[UUID]:
        dialect = self._reader.store.dialect
        chosen = sa.select(MEMBERS.c.user_id).where(in_ids(dialect, MEMBERS.c.group_id))
        given = {"ids": ids_value(dialect, sorted(set(groups)))}
        return {uuid_of(id) for (id,) in self._reader.rows(prepare(self._reader.store, chosen), given)}

    def _above(self, owner: UUID) -> list[UUID]:
        """The positions above those of an owner."""
        table = self._call.tables.of(self._model.objects["position"])
        known = self._reader.rows(prepare(self._reader.store, sa.select(table.id)))
        by_group = {under(uuid_of(id)): uuid_of(id) for (id,) in known}
        chosen = sa.select(MEMBERS.c.group_id).where(MEMBERS.c.user_id == sa.bindparam("id", type_=Uuid()))
        rows = self._reader.rows(prepare(self._reader.store, chosen), {"id": owner})
        return [by_group[id] for (each,) in rows if (id := uuid_of(each)) in by_group]

    def _name(self, object: str, id: UUID) -> str:
        found = named(self._call, [(self._model.objects[object].uid, id)], self._reader)
        return found[id].name if id in found else "—"


def _owner(call: Call, reader: Reader, object: ObjectDef, record: UUID) -> UUID | None:
    table = call.tables.of(object)
    chosen = sa.select(table.column("owner")).select_from(table.joined)
    one = table.id == sa.bindparam("id", type_=Uuid())
    row = reader.row(prepare(reader.store, chosen.where(one)), {"id": record})
    return None if row is None or row[0] is None else uuid_of(row[0])
