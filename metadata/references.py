"""Where a component names others: found by the marks in the schemas, for every kind alike.

A **mention** is a string (or a key) of a document marked ``x-reference`` or ``x-formula``. Resolved in a
world it gives **atoms**: the pieces of the string that name one component each ("account" and "industry" in
the path ``account.industry``). Where-used is the set of atoms; a rename puts another name in their place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tabwright.formula import standing
from tabwright.formula.faults import FormulaError
from tabwright.formula.rewrite import Reference
from tabwright.formula.rewrite import references as formula_references
from tabwright.metadata import documents, schema, walk
from tabwright.metadata.documents import Component
from tabwright.metadata.model import Use
from tabwright.metadata.tree import Tree
from tabwright.metadata.world import World

Named = tuple[str, str]  # kind, full name


@dataclass(frozen=True, slots=True)
class Mention:
    """A string that names components. ``within`` is the object that local names belong to, as written;
    ``about`` that of the record which the formula is about, where it is another one.
    """

    kind: str  # a kind, "path" or "formula"
    text: str
    within: str | None
    pointer: str
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Atom:
    """``text[start:end]`` of a mention names a component; ``local``: only its local name stands there. An
    empty piece is meant without being written.
    """

    named: Named
    start: int
    end: int
    local: bool


def mentions(component: Component) -> tuple[Mention, ...]:
    """Every mention in a component's body, in document order."""
    known: tuple[Mention, ...] | None = component.notes.get("mentions")
    if known is None:
        known = component.notes["mentions"] = tuple(_mentions(component))
    return known


def _mentions(component: Component) -> list[Mention]:
    root = schema.shared_schema_of(component.kind)
    found: list[Mention] = []

    def see(mention: Mention) -> str:
        found.append(mention)
        return mention.text

    _map(component, walk.nodes_for(root, component.document, root), component.document, (), (), see)
    return found


def _map(
    component: Component,
    nodes: walk.Nodes,
    value: Any,
    steps: tuple[str | int, ...],
    above: tuple[Any, ...],
    see: Callable[[Mention], str],
) -> Any:
    """The value with every mention put through ``see``. ``above`` are the dicts and lists that hold it."""
    root = schema.shared_schema_of(component.kind)
    if isinstance(value, Mapping):
        made = {}
        for key, inner in value.items():
            keyed = _mention(component, walk.key_nodes(nodes, key, root), key, (*steps, key), above)
            name = see(keyed) if keyed else key
            below = walk.child(nodes, key, inner, root)
            made[name] = _map(component, below, inner, (*steps, key), (*above, value), see)
        return made
    if isinstance(value, list):
        return [
            _map(component, walk.child(nodes, n, inner, root), inner, (*steps, n), (*above, value), see)
            for n, inner in enumerate(value)
        ]
    if isinstance(value, str):
        mention = _mention(component, nodes, value, steps, above)
        return see(mention) if mention else value
    return value


def _mention(
    component: Component, nodes: walk.Nodes, text: str, steps: tuple[str | int, ...], above: tuple[Any, ...]
) -> Mention | None:
    pointer = schema.pointer_of(steps)
    for node in nodes:
        if "x-reference" in node:
            within = _within(component, node.get("x-within"), steps, above)
            return Mention(node["x-reference"], text, within, pointer)
        if "x-formula" in node:
            options = component.body.get("options", {})
            within = component.object
            about = None
            if node["x-scope"] == "target":
                within = options.get("target")
            elif node["x-scope"] == "relation":
                within, about = str(options.get("relation", "")).partition(".")[0], component.object
            return Mention("formula", text, within, pointer, about)
    return None


def _within(
    component: Component, rule: str | None, steps: tuple[str | int, ...], above: tuple[Any, ...]
) -> str | None:
    if rule == "object":
        return component.object
    if rule == "key":  # the key of the dict that holds this one: {"opportunity": {"amount": ...}}
        return str(steps[-2])
    if rule is not None and rule.startswith("sibling:"):
        key = rule.partition(":")[2]
        holder = next(each for each in reversed(above) if isinstance(each, Mapping) and key in each)
        return str(holder[key]).partition(".")[0]
    return None


# ---- resolving ------------------------------------------------------------------------------------


def atoms(mention: Mention, world: World) -> list[Atom]:
    """What a mention names. Names of nothing, of system fields and "*" give no atom."""
    if mention.kind == "formula":
        try:
            named = formula_references(mention.text)
        except FormulaError:
            return []
        return [atom for each in named for atom in _formula_atoms(each, mention, world)]
    if mention.kind == "path":
        return _path(tuple(mention.text.split(".")), 0, mention.within, world)
    full = mention.text if mention.within is None else f"{mention.within}.{mention.text}"
    found = world.part(mention.kind, full)
    if found is None:
        return []
    return [Atom((found.kind, found.name), 0, len(mention.text), mention.within is not None)]


def _formula_atoms(name: Reference, mention: Mention, world: World) -> list[Atom]:
    """A name of a formula is one of the object's, of the children around it, or that of a relation."""
    within = mention.within
    if name.path[0] == standing.RECORD:
        return _path(name.path[1:], name.start + len("$record."), mention.about or within, world)
    if within is not None:
        within = world.inside(within, name.within)
    lookup = world.relation(within, name.path) if within is not None and name.opens else None
    if lookup is None:
        return _path(name.path, name.start, within, world)
    end = name.start + len(name.path[0])
    made = [Atom(("object", lookup.object), name.start, end, False)]
    if lookup.component is not None:
        field = (end + 1, end + 1 + len(name.path[1])) if len(name.path) > 1 else (end, end)
        made.append(Atom(("field", lookup.path), *field, True))
    return made


def _path(path: tuple[str, ...], start: int, within: str | None, world: World) -> list[Atom]:
    made: list[Atom] = []
    if not path:
        return made
    if path[0] == standing.LABEL:
        label = world.part("custom_label", path[1]) if len(path) == 2 else None
        end = start + len(".".join(path))
        return [Atom((label.kind, label.name), start + len("$label."), end, False)] if label else made
    if path[0] == standing.USER:
        within, start, path = "user", start + len("$user."), path[1:]
    if within is None or not path:
        return made
    for step, field in zip(path, world.walk(within, path), strict=False):
        if field is not None and field.component is not None:
            made.append(Atom(("field", field.path), start, start + len(step), True))
        elif field is not None and "." in field.name and field.target:  # narrowed to one of its targets
            made.append(Atom(("object", field.target), start, start + len(step), False))
        start += len(step) + 1
    return made


def uses(component: Component, world: World) -> list[Use]:
    """The edges of the where-used graph that start at a component, each once per place."""
    found: dict[Use, None] = {}
    for mention in mentions(component):
        for atom in atoms(mention, world):
            kind, name = atom.named
            if atom.named != (component.kind, component.name):
                found[Use(component.kind, component.name, kind, name, mention.pointer)] = None
    return list(found)


# ---- renaming -------------------------------------------------------------------------------------


def renamed(tree: Tree, component: Component, name: str) -> list[Component]:
    """What changes when ``component`` gets another (full) name: itself, its parts, all that name it.

    Each is in canonical form; the renamed ones keep their former name as an alias. Nothing is checked but
    the form of the name (Invalid): that no other component has it is the tree's to say.
    """
    world = World(tree)
    new_names: dict[Named, str] = {(component.kind, component.name): name}
    if component.kind == "object":
        for part in tree.parts_of_object(component.name):
            new_names[part.kind, part.name] = f"{name}.{part.local}"
    tokens = {each.rpartition(".")[2].encode() for _, each in new_names}
    tokens |= {each.encode() for _, old in new_names for each in _former(tree, old)}
    changed = []
    for each in tree:
        mine = new_names.get((each.kind, each.name))
        if mine is None and not any(token in each.data.lower() for token in tokens):
            continue
        rewritten = _rewritten(each, world, new_names, mine)
        if rewritten != each:
            changed.append(rewritten)
    return changed


def _former(tree: Tree, name: str) -> list[str]:
    for kind in schema.kinds():
        found = tree.get(kind, name) if ("." in name) == schema.is_part_of_object(kind) else None
        if found is not None:
            return [alias.rpartition(".")[2] for alias in found.body.get("aliases", ())]
    return []


def _rewritten(
    component: Component, world: World, new_names: Mapping[Named, str], mine: str | None
) -> Component:
    root = schema.shared_schema_of(component.kind)

    def see(mention: Mention) -> str:
        text = mention.text
        for atom in reversed(atoms(mention, world)):
            new = new_names.get(atom.named)
            if new is not None and atom.start < atom.end:
                text = text[: atom.start] + (new.rpartition(".")[2] if atom.local else new) + text[atom.end :]
        return text

    document = _map(
        component, walk.nodes_for(root, component.document, root), component.document, (), (), see
    )
    if mine is not None and mine != component.name:
        former = dict.fromkeys([*document.get("aliases", ()), component.name])
        document["aliases"] = [each for each in former if each != mine]
        document["name"] = mine
    return documents.read(document)
