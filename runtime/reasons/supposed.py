"""What would be if: the gate of somebody under changed rights, groups, rules or shares, nothing written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import FieldDef, FieldRight, Model, ObjectDef, PermissionSetDef
from tabwright.platform.database import prepare
from tabwright.platform.tables import Uuid, uuid_of
from tabwright.runtime.access.asking import Asked, allowed
from tabwright.runtime.access.gate import Gate, Level
from tabwright.runtime.access.principal import Principal
from tabwright.runtime.access.record_rule import RecordRule, Where
from tabwright.runtime.access.rights import Rights, object_rights
from tabwright.runtime.access.tables import GROUPS, LEVELS

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.desk import TenantRuntime

RECORD_LEVELS: Final[tuple[Level, ...]] = ("read", "edit", "delete", "transfer", "share")
_EXTRA: Final = "?"  # the uid of a set that only answers for rights that are supposed


class _SupposedGate(Gate):
    """A gate whose rights are worked out anew: nothing of it may be kept for others."""

    def __init__(self, model: Model, principal: Principal) -> None:
        super().__init__(model, principal)
        self._rights = Rights(model, principal.permission_sets, principal.token_scope, False)
        self._prints: dict[str, str] = {}


@dataclass(frozen=True)
class Supposed:
    """A state of things in which a question is asked. ``shared``: records that are shared with the person,
    each up to a level.
    """

    model: Model
    principal: Principal
    shared: Mapping[UUID, int] = field(default_factory=dict)

    @property
    def gate(self) -> Gate:
        return _SupposedGate(self.model, self.principal)

    # ---- what may be changed -----------------------------------------------------------------------

    def with_set(self, uid: str) -> Supposed:
        """The person holds another permission set."""
        held = tuple(sorted({*self.principal.permission_sets, uid}))
        return replace(self, principal=replace(self.principal, permission_sets=held))

    def with_rights(self, rights: Iterable[tuple[ObjectDef, str]]) -> Supposed:
        """The person has these rights on objects, wherever from."""
        objects: dict[str, frozenset[str]] = {}
        for object, right in rights:
            objects[object.name] = objects.get(object.name, frozenset()) | {right}
        extra = PermissionSetDef(_EXTRA, _EXTRA, {}, frozenset(), objects, {}, (), (), {})
        return self._with_sets({_EXTRA: extra}).with_set(_EXTRA)

    def with_right_in(self, uid: str, object: ObjectDef, right: str) -> Supposed:
        """A permission set gives one more right on an object."""
        each = self.model.permission_sets[uid]
        rights = object_rights(each, object) | {right}
        return self._with_sets({uid: replace(each, objects={**each.objects, object.name: rights})})

    def with_field_in(self, uid: str, object: ObjectDef, field: FieldDef, word: FieldRight) -> Supposed:
        """A permission set gives a right on a field."""
        each = self.model.permission_sets[uid]
        words = {**each.fields.get(object.name, {}), field.name: word}
        return self._with_sets({uid: replace(each, fields={**each.fields, object.name: words})})

    def with_group(self, reader: Reader, id: UUID, queue: int = 0) -> Supposed:
        """The person is a member of a group; or of a ``queue``, with what it lets its members do."""
        who = self.principal
        rows = reader.execute(sa.select(GROUPS.c.key).where(GROUPS.c.group_id == id))
        keys = who.keys | {key for (key,) in rows}
        queues = (*who.queues, (id, queue)) if queue else who.queues
        return replace(
            self, principal=replace(who, groups=(*who.groups, id), keys=frozenset(keys), queues=queues)
        )

    def with_rule(self, object: ObjectDef, name: str) -> Supposed:
        """A sharing rule lets edit as well."""
        here = self.model.objects[object.name]
        rules = (replace(each, access="edit") if each.name == name else each for each in here.sharing_rules)
        return self._with_object(replace(here, sharing_rules=tuple(rules)))

    def without_restriction(self, object: ObjectDef, name: str) -> Supposed:
        here = self.model.objects[object.name]
        kept = tuple(each for each in here.restriction_rules if each.name != name)
        return self._with_object(replace(here, restriction_rules=kept))

    def with_share(self, record: UUID, level: int) -> Supposed:
        return replace(self, shared={**self.shared, record: level})

    def _with_sets(self, sets: Mapping[str, PermissionSetDef]) -> Supposed:
        return replace(
            self, model=replace(self.model, permission_sets={**self.model.permission_sets, **sets})
        )

    def _with_object(self, object: ObjectDef) -> Supposed:
        return replace(self, model=replace(self.model, objects={**self.model.objects, object.name: object}))


def is_open(
    tenant: TenantRuntime,
    reader: Reader,
    state: Supposed,
    object: ObjectDef,
    level: Level,
    record: Asked,
) -> bool:
    """Whether a record is open at a level, shares that are only supposed included."""
    gate, here = state.gate, state.model.objects[object.name]
    if allowed(tenant, gate, reader, here, level, [record]):
        return True
    if not state.shared or level in ("transfer", "share") and here.master is not None:
        return False
    if here.master is not None:
        if not gate.may(here, level):
            return False
        above, asked = gate.parent_of(here, level)
        parent = parent_of(tenant, reader, state.model, here, record.id)
        return parent is not None and is_open(tenant, reader, state, above, asked, parent)
    rule = gate.rule(here, level)
    if rule.nothing or state.shared.get(record.id, 0) < level_needed(gate, here, level):
        return False
    return holds(
        tenant, reader, state.model, here, replace(rule, wide=True, ways=()), record.id, gate.viewer()
    )


def level_needed(gate: Gate, object: ObjectDef, level: Level) -> int:
    """What a share has to give for it."""
    if level in LEVELS:
        return LEVELS[level]
    if level == "transfer" and gate.may(object, "transfer"):
        return LEVELS["edit"]
    return LEVELS["full"]


def parent_of(
    tenant: TenantRuntime, reader: Reader, model: Model, object: ObjectDef, id: UUID
) -> Asked | None:
    """The record of which another is a part."""
    table = tenant.tables(model).of(object)
    field = object.fields[object.master or ""]
    chosen = (
        sa.select(table.column(field.name), table.column("owner"))  # a part holds its parent's owner
        .select_from(table.joined)
        .where(table.id == sa.bindparam("id", type_=Uuid()))
    )
    row = reader.row(prepare(reader.store, chosen), {"id": id})
    if row is None or row[0] is None:
        return None
    return Asked(uuid_of(row[0]), None if row[1] is None else uuid_of(row[1]))


def holds(
    tenant: TenantRuntime,
    reader: Reader,
    model: Model,
    object: ObjectDef,
    rule: RecordRule,
    id: UUID,
    values: Mapping[str, Any],
) -> bool:
    """Whether a rule lets a record through."""
    condition = rule.sql(Where.of(object, tenant.tables(model), model))
    if condition is None:
        return True
    table = tenant.tables(model).of(object)
    chosen = sa.select(table.id).where(table.id == sa.bindparam("id", type_=Uuid()), condition)
    return reader.row(prepare(reader.store, chosen), {**values, "id": id}) is not None
