"""All words of an organisation's components in both languages: what is missing, and changing it in place."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request

from tabwright.admin_ui.components import REFUSALS, FaultLine
from tabwright.admin_ui.editor import widgets
from tabwright.admin_ui.names import finding
from tabwright.admin_ui.navigation import href_of, kind_title, path
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.admin_ui.wording import title_of
from tabwright.metadata import schema, walk
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Put
from tabwright.metadata.schema import pointer_of
from tabwright.platform.errors import Conflict, Fault, Place
from tabwright.platform.language import LANGUAGES, say_fault
from tabwright.platform.web import policy
from tabwright.runtime.pages.signing import redirect

ROWS = 100  # on one page


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a component in both languages; "" where it is missing."""

    component: Component
    pointer: str
    zh: str
    en: str
    is_long: bool

    @property
    def key(self) -> str:
        """What its inputs are named by."""
        return f"{self.component.kind}/{self.component.name}#{self.pointer}"

    def missing(self, language: str) -> bool:
        return not (self.zh if language == "zh" else self.en)


def texts_of(component: Component) -> Iterator[Text]:
    """Every text of a component that has languages."""
    root = schema.shared_schema_of(component.kind)
    document = component.document

    def look(value: Any, nodes: walk.Nodes, steps: tuple[str | int, ...]) -> Iterator[Text]:
        if isinstance(value, Mapping):
            widget = widgets.widget_of(nodes, value, root) if steps else "group"
            if widget in ("labels", "texts"):
                zh, en = str(value.get("zh", "")), str(value.get("en", ""))
                yield Text(component, pointer_of(steps), zh, en, widget == "texts")
                return
            for key, each in value.items():
                yield from look(each, walk.child(nodes, key, each, root), (*steps, key))
        elif isinstance(value, list):
            for number, each in enumerate(value):
                yield from look(each, walk.child(nodes, number, each, root), (*steps, number))

    yield from look(document, walk.nodes_for(root, document, root), ())


def changed(component: Component, values: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The document with other texts; values are by pointer and language, "" takes a language away."""
    document: dict[str, Any] = deepcopy(component.document)
    for pointer, texts in values.items():
        here: Any = document
        for step in pointer.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            here = here[int(step)] if isinstance(here, list) else here[step]
        for language, text in texts.items():
            if text:
                here[language] = text
            else:
                here.pop(language, None)
    return document


def save(studio: Studio) -> int:
    """Save what differs from what the page showed; the number of texts. Raises Conflict, Invalid.

    Each input comes with the text that it was made of: who saves over somebody's change in between is told.
    """
    form = request.form
    wanted: dict[str, dict[str, dict[str, str]]] = {}
    count = 0
    for name in form:
        key, _, language = name.rpartition(":")
        if language not in LANGUAGES or f"{key}:was:{language}" not in form:
            continue
        given = form[name].replace("\r\n", "\n").strip()
        if given != form[f"{key}:was:{language}"].replace("\r\n", "\n").strip():
            place, _, pointer = key.partition("#")
            wanted.setdefault(place, {}).setdefault(pointer, {})[language] = given
            count += 1
    changes = []
    for place, values in wanted.items():
        kind, _, name = place.partition("/")
        component = studio.drafting.get(kind, name)
        there = {each.pointer: each for each in texts_of(component)}
        for pointer, texts in values.items():
            for language in texts:
                was = form[f"{place}#{pointer}:was:{language}"].replace("\r\n", "\n").strip()
                text = there.get(pointer)
                if text is None or (text.zh if language == "zh" else text.en).strip() != was:
                    raise Conflict(
                        (Fault("studio.changed_meanwhile", {"name": name}, Place(component=place)),)
                    )
        changes.append(Put(changed(component, values)))
    if changes:
        studio.drafting.change(*changes)
    return count


def _all(studio: Studio) -> tuple[Text, ...]:
    tree = sorted(studio.drafting.draft.tree, key=lambda each: (each.object or "~", each.uid))
    return tuple(text for each in tree for text in texts_of(each))


def _row(studio: Studio, text: Text) -> dict[str, Any]:
    component, language = text.component, studio.call.language
    head = component.object if component.object and component.kind != "object" else None
    label = studio.label(component)
    return {
        "text": text,
        "label": f"{studio.title_of('object', head)} › {label}" if head else label,
        "kind": kind_title(component.kind, language),
        "what": title_of(component, text.pointer, language),
        "href": href_of(component.kind, component.name),
    }


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of translations."""

    @blueprint.get("/translations")
    @policy("session")
    def translations() -> Response:
        return _page(open_studio(site), ())

    @blueprint.post("/translations")
    @policy("session")
    def save_translations() -> Response:
        studio = open_studio(site, change=True)
        try:
            count = save(studio)
        except REFUSALS as error:
            return _page(studio, error.faults)
        studio.flash("translations.saved", count=count)
        query = urlencode({key: request.args[key] for key in ("missing", "q", "from") if key in request.args})
        return redirect(path("translations") + ("?" + query if query else ""))

    @blueprint.get("/translations.csv")
    @policy("session")
    def translations_file() -> Response:
        """What is missing, as a file for a translator."""
        studio = open_studio(site)
        out = io.StringIO()
        table = csv.writer(out)
        table.writerow(["component", "place", "zh", "en"])
        for each in _all(studio):
            if not (each.zh and each.en):
                cells = (f"{each.component.kind}/{each.component.name}", each.pointer, each.zh, each.en)
                table.writerow([f"'{cell}" if cell[:1] in "=+-@\t\r" else cell for cell in cells])
        response = Response("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = 'attachment; filename="translations.csv"'
        return response

    def _page(studio: Studio, faults: tuple[Fault, ...]) -> Response:
        missing, q = request.args.get("missing", ""), request.args.get("q", "")[:200]
        start = request.args.get("from", "0")
        first = int(start) if start.isascii() and start.isdigit() and len(start) < 8 else 0
        every = _all(studio)
        counts = Counter(language for each in every for language in LANGUAGES if each.missing(language))
        found = [each for each in every if missing not in LANGUAGES or each.missing(missing)]
        words = q.lower().split()
        if words:
            found = [
                each for each in found
                if all(word in finding(each.zh, each.en, each.component.name) for word in words)
            ]  # fmt: skip
        known = {key: value for key, value in (("missing", missing), ("q", q)) if value}

        def at(number: int) -> str:
            return "?" + urlencode({**known, "from": str(number)})

        return studio.page(
            "translations.html",
            "translations",
            409 if faults else 200,
            rows=tuple(_row(studio, each) for each in found[first : first + ROWS]),
            total=len(every),
            found=len(found),
            counts=counts,
            missing=missing,
            q=q,
            posted=request.form,
            previous=at(max(0, first - ROWS)) if first else None,
            next=at(first + ROWS) if first + ROWS < len(found) else None,
            action=path("translations") + at(first),
            faults=tuple(FaultLine(say_fault(each, studio.call.language)) for each in faults),
        )
