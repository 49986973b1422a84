"""The generic editor: the page of one component of any kind, new or there already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from tabwright.admin_ui.editor.forms import Entry, Form, FormMaker
from tabwright.admin_ui.editor.reading import document_of
from tabwright.admin_ui.editor.references import References
from tabwright.admin_ui.field_types import card_of
from tabwright.admin_ui.following import follow
from tabwright.admin_ui.names import suggested
from tabwright.admin_ui.navigation import href_of, icon_of, kind_title, path, start_href
from tabwright.admin_ui.replacing import picklist_of
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata import schema
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import FREE_KEYS, Change, Delete, Put, Rename
from tabwright.metadata.model import Use
from tabwright.platform.errors import Conflict, Fault, Invalid, LimitReached, NotFound, Place
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import local_path

# What is shown at once, of any kind; the rest is folded until it says something.
MAIN = ("label", "options", "active", "required", "unique", "default", "help")
REFUSALS = (Invalid, Conflict, LimitReached)


@dataclass(frozen=True, slots=True)
class FaultLine:
    """A fault above the form, with the input that it is about."""

    text: str
    anchor: str | None = None


@dataclass(frozen=True, slots=True)
class UseLine:
    """One place where a component is named."""

    label: str
    kind: str
    icon: str
    href: str


def fault_lines(form: Form, studio: Studio, more: Sequence[Fault] = ()) -> tuple[FaultLine, ...]:
    """Every fault of a form, in its order."""
    language = studio.call.language
    found = [FaultLine(say_fault(each, language)) for each in (*more, *form.loose)]
    for top in form.entries:
        for entry in top.all():
            found += [FaultLine(text, _anchor(entry)) for text in entry.texts]
    return tuple(dict.fromkeys(found))


def _anchor(entry: Entry) -> str:
    return entry.id


def form_of(studio: Studio, document: Mapping[str, Any], faults: Sequence[Fault] = ()) -> Form:
    """The form of a document of the draft."""
    references = References(studio.drafting.world, studio.call.language)
    return FormMaker(str(document["kind"]), document, references, studio.call.language, faults).make()


def use_lines(studio: Studio, uses: Sequence[Use]) -> tuple[UseLine, ...]:
    """Where something is named, one line for each component."""
    language = studio.call.language
    found: dict[tuple[str, str], UseLine] = {}
    for each in uses:
        object = each.user.partition(".")[0] if "." in each.user else None
        label = studio.title_of(each.user_kind, each.user)
        if object is not None:
            label = f"{studio.title_of('object', object)} › {label}"
        line = UseLine(
            label,
            kind_title(each.user_kind, language),
            icon_of(each.user_kind),
            href_of(each.user_kind, each.user),
        )
        found.setdefault((each.user_kind, each.user), line)
    return tuple(found.values())


def suggest_name(studio: Studio, kind: str, object: str | None, label: Mapping[str, str]) -> str:
    """A free full name for a new component with these labels."""
    tree, world = studio.drafting.draft.tree, studio.drafting.world
    head = f"{object}." if object is not None else ""

    def taken(name: str) -> bool:
        return tree.get(kind, head + name) is not None or world.part(kind, head + name) is not None

    return head + suggested([label.get("en", ""), label.get("zh", "")], taken, kind)


def known_kind(kind: str) -> str:
    """The kind that an address names. Raises NotFound."""
    if kind not in schema.kinds():
        raise NotFound.of("studio.no_kind", kind=kind[:40])
    return kind


class Editor:
    """One turn of the generic editor: what was posted, what it says, what came of it."""

    def __init__(self, studio: Studio, kind: str, name: str, component: Component | None) -> None:
        self.studio = studio
        self.kind = kind
        self.name = name
        self.component = component
        self.faults: tuple[Fault, ...] = ()
        self.document: dict[str, Any] = (
            dict(component.document) if component is not None else {"kind": kind, "name": name}
        )
        self.can_keep = False

    @property
    def place(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def locked(self) -> bool:
        """Whether the component is part of the product: only what it is called may be changed."""
        return self.component is not None and _locked(self.component)

    @property
    def seen(self) -> dict[tuple[str, str], str]:
        return {(self.kind, self.name): request.form.get("seen", "")}

    def read(self) -> None:
        """Take over what was posted."""
        posted = document_of(self.kind, self.name, request.form)
        if self.component is not None:
            if self.locked:  # what may not be changed was not asked for
                kept = {key: value for key, value in self.component.body.items() if key not in FREE_KEYS}
                posted = kept | {
                    key: value for key, value in posted.items() if key in FREE_KEYS | {"kind", "name"}
                }
            posted = {"uid": self.component.uid, **posted}
        _fill_codes(posted)
        self.document = posted

    def check(self) -> None:
        """Look at the document without saving it: its faults stand at its inputs."""
        try:
            checked = self.studio.drafting.rehearse(Put(self.document))
        except REFUSALS as error:
            self.faults = error.faults
        else:
            self.faults = checked.about(self.place)

    def save(self, *more: Change) -> bool:
        """Put the document into the draft, with other changes; False where faults stand in the way."""
        drafting, changes = self.studio.drafting, (Put(self.document), *more)
        try:
            checked = drafting.rehearse(*changes)
            self.faults = checked.about(self.place)
            self.can_keep = bool(self.faults)
            if self.faults and request.form.get("do") != "keep":
                return False
            drafting.change(*changes, seen=self.seen)
        except REFUSALS as error:
            self.faults = tuple(_here(each, self.place) for each in error.faults)
            return False
        return True

    def page(self, **more: Any) -> Response:
        """The page as it stands now."""
        studio, component = self.studio, self.component
        form = form_of(studio, self.document, self.faults)
        object = self.name.partition(".")[0] if schema.is_part_of_object(self.kind) else None
        seen = request.form.get("seen") if request.method == "POST" else None
        if seen is None:
            seen = component.digest if component is not None else ""
        uses = studio.drafting.uses_of(self.kind, component.name) if component is not None else ()
        return studio.page(
            "component.html",
            "object" if object is not None and self.kind not in _OWN_PAGES else self.kind,
            422 if self.faults and _is_save() else 200,
            form=form,
            main=MAIN,
            kind=self.kind,
            kind_title=kind_title(self.kind, studio.call.language),
            name=self.name,
            object=object,
            object_title=studio.title_of("object", object) if object else "",
            component=component,
            title=_title(studio, self.document, component),
            state=studio.drafting.state_of(component) if component is not None else "added",
            locked=self.locked,
            free=FREE_KEYS,
            seen=seen,
            faults=fault_lines(form, studio),
            can_keep=self.can_keep,
            uses=use_lines(studio, uses),
            back=local_path(request.values.get("back", ""), ""),
            replaceable=component is not None and picklist_of(studio.call.model, self.kind, component.uid),
            icon=_icon(studio, self.document),
            **more,
        )


_OWN_PAGES = frozenset(
    {"layout", "list_view", "validation_rule", "sharing_rule", "restriction_rule"}
)  # parts with a list of their own


def _title(studio: Studio, document: Mapping[str, Any], component: Component | None) -> str:
    if component is not None:
        return studio.label(component)
    return studio.s("component.new", kind=kind_title(str(document["kind"]), studio.call.language))


def _is_save() -> bool:
    return request.method == "POST" and request.form.get("do") != "refresh"


def _icon(studio: Studio, document: Mapping[str, Any]) -> str:
    if document["kind"] == "field" and document.get("type"):
        return card_of(str(document["type"]), studio.call.language).icon
    return str(document.get("icon") or icon_of(str(document["kind"])))


def _locked(component: Component) -> bool:
    if component.kind == "permission_set":
        return component.body.get("package") == "base"
    return bool(component.body.get("system"))


def _here(fault: Fault, place: str) -> Fault:
    """A fault about another component keeps its text but stands at no input of this one."""
    if fault.place.component in (None, place):
        return fault
    return Fault(fault.code, fault.params, Place(component=fault.place.component))


def _fill_codes(document: dict[str, Any]) -> None:
    """Give picklist values without a code one that is read off their label."""
    for values in (document.get("values"), (document.get("options") or {}).get("values")):
        if not isinstance(values, list):
            continue
        taken = {each.get("code") for each in values}
        for each in values:
            if "code" not in each and each.get("label"):
                each["code"] = suggested(
                    [each["label"].get(at, "") for at in ("en", "zh")], taken.__contains__, "value"
                )
                taken.add(each["code"])


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of the generic editor."""

    @blueprint.get("/c/<kind>/<name>")
    @policy("session")
    def component(kind: str, name: str) -> Response:
        studio = open_studio(site)
        found = studio.drafting.get(known_kind(kind), name)
        editor = Editor(studio, kind, found.name, found)
        editor.faults = studio.drafting.checked.about(found.place)
        return editor.page()

    @blueprint.post("/c/<kind>/<name>")
    @policy("session")
    def save_component(kind: str, name: str) -> Response:
        studio = open_studio(site, change=True)
        found = studio.drafting.get(known_kind(kind), name)
        editor = Editor(studio, kind, found.name, found)
        editor.read()
        if request.form.get("do") == "refresh":
            editor.check()
            return editor.page()
        if not editor.save(*(follow(studio, found, editor.document) if kind == "object" else ())):
            return editor.page()
        studio.flash("component.saved", name=studio.label(studio.drafting.get(kind, found.name)))
        return redirect(local_path(request.form.get("back", ""), path("c", kind, found.name)))

    @blueprint.get("/new/<kind>")
    @policy("session")
    def new_component(kind: str) -> Response:
        studio = open_studio(site, change=True)
        begun = start_href(known_kind(kind), request.args.get("object", ""))
        if begun:
            back = local_path(request.args.get("back", ""), "")
            return redirect(begun + ("?" + urlencode({"back": back}) if back else ""))
        return _new(studio, kind).page()

    @blueprint.post("/new/<kind>")
    @policy("session")
    def make_component(kind: str) -> Response:
        studio = open_studio(site, change=True)
        editor = _new(studio, kind)
        editor.read()
        label = editor.document.get("label") or {}
        local = request.form.get("local", "").strip()
        object = request.values.get("object") if schema.is_part_of_object(kind) else None
        head = f"{object}." if object else ""
        editor.name = head + local if local else suggest_name(studio, kind, object, label)
        editor.document["name"] = editor.name
        if request.form.get("do") == "refresh":
            editor.check()
            return editor.page(local=local)
        if not editor.save():
            return editor.page(local=local)
        made = studio.drafting.get(kind, editor.name)
        studio.flash("component.made", name=studio.label(made))
        return redirect(local_path(request.form.get("back", ""), href_of(kind, made.name)))

    def _new(studio: Studio, kind: str) -> Editor:
        known_kind(kind)
        name = ""
        if schema.is_part_of_object(kind):
            object = request.values.get("object", "")
            name = studio.drafting.get("object", object).name + "."
        return Editor(studio, kind, name, None)

    @blueprint.get("/c/<kind>/<name>/delete")
    @policy("session")
    def delete_form(kind: str, name: str) -> Response:
        return _delete_page(open_studio(site, change=True), kind, name, ())

    @blueprint.post("/c/<kind>/<name>/delete")
    @policy("session")
    def delete_component(kind: str, name: str) -> Response:
        studio = open_studio(site, change=True)
        found = studio.drafting.get(known_kind(kind), name)
        try:
            studio.drafting.change(
                Delete(kind, found.name), seen={(kind, found.name): request.form.get("seen", "")}
            )
        except REFUSALS as error:
            return _delete_page(studio, kind, name, error.faults)
        studio.flash("component.deleted", name=studio.label(found))
        return redirect(path("objects", found.object) if found.object and kind != "object" else path())

    def _delete_page(studio: Studio, kind: str, name: str, faults: Sequence[Fault]) -> Response:
        found = studio.drafting.get(known_kind(kind), name)
        parts = studio.drafting.draft.tree.parts_of_object(found.name) if kind == "object" else ()
        inside = {(each.kind, each.name) for each in (found, *parts)}
        edges = studio.drafting.checked.edges
        outside = [
            u for u in edges if (u.used_kind, u.used) in inside and (u.user_kind, u.user) not in inside
        ]
        return studio.page(
            "delete.html",
            "object" if found.object else kind,
            409 if faults else 200,
            component=found,
            title=studio.label(found),
            kind_title=kind_title(kind, studio.call.language),
            uses=use_lines(studio, outside),
            parts=len(parts),
            faults=tuple(FaultLine(say_fault(each, studio.call.language)) for each in faults),
            href=href_of(kind, found.name),
        )

    @blueprint.get("/c/<kind>/<name>/rename")
    @policy("session")
    def rename_form(kind: str, name: str) -> Response:
        return _rename_page(open_studio(site, change=True), kind, name, ())

    @blueprint.post("/c/<kind>/<name>/rename")
    @policy("session")
    def rename_component(kind: str, name: str) -> Response:
        studio = open_studio(site, change=True)
        found = studio.drafting.get(known_kind(kind), name)
        to = request.form.get("to", "").strip()
        full = f"{found.object}.{to}" if schema.is_part_of_object(kind) else to
        try:
            studio.drafting.change(
                Rename(kind, found.name, full), seen={(kind, found.name): request.form.get("seen", "")}
            )
        except REFUSALS as error:
            return _rename_page(studio, kind, name, error.faults, to)
        studio.flash("component.renamed", name=full)
        return redirect(href_of(kind, full))

    def _rename_page(studio: Studio, kind: str, name: str, faults: Sequence[Fault], to: str = "") -> Response:
        found = studio.drafting.get(known_kind(kind), name)
        return studio.page(
            "rename.html",
            "object" if found.object else kind,
            422 if faults else 200,
            component=found,
            title=studio.label(found),
            kind_title=kind_title(kind, studio.call.language),
            to=to or found.local,
            uses=use_lines(studio, studio.drafting.uses_of(kind, found.name)),
            faults=tuple(FaultLine(say_fault(each, studio.call.language), "to") for each in faults),
            href=href_of(kind, found.name),
        )

    @blueprint.post("/revert")
    @policy("session")
    def revert_component() -> Response:
        """Give up the draft's changes of one component."""
        studio = open_studio(site, change=True)
        studio.drafting.revert(request.form.get("uid", ""))
        studio.flash("component.reverted")
        return redirect(local_path(request.form.get("back", ""), path("plan")))

    @blueprint.get("/name")
    @policy("session")
    def name_for() -> Response:
        """The name that a new component with a label would get, as text."""
        studio = open_studio(site)
        kind, object = known_kind(request.args.get("kind", "")), request.args.get("object") or None
        label = {each: request.args.get(each, "")[:200] for each in ("zh", "en")}
        name = suggest_name(studio, kind, object, label) if any(label.values()) else ""
        return Response(name.rpartition(".")[2], content_type="text/plain; charset=utf-8")
