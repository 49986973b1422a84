"""The tables of one statement: an object's own, and those that lookup paths join to it.

One LEFT JOIN per distinct prefix of paths. A joined record that the principal may not read shows nothing but
its name: every other column of it is guarded by that object's record rule, so it reads as blank, also where a
filter, an order or a group names it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, ObjectDef
from tabwright.platform.errors import Invalid, Place
from tabwright.runtime.access.gate import Gate, ResolvedPath
from tabwright.runtime.access.rights import NAMED_BY_ALL, named_by_all
from tabwright.runtime.query.ranks import codes, rank, rank_codec
from tabwright.runtime.storage.columns import Codec, Shape, codec
from tabwright.runtime.storage.links import id_in, kind_in, part_in
from tabwright.runtime.storage.tables import RecordTable, Tables

Prefix = tuple[str, ...]
Column = sa.ColumnElement[Any]

MAX_JOINS = 10
NEVER_NULL = frozenset(("id", "created_at", "updated_at", "revision"))


@dataclass(slots=True)
class _Node:
    object: ObjectDef
    table: RecordTable
    main: sa.FromClause
    side: sa.FromClause | None
    guard: Column | None  # None: every record of it may be read
    twin: _Node | None = None  # of an owner: the same id looked up among the queues


class Source:
    """Collects the joins of one statement while its columns are asked for."""

    def __init__(self, gate: Gate, tables: Tables, object: ObjectDef, prefix: str = "") -> None:
        self._gate = self.gate = gate
        self._tables = tables
        self._beside: dict[str, tuple[ObjectDef, RecordTable]] = {}
        self._inner: list[Source] = []
        self._count = 0
        self._prefix = prefix  # of its names, in a statement with another one around it
        self._joins: list[tuple[sa.FromClause, Column]] = []
        self._nodes: dict[Prefix, _Node] = {}
        self._root = self._nodes[()] = self._node(object)
        rule = gate.predicate(object, "read", lambda name: self._plain(self._root, name))
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
        for node in self._nodes.values():
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

    def inner(self, object: ObjectDef) -> Source:
        """Records of an object in a sub-query of this statement."""
        made = Source(self._gate, self._tables, object, f"{self._prefix}c{self._next()}_")
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
        if path.field.type == "record_type" or path.is_called:
            return codec(Shape("text"), self._tables.dialect)
        if "." in path.field.name:  # a link narrowed to one kind, a part of an address
            way = "reference" if path.field.is_reference else "text"
            return codec(Shape(way), self._tables.dialect)
        return self._tables.of(path.object).codec(path.field.name)

    def sort(self, path: ResolvedPath) -> tuple[Column, Codec, bool]:
        """What a list orders by, its conversions, and whether it can be NULL.

        A text orders by its sort key, a reference by the name of what it names, a picklist by the places of
        its values. Raises Invalid
        ``query.not_sortable`` for a text without sort key.
        """
        field = path.field
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

    def _plain(self, node: _Node, name: str) -> Column:
        base, _, kind = name.partition(".")
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

    def _walk(self, hops: tuple[FieldDef, ...]) -> _Node:
        node = self._root
        for n, hop in enumerate(hops, start=1):
            prefix = tuple(each.name for each in hops[:n])
            known = self._nodes.get(prefix)
            node = known if known is not None else self._join(node, hop, prefix)
        return node

    def _join(self, parent: _Node, hop: FieldDef, prefix: Prefix) -> _Node:
        if len(self._nodes) > MAX_JOINS:
            raise Invalid.of("query.too_many_joins", Place(object=self.object.name), limit=MAX_JOINS)
        node = self._node(self._gate.model.objects[hop.target or "user"])
        reference = self._guarded(parent, self._plain(parent, hop.name))
        self._joins.append((node.main, self._is(node, reference)))
        node.guard = self._gate.predicate(node.object, "read", lambda name: self._plain(node, name))
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
