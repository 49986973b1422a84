"""The form of a component: its properties as inputs, with words, values, choices and faults.

Everything is read off the schema of the kind, so a new kind, field type or option has its input at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tabwright.admin_ui.editor import widgets
from tabwright.admin_ui.editor.reading import handled_apart
from tabwright.admin_ui.editor.references import Choice, References
from tabwright.metadata import schema, walk
from tabwright.metadata.schema import pointer_of
from tabwright.platform.errors import Fault
from tabwright.platform.language import Language, say_fault

FEW = 5  # so many choices are radios; more are a list
# Options of fields that few ever need: folded while nobody gave them.
RARE = frozenset({
    "min_length", "pattern", "pattern_message", "mask", "precision", "scale", "tree", "filter",
    "controlled_by", "matrix", "restricted", "extensions", "reparent", "per", "restart", "start",
})  # fmt: skip
ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a list or map: its number in the form, the key of a map, its inputs."""

    number: int
    entries: tuple[Entry, ...]
    key: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One input: ``name`` is what the form posts, ``pointer`` the place in the document that it is."""

    name: str
    pointer: str
    key: str
    title: str
    hint: str
    widget: str
    value: Any = None  # as the widget wants it: text, bool, {"zh", "en"}...
    required: bool = False
    default: str = ""  # what holds when nothing is given, in words
    is_default: bool = True
    choices: tuple[Choice, ...] = ()
    parts: tuple[Entry, ...] = ()  # of a group
    either: tuple[Entry, ...] = ()  # of a group: parts of which one is given; ``chosen`` is its key
    chosen: str = ""
    rows: tuple[Row, ...] = ()
    blank: Row | None = None  # what a new row looks like
    longest: int | None = None
    swaps: bool = False  # what else the form asks depends on it
    result: str = ""  # a formula: what it must give ("boolean", "field", "key")
    scope: str = ""  # a formula: whose fields it names ("object", "target")
    faults: tuple[Fault, ...] = ()
    texts: tuple[str, ...] = ()  # of ``faults``

    @property
    def is_rare(self) -> bool:
        """Whether it is folded: seldom needed, and nothing stands in it."""
        return self.key in RARE and self.is_default and not self.texts

    @property
    def id(self) -> str:
        return "f" + "".join(each if each.isalnum() else "-" for each in self.name)

    def all(self) -> Iterable[Entry]:
        """This one and every one inside."""
        yield self
        inside = [*self.parts, *self.either, *(each for row in self.rows for each in row.entries)]
        for each in inside:
            yield from each.all()


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where the walk stands: the way to here as the form names it and as the document does (a row of a map
    has a number in the one, a key in the other), what the schema says of it, and the value that is there.
    """

    names: tuple[str | int, ...]
    steps: tuple[str | int, ...]
    nodes: walk.Nodes
    value: Any

    def inside(self, name: str | int, step: str | int, nodes: walk.Nodes, value: Any) -> _Spot:
        """One step on."""
        return _Spot((*self.names, name), (*self.steps, step), nodes, value)


@dataclass(frozen=True, slots=True)
class Form:
    """A component's form. ``loose`` are faults that stand at no input."""

    kind: str
    entries: tuple[Entry, ...]
    loose: tuple[Fault, ...] = ()

    def find(self, pointer: str) -> Entry | None:
        """The entry of a property."""
        return next((each for top in self.entries for each in top.all() if each.pointer == pointer), None)


class FormMaker:
    """Makes the form of one document."""

    def __init__(
        self,
        kind: str,
        document: Mapping[str, Any],
        references: References,
        language: Language,
        faults: Sequence[Fault] = (),
    ) -> None:
        self._kind = kind
        self._document = document
        self._root = schema.shared_schema_of(kind)
        self._references = references
        self._language = language
        self._faults = list(faults)

    def make(self) -> Form:
        """The form, with each fault at the innermost input that it is about."""
        nodes = walk.nodes_for(self._root, self._document, self._root)
        entries = self._properties(_Spot((), (), nodes, self._document))
        pointers = {each.pointer for top in entries for each in top.all()}
        at: dict[str, list[Fault]] = {}
        loose = []
        for fault in self._faults:
            place = fault.place.pointer or ""
            while place and place not in pointers:
                place = place.rpartition("/")[0]
            at.setdefault(place, []).append(fault) if place else loose.append(fault)
        told = tuple(self._told(each, at) for each in entries)
        return Form(self._kind, told, tuple(loose))

    def _told(self, entry: Entry, at: Mapping[str, list[Fault]]) -> Entry:
        faults = tuple(at.get(entry.pointer, ()))
        return replace(
            entry,
            faults=faults,
            texts=tuple(dict.fromkeys(say_fault(each, self._language) for each in faults)),
            parts=tuple(self._told(each, at) for each in entry.parts),
            either=tuple(self._told(each, at) for each in entry.either),
            rows=tuple(
                replace(row, entries=tuple(self._told(each, at) for each in row.entries))
                for row in entry.rows
            ),
        )

    # ---- the walk --------------------------------------------------------------------------------

    def _properties(self, at: _Spot) -> tuple[Entry, ...]:
        needed = widgets.required_in(at.nodes)
        made = []
        for key in widgets.property_names(at.nodes):
            if not at.steps and handled_apart(self._kind, key):
                continue
            value = at.value.get(key) if isinstance(at.value, Mapping) else None
            below = widgets.below(at.nodes, key, value, self._root)
            if below is not None and (value or walk.mark(below, "x-shown") != "given"):
                entry = self._entry(at.inside(key, key, below, value), key in needed, at.value)
                decides = key in widgets.deciding_in(at.nodes)
                made.append(replace(entry, swaps=True) if decides else entry)
        return tuple(made)

    def _entry(self, at: _Spot, required: bool, holder: Any, title: str = "") -> Entry:
        """One input. ``title`` stands in where the schema has no word: values of maps."""
        steps, nodes, value = at.steps, at.nodes, at.value
        default = walk.mark(nodes, "default", ABSENT)
        widget = widgets.widget_of(nodes, value, self._root)
        base = Entry(
            pointer_of(at.names),
            pointer_of(steps),
            str(steps[-1]),
            self._word(nodes, "title") or title or str(steps[-1]),
            self._word(nodes, "description"),
            widget,
            required=required,
            is_default=value is None or value == default,
            longest=walk.mark(nodes, "maxLength"),
        )
        match widget:
            case "group":
                return self._group(base, at)
            case "rows":
                return self._list(base, at)
            case "map":
                return self._map(base, at)
            case "references":
                return self._named(base, at, holder)
        return self._plain(base, at, default, holder)

    def _plain(self, base: Entry, at: _Spot, default: Any, holder: Any) -> Entry:
        nodes, value = at.nodes, at.value
        effective = default if value is None else value
        match base.widget:
            case "check":
                return replace(base, value=effective is True)
            case "choice" | "colour":
                choices = self._choices(nodes, walk.mark(nodes, "enum"))
                chosen = widgets.words_of(effective) if effective is not ABSENT else ""
                # Radios cannot be taken back, so something must hold in any case.
                sure = default is not ABSENT or base.required
                few = base.widget == "choice" and len(choices) <= FEW and sure
                return replace(base, widget="radio" if few else base.widget, choices=choices, value=chosen)
            case "checks":
                item = widgets.item_nodes(nodes, "", self._root)
                return replace(base, choices=self._choices(item, walk.mark(item, "enum")), value=value or [])
            case "reference":
                return replace(
                    base, choices=self._referred(nodes, at, holder, str(value or "")), value=value or ""
                )
            case "formula":
                return replace(
                    base,
                    value=value or "",
                    result=str(walk.mark(nodes, "x-formula")),
                    scope=str(walk.mark(nodes, "x-scope")),
                )
            case "lines":
                return replace(base, value="\n".join(value or ()))
            case "json":
                text = "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)
                return replace(base, value=text)
            case "labels" | "texts":
                item = walk.child(nodes, "zh", "", self._root)
                longest = walk.mark(item, "maxLength")
                return replace(base, value=value if isinstance(value, Mapping) else {}, longest=longest)
        shown = "" if value is None else str(value)
        return replace(base, value=shown, default="" if default is ABSENT else str(default))

    def _group(self, base: Entry, at: _Spot) -> Entry:
        parts = self._properties(at)
        keys = widgets.alternatives(at.nodes)
        if not keys:
            return replace(base, parts=parts)
        either = tuple(each for each in parts if each.key in keys)
        given = next((key for key in keys if isinstance(at.value, Mapping) and key in at.value), keys[0])
        rest = tuple(each for each in parts if each.key not in keys)
        return replace(base, parts=rest, either=either, chosen=given)

    def _list(self, base: Entry, at: _Spot) -> Entry:
        def row(number: int, each: Any) -> Row:
            item = widgets.item_nodes(at.nodes, each, self._root)
            made = self._properties(at.inside(number, number, item, each))
            return Row(number, tuple(sorted(made, key=lambda entry: entry.key != "label")))  # words first

        given = at.value if isinstance(at.value, list) else []
        rows = tuple(row(number, each) for number, each in enumerate(given))
        return replace(base, rows=rows, blank=row(len(rows), {}))

    def _named(self, base: Entry, at: _Spot, holder: Any) -> Entry:
        item = widgets.item_nodes(at.nodes, "", self._root)
        given = [str(each) for each in at.value or ()]
        every = self._references.takes_all(item)
        return replace(base, value=given, choices=(*every, *self._referred(item, at, holder, *given)))

    def _map(self, base: Entry, at: _Spot) -> Entry:
        keyed = walk.key_nodes(at.nodes, "a", self._root)
        given = dict(at.value) if isinstance(at.value, Mapping) else {}

        def row(number: int, key: str, each: Any) -> Row:
            below = walk.child(at.nodes, key, each, self._root)
            inner = self._entry(at.inside(number, key, below, each), True, given, base.title)
            return Row(number, (inner,), key)

        rows = tuple(row(number, key, each) for number, (key, each) in enumerate(given.items()))
        choices: tuple[Choice, ...] = ()  # without a reference a key is typed
        if walk.mark(keyed, "x-reference") is not None:
            choices = self._referred(keyed, at, given, *given)
        return replace(base, rows=rows, blank=row(len(rows), "", None), choices=choices)

    def _referred(self, nodes: walk.Nodes, at: _Spot, holder: Any, *given: str) -> tuple[Choice, ...]:
        """The components that a name here may be of; ``given`` stay among them whatever they name."""
        rule, kind = walk.mark(nodes, "x-within"), walk.mark(nodes, "x-reference")
        return self._references.choices(kind, rule, self._document, at.steps, holder, *given)

    # ---- words -----------------------------------------------------------------------------------

    def _word(self, nodes: walk.Nodes, what: str) -> str:
        if self._language == "zh":
            return str(walk.mark(nodes, f"x-{what}-zh") or walk.mark(nodes, what) or "")
        return str(walk.mark(nodes, what) or "")

    def _choices(self, nodes: walk.Nodes, allowed: Iterable[Any]) -> tuple[Choice, ...]:
        labels = walk.mark(nodes, "x-labels", {})
        made = []
        for each in allowed:
            word = widgets.words_of(each)
            said = labels.get(word, {})
            made.append(Choice(word, said.get(self._language) or said.get("en") or word))
        return tuple(made)
