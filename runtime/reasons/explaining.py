"""The explanation of one question: may this person do this, and which layer says what (decision 0045)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, ObjectDef, PermissionSetDef, label_in
from tabwright.platform.database import prepare
from tabwright.platform.errors import Invalid, NotFound, Place, Said, Unauthenticated
from tabwright.platform.language import register_messages
from tabwright.platform.tables import Uuid, ids_value, in_ids, instant_of, uuid_of
from tabwright.runtime.access import principals
from tabwright.runtime.access.delegating import delegate
from tabwright.runtime.access.gate import Gate, Level
from tabwright.runtime.access.record_rule import Beneath, ByRule, OfParent, Owned, Shared, Way
from tabwright.runtime.access.rights import FIELD_ORDER, OPERATIONS, field_right, named_by_all, object_rights
from tabwright.runtime.access.share_rows import read as read_shares
from tabwright.runtime.access.tables import LEVELS, MEMBERS, under
from tabwright.runtime.query.naming import named
from tabwright.runtime.query.reads import Reads
from tabwright.runtime.reasons.supposed import RECORD_LEVELS, Supposed
from tabwright.runtime.reasons.ways import Tried, tried

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import Call

register_messages(Path(__file__).with_name("messages.json"))

RIGHT: Final = "explain_access"
FIELD_OPERATIONS: Final = ("read", "create", "edit")
_GIVEN = {number: name for name, number in LEVELS.items()}


def verb(right: str) -> Said:
    """A right, or a level of a share, in words."""
    return Said(f"access.verb.{right}")


@dataclass(frozen=True, slots=True)
class Question:
    """May ``user`` do ``operation`` with records of ``object``, with this record, with this field of it?"""

    user: UUID
    object: ObjectDef
    operation: str
    record: UUID | None = None
    field: FieldDef | None = None

    @property
    def level(self) -> Level | None:
        """What is asked of the record; None where the operation is of the object alone."""
        found = next((each for each in RECORD_LEVELS if each == self.operation), None)
        return found if self.record is not None else None


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that a layer says: ``code`` and ``params`` are its words (``access.why.<code>``). ``ok``
    None: it neither opens nor closes. ``gives``: the level that it gives; ``ids``: what it is about.
    """

    code: str
    ok: bool | None
    params: Mapping[str, str] = field(default_factory=dict)
    gives: str = ""
    until: datetime | None = None
    ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer, in the order of evaluation. ``ok`` None: it has no say in this question."""

    name: str
    ok: bool | None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """The answer: every layer that has a say must say yes."""

    question: Question
    user_name: str
    layers: tuple[Layer, ...]
    state: Supposed | None  # what it was judged by; None where the person may not sign in
    owner: UUID | None = None
    tried: Tried | None = None
    missing: tuple[tuple[ObjectDef, str], ...] = ()  # object rights that lack

    @property
    def allowed(self) -> bool:
        return all(each.ok is not False for each in self.layers)


def question(
    call: Call, user: UUID, object: str, operation: str, record: UUID | None, field: str | None
) -> Question:
    """A question that this person may ask: about himself, or with the right to explain; of records that he
    sees himself, and fields that he may know. Any other record, person or field is one that does not exist.

    Raises NotFound, Invalid, Denied.
    """
    gate = call.gate
    if user != call.principal.user_id:
        gate.require_right(RIGHT)
        _require_reach(call, user)
    found = gate.object(object)
    if operation not in OPERATIONS:
        raise Invalid.of("access.why.no_operation", Place(field="operation"), operation=operation[:40])
    if found.master is not None and operation in ("share", "transfer"):
        parent = label_in(gate.model.objects[found.fields[found.master].target or ""].labels, call.language)
        raise Invalid.of("access.why.part", Place(field="operation"), parent=parent)
    if record is not None:
        gate.require(found, "read")
        Reads(call).get(found.name, record, ("id",))
        if operation not in RECORD_LEVELS:
            raise Invalid.of("access.why.not_of_record", Place(field="operation"), operation=operation)
    path = None
    if field is not None:
        resolved = gate.resolve(found, field)
        if resolved.hops or operation not in FIELD_OPERATIONS:
            raise Invalid.of("access.why.not_of_field", Place(field="field"), operation=operation)
        path = resolved.field
    return Question(user, found, operation, record, path)


def explain(call: Call, asked: Question) -> Explanation:
    """Why, or why not. Raises NotFound where there is no such person."""
    with call.tenant.store.read() as reader:
        return explain_in(call, reader, asked)


def explain_in(call: Call, reader: Reader, asked: Question) -> Explanation:
    """The same in a transaction that is open."""
    name = _name_of(call, reader, asked.user)
    who = call.principal
    if asked.user != who.user_id:
        try:
            who = principals.load(call.tenant, reader, call.model, asked.user, call.clock.now())
        except Unauthenticated:
            return Explanation(asked, name, (Layer("session", False, (Part("off", False),)),), None)
    return _Explaining(call, reader, asked, name, Supposed(call.model, who)).made()


class _Explaining:
    def __init__(self, call: Call, reader: Reader, asked: Question, name: str, state: Supposed) -> None:
        self._call, self._reader, self._asked, self._name, self._state = call, reader, asked, name, state
        self._gate = state.gate
        self._sets = call.model.sets_of(state.principal.permission_sets)
        self._language = call.language

    def made(self) -> Explanation:
        asked = self._asked
        rights, missing = self._rights()
        layers = [self._session(), rights, self._record_type()]
        found: Tried | None = None
        owner: UUID | None = None
        if asked.level is not None and asked.record is not None:
            owner = self._owner(asked.record)
            # Where a right lacks, the record is judged as if it were there.
            state = self._state.with_rights(missing) if missing else self._state
            gate = state.gate
            object = state.model.objects[asked.object.name]
            rule = gate.rule(object, asked.level)
            found = tried(self._call.tenant, gate, self._reader, object, rule, asked.record)
            layers += [self._record(gate, found, owner), self._restrictions(found)]
        layers.append(self._field())
        return Explanation(asked, self._name, tuple(layers), self._state, owner, found, tuple(missing))

    # ---- session, rights ---------------------------------------------------------------------------

    def _session(self) -> Layer:
        scope = self._state.principal.token_scope
        if scope is None:
            return Layer("session", True, (Part("on", True),))
        return Layer("session", True, (Part("token", None),))

    def _rights(self) -> tuple[Layer, list[tuple[ObjectDef, str]]]:
        parts: list[Part] = []
        missing: list[tuple[ObjectDef, str]] = []
        for object, right in _needed(self._gate, self._asked.object, self._asked.operation):
            words = {"object": label_in(object.labels, self._language), "right": verb(right)}
            if not self._gate.may(object, right):
                missing.append((object, right))
                parts.append(Part("right_missing", False, words))
            elif right == "read" and named_by_all(object):
                parts.append(Part("right_named", True, words))
            else:
                given = [each for each in self._sets if right in object_rights(each, object)]
                parts += (self._of_set("right_given", each, words) for each in given)
        return Layer("object", not missing, tuple(parts)), missing

    def _record_type(self) -> Layer:
        object, gate = self._asked.object, self._gate
        if self._asked.operation != "create" or not object.record_types:
            return Layer("record_type", None, (Part("types_hide_nothing", None),))
        types = gate.record_types(object)
        named = ", ".join(label_in(each.labels, self._language) for each in types)
        part = Part("types", True, {"types": named}) if types else Part("no_type", False)
        return Layer("record_type", bool(types), (part,))

    def _of_set(self, code: str, each: PermissionSetDef, words: Mapping[str, str]) -> Part:
        """A permission set as a source: how the person comes to hold it, and until when."""
        label = label_in(each.labels, self._language) or each.name
        ids = {"permission_set": each.name}
        until: datetime | None = None
        through = ""
        held = self._held.get(each.uid)
        if held is not None:
            until, through, assignment = held
            ids["assignment"] = assignment
        if through:
            return Part(f"{code}_by", True, {**words, "set": label, "group": through}, until=until, ids=ids)
        return Part(code, True, {**words, "set": label}, until=until, ids=ids)

    @property
    def _held(self) -> Mapping[str, tuple[datetime | None, str, str]]:
        """By uid of a set: until when, by which group of sets, which assignment (the longest)."""
        call, model = self._call, self._call.model
        table = call.tables.of(model.objects["permission_assignment"])
        columns = (table.id, table.column("permission_set"), table.column("expires_at"))
        user = sa.bindparam("user", type_=Uuid())
        chosen = sa.select(*columns).where(table.column("user") == user, table.deleted_at.is_(None))
        found: dict[str, tuple[datetime | None, str, str]] = {}
        for id, uid, expires in self._reader.rows(
            prepare(self._reader.store, chosen), {"user": self._state.principal.user_id}
        ):
            until = None if expires is None else instant_of(expires)
            if until is not None and until <= call.clock.now():
                continue
            group = model.permission_set_groups.get(uid)
            for each in group.sets if group is not None else (uid,):
                there = found.get(each)
                if there is None or (there[0] is not None and (until is None or until > there[0])):
                    label = label_in(group.labels, self._language) or group.name if group is not None else ""
                    found[each] = (until, label, uuid_of(id).hex)
        return found

    # ---- the record --------------------------------------------------------------------------------

    def _record(self, gate: Gate, found: Tried, owner: UUID | None) -> Layer:
        level = self._asked.level
        assert level is not None
        parts: list[Part] = []
        if found.rule.wide:
            parts.append(self._wide(gate, found.object, level))
        else:
            parts += self._ways(gate, found, level, owner)
        return Layer("record", found.open, tuple(parts))

    def _wide(self, gate: Gate, object: ObjectDef, level: Level) -> Part:
        if gate.may(object, "modify_all"):
            return self._everything("modify_all", object)
        if level == "read" and named_by_all(object):
            return Part("names", True)
        if level == "read" and gate.may(object, "view_all"):
            return self._everything("view_all", object)
        return Part("default", True, gives=object.sharing)

    def _everything(self, right: str, object: ObjectDef) -> Part:
        words = {"object": label_in(object.labels, self._language), "right": verb(right)}
        given = next((each for each in self._sets if right in object_rights(each, object)), None)
        return (
            self._of_set("right_given", given, words)
            if given is not None
            else Part("right_named", True, words)
        )

    def _ways(self, gate: Gate, found: Tried, level: Level, owner: UUID | None) -> list[Part]:
        """What counts first, then what gives less than is asked, then what leads nowhere."""
        parts: list[Part] = []
        if gate.may(found.object, "view_all") and level == "read":
            parts.append(self._everything("view_all", found.object))
        for way, ok in found.ways:
            parts += self._way(gate, found, way, ok, owner)
        if level != "read" and found.object.master is None:
            lesser = gate.rule(found.object, "read")
            reading = tried(self._call.tenant, gate, self._reader, found.object, lesser, found.record)
            if lesser.wide:
                parts.append(
                    Part("default_read", None, gives="read")
                    if not gate.may(found.object, "view_all")
                    else self._everything("view_all", found.object)
                )
            known = {each.shape.split(">")[0] for each, ok in found.ways if ok}
            for way, ok in reading.ways:
                if ok and way.shape.split(">")[0] not in known and not isinstance(way, Owned):
                    parts += [
                        Part(each.code, None, each.params, each.gives, each.until, each.ids)
                        for each in self._way(gate, reading, way, True, owner)
                    ]
        if not any(each.code.startswith("owner") for each in parts):
            parts.append(Part("owner_not", None, {"owner": self._person(owner)}))
        order = {True: 0, None: 1, False: 2}
        return sorted(parts, key=lambda each: order[each.ok])

    def _way(self, gate: Gate, found: Tried, way: Way, ok: bool, owner: UUID | None) -> list[Part]:
        who = gate.principal
        if isinstance(way, Owned):
            if not ok:
                return [Part("owner_not", None, {"owner": self._person(owner)})]
            if owner == who.user_id:
                return [Part("owner", True, gives="full")]
            given = next((_GIVEN[level] for id, level in who.queues if id == owner), "full")
            return [Part("owner_queue", True, {"queue": self._person(owner)}, given)]
        if isinstance(way, Beneath):
            given = found.object.hierarchy
            if not ok:
                return [Part("hierarchy_not", None, {"owner": self._person(owner)})]
            above = self._positions_above(who.positions, owner)
            words = {"owner": self._person(owner), "position": self._names("position", above)}
            return [Part("hierarchy", True, words, given, ids={"position": above[0].hex} if above else {})]
        if isinstance(way, ByRule):
            label = label_in(way.rule.labels, self._language) or way.rule.name
            ids = {"sharing_rule": way.rule.name}
            return [Part("rule" if ok else "rule_not", ok or None, {"rule": label}, way.rule.access, ids=ids)]
        if isinstance(way, Shared):
            return self._shares(gate, found, way, ok)
        if isinstance(way, OfParent) and found.parent is not None:
            over = label_in(found.parent.object.labels, self._language)
            if found.parent.rule.wide:
                inner = [self._wide(gate, found.parent.object, "read")]
            else:
                inner = [
                    part for each, yes in found.parent.ways
                    for part in self._way(gate, found.parent, each, yes, owner)
                ]  # fmt: skip
            return [Part("parent" if ok else "parent_not", ok or None, {"object": over}), *inner]
        return [Part("parent_none", None)]

    def _shares(self, gate: Gate, found: Tried, way: Shared, ok: bool) -> list[Part]:
        if not ok:
            return [Part("share_not", None)]
        parts = []
        for each in read_shares(self._reader, [found.record]).values():
            if (
                each.grantee in way.grantees
                and LEVELS[each.terms.level] >= way.level
                and each.lasts(way.at)
                and each.whom
            ):
                words = {
                    "whom": self._names(each.whom.kind, [each.whom.id]),
                    "by": self._person(each.created_by),
                    "role": each.terms.role,
                    "reason": each.terms.reason,
                }
                code = "team" if each.terms.role else "share_below" if each.whom.below else "share"
                ids = {"share": each.grantee.hex, "record": found.record.hex}
                parts.append(Part(code, True, words, each.terms.level, each.terms.expires_at, ids))
        return parts

    def _restrictions(self, found: Tried) -> Layer:
        parts = tuple(
            Part(
                "restriction_open" if ok else "restriction",
                ok,
                {"rule": label_in(each.labels, self._language) or each.name},
                ids={"restriction_rule": each.name},
            )
            for _, each, ok in found.all_restrictions
        )
        if not parts:
            return Layer("restrictions", None, (Part("restriction_none", None),))
        return Layer("restrictions", all(each.ok for each in parts), parts)

    def _field(self) -> Layer:
        field, operation, object = self._asked.field, self._asked.operation, self._asked.object
        if field is None:
            return Layer("field", None)
        gate = self._state.with_rights(_needed(self._gate, object, operation)).gate
        words = {"field": label_in(field.labels, self._language)}
        if operation == "read":
            ok = gate.can_read(field)
        elif operation == "create":
            ok = any(each.name == field.name for each in gate.settable(object))
        else:
            ok = gate.can_edit(field)
        wanted = 1 if operation == "read" else 2
        if field.system:
            return Layer("field", ok, (Part("field_system" if ok else "field_fixed", ok, words),))
        given = [
            each for each in self._sets if FIELD_ORDER[field_right(each, object, field)] >= wanted
        ]  # fmt: skip
        parts = [self._of_set("field_given", each, words) for each in given]
        if not ok:
            parts = [Part("field_fixed" if given else "field_missing", False, words)]
        elif not parts:
            parts = [Part("field_system", True, words)]
        return Layer("field", ok, tuple(parts))

    # ---- names -------------------------------------------------------------------------------------

    def _owner(self, record: UUID) -> UUID | None:
        table = self._call.tables.of(self._asked.object)
        chosen = sa.select(table.column("owner")).select_from(table.joined)
        statement = prepare(self._reader.store, chosen.where(table.id == sa.bindparam("id", type_=Uuid())))
        row = self._reader.row(statement, {"id": record})
        return None if row is None or row[0] is None else uuid_of(row[0])

    def _positions_above(self, positions: Iterable[UUID], owner: UUID | None) -> list[UUID]:
        by_group = {under(each): each for each in positions}
        dialect = self._reader.store.dialect
        chosen = sa.select(MEMBERS.c.group_id).where(
            MEMBERS.c.user_id == sa.bindparam("owner", type_=Uuid()), in_ids(dialect, MEMBERS.c.group_id)
        )
        given = {"owner": owner, "ids": ids_value(dialect, sorted(by_group))}
        rows = self._reader.rows(prepare(self._reader.store, chosen), given)
        return sorted(by_group[uuid_of(id)] for (id,) in rows)

    def _names(self, object: str, ids: Iterable[UUID]) -> str:
        found = named(self._call, ((self._call.model.objects[object].uid, id) for id in ids), self._reader)
        return ", ".join(each.name for each in found.values()) or "—"

    def _person(self, id: UUID | None) -> str:
        if id is None:
            return "—"
        objects = self._call.model.objects
        found = named(self._call, ((objects[each].uid, id) for each in ("user", "queue")), self._reader)
        return found[id].name if id in found else "—"


def _needed(gate: Gate, object: ObjectDef, operation: str) -> list[tuple[ObjectDef, str]]:
    """The rights on objects that an operation takes: of a part also those on what it is part of."""
    right = "edit" if operation == "transfer" else operation
    found = [(object, right)]
    level = next((each for each in RECORD_LEVELS if each == operation), None)
    if level is None or object.master is None or gate.may(object, "modify_all"):
        return found
    if level in ("share", "transfer") or (level == "read" and gate.may(object, "view_all")):
        return found
    above, asked = gate.parent_of(object, level)
    return found + [each for each in _needed(gate, above, asked) if each not in found]


def _require_reach(call: Call, user: UUID) -> None:
    """Who administers some people only asks about those: others are nobody to them."""
    with call.tenant.store.read() as reader:
        held = delegate(call.tenant, reader, call.model, call.principal, call.clock.now())
        if held is None:
            return
        table = call.tables.of(call.model.objects["user"])
        chosen = sa.select(table.column("department"), table.column("position")).select_from(table.joined)
        one = table.id == sa.bindparam("id", type_=Uuid())
        row = reader.row(prepare(reader.store, chosen.where(one)), {"id": user})
    department, position = (None if each is None else uuid_of(each) for each in row or (None, None))
    if not held.reaches({"id": user, "department": department, "position": position}):
        raise NotFound.of("record.not_found", Place(object="user", record=user.hex), object="user")


def _name_of(call: Call, reader: Reader, user: UUID) -> str:
    object = call.model.objects["user"]
    found = named(call, [(object.uid, user)], reader)
    if user not in found:
        raise NotFound.of("record.not_found", Place(object="user", record=user.hex), object="user")
    return found[user].name
