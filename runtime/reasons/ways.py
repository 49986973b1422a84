"""Each way to a record, and each restriction on it, asked of the database for one record."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.metadata.model import ObjectDef, RestrictionRuleDef
from tabwright.platform.database import prepare
from tabwright.platform.tables import Uuid
from tabwright.runtime.access.record_rule import OfParent, RecordRule, Way, Where
from tabwright.runtime.reasons.supposed import parent_of

if TYPE_CHECKING:
    from tabwright.platform.database import Reader
    from tabwright.runtime.access.gate import Gate
    from tabwright.runtime.desk import TenantRuntime


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule of a record's object, way by way. ``parent``: of a part, the same about the record above it."""

    object: ObjectDef
    record: UUID
    rule: RecordRule
    ways: tuple[tuple[Way, bool], ...]
    restrictions: tuple[tuple[RestrictionRuleDef, bool], ...]
    parent: Tried | None = None

    @property
    def open(self) -> bool:
        """Whether a way leads to the record, whatever closes it."""
        return self.rule.wide or any(ok for _, ok in self.ways)

    @property
    def closed(self) -> tuple[tuple[ObjectDef, RestrictionRuleDef], ...]:
        """The restrictions that close it, also above."""
        own = tuple((self.object, each) for each, ok in self.restrictions if not ok)
        return own + (self.parent.closed if self.parent is not None else ())

    @property
    def all_restrictions(self) -> tuple[tuple[ObjectDef, RestrictionRuleDef, bool], ...]:
        own = tuple((self.object, each, ok) for each, ok in self.restrictions)
        return own + (self.parent.all_restrictions if self.parent is not None else ())


def tried(
    tenant: TenantRuntime, gate: Gate, reader: Reader, object: ObjectDef, rule: RecordRule, id: UUID
) -> Tried:
    """What each part of a rule says of one record."""
    where = replace(Where.of(object, tenant.tables(gate.model), gate.model), whose=rule.whose)
    conditions: list[sa.ColumnElement[Any]] = [each.sql(where) for each in rule.ways]
    dialect = where.tables.dialect
    conditions += (each.condition.sql(where, dialect).condition() for each in rule.restrictions)
    said: tuple[Any, ...] = ()
    if conditions:
        one: sa.ColumnElement[Any] = sa.literal_column("1")
        columns = (
            sa.case((each, one), else_=sa.literal_column("0")).label(f"c{n}")
            for n, each in enumerate(conditions)
        )
        chosen = sa.select(*columns).where(where.main.c.id == sa.bindparam("id", type_=Uuid()))
        row = reader.row(prepare(reader.store, chosen), {**gate.viewer(), "id": id})
        said = row if row is not None else (0,) * len(conditions)
    flags = [bool(each) for each in said]
    above: Tried | None = None
    for way in rule.ways:
        if isinstance(way, OfParent):
            parent = parent_of(tenant, reader, gate.model, object, id)
            if parent is not None:
                over = gate.model.objects[object.fields[way.field].target or ""]
                above = tried(tenant, gate, reader, over, way.parent, parent.id)
    return Tried(
        object, id, rule, tuple(zip(rule.ways, flags, strict=False)),
        tuple(zip(rule.restrictions, flags[len(rule.ways) :], strict=True)), above,
    )  # fmt: skip
