"""Objects: the list, one object with all that hangs on it, a new object that is usable at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine, known_kind, suggest_name
from tabwright.admin_ui.field_types import card_of
from tabwright.admin_ui.names import finding, plural_of
from tabwright.admin_ui.navigation import generic_href, href_of, icon_of, kind_title, path
from tabwright.admin_ui.rendering import text
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.model import label_in
from tabwright.platform.errors import Fault
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.query.asked import Query
from tabwright.runtime.query.reads import Reads

PARTS = (
    "field", "record_type", "layout", "list_view", "validation_rule", "unique_rule", "sharing_rule",
    "restriction_rule",
)  # fmt: skip
NEW_APP = "@new"  # of the form of a new object: an app of its own
# What a chosen permission set gets on a new object.
RIGHTS = ("create", "read", "edit", "delete", "mass_edit", "share", "print", "export")


@dataclass(frozen=True, slots=True)
class ObjectLine:
    """One object in lists of objects."""

    name: str
    label: str
    icon: str
    colour: str
    href: str
    fields: int
    package: str
    state: str
    find: str


@dataclass(frozen=True, slots=True)
class PartLine:
    """One field, layout, rule... of an object."""

    name: str
    label: str
    icon: str
    href: str
    about: str
    marks: tuple[str, ...]
    uses: int
    state: str
    find: str
    is_off: bool = False


def object_lines(studio: Studio) -> tuple[ObjectLine, ...]:
    """The objects of the draft: the organisation's own first, then the platform's."""
    drafting = studio.drafting
    made = []
    counts = Counter(each.object for each in drafting.draft.tree if each.kind == "field")
    for each in drafting.all("object"):
        label = studio.label(each)
        made.append(
            ObjectLine(
                each.name, label, each.body.get("icon", "box"), each.body.get("colour", "blue"),
                path("objects", each.name), counts[each.name], str(each.body.get("package", "")),
                drafting.state_of(each), finding(label, each.name),
            )
        )  # fmt: skip
    return tuple(sorted(made, key=lambda line: line.package == BASE))


def part_lines(studio: Studio, kind: str, object: str | None) -> tuple[PartLine, ...]:
    """The components of a kind as lines: of one object, or of all that are the organisation's own."""
    counts = Counter((each.used_kind, each.used) for each in studio.drafting.checked.edges)
    found = studio.drafting.all(kind, object)
    if object is None and kind != "permission_set":
        found = tuple(each for each in found if each.body.get("package") != BASE)
    return tuple(line_of(studio, each, counts[kind, each.name], with_object=object is None) for each in found)


def line_of(studio: Studio, each: Component, uses: int = 0, *, with_object: bool = False) -> PartLine:
    """One component as a line; ``with_object`` says which object it belongs to."""
    label = studio.label(each)
    if with_object and each.object is not None:
        label = f"{studio.title_of('object', each.object)} › {label}"
    return PartLine(
        each.name, label, _icon(studio, each), href_of(each.kind, each.name), _about(studio, each),
        _marks(studio, each), uses, studio.drafting.state_of(each),
        finding(label, each.name), each.body.get("active", True) is False,
    )  # fmt: skip


def _icon(studio: Studio, component: Component) -> str:
    if component.kind == "field":
        return card_of(component.body["type"], studio.call.language).icon
    return str(component.body.get("icon") or icon_of(component.kind))


def _about(studio: Studio, component: Component) -> str:
    """What a component is, in few words."""
    body, s = component.body, studio.s
    match component.kind:
        case "field":
            return _about_field(studio, body)
        case "picklist":
            return s("about.values", count=len(body["values"]))
        case "layout":
            return s("about.fields", count=sum(len(each.get("fields", ())) for each in body["sections"]))
        case "list_view":
            return s("about.columns", count=len(body["columns"]))
        case "validation_rule" | "restriction_rule":
            return str(body["condition"])
        case "sharing_rule" if "when" in body:
            return str(body["when"])
        case "unique_rule":
            object = component.object or ""
            return " + ".join(studio.title_of("field", f"{object}.{each}") for each in body["fields"])
        case "tab":
            return studio.title_of("object", body["object"]) if "object" in body else str(body.get("url", ""))
        case "app":
            return s("about.tabs", count=len(body["tabs"]))
    described = body.get("description")
    return label_in(described, studio.call.language) if described else ""


def _about_field(studio: Studio, body: Mapping[str, Any]) -> str:
    card, options = card_of(body["type"], studio.call.language), body.get("options", {})
    if "target" in options and isinstance(options["target"], str):
        return f"{card.label} → {studio.title_of('object', options['target'])}"
    if "values" in options:
        return f"{card.label} · {studio.s('about.values', count=len(options['values']))}"
    if "global" in options:
        return f"{card.label} · {studio.title_of('picklist', options['global'])}"
    if "max_length" in options:
        return f"{card.label} · {options['max_length']}"
    return card.label


def _marks(studio: Studio, component: Component) -> tuple[str, ...]:
    body, s = component.body, studio.s
    known = ("required", "unique", "external_key", "read_only", "searchable", "system")
    found = [s("mark." + key) for key in known if component.kind == "field" and body.get(key)]
    if component.kind == "field":
        head = studio.drafting.find("object", component.object or "")
        if head is not None and head.body["name_field"] == component.local:
            found.insert(0, s("mark.name_field"))
    if body.get("severity") == "warning":
        found.append(s("mark.warning"))
    if body.get("active", True) is False:
        found.append(s("mark.inactive"))
    return tuple(found)


def records_of(studio: Studio, name: str) -> str:
    """How many records an object in force has that this person may see; "" where it cannot be said."""
    object = studio.call.model.objects.get(name)
    if object is None or not studio.call.gate.may(object, "read"):
        return ""
    page = Reads(studio.call).list(Query(name, ("id",), limit=1, count=True))
    return f"{page.count:,}" + ("+" if page.count_is_capped else "")


def object_context(studio: Studio, name: str, kind: str) -> dict[str, Any]:
    """What the page of one object shows, with the parts of one kind."""
    drafting = studio.drafting
    found = drafting.get("object", name)
    counts = Counter(each.kind for each in drafting.draft.tree.parts_of_object(found.name))
    language = studio.call.language
    return {
        "object": found,
        "title": studio.label(found),
        "icon": found.body.get("icon", "box"),
        "colour": found.body.get("colour", "blue"),
        "state": drafting.state_of(found),
        "records": records_of(studio, found.name),
        "objects": object_lines(studio),
        "kind": kind,
        "kind_title": kind_title(kind, language),
        "tabs": tuple((each, studio.s("parts." + each), counts[each]) for each in PARTS),
        "lines": part_lines(studio, kind, found.name),
        "settings_href": generic_href("object", found.name),
        "uses": len({(u.user_kind, u.user) for u in drafting.uses_of("object", found.name)}),
        "in_force": found.name in studio.call.model.objects,
    }


# ---- a new object ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewObject:
    """What the small form of a new object says."""

    label: Mapping[str, str]
    name: str
    icon: str
    colour: str
    name_label: Mapping[str, str]
    numbered: str  # the pattern of the auto number that names records; "" where people name them
    app: str
    sets: tuple[str, ...]
    sharing: str

    @staticmethod
    def read(studio: Studio) -> NewObject:
        form = request.form
        label = _labels(form, "label")
        name = form.get("local", "").strip() or suggest_name(studio, "object", None, label)
        numbered = form.get("pattern", "").strip() if form.get("naming") == "number" else ""
        usual = "object.default_number" if numbered else "object.default_name"
        named = _labels(form, "name_label") or {
            "zh": studio_text("zh", usual),
            "en": studio_text("en", usual),
        }
        return NewObject(
            label, name, form.get("/icon", "").strip(), form.get("/colour", ""), named, numbered,
            form.get("app", ""), tuple(form.getlist("sets")), form.get("sharing", "private"),
        )  # fmt: skip

    def changes(self, studio: Studio) -> list[Change]:
        """The object, its name field, a tab for it, its place in an app, and the rights on it."""
        return [Put(self.head("name")), Put(self.name_document()), *self.around(studio)]

    def head(self, name_field: str) -> dict[str, Any]:
        """The object by itself."""
        found: dict[str, Any] = {
            "kind": "object",
            "name": self.name,
            "name_field": name_field,
            "label": self.label,
        }
        if (many := plural_of(self.label)) != self.label:
            found["plural"] = many
        for key, value in (("icon", self.icon), ("colour", self.colour), ("sharing", self.sharing)):
            if value:
                found[key] = value
        return found

    def name_document(self) -> dict[str, Any]:
        """The field ``name``, that people type or that counts."""
        field: dict[str, Any] = {"kind": "field", "name": f"{self.name}.name", "label": self.name_label}
        if self.numbered:
            return field | {"type": "auto_number", "options": {"pattern": self.numbered}, "searchable": True}
        return field | {"type": "text", "required": True, "searchable": True, "sortable": True}

    def around(self, studio: Studio) -> list[Change]:
        """What makes the object usable: a tab for it, its place in an app, and the rights on it."""
        tab_name = suggest_name(studio, "tab", None, {"en": self.name})
        label = plural_of(self.label)
        found: list[Change] = [Put({"kind": "tab", "name": tab_name, "label": label, "object": self.name})]
        app_name = self.app
        if app_name == NEW_APP:
            app_name = suggest_name(studio, "app", None, {"en": self.name})
            found.append(Put({"kind": "app", "name": app_name, "label": self.label, "tabs": [tab_name]}))
        elif app := studio.drafting.find("app", app_name) if app_name else None:
            found.append(Put({**app.document, "tabs": [*app.body["tabs"], tab_name]}))
        for each in self.sets:
            granted = self._granted(studio.drafting.get("permission_set", each), tab_name, app_name)
            found.append(Put(granted))
        return found

    def _granted(self, component: Component, tab: str, app: str) -> Mapping[str, Any]:
        body = component.document
        rights = {**body.get("objects", {}), self.name: list(RIGHTS)}
        fields = {**body.get("fields", {}), self.name: {"*": "edit"}}
        tabs = body.get("tabs", [])
        shown = tabs if "*" in tabs else [*tabs, tab]
        apps = body.get("apps", [])
        if app and "*" not in apps and app not in apps:
            apps = [*apps, app]
        return {**body, "objects": rights, "fields": fields, "tabs": shown, "apps": apps}


def _labels(form: Mapping[str, str], name: str) -> dict[str, str]:
    found = {each: form.get(f"/{name}/{each}", "").strip() for each in ("zh", "en")}
    return {key: text for key, text in found.items() if text}


def studio_text(language: Any, code: str) -> str:
    return text(language)(code)


def open_sets(studio: Studio) -> tuple[tuple[str, str, bool, str], ...]:
    """The permission sets for the form of a new object: name, label, whether it holds all objects, note."""
    found = []
    for each in studio.drafting.all("permission_set"):
        everything = "create" in each.body.get("objects", {}).get("*", ())
        found.append(
            (each.name, studio.label(each), everything, studio.s("object.has_all") if everything else "")
        )
    return tuple(found)


def own_apps(studio: Studio) -> tuple[tuple[str, str], ...]:
    """The apps that a tab may be put into: the platform's own are locked."""
    found = studio.drafting.all("app")
    return tuple((each.name, studio.label(each)) for each in found if each.body.get("package") != BASE)


def usual_app(studio: Studio) -> str:
    """Where a new object most likely belongs: the app that the organisation made last, else a new one."""
    own = [each for each in studio.drafting.all("app") if not each.body.get("package")]
    return max(own, key=lambda each: each.uid).name if own else NEW_APP


def _new_page(studio: Studio, faults: Sequence[Fault] = ()) -> Response:
    language = studio.call.language
    form = request.form
    given = {name: _labels(form, name) for name in ("label", "name_label")}
    lines = [FaultLine(say_fault(each, language), _anchor(each)) for each in faults]
    return studio.page(
        "object_new.html",
        "object",
        422 if faults else 200,
        faults=tuple(dict.fromkeys(lines)),
        given=given,
        form=form,
        apps=own_apps(studio),
        app=form.get("app", usual_app(studio)),
        sets=open_sets(studio),
    )


def _anchor(fault: Fault) -> str | None:
    pointer = fault.place.pointer or ""
    if pointer.startswith("/label"):
        return "label-zh"
    if pointer == "/name":
        return "local"
    return "pattern" if pointer.startswith("/options") else None


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of objects."""

    @blueprint.get("/objects")
    @policy("session")
    def objects() -> Response:
        studio = open_studio(site)
        return studio.page("objects.html", "object", lines=object_lines(studio))

    @blueprint.get("/objects/new")
    @policy("session")
    def new_object() -> Response:
        return _new_page(open_studio(site, change=True))

    @blueprint.post("/objects/new")
    @policy("session")
    def make_object() -> Response:
        studio = open_studio(site, change=True)
        wanted = NewObject.read(studio)
        changes = wanted.changes(studio)
        try:
            checked = studio.drafting.rehearse(*changes)
            faults = checked.about(f"object/{wanted.name}") + checked.about(f"field/{wanted.name}.name")
            if faults:
                return _new_page(studio, faults)
            studio.drafting.change(*changes, seen={("object", wanted.name): ""})
        except REFUSALS as error:
            return _new_page(studio, error.faults)
        studio.flash("object.made", name=label_in(wanted.label, studio.call.language))
        return redirect(path("objects", wanted.name))

    @blueprint.get("/objects/<object>")
    @policy("session")
    def object(object: str) -> Response:
        studio = open_studio(site)
        kind = request.args.get("part", "field")
        context = object_context(studio, object, kind if kind in PARTS else "field")
        return studio.page("object.html", "object", panel="", **context)

    @blueprint.get("/kinds/<kind>")
    @policy("session")
    def kind(kind: str) -> Response:
        studio = open_studio(site)
        known_kind(kind)
        return studio.page(
            "kind.html",
            kind,
            kind=kind,
            title=kind_title(kind, studio.call.language),
            lines=part_lines(studio, kind, None),
            is_part=kind in PARTS,
            objects=object_lines(studio) if kind in PARTS else (),
        )
