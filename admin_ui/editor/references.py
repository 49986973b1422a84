"""What a reference may name: components of a tree as choices, with their labels and how they are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tabwright.admin_ui.names import finding
from tabwright.metadata import walk
from tabwright.metadata.documents import Component
from tabwright.metadata.fieldtypes import TYPES
from tabwright.metadata.model import label_in
from tabwright.metadata.world import SYSTEM_FIELDS, World
from tabwright.platform.language import Language, say
from tabwright.runtime.access.rights import BASE

# System fields that layouts, lists and rules may name; the others are the platform's own business.
_NAMED = ("owner", "record_type", "created_at", "created_by", "updated_at", "updated_by")


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing to choose: what is stored, what is read, and the texts by which it is found."""

    value: str
    label: str
    note: str = ""
    find: str = ""


class References:
    """The choices of references in one tree, for readers of one language."""

    def __init__(self, world: World, language: Language) -> None:
        self._world = world
        self._language = language

    def choices(
        self,
        kind: str,
        rule: str | None,
        document: Mapping[str, Any],
        steps: tuple[str | int, ...],
        holder: Any,
        *given: str,
    ) -> tuple[Choice, ...]:
        """What may stand here; what stands here already (``given``) is among it, known or not.

        ``rule`` is the schema's ``x-within``: in which object local names are looked up; "pointing" are the
        lookups of any object that point at the document's own; "given": nothing but what stands here.
        """
        within = self._within(rule, document, steps, holder)
        if rule == "given":
            found = []
        elif rule == "pointing":
            found = list(self._pointing(str(document.get("name", "")).partition(".")[0]))
        elif kind == "path":
            found = list(self._paths(within)) if within else []
        elif kind == "field" and within:
            found = list(self._fields(within))
            if steps == ("name_field",):
                found = [each for each in found if self._names(within, each.value)]
        else:
            found = list(self._components(kind, document, within))
        known = {each.value for each in found}
        return (*found, *(Choice(each, each) for each in given if each and each not in known and each != "*"))

    def takes_all(self, nodes: walk.Nodes) -> tuple[Choice, ...]:
        """The choice "*" where the schema lets it stand for everything."""
        if any(node.get("if") == {"const": "*"} for node in nodes):
            return (Choice("*", say("studio.form.all", {}, self._language)),)
        return ()

    def _within(
        self, rule: str | None, document: Mapping[str, Any], steps: tuple[str | int, ...], holder: Any
    ) -> str | None:
        name = str(document.get("name", ""))
        if rule == "object":
            return name.partition(".")[0]
        if rule == "key":
            return str(steps[-1])
        if rule is not None and rule.startswith("sibling:"):
            other = holder.get(rule.partition(":")[2]) if isinstance(holder, Mapping) else None
            return str(other).partition(".")[0] if other else None
        return None

    def _pointing(self, object: str) -> Iterable[Choice]:
        for each in self._world.children(object):
            head = self._world.part("object", each.object)
            label = f"{self._label(head, {}, each.object)} › {self._label(each.component, {}, each.name)}"
            yield Choice(each.path, label, each.path, finding(label, each.path))

    def _fields(self, object: str) -> Iterable[Choice]:
        source = self._world.object(object)
        for field in source.fields.values() if source else ():
            if field.component is None and field.name not in _NAMED:
                continue
            label = self._label(field.component, SYSTEM_FIELDS.get(field.name, ("", {}))[1], field.name)
            yield Choice(field.name, label, field.name, finding(label, field.name))

    def _names(self, object: str, field: str) -> bool:
        """Whether the field may name its records."""
        source = self._world.object(object)
        found = source.fields.get(field) if source else None
        return found is not None and found.component is not None and TYPES[found.type].names

    def _paths(self, object: str) -> Iterable[Choice]:
        yield from self._fields(object)
        source = self._world.object(object)
        for field in source.fields.values() if source else ():
            if field.target is None or field.component is None:
                continue
            start = self._label(field.component, {}, field.name)
            for each in self._fields(field.target):
                path, label = f"{field.name}.{each.value}", f"{start} › {each.label}"
                yield Choice(path, label, path, finding(label, path))

    def _components(self, kind: str, document: Mapping[str, Any], within: str | None) -> Iterable[Choice]:
        own = str(document.get("name", "")).partition(".")[0]
        named = self._targets() if kind == "object" else Counter[str]()
        # What lookups name most stands first, then what is the organisation's own, then what was made first.
        for each in sorted(
            self._world.tree,
            key=lambda one: (-named[one.name], one.body.get("package") == BASE, one.uid),
        ):
            if each.kind != kind or (within is not None and each.object != within):
                continue
            if kind in ("layout", "record_type") and within is None:
                if document.get("kind") in ("object", "record_type") and each.object != own:
                    continue
            label = self._label(each, {}, each.local)
            if "." in each.name and within is None and each.object != own:
                head = self._world.part("object", each.object or "")
                label = f"{self._label(head, {}, each.object or '')} › {label}"
            value = each.local if within is not None else each.name
            yield Choice(value, label, value, finding(label, value))

    def _targets(self) -> Counter[str]:
        """How many lookups of the organisation's own objects name each object."""
        found: Counter[str] = Counter()
        for each in self._world.tree:
            target = each.body.get("options", {}).get("target") if each.kind == "field" else None
            if target and each.body.get("package") != BASE:
                found[target] += 1
        return found

    def _label(self, component: Component | None, otherwise: Mapping[str, str], name: str) -> str:
        labels = (component.body.get("label") if component is not None else None) or otherwise
        return label_in(labels, self._language) if labels else name
