"""The addresses of the layout editor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS
from tabwright.admin_ui.layouts.canvas import Canvas, free_name, open_canvas, state
from tabwright.admin_ui.navigation import designer, path
from tabwright.admin_ui.publishing_here import publish_here
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Put
from tabwright.platform.errors import Conflict, Fault, Invalid
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import local_path

LONGEST = 400_000  # characters of a posted layout

designer("layout", lambda name: path("layouts", name))


def register(blueprint: Blueprint, site: Site) -> None:
    """Put the editor below /studio/layouts."""

    @blueprint.get("/layouts/<name>")
    @policy("session")
    def layout(name: str) -> Response:
        studio = open_studio(site)
        return _page(studio, open_canvas(studio, name))

    @blueprint.get("/objects/<object>/new-layout")
    @policy("session")
    def new_layout(object: str) -> Response:
        """The editor of one more layout; nothing is there until its first change."""
        studio = open_studio(site, change=True)
        return redirect(path("layouts", free_name(studio, studio.drafting.get("object", object).name)))

    @blueprint.post("/layouts/<name>")
    @policy("session")
    def save_layout(name: str) -> Response:
        studio = open_studio(site, change=True)
        return _save(studio, open_canvas(studio, name))

    @blueprint.post("/layouts/<name>/publish")
    @policy("session")
    def publish_layout(name: str) -> Response:
        """Publish and go back to the page, where the draft holds this layout and nothing else."""
        studio = open_studio(site, change=True)
        return _publish(studio, open_canvas(studio, name), local_path(request.form.get("back", ""), ""))


def _page(studio: Studio, canvas: Canvas) -> Response:
    component, s = canvas.component, studio.s
    label = studio.label(component) if component is not None else s("layout.new")
    return studio.page(
        "layout.html",
        "layout",
        canvas=canvas,
        title=label,
        object_title=studio.title_of("object", canvas.object),
        state=json.dumps(state(studio, canvas), ensure_ascii=False),
        back=local_path(request.args.get("back", ""), ""),
        types=_types(studio, canvas),
        layouts=len(studio.drafting.all("layout", canvas.object)),
        is_first=_is_first(studio, canvas),
    )


def _is_first(studio: Studio, canvas: Canvas) -> bool:
    """Whether records without a layout of their type's own are shown by this one."""
    first = next(iter(studio.drafting.all("layout", canvas.object)), None)
    return first is None or first.name == canvas.name


def _record_types(studio: Studio, canvas: Canvas) -> tuple[Component, ...]:
    return studio.drafting.all("record_type", canvas.object)


def _types(studio: Studio, canvas: Canvas) -> list[tuple[str, str, bool]]:
    """The object's record types: name, label, whether this layout shows them."""
    return [
        (each.name, studio.label(each), each.body.get("layout") == canvas.name)
        for each in _record_types(studio, canvas)
    ]


def _assigned(studio: Studio, canvas: Canvas, wanted: Sequence[str]) -> list[Change]:
    """The record types whose layout changes, so that exactly those of ``wanted`` have this one."""
    found: list[Change] = []
    for each in _record_types(studio, canvas):
        has, body = each.body.get("layout") == canvas.name, dict(each.document)
        if has == (each.name in wanted):
            continue
        if has:
            del body["layout"]
        else:
            body["layout"] = canvas.name
        found.append(Put(body))
    return found


def _save(studio: Studio, canvas: Canvas) -> Response:
    """Check the posted layout as a publish would; without faults it is in the draft."""
    try:
        body = json.loads(request.form.get("document", "")[:LONGEST])
        if not isinstance(body, dict):
            raise ValueError
    except (ValueError, RecursionError):
        raise Invalid.of("studio.layout.unreadable") from None
    changes: list[Change] = [Put(canvas.with_body(body))]
    if "types" in request.form:
        changes += _assigned(studio, canvas, request.form["types"].split())
    try:
        faults = studio.drafting.rehearse(*changes).about(canvas.place)
        if faults:
            return _refused(studio, canvas, faults, 422)
        studio.drafting.change(*changes, seen={("layout", canvas.name): request.form.get("seen", "")})
    except Conflict as error:
        return _refused(studio, canvas, error.faults, 409)
    except REFUSALS as error:
        return _refused(studio, canvas, error.faults, 422)
    saved = studio.drafting.get("layout", canvas.name)
    bar = studio.frame("layout").bar
    count = studio.s("bar.count", count=bar.count) if bar.count != 1 else studio.s("bar.count_one")
    return _answer({"seen": saved.digest, "count": count, "changed": bar.count})


def _refused(studio: Studio, canvas: Canvas, faults: Sequence[Fault], status: int) -> Response:
    told = [
        {
            "at": each.place.pointer or "" if each.place.component in (None, canvas.place) else "",
            "text": say_fault(each, studio.call.language),
        }
        for each in faults
    ]
    return _answer({"faults": told, "seen": canvas.seen}, status)


def _answer(body: dict[str, Any], status: int = 200) -> Response:
    headers = {"Cache-Control": "no-store"}
    return Response(
        json.dumps(body, ensure_ascii=False), status, headers, content_type="application/json; charset=utf-8"
    )


def _publish(studio: Studio, canvas: Canvas, back: str) -> Response:
    mine = {("layout", canvas.name)} | {("record_type", name) for name, _, _ in _types(studio, canvas)}
    found = studio.drafting.find("layout", canvas.name)
    note = studio.s("layout.published_note", name=studio.label(found) if found is not None else canvas.name)
    return publish_here(studio, mine.__contains__, note, back, path("layouts", canvas.name))
