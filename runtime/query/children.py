"""The records that name a record, in SQL: what formulas count and add up (``formula.scope.Children``)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import sqlalchemy as sa

from tabwright.formula.aggregates import Relation
from tabwright.formula.scope import Columns, Path
from tabwright.metadata.model import FieldDef, Model, ObjectDef
from tabwright.runtime.access.gate import Gate

Column = sa.ColumnElement[Any]


class Rows(Protocol):
    """Records of an object in a statement (``source.Source``)."""

    gate: Gate

    @property
    def dialect(self) -> str: ...

    @property
    def id(self) -> Column: ...

    def own(self, name: str) -> Column: ...

    def inner(self, object: ObjectDef, gate: Gate | None = None) -> Rows: ...

    def select_inside(self, *columns: Column) -> sa.Select[Any]: ...


ColumnsOf = Callable[[Any], Columns]  # of such records


class Related:
    """The living children of a relation, as far as ``gate``, or that of ``parent``, lets them be seen."""

    def __init__(
        self, parent: Rows, relation: Relation, columns_of: ColumnsOf, gate: Gate | None = None
    ) -> None:
        model = parent.gate.model
        self._field = lookup_of(model, relation)
        self._uid = model.objects[relation.parent].uid
        self._source = parent.inner(model.objects[relation.object], gate)
        self._columns = columns_of(self._source)
        self._columns_of = columns_of

    @property
    def id(self) -> Column:
        return self._source.id

    def column_of(self, path: Path) -> Column:
        return self._columns.column_of(path)

    def children(self, relation: Relation) -> Related:
        return Related(self._source, relation, self._columns_of)

    def of(self, parent: Column) -> sa.ColumnElement[bool]:
        column = self._source.own(self._field.name)
        if not self._field.kinds:
            return column == parent
        return column == link_to(self._uid, parent, self._source.dialect)

    def select(self, *columns: Column) -> sa.Select[Any]:
        return self._source.select_inside(*columns)


def lookup_of(model: Model, relation: Relation) -> FieldDef:
    """The reference of a relation, a polymorphic one whole."""
    return model.objects[relation.object].fields[relation.field.partition(".")[0]]


def link_to(uid: str, id: Column, dialect: str) -> Column:
    """The text of a link to a record of the object ``uid``: see ``metadata.links``."""
    if dialect == "postgresql":
        digits = sa.func.replace(sa.cast(id, sa.Text()), "-", "", type_=sa.Text())
    else:
        digits = sa.func.lower(sa.func.hex(id), type_=sa.Text())
    return sa.literal(uid, sa.Text()).op("||", return_type=sa.Text())(digits)
