"""The tables of one statement: an object's own, and those that lookup paths join to it.

One LEFT JOIN per distinct prefix of paths. A joined record that the principal may not read shows nothing but
its name: every other column of it is guarded by that object's record rule, so it reads as blank, also where a
filter, an order or a group names it.

A virtual formula field is a column like any other, worked out in the statement. What its formula reads is
read in system mode: whoever may read the field sees its value. A mirror is read as the path that it stands
for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tabwright.formula.aggregates import Failed, Relation
from tabwright.formula.compiler import Formula, SqlValue
from tabwright.formula.datatypes import EMPTY_IS_BLANK, Type
from tabwright.formula.faults import FormulaError
from tabwright.formula.scope import Path
from tabwright.formula.typed import vanishes
from tabwright.metadata import limits
from tabwright.metadata.fieldtypes import TEXT_TYPES, TYPES
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import Invalid, Place
from tabwright.platform.tables import Uuid
from tabwright.runtime.access.gate import Gate, ResolvedPath
from tabwright.runtime.access.rights import NAMED_BY_ALL, named_by_all
from tabwright.runtime.query.children import Related
from tabwright.runtime.query.ranks import codes, rank, rank_codec
from tabwright.runtime.query.sizing import Plan
from tabwright.runtime.storage.columns import Codec, Shape, codec, column_type, shape_of
from tabwright.runtime.storage.links import id_in, kind_in, part_in
from tabwright.runtime.storage.tables import RecordTable, Tables

Prefix = tuple[str, ...]
Column = sa.ColumnElement[Any]

MAX_JOINS = 10
MAX_FORMULA_JOINS = limits.formula_joins  # with those of formulas: SQLite joins 64 tables at most
NEVER_NULL = frozenset(("id", "created_at", "updated_at", "revision"))


@dataclass(slots=True)
class _Node:
    object: ObjectDef
    table: RecordTable
    main: sa.FromClause
    side: sa.FromClause | None
    guard: Column | None  # None: every record of it may be read
    twin: _Node | None = None  # of an owner: the same id looked up among the queues
    hops: tuple[FieldDef, ...] = ()  # the lookups that lead to it
    parent: _Node | None = None


class _Inside:
    """What a formula field's formula reads, from the record of a node on, past every right."""

    def __init__(self, source: Source, node: _Node) -> None:
        self._source = source
        self._node = node

    def column_of(self, path: Path) -> Column:
        if path[0] == "$user":
            return self._source.of_person(path)[0]
        return self._source.open_column(self._node, path)

    def children(self, relation: Relation) -> Related:
        return Related(self._source, relation, _Beside, Gate.system(self._source.gate.model))


class _Beside:
    """What it asks of children, of one of them."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def column_of(self, path: Path) -> Column:
        return self._source.of_person(path)[0] if path[0] == "$user" else self._source.unseen(path)

    def children(self, relation: Relation) -> Related:
        return Related(self._source, relation, _Beside)


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that an evaluator is given: how many columns of a row it is made of (a value; a total of
    children and whether it failed), and how. Of ``person`` it needs none.
    """

    width: int
    load: Callable[[Any], Any] | None = None
    person: str = ""


_WAYS = {"picklist": "text", "choices": "text"}


def shape_of_value(kind: Type) -> Shape:
    """How a value of a type of formulas stands in a column."""
    if kind.kind == "number":
        return Shape("number", kind.scale or 0)
    return Shape(_WAYS.get(kind.kind, kind.kind))


def decoder(value: SqlValue, dialect: Any) -> Callable[[Any], Any]:
    """From what the database gives for a formula to its value."""
    if value.type.kind == "number":
        return value.decode
    return codec(shape_of_value(value.type), dialect).from_storage


def values_of(inputs: Sequence[Input], given: Sequence[Any], person: Mapping[str, Any]) -> list[Any]:
    """What an evaluator is given, made of the columns of a row."""
    values: list[Any] = []
    at = 0
    for each in inputs:
        if each.load is None:
            values.append(person.get(each.person))
        elif each.width == 2 and given[at + 1]:
            values.append(Failed())
        else:
            values.append(each.load(given[at]))
        at += each.width
    return values


_PERSON: Mapping[str, sa.types.TypeEngine[Any]] = {
    "id": Uuid(), "name": sa.Text(), "language": sa.Text(), "zone": sa.Text(),
}  # fmt: skip


USER = "$user"


def is_of_request(path: Path) -> bool:
    """Whether a name that begins with $ is known of each request, without looking at the person's record."""
    return path[0] != USER or len(path) == 1 or (len(path) == 2 and path[1] in _PERSON)


class Source:
    """Collects the joins of one statement while its columns are asked for."""

    def __init__(
        self, gate: Gate, tables: Tables, object: ObjectDef, prefix: str = "", plan: Plan = "scan"
    ) -> None:
        """``plan``: how the records that may be read are found, never which they are."""
        self._gate = self.gate = gate
        self._tables = tables
        self._beside: dict[str, tuple[ObjectDef, RecordTable]] = {}
        self._inner: list[Source] = []
        self._count = 0
        self._asked = 0  # joins of paths that people named
        self._prefix = prefix  # of its names, in a statement with another one around it
        self._joins: list[tuple[sa.FromClause, Column]] = []
        self._nodes: dict[Prefix, _Node] = {}
        self._opened: dict[tuple[int, str], _Node] = {}  # those that formulas join, by parent and lookup
        self._values: dict[tuple[int, str], Column] = {}  # of virtual fields, by node and name
        self._filled: set[tuple[int, str]] = set()  # those of them that are never blank
        self._root = self._nodes[()] = self._node(object)
        rule = self._rule(self._root, plan)
        alive = self._root.main.c.deleted_at.is_(None)
        self.visible: Column = alive if rule is None else sa.and_(alive, rule)

    @property
    def object(self) -> ObjectDef:
        return self._root.object

    @property
    def dialect(self) -> str:
        return self._tables.dialect

    @property
    def id(self) -> Column:
        return self._root.main.c.id

    def tables_used(self) -> Iterator[tuple[ObjectDef, str]]:
        """Each object that takes part, with the digest of its table."""
        for node in {id(each): each for each in (*self._nodes.values(), *self._opened.values())}.values():
            for each in (node, node.twin):
                if each is not None:
                    yield each.object, each.table.digest

        for object, table in self._beside.values():
            yield object, table.digest
        for source in self._inner:
            yield from source.tables_used()

    def beside(self, object: ObjectDef) -> RecordTable:
        """The table of an object that a condition looks into without joining it."""
        return self._beside.setdefault(object.name, (object, self._tables.of(object)))[1]

    def inner(self, object: ObjectDef, gate: Gate | None = None) -> Source:
        """Records of an object in a sub-query of this statement; ``gate``: another one than its own."""
        made = Source(gate or self._gate, self._tables, object, f"{self._prefix}c{self._next()}_")
        self._inner.append(made)
        return made

    def select(self, *columns: Column) -> sa.Select[Any]:
        """These columns of the records that may be read."""
        return sa.select(*columns).select_from(self._start).where(self.visible)

    def select_inside(self, *columns: Column) -> sa.Select[Any]:
        """The same as a sub-query: all other tables that it names are those of the statement around it."""
        start = self._start
        return sa.select(*columns).select_from(start).where(self.visible).correlate_except(start)

    @property
    def _start(self) -> sa.FromClause:
        start: sa.FromClause = self._root.main
        for joined, on in self._joins:
            start = start.outerjoin(joined, on)
        return start

    # ---- columns -----------------------------------------------------------------------------------

    def column(self, path: ResolvedPath) -> Column:
        """The value of a path, in storage form."""
        if path.is_called:
            node = self._walk(path.hops[:-1])
            return self._guarded(node, self._called(node, path.hops[-1]))
        node = self._walk(path.hops)
        found = self._plain(node, path.field.name)
        if path.is_name:
            return self._with_twin(node, found, path.field.name)
        return self._guarded(node, found)

    def own(self, name: str) -> Column:
        """A field of the object itself, in storage form."""
        return self._plain(self._root, name)

    def codec(self, path: ResolvedPath) -> Codec:
        """The conversions of ``column``'s values."""
        if path.is_called:
            return codec(Shape("text"), self._tables.dialect)
        return self._conversions(path.object, path.field)

    def _conversions(self, object: ObjectDef, field: FieldDef) -> Codec:
        if field.type == "record_type":
            return codec(Shape("text"), self._tables.dialect)
        if "." in field.name:  # a link narrowed to one kind, a part of an address
            way = "reference" if field.is_reference else "text"
            return codec(Shape(way), self._tables.dialect)
        return self._tables.of(object).codec(field.name)

    def sort(self, path: ResolvedPath) -> tuple[Column, Codec, bool]:
        """What a list orders by, its conversions, and whether it can be NULL.

        A text orders by its sort key, a reference by the name of what it names, a picklist by the places of
        its values. Raises Invalid
        ``query.not_sortable`` for a text without sort key.
        """
        field = path.field
        if field.computed is not None and field.computed.path is not None:
            return self.sort(self._mirrored(path.hops, path.object, field))
        if field.mask is not None and not self._gate.has("unmask"):
            raise self._not_sortable(path)  # an order tells what the mask hides
        if field.kinds or path.is_called or ("." in field.name and not field.is_reference):
            raise self._not_sortable(path)
        if field.is_reference:
            target = self._gate.model.objects.get(field.target or "user")
            if target is None or not self._gate.name_shown(target):
                raise self._not_sortable(path)
            names = ResolvedPath(path.text, (*path.hops, field), target, target.fields[target.name_field])
            return self._sort_key(names)
        if field.type == "record_type":
            return self.column(path), self.codec(path), True
        found = codes(field)
        if found:
            key = rank(found, self.column(path), self.dialect)
            return key, rank_codec(found, self.dialect), True
        return self._sort_key(path)

    def _sort_key(self, path: ResolvedPath) -> tuple[Column, Codec, bool]:
        node = self._walk(path.hops)
        if self._is_virtual(node, path.field):
            if TYPES[path.field.type].sorts == "no":
                raise self._not_sortable(path)
            value = self.column(path)
            return value, self.codec(path), (id(node), path.field.name) not in self._filled
        column = node.table.sort_column(path.field.name)
        if column is None:
            raise self._not_sortable(path)
        own = node.table.column(path.field.name)
        found = self._of(node, column)
        if path.is_name:
            twin = self._twin(node)
            if twin is not None:
                key = twin.table.sort_column(twin.object.name_field)
                if key is not None:
                    found = sa.func.coalesce(found, self._of(twin, key))
        else:
            found = self._guarded(node, found)
        is_key = column.name != own.name
        conversions = codec(Shape("text"), self._tables.dialect) if is_key else self.codec(path)
        return found, conversions, bool(path.hops) or path.field.name not in NEVER_NULL

    def _not_sortable(self, path: ResolvedPath) -> Invalid:
        return Invalid.of(
            "query.not_sortable", Place(object=self.object.name, field=path.text), path=path.text
        )

    def _called(self, node: _Node, field: FieldDef) -> Column:
        """The name of what a link names: one look-up a row, in the table of its kind."""
        link = self._of(node, node.table.column(field.name))
        names: list[tuple[Column, Column]] = []
        for uid, name in field.kinds.items():
            target = self._gate.model.objects.get(name)
            if target is None or not self._gate.name_shown(target) or not self._gate.may(target, "read"):
                continue
            table = self.beside(target)
            named = sa.select(table.column(target.name_field)).select_from(table.joined)
            named = named.where(table.id == id_in(link, (uid,), self.dialect))
            if not named_by_all(target):
                named = named.where(table.deleted_at.is_(None))
            names.append((kind_in(link) == uid, named.scalar_subquery()))
        return sa.case(*names) if names else sa.null()

    # ---- virtual fields ----------------------------------------------------------------------------

    @property
    def works_out(self) -> bool:
        """Whether a value was asked for that the statement works out by a formula."""
        return bool(self._values)

    def failed(self, path: ResolvedPath) -> Column | None:
        """Whether the formula of a virtual field has no value for the record: an error, where blank is shown.
        None where that cannot be.
        """
        computed = path.field.computed
        if computed is None or computed.stored:
            return None
        if computed.path is not None:
            return self.failed(self._mirrored(path.hops, path.object, path.field))
        node = self._walk(path.hops)
        value = computed.shown.sql(_Inside(self, node), self.dialect, places=path.field.scale)
        if value.guard is None:
            return None
        there = sa.and_(node.main.c.id.is_not(None), value.guard) if node.parent is not None else value.guard
        return self._guarded(node, sa.case((there, 1), else_=0))

    @property
    def main(self) -> sa.FromClause:
        """The table of the object itself, to lock its rows."""
        return self._root.main

    def kept(self, field: FieldDef) -> Column:
        """The column of a stored field of the object itself, whatever stands in it."""
        return self._of(self._root, self._root.table.column(field.name))

    def fresh(self, field: FieldDef) -> Column | None:
        """The value that a computed field of the object itself should have; None where the database cannot
        work it out.
        """
        assert field.computed is not None
        formula = field.computed.shown
        return self._of_formula(self._root, field, formula) if self._pushes(formula) else None

    def _pushes(self, formula: Formula) -> bool:
        return formula.pushable[self.dialect] is None

    def codec_of(self, field: FieldDef) -> Codec:
        """The conversions of a field of the object itself."""
        return self._root.table.codec(field.name)

    def unpushed(self, path: ResolvedPath) -> tuple[Formula, list[Column], list[Input]] | None:
        """Of a virtual field that this database cannot work out: its formula, the id of the record that it is
        about and what it reads, the conversions of those (of what is the person's its name).
        """
        computed = path.field.computed
        if computed is None or computed.stored or self._pushes(computed.column):
            return None
        if computed.path is not None:
            return self.unpushed(self._mirrored(path.hops, path.object, path.field))
        node = self._walk(path.hops)
        columns, inputs = self._inputs_of(node, computed.shown)
        return computed.shown, [self._guarded(node, node.main.c.id), *columns], inputs

    def inputs_of(self, formula: Formula) -> tuple[list[Column], list[Input]]:
        """What the evaluator of a formula of the object itself needs of the database, and how it is given."""
        return self._inputs_of(self._root, formula)

    def _inputs_of(self, node: _Node, formula: Formula) -> tuple[list[Column], list[Input]]:
        columns: list[Column] = []
        inputs: list[Input] = []
        for read in formula.reads:
            if read.path[0].startswith("$") and is_of_request(read.path):
                inputs.append(Input(0, person=read.path[1] if len(read.path) > 1 else "id"))
            else:
                mine = read.path[0] == USER
                column, conversions = self.of_person(read.path) if mine else self._open_end(node, read.path)
                columns.append(column)
                inputs.append(Input(1, conversions.from_storage))
        more, further = self._answers_of(node, formula.aggregates)
        return [*columns, *more], [*inputs, *further]

    def answers_of(self, questions: Sequence[Formula]) -> tuple[list[Column], list[Input]]:
        """What is asked of children from a record of the object on (``Formula.aggregates``)."""
        return self._answers_of(self._root, questions)

    def _answers_of(self, node: _Node, questions: Sequence[Formula]) -> tuple[list[Column], list[Input]]:
        columns: list[Column] = []
        inputs: list[Input] = []
        for each in questions:
            found = each.sql(_Inside(self, node), self.dialect)
            columns += [found.column(), sa.case((found.error(), 1), else_=0)]
            inputs.append(Input(2, decoder(found, self._tables.dialect)))
        return columns, inputs

    def unseen(self, path: Path) -> Column:
        """The value of a path of the object itself, past every right; it may be longer than people's."""
        return self._open_end(self._root, path)[0]

    def of_person(self, path: Path) -> tuple[Column, Codec]:
        """What ``$user`` names of who asks: a parameter that ``filters.moment`` has, or looked up past every
        right of theirs; and its conversions.
        """
        me = sa.bindparam("me_id", type_=Uuid())
        users = self.inner(self._gate.model.objects["user"], Gate.system(self._gate.model))
        steps = path[1:] or ("id",)
        column, conversions = users._open_end(users._root, steps)
        if is_of_request(path):
            return sa.bindparam(f"me_{steps[0]}", type_=_PERSON[steps[0]]), conversions
        return users.select_inside(column).where(users.id == me).scalar_subquery(), conversions

    def open_column(self, node: _Node, path: Path) -> Column:
        """The value of a path from the record of a node, past every right."""
        return self._open_end(node, path)[0]

    def _open_end(self, node: _Node, path: Path) -> tuple[Column, Codec]:
        names = list(path)
        while True:
            field = node.object.find(names.pop(0))
            if field is None:  # the checker has seen it, or it is in a draft only
                raise KeyError(path)
            if names and field.kinds:
                field = field.narrowed(self._gate.model.objects[self._named(names.pop(0))])
            elif names and TYPES[field.type].parts:
                field = field.part(names.pop(0))
            if not names:
                return self._plain(node, field.name), self._conversions(node.object, field)
            node = self._open(node, field)

    def _named(self, name: str) -> str:
        found = self._gate.model.find(name)
        assert found is not None
        return found.name

    def _open(self, parent: _Node, hop: FieldDef) -> _Node:
        prefix = tuple(each.name for each in (*parent.hops, hop))
        known = self._nodes.get(prefix)
        if known is not None and known.parent is parent and parent.guard is None:
            return known  # else it is joined only where the person may read the record before it
        key = (id(parent), hop.name)
        known = self._opened.get(key)
        if known is None:
            self._more(MAX_FORMULA_JOINS, len(self._joins))
            known = self._opened[key] = self._node(self._gate.model.objects[hop.target or "user"])
            known.hops, known.parent = (*parent.hops, hop), parent
            self._joins.append((known.main, self._is(known, self._plain(parent, hop.name))))
        return known

    def _more(self, limit: int, joins: int) -> None:
        if joins > limit:
            raise Invalid.of("query.too_many_joins", Place(object=self.object.name), limit=limit)

    def _mirrored(self, hops: tuple[FieldDef, ...], object: ObjectDef, field: FieldDef) -> ResolvedPath:
        """The path that a mirror stands for, from the start of the statement."""
        assert field.computed is not None and field.computed.path is not None
        found = self._gate.resolve(object, field.computed.path)
        whole = ResolvedPath(found.text, (*hops, *found.hops), found.object, found.field)
        self._walk(whole.hops, asked=False)
        return whole

    def _virtual(self, node: _Node, field: FieldDef) -> Column:
        key = (id(node), field.name)
        known = self._values.get(key)
        if known is None:
            known = self._values[key] = self._worked_out(node, field)
        return known

    def _worked_out(self, node: _Node, field: FieldDef) -> Column:
        computed = field.computed
        assert computed is not None
        if computed.path is not None:
            return self.column(self._mirrored(node.hops, node.object, field))
        return self._of_formula(node, field, computed.column)

    def _of_formula(self, node: _Node, field: FieldDef, formula: Formula) -> Column:
        try:
            found: SqlValue = formula.sql(_Inside(self, node), self.dialect, places=field.scale)
        except FormulaError:
            place = Place(object=node.object.name, field=field.name)
            raise Invalid.of("query.not_in_database", place, field=field.name) from None
        shape = shape_of(field)
        kind = column_type(shape, self._tables.dialect)
        value = found.column()
        if node.parent is None and found.guard is None and self.dialect == "postgresql":
            if not formula.root.nullable and field.value_type.kind not in EMPTY_IS_BLANK:
                self._filled.add((id(node), field.name))
        if node.parent is not None and not vanishes(formula.root):
            value = sa.case((node.main.c.id.is_not(None), value))
        if self.dialect == "postgresql" and shape.way == "number":
            if formula.root.op == "round" and node.parent is None:
                return sa.type_coerce(value, sa.Numeric(38, shape.scale))  # it has these places
            return sa.cast(value, sa.Numeric(38, shape.scale))
        if self.dialect == "postgresql" and shape.way == "integer":
            return sa.cast(value, kind)
        if self.dialect == "postgresql" and field.type in TEXT_TYPES:
            return sa.collate(sa.type_coerce(value, kind), "C")
        return value if isinstance(value, sa.BindParameter) else sa.type_coerce(value, kind)

    def _is_virtual(self, node: _Node, field: FieldDef) -> bool:
        """Whether the value is worked out: of a stored formula only while its column is being filled."""
        computed = field.computed
        if computed is None or not computed.stored:
            return computed is not None
        return node.table.is_filling(field.name) and self._pushes(computed.column)

    def _rule(self, node: _Node, plan: Plan = "scan") -> Column | None:
        """Which of the records may be read."""
        gate = self._gate
        for each in gate.rule(node.object, "read").objects(gate.model, node.object):
            self.beside(each)
        if plan == "ids":
            return gate.by_ids(node.object, self._tables, node.main)
        return gate.predicate(node.object, "read", self._tables, node.main)

    def _plain(self, node: _Node, name: str) -> Column:
        base, _, kind = name.partition(".")
        own = node.object.fields.get(base)
        if own is not None and self._is_virtual(node, own):
            return self._virtual(node, own)
        if kind:
            field = node.object.fields[base]
            if not field.kinds:
                column = self._of(node, node.table.column(base))
                return part_in(column, TYPES[field.type].parts.index(kind), self.dialect)
            kinds = tuple(uid for uid, target in field.kinds.items() if target == kind)
            return id_in(self._of(node, node.table.column(base)), kinds, self.dialect)
        found = self._of(node, node.table.column(name))
        if name == "record_type" and node.object.fields[name].system:
            # Stored as a uid; everywhere outside it is the record type's name.
            names = {each.uid: each.name for each in node.object.record_types.values()}
            return sa.case(names, value=found) if names else sa.null()
        return found

    def _of(self, node: _Node, column: sa.Column[Any]) -> Column:
        if node.table.side is not None and column.table is node.table.side:
            if node.side is None:
                node.side = node.table.side.alias(f"{self._prefix}x{self._next()}")
                self._joins.append((node.side, node.side.c.id == node.main.c.id))
            return node.side.c[column.name]
        return node.main.c[column.name]

    def _guarded(self, node: _Node, column: Column) -> Column:
        return column if node.guard is None else sa.case((node.guard, column))

    # ---- joins -------------------------------------------------------------------------------------

    def _next(self) -> int:
        self._count += 1
        return self._count

    def _node(self, object: ObjectDef) -> _Node:
        table = self._tables.of(object)
        return _Node(object, table, table.main.alias(f"{self._prefix}t{self._next()}"), None, None)

    def _walk(self, hops: tuple[FieldDef, ...], asked: bool = True) -> _Node:
        """The record at the end of some lookups; ``asked``: people named them, no mirror goes by them."""
        node = self._root
        for n, hop in enumerate(hops, start=1):
            prefix = tuple(each.name for each in hops[:n])
            known = self._nodes.get(prefix)
            if known is None:
                self._asked += asked
                self._more(MAX_JOINS, self._asked)
                self._more(MAX_FORMULA_JOINS, len(self._joins))
                known = self._join(node, hop, prefix)
            node = known
        return node

    def _join(self, parent: _Node, hop: FieldDef, prefix: Prefix) -> _Node:
        reference = self._guarded(parent, self._plain(parent, hop.name))
        known = self._opened.get((id(parent), hop.name)) if parent.guard is None else None
        if known is None:
            node = self._node(self._gate.model.objects[hop.target or "user"])
            node.hops, node.parent = (*parent.hops, hop), parent
            self._joins.append((node.main, self._is(node, reference)))
        else:
            node = known  # a formula has joined it already
        node.guard = self._rule(node)
        if hop.type == "owner":
            queue = self._gate.model.objects.get(NAMED_BY_ALL[1])
            if queue is not None:
                twin = node.twin = self._node(queue)
                self._joins.append((twin.main, self._is(twin, reference)))
        self._nodes[prefix] = node
        return node

    @staticmethod
    def _is(node: _Node, reference: Column) -> Column:
        same = node.main.c.id == reference
        # Who made a record is told even when that person has left.
        return same if named_by_all(node.object) else sa.and_(same, node.main.c.deleted_at.is_(None))

    def _twin(self, node: _Node) -> _Node | None:
        return node.twin if node.twin is not None and self._gate.name_shown(node.twin.object) else None

    def _with_twin(self, node: _Node, column: Column, name: str) -> Column:
        twin = self._twin(node)
        return column if twin is None else sa.func.coalesce(column, self._plain(twin, twin.object.name_field))
