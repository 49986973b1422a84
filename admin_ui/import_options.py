"""Options that a file says and its fields do not know: chosen from what an import's check refused, and added
to the draft; once that is published the import goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine
from tabwright.admin_ui.guessing import labels_of
from tabwright.admin_ui.names import suggested
from tabwright.admin_ui.navigation import path
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.model import label_in
from tabwright.platform.errors import Fault, Invalid
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.exchange.imports import Imports
from tabwright.runtime.exchange.mapping import fold
from tabwright.runtime.exchange.matching import choices_of
from tabwright.runtime.exchange.resolving import resolve
from tabwright.runtime.exchange.runs import Run
from tabwright.runtime.pages.signing import redirect

_UNKNOWN = "import.unknown_choice"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A list of options, the field that the file fills from it, and what the file says beyond it: (text,
    rows).
    """

    component: Component
    field: str
    values: tuple[tuple[str, int], ...]
    shared: bool  # a global list: its other fields get the options too


def _wanted(studio: Studio, imports: Imports, run: Run) -> Iterator[Wanted]:
    plan = resolve(studio.call.gate, imports.object(run), run.settings, run.header)
    for column in plan.by_field.values():
        if column.field.picklist is None:
            continue
        component = studio.drafting.draft.tree.by_uid(column.field.picklist.uid)
        if component is None:
            continue
        known = {*choices_of(column.field), *_labels(component)}
        found: dict[str, tuple[str, int]] = {}
        for issue in run.issues:
            text = str(issue.fault.params.get("value", ""))
            if issue.column == column.name and issue.fault.code == _UNKNOWN and fold(text) not in known:
                said, count = found.get(fold(text), (text, 0))
                found[fold(text)] = (said, count + issue.count)
        if found:
            label = label_in(column.field.labels, studio.call.language)
            yield Wanted(component, label, tuple(found.values()), component.kind == "picklist")


def _values(component: Component) -> list[dict[str, Any]]:
    """The options of a global list, or of a field with options of its own."""
    body = component.body
    values = body.get("values") if component.kind == "picklist" else (body.get("options") or {}).get("values")
    return [dict(each) for each in values or ()]


def _labels(component: Component) -> Iterator[str]:
    """What the draft's options are called already, folded."""
    for each in _values(component):
        yield fold(str(each["code"]))
        yield from (fold(str(label)) for label in (each.get("label") or {}).values())


def _with(component: Component, texts: list[str]) -> Change:
    """The component with these as further options: called as the file says, with a code read off that."""
    values = _values(component)
    for text in texts:
        taken = {str(each["code"]) for each in values}
        code = suggested([text], taken.__contains__, "value")
        values.append({"code": code, "label": labels_of(text)})
    document: dict[str, Any] = dict(component.document)
    if component.kind == "picklist":
        return Put({**document, "values": values})
    return Put({**document, "options": {**document["options"], "values": values}})


def _changes(wanted: list[Wanted], form: Mapping[str, str]) -> list[Change]:
    chosen = []
    for at, each in enumerate(wanted):
        texts = [text for number, (text, _) in enumerate(each.values) if f"use.{at}.{number}" in form]
        if texts:
            chosen.append(_with(each.component, texts))
    return chosen


def _page(studio: Studio, run: Run, wanted: list[Wanted], faults: tuple[Fault, ...] = ()) -> Response:
    lines = [FaultLine(say_fault(each, studio.call.language), each.place.field) for each in faults]
    return studio.page(
        "import_options.html",
        "object",
        422 if faults else 200,
        faults=tuple(dict.fromkeys(lines)),
        run=run,
        wanted=wanted,
        form=request.form,
        posted=request.method == "POST",
        back=f"/imports/{run.id}",
    )


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of options out of an import."""

    def opened(id: UUID) -> tuple[Studio, Run, list[Wanted]]:
        studio = open_studio(site, change=True)
        imports = Imports(studio.call, site.settings.limits)
        run = imports.get(id)
        return studio, run, list(_wanted(studio, imports, run))

    @blueprint.get("/imports/<uuid:id>/options")
    @policy("session")
    def options_of_import(id: UUID) -> Response:
        return _page(*opened(id))

    @blueprint.post("/imports/<uuid:id>/options")
    @policy("session")
    def make_options_of_import(id: UUID) -> Response:
        studio, run, wanted = opened(id)
        try:
            changes = _changes(wanted, request.form)
            if not changes:
                raise Invalid.of("studio.options_none")
            studio.drafting.change(*changes)
        except REFUSALS as error:
            return _page(studio, run, wanted, error.faults)
        studio.flash("options.made")
        return redirect(path("plan") + f"?back=/imports/{run.id}")
