"""What may come next in a formula that is being typed: fields by every name that people know; functions."""

from __future__ import annotations

from tabwright.admin_ui.field_types import card_of
from tabwright.admin_ui.names import finding
from tabwright.admin_ui.studio import Studio
from tabwright.formula import standing
from tabwright.formula.functions.catalogue import FUNCTIONS
from tabwright.formula.scope import Place
from tabwright.metadata.model import label_in
from tabwright.metadata.world import SYSTEM_FIELDS, FieldSource, Lens, RecordScope, World
from tabwright.platform.language import LANGUAGES, Language, say

Found = dict[str, object]


def scope_of(studio: Studio, object: str, *, inside: bool = True) -> RecordScope:
    """What a formula about an object of the draft may name; ``inside``: see RecordScope."""
    return RecordScope(Lens(studio.drafting.world, None), object, inside)


def names(studio: Studio, object: str, path: tuple[str, ...]) -> list[Found]:
    """The names one step behind ``path`` in a formula about an object of the draft, with their labels in this
    person's language, all texts by which they are found, their type, and whether names stand behind them too.
    """
    scope = scope_of(studio, object)
    match path[:1]:
        case (standing.ORG,):
            return [_attribute(studio, name) for name in standing.ATTRIBUTES] if len(path) == 1 else []
        case (standing.LABEL,):
            return [_label(studio, name) for name in scope.labels()] if len(path) == 1 else []
        case (standing.RECORD,):
            path = path[1:]
    found = [_name(studio, scope, object, (*path, name)) for name in scope.suggestions(path)]
    return found


def further(studio: Studio, object: str) -> list[Found]:
    """What may begin a formula about an object beside its fields: relations, and what begins with ``$``."""
    scope = scope_of(studio, object)
    return [
        *(_standing(studio, name) for name in standing.NAMES),
        *(_relation(studio, scope, name) for name in scope.relations()),
    ]


def _standing(studio: Studio, name: str) -> Found:
    """What begins with ``$``."""
    labels: dict[str, str] = {each: say(f"studio.formula.{name[1:]}", {}, each) for each in LANGUAGES}
    kind = say("type.reference", {}, studio.call.language) if name in (standing.USER, standing.RECORD) else ""
    return {
        "name": standing.NAMES[name],
        "label": label_in(labels, studio.call.language),
        "find": finding(standing.NAMES[name], *labels.values()),
        "type": kind,
        "leads": True,
    }


def _attribute(studio: Studio, name: str) -> Found:
    labels: dict[str, str] = {each: say(f"studio.formula.org.{name}", {}, each) for each in LANGUAGES}
    return {
        "name": name,
        "label": label_in(labels, studio.call.language),
        "find": finding(name, *labels.values()),
        "type": say(f"type.{standing.ATTRIBUTES[name].kind}", {}, studio.call.language),
        "leads": False,
    }


def _label(studio: Studio, name: str) -> Found:
    """A custom label, found by its text too."""
    component = studio.drafting.world.part("custom_label", name)
    assert component is not None  # it is one of the scope's own
    labels, texts = component.body["label"], component.body["text"]
    return {
        "name": component.name,
        "label": label_in(labels, studio.call.language),
        "find": finding(name, *labels.values(), *texts.values()),
        "type": say("type.text", {}, studio.call.language),
        "leads": False,
    }


def children_of(studio: Studio, object: str, relation: str) -> str:
    """The object whose records a relation stands for; ``object`` itself where there is no such relation."""
    path = tuple(relation.lower().split("."))
    found = scope_of(studio, object).relation(path) if relation else None
    return found[0].object if found is not None else object


def _relation(studio: Studio, scope: RecordScope, name: str) -> Found:
    """What the functions about children take first."""
    language = studio.call.language
    found = scope.relation(tuple(name.split(".")))
    assert found is not None  # it is one of the scope's own
    relation, world = found[0], studio.drafting.world
    of, through = world.part("object", relation.object), world.part("field", relation.name)
    labels = of.body.get("plural") or of.body.get("label", {}) if of is not None else {}
    lookup = label_in(through.body.get("label", {}), language) if through is not None else relation.field
    return {
        "name": name,
        "label": label_in(labels, language) or name,
        "find": finding(name, *labels.values()),
        "type": say("studio.formula.children", {"field": lookup}, language),
        "leads": False,
        "children": True,
    }


def _name(studio: Studio, scope: RecordScope, object: str, path: tuple[str, ...]) -> Found:
    language, world = studio.call.language, studio.drafting.world
    found = world.walk(object, path)[-1] if path[0] != "$user" else _of_user(world, path)
    labels = _labels(found, world) if found is not None else {}
    type = scope.type_of(path)
    leads = any(True for _ in scope.suggestions(path))
    kind = say(f"type.{type.kind}", {}, language) if type is not None else ""
    name = path[-1]
    label = label_in(labels, language) if labels else name
    return {
        "name": name,
        "label": label,
        "find": finding(name, *labels.values()),
        "type": card_of(found.type, language).label if found is not None and found.component else kind,
        "leads": leads,
    }


def _of_user(world: World, path: tuple[str, ...]) -> FieldSource | None:
    return world.walk("user", path[1:])[-1] if len(path) > 1 else None


def _labels(field: FieldSource, world: World) -> dict[str, str]:
    if field.component is not None:
        return dict(field.component.body.get("label", {}))
    if "." in field.name:  # a target of a polymorphic field
        target = world.part("object", field.name.rpartition(".")[2])
        return dict(target.body.get("label", {})) if target is not None else {}
    return dict(SYSTEM_FIELDS[field.name][1]) if field.name in SYSTEM_FIELDS else {}


def functions(language: Language, place: Place) -> list[Found]:
    """Every function that is legal in a place, with its arguments, what it does, and an example."""
    return [
        {
            "name": each.name,
            "usage": each.usage,
            "says": each.zh if language == "zh" else each.en,
            "group": each.group,
            "over": each.over is not None,
            "example": each.examples[0].formula if each.examples else "",
        }
        for each in FUNCTIONS.values()
        if place in each.places
    ]
