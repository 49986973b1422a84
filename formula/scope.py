"""What a formula may look at, given by its caller; and the places where a formula may stand."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, runtime_checkable

import sqlalchemy as sa

from tabwright.formula.aggregates import Relation
from tabwright.formula.datatypes import Type
from tabwright.formula.typed import Node

Path = tuple[str, ...]


class Scope(Protocol):
    """Names and their types. Paths come lower-cased: ("account", "owner", "name"), ("$user", "id")."""

    def type_of(self, path: Path) -> Type | None:
        """The type of what stands at the end of `path`; None when there is no such thing."""
        ...

    def suggestions(self, path: Path) -> Iterable[str]:
        """The names that exist one step below `path`; of the object itself for the empty path."""
        ...


@runtime_checkable
class Kin(Scope, Protocol):
    """Names of a record that others name."""

    def relation(self, path: Path) -> "tuple[Relation, Scope] | None":
        """The children that `path` stands for, and their names; None when it stands for none."""
        ...

    def relations(self) -> Iterable[str]:
        """What relations are called, the shortest name of each."""
        ...


@runtime_checkable
class Labelled(Scope, Protocol):
    """Names of a caller who also knows the custom labels."""

    def label(self, name: str) -> str | None:
        """The name of the custom label that is called so, or was; None when there is none."""
        ...

    def labels(self) -> Iterable[str]:
        """The names of all custom labels."""
        ...


@dataclass(frozen=True, slots=True)
class Behind:
    """The formula that a field gets its values from.

    `hops` lead from the record of the outer formula to the one that `root` is about. `nested`: how many
    formulas stand inside each other in it, itself counted. `kept`: its values stand in a column as well,
    which may be read in its place.
    """

    hops: Path
    root: Node
    nested: int = 1
    kept: bool = False


@runtime_checkable
class Deriving(Scope, Protocol):
    """Names of a caller who also knows which fields are worked out by formulas."""

    def behind(self, path: Path) -> Behind | None:
        """What stands behind the field at the end of `path`; None where its value is read."""
        ...


class Columns(Protocol):
    """Where the values of a path are in SQL. Joins are the caller's business."""

    def column_of(self, path: Path) -> sa.ColumnElement[Any]:
        """The raw storage column of `path`, or a bind parameter for `$user` and its like."""
        ...


@runtime_checkable
class Trees(Columns, Protocol):
    """Columns of a caller who also knows what hangs below what."""

    def below(self, target: str, records: Sequence[sa.ColumnElement[Any]]) -> sa.Select[tuple[Any]]:
        """The ids of some records of the object `target` and of all that hang below them in its tree."""
        ...


class Children(Columns, Protocol):
    """The living children of a record in SQL, in a table of their own beside the statement's."""

    @property
    def id(self) -> sa.ColumnElement[Any]:
        """What they are told apart by; its order is that in which they were made."""
        ...

    def of(self, parent: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
        """Whether a child names the record `parent`."""
        ...

    def select(self, *columns: sa.ColumnElement[Any]) -> sa.Select[Any]:
        """These columns of all children, with the joins that the columns asked for so far need; what else it
        names belongs to the statement around it.
        """
        ...


@runtime_checkable
class Parents(Columns, Protocol):
    """Columns of a caller who also knows the records that name a record."""

    def children(self, relation: Relation) -> Children:
        """The children of a relation, ready to be asked for columns."""
        ...


class Place(Enum):
    """Where a formula stands; decides which functions are legal in it."""

    FORMULA_FIELD = "formula_field"
    DEFAULT = "default"
    VALIDATION = "validation"
    RULE = "rule"
    APPROVAL = "approval"
    WHERE = "where"
    SHARING = "sharing"
    REPORT = "report"
    VISIBILITY = "visibility"
    TEMPLATE = "template"


EVERYWHERE = frozenset(Place)
# Only where a save is going on is there a previous value.
ON_SAVE = frozenset({Place.VALIDATION, Place.RULE, Place.APPROVAL})
# Here only the database can run the formula: what it cannot is refused (see Formula.pushable).
ONLY_SQL = frozenset({Place.WHERE, Place.SHARING, Place.REPORT})
