"""The least changes that would open what is closed: each tried out on a supposed state, the smallest first.

A candidate is kept only where the gate itself says yes under it. ``people`` is how many people's access it
widens, ``records`` how many more records of the object become open to the person who was asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldRight, ObjectDef, PermissionSetDef, label_in
from tabwright.platform.database import prepare
from tabwright.platform.tables import Instant, Uuid
from tabwright.runtime.access.asking import Asked
from tabwright.runtime.access.rights import BASE, FIELD_ORDER, field_right, object_rights
from tabwright.runtime.access.share_rows import read as read_shares
from tabwright.runtime.access.tables import FULL, GROUPS, LEVELS, MEMBERS, key_of_grantee
from tabwright.runtime.query.naming import named
from tabwright.runtime.reasons.explaining import Explanation, Question, verb
from tabwright.runtime.reasons.supposed import RECORD_LEVELS, Supposed, is_open, level_needed, parent_of

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import Call

MOST: Final = 5  # proposals
_EACH: Final = 6  # candidates of a layer
_PLANS: Final = 300  # ways to put them together that are tried
COUNTED: Final = 10_000
_NAMES = {number: name for name, number in LEVELS.items()}

Apply = Callable[[Supposed], Supposed]


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One change. ``kind``: share, join, assign, right, field_right, rule, restriction, scope; ``ids`` say
    what of, ``params`` are the words of ``access.change.<kind>``.
    """

    kind: str
    params: dict[str, str]
    ids: dict[str, str]
    people: int
    apply: Apply = field(repr=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.kind, *self.ids.values())


@dataclass(frozen=True, slots=True)
class Proposal:
    """Steps that together open it. ``records`` is counted up to ``COUNTED``; ``rights`` counts object rights
    that the person gets besides.
    """

    steps: tuple[Step, ...]
    people: int
    records: int
    rights: int


def least_changes(call: Call, reader: Reader, told: Explanation) -> tuple[Proposal, ...]:
    """What would turn a no into a yes, the smallest first; nothing where the answer is yes, or where nothing
    that an administrator does would.
    """
    if told.allowed or told.state is None:
        return ()
    return _Changes(call, reader, told, told.state).found()


def says_yes(call: Call, reader: Reader, asked: Question, owner: UUID | None, state: Supposed) -> bool:
    """Whether the gate says yes to a question in some state of things."""
    gate = state.gate
    object = state.model.objects[asked.object.name]
    operation = "edit" if asked.operation == "transfer" else asked.operation
    if not gate.may(object, operation):
        return False
    if asked.operation == "create" and object.record_types and not gate.record_types(object):
        return False
    if asked.field is not None:
        known = object.fields[asked.field.name]
        fine = (
            gate.can_read(known)
            if asked.operation == "read"
            else known in gate.settable(object)
            if asked.operation == "create"
            else gate.can_edit(known)
        )
        if not fine:
            return False
    if asked.level is None or asked.record is None:
        # Of no record in particular: whether any could be open, which of a part takes rights above as well.
        level = next((each for each in RECORD_LEVELS if each == asked.operation), None)
        return level is None or not gate.rule(object, level).nothing
    return is_open(call.tenant, reader, state, object, asked.level, Asked(asked.record, owner))


class _Changes:
    def __init__(self, call: Call, reader: Reader, told: Explanation, state: Supposed) -> None:
        self._call, self._reader, self._told, self._state = call, reader, told, state
        self._asked, self._model = told.question, call.model
        self._language = call.language
        self._held = {each.uid for each in self._model.sets_of(state.principal.permission_sets)}
        self._before = self._count(state)

    def found(self) -> tuple[Proposal, ...]:
        tracks = [track for track in self._tracks() if track is not None]
        if any(not track for track in tracks):
            tracks = []  # a layer that nothing opens by itself: perhaps one set does all of it
        while prod(map(len, tracks)) > _PLANS:  # the last ones of a layer give the most, or are the odd ones
            max(tracks, key=len).pop()
        plans = [_once(each) for each in product(*tracks)] if tracks else []
        plans += [(each,) for each in self._all_in_one()]
        done: list[tuple[Step, ...]] = []
        for plan in sorted(plans, key=len):
            if any({step.key for step in each} <= {step.key for step in plan} for each in done):
                continue
            state = self._state
            for step in plan:
                state = step.apply(state)
            if says_yes(self._call, self._reader, self._asked, self._told.owner, state):
                done.append(plan)
        proposals = [self._proposal(each) for each in done]
        proposals.sort(key=lambda each: (each.people, each.records + each.rights, len(each.steps)))
        return tuple(proposals[:MOST])

    def _proposal(self, steps: tuple[Step, ...]) -> Proposal:
        state = self._state
        for step in steps:
            state = step.apply(state)
        people = max(step.people for step in steps)
        after = self._count(state)
        shared = sum(1 for step in steps if step.kind == "share")
        gained = self._rights(state) - self._rights(self._state)
        return Proposal(steps, people, max(after - self._before, 0) + shared, max(gained, 0))

    # ---- candidates --------------------------------------------------------------------------------

    def _tracks(self) -> Iterable[list[Step] | None]:
        """For each thing that says no the changes that might mend it."""
        told, asked = self._told, self._asked
        by_name = {each.name: each for each in told.layers}
        for object, right in told.missing:
            yield [*self._assign(partial(_gives, object=object, right=right)),
                   *self._widen(object, right)][:_EACH * 2]  # fmt: skip
        if by_name["record_type"].ok is False:
            yield list(self._assign(lambda each: bool(
                each.record_types.get(asked.object.name, each.record_types.get("*", ())))))  # fmt: skip
        if told.tried is not None:
            if not told.tried.open:
                yield [*self._share(), *self._join(), *self._raise(), *self._assign_above()]
            for object, rule in told.tried.closed:
                label = label_in(rule.labels, self._language) or rule.name
                lift = Step(
                    "restriction", {"rule": label}, {"restriction_rule": f"{object.name}.{rule.name}"},
                    self._holders_of(rule.applies_to),
                    partial(Supposed.without_restriction, object=object, name=rule.name),
                )  # fmt: skip
                yield [lift, *self._assign_above()]
        if by_name["field"].ok is False:
            yield list(self._field())

    def _assign(self, gives: Callable[[PermissionSetDef], bool]) -> Iterable[Step]:
        found = [
            each for uid, each in self._model.permission_sets.items() if uid not in self._held and gives(each)
        ]
        for each in sorted(found, key=self._weight)[:_EACH]:
            words = {"set": label_in(each.labels, self._language) or each.name}
            yield Step(
                "assign", words, {"permission_set": each.name}, 1, partial(Supposed.with_set, uid=each.uid)
            )  # fmt: skip

    def _widen(self, object: ObjectDef, right: str) -> Iterable[Step]:
        for each in self._own_sets():
            words = {
                "set": label_in(each.labels, self._language) or each.name,
                "object": label_in(object.labels, self._language),
                "right": verb(right),
            }
            yield Step(
                "right", words, {"permission_set": each.name, "object": object.name, "right": right},
                self._holders(each.uid),
                partial(Supposed.with_right_in, uid=each.uid, object=object, right=right),
            )  # fmt: skip

    def _assign_above(self) -> Iterable[Step]:
        """Sets that open every record."""
        objects = self._chain()
        wanted = {"modify_all", "view_all"} if self._asked.level == "read" else {"modify_all"}
        return self._assign(lambda each: any(wanted & object_rights(each, object) for object in objects))

    def _all_in_one(self) -> Iterable[Step]:
        return self._assign(
            lambda each: (
                self._asked.operation in object_rights(each, self._asked.object)
                or bool({"modify_all"} & object_rights(each, self._asked.object))
            )
        )

    def _chain(self) -> list[ObjectDef]:
        """The object, and what it is a part of."""
        found = [self._asked.object]
        while found[-1].master is not None:
            found.append(self._model.objects[found[-1].fields[found[-1].master].target or ""])
        return found

    def _root(self) -> tuple[ObjectDef, UUID, str] | None:
        """The record that decides, and the level that is asked of it."""
        object, id, level = self._asked.object, self._asked.record, self._asked.level
        assert id is not None and level is not None
        gate = self._state.with_rights(self._told.missing).gate
        while object.master is not None:
            parent = parent_of(self._call.tenant, self._reader, self._model, object, id)
            if parent is None or level in ("share", "transfer"):
                return None
            object, level = gate.parent_of(object, level)
            id = parent.id
        return object, id, _NAMES[level_needed(gate, object, level)]

    def _share(self) -> Iterable[Step]:
        root = self._root()
        if root is None or root[0].package == BASE:
            return
        object, id, level = root
        words = {"user": self._told.user_name, "level": verb(level)}
        ids = {"object": object.name, "record": id.hex, "user": self._asked.user.hex, "level": level}
        yield Step("share", words, ids, 1, partial(Supposed.with_share, record=id, level=LEVELS[level]))

    def _join(self) -> Iterable[Step]:
        """Groups and queues to which the record is open already."""
        root = self._root()
        if root is None:
            return
        object, id, level = root
        keys = {
            key_of_grantee(each)
            for rule in object.sharing_rules
            if LEVELS[rule.access] >= LEVELS[level]
            for each in rule.to
            if each.kind in ("group", "queue")
        }
        chosen = sa.select(GROUPS.c.key, GROUPS.c.group_id)
        wanted: dict[UUID, str] = {}
        if keys:
            for row in self._reader.execute(chosen.where(GROUPS.c.key.in_(sorted(keys)))):
                wanted[row.group_id] = row.key.partition(":")[0]
        for each in read_shares(self._reader, [id]).values():
            if each.whom is not None and each.whom.kind in ("group", "queue"):
                wanted.setdefault(each.grantee, each.whom.kind)
        if self._told.owner is not None:
            queue = chosen.where(GROUPS.c.group_id == self._told.owner, GROUPS.c.key.like("queue:%"))
            if self._reader.execute(queue).first() is not None:
                wanted.setdefault(self._told.owner, "queue")
        for group, kind in sorted(wanted.items())[:_EACH]:
            known = named(self._call, [(self._model.objects[kind].uid, group)], self._reader)
            if group in known and group not in self._state.principal.groups:
                words = {"group": known[group].name}
                lets = self._lets(group) if kind == "queue" else 0
                yield Step(
                    f"join_{kind}", words, {kind: group.hex}, 1,
                    partial(Supposed.with_group, reader=self._reader, id=group, queue=lets),
                )  # fmt: skip

    def _lets(self, queue: UUID) -> int:
        """What the members of a queue may do with its records."""
        table = self._call.tables.of(self._model.objects["queue"])
        chosen = sa.select(table.column("member_access")).select_from(table.joined)
        one = table.id == sa.bindparam("id", type_=Uuid())
        row = self._reader.row(prepare(self._reader.store, chosen.where(one)), {"id": queue})
        return LEVELS.get(row[0], FULL) if row is not None else FULL

    def _raise(self) -> Iterable[Step]:
        """Sharing rules that let the person see the record, where edit is asked for."""
        root = self._root()
        if root is None or root[2] != "edit":
            return
        object = root[0]
        for rule in object.sharing_rules:
            if rule.access == "read" and any(
                key_of_grantee(each) in self._state.principal.keys for each in rule.to
            ):
                label = label_in(rule.labels, self._language) or rule.name
                yield Step(
                    "rule", {"rule": label}, {"sharing_rule": f"{object.name}.{rule.name}"},
                    self._members([key_of_grantee(each) for each in rule.to]),
                    partial(Supposed.with_rule, object=object, name=rule.name),
                )  # fmt: skip

    def _field(self) -> Iterable[Step]:
        field, object = self._asked.field, self._asked.object
        assert field is not None
        word: FieldRight = "read" if self._asked.operation == "read" else "edit"
        for each in self._own_sets():
            words = {
                "set": label_in(each.labels, self._language) or each.name,
                "field": label_in(field.labels, self._language),
                "right": verb(word),
            }
            yield Step(
                "field_right", words, {"permission_set": each.name, "field": field.path, "right": word},
                self._holders(each.uid),
                partial(Supposed.with_field_in, uid=each.uid, object=object, field=field, word=word),
            )  # fmt: skip
        yield from self._assign(
            lambda each: FIELD_ORDER[field_right(each, object, field)] >= FIELD_ORDER[word]
        )

    # ---- how far it reaches ------------------------------------------------------------------------

    def _own_sets(self) -> list[PermissionSetDef]:
        own = [self._model.permission_sets[uid] for uid in self._held]
        return sorted(own, key=lambda each: (self._holders(each.uid), each.name))[:_EACH]

    def _weight(self, each: PermissionSetDef) -> tuple[int, str]:
        """How much a set gives."""
        return sum(len(object_rights(each, object)) for object in self._model.objects.values()), each.name

    def _rights(self, state: Supposed) -> int:
        gate = state.gate
        return sum(len(gate.operations(object)) for object in state.model.objects.values())

    def _holders(self, uid: str) -> int:
        """How many people hold a set, by itself or in a group of sets."""
        uids = {uid} | {
            group.uid for group in self._model.permission_set_groups.values() if uid in group.sets
        }
        table = self._call.tables.of(self._model.objects["permission_assignment"])
        expires = table.column("expires_at")
        chosen = sa.select(sa.func.count(sa.distinct(table.column("user")))).where(
            table.deleted_at.is_(None),
            sa.or_(*(table.column("permission_set") == each for each in sorted(uids))),
            sa.or_(expires.is_(None), expires > sa.bindparam("now", type_=Instant())),
        )
        row = self._reader.row(prepare(self._reader.store, chosen), {"now": self._call.clock.now()})
        return int(row[0]) if row is not None else 0

    def _holders_of(self, names: Sequence[str] | None) -> int:
        if names is None:
            users = self._call.tables.of(self._model.objects["user"])
            chosen = sa.select(sa.func.count()).select_from(users.main)
            row = self._reader.row(prepare(self._reader.store, chosen.where(users.deleted_at.is_(None))))
            return int(row[0]) if row is not None else 0
        uids = [each.uid for each in self._model.permission_sets.values() if each.name in names]
        return sum(self._holders(uid) for uid in uids)

    def _members(self, keys: Sequence[str]) -> int:
        chosen = (
            sa.select(sa.func.count(sa.distinct(MEMBERS.c.user_id)))
            .select_from(MEMBERS.join(GROUPS, GROUPS.c.group_id == MEMBERS.c.group_id))
            .where(GROUPS.c.key.in_(sorted(keys)))
        )
        return int(self._reader.execute(chosen).scalar_one())

    def _count(self, state: Supposed) -> int:
        """How many records of the object are open to the person, up to ``COUNTED``."""
        level = self._asked.level
        if level is None:
            return 0
        gate, object = state.gate, state.model.objects[self._asked.object.name]
        rule = gate.rule(object, level)
        if rule.nothing:
            return 0
        tables = self._call.tables
        table = tables.of(object)
        one: sa.ColumnElement[int] = sa.literal_column("1")
        inner = sa.select(one.label("one")).where(table.deleted_at.is_(None))
        condition = gate.predicate(object, level, tables)
        inner = inner.select_from(table.main) if condition is None else inner.where(condition)
        chosen = sa.select(sa.func.count()).select_from(
            inner.limit(sa.literal_column(str(COUNTED))).subquery()
        )
        row = self._reader.row(prepare(self._reader.store, chosen), gate.viewer())
        return int(row[0]) if row is not None else 0


def _gives(each: PermissionSetDef, object: ObjectDef, right: str) -> bool:
    return right in object_rights(each, object)


def _once(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple({step.key: step for step in steps}.values())
