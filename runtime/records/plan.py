"""What the pipeline makes of one object, once: its statements, its converters between typed and stored rows.

An ``ObjectPlan`` is a piece (decision 0010): it hangs on the object's and the table's digest only, never
on who
asks. Update statements exist per set of columns and are made when that set is first written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from tabwright.metadata.dependencies import in_order
from tabwright.metadata.model import FieldDef, ObjectDef, UniqueRuleDef
from tabwright.platform.database import Prepared, Store, Writer, prepare
from tabwright.platform.tables import in_ids, uuid_of
from tabwright.runtime.records.arrays import Values
from tabwright.runtime.sort_keys import folded, sort_key
from tabwright.runtime.storage.columns import Codec, Shape, codec, shape_of
from tabwright.runtime.storage.indexes import unique_key
from tabwright.runtime.storage.tables import SYSTEM_COLUMNS, RecordTable

if TYPE_CHECKING:
    from tabwright.runtime.records.batch import Row

_ID = Shape("reference")
_TEXT = Shape("text")
_INTEGER = Shape("integer")
_MOMENT = Shape("datetime")

# What every row of a plan holds beside its own fields, by the names that ``Row.old`` and ``Row.new`` use.
SYSTEM = (
    "id", "revision", "owner", "owner_kind", "record_type", "created_at", "created_by", "updated_at",
    "updated_by",
    "deleted_at",
)  # fmt: skip
_SYSTEM_SHAPES = {
    "id": _ID, "revision": _INTEGER, "owner": _ID, "owner_kind": _TEXT, "record_type": _TEXT, "created_at":
    _MOMENT,
    "created_by": _ID, "updated_at": _MOMENT, "updated_by": _ID, "deleted_at": _MOMENT,
}  # fmt: skip


# People and moments of system columns repeat from row to row: each is converted once and remembered.
_REPEATING = ("owner", "created_by", "updated_by", "created_at", "updated_at")


def _remembering(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    last: tuple[Any, Any] = (None, None)

    def remembered(value: Any) -> Any:
        nonlocal last
        known, made = last
        if value is not known:
            made = convert(value)
            last = (value, made)
        return made

    return remembered


class Packer:
    """Typed values of some columns to the tuple that a statement takes."""

    def __init__(self, columns: Sequence[tuple[str, str, Callable[[Any], Any] | None]]) -> None:
        """``columns``: (value's name, column's name, conversion or None)."""
        names = [name for name, _, _ in columns]
        self.columns = [column for _, column, _ in columns]
        self._pick: Callable[[Any], tuple[Any, ...]] = (
            itemgetter(*names) if len(names) > 1 else lambda values: (values[names[0]],)
        )
        self._convert = [(at, convert) for at, (_, _, convert) in enumerate(columns) if convert is not None]

    def __call__(self, values: dict[str, Any]) -> Sequence[Any]:
        if not self._convert:
            return self._pick(values)
        packed = list(self._pick(values))
        for at, convert in self._convert:
            value = packed[at]
            if value is not None:
                packed[at] = convert(value)
        return packed


class ObjectPlan:
    """The compiled writes of one object on one store."""

    def __init__(self, store: Store, object: ObjectDef, table: RecordTable) -> None:
        self.store = store
        self.object = object
        self.table = table
        self.own = tuple(field.name for field in object.stored_fields)
        self.side_fields = tuple(name for name in self.own if table.is_side(name))
        self.blank: dict[str, Any] = dict.fromkeys((*SYSTEM, *self.own))
        self._codecs: dict[str, Codec] = {name: table.codec(name) for name in self.own}
        self._codecs |= {name: codec(shape, table.dialect) for name, shape in _SYSTEM_SHAPES.items()}
        self._names = (*SYSTEM, *self.own)
        loads = {name: self._codecs[name].load for name in self._names if name != "revision"}
        for name in _REPEATING:
            plain = loads[name]
            if plain is not None:
                loads[name] = lru_cache(maxsize=256)(plain)
        self._loads = [(name, load) for name, load in loads.items() if load is not None]
        self.auto_numbers = tuple(
            field for field in object.stored_fields if field.type == "auto_number" and field.number_pattern
        )
        self.references = tuple(
            field for field in object.fields.values() if field.is_reference and field.computed is None
        )
        self.computed = in_order(object, [each.name for each in object.stored_fields if each.computed])
        self.booleans = tuple(field.name for field in object.stored_fields if field.type == "boolean")
        self.inactive_codes = {
            field.name: frozenset(value.code for value in field.picklist.values if not value.active)
            for field in object.stored_fields
            if field.picklist is not None and not all(value.active for value in field.picklist.values)
        }
        self._updates: dict[tuple[tuple[str, ...], bool], Update] = {}
        self._loaders: dict[tuple[bool, bool], Prepared] = {}
        self._inserts: tuple[Prepared, Packer, Prepared | None, Packer | None] | None = None
        self._side: SideWrite | None = None
        self._uniques: tuple[Unique, ...] | None = None

    # ---- reading old rows --------------------------------------------------------------------------------

    def column(self, name: str) -> sa.ColumnElement[Any]:
        """The column of a name in a row: a field's, or ``owner_kind``, ``deleted_at``."""
        if name in SYSTEM:
            return self.table.main.c[SYSTEM_COLUMNS.get(name, name)]
        return self.table.column(name)

    def load_statement(self, deleting: bool, one: bool = False) -> Prepared:
        """Rows of the ids given as ``ids`` (``ids_value``), locked in id order, deleted ones too.

        ``one``: the row of the id given as ``id``. PostgreSQL plans a statement over an array anew at each
        call, which takes longer than to find one row.

        On PostgreSQL the lock of a row that is ``deleting`` waits for those who have just named it in a
        lookup
        (``checks`` locks what it names, FOR KEY SHARE), and they for it; a change of other kind does not.
        """
        made = self._loaders.get((deleting, one))
        if made is None:
            chosen = sa.select(*(self.column(name) for name in self._names)).select_from(self.table.joined)
            if one:
                chosen = chosen.where(self.table.id == sa.bindparam("id", type_=self.table.id.type))
            else:
                chosen = chosen.where(in_ids(self.store.dialect, self.table.id)).order_by(self.table.id)
            locked = chosen.with_for_update(of=self.table.main, key_share=not deleting)
            made = self._loaders[deleting, one] = prepare(self.store, locked)
        return made

    def typed(self, stored: Sequence[Any]) -> dict[str, Any]:
        """A row of ``load_statement`` as typed values by name."""
        values = dict(zip(self._names, stored, strict=True))
        for name, load in self._loads:
            value = values[name]
            if value is not None:
                values[name] = load(value)
        return values

    def journal_form(self, name: str, value: Any) -> Any:
        """A typed value as the journal keeps it."""
        each = self._codecs[name]
        return each.to_journal(each.to_storage(value))

    def from_journal(self, name: str, value: Any) -> Any:
        """A value of the journal as typed."""
        return self._codecs[name].from_journal(value)

    def journal_key(self, name: str) -> int | str:
        """How the journal names a field: an own one by number, a system one by name."""
        return name if name in SYSTEM else self.table.field_number(name)

    # ---- writing -----------------------------------------------------------------------------------------

    def _columns_of(self, name: str) -> list[tuple[str, str, Callable[[Any], Any] | None]]:
        if name in SYSTEM:
            store = self._codecs[name].store
            repeats = store is not None and name in _REPEATING
            return [
                (name, SYSTEM_COLUMNS.get(name, name), _remembering(store) if repeats and store else store)
            ]
        found = [(name, self.table.column(name).name, self._codecs[name].store)]
        key = self.table.sort_key_column(name)
        if key is not None:
            found.append((name, key.name, sort_key))
        fold = self.table.fold_column(name)
        if fold is not None:
            found.append((name, fold.name, folded))
        return found

    @property
    def inserts(self) -> tuple[Prepared, Packer, Prepared | None, Packer | None]:
        """INSERT into the main table with its packer, and into the second one where there is one."""
        if self._inserts is None:
            main_names = [*SYSTEM, *(name for name in self.own if not self.table.is_side(name))]
            main, main_packer = self._insert(self.table.main, main_names)
            if self.table.side is None:
                self._inserts = (main, main_packer, None, None)
            else:
                side, side_packer = self._insert(self.table.side, ["id", *self.side_fields])
                self._inserts = (main, main_packer, side, side_packer)
        return self._inserts

    def _insert(self, table: sa.Table, names: Iterable[str]) -> tuple[Prepared, Packer]:
        columns = [column for name in names for column in self._columns_of(name)]
        binds = {column: sa.bindparam(column, type_=table.c[column].type) for _, column, _ in columns}
        statement = prepare(self.store, sa.insert(table).values(binds))
        by_column = {column: each for each in columns for column in (each[1],)}
        return statement, Packer([by_column[column] for column in statement.names])

    def update(self, names: tuple[str, ...]) -> Update:
        """UPDATE of the main table's columns of ``names``; revision and updated_* are always among them."""
        key = (names, True)
        made = self._updates.get(key)
        if made is None:
            made = self._updates[key] = Update(self, names)
        return made

    @property
    def side_write(self) -> SideWrite:
        """Write of whole rows of the second table, there before or not."""
        if self._side is None:
            self._side = SideWrite(self)
        return self._side

    # ---- unique rules ----------------------------------------------------------------------------

    @property
    def uniques(self) -> tuple[Unique, ...]:
        if self._uniques is None:
            self._uniques = tuple(Unique(self, rule) for rule in self.object.unique_rules)
        return self._uniques

    def key_of(
        self, field: FieldDef, ignore_case: bool
    ) -> tuple[sa.ColumnElement[Any], Callable[[Any], Any], Shape]:
        """Where a field's comparable form stands, how it is made from a typed value, and its shape."""
        fold = self.table.fold_column(field.name) if ignore_case else None
        if fold is not None:
            return fold, folded, _TEXT
        column = self.column(field.name)
        each = self._codecs[field.name]
        return column, each.to_storage, shape_of(field)


class Update:
    """``UPDATE ... WHERE id = ... AND rev = ... RETURNING id``: one statement for any number of rows.

    Many rows join a table of values. One row names its values, which PostgreSQL need not plan anew.
    """

    def __init__(self, plan: ObjectPlan, names: tuple[str, ...]) -> None:
        table = plan.table.main
        columns = [column for name in ("revision", *names) for column in plan._columns_of(name)]
        shapes = [_shape_of_column(plan, name, column) for name, column, _ in columns]
        self._values = Values(
            plan.store.dialect,
            [
                ("id", _ID),
                ("was", _INTEGER),
                *((column, shape) for (_, column, _), shape in zip(columns, shapes, strict=True)),
            ],
        )
        self._packer = Packer([("id", "id", plan._codecs["id"].store), *columns])
        given = self._values.c
        statement = (
            sa.update(table)
            .values({table.c[column]: given[column] for _, column, _ in columns})
            .where(table.c.id == given["id"], table.c.rev == given["was"])
            .returning(table.c.id)
        )
        self._many = prepare(plan.store, statement)
        # Its parameters are not called like columns: those names are taken in an UPDATE.
        named = {column: sa.bindparam(f"v_{column}", type_=table.c[column].type) for _, column, _ in columns}
        same = sa.bindparam("v_id", type_=table.c.id.type), sa.bindparam("v_was", type_=table.c.rev.type)
        one = (
            sa.update(table)
            .values(named)
            .where(table.c.id == same[0], table.c.rev == same[1])
            .returning(table.c.id)
        )
        self._one = prepare(plan.store, one)
        self._names = ("v_id", "v_was", *(f"v_{column}" for _, column, _ in columns))

    def run(self, writer: Writer, rows: Sequence[Row]) -> set[UUID]:
        """Write the new values; the ids of the rows that still had the revision that was read."""
        packed = []
        for row in rows:
            assert row.old is not None and row.new is not None
            values = self._packer(row.new)
            packed.append((values[0], row.old["revision"], *values[1:]))
        if len(packed) == 1:
            done = writer.rows(self._one, dict(zip(self._names, packed[0], strict=True)))
        else:
            done = writer.rows(self._many, self._values.parameters(packed))
        return {uuid_of(id) for (id,) in done}


class SideWrite:
    """``INSERT ... SELECT FROM values ON CONFLICT DO UPDATE`` of the second table, all its columns."""

    def __init__(self, plan: ObjectPlan) -> None:
        table = plan.table.side
        assert table is not None
        columns = [column for name in plan.side_fields for column in plan._columns_of(name)]
        shapes = [_shape_of_column(plan, name, column) for name, column, _ in columns]
        self._packer = Packer([("id", "id", plan._codecs["id"].store), *columns])
        self._values = Values(
            plan.store.dialect,
            [("id", _ID), *((column, shape) for (_, column, _), shape in zip(columns, shapes, strict=True))],
        )
        chosen = sa.select(*self._values.c.values()).where(
            sa.true()
        )  # SQLite reads ON as a join's without WHERE
        names = ["id", *(column for _, column, _ in columns)]
        insert = postgresql.insert if plan.store.dialect == "postgresql" else sqlite.insert
        added = insert(table).from_select(names, chosen)
        statement = added.on_conflict_do_update(
            index_elements=["id"], set_={column: added.excluded[column] for column in names[1:]}
        )
        self.statement = prepare(plan.store, statement)
        emptied = sa.delete(table).where(in_ids(plan.store.dialect, table.c.id))
        self.delete = prepare(plan.store, emptied)

    def parameters(self, rows: Sequence[Row]) -> dict[str, Any]:
        return self._values.parameters([self._packer(row.new or {}) for row in rows])


def _shape_of_column(plan: ObjectPlan, name: str, column: str) -> Shape:
    if name in SYSTEM:
        return _SYSTEM_SHAPES[name]
    entry = plan.table.entries[name]
    return entry.shape if column == entry.column else _TEXT


class Unique:
    """One unique rule: its keys, and the look-up of those that stand already."""

    def __init__(self, plan: ObjectPlan, rule: UniqueRuleDef) -> None:
        self.rule = rule
        self.fields = rule.fields
        found = [plan.key_of(plan.object.fields[name], rule.ignore_case) for name in rule.fields]
        self._forms = [form for _, form, _ in found]
        self._values = Values(
            plan.store.dialect, [(f"k{at}", shape) for at, (_, _, shape) in enumerate(found)], "k"
        )
        key = unique_key(plan.table, rule)
        same = [same_term(term, self._values.c[f"k{at}"]) for at, term in enumerate(key.terms)]
        statement = (
            sa.select(
                plan.table.id,
                plan.table.column("owner"),
                plan.table.column(plan.object.name_field).label("called"),
                *(column for column, _, _ in found),
            )
            .select_from(plan.table.joined.join(self._values.source, sa.and_(*same)))
            .where(key.where)
        )
        self.statement = prepare(plan.store, statement)

    def key(self, values: dict[str, Any]) -> tuple[Any, ...] | None:
        """The comparable key of a record, or None when all of it is blank (or what the rule needs): such
        records never clash.
        """
        if self.rule.needs is not None and values[self.rule.needs] is None:
            return None
        found = tuple(
            [
                None if (value := values[name]) is None else form(value)
                for name, form in zip(self.fields, self._forms, strict=True)
            ]
        )
        return None if found.count(None) == len(found) else found

    def parameters(self, keys: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
        return self._values.parameters(list(keys))


def same_term(term: sa.ColumnElement[Any], given: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """A term of a unique index equals a given value, blanks replaced on both sides as the index replaces
    them.
    """
    if isinstance(term, sa.Function) and term.name == "coalesce":
        column, blank = term.clauses.clauses
        given = sa.cast(given, sa.Integer) if isinstance(column, sa.Cast) else given
        return term == sa.func.coalesce(given, blank)
    return term == given
