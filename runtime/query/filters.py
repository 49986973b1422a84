"""Formulas that people type as filters, to SQL. In user mode: every name in them must be readable."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol, TypeVar

import sqlalchemy as sa

from tabwright.formula.aggregates import Relation
from tabwright.formula.compiler import compile_formula
from tabwright.formula.datatypes import BOOLEAN, OPAQUE, TEXT, Type, reference
from tabwright.formula.faults import FormulaError
from tabwright.formula.lifting import Bind, Lifted, NotLiftable, Unfit, lift, unlifted
from tabwright.formula.rewrite import names_children
from tabwright.formula.scope import Place as FormulaPlace
from tabwright.metadata import relations
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.language_faults import faults_of
from tabwright.metadata.model import ObjectDef
from tabwright.platform.errors import Fault, Invalid, Place
from tabwright.platform.tables import Uuid
from tabwright.runtime.access.gate import CALLED, Gate, ResolvedPath
from tabwright.runtime.access.principal import person_of
from tabwright.runtime.desk import Call
from tabwright.runtime.query.children import Related
from tabwright.runtime.query.source import Column, Source
from tabwright.runtime.query.trees import below

Path = tuple[str, ...]

# The formula room knows nothing of the platform: who turns its faults into ours makes its texts known.

_USER: Mapping[Path, Type] = {
    ("$user",): reference("user"),
    ("$user", "id"): reference("user"),
    ("$user", "name"): TEXT,
}


class GateScope:
    """The names that a principal may use in a formula over an object's records."""

    def __init__(self, gate: Gate, object: ObjectDef) -> None:
        self._gate = gate
        self._object = object

    def type_of(self, path: Path) -> Type | None:
        if path[0] == "$user":
            return _USER.get(path)
        resolved = self.resolve(path)
        if resolved is not None and resolved.field.mask is not None and not self._gate.has("unmask"):
            return OPAQUE  # a filter would tell what the mask hides
        return None if resolved is None else resolved.field.value_type

    def resolve(self, path: Path) -> ResolvedPath | None:
        try:
            return self._gate.resolve(self._object, ".".join(path))
        except Invalid:
            return None

    def relation(self, path: Path) -> tuple[Relation, GateScope] | None:
        model = self._gate.model
        child = model.find(path[0])
        if child is None or not self._gate.may(child, "read"):
            return None
        steps = (child.name, *path[1:])
        if len(steps) == 2 and (named := child.find(steps[1])) is not None:
            steps = (child.name, named.name)
        found = model.relation(self._object, steps)
        if found is None or not self._gate.can_read(found):
            return None
        field = f"{found.name}.{self._object.name}" if found.kinds else found.name
        return Relation(child.name, field, self._object.name), GateScope(self._gate, child)

    def relations(self) -> Iterable[str]:
        model, gate = self._gate.model, self._gate
        known = [
            each
            for each in model.kin(self._object.name)
            if gate.may(model.objects[each.object], "read") and gate.can_read(each)
        ]
        return relations.names(known, lambda name: self._object.find(name) is not None)

    def label(self, name: str) -> str | None:
        return name if name in self._gate.model.custom_labels else None

    def labels(self) -> Iterable[str]:
        return self._gate.model.custom_labels

    def suggestions(self, path: Path) -> Iterable[str]:
        here = self._object
        if path:
            resolved = self.resolve(path)
            if resolved is not None and resolved.field.kinds:
                known = (self._gate.model.objects[name] for name in resolved.field.targets)
                return [*(each.name for each in known if self._gate.may(each, "read")), CALLED]
            if resolved is not None and (parts := TYPES[resolved.field.type].parts):
                return parts
            target = (
                resolved and resolved.field.target and self._gate.model.objects.get(resolved.field.target)
            )
            if not target or not self._gate.may(target, "read"):
                return ()
            here = target
        return [field.name for field in self._gate.readable(here)]


class _SourceColumns:
    """Also of children it shows only those that the principal may read."""

    def __init__(self, source: Source, scope: GateScope) -> None:
        self._source = source
        self._scope = scope

    def children(self, relation: Relation) -> Related:
        def columns_of(source: Source) -> _SourceColumns:
            return _SourceColumns(source, GateScope(source.gate, source.object))

        return Related(self._source, relation, columns_of)

    def column_of(self, path: Path) -> Column:
        if path[0] == "$user":
            if path[-1] == "name":
                return sa.bindparam("user_name", type_=sa.Text)
            return sa.bindparam("user_id", type_=Uuid())
        resolved = self._scope.resolve(path)
        assert resolved is not None  # the checker has seen it
        return self._source.column(resolved)

    def below(self, target: str, records: Sequence[Column]) -> sa.Select[tuple[Any]]:
        return below(self._source, self._source.gate, target, records)


@dataclass(frozen=True)
class Wanted:
    """Filters as they were asked for, their literals beside them: what a plan is made of and kept by."""

    parts: tuple[Lifted, ...]
    rights: Hashable = None  # of whoever asks, where that is more than what can be reached from the object

    @cached_property
    def key(self) -> Hashable:
        """Equal for filters that one plan serves."""
        return tuple(part.key for part in self.parts), self.rights


Binds = tuple[tuple[int, Bind], ...]  # each with the place of its filter among all


@dataclass(frozen=True, slots=True)
class Conditions:
    """Filters in SQL, with the parameters that their literals became."""

    columns: list[Column]
    binds: Binds


class Plan(Protocol):
    """A compiled piece that has filters in it."""

    @property
    def binds(self) -> Binds: ...


P = TypeVar("P", bound=Plan)


def planned(gate: Gate, texts: Sequence[str], plan: Callable[[Wanted], P]) -> tuple[P, dict[str, Any]]:
    """The plan for filters, and their literals as its parameters.

    ``plan`` gives a kept plan or makes one. A plan serves all filters of one shape; for a literal that does
    not fit it, the filters are asked for again as they stand, and then the plan is for these alone.
    """
    rights = gate.whole_footprint if any(map(names_children, texts)) else None
    wanted = Wanted(tuple(map(lift, texts)), rights)
    try:
        found = plan(wanted)
        return found, {bind.name: bind.value(wanted.parts[n]) for n, bind in found.binds}
    except (Unfit, NotLiftable):
        return plan(Wanted(tuple(map(unlifted, texts)), rights)), {}


def conditions(call: Call, source: Source, wanted: Wanted) -> Conditions:
    """Each filter as a condition. Raises Invalid with the faults of all of them, each with its place."""
    scope = GateScope(call.gate, source.object)
    columns = _SourceColumns(source, scope)
    done: list[Column] = []
    binds: list[tuple[int, Bind]] = []
    wrong: list[Fault] = []
    for n, lifted in enumerate(wanted.parts):
        try:
            formula = compile_formula(lifted.text, scope, place=FormulaPlace.WHERE, expected=BOOLEAN)
            found = formula.sql(columns, source.dialect, lifted=lifted, prefix=f"w{n}_")
        except FormulaError as error:
            wrong.extend(faults_of(error.faults, Place(field="where")))
            continue
        done.append(found.condition())
        binds += [(n, bind) for bind in found.binds]
    if wrong:
        raise Invalid(wrong)
    return Conditions(done, tuple(binds))


def is_understood(call: Call, object: ObjectDef, text: str) -> bool:
    """Whether a formula can be asked of an object's records by this person."""
    try:
        conditions(call, Source(call.gate, call.tables, object), Wanted((unlifted(text),)))
    except Invalid:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Named:
    """A name of an aggregation in ``having``: its value and type."""

    column: Column
    type: Type


class _NamedScope:
    def __init__(self, named: Mapping[str, Named]) -> None:
        self._named = named

    def type_of(self, path: Path) -> Type | None:
        found = self._named.get(".".join(path))
        return None if found is None else found.type

    def suggestions(self, path: Path) -> Iterable[str]:
        return () if path else tuple(self._named)

    def column_of(self, path: Path) -> Column:
        return self._named[".".join(path)].column


def having(named: Mapping[str, Named], text: str, dialect: str) -> Column:
    """A condition on groups: a formula over the names of an aggregation."""
    scope = _NamedScope(named)
    try:
        return (
            compile_formula(text, scope, place=FormulaPlace.REPORT, expected=BOOLEAN)
            .sql(scope, dialect)
            .condition()
        )
    except FormulaError as error:
        raise Invalid(faults_of(error.faults, Place(field="having"))) from None


def moment(call: Call) -> dict[str, Any]:
    """Values of the parameters that formulas name: who asks, and the present moment, once per call."""
    person = person_of(call.principal)
    return {
        **{f"me_{name}": person.get(name) for name in ("id", "name", "language", "zone")},
        "user_id": call.principal.user_id,
        "user_name": call.principal.name,
        **call.env(call.clock.now()).parameters(),
    }
