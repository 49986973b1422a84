"""Review and publish: what would change, counted; what needs a yes; what stands in the way; one button."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from tabwright.admin_ui.navigation import href_of, icon_of, kind_title, path
from tabwright.admin_ui.studio import Site, Studio, open_studio
from tabwright.admin_ui.telling.sentences import sentences, words_of
from tabwright.admin_ui.telling.words import Words
from tabwright.admin_ui.wording import title_of, value_in_words
from tabwright.metadata.diff import MISSING, Clash, Difference
from tabwright.metadata.drafts import Put
from tabwright.metadata.model import label_in
from tabwright.platform.errors import Fault, NotFound, TabwrightError
from tabwright.platform.language import say, say_fault
from tabwright.platform.web import policy
from tabwright.runtime.access.disclosing import accepted_in
from tabwright.runtime.pages.history import when_text
from tabwright.runtime.pages.signing import redirect
from tabwright.runtime.pages.world import local_path
from tabwright.runtime.publishing.consequences import Consequence
from tabwright.runtime.publishing.service import Plan

VERBS = (
    "read", "create", "edit", "delete", "view_all", "modify_all", "transfer", "import", "export",
    "skip_rules",
)  # fmt: skip
_PARTS = ("object", "field", "record_type", "layout", "list_view")
_word = re.compile(r"[a-z][a-z0-9_]*")
MOST_STEPS = 8  # that are offered after a publish
SHOWN = 12  # sentences about one change that are shown at once


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """One component that a publish changes, in sentences (``told``, ``more``); ``whom``: for how many."""

    action: str  # added | removed | changed
    kind: str
    icon: str
    label: str
    name: str
    uid: str
    href: str | None
    told: tuple[str, ...]
    more: tuple[str, ...]
    whom: str


@dataclass(frozen=True, slots=True)
class FaultLine:
    """What stands in the way, with the place where it is put right."""

    text: str
    href: str | None
    where: str


@dataclass(frozen=True, slots=True)
class WarningLine:
    """What needs a yes: data lost or rules that records break, with examples whom they concern; and what a
    field shows to who may not know it. ``accepts``: what the form sends for such a yes, which is kept.
    """

    text: str
    is_loss: bool
    href: str | None
    examples: tuple[tuple[str, str], ...]  # value, address of the record
    accepts: str = ""


@dataclass(frozen=True, slots=True)
class Move:
    """Rights that equally many people gain or lose."""

    rights: str
    gain: int
    lose: int


@dataclass(frozen=True, slots=True)
class ShiftLine:
    """Who gains or loses rights on one thing, in numbers."""

    thing: str
    moves: tuple[Move, ...]


def change_lines(
    studio: Studio, changes: Sequence[Difference], held: Mapping[str, int] | None = None
) -> tuple[ChangeLine, ...]:
    """Changes as they are shown. ``held``: how many people hold a permission set, by uid."""
    words = words_of(studio.drafting.world, changes, studio.call.language)
    return tuple(_change_line(studio, each, words, held or {}) for each in sorted(changes, key=_reading))


def _reading(each: Difference) -> tuple[bool, str, int, str]:
    """How changes are read: object by object, each before its parts, fields in the order in which they were
    made; then what stands beside objects.
    """
    kind, object = each.component.kind, each.component.object
    owner = each.component.name if kind == "object" else object or ""
    part = _PARTS.index(kind) if kind in _PARTS else len(_PARTS)
    return (not owner, owner, part, str(each.component.uid) if kind == "field" else "")


def _change_line(studio: Studio, each: Difference, words: Words, held: Mapping[str, int]) -> ChangeLine:
    component = each.component
    language = studio.call.language
    told = sentences(words, each)
    is_held = component.kind in ("permission_set", "permission_set_group") and each.action != "added"
    whom = words.say("held", count=held.get(component.uid, 0)) if held and is_held else ""
    return ChangeLine(
        each.action,
        kind_title(component.kind, language),
        icon_of(component.kind),
        _label(studio, each),
        component.name,
        component.uid,
        href_of(component.kind, component.name) if each.new is not None else None,
        told[:SHOWN],
        told[SHOWN:],
        whom,
    )


def _label(studio: Studio, each: Difference) -> str:
    component = each.component
    label = studio.label(component)
    if component.object is not None and component.kind != "object":
        return f"{studio.title_of('object', component.object)} › {label}"
    return label


def fault_line(studio: Studio, fault: Fault) -> FaultLine:
    """A fault with the component that it is about."""
    kind, _, name = (fault.place.component or "").partition("/")
    found = studio.drafting.find(kind, name) if name else None
    if found is None:
        return FaultLine(say_fault(fault, studio.call.language), None, fault.place.component or "")
    where = f"{kind_title(kind, studio.call.language)} {studio.label(found)}"
    return FaultLine(say_fault(fault, studio.call.language), href_of(kind, found.name), where)


def warning_line(studio: Studio, each: Consequence) -> WarningLine:
    place = each.says.place
    href = None
    if place.object and place.field and studio.drafting.find("field", f"{place.object}.{place.field}"):
        href = href_of("field", f"{place.object}.{place.field}")
    examples, accepts = _examples(studio, each), " ".join(each.accepts or ())
    return WarningLine(_said(studio, each.says), each.weight == "loss", href, examples, accepts)


def _said(studio: Studio, fault: Fault) -> str:
    """A consequence with labels in place of names."""
    params = dict(fault.params)
    object, field = params.get("object"), params.get("field")
    if isinstance(object, str):
        params["object"] = studio.title_of("object", object)
        if isinstance(field, str):
            params["field"] = studio.title_of("field", f"{object}.{field}")
    if isinstance(shown := params.get("input"), str):
        params["input"] = _title(studio, *shown.split(".", 1))
    if isinstance(sets := params.get("sets"), str):
        params["sets"] = _word.sub(lambda each: studio.title_of("permission_set", each[0]), sets)
    return say_fault(Fault(fault.code, params, fault.place), studio.call.language)


def _title(studio: Studio, object: str, field: str) -> str:
    return f"{studio.title_of('object', object)} › {studio.title_of('field', f'{object}.{field}')}"


def _examples(studio: Studio, each: Consequence) -> tuple[tuple[str, str], ...]:
    """Values of records, only to who may read that field of all of them: who publishes may not read all."""
    gate, place = studio.call.gate, each.says.place
    object = studio.call.model.find(place.object or "")
    field = object.find(place.field or "") if object is not None else None
    if object is None or field is None or not (gate.can_read(field) and gate.may(object, "view_all")):
        return ()
    return tuple((one.value, f"/o/{object.name}/{one.record}") for one in each.examples)


def _shifts(studio: Studio, plan: Plan) -> tuple[ShiftLine, ...]:
    """Rights of objects; those of single fields only where the object's own do not move."""
    whole = {each.object for each in plan.shifts if ":" not in each.right}
    things: dict[tuple[str, str], dict[tuple[int, int], list[str]]] = {}
    for each in plan.shifts:
        verb, _, field = each.right.partition(":")
        if field and each.object in whole:
            continue
        moves = things.setdefault((each.object, field), {})
        moves.setdefault((each.gain, each.lose), []).append(verb)
    return tuple(
        ShiftLine(
            _thing(studio, *thing),
            tuple(Move(_rights(studio, verbs), gain, lose) for (gain, lose), verbs in moves.items()),
        )
        for thing, moves in things.items()
    )


def _thing(studio: Studio, object: str, field: str) -> str:
    title = studio.title_of("object", object)
    return f"{title} › {studio.title_of('field', f'{object}.{field}')}" if field else title


def _rights(studio: Studio, verbs: Sequence[str]) -> str:
    """Rights as one would list them: what is seen first, then what is done."""
    known = [*VERBS, *verbs]
    said = [studio.s("right." + verb) for verb in sorted(verbs, key=known.index)]
    return studio.s("plan.right", rights=studio.s("plan.join").join(said))


def plan_context(studio: Studio, plan: Plan) -> dict[str, Any]:
    """What the plan of a draft or of a restore shows."""
    language = studio.call.language
    asks = [each for each in plan.consequences if each.weight != "info"]
    people = max((max(each.gain, each.lose) for each in plan.shifts), default=0)
    seconds = sum(each.seconds for each in plan.steps)
    return {
        "release": plan.release,
        "changes": change_lines(studio, plan.differences, plan.held),
        "rows": max((each.count for each in plan.consequences), default=0),
        "people": people,
        "time": studio.s("plan.at_once") if seconds < 1 else studio.s("plan.seconds", count=seconds),
        "asks": tuple(warning_line(studio, each) for each in asks),
        "infos": tuple(_said(studio, e.says) for e in plan.consequences if e.weight == "info"),
        "shifts": _shifts(studio, plan),
        "faults": tuple(fault_line(studio, each) for each in plan.faults),
        "clashes": tuple(clash_line(studio, each) for each in plan.clashes),
        "operations": tuple(say(each.code, {"name": each.name}, language) for each in plan.operations),
        "waits": plan.waits,
        "publishable": plan.publishable,
    }


@dataclass(frozen=True, slots=True)
class ClashLine:
    """A component that somebody else published a change of since this draft began."""

    kind: str
    label: str
    name: str
    uid: str
    properties: tuple[tuple[str, str | None, str | None], ...]  # pointer, in force, in this draft


def clash_line(studio: Studio, each: Clash) -> ClashLine:
    theirs = each.current.document if each.current is not None else {}
    mine = each.draft.document if each.draft is not None else {}
    component, language = each.component, studio.call.language

    def line(pointer: str) -> tuple[str, str | None, str | None]:
        sides = [value_in_words(component, pointer, _at(side, pointer), language) for side in (theirs, mine)]
        return title_of(component, pointer, language) or studio.s("plan.whole"), sides[0], sides[1]

    lines = tuple(line(pointer) for pointer in each.pointers)
    return ClashLine(
        kind_title(component.kind, studio.call.language),
        studio.label(component),
        component.name,
        component.uid,
        lines,
    )


def _at(document: Any, pointer: str) -> Any:
    """The value at a JSON pointer; MISSING where there is none."""
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(document, dict) or key not in document:
            return MISSING
        document = document[key]
    return MISSING if document == {} else document if pointer else document["name"]


def accepted(plan: Plan) -> dict[str, list[str]]:
    """What the form ticks that fields may show, by field; what the plan does not ask for is left out."""
    ticked = set(request.form.getlist("accept"))
    found: dict[str, list[str]] = {}
    for each in plan.consequences:
        if each.accepts is not None and " ".join(each.accepts) in ticked:
            found.setdefault(each.accepts[0], []).append(each.accepts[1])
    return found


def _accept(studio: Studio) -> None:
    """Keep in the draft what is accepted: in the fields' documents, so that it goes where they go."""
    if "accept" not in request.form:
        return
    tree = studio.drafting.draft.tree
    found = accepted(studio.publishing.preview(studio.call.principal.user_id))
    if found:
        made = (accepted_in(tree, path, inputs) for path, inputs in found.items())
        studio.drafting.change(*(Put(each.document) for each in made))


def _plan_page(studio: Studio, failed: Sequence[Fault] = (), note: str = "") -> Response:
    plan = studio.publishing.preview(studio.call.principal.user_id)
    return studio.page(
        "plan.html",
        "releases",
        409 if failed else 200,
        failed=tuple(fault_line(studio, each) for each in failed),
        note=note,
        restore=None,
        back=local_path(request.values.get("back", ""), ""),
        action=path("publish"),
        **plan_context(studio, plan),
    )


def next_steps(studio: Studio) -> tuple[tuple[str, str, str], ...]:
    """What a person goes on with after a publish that brought objects: (icon, words, address)."""
    call, found = studio.call, []
    for each in studio.publishing.diff(call.model.release - 1, call.model.release):
        object = call.model.find(each.component.name) if each.component.kind == "object" else None
        if each.action != "added" or object is None or not call.gate.may(object, "read"):
            continue
        name = label_in(object.labels, call.language)
        found.append(("list", studio.s("plan.next_open", name=name), f"/o/{object.name}"))
        if call.gate.may(object, "import"):
            found.append(("upload", studio.s("plan.next_import", name=name), f"/o/{object.name}/import"))
    return tuple(found[:MOST_STEPS])


def register(blueprint: Blueprint, site: Site) -> None:
    """The addresses of publishing and of releases."""

    @blueprint.get("/plan")
    @policy("session")
    def plan() -> Response:
        return _plan_page(open_studio(site))

    @blueprint.post("/publish")
    @policy("session")
    def publish() -> Response:
        studio = open_studio(site, change=True)
        note, expected = request.form.get("note", "").strip()[:2000], request.form.get("expected", "")
        try:
            _accept(studio)
            found = studio.publishing.publish(
                studio.call.principal,
                note=note,
                expected=int(expected) if expected.isascii() and expected.isdigit() else None,
                request_id=studio.call.request_id,
            )
        except TabwrightError as error:
            if error.status >= 500:
                raise
            return _plan_page(studio, error.faults, note)
        if found.waiting is not None:
            studio.flash("plan.waiting")
        else:
            studio.flash("plan.published", release=found.release)
        new = path("releases") + (f"?new={found.release}" if found.waiting is None else "")
        return redirect(local_path(request.form.get("back", ""), new))

    @blueprint.get("/discard")
    @policy("session")
    def discard_form() -> Response:
        studio = open_studio(site, change=True)
        lines = change_lines(studio, studio.drafting.draft.differences)
        return studio.page("discard.html", "home", changes=lines)

    @blueprint.post("/discard")
    @policy("session")
    def discard() -> Response:
        studio = open_studio(site, change=True)
        studio.drafting.discard()
        studio.flash("bar.discarded")
        return redirect(path())

    @blueprint.post("/settle")
    @policy("session")
    def settle() -> Response:
        """Settle one clash: keep this draft's side, or take the one in force."""
        studio = open_studio(site, change=True)
        uid = request.form.get("uid", "")
        if request.form.get("take") == "theirs":
            studio.drafting.revert(uid)
        else:
            studio.drafting.keep_mine(uid)
        return redirect(path("plan"))

    @blueprint.get("/releases")
    @policy("session")
    def releases() -> Response:
        studio = open_studio(site)
        before = request.args.get("before", "")
        found = studio.publishing.list(before=int(before) if before.isdigit() else None, limit=50)
        names = studio.people({each.author for each in found})
        now = studio.call.clock.now()
        rows = tuple(
            {
                "number": each.number,
                "at": when_text(each.at, now, studio.zone, studio.call.language),
                "who": names.get(each.author) or studio.s("releases.system"),
                "note": each.note,
                "building": dict(each.building),
                "current": each.number == studio.call.model.release,
            }
            for each in found
        )
        more = found[-1].number if len(found) == 50 else None
        new = request.args.get("new", "") == str(studio.call.model.release)
        steps = next_steps(studio) if new else ()
        return studio.page("releases.html", "releases", rows=rows, more=more, steps=steps)

    @blueprint.get("/releases/diff")
    @policy("session")
    def diff() -> Response:
        studio = open_studio(site)
        a, b = _number(request.args.get("a", "")), _number(request.args.get("b", ""))
        changes = change_lines(studio, studio.publishing.diff(a, b))
        return studio.page("diff.html", "releases", a=a, b=b, changes=changes)

    @blueprint.get("/releases/<number>/restore")
    @policy("session")
    def restore_form(number: str) -> Response:
        return _restore_page(open_studio(site, change=True), _number(number))

    @blueprint.post("/releases/<number>/restore")
    @policy("session")
    def restore(number: str) -> Response:
        studio = open_studio(site, change=True)
        wanted = _number(number)
        try:
            found = studio.publishing.restore(
                studio.call.principal,
                wanted,
                note=request.form.get("note", "").strip()[:2000],
                request_id=studio.call.request_id,
            )
        except TabwrightError as error:
            if error.status >= 500:
                raise
            return _restore_page(studio, wanted, error.faults)
        studio.flash(
            "plan.waiting" if found.waiting else "plan.restored", number=wanted, release=found.release
        )
        return redirect(path("releases"))

    def _restore_page(studio: Studio, number: int, failed: Sequence[Fault] = ()) -> Response:
        plan = studio.publishing.preview_restore(number)
        return studio.page(
            "plan.html",
            "releases",
            409 if failed else 200,
            failed=tuple(fault_line(studio, each) for each in failed),
            note=studio.s("plan.restore_note", number=number),
            restore=number,
            back="",
            action=path("releases", str(number), "restore"),
            **plan_context(studio, plan),
        )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise NotFound.of("api.no_release", release=text[:40])
    return int(text)
