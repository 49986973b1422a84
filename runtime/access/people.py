"""Who belongs to which group, worked out from the organisation's records and kept in ``access_member``.

It is worked out whole, in the transaction that changes the organisation, and what differs is written: so it
is exact at every commit, however the change came. Two such transactions wait for each other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import Model
from tabwright.platform.database import prepare
from tabwright.platform.tables import uuid_of
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.access.tables import EVERYONE, GROUPS, MEMBERS, below, key_of, owned, under

if TYPE_CHECKING:
    from tabwright.platform.database import Reader, Writer
    from tabwright.runtime.records.batch import Batch, Work
    from tabwright.runtime.records.hooks import Hooks
    from tabwright.runtime.storage.tables import Tables

# What decides who belongs where; a change of anything else leaves it as it is.
_DECIDES: Mapping[str, frozenset[str]] = {
    "user": frozenset({"position", "department", "address"}),
    "position": frozenset({"parent", "matrix_parent", "code"}),
    "position_holder": frozenset({"user", "position"}),
    "department": frozenset({"parent", "code"}),
    "group": frozenset({"code"}),
    "group_member": frozenset({"group", "user", "members_of", "position", "below"}),
    "queue": frozenset({"code"}),
    "queue_member": frozenset({"queue", "user", "members_of", "position", "below"}),
}
Pairs = set[tuple[UUID, UUID]]
Up = Mapping[UUID, UUID | None]


def register(hooks: Hooks) -> None:
    """Keep memberships as the records of the organisation say, in the transaction that changes them."""
    hooks.register("roll_ups", _hook)


def _hook(batch: Batch, work: Work) -> None:
    decides = _DECIDES.get(batch.object.name)
    if decides is None or batch.object.package != BASE or batch.stopped:
        return
    for row in batch.rows:
        if row.changes and (row.action != "update" or not decides.isdisjoint(row.changed)):
            refresh(work.writer, work.call.tables, work.model)
            return


def refresh(writer: Writer, tables: Tables, model: Model) -> int:
    """Bring memberships up to date; how many rows were put in or taken out."""
    if writer.store.dialect == "postgresql":  # on SQLite there is one writer at a time
        name = sa.func.hashtextextended(f"{writer.store.schema}.access_member", 0)
        writer.execute(sa.select(sa.func.pg_advisory_xact_lock(name)))
    organisation = _Organisation(writer, tables, model)
    pairs, keys = organisation.members(), organisation.keys()
    there = {(uuid_of(a), uuid_of(b)) for a, b in writer.rows(prepare(writer.store, sa.select(MEMBERS)))}
    named = {(key, uuid_of(id)) for key, id in writer.rows(prepare(writer.store, sa.select(GROUPS)))}
    _put(writer, MEMBERS, sorted(pairs - there), sorted(there - pairs))
    _put(writer, GROUPS, sorted(keys - named), sorted(named - keys))
    return len(pairs ^ there) + len(keys ^ named)


def _put(writer: Writer, table: sa.Table, more: list[tuple[Any, Any]], gone: list[tuple[Any, Any]]) -> None:
    first, second = table.columns
    if gone:
        a, b = sa.bindparam("a", type_=first.type), sa.bindparam("b", type_=second.type)
        writer.connection.execute(
            sa.delete(table).where(first == a, second == b), [{"a": a, "b": b} for a, b in gone]
        )
    if more:
        names = (first.name, second.name)
        made = sa.insert(table).values({name: sa.bindparam(name) for name in names})
        writer.insert_many(prepare(writer.store, made), more)


class _Organisation:
    """The records that say who belongs where. People who are switched off still own records."""

    def __init__(self, reader: Reader, tables: Tables, model: Model) -> None:
        self._reader, self._tables, self._model = reader, tables, model
        self._positions = list(self._rows("position", "parent", "matrix_parent", "code"))
        self._departments = list(self._rows("department", "parent", "code"))
        self._groups = list(self._rows("group", "code"))
        self._queues = list(self._rows("queue", "code"))
        self._users = list(self._rows("user", "position", "department", "address", gone=True))
        self._lines = {
            object: self._lines_of(object, whose)
            for object, whose in (("group_member", "group"), ("queue_member", "queue"))
        }

    def _rows(self, object: str, *fields: str, gone: bool = False) -> Iterator[tuple[Any, ...]]:
        found = self._model.objects[object]
        table = self._tables.of(found)
        references = [found.fields[name].is_reference for name in fields]
        chosen = sa.select(table.id, *(table.column(name) for name in fields)).select_from(table.joined)
        if not gone:
            chosen = chosen.where(table.deleted_at.is_(None))
        for id, *values in self._reader.rows(prepare(self._reader.store, chosen)):
            yield (
                uuid_of(id),
                *(
                    uuid_of(value) if is_reference and value is not None else value
                    for value, is_reference in zip(values, references, strict=True)
                ),
            )

    def members(self) -> Pairs:
        """(user, group) of every group that there is."""
        found: Pairs = set()
        holders = self._holders()
        lines = [{id: up for id, up, _, _ in self._positions}, {id: up for id, _, up, _ in self._positions}]
        for position, users in holders.items():
            above = set().union(*(_above(position, line) for line in lines))
            for user in users:
                found.add((user, position))
                found.add((user, below(position)))
                found.update((user, below(each)) for each in above)
                found.update((user, under(each)) for each in above)
        line = {id: up for id, up, _ in self._departments}
        for user, _, department, _ in self._users:
            found |= {(user, EVERYONE), (user, user)}
            if department in line:
                found.add((user, department))
                found.update((user, below(each)) for each in (department, *_above(department, line)))
        groups = {id: self._named("group_member", id, holders) for id, _ in self._groups}
        for id, _ in self._groups:
            found.update((user, id) for user in _all_of(id, groups, set()))
        for id, _ in self._queues:
            direct, inner = self._named("queue_member", id, holders)
            people = direct.union(*(_all_of(each, groups, set()) for each in inner))
            found.update((user, id) for user in people)
            found.add((id, owned(id)))
        return found

    def keys(self) -> set[tuple[str, UUID]]:
        """How rules name the groups: by code and by id."""
        found = {("everyone:", EVERYONE)}
        for kind, records in (
            ("position", ((id, code) for id, _, _, code in self._positions)),
            ("department", ((id, code) for id, _, code in self._departments)),
            ("group", self._groups),
            ("queue", self._queues),
        ):
            for id, code in records:
                for named in {id.hex, code.strip().lower() if code and code.strip() else id.hex}:
                    found.add((key_of(kind, named), id))
                    if kind in ("position", "department"):
                        found.add((key_of(kind, named, True), below(id)))
                    if kind == "queue":
                        found.add((key_of("owner", named), owned(id)))
        for id, _, _, address in self._users:
            found |= {(key_of("user", named), id) for named in {id.hex, (address or id.hex).strip().lower()}}
        return found

    def _holders(self) -> dict[UUID, set[UUID]]:
        known = {id for id, *_ in self._positions}
        found: dict[UUID, set[UUID]] = defaultdict(set)
        for user, position, _, _ in self._users:
            if position in known:
                found[position].add(user)
        for _, user, position in self._rows("position_holder", "user", "position"):
            if position in known and user is not None:
                found[position].add(user)
        return found

    def _named(self, object: str, id: UUID, holders: Mapping[UUID, set[UUID]]) -> tuple[set[UUID], set[UUID]]:
        """Of a group or queue the people named in its lines, and the groups whose members are its own."""
        direct: set[UUID] = set()
        inner: set[UUID] = set()
        for user, group, position, is_below in self._lines[object].get(id, ()):
            if user is not None:
                direct.add(user)
            if group is not None:
                inner.add(group)
            if position is not None:
                direct |= holders.get(position, set())
                if is_below:
                    direct |= self._under(position, holders)
        return direct, inner

    def _lines_of(self, object: str, whose: str) -> dict[UUID, list[tuple[Any, ...]]]:
        found: dict[UUID, list[tuple[Any, ...]]] = defaultdict(list)
        for _, of, *line in self._rows(object, whose, "user", "members_of", "position", "below"):
            found[of].append(tuple(line))
        return found

    def _under(self, position: UUID, holders: Mapping[UUID, set[UUID]]) -> set[UUID]:
        lines = [{id: up for id, up, _, _ in self._positions}, {id: up for id, _, up, _ in self._positions}]
        found: set[UUID] = set()
        for each, users in holders.items():
            if any(position in _above(each, line) for line in lines):
                found |= users
        return found


def _above(start: UUID, line: Up) -> list[UUID]:
    """What stands above in a tree; a ring, which only an import past the rules could leave, ends."""
    found: list[UUID] = []
    at = line.get(start)
    while at is not None and at in line and at not in found and at != start:
        found.append(at)
        at = line[at]
    return found


def _all_of(id: UUID, groups: Mapping[UUID, tuple[set[UUID], set[UUID]]], seen: set[UUID]) -> set[UUID]:
    """Everybody in a group and in the groups in it."""
    if id in seen or id not in groups:
        return set()
    seen.add(id)
    direct, inner = groups[id]
    return direct.union(*(_all_of(each, groups, seen) for each in inner))
