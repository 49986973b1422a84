"""Many to many in one step: an object that stands between two others, with fields of its own where wanted.

Nothing of it is a type of its own: it is made of an object, two master-details and a rule like any others.
Both ends list it, each showing the far record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine, suggest_name
from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.objects import RIGHTS, open_sets
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.model import label_in
from tabwright.metadata.world import RESERVED_FIELDS
from tabwright.platform.errors import Fault, Invalid, Place
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.pages.signing import redirect

_NUMBER = "L-{000000}"  # names a link where nothing else does


@dataclass(frozen=True, slots=True)
class Link:
    """Two objects, what stands between them is called, and who may use it."""

    one: Component
    other: Component
    label: Mapping[str, str]
    name: str
    sets: tuple[str, ...]

    @staticmethod
    def read(studio: Studio, one: Component) -> Link:
        """What the form says. Raises Invalid where it names no other object."""
        form = request.form
        wanted = form.get("other", "")
        other = studio.drafting.find("object", wanted) if wanted else None
        if other is None or other.name == one.name:
            raise Invalid.of("studio.link_without_other", Place(field="other"))
        given = {each: form.get(f"/label/{each}", "").strip() for each in ("zh", "en")}
        label = {key: said for key, said in given.items() if said} or _joined(one, other)
        name = suggest_name(studio, "object", None, {"en": f"{one.name} {other.name}"})
        return Link(one, other, label, name, tuple(form.getlist("sets")))

    def changes(self, studio: Studio) -> list[Change]:
        """The object with its fields and rule, its lists on both ends, and the rights on it."""
        ends = [_field_name(each) for each in (self.one, self.other)]
        head = {
            "kind": "object",
            "name": self.name,
            "label": self.label,
            "name_field": "name",
            "icon": "link",
            "highlights": ends,
        }
        number = {
            "kind": "field",
            "name": f"{self.name}.name",
            "label": {"zh": "编号", "en": "Number"},
            "type": "auto_number",
            "options": {"pattern": _NUMBER},
        }
        once = {
            "kind": "unique_rule",
            "name": f"{self.name}.once",
            "label": {"zh": "只关联一次", "en": "Linked once"},
            "fields": ends,
        }
        found: list[Change] = [Put(head), Put(number)]
        for target, end, access in ((self.one, ends[0], "parent"), (self.other, ends[1], "none")):
            options = {"target": target.name, "access": access}
            body = {"label": target.body["label"], "type": "master_detail", "options": options}
            found.append(Put({"kind": "field", "name": f"{self.name}.{end}", **body}))
        found.append(Put(once))
        for target, end in zip((self.one, self.other), ends, strict=True):
            found += self._listed(studio, target, f"{self.name}.{end}")
        return found + [Put(self._granted(studio.drafting.get("permission_set", each))) for each in self.sets]

    def _listed(self, studio: Studio, object: Component, field: str) -> list[Change]:
        """Layouts list what they say; an object without one lists everything by itself."""
        layouts = (
            each for each in studio.drafting.draft.tree.parts_of_object(object.name) if each.kind == "layout"
        )
        return [
            Put({**each.document, "related": [*each.body.get("related", []), {"field": field}]})
            for each in layouts
            if not each.body.get("system")
        ]

    def _granted(self, component: Component) -> Mapping[str, Any]:
        body = component.document
        rights = {**body.get("objects", {}), self.name: list(RIGHTS)}
        return {**body, "objects": rights, "fields": {**body.get("fields", {}), self.name: {"*": "edit"}}}


def _joined(one: Component, other: Component) -> dict[str, str]:
    """What is called after both ends, in the languages that either has."""
    languages = dict.fromkeys([*one.body["label"], *other.body["label"]])
    return {
        each: f"{label_in(one.body['label'], each)} – {label_in(other.body['label'], each)}"
        for each in languages
    }


def _field_name(object: Component) -> str:
    taken = object.name == "name" or object.name in RESERVED_FIELDS
    return f"the_{object.name}" if taken else object.name


def _page(studio: Studio, one: Component, faults: Sequence[Fault] = ()) -> Response:
    language = studio.call.language
    others = [
        (each.name, studio.label(each))
        for each in studio.drafting.all("object")
        if each.name != one.name and (each.body.get("package") != BASE or each.name == "user")
    ]
    lines = [FaultLine(say_fault(each, language), each.place.field) for each in faults]
    return studio.page(
        "link.html",
        "object",
        422 if faults else 200,
        faults=tuple(dict.fromkeys(lines)),
        form=request.form,
        object=one,
        title=studio.label(one),
        others=others,
        sets=open_sets(studio),
    )


def register(blueprint: Blueprint, site: Site) -> None:
    """The address of linking an object to another."""

    @blueprint.get("/objects/<object>/link")
    @policy("session")
    def new_link(object: str) -> Response:
        studio = open_studio(site, change=True)
        return _page(studio, studio.drafting.get("object", object))

    @blueprint.post("/objects/<object>/link")
    @policy("session")
    def make_link(object: str) -> Response:
        studio = open_studio(site, change=True)
        one = studio.drafting.get("object", object)
        try:
            wanted = Link.read(studio, one)
            changes = wanted.changes(studio)
            checked = studio.drafting.rehearse(*changes)
            places = (
                "object/" + wanted.name,
                *(f"field/{wanted.name}.{_field_name(e)}" for e in (one, wanted.other)),
            )
            faults = [fault for place in places for fault in checked.about(place)]
            if faults:
                return _page(studio, one, faults)
            studio.drafting.change(*changes, seen={("object", wanted.name): ""})
        except REFUSALS as error:
            return _page(studio, one, error.faults)
        studio.flash("link.made", name=label_in(wanted.label, studio.call.language))
        return redirect(path("objects", wanted.name))
