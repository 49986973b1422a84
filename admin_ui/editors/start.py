"""The small form with which a list view, a tab, an app, a record type or a picklist begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine, suggest_name
from tabwright.admin_ui.editors.bench import Editor, Form, labels_in
from tabwright.admin_ui.editors.choices import Choice
from tabwright.admin_ui.navigation import kind_href, kind_title, path, starter
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.drafts import Change, Put
from tabwright.platform.errors import Fault
from tabwright.platform.language import say_fault
from tabwright.platform.web import policy
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import local_path


@dataclass(frozen=True, slots=True)
class Ask:
    """One question of the form beside the label: a choice, several of them, or lines of text."""

    name: str
    title: str
    kind: str  # select, checks, lines, text
    choices: tuple[Choice, ...] = ()
    hint: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a kind begins. ``asks``: what is asked beside the label; ``body``: the document that a form means;
    ``around``: what else changes when it is made, such as the app that a new tab goes into.
    """

    editor: Editor
    slug: str
    asks: Callable[[Studio, str], Sequence[Ask]]
    body: Callable[[Studio, str, Form], Mapping[str, Any]]
    around: Callable[[Studio, str, Form], Sequence[Change]] = lambda studio, name, form: ()


def mount_start(blueprint: Blueprint, site: Site, begin: Beginning, *, of_object: bool) -> None:
    """Put the form of a kind below /studio: /new-view/<object>, /new-app."""
    kind = begin.editor.kind
    starter(kind, lambda object: path(begin.slug, object) if of_object else path(begin.slug))
    rule = f"/{begin.slug}/<object>" if of_object else f"/{begin.slug}"

    @blueprint.get(rule, endpoint=f"{begin.slug}_form")
    @policy("session")
    def form(object: str = "") -> Response:
        studio = open_studio(site, change=True)
        return _page(studio, begin, _object(studio, object), Form(request.args), ())

    @blueprint.post(rule, endpoint=f"{begin.slug}_make")
    @policy("session")
    def make(object: str = "") -> Response:
        studio, given = open_studio(site, change=True), request.form
        within = _object(studio, object)
        labels, local = labels_in(given), given.get("local", "").strip()
        head = f"{within}." if within else ""
        name = head + local if local else suggest_name(studio, kind, within or None, labels or {})
        document = {"kind": kind, "name": name, **begin.body(studio, within, given)}
        if labels:
            document["label"] = labels
        try:
            changes = (Put(document), *begin.around(studio, name, given))
            faults = studio.drafting.rehearse(*changes).about(f"{kind}/{name}")
            if faults:
                return _page(studio, begin, within, given, faults)
            studio.drafting.change(*changes, seen={(kind, name): ""})
        except REFUSALS as error:
            return _page(studio, begin, within, given, error.faults)
        studio.flash("component.made", name=studio.label(studio.drafting.get(kind, name)))
        back = local_path(given.get("back", ""), "")
        return redirect(begin.editor.href(name) + ("?" + urlencode({"back": back}) if back else ""))


def _object(studio: Studio, object: str) -> str:
    return studio.drafting.get("object", object).name if object else ""


def _page(studio: Studio, begin: Beginning, object: str, given: Form, faults: Sequence[Fault]) -> Response:
    language, kind = studio.call.language, begin.editor.kind
    told = tuple(dict.fromkeys(FaultLine(say_fault(each, language), _anchor(each)) for each in faults))
    return studio.page(
        "editors/start.html",
        kind if not object or kind == "list_view" else "object",
        422 if faults else 200,
        kind=kind,
        kind_title=kind_title(kind, language),
        object=object,
        object_title=studio.title_of("object", object) if object else "",
        asks=tuple(begin.asks(studio, object)),
        given=given,
        faults=told,
        back=local_path(given.get("back", ""), ""),
        leave=local_path(given.get("back", ""), "")
        or (f"{path('objects', object)}?part={kind}" if object else kind_href(kind)),
    )


def _anchor(fault: Fault) -> str | None:
    pointer = fault.place.pointer or ""
    return "label-zh" if pointer.startswith("/label") else "local" if pointer == "/name" else None


def state_in(form: Form) -> dict[str, str]:
    """What an address's query says, that a page put into the form's ``from``."""
    return dict(parse_qsl(form.get("from", "")[:8_000]))
