"""The tables that records stand in: which table an object is, which column a field is.

``Physical`` reads what the tenant's table ``physical`` says (decision 0005). ``Tables`` joins it with the
objects of a Model into ``RecordTable``s, which the read path, the write path and the DDL use.

An entry of ``physical`` never changes its shape: a field that changes its type gets a new number, and the
journal's old values stay readable through the old one. States:

* ``live``: in use. ``dropped``: the field or object is gone from the model, its data kept for 30 days.
* ``retired``: a column that a type change has replaced, kept for 30 days.
* ``building``: a column or an index that a job is making.
* ``gone``: purged; kept so that no number is used twice.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import sqlalchemy as sa

from tabwright.metadata.fieldtypes import TEXT_TYPES, TYPES
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import NotFound, Unavailable
from tabwright.platform.tables import TENANT, CodeText, Instant, Json
from tabwright.runtime.storage.columns import (
    Codec,
    Dialect,
    Shape,
    codec,
    codec_of,
    column_type,
    for_field,
    shape_of,
)

if TYPE_CHECKING:
    from tabwright.platform.database import Reader

Side = Literal["main", "side"]
State = Literal["live", "building", "dropped", "retired", "gone"]

physical = sa.Table(
    "physical",
    TENANT,
    sa.Column("n", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", CodeText, nullable=False),  # object, field, index
    sa.Column("uid", CodeText, nullable=False),
    sa.Column("object_n", sa.BigInteger, nullable=False),  # an object's own number
    sa.Column("storage", Json, nullable=False),
    sa.Column("state", CodeText, nullable=False),
    sa.Column("dropped_at", Instant),
)
"""One row per table, column and index that this store ever had."""

# System field -> column. A record's owner is two columns: who, and whether that is a user or a queue.
SYSTEM_COLUMNS: Mapping[str, str] = {
    "id": "id",
    "revision": "rev",
    "owner": "owner_id",
    "record_type": "record_type",
    "created_at": "created_at",
    "created_by": "created_by",
    "updated_at": "updated_at",
    "updated_by": "updated_by",
}
_SYSTEM_SHAPES: tuple[tuple[str, Shape], ...] = (
    ("id", Shape("reference")),
    ("rev", Shape("integer")),
    ("owner_id", Shape("reference")),
    ("owner_kind", Shape("text")),
    ("record_type", Shape("text")),
    ("created_at", Shape("datetime")),
    ("created_by", Shape("reference")),
    ("updated_at", Shape("datetime")),
    ("updated_by", Shape("reference")),
    ("deleted_at", Shape("datetime")),
)
_NOT_NULL = frozenset({"rev", "created_at", "updated_at"})


def needs_sort_key(object: ObjectDef, field: FieldDef) -> bool:
    """Whether a field has a sort key column: text that is sortable, or the object's name."""
    return (
        field.is_stored and field.type in TEXT_TYPES and (field.sortable or field.name == object.name_field)
    )


def needs_fold(object: ObjectDef, field: FieldDef) -> bool:
    """Whether a field has a folded form: text in a unique rule that ignores case."""
    if field.type not in TEXT_TYPES or not field.is_stored:
        return False
    return any(rule.ignore_case and field.name in rule.fields for rule in object.unique_rules)


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of ``physical``: a table, a column or an index."""

    n: int
    kind: str
    uid: str
    object_n: int
    storage: Mapping[str, Any]
    state: State
    dropped_at: datetime | None = None

    @property
    def shape(self) -> Shape:
        """A field's shape."""
        return Shape.from_json(self.storage)

    @property
    def side(self) -> Side:
        """Which of the object's two tables a field stands in."""
        return "side" if self.storage.get("side") else "main"

    @property
    def is_computed(self) -> bool:
        """Whether a formula gives a field's values: people's own values never stand in such a column."""
        return "formula" in self.storage

    @property
    def is_filling(self) -> bool:
        """Whether a job is still filling a stored formula's column."""
        return self.storage.get("fill") == "building"

    @property
    def sort(self) -> str | None:
        """State of a field's sort key: None, "building" or "live"."""
        return self.storage.get("sort")

    @property
    def fold(self) -> str | None:
        """State of a field's folded form: None, "building" or "live"."""
        return self.storage.get("fold")

    @property
    def column(self) -> str:
        return f"f{self.n}"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of a field's entry."""
        extra = [f"{letter}{self.n}" for letter, has in (("s", self.sort), ("u", self.fold)) if has]
        return (f"f{self.n}", *extra)


class Physical:
    """What ``physical`` says, at one moment of one store. Immutable; made by ``Physical.read``."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self.entries: tuple[Entry, ...] = tuple(sorted(entries, key=lambda entry: entry.n))
        self._of_number = {entry.n: entry for entry in self.entries}
        self._of_uid: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        self._of_object: dict[int, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            self._of_uid[entry.kind, entry.uid].append(entry)
            if entry.kind != "object":
                self._of_object[entry.object_n].append(entry)

    @classmethod
    def read(cls, reader: Reader) -> Physical:
        """The present state, by one statement."""
        rows = reader.execute(sa.select(physical)).all()
        return cls(Entry(*tuple(row)) for row in rows)

    def changed(self, entries: Iterable[Entry]) -> Physical:
        """With some entries new or in place of their former state."""
        merged = self._of_number | {entry.n: entry for entry in entries}
        return Physical(merged.values())

    @property
    def next_number(self) -> int:
        return self.entries[-1].n + 1 if self.entries else 1

    def number(self, n: int) -> Entry:
        """The entry of a number, whatever its state: how the journal's field numbers are read."""
        return self._of_number[n]

    def index(self, name: str) -> Entry | None:
        """The index of a physical name ("i7"), as UniqueViolation gives it; its uid says whose it is."""
        n = name[1:]
        entry = self._of_number.get(int(n)) if name[:1] == "i" and n.isdigit() else None
        return entry if entry is not None and entry.kind == "index" else None

    def find(self, kind: str, uid: str, *states: State) -> Entry | None:
        """The newest entry of a uid in one of the states (default: live)."""
        wanted = states or ("live",)
        found = [entry for entry in self._of_uid.get((kind, uid), ()) if entry.state in wanted]
        return found[-1] if found else None

    def history(self, kind: str, uid: str) -> Sequence[Entry]:
        """Every entry that a uid ever had, oldest first."""
        return tuple(self._of_uid.get((kind, uid), ()))

    def object(self, uid: str) -> Entry | None:
        """The table of an object; a dropped one too while it has its data."""
        return self.find("object", uid, "live", "dropped")

    def of_object(self, n: int, kind: str = "field") -> Sequence[Entry]:
        """All entries of a kind of the object with number ``n``."""
        return tuple(entry for entry in self._of_object.get(n, ()) if entry.kind == kind)

    def field(self, field: FieldDef) -> Entry | None:
        """The column that holds ``field`` as it is defined: of its shape, the one in use first."""
        shape, computed = shape_of(field), field.computed is not None
        found = [
            entry
            for entry in self._of_uid.get(("field", field.uid), ())
            if entry.shape == shape and entry.is_computed == computed
            if entry.state in ("live", "dropped", "retired")
        ]
        return max(found, key=lambda entry: (entry.state == "live", entry.n), default=None)


@dataclass(frozen=True)
class RecordTable:
    """Where an object's records stand. ``side`` is None while no field needs the second table.

    A row of ``side`` has the ``id`` of its row in ``main`` and exists only while one of its fields is filled.
    """

    object: ObjectDef
    number: int
    dialect: Dialect
    main: sa.Table
    side: sa.Table | None
    entries: Mapping[str, Entry]  # own fields that have a column, by name
    digest: str
    codecs: Mapping[str, Codec] = field(repr=False)  # every field, virtual ones and "owner_kind" too

    @property
    def id(self) -> sa.Column[Any]:
        return self.main.c.id

    @property
    def deleted_at(self) -> sa.Column[Any]:
        return self.main.c.deleted_at

    @property
    def owner_kind(self) -> sa.Column[Any]:
        return self.main.c.owner_kind

    def column(self, field_name: str) -> sa.Column[Any]:
        """The column of a field, own or system. KeyError for a name that the object has not."""
        system = SYSTEM_COLUMNS.get(field_name)
        if system is not None and field_name not in self.entries:
            return self.main.c[system]
        entry = self.entries[field_name]
        return self._table(entry).c[entry.column]

    def codec(self, field_name: str) -> Codec:
        """The conversions of a field's values."""
        return self.codecs[field_name]

    def is_filling(self, field_name: str) -> bool:
        """Whether the column of a stored formula is being filled: till then its value is worked out."""
        entry = self.entries.get(field_name)
        return entry is not None and entry.is_filling

    def is_side(self, field_name: str) -> bool:
        """Whether a field stands in the second table."""
        entry = self.entries.get(field_name)
        return entry is not None and entry.side == "side"

    def sort_column(self, field_name: str) -> sa.Column[Any] | None:
        """What a list orders by: a text's sort key, any other field's own column. None: not sortable.

        Raises Unavailable while the sort key is being filled.
        """
        entry = self.entries.get(field_name)
        if entry is None:
            return self.column(field_name)
        if TYPES[self.object.fields[field_name].type].sorts == "no":
            return None
        if self.object.fields[field_name].type not in TEXT_TYPES:
            return self._table(entry).c[entry.column]
        if entry.sort is None:
            return None
        if entry.sort != "live":
            raise Unavailable.of("storage.sort_key_building", field=field_name, object=self.object.name)
        return self._table(entry).c[f"s{entry.n}"]

    def sort_key_column(self, field_name: str) -> sa.Column[Any] | None:
        """The sort key column that the write path fills, being built or not; None where there is none."""
        entry = self.entries.get(field_name)
        return self._table(entry).c[f"s{entry.n}"] if entry is not None and entry.sort else None

    def fold_column(self, field_name: str) -> sa.Column[Any] | None:
        """The folded form that the write path fills, being built or not; None where there is none."""
        entry = self.entries.get(field_name)
        return self._table(entry).c[f"u{entry.n}"] if entry is not None and entry.fold else None

    def fields_in(self, side: Side) -> tuple[FieldDef, ...]:
        """Own fields that stand in one of the two tables, in the admin's order."""
        return tuple(each for each in self.object.stored_fields if self.entries[each.name].side == side)

    def field_number(self, field_name: str) -> int:
        """The number by which the journal names an own field."""
        return self.entries[field_name].n

    @cached_property
    def joined(self) -> sa.FromClause:
        """Both tables, left join; the main one alone while there is no second."""
        if self.side is None:
            return self.main
        return self.main.outerjoin(self.side, self.main.c.id == self.side.c.id)

    def _table(self, entry: Entry) -> sa.Table:
        if entry.side == "main":
            return self.main
        assert self.side is not None
        return self.side


class Tables:
    """The record tables of one model on one store. Cheap to make; each table is made when first asked for."""

    def __init__(self, physical: Physical, dialect: Dialect) -> None:
        self.physical = physical
        self.dialect = dialect
        self._made: dict[tuple[str, str], RecordTable] = {}
        self._lock = threading.Lock()

    def of(self, object: ObjectDef) -> RecordTable:
        """The table of an object. NotFound where this store has none that fits it."""
        key = (object.uid, object.digest)
        made = self._made.get(key)
        if made is None:
            with self._lock:
                made = self._made.get(key)
                if made is None:
                    made = self._made[key] = record_table(object, self.physical, self.dialect)
        return made

    def take_over(self, earlier: Tables) -> None:
        """Keep what an earlier release's tables have made of objects whose columns are the same still."""
        before, now = earlier.physical, self.physical
        for (uid, digest), made in list(earlier._made.items()):
            n = made.number
            if now.object(uid) == before.object(uid) and now.of_object(n) == before.of_object(n):
                self._made.setdefault((uid, digest), made)


def record_table(object: ObjectDef, physical: Physical, dialect: Dialect) -> RecordTable:
    """Make the RecordTable of an object: see ``Tables.of``."""
    own = physical.object(object.uid)
    if own is None:
        raise NotFound.of("storage.no_table", object=object.name)
    entries: dict[str, Entry] = {}
    for each in object.stored_fields:
        entry = physical.field(each)
        if entry is None:
            raise NotFound.of("storage.no_column", object=object.name, field=each.name)
        entries[each.name] = entry
    metadata = sa.MetaData()
    used = entries.values()
    main = main_table(own.n, [entry for entry in used if entry.side == "main"], dialect, metadata)
    in_side = [entry for entry in used if entry.side == "side"]
    side = side_table(own.n, in_side, dialect, metadata) if in_side else None
    codecs = {
        name: for_field(object.fields[name], codec(entry.shape, dialect)) for name, entry in entries.items()
    }
    for each in object.own_fields:
        if not each.is_stored:
            codecs[each.name] = codec_of(each, dialect)
    shapes = dict(_SYSTEM_SHAPES)
    for name, column in SYSTEM_COLUMNS.items():
        codecs.setdefault(name, codec(shapes[column], dialect))
    for name in ("owner_kind", "deleted_at"):
        codecs.setdefault(name, codec(shapes[name], dialect))
    facts = [own.n, dialect, [[name, entry.n, dict(entry.storage)] for name, entry in entries.items()]]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return RecordTable(object, own.n, dialect, main, side, entries, digest, codecs)


def main_table(n: int, entries: Iterable[Entry], dialect: Dialect, metadata: sa.MetaData) -> sa.Table:
    """``o<n>`` with the system columns and those of ``entries``."""
    system = [
        sa.Column(
            name,
            column_type(shape, dialect),
            primary_key=name == "id",
            nullable=not (name == "id" or name in _NOT_NULL),
            autoincrement=False,
        )
        for name, shape in _SYSTEM_SHAPES
    ]
    info = {"dialect": dialect}
    return sa.Table(f"o{n}", metadata, *system, *_columns(entries, dialect), info=info)


def side_table(n: int, entries: Iterable[Entry], dialect: Dialect, metadata: sa.MetaData) -> sa.Table:
    """``o<n>x``: the same key, and the columns of ``entries``."""
    key = sa.Column("id", column_type(Shape("reference"), dialect), primary_key=True, autoincrement=False)
    return sa.Table(f"o{n}x", metadata, key, *_columns(entries, dialect), info={"dialect": dialect})


def _columns(entries: Iterable[Entry], dialect: Dialect) -> Iterable[sa.Column[Any]]:
    for entry in entries:
        for name in entry.columns:
            shape = entry.shape if name == entry.column else Shape("text")
            yield sa.Column(name, column_type(shape, dialect), nullable=True)
