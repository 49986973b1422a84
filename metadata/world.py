"""The components of a tree, found by name: what a compile looks at, and a record of what it looked at.

``World`` is the index of one tree. A ``Lens`` is one piece's view of it: every question about something
outside the piece is noted with the signature of its answer, so that the next compile can tell whether the
piece would come out the same. Names are found by alias too, and in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from tabwright.formula import standing
from tabwright.formula.aggregates import Relation
from tabwright.formula.checker import Blanks
from tabwright.formula.compiler import Formula, compile_formula
from tabwright.formula.datatypes import Type, picklist, reference
from tabwright.formula.faults import FormulaError
from tabwright.formula.figures import NOWHERE
from tabwright.formula.rewrite import references as names_in
from tabwright.formula.scope import Behind, Scope
from tabwright.formula.typed import read
from tabwright.metadata import fieldtypes, limits, relations, roll_ups
from tabwright.metadata.addresses import LONGEST
from tabwright.metadata.documents import Component
from tabwright.metadata.tree import SubTree, Tree

Question = tuple[str, ...]

# Fields that every object has. Name -> (type, labels); in this order after the object's own.
SYSTEM_FIELDS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "id": ("id", {"zh": "记录标识", "en": "Record ID"}),
    "owner": ("owner", {"zh": "所有人", "en": "Owner"}),
    "record_type": ("record_type", {"zh": "业务类型", "en": "Record type"}),
    "created_at": ("datetime", {"zh": "创建时间", "en": "Created"}),
    "created_by": ("user", {"zh": "创建人", "en": "Created by"}),
    "updated_at": ("datetime", {"zh": "修改时间", "en": "Last changed"}),
    "updated_by": ("user", {"zh": "修改人", "en": "Last changed by"}),
    "revision": ("revision", {"zh": "修订号", "en": "Revision"}),
}
EDITABLE_SYSTEM_FIELDS = frozenset({"owner", "record_type"})
# Names that no field may have: the system fields, and columns that stand beside them.
RESERVED_FIELDS = frozenset(SYSTEM_FIELDS) | {"deleted_at", "owner_kind"}


@dataclass(frozen=True, slots=True)
class FieldSource:
    """A field as its document has it. ``component`` is None for a system field.

    Of a computed field ``type`` and ``options`` are those of its values; a mirror's are its end's, which only
    the World knows (``World.field``).
    """

    object: str
    name: str
    type: str
    options: Mapping[str, Any]
    component: Component | None
    computed: fieldtypes.ComputedKind | None = None

    @staticmethod
    def of(component: Component) -> FieldSource:
        """The field of a document."""
        body, object = component.body, component.name.partition(".")[0]
        type, options = body["type"], body.get("options", {})
        if type not in fieldtypes.COMPUTED:
            return FieldSource(object, component.local, type, options, component)
        returned = fieldtypes.returned(type, options)
        return FieldSource(object, component.local, *returned, component, type)

    @property
    def text(self) -> str:
        """The formula of a computed field; the path of a mirror is one, and of a snapshot."""
        given = self.component.body.get("options", {}) if self.component else {}
        if self.computed == "roll_up":
            return roll_ups.written(given).text
        found: str = given.get("path" if self.computed in fieldtypes.COPIED else "formula", "")
        return found

    @property
    def is_stored(self) -> bool:
        """Whether a column holds its values: those of virtual fields are worked out when they are read."""
        if self.computed in (None, "roll_up", "snapshot"):
            return True
        return self.component is not None and bool(self.component.body["options"].get("stored", False))

    @property
    def path(self) -> str:
        return f"{self.object}.{self.name}"

    @property
    def is_active(self) -> bool:
        """Whether it is in use; system fields always are."""
        return self.component is None or bool(self.component.body.get("active", True))

    @property
    def target(self) -> str | None:
        """The object that a reference names, as written."""
        if fieldtypes.TYPES[self.type].links:
            target: str = self.options["target"]
            return target
        return "user" if self.type in ("user", "owner") else None

    @property
    def targets(self) -> tuple[str, ...]:
        """The objects that a reference names, as written: one, or those of a polymorphic field."""
        if fieldtypes.TYPES[self.type].several:
            return tuple(self.options.get("targets", ()))
        return (self.target,) if self.target else ()

    @property
    def is_dotted(self) -> bool:
        """Whether the step behind it in a path is its own: a target of a polymorphic field, a part."""
        kind = fieldtypes.TYPES[self.type]
        return kind.several or bool(kind.parts)

    def part(self, name: str) -> FieldSource:
        """A part of an address."""
        return FieldSource(self.object, f"{self.name}.{name}", "text", {"max_length": LONGEST[name]}, None)

    def narrowed(self, target: str) -> FieldSource:
        """A polymorphic field as a lookup to one of its targets."""
        return FieldSource(self.object, f"{self.name}.{target}", "lookup", {"target": target}, None)

    @property
    def signature(self) -> str:
        return self.component.digest if self.component else "system"


class ObjectSource:
    """The components of one object, by kind and by name. Derived from its sub-tree alone and kept with it."""

    def __init__(self, part: SubTree) -> None:
        self.part = part
        self.component = next((each for (kind, _), each in part.components.items() if kind == "object"), None)
        self.name = next(iter(part.components))[1].partition(".")[0]
        self.by_kind: dict[str, list[Component]] = {}
        for (kind, _), each in part.components.items():
            self.by_kind.setdefault(kind, []).append(each)
        # Components are made in the admin's order, and uids (version 7) keep it.
        for each_kind in self.by_kind.values():
            each_kind.sort(key=lambda each: each.uid)

    @staticmethod
    def of(part: SubTree) -> ObjectSource:
        notes = part.notes
        if "source" not in notes:
            notes["source"] = ObjectSource(part)
        source: ObjectSource = notes["source"]
        return source

    @cached_property
    def fields(self) -> Mapping[str, FieldSource]:
        """Own fields in order (the name field first), then system fields."""
        name_field = self.component.body.get("name_field") if self.component else None
        own = sorted(self.by_kind.get("field", ()), key=lambda each: each.local != name_field)
        found = {each.local: FieldSource.of(each) for each in own}
        for name, (type, _) in SYSTEM_FIELDS.items():
            found.setdefault(name, FieldSource(self.name, name, type, {}, None))
        return found

    @cached_property
    def field_aliases(self) -> Mapping[str, str]:
        """Former name -> name; a former name that another field has now answers for that one."""
        found: dict[str, str] = {}
        for each in self.by_kind.get("field", ()):
            for alias in each.body.get("aliases", ()):
                local = alias.rpartition(".")[2]
                if local not in self.fields:
                    found.setdefault(local, each.local)
        return found

    def field(self, name: str) -> FieldSource | None:
        return self.fields.get(name) or self.fields.get(self.field_aliases.get(name, ""))

    @cached_property
    def lookups(self) -> tuple[FieldSource, ...]:
        return tuple(
            each for each in self.fields.values() if each.component and each.targets and each.computed is None
        )

    @cached_property
    def record_type_names(self) -> tuple[str, ...]:
        return tuple(each.local for each in self.by_kind.get("record_type", ()))


# A mirror's type is its end's, but for those that mean more than their value.
_MIRRORED: Mapping[str, str] = {
    "master_detail": "lookup",
    "owner": "user",
    "auto_number": "text",
    "id": "lookup",
    "revision": "integer",
}


@dataclass(frozen=True, slots=True)
class Derived:
    """The formula of a computed field, or why it is none; and what the compile of it asked the world."""

    formula: Formula | None
    error: FormulaError | None
    seen: Mapping[Question, str]


class World:
    """One tree, by name."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self._mirrors: dict[str, FieldSource] = {}
        self._derived: dict[str, Derived] = {}
        self._rings: dict[str, tuple[FieldSource, ...]] = {}
        self.objects: dict[str, ObjectSource] = {}
        self.orphans: list[ObjectSource] = []  # parts of an object that is not there
        for name, part in tree.parts.items():
            if name.startswith("object/"):
                source = ObjectSource.of(part)
                if source.component is None:
                    self.orphans.append(source)
                else:
                    self.objects[source.name] = source

    @cached_property
    def object_aliases(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for source in self.objects.values():
            assert source.component is not None
            for alias in source.component.body.get("aliases", ()):
                if alias not in self.objects:
                    found.setdefault(alias, source.name)
        return found

    @cached_property
    def _children(self) -> Mapping[str, tuple[FieldSource, ...]]:
        found: dict[str, list[FieldSource]] = {}
        for source in self.objects.values():
            for each in source.lookups:
                for name in each.targets:
                    target = self.object(name)
                    if target is not None:
                        found.setdefault(target.name, []).append(each)
        return {name: tuple(each) for name, each in found.items()}

    @cached_property
    def _global(self) -> Mapping[str, Mapping[str, Component]]:
        """Kind -> name or former name -> component, for the kinds that belong to no object."""
        found: dict[str, dict[str, Component]] = {}
        for kind, part in self.tree.parts.items():
            if kind.startswith("object/"):
                continue
            names = {each.name: each for each in part.components.values()}
            for each in part.components.values():
                for alias in each.body.get("aliases", ()):
                    names.setdefault(alias, each)
            found[kind] = names
        return found

    def object(self, name: str) -> ObjectSource | None:
        return self.objects.get(name) or self.objects.get(self.object_aliases.get(name, ""))

    def field(self, object: str, name: str) -> FieldSource | None:
        source = self.object(object)
        found = source.field(name) if source else None
        return self.settled(found) if found is not None else None

    def fields(self, object: str) -> tuple[FieldSource, ...]:
        """All fields of an object, in order."""
        source = self.object(object)
        return tuple(map(self.settled, source.fields.values())) if source else ()

    # ---- computed fields --------------------------------------------------------------------------

    def settled(self, field: FieldSource) -> FieldSource:
        """The field, of a mirror or a snapshot with the type and the options of what it shows; where it shows
        nothing that there is, as it stands.
        """
        if field.computed not in fieldtypes.COPIED:
            return field
        found = self._mirrors.get(field.path)
        if found is None:
            self._mirrors[field.path] = field  # a mirror in a ring of mirrors finds itself
            end = self.walk(field.object, tuple(field.text.split(".")))[-1]
            if end is not None:
                found = self._shown_by(field, end)
            self._mirrors[field.path] = found = found or field
        return found

    def _shown_by(self, field: FieldSource, end: FieldSource) -> FieldSource:
        type, options = _MIRRORED.get(end.type, end.type), end.options
        match end.type:
            case "master_detail":
                options = {"target": options["target"]}
            case "id":
                options = {"target": end.object}
            case "auto_number":
                options = {"max_length": 80}
            case "owner" | "revision":
                options = {}
            case "record_type":
                source = self.object(end.object)
                kinds = source.by_kind.get("record_type", ()) if source else ()
                values = [
                    {"code": each.local, "label": each.body.get("label", {"en": each.local})}
                    for each in kinds
                ]
                type, options = "picklist", {"values": values}
        dropped = ("filter", "tree", "on_delete", "controlled_by", "matrix", "min_length", "pattern")
        options = {key: value for key, value in options.items() if key not in dropped}
        return replace(field, type=type, options=options)

    def straight(self, object: str, path: tuple[str, ...]) -> tuple[str, ...] | None:
        """A path with what stands behind the virtual lookups on its way in their places: the path that a
        mirror shows. None where one of them is worked out by more than a path.
        """
        done: list[str] = []
        for number, field in enumerate(self.walk(object, path)):
            virtual = field is not None and not field.is_stored and number < len(path) - 1
            if field is None or not virtual:
                done.append(path[number])
                continue
            formula = None if self.ring(field) else self.derived(field).formula
            if formula is None or formula.root.op != "read" or formula.root.data.path[0].startswith("$"):
                return None
            done += formula.root.data.path
        return tuple(done)

    def ring(self, field: FieldSource) -> tuple[FieldSource, ...]:
        """The computed fields by which a field is worked out from itself, it first; none where it is not."""
        found = self._rings.get(field.path)
        if found is None:
            found = self._rings[field.path] = tuple(self._way_back(field))
        return found

    def _way_back(self, field: FieldSource) -> list[FieldSource]:
        before: dict[str, FieldSource | None] = {field.path: None}
        waiting = [field]
        for here in waiting:
            for each in self.used_by(here):
                if each.path == field.path:
                    found = [here]
                    while (above := before[found[0].path]) is not None:
                        found.insert(0, above)
                    return found
                if each.path not in before:
                    before[each.path] = here
                    waiting.append(each)
        return []

    def used_by(self, field: FieldSource) -> tuple[FieldSource, ...]:
        """The computed fields that the formula of a field names, on the way and at the end of its paths."""
        if field.computed in (None, "snapshot"):  # a snapshot does not follow what it was taken of
            return ()
        try:
            names = names_in(field.text)
        except FormulaError:
            return ()
        found: dict[str, FieldSource] = {}
        for name in names:
            path, about = name.path, self.inside(field.object, name.within)
            if name.opens and self.relation(about, path) is not None:
                continue
            match path[0]:
                case standing.USER:
                    steps = self.walk("user", path[1:]) if len(path) > 1 else []
                case standing.RECORD:
                    steps = self.walk(field.object, path[1:]) if len(path) > 1 else []
                case _:
                    steps = self.walk(about, path)
            found |= {each.path: each for each in steps if each is not None and each.computed}
        return tuple(each for each in found.values() if each.computed != "snapshot")

    def inside(self, object: str, within: Iterable[tuple[str, ...]]) -> str:
        """The object that a name in a formula about ``object`` belongs to: that of the innermost relation."""
        for path in within:
            relation = self.relation(object, path)
            if relation is not None:
                object = relation.object
        return object

    def derived(self, field: FieldSource) -> Derived:
        """The formula of a computed field. Not of one that stands in a ring."""
        known = self._derived.get(field.path)
        if known is None:
            field = self.settled(field)
            lens = Lens(self, None)
            formula, error = None, None
            blanks: Blanks = "blank"
            if field.computed == "formula" and field.component is not None:
                blanks = field.component.body["options"].get("blanks", "zero")
            try:
                formula = compile_formula(
                    field.text,
                    RecordScope(lens, field.object),
                    expected=self.type_of(field),
                    blanks=blanks,
                )
            except FormulaError as found:
                error = found
            known = self._derived[field.path] = Derived(formula, error, lens.seen)
        return known

    def children(self, object: str) -> tuple[FieldSource, ...]:
        """Lookups of any object that name this one."""
        return self._children.get(object, ())

    def kin(self, object: str) -> tuple[FieldSource, ...]:
        """The lookups that make relations of an object: ``children``, and of people what they own."""
        found = self.children(object)
        if object != "user":
            return found
        owners = (source.fields[relations.BY_OWNER] for source in self.objects.values())
        return (*found, *owners)

    def relation(self, object: str, path: tuple[str, ...]) -> FieldSource | None:
        """The lookup of other records that a path stands for as a relation; former names are understood."""
        source = self.object(path[0])
        if source is None:
            return None
        steps: tuple[str, ...] = (source.name,)
        if len(path) == 2:
            field = source.field(path[1])
            steps = (source.name, field.name if field is not None else path[1])
        elif len(path) > 2:
            return None
        return relations.chosen(steps, self.kin(object), lambda name: self.field(object, name) is not None)

    def relation_names(self, object: str) -> list[str]:
        """The shortest name of each relation of an object."""
        return relations.names(self.kin(object), lambda name: self.field(object, name) is not None)

    def tree_of(self, object: str) -> FieldSource | None:
        """The lookup of an object to itself that makes a tree of its records."""
        source = self.object(object)
        marked = (each for each in source.fields.values() if each.options.get("tree")) if source else ()
        return next((each for each in marked if each.type == "lookup"), None)

    def part(self, kind: str, name: str) -> Component | None:
        """The component of a kind by its full name, former names included."""
        if "." not in name:
            if kind == "object":
                source = self.object(name)
                return source.component if source else None
            return self._global.get(kind, {}).get(name)
        object, _, local = name.partition(".")
        source = self.object(object)
        if source is None:
            return None
        if kind == "field":
            field = source.field(local)
            return field.component if field else None
        for each in source.by_kind.get(kind, ()):
            if each.local == local:
                return each
        for each in source.by_kind.get(kind, ()):
            if any(alias.rpartition(".")[2] == local for alias in each.body.get("aliases", ())):
                return each
        return None

    def names(self, kind: str, within: str | None = None) -> Iterable[str]:
        """What could have been meant: names of a kind; of an object's fields, when ``within`` is given."""
        if within is not None:
            source = self.object(within)
            return source.fields if source else ()
        if kind == "object":
            return self.objects
        if kind in self._global:
            return self._global[kind]
        return (each.name for source in self.objects.values() for each in source.by_kind.get(kind, ()))

    # ---- types ------------------------------------------------------------------------------------

    def codes(self, field: FieldSource) -> frozenset[str] | None:
        """The codes of a picklist field, inactive ones included; None when it takes others too."""
        if not field.options.get("restricted", True):
            return None
        values = field.options.get("values")
        if values is None:
            shared = self.part("picklist", field.options.get("global", ""))
            values = shared.body["values"] if shared else []
        return frozenset(value["code"] for value in values)

    def type_of(self, field: FieldSource) -> Type:
        """What a formula sees of a field."""
        if field.type == "id":
            return reference(field.object)
        if field.type == "record_type":
            source = self.object(field.object)
            return picklist(source.record_type_names if source else ())
        codes = self.codes(field) if fieldtypes.TYPES[field.type].picks else None
        return fieldtypes.value_type(field.type, field.options, codes)

    def walk(self, object: str, path: tuple[str, ...]) -> list[FieldSource | None]:
        """The fields along a path from an object, one a step; ends with None where there is no such field.

        Behind a polymorphic field stands the name of one of its targets (``related.account.industry``): that
        step is the field narrowed to it.
        """
        found: list[FieldSource | None] = []
        at: str | None = object
        before: FieldSource | None = None
        if len(path) > limits.lookup_path + 1:
            return [None]
        for step in path:
            if before is not None and before.is_dotted:
                field = self.narrowed(before, step)
            else:
                field = self.field(at, step) if at is not None else None
            found.append(field)
            if field is None:
                break
            at, before = field.target, field
        return found

    def narrowed(self, field: FieldSource, step: str) -> FieldSource | None:
        """A polymorphic field narrowed to the target of that name, an address to its part; None where there
        is none such.
        """
        if fieldtypes.TYPES[field.type].parts:
            return field.part(step) if step in fieldtypes.TYPES[field.type].parts else None
        target = self.object(step)
        known = {each.name for name in field.targets if (each := self.object(name)) is not None}
        return field.narrowed(target.name) if target is not None and target.name in known else None

    # ---- signatures -------------------------------------------------------------------------------

    def signature(self, question: Question) -> str:
        """What the answer to a question depends on: equal signatures, equal answers."""
        match question:
            case ("field", object, name):
                field = self.field(object, name)
                if field is None:
                    return ""
                return self._told(field)
            case ("fields", object):
                source = self.object(object)
                return ",".join(source.fields) if source else ""
            case ("tree", object):
                tree = self.tree_of(object)
                return tree.name if tree else ""
            case ("label", name):
                found = self.part("custom_label", name)  # its text reaches formulas by their moment
                return found.name if found else ""
            case ("children", object):
                return ",".join(each.path + each.signature for each in self.children(object))
            case (kind, name):
                found = self.part(kind, name)
                return found.name + found.digest if found else ""
        raise ValueError(question)

    def _told(self, field: FieldSource) -> str:
        """What is known of a field; of a mirror what is known of those that it shows, too."""
        told = ""
        passed: set[str] = set()
        while field.computed in fieldtypes.COPIED and field.path not in passed:
            passed.add(field.path)
            told += field.path + field.signature
            end = self.walk(field.object, tuple(field.text.split(".")))[-1]
            if end is None:
                return told
            field = end
        return told + self._told_alone(field)

    def _told_alone(self, field: FieldSource) -> str:
        if "global" in field.options:
            shared = self.part("picklist", field.options["global"])
            return field.path + field.signature + (shared.digest if shared else "")
        if field.type == "record_type":
            return field.path + ",".join(self.objects[field.object].record_type_names)
        return field.path + field.signature


class Lens:
    """One piece's view of the world. What it asks about its own object is not noted."""

    def __init__(self, world: World, own: str | None) -> None:
        self.world = world
        self.own = own
        self.seen: dict[Question, str] = {}

    def _note(self, *question: str) -> None:
        if question not in self.seen:
            self.seen[question] = self.world.signature(question)

    def object(self, name: str) -> ObjectSource | None:
        if name != self.own:
            self._note("object", name)
        return self.world.object(name)

    def field(self, object: str, name: str) -> FieldSource | None:
        found = self.world.field(object, name)
        if object != self.own or (found is not None and "global" in found.options):
            self._note("field", object, name)
        return found

    def fields(self, object: str) -> tuple[FieldSource, ...]:
        """All fields of an object, in order."""
        if object != self.own:
            self._note("fields", object)
        return self.world.fields(object)

    def derived(self, field: FieldSource) -> Derived:
        """As ``World.derived``; what that asked is asked here too."""
        found = self.world.derived(field)
        for question, answer in found.seen.items():
            self.seen.setdefault(question, answer)
        return found

    def children(self, object: str) -> tuple[FieldSource, ...]:
        self._note("children", object)
        return self.world.children(object)

    def relation(self, object: str, path: tuple[str, ...]) -> FieldSource | None:
        """As ``World.relation``."""
        self._note("children", object)
        found = self.world.relation(object, path)
        if len(path) == 1:
            self.field(object, path[0])
        if found is not None:
            self.object(found.object)
            self.field(found.object, found.name)
        return found

    def tree_of(self, object: str) -> FieldSource | None:
        """As ``World.tree_of``; what is asked is only which one it is."""
        self._note("tree", object)
        return self.world.tree_of(object)

    def label(self, name: str) -> Component | None:
        """The custom label of that name; what is asked is only that there is one."""
        self._note("label", name)
        return self.world.part("custom_label", name)

    def part(self, kind: str, name: str) -> Component | None:
        if self.own is None or name.partition(".")[0] != self.own:
            self._note(kind, name)
        return self.world.part(kind, name)

    def walk(self, object: str, path: tuple[str, ...]) -> list[FieldSource | None]:
        """As ``World.walk``, noting each step."""
        found = self.world.walk(object, path)
        at: str | None = object
        several = dotted = False
        for step, field in zip(path, found, strict=False):
            if several:
                self.object(step)
            elif dotted:
                pass
            elif at is not None:
                self.field(at, step)
            at = field.target if field else None
            several = field is not None and fieldtypes.TYPES[field.type].several
            dotted = field is not None and field.is_dotted
        return found


class RecordScope:
    """What a formula about one object's record may name: its fields, paths through lookups, ``$user``, and
    custom labels.

    Behind the name of a computed field stands its formula. Without ``inside`` its value is read, as it shows:
    so do conditions that a database runs on what people see.
    """

    def __init__(self, lens: Lens, object: str, inside: bool = True) -> None:
        self._lens = lens
        self._object = object
        self._inside = inside

    def _start(self, path: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
        return ("user", path[1:]) if path and path[0] == "$user" else (self._object, path)

    def type_of(self, path: tuple[str, ...]) -> Type | None:
        object, steps = self._start(path)
        if not steps:
            return reference("user") if path else None
        last = self._lens.walk(object, steps)[-1]
        if last is None or (self._inside and self._lens.world.straight(object, steps) is None):
            return None
        return self._lens.world.type_of(last)

    def behind(self, path: tuple[str, ...]) -> Behind | None:
        object, steps = self._start(path)
        if not self._inside or not steps or steps is not path:
            return None  # of the person who acts only what is stored is at hand
        walked = self._lens.walk(object, steps)
        for each in walked:
            if each is not None and each.computed in ("formula", "mirror"):
                if not self._lens.world.ring(each):
                    self._lens.derived(each)
        end, straight = walked[-1], self._lens.world.straight(object, steps)
        if end is None or straight is None:
            return None
        kept = end.computed in (None, "roll_up", "snapshot")  # has a column, and that is read
        if kept or self._lens.world.ring(end):
            if straight == path:
                return None
            return Behind((), read(straight, self._lens.world.type_of(end), NOWHERE), 0)
        formula = self._lens.derived(end).formula
        return formula.behind(straight[:-1], end.is_stored) if formula is not None else None

    def relation(self, path: tuple[str, ...]) -> tuple[Relation, Scope] | None:
        found = self._lens.relation(self._object, path)
        if found is None:
            return None
        parent = self._lens.world.object(self._object)
        assert parent is not None
        field = f"{found.name}.{parent.name}" if len(found.targets) > 1 or found.is_dotted else found.name
        return Relation(found.object, field, parent.name), RecordScope(self._lens, found.object)

    def relations(self) -> Iterable[str]:
        return self._lens.world.relation_names(self._object)

    def suggestions(self, path: tuple[str, ...]) -> Iterable[str]:
        object, steps = self._start(path)
        at: str | None = object
        if steps:
            last = self._lens.world.walk(object, steps)[-1]
            if last is not None and last.is_dotted:
                return last.targets or fieldtypes.TYPES[last.type].parts
            at = last.target if last else None
        source = self._lens.world.object(at) if at else None
        names = list(source.fields) if source else []
        return names

    def label(self, name: str) -> str | None:
        found = self._lens.label(name)
        return found.name if found is not None else None

    def labels(self) -> Iterable[str]:
        return self._lens.world.names("custom_label")
