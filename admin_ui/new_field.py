"""The panel of a new field: say what it is called, pick a type, only then the options that matter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Blueprint, Response, request
from markupsafe import Markup

from tabwright.admin_ui.access.matrix import LEVELS, operations_of
from tabwright.admin_ui.components import Editor, fault_lines, form_of, suggest_name
from tabwright.admin_ui.field_types import cards, groups
from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.objects import object_context
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.drafts import Put
from tabwright.metadata.model import LayoutDef, LayoutField, LayoutSection, label_in
from tabwright.platform.errors import TabwrightError
from tabwright.platform.web import policy
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.forms.entry import Entry
from tabwright.runtime.forms.shown import Seen
from tabwright.runtime.forms.unroll import form_piece
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import local_path

MOST_SPOTS = 6
_CARRIERS = frozenset({"field", "layout", "list_view"})  # what a new field and its places change
# Shown first, before "more settings"; the rest of what a field can have is folded.
FIRST = ("label", "options", "required", "unique", "default", "help")


def preview(studio: Studio, document: dict[str, Any]) -> Markup | None:
    """The input as a form will show it, or None while the field cannot be made yet."""
    if not document.get("label"):  # not typed yet: the type's own word stands in
        label = cards(studio.call.language)[document["type"]].label
        document = {**document, "label": {studio.call.language: label}}
        if document["name"].endswith("."):
            document["name"] += "preview"
    try:
        checked = studio.drafting.rehearse(Put(document))
    except TabwrightError:
        return None
    model = checked.model
    object, _, name = str(document["name"]).partition(".")
    found = model.objects.get(object) if model is not None else None
    if model is None or found is None or name not in found.fields:
        return None
    layout = LayoutDef(None, "preview", {}, (LayoutSection({}, 1, (LayoutField(name),)),), ())
    piece = form_piece(found, layout, model, studio.call.language, {name}, {name}, creating=True)
    if not piece.parts:
        return None
    return piece.render(Entry({}, Seen({}, studio.zone)))


@dataclass(frozen=True, slots=True)
class Spot:
    """A layout or list view that the new field can be put on."""

    kind: str
    name: str
    label: str
    chosen: bool


def spots(studio: Studio, object: str) -> tuple[Spot, ...]:
    """Where the new field can be shown; pages and lists without a document show it by themselves."""
    posted = request.method == "POST"
    # The list that the person came from, by its address.
    view = parse_qs(urlsplit(request.args.get("back", "")).query).get("view", [""])[0]
    found = []
    for kind in ("layout", "list_view"):
        for each in studio.drafting.all(kind, object)[:MOST_SPOTS]:
            chosen = kind == "layout" or each.local == view
            if posted:
                chosen = each.name in request.form.getlist(kind)
            found.append(Spot(kind, each.name, studio.label(each), chosen))
    return tuple(found)


def placed(studio: Studio, spot: Spot, field: str) -> Put:
    """The layout or list view with the field at its end."""
    document = studio.drafting.get(spot.kind, spot.name).document
    if spot.kind == "list_view":
        return Put({**document, "columns": [*document["columns"], field]})
    *before, last = document["sections"]
    return Put({**document, "sections": [*before, {**last, "fields": [*last.get("fields", ()), field]}]})


@dataclass(frozen=True, slots=True)
class Grantee:
    """A permission set that may be given the new field; ``chosen`` is "", "read" or "edit"."""

    name: str
    label: str
    chosen: str


def grantees(studio: Studio, object: str) -> tuple[Grantee, ...]:
    """Whom to grant the new field, where nobody sees one unless it is granted by name: the sets that open
    the object. The built-in ones cannot be changed.
    """
    if studio.drafting.get("object", object).body.get("field_access") != "granted":
        return ()
    found = []
    for each in studio.drafting.all("permission_set"):
        if each.body.get("package") == BASE:
            continue
        if operations_of(each.document, object, is_base=False):
            chosen = request.form.get(f"grant.{each.name}", "") if request.method == "POST" else ""
            found.append(Grantee(each.name, studio.label(each), chosen if chosen in LEVELS[1:] else ""))
    return tuple(found)


def granted(studio: Studio, grantee: Grantee, object: str, field: str) -> Put:
    """The permission set with its word about the field."""
    document = studio.drafting.get("permission_set", grantee.name).document
    fields = document.get("fields", {})
    words = {**fields.get(object, {}), field: grantee.chosen}
    return Put({**document, "fields": {**fields, object: words}})


class NewField(Editor):
    """One turn of the panel."""

    def __init__(self, studio: Studio, object: str) -> None:
        super().__init__(studio, "field", f"{object}.", None)
        self.object = object
        self.local = ""
        type = request.values.get("/type", request.args.get("type", ""))
        self.type = type if type in cards(studio.call.language) else ""
        if self.type:
            self.document["type"] = self.type

    def read(self) -> None:
        super().read()
        self.local = request.form.get("local", "").strip()
        label = self.document.get("label") or {}
        name = f"{self.object}.{self.local}" if self.local else ""
        self.name = name or suggest_name(self.studio, "field", self.object, label)
        self.document["name"] = self.name

    def page(self, **more: Any) -> Response:
        studio = self.studio
        form = form_of(studio, self.document, self.faults)
        entries = [each for each in form.entries if each.key != "type"]
        context = object_context(studio, self.object, "field")
        return studio.page(
            "object.html",
            "object",
            422 if self.faults and request.form.get("do") != "refresh" else 200,
            panel="new_field",
            form=form,
            first=[each for key in FIRST for each in entries if each.key == key and key != "label"],
            more=[each for each in entries if each.key not in FIRST],
            label=form.find("/label"),
            type_entry=form.find("/type"),
            groups=groups(studio.call.language),
            cards=cards(studio.call.language),
            type=self.type,
            local=self.local,
            suggested=self.name.partition(".")[2],
            preview=preview(studio, self.document) if self.type else None,
            faults=() if request.form.get("do") == "refresh" else fault_lines(form, studio),
            back=local_path(request.values.get("back", ""), ""),
            close=local_path(request.values.get("back", ""), path("objects", self.object)),
            can_keep=self.can_keep,
            spots=spots(studio, self.object),
            grantees=grantees(studio, self.object),
            can_publish=bool(request.values.get("back")),
            **context,
        )


def publish_now(studio: Studio, back: str) -> Response:
    """Publish the draft and return, where it holds nothing that has to be looked at first.

    A draft with anything older than this change, a loss, a fault or a clash is shown as a plan before.
    """
    plan = studio.publishing.preview(studio.call.principal.user_id)
    new = {each.component.uid for each in plan.differences if each.action == "added"}
    simple = all(each.weight == "info" for each in plan.consequences) and len(new) == 1
    others = [e for e in plan.differences if e.action == "removed" or e.component.kind not in _CARRIERS]
    if not plan.publishable or not simple or others or plan.waits:
        return redirect(path("plan") + "?" + urlencode({"back": back}))
    name = next(each.component for each in plan.differences if each.action == "added")
    note = studio.s("field.published_note", name=studio.label(name))
    studio.publishing.publish(
        studio.call.principal, note=note, expected=plan.release, request_id=studio.call.request_id
    )
    studio.flash("field.published", name=studio.label(name))
    return redirect(back or path("objects", name.object or ""))


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of the panel."""

    @blueprint.get("/objects/<object>/new-field")
    @policy("session")
    def new_field(object: str) -> Response:
        studio = open_studio(site, change=True)
        return NewField(studio, studio.drafting.get("object", object).name).page()

    @blueprint.post("/objects/<object>/new-field")
    @policy("session")
    def make_field(object: str) -> Response:
        studio = open_studio(site, change=True)
        turn = NewField(studio, studio.drafting.get("object", object).name)
        turn.read()
        do = request.form.get("do", "save")
        field = turn.name.partition(".")[2]
        shown = [placed(studio, each, field) for each in spots(studio, turn.object) if each.chosen]
        shown += [
            granted(studio, each, turn.object, field) for each in grantees(studio, turn.object) if each.chosen
        ]
        if do == "refresh" or not turn.save(*shown):
            return turn.page()
        name = label_in(turn.document["label"], studio.call.language)
        studio.flash("field.made", name=name)
        back = local_path(request.form.get("back", ""), "")
        if do == "publish":
            return publish_now(studio, back)
        if do == "more":
            return redirect(path("objects", turn.object, "new-field"))
        return redirect(back or path("objects", turn.object))
