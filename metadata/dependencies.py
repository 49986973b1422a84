"""What is worked out from what: from a change of some fields to the stored computed fields that it touches.

An **edge** leads from a field that a formula reads to the computed field that the formula is of, over the
lookups between the two records. Formulas are expanded before this is asked, so every edge starts at a field
with values of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from tabwright.formula.typed import Node, nodes_of
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, Model, ObjectDef

EdgeKind = Literal["same", "parent", "children"]
EXISTS: Final = ""  # in place of a field: that there is such a record


@dataclass(frozen=True, slots=True)
class Step:
    """From records to others: "up" to those that their own reference names; "down" to the records of
    ``object`` whose reference names them. ``field`` of a polymorphic reference is narrowed.
    """

    way: Literal["up", "down"]
    object: str
    field: str

    @property
    def column(self) -> str:
        """The field's own name."""
        return self.field.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Edge:
    """``field`` of ``object`` is read by the stored computed field ``target`` of ``owner``; EXISTS for what
    changes when a record of ``object`` comes or goes.

    ``route`` leads from a record of ``object`` to the records of ``owner`` that see it; empty: it is itself.
    """

    object: str
    field: str
    route: tuple[Step, ...]
    owner: str
    target: str

    @property
    def kind(self) -> EdgeKind:
        if not self.route:
            return "same"
        return "children" if any(step.way == "up" for step in self.route) else "parent"


@dataclass(frozen=True)
class Dependencies:
    """The edges of a model. Make it once a model: ``dependencies_of``."""

    edges: tuple[Edge, ...]

    @cached_property
    def _by_field(self) -> Mapping[tuple[str, str], tuple[Edge, ...]]:
        found: dict[tuple[str, str], list[Edge]] = {}
        for edge in self.edges:
            found.setdefault((edge.object, edge.field), []).append(edge)
        return {key: tuple(each) for key, each in found.items()}

    def touched(self, object: str, fields: Iterable[str]) -> tuple[Edge, ...]:
        """The edges that start at some fields of an object: what a change of them touches, each once."""
        found: dict[Edge, None] = {}
        for name in fields:
            for edge in self._by_field.get((object, name), ()):
                found[edge] = None
        return tuple(found)

    def elsewhere(self, object: str, fields: Iterable[str]) -> tuple[Edge, ...]:
        """Those of them that lead to other records."""
        return tuple(edge for edge in self.touched(object, fields) if edge.route)

    def from_object(self, name: str) -> frozenset[Edge]:
        """All edges that start at an object."""
        return frozenset(edge for edge in self.edges if edge.object == name)


def dependencies_of(model: Model) -> Dependencies:
    """The edges to every stored computed field of a model."""
    return Dependencies(tuple(edge for object in model.objects.values() for edge in _edges(model, object)))


def _edges(model: Model, object: ObjectDef) -> Iterator[Edge]:
    for field in object.own_fields:
        if field.computed is not None and field.computed.stored:
            yield from edges_to(model, object, field)


def edges_to(model: Model, object: ObjectDef, field: FieldDef) -> tuple[Edge, ...]:
    """What the value of one computed field of an object is worked out from."""
    assert field.computed is not None
    found: dict[Edge, None] = {}
    for at, name, route in _seen(model, object, field.computed.formula.root, ()):
        found[Edge(at, name, route, object.name, field.name)] = None
    return tuple(found)


Seen = tuple[str, str, tuple[Step, ...]]


def looked_at(model: Model, object: ObjectDef, root: Node) -> tuple[Seen, ...]:
    """The fields that a formula about ``object`` reads: whose, which (or EXISTS), and the way back from the
    record that has it; each once.
    """
    return tuple(dict.fromkeys(_seen(model, object, root, ())))


def _seen(model: Model, object: ObjectDef, root: Node, route: tuple[Step, ...]) -> Iterator[Seen]:
    """The fields that a formula about ``object`` looks at, each with the way back from its record."""
    for node in nodes_of(root):
        if node.op == "read" and not node.data.prior and not node.data.path[0].startswith("$"):
            yield from _along(model, object, node.data.path, route)
        elif node.op == "aggregate":
            relation = node.data.relation
            back = _behind(model, object, node.args[0].data.path[:-1], route)
            up = Step("up", relation.object, relation.field)
            yield relation.object, EXISTS, (up, *back)
            yield relation.object, up.column, (up, *back)
            for part in node.data.parts:
                yield from _seen(model, model.objects[relation.object], part, (up, *back))


def _hops(
    model: Model, object: ObjectDef, path: tuple[str, ...]
) -> Iterator[tuple[ObjectDef, FieldDef, str]]:
    """The fields along a path: whose, which, and by which name one walks on."""
    here: ObjectDef | None = object
    steps = list(path)
    while steps and here is not None:
        step = here.find(steps.pop(0))
        if step is None:
            return
        name, target = step.name, model.objects.get(step.target or "")
        if steps and (step.kinds or steps[0] in TYPES[step.type].parts):
            name = f"{step.name}.{steps[0]}"
            target = model.find(steps.pop(0)) if step.kinds else None
        yield here, step, name
        here = target


def _along(model: Model, object: ObjectDef, path: tuple[str, ...], route: tuple[Step, ...]) -> Iterator[Seen]:
    for here, field, name in _hops(model, object, path):
        yield here.name, field.name, route
        route = (Step("down", here.name, name), *route)


def _behind(
    model: Model, object: ObjectDef, path: tuple[str, ...], route: tuple[Step, ...]
) -> tuple[Step, ...]:
    """The way back from the record at the end of a path of lookups."""
    for here, _, name in _hops(model, object, path):
        route = (Step("down", here.name, name), *route)
    return route


def fingerprint(model: Model, object: ObjectDef, field: FieldDef) -> str:
    """Equal for two computed fields whose values are worked out in the same way, whatever their names."""
    assert field.computed is not None
    made = hashlib.sha256()
    _tell(made, model, object, field.computed.shown.root)
    return made.hexdigest()[:32]


def _tell(made: Any, model: Model, object: ObjectDef, root: Node) -> None:
    for node in nodes_of(root):
        data = node.data
        if node.op == "read" and not data.path[0].startswith("$"):
            data = _uids(model, object, data.path), data.prior
        elif node.op == "aggregate":
            child = model.objects[data.relation.object]
            lookup = _uids(model, child, tuple(data.relation.field.split(".")))
            for part in data.parts:
                _tell(made, model, child, part)
            data = data.kind, child.uid, lookup, data.separator, data.order is None, data.filter is None
        elif node.op in ("calendar", "fiscal") and (own := model.calendar) is not None:
            # Another calendar gives other values.
            data = own.fiscal if node.op == "fiscal" else (own.zone, own.hours.text)
        kind = (node.type.kind, node.type.scale, node.type.target, node.length, node.checked)
        made.update(repr((node.op, data, len(node.args), kind)).encode())


def _uids(model: Model, object: ObjectDef, path: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    here: ObjectDef | None = object
    step: FieldDef | None = None
    for name in path:
        if step is not None and (step.kinds or name in TYPES[step.type].parts):
            here = model.find(name) if step.kinds else None
            found.append(here.uid if here is not None else name)
            step = None
            continue
        step = here.find(name) if here is not None else None
        found.append(step.uid if step is not None else name)
        here = model.objects.get(step.target or "") if step is not None else None
    return tuple(found)


def in_order(object: ObjectDef, names: Collection[str]) -> tuple[FieldDef, ...]:
    """Some computed fields of an object so that each comes after those that it is worked out from.

    Formulas are expanded, so any order would do; fields that are read as columns (too big to expand) must be
    there first.
    """
    waiting = {name: object.fields[name] for name in names}
    done: list[FieldDef] = []

    def visit(field: FieldDef) -> None:
        if waiting.pop(field.name, None) is None:
            return
        assert field.computed is not None
        for read in field.computed.formula.reads:
            before = object.find(read.path[0]) if len(read.path) == 1 and not read.prior else None
            if before is not None and before.name in waiting:
                visit(before)
        done.append(field)

    for name in names:
        if name in waiting:
            visit(waiting[name])
    return tuple(done)
