"""From a tree of documents to the frozen Model, with every fault at once.

The tree's components have passed their schemas (``documents.read`` is the only way to make one). What is
checked here is what they say of each other: names, types, formulas, nothing without effect.

Compiled anew is only what changed or looked at something that changed: each piece (an object, a tab, a
permission set...) carries the digest of its documents and the signatures of what it looked at, and the next
compile takes it over while both are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import chain
from typing import Any

from tabwright.metadata import limits
from tabwright.metadata.documents import Component
from tabwright.metadata.kinds.calendars import compile_calendar
from tabwright.metadata.kinds.custom_labels import compile_custom_label
from tabwright.metadata.kinds.navigation import compile_app, compile_tab, generated_tabs
from tabwright.metadata.kinds.objects import compile_object
from tabwright.metadata.kinds.permissions import compile_permission_set, compile_permission_set_group
from tabwright.metadata.kinds.picklists import compile_picklist
from tabwright.metadata.kinds.showing import default_faults
from tabwright.metadata.kinds.work import Work
from tabwright.metadata.model import CompiledPart, Model
from tabwright.metadata.references import uses
from tabwright.metadata.tree import Tree
from tabwright.metadata.world import Lens, ObjectSource, World
from tabwright.platform.errors import Fault, Invalid, Param, Place

# The kinds that belong to no object, and what makes a piece of one.
_global_kinds: Mapping[str, Callable[[Work, Component], Any]] = {
    "picklist": compile_picklist,
    "calendar": compile_calendar,
    "custom_label": compile_custom_label,
    "tab": compile_tab,
    "app": compile_app,
    "permission_set": compile_permission_set,
    "permission_set_group": compile_permission_set_group,
}


def compile_tree(tree: Tree, *, release: int, previous: Model | None = None) -> Model:
    """The Model of a tree, as release ``release``; pieces that did not change are ``previous``'s own.

    Raises Invalid with all faults: each with component, JSON pointer, and in formulas line and column.
    """
    world = World(tree)
    known = previous.parts if previous else {}
    faults: list[Fault] = []
    parts: dict[str, CompiledPart] = {}

    def piece(
        key: str, source: str, own: str | None, make: Callable[[Work], Any], holds: list[Component]
    ) -> None:
        old = known.get(key)
        if old is not None and old.source == source and _answers_stand(old, world):
            parts[key] = old
            return
        work = Work(Lens(world, own))
        made = make(work)
        edges = tuple(chain.from_iterable(uses(each, world) for each in holds))
        parts[key] = CompiledPart(source, work.lens.seen, made, edges)
        faults.extend(work.faults)

    for source in world.objects.values():
        piece(
            f"object/{source.name}",
            source.part.digest,
            source.name,
            lambda work, source=source: compile_object(work, source),  # type: ignore[misc]
            list(source.part.components.values()),
        )
    for orphan in world.orphans:
        faults.extend(_orphan_faults(orphan))
    for kind, compile_one in _global_kinds.items():
        part = tree.parts.get(kind)
        for each in part.components.values() if part else ():
            piece(
                f"{kind}/{each.name}",
                each.digest,
                None,
                lambda work, each=each, compile_one=compile_one: compile_one(work, each),  # type: ignore[misc]
                [each],
            )
    faults.extend(_limit_faults(tree, world))
    if faults:
        raise Invalid(faults)
    return _model(world, release, parts)


def _answers_stand(part: CompiledPart, world: World) -> bool:
    signature = world.signature
    return all(signature(question) == answer for question, answer in part.seen.items())


def _model(world: World, release: int, parts: Mapping[str, CompiledPart]) -> Model:
    by_kind: dict[str, dict[str, Any]] = {kind: {} for kind in ("object", *_global_kinds)}
    for key, part in parts.items():
        kind, _, name = key.partition("/")
        by_kind[kind][name] = part.piece
    tabs = by_kind["tab"]
    return Model(
        release=release,
        digest=world.tree.digest,
        objects=by_kind["object"],
        object_aliases=world.object_aliases,
        picklists=by_kind["picklist"],
        calendars=by_kind["calendar"],
        custom_labels=by_kind["custom_label"],
        tabs=tabs | generated_tabs(world, tabs),
        apps=by_kind["app"],
        permission_sets={each.uid: each for each in by_kind["permission_set"].values()},
        permission_set_groups={each.uid: each for each in by_kind["permission_set_group"].values()},
        uses=tuple(chain.from_iterable(part.uses for part in parts.values())),
        parts=parts,
    )


def _orphan_faults(source: ObjectSource) -> list[Fault]:
    return [
        Fault("component.no_object", {"object": source.name}, Place(component=each.place, pointer="/name"))
        for each in source.part.components.values()
    ]


def _limit_faults(tree: Tree, world: World) -> list[Fault]:
    faults = []
    params: dict[str, Param]
    if len(world.objects) > limits.objects:
        params = {"kind": "object", "limit": limits.objects, "count": len(world.objects)}
        faults.append(Fault("limit.components", params, Place(component="object")))
    for kind, code in (("app", "app.two_defaults"), ("calendar", "calendar.two_defaults")):
        some = tree.parts.get(kind)
        faults.extend(default_faults(tuple(some.components.values()) if some else (), code))
    for kind in _global_kinds:
        part = tree.parts.get(kind)
        if part and len(part.components) > limits.global_components:
            params = {"kind": kind, "limit": limits.global_components, "count": len(part.components)}
            faults.append(Fault("limit.components", params, Place(component=kind)))
    return faults
