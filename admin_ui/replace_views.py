"""The page that replaces a picklist value, and the one that shows how far it is."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from tabwright.admin_ui import replacing
from tabwright.admin_ui.components import REFUSALS, FaultLine
from tabwright.admin_ui.navigation import href_of, path
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Put
from tabwright.metadata.model import label_in
from tabwright.platform.errors import Denied, Fault, NotFound
from tabwright.platform.language import say, say_fault
from tabwright.platform.web import policy
from tabwright.runtime.pages.signing import redirect

_REPLACEABLE = ("field", "picklist")


def _found(studio: Studio, kind: str, name: str) -> Component:
    if kind not in _REPLACEABLE:
        raise NotFound.of("studio.no_kind", kind=kind[:40])
    return studio.drafting.get(kind, name)


def _page(studio: Studio, component: Component, faults: tuple[Fault, ...] = ()) -> Response:
    call, kind = studio.call, component.kind
    values = replacing.picklist_of(call.model, kind, component.uid)
    fields = replacing.fields_of(call.model, kind, component.uid)
    lines = []
    for each in values.values if values is not None else ():
        counted = [replacing.count(call, replacing.Replacement(field, each.code, None)) for field in fields]
        number = sum(one for one, _ in counted)
        more = "+" if any(capped for _, capped in counted) else ""
        lines.append((each.code, label_in(each.labels, call.language), f"{number:,}{more}", each.active))
    return studio.page(
        "replace.html",
        "object" if kind == "field" else "picklist",
        422 if faults else 200,
        component=component,
        title=studio.label(component),
        href=href_of(kind, component.name),
        choices=tuple(lines),
        fields=tuple(
            f"{studio.title_of('object', f.object)} › {studio.title_of('field', f.path)}" for f in fields
        ),
        old=request.values.get("old", ""),
        new=request.form.get("new", ""),
        faults=tuple(FaultLine(say_fault(each, call.language)) for each in faults),
    )


def turned_off(component: Component, code: str) -> Put | None:
    """The component with one of its values out of use; None where it is already."""
    document: dict[str, Any] = component.document
    options = document.get("options")
    holder = options if component.kind == "field" else document
    if holder is None or "values" not in holder:
        return None
    values = [{**each, "active": False} if each["code"] == code else each for each in holder["values"]]
    if values == holder["values"]:
        return None
    if component.kind == "field":
        return Put({**document, "options": {**holder, "values": values}})
    return Put({**document, "values": values})


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of replacing."""

    @blueprint.get("/replace/<kind>/<name>")
    @policy("session")
    def replace_form(kind: str, name: str) -> Response:
        studio = open_studio(site, change=True)
        return _page(studio, _found(studio, kind, name))

    @blueprint.post("/replace/<kind>/<name>")
    @policy("session")
    def replace(kind: str, name: str) -> Response:
        studio = open_studio(site, change=True)
        component = _found(studio, kind, name)
        old, new = request.form.get("old", ""), request.form.get("new", "")
        try:
            job = replacing.start(studio.call, kind, component.uid, old, new or None)
        except (*REFUSALS, Denied) as error:
            return _page(studio, component, error.faults)
        off = turned_off(component, old) if request.form.get("off") else None
        if off is not None:
            studio.drafting.change(off)
        return redirect(path("replace-job", job.hex))

    @blueprint.get("/replace-job/<uuid:id>")
    @policy("session")
    def replace_job(id: UUID) -> Response:
        studio = open_studio(site)
        with studio.call.tenant.store.read() as reader:
            job = studio.call.tenant.jobs.get(reader, id)
        if job.kind not in (replacing.REPLACE, replacing.UNDO):
            raise NotFound.of("job.not_found", job=str(id))
        result = job.result or {}
        failed = tuple(
            (object, id, say(code, params, studio.call.language))
            for object, id, code, params in result.get("failed", ())
        )
        return studio.page(
            "replace_job.html",
            "picklist",
            job=job,
            result=result,
            failed=failed,
            is_undo=job.kind == replacing.UNDO,
            going=job.state in ("waiting", "running"),
            mine=job.created_by == studio.call.principal.user_id,
            errors=tuple(
                say(each["code"], each.get("params", {}), studio.call.language)
                for each in (job.error or {}).get("faults", ())
            ),
        )

    @blueprint.post("/replace-job/<uuid:id>/undo")
    @policy("session")
    def undo_replace(id: UUID) -> Response:
        studio = open_studio(site, change=True)
        return redirect(path("replace-job", replacing.start_undo(studio.call, id).hex))
