"""Which records of an object: data that says which ways lead to a record, and their reading as SQL.

A ``RecordRule`` is read by the database alone, for a page of a list as for one record (``asking``), so
yes/no and SQL cannot drift. Values are bind parameters that ``parameters`` gives; ``shape`` (values left out)
keys compiled statements. Conditions of an admin are part of the text: they are the same for everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa

from tabwright.formula.scope import Path
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import Model, ObjectDef, RestrictionRuleDef, SharingRuleDef
from tabwright.platform.tables import Ids, Instant, Uuid, in_ids
from tabwright.runtime.access.tables import GROUPS, MEMBERS, SHARES, key_of_owner
from tabwright.runtime.storage.links import part_in

if TYPE_CHECKING:
    from tabwright.platform.tables import DialectName
    from tabwright.runtime.storage.tables import RecordTable, Tables

Column = sa.ColumnElement[Any]

VIEWER = "viewer"


@dataclass(frozen=True, slots=True)
class Where:
    """The records of an object in a statement: ``main`` is its table there, under whatever name."""

    object: ObjectDef
    tables: Tables
    model: Model
    main: sa.FromClause
    whose: str = VIEWER  # begins the names of parameters about a person

    @staticmethod
    def of(object: ObjectDef, tables: Tables, model: Model) -> Where:
        """The object's table itself."""
        return Where(object, tables, model, tables.of(object).main)

    @property
    def table(self) -> RecordTable:
        return self.tables.of(self.object)

    def column(self, name: str) -> Column:
        """The storage column of a field; one that stands in the second table is looked up there."""
        column = self.table.column(name)
        side = self.table.side
        if side is None or column.table is not side:
            own: Column = self.main.c[column.name]
            return own
        beside = side.alias()
        return sa.select(beside.c[column.name]).where(beside.c.id == self.main.c.id).scalar_subquery()

    def apart(self) -> Where:
        """The same under a name that no other part of a statement has."""
        return replace(self, main=self.table.main.alias())

    def living(self) -> sa.Select[Any]:
        """The ids of the records that are not deleted: which the indexes hold."""
        return sa.select(self.main.c.id).where(self.main.c.deleted_at.is_(None))

    # ---- what a condition of an admin names ----------------------------------------------------------------

    def column_of(self, path: Path) -> Column:
        if path[0] == "$user":
            return self._of_person(path[1] if len(path) > 1 else "id")
        name = path[0]
        field = self.object.find(name)
        if field is None:
            raise KeyError(path)
        column = self.column(field.name)
        if field.system and field.name == "record_type":
            names = {each.uid: each.name for each in self.object.record_types.values()}
            return sa.case(names, value=column) if names else sa.null()
        if len(path) > 1:
            return part_in(column, TYPES[field.type].parts.index(path[1]), self.tables.dialect)
        return column

    def _of_person(self, name: str) -> Column:
        me = sa.bindparam(f"{self.whose}_id", type_=Uuid())
        if name == "id":
            return me
        users = Where.of(self.model.objects["user"], self.tables, self.model)
        person = replace(users, main=users.main.alias())
        return sa.select(person.column_of((name,))).where(person.main.c.id == me).scalar_subquery()


class Way:
    """One reason why a record is open. ``cause`` says which, for explanations; ``of_owner``: it looks at the
    owner and at nothing else of the record.

    It is read in two ways: ``sql`` is a condition on a record, ``ids`` the living records that meet it.
    """

    __slots__ = ()

    @property
    def of_owner(self) -> bool:
        return False

    @property
    def shape(self) -> str:
        raise NotImplementedError

    def sql(self, where: Where) -> Column:
        raise NotImplementedError

    def ids(self, where: Where) -> sa.Select[Any]:
        """The ids of the living records for which ``sql`` is true; others may be among them that are deleted
        or of another object. ``where`` has a table of its own.
        """
        return where.living().where(self.sql(where))

    def parameters(self) -> Mapping[str, Any]:
        return {}

    @property
    def cause(self) -> tuple[str, ...]:
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Owned(Way):
    """The owner is one of these: the person, and queues whose records are the person's as well."""

    owners: tuple[UUID, ...]
    name: str

    @property
    def of_owner(self) -> bool:
        return True

    @property
    def shape(self) -> str:
        return f"{self.name}{len(self._padded)}"

    @property
    def cause(self) -> tuple[str, ...]:
        return ("owner",)

    @property
    def _padded(self) -> tuple[UUID, ...]:
        # To a power of two, so that people in few and in many queues share few statements.
        size = 1
        while size < len(self.owners):
            size *= 2
        return self.owners + (self.owners[-1],) * (size - len(self.owners))

    def sql(self, where: Where) -> Column:
        owner = where.column("owner")
        return sa.or_(*(owner == sa.bindparam(name, type_=Uuid()) for name in self.parameters()))

    def parameters(self) -> Mapping[str, Any]:
        return {f"{self.name}{n}": owner for n, owner in enumerate(self._padded)}


@dataclass(frozen=True, slots=True)
class Beneath(Way):
    """The owner is below a position of the person's."""

    groups: tuple[UUID, ...]
    name: str

    @property
    def of_owner(self) -> bool:
        return True

    @property
    def shape(self) -> str:
        return self.name

    @property
    def cause(self) -> tuple[str, ...]:
        return ("hierarchy",)

    def sql(self, where: Where) -> Column:
        members = MEMBERS.alias()
        in_group = in_ids(where.tables.dialect, members.c.group_id, self.name)
        return _one(where.tables.dialect, members, members.c.user_id == where.column("owner"), in_group)

    def ids(self, where: Where) -> sa.Select[Any]:
        members = MEMBERS.alias()
        in_group = in_ids(where.tables.dialect, members.c.group_id, self.name)
        return where.living().where(members.c.user_id == where.column("owner"), in_group)

    def parameters(self) -> Mapping[str, Any]:
        return {self.name: Ids(self.groups)}


@dataclass(frozen=True, slots=True)
class Shared(Way):
    """Shared by hand, or with the record's team."""

    grantees: tuple[UUID, ...]
    level: int
    at: datetime
    name: str

    @property
    def shape(self) -> str:
        return f"{self.name}>{self.level}"

    @property
    def cause(self) -> tuple[str, ...]:
        return ("share",)

    def sql(self, where: Where) -> Column:
        shares = SHARES.alias()
        theirs = self._theirs(shares, where.tables.dialect)
        return _one(where.tables.dialect, shares, shares.c.record_id == where.main.c.id, *theirs)

    def ids(self, where: Where) -> sa.Select[Any]:
        shares = SHARES.alias()
        return sa.select(shares.c.record_id.label("id")).where(*self._theirs(shares, where.tables.dialect))

    def _theirs(self, shares: sa.FromClause, dialect: DialectName) -> tuple[Column, ...]:
        lasts = shares.c.expires_at > sa.bindparam(f"{self.name}_at", type_=Instant())
        return (
            in_ids(dialect, shares.c.grantee, self.name),
            shares.c.level >= sa.literal_column(str(self.level)),
            sa.or_(shares.c.expires_at.is_(None), lasts),
        )

    def parameters(self) -> Mapping[str, Any]:
        return {self.name: Ids(self.grantees), f"{self.name}_at": self.at}


@dataclass(frozen=True, slots=True)
class ByRule(Way):
    """A sharing rule whose people the person is one of."""

    rule: SharingRuleDef

    @property
    def of_owner(self) -> bool:
        return self.rule.when is None

    @property
    def shape(self) -> str:
        if self.rule.when is not None:
            return f"{self.rule.uid} {self.rule.when.text}"
        return f"{self.rule.uid} {[key_of_owner(each) for each in self.rule.owned_by]}"

    @property
    def cause(self) -> tuple[str, ...]:
        return ("rule", self.rule.name)

    def sql(self, where: Where) -> Column:
        if self.rule.when is not None:
            return self.rule.when.sql(where, where.tables.dialect).condition()
        members = MEMBERS.alias()
        owner = members.c.user_id == where.column("owner")
        return _one(where.tables.dialect, members, owner, self._of_owners(members))

    def ids(self, where: Where) -> sa.Select[Any]:
        if self.rule.when is not None:
            return where.living().where(self.sql(where))
        members = MEMBERS.alias()
        owners = sa.select(members.c.user_id).where(self._of_owners(members))
        return where.living().where(where.column("owner").in_(owners))

    def _of_owners(self, members: sa.FromClause) -> Column:
        groups = GROUPS.alias()
        named = (groups.c.key == key_of_owner(each) for each in self.rule.owned_by)
        return members.c.group_id.in_(sa.select(groups.c.group_id).where(sa.or_(*named)))


@dataclass(frozen=True, slots=True)
class OfParent(Way):
    """The record that decides about a part is open."""

    field: str
    parent: RecordRule

    @property
    def shape(self) -> str:
        return f"^({self.parent.shape})"

    @property
    def cause(self) -> tuple[str, ...]:
        return ("parent", self.field)

    def sql(self, where: Where) -> Column:
        above = self._above(where)
        condition = self.parent.sql(above)
        there = above.main.c.id == where.column(self.field)
        return sa.exists(
            sa.select(sa.literal_column("1")).select_from(above.main).where(there, *_only(condition))
        ).correlate_except(above.main)

    def ids(self, where: Where) -> sa.Select[Any]:
        above = self._above(where)
        # The parent of a living part is alive (records.masters).
        parents = above.living().where(*_only(self.parent.narrow(above)))
        return where.living().where(where.column(self.field).in_(parents))

    def _above(self, where: Where) -> Where:
        field = where.object.fields[self.field]
        return Where.of(where.model.objects[field.target or ""], where.tables, where.model).apart()

    def parameters(self) -> Mapping[str, Any]:
        return self.parent.parameters()


@dataclass(frozen=True, slots=True)
class RecordRule:
    """A record to which one of ``ways`` leads, or any where ``wide``; and that no restriction closes.

    ``also`` is another rule that has to hold as well.
    """

    wide: bool = False
    ways: tuple[Way, ...] = ()
    restrictions: tuple[RestrictionRuleDef, ...] = ()
    viewer: UUID | None = None
    whose: str = VIEWER
    also: RecordRule | None = None

    @property
    def shape(self) -> str:
        """The rule without its values."""
        own = "all" if self.wide else "|".join(each.shape for each in self.ways)
        closed = "".join(f"-{each.uid} {each.condition.text}" for each in self.restrictions)
        return own + closed + (f"&{self.also.shape}" if self.also is not None else "")

    @property
    def nothing(self) -> bool:
        """Whether no record can be open."""
        own = not self.wide and not self.ways
        return own or (self.also is not None and self.also.nothing)

    @property
    def everything(self) -> bool:
        """Whether no record is left out."""
        return self.wide and not self.restrictions and (self.also is None or self.also.everything)

    def objects(self, model: Model, object: ObjectDef) -> Iterator[ObjectDef]:
        """The other objects at whose records it looks."""
        if self.restrictions:
            yield model.objects["user"]
        for each in self.ways:
            if isinstance(each, OfParent):
                above = model.objects[object.fields[each.field].target or ""]
                yield above
                yield from each.parent.objects(model, above)
        if self.also is not None:
            yield from self.also.objects(model, object)

    def sql(self, where: Where) -> Column | None:
        """The rule as a condition on the object's records, or None when it leaves nothing out."""
        parts = self._closing(where)
        if not self.wide:
            parts.insert(0, sa.or_(*(each.sql(where) for each in self.ways)) if self.ways else sa.false())
        return sa.and_(*parts) if parts else None

    def narrow(self, where: Where) -> Column | None:
        """``sql`` in another form, true of the same living records: by the ids of all to which a way leads,
        which are found first. Quick where they are few.
        """
        ids = self.ids(where)
        if ids is None:
            return self.sql(where)
        found = sa.select(_first(ids).c.id)
        if where.tables.dialect == "postgresql":
            # As an array: joined, each record would be looked up alone.
            is_open: Column = where.main.c.id == sa.any_(sa.func.array(found.scalar_subquery()))
        else:
            is_open = where.main.c.id.in_(found)
        return sa.and_(is_open, *self._closing(where))

    def ids(self, where: Where) -> sa.CompoundSelect[Any] | None:
        """The ids of the living records to which a way leads, some twice; None where that are all or none."""
        if self.wide or not self.ways:
            return None
        return sa.union_all(*(each.ids(where.apart()) for each in self.ways))

    def _closing(self, where: Where) -> list[Column]:
        """What must hold whatever opens a record."""
        where = replace(where, whose=self.whose)
        parts = [each.condition.sql(where, where.tables.dialect).condition() for each in self.restrictions]
        return [*parts, *(_only(self.also.sql(where)) if self.also is not None else ())]

    def parameters(self) -> dict[str, Any]:
        """The values of the bind parameters that ``sql`` names."""
        given: dict[str, Any] = {f"{self.whose}_id": self.viewer} if self.restrictions else {}
        for each in self.ways:
            given.update(each.parameters())
        return given | (self.also.parameters() if self.also is not None else {})

    def both(self, other: RecordRule) -> RecordRule:
        """The records that this rule and another one have in common."""
        if other.everything:
            return self
        return replace(self, also=other if self.also is None else self.also.both(other))

    def at_once(self, owner: UUID | None) -> bool | None:
        """Whether a record of that owner is open, where that can be told without asking the database."""
        if self.everything or self.nothing:
            return self.everything
        if self.restrictions or self.also is not None:
            return None
        if any(isinstance(each, Owned) and owner in each.owners for each in self.ways):
            return True
        return None if any(not isinstance(each, Owned) for each in self.ways) else False


EVERYTHING = RecordRule(wide=True)
NOTHING = RecordRule()


def _only(condition: Column | None) -> tuple[Column, ...]:
    return () if condition is None else (condition,)


def _first(ids: sa.CompoundSelect[Any]) -> sa.CTE:
    """Ids that are found before all else of a statement."""
    return ids.cte().prefix_with("MATERIALIZED")


def _one(dialect: DialectName, table: sa.FromClause, *conditions: Column) -> Column:
    """Whether the table has such a row: looked up for each record that is asked about.

    PostgreSQL would rather read all rows of the person first, for one record as for a page; a scalar keeps it
    from that.
    """
    chosen: sa.Select[Any] = (
        sa.select(sa.literal_column("1")).select_from(table).where(*conditions).correlate_except(table)
    )
    if dialect == "postgresql":
        return chosen.limit(sa.literal_column("1")).scalar_subquery() == sa.literal_column("1")
    return sa.exists(chosen)
