"""What a kind's compile function works with: the lens, the faults so far, and the checks that kinds share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tabwright.formula.compiler import Formula, compile_formula
from tabwright.formula.datatypes import Type
from tabwright.formula.faults import Fault as FormulaFault
from tabwright.formula.faults import FormulaError
from tabwright.formula.scope import ONLY_SQL
from tabwright.formula.scope import Place as FormulaPlace
from tabwright.metadata import limits
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.language_faults import faults_of
from tabwright.metadata.model import Labels
from tabwright.metadata.world import FieldSource, Lens, RecordScope
from tabwright.platform.errors import Fault, Param, Place

Pointer = tuple[str | int, ...]


def pointer_text(pointer: Pointer) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in pointer)


def hint(word: str, known: Iterable[str]) -> str:
    """The known names that were probably meant, for a message; empty when none is near."""
    return ", ".join(difflib.get_close_matches(word, list(known), n=3))


@dataclass
class Work:
    """The compile of one piece. Faults are gathered, never raised."""

    lens: Lens
    faults: list[Fault] = field(default_factory=list)

    def fault(self, component: Component, code: str, /, *pointer: str | int, **params: Param) -> None:
        """Note a fault at a place of a document."""
        self.faults.append(
            Fault(code, params, Place(component=component.place, pointer=pointer_text(pointer)))
        )

    def object(self, component: Component, name: str, *pointer: str | int) -> str | None:
        """The name of the object that ``name`` names, or None with a fault."""
        return self._named(component, "object", name, pointer)

    def _named(self, component: Component, kind: str, name: str, pointer: Pointer) -> str | None:
        found = self.lens.part(kind, name)
        if found is None:
            near = hint(name, self.lens.world.names(kind))
            self.fault(component, "reference.unknown", *pointer, kind=kind, name=name, hint=near)
        return found.name if found else None

    def named(self, component: Component, kind: str, name: str, *pointer: str | int) -> str | None:
        """The full name of the component of ``kind`` that ``name`` names, or None with a fault."""
        return self._named(component, kind, name, pointer)

    def field(self, component: Component, object: str, name: str, *pointer: str | int) -> FieldSource | None:
        """A field of an object, system fields included, or None with a fault."""
        found = self.lens.field(object, name)
        if found is None:
            self._unknown_field(component, object, name, pointer)
        return found

    def _unknown_field(self, component: Component, object: str, name: str, pointer: Pointer) -> None:
        near = hint(name, self.lens.world.names("field", object))
        self.fault(component, "reference.unknown_field", *pointer, object=object, name=name, hint=near)

    def path(self, component: Component, object: str, text: str, *pointer: str | int) -> str | None:
        """A path through lookups, former names put right, or None with a fault."""
        steps = tuple(text.split("."))
        if len(steps) > limits.lookup_path + 1:
            self.fault(component, "reference.path_too_long", *pointer, path=text, limit=limits.lookup_path)
            return None
        found: list[str] = []
        at: str | None = object
        before: FieldSource | None = None
        for number, step in enumerate(steps):
            if before is not None and before.is_dotted:
                self.lens.object(step)
                narrowed = self.lens.world.narrowed(before, step)
                if narrowed is None:
                    near = hint(step, before.targets or TYPES[before.type].parts)
                    self.fault(
                        component, "reference.not_a_target", *pointer, name=before.name, step=step, hint=near
                    )
                    return None
                found.append(narrowed.target or step)
                at, before = narrowed.target, narrowed
                continue
            if at is None:
                self.fault(component, "reference.not_a_lookup", *pointer, name=steps[number - 1], path=text)
                return None
            source = self.lens.field(at, step)
            if source is None:
                self._unknown_field(component, at, step, pointer)
                return None
            found.append(source.name)
            at, before = source.target, source
        return ".".join(found)

    def formula(
        self,
        component: Component,
        text: str,
        *pointer: str | int,
        object: str,
        expected: Type,
        place: FormulaPlace,
    ) -> Formula | None:
        """The formula of a text about records of ``object``, or None with all its faults."""
        scope = RecordScope(self.lens, object, inside=place not in ONLY_SQL)
        try:
            made = compile_formula(text, scope, place=place, expected=expected)
        except FormulaError as error:
            self._formula_faults(component, error.faults, pointer)
            return None
        for target in made.trees:
            if self.lens.tree_of(target) is None:
                self.fault(component, "formula.no_tree", *pointer, object=target)
        if place is FormulaPlace.WHERE:
            refusals = [each for each in made.pushable.values() if each is not None]
            self._formula_faults(component, refusals[:1], pointer)
            self._computed_in_process(component, object, made, pointer)
        elif place is FormulaPlace.DEFAULT:
            return made
        if not (made.reads or made.uses_record_state or made.uses_now):
            self.fault(component, "formula.constant", *pointer)
        return made

    def _computed_in_process(
        self, component: Component, object: str, formula: Formula, pointer: Pointer
    ) -> None:
        """No condition that a database runs names a field that a database cannot work out."""
        for path in sorted(formula.paths):
            steps = [] if path[0].startswith("$") else self.lens.walk(object, path)
            for each in steps:
                if each is None or each.is_stored or self.lens.world.ring(each):
                    continue
                inner = self.lens.derived(each).formula
                if inner is not None and any(inner.pushable.values()):
                    self.fault(component, "computed.not_in_sql", *pointer, field=each.path)

    def formula_faults(self, component: Component, error: FormulaError | None, *pointer: str | int) -> None:
        """Note what is wrong with the formula at a place of a document."""
        self._formula_faults(component, error.faults if error is not None else (), pointer)

    def _formula_faults(self, component: Component, faults: Iterable[FormulaFault], pointer: Pointer) -> None:
        place = Place(component=component.place, pointer=pointer_text(pointer))
        self.faults += faults_of(faults, place)


def labels_of(component: Component) -> Labels:
    """The component's labels; its local name where it needs none and has none."""
    labels: Labels = component.body.get("label") or {"en": component.local}
    return labels


def repeated(values: Iterable[Any]) -> list[int]:
    """The positions of values that stood before."""
    seen: set[Any] = set()
    found = []
    for number, value in enumerate(values):
        if value in seen:
            found.append(number)
        seen.add(value)
    return found
