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
from typing import Literal

from tabwright.formula.typed import nodes_of
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import FieldDef, Model, ObjectDef

EdgeKind = Literal["same", "parent", "children"]


@dataclass(frozen=True, slots=True)
class Edge:
    """``field`` of ``object`` is read by the stored computed field ``target`` of ``owner``.

    ``hops`` are the lookups that lead from a record of ``owner`` to the one of ``object`` ("parent"), none on
    the same record ("same"). "children": they lead from a record of ``object`` to the one of ``owner``.
    """

    object: str
    field: str
    kind: EdgeKind
    hops: tuple[str, ...]
    owner: str
    target: str


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
        return tuple(edge for edge in self.touched(object, fields) if edge.kind != "same")


def dependencies_of(model: Model) -> Dependencies:
    """The edges to every stored computed field of a model."""
    return Dependencies(tuple(edge for object in model.objects.values() for edge in _edges(model, object)))


def _edges(model: Model, object: ObjectDef) -> Iterator[Edge]:
    for field in object.own_fields:
        if field.computed is not None and field.computed.stored:
            yield from edges_to(model, object, field)


def edges_to(model: Model, object: ObjectDef, field: FieldDef) -> tuple[Edge, ...]:
    """What the value of one computed field of an object is worked out from."""
    found: dict[Edge, None] = {}
    assert field.computed is not None
    for read in field.computed.formula.reads:
        if read.prior or read.path[0].startswith("$"):
            continue
        hops: tuple[str, ...] = ()
        here: ObjectDef | None = object
        steps = list(read.path)
        while steps and here is not None:
            step = here.find(steps.pop(0))
            if step is None:
                break
            kind: EdgeKind = "parent" if hops else "same"
            found[Edge(here.name, step.name, kind, hops, object.name, field.name)] = None
            name = step.name
            if steps and (step.kinds or steps[0] in TYPES[step.type].parts):
                name = f"{step.name}.{steps[0]}"
                here = model.find(steps.pop(0)) if step.kinds else None
            else:
                here = model.objects.get(step.target or "")
            hops = (*hops, name)
    return tuple(found)


def fingerprint(model: Model, object: ObjectDef, field: FieldDef) -> str:
    """Equal for two computed fields whose values are worked out in the same way, whatever their names."""
    assert field.computed is not None
    made = hashlib.sha256()
    for node in nodes_of(field.computed.shown.root):
        data = node.data
        if node.op == "read" and not data.path[0].startswith("$"):
            data = _uids(model, object, data.path), data.prior
        kind = (node.type.kind, node.type.scale, node.type.target, node.length, node.checked)
        made.update(repr((node.op, data, len(node.args), kind)).encode())
    return made.hexdigest()[:32]


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
