"""The editor of list views: columns, filter, order, way to show, who sees it; with real records beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response
from werkzeug.datastructures import MultiDict

from tabwright.admin_ui.editors import colouring
from tabwright.admin_ui.editors.bench import Bench, Editor, Form, labels_in
from tabwright.admin_ui.editors.choices import Choice, Fields, colours, fields_of, sets
from tabwright.admin_ui.editors.start import Ask, Beginning, state_in
from tabwright.admin_ui.filters import desk_of
from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.studio import Studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.model import ListViewDef, ObjectDef
from tabwright.metadata.tree import Key
from tabwright.metadata.ways import board_field
from tabwright.platform.errors import TabwrightError
from tabwright.platform.language import say_fault
from tabwright.runtime.pages.boards.board_page import board_page
from tabwright.runtime.pages.boards.calendar_page import calendar_page
from tabwright.runtime.pages.list_page import list_page
from tabwright.runtime.pages.ways import WayState, WayView, published_body
from tabwright.runtime.personal.lists import ListLook
from tabwright.runtime.personal.views import Opening, Way

WAYS = (("table", "table"), ("cards", "layout-grid"), ("board", "layout-kanban"), ("calendar", "calendar"))
MOST_ORDER = 3
EVERYBODY, SOME, NOBODY = "everybody", "sets", "nobody"
GENERATED = "all"  # the name of the view that every object has
PLACE = 100  # of a view that says none, and of the generated one


@dataclass(frozen=True, slots=True)
class Sibling:
    """A view of the same object, for going from one to the next."""

    name: str
    label: str
    href: str
    current: bool
    is_default: bool
    is_limited: bool
    is_generated: bool


def start(studio: Studio, name: str) -> Mapping[str, Any] | None:
    """The document of the generated view of all records; None for any other name."""
    object, _, local = name.partition(".")
    model = studio.drafting.checked.model or studio.call.model
    known = model.objects.get(object)
    view = known.list_views.get(local) if known is not None else None
    if view is None or view.uid is not None:
        return None
    return body_of(view)


def body_of(view: ListViewDef) -> dict[str, Any]:
    """The document that says what a view of the model shows."""
    columns: list[Any] = [
        {"field": each.path, "width": each.width} if each.width else each.path for each in view.columns
    ]
    body: dict[str, Any] = {"label": dict(view.labels), "columns": columns}
    if view.where is not None:
        body["where"] = view.where.text
    if view.order:
        body["order"] = [list(each) for each in view.order]
    return body


def read(bench: Bench, form: Form) -> Sequence[Change]:
    """The view that a form says, then the others that are no longer the default."""
    way = next((name for name, _ in WAYS if name == form.get("way")), "table")
    body: dict[str, Any] = {
        "label": labels_in(form),
        "columns": [_column(form, each) for each in dict.fromkeys(form.getlist("columns"))],
        "where": form.get("where", "").strip() or None,
        "order": _order(form) or None,
        "way": way if way != "table" else None,
        "board": _some(form, way == "board", by="by", sum="sum"),
        "calendar": _some(form, way == "calendar", start="start", end="end", mode="mode"),
        "cards": (list(dict.fromkeys(form.getlist("cards"))) or None) if way in ("board", "cards") else None,
        "density": (form.get("density") or None) if way in ("table", "cards") else None,
        "shown_to": _audience(form),
        "default": True if "default" in form else None,
        **({"colours": colouring.read(form) or None} if "coloured" in form else {}),
    }
    found: list[Change] = [bench.changed(body)]
    if "default" in form:
        for each in bench.studio.drafting.all("list_view", bench.object):
            if each.name != bench.name and each.body.get("default"):
                found.append(Put({key: value for key, value in each.document.items() if key != "default"}))
    return found


def _column(form: Form, path: str) -> Any:
    width = form.get(f"width:{path}", "").strip()
    if not width:
        return path
    return {"field": path, "width": int(width) if width.isascii() and width.isdigit() else width}


def _order(form: Form) -> list[list[str]]:
    pairs = ((form.get(f"order.{n}", ""), form.get(f"order.{n}.way", "asc")) for n in range(MOST_ORDER))
    return [[name, way if way == "desc" else "asc"] for name, way in pairs if name]


def _some(form: Form, wanted: bool, **names: str) -> dict[str, str] | None:
    """What a form says of one way; None where another is chosen."""
    return {key: form[name] for key, name in names.items() if form.get(name)} if wanted else None


def _audience(form: Form) -> list[str] | None:
    match form.get("audience"):
        case "sets":
            return sorted(dict.fromkeys(form.getlist("set")))
        case "nobody":
            return []
    return None


def owns(bench: Bench, key: Key) -> bool:
    """The other views of the object, of which only one is the default."""
    return key[0] == "list_view" and key[1].partition(".")[0] == bench.object


def more(bench: Bench) -> dict[str, Any]:
    """What the page of the editor shows beside the form's frame."""
    studio, body = bench.studio, bench.document
    fields = fields_of(studio, bench.object)
    columns = [each if isinstance(each, dict) else {"field": each} for each in body.get("columns", ())]
    shown_to = body.get("shown_to")
    order = [list(each) for each in body.get("order", ())]
    chosen = [each["field"] for each in columns]
    return {
        "fields": fields,
        "columns": [(each["field"], fields.label(each["field"]), each.get("width", "")) for each in columns],
        "cards": [(each, fields.label(each)) for each in body.get("cards", ())],
        "chosen": chosen,
        "order": [*order, *([["", "asc"]] * MOST_ORDER)][:MOST_ORDER],
        "ways": WAYS,
        "way": body.get("way", "table"),
        "board": body.get("board", {}),
        "calendar": body.get("calendar", {}),
        "audience": EVERYBODY if shown_to is None else SOME if shown_to else NOBODY,
        "shown_to": shown_to or (),
        "sets": sets(studio),
        "siblings": siblings(studio, bench.object, bench.name),
        "is_generated": bench.component is None,
        "takes_back": bench.component is not None and bench.name == f"{bench.object}.{GENERATED}",
        "new_href": path("new-view", bench.object),
        "order_href": path("view-order", bench.object),
        "rules": colouring.lines(bench),
        "colours": colours(studio.call.language),
    }


def arranged(studio: Studio, object: str) -> list[Component | None]:
    """The views of an object in the draft in their order; None is the generated one."""
    views: list[Component | None] = list(studio.drafting.all("list_view", object))
    if all(each is None or each.local != GENERATED for each in views):
        views.append(None)
    return sorted(views, key=lambda each: PLACE if each is None else each.body.get("place", PLACE))


def siblings(studio: Studio, object: str, current: str) -> tuple[Sibling, ...]:
    """The views of an object in the draft in their order, the generated one with them."""
    found = []
    for each in arranged(studio, object):
        name = each.name if each is not None else f"{object}.{GENERATED}"
        label = studio.label(each) if each is not None else studio.s("views.all")
        body = each.body if each is not None else {}
        found.append(
            Sibling(
                name, label, path("views", name), name == current,
                bool(body.get("default")), "shown_to" in body, each is None,
            )
        )  # fmt: skip
    return tuple(found)


def preview(bench: Bench) -> Response:
    """The view of the draft over real records, as this person sees them."""
    studio = bench.studio
    model, local = studio.drafting.checked.model, bench.name.partition(".")[2]
    if model is None:
        return _piece(studio, note=studio.s("views.preview_faults"))
    object = model.objects.get(bench.object)
    view = object.list_views.get(local) if object is not None else None
    if object is None or view is None:
        return _piece(studio, note=studio.s("views.preview_none"))
    try:
        return _shown(studio, object, view)
    except TabwrightError as error:
        said = "; ".join(say_fault(each, studio.call.language) for each in error.faults)
        return _piece(studio, note=said or studio.s("views.preview_later"))


def _shown(studio: Studio, object: ObjectDef, view: ListViewDef) -> Response:
    if view.way in ("table", "cards"):
        desk = desk_of(studio)
        page = list_page(
            desk.call, desk.reads, object, MultiDict({"view": view.name}),
            imports=False, marks=desk.marks, is_preview=True,
        )  # fmt: skip
        return _piece(studio, list=page, density=view.density or "")
    # Boards and calendars group and place real values: they are read from the release in force.
    now = studio.call.model.objects.get(object.name)
    named = (view.by, view.sum, view.start, view.end)
    if now is None or any(each is not None and each not in now.fields for each in named):
        return _piece(studio, note=studio.s("views.preview_later"))
    way: Way = "board" if view.way == "board" else "calendar"
    body, nothing = published_body(view, studio.call.language), Opening((), "", ListLook())
    state = WayState(now, way, WayView(view.name, view.name, way, body), body, {})
    if way == "board":
        return _piece(studio, board=board_page(studio.desk, now, state, nothing))
    return _piece(studio, calendar=calendar_page(studio.desk, now, state, nothing, ""))


def _piece(studio: Studio, note: str = "", **shown: Any) -> Response:
    blank: dict[str, Any] = {"list": None, "board": None, "calendar": None, "density": ""}
    return studio.piece("editors/view_preview.html", note=note, **(blank | shown))


EDITOR = Editor("list_view", "views", "list_view.html", read, more, start, preview, owns)


def asks(studio: Studio, object: str) -> tuple[Ask, ...]:
    """What is asked of a new view: how it shows records, where that needs nothing else."""
    fields = fields_of(studio, object)
    ways = [name for name, _ in WAYS]
    if not fields.picklists:
        ways.remove("board")
    if not fields.dates:
        ways.remove("calendar")
    choices = tuple(Choice(each, studio.s(f"views.way_{each}")) for each in ways)
    return (Ask("way", studio.s("views.way"), "select", choices),)


def body(studio: Studio, object: str, form: Form) -> Mapping[str, Any]:
    """The document of a new view: as a page of the desk shows records now (``from``), else all of them."""
    found = dict(start(studio, f"{object}.{GENERATED}") or _first(studio, object))
    found.pop("label", None)
    shown, fields = state_in(form), fields_of(studio, object)
    if shown.get("columns"):
        columns = [each.partition(":") for each in shown["columns"].split(",")]
        found["columns"] = [{"field": p, "width": int(w)} if w.isdigit() else p for p, _, w in columns if p]
    if "where" in shown:
        found.pop("where", None)
        found |= {"where": shown["where"]} if shown["where"].strip() else {}
    if shown.get("order"):
        found["order"] = [[shown["order"].lstrip("-"), "desc" if shown["order"].startswith("-") else "asc"]]
    way = form.get("way", "table")
    if way in ("cards", "board", "calendar"):
        found["way"] = way
    if way == "board":
        by = shown.get("by") or _usual_board(studio, object, fields)
        total = shown.get("sum", "-").strip("-")
        found["board"] = {"by": by} | ({"sum": total} if total else {})
        found |= {"cards": shown["cards"].split(",")} if shown.get("cards") else {}
    elif way == "calendar":
        begin = shown.get("start") or (fields.dates[0].value if fields.dates else "")
        end = shown.get("end", "-").strip("-")
        found["calendar"] = {"start": begin} | ({"end": end} if end else {})
        found["calendar"] |= {"mode": "week"} if shown.get("mode") == "week" else {}
    return found


def _usual_board(studio: Studio, object: str, fields: Fields) -> str:
    """The picklist that the object's board opens by; where the draft has faults, the first one."""
    model = studio.drafting.checked.model
    known = model.objects.get(object) if model is not None else None
    found = board_field(known, known.fields.values()) if known is not None else None
    return found.name if found is not None else next((each.value for each in fields.picklists), "")


def _first(studio: Studio, object: str) -> Mapping[str, Any]:
    """Where the draft has faults or a view of that name of its own: the name of the record by itself."""
    head = studio.drafting.get("object", object).body["name_field"]
    known = studio.drafting.find("list_view", f"{object}.{GENERATED}")
    return {"columns": known.body["columns"]} if known is not None else {"columns": [head]}


BEGINNING = Beginning(EDITOR, "new-view", asks, body)
