"""The rights of every permission set on one object, as a table: what may be done, and each field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine
from tabwright.admin_ui.navigation import href_of, path
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata import schema
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Put
from tabwright.platform.errors import Fault, Invalid, NotFound, Place
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.access.rights import BASE, with_implied
from tabwright.runtime.pages.signing import redirect

ANY: Final = "*"  # every object, every field
LEVELS: Final = ("none", "read", "edit")


@dataclass(frozen=True, slots=True)
class SetHead:
    """One column: a permission set. ``digest`` is of what the page shows, for the optimistic check."""

    uid: str
    name: str
    label: str
    href: str
    digest: str
    locked: bool


@dataclass(frozen=True, slots=True)
class Box:
    """One right of one set: ``stated`` in it, or ``implied`` by another that is."""

    name: str
    stated: bool
    implied: bool
    locked: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """One field in one set: its own word ("" follows the row above all fields), and what comes of it."""

    name: str
    own: str
    follows: str
    locked: bool


@dataclass(frozen=True, slots=True)
class Row:
    key: str
    label: str
    note: str
    cells: tuple[Any, ...]


# ---- what a permission set says ---------------------------------------------------------------------------


def operations_of(document: Mapping[str, Any], object: str, is_base: bool) -> frozenset[str]:
    """What a set states for an object: by its name, else for every object (never for those of the base)."""
    said = document.get("objects", {})
    if object in said:
        return frozenset(said[object])
    return frozenset() if is_base else frozenset(said.get(ANY, ()))


def word_of(document: Mapping[str, Any], object: str, field: str) -> str:
    """The set's own word for a field (or ``*``) of the object, "" where it has none."""
    return str(document.get("fields", {}).get(object, {}).get(field, ""))


def follows(document: Mapping[str, Any], object: str, field: str, by_name: bool = False) -> str:
    """The word that holds for a field without one of its own; ``by_name``: fields have only their own."""
    said = document.get("fields", {})
    if by_name:
        return "none"
    for words, names in ((said.get(object, {}), (ANY,)), (said.get(ANY, {}), (field, ANY))):
        for name in names:
            if name in words and not (words is said.get(object) and field == ANY):
                return str(words[name])
    return "none"


def changed(
    document: Mapping[str, Any], object: str, is_base: bool, form: Mapping[str, Any]
) -> dict[str, Any]:
    """The document with the rights that a form states for the object; what says nothing new is left out.

    ``form`` is ``{"operations": set of names, "fields": {field or *: word or ""}}``. Raises Invalid for a
    word that there is none of.
    """
    made: dict[str, Any] = deepcopy(dict(document))
    if form["operations"] != operations_of(document, object, is_base):
        objects = made.setdefault("objects", {})
        objects.pop(object, None)
        if form["operations"] != operations_of(made, object, is_base):
            _state(made, objects, object, form["operations"])
    for field, word in form["fields"].items():
        if word and word not in LEVELS:
            raise Invalid.of("studio.access.bad_word", Place(field=field), word=str(word)[:40])
        words = made.setdefault("fields", {}).setdefault(object, {})
        if word:
            words[field] = word
        else:
            words.pop(field, None)
    for key in ("objects", "fields"):
        made[key] = {name: value for name, value in made.get(key, {}).items() if value}
        if not made[key]:
            del made[key]
    return made


def _state(made: dict[str, Any], objects: dict[str, Any], object: str, wanted: frozenset[str]) -> None:
    if wanted:
        objects[object] = sorted(wanted)
        return
    # A set that allows everything on all objects cannot except one: its "*" would hold again.
    raise Invalid.of(
        "studio.access.by_star", Place(component=f"permission_set/{made['name']}"), object=object
    )


# ---- the page ---------------------------------------------------------------------------------------------


class Matrix:
    """The table of one object, for the draft of who asks."""

    def __init__(self, studio: Studio, object: Component) -> None:
        self.studio = studio
        self.object = object
        self.is_base = object.body.get("package") == BASE
        self.by_name = object.body.get("field_access") == "granted"
        self.sets = studio.drafting.all("permission_set")

    def heads(self) -> Iterator[SetHead]:
        """The columns."""
        for each in self.sets:
            locked = each.body.get("package") == BASE or not self.studio.may_change
            label = self.studio.label(each)
            yield SetHead(each.uid, each.name, label, href_of(each.kind, each.name), each.digest, locked)

    def operations(self) -> Iterator[Row]:
        """The rows of what may be done with records."""
        heads = tuple(self.heads())
        stated = [operations_of(each.document, self.object.name, self.is_base) for each in self.sets]
        for name, label in _labels("objects", "additionalProperties", "items", self.studio.call.language):
            cells = tuple(
                Box(f"{head.uid}:o:{name}", name in said, name in with_implied(said - {name}), head.locked)
                for head, said in zip(heads, stated, strict=True)
            )
            yield Row(name, label, "", cells)

    def fields(self) -> Iterator[Row]:
        """The rows of fields: first what holds for every field without a word of its own."""
        s = self.studio.s
        if not self.by_name:
            yield self._field(ANY, s("access.every_field"), s("access.every_field_note"))
        for each in self.studio.drafting.all("field", self.object.name):
            yield self._field(each.local, self.studio.label(each), each.local)

    def _field(self, field: str, label: str, note: str) -> Row:
        cells = tuple(
            Choice(
                f"{head.uid}:f:{field}",
                word_of(each.document, self.object.name, field),
                follows(each.document, self.object.name, field, self.by_name),
                head.locked,
            )
            for head, each in zip(self.heads(), self.sets, strict=True)
        )
        return Row(field, label, note, cells)

    def save(self) -> int:
        """Put every set that the form changes into the draft; how many. Raises Invalid, Conflict."""
        form, names = request.form, {row.key for row in self.fields()}
        known = {row.key for row in self.operations()}
        changes, seen = [], {}
        for head, each in zip(self.heads(), self.sets, strict=True):
            if head.locked or head.uid not in form:
                continue
            given = {
                "operations": frozenset(
                    name for name in known if f"{head.uid}:o:{name}" in form
                ) | _kept(each.document, self.object.name, known),
                "fields": {
                    name: form[f"{head.uid}:f:{name}"] for name in names if f"{head.uid}:f:{name}" in form
                },
            }  # fmt: skip
            document = changed(each.document, self.object.name, self.is_base, given)
            if document != each.document:
                changes.append(Put(document))
                seen[(each.kind, each.name)] = form[head.uid]
        if changes:
            self.studio.drafting.change(*changes, seen=seen)
        return len(changes)


def _kept(document: Mapping[str, Any], object: str, known: set[str]) -> frozenset[str]:
    """Rights of the object that the table has no row for."""
    return frozenset(document.get("objects", {}).get(object, ())) - known


def _labels(*way: str) -> list[tuple[str, str]]:
    """The words of an enumeration of permission sets, in the order of their schema."""
    *steps, language = way
    node: Any = schema.shared_schema_of("permission_set")["properties"]
    for step in steps:
        node = node[step]
    return [(name, node["x-labels"][name][language]) for name in node["enum"]]


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of the table of rights."""

    @blueprint.get("/access")
    @policy("session")
    def access_first() -> Response:
        """The table of the first object that is the organisation's own."""
        studio = open_studio(site)
        objects = studio.drafting.all("object")
        own = [each for each in objects if each.body.get("package") != BASE]
        return redirect(path("access", (own or list(objects))[0].name))

    @blueprint.get("/access/<object>")
    @policy("session")
    def access_matrix(object: str) -> Response:
        return _page(open_studio(site), object, ())

    @blueprint.post("/access/<object>")
    @policy("session")
    def save_access(object: str) -> Response:
        studio = open_studio(site, change=True)
        try:
            count = _matrix(studio, object).save()
        except REFUSALS as error:
            return _page(studio, object, error.faults)
        studio.flash("access.saved" if count != 1 else "access.saved_one", count=count)
        return redirect(path("access", object))

    def _matrix(studio: Studio, object: str) -> Matrix:
        found = studio.drafting.find("object", object)
        if found is None:
            place = Place(component=f"object/{object}"[:160])
            raise NotFound.of("component.not_found", place, kind="object", name=object[:130])
        return Matrix(studio, found)

    def _page(studio: Studio, object: str, faults: tuple[Fault, ...]) -> Response:
        matrix = _matrix(studio, object)
        objects = studio.drafting.all("object")
        return studio.page(
            "access.html",
            "access",
            409 if faults else 200,
            object=matrix.object,
            label=studio.label(matrix.object),
            objects=tuple((path("access", each.name), studio.label(each), each.name == matrix.object.name)
                          for each in sorted(objects, key=lambda each: each.body.get("package") == BASE)),
            heads=tuple(matrix.heads()),
            operations=tuple(matrix.operations()),
            fields=tuple(matrix.fields()),
            levels=_labels(
                "fields", "additionalProperties", "additionalProperties", studio.call.language
            ),
            faults=tuple(FaultLine(say_fault(each, studio.call.language)) for each in faults),
        )  # fmt: skip
