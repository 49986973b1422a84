"""What Studio's own editors have in common: one component on a bench, saved into the draft as one goes.

An editor is a form: its script posts it whole after each change, and the server judges every save. What it
reads is a list of changes, the component's own first, so that an editor may change what stands around it
(who sees an app, which other view is no longer the default).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, request
from werkzeug.datastructures import MultiDict

from tabwright.admin_ui.components import REFUSALS, use_lines
from tabwright.admin_ui.navigation import designer, kind_title, path
from tabwright.admin_ui.publishing_here import publish_here
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.metadata.documents import Component
from tabwright.metadata.drafts import Change, Put
from tabwright.metadata.tree import Key
from tabwright.platform.errors import Conflict, Fault, Invalid
from tabwright.platform.language import messages, register_messages, say_fault
from tabwright.platform.web import policy
from tabwright.runtime.access.rights import BASE
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import local_path

register_messages(Path(__file__).with_name("messages.json"))
Form = MultiDict[str, str]
LANGUAGES = ("zh", "en")
_words = "studio.bench.js."


@dataclass(frozen=True, slots=True)
class Bench:
    """One component of the draft, or one that is there once its first change is saved."""

    studio: Studio
    kind: str
    name: str
    component: Component | None
    document: Mapping[str, Any]

    @property
    def object(self) -> str:
        """The object that it belongs to; "" for a component of none."""
        return self.name.partition(".")[0] if "." in self.name else ""

    @property
    def place(self) -> str:
        return f"{self.kind}/{self.name}"

    @property
    def seen(self) -> str:
        return self.component.digest if self.component is not None else ""

    @property
    def locked(self) -> bool:
        """Whether it is part of the product, of which only the label and the like may be changed."""
        body = self.document
        return bool(body.get("system")) is True or (self.kind == "app" and body.get("package") == BASE)

    def changed(self, body: Mapping[str, Any], without: Iterable[str] = ()) -> Put:
        """Its document with these properties; those that are None are taken out."""
        gone = {*without, *(key for key, value in body.items() if value is None)}
        kept = {key: value for key, value in self.document.items() if key not in gone}
        return Put(kept | {key: value for key, value in body.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Editor:
    """An editor of one kind. ``slug``: its address below /studio; ``template``: below studio/editors.

    ``start`` gives the document of a component that is not there yet, None where there is none to begin with;
    ``read`` the changes that a posted form means, its own first; ``more`` what the template shows. ``owns``
    says which other components it changes: publishing from here publishes those as well.
    """

    kind: str
    slug: str
    template: str
    read: Callable[[Bench, Form], Sequence[Change]]
    more: Callable[[Bench], Mapping[str, Any]]
    start: Callable[[Studio, str], Mapping[str, Any] | None] = field(default=lambda studio, name: None)
    preview: Callable[[Bench], Response] | None = None
    owns: Callable[[Bench, Key], bool] = field(default=lambda bench, key: False)
    is_page: bool = True  # where components of its kind are edited; else it is about a part of them

    def open(self, studio: Studio, name: str) -> Bench:
        """The component of that name on the bench. Raises NotFound."""
        found = studio.drafting.find(self.kind, name)
        if found is not None:
            return Bench(studio, self.kind, found.name, found, found.document)
        begun = self.start(studio, name)
        if begun is None:
            studio.drafting.get(self.kind, name)  # raises NotFound
            raise AssertionError("unreachable")
        return Bench(studio, self.kind, name, None, {"kind": self.kind, "name": name, **begun})

    def href(self, name: str) -> str:
        return path(self.slug, name)


def labels_in(form: Form, name: str = "label") -> dict[str, str] | None:
    """``label.zh`` and ``label.en`` of a form; None where both are blank."""
    found = {each: " ".join(form.get(f"{name}.{each}", "").split()) for each in LANGUAGES}
    return {key: text for key, text in found.items() if text} or None


def only_changes(studio: Studio, changes: Sequence[Change]) -> list[Change]:
    """Changes without those that would leave a component as it is."""
    found = []
    for each in changes:
        if isinstance(each, Put):
            document = each.document
            there = studio.drafting.find(str(document["kind"]), str(document["name"]))
            if there is not None and {"uid": there.uid, **document} == dict(there.document):
                continue
        found.append(each)
    return found


def mount(blueprint: Blueprint, site: Site, editor: Editor) -> None:
    """Put an editor below /studio, and make it the page of its kind."""
    if editor.is_page:
        designer(editor.kind, editor.href)
    slug = editor.slug

    @blueprint.get(f"/{slug}/<name>", endpoint=f"{slug}_bench")
    @policy("session")
    def bench(name: str) -> Response:
        studio = open_studio(site)
        return _page(editor, editor.open(studio, name))

    @blueprint.post(f"/{slug}/<name>", endpoint=f"{slug}_save")
    @policy("session")
    def save(name: str) -> Response:
        studio = open_studio(site, change=True)
        return _save(editor, editor.open(studio, name))

    @blueprint.post(f"/{slug}/<name>/publish", endpoint=f"{slug}_publish")
    @policy("session")
    def publish(name: str) -> Response:
        """Publish and go back, where the draft holds nothing but what this editor changes."""
        studio = open_studio(site, change=True)
        bench = editor.open(studio, name)
        own = (editor.kind, bench.name)
        note = f"{kind_title(editor.kind, studio.call.language)}: {title_of(bench)}"
        back = local_path(request.form.get("back", ""), "")
        return publish_here(
            studio, lambda key: key == own or editor.owns(bench, key), note, back, editor.href(bench.name)
        )

    if editor.preview is not None:
        shown = editor.preview

        @blueprint.get(f"/{slug}/<name>/preview", endpoint=f"{slug}_preview")
        @policy("session")
        def preview(name: str) -> Response:
            return shown(editor.open(open_studio(site), name))


def title_of(bench: Bench) -> str:
    """What the component is called."""
    labels = bench.document.get("label") or {}
    language = bench.studio.call.language
    return str(labels.get(language) or labels.get("en") or labels.get("zh") or bench.name)


def _page(editor: Editor, bench: Bench, faults: Sequence[Fault] = (), status: int = 200) -> Response:
    studio, language = bench.studio, bench.studio.call.language
    found = faults or (studio.drafting.checked.about(bench.place) if bench.component is not None else ())
    return studio.page(
        f"editors/{editor.template}",
        editor.kind if not bench.object else "object" if editor.kind == "record_type" else editor.kind,
        status,
        bench=bench,
        kind=editor.kind,
        kind_title=kind_title(editor.kind, language),
        title=title_of(bench),
        object_title=studio.title_of("object", bench.object) if bench.object else "",
        href=editor.href(bench.name),
        has_preview=editor.preview is not None,
        back=local_path(request.values.get("back", ""), ""),
        uses=use_lines(studio, studio.drafting.uses_of(editor.kind, bench.name)),
        faults=json.dumps(_told(bench, found), ensure_ascii=False),
        words=json.dumps(words(language), ensure_ascii=False),
        may=studio.may_change and not bench.locked,
        **editor.more(bench),
    )


def words(language: str) -> dict[str, str]:
    """The words of the benches' script."""
    return {
        code.removeprefix(_words): said[language]
        for code, said in messages().items()
        if code.startswith(_words)
    }


def _told(bench: Bench, faults: Iterable[Fault]) -> list[dict[str, str]]:
    """Faults with where they stand; one about another component stands nowhere in particular."""
    told = []
    for each in faults:
        mine = each.place.component in (None, bench.place)
        at = (each.place.pointer or "") if mine else ""
        told.append({"at": at, "text": say_fault(each, bench.studio.call.language)})
    return told


def _save(editor: Editor, bench: Bench) -> Response:
    studio, scripted = bench.studio, request.form.get("_bench") == "script"
    seen = {(editor.kind, bench.name): request.form.get("seen", "")}
    faults: Sequence[Fault] = ()
    status = 200
    try:
        changes = editor.read(bench, request.form)
        own, others = changes[:1], only_changes(studio, changes[1:])
        if only_changes(studio, own) or others or bench.seen != request.form.get("seen", ""):
            places = {
                f"{each.document['kind']}/{each.document['name']}"
                for each in changes
                if isinstance(each, Put)
            }
            checked = studio.drafting.rehearse(*own, *others)
            faults = [fault for place in sorted(places) for fault in checked.about(place)]
            if faults:
                status = 422
            else:
                studio.drafting.change(*own, *others, seen=seen)
    except Conflict as error:
        faults, status = error.faults, 409
    except REFUSALS as error:
        faults, status = error.faults, 422
    if not scripted:
        if status != 200:
            kept = Bench(studio, bench.kind, bench.name, bench.component, _posted(editor, bench))
            return _page(editor, kept, faults, status)
        studio.flash("component.saved", name=title_of(editor.open(studio, bench.name)))
        back = local_path(request.form.get("back", ""), "")
        return redirect(editor.href(bench.name) + (f"?back={back}" if back else ""))
    now = studio.drafting.find(editor.kind, bench.name)
    bar = studio.frame(editor.kind).bar
    answer: dict[str, Any] = {
        "seen": now.digest if now is not None else "",
        "count": studio.s("bar.count", count=bar.count) if bar.count != 1 else studio.s("bar.count_one"),
        "changed": bar.count,
        "title": title_of(editor.open(studio, bench.name)) if now is not None else "",
        "faults": _told(bench, faults),
    }
    headers = {"Cache-Control": "no-store"}
    return Response(json.dumps(answer, ensure_ascii=False), status, headers, content_type="application/json")


def _posted(editor: Editor, bench: Bench) -> Mapping[str, Any]:
    """The document that a refused form means, so that the form keeps what was typed."""
    try:
        first = editor.read(bench, request.form)[0]
    except Invalid:
        return bench.document
    return first.document if isinstance(first, Put) else bench.document
